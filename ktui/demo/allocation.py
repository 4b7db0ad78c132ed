"""Addresses and node ports of services.

As kubernetes.io/docs/concepts/services-networking/cluster-ip-allocation says: the lower band of both ranges is kept for
those who ask for a number, and only used for others when the upper band is full.
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
_KEPT_ADDRESSES = 256
_KEPT_NODE_PORTS = 86
_FIRST_ADDRESS = int(SERVICE_NETWORK.network_address)


def allocate(storage: Storage, service: Object, before: Object | None = None) -> None:
    """Gives a service the addresses and node ports its type needs, and takes what it needs no more; in place.

    Args:
        storage: the other services.
        service: the service, with defaults; it must not be the stored one.
        before: the service as it was, None when it is new.

    Raises:
        StatusError: 422 when a number asked for is taken or out of range.
    """
    spec = service["spec"]
    others = [
        other["spec"]
        for other in storage.list("services")
        if (other["metadata"]["namespace"], other["metadata"]["name"])
        != (service["metadata"]["namespace"], service["metadata"].get("name"))
    ]
    if spec["type"] == "ExternalName":
        _release(spec)
        return
    _address(service, others, (before or {}).get("spec") or {})
    # A headless service without a selector may stand for addresses of any family.
    both = spec["clusterIP"] == "None" and not spec.get("selector")
    spec.setdefault("ipFamilies", ["IPv4", "IPv6"] if both else ["IPv4"])
    spec.setdefault("ipFamilyPolicy", "RequireDualStack" if both else "SingleStack")
    if spec["type"] in ("NodePort", "LoadBalancer"):
        _node_ports(service, others, (before or {}).get("spec") or {})
    elif before is not None:
        _release_node_ports(spec, before["spec"])


def _release(spec: Object) -> None:
    for field in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"):
        spec.pop(field, None)
    for port in spec.get("ports") or ():
        port.pop("nodePort", None)


def _release_node_ports(spec: Object, before: Object) -> None:
    """Drops node ports that were only there because the type wanted them, as when NodePort becomes ClusterIP."""
    if before.get("type") not in ("NodePort", "LoadBalancer"):
        return
    given = {port.get("nodePort") for port in before.get("ports") or ()}
    for port in spec.get("ports") or ():
        if port.get("nodePort") in given:
            port.pop("nodePort", None)
    for field in ("externalTrafficPolicy", "allocateLoadBalancerNodePorts", "healthCheckNodePort"):
        spec.pop(field, None)


def _address(service: Object, others: list[Object], before: Object) -> None:
    spec = service["spec"]
    asked = spec.get("clusterIP") or next(iter(spec.get("clusterIPs") or ()), "") or before.get("clusterIP", "")
    if not asked:
        taken = {other.get("clusterIP") for other in others}
        asked = next(_free_addresses(taken))
    elif asked not in ("None", before.get("clusterIP")):
        _check_address(service, asked, others)
    spec["clusterIP"], spec["clusterIPs"] = asked, [asked]


def _free_addresses(taken: set[Any]) -> Iterator[str]:
    # A fixed stride visits every address of the band once and makes neighbours look unalike, as random ones do.
    size = SERVICE_NETWORK.num_addresses - _KEPT_ADDRESSES - 1
    for step in range(1, size):
        address = str(ipaddress.ip_address(_FIRST_ADDRESS + _KEPT_ADDRESSES + step * 48_611 % size))
        if address not in taken:
            yield address


def _check_address(service: Object, asked: str, others: list[Object]) -> None:
    field, value = "spec.clusterIPs", [asked]
    try:
        address = ipaddress.ip_address(asked)
    except ValueError:
        return  # validation says what is wrong with it
    problem = f"failed to allocate IP {asked}: "
    if address not in SERVICE_NETWORK:
        _refuse(service, [bad_value(field, value, problem + "the provided network does not match the current range")])
    if any(other.get("clusterIP") == asked for other in others):
        _refuse(service, [bad_value(field, value, problem + "provided IP is already allocated")])


def _node_ports(service: Object, others: list[Object], before: Object) -> None:
    spec = service["spec"]
    if spec["type"] == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is False:
        return
    taken = set(_numbers(other.get("ports") for other in others))
    had = {port.get("name", ""): port.get("nodePort") for port in before.get("ports") or ()}
    for index, port in enumerate(spec.get("ports") or ()):
        asked = port.get("nodePort") or had.get(port.get("name", ""))
        if asked:
            _check_node_port(service, index, asked, taken)
        else:
            asked = next(number for number in _free_node_ports() if number not in taken)
        port["nodePort"] = asked
        taken.add(asked)


def _numbers(lists: Iterable[list[Object] | None]) -> Iterator[int]:
    for ports in lists:
        for port in ports or ():
            if port.get("nodePort"):
                yield port["nodePort"]


def _free_node_ports() -> Iterator[int]:
    size = len(NODE_PORTS) - _KEPT_NODE_PORTS
    for step in range(1, size + 1):
        yield NODE_PORTS[_KEPT_NODE_PORTS + step * 739 % size]
    yield from NODE_PORTS[:_KEPT_NODE_PORTS]


def _check_node_port(service: Object, index: int, asked: int, taken: set[int]) -> None:
    field = f"spec.ports[{index}].nodePort"
    if asked not in NODE_PORTS:
        why = "provided port is not in the valid range. The range of valid ports is 30000-32767"
        _refuse(service, [bad_value(field, asked, why)])
    if asked in taken:
        _refuse(service, [bad_value(field, asked, "provided port is already allocated")])


def _refuse(service: Object, causes: list[Cause]) -> NoReturn:
    raise invalid("Service", service["metadata"].get("name", ""), causes)
