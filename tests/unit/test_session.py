"""Sessions: connecting, sharing feeds, and ending quietly."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR
from ktui.kinds.objects import Object
from ktui.kube import discovery
from ktui.kube.backoff import Backoff
from ktui.kube.client import Client
from ktui.kube.errors import ConfigError, ConnectionFailed, KtuiError
from ktui.kube.session import Session
from ktui.kube.state import Live, Stale, State, Unusable, Waiting
from tests.unit.tls_server import ApiServer, Authority

KIND = Kind(gvr=GVR("", "v1", "things"), kind="Thing", namespaced=True, view=Object, columns=())


class Server(ApiServer):
    """Serves an empty list of things, watches that stay open, and whatever else a test orders.

    Attributes:
        answers: by path: a body to answer with, or a status.
        left: how many watches were left by their client.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(Authority(), folder)
        self.respond = self._answer
        self.answers: dict[str, Any] = {"/version": {"gitVersion": "v1.2.3"}}
        self.asked = asyncio.Event()

    def paths(self) -> list[str]:
        """What was asked for."""
        return [request.path for request in self.requests]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if "watch" in request.query:
            response = web.StreamResponse(headers={"Content-Type": "application/json"})
            await response.prepare(request)
            self.asked.set()
            await asyncio.Event().wait()
        if request.path.endswith("/things"):
            return web.json_response({"metadata": {"resourceVersion": "5"}, "items": []})
        found = self.answers.get(request.path, 404)
        if isinstance(found, int):
            return web.Response(status=found)
        return (
            web.Response(body=found, content_type="application/json")
            if isinstance(found, bytes)
            else web.json_response(found)
        )


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    made = Server(tmp_path)
    await made.start()
    yield made
    await made.stop()


@asynccontextmanager
async def running(connect: Callable[[], Awaitable[Client]], **settings: Any) -> AsyncIterator[Session]:
    session = Session(connect, **settings)
    task = asyncio.create_task(session.run())
    try:
        yield session
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def told(session: Session, holds: Callable[[], bool]) -> None:
    """Wait until something holds that the session tells its listeners about."""
    changed = asyncio.Event()
    end = session.listen(changed.set)
    async with asyncio.timeout(10):
        while not holds():
            changed.clear()
            await changed.wait()
    end()


async def becomes(view: Any, holds: Callable[[State], bool]) -> None:
    """Wait until a feed is in a state."""
    changed = asyncio.Event()
    end = view.feed.listen(changed.set)
    async with asyncio.timeout(10):
        while not holds(view.feed.state):
            changed.clear()
            await changed.wait()
    end()


async def test_panes_may_open_before_there_is_a_connection(server: Server) -> None:
    """A feed that is opened at once waits, and is live when the connection stands."""
    async with running(server.client) as session:
        view = session.open(KIND)
        assert view.feed.state == Waiting()
        await becomes(view, lambda state: state == Live())


async def test_lists_go_before_everything_else(server: Server) -> None:
    """Whoever looks gets rows first; the server's version and the user are asked for when they are under way."""
    async with running(server.client) as session:
        view = session.open(KIND)
        known = asyncio.Event()
        session.listen(lambda: known.set() if session.server.version else None)
        await becomes(view, lambda state: state == Live())
        async with asyncio.timeout(10):
            await known.wait()
    assert server.paths().index(KIND.gvr.path()) < server.paths().index("/version")


async def test_an_unusable_configuration_is_told_and_tried_again_on_request(server: Server) -> None:
    """What is wrong with the configuration shows in every pane, and nothing is tried until someone asks."""
    attempts: list[int] = []

    async def connect() -> Client:
        attempts.append(1)
        if len(attempts) == 1:
            raise ConfigError("The context is gone.", "Choose another one.")
        return await server.client()

    async with running(connect) as session:
        view = session.open(KIND)
        await becomes(view, lambda state: state == Unusable("The context is gone.", "Choose another one."))
        late = session.open(KIND, ("shop",))
        assert late.feed.state == view.feed.state
        assert len(attempts) == 1
        session.retry()
        await becomes(view, lambda state: state == Live())
        await becomes(late, lambda state: state == Live())
        assert session.trouble is None


async def test_a_connection_that_fails_is_tried_again(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another failure to connect is told with its reason, and tried again by itself."""
    monkeypatch.setattr(Backoff, "next", lambda self, now, retry_after=None: 0.0)
    failures: list[KtuiError] = [ConnectionFailed("https://x", "connection refused"), KtuiError("Something is wrong.")]
    seen: list[State] = []

    async def connect() -> Client:
        if failures:
            raise failures.pop(0)
        return await server.client()

    async with running(connect) as session:
        view = session.open(KIND)
        view.feed.listen(lambda: seen.append(view.feed.state))
        await becomes(view, lambda state: state == Live())
    assert [state.reason for state in seen if isinstance(state, Stale)] == [
        "Cannot reach https://x: connection refused.",
        "Something is wrong.",
    ]


async def test_the_same_scope_is_shared(server: Server) -> None:
    """Two who look at the same thing share a feed, whatever the order of namespaces; others have their own."""
    async with running(server.client) as session:
        first, second = session.open(KIND, ("a", "b")), session.open(KIND, ("b", "a"))
        assert first.feed is second.feed
        assert session.open(KIND, ("a",)).feed is not first.feed
        assert session.open(KIND, ("a", "b"), labels="x=y").feed is not first.feed


async def test_closing_twice_lets_go_once(server: Server) -> None:
    """A view that is closed twice takes nothing from those who still look."""
    async with running(server.client, linger=0.0) as session:
        first, second = session.open(KIND), session.open(KIND)
        await becomes(second, lambda state: state == Live())
        first.close()
        first.close()
        assert second.feed.viewers == 1
        assert second.feed.running


async def test_what_lingers_is_found_again(server: Server) -> None:
    """A feed outlives its last viewer for a while; after that it is let go."""
    async with running(server.client, linger=60) as session:
        view = session.open(KIND)
        await becomes(view, lambda state: state == Live())
        view.close()
        again = session.open(KIND)
        assert again.feed is view.feed
        assert again.feed.state == Live()
    async with running(server.client, linger=0.0) as session:
        view = session.open(KIND)
        await becomes(view, lambda state: state == Live())
        view.close()
        gone = asyncio.Event()
        # Timers run in the order in which they are due.
        asyncio.get_running_loop().call_later(0.0, gone.set)
        await gone.wait()
        assert not view.feed.running
        assert session.open(KIND).feed is not view.feed


async def test_a_feed_that_was_let_go_is_brought_up_to_date(server: Server) -> None:
    """Who looks again at a feed that was let go sees its rows, and reads that they are not current yet."""
    async with running(server.client, linger=0.0) as session:
        view = session.open(KIND)
        await becomes(view, lambda state: state == Live())
        view.close()
        gone = asyncio.Event()
        asyncio.get_running_loop().call_later(0.0, gone.set)
        await gone.wait()
        again = session.reopen(view.feed)
        assert again.feed.state != Live()
        await becomes(again, lambda state: state == Live())


async def test_the_server_and_the_user_become_known(server: Server) -> None:
    """The version and whom the server takes us for are asked by the side."""
    server.answers["/apis/authentication.k8s.io/v1/selfsubjectreviews"] = {"status": {"userInfo": {"username": "ann"}}}
    async with running(server.client) as session:
        await told(session, lambda: (session.server.version, session.server.user) == ("v1.2.3", "ann"))


@pytest.mark.parametrize("answer", [b"<html>", b"[]", b'{"gitVersion": 7}', 403, 404])
async def test_a_strange_answer_to_a_side_question_ends_nothing(answer: Any, server: Server) -> None:
    """Whatever comes instead of the version or the user, panes are live."""
    server.answers = dict.fromkeys(("/version", "/apis/authentication.k8s.io/v1/selfsubjectreviews"), answer)
    async with running(server.client) as session:
        view = session.open(KIND)
        await becomes(view, lambda state: state == Live())
        assert session.server.version == ""


async def test_the_end_is_quiet(server: Server, caplog: Any) -> None:
    """When a session ends no pane becomes stale, and nothing is logged as a failure."""
    states: list[State] = []
    with caplog.at_level(logging.WARNING):
        async with running(server.client) as session:
            view = session.open(KIND)
            await becomes(view, lambda state: state == Live())
            await asyncio.wait_for(server.asked.wait(), 10)
            view.feed.listen(lambda: states.append(view.feed.state))
    assert (states, caplog.records) == ([], [])


async def test_discovery_is_asked_once(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several who ask at the same time share the answer, even before the connection; failures are forgotten."""
    failures = [KtuiError("no")]
    calls: list[int] = []

    async def discover(client: Client) -> Any:
        calls.append(1)
        await asyncio.sleep(0)
        if failures:
            raise failures.pop()
        return object()

    monkeypatch.setattr(discovery, "discover", discover)
    async with running(server.client) as session:
        with pytest.raises(KtuiError):
            await session.discovery()
        first, second = await asyncio.gather(session.discovery(), session.discovery())
        assert first is second
        assert len(calls) == 2
        session.forget_discovery()
        assert await session.discovery() is not first
