"""Objects: one whole object, or one row, asked for by name."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from ktui.kinds.generic import ColumnDefinition, with_columns
from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR, ObjectKey
from ktui.kinds.objects import Object
from ktui.kinds.row import Row
from ktui.kube.client import Client
from ktui.kube.errors import UnexpectedAnswer
from ktui.kube.list_watch import JSON, object_row
from ktui.kube.page import TABLE

# Decoding keeps the event loop; an object larger than this (a ConfigMap with files in it) is decoded in a thread.
LARGE = 256 * 1024


class _TableRow(msgspec.Struct, gc=False):
    cells: tuple[Any, ...]
    object: Object | None = None


class _OneRow(msgspec.Struct, rename="camel", gc=False):
    """A Table of one row, or the object that a server without Tables answers instead."""

    column_definitions: list[ColumnDefinition] | None = None
    rows: list[_TableRow] | None = None


async def get_object(client: Client, gvr: GVR, key: ObjectKey) -> dict[str, Any]:
    """A whole object, as decoded from JSON.

    Args:
        client: whom to ask.
        gvr: its resource.
        key: its namespace and name.

    Raises:
        KtuiError: it cannot be had; NotFound when there is none of that name.
    """
    answer = await client.request("GET", gvr.path(*key), accept=JSON)
    try:
        if len(answer.body) > LARGE:
            item = await asyncio.to_thread(msgspec.json.decode, answer.body)
        else:
            item = msgspec.json.decode(answer.body)
    except msgspec.DecodeError:
        item = None
    if not isinstance(item, dict) or not isinstance(item.get("metadata"), dict):
        raise UnexpectedAnswer(client.identity.server, "something that is no object")
    return item


async def get_row(client: Client, kind: Kind, key: ObjectKey) -> tuple[Kind, Row]:
    """One object as a row of its table, and its kind with the columns that the server named.

    Args:
        client: whom to ask.
        kind: its kind.
        key: its namespace and name.

    Raises:
        KtuiError: it cannot be had; NotFound when there is none of that name.
    """
    path = kind.gvr.path(*key)
    query = {"includeObject": "Metadata"} if kind.tables else None
    answer = await client.request("GET", path, query=query, accept=TABLE if kind.tables else JSON)
    try:
        table = msgspec.json.decode(answer.body, type=_OneRow) if kind.tables else _OneRow()
        if table.rows and (found := table.rows[0].object) is not None:
            completed = with_columns(kind, table.column_definitions or ())
            return completed, Row(key, found.metadata.uid, found, table.rows[0].cells)
        return kind, object_row(msgspec.json.decode(answer.body, type=kind.view))
    except msgspec.DecodeError:
        raise UnexpectedAnswer(client.identity.server, "something that is no object") from None
