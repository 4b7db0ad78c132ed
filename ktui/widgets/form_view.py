"""FormView: the fields of a form, one below the other, each with what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Label, Static, TextArea

from ktui.actions.form import Carried, ChoiceField, Field, Form, NumberField, SwitchField, TextField
from ktui.kinds.text import clean
from ktui.widgets.cells import width_of

LABEL, LONGEST = 14, 24
"""Cells of labels, at least and at most; longer ones are wrapped."""

BULLET, PEM = "•", "-----"
"""What stands in the place of what is secret; and what keys and certificates begin with."""


class Choices(Widget, can_focus=True):
    """One of several words on one line: `‹ ClusterIP ›`.

    Args:
        choices: the words.
        choice: the one that is chosen.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,space", "turn(1)", "Next", show=False),
        Binding("left", "turn(-1)", "Previous", show=False),
        Binding("enter", "screen.submit", "Done", show=False),
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

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,left,right", "turn", "Change", show=False),
        Binding("enter", "screen.submit", "Done", show=False),
    ]
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


class Line(Input):
    """One line of text, in which nothing that stands there already can do anything to the terminal."""

    @property
    def _value(self) -> Text:
        """Overrides Textual's: the text as it is shown."""
        shown = super()._value
        return Text(clean(shown.plain), no_wrap=True, overflow="ignore", end="")


class Lines(TextArea):
    """Several lines of text, shown as `Line` shows one; ctrl+s ends the form, as Enter begins a new line.

    Args:
        text: what stands there at first.
        masked: whether it is secret: of `KEY=VALUE` only the key is shown, of everything else nothing.
        placeholder: an example, shown while it is empty.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+s", "screen.submit", "Done", show=False, priority=True)]

    def __init__(self, text: str, *, masked: bool, placeholder: str) -> None:
        super().__init__(text, show_line_numbers=False, soft_wrap=False, compact=True, placeholder=Content(placeholder))
        self._masked = masked
        # A blinking cursor writes 3.6 KB a second to the terminal.
        self.cursor_blink = False

    def get_line(self, line_index: int) -> Text:
        """Overrides Textual's: a line as it is shown, character by character."""
        line = str(self.document.get_line(line_index))
        if self._masked:
            key, equals, value = line.partition("=") if PEM not in self.text else ("", "", line)
            line = f"{key}{equals}{BULLET * len(value)}" if equals else BULLET * len(line)
        return Text("\t".join(map(clean, line.split("\t"))), end="", no_wrap=True)


class FieldRow(Vertical):
    """A field: its label, its control, and what is wrong with it.

    Args:
        field: what is asked.
        label: cells of the label.
    """

    DEFAULT_CSS = """
    FieldRow {
        height: auto;
        & > Horizontal { height: auto; }
        & > Horizontal > Label { color: $quiet; padding-right: 1; }
        & Input { border: none; height: 1; padding: 0; background: $surface; width: 1fr; }
        & Input:focus { background: $row-cursor; color: $bright; }
        & TextArea { border: none; padding: 0; background: $surface; width: 1fr; }
        & TextArea:focus { background: $row-cursor; border: none; }
        & > .note { height: auto; color: $faint; display: none; }
        & > .note.-wrong { color: $failed; }
        & > .note.-said { display: block; }
    }
    """

    def __init__(self, field: Field, label: int = LABEL) -> None:
        super().__init__()
        self.field = field
        self._label = label
        self.control = self._control()
        self._touched = False
        self._wrong = ""
        self._noted = ("", "")

    def compose(self) -> ComposeResult:
        """Label, control, note."""
        with Horizontal():
            label = Label(clean(self.field.label), markup=False)
            label.styles.width = self._label
            yield label
            yield self.control
        note = Static("", classes="note", markup=False)
        note.styles.padding = (0, 0, 0, self._label)
        yield note

    def _control(self) -> Widget:
        field = self.field
        match field:
            case ChoiceField():
                return Choices(field.choices, field.start)
            case SwitchField():
                return Switch(field.start)
            case TextField() if field.lines > 1:
                area = Lines(field.start, masked=field.masked, placeholder=field.placeholder)
                area.styles.height = field.lines
                return area
            case TextField():
                return self._line(field.start, field.placeholder, masked=field.masked)
            case _:
                return self._line("" if field.start is None else str(field.start), "")

    def _line(self, text: str, placeholder: str, *, masked: bool = False) -> Input:
        line = Line(text, placeholder=placeholder, password=masked, compact=True, select_on_focus=True)
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

    @property
    def lines(self) -> int:
        """How many lines its control wants."""
        return self.field.lines if isinstance(self.field, TextField) else 1

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
        wrong = self._wrong if self._touched else ""
        text = wrong or (self.field.help if self.has_focus_within else "")
        if (text, wrong) == self._noted:
            # Nothing is laid out anew for nothing.
            return
        self._noted = text, wrong
        note = self.query_one(".note", Static)
        note.update(clean(text))
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

    Attributes:
        wrong: what is wrong with the fields as they are filled in, by their names.
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
        self.wrong: dict[str, str] = {}
        asked = [field for field in form.fields if not isinstance(field, Carried)]
        shown = [field for field in asked if field.shown(form.start())]
        label = max((width_of(field.label) + 2 for field in shown), default=LABEL)
        self.rows = [FieldRow(field, min(max(label, LABEL), LONGEST)) for field in asked]
        self._hidden = _carried(form)

    def renew(self, form: Form) -> None:
        """Take what a form carries that was made anew, and keep what is filled in.

        Args:
            form: the same one, from what is there now.
        """
        self._hidden = _carried(form)

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

    def judge(self) -> None:
        """Show the fields that are asked for, and what is wrong with them."""
        values = self.values
        self.wrong = self.form.wrong(values)
        for row in self.rows:
            row.display = row.field.shown(values)
            row.judge(self.wrong.get(row.field.name, ""))

    def complain(self) -> None:
        """Say all that is wrong, and go to the first of it."""
        rows = [row for row in self.rows if row.field.name in self.wrong]
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


def _carried(form: Form) -> dict[str, Any]:
    return {field.name: field.start for field in form.fields if isinstance(field, Carried)}


def _is_number(text: str) -> bool:
    return text.lstrip("-").isascii() and text.lstrip("-").isdigit() and text.count("-") <= 1
