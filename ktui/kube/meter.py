"""How much ktui asks of a cluster: what the header shows as requests and bytes a second."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

WINDOW = 60
"""Seconds over which rates are taken: what is asked every quarter of a minute makes a steady rate."""


class Rate(NamedTuple):
    """Requests and bytes a second."""

    requests: float
    bytes: float


class Meter:
    """Counts requests, bytes, changes and open streams.

    Args:
        now: seconds, monotonic.

    Attributes:
        requests: requests sent since the beginning.
        bytes_in: bytes of bodies received, as they came over the wire.
        changes: events that watches reported.
        open_streams: watches and followed logs that are open now.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.requests = 0
        self.bytes_in = 0
        self.changes = 0
        self.open_streams = 0
        self._now = now
        # One [second, requests, bytes] for each second in which something happened.
        self._seconds: deque[list[int]] = deque(maxlen=WINDOW + 1)

    def sent(self) -> None:
        """Count a request."""
        self.requests += 1
        self._current()[1] += 1

    def received(self, size: int) -> None:
        """Count `size` bytes of a body."""
        self.bytes_in += size
        self._current()[2] += size

    @contextmanager
    def open_stream(self) -> Iterator[None]:
        """Count a stream while it is open."""
        self.open_streams += 1
        try:
            yield
        finally:
            self.open_streams -= 1

    def rate(self) -> Rate:
        """The rates over the last `WINDOW` seconds."""
        oldest = int(self._now()) - WINDOW
        recent = [second for second in self._seconds if second[0] > oldest]
        return Rate(sum(second[1] for second in recent) / WINDOW, sum(second[2] for second in recent) / WINDOW)

    def _current(self) -> list[int]:
        second = int(self._now())
        if not self._seconds or self._seconds[-1][0] != second:
            self._seconds.append([second, 0, 0])
        return self._seconds[-1]
