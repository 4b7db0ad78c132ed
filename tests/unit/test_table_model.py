"""TableModel: what is shown, in which order, where the cursor is, what is marked."""

from __future__ import annotations

import asyncio
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ktui.kinds.column import Join, JoinColumn
from ktui.kinds.names import GVR, ObjectKey
from ktui.kube.store import Store
from ktui.widgets.sort import Sort
from ktui.widgets.table_model import TableModel
from tests.unit.table_rows import BOATS, COLUMNS, boat, store_of


def drained(store: Store) -> TableModel:
    """A model that knows all rows of `store`."""
    model = TableModel(store, COLUMNS)
    drain(model)
    return model


def drain(model: TableModel) -> None:
    """Take over everything there is."""
    while model.unfinished:
        model.drain()


def names(model: TableModel) -> list[str]:
    """The names of the shown rows, in order."""
    return [model.key_at(index).name for index in range(len(model))]


def at_cursor(model: TableModel) -> str | None:
    """The name of the row under the cursor."""
    return None if model.cursor is None else model.cursor.key.name


# -- order -----------------------------------------------------------------------------------


def test_rows_stand_by_namespace_and_name() -> None:
    """Without a chosen order rows stand as kubectl prints them, also where a namespace begins like another."""
    model = drained(store_of(boat("a", "sea-2"), boat("b", "sea"), boat("a", "sea"), boat("z", "bay")))
    assert [model.key_at(index) for index in range(4)] == [
        ObjectKey("bay", "z"),
        ObjectKey("sea", "a"),
        ObjectKey("sea", "b"),
        ObjectKey("sea-2", "a"),
    ]


def test_numbers_sort_as_numbers() -> None:
    """Ten restarts come after nine."""
    model = drained(store_of(boat("a", restarts=10), boat("b", restarts=9)))
    model.sort_by("RESTARTS")
    assert names(model) == ["b", "a"]


def test_sorting_by_the_same_column_again_turns_the_order_around() -> None:
    """The second time the largest comes first."""
    model = drained(store_of(boat("a", restarts=1), boat("b", restarts=2)))
    model.sort_by("RESTARTS")
    model.sort_by("RESTARTS")
    assert names(model) == ["b", "a"]


@pytest.mark.parametrize("descending", [False, True])
def test_equal_rows_stand_by_name_in_both_directions(descending: bool) -> None:
    """Turning the order around does not turn the names around."""
    model = drained(store_of(boat("b"), boat("c"), boat("a")))
    model.sort = Sort("STATUS", descending)
    assert names(model) == ["a", "b", "c"]


def test_texts_sort_downwards_too() -> None:
    """A column of words can be turned around."""
    model = drained(store_of(boat("a", status="Crashed"), boat("b", status="Running")))
    model.sort = Sort("STATUS", descending=True)
    assert names(model) == ["b", "a"]


def test_a_changed_row_moves_to_its_new_place() -> None:
    """A row whose sorted cell changed moves among the others."""
    store = store_of(boat("a", restarts=1), boat("b", restarts=2), boat("c", restarts=3))
    model = drained(store)
    model.sort_by("RESTARTS")
    store.put([boat("a", restarts=5)])
    assert model.drain().order_changed
    assert names(model) == ["b", "c", "a"]


def test_a_value_without_order_does_not_break_the_table() -> None:
    """NaN compares with nothing; its row can still be changed and removed."""
    store = store_of(
        *(boat(name, restarts=restarts) for name, restarts in zip("abcd", (2, float("nan"), 1, 3), strict=True))
    )
    model = drained(store)
    model.sort_by("RESTARTS")
    store.remove(ObjectKey("sea", "b"))
    drain(model)
    assert sorted(names(model)) == ["a", "c", "d"]


_KEYS = st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from([f"n{number}" for number in range(40)]))
_CHANGES = st.lists(st.tuples(_KEYS, st.one_of(st.none(), st.integers(0, 5))), max_size=160)


@given(
    st.lists(_CHANGES, max_size=4),
    st.sampled_from([None, Sort("RESTARTS"), Sort("RESTARTS", True), Sort("STATUS", True)]),
)
@settings(max_examples=150, deadline=None)
def test_keeping_the_order_equals_sorting_again(
    batches: list[list[tuple[tuple[str, str], int | None]]], sort: Sort | None
) -> None:
    """However rows come, change and go, the order is the one that sorting all of them gives."""
    store = Store(BOATS)
    model = TableModel(store, COLUMNS)
    model.sort = sort
    for batch in batches:
        for (namespace, name), restarts in batch:
            if restarts is None:
                store.remove(ObjectKey(namespace, name))
            else:
                store.put([boat(name, namespace, restarts=restarts)])
        drain(model)
        fresh = drained(store)
        fresh.sort = sort
        keys = [model.key_at(index) for index in range(len(model))]
        assert keys == [fresh.key_at(index) for index in range(len(fresh))]
        assert [model.index_of(key) for key in keys] == list(range(len(keys)))


# -- deltas ----------------------------------------------------------------------------------


def test_a_change_in_place_moves_nothing() -> None:
    """A row that stays where it is is repainted, and nothing else."""
    store = store_of(boat("a"), boat("b"))
    model = drained(store)
    store.put([boat("b", status="Crashed")])
    delta = model.drain()
    assert (delta.order_changed, delta.rows) == (False, {ObjectKey("sea", "b")})


def test_a_hidden_row_changes_nothing() -> None:
    """What the filter hides need not be repainted."""
    store = store_of(boat("a"), boat("b"))
    model = drained(store)
    model.only = {ObjectKey("sea", "a")}
    store.put([boat("b", status="Crashed")])
    delta = model.drain()
    assert (delta.order_changed, delta.rows) == (False, set())


def test_changes_wake_once_until_they_are_drained() -> None:
    """A page of rows is one reason to look."""
    wakes: list[None] = []
    store = store_of(boat("a"))
    model = TableModel(store, COLUMNS)
    drain(model)
    model.wake = lambda: wakes.append(None)
    store.put([boat("b"), boat("c")])
    store.put([boat("d")])
    assert len(wakes) == 1


def test_a_closed_model_hears_nothing() -> None:
    """A table that was left costs its store nothing."""
    store = store_of()
    model = TableModel(store, COLUMNS)
    model.close()
    store.put([boat("a")])
    assert not model.unfinished


# -- counts ----------------------------------------------------------------------------------


def test_trouble_is_counted_as_it_comes_and_goes() -> None:
    """Failed and warning rows are counted, also when they change into each other or go."""
    store = store_of(boat("a", status="Crashed"), boat("b", status="NotReady"), boat("c"))
    model = drained(store)
    assert (model.failed, model.warning) == (1, 1)
    store.put([boat("b", status="Crashed")])
    store.remove(ObjectKey("sea", "a"))
    drain(model)
    assert (model.failed, model.warning) == (1, 0)


def test_hidden_trouble_is_counted() -> None:
    """A filter hides rows, not trouble."""
    store = store_of(boat("a", status="Crashed"), boat("b"))
    model = drained(store)
    model.only = {ObjectKey("sea", "b")}
    assert (len(model), model.failed) == (1, 1)


def test_only_trouble_is_shown_when_asked() -> None:
    """With `unhealthy_only` rows come and go as they fail and recover."""
    store = store_of(boat("a", status="Crashed"), boat("b"))
    model = drained(store)
    model.unhealthy_only = True
    store.put([boat("a"), boat("b", status="NotReady")])
    drain(model)
    assert names(model) == ["b"]


# -- filter ----------------------------------------------------------------------------------


async def test_a_filter_finds_text_in_any_cell() -> None:
    """Capitals do not matter, and columns that are scrolled out are searched as well."""
    model = drained(store_of(boat("a", image="Nginx:1.27"), boat("b", image="redis")))
    await model.filter_by("nGiNx")
    assert names(model) == ["a"]


async def test_a_filter_ignores_ages() -> None:
    """`9d` does not find everything that is nine days old."""
    model = drained(store_of(boat("a"), boat("x9d")))
    await model.filter_by("9d")
    assert names(model) == ["x9d"]


async def test_a_filter_does_not_match_across_cells() -> None:
    """The end of one cell and the beginning of the next are no text."""
    model = drained(store_of(boat("ab", status="cd")))
    await model.filter_by("abc")
    assert names(model) == []


async def test_a_filter_follows_changes() -> None:
    """A row that changes is searched again."""
    store = store_of(boat("a", image="redis"), boat("b", image="nginx"))
    model = drained(store)
    await model.filter_by("nginx")
    store.put([boat("a", image="nginx"), boat("b", image="redis")])
    drain(model)
    assert names(model) == ["a"]


async def test_a_later_filter_overtakes_an_earlier_one() -> None:
    """Whoever types on does not wait for the first letters."""
    store = store_of(*(boat(f"boat-{number:05}") for number in range(8000)))
    model = drained(store)
    first = asyncio.create_task(model.filter_by("boat-0"))
    await asyncio.sleep(0)
    assert await model.filter_by("boat-00001")
    assert not await first
    assert names(model) == ["boat-00001"]


async def test_the_first_filter_does_not_hold_up_the_loop() -> None:
    """Reading ten thousand rows is done in slices; other tasks run in between."""
    model = drained(store_of(*(boat(f"boat-{number:05}") for number in range(10000))))
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    await model.filter_by("9999")
    task.cancel()
    assert turns >= 2
    assert names(model) == ["boat-09999"]


async def test_matches_are_shown_where_they_are() -> None:
    """All matches of a cell are found, without regard to capitals."""
    model = drained(store_of())
    await model.filter_by("An")
    assert model.match_spans("Banana") == [(1, 3), (3, 5)]


async def test_letters_that_change_length_are_not_highlighted_wrongly() -> None:
    """`İ` is two characters in lower case; no span is better than a wrong one."""
    model = drained(store_of())
    await model.filter_by("x")
    assert model.match_spans("İx") == []


# -- cursor ----------------------------------------------------------------------------------


def test_the_cursor_follows_its_row() -> None:
    """Rows that come before it do not move it to another object."""
    store = store_of(boat("b"), boat("c"))
    model = drained(store)
    model.move_cursor(1)
    store.put([boat("a")])
    drain(model)
    assert (at_cursor(model), model.cursor_index) == ("c", 2)


def test_the_cursor_takes_the_next_row_when_its_own_goes() -> None:
    """It stays at its place in the order."""
    store = store_of(boat("a"), boat("b"), boat("c"))
    model = drained(store)
    model.move_cursor(1)
    store.remove(ObjectKey("sea", "b"))
    drain(model)
    assert at_cursor(model) == "c"


def test_the_cursor_takes_the_row_before_when_the_last_goes() -> None:
    """Beyond the end it stays on the last row."""
    store = store_of(boat("a"), boat("b"))
    model = drained(store)
    model.move_cursor(1)
    store.remove(ObjectKey("sea", "b"))
    drain(model)
    assert at_cursor(model) == "a"


def test_the_cursor_stays_on_a_recreated_object() -> None:
    """The same name is the same place, with another UID."""
    store = store_of(boat("a"), boat("b"), boat("c"))
    model = drained(store)
    model.move_cursor(1)
    store.remove(ObjectKey("sea", "b"))
    store.put([boat("b", uid="another")])
    drain(model)
    assert at_cursor(model) == "b"


def test_the_cursor_stays_on_its_row_when_the_order_changes() -> None:
    """Sorting moves the row and the cursor with it."""
    model = drained(store_of(boat("a", restarts=2), boat("b", restarts=1)))
    model.move_cursor(0)
    model.sort_by("RESTARTS")
    assert (at_cursor(model), model.cursor_index) == ("a", 1)


async def test_the_cursor_goes_to_the_nearest_match() -> None:
    """When a filter hides its row, it takes the next one that is left."""
    model = drained(store_of(boat("a-x"), boat("b"), boat("c-x"), boat("d-x")))
    model.move_cursor(1)
    await model.filter_by("-x")
    assert at_cursor(model) == "c-x"


def test_the_cursor_stays_on_top_while_rows_land() -> None:
    """Nobody has moved it: it shows the first row, whatever lands before."""
    store = store_of(boat("b"))
    model = drained(store)
    store.put([boat("a")])
    drain(model)
    assert at_cursor(model) == "a"


def test_the_cursor_stays_on_its_row_once_all_have_landed() -> None:
    """After the first list nobody's row changes under the cursor."""
    store = store_of(boat("b"))
    model = drained(store)
    model.hold_cursor()
    store.put([boat("a")])
    drain(model)
    assert at_cursor(model) == "b"


def test_without_rows_there_is_no_cursor() -> None:
    """An empty table has nothing to act on."""
    store = store_of(boat("a"))
    model = drained(store)
    model.move_cursor(0)
    model.only = ()
    assert (model.cursor, model.cursor_index) == (None, -1)


# -- marks -----------------------------------------------------------------------------------


def test_a_recreated_object_is_not_marked() -> None:
    """A mark belongs to an object, not to its name."""
    store = store_of(boat("a"))
    model = drained(store)
    model.toggle_mark(store.rows[ObjectKey("sea", "a")])
    store.put([boat("a", uid="another")])
    drain(model)
    assert model.marked == []


def test_a_mark_survives_changes() -> None:
    """A changed object is the same object."""
    store = store_of(boat("a"))
    model = drained(store)
    model.toggle_mark(store.rows[ObjectKey("sea", "a")])
    store.put([boat("a", status="Crashed")])
    drain(model)
    assert [row.key.name for row in model.marked] == ["a"]


def test_a_mark_is_taken_away_by_marking_again() -> None:
    """The same key marks and unmarks."""
    store = store_of(boat("a"))
    model = drained(store)
    row = store.rows[ObjectKey("sea", "a")]
    model.toggle_mark(row)
    model.toggle_mark(row)
    assert not model.is_marked(row)


# -- joins -----------------------------------------------------------------------------------


def test_joined_cells_are_sorted_by_what_is_known_now() -> None:
    """When the other kind tells something new, the row moves."""
    cpu: dict[object, list[int]] = {ObjectKey("sea", "a"): [1], ObjectKey("sea", "b"): [2]}
    join = Join(GVR("metrics", "v1", "boats"), key_of=lambda item: item)
    column = JoinColumn(
        name="CPU", join=join, text_with=lambda _, others: str(sum(others)), sort_with=lambda _, others: sum(others)
    )
    model = TableModel(store_of(boat("a"), boat("b")), (*COLUMNS, column), joined=lambda _, key: cpu.get(key))
    drain(model)
    model.sort_by("CPU")
    cpu[ObjectKey("sea", "a")] = [5]
    model.touch({ObjectKey("sea", "a"), ObjectKey("gone", "gone")})
    drain(model)
    assert names(model) == ["b", "a"]


# -- cost ------------------------------------------------------------------------------------


def test_a_change_costs_no_more_among_many_rows() -> None:
    """A change among ten thousand rows takes at most a few times as long as one among a hundred."""

    def cost(rows: int) -> float:
        store = store_of(*(boat(f"boat-{number:05}", restarts=number % 7) for number in range(rows)))
        model = drained(store)
        model.sort_by("RESTARTS")
        best = float("inf")
        for attempt in range(30):
            store.put([boat("boat-00050", restarts=attempt % 7 + 0.5)])
            started = perf_counter()
            model.drain()
            best = min(best, perf_counter() - started)
        return best

    assert cost(10000) < 12 * cost(100)


def test_a_drain_stops_after_its_slice() -> None:
    """A hundred thousand rows at once are taken over in turns, and none is lost."""
    store = store_of(*(boat(f"boat-{number:06}") for number in range(30000)))
    model = TableModel(store, COLUMNS)
    turns = 0
    while model.unfinished:
        model.drain()
        turns += 1
    assert turns > 1
    assert len(model) == 30000


# -- what happens while many rows are read or brought into order ------------------------------


async def until_half_way(task: asyncio.Task[bool]) -> None:
    """Let a task in slices do its first ones."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not task.done()


async def test_rows_that_change_while_a_filter_reads_are_found() -> None:
    """What came or changed, and was taken over, between two slices is read as well."""
    store = store_of(*(boat(f"boat-{number:05}") for number in range(30_000)))
    model = drained(store)
    task = asyncio.create_task(model.filter_by("needle"))
    await until_half_way(task)
    store.put([boat("boat-00001", image="needle"), boat("new", image="needle"), boat("boat-29999", image="needle")])
    drain(model)
    assert await task
    assert names(model) == ["boat-00001", "boat-29999", "new"]


async def test_pages_that_land_while_a_filter_reads_are_found() -> None:
    """So are rows that land by the thousand."""
    store = store_of(*(boat(f"boat-{number:05}") for number in range(30_000)))
    model = drained(store)
    task = asyncio.create_task(model.filter_by("needle"))
    await until_half_way(task)
    store.put([boat(f"late-{number:03}", image="needle") for number in range(500)])
    drain(model)
    assert await task
    assert len(model) == 500


async def test_rows_that_change_while_they_are_sorted_stand_where_they_belong() -> None:
    """A place that was found before a row changed is not taken for its place."""
    store = store_of(*(boat(f"boat-{number:05}", restarts=number) for number in range(10_000)))
    model = drained(store)
    task = asyncio.create_task(model.sort_soon("RESTARTS"))
    await until_half_way(task)
    store.put([boat("boat-00001", restarts=20_000)])
    store.remove(ObjectKey("sea", "boat-00002"))
    drain(model)
    assert await task
    assert [names(model)[place] for place in (0, 1, -1)] == ["boat-00000", "boat-00003", "boat-00001"]
    store.put([boat("boat-00001", restarts=-1)])
    drain(model)
    assert names(model)[0] == "boat-00001"
    assert len(model) == 9_999
