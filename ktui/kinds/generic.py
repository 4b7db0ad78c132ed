"""Kinds without a value of their own: made from discovery and from the columns of the server's Table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ktui.kinds.column import AGE, NAME, Column, KeyColumn, Role, ToneOfCells, share_of_text
from ktui.kinds.kind import Kind, Trait
from ktui.kinds.names import GVR, GVR_PODS
from ktui.kinds.objects import Object, Struct
from ktui.kinds.relation import Lookup, Relation
from ktui.kinds.row import Row
from ktui.kinds.status_words import tells_status, tells_truth, tone_of_truth, tone_of_word
from ktui.kinds.tone import Tone
from ktui.kinds.workload import Workload, pods_of

# What can be done to workloads that have no value of their own; a scale subresource adds SCALABLE from discovery.
_TRAITS = {
    ("apps", "statefulsets"): Trait.SCALABLE | Trait.TEMPLATED | Trait.ROLLOUT | Trait.LOGGABLE,
    ("apps", "daemonsets"): Trait.TEMPLATED | Trait.ROLLOUT | Trait.LOGGABLE,
    ("batch", "jobs"): Trait.SUSPENDABLE | Trait.LOGGABLE,
    ("batch", "cronjobs"): Trait.TEMPLATED | Trait.SUSPENDABLE | Trait.RUNNABLE,
    ("", "replicationcontrollers"): Trait.SCALABLE | Trait.TEMPLATED | Trait.EXPOSABLE | Trait.LOGGABLE,
}


class ColumnDefinition(Struct):
    """metav1.TableColumnDefinition."""

    name: str = ""
    type: str = ""
    format: str = ""
    priority: int = 0


def generic_kind(
    gvr: GVR,
    kind_name: str,
    namespaced: bool,
    short: tuple[str, ...] = (),
    column_definitions: Sequence[ColumnDefinition] = (),
    traits: Trait = Trait.NONE,
) -> Kind:
    """A kind that only the server can print.

    Args:
        gvr: where the API serves it.
        kind_name: the name in manifests.
        namespaced: whether its objects live in namespaces.
        short: its short names.
        column_definitions: of the server's Table; NAME and AGE until they are known.
        traits: what discovery says can be done to it.
    """
    kind = Kind(
        gvr=gvr,
        kind=kind_name,
        namespaced=namespaced,
        view=Object,
        columns=(NAME, replace(AGE, server=-1)),
        short=short,
        relations=(Relation(to=GVR_PODS, find=_PodsOf(kind_name)),) if namespaced else (),
        traits=traits | _TRAITS.get((gvr.group, gvr.resource), Trait.NONE),
        tables=True,
    )
    return with_columns(kind, column_definitions) if column_definitions else kind


def with_columns(kind: Kind, column_definitions: Iterable[ColumnDefinition]) -> Kind:
    """`kind` with the columns of the server's Table; unchanged when it prints its own.

    Args:
        kind: any kind.
        column_definitions: of the first Table that the server sent.
    """
    if not kind.tables:
        return kind
    columns = tuple(_column(place, found) for place, found in enumerate(column_definitions))
    places = {column.name: column.server for column in columns if column.right}
    if places.keys() >= {"DESIRED", "READY"}:
        # Workloads that print two numbers instead of `2/3`.
        share = _Share(places["READY"], places["DESIRED"])
        columns = tuple(
            replace(column, tone_of_cells=ToneOfCells((share.ready, share.desired), share))
            if column.name == "READY"
            else column
            for column in columns
        )
    return replace(kind, columns=columns)


@dataclass(frozen=True, slots=True)
class _Share:
    """The tone of how many of how many are ready, where each stands in a cell of its own."""

    ready: int
    desired: int

    def __call__(self, cells: Sequence[Any]) -> Tone:
        return tone_of_truth(f"{cells[self.ready]}/{cells[self.desired]}")


@dataclass(frozen=True, slots=True)
class _PodsOf:
    """The pods that an object of some kind controls, directly."""

    kind: str

    def __call__(self, item: Any, lookup: Lookup) -> Iterable[Row]:
        return pods_of(Workload(item.metadata.namespace, self.kind, item.metadata.name), lookup)


def _column(place: int, definition: ColumnDefinition) -> Column:
    name, wide = definition.name.upper(), definition.priority > 0
    if definition.format == "name" or (place == 0 and name == "NAME"):
        return KeyColumn(name=name, part=1, server=place, wide=wide, role=Role.NAME)
    if name == "AGE":
        return replace(AGE, server=place, wide=wide)
    return Column(
        name=name,
        server=place,
        wide=wide,
        right=definition.type in ("integer", "number"),
        sort_text=share_of_text if name == "READY" else None,
        role=Role.SECONDARY if definition.type == "date" else Role.PLAIN,
        tone_of_text=_tone_of_text(name),
    )


def _tone_of_text(name: str) -> Callable[[str], Tone] | None:
    if tells_status(name):
        return tone_of_word
    return tone_of_truth if tells_truth(name) else None
