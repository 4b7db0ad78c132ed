"""What is declared in an apply changes what was edited, and nothing else."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ktui.demo.apply import apply
from ktui.demo.managed_fields import changed, record
from ktui.manifests.applied import Owner, applied_configuration, manager_conflict
from ktui.manifests.lists import GUESSED
from ktui.manifests.merge import said

NAMES = st.sampled_from(["a", "b", "c"])
ENV = st.lists(st.fixed_dictionaries({"name": NAMES, "value": NAMES}), max_size=3, unique_by=lambda item: item["name"])
CONTAINER = st.fixed_dictionaries(
    {"image": NAMES}, optional={"env": ENV, "args": st.lists(NAMES, min_size=1, max_size=2), "tty": st.just(True)}
)
CONTAINERS = st.dictionaries(NAMES, CONTAINER, min_size=1, max_size=3).map(
    lambda found: [{"name": name, **inner} for name, inner in sorted(found.items())]
)
LABELS = st.dictionaries(NAMES, NAMES, max_size=3)
CONTENT = st.fixed_dictionaries(
    {"spec": st.fixed_dictionaries({"containers": CONTAINERS}, optional={"nodeName": NAMES})},
    optional={"labels": LABELS},
)


def pod(content: dict[str, Any]) -> dict[str, Any]:
    """An object with some content; lists are in the order of their keys, which an apply does not change."""
    content = copy.deepcopy(content)
    for container in content["spec"]["containers"]:
        if "env" in container:
            container["env"].sort(key=lambda item: item["name"])
    meta = {"name": "x", "namespace": "ns", **({"labels": content["labels"]} if content.get("labels") else {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": content["spec"]}


def owned(item: dict[str, Any], manager: str, operation: str, before: dict[str, Any] | None = None) -> dict[str, Any]:
    """An object whose fields are a manager's, or those that it changed."""
    fields = changed(before or {"metadata": {}}, item)
    return record(item, fields, taken=fields, manager=manager, operation=operation, subresource="", time="")


def sorted_lists(value: Any) -> Any:
    """An object whatever the order of its lists, and without what is empty."""
    if isinstance(value, dict):
        found = {key: sorted_lists(inner) for key, inner in value.items() if key != "managedFields"}
        return {key: inner for key, inner in found.items() if inner not in ({}, [], None)}
    if isinstance(value, list):
        return sorted((sorted_lists(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    return value


def after(live: dict[str, Any], declared: dict[str, Any], *, force: bool = True) -> Any:
    """What the embedded cluster makes of it."""
    declared = copy.deepcopy(declared)
    return apply(live, declared, manager="ktui", force=force)[0]


@given(CONTENT, CONTENT)
def test_what_ktui_applied_becomes_what_was_edited(base: dict[str, Any], mine: dict[str, Any]) -> None:
    """Whatever is changed, added or removed, as nobody else owns anything."""
    live, wanted = owned(pod(base), "ktui", "Apply"), pod(mine)
    found = applied_configuration(live, wanted, GUESSED, "ktui")
    assert not found.contested
    assert not found.stays
    assert sorted_lists(after(live, found.value, force=False)) == sorted_lists(wanted)


@given(CONTENT, CONTENT)
def test_what_others_own_is_changed_by_force_and_never_removed(base: dict[str, Any], mine: dict[str, Any]) -> None:
    """Where nothing was removed, it becomes what was edited; only what was changed is declared."""
    live, wanted = owned(pod(base), "other", "Update"), pod(mine)
    found = applied_configuration(live, wanted, GUESSED, "ktui")
    if not found.stays:
        assert sorted_lists(after(live, found.value)) == sorted_lists(wanted)
    # What is as it was, is nobody's business but the others'.
    same = applied_configuration(live, pod(base), GUESSED, "ktui")
    assert same.value.keys() <= {"apiVersion", "kind", "metadata"}
    assert not same.contested
    assert not same.stays


@given(CONTENT, CONTENT, CONTENT)
def test_an_apply_gives_up_nothing_that_it_was_not_asked_to(
    ours: dict[str, Any], theirs: dict[str, Any], mine: dict[str, Any]
) -> None:
    """Whoever owns what: what the edit leaves alone, stays."""
    first = owned(pod(ours), "ktui", "Apply")
    live = owned(
        {**pod(theirs), "metadata": {**first["metadata"], **pod(theirs)["metadata"]}}, "other", "Update", first
    )
    same = applied_configuration(live, live, GUESSED, "ktui")
    assert sorted_lists(after(live, same.value)) == sorted_lists(live)
    found = applied_configuration(live, pod(mine), GUESSED, "ktui")
    if not found.stays and not found.unordered:
        assert sorted_lists(after(live, found.value)) == sorted_lists(pod(mine))


@given(CONTENT, CONTENT)
def test_left_to_others_is_all_that_they_own(base: dict[str, Any], mine: dict[str, Any]) -> None:
    """Without what is contested, nothing has to be forced."""
    live, wanted = owned(pod(base), "other", "Update"), pod(mine)
    found = applied_configuration(live, wanted, GUESSED, "ktui")
    leave = [field.key for field in (*found.contested, *found.stays)]
    left = applied_configuration(live, wanted, GUESSED, "ktui", leave)
    assert not left.contested
    assert not left.stays
    after(live, left.value, force=False)


def live_deployment() -> dict[str, Any]:
    """As a real server keeps it: applied by ktui, scaled by somebody else."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "d",
            "namespace": "ns",
            "uid": "u",
            "labels": {"app.kubernetes.io/name": "d"},
            "managedFields": [
                {
                    "manager": "ktui",
                    "operation": "Apply",
                    "fieldsV1": {
                        "f:metadata": {"f:labels": {"f:app.kubernetes.io/name": {}}},
                        "f:spec": {
                            "f:selector": {},
                            "f:template": {
                                "f:spec": {
                                    "f:containers": {
                                        'k:{"name":"web"}': {
                                            ".": {},
                                            "f:name": {},
                                            "f:image": {},
                                            "f:ports": {
                                                'k:{"containerPort":80,"protocol":"TCP"}': {
                                                    ".": {}, "f:containerPort": {},
                                                }
                                            },
                                        }
                                    },
                                    "f:volumes": {'k:{"name":"c"}': {".": {}, "f:name": {}, "f:emptyDir": {}}},
                                }
                            },
                        },
                    },
                },
                {
                    "manager": "kubectl",
                    "operation": "Update",
                    "subresource": "scale",
                    "fieldsV1": {"f:spec": {"f:replicas": {}}},
                },
            ],
        },
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"a": "b"}},
            "template": {
                "spec": {
                    "containers": [
                        {"name": "web", "image": "x:1", "ports": [{"containerPort": 80, "protocol": "TCP"}]}
                    ],
                    "volumes": [{"name": "c", "emptyDir": {}}],
                    "dnsPolicy": "ClusterFirst",
                }
            },
        },
        "status": {"replicas": 3},
    }  # fmt: skip


def edited(change: Any) -> dict[str, Any]:
    """A deployment after an edit."""
    mine = copy.deepcopy(live_deployment())
    change(mine)
    return mine


def test_what_was_applied_is_declared_again_with_what_was_changed() -> None:
    """Items by their keys; what has one value as a whole; an empty map is one, too; defaults are nobody's."""
    mine = edited(lambda item: item["spec"]["template"]["spec"]["containers"][0].update(tty=True))
    assert applied_configuration(live_deployment(), mine, GUESSED, "ktui").value == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d", "namespace": "ns", "uid": "u", "labels": {"app.kubernetes.io/name": "d"}},
        "spec": {
            "selector": {"matchLabels": {"a": "b"}},
            "template": {
                "spec": {
                    "containers": [
                        {
                            "name": "web",
                            "image": "x:1",
                            "ports": [{"containerPort": 80, "protocol": "TCP"}],
                            "tty": True,
                        }
                    ],
                    "volumes": [{"name": "c", "emptyDir": {}}],
                }
            },
        },
    }


def stays(*fields: str) -> Any:
    """An edit that removes fields."""

    def change(item: Any) -> None:
        for name in fields[:-1]:
            item = item[name]
        del item[fields[-1]]

    found = applied_configuration(live_deployment(), edited(change), GUESSED, "ktui")
    return [(owned.said, [owner.manager for owner in owned.owners]) for owned in found.stays]


def test_only_what_ktui_alone_owns_is_removed() -> None:
    """By leaving it out; what others own is told with their names, and what nobody owns, too."""
    assert stays("metadata", "labels", "app.kubernetes.io/name") == []
    assert stays("spec", "template", "spec", "volumes") == []
    assert stays("spec", "replicas") == [("spec.replicas", ["kubectl"])]
    assert stays("spec", "template", "spec", "dnsPolicy") == [("spec.template.spec.dnsPolicy", [])]


def test_who_owns_what_is_changed() -> None:
    """It is known before the server refuses it."""
    mine = edited(lambda item: item["spec"].update(replicas=5))
    (field,) = applied_configuration(live_deployment(), mine, GUESSED, "ktui").contested
    assert (field.said, field.owners) == ("spec.replicas", (Owner("kubectl", "Update", "scale"),))
    left = applied_configuration(live_deployment(), mine, GUESSED, "ktui", leave=[field.key])
    assert "replicas" not in left.value["spec"]


def test_the_order_of_a_list_is_not_applied() -> None:
    """It is told."""
    two = edited(lambda item: item["spec"]["template"]["spec"]["volumes"].append({"name": "d", "emptyDir": {}}))
    turned = copy.deepcopy(two)
    turned["spec"]["template"]["spec"]["volumes"].reverse()
    found = applied_configuration(two, turned, GUESSED, "ktui")
    assert [said(key) for key in found.unordered] == ["spec.template.spec.volumes"]


@pytest.mark.parametrize(
    ("field", "message", "key", "path", "owner"),
    [
        (
            '.spec.template.spec.containers[name="web"].ports[containerPort=80,protocol="TCP"].name',
            'conflict with "a b" using apps/v1',
            ("spec", "template", "spec", "containers", ("web",), "ports", (80, "TCP"), "name"),
            ("spec", "template", "spec", "containers", 0, "ports", 0, "name"),
            Owner("a b"),
        ),
        (
            ".metadata.labels.app.kubernetes.io/name",
            'conflict with "x"',
            ("metadata", "labels", "app.kubernetes.io/name"),
            ("metadata", "labels", "app.kubernetes.io/name"),
            Owner("x", "Apply"),
        ),
        (
            ".spec.replicas",
            'conflict with "kubectl" with subresource "scale" using apps/v1',
            ("spec", "replicas"),
            ("spec", "replicas"),
            Owner("kubectl", "Update", "scale"),
        ),
    ],
)
def test_conflicts_are_told_with_field_and_owner(
    field: str, message: str, key: Iterable[Any], path: Iterable[Any], owner: Owner
) -> None:
    """In the words of the server, found in the object that was applied."""
    found = manager_conflict(field, message, live_deployment())
    assert (found.key, found.path, found.owner, found.message) == (key, path, owner, message)


@given(st.text('.[]="ab\\0,', max_size=20), st.text('conflict with"a \\', max_size=30))
def test_whatever_the_server_says_is_taken(field: str, message: str) -> None:
    """Nothing is raised."""
    manager_conflict(field, message, live_deployment())
