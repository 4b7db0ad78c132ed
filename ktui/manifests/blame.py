"""Who set what in an object, as its managedFields tell.

An entry of managedFields lists the fields that one manager set, as a tree (FieldsV1): `f:image` is a field,
`k:{"name":"web"}` an item of a list by its keys, `v:"x"` an item by its value, `i:0` one by its place, and `.` says
that the object or item itself was set, apart from what is in it. What has nothing below it was set as a whole. Sources:
https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management and
https://pkg.go.dev/sigs.k8s.io/structured-merge-diff/v4/fieldpath#PathElement.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from ktui.kinds.manifest import is_secret
from ktui.kinds.text import clean as cleaned
from ktui.kinds.time import epoch, human_duration
from ktui.manifests.cleaning import clean
from ktui.manifests.lists import ABSENT, GUESSED, Lists, positions, same
from ktui.manifests.problems import Path
from ktui.manifests.reading import Document

JsonObject = Mapping[str, Any]


class Owner(NamedTuple):
    """Who set a field.

    Attributes:
        manager: the name that it gave itself. Not cleaned.
        operation: "Apply" (server-side apply) or "Update" (everything else).
        subresource: through which it was set: `scale`, `status`; empty for the object itself.
        at: when it set any of its fields last, in epoch seconds; None when that is not told.
    """

    manager: str
    operation: str
    subresource: str
    at: float | None


Owners = list[Owner]
"""Who set one field, whoever wrote last first."""


def blame(item: JsonObject) -> dict[Path, Owners]:
    """Who set each value of an object.

    Args:
        item: the whole object. Whatever stands in its managedFields, nothing is raised.

    Returns:
        The owners by path. What was set as a whole is there without what is in it, and what nobody set is not there.
    """
    found = _resolved(item, item, item)
    return {path: _in_order((*found.alone.get(path, ()), *found.whole.get(path, ()))) for path in found.paths}


def owner_of(item: JsonObject, path: Sequence[str | int | tuple[Hashable, ...]], lists: Lists = GUESSED) -> Owners:
    """Who set a value, by itself or with all that it is in; empty when nobody is known.

    Args:
        item: the whole object.
        path: where the value is; or the key of a conflict, in which a tuple is what tells an item of a list apart.
        lists: what tells the items of its lists apart.
    """
    if (place := _place(item, path, lists)) is None:
        return []
    found = _resolved(item, item, item)
    if place in found.alone:
        return _in_order((*found.alone[place], *found.whole.get(place, ())))
    above = (place[:end] for end in range(len(place), -1, -1))
    return next((_in_order(found.whole[path]) for path in above if path in found.whole), [])


def by_line(document: Document, item: JsonObject) -> dict[int, Owners]:
    """Who set what stands on each line of a text; lines that differ from the object, or that nobody set, are left out.

    Takes 20 ms for a thousand lines: it is work for a thread.

    Args:
        document: the object as it is edited: masked or decoded, with its items in any order.
        item: the whole object as the server has it.

    Returns:
        The owners by line, counted from 1.
    """
    if not isinstance(document.value, dict):
        return {}
    shown = clean(dict(item), decoded="stringData" in document.value).value
    found = _resolved(document.value, shown, item)
    said: dict[int, list[Owner]] = {}
    begun: dict[int, list[Owner]] = {}
    for path, owners, is_leaf in _standing(document.value, found):
        if path not in document.positions:
            continue
        place = document.positions[path]
        first = (place.key or place.value).line
        for line in range(first, max(place.value.end_line, first) + 1) if is_leaf else (first,):
            (said if is_leaf else begun).setdefault(line, []).extend(owners)
    # An object begins where its first field stands, which says more.
    return {line: _in_order(owners) for line, owners in sorted({**begun, **said}.items()) if owners}


# -- words -----------------------------------------------------------------------------------------


def words(owners: Owners, now: float, width: int) -> str:
    """Owners for a column: `kubectl 3m20s`, `kubectl-client-si… 9d +1`. Cleaned.

    Args:
        owners: who; the first is named, and how many others there are.
        now: epoch seconds.
        width: cells that may be used; the name is cut for it.
    """
    if not owners:
        return ""
    behind = [*_age(owners[0], now), *((f"+{len(owners) - 1}",) if len(owners) > 1 else ())]
    name, rest = cleaned(owners[0].manager) or "?", "".join(f" {word}" for word in behind)
    return _cut(name, width - len(rest)) + rest if width > len(rest) + 1 else _cut(name, width)


def said(owner: Owner, now: float) -> str:
    """An owner for a sentence: `kubectl (scale) 3m20s ago`. Cleaned.

    Args:
        owner: who.
        now: epoch seconds.
    """
    through = f" ({cleaned(owner.subresource)})" if owner.subresource else ""
    return f"{cleaned(owner.manager) or '?'}{through}{''.join(f' {age} ago' for age in _age(owner, now))}"


def _age(owner: Owner, now: float) -> tuple[str, ...]:
    # Clocks differ: what was set a moment ahead was set now.
    return () if owner.at is None else (human_duration(max(0.0, now - owner.at)),)


def _cut(text: str, width: int) -> str:
    """A text cut to a number of cells; East Asian characters take two."""
    taken, limit = 0, width - (sum(map(_cells, text)) > width)
    for place, character in enumerate(text):
        taken += _cells(character)
        if taken > limit:
            return f"{text[:place]}…" if width > 0 else ""
    return text


def _cells(character: str) -> int:
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


# -- FieldsV1 --------------------------------------------------------------------------------------


class _Resolved(NamedTuple):
    """Owners at the paths of a value.

    Attributes:
        alone: of values apart from what is in them.
        whole: of values and all that is in them.
        others: what the owners set, where something was set as a whole.
    """

    alone: dict[Path, list[Owner]]
    whole: dict[Path, list[Owner]]
    others: dict[Path, Any]

    @property
    def paths(self) -> dict[Path, None]:
        return dict.fromkeys((*self.alone, *self.whole))


def _resolved(value: Any, other: Any, item: JsonObject) -> _Resolved:
    """Where the fields of managedFields are.

    Args:
        value: an object to which the paths belong.
        other: the object that the managers set, as it is shown; its items may stand in another order.
        item: the object with the managedFields.
    """
    found = _Resolved({}, {}, {})
    seen = _Items()
    for owner, fields in _entries(item):
        if is_secret(item) and "stringData" in value:
            # What is shown decoded was set encoded.
            fields = {**fields, "f:stringData": fields.get("f:data")}
        waiting: list[tuple[Any, Any, Any, Path]] = [(fields, value, other, ())]
        while waiting:
            tree, mine, theirs, path = waiting.pop()
            if not isinstance(tree, dict):
                continue
            if not tree:
                found.whole.setdefault(path, []).append(owner)
                found.others[path] = theirs
            for step, below in tree.items():
                if step == ".":
                    found.alone.setdefault(path, []).append(owner)
                elif (key := seen.step(mine, step)) is not None and (there := seen.step(theirs, step)) is not None:
                    waiting.append((below, mine[key], theirs[there], (*path, key)))
    return found


def _entries(item: JsonObject) -> Iterator[tuple[Owner, dict[str, Any]]]:
    meta = item.get("metadata")
    entries = meta.get("managedFields") if isinstance(meta, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and isinstance(fields := entry.get("fieldsV1"), dict) and fields:
            at = entry.get("time")
            manager, operation, through = (str(entry.get(key) or "") for key in ("manager", "operation", "subresource"))
            yield Owner(manager, operation, through, epoch(at) if isinstance(at, str) else None), fields


class _Items:
    """Finds the steps of FieldsV1 in values; what tells the items of a list apart is looked at once."""

    def __init__(self) -> None:
        self._places: dict[tuple[int, tuple[str, ...]], dict[Any, int]] = {}
        self._read: dict[str, Any] = {}

    def step(self, value: Any, step: str) -> Any:
        """The key or the index that a step stands for in a value; None when it is not there."""
        kind, _, named = step.partition(":")
        if isinstance(value, dict):
            return named if kind == "f" and named in value else None
        if not isinstance(value, list) or kind not in ("k", "v", "i"):
            return None
        if (wanted := self._json(named)) is ABSENT:
            return None
        if kind == "i":
            return wanted if type(wanted) is int and 0 <= wanted < len(value) else None
        if kind == "k":
            return self._keyed(value, wanted) if isinstance(wanted, dict) and wanted else None
        return self._at(value, ()).get(_encode(wanted))

    def _keyed(self, value: list[Any], wanted: dict[str, Any]) -> int | None:
        keys = tuple(sorted(wanted))
        return self._at(value, keys).get(_encode([wanted[key] for key in keys]))

    def _at(self, value: list[Any], keys: tuple[str, ...]) -> dict[Any, int]:
        """Where items are, by the values of some keys, or by their own."""
        if (found := self._places.get((id(value), keys))) is None:
            found = {}
            for place, item in enumerate(value):
                if keys and not isinstance(item, dict):
                    continue
                told = [item.get(key, _DEFAULTS.get(key)) for key in keys] if keys else item
                found.setdefault(_encode(told), place)
            self._places[id(value), keys] = found
        return found

    def _json(self, text: str) -> Any:
        if text not in self._read:
            try:
                self._read[text] = msgspec.json.decode(text)
            except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
                self._read[text] = ABSENT
        return self._read[text]


_encode = msgspec.json.Encoder().encode
# What the server fills into keys before it takes down who set them.
_DEFAULTS = {"protocol": "TCP"}


def _standing(value: Any, found: _Resolved) -> Iterator[tuple[Path, list[Owner], bool]]:
    """The values of an object that somebody set, and whether each stands on all of its lines by itself."""
    waiting: list[tuple[Any, Path, list[Owner], Any]] = [(value, (), [], ABSENT)]
    while waiting:
        value, path, owners, other = waiting.pop()
        if (whole := found.whole.get(path)) is not None:
            owners, other = whole, found.others[path]
        if isinstance(value, dict | list) and value:
            if alone := [*found.alone.get(path, ()), *owners]:
                yield path, alone, False
            for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
                waiting.append((inner, (*path, key), owners, _inside(other, key)))
        elif owners and other is not ABSENT and same(value, other):
            yield path, owners, True


def _inside(value: Any, key: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(key, ABSENT)
    return value[key] if isinstance(value, list) and isinstance(key, int) and key < len(value) else ABSENT


def _place(item: Any, path: Sequence[str | int | tuple[Hashable, ...]], lists: Lists) -> Path | None:
    """A path with the places of items instead of what tells them apart; None when it is not there."""
    found: list[str | int] = []
    for step in path:
        place = _identified(item, step, lists) if isinstance(step, tuple) else step
        if place is None or _inside(item, place) is ABSENT:
            return None
        lists = lists.field(step) if isinstance(step, str) else lists.item()
        item = item[place]
        found.append(place)
    return tuple(found)


def _identified(items: Any, identity: tuple[Hashable, ...], lists: Lists) -> int | None:
    if not isinstance(items, list):
        return None
    if {*map(type, items)} != {dict}:
        return items.index(identity[0]) if len(identity) == 1 and identity[0] in items else None
    for keys in lists.rule.keys:
        if len(keys) == len(identity) and (at := positions(items, keys, lists.rule.defaults)) and identity in at:
            return at[identity]
    return None


def _in_order(owners: Iterable[Owner]) -> list[Owner]:
    return sorted(dict.fromkeys(owners), key=lambda owner: -(owner.at or 0.0))
