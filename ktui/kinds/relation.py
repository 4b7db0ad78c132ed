"""Relations: what belongs together, as values that are resolved against whatever stores are open."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from ktui.kinds.names import GVR, ObjectKey
from ktui.kinds.row import Row


class Wanted(NamedTuple):
    """Objects that must be known whole, where a store may hold rows without their objects.

    Attributes:
        gvr: their kind.
        namespace: where they are; empty for everywhere.
        name: of one object; empty for all that the selectors leave.
        labels: a label selector.
        fields: a field selector.
    """

    gvr: GVR
    namespace: str
    name: str = ""
    labels: str = ""
    fields: str = ""


class Lookup(Protocol):
    """Reads the stores that are open; kinds that nobody watches simply have no rows."""

    def row(self, gvr: GVR, key: ObjectKey) -> Row | None:
        """The row of one object."""

    def indexed(self, gvr: GVR, index: str, value: Hashable) -> Iterable[Row]:
        """The rows that the kind's index `index` files under `value`."""

    def whole(self, wanted: Wanted) -> bool:
        """Whether the wanted objects are known whole; so are those of a kind that nobody watches."""


def _nothing(item: Any) -> Iterable[Wanted]:
    return ()


@dataclass(frozen=True, slots=True)
class Relation:
    """A way from an object to objects of another kind.

    Attributes:
        to: the other kind.
        find: the rows of the other kind that belong to a typed object, as far as the open stores know.
        wants: of a typed object, what must be known whole so that `find` finds everything.
    """

    to: GVR
    find: Callable[[Any, Lookup], Iterable[Row]]
    wants: Callable[[Any], Iterable[Wanted]] = _nothing
