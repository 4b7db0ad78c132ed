"""The overview of a node: what `kubectl describe node` says."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from ktui.kinds.nodes import Node, health, roles_text, status_text
from ktui.kinds.overview.metadata import about, conditions, labels
from ktui.kinds.overview.section import Item, Section, at, items_at, lines, scalar, table
from ktui.kinds.quantity import canonical, quantity

_BINARY = ("memory", "ephemeral-storage")


def node_overview(item: Item, now: float, pods: Sequence[Item] = ()) -> list[Section]:
    """The sections of a node.

    Args:
        item: the whole Node.
        now: epoch seconds.
        pods: the whole Pods that run on it, for the sums of what they request.
    """
    node = msgspec.convert(item, Node)
    spec = at(item, "spec")
    system = at(item, "status", "nodeInfo")
    status = Section(
        "Node",
        lines(
            [
                ("Status", status_text(node), health(node)),
                ("Roles", roles_text(node)),
                *about(item, now),
                ("Taints", [_taint(taint) for taint in items_at(spec, "taints")]),
                ("Pod CIDRs", at(spec, "podCIDRs")),
                ("Provider", at(spec, "providerID")),
            ]
        ),
        tone=health(node),
    )
    addresses = Section(
        "Addresses",
        lines((scalar(found.get("type")), found.get("address")) for found in items_at(item, "status", "addresses")),
    )
    about_system = Section(
        "System",
        lines(
            [
                ("OS image", at(system, "osImage")),
                ("Kernel", at(system, "kernelVersion")),
                ("Platform", f"{at(system, 'operatingSystem')}/{at(system, 'architecture')}"),
                ("Container runtime", at(system, "containerRuntimeVersion")),
                ("Kubelet", at(system, "kubeletVersion")),
                ("Machine", at(system, "machineID")),
            ]
        ),
    )
    return [status, *conditions(item, now), *_resources(item, pods), addresses, about_system, *labels(item)]


def _taint(taint: Item) -> str:
    value = f"={taint['value']}" if taint.get("value") else ""
    return f"{taint.get('key')}{value}:{taint.get('effect')}"


def _resources(item: Item, pods: Sequence[Item]) -> list[Section]:
    capacity, allocatable = at(item, "status", "capacity") or {}, at(item, "status", "allocatable") or {}
    names = [*capacity, *(name for name in allocatable if name not in capacity)]
    header = ["RESOURCE", "CAPACITY", "ALLOCATABLE"]
    rows: list[list[Any]] = [[name, capacity.get(name), allocatable.get(name)] for name in names]
    if pods:
        header += ["REQUESTED", "LIMITS"]
        counted = [pod for pod in pods if at(pod, "status", "phase") not in ("Succeeded", "Failed")]
        for row in rows:
            total = quantity(scalar(row[2]))
            row += [_share(_requested(counted, row[0], which), total, row[0]) for which in ("requests", "limits")]
            if row[0] == "pods":
                row[3], row[4] = len(counted), None
    return table("Resources", header, rows)


def _requested(pods: Sequence[Item], name: str, which: str) -> Decimal:
    return sum((_pod_total(pod, name, which) for pod in pods), Decimal(0))


def _pod_total(pod: Item, name: str, which: str) -> Decimal:
    """What the scheduler counts for a pod: all its containers and sidecars, or the largest step of its start.

    Source: https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers
    """
    running = sum((_amount(container, name, which) for container in items_at(pod, "spec", "containers")), Decimal(0))
    sidecars = largest = Decimal(0)
    for container in items_at(pod, "spec", "initContainers"):
        amount = _amount(container, name, which)
        if container.get("restartPolicy") == "Always":
            sidecars += amount
            largest = max(largest, sidecars)
        else:
            largest = max(largest, sidecars + amount)
    overhead = quantity(scalar(at(pod, "spec", "overhead", name))) or Decimal(0)
    return max(running + sidecars, largest) + overhead


def _amount(container: Item, name: str, which: str) -> Decimal:
    return quantity(scalar(at(container, "resources", which, name))) or Decimal(0)


def _share(amount: Decimal, total: Decimal | None, name: str) -> str:
    text = canonical(amount, binary=name in _BINARY or name.startswith("hugepages-"))
    return f"{text} ({int(amount / total * 100)}%)" if total else text
