"""Reflector: keeps the rows of one kind in one scope as the server has them, for as long as it runs.

List, then watch from the list's version, with bookmarks. A watch that ends cleanly is resumed from the last version;
one that breaks is resumed after a pause; one that is too old is followed by a new list, which replaces rows without
ever clearing them. A reflector never ends by itself: whatever goes wrong becomes a state that a pane can show.

Source: client-go's tools/cache/reflector.go, and https://kubernetes.io/docs/reference/using-api/api-concepts/
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import aclosing

import msgspec

from ktui.kube.backoff import Backoff
from ktui.kube.errors import ApiError, ConnectionFailed, Expired, Forbidden, KtuiError, NotFound
from ktui.kube.list_watch import ListWatch
from ktui.kube.page import Event
from ktui.kube.state import Absent, Denied, Listing, Live, Polled, Stale, State, Waiting
from ktui.kube.store import Store

log = logging.getLogger(__name__)

# Rights are granted and kinds installed while people look; asking once a minute costs next to nothing.
RECHECK = 60.0
# How often a kind is listed that the user may list but not watch.
UNWATCHABLE_EVERY = 15.0
# A watch that ends sooner is treated as broken, whatever it said, or it would be opened in a tight loop.
SHORTEST_WATCH = 1.0
# Seconds between two looks at how far a list is.
PROGRESS_EVERY = 0.1
# Versions that expire twice within this many seconds point to a server that cannot keep up.
EXPIRES_OFTEN = 30.0


class _ShortWatchError(KtuiError):
    """The server, or something on the way, accepted a watch and closed it at once (client-go: VeryShortWatchError)."""


class Reflector:
    """Keeps one store current for one namespace, or for all.

    Args:
        list_watch: where objects come from.
        store: where rows go; others may share it for other namespaces.
        on_state: called with every new state.
        every: seconds between lists for kinds that cannot be watched; 0 to watch.
        backoff: how long to wait after failures.
        now: seconds of a monotonic clock.
    """

    def __init__(
        self,
        list_watch: ListWatch,
        store: Store,
        on_state: Callable[[State], None],
        *,
        every: float = 0.0,
        backoff: Backoff | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.state: State = Waiting()
        self._list_watch = list_watch
        self._store = store
        self._on_state = on_state
        self._every = every
        self._backoff = backoff or Backoff()
        self._now = now
        self._unwatchable = ""
        self._listed = False
        self._woken = asyncio.Event()
        # The last version seen, from which a broken watch is resumed; empty when a list is needed.
        self._version = ""
        self._expired_at = self._told_at = float("-inf")

    def retry(self) -> None:
        """Try again at once instead of waiting: the person asked, or the credentials are new."""
        # With new credentials it may be allowed to watch.
        self._unwatchable = ""
        self._woken.set()

    async def run(self) -> None:
        """Keep the store current until cancelled."""
        while True:
            try:
                if not self._version:
                    self._version = await self._list()
                await self._follow()
            except Exception as error:
                await self._recover(error)

    async def _list(self, *, paged: bool = True) -> str:
        """One complete list; returns its version. Rows that it did not show are dropped at its end."""
        # What this list does not show is no longer there.
        unseen = self._store.keys_in(self._list_watch.namespace)
        landed, version = 0, ""
        try:
            async with aclosing(self._list_watch.pages(paged=paged)) as pages:
                async for page in pages:
                    if not version:
                        version = page.version
                        self._store.begin_list(self._list_watch.namespace, abridged=page.abridged)
                    self._store.put(page.rows)
                    if unseen:
                        unseen.difference_update([row.key for row in page.rows])
                    landed += len(page.rows)
                    if page.next and not self._listed:
                        self._tell_progress(landed, page.remaining)
                    # Let keys and frames in between pages.
                    await asyncio.sleep(0)
        except Expired:
            if not paged:
                raise
            # The continue token outlived the list's snapshot: one list in one answer cannot expire (client-go's pager).
            return await self._list(paged=False)
        self._store.discard(unseen)
        self._listed = True
        return version

    def _tell_progress(self, landed: int, remaining: int | None) -> None:
        """Say how far the list is, though not more often than it can be read."""
        now = self._now()
        if not isinstance(self.state, Listing) or now - self._told_at >= PROGRESS_EVERY:
            self._told_at = now
            self._become(Listing(landed, landed + remaining if remaining is not None else None))

    async def _follow(self) -> None:
        """Watch from the last version, or wait until the next list is due; returns when something else is due."""
        if every := self._every or (UNWATCHABLE_EVERY if self._unwatchable else 0.0):
            self._become(Polled(self._now(), every, self._unwatchable))
            self._version = ""
            await self._sleep(every)
            return
        opened, since = self._now(), self._version
        try:
            async with aclosing(self._list_watch.watch(self._version, on_open=lambda: self._become(Live()))) as watch:
                async for events in watch:
                    self._apply(events)
        except ApiError as refused:
            if refused.status not in (403, 405):
                raise
            # May be listed but not watched: list again and again, and say so.
            self._unwatchable = refused.sentence
            return
        except ConnectionFailed as failed:
            if failed.reason == "timed out" and self._version == since:
                # Not even a bookmark came. A server restored from a backup is silent like this towards a version that
                # it has not reached again, and would skip what happens until then.
                self._version = ""
            raise
        if self._now() - opened < SHORTEST_WATCH:
            raise _ShortWatchError("The watch is closed as soon as it opens.")

    def _apply(self, events: list[Event]) -> None:
        for event in events:
            if event.row is not None:
                if event.type == "DELETED":
                    self._store.remove(event.row.key)
                else:
                    self._store.put((event.row,))
            self._version = event.version or self._version

    async def _recover(self, error: Exception) -> None:
        """Turn a failure into a state, and wait until it is worth trying again."""
        now = self._now()
        match error:
            case Expired():
                # The server no longer reaches back to our version. The rows stay until the new list replaces them.
                # Only versions that expire again and again are waited for, or the lists would hammer the server.
                self._version = ""
                again, self._expired_at = now - self._expired_at < EXPIRES_OFTEN, now
                delay = self._backoff.next(now, error.retry_after) if again else 0.0
                self._become(self._stale("listing again", now, delay))
            case Forbidden():
                # What was seen before stays readable; the state says that it is no longer followed.
                self._version = ""
                self._become(Denied(f"list {self._list_watch.kind.gvr.resource}", error.sentence))
                delay = RECHECK
            case NotFound():
                self._version, self._listed = "", False
                self._store.discard(self._store.keys_in(self._list_watch.namespace))
                self._become(Absent(error.sentence))
                delay = RECHECK
            case _:
                delay = self._backoff.next(now, getattr(error, "retry_after", None))
                self._become(self._stale(self._reason(error), now, delay))
        await self._sleep(delay)

    def _reason(self, error: Exception) -> str:
        if isinstance(error, ConnectionFailed):
            return error.reason
        if isinstance(error, KtuiError):
            if isinstance(error, ApiError) and error.status not in (401, 429, 503):
                # Not a fault of the line: our version may be what the server cannot serve.
                self._version = ""
            return error.sentence
        self._version = ""
        if isinstance(error, msgspec.DecodeError):
            return "the server's answer cannot be read"
        log.error("unexpected failure while reflecting %s", self._list_watch.kind.gvr, exc_info=error)
        return f"unexpected failure: {type(error).__name__}"

    def _stale(self, reason: str, now: float, delay: float) -> Stale:
        since = self.state.since if isinstance(self.state, Stale) else now
        return Stale(since, reason, now + delay, self._listed)

    def _become(self, state: State) -> None:
        if state != self.state:
            self.state = state
            self._on_state(state)

    async def _sleep(self, seconds: float) -> None:
        self._woken.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            pass
