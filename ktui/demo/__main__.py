"""`python -m ktui.demo`: the embedded cluster in a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from ktui.demo.run import run_until_signalled


def main() -> int:
    """Reads the arguments and serves until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m ktui.demo", description="Serves ktui's embedded cluster.")
    parser.add_argument("--port", type=int, default=0, help="where to listen on 127.0.0.1 (any free port)")
    parser.add_argument("--write-kubeconfig", type=Path, metavar="FILE", help="where to write the kubeconfig")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same names and delays (0)")
    parser.add_argument("--nodes", type=int, default=5, help="how many nodes (5)")
    parser.add_argument("--pods", type=int, default=0, help="how many pods at rest to add (0)")
    parser.add_argument("--speed", type=float, default=1.0, help="simulated seconds per second (1)")
    parser.add_argument("--parent-pid", type=int, metavar="PID", help="end when this process, the parent, ends")
    asked = parser.parse_args()
    try:
        asyncio.run(
            run_until_signalled(
                port=asked.port,
                kubeconfig=asked.write_kubeconfig,
                seed=asked.seed,
                nodes=asked.nodes,
                pods=asked.pods,
                speed=asked.speed,
                parent=asked.parent_pid,
            )
        )
    except OSError as failure:
        print(f"ktui demo: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
