"""LivePane: a pane whose table is kept current by a session's feed."""

from __future__ import annotations

import time
from collections.abc import Collection

from textual.message import Message

from ktui.kinds.builtin import BUILTIN
from ktui.kinds.column import Column, JoinColumn
from ktui.kinds.kind import Kind
from ktui.kinds.names import ObjectKey
from ktui.kinds.row import Row
from ktui.kinds.text import clean
from ktui.kinds.tone import Tone
from ktui.kube.feed import Feed
from ktui.kube.joins import Joins
from ktui.kube.last_seen import MOST_ROWS, KindSeen, row_seen
from ktui.kube.session import Session
from ktui.kube.state import Denied, Listing, Partial, Remembered, Stale, Unusable, complete
from ktui.widgets.freshness import freshness, sentence
from ktui.widgets.pane import Pane
from ktui.widgets.resource_table import ResourceTable
from ktui.widgets.table_model import TableModel

AT_LEAST_SEEN = 20
"""Rows that are remembered even of a pane that shows fewer."""


class LivePane(Pane):
    """One kind in some namespaces, live.

    It opens its feed, and those of the kinds that its columns join, when it is made; it lets go of them when it is
    removed.

    Args:
        session: where feeds come from.
        kind: what to show.
        namespaces: where; empty for all.
        labels: a label selector that the server applies.
        fields: a field selector that the server applies.

    Attributes:
        joins: what other kinds know about its rows.
    """

    class Changed(Message):
        """Rows came, changed or went. Sent once until `seen` is called.

        Attributes:
            pane: where.
        """

        def __init__(self, pane: LivePane) -> None:
            super().__init__()
            self.pane = pane

    class StateChanged(Message):
        """How current it is has changed.

        Attributes:
            pane: where.
        """

        def __init__(self, pane: LivePane) -> None:
            super().__init__()
            self.pane = pane

    def __init__(
        self,
        session: Session,
        kind: Kind,
        namespaces: tuple[str, ...] = (),
        *,
        labels: str = "",
        fields: str = "",
    ) -> None:
        self._session = session
        self._suspended = False
        self._unrevealed: frozenset[ObjectKey] = frozenset()
        self._certain, self._trouble = True, ""
        self._view = session.open(kind, namespaces, labels=labels, fields=fields)
        self._namespaces = namespaces
        self.joins = Joins(session, self.feed, namespaces, BUILTIN, self._touch, self._choose_columns)
        self._columns_of = kind
        model = TableModel(self.feed.store, self._columns(), joined=self.joins.lookup)
        super().__init__(ResourceTable(model, clock=session.clock), kind.title, id=kind.gvr.resource)
        self._end_listening = self.feed.listen(self._state_changed)
        self._changes = self.feed.store.subscribe(self._announce)

    @property
    def feed(self) -> Feed:
        """The rows and how current they are."""
        return self._view.feed

    @property
    def kind(self) -> Kind:
        """What is shown, with the columns the server named."""
        return self.feed.kind

    @property
    def row(self) -> Row | None:
        """The row under the cursor."""
        return self.table.row

    def on_mount(self) -> None:
        """Say how current it is from the beginning."""
        super().on_mount()
        self.tell(time.monotonic())

    def on_unmount(self) -> None:
        """Look no longer."""
        self._end_listening()
        self._changes.close()
        self.joins.close()
        self.table.model.close()
        self._view.close()

    def suspend(self) -> None:
        """Nobody looks: the cluster is asked no longer, after the session's linger."""
        self._last_sight = self.seen_last(self._session.clock())
        self._suspended = True
        self.joins.suspend()
        self._view.close()

    def resume(self) -> None:
        """Somebody looks again: the rows are still there, and are brought up to date."""
        if self._suspended:
            self._suspended = False
            self.joins.resume()
            self._view = self._session.reopen(self.feed)

    # -- what is shown -----------------------------------------------------------------------

    def shows(self, session: Session, namespaces: tuple[str, ...]) -> bool:
        """Whether these are the rows of a context, in some namespaces."""
        return (session, namespaces) == (self._session, self._namespaces)

    def seen_last(self, now: float) -> KindSeen | None:
        """The rows in sight, or that were in sight last, to be remembered; None while they are not known.

        Args:
            now: epoch seconds.
        """
        if self._suspended:
            return self._last_sight
        state, counts, model = self.feed.state, self.table.counts, self.table.model
        if not (complete(state) or isinstance(state, Partial)):
            return None
        at = now - (time.monotonic() - state.since) if isinstance(state, Stale) else now
        # Of a pane that is closed, a few rows for when it is opened; of one scrolled to its end, those before it.
        most = min(max(counts.height, AT_LEAST_SEEN), MOST_ROWS)
        rows = model.window(max(0, min(counts.top, len(model) - most)), most)
        lines = self.table.texts[: MOST_ROWS + 1]
        return KindSeen(at, model.total, lines, tuple(row_seen(self.kind, row) for row in rows))

    def tell(self, now: float) -> None:
        """Say how current the rows are, and why there are none.

        Args:
            now: seconds of the monotonic clock.
        """
        state = self.feed.state
        then, state = (state, state.why) if isinstance(state, Remembered) else (None, state)
        expected = state.total if isinstance(state, Listing) else None
        remembered = None if then is None or isinstance(state, Listing) else then.total
        self.show_freshness(freshness(then or state, now), expected, remembered)
        if complete(state):
            self.table.settle()
        tone = Tone.FAILED if isinstance(state, Denied | Unusable) else Tone.PLAIN
        if isinstance(state, Stale) and not state.complete:
            tone = Tone.WARNING
        self.table.say(self._words(), tone)

    def _words(self) -> tuple[str, ...]:
        """What stands in place of rows when there are none to show."""
        model, plural = self.table.model, self.kind.gvr.resource
        if model.total and model.filter:
            return (f"No {plural} with “{model.filter.text}”.", "Esc clears the filter.")
        if model.total and model.unhealthy_only:
            return (f"All {plural} are well.", "! shows them again.")
        if self.subject and self._trouble:
            return (f"Not all is known of what belongs to {self.subject}.", clean(self._trouble), "ctrl+r asks again.")
        if self.subject and not self._certain:
            return (f"Looking for what belongs to {self.subject} …",)
        if self.subject and complete(self.feed.state):
            return (f"No {plural} belong to {self.subject}.", "Esc widens again.")
        return sentence(self.feed.state, model.total, plural)

    def narrow(
        self, keys: Collection[ObjectKey] | None, subject: str, *, certain: bool = True, trouble: str = ""
    ) -> None:
        """Show only these rows; all when None.

        Args:
            keys: which.
            subject: the name of what they belong to; empty for none.
            certain: whether these are all; others may still be found.
            trouble: why others cannot be found, in a sentence; empty when they can.
        """
        self._certain, self._trouble = certain, trouble
        if keys is None:
            subject = ""
        if subject != self.subject:
            self.subject = subject
        if (None if keys is None else frozenset(keys)) != self.table.model.only:
            self.table.narrow(keys)
        self.table.say(self._words())

    def mark_related(self, keys: Collection[ObjectKey]) -> None:
        """Mark the rows that belong to the object under the cursor of another pane."""
        marked = frozenset(keys)
        if marked != self.table.related:
            self.table.related = self._unrevealed = marked

    def reveal_related(self) -> None:
        """Scroll once until the first marked row is seen, unless one of them is; the cursor stays on its row."""
        keys, self._unrevealed = self._unrevealed, frozenset()
        counts = self.table.counts
        places = [place for key in keys if (place := self.table.model.index_of(key)) is not None]
        if places and not any(counts.top <= place < counts.top + counts.height for place in places):
            # A few rows of what stands above it tell where one is.
            self.table.scroll_rows(max(0, min(places) - counts.height // 4) - counts.top)

    def shown_keys(self) -> set[ObjectKey]:
        """The keys of the rows that are shown."""
        return self.table.model.shown_keys()

    def select(self, key: ObjectKey) -> None:
        """Put the cursor on a row, if it is shown."""
        if (index := self.table.model.index_of(key)) is not None:
            self.table.move_cursor(index)

    def focus_table(self) -> None:
        """Give it the keyboard."""
        self.table.focus()

    # -- filters and order -------------------------------------------------------------------

    @property
    def filter_text(self) -> str:
        """What rows must contain; empty for nothing."""
        return self.table.model.filter.text

    @property
    def filtered(self) -> bool:
        """Whether a filter of the person's hides rows."""
        return bool(self.filter_text) or self.table.unhealthy_only

    def filter_by(self, text: str) -> None:
        """Show only rows that contain `text`."""
        self.table.filter_by(text.strip())
        self.table.call_later(self._filters_changed)

    def toggle_unhealthy(self) -> None:
        """Show only rows in trouble, or all again."""
        self.table.unhealthy_only = not self.table.unhealthy_only
        self._filters_changed()

    def clear_filters(self) -> None:
        """Show all rows again."""
        self.table.unhealthy_only = False
        self.filter_by("")

    def sort_by_letter(self, letter: str) -> bool:
        """Sort by the next column whose name begins with a letter; by the same one again when there is no other.

        Args:
            letter: in upper case.

        Returns:
            Whether there is such a column.
        """
        names = [column.name for column in self.table.columns if column.name.startswith(letter)]
        if not names:
            return False
        sort = self.table.model.sort
        place = names.index(sort.column) if sort is not None and sort.column in names else -1
        turn_around = sort is not None and place >= 0 and not sort.descending
        self.table.sort_by(names[place] if turn_around else names[(place + 1) % len(names)])
        return True

    def counted(self) -> None:
        """Say so in the frame, and join what is in sight now."""
        super().counted()
        model = self.table.model
        self.joins.look_at({key.namespace for key in self.table.keys_in_sight})
        if model.sort is not None and isinstance(column := model.column(model.sort.column), JoinColumn):
            # What is sorted by must be known of all rows.
            self.joins.look_everywhere(column.join)

    def _filters_changed(self) -> None:
        self.table.say(self._words())
        self.tell_frame()

    # -- changes -----------------------------------------------------------------------------

    def seen(self) -> None:
        """What changed has been taken note of; tell again when more changes."""
        self._changes.drain()

    def _announce(self) -> None:
        if self.is_attached:
            self.post_message(self.Changed(self))

    def _state_changed(self) -> None:
        if self.is_attached:
            if self.kind != self._columns_of:
                self._choose_columns()
            self.tell(time.monotonic())
            self.post_message(self.StateChanged(self))

    def _touch(self, keys: set[ObjectKey]) -> None:
        self.table.model.touch(keys)

    def _choose_columns(self) -> None:
        """The server named its columns, or a joined kind turned out to be served, or not."""
        self._columns_of = self.kind
        self.table.columns = self._columns()

    def _columns(self) -> tuple[Column, ...]:
        columns = self.kind.columns_for(wide=True, all_namespaces=len(self._namespaces) != 1)
        return tuple(c for c in columns if not isinstance(c, JoinColumn) or self.joins.served(c.join))
