"""FindBar: one line at the bottom to find a text in the editor, and a second one to put another in its place."""

from __future__ import annotations

import asyncio
import re
import sys
from bisect import bisect_left
from collections.abc import Sequence
from itertools import chain
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static
from textual.widgets.text_area import Location, Selection

from ktui.kinds.text import clean
from ktui.widgets.editor import Editor
from ktui.widgets.key_order import obeyed
from ktui.widgets.line_colours import found_in
from ktui.widgets.prompt import Line

MOST = 10_000
"""Places that are counted."""

AT_ONCE = 2_000
"""Lines that are counted before keys have their turn."""

LONGEST = 200
"""Characters of a selection that is taken for what to look for."""


_SHORT = 20


class WrongPattern(Exception):  # noqa: N818 - what it stands for
    """What is typed is no regular expression, or puts in a part that the expression does not have."""


class _Line(Line):
    """A line to type into, without the letters of alt+c and its like, which terminals send as well."""

    async def _on_key(self, event: events.Key) -> None:
        bar = self.query_ancestor(FindBar)
        if not await obeyed(event, self, bar) and event.key.startswith("alt+"):
            event.prevent_default()


class FindBar(Vertical):
    """Finds as it is typed, from the cursor on and then from the top; what is found is selected in the editor.

    Args:
        editor: where to look.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close", priority=True),
        Binding("f3,down", "find(1)", "Next", show=False),
        # What most terminals send for shift+F3 is also what tells where the cursor is.
        Binding("up,shift+f3,f15,shift+enter", "find(-1)", "Previous", show=False),
        Binding("alt+c", "case", "Case", show=False, tooltip="Whether upper and lower case differ."),
        Binding("alt+r", "expression", "Expression", show=False, tooltip="Whether it is a regular expression."),
        Binding("alt+a", "replace_all", "Replace all", show=False),
        Binding("tab,shift+tab", "other_line", show=False, priority=True),
    ]
    DEFAULT_CSS = """
    FindBar {
        display: none; height: auto; background: $bar;
        & > Horizontal { height: 1; background: $bar; }
        & > #replacing { display: none; }
        & Static { width: auto; background: $bar; color: $quiet; padding: 0 1; }
        & .sign { width: 10; color: $key; text-style: bold; }
        & #said { color: $foreground; max-width: 60%; }
        & #said.-wrong { color: $failed; }
        & Input {
            width: 1fr; background: $bar; color: $foreground;
            &:focus { background-tint: $background 0%; }
            & > .input--placeholder { color: $faint; }
        }
    }
    """

    def __init__(self, editor: Editor, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._editor = editor
        self._line = _Line(id="wanted", placeholder="text to find", compact=True)
        self._instead = _Line(id="instead", placeholder="nothing", compact=True)
        # A blinking cursor writes 3.6 KB a second to the terminal.
        self._line.cursor_blink = self._instead.cursor_blink = False
        self._said = Static("", id="said", markup=False)
        self._ways = Static("", id="ways", markup=False)
        self._hint = Static("Enter this one, alt+a all", id="hint", markup=False)
        self._case = self._expression = False
        self._begin: Location = (0, 0)
        self._places: list[tuple[int, int]] = []
        self._counted = False
        self._counted_for: tuple[re.Pattern[str] | None, int] = (None, 0)
        self._pattern: re.Pattern[str] | None = None
        self._looked_for = ""

    def compose(self) -> ComposeResult:
        """What to look for, and what is put in its place."""
        with Horizontal(id="finding"):
            yield Static("Find", classes="sign", markup=False)
            yield self._line
            yield self._said
            yield self._ways
        with Horizontal(id="replacing"):
            yield Static("Replace", classes="sign", markup=False)
            yield self._instead
            yield self._hint

    def on_mount(self) -> None:
        """Count anew when the text changes."""
        self._show_ways()
        self.watch(self._editor, "selection", self._moved, init=False)

    # -- opening and closing -----------------------------------------------------------------

    @property
    def shown(self) -> bool:
        """Whether it is open."""
        return bool(self.display)

    def open(self, *, replace: bool = False) -> None:
        """Take the keyboard, at once: keys that came together with the one that opens it are meant for it.

        Args:
            replace: with a line for what is put in the place of what is found.
        """
        selected = self._editor.selected_text
        if selected.isprintable() and 0 < len(selected) <= LONGEST and not self.shown:
            self._line.value = re.escape(selected) if self._expression else selected
        self._begin = min(self._editor.selection)
        self.query_one("#replacing").display = replace and not self._editor.read_only
        self.display = True
        self._line.action_select_all()
        self.screen.set_focus(self._line)
        self._look(self._begin)
        # It takes lines from the editor.
        self.call_after_refresh(self._editor.scroll_cursor_visible)

    @property
    def _replaces(self) -> bool:
        return bool(self.query_one("#replacing").display)

    def action_close(self) -> None:
        """Give the keyboard back; the cursor is where it was found last."""
        self.display = False
        self._editor.mark_found(None)
        self._editor.selection = Selection.cursor(min(self._editor.selection))
        self.screen.set_focus(self._editor)

    def action_other_line(self) -> None:
        """From one line to the other."""
        if self._replaces:
            self.screen.set_focus(self._line if self._instead.has_focus else self._instead)

    # -- finding -----------------------------------------------------------------------------

    @property
    def pattern(self) -> re.Pattern[str] | None:
        """What is looked for; None when nothing is typed.

        Raises:
            WrongPattern: it is no regular expression.
        """
        if not (wanted := self._line.value):
            return None
        try:
            return re.compile(wanted if self._expression else re.escape(wanted), 0 if self._case else re.IGNORECASE)
        except (re.error, OverflowError, RecursionError) as error:
            raise WrongPattern(str(error)) from error

    @on(Input.Changed, "#wanted")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        # It is told behind what was done with it already.
        if self.shown and self._line.value != self._looked_for:
            self._look(self._begin)

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        if event.input is self._instead:
            self._replace()
        else:
            self.action_find(1)

    def action_case(self) -> None:
        """Upper and lower case differ, or no longer."""
        self._case = not self._case
        self._show_ways()
        self._look(self._begin)

    def action_expression(self) -> None:
        """It is a regular expression, or a plain text."""
        self._expression = not self._expression
        self._show_ways()
        self._look(self._begin)

    def action_find(self, by: int) -> None:
        """Go to the next place, or to the one before; also while the bar is closed.

        Args:
            by: 1 or -1.
        """
        if not self._line.value:
            self.open()
            return
        if by > 0:
            selection = self._editor.selection
            self._look(max(selection) if not selection.is_empty else _behind(selection.end))
        else:
            self._look(min(self._editor.selection), before=True)

    def _look(self, start: Location, *, before: bool = False) -> None:
        """Select the next place from somewhere on, or the last one before that."""
        self._looked_for = self._line.value
        try:
            pattern = self.pattern
        except WrongPattern as error:
            self._pattern = None
            self._editor.mark_found(None)
            self._say(str(error), wrong=True)
            return
        self._pattern = pattern
        if self.shown:
            self._editor.mark_found(pattern)
        if pattern is None:
            self._editor.selection = Selection.cursor(self._begin)
            self._say("")
            return
        lines = self._editor.document.lines
        found = _last_before(lines, pattern, start) if before else _next_from(lines, pattern, start)
        if found is None:
            self._say("not found" if self.shown else "", wrong=True)
            if not self.shown:
                self.notify(f"{self._line.value} is not in the text.", severity="warning", markup=False)
            return
        row, begin, end = found
        self._begin = (row, begin)
        self._editor.select_in(row, begin, end)
        if self.shown:
            self._count_or_tell(pattern)

    @work(group="count", exclusive=True, exit_on_error=False)
    async def _count(self, pattern: re.Pattern[str]) -> None:
        """Where all of them are, some lines at a time."""
        version, lines = self._editor.version, self._editor.document.lines
        self._places, self._counted, self._counted_for = [], False, (pattern, version)
        for first in range(0, len(lines), AT_ONCE):
            for row in range(first, min(len(lines), first + AT_ONCE)):
                if pattern.search(lines[row]):
                    self._places += [(row, begin) for begin, _ in found_in(pattern, lines[row])]
            if len(self._places) >= MOST:
                break
            await asyncio.sleep(0)
            if version != self._editor.version:
                return
        else:
            self._counted = True
        self._tell()

    def _moved(self) -> None:
        if self.shown and self._pattern is not None:
            self._count_or_tell(self._pattern)

    def _count_or_tell(self, pattern: re.Pattern[str]) -> None:
        if self._counted_for == (pattern, self._editor.version):
            self._tell()
        else:
            self._count(pattern)

    def _tell(self) -> None:
        """Which of how many is selected."""
        place = bisect_left(self._places, min(self._editor.selection))
        here = place < len(self._places) and self._places[place] == min(self._editor.selection)
        count = f"{len(self._places):,}" + ("" if self._counted else "+")
        self._say(f"{place + 1:,} of {count}" if here and not self._editor.selection.is_empty else count)

    def _say(self, words: str, *, wrong: bool = False) -> None:
        self._said.update(clean(words))
        self._said.set_class(wrong, "-wrong")
        # Why an expression is wrong takes some words.
        self._ways.display = len(words) <= _SHORT

    def _show_ways(self) -> None:
        ways = [("alt+c case", self._case), ("alt+r regex", self._expression)]
        self._ways.update("  ".join(f"{'●' if on else '○'} {name}" for name, on in ways))

    # -- replacing ---------------------------------------------------------------------------

    def _replace(self) -> None:
        """Put the other text in the place of what is selected, if that is what is looked for, and go on."""
        try:
            if (pattern := self.pattern) is None:
                return
            (row, begin), (last, end) = sorted(self._editor.selection)
            line = self._editor.document.get_line(row)
            match = pattern.match(line, begin) if row == last else None
            if match is None or match.span() != (begin, end) or begin == end:
                self.action_find(1)
                return
            text = self._other(match)
        except WrongPattern as error:
            self._say(str(error), wrong=True)
            return
        result = self._editor.replace(text, (row, begin), (row, end), maintain_selection_offset=False)
        self._look(result.end_location)

    def action_replace_all(self) -> None:
        """Put the other text in the place of all, as one step back for undo."""
        if not self._replaces:
            return
        self._looked_for = self._line.value
        try:
            if (pattern := self.pattern) is None:
                return
            lines = self._editor.document.lines
            changed: dict[int, str] = {}
            count = 0
            for row, line in enumerate(lines):
                if pattern.search(line):
                    changed[row], times = self._line_with(pattern, line)
                    count += times
        except WrongPattern as error:
            self._say(str(error), wrong=True)
            return
        changed = {row: line for row, line in changed.items() if line != lines[row]}
        self._pattern, self._counted_for = None, (None, 0)
        self._editor.rewrite(changed)
        self._say(f"{count:,} replaced" if count else "not found", wrong=not count)

    def _line_with(self, pattern: re.Pattern[str], line: str) -> tuple[str, int]:
        pieces, end, count = [], 0, 0
        for match in pattern.finditer(line):
            if match.start() < match.end():
                pieces += [line[end : match.start()], self._other(match)]
                end, count = match.end(), count + 1
        return "".join([*pieces, line[end:]]), count

    def _other(self, match: re.Match[str]) -> str:
        """What is put in the place of a match.

        Raises:
            WrongPattern: it names a part that the expression does not have.
        """
        if not self._expression:
            return self._instead.value
        try:
            return match.expand(self._instead.value)
        except (re.error, IndexError) as error:
            raise WrongPattern(str(error)) from error


def _behind(at: Location) -> Location:
    return at[0], at[1] + 1


def _next_from(lines: Sequence[str], pattern: re.Pattern[str], start: Location) -> tuple[int, int, int] | None:
    """The first place from somewhere on, and then from the top: row, first column, and the column behind the last."""
    row, column = start
    rest = ((at, 0) for at in (*range(row + 1, len(lines)), *range(row + 1)))
    for at, left in chain([(row, column)], rest):
        if pattern.search(lines[at], left) and (places := found_in(pattern, lines[at], left)):
            return at, *places[0]
    return None


def _last_before(lines: Sequence[str], pattern: re.Pattern[str], end: Location) -> tuple[int, int, int] | None:
    """The last place that begins before somewhere, and then from the end."""
    row, column = end
    rest = ((at, sys.maxsize) for at in (*range(row - 1, -1, -1), *range(len(lines) - 1, row - 1, -1)))
    for at, limit in chain([(row, column)], rest):
        if pattern.search(lines[at]):
            places = [place for place in found_in(pattern, lines[at]) if place[0] < limit]
            if places:
                return at, *places[-1]
    return None
