"""Runs the command line in this process, against an embedded cluster in a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pytest

from ktui.__main__ import main
from ktui.demo.clock import SteppedClock
from ktui.demo.run import Cluster, serve
from ktui.demo.users import write_kubeconfig

T = TypeVar("T")


class Done(NamedTuple):
    """What a command did: its exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def table(self) -> list[list[str]]:
        """The cells of each line of padded text."""
        return [[cell.strip() for cell in line.split("   ") if cell.strip()] for line in self.out.splitlines()]


class Shop:
    """The embedded cluster with its story, at a standstill: its clock is never stepped.

    Attributes:
        kubeconfig: the admin's kubeconfig, with the other users' contexts.
        cluster: the cluster itself; only to be touched by `do`.
    """

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig
        self.cluster: Cluster
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start(self) -> None:
        """Serve, with the present as the time at which the clock stands."""
        self._thread.start()
        self.cluster = asyncio.run_coroutine_threadsafe(
            serve(clock=SteppedClock(time.time()), seed=1), self._loop
        ).result()
        write_kubeconfig(self.kubeconfig, self.cluster.all_contexts())

    def stop(self) -> None:
        """Stop serving."""
        asyncio.run_coroutine_threadsafe(self.cluster.stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def do(self, something: Callable[[Cluster], T]) -> T:
        """The result of `something`, called in the cluster's own thread."""
        done: Future[T] = Future()
        self._loop.call_soon_threadsafe(lambda: done.set_result(something(self.cluster)))
        return done.result(10)

    def wait_for(self, something: Callable[[Cluster], Coroutine[Any, Any, T]]) -> T:
        """The result of a coroutine that runs in the cluster's own loop."""
        return asyncio.run_coroutine_threadsafe(something(self.cluster), self._loop).result(10)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """An embedded cluster, shared by all tests that only read."""
    started = Shop(tmp_path_factory.mktemp("shop") / "kubeconfig")
    started.start()
    yield started
    started.stop()


@pytest.fixture
def logging_kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Undoes what `start_logging` does to the process."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(logging, "raiseExceptions", logging.raiseExceptions)
    yield
    logging.captureWarnings(False)
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def ktui(
    logging_kept: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Done]:
    """Runs `ktui` with the given words in this process, in an environment without any configuration."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("KUBECONFIG", "KTUI_LOG_LEVEL", "SSH_CONNECTION", "TMUX", "STY"):
        monkeypatch.delenv(name, raising=False)

    def run(*words: Any) -> Done:
        code = main([str(word) for word in words])
        printed = capsys.readouterr()
        return Done(code, printed.out, printed.err)

    return run
