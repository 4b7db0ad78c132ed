"""EditorView: a text of YAML as it is seen: colours, marks, folds, and what is said beside the lines.

Textual's TextArea has the keys, the cursor, the selection and the history. What it does for every line after every key
is done here for the lines in sight: measuring (`EditedText`), folding (`FoldedDocument`), and drawing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.color import Color
from textual.geometry import Region, Size
from textual.reactive import Reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import TextArea
from textual.widgets.text_area import Location, Selection

from ktui.kinds.text import clean
from ktui.widgets.cells import fit
from ktui.widgets.edited_text import EditedText, cells_before, column_at, shown, shown_column
from ktui.widgets.folding import FoldedDocument, FoldedNavigator, begins_block, block_end
from ktui.widgets.line_colours import found_in, spans
from ktui.widgets.lines_view import MORE
from ktui.widgets.palette import Ink, Palette, palette_of

INDENT = 2

UNDONE = 500
"""Steps that can be undone."""

STEP = 32
"""Cells by which a text that is wider than the screen grows."""

LONG = 1_000
"""Characters from which on only the part of a line is drawn that is seen, and beyond which nothing is coloured."""


class Mark(NamedTuple):
    """A place in a line that a person should look at.

    Attributes:
        start, end: columns; the whole line when both are 0.
        ink: how it stands out.
    """

    start: int
    end: int
    ink: Ink = Ink.FAILED

    @property
    def sign(self) -> str:
        """What stands beside the number of the line."""
        return "✖" if self.ink is Ink.FAILED else "▲"


class Note(NamedTuple):
    """What is said beside a line.

    Attributes:
        text: not cleaned; cut where it does not fit.
        ink: what it is.
    """

    text: str
    ink: Ink = Ink.QUIET


class EditorView(TextArea):
    """A text of YAML.

    Args:
        text: the whole of it.
        read_only: whether nobody may change it.
        id: the widget's id.

    Attributes:
        marks: by line, what should be looked at.
        changed_elsewhere: lines whose fields somebody else has changed meanwhile.
    """

    DEFAULT_CSS = """
    EditorView {
        border: none; padding: 0; background: $background; color: $foreground; height: 1fr;
        scrollbar-size-vertical: 1; scrollbar-size-horizontal: 0;
        &:focus { border: none; }
    }
    """

    document: EditedText
    wrapped_document: FoldedDocument
    # Textual draws everything anew when the cursor moves.
    selection: Reactive[Selection] = Reactive(Selection(), init=False, always_update=True, repaint=False)

    def __init__(self, text: str = "", *, read_only: bool = False, id: str | None = None) -> None:  # noqa: A002
        self.marks: Mapping[int, list[Mark]] = {}
        self.changed_elsewhere: frozenset[int] = frozenset()
        self._found: re.Pattern[str] | None = None
        self._notes: list[Note | None] = []
        self._notes_width = 0
        self._styles_of: tuple[Palette, dict[Ink, Style]] | None = None
        self._base = Style()
        super().__init__(
            text,
            soft_wrap=False,
            show_line_numbers=True,
            tab_behavior="focus",
            read_only=read_only,
            id=id,
            max_checkpoints=UNDONE,
        )
        # A blinking cursor writes 3.6 KB a second to the terminal.
        self.cursor_blink = False
        self.indent_width = INDENT

    # -- the text ----------------------------------------------------------------------------

    @property
    def version(self) -> int:
        """How often the text was changed since it was loaded: what was made of one version holds while it lasts."""
        return self.document.version

    def _set_document(self, text: str, language: str | None) -> None:
        """Textual's own makes its own documents here."""
        self.document = EditedText(text)
        self.wrapped_document = FoldedDocument(self.document)
        self.navigator = FoldedNavigator(self.wrapped_document)
        self.document.replaced = self._replaced
        self.marks, self.changed_elsewhere = {}, frozenset()
        self._notes, self._notes_width = [], 0
        self.move_cursor((0, 0))
        self._rewrap_and_refresh_virtual_size()
        # The size may be the same.
        self.refresh()

    def _replaced(self, first: int, end: int, new_end: int) -> None:
        """Lines gave way to others: what belongs to those below moves with them."""
        folds = len(self.wrapped_document.folds)
        self.wrapped_document.replaced(first, end, new_end)
        if by := new_end - end:
            self._move_what_is_said(first, end, new_end, by)
        self._draw_rows(first, self.document.line_count if by else end - 1)
        if len(self.wrapped_document.folds) < folds:
            self.refresh()
        # Before the cursor is brought into sight, as that goes no further than the text.
        self._refresh_size()

    def _move_what_is_said(self, first: int, end: int, new_end: int, by: int) -> None:
        if self._notes:
            kept = self._notes[first:end][: new_end - first]
            self._notes[first:end] = [*kept, *[None] * (new_end - first - len(kept))]

        def moved(row: int) -> int | None:
            return row + by if row >= end else row if row < max(first, new_end) else None

        if self.marks:
            self.marks = {to: marks for row, marks in self.marks.items() if (to := moved(row)) is not None}
        if self.changed_elsewhere:
            self.changed_elsewhere = frozenset(to for row in self.changed_elsewhere if (to := moved(row)) is not None)

    def _build_highlight_map(self) -> None:
        """No tree of syntax is built: a line is coloured by itself, and what was drawn of others still holds."""

    def _refresh_size(self) -> None:
        width = self.document.get_size(INDENT).width + self.gutter_width + 1
        # In steps, as the whole page is laid out anew when it grows.
        wide = self.size.width if width <= self.size.width else -(-width // STEP) * STEP
        self.virtual_size = Size(wide, self.wrapped_document.height)
        self._refresh_scrollbars()

    def find_matching_bracket(self, bracket: str, search_from: Location) -> Location | None:
        """Brackets are not matched: a long text would be read for each."""
        return None

    def get_column_width(self, row: int, column: int) -> int:
        """The cells before a column."""
        return cells_before(self.document.get_line(row), column)

    def cell_width_to_column_index(self, cell_width: int, row_index: int) -> int:
        """The column of a cell."""
        return column_at(self.document.get_line(row_index), cell_width)

    # -- painting ----------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Take the theme's colours."""
        self._take_theme()

    def _app_theme_changed(self) -> None:
        self._take_theme()

    def _take_theme(self) -> None:
        palette = palette_of(self.app)
        self._styles_of = palette, {ink: _style(palette, ink) for ink in Ink}
        self._repaint()

    def _repaint(self) -> None:
        self._line_cache.clear()
        self.refresh()

    @property
    def gutter_width(self) -> int:
        """The cells left of the text: what is noted, a sign, the number of the line, and another two signs."""
        notes = self._notes_width + 1 if self._notes_width else 0
        return notes + len(str(self.document.line_count)) + 3

    def render_lines(self, crop: Region) -> list[Strip]:
        """The visible lines; Textual's own would ask the stylesheet for colours that are not used."""
        self._base = self.rich_style
        return ScrollView.render_lines(self, crop)

    def render_line(self, y: int) -> Strip:
        """One visible line."""
        left, top = self.scroll_offset
        room, base = max(0, self.size.width - self.gutter_width), self._base
        if top + y >= self.wrapped_document.height or self._styles_of is None:
            return Strip.blank(self.size.width, base)
        row = self.wrapped_document.row_at(top + y)
        here = row == self.cursor_location[0]
        ground = self._ground_here(base) if here else base
        drawn = self._drawn(row, left, room)
        if drawn.cell_length > room:
            drawn = Strip.join([drawn.crop(0, room - 1), Strip([Segment(MORE, self._styles_of[1][Ink.FAINT])], 1)])
        gutter = self._gutter(row, here=here)
        return Strip.join([gutter, drawn.extend_cell_length(room)]).apply_style(ground)

    def _ground_here(self, base: Style) -> Style:
        assert self._styles_of is not None
        palette = self._styles_of[0]
        return base if palette.ansi else base + Style(bgcolor=palette.related)

    def _gutter(self, row: int, *, here: bool) -> Strip:
        assert self._styles_of is not None
        styles = self._styles_of[1]
        segments = []
        if self._notes_width:
            note = (self._notes[row] if row < len(self._notes) else None) or Note("")
            segments.append(Segment(fit(clean(note.text), self._notes_width) + " ", styles[note.ink]))
        last = self.wrapped_document.folds.get(row, row)
        rows = [row] if last == row else [at for at in self.marks if row <= at <= last]
        marks = (mark for at in rows for mark in self.marks.get(at, ()))
        worst = min(marks, key=lambda mark: mark.sign != "✖", default=None)
        segments.append(Segment(worst.sign, styles[worst.ink]) if worst else Segment(" "))
        digits = len(str(self.document.line_count))
        segments.append(Segment(f"{row + 1:>{digits}}", styles[Ink.KEY if here else Ink.FAINT]))
        changed = any(row <= at <= last for at in self.changed_elsewhere)
        segments.append(Segment("┃", styles[Ink.KEY]) if changed else Segment(" "))
        if row in self.wrapped_document.folds:
            segments.append(Segment("▸", styles[Ink.FOCUS]))
        elif here and begins_block(self.document.lines, row):
            segments.append(Segment("▾", styles[Ink.FAINT]))
        else:
            segments.append(Segment(" "))
        return Strip(segments, self.gutter_width)

    def _drawn(self, row: int, left: int, room: int) -> Strip:
        """What is seen of a line, from a cell on, and a little more where it goes on."""
        line = self.document.get_line(row)
        if len(line) > LONG:
            # What is drawn of a long line is not kept: it would be held as long as other lines are.
            begin = column_at(line, left)
            skipped = left - cells_before(line, begin)
            text = self._text(row, begin, begin + room + 2)
            return Strip(text.render(self.app.console)).crop(max(0, skipped))
        marks = tuple(self.marks.get(row, ()))
        hidden, changed = self.wrapped_document.hidden(row), row in self.changed_elsewhere
        key = (line, marks, self._selected(row), self._cursor_in(row), hidden, changed, self._found, left)
        if (strip := self._line_cache.get(key)) is None:
            strip = Strip(self._text(row, 0, len(line)).render(self.app.console))
            strip = self._line_cache[key] = strip.crop(left) if left else strip
        return strip

    def get_line(self, line_index: int) -> Text:
        """A line with its colours and marks; only lines in sight are asked for."""
        return self._text(line_index, 0, len(self.document.get_line(line_index)))

    def _text(self, row: int, begin: int, end: int) -> Text:
        """Some columns of a line as they are drawn; with a blank for the cursor behind the last one."""
        line = self.document.get_line(row)
        part = line[begin:end]
        text = Text(shown(part), end="", no_wrap=True)
        last = end >= len(line)
        if last:
            text.append(" ")
        if self._styles_of is None:
            return text
        plain = len(text) == len(part) + last
        for start, stop, style in self._styled(row, line):
            start, stop = max(0, start - begin), min(stop - begin, len(part) + last)
            if start < stop:
                if not plain:
                    start, stop = shown_column(part, start), shown_column(part, stop)
                text.stylize(style, start, stop)
        if last and (hidden := self.wrapped_document.hidden(row)):
            words = f" ⋯ {hidden} line" if hidden == 1 else f" ⋯ {hidden} lines"
            text.append(words, self._styles_of[1][Ink.FAINT])
        return text

    def _styled(self, row: int, line: str) -> Iterable[tuple[int, int, Style]]:
        """What stands out of a line, by its columns; later ones lie over earlier ones."""
        assert self._styles_of is not None
        palette, styles = self._styles_of
        for start, end, ink in spans(line[:LONG]):
            yield start, end, styles[ink]
        if row in self.changed_elsewhere:
            yield 0, len(line), Style(italic=True)
        for mark in self.marks.get(row, ()):
            start, end = mark.start, mark.end
            if end <= start:
                start, end = len(line) - len(line.lstrip()), len(line)
            yield start, end, Style(underline=True, color=styles[mark.ink].color)
        if self._found is not None:
            for place in found_in(self._found, line):
                yield *place, Style(underline=True, bold=True, color=styles[Ink.KEY].color)
        if (selected := self._selected(row)) is not None:
            yield *selected, _selection(palette)
        if (cursor := self._cursor_in(row)) is not None:
            yield cursor, cursor + 1, Style(reverse=True)

    def _selected(self, row: int) -> tuple[int, int] | None:
        """Which columns of a line are selected."""
        (first, left), (last, right) = sorted(self.selection)
        if not first <= row <= last or (first, left) == (last, right):
            return None
        return left if row == first else 0, right if row == last else len(self.document.get_line(row)) + 1

    def _cursor_in(self, row: int) -> int | None:
        at, column = self.cursor_location
        return column if at == row and self._draw_cursor else None

    def watch_selection(self, before: Selection, now: Selection) -> None:
        """Draw the lines in which the cursor or something selected was, and is."""
        rows = [row for place in (before, now) for row, _ in place]
        if before.is_empty and now.is_empty:
            for row in {before.end[0], now.end[0]}:
                self._draw_rows(row, row)
        else:
            self._draw_rows(min(rows), max(rows))

    def _draw_rows(self, first: int, last: int) -> None:
        """Draw some lines anew, as far as they are in sight."""
        top, height = self.scroll_offset.y, self.size.height
        begin = max(0, self.wrapped_document.place_of(first) - top)
        end = min(height, self.wrapped_document.place_of(last) + 1 - top)
        if begin < end:
            self.refresh(Region(0, begin, self.size.width, end - begin))

    def mark(self, marks: Mapping[int, list[Mark]]) -> None:
        """Show what should be looked at."""
        if marks != self.marks:
            self.marks = marks
            self.refresh()

    def mark_changed(self, lines: Iterable[int]) -> None:
        """Show what somebody else has changed."""
        if (changed := frozenset(lines)) != self.changed_elsewhere:
            self.changed_elsewhere = changed
            self.refresh()

    def mark_found(self, pattern: re.Pattern[str] | None) -> None:
        """Show all places in sight at which a pattern is found; None: no longer."""
        if pattern != self._found:
            self._found = pattern
            self.refresh()

    def annotate(self, column: Mapping[int, Note] | None, width: int = 0) -> None:
        """Say something beside the lines.

        Args:
            column: by line, what is said; lines move with it. None takes it all away.
            width: cells of the longest that is shown.
        """
        self._notes = [] if column is None else [column.get(row) for row in range(self.document.line_count)]
        self._notes_width = 0 if column is None else width
        self._refresh_size()
        self.scroll_cursor_visible()
        self.refresh()

    # -- folding -----------------------------------------------------------------------------

    @property
    def folded(self) -> frozenset[int]:
        """The first lines of the blocks that are folded."""
        return frozenset(self.wrapped_document.folds)

    def fold_row(self, row: int) -> bool:
        """Fold the block that begins in a line; whether there is one. The cursor does not stay in it."""
        if (last := block_end(self.document.lines, row)) == row:
            return False
        self.wrapped_document.fold(row, last)
        if row < self.cursor_location[0] <= last:
            self.move_cursor((row, len(self.document.get_line(row))))
        self._folds_changed()
        return True

    def unfold_row(self, row: int) -> bool:
        """Show what is folded into a line; whether anything was."""
        if not self.wrapped_document.unfold(row):
            return False
        self._folds_changed()
        return True

    def _folds_changed(self) -> None:
        self._refresh_size()
        self.scroll_cursor_visible()
        self.refresh()

    def validate_selection(self, selection: Selection) -> Selection:
        """The cursor is never hidden: what hides it is unfolded."""
        self._reveal(selection.end[0])
        return selection

    def _reveal(self, row: int) -> None:
        if self.wrapped_document.reveal(row):
            self._refresh_size()
            self.refresh()

    def select_in(self, row: int, begin: int, end: int) -> None:
        """Select some columns of a line: where it is seen, without scrolling, else in the middle of the screen."""
        self._reveal(row)
        y = self.wrapped_document.place_of(row) - self.scroll_offset.y
        self.selection = Selection((row, begin), (row, end))
        if not 0 <= y < self.size.height:
            self.scroll_cursor_visible(center=True)

    def go_to_line(self, line: int, column: int = 0) -> None:
        """Put the cursor somewhere, in the middle of the screen; what is folded there is shown.

        Args:
            line, column: counted from 0.
        """
        row = max(0, min(line, self.document.line_count - 1))
        self.move_cursor((row, min(column, len(self.document.get_line(row)))), center=True)


def _style(palette: Palette, ink: Ink) -> Style:
    dim = palette.ansi and ink in (Ink.QUIET, Ink.FAINT)
    return Style(color=Color.parse(palette.ink(ink)).rich_color, dim=dim or None)


def _selection(palette: Palette) -> Style:
    return Style(reverse=True) if palette.ansi else Style(bgcolor=palette.cursor, color=palette.on_cursor or None)
