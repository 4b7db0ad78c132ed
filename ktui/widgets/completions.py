"""Completions: what may be written at the cursor, in a list below it that the keys of the editor choose from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events, on
from textual.binding import BindingType
from textual.content import Content
from textual.geometry import Offset
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from ktui.kinds.text import clean
from ktui.manifests.schema import Completion
from ktui.widgets.cells import fit, width_of
from ktui.widgets.editor import INDENT, Editor
from ktui.widgets.palette import palette_of

MOST = 100
"""What is offered at once: who has more to choose from goes on typing."""

ROWS = 8
WIDEST, LEAST, WIDEST_NAME, WIDEST_TYPE = 100, 60, 34, 24
"""Cells: of the list, what it takes at least before it moves to the left, of its names, and of their types."""

REQUIRED = "required"

# Types with a name that hold one value.
_SCALARS = frozenset(("IntOrString", "Quantity", "Time", "MicroTime", "Duration", "JSON"))


class Completions(OptionList, can_focus=False):
    """A list that is seen while there is something to choose from. The keyboard stays with the editor.

    Args:
        editor: where it is typed.
    """

    BINDINGS: ClassVar[list[BindingType]] = []
    DEFAULT_CSS = """
    Completions {
        display: none; overlay: screen; constrain: inside inside; position: absolute;
        height: auto; border: none; padding: 0; background: $bar; color: $foreground;
        scrollbar-size-vertical: 1;
        & > .option-list--option { padding: 0 1; }
        & > .option-list--option-highlighted {
            background: $row-cursor; color: $block-cursor-foreground; text-style: none;
        }
        &.-shown { display: block; }
    }
    """

    class Taken(Message):
        """A word was put into the text.

        Attributes:
            found: which.
        """

        def __init__(self, found: Completion) -> None:
            super().__init__()
            self.found = found

    def __init__(self, editor: Editor, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, markup=False, compact=True)
        self.styles.max_height = ROWS
        self._editor = editor
        self._offered: Sequence[Completion] = ()
        self._shown: Sequence[Completion] = ()
        self._at = (0, 0)
        # What was put behind a key, and where that left the cursor: who types it all the same types over it.
        self._behind = ""
        self._left_at = (0, 0)
        editor.asked_first = self.take_key

    def on_mount(self) -> None:
        """Go on with what is typed."""
        for told in ("selection", "scroll_y", "has_focus"):
            self.watch(self._editor, told, self._typed, init=False)

    @property
    def offering(self) -> bool:
        """Whether something can be chosen."""
        return self.has_class("-shown")

    def offer(self, found: Sequence[Completion], prefix: str = "") -> None:
        """Show what may stand at the cursor; nothing is shown when there is nothing.

        Args:
            found: as `ktui.manifests.schema.complete` tells it.
            prefix: what stands there already, before the cursor.
        """
        if self._editor.read_only:
            return
        row, column = self._editor.cursor_location
        self._at = row, column - len(prefix)
        self._offered = found
        self._shown = ()
        self._narrow()

    def close(self) -> bool:
        """Offer nothing; whether anything was offered."""
        was, self._offered = self.offering, ()
        self.remove_class("-shown")
        return was

    def take(self, found: Completion) -> None:
        """Put a word into the text, in the place of what stands of it there, with what follows a key of its type."""
        (row, start), (_, column) = self._at, self._editor.cursor_location
        self.close()
        line = self._editor.document.get_line(row)
        follows = "" if line[column:].strip() or not found.type else _behind(found.type, start)
        self._editor.replace(found.text + follows, (row, start), (row, column), maintain_selection_offset=False)
        self._behind, self._left_at = follows if "\n" not in follows else "", self._editor.cursor_location
        self.post_message(self.Taken(found))

    def take_key(self, event: events.Key) -> bool:
        """What a key of the editor does here; whether it does anything."""
        if not self.offering:
            return self._typed_over(event)
        match event.key:
            case "up":
                self.action_cursor_up()
            case "down":
                self.action_cursor_down()
            case "pageup":
                self.action_page_up()  # type: ignore[no-untyped-call]
            case "pagedown":
                self.action_page_down()  # type: ignore[no-untyped-call]
            case "escape":
                self.close()
            case "enter" | "tab":
                self.take(self._shown[self.highlighted or 0])
            case _:
                return False
        return True

    def _typed_over(self, event: events.Key) -> bool:
        if not self._behind or self._editor.cursor_location != self._left_at or event.character != self._behind[0]:
            self._behind = ""
            return False
        self._behind = self._behind[1:]
        return True

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.take(self._shown[event.option_index])

    def _typed(self) -> None:
        if self._offered:
            self._narrow()

    def _narrow(self) -> None:
        """Show what begins as it is typed, then what has that inside."""
        (row, start), (at, column) = self._at, self._editor.cursor_location
        line = self._editor.document.get_line(at)
        if at != row or column < start or not self._editor.selection.is_empty or not self._editor.has_focus:
            self.close()
            return
        word = line[start:column].lower()
        found = [each for each in self._offered if word in each.text.lower()]
        found.sort(key=lambda each: not each.text.lower().startswith(word))
        if not found or [each.text.lower() for each in found] == [word]:
            self.close()
            return
        if found != self._shown:
            self._show(found[:MOST])
        self.absolute_offset = self._place()
        self.add_class("-shown")
        self.refresh(layout=True)

    def _show(self, found: Sequence[Completion]) -> None:
        self._shown = found
        screen = self.screen.size.width - 1
        width = min(WIDEST, max(screen - self._place().x, min(LEAST, screen)))
        self.styles.width = width
        self.clear_options()
        # One cell at each side, and one for the scrollbar.
        # Where the line that is chosen has an ink of its own, no other could be read on it.
        coloured = not palette_of(self.app).on_cursor
        self.add_options([Option(line) for line in lines_of(found, width - 3, coloured=coloured)])
        self.highlighted = 0

    def _place(self) -> Offset:
        """Where on the screen it stands: its names below what is typed, or above where there is no room below."""
        x, y = self._editor.wrapped_document.location_to_offset(self._at) - self._editor.scroll_offset
        left, top = self._editor.content_region.offset
        height, line = min(ROWS, len(self._shown)), top + y
        beside = line + 1 if line + 1 + height <= self.screen.size.height else line - height
        return Offset(left + self._editor.gutter_width + x - 1, beside)


def lines_of(found: Sequence[Completion], width: int, *, coloured: bool = True) -> list[Content]:
    """What is offered, in columns: name, type, whether it is required, and the first words of what it means.

    Args:
        found: what.
        width: cells.
        coloured: whether the columns have colours.
    """
    names = min(WIDEST_NAME, max(width_of(each.text) for each in found))
    types = min(WIDEST_TYPE, max(width_of(each.type) for each in found))
    marks = len(REQUIRED) if any(each.required for each in found) else 0
    rest = width - sum(column + 2 for column in (names, types, marks) if column)
    lines = []
    for each in found:
        parts = [(fit(clean(each.text), names), "bold"), ("  ", "")]
        if types:
            parts += [(fit(clean(each.type), types), "$primary"), ("  ", "")]
        if marks:
            parts += [(fit(REQUIRED if each.required else "", marks), "$key"), ("  ", "")]
        if rest > 0:
            parts.append((fit(clean(" ".join(each.documentation[: 2 * width].split())), rest), "$quiet"))
        lines.append(Content.assemble(*parts) if coloured else Content("".join(text for text, _ in parts)))
    return lines


def _behind(type_: str, column: int) -> str:
    """What follows a key: lists and objects go on in a new line, items in the column of their key."""
    deep = "\n" + " " * column
    if type_.startswith("[]"):
        return f":{deep}- "
    if type_.startswith("map[") or type_ == "object" or (type_[0].isupper() and type_ not in _SCALARS):
        return f":{deep}{' ' * INDENT}"
    return ": "
