"""Store: the rows of one kind, by key, with indexes and the keys that changed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable

from ktui.kinds.kind import Index, Kind
from ktui.kinds.names import ObjectKey
from ktui.kinds.row import Row


class Changes:
    """The keys that changed for one subscriber since it last drained them.

    Attributes:
        keys: keys of rows that came, changed or went.
    """

    def __init__(self, store: Store, wake: Callable[[], None]) -> None:
        self.keys: set[ObjectKey] = set()
        self._store = store
        self._wake = wake

    def add(self, key: ObjectKey) -> None:
        """Note a change; wakes the subscriber when it is the first one."""
        first = not self.keys
        self.keys.add(key)
        if first:
            self._wake()

    def drain(self) -> set[ObjectKey]:
        """The changed keys, which are forgotten."""
        keys, self.keys = self.keys, set()
        return keys

    def close(self) -> None:
        """Stop collecting changes."""
        self._store._subscribers.discard(self)


class Store:
    """The rows of one kind in one scope.

    Indexes are built when first asked for and kept from then on: a screen that shows no relations pays for none.

    Attributes:
        kind: whose rows these are. A kind that only the server can print gets its columns from the first list.
        rows: all rows by key; for others to read only.
    """

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.rows: dict[ObjectKey, Row] = {}
        self._readers: dict[Hashable, Index] = dict((kind.indexes or {}).items())
        self._indexes: dict[Hashable, dict[Hashable, dict[ObjectKey, Row]]] = {}
        self._subscribers: set[Changes] = set()

    def __len__(self) -> int:
        return len(self.rows)

    def subscribe(self, wake: Callable[[], None]) -> Changes:
        """Collect changes from now on.

        Args:
            wake: called, synchronously, when the first key is noted after a drain.
        """
        changes = Changes(self, wake)
        self._subscribers.add(changes)
        return changes

    def put(self, rows: Iterable[Row]) -> None:
        """Add or replace rows. One that the store already has in the same version changes nothing."""
        mine = self.rows
        for row in rows:
            before = mine.get(row.key)
            if before is not None and _same_version(before, row):
                continue
            mine[row.key] = row
            self._reindex(before, row)
            self._note(row.key)

    def remove(self, key: ObjectKey) -> None:
        """Drop the row with `key`, if there is one."""
        if (row := self.rows.pop(key, None)) is not None:
            self._reindex(row, None)
            self._note(key)

    def sweep(self, seen: set[ObjectKey], namespace: str = "") -> None:
        """Drop the rows that a complete list did not show.

        Args:
            seen: the keys that the list showed.
            namespace: where the list looked; empty for everywhere.
        """
        for key in [key for key in self.rows if key not in seen and (not namespace or key.namespace == namespace)]:
            self.remove(key)

    def define_index(self, index: Hashable, reads: Index) -> None:
        """Add an index beside those of the kind; defining it again changes nothing.

        Args:
            index: its name.
            reads: the values under which a typed object is filed.
        """
        self._readers.setdefault(index, reads)

    def indexed(self, index: Hashable, value: Hashable) -> Iterable[Row]:
        """The rows filed under `value` in a defined index, or in "namespace", which every store has."""
        if index not in self._indexes:
            self._indexes[index] = {}
            for row in self.rows.values():
                self._file(index, row)
        return self._indexes[index].get(value, {}).values()

    def announce(self) -> None:
        """Wake every subscriber for every row: the kind's columns changed."""
        for key in self.rows:
            self._note(key)

    def _note(self, key: ObjectKey) -> None:
        for subscriber in self._subscribers:
            subscriber.add(key)

    def _reindex(self, before: Row | None, after: Row | None) -> None:
        for index in self._indexes:
            if before is not None:
                self._unfile(index, before)
            if after is not None:
                self._file(index, after)

    def _file(self, index: Hashable, row: Row) -> None:
        filed = self._indexes[index]
        for value in self._values(index, row):
            filed.setdefault(value, {})[row.key] = row

    def _unfile(self, index: Hashable, row: Row) -> None:
        filed = self._indexes[index]
        for value in self._values(index, row):
            if (under := filed.get(value)) is not None:
                under.pop(row.key, None)
                if not under:
                    del filed[value]

    def _values(self, index: Hashable, row: Row) -> Iterable[Hashable]:
        if index == "namespace":
            return (row.key.namespace,)
        return self._readers[index](row.object) if row.object is not None else ()


def _same_version(before: Row, after: Row) -> bool:
    """Whether two rows show the same version of the same object, as far as they tell."""
    if before.uid != after.uid:
        return False
    if before.object is None or after.object is None:
        return before.object is after.object and before.cells == after.cells
    old, new = before.object.metadata.resource_version, after.object.metadata.resource_version
    # A cell may change without its object (a column that the server computes), so cells are compared as well.
    return bool(new) and old == new and before.cells == after.cells
