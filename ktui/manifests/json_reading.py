"""JSON with positions: kubectl takes for JSON what begins with a brace, as long as it is."""

from __future__ import annotations

import re
from json.decoder import JSONDecodeError, scanstring  # type: ignore[attr-defined]
from math import isinf
from typing import Any

from ktui.manifests.problems import Path, Span
from ktui.manifests.scalars import as_json

DEEPEST = 250
"""Levels that a document may have."""

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORDS = {"true": True, "false": False, "null": None}
_WORD = re.compile("true|false|null")
_SURROGATE = re.compile("[\ud800-\udfff]")


class NotJson(ValueError):  # noqa: N818 - it is the text that is not
    """A text that is no JSON.

    Attributes:
        offset: where it ceases to be.
        message: why, in plain words.
    """

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.offset = offset
        self.message = message


class JsonReader:
    """Reads values of JSON one after the other.

    Attributes:
        spans: where the values of the last one stand.
        twice: the offsets of keys that stand twice in one object, with their paths.
        too_large: the same of numbers that no float can hold.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self.spans: dict[Path, Span] = {}
        self.twice: list[tuple[int, Path]] = []
        self.too_large: list[tuple[int, Path]] = []

    def read(self, offset: int) -> tuple[Any, int]:
        """The value at an offset, or behind the space there, and where it ends.

        Raises:
            NotJson: there is none.
        """
        self.spans, self.twice, self.too_large = {}, [], []
        return self._value(self._space(offset), (), -1, -1)

    def _space(self, offset: int) -> int:
        return _SPACE.match(self._text, offset).end()  # type: ignore[union-attr]

    def _value(self, start: int, path: Path, key: int, key_end: int) -> tuple[Any, int]:
        # Put in now, so that what contains stands before what is contained.
        self.spans[path] = (key, key_end, start, start)
        char = self._text[start : start + 1]
        value: Any
        if len(path) > DEEPEST:
            raise NotJson(start, f"nested deeper than {DEEPEST} levels")
        if char == "{":
            value, end = self._object(start, path)
        elif char == "[":
            value, end = self._array(start, path)
        elif char == '"':
            value, end = self._string(start)
        elif found := _WORD.match(self._text, start):
            value, end = _WORDS[found[0]], found.end()
        elif found := _NUMBER.match(self._text, start):
            value, end = self._number(found, path), found.end()
        else:
            raise NotJson(start, "a value is missing" if char in ("", ",", "}", "]") else f"unexpected {_named(char)}")
        self.spans[path] = (key, key_end, start, end)
        return value, end

    def _number(self, found: re.Match[str], path: Path) -> Any:
        # As a float, it has no bounds on its length, as Python's integers have.
        number = float(found[0])
        if isinf(number):
            self.too_large.append((found.start(), path))
            return None
        return as_json(number if found[1] or found[2] or abs(number) > 1e20 else int(found[0]))

    def _string(self, start: int) -> tuple[str, int]:
        try:
            value, end = scanstring(self._text, start + 1, True)
        except JSONDecodeError as error:
            raise NotJson(error.pos, _STRING_PROBLEMS.get(error.msg.partition(" at")[0], error.msg)) from None
        return (value if value.isascii() else _SURROGATE.sub("\ufffd", value)), end

    def _object(self, start: int, path: Path) -> tuple[dict[str, Any], int]:
        found: dict[str, Any] = {}
        place = self._space(start + 1)
        if self._text[place : place + 1] == "}":
            return found, place + 1
        while True:
            if (char := self._text[place : place + 1]) != '"':
                raise NotJson(place, f"a key in double quotes is missing before {_named(char)}")
            key, end = self._string(place)
            colon = self._space(end)
            if (char := self._text[colon : colon + 1]) != ":":
                raise NotJson(colon, f"a colon is missing before {_named(char)}")
            if key in found:
                self.twice.append((place, (*path, key)))
            found[key], behind = self._value(self._space(colon + 1), (*path, key), place, end)
            place = self._space(behind)
            char = self._text[place : place + 1]
            if char == "}":
                return found, place + 1
            if char != ",":
                raise NotJson(place, f"a comma or }} is missing before {_named(char)}")
            place = self._space(place + 1)

    def _array(self, start: int, path: Path) -> tuple[list[Any], int]:
        found: list[Any] = []
        place = self._space(start + 1)
        if self._text[place : place + 1] == "]":
            return found, place + 1
        while True:
            value, behind = self._value(place, (*path, len(found)), -1, -1)
            found.append(value)
            place = self._space(behind)
            char = self._text[place : place + 1]
            if char == "]":
                return found, place + 1
            if char != ",":
                raise NotJson(place, f"a comma or ] is missing before {_named(char)}")
            place = self._space(place + 1)


_STRING_PROBLEMS = {
    "Unterminated string starting": "the quotes are not closed",
    "Invalid control character": "a line break, tab or control character inside quotes",
    "Invalid \\escape: ": "unknown escape: a backslash is written twice",
    "Invalid \\uXXXX escape": "\\u needs four hexadecimal digits",
}


def _named(char: str) -> str:
    return f"`{char}`" if char else "the end"
