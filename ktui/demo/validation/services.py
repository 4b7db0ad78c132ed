"""Rules for services and ingresses: kubernetes `pkg/apis/core/validation` and `pkg/apis/networking/validation`."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from ktui.demo.errors import Cause, bad_value, duplicate, forbidden_field, required, unsupported
from ktui.demo.names import label_causes, label_problems, port_name_problems, subdomain_problems

Object = dict[str, Any]

_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_AFFINITIES = ("ClientIP", "None")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
_PORT_RANGE = "must be between 1 and 65535, inclusive"
_TRAFFIC = ("Cluster", "Local")
_ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")
_NETWORK_RULE = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
_LONGEST_AFFINITY = 86400
_ADDRESS_RULE = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"


def service_causes(obj: Object) -> Iterator[Cause]:
    """What is wrong with a Service."""
    spec = obj["spec"]
    kind = spec.get("type")
    ports = spec.get("ports") or []
    headless = _address(spec) == "None"
    if not ports and not headless and kind != "ExternalName":
        yield required("spec.ports")
    if kind in ("NodePort", "LoadBalancer") and headless:
        yield bad_value("spec.clusterIPs[0]", "None", f"may not be set to 'None' for {kind} services")
    if kind == "ExternalName":
        yield from _external_name(spec)
    for index, port in enumerate(ports):
        yield from _port(port, f"spec.ports[{index}]", named=len(ports) > 1, others=ports[:index])
    yield from label_causes(spec.get("selector"), "spec.selector")
    if spec.get("sessionAffinity") not in _AFFINITIES:
        yield unsupported("spec.sessionAffinity", spec.get("sessionAffinity"), _AFFINITIES)
    yield from _affinity(spec)
    yield from _addresses(spec)
    if kind not in _TYPES:
        yield unsupported("spec.type", kind, _TYPES)
    policy = spec.get("externalTrafficPolicy")
    if policy and kind not in ("NodePort", "LoadBalancer") and not spec.get("externalIPs"):
        yield bad_value("spec.externalTrafficPolicy", policy, "may only be set for externally-accessible services")
    for field in ("externalTrafficPolicy", "internalTrafficPolicy"):
        if spec.get(field) and spec[field] not in _TRAFFIC:
            yield unsupported(f"spec.{field}", spec[field], _TRAFFIC)
    yield from _sources(spec)
    yield from _node_ports(kind, ports)
    yield from _twice(ports)


def _address(spec: Object) -> str:
    return str(spec.get("clusterIP") or next(iter(spec.get("clusterIPs") or ()), ""))


def _external_name(spec: Object) -> Iterator[Cause]:
    name = spec.get("externalName") or ""
    if _address(spec):
        yield forbidden_field("spec.clusterIPs", "may not be set when `type` is 'ExternalName'")
    if not name:
        yield required("spec.externalName")
    for problem in subdomain_problems(name.rstrip(".")) if name else ():
        yield bad_value("spec.externalName", name, problem)


def _port(port: Object, field: str, *, named: bool, others: list[Object]) -> Iterator[Cause]:
    name, number, target = port.get("name"), port.get("port", 0), port.get("targetPort")
    if named and not name:
        yield required(f"{field}.name")
    elif name:
        for problem in label_problems(name):
            yield bad_value(f"{field}.name", name, problem)
        if any(other.get("name") == name for other in others):
            yield duplicate(f"{field}.name", name)
    if not 1 <= number <= 65535:
        yield bad_value(f"{field}.port", number, _PORT_RANGE)
    if port.get("protocol") not in _PROTOCOLS:
        yield unsupported(f"{field}.protocol", port.get("protocol"), _PROTOCOLS)
    if isinstance(target, str):
        for problem in port_name_problems(target):
            yield bad_value(f"{field}.targetPort", target, problem)
    elif not 1 <= (target or 0) <= 65535:
        yield bad_value(f"{field}.targetPort", target, _PORT_RANGE)


def _affinity(spec: Object) -> Iterator[Cause]:
    seconds = ((spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}).get("timeoutSeconds")
    if seconds is not None and not 0 < seconds <= _LONGEST_AFFINITY:
        rule = f"must be greater than 0 and less than {_LONGEST_AFFINITY}"
        yield bad_value("spec.sessionAffinityConfig.clientIP.timeoutSeconds", seconds, rule)


def _sources(spec: Object) -> Iterator[Cause]:
    for index, source in enumerate(spec.get("loadBalancerSourceRanges") or ()):
        try:
            ipaddress.ip_network(source.strip(), strict=False)
        except ValueError:
            yield bad_value(f"spec.LoadBalancerSourceRanges[{index}]", source, _NETWORK_RULE)


def endpoint_slice_causes(obj: Object) -> Iterator[Cause]:
    """What is wrong with an EndpointSlice."""
    kind = obj.get("addressType")
    if kind not in _ADDRESS_TYPES:
        yield unsupported("addressType", kind, _ADDRESS_TYPES) if kind else required("addressType")
        return
    for number, endpoint in enumerate(obj.get("endpoints") or ()):
        field = f"endpoints[{number}].addresses"
        if not endpoint.get("addresses"):
            yield required(field, "must contain at least 1 address")
        for index, address in enumerate(endpoint.get("addresses") or ()):
            yield from _endpoint(kind, address, f"{field}[{index}]")


def _endpoint(kind: str, address: str, field: str) -> Iterator[Cause]:
    if kind == "FQDN":
        for problem in subdomain_problems(address):
            yield bad_value(field, address, problem)
    elif not _is_address(address):
        yield bad_value(field, address, _ADDRESS_RULE)
    elif f"IPv{ipaddress.ip_address(address).version}" != kind:
        yield bad_value(field, address, f"must be an {kind} address")
    elif ipaddress.ip_address(address).is_loopback:
        yield bad_value(field, address, "may not be in the loopback range (127.0.0.0/8, ::1/128)")
    elif ipaddress.ip_address(address).is_link_local:
        yield bad_value(field, address, "may not be in the link-local range (169.254.0.0/16, fe80::/10)")


def _addresses(spec: Object) -> Iterator[Cause]:
    address = _address(spec)
    if address not in ("", "None") and not _is_address(address):
        yield bad_value("spec.clusterIPs[0]", address, _ADDRESS_RULE)
    for index, external in enumerate(spec.get("externalIPs") or ()):
        if not _is_address(external):
            yield bad_value(f"spec.externalIPs[{index}]", external, _ADDRESS_RULE)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _node_ports(kind: str, ports: list[Object]) -> Iterator[Cause]:
    for index, port in enumerate(ports):
        if kind == "ClusterIP" and port.get("nodePort"):
            yield forbidden_field(f"spec.ports[{index}].nodePort", "may not be used when `type` is 'ClusterIP'")


def _twice(ports: list[Object]) -> Iterator[Cause]:
    seen = set()
    for index, port in enumerate(ports):
        key = (port.get("protocol"), port.get("port"))
        if key in seen:
            shown = {
                "Name": "",
                "Protocol": port.get("protocol"),
                "AppProtocol": None,
                "Port": port.get("port"),
                "TargetPort": 0,
                "NodePort": 0,
            }
            yield duplicate(f"spec.ports[{index}]", shown)
        seen.add(key)


def service_update_causes(obj: Object, before: Object) -> Iterator[Cause]:
    """A service's address must stay as it is, unless its type becomes or was ExternalName."""
    if "ExternalName" in (obj["spec"].get("type"), before["spec"].get("type")):
        return
    have, wanted = before["spec"].get("clusterIPs"), obj["spec"].get("clusterIPs")
    changed = [obj["spec"]["clusterIP"]] if obj["spec"].get("clusterIP") != before["spec"].get("clusterIP") else wanted
    if have and changed and changed != have:
        yield bad_value("spec.clusterIPs[0]", changed, "may not change once set")


def ingress_causes(obj: Object) -> Iterator[Cause]:
    """What is wrong with an Ingress."""
    spec = obj["spec"]
    if not spec.get("rules") and not spec.get("defaultBackend"):
        yield bad_value("spec", None, "either `defaultBackend` or `rules` must be specified")
    for number, entry in enumerate(spec.get("tls") or ()):
        for index, host in enumerate(entry.get("hosts") or ()):
            yield from _host(host, f"spec.tls[{number}].hosts[{index}]")
    if (backend := spec.get("defaultBackend")) is not None:
        yield from _backend(backend, "spec.defaultBackend")
    for number, rule in enumerate(spec.get("rules") or ()):
        if rule.get("host"):
            yield from _host(rule["host"], f"spec.rules[{number}].host")
        if rule.get("http") is not None and not rule["http"].get("paths"):
            yield required(f"spec.rules[{number}].http.paths")
        for index, path in enumerate((rule.get("http") or {}).get("paths") or ()):
            field = f"spec.rules[{number}].http.paths[{index}]"
            yield from _path(path, field)


def _path(path: Object, field: str) -> Iterator[Cause]:
    kind = path.get("pathType")
    if kind is None:
        yield required(f"{field}.pathType", "pathType must be specified")
    elif kind not in _PATH_TYPES:
        yield unsupported(f"{field}.pathType", kind, _PATH_TYPES)
    elif kind != "ImplementationSpecific" and not str(path.get("path", "")).startswith("/"):
        yield bad_value(f"{field}.path", path.get("path", ""), "must be an absolute path")
    yield from _backend(path.get("backend") or {}, f"{field}.backend")


def _backend(backend: Object, field: str) -> Iterator[Cause]:
    service = backend.get("service")
    if service is None:
        if backend.get("resource") is None:
            yield bad_value(field, "", "resource or service backend is required")
        return
    name, port = service.get("name", ""), service.get("port") or {}
    if not name:
        yield required(f"{field}.service.name")
    else:
        yield from (bad_value(f"{field}.service.name", name, problem) for problem in label_problems(name))
    if not port.get("name") and not port.get("number"):
        yield required(field, "port name or number is required")


def _host(host: str, field: str) -> Iterator[Cause]:
    name = host.removeprefix("*.")
    yield from (bad_value(field, host, problem) for problem in subdomain_problems(name))
