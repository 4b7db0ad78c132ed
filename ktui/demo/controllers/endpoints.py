"""Endpoints and EndpointSlices: the addresses behind every Service with a selector."""

from __future__ import annotations

from itertools import groupby

from ktui.demo.clock import rfc3339
from ktui.demo.controllers.backends import Backend, Ports, backends
from ktui.demo.controllers.controller import Controller, Key, key_of
from ktui.demo.controllers.pods import owner_reference
from ktui.demo.controllers.selectors import has_labels
from ktui.demo.storage import Event, Object

_SLICES = "endpointslices.discovery.k8s.io"
SERVICE_NAME = "kubernetes.io/service-name"
_MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
_CONTROLLER = "endpointslice-controller.k8s.io"
_MIRROR = "endpointslicemirroring-controller.k8s.io"
_TRIGGER_TIME = "endpoints.kubernetes.io/last-change-trigger-time"
_PER_SLICE = 100


class _OfServices(Controller):
    """A controller of something that follows a Service's pods."""

    def observe(self, event: Event) -> None:
        if event.resource != "pods":
            super().observe(event)
            return
        if event.previous is not None and _face(event.previous) == _face(event.object):
            return
        pods = [event.object] if event.previous is None else [event.object, event.previous]
        labels = [pod["metadata"].get("labels") or {} for pod in pods]
        for service in self.storage.list("services", event.object["metadata"]["namespace"]):
            selector = service["spec"].get("selector")
            if selector and any(has_labels(selector, of_pod) for of_pod in labels):
                self.gather(key_of(service))


class Endpoints(_OfServices):
    """Keeps the old Endpoints object of every Service with a selector."""

    watches = ("services", "pods")
    component = "endpoint-controller"

    def sync(self, key: Key) -> None:
        service = self.storage.get("services", *key)
        present = self.storage.get("endpoints", *key)
        if service is None or not service["spec"].get("selector"):
            if present is not None and service is None:
                self.storage.delete("endpoints", *key)
            return
        namespace, name = key
        headless = service["spec"].get("clusterIP") == "None"
        labels = {
            **(service["metadata"].get("labels") or {}),
            "endpoints.kubernetes.io/managed-by": "endpoint-controller",
        }
        if headless:
            labels["service.kubernetes.io/headless"] = ""
        subsets = [_subset(ports, list(group)) for ports, group in _by_ports(backends(self.storage, service))]
        if present is None:
            metadata: Object = {"name": name, "namespace": namespace, "labels": labels}
            made = {"apiVersion": "v1", "kind": "Endpoints", "metadata": metadata}
            self.storage.create("endpoints", made | ({"subsets": subsets} if subsets else {}))
            return
        if (present.get("subsets") or []) != subsets:
            annotations = {_TRIGGER_TIME: rfc3339(self.clock.now())}
            changed = {**present, "metadata": {**present["metadata"], "annotations": annotations}, "subsets": subsets}
            if not subsets:
                del changed["subsets"]
            self.storage.update("endpoints", changed)


class EndpointSlices(_OfServices):
    """Keeps the EndpointSlices of every Service with a selector, and mirrors Endpoints that someone wrote by hand."""

    watches = ("services", "pods", "endpoints")
    component = "endpoint-slice-controller"

    def sync(self, key: Key) -> None:
        service = self.storage.get("services", *key)
        if service is None:
            return  # its slices are garbage
        if service["spec"].get("selector"):
            self._keep(service, _CONTROLLER, service, _slices(backends(self.storage, service)))
            return
        by_hand = self.storage.get("endpoints", *key)
        if by_hand is not None:
            self._keep(service, _MIRROR, by_hand, _mirrored(by_hand))

    def _keep(self, service: Object, keeper: str, owner: Object, wanted: list[Object]) -> None:
        namespace, name = key_of(service)
        labels = {**(service["metadata"].get("labels") or {}), SERVICE_NAME: name, _MANAGED_BY: keeper}
        if service["spec"].get("clusterIP") == "None":
            labels["service.kubernetes.io/headless"] = ""
        present = self.index.owned(_SLICES, owner["metadata"]["uid"])
        for position, content in enumerate(wanted):
            if position >= len(present):
                metadata: Object = {"generateName": f"{name}-", "namespace": namespace, "labels": labels}
                metadata["annotations"] = {_TRIGGER_TIME: rfc3339(self.clock.now())}
                metadata["ownerReferences"] = [owner_reference(owner)]
                made = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata}
                self.storage.create(_SLICES, {**made, "addressType": "IPv4", **content})
            elif {field: present[position].get(field) for field in content} != content:
                annotations = {_TRIGGER_TIME: rfc3339(self.clock.now())}
                metadata = {**present[position]["metadata"], "annotations": annotations, "labels": labels}
                self.storage.update(_SLICES, {**present[position], "metadata": metadata, **content})
        for surplus in present[len(wanted) :]:
            self.storage.delete(_SLICES, *key_of(surplus))


def _face(pod: Object) -> tuple[object, ...]:
    """What of a pod matters to Services."""
    status = pod.get("status") or {}
    ready = next((one["status"] for one in status.get("conditions") or () if one["type"] == "Ready"), "")
    metadata = pod["metadata"]
    leaving = "deletionTimestamp" in metadata
    return metadata.get("labels"), status.get("podIP"), ready, status.get("phase"), leaving


def _by_ports(found: list[Backend]) -> list[tuple[Ports, list[Backend]]]:
    ordered = sorted(found, key=lambda backend: backend.ports)
    return [(ports, list(group)) for ports, group in groupby(ordered, key=lambda backend: backend.ports)]


def _subset(ports: Ports, group: list[Backend]) -> Object:
    subset: Object = {}
    for field, ready in (("addresses", True), ("notReadyAddresses", False)):
        addresses = [
            {"ip": one.address, "nodeName": one.pod["spec"]["nodeName"], "targetRef": one.target}
            for one in group
            if one.ready == ready
        ]
        if addresses:
            subset[field] = addresses
    if ports:
        subset["ports"] = [
            ({"name": name} if name else {}) | {"port": port, "protocol": protocol} for name, protocol, port in ports
        ]
    return subset


def _slices(found: list[Backend]) -> list[Object]:
    """Returns what the slices are to contain; a Service without pods has one empty slice."""
    contents: list[Object] = []
    for ports, group in _by_ports(found):
        listed = [{"name": name, "protocol": protocol, "port": port} for name, protocol, port in ports] or None
        for start in range(0, len(group), _PER_SLICE):
            endpoints = [_endpoint(backend) for backend in group[start : start + _PER_SLICE]]
            contents.append({"endpoints": endpoints, "ports": listed})
    return contents or [{"endpoints": None, "ports": None}]


def _endpoint(backend: Backend) -> Object:
    conditions = {"ready": backend.ready, "serving": backend.serving, "terminating": backend.terminating}
    endpoint: Object = {"addresses": [backend.address], "conditions": conditions, "targetRef": backend.target}
    endpoint["nodeName"] = backend.pod["spec"]["nodeName"]
    return endpoint


def _mirrored(endpoints: Object) -> list[Object]:
    contents = []
    for subset in endpoints.get("subsets") or ():
        ports = [{"name": "", "protocol": "TCP", **port} for port in subset.get("ports") or ()] or None
        listed: list[Object] = [
            {"addresses": [address["ip"]], "conditions": {"ready": ready}}
            for field, ready in (("addresses", True), ("notReadyAddresses", False))
            for address in subset.get(field) or ()
        ]
        contents.append({"endpoints": listed, "ports": ports})
    return contents
