"""The lines around a pane: edges with words in them, and sides, of which one shows where the table is scrolled.

Textual's own border repaints the whole widget when its title changes; these repaint one line.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from ktui.widgets.cells import cut, width_of
from ktui.widgets.line import LineBuilder
from ktui.widgets.palette import Ink, Palette, palette_of, styles_of

# Cells of an edge that are always line: two at each end, one between the words.
_ALWAYS_LINE = 5


class Word(NamedTuple):
    """A word in an edge.

    Attributes:
        text: safe to show.
        ink: its colour.
        bold: whether it is bold.
    """

    text: str
    ink: Ink = Ink.QUIET
    bold: bool = False


class Drawn(Widget):
    """A widget of finished lines, drawn anew only when what they say changes."""

    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[Strip] = []
        self._drawn_for: tuple[int, int, Palette] | None = None

    def draw(self) -> list[Strip]:
        """All lines as they should look, as many as the widget is high."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Repaint the lines that look different now."""
        if self._drawn_for is None or self._drawn_for != self._now:
            # Not in sight, or of another size for now: drawn when it is seen again, also in the size of before.
            self._drawn_for = None
            return
        lines, self._lines = self._lines, self.draw()
        regions = [
            Region(0, y, self.size.width, 1)
            for y, (old, new) in enumerate(zip(lines, self._lines, strict=True))
            if old != new
        ]
        if regions:
            self.refresh(*regions)

    def style(self, ink: Ink, bold: bool = False) -> Style:
        """The style of an ink in the theme of now."""
        return styles_of(palette_of(self.app)).of(ink, bold=bold)

    def edge(self, ends: str, border: Ink, left: Sequence[Word] = (), right: Sequence[Word] = ()) -> Strip:
        """A line with words at its left and at its right end.

        Args:
            ends: the characters at its two ends.
            border: the colour of the line.
            left, right: words from left to right, of each end.
        """
        width, style = self.size.width, self.style(border)
        room = max(0, width - _ALWAYS_LINE)
        left = _cut(left, room)
        right = _cut(right, room - _width(left))
        line = LineBuilder()
        line.add(ends[0], style, 1)
        self._write(line, left, style)
        rest = width - line.width - 2 - (_width(right) + 2 if right else 0)
        line.add("─" * rest, style, max(0, rest))
        self._write(line, right, style)
        line.add("─" + ends[1], style, 2)
        return line.line(width, style, self.get_line_filters())

    def _write(self, line: LineBuilder, words: Sequence[Word], border: Style) -> None:
        if words:
            line.add(" ", border, 1)
            for word in words:
                line.add(word.text, self.style(word.ink, word.bold), width_of(word.text))
            line.add(" ", border, 1)

    def render_lines(self, crop: Region) -> list[Strip]:
        """The finished lines."""
        if self._drawn_for != self._now:
            self._drawn_for = self._now
            self._lines = self.draw()
        return [line.crop(crop.x, crop.right) for line in self._lines[crop.y : crop.bottom]]

    @property
    def _now(self) -> tuple[int, int, Palette]:
        return (*self.size, palette_of(self.app))


class Edge(Drawn):
    """The line above or below a pane, with words at its left and at its right end.

    Args:
        ends: the characters at its two ends.
    """

    DEFAULT_CSS = "Edge { height: 1; width: 1fr; background: $background; }"

    class Clicked(Message):
        """The edge was clicked."""

    def __init__(self, ends: str) -> None:
        super().__init__()
        self._ends = ends
        self._left: Sequence[Word] = ()
        self._right: Sequence[Word] = ()
        self._border = Ink.BORDER

    def show(self, left: Sequence[Word], right: Sequence[Word], border: Ink, ends: str) -> None:
        """Set what stands in the edge; nothing is painted when it stands there already.

        Args:
            left, right: words from left to right, of each end.
            border: the colour of the line.
            ends: the characters at its two ends.
        """
        before = self._left, self._right, self._border, self._ends
        self._left, self._right, self._border, self._ends = left, right, border, ends
        if before != (left, right, border, ends):
            self.redraw()

    def draw(self) -> list[Strip]:
        """The edge."""
        return [self.edge(self._ends, self._border, self._left, self._right)] * self.size.height

    def on_click(self) -> None:
        """Tell the pane."""
        self.post_message(self.Clicked())


class Side(Drawn):
    """The line to the left or to the right of a pane; as a scrollbar it is thicker where the visible rows are.

    Args:
        scrolls: whether it shows a scrollbar.
    """

    DEFAULT_CSS = "Side { width: 1; height: 1fr; background: $background; }"

    class Pointed(Message):
        """A place on the scrollbar was clicked.

        Attributes:
            row: the row that should be the first on the screen.
        """

        def __init__(self, row: int) -> None:
            super().__init__()
            self.row = row

    LINE: ClassVar[str] = "│"
    THUMB: ClassVar[str] = "┃"

    def __init__(self, *, scrolls: bool) -> None:
        super().__init__()
        self._scrolls = scrolls
        self._border = Ink.BORDER
        self._top = self._visible = self._total = 0

    def show(self, border: Ink, top: int, visible: int, total: int) -> None:
        """Set what it shows.

        Args:
            border: the colour of the line.
            top: the first visible row.
            visible: how many rows fit.
            total: how many rows there are.
        """
        before = self._border, self._top, self._visible, self._total
        self._border, self._top, self._visible, self._total = border, top, visible, total
        if before != (border, top, visible, total):
            self.redraw()

    def draw(self) -> list[Strip]:
        """The side, from top to bottom."""
        border = self.style(self._border)
        thumb = self.style(Ink.FOCUS if self._border is Ink.FOCUS else Ink.FAINT)
        first, last = self._thumb()
        return [
            Strip([Segment(self.THUMB, thumb) if first <= y < last else Segment(self.LINE, border)], 1)
            for y in range(self.size.height)
        ]

    def on_click(self, event: events.Click) -> None:
        """Ask for the rows at this place."""
        if self._scrolls and self._total > self._visible > 0:
            share = event.y / max(1, self.size.height - 1)
            self.post_message(self.Pointed(round(share * (self._total - self._visible))))

    def _thumb(self) -> tuple[int, int]:
        height = self.size.height
        if not self._scrolls or self._total <= self._visible or not height:
            return 0, 0
        size = max(1, height * self._visible // self._total)
        first = round(self._top / (self._total - self._visible) * (height - size))
        return first, first + size


def _width(words: Sequence[Word]) -> int:
    return sum(width_of(word.text) for word in words)


def _cut(words: Sequence[Word], room: int) -> list[Word]:
    """The words that fit, the last of them cut."""
    kept: list[Word] = []
    for word in words:
        if width_of(word.text) > room:
            if room > 1:
                kept.append(word._replace(text=cut(word.text, room)[0]))
            break
        kept.append(word)
        room -= width_of(word.text)
    return kept
