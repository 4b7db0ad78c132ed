"""What is written reads back as the same, looks as kubectl's YAML does, and hides what is secret."""

from __future__ import annotations

# ruff: noqa: E501, SIM905 - a value and its text, side by side
import base64
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ktui.kinds.kind import Kind
from ktui.kinds.manifest import LAST_APPLIED, MASK
from ktui.manifests.cleaning import clean, restored
from ktui.manifests.reading import read
from ktui.manifests.writing import write
from tests.unit.golden.recorded import KINDS, recorded
from tests.values import same

ODD = st.text(
    st.sampled_from("ab 0123 \t\n\n:-#?|>'\"%@`!&*{}[],=<~.é😀\u200b\u2028\x85\r\\/_eExXoOnNyY\x00"), max_size=12
)
TEXTS = st.text(max_size=8) | ODD
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


def order_of(value: Any) -> Any:
    """The keys of a value, in their order, and nothing else."""
    if isinstance(value, dict):
        return [(key, order_of(inner)) for key, inner in value.items()]
    return [order_of(inner) for inner in value] if isinstance(value, list) else None


@given(VALUES)
def test_whatever_is_written_reads_back(value: Any) -> None:
    """By ktui, which reads as Kubernetes does, and by any other reader of YAML 1.1."""
    text = write(value)
    found = read(text)
    assert not found.problems
    assert same(value, found.documents[0].value if found.documents else None)
    assert same(value, yaml.safe_load(text))


@given(VALUES)
def test_order_is_kept(value: Any) -> None:
    """Fields are read in the order in which they were written."""
    found = read(write({"x": value})).documents[0].value
    assert order_of(found) == order_of({"x": value})


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.gvr.resource)
def test_recorded_objects_read_back(kind: Kind) -> None:
    """The objects of a real cluster, as an editor shows them."""
    for item in recorded(kind).items:
        shown = clean(item).value
        assert read(write(shown)).documents[0].value == shown
        assert shown.keys() == item.keys() - {"status"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": {"b": [1, {"c": True, "d": None}, [2, 3], {}, []]}}, "a:\n  b:\n  - 1\n  - c: true\n    d: null\n  - - 2\n    - 3\n  - {}\n  - []\n"),
        ({"a": "1\n2\n"}, "a: |\n  1\n  2\n"),
        ({"a": "1\n2"}, "a: |-\n  1\n  2\n"),
        ({"a": "1\n\n\n", "b": 1}, "a: |+\n  1\n\n\nb: 1\n"),
        ({"a": " 1\n2"}, "a: |2-\n   1\n  2\n"),
        ({"a": ["x\n\ty\n"]}, "a:\n- |\n  x\n  \ty\n"),
        ({"a": "1\n2 "}, 'a: "1\\n2 "\n'),
        ({"a": "\n"}, 'a: "\\n"\n'),
        ({"a": "\t1\n"}, 'a: "\\t1\\n"\n'),
        ({"a": "x\ry"}, 'a: "x\\ry"\n'),
        ({"a": "abc\u202edef"}, 'a: "abc\\u202Edef"\n'),
        ({"a": "😀 é"}, "a: 😀 é\n"),
        ({"a": "x: y", "b": "x #y", "c": "*x", "d": "it's: 'it'", "e": " x", "f": "--x=y", "g": "http://x:80/#y"}, "a: 'x: y'\nb: 'x #y'\nc: '*x'\nd: 'it''s: ''it'''\ne: ' x'\nf: --x=y\ng: http://x:80/#y\n"),
        ({"a": '2020-01-01 "x" \\'}, 'a: "2020-01-01 \\"x\\" \\\\"\n'),
        ({"y": "no", "1": "1", "": ""}, '"y": "no"\n"1": "1"\n"": ""\n'),
        ({"a": "word " * 300}, f"a: '{'word ' * 300}'\n"),
        ({"k" * 2000: 1}, f"? {'k' * 2000}\n: 1\n"),
        ([1e21, 1e-7, 0.5, -1], "- 1.0e+21\n- 1.0e-07\n- 0.5\n- -1\n"),
        ({}, "{}\n"), ("a", "a\n"), (None, "null\n"),
    ],
)  # fmt: skip
def test_style(value: Any, text: str) -> None:
    """As kubectl writes YAML, with texts of several lines as blocks."""
    assert write(value) == text


@pytest.mark.parametrize(
    "word", "y N on null ~ 1e3 12345e6 0o17 0x1F 1_000 017 +5 .5 12:30:00 1:2 2020-01-01 = .inf 1e400 0b1 5.".split(" ")
)  # fmt: skip
def test_texts_that_look_like_other_values_are_quoted(word: str) -> None:
    """For Kubernetes, and for readers that take more for numbers and times than it does."""
    assert write({"a": word}) in (f'a: "{word}"\n', f"a: '{word}'\n")


# -- what an editor shows --------------------------------------------------------------------------


def secret(**data: bytes) -> dict[str, Any]:
    """A Secret with some values."""
    return {
        "kind": "Secret",
        "apiVersion": "v1",
        "metadata": {
            "managedFields": [{"manager": "kubectl"}],
            "annotations": {LAST_APPLIED: '{"data":{"password":"Y2FuYXJ5"}}', "team": "blue"},
            "name": "db",
        },
        "data": {key: base64.b64encode(value).decode() for key, value in data.items()},
        "type": "Opaque",
    }


def test_clean_objects_are_in_order_and_have_no_status() -> None:
    """What nobody edits is apart."""
    item = {
        "status": {"ready": 1},
        "spec": {},
        "kind": "A",
        "metadata": {**secret()["metadata"], "labels": {}},
        "apiVersion": "v1",
    }
    shown = clean(item)
    assert list(shown.value) == ["apiVersion", "kind", "metadata", "spec"]
    assert list(shown.value["metadata"]) == ["name", "labels", "annotations"]
    assert shown.status == {"ready": 1}
    assert shown.owners == [{"manager": "kubectl"}]
    assert "managedFields" in item["metadata"]


def test_secrets_are_masked_and_put_back() -> None:
    """Nothing of them is in the text, and editing something else leaves them as they were."""
    item = secret(password=b"canary", key=b"\xff\xfe")
    shown = clean(item).value
    text = write(shown)
    assert "canary" not in text
    assert "Y2FuYXJ5" not in text
    assert f"password: {MASK} (6 bytes)" in text
    edited = read(text).documents[0].value
    edited["metadata"]["labels"] = {"a": "b"}
    edited["data"]["more"] = "eA=="
    found = restored(edited, item)
    assert found.lost == []
    assert found.value["data"] == {**item["data"], "more": "eA=="}
    assert found.value["metadata"]["annotations"] == item["metadata"]["annotations"]


def test_masks_follow_a_key_that_is_renamed_and_are_never_written() -> None:
    """A value that cannot be told is told of, so that no dots are stored."""
    item = secret(one=b"a", two=b"bb")
    shown = clean(item).value
    renamed = {**shown, "data": {"uno": shown["data"]["one"], "two": shown["data"]["two"]}}
    assert restored(renamed, item).value["data"] == {"uno": "YQ==", "two": "YmI="}
    unknown = {**shown, "data": {"one": shown["data"]["two"], "two": shown["data"]["two"]}}
    assert restored(unknown, item).lost == [("data", "one")]


def test_secrets_are_decoded_to_be_edited_and_encoded_again() -> None:
    """Text can be read and changed; what is none stays base64; what was not changed is the same to the letter."""
    item = secret(password=b"canary\nline\n", key=b"\xff\xfe", nul=b"a\0b")
    shown = clean(item, decoded=True).value
    assert shown["stringData"] == {"password": "canary\nline\n", "nul": "a\0b"}
    assert shown["data"] == {"key": "//4="}
    same_again = read(write(shown)).documents[0].value
    assert restored(same_again, item).value["data"] == item["data"]
    assert list(restored(same_again, item).value) == ["kind", "apiVersion", "metadata", "data", "type"]
    same_again["stringData"]["password"] = "other"
    del same_again["stringData"]["nul"]
    assert restored(same_again, item).value["data"] == {"password": "b3RoZXI=", "key": "//4="}


@given(
    st.dictionaries(
        st.text(st.sampled_from("abc"), min_size=1), st.binary(max_size=9) | st.text().map(str.encode), max_size=4
    ),
    st.booleans(),
)
def test_any_secret_survives_its_editor(values: dict[str, bytes], decoded: bool) -> None:
    """Masked or decoded, written, read and put back: the same bytes."""
    item = secret(**values)
    found = restored(read(write(clean(item, decoded=decoded).value)).documents[0].value, item)
    assert found.lost == []
    assert found.value["data"] == item["data"]
    assert "stringData" not in found.value


def test_other_kinds_are_restored_as_they_are() -> None:
    """A custom resource that is called Secret may have anything in its data."""
    item = {"apiVersion": "x/v1", "kind": "Secret", "metadata": {"name": "a"}, "data": {"x": "plain"}}
    assert clean(item).value == item
    assert restored(item, item).value == item
