"""DetailsScreen: everything about one object, live: overview, YAML, events, relations."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.timer import Timer
from textual.widget import Widget

from ktui.kinds.kind import Kind
from ktui.kinds.names import ObjectKey
from ktui.kinds.standing import standing
from ktui.kinds.text import clean
from ktui.kinds.time import epoch, human_duration
from ktui.kinds.tone import Tone
from ktui.kube.live_object import UNWATCHED_EVERY, LiveObject
from ktui.kube.session import Session
from ktui.kube.state import Absent, Denied
from ktui.screens.acting import Acting, Chosen
from ktui.screens.copy import CopyScreen
from ktui.screens.details_tabs import EventsTab, OverviewTab, RelationsTab, YamlTab
from ktui.widgets.bar import Bar, Part
from ktui.widgets.failures import FailuresSaid
from ktui.widgets.freshness import Freshness, freshness
from ktui.widgets.header import STYLES
from ktui.widgets.key_bar import KeyBar
from ktui.widgets.prompt import Prompt
from ktui.widgets.relations_view import RelationsView
from ktui.widgets.text_view import TextView

if TYPE_CHECKING:
    from ktui.app import KtuiApp

TABS = ("overview", "yaml", "events", "relations")
TITLES = {"overview": "Overview", "yaml": "YAML", "events": "Events", "relations": "Relations"}
# Seconds between looks at what is written in words: ages, how stale something is.
WORDS_EVERY = 1.0
# Ages inside the overview are not read by the second.
OVERVIEW_EVERY = 10
# Below this width only the tab that is shown has a name; below this height no empty line sets the tabs apart.
NARROW, LOW = 48, 16


class DetailsScreen(FailuresSaid, Acting):
    """One object of any kind.

    Args:
        session: the context it is in.
        kind: its kind.
        key: its namespace and name.
        tab: which side of it is shown first: one of `TABS`.
        now: epoch seconds, for ages.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "show('overview')", "Overview", show=False),
        Binding("2", "show('yaml')", "YAML", show=False),
        Binding("3", "show('events')", "Events", show=False),
        Binding("4", "show('relations')", "Relations", show=False),
        Binding("tab", "turn(1)", "Next tab", show=False),
        Binding("shift+tab", "turn(-1)", "Previous tab", show=False),
        Binding("right", "turn(1)", "Next tab", show=False),
        Binding("left", "turn(-1)", "Previous tab", show=False),
        Binding("y", "show('yaml')", "YAML", tooltip="The object as YAML."),
        Binding("c", "copy", "Copy", tooltip="Copy the name, the YAML or the kubectl line."),
        Binding("e", "edit", "Edit", tooltip="Change the manifest, safely; E in your own editor."),
        Binding("E", "edit(True)", "$EDITOR", show=False, tooltip="Change the manifest, safely; E in your own editor."),
        Binding(
            "equals_sign",
            "compare",
            "Compare",
            show=False,
            tooltip="Compare it with what was applied last.",
        ),
        Binding("a", "actions", "Actions", tooltip="All that can be done to the object, and why not."),
        Binding("U", "undo", "Undo", show=False, tooltip="Take back one of the last changes."),
        Binding("ctrl+r", "refresh", "Refresh", show=False, tooltip="Fetch everything again at once."),
        Binding("question_mark", "help", "Help", key_display="?", tooltip="All keys."),
        Binding("escape", "back", "Back", tooltip="End the search, or go back."),
        Binding("q", "dismiss", "Back", show=False),
    ]
    DEFAULT_CSS = """
    DetailsScreen {
        background: $background;
        layout: vertical;
        & > #title { dock: top; }
        & > #tabs { background: $background; margin-bottom: 1; }
        &.-low > #tabs { margin-bottom: 0; }
        & > #notice { display: none; background: $background; }
        & > #notice.-said { display: block; }
        & > #sides { height: 1fr; }
        & > #sides > * { height: 1fr; }
    }
    """

    def __init__(
        self,
        session: Session,
        kind: Kind,
        key: ObjectKey,
        *,
        tab: str = "overview",
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self.session = session
        self.kind = kind
        self.key = key
        self.tab = tab
        self._now = now
        self._timer: Timer | None = None
        self._looking = False
        self._found: TextView.Searched | None = None
        self._told_overview = 0
        self.live: LiveObject

    def compose(self) -> ComposeResult:
        """Title, tabs, one side of the object, keys."""
        self.live = LiveObject(self.session, self.kind, self.key, self._woken)
        yield Bar(id="title")
        yield Bar(id="tabs")
        yield Bar(id="notice")
        with Container(id="sides"):
            yield OverviewTab(self.session, self.live, self._now)
            yield YamlTab(self.live)
            yield EventsTab(self.session, self.live, self._now)
            yield RelationsTab(self.session, self.live, self._now)
        yield KeyBar(id="keys")

    async def on_mount(self) -> None:
        """Look at the object."""
        self.set_interval(WORDS_EVERY, self._tick)
        await self.action_show(self.tab)
        self._look()

    def on_unmount(self) -> None:
        """Look no longer."""
        self.live.close()

    def on_resize(self) -> None:
        """Small terminals have no room for air."""
        self.set_class(self.size.height < LOW, "-low")

    def on_screen_resume(self) -> None:
        """Catch up with what happened while another page was shown."""
        if self.is_mounted:
            self._look()

    # -- the object --------------------------------------------------------------------------

    def _woken(self) -> None:
        # Changes come in the middle of the session's work.
        if self.is_attached and not self._looking:
            self._looking = True
            self.call_later(self._look)

    def _look(self) -> None:
        """Show what is known now, and fetch the object when it is due."""
        self._looking = False
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if not self.is_current or not self.is_attached:
            return
        due = self.live.due()
        if due is not None and due <= 0:
            self._fetch()
        elif due is not None:
            self._timer = self.set_timer(due, self._look)
        self._tell()

    @work(group="object", exit_on_error=False)
    async def _fetch(self) -> None:
        await self.live.fetch()

    def _tick(self) -> None:
        """A second has passed."""
        if not self.is_current:
            return
        self._tell_words()
        seconds = int(self._now())
        if self.tab == "overview" and seconds - self._told_overview >= OVERVIEW_EVERY:
            self._told_overview = seconds
            self.query_one(OverviewTab).tell()

    def _tell(self) -> None:
        self._tell_words()
        match self.tab:
            case "overview":
                self.query_one(OverviewTab).tell()
            case "yaml":
                self.query_one(YamlTab).tell()
            case "relations":
                self.query_one(RelationsTab).tell()
        self.refresh_bindings()

    # -- words -------------------------------------------------------------------------------

    def _tell_words(self) -> None:
        self.query_one("#title", Bar).show(self._title(), self._title_right())
        self.query_one("#tabs", Bar).show(self._tabs(), self._tab_words())
        notice, said = self.query_one("#notice", Bar), self._notice()
        notice.set_class(bool(said), "-said")
        notice.show(said)

    def _title(self) -> list[Part]:
        live = self.live
        parts = [Part(f" {clean(self.kind.kind)}  ", "key")]
        if self.key.namespace:
            parts.append(Part(f"{clean(self.key.namespace)}/", "dim"))
        parts.append(Part(clean(self.key.name), "strong"))
        if (row := live.row) is not None:
            how = standing(live.kind, row, self._now())
            if how.tone is not Tone.PLAIN:
                parts.append(Part(f"   {how.tone.value} {how.word}", STYLES[how.tone]))
        elif live.gone:
            parts.append(Part("   ○ deleted", "warning"))
        made = epoch(str(live.item["metadata"].get("creationTimestamp") or "")) if live.item else None
        if made is not None:
            parts.append(Part(f"   {human_duration(self._now() - made)}", "dim"))
        return parts

    def _title_right(self) -> list[Part]:
        fresh = self._freshness()
        parts = [Part(f"{fresh.glyph} {clean(fresh.text)}", STYLES[fresh.tone], weight=9), Part(" ", weight=10)]
        if (client := self.session.client) is not None:
            parts.insert(0, Part(f"{clean(client.identity.context)}   ", "dim", weight=1))
        return parts

    def _freshness(self) -> Freshness:
        state = self.live.state
        if self.live.gone:
            return Freshness("○", "as it was last", Tone.WARNING)
        if isinstance(state, Denied | Absent) and self.live.item is not None:
            return Freshness("◐", f"fetched every {UNWATCHED_EVERY:.0f} s", Tone.WARNING)
        return freshness(state, time.monotonic())

    def _tabs(self) -> list[Part]:
        parts = [Part(" ")]
        roomy = self.size.width >= NARROW
        for number, tab in enumerate(TABS, start=1):
            action = f"screen.show('{tab}')"
            words = f" {TITLES[tab]}{self._count_of(tab)} "
            if tab == self.tab:
                parts.append(Part(f" {number}{words}", "badge", action))
            else:
                parts += [Part(f" {number}", "key", action), Part(words if roomy else " ", "text", action)]
            parts.append(Part(" " if roomy else ""))
        return parts

    def _count_of(self, tab: str) -> str:
        count = self.query_one(EventsTab).count if tab == "events" else None
        return f" {count}" if count is not None else ""

    def _tab_words(self) -> list[Part]:
        if self.tab != "yaml":
            return []
        if (found := self._found) is not None:
            words = f"{found.place} of {found.count}" if found.count else "not found"
            keys = [Part("   n", "key"), Part(" next   "), Part("N", "key"), Part(" previous ")] if found.count else []
            said = Part(words, "text" if found.count else "warning")
            return [Part(f"/{clean(found.text)}   ", "strong", weight=1), said, *keys, Part(" ")]
        words = self.query_one(YamlTab).words
        return [Part(f"{words} ", "dim")] if words else []

    def _notice(self) -> list[Part]:
        live = self.live
        if live.gone:
            return [Part(f" ○ This {self.kind.singular} was deleted. What is shown is its last state.", "warning")]
        if live.trouble is not None and live.item is not None:
            return [Part(f" ▲ {clean(live.trouble.sentence)} What is shown may be old; ktui keeps trying.", "warning")]
        if live.recreated:
            return [Part(f" ▲ This is a new {self.kind.singular}: the one before was deleted.", "warning")]
        return []

    # -- tabs --------------------------------------------------------------------------------

    async def action_show(self, tab: str) -> None:
        """Show another side of the object."""
        self.tab = tab
        shown: Widget | None = None
        for side in self.query_one("#sides").children:
            side.display = side.id == tab
            shown = side if side.id == tab else shown
        if isinstance(shown, EventsTab):
            await shown.tell()
        elif shown is not None:
            shown.focus()
        self._tell()

    async def action_turn(self, by: int) -> None:
        """Show the next side, or the one before."""
        await self.action_show(TABS[(TABS.index(self.tab) + by) % len(TABS)])

    @on(RelationsView.Chosen)
    def _open_relative(self, event: RelationsView.Chosen) -> None:
        relative = event.relative
        if relative.here:
            self.notify("This is the object you are looking at.")
        elif relative.resource is None:
            self.notify(f"{relative.kind} {clean(str(relative.key))}: {relative.standing.word}.", markup=False)
        else:
            self.app.push_screen(DetailsScreen(self.session, relative.resource, relative.key, now=self._now))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The page that is shown needs no key."""
        if action == "show" and parameters == (self.tab,):
            return False
        return super().check_action(action, parameters)

    def acted_on(self) -> Kind | None:
        """The kind of the object; None when it is gone."""
        return None if self.live.gone else self.live.kind

    def chosen(self) -> Chosen:
        """The object."""
        from ktui.actions.action import Target

        return Chosen(() if self.live.gone else (Target(self.live.kind, self.key, self.live.uid),))

    # -- keys --------------------------------------------------------------------------------

    def action_search(self) -> None:
        """Type what to look for."""
        hint = "text to look for; Enter keeps it, Esc ends it"
        cast("KtuiApp", self.app).hold_keys()
        self.mount(Prompt("/", id="search", placeholder=hint), before=self.query_one(KeyBar))

    @on(Prompt.Ready)
    def _ready(self) -> None:
        cast("KtuiApp", self.app).release_keys()

    @on(Prompt.Typed, "#search")
    def _search(self, event: Prompt.Typed) -> None:
        self.query_one(YamlTab).search(event.text)

    @on(Prompt.Done, "#search")
    def _search_done(self, event: Prompt.Done) -> None:
        event.prompt.remove()
        yaml = self.query_one(YamlTab)
        yaml.focus()
        if not event.text:
            yaml.search("")

    @on(TextView.Searched)
    def _say_matches(self, event: TextView.Searched) -> None:
        self._found = event if event.text else None
        self._tell_words()
        self.refresh_bindings()

    def action_back(self) -> None:
        """End the search, or go back."""
        yaml = self.query_one(YamlTab)
        if self.tab == "yaml" and yaml.searching:
            yaml.search("")
        else:
            self.dismiss()

    def action_refresh(self) -> None:
        """Fetch everything again."""
        self.session.retry()
        self.live.retry()
        if self.tab == "relations":
            self.query_one(RelationsTab).tell(again=True)

    def action_copy(self) -> None:
        """Choose what to copy."""
        secrets = self.query_one(YamlTab).secrets
        self.app.push_screen(CopyScreen(self.session, self.kind, self.key, self.live.item, secrets=secrets))

    def action_help(self) -> None:
        """All keys."""
        from ktui.screens.help import HelpScreen, page_groups

        self.app.push_screen(HelpScreen(page_groups(self)))
