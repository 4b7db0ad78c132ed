"""What belongs together across the panes of the home screen."""

from __future__ import annotations

from collections.abc import Iterable

from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR, GVR_NODES, GVR_PODS, ObjectKey
from ktui.kinds.pods import PODS
from ktui.kinds.relation import Lookup, Relation, Wanted
from ktui.kinds.row import Row


def related(kind: Kind, row: Row, lookup: Lookup, kinds: Iterable[Kind]) -> dict[GVR, set[ObjectKey]]:
    """The objects that belong together with the one in `row`, as far as the open stores know.

    Those it is directly related to, and, as pods tie everything together, what its pods are related to: a deployment's
    nodes and services. It goes no further, or everything on a node would belong to everything else.

    Args:
        kind: the kind of `row`.
        row: any row; of one without an object only what its cells tell is found.
        lookup: the open stores.
        kinds: of which kinds objects are wanted; one without any related object is in the answer with an empty set.
    """
    found: dict[GVR, set[ObjectKey]] = {wanted.gvr: set() for wanted in kinds if wanted.gvr != kind.gvr}
    if row.object is None:
        if kind.gvr == GVR_PODS and GVR_NODES in found:
            found[GVR_NODES] = _nodes_of_cells(row, lookup)
        return found
    pods = list(_rows(kind.relations, GVR_PODS, row, lookup))
    for relation in kind.relations:
        if relation.to in found:
            found[relation.to].update(other.key for other in relation.find(row.object, lookup))
    for relation in PODS.relations:
        if relation.to in found:
            for pod in pods:
                if pod.object is not None:
                    found[relation.to].update(other.key for other in relation.find(pod.object, lookup))
    return found


def unknown(kind: Kind, row: Row, lookup: Lookup, kinds: Iterable[Kind]) -> list[Wanted]:
    """What must be fetched before `related` tells everything about `row`; nothing when it does already.

    Args:
        kind: the kind of `row`.
        row: any row.
        lookup: the open stores.
        kinds: as for `related`.
    """
    if row.object is None:
        return [Wanted(kind.gvr, row.key.namespace, row.key.name)]
    shown = {each.gvr for each in kinds}
    wants = [wanted for relation in kind.relations if relation.to in shown for wanted in relation.wants(row.object)]
    pods = [pod.object for pod in _rows(kind.relations, GVR_PODS, row, lookup) if pod.object is not None]
    if kind.gvr != GVR_PODS:
        wants += [wanted for pod in pods for relation in PODS.relations for wanted in relation.wants(pod)]
    return [wanted for wanted in dict.fromkeys(wants) if not lookup.whole(wanted)]


def _rows(relations: Iterable[Relation], to: GVR, row: Row, lookup: Lookup) -> Iterable[Row]:
    for relation in relations:
        if relation.to == to:
            yield from relation.find(row.object, lookup)


def _nodes_of_cells(pod: Row, lookup: Lookup) -> set[ObjectKey]:
    column = PODS.column("NODE")
    node = ObjectKey("", column.cell(pod, 0) if column is not None else "")
    return {node} if lookup.row(GVR_NODES, node) is not None else set()
