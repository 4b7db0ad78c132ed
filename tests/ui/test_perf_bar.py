"""What ktui itself costs: the line above the keys, and the meters behind it."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

import pytest
from textual.pilot import Pilot

from ktui.options import Options
from ktui.screens.tables import TableScreen
from ktui.widgets.meters import WINDOW, Durations, Meters
from ktui.widgets.perf_bar import PerfBar
from tests.ui.bytes_written import painted
from tests.ui.conftest import World, listed, screen_text, shows, shows_not, until

SIZE = (200, 50)


def bar(pilot: Pilot[Any]) -> PerfBar:
    """The line, brought up to date."""
    found = pilot.app.screen.query_one(PerfBar)
    found.tell()
    return found


def number(text: str, what: str) -> float:
    """The number that `what` finds in the line."""
    found = re.search(what, text)
    assert found, text
    return float(found[1].replace(",", ""))


async def test_nothing_is_counted_unless_somebody_wants_to_know(world: World) -> None:
    """Without the meters no method of Textual or asyncio is replaced, and no line is there."""
    async with world.open(size=SIZE) as pilot:
        driver: Any = pilot.app._driver
        selector: Any = asyncio.get_running_loop()._selector  # type: ignore[attr-defined]
        assert not pilot.app.screen.query(PerfBar)
        assert "write" not in vars(driver)
        assert "select" not in vars(selector)
        assert "_compositor_refresh" not in vars(pilot.app.screen)


async def test_the_option_shows_the_line_from_the_start(world: World) -> None:
    """It tells requests and bytes, open watches and the rows that the panes hold."""
    async with world.open(size=SIZE, perf=True) as pilot:
        text = bar(pilot).text()
        page = pilot.app.screen
        assert isinstance(page, TableScreen)
        client = page.session.client
        assert client is not None
        assert number(text, r"API ([\d,]+) requests") == client.meter.requests > 4
        assert number(text, r"(\d+) watches") == client.meter.open_streams
        assert number(text, r"([\d,]+) rows") >= sum(len(pane.feed.store) for pane in page.panes)
        assert "frame" in text
        assert "stall" in text


async def test_the_palette_shows_the_line_and_takes_it_away(world: World) -> None:
    """When it is gone, so is everything that counted."""
    async with world.open(size=SIZE) as pilot:
        for shown in (True, False):
            await pilot.press("ctrl+p")
            await pilot.press(*"performance")
            await shows(pilot, "Show what ktui itself costs")
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(pilot.app.screen, TableScreen))
            await (shows if shown else shows_not)(pilot, "worst")
        await until(pilot, lambda: "_compositor_refresh" not in vars(pilot.app.screen))
        assert "write" not in vars(pilot.app._driver)


async def test_the_line_is_there_on_every_page_of_tables(world: World) -> None:
    """It comes along to another kind, and back, and survives other namespaces."""
    async with world.open(size=SIZE, perf=True) as pilot:
        await pilot.press("colon", *"pods", "enter")
        await until(pilot, lambda: len(pilot.app.screen_stack) == 3)
        await listed(pilot)
        await shows(pilot, "worst")
        await pilot.press("q")
        await shows(pilot, "Nodes 5")
        await shows(pilot, "worst")
        await pilot.press("colon", *"ns shop", "enter")
        await shows(pilot, "▸ shop")
        await listed(pilot)
        await until(pilot, lambda: len(pilot.app.screen.query(PerfBar)) == 1)


async def test_bytes_are_those_that_were_written(world: World) -> None:
    """What the meters count between two moments is what the terminal got."""
    async with painted(world.app(perf=True), size=SIZE) as (pilot, terminal):
        await listed(pilot)
        meters = pilot.app.screen.query_one(PerfBar)._meters
        await pilot.pause()
        terminal.forget()
        before, frames = meters.written, meters.frames.last
        assert frames > 0
        await pilot.press("4", "down")
        await pilot.pause()
        assert meters.written - before == terminal.bytes > 0


async def test_a_stall_of_the_loop_is_told(world: World) -> None:
    """Whatever keeps the loop from listening shows as a stall of that length, and one in ten seconds is forgotten."""
    async with world.open(size=SIZE, perf=True) as pilot:
        meters = bar(pilot)._meters
        began = time.perf_counter()
        while time.perf_counter() - began < 0.2:
            pass
        await pilot.pause()
        assert meters.steps.worst() >= 0.2
        assert number(bar(pilot).text(), r"stall (\d+) ms") >= 200


async def test_changes_of_watches_are_counted(world: World) -> None:
    """An event that a watch reports counts, whatever pane it is for."""
    async with world.open(size=SIZE, perf=True) as pilot:
        page = pilot.app.screen
        assert isinstance(page, TableScreen)
        client = page.session.client
        assert client is not None
        before = client.meter.changes
        await client.request("DELETE", "/api/v1/namespaces/shop/services/storefront")
        await until(pilot, lambda: client.meter.changes > before, "an event")


async def test_what_is_least_needed_gives_way(world: World) -> None:
    """On a narrow terminal frames and stalls stay."""
    async with world.open(size=(80, 24), perf=True) as pilot:
        await shows(pilot, "stall")
        assert "watches" not in screen_text(pilot)


def test_the_worst_is_forgotten_after_a_while() -> None:
    """The longest duration of the last seconds, whatever came between."""
    now = 0.0
    durations = Durations(lambda: now)
    durations.add(0.5)
    now = 3.0
    durations.add(0.2)
    now = 4.0
    durations.add(0.1)
    assert (durations.worst(), durations.last) == (0.5, 0.1)
    now = WINDOW + 1.0
    assert durations.worst() == 0.2
    now = WINDOW + 3.5
    assert durations.worst() == 0.1
    now = 3 * WINDOW
    assert durations.worst() == 0.0


async def test_closed_meters_leave_nothing_behind(world: World) -> None:
    """Everything is as before, though two counted one after the other."""
    async with world.app().run_test() as pilot:
        write = pilot.app._driver.write  # type: ignore[union-attr]
        for _ in range(2):
            Meters(pilot.app).close()
        assert pilot.app._driver.write == write  # type: ignore[union-attr]


@pytest.mark.parametrize("asked", [True, False])
def test_options_say_what_was_asked_for(asked: bool) -> None:
    """`--perf` reaches the app."""
    from ktui.cli.arguments import parse
    from ktui.cli.explore import options_of

    assert options_of(parse(["--perf"] if asked else [])) == Options(perf=asked)
