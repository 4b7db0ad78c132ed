"""Time for the embedded cluster: real (perhaps faster) for people, stepped for tests."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

STEPPED_EPOCH = 1_767_323_045.0  # 2026-01-02T03:04:05Z


class Timer(Protocol):
    """A callback that is due later."""

    def cancel(self) -> None:
        """Forgets the callback; harmless when it already ran."""


class Clock(Protocol):
    """What the storage and the controllers know about time."""

    def now(self) -> float:
        """Returns the time in seconds since the epoch."""

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Runs a callback once `now()` is at least `when`, never before this call has returned."""


class RealClock:
    """Follows the event loop's clock, `speed` times as fast.

    Args:
        speed: Simulated seconds per real second.
        start: The time it begins at, in seconds since the epoch; the present when None.
    """

    def __init__(self, speed: float = 1.0, start: float | None = None) -> None:
        if speed <= 0:
            raise ValueError("speed must be greater than 0")
        self._speed = speed
        self._start = time.time() if start is None else start
        self._origin = time.monotonic()

    def now(self) -> float:
        return self._start + (time.monotonic() - self._origin) * self._speed

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        delay = max(0.0, (when - self.now()) / self._speed)
        loop = asyncio.get_running_loop()
        # Rounded up to the next 10 ms so that many small timers share one wake-up of the loop.
        return loop.call_at(-(-(loop.time() + delay) // 0.01) * 0.01, callback) if delay else loop.call_soon(callback)


class _SteppedTimer:
    __slots__ = ("callback",)

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class SteppedClock:
    """Stands still until told to advance; callbacks run in the order of their times, then of their calls.

    Args:
        start: The time it begins at, in seconds since the epoch.
    """

    def __init__(self, start: float = STEPPED_EPOCH) -> None:
        self._now = start
        self._due: list[tuple[float, int, _SteppedTimer]] = []
        self._calls = 0

    def now(self) -> float:
        return self._now

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        timer = _SteppedTimer(callback)
        self._calls += 1
        heapq.heappush(self._due, (max(when, self._now), self._calls, timer))
        return timer

    def skip(self, seconds: float) -> None:
        """Moves the time forward at once, then runs what was due on the way."""
        self._now += seconds
        self.advance()

    def pending(self) -> list[tuple[float, Callable[[], None]]]:
        """Returns the callbacks that are still due, with their times, in order."""
        return [
            (when, timer.callback)
            for when, _, timer in sorted(self._due, key=lambda due: due[:2])
            if timer.callback is not None
        ]

    def advance(self, seconds: float = 0.0) -> None:
        """Moves the time forward and runs everything that falls due on the way, also what that schedules.

        Args:
            seconds: How far; 0 runs what is due now.
        """
        target = self._now + seconds
        while self._due and self._due[0][0] <= target:
            when, _, timer = heapq.heappop(self._due)
            self._now = max(self._now, when)
            if timer.callback is not None:
                timer.callback()
        self._now = target


class RewoundClock:
    """Starts in the past, where it is stepped by hand, and once it has caught up follows another clock.

    So a cluster can be given a history by the same controllers that run it later.

    Args:
        present: The clock to follow in the end.
        seconds: How far back to start.

    Attributes:
        present: Where its past ends, in seconds since the epoch.
    """

    def __init__(self, present: Clock, seconds: float) -> None:
        self._present = present
        self.present = present.now()
        self._past: SteppedClock | None = SteppedClock(present.now() - seconds)

    def now(self) -> float:
        return self._present.now() if self._past is None else self._past.now()

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        return (self._present if self._past is None else self._past).call_at(when, callback)

    def advance(self, seconds: float) -> None:
        """Lives through a stretch of the past; everything that falls due on the way happens in its time."""
        if self._past is not None:
            self._past.advance(seconds)

    def skip(self, seconds: float) -> None:
        """Leaves out a stretch of the past: what falls due in it happens once, at its end."""
        if self._past is not None:
            self._past.skip(seconds)

    def catch_up(self) -> None:
        """Leaves the past; what is still due is handed over to the present clock."""
        past, self._past = self._past, None
        for when, callback in past.pending() if past is not None else ():
            self._present.call_at(when, callback)


@lru_cache(maxsize=512)
def _second(epoch: int) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc3339(epoch: float) -> str:
    """Writes a time as Kubernetes' metav1.Time, such as `2026-01-02T03:04:05Z`."""
    return _second(int(epoch // 1))


def rfc3339_micro(epoch: float) -> str:
    """Writes a time as Kubernetes' metav1.MicroTime, such as `2026-01-02T03:04:05.000000Z`."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def epoch_of(timestamp: str) -> float:
    """Reads a metav1.Time or MicroTime.

    Raises:
        ValueError: The text is no RFC 3339 time.
    """
    return datetime.fromisoformat(timestamp).timestamp()
