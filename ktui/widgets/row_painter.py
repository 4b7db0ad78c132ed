"""RowPainter: from cells to finished lines.

It builds segments, never markup, so no text of a stranger can become a style or an escape sequence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.style import Style
from textual.filter import LineFilter
from textual.strip import Strip

from ktui.kinds.column import Column, Role
from ktui.kinds.tone import Tone
from ktui.widgets.cells import fit, fold, width_of
from ktui.widgets.column_layout import GAP, GLYPH, Layout, Slot
from ktui.widgets.line import LineBuilder
from ktui.widgets.palette import TONE_INKS, Ink, Look, Styles
from ktui.widgets.sort import Sort
from ktui.widgets.table_filter import Filter

GUTTER = 2
"""Cells before the first column: the bar of related rows and the mark."""

MARGIN = 2
"""Cells behind the last column, where `›` tells of more."""

RELATED_BAR = "▎"
MARK = "✓"
MORE_LEFT, MORE_RIGHT = "‹", "›"
ASCENDING, DESCENDING = "↑", "↓"


@dataclass(frozen=True, slots=True)
class Painted:
    """How a row stands among the others.

    Attributes:
        look: its ground.
        related: whether it belongs to the row under the cursor of another table.
        marked: whether the person marked it.
        remembered: whether it was seen when ktui was open last, and nobody knows yet what is the case.
    """

    look: Look = Look.PLAIN
    related: bool = False
    marked: bool = False
    remembered: bool = False


class RowPainter:
    """Paints the lines of a table.

    Args:
        styles: the theme's.
        filters: Textual's line filters.
        width: cells of a line.
    """

    def __init__(self, styles: Styles, filters: Sequence[LineFilter], width: int) -> None:
        self.styles = styles
        self.width = width
        self._filters = filters

    def header(self, layout: Layout, sort: Sort | None) -> Strip:
        """The line with the names of the columns."""
        style = self.styles.of(Ink.QUIET, bold=True)
        line = LineBuilder()
        line.add((MORE_LEFT if layout.more_left else " ") + " " * (GUTTER - 1), style, GUTTER)
        for place, slot in enumerate(layout.slots):
            self._gap(line, place, style)
            arrow = ""
            if sort is not None and sort.column == slot.column.name:
                arrow = DESCENDING if sort.descending else ASCENDING
            name = slot.column.name
            if arrow and width_of(name) + 1 > slot.width:
                name = fit(name, max(1, slot.width - 1))
            line.add(fit(name + arrow, slot.width, slot.column.right), style, slot.width)
        if not layout.more_right:
            return line.line(self.width, style, self._filters)
        return self._with_last(line, MORE_RIGHT, style)

    def row(self, cells: Sequence[tuple[str, Tone]], layout: Layout, painted: Painted, found: Filter) -> Strip:
        """The line of a row.

        Args:
            cells: text and tone for each slot of `layout`.
            layout: where they go.
            painted: how the row stands among the others.
            found: the filter whose matches are shown.
        """
        look = painted.look
        blank = self.styles.of(Ink.TEXT, look)
        line = LineBuilder()
        self._gutter(line, painted)
        for place, (slot, (text, tone)) in enumerate(zip(layout.slots, cells, strict=True)):
            self._gap(line, place, blank)
            ink, bold = self._ink(slot.column, tone, painted)
            self._cell(line, slot, text, tone, self.styles.of(ink, look, bold), look, found)
        return line.line(self.width, blank, self._filters)

    def words(self, text: str, tone: Tone = Tone.PLAIN, look: Look = Look.PLAIN) -> Strip:
        """A line of words where there are no rows."""
        ink = TONE_INKS[tone] if tone is not Tone.PLAIN else Ink.QUIET
        room = max(1, self.width - GUTTER - MARGIN)
        line = LineBuilder()
        style = self.styles.of(ink, look)
        line.add(" " * GUTTER, style, GUTTER)
        line.add(fit(text, room), style, room)
        return line.line(self.width, style, self._filters)

    def _gap(self, line: LineBuilder, place: int, style: Style) -> None:
        if place:
            line.add(" " * GAP, style, GAP)

    def _gutter(self, line: LineBuilder, painted: Painted) -> None:
        if not (painted.related or painted.marked):
            line.add(" " * GUTTER, self.styles.of(Ink.TEXT, painted.look), GUTTER)
            return
        style = self.styles.of(Ink.KEY, painted.look, painted.marked)
        line.add(RELATED_BAR if painted.related else " ", style, 1)
        line.add(MARK if painted.marked else " ", style, 1)

    def _ink(self, column: Column, tone: Tone, painted: Painted) -> tuple[Ink, bool]:
        if painted.remembered:
            return Ink.FAINT, False
        if tone is not Tone.PLAIN:
            return TONE_INKS[tone], False
        if column.role is Role.NAME:
            return (Ink.KEY, True) if painted.marked else (Ink.NAME, painted.look is Look.CURSOR)
        if column.role is Role.SECONDARY:
            return Ink.QUIET, False
        return Ink.TEXT, False

    def _cell(
        self, line: LineBuilder, slot: Slot, text: str, tone: Tone, style: Style, look: Look, found: Filter
    ) -> None:
        width = slot.width
        if slot.toned and width > GLYPH:
            line.add(tone.value.ljust(GLYPH), style, GLYPH)
            width -= GLYPH
        if slot.column.role is Role.NAME:
            text = fold(text, width)
        text = fit(text, width, slot.column.right)
        if not found:
            line.add(text, style, width)
            return
        match, done = self.styles.of(Ink.MATCH, look), 0
        for start, end in found.spans(text):
            line.add(text[done:start], style, width_of(text[done:start]))
            line.add(text[start:end], match, width_of(text[start:end]))
            done = end
        line.add(text[done:], style, width_of(text[done:]))

    def _with_last(self, line: LineBuilder, glyph: str, style: Style) -> Strip:
        """`line`, with `glyph` in its last cell."""
        line.add(" " * (self.width - 1 - line.width), style, self.width - 1 - line.width)
        line.add(glyph, style, 1)
        return line.line(self.width, style, self._filters)
