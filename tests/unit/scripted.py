"""Scripted: a cluster that answers actions from what a test gives it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ktui.actions.action import Action, JsonObject, Said, Step, Target
from ktui.kinds.names import GVR, ObjectKey
from ktui.kube.discovery import Discovery
from ktui.kube.errors import Forbidden, NotFound


@dataclass
class Scripted:
    """A cluster; what it is not given, it refuses to tell.

    Attributes:
        listed: the objects of each resource, whatever is asked.
        got: what is answered to `get`, by resource and subresource.
        seen: what a watch of one object tells, one after the other; then nothing more happens.
        closed: how many watches were closed.
    """

    listed: dict[str, list[JsonObject]] = field(default_factory=dict)
    got: dict[tuple[str, str], JsonObject] = field(default_factory=dict)
    seen: Sequence[JsonObject | None] = ()
    closed: int = 0
    opened: int = 0
    context: str = "test"
    namespace: str = "shop"
    now: float = 1_800_000_000.0

    async def discovery(self, *, anew: bool = False) -> Discovery:
        """What is served: nothing."""
        return Discovery([])

    async def get(self, gvr: GVR, key: ObjectKey, subresource: str = "") -> JsonObject:
        """What was given."""
        try:
            return self.got[gvr.resource, subresource]
        except KeyError:
            raise NotFound(404, "NotFound", f"{gvr.resource} not found") from None

    async def objects(self, gvr: GVR, namespace: str = "", *, labels: str = "", fields: str = "") -> list[JsonObject]:
        """What was given."""
        return self._listed(gvr)

    async def watch(self, gvr: GVR, key: ObjectKey) -> AsyncGenerator[JsonObject | None, None]:
        """What was given, each when the one before has been looked at."""
        self.opened += 1
        try:
            for item in self.seen:
                yield item
                for _ in range(20):
                    await asyncio.sleep(0)
            await asyncio.Event().wait()
        finally:
            self.closed += 1

    async def watch_all(
        self, gvr: GVR, namespace: str = "", *, labels: str = "", fields: str = ""
    ) -> AsyncGenerator[list[JsonObject], None]:
        """What was given."""
        self.opened += 1
        try:
            yield self._listed(gvr)
            await asyncio.Event().wait()
        finally:
            self.closed += 1

    def _listed(self, gvr: GVR) -> list[JsonObject]:
        if gvr.resource not in self.listed:
            raise Forbidden(403, "Forbidden", f'{gvr.resource} is forbidden: User "dev" cannot list resource')
        return self.listed[gvr.resource]


@dataclass
class Followed:
    """An action that is followed; see `Doing`."""

    cluster: Scripted
    target: Target
    values: Mapping[str, Any] = field(default_factory=dict)
    results: Sequence[JsonObject] = ()

    async def write(self, step: Step) -> JsonObject:
        """Nothing is written any more."""
        raise AssertionError(step)

    async def told(self, action: Action) -> list[Said]:
        """Everything that is told, to the end; it must come."""
        assert action.follow is not None
        async with asyncio.timeout(5):
            said = [one async for one in action.follow(self)]
        assert self.cluster.closed == self.cluster.opened, "a watch was left open"
        return said
