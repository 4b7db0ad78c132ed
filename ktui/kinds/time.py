"""Moments and durations as Kubernetes writes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86400, 31536000
_SECONDS = {"s": 1, "m": _MINUTE, "h": _HOUR, "d": _DAY, "y": _YEAR}
_PART = re.compile(r"(\d+)([smhdy])")
_DURATION = re.compile(r"(?:\d+[smhdy]){1,2}", re.ASCII)


def human_duration(seconds: float) -> str:
    """A duration as kubectl prints ages: `45s`, `3m20s`, `2h`, `9d`, `2y30d`.

    Source: HumanDuration in k8s.io/apimachinery/pkg/util/duration.

    Args:
        seconds: the duration; less than two seconds in the future is `0s`, further `<invalid>`.
    """
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    if whole < 0:
        return "0s"
    minutes, hours = whole // _MINUTE, whole // _HOUR
    if whole < 2 * _MINUTE:
        return f"{whole}s"
    if minutes < 10:
        return _two(minutes, "m", whole % _MINUTE, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if hours < 192:
        return _two(hours // 24, "d", hours % 24, "h")
    if hours < 17520:
        return f"{hours // 24}d"
    if hours < 70080:
        return _two(hours // 8760, "y", hours // 24 % 365, "d")
    return f"{hours // 8760}y"


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}{small}{small_unit}" if small else f"{large}{large_unit}"


def seconds_of(text: str) -> int | None:
    """The seconds that `human_duration` prints as `text`, as far as it says; None when it is no duration.

    Args:
        text: `3m20s`, `9d`.
    """
    if not _DURATION.fullmatch(text):
        return None
    return sum(int(number) * _SECONDS[unit] for number, unit in _PART.findall(text))


@lru_cache(maxsize=65536)
def epoch(timestamp: str) -> float | None:
    """Seconds since 1970 of an RFC 3339 timestamp, or None when it is empty or not one.

    Cached, because objects that were made together carry the same second.

    Args:
        timestamp: `2026-01-02T03:04:05Z`, with or without a fraction or an offset.
    """
    try:
        moment = datetime.fromisoformat(timestamp)
    except ValueError:
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
