"""Kind: everything ktui knows about a kind of object, as one value."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Flag, auto
from typing import Any

from ktui.kinds.column import NAMESPACE, AgeColumn, Column, JoinColumn, Joined, KeyColumn, nothing_joined
from ktui.kinds.names import GVR
from ktui.kinds.objects import Object
from ktui.kinds.relation import Relation
from ktui.kinds.row import Row
from ktui.kinds.time import seconds_of
from ktui.kinds.tone import Tone


class Trait(Flag):
    """What can be done to objects of a kind; actions ask for traits, never for kinds."""

    NONE = 0
    SCALABLE = auto()
    ROLLOUT = auto()
    EXPOSABLE = auto()
    LOGGABLE = auto()


# An index of a store: the values under which an object is found, such as the node a pod runs on.
Index = Callable[[Any], Iterable[Hashable]]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of object: how it is fetched, read, shown, judged and related.

    Kinds without a value of their own (custom resources, rarely used built-ins) are made from discovery and the columns
    of the server's Table by `ktui.kinds.generic`.

    Attributes:
        gvr: where the API serves it.
        kind: the name in manifests, `Deployment`.
        namespaced: whether its objects live in namespaces.
        view: the typed Struct its objects are decoded into.
        columns: without NAMESPACE, in kubectl's order, ktui's own (joined) columns among them.
        short: the short names kubectl knows.
        health: how well an object is.
        indexes: by name, what a store of this kind is indexed by.
        relations: what its objects belong together with.
        traits: what can be done to its objects.
        tables: whether lists are asked for as server-side Tables, because only the server can print this kind.
    """

    gvr: GVR
    kind: str
    namespaced: bool
    view: type[Object]
    columns: tuple[Column, ...]
    short: tuple[str, ...] = ()
    health: Callable[[Any], Tone] | None = None
    indexes: Mapping[str, Index] | None = field(default=None, hash=False)
    relations: tuple[Relation, ...] = ()
    traits: Trait = Trait.NONE
    tables: bool = False

    def __post_init__(self) -> None:
        # The columns that kubectl prints stand in the order of the server's Table, so their places follow by counting.
        if not self.tables:
            object.__setattr__(self, "columns", tuple(_numbered(self.columns)))

    @property
    def title(self) -> str:
        """The plural as a title: `Deployments`."""
        return _plural(self)

    @property
    def singular(self) -> str:
        """The name in a sentence: `deployment`."""
        return self.kind.lower()

    def columns_for(self, *, wide: bool, all_namespaces: bool) -> tuple[Column, ...]:
        """The columns of a table.

        Args:
            wide: with those that kubectl prints for `-o wide` only.
            all_namespaces: with NAMESPACE first, as `kubectl get -A` prints it.
        """
        shown = tuple(column for column in self.columns if wide or not column.wide)
        return (NAMESPACE, *shown) if all_namespaces and self.namespaced else shown

    def tone(self, row: Row, joined: Joined = nothing_joined) -> Tone:
        """How well the object of `row` is, from its object or from the worst that its cells tell.

        Args:
            row: any row of this kind.
            joined: what other kinds know about the row.
        """
        if row.object is not None and self.health is not None:
            return self.health(row.object)
        tones = [column.tone_of(row, joined) for column in self.columns]
        return max(tones, key=lambda tone: tone.severity, default=Tone.PLAIN)

    def timed(self, cells: tuple[Any, ...], now: float) -> tuple[Any, ...]:
        """The cells of a row without object, with the moments in the place of ages, so that ages tick and sort.

        Args:
            cells: as the server's Table has them: ages are texts, `3m20s`, of when it answered.
            now: epoch seconds of that answer.
        """
        for column in self.columns:
            if isinstance(column, AgeColumn) and 0 <= (place := column.server) < len(cells):
                age = seconds_of(cells[place]) if isinstance(cells[place], str) else None
                if age is not None:
                    cells = (*cells[:place], float(now - age), *cells[place + 1 :])
        return cells


def _numbered(columns: tuple[Column, ...]) -> Iterable[Column]:
    place = 0
    for column in columns:
        if isinstance(column, JoinColumn) or (isinstance(column, KeyColumn) and column.part == 0):
            yield column
        else:
            yield replace(column, server=place)
            place += 1


def _plural(kind: Kind) -> str:
    """The resource's plural with the capitals of its kind: `ReplicaSets`, `Ingresses`, `NetworkPolicies`."""
    plural, name = kind.gvr.resource, kind.kind
    common = 0
    while common < min(len(plural), len(name)) and plural[common] == name[common].lower():
        common += 1
    return name[:common] + plural[common:]
