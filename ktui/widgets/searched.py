"""Searched: the text of each row that a filter looks at, read once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ktui.kinds.column import AgeColumn, Column, Joined, KeyColumn, MovingColumn, cell_text
from ktui.kinds.names import ObjectKey
from ktui.kinds.row import Row
from ktui.widgets.table_filter import BETWEEN_CELLS, Filter


class Searched:
    """The cells of rows in lower case, but for those that change as time passes.

    What another kind knows of a row without object is left out, as it is known for the rows in sight only.

    Args:
        columns: of the table.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = [column for column in columns if not column.ticks]
        self._namespace = any(isinstance(column, KeyColumn) and column.part == 0 for column in columns)
        ticking = {c.server for c in columns if isinstance(c, AgeColumn | MovingColumn)}
        self._places = [c.server for c in self._columns if c.server >= 0 and c.server not in ticking]
        self._texts: dict[ObjectKey, str] = {}

    def unread(self, keys: Iterable[ObjectKey]) -> list[ObjectKey]:
        """Those of some rows that have not been read yet."""
        return [key for key in keys if key not in self._texts]

    def forget(self, keys: Iterable[ObjectKey]) -> None:
        """Read these rows anew when they are looked at again."""
        if self._texts:
            for key in keys:
                self._texts.pop(key, None)

    def text(self, row: Row, joined: Joined) -> str:
        """What a filter sees of a row."""
        if (text := self._texts.get(row.key)) is None:
            text = self._texts[row.key] = self._read(row, joined)
        return text

    def matching(self, found: Filter) -> list[ObjectKey]:
        """Which of the rows that have been read match, in the order in which they were."""
        needle = found.text.lower()
        return [key for key, text in self._texts.items() if needle in text]

    def _read(self, row: Row, joined: Joined) -> str:
        cells = row.cells
        if row.object is not None or cells is None:
            return BETWEEN_CELLS.join([column.cell(row, 0, joined) for column in self._columns]).lower()
        texts = [cells[place] for place in self._places if place < len(cells)]
        if self._namespace:
            texts.append(row.key.namespace)
        try:
            return BETWEEN_CELLS.join(texts).lower()
        except TypeError:
            # Numbers among them.
            return BETWEEN_CELLS.join(map(cell_text, texts)).lower()
