"""RowOrder: keys in the order of what they sort by, kept by bisection."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable
from typing import Any

from ktui.kinds.names import ObjectKey
from ktui.kinds.row import Row

# Where a row stands: what it sorts by, and then its path, so that rows which compare equal stand by namespace and name.
# Without a chosen order it is the path alone. Paths are strings because strings compare five times as fast as pairs.
Place = Any

# Rows are put in by insertion into this many gaps; when there are more, sorting everything is cheaper.
_GAPS = 100
_SEPARATOR = "\0"


def path_of(key: ObjectKey) -> str:
    """The key as a string that sorts like the key."""
    return f"{key[0]}{_SEPARATOR}{key[1]}"


class RowOrder:
    """The shown keys in order.

    Attributes:
        places: where each shown key stands.
    """

    def __init__(self) -> None:
        self.places: dict[ObjectKey, Place] = {}
        self._order: list[Place] = []

    def __len__(self) -> int:
        return len(self._order)

    def reset(self, rows: Iterable[Row], place: Callable[[Row], Place] | None) -> None:
        """Forget all rows and take these.

        Args:
            rows: the rows to show.
            place: where a row stands; None for the order of paths.
        """
        if place is None:
            self.places = {row.key: path_of(row.key) for row in rows}
        else:
            self.places = {row.key: place(row) for row in rows}
        self._order = sorted(self.places.values())

    def key_at(self, index: int) -> ObjectKey:
        """The key at `index`."""
        return ObjectKey(*_path(self._order[index]).split(_SEPARATOR))

    def keys(self, start: int, stop: int) -> list[ObjectKey]:
        """The keys from index `start` up to, not including, `stop`."""
        return [ObjectKey(*_path(place).split(_SEPARATOR)) for place in self._order[start:stop]]

    def index_of(self, key: ObjectKey) -> int | None:
        """Where `key` stands; None when it is not shown."""
        place = self.places.get(key)
        return None if place is None else self._find(place)

    def index_near(self, place: Place) -> int:
        """The index at which a row with `place` stands or would stand."""
        return bisect_left(self._order, place)

    def move(self, gone: list[Place], came: list[Place]) -> None:
        """Take out and put in. `places` already says how it is to be.

        Args:
            gone: places that rows stood at.
            came: places that rows stand at from now on; sorted in passing.
        """
        if len(gone) > _GAPS:
            left = set(map(_path, gone))
            self._order = [place for place in self._order if _path(place) not in left]
        else:
            for place in gone:
                if (index := self._find(place)) is not None:
                    del self._order[index]
        came.sort()
        self._insert(came)

    def _insert(self, came: list[Place]) -> None:
        # Rows that land together mostly belong together: a namespace fits between two others as a whole.
        order = self._order
        done, index = 0, 0
        for _ in range(_GAPS):
            if done == len(came):
                return
            index = bisect_left(order, came[done], index)
            end = len(came) if index == len(order) else bisect_left(came, order[index], done)
            order[index:index] = came[done:end]
            index += end - done
            done = end
        order += came[done:]
        order.sort()

    def _find(self, place: Place) -> int | None:
        order = self._order
        index = bisect_left(order, place)
        if index < len(order) and _path(order[index]) == _path(place):
            return index
        # Only values without an order, such as NaN, do not stand where they belong.
        path = _path(place)
        return next((index for index, other in enumerate(order) if _path(other) == path), None)


def _path(place: Place) -> str:
    path: str = place if isinstance(place, str) else place[-1]
    return path
