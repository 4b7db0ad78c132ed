"""RelationsView: the objects that belong to an object, under headings, with a cursor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset, Region
from textual.message import Message
from textual.strip import Strip

from ktui.kinds.text import clean
from ktui.kinds.tone import Tone
from ktui.kube.relatives import Family, Relative
from ktui.widgets.cells import fit, width_of
from ktui.widgets.lines_view import LinesView, Piece
from ktui.widgets.palette import TONE_INKS, Ink, Look

# Names longer than this are cut, so that what stands behind them stays in sight.
WIDEST_NAME = 64


class _Line(NamedTuple):
    pieces: tuple[Piece, ...]
    relative: Relative | None = None


class RelationsView(LinesView):
    """Shows families of relatives; Enter chooses the one under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Open", tooltip="Details of the object under the cursor."),
    ]

    class Chosen(Message):
        """A relative was chosen.

        Attributes:
            relative: it.
        """

        def __init__(self, relative: Relative) -> None:
            super().__init__()
            self.relative = relative

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._lines: list[_Line] = []
        self._cursor = -1

    @property
    def relative(self) -> Relative | None:
        """The relative under the cursor."""
        return self._lines[self._cursor].relative if 0 <= self._cursor < len(self._lines) else None

    def show_families(self, families: Sequence[Family], notes: Sequence[str] = (), home: str = "") -> None:
        """Show other relatives; the cursor stays on its object.

        Args:
            families: what is shown.
            notes: sentences to show where there is nothing else.
            home: the namespace that names stand without, as it is the object's own.
        """
        before, place = self.relative, self._cursor
        self._lines = [line for family in families for line in _family_lines(family, home)]
        if not self._lines:
            self._lines = [_Line((Piece(f" {note}", Ink.QUIET),)) for note in notes]
        self._cursor = self._place_of(before, place)
        self.lay(len(self._lines), max((_width(line.pieces) for line in self._lines), default=0))

    def draw(self, row: int) -> Strip:
        """A heading, a sentence or a relative."""
        pieces, relative = self._lines[row]
        if row != self._cursor:
            return self.paint(pieces, Look.RELATED if relative is not None and relative.here else Look.PLAIN)
        return self.paint(pieces, Look.CURSOR if self.has_focus else Look.IDLE_CURSOR)

    # -- the cursor --------------------------------------------------------------------------

    def action_down(self) -> None:
        """To the next relative."""
        self._move(1)

    def action_up(self) -> None:
        """To the relative before."""
        self._move(-1)

    def action_page(self, by: int) -> None:
        """About a page down or up."""
        self._move(by * max(1, self.size.height - 1))

    def action_edge(self, bottom: bool) -> None:
        """To the first or the last relative."""
        self._move(len(self._lines) * (1 if bottom else -1))

    def action_choose(self) -> None:
        """Choose the relative under the cursor."""
        if (relative := self.relative) is not None:
            self.post_message(self.Chosen(relative))

    def on_click(self, event: events.Click) -> None:
        """A click moves the cursor; a double click chooses."""
        row = self.scroll_offset.y + event.y
        if row < len(self._lines) and self._lines[row].relative is not None:
            self._put(row)
            if event.chain == 2:
                self.action_choose()

    def on_focus(self) -> None:
        """The cursor shows who has the keyboard."""
        self._repaint(self._cursor)

    def on_blur(self) -> None:
        """The cursor shows who has the keyboard."""
        self._repaint(self._cursor)

    def _move(self, by: int) -> None:
        places = [row for row, line in enumerate(self._lines) if line.relative is not None]
        if not places:
            self.scroll_to(y=self.scroll_offset.y + by, animate=False)
            return
        wanted = self._cursor + by
        after = [row for row in places if row >= wanted] if by > 0 else [row for row in places if row <= wanted]
        self._put((after[0] if by > 0 else after[-1]) if after else (places[-1] if by > 0 else places[0]))
        if self._cursor == places[0]:
            # The heading above the first one is shown as well.
            self.scroll_to(y=0, animate=False)

    def _put(self, row: int) -> None:
        before, self._cursor = self._cursor, row
        self._repaint(before)
        self._repaint(row)
        self.show_row(row)
        self._place_hardware_cursor()

    def _place_hardware_cursor(self) -> None:
        """Put the terminal's own cursor on the row, where screen readers and magnifiers look for it."""
        if self.has_focus and self._cursor >= 0:
            self.app.cursor_position = self.region.offset + Offset(1, self._cursor - self.scroll_offset.y)

    def _repaint(self, row: int) -> None:
        self._strips.pop(row, None)
        self.refresh(Region(0, row - self.scroll_offset.y, self.size.width, 1))

    def _place_of(self, relative: Relative | None, place: int) -> int:
        same = [row for row, line in enumerate(self._lines) if line.relative is not None]
        if relative is None:
            here = [row for row in same if (found := self._lines[row].relative) is not None and found.here]
            return here[0] if here else same[0] if same else -1
        for row in same:
            found = self._lines[row].relative
            if found is not None and (found.kind, found.key) == (relative.kind, relative.key):
                return row
        return min(same, key=lambda row: abs(row - place), default=-1)


def _family_lines(family: Family, home: str) -> list[_Line]:
    kinds = max((width_of(member.kind) for member in family.members), default=0)
    tree = any(member.depth for member in family.members)
    heads = [_head(member, 0 if tree else kinds, home) for member in family.members]
    room = min(WIDEST_NAME, max((_width(head) for head in heads), default=0))
    words = min(40, max((width_of(_words(member)) for member in family.members), default=0))
    lines = [_Line((Piece(f" {family.title}", Ink.FOCUS, bold=True),))]
    for member, head in zip(family.members, heads, strict=True):
        lines.append(_Line((*head, Piece(" " * (room - _width(head) + 2)), *_standing(member, words)), member))
    if family.trouble:
        lines.append(_Line((Piece("   "), Piece(f"{Tone.UNKNOWN.value} {clean(family.trouble)}", Ink.WARNING))))
    return [*lines, _Line(())]


def _head(member: Relative, kinds: int, home: str) -> tuple[Piece, ...]:
    """Where it stands in the tree, its kind and its name; its namespace where that is another one."""
    branch = f"{'   ' * (member.depth - 1)}└─ " if member.depth else ""
    name = str(member.key) if member.key.namespace not in ("", home) else member.key.name
    ink = Ink.FAINT if member.old else Ink.NAME
    lead = f"   {branch}"
    room = max(8, WIDEST_NAME - width_of(lead) - max(kinds, width_of(member.kind)) - 2)
    name = clean(name)
    return (
        Piece(lead, Ink.FAINT),
        Piece(fit(clean(member.kind), max(kinds, width_of(member.kind))) + "  ", Ink.QUIET),
        Piece(fit(name, min(room, width_of(name))), ink, bold=member.here),
    )


def _words(member: Relative) -> str:
    return f"{member.standing.tone.value} {member.standing.word}".strip()


def _standing(member: Relative, room: int) -> tuple[Piece, ...]:
    ink = Ink.QUIET if member.standing.tone is Tone.PLAIN or member.old else TONE_INKS[member.standing.tone]
    if member.here:
        return (Piece("◂ this object", Ink.KEY),)
    words = _words(member)
    why = clean(member.why)
    return (Piece(fit(words, room) if why and room else words, ink), Piece(f"  {why}" if why else "", Ink.FAINT))


def _width(pieces: Sequence[Piece]) -> int:
    return sum(width_of(piece.text) for piece in pieces)
