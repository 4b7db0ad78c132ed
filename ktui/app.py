"""The application: theme, keys that hold everywhere, and the first frame."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, ClassVar

from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from ktui.crash import CrashKept
from ktui.kube.last_seen import LastSeen, Memory, files_looked_at
from ktui.options import Options
from ktui.screens.opening import OpeningScreen
from ktui.terminal.painting import Painted
from ktui.terminal.type_ahead import TypeAhead
from ktui.widgets.palette import PALETTES, themes

if TYPE_CHECKING:
    from ktui.explorer import Explorer

LEAVE_WITHIN = 4.0
"""Seconds that everything gets to close when a signal ends ktui."""

KEY_NAMES = {
    "escape": "esc",
    "slash": "/",
    "colon": ":",
    "question_mark": "?",
    "exclamation_mark": "!",
    "equals_sign": "=",
    "pageup": "pgup",
    "pagedown": "pgdn",
    "ctrl+underscore": "ctrl+/",
    "ctrl+slash": "ctrl+/",
    # What terminals send for shift and a function key.
    "f15": "shift+f3",
    "f20": "shift+f8",
    "f21": "shift+f9",
}


class KtuiApp(CrashKept, TypeAhead, Painted):
    """ktui.

    The first frame is painted before anything is imported that it does not need; then the explorer takes over.

    Args:
        options: what was asked for on the command line.
        clock: epoch seconds, against which ages are told.

    Attributes:
        explorer: the context, its session and the ways to change them; there after the first frame.
    """

    TITLE = "ktui"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "quit", "Quit", show=False, system=True),
    ]
    explorer: Explorer

    def __init__(self, options: Options, *, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._options = options
        self._clock = clock
        self._seen = _last_seen(options)
        for theme in themes():
            self.register_theme(theme)
        # Before anything is styled, so that nothing is styled twice.
        self.theme = options.theme if options.theme in self.available_themes else next(iter(PALETTES))

    def get_default_screen(self) -> Screen[None]:
        """What the first frame shows."""
        return OpeningScreen(self._seen, self._clock())

    def on_mount(self) -> None:
        """Open when the first frame has been painted."""
        if not self.is_headless:
            # From now on a signal is an event like others, rather than an exception in the midst of anything.
            for number in (signal.SIGTERM, signal.SIGHUP):
                asyncio.get_running_loop().add_signal_handler(number, self._leave, number)
        self.call_after_refresh(self._open)

    def _leave(self, number: int) -> None:
        """A kill, or a closed terminal: leave as on `q`."""
        # A closed terminal sends SIGCONT behind SIGHUP, on which Textual would begin to draw again.
        signal.signal(signal.SIGCONT, signal.SIG_IGN)
        self.exit(return_code=128 + number)
        # Whatever may keep pages from closing keeps nobody from leaving.
        asyncio.get_running_loop().call_later(LEAVE_WITHIN, sys.exit, 128 + number)

    async def _open(self) -> None:
        explorer = await asyncio.to_thread(_import_explorer)
        self.explorer = explorer.Explorer(self, self._options, self._clock, self._seen)
        await self.explorer.open()
        # What was made until now stays for good: the collector need not look at it again.
        gc.freeze()
        gc.enable()

    async def on_unmount(self) -> None:
        """Close the connections."""
        if hasattr(self, "explorer"):
            await self.explorer.close()

    async def action_quit(self) -> None:
        """Leave ktui; an editor with changes is left first, which asks what becomes of them."""
        page = next((page for page in reversed(self.screen_stack) if getattr(page, "modified", False)), None)
        if page is None:
            self.exit()
        elif page is self.screen:
            await page.run_action("leave")
        else:
            self.notify("There are changes in the editor below that are not applied. Leave it first.")

    def end_with(self, error: Exception) -> None:
        """End because of a fault of our own, which is reported when the terminal is the person's again."""
        self._handle_exception(error)

    def get_key_display(self, binding: Binding) -> str:
        """Keys as people write them: `ctrl+d`, `esc`, `/`."""
        return binding.key_display or KEY_NAMES.get(binding.key, binding.key)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What ctrl+p offers: all that the keys of the page do, and those of its parts; and the colours."""
        for active in screen.active_bindings.values():
            binding = active.binding
            if active.node is not self and binding.tooltip and active.enabled:
                act = partial(self.call_later, self.run_action, binding.action, active.node)
                yield SystemCommand(binding.description, f"{binding.tooltip} ({self.get_key_display(binding)})", act)
        costs = "Show what ktui itself costs, or no longer: frames, stalls, bytes, requests, memory"
        yield SystemCommand("Performance", costs, self.explorer.toggle_meters)
        yield SystemCommand("Theme", "Change the colours", self.action_change_theme)


def _last_seen(options: Options) -> LastSeen:
    """What is kept of this configuration; nothing where it would not be shown."""
    if options.demo or options.start_kind:
        return LastSeen()
    return Memory(files_looked_at(options.kubeconfig), options.context or "", options.namespaces).recall()


def _import_explorer() -> ModuleType:
    """The explorer, and what talks to clusters: it connects before it shows anything."""
    explorer = import_module("ktui.explorer")
    import_module("ktui.kube.client").import_network()
    return explorer
