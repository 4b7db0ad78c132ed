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

FRAME_RATIO, LIST_RATIO = 1.3, 1.5
"""The goals: what may be added to a Textual app that shows a word, and to nothing but the list."""


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
        Figure("first frame", median["frame"], "ms", median["bare app"], "bare Textual app", FRAME_RATIO),
        Figure("four panes that take keys", median["page"], "ms", median["bare app"], "bare Textual app"),
        Figure("first pod", median["row"], "ms", median["first page"], "bare list"),
        Figure(
            f"all {target.pods:,} pods, live", median["complete"], "ms", median["all pages"], "bare list", LIST_RATIO
        ),
    ]
    if kubectl is not None:
        figures.append(Figure("the same", median["complete"], "ms", median["kubectl"], "kubectl get pods -A"))
    return [
        *figures,
        Figure("CPU until at rest", median["cpu"], "ms"),
        Figure("written until then", median["bytes"], "B"),
    ]


def _bare_app() -> float:
    command = [sys.executable, "-m", "benchmarks.bare_app"]
    with PseudoTerminal(command, size=SIZE, environ=ENVIRON) as app:
        app.settle(0.5)
        return _since(app.started, app.wait(WORD, PATIENCE))


def _ktui(target: Target) -> dict[str, float]:
    with Ktui(target.kubeconfig) as ktui:
        # What it wrote is put on the screen afterwards, when nobody waits for the processor.
        ktui.settle(QUIET, PATIENCE)
        costs = {"cpu": 1e3 * ktui.cpu(), "bytes": ktui.received}
        frame = ktui.wait(ktui.framed, PATIENCE)
        page = ktui.wait(ktui.usable, PATIENCE)
        row = ktui.wait(ktui.has_a_pod, PATIENCE)
        complete = ktui.wait(lambda: ktui.all_live(target.pods), PATIENCE)
        times = {"frame": frame, "page": page, "row": row, "complete": complete}
        return {**costs, **{name: _since(ktui.started, when) for name, when in times.items()}}


def _bare_list(target: Target) -> dict[str, float]:
    started = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.bare_list", str(target.kubeconfig)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        times = {line.split()[0]: _since(started, time.perf_counter()) for line in process.stdout}
    if process.returncode:
        raise SystemExit("The bare list failed.")
    return {"first page": times["first"], "all pages": times["complete"]}


def _kubectl(kubectl: Path, target: Target) -> float:
    started = time.perf_counter()
    command = [str(kubectl), "--kubeconfig", str(target.kubeconfig), "get", "pods", "--all-namespaces"]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return _since(started, time.perf_counter())


def _since(started: float, when: float) -> float:
    """Milliseconds between two moments."""
    return 1e3 * (when - started)
