from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ktui.kinds.time import epoch, human_duration, seconds_of

M, H, D, Y = 60, 3600, 86400, 31536000


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-2, "<invalid>"),
        (-1.9, "0s"),
        (0, "0s"),
        (119.9, "119s"),
        (120, "2m"),
        (200, "3m20s"),
        (10 * M - 1, "9m59s"),
        (10 * M, "10m"),
        (3 * H - 1, "179m"),
        (3 * H, "3h"),
        (3 * H + 59, "3h"),
        (7 * H + 59 * M, "7h59m"),
        (8 * H + 59 * M, "8h"),
        (48 * H - 1, "47h"),
        (2 * D + H, "2d1h"),
        (8 * D + H, "8d"),
        (2 * Y, "2y"),
        (2 * Y + 30 * D, "2y30d"),
        (8 * Y + 30 * D, "8y"),
    ],
)
def test_durations_are_written_as_kubectl_writes_them(seconds: float, text: str) -> None:
    """At each step of precision the text is the one of HumanDuration."""
    assert human_duration(seconds) == text


@settings(deadline=None)
@given(st.integers(0, 50 * Y), st.integers(0, 50 * Y))
def test_a_longer_duration_never_reads_shorter(one: int, other: int) -> None:
    """Reading two durations back keeps their order."""
    short, long = sorted((one, other))
    assert (seconds_of(human_duration(short)) or 0) <= (seconds_of(human_duration(long)) or 0)


@settings(deadline=None)
@given(st.integers(0, 50 * Y))
def test_reading_a_duration_loses_only_what_was_not_written(seconds: int) -> None:
    """A duration that was read back is written the same again."""
    text = human_duration(seconds)
    again = seconds_of(text)
    assert again is not None
    assert human_duration(again) == text


@pytest.mark.parametrize("text", ["", "5", "<unknown>", "<invalid>", "5x", "m", "1h 2m", "²s"])
def test_what_is_no_duration_is_not_read(text: str) -> None:
    """Other cells of a Table are left alone."""
    assert seconds_of(text) is None


@pytest.mark.parametrize(
    ("timestamp", "seconds"),
    [
        ("1970-01-01T00:01:00Z", 60),
        ("1970-01-01T00:01:00.500000Z", 60.5),
        ("1970-01-01T01:00:00+01:00", 0),
        ("", None),
        ("soon", None),
    ],
)
def test_timestamps_are_read_as_rfc_3339(timestamp: str, seconds: float | None) -> None:
    """Fractions and offsets count, anything else is None."""
    assert epoch(timestamp) == seconds
