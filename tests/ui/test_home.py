"""The home screen: four panes, what belongs together, and the keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from ktui.app import KtuiApp
from ktui.kinds.names import GVR, GVR_DEPLOYMENTS, GVR_NODES, GVR_PODS, GVR_SERVICES, ObjectKey
from ktui.options import Options
from ktui.screens.details import DetailsScreen
from ktui.screens.home import HomeScreen
from ktui.screens.tables import TableScreen
from ktui.widgets.live_pane import LivePane
from tests.ui.conftest import World, listed, screen_text, shows, shows_not, until


def page(pilot: Pilot[Any]) -> TableScreen:
    """The page that is seen."""
    assert isinstance(pilot.app.screen, TableScreen)
    return pilot.app.screen


def pane(pilot: Pilot[Any], gvr: GVR) -> LivePane:
    """The pane of a kind."""
    return next(each for each in page(pilot).panes if each.kind.gvr == gvr)


def sorted_by(pilot: Pilot[Any]) -> tuple[str, bool] | None:
    """The column by which the pane with the keyboard is sorted, and whether downwards."""
    sort = page(pilot).pane.table.model.sort
    return None if sort is None else (sort.column, sort.descending)


async def test_four_panes_show_the_cluster(world: World) -> None:
    """The home screen shows nodes, deployments, services and pods, each live."""
    async with world.open() as pilot:
        text = screen_text(pilot)
        for words in ("Nodes 5", "Deployments", "Services", "Pods", "worker-0", "storefront", "hello-node"):
            assert words in text
        assert text.count("● live") == 5


async def test_the_cursor_marks_what_belongs_together(world: World) -> None:
    """On a deployment, its pods, their nodes and the services that select them are marked."""
    async with world.open() as pilot:
        here = pane(pilot, GVR_DEPLOYMENTS)
        here.select(ObjectKey("shop", "storefront"))
        await until(pilot, lambda: len(pane(pilot, GVR_PODS).table.related) == 3, "three marked pods")
        assert all(key.name.startswith("storefront-") for key in pane(pilot, GVR_PODS).table.related)
        assert pane(pilot, GVR_SERVICES).table.related == {ObjectKey("shop", "storefront")}
        pods = [pane(pilot, GVR_PODS).feed.store.rows[key].object for key in pane(pilot, GVR_PODS).table.related]
        assert pane(pilot, GVR_NODES).table.related == {ObjectKey("", pod.spec.node_name) for pod in pods}
        await shows(pilot, "deployment shop/storefront → 3 pods")


async def test_enter_narrows_and_escape_widens(world: World) -> None:
    """Enter leaves only what is related in every pane and says so; Esc brings everything back, cursor included."""
    async with world.open() as pilot:
        here = pane(pilot, GVR_DEPLOYMENTS)
        here.select(ObjectKey("shop", "storefront"))
        await pilot.press("enter")
        await shows(pilot, "Pods 3 of ")
        assert "· storefront" in screen_text(pilot)
        assert here.shown_keys() == {ObjectKey("shop", "storefront")}
        await pilot.press("escape")
        await shows_not(pilot, "· storefront")
        assert here.row is not None
        assert here.row.key == ObjectKey("shop", "storefront")


async def test_enter_opens_details_where_nothing_is_left_to_narrow(world: World) -> None:
    """A second Enter on the same object shows its details."""
    async with world.open() as pilot:
        pane(pilot, GVR_DEPLOYMENTS).select(ObjectKey("shop", "storefront"))
        await pilot.press("enter")
        await shows(pilot, "Pods 3 of ")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, DetailsScreen), "details")


async def test_a_narrowed_view_follows_the_cluster(world: World) -> None:
    """A pod that comes to a narrowed deployment appears in the narrowed pane."""
    async with world.open() as pilot:
        pane(pilot, GVR_DEPLOYMENTS).select(ObjectKey("shop", "storefront"))
        await pilot.press("enter")
        await shows(pilot, "Pods 3 of ")
        storage = world.cluster.storage
        deployment = storage.get("deployments.apps", "shop", "storefront")
        assert deployment is not None
        storage.update("deployments.apps", {**deployment, "spec": {**deployment["spec"], "replicas": 4}})
        world.clock.advance(1)
        await shows(pilot, "Pods 4 of ")


@pytest.mark.parametrize(("key", "title"), [("1", "Nodes"), ("2", "Deployments"), ("3", "Services"), ("4", "Pods")])
async def test_a_number_goes_to_its_pane(world: World, key: str, title: str) -> None:
    """1 to 4 move the keyboard to the pane of that number."""
    async with world.open() as pilot:
        await pilot.press(key)
        await until(pilot, lambda: page(pilot).pane.title == title, title)


async def test_tab_goes_around(world: World) -> None:
    """Tab visits all four panes and returns; shift+tab goes back."""
    async with world.open() as pilot:
        seen = []
        for _ in range(4):
            await pilot.press("tab")
            seen.append(page(pilot).pane.title)
        assert seen == ["Services", "Pods", "Nodes", "Deployments"]
        await pilot.press("shift+tab")
        assert page(pilot).pane.title == "Nodes"


async def test_zoom_gives_the_screen_to_one_pane(world: World) -> None:
    """z shows one pane alone and gives the others back."""
    async with world.open() as pilot:
        await pilot.press("4", "z")
        await shows_not(pilot, "Nodes 5")
        assert "Pods" in screen_text(pilot)
        await pilot.press("z")
        await shows(pilot, "Nodes 5")


async def test_a_filter_narrows_one_pane_as_it_is_typed(world: World) -> None:
    """/ keeps the rows that contain the text, whatever its case; Esc clears it."""
    async with world.open() as pilot:
        pods = pane(pilot, GVR_PODS)
        total = pods.table.model.total
        await pilot.press("4", "slash", *"STOREfront")
        await until(pilot, lambda: len(pods.table.model) == 3, "three pods")
        await pilot.press("enter")
        await shows(pilot, f"Pods 3 of {total} /STOREfront")
        await pilot.press("escape")
        await until(pilot, lambda: len(pods.table.model) == total, "all pods")


async def test_escape_in_the_filter_line_gives_up(world: World) -> None:
    """Esc while typing clears what was typed."""
    async with world.open() as pilot:
        pods = pane(pilot, GVR_PODS)
        await pilot.press("4", "slash", *"nothing-like-it")
        await shows(pilot, "No pods with “nothing-like-it”.")
        await pilot.press("escape")
        await until(pilot, lambda: len(pods.table.model) == pods.table.model.total, "all pods")
        assert pods.has_focus_within


async def test_unhealthy_rows_only(world: World) -> None:
    """! leaves the rows in trouble, and brings the others back."""
    async with world.open() as pilot:
        pods = pane(pilot, GVR_PODS)
        await pilot.press("4", "exclamation_mark")
        shown = [pods.feed.store.rows[key] for key in pods.shown_keys()]
        assert shown
        assert all(pods.kind.tone(row).unhealthy for row in shown)
        await pilot.press("exclamation_mark")
        assert len(pods.table.model) == pods.table.model.total


async def test_shift_and_a_letter_sorts_both_ways(world: World) -> None:
    """shift+N sorts by namespace, then the other way round, then by the next column with that letter."""
    async with world.open() as pilot:
        await pilot.press("4", "R")
        assert sorted_by(pilot) == ("READY", False)
        await pilot.press("R")
        assert sorted_by(pilot) == ("READY", True)
        await pilot.press("R")
        assert sorted_by(pilot) == ("RESTARTS", False)


async def test_another_kind_fills_the_screen(world: World) -> None:
    """`:` and a short name show that kind from the server's own columns; Esc goes home."""
    async with world.open() as pilot:
        await pilot.press("colon", *"ing", "enter")
        await shows(pilot, "Ingresses")
        await listed(pilot)
        await shows(pilot, "HOSTS")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen), "home")


async def test_a_kind_in_one_namespace(world: World) -> None:
    """`:po lesson` shows the pods of that namespace, without a column that would say the same in each row."""
    async with world.open() as pilot:
        await pilot.press("colon", *"po lesson", "enter")
        await shows(pilot, "▸ lesson")
        await listed(pilot)
        assert "NAMESPACE" not in screen_text(pilot)
        assert {key.namespace for key in page(pilot).pane.shown_keys()} == {"lesson"}


async def test_an_unknown_kind_is_one_sentence(world: World) -> None:
    """A word that no kind answers to says so, and what may have been meant."""
    async with world.open() as pilot:
        await pilot.press("colon", *"ingresss", "enter")
        await until(pilot, lambda: bool(pilot.app._notifications), "a notification")
        assert "ingresses" in next(iter(pilot.app._notifications)).message


async def test_namespaces_are_chosen_by_name(world: World) -> None:
    """ctrl+n offers the cluster's namespaces; 0 goes back to all."""
    async with world.open() as pilot:
        await pilot.press("ctrl+n")
        await shows(pilot, "lesson")
        await pilot.press(*"lesson", "enter")
        await shows(pilot, "▸ lesson")
        await listed(pilot)
        assert {key.namespace for key in pane(pilot, GVR_PODS).shown_keys()} == {"lesson"}
        await pilot.press("0")
        await shows(pilot, "▸ all namespaces")


async def test_contexts_are_offered(world: World) -> None:
    """ctrl+k shows the contexts of the kubeconfig."""
    async with world.open() as pilot:
        await pilot.press("ctrl+k")
        await shows(pilot, "Contexts")
        assert "demo" in screen_text(pilot)


async def test_a_small_terminal_shows_an_accordion(world: World) -> None:
    """At 80×24 one pane is open and the others are their titles; moving on opens the next."""
    async with world.open(size=(80, 24)) as pilot:
        text = screen_text(pilot)
        assert all(word in text for word in ("Nodes 5", "Deployments", "Services", "Pods"))
        assert "storefront" in text
        assert "worker-0" not in text
        await pilot.press("1")
        await shows(pilot, "worker-0")


async def test_a_click_focuses_and_selects(world: World) -> None:
    """A click on a row of another pane moves the keyboard and the cursor there."""
    async with world.open() as pilot:
        nodes = pane(pilot, GVR_NODES)
        await pilot.click(nodes.table, offset=(6, 3))
        await until(pilot, lambda: page(pilot).pane is nodes, "nodes")
        assert nodes.row is not None
        assert nodes.row.key.name == "worker-1"


async def test_a_user_without_rights_is_told_so(world: World) -> None:
    """Someone who may read nothing sees in every pane what is denied, and what to do."""
    async with world.open("nobody") as pilot:
        text = screen_text(pilot)
        assert text.count("⊘ denied") == 5
        assert "ctrl+n" in text


async def test_a_user_of_two_namespaces_sees_them(world: World) -> None:
    """Someone who may not list everywhere names the namespaces, and sees their union."""
    async with world.open("dev", namespaces=("shop", "lesson")) as pilot:
        await shows(pilot, "hello-node")
        assert "storefront" in screen_text(pilot)
        assert "⊘ denied (list nodes)" in screen_text(pilot)


async def test_an_outage_keeps_the_rows_and_says_so(world: World) -> None:
    """While the server is away, rows stay readable and the panes say how old they are; then all is live again."""
    async with world.open() as pilot:
        await world.cluster.server.faults.refuse()
        await shows(pilot, "▲ stale")
        assert "storefront" in screen_text(pilot)
        await world.cluster.server.faults.accept()
        await pilot.press("ctrl+r")
        await until(pilot, lambda: screen_text(pilot).count("● live") == 5, "live again")


async def test_a_kind_named_on_the_command_line_is_all_that_is_asked_for(world: World) -> None:
    """`ktui services` lists services and what they join, and nothing of the home screen that nobody sees."""
    async with world.open(start_kind="services") as pilot:
        await shows(pilot, "▸ services")
        await listed(pilot)
        asked = {path.split("?")[0] for _, path in world.cluster.server.requests}
        assert "/api/v1/services" in asked
        assert not asked & {"/api/v1/pods", "/api/v1/nodes", "/apis/apps/v1/deployments"}


async def test_the_home_screen_asks_for_nothing_twice(world: World) -> None:
    """Opening the home screen lists and watches each kind that it shows once, and no other."""
    async with world.open() as pilot:
        await listed(pilot)
        asked = world.cluster.server.requests
        lists = {path.split("?")[0]: n for (_, path), n in asked.items() if "limit=" in path}
        watches = {path.split("?")[0]: n for (_, path), n in asked.items() if "watch=" in path}
        shown = {"/api/v1/nodes", "/apis/apps/v1/deployments", "/api/v1/services", "/api/v1/pods"}
        joined = {"/apis/discovery.k8s.io/v1/endpointslices"}
        polled = {"/apis/metrics.k8s.io/v1beta1/nodes", "/apis/metrics.k8s.io/v1beta1/pods"}
        assert lists == dict.fromkeys(shown | joined | polled, 1)
        assert watches == dict.fromkeys(shown | joined, 1)


async def test_without_a_configuration_the_demo_is_offered(world: World) -> None:
    """Where no kubeconfig can be read, every pane says so, and D opens the embedded cluster."""
    broken = KtuiApp(
        Options(
            kubeconfig=(Path("/nonexistent/kubeconfig"),),
            open_demo=lambda: Options(kubeconfig=(world.kubeconfig(),), demo=True),
        ),
        clock=world.clock.now,
    )
    async with broken.run_test(size=(160, 45)) as pilot:
        await shows(pilot, "✖ not connected")
        await shows(pilot, "D Open the demo")
        await pilot.press("D")
        await shows(pilot, "storefront")


async def test_what_belongs_together_comes_into_sight(world: World) -> None:
    """Marked rows that are scrolled out of sight in another pane are scrolled into it."""
    async with world.open(size=(160, 30)) as pilot:
        assert "storefront-" not in screen_text(pilot)
        pane(pilot, GVR_DEPLOYMENTS).select(ObjectKey("shop", "storefront"))
        await shows(pilot, "storefront-")
        lines = [line for line in screen_text(pilot).splitlines() if "▎" in line and "storefront-" in line]
        assert len(lines) == 3


async def test_the_palette_offers_what_the_keys_do(world: World) -> None:
    """ctrl+p lists the page's bindings and does what is chosen."""
    async with world.open() as pilot:
        await pilot.press("ctrl+p")
        await shows(pilot, "Search for commands")
        await pilot.press(*"unheal")
        await shows(pilot, "Show unhealthy rows only. (!)")
        await pilot.press("enter")
        await until(pilot, lambda: page(pilot).pane.table.unhealthy_only, "unhealthy rows only")


async def test_namespaces_chosen_on_another_page_hold_at_home_too(world: World) -> None:
    """A page keeps its kind when other namespaces are chosen, and the home screen follows when it is seen again."""
    async with world.open() as pilot:
        await pilot.press("colon", *"svc", "enter")
        await shows(pilot, "▸ services")
        await listed(pilot)
        await pilot.press("colon", *"ns lesson", "enter")
        await shows(pilot, "▸ lesson ▸ services")
        await listed(pilot)
        assert {key.namespace for key in page(pilot).pane.shown_keys()} == {"lesson"}
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen), "home")
        await shows(pilot, "▸ lesson")
        await listed(pilot)
        assert {key.namespace for key in pane(pilot, GVR_PODS).shown_keys()} == {"lesson"}


async def test_another_context_shows_what_its_user_sees(world: World) -> None:
    """`:ctx NAME` leaves the context for another one, from any page."""
    whole = Path(world.kubeconfig()).with_name("all")
    whole.write_text(json.dumps(world.cluster.all_contexts()))
    app = KtuiApp(Options(kubeconfig=(whole,)), clock=world.clock.now)
    async with app.run_test(size=(160, 45)) as pilot:
        await listed(pilot)
        await pilot.press("colon", *"svc", "enter")
        await shows(pilot, "▸ services")
        await pilot.press("colon", *"ctx demo-nobody", "enter")
        await shows(pilot, "⊘ denied (list pods)")
        assert "demo-nobody" in screen_text(pilot)


async def test_a_click_on_a_title_opens_its_pane(world: World) -> None:
    """In the accordion the title of a closed pane opens it."""
    async with world.open(size=(80, 24)) as pilot:
        assert "worker-0" not in screen_text(pilot)
        await pilot.click(pane(pilot, GVR_NODES), offset=(5, 0))
        await shows(pilot, "worker-0")
        assert page(pilot).pane is pane(pilot, GVR_NODES)


async def test_a_kind_on_the_command_line_is_all_that_is_asked_for(world: World) -> None:
    """The home screen below it asks for nothing until it is seen, and then looks where the person looks."""
    async with world.open(start_kind="pods") as pilot:
        explorer = pilot.app.explorer  # type: ignore[attr-defined]
        asked = {feed.scope.gvr.resource for feed in explorer.session._feeds.values()}
        assert "pods" in asked
        assert not asked & {"nodes", "deployments", "services"}
        await pilot.press("q")
        await shows(pilot, "Deployments 10")
        assert isinstance(pilot.app.screen, HomeScreen)
        await pilot.press("j")
        await shows(pilot, "deployment lesson/hello-node")


async def test_a_kind_that_there_is_not_leads_home(world: World) -> None:
    """A word on the command line that no kind goes by is said, on a page that can be used."""
    app = world.app(start_kind="nonsense")
    async with app.run_test(size=(120, 32)) as pilot:
        await until(pilot, lambda: "nonsense" in " ".join(n.message for n in app._notifications))
        await shows(pilot, "Deployments 10")
