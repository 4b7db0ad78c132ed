"""Watches: every write is offered to the watches of its resource; each form is encoded once for all of them.

As kubernetes.io/docs/reference/using-api/api-concepts says under "Efficient detection of changes", "Watch bookmarks"
and "Streaming lists".
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from ktui.demo.accept import Form
from ktui.demo.clock import Clock
from ktui.demo.errors import StatusError
from ktui.demo.lists import ListOptions
from ktui.demo.representations import Representation, encode
from ktui.demo.resources import Resource
from ktui.demo.selectors import Predicate, object_predicate
from ktui.demo.storage import Event, Storage

Object = dict[str, Any]

_BOOKMARK_SECONDS = 60.0
_LAST_BOOKMARK_SECONDS = 2.0  # a last bookmark precedes the end by this much
_MOST_PENDING = 16 * 1024 * 1024  # bytes a client may lag behind before its watch is ended
_AT_ONCE = 250
_UNASKED_TIMEOUT = (1800.0, 3600.0)


class _Lines:
    """The lines one event has for watches, by how they see it and in which form; each encoded once."""

    def __init__(self, event: Event, clock: Clock) -> None:
        self.event = event
        self._now = clock.now()
        self._encoded: dict[tuple[str, Form, str, bool], bytes] = {}

    def line(self, kind: str, shape: Representation, *, first: bool) -> bytes:
        key = (kind, shape.form, shape.include, first)
        found = self._encoded.get(key)
        if found is None:
            fresh = Representation(shape.resource, shape.form, shape.include, self._now)
            found = self._encoded[key] = fresh.event(kind, self._object(kind), first=first)
        return found

    def _object(self, kind: str) -> Object:
        """The object as it shows: one that left the selector is last seen as it was, at the version of its leaving."""
        event = self.event
        if kind != "DELETED" or event.type == "DELETED" or event.previous is None:
            return event.object
        version = event.object["metadata"]["resourceVersion"]
        return {**event.previous, "metadata": {**event.previous["metadata"], "resourceVersion": version}}


class Watch:
    """One client's watch.

    Args:
        namespace: one namespace, or None for all.
        matches: the selectors, or None for everything.
        shape: the form asked for.
        beyond: events up to this version are not sent.
    """

    def __init__(self, namespace: str | None, matches: Predicate | None, shape: Representation, beyond: int) -> None:
        self.shape = shape
        self.ended = False
        self.wake = asyncio.Event()
        self._namespace = namespace
        self._matches = matches
        self._beyond = beyond
        self._pending: list[bytes] = []
        self._size = 0
        self._first = True

    def offer(self, lines: _Lines) -> None:
        """Queues an event's line if the watch's selection sees the event."""
        kind = self._seen_as(lines.event)
        if kind is None or lines.event.version <= self._beyond or self.ended:
            return
        line = lines.line(kind, self.shape, first=self.take_first())
        self._pending.append(line)
        self._size += len(line)
        if self._size > _MOST_PENDING:
            self._pending.clear()
            self.end()
        self.wake.set()

    def take(self) -> bytes:
        """What waits to be written; it no longer waits afterwards."""
        pending, self._pending, self._size = self._pending, [], 0
        self.wake.clear()
        return b"".join(pending)

    def end(self) -> None:
        """Ends the watch; what is queued is still written."""
        self.ended = True
        self.wake.set()

    def sees(self, obj: Object) -> bool:
        """Whether an object is in the watch's selection."""
        return self._matches is None or self._matches(obj)

    def take_first(self) -> bool:
        """True once: for the first line."""
        first, self._first = self._first, False
        return first

    def _seen_as(self, event: Event) -> str | None:
        if self._namespace is not None and event.object["metadata"].get("namespace", "") != self._namespace:
            return None
        if self._matches is None:
            return event.type
        before = event.previous is not None and self._matches(event.previous)
        after = event.type != "DELETED" and self._matches(event.object)
        if before and after:
            return "MODIFIED"
        return "ADDED" if after else "DELETED" if before else None


class Watches:
    """All open watches.

    Args:
        storage: whose writes they see.
        clock: for ages in Table cells.
    """

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock
        self._open: dict[str, set[Watch]] = {}
        self._unsubscribe = storage.subscribe(self._offer)

    def __len__(self) -> int:
        return sum(map(len, self._open.values()))

    def end_all(self, resource: str | None = None) -> None:
        """Ends the watches of one resource, or all of them."""
        for key, watches in self._open.items():
            if resource is None or key == resource:
                for watch in watches:
                    watch.end()

    def close(self) -> None:
        """Ends all watches and stops listening to the storage."""
        self._unsubscribe()
        self.end_all()

    async def stream(
        self,
        resource: Resource,
        namespace: str | None,
        options: ListOptions,
        shape: Representation,
        *,
        seconds: float | None,
        bookmarks: bool,
    ) -> AsyncGenerator[bytes, None]:
        """The lines of a watch, as they come, until its time is up.

        Args:
            resource: what to watch.
            namespace: one namespace, or None for all.
            options: the query.
            shape: the form asked for.
            seconds: how long it may last, None for half an hour to an hour.
            bookmarks: whether the client allows bookmarks.
        """
        loop = asyncio.get_running_loop()
        started = loop.time()
        deadline = started + (seconds or random.uniform(*_UNASKED_TIMEOUT))
        matches = object_predicate(resource.key, options.labels, options.fields)
        watch = Watch(namespace, matches, shape, options.version or 0)
        initial = options.send_initial_events or (not options.version and options.send_initial_events is None)
        if not initial:
            failure = self._catch_up(watch, resource, options.version or self._storage.version)
            if failure:
                yield failure
                return
        mine = self._open.setdefault(resource.key, set())
        mine.add(watch)
        try:
            if initial:
                reached = self._storage.version
                async for lines in self._initial(watch, resource, namespace):
                    yield lines
                if bookmarks:
                    yield shape.bookmark(reached, first=watch.take_first(), initial_events_end=True)
            next_bookmark = self._next_bookmark(loop.time(), deadline)
            while not watch.ended and (now := loop.time()) < deadline:
                if lines := watch.take():
                    yield lines
                    continue
                if bookmarks and now >= next_bookmark:
                    yield shape.bookmark(self._storage.version, first=watch.take_first())
                    next_bookmark = self._next_bookmark(now, deadline)
                due = min(deadline, next_bookmark) if bookmarks else deadline
                timer = loop.call_at(due, watch.wake.set)
                try:
                    await watch.wake.wait()
                finally:
                    timer.cancel()
            if lines := watch.take():
                yield lines
        finally:
            mine.discard(watch)

    def _offer(self, event: Event) -> None:
        watches = self._open.get(event.resource)
        if watches:
            lines = _Lines(event, self._clock)
            for watch in watches:
                watch.offer(lines)

    def _catch_up(self, watch: Watch, resource: Resource, version: int) -> bytes:
        """Queues what happened since a version; returns an ERROR line when that is no longer known."""
        try:
            missed = self._storage.since(resource.key, version)
        except StatusError as gone:
            return encode({"type": "ERROR", "object": gone.body()}) + b"\n"
        for event in missed:
            watch.offer(_Lines(event, self._clock))
        return b""

    async def _initial(self, watch: Watch, resource: Resource, namespace: str | None) -> AsyncIterator[bytes]:
        # The list is taken at the moment the watch opens; what is written while it is sent waits in the queue.
        objects = self._storage.list(resource.key, namespace)
        for start in range(0, len(objects), _AT_ONCE):
            lines = [
                watch.shape.event("ADDED", obj, first=watch.take_first())
                for obj in objects[start : start + _AT_ONCE]
                if watch.sees(obj)
            ]
            if lines:
                yield b"".join(lines)
            await asyncio.sleep(0)

    def _next_bookmark(self, now: float, deadline: float) -> float:
        last = deadline - _LAST_BOOKMARK_SECONDS
        if now < last:
            return min(now + _BOOKMARK_SECONDS, last)
        return deadline + 1
