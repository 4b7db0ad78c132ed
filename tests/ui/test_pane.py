"""Pane: what the frame says, and what saying it costs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.geometry import Offset

from ktui.kinds.names import ObjectKey
from ktui.kinds.tone import Tone
from ktui.widgets.frame import Edge
from ktui.widgets.freshness import Freshness
from ktui.widgets.resource_table import ResourceTable
from tests.ui.bytes_written import painted
from tests.ui.table_app import FLEET, LIVE, TableApp, lines
from tests.ui.test_resource_table import many, until
from tests.unit.table_rows import boat, store_of


async def title(app: TableApp, size: tuple[int, int] = (100, 12)) -> str:
    """The first line of `app` when it has settled, without its border."""
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        return lines(app)[0].strip("╭╮─ ")


def test_frames_look_as_designed(snap_compare: Callable[..., bool]) -> None:
    """A focused pane beside a narrowed and a stale one."""

    async def before(pilot: object) -> None:
        app = pilot.app  # type: ignore[attr-defined]
        _, second, third = app.query("Pane")
        second.subject = "aurora"
        second.table.narrow([ObjectKey("sea", "aurora")])
        third.show_freshness(Freshness("▲", "stale 42 s (connection refused)", Tone.WARNING), 50000)

    stores = [store_of(*FLEET), store_of(*FLEET), store_of(*(boat(name) for name in many()))]
    assert snap_compare(TableApp(*stores), terminal_size=(160, 14), run_before=before)


async def test_the_title_counts() -> None:
    """Without anything that hides rows it says how many there are."""
    assert await title(TableApp(store_of(*FLEET))) == "Boats 6"


async def test_the_title_says_what_is_narrowed() -> None:
    """Shown of all, and the name of what they belong to."""
    app = TableApp(store_of(*FLEET))
    async with app.run_test(size=(100, 12)) as pilot:
        app.pane.subject = "aurora"
        app.table.narrow([ObjectKey("sea", "aurora")])
        await pilot.pause()
        assert "Boats 1 of 6 · aurora" in lines(app)[0]


async def test_the_title_says_what_is_still_landing() -> None:
    """While rows land it says how many there will be."""
    app = TableApp(store_of(*FLEET))
    async with app.run_test(size=(100, 12)) as pilot:
        app.pane.show_freshness(LIVE, 50000)
        await pilot.pause()
        assert "Boats 6/50,000" in lines(app)[0]


async def test_the_title_says_what_is_filtered() -> None:
    """The filter's text and the sign of unhealthy rows stand in it."""
    app = TableApp(store_of(*FLEET))
    async with app.run_test(size=(100, 12)) as pilot:
        app.table.unhealthy_only = True
        app.table.filter_by("a")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert "Boats 2 of 6 /a !" in lines(app)[0]


async def test_a_title_from_a_stranger_is_only_text() -> None:
    """A name with an escape sequence in it shows the sequence."""
    app = TableApp(store_of(*FLEET))
    async with app.run_test(size=(100, 12)) as pilot:
        app.pane.subject = "x\x1b[31m"
        await pilot.pause()
        assert "x␛[31m" in lines(app)[0]


async def test_the_frame_counts_trouble_and_tells_freshness() -> None:
    """Failed rows, warnings, and how current it is, with glyphs beside the colours."""
    app = TableApp(store_of(*FLEET))
    async with app.run_test(size=(100, 12)) as pilot:
        await pilot.pause()
        assert lines(app)[-1].rstrip("╯─ ").endswith("✖1 ▲1  ● live")


@pytest.mark.parametrize("width", [3, 8, 15, 24, 40, 80])
async def test_frames_fit_any_width(width: int) -> None:
    """Words are cut, corners are not."""
    app = TableApp(store_of(*FLEET))
    async with app.run_test(size=(width, 8)) as pilot:
        app.pane.show_freshness(Freshness("▲", "stale 42 s (connection refused, retry in 3 s)", Tone.WARNING))
        await pilot.pause()
        assert [(len(line), line[0], line[-1]) for line in (lines(app)[0], lines(app)[-1])] == [
            (width, "╭", "╮"),
            (width, "╰", "╯"),
        ]


async def test_a_new_title_repaints_one_line() -> None:
    """Changing the title writes the title."""
    app = TableApp(store_of(*(boat(name) for name in many())))
    async with painted(app, (200, 50)) as (pilot, terminal):
        app.pane.subject = "aurora"
        await pilot.pause()
        assert "\n" not in "".join(terminal.written)
        # Two hundred characters of three bytes, and their colours.
        assert 0 < terminal.bytes < 800


async def test_saying_the_same_again_writes_nothing() -> None:
    """Freshness is told each second; only a new word is painted."""
    app = TableApp(store_of(*FLEET))
    async with painted(app, (200, 50)) as (pilot, terminal):
        app.pane.show_freshness(Freshness("●", "live", Tone.GOOD))
        await pilot.pause()
        assert terminal.bytes == 0


async def test_changing_panes_repaints_frames_and_cursors_only() -> None:
    """When another pane gets the keyboard, rows without a cursor are not painted."""
    names = many()
    app = TableApp(store_of(*(boat(name) for name in names)), store_of(*(boat(name) for name in names)))
    async with painted(app, (200, 50)) as (pilot, terminal):
        _, second = app.query(ResourceTable)
        second.focus()
        await until(lambda: second.has_focus)
        await pilot.pause()
        assert not any("boat-00010" in data for data in terminal.written)
        assert any("boat-00000" in data for data in terminal.written)


async def test_a_collapsed_pane_is_its_title() -> None:
    """One line, with count, trouble and freshness."""
    app = TableApp(store_of(*FLEET), store_of(*FLEET))
    async with app.run_test(size=(100, 12)) as pilot:
        app.pane.collapsed = True
        await pilot.pause()
        assert app.pane.size.height == 1
        first = lines(app)[0][:50]
        assert "Boats 6" in first
        assert "✖1 ▲1  ● live" in first


async def test_a_collapsed_pane_still_counts() -> None:
    """Its title stays true: rows that come are counted with the next second."""
    store = store_of(*FLEET)
    app = TableApp(store)
    async with app.run_test(size=(100, 12)) as pilot:
        app.pane.collapsed = True
        await pilot.pause()
        store.put([boat("zephyr", status="Crashed")])
        app.table.tick()
        await until(lambda: "Boats 7" in lines(app)[0] and "✖2" in lines(app)[0])


async def test_the_scrollbar_shows_the_place() -> None:
    """The thumb is at the top of a list, and at its end when that is shown."""
    app = TableApp(store_of(*(boat(name) for name in many())))
    async with app.run_test(size=(80, 20)) as pilot:
        await pilot.pause()
        assert [line[-1] for line in lines(app)][1] == "┃"
        await pilot.press("end")
        await pilot.pause()
        side = [line[-1] for line in lines(app)]
        assert (side[1], side[-2]) == ("│", "┃")


async def test_a_click_on_the_scrollbar_scrolls() -> None:
    """The lower end of the scrollbar is the end of the list."""
    app = TableApp(store_of(*(boat(name) for name in many())))
    async with app.run_test(size=(80, 20)) as pilot:
        await pilot.click(offset=Offset(79, 18))
        await pilot.pause()
        assert any("boat-00299" in line for line in lines(app))


async def test_a_click_on_the_title_gives_the_keyboard() -> None:
    """The table of the clicked pane gets the focus."""
    app = TableApp(store_of(*FLEET), store_of(*FLEET))
    async with app.run_test(size=(100, 12)) as pilot:
        second = list(app.query(ResourceTable))[1]
        await pilot.click(list(app.query("Pane"))[1].query(Edge).first())
        await pilot.pause()
        assert second.has_focus
