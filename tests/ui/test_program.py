"""The real program on a pseudo-terminal: started, looked at, and ended in every way."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.terminal import PseudoTerminal

LEAVING = 10.0
"""Seconds after which ktui counts as not leaving."""


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[PseudoTerminal]:
    """`ktui --demo`, when the embedded cluster is on the screen; nothing of the person's own is read or written."""
    environ = {name: str(tmp_path) for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    with PseudoTerminal([sys.executable, "-m", "ktui", "--demo"], environ=environ) as terminal:
        terminal.wait(lambda: terminal.text.count("● live") == 5 and "╭ Pods " in terminal.text, 60.0)
        yield terminal


def test_the_demo_is_there_and_leaves_without_a_trace(demo: PseudoTerminal) -> None:
    """Four panes of live rows; q gives the terminal back as it was, and nothing runs on."""
    for pane in ("Nodes 5", "Deployments", "Services", "Pods"):
        assert f"╭ {pane} " in demo.text
    assert re.search(r"kube-apiserver-cp-0 +1/1 +● Running", demo.text)
    assert 1049 in demo.modes
    running = demo.processes()
    assert len(running) == 2
    demo.press("q")
    assert demo.ended(LEAVING) == 0
    assert demo.restored()
    assert gone(running)


def test_letters_that_come_together_with_enter_are_taken(demo: PseudoTerminal) -> None:
    """Whoever types fast, or over a slow line, is understood: what is typed may come in one piece."""
    demo.press(":")
    demo.wait("Give up")
    demo.press("c", "m", " ", "s", "h", "o", "p", "enter")
    demo.wait("▸ shop ▸ configmaps")
    demo.press("/")
    demo.wait("Give up")
    demo.press("c", "a", "t", "enter")
    demo.wait("ConfigMaps 1 of")


def test_a_closed_window_ends_everything(demo: PseudoTerminal) -> None:
    """When its terminal is gone (SIGHUP), ktui ends, and so does the embedded cluster."""
    running = demo.processes()
    demo.hang_up()
    assert demo.ended(LEAVING) is not None
    assert gone(running)


def test_a_killed_ktui_takes_the_cluster_with_it(demo: PseudoTerminal) -> None:
    """Even when ktui cannot clean up (SIGKILL), the embedded cluster notices and ends."""
    running = demo.processes()
    demo.process.kill()
    assert gone(running)


def gone(processes: list[psutil.Process]) -> bool:
    """Whether all of them end soon."""
    return not psutil.wait_procs(processes, LEAVING)[1]
