"""ReplicaSets: how `kubectl get replicasets -o wide` prints them."""

from __future__ import annotations

from collections.abc import Iterable

from ktui.kinds.column import AGE, NAME, Column, Role
from ktui.kinds.kind import Index, Kind, Trait
from ktui.kinds.names import GVR_DEPLOYMENTS, GVR_PODS, GVR_REPLICASETS, ObjectKey
from ktui.kinds.objects import LabelSelector, Object, Struct
from ktui.kinds.relation import Lookup, Relation
from ktui.kinds.row import Row
from ktui.kinds.tone import Tone
from ktui.kinds.workload import CONTAINERS, IMAGES, NONE, PodTemplate, Workload, pods_of, selector_text

REVISION = "deployment.kubernetes.io/revision"


class ReplicaSetSpec(Struct):
    """apps.ReplicaSetSpec."""

    replicas: int = 1
    selector: LabelSelector | None = None
    template: PodTemplate = PodTemplate()


class ReplicaSetStatus(Struct):
    """apps.ReplicaSetStatus."""

    replicas: int = 0
    ready_replicas: int = 0


class ReplicaSet(Object):
    """apps/v1 ReplicaSet."""

    spec: ReplicaSetSpec = ReplicaSetSpec()
    status: ReplicaSetStatus = ReplicaSetStatus()


def health(replica_set: ReplicaSet) -> Tone:
    """How well a replica set is; old revisions of a deployment want nothing and are idle."""
    desired, status = replica_set.spec.replicas, replica_set.status
    if desired == 0:
        return Tone.WORKING if status.replicas else Tone.FINISHED
    if status.replicas != desired:
        return Tone.WORKING
    return Tone.GOOD if status.ready_replicas == desired else Tone.WARNING


def _tone(replica_set: ReplicaSet) -> Tone:
    return health(replica_set)


def _by_owner(replica_set: ReplicaSet) -> Iterable[str]:
    owner = replica_set.metadata.controller
    return (owner.uid,) if owner is not None else ()


def _pods(replica_set: ReplicaSet, lookup: Lookup) -> Iterable[Row]:
    meta, owner = replica_set.metadata, replica_set.metadata.controller
    if owner is None:
        return pods_of(Workload(meta.namespace, "ReplicaSet", meta.name), lookup)
    workload = Workload(meta.namespace, owner.kind, owner.name)
    return [row for row in pods_of(workload, lookup) if row.object.metadata.controller.uid == meta.uid]


def _deployment(replica_set: ReplicaSet, lookup: Lookup) -> Iterable[Row]:
    owner = replica_set.metadata.controller
    if owner is None or owner.kind != "Deployment":
        return ()
    row = lookup.row(GVR_DEPLOYMENTS, ObjectKey(replica_set.metadata.namespace, owner.name))
    return () if row is None else (row,)


REPLICASETS = Kind(
    gvr=GVR_REPLICASETS,
    kind="ReplicaSet",
    namespaced=True,
    view=ReplicaSet,
    short=("rs",),
    traits=Trait.SCALABLE | Trait.TEMPLATED | Trait.EXPOSABLE | Trait.LOGGABLE,
    columns=(
        NAME,
        Column(name="DESIRED", text=lambda replica_set: replica_set.spec.replicas, right=True),
        Column(name="CURRENT", text=lambda replica_set: replica_set.status.replicas, right=True),
        Column(name="READY", text=lambda replica_set: replica_set.status.ready_replicas, tone=_tone, right=True),
        AGE,
        CONTAINERS,
        IMAGES,
        Column(
            name="SELECTOR",
            text=lambda replica_set: selector_text(replica_set.spec.selector) or NONE,
            wide=True,
            role=Role.SECONDARY,
        ),
    ),
    health=health,
    indexes={"owner": Index(_by_owner)},
    relations=(Relation(to=GVR_PODS, find=_pods), Relation(to=GVR_DEPLOYMENTS, find=_deployment)),
)
