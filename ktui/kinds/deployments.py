"""Deployments: how `kubectl get deployments -o wide` prints them, and how well their rollout goes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ktui.kinds.column import AGE, NAME, Column, Role, ToneOfCells, share_of_text
from ktui.kinds.kind import Kind, Trait
from ktui.kinds.names import GVR_DEPLOYMENTS, GVR_PODS, GVR_REPLICASETS
from ktui.kinds.objects import Condition, LabelSelector, Object, Struct
from ktui.kinds.relation import Lookup, Relation, Wanted
from ktui.kinds.row import Row
from ktui.kinds.time import epoch
from ktui.kinds.tone import Tone
from ktui.kinds.workload import CONTAINERS, IMAGES, PodTemplate, Workload, pods_of, selector_text

# Why the condition Progressing is True while a rollout is still on its way.
_ON_ITS_WAY = ("NewReplicaSetCreated", "FoundNewReplicaSet", "ReplicaSetUpdated", "DeploymentResumed")


class DeploymentSpec(Struct):
    """apps.DeploymentSpec."""

    replicas: int = 1
    paused: bool = False
    progress_deadline_seconds: int = 600
    selector: LabelSelector | None = None
    template: PodTemplate = PodTemplate()


class DeploymentStatus(Struct):
    """apps.DeploymentStatus."""

    observed_generation: int = 0
    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    conditions: tuple[Condition, ...] | None = None


class Deployment(Object):
    """apps/v1 Deployment."""

    spec: DeploymentSpec = DeploymentSpec()
    status: DeploymentStatus = DeploymentStatus()

    def condition(self, kind: str) -> Condition | None:
        """The condition of type `kind`, if the deployment has it."""
        return next((condition for condition in self.status.conditions or () if condition.type == kind), None)


def failure(deployment: Deployment) -> Condition | None:
    """The condition that says why a rollout fails: it takes too long, or pods cannot even be created."""
    progressing = deployment.condition("Progressing")
    if progressing is not None and progressing.reason == "ProgressDeadlineExceeded":
        return progressing
    refused = deployment.condition("ReplicaFailure")
    return refused if refused is not None and refused.status == "True" else None


def health(deployment: Deployment) -> Tone:
    """How well a deployment is.

    A rollout on its way is WORKING, even before its first pod is ready: Kubernetes itself says when it takes too long.
    Only pods that crash again and again count as progress each time they start, so a deployment that is unavailable for
    longer than its deadline is judged by its pods.
    """
    spec, status = deployment.spec, deployment.status
    if failure(deployment) is not None:
        return Tone.FAILED
    if spec.replicas == 0:
        return Tone.WORKING if status.replicas else Tone.FINISHED
    progressing = deployment.condition("Progressing")
    complete = (
        status.observed_generation >= deployment.metadata.generation
        and status.updated_replicas == spec.replicas == status.replicas
    )
    if complete and status.ready_replicas >= spec.replicas:
        return Tone.GOOD
    if spec.paused:
        # Nobody works on it until someone resumes it.
        return Tone.WARNING
    on_its_way = progressing is not None and progressing.reason in _ON_ITS_WAY
    if not complete or (on_its_way and not _long_unavailable(deployment)):
        return Tone.WORKING
    return Tone.WARNING if status.ready_replicas else Tone.FAILED


def _long_unavailable(deployment: Deployment) -> bool:
    """Whether it still reports progress although it was unavailable for longer than a rollout may take."""
    progressing, available = deployment.condition("Progressing"), deployment.condition("Available")
    if progressing is None or available is None or available.status != "False":
        return False
    updated, unavailable = epoch(progressing.last_update_time or ""), epoch(available.last_transition_time or "")
    if updated is None or unavailable is None:
        return False
    return updated - unavailable > deployment.spec.progress_deadline_seconds


def _tone_of_cells(cells: Sequence[Any]) -> Tone:
    """The tone of a deployment of which only NAME, READY, UP-TO-DATE, AVAILABLE ... are known."""
    if len(cells) < 3:
        return Tone.PLAIN
    ready, _, desired = str(cells[1]).partition("/")
    if desired == "0":
        return Tone.FINISHED
    if str(cells[2]) != desired:
        return Tone.WORKING
    return Tone.GOOD if ready == desired else Tone.WARNING if ready != "0" else Tone.FAILED


def _ready(deployment: Deployment) -> str:
    return f"{deployment.status.ready_replicas}/{deployment.spec.replicas}"


def _ready_share(deployment: Deployment) -> float:
    desired = deployment.spec.replicas
    return deployment.status.ready_replicas / desired if desired else 1.0


def _pods(deployment: Deployment, lookup: Lookup) -> Iterable[Row]:
    # By ownership, not by selector: the selectors of two deployments may overlap.
    return pods_of(Workload(deployment.metadata.namespace, "Deployment", deployment.metadata.name), lookup)


def _pods_wanted(deployment: Deployment) -> Iterable[Wanted]:
    selector = selector_text(deployment.spec.selector)
    return (Wanted(GVR_PODS, deployment.metadata.namespace, labels=selector),) if selector else ()


def _replica_sets(deployment: Deployment, lookup: Lookup) -> Iterable[Row]:
    return lookup.indexed(GVR_REPLICASETS, "owner", deployment.metadata.uid)


DEPLOYMENTS = Kind(
    gvr=GVR_DEPLOYMENTS,
    kind="Deployment",
    namespaced=True,
    view=Deployment,
    short=("deploy",),
    traits=Trait.SCALABLE | Trait.TEMPLATED | Trait.ROLLOUT | Trait.PAUSABLE | Trait.EXPOSABLE | Trait.LOGGABLE,
    columns=(
        NAME,
        Column(
            name="READY",
            text=_ready,
            sort=_ready_share,
            tone=health,
            tone_of_cells=ToneOfCells((1, 2), _tone_of_cells),
            sort_text=share_of_text,
        ),
        Column(name="UP-TO-DATE", text=lambda deployment: deployment.status.updated_replicas, right=True),
        Column(name="AVAILABLE", text=lambda deployment: deployment.status.available_replicas, right=True),
        AGE,
        CONTAINERS,
        IMAGES,
        Column(
            name="SELECTOR",
            text=lambda deployment: selector_text(deployment.spec.selector),
            wide=True,
            role=Role.SECONDARY,
        ),
    ),
    health=health,
    relations=(Relation(to=GVR_PODS, find=_pods, wants=_pods_wanted), Relation(to=GVR_REPLICASETS, find=_replica_sets)),
)
