"""Services: how `kubectl get services -o wide` prints them, and how many endpoints answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from ktui.kinds.column import AGE, NAME, Column, JoinColumn, Role
from ktui.kinds.endpoint_slices import OF_SERVICE, EndpointSlice, count
from ktui.kinds.kind import Index, Kind, Trait
from ktui.kinds.names import GVR_PODS, GVR_SERVICES
from ktui.kinds.objects import Object, Struct
from ktui.kinds.relation import Lookup, Relation, Wanted
from ktui.kinds.row import Row
from ktui.kinds.tone import Tone
from ktui.kinds.workload import NONE, labels_text

PENDING = "<pending>"


class ServicePort(Struct):
    """core.ServicePort."""

    port: int = 0
    node_port: int = 0
    protocol: str = "TCP"


class Ingress(Struct):
    """An address that a load balancer gave."""

    ip: str = ""
    hostname: str = ""


class LoadBalancer(Struct):
    """core.LoadBalancerStatus."""

    ingress: tuple[Ingress, ...] | None = None


class ServiceSpec(Struct):
    """core.ServiceSpec."""

    type: str = "ClusterIP"
    cluster_ips: tuple[str, ...] | None = msgspec.field(default=None, name="clusterIPs")
    external_ips: tuple[str, ...] | None = msgspec.field(default=None, name="externalIPs")
    external_name: str = ""
    ports: tuple[ServicePort, ...] | None = None
    selector: dict[str, str] | None = None


class ServiceStatus(Struct):
    """core.ServiceStatus."""

    load_balancer: LoadBalancer = LoadBalancer()


class Service(Object):
    """core/v1 Service."""

    spec: ServiceSpec = ServiceSpec()
    status: ServiceStatus = ServiceStatus()

    @property
    def selector(self) -> dict[str, str] | None:
        """The labels of its pods; None when it selects nothing: without a selector, or only another name."""
        return self.spec.selector if self.spec.selector and self.spec.type != "ExternalName" else None

    def selects(self, labels: dict[str, str] | None) -> bool:
        """Whether a pod of its namespace with `labels` belongs to it; nothing does when it has no selector."""
        selector = self.selector
        return bool(selector) and bool(labels) and selector.items() <= labels.items()  # type: ignore[union-attr]


def load_balancer_addresses(service: Service) -> list[str]:
    """What the load balancer answers under, sorted; empty while it is pending."""
    return sorted({ingress.ip or ingress.hostname for ingress in service.status.load_balancer.ingress or ()} - {""})


def cluster_ip(service: Service) -> str:
    """CLUSTER-IP: the first address, `None` when headless, `<none>` for an ExternalName."""
    return service.spec.cluster_ips[0] if service.spec.cluster_ips else NONE


def external_ip(service: Service) -> str:
    """EXTERNAL-IP, in full, as the server's Table has it."""
    spec = service.spec
    match spec.type:
        case "ClusterIP" | "NodePort":
            return ",".join(spec.external_ips or ()) or NONE
        case "LoadBalancer":
            return ",".join([*load_balancer_addresses(service), *(spec.external_ips or ())]) or PENDING
        case "ExternalName":
            return spec.external_name
    return "<unknown>"


def ports_text(service: Service) -> str:
    """PORT(S): `80/TCP`, `80:31080/TCP`."""
    return ",".join(map(_port, service.spec.ports or ())) or NONE


def _port(port: ServicePort) -> str:
    return f"{port.port}:{port.node_port}/{port.protocol}" if port.node_port else f"{port.port}/{port.protocol}"


def _external_tone(text: str) -> Tone:
    return Tone.WORKING if text == PENDING else Tone.PLAIN


def endpoints_text(service: Service | None, slices: Iterable[EndpointSlice]) -> str:
    """ENDPOINTS: `3` when all are ready, `2/3`, `0/3`; `-` for an ExternalName and where there are none to count."""
    if (found := _count(service, slices)) is None:
        return "-"
    return str(found.ready) if found.ready == found.total else f"{found.ready}/{found.total}"


def endpoints_tone(service: Service | None, slices: Iterable[EndpointSlice]) -> Tone:
    """A Service with a selector but nobody to answer fails whoever calls it."""
    if (found := _count(service, slices)) is None:
        return Tone.PLAIN
    if found.ready == 0:
        return Tone.FAILED if service is None or service.selector else Tone.PLAIN
    return Tone.GOOD if found.ready == found.total else Tone.WORKING


def _count(service: Service | None, slices: Iterable[EndpointSlice]) -> Any:
    return None if service is not None and service.spec.type == "ExternalName" else count(slices)


def _endpoints_order(service: Service | None, slices: Iterable[EndpointSlice]) -> int:
    found = _count(service, slices)
    return -1 if found is None else found.ready


def _by_selector(service: Service) -> Iterable[tuple[str, str, str]]:
    # One label is enough to find the few services that may select a pod.
    selector = service.selector
    return ((service.metadata.namespace, *min(selector.items())),) if selector else ()


def _pods_wanted(service: Service) -> Iterable[Wanted]:
    if not (selector := service.selector):
        return ()
    return (Wanted(GVR_PODS, service.metadata.namespace, labels=labels_text(selector)),)


def _pods(service: Service, lookup: Lookup) -> Iterable[Row]:
    if not (selector := service.selector):
        return
    wanted = selector.items()
    for row in lookup.indexed(GVR_PODS, "namespace", service.metadata.namespace):
        if (labels := row.object.metadata.labels) and wanted <= labels.items():
            yield row


SERVICES = Kind(
    gvr=GVR_SERVICES,
    kind="Service",
    namespaced=True,
    view=Service,
    short=("svc",),
    columns=(
        NAME,
        Column(name="TYPE", text=lambda service: service.spec.type),
        Column(name="CLUSTER-IP", text=cluster_ip, role=Role.SECONDARY),
        Column(
            name="EXTERNAL-IP",
            text=external_ip,
            tone=lambda service: _external_tone(external_ip(service)),
            tone_of_text=_external_tone,
            role=Role.SECONDARY,
        ),
        Column(name="PORT(S)", text=ports_text),
        JoinColumn(
            name="ENDPOINTS",
            join=OF_SERVICE,
            text_with=endpoints_text,
            sort_with=_endpoints_order,
            tone_with=endpoints_tone,
            right=True,
        ),
        AGE,
        Column(
            name="SELECTOR", text=lambda service: labels_text(service.spec.selector), wide=True, role=Role.SECONDARY
        ),
    ),
    indexes={"selector": Index(_by_selector)},
    relations=(Relation(to=GVR_PODS, find=_pods, wants=_pods_wanted),),
    traits=Trait.EXPOSABLE,
)
