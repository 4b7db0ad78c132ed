"""What lists and watches bring: pages and events."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from ktui.kinds.row import Row

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
"""How a server-side Table is asked for; servers without Tables answer the plain list."""


class ListMeta(msgspec.Struct, rename="camel", gc=False):
    """metav1.ListMeta."""

    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")
    remaining_item_count: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list.

    Attributes:
        rows: its objects.
        version: the resource version of the whole list.
        next: the token of the next page; empty on the last.
        remaining: how many objects follow, where the server says.
        abridged: whether the list brings rows without objects, because there are too many.
    """

    rows: list[Row]
    version: str
    next: str
    remaining: int | None
    abridged: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """A change that a watch reports.

    Attributes:
        type: ADDED, MODIFIED, DELETED or BOOKMARK.
        version: the resource version up to which the watch is now current.
        row: the object; None for a bookmark.
    """

    type: str
    version: str
    row: Row | None
