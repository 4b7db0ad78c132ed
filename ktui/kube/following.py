"""Following: whole objects as decoded from JSON, told again whenever one has changed.

Tables look at feeds, which know lean views only. This is for those who follow a few objects to an end, such as a
rollout, and want to see all of them.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import msgspec

from ktui.kinds.names import GVR, ObjectKey
from ktui.kube.backoff import Backoff
from ktui.kube.client import Client
from ktui.kube.collector import collector_paused
from ktui.kube.errors import (
    ApiError,
    ConnectionFailed,
    Expired,
    Forbidden,
    KtuiError,
    NotFound,
    ServerError,
    TooManyRequests,
    UnexpectedAnswer,
    error_from_status,
)
from ktui.kube.list_watch import WATCH_IDLE, WATCH_SECONDS, complete_lines
from ktui.kube.objects import get_object
from ktui.kube.page import ListMeta

UNWATCHED_EVERY = 2.0
"""Seconds between two looks at objects that the user may read but not watch."""

SHORT = 1.0
"""Seconds after which a watch that said nothing counts as one that worked, as in client-go's reflector."""

LARGE = 256 * 1024
"""Bytes of objects that are decoded at once; more of them are decoded in a thread, for others to go on meanwhile."""

_METHOD_NOT_ALLOWED = 405
_OUTAGES = (ConnectionFailed, ServerError, TooManyRequests, Expired, UnexpectedAnswer)

JsonObject = dict[str, Any]


class _List(msgspec.Struct, rename={"version": "apiVersion"}):
    kind: str = ""
    version: str = ""
    metadata: ListMeta = msgspec.field(default_factory=ListMeta)
    items: list[msgspec.Raw] | None = None


class _Line(msgspec.Struct):
    type: str
    object: msgspec.Raw


_decode_list = msgspec.json.Decoder(_List).decode
_decode_line = msgspec.json.Decoder(_Line).decode


async def follow_object(client: Client, gvr: GVR, key: ObjectKey) -> AsyncGenerator[JsonObject | None, None]:
    """One object as it is now, and again whenever it has changed; None while there is none of that name.

    Args:
        client: whom to ask.
        gvr: its resource.
        key: its namespace and name.

    Raises:
        KtuiError: it may not be read, or its kind is not served. Outages are waited for.
    """
    fields = f"metadata.name={key.name}"
    try:
        async with aclosing(follow_objects(client, gvr, key.namespace, fields=fields)) as lists:
            async for found in lists:
                yield found[0] if found else None
    except Forbidden:
        # Whoever may get an object by its name need not be allowed to list.
        async with aclosing(_polled(client, gvr, key)) as looks:
            async for item in looks:
                yield item


async def follow_objects(
    client: Client, gvr: GVR, namespace: str = "", *, labels: str = "", fields: str = ""
) -> AsyncGenerator[list[JsonObject], None]:
    """All these objects as they are now, in the order of their names, and again whenever one has changed.

    Args:
        client: whom to ask.
        gvr: their resource.
        namespace: empty for all.
        labels: a label selector.
        fields: a field selector.

    Raises:
        KtuiError: they may not be listed, or their kind is not served. Outages are waited for.
    """
    selectors = {name: text for name, text in (("labelSelector", labels), ("fieldSelector", fields)) if text}
    path, backoff = gvr.path(namespace), Backoff()
    listed, watchable = False, True
    while True:
        opened = time.monotonic()
        try:
            found, version = await _listed(client, path, selectors)
            listed = True
            yield _in_order(found)
            while watchable:
                heard, opened = False, time.monotonic()
                async with aclosing(_events(client, path, selectors, version)) as events:
                    async for newest, changed in events:
                        heard = heard or bool(changed) or newest != version
                        version = newest
                        if _take(found, changed):
                            yield _in_order(found)
                if not heard and time.monotonic() - opened < SHORT:
                    await asyncio.sleep(backoff.next(time.monotonic()))
                else:
                    backoff.reset()
            await asyncio.sleep(UNWATCHED_EVERY)
        except _OUTAGES as error:
            if isinstance(error, UnexpectedAnswer) and not listed:
                raise
            if time.monotonic() - opened > SHORT:
                backoff.reset()
            await asyncio.sleep(backoff.next(time.monotonic(), getattr(error, "retry_after", None)))
        except ApiError as error:
            if not (listed and watchable and _unwatchable(error)):
                raise
            watchable = False


def _unwatchable(error: KtuiError) -> bool:
    """Whether objects that can be listed cannot be watched: it is not allowed, or nobody has made it."""
    return isinstance(error, Forbidden) or (isinstance(error, ApiError) and error.status == _METHOD_NOT_ALLOWED)


async def _listed(client: Client, path: str, selectors: dict[str, str]) -> tuple[dict[ObjectKey, JsonObject], str]:
    """All objects there are, and the version of the list."""
    answer = await client.request("GET", path, query=selectors)
    try:
        found = _decode_list(answer.body)
        # The items of lists of built-in kinds do not repeat what they are; those of watches say it.
        said = {"apiVersion": found.version, "kind": found.kind.removesuffix("List")}
        items = [{**said, **item} for item in await decoded(found.items or ())]
        return {_key(item): item for item in items}, found.metadata.resource_version
    except (msgspec.MsgspecError, UnicodeDecodeError, LookupError, TypeError):
        raise UnexpectedAnswer(client.identity.server, "something that is no list") from None


async def decoded(items: Sequence[msgspec.Raw]) -> list[JsonObject]:
    """Objects from the JSON that a server sent.

    Raises:
        msgspec.MsgspecError: one is none.
    """

    def decode() -> list[JsonObject]:
        return [msgspec.json.decode(item) for item in items]

    if sum(memoryview(item).nbytes for item in items) < LARGE:
        return decode()
    with collector_paused():
        return await asyncio.to_thread(decode)


async def _polled(client: Client, gvr: GVR, key: ObjectKey) -> AsyncGenerator[JsonObject | None, None]:
    backoff, looked = Backoff(), False
    while True:
        try:
            yield await get_object(client, gvr, key)
        except NotFound:
            yield None
        except _OUTAGES as error:
            if isinstance(error, UnexpectedAnswer) and not looked:
                raise
            await asyncio.sleep(backoff.next(time.monotonic(), getattr(error, "retry_after", None)))
            continue
        looked = True
        backoff.reset()
        await asyncio.sleep(UNWATCHED_EVERY)


async def _events(
    client: Client, path: str, selectors: dict[str, str], version: str
) -> AsyncGenerator[tuple[str, list[tuple[str, JsonObject]]], None]:
    """What changes after a version, in the batches in which it arrives, with the version of the last of each."""
    query = {
        **selectors,
        "watch": "1",
        "resourceVersion": version,
        "allowWatchBookmarks": "true",
        "timeoutSeconds": str(random.randint(*WATCH_SECONDS)),
    }
    async with client.stream("GET", path, query=query, idle=WATCH_IDLE) as stream:
        rest: list[bytes] = []
        async for chunk in stream:
            changed = []
            try:
                for line in complete_lines(rest, chunk):
                    kind, item = _event(client, line)
                    version = (item.get("metadata") or {}).get("resourceVersion", version)
                    if kind != "BOOKMARK":
                        changed.append((kind, item))
            finally:
                # What came before an ERROR line counts, as a deletion that a list would not tell any more.
                yield version, changed


def _event(client: Client, line: bytes) -> tuple[str, JsonObject]:
    """What a line of a watch says.

    Raises:
        ApiError: it is an error.
        UnexpectedAnswer: it is no line of a watch.
    """
    try:
        read = _decode_line(line)
        item = msgspec.json.decode(read.object)
        if read.type == "BOOKMARK" or (read.type != "ERROR" and _key(item)):
            return read.type, dict(item)
    except (msgspec.MsgspecError, UnicodeDecodeError, LookupError, TypeError):
        raise UnexpectedAnswer(client.identity.server, "something that is no watch") from None
    raise error_from_status(bytes(read.object))


def _take(found: dict[ObjectKey, JsonObject], changed: list[tuple[str, JsonObject]]) -> bool:
    for kind, item in changed:
        if kind == "DELETED":
            found.pop(_key(item), None)
        else:
            found[_key(item)] = item
    return bool(changed)


def _key(item: JsonObject) -> ObjectKey:
    return ObjectKey(item["metadata"].get("namespace", ""), item["metadata"]["name"])


def _in_order(found: dict[ObjectKey, JsonObject]) -> list[JsonObject]:
    return [found[key] for key in sorted(found)]
