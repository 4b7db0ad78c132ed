"""Strategic merge patch: merge patch that knows which lists are keyed, with the directives kubectl sends.

As kubernetes/community `contributors/devel/sig-api-machinery/strategic-merge-patch.md` says.
"""

from __future__ import annotations

from typing import Any

from ktui.demo.errors import bad_request
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
        raise bad_request(f"Unknown patch type: {directive}")
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
            merged[key] = _merge_list(merged.get(key) or [], value, key, parent)
        else:
            merged[key] = value
    for key, order in patch.items():
        field = key.removeprefix(_ORDER)
        if key.startswith(_ORDER) and field in merged:
            merged[field] = _ordered(merged[field], order, list_keys(field, parent).merge_key)
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
            raise bad_request(f"map: {entry} does not contain declared merge key: {key}")
        at = next((i for i, have in enumerate(merged) if have.get(key) == entry[key]), None)
        if entry.get(_DIRECTIVE) == "delete":
            if at is not None:
                del merged[at]
        elif at is None:
            merged.append(strategic_merge({}, entry, field))
        else:
            merged[at] = strategic_merge(merged[at], entry, field)
    return merged


def _ordered(values: list[Any], order: list[Any], key: str) -> list[Any]:
    """Values in the order the patch names; those it does not name keep their place behind their predecessors."""
    wanted = [entry.get(key) if isinstance(entry, dict) else entry for entry in order]
    names = [value.get(key) if isinstance(value, dict) else value for value in values]
    place: dict[int, tuple[int, int]] = {}
    behind = -1
    for index, name in enumerate(names):
        behind = wanted.index(name) if name in wanted else behind
        place[index] = (behind, 0 if name in wanted else 1)
    return [values[index] for index in sorted(place, key=lambda index: (*place[index], index))]
