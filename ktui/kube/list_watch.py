"""ListWatch: asks for the objects of one kind in one scope, and turns bytes into rows.

Two ways to read a kind: whole objects, decoded straight into the kind's lean view; or, where only the server can print
the kind, server-side Tables whose rows carry the object's metadata. Lists that are too large for either are read rows
first, without objects: `ktui.kube.rows_first` says when, how and why.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, Generic, TypeVar

import msgspec

from ktui.kinds.generic import ColumnDefinition, with_columns
from ktui.kinds.kind import Kind
from ktui.kinds.names import ObjectKey
from ktui.kinds.objects import Object
from ktui.kinds.row import Row
from ktui.kube.client import REQUEST_IDLE, Client, Response
from ktui.kube.collector import collector_paused
from ktui.kube.errors import ApiError, Expired, error_from_status
from ktui.kube.page import TABLE, Event, ListMeta, Page
from ktui.kube.rows_first import LIST_IDLE, RowsFirst, page_query

JSON = "application/json"

# The first page is small, so that rows stand on the screen soon, and tells how large the list is; the others balance
# round trips against the time that decoding one page keeps the event loop (about 10 µs an object).
FIRST_PAGE, PAGE = 100, 1000

# client-go asks for 5 to 10 minutes, at random so that watches do not end together. Bookmarks come about every minute,
# so a watch that says nothing for much longer is a dead connection.
WATCH_SECONDS = (300, 600)
WATCH_IDLE = 100.0

T = TypeVar("T")


class _List(msgspec.Struct, Generic[T], gc=False):
    metadata: ListMeta = msgspec.field(default_factory=ListMeta)
    items: list[T] | None = None


class _TableRow(msgspec.Struct, gc=False):
    cells: tuple[Any, ...]
    object: Object | None = None


class _Table(msgspec.Struct, rename="camel", gc=False):
    """A Table, or the plain list that a server without Tables answers instead."""

    metadata: ListMeta = msgspec.field(default_factory=ListMeta)
    column_definitions: list[ColumnDefinition] | None = None
    rows: list[_TableRow] | None = None
    items: list[Object] | None = None


class _WatchLine(msgspec.Struct, gc=False):
    type: str
    object: msgspec.Raw


_decode_line = msgspec.json.Decoder(_WatchLine).decode
_decode_table = msgspec.json.Decoder(_Table).decode
_decode_object = msgspec.json.Decoder(Object).decode


class ListWatch:
    """Lists and watches one kind in one namespace, or everywhere.

    Args:
        client: the connection.
        kind: what to ask for; `on_kind` tells when a Table named its columns.
        namespace: empty for all namespaces and for cluster-scoped kinds.
        label_selector: as the API takes it, `app=web,tier!=cache`.
        field_selector: likewise, `involvedObject.uid=...`.
        on_kind: called with the kind completed by the columns that the server's Table defines.
        abridges: whether rows may come without objects where there are many.
        clock: epoch seconds, against which the ages in such rows are read.
    """

    def __init__(
        self,
        client: Client,
        kind: Kind,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        on_kind: Callable[[Kind], None] | None = None,
        abridges: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.kind = kind
        self.namespace = namespace
        self._client = client
        self._path = kind.gvr.path(namespace)
        self._selectors = {
            name: value
            for name, value in (("labelSelector", label_selector), ("fieldSelector", field_selector))
            if value
        }
        self._accept = TABLE if kind.tables else JSON
        self._abridges = abridges and kind.namespaced
        self._clock = clock
        self._on_kind = on_kind
        self._read_page = self._page_of_table if kind.tables else self._page_of_objects
        self._read_row = self._row_of_table if kind.tables else self._row_of_object
        self._decode_list = msgspec.json.Decoder(_List[kind.view]).decode  # type: ignore[name-defined]
        self._decode_view = msgspec.json.Decoder(kind.view).decode

    async def pages(self, *, paged: bool = True) -> AsyncGenerator[Page, None]:
        """The pages of one list, as they land. The next one is asked for while this one is looked at.

        A watch from the version of the first page tells all that the pages do not.

        Args:
            paged: False asks for everything at once, which cannot expire on the way.

        Raises:
            Expired: the server no longer has the version of the first page; start again.
            ApiError: any other refusal.
            ConnectionFailed: the line broke.
        """
        answer = await self._ask_page("", FIRST_PAGE if paged else 0)
        page = self._read(answer)
        if self._abridges and page.next:
            rows_first = RowsFirst(self._client, self.kind, self.namespace, self._selectors, self._clock)
            if await rows_first.pays(page, len(answer.body)):
                async with aclosing(rows_first.pages(page, self._following)) as rows:
                    async for page in rows:
                        yield page
                return
        async with aclosing(self._following(page)) as pages:
            async for page in pages:
                yield page

    async def _following(self, page: Page) -> AsyncGenerator[Page, None]:
        """A page of whole objects, and all that follow it."""
        while page.next:
            coming = asyncio.create_task(self._ask_page(page.next, PAGE))
            try:
                yield page
                page = self._read(await coming)
            finally:
                coming.cancel()
        yield page

    def _read(self, answer: Response) -> Page:
        with collector_paused():
            return self._read_page(answer.body)

    async def _ask_page(self, token: str, limit: int) -> Response:
        """A page of at most `limit` objects, or everything when that is 0."""
        query = page_query(self._selectors, token, limit)
        if self.kind.tables:
            query["includeObject"] = "Metadata"
        # A server may need its whole time for everything at once, and asking again would only add to its burden.
        idle = LIST_IDLE if limit else REQUEST_IDLE
        return await self._client.request("GET", self._path, query=query, accept=self._accept, idle=idle)

    async def watch(self, version: str, on_open: Callable[[], None]) -> AsyncGenerator[list[Event], None]:
        """What changes after `version`, in the batches in which it arrives; ends when the server ends it.

        Args:
            version: a resource version of a list, an event or a bookmark.
            on_open: called when the server has accepted the watch.

        Raises:
            Expired: the server no longer reaches back to `version`; list again.
            ApiError: any other refusal, before or within the stream.
            ConnectionFailed: the line broke, or said nothing for longer than bookmarks take.
        """
        query = {
            **self._selectors,
            "watch": "1",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(random.randint(*WATCH_SECONDS)),
        }
        if self.kind.tables:
            query["includeObject"] = "Metadata"
        async with self._client.stream("GET", self._path, query=query, accept=self._accept, idle=WATCH_IDLE) as stream:
            on_open()
            rest: list[bytes] = []
            async for chunk in stream:
                events: list[Event] = []
                try:
                    for line in complete_lines(rest, chunk):
                        events.append(self._read_event(line))
                finally:
                    # What came before an ERROR line counts: dropping it would lose changes.
                    if events:
                        self._client.meter.changes += len(events)
                        yield events

    def _read_event(self, line: bytes) -> Event:
        read = _decode_line(line)
        if read.type == "ERROR":
            raise error_from_status(bytes(read.object))
        if read.type == "BOOKMARK":
            # A bookmark's object is empty but for its version, and is never to be taken for one.
            bookmark = _decode_table(read.object) if self.kind.tables else _decode_object(read.object)
            return Event("BOOKMARK", bookmark.metadata.resource_version, None)
        row, version = self._read_row(read.object)
        return Event(read.type, version, row)

    # -- whole objects -----------------------------------------------------------------------

    def _page_of_objects(self, body: bytes) -> Page:
        page = self._decode_list(body)
        return _page([object_row(item) for item in page.items or ()], page.metadata)

    def _row_of_object(self, raw: msgspec.Raw) -> tuple[Row, str]:
        item = self._decode_view(raw)
        return object_row(item), item.metadata.resource_version

    # -- Tables ------------------------------------------------------------------------------

    def _page_of_table(self, body: bytes) -> Page:
        table = _decode_table(body)
        if table.rows is None and table.items is not None:
            return _page([_listed_row(item) for item in table.items], table.metadata)
        self._learn_columns(table)
        return _page([row for row in map(_table_row, table.rows or ()) if row is not None], table.metadata)

    def _row_of_table(self, raw: msgspec.Raw) -> tuple[Row, str]:
        table = _decode_table(raw)
        if table.rows is None:
            item = _decode_object(raw)
            return _listed_row(item), item.metadata.resource_version
        self._learn_columns(table)
        row = _table_row(table.rows[0])
        if row is None:
            raise ApiError(0, "Unreadable", "the server's table names no object")
        return row, row.object.metadata.resource_version or table.metadata.resource_version

    def _learn_columns(self, table: _Table) -> None:
        if not table.column_definitions:
            return
        completed = with_columns(self.kind, table.column_definitions)
        if completed != self.kind:
            self.kind = completed
            if self._on_kind is not None:
                self._on_kind(completed)


async def list_rows(list_watch: ListWatch) -> list[Row]:
    """All rows, in the server's order. `list_watch.kind` has the columns the server named afterwards.

    Raises:
        KtuiError: the list could not be completed.
    """
    try:
        return [row async for page in list_watch.pages() for row in page.rows]
    except Expired:
        # The snapshot that the pages come from was dropped on the way; one answer cannot expire (client-go's pager).
        return [row async for page in list_watch.pages(paged=False) for row in page.rows]


def object_row(item: Object) -> Row:
    """The row of a whole object."""
    meta = item.metadata
    return Row(ObjectKey(meta.namespace, meta.name), meta.uid, item)


def _page(rows: list[Row], meta: ListMeta) -> Page:
    return Page(rows, meta.resource_version, meta.continue_, meta.remaining_item_count)


def _table_row(row: _TableRow) -> Row | None:
    if row.object is None:
        return None
    meta = row.object.metadata
    return Row(ObjectKey(meta.namespace, meta.name), meta.uid, row.object, row.cells)


def _listed_row(item: Object) -> Row:
    """A row of NAME alone, which is what remains of a Table where a server has none."""
    meta = item.metadata
    return Row(ObjectKey(meta.namespace, meta.name), meta.uid, item, (meta.name,))


def complete_lines(rest: list[bytes], chunk: bytes) -> list[bytes]:
    """The lines that `chunk` completes; what remains of it stays in `rest`.

    Lines have no bound (an object may be megabytes long), so pieces are joined once, when their end has come.
    """
    if b"\n" not in chunk:
        rest.append(chunk)
        return []
    lines = chunk.split(b"\n")
    lines[0] = b"".join((*rest, lines[0]))
    rest[:] = [last] if (last := lines.pop()) else []
    return [line for line in lines if line.strip()]
