"""What is printed: one line a measurement, with what it is compared to and what is wanted."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A measurement.

    Attributes:
        what: was measured.
        value: the result, in `unit`.
        unit: ms, MB, B, % ...
        reference: what it is compared to, measured in the same run; None without.
        beside: what the reference is.
        goal: what the value may be at most; with a reference, what the ratio may be; None when it is only told.
    """

    what: str
    value: float
    unit: str
    reference: float | None = None
    beside: str = ""
    goal: float | None = None

    @property
    def ratio(self) -> float | None:
        """Of the value to the reference."""
        return self.value / self.reference if self.reference else None

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without one."""
        if self.goal is None:
            return None
        return (self.value if self.ratio is None else self.ratio) <= self.goal


HEADINGS = ("measurement", "ktui", "reference", "ratio", "goal", "")


def table(figures: Iterable[Figure]) -> str:
    """The figures as a Markdown table, which is readable on a terminal as well."""
    cells = [HEADINGS, *(_cells(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEADINGS))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _cells(figure: Figure) -> Sequence[str]:
    number = _number(figure.value, figure.unit)
    beside = "" if figure.reference is None else f"{_number(figure.reference, figure.unit)}, {figure.beside}"
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    goal = ""
    if figure.goal is not None:
        goal = f"≤ {figure.goal:g}" if figure.ratio is not None else f"≤ {_number(figure.goal, figure.unit)}"
    return (figure.what, number, beside, ratio, goal, {True: "met", False: "missed", None: ""}[figure.met])


def _number(value: float, unit: str) -> str:
    return f"{value:,.0f} {unit}" if value >= 100 or unit == "B" else f"{value:.2g} {unit}"


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all do not exceed, such as 0.95 of them."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def middle(values: Iterable[float]) -> float:
    """The median."""
    return statistics.median(values)
