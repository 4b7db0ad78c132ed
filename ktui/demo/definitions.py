"""CustomResourceDefinitions: what they define is served as soon as they are stored, and no longer when they go."""

from __future__ import annotations

from typing import Any

from ktui.demo.clock import Clock, rfc3339
from ktui.demo.resources import Registry, custom_resources
from ktui.demo.storage import Event, Storage
from ktui.demo.watches import Watches

Object = dict[str, Any]

_KEY = "customresourcedefinitions.apiextensions.k8s.io"


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
        for definition in storage.list(_KEY):
            self._serve(definition)
        self._unsubscribe = storage.subscribe(self._follow)

    def close(self) -> None:
        """Stops following the storage."""
        self._unsubscribe()

    def _follow(self, event: Event) -> None:
        if event.resource != _KEY:
            return
        if event.type == "DELETED":
            self._withdraw(event.object)
        else:
            self._serve(event.object)

    def _serve(self, definition: Object) -> None:
        self._registry.define(definition)
        if not (definition.get("status") or {}).get("conditions"):
            self._storage.update(_KEY, {**definition, "status": self._established(definition)})

    def _withdraw(self, definition: Object) -> None:
        self._registry.forget(definition["metadata"]["name"])
        for resource in custom_resources(definition):
            for obj in self._storage.list(resource.key):
                metadata = obj["metadata"]
                self._storage.delete(resource.key, metadata.get("namespace", ""), metadata["name"])
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
