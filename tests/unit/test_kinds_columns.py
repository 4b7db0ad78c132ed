from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ktui.kinds.builtin import BUILTIN, HOME
from ktui.kinds.cells import CellReader, without_object
from ktui.kinds.column import AgeColumn, JoinColumn, cell_text
from ktui.kinds.endpoint_slices import ENDPOINT_SLICES, EndpointSlice, count
from ktui.kinds.events import EVENTS
from ktui.kinds.kind import Kind
from ktui.kinds.metrics import NODE_METRICS, POD_METRICS, NodeMetrics, PodMetrics, Usage
from ktui.kinds.names import ObjectKey
from ktui.kinds.nodes import NODES
from ktui.kinds.pods import PODS
from ktui.kinds.row import Row
from ktui.kinds.services import SERVICES
from tests.unit.golden.recorded import KINDS, joined_with, recorded, row_of

NAMES = [f"{kind.gvr.resource}.{kind.gvr.group}" for kind in KINDS]
each_kind = pytest.mark.parametrize("kind", KINDS, ids=NAMES)


def printed(kind: Kind) -> list[Any]:
    """The columns that the server prints as well."""
    return [column for column in kind.columns if not isinstance(column, JoinColumn)]


@each_kind
def test_columns_are_those_of_kubectl(kind: Kind) -> None:
    """Names, order and which are wide are as in the server's Table."""
    found = recorded(kind).columns
    assert [(column.name, column.wide) for column in printed(kind)] == [
        (definition.name.upper(), definition.priority > 0) for definition in found
    ]


@each_kind
def test_cells_of_objects_are_those_of_the_server(kind: Kind) -> None:
    """For every recorded object each cell is the text that a real API server printed at that moment."""
    answer = recorded(kind)
    for row in answer.rows:
        assert row.cells is not None
        ours = [column.cell(row, answer.now) for column in printed(kind)]
        assert ours == [cell_text(cell) for cell in row.cells], row.key


@each_kind
def test_cells_without_an_object_are_those_of_the_server(kind: Kind) -> None:
    """A row of which only the server's cells are known shows them in the right columns."""
    answer = recorded(kind)
    for row in answer.rows:
        assert row.cells is not None
        bare = Row(row.key, "", None, row.cells)
        assert [column.cell(bare, answer.now) for column in printed(kind)] == [cell_text(cell) for cell in row.cells]


@each_kind
def test_a_row_sorts_the_same_way_with_and_without_its_object(kind: Kind) -> None:
    """No column mixes kinds of sort keys that cannot be compared."""
    answer = recorded(kind)
    bare = CellReader(kind, answer.now).rows("", [row.cells or () for row in answer.rows])
    for column in kind.columns:
        sorted(column.sort_key(row) for row in [*answer.rows, *bare])


@each_kind
def test_a_row_looks_and_sorts_the_same_when_its_object_is_let_go(kind: Kind) -> None:
    """Which rows keep their objects cannot be seen: not in a cell, an order, a glyph, now or an hour later."""
    answer = recorded(kind)
    for row in answer.rows:
        whole = Row(row.key, row.uid, row.object)
        bare = without_object(kind, whole)
        assert bare.object is None
        for now in (answer.now, answer.now + 3600):
            assert [c.cell(bare, now) for c in printed(kind)] == [c.cell(whole, now) for c in printed(kind)], row.key
        assert [c.sort_key(bare) for c in printed(kind)] == [c.sort_key(whole) for c in printed(kind)], row.key


def test_ages_of_rows_without_objects_go_on() -> None:
    """Once the server's age texts are read as moments, they tick and sort as those of objects."""
    answer = recorded(PODS)
    row = row_of(PODS, "ok")
    (timed,) = CellReader(PODS, answer.now).rows("", [row.cells or ()])
    age = next(column for column in PODS.columns if isinstance(column, AgeColumn))
    assert age.cell(timed, answer.now + 86400 * 3) == "3d"


def test_restarts_sort_as_numbers_without_objects() -> None:
    """The server's text `10 (5m ago)` sorts after `9`."""
    restarts = next(column for column in PODS.columns if column.name == "RESTARTS")
    ten, nine = (Row(ObjectKey("a", "b"), "", None, ("b", "1/1", "Running", text)) for text in ("10 (5m ago)", "9"))
    assert restarts.sort_key(nine) < restarts.sort_key(ten)


def test_every_home_table_begins_with_the_name() -> None:
    """With all namespaces NAMESPACE stands before it where there are namespaces."""
    begin = {kind.title: [c.name for c in kind.columns_for(wide=False, all_namespaces=True)][:2] for kind in HOME}
    assert begin == {
        "Nodes": ["NAME", "STATUS"],
        "Deployments": ["NAMESPACE", "NAME"],
        "Services": ["NAMESPACE", "NAME"],
        "Pods": ["NAMESPACE", "NAME"],
    }


def test_hostile_text_reaches_no_cell() -> None:
    """Control characters in any text of a pod are shown as pictures."""
    pod = msgspec.convert(
        {"metadata": {"name": "a\x1b[2J"}, "status": {"phase": "\x1b]0;x\x07", "podIPs": [{"ip": "\u202e1"}]}},
        PODS.view,
    )
    row = Row(pod.key, "", pod)
    assert all(column.cell(row, 0).isprintable() for column in PODS.columns)


def test_every_view_reads_an_object_of_which_nothing_is_known() -> None:
    """Fields that a server leaves out never raise."""
    for kind in BUILTIN.values():
        item = msgspec.json.decode(b"{}", type=kind.view)
        row = Row(item.key, "", item)
        for column in kind.columns:
            column.cell(row, 0)
        kind.tone(row)


def joined_cells(kind: Kind, row: Row, others: list[Any] | None) -> dict[str, str]:
    return {
        column.name: column.cell(row, 0, lambda join, key: others)
        for column in kind.columns
        if isinstance(column, JoinColumn)
    }


def test_a_nodes_usage_is_a_share_of_what_pods_may_use() -> None:
    """CPU and MEM are whole percents of allocatable, rounded down as kubectl top does."""
    metrics = NodeMetrics(usage=Usage(cpu="999m", memory="16Gi"))
    assert joined_cells(NODES, row_of(NODES, "fake-0"), [metrics]) == {"CPU": "12%", "MEM": "50%"}


def test_usage_that_is_not_known_is_a_dash() -> None:
    """A node without metrics, or whose allocatable is not known, shows `-`."""
    metrics = NodeMetrics(usage=Usage(cpu="1", memory="1Gi"))
    dashes = {"CPU": "-", "MEM": "-"}
    assert joined_cells(NODES, row_of(NODES, "fake-0"), []) == dashes
    assert joined_cells(NODES, Row(ObjectKey("", "x"), ""), [metrics]) == dashes


def test_columns_of_a_kind_that_is_not_served_are_empty() -> None:
    """Nothing is claimed about usage when metrics are not known at all."""
    assert set(joined_cells(PODS, row_of(PODS, "ok"), None).values()) == {""}


def test_a_pods_usage_is_the_sum_of_its_containers() -> None:
    """CPU is in millicores, MEM in MiB, summed before they are rounded."""
    usage = [{"name": "a", "usage": {"cpu": "400u", "memory": "600Ki"}}, {"usage": {"cpu": "500u", "memory": "600Ki"}}]
    metrics = msgspec.convert({"containers": usage}, PodMetrics)
    assert joined_cells(PODS, row_of(PODS, "ok"), [metrics]) == {"CPU": "1m", "MEM": "1Mi"}


def test_metrics_find_the_rows_they_belong_to() -> None:
    """The join of CPU and MEM leads from recorded metrics to recorded pods and nodes."""
    for kind, metrics in ((NODES, NODE_METRICS), (PODS, POD_METRICS)):
        column = next(column for column in kind.columns if isinstance(column, JoinColumn))
        keys = {column.join.key_of(row.object) for row in recorded(metrics).rows}
        assert keys <= {row.key for row in recorded(kind).rows}
        assert column.join.polled == 15


def test_services_count_the_endpoints_that_answer() -> None:
    """ENDPOINTS is ready of all, one number when all are ready, and `-` where there is nothing to count."""
    joined = joined_with(ENDPOINT_SLICES)
    column = next(column for column in SERVICES.columns if column.name == "ENDPOINTS")
    cells = {row.key.name: column.cell(row, 0, joined) for row in recorded(SERVICES).rows}
    assert cells == {
        "dns": "-", "external-ips": "3", "headless": "3", "lb": "3", "lb-host": "3", "lb-pending": "3", "manual": "-",
        "nobody": "0", "nodeport": "3", "noports": "3", "unready": "0/2", "web": "3",
    }  # fmt: skip


def slice_of(family: str, *conditions: dict[str, bool | None]) -> EndpointSlice:
    endpoints = [{"addresses": ["x"], "conditions": condition} for condition in conditions]
    return msgspec.convert({"addressType": family, "endpoints": endpoints}, EndpointSlice)


def test_dual_stack_endpoints_count_once() -> None:
    """A pod has an endpoint in a slice of each family; it is still one."""
    ready: dict[str, bool | None] = {"ready": True}
    assert count([slice_of("IPv4", ready, ready), slice_of("IPv6", ready, ready)]) == (2, 2)


def test_endpoints_on_their_way_out_do_not_count_as_missing() -> None:
    """A terminating endpoint that no longer answers is not expected to; what is not said counts as ready."""
    assert count([slice_of("IPv4", {}, {"ready": False, "terminating": True}, {"ready": False})]) == (1, 2)


def test_the_newer_form_of_events_counts_its_series() -> None:
    """An event with a series says when and how often it happened last."""
    series = {"count": 7, "lastObservedTime": "1970-01-01T00:10:00.000000Z"}
    event = msgspec.convert({"eventTime": "1970-01-01T00:00:00.000000Z", "series": series}, EVENTS.view)
    row = Row(event.key, "", event)
    cells = {column.name: column.cell(row, 660) for column in EVENTS.columns}
    assert (cells["LAST SEEN"], cells["FIRST SEEN"], cells["COUNT"]) == ("60s", "11m", "7")
