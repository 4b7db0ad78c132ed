"""`python -m benchmarks.profile`: where the CPU goes from the start of the process to the complete list, by stages."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

import msgspec

from benchmarks.clusters import Target, cluster
from benchmarks.figures import middle
from benchmarks.looking import Watched
from benchmarks.programs import HOME, PODS, Program
from benchmarks.sampled import Spent
from benchmarks.stages import STAGES

FOREMOST = 3
"""Functions that are named for each stage."""


def main() -> int:
    """Start ktui again and again, and print one table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile", description="CPU of a start, by stages.")
    parser.add_argument("--pods", type=int, default=10_000, help="pods of the embedded cluster (10000)")
    parser.add_argument("--nodes", type=int, default=100, help="nodes of the embedded cluster (100)")
    parser.add_argument("--rounds", type=int, default=5, help="how often ktui is started (5)")
    parser.add_argument("--full-screen", action="store_true", help="profile `ktui pods -A` instead of the home screen")
    asked = parser.parse_args()
    program = PODS if asked.full_screen else HOME
    with cluster(asked.pods, asked.nodes) as target:
        starts = [_spent(program, target) for _ in range(asked.rounds + 1)]
        print(f"`{program.name}` on {target.name}, {target.pods:,} pods, from its start to the complete list:\n")
        # The first start fills caches.
        print(table(starts[1:]))
    return 0


def _spent(program: Program, target: Target) -> list[Spent]:
    """Where the CPU of one start went until all pods were there."""
    with tempfile.TemporaryDirectory(prefix="ktui-bench-") as folder:
        output = Path(folder, "spent")
        command = (sys.executable, "-m", "benchmarks.sampled", str(output), *program.command[3:])
        with Watched(Program(program.name, command, program.complete), target) as watched:
            complete = watched.when("all pods", watched.complete)
        return [spent for spent in msgspec.json.decode(output.read_bytes(), type=list[Spent]) if spent.when <= complete]


def table(starts: list[list[Spent]]) -> str:
    """The median of each stage as a Markdown table, with the functions in which most of it was spent.

    Args:
        starts: where the CPU of each went.
    """
    stages: dict[str, list[float]] = defaultdict(list)
    places: dict[str, Counter[str]] = defaultdict(Counter)
    for start in starts:
        seconds: Counter[str] = Counter()
        for spent in start:
            seconds[spent.stage] += spent.seconds  # type: ignore[assignment]
            places[spent.stage][spent.place] += spent.seconds  # type: ignore[assignment]
        for stage in STAGES:
            stages[stage].append(1e3 * seconds[stage])
    lines = ["| stage | what belongs to it | CPU | most of it in |", "|---|---|---|---|"]
    for stage, belongs in STAGES.items():
        most = ", ".join(
            f"{place} {1e3 * total / len(starts):.0f}" for place, total in places[stage].most_common(FOREMOST) if place
        )
        lines.append(f"| {stage} | {belongs} | {middle(stages[stage]):,.0f} ms | {most} |")
    whole = middle(sum(stages[stage][number] for stage in STAGES) for number in range(len(starts)))
    return "\n".join([*lines, f"| all | | {whole:,.0f} ms | |"])


if __name__ == "__main__":
    sys.exit(main())
