"""Who set which field: metadata.managedFields, kept as simply as server-side apply allows.

A write owns what it changed; an apply owns all it names. As kubernetes.io/docs/reference/using-api/server-side-apply.
Fields are sets of paths; a path is a tuple of FieldsV1 steps such as ("f:spec", 'k:{"name":"web"}', "f:image").
"""

from __future__ import annotations

import json
from typing import Any

from ktui.demo.merge_keys import Keys, entry_key, list_keys

Object = dict[str, Any]
Path = tuple[str, ...]

_NEVER_OWNED = {"apiVersion", "kind"}
_NEVER_OWNED_METADATA = {
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
    "generateName",
    "selfLink",
}


def paths_of(obj: Object, keys_of: Keys = list_keys) -> dict[Path, Any]:
    """Every leaf of an object that can be owned, with its value.

    Args:
        obj: the object.
        keys_of: how its lists are merged.
    """
    found: dict[Path, Any] = {}
    for key, value in obj.items():
        if key in _NEVER_OWNED:
            continue
        if key == "metadata":
            value = {name: part for name, part in value.items() if name not in _NEVER_OWNED_METADATA}
            if not value:
                continue
        _collect(found, (f"f:{key}",), key, "", value, keys_of)
    return found


def _collect(found: dict[Path, Any], path: Path, field: str, parent: str, value: Any, keys_of: Keys) -> None:
    if isinstance(value, dict) and value and field != "selector":  # selectors are owned as a whole
        for key, part in value.items():
            _collect(found, (*path, f"f:{key}"), key, field, part, keys_of)
        return
    if isinstance(value, list) and value:
        keys = keys_of(field, parent)
        if keys.is_set:
            found.update({(*path, f"v:{_text(entry)}"): entry for entry in value})
            return
        named = [entry_key(entry, keys.apply_keys) for entry in value] if keys.apply_keys else [None]
        if None not in named:
            for entry, values in zip(value, named, strict=True):
                step = "k:" + _text(dict(zip(keys.apply_keys, values or (), strict=True)))
                found[(*path, step, ".")] = ""
                for key, part in entry.items():
                    _collect(found, (*path, step, f"f:{key}"), key, field, part, keys_of)
            return
    found[path] = value


def _text(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def to_fields(paths: set[Path]) -> Object:
    """Paths as a FieldsV1 tree."""
    tree: Object = {}
    for path in sorted(paths):
        branch = tree
        for step in path:
            branch = branch.setdefault(step, {})
    return tree


def from_fields(tree: Object) -> set[Path]:
    """The paths of a FieldsV1 tree."""
    found: set[Path] = set()

    def walk(branch: Object, path: Path) -> None:
        if not branch and path:
            found.add(path)
        for step, inner in branch.items():
            walk(inner, (*path, step))

    walk(tree, ())
    return found


def readable(path: Path) -> str:
    """A path as conflicts name it: `.spec.template.spec.containers[name="web"].image`."""
    words = []
    for step in path:
        kind, _, rest = step.partition(":")
        if kind == "f":
            words.append(f".{rest}")
        elif kind == "k":
            pairs = ",".join(f"{key}={_text(value)}" for key, value in json.loads(rest).items())
            words.append(f"[{pairs}]")
        elif kind == "v":
            words.append(f"[={rest}]")
    return "".join(words)


def record(
    obj: Object,
    owned: set[Path],
    *,
    taken: set[Path],
    manager: str,
    operation: str,
    subresource: str,
    time: str,
) -> Object:
    """The object with its owners brought up to date.

    Args:
        obj: the object.
        owned: what the manager owns now: in addition to what it had by Update, instead of it by Apply.
        taken: what nobody else owns any more.
        manager: the field manager.
        operation: "Update" or "Apply".
        subresource: the subresource written to, "" for the object itself.
        time: RFC 3339.
    """
    entries = [dict(entry) for entry in obj["metadata"].get("managedFields") or ()]
    mine = None
    for entry in entries:
        theirs = from_fields(entry.get("fieldsV1") or {})
        same = (entry["manager"], entry["operation"]) == (manager, operation)
        if same and entry.get("subresource", "") == subresource:
            mine = entry
            kept = theirs | owned if operation == "Update" else owned
        else:
            kept = theirs - taken
        entry["fieldsV1"] = to_fields(kept)
    if mine is None and owned:
        mine = {
            "manager": manager,
            "operation": operation,
            "apiVersion": obj["apiVersion"],
            "fieldsType": "FieldsV1",
            "fieldsV1": to_fields(owned),
        }
        if subresource:
            mine["subresource"] = subresource
        entries.append(mine)
    if mine is not None and owned:
        mine["time"] = time
    metadata = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    entries = [entry for entry in entries if entry["fieldsV1"]]
    return {**obj, "metadata": metadata | ({"managedFields": entries} if entries else {})}


def changed(before: Object, after: Object, keys_of: Keys = list_keys) -> set[Path]:
    """The paths a write gave a new value; how lists are merged, `keys_of` tells."""
    old, new = paths_of(before, keys_of), paths_of(after, keys_of)
    missing = object()
    return {path for path, value in new.items() if old.get(path, missing) != value}
