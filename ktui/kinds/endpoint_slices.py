"""EndpointSlices: which addresses answer for a Service."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from ktui.kinds.column import AGE, NAME, Column, Join, Role
from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR_ENDPOINT_SLICES, ObjectKey
from ktui.kinds.objects import Object, Struct

SERVICE_NAME = "kubernetes.io/service-name"
_SHOWN = 3


class EndpointConditions(Struct):
    """discovery.EndpointConditions; what is not said counts as ready and not terminating."""

    ready: bool | None = None
    terminating: bool | None = None


class Endpoint(Struct):
    """discovery.Endpoint."""

    addresses: tuple[str, ...] | None = None
    conditions: EndpointConditions = EndpointConditions()


class EndpointPort(Struct):
    """discovery.EndpointPort."""

    name: str | None = None
    port: int | None = None


class EndpointSlice(Object):
    """discovery.k8s.io/v1 EndpointSlice."""

    address_type: str = ""
    endpoints: tuple[Endpoint, ...] | None = None
    ports: tuple[EndpointPort, ...] | None = None


class Count(NamedTuple):
    """How many endpoints answer, of how many that should."""

    ready: int
    total: int


def count(slices: Iterable[EndpointSlice]) -> Count | None:
    """How many endpoints of a Service are ready; None when it has no slice at all.

    A dual-stack Service has each pod in a slice of each family, so the larger family counts. Endpoints that terminate
    are on their way out and count only while they still answer.

    Args:
        slices: all slices of one Service.
    """
    families: dict[str, list[int]] = {}
    for found in slices:
        family = families.setdefault(found.address_type, [0, 0])
        for endpoint in found.endpoints or ():
            answers = endpoint.conditions.ready is not False
            family[0] += answers
            family[1] += answers or not endpoint.conditions.terminating
    if not families:
        return None
    ready, total = max(families.values(), key=lambda family: (family[1], family[0]))
    return Count(ready, total)


def _service_key(found: Any) -> ObjectKey:
    return ObjectKey(found.metadata.namespace, (found.metadata.labels or {}).get(SERVICE_NAME, ""))


OF_SERVICE = Join(gvr=GVR_ENDPOINT_SLICES, key_of=_service_key)


def _ports(found: EndpointSlice) -> str:
    return _first_few(["*" if _number(port) is None else str(_number(port)) for port in found.ports or ()])


def _number(port: EndpointPort) -> int | str | None:
    return port.port if port.port is not None else port.name


def _addresses(found: EndpointSlice) -> str:
    return _first_few([address for endpoint in found.endpoints or () for address in endpoint.addresses or ()])


def _first_few(values: list[str]) -> str:
    # listWithMoreString in kubernetes/pkg/printers/internalversion/printers.go.
    if not values:
        return "<unset>"
    text = ",".join(values[:_SHOWN])
    return f"{text} + {len(values) - _SHOWN} more..." if len(values) > _SHOWN else text


ENDPOINT_SLICES = Kind(
    gvr=GVR_ENDPOINT_SLICES,
    kind="EndpointSlice",
    namespaced=True,
    view=EndpointSlice,
    columns=(
        NAME,
        Column(name="ADDRESSTYPE", text=lambda found: found.address_type),
        Column(name="PORTS", text=_ports),
        Column(name="ENDPOINTS", text=_addresses, role=Role.SECONDARY),
        AGE,
    ),
)
