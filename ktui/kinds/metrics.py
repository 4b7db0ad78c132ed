"""What metrics.k8s.io measures: CPU and memory of nodes and pods, joined to their tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from ktui.kinds.column import NAME, Column, Join, JoinColumn
from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR_NODE_METRICS, GVR_POD_METRICS, ObjectKey
from ktui.kinds.objects import Object, Struct
from ktui.kinds.quantity import canonical, mebibytes, millicores, quantity

UNKNOWN = "-"
# metrics-server measures every 15 s by default; asking more often shows nothing new.
_POLLED = 15.0


class Usage(Struct):
    """CPU and memory as quantities."""

    cpu: str = ""
    memory: str = ""


class NodeMetrics(Object):
    """metrics.k8s.io/v1beta1 NodeMetrics."""

    window: str = ""
    usage: Usage = Usage()


class ContainerMetrics(Struct):
    """What one container uses."""

    name: str = ""
    usage: Usage = Usage()


class PodMetrics(Object):
    """metrics.k8s.io/v1beta1 PodMetrics."""

    window: str = ""
    containers: tuple[ContainerMetrics, ...] | None = None


def _node_cpu(node: NodeMetrics) -> Decimal | None:
    return quantity(node.usage.cpu)


def _node_memory(node: NodeMetrics) -> Decimal | None:
    return quantity(node.usage.memory)


def _pod_cpu(pod: PodMetrics) -> Decimal | None:
    return sum((quantity(container.usage.cpu) or Decimal(0) for container in pod.containers or ()), Decimal(0))


def _pod_memory(pod: PodMetrics) -> Decimal | None:
    return sum((quantity(container.usage.memory) or Decimal(0) for container in pod.containers or ()), Decimal(0))


def _cores(amount: Decimal | None) -> str:
    return UNKNOWN if amount is None else f"{millicores(amount)}m"


def _mebi(amount: Decimal | None) -> str:
    return UNKNOWN if amount is None else f"{mebibytes(amount)}Mi"


def _number(amount: Decimal | None) -> float:
    return -1.0 if amount is None else float(amount)


def _own_key(metrics: Object) -> ObjectKey:
    return metrics.key


_OF_NODE = Join(gvr=GVR_NODE_METRICS, key_of=_own_key, polled=_POLLED)
_OF_POD = Join(gvr=GVR_POD_METRICS, key_of=_own_key, polled=_POLLED)


def _percent_column(
    name: str, used: Callable[[NodeMetrics], Decimal | None], allocatable: Callable[[Any], str]
) -> JoinColumn:
    def share(node: Any, found: Iterable[NodeMetrics]) -> float:
        metrics = next(iter(found), None)
        amount = used(metrics) if metrics is not None else None
        total = quantity(allocatable(node)) if node is not None else None
        return float(amount / total * 100) if amount is not None and total else -1.0

    def text(node: Any, found: Iterable[NodeMetrics]) -> str:
        percent = share(node, found)
        return UNKNOWN if percent < 0 else f"{int(percent)}%"

    return JoinColumn(name=name, join=_OF_NODE, text_with=text, sort_with=share, right=True)


def _amount_column(
    name: str, used: Callable[[PodMetrics], Decimal | None], printed: Callable[[Decimal | None], str]
) -> JoinColumn:
    def amount(found: Iterable[PodMetrics]) -> Decimal | None:
        metrics = next(iter(found), None)
        return used(metrics) if metrics is not None else None

    return JoinColumn(
        name=name,
        join=_OF_POD,
        text_with=lambda pod, found: printed(amount(found)),
        sort_with=lambda pod, found: _number(amount(found)),
        right=True,
    )


# Of what a node may give to pods, the share that is used: as `kubectl top nodes`.
NODE_CPU = _percent_column("CPU", _node_cpu, lambda node: node.status.allocatable.cpu)
NODE_MEMORY = _percent_column("MEM", _node_memory, lambda node: node.status.allocatable.memory)
POD_CPU = _amount_column("CPU", _pod_cpu, _cores)
POD_MEMORY = _amount_column("MEM", _pod_memory, _mebi)


def _kind_columns(cpu: Callable[[Any], Decimal | None], memory: Callable[[Any], Decimal | None]) -> tuple[Column, ...]:
    # As metrics-server prints them.
    return (
        NAME,
        Column(
            name="CPU",
            text=lambda item: canonical(cpu(item) or Decimal(0), binary=False),
            sort=lambda item: _number(cpu(item)),
            sort_text=lambda text: _number(quantity(text)),
        ),
        Column(
            name="MEMORY",
            text=lambda item: canonical(memory(item) or Decimal(0), binary=True),
            sort=lambda item: _number(memory(item)),
            sort_text=lambda text: _number(quantity(text)),
        ),
        Column(name="WINDOW", text=lambda item: item.window),
    )


NODE_METRICS = Kind(
    gvr=GVR_NODE_METRICS,
    kind="NodeMetrics",
    namespaced=False,
    view=NodeMetrics,
    columns=_kind_columns(_node_cpu, _node_memory),
)

POD_METRICS = Kind(
    gvr=GVR_POD_METRICS,
    kind="PodMetrics",
    namespaced=True,
    view=PodMetrics,
    columns=_kind_columns(_pod_cpu, _pod_memory),
)
