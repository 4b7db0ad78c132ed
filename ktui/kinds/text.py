"""Text that strangers wrote, made safe to show on a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

_CONTROL_PICTURES = {code: chr(0x2400 + code) for code in range(0x20)} | {0x7F: "\u2421"}
_BREAKS = {"\n": " ", "\t": " ", "\r": " "}


def clean(text: str) -> str:
    """Return `text` on one line, with nothing in it that a terminal would obey.

    Line breaks and tabs become spaces, other control characters their visible pictures (ESC is shown as `␛`), and
    invisible format characters (direction overrides, zero-width joins) become `\N{REPLACEMENT CHARACTER}`, so that an
    object's name cannot pretend to be another's.

    Args:
        text: any string of a cluster: a name, a label, a message.
    """
    if text.isprintable():
        return text
    return "".join(map(_visible, text))


def clean_lines(text: str) -> list[str]:
    """Split `text` at its line breaks and clean each line; tabs become four spaces.

    Args:
        text: a log, a manifest, a multi-line message.
    """
    return [clean(line.replace("\t", "    ")) for line in text.replace("\r\n", "\n").split("\n")]


def some_of(names: Iterable[str], most: int) -> str:
    """The first of some names, and how many others there are: `a, b and 3 more`. Not cleaned.

    Args:
        names: what is told.
        most: how many are named.
    """
    found = [*names]
    more = f" and {len(found) - most:,} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more


def _visible(char: str) -> str:
    if char.isprintable():
        return char
    if char in _BREAKS:
        return _BREAKS[char]
    if (code := ord(char)) in _CONTROL_PICTURES:
        return _CONTROL_PICTURES[code]
    return " " if unicodedata.category(char) == "Zs" else "\N{REPLACEMENT CHARACTER}"
