"""TableScreen: what all pages of live tables share: header, prompts, key bar, and the keys that work on any table."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.reactive import Reactive
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widget import Widget

from ktui.kinds.kind import Kind
from ktui.kinds.related import unknown
from ktui.kinds.relation import Wanted
from ktui.kinds.row import Row
from ktui.kinds.sentence import sentence
from ktui.kinds.text import clean
from ktui.kinds.tone import Tone
from ktui.kube.meter import Rate
from ktui.kube.session import Session
from ktui.kube.sight import Sight
from ktui.kube.state import Unusable
from ktui.kube.state import complete as known
from ktui.screens.acting import Chosen
from ktui.screens.navigation import Navigation
from ktui.widgets.bar import Bar, Part
from ktui.widgets.freshness import least_fresh
from ktui.widgets.header import Gauge, Header, Situation
from ktui.widgets.key_bar import KeyBar
from ktui.widgets.live_pane import LivePane
from ktui.widgets.resource_table import ResourceTable

if TYPE_CHECKING:
    from ktui.actions.action import Target
    from ktui.app import KtuiApp

    # Imported when somebody types: the first frame does not wait for it.
    from ktui.widgets.prompt import Prompt

RESTS = 0.15
"""Seconds for which the cursor rests on a row before objects are asked for that tell what belongs to it."""

TELL_EVERY = 0.25
"""Seconds between looks at what belongs together while the cluster changes."""

WORDS_EVERY = 1.0
"""Seconds between looks at what is written in words: how stale something is, what it costs."""


class TableScreen(Navigation):
    """A page of one or more live tables.

    Args:
        session: the context it shows.
        namespaces: what it looks at; empty for all.

    Attributes:
        complete: whether all its parts are there; not while they are exchanged.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "details", "Details", tooltip="Everything about the object: overview, YAML, events, relations."),
        Binding("e", "edit", "Edit", tooltip="Change the manifest, safely; E in your own editor."),
        Binding("E", "edit(True)", "$EDITOR", show=False, tooltip="Change the manifest, safely; E in your own editor."),
        Binding("a", "actions", "Actions", tooltip="All that can be done to the object, and why not."),
        Binding("n", "new", "New", show=False, tooltip="Make something new: a deployment, a service, from YAML."),
        Binding("U", "undo", "Undo", show=False, tooltip="Take back one of the last changes."),
        Binding("slash", "filter", "Filter", tooltip="Show the rows that contain a text; Esc clears."),
        Binding("colon", "go_to", "Go to", tooltip="Any kind: :ing, :cm kube-system, :deploy -l app=web."),
        Binding("y", "details('yaml')", "YAML", tooltip="The object as YAML."),
        Binding("c", "copy", "Copy", tooltip="Copy the name, the YAML or the kubectl line."),
        Binding(
            "equals_sign",
            "compare",
            "Compare",
            show=False,
            tooltip="Compare two marked, or one with what was applied.",
        ),
        Binding("exclamation_mark", "unhealthy", "Unhealthy", tooltip="Show unhealthy rows only."),
        Binding("D", "demo", "Open the demo", tooltip="Look around in the embedded cluster."),
        Binding("0", "all_namespaces", "All namespaces", show=False, tooltip="Look at all namespaces."),
        Binding("ctrl+n", "namespaces", "Namespaces", show=False, tooltip="Choose the namespaces to look at."),
        Binding("ctrl+k", "contexts", "Contexts", show=False, tooltip="Choose another context of the kubeconfig."),
        Binding("ctrl+r", "retry", "Retry", show=False, tooltip="Try again at once what failed."),
        Binding("question_mark", "help", "Help", tooltip="All keys."),
        Binding("escape", "back", "Back", show=False, tooltip="Clear the filter, widen, or go back."),
        Binding("q", "leave", "Quit", show=False, tooltip="Go back, or leave ktui."),
    ]
    DEFAULT_CSS = """
    TableScreen {
        background: $background;
        layout: vertical;
        & > #panes { height: 1fr; }
    }
    """

    # Textual repaints the whole screen when the keyboard moves; what changes repaints itself here.
    focused: Reactive[Widget | None] = Reactive(None, repaint=False)

    def __init__(self, session: Session, namespaces: tuple[str, ...]) -> None:
        super().__init__(session, namespaces)
        self.complete = False
        self._panes: list[LivePane] = []
        self._exchanging = asyncio.Lock()
        self._filtered: LivePane | None = None
        self._requests, self._received = Gauge(), Gauge()
        self._wanting: Timer | None = None
        self._relating: Timer | None = None
        self._end_listening: Callable[[], None] = _nothing

    @property
    def panes(self) -> list[LivePane]:
        """The page's tables."""
        return self._panes if self.complete else list(self.query(LivePane))

    @property
    def pane(self) -> LivePane:
        """The table that has the keyboard, or had it last."""
        panes = self.panes
        return next((pane for pane in panes if pane.has_focus_within), self._filtered or panes[0])

    def chosen_object(self) -> tuple[Kind, Row] | None:
        """The object under the cursor."""
        pane = self.pane
        return None if pane.row is None else (pane.kind, pane.row)

    def acted_on(self) -> Kind | None:
        """The kind of the table that has the keyboard."""
        return self.pane.kind if self.complete else None

    def chosen(self) -> Chosen:
        """The marked objects, shown or not; where none is marked, the one under the cursor."""
        from ktui.actions.action import Target

        pane, model = self.pane, self.pane.table.model
        rows = model.marked or ([pane.row] if pane.row is not None else [])
        rows = [row for row in rows if not row.remembered]
        hidden = sum(model.index_of(row.key) is None for row in rows)
        targets = tuple(Target(pane.kind, row.key, row.uid) for row in rows)
        return Chosen(targets, hidden, pane.table.clear_marks)

    def under_cursor(self) -> Target | None:
        """The object under the cursor, whatever is marked."""
        from ktui.actions.action import Target

        pane = self.pane
        return None if pane.row is None else Target(pane.kind, pane.row.key, pane.row.uid)

    def compose_panes(self) -> ComposeResult:
        """The page's tables."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """Header, tables, a line of words, keys. A prompt takes the place of the words while someone types."""
        yield Header(id="header")
        with Container(id="panes"):
            yield from self.compose_panes()
        yield Bar(id="words")
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        """Follow the connection, and keep the words current."""
        self.set_interval(WORDS_EVERY, self.tell)
        self._begin()

    def _begin(self) -> None:
        """Everything is there: look."""
        self._panes = self.panes
        self.complete = True
        for pane in self._panes:
            pane.table.highlighted = self.highlighted
        self._end_listening = self.session.listen(self.tell)
        self.tell()
        self.show_meters()
        self.pane.focus_table()
        self.highlighted()

    def look_at(self, session: Session, namespaces: tuple[str, ...]) -> None:
        """Show another context, or other namespaces.

        Args:
            session: the context.
            namespaces: which; empty for all.
        """
        if (session, namespaces) != (self.session, self.namespaces):
            self.session, self.namespaces = session, namespaces
            self._look_again()

    @work(group="look")
    async def _look_again(self) -> None:
        async with self._exchanging:
            self.complete = False
            self._end_listening()
            self._filtered = None
            await self.recompose()
            self._begin()

    def on_unmount(self) -> None:
        """Look no longer."""
        self._end_listening()

    def on_screen_suspend(self) -> None:
        """Another page covers this one: nobody looks at its tables. A dialog leaves them in sight."""
        if not isinstance(self.app.screen, ModalScreen):
            for pane in self.panes:
                pane.suspend()

    def on_screen_resume(self) -> None:
        """The page is seen again."""
        for pane in self.panes:
            pane.resume()
        self.tell()
        self.show_meters()

    # -- words -------------------------------------------------------------------------------

    def counts(self) -> str:
        """How much there is, for the header."""
        return ""

    def place(self) -> str:
        """What narrows the page besides its namespaces, for the header."""
        return ""

    @on(LivePane.StateChanged)
    def _state_changed(self) -> None:
        self.refresh_bindings()
        self._tell_header(time.monotonic())
        self._tell_again_soon()

    def tell(self) -> None:
        """Say in the header and at the panes what is the case."""
        if not self.is_current or not self.complete:
            return
        now = time.monotonic()
        self._tell_header(now)
        for pane in self.panes:
            pane.tell(now)

    def _tell_header(self, now: float) -> None:
        if not self.is_current or not self.complete:
            return
        session = self.session
        client = session.client
        self.query_one(Header).tell(
            Situation(
                context=self.explorer.context,
                namespaces=self.namespaces,
                freshness=least_fresh([pane.feed.state for pane in self.panes], now),
                counts=self.counts(),
                cost=self._cost_of(client.meter.rate()) if client else "",
                user=session.server.user or (client.identity.user if client else ""),
                read_only=self.explorer.read_only,
                version=session.server.version,
                place=self.place(),
            )
        )

    def show_meters(self) -> None:
        """Show above the keys what ktui itself costs, as long as that is counted."""
        if (meters := self.explorer.meters) is None:
            self.query("PerfBar").remove()
        elif self.complete and not self.query("PerfBar"):
            from ktui.widgets.perf_bar import PerfBar

            self.mount(PerfBar(meters, self.session), before="#keys")

    def _cost_of(self, rate: Rate) -> str:
        return _cost(self._requests.show(rate.requests), self._received.show(rate.bytes))

    def sight(self) -> Sight:
        """What relations can see from here: the page's feeds."""
        return Sight([pane.feed for pane in self.panes])

    def tell_relations(self) -> None:
        """Say below the tables what belongs to the object under the cursor."""
        if not self.complete:
            return
        pane = self.pane
        words = self.query_one("#words", Bar)
        if (row := pane.row) is None:
            words.show([Part(" ")])
            return
        self._want_soon()
        listed = all(known(other.feed.state) for other in self.panes)
        parts = sentence(pane.kind, row, self.sight(), complete=listed)
        said = [Part(" "), *(Part(part.text, _VOICES[part.voice]) for part in parts)]
        if trouble := self.refused():
            said.append(Part(f"  {Tone.WARNING.value} {clean(trouble)}", "warning"))
        words.show(said)

    # -- what only whole objects tell --------------------------------------------------------

    def told_of(self) -> list[tuple[Kind, Row]]:
        """The objects of which the page tells what belongs to them: the one under the cursor."""
        return [] if (chosen := self.chosen_object()) is None else [chosen]

    def unknown(self) -> list[Wanted]:
        """What must be fetched to tell that; nothing where all rows have their objects."""
        if not any(pane.feed.store.abridged for pane in self.panes):
            return []
        kinds, sight = [pane.kind for pane in self.panes], self.sight()
        return [wanted for kind, row in self.told_of() for wanted in unknown(kind, row, sight, kinds)]

    def refused(self) -> str:
        """Why some of that cannot be told, in a sentence; empty when it can, or will be soon."""
        feeds = {pane.kind.gvr: pane.feed for pane in self.panes}
        return next((why for wanted in self.unknown() if (why := feeds[wanted.gvr].refused(wanted))), "")

    def _want_soon(self) -> None:
        """Ask for what is unknown when the cursor has rested for a while; a held key asks for nothing."""
        if self._wanting is not None:
            self._wanting.stop()
        self._wanting = self.set_timer(RESTS, self._want) if self.unknown() else None

    def _want(self) -> None:
        self._wanting = None
        if self.is_current and self.complete:
            feeds = {pane.kind.gvr: pane.feed for pane in self.panes}
            for wanted in self.unknown():
                feeds[wanted.gvr].want((wanted,))

    @on(LivePane.Changed)
    def _tell_again_soon(self) -> None:
        """Rows changed, or it is known now why the objects of some cannot be had."""
        if self._relating is None:
            self._relating = self.set_timer(TELL_EVERY, self._tell_again)

    def _tell_again(self) -> None:
        self._relating = None
        if self.is_current and self.complete:
            self.rows_changed()

    def rows_changed(self) -> None:
        """Rows came, changed or went, a moment ago."""
        for pane in self.panes:
            pane.seen()
        self.tell_relations()

    # -- the tables --------------------------------------------------------------------------

    def highlighted(self) -> None:
        """The cursor of a table stands on another row."""
        self.tell_relations()

    @on(ResourceTable.Chosen)
    def _chosen(self, event: ResourceTable.Chosen) -> None:
        self.choose(self.pane, event.row)

    def choose(self, pane: LivePane, row: Row) -> None:
        """Enter was pressed on `row`: its details, unless the page knows something nearer."""
        self.show_details(pane.kind, row.key)

    def action_unhealthy(self) -> None:
        """Show unhealthy rows only, or all again."""
        self.pane.toggle_unhealthy()

    def action_retry(self) -> None:
        """Try again at once whatever waits."""
        self.session.retry()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The demo is offered where there is nothing else to look at."""
        if action == "demo":
            return isinstance(self.session.trouble, Unusable) and self.explorer.options.open_demo is not None
        return super().check_action(action, parameters)

    def on_key(self, event: events.Key) -> None:
        """Shift and a letter sorts by the next column that begins with it."""
        letter = event.character or ""
        if cast("KtuiApp", self.app).holds_keys:
            return
        if event.key in self.active_bindings:
            return
        if letter.isalpha() and letter.isupper() and self.pane.sort_by_letter(letter):
            event.stop()

    # -- prompts -----------------------------------------------------------------------------

    def action_filter(self) -> None:
        """Type what the rows of this table must contain."""
        from ktui.widgets.prompt import Prompt

        self.pane.table.read_ahead()
        hint = "text to look for; Enter keeps the filter, Esc clears it"
        self._begin_typing(Prompt("/", id="filter", placeholder=hint, text=self.pane.filter_text))

    def action_go_to(self) -> None:
        """Type where to go."""
        from ktui.widgets.prompt import Prompt

        hint = "a kind and where: po kube-system, ing, deploy -l app=web, ctx, ns"
        self._begin_typing(Prompt(":", id="go-to", placeholder=hint, suggester=self.explorer.destinations))

    def _begin_typing(self, prompt: Prompt) -> None:
        """The prompt takes the place of the line of words, and the table keeps its cursor."""
        self._filtered = self.pane
        self._filtered.table.keeps_cursor = True
        self.query_one("#words").display = False
        cast("KtuiApp", self.app).hold_keys()
        self.mount(prompt, before="#keys")

    def on_prompt_ready(self) -> None:
        """What was typed before it was there goes into it."""
        cast("KtuiApp", self.app).release_keys()

    def on_prompt_typed(self, event: Prompt.Typed) -> None:
        """Filter as the text is typed."""
        if self._filtered is not None and event.prompt.id == "filter":
            self._filtered.filter_by(event.text)

    def on_prompt_done(self, event: Prompt.Done) -> None:
        """The words take their place again."""
        pane, self._filtered = self.pane, None
        event.prompt.remove()
        self.query_one("#words").display = True
        pane.table.keeps_cursor = False
        pane.focus_table()
        if event.prompt.id == "filter":
            pane.filter_by(event.text or "")
        elif event.text:
            self.go_to(event.text)

    def action_back(self) -> None:
        """Clear the filter, or go back."""
        if self.pane.filtered:
            self.pane.clear_filters()
        elif len(self.app.screen_stack) > 2:
            self.dismiss()

    def action_leave(self) -> None:
        """Go back, or leave from the first page."""
        if len(self.app.screen_stack) > 2:
            self.dismiss()
        else:
            self.app.exit()


def _nothing() -> None:
    """What ends listening before it has begun."""


def _cost(requests: float, received: float) -> str:
    """Requests and bytes a second, in words that do not flicker: one digit after the point."""
    size = f"{received / 1e6:.1f} MB/s" if received >= 1e6 else f"{received / 1e3:.1f} KB/s"
    return f"{requests:.1f} req/s  {size}"


_VOICES = {
    "plain": "plain",
    "name": "strong",
    "secondary": "dim",
    "arrow": "arrow",
    "good": "good",
    "working": "working",
    "warning": "warning",
    "failed": "failed",
    "finished": "dim",
    "unknown": "warning",
}
