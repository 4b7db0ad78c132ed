"""The application: theme, screens, and the session's life. No cluster logic."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.suggester import Suggester

from ktui.crash import CrashKept
from ktui.kinds.kind import Kind
from ktui.kinds.text import clean
from ktui.kube.client import Client
from ktui.kube.errors import KtuiError
from ktui.kube.known_namespaces import KnownNamespaces
from ktui.kube.session import Session
from ktui.options import Options
from ktui.screens.home import HomeScreen
from ktui.screens.tables import TableScreen
from ktui.widgets.palette import PALETTES, themes

if TYPE_CHECKING:
    from ktui.kube.kubeconfig import Kubeconfig

log = logging.getLogger(__name__)


class Destinations(Suggester):
    """Completes what is typed after `:`.

    Args:
        app: whose session knows what the server serves.
    """

    def __init__(self, app: KtuiApp) -> None:
        super().__init__(use_cache=False, case_sensitive=False)
        self._app = app

    async def get_suggestion(self, value: str) -> str | None:
        """The first kind that begins with what was typed."""
        if not value or " " in value or self._app.session.client is None:
            return None
        try:
            discovery = await self._app.session.discovery()
        except KtuiError:
            # Completion is a convenience; going there will say what is wrong.
            return None
        words = ("contexts", "namespaces", *(r.gvr.resource for r in discovery.resources if r.listable))
        return next((word for word in words if word.startswith(value)), None)


KEY_NAMES = {
    "escape": "esc",
    "slash": "/",
    "colon": ":",
    "question_mark": "?",
    "exclamation_mark": "!",
    "pageup": "pgup",
    "pagedown": "pgdn",
}

LEAVE_WITHIN = 2.0
"""Seconds that connections get to close when ktui is left or another context chosen."""


class KtuiApp(CrashKept, App[None]):
    """ktui.

    Args:
        options: what was asked for on the command line.
        clock: epoch seconds, against which ages are told.

    Attributes:
        context: the name of the context in use; empty until the kubeconfig has been read.
        namespaces: the namespaces looked at; empty for all.
        session: the context's connection and feeds.
    """

    TITLE = "ktui"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "quit", "Quit", show=False, system=True),
    ]

    def __init__(self, options: Options, *, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self.options = options
        self._clock = clock
        self.context = options.context or ""
        self.namespaces = options.namespaces
        self.kubeconfig: Kubeconfig | None = None
        self.known: KnownNamespaces | None = None
        self.destinations = Destinations(self)
        self.session = self._new_session()
        self._session_task: asyncio.Task[None] | None = None
        for theme in themes():
            self.register_theme(theme)

    def get_default_screen(self) -> Screen[None]:
        """The home screen: it is what the first frame shows."""
        return HomeScreen(self.session, self.namespaces)

    def on_mount(self) -> None:
        """Choose the theme; connect when the first frame has been painted."""
        self.theme = self.options.theme if self.options.theme in self.available_themes else next(iter(PALETTES))
        if self.options.start_kind and isinstance(self.screen, HomeScreen):
            self.screen.go_to(self.options.start_kind)
        self.call_after_refresh(self._start)

    async def on_unmount(self) -> None:
        """Close the connections."""
        await self._stop()

    def get_key_display(self, binding: Binding) -> str:
        """Keys as people write them: `ctrl+d`, `esc`, `/`."""
        return binding.key_display or KEY_NAMES.get(binding.key, binding.key)

    # -- the session -------------------------------------------------------------------------

    def _new_session(self) -> Session:
        return Session(self._connect, known_namespaces=lambda: self.known() if self.known else (), clock=self._clock)

    def _start(self) -> None:
        # What was made until now stays for good: the collector need not look at it again.
        gc.freeze()
        gc.enable()
        self._session_task = asyncio.create_task(self.session.run(), name=f"session {self.context}")
        self._session_task.add_done_callback(self._session_ended)

    async def _connect(self) -> Client:
        """Read the kubeconfig and make a client for the chosen context; nothing blocks the loop."""
        if self.options.before_connecting is not None:
            await self.options.before_connecting()
        self.kubeconfig = await asyncio.to_thread(self._read_kubeconfig)
        self.context = self.context or self.kubeconfig.current
        self.known = KnownNamespaces(self.kubeconfig, self.context)
        return await Client.connect(self.kubeconfig, self.context)

    def _read_kubeconfig(self) -> Kubeconfig:
        # YAML and what reads it are imported here, in a thread, when the first frame has been painted.
        from ktui.kube.kubeconfig import load_kubeconfig

        return load_kubeconfig(self.options.kubeconfig)

    def _session_ended(self, task: asyncio.Task[None]) -> None:
        """A session runs until it is cancelled; anything else is a fault of ours, and not kept quiet."""
        if not task.cancelled() and (error := task.exception()) is not None and isinstance(error, Exception):
            self._handle_exception(error)

    async def _stop(self) -> None:
        if self._session_task is None:
            return
        self._session_task.cancel()
        await asyncio.wait([self._session_task], timeout=LEAVE_WITHIN)

    # -- contexts and namespaces -------------------------------------------------------------

    def use_context(self, context: str) -> None:
        """Leave the current context and show another; the old one is not waited for, as it may be dead."""
        if self._session_task is not None:
            self._session_task.cancel()
        self.context = context
        self.session = self._new_session()
        self._start()
        self.go_home(self.namespaces)

    def use_namespaces(self, namespaces: Iterable[str]) -> None:
        """Let the page look at these namespaces; at all when there are none."""
        self.namespaces = tuple(dict.fromkeys(namespaces))
        if self.namespaces and self.known is not None:
            self.run_worker(self._remember(self.known, self.namespaces), group="remember")
        if isinstance(page := self.screen, TableScreen):
            page.look_at(self.session, self.namespaces)

    async def _remember(self, known: KnownNamespaces, namespaces: tuple[str, ...]) -> None:
        try:
            await asyncio.to_thread(known.remember, namespaces)
        except KtuiError as error:
            self.notify(f"{error.sentence} {error.next_step}", severity="warning", markup=False)

    def go_home(self, namespaces: tuple[str, ...]) -> None:
        """Close everything above the home screen, and look at these namespaces there."""
        self.namespaces = namespaces
        self.run_worker(self._go_home(), group="home")

    async def _go_home(self) -> None:
        while len(self.screen_stack) > 1:
            await self.pop_screen()
        # Where nothing was above it, it has not been resumed.
        home = self.screen
        assert isinstance(home, HomeScreen)
        home.look_at(self.session, self.namespaces)

    def open_demo(self) -> None:
        """Look at the embedded cluster, as there is no other to look at."""
        if self.options.open_demo is not None:
            self.options = self.options.open_demo()
            self.namespaces = ()
            self.use_context("")

    async def kind_called(self, word: str) -> Kind:
        """The kind that a person means by `word`.

        Raises:
            KtuiError: the server serves none, or several, or cannot be asked.
        """
        from ktui.kube.listing import UnknownKind, builtin_called, kind_in

        if (kind := builtin_called(word)) is not None:
            return kind
        try:
            return kind_in(await self.session.discovery(), word)
        except UnknownKind:
            # It may have been installed since.
            self.session.forget_discovery()
            return kind_in(await self.session.discovery(), word)

    def choose_namespaces(self) -> None:
        """Let the person choose namespaces: from the cluster's where they may be listed, else by typing."""
        from ktui.screens.namespaces import NamespacePicker

        def chosen(typed: str | None) -> None:
            if typed is not None:
                self.use_namespaces(name for name in typed.replace(" ", ",").split(",") if name)

        self.push_screen(NamespacePicker(self.session, self.known() if self.known else ()), chosen)

    def choose_context(self) -> None:
        """Let the person choose another context of the kubeconfig."""
        from ktui.screens.picker import Choice, Picker

        contexts = self.kubeconfig.contexts if self.kubeconfig else {}
        choices = [
            Choice(name, clean(name), clean(f"{context.cluster} as {context.user}"))
            for name, context in contexts.items()
        ]
        note = "" if choices else "No kubeconfig could be read, so there is nothing to choose."

        def chosen(context: str | None) -> None:
            if context:
                self.use_context(context)

        self.push_screen(Picker("Contexts", choices, placeholder="type to narrow", note=note), chosen)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What ctrl+p offers: all that the page's keys do, and the colours."""
        for active in screen.active_bindings.values():
            binding = active.binding
            if active.node is screen and binding.tooltip and active.enabled:
                act = partial(self.call_later, screen.run_action, binding.action)
                yield SystemCommand(binding.description, f"{binding.tooltip} ({self.get_key_display(binding)})", act)
        yield SystemCommand("Theme", "Change the colours", self.action_change_theme)
