"""Prompt: one line at the bottom to type into: a filter after `/`, a destination after `:`."""

from __future__ import annotations

from textual import events
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input


class Prompt(Input):
    """An input of one line that says what is typed as it is typed, and gives way when it is done.

    Args:
        sign: the character before it, `/` or `:`.
    """

    DEFAULT_CSS = """
    Prompt {
        height: 1; border: none; padding: 0 1; background: $panel; color: $foreground; display: none;
        &.-open { display: block; }
        &:focus { border: none; background-tint: $background 0%; }
        & > .input--suggestion { color: $faint; }
    }
    """

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

    def __init__(self, sign: str, *, id: str, placeholder: str, suggester: Suggester | None = None) -> None:
        super().__init__(id=id, placeholder=f"{sign}{placeholder}", suggester=suggester, compact=True)
        self.sign = sign
        # A blinking cursor writes 3.6 KB a second to the terminal.
        self.cursor_blink = False

    def open(self, text: str = "") -> None:
        """Show the line and type into it."""
        self.value = text
        self.add_class("-open")
        self.focus()
        self.cursor_position = len(text)

    def close(self) -> None:
        """Give way."""
        self.remove_class("-open")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Pass on what is typed."""
        event.stop()
        if self.has_class("-open"):
            self.post_message(self.Typed(self, event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Done."""
        event.stop()
        self.post_message(self.Done(self, event.value))

    async def on_key(self, event: events.Key) -> None:
        """Esc gives up; tab takes the suggestion."""
        if event.key == "escape":
            event.stop()
            event.prevent_default()
            self.post_message(self.Done(self, None))
        elif event.key == "tab":
            event.stop()
            event.prevent_default()
            self.action_cursor_right()
