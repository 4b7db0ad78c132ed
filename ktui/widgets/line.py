"""Line: a strip that is written to the terminal in as few bytes as its styles allow.

Textual's `Strip` ends every segment with a reset and begins the next with both colours, about 40 bytes a segment. A
`Line` writes only what differs from the segment before: 20 bytes for another colour on the same ground.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS, Console
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter
from textual.strip import Strip

# SGR codes by attribute, and what ends them (ECMA-48, section 8.3.117). 22 ends both bold and dim.
_ATTRIBUTES = {"bold": "1", "dim": "2", "italic": "3", "underline": "4", "reverse": "7"}
_ENDS = {"1": "22", "2": "22", "3": "23", "4": "24", "7": "27"}


class Line(Strip):
    """A finished line of a widget, of a known length.

    Args:
        segments: what it consists of, without control segments.
        cell_length: the cells it takes.
    """

    __slots__ = ("_sequence",)

    def __init__(self, segments: Iterable[Segment], cell_length: int) -> None:
        super().__init__(segments, cell_length)
        self._sequence: str | None = None

    def render(self, console: Console) -> str:
        """The text with its escape sequences; made once."""
        if self._sequence is None:
            system = COLOR_SYSTEMS.get(console.color_system or "", ColorSystem.TRUECOLOR)
            self._sequence = _sequence(self, system)
        return self._sequence


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

    def line(self, width: int, blank: Style, filters: Iterable[LineFilter] = ()) -> Line:
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
        return Line(segments, width)


def _same_when_blank(one: Style, other: Style) -> bool:
    return one.bgcolor == other.bgcolor and not (one.underline or one.reverse or other.underline or other.reverse)


def _sequence(line: Iterable[Segment], system: ColorSystem) -> str:
    parts: list[str] = []
    attributes: frozenset[str] = frozenset()
    colour = ground = ""
    for text, style, _ in line:
        wanted = _codes(style, system) if style is not None else (frozenset[str](), "", "")
        if (colour and not wanted[1]) or (ground and not wanted[2]):
            parts.append("\x1b[0m")
            attributes, colour, ground = frozenset(), "", ""
        codes = _turn(attributes, wanted[0])
        if wanted[1] != colour:
            codes.append(wanted[1])
        if wanted[2] != ground:
            codes.append(wanted[2])
        if codes:
            parts.append(f"\x1b[{';'.join(codes)}m")
        parts.append(text)
        attributes, colour, ground = wanted
    if attributes or colour or ground:
        parts.append("\x1b[0m")
    return "".join(parts)


def _turn(now: frozenset[str], wanted: frozenset[str]) -> list[str]:
    """The codes that lead from some attributes to others."""
    if now == wanted:
        return []
    ends = {_ENDS[code] for code in now - wanted}
    begins = wanted if "22" in ends else wanted - now
    return sorted(ends) + sorted(begins)


@lru_cache(maxsize=1024)
def _codes(style: Style, system: ColorSystem) -> tuple[frozenset[str], str, str]:
    """A style as SGR codes: attributes, colour, ground."""
    attributes = frozenset(code for name, code in _ATTRIBUTES.items() if getattr(style, name))
    colour = ";".join(style.color.downgrade(system).get_ansi_codes()) if style.color else ""
    ground = ";".join(style.bgcolor.downgrade(system).get_ansi_codes(foreground=False)) if style.bgcolor else ""
    return attributes, colour, ground
