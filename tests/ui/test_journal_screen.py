"""`:journal`: what was changed from here, copied, undone, and written as a script."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from ktui.kinds.names import GVR_DEPLOYMENTS
from ktui.screens.journal import JournalScreen
from tests.ui.acting import (  # noqa: F401 - nobody_waits is a fixture
    SMALL,
    asked,
    choose,
    live,
    nobody_waits,
    press,
    said,
    to_its_end,
    told_aside,
)
from tests.ui.conftest import World, screen_text, shows, until

DEPLOYMENTS = "deployments.apps"


def check_script(folder: Path, line: str) -> None:
    """The script is its owner's alone, has what was done as a line and what failed as a comment, and is one for sh."""
    (script,) = folder.glob("ktui-runbook-*.sh")
    assert stat.S_IMODE(os.stat(script).st_mode) == 0o700
    words = script.read_text()
    assert f"\n{line}\n" in words
    assert f"\n# {line}\n" in words
    assert "\x1b" not in words
    assert subprocess.run(["sh", "-n", str(script)], check=False).returncode == 0


async def test_the_journal(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every write with its kubectl line and how it went; c copies it, w writes a script, U undoes it."""
    monkeypatch.chdir(tmp_path)
    async with world.open(size=SMALL) as pilot:
        copied: list[str] = []
        monkeypatch.setattr(pilot.app, "copy_to_clipboard", copied.append)
        await pilot.press("colon", *"journal", "enter")
        await shows(pilot, "Nothing was changed from here yet.")
        await pilot.press("U", "c", "escape")
        await choose(pilot, GVR_DEPLOYMENTS, "shop", "cart")
        await press(pilot, "s", "3")
        world.cluster.server.faults.deny("no \x1b[31m[red]way[/]", path="cart/scale", times=1)
        await pilot.press("enter")
        await to_its_end(world, pilot)
        await press(pilot, "tab", "enter")
        await pilot.press("enter")
        await to_its_end(world, pilot)
        await pilot.press("escape", "colon", *"journal", "enter")
        await shows(pilot, " Journal   2 changes")
        text = screen_text(pilot)
        assert "● Scale" in text
        assert "✖ Scale" in text
        line = "kubectl --context demo -n shop scale deployments cart --replicas=3"
        assert f"$ {line}" in text
        assert "Undo: Scale deployment shop/cart back to 2." in text
        await pilot.press("c")
        assert copied == [line]
        await pilot.press("j")
        await until(pilot, lambda: "request: no ␛[31m[red]way[/]." in " ".join(screen_text(pilot).split()), "its words")
        await pilot.press("w")
        await until(pilot, lambda: "Runbook Wrote" in told_aside(pilot), "a script")
        check_script(tmp_path, line)
        await pilot.press("k", "U")
        await asked(pilot)
        assert "spec.replicas 3 → 2" in said(pilot)
        await pilot.press("enter")
        await to_its_end(world, pilot)
        assert live(world, DEPLOYMENTS, "shop", "cart")["spec"]["replicas"] == 2
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, JournalScreen)
        await shows(pilot, "3 changes")
        text = screen_text(pilot)
        assert "undoes another" in text
        assert "deployment shop/cart  undone" in text
        # What undid something is not promised to be undone.
        assert "Undo: " not in text
        await pilot.press("U")
        await until(pilot, lambda: "This cannot be undone, or was undone already." in told_aside(pilot), "a refusal")
        await pilot.press("q")
        await shows(pilot, "Deployments 10")
