"""How an object stands, in a glyph and a word, wherever it is mentioned outside of its own table."""

from __future__ import annotations

from typing import NamedTuple

from ktui.kinds.column import JoinColumn, KeyColumn
from ktui.kinds.kind import Kind
from ktui.kinds.row import Row
from ktui.kinds.tone import Tone


class Standing(NamedTuple):
    """How an object is.

    Attributes:
        tone: how well.
        word: what its table says: `Running`, `3/3`; of kinds that have no status what tells most, `type ClusterIP`.
    """

    tone: Tone
    word: str


def standing(kind: Kind, row: Row, now: float) -> Standing:
    """How the object of a row is, from the cells of its table.

    Args:
        kind: its kind, with the columns that its server named.
        row: the object.
        now: epoch seconds.
    """
    own = [column for column in kind.columns if not isinstance(column, KeyColumn | JoinColumn)]
    for column in own:
        if column.tone_of(row) is not Tone.PLAIN:
            text = column.cell(row, now)
            # A bare number says nothing without its column's name.
            return Standing(kind.tone(row), f"{column.name.lower()} {text}" if text.isdigit() else text)
    for column in own:
        if not column.ticks and not column.wide and (text := column.cell(row, now)) not in ("", "<none>"):
            return Standing(Tone.PLAIN, f"{column.name.lower()} {text}")
    return Standing(kind.tone(row), "")
