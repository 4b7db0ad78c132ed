"""A program on a pseudo-terminal, and what a benchmark looks for on its screen."""

from __future__ import annotations

import os
import tempfile
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from benchmarks.clusters import Target
from benchmarks.programs import OURS, Program
from ktui.cli.explore import prepare_textual
from tests.terminal import PseudoTerminal

SIZE = (200, 50)
PATIENCE = 300.0
"""Seconds after which something counts as never seen."""

QUIET = 0.1
"""Seconds without a byte after which what came is put on the screen, which takes CPU from nobody then."""

SAMPLE_EVERY = 0.02

ENVIRON = dict(os.environ)
"""What ktui sets before it imports Textual, for references as well."""
prepare_textual(ENVIRON)


class Sample(NamedTuple):
    """What has been used at a moment.

    Attributes:
        when: the moment, in seconds of `time.perf_counter`.
        memory: bytes that the program holds.
        cpu: seconds that it has used.
        server_cpu: seconds that the API server has used; 0 where that is elsewhere.
        received: bytes that it has written.
    """

    when: float
    memory: int
    cpu: float
    server_cpu: float
    received: int


class Watched(PseudoTerminal):
    """A program that shows the pods of a cluster.

    Args:
        program: which.
        target: the cluster.
        kubeconfig: how to get in; the target's own when None.
        state: the folder of what programs remember; when None an empty one, so that no start gains from one before.
        speed: bytes a second that the terminal takes; None for all that comes.
        server: the API server's process, if it is on this machine and its CPU is to be noted; memory is noted as well.
    """

    def __init__(
        self,
        program: Program,
        target: Target,
        *,
        kubeconfig: Path | None = None,
        state: Path | None = None,
        speed: float | None = None,
        server: psutil.Process | None = None,
    ) -> None:
        self.program = program
        self.samples: list[Sample] = []
        self._target = target
        self._server = server
        self._lines: list[str] | None = None
        path = str(kubeconfig or target.kubeconfig)
        command = [argument.replace("{kubeconfig}", path) for argument in program.command]
        self._folder = tempfile.TemporaryDirectory(prefix="ktui-bench-")
        environ = {**ENVIRON, "KUBECONFIG": path, "XDG_STATE_HOME": str(state or self._folder.name)}
        super().__init__(command, size=SIZE, environ=environ, speed=speed)

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self._folder.cleanup()

    # -- time --------------------------------------------------------------------------------

    def receive(self, timeout: float) -> bool:
        """Take what has come, and note what has been used."""
        deadline = time.perf_counter() + timeout
        while True:
            came = super().receive(min(SAMPLE_EVERY, deadline - time.perf_counter()))
            self._sample()
            if came or time.perf_counter() >= deadline:
                return came

    def _sample(self) -> None:
        now = time.perf_counter()
        if self.samples and now - self.samples[-1].when < SAMPLE_EVERY:
            return
        try:
            with self.process.oneshot():
                memory, cpu = self.process.memory_info().rss, _used(self.process)
        except psutil.NoSuchProcess:
            return
        self.samples.append(Sample(now, memory, cpu, _used(self._server) if self._server else 0.0, self.received))

    def at(self, when: float) -> Sample:
        """What had been used at a moment, or at the first look after it."""
        return self.samples[min(bisect_left(self.samples, when, key=lambda s: s.when), len(self.samples) - 1)]

    def seen(
        self, marks: Mapping[str, Callable[[], bool]], *, quiet: float = QUIET, timeout: float = PATIENCE
    ) -> dict[str, float]:
        """When the bytes came that made each of several things true.

        Args:
            marks: what tells whether it is; each is asked until it is.
            quiet: seconds without a byte after which to look.
            timeout: seconds.

        Raises:
            TimeoutError: one of them never was; with the screen in it.
        """
        found: dict[str, float] = {}
        deadline = time.perf_counter() + timeout
        while True:
            self.settle(quiet, 10 * quiet)
            while (came := self.paint()) is not None:
                found.update({name: came for name, tells in marks.items() if name not in found and tells()})
            if len(found) == len(marks):
                return found
            if time.perf_counter() > deadline or self.ended(0.0) is not None:
                missing = ", ".join(marks.keys() - found.keys())
                raise TimeoutError(f"{self.program.name} never showed: {missing}; the screen:\n{self.text}")

    def when(self, what: str, tells: Callable[[], bool], *, quiet: float = QUIET, timeout: float = PATIENCE) -> float:
        """When the bytes came that made something true; see `seen`."""
        return self.seen({what: tells}, quiet=quiet, timeout=timeout)[what]

    # -- the screen --------------------------------------------------------------------------

    def paint(self) -> float | None:
        """Put on the screen what came first of what is not on it yet."""
        self._lines = None
        return super().paint()

    @property
    def lines(self) -> list[str]:
        """What stands on the screen."""
        if self._lines is None:
            self._lines = super().lines
        return self._lines

    @property
    def text(self) -> str:
        """What stands on the screen, as one text."""
        return "\n".join(self.lines)

    def framed(self) -> bool:
        """Whether the first frame stands."""
        return self.program.framed in self.text if self.program.framed else bool(self.text.strip())

    def usable(self) -> bool:
        """Whether the page stands from the first line to the last, and takes keys."""
        return self.program.usable in self.lines[-1]

    def complete(self) -> bool:
        """Whether all pods are there."""
        return self.program.complete(self.text, self._target.pods)

    def pods(self) -> dict[int, str]:
        """The pods on the screen, by line."""
        names = self._target.names
        return {
            y: name
            for y, line in enumerate(self.lines)
            if (name := next((word for word in line.split() if word in names), "")) != ""
        }

    def has_a_pod(self) -> bool:
        """Whether a row of a pod stands on the screen."""
        return bool(self.pods())

    def cursor_line(self) -> int | None:
        """The line of the one pod that looks unlike all others; None when there is none, or more than one."""
        grounds = {}
        for y, name in self.pods().items():
            cell = self.cell(self.lines[y].index(name), y)
            grounds[y] = (cell.bg, cell.reverse)
        if len(counted := Counter(grounds.values())) != 2:
            return None
        rare, times = counted.most_common()[-1]
        return next(y for y, ground in grounds.items() if ground == rare) if times == 1 else None

    def line_of(self, name: str) -> str:
        """The line of the pod `name`; empty when it is not on the screen."""
        return next((self.lines[y] for y, shown in self.pods().items() if shown == name), "")


@contextmanager
def forgiven(program: Program, what: str, say: Callable[[str], None]) -> Iterator[None]:
    """Leave out what another program never shows, and say so; ktui has to show it.

    Args:
        program: which.
        what: was measured.
        say: told.
    """
    try:
        yield
    except TimeoutError as never:
        if program in OURS:
            raise
        say(f"{program.name}: {what}: {str(never).splitlines()[0]}")


def _used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
