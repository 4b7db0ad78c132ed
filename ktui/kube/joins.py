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
from ktui.kube.state import Absent, Denied, Partial, State, Unusable, Waiting, complete
from ktui.kube.store import Changes

MOST_PLACES = 12
"""Namespaces in sight whose objects are asked for one by one; a screen of rows has hardly more."""

OnRows = Callable[[set[ObjectKey]], None]
Open = Callable[[Join, tuple[str, ...]], View]


class Joins:
    """The feeds that a table's joined columns read, open for as long as the table is looked at.

    What cannot be watched is listed again and again. Of a table with too many rows to hold whole it is therefore listed
    for the namespaces in sight only, until somebody sorts by it.

    Args:
        session: where feeds come from.
        feed: the table's own.
        namespaces: the table's namespaces; empty for all.
        kinds: the joined kinds.
        on_rows: called with the keys of the table's rows about which something new is known.
        on_served: called when a joined kind turns out to be served, or not.
    """

    def __init__(
        self,
        session: Session,
        feed: Feed,
        namespaces: tuple[str, ...],
        kinds: Mapping[GVR, Kind],
        on_rows: OnRows,
        on_served: Callable[[], None],
    ) -> None:
        def opened(join: Join, places: tuple[str, ...]) -> View:
            return session.open(kinds[join.gvr], places, every=join.polled, whole=True)

        self._feed = feed
        self._joined = {
            column.join: _Joined(column.join, session, opened, namespaces, on_rows, on_served)
            for column in feed.kind.columns
            if isinstance(column, JoinColumn)
        }
        for join, joined in self._joined.items():
            if not join.polled:
                joined.look_everywhere()
        self._end_listening = feed.listen(self._begin)
        self._begin()

    def _begin(self) -> None:
        """Ask for what is polled, as soon as the table's first page says how large it is."""
        if isinstance(self._feed.state, Waiting | Unusable) or (not self._feed.store.rows and not self._feed.listed):
            return
        for join, joined in self._joined.items():
            if join.polled and not self._feed.store.abridged:
                joined.look_everywhere()

    def look_at(self, namespaces: Iterable[str]) -> None:
        """Say which namespaces have rows in sight."""
        if self._feed.store.abridged:
            for join, joined in self._joined.items():
                if join.polled:
                    joined.look_at(namespaces)

    def look_everywhere(self, join: Join) -> None:
        """Ask about all rows, as somebody sorts by what is joined."""
        self._joined[join].look_everywhere()

    def served(self, join: Join) -> bool:
        """Whether something is known of rows: the joined kind is served, allowed, and has been listed."""
        return self._joined[join].served

    def lookup(self, join: Join, key: Hashable) -> Iterable[Any] | None:
        """The joined objects of the row with `key`; None while nothing is known of it."""
        joined = self._joined.get(join)
        return joined.of(key) if joined is not None else None

    @property
    def feeds(self) -> list[Feed]:
        """The feeds of the joined kinds."""
        return [part.view.feed for joined in self._joined.values() for part in joined.parts.values()]

    def suspend(self) -> None:
        """Nobody looks for now."""
        for joined in self._joined.values():
            for part in joined.parts.values():
                part.view.close()

    def resume(self) -> None:
        """Somebody looks again."""
        for joined in self._joined.values():
            for part in joined.parts.values():
                part.resume()

    def close(self) -> None:
        """Look no longer."""
        self._end_listening()
        for joined in self._joined.values():
            for part in joined.parts.values():
                part.close()


class _Joined:
    """One joined kind: everywhere, or in the namespaces in sight.

    Attributes:
        parts: by the namespaces that each holds.
        served: whether it is known of any rows.
    """

    def __init__(
        self,
        join: Join,
        session: Session,
        opened: Open,
        namespaces: tuple[str, ...],
        on_rows: OnRows,
        on_served: Callable[[], None],
    ) -> None:
        self.parts: dict[tuple[str, ...], _Part] = {}
        self.served = False
        self._join = join
        self._session = session
        self._opened = opened
        self._everywhere = namespaces
        self._on_rows, self._on_served = on_rows, on_served

    def look_everywhere(self) -> None:
        if self._everywhere not in self.parts:
            self._open(self._everywhere)

    def look_at(self, namespaces: Iterable[str]) -> None:
        if self._everywhere in self.parts:
            return
        wanted = sorted(set(namespaces))[:MOST_PLACES]
        for places in [places for places in self.parts if places[0] not in wanted]:
            self.parts.pop(places).close()
        for namespace in wanted:
            if (namespace,) not in self.parts:
                self._open((namespace,))

    def of(self, key: Hashable) -> Iterable[Any] | None:
        part = self.parts.get(self._everywhere)
        if (part is None or not part.known) and isinstance(key, ObjectKey):
            part = self.parts.get((key.namespace,))
        return part.of(key) if part is not None and part.known else None

    def _open(self, places: tuple[str, ...]) -> None:
        view = self._opened(self._join, places)
        self.parts[places] = _Part(self._join, self._session, view, self._on_rows, self._judge)

    def _judge(self) -> None:
        """Whether it is served at all; other namespaces that come into sight change nothing about that."""
        known = any(part.known for part in self.parts.values())
        refused = any(part.refused for part in self.parts.values())
        served, self.served = self.served, known or (self.served and not refused)
        if served != self.served:
            self._on_served()


class _Part:
    """One feed of a joined kind.

    Attributes:
        view: the feed.
        known: whether all is known of the rows in its scope.
        refused: whether it is not served, or not allowed.
    """

    def __init__(self, join: Join, session: Session, view: View, on_rows: OnRows, on_known: Callable[[], None]) -> None:
        self.known = self.refused = False
        self.view = view
        self._join = join
        self._session = session
        self._on_rows, self._on_known = on_rows, on_known
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
        state = self.view.feed.state
        self.refused = isinstance(state, Absent | Denied | Unusable)
        # While pages land, rows whose objects are yet to come would look as if they had none.
        self.known = not self.refused and (self.known or _complete(state))
        self._on_known()
        if touched:
            self._on_rows(touched)


def _complete(state: State) -> bool:
    return complete(state) or isinstance(state, Partial)
