"""JSON patch (RFC 6902) and JSON merge patch (RFC 7396), with the API server's errors."""

from __future__ import annotations

import copy
from typing import Any

from ktui.demo.errors import StatusError, bad_request

Object = dict[str, Any]


def merge_patch(target: Any, patch: Any) -> Any:
    """Applies a JSON merge patch; neither argument is changed."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def json_patch(target: Object, operations: Any) -> Object:
    """Applies a JSON patch; the target is not changed.

    Args:
        target: the object.
        operations: the list of operations.

    Raises:
        StatusError: 400 when it is no list, 422 when an operation cannot be done.
    """
    if not isinstance(operations, list):
        raise bad_request(
            "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"
        )
    document: Any = copy.deepcopy(target)
    for operation in operations:
        try:
            document = _operate(document, operation)
        except (KeyError, IndexError, ValueError, TypeError):
            raise rejected() from None
    return dict(document)


def rejected() -> StatusError:
    """422: a patch that does not fit the object."""
    return StatusError(422, "Invalid", "the server rejected our request due to an error in our request", {})


def _operate(document: Any, operation: Object) -> Any:
    verb, path = operation["op"], _pointer(operation["path"])
    if verb == "test":
        if _value_at(document, path) != operation.get("value"):
            raise ValueError("test failed")
        return document
    if verb == "remove":
        return _remove(document, path)
    if verb == "replace":
        _value_at(document, path)
        return _set(document, path, operation.get("value"), replace=True)
    if verb == "add":
        return _set(document, path, operation.get("value"))
    if verb in ("move", "copy"):
        source = _pointer(operation["from"])
        value = copy.deepcopy(_value_at(document, source))
        if verb == "move":
            document = _remove(document, source)
        return _set(document, path, value)
    raise ValueError(f"unknown operation {verb}")


def _pointer(text: str) -> list[str]:
    if text and not text.startswith("/"):
        raise ValueError("a pointer starts with /")
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def _lookup(document: Any, path: list[str]) -> Any:
    for step in path:
        document = document[_index(document, step)] if isinstance(document, list) else document[step]
    return document


def _value_at(document: Any, path: list[str]) -> Any:
    """What is there; as in upstream's evanphx/json-patch, a field that its parent lacks is there and null."""
    parent = _lookup(document, path[:-1]) if path else None
    return parent.get(path[-1]) if isinstance(parent, dict) else _lookup(document, path)


def _index(values: list[Any], step: str) -> int:
    index = int(step)
    if not 0 <= index < len(values):
        raise IndexError(step)
    return index


def _remove(document: Any, path: list[str]) -> Any:
    if not path:
        return None
    parent = _lookup(document, path[:-1])
    del parent[_index(parent, path[-1]) if isinstance(parent, list) else path[-1]]
    return document


def _set(document: Any, path: list[str], value: Any, *, replace: bool = False) -> Any:
    if not path:
        return value
    parent, step = _lookup(document, path[:-1]), path[-1]
    if not isinstance(parent, list):
        parent[step] = value
    elif replace:
        parent[_index(parent, step)] = value
    elif step == "-":
        parent.append(value)
    else:
        index = int(step)
        if not 0 <= index <= len(parent):
            raise IndexError(step)
        parent.insert(index, value)
    return document
