"""Strategic merge patch: merge patch that knows which lists are keyed, with the directives kubectl sends.

As kubernetes/community `contributors/devel/sig-api-machinery/strategic-merge-patch.md` says.
"""

from __future__ import annotations

from typing import Any

from ktui.demo.errors import StatusError
from ktui.demo.merge_keys import list_keys

Object = dict[str, Any]

_DIRECTIVE = "$patch"
_RETAIN = "$retainKeys"
_ORDER = "$setElementOrder/"
_REMOVE = "$deleteFromPrimitiveList/"


def strategic_merge(target: Object, patch: Object, parent: str = "") -> Object:
    """Applies a strategic merge patch; neither argument is changed.

    Args:
        target: the object, or the part of it.
        patch: the patch for it.
        parent: the name of the field both stand in.

    Raises:
        StatusError: 400 for directives that are none.
    """
    directive = patch.get(_DIRECTIVE)
    if directive == "replace":
        return {key: value for key, value in patch.items() if not key.startswith("$")}
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise _broken(f"unknown patch type: {directive} in map: {_go(patch)}")
    merged = dict(target)
    if _RETAIN in patch:
        merged = {key: value for key, value in merged.items() if key in patch[_RETAIN]}
    for key, value in patch.items():
        if key.startswith(_REMOVE):
            field = key.removeprefix(_REMOVE)
            merged[field] = [entry for entry in merged.get(field) or () if entry not in value]
        elif key.startswith("$"):
            continue
        elif value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            merged[key] = strategic_merge(merged.get(key) or {}, value, key)
        elif isinstance(value, list):
            live = merged.get(key) or []
            values, merge_key = _merge_list(live, value, key, parent), list_keys(key, parent).merge_key
            merged[key] = _ordered(values, patch.get(_ORDER + key, value), live, merge_key) if merge_key else values
        else:
            merged[key] = value
    for key, order in patch.items():
        field = key.removeprefix(_ORDER)
        if key.startswith(_ORDER) and field in merged and field not in patch:
            merged[field] = _ordered(merged[field], order, merged[field], list_keys(field, parent).merge_key)
    return merged


def _merge_list(target: list[Any], patch: list[Any], field: str, parent: str) -> list[Any]:
    keys = list_keys(field, parent)
    if keys.is_set:
        return [*target, *(value for value in patch if value not in target)]
    key = keys.merge_key
    entries = [entry for entry in patch if isinstance(entry, dict)]
    if any(entry.get(_DIRECTIVE) == "replace" for entry in entries):
        return [entry for entry in patch if not (isinstance(entry, dict) and _DIRECTIVE in entry)]
    if not key or len(entries) != len(patch):
        return list(patch)
    merged = list(target)
    for entry in entries:
        if key not in entry:
            raise _broken(f"map: {_go(entry)} does not contain declared merge key: {key}")
        at = next((i for i, have in enumerate(merged) if have.get(key) == entry[key]), None)
        if entry.get(_DIRECTIVE) == "delete":
            if at is not None:
                del merged[at]
        elif at is None:
            merged.append(strategic_merge({}, entry, field))
        else:
            merged[at] = strategic_merge(merged[at], entry, field)
    return merged


def _ordered(values: list[Any], order: list[Any], live: list[Any], key: str) -> list[Any]:
    """Values in order: those the patch names as it names them, the rest where the live list had them among these."""

    def name(value: Any) -> Any:
        return value.get(key) if isinstance(value, dict) else value

    named, before = [name(entry) for entry in order], [name(entry) for entry in live]
    patched = sorted((value for value in values if name(value) in named), key=lambda value: named.index(name(value)))
    rest = [value for value in values if name(value) not in named]
    merged: list[Any] = []
    while patched and rest:
        first, other = name(rest[0]), name(patched[0])
        known = first in before and other in before
        merged.append((rest if known and before.index(first) < before.index(other) else patched).pop(0))
    return merged + rest + patched


def _broken(why: str) -> StatusError:
    return StatusError(500, "", why)


def _go(value: Any) -> str:
    """A value as Go's %v prints it."""
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{_go(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(_go, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return "<nil>" if value is None else str(value)
