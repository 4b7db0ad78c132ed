"""Sort: an order that the person chose, and where rows stand in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from ktui.kinds.column import Column, Joined
from ktui.kinds.row import Row
from ktui.widgets.row_order import Place


@dataclass(frozen=True, slots=True)
class Sort:
    """An order that the person chose.

    Attributes:
        column: the name of a column.
        descending: whether the largest comes first.
    """

    column: str
    descending: bool = False

    def place(self, row: Row, column: Column, joined: Joined) -> Place:
        """Where a row stands.

        Args:
            row: any row.
            column: the column of that name.
            joined: what other kinds know about the row.
        """
        rank, value = column.sort_key(row, joined)
        if self.descending:
            value = -value if rank == 0 else _turned_around(value)
        return (rank, value, row.key)


class _Opposite(dict[int, int]):
    """To each character the one that stands as far from the end as it from the beginning."""

    def __missing__(self, character: int) -> int:
        opposite = self[character] = _LAST - character
        return opposite


_LAST = 0x10FFFF
_OPPOSITE = _Opposite()


@lru_cache(maxsize=65536)
def _turned_around(text: str) -> str:
    """A text that sorts before others where `text` sorts after them; as a string, because these compare fast."""
    # The end of a text, which sorts before every character, sorts after every one.
    return text.translate(_OPPOSITE) + chr(_LAST)
