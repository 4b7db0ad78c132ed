"""Editor: YAML that a person changes: coloured line by line, with what is wrong marked where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import ClassVar, NamedTuple

from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.widgets import TextArea
from textual.widgets.text_area import Location, Selection, TextAreaTheme

from ktui.widgets.palette import Ink, Palette, palette_of

INDENT = 2

# A line by itself tells enough: the inside of a block of text may be taken for keys, which does no harm.
_KEY = re.compile(r"^[\s-]*(?P<key>\"[^\"]*\"|'[^']*'|[^\s#:&*!|>'\"%@`{\[-][^#:]*?|-[^\s:][^:]*?)(?P<colon>:)(?=\s|$)")
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*$")
_STRING = re.compile(r"(?<=[\s\[{,:-])(?:\"(?:[^\"\\]|\\.)*\"|'[^']*')(?=\s*(?:[,\]}#]|$))")
_CONSTANT = re.compile(r"(?<=[:\s-]\s)(?:true|false|null|~|[-+]?[0-9][0-9_.eE+-]*)(?=\s*(?:#|$))")
_LEAD = re.compile(r"\s*")


class Mark(NamedTuple):
    """A place in a line that a person should look at.

    Attributes:
        start, end: columns; the whole line when both are 0.
        ink: how it stands out.
    """

    start: int
    end: int
    ink: Ink = Ink.FAILED


class Editor(TextArea):
    """A text of YAML.

    Attributes:
        marks: by line, what should be looked at.
        changed_elsewhere: lines whose fields somebody else has changed meanwhile.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+underscore,ctrl+slash", "comment", "Comment", show=False, tooltip="Comment lines, or no longer."),
        Binding("alt+d", "duplicate", "Duplicate", show=False, tooltip="The line once more."),
        Binding("tab", "indent(1)", "Indent", show=False),
        Binding("shift+tab", "indent(-1)", "Dedent", show=False),
        Binding("alt+up", "grow", "Select more", show=False, tooltip="Select what stands around."),
    ]
    DEFAULT_CSS = """
    Editor { border: none; padding: 0; background: $background; color: $foreground; height: 1fr; }
    Editor:focus { border: none; }
    """

    def __init__(self, text: str = "", *, read_only: bool = False, id: str | None = None) -> None:  # noqa: A002
        super().__init__(
            text, soft_wrap=False, show_line_numbers=True, tab_behavior="focus", read_only=read_only, id=id
        )
        # A blinking cursor writes 3.6 KB a second to the terminal.
        self.cursor_blink = False
        self.indent_width = INDENT
        self.marks: Mapping[int, list[Mark]] = {}
        self.changed_elsewhere: frozenset[int] = frozenset()
        self._styles_of: tuple[Palette, dict[Ink, Style]] | None = None

    def on_mount(self) -> None:
        """Take the theme's colours."""
        self._take_theme()

    def _take_theme(self) -> None:
        palette = palette_of(self.app)
        ground = Style(color=palette.ink(Ink.TEXT), bgcolor=None if palette.ansi else palette.background)
        self.register_theme(
            TextAreaTheme(
                name=palette.name,
                base_style=ground,
                gutter_style=Style(color=_colour(palette, Ink.FAINT)),
                cursor_style=Style(reverse=True),
                cursor_line_style=None if palette.ansi else Style(bgcolor=palette.related),
                cursor_line_gutter_style=Style(color=_colour(palette, Ink.KEY)),
                selection_style=Style(bgcolor=None if palette.ansi else palette.cursor, reverse=palette.ansi),
            )
        )
        self.theme = palette.name
        self._styles_of = palette, {ink: Style(color=_colour(palette, ink)) for ink in Ink}

    # -- painting ----------------------------------------------------------------------------

    def get_line(self, line_index: int) -> Text:
        """A line with its colours and marks; only lines in sight are asked for."""
        line = self.document.get_line(line_index)
        text = Text(line, end="", no_wrap=True)
        if self._styles_of is None:
            return text
        styles = self._styles_of[1]
        for start, end, ink in spans(line):
            text.stylize(styles[ink], start, end)
        if line_index in self.changed_elsewhere:
            text.stylize(Style(italic=True, color=styles[Ink.KEY].color), 0, len(line))
        for mark in self.marks.get(line_index, ()):
            start, end = mark.start, mark.end
            if end <= start:
                start, end = len(line) - len(line.lstrip()), len(line)
            text.stylize(Style(underline=True, color=styles[mark.ink].color), start, end)
        return text

    def mark(self, marks: Mapping[int, list[Mark]]) -> None:
        """Show what should be looked at."""
        if marks != self.marks:
            self.marks = marks
            self._repaint()

    def mark_changed(self, lines: Iterable[int]) -> None:
        """Show what somebody else has changed."""
        if (changed := frozenset(lines)) != self.changed_elsewhere:
            self.changed_elsewhere = changed
            self._repaint()

    def _repaint(self) -> None:
        self._line_cache.clear()
        self.refresh()

    # -- editing -----------------------------------------------------------------------------

    @property
    def lines_selected(self) -> tuple[int, int]:
        """The first and the last line of the selection; a line of which nothing is selected does not count."""
        (first, _), (last, column) = sorted(self.selection)
        return first, last - 1 if last > first and column == 0 else last

    def _rewrite(self, first: int, last: int, lines: list[str]) -> None:
        """Put lines in the place of others, as one step back for undo; the selection stays on them."""
        (start, end), end_column = self.selection, len(self.document.get_line(last))
        self.replace("\n".join(lines), (first, 0), (last, end_column), maintain_selection_offset=False)

        def kept(at: Location) -> Location:
            row = min(at[0], self.document.line_count - 1)
            return row, min(at[1], len(self.document.get_line(row)))

        self.selection = Selection(kept(start), kept(end))

    async def _on_key(self, event: events.Key) -> None:
        """Called before Textual's: a new line begins where the field above does, and deeper below a key of its own."""
        if event.key != "enter" or self.read_only:
            return
        event.stop()
        event.prevent_default()
        row, column = self.cursor_location
        before = self.document.get_line(row)[:column]
        depth = len(before) - len(before.lstrip(" -"))
        if before.rstrip().endswith(":") and not before.lstrip().startswith("#"):
            depth += INDENT
        start, end = sorted(self.selection)
        self.replace("\n" + " " * depth, start, end, maintain_selection_offset=False)

    def action_comment(self) -> None:
        """Comment the selected lines, or take the comments away where all are comments."""
        if self.read_only:
            return
        first, last = self.lines_selected
        lines = [self.document.get_line(row) for row in range(first, last + 1)]
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
        lines = [self.document.get_line(row) for row in range(first, last + 1)]
        row, column = self.cursor_location
        self.insert("\n" + "\n".join(lines), (last, len(lines[-1])))
        self.move_cursor((row + len(lines), column))

    def action_indent(self, by: int) -> None:
        """Move the selected lines to the right, or to the left."""
        if self.read_only:
            return
        first, last = self.lines_selected
        lines = [self.document.get_line(row) for row in range(first, last + 1)]
        start, end = self.selection
        if by > 0:
            moved = [" " * INDENT + line if line.strip() else line for line in lines]
        else:
            moved = [line[min(INDENT, len(_LEAD.match(line)[0])) :] for line in lines]  # type: ignore[index]
        self._rewrite(first, last, moved)
        grown = [len(new) - len(old) for new, old in zip(moved, lines, strict=True)]

        def shifted(at: Location) -> Location:
            place = at[0] - first
            return (at[0], max(0, at[1] + grown[place])) if 0 <= place < len(grown) else at

        self.selection = Selection(shifted(start), shifted(end))

    def action_grow(self) -> None:
        """Select what stands around the selection: the block of lines as deep as this one, or deeper."""
        first, last = self.lines_selected
        depth = self._depth(first)
        top, bottom = first, last
        while bottom + 1 < self.document.line_count and (
            not self.document.get_line(bottom + 1).strip() or self._depth(bottom + 1) > depth
        ):
            bottom += 1
        if (top, bottom) == (first, last):
            while top > 0 and (not self.document.get_line(top).strip() or self._depth(top) >= depth):
                top -= 1
            depth = self._depth(top)
            while bottom + 1 < self.document.line_count and self._depth(bottom + 1) > depth:
                bottom += 1
        self.selection = Selection((top, 0), (bottom, len(self.document.get_line(bottom))))

    def _depth(self, row: int) -> int:
        line = self.document.get_line(row)
        return len(line) - len(line.lstrip())

    def go_to_line(self, line: int, column: int = 0) -> None:
        """Put the cursor somewhere, in the middle of the screen.

        Args:
            line, column: counted from 0.
        """
        row = max(0, min(line, self.document.line_count - 1))
        self.move_cursor((row, min(column, len(self.document.get_line(row)))), center=True)


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


def _colour(palette: Palette, ink: Ink) -> str:
    colour = palette.ink(ink)
    return "default" if colour.startswith("ansi_") else colour
