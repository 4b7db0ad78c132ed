"""The editor alone: keys, folds, marks, what is offered, what is found; and how much work a key is."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.pilot import Pilot
from textual.widgets import Input
from textual.widgets.text_area import Selection

from ktui.manifests.schema import Completion
from ktui.manifests.snippets import Edit
from ktui.terminal.painting import Painted
from ktui.widgets import edited_text
from ktui.widgets.completions import Completions
from ktui.widgets.edited_text import EditedText, cells_before, column_at, shown
from ktui.widgets.editor import Editor, Mark, Note, beginning
from ktui.widgets.editor_view import EditorView
from ktui.widgets.find_bar import FindBar
from ktui.widgets.folding import FoldedDocument, block_around, block_end, blocks_below_top
from ktui.widgets.palette import DARK, Ink, themes
from tests.ui.conftest import screen_text, shows, until

TEXT = """\
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
  - name: web
    image: web:1
    args:
    - --one
    - two
  - name: side
    image: side:1
  restartPolicy: Always
"""
CONTAINERS, WEB, ARGS, SIDE, RESTART = 5, 6, 8, 11, 13


class EditorApp(Painted):
    """A page with an editor, and what belongs to it."""

    CSS = "Screen { layout: vertical; background: $background; }"
    BINDINGS = [
        Binding("ctrl+f", "find", priority=True),
        Binding("ctrl+r", "replace", priority=True),
        Binding("ctrl+s", "save", priority=True),
    ]

    def __init__(self, text: str, *, theme: str = DARK.name) -> None:
        super().__init__()
        for each in themes():
            self.register_theme(each)
        self.theme = theme
        self.editor = Editor(text)
        self.completions = Completions(self.editor)
        self.bar = FindBar(self.editor)
        self.saved = ""

    def compose(self) -> ComposeResult:
        yield self.editor
        yield self.completions
        yield self.bar

    def on_mount(self) -> None:
        self.editor.focus()

    async def action_save(self) -> None:
        await self.editor.typed()
        self.saved = self.editor.document.get_line(0)

    def action_find(self) -> None:
        self.bar.open()

    def action_replace(self) -> None:
        self.bar.open(replace=True)


@asynccontextmanager
async def open_on(
    text: str = TEXT, *, size: tuple[int, int] = (80, 24), theme: str = DARK.name
) -> AsyncIterator[tuple[Pilot[Any], EditorApp, Editor]]:
    """An editor with a text."""
    app = EditorApp(text, theme=theme)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield pilot, app, app.editor


def lines(pilot: Pilot[Any]) -> list[str]:
    """What stands on the screen."""
    return screen_text(pilot).split("\n")


# -- the text ------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "a", "a\n", "a\r\nb\r\n", "a\r\nb\n", "a\rb\n", "a\x0bb\x85c\u2028d\n", "\n\n"])
def test_a_text_comes_out_as_it_went_in(text: str) -> None:
    """Lines end where YAML ends them, and nothing is lost."""
    assert EditedText(text).text == text


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 4), st.integers(0, 3), st.text("ab\n\té字", max_size=4))))
def test_what_is_known_of_lines_is_right_after_any_changes(changes: list[tuple[int, int, int, str]]) -> None:
    """The widest line, the text, and undoing are those of a text that is made anew."""
    document = EditedText("spec:\n  a: 字\n\tb\n\nlast")
    for row, column, rows, text in changes:
        before = document.text
        row = min(row, document.line_count - 1)
        start, end = (row, min(column, len(document.get_line(row)))), (row + rows, column)
        done = document.replace_range(start, end, text)
        assert document.text == "\n".join(document.lines)
        assert document.get_size(2) == EditedText(document.text).get_size(2)
        kept = document.text
        document.replace_range(start, done.end_location, done.replaced_text)
        assert document.text == before
        document.replace_range(start, (row + rows, column), text)
        assert document.text == kept


@given(
    st.text(st.characters(codec="utf-8"), max_size=12).filter(lambda text: "\n" not in text),
    st.sampled_from([1, 5_000]),
)
def test_cells_and_columns_agree(text: str, times: int) -> None:
    """Nothing that a terminal would obey is drawn, and the cell of a column has that column."""
    line = "字" * times + text
    assert shown(line).isprintable()
    assert cells_before(line, len(line)) == 2 * times + sum(cells_before(each, 1) for each in text)
    for column in range(times, len(line)):
        if cells_before(line, column) < cells_before(line, column + 1):
            assert column_at(line, cells_before(line, column)) == column


# -- folds ---------------------------------------------------------------------------------------


def test_blocks() -> None:
    """A block has what is deeper, and the items in the column of its key; comments and empty lines part nothing."""
    text = TEXT.split("\n")
    assert block_end(text, CONTAINERS) == RESTART - 1
    assert block_end(text, WEB) == SIDE - 1
    assert block_end(text, ARGS) == ARGS + 2
    assert block_end(text, RESTART) == RESTART
    assert [block_around(text, row) for row in (ARGS + 1, ARGS, WEB, CONTAINERS, 0)] == [ARGS, WEB, CONTAINERS, 4, None]
    assert block_end(["a:", "", "# note", "  b: 1", "", "c: 2"], 0) == 3
    assert set(blocks_below_top(text)) == {CONTAINERS, WEB, ARGS, SIDE}
    assert all(block_end(text, row) == last for row, last in blocks_below_top(text).items())


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 18), st.integers(1, 6)), max_size=5),
    st.lists(st.tuples(st.integers(0, 19), st.integers(0, 3), st.integers(0, 3)), max_size=4),
)
def test_lines_and_places_agree_whatever_is_folded(
    folds: list[tuple[int, int]], changes: list[tuple[int, int, int]]
) -> None:
    """Each line that is seen has one place, a hidden one that of its fold, and changes move them."""
    document = EditedText("\n".join(map(str, range(20))))
    folded = FoldedDocument(document)
    document.replaced = folded.replaced
    # Blocks lie inside one another or apart.
    for row, size in folds:
        last = min(row + size, 19)
        if all(
            last < a or b < row or (a <= row and last <= b) or (row <= a and b <= last) for a, b in folded.folds.items()
        ):
            folded.fold(row, last)
    for row, gone, new in changes:
        if row + gone < document.line_count:
            document.replace_range((row, 0), (row + gone, 0), "x\n" * new)
    hidden = {row for first, last in folded.folds.items() for row in range(first + 1, last + 1)}
    seen = [row for row in range(document.line_count) if row not in hidden]
    assert folded.height == len(seen)
    assert [folded.row_at(y) for y in range(folded.height)] == seen
    for row in range(document.line_count):
        assert seen[folded.place_of(row)] == max(each for each in seen if each <= row)


async def test_folding_with_keys() -> None:
    """The innermost block, then the one around it; the cursor steps over it, and typing in its first line keeps it."""
    async with open_on() as (pilot, _, editor):
        editor.move_cursor((ARGS + 1, 2))
        await pilot.press("alt+left")
        assert editor.folded == {ARGS}
        assert editor.cursor_location == (ARGS, len("    args:"))
        assert "    args: ⋯ 2 lines" in lines(pilot)[ARGS].replace("  ⋯", " ⋯")
        await pilot.press("down")
        assert editor.cursor_location[0] == SIDE
        await pilot.press("home", "home", "left")
        assert editor.cursor_location == (ARGS, len("    args:"))
        await pilot.press("right")
        assert editor.cursor_location == (SIDE, 0)
        await pilot.press("up", "alt+left")
        assert editor.folded == {ARGS, WEB}
        await pilot.press("alt+right")
        assert editor.folded == {ARGS}
        await pilot.press("f9", "end", "x")
        assert editor.document.get_line(WEB) == "  - name: webx"
        assert editor.folded == {ARGS, WEB}
        await pilot.press("shift+f9")
        assert not editor.folded
        await pilot.press("shift+f9")
        assert editor.folded == {CONTAINERS, WEB, ARGS, SIDE}
        assert lines(pilot)[RESTART - SIDE + 4].strip() == "14    restartPolicy: Always"


async def test_what_is_changed_or_looked_for_inside_a_fold_is_shown() -> None:
    """Going to a line, deleting into a fold, and undoing; a fold beside a change stays."""
    async with open_on() as (pilot, _, editor):
        assert editor.fold_row(WEB)
        assert editor.fold_row(SIDE)
        editor.go_to_line(ARGS + 1)
        assert editor.folded == {SIDE}
        assert editor.fold_row(WEB)
        editor.move_cursor((WEB, 0))
        await pilot.press("end", "delete")
        assert editor.document.get_line(WEB) == "  - name: web    image: web:1"
        assert editor.folded == {SIDE - 1}
        await pilot.press("ctrl+z")
        assert editor.text == TEXT
        assert editor.folded == {SIDE}
        for key in ("backspace", "ctrl+u"):
            assert editor.fold_row(WEB)
            editor.move_cursor((SIDE, 0))
            await pilot.press(key)
            assert editor.document.get_line(SIDE - 1) == "    - two  - name: side"
            assert WEB not in editor.folded
            await pilot.press("ctrl+z")


async def test_a_click_beside_a_block_folds_it() -> None:
    """On the number of its first line, which shows what is wrong inside; clicks below count the lines that are seen."""
    async with open_on() as (pilot, _, editor):
        await pilot.click(Editor, offset=(1, CONTAINERS))
        assert editor.folded == {CONTAINERS}
        await pilot.click(Editor, offset=(editor.gutter_width + 2, CONTAINERS + 1))
        assert editor.cursor_location == (RESTART, 2)
        editor.mark({ARGS: [Mark(0, 0)]})
        await pilot.pause()
        assert lines(pilot)[CONTAINERS].startswith("✖ 6 ▸")
        await pilot.click(Editor, offset=(1, CONTAINERS))
        assert not editor.folded


async def test_what_is_folded_belongs_to_its_line() -> None:
    """A folded block is moved, commented, doubled and deleted as a whole, each in one step back."""
    async with open_on() as (pilot, _, editor):
        editor.fold_row(WEB)
        editor.move_cursor((WEB, 4))
        await pilot.press("tab")
        assert editor.document.lines[WEB:SIDE] == ["  " + line for line in TEXT.split("\n")[WEB:SIDE]]
        assert editor.folded == {WEB}
        await pilot.press("ctrl+z")
        assert editor.text == TEXT
        editor.fold_row(WEB)
        editor.move_cursor((WEB, 4))
        await pilot.press("alt+d")
        assert editor.document.lines[WEB:SIDE] == editor.document.lines[SIDE : 2 * SIDE - WEB]
        assert editor.folded == {WEB}
        await pilot.press("ctrl+z")
        editor.fold_row(WEB)
        editor.move_cursor((WEB, 4))
        await pilot.press("ctrl+shift+k")
        assert editor.text == TEXT.replace("\n".join(TEXT.split("\n")[WEB:SIDE]) + "\n", "")
        await pilot.press("ctrl+z")
        assert editor.text == TEXT


# -- keys ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "begins"),
    [
        ("  replicas: 1", "  "),
        ("  spec:", "    "),
        ("  spec: # why", "  "),
        ("- name: x", "  "),
        ("  - - a: b", "      "),
        ("    - --flag=x", "    - "),
        ("- containers:", "    "),
        ("  run: |", "    "),
        ("  run: >-", "    "),
        ("- |", "    "),
        ("---", ""),
        ("  # note:", "  "),
        ("", ""),
        ("    ", "    "),
    ],
)
def test_how_a_new_line_begins(line: str, begins: str) -> None:
    """At the depth of the field above, deeper below a key of its own; plain items are followed by another."""
    assert beginning(line, whole=True) == begins


async def test_enter_and_backspace_in_lists_and_blanks() -> None:
    """An item that is left empty gives its dash back; blanks before a line go a step of indentation at a time."""
    async with open_on("args:\n- one") as (pilot, _, editor):
        editor.move_cursor((1, 5))
        await pilot.press("enter")
        assert editor.document.lines[2] == "- "
        await pilot.press("enter")
        assert editor.document.lines[1:] == ["- one", ""]
        await pilot.press(*"     ", "backspace")
        assert editor.document.lines[2] == "    "
        await pilot.press("backspace", "backspace", "backspace")
        assert editor.document.lines[1:] == ["- one"]


async def test_selecting_more_and_less() -> None:
    """Line, item, list, spec, all; and back the same way."""
    async with open_on() as (pilot, _, editor):
        editor.move_cursor((ARGS - 1, 6))
        starts = []
        for _ in range(5):
            await pilot.press("alt+up")
            starts.append(editor.selection.start[0])
        assert starts == [ARGS - 1, WEB, CONTAINERS, 4, 0]
        for row in (4, CONTAINERS, WEB, ARGS - 1):
            await pilot.press("alt+down")
            assert editor.selection.start[0] == row
        await pilot.press("alt+down")
        assert editor.selection == Selection.cursor((ARGS - 1, 6))


async def test_moving_lines() -> None:
    """With what is folded into them, over what is folded; the end of the text stays its end, and undo is one step."""
    async with open_on() as (pilot, _, editor):
        web, side = TEXT.split("\n")[WEB:SIDE], TEXT.split("\n")[SIDE:RESTART]
        editor.fold_row(SIDE)
        editor.move_cursor((WEB, 4))
        editor.fold_row(WEB)
        await pilot.press("alt+shift+down")
        assert editor.document.lines[WEB:RESTART] == side + web
        assert editor.folded == {WEB, WEB + len(side)}
        assert editor.cursor_location == (WEB + len(side), 4)
        await pilot.press("alt+shift+up")
        assert editor.text == TEXT
        assert editor.folded == {WEB, SIDE}
        await pilot.press("alt+shift+down", "ctrl+z")
        assert editor.text == TEXT
        editor.move_cursor((RESTART, 0))
        await pilot.press("alt+shift+down")
        editor.move_cursor((0, 0))
        await pilot.press("alt+shift+up")
        assert editor.text == TEXT
        editor.selection = Selection((0, 3), (2, 0))
        await pilot.press("alt+shift+down")
        assert editor.document.lines[:3] == ["metadata:", "apiVersion: v1", "kind: Pod"]
        assert editor.selection == Selection((1, 3), (3, 0))


@pytest.mark.parametrize("key", ["tab", "shift+tab", "ctrl+underscore", "alt+d"])
async def test_lines_are_changed_together_and_back_in_one_step(key: str) -> None:
    """Whatever stands in them."""
    text = "a:\n\n  \t- b\n# c\n\x1b[2J: '字'\n"
    async with open_on(text) as (pilot, _, editor):
        editor.selection = Selection((0, 1), (4, 2))
        await pilot.press(key)
        assert editor.text != text or key == "shift+tab"
        await pilot.press("ctrl+z")
        assert editor.text == text


async def test_a_paste_is_one_step_and_stays_as_it_is() -> None:
    """A thousand lines, with tabs and the carriage returns that terminals send."""
    async with open_on() as (pilot, app, editor):
        editor.move_cursor((RESTART, 0))
        pasted = "\r".join(f"\tkey{n}:  {n}" for n in range(1_000)) + "\r"
        app.post_message(events.Paste(pasted))
        await until(pilot, lambda: editor.document.line_count > 1_000, "the paste")
        assert editor.document.get_line(RESTART + 999) == "\tkey999:  999"
        assert editor.cursor_location == (RESTART + 1_000, 0)
        await pilot.press("ctrl+z")
        assert editor.text == TEXT


async def test_edits_are_one_step_and_select_what_is_to_be_changed() -> None:
    """In two places at once."""
    async with open_on() as (pilot, _, editor):
        edits = [Edit(SIDE, ("    tty: true",)), Edit(RESTART, ("  restartPolicy: Never", "  x: 1"), 1)]
        editor.apply_edits(edits, select="Never")
        assert editor.document.lines[SIDE] == "    tty: true"
        assert editor.document.lines[RESTART + 1 :] == ["  restartPolicy: Never", "  x: 1", ""]
        assert editor.selected_text == "Never"
        await pilot.press("ctrl+z")
        assert editor.text == TEXT


async def test_who_may_only_read_changes_nothing() -> None:
    """But folds, selects, finds and copies."""
    async with open_on() as (pilot, app, editor):
        editor.read_only = True
        editor.move_cursor((ARGS, 2))
        keys = "a enter backspace delete tab shift+tab ctrl+underscore alt+d alt+shift+up ctrl+shift+k ctrl+x ctrl+w"
        await pilot.press(*keys.split(), "ctrl+u", "ctrl+k", "ctrl+y", "ctrl+z")
        app.post_message(events.Paste("a"))
        app.completions.offer(FOUND)
        editor.apply_edits([Edit(0, ("x",))])
        await pilot.press("ctrl+r", *"web", "tab", "x", "alt+a", "enter", "escape", "alt+left")
        assert editor.text == TEXT
        assert editor.folded
        assert not app.completions.offering


# -- what is shown -------------------------------------------------------------------------------


async def test_hostile_text_is_shown_and_not_obeyed() -> None:
    """Control characters have pictures; the cursor, and a click behind them, find their columns."""
    line = "\x1b[31mred\x07\t字\u202ex"
    async with open_on(f"{line}\nnext\n") as (pilot, _, editor):
        assert "␛[31mred␇→   字\N{REPLACEMENT CHARACTER}x" in screen_text(pilot)
        assert screen_text(pilot).replace("\n", "").isprintable()
        left = editor.gutter_width
        await pilot.click(Editor, offset=(left + 13, 0))
        assert editor.cursor_location == (0, line.index("字"))
        await pilot.press("right", "right")
        assert editor.cursor_screen_offset.x == left + 13 + 2 + 1


async def test_marks_have_signs_and_move_with_their_lines() -> None:
    """An error and a warning look different without colours; what others changed has a sign, too."""
    async with open_on(theme="ktui-ansi") as (pilot, _, editor):
        editor.mark({1: [Mark(6, 9, Ink.WARNING), Mark(0, 0)], 3: [Mark(2, 6, Ink.WARNING)]})
        editor.mark_changed([7])
        await pilot.pause()
        assert [row[0] for row in lines(pilot)[:4]] == [" ", "✖", " ", "▲"]
        assert "┃" in lines(pilot)[7]
        editor.move_cursor((2, 0))
        await pilot.press("enter")
        assert [row[0] for row in lines(pilot)[:5]] == [" ", "✖", " ", " ", "▲"]
        assert "┃" in lines(pilot)[8]


async def test_notes_stand_beside_their_lines() -> None:
    """They move with them, take no part in the text, and go away again."""
    async with open_on() as (pilot, _, editor):
        width = editor.gutter_width
        editor.annotate({3: Note("kubectl\x1b 3d"), 4: Note("somebody with a long name")}, 12)
        await pilot.pause()
        assert lines(pilot)[3].startswith("kubectl␛ 3d ")
        assert lines(pilot)[4].startswith("somebody wi…")
        assert (editor.gutter_width, editor.text) == (width + 13, TEXT)
        await pilot.click(Editor, offset=(editor.gutter_width + 2, 3))
        assert editor.cursor_location == (3, 2)
        await pilot.press("home", "enter")
        assert lines(pilot)[4].startswith("kubectl␛ 3d ")
        editor.annotate(None)
        await pilot.pause()
        assert editor.gutter_width == width
        assert lines(pilot)[4].startswith("  5  ")


# -- what is offered -----------------------------------------------------------------------------

FOUND = (
    Completion("containers", "[]Container", True, "List of containers.\nMore."),
    Completion("hostname", "string", False, "Name of the \x1b[31mhost"),
    Completion("nodeSelector", "map[string]string", False, "Where it runs"),
    Completion("priority", "integer", False, ""),
)


async def offer(pilot: Pilot[Any], app: EditorApp, found: Sequence[Completion] = FOUND) -> None:
    app.editor.move_cursor((4, 5))
    await pilot.press("enter")
    app.completions.offer(found)
    await pilot.pause()


async def test_keys_that_come_in_one_piece_are_done_in_their_order() -> None:
    """In the editor, and in the bar."""
    async with open_on() as (pilot, app, editor):
        for key in ("end", "left", "x", "home", "delete", "A", "enter"):
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await until(pilot, lambda: editor.document.line_count == TEXT.count("\n") + 2, "a new line")
        assert editor.document.lines[:2] == ["A", "piVersion: vx1"]
        for key in ("ctrl+r", "w", "b", "left", "e", "tab", "W", "E", "alt+a"):
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await shows(pilot, "3 replaced")
        assert "image: WE:1" in editor.text


async def test_what_came_with_the_key_that_saves_it_is_saved() -> None:
    """And what came behind it is not."""
    async with open_on() as (pilot, app, _):
        for key in ("x", "end", "y", "ctrl+s", "z"):
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await until(pilot, lambda: bool(app.saved), "it to be saved")
        assert app.saved == "xapiVersion: v1y"
        await until(pilot, lambda: app.editor.document.get_line(0) == "xapiVersion: v1yz", "the rest")


async def test_letters_that_come_with_alt_are_not_typed() -> None:
    """A terminal's alt+d is a `d`, too."""
    async with open_on() as (pilot, app, editor):
        app.post_message(events.Key("alt+d", "d"))
        await until(pilot, lambda: editor.document.lines[:2] == ["apiVersion: v1"] * 2, "the line once more")
        await pilot.press("ctrl+f", "i", "m")
        app.post_message(events.Key("alt+c", "c"))
        await shows(pilot, "● alt+c")
        assert app.bar.query_one("#wanted", Input).value == "im"


async def test_what_is_offered_is_chosen_with_the_keys_of_the_editor() -> None:
    """Its lines have columns; the keys that move the cursor move in it, and a map goes on in a new line."""
    async with open_on() as (pilot, app, editor):
        await offer(pilot, app)
        assert re.search(r"containers +\[\]Container +required +List of containers\. More\.", screen_text(pilot))
        assert re.search(r"hostname +string +Name of the ␛\[31mhost", screen_text(pilot))
        await pilot.press("down", "down", "enter")
        assert not app.completions.offering
        assert editor.document.lines[5:7] == ["  nodeSelector:", "    "]
        assert editor.cursor_location == (6, 4)
        await pilot.press("ctrl+z")
        assert editor.document.lines[5] == "  "


@pytest.mark.parametrize(
    ("keys", "line", "below"), [("c", "  containers:", "  - "), ("h", "  hostname: ", "  containers:")]
)
async def test_typing_goes_on_and_narrows(keys: str, line: str, below: str) -> None:
    """Items of a list begin in the column of their key, and a plain value behind it."""
    async with open_on() as (pilot, app, editor):
        await offer(pilot, app)
        await pilot.press(*keys, "tab")
        assert editor.document.lines[5:7] == [line, below]
        if keys == "h":
            # Hands that type the colon all the same type over it.
            await pilot.press(":", "space", ":", "x")
            assert editor.document.get_line(5) == "  hostname: :x"


async def test_what_is_typed_is_not_covered() -> None:
    """At the bottom of the screen the list stands above; a click takes a line of it."""
    async with open_on(TEXT * 3, size=(60, 12)) as (pilot, app, editor):
        editor.move_cursor((20, 0))
        await pilot.press("end", "enter")
        app.completions.offer(FOUND)
        await pilot.pause()
        assert lines(pilot)[-1].split() == ["22"]
        assert lines(pilot)[-2].split()[:2] == ["priority", "integer"]
        await pilot.click(Completions, offset=(3, 1))
        await pilot.pause()
        assert editor.document.get_line(21).strip() == "hostname:"
        assert app.focused is editor


async def test_nothing_is_offered_any_more() -> None:
    """When nothing fits, the cursor goes elsewhere, or Esc is pressed: then the keys are the editor's again."""
    async with open_on() as (pilot, app, editor):
        for keys in (["z"], ["left"], ["escape"], list("priority")):
            await offer(pilot, app)
            assert app.completions.offering
            await pilot.press(*keys)
            assert not app.completions.offering
        row = editor.cursor_location[0]
        await pilot.press("down")
        assert editor.cursor_location[0] == row + 1


async def test_keys_that_come_together_with_the_offer_choose_from_it() -> None:
    """Nothing waits for a frame."""
    async with open_on() as (pilot, app, editor):
        await pilot.press("pagedown")
        editor.move_cursor((4, 5))
        await pilot.press("enter")
        app.completions.offer(FOUND)
        for key in ("down", "enter", "x"):
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await until(pilot, lambda: editor.document.get_line(5) == "  hostname: x", "the word")


# -- finding -------------------------------------------------------------------------------------


async def test_finding_as_it_is_typed() -> None:
    """Keys that came together with ctrl+f are looked for; Enter goes on, from the end to the top; Esc stays there."""
    async with open_on() as (pilot, app, editor):
        for key in ("ctrl+f", "w", "e", "b"):
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await shows(pilot, "1 of 3")
        assert editor.text == TEXT
        assert editor.selection == Selection((3, 8), (3, 11))
        await pilot.press("enter")
        await shows(pilot, "2 of 3")
        await pilot.press("f3", "down")
        await shows(pilot, "1 of 3")
        await pilot.press("up")
        await shows(pilot, "3 of 3")
        await pilot.press("escape")
        assert editor.selection == Selection.cursor((7, 11))
        await pilot.press("x")
        assert editor.document.get_line(7) == "    image: xweb:1"


async def test_nothing_that_a_terminal_would_obey_gets_into_the_bar() -> None:
    """Neither from the selection, nor pasted, nor in what is said of an expression."""
    async with open_on("a: \x1b[31mred\n") as (pilot, app, editor):
        editor.selection = Selection((0, 3), (0, 9))
        await pilot.press("ctrl+c", "ctrl+f", "ctrl+v")
        app.post_message(events.Paste("\\\x1b\n"))
        await until(pilot, lambda: "\\" in app.bar.query_one("#wanted", Input).value, "what is pasted")
        await pilot.press("alt+r")
        await pilot.pause()
        assert screen_text(pilot).replace("\n", "").isprintable()


async def test_case_and_expressions() -> None:
    """Case does not matter until it does; what is no expression is said, and nothing moves."""
    async with open_on("Name\nname\nn(me\n") as (pilot, app, editor):
        await pilot.press("ctrl+f", *"name")
        await shows(pilot, "1 of 2")
        await pilot.press("alt+c")
        await shows(pilot, "1 of 1")
        assert editor.selection.start == (1, 0)
        await pilot.press("ctrl+u", *"n(")
        await shows(pilot, "1 of 1")
        await pilot.press("alt+r")
        await shows(pilot, "missing )")
        assert editor.selection.start == (2, 0)
        await pilot.press("ctrl+u", *"zz*")
        await shows(pilot, "not found")
        assert isinstance(app.focused, Input)


async def test_replacing_one_by_one_and_all() -> None:
    """With the parts of an expression; all in one step back, also what is folded."""
    async with open_on() as (pilot, app, editor):
        await pilot.press("ctrl+r", "alt+r", *r"image: (\w+):1", "tab", *r"image: \1:2", "enter")
        await shows(pilot, "1 of 1")
        assert editor.document.get_line(7) == "    image: web:2"
        editor.move_cursor((0, 0))
        editor.fold_row(SIDE)
        await pilot.press("ctrl+z")
        assert editor.document.get_line(7) == "    image: web:2"
        await pilot.press(*r"\7", "alt+a")
        await shows(pilot, "invalid group reference")
        await pilot.press("backspace", "backspace", "alt+a")
        await shows(pilot, "1 replaced")
        assert editor.text.count(":2") == 2
        assert editor.folded == {SIDE}
        await pilot.press("escape", "ctrl+z")
        assert editor.text.count(":2") == 1
        await pilot.press("ctrl+z")
        assert editor.text == TEXT
        assert app.focused is editor


# -- how much work a key is ----------------------------------------------------------------------


def noted(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> list[Any]:
    """The arguments with which a function is called from now on."""
    seen: list[Any] = []
    function = getattr(owner, name)

    def noting(*args: Any) -> Any:
        seen.append(args)
        return function(*args)

    monkeypatch.setattr(owner, name, noting)
    return seen


@pytest.mark.parametrize("length", [60, 30_000])
async def test_a_key_is_as_much_work_in_a_long_text_as_in_a_short_one(
    monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    """It measures and draws the lines that it changes, and nothing joins the text."""
    async with open_on("spec:\n" + "".join(f"  key{n}: {n}\n" for n in range(length))) as (pilot, _, editor):
        row = length // 2
        editor.go_to_line(row, 4)
        await pilot.pause()
        drawn = noted(monkeypatch, EditorView, "_text")
        measured = noted(monkeypatch, edited_text, "cells_before")
        lines_of = {"a": {row}, "enter": {row, row + 1}, "down": {row + 1, row + 2}, "ctrl+z": {row, row + 1, row + 2}}
        for key, rows in lines_of.items():
            drawn.clear()
            measured.clear()
            await pilot.press(key)
            await pilot.pause()
            assert {line for _, line, _, _ in drawn} <= rows
            assert len(measured) <= len(rows)
            if key != "down":
                assert editor.document._joined is None


ALL_SORTS = """
down enter x : enter - space a shift+down shift+down tab alt+left up end enter ctrl+z alt+right ctrl+z shift+f9 down
delete ctrl+z alt+d ctrl+shift+k pagedown shift+pageup backspace ctrl+z f9 up f9 home ctrl+u alt+up ctrl+underscore
alt+down shift+f9 end y y y ctrl+z enter enter enter ctrl+left backspace
"""


async def test_what_is_not_drawn_anew_is_right() -> None:
    """After any keys the screen shows what it would if everything were drawn."""
    async with open_on(TEXT * 3, size=(50, 16)) as (pilot, _, editor):
        for key in ALL_SORTS.split():
            await pilot.press(key)
            await pilot.pause()
            if key == "f9":
                editor.select_in(ARGS + 1, 0, 3)
                await pilot.pause()
            seen = [strip.text for strip in pilot.app.screen._compositor.render_strips()]
            styles = [list(strip) for strip in pilot.app.screen._compositor.render_strips()]
            editor._repaint()
            await pilot.pause()
            assert [strip.text for strip in pilot.app.screen._compositor.render_strips()] == seen, key
            assert [list(strip) for strip in pilot.app.screen._compositor.render_strips()] == styles, key


async def test_a_line_of_a_megabyte_is_drawn_where_it_is_seen() -> None:
    """Typing at its end shows its end, and no more than that is looked at."""
    async with open_on(f"key: {'x' * 1_000_000}\nnext: 1\n") as (pilot, _, editor):
        await pilot.press("end", "y", "z")
        await pilot.pause()
        assert "xxyz" in lines(pilot)[0]
        assert len(editor._text(0, 500, 600)) == 100
