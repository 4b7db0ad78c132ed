"""Cells of services, endpoints, ingresses and network policies."""

from __future__ import annotations

from typing import Any

from ktui.demo.tables import text

Object = dict[str, Any]


def service(obj: Object, now: float) -> list[Any]:
    """NAME TYPE CLUSTER-IP EXTERNAL-IP PORT(S) AGE | SELECTOR."""
    spec = obj.get("spec") or {}
    addresses = spec.get("clusterIPs") or ()
    return [
        obj["metadata"]["name"],
        spec.get("type", ""),
        addresses[0] if addresses else text.NONE,
        _external(spec, obj.get("status") or {}),
        text.joined(_port(port) for port in spec.get("ports") or ()),
        text.age(obj, now),
        text.labels(spec.get("selector")),
    ]


def _external(spec: Object, status: Object) -> str:
    kind, external = spec.get("type"), spec.get("externalIPs") or ()
    if kind == "ExternalName":
        return str(spec.get("externalName") or "")
    if kind != "LoadBalancer":
        return text.joined(external)
    given = load_balancer(status)
    shown = [*([given] if given else []), *external]
    return ",".join(shown) or "<pending>"


def load_balancer(status: Object) -> str:
    """The addresses a load balancer gave, sorted and joined."""
    ingress = (status.get("loadBalancer") or {}).get("ingress") or ()
    return ",".join(sorted({entry.get("ip") or entry.get("hostname") or "" for entry in ingress} - {""}))


def _port(port: Object) -> str:
    node_port = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port['port']}{node_port}/{port.get('protocol', 'TCP')}"


def endpoints(obj: Object, now: float) -> list[Any]:
    """NAME ENDPOINTS AGE."""
    found: list[str] = []
    for subset in obj.get("subsets") or ():
        ports, addresses = subset.get("ports") or (), subset.get("addresses") or ()
        if not ports:
            found += [address["ip"] for address in addresses]
        for port in ports:
            found += [f"{address['ip']}:{port['port']}" for address in addresses]
    # Subsets without a ready address print as nothing, no subsets as <none>.
    shown = text.few(found, 3) if obj.get("subsets") else text.NONE
    return [obj["metadata"]["name"], shown, text.age(obj, now)]


def endpointslice(obj: Object, now: float) -> list[Any]:
    """NAME ADDRESSTYPE PORTS ENDPOINTS AGE."""
    ports = [_slice_port(port) for port in obj.get("ports") or ()]
    found = [address for endpoint in obj.get("endpoints") or () for address in endpoint.get("addresses") or ()]
    return [
        obj["metadata"]["name"],
        obj.get("addressType", ""),
        text.few(ports, 3) or text.UNSET,
        text.few(found, 3) or text.UNSET,
        text.age(obj, now),
    ]


def _slice_port(port: Object) -> str:
    if port.get("port") is not None:
        return str(port["port"])
    return port.get("name") or "*"


def ingress(obj: Object, now: float) -> list[Any]:
    """NAME CLASS HOSTS ADDRESS PORTS AGE."""
    spec = obj.get("spec") or {}
    hosts = [rule["host"] for rule in spec.get("rules") or () if rule.get("host")]
    return [
        obj["metadata"]["name"],
        spec.get("ingressClassName") or text.NONE,
        text.few(hosts, 3) or "*",
        load_balancer(obj.get("status") or {}),
        "80, 443" if spec.get("tls") else "80",
        text.age(obj, now),
    ]


def ingressclass(obj: Object, now: float) -> list[Any]:
    """NAME CONTROLLER PARAMETERS AGE."""
    spec = obj.get("spec") or {}
    parameters = text.NONE
    if reference := spec.get("parameters"):
        group = f".{reference['apiGroup']}" if reference.get("apiGroup") else ""
        parameters = f"{reference['kind']}{group}/{reference['name']}"
    return [obj["metadata"]["name"], spec.get("controller", ""), parameters, text.age(obj, now)]


def networkpolicy(obj: Object, now: float) -> list[Any]:
    """NAME POD-SELECTOR AGE."""
    return [
        obj["metadata"]["name"],
        text.selector((obj.get("spec") or {}).get("podSelector") or {}),
        text.age(obj, now),
    ]
