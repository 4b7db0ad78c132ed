"""Backoff: how long is waited before trying again."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from ktui.kube.backoff import FIRST, HEALTHY, LARGEST, Backoff


@given(st.integers(0, 2**32), st.integers(1, 20))
def test_delays_double_up_to_the_largest(seed: int, failures: int) -> None:
    """Each delay lies between its step and half as much again; the steps double until 30 s."""
    backoff, now = Backoff(random.Random(seed)), 0.0
    for failure in range(failures):
        step = min(FIRST * 2**failure, LARGEST)
        delay = backoff.next(now)
        assert step <= delay <= step * 1.5
        now += delay


def test_what_the_server_asks_for_is_the_least() -> None:
    """A Retry-After is never undercut, and does not shorten a longer delay."""
    assert Backoff().next(0.0, retry_after=7) == 7
    assert Backoff().next(0.0, retry_after=0.1) >= FIRST


def test_a_healthy_while_forgets_failures() -> None:
    """After two minutes without failure the delays begin anew."""
    backoff = Backoff()
    for _ in range(9):
        backoff.next(1000.0)
    assert backoff.next(1000.0) >= LARGEST
    assert backoff.next(1000.0 + HEALTHY + LARGEST + 1) < 2 * FIRST


def test_reset_forgets_failures() -> None:
    """Something worked: the next delay is the shortest again."""
    backoff = Backoff()
    for _ in range(9):
        backoff.next(1000.0)
    backoff.reset()
    assert backoff.next(1000.0) < 2 * FIRST
