"""The overview of any kind: what can be said without knowing it."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Any

from ktui.kinds.overview.metadata import about, conditions, labels
from ktui.kinds.overview.section import Item, Section, at, lines, scalar, table
from ktui.kinds.overview.workloads import selector_line, template_sections
from ktui.kinds.quantity import human_bytes
from ktui.kinds.status_words import tells_status, tone_of_word
from ktui.kinds.tone import Tone

_ELSEWHERE = {"apiVersion", "kind", "metadata", "spec", "status", "data", "binaryData", "stringData"}
_SPEC_ELSEWHERE = {"template", "jobTemplate", "selector"}
_STATUS_ELSEWHERE = {"conditions"}
_DEPTH = 4
_LONG = 200


def generic_overview(item: Item, now: float) -> list[Section]:
    """The sections of any object: metadata, what its spec and status say, conditions, the sizes of its data.

    Args:
        item: the whole object.
        now: epoch seconds.
    """
    rest = {key: value for key, value in item.items() if key not in _ELSEWHERE}
    first = lines([*about(item, now), ("Selector", selector_line(item)), *_flat(rest)])
    return [
        Section(scalar(item.get("kind")), first),
        *_flat_section("Status", at(item, "status"), _STATUS_ELSEWHERE),
        *conditions(item, now),
        *_flat_section(
            "Spec", at(item, "spec"), _SPEC_ELSEWHERE if selector_line(item) or _has_template(item) else set()
        ),
        *_keys(item),
        *template_sections(item, now),
        *labels(item),
    ]


def _has_template(item: Item) -> bool:
    return bool(template_sections(item, 0))


def _flat_section(title: str, values: Any, elsewhere: set[str]) -> list[Section]:
    if not isinstance(values, Mapping):
        return []
    found = lines(_flat({key: value for key, value in values.items() if key not in elsewhere}))
    return [Section(title, found)] if found else []


def _flat(values: Mapping[str, Any], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Any, Tone]]:
    """Every scalar below `values` as a line, nested ones under `outer.inner`."""
    for key, value in values.items():
        label = f"{prefix}{key}"
        if isinstance(value, Mapping) and value and depth < _DEPTH:
            yield from _flat(value, f"{label}.", depth + 1)
        elif isinstance(value, list):
            yield label, [_short(entry) for entry in value], Tone.PLAIN
        elif value not in (None, {}):
            yield label, _short(value), _tone(key, value)


def _tone(key: str, value: Any) -> Tone:
    return tone_of_word(value) if isinstance(value, str) and tells_status(key.upper()) else Tone.PLAIN


def _short(value: Any) -> str:
    """One value on one line: `verbs: get, list · resources: pods`."""
    if isinstance(value, Mapping):
        text = " · ".join(f"{key}: {_short(inner)}" for key, inner in value.items())
    elif isinstance(value, list):
        text = ", ".join(map(_short, value))
    else:
        text = '""' if value == "" else scalar(value)
    return text if len(text) <= _LONG else f"{text[:_LONG]}…"


def _keys(item: Item) -> list[Section]:
    """The keys of a ConfigMap or a Secret with the sizes of their values, never the values."""
    secret = item.get("kind") == "Secret"
    rows = []
    for field, encoded in (("data", secret), ("binaryData", True)):
        values = item.get(field)
        for key, value in sorted(values.items()) if isinstance(values, Mapping) else ():
            rows.append((key, human_bytes(_size(scalar(value), encoded))))
    return table("Data", ("KEY", "SIZE"), rows)


def _size(value: str, encoded: bool) -> int:
    if not encoded:
        return len(value.encode())
    try:
        return len(b64decode(value))
    except binascii.Error:
        return len(value)
