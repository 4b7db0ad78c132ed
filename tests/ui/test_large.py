"""A cluster too large for whole objects, on the screen: nothing that matters is lost, nothing is claimed too early."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from textual.pilot import Pilot

from ktui.kinds.names import GVR_PODS
from ktui.kube import feed, list_watch, rows_first
from ktui.kube.errors import ApiError
from ktui.screens.home import HomeScreen
from ktui.screens.tables import TableScreen
from tests.ui.conftest import World, screen_text, shows, until


@pytest.fixture(autouse=True)
def everything_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every list of more than two objects is read rows first."""
    monkeypatch.setattr(rows_first, "WHOLE_BYTES", 0)
    monkeypatch.setattr(rows_first, "OBJECTS_A_REQUEST", 0)
    monkeypatch.setattr(list_watch, "FIRST_PAGE", 2)


@pytest.fixture
async def pilot(world: World) -> AsyncIterator[Pilot[None]]:
    """ktui on the home screen, with everything listed and no objects but a few."""
    async with world.open() as opened:
        yield opened


def page(pilot: Pilot[None]) -> TableScreen:
    """The page in front."""
    screen = pilot.app.screen
    assert isinstance(screen, TableScreen)
    return screen


def objects_of_pods(pilot: Pilot[None]) -> int:
    """How many pods are known whole."""
    pane = next(pane for pane in page(pilot).panes if pane.kind.gvr == GVR_PODS)
    assert pane.feed.store.abridged
    return sum(row.object is not None for row in pane.feed.store.rows.values())


async def go_to_row(pilot: Pilot[None], name: str) -> None:
    """Move the cursor down to a row of the pane that has the keyboard."""
    for _ in range(60):
        row = page(pilot).pane.row
        if row is not None and row.key.name == name:
            return
        await pilot.press("down")
    raise AssertionError(f"no row {name}")


async def test_a_deployment_finds_its_pods_when_the_cursor_rests(pilot: Pilot[None]) -> None:
    """Its own object comes first, then its pods by their selector, then what those belong to."""
    await pilot.press("2")
    await go_to_row(pilot, "storefront")
    await shows(pilot, "deployment shop/storefront → 3 pods on")
    await shows(pilot, "← service storefront")
    marked = {pane.kind.gvr.resource: len(pane.table.related) for pane in page(pilot).panes}
    assert (marked["pods"], marked["services"]) == (3, 1)
    assert marked["nodes"] >= 1


async def test_narrowing_ends_with_what_belongs_together(pilot: Pilot[None]) -> None:
    """Enter narrows at once, and what is found later joins; until then nothing is said to be missing."""
    await pilot.press("2")
    await go_to_row(pilot, "storefront")
    await pilot.press("enter")
    assert "No pods belong to" not in screen_text(pilot)
    await shows(pilot, "Pods 3 of")
    await shows(pilot, "Services 1 of")
    await pilot.press("escape")
    await shows(pilot, "Pods 42")


async def test_a_pod_under_a_resting_cursor_says_what_is_wrong(pilot: Pilot[None]) -> None:
    """Why it fails stands in its object, which is asked for by its name."""
    await pilot.press("4", "exclamation_mark")
    home = page(pilot)
    await until(pilot, lambda: home.pane.row is not None and home.pane.row.object is not None)
    await shows(pilot, "→ deployment")


async def test_a_node_counts_its_pods_from_their_cells(pilot: Pilot[None]) -> None:
    """Which pods run on a node the rows tell by themselves."""
    await pilot.press("1")
    await go_to_row(pilot, "worker-0")
    await until(pilot, lambda: any(pane.table.related for pane in page(pilot).panes if pane.kind.gvr == GVR_PODS))
    await shows(pilot, "node worker-0 →")


async def test_a_held_key_asks_for_nothing(pilot: Pilot[None]) -> None:
    """Objects are asked for when the cursor rests, not for every row it passes."""
    await pilot.press("4")
    before = objects_of_pods(pilot)
    await pilot.press(*["down"] * 20)
    assert objects_of_pods(pilot) <= before + 1


async def test_sorting_by_age_and_restarts(pilot: Pilot[None]) -> None:
    """What the cells tell sorts as the objects would."""
    await pilot.press("4", "R")
    pane = page(pilot).pane
    restarts = pane.table.model.column("RESTARTS")
    assert restarts is not None
    rows = [row for index in range(len(pane.table.model)) if (row := pane.table.model.row_at(index)) is not None]
    while pane.table.model.sort is None or pane.table.model.sort.column != "RESTARTS":
        await pilot.press("R")
    rows = [row for index in range(len(pane.table.model)) if (row := pane.table.model.row_at(index)) is not None]
    keys = [restarts.sort_key(row) for row in rows]
    assert keys == sorted(keys)
    assert keys[-1][1] > 0


async def test_details_of_a_row_without_an_object(pilot: Pilot[None]) -> None:
    """Details fetch the whole object."""
    await pilot.press("4", "end")
    await until(pilot, lambda: page(pilot).pane.row is not None)
    await pilot.press("d")
    await shows(pilot, "Container")


async def test_objects_that_cannot_be_had_are_no_secret(pilot: Pilot[None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the pods of a deployment may not be asked for, the line of words and the narrowed panes say why."""

    async def refuses(*_: object) -> list[object]:
        raise ApiError(500, "InternalError", "etcdserver: leader changed")

    monkeypatch.setattr(feed, "list_rows", refuses)
    await pilot.press("2")
    await go_to_row(pilot, "storefront")
    await shows(pilot, "etcdserver: leader changed")
    await pilot.press("enter")
    await shows(pilot, "Not all is known of what belongs to storefront")


async def test_metrics_are_asked_for_where_rows_are_in_sight(world: World) -> None:
    """On a small terminal the first namespaces are in sight, and no others are asked about."""
    async with world.open(size=(120, 32)) as pilot:
        await pilot.press("4", "z")
        home = page(pilot)
        assert isinstance(home, HomeScreen)
        pods = home.pane
        await until(pilot, lambda: {feed.scope.namespaces for feed in pods.joins.feeds} != set())
        seen = {key.namespace for key in pods.table.keys_in_sight}
        await until(pilot, lambda: {n for feed in pods.joins.feeds for n in feed.scope.namespaces} == seen)
        await shows(pilot, "CPU")
