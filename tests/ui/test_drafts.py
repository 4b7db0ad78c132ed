"""The real program, ended in mid-edit in every way: what was typed is found again, and secrets are nowhere."""

from __future__ import annotations

import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ktui.demo.run import Cluster
from tests.terminal import PseudoTerminal
from tests.ui.conftest import PATIENCE, World

CTRL_O = "\x0f"


@contextmanager
def ktui(world: World) -> Iterator[PseudoTerminal]:
    """ktui on this cluster, in a terminal of its own, when it is open."""
    command = [sys.executable, "-m", "ktui", "--kubeconfig", str(world.kubeconfig())]
    with PseudoTerminal(command) as terminal:
        terminal.wait(lambda: terminal.text.count("● live") == 5, 60.0)
        yield terminal


def edit(terminal: PseudoTerminal, resource: str, namespace: str, name: str) -> None:
    """Go to an object, and open it in the editor."""
    terminal.press(":")
    terminal.wait("Give up")
    terminal.press(*f"{resource} {namespace}", "enter")
    terminal.wait(f"▸ {namespace} ▸ {resource}")
    terminal.press("/")
    terminal.wait("Give up")
    terminal.press(*name, "enter")
    terminal.wait(" 1 of ")
    terminal.press("e")
    terminal.wait(" Edit ")


def typed(terminal: PseudoTerminal, text: str) -> None:
    """Type a text at the beginning, and see it there."""
    terminal.press(*text)
    terminal.wait(text)


def comes_true(terminal: PseudoTerminal, condition: Callable[[], bool]) -> None:
    """Wait for what is not on the screen, and show what is meanwhile."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"never came true; the screen:\n{terminal.text}"
        terminal.receive(0.02)
        terminal.show()


def holding(folder: Path, text: str) -> list[Path]:
    """The files below a folder in which a text stands."""
    return [path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def test_what_was_typed_is_found_after_a_kill_and_a_closed_terminal(world_in_thread: World, tmp_path: Path) -> None:
    """After SIGKILL all but the last half second, offered where it was typed; after a closed window all of it."""
    with ktui(world_in_thread) as terminal:
        edit(terminal, "deployments", "lesson", "hello")
        terminal.wait("apiVersion: apps/v1")
        typed(terminal, "#canary-one ")
        comes_true(terminal, lambda: bool(holding(tmp_path, "#canary-one ")))
        terminal.process.kill()
        assert terminal.ended(PATIENCE) is not None
    (draft,) = holding(tmp_path, "#canary-one ")
    assert stat.S_IMODE(draft.stat().st_mode) == 0o600
    assert stat.S_IMODE(draft.parent.stat().st_mode) == 0o700
    with ktui(world_in_thread) as terminal:
        edit(terminal, "deployments", "lesson", "hello")
        terminal.wait("There is a draft of deployment lesson/hello-node")
        terminal.press("enter")
        terminal.wait("#canary-one apiVersion: apps/v1")
        typed(terminal, "#canary-two ")
        terminal.hang_up()
        assert terminal.ended(PATIENCE) is not None
    assert holding(tmp_path, "#canary-two #canary-one apiVersion") == [draft]
    assert [path.name for path in draft.parent.iterdir()] == [draft.name]


def test_a_secret_leaves_no_draft(world_in_thread: World, tmp_path: Path) -> None:
    """Neither while it is typed nor at the end."""
    with ktui(world_in_thread) as terminal:
        edit(terminal, "secrets", "shop", "orders")
        terminal.wait("kind: Secret")
        typed(terminal, "#canary-one ")
        terminal.hang_up()
        assert terminal.ended(PATIENCE) is not None
    assert holding(tmp_path, "canary") == []
    assert not [*tmp_path.rglob("drafts/*")]


EDITOR = """
stat -c %a "$1" > {0}/mode; grep -c agnhost "$1" > {0}/lines; echo "$1" > {0}/begun
until test -e {0}/code; do sleep 0.02; done
printf 'x: y\\n%s\\n' "$(cat "$1")" > "$1"; exit $(cat {0}/code)
"""


def test_another_editor(world_in_thread: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It gets a file of nobody else's, which goes; what others change meanwhile is seen; a failure changes nothing."""
    script, begun, code, scratch = (tmp_path / name for name in ("script", "begun", "code", "scratch"))
    script.write_text(EDITOR.format(tmp_path))
    scratch.mkdir()
    monkeypatch.setenv("KUBE_EDITOR", f"sh '{script}'")
    monkeypatch.setenv("TMPDIR", str(scratch))
    with ktui(world_in_thread) as terminal:
        edit(terminal, "deployments", "lesson", "hello")
        terminal.wait("apiVersion: apps/v1")
        terminal.press(CTRL_O)
        comes_true(terminal, lambda: begun.exists() and begun.read_text() != "")
        assert (tmp_path / "mode").read_text() == "600\n"
        assert (tmp_path / "lines").read_text() != "0\n"
        world_in_thread.do(scaled)
        code.write_text("3")
        terminal.wait("ended with 3; the text is as it was.")
        terminal.wait("changed by somebody else")
        assert "x: y" not in terminal.text
        code.write_text("0")
        terminal.press(CTRL_O)
        terminal.wait("x: y")
        comes_true(terminal, lambda: not [*scratch.glob("ktui-*")])


def scaled(cluster: Cluster) -> None:
    """Somebody else scales the deployment."""
    found = cluster.storage.get("deployments.apps", "lesson", "hello-node")
    assert found is not None
    cluster.storage.update("deployments.apps", {**found, "spec": {**found["spec"], "replicas": 2}})
