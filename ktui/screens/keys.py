"""Keys: what every key does, in groups, from the bindings of pages and from the registry of actions.

The help of a page shows them, and `docs/keys.py` writes them down; nothing else lists keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from textual.binding import Binding

from ktui.actions.action import Action
from ktui.actions.registry import actions_for, creations
from ktui.kinds.kind import Kind

Display = Callable[[Binding], str]
"""How the key of a binding is written: `ctrl+d`, `esc`, `/`."""


class Key(NamedTuple):
    """A key, or several that do the same.

    Attributes:
        keys: as they are written, with blanks between them.
        meaning: what they do, a sentence.
        title: what it is called; of actions.
    """

    keys: str
    meaning: str
    title: str = ""


class Group(NamedTuple):
    """Keys that belong together.

    Attributes:
        title: what they are for.
        keys: in the order of bindings and menus.
    """

    title: str
    keys: tuple[Key, ...]


# Keys of tables and texts, which share what they do among several: up and down, to either end.
_ROWS = (
    Key("pgup pgdn", "Move by a page."),
    Key("home end g G", "Move to the first row, or to the last."),
    Key("← →", "Show columns that do not fit; the name stays."),
    Key("space", "Mark the row and go to the next; actions are done to all that are marked."),
    Key("shift+letter", "Sort by the next column that begins with the letter; again for the other way round."),
)
PANES = Group(
    "Moving",
    (
        Key("↑ ↓ j k", "Move; what belongs together is marked in the other panes."),
        Key("enter", "Narrow to what is related; details where nothing is left to narrow."),
        *_ROWS,
    ),
)
TABLE = Group("Moving", (Key("↑ ↓ j k", "Move."), Key("enter", "Details of the object under the cursor."), *_ROWS))
TEXT = Group(
    "Moving",
    (
        Key("↑ ↓ j k", "Move by a line."),
        Key("pgup pgdn space", "Move by a page."),
        Key("home end g G", "Move to the first line, or to the last."),
    ),
)
FILLING_IN = Group(
    "In the dialog of an action",
    (
        Key("↑ ↓ tab shift+tab", "Go to another field, or button."),
        Key("← → space", "Choose another of several words, or turn yes into no."),
        Key("enter", "Do it, from a line of text or the button; what has consequences asks first."),
        Key("ctrl+s", "Do it, from anywhere."),
        Key("pgup pgdn", "Turn the pages of what would happen."),
    ),
)
WRITING = Group(
    "Writing",
    (
        Key("shift+↑ ↓ ← →", "Select; f6 the line, f7 all of it."),
        Key("ctrl+c ctrl+x ctrl+v", "Copy, cut, paste."),
        Key("ctrl+z ctrl+y", "Undo, and do it again."),
        Key("ctrl+← ctrl+→", "Move by a word; home and end to the ends of the line."),
        Key("ctrl+w ctrl+u ctrl+k", "Delete a word, or the line to its beginning, or to its end."),
    ),
)
SIGNS = (
    ("●", "good"),
    ("◐", "working on it"),
    ("▲", "warning, or not current"),
    ("✖", "failed"),
    ("○", "finished, or idle"),
    ("?", "unknown"),
    ("▎", "belongs to the object under the cursor"),
    ("◌", "being listed"),
    ("⊘", "denied, or not served"),
)

# What bindings do, by the names of their actions: those that lead elsewhere, and those that change something. All
# others look.
GO = {
    *("pane", "next_pane", "show", "turn", "go_to", "all_namespaces", "namespaces", "contexts", "demo"),
    *("command_palette", "back", "leave", "quit"),
}
ACT = {"actions", "undo"}
MAKE = {"new"}
FIND = {"find", "find_again", "replace", "go", "problem"}
OF_OBJECT = {"compare", "apply", "mode", "blame", "status", "values", "last_applied", "write", "open", "external"}
MARKED = " under the cursor, or on those marked"

# What several keys do, each in its own way, and what bindings of Textual do; each is told in one line.
TOGETHER = {
    "pane": "Go to a pane, by its number.",
    "next_pane": "Go to the next pane, or the one before.",
    "show": "Go to a side of the object: overview, YAML, events, relations.",
    "turn": "Go to the next side, or the one before.",
    "next_match": "Go to the next place where the text stands, or the one before.",
    "command_palette": "All that can be done here, by name; the colours; what ktui itself costs.",
    "quit": "Leave ktui.",
}


def groups(bindings: Iterable[Binding], kind: Kind | None, display: Display, *, moving: Group) -> list[Group]:
    """All that keys do on a page.

    Args:
        bindings: the page's own, and those of what has the keyboard.
        kind: of the objects that actions are done to; None when there is none.
        display: how keys are written.
        moving: how one moves there: `PANES`, `TABLE` or `TEXT`.
    """
    by_name: dict[str, list[Key]] = {"go": [], "look": [], "act": [], "make": []}
    for name, key in told(bindings, display):
        by_name["go" if name in GO else "act" if name in ACT else "make" if name in MAKE else "look"].append(key)
    actions = actions_for(kind) if kind is not None else []
    direct = doing((action for action in actions if action.direct), display)
    others = doing((action for action in actions if not action.direct), display, menu="a")
    made = doing(creations(), display, menu="n") if by_name["make"] else []
    what = kind.singular if kind is not None else "object"
    found = (
        moving,
        Group("Going", tuple(by_name["go"])),
        Group("Looking", tuple(by_name["look"])),
        Group(f"Acting on the {what}{'' if moving is TEXT else MARKED}", (*direct, *by_name["act"], *others)),
        Group("Making something new", (*by_name["make"], *made)),
    )
    return [group for group in found if group.keys]


def editor_groups(bindings: Iterable[Binding], display: Display) -> list[Group]:
    """All that keys do in an editor.

    Args:
        bindings: the page's own, and those of the text.
        display: how keys are written.
    """
    found = [(name, key) for name, key in told(bindings, display) if name not in GO]
    by_name = dict[str, list[Key]](text=[], find=[], object=[])
    for name, key in found:
        by_name["object" if name in OF_OBJECT else "find" if name in FIND else "text"].append(key)
    return [
        WRITING,
        Group("The text", tuple(by_name["text"])),
        Group("Finding", tuple(by_name["find"])),
        Group("The object", tuple(by_name["object"])),
    ]


def told(bindings: Iterable[Binding], display: Display) -> list[tuple[str, Key]]:
    """What bindings do that say what they are for, each with the name of its action.

    Args:
        bindings: in their order; those of the registry's actions are left out.
        display: how keys are written.
    """
    found: dict[str, tuple[str, Key]] = {}
    for binding in bindings:
        name = binding.action.rpartition(".")[2].partition("(")[0]
        together = name in TOGETHER and not binding.show
        meaning = TOGETHER[name] if together else binding.tooltip
        if not meaning or name == "act":
            continue
        keys = found[meaning][1].keys.split() if meaning in found else []
        found[meaning] = name, Key(" ".join(dict.fromkeys((*keys, display(binding)))), meaning)
    return list(found.values())


def doing(actions: Iterable[Action], display: Display, *, menu: str = "") -> list[Key]:
    """What actions do.

    Args:
        actions: in the order of menus.
        display: how keys are written.
        menu: the key that opens their menu, which goes before theirs; empty where they work on pages.
    """
    return [
        Key(f"{menu} {display(Binding(action.key, '', action.title))}".strip(), action.help, action.title)
        for action in actions
    ]
