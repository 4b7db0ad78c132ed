"""What a row costs in memory, counted; and that it comes back."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator

import pytest

from ktui.kinds.cells import CellReader
from ktui.kinds.pods import PODS
from ktui.kinds.row import Row
from ktui.kube.store import Store
from ktui.widgets.table_model import TableModel

ROWS = 5000


@pytest.fixture(autouse=True)
def traced() -> Iterator[None]:
    """Memory is counted for as long as a test lasts."""
    tracemalloc.start()
    yield
    tracemalloc.stop()


def pods(batch: int, count: int = ROWS) -> list[Row]:
    """Rows of a namespace as a server prints them, each text a string of its own."""
    cells = [
        (
            f"app-{number % 40:03d}-{number * 2654435761 % 2**32:08x}-{number:05d}",
            f"{2}/{2}",
            "".join(("Run", "ning")),
            f"{number % 7}",
            f"{number % 30}d",
            f"10.{batch}.{number // 250}.{number % 250}",
            f"node-{number % 100:04d}",
            "".join(("<no", "ne>")),
            "".join(("<no", "ne>")),
        )
        for number in range(count)
    ]
    return CellReader(PODS, 1e9).rows(f"team-{batch}", cells)


def shown() -> tuple[Store, TableModel]:
    """A store of many rows, and the table that shows it."""
    store = Store(PODS)
    store.begin_list("", abridged=True)
    return store, TableModel(store, PODS.columns_for(wide=True, all_namespaces=True))


def drain(model: TableModel) -> None:
    """Take over everything there is."""
    while model.unfinished:
        model.drain()


def in_use() -> tuple[int, int]:
    """Bytes and blocks that are in use."""
    gc.collect()
    blocks = tracemalloc.take_snapshot().traces
    return sum(trace.size for trace in blocks), len(blocks)


def test_a_row_costs_a_few_hundred_bytes() -> None:
    """150,000 rows fit in 150 MB beside everything else: name, address, cells, key, and their places in two tables."""
    store, model = shown()
    before = in_use()
    store.put(pods(0))
    drain(model)
    size, blocks = (after - start for after, start in zip(in_use(), before, strict=True))
    assert size / ROWS <= 750
    # Name, address, key, cells, the row; a moment, a number in passing or a namespace are shared.
    assert blocks / ROWS <= 6


async def test_a_filter_costs_one_text_a_row() -> None:
    """What is searched is kept, once."""
    store, model = shown()
    store.put(pods(0))
    drain(model)
    before = in_use()
    await model.filter_by("app-001")
    size, blocks = (after - start for after, start in zip(in_use(), before, strict=True))
    assert size / ROWS <= 250
    assert blocks / ROWS <= 1.1


async def test_memory_of_rows_that_went_comes_back() -> None:
    """Thousands of pods that are deleted and made again, time after time, leave nothing behind."""
    store, model = shown()
    count = ROWS // 4
    used = []
    for round_ in range(9):
        store.discard(store.keys_in(f"team-{round_ - 2}"))
        store.put(pods(round_, count))
        drain(model)
        await model.filter_by("app")
        gc.collect()
        used.append(tracemalloc.get_traced_memory()[0])
    assert len(store) == len(model) == 2 * count
    # Tables of keys grow once more when keys come and go, and then no more.
    assert used[-1] <= used[4] * 1.02
