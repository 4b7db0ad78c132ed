"""TableLines: the lines of a table on the screen, built for the rows that are visible and kept.

Everything that may change what is seen ends in `_paint`, which builds the lines in question and repaints those that
look different from before. So a changed row writes one line to the terminal, an unseen one nothing, and an idle table
nothing.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterable

from textual.filter import ANSIToTruecolor
from textual.geometry import Offset, Region
from textual.strip import Strip
from textual.widget import Widget

from ktui.kinds.names import ObjectKey
from ktui.kinds.row import Row
from ktui.kinds.tone import Tone
from ktui.widgets.cells import steady
from ktui.widgets.column_layout import ColumnWidths, Layout
from ktui.widgets.palette import Look, Palette, palette_of, styles_of
from ktui.widgets.row_painter import GUTTER, MARGIN, Painted, RowPainter
from ktui.widgets.table_model import TableModel

HEADER = 1
_SAMPLE = 100
# An age that counts seconds alone, `45s`, is below two minutes (HumanDuration); `3m20s` is above.
_YOUNG = re.compile(r"(?<![0-9m])[0-9]+s\b")


class TableLines(Widget):
    """Draws the rows of a model below a header that stands still.

    Not a ScrollView: changing the number of rows must not lay out the screen, and the pane's frame is the scrollbar.

    Args:
        model: the rows.
        clock: seconds since 1970, for ages.
        id: the widget's id.
    """

    ALLOW_SELECT = False

    def __init__(self, model: TableModel, *, clock: Callable[[], float] = time.time, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.clock = clock
        self._model = model
        self._widths = ColumnWidths(model.columns)
        self._layout_now = Layout()
        self._keeps_cursor = False
        self._related: frozenset[ObjectKey] = frozenset()
        self._words: tuple[str, ...] = ()
        self._words_tone = Tone.PLAIN
        # The first visible row, and how many columns are scrolled out on the left.
        self._top = self._skipped = 0
        # What is on the screen: lines, the keys of the rows below the header, and the lines whose ages count seconds.
        self._lines: list[Strip] = []
        self._keys: list[ObjectKey | None] = []
        self._young: set[int] = set()
        self._painted_for: tuple[int, int, Palette] | None = None
        self._height_before = 0

    def shown_again(self) -> None:
        """Called whenever the lines are shown: somebody looks."""

    @property
    def lit(self) -> bool:
        """Whether this is the table that the person works with."""
        return self.has_focus or self._keeps_cursor

    @property
    def keeps_cursor(self) -> bool:
        """Whether the cursor is shown, dimly, while the keyboard is elsewhere, as in a filter line."""
        return self._keeps_cursor

    @keeps_cursor.setter
    def keeps_cursor(self, keeps: bool) -> None:
        self._keeps_cursor = keeps
        self._paint_cursor()

    @property
    def related(self) -> frozenset[ObjectKey]:
        """Rows that belong to what is under the cursor elsewhere."""
        return self._related

    @related.setter
    def related(self, keys: Iterable[ObjectKey]) -> None:
        related = frozenset(keys)
        if different := related ^ self._related:
            self._related = related
            self._paint(self._lines_of(different))

    @property
    def words(self) -> tuple[str, ...]:
        """What stands in place of rows when there are none: why, and what can be done."""
        return self._words

    def say(self, words: Iterable[str], tone: Tone = Tone.PLAIN) -> None:
        """Set what stands in place of rows when there are none.

        Args:
            words: sentences, one below the other; they may be longer than a line.
            tone: of the first of them.
        """
        said = (tuple(words), tone)
        if said != (self._words, self._words_tone):
            self._words, self._words_tone = said
            if not len(self._model):
                self._paint()

    @property
    def texts(self) -> tuple[str, ...]:
        """The lines as they stand on the screen, or stood there last."""
        return tuple(line.text.rstrip() for line in self._lines)

    @property
    def awake(self) -> bool:
        """Whether anybody can see the table: nothing is done for one that is hidden."""
        return (
            self.is_attached
            and self.screen.is_current
            and all(node.display for node in self.ancestors_with_self if isinstance(node, Widget))
        )

    @property
    def _body(self) -> int:
        """How many rows fit."""
        return max(0, self.size.height - HEADER)

    def render_line(self, y: int) -> Strip:
        """The line at `y`, 0 being the header."""
        return self.render_lines(Region(0, y, self.size.width, 1))[0]

    def render_lines(self, crop: Region) -> list[Strip]:
        """The finished lines; they need nothing of what Textual's styles cache adds."""
        width, height = self.size
        if self._painted_for != (width, height, palette_of(self.app)):
            self._build_all()
        self.shown_again()
        lines = self._lines[crop.y : crop.bottom]
        if crop.x == 0 and crop.width == width:
            return [*lines]
        return [line.crop(crop.x, crop.right) for line in lines]

    def _build_all(self) -> None:
        """Build all lines anew; the caller shows them."""
        width, height = self.size
        palette = palette_of(self.app)
        filters = [
            line_filter for line_filter in self.get_line_filters() if not isinstance(line_filter, ANSIToTruecolor)
        ]
        if self._painted_for is None or self._painted_for[0] != width:
            self._widths.forget(self._model.sort.column if self._model.sort else "")
        self._painted_for = (width, height, palette)
        self._painter = RowPainter(styles_of(palette), filters, width)
        self._keys = [None] * self._body
        blank = self._painter.words("")
        self._lines = [blank] * height
        self._find_top()
        self._height_before = self._body
        for y, line in self._build(range(height)).items():
            self._lines[y] = line

    def _find_top(self) -> None:
        """After the height changed: keep the cursor on the screen."""
        model, body = self._model, self._body
        if self._top <= model.cursor_index < self._top + self._height_before:
            self._top = max(self._top, model.cursor_index - body + 1)
        self._top = max(0, min(self._top, len(model) - body))

    def _paint(self, ys: Iterable[int] | None = None) -> None:
        """Repaint those of these lines, of all when None, that look different now."""
        if self._painted_for is None or not self.awake:
            self._painted_for = None
            return
        if self._painted_for[:2] != self.size:
            return
        width, height = self.size
        different = []
        for y, line in self._build(range(height) if ys is None else ys).items():
            if line != self._lines[y]:
                self._lines[y] = line
                different.append(y)
        if len(different) == height:
            self.refresh()
        elif different:
            self.refresh(*(Region(0, y, width, 1) for y in different))

    def _build(self, ys: Iterable[int]) -> dict[int, Strip]:
        """Build lines; all of them when their cells need wider columns."""
        if self._widths.grown:
            self._sample()
            ys = range(self.size.height)
        lines = {y: self._line(y) for y in ys}
        while self._widths.grown:
            before, layout = self._layout_now, self._arrange()
            if layout == before:
                break
            lines = {y: self._line(y) for y in range(self.size.height)}
        return lines

    def _arrange(self) -> Layout:
        self._layout_now = self._widths.arrange(max(1, self.size.width - GUTTER - MARGIN), self._skipped)
        return self._layout_now

    def _sample(self) -> None:
        """Measure some rows of all the table, so that scrolling does not move columns much."""
        model, widths, now = self._model, self._widths, self.clock()
        rows = [model.row_at(index) for index in range(0, len(model), max(1, len(model) // _SAMPLE))]
        for row in (*rows, *model.window(self._top, self._body)):
            if row is not None:
                for index, column in enumerate(widths.columns):
                    widths.see(index, steady(column.cell(row, now, model.joined)))
        self._arrange()

    def _line(self, y: int) -> Strip:
        painter, model = self._painter, self._model
        if y < HEADER:
            return painter.header(self._layout_now, model.sort)
        index = self._top + y - HEADER
        row = model.row_at(index) if index < len(model) else None
        self._keys[y - HEADER] = None if row is None else row.key
        if row is None:
            self._young.discard(y)
            return self._words_line(y - HEADER) if not len(model) else painter.words("")
        return painter.row(self._cells(y, row), self._layout_now, self._painted(index, row), model.filter)

    def _cells(self, y: int, row: Row) -> list[tuple[str, Tone]]:
        model, widths, now = self._model, self._widths, self.clock()
        cells, young = [], False
        for slot in self._layout_now.slots:
            text = steady(slot.column.cell(row, now, model.joined))
            widths.see(slot.index, text)
            cells.append((text, slot.column.tone_of(row, model.joined) if slot.toned else Tone.PLAIN))
            young = young or (slot.column.ticks and _YOUNG.search(text) is not None)
        for index in sorted(widths.silent):
            widths.see(index, steady(widths.columns[index].cell(row, now, model.joined)))
        (self._young.add if young else self._young.discard)(y)
        return cells

    def _painted(self, index: int, row: Row) -> Painted:
        related = row.key in self._related
        look = Look.RELATED if related else Look.PLAIN
        if index == self._model.cursor_index:
            if self.has_focus:
                look = Look.CURSOR
            elif self._keeps_cursor:
                look = Look.IDLE_CURSOR
        return Painted(look, related, self._model.is_marked(row), row.remembered)

    def _words_line(self, line: int) -> Strip:
        room = max(1, self.size.width - GUTTER - MARGIN)
        wrapped = [(part, place) for place, words in enumerate(self._words) for part in _wrap(words, room)]
        # An empty line sets the words apart from the header.
        if not 0 < line <= len(wrapped):
            return self._painter.words("")
        text, place = wrapped[line - 1]
        return self._painter.words(text, self._words_tone if place == 0 else Tone.PLAIN)

    def _lines_of(self, keys: Collection[ObjectKey]) -> list[int]:
        return [y for y, key in enumerate(self._keys, HEADER) if key is not None and key in keys]

    def _line_of(self, index: int) -> int | None:
        y = index - self._top
        return y + HEADER if 0 <= y < self._body else None

    def _paint_cursor(self) -> None:
        if (y := self._line_of(self._model.cursor_index)) is not None:
            self._paint([y])
        self._place_hardware_cursor()

    def _place_hardware_cursor(self) -> None:
        """Put the terminal's own cursor on the row, where screen readers and magnifiers look for it."""
        if self.has_focus and self.region:
            line = min(max(self._model.cursor_index - self._top, 0), max(self._body - 1, 0))
            self.app.cursor_position = self.region.offset + Offset(GUTTER, HEADER + line)


def _wrap(text: str, width: int) -> list[str]:
    """Break a sentence into lines at its blanks."""
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line]
