"""An app that shows nothing but a long manifest: in ktui's editor, or in Textual's own text area."""

from __future__ import annotations

import sys

from textual.app import App, ComposeResult
from textual.widgets import TextArea

from ktui.terminal.painting import Painted
from ktui.widgets.editor import Editor
from ktui.widgets.palette import DARK, themes

ITEM = """\
  - name: worker-{}
    image: registry.example.com/worker:1.2.3 # the last good one
    env:
    - name: MODE
      value: "busy: yes"
    resources:
      limits:
        memory: 128Mi
"""


def manifest(lines: int) -> str:
    """A text of about so many lines."""
    items = (ITEM.format(number) for number in range(lines // ITEM.count("\n")))
    return "spec:\n  containers:\n" + "".join(items)


class BareTextArea(App[None]):
    """Textual's text area."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        """The text."""
        yield TextArea(self._text, soft_wrap=False, show_line_numbers=True)

    def on_mount(self) -> None:
        """Put the cursor at the end of a line in the middle."""
        area = self.query_one(TextArea)
        area.cursor_blink = False
        area.focus()
        row = area.document.line_count // 2
        area.move_cursor((row, len(area.document.get_line(row))), center=True)


class BareEditor(Painted):
    """ktui's editor."""

    CSS = "Screen { background: $background; }"

    def __init__(self, text: str) -> None:
        super().__init__()
        for each in themes():
            self.register_theme(each)
        self.theme = DARK.name
        self._text = text

    def compose(self) -> ComposeResult:
        """The text."""
        yield Editor(self._text)

    on_mount = BareTextArea.on_mount


if __name__ == "__main__":
    app: App[None] = (BareEditor if sys.argv[1] == "editor" else BareTextArea)(manifest(int(sys.argv[2])))
    app.run()
