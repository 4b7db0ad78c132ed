"""ktui where lines are slow: towards the API server, and towards the person."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from benchmarks.clusters import Target
from benchmarks.figures import Figures
from benchmarks.looking import PATIENCE, Watched
from benchmarks.programs import HOME
from benchmarks.start import AT_REST

LINE = 1_000_000
"""Bytes a second from the API server."""

TERMINAL = 30_000
"""Bytes a second that the terminal takes."""


def measure(target: Target, figures: Figures, rounds: int, say: Callable[[str], None]) -> None:
    """Start ktui over slow lines.

    Args:
        target: the cluster.
        figures: where the results go.
        rounds: how often.
        say: told how far it is.
    """
    for number in range(1, rounds + 1):
        say(f"slow lines {number} of {rounds}")
        with slow_line(target.kubeconfig, LINE) as line:
            with Watched(HOME, target, kubeconfig=line.kubeconfig) as watched:
                times = watched.seen({"row": watched.has_a_pod, "complete": watched.complete})
                for name, when in times.items():
                    figures.add(f"line {name}", HOME.name, when - watched.started)
                watched.settle(AT_REST, PATIENCE)
            figures.add("line bytes", HOME.name, line.close() / 1e6)
        with Watched(HOME, target, speed=TERMINAL) as watched:
            useful = {"useful": lambda: watched.usable() and watched.has_a_pod(), "complete": watched.complete}
            for name, when in watched.seen(useful).items():
                figures.add(f"terminal {name}", HOME.name, when - watched.started)
            watched.settle(AT_REST, PATIENCE)
            figures.add("terminal bytes", HOME.name, watched.received)


@dataclass(frozen=True, slots=True)
class SlowLine:
    """A slow line to a cluster.

    Attributes:
        kubeconfig: how to get in over it.
        process: the proxy.
    """

    kubeconfig: Path
    process: subprocess.Popen[str]

    def close(self) -> int:
        """End it; returns how many bytes it has carried to the client."""
        carried, _ = self.process.communicate("")
        return int(carried)


@contextmanager
def slow_line(kubeconfig: Path, rate: float) -> Iterator[SlowLine]:
    """Open a slow line to the current context's cluster.

    Args:
        kubeconfig: how to get in directly.
        rate: bytes a second.
    """
    content = yaml.safe_load(kubeconfig.read_bytes())
    context = next(each["context"] for each in content["contexts"] if each["name"] == content["current-context"])
    cluster = next(each["cluster"] for each in content["clusters"] if each["name"] == context["cluster"])
    server = urlsplit(cluster["server"])
    command = [sys.executable, "-m", "benchmarks.slow_line", f"{server.hostname}:{server.port or 443}", str(rate)]
    with (
        tempfile.TemporaryDirectory(prefix="ktui-bench-") as folder,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process,
    ):
        assert process.stdout is not None
        cluster["server"] = f"https://127.0.0.1:{process.stdout.readline().strip()}"
        cluster.setdefault("tls-server-name", server.hostname)
        path = Path(folder, "kubeconfig")
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            yaml.safe_dump(content, file)
        try:
            yield SlowLine(path, process)
        finally:
            process.kill()
