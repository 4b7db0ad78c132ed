"""LinesView: many lines of which only the visible ones are drawn."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from ktui.widgets.palette import Ink, Look, palette_of, styles_of

SIDEWAYS = 8
MORE = "›"


class Piece(NamedTuple):
    """Words of a line that look the same.

    Attributes:
        text: safe to show.
        ink: what it is.
        bold: whether it stands out.
    """

    text: str
    ink: Ink = Ink.TEXT
    bold: bool = False


class LinesView(ScrollView, can_focus=True):
    """A page of lines that scrolls with the keys of a pager. Subclasses say what stands on a row.

    Nothing is drawn that nobody sees, what was drawn is kept, and a change repaints the rows that look different.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "down", "Down", show=False),
        Binding("up,k", "up", "Up", show=False),
        Binding("pagedown,space", "page(1)", "Page down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("home,g", "edge(False)", "Top", show=False),
        Binding("end,G", "edge(True)", "Bottom", show=False),
        Binding("right", "sideways(1)", "Right", show=False),
        Binding("left", "sideways(-1)", "Left", show=False),
    ]
    DEFAULT_CSS = """
    LinesView {
        background: $background; color: $foreground;
        scrollbar-size-vertical: 1; scrollbar-size-horizontal: 0;
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._rows = 0
        self._strips: dict[int, Strip] = {}

    def draw(self, row: int) -> Strip:
        """The whole of a row, however wide."""
        raise NotImplementedError

    def lay(self, rows: int, width: int) -> None:
        """There are other lines now; repaints the visible rows that look different.

        Args:
            rows: how many.
            width: cells of the widest.
        """
        before, self._strips, self._rows = self._strips, {}, rows
        if (size := Size(width, rows)) != self.virtual_size:
            self.virtual_size = size
            self.refresh()
            return
        top = self.scroll_offset.y
        for y in range(self.size.height):
            if (old := before.get(top + y)) is None or (top + y < rows and old != self._strip(top + y)):
                self.refresh(Region(0, y, self.size.width, 1))

    def style(self, ink: Ink = Ink.TEXT, look: Look = Look.PLAIN, bold: bool = False) -> Style:
        """How a piece of text is painted in the theme of the moment."""
        return styles_of(palette_of(self.app)).of(ink, look, bold)

    def located(self, strip: Strip, row: int, left: int) -> Strip:
        """What is seen of a row, with what the mouse has to know to select text in it.

        Args:
            strip: the visible part.
            row: which row.
            left: how many cells of it are scrolled out of sight on the left.
        """
        return strip

    def paint(self, pieces: Iterable[Piece], look: Look = Look.PLAIN) -> Strip:
        """A line made of pieces.

        Args:
            pieces: in order.
            look: what the line is; one that is anything special is as wide as the widget.
        """
        strip = Strip([Segment(text, self.style(ink, look, bold)) for text, ink, bold in pieces]).simplify()
        if look is Look.PLAIN:
            return strip
        return strip.extend_cell_length(max(self.size.width, self.virtual_size.width), self.style(look=look))

    def redraw(self) -> None:
        """Draw everything anew: something about how it looks has changed."""
        self._strips.clear()
        self.refresh()

    def notify_style_update(self) -> None:
        """Colours changed."""
        super().notify_style_update()
        self._strips.clear()

    def render_line(self, y: int) -> Strip:
        """One visible line."""
        left, top = self.scroll_offset
        width, base = self.size.width, self.style()
        if top + y >= self._rows:
            return Strip([Segment(" " * width, base)], width)
        strip = self._strip(top + y)
        if strip.cell_length > left + width:
            # A sign at the edge says that the line goes on, where a scrollbar would take a whole row.
            seen = self.located(strip.crop(left, left + width - 1), top + y, left)
            return Strip([*seen, Segment(MORE, self.style(Ink.FAINT))], width)
        return self.located(strip.crop_extend(left, left + width, base), top + y, left)

    def show_row(self, row: int, *, middle: bool = False) -> None:
        """Scroll until `row` is visible.

        Args:
            row: counted from 0.
            middle: put it in the middle when it was not visible.
        """
        top, height = self.scroll_offset.y, self.size.height
        if top <= row < top + height:
            return
        if middle:
            self.scroll_to(y=max(0, row - height // 2), animate=False)
        else:
            self.scroll_to(y=row if row < top else row - height + 1, animate=False)

    def action_down(self) -> None:
        """One line down."""
        self.scroll_to(y=self.scroll_offset.y + 1, animate=False)

    def action_up(self) -> None:
        """One line up."""
        self.scroll_to(y=self.scroll_offset.y - 1, animate=False)

    def action_page(self, by: int) -> None:
        """A page down or up, with one line that stays visible."""
        self.scroll_to(y=self.scroll_offset.y + by * max(1, self.size.height - 1), animate=False)

    def action_edge(self, bottom: bool) -> None:
        """To the first or the last line."""
        self.scroll_to(y=self.max_scroll_y if bottom else 0, animate=False)

    def action_sideways(self, by: int) -> None:
        """Show what stands further to the right or to the left; where nothing does, the keys are the screen's."""
        if self.max_scroll_x <= 0:
            raise SkipAction
        self.scroll_to(x=self.scroll_offset.x + by * SIDEWAYS, animate=False)

    def _strip(self, row: int) -> Strip:
        if (strip := self._strips.get(row)) is None:
            strip = self._strips[row] = self.draw(row)
        return strip
