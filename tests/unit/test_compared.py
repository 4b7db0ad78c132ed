"""Two objects as texts to be compared: nothing that always differs, nothing that is secret, one order of fields."""

from __future__ import annotations

import base64
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ktui.kinds.manifest import LAST_APPLIED
from ktui.manifests.compared import only_fields_of, texts
from ktui.manifests.line_difference import unified
from ktui.manifests.reading import read


def compared(left: Any, right: Any, **more: Any) -> list[str]:
    """What differs, without context."""
    here, there = texts(left, right, ("before", "after"), **more)
    return [line for line in unified(here.splitlines(), there.splitlines(), 0) if not line.startswith("@@")]


def secret(**values: str) -> dict[str, Any]:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": data}


def test_what_always_differs_is_left_out() -> None:
    meta: dict[str, Any] = {
        "uid": "1",
        "resourceVersion": "2",
        "generation": 3,
        "creationTimestamp": "x",
        "managedFields": [{"a": 1}],
    }
    meta["annotations"] = {LAST_APPLIED: "{}"}
    left: Any = {"kind": "Pod", "metadata": {"name": "a", **meta}, "status": {"phase": "Running"}}
    right = {"kind": "Pod", "metadata": {"name": "a"}, "status": {"phase": "Failed"}}
    assert compared(left, right) == []
    assert compared(left, right, status=True) == ["-  phase: Running", "+  phase: Failed"]
    assert left["metadata"]["uid"] == "1"


def test_the_order_of_fields_is_no_difference() -> None:
    left = {
        "kind": "Pod",
        "spec": {"containers": [{"name": "a", "image": "x"}, {"name": "b", "image": "v"}], "more": 1},
    }
    right = {
        "spec": {"more": 1, "containers": [{"image": "x", "name": "a"}, {"image": "z", "name": "b"}]},
        "kind": "Pod",
    }
    assert compared(left, right) == ["-  - image: v", "+  - image: z"]
    text = texts(left, right, ("l", "r"))[0]
    assert text.index("more: 1") < text.index("containers")
    moved = {
        "kind": "Pod",
        "spec": {"containers": [{"image": "v", "name": "b"}, {"image": "x", "name": "a"}], "more": 1},
    }
    assert compared(left, moved) != []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "a", "b"]), inner, max_size=3),
    max_leaves=10,
)


@given(JSON, JSON)
def test_no_value_is_lost(left: Any, right: Any) -> None:
    here, there = texts({"spec": left}, {"spec": right}, ("l", "r"))
    assert read(here).documents[0].value == {"spec": left}
    assert read(there).documents[0].value == {"spec": right}


def test_nothing_is_an_empty_text() -> None:
    assert compared({}, {"kind": "Pod"}) == ["+kind: Pod"]


def test_of_secrets_is_told_what_differs_and_nothing_more() -> None:
    left, right = secret(user="jane", word="abc", gone="1"), secret(user="jane", word="xyz", new="12")
    left["metadata"] = {"annotations": {LAST_APPLIED: '{"data":{"word":"YWJj"}}'}}
    right["metadata"] = {}
    assert compared(left, right)[-4:] == [
        "-  word: •••••••• (3 bytes, before)",
        "-  gone: •••••••• (1 byte)",
        "+  word: •••••••• (3 bytes, after)",
        "+  new: •••••••• (2 bytes)",
    ]
    for text in texts(left, right, ("before", "after"), status=True):
        assert "YWJj" not in text
        assert "  user: •••••••• (4 bytes)\n" in text


def test_only_what_was_applied_can_be_compared() -> None:
    """Fields, and items of lists that something tells apart."""
    named = {"spec": {"replicas": 1, "ports": [{"containerPort": 80, "name": "a"}], "args": ["x"], "gone": 1}}
    ports = [{"containerPort": 81}, {"containerPort": 80, "name": "b", "protocol": "TCP"}]
    value = {"spec": {"replicas": 2, "ports": ports, "args": ["x", "y"], "default": True}, "status": {}}
    assert only_fields_of(named, value) == {
        "spec": {"replicas": 2, "ports": [{"containerPort": 80, "name": "b"}], "args": ["x", "y"]}
    }


@given(JSON, JSON)
def test_everything_is_named_by_itself(named: Any, value: Any) -> None:
    assert only_fields_of(named, named) == named
    only_fields_of(named, value)
