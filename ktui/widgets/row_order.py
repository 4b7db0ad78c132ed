"""RowOrder: keys in the order of what they sort by, kept by bisection."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable
from typing import Any

from ktui.kinds.names import ObjectKey

# Where a row stands: its key; or, in a chosen order, `(rank, value, key)`, so that rows with equal values stand by
# namespace and name.
Place = Any

# Rows are put in by insertion into this many gaps; when there are more, sorting everything is cheaper.
_GAPS = 100


class Moves:
    """Rows that are to leave their places, and to take others.

    Attributes:
        gone: places that rows stood at.
        came: places that rows stand at from now on.
    """

    __slots__ = ("came", "gone")

    def __init__(self) -> None:
        self.gone: list[Place] = []
        self.came: list[Place] = []

    def __bool__(self) -> bool:
        return bool(self.gone or self.came)


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

    def reset(self, keys: Iterable[ObjectKey], place: Callable[[ObjectKey], Place] | None) -> None:
        """Forget all rows and take these.

        Args:
            keys: the rows to show.
            place: where a row stands; None for the order of keys.
        """
        chosen = list(keys)
        self._order = chosen if place is None else list(map(place, chosen))
        self.places = dict(zip(chosen, self._order, strict=True))
        # What is in order already, or in orderly runs, as the rows of each namespace are, is sorted in passing.
        self._order = sorted(self._order)

    def key_at(self, index: int) -> ObjectKey:
        """The key at `index`."""
        return _key(self._order[index])

    def keys(self, start: int, stop: int) -> list[ObjectKey]:
        """The keys from index `start` up to, not including, `stop`."""
        return list(map(_key, self._order[start:stop]))

    def index_of(self, key: ObjectKey) -> int | None:
        """Where `key` stands; None when it is not shown."""
        place = self.places.get(key)
        return None if place is None else self._find(place)

    def index_near(self, place: Place) -> int:
        """The index at which a row with `place` stands or would stand."""
        return bisect_left(self._order, place)

    def put(self, key: ObjectKey, place: Place | None, moves: Moves) -> bool:
        """Say where a row stands from now on; `move` then brings it there.

        Args:
            key: which.
            place: where; None when it is not shown any more.
            moves: what is to be done; added to.

        Returns:
            Whether it moves.
        """
        before = self.places.get(key)
        if before == place:
            return False
        if before is not None:
            moves.gone.append(before)
            del self.places[key]
        if place is not None:
            moves.came.append(place)
            self.places[key] = place
        return True

    def move(self, moves: Moves) -> None:
        """Take out and put in. `places` already says how it is to be."""
        gone, came = moves.gone, moves.came
        if len(gone) > _GAPS:
            left = set(map(_key, gone))
            self._order = [place for place in self._order if _key(place) not in left]
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
        order, key = self._order, _key(place)
        index = bisect_left(order, place)
        if index < len(order) and _key(order[index]) == key:
            return index
        # Only values without an order, such as NaN, do not stand where they belong.
        return next((index for index, other in enumerate(order) if _key(other) == key), None)


def _key(place: Place) -> ObjectKey:
    key: ObjectKey = place if isinstance(place, ObjectKey) else place[-1]
    return key
