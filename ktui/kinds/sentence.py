"""The relation line: what belongs to an object, and what is wrong with it, in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

from ktui.kinds import deployments, nodes, pods, services
from ktui.kinds.deployments import Deployment
from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR_PODS, GVR_SERVICES
from ktui.kinds.nodes import Node
from ktui.kinds.pods import PODS, Pod
from ktui.kinds.relation import Lookup
from ktui.kinds.row import Row
from ktui.kinds.services import Service
from ktui.kinds.text import clean
from ktui.kinds.tone import Tone
from ktui.kinds.workload import NONE, labels_text, workload_of

Voice = Literal["plain", "name", "secondary", "arrow", "good", "working", "warning", "failed", "finished", "unknown"]

# An unhealthy container's reasons that name only a step on the way.
_STEPS = ("", "ContainerCreating", "PodInitializing")


class Part(NamedTuple):
    """A piece of a sentence.

    Attributes:
        text: safe to show.
        voice: how it is painted.
    """

    text: str
    voice: Voice = "plain"


def sentence(kind: Kind, row: Row, lookup: Lookup, *, complete: bool = True) -> list[Part]:
    """One line about the object in `row`: `deployment shop/web → 3 pods on 2 nodes ← service web 10.96.14.7:80`.

    Args:
        kind: the kind of `row`.
        row: any row.
        lookup: the open stores.
        complete: whether the stores have listed everything; what is missing is not claimed before that.
    """
    head = [Part(f"{kind.singular} ", "secondary"), Part(clean(str(row.key)), "name")]
    match row.object:
        case Deployment() as deployment:
            return head + _of_deployment(deployment, lookup)
        case Service() as service:
            return head + _of_service(service, lookup, complete)
        case Pod() as pod:
            return head + _of_pod(pod, lookup)
        case Node() as node:
            return head + _of_node(node, lookup)
        case None:
            return head + _of_cells(kind, row)
    return head + _of_any(kind, row, lookup)


def _of_cells(kind: Kind, row: Row) -> list[Part]:
    """What the cells tell of an object that is not known whole."""
    column = kind.column("NODE")
    node = column.cell(row, 0) if column is not None else NONE
    return [Part(f" on {node}")] if node not in ("", NONE) else []


def _of_deployment(deployment: Deployment, lookup: Lookup) -> list[Part]:
    # Some of its pods would be taken for all of them.
    whole = _all_whole(deployments.DEPLOYMENTS, deployment, lookup)
    mine = _pods(deployments.DEPLOYMENTS, deployment, lookup) if whole else []
    if mine:
        parts = [_ARROW, Part(_placed(mine))]
    elif deployment.spec.replicas == 0:
        parts = [_ARROW, Part("scaled to 0", "finished")]
    else:
        parts = [_ARROW, Part(_counted(deployment.status.replicas, "pod"))]
    parts += _callers(mine, lookup)
    if (failing := deployments.failure(deployment)) is not None:
        parts += _remark(failing.message or failing.reason, Tone.FAILED)
    elif deployment.spec.paused:
        parts += _remark("paused: changes wait until it is resumed", Tone.WARNING)
    return parts


def _of_service(service: Service, lookup: Lookup, complete: bool) -> list[Part]:
    if service.spec.type == "ExternalName":
        outside = Part("  a name outside the cluster", "secondary")
        return [_ARROW, Part(clean(service.spec.external_name)), outside]
    address = _address(service)
    parts = [Part(f" {address}")] if address else []
    parts += _balancer(service)
    if service.selector is None:
        return [*parts, _ARROW, Part("selects nothing: no selector", "secondary")]
    mine = _pods(services.SERVICES, service, lookup)
    if not mine:
        if not complete or not _all_whole(services.SERVICES, service, lookup):
            return parts
        return [*parts, _ARROW, Part(clean(f"no pods match {labels_text(service.selector)}"), "failed")]
    unready = sum(1 for pod in mine if pods.health(pod) not in (Tone.GOOD, Tone.FINISHED))
    parts += [_ARROW, Part(_placed(mine))]
    if unready:
        parts.append(Part(f", {unready} not ready", "warning"))
    return parts + _workloads(mine)


def _of_pod(pod: Pod, lookup: Lookup) -> list[Part]:
    parts = []
    if (workload := workload_of(pod)) is not None:
        parts += [_ARROW, Part(clean(f"{workload.kind.lower()} {workload.name}"))]
    if pod.spec.node_name:
        parts.append(Part(clean(f" on {pod.spec.node_name}")))
    parts += _callers([pod], lookup)
    if (wrong := trouble(pod)) is not None:
        parts += _remark(wrong, pods.health(pod))
    return parts


def _of_node(node: Node, lookup: Lookup) -> list[Part]:
    mine = _pods(nodes.NODES, node, lookup)
    count = sum(1 for relation in nodes.NODES.relations for _ in relation.find(node, lookup))
    parts = [_ARROW, Part(_counted(count, "pod"))]
    makers = {workload for pod in mine if (workload := workload_of(pod)) is not None}
    if makers and len(mine) == count:
        parts.append(Part(f" of {_counted(len(makers), 'workload')}"))
    ready, lacking = node.condition("Ready"), nodes.trouble(node)
    if ready is not None and ready.status != "True":
        parts += _remark(ready.message or ready.reason, Tone.FAILED)
    elif lacking is not None:
        parts += _remark(f"{lacking.type}: {lacking.message}", Tone.WARNING)
    if node.spec.unschedulable:
        parts += _remark("cordoned: new pods go elsewhere", Tone.WARNING)
    return parts


def _of_any(kind: Kind, row: Row, lookup: Lookup) -> list[Part]:
    mine = _pods(kind, row.object, lookup)
    parts = [_ARROW, Part(_placed(mine))] if mine else []
    if (owner := row.object.metadata.controller) is not None:
        parts += [_BACK, Part(clean(f"{owner.kind.lower()} {owner.name}"))]
    return parts


def trouble(pod: Pod) -> str | None:
    """Why a pod is not well, in a few words; None when it is, or when it does not say.

    Args:
        pod: any pod; the text is not yet made safe to show.
    """
    tone = pods.health(pod)
    if not tone.unhealthy and tone is not Tone.WORKING:
        return None
    statuses = (*(pod.status.init_container_statuses or ()), *(pod.status.container_statuses or ()))
    for container in statuses:
        if (wrong := _container_trouble(container)) is not None:
            return f"{container.name}: {wrong}" if len(statuses) > 1 else wrong
    if pod.status.message:
        return pod.status.message
    scheduled, ready = pod.condition("PodScheduled"), pod.condition("Ready")
    if scheduled is not None and scheduled.status == "False":
        # What preemption could not do either is one more sentence, and not news.
        return scheduled.message.split(" no new claims")[0].split(" preemption:")[0] or scheduled.reason
    if tone is not Tone.WARNING:
        return None
    unready = [container.name for container in pod.status.container_statuses or () if not container.ready]
    if unready or ready is None:
        return f"not ready: {', '.join(unready)}"
    return ready.message or ready.reason


def _container_trouble(container: pods.ContainerStatus) -> str | None:
    state, before = container.state, container.last_state.terminated
    if state.terminated is not None and state.terminated.exit_code:
        return _ended(state.terminated)
    if state.waiting is None or state.waiting.reason in _STEPS:
        return None
    if before is not None:
        return f"last {_ended(before)}, {_counted(container.restart_count, 'restart')}"
    return state.waiting.message or state.waiting.reason


def _ended(ended: pods.Terminated) -> str:
    text = f"exit code {ended.exit_code}"
    if ended.reason and ended.reason != "Error":
        text = f"{text} ({ended.reason})"
    first_line = ended.message.strip().split("\n", 1)[0]
    return f"{text}: {first_line}" if first_line else text


def _pods(kind: Kind, item: Any, lookup: Lookup) -> list[Pod]:
    found = (row for relation in kind.relations if relation.to == GVR_PODS for row in relation.find(item, lookup))
    return [row.object for row in found if row.object is not None]


def _all_whole(kind: Kind, item: Any, lookup: Lookup) -> bool:
    """Whether all objects are known that may belong to `item`."""
    return all(lookup.whole(wanted) for relation in kind.relations for wanted in relation.wants(item))


def _placed(mine: list[Pod]) -> str:
    """`3 pods on 2 nodes`, `1 pod on worker-0`, `2 pods`."""
    names = {pod.spec.node_name for pod in mine} - {""}
    text = _counted(len(mine), "pod")
    if not names:
        return text
    return f"{text} on {clean(names.pop()) if len(names) == 1 else _counted(len(names), 'node')}"


def _workloads(mine: list[Pod]) -> list[Part]:
    makers = {workload for pod in mine if (workload := workload_of(pod)) is not None}
    if not makers:
        return []
    if len(makers) == 1:
        (maker,) = makers
        return [_BACK, Part(clean(f"{maker.kind.lower()} {maker.name}"))]
    noun = "deployment" if {maker.kind for maker in makers} == {"Deployment"} else "workload"
    return [_BACK, Part(_counted(len(makers), noun))]


def _callers(mine: list[Pod], lookup: Lookup) -> list[Part]:
    """The services that select one of these pods: the only one with its address, or their names."""
    relation = next(relation for relation in PODS.relations if relation.to == GVR_SERVICES)
    rows = {row.key: row for pod in mine for row in relation.find(pod, lookup)}
    if not rows:
        return []
    if len(rows) > 1:
        names = sorted(key.name for key in rows)
        more = f" and {len(names) - 2} more" if len(names) > 2 else ""
        return [_BACK, Part(clean(f"services {', '.join(names[:2])}{more}"))]
    (row,) = rows.values()
    return [_BACK, Part(clean(f"service {row.key.name} {_address(row.object)}").rstrip()), *_balancer(row.object)]


def _address(service: Service) -> str:
    """Where a service answers inside the cluster: `10.96.14.7:80`, `:80` when headless."""
    ip = services.cluster_ip(service)
    ports = ",".join(str(port.port) for port in service.spec.ports or ())
    if ip in ("None", "<none>"):
        return f"headless :{ports}" if ports else "headless"
    return clean(f"{ip}:{ports}" if ports else ip)


def _balancer(service: Service) -> list[Part]:
    if service.spec.type != "LoadBalancer":
        return []
    outside = services.external_ip(service)
    if outside == services.PENDING:
        return [Part("  LoadBalancer "), Part("pending", "working")]
    return [Part(clean(f"  LoadBalancer {outside}"), "secondary")]


def _remark(text: str, tone: Tone) -> Iterable[Part]:
    voice: Any = tone.name.lower()
    return (Part("  "), Part(f"{tone.value} {clean(text.strip())}".strip(), voice))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


_ARROW = Part(" → ", "arrow")
_BACK = Part(" ← ", "arrow")
