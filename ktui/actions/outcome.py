"""Outcome: whether a write was done that got no answer.

A line that breaks, and a server or a proxy that gives up waiting, say nothing about what they were asked to do. So the
object is looked at, and it is told whether it is as the write wants it.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import msgspec

from ktui.actions.action import FIELD_MANAGER, JSON_PATCH, JsonObject, Step, Write
from ktui.kinds.names import GVR, ObjectKey
from ktui.kube.errors import (
    ConfigError,
    Conflict,
    ConnectionFailed,
    Invalid,
    KtuiError,
    NotFound,
    ServerError,
    ServerTimeout,
    TooManyRequests,
    Unavailable,
    UnexpectedAnswer,
)
from ktui.manifests.lists import ABSENT, same

LONGEST_WAIT = 30.0
"""Seconds for which a server that asks to wait is waited for at most."""

_NEVER_CONNECTED = (
    "not connected yet", "connection refused", "name not found", "no route to host", "network unreachable",
    "certificate", "hostname mismatch", "client certificate refused", "the server speaks plain HTTP", "its proxy",
)  # fmt: skip


class Unclear(KtuiError):  # noqa: N818 - named as those of errors.py
    """What was looked at does not tell whether the write was done."""


class Looking(Protocol):
    """What looks and asks; a `Place` does."""

    async def get(self, gvr: GVR, key: ObjectKey, subresource: str = "") -> JsonObject:
        """One object."""

    async def send(self, write: Write, *, dry_run: bool = False) -> tuple[JsonObject, tuple[str, ...]]:
        """A write, or what it would make."""


# -- what an error tells ---------------------------------------------------------------------------


def asked_to_wait(error: KtuiError) -> float | None:
    """Seconds after which to ask again, of a server that has done nothing and says so; None of any other.

    A budget's refusal of an eviction looks alike, but waits for something else.
    """
    if not isinstance(error, TooManyRequests | Unavailable) or error.status == 502:
        return None
    if any(cause.reason == "DisruptionBudget" for cause in error.details.causes):
        return None
    wait = error.retry_after
    return None if wait is None or wait > LONGEST_WAIT else max(wait, 0.1)


def never_sent(error: KtuiError) -> bool:
    """Whether the server cannot have heard of a write."""
    return isinstance(error, ConnectionFailed) and error.reason.startswith(_NEVER_CONNECTED)


def leaves_open(error: KtuiError) -> bool:
    """Whether an error leaves open if the write was done.

    A 503 without Retry-After comes from what stands between, and so does a 502; of the API server's own errors those
    are open in which its database did not answer.
    """
    if isinstance(error, ConnectionFailed | ServerTimeout | UnexpectedAnswer):
        return True
    if isinstance(error, Unavailable):
        return error.status == 502 or error.retry_after is None
    return isinstance(error, ServerError) and "etcd" in error.message


def may_come_later(error: KtuiError) -> bool:
    """Whether somebody gave up waiting while the server may still be at it."""
    return isinstance(error, ServerTimeout) or (isinstance(error, ConnectionFailed) and error.reason == "timed out")


def may_pass(error: KtuiError) -> bool:
    """Whether looking again may help."""
    return isinstance(error, ConnectionFailed | ServerError | TooManyRequests | Conflict | ConfigError)


# -- what the object tells -------------------------------------------------------------------------


async def was_done(
    place: Looking, step: Step, before: JsonObject | None, existed: str | None = ""
) -> JsonObject | None:
    """The object, if it is as a write wants it; None if the write was not done, so far.

    Args:
        place: where.
        step: the write.
        before: the object as it was; None when it is not known, and of what is created.
        existed: of what is created, the UID of the object that had its name before; empty for none, None when that is
            not known.

    Raises:
        Unclear: it cannot be told.
        KtuiError: it cannot be looked at.
    """
    write, target = step.write, step.target
    leaves = write.method == "DELETE" or write.path.endswith("/eviction")
    if not target.key.name:
        raise Unclear("The server chose its name, and nobody heard it.")
    own = target.kind.gvr.path(*target.key)
    through = "" if leaves else write.path.removeprefix(own).strip("/") if write.path.startswith(f"{own}/") else ""
    try:
        now = await place.get(target.kind.gvr, target.key, through)
    except NotFound:
        return {} if leaves else None
    if leaves:
        return now if _leaves(now, step) else None
    if write.method == "POST":
        return now if _is_made(now, existed) else None
    return await _changed(place, step, before, now)


def _leaves(now: JsonObject, step: Step) -> bool:
    """Whether an object goes away, as soon as the deletion wants it."""
    meta, target = now["metadata"], step.target
    uid = target.uid or ((target.item or {}).get("metadata") or {}).get("uid")
    if uid and meta.get("uid") != uid:
        return True
    if not meta.get("deletionTimestamp"):
        return False
    body: JsonObject = step.write.body or {}
    wanted = (body.get("deleteOptions") or body).get("gracePeriodSeconds")
    # It may have been leaving before, only slower.
    return wanted is None or (meta.get("deletionGracePeriodSeconds") or 0) <= wanted


def _is_made(now: JsonObject, existed: str | None) -> bool:
    """Whether an object is the one that was to be made; the server notes who makes one."""
    meta = now["metadata"]
    if existed and meta.get("uid") == existed:
        return False
    if existed is None or not (managers := meta.get("managedFields")):
        raise Unclear("There is one of that name; whether it was there before is not known.")
    return any(entry.get("manager") == FIELD_MANAGER for entry in managers)


async def _changed(place: Looking, step: Step, before: JsonObject | None, now: JsonObject) -> JsonObject | None:
    """An object that was changed, if doing it again would change nothing."""
    write = step.write
    if before is not None and now["metadata"].get("resourceVersion") == before["metadata"].get("resourceVersion"):
        return None
    if write.method == "PUT":
        # It names the version that it replaces, and that is gone if it was done.
        meta = {**write.body["metadata"], "resourceVersion": now["metadata"].get("resourceVersion", "")}
        write = replace(write, body={**write.body, "metadata": meta})
    try:
        again, _ = await place.send(write, dry_run=True)
    except Invalid:
        # A patch that tests what was before cannot be done twice, and not after somebody else's change either.
        if write.content_type == JSON_PATCH and before is not None and _patched_alike(before, now, write):
            return now
        raise
    if write.content_type == JSON_PATCH:
        return now if _same_at(_touched(operations(write), again), now, again) else None
    return now if _agree(write.body, now, again) else None


def _agree(body: Any, now: Any, again: Any) -> bool:
    """Whether two objects are the same in what a write names.

    Elsewhere they may differ: webhooks write times and counts into every change.
    """
    if not (isinstance(body, dict) and isinstance(now, dict) and isinstance(again, dict)) or "$patch" in body:
        return _alike(now, again)
    # Strategic patches have directives beside fields.
    fields = [name for name in body if not name.startswith("$") and name not in _OWNED]
    return all(_agree(body[name], now.get(name, ABSENT), again.get(name, ABSENT)) for name in fields)


def _alike(one: Any, other: Any) -> bool:
    return one is other or (ABSENT not in (one, other) and same(one, other))


_OWNED = ("resourceVersion", "managedFields", "generation", "status")


# -- JSON patches ----------------------------------------------------------------------------------


def operations(write: Write) -> Sequence[JsonObject]:
    """The operations of a JSON patch."""
    body = write.body
    decoded: Sequence[JsonObject] = msgspec.json.decode(body) if isinstance(body, msgspec.Raw) else body
    return decoded


def _patched_alike(before: JsonObject, now: JsonObject, write: Write) -> bool:
    """Whether an object has what a JSON patch makes of the one before, in the fields that the patch touches."""
    changes = [operation for operation in operations(write) if operation["op"] != "test"]
    try:
        wanted = patched(before, changes)
    except (LookupError, TypeError, ValueError):
        return False
    return _same_at(_touched(changes, wanted), now, wanted)


def patched(item: JsonObject, changes: Sequence[Mapping[str, Any]]) -> JsonObject:
    """An object after operations of a JSON patch. Source: RFC 6902.

    Args:
        item: not changed.
        changes: `add`, `remove`, `replace` and `move`; tests are passed over.

    Raises:
        LookupError, TypeError, ValueError: a place is not there.
    """
    made = copy.deepcopy(item)
    for operation in changes:
        value = copy.deepcopy(operation.get("value"))
        if operation["op"] == "move":
            where, key = _place(made, operation["from"])
            value = where.pop(key)
        where, key = _place(made, operation["path"])
        if operation["op"] == "remove":
            del where[key]
        elif operation["op"] in ("add", "move") and isinstance(where, list):
            where.insert(key, value)
        elif operation["op"] in ("add", "move", "replace"):
            where[key] = value
    return made


def _place(item: Any, pointer: str) -> tuple[Any, Any]:
    """What a pointer's last part is in, and that part as a key or an index."""
    *inner, last = _parts(pointer)
    for part in inner:
        item = item[int(part)] if isinstance(item, list) else item[part]
    if isinstance(item, list):
        return item, len(item) if last == "-" else int(last)
    return item, last


def _touched(changes: Sequence[JsonObject], item: JsonObject) -> list[tuple[str, ...]]:
    """The fields that operations change; of a list, whose items may move, the whole."""
    found = []
    for operation in changes:
        for name in ("path", "from") if operation["op"] != "test" else ():
            path: list[str] = []
            value: Any = item
            for part in _parts(operation[name]) if name in operation else ():
                if not isinstance(value, dict):
                    break
                path.append(part)
                value = value.get(part, ABSENT)
            found.append(tuple(path))
    return [path for path in found if path]


def _same_at(paths: Sequence[Sequence[str]], one: JsonObject, other: JsonObject) -> bool:
    return all(_alike(_value(one, path), _value(other, path)) for path in paths)


def _value(item: Any, path: Sequence[str]) -> Any:
    for part in path:
        item = item.get(part, ABSENT) if isinstance(item, dict) else ABSENT
    return item


def _parts(pointer: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
