"""What belongs together across the panes of the home screen."""

from __future__ import annotations

from collections.abc import Iterable

from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR, GVR_PODS, ObjectKey
from ktui.kinds.pods import PODS
from ktui.kinds.relation import Lookup, Relation
from ktui.kinds.row import Row


def related(kind: Kind, row: Row, lookup: Lookup, kinds: Iterable[Kind]) -> dict[GVR, set[ObjectKey]]:
    """The objects that belong together with the one in `row`.

    Those it is directly related to, and, as pods tie everything together, what its pods are related to: a deployment's
    nodes and services. It goes no further, or everything on a node would belong to everything else.

    Args:
        kind: the kind of `row`.
        row: any row; one without an object is related to nothing yet.
        lookup: the open stores.
        kinds: of which kinds objects are wanted; one without any related object is in the answer with an empty set.
    """
    found: dict[GVR, set[ObjectKey]] = {wanted.gvr: set() for wanted in kinds if wanted.gvr != kind.gvr}
    if row.object is None:
        return found
    pods = list(_rows(kind.relations, GVR_PODS, row, lookup))
    for relation in kind.relations:
        if relation.to in found:
            found[relation.to].update(other.key for other in relation.find(row.object, lookup))
    for relation in PODS.relations:
        if relation.to in found:
            for pod in pods:
                found[relation.to].update(other.key for other in relation.find(pod.object, lookup))
    return found


def _rows(relations: Iterable[Relation], to: GVR, row: Row, lookup: Lookup) -> Iterable[Row]:
    for relation in relations:
        if relation.to == to:
            yield from relation.find(row.object, lookup)
