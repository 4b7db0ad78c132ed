"""The overview of a service: what `kubectl describe service` says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ktui.kinds.overview.metadata import about, conditions, labels
from ktui.kinds.overview.section import Item, Section, TableRow, at, items_at, lines, pairs_text, scalar, table
from ktui.kinds.tone import Tone


def service_overview(item: Item, now: float, slices: Sequence[Item] = ()) -> list[Section]:
    """The sections of a service.

    Args:
        item: the whole Service.
        now: epoch seconds.
        slices: its whole EndpointSlices.
    """
    spec = at(item, "spec")
    kind = at(spec, "type")
    by_hand = None if kind == "ExternalName" else "none: endpoints are made by hand"
    ingress = [_ingress(found) for found in items_at(item, "status", "loadBalancer", "ingress")]
    pending = kind == "LoadBalancer" and not ingress
    status = Section(
        "Service",
        lines(
            [
                ("Type", kind),
                ("Leads to", at(spec, "externalName")),
                ("Cluster IP", ", ".join(at(spec, "clusterIPs") or [])),
                ("External IPs", ", ".join(at(spec, "externalIPs") or [])),
                ("Load balancer", ", ".join(ingress) or ("pending" if pending else None), _balancer_tone(pending)),
                ("Load balancer class", at(spec, "loadBalancerClass")),
                ("Allowed sources", at(spec, "loadBalancerSourceRanges")),
                ("Selector", ", ".join(pairs_text(at(spec, "selector"))) or by_hand),
                *about(item, now),
                ("IP families", ", ".join(at(spec, "ipFamilies") or []) or None),
                ("IP family policy", at(spec, "ipFamilyPolicy")),
                ("Session affinity", at(spec, "sessionAffinity")),
                ("Internal traffic", at(spec, "internalTrafficPolicy")),
                ("External traffic", at(spec, "externalTrafficPolicy")),
                ("Traffic distribution", at(spec, "trafficDistribution")),
                ("Health check port", at(spec, "healthCheckNodePort")),
                ("Unready addresses", "published too" if at(spec, "publishNotReadyAddresses") else None),
            ]
        ),
    )
    return [status, *_ports(spec), *_endpoints(slices), *conditions(item, now), *labels(item)]


def _balancer_tone(pending: bool) -> Tone:
    return Tone.WORKING if pending else Tone.PLAIN


def _ingress(found: Item) -> str:
    ports = ", ".join(f"{port.get('port')}: {port['error']}" for port in items_at(found, "ports") if port.get("error"))
    address = scalar(found.get("ip") or found.get("hostname"))
    return f"{address} ({ports})" if ports else address


def _ports(spec: Any) -> list[Section]:
    rows = [
        (port.get("name"), port.get("port"), port.get("targetPort"), port.get("nodePort"), port.get("protocol"))
        for port in items_at(spec, "ports")
    ]
    return table("Ports", ("NAME", "PORT", "TARGET", "NODE PORT", "PROTOCOL"), rows)


def _endpoints(slices: Sequence[Item]) -> list[Section]:
    rows = []
    for found in slices:
        ports = ",".join(scalar(port.get("port") or port.get("name")) for port in items_at(found, "ports"))
        for endpoint in items_at(found, "endpoints"):
            ready = at(endpoint, "conditions", "ready") is not False
            leaving = bool(at(endpoint, "conditions", "terminating"))
            state = "terminating" if leaving else "ready" if ready else "not ready"
            tone = Tone.WORKING if leaving else Tone.GOOD if ready else Tone.WARNING
            target = at(endpoint, "targetRef", "name")
            for address in endpoint.get("addresses") or ():
                rows.append(
                    TableRow(
                        (scalar(address), ports or "-", state, scalar(target), scalar(endpoint.get("nodeName"))), tone
                    )
                )
    return table("Endpoints", ("ADDRESS", "PORTS", "STATE", "POD", "NODE"), rows)
