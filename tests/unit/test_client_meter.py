"""The meter says what is going on now, and what has been so far."""

from __future__ import annotations

import random
from contextlib import suppress

from ktui.kube.meter import WINDOW, Meter
from ktui.widgets.header import Gauge


def test_rates_are_of_the_last_seconds() -> None:
    """What happened within the window counts, what is older does not; totals remain."""
    now = 100.0
    meter = Meter(lambda: now)
    for now in (100.0, 100.5, 105.0):  # noqa: B007 - the meter reads it
        meter.sent()
        meter.received(1000)
    assert meter.rate() == (3 / WINDOW, 3000 / WINDOW)
    now = 100.0 + WINDOW
    assert meter.rate() == (1 / WINDOW, 1000 / WINDOW)
    now = 1000.0
    assert meter.rate() == (0, 0)
    assert (meter.requests, meter.bytes_in) == (3, 3000)


def test_memory_is_bounded() -> None:
    """A meter that runs for days keeps no more than its window."""
    now = 0.0
    meter = Meter(lambda: now)
    for second in range(10_000):
        now = float(second)
        meter.received(1)
    assert len(meter._seconds) <= WINDOW + 1


def test_streams_are_counted_while_open() -> None:
    """A stream that ends in an error is closed, too."""
    meter = Meter()
    with meter.open_stream(), suppress(ValueError), meter.open_stream():
        assert meter.open_streams == 2
        raise ValueError
    assert meter.open_streams == 0


def test_what_is_asked_again_and_again_makes_a_steady_rate() -> None:
    """Metrics every quarter of a minute, now and then a little late: for nine minutes the words change once at most."""
    now, chance = 0.0, random.Random(1)
    meter, requests, received = Meter(lambda: now), Gauge(), Gauge()
    shown: list[tuple[float, float]] = []
    for second in range(600):
        if second % 15 == 0:
            now = second + chance.choice([0.0, 0.4, 1.2])
            meter.sent()
            meter.received(chance.randrange(90_000, 110_000))
        now = max(now, float(second))
        rate = meter.rate()
        words = requests.show(rate.requests), received.show(rate.bytes)
        if second > WINDOW and words not in shown[-1:]:
            shown.append(words)
    assert len(shown) <= 2


def test_a_gauge_follows_what_changes_much() -> None:
    """A number that is off by more than half is replaced, and nothing is shown as nothing."""
    gauge = Gauge()
    assert [gauge.show(value) for value in (0.0, 4.0, 5.9, 6.1, 3.2, 3.0, 0.1, 0.0)] == [0, 4, 4, 6.1, 6.1, 3, 0.1, 0]
