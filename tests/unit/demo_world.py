"""A small embedded cluster without a server, on a stepped clock: what the tests of its controllers look at."""

from __future__ import annotations

from typing import Any

from ktui.demo.clock import SteppedClock
from ktui.demo.controllers.behaviour import ANNOTATION
from ktui.demo.controllers.conditions import is_ready
from ktui.demo.controllers.plane import ControlPlane
from ktui.demo.defaults import apply_defaults
from ktui.demo.manifests import node
from ktui.demo.storage import Event, Object, Storage

NAMESPACE = "default"


class World:
    """Storage and controllers; every write is kept in `writes`."""

    def __init__(self, *, nodes: int = 3, seed: int = 0) -> None:
        self.clock = SteppedClock()
        self.storage = Storage(self.clock, seed=seed)
        self.plane = ControlPlane(self.storage, self.clock, seed=seed)
        self.writes: list[Event] = []
        self.storage.subscribe(self.writes.append)
        self.plane.start()
        self.put("namespaces", "Namespace", NAMESPACE)
        for number in range(nodes):
            self.storage.create("nodes", node(f"node-{number}", number, cpu="4", memory="8Gi"))
        self.clock.advance(1)

    def put(self, resource: str, kind: str, name: str, *, namespace: str = NAMESPACE, **fields: Any) -> Object:
        """Creates an object with the API server's defaults."""
        group = resource.partition(".")[2]
        version = {"autoscaling": "autoscaling/v2", "": "v1"}.get(group, f"{group}/v1")
        metadata = {"name": name, **fields.pop("metadata", {})}
        if resource not in ("namespaces", "nodes", "storageclasses.storage.k8s.io"):
            metadata["namespace"] = namespace
        obj = {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}
        apply_defaults(resource, obj)
        return self.storage.create(resource, obj)

    def deployment(self, name: str, replicas: int, *, image: str = "web:1", behaviour: str = "", **spec: Any) -> Object:
        """Creates a Deployment with one container."""
        wanted = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, **spec}
        wanted["template"] = pod_template(name, image, behaviour)
        return self.put("deployments.apps", "Deployment", name, spec=wanted)

    def pod(self, name: str, *, behaviour: str = "", metadata: Object | None = None, **spec: Any) -> Object:
        """Creates a pod with one container, without an owner."""
        template = pod_template(name, "web:1", behaviour)
        described = {**template["metadata"], **(metadata or {})}
        return self.put("pods", "Pod", name, metadata=described, spec={**template["spec"], **spec})

    def change(self, resource: str, name: str, namespace: str = NAMESPACE, **spec: Any) -> Object:
        """Changes fields of an object's spec."""
        obj = self.get(resource, name, namespace)
        return self.storage.update(resource, {**obj, "spec": {**obj["spec"], **spec}})

    def set_image(self, name: str, image: str) -> None:
        """Gives a Deployment's first container another image."""
        template = self.get("deployments.apps", name)["spec"]["template"]
        containers = [{**template["spec"]["containers"][0], "image": image}]
        template = {**template, "spec": {**template["spec"], "containers": containers}}
        self.change("deployments.apps", name, template=template)

    def get(self, resource: str, name: str, namespace: str = NAMESPACE) -> Object:
        """Returns an object that must exist."""
        obj = self.storage.get(resource, "" if resource in ("nodes", "namespaces") else namespace, name)
        assert obj is not None, f"{resource} {name} does not exist"
        return obj

    def exists(self, resource: str, name: str, namespace: str = NAMESPACE) -> bool:
        """Says whether an object exists."""
        return self.storage.get(resource, "" if resource == "namespaces" else namespace, name) is not None

    def pods(self, app: str = "") -> list[Object]:
        """Returns all pods, or those with a label `app`."""
        every = self.storage.list("pods")
        return [pod for pod in every if not app or pod["metadata"].get("labels", {}).get("app") == app]

    def ready(self, app: str = "") -> int:
        """Counts the ready pods that are not being deleted."""
        return sum(1 for pod in self.pods(app) if is_ready(pod) and "deletionTimestamp" not in pod["metadata"])

    def events(self, about: str = "", reason: str = "") -> list[Object]:
        """Returns the Events about an object of this name (or a pod of it), in the order of their times."""
        found = [
            event
            for event in self.storage.list("events")
            if event["involvedObject"]["name"].startswith(about) and reason in ("", event["reason"])
        ]
        return sorted(found, key=lambda event: int(event["metadata"]["name"].rpartition(".")[2], 16))

    def messages(self, about: str = "", reason: str = "") -> list[str]:
        """Returns the messages of these Events."""
        return [event["message"] for event in self.events(about, reason)]


def pod_template(app: str, image: str, behaviour: str = "") -> Object:
    """Makes a pod template with one container."""
    metadata: Object = {"labels": {"app": app}}
    if behaviour:
        metadata["annotations"] = {ANNOTATION: behaviour}
    return {"metadata": metadata, "spec": {"containers": [{"name": "web", "image": image}]}}


def condition(obj: Object, kind: str) -> Object:
    """Returns a condition that must exist."""
    return next(one for one in obj["status"]["conditions"] if one["type"] == kind)


def container_state(pod: Object) -> Object:
    """Returns the state of a pod's first container."""
    state: Object = pod["status"]["containerStatuses"][0]["state"]
    return state
