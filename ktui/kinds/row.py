"""A row: what a table, a filter and a plain listing have in common."""

from __future__ import annotations

from typing import Any

import msgspec

from ktui.kinds.names import ObjectKey

REMEMBERED = "last seen"
"""In the place of the UID of a row that was seen when ktui was open last, so that any row of the cluster differs."""


class Row(msgspec.Struct, frozen=True, gc=False):
    """One object in a table, with its typed object, its cells as the server printed them, or both.

    Attributes:
        key: namespace and name.
        uid: the object's UID; empty where the server's answer had none (rows without objects).
        object: the typed view (a Struct of `ktui.kinds`), or None while only its cells are known.
        cells: one cell a column of the server's Table, in its order; None when the object gives them. Where there is no
            object, texts that tell how long ago something was stand as moments (`ktui.kinds.cells`).
    """

    key: ObjectKey
    uid: str
    object: Any = None
    cells: tuple[Any, ...] | None = None

    @property
    def remembered(self) -> bool:
        """Whether this was seen when ktui was open last, and nobody knows yet what is the case."""
        return self.uid == REMEMBERED
