"""FormView: the fields of a form, one below the other, each with what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Label, Static, TextArea

from ktui.actions.form import ChoiceField, Field, Form, NumberField, SwitchField, TextField
from ktui.kinds.text import clean

LABEL = 18
"""Cells of a label."""


class Choices(Widget, can_focus=True):
    """One of several words on one line: `‹ ClusterIP ›`.

    Args:
        choices: the words.
        choice: the one that is chosen.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,space", "turn(1)", "Next", show=False),
        Binding("left", "turn(-1)", "Previous", show=False),
    ]
    DEFAULT_CSS = """
    Choices { height: 1; width: 1fr; background: $surface; color: $foreground; }
    Choices:focus { background: $row-cursor; color: $bright; }
    """

    class Changed(Message):
        """Another word was chosen."""

    def __init__(self, choices: Sequence[str], choice: str) -> None:
        super().__init__()
        self.choices = choices
        self.choice = choice

    def render(self) -> Content:
        """The word between arrows, and how many there are."""
        place = self.choices.index(self.choice) + 1 if self.choice in self.choices else 0
        return Content.assemble(
            ("‹ ", "$key"), clean(self.choice), (" ›", "$key"), (f"   {place} of {len(self.choices)}", "$faint")
        )

    def action_turn(self, by: int) -> None:
        """Choose the next word, or the one before."""
        place = self.choices.index(self.choice) if self.choice in self.choices else -1
        self.choice = self.choices[(place + by) % len(self.choices)]
        self.refresh()
        self.post_message(self.Changed())

    def on_click(self) -> None:
        """The next word."""
        self.action_turn(1)


class Switch(Widget, can_focus=True):
    """Yes or no, on one line: `[x]`.

    Args:
        on: which of them.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("space,left,right", "turn", "Change", show=False)]
    DEFAULT_CSS = """
    Switch { height: 1; width: 1fr; background: $surface; color: $foreground; }
    Switch:focus { background: $row-cursor; color: $bright; }
    """

    class Changed(Message):
        """It was turned."""

    def __init__(self, on: bool) -> None:
        super().__init__()
        self.on = on

    def render(self) -> Content:
        """A box, crossed or not."""
        return Content.assemble(("[x]" if self.on else "[ ]", "$key"), " yes" if self.on else " no")

    def action_turn(self) -> None:
        """The other of the two."""
        self.on = not self.on
        self.refresh()
        self.post_message(self.Changed())

    def on_click(self) -> None:
        """The other of the two."""
        self.action_turn()


class Lines(TextArea):
    """Several lines of text; ctrl+s ends the form, as Enter begins a new line."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+s", "screen.submit", "Done", show=False, priority=True)]


class FieldRow(Vertical):
    """A field: its label, its control, and what is wrong with it.

    Args:
        field: what is asked.
    """

    DEFAULT_CSS = f"""
    FieldRow {{
        height: auto;
        & > Horizontal {{ height: auto; }}
        & > Horizontal > Label {{ width: {LABEL}; color: $quiet; padding-right: 1; }}
        & Input {{ border: none; height: 1; padding: 0; background: $surface; width: 1fr; }}
        & Input:focus {{ background: $row-cursor; color: $bright; }}
        & TextArea {{ border: none; padding: 0; background: $surface; width: 1fr; }}
        & TextArea:focus {{ background: $row-cursor; border: none; }}
        & > .note {{ height: auto; padding-left: {LABEL}; color: $faint; display: none; }}
        & > .note.-wrong {{ color: $failed; }}
        & > .note.-said {{ display: block; }}
    }}
    """

    def __init__(self, field: Field) -> None:
        super().__init__()
        self.field = field
        self.control = self._control()
        self._touched = False
        self._wrong = ""

    def compose(self) -> ComposeResult:
        """Label, control, note."""
        with Horizontal():
            yield Label(self.field.label, markup=False)
            yield self.control
        yield Static("", classes="note", markup=False)

    def _control(self) -> Widget:
        field = self.field
        match field:
            case ChoiceField():
                return Choices(field.choices, field.start)
            case SwitchField():
                return Switch(field.start)
            case TextField() if field.lines > 1:
                area = Lines(field.start, show_line_numbers=False, soft_wrap=False, compact=True)
                area.styles.height = field.lines
                area.cursor_blink = False
                return area
            case TextField():
                return self._line(field.start, field.placeholder, masked=field.masked)
            case _:
                return self._line("" if field.start is None else str(field.start), "")

    def _line(self, text: str, placeholder: str, *, masked: bool = False) -> Input:
        line = Input(text, placeholder=placeholder, password=masked, compact=True, select_on_focus=True)
        # A blinking cursor writes 3.6 KB a second to the terminal.
        line.cursor_blink = False
        return line

    @property
    def value(self) -> Any:
        """What is filled in."""
        control = self.control
        if isinstance(control, Choices):
            return control.choice
        if isinstance(control, Switch):
            return control.on
        text = control.text if isinstance(control, TextArea) else str(getattr(control, "value", ""))
        if not isinstance(self.field, NumberField):
            return text
        text = text.strip()
        return None if not text else int(text) if _is_number(text) else text

    def judge(self, sentence: str) -> None:
        """Say what is wrong with it, if anything, and if it was touched."""
        self._wrong = sentence
        self._note()

    def touch(self) -> None:
        """From now on what is wrong with it is said."""
        self._touched = True
        self._note()

    def _note(self) -> None:
        if not self.is_mounted:
            return
        note = self.query_one(".note", Static)
        wrong = self._wrong if self._touched else ""
        text = wrong or (self.field.help if self.has_focus_within else "")
        note.update(text)
        note.set_class(bool(text), "-said")
        note.set_class(bool(wrong), "-wrong")

    def on_descendant_focus(self) -> None:
        """Help is shown where the keyboard is."""
        self._note()

    def on_descendant_blur(self) -> None:
        """Left: what is wrong with it is said."""
        self._touched = True
        self._note()


class FormView(Vertical):
    """All fields of a form.

    Args:
        form: what to ask.
    """

    DEFAULT_CSS = "FormView { height: auto; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "screen.focus_next", "Next field", show=False),
        Binding("up", "screen.focus_previous", "Previous field", show=False),
    ]

    class Changed(Message):
        """Something else is filled in."""

    class Submitted(Message):
        """Enter was pressed in a field."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        self.form = form
        self.rows = [FieldRow(field) for field in form.fields if not _never(field)]
        self._hidden = {field.name: field.start for field in form.fields if _never(field)}

    def compose(self) -> ComposeResult:
        """A row for each field."""
        yield from self.rows

    def on_mount(self) -> None:
        """Fields that are not asked for are not shown."""
        self.judge()

    @property
    def values(self) -> dict[str, Any]:
        """What is filled in, by the names of the fields."""
        return {**self._hidden, **{row.field.name: row.value for row in self.rows}}

    def judge(self) -> dict[str, str]:
        """Show the fields that are asked for, and what is wrong with them; which is returned by name."""
        values = self.values
        wrong = self.form.wrong(values)
        for row in self.rows:
            row.display = row.field.shown(values)
            row.judge(wrong.get(row.field.name, ""))
        return wrong

    def complain(self) -> None:
        """Say all that is wrong, and go to the first of it."""
        wrong = self.judge()
        rows = [row for row in self.rows if row.field.name in wrong]
        for row in rows:
            row.touch()
        for row in rows[:1]:
            row.control.focus()

    def focus_first(self) -> None:
        """Give the keyboard to the first field."""
        for row in self.rows:
            if row.display:
                row.control.focus()
                return

    @on(Input.Changed)
    @on(TextArea.Changed)
    @on(Choices.Changed)
    @on(Switch.Changed)
    def _changed(self, event: events.Event) -> None:
        event.stop()
        self.judge()
        self.post_message(self.Changed())

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Submitted())


def _never(field: Field) -> bool:
    """Whether a field is never asked for, and only carries what a plan needs."""
    return not isinstance(field, TextField | NumberField | ChoiceField | SwitchField)


def _is_number(text: str) -> bool:
    return text.lstrip("-").isascii() and text.lstrip("-").isdigit() and text.count("-") <= 1
