"""Who set what: the owners of values, of the lines of a text, and of what is in conflict."""

from __future__ import annotations

import base64
import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ktui.manifests.blame import Owner, blame, by_line, owner_of, said, words
from ktui.manifests.cleaning import clean
from ktui.manifests.lists import GUESSED
from ktui.manifests.merge import merge
from ktui.manifests.reading import Document, read
from ktui.manifests.writing import write

NOON = 1767268800.0
"""2026-01-01T12:00:00Z"""


def entry(manager: str, time: str, fields: Any, **more: Any) -> dict[str, Any]:
    """An entry of managedFields, of a time on the first of January."""
    written = {"manager": manager, "operation": "Update", "time": f"2026-01-01T{time}Z", "fieldsType": "FieldsV1"}
    return {**written, "fieldsV1": fields, **more}


APPLIED = {
    "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
    "f:spec": {
        "f:replicas": {},
        "f:selector": {},
        "f:template": {
            "f:spec": {
                "f:containers": {
                    'k:{"name":"web"}': {
                        ".": {},
                        "f:name": {},
                        "f:image": {},
                        "f:args": {},
                        "f:ports": {
                            ".": {},
                            'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}},
                        },
                    }
                }
            }
        },
    },
}  # fmt: skip
IMAGE: Any = {"f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"web"}': {"f:image": {}}}}}}}

DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {
        "name": "web",
        "uid": "u",
        "labels": {"app": "web", "stray": "x"},
        "finalizers": ["a/b", "c/d"],
        "managedFields": [
            entry("kubectl-client-side-apply", "11:00:00", APPLIED),
            entry("kubectl-set", "11:57:00", IMAGE),
            entry("controller", "09:00:00", {"f:metadata": {"f:finalizers": {".": {}, 'v:"c/d"': {}}}}),
            entry("hpa", "11:59:50", {"f:spec": {"f:replicas": {}}}, subresource="scale"),
        ],
    },
    "spec": {
        "replicas": 3,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "spec": {
                "containers": [
                    {"name": "sidecar", "image": "side:1"},
                    {
                        "name": "web",
                        "image": "web:2",
                        "args": ["serve", "|\n  two\nlines\n"],
                        "ports": [{"containerPort": 80, "protocol": "TCP"}],
                    },
                ]
            }
        },
    },
}

CONTAINERS = ("spec", "template", "spec", "containers")


def managers(owners: list[Owner]) -> list[str]:
    return [owner.manager for owner in owners]


def document(text: str) -> Document:
    found = read(text)
    assert not found.errors
    return found.documents[0]


def blamed(text: str, item: dict[str, Any]) -> dict[str, list[str]]:
    """The managers by the line as it is written, without its indentation."""
    lines = text.split("\n")
    return {lines[line - 1].strip(): managers(owners) for line, owners in by_line(document(text), item).items()}


# -- owners of values ------------------------------------------------------------------------------


def test_every_value_has_those_who_set_it_the_newest_first() -> None:
    found = {path: managers(owners) for path, owners in blame(DEPLOYMENT).items()}
    assert found["spec", "replicas"] == ["hpa", "kubectl-client-side-apply"]
    assert found[*CONTAINERS, 1, "image"] == ["kubectl-set", "kubectl-client-side-apply"]
    assert found[*CONTAINERS, 1, "ports", 0, "containerPort"] == ["kubectl-client-side-apply"]
    assert found["metadata", "finalizers", 1] == ["controller"]
    assert ("metadata", "finalizers", 0) not in found
    assert ("metadata", "name") not in found
    assert (*CONTAINERS, 0, "image") not in found


def test_owners_have_all_that_is_told_of_them() -> None:
    assert owner_of(DEPLOYMENT, ("spec", "replicas"))[0] == Owner("hpa", "Update", "scale", NOON - 10)


def test_what_was_set_as_a_whole_has_its_owner_all_the_way_down() -> None:
    deep = ("spec", "selector", "matchLabels", "app")
    assert managers(owner_of(DEPLOYMENT, deep)) == ["kubectl-client-side-apply"]
    # Whoever set some labels set not those of others.
    assert owner_of(DEPLOYMENT, ("metadata", "labels", "stray")) == []
    assert owner_of(DEPLOYMENT, ("metadata", "uid")) == []
    assert owner_of(DEPLOYMENT, ("spec", "paused")) == []


def test_the_owner_of_what_is_in_conflict_is_found_by_its_key() -> None:
    """A conflict knows an item by its name, as its place may be another in each version."""
    theirs = copy.deepcopy(DEPLOYMENT)
    theirs["spec"]["template"]["spec"]["containers"][1]["image"] = "web:3"
    mine = copy.deepcopy(DEPLOYMENT)
    mine["spec"]["template"]["spec"]["containers"][1]["image"] = "web:4"
    mine["spec"]["template"]["spec"]["containers"].insert(0, {"name": "first", "image": "f"})
    (conflict,) = merge(DEPLOYMENT, theirs, mine, GUESSED).conflicts
    assert managers(owner_of(theirs, conflict.key)) == ["kubectl-set", "kubectl-client-side-apply"]


# -- owners of lines -------------------------------------------------------------------------------


def test_every_line_has_who_set_what_stands_on_it() -> None:
    found = blamed(write(clean(DEPLOYMENT).value), DEPLOYMENT)
    apply = "kubectl-client-side-apply"
    assert found["replicas: 3"] == ["hpa", apply]
    assert found["image: web:2"] == ["kubectl-set", apply]
    assert found["labels:"] == found["- name: web"] == found["matchLabels:"] == [apply]
    assert found["- containerPort: 80"] == [apply]
    assert found["- c/d"] == ["controller"]
    for line in ("kind: Deployment", "name: web", "stray: x", "image: side:1", "spec:", "- a/b"):
        assert line not in found


def test_all_lines_of_a_value_belong_to_its_owner() -> None:
    found = blamed(write(clean(DEPLOYMENT).value), DEPLOYMENT)
    assert found["two"] == found["lines"] == found["- serve"] == ["kubectl-client-side-apply"]


def test_what_was_changed_in_the_text_is_nobodys_and_what_was_moved_stays_its_owners() -> None:
    edited = copy.deepcopy(clean(DEPLOYMENT).value)
    edited["spec"]["replicas"] = 4
    edited["metadata"]["labels"]["added"] = "y"
    containers = edited["spec"]["template"]["spec"]["containers"]
    containers.insert(0, {"name": "new", "image": "new:1"})
    containers[2]["args"][0] = "run"
    found = blamed(write(edited), DEPLOYMENT)
    for line in ("replicas: 4", "added: y", "- name: new", "image: new:1", "- run"):
        assert line not in found
    assert found["image: web:2"] == ["kubectl-set", "kubectl-client-side-apply"]
    assert found["two"] == ["kubectl-client-side-apply"]


def test_several_values_on_one_line_have_all_their_owners() -> None:
    item = {
        "metadata": {"managedFields": [entry("a", "10:00:00", {"f:data": {"f:x": {}}}),
                                       entry("b", "11:00:00", {"f:data": {"f:y": {}}})]},
        "data": {"x": "1", "y": "2"},
    }  # fmt: skip
    assert blamed('{"data": {"x": "1", "y": "2"}}', item) == {'{"data": {"x": "1", "y": "2"}}': ["b", "a"]}


@pytest.mark.parametrize("decoded", [False, True])
def test_values_of_secrets_have_owners_masked_and_decoded(decoded: bool) -> None:
    values = {name: base64.b64encode(name.encode()).decode() for name in ("user", "pass")}
    fields: Any = {"f:data": {".": {}, "f:user": {}, "f:pass": {}}, "f:type": {}}
    meta = {"name": "s", "managedFields": [entry("kubectl-create", "11:00:00", fields)]}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": values, "type": "Opaque"}
    text = write(clean(secret, decoded=decoded).value)
    assert sum(line.startswith(("user:", "pass:")) for line in blamed(text, secret)) == 2
    assert not any(line.startswith("user:") for line in blamed(text.replace("user: ", "user: x"), secret))


# -- words -----------------------------------------------------------------------------------------


def test_owners_fit_into_a_column() -> None:
    one, other = Owner("kubectl", "Update", "", NOON - 180), Owner("ktui", "Apply", "", NOON - 12)
    assert words([one], NOON, 20) == "kubectl 3m"
    assert words([other, one], NOON, 20) == "ktui 12s +1"
    assert words([], NOON, 20) == ""
    long = Owner("kubectl-client-side-apply", "Update", "", NOON - 180)
    assert words([long], NOON, 16) == "kubectl-clie… 3m"
    assert words([Owner("a", "Update", "", None)], NOON, 20) == "a"
    assert words([Owner("ahead", "Update", "", NOON + 60)], NOON, 20) == "ahead 0s"
    assert said(Owner("hpa", "Update", "scale", NOON - 60), NOON) == "hpa (scale) 60s ago"


@given(st.text(), st.integers(0, 30), st.integers(1, 3))
def test_words_are_never_wider_than_they_may_be_and_safe(name: str, width: int, count: int) -> None:
    text = words([Owner(name, "Update", "", NOON - 180)] * count, NOON, width)
    assert len(text) <= max(width, 0)
    assert text.isprintable()


def test_wide_characters_take_two_cells() -> None:
    assert words([Owner("管理者管理者", "Update", "", NOON - 180)], NOON, 9) == "管理… 3m"


# -- strangers -------------------------------------------------------------------------------------

STEPS = st.sampled_from(
    [".", "f:data", "f:x", "f:list", "k:", "k:{", 'k:{"name":"a"}', "k:[1]", 'k:{"name":{}}', "v:", 'v:"x"', "v:{}",
     "i:0", "i:-1", "i:9", "i:true", "zzz", "", ":", "k:\ud800", "k:" + "[" * 5000]
)  # fmt: skip
TREES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.just({}) | st.text(max_size=2) | st.integers() | st.lists(st.integers(), max_size=2),
    lambda inner: st.dictionaries(STEPS, inner, max_size=4),
)
ENTRY = st.fixed_dictionaries({}, optional={"manager": TREES, "time": TREES, "fieldsV1": TREES, "subresource": TREES})


@given(TREES | st.lists(ENTRY | TREES, max_size=3))
def test_whatever_managed_fields_say_nothing_is_raised(fields: Any) -> None:
    item = {
        "metadata": {"managedFields": fields},
        "data": {"x": "1"},
        "list": ["x", {"name": "a"}, {"name": [1]}, None],
    }
    blame(item)
    owner_of(item, ("list", 1, "name"))
    by_line(document(write({"data": {"x": "1"}, "list": item["list"]})), item)


def test_a_tree_as_deep_as_can_be_is_walked() -> None:
    tree: dict[str, Any] = {}
    value: Any = 1
    for _ in range(200):
        tree, value = {"f:a": tree}, {"a": value}
    item = {"metadata": {"managedFields": [entry("deep", "10:00:00", tree)]}, **value}
    assert managers(owner_of(item, ("a",) * 200)) == ["deep"]


@pytest.mark.parametrize("text", ["[]", "a: 1", "metadata: x", "spec: [1, 2]", '"x"'])
def test_a_text_of_another_shape_is_nobodys(text: str) -> None:
    assert by_line(document(text), DEPLOYMENT) == {}
