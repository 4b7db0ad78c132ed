"""Navigation: the ways from a page to other pages, namespaces and contexts."""

from __future__ import annotations

from ktui.kinds.kind import Kind
from ktui.kinds.names import ObjectKey
from ktui.kinds.row import Row
from ktui.kinds.text import clean
from ktui.kube.destination import Destination, parse_destination
from ktui.kube.errors import ConfigError, KtuiError
from ktui.kube.session import Session
from ktui.screens.acting import Acting


class Navigation(Acting):
    """A page from which one can go elsewhere.

    Args:
        session: the context it shows.
        namespaces: what it looks at; empty for all.
    """

    def __init__(self, session: Session, namespaces: tuple[str, ...]) -> None:
        super().__init__()
        self.session = session
        self.namespaces = namespaces

    def chosen_object(self) -> tuple[Kind, Row] | None:
        """The object under the cursor, with its kind; None when there is none."""
        raise NotImplementedError

    # -- where the person typed to go --------------------------------------------------------

    def go_to(self, typed: str) -> None:
        """Go where the person typed to go."""
        try:
            self._go(parse_destination(typed))
        except KtuiError as error:
            self.complain(error)

    def _go(self, destination: Destination) -> None:
        match destination.word:
            case "":
                return
            case "q" | "quit" | "exit":
                self.app.exit()
            case "ctx" | "context" | "contexts" if destination.arguments:
                self._use_context(destination.arguments[0])
            case "ctx" | "context" | "contexts":
                self.action_contexts()
            case "ns" | "namespace" | "namespaces" if destination.namespaces or destination.all_namespaces:
                self.explorer.use_namespaces(destination.namespaces)
            case "journal":
                self.explorer.acts.show_journal()
            case "home":
                self.explorer.go_home(destination.namespaces or self.explorer.namespaces)
            case _:
                self.run_worker(self._browse(destination), group="browse", exclusive=True)

    def _use_context(self, context: str) -> None:
        kubeconfig = self.explorer.kubeconfig
        if kubeconfig is not None and context not in kubeconfig.contexts:
            raise ConfigError(f"There is no context {clean(context)!r}.", "Press ctrl+k to choose one.")
        self.explorer.use_context(context)

    async def _browse(self, destination: Destination) -> None:
        from ktui.screens.browse import BrowseScreen

        try:
            kind = await self.explorer.kind_called(destination.word)
        except KtuiError as error:
            self.complain(error)
            return
        namespaces = destination.within(self.namespaces)
        self.app.push_screen(
            BrowseScreen(self.session, kind, namespaces, labels=destination.labels, filter_text=destination.filter)
        )

    def complain(self, error: KtuiError) -> None:
        """Say what went wrong, and what to do."""
        self.notify(f"{error.sentence} {error.next_step}".strip(), severity="warning", markup=False)

    # -- pages about an object ---------------------------------------------------------------

    def show_details(self, kind: Kind, key: ObjectKey, tab: str = "overview") -> None:
        """Everything about one object."""
        from ktui.screens.details import DetailsScreen

        self.app.push_screen(DetailsScreen(self.session, kind, key, tab=tab, now=self.session.clock))

    def action_details(self, tab: str = "overview") -> None:
        """Everything about the object under the cursor."""
        if (chosen := self.chosen_object()) is not None:
            kind, row = chosen
            self.show_details(kind, row.key, tab)

    def action_copy(self) -> None:
        """Copy something of the object under the cursor."""
        from ktui.screens.copy import CopyScreen

        if (chosen := self.chosen_object()) is not None:
            kind, row = chosen
            self.app.push_screen(CopyScreen(self.session, kind, row.key))

    # -- pages about everything --------------------------------------------------------------

    def action_help(self) -> None:
        """All keys."""
        from ktui.screens.help import HelpScreen, page_groups

        self.app.push_screen(HelpScreen(page_groups(self)))

    def action_contexts(self) -> None:
        """Choose another context."""
        self.explorer.choose_context()

    def action_namespaces(self) -> None:
        """Choose the namespaces to look at."""
        self.explorer.choose_namespaces()

    def action_all_namespaces(self) -> None:
        """Look at all namespaces."""
        if self.namespaces:
            self.explorer.use_namespaces(())

    def action_demo(self) -> None:
        """Look at the embedded cluster."""
        self.explorer.open_demo()
