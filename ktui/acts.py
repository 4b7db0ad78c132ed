"""Acts: what pages need to act on a cluster: who may do what, the dialogs, the journal, and undoing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ktui.actions import permission
from ktui.actions.action import Action, Target
from ktui.actions.journal import Entry, Journal
from ktui.actions.permission import READ_ONLY, Verdict
from ktui.actions.place import Place
from ktui.actions.records import entry_of
from ktui.actions.undertaking import Undertaking, Written
from ktui.configuration import Configuration
from ktui.screens.act import ActScreen
from ktui.screens.acting import new_batch

if TYPE_CHECKING:
    from ktui.explorer import Explorer

log = logging.getLogger(__name__)


class Acts:
    """Acts on one context.

    Args:
        explorer: the context, its session and its pages.
        configuration: of the person.
    """

    def __init__(self, explorer: Explorer, configuration: Configuration) -> None:
        self._explorer = explorer
        self._configuration = configuration
        self._journal: Journal | None = None

    @property
    def place(self) -> Place:
        """The cluster."""
        return Place(self._explorer.session)

    # -- who may -----------------------------------------------------------------------------

    @property
    def read_only(self) -> bool:
        """Whether nothing may be changed in this context."""
        return self._explorer.options.read_only or self._configuration.read_only_in(self._explorer.context)

    def may(self, action: Action, target: Target) -> bool | None:
        """Whether an action may be done, as far as that is known; asks nobody."""
        return self._known(action, target).allowed

    def _known(self, action: Action, target: Target) -> Verdict:
        session = self._explorer.session
        if self.read_only and action.access:
            return READ_ONLY
        if session.client is None:
            return Verdict(None)
        return permission.known(session.client, action, target, user=session.server.user)

    async def verdict(self, action: Action, targets: Sequence[Target]) -> Verdict:
        """Whether an action may be done to all of some objects, asked for where it is not known.

        Raises:
            KtuiError: there is no connection.
        """
        if self.read_only and action.access:
            return READ_ONLY
        session = self._explorer.session
        verdict = Verdict(None)
        # One namespace is asked about once, so the first object of each tells.
        for target in {target.key.namespace: target for target in targets}.values():
            verdict = await permission.ask(self.place.client, action, target, user=session.server.user)
            if verdict.allowed is False:
                return verdict
        return verdict

    # -- doing -------------------------------------------------------------------------------

    def act(
        self, action: Action, targets: Sequence[Target], *, hidden: int = 0, on_done: Callable[[], None] | None = None
    ) -> None:
        """Open the dialog of an action.

        Args:
            action: what to do.
            targets: to what.
            hidden: how many of these a filter hides.
            on_done: called when something was done.
        """
        undertaking = Undertaking(self.place, action, targets, self._keep, new_batch())
        explorer = self._explorer
        explorer.app.push_screen(
            ActScreen(
                undertaking,
                verdict=self.verdict,
                protected=self._configuration.protected(explorer.context),
                hidden=hidden,
                on_done=on_done,
            )
        )

    # -- what was done -----------------------------------------------------------------------

    @property
    def journal(self) -> Journal:
        """The journal of this cluster.

        Raises:
            KtuiError: there is no connection, so nobody knows which cluster it is.
        """
        identity = self.place.client.identity
        if self._journal is None or self._journal.server != identity.server:
            self._journal = Journal(identity.server, identity.context)
        return self._journal

    def _keep(self, written: Written) -> None:
        """Keep a write; a journal that cannot be written stops nobody, but is said."""
        try:
            self.journal.append(
                entry_of(
                    written,
                    context=self._explorer.context,
                    now=self._explorer.session.clock(),
                    keep_secrets=self._configuration.undo.keep_secrets,
                )
            )
        except OSError as error:
            log.warning("the journal cannot be written", exc_info=True)
            self._explorer.app.notify(
                f"The journal could not be written ({error.strerror}): this change cannot be undone by U.",
                severity="warning",
                markup=False,
            )

    def undo(self) -> None:
        """Choose one of the last changes, and undo it."""
        from ktui.screens.undo import UndoScreen

        self._explorer.app.push_screen(UndoScreen(self, self.place))

    def undo_entries(self, entries: Sequence[Entry]) -> None:
        """Open the dialog that undoes some changes, the newest first."""
        from ktui.actions.undoing import undo_action, undo_targets

        targets = undo_targets(entries)
        self.act(undo_action(entries, self.journal), targets)

    def show_journal(self) -> None:
        """Everything that was changed from here."""
        from ktui.screens.journal import JournalScreen

        self._explorer.app.push_screen(JournalScreen(self))
