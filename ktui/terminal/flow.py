"""Flow: how much is on its way to the terminal."""

from __future__ import annotations

from collections import deque

IN_FLIGHT = 8_000
"""Bytes on their way with which it is full: a quarter of a second of a slow line, and enough for a long one."""

ASK_EVERY = 2_000
"""Bytes after which the terminal is asked something."""

QUESTION = "\x1b[?2026$p"
"""Asks for the state of a mode (DECRQM), which changes nothing; Textual asks it at the start, and posts the answer."""


class Flow:
    """Counts what the terminal has not yet got, from what it answers.

    That a writer has been let go says little over SSH: the other end takes megabytes which the line has yet to carry.
    What is asked behind a frame is answered when the frame has arrived.
    """

    def __init__(self) -> None:
        self._sent = self._arrived = 0
        self._asked: deque[int] = deque()
        self._silent = False

    @property
    def full(self) -> bool:
        """Whether enough is on its way."""
        return bool(self._asked) and self._sent - self._arrived > IN_FLIGHT

    def send(self, size: int) -> bool:
        """Count what is sent.

        Args:
            size: in bytes.

        Returns:
            Whether to ask behind it.
        """
        self._sent += size
        ask = not self._silent and self._sent - (self._asked[-1] if self._asked else self._arrived) >= ASK_EVERY
        if ask:
            self._asked.append(self._sent)
        return ask

    def answered(self) -> None:
        """The terminal has answered: what was sent before the question has arrived."""
        if self._asked:
            self._arrived = self._asked.popleft()

    def unanswered(self) -> None:
        """An answer was lost, so this terminal is not asked any more."""
        self._asked.clear()
        self._silent = True
