"""What holds of every merge and every patch: of pods, with their lists, and of objects with any keys."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ktui.manifests.lists import GUESSED, Lists, same
from ktui.manifests.merge import BASE, MINE, THEIRS, Conflict, merge
from ktui.manifests.patches import json_patch
from tests.unit.test_patches import POD, PODS, json_applied, unordered
from tests.values import KEYS, OBJECTS, TEXTS

OTHER_SIDE = {MINE: THEIRS, THEIRS: MINE, BASE: BASE}
BOTH_LISTS = pytest.mark.parametrize("lists", [GUESSED, POD], ids=["guessed", "schema"])


def sides(conflict: Conflict) -> tuple[Any, ...]:
    """What is in conflict, so that it can be compared; the order of items is nobody's."""
    return conflict.key, *(repr(unordered(side)) for side in (conflict.base, conflict.theirs, conflict.mine))


@BOTH_LISTS
@given(base=PODS, theirs=PODS, mine=PODS, chance=st.randoms(use_true_random=False))
def test_it_does_not_matter_who_was_first(lists: Lists, base: Any, theirs: Any, mine: Any, chance: Any) -> None:
    """The same is asked, whoever of the two merges; and answered by the same words, it comes to the same."""
    here, there = merge(base, theirs, mine, lists), merge(base, mine, theirs, lists)
    asked = {conflict.key: conflict for conflict in here.conflicts}
    assert asked.keys() == {conflict.key for conflict in there.conflicts}
    for conflict in there.conflicts:
        key, was, others, ours = sides(conflict)
        assert sides(asked[key]) == (key, was, ours, others)
    choices = {key: chance.choice((BASE, MINE, THEIRS)) for key in asked}
    settled = merge(base, theirs, mine, lists, choices)
    mirrored = merge(base, mine, theirs, lists, {key: OTHER_SIDE[choice] for key, choice in choices.items()})
    assert settled.conflicts == mirrored.conflicts == []
    assert unordered(settled.value) == unordered(mirrored.value)


@BOTH_LISTS
@given(base=PODS, theirs=PODS, mine=PODS)
def test_only_what_one_side_has_is_in_it(lists: Lists, base: Any, theirs: Any, mine: Any) -> None:
    """Nobody's container comes from nowhere, and one that both keep stays."""

    def names(value: Any) -> set[str]:
        return {item["name"] for item in value["spec"].get("containers", ())}

    found = names(merge(base, theirs, mine, lists).value)
    assert names(theirs) & names(mine) <= found <= names(theirs) | names(mine)


@BOTH_LISTS
@given(base=PODS, other=PODS)
def test_what_only_one_changed_is_as_they_left_it(lists: Lists, base: Any, other: Any) -> None:
    for theirs, mine in ((base, other), (other, base), (other, other)):
        found = merge(base, theirs, mine, lists)
        assert found.conflicts == []
        assert same(found.value, other)


@given(OBJECTS, st.lists(KEYS, min_size=1, max_size=3), st.lists(KEYS, min_size=1, max_size=3), TEXTS, TEXTS)
def test_changes_of_two_places_both_stay(
    base: dict[str, Any], here: list[str], there: list[str], mine: str, theirs: str
) -> None:
    """Wherever they are, and whatever the keys are called."""
    assume(here[: len(there)] != there[: len(here)])

    def put(value: dict[str, Any], path: list[str], text: str) -> dict[str, Any]:
        value = copy.deepcopy(value)
        inner = value
        for key in path[:-1]:
            assume(isinstance(inner.setdefault(key, {}), dict))
            inner = inner[key]
        inner[path[-1]] = text
        return value

    one, other, both = put(base, here, mine), put(base, there, theirs), put(put(base, here, mine), there, theirs)
    assert same(merge(base, other, one, GUESSED).value, both)
    assert same(merge(base, one, other, GUESSED).value, both)
    assert merge(base, one, other, GUESSED).conflicts == []


@given(OBJECTS, OBJECTS)
def test_a_json_patch_reaches_any_key(base: dict[str, Any], mine: dict[str, Any]) -> None:
    """Also those with slashes and tildes, the empty one, and what is null."""
    assert same(json_applied(json_patch(base, mine), base), mine)
    assert json_patch(mine, mine) == []
