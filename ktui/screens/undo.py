"""UndoScreen: the last changes, and which of them can be taken back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option

from ktui.actions.journal import Entry, Journal, Result, batches
from ktui.kinds.text import clean
from ktui.kinds.time import human_duration
from ktui.widgets.cells import fit
from ktui.widgets.options import Options

MOST = 30
"""Changes that are offered; the journal has the others."""

AGE, WIDTH = 8, 92


class UndoScreen(ModalScreen[Sequence[Entry] | None]):
    """Dismisses with what was done together and is to be undone.

    Args:
        journal: what was done.
        now: epoch seconds.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "Back"),
    ]
    DEFAULT_CSS = """
    UndoScreen {
        align: center middle;
        background: $background 60%;
        & > Vertical {
            width: 92; max-width: 100%; height: auto; max-height: 96%;
            background: $bar; border: round $primary; border-title-color: $primary; padding: 0 1;
        }
        & OptionList {
            border: none; height: auto; max-height: 24; background: $bar; padding: 0; scrollbar-size-vertical: 1;
            &:focus { background-tint: $bar 0%; }
            & > .option-list--option-highlighted { background: $row-cursor; color: $bright; }
        }
        & Label { width: 100%; height: auto; max-height: 5; color: $quiet; margin-top: 1; }
    }
    """

    def __init__(self, journal: Journal, now: Callable[[], float]) -> None:
        super().__init__()
        done = [entry for entry in journal.entries() if entry.result is not Result.FAILED]
        self._batches = [entries for entries in reversed(batches(done)) if offered(entries)][:MOST]
        self._now = now

    def compose(self) -> ComposeResult:
        """A list, the newest first, and what is not brought back."""
        with Vertical() as box:
            box.border_title = "Undo"
            yield Options(markup=False, compact=True)
            yield Label("" if self._batches else "Nothing was changed from here that can be undone.", markup=False)

    def on_mount(self) -> None:
        """List them."""
        options = self.query_one(Options)
        options.add_options([Option(self._line(entries)) for entries in self._batches])
        if self._batches:
            options.highlighted = 0
        options.focus()

    def _line(self, entries: Sequence[Entry]) -> Content:
        age = human_duration(self._now() - entries[-1].at)
        room = max(10, min(WIDTH, self.app.size.width) - AGE - 6)
        undone = all(entry.undone or entry.undo is None for entry in entries)
        text = fit(clean(title(entries)), room)
        return Content.assemble((f" {fit(age, AGE)}", "$faint"), (text, "$faint" if undone else "$foreground"))

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Say what does not come back, or why it cannot be undone."""
        self.query_one(Label).update(clean(remark(self._batches[event.option_index])))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Undo it, if it can be undone."""
        entries = self._batches[event.option_index]
        if left := [entry for entry in entries if not entry.undone]:
            self.dismiss(left)


def offered(entries: Sequence[Entry]) -> bool:
    """Whether something of it was done that could be undone, and that was no undoing itself."""
    return any(entry.undo is not None and entry.result is Result.DONE and not entry.undoes for entry in entries)


def title(entries: Sequence[Entry]) -> str:
    """What was done together, in a line."""
    first, others = entries[0], len({entry.subject for entry in entries}) - 1
    more = f" and {others} more" if others else ""
    return f"{first.action} {first.subject}{more}"


def remark(entries: Sequence[Entry]) -> str:
    """What there is to know before it is undone."""
    if all(entry.undone or entry.undo is None for entry in entries):
        return "It was undone already."
    undos = [entry.undo for entry in entries if entry.undo is not None and not entry.undone]
    said = [undo.refused or f"{undo.title}." for undo in undos]
    said += [sentence for undo in undos for sentence in undo.cannot]
    return " ".join(dict.fromkeys(said))
