"""Following: whatever becomes of watches, what is told last is how things are."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ktui.kinds.names import GVR, ObjectKey
from ktui.kube import following
from ktui.kube.client import Client, Identity, Response
from ktui.kube.errors import (
    ApiError,
    ConnectionFailed,
    Expired,
    Forbidden,
    KtuiError,
    NotFound,
    ServerError,
    UnexpectedAnswer,
)
from ktui.kube.errors import TooManyRequests as Busy
from ktui.kube.following import follow_object, follow_objects
from tests.unit.demo_api import until

THINGS, KEY = GVR("", "v1", "things"), ObjectKey("ns", "a")
BROKEN = ConnectionFailed("https://x", "connection reset")
DENIED = Forbidden(403, "Forbidden", "no")
NO_WATCH = ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
GONE = b'{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}}'

Asked = dict[str, Any]


class Peer:
    """A server with objects called `a`, `b` ...; lists, gets and watches go wrong as they are told.

    Attributes:
        objects: versions by name.
        wrong: by `list`, `get` and `watch`, what the next ones raise, or send; None for nothing special.
        asked: `list`, `get`, or `watch VERSION`.
        opened: set while a watch is open.
    """

    identity = Identity("c", "c", "https://x", "me", "")

    def __init__(self, *names: str) -> None:
        self.objects: dict[str, int] = {}
        self.wrong: dict[str, list[Any]] = {"list": [], "get": [], "watch": []}
        self.asked: list[str] = []
        self.opened = asyncio.Event()
        self.version = 1
        self._lines: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()
        self._history: list[tuple[int, bytes]] = []
        for name in names:
            self.put(name)

    def put(self, name: str) -> None:
        kind = "MODIFIED" if name in self.objects else "ADDED"
        self.version += 1
        self.objects[name] = self.version
        self._event(kind, name)

    def delete(self, name: str) -> None:
        self.version += 1
        del self.objects[name]
        self._event("DELETED", name)

    def say(self, *lines: bytes | Exception | None) -> None:
        """Put lines into the watch; an exception breaks it, None ends it."""
        for line in lines:
            self._lines.put_nowait(line)

    def _event(self, kind: str, name: str) -> None:
        line = json.dumps({"type": kind, "object": thing(name, self.version)}).encode()
        self._history.append((self.version, line))
        self.say(line)

    def _take(self, what: str) -> Any:
        found = self.wrong[what].pop(0) if self.wrong[what] else None
        if isinstance(found, Exception):
            raise found
        return found

    async def request(self, method: str, path: str, *, query: Asked | None = None, **more: Any) -> Response:
        what = "get" if path.endswith("/things/a") else "list"
        self.asked.append(what)
        if (body := self._take(what)) is None and what == "get":
            if "a" not in self.objects:
                raise NotFound(404, "NotFound", "not found")
            body = json.dumps(thing("a", self.objects["a"])).encode()
        elif body is None:
            # The items of lists do not say what they are.
            items = [{"metadata": thing(name, version)["metadata"]} for name, version in self.objects.items()]
            meta = {"resourceVersion": str(self.version)}
            body = json.dumps({"apiVersion": "v1", "kind": "ThingList", "metadata": meta, "items": items}).encode()
        return Response(200, {}, body, ())

    @asynccontextmanager
    async def stream(self, method: str, path: str, *, query: Asked, idle: float) -> AsyncIterator[Any]:
        self.asked.append(f"watch {query['resourceVersion']}")
        since = int(query["resourceVersion"])
        chunk = self._take("watch")
        self._lines = asyncio.Queue()
        self.say(*(line for version, line in self._history if version > since))
        self.opened.set()
        try:
            yield self._chunks(chunk)
        finally:
            self.opened.clear()

    async def _chunks(self, chunk: bytes | None) -> AsyncIterator[bytes]:
        if chunk is not None:
            yield chunk
            return
        while (line := await self._lines.get()) is not None:
            if isinstance(line, Exception):
                raise line
            yield line + b"\n"


def thing(name: str, version: int) -> Asked:
    meta = {"name": name, "namespace": "ns", "uid": f"{name}-uid", "resourceVersion": str(version)}
    return {"apiVersion": "v1", "kind": "Thing", "metadata": meta}


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> Peer:
    at_once(monkeypatch)
    return Peer("a")


def at_once(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Nothing is waited for; how long it would have been."""
    waits: list[float] = []
    rest = asyncio.sleep

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await rest(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return waits


def versions(peer: Peer) -> AsyncGenerator[list[Any], None]:
    return follow_objects(cast("Client", peer), THINGS, "ns")


def one(peer: Peer) -> AsyncGenerator[Any, None]:
    return follow_object(cast("Client", peer), THINGS, KEY)


def version_of(item: Asked | None) -> int | None:
    return None if item is None else int(item["metadata"]["resourceVersion"])


async def test_one_object_until_it_is_gone_and_back(peer: Peer) -> None:
    """Each change is told; None while there is none of that name."""
    async with aclosing(one(peer)) as told:
        assert version_of(await anext(told)) == 2
        peer.put("a")
        assert version_of(await anext(told)) == 3
        peer.delete("a")
        assert await anext(told) is None
        peer.put("a")
        assert version_of(await anext(told)) == 5
    assert peer.asked == ["list", "watch 2"]
    assert not peer.opened.is_set()


async def test_objects_say_what_they_are(peer: Peer) -> None:
    """Those of a list as those of a watch."""
    async with aclosing(one(peer)) as told:
        assert await anext(told) == thing("a", 2)
        peer.put("a")
        assert await anext(told) == thing("a", 3)


async def test_all_objects_in_the_order_of_their_names(peer: Peer) -> None:
    """Whatever came last."""
    async with aclosing(versions(peer)) as told:
        await anext(told)
        peer.put("c")
        await anext(told)
        peer.put("b")
        assert [item["metadata"]["name"] for item in await anext(told)] == ["a", "b", "c"]


async def test_a_watch_that_ends_goes_on_where_it_was(peer: Peer) -> None:
    """Servers end watches now and then; nothing is listed again, and bookmarks count."""
    async with aclosing(one(peer)) as told:
        await anext(told)
        peer.put("a")
        await anext(told)
        coming = asyncio.ensure_future(anext(told))
        bookmark = b'{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"40"}}}'
        await peer.opened.wait()
        peer.say(bookmark, None)
        await until(lambda: "watch 40" in peer.asked)
        peer.version = 41
        peer.put("a")
        assert version_of(await coming) == 42
    assert peer.asked == ["list", "watch 2", "watch 40"]


@pytest.mark.parametrize(
    "wrong",
    [BROKEN, ServerError(500), Busy(429, retry_after=3), Expired(410), GONE + b"\n", b"<html>\n", b'{"type":1}\n'],
)
async def test_a_watch_that_goes_wrong(peer: Peer, wrong: Any) -> None:
    """It is listed again, and watched from there; what changed meanwhile is told."""
    async with aclosing(one(peer)) as told:
        assert version_of(await anext(told)) == 2
        peer.wrong["watch"].append(wrong)
        peer.version = 10
        coming = asyncio.ensure_future(anext(told))
        await until(lambda: peer.asked.count("list") == 2)
        assert version_of(await coming) == 2
        peer.put("a")
        assert version_of(await anext(told)) == 11
    assert peer.asked == ["list", "watch 2", "list", "watch 10"]


async def test_what_came_before_an_error_counts(peer: Peer) -> None:
    """A deletion, and a new one of the same name, would not show in a list."""
    async with aclosing(one(peer)) as told:
        await anext(told)
        deleted = json.dumps({"type": "DELETED", "object": thing("a", 3)}).encode()
        peer.wrong["watch"].append(deleted + b"\n" + GONE + b"\n")
        assert await anext(told) is None
        assert version_of(await anext(told)) == 2


@pytest.mark.parametrize("wrong", [Expired(410), b""])
async def test_watches_that_never_work_are_no_storm(peer: Peer, wrong: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that ends each watch at once is asked ever more seldom."""
    waits = at_once(monkeypatch)
    peer.wrong["watch"] = [wrong] * 6
    async with aclosing(one(peer)) as told:
        assert version_of(await anext(told)) == 2
        coming = asyncio.ensure_future(anext(told))
        while peer.wrong["watch"]:
            if coming.done():
                coming = asyncio.ensure_future(anext(told))
            await asyncio.sleep(0)
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)
    delays = [wait for wait in waits if wait]
    assert len(delays) >= 5
    assert delays[4] > 8


@pytest.mark.parametrize("wrong", [DENIED, NO_WATCH])
async def test_what_cannot_be_watched_is_listed_again_and_again(
    peer: Peer, wrong: KtuiError, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may list may not be allowed to watch, and some servers cannot."""
    waits = at_once(monkeypatch)
    peer.wrong["watch"].append(wrong)
    async with aclosing(one(peer)) as told:
        assert version_of(await anext(told)) == 2
        peer.put("a")
        assert version_of(await anext(told)) == 3
        peer.delete("a")
        assert await anext(told) is None
    assert peer.asked == ["list", "watch 2", "list", "list"]
    assert following.UNWATCHED_EVERY in waits


async def test_what_cannot_be_listed_is_asked_for_by_name(peer: Peer) -> None:
    """Outages are waited for there, too; when it may not be read any more, that is raised."""
    peer.wrong["list"].append(DENIED)
    async with aclosing(one(peer)) as told:
        assert version_of(await anext(told)) == 2
        peer.wrong["get"] += [BROKEN, UnexpectedAnswer("https://x", "an HTML page")]
        peer.delete("a")
        assert await anext(told) is None
        peer.put("a")
        assert version_of(await anext(told)) == 4
        peer.wrong["get"].append(DENIED)
        with pytest.raises(Forbidden):
            await anext(told)


@pytest.mark.parametrize("wrong", [DENIED, NotFound(404), b"<html>", b'{"items":[1]}', b'{"items":[{}]}', b"\xff"])
async def test_what_cannot_be_read_at_all_is_raised(peer: Peer, wrong: Any) -> None:
    """Waiting would not help; a login page is no outage as long as nothing else was seen."""
    peer.wrong["list"].append(wrong)
    with pytest.raises((Forbidden, NotFound, UnexpectedAnswer)):
        await anext(versions(peer))


async def test_rights_that_are_taken_away(peer: Peer) -> None:
    """Not watching any more is lived with, not listing any more is not."""
    async with aclosing(versions(peer)) as told:
        await anext(told)
        peer.wrong["watch"].append(DENIED)
        peer.wrong["list"].append(DENIED)
        with pytest.raises(Forbidden):
            await anext(told)


STEPS = ("put a", "put b", "delete a", "delete b", "end", "break", "expire", "error", "refuse list", "html")


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(st.sampled_from(STEPS), max_size=4), max_size=12))
def test_the_last_that_is_told_is_how_it_is(plan: list[list[str]]) -> None:
    """Whatever goes wrong in whatever order."""

    async def run() -> None:
        peer, last = Peer("a"), list[Any]()

        async def listen() -> None:
            async with aclosing(versions(peer)) as told:
                async for items in told:
                    last[:] = [(item["metadata"]["name"], version_of(item)) for item in items]

        task = asyncio.ensure_future(listen())
        await peer.opened.wait()
        for burst in plan:
            for what in burst:
                do(peer, what)
            for _ in range(5):
                await asyncio.sleep(0)
        peer.put("c")
        async with asyncio.timeout(5):
            while last != sorted(peer.objects.items()):
                assert not task.done(), task.exception()
                await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    with pytest.MonkeyPatch.context() as patching:
        at_once(patching)
        asyncio.run(run())


def do(peer: Peer, what: str) -> None:
    match what.split():
        case ["put", name]:
            peer.put(name)
        case ["delete", name] if name in peer.objects:
            peer.delete(name)
        case ["end"]:
            peer.say(None)
        case ["break"]:
            peer.say(BROKEN)
        case ["expire"]:
            peer.say(GONE)
        case ["error"]:
            peer.wrong["watch"].append(ServerError(500))
        case ["refuse", _]:
            peer.wrong["list"].append(BROKEN)
        case ["html"]:
            peer.say(b"<html>")
