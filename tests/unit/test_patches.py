"""Patches: what is sent changes what was changed, and nothing else; it is what kubectl sends."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ktui.demo.errors import StatusError
from ktui.demo.patch import json_patch as apply_json
from ktui.demo.patch import merge_patch as apply_merge
from ktui.demo.strategic import strategic_merge as apply_strategic
from ktui.manifests.lists import GUESSED, Lists, same
from ktui.manifests.merge import merge
from ktui.manifests.patches import JSON, MERGE, STRATEGIC, Patch, changes, json_patch, merge_patch, patch, pointer
from tests.unit.test_schema import schema

DEPLOYMENT, POD = schema("Deployment").lists, schema("Pod").lists

SCALARS = st.booleans() | st.integers(-3, 3) | st.text("ab", max_size=2)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b/c", "d~1"]), inner, max_size=3)
    ),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from(["a", "b/c", "name", "spec"]), VALUES, max_size=4)


def _unique(key: str, fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[list[dict[str, Any]]]:
    items = st.fixed_dictionaries({key: fields[key]}, optional={k: v for k, v in fields.items() if k != key})
    return st.lists(items, max_size=4, unique_by=lambda item: item[key])


WORDS = st.sampled_from(["a", "b", "c"])
ENV = _unique("name", {"name": WORDS, "value": WORDS})
PORTS = _unique("containerPort", {"containerPort": st.integers(1, 4), "name": WORDS, "hostPort": st.integers(1, 3)})
CONTAINERS = _unique(
    "name", {"name": WORDS, "image": WORDS, "env": ENV, "ports": PORTS, "args": st.lists(WORDS, max_size=2)}
)
SOURCES = st.sampled_from(["emptyDir", "secret", "hostPath"])
VOLUMES = st.lists(
    st.builds(lambda name, source, more: {"name": name, source: {"it": more}}, WORDS, SOURCES, WORDS),
    max_size=3,
    unique_by=lambda volume: volume["name"],
)
PODS = st.builds(
    lambda labels, finalizers, spec: {"metadata": {"labels": labels, "finalizers": finalizers}, "spec": spec},
    st.dictionaries(st.sampled_from(["app", "x/y"]), WORDS, max_size=2),
    st.lists(WORDS, max_size=3, unique=True),
    st.fixed_dictionaries({}, optional={"containers": CONTAINERS, "volumes": VOLUMES, "nodeName": WORDS}),
)


def applied(found: Patch, value: Any) -> Any:
    """What a server makes of a patch."""
    if found.content_type == STRATEGIC:
        return apply_strategic(value, copy.deepcopy(found.body))
    if found.content_type == MERGE:
        return apply_merge(value, found.body)
    return json_applied(found.body, value)


def json_applied(operations: list[dict[str, Any]], value: Any) -> Any:
    """As a real server: a field that is not there passes for null, when what it would be in is there."""
    for operation in operations:
        if operation["op"] == "test" and operation["value"] is None:
            path, _, key = operation["path"].rpartition("/")
            apply_json({"": value}, [{"op": "test", "path": f"/{path}", "value": _at(value, path)}])
            if key.replace("~1", "/").replace("~0", "~") not in _at(value, path):
                continue
        value = apply_json(value, [operation])
    return value


def _at(value: Any, path: str) -> Any:
    for part in path.split("/")[1:]:
        word = part.replace("~1", "/").replace("~0", "~")
        value = value[int(word)] if isinstance(value, list) else value[word]
    return value


# -- properties ------------------------------------------------------------------------------------


@given(OBJECTS, OBJECTS)
def test_applied_to_the_base_it_gives_mine(base: Any, mine: Any) -> None:
    assert same(applied(changes(base, mine), base), mine)
    assert same(apply_merge(base, merge_patch(base, mine)), mine)
    assert same(json_applied(json_patch(base, mine), base), mine)
    assert json_patch(base, base) == []
    assert patch(base, base) == {}


@given(PODS, PODS)
def test_a_strategic_patch_applied_to_the_base_gives_mine(base: Any, mine: Any) -> None:
    found = changes(base, mine, POD)
    assert found.content_type == STRATEGIC
    assert _whole(applied(found, base)) == _whole(mine)
    assert _whole(json_applied(json_patch(base, mine, POD), base)) == _whole(mine)


@given(PODS, PODS, PODS)
def test_what_others_changed_is_kept(base: Any, theirs: Any, mine: Any) -> None:
    """Where a merge asks nothing, the patch of my changes comes to the same on top of theirs."""
    together = merge(base, theirs, mine, POD)
    found = changes(base, mine, POD)
    if together.conflicts or found.whole:
        return
    assert unordered(applied(found, theirs)) == unordered(together.value)


@given(PODS, PODS)
def test_a_json_patch_fails_on_what_others_changed(base: Any, theirs: Any) -> None:
    """All that it takes away or changes is tested."""
    mine: dict[str, Any] = {"metadata": {}, "spec": {}}
    operations = json_patch(base, mine, POD)
    if theirs["metadata"] == base["metadata"] and theirs["spec"] == base["spec"]:
        return
    changed = {key for part in ("metadata", "spec") for key in base[part] if base[part][key] != theirs[part].get(key)}
    if changed:
        with pytest.raises((StatusError, KeyError)):
            json_applied(operations, theirs)


KEPT = ("metadata", "spec")


def _whole(value: Any) -> Any:
    """Without empty lists and maps, which the server does not write, but for those that say something."""
    if isinstance(value, dict):
        found = {key: _whole(inner) for key, inner in value.items()}
        if "finalizers" in found:
            # In what order they are, clusters show.
            found["finalizers"].sort()
        return {key: inner for key, inner in found.items() if inner not in ([], {}) or key in KEPT}
    return [_whole(item) for item in value] if isinstance(value, list) else value


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def unordered(value: Any) -> Any:
    """A value in which the order of lists does not count."""
    value = _whole(value)
    if isinstance(value, dict):
        return {key: unordered(inner) for key, inner in value.items()}
    return sorted(map(unordered, value), key=_text) if isinstance(value, list) else value


# -- what kubectl edit sends: recorded with `kubectl edit --output-patch` of 1.36 -------------------

WEB = {
    "name": "web",
    "image": "nginx:1",
    "ports": [{"containerPort": 80, "protocol": "TCP"}, {"containerPort": 81, "name": "x", "protocol": "TCP"}],
    "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
}
BASE: dict[str, Any] = {
    "metadata": {"name": "web", "finalizers": ["example.com/a", "example.com/b"]},
    "spec": {
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
        "template": {
            "spec": {
                "containers": [WEB, {"name": "log", "image": "log:1"}],
                "volumes": [{"name": "v", "emptyDir": {}}, {"name": "w", "emptyDir": {}}],
            }
        },
    },
}
CONTAINERS_ORDER = {"$setElementOrder/containers": [{"name": "web"}, {"name": "log"}]}


def edited(change: str) -> dict[str, Any]:
    mine = copy.deepcopy(BASE)
    exec(
        change,
        {"o": mine, "pod": mine["spec"]["template"]["spec"], "web": mine["spec"]["template"]["spec"]["containers"][0]},
    )
    return mine


def in_pod(**fields: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": fields}}}


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (
            "web['image'] = 'nginx:2'",
            in_pod(containers=[{"name": "web", "image": "nginx:2"}], **CONTAINERS_ORDER),
        ),
        (
            "o['spec']['strategy'] = {'type': 'Recreate'}",
            {"spec": {"strategy": {"$retainKeys": ["type"], "rollingUpdate": None, "type": "Recreate"}}},
        ),
        (
            "pod['volumes'][0] = {'name': 'v', 'hostPath': {'path': '/x'}}",
            {"spec": {"template": {"spec": {
                "$setElementOrder/volumes": [{"name": "v"}, {"name": "w"}],
                "volumes": [{
                    "$retainKeys": ["hostPath", "name"], "emptyDir": None, "hostPath": {"path": "/x"}, "name": "v",
                }],
            }}}},
        ),
        (
            "del web['ports'][1]",
            in_pod(
                containers=[{
                    "name": "web",
                    "$setElementOrder/ports": [{"containerPort": 80}],
                    "ports": [{"$patch": "delete", "containerPort": 81}],
                }],
                **CONTAINERS_ORDER,
            ),
        ),
        (
            "del o['metadata']['finalizers'][0]",
            {"metadata": {
                "$deleteFromPrimitiveList/finalizers": ["example.com/a"],
                "$setElementOrder/finalizers": ["example.com/b"],
            }},
        ),
        (
            "web['env'].insert(0, {'name': 'C', 'value': '3'})",
            in_pod(
                containers=[{
                    "name": "web",
                    "$setElementOrder/env": [{"name": "C"}, {"name": "A"}, {"name": "B"}],
                    "env": [{"name": "C", "value": "3"}],
                }],
                **CONTAINERS_ORDER,
            ),
        ),
        ("pod['containers'].reverse()", in_pod(**{"$setElementOrder/containers": [{"name": "log"}, {"name": "web"}]})),
        ("pod.pop('volumes')", in_pod(volumes=None)),
    ],
)  # fmt: skip
def test_it_is_what_kubectl_edit_sends(change: str, wanted: dict[str, Any]) -> None:
    assert patch(BASE, edited(change), DEPLOYMENT) == wanted


# -- the rest --------------------------------------------------------------------------------------


def ports(*found: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {}, "spec": {"containers": [{"name": "dns", "ports": list(found)}]}}


@pytest.mark.parametrize(
    ("base", "mine"),
    [
        (
            ports({"containerPort": 53, "protocol": "TCP"}, {"containerPort": 53, "protocol": "UDP"}),
            ports({"containerPort": 53, "protocol": "TCP"}, {"containerPort": 53, "protocol": "UDP", "name": "dns"}),
        ),
        (ports(), {"metadata": {"annotations": {"$patch": "delete"}}, "spec": ports()["spec"]}),
        (ports(), {"metadata": {}, "spec": {"containers": [{"name": "dns", "$retainKeys": ["x"]}]}}),
    ],
)
def test_what_a_strategic_patch_cannot_say_is_said_by_a_json_patch(base: Any, mine: Any) -> None:
    """Two ports of one number, which kubectl edit mixes up; and names that would be directives."""
    found = changes(base, mine, POD, resource_version="5")
    assert found.content_type == JSON
    assert found.body[0] == {"op": "test", "path": "/metadata/resourceVersion", "value": "5"}
    base["metadata"]["resourceVersion"] = "5"
    assert applied(found, base) == {**mine, "metadata": {**mine["metadata"], "resourceVersion": "5"}}


@pytest.mark.parametrize("lists", [GUESSED, POD])
def test_a_version_makes_the_server_refuse_it_later(lists: Lists) -> None:
    """But a patch that changes nothing stays empty."""
    base = {"metadata": {"name": "a"}, "spec": {"nodeName": "x"}}
    assert changes(base, base, lists, resource_version="7").body == {}
    found = changes(base, {"metadata": {"name": "a"}, "spec": {"nodeName": "y"}}, lists, resource_version="7")
    assert found.body == {"metadata": {"resourceVersion": "7"}, "spec": {"nodeName": "y"}}


def test_lists_and_maps_that_are_replaced_are_told() -> None:
    base = {"spec": {"list": [1], "map": {"a": 1}, "same": [1], "text": "a"}}
    mine = {"spec": {"list": [2], "same": [1], "text": "b"}}
    assert {*changes(base, mine).whole} == {("spec", "list"), ("spec", "map")}
    assert changes(BASE, edited("web['image'] = '2'"), DEPLOYMENT).whole == ()


def test_a_json_patch_finds_an_item_by_its_name() -> None:
    """It would not change another that came in between."""
    base, mine = ports({"containerPort": 1}), ports({"containerPort": 1, "name": "a"})
    assert json_patch(base, mine, POD) == [
        {"op": "test", "path": "/spec/containers/0/name", "value": "dns"},
        {"op": "test", "path": "/spec/containers/0/ports/0/containerPort", "value": 1},
        {"op": "test", "path": "/spec/containers/0/ports/0/name", "value": None},
        {"op": "add", "path": "/spec/containers/0/ports/0/name", "value": "a"},
    ]


def test_pointers_are_escaped() -> None:
    assert pointer(("metadata", "labels", "a.b/c~d", 0)) == "/metadata/labels/a.b~1c~0d/0"
    assert pointer(()) == ""
