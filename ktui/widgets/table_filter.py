"""What a table is narrowed to: the text of its filter line, as a value."""

from __future__ import annotations

from dataclasses import dataclass

# Stands between the cells of a searched row, so that no text is found across two of them.
BETWEEN_CELLS = "\n"


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter by plain text: rows match when one of their cells contains it, in capitals or not.

    Attributes:
        text: as the person typed it; empty matches everything.
    """

    text: str = ""

    def __bool__(self) -> bool:
        return bool(self.text)

    def matches(self, searched: str) -> bool:
        """Whether a row matches.

        Args:
            searched: its cells in lower case, joined by `BETWEEN_CELLS`.
        """
        return self.text.lower() in searched

    def spans(self, cell: str) -> list[tuple[int, int]]:
        """Where `cell` matches, as pairs of indexes, to highlight it."""
        needle, searched = self.text.lower(), cell.lower()
        # A few letters change their length in lower case; then indexes would point beside the letters they mean.
        if not needle or len(searched) != len(cell):
            return []
        spans, start = [], searched.find(needle)
        while start >= 0:
            spans.append((start, start + len(needle)))
            start = searched.find(needle, start + len(needle))
        return spans
