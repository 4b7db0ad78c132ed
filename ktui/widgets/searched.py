"""Searched: the text of each row that a filter looks at, read once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from ktui.kinds.column import Column, Joined, KeyColumn
from ktui.kinds.names import ObjectKey
from ktui.kinds.row import Row
from ktui.widgets.table_filter import BETWEEN_CELLS, Filter


def _nothing(cells: Any) -> tuple[str, ...]:
    return ()


class Searched:
    """The cells of rows in lower case, but for those that change as time passes.

    What another kind knows of a row without object is left out, as it is known for the rows in sight only.

    Args:
        columns: of the table.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = [column for column in columns if not column.ticks]
        self._namespace = any(isinstance(column, KeyColumn) and column.part == 0 for column in columns)
        # One more than there are, so that what is picked is a tuple also of a single cell.
        places = [column.server for column in self._columns if column.server >= 0]
        self._pick: Callable[[Any], Any] = itemgetter(*places, places[0]) if places else _nothing
        self._texts: dict[ObjectKey, str] = {}
        # What changed since its text was read, or came when others had been read.
        self._changed: set[ObjectKey] = set()

    def read(self, rows: Iterable[Row], joined: Joined) -> None:
        """Read rows that have not been read yet.

        Args:
            rows: those of them that have been read cost nothing.
            joined: what other kinds know about them.
        """
        unread = [row for row in rows if row.key not in self._texts]
        bare = [row for row in unread if row.object is None and row.cells is not None]
        try:
            # In C, as there may be a hundred thousand.
            cells = map(self._pick, [row.cells for row in bare])
            texts = list(map(str.lower, map(BETWEEN_CELLS.join, cells)))
        except (TypeError, IndexError):
            # Numbers among the cells, or a row that is shorter than its table.
            bare, texts = [], []
        if self._namespace:
            texts = [f"{row.key.namespace.lower()}{BETWEEN_CELLS}{text}" for row, text in zip(bare, texts, strict=True)]
        self._texts.update(zip([row.key for row in bare], texts, strict=True))
        if len(bare) < len(unread):
            for row in unread:
                self.text(row, joined)

    def forget(self, keys: Iterable[ObjectKey]) -> None:
        """Read these rows anew when they are looked at again."""
        if self._texts:
            for key in keys:
                self._texts.pop(key, None)
                self._changed.add(key)

    def text(self, row: Row, joined: Joined) -> str:
        """What a filter sees of a row."""
        if (text := self._texts.get(row.key)) is None:
            cells = (column.cell(row, 0, joined) for column in self._columns)
            text = self._texts[row.key] = BETWEEN_CELLS.join(cells).lower()
        return text

    def matching(self, found: Filter, rows: Mapping[ObjectKey, Row], joined: Joined) -> list[ObjectKey]:
        """Which rows match, in the order in which they were read.

        Args:
            found: what to look for.
            rows: all rows; they have been read, but for those that changed since.
            joined: what other kinds know about them.
        """
        for key in self._changed:
            # It may have been read as it was before.
            self._texts.pop(key, None)
        self.read([rows[key] for key in self._changed if key in rows], joined)
        self._changed.clear()
        needle = found.text.lower()
        return [key for key, text in self._texts.items() if needle in text]
