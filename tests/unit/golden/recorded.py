"""Answers of a real Kubernetes 1.36: the same objects as JSON and as the cells of the server's Table."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from ktui.kinds.builtin import BUILTIN
from ktui.kinds.column import Join, Joined
from ktui.kinds.generic import ColumnDefinition
from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR, ObjectKey
from ktui.kinds.relation import Wanted
from ktui.kinds.row import Row

_HERE = Path(__file__).parent
KINDS = tuple(BUILTIN.values())


class Recorded(NamedTuple):
    """One kind's objects in one namespace, and how the server printed them.

    Attributes:
        now: epoch seconds of the answer.
        items: the objects as decoded from JSON.
        rows: the typed objects with the server's cells.
        columns: the server's column definitions.
    """

    now: float
    items: list[dict[str, Any]]
    rows: list[Row]
    columns: list[ColumnDefinition]


@cache
def recorded(kind: Kind) -> Recorded:
    """What the server answered for `kind`."""
    name = f"{kind.gvr.resource}.metrics" if kind.gvr.group == "metrics.k8s.io" else kind.gvr.resource
    table = json.loads((_HERE / "tables" / f"{name}.json").read_text())
    objects = [msgspec.convert(item, kind.view) for item in table["items"]]
    rows = [
        Row(item.key, item.metadata.uid, item, tuple(cells)) for item, cells in zip(objects, table["rows"], strict=True)
    ]
    return Recorded(
        table["now"], table["items"], rows, msgspec.convert(table["columnDefinitions"], list[ColumnDefinition])
    )


def item_of(kind: Kind, name: str) -> dict[str, Any]:
    """The whole object called `name`, a copy."""
    found = next(item for item in recorded(kind).items if item["metadata"]["name"] == name)
    copy: dict[str, Any] = json.loads(json.dumps(found))
    return copy


def row_of(kind: Kind, name: str) -> Row:
    """The row of the object called `name`."""
    return next(row for row in recorded(kind).rows if row.key.name == name)


def column_definitions(path: str) -> list[ColumnDefinition]:
    """The server's columns of the collection at `path`."""
    return msgspec.convert(json.loads((_HERE / "column_definitions.json").read_text())[path], list[ColumnDefinition])


class Stores:
    """A `Lookup` of rows in memory, which counts how often it is asked."""

    def __init__(self, rows: dict[GVR, Iterable[Row]]) -> None:
        self.asked = 0
        self.incomplete: set[Wanted] = set()
        self._rows = {gvr: {row.key: row for row in of_kind} for gvr, of_kind in rows.items()}
        self._indexes: dict[tuple[GVR, str, Hashable], list[Row]] = {}
        for gvr, of_kind in self._rows.items():
            indexes = dict(BUILTIN[gvr].indexes or {})
            for row in of_kind.values():
                for index, reads in indexes.items() if row.object is not None else ():
                    for value in reads.values(row.object):
                        self._indexes.setdefault((gvr, index, value), []).append(row)

    def row(self, gvr: GVR, key: ObjectKey) -> Row | None:
        """The row of one object."""
        self.asked += 1
        return self._rows.get(gvr, {}).get(key)

    def indexed(self, gvr: GVR, index: str, value: Hashable) -> Iterable[Row]:
        """The rows under one value of an index."""
        self.asked += 1
        return self._indexes.get((gvr, index, value), ())

    def whole(self, wanted: Wanted) -> bool:
        """Whether the wanted objects are all there; so they are, but for those in `incomplete`."""
        return wanted not in self.incomplete


def stores_of(*kinds: Kind) -> Stores:
    """Stores that hold what was recorded of `kinds`."""
    return Stores({kind.gvr: recorded(kind).rows for kind in kinds})


def joined_with(*kinds: Kind) -> Joined:
    """What was recorded of `kinds`, for joined columns."""

    def joined(join: Join, key: Hashable) -> Iterable[Any] | None:
        kind = next((kind for kind in kinds if kind.gvr == join.gvr), None)
        if kind is None:
            return None
        return [row.object for row in recorded(kind).rows if join.key_of(row.object) == key]

    return joined
