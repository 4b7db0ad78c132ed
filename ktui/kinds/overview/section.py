"""Sections: an overview as plain values, for any screen to draw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ktui.kinds.text import clean
from ktui.kinds.time import epoch, human_duration
from ktui.kinds.tone import Tone

# An object as decoded from JSON.
Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """A labelled value.

    Attributes:
        label: what it is; empty when it goes on from the line above.
        value: its text, on one line.
        tone: how well it is.
    """

    label: str
    value: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of a small table."""

    cells: tuple[str, ...]
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Table:
    """A small table; every row has as many cells as the header."""

    header: tuple[str, ...]
    rows: tuple[TableRow, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of an overview: a title with lines, a table, or both.

    Attributes:
        title: what it is about.
        lines: labelled values, in reading order.
        table: below the lines.
        tone: how well what it is about is.
    """

    title: str
    lines: tuple[Line, ...] = ()
    table: Table | None = None
    tone: Tone = Tone.PLAIN


def lines(pairs: Iterable[tuple[str, Any] | tuple[str, Any, Tone]]) -> tuple[Line, ...]:
    """Lines of `(label, value)` or `(label, value, tone)`; those without a value (None, empty) are left out.

    Args:
        pairs: values may be strings, numbers, booleans, or sequences of strings, which become a line each.
    """
    found: list[Line] = []
    for label, value, *tone in pairs:
        if value is None or value in ("", [], ()):
            continue
        texts = value if isinstance(value, list | tuple) else (value,)
        for place, text in enumerate(texts):
            found.append(Line(label if place == 0 else "", scalar(text), *tone))
    return tuple(found)


def table(title: str, header: Sequence[str], rows: Iterable[TableRow | Sequence[Any]]) -> list[Section]:
    """A section with a table; none at all when it would have no rows."""
    cells = tuple(row if isinstance(row, TableRow) else TableRow(tuple(map(scalar, row))) for row in rows)
    return [Section(title, table=Table(tuple(header), cells))] if cells else []


def cleaned(section: Section) -> Section:
    """`section` with every text safe to show."""
    return Section(
        clean(section.title),
        tuple(Line(clean(line.label), clean(line.value), line.tone) for line in section.lines),
        section.table
        and Table(
            tuple(map(clean, section.table.header)),
            tuple(TableRow(tuple(map(clean, row.cells)), row.tone) for row in section.table.rows),
        ),
        section.tone,
    )


def scalar(value: Any) -> str:
    """A JSON scalar as text: booleans as YAML has them, null as a dash."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def at(item: Any, *path: str) -> Any:
    """What stands at `path` in nested objects, or None where the path ends early."""
    for step in path:
        if not isinstance(item, Mapping):
            return None
        item = item.get(step)
    return item


def items_at(item: Any, *path: str) -> list[Any]:
    """The objects in the list at `path`; empty when there is none."""
    found = at(item, *path)
    return [entry for entry in found if isinstance(entry, Mapping)] if isinstance(found, list) else []


def ago(timestamp: Any, now: float) -> str:
    """How long ago an RFC 3339 moment was, `5m ago`; a dash when it is not said."""
    moment = epoch(timestamp) if isinstance(timestamp, str) else None
    return "-" if moment is None else f"{human_duration(now - moment)} ago"


def pairs_text(values: Any) -> list[str]:
    """A mapping of strings as `key=value` texts, sorted."""
    return [f"{key}={scalar(value)}" for key, value in sorted(values.items())] if isinstance(values, Mapping) else []
