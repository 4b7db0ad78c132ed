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

from benchmarks.access import read_access
from benchmarks.asking import Asking
from benchmarks.rows import pod_rows

VARIABLE = "KTUI_BENCH_KUBECONFIG"

FEWEST = 100


@dataclass(frozen=True, slots=True)
class Target:
    """A cluster with pods at rest.

    Attributes:
        name: what the table says of it.
        kubeconfig: how to get in.
        embedded: whether it is the embedded one, which answers with one core of the same machine.
        pods: how many pods it has.
        names: the pods' names.
    """

    name: str
    kubeconfig: Path
    embedded: bool
    pods: int
    names: frozenset[str]


@contextmanager
def cluster(pods: int, nodes: int) -> Iterator[Target]:
    """The cluster to measure on; the embedded one ends with the measurement.

    Args:
        pods: how many the embedded one gets.
        nodes: likewise.
    """
    if named := os.environ.get(VARIABLE):
        yield _target("the cluster of " + VARIABLE, Path(named), embedded=False)
        return
    with tempfile.TemporaryDirectory(prefix="ktui-bench-") as folder:
        kubeconfig = Path(folder, "kubeconfig")
        command = [sys.executable, "-m", "benchmarks.embedded", str(kubeconfig), str(pods), str(nodes)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdin is not None
            if process.stdout.readline() != b"listening\n":
                raise SystemExit("The embedded cluster did not start.")
            yield _target("the embedded cluster", kubeconfig, embedded=True)
            process.stdin.close()


def _target(name: str, kubeconfig: Path, *, embedded: bool) -> Target:
    with Asking(read_access(kubeconfig)) as asking:
        rows = pod_rows(asking)
    if len(rows) < FEWEST:
        raise SystemExit(f"There are {len(rows)} pods in {name}, which is too few to measure anything.")
    return Target(name, kubeconfig, embedded, len(rows), frozenset(row.name for row in rows))
