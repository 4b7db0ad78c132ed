"""Reflectors: whatever goes wrong in whatever order, the rows end up as the server's objects."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st

from ktui.kinds.names import ObjectKey
from ktui.kube.errors import ApiError, ConnectionFailed, Expired, ServerError
from ktui.kube.list_watch import ListWatch
from ktui.kube.page import Event, Page
from ktui.kube.reflector import Reflector
from ktui.kube.state import Live, State
from ktui.kube.store import Store
from tests.unit.test_reflector import KIND, Impatient, row

WRITES = tuple(f"{what} {name}" for what in ("put", "delete") for name in "abcd")
FAULTS = ("end", "break", "expire", "expire", "silence", "error", "refuse", "bookmark")
_PAGE = 2


class World:
    """A server whose objects change, and on which things go wrong, step by step as planned.

    Args:
        plan: bursts of `WRITES` and `FAULTS`; one burst comes before each page and each batch of events.
    """

    kind = KIND
    namespace = ""

    def __init__(self, plan: list[list[str]]) -> None:
        self.now = 0.0
        self.objects: dict[str, str] = {}
        self.settled = asyncio.Event()
        self._plan = plan[::-1]
        self._version = 1
        self._history: list[tuple[int, str, str]] = []
        self._oldest = 0

    async def pages(self, *, paged: bool = True) -> AsyncIterator[Page]:
        version, names = self._version, sorted(self.objects)
        rows = [row(name, self.objects[name]) for name in names]
        size = _PAGE if paged else len(rows) or 1
        for start in range(0, len(rows) or 1, size):
            self._burst()
            if version < self._oldest and start:
                raise Expired(410, "Expired", "the continue token is too old")
            yield Page(rows[start : start + size], str(version), "more" if start + size < len(rows) else "", None)

    async def watch(self, version: str, on_open: Callable[[], None]) -> AsyncGenerator[list[Event], None]:
        self.now += 60
        seen = int(version)
        if seen < self._oldest:
            raise Expired(410, "Expired", "too old resource version")
        on_open()
        while True:
            steps = self._burst()
            if seen < self._oldest:
                raise Expired(410, "Expired", "too old resource version")
            if "end" in steps:
                return
            if "bookmark" in steps:
                # It says that everything up to its version has been sent, so that comes first.
                yield [*self._since(seen), Event("BOOKMARK", str(self._version), None)]
                seen = self._version
            elif events := self._since(seen):
                # Some at a time, so that faults come between them.
                yield events[:_PAGE]
                seen = int(events[:_PAGE][-1].version)
            elif not self._plan:
                self.settled.set()
                await asyncio.Event().wait()

    def _since(self, seen: int) -> list[Event]:
        return [
            Event(what, str(version), row(name, str(version)))
            for version, what, name in self._history
            if version > seen
        ]

    def _burst(self) -> list[str]:
        """Take the next steps of the plan, up to the first failure, which is raised."""
        steps = self._plan.pop() if self._plan else []
        for step in steps:
            self._step(*step.partition(" ")[::2])
        return steps

    def _step(self, what: str, name: str) -> None:
        match what:
            case "put":
                self._write("MODIFIED" if name in self.objects else "ADDED", name)
                self.objects[name] = str(self._version)
            case "delete" if name in self.objects:
                self._write("DELETED", name)
                del self.objects[name]
            case "expire":
                self._version += 1
                self._oldest = self._version
                self._history.clear()
            case "break":
                raise ConnectionFailed("https://x", "connection reset")
            case "silence":
                raise ConnectionFailed("https://x", "timed out")
            case "error":
                raise ServerError(500, "InternalError", "etcd")
            case "refuse":
                raise ApiError(429, "", "slow down")

    def _write(self, what: str, name: str) -> None:
        self._version += 1
        self._history.append((self._version, what, name))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(st.sampled_from([*WRITES, *FAULTS]), max_size=4), max_size=25))
def test_the_rows_end_up_as_the_objects(plan: list[list[str]]) -> None:
    """Nothing is lost, nothing is left over, every row is in its last version, and the end is live."""

    async def run() -> tuple[dict[str, str], dict[str, str], State | None]:
        world, store, states = World(plan), Store(KIND), list[State]()
        list_watch = cast("ListWatch", world)
        reflector = Reflector(list_watch, store, states.append, backoff=Impatient(), now=lambda: world.now)
        task = asyncio.create_task(reflector.run())
        try:
            await asyncio.wait_for(world.settled.wait(), 10)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        rows = {key.name: found.object.metadata.resource_version for key, found in store.rows.items()}
        assert all(key == ObjectKey("a", key.name) for key in store.rows)
        return rows, world.objects, states[-1]

    rows, objects, state = asyncio.run(run())
    assert rows == objects
    assert state == Live()
