"""What differs between two texts, line by line, aligned so that they can stand side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

CONTEXT = 3
"""Lines shown around what differs, as `diff -u` does."""


class Row(NamedTuple):
    """A line of each text, side by side; one of them may have none there.

    Attributes:
        left: its index in the left text; None where only the right one has a line.
        right: its index in the right text; None where only the left one has a line.
        same: whether the two are equal.
    """

    left: int | None
    right: int | None
    same: bool


class Part(NamedTuple):
    """Rows that stand together.

    Attributes:
        start: the index of the first row.
        stop: the index behind the last one.
        hidden: whether it is a part in which nothing differs, and which is too far from what does.
    """

    start: int
    stop: int
    hidden: bool


def rows(left: Sequence[str], right: Sequence[str]) -> list[Row]:
    """All lines of two texts. Pure, but long work for long texts: 10,000 lines may take a second, in a thread.

    Args:
        left: lines.
        right: lines.
    """
    start = 0
    least = min(len(left), len(right))
    while start < least and left[start] == right[start]:
        start += 1
    end = 0
    while end < least - start and left[-1 - end] == right[-1 - end]:
        end += 1
    found = [Row(place, place, True) for place in range(start)]
    found += _between(left, right, (start, len(left) - end), (start, len(right) - end))
    found += [Row(len(left) - place, len(right) - place, True) for place in range(end, 0, -1)]
    return found


def _between(left: Sequence[str], right: Sequence[str], here: tuple[int, int], there: tuple[int, int]) -> list[Row]:
    found: list[Row] = []
    (first, last), (other, other_last) = here, there
    matcher = SequenceMatcher(None, left[first:last], right[other:other_last])
    for tag, start, stop, begin, finish in matcher.get_opcodes():
        if tag == "equal":
            found += [Row(first + start + by, other + begin + by, True) for by in range(stop - start)]
        else:
            found += _paired(left, right, range(first + start, first + stop), range(other + begin, other + finish))
    return found


def _paired(left: Sequence[str], right: Sequence[str], here: range, there: range) -> Iterator[Row]:
    """Lines that differ: those with the same key side by side, the others one below the other."""
    matcher = SequenceMatcher(None, [_key(left[place]) for place in here], [_key(right[place]) for place in there])
    for tag, start, stop, begin, finish in matcher.get_opcodes():
        if tag == "equal":
            yield from (Row(here[start + by], there[begin + by], False) for by in range(stop - start))
        else:
            yield from (Row(place, None, False) for place in here[start:stop])
            yield from (Row(None, place, False) for place in there[begin:finish])


def _key(line: str) -> str:
    key, colon, _ = line.partition(":")
    return key if colon else line


def parts(found: Sequence[Row], context: int = CONTEXT) -> list[Part]:
    """Rows as parts: those near to what differs, and between them those in which nothing does.

    Args:
        found: all rows.
        context: how many equal rows are near.
    """
    near = bytearray(len(found))
    for place, row in enumerate(found):
        if not row.same:
            start, stop = max(0, place - context), min(len(found), place + context + 1)
            near[start:stop] = b"\x01" * (stop - start)
    told: list[Part] = []
    start = 0
    for place in range(1, len(found) + 1):
        if place == len(found) or near[place] != near[start]:
            told.append(Part(start, place, not near[start]))
            start = place
    return told


def unified(left: Sequence[str], right: Sequence[str], context: int = CONTEXT) -> Iterator[str]:
    """What differs, as `diff -u` writes it, without its two lines of names; nothing when the texts are equal.

    Args:
        left: the lines before.
        right: the lines after.
        context: how many equal lines are shown around what differs.
    """
    found = rows(left, right)
    here = there = 0
    for part in parts(found, context):
        shown = found[part.start : part.stop]
        before = sum(row.left is not None for row in shown)
        after = sum(row.right is not None for row in shown)
        if not part.hidden:
            yield f"@@ -{_range(here, before)} +{_range(there, after)} @@"
            yield from _lines(shown, left, right)
        here, there = here + before, there + after


def _range(start: int, count: int) -> str:
    # Of nothing, the line before it is told. Source: the unified format of POSIX diff.
    return f"{start + bool(count)}" if count == 1 else f"{start + bool(count)},{count}"


def _lines(shown: Sequence[Row], left: Sequence[str], right: Sequence[str]) -> Iterator[str]:
    """Rows as lines: of neighbours that differ, first what is gone, and then what has come."""
    gone: list[str] = []
    come: list[str] = []
    for row in shown:
        if row.same:
            yield from gone
            yield from come
            gone, come = [], []
            assert row.left is not None
            yield f" {left[row.left]}"
            continue
        if row.left is not None:
            gone.append(f"-{left[row.left]}")
        if row.right is not None:
            come.append(f"+{right[row.right]}")
    yield from gone
    yield from come
