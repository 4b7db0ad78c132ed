"""Three-way merge: what two people made of one object, together.

    merged = merge(base, theirs, mine, schema.lists)
    if merged.conflicts: ...ask...
    merged = merge(base, theirs, mine, schema.lists, {conflict.key: THEIRS for conflict in merged.conflicts})

Changes to different fields both stay; a field that both changed, to different values, is a conflict, and so is one that
was changed by one and removed by the other. The items of a list are fields, too, where something tells them apart.

All three must be the same selection of an object: when the status is left out of one, it is left out of all.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ktui.manifests.lists import ABSENT, Identities, Lists, matched, same
from ktui.manifests.problems import Path

Key = tuple[str | tuple[Hashable, ...], ...]
"""Which field: the names of fields, and for the items of lists what tells them apart, as a tuple."""

_Sides = tuple[Any, Any, Any]

BASE, THEIRS, MINE = "base", "theirs", "mine"


class Conflict(NamedTuple):
    """A field that both changed.

    Attributes:
        path: where it stands in the merged value, or would stand if it were there.
        base: its value before; ABSENT when there was none, as for the others.
        theirs: what others made of it.
        mine: what was made of it here.
        key: which field it is, whatever happens to the lists around it.
    """

    path: Path
    base: Any
    theirs: Any
    mine: Any
    key: Key

    @property
    def said(self) -> str:
        """The field to be read: `spec.template.spec.containers[web].image`. Not cleaned."""
        return said(self.key)


class Merged(NamedTuple):
    """What came of a merge.

    Attributes:
        value: the merged value; where there are conflicts, it is mine.
        conflicts: what has to be decided, in the order of the fields.
    """

    value: Any
    conflicts: list[Conflict]


def merge(base: Any, theirs: Any, mine: Any, lists: Lists, choices: Mapping[Key, str] | None = None) -> Merged:
    """Merge two changes of one JSON value.

    Args:
        base: what both started from.
        theirs: what is on the server now.
        mine: what was edited. The order of its fields and items is kept, unless only theirs has another.
        lists: how lists are merged: of the schema, or `GUESSED`.
        choices: BASE, THEIRS or MINE by the keys of conflicts; those are settled and no longer told.
    """
    merging = _Merging(choices or {})
    value = merging.value((base, theirs, mine), lists, (), ())
    return Merged(value, merging.conflicts)


def said(key: Key) -> str:
    """A field to be read: `spec.ports[53/UDP].name`, `metadata.labels[app.kubernetes.io/name]`.

    Args:
        key: a conflict's.
    """
    text = ""
    for part in key:
        if isinstance(part, tuple):
            text += f"[{'/'.join(map(str, part))}]"
        elif part.replace("-", "_").isidentifier():
            text += f".{part}" if text else part
        else:
            text += f"[{part}]"
    return text


class _Merging:
    def __init__(self, choices: Mapping[Key, str]) -> None:
        self.conflicts: list[Conflict] = []
        self._choices = choices

    def value(self, sides: _Sides, lists: Lists, path: Path, key: Key) -> Any:
        base, theirs, mine = sides
        if same(theirs, mine) or same(base, theirs):
            return mine
        if same(base, mine):
            return theirs
        if isinstance(theirs, dict) and isinstance(mine, dict) and _by_fields(base, theirs, mine, lists):
            return self._fields((base if isinstance(base, dict) else {}, theirs, mine), lists, path, key)
        if isinstance(theirs, list) and isinstance(mine, list):
            versions = (base if isinstance(base, list) else [], theirs, mine)
            if (found := matched(lists.rule, *versions)) is not None:
                return self._items(versions, found.places, lists.item(), path, key)
        return self._asked(sides, path, key)

    def _fields(self, sides: _Sides, lists: Lists, path: Path, key: Key) -> dict[str, Any]:
        base, theirs, mine = sides
        merged = {}
        for name in _woven(mine, theirs):
            fields = (base.get(name, ABSENT), theirs.get(name, ABSENT), mine.get(name, ABSENT))
            value = self.value(fields, lists.field(name), (*path, name), (*key, name))
            if value is not ABSENT:
                merged[name] = value
        return merged

    def _items(self, sides: _Sides, places: Sequence[Identities], lists: Lists, path: Path, key: Key) -> list[Any]:
        merged: list[Any] = []
        for identity in _order(*places):
            base, theirs, mine = (
                ABSENT if (place := at.get(identity)) is None else items[place]
                for items, at in zip(sides, places, strict=True)
            )
            named = identity if isinstance(identity, tuple) else (identity,)
            value = self.value((base, theirs, mine), lists, (*path, len(merged)), (*key, named))
            if value is not ABSENT:
                merged.append(value)
        return merged

    def _asked(self, sides: _Sides, path: Path, key: Key) -> Any:
        base, theirs, mine = sides
        choice = self._choices.get(key)
        if choice is None:
            self.conflicts.append(Conflict(path, base, theirs, mine, key))
        return {BASE: base, THEIRS: theirs}.get(choice or MINE, mine)


def _by_fields(base: Any, theirs: dict[str, Any], mine: dict[str, Any], lists: Lists) -> bool:
    """Whether the fields of a map are merged one by one."""
    rule = lists.rule
    if rule.atomic:
        return False
    # Of some maps only one of several fields may be set: a source of a volume. Two choices cannot both be right.
    before = base.keys() if isinstance(base, dict) else ()
    return not rule.retained or theirs.keys() == mine.keys() or set(before) in (theirs.keys(), mine.keys())


def _order(base: Identities, theirs: Identities, mine: Identities) -> Iterable[Hashable]:
    """All items of two lists: in the order of mine if that was changed here, in that of theirs if not."""
    moved = [item for item in mine if item in base] != [item for item in base if item in mine]
    return _woven(mine, theirs) if moved else _woven(theirs, mine)


def _woven(first: Collection[Any], second: Iterable[Any]) -> Iterable[Any]:
    """What is in the first, with what only the second has behind that which it follows there."""
    known, after = set(first), None
    followers: dict[Any, list[Any]] = {}
    # None, for what comes before all others, is neither a name nor an identity.
    for item in second:
        if item in known:
            after = item
        else:
            followers.setdefault(after, []).append(item)
    yield from followers.get(None, ())
    for item in first:
        yield item
        yield from followers.get(item, ())
