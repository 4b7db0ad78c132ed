"""From the start of the process to the first frame, the first row and the complete list."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from benchmarks.bare_app import WORD
from benchmarks.clusters import Target
from benchmarks.figures import Figure, middle
from benchmarks.looking import ENVIRON, SIZE, Ktui
from tests.terminal import PseudoTerminal

QUIET = 1.5
"""Seconds without a byte after which everything is on the screen."""

PATIENCE = 120.0


def measure(target: Target, rounds: int, kubectl: Path | None, say: Callable[[str], None]) -> list[Figure]:
    """Start ktui and the references in turns, so that whatever else the machine does meets all of them.

    Args:
        target: the cluster.
        rounds: how often; one more comes first, which is not counted: it fills caches.
        kubectl: its path, if it is to be compared with.
        say: told how far it is.
    """
    found: dict[str, list[float]] = defaultdict(list)
    for number in range(rounds + 1):
        say(f"start {number} of {rounds}")
        times = {"bare app": _bare_app(), **_ktui(target), **_bare_list(target)}
        if kubectl is not None:
            times["kubectl"] = _kubectl(kubectl, target)
        if number:
            for name, value in times.items():
                found[name].append(value)
    median = {name: middle(values) for name, values in found.items()}
    figures = [
        Figure("start to first frame", 1e3 * median["frame"], "ms", 1e3 * median["bare app"], "bare Textual app", 1.3),
        Figure("start to first pod", 1e3 * median["row"], "ms", 1e3 * median["first page"], "bare list"),
        Figure(
            f"start to all {target.pods:,} pods, live",
            1e3 * median["complete"],
            "ms",
            1e3 * median["all pages"],
            "bare list",
            1.5,
        ),
    ]
    if kubectl is not None:
        figures.append(
            Figure("the same", 1e3 * median["complete"], "ms", 1e3 * median["kubectl"], "kubectl get pods -A")
        )
    return [
        *figures,
        Figure("CPU of that start", 1e3 * median["cpu"], "ms"),
        Figure("bytes written by then", median["bytes"], "B"),
    ]


def _bare_app() -> float:
    command = [sys.executable, "-m", "benchmarks.bare_app"]
    with PseudoTerminal(command, size=SIZE, environ=ENVIRON) as app:
        app.settle(0.5)
        return app.wait(WORD, PATIENCE) - app.started


def _ktui(target: Target) -> dict[str, float]:
    with Ktui(target.kubeconfig) as ktui:
        # What it wrote is put on the screen afterwards, when nobody waits for the processor.
        ktui.settle(QUIET, PATIENCE)
        cpu, written = ktui.cpu(), ktui.received
        return {
            "frame": ktui.wait(ktui.framed, PATIENCE) - ktui.started,
            "row": ktui.wait(ktui.has_a_pod, PATIENCE) - ktui.started,
            "complete": ktui.wait(lambda: ktui.all_live(target.pods), PATIENCE) - ktui.started,
            "cpu": cpu,
            "bytes": written,
        }


def _bare_list(target: Target) -> dict[str, float]:
    started = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.bare_list", str(target.kubeconfig)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        times = {line.split()[0]: time.perf_counter() - started for line in process.stdout}
    return {"first page": times["first"], "all pages": times["complete"]}


def _kubectl(kubectl: Path, target: Target) -> float:
    started = time.perf_counter()
    command = [str(kubectl), "--kubeconfig", str(target.kubeconfig), "get", "pods", "--all-namespaces"]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started
