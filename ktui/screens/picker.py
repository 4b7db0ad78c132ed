"""Picker: a list to choose from by typing, for contexts and namespaces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Label, OptionList
from textual.widgets.option_list import Option


class Choice(NamedTuple):
    """Something to choose.

    Attributes:
        value: what is chosen.
        label: how it is called; safe to show.
        detail: a few dim words behind it; safe to show.
    """

    value: str
    label: str
    detail: str = ""


class Picker(ModalScreen[str | None]):
    """Shows choices, narrows them as the person types, and dismisses with the chosen value, or None.

    Args:
        title: what is chosen.
        choices: in the order in which they are shown.
        placeholder: what can be typed.
        free: whether text that is no choice may be chosen too, as it was typed.
        note: a sentence below the list, such as why it is not complete.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back"),
        Binding("down,ctrl+n", "move(1)", show=False),
        Binding("up,ctrl+p", "move(-1)", show=False),
        Binding("pagedown", "move(10)", show=False),
        Binding("pageup", "move(-10)", show=False),
    ]
    DEFAULT_CSS = """
    Picker {
        align: center middle;
        background: $background 60%;
        & > Vertical {
            width: 64; max-width: 92%; height: auto; max-height: 80%;
            background: $panel; border: round $primary; padding: 0 1;
            border-title-color: $primary;
        }
        & Input { border: none; height: 1; padding: 0; background: $surface; margin-bottom: 1; }
        & OptionList {
            border: none; height: auto; max-height: 20; background: $panel; padding: 0; scrollbar-size-vertical: 1;
            & > .option-list--option-highlighted { background: $row-cursor; color: $bright; }
        }
        & Label { color: $quiet; margin-top: 1; }
    }
    """

    def __init__(
        self, title: str, choices: Sequence[Choice], *, placeholder: str = "", free: bool = False, note: str = ""
    ) -> None:
        super().__init__()
        self._title = title
        self._choices = choices
        self._placeholder = placeholder
        self._free = free
        self._note = note
        self._shown: list[Choice] = []

    def compose(self) -> ComposeResult:
        """An input line above the list."""
        with Vertical() as box:
            box.border_title = self._title
            entry = Input(placeholder=self._placeholder, compact=True)
            entry.cursor_blink = False
            yield entry
            yield OptionList(markup=False, compact=True)
            yield Label(self._note, markup=False)

    def on_mount(self) -> None:
        """Show everything."""
        self.query_one(OptionList).can_focus = False
        self.offer(self._choices, self._note)

    def offer(self, choices: Sequence[Choice], note: str = "") -> None:
        """Show other choices; what was typed stays.

        Args:
            choices: in the order in which they are shown.
            note: a sentence below the list.
        """
        self._choices = choices
        label = self.query_one(Label)
        label.update(note)
        label.display = bool(note)
        self._narrow(self.query_one(Input).value.strip())

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrow to what contains the text; what begins with it comes first."""
        self._narrow(event.value.strip())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Choose the highlighted entry, or what was typed."""
        typed = event.value.strip()
        place = self.query_one(OptionList).highlighted
        if self._free and typed and (place is None or not self._shown or "," in typed):
            self.dismiss(typed)
        elif place is not None and self._shown:
            self.dismiss(self._shown[place].value)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """A click chooses."""
        self.dismiss(self._shown[event.option_index].value)

    def action_move(self, by: int) -> None:
        """Move the highlight, while typing goes on in the input."""
        options = self.query_one(OptionList)
        if options.option_count:
            options.highlighted = max(0, min(options.option_count - 1, (options.highlighted or 0) + by))

    def _narrow(self, typed: str) -> None:
        wanted = typed.casefold()
        found = [choice for choice in self._choices if wanted in choice.label.casefold()]
        self._shown = (
            sorted(found, key=lambda choice: not choice.label.casefold().startswith(wanted)) if wanted else found
        )
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(
            [Option(Content.assemble(choice.label, (f"  {choice.detail}", "$faint"))) for choice in self._shown]
        )
        if self._shown:
            options.highlighted = 0
