"""Nodes: how `kubectl get nodes -o wide` prints them, and how well they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ktui.kinds.column import AGE, NAME, Column, Role
from ktui.kinds.kind import Kind, Trait
from ktui.kinds.metrics import NODE_CPU, NODE_MEMORY
from ktui.kinds.names import GVR_NODES, GVR_PODS
from ktui.kinds.objects import Condition, Object, Struct
from ktui.kinds.relation import Lookup, Relation, Wanted
from ktui.kinds.row import Row
from ktui.kinds.tone import Tone
from ktui.kinds.workload import NONE

_ROLE_PREFIX = "node-role.kubernetes.io/"
_ROLE_LABEL = "kubernetes.io/role"


class Address(Struct):
    """core.NodeAddress."""

    type: str = ""
    address: str = ""


class Allocatable(Struct):
    """What pods may use, as quantities."""

    cpu: str = ""
    memory: str = ""


class NodeSystem(Struct):
    """core.NodeSystemInfo."""

    kubelet_version: str = ""
    os_image: str = ""
    kernel_version: str = ""
    container_runtime_version: str = ""
    architecture: str = ""


class NodeSpec(Struct):
    """core.NodeSpec."""

    unschedulable: bool = False


class NodeStatus(Struct):
    """core.NodeStatus, without images."""

    conditions: tuple[Condition, ...] | None = None
    addresses: tuple[Address, ...] | None = None
    allocatable: Allocatable = Allocatable()
    node_info: NodeSystem = NodeSystem()


class Node(Object):
    """core/v1 Node."""

    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()

    def condition(self, kind: str) -> Condition | None:
        """The condition of type `kind`, if the node has it."""
        return next((condition for condition in self.status.conditions or () if condition.type == kind), None)


def status_text(node: Node) -> str:
    """STATUS: `Ready`, `NotReady`, `Ready,SchedulingDisabled`, `Unknown`."""
    ready = node.condition("Ready")
    status = "Unknown" if ready is None else "Ready" if ready.status == "True" else "NotReady"
    return f"{status},SchedulingDisabled" if node.spec.unschedulable else status


def roles_text(node: Node) -> str:
    """ROLES: from the labels `node-role.kubernetes.io/<role>` and `kubernetes.io/role`."""
    roles = set()
    for label, value in (node.metadata.labels or {}).items():
        if label.startswith(_ROLE_PREFIX):
            roles.add(label.removeprefix(_ROLE_PREFIX))
        elif label == _ROLE_LABEL:
            roles.add(value)
    return ",".join(sorted(roles - {""})) or NONE


def trouble(node: Node) -> Condition | None:
    """The condition, other than Ready, that says that the node lacks something: memory, disk, processes, a network."""
    for condition in node.status.conditions or ():
        if condition.status == "True" and (
            condition.type.endswith("Pressure") or condition.type == "NetworkUnavailable"
        ):
            return condition
    return None


def health(node: Node) -> Tone:
    """How well a node is."""
    tone = tone_of_status(status_text(node))
    return Tone.WARNING if tone is Tone.GOOD and trouble(node) is not None else tone


def tone_of_status(status: str) -> Tone:
    """How well a node with this STATUS is."""
    ready, _, scheduling = status.partition(",")
    match ready:
        case "NotReady":
            return Tone.FAILED
        case "Ready":
            return Tone.WARNING if scheduling else Tone.GOOD
    return Tone.UNKNOWN


def _address(kind: str) -> Callable[[Node], str]:
    return lambda node: next((found.address for found in node.status.addresses or () if found.type == kind), NONE)


def _kernel(node: Node) -> str:
    system = node.status.node_info
    kernel = system.kernel_version or "<unknown>"
    return f"{kernel} ({system.architecture})" if system.architecture else kernel


def _pods_wanted(node: Node) -> Iterable[Wanted]:
    # Which they are, their cells tell; whose they are, only they themselves.
    return (Wanted(GVR_PODS, "", fields=f"spec.nodeName={node.metadata.name}"),)


def _pods(node: Node, lookup: Lookup) -> Iterable[Row]:
    return lookup.indexed(GVR_PODS, "node", node.metadata.name)


NODES = Kind(
    gvr=GVR_NODES,
    kind="Node",
    namespaced=False,
    view=Node,
    short=("no",),
    columns=(
        NAME,
        Column(name="STATUS", text=status_text, tone=health, tone_of_text=tone_of_status),
        Column(name="ROLES", text=roles_text, role=Role.SECONDARY),
        NODE_CPU,
        NODE_MEMORY,
        AGE,
        Column(name="VERSION", text=lambda node: node.status.node_info.kubelet_version, role=Role.SECONDARY),
        Column(name="INTERNAL-IP", text=_address("InternalIP"), wide=True, role=Role.SECONDARY),
        Column(name="EXTERNAL-IP", text=_address("ExternalIP"), wide=True, role=Role.SECONDARY),
        Column(
            name="OS-IMAGE",
            text=lambda node: node.status.node_info.os_image or "<unknown>",
            wide=True,
            role=Role.SECONDARY,
        ),
        Column(name="KERNEL-VERSION", text=_kernel, wide=True, role=Role.SECONDARY),
        Column(
            name="CONTAINER-RUNTIME",
            text=lambda node: node.status.node_info.container_runtime_version or "<unknown>",
            wide=True,
            role=Role.SECONDARY,
        ),
    ),
    health=health,
    relations=(Relation(to=GVR_PODS, find=_pods, wants=_pods_wanted),),
    traits=Trait.DRAINABLE,
)
