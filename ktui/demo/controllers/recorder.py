"""Kubernetes Events: recorded, counted, combined when they pour, and forgotten after an hour."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from ktui.demo.clock import Clock, rfc3339, rfc3339_micro
from ktui.demo.storage import Object, Storage

TIME_TO_LIVE = 3600.0
# client-go tools/record/events_cache.go: what its correlator allows.
_SIMILAR_ALLOWED, _SIMILAR_WINDOW = 10, 600.0
_BURST, _REFILL = 25, 300.0

_Identity = tuple[str, ...]


@dataclass(slots=True)
class _Similar:
    """Events about one object that differ in their message alone."""

    last: float
    messages: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Allowance:
    """How many events about one object a component may still send."""

    tokens: float
    at: float


class Recorder:
    """Writes Events to the storage the way client-go's recorder does.

    Args:
        storage: Where the Events go.
        clock: Times, and wakes for forgetting them.
    """

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock
        self._known: dict[_Identity, tuple[str, str]] = {}
        self._similar: dict[_Identity, _Similar] = {}
        self._allowances: dict[_Identity, _Allowance] = {}
        self._expiring: deque[tuple[float, _Identity]] = deque()
        self._sweeping = False
        self.muted = False

    def record(
        self,
        about: Object,
        reason: str,
        message: str,
        *,
        warning: bool = False,
        component: str,
        host: str = "",
        container: str = "",
        series: bool = False,
    ) -> None:
        """Records that something happened to an object.

        Args:
            about: The object.
            reason: One word in CamelCase.
            message: One sentence.
            warning: Whether the type is Warning rather than Normal.
            component: Who reports it.
            host: The node it is reported from.
            container: The container it is about; with the prefix `init:` for an init container.
            series: Reported through events.k8s.io, as the scheduler does: no count but an eventTime and a series.
        """
        if self.muted or self._leaving(about):
            return
        now = self._clock.now()
        kind = "Warning" if warning else "Normal"
        subject = (component, host, about["metadata"]["uid"])
        similar = self._similar.setdefault((*subject, kind, reason), _Similar(now))
        if now - similar.last > _SIMILAR_WINDOW:
            similar.messages.clear()
        similar.last = now
        if len(similar.messages) <= _SIMILAR_ALLOWED:
            similar.messages.add(message)
        if len(similar.messages) > _SIMILAR_ALLOWED:
            identity: _Identity = (*subject, kind, reason, container)
            message = f"(combined from similar events): {message}"
        else:
            identity = (*subject, kind, reason, container, message)
        if not self._allowed(subject, now):
            return
        if not self._count(identity, message, now, series):
            self._write(identity, about, kind, reason, message, now, series)

    def _leaving(self, about: Object) -> bool:
        """Says whether the object's namespace is being deleted: nothing new may be created there."""
        namespace = self._storage.get("namespaces", "", about["metadata"].get("namespace", "default"))
        return namespace is not None and "deletionTimestamp" in namespace["metadata"]

    def _allowed(self, subject: _Identity, now: float) -> bool:
        allowance = self._allowances.setdefault(subject, _Allowance(_BURST, now))
        allowance.tokens = min(_BURST, allowance.tokens + (now - allowance.at) / _REFILL)
        allowance.at = now
        if allowance.tokens < 1:
            return False
        allowance.tokens -= 1
        return True

    def _count(self, identity: _Identity, message: str, now: float, series: bool) -> bool:
        """Counts one more of an Event that is already there."""
        key = self._known.get(identity)
        event = None if key is None else self._storage.get("events", *key)
        if event is None:
            return False
        if series:
            count = event.get("series", {}).get("count", 1) + 1
            more: Object = {"series": {"count": count, "lastObservedTime": rfc3339_micro(now)}}
        else:
            more = {"count": event["count"] + 1, "lastTimestamp": rfc3339(now), "message": message}
        self._storage.update("events", {**event, **more})
        return True

    def _write(
        self, identity: _Identity, about: Object, kind: str, reason: str, message: str, now: float, series: bool
    ) -> None:
        component, host, container = identity[0], identity[1], identity[5]
        metadata = about["metadata"]
        namespace = metadata.get("namespace", "default")
        involved = {"kind": about["kind"], "namespace": metadata.get("namespace"), "name": metadata["name"]}
        involved |= {"uid": metadata["uid"], "apiVersion": about["apiVersion"]}
        involved["resourceVersion"] = metadata["resourceVersion"]
        if container:
            init, _, name = container.rpartition(":")
            involved["fieldPath"] = f"spec.{'initContainers' if init else 'containers'}{{{name}}}"
        event: Object = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{metadata['name']}.{int(now * 1e9):x}", "namespace": namespace},
            "involvedObject": {field: value for field, value in involved.items() if value is not None},
            "reason": reason,
            "message": message,
            "type": kind,
            "source": {} if series else {"component": component} | ({"host": host} if host else {}),
            "firstTimestamp": None if series else rfc3339(now),
            "lastTimestamp": None if series else rfc3339(now),
            "eventTime": rfc3339_micro(now) if series else None,
            "reportingComponent": component,
            "reportingInstance": f"{component}-cp-0" if series else host,
        }
        if series:
            event["action"] = "Binding" if reason == "Scheduled" else "Scheduling"
        else:
            event["count"] = 1
        while self._storage.get("events", namespace, event["metadata"]["name"]) is not None:
            now += 1e-6  # two of them in one instant: names carry the time
            event["metadata"]["name"] = f"{metadata['name']}.{int(now * 1e9):x}"
        self._storage.create("events", event)
        self._known[identity] = (namespace, event["metadata"]["name"])
        self._expiring.append((now + TIME_TO_LIVE, identity))
        self._await_expiry()

    def _await_expiry(self) -> None:
        if self._expiring and not self._sweeping:
            self._sweeping = True
            self._clock.call_at(self._expiring[0][0], self._sweep)

    def _sweep(self) -> None:
        """Forgets Events nobody repeated for an hour, and what the correlator knew of their objects."""
        self._sweeping = False
        now = self._clock.now()
        while self._expiring and self._expiring[0][0] <= now:
            identity = self._expiring.popleft()[1]
            key = self._known.get(identity)
            if key is None:
                continue
            similar = self._similar.get(identity[:5])
            if similar is not None and similar.last + TIME_TO_LIVE > now:
                self._expiring.append((similar.last + TIME_TO_LIVE, identity))
                continue
            del self._known[identity]
            self._similar.pop(identity[:5], None)
            self._allowances.pop(identity[:3], None)
            if self._storage.get("events", *key) is not None:
                self._storage.delete("events", *key)
        self._await_expiry()
