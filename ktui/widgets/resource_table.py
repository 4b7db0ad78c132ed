"""ResourceTable: live rows with a cursor, drawn line by line.

Everything that may change what is seen ends in `_paint`, which builds the lines in question and repaints those that
look different from before. So a changed row writes one line to the terminal, an unseen one nothing, and an idle table
nothing.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events, work
from textual.binding import Binding, BindingType
from textual.filter import ANSIToTruecolor
from textual.geometry import Offset, Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from ktui.kinds.column import Column
from ktui.kinds.names import ObjectKey
from ktui.kinds.row import Row
from ktui.kinds.tone import Tone
from ktui.widgets.cells import steady
from ktui.widgets.column_layout import ColumnWidths, Layout
from ktui.widgets.line import Line
from ktui.widgets.palette import Look, Palette, palette_of, styles_of
from ktui.widgets.row_painter import GUTTER, MARGIN, Painted, RowPainter
from ktui.widgets.table_model import TableModel

PACE = 0.1
"""Seconds between two paints under load; after quiet a change is painted at once."""

OLD_AGES_EVERY = 30.0
"""Seconds between two looks at ages of more than two minutes."""

HEADER = 1
_WHEEL = 3
_SAMPLE = 100
# An age that counts seconds alone, `45s`, is below two minutes (HumanDuration); `3m20s` is above.
_YOUNG = re.compile(r"(?<![0-9m])[0-9]+s\b")


@dataclass(frozen=True, slots=True)
class Counts:
    """What a title says of a table, and a scrollbar.

    Attributes:
        shown, total: rows that are shown, and that there are.
        failed, warning: rows in trouble, shown or not.
        top, height: the first row on the screen, and how many fit on it.
    """

    shown: int = 0
    total: int = 0
    failed: int = 0
    warning: int = 0
    top: int = 0
    height: int = 0


class ResourceTable(Widget, can_focus=True):
    """A table of live rows.

    Not a ScrollView: the header stands still, changing the number of rows must not lay out the screen, and the
    scrollbar is drawn by the pane's frame.

    Args:
        model: the rows.
        clock: seconds since 1970, for ages.
        id: the widget's id.

    Attributes:
        counts: what the frame says about it.
    """

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("home,g", "edge(False)", "First row", show=False),
        Binding("end,G", "edge(True)", "Last row", show=False),
        Binding("right", "sideways(1)", "More columns", show=False),
        Binding("left", "sideways(-1)", "Fewer columns", show=False),
        Binding("space", "mark", "Mark", show=False),
        Binding("enter", "choose", "Choose", show=False),
    ]
    DEFAULT_CSS = "ResourceTable { width: 1fr; height: 1fr; background: $background; }"

    class Highlighted(Message):
        """The cursor stands on another row.

        Attributes:
            table: where.
            row: the row, or None when none is shown.
        """

        def __init__(self, table: ResourceTable, row: Row | None) -> None:
            super().__init__()
            self.table, self.row = table, row

        @property
        def control(self) -> ResourceTable:
            """The table."""
            return self.table

    class Chosen(Message):
        """Enter was pressed on a row, or it was clicked twice.

        Attributes:
            table: where.
            row: the row.
        """

        def __init__(self, table: ResourceTable, row: Row) -> None:
            super().__init__()
            self.table, self.row = table, row

        @property
        def control(self) -> ResourceTable:
            """The table."""
            return self.table

    class Counted(Message):
        """What a frame says about the table has changed.

        Attributes:
            table: which.
            counts: what is the case now.
        """

        def __init__(self, table: ResourceTable, counts: Counts) -> None:
            super().__init__()
            self.table, self.counts = table, counts

        @property
        def control(self) -> ResourceTable:
            """The table."""
            return self.table

    def __init__(self, model: TableModel, *, clock: Callable[[], float] = time.time, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.clock = clock
        self._keeps_cursor = False
        self.counts = Counts()
        self._related: frozenset[ObjectKey] = frozenset()
        self._words: tuple[str, ...] = ()
        self._words_tone = Tone.PLAIN
        self._top = 0
        self._skipped = 0
        # What is on the screen: lines, and the keys of the rows below the header.
        self._lines: list[Line] = []
        self._keys: list[ObjectKey | None] = []
        self._young: set[int] = set()
        self._painted_for: tuple[int, int, Palette] | None = None
        self._old_ages_at = 0
        self._highlighted: tuple[ObjectKey, str] | None = None
        # Drained and not yet painted.
        self._moved = False
        self._changed: set[ObjectKey] = set()
        self._due = False
        self._painted_at = 0.0
        self._layout_now = Layout()
        self._use(model)

    # -- what it shows -----------------------------------------------------------------------

    @property
    def model(self) -> TableModel:
        """The rows. Setting another one starts at its cursor; the old one is not closed."""
        return self._model

    @model.setter
    def model(self, model: TableModel) -> None:
        self._model.wake = None
        self._use(model)
        self._top = 0
        self._woken()
        self._reordered()

    def _use(self, model: TableModel) -> None:
        self._model = model
        self._widths = ColumnWidths(model.columns)
        self._skipped = 0
        model.wake = self._woken

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns; may be set when a joined kind turns out to be served."""
        return self._model.columns

    @columns.setter
    def columns(self, columns: Sequence[Column]) -> None:
        if tuple(columns) != self._model.columns:
            self._model.columns = tuple(columns)
            self._widths = ColumnWidths(columns)
            self._skipped = 0
            self._reordered()

    @property
    def row(self) -> Row | None:
        """The row under the cursor."""
        return self._model.cursor

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

    def settle(self) -> None:
        """All rows have landed: from now on the cursor stays on its row, wherever rows come and go."""
        self._model.hold_cursor()

    # -- narrowing and sorting ---------------------------------------------------------------

    @work(group="filter", exclusive=True)
    async def filter_by(self, text: str) -> None:
        """Show only rows with `text` in a cell."""
        if await self._model.filter_by(text):
            self._reordered()

    def narrow(self, keys: Iterable[ObjectKey] | None) -> None:
        """Show only the rows with these keys; all rows when it is None."""
        self._model.only = None if keys is None else frozenset(keys)
        self._reordered()

    @property
    def unhealthy_only(self) -> bool:
        """Whether only rows in trouble are shown."""
        return self._model.unhealthy_only

    @unhealthy_only.setter
    def unhealthy_only(self, value: bool) -> None:
        self._model.unhealthy_only = value
        self._reordered()

    def sort_by(self, name: str) -> None:
        """Sort by the column called `name`, the other way round when it is sorted by it already."""
        if self._model.column(name) is not None:
            self._model.sort_by(name)
            self._widths.forget(name)
            self._reordered()

    def _reordered(self) -> None:
        self._moved = True
        self._catch_up()

    # -- changes -----------------------------------------------------------------------------

    @property
    def awake(self) -> bool:
        """Whether anybody can see the table: nothing is done for one that is hidden."""
        return (
            self.is_attached
            and self.screen.is_current
            and all(node.display for node in self.ancestors_with_self if isinstance(node, Widget))
        )

    def _woken(self) -> None:
        # The store calls in the middle of a page; what there is to see is looked at when it has landed.
        if not self._due and self.awake:
            self._schedule()

    def _schedule(self) -> None:
        self._due = True
        wait = self._painted_at + PACE - time.monotonic()
        if wait > 0:
            self.set_timer(wait, self._catch_up)
        else:
            self.call_next(self._catch_up)

    def _catch_up(self) -> None:
        """Take over what changed, and paint it."""
        self._due = False
        if not self.awake:
            return
        delta = self._model.drain()
        self._moved |= delta.order_changed
        self._changed |= delta.rows
        if self._model.unfinished:
            self._due = True
            self.call_later(self._catch_up)
            if time.monotonic() - self._painted_at < PACE:
                return
        self._painted_at = time.monotonic()
        moved, self._moved = self._moved, False
        changed, self._changed = self._changed, set()
        if moved:
            self._find_place()
            self._paint()
        elif changed:
            self._paint(self._lines_of(changed))
        self._tell(moved)

    def _find_place(self) -> None:
        """Scroll so that what the person looks at stays where it is: the cursor's row, else the first that is left."""
        model, body = self._model, self._body
        if model.cursor_follows_top:
            self._top = 0
            return
        seen = [(y, key) for y, key in enumerate(self._keys) if key is not None]
        cursor = model.cursor
        if cursor is not None:
            seen.sort(key=lambda line: line[1] != cursor.key)
        for y, key in seen:
            if (index := model.index_of(key)) is not None:
                self._top = index - y
                break
        self._top = max(0, min(self._top, len(model) - body))

    def _tell(self, narrowed_anew: bool = False) -> None:
        """Tell the screen and the frame what has changed."""
        model, row = self._model, self._model.cursor
        highlighted = None if row is None else (row.key, row.uid)
        if highlighted != self._highlighted:
            self._highlighted = highlighted
            self.post_message(self.Highlighted(self, row))
        counts = Counts(len(model), model.total, model.failed, model.warning, self._top, self._body)
        if counts != self.counts or narrowed_anew:
            self.counts = counts
            self.post_message(self.Counted(self, counts))
        self._place_hardware_cursor()

    def _place_hardware_cursor(self) -> None:
        """Put the terminal's own cursor on the row, where screen readers and magnifiers look for it."""
        if self.has_focus and self.region:
            line = min(max(self._model.cursor_index - self._top, 0), max(self._body - 1, 0))
            self.app.cursor_position = self.region.offset + Offset(GUTTER, HEADER + line)

    # -- time --------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Ages tick; and what was there before is looked at."""
        self.set_interval(1.0, self.tick)
        self._catch_up()

    def tick(self) -> None:
        """A second has passed: repaint ages that read differently now."""
        if not self.awake:
            # The frame of a collapsed table still counts its rows.
            if self.is_attached and self.screen.is_current and self._model.unfinished:
                delta = self._model.drain()
                self._moved |= delta.order_changed
                self._changed |= delta.rows
                self._tell()
            return
        half_minute = int(self.clock() // OLD_AGES_EVERY)
        if half_minute != self._old_ages_at:
            self._old_ages_at = half_minute
            if any(slot.column.ticks for slot in self._layout_now.slots):
                self._paint(range(HEADER, len(self._lines)))
        elif self._young:
            self._paint(sorted(self._young))

    # -- painting ----------------------------------------------------------------------------

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
            self.call_next(self._tell)
        if self._model.unfinished and not self._due:
            # Somebody looks again: its screen is back.
            self._schedule()
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
        for y, line in self._build(range(height)).items():
            self._lines[y] = line

    def _find_top(self) -> None:
        """After the height changed: keep the cursor on the screen."""
        model, body = self._model, self._body
        if self._top <= model.cursor_index < self._top + self.counts.height:
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

    def _build(self, ys: Iterable[int]) -> dict[int, Line]:
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

    def _line(self, y: int) -> Line:
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
            cells.append((text, slot.column.tone_of(row) if slot.toned else Tone.PLAIN))
            young = young or (slot.column.ticks and _YOUNG.search(text) is not None)
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
        return Painted(look, related, self._model.is_marked(row))

    def _words_line(self, line: int) -> Line:
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

    # -- moving ------------------------------------------------------------------------------

    def move_cursor(self, index: int) -> None:
        """Put the cursor on the shown row at `index`, and scroll until it is seen."""
        model, body = self._model, self._body
        before = model.cursor_index
        model.move_cursor(index)
        index = model.cursor_index
        top = self._top
        if index < top:
            self._top = max(0, index)
        elif body and index >= top + body:
            self._top = index - body + 1
        if self._top != top:
            self._paint()
        else:
            self._paint([y for at in {before, index} if (y := self._line_of(at)) is not None])
        self._tell()

    def scroll_rows(self, by: int) -> None:
        """Scroll without moving the cursor.

        Args:
            by: rows, downwards when positive.
        """
        top = max(0, min(self._top + by, len(self._model) - self._body))
        if top != self._top:
            self._model.hold_cursor()
            self._top = top
            self._paint()
            self._tell()

    def action_move(self, by: int) -> None:
        """Move the cursor by rows."""
        self.move_cursor(self._model.cursor_index + by)

    def action_page(self, by: int) -> None:
        """Move the cursor by pages; one row stays in sight."""
        step = by * max(1, self._body - 1)
        self._top = max(0, min(self._top + step, len(self._model) - self._body))
        self._paint()
        self.move_cursor(self._model.cursor_index + step)

    def action_edge(self, last: bool) -> None:
        """Move the cursor to the first or the last row."""
        self.move_cursor(len(self._model) - 1 if last else 0)

    def action_sideways(self, by: int) -> None:
        """Show columns further to the right, or back to the left; the name stays."""
        if by > 0 and not self._layout_now.more_right:
            return
        skipped = max(0, self._skipped + by)
        if skipped != self._skipped:
            self._skipped = skipped
            self._arrange()
            self._paint()

    def action_mark(self) -> None:
        """Mark the row under the cursor, or take its mark away, and go on to the next."""
        if (row := self._model.cursor) is not None:
            self._model.toggle_mark(row)
            self._paint(self._lines_of({row.key}))
            self.action_move(1)

    def clear_marks(self) -> None:
        """Take all marks away."""
        self._model.clear_marks()
        self._paint()

    def action_choose(self) -> None:
        """Tell that the row under the cursor was chosen."""
        if (row := self._model.cursor) is not None:
            self.post_message(self.Chosen(self, row))

    # -- the pointer -------------------------------------------------------------------------

    def on_click(self, event: events.Click) -> None:
        """Sort by a column's name, put the cursor on a row, choose a row that is clicked twice."""
        if event.y < HEADER:
            if (column := self._layout_now.column_at(event.x - GUTTER)) is not None:
                self.sort_by(column.name)
            return
        index = self._top + event.y - HEADER
        if index < len(self._model):
            self.move_cursor(index)
            if event.chain == 2:
                self.action_choose()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll; sideways with shift."""
        self._wheel(event, 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll; sideways with shift."""
        self._wheel(event, -1)

    def on_mouse_scroll_right(self, event: events.MouseScrollRight) -> None:
        """Show more columns."""
        event.stop()
        self.action_sideways(1)

    def on_mouse_scroll_left(self, event: events.MouseScrollLeft) -> None:
        """Show fewer columns."""
        event.stop()
        self.action_sideways(-1)

    def _wheel(self, event: events.MouseEvent, by: int) -> None:
        event.stop()
        if event.shift:
            self.action_sideways(by)
        else:
            self.scroll_rows(by * _WHEEL)

    # -- being seen --------------------------------------------------------------------------

    def on_focus(self, event: events.Focus) -> None:
        """The cursor lights up."""
        self._take_focus(event, True)

    def on_blur(self, event: events.Blur) -> None:
        """The cursor goes out, or dims."""
        self._take_focus(event, False)

    def _take_focus(self, event: events.Event, focused: bool) -> None:
        # Textual's own answer to this event does the same, and repaints all lines.
        event.prevent_default()
        self.has_focus = focused
        if self.parent is not None:
            descendant = events.DescendantFocus if focused else events.DescendantBlur
            self.parent.post_message(descendant(self))
        self._paint_cursor()

    def _paint_cursor(self) -> None:
        if (y := self._line_of(self._model.cursor_index)) is not None:
            self._paint([y])
        self._place_hardware_cursor()

    def on_show(self) -> None:
        """Catch up with what happened while it was hidden."""
        self._catch_up()

    def on_resize(self) -> None:
        """Tell the frame how many rows fit now."""
        self._tell()


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
