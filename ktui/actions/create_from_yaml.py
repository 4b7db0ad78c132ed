"""Create objects from YAML, as `kubectl create -f -` does, each after those that it needs."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import yaml

from ktui.actions.action import Action, Cluster, JsonObject, Refusal, Step, Target
from ktui.actions.creation import from_manifest, namespace_field, text_of
from ktui.actions.form import Carried, Form, TextField, Values
from ktui.kinds.builtin import BUILTIN
from ktui.kinds.generic import generic_kind
from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR

try:
    from yaml import CSafeLoader as SafeLoader
except ImportError:  # PyYAML without libyaml reads the same, ten times slower.
    from yaml import SafeLoader  # type: ignore[assignment]

MOST_NODES = 200_000
"""Values that the documents may have, aliases written out: what exceeds it is no manifest, but an attack."""

_CRD = "CustomResourceDefinition"

# Kinds that others need, first.
_ORDER = (
    ("Namespace",),
    (_CRD,),
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


async def _form(cluster: Cluster, targets: Sequence[Target]) -> Form:
    kinds: dict[tuple[str, str], Served] = {}
    for found in (await cluster.discovery()).resources:
        if "create" in found.verbs:
            kinds.setdefault((found.gvr.group, found.kind), Served(found.gvr.resource, found.namespaced))
    return Form(
        (
            TextField(
                name="yaml",
                label="YAML",
                help="One or more objects, with --- between them.",
                lines=20,
                check=_wrong,
                required=True,
            ),
            namespace_field(cluster, targets),
            Carried(name="kinds", value=kinds),
        )
    )


def _plan(target: Target, values: Values) -> Sequence[Step]:
    documents = list(objects(str(values.get("yaml") or "")))
    if not documents:
        raise Refusal("no objects passed to create")
    kinds = {**values["kinds"], **_defined(documents)}
    namespace, new = text_of(values, "namespace"), _new(documents)
    steps = []
    for document in sorted(documents, key=lambda found: _PLACE.get(found["kind"], len(_ORDER))):
        group, kind = document["apiVersion"].rpartition("/")[0], document["kind"]
        if (served := kinds.get((group, kind))) is None:
            raise Refusal(
                f'no matches for kind "{kind}" in version "{document["apiVersion"]}"',
                "Ensure CRDs are installed first.",
            )
        meta = dict(document.get("metadata") or {})
        if served.namespaced:
            meta.setdefault("namespace", namespace)
        body = {**document, "metadata": meta}
        # A dry run leaves nothing behind, so it refuses what needs a namespace or a definition made just before.
        previewed = meta.get("namespace") not in new and (group, kind) not in new
        steps.append(from_manifest(_kind(document, served), body, previewed=previewed))
    return steps


def _kind(document: JsonObject, served: Served) -> Kind:
    group, _, version = document["apiVersion"].rpartition("/")
    gvr = GVR(group, version, served.resource)
    return BUILTIN.get(gvr) or generic_kind(gvr, document["kind"], served.namespaced)


def _defined(documents: Sequence[JsonObject]) -> dict[tuple[str, str], Served]:
    """The kinds that the documents themselves define."""
    found = {}
    for document in documents:
        spec = document.get("spec")
        names = spec.get("names") if isinstance(spec, dict) and document["kind"] == _CRD else None
        if isinstance(spec, dict) and isinstance(names, dict):
            served = Served(str(names.get("plural", "")), spec.get("scope") == "Namespaced")
            found[str(spec.get("group", "")), str(names.get("kind", ""))] = served
    return found


def _new(documents: Sequence[JsonObject]) -> set[Hashable]:
    """The namespaces and the kinds that are not there before the documents are."""
    names = {(found.get("metadata") or {}).get("name") for found in documents if found["kind"] == "Namespace"}
    return names | set(_defined(documents))


# -- reading ---------------------------------------------------------------------------------------


def objects(text: str) -> Iterator[JsonObject]:
    """The objects of YAML documents, those of lists one by one.

    Raises:
        Refusal: it is no YAML, with line and column; or no object, in kubectl's words.
    """
    for document in _documents(text):
        if not isinstance(document, dict):
            raise Refusal("error validating data: invalid object to validate")
        unset = [name for name in ("apiVersion", "kind") if not isinstance(document.get(name), str)]
        if unset:
            told = ", ".join(f"{name} not set" for name in unset)
            raise Refusal(f"error validating data: {f'[{told}]' if len(unset) > 1 else told}")
        if not isinstance(document.get("metadata") or {}, dict):
            raise Refusal("error validating data: metadata must be an object")
        items = document.get("items")
        if document["kind"].endswith("List") and isinstance(items, list):
            yield from objects_of(items)
        else:
            yield document


def objects_of(items: Sequence[Any]) -> Iterator[JsonObject]:
    """The objects of a list.

    Raises:
        Refusal: one is none.
    """
    for item in items:
        fine = isinstance(item, dict) and isinstance(item.get("apiVersion"), str) and isinstance(item.get("kind"), str)
        if not fine:
            raise Refusal("error validating data: an item of the list has no apiVersion or no kind")
        yield item


def _documents(text: str) -> Iterator[Any]:
    loader = _Loader(text)
    try:
        while loader.check_node() and (node := loader.get_node()) is not None:
            _measure(node)
            if (document := loader.construct_document(node)) is not None:
                yield document
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise Refusal(f"{where}{error.problem or error.context}") from None
    except yaml.reader.ReaderError as error:
        raise Refusal(f"character {error.position + 1}: {error.reason}") from None
    finally:
        loader.dispose()


def _measure(node: yaml.Node) -> None:
    """Refuse what aliases blow up, or what contains itself."""
    left, nodes = MOST_NODES, [node]
    while nodes:
        node, left = nodes.pop(), left - 1
        if left < 0:
            raise yaml.MarkedYAMLError(
                problem="too many values, as aliases multiply them", problem_mark=node.start_mark
            )
        if isinstance(node, yaml.MappingNode):
            nodes += [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            nodes += node.value


class _Loader(SafeLoader):
    """Reads YAML to what JSON can say: dates stay text, keys are text, and none stands twice."""

    # By the first character of a scalar, what it may be taken for.
    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
        for first, found in SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """A mapping whose keys are what was typed."""
        own = {id(key) for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"}
        self.flatten_mapping(node)
        found: dict[Hashable, Any] = {}
        typed: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key must be text", problem_mark=key.start_mark)
            if key.value in typed and id(key) in own:
                raise yaml.MarkedYAMLError(problem=f'key "{key.value}" already set in map', problem_mark=key.start_mark)
            if id(key) in own:
                typed.add(key.value)
            found[key.value] = self.construct_object(value, deep=True)
        return found

    def construct_text(self, node: yaml.ScalarNode) -> str:
        """What JSON has no value for, as it was typed."""
        return str(node.value)

    def construct_number(self, node: yaml.ScalarNode) -> Any:
        """A number; not `12:30`, which YAML 1.1 reads in base 60, and Go does not."""
        if ":" in node.value:
            return str(node.value)
        whole = node.tag == "tag:yaml.org,2002:int"
        return self.construct_yaml_int(node) if whole else self.construct_yaml_float(node)


for _tag in ("binary", "timestamp"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", _Loader.construct_text)
for _tag in ("int", "float"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", _Loader.construct_number)


def _wrong(text: str) -> str:
    try:
        for _ in objects(text):
            pass
    except Refusal as refusal:
        return refusal.sentence
    return ""


CREATE_FROM_YAML = Action(
    id="create-from-yaml",
    key="y",
    title="Create from YAML",
    help="Make the objects of a manifest.",
    plan=_plan,
    offers=lambda kind: True,
    form=_form,
    many=False,
    creates=True,
    done="Created",
)
