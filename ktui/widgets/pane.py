"""Pane: a table in a frame that tells what it shows, how much of it is in trouble, and how current it is."""

from __future__ import annotations

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget

from ktui.kinds.text import clean
from ktui.kinds.tone import Tone
from ktui.widgets.frame import Edge, Side, Word
from ktui.widgets.freshness import Freshness, last_seen
from ktui.widgets.palette import TONE_INKS, Ink
from ktui.widgets.resource_table import ResourceTable


class Pane(Widget):
    """The frame around a table.

    A change of its title, its counts or its freshness repaints one line.

    Args:
        table: what it frames.
        title: what the table shows, `Pods`.
        id: the widget's id.
    """

    DEFAULT_CSS = """
    Pane {
        width: 1fr; height: 1fr; layout: vertical; background: $background;
        & > Horizontal { height: 1fr; }
        &.-collapsed { height: 1; }
        &.-collapsed > Horizontal, &.-collapsed > .bottom { display: none; }
    }
    """

    class TitleClicked(Message):
        """The title was clicked, and the table has the keyboard; a collapsed pane wants to be opened.

        Attributes:
            pane: which.
        """

        def __init__(self, pane: Pane) -> None:
            super().__init__()
            self.pane = pane

        @property
        def control(self) -> Pane:
            """The pane."""
            return self.pane

    def __init__(self, table: ResourceTable, title: str, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.table = table
        table.counted = self.counted
        self._title = title
        self._subject = ""
        self._expected: int | None = None
        self._remembered: int | None = None
        self._freshness: Freshness | None = None
        self._top, self._bottom = Edge("╭╮"), Edge("╰╯")
        self._bottom.add_class("bottom")
        self._sides = Side(scrolls=False), Side(scrolls=True)

    def compose(self) -> ComposeResult:
        """The frame and the table in it."""
        yield self._top
        with Horizontal():
            yield self._sides[0]
            yield self.table
            yield self._sides[1]
        yield self._bottom

    def on_mount(self) -> None:
        """Say what is known already."""
        self.tell_frame()

    @property
    def title(self) -> str:
        """What the table shows."""
        return self._title

    @title.setter
    def title(self, title: str) -> None:
        self._title = title
        self.tell_frame()

    @property
    def subject(self) -> str:
        """The name of what the table is narrowed to; empty when it is not."""
        return self._subject

    @subject.setter
    def subject(self, subject: str) -> None:
        self._subject = clean(subject)
        self.tell_frame()

    @property
    def expected(self) -> int | None:
        """How many rows there will be, while they are landing; None when they have landed or nobody knows."""
        return self._expected

    @property
    def remembered(self) -> int | None:
        """How many rows there were when ktui was open last, while only rows of then are shown; None otherwise."""
        return self._remembered

    @property
    def freshness(self) -> Freshness | None:
        """How current the table is."""
        return self._freshness

    def show_freshness(
        self, freshness: Freshness | None, expected: int | None = None, remembered: int | None = None
    ) -> None:
        """Say how current the table is.

        Args:
            freshness: in words.
            expected: how many rows there will be, while they are landing.
            remembered: how many there were, while only rows of last time are shown.
        """
        if (freshness, expected, remembered) != (self._freshness, self._expected, self._remembered):
            self._freshness, self._expected, self._remembered = freshness, expected, remembered
            self.tell_frame()

    @property
    def collapsed(self) -> bool:
        """Whether only the title line is shown."""
        return self.has_class("-collapsed")

    @collapsed.setter
    def collapsed(self, collapsed: bool) -> None:
        self.set_class(collapsed, "-collapsed")
        self.tell_frame()

    def tell_frame(self) -> None:
        """Write into the frame what is the case now."""
        if not self.is_attached:
            return
        border = Ink.FOCUS if self.table.lit else Ink.BORDER
        title, state = self._title_words(), self._state_words()
        if self.collapsed:
            self._top.show(title, state, border, "──")
            return
        self._top.show(title, (), border, "╭╮")
        self._bottom.show((), state, border, "╰╯")
        counts = self.table.counts
        for side in self._sides:
            side.show(border, counts.top, counts.height, counts.shown)

    def counted(self) -> None:
        """Other rows are in sight, or there are more, or fewer."""
        self.tell_frame()

    def _title_words(self) -> list[Word]:
        counts, model = self.table.counts, self.table.model
        lit = self.table.lit
        ink = Ink.FOCUS if lit else Ink.QUIET
        if self._expected is not None:
            count = f"{counts.total:,}/{self._expected:,}"
        elif self._remembered is not None:
            count = last_seen(counts.shown, self._remembered)
        elif model.narrowed:
            count = f"{counts.shown:,} of {counts.total:,}"
        else:
            count = f"{counts.total:,}"
        words = [Word(f"{self._title} {count}", ink, True)]
        if self._subject:
            words.append(Word(f" · {self._subject}", ink))
        if model.filter:
            words.append(Word(f" /{clean(model.filter.text)}", Ink.KEY))
        if model.unhealthy_only:
            words.append(Word(" !", Ink.WARNING, True))
        return words

    def _state_words(self) -> list[Word]:
        counts, words = self.table.counts, []
        # Of rows last seen, only those in sight were kept: how many of all were in trouble, nobody knows.
        if counts.failed and self._remembered is None:
            words.append(Word(f"{Tone.FAILED.value}{counts.failed:,}", Ink.FAILED))
        if counts.warning and self._remembered is None:
            words.append(Word(f"{' ' if words else ''}{Tone.WARNING.value}{counts.warning:,}", Ink.WARNING))
        if self._freshness is not None:
            glyph, text, tone = self._freshness
            ink = TONE_INKS[tone] if tone is not Tone.PLAIN else Ink.QUIET
            words.append(Word(f"{'  ' if words else ''}{glyph} ", ink))
            words.append(Word(text, ink if tone.unhealthy else Ink.QUIET))
        return words

    @on(Edge.Clicked)
    def _edge_clicked(self, event: Edge.Clicked) -> None:
        event.stop()
        self.table.focus()
        self.post_message(self.TitleClicked(self))

    @on(Side.Pointed)
    def _side_pointed(self, event: Side.Pointed) -> None:
        event.stop()
        self.table.scroll_rows(event.row - self.table.counts.top)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The frame lights up."""
        self.tell_frame()

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """The frame goes out."""
        self.tell_frame()
