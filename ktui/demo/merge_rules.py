"""How the values of an object are merged, as its type or its schema says: what is one value, what entries are told by.

As https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy says. What neither type nor schema
knows is deduced: maps are merged, lists are one value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from ktui.demo.schema import Field, atomic_types, named_fields, type_of

Schema = Mapping[str, Any]

_HEAD = ("apiVersion", "kind")
_FORMS = {"[]": "list", "{}": "map"}
_SCALARS = {"string": "string", "bytes": "string", "bool": "boolean"} | dict.fromkeys(
    ("int32", "int64", "double"), "numeric"
)
_JSON = {"object": "map", "array": "list", "string": "string", "boolean": "boolean"} | dict.fromkeys(
    ("integer", "number"), "numeric"
)
_METADATA = Field("metadata", "meta.ObjectMeta", "")


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one value and of what is in it.

    Attributes:
        whole: whether a map is one value.
        keys: the fields that tell a list's entries apart; empty when a list is one value.
        is_set: whether a list is one of different plain values.
        always: whether Go's types have the value even where nothing is said.
        kind: what the value is: map, list, string, numeric or boolean; "" where it is not known, or one of several.
    """

    whole: bool = False
    keys: tuple[str, ...] = ()
    is_set: bool = False
    always: bool = False
    kind: str = ""

    def declares(self, name: str) -> bool:
        """Whether a map may have a field."""
        return True

    def field(self, name: str) -> Rules:
        """The rules of a map's field."""
        return DEDUCED

    def item(self) -> Rules:
        """The rules of a list's entries."""
        return DEDUCED


DEDUCED = Rules()
"""The rules of what is not known."""


@dataclass(frozen=True, slots=True)
class _Typed(Rules):
    """Those of a value of a built-in type."""

    type: str = ""
    form: str = ""

    def declares(self, name: str) -> bool:
        return self.form == "{}" or name in _HEAD or name in (named_fields(self.type) or {})

    def field(self, name: str) -> Rules:
        if self.form == "{}":
            return _typed(Field("", self.type, ""))
        known = (named_fields(self.type) or {}).get(name)
        return DEDUCED if known is None else _typed(known[1])

    def item(self) -> Rules:
        return _typed(Field("", self.type, ""))


@dataclass(frozen=True, slots=True)
class _Described(Rules):
    """Those of a value of a custom resource."""

    schema: Schema | None = None
    is_object: bool = False

    def declares(self, name: str) -> bool:
        schema = self.schema or {}
        known = schema.get("properties") or {}
        free = schema.get("additionalProperties") or schema.get("x-kubernetes-preserve-unknown-fields") or not schema
        return bool(free) or name in known or (self.is_object and name in (*_HEAD, "metadata"))

    def field(self, name: str) -> Rules:
        if self.is_object and name == "metadata":
            return _typed(_METADATA)
        schema = self.schema or {}
        inner = (schema.get("properties") or {}).get(name, schema.get("additionalProperties"))
        return _described(inner) if isinstance(inner, Mapping) else DEDUCED

    def item(self) -> Rules:
        return _described((self.schema or {}).get("items") or {})


def rules_of(obj: Mapping[str, Any], schema: Schema | None = None) -> Rules:
    """The rules of an object.

    Args:
        obj: the object; its kind and apiVersion are looked at.
        schema: the openAPIV3Schema of a custom resource; None when there is none.
    """
    name = type_of(obj.get("apiVersion", ""), obj.get("kind", ""))
    return _Typed(type=name, kind="map") if name is not None else _described(schema or {}, is_object=True)


@cache
def _typed(field: Field) -> Rules:
    keys = next((fact.removeprefix("map=") for fact in field.facts if fact.startswith("map=")), "")
    of_type = not field.form and field.type in atomic_types() and "granular" not in field.facts
    return _Typed(
        whole="atomic" in field.facts or of_type,
        keys=tuple(keys.split(",")) if keys else (),
        is_set="set" in field.facts,
        always="={}" in field.facts or bool(field.form and "kept" in field.facts),
        kind=_FORMS.get(field.form) or _SCALARS.get(field.type, "map" if named_fields(field.type) is not None else ""),
        type=field.type,
        form=field.form,
    )


def _described(schema: Schema, *, is_object: bool = False) -> Rules:
    kind = schema.get("x-kubernetes-list-type")
    return _Described(
        whole=schema.get("x-kubernetes-map-type") == "atomic",
        keys=tuple(schema.get("x-kubernetes-list-map-keys") or ()) if kind == "map" else (),
        is_set=kind == "set",
        kind="" if schema.get("x-kubernetes-int-or-string") else _JSON.get(schema.get("type", ""), ""),
        schema=schema,
        is_object=is_object or bool(schema.get("x-kubernetes-embedded-resource")),
    )
