"""Definitions: the types of an OpenAPI document, as a Kubernetes server publishes it.

Only what is used of it is kept: a document of two megabytes takes one in memory, and some milliseconds to read.
Sources:
https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-interface-definition
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
"""

from __future__ import annotations

from typing import Any

import msgspec

from ktui.manifests.patches import STRATEGIC

GVK = tuple[str, str, str]
"""API group ("" for core), version and kind."""


def gvk_of(value: Any) -> GVK | None:
    """The kind that an object says it is of; None when it does not.

    Args:
        value: the object, as decoded from JSON, or whatever a document says.
    """
    version, kind = (value.get("apiVersion"), value.get("kind")) if isinstance(value, dict) else (None, None)
    if not isinstance(version, str) or not isinstance(kind, str):
        return None
    group, _, version = version.rpartition("/")
    return group, version, kind


_DEEPEST = 16


class Validation(msgspec.Struct, frozen=True, gc=False):
    """A rule in the Common Expression Language: of `x-kubernetes-validations`."""

    rule: str = ""
    message: str = ""


class _Gvk(msgspec.Struct, frozen=True, gc=False):
    group: str = ""
    version: str = ""
    kind: str = ""


class Definition(
    msgspec.Struct,
    frozen=True,
    gc=False,
    rename={
        "ref": "$ref",
        "all_of": "allOf",
        "additional": "additionalProperties",
        "min_length": "minLength",
        "max_length": "maxLength",
        "min_items": "minItems",
        "max_items": "maxItems",
        "gvks": "x-kubernetes-group-version-kind",
        "list_type": "x-kubernetes-list-type",
        "list_map_keys": "x-kubernetes-list-map-keys",
        "map_type": "x-kubernetes-map-type",
        "patch_strategy": "x-kubernetes-patch-strategy",
        "patch_merge_key": "x-kubernetes-patch-merge-key",
        "int_or_string": "x-kubernetes-int-or-string",
        "preserve_unknown": "x-kubernetes-preserve-unknown-fields",
        "embedded": "x-kubernetes-embedded-resource",
        "validations": "x-kubernetes-validations",
    },
):
    """A type, or the place where a type is used; the attributes are named as in OpenAPI."""

    description: str = ""
    type: str = ""
    format: str = ""
    ref: str = ""
    all_of: tuple[Definition, ...] = ()
    properties: dict[str, Definition] = {}
    items: Definition | None = None
    additional: bool | Definition = False
    required: tuple[str, ...] = ()
    enum: tuple[Any, ...] = ()
    default: Any = msgspec.UNSET
    nullable: bool = False
    pattern: str = ""
    minimum: float | None = None
    maximum: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    min_items: int | None = None
    max_items: int | None = None
    gvks: tuple[_Gvk, ...] = ()
    list_type: str = ""
    list_map_keys: tuple[str, ...] = ()
    map_type: str = ""
    patch_strategy: str = ""
    patch_merge_key: str = ""
    int_or_string: bool = False
    preserve_unknown: bool = False
    embedded: bool = False
    validations: tuple[Validation, ...] = ()

    @property
    def target(self) -> str:
        """The name of the type that this place refers to; empty when it says itself what it is."""
        ref = self.ref or (self.all_of[0].ref if len(self.all_of) == 1 else "")
        return ref.rpartition("/")[2]


class _Nothing(msgspec.Struct, frozen=True, gc=False):
    pass


class _RequestBody(msgspec.Struct, frozen=True, gc=False):
    content: dict[str, _Nothing] = {}


class _Operation(
    msgspec.Struct,
    frozen=True,
    gc=False,
    rename={"body": "requestBody", "gvk": "x-kubernetes-group-version-kind", "action": "x-kubernetes-action"},
):
    body: _RequestBody = _RequestBody()
    consumes: tuple[str, ...] = ()
    gvk: _Gvk = _Gvk()
    action: str = ""


class _Place(msgspec.Struct, frozen=True, gc=False):
    patch: _Operation | None = None


class _Components(msgspec.Struct, frozen=True, gc=False):
    schemas: dict[str, Definition] = {}


class _Document(msgspec.Struct, frozen=True, gc=False):
    components: _Components = _Components()
    # Of OpenAPI v2.
    definitions: dict[str, Definition] = {}
    paths: dict[str, _Place] = {}


_decode = msgspec.json.Decoder(_Document).decode


class Definitions:
    """The types of one document.

    Args:
        types: by their names.
        strategic: the kinds that take strategic merge patches.

    Attributes:
        kinds: the name of each kind's type.
    """

    __slots__ = ("_types", "kinds", "strategic")

    def __init__(self, types: dict[str, Definition], strategic: frozenset[GVK]) -> None:
        self._types = types
        self.strategic = strategic
        self.kinds: dict[GVK, str] = {
            (gvk.group, gvk.version, gvk.kind): name for name, found in types.items() for gvk in found.gvks
        }

    def type(self, name: str) -> Definition | None:
        """A type by its name."""
        return self._types.get(name)

    def resolve(self, place: Definition) -> tuple[str, Definition]:
        """The name and the type that a place refers to; no name, and the place itself, where it refers to none."""
        name, found = "", place
        for _ in range(_DEEPEST):
            if not (target := found.target) or (then := self._types.get(target)) is None:
                break
            name, found = target, then
        return name, found


def read_definitions(document: bytes) -> Definitions:
    """The types of a document.

    Args:
        document: OpenAPI v3 of one group and version, as JSON; or OpenAPI v2.

    Raises:
        ValueError: it is something else.
    """
    try:
        read = _decode(document)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(f"no OpenAPI document: {error}") from None
    strategic = frozenset(
        (patch.gvk.group, patch.gvk.version, patch.gvk.kind)
        for place in read.paths.values()
        if (patch := place.patch) is not None and STRATEGIC in (*patch.body.content, *patch.consumes)
    )
    return Definitions(read.components.schemas or read.definitions, strategic)
