"""Keys are told of in the help, in docs/keys.md and in the README, from one list; what is written is current."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

from docs.keys import KEYS, KINDS, README, bindings_of, display, home_groups, keys_page, readme
from ktui.actions.registry import ACTIONS, actions_for, creations
from ktui.kinds.builtin import BUILTIN
from ktui.kinds.kind import Kind
from ktui.screens.browse import BrowseScreen
from ktui.screens.details import DetailsScreen
from ktui.screens.details_tabs import YamlTab
from ktui.screens.home import HomeScreen
from ktui.screens.keys import ACT, GO, MAKE, PANES, TABLE, TEXT, TOGETHER, Key, groups, told
from ktui.screens.tables import TableScreen
from ktui.widgets.lines_view import LinesView
from ktui.widgets.resource_table import ResourceTable

DEPLOYMENTS = next(kind for kind in BUILTIN.values() if kind.gvr.resource == "deployments")
PAGES = (TableScreen, HomeScreen, DetailsScreen, YamlTab)


def names(*nodes: type[DOMNode]) -> Iterator[str]:
    """The names of the actions of bindings."""
    for binding in bindings_of(*nodes):
        yield binding.action.rpartition(".")[2].partition("(")[0]


@pytest.mark.parametrize(
    ("text", "current"), [(KEYS.read_text(), keys_page()), (README.read_text(), readme(README.read_text()))]
)
def test_what_is_written_of_keys_is_current(text: str, current: str) -> None:
    """Who adds a key or an action runs `make keys`."""
    assert text == current, "run `make keys`"


@pytest.mark.parametrize("page", [TableScreen, HomeScreen, DetailsScreen])
def test_every_key_of_a_page_is_told_of(page: type[DOMNode]) -> None:
    """A key that does something stands in docs/keys.md."""
    written = set(re.findall(r"`([^`]+)`", KEYS.read_text()))
    assert {display(binding) for binding in bindings_of(page)} <= written


def test_every_action_is_told_of() -> None:
    """With the menu's key before its own, where it has none on pages."""
    text = KEYS.read_text()
    for action in ACTIONS:
        own = f"`{display(Binding(action.key, '', ''))}`"
        keys = own if action.direct else f"`n` {own}" if action.creates else f"`a` {own}"
        assert f"| {keys} | {action.title} | {action.help} |" in text


@pytest.mark.parametrize(("moving", "node"), [(PANES, ResourceTable), (TABLE, ResourceTable), (TEXT, LinesView)])
def test_what_moves_is_told_of(moving: object, node: type[DOMNode]) -> None:
    """The keys of tables and texts, which several share, are told of in words of their own; so they must be all."""
    assert isinstance(moving, type(PANES))
    said = {key for line in moving.keys for key in line.keys.split()}
    sideways = {"←", "→"} if moving is TEXT else set()
    assert {display(binding) for binding in bindings_of(node)} <= said | sideways


def test_no_name_of_a_key_that_is_gone() -> None:
    """What keys are sorted by stands for something."""
    elsewhere = {"command_palette", "quit"}
    assert GO | ACT | MAKE | TOGETHER.keys() <= {*names(*PAGES), *elsewhere}


def test_the_groups_of_a_page() -> None:
    """Moving, going, looking, acting, making; direct keys of actions first, those of the menu behind its own."""
    found = groups(bindings_of(TableScreen, HomeScreen), DEPLOYMENTS, display, moving=PANES)
    titles = ["Moving", "Going", "Looking", "Acting on the deployment under the cursor, or on those marked"]
    assert [group.title for group in found] == [*titles, "Making something new"]
    acting = [key.keys for key in found[3].keys]
    assert acting[:5] == ["s", "x", "r", "i", "ctrl+d"]
    assert acting[5:7] == ["a", "U"]
    assert all(key.startswith("a ") for key in acting[7:])
    assert found[4].keys[0].keys == "n"
    assert len(found[4].keys) == 1 + len(creations())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.gvr.qualified)
def test_help_tells_of_all_that_can_be_done_to_a_kind(kind: Kind) -> None:
    """And of nothing else."""
    found = groups(bindings_of(TableScreen), kind, display, moving=TABLE)
    assert {key.title for group in found for key in group.keys if key.title} == {
        action.title for action in (*actions_for(kind), *creations())
    }


def test_details_make_nothing_new() -> None:
    """Where `n` does something else, no creation is told of."""
    found = groups(bindings_of(YamlTab, DetailsScreen), DEPLOYMENTS, display, moving=TEXT)
    assert [group.title for group in found] == ["Moving", "Going", "Looking", "Acting on the deployment"]


def test_what_says_nothing_is_not_told_of() -> None:
    """A binding without words is one of several that are told of together, or not meant for people."""
    bindings = [Binding("a", "one", "One", tooltip="Does one."), Binding("b", "two", "Two"), Binding("c", "act('x')")]
    assert told(bindings, display) == [("one", Key("a", "Does one."))]


def test_keys_that_do_the_same_stand_in_one_line() -> None:
    """However they differ in what they do it with."""
    bindings = [Binding("1", "pane(0)", show=False, tooltip="First."), Binding("2", "pane(1)", show=False)]
    assert [key.keys for _, key in told(bindings, display)] == ["1 2"]


def test_the_page_of_one_kind_has_the_keys_of_tables() -> None:
    """It has none of its own, which help and documentation would have to tell of."""
    assert "BINDINGS" not in BrowseScreen.__dict__
    assert home_groups()[0] is PANES
