"""Create a service, as `kubectl create service` does, or without a selector, with endpoints given by hand.

Source: https://kubernetes.io/docs/concepts/services-networking/service/#services-without-selectors
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from typing import NamedTuple

from ktui.actions.action import Access, Action, Cluster, JsonObject, Refusal, Said, Step, Target
from ktui.actions.creation import (
    creation,
    from_manifest,
    meta,
    name_field,
    namespace_field,
    refused,
    text_of,
    whole_name,
)
from ktui.actions.form import ChoiceField, Form, NumberField, SwitchField, TextField, Values
from ktui.actions.names import dns_label, dns_subdomain, endpoint_address, port_name, port_number
from ktui.actions.service_words import arrival, weighed
from ktui.kinds.endpoint_slices import ENDPOINT_SLICES, SERVICE_NAME
from ktui.kinds.names import GVR_SERVICES
from ktui.kinds.services import SERVICES

EXTERNAL_NAME, HEADLESS = "ExternalName", "headless"
TYPES = ("ClusterIP", "NodePort", "LoadBalancer", EXTERNAL_NAME, HEADLESS)
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"


async def _form(cluster: Cluster, targets: Sequence[Target]) -> Form:
    return Form(
        (
            name_field(dns_label),
            namespace_field(cluster, targets),
            ChoiceField(name="type", label="Type", help="From where it is reached.", choices=TYPES),
            TextField(
                name="external_name",
                label="External name",
                help="The name outside the cluster that it stands for.",
                placeholder="db.example.com",
                check=lambda text: dns_subdomain(text.strip()),
                required=True,
                shown=lambda values: values.get("type") == EXTERNAL_NAME,
            ),
            TextField(
                name="ports",
                label="Ports",
                help="PORT or PORT:TARGET, with commas between them.",
                placeholder="80:8080",
                check=refused(lambda text: list(map(_port, _typed(text)))),
                shown=_leads_to_pods,
            ),
            NumberField(
                name="node_port",
                label="Node port",
                help="On every node; empty for any that is free.",
                minimum=1,
                maximum=65535,
                required=False,
                shown=lambda values: values.get("type") == "NodePort",
            ),
            SwitchField(
                name="by_hand",
                label="By hand",
                help="Off: it leads to the pods with the label app=NAME. On: to addresses that you give.",
                shown=_leads_to_pods,
            ),
            TextField(
                name="addresses",
                label="Addresses",
                help="A line each: IP or IP:PORT, [IP]:PORT for IPv6.",
                lines=4,
                placeholder="192.0.2.10:5432",
                check=refused(lambda text: list(addresses(text))),
                required=True,
                shown=_by_hand,
            ),
        )
    )


def _leads_to_pods(values: Values) -> bool:
    return values.get("type") != EXTERNAL_NAME


def _by_hand(values: Values) -> bool:
    return bool(values.get("by_hand")) and _leads_to_pods(values)


def _plan(target: Target, values: Values) -> Sequence[Step]:
    body = service(values)
    if _by_hand(values):
        slices = endpoint_slices(body, list(addresses(str(values.get("addresses") or ""))))
        return (from_manifest(SERVICES, body), *(from_manifest(ENDPOINT_SLICES, found) for found in slices))
    spec, type_ = body["spec"], values.get("type") or "ClusterIP"
    words = ["create", "service", "clusterip" if type_ == HEADLESS else type_.lower(), body["metadata"]["name"]]
    if type_ == EXTERNAL_NAME:
        words.append(f"--external-name={spec['externalName']}")
    else:
        words += [f"--tcp={port}" for port in _typed(text_of(values, "ports"))]
    if type_ == HEADLESS:
        words.append("--clusterip=None")
    if node_port := _node_port(values):
        words.append(f"--node-port={node_port}")
    return (creation(SERVICES, body, *words),)


def service(values: Values) -> JsonObject:
    """The Service, as kubectl create service makes it; without its selector when endpoints are given by hand.

    Raises:
        Refusal: in kubectl's words.
    """
    name, type_ = whole_name(values), values.get("type") or "ClusterIP"
    spec: JsonObject = {"type": "ClusterIP" if type_ == HEADLESS else type_}
    if not _by_hand(values):
        spec["selector"] = {"app": name}
    if type_ == EXTERNAL_NAME:
        spec["externalName"] = text_of(values, "external_name")
        if dns_subdomain(spec["externalName"]):
            raise Refusal(f"invalid service external name {spec['externalName']}")
    else:
        ports = [_port(text) for text in _typed(text_of(values, "ports"))]
        if not ports and type_ != HEADLESS:
            raise Refusal("at least one tcp port specifier must be provided")
        node_port = _node_port(values)
        spec["ports"] = [port | ({"nodePort": node_port} if node_port else {}) for port in ports]
    if type_ == HEADLESS:
        spec["clusterIP"] = "None"
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta(values, labels={"app": name}), "spec": spec}


def _node_port(values: Values) -> int:
    return values.get("node_port") or 0 if values.get("type") == "NodePort" else 0


def _typed(text: str) -> list[str]:
    return [port.strip() for port in text.split(",") if port.strip()]


def _port(text: str) -> JsonObject:
    """A service port from `80` or `80:8080` or `80:http`, named after it. Source: parsePorts in kubectl."""
    number, colon, rest = text.partition(":")
    typed = rest.split(":")[0]
    if not re.fullmatch("[0-9]+", number) or int(number) > 65535:
        wrong = "value out of range" if re.fullmatch("[0-9]+", number) else "invalid syntax"
        raise Refusal(f'strconv.ParseUint: parsing "{number}": {wrong}')
    target: int | str = typed if colon else int(number)
    if colon and re.fullmatch("[+-]?[0-9]+", typed):
        target = int(typed)
        if wrong := port_number(str(target)):
            raise Refusal(wrong)
    elif colon and (wrong := port_name(typed)):
        raise Refusal(wrong.replace("; ", ","))
    return {"name": text.replace(":", "-"), "port": int(number), "protocol": "TCP", "targetPort": target}


# -- endpoints given by hand -----------------------------------------------------------------------


class Address(NamedTuple):
    """Where something answers; port 0 for the target ports of the service."""

    ip: str
    port: int


def addresses(text: str) -> Iterator[Address]:
    """Addresses, a line each.

    Raises:
        Refusal: a line is no address; in the server's words.
    """
    for line in filter(None, map(str.strip, re.split(r"[\n,]", text))):
        bracketed = re.fullmatch(r"\[([^]]*)\](?::(.*))?", line)
        if bracketed:
            ip, port = bracketed[1], bracketed[2]
        elif line.count(":") == 1:
            ip, port = line.split(":")
        else:
            ip, port = line, None
        if wrong := endpoint_address(ip) or (port_number(port) if port is not None else ""):
            raise Refusal(f'"{line}" {wrong}')
        yield Address(ip, int(port or 0))


def endpoint_slices(body: JsonObject, given: Sequence[Address]) -> Iterator[JsonObject]:
    """The EndpointSlices that give a service its endpoints: one for each family of addresses and each set of ports.

    Args:
        body: the Service.
        given: the addresses.

    Raises:
        Refusal: a port is none of the service's target ports, or its target ports have no numbers.
    """
    if not given:
        raise Refusal("at least one address must be provided")
    named, groups = body["metadata"], dict[tuple[int, int], list[str]]()
    for address in given:
        groups.setdefault((ip_address(address.ip).version, address.port), []).append(address.ip)
    for number, ((version, port), ips) in enumerate(groups.items(), 1):
        yield {
            "apiVersion": ENDPOINT_SLICES.gvr.group_version,
            "kind": ENDPOINT_SLICES.kind,
            "metadata": {
                "name": f"{named['name']}-{number}",
                **({"namespace": named["namespace"]} if "namespace" in named else {}),
                "labels": {SERVICE_NAME: named["name"], MANAGED_BY: "ktui"},
            },
            "addressType": f"IPv{version}",
            "ports": _ports_of_slice(body["spec"]["ports"], port),
            "endpoints": [{"addresses": [ip], "conditions": {"ready": True}} for ip in dict.fromkeys(ips)],
        }


def _ports_of_slice(ports: Sequence[JsonObject], given: int) -> list[JsonObject]:
    """The service's ports as its slice names them: all, or the one that leads to a given port."""
    if given and len(ports) > 1:
        ports = [port for port in ports if port["targetPort"] == given]
        if not ports:
            raise Refusal(f"no port of the service leads to {given}")
    made = []
    for port in ports:
        number = given or port["targetPort"]
        if isinstance(number, str):
            raise Refusal(f"the number of the port {number} is needed with each address")
        made.append({"name": port["name"], "port": number, "protocol": port["protocol"]})
    return made


# -- the action ------------------------------------------------------------------------------------


async def _weigh(cluster: Cluster, targets: Sequence[Target], values: Values) -> Sequence[Said]:
    try:
        return await weighed(cluster, service(values))
    except Refusal:
        # The plan says it.
        return ()


CREATE_SERVICE = Action(
    id="create-service",
    key="s",
    title="Create service",
    help="Make a service: for pods, for addresses given by hand, or for a name outside the cluster.",
    plan=_plan,
    offers=lambda kind: kind.gvr == GVR_SERVICES,
    access=(Access("create", gvr=GVR_SERVICES),),
    form=_form,
    weigh=_weigh,
    follow=arrival,
    many=False,
    creates=True,
    done="Created",
)
