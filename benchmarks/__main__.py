"""`python -m benchmarks`: measure, and print one table."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
from importlib.metadata import version
from pathlib import Path

from benchmarks import slow, start, typing_keys, use
from benchmarks.clusters import cluster
from benchmarks.figures import Figures
from benchmarks.goals import Goals
from benchmarks.programs import OURS, found_peers


def main() -> int:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Timings, as ratios in one run.")
    parser.add_argument("--pods", type=int, default=10_000, help="pods of the embedded cluster (10000)")
    parser.add_argument("--nodes", type=int, default=100, help="nodes of the embedded cluster (100)")
    parser.add_argument("--rounds", type=int, default=5, help="how often everything is started (5)")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long costs are looked at (20)")
    parser.add_argument("--keys", type=int, default=60, help="how many keys are pressed (60)")
    parser.add_argument("--only", choices=("start", "use", "typing", "slow"), help="one part alone")
    asked = parser.parse_args()
    kubectl = os.environ.get("KUBECTL") or shutil.which("kubectl")
    peers = found_peers()
    programs = (*OURS, *peers)
    with cluster(asked.pods, asked.nodes) as target:
        figures = Figures(Goals(target.pods, embedded=target.embedded))
        if asked.only in (None, "start"):
            start.measure(target, figures, programs, asked.rounds, Path(kubectl) if kubectl else None, _say)
        if asked.only in (None, "use"):
            use.measure(target, figures, programs, asked.seconds, asked.keys, _say)
        if asked.only in (None, "typing"):
            typing_keys.measure(figures, asked.keys, _say)
        if asked.only in (None, "slow"):
            slow.measure(target, figures, max(1, asked.rounds // 2), _say)
        print(
            f"On {target.name}, {target.pods:,} pods; {os.cpu_count()} cores, Python {platform.python_version()}, "
            f"Textual {version('textual')}; a terminal of 200 by 50:\n"
        )
        print(figures.table([program.name for program in OURS], [peer.name for peer in peers]))
    return 0


def _say(words: str) -> None:
    print(f"... {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
