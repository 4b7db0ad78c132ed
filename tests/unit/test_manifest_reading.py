"""YAML is read as Kubernetes reads it, and what is wrong is told at its place."""

from __future__ import annotations

# ruff: noqa: E501 - a text and what is said of it, side by side
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ktui.manifests.reading import Position, read, spell
from tests.cluster.yaml_corpus import Seen, recorded

RECORDED = recorded()

STRICTER = ("a: 1, a: 2", "a: 1\n  b: 2\n  a: 3", '"data": 1, "data": 2', "...\nmore: 2", "metadata: {name: x}} b")
"""Parts of recorded texts that kubectl reads, though they cannot be meant: a key that stands twice, an end in between."""

FRAGMENTS = st.lists(
    st.sampled_from(
        [
            *(
                "a",
                "b",
                "1",
                "yes",
                "~",
                "'q'",
                '"q"',
                "&x ",
                "*x",
                "<<",
                "!!str ",
                "!!int ",
                ": ",
                ":",
                "- ",
                "? ",
                ", ",
            ),
            *(
                "[",
                "]",
                "{",
                "}",
                "#",
                " # c",
                "|",
                ">-",
                "|2",
                "\n",
                "\n  ",
                "\n    ",
                "\t",
                "\n---\n",
                "\n...\n",
                "%",
                "@",
            ),
            *(
                "\r",
                "\x85",
                "\u2028",
                "\ufeff",
                "\x07",
                "\udc80",
                "é",
                "😀",
                '"',
                "'",
                "\\",
                '{"a": 1}',
                "\n- ",
                "1e999",
            ),
        ]
    ),
    max_size=14,
).map("".join)


def said(text: str) -> list[str]:
    """The problems of a text, each as a line."""
    return [f"{each.line}:{each.column}: {spell(each.path)}: {each.message}" for each in read(text).problems]


@pytest.mark.parametrize("name", RECORDED)
def test_what_kubectl_reads_is_what_ktui_reads(name: str) -> None:
    """Hundreds of texts: the same values of the same types, and refused are those that kubectl refuses."""
    for text, seen in RECORDED[name]:
        found = read(text)
        if seen.documents is None or any(part in text for part in STRICTER):
            assert found.errors, text
        else:
            assert not found.errors, text
            # As JSON, as Python takes true for 1 and 1 for 1.0.
            values = [document.value for document in found.documents]
            assert json.dumps(values, sort_keys=True) == json.dumps(seen.documents, sort_keys=True), text


def test_the_corpus_is_large_enough_to_prove_something() -> None:
    """Several hundred texts are recorded, and some hundred of them are refused."""
    seen: list[Seen] = [each for entries in RECORDED.values() for _, each in entries]
    assert len(seen) > 600
    assert sum(each.documents is None for each in seen) > 150


@given(FRAGMENTS)
def test_nothing_is_raised_whatever_the_text(text: str) -> None:
    """A text is read or has problems, and each of them stands in the text."""
    found = read(text)
    lines = text.replace("\r\n", "\n").split("\n")
    for problem in found.problems:
        assert 1 <= problem.line <= len(lines) + 1
        assert problem.column >= 1
        assert problem.message
    for document in (*found.documents, *found.fragments):
        json.dumps(document.value)
        for path in document.positions:
            place = document.positions[path].value
            assert (place.line, place.column) <= (place.end_line, place.end_column)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a:\n\tb: 1\n", "2:1: a: a tab cannot indent: use spaces"),
        ("a:\n  b: 1\n   c: 2\n", "3:5: a.b: a key cannot stand here: it is indented deeper than the key above, which has a value"),
        ("a:\n    b: 1\n  c: 2\n", "3:3: a: the indentation does not fit: no key above begins in this column"),
        ("spec:\n  ports\n  - a: 1\n", "3:6: spec: a key cannot stand here: is a colon missing in the line above?"),
        ("a:\nb c\nd: 1\n", "2:1: : neither `key: value` nor an item of a list: is a colon missing?"),
        ("a: b: c\n", "1:5: : a second colon in one line: a text with `: ` in it needs quotes"),
        ("a: [1,\n  2\nb: 3\n", "3:2: : a comma or `]` is missing: `[` was opened 2 lines before"),
        ("a: 1\nb: 'x\nc: 3\n", "2:4: : the quotes are not closed"),
        ("a:\n  host: *.shop\n", "2:9: a: a text that begins with * needs quotes, unless it is a name"),
        ("a: @b\n", "1:4: : a text that begins with @ needs quotes"),
        ("a: 'b' c\n", "1:8: : unexpected text behind a value: if it belongs to it, all of it needs quotes"),
        ("a: 1\n- b\n", "2:1: a: an item of a list cannot stand among keys"),
        ("a: {{ .Values.b }}\n", "1:5: a: a text that begins with {{ needs quotes; a template is no YAML until it is filled in"),
        ("a: 1\nb: 2\na: 3\n", "3:1: a: `a` stands twice in one object, first in line 1"),
        ("a:\n- b: .inf\n", "2:6: a[0].b: `.inf` is a number that JSON has no word for: use quotes"),
        ("a: *b\n", "1:4: a: there is no &b above"),
        ("a: !!int b\n", "1:4: a: `b` is no integer, as !!int says"),
        ("~: 1\n", "1:1: : ~ can be no key: use quotes"),
        ("a: 1\n--- b\n", "2:5: : Kubernetes reads nothing behind ---: write it on the next line"),
        ("a: \x07\n", "1:4: : the character U+0007 is not allowed: use an escape"),
        ('{"a": 1}\nb: 1\n', "2:1: : unexpected text: a new document needs a line of --- before it"),
        ('{"a": [1,\n 2}', "2:3: : a comma or ] is missing before `}`"),
    ],
)  # fmt: skip
def test_problems_are_told_in_plain_words_at_their_place(text: str, problem: str) -> None:
    """Line, column, the value that it is about, and what to do."""
    assert said(text) == [problem]


def test_several_problems_are_found_at_once() -> None:
    """What is broken is left out, and reading goes on behind it, in this document and in the next ones."""
    text = "a:\n\tb: 1\nc: @d\ne: 1\ne: 2\n---\nf: [\n---\ng: 1\n"
    assert [problem.line for problem in read(text).problems] == [2, 3, 5, 8]
    assert [document.value for document in read(text).documents] == [{"g": 1}]


def test_broken_documents_are_told_as_far_as_they_can_be_understood() -> None:
    """While somebody types, the rest of the document is there, but not among those that could be applied."""
    found = read("spec:\n  replicas: 1\n  ima\n  name: a\n")
    assert found.documents == []
    assert found.fragments[0].value == {"spec": {"replicas": 1, "name": "a"}}


def test_positions_of_keys_and_values() -> None:
    """Every value is found in the text by its path, and every key."""
    text = "# first\na: 1\n---\nspec:\n  containers:\n  - name: web\n    args: [x, 'y z']\n  text: |\n    one\n    two\n  none:\n"
    document = read(text).documents[1]
    at = document.positions
    assert document.line == 4
    assert at[()].value == Position(4, 1, 11, 8)
    assert at["spec",].key == Position(4, 1, 4, 5)
    assert at["spec",].value == Position(5, 3, 11, 8)
    assert at["spec", "containers", 0].key is None
    assert at["spec", "containers", 0].value == Position(6, 5, 7, 21)
    assert at["spec", "containers", 0, "name"] == (Position(6, 5, 6, 9), Position(6, 11, 6, 14))
    assert at["spec", "containers", 0, "args", 1].value == Position(7, 15, 7, 20)
    assert at["spec", "text"].value == Position(8, 9, 10, 8)
    assert at["spec", "none"] == (Position(11, 3, 11, 7), Position(11, 8, 11, 8))
    assert document.key(("spec", "none", "deeper")) == Position(11, 3, 11, 7)


def test_positions_of_json() -> None:
    """JSON has positions, too, tabs and all."""
    document = read('\n{\n\t"a": [1, {"b": "x"}]\n}\n').documents[0]
    assert document.positions["a", 1, "b"] == (Position(3, 12, 3, 15), Position(3, 17, 3, 20))
    assert document.positions["a",].value == Position(3, 7, 3, 22)


def test_what_an_alias_stands_for_is_where_its_anchor_is() -> None:
    """The alias has its own place; what is inside it is edited where it is written."""
    at = read("a: &x\n  b: 1\nc: *x\nd:\n  <<: *x\n").documents[0].positions
    assert at["c",].value == Position(3, 4, 3, 6)
    assert at["c", "b"].value == Position(2, 6, 2, 7)
    assert at["d", "b"].key == Position(2, 3, 2, 4)


def test_line_breaks_of_windows_change_nothing() -> None:
    """Values, lines and columns are the same."""
    text = "a: |\n  b\n  c\nd:\n- e: f: g\n---\nh: 1\n"
    unix, windows = read(text), read(text.replace("\n", "\r\n"))
    assert windows == unix
    assert [dict(each.positions) for each in windows.documents] == [dict(each.positions) for each in unix.documents]


def test_merges_that_replace_what_stands_above_are_warned_of() -> None:
    """go-yaml lets the last one win, also over the object's own fields."""
    found = read("a: 1\n<<: {a: 2, b: 3}\n")
    assert found.documents[0].value == {"a": 2, "b": 3}
    assert [(problem.severity, problem.line) for problem in found.problems] == [("warning", 2)]
    assert not found.errors


@pytest.mark.parametrize("open_one", ["[", "- ", "{a: ", '{"a":'])
def test_depth_is_bounded(open_one: str) -> None:
    """What nests too deep for whoever works with the value is refused, not fatal."""
    deep = open_one * 5000
    assert read(deep).documents == []
    assert read(deep).errors
    assert read("[" * 200 + "]" * 200).errors == []


def test_aliases_do_not_blow_up() -> None:
    """A few lines that stand for billions of values are refused in little time."""
    lines = ["a0: &a0 [" + ", ".join("x" * 9) + "]"]
    lines += [f"a{i}: &a{i} [" + ", ".join([f"*a{i - 1}"] * 9) + "]" for i in range(1, 12)]
    assert "too many values" in said("\n".join(lines))[0]


@pytest.mark.parametrize("value", ["1" * 5000, "-" + "9" * 5000, "0x" + "f" * 5000, "1" * 5000 + ".5", "0" * 5000])
def test_endless_numbers_do_not_harm(value: str) -> None:
    """Neither as YAML nor as JSON."""
    assert len(read(f"a: {value}").documents) == 1
    assert read(f'{{"a": {value}}}') is not None


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("spec", "containers", 0, "image"), "spec.containers[0].image"),
        (("metadata", "labels", "app.kubernetes.io/name"), "metadata.labels[app.kubernetes.io/name]"),
        ((0, "a"), "[0].a"),
    ],
)
def test_paths_are_spelled(path: tuple[Any, ...], text: str) -> None:
    """As kubectl and everybody writes them."""
    assert spell(path) == text
