"""Which pods stand behind a Service, on which ports."""

from __future__ import annotations

from dataclasses import dataclass

from ktui.demo.controllers.conditions import is_finished, is_leaving, is_ready
from ktui.demo.controllers.selectors import has_labels
from ktui.demo.storage import Object, Storage

Ports = tuple[tuple[str, str, int], ...]  # name, protocol, port


@dataclass(frozen=True, slots=True)
class Backend:
    """One pod behind a Service.

    Attributes:
        pod: The pod.
        address: Its IP address.
        ready: Whether it gets traffic.
        serving: Whether its Ready condition is True, also while it is being deleted.
        terminating: Whether it is being deleted.
        ports: The Service's ports as this pod has them.
    """

    pod: Object
    address: str
    ready: bool
    serving: bool
    terminating: bool
    ports: Ports

    @property
    def target(self) -> Object:
        """The reference to the pod."""
        metadata = self.pod["metadata"]
        return {"kind": "Pod", "namespace": metadata["namespace"], "name": metadata["name"], "uid": metadata["uid"]}


def backends(storage: Storage, service: Object) -> list[Backend]:
    """Returns the pods a Service selects that have an address, in the order of their names."""
    selector = service["spec"].get("selector")
    found = []
    for pod in storage.list("pods", service["metadata"]["namespace"]) if selector else ():
        address = (pod.get("status") or {}).get("podIP")
        if not address or is_finished(pod) or not has_labels(selector, pod["metadata"].get("labels") or {}):
            continue
        serving, leaving = is_ready(pod), is_leaving(pod)
        anyway = bool(service["spec"].get("publishNotReadyAddresses"))
        ready = anyway or (serving and not leaving)
        found.append(Backend(pod, address, ready, serving, leaving, _ports(service, pod)))
    return found


def _ports(service: Object, pod: Object) -> Ports:
    resolved = []
    for port in service["spec"].get("ports") or ():
        target = port.get("targetPort", port["port"])
        number = target if isinstance(target, int) else _named(pod, target, port.get("protocol", "TCP"))
        if number is not None:
            resolved.append((port.get("name", ""), port.get("protocol", "TCP"), number))
    return tuple(resolved)


def _named(pod: Object, name: str, protocol: str) -> int | None:
    if name.isdigit():
        return int(name)
    for container in pod["spec"]["containers"]:
        for port in container.get("ports") or ():
            if port.get("name") == name and port.get("protocol", "TCP") == protocol:
                number: int = port["containerPort"]
                return number
    return None
