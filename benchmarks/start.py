"""From the start of the process to the first frame, the first row and the complete list."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from benchmarks.access import read_access
from benchmarks.bare_app import WORD
from benchmarks.clusters import Target
from benchmarks.figures import Figures
from benchmarks.looking import ENVIRON, PATIENCE, SIZE, Watched, forgiven
from benchmarks.programs import HOME, Program
from benchmarks.server import server_process
from tests.terminal import PseudoTerminal

AT_REST = 1.5
"""Seconds without a byte after which a program is at rest."""

_ASKED = re.compile(r"API ([\d,]+) requests, ([\d.]+) ([KM]?)B")
_SIZES = {"": 1e-6, "K": 1e-3, "M": 1.0}


def measure(
    target: Target,
    figures: Figures,
    programs: Sequence[Program],
    rounds: int,
    kubectl: Path | None,
    say: Callable[[str], None],
) -> None:
    """Start all programs and the references in turns, so that whatever else the machine does meets all of them.

    Args:
        target: the cluster.
        figures: where the results go.
        programs: which; the first is compared with the references.
        rounds: how often; one more comes first, which is not counted: it fills caches.
        kubectl: its path, if it is to be compared with.
        say: told how far it is.
    """
    server = server_process(read_access(target.kubeconfig).server)
    for number in range(rounds + 1):
        say(f"start {number} of {rounds}")
        into = figures if number else Figures(figures.goals)
        into.compare("frame", "bare Textual app", _bare_app())
        for program in programs:
            with forgiven(program, "start", say):
                _start(program, target, server, into)
        _bare_list("benchmarks.bare_rows", "rows first", target, into)
        _bare_list("benchmarks.bare_list", "pages of objects", target, into)
        if kubectl is not None:
            into.compare("complete", "kubectl get pods -A", _kubectl(kubectl, target))
    say("what is asked")
    _asked(target, figures)


def _bare_app() -> float:
    command = [sys.executable, "-m", "benchmarks.bare_app"]
    with PseudoTerminal(command, size=SIZE, environ=ENVIRON) as app:
        app.settle(0.5)
        return _since(app.started, app.wait(WORD))


def _start(program: Program, target: Target, server: psutil.Process | None, into: Figures) -> None:
    before = sum(server.cpu_times()[:2]) if server is not None else 0.0
    with (
        tempfile.TemporaryDirectory(prefix="ktui-bench-") as state,
        Watched(program, target, server=server, state=Path(state)) as watched,
    ):
        if program.to_pods:
            watched.when("its first frame", watched.framed)
            watched.press(*program.to_pods)
        marks = {"frame": watched.framed, "row": watched.has_a_pod, "complete": watched.complete}
        if program.usable:
            marks["keys"] = watched.usable
        times = watched.seen(marks)
        for name, when in times.items():
            into.add(name, program.name, _since(watched.started, when))
        then = watched.at(times["complete"])
        into.add("memory", program.name, then.memory / 1e6)
        into.add("cpu", program.name, 1e3 * then.cpu)
        if server is not None:
            into.add("server cpu", program.name, 1e3 * (then.server_cpu - before))
        if program is HOME:
            watched.settle(AT_REST, PATIENCE)
            into.add("rest bytes", program.name, watched.received)
            watched.press("q")
            watched.ended(PATIENCE)
            with Watched(program, target, state=Path(state)) as again:
                row = again.when("a pod", again.has_a_pod)
                into.add("row again", program.name, _since(again.started, row))


def _asked(target: Target, figures: Figures) -> None:
    """What ktui asks of the server, which its own meters tell; they are looked at once a second."""
    with Watched(HOME.with_arguments("--perf"), target) as watched:
        complete = watched.when("all pods", watched.complete)
        watched.receive_for(max(0.0, complete + 1.5 - time.perf_counter()))
        watched.show()
        if (asked := _ASKED.search(watched.text)) is not None:
            figures.add("requests", HOME.name, int(asked[1].replace(",", "")))
            figures.add("asked", HOME.name, float(asked[2]) * _SIZES[asked[3]])


def _bare_list(module: str, name: str, target: Target, into: Figures) -> None:
    started = time.perf_counter()
    command = [sys.executable, "-m", module, str(target.kubeconfig)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        times = {line.split()[0]: _since(started, time.perf_counter()) for line in process.stdout}
    if process.returncode:
        raise SystemExit(f"{module} failed.")
    into.compare("row", name, times["first"])
    into.compare("complete", name, times["complete"])


def _kubectl(kubectl: Path, target: Target) -> float:
    started = time.perf_counter()
    command = [str(kubectl), "--kubeconfig", str(target.kubeconfig), "get", "pods", "--all-namespaces"]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return _since(started, time.perf_counter())


def _since(started: float, when: float) -> float:
    """Milliseconds between two moments."""
    return 1e3 * (when - started)
