"""U: what was done last, what comes back, and what does not."""

from __future__ import annotations

from typing import Any

from textual.pilot import Pilot

from ktui.kinds.names import GVR_DEPLOYMENTS, GVR_NODES
from ktui.screens.undo import UndoScreen
from tests.ui.acting import (
    SMALL,
    asked,
    buttons,
    choose,
    fill,
    fits,
    live,
    menu,
    press,
    said,
    there,
    to_its_end,
    writes,
)
from tests.ui.conftest import World, screen_text, shows, until

DEPLOYMENTS = "deployments.apps"


async def do(world: World, pilot: Pilot[Any], *keys: str) -> None:
    """Do what the dialog is about, wait for its end and close it."""
    await pilot.press(*keys)
    await to_its_end(world, pilot)
    await pilot.press("escape")


async def open_undo(pilot: Pilot[Any], *keys: str) -> None:
    """The list of what can be undone, and in it some keys."""
    await pilot.press("U")
    await until(pilot, lambda: isinstance(pilot.app.screen, UndoScreen), "the list")
    await pilot.press(*keys)


async def test_several_changes_are_undone(world: World) -> None:
    """A number, an image, a label, a cordon, and a deleted deployment come back, each after a look at what it does."""
    async with world.open(size=SMALL) as pilot:
        await open_undo(pilot)
        assert "Nothing was changed from here that can be undone." in screen_text(pilot)
        await pilot.press("escape")
        before = live(world, DEPLOYMENTS, "shop", "mailer")
        await choose(pilot, GVR_NODES, "", "worker-0")
        await menu(pilot, "c")
        await do(world, pilot, "enter")
        await choose(pilot, GVR_DEPLOYMENTS, "shop", "mailer")
        await press(pilot, "s", "3")
        await do(world, pilot, "enter")
        await menu(pilot, "l")
        await fill(pilot, "tier=back")
        await do(world, pilot, "ctrl+s")
        await press(pilot, "ctrl+d")
        await do(world, pilot, "tab", "enter")
        assert not there(world, DEPLOYMENTS, "shop", "mailer")

        await open_undo(pilot)
        text = screen_text(pilot)
        lines = ["Delete deployment shop/mailer", "Label deployment shop/mailer", "Scale deployment shop/mailer"]
        places = [text.index(line) for line in (*lines, "Cordon node worker-0")]
        assert places == sorted(places)
        assert "Create deployment shop/mailer again" in text
        await pilot.press("enter")
        await asked(pilot)
        assert "kind: Deployment" in said(pilot)
        await fits(pilot)
        await do(world, pilot, "enter")
        again = live(world, DEPLOYMENTS, "shop", "mailer")
        assert again["spec"]["replicas"] == 3
        assert again["metadata"]["labels"]["tier"] == "back"

        # What stands in the way of the others: it is another deployment now.
        await open_undo(pilot, "j")
        await pilot.press("enter")
        await asked(pilot)
        assert "Somebody changed deployment shop/mailer since: metadata.uid is" in said(pilot)
        assert buttons(pilot)["Undo"].disabled
        await fits(pilot)
        await pilot.press("escape")
        await open_undo(pilot, "end", "enter")
        await asked(pilot)
        assert "spec.unschedulable true (removed)" in said(pilot)
        await do(world, pilot, "enter")
        assert "unschedulable" not in live(world, "nodes", "", "worker-0")["spec"]
        await open_undo(pilot, "end")
        assert "It was undone already." in screen_text(pilot)
        count = sum(writes(world).values())
        await pilot.press("enter")
        assert isinstance(pilot.app.screen, UndoScreen)
        assert sum(writes(world).values()) == count
        assert before["metadata"]["uid"] != again["metadata"]["uid"]


async def test_what_somebody_changed_since_stays(world: World) -> None:
    """Scaled, then scaled by somebody else: undoing says what is there now, and does nothing."""
    async with world.open(size=SMALL) as pilot:
        await choose(pilot, GVR_DEPLOYMENTS, "shop", "cart", "mailer")
        await press(pilot, "s", "3")
        await do(world, pilot, "enter")
        item = live(world, DEPLOYMENTS, "shop", "cart")
        world.cluster.storage.update(DEPLOYMENTS, {**item, "spec": {**item["spec"], "replicas": 5}})
        await open_undo(pilot)
        assert "Scale deployment shop/cart and 1 more" in screen_text(pilot)
        await pilot.press("enter")
        await asked(pilot)
        assert "Somebody changed deployment shop/cart since: spec.replicas is 5 now. Nothing was undone." in said(pilot)
        await pilot.press("enter")
        item = live(world, DEPLOYMENTS, "shop", "cart")
        world.cluster.storage.update(DEPLOYMENTS, {**item, "spec": {**item["spec"], "replicas": 3}})
        await open_undo(pilot, "enter")
        await asked(pilot)
        assert said(pilot).count("spec.replicas 3 → ") == 2
        await pilot.press("enter")
        assert "2 of 2 done" in await to_its_end(world, pilot)
        assert live(world, DEPLOYMENTS, "shop", "cart")["spec"]["replicas"] == 2
        assert live(world, DEPLOYMENTS, "shop", "mailer")["spec"]["replicas"] == 1


async def test_read_only_undoes_nothing(world: World) -> None:
    """What was done before can be looked at, and not undone, when nothing may be changed."""
    async with world.open(size=SMALL) as pilot:
        await choose(pilot, GVR_DEPLOYMENTS, "shop", "cart")
        await press(pilot, "s", "3")
        await do(world, pilot, "enter")
        pilot.app.explorer.options = world.app(read_only=True)._options  # type: ignore[attr-defined]
        count = sum(writes(world).values())
        await open_undo(pilot, "enter")
        await asked(pilot)
        assert "ktui is read-only: it changes nothing." in said(pilot)
        await pilot.press("tab", "enter")
        assert sum(writes(world).values()) == count
        await pilot.press("escape")
        await shows(pilot, "read-only")
