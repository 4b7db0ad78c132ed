"""Columns: how a row becomes cells, and how cells sort.

Cells say what `kubectl get -o wide` says (kubectl's printers in pkg/printers/internalversion). A column reads the
typed object when the row has one and the server's own cell otherwise; by design both are the same text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

from ktui.kinds.names import GVR, ObjectKey
from ktui.kinds.row import Row
from ktui.kinds.text import clean
from ktui.kinds.time import epoch, human_duration
from ktui.kinds.tone import Tone

_NUMBER = re.compile(r"\d+(?= \(|$)")


class Role(Enum):
    """What a cell is to the reader, which decides how loud it is painted."""

    NAME = "name"
    SECONDARY = "secondary"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Join:
    """Objects of another kind that a column reads beside its own: metrics for CPU, EndpointSlices for a Service.

    Attributes:
        gvr: the other kind.
        key_of: the key of the row that one of the other kind's objects belongs to, as `(namespace, name)`.
        polled: seconds between lists for kinds that cannot be watched (metrics.k8s.io); 0 to watch.
    """

    gvr: GVR
    key_of: Callable[[Any], ObjectKey]
    polled: float = 0


# What the joined kinds know about a row: `joined(join, row.key)` gives the other kind's objects, in no order. None when
# that kind is not (yet) known: not served, denied, or still being listed.
Joined = Callable[[Join, Hashable], "Iterable[Any] | None"]


def nothing_joined(join: Join, key: Hashable) -> Iterable[Any] | None:
    """The `Joined` of a listing that reads no other kinds."""
    return None


class Passing(NamedTuple):
    """A number, and when it became what it is.

    Attributes:
        number: the number.
        moment: epoch seconds; None when the object does not say.
    """

    number: int
    moment: float | None


class ToneOfCells(NamedTuple):
    """How several of the server's cells together tell how well a row is.

    Attributes:
        places: the places of the cells that are read.
        tone: of all cells of the row; those at other places may be anything.
    """

    places: tuple[int, ...]
    tone: Callable[[Sequence[Any]], Tone]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column whose text depends on the object alone.

    Attributes:
        name: the header as kubectl prints it.
        text: the cell of a typed object; None when only the server can say (`server` is then set).
        sort: what the object sorts by, an int, float or str; the text when None.
        sort_text: the same for the server's text, where that does not sort as it stands.
        tone: how well the object is as far as this cell tells; PLAIN shows no glyph.
        server: this column's place among the cells of the server's Table; -1 when it is not among them.
        wide: shown with `-o wide` and when the table is scrolled sideways.
        right: aligned to the right, as numbers are.
        role: how loud the cell is.
        tone_of_text: of a row without object: what the server's text in this column tells.
        tone_of_cells: the same where one text is not enough: a pod that is Running may be unready. Goes first.
        unique: whether hardly any two rows have the same text.
    """

    name: str
    text: Callable[[Any], str | int] | None = None
    sort: Callable[[Any], str | int | float] | None = None
    sort_text: Callable[[str], str | int | float] | None = None
    tone: Callable[[Any], Tone] | None = None
    server: int = -1
    wide: bool = False
    right: bool = False
    role: Role = Role.PLAIN
    tone_of_text: Callable[[str], Tone] | None = None
    tone_of_cells: ToneOfCells | None = None
    unique: bool = False

    @property
    def ticks(self) -> bool:
        """Whether the text changes as time passes, without any event."""
        return False

    def cell(self, row: Row, now: float, joined: Joined = nothing_joined) -> str:
        """The text of this column for `row`, safe to show.

        Args:
            row: any row of the column's kind.
            now: epoch seconds, for ages.
            joined: what other kinds know about the row.
        """
        if row.object is not None and self.text is not None:
            return clean(str(self.text(row.object)))
        return self._server_cell(row)

    def sort_key(self, row: Row, joined: Joined = nothing_joined) -> tuple[int, Any]:
        """What `row` sorts by in this column: numbers before text, so that mixed cells never raise."""
        if row.object is not None and (self.sort or self.text):
            value = (self.sort or self.text)(row.object)  # type: ignore[misc]
        else:
            value = self._server_value(row)
            if isinstance(value, str):
                if self.sort_text is not None:
                    value = self.sort_text(value)
                elif self.right and (number := _NUMBER.match(value)):
                    # The server prints some numbers as text, `3 (5m ago)`.
                    value = int(number[0])
        return _sortable(value)

    def tone_of(self, row: Row, joined: Joined = nothing_joined) -> Tone:
        """How well `row` is as far as this column tells.

        Args:
            row: any row of the column's kind.
            joined: what other kinds know about the row.
        """
        if row.object is not None and self.tone is not None:
            return self.tone(row.object)
        if row.cells is None:
            return Tone.PLAIN
        if self.tone_of_cells is not None:
            return self.tone_of_cells.tone(row.cells)
        if self.tone_of_text is not None:
            return self.tone_of_text(self._server_cell(row))
        return Tone.PLAIN

    def cell_of(self, item: Any) -> Any:
        """The cell that stays when `item`, a typed object, goes: what `row.cells` of a row without object has."""
        return "" if self.text is None else self.text(item)

    @property
    def telling(self) -> tuple[int, ...]:
        """The places of the server's cells that `tone_of` reads of a row without object."""
        if self.tone_of_cells is not None:
            return self.tone_of_cells.places
        return (self.server,) if self.tone_of_text is not None and self.server >= 0 else ()

    def _server_value(self, row: Row) -> Any:
        return row.cells[self.server] if row.cells is not None and 0 <= self.server < len(row.cells) else ""

    def _server_cell(self, row: Row) -> str:
        return cell_text(self._server_value(row))


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyColumn(Column):
    """NAMESPACE or NAME: read from the row's key, which every row has.

    Attributes:
        part: 0 for the namespace, 1 for the name.
    """

    part: int

    def cell(self, row: Row, now: float, joined: Joined = nothing_joined) -> str:
        return clean(row.key[self.part])

    def sort_key(self, row: Row, joined: Joined = nothing_joined) -> tuple[int, Any]:
        return (1, row.key[self.part])

    def cell_of(self, item: Any) -> Any:
        return item.metadata.name if self.part else item.metadata.namespace


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeColumn(Column):
    """How long ago something happened, as kubectl's HumanDuration; computed when painted.

    Attributes:
        since: epoch seconds of the moment, or None when the object does not say.
        unknown: the text when it does not say.
    """

    since: Callable[[Any], float | None]
    unknown: str = "<unknown>"

    @property
    def ticks(self) -> bool:
        return True

    def cell(self, row: Row, now: float, joined: Joined = nothing_joined) -> str:
        if (moment := self._moment(row)) is not None:
            return human_duration(now - moment)
        return self._server_cell(row) if row.object is None else self.unknown

    def sort_key(self, row: Row, joined: Joined = nothing_joined) -> tuple[int, Any]:
        # Ascending age is descending time; an unknown age comes last.
        moment = self._moment(row)
        return (1, "") if moment is None else (0, -moment)

    def cell_of(self, item: Any) -> Any:
        return self.unknown if (moment := self.since(item)) is None else moment

    def _moment(self, row: Row) -> float | None:
        if row.object is not None:
            return self.since(row.object)
        cell = self._server_value(row)
        return cell if isinstance(cell, float) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class MovingColumn(Column):
    """A number that names a moment in passing, such as RESTARTS `3 (5m ago)`.

    Attributes:
        passing: of a typed object.
    """

    passing: Callable[[Any], Passing]

    @property
    def ticks(self) -> bool:
        return True

    def cell(self, row: Row, now: float, joined: Joined = nothing_joined) -> str:
        cell = self.passing(row.object) if row.object is not None else self._server_value(row)
        if not isinstance(cell, Passing):
            return cell_text(cell)
        return str(cell.number) if cell.moment is None else f"{cell.number} ({human_duration(now - cell.moment)} ago)"

    def sort_key(self, row: Row, joined: Joined = nothing_joined) -> tuple[int, Any]:
        cell = self.passing(row.object) if row.object is not None else self._server_value(row)
        return (0, cell.number) if isinstance(cell, Passing) else Column.sort_key(self, row, joined)

    def cell_of(self, item: Any) -> Any:
        cell = self.passing(item)
        return cell if cell.moment is not None else str(cell.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinColumn(Column):
    """ktui's own column: what another kind knows about the row. Hidden while that kind is not served.

    Attributes:
        join: the other kind.
        text_with: the cell of a typed object (or None) and the other kind's objects that belong to it.
        sort_with: what that sorts by; the text when None.
        tone_with: how well the row is as far as the other kind tells.
    """

    join: Join
    text_with: Callable[[Any, Iterable[Any]], str]
    sort_with: Callable[[Any, Iterable[Any]], str | int | float] | None = None
    tone_with: Callable[[Any, Iterable[Any]], Tone] | None = None

    def cell(self, row: Row, now: float, joined: Joined = nothing_joined) -> str:
        others = joined(self.join, row.key)
        return "" if others is None else clean(self.text_with(row.object, others))

    def sort_key(self, row: Row, joined: Joined = nothing_joined) -> tuple[int, Any]:
        others = joined(self.join, row.key)
        if others is None:
            return (1, "")
        return _sortable((self.sort_with or self.text_with)(row.object, others))

    def tone_of(self, row: Row, joined: Joined = nothing_joined) -> Tone:
        if self.tone_with is None or (others := joined(self.join, row.key)) is None:
            return Tone.PLAIN
        return self.tone_with(row.object, others)


def created(item: Any) -> float | None:
    """Epoch seconds at which an object (any view of `ktui.kinds.objects`) was made."""
    return epoch(item.metadata.creation_timestamp or "")


NAMESPACE = KeyColumn(name="NAMESPACE", part=0, role=Role.SECONDARY)
NAME = KeyColumn(name="NAME", part=1, role=Role.NAME, server=0)
AGE = AgeColumn(name="AGE", since=created, role=Role.SECONDARY, right=True)


def cell_text(value: Any) -> str:
    """A cell of a server's Table as kubectl prints it.

    Args:
        value: a JSON value: string, integer, boolean, number, null, or a list.
    """
    if value is None:
        # kubectl leaves a cell empty that the object has no value for; `<none>` comes from the server.
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return clean(str(value))


def share_of_text(text: str) -> float | str:
    """What a cell such as READY `2/3` sorts by: how large a part that is; the text when it is no such cell."""
    part, slash, whole = text.partition("/")
    if not (slash and part.isdigit() and whole.isdigit()):
        return text
    return int(part) / int(whole) if int(whole) else 1.0


def _sortable(value: str | int | float | None) -> tuple[int, Any]:
    if value is None:
        return (1, "")
    # A cell of a server's Table may be any JSON; lists do not compare with strings.
    return (0, value) if isinstance(value, int | float) else (1, str(value))
