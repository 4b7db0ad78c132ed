"""The rows last seen here: in the first frame, plainly old, until the cluster has said what is the case."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot

from ktui.app import KtuiApp
from ktui.kube.last_seen import LastSeen
from ktui.kube.state import Remembered
from ktui.options import Options
from ktui.screens.home import HomeScreen
from ktui.screens.opening import OpeningScreen
from tests.terminal import PseudoTerminal
from tests.ui.conftest import World, listed, screen_text, shows, until

SIZES = [(160, 45), (80, 24)]
at_both_sizes = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")


@asynccontextmanager
async def opened(
    world: World,
    kubeconfig: Path,
    size: tuple[int, int] = (160, 45),
    app_type: type[KtuiApp] = KtuiApp,
    **options: Any,
) -> AsyncIterator[Pilot[None]]:
    """ktui on a kubeconfig that is not written anew."""
    app = app_type(Options(kubeconfig=(kubeconfig,), **options), clock=world.clock.now)
    async with app.run_test(size=size) as pilot:
        yield pilot


async def seen_before(world: World, size: tuple[int, int]) -> Path:
    """A kubeconfig with which ktui was open until an hour ago, on the deployments."""
    kubeconfig = world.kubeconfig()
    async with opened(world, kubeconfig, size) as pilot:
        await listed(pilot)
    world.clock.skip(3600)
    return kubeconfig


class OpeningForever(KtuiApp):
    """Shows its first frame, and goes no further."""

    async def _open(self) -> None:
        pass


def kept(folder: Path) -> list[Path]:
    """The files of what was seen."""
    return list(folder.glob("ktui/last-seen/*"))


@at_both_sizes
async def test_the_first_frame_shows_old_rows_as_old(world: World, size: tuple[int, int]) -> None:
    """Before anything was imported that talks: the rows of the open panes, the totals, and of when they are."""
    kubeconfig = await seen_before(world, size)
    async with opened(world, kubeconfig, size, OpeningForever) as pilot:
        await pilot.pause()
        assert isinstance(pilot.app.screen, OpeningScreen)
        text = screen_text(pilot)
        lines = text.split("\n")
        assert "storefront" in text
        for words in ("Nodes 5 last seen", "Deployments 10 last seen", "of 42 last seen", "demo"):
            assert words in text
        # Each pane says so, and the header.
        assert text.count(", 60 min ago") == 5
        assert lines[0].endswith(", 60 min ago")
        assert "live" not in text


@at_both_sizes
async def test_they_stand_in_the_page_until_the_cluster_is_heard(world: World, size: tuple[int, int]) -> None:
    """The cursor moves over them; the first list replaces them, and what has gone meanwhile goes."""
    kubeconfig = await seen_before(world, size)
    gate = asyncio.Event()
    async with opened(world, kubeconfig, size, before_connecting=gate.wait) as pilot:
        await until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen) and pilot.app.screen.complete)
        await shows(pilot, "storefront")
        home = pilot.app.screen
        assert isinstance(home, HomeScreen)
        deployments = home.panes[1]
        text = screen_text(pilot)
        assert "Deployments 10 last seen" in text
        assert "60 min ago" in text.split("\n")[0]
        assert "live" not in text
        assert all(row.remembered for pane in home.panes for row in pane.feed.store.rows.values())
        await pilot.press("down", "down")
        assert deployments.row is not None
        assert deployments.table.model.cursor_index == 2
        world.cluster.storage.delete("services", "shop", "storefront")
        gate.set()
        await listed(pilot)
        assert len(home.panes[2].feed.store.rows) == 12
        assert not any(row.remembered for pane in home.panes for row in pane.feed.store.rows.values())
        assert not any(isinstance(pane.feed.state, Remembered) for pane in home.panes)
        text = screen_text(pilot)
        assert "last seen" not in text
        assert "as of" not in text
        assert text.count("● live") == 5


@at_both_sizes
async def test_they_stay_readable_when_the_cluster_cannot_be_reached(world: World, size: tuple[int, int]) -> None:
    """With the reason, and without any claim to be live."""
    kubeconfig = await seen_before(world, size)
    await world.cluster.stop()
    async with opened(world, kubeconfig, size) as pilot:
        await shows(pilot, "(connection refused, ")
        text = screen_text(pilot)
        assert "storefront" in text
        assert "Deployments 10 last seen" in text
        assert "60 min ago" in text.split("\n")[0]
        assert "live" not in text


async def test_old_rows_are_dim(world: World) -> None:
    """No status of then looks like one of now."""
    kubeconfig = await seen_before(world, (160, 45))
    gate = asyncio.Event()
    async with opened(world, kubeconfig, before_connecting=gate.wait) as pilot:
        await until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen) and pilot.app.screen.complete)
        await shows(pilot, "hello-node")
        home = pilot.app.screen
        assert isinstance(home, HomeScreen)
        pods = home.panes[3].table
        inks = {segment.style.color for line in pods._lines[1:] for segment in line if segment.style}
        assert len(inks) == 1
        gate.set()
        await listed(pilot)
        inks = {segment.style.color for line in pods._lines[1:] for segment in line if segment.style}
        assert len(inks) > 2


async def test_another_namespace_recalls_nothing(world: World) -> None:
    """Rows are of what was looked at; elsewhere they would be wrong."""
    kubeconfig = await seen_before(world, (160, 45))
    async with opened(world, kubeconfig, app_type=OpeningForever, namespaces=("shop",)) as pilot:
        await pilot.pause()
        assert "last seen" not in screen_text(pilot)
    async with opened(world, kubeconfig, app_type=OpeningForever, start_kind="pods") as pilot:
        await pilot.pause()
        assert "last seen" not in screen_text(pilot)


async def test_the_demo_keeps_and_shows_nothing(world: World, tmp_path: Path) -> None:
    """It is another cluster every time."""
    kubeconfig = world.kubeconfig()
    async with opened(world, kubeconfig, demo=True) as pilot:
        await listed(pilot)
    assert kept(tmp_path) == []
    await seen_before(world, (160, 45))
    async with opened(world, kubeconfig, app_type=OpeningForever, demo=True) as pilot:
        await pilot.pause()
        assert "last seen" not in screen_text(pilot)


async def test_what_was_never_seen_is_not_kept(world: World, tmp_path: Path) -> None:
    """A cluster that was not reached leaves nothing, and what was kept before stays as old as it is."""
    kubeconfig = await seen_before(world, (160, 45))
    (path,) = kept(tmp_path)
    before = path.read_bytes()
    await world.cluster.stop()
    async with opened(world, kubeconfig) as pilot:
        await shows(pilot, "(connection refused, ")
    assert path.read_bytes() == before


async def test_left_from_another_page_the_rows_of_before_it_are_kept(world: World, tmp_path: Path) -> None:
    """They are as old as the last look at them."""
    kubeconfig = world.kubeconfig()
    async with opened(world, kubeconfig) as pilot:
        await listed(pilot)
        looked = world.clock.now()
        await pilot.press("d")
        await until(pilot, lambda: not isinstance(pilot.app.screen, HomeScreen))
        world.clock.skip(30)
    (path,) = kept(tmp_path)
    seen = msgspec.json.decode(path.read_bytes(), type=LastSeen)
    assert {kind.at for kind in seen.kinds.values()} == {looked}
    assert any(row.name == "storefront" for row in seen.kinds["deployments"].rows)


async def test_nothing_of_a_secret_is_kept(world: World, tmp_path: Path) -> None:
    """The file has no token and no key of the kubeconfig, and its owner alone can read it."""
    kubeconfig = await seen_before(world, (160, 45))
    (path,) = kept(tmp_path)
    content = path.read_text()
    secrets = [word for word in kubeconfig.read_text().split('"') if len(word) > 40]
    assert secrets
    assert not [word for word in secrets if word in content]
    assert path.stat().st_mode & 0o777 == 0o600


def killed(terminal: PseudoTerminal) -> None:
    terminal.process.terminate()


@pytest.mark.parametrize("leave", [killed, PseudoTerminal.hang_up, lambda terminal: terminal.press("q")])
def test_it_is_kept_however_ktui_ends(
    world_in_thread: World, tmp_path: Path, leave: Callable[[PseudoTerminal], object]
) -> None:
    """A kill and a closed window, too; and none of them is a crash."""
    environ = {name: str(tmp_path) for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    command = [sys.executable, "-m", "ktui", "--kubeconfig", str(world_in_thread.kubeconfig())]
    with PseudoTerminal(command, environ={**os.environ, **environ}) as terminal:
        terminal.wait(lambda: terminal.text.count("● live") == 5, 60.0)
        leave(terminal)
        assert terminal.ended(10.0) is not None
    assert len(kept(tmp_path)) == 1
    assert not list(tmp_path.glob("ktui/crash-*"))
