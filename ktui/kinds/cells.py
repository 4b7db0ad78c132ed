"""Cells of rows that have no object: read from a server's Table, or kept from an object that is let go.

The server prints ages as texts, `3m20s`, of the moment when it answered. Here they become moments, so that they tick
and sort; and equal texts become one, so that a row costs little more than its name and its address.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from typing import Any

from ktui.kinds.column import AgeColumn, KeyColumn, MovingColumn, Passing
from ktui.kinds.kind import Kind
from ktui.kinds.names import ObjectKey
from ktui.kinds.row import Row
from ktui.kinds.time import seconds_of

_PASSING = re.compile(r"(\d+) \((\w+) ago\)")
# Texts of a column that are looked for among those seen before; a column with more different ones shares few.
_MOST_SHARED = 4096

Cells = tuple[Any, ...]


class CellReader:
    """Reads the rows of one list in which a server printed a kind without its objects.

    Args:
        kind: whose rows.
        now: epoch seconds at which the server answers.
    """

    def __init__(self, kind: Kind, now: float) -> None:
        self._now = now
        # The name mostly comes first; that of an event comes last.
        self._name = next((c.server for c in kind.columns if isinstance(c, KeyColumn) and c.part == 1), 0)
        self._read = {
            column.server: _Texts(self._reader(column))
            for column in kind.columns
            if column.server >= 0 and not isinstance(column, KeyColumn) and not column.unique
        }

    def rows(self, namespace: str, table: Sequence[Cells]) -> list[Row]:
        """The rows of a Table of one namespace.

        Args:
            namespace: empty for cluster-scoped kinds.
            table: the cells of each row.
        """
        if not table:
            return []
        # Column by column, as that happens in C: a row costs about a microsecond.
        columns: list[Iterable[Any]] = list(zip(*table, strict=True))
        names = columns[self._name]
        for place, texts in self._read.items():
            if place < len(columns):
                columns[place] = texts.read(columns[place])
        keys = map(tuple.__new__, repeat(ObjectKey), zip(repeat(namespace), names))
        return list(map(Row, keys, repeat(""), repeat(None), zip(*columns, strict=True)))

    def _reader(self, column: object) -> Callable[[str], Any]:
        if isinstance(column, AgeColumn):
            return self._moment
        return self._passing if isinstance(column, MovingColumn) else str

    def _moment(self, text: str) -> Any:
        age = seconds_of(text)
        return text if age is None else float(self._now - age)

    def _passing(self, text: str) -> Any:
        if (found := _PASSING.fullmatch(text)) is None or (ago := seconds_of(found[2])) is None:
            return text
        return Passing(int(found[1]), self._now - ago)


class _Texts(dict[Any, Any]):
    """What each text of a column reads as; other JSON values stay what they are."""

    def __init__(self, reads: Callable[[str], Any]) -> None:
        super().__init__()
        self._reads = reads

    def read(self, cells: Iterable[Any]) -> Iterable[Any]:
        try:
            return list(map(self.__getitem__, cells))
        except TypeError:
            # A cell may be any JSON, a list too.
            return cells

    def __missing__(self, cell: Any) -> Any:
        if not isinstance(cell, str):
            return cell
        value = self._reads(cell)
        if len(self) < _MOST_SHARED:
            self[cell] = value
        return value


def without_object(kind: Kind, row: Row) -> Row:
    """A row as it stays when its object is let go.

    Args:
        kind: its kind.
        row: a row with an object.
    """
    item, cells = row.object, row.cells
    printed = [column for column in kind.columns if column.server >= 0]
    if cells is None:
        cells = tuple(column.cell_of(item) for column in sorted(printed, key=lambda column: column.server))
    else:
        # Only the server can print this kind; of its texts, the age alone can be told better.
        ages = {column.server: column.cell_of(item) for column in printed if isinstance(column, AgeColumn)}
        cells = tuple(ages.get(place, cell) for place, cell in enumerate(cells))
    return Row(row.key, row.uid, None, cells)
