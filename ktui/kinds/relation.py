"""Relations: what belongs together, as values that are resolved against whatever stores are open."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from ktui.kinds.names import GVR, ObjectKey
from ktui.kinds.row import Row


class Lookup(Protocol):
    """Reads the stores that are open; kinds that nobody watches simply have no rows."""

    def row(self, gvr: GVR, key: ObjectKey) -> Row | None:
        """The row of one object."""

    def indexed(self, gvr: GVR, index: str, value: Hashable) -> Iterable[Row]:
        """The rows that the kind's index `index` files under `value`. Every store has the index "namespace"."""


@dataclass(frozen=True, slots=True)
class Relation:
    """A way from an object to objects of another kind.

    Attributes:
        to: the other kind.
        find: the rows of the other kind that belong to a typed object, as far as the open stores know.
    """

    to: GVR
    find: Callable[[Any, Lookup], Iterable[Row]]
