"""ResourceTable: live rows with a cursor."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from textual import events, work
from textual.binding import Binding, BindingType
from textual.message import Message

from ktui.kinds.column import Column
from ktui.kinds.names import ObjectKey
from ktui.kinds.row import Row
from ktui.widgets.column_layout import ColumnWidths
from ktui.widgets.row_painter import GUTTER
from ktui.widgets.table_lines import HEADER, TableLines
from ktui.widgets.table_model import TableModel

PACE = 0.1
"""Seconds between two paints under load; after quiet a change is painted at once."""

OLD_AGES_EVERY = 30.0
"""Seconds between two looks at ages of more than two minutes."""

_WHEEL = 3


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


class ResourceTable(TableLines, can_focus=True):
    """A table of live rows.

    Args:
        model: the rows.
        clock: seconds since 1970, for ages.
        id: the widget's id.

    Attributes:
        counts: what the frame says about it.
        counted: called when these have changed. Synchronously, as messages come too late to be painted in one frame.
        highlighted: called, in the same way, when the cursor stands on another row.
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

    def __init__(self, model: TableModel, *, clock: Callable[[], float] = time.time, id: str | None = None) -> None:  # noqa: A002
        super().__init__(model, clock=clock, id=id)
        self.counts = Counts()
        self.counted: Callable[[], None] = _nothing
        self.highlighted: Callable[[], None] = _nothing
        self._old_ages_at = 0
        self._highlighted: tuple[ObjectKey, str] | None = None
        # Drained and not yet painted.
        self._moved = False
        self._changed: set[ObjectKey] = set()
        self._due = False
        self._painted_at = 0.0
        # Whether all rows have landed, and whether columns must be measured since.
        self._settled = self._measure = False
        model.wake = self._woken

    # -- what it shows -----------------------------------------------------------------------

    @property
    def model(self) -> TableModel:
        """The rows. Setting another one starts at its cursor; the old one is not closed."""
        return self._model

    @model.setter
    def model(self, model: TableModel) -> None:
        self._model.wake = None
        model.wake = self._woken
        self._model = model
        self._widths = ColumnWidths(model.columns)
        self._top = self._skipped = 0
        self._settled = False
        self._reordered()

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
    def keys_in_sight(self) -> list[ObjectKey]:
        """The keys of the rows on the screen."""
        return [key for key in self._keys if key is not None]

    def settle(self) -> None:
        """All rows have landed: from now on the cursor stays on its row, wherever rows come and go."""
        self._model.hold_cursor()
        if not self._settled:
            self._settled = self._measure = True
            self._reordered()

    # -- narrowing and sorting ---------------------------------------------------------------

    @work(group="read", exclusive=True)
    async def read_ahead(self) -> None:
        """Read what a filter will look at, while the person begins to type."""
        await self._model.read_ahead()

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
        if value != self._model.unhealthy_only:
            self._model.unhealthy_only = value
            self._reordered()

    def sort_by(self, name: str) -> None:
        """Sort by the column called `name`, the other way round when it is sorted by it already."""
        if self._model.column(name) is None:
            return
        if self._model.sorts_at_once:
            self._model.sort_by(name)
            self._sorted(name)
        else:
            self._sort_soon(name)

    @work(group="sort", exclusive=True)
    async def _sort_soon(self, name: str) -> None:
        if await self._model.sort_soon(name):
            self._sorted(name)

    def _sorted(self, name: str) -> None:
        self._widths.forget(name)
        self._reordered()

    def _reordered(self) -> None:
        self._moved = True
        self._catch_up()

    # -- changes -----------------------------------------------------------------------------

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
            if self._moved:
                self._tell(True)
            return
        delta = self._model.drain()
        self._moved |= delta.order_changed
        self._changed |= delta.rows
        if self._model.unfinished:
            self._due = True
            self.call_later(self._catch_up)
            if time.monotonic() - self._painted_at < PACE:
                return
        elif self._measure:
            self._measure, self._widths.grown = False, True
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
            self.highlighted()
        counts = Counts(len(model), model.total, model.failed, model.warning, self._top, self._body)
        if counts != self.counts or narrowed_anew:
            self.counts = counts
            self.counted()
        self._place_hardware_cursor()

    # -- time --------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Ages tick; and what was there before is looked at."""
        self._old_ages_at = int(self.clock() // OLD_AGES_EVERY)
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

    def focus(self, scroll_visible: bool = True) -> Self:
        """Take the keyboard. Textual's own way repaints all lines first."""
        self.app.call_later(self.screen.set_focus, self, scroll_visible)
        return self

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

    def on_show(self) -> None:
        """Catch up with what happened while it was hidden."""
        self._catch_up()

    def shown_again(self) -> None:
        """Catch up with what happened while another screen was shown."""
        if self._model.unfinished and not self._due:
            self._schedule()

    def on_resize(self) -> None:
        """Tell the frame how many rows fit now, and which."""
        self.call_after_refresh(self._tell)


def _nothing() -> None:
    """What is called while nobody frames the table."""
