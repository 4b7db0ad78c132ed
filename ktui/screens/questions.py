"""Question: a sentence and a few answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option

from ktui.widgets.options import Options


class Question(ModalScreen[str | None]):
    """Asks, and dismisses with the id of the answer, or None. The first answer is the careful one.

    Args:
        sentence: what is asked; safe to show.
        answers: their ids, and what stands there; safe to show.
        note: a sentence below; safe to show.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back"),
    ]
    DEFAULT_CSS = """
    Question {
        align: center middle;
        background: $background 60%;
        & > Vertical {
            width: 76; max-width: 100%; height: auto; max-height: 96%;
            background: $bar; border: round $primary; padding: 0 1;
        }
        & Label { width: 100%; height: auto; color: $foreground; margin-bottom: 1; }
        & Label.note { color: $quiet; margin: 1 0 0 0; }
        & OptionList {
            border: none; height: auto; background: $bar; padding: 0;
            & > .option-list--option-highlighted { background: $row-cursor; color: $bright; }
        }
    }
    """

    def __init__(self, sentence: str, answers: Sequence[tuple[str, str]], *, note: str = "") -> None:
        super().__init__()
        self._sentence = sentence
        self._answers = answers
        self._note = note

    def compose(self) -> ComposeResult:
        """The sentence above the answers."""
        with Vertical():
            yield Label(self._sentence, markup=False)
            yield Options(*[Option(Content(text), id=name) for name, text in self._answers], markup=False, compact=True)
            if self._note:
                yield Label(self._note, markup=False, classes="note")

    def on_mount(self) -> None:
        """The first answer is chosen."""
        options = self.query_one(Options)
        options.highlighted = 0
        options.focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """That is the answer."""
        self.dismiss(event.option_id)
