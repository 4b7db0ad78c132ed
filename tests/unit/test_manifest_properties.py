"""Any object of JSON is written as YAML and read back as it was, in any company."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ktui.manifests.reading import read
from ktui.manifests.writing import write
from tests.values import OBJECTS, VALUES, read_as_json, same

MANY = settings(max_examples=150)


@MANY
@given(OBJECTS)
def test_any_object_survives(value: dict[str, Any]) -> None:
    """By ktui, and by any other reader of YAML 1.1."""
    text = write(value)
    found = read(text)
    assert not found.problems
    (document,) = found.documents
    assert same(read_as_json(value), document.value)
    assert same(value, yaml.safe_load(text))


@MANY
@given(OBJECTS)
def test_what_was_read_is_written_as_it_stood(value: dict[str, Any]) -> None:
    """Whoever saves what was opened changes nothing: after one round the text stays, to the letter."""
    text = write(read(write(value)).documents[0].value)
    assert write(read(text).documents[0].value) == text


@MANY
@given(st.lists(OBJECTS.filter(bool), min_size=1, max_size=4))
def test_documents_do_not_touch_each_other(values: list[dict[str, Any]]) -> None:
    """Whatever stands in one, the line between them is where it was put."""
    pieces = [write(value) for value in values]
    found = read("---\n".join(pieces))
    assert not found.problems
    assert same([read_as_json(value) for value in values], [document.value for document in found.documents])
    lines = [1 + sum(1 + piece.count("\n") for piece in pieces[:place]) for place in range(len(pieces))]
    assert [document.line for document in found.documents] == lines


@MANY
@given(OBJECTS)
def test_every_value_has_its_place(value: dict[str, Any]) -> None:
    """Each field and each item is found in the text, at a line of it, none before what contains it."""
    text = write(value)
    document = read(text).documents[0]
    last = text.count("\n") + 1

    def look(inner: Any, path: tuple[str | int, ...]) -> None:
        place = document.positions[path]
        first = (place.key or place.value).line
        assert 1 <= first <= place.value.line <= place.value.end_line <= last
        if path:
            assert document.positions[path[:-1]].value.line <= first
        steps = inner.items() if isinstance(inner, dict) else enumerate(inner) if isinstance(inner, list) else ()
        for step, deeper in steps:
            look(deeper, (*path, step))

    look(document.value, ())


@MANY
@given(VALUES, st.text(max_size=40))
def test_whatever_is_typed_into_it_is_read_or_told(value: Any, typed: str) -> None:
    """A text in the midst of being edited raises nothing, and its problems stand in it."""
    text = write({"a": value})
    middle = len(text) // 2
    text = text[:middle] + typed + text[middle:]
    found = read(text)
    last = text.count("\n") + text.count("\r") + 2
    assert all(1 <= problem.line <= last and problem.column >= 1 for problem in found.problems)
