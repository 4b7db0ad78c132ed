"""The cluster that is measured on: the one that KTUI_BENCH_KUBECONFIG names, else an embedded one."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.access import read_access
from benchmarks.asking import Asking

VARIABLE = "KTUI_BENCH_KUBECONFIG"

FEWEST = 100


@dataclass(frozen=True, slots=True)
class Target:
    """A cluster with pods at rest.

    Attributes:
        name: what the table says of it.
        kubeconfig: how to get in.
        pods: how many pods it has.
    """

    name: str
    kubeconfig: Path
    pods: int


@contextmanager
def cluster(pods: int, nodes: int) -> Iterator[Target]:
    """The cluster to measure on; the embedded one ends with the measurement.

    Args:
        pods: how many the embedded one gets.
        nodes: likewise.
    """
    if named := os.environ.get(VARIABLE):
        yield _target("the cluster of " + VARIABLE, Path(named))
        return
    with tempfile.TemporaryDirectory(prefix="ktui-bench-") as folder:
        kubeconfig = Path(folder, "kubeconfig")
        command = [sys.executable, "-m", "benchmarks.embedded", str(kubeconfig), str(pods), str(nodes)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdin is not None
            if process.stdout.readline() != b"listening\n":
                raise SystemExit("The embedded cluster did not start.")
            yield _target("the embedded cluster", kubeconfig)
            process.stdin.close()


def _target(name: str, kubeconfig: Path) -> Target:
    with Asking(read_access(kubeconfig)) as asking:
        listed: dict[str, Any] = msgspec.json.decode(asking.get("/api/v1/pods?limit=1"))
    pods = len(listed["items"]) + listed["metadata"].get("remainingItemCount", 0)
    if pods < FEWEST:
        raise SystemExit(f"There are {pods} pods in {name}, which is too few to measure anything.")
    return Target(name, kubeconfig, pods)
