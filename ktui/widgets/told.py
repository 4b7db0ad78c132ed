"""Told: sentences, one a line; where one does not fit, it goes on below its text, not below its mark."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

MARK = 2
"""Cells of the mark before a sentence."""


class Told(Widget):
    """Shows lines of text."""

    DEFAULT_CSS = "Told { height: auto; }"

    def __init__(self) -> None:
        super().__init__()
        self._words: tuple[tuple[str, str], ...] = ()
        self._lines: list[Content] = []

    def tell(self, *words: tuple[str, str]) -> None:
        """Show other lines.

        Args:
            words: pieces of text and their styles; each line ends with a line break, the last may.
        """
        if words == self._words:
            return
        self._words = words
        self._lines = Content.assemble(*words).split("\n") if words else []
        self.clear_cached_dimensions()
        self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as it takes."""
        return sum(len(list(wrapped(line, width))) for line in self._lines)

    def render(self) -> Content:
        """The lines, wrapped."""
        return Content("\n").join(part for line in self._lines for part in wrapped(line, self.size.width))


def wrapped(line: Content, width: int) -> Iterator[Content]:
    """A line in lines of at most `width` cells; those after the first begin where its text does, behind the mark."""
    if line.cell_length <= width:
        yield line
        return
    blanks = len(line.plain) - len(line.plain.lstrip())
    indent = min(MARK if blanks <= MARK else blanks + MARK, width // 2)
    # Wrapped as if all lines were indented; the first is not.
    first, *rest = line.wrap(max(1, width - indent))
    yield first
    yield from (Content(" " * indent) + part for part in rest)
