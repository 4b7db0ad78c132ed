"""Who belongs to whom, kept up to date from the storage's events so that nobody has to look through all pods."""

from __future__ import annotations

from dataclasses import dataclass, field

from ktui.demo.controllers.quantities import NOTHING, Requests, pod_requests
from ktui.demo.storage import Event, Object, Storage

Reference = tuple[str, str, str]  # resource, namespace, name


@dataclass(slots=True)
class _Node:
    pods: dict[Reference, Requests] = field(default_factory=dict)
    requested: Requests = NOTHING
    places: int = 0  # taken by pods that have not finished


_FINISHED = Requests(0, 0, counts=False)


class Index:
    """Dependents by owner, pods by node with what they request, references by uid.

    Args:
        storage: Whose objects are indexed; the index must subscribe before the first one is created.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._dependents: dict[str, dict[Reference, None]] = {}
        self._nodes: dict[str, _Node] = {}
        self._by_uid: dict[str, Reference] = {}
        for resource in storage.resources():
            for obj in storage.list(resource):
                self.observe(Event("ADDED", resource, obj, None, 0))

    def observe(self, event: Event) -> None:
        """Takes one write into account."""
        metadata = event.object["metadata"]
        reference = (event.resource, metadata.get("namespace", ""), metadata["name"])
        if event.type == "ADDED":
            self._by_uid[metadata["uid"]] = reference
        elif event.type == "DELETED":
            self._by_uid.pop(metadata["uid"], None)
        self._follow_owners(event, reference)
        if event.resource == "pods":
            self._follow_node(event, reference)

    def dependents(self, uid: str) -> list[Reference]:
        """Returns the references of all objects that name this uid as an owner."""
        return list(self._dependents.get(uid, ()))

    def owned(self, resource: str, uid: str) -> list[Object]:
        """Returns the objects of one resource whose controller has this uid, oldest first."""
        found = []
        for kind, namespace, name in self._dependents.get(uid, ()):
            if kind == resource:
                obj = self._storage.get(kind, namespace, name)
                if obj is not None and (owner := controller_of(obj)) is not None and owner["uid"] == uid:
                    found.append(obj)
        return found

    def find(self, uid: str) -> Object | None:
        """Returns the object with this uid, if there is one."""
        reference = self._by_uid.get(uid)
        return None if reference is None else self._storage.get(*reference)

    def reference(self, uid: str) -> Reference:
        """Returns the reference of an object that exists."""
        return self._by_uid[uid]

    def pods_on(self, node: str) -> list[Object]:
        """Returns the pods that are bound to a node; those of the empty name are bound to none."""
        entry = self._nodes.get(node)
        if entry is None:
            return []
        found = (self._storage.get(*reference) for reference in entry.pods)
        return [pod for pod in found if pod is not None]

    def count_on(self, node: str) -> int:
        """Returns how many pods that have not finished are bound to a node."""
        entry = self._nodes.get(node)
        return 0 if entry is None else entry.places

    def requested_on(self, node: str) -> Requests:
        """Returns what the pods of a node that have not finished request together."""
        entry = self._nodes.get(node)
        return NOTHING if entry is None else entry.requested

    def _follow_owners(self, event: Event, reference: Reference) -> None:
        now = _owner_uids(event.object) if event.type != "DELETED" else set()
        before = _owner_uids(event.previous) if event.previous is not None else set()
        for uid in before - now:
            mine = self._dependents.get(uid)
            if mine is not None:
                mine.pop(reference, None)
                if not mine:
                    del self._dependents[uid]
        for uid in now - before:
            self._dependents.setdefault(uid, {})[reference] = None

    def _follow_node(self, event: Event, reference: Reference) -> None:
        pod = event.object
        name = pod["spec"].get("nodeName", "")
        before = event.previous["spec"].get("nodeName", "") if event.previous else name
        for place in {name, before}:
            entry = self._nodes.setdefault(place, _Node())
            old = entry.pods.pop(reference, None)
            if old is not None:
                entry.requested = entry.requested - old
                entry.places -= old.counts
        entry = self._nodes[name]
        if event.type != "DELETED":
            finished = pod.get("status", {}).get("phase") in ("Succeeded", "Failed")
            requests = _FINISHED if finished else pod_requests(pod["spec"])
            entry.pods[reference] = requests
            entry.requested = entry.requested + requests
            entry.places += requests.counts


def controller_of(obj: Object) -> dict[str, str] | None:
    """Returns the owner reference of the object's controller."""
    for owner in obj["metadata"].get("ownerReferences") or ():
        if owner.get("controller"):
            found: dict[str, str] = owner
            return found
    return None


def _owner_uids(obj: Object) -> set[str]:
    return {owner["uid"] for owner in obj["metadata"].get("ownerReferences") or ()}
