"""Rules for network policies: kubernetes `pkg/apis/networking/validation`."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

from ktui.demo.errors import Cause, bad_value, forbidden_field, required, unsupported
from ktui.demo.names import port_name_problems
from ktui.demo.validation.placement import selector_causes

Object = dict[str, Any]

_PROTOCOLS = ("TCP", "UDP", "SCTP")
_TYPES = ("Ingress", "Egress")


def network_policy_causes(obj: Object) -> Iterator[Cause]:
    """What is wrong with a NetworkPolicy."""
    spec = obj.get("spec") or {}
    yield from selector_causes(spec.get("podSelector"), "spec.podSelector")
    for way, others in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(spec.get(way) or ()):
            field = f"spec.{way}[{index}]"
            for at, port in enumerate(rule.get("ports") or ()):
                yield from _port(port, f"{field}.ports[{at}]")
            for at, peer in enumerate(rule.get(others) or ()):
                yield from _peer(peer, f"{field}.{others}[{at}]")
    for index, kind in enumerate(spec.get("policyTypes") or ()):
        if kind not in _TYPES:
            yield unsupported(f"spec.policyTypes[{index}]", kind, _TYPES)


def _port(port: Object, field: str) -> Iterator[Cause]:
    protocol, number = port.get("protocol"), port.get("port")
    if protocol is not None and protocol not in _PROTOCOLS:
        yield unsupported(f"{field}.protocol", protocol, _PROTOCOLS)
    if isinstance(number, int) and not 1 <= number <= 65535:
        yield bad_value(f"{field}.port", number, "must be between 1 and 65535, inclusive")
    elif isinstance(number, str):
        yield from (bad_value(f"{field}.port", number, problem) for problem in port_name_problems(number))


def _peer(peer: Object, field: str) -> Iterator[Cause]:
    chosen = [kind for kind in ("podSelector", "namespaceSelector", "ipBlock") if peer.get(kind) is not None]
    for kind in ("podSelector", "namespaceSelector"):
        yield from selector_causes(peer.get(kind), f"{field}.{kind}")
    if (block := peer.get("ipBlock")) is not None:
        yield from _range(block.get("cidr", ""), f"{field}.ipBlock.cidr")
        for index, cidr in enumerate(block.get("except") or ()):
            yield from _range(cidr, f"{field}.ipBlock.except[{index}]")
    if not chosen:
        yield required(field, "must specify a peer")
    elif "ipBlock" in chosen and len(chosen) > 1:
        yield forbidden_field(field, "may not specify both ipBlock and another peer")


def _range(cidr: str, field: str) -> Iterator[Cause]:
    if not cidr:
        yield required(field)
        return
    try:
        fits = "/" in cidr and ip_network(cidr, strict=False) is not None
    except ValueError:
        fits = False
    if not fits:
        yield bad_value(field, cidr, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")
