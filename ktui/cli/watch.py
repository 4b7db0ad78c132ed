"""`ktui get --watch`: rows are printed again whenever their object changes."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from argparse import Namespace
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ktui.cli.rows import RowWriter
from ktui.kinds.names import ObjectKey
from ktui.kinds.row import Row
from ktui.kube.client import Client
from ktui.kube.errors import KtuiError
from ktui.kube.feed import Feed, Scope
from ktui.kube.state import Absent, Denied, Stale, complete

if TYPE_CHECKING:
    from ktui.cli.get import Wanted


async def print_changes(client: Client, wanted: Wanted, writer: RowWriter, arguments: Namespace) -> int:
    """Print all rows once, then each again when its object changes, and as it last was when it is deleted.

    A connection that breaks is made again, and what changed meanwhile is printed then. It ends when it is interrupted,
    or when nobody reads any more.

    Args:
        client: whom to ask.
        wanted: one kind, and at most one name.
        writer: prints.
        arguments: of the command line: selectors.

    Raises:
        KtuiError: it cannot be listed, or no longer.
        BrokenPipeError: whoever read our output has gone.
    """
    kind, labels = wanted.kind, arguments.selector
    fields = f"metadata.name={wanted.names[0]}" if wanted.names else arguments.field_selector
    for namespace in wanted.namespaces:
        # Whoever is refused learns why in the server's own words, before anything is followed.
        query = {"limit": "1", "labelSelector": labels, "fieldSelector": fields}
        await client.request(
            "GET", kind.gvr.path(namespace), query={key: value for key, value in query.items() if value}
        )
    namespaces = tuple(namespace for namespace in wanted.namespaces if namespace)
    feed = Feed(kind, Scope(kind.gvr, namespaces, labels, fields, whole=True), tuple)
    following = _Following(feed, writer)
    tasks: list[asyncio.Task[None]] = []

    def start(running: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        tasks.append(asyncio.create_task(running))
        return tasks[-1]

    feed.start(client, start)
    try:
        with _when_unread(following.stop):
            await following.run()
    finally:
        feed.stop()
        await asyncio.gather(*tasks, return_exceptions=True)
    return 0


class _Following:
    """Prints what changes in a feed."""

    def __init__(self, feed: Feed, writer: RowWriter) -> None:
        self._feed = feed
        self._writer = writer
        self._woken = asyncio.Event()
        self._stopped = False
        self._begun = False
        self._troubled = False
        self._printed: dict[ObjectKey, Row] = {}
        self._changes = feed.store.subscribe(self._woken.set)
        feed.listen(self._woken.set)

    def stop(self) -> None:
        """End `run`."""
        self._stopped = True
        self._woken.set()

    async def run(self) -> None:
        """Print until stopped."""
        while not self._stopped:
            await self._woken.wait()
            self._woken.clear()
            self._tell_trouble()
            if self._begun or complete(self._feed.state):
                self._print()

    def _tell_trouble(self) -> None:
        state = self._feed.state
        if isinstance(state, Denied | Absent):
            raise KtuiError(state.message)
        if isinstance(state, Stale) != self._troubled:
            self._troubled = not self._troubled
            news = f"{state.reason}; trying again" if isinstance(state, Stale) else "up to date again"
            print(f"ktui: {news.rstrip('.')}.", file=sys.stderr)

    def _print(self) -> None:
        rows = self._feed.store.rows
        changed = self._changes.drain()
        if not self._begun:
            self._begun = True
            keys = [key for key in rows if key in changed]
        else:
            keys = sorted(changed)
        # A deleted object is printed once more as it last was, as kubectl does.
        found = [row for key in keys if (row := rows.get(key) or self._printed.get(key)) is not None]
        for key in keys:
            if key in rows:
                self._printed[key] = rows[key]
            else:
                self._printed.pop(key, None)
        if found:
            self._writer.write(self._feed.kind, found)
            sys.stdout.flush()


@contextmanager
def _when_unread(unread: Callable[[], None]) -> Iterator[None]:
    """Call `unread` as soon as the other end of the pipe we write to is closed, instead of at the next write.

    The event loop reports that of a pipe's writing end as if there were something to read.
    """
    descriptor = sys.stdout.fileno()
    mode = os.fstat(descriptor).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        yield
        return
    loop = asyncio.get_running_loop()

    def gone() -> None:
        loop.remove_reader(descriptor)
        unread()

    loop.add_reader(descriptor, gone)
    try:
        yield
    finally:
        loop.remove_reader(descriptor)
