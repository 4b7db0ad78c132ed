"""Home: nodes, deployments, services and pods side by side, and how they belong together."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.timer import Timer

from ktui.kinds.builtin import HOME
from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR, GVR_NODES, GVR_PODS, ObjectKey
from ktui.kinds.related import related
from ktui.kinds.row import Row
from ktui.kube.errors import KtuiError
from ktui.kube.last_seen import KindSeen
from ktui.kube.session import Session
from ktui.screens.opening import SIDE_BY_SIDE
from ktui.screens.tables import TableScreen
from ktui.widgets.live_pane import LivePane
from ktui.widgets.pane import Pane

REVEAL_AFTER = 0.15
"""Seconds for which the cursor rests before panes scroll to what belongs to its row: longer than a key held down
repeats, so that nothing flickers past that nobody looks at, and that a slow line would have to carry."""


class Focus(NamedTuple):
    """The object to which the panes are narrowed.

    Attributes:
        kind: its kind.
        key: which one.
    """

    kind: Kind
    key: ObjectKey


class HomeScreen(TableScreen):
    """Four live panes. Moving the cursor marks what belongs together; Enter narrows to it, Esc widens again.

    Args:
        session: the context it shows.
        namespaces: what it looks at; empty for all.
        covered: whether another page will cover it at once: until that one is left, it asks for nothing.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("z", "zoom", "Zoom", tooltip="Give the whole screen to one pane, or take it back."),
        Binding("1", "pane(0)", "Nodes", show=False, tooltip="Go to the first pane."),
        Binding("2", "pane(1)", "Deployments", show=False, tooltip="Go to the second pane."),
        Binding("3", "pane(2)", "Services", show=False, tooltip="Go to the third pane."),
        Binding("4", "pane(3)", "Pods", show=False, tooltip="Go to the fourth pane."),
        Binding("tab", "next_pane(1)", "Next pane", show=False, tooltip="Go to the next pane."),
        Binding("shift+tab", "next_pane(-1)", "Previous pane", show=False, tooltip="Go to the previous pane."),
    ]
    DEFAULT_CSS = """
    HomeScreen {
        & > #panes {
            layout: grid; grid-size: 2 2; grid-columns: 9fr 11fr; grid-gutter: 0 0;
        }
        &.-accordion > #panes { layout: vertical; }
        &.-accordion LivePane { height: 1; }
        &.-accordion LivePane.-open { height: 1fr; }
        &.-zoomed > #panes { layout: vertical; }
        &.-zoomed LivePane { display: none; }
        &.-zoomed LivePane.-open { display: block; height: 1fr; }
    }
    """

    def __init__(self, session: Session, namespaces: tuple[str, ...] = (), *, covered: bool = False) -> None:
        super().__init__(session, namespaces)
        self._covered, self._left = covered, False
        self._focus: list[Focus] = []
        self._revealing: Timer | None = None

    def compose_panes(self) -> ComposeResult:
        """In reading order: nodes, deployments, services, pods."""
        for kind in HOME if not self._covered else ():
            yield LivePane(self.session, kind, self.namespaces)

    def _begin(self) -> None:
        """Begin on the deployments: they are what people come for."""
        if self._covered:
            return
        self._focus.clear()
        self._fit(*self.app.size)
        self._open(self.panes[1])
        super()._begin()
        self.panes[1].focus_table()

    def on_screen_suspend(self) -> None:
        """Another page covers this one."""
        super().on_screen_suspend()
        self._left = True

    def complain(self, error: KtuiError) -> None:
        """Say what went wrong; where there is no other page to see, this one is."""
        super().complain(error)
        if self._covered:
            self._uncover()

    def _uncover(self) -> None:
        """It is seen for the first time: look."""
        self._covered = False
        self.session, self.namespaces = self.explorer.session, self.explorer.namespaces
        self._look_again()

    def on_screen_resume(self) -> None:
        """Other namespaces may have been chosen on a page above."""
        if self._covered:
            if self._left:
                self._uncover()
            return
        super().on_screen_resume()
        self.look_at(self.explorer.session, self.explorer.namespaces)

    def counts(self) -> str:
        """Nodes and pods."""
        found = {pane.kind.gvr: pane for pane in self.panes}
        nodes, pods = (pane.remembered or len(pane.feed.store) for pane in (found[GVR_NODES], found[GVR_PODS]))
        if not nodes and not pods:
            return ""
        then = " last seen" if any(pane.remembered is not None for pane in found.values()) else ""
        return f"{nodes:,} node{'s' if nodes != 1 else ''} · {pods:,} pod{'s' if pods != 1 else ''}{then}"

    def seen_last(self, now: float) -> dict[str, KindSeen]:
        """What is known and in sight, by resource, to be remembered; nothing while panes are exchanged.

        Args:
            now: epoch seconds.
        """
        panes = self.panes if self.complete else []
        if not all(pane.shows(self.session, self.namespaces) for pane in panes):
            return {}
        return {pane.kind.gvr.resource: seen for pane in panes if (seen := pane.seen_last(now)) is not None}

    # -- what belongs together ---------------------------------------------------------------

    def highlighted(self) -> None:
        """Mark once, after all keys that are waiting have moved the cursor."""
        self.call_next(self.relate)

    def rows_changed(self) -> None:
        """What belongs together may have changed."""
        self.relate()

    def relate(self) -> None:
        """Narrow to the focus, and mark what belongs to the object under the cursor."""
        if not self.is_current or not self.complete:
            return
        for pane in self.panes:
            pane.seen()
        self._narrow()
        here, sight = self.pane, self.sight()
        row = here.row
        marks = related(here.kind, row, sight, HOME) if row is not None else {}
        for pane in self.panes:
            pane.mark_related(marks.get(pane.kind.gvr, set()) if pane is not here else set())
        self.tell_relations()
        self._reveal_soon()

    def _reveal_soon(self) -> None:
        if self._revealing is not None:
            self._revealing.stop()
        self._revealing = self.set_timer(REVEAL_AFTER, self._reveal)

    def _reveal(self) -> None:
        self._revealing = None
        for pane in self.panes:
            pane.reveal_related()

    def told_of(self) -> list[tuple[Kind, Row]]:
        """The object under the cursor, and the one to which the panes are narrowed."""
        sight = self.sight()
        focused = [(each.kind, sight.row(each.kind.gvr, each.key)) for each in self._focus[-1:]]
        return [*super().told_of(), *((kind, row) for kind, row in focused if row is not None)]

    def _narrow(self) -> None:
        wanted = self._wanted()
        certain, trouble = wanted is None or not self.unknown(), self.refused()
        for pane in self.panes:
            only = wanted.get(pane.kind.gvr) if wanted is not None else None
            pane.narrow(only, self._label(), certain=certain, trouble=trouble)

    def _wanted(self) -> dict[GVR, set[ObjectKey]] | None:
        """What the innermost focus leaves of each kind; None without a focus."""
        if not self._focus:
            return None
        focus = self._focus[-1]
        sight = self.sight()
        row = sight.row(focus.kind.gvr, focus.key)
        found = related(focus.kind, row, sight, HOME) if row is not None else {kind.gvr: set() for kind in HOME}
        found[focus.kind.gvr] = {focus.key}
        return found

    def _label(self) -> str:
        return self._focus[-1].key.name if self._focus else ""

    def choose(self, pane: LivePane, row: Row) -> None:
        """Enter: narrow every pane to what is related; details where that would change nothing."""
        focus = Focus(pane.kind, row.key)
        if focus in self._focus:
            self.show_details(pane.kind, row.key)
            return
        before = {each.kind.gvr: each.shown_keys() for each in self.panes}
        self._focus.append(focus)
        if self._wanted() == before:
            self._focus.pop()
            self.show_details(pane.kind, row.key)
            return
        self.relate()

    def action_back(self) -> None:
        """Clear the filter, then widen, one step at a time."""
        pane = self.pane
        if pane.filtered:
            pane.clear_filters()
        elif self._focus:
            gone = self._focus.pop()
            self.relate()
            # The cursor returns to the object from which the panes had been narrowed.
            for other in self.panes:
                if other.kind == gone.kind:
                    other.focus_table()
                    other.select(gone.key)
        elif self.has_class("-zoomed"):
            self.action_zoom()

    # -- panes -------------------------------------------------------------------------------

    @on(Pane.TitleClicked)
    def _title_clicked(self, event: Pane.TitleClicked) -> None:
        """A title gives its pane the keyboard, and opens it in the accordion."""
        assert isinstance(event.pane, LivePane)
        event.pane.focus_table()

    def action_pane(self, number: int) -> None:
        """Go to a pane by its number."""
        self.panes[number].focus_table()

    def action_next_pane(self, by: int) -> None:
        """Go to the next pane, or the one before."""
        panes = self.panes
        panes[(panes.index(self.pane) + by) % len(panes)].focus_table()

    def action_zoom(self) -> None:
        """Give the whole screen to one pane, or take it back."""
        self.toggle_class("-zoomed")
        self._open(self.pane)

    def on_descendant_focus(self) -> None:
        """The open pane is the one with the keyboard; what belongs together is told from there."""
        self._open(self.pane)
        self.highlighted()

    def _open(self, open_pane: LivePane) -> None:
        """Where there is room for one pane only, open this one; elsewhere all are open."""
        small, zoomed = self.has_class("-accordion"), self.has_class("-zoomed")
        for pane in self.panes:
            pane.set_class((small or zoomed) and pane is open_pane, "-open")
            if pane.collapsed != (collapsed := small and not zoomed and pane is not open_pane):
                pane.collapsed = collapsed

    def on_resize(self, event: events.Resize) -> None:
        """Four panes where there is room, an accordion where there is not."""
        self._fit(*event.size)

    def _fit(self, width: int, height: int) -> None:
        small = width < SIDE_BY_SIDE[0] or height < SIDE_BY_SIDE[1]
        if small != self.has_class("-accordion"):
            self.set_class(small, "-accordion")
            if self.panes:
                self._open(self.pane)
