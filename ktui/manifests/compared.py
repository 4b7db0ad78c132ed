"""Two objects made ready to be compared as texts: without what always differs, and without what is secret."""

from __future__ import annotations

import base64
from contextlib import suppress
from typing import Any

from ktui.kinds.manifest import LAST_APPLIED, MASK, META_ORDER, is_secret
from ktui.manifests.lists import Rule, guessed_keys, matched
from ktui.manifests.writing import write

JsonObject = dict[str, Any]

ALWAYS_OTHER = frozenset(("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink"))
"""Fields of the metadata that differ between any two objects, or between any two moments."""


def texts(left: JsonObject, right: JsonObject, words: tuple[str, str], *, status: bool = False) -> tuple[str, str]:
    """Two objects as YAML, with their fields in one order, that of the right one.

    The values of a Secret are masked; of those that differ, each says so and where it is.

    Args:
        left: an object; empty for none.
        right: another, or what became of it; both stay as they are.
        words: how a secret value of each is called where they differ: `before` and `after`.
        status: whether the status is compared, too.
    """
    sides = (_comparable(left, status), _comparable(right, status))
    if is_secret(left) or is_secret(right):
        sides = _masked(sides, words)
    here, there = _in_order_of(sides[1], sides[0], ""), sides[1]
    return tuple(write(side) if side else "" for side in (here, there))  # type: ignore[return-value]


def _comparable(item: JsonObject, status: bool) -> JsonObject:
    found = {key: value for key, value in item.items() if status or key != "status"}
    if isinstance(meta := found.get("metadata"), dict):
        meta = {key: meta[key] for key in (*META_ORDER, *meta) if key in meta and key not in ALWAYS_OTHER}
        if isinstance(notes := meta.get("annotations"), dict) and LAST_APPLIED in notes:
            # It repeats an older version of the whole object, secrets and all.
            meta["annotations"] = {key: value for key, value in notes.items() if key != LAST_APPLIED}
            if not meta["annotations"]:
                del meta["annotations"]
        found["metadata"] = meta
    head = ("apiVersion", "kind", "metadata")
    last = ("status",)
    order = (*head, *(key for key in found if key not in (*head, *last)), *last)
    return {key: found[key] for key in order if key in found}


def _in_order_of(model: Any, value: Any, field: str) -> Any:
    """A value with its fields in the order of another's: kubectl keeps what it applied in the order of the alphabet."""
    if isinstance(model, dict) and isinstance(value, dict):
        order = [key for key in dict.fromkeys((*model, *value)) if key in value]
        return {key: _in_order_of(model.get(key), value[key], key) for key in order}
    if isinstance(model, list) and isinstance(value, list):
        found = matched(Rule(guessed_keys(field)), model, value) if model and value else None
        if found is None:
            models = [*model, *([None] * (len(value) - len(model)))]
            return [_in_order_of(models[place], one, "") for place, one in enumerate(value)]
        here, there = found.places
        models = [model[here[identity]] if identity in here else None for identity in there]
        return [_in_order_of(one, value[place], "") for one, place in zip(models, there.values(), strict=True)]
    return value


def _masked(sides: tuple[JsonObject, JsonObject], words: tuple[str, str]) -> tuple[JsonObject, JsonObject]:
    """Both with the values of Secrets masked. What differs is told, though both may be of one length."""
    found = tuple(dict(side) for side in sides)
    for field in ("data", "stringData"):
        values = [side.get(field) for side in sides]
        for place, value in enumerate(values):
            if isinstance(value, dict):
                other = values[1 - place]
                other = other if isinstance(other, dict) else {}
                found[place][field] = {
                    key: _mask(field, one, "" if key not in other or other[key] == one else words[place])
                    for key, one in value.items()
                }
            elif value is not None:
                found[place][field] = MASK
    return found[0], found[1]


def _mask(field: str, value: Any, word: str) -> str:
    text = value if isinstance(value, str) else str(value)
    size = len(text.encode(errors="replace"))
    if field == "data":
        with suppress(ValueError):
            size = len(base64.b64decode(text, validate=True))
    return f"{MASK} ({size} byte{'' if size == 1 else 's'}{f', {word}' if word else ''})"


def only_fields_of(named: Any, value: Any, field: str = "") -> Any:
    """A value without the fields, and without the items of lists, that another does not name.

    Args:
        named: what was applied.
        value: what the server made of it.
        field: the name of the field that they are in.
    """
    if isinstance(named, dict) and isinstance(value, dict):
        return {key: only_fields_of(named[key], inner, key) for key, inner in value.items() if key in named}
    if isinstance(named, list) and isinstance(value, list):
        found = matched(Rule(guessed_keys(field)), named, value) if named and value else None
        if found is not None:
            here, there = found.places
            return [only_fields_of(named[here[one]], value[place]) for one, place in there.items() if one in here]
    return value
