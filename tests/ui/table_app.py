"""Apps that show nothing but tables."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from textual.app import App, ComposeResult
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget

from ktui.kinds.tone import Tone
from ktui.kube.store import Store
from ktui.terminal.painting import Painted
from ktui.widgets.freshness import Freshness
from ktui.widgets.palette import DARK, themes
from ktui.widgets.pane import Pane
from ktui.widgets.resource_table import ResourceTable
from ktui.widgets.table_model import TableModel
from tests.unit.table_rows import COLUMNS, NOW, boat

LIVE = Freshness("●", "live", Tone.GOOD)


class Page(Screen[None]):
    """A page as ktui's are: that another widget gets the keyboard repaints what changes, and not everything."""

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)


class TableApp(Painted):
    """Panes side by side, one for each store.

    Args:
        stores: what they show.
        theme: the name of a theme.

    Attributes:
        now: what the tables' clock says.
        told: what the tables told, in order, with the name of the row.
    """

    CSS = "Screen { layout: horizontal; background: $background; }"
    AUTO_FOCUS = "ResourceTable"

    def __init__(self, *stores: Store, theme: str = DARK.name) -> None:
        super().__init__()
        for each in themes():
            self.register_theme(each)
        self.theme = theme
        self.stores = stores
        self.now = NOW
        self.told: list[tuple[str, str]] = []

    def get_default_screen(self) -> Screen[None]:
        """The page with the tables."""
        return Page(id="_default")

    def compose(self) -> ComposeResult:
        """The panes."""
        for store in self.stores:
            table = ResourceTable(TableModel(store, COLUMNS), clock=lambda: self.now)
            table.highlighted = partial(self._highlighted, table)
            pane = Pane(table, "Boats")
            pane.show_freshness(LIVE)
            yield pane

    @property
    def table(self) -> ResourceTable:
        """The first table."""
        return self.query(ResourceTable).first()

    @property
    def pane(self) -> Pane:
        """The first pane."""
        return self.query(Pane).first()

    def _highlighted(self, table: ResourceTable) -> None:
        self.told.append(("highlighted", table.row.key.name if table.row else ""))

    def on_resource_table_chosen(self, event: ResourceTable.Chosen) -> None:
        """Keep it."""
        self.told.append(("chosen", event.row.key.name))


class OtherScreen(Screen[None]):
    """A page that hides the tables."""


def lines(app: App[None]) -> list[str]:
    """What the screen shows, line by line."""
    return [strip.text for strip in app.screen._compositor.render_strips()]


def line_with(app: App[None], text: str) -> str:
    """The first line that shows `text`."""
    return next(line for line in lines(app) if text in line)


def shown_names(app: App[None], names: Iterable[str]) -> list[str]:
    """Those of `names` that are on the screen, from top to bottom."""
    screen = lines(app)
    places = {name: next((y for y, line in enumerate(screen) if f" {name} " in line), None) for name in names}
    return sorted((name for name, y in places.items() if y is not None), key=lambda name: places[name] or 0)


FLEET = (
    boat("aurora", restarts=3, node="quay-1", image="aurora:1.0"),
    boat("beagle", status="NotReady", restarts=14, node="quay-1", image="beagle:2"),
    boat("calypso", status="Crashed", node="quay-2", created="2026-01-09T23:59:15Z"),
    boat("dawn-treader", status="Pending", created="2026-01-09T23:52:30Z"),
    boat("endurance-of-the-imperial-trans-antarctic-expedition-1914", "ice", node="quay-3"),
    boat("日本丸-🚢-été", "港", node="quay-1", image="<none>"),
)
