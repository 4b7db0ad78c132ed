"""Rows as text can be read by people, scripts and spreadsheets, whatever strangers wrote into them."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ktui.cli.rows import RowWriter, reference
from ktui.cli.whole import write_whole
from ktui.kinds.builtin import BUILTIN
from ktui.kinds.column import NAME, Column
from ktui.kinds.generic import generic_kind
from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR, GVR_PODS, ObjectKey
from ktui.kinds.objects import Object
from ktui.kinds.row import Row
from ktui.kube.discovery import Discovery, Resource
from ktui.kube.listing import UnknownKind, kind_in

NOTES = Kind(
    gvr=GVR("example.com", "v1", "notes"),
    kind="Note",
    namespaced=True,
    view=Object,
    columns=(NAME, Column(name="TEXT", server=1), Column(name="MORE", server=2, wide=True)),
    tables=True,
)
PODS = BUILTIN[GVR_PODS]


def row(name: str, *cells: Any) -> Row:
    """A row of NOTES."""
    return Row(ObjectKey("shop", name), "", None, (name, *cells))


def written(output: str, *rows: Row, **options: bool) -> str:
    """What is printed of rows of NOTES."""
    to = io.StringIO()
    RowWriter(to, output=output, **options).write(NOTES, rows)
    return to.getvalue()


def resource(group: str, name: str, kind: str, *short: str) -> Resource:
    """A resource of a server."""
    return Resource(GVR(group, "v1", name), kind, kind.lower(), True, short, ("get", "list", "watch"), (), ())


class Terminal(io.StringIO):
    """A terminal, as far as it can be asked."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def test_lines_are_padded_to_the_longest_cell() -> None:
    """A column is as wide as its longest cell and three blanks more, and never less than six."""
    assert written("table", row("a", "bb"), row("abcdef", "b")) == "NAME     TEXT\na        bb\nabcdef   b\n"
    assert written("table", row("a", "b"), headers=False) == "a     b\n"


def test_later_rows_stand_under_earlier_ones() -> None:
    """Widths are remembered from one batch of rows to the next, and only grow; the header comes once."""
    to = io.StringIO()
    writer = RowWriter(to, output="table")
    writer.write(NOTES, [row("a-long-name", "x")])
    writer.write(NOTES, [row("b", "y")])
    writer.write(NOTES, [row("an-even-longer-name", "z")])
    places = [line.index(mark) for line, mark in zip(to.getvalue().splitlines(), "Txyz", strict=True)]
    assert places[0] == places[1] == places[2] < places[3]


def test_wide_columns_are_shown_when_asked_for() -> None:
    """-o wide and CSV have all columns, a table the narrow ones."""
    assert "MORE" not in written("table", row("a", "b", "c"))
    assert "MORE" in written("wide", row("a", "b", "c"))
    assert "MORE" in written("csv", row("a", "b", "c"))


def test_columns_of_ktui_alone_are_left_out() -> None:
    """Scripts get kubectl's columns, also of kinds for which ktui has more."""
    names = [column.name for column in RowWriter(io.StringIO(), output="wide").columns(PODS)]
    assert names == ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE", "NOMINATED NODE", "READINESS GATES"]


def test_references_are_kubectls() -> None:
    """-o name writes the kind with its group, as kubectl does."""
    assert reference(PODS) == "pod"
    assert reference(NOTES) == "note.example.com"


@given(st.text(min_size=1))
def test_no_cell_is_a_formula_or_a_control_sequence(text: str) -> None:
    """Whatever a cell says, a spreadsheet reads it as text, a terminal obeys nothing, and CSV gives one cell back."""
    header, read = csv.reader(io.StringIO(written("csv", row("a", text, ""), with_namespaces=True)))
    assert header == ["NAMESPACE", "NAME", "TEXT", "MORE"]
    assert len(read) == 4
    cell = read[2]
    assert cell.isprintable()
    assert not cell.startswith(("=", "@", "\t", "\r"))
    assert not cell.startswith(("+", "-")) or cell[1:].replace(".", "").isdecimal()


def test_numbers_stay_numbers() -> None:
    """A negative number is no formula."""
    assert written("csv", row("a", "-5", "+1.5"), headers=False) == "a,-5,+1.5\n"


@pytest.mark.parametrize("output", ["json", "yaml"])
def test_whole_objects_are_harmless_on_a_terminal(output: str) -> None:
    """On a terminal no annotation of an object is obeyed; a program that reads gets the value as it is."""
    hostile = "a\x1b[2J\u202eb"
    found = [(NOTES, msgspec.Raw(json.dumps({"metadata": {"name": "x"}, "text": hostile}).encode()))]
    terminal, program = Terminal(), io.StringIO()
    write_whole(found, output, terminal, alone=True)
    write_whole(found, output, program, alone=True)
    assert all(line.isprintable() for line in terminal.getvalue().split("\n"))
    if output == "json":
        assert json.loads(program.getvalue())["text"] == hostile


def test_kubernetes_own_kinds_go_first() -> None:
    """A custom resource cannot take the place of a kind of Kubernetes by its name."""
    theirs = resource("serving.example.dev", "ingresses", "Ingress", "ing")
    ours = resource("networking.k8s.io", "ingresses", "Ingress", "ing")
    assert kind_in(Discovery([ours, theirs]), "ing").gvr == ours.gvr
    assert kind_in(Discovery([theirs, ours]), "ing").gvr == ours.gvr
    assert kind_in(Discovery([ours, theirs]), "ingresses.serving.example.dev").gvr == theirs.gvr


def test_ambiguous_kind_is_one_sentence() -> None:
    """Of several custom resources with one name none is chosen; the sentence names them all."""
    discovery = Discovery([resource("a.example", "widgets", "Widget"), resource("b.example", "widgets", "Widget")])
    with pytest.raises(UnknownKind, match=r"widgets\.a\.example or widgets\.b\.example"):
        kind_in(discovery, "widget")
    assert kind_in(discovery, "widgets.b.example") == generic_kind(GVR("b.example", "v1", "widgets"), "Widget", True)
