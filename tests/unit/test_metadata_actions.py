"""Labels, annotations, taints and cordons, without a cluster."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ktui.actions.action import Action, Asks, JsonObject, Refusal, Target
from ktui.actions.annotate import ANNOTATE
from ktui.actions.cordon import CORDON, UNCORDON
from ktui.actions.label import LABEL, consequence, selects
from ktui.actions.metadata_words import (
    parse_annotations,
    parse_labels,
)
from ktui.actions.names import annotation_key, label_key, label_value
from ktui.actions.taint import TAINT, Taint, parse_taints, retainted, tolerated
from ktui.kinds.builtin import BUILTIN
from ktui.kinds.deployments import DEPLOYMENTS
from ktui.kinds.metrics import NODE_METRICS
from ktui.kinds.names import ObjectKey
from ktui.kinds.nodes import NODES
from ktui.kinds.pods import PODS


def target(labels: dict[str, str] | None = None, annotations: dict[str, str] | None = None) -> Target:
    meta = {"name": "web", "namespace": "shop", "labels": labels, "annotations": annotations}
    return Target(DEPLOYMENTS, ObjectKey("shop", "web"), "u", {"metadata": meta})


def values(words: str, overwrite: bool = False) -> dict[str, Any]:
    return {"words": words, "overwrite": overwrite}


# -- words -----------------------------------------------------------------------------------------

_NAMES = st.from_regex(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,20}[A-Za-z0-9])?", fullmatch=True)


@given(st.dictionaries(_NAMES, _NAMES), st.sets(_NAMES))
def test_what_is_valid_is_read_as_it_was_meant(put: dict[str, str], gone: set[str]) -> None:
    gone -= put.keys()
    words = [*(f"{key}={value}" for key, value in put.items()), *(f"{key}-" for key in gone)]
    for parse in (parse_labels, parse_annotations):
        pairs = parse(words)
        assert pairs.put == put
        assert set(pairs.gone) == gone
        before = dict.fromkeys(gone, "old")
        assert pairs.applied(before) == put
    assert not any(label_key(key) or label_value(value) for key, value in put.items())


@pytest.mark.parametrize("word", ["app", "-", "a=b=c", "a=-b", "a=b c", f"a={'x' * 64}"])
def test_no_label_is_made_of_such_a_word(word: str) -> None:
    with pytest.raises(Refusal):
        parse_labels([word])


def test_annotations_may_be_any_text() -> None:
    assert parse_annotations(["query=a=b & c", "empty="]).put == {"query": "a=b & c", "empty": ""}


@pytest.mark.parametrize("key", ["", "/a", "a/", "A.b/c", "a/b/c", "-a", "a b", "x" * 64, f"{'x' * 254}/a", "ä", "a\n"])
def test_no_such_key(key: str) -> None:
    assert label_key(key)


def test_capitals_in_a_prefix_are_wrong_for_labels_only() -> None:
    assert label_key("Example.com/a")
    assert not annotation_key("Example.com/a")


# -- label and annotate ----------------------------------------------------------------------------


def test_a_label_is_changed_by_a_merge_patch() -> None:
    (step,) = LABEL.plan(target({"old": "1"}), values("new=2\nold-"))
    assert step.write.body == {"metadata": {"labels": {"new": "2", "old": None}}}
    assert step.write.content_type == "application/merge-patch+json"
    assert step.kubectl == ("kubectl", "-n", "shop", "label", "deployments", "web", "new=2", "old-")


@pytest.mark.parametrize("action", [LABEL, ANNOTATE])
def test_what_is_there_stays_unless_it_may_be_overwritten(action: Action) -> None:
    there = target({"app": "roll"}, {"app": "roll"})
    with pytest.raises(Refusal, match=r"'app' already has a value \(roll\)"):
        action.plan(there, values("app=x"))
    (step,) = action.plan(there, values("app=x", overwrite=True))
    assert step.kubectl[-1] == "--overwrite"


def test_the_change_cause_may_always_be_written_anew() -> None:
    there = target(annotations={"kubernetes.io/change-cause": "first"})
    assert ANNOTATE.plan(there, values("kubernetes.io/change-cause=second"))


def test_several_refused_labels_are_all_named() -> None:
    with pytest.raises(Refusal) as refused:
        LABEL.plan(target({"a": "1", "b": "2"}), values("a=x\nb=y"))
    assert refused.value.sentence.startswith("['a' already has a value (1), and --overwrite is false, 'b' already")


def test_nothing_is_sent_when_nothing_changes() -> None:
    with pytest.raises(Refusal, match=r"deployment\.apps/web not labeled"):
        LABEL.plan(target({"a": "1"}), values("a=1\nb-"))
    assert ANNOTATE.plan(target(annotations={"a": "1"}), values("a=1\nb-")) == ()


def test_measurements_have_no_labels_of_their_own() -> None:
    assert not LABEL.offers(NODE_METRICS)
    assert all(LABEL.offers(kind) for kind in BUILTIN.values() if kind.gvr.group != "metrics.k8s.io")


def test_controllers_take_in_only_what_nobody_controls() -> None:
    chooser = {"metadata": {"name": "web", "uid": "mine"}, "spec": {}}
    free: JsonObject = {"metadata": {"name": "p"}}
    owned = {"metadata": {"name": "p", "ownerReferences": [{"controller": True, "uid": "other"}]}}
    mine = {"metadata": {"name": "p", "ownerReferences": [{"controller": True, "uid": "mine"}]}}
    assert consequence("ReplicaSet", chooser, free, True, "it")
    assert not consequence("ReplicaSet", chooser, owned, True, "it")
    assert not consequence("ReplicaSet", chooser, owned, False, "it")
    assert "lets go" in consequence("ReplicaSet", chooser, mine, False, "it")[0].text


@pytest.mark.parametrize(
    ("kind", "selector", "matches"),
    [
        ("Service", None, False),
        ("Service", {"app": "web"}, True),
        ("Service", {"app": "web", "tier": "x"}, False),
        ("PodDisruptionBudget", None, False),
        ("PodDisruptionBudget", {}, True),
        ("ReplicaSet", {"matchExpressions": [{"key": "app", "operator": "Exists"}]}, True),
    ],
)
def test_who_chooses_a_pod(kind: str, selector: Any, matches: bool) -> None:
    assert selects(kind, {"metadata": {"name": "x"}, "spec": {"selector": selector}})({"app": "web"}) is matches


# -- cordon ----------------------------------------------------------------------------------------


def node(**spec: Any) -> Target:
    return Target(NODES, ObjectKey("", "n"), "u", {"metadata": {"name": "n"}, "spec": spec})


def test_cordon_and_uncordon_know_when_they_are_done() -> None:
    assert CORDON.ready(node(unschedulable=True)) == "already cordoned"
    assert UNCORDON.ready(node()) == "already uncordoned"
    assert CORDON.ready(node()) == UNCORDON.ready(node(unschedulable=True)) == ""
    # A row may know nothing yet.
    assert CORDON.ready(Target(NODES, ObjectKey("", "n"))) == UNCORDON.ready(Target(NODES, ObjectKey("", "n"))) == ""
    with pytest.raises(Refusal, match=r"^node/n already cordoned$"):
        CORDON.plan(node(unschedulable=True), {})


def test_pods_are_no_nodes() -> None:
    assert not any(action.offers(PODS) for action in (CORDON, UNCORDON, TAINT))


# -- taint -----------------------------------------------------------------------------------------

OLD = [{"key": "a", "value": "1", "effect": "NoSchedule"}, {"key": "a", "effect": "NoExecute"}]


def retaint(words: str, overwrite: bool = False) -> list[JsonObject]:
    added, removed = parse_taints(words.split())
    return retainted(node(taints=OLD).live, added, removed, overwrite)


def test_new_taints_stand_before_old_ones() -> None:
    assert retaint("b:NoSchedule") == [{"key": "b", "effect": "NoSchedule"}, *OLD]


def test_a_key_without_effect_removes_all_of_it() -> None:
    assert retaint("a-") == []
    assert retaint("a:NoExecute-") == OLD[:1]
    assert retaint("a=1:NoExecute-") == OLD[:1]


def test_the_same_key_and_effect_is_an_overwrite_even_with_the_same_value() -> None:
    with pytest.raises(Refusal, match=r"node n already has a taint\(s\) with same effect\(s\)"):
        retaint("a=1:NoSchedule")
    assert retaint("a=2:NoSchedule", overwrite=True)[0]["value"] == "2"
    assert TAINT.plan(node(taints=OLD[:1]), values("a=1:NoSchedule", overwrite=True)) == ()


def test_the_last_taint_that_is_removed_takes_the_list_with_it() -> None:
    (step,) = TAINT.plan(node(taints=OLD), values("a-"))
    assert step.write.body == {"spec": {"taints": None}}


@pytest.mark.parametrize(
    ("toleration", "seconds"),
    [
        ({"operator": "Exists"}, float("inf")),
        ({"key": "a", "operator": "Exists"}, float("inf")),
        ({"key": "a", "value": "1"}, float("inf")),
        ({"key": "a", "value": "2"}, None),
        ({"key": "b", "operator": "Exists"}, None),
        ({"key": "a", "operator": "Exists", "effect": "NoSchedule"}, None),
        ({"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60}, 60),
        ({"operator": "Equal", "value": "1"}, None),
    ],
)
def test_what_is_tolerated(toleration: JsonObject, seconds: float | None) -> None:
    assert tolerated({"spec": {"tolerations": [toleration]}}, Taint("a", "1", "NoExecute")) == seconds


def test_only_what_sends_pods_away_is_confirmed() -> None:
    assert TAINT.asks([], values("a:NoExecute")) is Asks.CONFIRM
    assert TAINT.asks([], values("a:NoSchedule\nb:NoExecute-")) is Asks.NOTHING
