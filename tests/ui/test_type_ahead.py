"""What is typed before something is there, in one burst as terminals send it, is meant for that and nothing else."""

from __future__ import annotations

from typing import Any

from textual import events
from textual.pilot import Pilot

from ktui.kinds.names import GVR_DEPLOYMENTS
from ktui.screens.home import HomeScreen
from tests.ui.acting import SMALL, choose, comes_true, dialog, focus, live, there, to_its_end, writes
from tests.ui.conftest import World, listed, screen_text, shows, until

DEPLOYMENTS = "deployments.apps"
CHARACTERS = {":": "colon", "/": "slash", "\r": "enter", "\t": "tab", "\x04": "ctrl+d", "\x1b": "escape"}


def burst(pilot: Pilot[Any], typed: str) -> None:
    """Hand over keys all at once."""
    for character in typed:
        key = CHARACTERS.get(character, character)
        pilot.app.post_message(events.Key(key, character if character.isprintable() else None))


async def test_a_burst_goes_where_it_is_meant(world: World) -> None:
    """`:po⏎` shows pods, `/x⏎` filters, `s5⏎` scales to five: no letter of them acts on the table below."""
    async with world.open() as pilot:
        await choose(pilot, GVR_DEPLOYMENTS, "shop", "cart")
        burst(pilot, "s5\r")
        await until(pilot, lambda: len(pilot.app.screen_stack) == 3, "a dialog")
        assert "All 5 replicas are ready." in await to_its_end(world, pilot)
        assert live(world, DEPLOYMENTS, "shop", "cart")["spec"]["replicas"] == 5
        assert sum(writes(world).values()) == 1
        await pilot.press("escape")
        burst(pilot, ":po\r")
        await shows(pilot, "▸ pods")
        await listed(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen), "home")
        burst(pilot, "/cat\r")
        await shows(pilot, "/cat")
        assert sum(writes(world).values()) == 1


async def test_no_burst_agrees_to_anything(world: World) -> None:
    """Enter behind ctrl+d, or behind a zero, is on Cancel; nothing is agreed to that was not said; Esc ends it all."""
    async with world.open(size=SMALL) as pilot:
        await choose(pilot, GVR_DEPLOYMENTS, "shop", "cart")
        for typed in ("\x04\r", "\x04y\r", "s\x1b5\r", "\x04\t\r", "s0\r\r"):
            burst(pilot, typed)
            await until(pilot, lambda: not pilot.app.holds_keys, "keys handed out")  # type: ignore[attr-defined]
            # What is typed now comes behind all of it.
            await pilot.press("f12", "f12")
            assert not writes(world), repr(typed)
            assert there(world, DEPLOYMENTS, "shop", "cart")
            if typed in ("\x04\r", "\x04y\r", "s\x1b5\r"):
                await until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen), f"home after {typed!r}")
            else:
                assert focus(pilot) != "Delete"
                assert dialog(pilot)._going is None
                await pilot.press("escape")


async def test_keys_wait_for_a_slow_server(world: World) -> None:
    """While a dialog reads, digits wait for the field; the page below takes none of them, and Esc leaves at once."""
    async with world.open(size=SMALL) as pilot:
        await choose(pilot, GVR_DEPLOYMENTS, "shop", "cart")
        world.cluster.server.faults.hang()
        burst(pilot, "s4")
        await shows(pilot, "Reading …")
        world.cluster.server.faults.release()
        await comes_true(world, pilot, lambda: "spec.replicas  2 → 4" in screen_text(pilot), "four")
        assert focus(pilot) == "replicas"
        assert dialog(pilot)._going is None
        await pilot.press("escape")
        world.cluster.server.faults.hang()
        burst(pilot, "s4")
        await shows(pilot, "Reading …")
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, HomeScreen)
        world.cluster.server.faults.release()
        await pilot.press("4")
        assert pilot.app.screen.pane.title == "Pods"
        assert not writes(world)
