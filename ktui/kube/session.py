"""Session: one context of a kubeconfig, and everything that is kept current in it.

A session owns all network tasks; screens subscribe to feeds and never own a task. Feeds are shared by everyone who
looks at the same scope, and linger a minute after the last one has gone, so that going back is instant.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from ktui.kinds.kind import Kind
from ktui.kube.access import whoami
from ktui.kube.backoff import Backoff
from ktui.kube.client import Client
from ktui.kube.errors import ConfigError, Forbidden, KtuiError, NotFound
from ktui.kube.feed import Feed, Scope
from ktui.kube.state import Stale, Unusable, Waiting

if TYPE_CHECKING:
    # Imported when somebody asks what is served: the first rows do not wait for it.
    from ktui.kube.discovery import Discovery

log = logging.getLogger(__name__)

LINGER = 60.0

FIRST_ANSWER_WITHIN = 1.0
"""Seconds for which lists go before everything else that is asked when the connection stands."""


@dataclass
class Server:
    """What is known of the server and of the user, as it becomes known.

    Attributes:
        version: `v1.36.3`; empty until asked.
        user: whom the server takes us for; empty until asked, or where it does not tell.
    """

    version: str = ""
    user: str = ""


class _Version(msgspec.Struct, rename="camel"):
    git_version: str = ""


class View:
    """One viewer's hold on a feed; closing it lets the feed go when nobody else looks.

    Attributes:
        feed: the rows and their state.
    """

    def __init__(self, feed: Feed, close: Callable[[], None]) -> None:
        self.feed = feed
        self._close: Callable[[], None] | None = close

    def close(self) -> None:
        """Look no longer; may be called twice."""
        if self._close is not None:
            self._close()
            self._close = None


class Session:
    """One context: its connection, its feeds, its discovery.

    Args:
        connect: makes the client; called again after `reconnect`.
        known_namespaces: namespaces to fall back to for users who may not list in all at once.
        linger: seconds a feed lives on without viewers.
        clock: epoch seconds, against which ages are told.

    Attributes:
        client: the connection, once there is one.
        server: what is known of the server and of the user.
        trouble: why there is no connection; None while there is one, or while the first is being made.
        clock: as above.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[Client]],
        *,
        known_namespaces: Callable[[], tuple[str, ...]] = tuple,
        linger: float = LINGER,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.clock = clock
        self.client: Client | None = None
        self.server = Server()
        self.trouble: Stale | Unusable | None = None
        self._connect = connect
        self._known_namespaces = known_namespaces
        self._linger = linger
        self._feeds: dict[Scope, Feed] = {}
        self._ends: dict[Feed, asyncio.TimerHandle] = {}
        self._listeners: set[Callable[[], None]] = set()
        self._tasks: asyncio.TaskGroup | None = None
        self._again = asyncio.Event()
        self._connection = asyncio.Event()
        self._discovery: asyncio.Task[Discovery] | None = None

    # -- lifecycle ---------------------------------------------------------------------------

    async def run(self) -> None:
        """Connect, and keep every opened feed current until cancelled."""
        try:
            async with asyncio.TaskGroup() as self._tasks:
                self.client = await self._connected()
                self._connection.set()
                for feed in tuple(self._feeds.values()):
                    self._start(feed)
                self._changed()
                # Who we are can wait until somebody's rows have been asked for.
                await self._first_answer()
                self._tasks.create_task(self._learn(self._learn_version))
                self._tasks.create_task(self._learn(self._learn_user))
                await asyncio.Event().wait()
        finally:
            # After the tasks have ended: to them, a closed client would look like a broken connection.
            for timer in self._ends.values():
                timer.cancel()
            if self._discovery is not None:
                self._discovery.cancel()
            if self.client is not None:
                await self.client.close()

    async def connected(self, within: float) -> None:
        """Wait until there is a connection, though not for long.

        Args:
            within: seconds.
        """
        await _wait(self._connection, within)

    def retry(self) -> None:
        """Try again at once whatever waits: the connection, or any feed."""
        self._again.set()
        for feed in self._feeds.values():
            feed.retry()

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` when the connection, the server's version or the user is known; returns what ends that."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    # -- feeds -------------------------------------------------------------------------------

    def open(
        self,
        kind: Kind,
        namespaces: tuple[str, ...] = (),
        *,
        labels: str = "",
        fields: str = "",
        every: float = 0.0,
        whole: bool = False,
    ) -> View:
        """Look at a kind; may be called before there is a connection.

        Args:
            kind: what to look at.
            namespaces: where; empty for all. Cluster-scoped kinds have no namespaces.
            labels: a label selector.
            fields: a field selector.
            every: seconds between lists for kinds that cannot be watched; 0 to watch.
            whole: whether all objects are needed whole, however many there are.
        """
        scope = Scope(kind.gvr, tuple(sorted(namespaces)) if kind.namespaced else (), labels, fields, whole)
        known = self._feeds.get(scope)
        return self.reopen(known or Feed(kind, scope, self._known_namespaces, every, self.clock))

    def reopen(self, feed: Feed) -> View:
        """Look again at a feed that was let go; its rows were kept, and are brought up to date.

        Args:
            feed: one of this session's.
        """
        if (timer := self._ends.pop(feed, None)) is not None:
            timer.cancel()
        # Somebody else may have opened the same scope meanwhile; then two feeds are kept until one is let go.
        self._feeds.setdefault(feed.scope, feed)
        if not feed.running:
            self._start(feed)
        feed.viewers += 1
        return View(feed, lambda: self._close(feed))

    def rows_held(self) -> int:
        """How many rows all feeds hold, those that linger included."""
        return sum(len(feed.store) for feed in {*self._feeds.values(), *self._ends})

    def _start(self, feed: Feed) -> None:
        """Begin to list and watch; when there is no connection yet, say why."""
        tasks = self._tasks
        if self.client is None or tasks is None:
            feed.become(self.trouble or Waiting())
            return
        feed.start(self.client, tasks.create_task)

    def _close(self, feed: Feed) -> None:
        feed.viewers -= 1
        if feed.viewers > 0:
            return
        if not feed.running or self._feeds.get(feed.scope) is not feed:
            self._end(feed)
        else:
            loop = asyncio.get_running_loop()
            self._ends[feed] = loop.call_later(self._linger, self._end, feed)

    def _end(self, feed: Feed) -> None:
        self._ends.pop(feed, None)
        if self._feeds.get(feed.scope) is feed:
            del self._feeds[feed.scope]
        feed.stop()

    # -- what is served ----------------------------------------------------------------------

    async def discovery(self) -> Discovery:
        """What the server serves; asked once, and again after a failure. Waits for the connection.

        Raises:
            KtuiError: the server cannot be asked.
        """
        from ktui.kube.discovery import discover

        await self._connection.wait()
        assert self.client is not None
        if self._discovery is None or (self._discovery.done() and _failed(self._discovery)):
            self._discovery = asyncio.ensure_future(discover(self.client))
        return await asyncio.shield(self._discovery)

    def forget_discovery(self) -> None:
        """Ask again what is served: a kind was not found that may have been installed since."""
        if self._discovery is not None and self._discovery.done():
            self._discovery = None

    # -- the connection ----------------------------------------------------------------------

    async def _connected(self) -> Client:
        backoff = Backoff()
        while True:
            self._again.clear()
            try:
                client = await self._connect()
            except ConfigError as error:
                # Nothing in the configuration changes by waiting; the person does something and asks again.
                self._in_trouble(Unusable(error.sentence, error.next_step))
                await self._again.wait()
            except KtuiError as error:
                now = time.monotonic()
                delay = backoff.next(now)
                self._in_trouble(Stale(now, error.sentence, now + delay, complete=False))
                await _wait(self._again, delay)
            else:
                self.trouble = None
                return client

    async def _first_answer(self) -> None:
        """Wait until a feed has heard from the server, though not for long."""
        heard = asyncio.Event()
        ends = [feed.listen(heard.set) for feed in self._feeds.values()]
        if ends:
            await _wait(heard, FIRST_ANSWER_WITHIN)
        for end in ends:
            end()

    def _in_trouble(self, trouble: Stale | Unusable) -> None:
        self.trouble = trouble
        for feed in self._feeds.values():
            feed.become(trouble)
        self._changed()

    async def _learn(self, ask: Callable[[Client], Coroutine[Any, Any, None]]) -> None:
        """Ask until it is answered; nobody waits for it, and what it would tell is left out meanwhile."""
        assert self.client is not None
        backoff = Backoff()
        while True:
            try:
                await ask(self.client)
            except (Forbidden, NotFound, msgspec.MsgspecError) as error:
                # Asking again would not help.
                log.debug("not told: %s", error)
                return
            except KtuiError as error:
                log.debug("asked in vain: %s", error.sentence)
                await asyncio.sleep(backoff.next(time.monotonic(), getattr(error, "retry_after", None)))
            else:
                self._changed()
                return

    async def _learn_version(self, client: Client) -> None:
        self.server.version = (await client.get_json("/version", _Version)).git_version

    async def _learn_user(self, client: Client) -> None:
        self.server.user = await whoami(client) or ""

    def _changed(self) -> None:
        for listener in tuple(self._listeners):
            listener()


def _failed(task: asyncio.Task[Discovery]) -> bool:
    return task.cancelled() or task.exception() is not None


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
