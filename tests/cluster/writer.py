"""Writer: creates, changes and deletes objects without pause, also while the server is away now and then."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from ktui.kube.client import Client
from ktui.kube.errors import NotFound
from tests.cluster.objects import Manifest, Objects, persistently

_MOST = 12


class Writer:
    """Writes to objects of one sort.

    Args:
        client: an admin's.
        make: an object by its name.

    Attributes:
        writes: how many have succeeded.
    """

    def __init__(self, client: Client, make: Callable[[str], Manifest]) -> None:
        self.writes = 0
        self._objects = Objects(client)
        self._make = make
        self._random = random.Random(1)
        self._there: list[str] = []
        self._made = 0

    async def write(self) -> None:
        """Create, change or delete one object."""
        chosen = self._random.random()
        if not self._there or (chosen < 0.4 and len(self._there) < _MOST):
            self._made += 1
            # A deleted name is used again now and then: another object, of another UID.
            name = f"w-{self._made % (_MOST + 3)}"
            if name not in self._there:
                self._there.append(name)
            await persistently(lambda: self._objects.apply(self._make(name)))
        elif chosen < 0.75:
            manifest = self._make(self._random.choice(self._there))
            mark = {"metadata": {"labels": {"mark": str(self.writes)}}}
            try:
                await persistently(lambda: self._objects.change(manifest, mark))
            except NotFound:
                # A deletion was heard although its answer was lost.
                self._there.remove(manifest["metadata"]["name"])
        else:
            name = self._there.pop(self._random.randrange(len(self._there)))
            await persistently(lambda: self._objects.delete(self._make(name)))
        self.writes += 1


@asynccontextmanager
async def writing(writer: Writer) -> AsyncIterator[Writer]:
    """Write until left; the last write is complete then."""
    ended = asyncio.Event()

    async def run() -> None:
        while not ended.is_set():
            await writer.write()

    task = asyncio.create_task(run())
    try:
        yield writer
    finally:
        ended.set()
        await task
