"""ResourceTable: what it paints, what it writes to the terminal, and how it is moved."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from textual.geometry import Offset
from textual.widgets import Input

from ktui.kinds.names import ObjectKey
from ktui.widgets.palette import PALETTES
from ktui.widgets.resource_table import ResourceTable
from tests.ui.bytes_written import Terminal, painted
from tests.ui.table_app import FLEET, OtherScreen, TableApp, line_with, lines, shown_names
from tests.unit.table_rows import boat, store_of


async def until(condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds, at most five seconds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - there is no event for "the screen shows it"
            await asyncio.sleep(0.01)


def many(count: int = 300) -> list[str]:
    """Names in order."""
    return [f"boat-{number:05}" for number in range(count)]


# -- what it looks like ----------------------------------------------------------------------


def test_it_looks_as_designed(snap_compare: Callable[..., bool]) -> None:
    """Tones, related rows, marks, cursor and columns at 160 columns."""

    async def before(pilot: object) -> None:
        app = pilot.app  # type: ignore[attr-defined]
        other = list(app.query(ResourceTable))[1]
        other.related = {ObjectKey("sea", "aurora"), ObjectKey("sea", "calypso")}
        await pilot.press("down", "down", "space")  # type: ignore[attr-defined]

    assert snap_compare(TableApp(store_of(*FLEET), store_of(*FLEET)), terminal_size=(160, 16), run_before=before)


@pytest.mark.parametrize("theme", sorted(PALETTES))
def test_every_theme_has_its_look(snap_compare: Callable[..., bool], theme: str) -> None:
    """Rows, cursor and marks in each theme at 80 columns."""
    assert snap_compare(
        TableApp(store_of(*FLEET), theme=theme), terminal_size=(80, 12), press=["down", "space", "down"]
    )


async def test_the_terminal_shows_what_was_meant() -> None:
    """The shortened escape sequences paint the same characters as Textual's own, wide ones included."""
    async with painted(TableApp(store_of(*FLEET)), (120, 14)) as (pilot, terminal):
        await pilot.press("down", "down", "space", "up")
        await pilot.pause()
        assert terminal.screen() == lines(pilot.app)


async def test_wide_characters_keep_columns_aligned() -> None:
    """The cells behind CJK, emoji and combining letters begin where those of other rows begin."""
    store = store_of(boat("plain"), boat("日本丸"), boat("🚢🚢"), boat("e\u0301te\u0301"), boat("❤\ufe0f"))
    async with painted(TableApp(store), (80, 10)) as (_, terminal):
        places = [cells.index("●") for cells in terminal.cells() if "●" in cells and "R" in cells]
        assert len(places) >= 5
        assert len(set(places)) == 1


async def test_hostile_text_stays_text() -> None:
    """Neither markup nor escape sequences of a stranger do anything."""
    store = store_of(boat("[bold red]x[/]", node="\x1b[31mred\x1b]0;title\x07"))
    async with painted(TableApp(store), (120, 8)) as (_, terminal):
        shown = "\n".join(terminal.screen())
        assert "[bold red]x[/]" in shown
        assert "␛[31mred␛]0;title␇" in shown


async def test_a_long_name_keeps_its_end() -> None:
    """Names that do not fit are cut in the middle, so that the pods of a deployment can be told apart."""
    async with TableApp(store_of(*FLEET)).run_test(size=(60, 12)) as pilot:
        line = line_with(pilot.app, "endurance")
        assert "…n-1914 " in line
        assert "● Running" in line


@pytest.mark.parametrize("width", [1, 2, 5, 10, 20, 40, 60, 80, 110, 250])
async def test_every_width_is_painted_exactly(width: int) -> None:
    """However narrow the terminal is, each line is as wide as the table."""
    async with TableApp(store_of(*FLEET)).run_test(size=(width, 12)) as pilot:
        table = pilot.app.query_one(ResourceTable)
        assert {table.render_line(y).cell_length for y in range(table.size.height)} <= {table.size.width}


async def test_columns_that_do_not_fit_are_reached_sideways() -> None:
    """`›` tells of more; the right arrow shows it, and the name stays."""
    async with TableApp(store_of(*FLEET)).run_test(size=(60, 12)) as pilot:
        assert "›" in lines(pilot.app)[1]
        assert "IMAGE" not in lines(pilot.app)[1]
        await pilot.press(*["right"] * 8)
        assert "IMAGE" in lines(pilot.app)[1]
        assert "›" not in lines(pilot.app)[1]
        assert "aurora:1.0" in line_with(pilot.app, "aurora ")


async def test_wide_columns_are_shown_where_there_is_room() -> None:
    """On a wide terminal nothing has to be scrolled."""
    async with TableApp(store_of(*FLEET)).run_test(size=(160, 12)) as pilot:
        assert "IMAGE" in lines(pilot.app)[1]
        assert "›" not in lines(pilot.app)[1]


async def test_numbers_are_aligned_to_the_right() -> None:
    """Ones stand below ones."""
    async with TableApp(store_of(*FLEET)).run_test(size=(160, 12)) as pilot:
        end = lines(pilot.app)[1].index("RESTARTS") + len("RESTARTS")
        assert line_with(pilot.app, "beagle")[:end].endswith(" 14")
        assert line_with(pilot.app, "aurora")[:end].endswith("  3")


async def test_words_stand_where_there_are_no_rows() -> None:
    """An empty table says why, in whole sentences."""
    app = TableApp(store_of())
    async with app.run_test(size=(40, 10)) as pilot:
        app.table.say(["You may not list boats in this cluster at all.", "Ask the harbour master."])
        await pilot.pause()
        shown = " ".join(" ".join(line.strip("│┃ ") for line in lines(app)).split())
        assert "You may not list boats in this cluster at all. Ask the harbour master." in shown


async def test_words_give_way_to_rows() -> None:
    """The first row that lands replaces them."""
    store = store_of()
    app = TableApp(store)
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.say(["Nothing here."])
        store.put([boat("aurora")])
        await until(lambda: any("aurora" in line for line in lines(app)))
        assert not any("Nothing" in line for line in lines(app))
        await pilot.pause()


async def test_the_header_tells_the_order() -> None:
    """An arrow stands at the column that is sorted by, and turns with the order."""
    app = TableApp(store_of(*FLEET))
    async with app.run_test(size=(120, 12)) as pilot:
        app.table.sort_by("RESTARTS")
        await pilot.pause()
        assert "RESTARTS↑" in lines(app)[1]
        app.table.sort_by("RESTARTS")
        await pilot.pause()
        assert "RESTARTS↓" in lines(app)[1]


async def test_columns_grow_at_once_and_do_not_shrink_again() -> None:
    """A longer status makes room; when it is gone nothing jumps back."""
    store = store_of(boat("aurora"))
    app = TableApp(store)
    async with app.run_test(size=(160, 8)):
        narrow = lines(app)[1].index("RESTARTS")
        store.put([boat("aurora", status="CreateContainerConfigError")])
        await until(lambda: lines(app)[1].index("RESTARTS") > narrow)
        wide = lines(app)[1].index("RESTARTS")
        store.put([boat("aurora", status="Running")])
        await until(lambda: "Running" in line_with(app, "aurora"))
        assert lines(app)[1].index("RESTARTS") == wide


# -- what it writes --------------------------------------------------------------------------


async def written(terminal: Terminal, change: Callable[[], None], effect: Callable[[], bool]) -> int:
    """The bytes written until `effect` holds and the frame after it has passed."""
    terminal.forget()
    change()
    await until(effect)
    await asyncio.sleep(0.1)
    return terminal.bytes


async def test_a_changed_row_writes_one_line() -> None:
    """At 200 columns a visible change costs at most 700 bytes."""
    store = store_of(*(boat(name) for name in many()))
    async with painted(TableApp(store), (200, 50)) as (_, terminal):
        count = await written(
            terminal, lambda: store.put([boat("boat-00007", status="Pending")]), lambda: terminal.bytes > 0
        )
        assert "\n" not in "".join(terminal.written)
        assert 0 < count <= 700


async def test_an_unseen_row_writes_nothing() -> None:
    """A change below the screen is taken over and not painted."""
    store = store_of(*(boat(name) for name in many()))
    app = TableApp(store)
    async with painted(app, (200, 50)) as (_, terminal):
        change = lambda: store.put([boat("boat-00200", restarts=5)])  # noqa: E731
        assert await written(terminal, change, lambda: not app.table.model.unfinished) == 0


async def test_a_row_that_looks_the_same_writes_nothing() -> None:
    """A new version of an object that reads as before is no reason to paint."""
    store = store_of(*(boat(name) for name in many()))
    app = TableApp(store)
    async with painted(app, (200, 50)) as (_, terminal):
        change = lambda: store.put([boat("boat-00007")])  # noqa: E731
        assert await written(terminal, change, lambda: not app.table.model.unfinished) == 0


async def test_moving_the_cursor_writes_two_lines() -> None:
    """At 200 columns a step of the cursor costs at most 800 bytes."""
    app = TableApp(store_of(*(boat(name, node="quay-1", image="image:1") for name in many())))
    async with painted(app, (200, 50)) as (pilot, terminal):
        app.table.action_move(1)
        await pilot.pause()
        assert await written(terminal, lambda: app.table.action_move(1), lambda: terminal.bytes > 0) <= 800


async def test_rows_inserted_above_write_no_rows() -> None:
    """What the person looks at stays; only the count in the frame changes."""
    store = store_of(*(boat(name) for name in many()))
    app = TableApp(store)
    async with painted(app, (200, 50)) as (pilot, terminal):
        await pilot.press("end")
        await until(lambda: terminal.bytes > 0)
        before = lines(app)[2:-1]
        change = lambda: store.put([boat("a-new-one")])  # noqa: E731
        # The title line is 200 characters of three bytes; the scrollbar moves by a cell at most.
        assert await written(terminal, change, lambda: "301" in lines(app)[0]) < 900
        assert [line[:-1] for line in lines(app)[2:-1]] == [line[:-1] for line in before]


async def test_a_storm_is_painted_ten_times_a_second_at_most() -> None:
    """Under load changes are collected: 0.5 s of constant changes are at most seven paints."""
    store = store_of(*(boat(name) for name in many()))
    app = TableApp(store)
    async with painted(app, (200, 50)) as (_, terminal):
        end = asyncio.get_running_loop().time() + 0.5
        number = 0
        while asyncio.get_running_loop().time() < end:
            number += 1
            store.put([boat("boat-00007", restarts=number)])
            await asyncio.sleep(0)
        await until(lambda: not app.table.model.unfinished)
        assert number > 20
        assert 1 <= len([data for data in terminal.written if data]) <= 7


async def test_ages_tick_only_where_they_read_differently() -> None:
    """A second later a young age repaints its line, and an old one does not."""
    app = TableApp(store_of(*FLEET))
    async with painted(app, (120, 12)) as (pilot, terminal):
        app.now += 1
        app.table.tick()
        await pilot.pause()
        assert "46s" in line_with(app, "calypso")
        assert "7m30s" in line_with(app, "dawn-treader")
        assert "\n" not in "".join(terminal.written)


async def test_old_ages_tick_every_half_minute() -> None:
    """After thirty seconds ages of minutes are right again."""
    app = TableApp(store_of(*FLEET))
    async with app.run_test(size=(120, 12)) as pilot:
        app.now += 30
        app.table.tick()
        await pilot.pause()
        assert "8m" in line_with(app, "dawn-treader")


async def test_an_idle_screen_writes_nothing() -> None:
    """Ten seconds pass over rows that are older than two minutes, and not a byte is written."""
    app = TableApp(store_of(*(boat(name, created="2026-01-09T23:50:00Z") for name in many())))
    app.now += 1
    async with painted(app, (200, 50)) as (pilot, terminal):
        app.table.tick()
        await pilot.pause()
        terminal.forget()
        for _ in range(10):
            app.now += 1
            app.table.tick()
            await pilot.pause()
        assert terminal.bytes == 0


async def test_a_table_on_a_hidden_screen_rests() -> None:
    """Nothing is drained for a page that nobody sees; it catches up when it is shown again."""
    store = store_of(*FLEET)
    app = TableApp(store)
    async with app.run_test(size=(120, 12)) as pilot:
        await app.push_screen(OtherScreen())
        store.put([boat("aurora", status="Crashed")])
        await pilot.pause()
        assert app.screen_stack[0].query_one(ResourceTable).model.unfinished
        await app.pop_screen()
        await until(lambda: "✖ Crashed" in line_with(app, "aurora "))


async def test_a_table_that_is_not_displayed_rests() -> None:
    """A hidden table catches up when it is displayed."""
    store = store_of(*FLEET)
    app = TableApp(store)
    async with app.run_test(size=(120, 12)) as pilot:
        app.pane.display = False
        await pilot.pause()
        store.put([boat("aurora", status="Crashed")])
        await pilot.pause()
        assert app.table.model.unfinished
        app.pane.display = True
        await until(lambda: any("✖ Crashed" in line and "aurora" in line for line in lines(app)))


# -- how it is moved -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        (["down", "j"], "boat-00002"),
        (["end"], "boat-00299"),
        (["G"], "boat-00299"),
        (["G", "g"], "boat-00000"),
        (["end", "up", "k"], "boat-00297"),
        (["pagedown"], "boat-00016"),
        (["end", "pageup"], "boat-00283"),
        (["up"], "boat-00000"),
    ],
)
async def test_keys_move_the_cursor(keys: list[str], name: str) -> None:
    """The cursor goes where the keys say, and is on the screen."""
    app = TableApp(store_of(*(boat(name) for name in many())))
    async with app.run_test(size=(80, 20)) as pilot:
        await pilot.press(*keys)
        assert app.table.row is not None
        assert app.table.row.key.name == name
        assert shown_names(app, [name]) == [name]


async def test_the_screen_stays_where_it_is_when_rows_come_above() -> None:
    """The lines that the person reads stay where they are, and so does the cursor."""
    store = store_of(*(boat(name) for name in many()))
    app = TableApp(store)
    async with app.run_test(size=(80, 20)) as pilot:
        await pilot.press(*["down"] * 30)
        before = lines(app)[2:-1]
        store.put(boat(f"a-{number}") for number in range(7))
        await until(lambda: not app.table.model.unfinished)
        await pilot.pause()
        # The last cell is the scrollbar.
        assert [line[:-1] for line in lines(app)[2:-1]] == [line[:-1] for line in before]


async def test_the_screen_stays_when_the_cursor_is_elsewhere() -> None:
    """After the wheel has turned the first visible row is what stays."""
    store = store_of(*(boat(name) for name in many()))
    app = TableApp(store)
    async with app.run_test(size=(80, 20)) as pilot:
        app.table.scroll_rows(100)
        await pilot.pause()
        before = shown_names(app, many())
        store.remove(ObjectKey("sea", "boat-00005"))
        await until(lambda: not app.table.model.unfinished)
        await pilot.pause()
        assert shown_names(app, many()) == before


async def test_moving_tells_the_screen() -> None:
    """It is told of each row under the cursor, once."""
    app = TableApp(store_of(*FLEET))
    async with app.run_test(size=(80, 20)) as pilot:
        await pilot.press("down", "down")
        await pilot.pause()
        assert app.told[1:] == [("highlighted", "aurora"), ("highlighted", "beagle")]


async def test_enter_chooses() -> None:
    """`Chosen` names the row under the cursor."""
    app = TableApp(store_of(*FLEET))
    async with app.run_test(size=(80, 20)) as pilot:
        await pilot.press("down", "enter")
        await pilot.pause()
        assert app.told[-1] == ("chosen", "aurora")


async def test_space_marks_and_goes_on() -> None:
    """Two spaces mark two rows."""
    app = TableApp(store_of(*FLEET))
    async with app.run_test(size=(80, 20)) as pilot:
        await pilot.press("down", "space", "space")
        assert [row.key.name for row in app.table.model.marked] == ["aurora", "beagle"]
        assert "✓" in line_with(app, "beagle")


async def test_a_click_selects_and_two_choose() -> None:
    """The pointer does what the keys do."""
    app = TableApp(store_of(*FLEET))
    async with app.run_test(size=(80, 20)) as pilot:
        await pilot.click(ResourceTable, offset=Offset(5, 3))
        assert app.table.row is not None
        assert app.table.row.key.name == "beagle"
        await pilot.click(ResourceTable, offset=Offset(5, 2), times=2)
        await pilot.pause()
        assert app.told[-1] == ("chosen", "aurora")


async def test_a_click_on_a_header_sorts() -> None:
    """A column's name is a button."""
    app = TableApp(store_of(*FLEET))
    async with app.run_test(size=(120, 20)) as pilot:
        x = lines(app)[1].index("RESTARTS")
        await pilot.click(ResourceTable, offset=Offset(x, 0))
        assert app.table.model.sort is not None
        assert app.table.model.sort.column == "RESTARTS"


async def test_a_filter_narrows_and_highlights() -> None:
    """Only matching rows are left, and the match has a style of its own."""
    app = TableApp(store_of(*FLEET))
    async with app.run_test(size=(160, 12)) as pilot:
        app.table.filter_by("beag")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert shown_names(app, ["aurora", "beagle"]) == ["beagle"]
        line = app.table.render_line(1)
        assert [segment.text for segment in line if segment.style and segment.style.underline] == ["beag", "beag"]


async def test_the_hardware_cursor_stands_on_the_row() -> None:
    """Screen readers and magnifiers follow the terminal's own cursor."""
    app = TableApp(store_of(*FLEET))
    async with app.run_test(size=(80, 20)) as pilot:
        await pilot.press("down", "down")
        assert "beagle" in lines(app)[app.cursor_position.y]


async def test_the_cursor_dims_while_a_filter_is_typed() -> None:
    """The row stays visible while the keyboard is in another field, if the screen says so."""
    app = TableApp(store_of(*FLEET))
    async with app.run_test(size=(80, 20)) as pilot:
        await app.mount(Input())
        lit = app.table.render_line(1)
        app.query_one(Input).focus()
        await pilot.pause()
        unlit = app.table.render_line(1)
        app.table.keeps_cursor = True
        grounds = [next(iter(line)).style for line in (lit, unlit, app.table.render_line(1))]
        assert len({style.bgcolor for style in grounds if style}) == 3
