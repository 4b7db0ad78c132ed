"""The objects of a manifest: which they are, where the server has them, and in which order they need each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import msgspec

from ktui.actions.action import Cluster, JsonObject, Refusal, Target
from ktui.kinds.builtin import BUILTIN
from ktui.kinds.generic import generic_kind
from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR, ObjectKey
from ktui.kinds.references import identity, named
from ktui.kube.discovery import Discovery
from ktui.manifests.problems import Path
from ktui.manifests.reading import Document, Reading

_CRD = ("apiextensions.k8s.io", "CustomResourceDefinition")
_NAMESPACE = ("", "Namespace")
_ACCOUNTS = GVR("", "v1", "serviceaccounts")

# Kinds that others need, first.
_ORDER = (
    ("Namespace",),
    ("CustomResourceDefinition",),
    ("ServiceAccount",),
    ("ClusterRole", "Role"),
    ("ClusterRoleBinding", "RoleBinding"),
    ("ConfigMap", "Secret", "PriorityClass", "StorageClass", "ResourceQuota", "LimitRange"),
    ("PersistentVolume",),
    ("PersistentVolumeClaim",),
    ("Service",),
    ("Pod", "ReplicationController", "ReplicaSet", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"),
)
_PLACE = {kind: place for place, kinds in enumerate(_ORDER) for kind in kinds}


class Served(NamedTuple):
    """Where the server has the objects of a kind.

    Attributes:
        resource: the plural in URLs.
        namespaced: whether they live in namespaces.
    """

    resource: str
    namespaced: bool


Kinds = Mapping[tuple[str, str], Served]
"""What is served, by API group and kind."""


@dataclass(frozen=True, eq=False)
class Item:
    """An object of a manifest.

    Attributes:
        document: the number of its document, counted from 1.
        line: where it begins in the text, counted from 1.
        path: where it is in the document; empty, unless the document is a list.
        value: the object, as it was written.
    """

    document: int
    line: int
    path: Path
    value: JsonObject

    @property
    def place(self) -> str:
        """Where it is, a sentence."""
        return f"It is in document {self.document}, line {self.line}."


class Part(NamedTuple):
    """An object of a manifest, as it is to be sent.

    Attributes:
        item: whence it is.
        kind: its kind.
        body: the object, in a namespace if its kind has one.
        needs: the parts that have to be there before it.
        late: whether what it needs is not there before, so that no dry run can tell of it.
    """

    item: Item
    kind: Kind
    body: JsonObject
    needs: tuple[Target, ...] = ()
    late: bool = False

    @property
    def said_namespace(self) -> bool:
        """Whether the manifest says in which namespace it is."""
        return bool((self.item.value.get("metadata") or {}).get("namespace"))

    @property
    def key(self) -> ObjectKey:
        """Its namespace and name; without a name where the server gives one."""
        meta = self.body["metadata"]
        return ObjectKey(str(meta.get("namespace", "")), str(meta.get("name", "")))

    @property
    def target(self) -> Target:
        """The object."""
        return Target(self.kind, self.key)


async def served(cluster: Cluster, verb: str, found: Sequence[Item] = ()) -> Kinds:
    """The kinds with whose objects something can be done.

    Args:
        cluster: where.
        verb: `create`, `patch`.
        found: objects; when one is of a kind that was not served, the server is asked again.
    """
    kinds = _kinds(await cluster.discovery(), verb)
    if {identity(item.value) for item in found} - {*kinds, *_defined(found)}:
        kinds = _kinds(await cluster.discovery(anew=True), verb)
    return kinds


def _kinds(discovery: Discovery, verb: str) -> Kinds:
    kinds: dict[tuple[str, str], Served] = {}
    for found in discovery.resources:
        if verb in found.verbs:
            kinds.setdefault((found.gvr.group, found.kind), Served(found.gvr.resource, found.namespaced))
    return kinds


# -- what a text has -------------------------------------------------------------------------------


def items(reading: Reading, verb: str = "create") -> list[Item]:
    """The objects of a manifest, those of lists one by one.

    Args:
        reading: of its text.
        verb: what is to be done with them, as kubectl calls it.

    Raises:
        Refusal: something is no YAML, with line and column; or no object, in kubectl's words.
    """
    if reading.errors:
        first = reading.errors[0]
        raise Refusal(f"line {first.line}, column {first.column}: {first.message}")
    found = [
        item
        for number, document in enumerate(reading.documents, 1)
        for item in _items(number, document, (), document.value)
    ]
    if not found:
        raise Refusal(f"no objects passed to {verb}")
    return found


def _items(number: int, document: Document, path: Path, value: Any) -> Iterator[Item]:
    item = Item(number, document.at(path).line if path else document.line, path, value)
    if not isinstance(value, dict):
        raise Refusal("error validating data: invalid object to validate", item.place)
    unset = [name for name in ("apiVersion", "kind") if not isinstance(value.get(name), str) or not value[name]]
    if unset and path:
        raise Refusal("error validating data: an item of the list has no apiVersion or no kind", item.place)
    if unset:
        told = ", ".join(f"{name} not set" for name in unset)
        raise Refusal(f"error validating data: {f'[{told}]' if len(unset) > 1 else told}", item.place)
    if not isinstance(value.get("metadata") or {}, dict):
        raise Refusal("error validating data: metadata must be an object", item.place)
    inner = value.get("items")
    if value["kind"].endswith("List") and isinstance(inner, list):
        for place, each in enumerate(inner):
            yield from _items(number, document, (*path, "items", place), each)
    else:
        yield item


# -- what the server has to do with it -------------------------------------------------------------


def parts(found: Sequence[Item], kinds: Kinds, namespace: str) -> list[Part]:
    """The objects of a manifest as they are to be sent, each behind those that it needs.

    Args:
        found: the objects.
        kinds: what is served.
        namespace: where those are made that name none.

    Raises:
        Refusal: a kind is not served, or one object stands there twice.
    """
    kinds = {**kinds, **_defined(found)}
    made = [_part(item, kinds, namespace) for item in found]
    seen: dict[tuple[GVR, ObjectKey], Item] = {}
    for part in made:
        before = seen.setdefault((part.kind.gvr, part.key), part.item) if part.key.name else part.item
        if before is not part.item:
            raise Refusal(
                f"{part.kind.singular} {part.key} stands there twice, in line {before.line} and in line "
                f"{part.item.line}.",
                "Leave one of them out.",
            )
    made.sort(key=lambda part: _PLACE.get(part.kind.kind, len(_ORDER)))
    return [_with_needs(part, made) for part in made]


def _part(item: Item, kinds: Kinds, namespace: str) -> Part:
    value = item.value
    group, kind = identity(value)
    if (found := kinds.get((group, kind))) is None:
        raise Refusal(
            f'no matches for kind "{kind}" in version "{value["apiVersion"]}"',
            f"Ensure CRDs are installed first. {item.place}",
        )
    meta = dict(value.get("metadata") or {})
    # Who owns which field is the server's to write down; an apply that says it is refused.
    meta.pop("managedFields", None)
    if found.namespaced:
        meta = {**meta, "namespace": meta.get("namespace") or namespace}
    for name in ("name", "namespace", "generateName"):
        if not isinstance(meta.get(name, ""), str):
            raise Refusal(f"metadata.{name} must be a text", item.place)
    if not meta.get("name") and not meta.get("generateName"):
        raise Refusal("resource name may not be empty", item.place)
    gvr = GVR(group, value["apiVersion"].rpartition("/")[2], found.resource)
    return Part(item, BUILTIN.get(gvr) or generic_kind(gvr, kind, found.namespaced), {**value, "metadata": meta})


def _defined(found: Sequence[Item]) -> Kinds:
    """The kinds that a manifest itself defines."""
    return {_defines(item.value): _names(item.value) for item in found if identity(item.value) == _CRD}


def _spec(definition: JsonObject) -> JsonObject:
    spec = definition.get("spec")
    return spec if isinstance(spec, dict) else {}


def _defines(definition: JsonObject) -> tuple[str, str]:
    """The group and kind of a definition."""
    spec = _spec(definition)
    names = spec.get("names")
    return str(spec.get("group", "")), str(names.get("kind", "")) if isinstance(names, dict) else ""


def _names(definition: JsonObject) -> Served:
    spec = _spec(definition)
    names = spec.get("names")
    return Served(str(names.get("plural", "")) if isinstance(names, dict) else "", spec.get("scope") == "Namespaced")


def _with_needs(part: Part, all_of_them: Sequence[Part]) -> Part:
    """A part, with those of the others that it needs."""
    wanted = {(reference.group, reference.kind, reference.namespace, reference.name) for reference in _named(part)}
    needs, late = [], False
    for other in all_of_them:
        what = identity(other.body)
        home = what == _NAMESPACE and other.key.name == part.key.namespace
        definition = what == _CRD and _defines(other.body) == identity(part.body)
        if home or definition or (*what, *other.key) in wanted:
            needs.append(other.target)
            late |= home or definition
    return part._replace(needs=tuple(needs), late=late)


def _named(part: Part) -> Sequence[Any]:
    try:
        return [reference for reference in named(part.body) if not reference.optional]
    except (msgspec.ValidationError, AttributeError, TypeError):
        # Its fields have the wrong types, which the server tells better.
        return ()


# -- when the next can be done ---------------------------------------------------------------------


def ready(part: Part, all_of_them: Sequence[Part]) -> dict[str, Any]:
    """What has to be waited for when a part was made, before those are that need it; as of steps.

    Args:
        part: what is made.
        all_of_them: what else is.
    """
    what = identity(part.body)
    if what == _CRD:
        return {"settled": _established}
    if what == _NAMESPACE and any(
        identity(other.body) == ("", "Pod") and other.key.namespace == part.key.name for other in all_of_them
    ):
        # Pods are refused until their account is there.
        accounts = BUILTIN.get(_ACCOUNTS) or generic_kind(_ACCOUNTS, "ServiceAccount", True)
        account = Target(accounts, ObjectKey(part.key.name, "default"))
        return {"settled": partial(_there, "waits for its service account"), "awaited": account}
    return {}


def _established(item: JsonObject | None) -> str:
    """Source: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/"""
    conditions = ((item or {}).get("status") or {}).get("conditions") or ()
    if any(each.get("type") == "Established" and each.get("status") == "True" for each in conditions):
        return ""
    refused = [each for each in conditions if each.get("type") == "NamesAccepted" and each.get("status") == "False"]
    return f"is not served: {refused[0].get('message')}" if refused else "waits until it is served"


def _there(words: str, item: JsonObject | None) -> str:
    return words if item is None else ""
