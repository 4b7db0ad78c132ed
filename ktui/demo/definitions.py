"""CustomResourceDefinitions: what they define is served as soon as they are stored, and no longer when they are gone.

A definition that is deleted stays until the last object of its kind is gone, as kubernetes.io/docs/tasks/
extend-kubernetes/custom-resources/custom-resource-definitions says.
"""

from __future__ import annotations

from typing import Any

from ktui.demo.clock import Clock, rfc3339
from ktui.demo.deletion import finish_if_done, request_delete
from ktui.demo.resources import DEFINITIONS, Registry, custom_resources
from ktui.demo.storage import Event, Storage
from ktui.demo.watches import Watches

Object = dict[str, Any]

_CLEANUP = "customresourcecleanup.apiextensions.k8s.io"


class Definitions:
    """Keeps a registry in step with the stored definitions.

    Args:
        storage: where the definitions are.
        clock: for the times of conditions.
        registry: what is served.
        watches: ended for a resource that is no longer served.
    """

    def __init__(self, storage: Storage, clock: Clock, registry: Registry, watches: Watches) -> None:
        self._storage = storage
        self._clock = clock
        self._registry = registry
        self._watches = watches
        for definition in storage.list(DEFINITIONS):
            self._serve(definition)
        self._unsubscribe = storage.subscribe(self._follow)

    def close(self) -> None:
        """Stops following the storage."""
        self._unsubscribe()

    def _follow(self, event: Event) -> None:
        if event.resource != DEFINITIONS:
            resource = self._registry.by_key(event.resource) if event.type == "DELETED" else None
            definition = self._storage.get(DEFINITIONS, "", event.resource) if resource and resource.custom else None
            if definition is not None:
                self._clear(event.resource)
        elif event.type == "DELETED":
            self._withdraw(event.object)
        else:
            name = event.object["metadata"]["name"]
            current = self._storage.get(DEFINITIONS, "", name)
            if current is not None:
                self._serve(current)
                self._clear(name)

    def _serve(self, definition: Object) -> None:
        self._registry.define(definition)
        if (definition.get("status") or {}).get("conditions"):
            return
        metadata = {**definition["metadata"], "finalizers": [*(definition["metadata"].get("finalizers") or ())]}
        if _CLEANUP not in metadata["finalizers"]:
            metadata["finalizers"].append(_CLEANUP)
        self._storage.update(DEFINITIONS, {**definition, "metadata": metadata, "status": self._established(definition)})

    def _clear(self, name: str) -> None:
        """Deletes the objects of a definition that is being deleted, then lets it go."""
        definition = self._storage.get(DEFINITIONS, "", name)
        metadata = definition["metadata"] if definition else {}
        held = _CLEANUP in (metadata.get("finalizers") or ())
        if definition is None or not metadata.get("deletionTimestamp") or not held:
            return
        for resource in custom_resources(definition):
            for obj in self._storage.list(resource.key):
                place = obj["metadata"]
                if not place.get("deletionTimestamp"):
                    request_delete(self._storage, resource.key, place.get("namespace", ""), place["name"])
            if self._storage.list(resource.key):
                return
        kept = {**metadata, "finalizers": [one for one in metadata["finalizers"] if one != _CLEANUP]}
        if not kept["finalizers"]:
            del kept["finalizers"]
        finish_if_done(self._storage, DEFINITIONS, self._storage.update(DEFINITIONS, {**definition, "metadata": kept}))

    def _withdraw(self, definition: Object) -> None:
        self._registry.forget(definition["metadata"]["name"])
        for resource in custom_resources(definition):
            self._watches.end_all(resource.key)

    def _established(self, definition: Object) -> Object:
        now = rfc3339(self._clock.now())
        told = (
            ("NamesAccepted", "NoConflicts", "no conflicts found"),
            ("Established", "InitialNamesAccepted", "the initial names have been accepted"),
        )
        return {
            "conditions": [
                {"type": kind, "status": "True", "lastTransitionTime": now, "reason": reason, "message": message}
                for kind, reason, message in told
            ],
            "acceptedNames": definition["spec"]["names"],
            "storedVersions": [version["name"] for version in definition["spec"]["versions"] if version.get("storage")],
        }
