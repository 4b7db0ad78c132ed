"""What is wrong with a declaration for server-side apply, in the words of structured-merge-diff's typed values.

Source: sigs.k8s.io/structured-merge-diff `typed/validate.go`, and answers of a Kubernetes 1.36 API server.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ktui.demo.managed_fields import readable
from ktui.demo.merge_keys import entry_key
from ktui.demo.merge_rules import Rules

_KINDS: dict[str, tuple[type, ...]] = {
    "map": (dict,), "list": (list,), "string": (str,), "numeric": (int, float), "boolean": (bool,)
}  # fmt: skip
_GO = {bool: "bool", str: "string", list: "[]interface {}", dict: "map[string]interface {}"}


def typed_problems(value: Any, rules: Rules, path: str = "") -> Iterator[str]:
    """What is wrong with a value, or with a part of it: unknown fields, other types, and entries that are there twice.

    Args:
        value: the value; null is never wrong.
        rules: how it is merged, and what it is.
        path: where it stands, such as `.spec.containers[name="web"]`; "" for an object.
    """
    if value is None or not rules.kind:
        return
    if not isinstance(value, _KINDS[rules.kind]) or (isinstance(value, bool) and rules.kind != "boolean"):
        yield f"{path}: {_other(value, rules.kind)}"
    elif isinstance(value, dict):
        for key, part in value.items():
            here = f"{path}.{key}"
            if rules.declares(key):
                yield from typed_problems(part, rules.field(key), here)
            else:
                yield f"{here}: field not declared in schema"
    elif isinstance(value, list):
        yield from _entries(value, rules, path)


def _entries(value: list[Any], rules: Rules, path: str) -> Iterator[str]:
    seen = set()
    for index, entry in enumerate(value):
        step = f"[{index}]"
        if rules.keys and not isinstance(entry, dict):
            yield f"{path}: element {index}: associative list with keys may not have non-map elements"
            continue
        if rules.is_set:
            step = readable((f"v:{json.dumps(entry)}",))
        elif rules.keys and (values := entry_key(entry, rules.keys)) is not None:
            step = readable((f"k:{json.dumps(dict(zip(rules.keys, values, strict=True)))}",))
        if step in seen:
            yield f"{path}: duplicate entries for key {step}"
        seen.add(step)
        yield from typed_problems(entry, rules.item(), path + step)


def _other(value: Any, kind: str) -> str:
    """That a value is of another type, with the value as Go prints it."""
    if kind == "numeric":
        return f"expected numeric (int or float), got {_GO.get(type(value), 'string')}"
    shown = {True: "true", False: "false"}[value] if isinstance(value, bool) else _shown(value)
    if kind == "string":
        return f"expected string, got &value.valueUnstructured{{Value:{shown}}}"
    return f"expected {kind}, got &{{{shown}}}"


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{_shown(part)}' for key, part in sorted(value.items()))}]"
    return f"[{' '.join(map(_shown, value))}]" if isinstance(value, list) else str(value)
