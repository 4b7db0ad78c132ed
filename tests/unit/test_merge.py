"""Three-way merge: what two people changed, together; what both changed is asked."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ktui.actions.difference import matching
from ktui.manifests.lists import ABSENT, GUESSED, Lists, Rule, matched, same
from ktui.manifests.merge import BASE, MINE, THEIRS, Conflict, merge
from tests.unit.test_schema import schema

DEPLOYMENT = schema("Deployment").lists

SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | st.text("ab", max_size=2)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(st.fixed_dictionaries({"name": st.sampled_from("abc"), "v": inner}), max_size=3)
        | st.dictionaries(st.sampled_from(["name", "a", "b/c", "spec"]), inner, max_size=3)
    ),
    max_leaves=10,
)


def containers(*names: str, **images: str) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": name, "image": images.get(name, "1")} for name in names]}}


def names(value: dict[str, Any]) -> list[str]:
    return [item["name"] for item in value["spec"]["containers"]]


def merged(base: Any, theirs: Any, mine: Any, lists: Lists = GUESSED) -> Any:
    found = merge(base, theirs, mine, lists)
    assert found.conflicts == []
    return found.value


# -- properties ------------------------------------------------------------------------------------


@pytest.mark.parametrize("lists", [GUESSED, DEPLOYMENT])
@given(base=VALUES, other=VALUES)
def test_what_only_one_changed_is_as_they_left_it(lists: Lists, base: Any, other: Any) -> None:
    assert same(merged(base, base, other, lists), other)
    assert same(merged(base, other, base, lists), other)
    assert same(merged(base, other, other, lists), other)


@given(base=VALUES, theirs=VALUES, mine=VALUES)
def test_every_conflict_can_be_settled(base: Any, theirs: Any, mine: Any) -> None:
    """Mine is what is there already; nothing given in is changed; with everything settled nothing is left."""
    before = copy.deepcopy((base, theirs, mine))
    found = merge(base, theirs, mine, GUESSED)
    assert all(map(same, before, (base, theirs, mine)))
    keys = [conflict.key for conflict in found.conflicts]
    assert len(set(keys)) == len(keys)
    for choice in (BASE, THEIRS, MINE):
        settled = merge(base, theirs, mine, GUESSED, dict.fromkeys(keys, choice))
        assert settled.conflicts == []
        if choice == MINE:
            assert same(settled.value, found.value)


@given(base=VALUES, theirs=VALUES, mine=VALUES)
def test_both_see_the_same_conflicts(base: Any, theirs: Any, mine: Any) -> None:
    here, there = merge(base, theirs, mine, GUESSED), merge(base, mine, theirs, GUESSED)
    assert {(c.key, repr(c.theirs), repr(c.mine)) for c in here.conflicts} == {
        (c.key, repr(c.mine), repr(c.theirs)) for c in there.conflicts
    }


FIELDS = st.dictionaries(st.sampled_from("abcdefgh"), SCALARS, max_size=8)
HALVES = st.sets(st.sampled_from("abcdefgh"))


@given(base=FIELDS, theirs=FIELDS, mine=FIELDS, half=HALVES)
def test_changes_of_different_fields_both_stay(
    base: dict[str, Any], theirs: dict[str, Any], mine: dict[str, Any], half: set[str]
) -> None:
    """In either order, and in whatever they are nested: a map or the items of a list."""

    def only(changed: dict[str, Any], which: bool) -> dict[str, Any]:
        return {key: side[key] for key in "abcdefgh" if key in (side := changed if (key in half) is which else base)}

    theirs, mine = only(theirs, True), only(mine, False)
    both = {key: side[key] for key in "abcdefgh" if key in (side := theirs if key in half else mine)}
    assert same(merged(base, theirs, mine), both)
    assert same(merged(base, mine, theirs), both)

    def as_list(fields: dict[str, Any]) -> dict[str, Any]:
        return {"it": [{"name": key, "value": value} for key, value in fields.items()]}

    for one, other in ((theirs, mine), (mine, theirs)):
        items = merged(as_list(base), as_list(one), as_list(other)).get("it")
        assert sorted(item["name"] for item in items) == sorted(both)
        assert same({item["name"]: item["value"] for item in items}, both)


@given(
    st.permutations("abcdefgh").map(lambda names: names[:5]),
    st.sets(st.sampled_from("cdef")),
    st.lists(st.none(), max_size=2),
)
def test_the_order_of_mine_is_kept(mine: list[str], gone: set[str], more: list[None]) -> None:
    """Those that stay stand as they were put here, when they were put elsewhere here."""
    base = containers(*sorted(mine))
    theirs = containers(*(name for name in sorted(mine) if name not in gone), *(f"t{i}" for i, _ in enumerate(more)))
    found = names(merged(base, theirs, containers(*mine)))
    kept = [name for name in mine if name not in gone]
    if mine != sorted(mine):
        assert [name for name in found if name in mine] == kept
    assert sorted(found) == sorted([*kept, *(f"t{i}" for i, _ in enumerate(more))])


# -- fields ----------------------------------------------------------------------------------------


def test_a_field_that_both_changed_is_asked() -> None:
    base, theirs, mine = containers("web"), containers("web", web="2"), containers("web", web="3")
    found = merge(base, theirs, mine, DEPLOYMENT)
    key = ("spec", "containers", ("web",), "image")
    assert found.value == mine
    assert found.conflicts == [Conflict(("spec", "containers", 0, "image"), "1", "2", "3", key)]
    assert found.conflicts[0].said == "spec.containers[web].image"
    assert merge(base, theirs, mine, DEPLOYMENT, {key: THEIRS}) == (theirs, [])
    assert merge(base, theirs, mine, DEPLOYMENT, {key: BASE}) == (base, [])


def test_a_change_of_what_was_removed_is_asked() -> None:
    """By whichever of the two; and what is chosen stands where it was."""
    base, without = containers("a", "b", "c"), containers("a", "c")
    changed = containers("a", "b", "c", b="2")
    found = merge(base, changed, without, GUESSED)
    (conflict,) = found.conflicts
    assert found.value == without
    assert (conflict.path, conflict.mine) == (("spec", "containers", 1), ABSENT)
    assert conflict.theirs == {"name": "b", "image": "2"}
    assert merge(base, changed, without, GUESSED, {conflict.key: THEIRS}).value == changed
    found = merge(base, without, changed, GUESSED)
    assert found.value == changed
    assert found.conflicts[0].theirs is ABSENT
    assert merge(base, without, changed, GUESSED, {conflict.key: THEIRS}).value == without


def test_true_is_not_one() -> None:
    assert merge({"a": 0}, {"a": 1}, {"a": True}, GUESSED).conflicts
    assert merge({"a": 1}, {"a": 1}, {"a": True}, GUESSED).value["a"] is True


def test_what_both_added_is_merged_field_by_field() -> None:
    assert merged({}, {"labels": {"a": "1", "c": "3"}}, {"labels": {"b": "2", "c": "3"}}) == {
        "labels": {"b": "2", "c": "3", "a": "1"}
    }


def test_keys_that_look_alike_are_different_conflicts() -> None:
    base: dict[str, Any] = {"x": {"a.b": 0, "a": {"b": 0}, "a]": {"[b": 0}}}
    theirs: dict[str, Any] = {"x": {"a.b": 1, "a": {"b": 1}, "a]": {"[b": 1}}}
    mine: dict[str, Any] = {"x": {"a.b": 2, "a": {"b": 2}, "a]": {"[b": 2}}}
    found = merge(base, theirs, mine, GUESSED)
    assert [conflict.said for conflict in found.conflicts] == ["x[a.b]", "x.a.b", "x[a]][[b]"]


# -- lists -----------------------------------------------------------------------------------------


def test_items_come_behind_those_they_followed() -> None:
    """New ones of theirs among new ones of mine; and an order that only theirs changed is taken."""
    base, theirs = containers("a", "b"), containers("first", "a", "t", "b")
    assert names(merged(base, theirs, containers("a", "b", "m"))) == ["first", "a", "t", "b", "m"]
    assert names(merged(base, theirs, containers("b", "a"))) == ["first", "b", "a", "t"]
    assert names(merged(base, containers("b", "a"), containers("a", "b", "m"))) == ["b", "m", "a"]


def test_ports_are_told_apart_by_their_protocol() -> None:
    """With the schema's default for one that names none."""

    def ports(*more: dict[str, Any]) -> dict[str, Any]:
        return {
            "spec": {"template": {"spec": {"containers": [{"name": "dns", "ports": [{"containerPort": 53}, *more]}]}}}
        }

    udp, tcp = {"containerPort": 53, "protocol": "UDP"}, {"containerPort": 53, "protocol": "TCP", "name": "tcp"}
    theirs = ports(udp)
    mine = ports()
    mine["spec"]["template"]["spec"]["containers"][0]["ports"] = [tcp]
    for lists in (DEPLOYMENT, GUESSED):
        found = merged(ports(), theirs, mine, lists)
        assert found["spec"]["template"]["spec"]["containers"][0]["ports"] == [tcp, udp]


def test_an_atomic_list_is_one_value() -> None:
    """The schema says so of tolerations, although their keys would tell them apart; of arguments nothing does."""

    def tolerations(*keys: str) -> dict[str, Any]:
        found = [{"key": key, "operator": "Exists"} for key in keys]
        return {"spec": {"template": {"spec": {"tolerations": found}}}}

    base, theirs, mine = tolerations("a"), tolerations("a", "t"), tolerations("a", "m")
    (conflict,) = merge(base, theirs, mine, DEPLOYMENT).conflicts
    assert conflict.path == ("spec", "template", "spec", "tolerations")
    assert merged(base, theirs, mine) == tolerations("a", "m", "t")
    assert merge({"args": ["a"]}, {"args": ["a", "t"]}, {"args": ["a", "m"]}, GUESSED).conflicts


def test_an_atomic_map_is_one_value() -> None:
    """A selector is: half of one and half of another would select what nobody wanted."""

    def selector(**labels: str) -> dict[str, Any]:
        return {"spec": {"selector": {"matchLabels": labels}}}

    assert merge(selector(a="1"), selector(a="1", t="1"), selector(a="1", m="1"), DEPLOYMENT).conflicts
    assert merged(selector(a="1"), selector(a="1", t="1"), selector(a="1", m="1")) == selector(a="1", t="1", m="1")


def test_sets_are_merged() -> None:
    def finalizers(*found: str) -> dict[str, Any]:
        return {"metadata": {"finalizers": [*found]}}

    for lists in (DEPLOYMENT, GUESSED):
        found = merged(finalizers("a", "b"), finalizers("b", "t"), finalizers("a", "b", "m"), lists)
        assert found == finalizers("b", "m", "t")


def test_one_of_several_is_chosen_once() -> None:
    """A volume has one source: two of them would be refused, so it is asked."""

    def volume(**source: Any) -> dict[str, Any]:
        return {"spec": {"template": {"spec": {"volumes": [{"name": "v", **source}]}}}}

    base, theirs, mine = volume(emptyDir={}), volume(configMap={"name": "c"}), volume(secret={"secretName": "s"})
    found = merge(base, theirs, mine, DEPLOYMENT)
    assert [conflict.said for conflict in found.conflicts] == ["spec.template.spec.volumes[v]"]
    assert found.value == mine
    one = volume(configMap={"name": "c", "optional": True})
    assert merged(theirs, one, volume(configMap={"name": "d"}), DEPLOYMENT) == volume(
        configMap={"name": "d", "optional": True}
    )


@pytest.mark.parametrize("items", [[{"name": "a"}, {"name": "a"}], [{"name": True}], [{"name": "a"}, {}], [{}, "a"]])
def test_items_that_nothing_tells_apart_are_one_value(items: list[Any]) -> None:
    assert merge({"it": [{"name": "x"}]}, {"it": [*items, {"name": "t"}]}, {"it": [{"name": "m"}]}, GUESSED).conflicts


@given(st.sampled_from(["ports", "volumeMounts", "x"]), VALUES, VALUES)
def test_guesses_are_those_of_the_difference(field: str, before: Any, after: Any) -> None:
    """What is shown as one item that changed is merged as one item."""
    if not (isinstance(before, list) and isinstance(after, list)) or not (before or after):
        return
    shown, found = matching(field, before, after), matched(GUESSED.field(field).rule, before, after)
    assert (shown and (shown.keys, shown.before, shown.after)) == (found and (found.keys, *found.places))


def test_a_rule_can_be_atomic() -> None:
    assert matched(Rule((("name",),), atomic=True), [{"name": "a"}]) is None
