"""The menus: what can be done and made, with which key, how kubectl says it, and why not where it cannot."""

from __future__ import annotations

import pytest
from textual.widgets import OptionList

from ktui.actions.registry import actions_for, creations
from ktui.kinds.deployments import DEPLOYMENTS
from ktui.kinds.names import GVR_DEPLOYMENTS, GVR_NODES
from ktui.kinds.nodes import NODES
from ktui.screens.actions_menu import ActionsMenu
from ktui.screens.home import HomeScreen
from tests.ui.acting import (  # noqa: F401 - nobody_waits is a fixture
    SMALL,
    WIDE,
    asked,
    buttons,
    choose,
    dialog,
    menu,
    nobody_waits,
    press,
    said,
    writes,
)
from tests.ui.conftest import World, screen_text, shows, until


async def test_all_that_can_be_done(world: World) -> None:
    """Each action with its key, what it does, and its kubectl line; a key, or Enter, opens its dialog."""
    async with world.open(size=SMALL) as pilot:
        await choose(pilot, GVR_DEPLOYMENTS, "shop", "cart")
        await pilot.press("a")
        await shows(pilot, "─ deployment shop/cart ─")
        text = screen_text(pilot)
        for action in actions_for(DEPLOYMENTS):
            assert f" {action.key}  " in text
            assert action.title in text
        await pilot.press("down", "down")
        await shows(pilot, "$ kubectl --context demo -n shop rollout restart deployments cart")
        assert text.count("Replace all pods, by the workload's own ") == 1
        assert screen_text(pilot).count("Replace all pods, by the workload's own ") == 2
        # What makes no sense for it as it is says so, and can be looked at all the same.
        await shows(pilot, "not paused")
        await pilot.press("enter")
        await asked(pilot)
        assert "Restart deployment shop/cart" in screen_text(pilot)
        await pilot.press("escape")
        await menu(pilot, "ctrl+d")
        assert "Delete deployment shop/cart" in screen_text(pilot)
        await pilot.press("escape")
        await menu(pilot, "u")
        assert 'deployments.apps "cart" is not paused' in said(pilot)
        await pilot.press("escape", "a")
        await until(pilot, lambda: isinstance(pilot.app.screen, ActionsMenu))
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, HomeScreen)
        assert not writes(world)


async def test_several_and_new(world: World) -> None:
    """For several objects, what works on one only says so; `n` has all that can be made."""
    async with world.open(size=SMALL) as pilot:
        await choose(pilot, GVR_NODES, "", "worker-0", "worker-1")
        await pilot.press("a")
        await shows(pilot, "─ 2 objects ─")
        text = screen_text(pilot)
        assert all(action.title in text for action in actions_for(NODES))
        await pilot.press("c")
        await asked(pilot)
        assert "Cordon 2 nodes" in screen_text(pilot)
        await pilot.press("escape")
        await choose(pilot, GVR_DEPLOYMENTS, "shop", "cart", "mailer")
        await pilot.press("a")
        await shows(pilot, "works on one object at a time")
        await pilot.press("escape", "n")
        await shows(pilot, "─ New ─")
        text = screen_text(pilot)
        assert all(action.title in text for action in creations())


@pytest.mark.parametrize("user", ["viewer", "dev"])
async def test_what_is_denied_says_why(world: World, user: str) -> None:
    """Denied: dim, with who may not do what, and whom to ask; on the page its key tells it, and nothing is done."""
    async with world.open(user, namespaces=("shop",)) as pilot:
        await choose(pilot, GVR_DEPLOYMENTS, "shop", "cart")
        await pilot.press("a")
        if user == "dev":
            await shows(pilot, "not paused")
            assert "may not patch" not in screen_text(pilot)
            return
        await shows(pilot, "viewer may not delete deployments in namespace shop.")
        text = screen_text(pilot)
        assert "viewer may not create services in namespace shop." in text
        assert text.count("may not patch deployments") >= 8
        # Looking is allowed.
        assert "Follow a rollout to its end" in text
        assert "Ask whoever runs the cluster for the ClusterRole" in text
        options = pilot.app.screen.query_one(OptionList)
        assert options.option_count == len(actions_for(DEPLOYMENTS))
        await press(pilot, "s", "5")
        assert "✖ viewer may not patch deployments/scale in namespace shop." in said(pilot)
        assert buttons(pilot)["Scale"].disabled
        await pilot.press("enter", "escape")
        # Now it is known on the page, too: its keys are dim, and still tell why.
        assert "s Scale" in screen_text(pilot)
        assert not pilot.app.screen.active_bindings["s"].enabled
        await press(pilot, "s")
        assert "✖ viewer may not patch deployments/scale in namespace shop." in said(pilot)
        await pilot.press("escape")
        await press(pilot, "ctrl+d")
        assert "✖ viewer may not delete deployments in namespace shop." in said(pilot)
        await pilot.press("tab", "enter")
        assert dialog(pilot)._going is None
        assert not writes(world)


async def test_nobody_makes_nothing(world: World) -> None:
    """Someone without rights is told what is missing before a form is filled in vain."""
    async with world.open("nobody", namespaces=("shop",)) as pilot:
        await pilot.press("n")
        await shows(pilot, "nobody may not create deployments in namespace shop.")
        await press(pilot, "d")
        assert "✖ nobody may not create deployments in namespace shop." in said(pilot)
        assert buttons(pilot)["Create deployment"].disabled
        assert not writes(world)
