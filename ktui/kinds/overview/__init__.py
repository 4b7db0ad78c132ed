"""What an object says about itself, arranged for reading: `kubectl describe` as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ktui.kinds.overview.generic import generic_overview
from ktui.kinds.overview.nodes import node_overview
from ktui.kinds.overview.pods import pod_overview
from ktui.kinds.overview.section import Item, Line, Section, Table, TableRow, cleaned
from ktui.kinds.overview.services import service_overview
from ktui.kinds.overview.workloads import deployment_overview

__all__ = ["Item", "Line", "Section", "Table", "TableRow", "overview"]

_NOTHING: Mapping[str, Sequence[Item]] = {}


def overview(kind_name: str, item: Item, now: float, beside: Mapping[str, Sequence[Item]] = _NOTHING) -> list[Section]:
    """The sections about an object, every text safe to show.

    Args:
        kind_name: its kind, as manifests name it; kinds that are not known get what can be said of any object.
        item: the whole object, as decoded from JSON.
        now: epoch seconds, for ages.
        beside: whole objects of other kinds that complete it, by kind, where they are known: `ReplicaSet` for a
            Deployment, `EndpointSlice` for a Service, `Pod` for a Node.
    """
    sections = _sections(kind_name, item, now, beside)
    return [cleaned(section) for section in sections if section.lines or section.table]


def _sections(kind_name: str, item: Item, now: float, beside: Mapping[str, Sequence[Item]]) -> list[Section]:
    # A custom resource may be called Pod as well; its group tells. An item of a list carries no apiVersion.
    match kind_name, item.get("apiVersion"):
        case "Pod", "v1" | None:
            return pod_overview(item, now)
        case "Node", "v1" | None:
            return node_overview(item, now, beside.get("Pod", ()))
        case "Service", "v1" | None:
            return service_overview(item, now, beside.get("EndpointSlice", ()))
        case "Deployment", "apps/v1" | None:
            return deployment_overview(item, now, beside.get("ReplicaSet", ()))
    return generic_overview(item, now)
