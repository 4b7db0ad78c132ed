"""The parts of text and overview pages that are pure: wrapping, colouring, arranging."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ktui.kinds.overview import Line, Section, Table, TableRow
from ktui.kinds.tone import Tone
from ktui.widgets.cells import width_of
from ktui.widgets.overview_view import PaintedLine, arranged, wrapped
from ktui.widgets.palette import Ink
from ktui.widgets.text_view import Span, _filled, _overlaid, _pieces
from ktui.widgets.yaml_syntax import YamlSyntax

texts = st.text(alphabet=st.sampled_from("ab  cdé漢😀-/"), min_size=1, max_size=60)


def words(line: PaintedLine) -> str:
    """The text of a line."""
    return "".join(piece.text for piece in line)


@given(texts, st.integers(2, 20))
def test_wrapped_pieces_fit(text: str, width: int) -> None:
    """No piece of a wrapped text is wider than it may be, and no letter is lost."""
    pieces = wrapped(text, width)
    assert all(width_of(piece) <= width for piece in pieces)
    assert "".join(pieces).replace(" ", "") == text.replace(" ", "")


@given(texts, st.integers(2, 20))
def test_pieces_of_a_line_fit(text: str, width: int) -> None:
    """A wrapped line of a manifest is cut where the width ends, wide characters or not."""
    starts = _pieces(text, width)
    pieces = [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]
    assert "".join(pieces) == text
    assert all(width_of(piece) <= width for piece in pieces)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 8)), max_size=4), st.integers(31, 50))
def test_marks_lie_over_colours_and_nothing_is_lost(places: list[tuple[int, int]], length: int) -> None:
    """However matches overlap what is coloured, the spans cover the line once."""
    marks, at = [], 0
    for start, size in sorted(places):
        if start >= at:
            marks.append(Span(start, min(start + size, length), Ink.MATCH))
            at = start + size
    under = list(_filled([Span(3, 10, Ink.KEY), Span(20, 25, Ink.GOOD)], length))
    spans = _overlaid(under, marks)
    assert [place for span in spans for place in range(span.start, span.end)] == list(range(length))
    marked = {place for mark in marks for place in range(mark.start, mark.end)}
    assert {p for span in spans if span.ink is Ink.MATCH for p in range(span.start, span.end)} == marked


SECTIONS = [
    Section("Pod", (Line("Status", "Running", Tone.GOOD), Line("Node", "worker-0"))),
    Section("Conditions", table=Table(("TYPE", "REASON"), (TableRow(("Ready", "-")), TableRow(("Initialized", "-"))))),
    Section("Container web", (Line("Image", "registry.example.com/" + "long/" * 30 + "web:1"),)),
    Section(
        "Volumes",
        table=Table(("NAME", "SOURCE"), (TableRow(("conf", "a config map with a rather long story to tell")),)),
    ),
]


@given(st.integers(20, 240))
def test_an_overview_fits_any_width(width: int) -> None:
    """No line is wider than the page, in one column or in two."""
    assert all(width_of(words(line)) <= width for line in arranged(SECTIONS, width))


def test_a_wide_page_has_two_columns() -> None:
    """From 120 columns on, sections stand side by side, the first one on the left."""
    lines = [words(line) for line in arranged(SECTIONS, 160)]
    assert "Pod" in lines[0]
    assert "Container web" in lines[0]
    assert lines[0].index("Pod") < lines[0].index("Container web")
    assert len(lines) < len(arranged(SECTIONS, 119))


def test_columns_that_say_nothing_are_left_out() -> None:
    """A column of dashes takes room from those that say something."""
    assert not any("REASON" in words(line) for line in arranged(SECTIONS, 80))


def test_a_tone_is_a_glyph_before_the_value() -> None:
    """How well something is can be told without colours."""
    assert any("● Running" in words(line) for line in arranged(SECTIONS, 80))


def test_yaml_is_coloured_by_what_it_is() -> None:
    """Keys, numbers, quoted strings, comments and blocks are told apart, on the lines and columns where they stand."""
    lines = ["name: web", "replicas: 3", 'version: "3"', "# a comment", "text: |", "  key: no key", "é: 1"]
    syntax = YamlSyntax(lines)
    syntax.parse()
    told = [{lines[row][span.start : span.end]: span.ink for span in syntax.spans(row)} for row in range(len(lines))]
    assert told[0] == {"name": Ink.FOCUS, ":": Ink.QUIET}
    assert told[1]["3"] is Ink.KEY
    assert told[2]['"3"'] is Ink.GOOD
    assert told[3] == {"# a comment": Ink.FAINT}
    assert told[5]["  key: no key"] is Ink.GOOD
    assert told[6] == {"é": Ink.FOCUS, ":": Ink.QUIET, "1": Ink.KEY}


def test_a_long_text_is_read_in_pieces_with_the_same_result() -> None:
    """What is read in a thread is coloured like what is read at once."""
    few = [f"key{n}: {n}" for n in range(50)]
    many = [*few, *(f"more{n}: text" for n in range(4000))]
    short, long = YamlSyntax(few), YamlSyntax(many)
    assert short.small
    assert not long.small
    short.parse()
    long.parse()
    assert [short.spans(n) for n in range(50)] == [long.spans(n) for n in range(50)]
