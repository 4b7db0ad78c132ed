"""What the app has written, difference by difference, looks like what it writes when it writes everything."""

from __future__ import annotations

from typing import Any

import pyte
import pytest

from ktui.widgets.palette import ANSI, DARK, LIGHT
from tests.ui.bytes_written import painted
from tests.ui.conftest import World, listed, screen_text, until

SIZE = (130, 40)
KEYS = ("down", "pagedown", "4", "end", "z", "slash", "s", "escape", "question_mark", "escape", "d", "escape", "z", "2")


def look(written: list[str]) -> list[list[tuple[Any, ...]]]:
    """All cells of a terminal that was sent this, and of blanks what is seen of them."""
    width, height = SIZE
    screen = pyte.Screen(width, height)
    pyte.Stream(screen).feed("".join(written))
    return [[_seen(screen.buffer[y][x]) for x in range(width)] for y in range(height)]


def _seen(cell: Any) -> tuple[Any, ...]:
    if cell.data == " " and not (cell.reverse or cell.underscore):
        return " ", cell.bg
    return tuple(cell)


@pytest.mark.parametrize("theme", [DARK.name, LIGHT.name, ANSI.name, "NO_COLOR"])
async def test_differences_add_up(world: World, theme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In every theme, and without colours, through pages, panes, prompts and dialogs."""
    if theme == "NO_COLOR":
        monkeypatch.setenv("NO_COLOR", "1")
        theme = DARK.name
    app = world.app(theme=theme)
    async with painted(app, SIZE) as (pilot, terminal):
        await listed(pilot)
        for key in KEYS:
            await pilot.press(key)
            await pilot.pause()
            seen = look(terminal._everything)
            app.forget_terminal()
            terminal.forget()
            app._write_frame()
            assert seen == look(terminal.written), key
        await until(pilot, lambda: [line.rstrip() for line in terminal.screen()] == screen_text(pilot).split("\n"))
