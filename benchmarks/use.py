"""ktui in use: how soon keys and changes are on the screen, and what it costs to have it open."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchmarks.access import read_access
from benchmarks.asking import Asking
from benchmarks.clusters import Target
from benchmarks.figures import Figure, middle, percentile
from benchmarks.looking import Ktui
from benchmarks.pods import PATCH, restarting
from benchmarks.start import PATIENCE, QUIET

RATE = 50
"""Pods that change in a second of a cluster that lives."""

QUIETLY, BUSILY = "nothing changes", f"{RATE} pods/s change"

LATENCY_MS, MEMORY_MB = 35.0, 250.0
"""The goals: a key is answered within two frames of a 60 Hz screen, and ktui fits beside anything."""


def measure(target: Target, seconds: float, keys: int, say: Callable[[str], None]) -> list[Figure]:
    """Open ktui once and use it.

    Args:
        target: the cluster.
        seconds: how long to look at what it costs, each time.
        keys: how many times to press a key, each time.
        say: told how far it is.
    """
    with Ktui(target.kubeconfig) as ktui:
        ktui.settle(QUIET, PATIENCE)
        ktui.wait(lambda: ktui.all_live(target.pods), PATIENCE)
        ktui.press("4")
        ktui.wait(lambda: ktui.cursor_line() is not None)
        ktui.settle()
        say("keys while nothing changes")
        figures = _cursor(ktui, keys, QUIETLY)
        say("changes on the screen")
        figures += _changes(ktui, target, max(5, keys // 4))
        say("at rest")
        figures += _cost(ktui, seconds, QUIETLY)
        with _writing(target):
            ktui.receive_for(2.0)
            say(f"keys while {RATE} pods a second change")
            figures += _cursor(ktui, keys, BUSILY)
            say("under load")
            figures += _cost(ktui, seconds, BUSILY)
        return [*figures, Figure("memory (RSS)", ktui.memory() / 1e6, "MB", goal=MEMORY_MB)]


def _cursor(ktui: Ktui, keys: int, when: str) -> list[Figure]:
    """Press down and up, at odd times, and see when the cursor has moved."""
    chance = random.Random(1)
    ktui.show()
    times, before = [], ktui.received
    for number in range(keys):
        here = ktui.cursor_line()
        pressed = ktui.press("down" if number % 16 < 8 else "up")
        times.append(1e3 * (ktui.wait(lambda here=here: ktui.cursor_line() not in (here, None)) - pressed))  # type: ignore[misc]
        ktui.receive_for(chance.uniform(0.1, 0.25))
        ktui.show()
    return [
        Figure(f"key to cursor moved, p50, {when}", middle(times), "ms"),
        Figure(f"key to cursor moved, p95, {when}", percentile(times, 0.95), "ms", goal=LATENCY_MS),
        Figure(f"written for a key, {when}", (ktui.received - before) / keys, "B"),
    ]


def _changes(ktui: Ktui, target: Target, times: int) -> list[Figure]:
    """Change a pod that is on the screen, and see when it shows."""
    seen, answered, written = [], [], []
    with Asking(read_access(target.kubeconfig)) as asking:
        pods = restarting(asking.get("/api/v1/pods?limit=20"))
        ktui.show()
        pod = next(pod for pod in pods if ktui.line_of(pod.name))
        for number in range(times):
            restarts = f" {10_000 + number} "
            before, began = ktui.received, time.perf_counter()
            asking.patch(pod.path, pod.restarted(int(restarts)), PATCH)
            answered.append(1e3 * (time.perf_counter() - began))
            seen.append(1e3 * (ktui.wait(lambda restarts=restarts: restarts in ktui.line_of(pod.name)) - began))  # type: ignore[misc]
            written.append(ktui.received - before)
            ktui.settle()
            ktui.show()
        asking.patch(pod.path, pod.restarted(pod.restarts), PATCH)
    return [
        Figure("change to cell on the screen", middle(seen), "ms", middle(answered), "answer to the patch"),
        Figure("written for a change in sight", middle(written), "B"),
    ]


def _cost(ktui: Ktui, seconds: float, when: str) -> list[Figure]:
    cpu, began = ktui.cpu(), time.perf_counter()
    written = ktui.receive_for(seconds)
    passed = time.perf_counter() - began
    used = ktui.cpu() - cpu
    ktui.show()
    return [
        Figure(f"CPU, {when}", 100 * used / passed, "% of a core"),
        Figure(f"written in a second, {when}", written / passed, "B"),
    ]


@contextmanager
def _writing(target: Target) -> Iterator[None]:
    command = [sys.executable, "-m", "benchmarks.writer", str(target.kubeconfig), str(RATE)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        if process.stdout.readline() != b"begun\n":
            raise SystemExit("The pods could not be changed.")
        yield
        process.stdin.close()
        process.stdout.read()
