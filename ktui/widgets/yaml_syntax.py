"""What is a key, a number, a comment in a YAML text: tree-sitter's answer, a window of lines at a time."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ktui.widgets.palette import Ink
from ktui.widgets.text_view import Span

if TYPE_CHECKING:
    from tree_sitter import Language, Query, Tree

# Lines whose spans are asked for at once: a query costs about as much for one line as for a screenful.
WINDOW = 64
# The parser keeps Python's lock. A text longer than this is read in a thread, in pieces of two milliseconds.
SMALL = 32_000
_PIECE = 16_384
_PAUSE = 0.0001

_QUERY = """
(comment) @comment
(block_scalar) @block
[(double_quote_scalar) (single_quote_scalar)] @string
[(integer_scalar) (float_scalar)] @number
[(boolean_scalar) (null_scalar)] @constant
(block_mapping_pair key: (flow_node) @key)
(block_mapping_pair ":" @punctuation)
(block_sequence_item "-" @punctuation)
(flow_mapping) @punctuation
(flow_sequence) @punctuation
"""
# Later ones lie over earlier ones where they overlap: a quoted key is a key.
_INKS = {
    "punctuation": Ink.QUIET,
    "block": Ink.GOOD,
    "string": Ink.GOOD,
    "number": Ink.KEY,
    "constant": Ink.KEY,
    "key": Ink.FOCUS,
    "comment": Ink.FAINT,
}


class YamlSyntax:
    """The syntax of one text.

    Args:
        lines: the text; it must not change.
    """

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._source = "\n".join(lines).encode()
        self._tree: Tree | None = None
        self._windows: dict[int, dict[int, list[Span]]] = {}

    @property
    def small(self) -> bool:
        """Whether it is read fast enough to be read at once."""
        return len(self._source) <= SMALL

    def parse(self) -> None:
        """Read the text; where tree-sitter is not installed, everything stays plain."""
        if (grammar := _grammar()) is None:
            return
        from tree_sitter import Parser

        parser = Parser(grammar[0])
        self._tree = parser.parse(self._source) if self.small else parser.parse(self._piece)

    def spans(self, line: int) -> list[Span]:
        """How a line is coloured: spans in order, none overlapping."""
        if self._tree is None:
            return []
        window = line // WINDOW
        if (found := self._windows.get(window)) is None:
            found = self._windows[window] = self._ask(window * WINDOW, (window + 1) * WINDOW)
        return found.get(line, [])

    def _piece(self, offset: int, point: Any) -> bytes:
        # Sleeping gives up Python's lock, so that the screen goes on while a long text is read.
        time.sleep(_PAUSE)
        return self._source[offset : offset + _PIECE]

    def _ask(self, first: int, after: int) -> dict[int, list[Span]]:
        from tree_sitter import QueryCursor

        grammar = _grammar()
        assert grammar is not None
        assert self._tree is not None
        cursor = QueryCursor(grammar[1])
        cursor.set_point_range((first, 0), (after, 0))
        captured = cursor.captures(self._tree.root_node)
        painted: dict[int, list[Ink | None]] = {}
        for name, ink in _INKS.items():
            for node in captured.get(name, ()):
                for row in range(max(first, node.start_point.row), min(after - 1, node.end_point.row) + 1):
                    if row >= len(self._lines):
                        break
                    start = self._column(row, node.start_point.column) if row == node.start_point.row else 0
                    end = (
                        self._column(row, node.end_point.column) if row == node.end_point.row else len(self._lines[row])
                    )
                    letters = painted.setdefault(row, [None] * len(self._lines[row]))
                    letters[start:end] = [ink] * (end - start)
        return {row: list(_runs(letters)) for row, letters in painted.items()}

    def _column(self, row: int, column: int) -> int:
        """The character at a byte of a line."""
        line = self._lines[row]
        return min(column, len(line)) if line.isascii() else len(line.encode()[:column].decode(errors="ignore"))


def _runs(letters: list[Ink | None]) -> list[Span]:
    spans: list[Span] = []
    start = 0
    for place in range(1, len(letters) + 1):
        if place == len(letters) or letters[place] != letters[start]:
            if (ink := letters[start]) is not None:
                spans.append(Span(start, place, ink))
            start = place
    return spans


@lru_cache(maxsize=1)
def _grammar() -> tuple[Language, Query] | None:
    try:
        import tree_sitter_yaml
        from tree_sitter import Language, Query
    except ImportError:
        return None
    language = Language(tree_sitter_yaml.language())
    return language, Query(language, _QUERY)
