"""However ktui ends, the terminal is the person's again."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

LEFT = b"\x1b[?1049l"
"""The terminal leaves the alternate screen."""

CRASHING = """
import sys
import ktui.__main__, ktui.cli.explore as explore
explore.prepare_textual({})
from ktui.app import KtuiApp
def fail(self):
    secret = {"token": "canary-7f3a9c"}
    raise KeyError(secret["token"])
KtuiApp.on_mount = fail
sys.exit(ktui.__main__.main(sys.argv[1:]))
"""


class OnTerminal:
    """A program on a pseudo-terminal.

    Attributes:
        raw: all that it has written.
    """

    def __init__(self, command: list[str], folder: Path) -> None:
        self.raw = b""
        self._mine, self._its = pty.openpty()
        self.settings = termios.tcgetattr(self._its)
        environ = {
            "PATH": os.environ["PATH"], "TERM": "xterm-256color", "LANG": "C.UTF-8", "HOME": str(folder),
            "XDG_STATE_HOME": str(folder), "COLUMNS": "80", "LINES": "24",
        }  # fmt: skip
        self.process = subprocess.Popen(
            command, stdin=self._its, stdout=self._its, stderr=self._its, env=environ, start_new_session=True
        )

    def read_until(self, done: Callable[[], bool], seconds: float = 20) -> None:
        """Read what it writes until something holds."""
        deadline = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < deadline, self.raw[-2000:]
            if select.select([self._mine], [], [], 0.05)[0]:
                self.raw += os.read(self._mine, 1 << 16)

    def end(self) -> int:
        """Its exit code, and all that it wrote at its end."""
        self.read_until(lambda: self.process.poll() is not None)
        while select.select([self._mine], [], [], 0)[0]:
            self.raw += os.read(self._mine, 1 << 16)
        return self.process.returncode

    def restored(self) -> bool:
        """Whether the terminal's settings are those from before."""
        return termios.tcgetattr(self._its) == self.settings

    def close(self) -> None:
        """End it, whatever it does."""
        self.process.kill()
        self.process.wait()
        os.close(self._mine)
        os.close(self._its)


@pytest.fixture
def on_terminal(tmp_path: Path) -> Iterator[Callable[..., OnTerminal]]:
    """Starts Python with the given words on a pseudo-terminal."""
    started: list[OnTerminal] = []

    def start(*words: str) -> OnTerminal:
        started.append(OnTerminal([sys.executable, *words], tmp_path))
        return started[-1]

    yield start
    for each in started:
        each.close()


def test_crash_gives_the_terminal_back(on_terminal: Callable[..., OnTerminal], tmp_path: Path) -> None:
    """After a crash in the app there is one line on a terminal in order, a report, and no traceback with variables."""
    ktui = on_terminal("-c", CRASHING)
    assert ktui.end() == 1
    assert ktui.restored()
    *_, after = ktui.raw.split(LEFT)
    line = after[after.index(b"ktui was stopped") :]
    assert b"KeyError" in line
    assert line.count(b"\n") == 1
    (report,) = (tmp_path / "ktui").glob("crash-*.txt")
    assert "in fail" in report.read_text()
    assert b"Traceback" not in ktui.raw
    assert b"canary" not in ktui.raw
    assert "canary" not in report.read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signal_gives_the_terminal_back(on_terminal: Callable[..., OnTerminal], number: signal.Signals) -> None:
    """Ended from outside, ktui leaves the alternate screen, restores the terminal's settings and says nothing."""
    ktui = on_terminal("-m", "ktui", "--kubeconfig", "/dev/null")
    ktui.read_until(lambda: b"Pods" in ktui.raw)
    assert not ktui.restored()
    ktui.process.send_signal(number)
    assert ktui.end() == 128 + number
    assert ktui.restored()
    assert LEFT in ktui.raw
    assert b"Traceback" not in ktui.raw


def test_unknown_theme_is_bad_usage(on_terminal: Callable[..., OnTerminal]) -> None:
    """A theme that does not exist is told with those that do, before anything is drawn."""
    ktui = on_terminal("-m", "ktui", "--theme", "pink")
    assert ktui.end() == 2
    assert b"ktui-dark" in ktui.raw
    assert b"\x1b[?1049h" not in ktui.raw
