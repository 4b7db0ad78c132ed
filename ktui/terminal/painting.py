"""Painted: how the app writes its frames: only what differs, in one piece, and not before the last one is written."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS, RenderableType
from textual._ansi_sequences import SYNC_END, SYNC_START
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import App
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.screen import Screen
from textual.strip import Strip
from textual.timer import Timer

from ktui.terminal.flow import QUESTION, Flow
from ktui.terminal.picture import Picture
from ktui.terminal.writer import PacedDriver, TerminalDriver

ONE_PIECE = 512
"""Characters of a frame that arrive at once, so that nobody sees half of it."""

PATIENCE = 3.0
"""Seconds after which an answer of the terminal counts as lost."""


class Painted(App[None]):
    """Base of the app, which writes to the terminal what differs from cell to cell.

    Textual writes the lines of all widgets that were repainted. Here they go into a picture, and what makes the
    terminal look like it is written when the terminal has taken all that was written before: a slow one skips frames.
    """

    def __init__(self) -> None:
        super().__init__()
        self._picture: Picture | None = None
        self._flow = Flow()
        self._waiting: Timer | None = None

    def get_driver_class(self) -> type[Driver]:
        """Textual's choice; of its driver for terminals, the paced one."""
        chosen = super().get_driver_class()
        return TerminalDriver if chosen is LinuxDriver else chosen

    # -- what may have changed on the terminal without us ---------------------------------------

    def on_mount(self) -> None:
        """Follow when the terminal is given back."""
        self.app_resume_signal.subscribe(self, lambda _: self._resumed())

    def on_resize(self) -> None:
        """Terminals do what they like with what they show when their size changes."""
        self.forget_terminal()

    def on_app_focus(self) -> None:
        """The person comes back, and finds all as it should be."""
        self.forget_terminal()
        self._write_frame()

    def _resumed(self) -> None:
        # What was asked before may have been answered to somebody else.
        self._flow = Flow()
        self.forget_terminal()
        self._go_on()

    def forget_terminal(self) -> None:
        """Somebody else may have written to the terminal: the next frame writes everything."""
        if self._picture is not None:
            self._picture.forget()

    # -- frames --------------------------------------------------------------------------------

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """Overrides `App._display`, which writes what the compositor has rendered."""
        if not isinstance(renderable, LayoutUpdate | ChopsUpdate) or self.is_inline:
            if renderable is not None:
                self.forget_terminal()
            super()._display(screen, renderable)
            return
        if not self._batch_count and not self.is_headless:
            picture = self._picture_of(screen, renderable)
            for y, x, strip in _strips(renderable):
                picture.put(y, x, strip, strip.cell_length)
            self._write_frame()
        self.post_display_hook()

    def _picture_of(self, screen: Screen[Any], update: LayoutUpdate | ChopsUpdate) -> Picture:
        width, height = self.size
        if self._picture is None or self._picture.size != (width, height):
            system = COLOR_SYSTEMS.get(self.console.color_system or "", ColorSystem.TRUECOLOR)
            self._picture = Picture(width, height, system, erases=erases_with_ground())
            if isinstance(update, ChopsUpdate):
                # What was not repainted now is not in the picture.
                screen.refresh()
        return self._picture

    def _write_frame(self) -> None:
        """Write what differs, now or as soon as the terminal has taken what was written before."""
        picture, driver = self._picture, self._driver
        if picture is None or driver is None or not self._running or self._closed:
            return
        if isinstance(driver, PacedDriver) and not driver.writer.idle(self._written):
            return
        if self._flow.full:
            if self._waiting is None:
                self._waiting = self.set_timer(PATIENCE, self._not_answered)
            return
        frame = picture.frame(self.screen.outer_size.clamp_offset(self.cursor_position))
        if frame and self._sync_available:
            # A terminal that says so answers such questions. What is written in one piece is shown in one piece anyhow.
            asked = QUESTION if self._flow.send(len(frame.encode())) else ""
            whole = frame if len(frame) <= ONE_PIECE else f"{SYNC_START}{frame}{SYNC_END}"
            frame = f"{whole}{asked}"
        if frame:
            driver.write(frame)

    def on_terminal_supports_synchronized_output(self) -> None:
        """The terminal has answered, and can take more."""
        self._flow.answered()
        self._go_on()

    def _not_answered(self) -> None:
        self._flow.unanswered()
        self._go_on()

    def _go_on(self) -> None:
        if self._flow.full:
            return
        if self._waiting is not None:
            self._waiting.stop()
            self._waiting = None
        self._write_frame()

    def _written(self) -> None:
        """Called by the writer, in its thread."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self.call_next, self._write_frame)


def _strips(update: LayoutUpdate | ChopsUpdate) -> Iterator[tuple[int, int, Strip]]:
    """What was repainted: line, column, strip."""
    if isinstance(update, LayoutUpdate):
        for y, strips in enumerate(update.strips, update.region.y):
            x = update.region.x
            for strip in strips:
                yield y, x, strip
                x += strip.cell_length
        return
    for y, begin, end in update.spans:
        for (x, chop), chop_end in zip(update.chops[y].items(), update.chop_ends[y], strict=False):
            if chop is not None and x < end and begin < chop_end:
                yield y, x, chop


@cache
def erases_with_ground() -> bool:
    """Whether cells that the terminal erases take the ground that it draws with.

    That is what `bce` says in the terminal's entry in terminfo, on which ncurses relies in the same way; where there is
    no entry, blanks are written.
    """
    if sys.platform == "win32":
        return False
    import curses

    try:
        curses.setupterm(fd=sys.__stderr__.fileno() if sys.__stderr__ is not None else 2)
        return curses.tigetflag("bce") == 1
    except curses.error:
        return False
