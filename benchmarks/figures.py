"""What was measured, and the one table that shows it."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from benchmarks.goals import Goals


class Measure(NamedTuple):
    """Something that is measured.

    Attributes:
        label: what the table calls it.
        unit: of its values: ms, s, MB, B, % or nothing.
    """

    label: str
    unit: str


MEASURES = {
    # From the start of the process.
    "frame": Measure("first frame", "ms"),
    "keys": Measure("page takes keys", "ms"),
    "row": Measure("first pod", "ms"),
    "row again": Measure("first pod, on the next start", "ms"),
    "complete": Measure("all pods, live", "ms"),
    "memory": Measure("memory (RSS) then", "MB"),
    "cpu": Measure("CPU until then", "ms"),
    "server cpu": Measure("CPU of the API server until then", "ms"),
    "requests": Measure("requests until then", ""),
    "asked": Measure("received from the API server until then", "MB"),
    "rest bytes": Measure("written to the terminal until at rest", "B"),
    # In use.
    "cursor p50": Measure("key to cursor moved, p50", "ms"),
    "cursor p95": Measure("key to cursor moved, p95", "ms"),
    "cursor bytes": Measure("written for it", "B"),
    "page": Measure("page down", "ms"),
    "page bytes": Measure("written for it", "B"),
    "filter": Measure("filter: from the last key to only its rows", "ms"),
    "clear": Measure("and back to all", "ms"),
    "change": Measure("change after quiet, to the cell", "ms"),
    "change bytes": Measure("written for it", "B"),
    "idle cpu": Measure("CPU while nothing changes", "% of a core"),
    "idle bytes": Measure("written in a second then", "B"),
    "busy p50": Measure("key to cursor moved while 50 pods/s change, p50", "ms"),
    "busy p95": Measure("key to cursor moved while 50 pods/s change, p95", "ms"),
    "busy cpu": Measure("CPU while 50 pods/s change", "% of a core"),
    "busy bytes": Measure("written in a second then", "B"),
    "used memory": Measure("memory (RSS) after all that", "MB"),
    # Typing.
    "typed p50": Measure("letter into 5,000 lines, p50", "ms"),
    "typed p95": Measure("letter into 5,000 lines, p95", "ms"),
    "typed long p50": Measure("letter into 1.5 MB, p50", "ms"),
    "typed long p95": Measure("letter into 1.5 MB, p95", "ms"),
    # Over slow lines.
    "line row": Measure("first pod, 1 MB/s from the API server", "s"),
    "line complete": Measure("all pods, live, over that line", "s"),
    "line bytes": Measure("carried by that line until at rest", "MB"),
    "terminal useful": Measure("pods and keys on a terminal that takes 30 KB/s", "s"),
    "terminal complete": Measure("all pods, live, on that terminal", "s"),
    "terminal bytes": Measure("written to it until at rest", "B"),
}
"""All there is to measure, in the order of the table."""


class Figures:
    """Values of several programs, and of the references they are compared with; of repeated ones the median counts.

    Args:
        goals: what is wanted.
    """

    def __init__(self, goals: Goals) -> None:
        self.goals = goals
        self._values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        self._references: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))

    def add(self, measure: str, program: str, value: float) -> None:
        """Note a value.

        Args:
            measure: what was measured, of `MEASURES`.
            program: whose value it is.
            value: in the measure's unit.
        """
        assert measure in MEASURES, measure
        self._values[measure][program].append(value)

    def compare(self, measure: str, reference: str, value: float) -> None:
        """Note what a measure is compared with.

        Args:
            measure: of `MEASURES`.
            reference: what it is.
            value: in the measure's unit.
        """
        assert measure in MEASURES, measure
        self._references[measure][reference].append(value)

    def table(self, ours: Sequence[str], peers: Sequence[str]) -> str:
        """Everything as a Markdown table, which is readable on a terminal as well.

        Args:
            ours: the programs that have goals, the first of which is compared.
            peers: the others.
        """
        cells = [("measurement", *ours, "goal", "", "compared with (ratio)", *peers), *self._rows(ours, peers)]
        widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
        lines = [
            "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
            for row in cells
        ]
        lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
        return "\n".join(lines)

    def _rows(self, ours: Sequence[str], peers: Sequence[str]) -> Iterator[tuple[str, ...]]:
        for name, (label, unit) in MEASURES.items():
            if not (found := self._values.get(name)):
                continue
            values = {program: middle(each) for program, each in found.items()}
            shown = {program: number(value, unit) for program, value in values.items()}
            mine = [values[program] for program in ours if program in values]
            references = {beside: middle(each) for beside, each in self._references[name].items()}
            goal, met = self._judged(name, mine, references)
            compared = [
                f"{number(value, unit)}, {beside} ({mine[0] / value:.2f})"
                for beside, value in references.items()
                if mine and value
            ]
            yield (
                label,
                *(shown.get(program, "") for program in ours),
                goal,
                met,
                "; ".join(compared),
                *(shown.get(program, "") for program in peers),
            )

    def _judged(self, name: str, mine: Sequence[float], references: dict[str, float]) -> tuple[str, str]:
        """The goal, and whether all our programs meet it; both empty without one."""
        if not mine:
            return "", ""
        if (most := self.goals.most(name)) is not None:
            return f"≤ {number(most, MEASURES[name].unit)}", "met" if max(mine) <= most else "missed"
        beside, ratio = self.goals.ratio(name)
        if ratio and beside in references:
            return f"≤ {ratio:g} × {beside}", "met" if mine[0] <= ratio * references[beside] else "missed"
        return "", ""


def number(value: float, unit: str) -> str:
    """A value with its unit, in as many digits as tell something.

    Args:
        value: in `unit`.
        unit: may be empty.
    """
    return f"{value:,.0f} {unit}".rstrip() if value >= 100 or unit in ("B", "") else f"{value:.3g} {unit}"


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all do not exceed, such as 0.95 of them."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def middle(values: Iterable[float]) -> float:
    """The median."""
    return statistics.median(values)
