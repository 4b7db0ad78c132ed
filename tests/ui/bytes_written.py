"""Runs an app on a terminal that keeps what is written to it, so that tests can count bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast
from unittest.mock import patch

import pyte
from rich.color import ColorSystem
from textual.app import App
from textual.drivers.headless_driver import HeadlessDriver
from textual.pilot import Pilot

from ktui.terminal import painting


class Terminal(HeadlessDriver):
    """A terminal of a fixed size, on which the app paints as on a real one.

    Attributes:
        written: what the app wrote, in order, since the last `forget`.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.written: list[str] = []
        self._everything: list[str] = []

    @property
    def is_headless(self) -> bool:
        """False: a headless app renders nothing."""
        return False

    def write(self, data: str) -> None:
        """Keep what would go to the terminal."""
        self.written.append(data)
        self._everything.append(data)

    def forget(self) -> None:
        """Count from here."""
        self.written.clear()

    @property
    def bytes(self) -> int:
        """How many bytes were written since the last `forget`."""
        return sum(len(data.encode()) for data in self.written)

    @property
    def everything(self) -> int:
        """How many bytes were written since the app began."""
        return sum(len(data.encode()) for data in self._everything)

    def screen(self) -> list[str]:
        """What a terminal shows that got all these bytes, line by line."""
        return ["".join(cells) for cells in self.cells()]

    def cells(self) -> list[list[str]]:
        """The same, cell by cell; the second cell of a wide character is empty."""
        width, height = cast("tuple[int, int]", self._size)
        screen = pyte.Screen(width, height)
        pyte.Stream(screen).feed("".join(self._everything))
        return [[screen.buffer[y][x].data for x in range(width)] for y in range(height)]


@asynccontextmanager
async def painted(app: App[Any], size: tuple[int, int] = (200, 50)) -> AsyncIterator[tuple[Pilot[Any], Terminal]]:
    """Run `app` until everything has been painted once.

    Args:
        app: any app that is not running.
        size: columns and lines.
    """
    app.driver_class = Terminal
    # Whatever terminal the tests run in: the most expensive colours, and a ground that erasing leaves.
    app.console._color_system = ColorSystem.TRUECOLOR
    with patch.object(painting, "erases_with_ground", return_value=True):
        async with app.run_test(headless=False, size=size) as pilot:
            await pilot.pause()
            terminal = cast(Terminal, app._driver)
            await pilot.pause()
            terminal.forget()
            yield pilot, terminal
