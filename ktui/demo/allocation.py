"""Addresses and node ports of services.

As kubernetes.io/docs/concepts/services-networking/cluster-ip-allocation says: the lower band of both ranges is kept for
those who ask for a number, and only used for others when the upper band is full.

A dry run gives numbers that no service can have, and does not ask whether a wanted one is free, since upstream's
allocators could only find out by allocating (k8s.io/kubernetes pkg/registry/core/service/ipallocator, `DryRun`).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

from ktui.demo.errors import Cause, bad_value, invalid
from ktui.demo.storage import Storage

Object = dict[str, Any]

SERVICE_NETWORK = ipaddress.ip_network("10.96.0.0/12")
NODE_PORTS = range(30000, 32768)
_ADDRESS_FIELDS = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")
_WITH_NODE_PORTS = ("NodePort", "LoadBalancer")
_KEPT_ADDRESSES = 256
_KEPT_NODE_PORTS = 86
_FIRST_ADDRESS = int(SERVICE_NETWORK.network_address)
_IMAGINED_ADDRESS = str(SERVICE_NETWORK.network_address)
_FIRST_IMAGINED_PORT = 32769


def allocate(storage: Storage, service: Object, before: Object | None = None, *, dry_run: bool = False) -> None:
    """Gives a service the addresses and node ports its type needs, and takes what it needs no more; in place.

    Args:
        storage: the other services.
        service: the service, with defaults; it must not be the stored one.
        before: the service as it was, None when it is new.
        dry_run: whether the service will not be stored.

    Raises:
        StatusError: 422 when a number asked for is taken or out of range.
    """
    spec = service["spec"]
    if spec["type"] == "ExternalName":
        return
    have = (before or {}).get("spec") or {}
    if dry_run:
        _imagine_address(service, have)
    else:
        others = [
            other["spec"]
            for other in storage.list("services")
            if (other["metadata"]["namespace"], other["metadata"]["name"])
            != (service["metadata"]["namespace"], service["metadata"].get("name"))
        ]
        _address(service, others, have)
    spec["clusterIPs"] = [spec["clusterIP"]]
    # A headless service without a selector may stand for addresses of any family.
    both = spec["clusterIP"] == "None" and not spec.get("selector")
    spec.setdefault("ipFamilies", ["IPv4", "IPv6"] if both else ["IPv4"])
    spec.setdefault("ipFamilyPolicy", "RequireDualStack" if both else "SingleStack")
    if spec["type"] not in _WITH_NODE_PORTS:
        return
    if dry_run:
        _node_ports(service, None, have)
    else:
        _node_ports(service, set(_numbers(others)), have)


def settle(service: Object, before: Object) -> None:
    """Keeps what was allocated when an update leaves it out, and drops what a changed type needs no more; in place.

    Args:
        service: the new state, with defaults.
        before: the stored state.
    """
    spec, have = service["spec"], before["spec"]
    kind, was = spec["type"], have.get("type", "ClusterIP")
    if "ExternalName" not in (kind, was):
        for field in _ADDRESS_FIELDS:
            if not spec.get(field) and have.get(field):
                spec[field] = have[field]
    elif kind == "ExternalName" and spec.get("clusterIP") == have.get("clusterIP"):
        for field in (*_ADDRESS_FIELDS, "internalTrafficPolicy"):
            spec.pop(field, None)
    if was in _WITH_NODE_PORTS and kind not in _WITH_NODE_PORTS:
        given = set(_numbers([have]))
        for port in spec.get("ports") or ():
            if port.get("nodePort") in given:
                del port["nodePort"]
        spec.pop("externalTrafficPolicy", None)
    if spec.get("healthCheckNodePort") == have.get("healthCheckNodePort") and not _checks_health(spec):
        spec.pop("healthCheckNodePort", None)
    if was == "LoadBalancer" and kind != "LoadBalancer":
        spec.pop("allocateLoadBalancerNodePorts", None)


def _asked_address(spec: Object, before: Object) -> str:
    asked = spec.get("clusterIP") or next(iter(spec.get("clusterIPs") or ()), "") or before.get("clusterIP", "")
    return str(asked)


def _address(service: Object, others: list[Object], before: Object) -> None:
    asked = _asked_address(service["spec"], before)
    if not asked:
        taken = {other.get("clusterIP") for other in others}
        asked = next(_free_addresses(taken))
    elif asked not in ("None", before.get("clusterIP")):
        _check_address(service, asked, others)
    service["spec"]["clusterIP"] = asked


def _imagine_address(service: Object, before: Object) -> None:
    asked = _asked_address(service["spec"], before)
    if asked not in ("", "None") and _is_foreign(asked):
        why = f"the provided IP ({asked}) is not in the valid range. The range of valid IPs is {SERVICE_NETWORK}"
        _refuse(service, [_bad_address(asked, why)])
    service["spec"]["clusterIP"] = asked or _IMAGINED_ADDRESS


def _free_addresses(taken: set[Any]) -> Iterator[str]:
    # A fixed stride visits every address of the band once and makes neighbours look unalike, as random ones do.
    size = SERVICE_NETWORK.num_addresses - _KEPT_ADDRESSES - 1
    for step in range(1, size):
        address = str(ipaddress.ip_address(_FIRST_ADDRESS + _KEPT_ADDRESSES + step * 48_611 % size))
        if address not in taken:
            yield address


def _is_foreign(text: str) -> bool:
    return ipaddress.ip_address(text) not in SERVICE_NETWORK


def _bad_address(asked: str, why: str) -> Cause:
    return bad_value("spec.clusterIPs", [asked], f"failed to allocate IP {asked}: {why}")


def _check_address(service: Object, asked: str, others: list[Object]) -> None:
    if _is_foreign(asked):
        _refuse(service, [_bad_address(asked, "the provided network does not match the current range")])
    if any(other.get("clusterIP") == asked for other in others):
        _refuse(service, [_bad_address(asked, "provided IP is already allocated")])


def _node_ports(service: Object, taken: set[int] | None, before: Object) -> None:
    """Numbers what needs a node port; `taken` is None for a dry run, which takes any wanted number."""
    spec = service["spec"]
    had = {(port.get("protocol"), port["port"]): port.get("nodePort") for port in before.get("ports") or ()}
    ports = spec.get("ports") or ()
    wanted = spec["type"] != "LoadBalancer" or spec.get("allocateLoadBalancerNodePorts") is not False
    for index, port in enumerate(ports):
        asked = port.get("nodePort") or (had.get((port.get("protocol"), port["port"])) if wanted else None)
        if asked:
            if taken is not None:
                _check_node_port(service, f"spec.ports[{index}].nodePort", asked, taken)
                taken.add(asked)
            port["nodePort"] = asked
    numbers = iter(range(_FIRST_IMAGINED_PORT, 65536)) if taken is None else _free_node_ports(taken)
    for port in ports if wanted else ():
        if not port.get("nodePort"):
            port["nodePort"] = next(numbers)
    if _checks_health(spec) and not spec.get("healthCheckNodePort"):
        spec["healthCheckNodePort"] = before.get("healthCheckNodePort") or next(numbers)


def _checks_health(spec: Object) -> bool:
    """Whether a load balancer asks each node if it has a pod: then that has a port, too."""
    return spec["type"] == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def _numbers(specs: Iterable[Object]) -> Iterator[int]:
    for spec in specs:
        for port in (*(spec.get("ports") or ()), {"nodePort": spec.get("healthCheckNodePort")}):
            if port.get("nodePort"):
                yield port["nodePort"]


def _free_node_ports(taken: set[int]) -> Iterator[int]:
    size = len(NODE_PORTS) - _KEPT_NODE_PORTS
    upper = (NODE_PORTS[_KEPT_NODE_PORTS + step * 739 % size] for step in range(1, size + 1))
    for number in (*upper, *NODE_PORTS[:_KEPT_NODE_PORTS]):
        if number not in taken:
            taken.add(number)
            yield number


def _check_node_port(service: Object, field: str, asked: int, taken: set[int]) -> None:
    if asked not in NODE_PORTS:
        why = "provided port is not in the valid range. The range of valid ports is 30000-32767"
        _refuse(service, [bad_value(field, asked, why)])
    if asked in taken:
        _refuse(service, [bad_value(field, asked, "provided port is already allocated")])


def _refuse(service: Object, causes: list[Cause]) -> NoReturn:
    raise invalid("Service", service["metadata"].get("name", ""), causes)
