"""Kind: everything ktui knows about a kind of object, as one value."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Flag, auto
from functools import cached_property
from operator import itemgetter
from typing import Any

from ktui.kinds.column import NAMESPACE, Column, JoinColumn, Joined, KeyColumn, nothing_joined
from ktui.kinds.names import GVR, ObjectKey
from ktui.kinds.objects import Object
from ktui.kinds.relation import Relation
from ktui.kinds.row import Row
from ktui.kinds.tone import Tone, worst


class Trait(Flag):
    """What can be done to objects of a kind; actions ask for traits, never for kinds."""

    NONE = 0
    SCALABLE = auto()
    """Has a `scale` subresource."""
    TEMPLATED = auto()
    """Makes pods from a template that can be changed: image, resources, environment."""
    ROLLOUT = auto()
    """Brings changes of its template to its pods, and keeps earlier ones."""
    PAUSABLE = auto()
    """Its rollout can be paused."""
    EXPOSABLE = auto()
    """A service can be made for its pods."""
    LOGGABLE = auto()
    """Has logs."""
    EVICTABLE = auto()
    """Is a pod."""
    DRAINABLE = auto()
    """Is a node: pods are scheduled on it."""
    SUSPENDABLE = auto()
    """Makes no pods, or jobs, while it is suspended."""
    RUNNABLE = auto()
    """Makes jobs by a schedule, and can make one now."""


@dataclass(frozen=True, slots=True)
class Index:
    """What a store files rows under, such as the node a pod runs on.

    Attributes:
        values: of a typed object, those under which it is filed.
        column: the column whose cell is the value for a row without object; empty where no cell tells.
    """

    values: Callable[[Any], Iterable[Hashable]]
    column: str = ""


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
        return worst(column.tone_of(row, joined) for column in self.columns)

    def unhealthy(self, rows: Sequence[Row], joined: Joined = nothing_joined) -> Iterable[tuple[ObjectKey, Tone]]:
        """Those of many rows that someone should look at, and how badly.

        Args:
            rows: any rows of this kind.
            joined: what other kinds know about them.
        """
        if self.health is None and any(isinstance(c, JoinColumn) and c.tone_with is not None for c in self.columns):
            judged = [(row.key, self.tone(row, joined)) for row in rows]
            return [found for found in judged if found[1].unhealthy]
        # Rows without objects come by the ten thousand, and with few different words.
        told, troubles = self._troubles.told, self._troubles
        found = []
        for row in rows:
            if row.object is None and row.cells is not None:
                tone = None if told is None else troubles[told(row.cells)]
            else:
                tone = self.tone(row)
            if tone is not None and tone.unhealthy:
                found.append((row.key, tone))
        return found

    @cached_property
    def _troubles(self) -> Troubles:
        return Troubles(self.columns)

    def column(self, name: str) -> Column | None:
        """The column called `name`, if there is one."""
        return next((column for column in self.columns if column.name == name), None)


class Troubles(dict[Any, Tone | None]):
    """How unwell rows without objects are, by the few cells that tell; None of those that are well.

    Args:
        columns: of their kind.

    Attributes:
        told: picks the cells that tell; None where there are none.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__()
        self._columns = [column for column in columns if column.telling]
        self._places = sorted({place for column in self._columns for place in column.telling})
        self.told = itemgetter(*self._places) if self._places else None

    def __missing__(self, told: Any) -> Tone | None:
        cells = [""] * (self._places[-1] + 1)
        for place, cell in zip(self._places, told if len(self._places) > 1 else (told,), strict=True):
            cells[place] = cell
        row = Row(ObjectKey("", ""), "", None, tuple(cells))
        tone = worst(column.tone_of(row) for column in self._columns)
        self[told] = tone if tone.unhealthy else None
        return self[told]


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
