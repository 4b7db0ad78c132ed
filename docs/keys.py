"""Writes `docs/keys.md`, and the table of keys in the README, from pages and from the registry: `make keys`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from textual.binding import Binding
from textual.dom import DOMNode

from ktui.actions.action import Action
from ktui.actions.registry import ACTIONS, actions_for, creations
from ktui.app import KEY_NAMES, KtuiApp
from ktui.kinds.builtin import BUILTIN
from ktui.kinds.generic import generic_kind
from ktui.kinds.kind import Kind, Trait
from ktui.kinds.names import GVR
from ktui.screens.act import ActScreen
from ktui.screens.compare import CompareScreen
from ktui.screens.details import DetailsScreen
from ktui.screens.details_tabs import YamlTab
from ktui.screens.edit import EditScreen
from ktui.screens.editing import EditingScreen
from ktui.screens.home import HomeScreen
from ktui.screens.journal import JournalScreen
from ktui.screens.keys import FILLING_IN, PANES, TEXT, Group, Key, doing, editor_groups, groups, told
from ktui.screens.new_manifest import NewManifestScreen
from ktui.screens.tables import TableScreen
from ktui.widgets.difference_view import DifferenceView
from ktui.widgets.editor import Editor

ROOT = Path(__file__).parents[1]
KEYS, README = ROOT / "docs" / "keys.md", ROOT / "README.md"
BEGIN, END = "<!-- keys: written by `make keys` -->", "<!-- end of keys -->"

OTHERS = (
    generic_kind(GVR("apps", "v1", "statefulsets"), "StatefulSet", True),
    generic_kind(GVR("apps", "v1", "daemonsets"), "DaemonSet", True),
    generic_kind(GVR("batch", "v1", "jobs"), "Job", True),
    generic_kind(GVR("batch", "v1", "cronjobs"), "CronJob", True),
    generic_kind(GVR("", "v1", "replicationcontrollers"), "ReplicationController", True),
    generic_kind(GVR("", "v1", "namespaces"), "Namespace", False),
    generic_kind(GVR("", "v1", "secrets"), "Secret", True),
    generic_kind(GVR("shop.example.com", "v1", "widgets"), "Widget", True),
    generic_kind(GVR("shop.example.com", "v1", "racks"), "Rack", True, traits=Trait.SCALABLE),
)
"""Kinds that ktui makes from discovery; custom resources among them, with replicas and without."""

KINDS: tuple[Kind, ...] = (*BUILTIN.values(), *OTHERS)
_CUSTOM = {"widgets": "custom resources", "racks": "custom resources with replicas"}
_MEASURED = "metrics.k8s.io"


ARROWS = {"up": "↑", "down": "↓", "left": "←", "right": "→"}


def display(binding: Binding) -> str:
    """A key as the application writes it."""
    names = KEY_NAMES | ARROWS
    parts = "+".join(names.get(part, part) for part in binding.key.split("+"))
    return binding.key_display or names.get(binding.key, parts)


def bindings_of(*nodes: type[DOMNode]) -> list[Binding]:
    """The bindings of pages and of their parts, each key by itself, in the order in which they are looked up."""
    found = [binding for node in nodes for binding in node.__dict__["BINDINGS"] if isinstance(binding, Binding)]
    return list(Binding.make_bindings(found))


def home_groups() -> list[Group]:
    """All keys of the home screen, and those of actions that pages of any kind have."""
    palette = Binding(KtuiApp.COMMAND_PALETTE_BINDING, "command_palette", show=False)
    bindings = [*bindings_of(TableScreen, HomeScreen), palette, *bindings_of(KtuiApp)]
    return groups(bindings, None, display, moving=PANES)


# -- the page ------------------------------------------------------------------------------------


def keys_page() -> str:
    """`docs/keys.md`."""
    moving, going, looking, acting, _ = home_groups()
    direct = [action for action in ACTIONS if action.direct]
    others = [action for action in ACTIONS if not action.direct and not action.creates]
    details = [key for _, key in told(bindings_of(YamlTab, DetailsScreen), display)]
    dialog = [key for key in _described(ActScreen) if key.keys not in {known.keys for known in FILLING_IN.keys}]
    parts = [
        "# Keys",
        "This page is written by `make keys` from the program itself. In ktui, `?` tells the keys of the page that is"
        " shown, and `ctrl+p` finds what they do by name.",
        *_section(moving),
        *_section(going),
        "After `:` go a kind as kubectl names it, a namespace, `-l` and labels, or one of these words: `ns shop`,"
        " `ctx`, `journal`, `home`, `q`.",
        *_section(looking),
        "## Acting",
        "On the object under the cursor, or on all that are marked with `space`. What the user may not do is dim, and"
        " the menu says why.",
        _table(("key", "what it does"), ((_keys(key), key.meaning) for key in acting.keys)),
        _table(("key", "action", "what it does", "on"), _rows(direct, "")),
        "These are in the menu that `a` opens, with those above:",
        _table(("keys", "action", "what it does", "on"), _rows(others, "a")),
        "## Making something new",
        _table(
            ("keys", "action", "what it does"),
            ((_keys(key), key.title, key.meaning) for key in doing(creations(), display, menu="n")),
        ),
        *_section(Group(FILLING_IN.title, (*FILLING_IN.keys, *dialog))),
        *_section(Group("In the details of an object", (*TEXT.keys, *details))),
        "Actions with a key of their own have it here, too.",
        *_section(
            Group("In a comparison, which `=` opens", tuple(_described(DifferenceView) + _described(CompareScreen)))
        ),
        "## In the editor",
        "`e` opens it on the object under the cursor, `n` `y` on a new manifest. `f1` tells these keys there. Where a"
        " terminal sends no `alt`, `ctrl+p` finds by name what it does.",
        *(part for group in _editor() for part in ("#" + _section(group)[0], _section(group)[1])),
        *_section(Group("In the journal, which `:journal` opens", tuple(_described(JournalScreen)))),
    ]
    return "\n\n".join(parts) + "\n"


def _editor() -> list[Group]:
    """All keys of the editor: of objects, and what new manifests have besides."""
    parts = [*bindings_of(Editor, EditingScreen, EditScreen), *bindings_of(NewManifestScreen)]
    return editor_groups(parts, display)


def _section(group: Group) -> tuple[str, str]:
    return f"## {group.title}", _table(("key", "what it does"), ((_keys(key), key.meaning) for key in group.keys))


def _described(page: type[DOMNode]) -> list[Key]:
    """What the keys of a page do, some of which say it in a word or two."""
    found: dict[str, str] = {}
    for binding in bindings_of(page):
        if meaning := binding.tooltip or (binding.description and f"{binding.description}."):
            found[meaning] = f"{found.get(meaning, '')} {display(binding)}"
    return [Key(keys.strip(), meaning) for meaning, keys in found.items()]


def _rows(actions: Sequence[Action], menu: str) -> Iterable[Sequence[str]]:
    for action, key in zip(actions, doing(actions, display, menu=menu), strict=True):
        yield _keys(key), key.title, key.meaning, _kinds(action)


def _kinds(action: Action) -> str:
    """What an action can be done to, in words."""
    kept = [kind for kind in KINDS if kind.gvr.group != _MEASURED]
    offered = [kind for kind in kept if action in actions_for(kind)]
    if offered == kept:
        return "everything"
    return ", ".join(_CUSTOM.get(kind.gvr.resource, kind.gvr.resource) for kind in offered)


def _keys(key: Key) -> str:
    return " ".join(f"`{each}`" for each in key.keys.split())


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


# -- the table in the README -----------------------------------------------------------------------


def readme(text: str) -> str:
    """The README with its table of keys as it has to be.

    Args:
        text: the README as it is.
    """
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    moving, going, looking, acting, making = home_groups()
    direct = doing((action for action in ACTIONS if action.direct), display)
    keys = [*moving.keys, *going.keys, *looking.keys, *direct, *acting.keys, *making.keys[:1]]
    table = _table(("key", "what it does"), ((_keys(key), key.meaning) for key in keys))
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def write() -> None:
    """Write both anew."""
    KEYS.write_text(keys_page())
    README.write_text(readme(README.read_text()))


if __name__ == "__main__":
    write()
