"""Picture: what stands on the terminal, what should, and the fewest bytes from the one to the other.

A terminal is told of cells that differ, and of nothing else. Two things make that short. The pen goes on from where the
last frame left it, and what is drawn with one pen is drawn together, as another colour costs 19 bytes and another place
at most 8. And many blanks are erased rather than written.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import compress, groupby
from operator import is_not, ne, or_
from typing import NamedTuple, Self

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.segment import Segment

from ktui.terminal.pen import DEFAULT_GROUND, Pen, pen, pen_of, turn

_WORTH_LEAPING = 5
"""Cells that are right already from which on leaping over them is shorter than writing them again."""

_WORTH_ERASING = 10
"""Bytes that must be saved by leaping over erased cells: what erasing costs itself, and finding the place."""

_LONG_COLOURS = {ColorSystem.TRUECOLOR, ColorSystem.EIGHT_BIT}
"""Where another colour takes more bytes than another place."""

_BLANKS = re.compile(f" {{{_WORTH_LEAPING},}}")
_CONTROLS = re.compile("[\0-\x1f\x7f-\x9f]")
# What nobody knows is like no text.
_UNKNOWN = "\0"


class Row:
    """A line of cells.

    Args:
        texts: of each cell its character, with what combines with it; empty for the second half of a wide one.
        pens: how each is drawn.
    """

    __slots__ = ("pens", "texts")

    def __init__(self, texts: list[str], pens: list[Pen]) -> None:
        self.texts, self.pens = texts, pens

    @classmethod
    def of(cls, text: str, width: int) -> Self:
        """A row of one character, drawn with nothing special."""
        return cls([text] * width, [pen()] * width)

    def copy(self) -> Row:
        """A row of its own that looks the same."""
        return Row(self.texts.copy(), self.pens.copy())

    @property
    def steady(self) -> bool:
        """Whether each cell holds one character; terminals disagree on the width of those that take none or two."""
        return all(self.texts) and len("".join(self.texts)) == len(self.texts)

    def differences(self, shown: Row) -> list[int]:
        """The columns that look different from another row of the same length."""
        texts, pens, old, before = self.texts, self.pens, shown.texts, shown.pens
        # Whole rows without a line of Python for each cell.
        changed = map(or_, map(ne, texts, old), map(is_not, pens, before))
        return [
            x
            for x in compress(range(len(texts)), changed)
            if not (texts[x] == old[x] == " " and pens[x].blank == before[x].blank)
        ]


class Run(NamedTuple):
    """Cells side by side that are written with one pen.

    Attributes:
        y, x: the line, and the column of the first.
        pen: how they are drawn.
        text: what is written; empty when they are erased.
        width: how many they are.
    """

    y: int
    x: int
    pen: Pen
    text: str
    width: int


class Picture:
    """The screen of a terminal, cell by cell.

    Args:
        width, height: the terminal's.
        system: the colours that it has.
        erases: whether cells that it erases take the ground that it draws with.
    """

    def __init__(self, width: int, height: int, system: ColorSystem, *, erases: bool) -> None:
        self.size = width, height
        self._system, self._erases = system, erases
        self._wanted = [Row.of(" ", width) for _ in range(height)]
        self.forget()

    def forget(self) -> None:
        """Nobody knows any more what stands on the terminal: the next frame writes all of it."""
        width, height = self.size
        self._shown = [Row.of(_UNKNOWN, width) for _ in range(height)]
        self._touched = set(range(height))
        self._pen: Pen | None = None
        self._cursor: tuple[int, int] | None = None

    def put(self, y: int, x: int, segments: Iterable[Segment], width: int) -> None:
        """Say what should stand somewhere; `frame` writes it.

        Args:
            y, x: the line, and the column of the first cell.
            segments: text with its styles.
            width: the cells they take.
        """
        width = min(width, self.size[0] - x)
        if width <= 0 or not 0 <= y < self.size[1]:
            return
        cells = cells_of(segments, self._system)
        missing = width - len(cells.texts)
        row = self._wanted[y]
        # Of a wide character that is half covered or cut, the other half is blank.
        if missing < 0 and not cells.texts[width]:
            cells.texts[width - 1] = " "
        if x and not row.texts[x]:
            row.texts[x - 1] = " "
        if x + width < self.size[0] and not row.texts[x + width]:
            row.texts[x + width] = " "
        row.texts[x : x + width] = cells.texts[:width] + [" "] * missing
        row.pens[x : x + width] = cells.pens[:width] + [pen()] * missing
        self._touched.add(y)

    def frame(self, cursor: tuple[int, int]) -> str:
        """What makes the terminal show all that was put; empty when it does already.

        Args:
            cursor: column and line where the terminal's own cursor is to stand.
        """
        uneven: list[Run] = []
        runs: list[Run] = []
        for y in sorted(self._touched):
            wanted, shown = self._wanted[y], self._shown[y]
            if wanted.texts == shown.texts and wanted.pens == shown.pens:
                continue
            if wanted.steady and shown.steady:
                columns = wanted.differences(shown)
                erased = list(self._erased(y, wanted, columns)) if len(columns) > _WORTH_ERASING else []
                blank = {x for run in erased for x in range(run.x, run.x + run.width) if wanted.texts[x] == " "}
                runs += erased
                runs += _runs(y, wanted, [x for x in columns if x not in blank] if blank else columns)
            else:
                # Where the terminal may count cells otherwise, the line is written as a whole.
                uneven += _runs(y, wanted, range(self.size[0]))
            self._shown[y] = wanted.copy()
        self._touched.clear()
        written = Writing(self.size[0], self._pen, self._cursor)
        written.write(uneven, steady=False)
        written.write(_by_pen(runs, written.pen) if self._system in _LONG_COLOURS else runs)
        written.move(*cursor)
        self._pen, self._cursor = written.pen, written.place
        return str(written)

    def _erased(self, y: int, row: Row, columns: list[int]) -> Iterator[Run]:
        """Of the columns that differ, those side by side and on one ground in which erasing is shorter than writing."""
        texts, pens = row.texts, row.pens
        for _, cells in groupby(enumerate(columns), lambda at: (at[1] - at[0], pens[at[1]].blank)):
            stretch = [x for _, x in cells]
            first, width = stretch[0], len(stretch)
            text = "".join(texts[first : first + width])
            saved = sum(len(blanks) - _WORTH_LEAPING + 1 for blanks in _BLANKS.findall(text))
            drawn = pens[first + width - len(text.lstrip()) if text.strip() else first]
            if saved > _WORTH_ERASING and drawn.plain and (self._erases or drawn.ground == DEFAULT_GROUND):
                yield Run(y, first, drawn, "", width)


class Writing:
    """An escape sequence in the making, and where it leaves the terminal.

    Args:
        width: the terminal's columns.
        pen: what the terminal draws with; None when nobody knows.
        place: column and line of its cursor; None when nobody knows.
    """

    def __init__(self, width: int, pen: Pen | None, place: tuple[int, int] | None) -> None:
        self._width = width
        self.pen, self.place = pen, place
        self._parts: list[str] = []

    def __str__(self) -> str:
        return "".join(self._parts)

    def write(self, runs: Iterable[Run], *, steady: bool = True) -> None:
        """Write runs in this order.

        Args:
            runs: what to write.
            steady: whether the cursor is known to stand behind a run when it is written.
        """
        for run in runs:
            self.move(run.x, run.y)
            if run.text or self.pen is None or not self.pen.plain or self.pen.ground != run.pen.ground:
                self._parts.append(turn(self.pen, run.pen))
                self.pen = run.pen
            if not run.text:
                self._parts.append(f"\x1b[{run.width}X")
                continue
            self._parts.append(run.text)
            end = run.x + run.width
            # In the last column terminals differ in where the cursor is.
            self.place = (end, run.y) if steady and end < self._width else None

    def move(self, x: int, y: int) -> None:
        """Put the cursor somewhere."""
        if self.place != (x, y):
            ways = [f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H"]
            if self.place is not None:
                ways.append(_vertically(y - self.place[1]) + _sideways(self.place[0], x))
            self._parts.append(min(ways, key=len))
            self.place = x, y


def cells_of(segments: Iterable[Segment], system: ColorSystem) -> Row:
    """Segments as cells.

    Args:
        segments: text with its styles; what controls a terminal is left out.
        system: the colours that the terminal has.
    """
    texts: list[str] = []
    pens: list[Pen] = []
    for text, style, control in segments:
        if control:
            continue
        before = len(texts)
        if text.isascii() and text.isprintable():
            texts += text
        else:
            _add(texts, text)
        pens += [pen_of(style, system)] * (len(texts) - before)
    return Row(texts, pens)


def _add(texts: list[str], text: str) -> None:
    """Append the cells of a text that may hold characters of no or of two cells."""
    text = _CONTROLS.sub("", text)
    if cell_len(text) == len(text) and all(cell_len(character) == 1 for character in text):
        texts += text
        return
    start = width = 0
    for place, character in enumerate(text, 1):
        taken = cell_len(text[:place]) - width
        width += taken
        if taken and cell_len(character):
            texts += [character, *[""] * (taken - 1)]
            start = taken
        elif start:
            # It joins what stands before it, and may make that wider.
            texts[-start] += character
            texts += [""] * taken
            start += taken


def _runs(y: int, row: Row, columns: Iterable[int]) -> Iterator[Run]:
    """Some columns of a row as runs, and with them what lies between and is as short to write as to leap over."""
    first = end = -1
    drawn, inked = pen(), False
    for column in columns:
        on = (
            _goes_on(row, range(end, column + 1), drawn, inked)
            if first >= 0 and column - end < _WORTH_LEAPING
            else None
        )
        if on is not None:
            drawn, inked = on
        else:
            if first >= 0:
                yield Run(y, first, drawn, "".join(row.texts[first:end]), end - first)
            first, drawn, inked = column, row.pens[column], row.texts[column] != " "
        end = column + 1
    if first >= 0:
        yield Run(y, first, drawn, "".join(row.texts[first:end]), end - first)


def _goes_on(row: Row, columns: range, drawn: Pen, inked: bool) -> tuple[Pen, bool] | None:
    """How a run goes on over some columns.

    Args:
        row: where.
        columns: which.
        drawn: the pen of the run; while it is blank, any that leaves the same blanks.
        inked: whether it is more than blanks.

    Returns:
        Its pen, and whether it is more than blanks; None when these columns need another pen.
    """
    for x in columns:
        own, blank = row.pens[x], row.texts[x] == " "
        if own is not drawn and (own.blank != drawn.blank or (inked and not blank)):
            return None
        if not blank:
            drawn, inked = own, True
    return drawn, inked


def _by_pen(runs: Sequence[Run], now: Pen | None) -> Iterator[Run]:
    """Runs in an order in which the pen changes little; on each ground, cells are erased before others are written."""
    grounds: dict[str, dict[Pen, list[Run]]] = defaultdict(lambda: defaultdict(list))
    erased: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        if run.text:
            grounds[run.pen.ground][run.pen].append(run)
        else:
            erased[run.pen.ground].append(run)
            grounds[run.pen.ground].setdefault(run.pen, [])
    while grounds:
        ground = now.ground if now is not None and now.ground in grounds else next(iter(grounds))
        pens = grounds.pop(ground)
        if ground in erased:
            now = min((pen for pen in pens if pen.plain), key=lambda pen: len(turn(now, pen)))
            yield from (run._replace(pen=now) for run in erased[ground])
        while pens:
            now = min(pens, key=lambda pen: len(turn(now, pen)))
            yield from pens.pop(now)


def _vertically(lines: int) -> str:
    if not lines:
        return ""
    return f"\x1b[{abs(lines) if abs(lines) > 1 else ''}{'B' if lines > 0 else 'A'}"


def _sideways(here: int, there: int) -> str:
    if here == there:
        return ""
    cells = abs(there - here)
    if there > here:
        return f"\x1b[{cells if cells > 1 else ''}C"
    return min("\b" * cells, f"\x1b[{cells}D", f"\x1b[{there + 1}G", key=len)
