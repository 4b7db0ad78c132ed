"""TypeAhead: keys that are typed before what they are meant for is there wait for it.

A page or a prompt takes some milliseconds until it has the keyboard, a dialog that reads the cluster first takes
longer. People type on meanwhile, and terminals send what was typed in one piece: without this, the letters behind `:`
would be commands to the table below.
"""

from __future__ import annotations

from typing import Any

from textual import events
from textual.app import App
from textual.timer import Timer

LONGEST = 5.0
"""Seconds after which keys are handed out in any case."""

MOST = 1000
"""Keys that wait at most: more is no typing."""


class TypeAhead(App[None]):
    """Base of the app, which holds keys back while something opens.

    Between `hold_keys` and `release_keys` keys wait; Esc goes through, and takes what waits with it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._held: list[events.Key] | None = None
        self._held_until: Timer | None = None

    @property
    def holds_keys(self) -> bool:
        """Whether keys wait: a page must not take them."""
        return self._held is not None

    def hold_keys(self) -> None:
        """From now on keys are meant for what is being opened."""
        if self._held is None:
            self._held = []
            self._held_until = self.set_timer(LONGEST, self.release_keys)

    def release_keys(self) -> None:
        """It has the keyboard: the keys that wait go to it, and all others again."""
        if self._held is not None:
            # Behind the message that gives the keyboard to it.
            self.call_later(self._hand_out)

    async def _hand_out(self) -> None:
        held, self._held = self._held, None
        if self._held_until is not None:
            self._held_until.stop()
            self._held_until = None
        # Some had gone to the page before, and came back as it did not know them; others had not been looked at.
        for event in sorted(held or (), key=lambda event: event.time):
            if self._held is not None:
                # One of them opened something else.
                self._held.append(event)
            elif not await self._check_bindings(event.key, priority=True):
                (self.focused or self.screen)._forward_event(events.Key(event.key, event.character))

    async def on_event(self, event: events.Event) -> None:
        """Overrides Textual's: a key that nobody has seen yet waits, if it must."""
        if isinstance(event, events.Key) and not event.is_forwarded and self._waits(event):
            return
        await super().on_event(event)

    async def _on_key(self, event: events.Key) -> None:
        """Called before Textual's: so does one that the page below did not know, as it was meant for another."""
        if self._waits(event):
            event.prevent_default()
        elif self._held is not None and await self._check_bindings(event.key, priority=True):
            # Esc: what is being opened has the first say, as if the page below had not been asked.
            event.prevent_default()

    def _waits(self, event: events.Key) -> bool:
        if self._held is None:
            return False
        if event.key == "escape":
            self._held.clear()
            return False
        if len(self._held) < MOST:
            self._held.append(event)
        return True

    def push_screen(self, screen: Any, *arguments: Any, **keywords: Any) -> Any:
        """Overrides Textual's: keys wait until the page is there.

        A page that has something to wait for says so by `takes_keys_later`, and calls `release_keys` itself.
        """
        self.hold_keys()
        pushed = super().push_screen(screen, *arguments, **keywords)
        if not getattr(screen, "takes_keys_later", False):
            screen.call_after_refresh(self.release_keys)
        return pushed
