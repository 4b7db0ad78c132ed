"""Browse: one kind on the whole screen, any kind that the server serves."""

from __future__ import annotations

from textual.app import ComposeResult

from ktui.kinds.kind import Kind
from ktui.kube.session import Session
from ktui.screens.tables import TableScreen
from ktui.widgets.live_pane import LivePane


class BrowseScreen(TableScreen):
    """A live table of one kind.

    Args:
        session: the context it shows.
        kind: what it shows.
        namespaces: where; empty for all.
        labels: a label selector that the server applies.
        filter_text: a filter to begin with.
    """

    DEFAULT_CSS = """
    BrowseScreen LivePane { height: 1fr; }
    """

    def __init__(
        self, session: Session, kind: Kind, namespaces: tuple[str, ...], *, labels: str = "", filter_text: str = ""
    ) -> None:
        super().__init__(session, namespaces)
        self._kind = kind
        self._labels = labels
        self._first_filter = filter_text

    def compose_panes(self) -> ComposeResult:
        """One table."""
        yield LivePane(self.session, self._kind, self.namespaces, labels=self._labels)

    def on_mount(self) -> None:
        """Begin with the filter that was asked for."""
        super().on_mount()
        if self._first_filter:
            self.pane.filter_by(self._first_filter)

    def place(self) -> str:
        """The kind, and the selector."""
        name = self._kind.gvr.qualified
        return f"{name} -l {self._labels}" if self._labels else name

    def counts(self) -> str:
        """How many there are."""
        return f"{len(self.pane.feed.store):,} {self._kind.gvr.resource}"
