"""Writer: writes to the terminal in a thread of its own, so that a slow one keeps nobody waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import IO

from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver

from ktui.terminal.keyboard import Keyboard

FAREWELL = 2.0
"""Seconds that the terminal gets to take the last words."""


class Writer(threading.Thread):
    """Writes texts in their order. Whoever has much to write asks first whether it is idle.

    It takes no lock: a signal may interrupt whoever is writing, and write itself.

    Args:
        file: where to.
    """

    def __init__(self, file: IO[str]) -> None:
        super().__init__(daemon=True, name="terminal")
        self._file = file
        self._waiting: SimpleQueue[str | None] = SimpleQueue()
        self._taken = self._written = 0
        self._afterwards: Callable[[], object] | None = None

    def write(self, text: str) -> None:
        """Have a text written soon."""
        self._taken += 1
        self._waiting.put(text)

    def idle(self, afterwards: Callable[[], object]) -> bool:
        """Whether everything has been written.

        Args:
            afterwards: if not, called in another thread when it has been, instead of what was to be called before.
        """
        self._afterwards = afterwards
        if self._written < self._taken:
            return False
        self._afterwards = None
        return True

    def run(self) -> None:
        """Write until `stop`."""
        while (text := self._waiting.get()) is not None:
            try:
                self._file.write(text)
                self._file.flush()
            except OSError:
                # The terminal is gone, and SIGHUP will end ktui; what is written until then goes nowhere.
                pass
            self._written += 1
            if self._written == self._taken and (call := self._afterwards) is not None:
                self._afterwards = None
                call()

    def stop(self) -> None:
        """Write what is waiting, and end; a terminal that takes nothing more keeps nobody from leaving."""
        self._waiting.put(None)
        self.join(FAREWELL)


class PacedDriver(Driver):
    """Mixin for a Textual driver, named before it, that writes through a `Writer`.

    Textual's own thread takes 30 texts; whoever writes one more, the event loop, waits until a slow terminal has read.
    """

    writer: Writer

    def write(self, data: str) -> None:
        """Have something written soon."""
        self.writer.write(data)


class TerminalDriver(PacedDriver, LinuxDriver):
    """Textual's driver of a terminal, which writes and reads in its own way."""

    def start_application_mode(self) -> None:
        """Begin, or begin again."""
        assert self._file is not None
        self.writer = Writer(self._file)
        self.writer.start()
        self._keyboard = Keyboard(self.fileno, self.process_message, self._debug)
        super().start_application_mode()  # type: ignore[no-untyped-call]

    def _run_input_thread(self) -> None:
        """Let another thread read: Python waits at its end for the one that Textual has started.

        A signal may end ktui at any moment, so that nobody tells the keyboard to end.
        """
        self._reader = threading.Thread(target=super()._run_input_thread, daemon=True, name="keyboard")
        self._reader.start()

    def run_input_thread(self) -> None:
        """Read what is typed."""
        self._keyboard.run()

    def disable_input(self) -> None:
        """Read no more."""
        self._keyboard.end()
        super().disable_input()

    def stop_application_mode(self) -> None:
        """Leave the terminal with the pen that it had."""
        self.write("\x1b[m")
        super().stop_application_mode()

    def close(self) -> None:
        """Wait until everything has been written."""
        self.writer.stop()
        super().close()
