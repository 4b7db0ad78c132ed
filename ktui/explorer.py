"""Explorer: which context and which namespaces are explored, and the session that keeps them current."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import TYPE_CHECKING

from textual.suggester import Suggester

from ktui.kinds.builtin import HOME
from ktui.kinds.kind import Kind
from ktui.kinds.text import clean
from ktui.kube.client import Client
from ktui.kube.destination import parse_destination
from ktui.kube.errors import ConfigError, KtuiError
from ktui.kube.known_namespaces import KnownNamespaces
from ktui.kube.kubeconfig import Kubeconfig, load_kubeconfig
from ktui.kube.last_seen import KindSeen, LastSeen, Memory, files_looked_at
from ktui.kube.session import Session, View
from ktui.options import Options

if TYPE_CHECKING:
    from ktui.acts import Acts
    from ktui.app import KtuiApp
    from ktui.screens.home import HomeScreen
    from ktui.screens.tables import TableScreen
    from ktui.widgets.meters import Meters

HOME_DEPTH = 2
"""Pages on the stack when the home screen is the one that is seen: it stands on the opening screen."""

CONNECT_FIRST = 0.05
"""Seconds for which connecting goes before everything else: it takes a fifth of that where no plugin is asked."""

HANDED_OVER = 2.0
"""Seconds after which the first page looks at what was asked for before it was there."""

KEEP_EVERY = 30.0
"""Seconds between two times at which what is shown is kept for the next start."""

LEAVE_WITHIN = 2.0
"""Seconds that connections get to close when ktui is left."""


class Destinations(Suggester):
    """Completes what is typed after `:`.

    Args:
        explorer: whose session knows what the server serves.
    """

    def __init__(self, explorer: Explorer) -> None:
        super().__init__(use_cache=False, case_sensitive=False)
        self._explorer = explorer

    async def get_suggestion(self, value: str) -> str | None:
        """The first kind that begins with what was typed."""
        if not value or " " in value or self._explorer.session.client is None:
            return None
        try:
            discovery = await self._explorer.session.discovery()
        except KtuiError:
            # Completion is a convenience; going there will say what is wrong.
            return None
        words = ("contexts", "namespaces", *(r.gvr.resource for r in discovery.resources if r.listable))
        return next((word for word in words if word.startswith(value)), None)


class Explorer:
    """What all pages share: the context, its session, and the ways to change them.

    Args:
        app: the application, whose pages these are.
        options: what was asked for on the command line.
        clock: epoch seconds, against which ages are told.
        seen: what the home screen showed when ktui was open last with these options.

    Attributes:
        options: as above.
        context: the name of the context in use; until the kubeconfig has been read that of last time, or empty.
        namespaces: the namespaces looked at; empty for all.
        kubeconfig: what was read; None until then.
        known: namespaces that the user is known to read; None until the kubeconfig has been read.
        session: the context's connection and feeds.
        destinations: completes what is typed after `:`.
        meters: count what ktui itself costs; None while nobody wants to know.
    """

    def __init__(self, app: KtuiApp, options: Options, clock: Callable[[], float], seen: LastSeen) -> None:
        self.options = options
        self.context = options.context or seen.context
        self.namespaces = options.namespaces
        self.kubeconfig: Kubeconfig | None = None
        self.known: KnownNamespaces | None = None
        self._app = app
        self._clock = clock
        self.destinations = Destinations(self)
        self.session = self._new_session()
        self._session_task: asyncio.Task[None] | None = None
        self._home: HomeScreen | None = None
        self._seen = seen
        # The context that was asked for, and the files as they were before they were read.
        self._asked_for = options.context or ""
        self._files = ""
        self._keeping: asyncio.Task[None] | None = None
        self.meters: Meters | None = None
        self._acts: Acts | None = None
        if options.perf:
            self.toggle_meters()

    async def open(self) -> None:
        """Connect, and show the home screen, or the kind that was asked for.

        What the home screen shows is asked for before it is there: it is imported while TLS is agreed upon, and mounted
        while the server thinks.
        """
        asked = self._first_views()
        for view in asked if not self.options.start_kind else ():
            if (seen := self._seen.kinds.get(view.feed.kind.gvr.resource)) is not None:
                view.feed.recall(seen, self._clock())
        self._keeping = asyncio.create_task(self._keep_seen())
        self._keeping.add_done_callback(self._task_ended)
        self._start()
        if self.options.before_connecting is None:
            await self.session.connected(CONNECT_FIRST)
        screens = await asyncio.to_thread(import_module, "ktui.screens.home")
        covered = bool(self.options.start_kind)
        self._home = home = screens.HomeScreen(self.session, self.namespaces, covered=covered)
        await self._app.push_screen(home)
        if covered:
            self._app.call_next(home.go_to, self.options.start_kind)
        for view in asked:
            # Soon the page looks.
            self._app.set_timer(HANDED_OVER, view.close)

    def _first_views(self) -> list[View]:
        """What the first page will look at, as far as that is known without asking the server."""
        if not self.options.start_kind:
            return [self.session.open(kind, self.namespaces) for kind in HOME]
        from ktui.kube.listing import builtin_called

        try:
            destination = parse_destination(self.options.start_kind)
        except ConfigError:
            # The page says what is wrong with it.
            return []
        kind = builtin_called(destination.word)
        where = destination.within(self.namespaces)
        return [] if kind is None else [self.session.open(kind, where, labels=destination.labels)]

    async def close(self) -> None:
        """Close the connections; a dead server is not waited for."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait([self._keeping])
        if self._session_task is not None:
            self._session_task.cancel()
            await asyncio.wait([self._session_task], timeout=LEAVE_WITHIN)

    # -- what was seen last ------------------------------------------------------------------

    async def _keep_seen(self) -> None:
        """Keep what the home screen shows for the next start: now and then, and at the end, however that comes."""
        kept: dict[str, KindSeen] = {}
        try:
            while True:
                await asyncio.sleep(KEEP_EVERY)
                seen = self._seen_now()
                if any(name not in kept or not kind.alike(kept[name]) for name, kind in seen.items()):
                    kept = seen
                    await asyncio.to_thread(self._memory.keep, self.context, seen)
        finally:
            if seen := self._seen_now():
                self._memory.keep(self.context, seen)

    def _seen_now(self) -> dict[str, KindSeen]:
        """What is known and in sight of the home screen; nothing where it would not be shown at the next start."""
        home = self._home
        if home is None or not self._files or self.options.demo:
            return {}
        # A context or namespaces that were just chosen may not have reached the page.
        if (home.session, home.namespaces) != (self.session, self.namespaces):
            return {}
        return home.seen_last(self._clock())

    @property
    def _memory(self) -> Memory:
        return Memory(self._files, self._asked_for, self.namespaces)

    # -- changing things ---------------------------------------------------------------------

    @property
    def acts(self) -> Acts:
        """What pages need to act on the cluster."""
        if self._acts is None:
            from ktui.acts import Acts

            self._acts = Acts(self, self._app, self.options.configuration)
        return self._acts

    @property
    def read_only(self) -> bool:
        """Whether nothing may be changed in this context."""
        return self.options.read_only or self.options.configuration.of_context(self.context).read_only

    # -- the session -------------------------------------------------------------------------

    def _new_session(self) -> Session:
        return Session(self._connect, known_namespaces=lambda: self.known() if self.known else (), clock=self._clock)

    def _start(self) -> None:
        self._session_task = asyncio.create_task(self.session.run(), name=f"session {self.context}")
        self._session_task.add_done_callback(self._task_ended)

    async def _connect(self) -> Client:
        """Read the kubeconfig and make a client for the chosen context; nothing blocks the loop."""
        if self.options.before_connecting is not None:
            await self.options.before_connecting()
        self.kubeconfig = await asyncio.to_thread(self._read_kubeconfig)
        self.context = self._asked_for or self.kubeconfig.current
        self.known = KnownNamespaces(self.kubeconfig, self.context)
        return await Client.connect(self.kubeconfig, self.context)

    def _read_kubeconfig(self) -> Kubeconfig:
        self._files = files_looked_at(self.options.kubeconfig)
        return load_kubeconfig(self.options.kubeconfig)

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        """Tasks run until they are cancelled; anything else is a fault of ours, and not kept quiet."""
        if not task.cancelled() and (error := task.exception()) is not None and isinstance(error, Exception):
            self._app.end_with(error)

    # -- contexts and namespaces -------------------------------------------------------------

    def use_context(self, context: str) -> None:
        """Leave the current context and show another; the old one is not waited for, as it may be dead."""
        if self._session_task is not None:
            self._session_task.cancel()
        self.context = self._asked_for = context
        self.session = self._new_session()
        self._start()
        self.go_home(self.namespaces)

    def use_namespaces(self, namespaces: Iterable[str]) -> None:
        """Let the page look at these namespaces; at all when there are none."""
        self.namespaces = tuple(dict.fromkeys(namespaces))
        if self.namespaces and self.known is not None:
            self._app.run_worker(self._remember(self.known, self.namespaces), group="remember")
        if (page := self._page) is not None:
            page.look_at(self.session, self.namespaces)

    async def _remember(self, known: KnownNamespaces, namespaces: tuple[str, ...]) -> None:
        try:
            await asyncio.to_thread(known.remember, namespaces)
        except KtuiError as error:
            self._app.notify(f"{error.sentence} {error.next_step}", severity="warning", markup=False)

    def go_home(self, namespaces: tuple[str, ...]) -> None:
        """Close everything above the home screen, and look at these namespaces there."""
        self.namespaces = namespaces
        self._app.run_worker(self._go_home(), group="home")

    async def _go_home(self) -> None:
        from ktui.screens.home import HomeScreen

        while len(self._app.screen_stack) > HOME_DEPTH:
            await self._app.pop_screen()
        # Where nothing was above it, it has not been resumed.
        home = self._app.screen
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

    def toggle_meters(self) -> None:
        """Show on every page of tables what ktui itself costs, or no longer."""
        if self.meters is not None:
            self.meters.close()
            self.meters = None
        else:
            from ktui.widgets.meters import Meters

            self.meters = Meters(self._app)
        if (page := self._page) is not None:
            page.show_meters()

    @property
    def _page(self) -> TableScreen | None:
        """The page of tables that is seen; None while there is none."""
        if self._home is None:
            return None
        from ktui.screens.tables import TableScreen

        page = self._app.screen
        return page if isinstance(page, TableScreen) else None

    def choose_namespaces(self) -> None:
        """Let the person choose namespaces: from the cluster's where they may be listed, else by typing."""
        from ktui.screens.namespaces import NamespacePicker

        def chosen(typed: str | None) -> None:
            if typed is not None:
                self.use_namespaces(name for name in typed.replace(" ", ",").split(",") if name)

        self._app.push_screen(NamespacePicker(self.session, self.known() if self.known else ()), chosen)

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

        self._app.push_screen(Picker("Contexts", choices, placeholder="type to narrow", note=note), chosen)
