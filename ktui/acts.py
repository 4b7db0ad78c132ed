"""Acts: what pages need to act on a cluster: who may do what, the dialogs, the journal, and undoing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from textual.app import App

from ktui.actions import permission
from ktui.actions.action import Action, Step, Target
from ktui.actions.journal import Entry, Journal, NotKept, entry_of
from ktui.actions.permission import READ_ONLY, Verdict
from ktui.actions.place import Place
from ktui.actions.undertaking import Keep, Undertaking, Written
from ktui.configuration import Configuration
from ktui.kube.client import Client
from ktui.kube.errors import KtuiError
from ktui.kube.openapi import ServerSchemas
from ktui.screens.act import ActScreen
from ktui.screens.acting import new_batch

if TYPE_CHECKING:
    from ktui.explorer import Explorer

log = logging.getLogger(__name__)

_Request = tuple[str, str, str]
"""Method, path and name."""


class Acts:
    """Acts on the context that is explored.

    Args:
        explorer: the context and its session.
        app: whose pages these are.
        configuration: of the person.
    """

    def __init__(self, explorer: Explorer, app: App[None], configuration: Configuration) -> None:
        self._explorer = explorer
        self._app = app
        self._configuration = configuration
        self._journals: dict[tuple[str, str], Journal] = {}
        self._schemas: tuple[Client, ServerSchemas] | None = None

    @property
    def place(self) -> Place:
        """The cluster."""
        return Place(self._explorer.session)

    @property
    def schemas(self) -> ServerSchemas:
        """What the server tells of its kinds, kept as long as the connection.

        Raises:
            KtuiError: there is no connection.
        """
        client = self.place.client
        if self._schemas is None or self._schemas[0] is not client:
            self._schemas = client, ServerSchemas(client)
        return self._schemas[1]

    # -- who may -----------------------------------------------------------------------------

    @property
    def read_only(self) -> bool:
        """Whether nothing may be changed in this context."""
        return self._explorer.read_only

    def _refuses(self, action: Action) -> bool:
        """Whether ktui itself lets nobody do it: it changes or makes something, and nothing may be changed."""
        return self.read_only and bool(action.access or action.creates)

    def may(self, action: Action, target: Target) -> bool | None:
        """Whether an action may be done, as far as that is known; asks nobody."""
        session = self._explorer.session
        if self._refuses(action):
            return False
        if session.client is None:
            return None
        return permission.known(session.client, action, target, user=session.server.user).allowed

    async def verdict(self, action: Action, targets: Sequence[Target]) -> Verdict:
        """Whether an action may be done to all of some objects, asked for where it is not known.

        Raises:
            KtuiError: there is no connection.
        """
        if self._refuses(action):
            return READ_ONLY
        user = self._explorer.session.server.user
        verdict = Verdict(None)
        # One namespace is asked about once, so the first object of each tells.
        for target in {target.key.namespace: target for target in targets}.values():
            verdict = await permission.ask(self.place.client, action, target, user=user)
            if verdict.allowed is False:
                return verdict
        return verdict

    # -- doing -------------------------------------------------------------------------------

    def act(
        self,
        action: Action,
        targets: Sequence[Target],
        *,
        hidden: int = 0,
        on_done: Callable[[], None] | None = None,
        keep: Keep | None = None,
    ) -> Undertaking:
        """Open the dialog of an action; returns what it undertakes.

        Args:
            action: what to do.
            targets: to what.
            hidden: how many of these a filter hides.
            on_done: called when something was done.
            keep: keeps what was written; the journal does when None.
        """
        undertaking = Undertaking(self.place, action, targets, keep or self._keeper(), new_batch())
        rules = self._configuration.of_context(self._explorer.context)
        self._app.push_screen(
            ActScreen(undertaking, verdict=self.verdict, protected=rules.protected, hidden=hidden, on_done=on_done)
        )
        return undertaking

    # -- what was done -----------------------------------------------------------------------

    @property
    def journal(self) -> Journal:
        """The journal of this cluster.

        Raises:
            KtuiError: there is no connection, so nobody knows which cluster it is.
        """
        identity = self.place.client.identity
        which = identity.server, identity.context
        if which not in self._journals:
            self._journals[which] = Journal(*which)
        return self._journals[which]

    def _keeper(self, undoes: Mapping[_Request, str] = MappingProxyType({})) -> Keep:
        """What keeps the writes of one undertaking, wherever the person has gone by the time they are made.

        Args:
            undoes: by their requests, the entries that writes take back.
        """
        journal, context, clock = self.journal, self._explorer.context, self._explorer.session.clock

        def keep(written: Written) -> None:
            entry = entry_of(
                written,
                context=context,
                at=clock(),
                keep_secrets=self._configuration.undo.keep_secrets,
                undoes=undoes.get(_request(written.step), ""),
            )
            # A journal that cannot be written stops nobody, but is said.
            try:
                journal.append(entry)
                if entry.undoes and written.error is None:
                    journal.undone(entry.undoes, entry.at)
            except NotKept as error:
                self._app.notify(f"{error.sentence} {error.next_step}", severity="warning", markup=False)

        return keep

    def undo(self) -> None:
        """Choose one of the last changes, and undo it."""
        from ktui.screens.undo import UndoScreen

        try:
            self._app.push_screen(UndoScreen(self.journal, self._explorer.session.clock), self._undo_chosen)
        except KtuiError as error:
            self._app.notify(f"{error.sentence} {error.next_step}", severity="warning", markup=False)

    def _undo_chosen(self, entries: Sequence[Entry] | None) -> None:
        if entries:
            self._app.run_worker(self.undo_entries(entries), group="undo", exit_on_error=False)

    async def undo_entries(self, entries: Sequence[Entry]) -> None:
        """Open the dialog that undoes what was done together.

        Args:
            entries: the newest last.
        """
        from ktui.actions.undoing import undo_action, undo_targets

        try:
            targets = await undo_targets(self.place, entries)
        except KtuiError as error:
            self._app.notify(f"{error.sentence} {error.next_step}", severity="warning", markup=False)
            return
        undoes = {}
        for entry in entries:
            if entry.undo is not None and not entry.undo.refused:
                undoes[_request(entry.undo.step(Target(targets[0].kind, entry.undo.key)))] = entry.id
        self.act(undo_action(entries), targets, keep=self._keeper(undoes))

    def show_journal(self) -> None:
        """Everything that was changed from here."""
        from ktui.screens.journal import JournalScreen

        try:
            self._app.push_screen(JournalScreen(self.journal, self._explorer.session.clock, self.undo_entries))
        except KtuiError as error:
            self._app.notify(f"{error.sentence} {error.next_step}", severity="warning", markup=False)


def _request(step: Step) -> _Request:
    """What tells the writes of one undertaking apart."""
    return step.write.method, step.write.path, step.target.key.name
