"""Following: whole objects as decoded from JSON, told again whenever one has changed.

Tables look at feeds, which know lean views only. This is for those who follow a few objects to an end, such as a
rollout, and want to see all of them.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import msgspec

from ktui.kinds.names import GVR, ObjectKey
from ktui.kube.backoff import Backoff
from ktui.kube.client import Client
from ktui.kube.errors import (
    ConnectionFailed,
    Expired,
    Forbidden,
    NotFound,
    ServerError,
    TooManyRequests,
    error_from_status,
)
from ktui.kube.list_watch import WATCH_IDLE, WATCH_SECONDS, complete_lines
from ktui.kube.objects import get_object
from ktui.kube.page import ListMeta

UNWATCHED_EVERY = 2.0
"""Seconds between two looks at objects that the user may read but not watch."""

JsonObject = dict[str, Any]


class _List(msgspec.Struct):
    metadata: ListMeta = msgspec.field(default_factory=ListMeta)
    items: list[JsonObject] | None = None


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
        try:
            answer = _decode_list((await client.request("GET", path, query=selectors)).body)
            listed = True
            found = {_key(item): item for item in answer.items or ()}
            version = answer.metadata.resource_version
            yield _in_order(found)
            backoff.reset()
            while watchable:
                async with aclosing(_events(client, path, selectors, version)) as events:
                    async for newest, changed in events:
                        version = newest
                        if _take(found, changed):
                            yield _in_order(found)
            await asyncio.sleep(UNWATCHED_EVERY)
        except Expired:
            continue
        except Forbidden:
            if not (listed and watchable):
                raise
            watchable = False
        except (ConnectionFailed, ServerError, TooManyRequests) as error:
            await asyncio.sleep(backoff.next(time.monotonic(), getattr(error, "retry_after", None)))


async def _polled(client: Client, gvr: GVR, key: ObjectKey) -> AsyncGenerator[JsonObject | None, None]:
    backoff = Backoff()
    while True:
        try:
            yield await get_object(client, gvr, key)
        except NotFound:
            yield None
        except (ConnectionFailed, ServerError, TooManyRequests) as error:
            await asyncio.sleep(backoff.next(time.monotonic(), getattr(error, "retry_after", None)))
            continue
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
            for line in map(_decode_line, complete_lines(rest, chunk)):
                if line.type == "ERROR":
                    raise error_from_status(bytes(line.object))
                item = msgspec.json.decode(line.object)
                version = item["metadata"].get("resourceVersion", version)
                if line.type != "BOOKMARK":
                    changed.append((line.type, item))
            yield version, changed


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
