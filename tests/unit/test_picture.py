"""The picture: whatever frames it was given, a terminal shows what it would show if all had been written anew."""

from __future__ import annotations

from typing import Any

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style

from ktui.terminal.picture import Picture, cells_of

WIDTH, HEIGHT = 24, 4

# What terminals agree on, and what they do not: two cells, none, one that joins the one before, a control character.
PLAIN = [*"ab─●█ ", "      ", "            ", "word "]
STRANGE = ["世", "界", "é", "e\u0301", "\u0301", "👍", "\x07"]

colours = st.sampled_from([None, "#d7dee8", "#71839a", "red", "default"])
grounds = st.sampled_from([None, "#10141a", "#24405f", "blue"])
switches = st.sampled_from([None, None, True])
styles = st.none() | st.builds(
    Style, color=colours, bgcolor=grounds, bold=switches, underline=switches, reverse=switches, italic=switches
)


def pieces(texts: list[str]) -> st.SearchStrategy[tuple[int, int, list[Segment]]]:
    """Something put somewhere: line, column, segments."""
    segment = st.builds(Segment, st.lists(st.sampled_from(texts), max_size=6).map("".join), styles)
    return st.tuples(st.integers(0, HEIGHT - 1), st.integers(0, WIDTH - 1), st.lists(segment, min_size=1, max_size=4))


def frames(texts: list[str]) -> st.SearchStrategy[list[list[tuple[int, int, list[Segment]]]]]:
    """Some frames, each of some pieces."""
    return st.lists(st.lists(pieces(texts), max_size=5), min_size=1, max_size=5)


class Emulated:
    """A terminal that shows what it was sent."""

    def __init__(self) -> None:
        self.screen = pyte.Screen(WIDTH, HEIGHT)
        self._stream = pyte.Stream(self.screen)
        # As Textual sets it: what is written behind the last column stays on its line.
        self.screen.reset_mode(pyte.modes.DECAWM)

    def show(self, sequence: str) -> None:
        """Take what is written."""
        self._stream.feed(sequence)

    def looks(self) -> list[list[tuple[Any, ...]]]:
        """All cells, and of blanks what is seen of them."""
        return [[_look(self.screen.buffer[y][x]) for x in range(WIDTH)] for y in range(HEIGHT)]


def _look(cell: Any) -> tuple[Any, ...]:
    if cell.data == " " and not (cell.reverse or cell.underscore or cell.strikethrough):
        return " ", cell.bg
    return tuple(cell)


def check(frames: list[list[tuple[int, int, list[Segment]]]], system: ColorSystem, *, erases: bool) -> None:
    """Put frame after frame; each time the terminal looks like one on which all is written anew."""
    picture, terminal = Picture(WIDTH, HEIGHT, system, erases=erases), Emulated()
    anew = Picture(WIDTH, HEIGHT, system, erases=False)
    for number, frame in enumerate(frames):
        for y, x, segments in frame:
            for each in (picture, anew):
                each.put(y, x, segments, sum(segment.cell_length for segment in segments))
        cursor = (number % WIDTH, number % HEIGHT)
        terminal.show(picture.frame(cursor))
        anew.forget()
        fresh = Emulated()
        fresh.show(anew.frame(cursor))
        assert terminal.looks() == fresh.looks()
        assert (terminal.screen.cursor.x, terminal.screen.cursor.y) == cursor
        assert picture.frame(cursor) == ""


@settings(max_examples=100, deadline=None)
@given(
    frames(PLAIN), st.sampled_from([ColorSystem.TRUECOLOR, ColorSystem.EIGHT_BIT, ColorSystem.STANDARD]), st.booleans()
)
def test_differences_look_like_all_of_it(frames: Any, system: ColorSystem, erases: bool) -> None:
    """Characters of one cell, in all colour systems, on terminals that erase with their ground and on others."""
    check(frames, system, erases=erases)


@settings(max_examples=100, deadline=None)
@given(frames(PLAIN + STRANGE))
def test_characters_of_no_and_of_two_cells(frames: Any) -> None:
    """Wide characters, combining marks and control characters among the others."""
    check(frames, ColorSystem.TRUECOLOR, erases=True)


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("a世b", ["a", "世", "", "b"]),
        ("e\u0301x", ["e\u0301", "x"]),
        ("👩\u200d👧!", ["👩\u200d👧", "", "!"]),
        ("❤\ufe0f!", ["❤\ufe0f", "", "!"]),
        ("\u0301a", ["a"]),
        ("a\x1b[31m\x9bb", ["a", "[", "3", "1", "m", "b"]),
    ],
)
def test_a_cell_holds_what_is_drawn_in_it(text: str, cells: list[str]) -> None:
    """What combines stands with what it combines with, wide characters take two cells, controls are left out."""
    assert cells_of([Segment(text)], ColorSystem.TRUECOLOR).texts == cells
