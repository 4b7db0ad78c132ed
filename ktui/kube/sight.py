"""Sight: what relations can see, which is the feeds that a page has open."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from ktui.kinds.names import GVR, ObjectKey
from ktui.kinds.relation import Wanted
from ktui.kinds.row import Row
from ktui.kube.feed import Feed


class Sight:
    """Reads open feeds the way relations want to read them (`ktui.kinds.relation.Lookup`).

    Args:
        feeds: what is open, one a kind.
    """

    def __init__(self, feeds: Iterable[Feed]) -> None:
        self._stores = {feed.scope.gvr: feed.store for feed in feeds}

    def row(self, gvr: GVR, key: ObjectKey) -> Row | None:
        """The row of one object, if its kind is open and has it."""
        store = self._stores.get(gvr)
        return store.rows.get(key) if store is not None else None

    def indexed(self, gvr: GVR, index: str, value: Hashable) -> Iterable[Row]:
        """The rows that an index files under `value`; none where the kind is not open."""
        store = self._stores.get(gvr)
        return store.indexed(index, value) if store is not None else ()

    def whole(self, wanted: Wanted) -> bool:
        """Whether the wanted objects are known whole; so are those of a kind that is not open."""
        store = self._stores.get(wanted.gvr)
        return store is None or store.whole(wanted)
