"""ListWatch: from the bytes of lists and watches to rows and events."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from ktui.kinds.generic import generic_kind
from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR, ObjectKey
from ktui.kinds.objects import Object
from ktui.kube.client import Client
from ktui.kube.errors import ApiError, Expired
from ktui.kube.list_watch import ListWatch, complete_lines
from ktui.kube.page import Event
from tests.unit.tls_server import ApiServer, Authority, Handler

OBJECTS = Kind(gvr=GVR("", "v1", "things"), kind="Thing", namespaced=True, view=Object, columns=())
TABLES = generic_kind(GVR("", "v1", "things"), "Thing", True)
GONE = {"kind": "Status", "status": "Failure", "message": "too old resource version", "reason": "Expired", "code": 410}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ApiServer]:
    made = ApiServer(Authority(), tmp_path)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def client(server: ApiServer) -> AsyncIterator[Client]:
    made = await server.client()
    yield made
    await made.close()


def thing(name: str, version: int, **meta: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "a", "uid": name, "resourceVersion": str(version), **meta}}


def table(*rows: dict[str, Any], version: str = "", columns: bool = True) -> dict[str, Any]:
    definitions = [{"name": "Name", "type": "string", "format": "name", "priority": 0}]
    return {
        "kind": "Table",
        "metadata": {"resourceVersion": version},
        "columnDefinitions": definitions if columns else None,
        "rows": [{"cells": [row["metadata"]["name"]], "object": row} for row in rows],
    }


def event(kind: str, item: Any) -> bytes:
    return json.dumps({"type": kind, "object": item}).encode() + b"\n"


def streaming(*chunks: bytes) -> Handler:
    async def respond(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
        await response.write_eof()
        return response

    return respond


def answering(*bodies: Any) -> Handler:
    left = list(bodies)

    async def respond(request: web.Request) -> web.Response:
        return web.json_response(left.pop(0))

    return respond


async def watched(client: Client, kind: Kind, into: list[Event] | None = None) -> list[Event]:
    found = into if into is not None else []
    async for batch in ListWatch(client, kind).watch("1", lambda: None):
        found += batch
    return found


@given(st.lists(st.binary(min_size=1).filter(lambda line: b"\n" not in line and line.strip())), st.data())
def test_lines_are_whole_however_they_are_cut(lines: list[bytes], data: st.DataObject) -> None:
    """Wherever the network cuts a stream, the same lines come out, and an unfinished one does not."""
    stream = b"".join(line + b"\n" for line in lines) + b'{"unfinished'
    places = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    rest: list[bytes] = []
    found: list[bytes] = []
    for start, end in zip([0, *places], [*places, len(stream)], strict=True):
        found += complete_lines(rest, stream[start:end])
    assert found == lines


async def test_a_line_of_several_megabytes(server: ApiServer, client: Client) -> None:
    """There is no bound on the length of a line."""
    large = thing("large", 2, annotations={"a": "x" * 6_000_000})
    server.respond = streaming(event("ADDED", large), event("ADDED", thing("small", 3)))
    found = await watched(client, OBJECTS)
    assert [(each.row.key.name, each.version) for each in found if each.row] == [("large", "2"), ("small", "3")]


@pytest.mark.parametrize("kind", [OBJECTS, TABLES], ids=["objects", "tables"])
async def test_what_came_before_an_error_counts(kind: Kind, server: ApiServer, client: Client) -> None:
    """Events in the same packet as an ERROR line are handed on before the error is raised."""
    before = event("ADDED", thing("x", 2) if kind is OBJECTS else table(thing("x", 2)))
    server.respond = streaming(before + event("ERROR", GONE))
    found: list[Event] = []
    with pytest.raises(Expired):
        await watched(client, kind, found)
    assert [each.row.key for each in found if each.row] == [ObjectKey("a", "x")]


@pytest.mark.parametrize(
    ("kind", "bookmark"),
    [
        (OBJECTS, {"kind": "Thing", "metadata": {"resourceVersion": "9"}, "spec": {"containers": None}}),
        (TABLES, {"kind": "Table", "metadata": {"resourceVersion": "9"}, "columnDefinitions": None, "rows": []}),
        (
            TABLES,
            {
                "kind": "Table",
                "metadata": {"resourceVersion": "9"},
                "rows": [{"cells": [""], "object": {"metadata": {"name": "", "resourceVersion": "9"}}}],
            },
        ),
    ],
    ids=["object", "table", "table-with-row"],
)
async def test_a_bookmark_is_no_object(kind: Kind, bookmark: Any, server: ApiServer, client: Client) -> None:
    """A bookmark carries a version and never a row."""
    server.respond = streaming(event("BOOKMARK", bookmark))
    assert await watched(client, kind) == [Event("BOOKMARK", "9", None)]


async def test_columns_are_named_once(server: ApiServer, client: Client) -> None:
    """The first Table of a watch names the columns, later ones do not, and all their rows are read."""
    first, second = table(thing("x", 2)), table(thing("y", 3), columns=False)
    server.respond = streaming(event("ADDED", first), event("ADDED", second))
    learnt: list[Kind] = []
    list_watch = ListWatch(client, TABLES, on_kind=learnt.append)
    found = [each async for batch in list_watch.watch("1", lambda: None) for each in batch]
    assert [each.row.cells for each in found if each.row] == [("x",), ("y",)]
    assert [[column.name for column in kind.columns] for kind in learnt] == [["NAME"]]


async def test_a_server_without_tables(server: ApiServer, client: Client) -> None:
    """Where a server answers the plain list instead of a Table, rows have names and ages, as kubectl shows them."""
    server.respond = answering({"kind": "ThingList", "metadata": {"resourceVersion": "5"}, "items": [thing("x", 2)]})
    (page,) = [page async for page in ListWatch(client, TABLES).pages()]
    assert [(row.key, row.cells) for row in page.rows] == [(ObjectKey("a", "x"), ("x",))]
    assert page.version == "5"


async def test_pages_follow_the_token(server: ApiServer, client: Client) -> None:
    """Each page asks with the token of the one before, until there is none; the first page is the smaller."""
    server.respond = answering(
        {"metadata": {"resourceVersion": "5", "continue": "more", "remainingItemCount": 1}, "items": [thing("x", 2)]},
        {"metadata": {"resourceVersion": "5"}, "items": [thing("y", 3)]},
    )
    list_watch = ListWatch(client, OBJECTS, "a", label_selector="app=web", field_selector="metadata.name!=z")
    pages = [page async for page in list_watch.pages()]
    assert [(page.next, page.remaining) for page in pages] == [("more", 1), ("", None)]
    queries = [dict(request.query) for request in server.requests]
    selectors = {"labelSelector": "app=web", "fieldSelector": "metadata.name!=z"}
    assert queries == [{**selectors, "limit": "100"}, {**selectors, "limit": "1000", "continue": "more"}]
    assert {request.path for request in server.requests} == {"/api/v1/namespaces/a/things"}


async def test_everything_at_once(server: ApiServer, client: Client) -> None:
    """A list that is not paged asks for no limit."""
    server.respond = answering({"metadata": {"resourceVersion": "5"}, "items": None})
    (page,) = [page async for page in ListWatch(client, OBJECTS).pages(paged=False)]
    assert (page.rows, dict(server.requests[0].query)) == ([], {})


async def test_a_table_row_without_object_is_told(server: ApiServer, client: Client) -> None:
    """An event that names no object is an error, not a row of nothing."""
    nameless = {"kind": "Table", "metadata": {}, "rows": [{"cells": ["x"], "object": None}]}
    server.respond = streaming(event("ADDED", nameless))
    with pytest.raises(ApiError, match="names no object"):
        await watched(client, TABLES)
