"""TableModel: which rows of a store a table shows, in which order, where its cursor is and what is marked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from time import perf_counter

from ktui.kinds.column import Column, Joined, nothing_joined
from ktui.kinds.names import ObjectKey
from ktui.kinds.row import Row
from ktui.kinds.tone import Tone
from ktui.kube.store import Store
from ktui.widgets.row_order import Moves, Place, RowOrder
from ktui.widgets.searched import Searched
from ktui.widgets.sort import Sort
from ktui.widgets.table_filter import Filter

SLICE = 0.008
"""Seconds of work between two looks at the event loop."""

_LOOK_AT_CLOCK_EVERY = 128
# Rows that are judged and placed together: a few milliseconds.
_BATCH = 2000
# Rows whose order is found at once; more of them in slices.
_SORTED_AT_ONCE = 4000


@dataclass(frozen=True, slots=True)
class Delta:
    """What a drain changed.

    Attributes:
        order_changed: whether rows came, went or moved.
        rows: keys of shown rows that changed where they are.
    """

    order_changed: bool = False
    rows: set[ObjectKey] = field(default_factory=set)


class TableModel:
    """The rows of a store as a table shows them. Knows nothing of terminals.

    The store's changes are taken over only when `drain` is called, so a table that nobody sees costs nothing. The order
    is kept by bisection: a change costs the same in ten rows as in ten thousand.

    Args:
        store: whose rows.
        columns: what is shown of them, which is also what the filter searches and what can be sorted by.
        joined: what other kinds know about a row.
        wake: called, synchronously, when there is something to drain.

    Attributes:
        wake: as above; may be set later.
        joined: as above.
        failed, warning: how many rows of the store are in trouble, whether they are shown or not.
    """

    def __init__(
        self,
        store: Store,
        columns: Sequence[Column],
        *,
        joined: Joined = nothing_joined,
        wake: Callable[[], None] | None = None,
    ) -> None:
        self.store = store
        self.wake = wake
        self.failed = self.warning = 0
        self._columns = tuple(columns)
        self.joined = joined
        self._changes = store.subscribe(self._woken)
        # Keys that were taken from the store and still wait their turn.
        self._pending: dict[ObjectKey, None] = dict.fromkeys(store.rows)
        self._order = RowOrder()
        # The order of all rows, kept while only some of them are shown, so that widening takes no time.
        self._all: RowOrder | None = self._order
        self._searched = Searched(self._columns)
        self._unhealthy: dict[ObjectKey, Tone] = {}
        self._marks: dict[ObjectKey, str] = {}
        self._filter = self._wanted_filter = Filter()
        self._sort: Sort | None = None
        self._sort_column: Column | None = None
        self._only: frozenset[ObjectKey] | None = None
        self._unhealthy_only = False
        self._cursor: ObjectKey | None = None
        self._cursor_index = -1
        self._cursor_place: Place = None
        self._cursor_follows_top = True
        # Which call brings rows into order in slices now, if any, and what was taken over since it began.
        self._sorting: object | None = None
        self._taken: set[ObjectKey] = set()

    def close(self) -> None:
        """Look at the store no longer."""
        self._changes.close()

    # -- what is shown -----------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._order)

    @property
    def total(self) -> int:
        """The rows in the store, shown or not."""
        return len(self.store.rows)

    @property
    def narrowed(self) -> bool:
        """Whether anything hides rows: a filter, `only`, or `unhealthy_only`."""
        return bool(self._filter) or self._only is not None or self._unhealthy_only

    def key_at(self, index: int) -> ObjectKey:
        """The key of the shown row at `index`."""
        return self._order.key_at(index)

    def row_at(self, index: int) -> Row | None:
        """The shown row at `index`, or None when the store has dropped it since the last drain."""
        return self.store.rows.get(self.key_at(index))

    def index_of(self, key: ObjectKey) -> int | None:
        """Where the row with `key` is shown; None when it is not."""
        return self._order.index_of(key)

    def shown_keys(self) -> set[ObjectKey]:
        """The keys of all shown rows."""
        return set(self._order.places)

    def window(self, top: int, height: int) -> list[Row]:
        """The rows that are shown from `top` on, at most `height` of them."""
        rows = self.store.rows
        return [row for key in self._order.keys(max(0, top), top + height) if (row := rows.get(key)) is not None]

    # -- what decides it ---------------------------------------------------------------------

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns; setting them searches and sorts anew."""
        return self._columns

    @columns.setter
    def columns(self, columns: Sequence[Column]) -> None:
        self._columns = tuple(columns)
        self._searched = Searched(self._columns)
        if self._filter:
            self._searched.read(self.store.rows.values(), self.joined)
        if self._sort is not None:
            self._choose(self._sort)
        self._rebuild()
        # A column that came or went may tell how well rows are.
        self.touch(self.store.rows)

    def column(self, name: str) -> Column | None:
        """The column called `name`, if there is one."""
        return next((column for column in self._columns if column.name == name), None)

    @property
    def sort(self) -> Sort | None:
        """The chosen order; None for namespace and name, which is kubectl's."""
        return self._sort

    @sort.setter
    def sort(self, sort: Sort | None) -> None:
        self._choose(sort)
        self._rebuild()

    def sort_by(self, name: str) -> None:
        """Sort by the column called `name`, and the other way round when it is already sorted by it."""
        self.sort = self._sort_by(name)

    @property
    def sorts_at_once(self) -> bool:
        """Whether there are so few rows that `sort_by` takes no time to speak of."""
        return len(self.store) <= _SORTED_AT_ONCE

    async def sort_soon(self, name: str) -> bool:
        """As `sort_by`, in slices for many rows; a later call overtakes it.

        Returns:
            Whether this order came into force, and was not overtaken.
        """
        if (column := self.column(name)) is None:
            return False
        mine = self._sorting = object()
        self._taken.clear()
        sort = self._sort_by(name)
        places = await self._placed_in_slices(sort, column, lambda: self._sorting is not mine)
        if places is None:
            return False
        self._choose(sort)
        # The rows that came or changed meanwhile are placed now.
        for key in self._taken & places.keys():
            del places[key]
        self._sorting = None
        self._rebuild(places)
        return True

    async def _placed_in_slices(
        self, sort: Sort, column: Column, overtaken: Callable[[], bool]
    ) -> dict[ObjectKey, Place] | None:
        rows = self.store.rows
        places: dict[ObjectKey, Place] = {}
        waiting = list(rows)
        for start in range(0, len(waiting), _BATCH):
            batch = waiting[start : start + _BATCH]
            # Orderly runs are merged in no time when all are sorted.
            found = [row for key in batch if (row := rows.get(key)) is not None]
            some = sorted(sort.place(row, column, self.joined) for row in found)
            places.update((place[-1], place) for place in some)
            await asyncio.sleep(0)
            if overtaken():
                return None
        return places

    def _sort_by(self, name: str) -> Sort:
        again = self._sort is not None and self._sort.column == name and not self._sort.descending
        return Sort(name, descending=again)

    def _choose(self, sort: Sort | None) -> None:
        column = None if sort is None else self.column(sort.column)
        self._sort, self._sort_column = (None, None) if column is None else (sort, column)
        self._all = None

    @property
    def only(self) -> frozenset[ObjectKey] | None:
        """The only rows that may be shown, such as those related to an object; None for all."""
        return self._only

    @only.setter
    def only(self, keys: Iterable[ObjectKey] | None) -> None:
        only = None if keys is None else frozenset(keys)
        if only != self._only:
            self._only = only
            self._rebuild()

    @property
    def unhealthy_only(self) -> bool:
        """Whether only rows in trouble are shown."""
        return self._unhealthy_only

    @unhealthy_only.setter
    def unhealthy_only(self, value: bool) -> None:
        if value != self._unhealthy_only:
            self._unhealthy_only = value
            self._rebuild()

    @property
    def filter(self) -> Filter:
        """The filter that is in force."""
        return self._filter

    async def filter_by(self, text: str) -> bool:
        """Show only rows that contain `text` in a cell other than an age.

        The first filter reads every row's cells; it does so in slices, and a later call overtakes it.

        Returns:
            Whether this filter came into force, and was not overtaken.
        """
        wanted = self._wanted_filter = Filter(text)
        if wanted and not await self._read_rows(lambda: self._wanted_filter is not wanted):
            return False
        self._filter = wanted
        self._rebuild()
        return True

    async def read_ahead(self) -> None:
        """Read what a filter will look at, while the person begins to type."""
        await self._read_rows(lambda: bool(self._wanted_filter))

    async def _read_rows(self, overtaken: Callable[[], bool]) -> bool:
        """Read all rows' cells in slices; whether it came to its end."""
        rows = list(self.store.rows.values())
        started = perf_counter()
        for start in range(0, len(rows), _LOOK_AT_CLOCK_EVERY):
            self._searched.read(rows[start : start + _LOOK_AT_CLOCK_EVERY], self.joined)
            if perf_counter() - started > SLICE:
                await asyncio.sleep(0)
                started = perf_counter()
                if overtaken():
                    return False
        return True

    def match_spans(self, text: str) -> list[tuple[int, int]]:
        """Where the filter in force matches a cell."""
        return self._filter.spans(text) if self._filter else []

    # -- changes -----------------------------------------------------------------------------

    @property
    def unfinished(self) -> bool:
        """Whether there is something to drain."""
        return bool(self._pending or self._changes.keys)

    def touch(self, keys: Iterable[ObjectKey]) -> None:
        """Note that a joined kind knows something new about the rows with `keys`."""
        quiet = not self.unfinished
        self._pending.update(dict.fromkeys(keys))
        if quiet and self._pending:
            self._woken()

    def drain(self) -> Delta:
        """Take over what changed in the store.

        Works for `SLICE` seconds at most; `unfinished` tells whether there is more.
        """
        self._pending.update(dict.fromkeys(self._changes.drain()))
        moves, moves_of_all = Moves(), Moves()
        repaint: set[ObjectKey] = set()
        started, done = perf_counter(), self._take_fresh(moves, moves_of_all, repaint)
        for key in islice(self._pending, done, None):
            if done % _LOOK_AT_CLOCK_EVERY == 0 and perf_counter() - started > SLICE:
                break
            self._take(key, moves, moves_of_all, repaint)
            done += 1
        if done == len(self._pending):
            self._pending.clear()
        else:
            self._pending = dict.fromkeys(islice(self._pending, done, None))
        if self._all is not None and self._all is not self._order:
            self._all.move(moves_of_all)
        if not moves:
            return Delta(False, repaint)
        self._order.move(moves)
        self._settle()
        return Delta(True, repaint)

    def _take_fresh(self, moves: Moves, moves_of_all: Moves, repaint: set[ObjectKey]) -> int:
        """Take over the first of what is pending at once, where most of it is new and shown: pages that land.

        Returns:
            How many.
        """
        places, rows = self._order.places, self.store.rows
        if len(self._pending) < _LOOK_AT_CLOCK_EVERY or self.narrowed or self._sort is not None or self._marks:
            return 0
        batch = list(islice(self._pending, _BATCH))
        found = [row for key in batch if key not in places and (row := rows.get(key)) is not None]
        if len(found) < len(batch) - _LOOK_AT_CLOCK_EVERY:
            return 0
        for key, tone in self.store.kind.unhealthy(found, self.joined):
            if key not in self._unhealthy:
                self._unhealthy[key] = tone
                self._count(tone, 1)
        keys = [row.key for row in found]
        self._searched.forget(keys)
        places.update(zip(keys, keys, strict=True))
        moves.came += keys
        if len(found) < len(batch):
            for key in set(batch).difference(keys):
                self._take(key, moves, moves_of_all, repaint)
        return len(batch)

    def _take(self, key: ObjectKey, moves: Moves, moves_of_all: Moves, repaint: set[ObjectKey]) -> None:
        row = self.store.rows.get(key)
        self._searched.forget((key,))
        if self._sorting is not None:
            self._taken.add(key)
        self._judge(key, row)
        self._check_mark(key, row)
        place = None if row is None else self._place(row)
        if self._all is not None and self._all is not self._order:
            self._all.put(key, place, moves_of_all)
        shown = place if row is not None and self._shows(row) else None
        if not self._order.put(key, shown, moves) and shown is not None:
            repaint.add(key)

    def _rebuild(self, places: Mapping[ObjectKey, Place] | None = None) -> None:
        """Decide anew which of the known rows are shown, and in which order.

        Args:
            places: where rows stand in the chosen order, as far as that is known.
        """
        if not self.narrowed and self._all is not None:
            self._order = self._all
            self._find_cursor_place()
            return
        # The order of all may be another one than was shown until now.
        self._order = RowOrder()
        rows = self.store.rows
        shown: Iterable[ObjectKey] = rows
        if places is not None:
            shown = [*(key for key in places if key in rows), *(key for key in rows if key not in places)]
        if self._only is not None:
            shown = [key for key in self._only if key in rows]
        elif self._unhealthy_only:
            shown = [key for key in self._unhealthy if key in rows]
        if self._filter:
            matching = self._searched.matching(self._filter, rows, self.joined)
            chosen = rows if shown is rows else set(shown)
            shown = [key for key in matching if key in chosen]
        if self._only is not None and self._unhealthy_only:
            shown = [key for key in shown if key in self._unhealthy]
        # Some of them may still wait to be drained; that corrects whatever is not right about them yet.
        if self._sort_column is None:
            self._order.reset(shown, None)
        else:
            known = places or {}
            self._order.reset(shown, lambda key: known.get(key) or self._place(rows[key]))
        if not self.narrowed:
            self._all = self._order
        self._find_cursor_place()

    def _find_cursor_place(self) -> None:
        rows = self.store.rows
        if self._cursor is not None and (row_at_cursor := rows.get(self._cursor)) is not None:
            self._cursor_place = self._place(row_at_cursor)
        self._settle()

    def _shows(self, row: Row) -> bool:
        return (
            (self._only is None or row.key in self._only)
            and (not self._unhealthy_only or row.key in self._unhealthy)
            and (not self._filter or self._filter.matches(self._searched.text(row, self.joined)))
        )

    def _place(self, row: Row) -> Place:
        if self._sort is None or self._sort_column is None:
            return row.key
        return self._sort.place(row, self._sort_column, self.joined)

    def _judge(self, key: ObjectKey, row: Row | None) -> None:
        if (before := self._unhealthy.pop(key, None)) is not None:
            self._count(before, -1)
        for _, tone in self.store.kind.unhealthy((row,), self.joined) if row is not None else ():
            self._unhealthy[key] = tone
            self._count(tone, 1)

    def _count(self, tone: Tone, by: int) -> None:
        if tone is Tone.FAILED:
            self.failed += by
        else:
            self.warning += by

    def _woken(self) -> None:
        if self.wake is not None:
            self.wake()

    # -- the cursor --------------------------------------------------------------------------

    @property
    def cursor(self) -> Row | None:
        """The row under the cursor."""
        return self.store.rows.get(self._cursor) if self._order and self._cursor is not None else None

    @property
    def cursor_index(self) -> int:
        """Where the cursor is; -1 when no row is shown."""
        return self._cursor_index if self._order else -1

    @property
    def cursor_follows_top(self) -> bool:
        """Whether the cursor stays on the first row, because rows are still landing and nobody has moved it."""
        return self._cursor_follows_top

    def move_cursor(self, index: int) -> None:
        """Put the cursor on the shown row at `index`, or as near as there is one. From then on it follows its row."""
        self._cursor_follows_top = False
        if self._order:
            self._put_cursor(min(max(index, 0), len(self._order) - 1))

    def hold_cursor(self) -> None:
        """Let the cursor follow its row from now on: all rows have landed."""
        self._cursor_follows_top = False

    def _settle(self) -> None:
        """Find the cursor's row again; when it is not shown any more, take the row at its place."""
        if not self._order:
            return
        if self._cursor_follows_top or self._cursor is None:
            self._put_cursor(0)
        elif (index := self.index_of(self._cursor)) is not None:
            self._put_cursor(index)
        else:
            place, index = self._cursor_place, self._cursor_index
            # A place in another order than the present one says nothing.
            if isinstance(place, ObjectKey) == (self._sort is None):
                index = self._order.index_near(place)
            self._put_cursor(min(max(index, 0), len(self._order) - 1))

    def _put_cursor(self, index: int) -> None:
        self._cursor_index = index
        self._cursor = self._order.key_at(index)
        self._cursor_place = self._order.places[self._cursor]

    # -- marks -------------------------------------------------------------------------------

    @property
    def marked(self) -> list[Row]:
        """The marked rows, shown or not, by namespace and name."""
        return [row for key in sorted(self._marks) if (row := self.store.rows.get(key)) is not None]

    def is_marked(self, row: Row) -> bool:
        """Whether `row` is marked, and not another object of the same name."""
        return self._marks.get(row.key) == row.uid if self._marks else False

    def toggle_mark(self, row: Row) -> None:
        """Mark `row`, or take its mark away."""
        if self.is_marked(row):
            del self._marks[row.key]
        else:
            self._marks[row.key] = row.uid

    def clear_marks(self) -> None:
        """Take all marks away."""
        self._marks.clear()

    def _check_mark(self, key: ObjectKey, row: Row | None) -> None:
        uid = self._marks.get(key)
        if uid is None:
            return
        if row is None or (uid and row.uid and uid != row.uid):
            del self._marks[key]
        elif row.uid:
            # A row that was marked before its object was known.
            self._marks[key] = row.uid
