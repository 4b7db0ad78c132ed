"""A program in use: how soon keys and changes are on the screen, and what it costs to have it open."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from benchmarks.access import read_access
from benchmarks.asking import Asking
from benchmarks.clusters import Target
from benchmarks.figures import Figures, middle, percentile
from benchmarks.looking import SIZE, Watched, forgiven
from benchmarks.pods import PATCH, restarting
from benchmarks.programs import HOME, PODS, Program

RATE = 50
"""Pods that change in a second of a cluster that lives."""

CALM = 12.0
"""Seconds after which nothing remains to be told of what was done before, such as rates over the last ten seconds."""

SOON = 0.06
"""Seconds without a byte after which to look whether a key has been answered."""

FEW = 10
"""Rows that a filter may leave."""


def measure(
    target: Target,
    figures: Figures,
    programs: Sequence[Program],
    seconds: float,
    keys: int,
    say: Callable[[str], None],
) -> None:
    """Open each program once and use it.

    Changes and costs are those of ktui's home screen; pages and filters those of its pods on the whole screen, which is
    what other programs show; the cursor moves on both. Of other programs everything is measured that they answer.

    Args:
        target: the cluster.
        figures: where the results go.
        programs: which.
        seconds: how long to look at what it costs, each time.
        keys: how many times to press a key, each time.
        say: told how far it is.
    """
    for program in programs:
        with forgiven(program, "start", say), Watched(program, target) as watched:
            use = Use(watched, target, figures, seconds, keys)
            use.open()
            steps = {"keys while nothing changes": use.move}
            if program is not HOME:
                steps |= {"pages": use.turn, "filters": use.filter}
            if program is not PODS:
                steps |= {"changes": use.change, "at rest": use.rest, "a cluster that lives": use.live}
            for name, step in steps.items():
                say(f"{program.name}: {name}")
                with forgiven(program, name, say):
                    step()
            figures.add("used memory", program.name, watched.memory() / 1e6)


class Use:
    """A program that is open.

    Args:
        watched: the program.
        target: its cluster.
        figures: where the results go.
        seconds: how long to look at what it costs, each time.
        keys: how many times to press a key, each time.
    """

    def __init__(self, watched: Watched, target: Target, figures: Figures, seconds: float, keys: int) -> None:
        self._watched = watched
        self._target = target
        self._figures = figures
        self._seconds = seconds
        self._keys = keys
        self._chance = random.Random(1)

    def open(self) -> None:
        """Wait until all pods are there, and bring the keyboard to them."""
        watched, program = self._watched, self._watched.program
        if program.to_pods:
            watched.when("its first frame", watched.framed)
            watched.press(*program.to_pods)
        watched.when("all pods", watched.complete)
        watched.press(*program.to_table)
        watched.receive_for(CALM)
        watched.show()

    def move(self) -> None:
        """Move the cursor while nothing changes."""
        times, written = self._moved()
        self._add("cursor p50", middle(times))
        self._add("cursor p95", percentile(times, 0.95))
        self._add("cursor bytes", written)

    def turn(self) -> None:
        """Turn pages."""
        watched = self._watched
        times, written = [], []
        for _ in range(max(1, min(self._keys // 4, self._target.pods // SIZE[1] - 1))):
            self._pause()
            top, before = self._top(), watched.received
            pressed = watched.press("pagedown")
            turned = watched.when("another page", partial(self._turned, top), quiet=SOON)
            watched.settle(0.2)
            times.append(1e3 * (turned - pressed))
            written.append(watched.received - before)
        self._add("page", middle(times))
        self._add("page bytes", middle(written))

    def filter(self) -> None:
        """Type a text that few rows have, and clear it."""
        watched = self._watched
        applied, cleared = [], []
        for text, wanted in self._texts(max(5, self._keys // 10)):
            self._pause()
            shown = len(watched.pods())
            watched.press("/")
            watched.settle(0.3)
            watched.show()
            watched.press(*text[:-1])
            watched.settle(0.3)
            watched.show()
            pressed = watched.press(text[-1])
            only = watched.when(f"only {text}", partial(self._shows_only, wanted), quiet=SOON)
            applied.append(1e3 * (only - pressed))
            watched.press(*watched.program.keep_filter)
            watched.settle(0.3)
            watched.show()
            pressed = watched.press("escape")
            again = watched.when("all rows", partial(self._shows, shown), quiet=SOON)
            cleared.append(1e3 * (again - pressed))
        self._add("filter", middle(applied))
        self._add("clear", middle(cleared))

    def change(self) -> None:
        """Change a pod that is on the screen, after quiet."""
        watched = self._watched
        seen, answered, written = [], [], []
        with Asking(read_access(self._target.kubeconfig)) as asking:
            watched.press("home")
            self._pause()
            shown = {*watched.pods().values()}
            pod = next((pod for pod in restarting(asking.get("/api/v1/pods?limit=50")) if pod.name in shown), None)
            if pod is None:
                raise TimeoutError(f"{watched.program.name} never showed: a pod to change; the screen:\n{watched.text}")
            for number in range(max(5, self._keys // 4)):
                self._pause()
                restarts = 10_000 + number
                before, began = watched.received, time.perf_counter()
                asking.patch(pod.path, pod.restarted(restarts), PATCH)
                answered.append(1e3 * (time.perf_counter() - began))
                shows = watched.when("the change", partial(self._says, pod.name, str(restarts)), quiet=SOON)
                seen.append(1e3 * (shows - began))
                written.append(watched.received - before)
            asking.patch(pod.path, pod.restarted(pod.restarts), PATCH)
        self._add("change", middle(seen))
        self._add("change bytes", middle(written))
        if watched.program is HOME:
            self._figures.compare("change", "answer to the patch", middle(answered))

    def rest(self) -> None:
        """Let it stand while nothing changes."""
        self._watched.receive_for(CALM)
        self._cost("idle")

    def live(self) -> None:
        """Let it stand, and move the cursor, while pods change."""
        with _writing(self._target):
            self._watched.receive_for(CALM)
            self._cost("busy")
            times, _ = self._moved()
        self._add("busy p50", middle(times))
        self._add("busy p95", percentile(times, 0.95))

    def _moved(self) -> tuple[list[float], float]:
        """Press down and up, at odd times; milliseconds until the cursor has moved, and bytes a key."""
        watched = self._watched
        self._pause()
        times, before = [], watched.received
        for number in range(self._keys):
            here = watched.cursor_line()
            pressed = watched.press("down" if number % 16 < 8 else "up")
            moved = watched.when("the cursor", partial(self._moved_from, here), quiet=SOON)
            times.append(1e3 * (moved - pressed))
            self._pause()
        return times, (watched.received - before) / self._keys

    def _cost(self, when: str) -> None:
        watched = self._watched
        cpu, began = watched.cpu(), time.perf_counter()
        written = watched.receive_for(self._seconds)
        passed = time.perf_counter() - began
        self._add(f"{when} cpu", 100 * (watched.cpu() - cpu) / passed)
        self._add(f"{when} bytes", written / passed)
        watched.show()

    def _texts(self, times: int) -> Iterator[tuple[str, set[str]]]:
        """Ends of pods' names, with the pods that have them; each is typed once."""
        names = sorted(self._target.names)
        while times:
            text = self._chance.choice(names)[-5:]
            wanted = {name for name in names if text in name}
            if len(wanted) <= FEW:
                times -= 1
                yield text, wanted

    # -- what is looked for on the screen ----------------------------------------------------

    def _top(self) -> str:
        return next(iter(self._watched.pods().values()), "")

    def _turned(self, top: str) -> bool:
        return self._top() not in (top, "")

    def _shows_only(self, wanted: set[str]) -> bool:
        return {*self._watched.pods().values()} == wanted

    def _shows(self, pods: int) -> bool:
        return len(self._watched.pods()) >= pods

    def _says(self, name: str, text: str) -> bool:
        return text in self._watched.line_of(name)

    def _moved_from(self, line: int | None) -> bool:
        return self._watched.cursor_line() not in (line, None)

    # -- the rest ----------------------------------------------------------------------------

    def _pause(self) -> None:
        """Press no key in step with anything."""
        self._watched.receive_for(self._chance.uniform(0.1, 0.25))
        self._watched.show()

    def _add(self, measure: str, value: float) -> None:
        self._figures.add(measure, self._watched.program.name, value)


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
