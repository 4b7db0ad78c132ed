"""Acting in the application by the keyboard: choosing what to act on, waiting for dialogs, and what was written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Button

from ktui.kinds.names import GVR, ObjectKey
from ktui.screens import act
from ktui.screens.act import ActScreen
from ktui.screens.actions_menu import ActionsMenu
from ktui.screens.tables import TableScreen
from ktui.widgets.live_pane import LivePane
from tests.ui.conftest import World, listed, screen_text, until

WIDE, SMALL = (160, 45), (80, 24)
LOOKS_ONLY = ("get", "list", "watch")
Object = dict[str, Any]


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """In modules that import it, the server is asked what would happen as soon as a key was pressed."""
    monkeypatch.setattr(act, "SETTLES", 0.01)


def pane(pilot: Pilot[Any], gvr: GVR) -> LivePane:
    """The pane of a kind."""
    page = pilot.app.screen
    assert isinstance(page, TableScreen)
    return next(each for each in page.panes if each.kind.gvr == gvr)


async def choose(pilot: Pilot[Any], gvr: GVR, namespace: str, *names: str) -> None:
    """Go to an object; to several, and mark each."""
    here = pane(pilot, gvr)
    here.focus_table()
    for name in names:
        here.select(ObjectKey(namespace, name))
        await pilot.pause()
        if len(names) > 1:
            await pilot.press("space")
    # The keys of actions are there once the page stands.
    await until(pilot, lambda: "s" in pilot.app.screen.active_bindings or "ctrl+d" in pilot.app.screen.active_bindings)


async def browse(pilot: Pilot[Any], where: str) -> None:
    """Go to a page of one kind."""
    before = pilot.app.screen
    await pilot.press("colon", *where, "enter")
    await until(pilot, lambda: pilot.app.screen is not before, where)
    await listed(pilot)
    await until(pilot, lambda: "ctrl+d" in pilot.app.screen.active_bindings, "keys of actions")


def dialog(pilot: Pilot[Any]) -> ActScreen:
    """The dialog that is seen."""
    page = pilot.app.screen
    assert isinstance(page, ActScreen), f"no dialog:\n{screen_text(pilot)}"
    return page


async def asked(pilot: Pilot[Any]) -> None:
    """Wait until the dialog says all there is to say about what is filled in."""

    def all_said() -> bool:
        page = pilot.app.screen
        if not isinstance(page, ActScreen) or page._going is not None:
            return isinstance(page, ActScreen)
        return page._trouble is not None or page._checked or (bool(page.query("FormView")) and page._incomplete)

    await until(pilot, all_said, "a dialog that has asked the server")
    # What it says is laid out in two steps.
    await pilot.pause()
    await pilot.pause()


async def press(pilot: Pilot[Any], *keys: str) -> None:
    """Press keys in a dialog, and wait until it has said what would come of it."""
    await pilot.press(*keys)
    await asked(pilot)


async def menu(pilot: Pilot[Any], key: str, *, opens: str = "a") -> None:
    """Choose an action from the actions menu (`a`) or from what can be made (`n`)."""
    await pilot.press(opens)
    await until(pilot, lambda: isinstance(pilot.app.screen, ActionsMenu), "a menu")
    await press(pilot, key)


async def make(pilot: Pilot[Any], key: str) -> None:
    """Choose something to make."""
    await menu(pilot, key, opens="n")


async def comes_true(world: World, pilot: Pilot[Any], condition: Callable[[], bool], what: str = "") -> None:
    """Wait for a condition while the cluster's time goes on."""

    def look() -> bool:
        if not condition():
            world.clock.advance(1)
        return condition()

    await until(pilot, look, what)


async def to_its_end(world: World, pilot: Pilot[Any]) -> str:
    """Wait until what is done has come to its end; what the dialog says then."""
    page = dialog(pilot)
    await until(pilot, lambda: page._going is not None, "something being done")
    await comes_true(world, pilot, lambda: page.undertaking.ended, "an end")
    await until(pilot, lambda: "esc closes" in screen_text(pilot), "an end that is told")
    return screen_text(pilot)


def said(pilot: Pilot[Any], part: str = "#told") -> str:
    """What the dialog says, as it stands on the screen, with wrapped lines joined.

    Args:
        pilot: drives the application.
        part: which part of the dialog: `#told`, or `#ask` for what is asked.
    """
    region = dialog(pilot).query_one(part).region
    lines = screen_text(pilot).splitlines()[region.y : region.bottom]
    return " ".join(" ".join(line[region.x : region.right] for line in lines).split())


def buttons(pilot: Pilot[Any]) -> dict[str, Button]:
    """The buttons in sight, by what stands on them."""
    return {str(button.label): button for button in dialog(pilot).query(Button) if button.display}


def focus(pilot: Pilot[Any]) -> str:
    """What has the keyboard: the label of a button, the name of a field, or the kind of a widget."""
    widget = pilot.app.focused
    if isinstance(widget, Button):
        return str(widget.label)
    for row in dialog(pilot).query("FieldRow"):
        if widget in row.walk_children():
            return str(row.field.name)  # type: ignore[attr-defined]
    return "" if widget is None else type(widget).__name__


def live(world: World, resource: str, namespace: str, name: str) -> Object:
    """An object as the cluster has it."""
    found = world.cluster.storage.get(resource, namespace, name)
    assert found is not None, f"no {resource} {namespace}/{name}"
    return found


def there(world: World, resource: str, namespace: str, name: str) -> bool:
    """Whether the cluster has an object."""
    return world.cluster.storage.get(resource, namespace, name) is not None


def writes(world: World) -> Counter[str]:
    """The requests that changed something, or were to: by path, without queries."""
    found: Counter[str] = Counter()
    for (verb, path), times in world.cluster.server.requests.items():
        if verb not in LOOKS_ONLY and "dryRun=All" not in path and "reviews" not in path:
            found[f"{verb} {path.partition('?')[0]}"] += times
    return found


def told_aside(pilot: Pilot[Any]) -> str:
    """What notifications say."""
    return "\n".join(f"{each.title} {each.message}" for each in pilot.app._notifications)


async def paste(pilot: Pilot[Any], text: str) -> None:
    """Paste a text, as a terminal hands it over."""
    pilot.app.post_message(events.Paste(text))
    await pilot.pause()


async def fill(pilot: Pilot[Any], *texts: str) -> None:
    """Fill in fields, one after the other, in place of what stands there; an empty text leaves a field as it is."""
    for place, text in enumerate(texts):
        if place:
            await pilot.press("tab")
        if text:
            await paste(pilot, text)
    await asked(pilot)


async def fits(pilot: Pilot[Any]) -> None:
    """The whole dialog is in sight: its frame, its buttons, and what has the keyboard."""
    await pilot.pause()
    page = dialog(pilot)
    for widget in (page.query_one("#box"), *buttons(pilot).values(), pilot.app.focused):
        assert widget is not None
        found = page.find_widget(widget)
        assert found.visible_region.size == found.region.size, f"{widget} is cut:\n{screen_text(pilot)}"
    edge = f"─ {page.undertaking.place.context} ─╯"
    assert any(edge in line for line in screen_text(pilot).splitlines()), "no lower edge"
