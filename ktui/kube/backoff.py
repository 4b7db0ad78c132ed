"""Backoff: how long to wait before trying again, as client-go's reflectors do."""

from __future__ import annotations

import random

FIRST, LARGEST, FACTOR, HEALTHY = 0.8, 30.0, 2.0, 120.0


class Backoff:
    """Delays that double from 0.8 s to 30 s, each lengthened by up to its own half, reset after two healthy minutes.

    client-go (tools/cache/reflector.go) lengthens by up to the whole delay; half keeps a person from waiting a minute.

    Args:
        rng: where the jitter comes from.
    """

    def __init__(self, rng: random.Random | None = None) -> None:
        self._rng = rng or random.Random()
        self._delay = FIRST
        self._last = 0.0

    def next(self, now: float, retry_after: float | None = None) -> float:
        """Seconds to wait after a failure at `now`.

        Args:
            now: seconds of a monotonic clock.
            retry_after: what the server asked for in its Retry-After header; never waited less.
        """
        if now - self._last > HEALTHY + self._delay:
            self._delay = FIRST
        delay = self._delay * (1 + self._rng.random() / 2)
        self._last = now
        self._delay = min(self._delay * FACTOR, LARGEST)
        return max(delay, retry_after or 0.0)

    def reset(self) -> None:
        """Start again from the shortest delay: something worked."""
        self._delay = FIRST
