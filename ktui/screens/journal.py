"""JournalScreen: everything that was changed from here, with the kubectl line of each change, and how it went."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static
from textual.widgets.option_list import Option

from ktui.actions.copy import CopyText
from ktui.actions.journal import Entry, Journal, Result, as_script, batches
from ktui.kinds.text import clean, clean_lines
from ktui.screens.undo import offered
from ktui.widgets.bar import Bar, Part
from ktui.widgets.cells import fit
from ktui.widgets.clipboard import copy_to_clipboard
from ktui.widgets.failures import FailuresSaid
from ktui.widgets.key_bar import KeyBar
from ktui.widgets.options import Options

MOST = 2_000
SIGNS = {Result.DONE: ("●", "$good"), Result.FAILED: ("✖", "$failed"), Result.UNKNOWN: ("?", "$warning")}


class JournalScreen(FailuresSaid, Screen[None]):
    """The journal of a cluster, the newest first.

    Args:
        journal: what was done.
        now: epoch seconds.
        undo: opens the dialog that undoes what was done together.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("U", "undo", "Undo", tooltip="Take back what was done together with this change."),
        Binding("c", "copy", "Copy", tooltip="Copy the kubectl line."),
        Binding("w", "write", "Write a script", tooltip="Write everything to a shell script, as a runbook."),
        Binding("ctrl+r", "again", "Read again", show=False),
        Binding("escape,q", "dismiss", "Back"),
    ]
    DEFAULT_CSS = """
    JournalScreen {
        background: $background; layout: vertical;
        & > OptionList {
            border: none; height: 1fr; background: $background; scrollbar-size-vertical: 1;
            &:focus { background-tint: $background 0%; }
            & > .option-list--option-highlighted { background: $row-cursor; color: $bright; }
        }
        & > Static {
            height: auto; max-height: 10; background: $background; padding: 0 1; border-top: solid $border-blurred;
        }
    }
    """

    def __init__(
        self, journal: Journal, now: Callable[[], float], undo: Callable[[Sequence[Entry]], Awaitable[None]]
    ) -> None:
        super().__init__()
        self._journal = journal
        self._now = now
        self._undo = undo
        self._entries: list[Entry] = []

    def compose(self) -> ComposeResult:
        """Title, list, what there is to know of one change, keys."""
        yield Bar(id="title")
        yield Options(markup=False, compact=True)
        yield Static(markup=False)
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        """Read it."""
        self.query_one(Options).focus()

    def on_screen_resume(self) -> None:
        """Something may have been undone."""
        self.action_again()

    def action_again(self) -> None:
        """Read it again."""
        self._entries = self._journal.entries()[: -MOST - 1 : -1]
        options = self.query_one(Options)
        place = options.highlighted or 0
        options.clear_options()
        options.add_options([Option(self._line(entry)) for entry in self._entries])
        if self._entries:
            options.highlighted = min(place, len(self._entries) - 1)
        else:
            self.query_one(Static).update("Nothing was changed from here yet.")
        damaged = f"  {self._journal.damaged} damaged lines were skipped" if self._journal.damaged else ""
        self.query_one("#title", Bar).show(
            [Part(" Journal ", "badge"), Part(f"  {len(self._entries):,} changes", "text"), Part(damaged, "warning")]
        )

    def _line(self, entry: Entry) -> Content:
        sign, style = SIGNS[entry.result]
        when = time.strftime("%m-%d %H:%M:%S", time.localtime(entry.at))
        text = f"{fit(clean(entry.action), 18)} {clean(entry.subject)}"
        notes = "  undone" if entry.undone else "  undoes another" if entry.undoes else ""
        return Content.assemble((f" {when}  ", "$faint"), (f"{sign} ", style), text, (notes, "$faint"))

    @property
    def _entry(self) -> Entry | None:
        place = self.query_one(Options).highlighted
        return self._entries[place] if place is not None and place < len(self._entries) else None

    def on_option_list_option_highlighted(self) -> None:
        """What there is to know of it."""
        if (entry := self._entry) is None:
            return
        lines = clean_lines(entry.line)
        parts: list[tuple[str, str]] = [("$ ", "$faint"), (lines[0], "$foreground")]
        if len(lines) > 1:
            parts.append((f" … {len(lines) - 1} more lines", "$faint"))
        if entry.said:
            parts.append((f"\n{clean(entry.said)}", "$failed" if entry.result is Result.FAILED else "$warning"))
        if entry.undo is not None and not entry.undone and offered([entry]):
            parts.append((f"\nUndo: {clean(entry.undo.refused or entry.undo.title)}.", "$quiet"))
            parts += [(f"\n{clean(sentence)}", "$faint") for sentence in entry.undo.cannot]
        self.query_one(Static).update(Content.assemble(*parts))

    @work(group="undo", exclusive=True, exit_on_error=False)
    async def action_undo(self) -> None:
        """Undo what was done together with this change."""
        if (entry := self._entry) is None:
            return
        together = next(found for found in batches(reversed(self._entries)) if entry in found)
        left = [each for each in together if not each.undone and each.result is not Result.FAILED]
        if left and offered(left):
            await self._undo(left)
        else:
            self.notify("This cannot be undone, or was undone already.", severity="warning")

    def action_copy(self) -> None:
        """Copy the kubectl line."""
        if (entry := self._entry) is not None:
            copy_to_clipboard(self.app, CopyText("k", "kubectl line", entry.line))

    @work(group="write", exclusive=True, exit_on_error=False)
    async def action_write(self) -> None:
        """Write a runbook of everything, the oldest first."""
        path = Path.cwd() / time.strftime("ktui-runbook-%Y%m%d-%H%M%S.sh", time.localtime(self._now()))
        try:
            await asyncio.to_thread(_write_new, path, as_script(reversed(self._entries)))
        except OSError as error:
            self.notify(f"No file could be written: {error.strerror or error}.", severity="warning", markup=False)
            return
        self.notify(f"Wrote {path}", title="Runbook", markup=False)


def _write_new(path: Path, text: str) -> None:
    """Write a file that did not exist, for its owner alone to read and run."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o700)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
