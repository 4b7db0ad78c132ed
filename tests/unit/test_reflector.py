"""Reflectors: what they make of lists, watches and failures, on a scripted server and a clock that stands still."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, cast

import msgspec
import pytest

from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR, ObjectKey
from ktui.kinds.objects import Object, ObjectMeta
from ktui.kinds.row import Row
from ktui.kube.backoff import Backoff
from ktui.kube.errors import ApiError, ConnectionFailed, Expired, Forbidden, NotFound, TooManyRequests
from ktui.kube.list_watch import ListWatch
from ktui.kube.page import Event, Page
from ktui.kube.reflector import PROGRESS_EVERY, Reflector
from ktui.kube.state import Absent, Denied, Listing, Live, Polled, Stale, State
from ktui.kube.store import Store

KIND = Kind(gvr=GVR("", "v1", "things"), kind="Thing", namespaced=True, view=Object, columns=())
REFUSED = ConnectionFailed("https://x", "connection refused")
SILENT = ConnectionFailed("https://x", "timed out")
GONE = Expired(410, "Expired", "too old")
DENIED = Forbidden(403, "Forbidden", "no")

Step = Page | Event | Exception


def row(name: str, version: str = "1", namespace: str = "a") -> Row:
    meta = ObjectMeta(name=name, namespace=namespace, uid=name, resource_version=version)
    return Row(ObjectKey(namespace, name), name, Object(meta))


def page(version: str, *names: str, more: str = "", remaining: int | None = None) -> Page:
    return Page([row(name) for name in names], version, more, remaining)


def added(name: str, version: str) -> Event:
    return Event("ADDED", version, row(name, version))


def bookmark(version: str) -> Event:
    return Event("BOOKMARK", version, None)


class Script:
    """A server's side: what each list and each watch does, in turn; the last watch stays open.

    Attributes:
        asked: `list`, `list all` or `watch VERSION`.
    """

    kind = KIND
    namespace = ""

    def __init__(self, *turns: tuple[Step, ...], lasts: float = 60.0) -> None:
        self.asked: list[str] = []
        self.now = 1000.0
        self._turns: Iterator[tuple[Step, ...]] = iter(turns)
        self._lasts = lasts
        self.quiet = asyncio.Event()

    async def pages(self, *, paged: bool = True) -> AsyncIterator[Page]:
        self.asked.append("list" if paged else "list all")
        self.now += 1
        for step in next(self._turns, None) or await self._rest():
            if isinstance(step, Exception):
                raise step
            if isinstance(step, Page) and step.next:
                self.now += PROGRESS_EVERY
            yield cast("Page", step)

    async def watch(self, version: str, on_open: Callable[[], None]) -> AsyncGenerator[list[Event], None]:
        self.asked.append(f"watch {version}")
        turn = next(self._turns, None)
        if turn and isinstance(turn[0], ApiError):
            raise turn[0]
        on_open()
        self.now += self._lasts
        for step in turn if turn is not None else await self._rest():
            if isinstance(step, Exception):
                raise step
            yield [cast("Event", step)]

    async def _rest(self) -> tuple[Step, ...]:
        self.quiet.set()
        await asyncio.Event().wait()
        return ()


class Impatient(Backoff):
    """Waits for nothing, and remembers how often it was asked, and what the server wanted."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[float | None] = []

    def next(self, now: float, retry_after: float | None = None) -> float:
        self.asked.append(retry_after)
        return 0.0


class Run:
    """A reflector that has run through a script."""

    def __init__(self, script: Script, every: float = 0.0) -> None:
        self.script = script
        self.store = Store(KIND)
        self.states: list[State] = []
        self.backoff = Impatient()
        self._told = asyncio.Event()
        list_watch = cast("ListWatch", script)
        self.reflector = Reflector(
            list_watch, self.store, self._note, every=every, backoff=self.backoff, now=lambda: script.now
        )

    @property
    def names(self) -> set[str]:
        return {key.name for key in self.store.rows}

    @property
    def words(self) -> list[str]:
        return [type(state).__name__ for state in self.states]

    async def becomes(self, state: type[State], names: set[str]) -> None:
        """Wait until it is in such a state with such rows."""
        async with asyncio.timeout(10):
            while not (self.states and isinstance(self.states[-1], state) and self.names == names):
                self._told.clear()
                await self._told.wait()

    def _note(self, state: State) -> None:
        self.states.append(state)
        self._told.set()


@asynccontextmanager
async def running(script: Script, every: float = 0.0) -> AsyncIterator[Run]:
    run = Run(script, every)
    task = asyncio.create_task(run.reflector.run())
    try:
        yield run
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def played(*turns: tuple[Step, ...], lasts: float = 60.0) -> Run:
    """A reflector after a script's last turn."""
    async with running(Script(*turns, lasts=lasts)) as run:
        await asyncio.wait_for(run.script.quiet.wait(), 10)
        return run


async def test_a_list_then_watches_from_its_version() -> None:
    """The watch begins at the list's version, and each next one where the last event or bookmark was."""
    run = await played((page("5", "x"),), (added("y", "6"),), (bookmark("9"),), (), (Event("DELETED", "12", row("x")),))
    assert run.script.asked == ["list", "watch 5", "watch 6", "watch 9", "watch 9", "watch 12"]
    assert run.names == {"y"}
    assert run.words == ["Live"]


async def test_pages_are_counted_until_they_are_whole() -> None:
    """While pages land the state says how many of how many; the next list counts no more."""
    pages = (page("5", "x", more="t", remaining=2), page("5", "y", more="t"), page("5", "z"))
    run = await played(pages, (bookmark("5"), GONE), pages)
    assert [state for state in run.states if isinstance(state, Listing)] == [Listing(1, 3), Listing(2, None)]
    assert run.words == ["Listing", "Listing", "Live", "Stale", "Live"]


async def test_progress_is_told_no_more_often_than_it_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of answers a second do not become hundreds of titles."""
    monkeypatch.setattr("ktui.kube.reflector.PROGRESS_EVERY", 10 * PROGRESS_EVERY)
    run = await played((*(page("5", f"x{number}", more="t") for number in range(100)), page("5", "last")))
    assert 10 <= sum(isinstance(state, Listing) for state in run.states) <= 11


async def test_a_list_drops_what_it_does_not_show() -> None:
    """After a 410 the new list replaces rows, drops what went, and nothing is cleared before."""
    run = await played((page("5", "x", "y"),), (GONE,), (page("8", "y", "z"),), ())
    assert run.names == {"y", "z"}
    assert run.script.asked == ["list", "watch 5", "list", "watch 8", "watch 8"]


async def test_a_list_that_fails_midway_drops_nothing() -> None:
    """Rows are dropped by a complete list alone."""
    run = await played((page("5", "x", "y"),), (GONE,), (page("8", "z", more="t"), REFUSED))
    assert run.names == {"x", "y", "z"}


async def test_an_expired_token_lists_all_at_once() -> None:
    """When the next page is gone, one answer has everything."""
    run = await played((page("5", "x", more="t"), GONE), (page("7", "x", "y"),), ())
    assert run.script.asked == ["list", "list all", "watch 7", "watch 7"]
    assert "Stale" not in run.words


async def test_versions_that_expire_again_and_again_are_waited_for() -> None:
    """The first 410 is followed by a list at once; a second one soon after waits, or lists would hammer the server."""
    run = await played((page("5"),), (GONE,), (page("6"),), (GONE,), (page("7"),), lasts=1.0)
    assert len(run.backoff.asked) == 1


async def test_versions_that_expire_now_and_then_are_not() -> None:
    """A 410 long after the one before is followed by a list at once."""
    expires = (bookmark("5"), GONE)
    run = await played((page("5"),), expires, (page("6"),), expires, (page("7"),))
    assert run.backoff.asked == []


async def test_a_broken_watch_is_resumed() -> None:
    """A line that breaks costs no list: the watch goes on from the last version, after a pause."""
    run = await played((page("5"),), (added("x", "6"), REFUSED), ())
    assert run.script.asked == ["list", "watch 5", "watch 6", "watch 6"]
    assert run.words == ["Live", "Stale", "Live"]
    assert run.states[1] == Stale(1061, "connection refused", 1061, complete=True)
    assert len(run.backoff.asked) == 1


async def test_a_watch_without_a_word_is_not_trusted() -> None:
    """A watch that times out before its first bookmark may be at a version that the server never reached: list."""
    run = await played((page("5"),), (SILENT,), (page("3"),), ())
    assert run.script.asked == ["list", "watch 5", "list", "watch 3", "watch 3"]


async def test_a_watch_that_fell_silent_is_resumed() -> None:
    """A watch that spoke before it fell silent goes on from there."""
    run = await played((page("5"),), (bookmark("6"), SILENT), ())
    assert run.script.asked == ["list", "watch 5", "watch 6", "watch 6"]


@pytest.mark.parametrize("said", [(), (bookmark("6"),), (added("x", "6"),)], ids=["nothing", "bookmark", "event"])
async def test_a_watch_that_ends_at_once_is_broken(said: tuple[Step, ...]) -> None:
    """Whatever a watch says in less than a second, the next one is asked for after a pause."""
    run = await played((page("5"),), said, (), lasts=0.2)
    assert len(run.backoff.asked) == 2
    assert "Stale" in run.words
    assert run.script.asked.count("list") == 1


@pytest.mark.parametrize(
    "refusal", [DENIED, ApiError(405, "MethodNotAllowed", 'watch is not supported on resources of kind "x"')]
)
async def test_what_may_not_be_watched_is_polled(refusal: ApiError) -> None:
    """Where watching is refused the list is repeated, and the state says why; retrying tries to watch again."""
    async with running(Script((page("5", "x"),), (refusal,), (page("6", "y"),), (refusal,), (page("7", "z"),))) as run:
        for watches, names in ((1, {"x"}), (2, {"y"})):
            await run.becomes(Polled, names)
            assert len([asked for asked in run.script.asked if asked.startswith("watch")]) == watches
            told = run.states[-1]
            assert isinstance(told, Polled)
            assert told.reason == refusal.sentence
            run.reflector.retry()
        await asyncio.wait_for(run.script.quiet.wait(), 10)
        assert (run.words[-1], run.names) == ("Live", {"z"})


async def test_what_cannot_be_watched_is_never_asked_to() -> None:
    """A kind that is listed every so often is not watched."""
    async with running(Script((page("5", "x"),)), every=15) as run:
        await run.becomes(Polled, {"x"})
        assert run.states == [Polled(1001.0, 15)]
        assert run.script.asked == ["list"]


async def test_denied_keeps_what_was_seen() -> None:
    """When the right to look is withdrawn the rows stay, and the state says that they are not followed."""
    async with running(Script((page("5", "x"),), (GONE,), (DENIED,), (page("9", "y"),))) as run:
        await run.becomes(Denied, {"x"})
        assert run.states[-1] == Denied("list things", DENIED.sentence)
        run.reflector.retry()
        await asyncio.wait_for(run.script.quiet.wait(), 10)
        assert run.names == {"y"}


async def test_absent_shows_nothing() -> None:
    """Objects of a kind that is served no more are gone."""
    async with running(Script((page("5", "x"),), (NotFound(404, "NotFound", "no"),))) as run:
        await run.becomes(Absent, set())


async def test_what_the_server_asks_to_wait_is_passed_on() -> None:
    """Retry-After reaches the backoff, and a busy server's watch is resumed rather than listed."""
    busy = TooManyRequests(429, "", "slow down", retry_after=7.0)
    run = await played((page("5"),), (busy,), ())
    assert run.backoff.asked == [7.0]
    assert run.script.asked == ["list", "watch 5", "watch 5", "watch 5"]


async def test_a_server_error_is_followed_by_a_list() -> None:
    """A version that the server cannot serve is not asked for again."""
    run = await played((page("5"),), (ApiError(500, "InternalError", "etcd"),), (page("6"),), ())
    assert run.script.asked == ["list", "watch 5", "list", "watch 6", "watch 6"]


async def test_stale_counts_from_the_first_failure() -> None:
    """However often it is tried in vain, since when things are stale does not change."""
    run = await played((page("5"),), (REFUSED,), (ApiError(503, "", "starting"),), (REFUSED,), (), lasts=60)
    stale = [state for state in run.states if isinstance(state, Stale)]
    assert stale[0].since == stale[1].since == 1061
    assert all(state.complete for state in stale)


async def test_before_the_first_list_nothing_is_complete() -> None:
    """A pane that never had everything does not look as if it had."""
    run = await played((page("5", "x", more="t"), REFUSED))
    assert run.states[-1] == Stale(1001 + PROGRESS_EVERY, "connection refused", 1001 + PROGRESS_EVERY, complete=False)


async def test_bytes_that_cannot_be_read() -> None:
    """An unreadable answer is told, and followed by a list."""
    run = await played((page("5"),), (msgspec.DecodeError("bad"),), (page("6"),))
    assert any(isinstance(state, Stale) and "cannot be read" in state.reason for state in run.states)
    assert run.script.asked[-1] == "watch 6"


async def test_a_fault_of_ours_does_not_end_it(caplog: Any) -> None:
    """Even an unexpected failure becomes a state, is logged once, and is tried again."""
    with caplog.at_level(logging.ERROR):
        run = await played((page("5"),), (KeyError("secret"),), (page("6"),))
    assert any(isinstance(state, Stale) and state.reason == "unexpected failure: KeyError" for state in run.states)
    assert run.states[-1] == Live()
    assert len(caplog.records) == 1
