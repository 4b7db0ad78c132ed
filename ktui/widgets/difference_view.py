"""DifferenceView: what differs between two texts: side by side where there is room, else one below the other."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from ktui.kinds.text import clean_lines
from ktui.manifests.line_difference import Part, Row, parts, rows
from ktui.widgets.cells import width_of
from ktui.widgets.lines_view import MORE, SIDEWAYS, LinesView, Piece
from ktui.widgets.palette import Ink, Look

SIDE_BY_SIDE = 120
"""Columns from which on the two stand beside each other."""

LONGEST_LINE = 2000
"""Characters of a line that can be seen by going sideways."""

AROUND = 40
"""Characters shown before what differs, where a long line does not begin with it."""

BETWEEN = " │ "


@dataclass(frozen=True)
class Difference:
    """What differs between two texts.

    Attributes:
        left, right: their lines, cleaned.
        rows: all of them, aligned.
        parts: those near to what differs, and the others.
        blocks: the rows at which something begins to differ.
    """

    left: Sequence[str]
    right: Sequence[str]
    rows: Sequence[Row]
    parts: Sequence[Part]
    blocks: Sequence[int]

    @classmethod
    def of(cls, left: str, right: str) -> Difference:
        """Of two texts. Pure, and long work for long texts: for a thread.

        Args:
            left: a text that strangers wrote.
            right: another.
        """
        here, there = _lines(left), _lines(right)
        found = rows(here, there)
        begins = [place for place, row in enumerate(found) if not row.same and (place == 0 or found[place - 1].same)]
        told = parts(found)
        for row in found:
            before = "" if row.left is None else here[row.left]
            after = "" if row.right is None else there[row.right]
            if len(before) > LONGEST_LINE or len(after) > LONGEST_LINE:
                start = _seen_from(before, after)
                if row.left is not None:
                    here[row.left] = _window(before, start)
                if row.right is not None:
                    there[row.right] = _window(after, start)
        return cls(here, there, found, told, begins)


def _lines(text: str) -> list[str]:
    found = clean_lines(text)
    return found[:-1] if found and not found[-1] else found


def _seen_from(left: str, right: str) -> int:
    """The character from which on two long lines are shown, so that what differs is in sight."""
    common = _common(left, right) if left and right and left != right else 0
    return max(0, common - AROUND) if common > LONGEST_LINE // 2 else 0


def _window(line: str, start: int) -> str:
    shown = line[start : start + LONGEST_LINE]
    return ("…" if start else "") + shown + ("…" if start + len(shown) < len(line) else "")


def _common(left: str, right: str) -> int:
    """How many characters two texts begin with that are the same; by halves, as they may be long."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if left[low:middle] == right[low:middle] else (low, middle - 1)
    return low


class Entry(NamedTuple):
    """What stands on one line of the view.

    Attributes:
        row: the index of the row; of a part that is left out, of its first.
        sign: ` ` for both sides, `-` for the left one alone, `+` for the right one alone, `…` for a part left out.
        gone: how many rows are left out.
    """

    row: int
    sign: str
    gone: int = 0


class DifferenceView(LinesView):
    """Shows two texts.

    Attributes:
        everything: whether equal lines far from what differs are shown, too.
        beside: whether the two stand side by side.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,a", "everything", "All lines", tooltip="Show all lines, or only those near to what differs."),
        Binding("n", "difference(1)", "Next", tooltip="Go to the next difference."),
        Binding("N", "difference(-1)", "Previous", show=False, tooltip="Go to the difference before."),
    ]

    class Moved(Message):
        """Another difference is looked at, or there are others now.

        Attributes:
            place: which one, counted from 1; 0 for none.
            count: how many there are.
        """

        def __init__(self, place: int, count: int) -> None:
            super().__init__()
            self.place = place
            self.count = count

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.everything = False
        self.beside = False
        self._found = Difference((), (), (), (), ())
        self._entries: list[Entry] = []
        self._current = -1
        self._shift = 0
        self._widest = 0

    def show_difference(self, found: Difference) -> None:
        """Show another difference; what the person looks at stays where it is, as far as it is still there."""
        if found == self._found:
            return
        self._found = found
        self._current = min(self._current, len(found.blocks) - 1)
        self._widest = max(map(width_of, (*found.left, *found.right)), default=0)
        self._lay_out()
        self.post_message(self.Moved(self._current + 1, len(found.blocks)))

    def on_resize(self, event: events.Resize) -> None:
        """There is room for both, or no longer."""
        self.beside = self._room >= SIDE_BY_SIDE - 1
        self._lay_out()

    @property
    def _room(self) -> int:
        # The scrollbar's place is left free whether or not it is there, or the two would chase each other.
        return self.container_size.width - 1

    def _lay_out(self) -> None:
        self._entries = [*(self._beside() if self.beside else self._below())]
        if self.beside:
            self._shift = max(0, min(self._shift, self._furthest))
        self._strips.clear()
        self.lay(len(self._entries), self._room if self.beside else self._widest + 2)
        self.refresh()

    def _beside(self) -> Iterator[Entry]:
        for part in self._found.parts:
            # A line that says that a line is left out is no gain.
            if part.hidden and not self.everything and part.stop - part.start > 1:
                yield Entry(part.start, "…", part.stop - part.start)
            else:
                yield from (Entry(place, " ") for place in range(part.start, part.stop))

    def _below(self) -> Iterator[Entry]:
        """Of neighbours that differ, first those of the left text, and then those of the right one."""
        come: list[Entry] = []
        for entry in self._beside():
            row = self._found.rows[entry.row]
            if entry.sign == "…" or row.same:
                yield from come
                come = []
                yield entry
                continue
            if row.left is not None:
                yield Entry(entry.row, "-")
            if row.right is not None:
                come.append(Entry(entry.row, "+"))
        yield from come

    # -- keys --------------------------------------------------------------------------------

    def action_everything(self) -> None:
        """Show all lines, or only those near to what differs."""
        top = self._entries[self.scroll_offset.y].row if self._entries else 0
        self.everything = not self.everything
        self._lay_out()
        self.scroll_to(y=self._entry_of(top), animate=False)

    def action_difference(self, by: int) -> None:
        """Go to another difference, from the last one to the first."""
        if not (blocks := self._found.blocks):
            return
        if self._current < 0:
            self._current = 0 if by > 0 else len(blocks) - 1
        else:
            self._current = (self._current + by) % len(blocks)
        place = self._entry_of(blocks[self._current])
        self.redraw()
        self.show_row(place, middle=True)
        self.post_message(self.Moved(self._current + 1, len(blocks)))

    def action_sideways(self, by: int) -> None:
        """Show what stands further to the right or to the left, of both texts."""
        if not self.beside:
            super().action_sideways(by)
            return
        self._shift = max(0, min(self._shift + by * SIDEWAYS, self._furthest))
        self.redraw()

    @property
    def _half(self) -> int:
        """Cells of a line of one side, without its sign."""
        return max(1, (self._room - len(BETWEEN)) // 2 - 2)

    @property
    def _furthest(self) -> int:
        return max(0, self._widest - self._half)

    def _entry_of(self, row: int) -> int:
        """Where a row stands; the entries are in the order of rows, but for those of one block."""
        place = bisect_right(self._entries, row, key=lambda entry: entry.row) - 1
        while place > 0 and self._entries[place - 1].row >= row:
            place -= 1
        return max(0, place)

    # -- drawing -----------------------------------------------------------------------------

    def draw(self, row: int) -> Strip:
        """A line of the view."""
        entry = self._entries[row]
        if entry.sign == "…":
            return self.paint(self._left_out(entry))
        found = self._found.rows[entry.row]
        look = Look.RELATED if self._is_current(entry.row) else Look.PLAIN
        if self.beside:
            between = self._strip_of((Piece(BETWEEN, Ink.BORDER),), look)
            return Strip.join([self._side(found, "-", look), between, self._side(found, "+", look)])
        if entry.sign == " ":
            return self.paint((Piece(f"  {self._text(found, '-')}", Ink.QUIET),), look)
        return self.paint((_sign(entry.sign), *self._words(found, entry.sign)), look)

    def _side(self, row: Row, sign: str, look: Look) -> Strip:
        """One half of a line."""
        half, ground = self._half, self.style(look=look)
        if (row.left if sign == "-" else row.right) is None:
            return Strip([Segment(" " * (half + 2), ground)])
        words = (Piece(self._text(row, sign), Ink.QUIET),) if row.same else self._words(row, sign)
        mark = self._strip_of((_sign(" " if row.same else sign),), look)
        text, end = self._strip_of(words, look), self._shift + half
        if text.cell_length <= end:
            return Strip.join([mark, text.crop_extend(self._shift, end, ground)])
        more = Strip([Segment(MORE, self.style(Ink.FAINT, look))])
        return Strip.join([mark, text.crop(self._shift, end - 1), more])

    def _strip_of(self, pieces: Iterable[Piece], look: Look) -> Strip:
        """Pieces, and nothing behind them."""
        return Strip([Segment(text, self.style(ink, look, bold)) for text, ink, bold in pieces])

    def _words(self, row: Row, sign: str) -> Iterator[Piece]:
        """The words of a line that differs; where it has a partner, what differs in it stands out."""
        text, ink = self._text(row, sign), _INKS[sign]
        if row.left is None or row.right is None:
            yield Piece(text, ink)
            return
        start, end = _differing(self._found.left[row.left], self._found.right[row.right])
        yield Piece(text[:start], ink)
        yield Piece(text[start : len(text) - end], ink, True)
        yield Piece(text[len(text) - end :], ink)

    def _text(self, row: Row, sign: str) -> str:
        place, lines = (row.left, self._found.left) if sign == "-" else (row.right, self._found.right)
        return "" if place is None else lines[place]

    def _left_out(self, entry: Entry) -> list[Piece]:
        """How much is left out, and in which field that which follows stands."""
        many = "1 equal line" if entry.gone == 1 else f"{entry.gone:,} equal lines"
        behind = entry.row + entry.gone
        path = self._field(behind) if behind < len(self._found.rows) else ""
        return [Piece(f"  ⋯ {many}", Ink.FAINT), Piece(f"  {path}" if path else "", Ink.QUIET)]

    def _field(self, place: int) -> str:
        """The keys above a row, by their indentation: `spec.template.spec`."""
        row = self._found.rows[place]
        lines, line = (self._found.left, row.left) if row.left is not None else (self._found.right, row.right)
        assert line is not None
        keys: list[str] = []
        depth = _depth(lines[line])
        while line > 0 and depth > 0:
            line -= 1
            above = _depth(lines[line])
            if above < depth and lines[line].rstrip().endswith(":"):
                keys.append(lines[line].strip(" -").rstrip(":"))
                depth = above
        return ".".join(reversed(keys))

    def _is_current(self, row: int) -> bool:
        blocks, place = self._found.blocks, self._current
        return place >= 0 and not self._found.rows[row].same and bisect_right(blocks, row) - 1 == place


_INKS = {"-": Ink.FAILED, "+": Ink.GOOD, " ": Ink.QUIET}


def _sign(sign: str) -> Piece:
    return Piece(f"{sign} ", _INKS[sign], True)


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" -"))


def _differing(left: str, right: str) -> tuple[int, int]:
    """How many characters two texts have in common at their start, and at their end."""
    start = _common(left, right)
    least = min(len(left), len(right)) - start
    return start, min(least, _common(left[::-1], right[::-1]))
