"""What an editor shows of an object, and the object that is meant by what was edited.

As in `kubectl edit`, but: managedFields are apart, and so is the status, which no edit changes; the values of Secrets
are masked, or decoded.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ktui.kinds.manifest import LAST_APPLIED, MASK, META_ORDER, is_secret
from ktui.manifests.problems import Path

JsonObject = dict[str, Any]

_REPEATED = f"{MASK} (repeats the secret)"


@dataclass(frozen=True)
class Clean:
    """An object as it is shown to be edited.

    Attributes:
        value: what can be edited, with its fields in the API's order.
        status: its status; None when it has none.
        owners: its managedFields.
    """

    value: JsonObject
    status: Any = None
    owners: list[JsonObject] = field(default_factory=list)


@dataclass(frozen=True)
class Restored:
    """An object that was edited, with what had been hidden.

    Attributes:
        value: the object.
        lost: where masks stand for which there is no value, so that nobody writes dots into a Secret.
    """

    value: JsonObject
    lost: list[Path] = field(default_factory=list)


def clean(item: JsonObject, *, decoded: bool = False) -> Clean:
    """An object without what nobody edits.

    Args:
        item: the whole object, as decoded from JSON; it stays as it is.
        decoded: what becomes of the values of a Secret. False masks them; True shows those that are text as
            `stringData`, and leaves those that are none as base64 in `data`.
    """
    meta = dict(item.get("metadata") or {})
    owners = meta.pop("managedFields", None) or []
    order = [key for key in META_ORDER if key in meta]
    meta = {key: meta[key] for key in dict.fromkeys((*order, *meta))}
    rest = {key: value for key, value in item.items() if key not in ("apiVersion", "kind", "metadata", "status")}
    if is_secret(item):
        rest = _decoded(rest) if decoded else _masked(rest)
        if not decoded and LAST_APPLIED in (notes := meta.get("annotations") or {}):
            # kubectl apply keeps a copy of the whole secret there.
            meta["annotations"] = {**notes, LAST_APPLIED: _REPEATED}
    head: JsonObject = {key: item[key] for key in ("apiVersion", "kind") if key in item}
    return Clean({**head, "metadata": meta, **rest}, item.get("status"), owners)


def restored(edited: JsonObject, item: JsonObject) -> Restored:
    """The object that is meant by an edited one: masks are values again, and texts of a Secret are in its `data`.

    Values that were not changed are the same to the letter, however they are encoded.

    Args:
        edited: what became of `clean(item).value`, masked or decoded; it stays as it is.
        item: the object that it was made from.
    """
    if not is_secret(item) or not isinstance(edited, dict):
        return Restored(edited)
    value, lost = dict(edited), list[Path]()
    original = item.get("data") or {}
    data, texts = edited.get("data"), edited.get("stringData")
    if isinstance(data, dict):
        value["data"] = _unmasked(data, original, lost)
    if isinstance(texts, dict) and isinstance(data, dict | None):
        encoded = {key: _encoded(text, original.get(key)) for key, text in texts.items() if isinstance(text, str)}
        lost += [("stringData", key) for key, text in texts.items() if isinstance(text, str) and MASK in text]
        merged = {**(value.get("data") or {}), **encoded}
        value["data"] = {key: merged[key] for key in dict.fromkeys((*original, *merged)) if key in merged}
        others = {key: text for key, text in texts.items() if key not in encoded}
        # What is no text is no value of a Secret; the schema says so where it stands.
        value = {key: inner for key, inner in value.items() if key != "stringData"} | (
            {"stringData": others} if others else {}
        )
    _restore_annotation(value, item, lost)
    return Restored(_in_order(value, item), lost)


def _in_order(value: JsonObject, item: JsonObject) -> JsonObject:
    """An object whose fields stand in the order of another."""
    return {key: value[key] for key in dict.fromkeys((*item, *value)) if key in value}


def _restore_annotation(value: JsonObject, item: JsonObject, lost: list[Path]) -> None:
    meta = value.get("metadata")
    notes = meta.get("annotations") if isinstance(meta, dict) else None
    if not isinstance(meta, dict) or not isinstance(notes, dict) or notes.get(LAST_APPLIED) != _REPEATED:
        return
    before = ((item.get("metadata") or {}).get("annotations") or {}).get(LAST_APPLIED)
    if before is None:
        lost.append(("metadata", "annotations", LAST_APPLIED))
    else:
        value["metadata"] = {**meta, "annotations": {**notes, LAST_APPLIED: before}}


# -- values of Secrets -----------------------------------------------------------------------------


def _masked(rest: JsonObject) -> JsonObject:
    data = rest.get("data")
    return {**rest, "data": {key: _mask(value) for key, value in data.items()}} if isinstance(data, dict) else rest


def _mask(encoded: Any) -> str:
    data = _bytes(encoded)
    size = len(str(encoded)) if data is None else len(data)
    return f"{MASK} ({size} byte{'' if size == 1 else 's'})"


def _unmasked(data: JsonObject, original: JsonObject, lost: list[Path]) -> JsonObject:
    """The values of `data`, with those behind the masks; a mask may have got another key."""
    found: JsonObject = {}
    for key, value in data.items():
        if not isinstance(value, str) or MASK not in value:
            found[key] = value
        elif key in original and value == _mask(original[key]):
            found[key] = original[key]
        else:
            renamed = [old for old in original if old not in data and _mask(original[old]) == value]
            if len(renamed) == 1:
                found[key] = original[renamed[0]]
            else:
                found[key] = value
                lost.append(("data", key))
    return found


def _decoded(rest: JsonObject) -> JsonObject:
    data = rest.get("data")
    if not isinstance(data, dict):
        return rest
    texts = {key: text for key, value in data.items() if (text := _as_text(value)) is not None}
    binary = {key: value for key, value in data.items() if key not in texts}
    shown = {"stringData": {**texts, **(rest.get("stringData") or {})}, "data": binary}
    empty = {key for key, value in shown.items() if not value and (key == "stringData" or data)}
    return {key: value for key, value in _with(rest, shown) if key not in empty}


def _with(rest: JsonObject, shown: JsonObject) -> Iterator[tuple[str, Any]]:
    """The fields of an object, with others in the place of its `data`."""
    for key, value in rest.items():
        if key == "data":
            yield from shown.items()
        elif key != "stringData":
            yield key, value


def _as_text(encoded: Any) -> str | None:
    """A value as text; None when it is none that an editor can hold."""
    data = _bytes(encoded)
    try:
        text = None if data is None else data.decode()
    except UnicodeDecodeError:
        return None
    # Text that carries dots like ours would be taken for a mask.
    return None if text is None or MASK in text else text


def _bytes(encoded: Any) -> bytes | None:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError, TypeError):
        return None


def _encoded(text: str, before: Any) -> str:
    """A text as base64: as it was encoded before, if it is the same."""
    data = text.encode(errors="replace")
    return before if before is not None and _bytes(before) == data else base64.b64encode(data).decode()
