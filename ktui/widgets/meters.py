"""Meters: what ktui itself costs, counted while somebody looks.

While they are on they stand in for a few methods of Textual and asyncio; when they are off, nothing is in the way.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from textual.app import App
from textual.screen import Screen

WINDOW = 10.0
"""Seconds over which the worst is looked for."""

_MEMORY = Path("/proc/self/statm")


class Durations:
    """How long something takes, again and again.

    Args:
        now: seconds, monotonic.

    Attributes:
        last: the latest duration, in seconds; 0 before the first.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.last = 0.0
        self._now = now
        # Falling durations, each with when it was: nothing older and shorter than another can be the worst again.
        self._falling: deque[tuple[float, float]] = deque()

    def add(self, seconds: float) -> None:
        """Note a duration that ended now."""
        self.last = seconds
        while self._falling and self._falling[-1][1] <= seconds:
            self._falling.pop()
        self._falling.append((self._now(), seconds))

    def worst(self) -> float:
        """The longest one that ended in the last `WINDOW` seconds; 0 when there is none."""
        oldest = self._now() - WINDOW
        while self._falling and self._falling[0][0] < oldest:
            self._falling.popleft()
        return self._falling[0][1] if self._falling else 0.0


class Meters:
    """Frames, the steps of the event loop, and bytes written to the terminal.

    Args:
        app: whose costs are counted, from now until `close`; it is running.

    Attributes:
        frames: how long screens take to paint what changed and to hand it to the terminal.
        steps: how long the event loop is busy before it looks again for keys and answers; the longest is a stall.
        written: bytes written to the terminal.
    """

    def __init__(self, app: App[Any]) -> None:
        self.frames = Durations()
        self.steps = Durations()
        self.written = 0
        self._stand_ins = ExitStack()
        self._count_writes(app._driver)
        # Other event loops than asyncio's own may have no selector; then stalls are not told.
        if (selector := getattr(asyncio.get_running_loop(), "_selector", None)) is not None:
            self._time_steps(selector)

    def close(self) -> None:
        """Count no longer."""
        self._stand_ins.close()

    @contextmanager
    def timing(self, screen: Screen[Any]) -> Iterator[None]:
        """Time the frames of a screen meanwhile."""
        paint = screen._compositor_refresh

        def timed() -> None:
            began = time.perf_counter()
            paint()
            self.frames.add(time.perf_counter() - began)

        with _stand_in(screen, "_compositor_refresh", timed):
            yield

    def _count_writes(self, driver: Any) -> None:
        write: Callable[[str], None] = driver.write

        def counted(text: str) -> None:
            self.written += len(text.encode())
            write(text)

        self._stand_ins.enter_context(_stand_in(driver, "write", counted))

    def _time_steps(self, selector: Any) -> None:
        select = selector.select
        began = time.perf_counter()

        def timed(timeout: float | None = None) -> Any:
            nonlocal began
            self.steps.add(time.perf_counter() - began)
            ready = select(timeout)
            began = time.perf_counter()
            return ready

        self._stand_ins.enter_context(_stand_in(selector, "select", timed))


def memory() -> int | None:
    """Bytes of memory that this process holds (RSS); None where the system does not tell (outside Linux)."""
    try:
        pages = int(_MEMORY.read_text().split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def _stand_in(owner: object, method: str, stand_in: Callable[..., Any]) -> Iterator[None]:
    """Let a function take the place of one object's method."""
    setattr(owner, method, stand_in)
    try:
        yield
    finally:
        delattr(owner, method)
