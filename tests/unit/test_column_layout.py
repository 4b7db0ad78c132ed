"""Which columns stand side by side, and how wide."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ktui.kinds.column import AgeColumn, Column
from ktui.widgets.column_layout import GAP, ColumnWidths, Layout
from tests.unit.table_rows import COLUMNS

ROOM = 75


def widths(**cells: str) -> ColumnWidths:
    """Columns that have seen these cells."""
    seen = ColumnWidths(COLUMNS)
    for name, text in cells.items():
        seen.see(next(index for index, column in enumerate(COLUMNS) if column.name == name), text)
    return seen


def total(layout: Layout) -> int:
    """The cells that a layout takes."""
    return sum(slot.width for slot in layout.slots) + GAP * (len(layout.slots) - 1)


def names(layout: Layout) -> list[str]:
    """The columns of a layout."""
    return [slot.column.name for slot in layout.slots]


@given(st.lists(st.tuples(st.integers(0, len(COLUMNS) - 1), st.integers(1, 90)), max_size=12), st.integers(1, 200))
def test_columns_never_take_more_than_there_is(seen: list[tuple[int, int]], room: int) -> None:
    """Whatever cells there are, the line is not too long, and the name is in it, however far it is scrolled."""
    columns = ColumnWidths(COLUMNS)
    for index, width in seen:
        columns.see(index, "x" * width)
    for skipped in range(len(COLUMNS)):
        layout = columns.arrange(room, skipped)
        assert total(layout) <= room
        assert "NAME" in names(layout)


def test_scrolling_sideways_reaches_every_column() -> None:
    """Every column is shown at some place."""
    columns = widths(NAME="x" * 40, STATUS="CrashLoopBackOff", NODE="x" * 30, IMAGE="x" * 60)
    shown = {name for skipped in range(len(COLUMNS)) for name in names(columns.arrange(40, skipped))}
    assert shown == {column.name for column in COLUMNS}


def test_a_name_is_not_cut_for_the_last_columns() -> None:
    """A name that can be told apart is worth more than an age."""
    layout = widths(NAME="x" * 28, STATUS="ContainerCreating").arrange(72, 0)
    assert next(slot.width for slot in layout.slots if slot.column.name == "NAME") == 28


def test_a_long_name_makes_room_for_the_first_columns() -> None:
    """One very long name does not push the status out of sight."""
    assert "STATUS" in names(widths(NAME="x" * 200, STATUS="Running").arrange(ROOM, 0))


def test_columns_for_wide_output_come_last() -> None:
    """They are shown only where all others are."""
    narrow = widths(NAME="x" * 28).arrange(ROOM - 20, 0)
    assert "IMAGE" not in names(narrow)
    assert narrow.more_right
    wide = widths(NAME="x" * 28, IMAGE="nginx").arrange(200, 0)
    assert names(wide) == [column.name for column in COLUMNS]
    assert not wide.more_right


def test_columns_for_wide_output_that_say_nothing_are_for_those_who_look_for_them() -> None:
    """They are left out until something stands in them, `›` tells of them, and scrolling shows them."""
    silent = widths(NAME="x" * 28, IMAGE="<none>")
    assert "IMAGE" not in names(silent.arrange(200, 0))
    assert silent.arrange(200, 0).more_right
    assert "IMAGE" in names(silent.arrange(200, 1))
    silent.see(len(COLUMNS) - 1, "nginx")
    assert silent.grown
    assert "IMAGE" in names(silent.arrange(200, 0))


def test_ages_do_not_change_the_width_as_they_tick() -> None:
    """`9s`, `59m` and `7h59m` take the same room."""
    age = next(column for column in COLUMNS if isinstance(column, AgeColumn))
    before = widths().arrange(200, 0)
    after = widths(AGE="7h59m").arrange(200, 0)
    assert [slot.width for slot in before.slots if slot.column is age] == [
        slot.width for slot in after.slots if slot.column is age
    ]


def test_a_table_without_columns_is_empty() -> None:
    """A kind whose columns the server has not named yet shows none."""
    assert ColumnWidths(()).arrange(ROOM, 0) == Layout()


@pytest.mark.parametrize("place", [-1, 0, 500])
def test_a_pointer_finds_its_column(place: int) -> None:
    """Beside the columns there is none."""
    found: Column | None = widths().arrange(200, 0).column_at(place)
    assert (found.name if found else None) == ("NAMESPACE" if place == 0 else None)
