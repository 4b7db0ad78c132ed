"""Rows first: how a list that is too large for whole objects is read, and which lists are.

A pod is 7 to 11 KB of JSON, and the row that the server prints of it 150 bytes. Measured with 50,000 pods on two cores
that the API server shared: whole objects in pages 5.3 s and 545 MB, rows 0.24 s and 7.5 MB; the server needs 0.1 ms for
a whole pod and 6 µs for a row. So a large list is read as server-side Tables without objects (`includeObject=None`),
and whole objects are asked for where somebody needs them (`Feed.want`); the watch brings them for what changes.

Such Tables name no namespaces, so they are asked for namespace by namespace. How the namespaces become known:

1. the user may list them: the common case;
2. else from the ServiceAccounts `default`, of which every namespace has one, where the user may list those. When the
   rows found are fewer than the first page's server said there are, this was not so;
3. else, and where namespaces are nearly as many as objects, or the server knows no Tables, pages of whole objects are
   read after all, and only their cells are kept. Measured with 20,000 pods in 3,000 namespaces: 1.6 s either way, so a
   request costs as much as about seven whole pods.

Every way ends at the version of the first page, from which the watch goes on: what was listed later comes once more, in
order, and so ends as it is. That page is asked for before the namespaces, so that a namespace made in between brings
its objects by the watch.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import msgspec

from ktui.kinds.cells import CellReader, without_object
from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR
from ktui.kinds.objects import Object
from ktui.kube.client import Client, Response
from ktui.kube.collector import collector_paused, leave_alone
from ktui.kube.errors import ApiError, Expired, Forbidden
from ktui.kube.page import TABLE, ListMeta, Page

WHOLE_BYTES = 20_000_000
"""Bytes of JSON up to which a list is read as whole objects: about 2,000 pods, or 6,000 deployments."""

ROWS = 2000
"""Rows in one answer: reading them keeps the event loop for some milliseconds."""

AT_ONCE = 8
"""Requests under way at the same time: as many as the server answers side by side; more of them only wait there."""

OBJECTS_A_REQUEST = 7
"""Whole objects that cost as much as one more request, for client and server together."""

LIST_IDLE = 30.0
"""Seconds for which an answer to a page may pause."""

METADATA = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"

_NAMESPACES, _SERVICE_ACCOUNTS = GVR("", "v1", "namespaces"), GVR("", "v1", "serviceaccounts")


class _Objects(msgspec.Struct, gc=False):
    items: tuple[Object, ...] = ()


class _Cells(msgspec.Struct, gc=False):
    cells: tuple[Any, ...]


class _TableOfCells(msgspec.Struct, gc=False):
    """A Table without objects; no rows at all where the server answers a plain list instead."""

    metadata: ListMeta = msgspec.field(default_factory=ListMeta)
    rows: list[_Cells] | None = None


_decode = msgspec.json.Decoder(_TableOfCells).decode


class _NoTableError(Exception):
    """The server does not print tables."""


class Namespaces(NamedTuple):
    """The namespaces to look into.

    Attributes:
        names: in order.
        certain: whether these are all.
    """

    names: tuple[str, ...]
    certain: bool


def too_large(size: int, count: int, remaining: int) -> bool:
    """Whether a list is too large for whole objects.

    Args:
        size: bytes of the first page.
        count: its objects.
        remaining: objects that follow.
    """
    return size / max(1, count) * (count + remaining) > WHOLE_BYTES


async def namespaces(client: Client) -> Namespaces | None:
    """All namespaces in which there may be anything, in the order of their names; None when the user may not know.

    Raises:
        KtuiError: they could be asked for, but the answer did not come.
    """
    try:
        query = {"includeObject": "None"}
        table: _TableOfCells = await client.get_json(_NAMESPACES.path(), _TableOfCells, query=query, accept=TABLE)
        return None if table.rows is None else Namespaces(tuple(sorted(row.cells[0] for row in table.rows)), True)
    except Forbidden:
        pass
    try:
        query = {"fieldSelector": "metadata.name=default"}
        listed: _Objects = await client.get_json(_SERVICE_ACCOUNTS.path(), _Objects, query=query, accept=METADATA)
        return Namespaces(tuple(sorted(item.metadata.namespace for item in listed.items)), False)
    except ApiError:
        return None


class RowsFirst:
    """Reads one list rows first.

    Args:
        client: the connection.
        kind: what is listed.
        namespace: where; empty for everywhere.
        selectors: the label and field selectors, as query parameters.
        clock: epoch seconds, against which ages are read.
    """

    def __init__(
        self, client: Client, kind: Kind, namespace: str, selectors: Mapping[str, str], clock: Callable[[], float]
    ) -> None:
        self._client = client
        self._kind = kind
        self._namespace = namespace
        self._selectors = selectors
        self._clock = clock

    async def pays(self, first: Page, size: int) -> bool:
        """Whether what follows the first page is too much for whole objects.

        Args:
            first: the first page.
            size: its bytes.

        Raises:
            KtuiError: the server was asked how much there is, and did not say.
        """
        remaining = first.remaining
        if remaining is None and self._selectors:
            # Of a selection servers do not say how large it is; of the whole they do.
            query = {"limit": "1", "includeObject": "None"}
            path = self._kind.gvr.path(self._namespace)
            answer = await self._client.request("GET", path, query=query, accept=TABLE)
            remaining = _decode(answer.body).metadata.remaining_item_count
        return remaining is not None and too_large(size, len(first.rows), remaining)

    async def pages(
        self, first: Page, whole: Callable[[Page], AsyncGenerator[Page, None]]
    ) -> AsyncGenerator[Page, None]:
        """The first page, and then rows without objects, namespace by namespace.

        Args:
            first: the first page of whole objects.
            whole: it and those that follow it, in case they are needed after all.

        Raises:
            KtuiError: the list could not be completed.
        """
        first = replace(first, abridged=True)
        with collector_paused():
            yield first
            landed, total = len(first.rows), len(first.rows) + (first.remaining or 0)
            places = await self._places(total)
            try:
                async with aclosing(self._each(places.names, first)) as pages:
                    async for page in pages:
                        landed += len(page.rows)
                        left = max(0, total - landed) if first.remaining is not None else None
                        # Only the last page of all has nothing behind it.
                        yield replace(page, remaining=left)
            except _NoTableError:
                places = Namespaces((), False)
            if places.certain or (places.names and first.remaining is not None and landed >= total):
                yield Page([], first.version, "", 0, abridged=True)
            else:
                async with aclosing(whole(first)) as pages:
                    async for page in pages:
                        rows = [without_object(self._kind, row) for row in page.rows]
                        yield replace(page, rows=rows, version=first.version, abridged=True)
            leave_alone()

    async def _places(self, total: int) -> Namespaces:
        """Where to look; nowhere, when whole objects are the better way.

        Args:
            total: objects that there are; 0 when nobody knows.
        """
        if self._namespace:
            return Namespaces((self._namespace,), True)
        found = await namespaces(self._client)
        if found is None or len(found.names) * OBJECTS_A_REQUEST > total > 0:
            return Namespaces((), False)
        return found

    async def _each(self, names: Iterable[str], first: Page) -> AsyncGenerator[Page, None]:
        """Rows without objects, some namespaces at a time; those of the first page are known better already."""
        reader = CellReader(self._kind, self._clock())
        known = {row.key for row in first.rows}
        known_in = {key.namespace for key in known}
        waiting = deque((name, "") for name in names)
        asked: dict[asyncio.Task[Response], str] = {}
        try:
            while waiting or asked:
                while waiting and len(asked) < AT_ONCE:
                    name, token = waiting.popleft()
                    asked[asyncio.create_task(self._ask(name, token))] = name
                landed, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
                for task in landed:
                    name, table = asked.pop(task), _decode(task.result().body)
                    if table.rows is None:
                        raise _NoTableError
                    if table.metadata.continue_:
                        waiting.appendleft((name, table.metadata.continue_))
                    rows = reader.rows(name, [row.cells for row in table.rows])
                    if name in known_in:
                        rows = [row for row in rows if row.key not in known]
                    yield Page(rows, first.version, "more", None, abridged=True)
        finally:
            for task in asked:
                if not task.cancel() and not task.cancelled():
                    # It failed beside the one whose failure is raised.
                    task.exception()

    async def _ask(self, name: str, token: str) -> Response:
        path, objects = self._kind.gvr.path(name), {"includeObject": "None"}
        ask = partial(self._client.request, "GET", path, accept=TABLE, idle=LIST_IDLE)
        try:
            return await ask(query=page_query(self._selectors, token, ROWS) | objects)
        except Expired:
            # The rest of one namespace in one answer, which cannot expire; what came of it before comes again.
            return await ask(query=page_query(self._selectors, "", 0) | objects)


def page_query(selectors: Mapping[str, str], token: str, limit: int) -> dict[str, str]:
    """The parameters that ask for a page of a list.

    Args:
        selectors: as parameters.
        token: of the page before; empty for the first.
        limit: objects at most; 0 for everything.
    """
    return {
        **selectors,
        **({"limit": str(limit)} if limit else {}),
        **({"continue": token} if token else {}),
    }
