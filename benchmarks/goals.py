"""The goals: what a measure may be at most, for so many pods, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping

_AT_MOST: Mapping[int, Mapping[str, float]] = {
    10_000: {
        "row": 600,
        "complete": 750,
        "memory": 120,
        "cursor p50": 8,
        "cursor p95": 16,
        "cursor bytes": 400,
        "page": 15,
        "filter": 20,
        "clear": 20,
        "change": 40,
        "idle cpu": 0.3,
        "busy cpu": 15,
    },
    50_000: {
        "row": 600,
        "complete": 1_000,
        "memory": 180,
        "filter": 40,
        "change": 60,
        "busy cpu": 20,
        "line complete": 10,
    },
    150_000: {"complete": 3_000, "memory": 400, "filter": 120},
}
"""By pods, in the units of `figures.MEASURES`."""

_TYPED = {"typed p95": 30, "typed long p95": 30}
"""The same, whatever is on the cluster."""

_RATIOS = {"frame": ("bare Textual app", 1.3)}
"""What may be added to a reference."""

_NEAR = 1.2
"""A cluster with a fifth more pods counts as one of that size."""

_ANSWERED = frozenset({"row", "complete"})
"""What the API server decides as much as ktui does: no goal where it is a Python program on the same machine."""


class Goals:
    """What is wanted of ktui on a cluster.

    Args:
        pods: how many it has.
        embedded: whether it is the embedded one.
    """

    def __init__(self, pods: int, *, embedded: bool) -> None:
        size = next((size for size in _AT_MOST if pods <= _NEAR * size), max(_AT_MOST))
        self._most = _TYPED | {
            name: most for name, most in _AT_MOST[size].items() if not (embedded and name in _ANSWERED)
        }

    def most(self, measure: str) -> float | None:
        """What a measure may be at most, in its unit; None without such a goal."""
        return self._most.get(measure)

    def ratio(self, measure: str) -> tuple[str, float]:
        """The reference of a measure, and how many times it the measure may be at most; 0 without such a goal."""
        return _RATIOS.get(measure, ("", 0.0))
