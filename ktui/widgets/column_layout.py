"""Which columns a table shows side by side, and how wide each is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ktui.kinds.column import Column, JoinColumn, Role
from ktui.widgets.cells import width_of

GAP = 2
GLYPH = 2
"""Cells of a tone's glyph and the blank behind it."""

# Columns other than the name take no more than this while there are others to show.
_LONGEST = 44
# The end of a name tells pods apart, so names give way to this, and further only for the first columns.
_NAME_ENOUGH, _NAME_SHARE = 30, 0.4
_NAME_LEAST = 20
# Long texts give way down to the length of an address.
_LONG, _SHORT = 15, 10
# Columns for which names and status are cut, when there is no other way: namespace, name, readiness, status.
_AT_LEAST = 4
_CUT_LEAST = 14
# What kubectl prints where there is nothing to print.
_NOTHING = frozenset({"", "<none>"})
# Ages take as many cells in their longest form as in their shortest, so that columns do not jump as time passes.
_TICKING_LEAST = 5


@dataclass(frozen=True, slots=True)
class Slot:
    """A column's place in the line.

    Attributes:
        index: of the column among the table's columns.
        column: the column.
        width: cells, with its glyph.
        toned: whether its cells begin with a glyph.
    """

    index: int
    column: Column
    width: int
    toned: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """Columns side by side.

    Attributes:
        slots: from left to right.
        more_left, more_right: whether columns are hidden on that side.
    """

    slots: tuple[Slot, ...] = ()
    more_left: bool = False
    more_right: bool = False

    def column_at(self, x: int) -> Column | None:
        """The column under cell `x`, counted from the first column's first cell."""
        for slot in self.slots:
            if x < slot.width + GAP:
                return slot.column if x >= 0 else None
            x -= slot.width + GAP
        return None


class ColumnWidths:
    """How wide the cells of each column have been. Widths only grow, until they are forgotten.

    Args:
        columns: of the table.

    Attributes:
        columns: as above.
        toned: for each column, whether its cells begin with a glyph.
        grown: whether a cell needs more room than there is, or another column.
        silent: columns for `-o wide` in which nothing has stood yet; they come into sight only when somebody scrolls
            to them.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = tuple(columns)
        self.toned = tuple(map(_toned, columns))
        self.grown = True
        self.silent = {index for index, column in enumerate(columns) if column.wide}
        self._seen: list[int] = []
        self.forget()

    def forget(self, sorted_by: str = "") -> None:
        """Start again with the headers alone.

        Args:
            sorted_by: the column whose header has an arrow.
        """
        self._seen = [
            max(width_of(column.name) + (column.name == sorted_by), _TICKING_LEAST if column.ticks else 0)
            for column in self.columns
        ]
        self.grown = True

    def see(self, index: int, text: str) -> None:
        """Take notice of a cell."""
        width = width_of(text) + (GLYPH if self.toned[index] else 0)
        if width > self._seen[index]:
            self._seen[index] = width
            self.grown = True
        if index in self.silent and text not in _NOTHING:
            self.silent.discard(index)
            self.grown = True

    def arrange(self, room: int, skipped: int) -> Layout:
        """Place columns side by side.

        Columns for `-o wide` are shown where the others leave room, and where anything stands in them. The name gives
        way last, and stays when the table is scrolled sideways.

        Args:
            room: cells there are.
            skipped: columns that were scrolled out on the left.
        """
        self.grown = False
        if not self.columns:
            return Layout()
        name = next((i for i, column in enumerate(self.columns) if column.role is Role.NAME), 0)
        widths = [seen if i == name else min(seen, _LONGEST) for i, seen in enumerate(self._seen)]
        if skipped:
            others = [i for i in range(len(self.columns)) if i != name]
            shown = [name, *others[min(skipped, len(others) - 1) :]]
            widths[name] = min(widths[name], self._name_least(room))
            kept = self._keep(shown, widths, room)
        else:
            first = [i for i, column in enumerate(self.columns) if not column.wide]
            kept = self._squeeze(first, name, widths, room)
            shown = list(range(len(self.columns)))
            if len(kept) == len(first):
                wide = [i for i, column in enumerate(self.columns) if column.wide and i not in self.silent]
                kept = sorted(self._keep(first + wide, widths, room))
        self._widen(kept, name, widths, room)
        slots = tuple(Slot(i, self.columns[i], widths[i], self.toned[i]) for i in kept)
        return Layout(slots, more_left=skipped > 0, more_right=len(kept) < len(shown))

    def _name_least(self, room: int) -> int:
        return max(_NAME_LEAST, int(room * _NAME_SHARE * 0.75))

    def _squeeze(self, shown: list[int], name: int, widths: list[int], room: int) -> list[int]:
        """As many of `shown` as fit when texts give way, whose widths are set; with the name in any case."""
        for count in range(len(shown), 0, -1):
            kept, found = shown[:count], list(widths)
            if name not in kept:
                break
            if self._shrink(kept, name, found, room, hard=count <= _AT_LEAST):
                widths[:] = found
                return self._keep(shown, widths, room)
        widths[name] = min(widths[name], room)
        return [name]

    def _shrink(self, kept: list[int], name: int, widths: list[int], room: int, hard: bool) -> bool:
        """Make texts narrower; whether that was enough.

        Args:
            kept: the columns to fit.
            name: the column of names.
            widths: of all columns; changed.
            room: cells there are.
            hard: whether names that can be told apart, and words of status, count less than the last of the columns.
        """
        texts = [i for i in kept if i != name and not self.columns[i].right]
        texts.sort(key=lambda i: -widths[i])
        steps = [(i, _LONG) for i in texts if not self.toned[i]]
        steps.append((name, max(_NAME_ENOUGH, int(room * _NAME_SHARE))))
        if hard:
            steps += [(i, _LONG + GLYPH) for i in texts if self.toned[i]]
            steps.append((name, self._name_least(room)))
            steps += [(i, max(_SHORT, widths[i] * 3 // 4)) for i in texts]
        excess = _total(kept, widths) - room
        for i, least in steps:
            cut = max(0, min(excess, widths[i] - max(least, width_of(self.columns[i].name))))
            widths[i] -= cut
            excess -= cut
        return excess <= 0

    def _keep(self, shown: list[int], widths: list[int], room: int) -> list[int]:
        """The first of `shown` that fit; the last of them may be cut."""
        kept: list[int] = []
        for i in shown:
            left = room - _total(kept, widths) - (GAP if kept else 0)
            if widths[i] > left:
                if kept and (left < _CUT_LEAST or self.columns[i].right):
                    break
                widths[i] = max(1, left)
                return [*kept, i]
            kept.append(i)
        return kept

    def _widen(self, kept: list[int], name: int, widths: list[int], room: int) -> None:
        """Give what is left to columns that are narrower than their cells, the name first."""
        spare = room - _total(kept, widths)
        for i in sorted(kept, key=lambda i: i != name):
            more = max(0, min(spare, self._seen[i] - widths[i]))
            widths[i] += more
            spare -= more


def _toned(column: Column) -> bool:
    if isinstance(column, JoinColumn) and column.tone_with is not None:
        return True
    return any(reads is not None for reads in (column.tone, column.tone_of_text, column.tone_of_cells))


def _total(shown: list[int], widths: list[int]) -> int:
    return sum(widths[i] for i in shown) + GAP * max(0, len(shown) - 1)
