"""Joins: what other kinds know about the rows of a table, such as the CPU that a pod uses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any

from ktui.kinds.column import Join, JoinColumn
from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR, ObjectKey
from ktui.kube.feed import Feed
from ktui.kube.session import Session, View
from ktui.kube.state import Absent, Denied, Partial, State, Unusable, complete
from ktui.kube.store import Changes


class Joins:
    """The feeds that a table's joined columns read, open for as long as the table is looked at.

    Args:
        session: where feeds come from.
        kind: the table's kind, whose columns say what is joined.
        namespaces: the table's namespaces; empty for all.
        kinds: the joined kinds.
        on_rows: called with the keys of the table's rows about which something new is known.
        on_served: called when a joined kind turns out to be served, or not.
    """

    def __init__(
        self,
        session: Session,
        kind: Kind,
        namespaces: tuple[str, ...],
        kinds: Mapping[GVR, Kind],
        on_rows: Callable[[set[ObjectKey]], None],
        on_served: Callable[[], None],
    ) -> None:
        self._joined = {
            column.join: _Joined(
                column.join,
                session,
                session.open(kinds[column.join.gvr], namespaces, every=column.join.polled, whole=True),
                on_rows,
                on_served,
            )
            for column in kind.columns
            if isinstance(column, JoinColumn)
        }

    def served(self, join: Join) -> bool:
        """Whether something is known of every row: the joined kind is served, allowed, and has been listed."""
        return self._joined[join].served

    def lookup(self, join: Join, key: Hashable) -> Iterable[Any] | None:
        """The joined objects of the row with `key`; None while nothing is known of any row."""
        joined = self._joined.get(join)
        return joined.of(key) if joined is not None and joined.served else None

    @property
    def feeds(self) -> list[Feed]:
        """The feeds of the joined kinds."""
        return [joined.view.feed for joined in self._joined.values()]

    def suspend(self) -> None:
        """Nobody looks for now."""
        for joined in self._joined.values():
            joined.view.close()

    def resume(self) -> None:
        """Somebody looks again."""
        for joined in self._joined.values():
            joined.resume()

    def close(self) -> None:
        """Look no longer."""
        for joined in self._joined.values():
            joined.close()


class _Joined:
    """One joined kind."""

    def __init__(
        self,
        join: Join,
        session: Session,
        view: View,
        on_rows: Callable[[set[ObjectKey]], None],
        on_served: Callable[[], None],
    ) -> None:
        self.served = False
        self.view = view
        self._join = join
        self._session = session
        self._on_rows, self._on_served = on_rows, on_served
        # Which row each joined object belonged to: when one goes, its row must be told.
        self._belongs: dict[ObjectKey, ObjectKey] = {}
        store = view.feed.store
        store.define_index(join, lambda item: (join.key_of(item),))
        self._loop = asyncio.get_running_loop()
        self._noticing: asyncio.Handle | None = None
        self._end_listening = view.feed.listen(self._soon)
        self._changes: Changes = store.subscribe(self._soon)
        # Others may look at the feed already, so that all is known.
        self._changes.keys.update(store.rows)
        self._soon()

    def resume(self) -> None:
        self.view = self._session.reopen(self.view.feed)

    def of(self, key: Hashable) -> Iterable[Any]:
        return [row.object for row in self.view.feed.store.indexed(self._join, key)]

    def close(self) -> None:
        if self._noticing is not None:
            self._noticing.cancel()
        self._end_listening()
        self._changes.close()
        self.view.close()

    def _soon(self) -> None:
        # A page of rows comes at once; look when it has landed.
        if self._noticing is None:
            self._noticing = self._loop.call_soon(self._notice)

    def _notice(self) -> None:
        self._noticing = None
        rows, touched = self.view.feed.store.rows, set()
        for key in self._changes.drain():
            if (before := self._belongs.pop(key, None)) is not None:
                touched.add(before)
            if (row := rows.get(key)) is not None:
                after = self._join.key_of(row.object)
                self._belongs[key] = after
                touched.add(after)
        served, self.served = self.served, self._known(self.view.feed.state)
        if served != self.served:
            self._on_served()
        if touched:
            self._on_rows(touched)

    def _known(self, state: State) -> bool:
        # While pages land, rows whose objects are yet to come would look as if they had none.
        if isinstance(state, Absent | Denied | Unusable):
            return False
        return self.served or complete(state) or isinstance(state, Partial)
