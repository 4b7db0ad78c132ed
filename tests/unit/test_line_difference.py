"""Lines that differ: aligned to stand side by side, and written as `diff -u` writes them."""

from __future__ import annotations

import difflib

from hypothesis import given
from hypothesis import strategies as st

from ktui.manifests.line_difference import Part, Row, parts, rows, unified

LINES = st.lists(st.sampled_from(["a: 1", "a: 2", "b:", "  c: 1", "- d", "- e"]), max_size=12)


@given(LINES, LINES)
def test_every_line_stands_in_one_row_in_its_order(left: list[str], right: list[str]) -> None:
    found = rows(left, right)
    assert [row.left for row in found if row.left is not None] == [*range(len(left))]
    assert [row.right for row in found if row.right is not None] == [*range(len(right))]
    for row in found:
        both = row.left is not None and row.right is not None
        assert row.same == (both and left[row.left or 0] == right[row.right or 0])


@given(LINES, LINES, st.integers(0, 3))
def test_parts_cover_all_rows_and_hide_only_what_is_far_from_a_difference(
    left: list[str], right: list[str], context: int
) -> None:
    found = rows(left, right)
    told = parts(found, context)
    assert [place for part in told for place in range(part.start, part.stop)] == [*range(len(found))]
    for part in told:
        around = range(max(0, part.start - context), min(len(found), part.stop + context))
        if part.hidden:
            assert all(found[place].same for place in range(part.start, part.stop))
        else:
            assert any(not found[place].same for place in around)


@given(LINES, LINES)
def test_a_unified_difference_makes_one_text_of_the_other(left: list[str], right: list[str]) -> None:
    """Applying it as `patch` does gives the other text."""
    made: list[str] = []
    place = 0
    for line in unified(left, right):
        if line.startswith("@@"):
            start, _, count = line.split()[1][1:].partition(",")
            begin = int(start) - (count != "0")
            made += left[place:begin]
            place = begin
        elif line[0] == "+":
            made.append(line[1:])
        else:
            assert left[place] == line[1:]
            made += [left[place]] if line[0] == " " else []
            place += 1
    assert made + left[place:] == right
    assert bool([*unified(left, right)]) == (left != right)


def test_the_words_are_those_of_diff() -> None:
    left = [f"line {number}" for number in range(30)]
    right = [*left[:5], "new", *left[5:20], "changed", *left[21:]]
    wanted = [*difflib.unified_diff(left, right, lineterm="")][2:]
    assert [*unified(left, right)] == wanted


def test_lines_with_one_key_stand_side_by_side() -> None:
    left = ["spec:", "  image: a:1", "  args: x", "end"]
    right = ["spec:", "  tty: true", "  image: a:2", "end"]
    assert rows(left, right) == [
        Row(0, 0, True),
        Row(None, 1, False),
        Row(1, 2, False),
        Row(2, None, False),
        Row(3, 3, True),
    ]


def test_what_is_far_is_hidden() -> None:
    left = [str(number) for number in range(20)]
    right = [*left[:10], "x", *left[11:]]
    assert parts(rows(left, right), 2) == [Part(0, 8, True), Part(8, 14, False), Part(14, 21, True)]
    assert parts(rows(left, left)) == [Part(0, 20, True)]
    assert parts([]) == []
