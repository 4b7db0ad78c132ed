"""`python -m benchmarks`: measure, and print one table."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from benchmarks import start, use
from benchmarks.clusters import cluster
from benchmarks.figures import table


def main() -> int:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Timings, as ratios in one run.")
    parser.add_argument("--pods", type=int, default=10_000, help="pods of the embedded cluster (10000)")
    parser.add_argument("--nodes", type=int, default=100, help="nodes of the embedded cluster (100)")
    parser.add_argument("--rounds", type=int, default=5, help="how often everything is started (5)")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long costs are looked at (10)")
    parser.add_argument("--keys", type=int, default=60, help="how many keys are pressed (60)")
    parser.add_argument("--only", choices=("start", "use"), help="leave out the other half")
    asked = parser.parse_args()
    kubectl = os.environ.get("KUBECTL") or shutil.which("kubectl")
    with cluster(asked.pods, asked.nodes) as target:
        figures = []
        if asked.only != "use":
            figures += start.measure(target, asked.rounds, Path(kubectl) if kubectl else None, _say)
        if asked.only != "start":
            figures += use.measure(target, asked.seconds, asked.keys, _say)
        print(f"On {target.name}, {target.pods:,} pods, {os.cpu_count()} cores, terminal 200 by 50:\n")
        print(table(figures))
    return 0


def _say(words: str) -> None:
    print(f"... {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
