"""What acting looks like, at both sizes. `make snapshots` accepts a new look; look at it first."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from textual.pilot import Pilot

from ktui.actions.action import Action, Target
from ktui.actions.delete import DELETE
from ktui.actions.scale import SCALE
from ktui.actions.undertaking import Undertaking
from ktui.kinds.deployments import DEPLOYMENTS
from ktui.kinds.names import GVR_DEPLOYMENTS, GVR_NODES, ObjectKey
from ktui.kinds.services import SERVICES
from ktui.kube.errors import KtuiError
from ktui.screens.acting import new_batch
from ktui.screens.home import HomeScreen
from tests.ui.acting import (  # noqa: F401 - nobody_waits is a fixture
    SMALL,
    WIDE,
    choose,
    dialog,
    fill,
    make,
    menu,
    nobody_waits,
    press,
)
from tests.ui.conftest import Size, World, at_both_sizes, shows, shows_not, until


@pytest.fixture(autouse=True)
def times_of_greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The journal shows local time."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


async def on_deployment(pilot: Pilot[None], name: str, *keys: str) -> None:
    """Go to a deployment of the shop, and open a dialog."""
    await choose(pilot, GVR_DEPLOYMENTS, "shop", name)
    await settle(pilot)
    await press(pilot, *keys)


async def settle(pilot: Pilot[None]) -> None:
    """Wait until the page below is as it stays."""
    page = pilot.app.screen
    assert isinstance(page, HomeScreen)
    await until(pilot, lambda: page._revealing is None, "what belongs together in sight")


@at_both_sizes
def test_scale(looks: Callable[..., None], size: Size) -> None:
    """To zero, which is confirmed."""

    async def keys(pilot: Pilot[None]) -> None:
        await on_deployment(pilot, "storefront", "s", "0")

    looks(size, keys)


@at_both_sizes
def test_expose(looks: Callable[..., None], size: Size) -> None:
    """The YAML and the pods beside the form, or below it."""

    async def keys(pilot: Pilot[None]) -> None:
        await on_deployment(pilot, "storefront", "x", "end", "-", "2", "tab", "right", "right")

    looks(size, keys)


@at_both_sizes
def test_create_deployment(looks: Callable[..., None], size: Size) -> None:
    """A long form, filled in."""

    async def keys(pilot: Pilot[None]) -> None:
        await settle(pilot)
        await make(pilot, "d")
        await fill(pilot, "hello-node", "registry.k8s.io/e2e-test-images/agnhost:2.53", "", "8080", "/agnhost netexec")

    looks(size, keys)


@at_both_sizes
def test_delete(looks: Callable[..., None], size: Size) -> None:
    """The keyboard is on Cancel."""

    async def keys(pilot: Pilot[None]) -> None:
        await on_deployment(pilot, "storefront", "ctrl+d")

    looks(size, keys)


@at_both_sizes
def test_drain(looks: Callable[..., None], size: Size) -> None:
    """A line for each pod, and the name to be typed."""

    async def keys(pilot: Pilot[None]) -> None:
        await choose(pilot, GVR_NODES, "", "worker-1")
        await settle(pilot)
        await menu(pilot, "D")

    looks(size, keys)


@at_both_sizes
def test_menu(looks: Callable[..., None], size: Size) -> None:
    """All that can be done to a deployment."""

    async def keys(pilot: Pilot[None]) -> None:
        await choose(pilot, GVR_DEPLOYMENTS, "shop", "storefront")
        await settle(pilot)
        await pilot.press("a", "down", "down")
        await shows(pilot, "$ kubectl")
        await shows(pilot, "not paused")

    looks(size, keys)


@at_both_sizes
def test_menu_as_viewer(looks: Callable[..., None], size: Size) -> None:
    """All that cannot be done to it, and why."""

    async def keys(pilot: Pilot[None]) -> None:
        await choose(pilot, GVR_DEPLOYMENTS, "shop", "storefront")
        await settle(pilot)
        # Without the pane of nodes, which are denied: when that is told in which colour is another matter.
        await pilot.press("z")
        await shows_not(pilot, "Nodes")
        await pilot.press("a")
        await shows(pilot, "viewer may not delete deployments")

    looks(size, keys, user="viewer")


@at_both_sizes
def test_progress_of_several(world_in_thread: World, looks: Callable[..., None], size: Size) -> None:
    """Two go on, as time stands still; one failed."""

    async def keys(pilot: Pilot[None]) -> None:
        world_in_thread.cluster.server.faults.deny("Not on Fridays", path="mailer/scale")
        await choose(pilot, GVR_DEPLOYMENTS, "shop", "cart", "mailer", "storefront")
        await settle(pilot)
        await press(pilot, "s", "4")
        await pilot.press("enter")
        for words in ("2 of 4 replicas ready", "3 of 4 replicas ready", "Fridays"):
            await shows(pilot, words)

    looks(size, keys)


@at_both_sizes
def test_journal(world_in_thread: World, looks: Callable[..., None], size: Size) -> None:
    """What was done, newest first; one of it failed."""

    async def keys(pilot: Pilot[None]) -> None:
        await delete_and_scale(world_in_thread, pilot)
        await pilot.press("colon", *"journal", "enter")
        await shows(pilot, "3 changes")

    looks(size, keys)


@at_both_sizes
def test_undo(world_in_thread: World, looks: Callable[..., None], size: Size) -> None:
    """What can be undone, newest first, and what does not come back."""

    async def keys(pilot: Pilot[None]) -> None:
        await delete_and_scale(world_in_thread, pilot)
        await pilot.press("U")
        await shows(pilot, "─ Undo ─")
        await pilot.press("down")
        await shows(pilot, "again.")

    looks(size, keys)


async def delete_and_scale(world: World, pilot: Pilot[None]) -> None:
    """Delete a service, be refused to scale a deployment, and scale another, as their dialogs do it."""
    world.cluster.server.faults.deny("Not on Fridays", path="mailer/scale")
    await write(pilot, DELETE, Target(SERVICES, ObjectKey("shop", "storefront")))
    await write(pilot, SCALE, Target(DEPLOYMENTS, ObjectKey("shop", "mailer")), replicas=4)
    await write(pilot, SCALE, Target(DEPLOYMENTS, ObjectKey("shop", "cart")), replicas=4)
    # The page below knows all of it.
    for words in ("Services 12", "◐ 2/4"):
        await shows(pilot, words)
    await choose(pilot, GVR_DEPLOYMENTS, "shop", "storefront")
    await settle(pilot)


async def write(pilot: Pilot[None], action: Action, target: Target, **values: Any) -> None:
    """Make the writes of an action, which the journal keeps."""
    acts = pilot.app.explorer.acts  # type: ignore[attr-defined]
    undertaking = Undertaking(acts.place, action, [target], acts._keeper(), new_batch())
    await undertaking.read()
    undertaking.values = {**(await action.form(acts.place, undertaking.targets)).start(), **values}
    undertaking.plan()
    for work in undertaking.works:
        for step in work.steps:
            with suppress(KtuiError):
                await work.write(step)
