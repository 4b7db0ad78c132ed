"""The registry of actions: all that is in it has a key of its own, says what it does, and asks for a right to do it."""

from __future__ import annotations

from collections import Counter
from typing import cast

import pytest
from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode

from docs.keys import KINDS, bindings_of
from ktui.actions.action import Action, Target
from ktui.actions.permission import READ_ONLY
from ktui.actions.registry import ACTIONS, actions_for, creations
from ktui.actions.undoing import undo_action
from ktui.acts import Acts
from ktui.app import KtuiApp
from ktui.configuration import Configuration
from ktui.explorer import Explorer
from ktui.kinds.kind import Kind, Trait
from ktui.kinds.names import ObjectKey
from ktui.screens.actions_menu import ActionsMenu
from ktui.screens.details import DetailsScreen
from ktui.screens.details_tabs import YamlTab
from ktui.screens.home import HomeScreen
from ktui.screens.tables import TableScreen
from ktui.widgets.lines_view import LinesView
from ktui.widgets.relations_view import RelationsView
from ktui.widgets.resource_table import ResourceTable
from ktui.widgets.text_view import TextView

LOOKS = {"rollout-status", "rollout-history"}
"""Actions that change nothing, so that they need no right but to read."""

UNKNOWN_RIGHTS = {"create-from-yaml"}
"""Actions of which only what is typed tells which rights they need."""

DIRECT = [action for action in ACTIONS if action.direct]

PAGES: tuple[type[DOMNode], ...] = (
    App,
    KtuiApp,
    TableScreen,
    HomeScreen,
    DetailsScreen,
    ResourceTable,
    LinesView,
    TextView,
    RelationsView,
)
"""What has the keyboard where actions have keys of their own, and what it stands on."""

by_id = pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.id)
by_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.gvr.qualified)


def keys_of(*nodes: type[DOMNode]) -> set[str]:
    """Every key that is bound."""
    return {binding.key for binding in bindings_of(*nodes)}


def repeated(keys: list[str]) -> list[str]:
    """What is there more than once."""
    return [key for key, count in Counter(keys).items() if count > 1]


# -- keys ------------------------------------------------------------------------------------------


@by_kind
def test_the_actions_of_a_kind_have_keys_of_their_own(kind: Kind) -> None:
    """In the menu of `a` no key means two things."""
    assert not repeated([action.key for action in actions_for(kind)])


def test_creations_have_keys_of_their_own() -> None:
    """Nor does one in the menu of `n`."""
    assert not repeated([action.key for action in creations()])


@pytest.mark.parametrize("action", DIRECT, ids=lambda action: action.id)
def test_direct_keys_are_no_keys_of_pages(action: Action) -> None:
    """A page's keys and an action's would hide each other."""
    assert action.key not in keys_of(*PAGES)


@by_kind
def test_direct_keys_are_no_keys_of_a_manifest(kind: Kind) -> None:
    """The YAML of an object has keys, too: `x` shows the values of a secret, which cannot be exposed."""
    taken = keys_of(YamlTab) - ({"x"} if kind.kind != "Secret" else set())
    assert not taken & {action.key for action in actions_for(kind) if action.direct}


@by_id
def test_keys_of_menus_leave_the_menus_their_own(action: Action) -> None:
    """Esc leaves a menu, enter and the arrows choose from it."""
    assert action.key not in {*keys_of(ActionsMenu), "enter", "up", "down", "home", "end", "pageup", "pagedown"}


@by_id
def test_a_key_is_one_that_textual_knows(action: Action) -> None:
    """One key, which a terminal can send: a letter, or a letter with ctrl."""
    (binding,) = Binding.make_bindings([Binding(action.key, "", action.title)])
    assert len(binding.key.removeprefix("ctrl+")) == 1


@pytest.mark.parametrize("action", DIRECT, ids=lambda action: action.id)
def test_direct_keys_sort_nothing(action: Action) -> None:
    """Capital letters sort tables."""
    assert not action.key.isupper()


# -- words -----------------------------------------------------------------------------------------


def test_ids_are_unique() -> None:
    """Pages and the journal find actions by them."""
    assert not repeated([action.id for action in ACTIONS])


@by_id
def test_it_says_what_it_does(action: Action) -> None:
    """A title for buttons, one sentence for menus, and a word for when it is done."""
    assert action.title == action.title.strip() != ""
    assert action.done not in ("", "Done")
    assert action.help[0].isupper()
    assert action.help.endswith(".")
    assert action.help.count(". ") == 0
    assert "\n" not in action.help


@by_kind
def test_titles_are_unique_in_a_menu(kind: Kind) -> None:
    """Two lines of a menu cannot be taken for each other."""
    assert not repeated([action.title for action in actions_for(kind)])


# -- rights ----------------------------------------------------------------------------------------


@by_id
def test_it_says_which_rights_it_needs(action: Action) -> None:
    """So that whoever may not do it learns that before; what only looks needs none."""
    assert bool(action.access) == (action.id not in LOOKS | UNKNOWN_RIGHTS)


@by_id
def test_creations_make_one_thing_in_one_place(action: Action) -> None:
    """They need no object, so they can be done to no several, and no object offers them."""
    assert not action.creates or not (action.many or action.direct)
    assert action.creates == (action in creations())
    assert not any(action in actions_for(kind) for kind in KINDS if action.creates)


@by_id
def test_it_can_be_done_to_something(action: Action) -> None:
    """There is a kind that offers it."""
    assert action.creates or any(action in actions_for(kind) for kind in KINDS)


@by_kind
def test_what_is_only_measured_cannot_be_changed(kind: Kind) -> None:
    """Metrics are looked at; all else has metadata, and can be deleted."""
    found = {action.id for action in actions_for(kind)}
    if kind.gvr.group == "metrics.k8s.io":
        assert not found
    else:
        assert {"label", "annotate", "delete"} <= found


def test_a_custom_resource_scales_when_it_has_replicas() -> None:
    """Discovery shows the subresource, and no name of a kind does."""
    plain, scalable = (kind for kind in KINDS if kind.gvr.group == "shop.example.com")
    assert Trait.SCALABLE in scalable.traits
    assert {action.id for action in actions_for(scalable)} - {action.id for action in actions_for(plain)} == {"scale"}


# -- read-only -------------------------------------------------------------------------------------


class ReadOnly:
    """An explorer that was told to change nothing; it has no connection, and needs none to say so."""

    read_only = True

    class session:  # noqa: N801 - as the explorer calls it
        """Nobody is asked."""

        client = None


acts = Acts(cast(Explorer, ReadOnly()), cast("App[None]", None), Configuration())


CHANGING = [action for action in (*ACTIONS, undo_action([])) if action.id not in LOOKS]
by_change = pytest.mark.parametrize("action", CHANGING, ids=lambda action: action.id)


@by_change
async def test_read_only_refuses_all_that_changes_something(action: Action) -> None:
    """Without asking anybody."""
    assert await acts.verdict(action, [Target(KINDS[0], ObjectKey("", "x"))]) is READ_ONLY


@by_change
def test_read_only_offers_nothing_that_changes_something(action: Action) -> None:
    """It is dim from the beginning."""
    assert acts.may(action, Target(KINDS[0], ObjectKey("", "x"))) is False


@pytest.mark.parametrize("action", [action for action in ACTIONS if action.id in LOOKS], ids=lambda action: action.id)
def test_read_only_lets_look(action: Action) -> None:
    """What changes nothing is not refused."""
    assert acts.may(action, Target(KINDS[0], ObjectKey("", "x"))) is not False
