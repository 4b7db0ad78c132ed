"""Store: the rows of one kind, by key, with indexes and the keys that changed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from typing import Any

from ktui.kinds.cells import without_object
from ktui.kinds.kind import Index, Kind
from ktui.kinds.names import ObjectKey
from ktui.kinds.relation import Wanted
from ktui.kinds.row import Row
from ktui.kinds.workload import NONE

MOST_OBJECTS = 3000
"""Objects that an abridged store keeps, those of late: about 6 KB each, where a row without costs half a kilobyte."""


class Changes:
    """The keys that changed for one subscriber since it last drained them.

    Attributes:
        keys: keys of rows that came, changed or went, in that order; what they lead to says nothing.
    """

    def __init__(self, store: Store, wake: Callable[[], None]) -> None:
        self.keys: dict[ObjectKey, object] = {}
        self._store = store
        self._wake = wake

    def add(self, keys: Mapping[ObjectKey, object]) -> None:
        """Note changes; wakes the subscriber when they are the first ones."""
        first = not self.keys
        self.keys.update(keys)
        if first and self.keys:
            self._wake()

    def drain(self) -> Collection[ObjectKey]:
        """The changed keys, which are forgotten."""
        keys, self.keys = self.keys, {}
        return keys.keys()

    def close(self) -> None:
        """Stop collecting changes."""
        self._store._subscribers.discard(self)


class Store:
    """The rows of one kind in one scope.

    Indexes are built when first asked for and kept from then on: a screen that shows no relations pays for none.

    An abridged store has rows without objects, because there are too many to hold whole; it knows some objects, those
    that changed of late and those that somebody wanted.

    Attributes:
        kind: whose rows these are. A kind that only the server can print gets its columns from the first list.
        rows: all rows by key; for others to read only.
        lists: how many lists have begun.
    """

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.rows: dict[ObjectKey, Row] = {}
        self.lists = 0
        self._abridged: set[str] = set()
        self._readers: dict[Hashable, _Reader] = {
            name: _Reader(kind, index) for name, index in (kind.indexes or {}).items()
        }
        self._indexes: dict[Hashable, dict[Hashable, dict[ObjectKey, Row]]] = {}
        self._subscribers: set[Changes] = set()
        # Of an abridged store: which objects it has, the latest last, and what of them is complete.
        self._objects: dict[ObjectKey, None] = {}
        self._whole: set[Wanted] = set()

    def __len__(self) -> int:
        return len(self.rows)

    def subscribe(self, wake: Callable[[], None]) -> Changes:
        """Collect changes from now on.

        Args:
            wake: called, synchronously, when the first keys are noted after a drain.
        """
        changes = Changes(self, wake)
        self._subscribers.add(changes)
        return changes

    def put(self, rows: Iterable[Row]) -> None:
        """Add or replace rows. One that the store already has in the same version changes nothing."""
        mine, fresh = self.rows, {row.key: row for row in rows}
        if not mine.keys().isdisjoint(fresh):
            for key in [key for key, row in fresh.items() if key in mine and _same_version(mine[key], row)]:
                del fresh[key]
        for index in self._indexes:
            self._refile(index, fresh)
        mine.update(fresh)
        if self.abridged:
            self._keep_objects(fresh)
        self._note(fresh)

    def remove(self, key: ObjectKey) -> None:
        """Drop the row with `key`, if there is one."""
        if (row := self.rows.pop(key, None)) is not None:
            self._reindex(row, None)
            self._objects.pop(key, None)
            self._note({key: row})

    def keys_in(self, namespace: str) -> set[ObjectKey]:
        """The keys of the rows in a namespace; of all when it is empty."""
        return {key for key in self.rows if key.namespace == namespace} if namespace else set(self.rows)

    def discard(self, keys: Iterable[ObjectKey]) -> None:
        """Drop rows, as far as they are there."""
        for key in keys:
            self.remove(key)

    def announce(self) -> None:
        """Wake every subscriber for every row: the kind's columns changed."""
        self._note(self.rows)

    def _note(self, keys: Mapping[ObjectKey, object]) -> None:
        for subscriber in self._subscribers:
            subscriber.add(keys)

    # -- objects of an abridged store --------------------------------------------------------

    @property
    def abridged(self) -> bool:
        """Whether there may be rows without objects."""
        return bool(self._abridged)

    def begin_list(self, namespace: str, *, abridged: bool) -> None:
        """A list begins; what was whole may be so no longer.

        Args:
            namespace: where it lists; empty for everywhere.
            abridged: whether without objects.
        """
        self.lists += 1
        if abridged:
            self._abridged.add(namespace)
        else:
            self._abridged.discard(namespace)
        self._whole.clear()
        kept = self.rows.items() if self._abridged else ()
        self._objects = {key: None for key, row in kept if row.object is not None}

    def whole(self, wanted: Wanted) -> bool:
        """Whether the wanted objects are known, and none is missing."""
        if not self.abridged or wanted in self._whole:
            return True
        row = self.rows.get(ObjectKey(wanted.namespace, wanted.name)) if wanted.name else None
        return row is not None and row.object is not None

    def complete(self, wanted: Wanted) -> None:
        """Note that all wanted objects have been put; the watch, which brings objects, keeps them complete."""
        self._whole.add(wanted)

    def _keep_objects(self, fresh: Mapping[ObjectKey, Row]) -> None:
        """Keep the objects of late, and let go of older ones, whose rows look the same without."""
        for key in self._objects.keys() & fresh.keys():
            del self._objects[key]
        self._objects.update(dict.fromkeys([key for key, row in fresh.items() if row.object is not None]))
        # In batches, as what was complete is so no longer.
        if len(self._objects) > MOST_OBJECTS * 5 // 4:
            self._whole.clear()
            while len(self._objects) > MOST_OBJECTS:
                key = next(iter(self._objects))
                del self._objects[key]
                old = self.rows[key]
                self.rows[key] = row = without_object(self.kind, old)
                self._reindex(old, row)

    # -- indexes -----------------------------------------------------------------------------

    def define_index(self, index: Hashable, reads: Callable[[Any], Iterable[Hashable]]) -> None:
        """Add an index beside those of the kind; defining it again changes nothing.

        Args:
            index: its name.
            reads: the values under which a typed object is filed.
        """
        self._readers.setdefault(index, _Reader(self.kind, Index(reads)))

    def indexed(self, index: Hashable, value: Hashable) -> Iterable[Row]:
        """The rows filed under `value` in a defined index."""
        if index not in self._indexes:
            self._indexes[index] = {}
            for row in self._readers[index].telling(self.rows):
                self._file(index, row)
        return self._indexes[index].get(value, {}).values()

    def _refile(self, index: Hashable, fresh: Mapping[ObjectKey, Row]) -> None:
        """File rows that are about to be put."""
        mine, reader = self.rows, self._readers[index]
        for key in mine.keys() & fresh.keys():
            self._unfile(index, mine[key])
        for row in reader.telling(fresh):
            self._file(index, row)

    def _reindex(self, before: Row | None, after: Row | None) -> None:
        for index in self._indexes:
            if before is not None:
                self._unfile(index, before)
            if after is not None:
                self._file(index, after)

    def _file(self, index: Hashable, row: Row) -> None:
        filed = self._indexes[index]
        for value in self._readers[index].values(row):
            filed.setdefault(value, {})[row.key] = row

    def _unfile(self, index: Hashable, row: Row) -> None:
        filed = self._indexes[index]
        for value in self._readers[index].values(row):
            if (under := filed.get(value)) is not None:
                under.pop(row.key, None)
                if not under:
                    del filed[value]


class _Reader:
    """Reads the values under which rows are filed."""

    def __init__(self, kind: Kind, index: Index) -> None:
        column = kind.column(index.column) if index.column else None
        self._values = index.values
        self._place = -1 if column is None else column.server

    def telling(self, rows: Mapping[ObjectKey, Row]) -> Iterable[Row]:
        """Those that may have any value: of rows without objects only the cells tell, if anything does."""
        return rows.values() if self._place >= 0 else [row for row in rows.values() if row.object is not None]

    def values(self, row: Row) -> Iterable[Hashable]:
        if row.object is not None:
            return self._values(row.object)
        cells, place = row.cells, self._place
        if cells is None or not 0 <= place < len(cells) or cells[place] == NONE:
            return ()
        return (cells[place],)


def _same_version(before: Row, after: Row) -> bool:
    """Whether two rows show the same version of the same object, as far as they tell."""
    if before.object is None or after.object is None:
        return before.object is after.object and before.cells == after.cells and before.uid == after.uid
    old, new = before.object.metadata.resource_version, after.object.metadata.resource_version
    # A cell may change without its object (a column that the server computes), so cells are compared as well.
    return before.uid == after.uid and bool(new) and old == new and before.cells == after.cells
