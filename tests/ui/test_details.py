"""The Details screen, on the embedded cluster: what a person presses, and what stands on the screen then."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot

from ktui.actions.copy import LARGEST_CLIPBOARD
from ktui.demo.clock import SteppedClock
from ktui.demo.run import Cluster
from ktui.demo.users import write_kubeconfig
from ktui.kinds.names import ObjectKey
from ktui.kube.client import Client
from ktui.kube.kubeconfig import load_kubeconfig
from ktui.kube.listing import kind_in
from ktui.kube.session import Session
from ktui.screens.details import DetailsScreen
from ktui.screens.details_tabs import OverviewTab, YamlTab
from ktui.terminal.type_ahead import TypeAhead
from ktui.widgets.palette import DARK, themes
from ktui.widgets.relations_view import RelationsView
from tests.lived import lived


class Host(TypeAhead):
    """An app with our themes and nothing else; what may be done is not known."""

    explorer = SimpleNamespace(acts=SimpleNamespace(may=lambda action, target: None))

    def on_mount(self) -> None:
        """Choose the theme."""
        for theme in themes():
            self.register_theme(theme)
        self.theme = DARK.name


@dataclass
class Page:
    """A Details screen that is shown, and the cluster behind it."""

    pilot: Pilot[None]
    cluster: Cluster
    session: Session

    @property
    def screen(self) -> DetailsScreen:
        """The screen in front."""
        screen = self.pilot.app.screen
        assert isinstance(screen, DetailsScreen)
        return screen

    @property
    def text(self) -> str:
        """What stands on the screen."""
        return "\n".join(strip.text for strip in self.pilot.app.screen._compositor.render_strips())

    async def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        await self.pilot.press(*keys)

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until something holds."""
        try:
            async with asyncio.timeout(45):
                while not condition():  # noqa: ASYNC110 - what comes true is on the screen, not in an event
                    await asyncio.sleep(0.005)
        except TimeoutError:
            pytest.fail(f"never came true; the screen says:\n{self.text}")

    async def sees(self, *words: str) -> None:
        """Wait until all of `words` stand on the screen."""
        await self.until(lambda: all(word in self.text for word in words))

    def change(self, resource: str, namespace: str, name: str, **metadata: Any) -> None:
        """Change an object's metadata behind the person's back."""
        found = self.cluster.storage.get(resource, namespace, name)
        assert found is not None
        self.cluster.storage.update(resource, {**found, "metadata": {**found["metadata"], **metadata}})

    def asked(self, *words: str) -> int:
        """How many requests had all of `words` in their path or query."""
        requests = self.cluster.server.requests.items()
        return sum(count for (_, path), count in requests if all(word in path for word in words))


Open = Callable[..., Any]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """Opens the Details screen of an object of the shop."""

    @asynccontextmanager
    async def open_page(
        word: str, key: str, *, tab: str = "overview", size: tuple[int, int] = (120, 40), user: str = "admin"
    ) -> AsyncIterator[Page]:
        cluster = await lived(1)[0].serve()
        write_kubeconfig(tmp_path / "config", cluster.kubeconfig(user))
        session = Session(lambda: Client.connect(load_kubeconfig([tmp_path / "config"])))
        running = asyncio.create_task(session.run())
        try:
            async with Host().run_test(size=size, notifications=True) as pilot:
                page = Page(pilot, cluster, session)
                await page.until(lambda: session.client)
                assert session.client is not None
                kind = kind_in(await session.discovery(), word)
                namespace, _, name = key.rpartition("/")
                if "*" in name:
                    name = named_like(cluster, kind.gvr.qualified, namespace, name.rstrip("*"))
                cluster.server.requests.clear()
                await pilot.app.push_screen(
                    DetailsScreen(session, kind, ObjectKey(namespace, name), tab=tab, now=cluster.clock.now)
                )
                screen = page.screen
                await page.until(lambda: screen.live.item or screen.live.trouble)
                yield page
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await cluster.stop()

    return open_page


def named_like(cluster: Cluster, resource: str, namespace: str, start: str) -> str:
    """The first name of a resource that begins with `start`."""
    return next(
        str(item["metadata"]["name"])
        for item in cluster.storage.list(resource, namespace)
        if item["metadata"]["name"].startswith(start)
    )


# -- the four sides ------------------------------------------------------------------------------


async def test_the_title_says_what_it_is_and_how_it_is(opened: Open) -> None:
    """Kind, namespace and name, status with its glyph, and that the page is live."""
    async with opened("pods", "shop/storefront-*") as page:
        await page.sees("Pod  shop/storefront-", "● Running", "● live")


async def test_the_overview_tells_of_a_pods_containers(opened: Open) -> None:
    """What `kubectl describe` says stands on the first tab."""
    async with opened("pods", "shop/storefront-*") as page:
        await page.sees("Conditions", "Container ", "Image")


async def test_the_overview_of_a_service_lists_its_endpoints(opened: Open) -> None:
    """What stands in other objects is fetched when somebody looks at the overview."""
    async with opened("services", "shop/storefront") as page:
        await page.sees("Endpoints", "10.244.")


async def test_y_shows_the_yaml(opened: Open) -> None:
    """The manifest is one key away, with field ownership folded to one line and unfolded with m."""
    async with opened("deployments", "shop/storefront") as page:
        page.change("deployments.apps", "shop", "storefront", managedFields=[{"manager": "kubectl"}])
        await page.press("y")
        await page.sees("apiVersion: apps/v1", "  # managedFields: ")
        await page.press("m")
        await page.sees("  managedFields:", "managed fields shown")


async def test_tabs_turn(opened: Open) -> None:
    """Numbers choose a tab; tab and shift+tab, right and left turn to the next."""
    async with opened("configmaps", "shop/catalog") as page:
        seen = []
        for key in ("2", "3", "4", "1", "tab", "shift+tab", "left", "right"):
            await page.press(key)
            seen.append(page.screen.tab)
        sides = ["yaml", "events", "relations", "overview", "yaml", "overview", "relations", "overview"]
        assert seen == sides


async def test_nothing_is_fetched_for_tabs_that_nobody_looks_at(opened: Open) -> None:
    """One object costs its own fetch and its own watch; events and relatives are asked for when they are looked at."""
    async with opened("configmaps", "shop/catalog") as page:
        await page.sees("● live")
        assert page.asked("/events") == 0
        assert page.asked("/api") == page.asked("/configmaps") == 3
        await page.press("3")
        await page.until(lambda: page.asked("/events"))


def event(name: str, minutes: int, message: str) -> dict[str, Any]:
    """An event about the ConfigMap `catalog`, some minutes old."""
    then = datetime.fromtimestamp(SteppedClock().now() - 60 * minutes, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": "shop"},
        "involvedObject": {"apiVersion": "v1", "kind": "ConfigMap", "namespace": "shop", "name": "catalog"},
        "type": "Warning",
        "reason": name.capitalize(),
        "message": message,
        "firstTimestamp": then,
        "lastTimestamp": then,
        "count": 1,
        "source": {"component": "test"},
    }


async def test_events_are_shown_newest_first(opened: Open) -> None:
    """The event that happened last stands first, also when it comes later, and its whole message below the table."""
    async with opened("configmaps", "shop/catalog", tab="events", size=(80, 24)) as page:
        page.cluster.storage.create("events", event("older", 9, "short"))
        await page.sees("Older")
        page.cluster.storage.create(
            "events", event("newer", 2, "a message that is longer than its column " * 3 + "END")
        )
        await page.sees("Newer")
        assert page.text.index("Newer") < page.text.index("Older")
        await page.press("home")
        await page.sees("END", "3 Events 2")


async def test_without_events_the_page_says_why(opened: Open) -> None:
    """An empty table would leave the question whether it is broken."""
    async with opened("configmaps", "shop/catalog", tab="events") as page:
        await page.sees("No events in the last hour: Kubernetes keeps them for one hour.")


async def test_relations_lead_up_and_sideways(opened: Open) -> None:
    """A pod's deployment, its node and its service stand on one page."""
    async with opened("pods", "shop/storefront-*", tab="relations", size=(120, 50)) as page:
        await page.sees("Deployment  storefront", "└─ ReplicaSet  storefront-", "◂ this object", "Node", "● Ready")
        await page.sees("Services that select it", "Service  storefront")


async def test_relations_lead_down(opened: Open) -> None:
    """A deployment's replica sets and their pods stand below it."""
    async with opened("deployments", "shop/storefront", tab="relations") as page:
        await page.sees("└─ ReplicaSet  storefront-", "   └─ Pod  storefront-")


async def test_enter_opens_a_relative_and_esc_comes_back(opened: Open) -> None:
    """One walks through the cluster from object to object, and back again."""
    async with opened("pods", "shop/storefront-*", tab="relations") as page:
        await page.sees("Deployment  storefront")
        first = page.screen
        relations = first.query_one(RelationsView)
        await page.press("home")
        assert relations.relative is not None
        assert relations.relative.kind == "Deployment"
        await page.press("enter")
        await page.until(lambda: page.pilot.app.screen is not first)
        await page.sees("Deployment  shop/storefront", "Strategy")
        await page.press("escape")
        await page.until(lambda: page.pilot.app.screen is first)


async def test_a_custom_resource_has_details_too(opened: Open) -> None:
    """Kinds that ktui has never heard of get the same page."""
    async with opened("widgets", "shop/blue", size=(120, 50)) as page:
        await page.sees("Widget  shop/blue", "● Ready", "brass")
        await page.press("y")
        await page.sees("material: brass")
        await page.press("4")
        await page.sees("Nothing belongs to it, as far as ktui knows.")


# -- living ----------------------------------------------------------------------------------------


async def test_a_change_appears_and_the_scroll_position_stays(opened: Open) -> None:
    """Somebody else's change is shown without moving what is being read."""
    async with opened("pods", "shop/storefront-*", tab="yaml") as page:
        yaml = page.screen.query_one(YamlTab)
        await page.until(lambda: yaml.has_focus and yaml.show_vertical_scrollbar)
        await page.press("pagedown")
        await page.until(lambda: yaml.scroll_offset.y > 0)
        top = yaml.scroll_offset.y
        page.change("pods", "shop", page.screen.key.name, annotations={"note": "changed"})
        await page.until(lambda: any("note: changed" in line for line in yaml.lines))
        assert yaml.scroll_offset.y == top


async def test_many_changes_are_one_fetch(opened: Open) -> None:
    """A burst of changes is fetched once a second at most, not once each."""
    async with opened("configmaps", "shop/catalog", tab="yaml") as page:
        await page.sees("● live")
        before = page.asked("/configmaps/catalog")
        for number in range(20):
            page.change("configmaps", "shop", "catalog", annotations={"step": str(number)})
            await page.pilot.pause()
        yaml = page.screen.query_one(YamlTab)
        await page.until(lambda: any('step: "19"' in line for line in yaml.lines))
        assert page.asked("/configmaps/catalog") - before <= 3


async def test_a_deleted_object_stays_readable(opened: Open) -> None:
    """The page says that the object is gone, and keeps its last state."""
    async with opened("configmaps", "shop/catalog", tab="yaml") as page:
        await page.sees("● live", "log-level")
        page.cluster.storage.delete("configmaps", "shop", "catalog")
        await page.sees("○ deleted", "This configmap was deleted. What is shown is its last state.", "log-level")


async def test_an_object_made_again_is_not_taken_for_the_old_one(opened: Open) -> None:
    """Another object of the same name is shown, and it is said that it is another."""
    async with opened("configmaps", "shop/catalog", tab="yaml") as page:
        await page.sees("● live")
        page.cluster.storage.delete("configmaps", "shop", "catalog")
        await page.sees("○ deleted")
        meta = {"name": "catalog", "namespace": "shop"}
        again = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"fresh": "yes"}}
        page.cluster.storage.create("configmaps", again)
        await page.sees("This is a new configmap: the one before was deleted.", "fresh:")


async def test_a_failed_fetch_is_said_and_tried_again(opened: Open) -> None:
    """While the object cannot be had, a sentence stands in its place; it comes as soon as it can."""
    async with opened("configmaps", "shop/catalog") as page:
        page.cluster.server.faults.status(500, times=2, path="/configmaps/catalog")
        await page.press("ctrl+r")
        await page.sees("What is shown may be old; ktui keeps trying.")
        await page.until(lambda: page.screen.live.trouble is None)
        await page.until(lambda: "ktui keeps trying" not in page.text)


async def test_what_may_not_be_read_is_said(opened: Open) -> None:
    """A user without the right sees who may not do what, not an empty page."""
    async with opened("secrets", "shop/orders-db", user="viewer") as page:
        await page.sees("may not get secrets")


async def test_an_object_that_does_not_exist_is_said(opened: Open) -> None:
    """A name that nobody has is a sentence as well."""
    async with opened("configmaps", "shop/nobody") as page:
        await page.sees('"nobody" not found')


# -- secrets, search, copying ----------------------------------------------------------------------

PASSWORD = "demo-only"


async def test_secrets_are_masked_until_x(opened: Open) -> None:
    """No tab shows a secret's values before they are asked for, and they are hidden again."""
    async with opened("secrets", "shop/orders-db") as page:
        encoded = base64.b64encode(PASSWORD.encode()).decode()
        for key in ("1", "2"):
            await page.press(key)
            await page.sees("password")
            assert PASSWORD not in page.text
            assert encoded not in page.text
        await page.sees("••••••••", "values masked")
        await page.press("x")
        await page.sees(f"password: {PASSWORD}", "values shown")
        await page.press("x")
        await page.until(lambda: PASSWORD not in page.text)


async def test_a_masked_secret_is_copied_masked(opened: Open) -> None:
    """What is not shown does not reach the clipboard; what is shown does."""
    async with opened("secrets", "shop/orders-db", tab="yaml") as page:
        await page.press("c", "y")
        await page.until(lambda: "kind: Secret" in page.pilot.app.clipboard)
        assert PASSWORD not in page.pilot.app.clipboard
        await page.press("x", "c", "y")
        await page.until(lambda: PASSWORD in page.pilot.app.clipboard)


async def test_the_menu_copies_by_a_key(opened: Open) -> None:
    """c and another key copy the name or the kubectl line, and the page says what was copied."""
    async with opened("configmaps", "shop/catalog") as page:
        await page.press("c", "n")
        await page.until(lambda: page.pilot.app.clipboard == "catalog")
        await page.sees("Copied: catalog")
        await page.press("c", "k")
        await page.until(lambda: "kubectl" in page.pilot.app.clipboard)
        assert page.pilot.app.clipboard == "kubectl --context demo -n shop get configmaps catalog -o yaml"


async def test_what_terminals_would_drop_is_refused(opened: Open) -> None:
    """A text beyond the limit of OSC 52 is not sent, and the way out is named."""
    async with opened("configmaps", "shop/catalog", tab="yaml") as page:
        page.change("configmaps", "shop", "catalog", annotations={"long": "x" * LARGEST_CLIPBOARD})
        await page.until(lambda: len(str(page.screen.live.item)) > LARGEST_CLIPBOARD)
        await page.press("c", "y")
        await page.sees("terminals take 74 KB at most")
        assert page.pilot.app.clipboard == ""


async def test_search_finds_and_goes_on(opened: Open) -> None:
    """Slash looks for a text, n and N go from place to place, Esc ends it before it goes back."""
    async with opened("deployments", "shop/storefront", tab="yaml") as page:
        await page.sees("apiVersion")
        await page.press("slash", *"NAME:", "enter")
        await page.sees("/NAME:", "1 of ")
        await page.press("n")
        await page.sees("2 of ")
        await page.press("N", "N")
        yaml = page.screen.query_one(YamlTab)
        last = len(yaml._matches)
        await page.sees(f"{last} of {last}")
        await page.press("escape")
        await page.until(lambda: "/NAME:" not in page.text)
        assert page.screen.tab == "yaml"


async def test_the_mouse_selects_text(opened: Open) -> None:
    """What is dragged over in the YAML can be copied, and nothing beside it."""
    async with opened("configmaps", "shop/catalog", tab="yaml") as page:
        await page.sees("kind: ConfigMap")
        yaml = page.screen.query_one(YamlTab)
        pilot = page.pilot
        await pilot.mouse_down(yaml, offset=(7, 1))
        await pilot.hover(yaml, offset=(8, 2))
        await pilot.mouse_up(yaml, offset=(9, 2))
        await page.until(lambda: pilot.app.clipboard or page.screen.get_selected_text())
        assert page.screen.get_selected_text() == "ConfigMap\nmetadata:"


# -- how it is drawn -------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(160, 45), (110, 30), (80, 24), (40, 10), (30, 6)])
async def test_every_tab_fits_every_terminal(opened: Open, size: tuple[int, int]) -> None:
    """From a wide screen to a strip of a few lines nothing breaks, and the tab that is shown is named."""
    async with opened("pods", "shop/storefront-*", size=size) as page:
        for key, name in (("1", "Overview"), ("2", "YAML"), ("3", "Events"), ("4", "Relations")):
            await page.press(key)
            await page.sees(name)
            assert all(len(line) <= size[0] for line in page.text.splitlines())


async def test_only_visible_lines_of_a_long_text_are_drawn(opened: Open) -> None:
    """Twenty thousand lines cost as much to show as fifty."""
    async with opened("configmaps", "shop/catalog", tab="yaml", size=(100, 30)) as page:
        # Not before the object's own text stands there, which would replace the long one.
        await page.sees("● live", "cache-seconds")
        drawn: list[int] = []
        yaml = page.screen.query_one(YamlTab)
        draw = yaml.draw
        yaml.draw = lambda row: (drawn.append(row), draw(row))[1]  # type: ignore[func-returns-value]
        yaml.show_text("\n".join(f"key{number}: {number}" for number in range(20_000)))
        await page.sees("key0: 0")
        await page.press("end")
        await page.sees("key19999: 19999")
        assert len(set(drawn)) <= 3 * 30


async def test_a_fault_of_ours_is_said(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure that nobody foresaw neither ends the program nor stays unsaid."""

    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("ktui.screens.details_tabs.Relatives.of", broken)
    async with opened("configmaps", "shop/catalog", tab="relations") as page:
        await page.sees("Unexpected failure (ZeroDivisionError) in relations")


async def test_hostile_text_reaches_no_terminal(opened: Open) -> None:
    """Escape sequences and markup in an object are letters like any others."""
    async with opened("configmaps", "shop/catalog") as page:
        note = "\x1b]0;owned\x07[red]markup[/red]"
        page.change("configmaps", "shop", "catalog", annotations={"note": note})
        overview = page.screen.query_one(OverviewTab)
        await page.until(lambda: "markup" in page.text)
        assert "[red]markup[/red]" in page.text
        assert "\x1b" not in page.text
        await page.press("y")
        await page.sees("[red]markup[/red]")
        assert "\x1b" not in page.text
        assert overview is page.screen.query_one(OverviewTab)
