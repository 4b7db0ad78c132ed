"""OverviewView: sections arranged for reading, in one column or two."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import replace

from rich.cells import set_cell_size
from textual import events
from textual.strip import Strip

from ktui.kinds.overview import Line, Section, Table
from ktui.kinds.tone import Tone
from ktui.widgets.cells import fit, width_of
from ktui.widgets.lines_view import LinesView, Piece
from ktui.widgets.palette import TONE_INKS, Ink

# From this width on there are two columns: each is then as wide as half a wide terminal, which tables need.
TWO_COLUMNS = 120
WIDEST_LABEL = 22
WIDEST_WORD = 26
MARGIN, GUTTER = 1, 3

PaintedLine = list[Piece]


class OverviewView(LinesView):
    """Shows the sections of `ktui.kinds.overview`."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._sections: Sequence[Section] = ()
        self._lines: list[PaintedLine] = []

    def show_sections(self, sections: Sequence[Section]) -> None:
        """Show other sections, or the same ones with other words."""
        if sections != self._sections:
            self._sections = sections
            self._arrange()

    def on_resize(self, event: events.Resize) -> None:
        """What fits side by side depends on the width."""
        self._arrange()

    def draw(self, row: int) -> Strip:
        """A line of one or two columns."""
        return self.paint(self._lines[row])

    def _arrange(self) -> None:
        # The scrollbar's place is left free whether or not it is there, or the two would chase each other.
        width = self.container_size.width - 1
        if width > 0:
            self._lines = arranged(self._sections, width)
            self.lay(len(self._lines), width)


def arranged(sections: Sequence[Section], width: int) -> list[PaintedLine]:
    """Sections as lines, in reading order: down the left column, then down the right one.

    Args:
        sections: what is shown.
        width: cells of the whole page.
    """
    inner = width - 2 * MARGIN
    if width < TWO_COLUMNS:
        lines = [line for section in sections for line in (*block(section, inner), [])]
        return [[Piece(" " * MARGIN), *line] for line in lines]
    column = (inner - GUTTER) // 2
    blocks = [[*block(section, column), []] for section in sections]
    split = _split([len(lines) for lines in blocks])
    left = [line for lines in blocks[:split] for line in lines]
    right = [line for lines in blocks[split:] for line in lines]
    page = []
    for row in range(max(len(left), len(right))):
        first = left[row] if row < len(left) else []
        second = right[row] if row < len(right) else []
        gap = column + GUTTER - sum(width_of(piece.text) for piece in first)
        page.append([Piece(" " * MARGIN), *first, Piece(" " * gap), *second])
    return page


def _split(heights: Sequence[int]) -> int:
    """How many sections stand in the left column so that the higher one is as low as possible."""
    total, best, lowest = sum(heights), len(heights), sum(heights)
    left = 0
    for count, height in enumerate(heights, start=1):
        left += height
        if max(left, total - left) < lowest:
            best, lowest = count, max(left, total - left)
    return best


def block(section: Section, width: int) -> list[PaintedLine]:
    """A section as lines of at most `width` cells.

    Args:
        section: its texts are safe to show.
        width: cells of the column.
    """
    lines = [_title(section, width), *_labelled(section.lines, width)]
    if section.table is not None:
        lines += _table(section.table, width)
    return lines


def _title(section: Section, width: int) -> PaintedLine:
    # The whole page has one object's tone; a section has a glyph when it tells of something in itself (a container).
    glyph = f"{section.tone.value} " if section.tone is not Tone.PLAIN else ""
    title = fit(section.title, min(width_of(section.title), max(4, width - 4)))
    rest = max(0, width - width_of(title) - width_of(glyph) - 1)
    return [
        Piece(glyph, TONE_INKS[section.tone], bold=True),
        Piece(title, Ink.FOCUS, bold=True),
        Piece(f" {'─' * rest}", Ink.BORDER),
    ]


def _labelled(lines: Sequence[Line], width: int) -> list[PaintedLine]:
    # Labels of our own are short; keys of annotations are not, and get more room where there is some.
    most = max(6, width // 3) if width < 3 * WIDEST_LABEL else max(WIDEST_LABEL, width * 2 // 5)
    label_width = min(most, max((width_of(line.label) for line in lines), default=0))
    room = max(4, width - label_width - 2)
    page: list[PaintedLine] = []
    for line in lines:
        ink = Ink.TEXT if line.tone is Tone.PLAIN else TONE_INKS[line.tone]
        glyph = f"{line.tone.value} " if line.tone is not Tone.PLAIN else ""
        for place, text in enumerate(wrapped(glyph + line.value, room)):
            label = line.label if place == 0 else ""
            page.append([Piece(fit(label, max(1, label_width)), Ink.QUIET), Piece("  "), Piece(text, ink)])
    return page


def _table(table: Table, width: int) -> list[PaintedLine]:
    table = _without_empty_columns(table)
    toned = any(row.tone is not Tone.PLAIN for row in table.rows)
    margin = 2 if toned else 0
    widths = _column_widths(table, width - margin)
    if widths is None:
        return _records(table, width)
    page = [[Piece(" " * margin), *_cells(table.header, widths, Ink.FAINT)]]
    for row in table.rows:
        ink = TONE_INKS[row.tone]
        columns = [wrapped(cell, room) for cell, room in zip(row.cells, widths, strict=True)]
        for place in range(max(map(len, columns), default=0)):
            cells = [column[place] if place < len(column) else "" for column in columns]
            glyph = [Piece(fit(row.tone.value if place == 0 else "", margin), ink)] if toned else []
            first, *others = _cells(cells, widths, Ink.TEXT)
            page.append([*glyph, first._replace(ink=ink), *others])
    return page


def _without_empty_columns(table: Table) -> Table:
    """The table without the columns in which no row says anything."""
    kept = [
        place
        for place in range(len(table.header))
        if place == 0 or any(row.cells[place] not in ("", "-") for row in table.rows)
    ]
    if len(kept) == len(table.header):
        return table
    rows = tuple(replace(row, cells=tuple(row.cells[place] for place in kept)) for row in table.rows)
    return Table(tuple(table.header[place] for place in kept), rows)


def _cells(cells: Sequence[str], widths: Sequence[int], ink: Ink) -> PaintedLine:
    last = len(cells) - 1
    return [
        Piece(fit(cell, room) + ("  " if place < last else ""), ink)
        for place, (cell, room) in enumerate(zip(cells, widths, strict=True))
    ]


def _column_widths(table: Table, width: int) -> list[int] | None:
    """Cells for each column: its longest text, the widest made narrower until all fit; None when they cannot."""
    columns = [[head, *(row.cells[place] for row in table.rows)] for place, head in enumerate(table.header)]
    widths = [max(1, *map(width_of, texts)) for texts in columns]
    # Words are broken only when they are very long, and never those of the header.
    least = [max(width_of(texts[0]), min(WIDEST_WORD, _longest_word(texts))) for texts in columns]
    excess = sum(widths) + 2 * (len(widths) - 1) - width
    while excess > 0:
        place = max(range(len(widths)), key=lambda place: (widths[place] > least[place], widths[place]))
        if widths[place] <= least[place]:
            return None
        others = max((taken for other, taken in enumerate(widths) if other != place), default=0)
        # Down to the next widest at once, or by what is missing, whichever is less.
        narrower = max(least[place], min(widths[place] - 1, max(others, widths[place] - excess)))
        excess -= widths[place] - narrower
        widths[place] = narrower
    return widths


def _longest_word(texts: Sequence[str]) -> int:
    return max((width_of(word) for text in texts for word in text.split()), default=1)


def _records(table: Table, width: int) -> list[PaintedLine]:
    """A table for which there is no room, as labelled values row by row."""
    page: list[PaintedLine] = []
    for row in table.rows:
        first, *others = zip(table.header, row.cells, strict=True)
        lines = [Line(*first, row.tone), *(Line(*pair) for pair in others if pair[1])]
        page += _labelled(lines, width)
    return page


def wrapped(text: str, width: int) -> list[str]:
    """`text` in pieces of at most `width` cells, broken between words where there are any.

    Args:
        text: on one line.
        width: cells, at least 1.
    """
    if width_of(text) <= width:
        return [text]
    if text.isascii() and not text.isspace():
        return textwrap.wrap(text, width, break_on_hyphens=False)
    lines, line = [], ""
    for word in text.split(" "):
        if line and width_of(line) + 1 + width_of(word) > width:
            lines.append(line)
            line = ""
        line = f"{line} {word}" if line else word
        while width_of(line) > width:
            piece = set_cell_size(line, width).rstrip()
            lines.append(piece)
            line = line[max(1, len(piece)) :]
    return [*lines, line]
