"""Editor: YAML that a person changes: coloured line by line, with what is wrong marked where it stands.

Textual's TextArea has the keys, the cursor, the selection and the history. What it does for every line after every key
is done here for the lines in sight: measuring (`EditedText`), folding (`FoldedDocument`), and drawing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar, NamedTuple, Protocol

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.geometry import Region, Size
from textual.reactive import Reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import TextArea
from textual.widgets.text_area import EditResult, Location, Selection

from ktui.kinds.text import clean
from ktui.widgets.cells import fit
from ktui.widgets.edited_text import EditedText, cells_before, column_at, shown, shown_column
from ktui.widgets.folding import (
    FoldedDocument,
    FoldedNavigator,
    begins_block,
    block_around,
    block_end,
    blocks_below_top,
    depth_of,
)
from ktui.widgets.lines_view import MORE
from ktui.widgets.palette import Ink, Palette, palette_of

INDENT = 2

STEP = 32
"""Cells by which a text that is wider than the screen grows."""

LONG = 1_000
"""Characters from which on only the part of a line is drawn that is seen, and beyond which nothing is coloured."""

MOST_FOUND = 200
"""Places in one line that are marked as found."""

# A line by itself tells enough: the inside of a block of text may be taken for keys, which does no harm. What has been
# matched is never looked at again (`*+`), as lines may be made to take long.
_QUOTED = r"\"[^\"]*+\"|'[^']*+'"
_PLAIN = r"(?![#&*!|>'\"%@`{\[:\]},])(?!-(?:\s|$))(?:[^\s:#]|:(?=\S)|(?<=\S)#|\s(?!#))++"
_KEY = re.compile(rf"\s*+(?:-\s++)*+(?P<key>{_QUOTED}|{_PLAIN})(?P<colon>:)(?=\s|$)")
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*$")
_STRING = re.compile(r"(?<=[\s\[{,:-])(?:\"(?:[^\"\\]|\\.)*+\"|'[^']*+')(?=\s*+(?:[,\]}#]|$))")
_CONSTANT = re.compile(r"(?<=[:\s-]\s)(?:true|false|null|~|[-+]?[0-9][0-9_.eE+-]*+)(?=\s*+(?:#|$))")
_LEAD = re.compile(r"\s*")
_DASHES = re.compile(r" *(?:- +)*")
_OPENS = re.compile(r"(?:^|:)(?:\s*[|>][-+0-9]*)?$|(?<=\s)[|>][-+0-9]*$")


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


class LineEdit(Protocol):
    """Lines that are put in the place of others; `ktui.manifests.snippets.Edit` is one."""

    @property
    def row(self) -> int:
        """Before which line, counted from 0."""

    @property
    def lines(self) -> Sequence[str]:
        """What is put there."""

    @property
    def removed(self) -> int:
        """How many lines, from that one on, go."""


class Editor(TextArea):
    """A text of YAML.

    Attributes:
        marks: by line, what should be looked at.
        changed_elsewhere: lines whose fields somebody else has changed meanwhile.
        asked_first: is shown each key before it means anything here, and tells whether it took it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+underscore,ctrl+slash", "comment", "Comment", show=False, tooltip="Comment lines, or no longer."),
        Binding("alt+d", "duplicate", "Duplicate", show=False, tooltip="The line once more."),
        Binding("tab", "indent(1)", "Indent", show=False),
        Binding("shift+tab", "indent(-1)", "Dedent", show=False),
        Binding("alt+up", "grow", "Select more", show=False, tooltip="Select what stands around."),
        Binding("alt+down", "shrink", "Select less", show=False, tooltip="Select what was selected before that."),
        Binding(
            "alt+left", "fold", "Fold", show=False, tooltip="Fold the block at the cursor, then the one around it."
        ),
        Binding("alt+right", "unfold", "Unfold", show=False, tooltip="Show what is folded into the line."),
        Binding("f9", "toggle_fold", "Fold", show=False, tooltip="Fold a block, or unfold it."),
        Binding("shift+f9,f21", "fold_all", "Fold all", show=False, tooltip="Fold all blocks, or unfold all."),
    ]
    DEFAULT_CSS = """
    Editor {
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
        self.asked_first: Callable[[events.Key], bool] = lambda event: False
        self._found: re.Pattern[str] | None = None
        self._notes: list[Note | None] = []
        self._notes_width = 0
        self._grown: list[tuple[Selection, Selection]] = []
        self._styles_of: tuple[Palette, dict[Ink, Style]] | None = None
        self._base = Style()
        super().__init__(
            text, soft_wrap=False, show_line_numbers=True, tab_behavior="focus", read_only=read_only, id=id
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
        self._grown.clear()
        self.marks, self.changed_elsewhere = {}, frozenset()
        self._notes, self._notes_width = [], 0
        self.move_cursor((0, 0))
        self._rewrap_and_refresh_virtual_size()

    def _replaced(self, first: int, end: int, new_end: int) -> None:
        """Lines gave way to others: what belongs to those below moves with them."""
        folds = len(self.wrapped_document.folds)
        self.wrapped_document.replaced(first, end, new_end)
        self._grown.clear()
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
        self._styles_of = palette, {ink: Style(color=Color.parse(palette.ink(ink)).rich_color) for ink in Ink}
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
        marks = self.marks.get(row, ())
        worst = min(marks, key=lambda mark: mark.sign != "✖", default=None)
        segments.append(Segment(worst.sign, styles[worst.ink]) if worst else Segment(" "))
        digits = len(str(self.document.line_count))
        segments.append(Segment(f"{row + 1:>{digits}}", styles[Ink.KEY if here else Ink.FAINT]))
        segments.append(Segment("┃", styles[Ink.KEY]) if row in self.changed_elsewhere else Segment(" "))
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
            yield 0, len(line), Style(italic=True, color=styles[Ink.KEY].color)
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
        if self.wrapped_document.reveal(selection.end[0]):
            self._refresh_size()
            self.refresh()
        return selection

    def action_fold(self) -> None:
        """Fold the innermost block at the cursor that is not folded yet."""
        row: int | None = self.cursor_location[0]
        while row is not None:
            if row not in self.wrapped_document.folds and self.fold_row(row):
                return
            row = block_around(self.document.lines, row)

    def action_unfold(self) -> None:
        """Show what is folded into the line of the cursor."""
        self.unfold_row(self.cursor_location[0])

    def action_toggle_fold(self) -> None:
        """Fold the block at the cursor, or unfold it."""
        if not self.unfold_row(self.cursor_location[0]):
            self.action_fold()

    def action_fold_all(self) -> None:
        """Fold all blocks below the topmost keys; when anything is folded, unfold all."""
        if self.wrapped_document.folds:
            self.wrapped_document.fold_each({})
        else:
            folds = blocks_below_top(self.document.lines)
            row, column = self.cursor_location
            while row not in folds and (around := block_around(self.document.lines, row)) is not None:
                row = around
            while (around := block_around(self.document.lines, row)) in folds and around is not None:
                row = around
            self.wrapped_document.fold_each(folds)
            if folds:
                self.move_cursor((row, min(column, len(self.document.get_line(row)))))
        self._folds_changed()

    async def _on_mouse_down(self, event: events.MouseDown) -> None:
        """Called before Textual's: a click beside the text folds what begins there, or unfolds it."""
        if event.x - self.gutter.left >= self.gutter_width:
            return
        event.stop()
        event.prevent_default()
        y = event.y - self.gutter.top + self.scroll_offset.y
        if y < self.wrapped_document.height:
            row = self.wrapped_document.row_at(y)
            if not (self.unfold_row(row) or self.fold_row(row)):
                self.move_cursor((row, 0))

    # -- editing -----------------------------------------------------------------------------

    @property
    def lines_selected(self) -> tuple[int, int]:
        """The first and the last line of the selection, with what is folded into it; a line of which nothing is
        selected does not count."""
        (first, _), (last, column) = sorted(self.selection)
        last = last - 1 if last > first and column == 0 else last
        # A fold is as long as the lines that it hides.
        while (further := self.wrapped_document.folds.get(last, last)) > last:
            last = further
        return first, last

    def rewrite(self, changed: Mapping[int, str]) -> None:
        """Put other lines in the place of some, as one step back for undo.

        Args:
            changed: by row. What has line breaks becomes several lines.
        """
        if changed and not self.read_only:
            first, last = min(changed), max(changed)
            lines = self.document.lines[first : last + 1]
            self._rewrite(first, last, [changed.get(row, line) for row, line in enumerate(lines, first)])

    def _rewrite(self, first: int, last: int, lines: list[str]) -> None:
        """Put lines in the place of others, as one step back for undo; the selection stays on them."""
        (start, end), end_column = self.selection, len(self.document.get_line(last))
        text, count = self.document.newline.join(lines), self.document.line_count
        folds = dict(self.wrapped_document.folds)
        self.replace(text, (first, 0), (last, end_column), maintain_selection_offset=False)

        def kept(at: Location) -> Location:
            row = min(at[0], self.document.line_count - 1)
            return row, min(at[1], len(self.document.get_line(row)))

        self.selection = Selection(kept(start), kept(end))
        if self.document.line_count == count:
            self.wrapped_document.fold_each(folds)
            self._folds_changed()

    def apply_edits(self, edits: Sequence[LineEdit], select: str = "") -> None:
        """Put lines into the text, as one step back for undo.

        Args:
            edits: none in the lines of another.
            select: of what was put there, what is selected; the cursor is in the first new line when it is not found.
        """
        if not edits or self.read_only:
            return
        order = sorted(edits, key=lambda edit: edit.row)
        first = min(order[0].row, self.document.line_count)
        end = max(edit.row + edit.removed for edit in order)
        lines, place, at = [], -1, first
        for edit in order:
            lines += self.document.lines[at : edit.row]
            found = next((n for n, line in enumerate(edit.lines) if select and select in line), -1)
            if place < 0 and found >= 0:
                place = first + len(lines) + found
            lines += edit.lines
            at = edit.row + edit.removed
        self._put(first, end, lines)
        row = place if place >= 0 else first
        column = max(0, self.document.get_line(row).find(select)) if place >= 0 else len(self.document.get_line(row))
        self.go_to_line(row, column)
        if place >= 0:
            self.selection = Selection((row, column), (row, column + len(select)))

    def _put(self, first: int, end: int, lines: Sequence[str]) -> None:
        """Put whole lines in the place of those from `first` up to `end`."""
        newline, count = self.document.newline, self.document.line_count
        if end < count:
            text = "".join(line + newline for line in lines)
            self.replace(text, (first, 0), (end, 0), maintain_selection_offset=False)
        else:
            start = (first, 0) if first == 0 else (first - 1, len(self.document.get_line(first - 1)))
            text = newline.join(lines) if first == 0 else "".join(newline + line for line in lines)
            self.replace(text, start, self.document.end, maintain_selection_offset=False)

    async def _on_key(self, event: events.Key) -> None:
        """Called before Textual's: a new line begins where it belongs."""
        if self.asked_first(event):
            event.stop()
            event.prevent_default()
            return
        if event.key != "enter" or self.read_only:
            return
        event.stop()
        event.prevent_default()
        start, end = sorted(self.selection)
        line = self.document.get_line(start[0])
        if start == end and line.strip() == "-" and not line[start[1] :].strip():
            # No further item: the line gives its dash back.
            self.replace("", (start[0], depth_of(line)), (start[0], len(line)), maintain_selection_offset=False)
            return
        text = "\n" + beginning(line[: start[1]], whole=not line[start[1] :].strip())
        self.replace(text, start, end, maintain_selection_offset=False)

    async def _on_paste(self, event: events.Paste) -> None:
        """Called before Textual's: what is pasted is one step of undo, and stays as it is but for its line breaks."""
        event.stop()
        event.prevent_default()
        if not self.read_only:
            self._paste(event.text)

    def action_paste(self) -> None:
        """Paste what was cut or copied."""
        if not self.read_only:
            self._paste(self.app.clipboard)

    def _paste(self, text: str) -> None:
        # Terminals send carriage returns for the line breaks of a paste.
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        start, end = sorted(self.selection)
        if text or start != end:
            self.replace(text, start, end, maintain_selection_offset=False)

    def action_delete_left(self) -> None:
        """Delete what is selected, or what stands before the cursor: one step of indentation where that is all."""
        if self.read_only:
            return
        row, column = self.cursor_location
        if self.selection.is_empty and column > 1 and not self.document.get_line(row)[:column].strip(" "):
            self.replace("", (row, (column - 1) // INDENT * INDENT), (row, column), maintain_selection_offset=False)
            return
        if self.selection.is_empty and not column:
            # What is hidden is not deleted unseen.
            self.wrapped_document.reveal(row - 1)
            self.refresh()
        super().action_delete_left()

    def action_delete_right(self) -> None:
        """Delete what is selected, or what stands behind the cursor."""
        if self.read_only:
            return
        if self.selection.is_empty and self.cursor_at_end_of_line:
            self.unfold_row(self.cursor_location[0])
        super().action_delete_right()

    def action_delete_to_start_of_line(self) -> None:
        """Delete what stands before the cursor in its line; at its start, the line break."""
        if self.cursor_at_start_of_line:
            self.action_delete_left()
        else:
            super().action_delete_to_start_of_line()

    def _delete_cursor_line(self) -> EditResult | None:
        """Textual's own does not know of folds."""
        first, last = self.lines_selected
        column = self.cursor_location[1]
        deletion = self._delete_via_keyboard((first, 0), (last + 1, 0))
        if deletion is not None:
            self.move_cursor_relative(columns=column, record_width=False)
        return deletion

    def action_comment(self) -> None:
        """Comment the selected lines, or take the comments away where all are comments."""
        if self.read_only:
            return
        first, last = self.lines_selected
        lines = self.document.lines[first : last + 1]
        said = [line for line in lines if line.strip()]
        if said and all(line.lstrip().startswith("#") for line in said):
            self._rewrite(first, last, [re.sub(r"^(\s*)# ?", r"\1", line) for line in lines])
            return
        depth = min((len(line) - len(line.lstrip()) for line in said), default=0)
        self._rewrite(first, last, [f"{line[:depth]}# {line[depth:]}" if line.strip() else line for line in lines])

    def action_duplicate(self) -> None:
        """The selected lines once more, below."""
        if self.read_only:
            return
        first, last = self.lines_selected
        lines = self.document.lines[first : last + 1]
        folds = {row: end for row, end in self.wrapped_document.folds.items() if first <= row <= last}
        row, column = self.cursor_location
        self.insert("".join(self.document.newline + line for line in lines), (last, len(lines[-1])))
        self.wrapped_document.fold_each({**self.wrapped_document.folds, **folds})
        self.move_cursor((row + len(lines), column))
        self._folds_changed()

    def action_indent(self, by: int) -> None:
        """Move the selected lines to the right, or to the left."""
        if self.read_only:
            return
        first, last = self.lines_selected
        lines = self.document.lines[first : last + 1]
        start, end = self.selection
        if by > 0:
            moved = [" " * INDENT + line if line.strip() else line for line in lines]
        else:
            moved = [line[min(INDENT, len(_LEAD.match(line)[0])) :] for line in lines]  # type: ignore[index]
        if moved == lines:
            return
        self._rewrite(first, last, moved)
        grown = [len(new) - len(old) for new, old in zip(moved, lines, strict=True)]

        def shifted(at: Location) -> Location:
            place = at[0] - first
            return (at[0], max(0, at[1] + grown[place])) if 0 <= place < len(grown) else at

        self.selection = Selection(shifted(start), shifted(end))

    def action_grow(self) -> None:
        """Select what stands around the selection: the block that begins in its line, then the one around it."""
        selection, lines = self.selection, self.document.lines
        top, last = self.lines_selected
        while True:
            bottom = max(block_end(lines, top), top)
            grown = Selection((top, 0), (bottom, len(lines[bottom])))
            if bottom >= last and grown != selection:
                break
            if (around := block_around(lines, top)) is None:
                top, bottom = 0, len(lines) - 1
                grown = Selection((0, 0), (bottom, len(lines[bottom])))
                break
            top = around
        if grown != selection:
            if not self._grown or self._grown[-1][0] != selection:
                self._grown.clear()
            self._grown.append((grown, selection))
            self.selection = grown

    def action_shrink(self) -> None:
        """Select what was selected before there was more."""
        if self._grown and self._grown[-1][0] == self.selection:
            self.selection = self._grown.pop()[1]

    def select_in(self, row: int, begin: int, end: int) -> None:
        """Select some columns of a line: where it is seen, without scrolling, else in the middle of the screen."""
        self.wrapped_document.reveal(row)
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


def beginning(line: str, *, whole: bool) -> str:
    """How the line below begins: as deep as the field in this one, deeper below a key of its own, and an item of plain
    values below another.

    Args:
        line: up to the cursor.
        whole: whether nothing stands behind that.
    """
    lead = _DASHES.match(line)[0]  # type: ignore[index]
    body = line[len(lead) :].rstrip()
    deep = " " * len(lead)
    if not body or body.startswith("#"):
        return " " * depth_of(line) if "-" not in lead else deep
    if _OPENS.search(body):
        return deep + " " * INDENT
    return lead if whole and "-" in lead and _KEY.match(body) is None else deep


def found_in(pattern: re.Pattern[str], line: str, start: int = 0) -> list[tuple[int, int]]:
    """Where a pattern is found in a line, as columns; places without a character do not count."""
    places = (match.span() for match in pattern.finditer(line, start))
    return [(begin, end) for (begin, end), _ in zip(places, range(MOST_FOUND), strict=False) if begin < end]


def spans(line: str) -> list[tuple[int, int, Ink]]:
    """How a line of YAML is coloured: start, end, ink; later ones lie over earlier ones."""
    found: list[tuple[int, int, Ink]] = []
    key = _KEY.match(line)
    start = 0
    if key is not None:
        found.append((*key.span("key"), Ink.FOCUS))
        found.append((*key.span("colon"), Ink.QUIET))
        start = key.end()
    for pattern, ink in ((_CONSTANT, Ink.KEY), (_STRING, Ink.GOOD), (_COMMENT, Ink.FAINT)):
        found += [(*match.span(), ink) for match in pattern.finditer(line, start if ink is not Ink.FAINT else 0)]
    return found


def _selection(palette: Palette) -> Style:
    return Style(reverse=True) if palette.ansi else Style(bgcolor=palette.cursor, color=palette.on_cursor or None)
