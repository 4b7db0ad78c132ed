"""Garbage collection: what happens to dependents when their owner goes.

Source: kubernetes.io/docs/concepts/architecture/garbage-collection.
"""

from __future__ import annotations

from ktui.demo.controllers.conditions import is_leaving
from ktui.demo.controllers.controller import Controller, Key
from ktui.demo.controllers.index import Reference
from ktui.demo.deletion import FOREGROUND, ORPHAN, finish_if_done, request_delete
from ktui.demo.storage import Event, Object


class GarbageCollector(Controller):
    """Deletes objects whose owners are gone, and lets owners go that wait for their dependents.

    Its queue's keys are a resource and `namespace/name`, since it looks at all resources.
    """

    watches = ("*",)

    def start(self) -> None:
        """Nothing to look at: whatever exists has its owners."""

    def observe(self, event: Event) -> None:
        metadata = event.object["metadata"]
        if event.type == "DELETED":
            for reference in self.index.dependents(metadata["uid"]):
                self._add(reference)
            for owner in metadata.get("ownerReferences") or ():
                self._add_owner(owner["uid"])
        elif self._is_held(event.object) or (event.type == "ADDED" and self._lacks_owners(event.object)):
            self._add((event.resource, metadata.get("namespace", ""), metadata["name"]))

    def sync(self, key: Key) -> None:
        resource, path = key
        namespace, _, name = path.partition("/")
        obj = self.storage.get(resource, namespace, name)
        if obj is None:
            return
        finalizers = obj["metadata"].get("finalizers") or ()
        if is_leaving(obj) and ORPHAN in finalizers:
            self._orphan_dependents(resource, obj)
        elif is_leaving(obj) and FOREGROUND in finalizers:
            self._delete_dependents(resource, obj)
        else:
            self._check_owners(resource, obj)

    def _add(self, reference: Reference) -> None:
        resource, namespace, name = reference
        self.queue.add((resource, f"{namespace}/{name}"))

    def _add_owner(self, uid: str) -> None:
        owner = self.index.find(uid)
        if owner is not None and FOREGROUND in (owner["metadata"].get("finalizers") or ()):
            self._add(self.index.reference(uid))

    def _is_held(self, obj: Object) -> bool:
        return is_leaving(obj) and bool(obj["metadata"].get("finalizers"))

    def _lacks_owners(self, obj: Object) -> bool:
        owners = obj["metadata"].get("ownerReferences") or ()
        return any(self.index.find(owner["uid"]) is None for owner in owners)

    def _check_owners(self, resource: str, obj: Object) -> None:
        """Deletes an object without living owners; an owner that waits in the foreground takes it along."""
        metadata = obj["metadata"]
        owners = metadata.get("ownerReferences") or []
        living = [owner for owner in owners if self.index.find(owner["uid"]) is not None]
        if len(living) == len(owners) or is_leaving(obj):
            return
        if living:
            self.storage.update(resource, {**obj, "metadata": {**metadata, "ownerReferences": living}})
        else:
            request_delete(self.storage, resource, metadata.get("namespace", ""), metadata["name"])

    def _delete_dependents(self, resource: str, owner: Object) -> None:
        uid = owner["metadata"]["uid"]
        for reference in self.index.dependents(uid):
            dependent = self.storage.get(*reference)
            if dependent is not None and not is_leaving(dependent):
                request_delete(self.storage, *reference, propagation="Foreground")
        left = [dependent for reference in self.index.dependents(uid) if (dependent := self.storage.get(*reference))]
        links = [link for dependent in left for link in dependent["metadata"]["ownerReferences"] if link["uid"] == uid]
        if not any(link.get("blockOwnerDeletion") for link in links):
            drop_finalizer(self, resource, owner, FOREGROUND)

    def _orphan_dependents(self, resource: str, owner: Object) -> None:
        uid = owner["metadata"]["uid"]
        for reference in self.index.dependents(uid):
            dependent = self.storage.get(*reference)
            if dependent is None:
                continue
            metadata = dict(dependent["metadata"])
            metadata["ownerReferences"] = [one for one in metadata["ownerReferences"] if one["uid"] != uid]
            if not metadata["ownerReferences"]:
                del metadata["ownerReferences"]
            self.storage.update(reference[0], {**dependent, "metadata": metadata})
        drop_finalizer(self, resource, owner, ORPHAN)


def drop_finalizer(controller: Controller, resource: str, obj: Object, finalizer: str) -> None:
    """Removes a finalizer from an object that is being deleted, and the object itself when it was the last one."""
    metadata = dict(obj["metadata"])
    metadata["finalizers"] = [one for one in metadata["finalizers"] if one != finalizer]
    if not metadata["finalizers"]:
        del metadata["finalizers"]
    finish_if_done(controller.storage, resource, controller.storage.update(resource, {**obj, "metadata": metadata}))
