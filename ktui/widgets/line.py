"""LineBuilder: the pieces of a line, from left to right."""

from __future__ import annotations

from collections.abc import Iterable

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter
from textual.strip import Strip


class LineBuilder:
    """Collects pieces of text from left to right, merging those that look the same."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._styles: list[Style] = []
        self.width = 0

    def add(self, text: str, style: Style, width: int) -> None:
        """Append a piece.

        Args:
            text: safe to show.
            style: how it looks.
            width: the cells it takes.
        """
        if not width:
            return
        self.width += width
        texts, styles = self._texts, self._styles
        if styles and (styles[-1] is style or (text.isspace() and _same_when_blank(styles[-1], style))):
            texts[-1] += text
        elif styles and texts[-1].isspace() and _same_when_blank(styles[-1], style):
            texts[-1] += text
            styles[-1] = style
        else:
            texts.append(text)
            styles.append(style)

    def line(self, width: int, blank: Style, filters: Iterable[LineFilter] = ()) -> Strip:
        """The line, filled up with blanks or cut.

        Args:
            width: cells of the whole line.
            blank: how blanks look.
            filters: Textual's, such as the one that obeys NO_COLOR.
        """
        if self.width < width:
            self.add(" " * (width - self.width), blank, width - self.width)
        segments = list(map(Segment, self._texts, self._styles))
        if self.width > width:
            # A terminal too narrow for even the least.
            segments = list(Strip(segments, self.width).crop(0, width))
        for line_filter in filters:
            segments = line_filter.apply(segments, Color.parse("black"))
        return Strip(segments, width)


def _same_when_blank(one: Style, other: Style) -> bool:
    return one.bgcolor == other.bgcolor and not (one.underline or one.reverse or other.underline or other.reverse)
