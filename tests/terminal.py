"""The real program on a pseudo-terminal: what a person would see, and when, and what it costs.

A `PseudoTerminal` runs a command as a shell would, shows what it writes (pyte), answers what it asks its terminal, and
notes when bytes arrived. Putting them on the screen takes this emulator a while, and may be done later: `settle`, then
`wait` for what was to be seen tells exactly when it came, and takes no CPU from the program meanwhile.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import termios
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Self

import psutil
import pyte

KEYS = {
    "enter": "\r",
    "escape": "\x1b",
    "tab": "\t",
    "shift+tab": "\x1b[Z",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    "ctrl+c": "\x03",
}
"""What keys send that are not a character of their own."""

_ESCAPE = re.compile(rb"\x1b\[([<=>?]?)([0-9;]*)([$ ]?)([A-Za-z])")
_UNFINISHED = re.compile(rb"\x1b(\[[<=>?0-9;$ ]*)?$")


class PseudoTerminal:
    """A command on a terminal of its own; a context manager that ends it.

    Args:
        command: the program's path, and its arguments.
        size: columns and lines.
        environ: what is set besides this process's environment.
        speed: bytes a second that it takes at most, as over a slow line; None for any.

    Attributes:
        started: when the program was started, in seconds of `time.perf_counter`, as all times here.
        received: how many bytes have come.
        modes: the private modes that the program has set and not reset; 1049 is the alternate screen.
        process: the program.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        size: tuple[int, int] = (160, 45),
        environ: Mapping[str, str] | None = None,
        speed: float | None = None,
    ) -> None:
        self._speed, self._busy_until = speed, 0.0
        self.screen = pyte.Screen(*size)
        self.received = 0
        self.modes: set[int] = set()
        self._painter = pyte.ByteStream(self.screen)
        self._unfinished = b""
        self._unpainted: deque[tuple[float, bytes]] = deque()
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self.settings = termios.tcgetattr(theirs)
        # Whoever leads a session and opens a terminal owns it. Forking by hand would do, but not beside threads.
        opened = [(os.POSIX_SPAWN_OPEN, 0, os.ttyname(theirs), os.O_RDWR, 0)]
        shared = [(os.POSIX_SPAWN_DUP2, 0, 1), (os.POSIX_SPAWN_DUP2, 0, 2)]
        # A program believes these rather than its terminal.
        inherited = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        terminal = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
        self.started = time.perf_counter()
        pid = os.posix_spawn(
            command[0],
            list(command),
            {**inherited, **terminal, **(environ or {})},
            file_actions=[*opened, *shared],
            setsid=True,
        )
        os.close(theirs)
        self.process = psutil.Process(pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for end in (self.process.terminate, self.process.kill):
            with contextlib.suppress(psutil.NoSuchProcess):
                end()
            if self.ended(2.0) is not None:
                break
        self.hang_up()

    # -- input -------------------------------------------------------------------------------

    def press(self, *keys: str) -> float:
        """Press keys, named as Textual names them; returns when."""
        now = time.perf_counter()
        os.write(self._ours, "".join(KEYS.get(key, key) for key in keys).encode())
        return now

    def hang_up(self) -> None:
        """Close the terminal, as when a window is closed or a line breaks; the program gets SIGHUP."""
        if self._ours >= 0:
            os.close(self._ours)
            self._ours = -1

    # -- output ------------------------------------------------------------------------------

    def receive(self, timeout: float) -> bool:
        """Take what has come, and answer what is asked in it; `paint` puts it on the screen.

        Args:
            timeout: seconds to wait for it at most.

        Returns:
            Whether anything came.
        """
        if (wait := self._busy_until - time.perf_counter()) > 0:
            time.sleep(max(0.0, min(wait, timeout)))
            timeout -= wait
            if timeout < 0:
                return False
        if self._ours < 0 or not select.select([self._ours], [], [], max(0.0, timeout))[0]:
            return False
        try:
            came = os.read(self._ours, 1 << 16 if self._speed is None else max(1, int(self._speed / 100)))
        except OSError:
            # EIO: nobody holds the other end any more.
            return False
        now = time.perf_counter()
        if self._speed is not None:
            self._busy_until = max(now, self._busy_until) + len(came) / self._speed
        self.received += len(came)
        came = self._unfinished + came
        cut = _UNFINISHED.search(came)
        self._unfinished = came[cut.start() :] if cut else b""
        self._unpainted.append((now, _ESCAPE.sub(self._obey, came[: cut.start()] if cut else came)))
        return True

    def paint(self) -> float | None:
        """Put on the screen what came first of what is not on it yet; returns when it came, None when all is there."""
        if not self._unpainted:
            return None
        arrived, came = self._unpainted.popleft()
        self._painter.feed(came)
        return arrived

    def _obey(self, escape: re.Match[bytes]) -> bytes:
        """Answer what a terminal is asked; returns what pyte is to see of an escape sequence."""
        private, numbers, _, final = escape.groups()
        if final in (b"h", b"l") and private == b"?":
            change = self.modes.update if final == b"h" else self.modes.difference_update
            change(int(number) for number in numbers.split(b";") if number)
        elif final == b"c":
            os.write(self._ours, b"\x1b[?62;22c")
        elif final == b"n" and numbers == b"6":
            os.write(self._ours, b"\x1b[%d;%dR" % (self.screen.cursor.y + 1, self.screen.cursor.x + 1))
        elif final == b"p" and private == b"?":
            # A terminal that paints whole frames at once (2026), and knows no other mode that is asked for.
            os.write(self._ours, b"\x1b[?%s;%d$y" % (numbers, 2 if numbers == b"2026" else 0))
        elif not private and final != b"p":
            return escape.group()
        # pyte would take private sequences for others, and write them on the screen.
        return b""

    @property
    def lines(self) -> list[str]:
        """What stands on the screen."""
        return list(self.screen.display)

    @property
    def text(self) -> str:
        """What stands on the screen, as one text."""
        return "\n".join(self.screen.display)

    def cell(self, column: int, line: int) -> pyte.screens.Char:
        """A character on the screen, and how it is drawn: `data`, `fg`, `bg`, `bold`."""
        return self.screen.buffer[line][column]

    def wait(self, shows: str | Callable[[], bool], timeout: float = 20.0) -> float:
        """Wait until the screen shows something.

        Args:
            shows: a text, or what tells.
            timeout: seconds.

        Returns:
            When the bytes came that made it so; now, when they were there before.

        Raises:
            TimeoutError: they never came; with the screen in it.
        """
        shown: Callable[[], bool] = (lambda: shows in self.text) if isinstance(shows, str) else shows
        arrived = time.perf_counter()
        deadline = arrived + timeout
        if shown():
            return arrived
        while (left := deadline - time.perf_counter()) > 0:
            while (painted := self.paint()) is not None:
                if shown():
                    return painted
            if not self.receive(left) and self.ended(0.0) is not None:
                break
            while self.receive(0.0):
                pass
        raise TimeoutError(f"{shows!r} did not appear within {timeout:g} s; the screen:\n{self.text}")

    def receive_for(self, seconds: float) -> int:
        """Take what comes for some seconds; returns how many bytes came."""
        before, deadline = self.received, time.perf_counter() + seconds
        while (left := deadline - time.perf_counter()) > 0:
            if not self.receive(left) and self.ended(0.0) is not None:
                break
        return self.received - before

    def settle(self, quiet: float = 0.3, timeout: float = 10.0) -> None:
        """Take what comes until nothing has come for a while; `wait` then tells when it came.

        Args:
            quiet: seconds without a byte.
            timeout: seconds after which it is settled enough.
        """
        deadline = time.perf_counter() + timeout
        while time.perf_counter() < deadline and self.receive(quiet):
            pass

    def show(self) -> None:
        """Put everything on the screen that has come."""
        while self.paint() is not None:
            pass

    # -- the process -------------------------------------------------------------------------

    def ended(self, timeout: float) -> int | None:
        """Read on until the program ends; its exit code, or None when it runs on.

        Args:
            timeout: seconds to wait.
        """
        deadline = time.perf_counter() + timeout
        while True:
            # A program that nobody reads blocks in its last words.
            self.receive(0.0)
            try:
                code: int | None = self.process.wait(min(0.02, timeout))
            except psutil.TimeoutExpired:
                if time.perf_counter() >= deadline:
                    return None
            else:
                while self.receive(0.0):
                    pass
                return code if code is not None else 0

    def restored(self) -> bool:
        """Whether the terminal is as it was before: its settings, the main screen, the cursor, no mouse reports."""
        return termios.tcgetattr(self._ours) == self.settings and self.modes <= {7, 25}

    def processes(self) -> list[psutil.Process]:
        """The program and its descendants."""
        try:
            return [self.process, *self.process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def cpu(self) -> float:
        """Seconds of CPU that the program and its living descendants have used."""
        seconds = 0.0
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                seconds += times.user + times.system
        return seconds

    def memory(self) -> int:
        """Bytes of memory that the program and its living descendants hold (RSS)."""
        size = 0
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                size += process.memory_info().rss
        return size
