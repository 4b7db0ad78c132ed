"""The colours of a line of YAML, and where something is found in it."""

from __future__ import annotations

import re

from ktui.widgets.palette import Ink

MOST_FOUND = 200
"""Places in one line that are marked as found."""

# A line by itself tells enough: the inside of a block of text may be taken for keys, which does no harm. What has been
# matched is never looked at again (`*+`), as lines may be made to take long.
_QUOTED = r"\"[^\"]*+\"|'[^']*+'"
_PLAIN = r"(?![#&*!|>'\"%@`{\[:\]},])(?!-(?:\s|$))(?:[^\s:#]|:(?=\S)|(?<=\S)#|\s(?!#))++"
KEY = re.compile(rf"\s*+(?:-\s++)*+(?P<key>{_QUOTED}|{_PLAIN})(?P<colon>:)(?=\s|$)")
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*$")
_STRING = re.compile(r"(?<=[\s\[{,:-])(?:\"(?:[^\"\\]|\\.)*+\"|'[^']*+')(?=\s*+(?:[,\]}#]|$))")
_CONSTANT = re.compile(r"(?<=[:\s-]\s)(?:true|false|null|~|[-+]?[0-9][0-9_.eE+-]*+)(?=\s*+(?:#|$))")


def spans(line: str) -> list[tuple[int, int, Ink]]:
    """How a line of YAML is coloured: start, end, ink; later ones lie over earlier ones."""
    found: list[tuple[int, int, Ink]] = []
    key = KEY.match(line)
    start = 0
    if key is not None:
        found.append((*key.span("key"), Ink.FOCUS))
        found.append((*key.span("colon"), Ink.QUIET))
        start = key.end()
    for pattern, ink in ((_CONSTANT, Ink.KEY), (_STRING, Ink.GOOD), (_COMMENT, Ink.FAINT)):
        found += [(*match.span(), ink) for match in pattern.finditer(line, start if ink is not Ink.FAINT else 0)]
    return found


def found_in(pattern: re.Pattern[str], line: str, start: int = 0) -> list[tuple[int, int]]:
    """Where a pattern is found in a line, as columns; places without a character do not count."""
    places = (match.span() for match in pattern.finditer(line, start))
    return [(begin, end) for (begin, end), _ in zip(places, range(MOST_FOUND), strict=False) if begin < end]
