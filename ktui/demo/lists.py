"""Lists: which version is asked for, pages of it, and how to go on.

As kubernetes.io/docs/reference/using-api/api-concepts says under "Resource versions" and "Retrieving large results
sets in chunks".
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ktui.demo import errors
from ktui.demo.errors import Cause, StatusError, forbidden_field
from ktui.demo.representations import Representation
from ktui.demo.request import go_json_error
from ktui.demo.resources import Resource
from ktui.demo.router import is_true
from ktui.demo.selectors import Predicate, object_predicate
from ktui.demo.storage import Storage

Object = dict[str, Any]

_AT_ONCE = 250  # objects encoded before other work gets a turn
_MATCHES = ("Exact", "NotOlderThan")
_INCONSISTENT = -1  # the version in a token that goes on after a 410


@dataclass(frozen=True, slots=True)
class ListOptions:
    """A list's or watch's query.

    Attributes:
        version: the asked resource version, None when unset.
        match: resourceVersionMatch, "" when unset.
        limit: objects a page, 0 for all.
        after: the last key of the page before, None for the first page.
        labels: label selector.
        fields: field selector.
        send_initial_events: as asked, None when unset.
        timeout: seconds, 0 when unset.
    """

    version: int | None
    match: str
    limit: int
    after: tuple[str, str] | None
    labels: str
    fields: str
    send_initial_events: bool | None
    timeout: int


def read_options(query: Mapping[str, str], *, watch: bool) -> ListOptions:
    """Reads and checks a list's or watch's query.

    Args:
        query: the URL's query.
        watch: whether it is a watch.

    Raises:
        StatusError: 400 or 422, worded as the API server words it.
    """
    asked, match = query.get("resourceVersion", ""), query.get("resourceVersionMatch", "")
    initial = is_true(query["sendInitialEvents"]) if "sendInitialEvents" in query else None
    limit = _number(query.get("limit") or "0")
    token = query.get("continue", "")
    causes = list(_wrong_combinations(asked, match, initial, bool(token), watch))
    if causes:
        raise errors.invalid("ListOptions", "", causes, group="meta.k8s.io")
    if token and not watch and asked not in ("", "0"):
        raise errors.bad_request("specifying resource version is not allowed when using continue")
    version = _version(asked, watch) if asked else None
    after = None
    if token and not watch:
        version, after = read_token(token)
    return ListOptions(
        version,
        match,
        limit,
        after,
        query.get("labelSelector", ""),
        query.get("fieldSelector", ""),
        initial,
        _number(query.get("timeoutSeconds") or "0"),
    )


def _wrong_combinations(asked: str, match: str, initial: bool | None, going_on: bool, watch: bool) -> Iterator[Cause]:
    field = "resourceVersionMatch"
    if initial is not None and not watch:
        yield forbidden_field("sendInitialEvents", "sendInitialEvents is forbidden for list")
    if match:
        if watch and initial is None:
            yield forbidden_field(
                field, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
            )
        elif not asked and not watch:
            yield forbidden_field(field, "resourceVersionMatch is forbidden unless resourceVersion is provided")
        elif going_on and not watch:
            yield forbidden_field(field, "resourceVersionMatch is forbidden when continue is provided")
        if match not in _MATCHES:
            yield errors.unsupported(field, match, ("Exact", "NotOlderThan", ""))
        elif match == "Exact" and asked == "0":
            yield forbidden_field(field, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"')
    if watch and initial is not None and match != "NotOlderThan":
        yield forbidden_field(field, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise errors.bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def _version(text: str, watch: bool) -> int:
    if not text.isdecimal():
        why = f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax'
        # Watches and lists read it at different depths of the real server, and so it fails differently.
        raise StatusError(500, "", why) if watch else errors.bad_request(f"invalid resource version: {why}")
    return int(text)


def write_token(version: int, key: tuple[str, str]) -> str:
    """The continue token of a page that ended with `key`, a pair of namespace and name."""
    start = f"{key[0]}/{key[1]}\0"
    text = json.dumps({"v": "meta.k8s.io/v1", "rv": version, "start": start}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_token(token: str) -> tuple[int, tuple[str, str]]:
    """The version and last key of a continue token.

    Raises:
        StatusError: 400 for anything that is no token.
    """
    try:
        fields = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        namespace, _, name = fields["start"].removesuffix("\0").rpartition("/")
        return int(fields["rv"]), (namespace, name)
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise errors.bad_request(f"invalid continue token: continue key is not valid: {_token_error(token)}") from None


def _token_error(token: str) -> str:
    try:
        return go_json_error(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (binascii.Error, ValueError):
        return "illegal base64 data at input byte 0"


def snapshot(storage: Storage, key: str, namespace: str | None, version: int) -> list[Object]:
    """A resource's objects as they were at a version, rolled back along the ring of events.

    Args:
        storage: where the objects are.
        key: the resource's key.
        namespace: one namespace, or None for all.
        version: the version.

    Raises:
        StatusError: 410 Expired when the ring does not reach back.
    """
    events = storage.since(key, version)
    objects = storage.list(key, namespace)
    if not events:
        return objects
    by_key = {_key(obj): obj for obj in objects}
    for event in reversed(events):
        where = _key(event.object)
        if namespace is not None and where[0] != namespace:
            continue
        if event.previous is None:
            by_key.pop(where, None)
        else:
            by_key[where] = event.previous
    return [by_key[where] for where in sorted(by_key)]


async def list_response(
    storage: Storage, resource: Resource, namespace: str | None, options: ListOptions, shape: Representation
) -> bytes:
    """The body of a list's answer.

    Args:
        storage: where the objects are.
        resource: what to list.
        namespace: one namespace, or None for all.
        options: the query.
        shape: the form asked for.

    Raises:
        StatusError: 410 when the asked version is gone, 504 when it lies in the future.
    """
    version, objects = _objects(storage, resource.key, namespace, options)
    matches = object_predicate(resource.key, options.labels, options.fields)
    start = bisect_right(objects, options.after, key=_key) if options.after is not None else 0
    page, end = _page(objects, start, options.limit, matches)
    metadata: dict[str, Any] = {"resourceVersion": str(version)}
    if end < len(objects):
        metadata["continue"] = write_token(version, _key(page[-1]))
        if matches is None:
            metadata["remainingItemCount"] = len(objects) - end
    return shape.listing(await _encoded(page, shape), metadata)


def _key(obj: Object) -> tuple[str, str]:
    metadata = obj["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


def _objects(storage: Storage, key: str, namespace: str | None, options: ListOptions) -> tuple[int, list[Object]]:
    """The version to answer with, and the whole list at it."""
    asked, current = options.version, storage.version
    if options.after is not None:
        if asked == _INCONSISTENT or asked is None:
            return current, storage.list(key, namespace)
        try:
            return asked, snapshot(storage, key, namespace, asked)
        except StatusError:
            raise errors.too_old_continue(write_token(_INCONSISTENT, options.after)) from None
    if not asked:
        return current, storage.list(key, namespace)
    if asked > current:
        raise errors.too_large_version(asked, current)
    if options.match == "Exact" or (options.limit and not options.match):
        try:
            return asked, snapshot(storage, key, namespace, asked)
        except StatusError:
            raise errors.too_old_list() from None
    return current, storage.list(key, namespace)


def _page(objects: list[Object], start: int, limit: int, matches: Predicate | None) -> tuple[list[Object], int]:
    """One page of the objects that match, and the index behind the last one looked at."""
    if matches is None:
        end = min(len(objects), start + limit) if limit > 0 else len(objects)
        return objects[start:end], end
    page: list[Object] = []
    for index in range(start, len(objects)):
        if matches(objects[index]):
            if limit > 0 and len(page) == limit:
                return page, index
            page.append(objects[index])
    return page, len(objects)


async def _encoded(objects: list[Object], shape: Representation) -> list[bytes]:
    items: list[bytes] = []
    for start in range(0, len(objects), _AT_ONCE):
        if start:
            await asyncio.sleep(0)
        items += map(shape.item, objects[start : start + _AT_ONCE])
    return items
