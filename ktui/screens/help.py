"""Help: the keys of a page, from the bindings themselves."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

MOVING = (
    ("↑ ↓ j k", "Move the cursor; what belongs to the object is marked in the other panes."),
    ("pgup pgdn home end g G", "Move by a page, or to an end."),
    ("← →", "Show columns that do not fit; the name stays."),
    ("enter", "Narrow to what is related; details where nothing is left to narrow."),
    ("space", "Mark the row and go to the next."),
    ("shift+letter", "Sort by the next column that begins with the letter; again for the other way round."),
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


class HelpScreen(ModalScreen[None]):
    """All keys of a page. Esc closes it.

    Args:
        page: whose keys.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark", "dismiss", "Close")]
    DEFAULT_CSS = """
    HelpScreen {
        align: center middle;
        background: $background 60%;
        & > VerticalScroll {
            width: 100; max-width: 96%; height: auto; max-height: 90%;
            background: $bar; border: round $primary; padding: 0 2; border-title-color: $primary;
            scrollbar-size-vertical: 1;
        }
        & Grid { grid-size: 2; grid-columns: 26 1fr; grid-rows: auto; height: auto; }
        & .key { color: $key; text-style: bold; }
        & .title { color: $faint; margin-top: 1; }
    }
    """

    def __init__(self, page: Screen[Any]) -> None:
        super().__init__()
        self._page = page

    def compose(self) -> ComposeResult:
        """Two columns: keys, and what they do."""
        with VerticalScroll() as box:
            box.border_title = "Keys"
            for title, lines in (("Anywhere in a table", MOVING), ("On this page", self._keys()), ("Signs", SIGNS)):
                yield Static(title, classes="title")
                with Grid():
                    for key, meaning in dict(lines).items():
                        yield Static(key, markup=False, classes="key")
                        yield Static(meaning, markup=False)

    def _keys(self) -> list[tuple[str, str]]:
        """Every binding of the page that says what it is for."""
        return [
            (self.app.get_key_display(active.binding), active.binding.tooltip)
            for active in self._page.active_bindings.values()
            if active.binding.tooltip
        ]
