"""The embedded cluster prints what a real one printed of the same objects (recorded by `tests.cluster.record`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ktui.demo.clock import SteppedClock, epoch_of
from ktui.demo.server import Server
from ktui.demo.storage import Storage
from ktui.kinds.kind import Kind
from ktui.kube.page import TABLE
from tests.cluster.conftest import connected
from tests.cluster.record import GOLDEN, RECORDED

SLACK = 3
"""Moments, a second apart, at which an age may have been looked at."""


@pytest.fixture(scope="module")
def golden() -> Any:
    """The record."""
    return json.loads(GOLDEN.read_text())


@pytest.mark.parametrize("kind", RECORDED, ids=lambda kind: kind.gvr.resource)
async def test_the_embedded_cluster_prints_as_a_real_one(kind: Kind, golden: Any, tmp_path: Path) -> None:
    """Columns and cells of the Table are the same for the same objects."""
    recorded = golden["tables"][kind.gvr.qualified]
    clock = SteppedClock(golden["now"] - 1.0)
    storage = Storage(clock)
    for row in recorded["rows"]:
        item = row["object"]
        storage.create(kind.gvr.qualified, item, created=epoch_of(item["metadata"]["creationTimestamp"]))
    server = Server(storage, clock)
    await server.start()
    try:
        server.write_kubeconfig(tmp_path / "config")
        printed: list[dict[str, list[Any]]] = []
        async with connected(tmp_path / "config") as client:
            for _ in range(SLACK):
                answer = await client.request("GET", kind.gvr.path(), accept=TABLE)
                table = msgspec.json.decode(answer.body)
                printed.append({row["object"]["metadata"]["name"]: row["cells"] for row in table["rows"]})
                clock.advance(1)
    finally:
        await server.stop()
    names = ("name", "type", "format", "priority")
    assert [{name: column[name] for name in names} for column in table["columnDefinitions"]] == recorded["columns"]
    assert len(recorded["rows"]) == len(printed[0]) > 0
    for row in recorded["rows"]:
        name = row["object"]["metadata"]["name"]
        for place, cell in enumerate(row["cells"]):
            assert cell in [cells[name][place] for cells in printed], f"{name}: {recorded['columns'][place]['name']}"
