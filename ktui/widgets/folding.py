"""Folding: a block of lines is shown as its first line, and the cursor steps over the rest."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from textual.document._document_navigator import DocumentNavigator
from textual.document._wrapped_document import WrappedDocument
from textual.geometry import Offset
from textual.widgets.text_area import Location

from ktui.widgets.edited_text import EditedText, cells_before, column_at

_LOOKED_AHEAD = 200
"""Lines without a word that are looked through for a block below them."""


class _Layout(NamedTuple):
    """Where the folds are of which no other hides the first line, from top to bottom.

    Attributes:
        headers: their first lines, which are seen.
        lasts: their last lines.
        hidden: how many lines are hidden above each; one more stands for the end of the text.
        places: at which line of those that are seen each begins.
    """

    headers: list[int]
    lasts: list[int]
    hidden: list[int]
    places: list[int]


class FoldedDocument(WrappedDocument):
    """A text of which some blocks are folded. Its lines are not wrapped.

    Args:
        document: the text.

    Attributes:
        folds: by the first line of each folded block, its last; those inside of others, too.
    """

    def __init__(self, document: EditedText) -> None:
        self.folds: dict[int, int] = {}
        self._layout: _Layout | None = None
        super().__init__(document)

    # -- folds -------------------------------------------------------------------------------

    def fold(self, row: int, last: int) -> None:
        """Hide the lines behind `row` up to `last`."""
        self.folds[row] = last
        self._layout = None

    def unfold(self, row: int) -> bool:
        """Show the lines of a folded block again; whether there was one."""
        self._layout = None
        return self.folds.pop(row, None) is not None

    def fold_each(self, folds: Mapping[int, int]) -> None:
        """Hide these blocks, by first line and last, and no others."""
        self.folds, self._layout = dict(folds), None

    def reveal(self, row: int) -> bool:
        """Unfold what hides a line; whether anything did."""
        hiding = [first for first, last in self.folds.items() if first < row <= last] if self.folds else []
        for first in hiding:
            self.unfold(first)
        return bool(hiding)

    def hidden(self, row: int) -> int:
        """How many lines are folded into a line."""
        return self.folds[row] - row if row in self.folds else 0

    def replaced(self, first: int, end: int, new_end: int) -> None:
        """Lines were changed: folds below them move, and what was changed inside of a fold is shown.

        Args:
            first, end, new_end: as `EditedText.replaced` has them.
        """
        by, kept = new_end - end, {}
        for row, last in self.folds.items():
            if first > last or (first == row and end == new_end == row + 1):
                kept[row] = last
            elif end <= row:
                kept[row + by] = last + by
        self.folds, self._layout = kept, None

    @property
    def _laid(self) -> _Layout:
        if self._layout is None:
            found = _Layout([], [], [0], [])
            for row in sorted(self.folds):
                if found.lasts and row <= found.lasts[-1]:
                    continue
                found.headers.append(row)
                found.lasts.append(self.folds[row])
                found.places.append(row - found.hidden[-1])
                found.hidden.append(found.hidden[-1] + self.folds[row] - row)
            self._layout = found
        return self._layout

    # -- lines of the text, and those that are seen --------------------------------------------

    def row_at(self, y: int) -> int:
        """The line of the text that is the `y`th of those that are seen; counted from 0."""
        if not self.folds:
            return y
        return y + self._laid.hidden[bisect_left(self._laid.places, y)]

    def place_of(self, row: int) -> int:
        """Which of the lines that are seen a line is; of a hidden one, that of its fold."""
        if not self.folds:
            return row
        laid, above = self._laid, bisect_left(self._laid.headers, row)
        if above and row <= laid.lasts[above - 1]:
            return laid.places[above - 1]
        return row - laid.hidden[above]

    # -- what Textual asks for ---------------------------------------------------------------

    def wrap(self, width: int, tab_width: int | None = None) -> None:
        """Nothing is wrapped."""

    def wrap_range(self, start: Location, old_end: Location, new_end: Location) -> None:
        """Nothing is wrapped; `replaced` knows already."""

    @property
    def height(self) -> int:
        """How many lines are seen."""
        return self.document.line_count - (self._laid.hidden[-1] if self.folds else 0)

    def get_offsets(self, line_index: int) -> list[int]:
        """Where a line is wrapped: nowhere."""
        return []

    def get_sections(self, line_index: int) -> list[str]:
        """A line, in one piece."""
        return [self.document.get_line(line_index)]

    def get_tab_widths(self, line_index: int) -> list[int]:
        """Tabs are drawn as characters."""
        return []

    def get_target_document_column(self, line_index: int, x_offset: int, y_offset: int) -> int:
        """The column of a cell."""
        return column_at(self.document.get_line(line_index), x_offset)

    def location_to_offset(self, location: Location) -> Offset:
        """Where a place of the text is seen."""
        row, column = location
        row = min(max(0, row), self.document.line_count - 1)
        return Offset(cells_before(self.document.get_line(row), column), self.place_of(row))

    def offset_to_location(self, offset: Offset) -> Location:
        """The place of the text that is seen somewhere; the nearest there is."""
        row = self.row_at(min(max(0, offset.y), self.height - 1))
        return row, column_at(self.document.get_line(row), offset.x)


class FoldedNavigator(DocumentNavigator):
    """Moves the cursor over the lines that are seen.

    Args:
        folded: the text.
    """

    def __init__(self, folded: FoldedDocument) -> None:
        super().__init__(folded)
        self._folded = folded

    def get_location_above(self, location: Location) -> Location:
        """One line up, in the same cell or in the one where the cursor was before."""
        place = self._folded.place_of(location[0])
        return self._beside(location, place - 1) if place else (0, 0)

    def get_location_below(self, location: Location) -> Location:
        """One line down."""
        place = self._folded.place_of(location[0])
        if place + 1 < self._folded.height:
            return self._beside(location, place + 1)
        row = self._folded.row_at(place)
        return row, len(self._document[row])

    def get_location_left(self, location: Location) -> Location:
        """One character to the left; from the start of a line to the end of the one above."""
        row, column = location
        place = self._folded.place_of(row)
        if column or not place:
            return row, max(0, column - 1)
        above = self._folded.row_at(place - 1)
        return above, len(self._document[above])

    def get_location_right(self, location: Location) -> Location:
        """One character to the right; from the end of a line to the start of the one below."""
        row, column = location
        if column < len(self._document[row]):
            return row, column + 1
        place = self._folded.place_of(row)
        return (self._folded.row_at(place + 1), 0) if place + 1 < self._folded.height else location

    def _beside(self, location: Location, place: int) -> Location:
        row, column = location
        cell = max(cells_before(self._document[row], column), self.last_x_offset)
        target = self._folded.row_at(place)
        return target, column_at(self._document[target], cell)


# -- blocks --------------------------------------------------------------------------------------


def depth_of(line: str) -> int:
    """How many blanks a line begins with."""
    return len(line) - len(line.lstrip(" \t"))


def is_item(line: str) -> bool:
    """Whether a line begins an item of a list."""
    body = line.lstrip(" ")
    return body.startswith("- ") or body == "-"


def says_nothing(line: str) -> bool:
    """Whether a line is empty, or a comment: where it stands means nothing."""
    body = line.lstrip()
    return not body or body[0] == "#"


def block_end(lines: Sequence[str], row: int) -> int:
    """The last line of the block that begins in a line: the lines that are deeper, and items at the depth of their key.

    Returns:
        The line itself where no block begins.
    """
    if says_nothing(lines[row]):
        return row
    depth, item, end = depth_of(lines[row]), is_item(lines[row]), row
    for at in range(row + 1, len(lines)):
        line = lines[at]
        if says_nothing(line):
            continue
        deeper = depth_of(line) - depth
        if deeper < 0 or (deeper == 0 and (item or not is_item(line))):
            break
        end = at
    return end


def begins_block(lines: Sequence[str], row: int) -> bool:
    """Whether there is anything to fold at a line."""
    if says_nothing(lines[row]):
        return False
    for line in lines[row + 1 : row + 1 + _LOOKED_AHEAD]:
        if not says_nothing(line):
            deeper = depth_of(line) - depth_of(lines[row])
            return deeper > 0 or (deeper == 0 and is_item(line) and not is_item(lines[row]))
    return False


def block_around(lines: Sequence[str], row: int) -> int | None:
    """The first line of the block that a line is in; None where it is in none."""
    at = row
    while at < len(lines) - 1 and says_nothing(lines[at]):
        at += 1
    depth, item = depth_of(lines[at]), is_item(lines[at])
    for above in range(row - 1, -1, -1):
        line = lines[above]
        if says_nothing(line):
            continue
        higher = depth - depth_of(line)
        if higher > 0 or (higher == 0 and item and not is_item(line)):
            return above
    return None


def blocks_below_top(lines: Sequence[str]) -> dict[int, int]:
    """All blocks but those of the topmost keys: first lines, and their last."""
    found: dict[int, int] = {}
    # The lines whose blocks have not ended, and twice their depth; one more for items, which keys of their depth hold.
    open_: list[tuple[int, int]] = []
    last = 0
    for row, line in enumerate(lines):
        body = line.lstrip()
        if not body or body[0] == "#":
            continue
        rank = 2 * (len(line) - len(body)) + (1 if body.startswith("- ") or body == "-" else 0)
        while open_ and open_[-1][1] >= rank:
            first, own = open_.pop()
            if last > first and own > 0:
                found[first] = last
        open_.append((row, rank))
        last = row
    for first, own in open_:
        if last > first and own > 0:
            found[first] = last
    return found
