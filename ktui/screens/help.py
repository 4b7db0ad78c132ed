"""Help: the keys of a page, from the bindings themselves and from the registry of actions."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from ktui.kinds.text import clean
from ktui.screens.acting import Acting
from ktui.screens.home import HomeScreen
from ktui.screens.keys import PANES, SIGNS, TABLE, TEXT, Group, Key, editor_groups, groups
from ktui.screens.tables import TableScreen

SIDE_BY_SIDE = 150
"""Columns from which on what is about changing things stands beside the rest."""

WIDEST, NARROWER, FRAME, GAP = 156, 100, 7, 2
"""Columns of the box, of what surrounds its text, and between its halves."""

KEYS = 14
"""Columns of keys at most."""

Words = Iterator[tuple[str, str]]


class HelpScreen(ModalScreen[None]):
    """Keys, in groups. Esc closes it.

    Args:
        found: the groups; those from the fourth on stand beside the others, where there is room.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1", "dismiss", "Close"),
        Binding("j", "scroll(1)", show=False),
        Binding("k", "scroll(-1)", show=False),
        Binding("space", "scroll(10)", show=False),
    ]
    DEFAULT_CSS = f"""
    HelpScreen {{
        align: center middle;
        background: $background 60%;
        & > VerticalScroll {{
            width: {NARROWER}; max-width: 100%; height: auto; max-height: 96%;
            background: $bar; border: round $primary; padding: 0 2; border-title-color: $primary;
            border-subtitle-color: $faint; scrollbar-size-vertical: 1;
        }}
        &.-beside > VerticalScroll {{ width: {WIDEST}; }}
        & Static {{ height: auto; }}
        & #groups {{ height: auto; layout: vertical; }}
        & #acting {{ margin-top: 1; }}
        &.-beside #groups {{ layout: horizontal; }}
        &.-beside #groups > Static {{ width: 1fr; }}
        &.-beside #acting {{ margin-top: 0; }}
    }}
    """

    def __init__(self, found: Sequence[Group]) -> None:
        super().__init__()
        self._groups = found

    def compose(self) -> ComposeResult:
        """Two texts, which few widgets paint sooner than many, and the signs."""
        with VerticalScroll() as box:
            box.border_title, box.border_subtitle = "Keys", "esc closes"
            with Container(id="groups"):
                yield Static(id="looking")
                yield Static(id="acting")
            yield Static(id="signs")

    def on_resize(self, event: events.Resize) -> None:
        """Side by side where there is room."""
        beside = event.size.width >= SIDE_BY_SIDE
        self.set_class(beside, "-beside")
        room = min(event.size.width, WIDEST if beside else NARROWER) - FRAME
        half = room // 2 - GAP if beside else room
        for name, found in (("#looking", self._groups[:3]), ("#acting", self._groups[3:])):
            self.query_one(name, Static).update(Content.assemble(*_words(found, half)))
        signs = "\n".join(_signs(room))
        self.query_one("#signs", Static).update(Content.assemble(("\nSigns\n", "$faint"), signs))

    def action_scroll(self, by: int) -> None:
        """Move by some lines."""
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)


def page_groups(page: Acting) -> list[Group]:
    """All keys of a page.

    Args:
        page: that has the keyboard.
    """
    bindings = [active.binding for active in page.active_bindings.values()]
    moving = PANES if isinstance(page, HomeScreen) else TABLE if isinstance(page, TableScreen) else TEXT
    return groups(bindings, page.acted_on(), page.app.get_key_display, moving=moving)


def editing_groups(page: Screen[None]) -> list[Group]:
    """All keys of an editor.

    Args:
        page: that has the keyboard.
    """
    bindings = [active.binding for active in page.active_bindings.values()]
    return editor_groups(bindings, page.app.get_key_display)


def _words(found: Sequence[Group], room: int) -> Words:
    """Groups of keys, one below the other, in lines of at most so many columns."""
    wide = min(KEYS, max((len(key.keys) for group in found for key in group.keys), default=0))
    between = ""
    for group in found:
        yield f"{between}{clean(group.title)}", "$faint"
        for key in group.keys:
            yield from _lines(key, wide, room - wide - GAP)
        between = "\n\n"


def _lines(key: Key, wide: int, room: int) -> Words:
    """Keys in so many columns, and what they do in the others; what it is called stands out."""
    title = f"{key.title}  " if key.title else ""
    for left, right in zip_longest(
        textwrap.wrap(key.keys, wide), textwrap.wrap(title + key.meaning, room), fillvalue=""
    ):
        yield f"\n{left:{wide + GAP}}", "bold $key"
        yield right[: len(title)], "$bright"
        yield right[len(title) :], ""
        title = ""


def _signs(room: int) -> list[str]:
    """The signs, with what they say, in lines of at most so many columns, none of them broken."""
    lines = [""]
    for sign, meaning in SIGNS:
        longer = f"{lines[-1]}   {sign} {meaning}".strip()
        if len(longer) > room:
            lines.append(f"{sign} {meaning}")
        else:
            lines[-1] = longer
    return lines
