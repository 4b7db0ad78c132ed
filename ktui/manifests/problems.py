"""Problems of a manifest, and the places in its text."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

Path = tuple[str | int, ...]
"""Where a value is in an object: keys and indexes."""

Severity = Literal["error", "warning"]

_PLAIN_KEY = re.compile(r"[\w-]+", re.ASCII)


class Problem(NamedTuple):
    """Something that is wrong in a text.

    Attributes:
        line: counted from 1.
        column: counted from 1, in characters.
        path: the value that it is about; empty when it is none in particular.
        severity: an error is what Kubernetes refuses, or ktui does in its place.
        message: one sentence without a full stop, in plain words. Not cleaned: it may name parts of the text.
    """

    line: int
    column: int
    path: Path
    severity: Severity
    message: str


class Position(NamedTuple):
    """A piece of a text; lines and columns are counted from 1, and the end is behind the last character."""

    line: int
    column: int
    end_line: int
    end_column: int


class Place(NamedTuple):
    """Where a value stands.

    Attributes:
        key: its key; None for items of lists and for whole documents.
        value: the value itself; empty, behind the key, when there is none. What an alias stands for is where its
            anchor is.
    """

    key: Position | None
    value: Position


class Lines:
    """The lines of a text: what turns offsets into lines and columns."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts = [0, *(found.end() for found in re.finditer("\n", text))]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._starts)

    def at(self, offset: int) -> tuple[int, int]:
        """Line and column of a character, both counted from 1."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def start(self, line: int) -> int:
        """The offset of the first character of a line."""
        return self._starts[line - 1]

    def end(self, line: int) -> int:
        """The offset behind the last character of a line; its end of line does not count."""
        return self._starts[line] - 1 if line < len(self._starts) else len(self.text)

    def position(self, start: int, end: int) -> Position:
        """A piece of the text, without the space that it ends with."""
        end = start + len(self.text[start:end].rstrip()) if end - start < _LONG else self._trimmed(start, end)
        return Position(*self.at(start), *self.at(end))

    def _trimmed(self, start: int, end: int) -> int:
        while end > start and self.text[end - 1].isspace():
            end -= 1
        return end


_LONG = 200

Span = tuple[int, int, int, int]
"""Offsets: where a key starts and ends (-1 when there is none), and where its value does."""


class Positions(Mapping[Path, Place]):
    """Where the values of a document stand, by path; made when they are asked for, as most never are."""

    def __init__(self, lines: Lines, spans: dict[Path, Span]) -> None:
        self._lines, self._spans = lines, spans
        self._in_order: list[tuple[int, Path]] = []

    def __getitem__(self, path: Path) -> Place:
        key, key_end, value, end = self._spans[path]
        position = self._lines.position
        return Place(None if key < 0 else position(key, key_end), position(value, end))

    def __iter__(self) -> Iterator[Path]:
        return iter(self._spans)

    def __len__(self) -> int:
        return len(self._spans)

    def __contains__(self, path: object) -> bool:
        return path in self._spans

    def on_line(self, line: int) -> Path:
        """The value that a line is about: the last one that begins there, or the innermost that goes on there.

        Args:
            line: counted from 1.
        """
        if not self._in_order:
            begins = ((key if key >= 0 else value, path) for path, (key, _, value, _) in self._spans.items())
            self._in_order = sorted(begins, key=lambda found: (found[0], len(found[1])))
        line = min(line, self._lines.count)
        start, end = self._lines.start(line), self._lines.end(line)
        place = bisect_right(self._in_order, end, key=lambda found: found[0])
        path = self._in_order[place - 1][1] if place else ()
        while path and max(self._spans[path][1], self._spans[path][3]) < start:
            path = path[:-1]
        return path


def spell(path: Path) -> str:
    """A path to be read: `spec.containers[0].image`, `metadata.labels[app.kubernetes.io/name]`. Not cleaned."""
    said = ""
    for step in path:
        if isinstance(step, str) and _PLAIN_KEY.fullmatch(step):
            said += f".{step}" if said else step
        else:
            said += f"[{step}]"
    return said
