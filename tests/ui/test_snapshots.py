"""What the screens look like, at the sizes people have. `make snapshots` accepts a new look; look at it first."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from tests.ui.conftest import World, listed, shows

SIZES = [(160, 45), (110, 30), (80, 24), (40, 10)]


async def on_storefront(pilot: Pilot[Any]) -> None:
    """Put the cursor on the deployment that the story is about, and wait for the marks."""
    await pilot.press("end")
    await listed(pilot)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_home(world_in_thread: World, snap_compare: Any, size: tuple[int, int]) -> None:
    """The home screen, with a deployment chosen whose pods, nodes and service are marked."""

    async def before(pilot: Pilot[None]) -> None:
        await listed(pilot)
        await on_storefront(pilot)

    assert snap_compare(world_in_thread.app(), terminal_size=size, run_before=before)


@pytest.mark.parametrize("size", SIZES[:3], ids=lambda size: f"{size[0]}x{size[1]}")
def test_narrowed(world_in_thread: World, snap_compare: Any, size: tuple[int, int]) -> None:
    """Every pane narrowed to one deployment."""

    async def before(pilot: Pilot[None]) -> None:
        await listed(pilot)
        await on_storefront(pilot)
        await pilot.press("enter")
        await listed(pilot)

    assert snap_compare(world_in_thread.app(), terminal_size=size, run_before=before)


def test_filtered(world_in_thread: World, snap_compare: Any) -> None:
    """A filter being typed, its matches highlighted."""

    async def before(pilot: Pilot[None]) -> None:
        await listed(pilot)
        await pilot.press("4", "slash", *"store")
        await shows(pilot, "Pods 3 of")

    assert snap_compare(world_in_thread.app(), terminal_size=(160, 45), run_before=before)


def test_denied(world_in_thread: World, snap_compare: Any) -> None:
    """A user without any rights."""

    async def before(pilot: Pilot[None]) -> None:
        await listed(pilot)

    assert snap_compare(world_in_thread.app("nobody"), terminal_size=(110, 30), run_before=before)


def test_browse(world_in_thread: World, snap_compare: Any) -> None:
    """Custom resources, from the server's own columns."""

    async def before(pilot: Pilot[None]) -> None:
        await listed(pilot)
        await pilot.press("colon", *"wd", "enter")
        await shows(pilot, "Widgets")
        await listed(pilot)

    assert snap_compare(world_in_thread.app(), terminal_size=(110, 30), run_before=before)


@pytest.mark.parametrize("size", [SIZES[0], SIZES[2]], ids=lambda size: f"{size[0]}x{size[1]}")
def test_help(world_in_thread: World, snap_compare: Any, size: tuple[int, int]) -> None:
    """All keys of the home screen."""

    async def before(pilot: Pilot[None]) -> None:
        await listed(pilot)
        await pilot.press("question_mark")
        await shows(pilot, "esc closes")

    assert snap_compare(world_in_thread.app(), terminal_size=size, run_before=before)


@pytest.mark.parametrize("theme", ["ktui-light", "ktui-high-contrast", "ktui-ansi"])
def test_themes(world_in_thread: World, snap_compare: Any, theme: str) -> None:
    """The other themes."""

    async def before(pilot: Pilot[None]) -> None:
        await listed(pilot)
        await on_storefront(pilot)

    assert snap_compare(world_in_thread.app(theme=theme), terminal_size=(110, 30), run_before=before)
