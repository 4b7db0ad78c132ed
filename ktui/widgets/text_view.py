"""TextView: a text to read, with search, wrapping, and sideways scrolling."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate, pairwise
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.selection import Selection
from textual.strip import Strip

from ktui.kinds.text import clean_lines
from ktui.widgets.cells import width_of
from ktui.widgets.lines_view import LinesView
from ktui.widgets.palette import Ink, Look

# One line may be megabytes long (an annotation, a certificate bundle). Wrapping shows all of it.
LONGEST_LINE = 4000
MOST_MATCHES = 10_000


class Span(NamedTuple):
    """A part of a line in one style.

    Attributes:
        start: its first character.
        end: the character after its last.
        ink: what it is.
        look: what it stands on.
    """

    start: int
    end: int
    ink: Ink = Ink.TEXT
    look: Look = Look.PLAIN


class Match(NamedTuple):
    """Where the searched text stands."""

    line: int
    start: int
    end: int


class TextView(LinesView):
    """Shows a text that strangers wrote. It is cleaned, never read as markup.

    Attributes:
        lines: the cleaned lines.
        wrapped: whether long lines go on in the next row instead of out of sight.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w", "wrap", "Wrap", tooltip="Continue long lines in the next row."),
    ]

    class Searched(Message):
        """The search found something, or nothing.

        Attributes:
            text: what is searched; empty when the search was given up.
            place: which of the matches is the current one, counted from 1; 0 when there is none.
            count: how many there are.
        """

        def __init__(self, text: str, place: int, count: int) -> None:
            super().__init__()
            self.text = text
            self.place = place
            self.count = count

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.lines: list[str] = []
        self.wrapped = False
        # The first row of each line, and the row after the last; None while rows and lines are the same.
        self._first_rows: list[int] | None = None
        self._pieces: dict[int, list[int]] = {}
        self._needle = ""
        self._matches: list[Match] = []
        self._current = -1

    def show_text(self, text: str) -> None:
        """Show another text, or another version of it; what the person looks at stays where it is."""
        lines = clean_lines(text)
        if lines and not lines[-1]:
            lines.pop()
        if lines == self.lines:
            return
        self.lines = lines
        self.text_changed()
        if self._needle:
            self._find_matches()
        self._lay_out()

    def text_changed(self) -> None:
        """There are new lines, which are about to be drawn."""

    def spans(self, line: int) -> Iterable[Span]:
        """How a line is coloured: spans in order, none overlapping; what they leave out is plain."""
        return ()

    # -- wrapping ----------------------------------------------------------------------------

    def action_wrap(self) -> None:
        """Wrap long lines, or not."""
        line = self._line_at(self.scroll_offset.y)[0] if self.lines else 0
        self.wrapped = not self.wrapped
        self._lay_out()
        self.scroll_to(x=0, y=self._row_of(line), animate=False)

    def on_resize(self, event: events.Resize) -> None:
        """Wrapping depends on the width."""
        if self.wrapped:
            self._lay_out()

    def _lay_out(self) -> None:
        self._pieces.clear()
        if self.wrapped and self._wrap_width > 0:
            self._first_rows = list(accumulate((self._height(n) for n in range(len(self.lines))), initial=0))
            self.lay(self._first_rows[-1], self._wrap_width)
        else:
            self._first_rows = None
            widest = max(map(width_of, self.lines), default=0)
            self.lay(len(self.lines), min(widest, LONGEST_LINE + 40))

    @property
    def _wrap_width(self) -> int:
        # The scrollbar's place is left free whether or not it is there, or the two would chase each other.
        return self.container_size.width - 1

    def _line_at(self, row: int) -> tuple[int, int]:
        """The line that stands on a row, and which of its rows that is."""
        if self._first_rows is None:
            return row, 0
        line = bisect_right(self._first_rows, row) - 1
        return line, row - self._first_rows[line]

    def _row_of(self, line: int, start: int = 0) -> int:
        """The row on which character `start` of a line stands."""
        if self._first_rows is None:
            return line
        pieces = self._pieces_of(line)
        return self._first_rows[line] + max(0, bisect_right(pieces, start) - 1)

    def _height(self, line: int) -> int:
        return 1 if width_of(self.lines[line]) <= self._wrap_width else len(self._pieces_of(line))

    def _pieces_of(self, line: int) -> list[int]:
        """Where the pieces of a wrapped line begin, in characters."""
        if (pieces := self._pieces.get(line)) is None:
            pieces = self._pieces[line] = _pieces(self.lines[line], self._wrap_width)
        return pieces

    # -- drawing -----------------------------------------------------------------------------

    def draw(self, row: int) -> Strip:
        """A line, or the piece of it that stands on this row."""
        line, piece = self._line_at(row)
        text = self.lines[line]
        if self._first_rows is None:
            start, end = 0, min(len(text), LONGEST_LINE)
        else:
            pieces = self._pieces_of(line)
            start, end = pieces[piece], pieces[piece + 1] if piece + 1 < len(pieces) else len(text)
        segments = [
            Segment(text[max(span.start, start) : min(span.end, end)], self.style(span.ink, span.look))
            for span in self._painted(line)
            if span.start < end and span.end > start
        ]
        if end < len(text) and self._first_rows is None:
            segments.append(Segment(f" … {len(text) - end:,} more characters: w wraps", self.style(Ink.FAINT)))
        return Strip(Segment.simplify(segments))

    def _painted(self, line: int) -> Iterable[Span]:
        """The whole line as spans, with the matches laid over."""
        marks = self._selected(line) or [
            Span(*match[1:], Ink.NAME, Look.CURSOR) if place == self._current else Span(*match[1:], Ink.MATCH)
            for place, match in self._matches_on(line)
        ]
        length = len(self.lines[line])
        return _overlaid(list(_filled(self.spans(line), length)), marks) if marks else _filled(self.spans(line), length)

    # -- selecting with the mouse ------------------------------------------------------------

    def located(self, strip: Strip, row: int, left: int) -> Strip:
        """What is seen of a row: the mouse finds out which character of which line it is on."""
        line, piece = self._line_at(row)
        return strip.apply_offsets(left if self._first_rows is None else self._pieces_of(line)[piece], line)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text, as it is shown, without the breaks of wrapping."""
        return selection.extract("\n".join(self.lines)), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Show what is selected."""
        self.redraw()

    def _selected(self, line: int) -> list[Span]:
        if (selection := self.text_selection) is None or (span := selection.get_span(line)) is None:
            return []
        start, length = span[0], len(self.lines[line])
        end = length if span[1] == -1 else min(span[1], length)
        return [Span(start, end, Ink.NAME, Look.CURSOR)] if start < end else []

    # -- searching ---------------------------------------------------------------------------

    def search(self, text: str) -> None:
        """Mark where `text` stands, in upper or lower case, and show the first place from here on.

        Args:
            text: empty ends the search.
        """
        self._needle = text
        self._find_matches()
        top = self._line_at(self.scroll_offset.y)[0] if self.lines else 0
        self._current = (
            next((n for n, match in enumerate(self._matches) if match.line >= top), 0) if self._matches else -1
        )
        self._show_current()

    def next_match(self, by: int) -> None:
        """Show the next match, or the one before; after the last comes the first."""
        if self._matches:
            self._current = (self._current + by) % len(self._matches)
        self._show_current()

    @property
    def searching(self) -> bool:
        """Whether a text is being searched."""
        return bool(self._needle)

    def _show_current(self) -> None:
        if self._current >= 0:
            match = self._matches[self._current]
            self.show_row(self._row_of(match.line, match.start), middle=True)
            if self._first_rows is None:
                self._show_columns(match)
        self.redraw()
        self.post_message(self.Searched(self._needle, self._current + 1, len(self._matches)))

    def _show_columns(self, match: Match) -> None:
        text = self.lines[match.line]
        start, end = cell_len(text[: match.start]), cell_len(text[: match.end])
        left, width = self.scroll_offset.x, self.size.width
        if start < left or end > left + width:
            self.scroll_to(x=0 if end < width else max(0, start - width // 3), animate=False)

    def _find_matches(self) -> None:
        self._matches.clear()
        if self._needle:
            find = re.compile(re.escape(self._needle), re.IGNORECASE).finditer
            for number, line in enumerate(self.lines):
                self._matches += [Match(number, *found.span()) for found in find(line)]
                if len(self._matches) >= MOST_MATCHES:
                    break
        self._current = min(self._current, len(self._matches) - 1)

    def _matches_on(self, line: int) -> list[tuple[int, Match]]:
        first = bisect_right(self._matches, (line,))
        found = []
        for place in range(first, len(self._matches)):
            if self._matches[place].line != line:
                break
            found.append((place, self._matches[place]))
        return found


def _pieces(line: str, width: int) -> list[int]:
    """Where the pieces of a line begin that is wrapped at blanks, where there are any, in characters."""
    starts, start = [0], 0
    while (end := _end(line, start, width)) < len(line):
        blank = line.rfind(" ", start, end)
        # A blank far to the left would leave most of the row empty: what stands there is no sentence.
        start = blank + 1 if blank > start + (end - start) // 2 else end
        starts.append(start)
    return starts


def _end(line: str, start: int, width: int) -> int:
    """The character behind the last that fits into `width` cells from `start` on."""
    end = min(len(line), start + width)
    if line.isascii():
        return end
    while end > start + 1 and width_of(line[start:end]) > width:
        end -= max(1, (width_of(line[start:end]) - width) // 2)
    return end


def _filled(spans: Iterable[Span], length: int) -> Iterable[Span]:
    """Spans with the gaps between them made plain spans."""
    at = 0
    for span in spans:
        if span.start > at:
            yield Span(at, span.start)
        if span.end > at:
            yield span._replace(start=max(at, span.start))
            at = span.end
    if at < length:
        yield Span(at, length)


def _overlaid(under: list[Span], over: list[Span]) -> list[Span]:
    """`under` with the spans of `over` (in order) in place of what they cover."""
    cuts = sorted({edge for span in (*under, *over) for edge in span[:2]})
    found, below, above = [], 0, 0
    for start, end in pairwise(cuts):
        while under[below].end <= start:
            below += 1
        while above < len(over) and over[above].end <= start:
            above += 1
        covered = above < len(over) and over[above].start <= start
        found.append((over[above] if covered else under[below])._replace(start=start, end=end))
    return found
