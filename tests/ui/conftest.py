"""The application on the embedded cluster, over HTTP, with time that stands still."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
import pytest_asyncio
from textual.pilot import Pilot

from ktui.app import KtuiApp
from ktui.demo.clock import SteppedClock
from ktui.demo.run import Cluster
from ktui.kinds.column import JoinColumn
from ktui.kube.state import Absent, Denied, Live, Partial, Polled
from ktui.options import Options
from ktui.screens import tables
from ktui.screens.home import HomeScreen
from ktui.screens.tables import TableScreen
from ktui.widgets.live_pane import LivePane
from tests.lived import lived

T = TypeVar("T")
SEED = 7
PATIENCE = 20.0
"""Seconds after which a condition counts as never coming true."""


@pytest.fixture(autouse=True)
def a_home_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the person's configuration or state is read or written."""
    for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))


@pytest.fixture(autouse=True)
def a_meter_that_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a view costs differs from run to run; the screen shows the same."""
    monkeypatch.setattr(tables, "_cost", lambda requests, received: "0.4 req/s  2.1 KB/s")


class World:
    """An embedded cluster and the ways to look at it.

    Args:
        cluster: the cluster.
        clock: its time.
        folder: where kubeconfigs are written.
        loop: its event loop, when that runs in a thread of its own.
    """

    def __init__(
        self, cluster: Cluster, clock: SteppedClock, folder: Path, loop: asyncio.AbstractEventLoop | None = None
    ) -> None:
        self.cluster = cluster
        self.clock = clock
        self._folder = folder
        self._loop = loop

    def do(self, something: Callable[[Cluster], T]) -> T:
        """The result of `something`, called in the cluster's own thread."""

        async def call() -> T:
            return something(self.cluster)

        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(PATIENCE)

    def kubeconfig(self, user: str = "admin") -> Path:
        """A kubeconfig file for a user."""
        path = self._folder / f"{user}.kubeconfig"
        path.write_text(json.dumps(self.cluster.kubeconfig(user)))
        return path

    def app(self, user: str = "admin", **options: Any) -> KtuiApp:
        """ktui on this cluster."""
        return KtuiApp(Options(kubeconfig=(self.kubeconfig(user),), **options), clock=self.clock.now)

    @asynccontextmanager
    async def open(
        self, user: str = "admin", *, size: tuple[int, int] = (160, 45), **options: Any
    ) -> AsyncIterator[Pilot[None]]:
        """ktui, open, with everything listed that it shows."""
        app = self.app(user, **options)
        async with app.run_test(size=size) as pilot:
            await listed(pilot)
            yield pilot


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """An embedded cluster in the test's own loop."""
    built, clock = lived(SEED)
    cluster = await built.serve()
    yield World(cluster, clock, tmp_path)
    await cluster.stop()


@pytest.fixture
def world_in_thread(tmp_path: Path) -> Iterator[World]:
    """An embedded cluster for tests that cannot be coroutines, such as snapshots."""
    loop = asyncio.new_event_loop()
    built, clock = lived(SEED)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    cluster = asyncio.run_coroutine_threadsafe(built.serve(), loop).result(PATIENCE)
    yield World(cluster, clock, tmp_path, loop)
    asyncio.run_coroutine_threadsafe(cluster.stop(), loop).result(PATIENCE)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(PATIENCE)
    loop.close()


async def until(pilot: Pilot[Any], condition: Callable[[], bool], what: str = "") -> None:
    """Wait until `condition` holds.

    Raises:
        AssertionError: it never does; with the screen, so that one sees why.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE
    while not condition():
        assert loop.time() < deadline, f"{what or condition} never came true; the screen:\n{screen_text(pilot)}"
        await pilot.pause(0.01)
    await pilot.pause()


async def listed(pilot: Pilot[Any]) -> None:
    """Wait until every pane of the page shows all there is, with what is joined to it."""

    def all_there() -> bool:
        page = pilot.app.screen
        if not isinstance(page, TableScreen) or not page.panes:
            return False
        server = page.session.server
        known = bool(server.version and server.user) and page.knows_actions
        return known and all(map(_complete, page.panes))

    await until(pilot, all_there, "a complete list")
    page = pilot.app.screen
    assert isinstance(page, TableScreen)
    page.tell()
    if isinstance(page, HomeScreen):
        page.relate()
        await until(pilot, lambda: page._revealing is None, "what belongs together in sight")
    await pilot.pause()


def _complete(pane: LivePane) -> bool:
    """Whether a pane shows all that its feeds know."""
    feeds = [pane.feed, *pane.joins.feeds]
    joined = [column for column in pane.table.columns if isinstance(column, JoinColumn)]
    expected = [
        column
        for column in pane.kind.columns
        if isinstance(column, JoinColumn)
        and any(feed.scope.gvr == column.join.gvr and len(feed.store) for feed in pane.joins.feeds)
    ]
    return (
        all(isinstance(feed.state, Live | Polled | Denied | Partial | Absent) for feed in feeds)
        and len(joined) == len(expected)
        and not pane.table.model.unfinished
    )


def screen_text(pilot: Pilot[Any]) -> str:
    """What stands on the screen, line by line."""
    page = pilot.app.screen
    strips = page._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips)


async def shows(pilot: Pilot[Any], text: str) -> None:
    """Wait until `text` stands on the screen."""
    await until(pilot, lambda: text in screen_text(pilot), repr(text))


async def shows_not(pilot: Pilot[Any], text: str) -> None:
    """Wait until `text` no longer stands on the screen."""
    await until(pilot, lambda: text not in screen_text(pilot), f"no {text!r}")


Size = tuple[int, int]
at_both_sizes = pytest.mark.parametrize("size", [(160, 45), (80, 24)], ids=lambda size: f"{size[0]}x{size[1]}")


@pytest.fixture
def looks(world_in_thread: World, snap_compare: Any) -> Callable[..., None]:
    """Compares what the screen looks like after some keys."""

    def compare(size: Size, keys: Callable[[Pilot[None]], Awaitable[None]], user: str = "admin") -> None:
        async def before(pilot: Pilot[None]) -> None:
            await listed(pilot)
            await keys(pilot)
            pilot.app.clear_notifications()
            # A dialog lays itself out in a few steps.
            for _ in range(4):
                await pilot.pause()

        assert snap_compare(world_in_thread.app(user), terminal_size=size, run_before=before)

    return compare
