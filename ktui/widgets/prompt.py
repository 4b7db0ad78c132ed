"""Prompt: one line at the bottom to type into: a filter after `/`, a destination after `:`."""

from __future__ import annotations

from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input, Static

from ktui.kinds.text import clean


class Line(Input):
    """A line to type into, without what a terminal would obey in what is pasted: it is drawn as it is."""

    def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self._put(event.text)

    def action_paste(self) -> None:
        """Paste what was cut or copied."""
        self._put(self.app.clipboard)

    def _put(self, text: str) -> None:
        if text:
            self.replace(clean(text.splitlines()[0]), *self.selection)


class Prompt(Horizontal):
    """A sign and a line to type into. It tells what is typed as it is typed, until it is taken away.

    Args:
        sign: the character before the line, `/` or `:`.
        id: the widget's id.
        placeholder: what can be typed.
        text: what stands there already.
        suggester: completes what is typed.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "done", "Done", priority=True),
        Binding("escape", "give_up", "Give up", priority=True),
        Binding("tab", "complete", "Complete", show=False, priority=True),
        Binding("down", "done", show=False),
    ]
    DEFAULT_CSS = """
    Prompt {
        height: 1; background: $bar;
        & > Static { width: 2; color: $key; text-style: bold; padding-left: 1; background: $bar; }
        & > Input {
            width: 1fr; background: $bar; color: $foreground;
            &:focus { background-tint: $background 0%; }
            & > .input--suggestion, & > .input--placeholder { color: $faint; }
        }
    }
    """

    class Ready(Message):
        """It has the keyboard.

        Attributes:
            prompt: which.
        """

        def __init__(self, prompt: Prompt) -> None:
            super().__init__()
            self.prompt = prompt

        @property
        def control(self) -> Prompt:
            """Which."""
            return self.prompt

    class Typed(Message):
        """The text changed.

        Attributes:
            prompt: where.
            text: what stands there now.
        """

        def __init__(self, prompt: Prompt, text: str) -> None:
            super().__init__()
            self.prompt = prompt
            self.text = text

        @property
        def control(self) -> Prompt:
            """Where."""
            return self.prompt

    class Done(Message):
        """The person pressed Enter, or gave up with Esc.

        Attributes:
            prompt: where.
            text: what stands there; None after Esc.
        """

        def __init__(self, prompt: Prompt, text: str | None) -> None:
            super().__init__()
            self.prompt = prompt
            self.text = text

        @property
        def control(self) -> Prompt:
            """Where."""
            return self.prompt

    def __init__(
        self,
        sign: str,
        *,
        id: str,  # noqa: A002
        placeholder: str,
        text: str = "",
        suggester: Suggester | None = None,
    ) -> None:
        super().__init__(id=id)
        self._sign = Static(sign, markup=False)
        self._line = Line(text, placeholder=placeholder, suggester=suggester, compact=True, select_on_focus=False)
        # A blinking cursor writes 3.6 KB a second to the terminal.
        self._line.cursor_blink = False

    def compose(self) -> ComposeResult:
        """The sign, and the line."""
        yield self._sign
        yield self._line

    def on_mount(self) -> None:
        """Type into it."""
        self._line.focus()
        self._line.cursor_position = len(self._line.value)
        self.post_message(self.Ready(self))

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Typed(self, event.value))

    def action_done(self) -> None:
        """Take what was typed, the letters too that came together with Enter and still wait in the line."""
        self._line.call_later(self._end, keep=True)

    def action_give_up(self) -> None:
        """Take nothing."""
        self._line.call_later(self._end, keep=False)

    def _end(self, *, keep: bool) -> None:
        self.post_message(self.Done(self, self._line.value if keep else None))

    def action_complete(self) -> None:
        """Take the suggestion."""
        self._line.action_cursor_right()
