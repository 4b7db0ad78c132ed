"""Reference for the first frame: the smallest Textual app that shows a word."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Static

WORD = "bare"


class BareApp(App[None]):
    """One Static."""

    def compose(self) -> ComposeResult:
        """The word."""
        yield Static(WORD)


if __name__ == "__main__":
    BareApp().run()
