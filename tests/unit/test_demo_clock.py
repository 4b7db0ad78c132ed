"""The embedded cluster's clocks."""

from __future__ import annotations

import asyncio

import pytest

from ktui.demo.clock import RealClock, RewoundClock, SteppedClock, epoch_of, rfc3339, rfc3339_micro


def test_callbacks_run_at_their_times_in_order() -> None:
    """Advancing runs what is due, in the order of the times, and shows each callback its own time."""
    clock = SteppedClock(100.0)
    seen: list[tuple[str, float]] = []
    clock.call_at(130, lambda: seen.append(("late", clock.now())))
    clock.call_at(110, lambda: seen.append(("early", clock.now())))
    clock.call_at(200, lambda: seen.append(("never", clock.now())))
    clock.advance(50)
    assert seen == [("early", 110), ("late", 130)]
    assert clock.now() == 150


def test_what_a_callback_schedules_runs_in_the_same_advance() -> None:
    """Chains of callbacks run as far as the time reaches."""
    clock = SteppedClock(0.0)
    seen: list[float] = []

    def again() -> None:
        seen.append(clock.now())
        clock.call_at(clock.now() + 10, again)

    clock.call_at(0, again)
    assert seen == []
    clock.advance(35)
    assert seen == [0, 10, 20, 30]


def test_cancelled_callbacks_do_not_run() -> None:
    """A cancelled timer is silent."""
    clock = SteppedClock(0.0)
    seen: list[int] = []
    clock.call_at(1, lambda: seen.append(1)).cancel()
    clock.advance(5)
    assert seen == []


def test_skipping_runs_what_was_due_once() -> None:
    """A callback that repeats itself runs once when its times are left out."""
    clock = SteppedClock(0.0)
    seen: list[float] = []

    def again() -> None:
        seen.append(clock.now())
        clock.call_at(clock.now() + 10, again)

    clock.call_at(10, again)
    clock.skip(95)
    assert seen == [95]


def test_a_rewound_clock_hands_over_what_is_still_due() -> None:
    """After it has caught up, callbacks from the past run on the present clock."""
    present = SteppedClock(1000.0)
    clock = RewoundClock(present, 500)
    seen: list[float] = []
    assert clock.now() == 500
    clock.call_at(1010, lambda: seen.append(clock.now()))
    clock.advance(500)
    clock.catch_up()
    present.advance(20)
    assert seen == [1010]
    assert clock.now() == 1020


async def test_a_fast_clock_waits_less() -> None:
    """At speed 100, ten seconds pass in a tenth of one."""
    clock = RealClock(speed=100.0, start=0.0)
    done = asyncio.Event()
    clock.call_at(10.0, done.set)
    await asyncio.wait_for(done.wait(), 3)
    assert clock.now() >= 10.0


def test_speed_must_be_positive() -> None:
    """A clock that stands still or runs backwards is refused."""
    with pytest.raises(ValueError, match="speed"):
        RealClock(speed=0)


def test_timestamps_are_those_of_kubernetes() -> None:
    """Times are written to the second in UTC, micro times to the microsecond, and both are read back."""
    assert rfc3339(1_767_323_045.9) == "2026-01-02T03:04:05Z"
    assert rfc3339_micro(1_767_323_045.25) == "2026-01-02T03:04:05.250000Z"
    assert epoch_of("2026-01-02T03:04:05Z") == 1_767_323_045.0
    assert epoch_of("2026-01-02T03:04:05.250000Z") == 1_767_323_045.25
