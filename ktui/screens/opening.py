"""Opening: the first frame, shown while the rest of ktui is being imported."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.screen import Screen

from ktui.widgets.bar import Bar, Part


class OpeningScreen(Screen[None]):
    """The bars of every page, and nothing between them yet."""

    DEFAULT_CSS = """
    OpeningScreen { background: $background; layout: vertical; }
    OpeningScreen > .foot { dock: bottom; }
    """

    def compose(self) -> ComposeResult:
        """The name of the program where it will stay."""
        top, foot = Bar(), Bar()
        top.show([Part(" ktui ", "badge"), Part("  opening …", "dim")])
        foot.add_class("foot")
        yield top
        yield foot
