"""Editor: YAML that a person changes: lines that begin where they belong, blocks that fold, and changes of many lines.

What it looks like is said in `EditorView`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Protocol

from textual import events
from textual.binding import Binding, BindingType
from textual.widgets.text_area import EditResult, Location, Selection

from ktui.widgets.editor_view import INDENT, EditorView, Mark, Note
from ktui.widgets.folding import block_around, block_end, blocks_below_top, depth_of
from ktui.widgets.key_order import obeyed
from ktui.widgets.line_colours import KEY, spans

__all__ = ("INDENT", "Editor", "LineEdit", "Mark", "Note", "beginning", "spans")

_LEAD = re.compile(r"\s*")
_DASHES = re.compile(r" *(?:- +)*")
_OPENS = re.compile(r"(?:^|:)(?:\s*[|>][-+0-9]*)?$|(?<=\s)[|>][-+0-9]*$")


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


class Editor(EditorView):
    """A text of YAML, and the keys that change it.

    Attributes:
        asked_first: is shown each key before it means anything here, and tells whether it took it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+underscore,ctrl+slash", "comment", "Comment", show=False, tooltip="Comment lines, or no longer."),
        Binding("alt+d", "duplicate", "Duplicate", show=False, tooltip="The line once more."),
        Binding("tab", "indent(1)", "Indent", show=False),
        Binding("shift+tab", "indent(-1)", "Dedent", show=False),
        Binding("alt+shift+up", "move(-1)", "Move up", show=False, tooltip="Move the lines over the one above."),
        Binding("alt+shift+down", "move(1)", "Move down", show=False, tooltip="Move the lines over the one below."),
        Binding("alt+up", "grow", "Select more", show=False, tooltip="Select what stands around."),
        Binding("alt+down", "shrink", "Select less", show=False, tooltip="Select what was selected before that."),
        Binding(
            "alt+left", "fold", "Fold", show=False, tooltip="Fold the block at the cursor, then the one around it."
        ),
        Binding("alt+right", "unfold", "Unfold", show=False, tooltip="Show what is folded into the line."),
        Binding("f9", "toggle_fold", "Fold", show=False, tooltip="Fold a block, or unfold it."),
        Binding("shift+f9,f21", "fold_all", "Fold all", show=False, tooltip="Fold all blocks, or unfold all."),
    ]

    def __init__(self, text: str = "", *, read_only: bool = False, id: str | None = None) -> None:  # noqa: A002
        self.asked_first: Callable[[events.Key], bool] = lambda event: False
        # What was selected, and before that, while more and more was.
        self._grown: list[tuple[Selection, Selection]] = []
        super().__init__(text, read_only=read_only, id=id)

    # -- folding -----------------------------------------------------------------------------

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
        return first, self._end_of(last - 1 if last > first and column == 0 else last)

    def _end_of(self, row: int) -> int:
        """The last line that is folded into a line."""
        while (further := self.wrapped_document.folds.get(row, row)) > row:
            row = further
        return row

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

    async def typed(self) -> None:
        """Wait until the keys that came so far are in the text.

        A page that takes a key before the editor sees it, such as ctrl+s, has it before the letters that came with it
        in one piece.
        """
        done = asyncio.Event()
        self.call_later(done.set)
        await done.wait()

    async def _on_key(self, event: events.Key) -> None:
        """Called before Textual's: a new line begins where it belongs."""
        if self.asked_first(event):
            event.stop()
            event.prevent_default()
            return
        if await obeyed(event, self):
            return
        if event.key.startswith("alt+"):
            # A terminal's alt+d has the letter as well, which is not typed.
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
            self._reveal(row - 1)
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

    def action_move(self, by: int) -> None:
        """Move the selected lines over the line above, or over the one below."""
        first, last = self.lines_selected
        folded, count = self.wrapped_document, self.document.line_count
        if by < 0:
            top, middle, bottom = folded.row_at(max(0, folded.place_of(first) - 1)), first, last
        else:
            top, middle, bottom = first, last + 1, self._end_of(min(last + 1, count - 1))
        # The line behind the last line break is the end of the text.
        if self.read_only or not top < middle <= bottom or (bottom == count - 1 and not self.document.get_line(bottom)):
            return
        up, down = middle - top, bottom + 1 - middle

        def moved(row: int) -> int:
            return row if not top <= row <= bottom else row + down if row < middle else row - up

        folds = {moved(row): moved(end) for row, end in folded.folds.items()}
        lines, selection = self.document.lines[top : bottom + 1], self.selection
        self._put(top, bottom + 1, [*lines[up:], *lines[:up]])
        folded.fold_each(folds)
        shift = down if by > 0 else -up
        self.selection = Selection(*((row + shift, column) for row, column in selection))
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
    return lead if whole and "-" in lead and KEY.match(body) is None else deep
