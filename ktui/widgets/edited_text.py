"""EditedText: the lines of a text that is typed into, and how many cells they take.

Textual's document measures every line anew after each key, joins all lines whenever the text is asked for, and ends
lines at characters, too, that neither YAML nor a terminal takes for line breaks. This one works on lines that change,
and ends lines where `ktui.manifests.reading` does.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from itertools import accumulate

from rich.cells import get_character_cell_size
from textual.document._document import Document, EditResult
from textual.geometry import Size
from textual.widgets.text_area import Location

from ktui.kinds.text import clean

TAB = "→   "
"""How a tab is shown: wherever it stands, so that a person sees that it is one."""

_LONG = 4_000
"""Characters of a line that counts as long."""

_BREAK = re.compile("\r?\n")
_SELECTORS = str.maketrans("\ufe0e\ufe0f", "\ufffd\ufffd")


def shown(line: str) -> str:
    """A line as it is drawn: nothing in it that a terminal would obey, and tabs that are seen."""
    if line.isascii() and line.isprintable():
        return line
    # Terminals disagree on the width of what variation selectors change.
    return TAB.join(map(clean, line.translate(_SELECTORS).split("\t")))


def shown_column(line: str, column: int) -> int:
    """Which character of the drawn line is the first of a column."""
    return column + (len(TAB) - 1) * line.count("\t", 0, column)


def cells_before(line: str, column: int) -> int:
    """How many cells the characters before a column take."""
    if line.isascii():
        return shown_column(line, min(column, len(line)))
    return _cells_of(line[:column]) if column < _LONG else _cells_before(line, column)


def column_at(line: str, cell: int) -> int:
    """The column whose character stands on a cell, counted from 0; behind the last one, the end of the line."""
    if line.isascii() and "\t" not in line:
        return min(max(0, cell), len(line))
    start = 0
    for start in range(0, len(line), _LONG):
        if (cells := _cells_of(line[start : start + _LONG])) > cell:
            break
        cell -= cells
    ends = accumulate(map(_cells, line[start : start + _LONG]))
    return next((start + column for column, end in enumerate(ends) if end > cell), len(line))


@lru_cache(maxsize=8)
def _cells_before(line: str, column: int) -> int:
    """The same for long lines, which several ask for."""
    return _cells_of(line[:column])


def _cells_of(text: str) -> int:
    # Each character is looked up once, however often it stands there.
    return sum(count * _cells(character) for character, count in Counter(text).items())


@lru_cache(maxsize=4096)
def _cells(character: str) -> int:
    return sum(map(get_character_cell_size, shown(character)))


class EditedText(Document):
    """A text in lines.

    Args:
        text: the whole of it. It ends its lines with `\\r\\n` if all lines do; else a `\\r` is a character of its line.

    Attributes:
        version: how often it was changed.
        replaced: told of each change as `(first, end, new_end)`: the rows from `first` up to `end` gave way to those
            from `first` up to `new_end`. Rows that only moved are not among them.
    """

    def __init__(self, text: str) -> None:
        super().__init__("")
        windows = text.count("\r\n")
        self._newline = "\r\n" if windows and windows == text.count("\n") else "\n"
        self._lines = text.split(self._newline)
        self._cells = [cells_before(line, len(line)) for line in self._lines]
        self._widest = max(self._cells)
        self._joined: str | None = text
        self.version = 0
        self.replaced: Callable[[int, int, int], None] = lambda first, end, new_end: None

    @property
    def text(self) -> str:
        """The whole text; joined once for each version."""
        if self._joined is None:
            self._joined = self._newline.join(self._lines)
        return self._joined

    def get_size(self, tab_width: int) -> Size:
        """The cells of the widest line, and how many lines there are."""
        return Size(self._widest, len(self._lines))

    def get_text_range(self, start: Location, end: Location) -> str:
        """The text between two places."""
        (top, left), (bottom, right) = self._inside(start, end)
        if top == bottom:
            return self._lines[top][left:right]
        lines = self._lines[top : bottom + 1]
        lines[0], lines[-1] = lines[0][left:], lines[-1][:right]
        return self._newline.join(lines)

    def replace_range(self, start: Location, end: Location, text: str) -> EditResult:
        """Put a text in the place of another; all changes are made here."""
        (top, left), (bottom, right) = self._inside(start, end)
        before = self.get_text_range(start, end)
        lines = text.split("\n") if self._newline == "\n" else _BREAK.split(text)
        last, column = top + len(lines) - 1, len(lines[-1]) + (left if len(lines) == 1 else 0)
        lines[0] = self._lines[top][:left] + lines[0]
        lines[-1] += self._lines[bottom][right:]
        self._lines[top : bottom + 1] = lines
        self._measure(top, bottom + 1, lines)
        self._joined = None
        self.version += 1
        whole = left == right == 0 and (not text or text.endswith("\n"))
        self.replaced(top, bottom + (not whole), last + (not whole))
        return EditResult((last, column), before)

    def _inside(self, start: Location, end: Location) -> tuple[Location, Location]:
        """Two places in their order, none behind the end."""
        first, second = sorted((start, end))
        return min(first, self.end), min(second, self.end)

    def _measure(self, first: int, end: int, lines: list[str]) -> None:
        gone = max(self._cells[first:end])
        new = [cells_before(line, len(line)) for line in lines]
        self._cells[first:end] = new
        if (widest := max(new)) >= self._widest:
            self._widest = widest
        elif gone == self._widest:
            self._widest = max(self._cells)
