"""How values are merged: what tells the items of a list apart, and what counts as one value.

A schema says it (`Schema.lists`). Where there is none, `GUESSED` takes the keys by which Kubernetes tells the items of
its own lists apart. Sources:
https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy
https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/#notes-on-the-strategic-merge-patch
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import msgspec

JsonObject = dict[str, Any]

ABSENT = msgspec.UNSET
"""Stands for a field that is not there; null is a value."""

# What tells the items of a list apart: of these, the first that every item has, and has alone.
_KEYS: tuple[tuple[str, ...], ...] = (
    ("name",), ("key",), ("containerPort",), ("containerPort", "protocol"), ("port",), ("port", "protocol"),
    ("mountPath",), ("devicePath",), ("ip",), ("topologyKey",), ("topologyKey", "whenUnsatisfiable"), ("type",),
    ("host",), ("uid",), ("key", "effect"),
)  # fmt: skip
# Where a name is that of another thing.
_KEYS_OF: dict[str, tuple[tuple[str, ...], ...]] = {"volumeMounts": (("mountPath",),), "ownerReferences": (("uid",),)}
DEFAULTS: Mapping[str, Any] = {"protocol": "TCP"}
"""What stands for a key that an item does not have."""

_SETS = frozenset(("finalizers",))

_encode = msgspec.json.Encoder().encode


class Rule(NamedTuple):
    """How one value is merged.

    Attributes:
        keys: what tells the items of a list apart: candidates, best first. Empty where it is not known.
        defaults: what stands for a key that an item does not have.
        unique: whether a list is a set of plain values.
        atomic: whether a list or a map is one value, whatever is in it.
        patch_key: the key by which strategic merge patches tell items apart; empty when there is none.
        patch_merged: whether strategic merge patches merge the list; they replace others.
        retained: whether such a patch names the fields that are kept, as only one of several may be set.
    """

    keys: tuple[tuple[str, ...], ...] = ()
    defaults: Mapping[str, Any] = DEFAULTS
    unique: bool = False
    atomic: bool = False
    patch_key: str = ""
    patch_merged: bool = False
    retained: bool = False


class Lists(Protocol):
    """The rules of a value and of all that is in it."""

    @property
    def strategic(self) -> bool:
        """Whether the server takes strategic merge patches for it."""

    @property
    def rule(self) -> Rule:
        """The rule of the value itself."""

    def field(self, key: str) -> Lists:
        """The rules of a map's field."""

    def item(self) -> Lists:
        """The rules of a list's items."""


class Guessed:
    """The rules of a value of which there is no schema.

    Args:
        name: the field it is in.
    """

    __slots__ = ("_name",)

    strategic = False

    def __init__(self, name: str = "") -> None:
        self._name = name

    @property
    def rule(self) -> Rule:
        """By the name of the field."""
        return Rule(guessed_keys(self._name), unique=self._name in _SETS)

    def field(self, key: str) -> Lists:
        """The rules of a map's field."""
        return Guessed(key)

    def item(self) -> Lists:
        """The rules of a list's items."""
        return self


GUESSED = Guessed()
"""The rules of an object of which there is no schema."""


def guessed_keys(field: str) -> tuple[tuple[str, ...], ...]:
    """What may tell the items of a list apart, best first.

    Args:
        field: the name of the field that the list is in.
    """
    return _KEYS_OF.get(field, _KEYS)


Identities = dict[Hashable, int]
"""Where the items of a list are, by what tells them apart, in their order."""


class Matched(NamedTuple):
    """How the items of several versions of a list belong together.

    Attributes:
        keys: the fields that tell items apart; none when they are plain values.
        places: where they are, for each of the lists.
    """

    keys: tuple[str, ...]
    places: list[Identities]


def matched(rule: Rule, *lists: Sequence[Any]) -> Matched | None:
    """What tells the items of some lists apart; None when nothing does, and each list is one value.

    Args:
        rule: that of all these lists.
        lists: versions of one list.
    """
    if rule.atomic:
        return None
    if rule.unique:
        places = _of_values(lists)
        return None if places is None else Matched((), places)
    if {type(item) for items in lists for item in items} - {dict}:
        return None
    for keys in rule.keys:
        found = [at for items in lists if (at := positions(items, keys, rule.defaults)) is not None]
        if len(found) == len(lists):
            return Matched(keys, found)
    return None


def positions(items: Sequence[JsonObject], keys: tuple[str, ...], defaults: Mapping[str, Any]) -> Identities | None:
    """Where the items of a list are, by their keys; None when those do not tell them apart.

    Args:
        items: objects.
        keys: the names of the fields that tell them apart.
        defaults: what stands for fields that are not there.
    """
    columns = [[item.get(key, defaults.get(key)) for item in items] for key in keys]
    # A flag tells nothing apart, and Python takes True for 1.
    if not all({*map(type, column)} <= {str, int} for column in columns):
        return None
    found: Identities = {identity: place for place, identity in enumerate(zip(*columns, strict=True))}
    return found if len(found) == len(items) else None


def _of_values(lists: Iterable[Sequence[Any]]) -> list[Identities] | None:
    if {type(item) for items in lists for item in items} - {str, int}:
        return None
    found: list[Identities] = [{value: place for place, value in enumerate(items)} for items in lists]
    return found if all(map(lambda at, items: len(at) == len(items), found, lists)) else None


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal; true is not 1, though Python says so. ABSENT equals itself alone."""
    if one is ABSENT or other is ABSENT:
        return one is other
    if one != other:
        return False
    if _encode(one) == _encode(other):
        return True
    if isinstance(one, dict):
        return all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool)
