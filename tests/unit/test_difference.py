"""What differs between two objects: the fields that a person would name, and none that the server writes."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ktui.actions.difference import Change, Line, difference, lines
from ktui.kinds.manifest import LAST_APPLIED, MASK
from ktui.manifests.lists import ABSENT, same

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "a", "b/c", "spec"]), inner, max_size=3)
    ),
    max_leaves=12,
)


def in_spec(before: Any, after: Any) -> list[Change]:
    return difference({"spec": {"it": before}}, {"spec": {"it": after}})


def said(before: Any, after: Any) -> list[tuple[str, Any, Any]]:
    return [change[1:] for change in in_spec(before, after)]


def pod(*containers: dict[str, Any]) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": list(containers)}}}}


# -- which fields ------------------------------------------------------------------------------


def test_a_container_is_matched_by_its_name() -> None:
    """An image that changes is one change, wherever its container stands."""
    before = pod({"name": "log", "image": "l"}, {"name": "web", "image": "w:1"})
    after = pod({"name": "web", "image": "w:2"})
    path = ("spec", "template", "spec", "containers")
    assert difference(before, after) == [
        Change((*path, 0), "spec.template.spec.containers[log]", {"name": "log", "image": "l"}, ABSENT),
        Change((*path, 0, "image"), "spec.template.spec.containers[web].image", "w:1", "w:2"),
    ]


@pytest.mark.parametrize(
    ("field", "before", "after", "names"),
    [
        ("ports", [{"containerPort": 80}], [{"containerPort": 81}], ["[80]", "[81]"]),
        (
            "ports",
            [{"containerPort": 53}, {"containerPort": 53, "protocol": "UDP"}],
            [{"containerPort": 53, "hostPort": 1}, {"containerPort": 53, "protocol": "UDP", "hostPort": 2}],
            ["[53].hostPort", "[53/UDP].hostPort"],
        ),
        (
            "volumeMounts",
            [{"name": "v", "mountPath": "/a"}, {"name": "v", "mountPath": "/b"}],
            [{"name": "v", "mountPath": "/b", "readOnly": True}, {"name": "v", "mountPath": "/a"}],
            ["[/b].readOnly", " (order)"],
        ),
        ("taints", [{"key": "k", "effect": "e"}], [{"key": "k", "effect": "f"}], ["[k].effect"]),
        (
            "taints",
            [{"key": "k", "effect": "e"}, {"key": "k", "effect": "f"}],
            [{"key": "k", "effect": "e"}, {"key": "k", "effect": "f", "value": "1"}],
            ["[k/f].value"],
        ),
        ("hostAliases", [{"ip": "::1", "names": ["a"]}], [{"ip": "::1", "names": ["b"]}], ["[::1].names[0]"]),
        ("conditions", [{"type": "A", "status": "x"}], [{"type": "A", "status": "y"}], ["[A].status"]),
        ("args", ["a", "b"], ["a", "c", "d"], ["[1]", "[2]"]),
        ("envFrom", [{"configMapRef": {"name": "a"}}], [{"configMapRef": {"name": "b"}}], ["[0].configMapRef.name"]),
    ],
)  # fmt: skip
def test_items_are_matched_by_what_tells_them_apart(field: str, before: Any, after: Any, names: list[str]) -> None:
    """By their merge key where they have one, by their place where they have none."""
    found = difference({"spec": {field: before}}, {"spec": {field: after}})
    assert [change.said for change in found] == [f"spec.{field}{name}" for name in names]


def test_what_the_server_writes_is_left_out() -> None:
    """Versions, times, managers, what apply keeps, and the status unless it is asked for."""
    before = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a", "resourceVersion": "1", "uid": "u", "annotations": {LAST_APPLIED: "{}"}},
        "status": {"ready": 1},
    }
    after = {"metadata": {"name": "a", "resourceVersion": "2", "generation": 3, "managedFields": []}, "status": {}}
    assert difference(before, after) == []
    assert difference(before, after, status=True) == [Change(("status", "ready"), "status.ready", 1, ABSENT)]


def test_keys_that_are_no_words_stand_in_brackets() -> None:
    """`metadata.labels[app.kubernetes.io/name]`, as kubectl's errors write them."""
    found = difference({"metadata": {"labels": {"a.b/c": "1"}}}, {"metadata": {"labels": {"a.b/c": "2", "d": "3"}}})
    assert [change.said for change in found] == ["metadata.labels[a.b/c]", "metadata.labels.d"]


def test_values_of_another_type_differ() -> None:
    """True is not 1, null is not nothing, a map is not a list."""
    assert said(True, 1) == [("spec.it", True, 1)]
    assert said([True], [1]) == [("spec.it[0]", True, 1)]
    assert said({"a": None}, {}) == [("spec.it.a", None, ABSENT)]
    assert said({}, []) == [("spec.it", {}, [])]
    assert said(1, 1.0) == []


@given(JSON_VALUES, JSON_VALUES)
def test_nothing_differs_exactly_where_all_is_equal(before: Any, after: Any) -> None:
    """And each change tells two values that are not the same."""
    found = in_spec(before, after)
    assert (found == []) == same(before, after)
    assert not any(same(change.before, change.after) for change in found)


@given(JSON_VALUES, JSON_VALUES)
def test_paths_lead_to_the_values(before: Any, after: Any) -> None:
    """In the object after, and in the one before of what was removed."""
    for change in in_spec(before, after):
        if change.said.endswith(" (order)"):
            continue
        place: Any = {"spec": {"it": before if change.after is ABSENT else after}}
        for part in change.path:
            place = place[part]
        assert place == (change.before if change.after is ABSENT else change.after)


# -- lines -------------------------------------------------------------------------------------


def test_lines_tell_added_and_removed_apart() -> None:
    """An empty text is a value, too."""
    found = lines(in_spec({"a": "", "b": 1}, {"b": [1, "x"], "c": None}), secret=False)
    assert found == [Line("spec.it.a", '""', ""), Line("spec.it.b", "1", '[1,"x"]'), Line("spec.it.c", "", "null")]
    assert [(line.added, line.removed) for line in found] == [(False, True), (False, False), (True, False)]


def test_long_texts_keep_what_differs_in_sight() -> None:
    """They are cut around it, and in the middle when there is more of it."""
    text = "x" * 500 + "{}" + "y" * 500
    (line,) = lines(in_spec(text.format("1"), text.format("234")), secret=False, longest=40)
    assert line.before == "…" + "x" * 12 + "1" + "y" * 12 + "…"
    assert line.after == "…" + "x" * 12 + "234" + "y" * 12 + "…"
    (line,) = lines(in_spec("", "a" * 50 + "b" * 50), secret=False, longest=21)
    assert line == Line("spec.it", '""', '"aaaaaaaaa…bbbbbbbbb"')


@given(st.text(max_size=60), st.text(max_size=60))
def test_shortened_texts_differ_when_the_values_do(before: str, after: str) -> None:
    """Nobody sees the same text twice, and none is longer than it may be."""
    for line in lines(in_spec(before, after), secret=False, longest=30):
        assert max(len(line.before), len(line.after)) <= 30
        # Where more differs than can be shown, the middles may be what is cut.
        if len(json.dumps(before)) <= 30 and len(json.dumps(after)) <= 30:
            assert line.before != line.after


def test_values_of_secrets_are_masked() -> None:
    """Only that they changed is told, and how long they are; whether one changed or all came new."""
    before = {"kind": "Secret", "data": {"a": "aHVudGVyMg==", "b": "eA=="}, "metadata": {"labels": {"x": "1"}}}
    after = {
        "kind": "Secret",
        "data": {"a": "aHVudGVy"},
        "stringData": {"c.d": "hunter2"},
        "metadata": {"labels": {"x": "2"}},
    }
    found = lines(difference(before, after), secret=True)
    assert found == [
        Line("data.a", f"{MASK} (7 bytes)", f"{MASK} (6 bytes)"),
        Line("data.b", f"{MASK} (1 byte)", ""),
        Line("metadata.labels.x", '"1"', '"2"'),
        Line("stringData[c.d]", "", f"{MASK} (7 bytes)"),
    ]
    assert "hunter" not in str(found)
    assert "aHVu" not in str(found)


# -- speed -------------------------------------------------------------------------------------


@pytest.mark.parametrize("changed", [1, 3_000], ids=["one", "many"])
def test_large_objects_are_fast(changed: int) -> None:
    """An object of a megabyte takes 20 to 75 ms, by how much differs; here with room for any machine."""
    items = [{"name": f"item-{i}", "deep": {"a": {"b": {"c": ["x" * 40, i, {"d": "y" * 100}]}}}} for i in range(5_000)]
    before = {"spec": {"items": items}}
    after = json.loads(json.dumps(before))
    for i in range(changed):
        after["spec"]["items"][i]["deep"]["a"]["b"]["c"][1] = -1
    assert len(json.dumps(before)) > 1_000_000
    started = time.process_time()
    found = difference(before, after)
    spent = time.process_time() - started
    assert len(found) == changed
    assert spent < 0.5
