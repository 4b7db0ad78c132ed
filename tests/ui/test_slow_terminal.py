"""Slow terminals: keys are answered, frames are left out, and nobody waits for what is written."""

from __future__ import annotations

import asyncio
import fcntl
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.drivers.headless_driver import HeadlessDriver

from ktui.terminal import flow
from ktui.terminal.writer import PacedDriver, Writer
from tests.terminal import PseudoTerminal
from tests.ui.table_app import TableApp
from tests.unit.table_rows import boat, store_of

SLOW = 30_000
"""Bytes a second: a bad line."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="makes a pipe that holds as little as a terminal")

SIZE = (200, 50)
CHANGES = 50
"""Rows that change in a second."""

LONGEST_STALL = 0.050
"""Seconds for which nothing may keep the event loop."""

SOON = 1.0
"""Seconds within which a key is answered, whatever was asked for before. A whole screen alone takes half of that."""

TRIES = 5


class SlowTerminal(PacedDriver, HeadlessDriver):
    """A terminal behind a pipe that holds little and is read slowly: who writes more, waits.

    Attributes:
        stalls: for how long each of them kept the event loop, in seconds.
        received: how many bytes have arrived.
    """

    is_headless = False

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.received = 0
        self.stalls: list[float] = []

    def start_application_mode(self) -> None:
        """Begin to read."""
        reads, writes = os.pipe()
        fcntl.fcntl(writes, fcntl.F_SETPIPE_SZ, 4096)
        self._pipe = os.fdopen(writes, "w")
        self._reader = threading.Thread(target=self._read, args=(reads,))
        self._reader.start()
        self.writer = Writer(self._pipe)
        self.writer.start()
        super().start_application_mode()

    @property
    def frames(self) -> int:
        """How many texts it was given."""
        return len(self.stalls)

    def write(self, data: str) -> None:
        """See how long that takes."""
        began = time.monotonic()
        super().write(data)
        self.stalls.append(time.monotonic() - began)

    def _read(self, end: int) -> None:
        due = time.monotonic()
        while came := os.read(end, SLOW // 100):
            self.received += len(came)
            due = max(time.monotonic(), due) + len(came) / SLOW
            time.sleep(max(0.0, due - time.monotonic()))
        os.close(end)

    def close(self) -> None:
        """Wait until everything has arrived."""
        self.writer.stop()
        self._pipe.close()
        self._reader.join()
        super().close()


async def busy(seconds: float) -> SlowTerminal:
    """Hold a key down while rows change, on a slow terminal; returns that."""
    chance = random.Random(1)
    # No two rows are alike, so that a page is some kilobytes.
    names = sorted(f"{chance.getrandbits(128):032x}" for _ in range(2_000))
    store = store_of(*(boat(name, node=name[::-1], image=name[::2]) for name in names))
    app = TableApp(store)
    app.driver_class = SlowTerminal
    async with app.run_test(headless=False, size=SIZE) as pilot:
        await pilot.pause()
        terminal = app._driver
        assert isinstance(terminal, SlowTerminal)
        for number in range(int(seconds * CHANGES)):
            name = names[min(app.table.model.cursor_index + number % 40, len(names) - 1)]
            store.put([boat(name, node=name[::-1], image=name[::2], restarts=number)])
            app.table.action_page(1 if number % 60 < 30 else -1)
            await asyncio.sleep(1 / CHANGES)
    return terminal


async def test_a_slow_terminal_keeps_nobody_waiting() -> None:
    """Of pages that a terminal of 30 KB/s cannot take, asked for 50 times a second, none keeps the loop for 50 ms.

    Writing is what may wait for a terminal. Somebody else may have the processor just then, so there are several tries.
    """
    longest: list[float] = []
    while len(longest) < TRIES and (not longest or longest[-1] > LONGEST_STALL):
        longest.append(max((await busy(1.5)).stalls))
    assert longest[-1] <= LONGEST_STALL, longest


async def test_a_slow_terminal_skips_frames() -> None:
    """What is written is what the terminal takes, and a frame or two; the rest is never made."""
    terminal = await busy(1.5)
    assert terminal.frames < 1.5 * CHANGES / 2
    # Closing waits until all has arrived; what was queued behind a slow terminal would show here.
    assert terminal.received < SLOW * 2.5


# -- the real program ------------------------------------------------------------------------


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Iterator[Path]:
    """A cluster of its own process, in which pods change all the time."""
    path = tmp_path / "kubeconfig"
    with (
        _process("benchmarks.embedded", str(path), "1000", "10", says=b"listening\n"),
        _process("benchmarks.writer", str(path), str(CHANGES), says=b"begun\n"),
    ):
        yield path


@contextmanager
def _process(module: str, *arguments: str, says: bytes) -> Iterator[None]:
    """A process that says when it is ready, and ends when its input does."""
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == says
        yield
        process.stdin.close()
        process.stdout.read()


def test_keys_are_answered_over_a_slow_line(kubeconfig: Path, tmp_path: Path) -> None:
    """After a key was held down, another one is answered as soon as the line has carried what is on its way."""
    environ = {name: str(tmp_path) for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    command = [sys.executable, "-m", "ktui", "--kubeconfig", str(kubeconfig)]
    with PseudoTerminal(command, size=SIZE, environ=environ, speed=SLOW) as terminal:
        terminal.wait(lambda: "1,0" in terminal.text and terminal.text.count("● live") == 5, 60.0)
        terminal.press("4")
        taken: list[float] = []
        while len(taken) < TRIES and (not taken or taken[-1] > SOON):
            for _ in range(30):
                terminal.press("pagedown")
                terminal.receive_for(1 / 30)
            pressed = terminal.press("/")
            # Drawing what has come takes its time, and is done when all is there.
            terminal.receive_for(2 * SOON)
            taken.append(terminal.wait("text to look for") - pressed)
            terminal.press("escape")
            terminal.wait(lambda: "text to look for" not in terminal.text)
        assert taken[-1] <= SOON, taken
        terminal.press("q")
        assert terminal.ended(10.0) == 0


# -- what is on its way ----------------------------------------------------------------------


def test_flow_is_full_until_the_terminal_answers() -> None:
    """Enough unanswered bytes stop it, an answer lets it go on, and a terminal that never answers is not waited for."""
    line = flow.Flow()
    assert not line.send(flow.ASK_EVERY - 1)
    assert line.send(1)
    assert not line.full
    line.answered()
    assert line.send(flow.IN_FLIGHT + 1)
    assert line.full
    line.answered()
    assert not line.full
    line.answered()
    assert line.send(2 * flow.IN_FLIGHT)
    line.unanswered()
    assert not line.full
    assert not line.send(2 * flow.IN_FLIGHT)
    assert not line.full
