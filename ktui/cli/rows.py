"""Rows as plain text: padded as kubectl pads them, as names, or as CSV."""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Iterable, Sequence
from typing import TextIO

from ktui.kinds.column import Column, JoinColumn, KeyColumn
from ktui.kinds.kind import Kind
from ktui.kinds.row import Row

# kubectl's tabwriter: columns at least this wide, and this much between them.
# Source: GetNewTabWriter in k8s.io/cli-runtime/pkg/printers/tabwriter.go.
LEAST_WIDTH, PADDING = 6, 3

_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")
# What spreadsheets take for the beginning of a formula. Source: https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class RowWriter:
    """Writes rows of one kind or several.

    ktui's own columns (CPU, MEM, ENDPOINTS) are left out: what is printed is what `kubectl get` prints.

    Args:
        to: where.
        output: `table`, `wide`, `name` or `csv`. CSV has the wide columns, as there is room for them.
        headers: whether the names of the columns come first.
        with_namespaces: whether NAMESPACE is a column.
        with_kinds: whether names say their kind, `pod/web-1`, because there are several.
    """

    def __init__(
        self, to: TextIO, *, output: str, headers: bool = True, with_namespaces: bool = False, with_kinds: bool = False
    ) -> None:
        self._to = to
        self._output = output
        self._headers = headers
        self._with_namespaces = with_namespaces
        self._with_kinds = with_kinds
        self._kind: Kind | None = None
        self._columns: tuple[Column, ...] = ()
        self._widths: list[int] = []

    def columns(self, kind: Kind) -> tuple[Column, ...]:
        """The columns that are printed of a kind."""
        wide = self._output in ("wide", "csv")
        columns = kind.columns_for(wide=wide, all_namespaces=self._with_namespaces)
        return tuple(column for column in columns if not isinstance(column, JoinColumn))

    def all_columns(self, kind: Kind) -> tuple[Column, ...]:
        """The columns that rows of a kind can be sorted by."""
        columns = kind.columns_for(wide=True, all_namespaces=True)
        return tuple(column for column in columns if not isinstance(column, JoinColumn))

    def write(self, kind: Kind, rows: Iterable[Row]) -> None:
        """Write rows, after the names of the columns when the kind is another than before.

        Raises:
            BrokenPipeError: whoever reads has gone.
        """
        if self._output == "name":
            self._to.writelines(f"{reference(kind)}/{row.key.name}\n" for row in rows)
            return
        header = self._begin(kind)
        now = time.time()
        lines = [[self._cell(column, row, now) for column in self._columns] for row in rows]
        if self._output == "csv":
            csv.writer(self._to, lineterminator="\n").writerows(map(_harmless, [*header, *lines]))
        else:
            self._to.write(self._padded([*header, *lines]))

    def _begin(self, kind: Kind) -> list[list[str]]:
        """The line that names the columns, unless it was written before."""
        if self._kind is not None and self._kind.gvr == kind.gvr:
            return []
        if self._kind is not None:
            self._to.write("\n")
        self._kind, self._columns, self._widths = kind, self.columns(kind), []
        return [[column.name for column in self._columns]] if self._headers else []

    def _cell(self, column: Column, row: Row, now: float) -> str:
        text = column.cell(row, now)
        if self._with_kinds and isinstance(column, KeyColumn) and column.part == 1 and self._kind is not None:
            return f"{reference(self._kind)}/{text}"
        return text

    def _padded(self, lines: Sequence[Sequence[str]]) -> str:
        """Lines in columns. Widths are remembered, so that later lines stand under earlier ones."""
        if not lines:
            return ""
        before = self._widths or [LEAST_WIDTH] * len(lines[0])
        self._widths = [
            max(known, *(len(cell) + PADDING for cell in cells))
            for known, cells in zip(before, zip(*lines, strict=True), strict=True)
        ]
        # The last column is not padded.
        widths = [*self._widths[:-1], 0]
        return "".join(
            "".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + "\n" for line in lines
        )


def reference(kind: Kind) -> str:
    """A kind as `-o name` prints it: `pod`, `deployment.apps`."""
    return f"{kind.singular}.{kind.gvr.group}" if kind.gvr.group else kind.singular


def _harmless(cells: Iterable[str]) -> list[str]:
    """Cells that a spreadsheet takes for text, whatever strangers wrote into a label or a message."""
    return [f"'{cell}" if cell.startswith(_FORMULA) and not _NUMBER.fullmatch(cell) else cell for cell in cells]
