"""Tables: what a server prints, beside what ktui prints of the same objects."""

from __future__ import annotations

import re
import time
from typing import Any, NamedTuple

import msgspec

from ktui.kinds.column import Column, JoinColumn, cell_text
from ktui.kinds.kind import Kind
from ktui.kinds.names import ObjectKey
from ktui.kinds.row import Row
from ktui.kube.client import Client
from ktui.kube.list_watch import ListWatch, list_rows
from ktui.kube.page import TABLE

SLACK = (-1.0, 0.0, 1.0)
"""Seconds by which the moment may differ at which the two sides look at an age."""


class Printed(NamedTuple):
    """A row of the server's Table.

    Attributes:
        version: the object's resource version.
        cells: by the columns' names, in capitals.
    """

    version: str
    cells: dict[str, str]


async def table_of(client: Client, kind: Kind, namespace: str = "") -> dict[ObjectKey, Printed]:
    """What the server prints of a kind."""
    answer = await client.request("GET", kind.gvr.path(namespace), accept=TABLE, query={"includeObject": "Metadata"})
    table = msgspec.json.decode(answer.body)
    names = [column["name"].upper() for column in table["columnDefinitions"]]
    found = {}
    for row in table["rows"]:
        meta = row["object"]["metadata"]
        cells = dict(zip(names, map(cell_text, row["cells"]), strict=True))
        found[ObjectKey(meta.get("namespace", ""), meta["name"])] = Printed(meta["resourceVersion"], cells)
    return found


async def rows_of(client: Client, kind: Kind, namespace: str = "") -> dict[ObjectKey, Row]:
    """What ktui lists of a kind."""
    return {row.key: row for row in await list_rows(ListWatch(client, kind, namespace))}


def printing(kind: Kind) -> list[Column]:
    """The columns of `kind` that the server prints, too, in its order."""
    return [column for column in kind.columns if not isinstance(column, JoinColumn)]


async def differences(client: Client, kind: Kind, namespace: str = "") -> tuple[list[str], set[ObjectKey]]:
    """Where ktui's cells differ from the server's, and which objects were compared.

    Objects that changed between the two requests are left out.
    """
    rows = await rows_of(client, kind, namespace)
    printed = await table_of(client, kind, namespace)
    now = time.time()
    wrong, compared = [], set()
    for key, row in rows.items():
        theirs = printed.get(key)
        if theirs is None or theirs.version != row.object.metadata.resource_version:
            continue
        compared.add(key)
        columns = printing(kind)
        assert [column.name for column in columns] == list(theirs.cells)
        wrong += _differing(key, row, columns, theirs.cells, now)
    return wrong, compared


def _differing(key: ObjectKey, row: Row, columns: list[Column], theirs: dict[str, str], now: float) -> list[str]:
    return [
        f"{key} {column.name}: ktui {column.cell(row, now)!r}, server {theirs[column.name]!r}"
        for column in columns
        if theirs[column.name] not in {column.cell(row, now + slack) for slack in SLACK}
    ]


def as_kubectl_prints(text: str) -> dict[str, dict[str, str]]:
    """The rows of a table that kubectl printed, by NAME; a cell ends where the next column's header begins."""
    head, *lines = text.splitlines()
    headers = [(match.start(), match[0].strip()) for match in re.finditer(r"\S+(?: \S+)*", head)]
    ends = [start for start, _ in headers[1:]] + [None]
    found = {}
    for line in lines:
        cells = {name: line[start:end].strip() for (start, name), end in zip(headers, ends, strict=True)}
        found[cells["NAME"]] = cells
    return found


def as_ktui_prints(kind: Kind, row: Row, name: str, now: float) -> set[str]:
    """What ktui prints in the column `name` within a second of `now`."""
    column: Any = next(column for column in printing(kind) if column.name == name)
    return {column.cell(row, now + slack) for slack in SLACK}
