"""CopyScreen: a small menu of what can be copied of an object."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option

from ktui.actions.copy import CopyText, copy_texts, save
from ktui.kinds.kind import Kind
from ktui.kinds.manifest import is_secret, manifest
from ktui.kinds.names import ObjectKey
from ktui.kinds.text import clean
from ktui.kube.errors import KtuiError
from ktui.kube.objects import get_object
from ktui.kube.session import Session
from ktui.widgets.cells import fit
from ktui.widgets.clipboard import copy_to_clipboard
from ktui.widgets.failures import FailuresSaid

WIDTH = 76
TITLE = 19


class CopyScreen(FailuresSaid, ModalScreen[None]):
    """Copies the name, the YAML or the kubectl line of an object, or writes its YAML to a file.

    Args:
        session: where the object is.
        kind: its kind.
        key: its namespace and name.
        item: the whole object; None to fetch it when its YAML is wanted.
        secrets: whether the values of a Secret are copied too, because they are shown.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,c", "dismiss", "Back"),
        Binding("j", "move(1)", show=False),
        Binding("k", "copy('k')", show=False),
        Binding("n", "copy('n')", show=False),
        Binding("p", "copy('p')", show=False),
        Binding("y", "copy('y')", show=False),
        Binding("w", "write", show=False),
    ]
    DEFAULT_CSS = """
    CopyScreen {
        align: center middle;
        background: $background 60%;
        & > Vertical {
            width: 76; max-width: 100%; height: auto; max-height: 90%;
            background: $bar; border: round $primary; border-title-color: $primary; padding: 0 1;
        }
        & OptionList { border: none; height: auto; background: $bar; padding: 0; scrollbar-size-vertical: 1; }
        & Label { color: $faint; width: 100%; }
    }
    """

    def __init__(
        self, session: Session, kind: Kind, key: ObjectKey, item: dict[str, Any] | None = None, *, secrets: bool = False
    ) -> None:
        super().__init__()
        self._session = session
        self._kind = kind
        self._key = key
        self._item = item
        self._secrets = secrets

    def compose(self) -> ComposeResult:
        """A list with a key for each entry."""
        with Vertical() as box:
            box.border_title = Content(f"Copy of {self._kind.singular} {clean(str(self._key))}")
            yield OptionList(markup=False, compact=True)
            if self._kind.kind == "Secret":
                yield Label("A secret's values are copied as they are shown; x shows them.", markup=False)

    def on_mount(self) -> None:
        """Show what can be copied."""
        options = self.query_one(OptionList)
        options.add_options([self._option(text) for text in self._texts()])
        options.add_option(Option(self._line("w", "Write a file", "the YAML, in the current folder"), id="w"))
        options.highlighted = 0

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter or a click copies."""
        if event.option_id == "w":
            self.action_write()
        elif event.option_id:
            self.action_copy(event.option_id)

    def action_move(self, by: int) -> None:
        """Move the highlight."""
        self.query_one(OptionList).action_cursor_down()

    @work(group="copy", exclusive=True, exit_on_error=False)
    async def action_copy(self, key: str) -> None:
        """Copy an entry, by its key; the YAML is fetched first where nobody has it yet."""
        found = next((text for text in self._texts() if text.key == key), None)
        if found is None:
            return
        if found.text is None:
            if (text := await self._manifest()) is None:
                return
            found = found._replace(text=text)
        if copy_to_clipboard(self.app, found):
            self.dismiss()

    @work(group="copy", exclusive=True, exit_on_error=False)
    async def action_write(self) -> None:
        """Write the YAML to a new file."""
        if (text := await self._manifest()) is None:
            return
        try:
            path = await asyncio.to_thread(save, Path.cwd(), self._kind, self._key, text)
        except OSError as error:
            self.notify(f"No file could be written: {error.strerror or error}.", severity="warning", markup=False)
            return
        self.app.notify(f"Wrote {path}", title="YAML", markup=False)
        self.dismiss()

    async def _manifest(self) -> str | None:
        """The YAML; None, and a sentence, when the object cannot be had."""
        if self._item is None:
            if self._session.client is None:
                self.notify("ktui is not connected yet.", severity="warning")
                return None
            try:
                self._item = await get_object(self._session.client, self._kind.gvr, self._key)
            except KtuiError as error:
                self.notify(f"{error.sentence} {error.next_step}".strip(), severity="warning", markup=False)
                return None
        return await asyncio.to_thread(manifest, self._item, secrets=self._secrets)

    def _texts(self) -> tuple[CopyText, ...]:
        client = self._session.client
        return copy_texts(self._kind, self._key, client.identity.context if client else "", None)

    def _option(self, text: CopyText) -> Option:
        preview = text.text if text.text is not None else self._yaml_words()
        return Option(self._line(text.key, text.title, clean(preview)), id=text.key)

    def _yaml_words(self) -> str:
        if self._item is None:
            return "fetched when it is copied"
        return "values as shown" if self._secrets and is_secret(self._item) else "as shown"

    def _line(self, key: str, title: str, preview: str) -> Content:
        room = max(8, min(WIDTH, self.app.size.width) - TITLE - 11)
        return Content.assemble((f" {key} ", "bold $key"), f" {fit(title, TITLE)}  ", (fit(preview, room), "$quiet"))
