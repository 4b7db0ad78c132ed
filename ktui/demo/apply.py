"""Server-side apply: merge what a manager declares, remove what it no longer declares, refuse to fight over fields.

As kubernetes.io/docs/reference/using-api/server-side-apply says.
"""

from __future__ import annotations

import json
from typing import Any

from ktui.demo.errors import StatusError
from ktui.demo.managed_fields import Path, from_fields, paths_of, readable
from ktui.demo.merge_keys import entry_key
from ktui.demo.merge_rules import Rules, rules_of

Object = dict[str, Any]


def apply(
    current: Object, declared: Object, *, manager: str, force: bool, rules: Rules | None = None
) -> tuple[Object, set[Path]]:
    """Merges a declaration into an object; neither is changed.

    Args:
        current: the object as stored.
        declared: what the manager declares.
        manager: the field manager.
        force: whether to take fields over.
        rules: how the object is merged; None to take those of its type.

    Returns:
        The merged object, and the paths the manager now owns.

    Raises:
        StatusError: 409 when another manager owns a field that would change.
    """
    rules = rules or rules_of(current)
    owned, have = paths_of(declared, rules), paths_of(current, rules)
    contested = {path for path, value in owned.items() if path in have and have[path] != value}
    before: set[Path] = set()
    elsewhere: set[Path] = set()
    conflicts: list[tuple[Object, Path]] = []
    for entry in current["metadata"].get("managedFields") or ():
        theirs = from_fields(entry.get("fieldsV1") or {})
        if entry["manager"] == manager and entry["operation"] == "Apply" and not entry.get("subresource"):
            before = theirs
            continue
        elsewhere |= theirs
        conflicts += [(entry, path) for path in sorted(theirs & contested)]
    if conflicts and not force:
        raise _refused(conflicts)
    merged = _merge(current, declared, rules)
    # What was empty and has something in it now, stays.
    kept = {path[:length] for path in (*owned, *elsewhere) for length in range(1, len(path) + 1)}
    for path in sorted(before - kept, key=len):
        merged = _without(merged, path, rules)
    return merged, set(owned)


def _refused(conflicts: list[tuple[Object, Path]]) -> StatusError:
    told = [(_owner(entry), readable(path)) for entry, path in conflicts]
    count = f"{len(told)} conflict{'s' if len(told) > 1 else ''}"
    owners = sorted({owner for owner, _ in told})
    if len(told) == 1:
        text = f"conflict with {owners[0]}: {told[0][1]}"
    else:
        text = "conflicts with " + "\nconflicts with ".join(
            f"{owner}:\n" + "\n".join(f"- {path}" for whose, path in told if whose == owner) for owner in owners
        )
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {owner}", "field": path} for owner, path in told
    ]
    return StatusError(409, "Conflict", f"Apply failed with {count}: {text}", {"causes": causes})


def _owner(entry: Object) -> str:
    subresource = f' with subresource "{entry["subresource"]}"' if entry.get("subresource") else ""
    using = f" using {entry['apiVersion']}" if entry["operation"] == "Update" else ""
    return f'"{entry["manager"]}"{subresource}{using}'


def _merge(current: Any, declared: Any, rules: Rules) -> Any:
    if isinstance(declared, dict) and isinstance(current, dict) and not rules.whole:
        merged = dict(current)
        for key, value in declared.items():
            merged[key] = _merge(current.get(key), value, rules.field(key))
        return merged
    if isinstance(declared, list) and isinstance(current, list):
        return _merge_list(current, declared, rules)
    return declared


def _merge_list(current: list[Any], declared: list[Any], rules: Rules) -> list[Any]:
    if rules.is_set:
        return [*current, *(value for value in declared if value not in current)]
    if not rules.keys:
        return declared
    known = {entry_key(entry, rules.keys): entry for entry in declared}
    have = {entry_key(entry, rules.keys) for entry in current}
    merged = []
    for entry in current:
        mine = known.get(entry_key(entry, rules.keys))
        merged.append(entry if mine is None else _merge(entry, mine, rules.item()))
    return merged + [entry for key, entry in known.items() if key not in have]


def _without(value: Any, path: Path, rules: Rules) -> Any:
    """A value without what a path leads to, and without what becomes empty by that."""
    step, rest = path[0], path[1:]
    kind, _, text = step.partition(":")
    if isinstance(value, dict) and kind == "f" and text in value:
        inner = _without(value[text], rest, rules.field(text)) if rest else None
        left = {key: part for key, part in value.items() if key != text}
        return left if inner in (None, {}, []) else {key: inner if key == text else value[key] for key in value}
    if isinstance(value, list) and kind in "kv":
        return [kept for entry in value if (kept := _without_entry(entry, step, rest, rules)) is not None]
    return value


def _without_entry(entry: Any, step: str, rest: Path, rules: Rules) -> Any:
    kind, _, text = step.partition(":")
    wanted = json.loads(text)
    if kind == "v":
        return None if entry == wanted else entry
    if entry_key(entry, tuple(wanted)) != tuple(wanted.values()):
        return entry
    return _without(entry, rest, rules.item()) if rest else None
