"""The kinds that ktui knows by heart; all others come from `ktui.kinds.generic`."""

from __future__ import annotations

from ktui.kinds.deployments import DEPLOYMENTS
from ktui.kinds.endpoint_slices import ENDPOINT_SLICES
from ktui.kinds.events import EVENTS
from ktui.kinds.kind import Kind
from ktui.kinds.metrics import NODE_METRICS, POD_METRICS
from ktui.kinds.names import GVR
from ktui.kinds.nodes import NODES
from ktui.kinds.pods import PODS
from ktui.kinds.replicasets import REPLICASETS
from ktui.kinds.services import SERVICES

BUILTIN: dict[GVR, Kind] = {
    kind.gvr: kind
    for kind in (
        NODES,
        DEPLOYMENTS,
        SERVICES,
        PODS,
        REPLICASETS,
        ENDPOINT_SLICES,
        EVENTS,
        NODE_METRICS,
        POD_METRICS,
    )
}

# The panes of the home screen, in reading order.
HOME: tuple[Kind, ...] = (NODES, DEPLOYMENTS, SERVICES, PODS)
