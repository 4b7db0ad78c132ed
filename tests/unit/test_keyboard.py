"""Keyboard: keys are told as they come, and reading keeps nobody from leaving."""

from __future__ import annotations

import os
import queue
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
from textual.events import Key
from textual.message import Message

from ktui.terminal.keyboard import Keyboard


class Typing:
    """A keyboard, and who types on it."""

    def __init__(self) -> None:
        self._reads, self._types = os.pipe()
        self._told: queue.Queue[Message] = queue.Queue()
        self._keyboard = Keyboard(self._reads, self._told.put, debug=False)
        self.thread = threading.Thread(target=self._keyboard.run, daemon=True)
        self.thread.start()

    def type(self, text: str) -> None:
        """Send what a terminal sends."""
        os.write(self._types, text.encode())

    def type_bytes(self, some: bytes) -> None:
        """Send a part of what a terminal sends."""
        os.write(self._types, some)

    def taken(self) -> None:
        """Wait until all that was typed has been read."""
        deadline = time.monotonic() + 10
        while select.select([self._reads], [], [], 0)[0]:
            assert time.monotonic() < deadline

    def key(self) -> str:
        """The next key that is told."""
        return self.event().key

    def event(self) -> Key:
        """The same, with all that is told of it."""
        while True:
            message = self._told.get(timeout=10)
            if isinstance(message, Key):
                return message

    def leave(self) -> None:
        """Close the terminal."""
        os.close(self._types)

    def end(self) -> None:
        """Tell the keyboard to end."""
        self._keyboard.end()


@pytest.fixture
def typing() -> Iterator[Typing]:
    made = Typing()
    yield made
    made.end()
    made.thread.join(10)
    assert not made.thread.is_alive()


def test_keys_are_told_in_their_order(typing: Typing) -> None:
    """Letters, keys of several characters, and those beyond ASCII."""
    typing.type("j\x1b[Bü")
    assert [typing.key() for _ in range(3)] == ["j", "down", "ü"]


def test_a_key_may_come_in_pieces(typing: Typing) -> None:
    """A character is whole when its last byte has come."""
    typing.type("j")
    assert typing.key() == "j"
    first, second = (bytes([byte]) for byte in "ü".encode())
    typing.type_bytes(first)
    typing.taken()
    typing.type_bytes(second)
    assert typing.key() == "ü"


def test_esc_is_told_when_nothing_follows(typing: Typing) -> None:
    """Nobody has to press another key for it."""
    typing.type("\x1b")
    assert typing.key() == "escape"
    typing.type("\x1b")
    assert typing.key() == "escape"


def test_a_letter_with_alt_is_no_letter(typing: Typing) -> None:
    """Or texts would have it typed into them."""
    typing.type("\x1ba")
    event = typing.event()
    assert (event.key, event.is_printable) == ("alt+a", False)
    typing.type("a")
    assert typing.event().is_printable


def test_it_ends_although_the_terminal_is_gone(typing: Typing) -> None:
    """What a closed terminal would type is not waited for."""
    typing.type("q")
    assert typing.key() == "q"
    typing.leave()


def test_python_ends_although_nobody_ends_the_keyboard() -> None:
    """A signal may end ktui before it takes its leave; what reads then keeps the process from nothing."""
    script = (
        "import threading\n"
        "from ktui.terminal.writer import TerminalDriver\n"
        "driver = TerminalDriver.__new__(TerminalDriver)\n"
        "driver.run_input_thread = threading.Event().wait\n"
        "threading.Thread(target=driver._run_input_thread).start()\n"
    )
    assert subprocess.run([sys.executable, "-c", script], timeout=30, check=False).returncode == 0
