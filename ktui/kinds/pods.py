"""Pods: how `kubectl get pods -o wide` prints them, how well they are, and what they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from ktui.kinds.column import AGE, NAME, Column, MovingColumn, Passing, Role, ToneOfCells, share_of_text
from ktui.kinds.kind import Index, Kind, Trait
from ktui.kinds.metrics import POD_CPU, POD_MEMORY
from ktui.kinds.names import GVR_DEPLOYMENTS, GVR_NODES, GVR_PODS, GVR_SERVICES, ObjectKey
from ktui.kinds.objects import Condition, Object, Struct
from ktui.kinds.relation import Lookup, Relation, Wanted
from ktui.kinds.row import Row
from ktui.kinds.time import epoch
from ktui.kinds.tone import Tone
from ktui.kinds.workload import NONE, Workload, workload_of


class Waiting(Struct):
    """Why a container does not run yet."""

    reason: str = ""
    message: str = ""


class Running(Struct):
    """That a container runs."""


class Terminated(Struct):
    """How a container ended."""

    exit_code: int = 0
    signal: int = 0
    reason: str = ""
    message: str = ""
    finished_at: str | None = None


class ContainerState(Struct):
    """core.ContainerState: one of three."""

    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


_NO_STATE = ContainerState()


class ContainerStatus(Struct):
    """core.ContainerStatus."""

    name: str = ""
    ready: bool = False
    started: bool | None = None
    restart_count: int = 0
    state: ContainerState = _NO_STATE
    last_state: ContainerState = _NO_STATE


class ContainerName(Struct):
    """A container of the spec; restart policy Always makes an init container a sidecar."""

    name: str = ""
    restart_policy: str = ""


class ReadinessGate(Struct):
    """A condition that somebody else has to set before the pod is ready."""

    condition_type: str = ""


class PodIP(Struct):
    """One address of a pod."""

    ip: str = ""


class PodSpec(Struct):
    """core.PodSpec."""

    containers: tuple[ContainerName, ...] | None = None
    init_containers: tuple[ContainerName, ...] | None = None
    node_name: str = ""
    readiness_gates: tuple[ReadinessGate, ...] | None = None


class PodStatus(Struct):
    """core.PodStatus."""

    phase: str = ""
    reason: str = ""
    message: str = ""
    conditions: tuple[Condition, ...] | None = None
    init_container_statuses: tuple[ContainerStatus, ...] | None = None
    container_statuses: tuple[ContainerStatus, ...] | None = None
    pod_ips: tuple[PodIP, ...] | None = msgspec.field(default=None, name="podIPs")
    nominated_node_name: str = ""


class Pod(Object):
    """core/v1 Pod."""

    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    def condition(self, kind: str) -> Condition | None:
        """The condition of type `kind`, if the pod has it."""
        for condition in self.status.conditions or ():
            if condition.type == kind:
                return condition
        return None


class Summary(NamedTuple):
    """What kubectl says of a pod in a line.

    Attributes:
        status: `Running`, `CrashLoopBackOff`, `Init:1/2` ...
        ready: containers (and sidecars) that are ready.
        total: containers and sidecars.
        restarts: how often containers were started again.
        restarted: when the last of them ended before that, RFC 3339; empty when the pod does not say.
    """

    status: str
    ready: int
    total: int
    restarts: int
    restarted: str


def summary(pod: Pod) -> Summary:
    """What the columns READY, STATUS and RESTARTS say.

    Source: printPod in kubernetes/pkg/printers/internalversion/printers.go (1.36).
    """
    spec, status = pod.spec, pod.status
    reason = status.reason or status.phase
    initialized = pod_ready = False
    for condition in status.conditions or ():
        match condition.type:
            case "PodScheduled" if condition.reason == "SchedulingGated":
                reason = "SchedulingGated"
            case "Initialized":
                initialized = condition.status == "True"
            case "Ready":
                pod_ready = condition.status == "True"
    sidecars = {init.name for init in spec.init_containers or () if init.restart_policy == "Always"}
    total = len(spec.containers or ()) + len(sidecars)
    ready, restarts, restarted = 0, 0, ""
    initializing = False
    if status.init_container_statuses:
        starting, ready, restarts, restarted = _initialization(pod, sidecars)
        if starting:
            reason, initializing = starting, True
    if not initializing or initialized:
        if status.init_container_statuses:
            restarts, restarted = _restarts(sidecars, status.init_container_statuses)
        reason, running, more_restarts, last = _containers(reason, pod_ready, status.container_statuses or ())
        ready, restarts, restarted = ready + running, restarts + more_restarts, max(restarted, last)
    if pod.metadata.deletion_timestamp:
        if status.reason == "NodeLost":
            reason = "Unknown"
        elif status.phase not in ("Succeeded", "Failed"):
            reason = "Terminating"
    return Summary(reason, ready, total, restarts, restarted)


def _initialization(pod: Pod, sidecars: set[str]) -> tuple[str, int, int, str]:
    """How far the init containers are: the status (empty when all are done), sidecars ready, restarts, the last one."""
    ready, restarts, restarted = 0, 0, ""
    for place, container in enumerate(pod.status.init_container_statuses or ()):
        restarts += container.restart_count
        restarted = max(restarted, _ended_before(container))
        ended, waiting = container.state.terminated, container.state.waiting
        if ended is not None and ended.exit_code == 0:
            continue
        if container.started and container.name in sidecars:
            ready += container.ready
            continue
        if ended is not None:
            return f"Init:{_end(ended)}", ready, restarts, restarted
        if waiting is not None and waiting.reason not in ("", "PodInitializing"):
            return f"Init:{waiting.reason}", ready, restarts, restarted
        return f"Init:{place}/{len(pod.spec.init_containers or ())}", ready, restarts, restarted
    return "", ready, restarts, restarted


def _containers(reason: str, pod_ready: bool, containers: tuple[ContainerStatus, ...]) -> tuple[str, int, int, str]:
    """The status of a pod whose init containers are done, containers ready, restarts, the last one."""
    ready, restarts, restarted = 0, 0, ""
    failure = ""
    # Backwards, so that the first container has the last word.
    for container in reversed(containers):
        state = container.state
        restarts += container.restart_count
        restarted = max(restarted, _ended_before(container))
        if state.waiting is not None and state.waiting.reason:
            reason = state.waiting.reason
        elif state.terminated is not None:
            reason = _end(state.terminated)
            if state.terminated.exit_code:
                failure = reason
        elif container.ready and state.running is not None:
            ready += 1
    if reason == "Completed":
        if ready and pod_ready:
            reason = "Running"
        elif failure:
            reason = failure
        elif ready:
            reason = "NotReady"
    return reason, ready, restarts, restarted


def _restarts(names: set[str], containers: tuple[ContainerStatus, ...]) -> tuple[int, str]:
    chosen = [container for container in containers if container.name in names]
    return sum(container.restart_count for container in chosen), max(map(_ended_before, chosen), default="")


def _ended_before(container: ContainerStatus) -> str:
    ended = container.last_state.terminated
    return ended.finished_at or "" if ended is not None else ""


def _end(ended: Terminated) -> str:
    if ended.reason:
        return ended.reason
    return f"Signal:{ended.signal}" if ended.signal else f"ExitCode:{ended.exit_code}"


def health(pod: Pod) -> Tone:
    """How well a pod is: FAILED and WARNING are what someone should look at."""
    short = summary(pod)
    if short.status == "Pending":
        scheduled = pod.condition("PodScheduled")
        return Tone.FAILED if scheduled is not None and scheduled.reason == "Unschedulable" else Tone.WORKING
    if short.status == "Running":
        # A readiness gate, or a node that went away, makes a pod unready whose containers are all ready.
        said = pod.condition("Ready")
        unready = short.ready < short.total or (said is not None and said.status != "True")
        return Tone.WARNING if unready else Tone.GOOD
    return tone_of_status(short.status)


_TONES = {
    "": Tone.UNKNOWN,
    "Running": Tone.GOOD,
    "NotReady": Tone.WARNING,
    "Completed": Tone.FINISHED,
    "Succeeded": Tone.FINISHED,
    "Unknown": Tone.UNKNOWN,
    "NodeLost": Tone.UNKNOWN,
} | dict.fromkeys(
    ("Pending", "ContainerCreating", "PodInitializing", "Terminating", "SchedulingGated"),
    Tone.WORKING,
)


def tone_of_status(status: str) -> Tone:
    """How well a pod with this STATUS is. Any reason that is not an ordinary step of a pod's life is a failure."""
    if (tone := _TONES.get(status)) is not None:
        return tone
    progress = status.removeprefix("Init:")
    return Tone.WORKING if progress != status and progress[:1].isdigit() else Tone.FAILED


def _tone_of_cells(cells: Sequence[Any]) -> Tone:
    """The tone of a pod of which only NAME, READY, STATUS ... are known."""
    if len(cells) < 3:
        return Tone.PLAIN
    tone = tone_of_status(str(cells[2]))
    shares = [str(cells[1]), *map(str, cells[8:9])]  # READY and READINESS GATES
    complete = all(share == NONE or len(set(share.split("/"))) == 1 for share in shares)
    return tone if complete or tone is not Tone.GOOD else Tone.WARNING


def _ready(pod: Pod) -> str:
    short = summary(pod)
    return f"{short.ready}/{short.total}"


def _ready_share(pod: Pod) -> float:
    short = summary(pod)
    return short.ready / short.total if short.total else 1.0


def _restarts_in_passing(pod: Pod) -> Passing:
    short = summary(pod)
    return Passing(short.restarts, epoch(short.restarted) if short.restarts else None)


def _ip(pod: Pod) -> str:
    addresses = pod.status.pod_ips
    return (addresses[0].ip if addresses else "") or NONE


def _gates(pod: Pod) -> str:
    gates = pod.spec.readiness_gates
    if not gates:
        return NONE
    conditions = [pod.condition(gate.condition_type) for gate in gates]
    return f"{sum(found is not None and found.status == 'True' for found in conditions)}/{len(gates)}"


def _by_workload(pod: Pod) -> Iterable[Workload]:
    workload = workload_of(pod)
    return () if workload is None else (workload,)


def _by_node(pod: Pod) -> Iterable[str]:
    return (pod.spec.node_name,) if pod.spec.node_name else ()


def _by_namespace(pod: Pod) -> Iterable[str]:
    return (pod.metadata.namespace,)


def _node(pod: Pod, lookup: Lookup) -> Iterable[Row]:
    row = lookup.row(GVR_NODES, ObjectKey("", pod.spec.node_name)) if pod.spec.node_name else None
    return () if row is None else (row,)


def _deployment(pod: Pod, lookup: Lookup) -> Iterable[Row]:
    workload = workload_of(pod)
    if workload is None or workload.kind != "Deployment":
        return ()
    row = lookup.row(GVR_DEPLOYMENTS, ObjectKey(workload.namespace, workload.name))
    return () if row is None else (row,)


def _services_wanted(pod: Pod) -> Iterable[Wanted]:
    return (Wanted(GVR_SERVICES, pod.metadata.namespace),)


def _services(pod: Pod, lookup: Lookup) -> Iterable[Row]:
    # Services are filed under one label of their selector, so only those that share it are compared in full.
    labels, namespace = pod.metadata.labels or {}, pod.metadata.namespace
    for key, value in labels.items():
        for row in lookup.indexed(GVR_SERVICES, "selector", (namespace, key, value)):
            if row.object is not None and row.object.selects(labels):
                yield row


PODS = Kind(
    gvr=GVR_PODS,
    kind="Pod",
    namespaced=True,
    view=Pod,
    short=("po",),
    traits=Trait.LOGGABLE | Trait.EXPOSABLE | Trait.EVICTABLE,
    columns=(
        NAME,
        Column(name="READY", text=_ready, sort=_ready_share, sort_text=share_of_text, right=True),
        Column(
            name="STATUS",
            text=lambda pod: summary(pod).status,
            tone=health,
            tone_of_cells=ToneOfCells((1, 2, 8), _tone_of_cells),
        ),
        MovingColumn(name="RESTARTS", passing=_restarts_in_passing, right=True),
        POD_CPU,
        POD_MEMORY,
        AGE,
        Column(name="IP", text=_ip, wide=True, role=Role.SECONDARY, unique=True),
        Column(name="NODE", text=lambda pod: pod.spec.node_name or NONE, wide=True, role=Role.SECONDARY),
        Column(
            name="NOMINATED NODE",
            text=lambda pod: pod.status.nominated_node_name or NONE,
            wide=True,
            role=Role.SECONDARY,
        ),
        Column(name="READINESS GATES", text=_gates, wide=True, role=Role.SECONDARY),
    ),
    health=health,
    indexes={
        "node": Index(_by_node, column="NODE"),
        "namespace": Index(_by_namespace),
        "workload": Index(_by_workload),
    },
    relations=(
        Relation(to=GVR_NODES, find=_node),
        Relation(to=GVR_DEPLOYMENTS, find=_deployment),
        Relation(to=GVR_SERVICES, find=_services, wants=_services_wanted),
    ),
)
