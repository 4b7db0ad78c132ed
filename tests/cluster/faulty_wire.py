"""Faulty wire: loses requests and answers on their way, keeps them waiting, and goes away altogether."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum, auto

from aiohttp import web

from tests.cluster.wire import Asked, Wire

When = Callable[[Asked], bool]


class Loss(Enum):
    """What gets lost."""

    REQUEST = auto()
    ANSWER = auto()


@dataclass
class _Order:
    loss: Loss
    when: When
    times: int


def is_write(asked: Asked) -> bool:
    """Whether a request changes something; dry runs do not."""
    return asked.method != "GET" and "dryRun" not in asked.query and "selfsubject" not in asked.path


def is_dry_run(asked: Asked) -> bool:
    """Whether a request asks what would be changed."""
    return "dryRun" in asked.query


class FaultyWire(Wire):
    """A wire on which things get lost.

    Attributes:
        waiting: how many requests are kept waiting.
    """

    waiting = 0

    def lose(self, loss: Loss, when: When = is_write, times: int = 1) -> None:
        """Break the connection of the next requests: before the cluster hears of them, or after it did them."""
        self._orders.append(_Order(loss, when, times))

    def mend(self) -> None:
        """Lose nothing any more."""
        self._orders.clear()

    def keep_waiting(self, when: When = is_write) -> asyncio.Event:
        """Keep requests waiting, and all that follow; setting what is returned lets them go on."""
        goes_on = asyncio.Event()
        self._waits.append((when, goes_on))
        return goes_on

    @property
    def writes(self) -> list[Asked]:
        """The writes that came by."""
        return [asked for asked in self.asked if is_write(asked)]

    @asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        """Nobody listens, and all connections are broken, until this is left."""
        for site in list(self._runner.sites):
            await site.stop()
        port = int(self.url.rpartition(":")[2])
        assert self._runner.server is not None
        for connection in list(self._runner.server.connections):
            if connection.transport is not None:
                connection.transport.abort()
        try:
            yield
        finally:
            await web.TCPSite(self._runner, "127.0.0.1", port, ssl_context=self._identity.context).start()

    async def __aenter__(self) -> FaultyWire:
        self._orders: list[_Order] = []
        self._waits: list[tuple[When, asyncio.Event]] = []
        await super().__aenter__()
        return self

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        asked = Asked(request.method, request.path, dict(request.query))
        order = next((order for order in self._orders if order.when(asked)), None)
        if order is not None:
            order.times -= 1
            if not order.times:
                self._orders.remove(order)
        if order is not None and order.loss is Loss.REQUEST:
            self.asked.append(asked)
            return _cut(request)
        for when, goes_on in tuple(self._waits):
            if when(asked) and not goes_on.is_set():
                self.waiting += 1
                try:
                    await goes_on.wait()
                finally:
                    self.waiting -= 1
        response = await super()._handle(request)
        return response if order is None else _cut(request)


def _cut(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
