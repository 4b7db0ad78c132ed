"""Patches: requests that change in an object only what was changed in its text.

    patch = changes(base, mine, schema.lists)
    await client.request("PATCH", path, body=encode(patch.body), content_type=patch.content_type)

Built-in kinds take strategic merge patches, which reach into lists by the keys of their items, as `kubectl edit` sends
them. Custom resources take JSON merge patches, which replace lists. A JSON patch, whose tests let it fail when somebody
else changed the same fields, does for all.

A field that is null is one that is not there, as for kubectl; a JSON patch alone tells them apart. Sources:
https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
https://www.rfc-editor.org/rfc/rfc7386 https://www.rfc-editor.org/rfc/rfc6902
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from ktui.manifests.lists import ABSENT, GUESSED, Identities, JsonObject, Lists, Matched, matched, same
from ktui.manifests.problems import Path

STRATEGIC = "application/strategic-merge-patch+json"
MERGE = "application/merge-patch+json"
JSON = "application/json-patch+json"

Operation = dict[str, Any]

_DIRECTIVES = ("$patch", "$retainKeys", "$setElementOrder/", "$deleteFromPrimitiveList/")


class Patch(NamedTuple):
    """A patch.

    Attributes:
        content_type: which kind of patch it is.
        body: of the request; empty when nothing was changed.
        whole: the lists and maps that it replaces or removes, whatever others made of them meanwhile.
    """

    content_type: str
    body: Any
    whole: tuple[Path, ...] = ()


class InexpressibleError(Exception):
    """A change that a strategic merge patch cannot make."""


def changes(base: JsonObject, mine: JsonObject, lists: Lists = GUESSED, *, resource_version: str = "") -> Patch:
    """What to send so that the server changes what was changed, and nothing else.

    Args:
        base: the object as it was read.
        mine: as it was edited.
        lists: how its lists are merged; whether strategic merge patches are taken, they know.
        resource_version: the server refuses the patch, with a conflict, when the object has another by then. Then
            it is time to read and merge again, so nothing of what others do is lost.
    """
    whole: list[Path] = []
    kind, body = MERGE, {}
    try:
        if lists.strategic:
            kind, body = STRATEGIC, strategic_merge_patch(base, mine, lists, whole)
        else:
            body = merge_patch(base, mine, whole)
    except InexpressibleError:
        return _json(base, mine, lists, resource_version)
    if body and resource_version:
        # The server compares it with the object's.
        meta = body.get("metadata")
        body["metadata"] = {**(meta if isinstance(meta, dict) else {}), "resourceVersion": resource_version}
    return Patch(kind, body, tuple(whole))


def patch(base: JsonObject, mine: JsonObject, lists: Lists = GUESSED) -> Any:
    """The body of what `changes` would send."""
    return changes(base, mine, lists).body


def _json(base: JsonObject, mine: JsonObject, lists: Lists, resource_version: str) -> Patch:
    operations = json_patch(base, mine, lists)
    if operations and resource_version:
        operations.insert(0, _test(("metadata", "resourceVersion"), resource_version))
    return Patch(JSON, operations)


# -- JSON merge patches ----------------------------------------------------------------------------


def merge_patch(base: JsonObject, mine: JsonObject, whole: list[Path] | None = None) -> JsonObject:
    """A JSON merge patch.

    Args:
        base: the object as it was.
        mine: the object as it shall be.
        whole: told the paths of lists and maps that are replaced or removed.
    """
    return _merge_patch(base, mine, (), [] if whole is None else whole)


def _merge_patch(base: JsonObject, mine: JsonObject, path: Path, whole: list[Path]) -> JsonObject:
    body = _removals(base, mine, path, whole)
    for key, now in mine.items():
        was = base.get(key)
        if now is None or same(was, now):
            continue
        if isinstance(was, dict) and isinstance(now, dict):
            if inner := _merge_patch(was, now, (*path, key), whole):
                body[key] = inner
            continue
        if isinstance(was, dict | list):
            whole.append((*path, key))
        body[key] = now
    return body


def _removals(base: JsonObject, mine: JsonObject, path: Path, whole: list[Path]) -> JsonObject:
    gone = [key for key, was in base.items() if was is not None and mine.get(key) is None]
    whole += [(*path, key) for key in gone if isinstance(base[key], dict | list)]
    return dict.fromkeys(gone)


# -- strategic merge patches -----------------------------------------------------------------------


def strategic_merge_patch(
    base: JsonObject, mine: JsonObject, lists: Lists, whole: list[Path] | None = None
) -> JsonObject:
    """A strategic merge patch, the same as `kubectl edit` sends.

    Args:
        base: the object as it was.
        mine: the object as it shall be.
        lists: how its lists are merged.
        whole: told the paths of lists and maps that are replaced or removed.

    Raises:
        InexpressibleError: two items of a list have one key, or lack it: such a patch would meet the wrong one.
    """
    return _strategic(base, mine, lists, (), [] if whole is None else whole)


def _strategic(base: JsonObject, mine: JsonObject, lists: Lists, path: Path, whole: list[Path]) -> JsonObject:
    body = _removals(base, mine, path, whole)
    for key, now in mine.items():
        was, inner = base.get(key), lists.field(key)
        if now is None or same(was, now):
            continue
        if isinstance(was, dict) and isinstance(now, dict):
            if part := _strategic(was, now, inner, (*path, key), whole):
                body[key] = part
        elif isinstance(was, list) and isinstance(now, list) and inner.rule.patch_merged:
            body |= _strategic_list(key, was, now, inner, (*path, key), whole)
        else:
            if isinstance(was, dict | list):
                whole.append((*path, key))
            _refuse_directives({key: now})
            body[key] = now
    if body and lists.rule.retained:
        body["$retainKeys"] = sorted(key for key, now in mine.items() if now is not None)
    return body


def _refuse_directives(value: Any) -> None:
    """Names of the user's that look like the directives of a patch must not become some."""
    if isinstance(value, dict):
        if any(key.startswith(_DIRECTIVES) for key in value):
            raise InexpressibleError
        value = value.values()
    elif not isinstance(value, list):
        return
    for inner in value:
        _refuse_directives(inner)


def _strategic_list(
    field: str, base: list[Any], mine: list[Any], lists: Lists, path: Path, whole: list[Path]
) -> JsonObject:
    """The fields of a patch that change a list."""
    key = lists.rule.patch_key
    was, now = _placed(base, key), _placed(mine, key)
    gone = [identity for identity in was if identity not in now]
    body: JsonObject = {}
    changed: list[Any]
    if key:
        changed = [*_changed_items(base, mine, was, now, lists, path, whole)]
        changed += [{key: identity, "$patch": "delete"} for identity in gone]
    else:
        changed = [value for value in now if value not in was]
        if gone:
            body[f"$deleteFromPrimitiveList/{field}"] = gone
    if changed:
        body[field] = changed
    if now:
        body[f"$setElementOrder/{field}"] = [{key: identity} if key else identity for identity in now]
    return body


def _changed_items(
    base: list[Any], mine: list[Any], was: Identities, now: Identities, lists: Lists, path: Path, whole: list[Path]
) -> Iterable[JsonObject]:
    key, inner = lists.rule.patch_key, lists.item()
    for identity, place in now.items():
        if identity not in was:
            _refuse_directives(mine[place])
            yield mine[place]
        elif part := _strategic(base[was[identity]], mine[place], inner, (*path, place), whole):
            yield {**part, key: identity}


def _placed(items: list[Any], key: str) -> Identities:
    """Where the items of a list are, by the key of strategic merge patches or, without one, by themselves."""
    names = [item.get(key) if isinstance(item, dict) else ABSENT for item in items] if key else items
    if not {*map(type, names)} <= {str, int}:
        raise InexpressibleError
    found: Identities = {name: place for place, name in enumerate(names)}
    if len(found) < len(items):
        raise InexpressibleError
    return found


# -- JSON patches ----------------------------------------------------------------------------------


def json_patch(base: JsonObject, mine: JsonObject, lists: Lists = GUESSED) -> list[Operation]:
    """A JSON patch that fails when what it changes is no longer as it was.

    Args:
        base: the object as it was.
        mine: the object as it shall be.
        lists: how its lists are merged.
    """
    return [*_operations(base, mine, lists, ())]


def _operations(base: Any, mine: Any, lists: Lists, path: Path) -> Iterable[Operation]:
    if same(base, mine):
        return
    if isinstance(base, dict) and isinstance(mine, dict):
        for key in base:
            if key not in mine:
                yield from _removed(base[key], (*path, key))
        for key, now in mine.items():
            if key in base:
                yield from _operations(base[key], now, lists.field(key), (*path, key))
            else:
                # A missing field passes for null, if the map is there.
                yield _test((*path, key), None)
                yield {"op": "add", "path": pointer((*path, key)), "value": now}
        return
    if isinstance(base, list) and isinstance(mine, list):
        found = matched(lists.rule, base, mine)
        if found is not None and not _moved(*found.places):
            yield from _list_operations(base, mine, found, lists, path)
            return
    yield _test(path, base)
    yield {"op": "replace", "path": pointer(path), "value": mine}


def _moved(was: Identities, now: Identities) -> bool:
    return [item for item in was if item in now] != [item for item in now if item in was]


def _list_operations(base: list[Any], mine: list[Any], found: Matched, lists: Lists, path: Path) -> Iterable[Operation]:
    """From the end to the beginning what changes or goes, so that places hold; then, in order, what comes."""
    was, now = found.places
    for identity, place in reversed(was.items()):
        at = (*path, place)
        if identity not in now:
            yield from _removed(base[place], at)
        elif part := [*_operations(base[place], mine[now[identity]], lists.item(), at)]:
            # Another item may stand there by now.
            yield from (_test((*at, key), base[place][key]) for key in found.keys if key in base[place])
            yield from part
    for identity, place in now.items():
        if identity not in was:
            yield {"op": "add", "path": pointer((*path, place)), "value": mine[place]}


def _removed(value: Any, path: Path) -> Iterable[Operation]:
    yield _test(path, value)
    yield {"op": "remove", "path": pointer(path)}


def _test(path: Path, value: Any) -> Operation:
    return {"op": "test", "path": pointer(path), "value": value}


def pointer(path: Path) -> str:
    """A path as a JSON pointer: `/metadata/labels/app.kubernetes.io~1name`. Source: RFC 6901."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)
