"""The embedded cluster's memory: versioned objects, one global resourceVersion, and a ring of events."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

from ktui.demo import errors
from ktui.demo.clock import Clock, rfc3339

Object = dict[str, Any]
Objects = list[Object]

SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"  # k8s.io/apimachinery util/rand: no vowels, so no words
_LONGEST_GENERATED_BASE = 58  # 63 less the 5 random characters

# Kinds whose metadata.generation a real API server leaves unset.
WITHOUT_GENERATION = frozenset(
    {
        "namespaces", "nodes", "services", "endpoints", "configmaps", "secrets", "serviceaccounts", "events",
        "persistentvolumes", "persistentvolumeclaims", "resourcequotas", "limitranges", "leases.coordination.k8s.io",
        "horizontalpodautoscalers.autoscaling", "storageclasses.storage.k8s.io", "controllerrevisions.apps",
        "roles.rbac.authorization.k8s.io", "rolebindings.rbac.authorization.k8s.io",
        "clusterroles.rbac.authorization.k8s.io", "clusterrolebindings.rbac.authorization.k8s.io",
    }
)  # fmt: skip


@dataclass(slots=True)
class Event:
    """One write.

    Attributes:
        type: ADDED, MODIFIED or DELETED.
        resource: The key of the resource, such as `pods` or `deployments.apps`.
        object: The object after the write; for DELETED its last state with a new resourceVersion.
        previous: The object before the write, None for ADDED.
        version: The resourceVersion of the write.
    """

    type: str
    resource: str
    object: Object
    previous: Object | None
    version: int


Subscriber = Callable[[Event], None]
_Events = list[Event]  # inside Storage, `list` is a method
_Names = list[str]
_Key = tuple[str, str]
_NAMED = ("name", "generateName", "namespace")
_GIVEN = ("uid", "resourceVersion", "generation", "creationTimestamp")


class _Shelf:
    """The objects of one resource and the last events that happened to them."""

    __slots__ = ("events", "forgotten", "keys", "objects")

    def __init__(self, history: int) -> None:
        self.objects: dict[_Key, Object] = {}
        self.keys: list[_Key] = []  # always sorted
        self.events: deque[Event] = deque(maxlen=history)
        self.forgotten = 0  # version of the newest event that is no longer in the ring


def _in_order(metadata: Object, given: Object) -> Object:
    """Metadata with what the storage gives it, in the order in which answers have both."""
    named = {field: metadata[field] for field in _NAMED if field in metadata}
    return named | given | metadata | given


class Storage:
    """Keeps the objects of the cluster.

    Objects are plain JSON dicts. What goes in belongs to the storage (only the outermost dict and `metadata` are
    copied), and what comes out must not be changed: copy it first.

    Args:
        clock: Gives creationTimestamps.
        history: How many events of each resource `since` can look back on.
        seed: Same seed, same uids and random name suffixes.
    """

    def __init__(self, clock: Clock, *, history: int = 4096, seed: int = 0) -> None:
        self.clock = clock
        self.version = 1
        self._history = history
        self._random = Random(seed)
        self._shelves: dict[str, _Shelf] = {}
        self._subscribers: list[Subscriber] = []
        self._undelivered: deque[Event] = deque()
        self._delivering = False

    def get(self, resource: str, namespace: str, name: str) -> Object | None:
        """Returns the stored object, or None; the namespace of cluster-scoped objects is empty."""
        return self._shelf(resource).objects.get((namespace, name))

    def list(self, resource: str, namespace: str | None = None) -> Objects:
        """Returns the objects of a resource in the order of namespace and name; of all namespaces when None."""
        shelf = self._shelf(resource)
        keys = shelf.keys
        if namespace is not None:
            # "\0" is no part of a name and sorts first, so namespace + "\0" lies right behind the namespace.
            keys = keys[bisect_left(keys, (namespace, "")) : bisect_left(keys, (namespace + "\0", ""))]
        return [shelf.objects[key] for key in keys]

    def resources(self) -> _Names:
        """Returns the keys of the resources that have, or had, objects."""
        return [*self._shelves]

    def count(self, resource: str) -> int:
        """Returns how many objects of a resource exist."""
        return len(self._shelf(resource).keys)

    def create(self, resource: str, obj: Object, *, created: float | None = None) -> Object:
        """Stores a new object; sets its uid, resourceVersion, creationTimestamp and generation.

        Args:
            resource: The key of the resource.
            obj: With metadata.name, or metadata.generateName.
            created: Its creation, in seconds since the epoch; now when None.

        Raises:
            StatusError: 409 AlreadyExists.
        """
        shelf = self._shelf(resource)
        metadata = dict(obj["metadata"])
        if not metadata.get("name"):
            metadata["name"] = self.generated_name(metadata["generateName"])
        key = (metadata.get("namespace", ""), metadata["name"])
        if key in shelf.objects:
            raise errors.already_exists(resource, metadata["name"])
        given = {"uid": metadata.get("uid") or self.uid(), "resourceVersion": ""}
        if resource not in WITHOUT_GENERATION:
            given["generation"] = 1
        given["creationTimestamp"] = rfc3339(self.clock.now() if created is None else created)
        stored = self._stamp({**obj, "metadata": _in_order(metadata, given)})
        shelf.objects[key] = stored
        if not shelf.keys or shelf.keys[-1] < key:
            shelf.keys.append(key)
        else:
            insort(shelf.keys, key)
        self._publish(shelf, Event("ADDED", resource, stored, None, self.version))
        return stored

    def update(self, resource: str, obj: Object, *, same_generation: bool = False) -> Object:
        """Replaces an object.

        The uid, creationTimestamp and generation are the storage's. A write that changes nothing keeps the
        resourceVersion and makes no event.

        Args:
            resource: The key of the resource.
            obj: The whole object; with metadata.resourceVersion it must be the current one.
            same_generation: Whether the generation stays although the spec changes, as when a pod is bound.

        Raises:
            StatusError: 404 NotFound, or 409 Conflict when metadata.resourceVersion is old.
        """
        current, stored = self._next_state(resource, obj, same_generation)
        if stored is current:
            return current
        shelf = self._shelf(resource)
        metadata = stored["metadata"]
        shelf.objects[metadata.get("namespace", ""), metadata["name"]] = self._stamp(stored)
        self._publish(shelf, Event("MODIFIED", resource, stored, current, self.version))
        return stored

    def restate(self, resource: str, obj: Object) -> None:
        """Puts another text of an object in its place, of the same version, and tells nobody.

        Args:
            resource: The key of the resource.
            obj: As it is stored, with other metadata; before anybody has seen it.
        """
        meta = obj["metadata"]
        self._shelf(resource).objects[meta.get("namespace", ""), meta["name"]] = obj

    def imagine(self, resource: str, obj: Object) -> Object:
        """Returns what `update` would store, at the present resourceVersion, and stores nothing.

        Raises:
            StatusError: As `update` does.
        """
        return self._next_state(resource, obj, same_generation=False)[1]

    def _next_state(self, resource: str, obj: Object, same_generation: bool) -> tuple[Object, Object]:
        """Returns the stored object and what follows it; the same twice when nothing would change."""
        metadata = dict(obj["metadata"])
        key = (metadata.get("namespace", ""), metadata["name"])
        current = self._shelf(resource).objects.get(key)
        if current is None:
            raise errors.not_found(resource, key[1])
        have = current["metadata"]
        if metadata.get("resourceVersion") not in (None, "", have["resourceVersion"]):
            raise errors.conflict(resource, key[1])
        given = {field: have[field] for field in _GIVEN if field in have}
        metadata = _in_order(metadata, given)
        stored = {**obj, "metadata": metadata}
        if stored == current:
            return current, current
        leaves = "deletionTimestamp" in metadata and "deletionTimestamp" not in have
        if "generation" in have and not same_generation and (leaves or _desired(stored) != _desired(current)):
            metadata["generation"] += 1
        return current, stored

    def delete(self, resource: str, namespace: str, name: str) -> Object:
        """Removes an object for good and returns its last state, with the resourceVersion of the removal.

        Raises:
            StatusError: 404 NotFound.
        """
        shelf = self._shelf(resource)
        key = (namespace, name)
        current = shelf.objects.pop(key, None)
        if current is None:
            raise errors.not_found(resource, name)
        del shelf.keys[bisect_left(shelf.keys, key)]
        last = self._stamp({**current, "metadata": dict(current["metadata"])})
        self._publish(shelf, Event("DELETED", resource, last, current, self.version))
        return last

    def subscribe(self, callback: Subscriber) -> Callable[[], None]:
        """Calls back after each write, in the order of the writes; returns a function that ends this."""
        self._subscribers.append(callback)
        return partial(self._unsubscribe, callback)

    def since(self, resource: str, version: int) -> _Events:
        """Returns the events of a resource that are newer than a version, oldest first.

        Raises:
            StatusError: 410 Expired when the ring no longer reaches back to it.
        """
        shelf = self._shelf(resource)
        if version < shelf.forgotten:
            raise errors.expired(f"too old resource version: {version} ({shelf.forgotten})")
        newer: _Events = []
        for event in reversed(shelf.events):
            if event.version <= version:
                break
            newer.append(event)
        newer.reverse()
        return newer

    def oldest(self, resource: str) -> int:
        """Returns the oldest version that `since` can start from."""
        return self._shelf(resource).forgotten

    def forget_history(self) -> None:
        """Empties the ring, as etcd's compaction does: whoever asks for an older version is told 410 Expired."""
        for shelf in self._shelves.values():
            shelf.events.clear()
            shelf.forgotten = self.version

    def uid(self) -> str:
        """Returns the next uid of the seed's sequence."""
        digits = f"{self._random.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    def generated_name(self, base: str) -> str:
        """Returns a name made of a `generateName`."""
        return base[:_LONGEST_GENERATED_BASE] + self.suffix()

    def suffix(self, length: int = 5) -> str:
        """Returns the next random name suffix of the seed's sequence."""
        return "".join(self._random.choices(SUFFIX_ALPHABET, k=length))

    def _shelf(self, resource: str) -> _Shelf:
        shelf = self._shelves.get(resource)
        if shelf is None:
            shelf = self._shelves[resource] = _Shelf(self._history)
        return shelf

    def _unsubscribe(self, callback: Subscriber) -> None:
        if callback in self._subscribers:
            self._subscribers.remove(callback)

    def _stamp(self, obj: Object) -> Object:
        self.version += 1
        obj["metadata"]["resourceVersion"] = str(self.version)
        return obj

    def _publish(self, shelf: _Shelf, event: Event) -> None:
        if len(shelf.events) == self._history and self._history:
            shelf.forgotten = shelf.events[0].version
        shelf.events.append(event)
        self._undelivered.append(event)
        if self._delivering:  # a subscriber wrote: everyone sees its event after the one being delivered
            return
        self._delivering = True
        try:
            while self._undelivered:
                pending = self._undelivered.popleft()
                for subscriber in tuple(self._subscribers):
                    subscriber(pending)
        finally:
            self._delivering = False


def _desired(obj: Object) -> Object:
    """Everything but metadata and status: what generation counts the changes of."""
    return {key: value for key, value in obj.items() if key not in ("metadata", "status")}
