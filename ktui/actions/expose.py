"""Expose: make a service for the pods of an object, by the rules of `kubectl expose`.

Source: k8s.io/kubectl/pkg/cmd/expose and its polymorphichelpers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ktui.actions.action import Access, Action, Cluster, JsonObject, Refusal, Said, Step, Target
from ktui.actions.creation import creation, from_manifest, name_field, refused, text_of
from ktui.actions.form import ChoiceField, Form, TextField, Values
from ktui.actions.kubectl import resource_word
from ktui.actions.names import LABEL_LENGTH, dns_label, dns_subdomain, is_int32, port, port_number
from ktui.actions.service_words import arrival, weighed
from ktui.kinds.kind import Trait
from ktui.kinds.names import GVR_SERVICES
from ktui.kinds.services import SERVICES

EXTERNAL_NAME, HEADLESS = "ExternalName", "headless"
TYPES = ("ClusterIP", "NodePort", "LoadBalancer", EXTERNAL_NAME, HEADLESS)
DECLARED = "as declared"
PROTOCOLS = ("TCP", "UDP", "SCTP")


async def _form(cluster: Cluster, targets: Sequence[Target]) -> Form:
    target = targets[0]
    item = target.item or await cluster.get(target.kind.gvr, target.key)
    # A service's own name is taken, so a person has to think of one.
    name = "" if target.kind.gvr == GVR_SERVICES else target.key.name[:LABEL_LENGTH]
    return Form(
        (
            # Services may begin with a digit since Kubernetes 1.36; a dry run tells what an older server says.
            name_field(dns_label, name, f"{target.key.name}-2" if not name else ""),
            ChoiceField(name="type", label="Type", help="From where it is reached.", choices=TYPES),
            TextField(
                name="external_name",
                label="External name",
                help="The name outside the cluster that it stands for.",
                placeholder="db.example.com",
                check=lambda text: dns_subdomain(text.strip().removesuffix(".")),
                required=True,
                shown=lambda values: values.get("type") == EXTERNAL_NAME,
            ),
            TextField(
                name="ports",
                label="Ports",
                help="The ports of the service, with commas between them.",
                text=",".join(_ports_of(item)),
                check=refused(_check_ports),
                shown=_has_ports,
            ),
            TextField(
                name="target_port",
                label="Target port",
                help="The containers' port, by number or name; empty for the same number.",
                check=lambda text: port(text.strip()),
                shown=_has_ports,
            ),
            ChoiceField(
                name="protocol",
                label="Protocol",
                help="Of all ports, or what the containers declare for each.",
                choices=(DECLARED, *PROTOCOLS),
                shown=_has_ports,
            ),
            ChoiceField(
                name="affinity",
                label="Affinity",
                help="ClientIP keeps a client with the same pod.",
                choices=("None", "ClientIP"),
                shown=_has_ports,
            ),
        )
    )


def _has_ports(values: Values) -> bool:
    return values.get("type") != EXTERNAL_NAME


def _plan(target: Target, values: Values) -> Sequence[Step]:
    body = service_for(target, values)
    if body["spec"].get("type") == EXTERNAL_NAME:
        # kubectl expose cannot say what name it stands for.
        return (from_manifest(SERVICES, body),)
    return (creation(SERVICES, body, "expose", resource_word(target.kind.gvr), target.key.name, *_flags(values, body)),)


def _flags(values: Values, body: JsonObject) -> list[str]:
    name, spec = body["metadata"]["name"], body["spec"]
    ports, target_port = ",".join(_typed_ports(values)), text_of(values, "target_port")
    flags = {
        "name": name,
        "port": ports,
        "target-port": target_port if spec["ports"] else "",
        "protocol": values["protocol"] if values.get("protocol", DECLARED) != DECLARED else "",
        "type": spec.get("type", ""),
        "cluster-ip": spec.get("clusterIP", ""),
        "session-affinity": spec.get("sessionAffinity", ""),
    }
    return [f"--{flag}={value}" for flag, value in flags.items() if value]


def service_for(target: Target, values: Values) -> JsonObject:
    """The Service that exposes an object, as kubectl expose makes it.

    Args:
        target: a deployment, replica set, replication controller, pod or service, with its object.
        values: what the form was filled with.

    Raises:
        Refusal: in kubectl's words.
    """
    item = target.live
    type_ = values.get("type") or "ClusterIP"
    labels = (item.get("metadata") or {}).get("labels")
    named: JsonObject = {"name": text_of(values, "name") or target.key.name[:LABEL_LENGTH]}
    named |= {"namespace": target.key.namespace, **({"labels": dict(labels)} if labels else {})}
    spec: JsonObject = {}
    if type_ == EXTERNAL_NAME:
        spec |= {"type": EXTERNAL_NAME, "externalName": text_of(values, "external_name")}
    else:
        spec |= {"selector": selector_of(target), "ports": _service_ports(item, values, type_ == HEADLESS)}
        spec |= {"clusterIP": "None"} if type_ == HEADLESS else {"type": type_}
        if (affinity := values.get("affinity", "None")) != "None":
            if affinity != "ClientIP":
                raise Refusal(f"unknown session affinity: {affinity}")
            spec["sessionAffinity"] = affinity
    return {"apiVersion": "v1", "kind": "Service", "metadata": named, "spec": spec}


def selector_of(target: Target) -> dict[str, str]:
    """The labels of the pods of an object, as a service selects them.

    Source: polymorphichelpers/mapbasedselectorforobject.go

    Raises:
        Refusal: in kubectl's words.
    """
    spec = target.live.get("spec") or {}
    wrong = ""
    match target.kind.kind:
        case "Pod":
            found = (target.live.get("metadata") or {}).get("labels")
            wrong = "" if found else "the pod has no labels and cannot be exposed"
        case "Service":
            found = spec.get("selector")
            wrong = "the service has no pod selector set" if found is None else ""
        case "ReplicationController":
            found = spec.get("selector")
        case kind:
            selector = spec.get("selector") or {}
            found = selector.get("matchLabels")
            if not found:
                wrong = f"invalid {kind.lower()}: no selectors, therefore cannot be exposed"
            elif expressions := selector.get("matchExpressions"):
                told = " ".join(map(_as_go_prints, expressions))
                wrong = f'couldn\'t convert expressions - "[{told}]" to map-based selector format'
    if wrong:
        raise Refusal(f"couldn't retrieve selectors via --selector flag or introspection: {wrong}")
    if not found:
        raise Refusal("selector must be specified")
    return dict(found)


def _as_go_prints(expression: Mapping[str, Any]) -> str:
    """A LabelSelectorRequirement as Go's `%+v` prints it."""
    values = " ".join(expression.get("values") or ())
    return f"{{Key:{expression.get('key', '')} Operator:{expression.get('operator', '')} Values:[{values}]}}"


# -- ports -----------------------------------------------------------------------------------------


def _declared(item: JsonObject) -> list[tuple[str, str]]:
    """The ports that the containers of an object declare, or that a service has: number and protocol."""
    spec = item.get("spec") or {}
    if "ports" in spec:
        found = [(port["port"], port) for port in spec["ports"] or ()]
    else:
        pod = (spec.get("template") or {}).get("spec") or spec
        containers = pod.get("containers") or ()
        found = [(port["containerPort"], port) for container in containers for port in container.get("ports") or ()]
    return [(str(number), port.get("protocol") or "TCP") for number, port in found]


def _ports_of(item: JsonObject) -> list[str]:
    return list(dict.fromkeys(number for number, _ in _declared(item)))


def _typed_ports(values: Values) -> list[str]:
    typed = text_of(values, "ports")
    return [number.strip() for number in typed.split(",")] if typed else []


def _check_ports(text: str) -> None:
    for number in _typed_ports({"ports": text}):
        if wrong := port_number(number):
            raise Refusal(f'"{number}" {wrong}')


def _service_ports(item: JsonObject, values: Values, headless: bool) -> list[JsonObject]:
    """The ports of the service: those typed, else those declared. Several get names: port-1, port-2 ...

    A port that is declared for two protocols becomes two, unless one protocol was chosen for all.
    """
    numbers = _typed_ports(values) or _ports_of(item)
    if not numbers and not headless:
        raise Refusal("couldn't find port via --port flag or introspection")
    chosen = values.get("protocol") or DECLARED
    typed = text_of(values, "target_port")
    target: int | str = int(typed) if is_int32(typed) else typed
    made: list[JsonObject] = []
    for place, number in enumerate(numbers, 1):
        if not is_int32(number):
            # As Go's strconv says it.
            raise Refusal(f'strconv.Atoi: parsing "{number}": invalid syntax')
        name = f"port-{place}" if len(numbers) > 1 else ""
        declared = [protocol for other, protocol in _declared(item) if other == number]
        protocols = [chosen] if chosen != DECLARED else declared or ["TCP"]
        for protocol in protocols:
            called = name if len(protocols) == 1 else f"port-{place}-{protocol.lower()}"
            made.append({"name": called} if called else {})
            made[-1] |= {"port": int(number), "protocol": protocol, "targetPort": target if typed else int(number)}
    return made


# -- the action ------------------------------------------------------------------------------------


async def _weigh(cluster: Cluster, targets: Sequence[Target], values: Values) -> Sequence[Said]:
    try:
        service = service_for(targets[0], values)
    except Refusal:
        # The plan says it.
        return ()
    return await weighed(cluster, service)


EXPOSE = Action(
    id="expose",
    key="x",
    title="Expose",
    help="Make a service that leads to its pods.",
    plan=_plan,
    offers=lambda kind: Trait.EXPOSABLE in kind.traits,
    access=(Access("create", gvr=GVR_SERVICES),),
    form=_form,
    weigh=_weigh,
    follow=arrival,
    many=False,
    direct=True,
    done="Exposed",
)
