"""Who set which field: metadata.managedFields, kept as simply as server-side apply allows.

A write owns what it changed; an apply owns all it names. As kubernetes.io/docs/reference/using-api/server-side-apply.
Fields are sets of paths; a path is a tuple of FieldsV1 steps such as ("f:spec", 'k:{"name":"web"}', "f:image").
"""

from __future__ import annotations

import json
from collections.abc import Set
from typing import Any

from ktui.demo.merge_keys import entry_key
from ktui.demo.merge_rules import DEDUCED, Rules, rules_of

Object = dict[str, Any]
Path = tuple[str, ...]

_MISSING = object()
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


def paths_of(obj: Object, rules: Rules | None = None) -> dict[Path, Any]:
    """All of an object that an apply of it owns, with its value: fields, and entries of keyed lists.

    Args:
        obj: the object.
        rules: how it is merged; None to take those of its type.
    """
    return _paths(obj, rules, within=False)


def _paths(obj: Object, rules: Rules | None, *, within: bool) -> dict[Path, Any]:
    rules = rules or rules_of(obj)
    found: dict[Path, Any] = {}
    for key, value in _ownable(obj).items():
        _collect(found, (f"f:{key}",), value, rules.field(key), within=within)
    return found


def _ownable(obj: Object) -> Object:
    """An object without what nobody owns."""
    found = {key: value for key, value in obj.items() if key not in _NEVER_OWNED}
    metadata = {key: value for key, value in obj.get("metadata", {}).items() if key not in _NEVER_OWNED_METADATA}
    found.pop("metadata", None)
    return found | ({"metadata": metadata} if metadata else {})


def _collect(found: dict[Path, Any], path: Path, value: Any, rules: Rules, *, within: bool) -> None:
    """Finds what is in a value.

    Args:
        found: takes the paths.
        path: of the value.
        value: the value.
        rules: how it is merged.
        within: whether maps and lists are found, too, that have something in them.
    """
    steps = _inside(value, rules)
    if steps is None:
        found[path] = value
        return
    if within or rules is DEDUCED:
        found[path] = ""
    for step, (part, inner) in steps.items():
        here = (*path, step)
        if step.startswith("k:") and not inner.whole:
            found[here] = ""
        _collect(found, here, part, inner, within=within)


def _inside(value: Any, rules: Rules) -> dict[str, tuple[Any, Rules]] | None:
    """What is in a value by its steps, with its rules; None when it is one value or empty."""
    if isinstance(value, dict) and value and not rules.whole:
        return {f"f:{key}": (part, rules.field(key)) for key, part in value.items()}
    if isinstance(value, list) and value and rules.is_set:
        return {f"v:{_text(entry)}": (entry, DEDUCED) for entry in value}
    if isinstance(value, list) and value and rules.keys:
        named = [entry_key(entry, rules.keys) for entry in value]
        if None not in named:
            steps = ("k:" + _text(dict(zip(rules.keys, values or (), strict=True))) for values in named)
            return {step: (entry, rules.item()) for step, entry in zip(steps, value, strict=True)}
    return None


def _text(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def to_fields(paths: set[Path]) -> Object:
    """Paths as a FieldsV1 tree, in which "." stands for a value that has something in it."""
    tree: Object = {}
    for path in sorted(paths):
        branch = tree
        for step in path:
            branch = branch.setdefault(step, {})
    for path in paths:
        branch = tree
        for step in path:
            branch = branch[step]
        if branch:
            branch["."] = {}
    return _sorted(tree)


def _sorted(tree: Object) -> Object:
    return {step: _sorted(branch) for step, branch in sorted(tree.items())}


def from_fields(tree: Object) -> set[Path]:
    """The paths of a FieldsV1 tree."""
    found: set[Path] = set()

    def walk(branch: Object, path: Path) -> None:
        if path and (not branch or "." in branch):
            found.add(path)
        for step, inner in branch.items():
            if step != ".":
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
    gone: Set[Path] = frozenset(),
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
        gone: what is no longer there, and nobody's.
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
        entry["fieldsV1"] = to_fields(kept - gone)
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


def changed(before: Object, after: Object, rules: Rules | None = None) -> set[Path]:
    """The paths a write gave a new value; of what is new, also the maps and lists.

    Args:
        before: the object as it was; {} for none.
        after: the object as it is.
        rules: how it is merged; None to take those of its type.
    """
    rules = rules or rules_of(after)
    found: dict[Path, Any] = {}
    old, new = _ownable(before), _ownable(after)
    for key, value in new.items():
        _compare(found, (f"f:{key}",), old.get(key, _MISSING), value, rules.field(key), nested=key == "metadata")
    return set(found)


def _compare(found: dict[Path, Any], path: Path, old: Any, new: Any, rules: Rules, *, nested: bool = False) -> None:
    if old is _MISSING and (rules.always or nested) and new and isinstance(new, dict | list):
        old = type(new)()
    if old is _MISSING:
        _collect(found, path, new, rules, within=True)
        return
    had, has = _inside(old, rules), _inside(new, rules)
    if has is None or type(old) is not type(new):
        if old != new:
            found[path] = new
        return
    for step, (part, inner) in has.items():
        _compare(found, (*path, step), (had or {}).get(step, (_MISSING,))[0], part, inner)


def removed(before: Object, after: Object, rules: Rules | None = None) -> set[Path]:
    """The paths a write took away; arguments as for `changed`."""
    rules = rules or rules_of(after)
    return _paths(before, rules, within=True).keys() - _paths(after, rules, within=True).keys()
