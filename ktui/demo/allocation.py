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
_ADDRESS_FIELDS = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")
_WITH_NODE_PORTS = ("NodePort", "LoadBalancer")
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
        return
    _address(service, others, (before or {}).get("spec") or {})
    # A headless service without a selector may stand for addresses of any family.
    both = spec["clusterIP"] == "None" and not spec.get("selector")
    spec.setdefault("ipFamilies", ["IPv4", "IPv6"] if both else ["IPv4"])
    spec.setdefault("ipFamilyPolicy", "RequireDualStack" if both else "SingleStack")
    if spec["type"] in _WITH_NODE_PORTS:
        _node_ports(service, others, (before or {}).get("spec") or {})


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
        given = set(_numbers([have.get("ports")]))
        for port in spec.get("ports") or ():
            if port.get("nodePort") in given:
                del port["nodePort"]
        spec.pop("externalTrafficPolicy", None)
    if was == "LoadBalancer" and kind != "LoadBalancer":
        spec.pop("allocateLoadBalancerNodePorts", None)


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
    had = {(port.get("protocol"), port["port"]): port.get("nodePort") for port in before.get("ports") or ()}
    ports = spec.get("ports") or ()
    for index, port in enumerate(ports):
        asked = port.get("nodePort") or had.get((port.get("protocol"), port["port"]))
        if asked:
            _check_node_port(service, index, asked, taken)
            port["nodePort"] = asked
            taken.add(asked)
    for port in ports:
        if not port.get("nodePort"):
            port["nodePort"] = next(number for number in _free_node_ports() if number not in taken)
            taken.add(port["nodePort"])


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
