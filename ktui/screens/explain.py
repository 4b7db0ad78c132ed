"""ExplainScreen: what a field means and what may be in it, as `kubectl explain` says it, to be walked through."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from ktui.kinds.text import clean
from ktui.manifests.problems import Path, spell
from ktui.manifests.schema import Completion, Documentation, Schema, describe
from ktui.widgets.completions import lines_of
from ktui.widgets.options import Options

WIDEST = 110
"""Columns of the box."""

FRAME = 6
"""Columns of its border, its padding, and of what surrounds its lines."""


class ExplainScreen(ModalScreen[None]):
    """Explains a field, and those in it.

    Args:
        schema: of the kind.
        path: of the field; that of the nearest known one around it is taken where it is not known itself.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "Close"),
        Binding("left,backspace,h", "out", "Out"),
        Binding("right,l", "into", "Into"),
    ]
    DEFAULT_CSS = f"""
    ExplainScreen {{
        align: center middle;
        background: $background 60%;
        & > VerticalScroll {{
            width: {WIDEST}; max-width: 100%; height: auto; max-height: 96%; scrollbar-size-vertical: 1;
            background: $bar; border: round $primary; padding: 0 1;
            border-title-color: $primary; border-subtitle-color: $faint;
        }}
        & Static {{ width: 100%; height: auto; color: $foreground; }}
        & OptionList {{
            border: none; height: auto; background: $bar; padding: 0; margin-top: 1;
            &:focus {{ background-tint: $bar 0%; }}
            & > .option-list--option-highlighted {{ background: $row-cursor; color: $bright; text-style: none; }}
        }}
    }}
    """

    def __init__(self, schema: Schema, path: Path) -> None:
        super().__init__()
        self._schema = schema
        while path and describe(schema, path) is None:
            path = path[:-1]
        self._path = path
        self._fields: tuple[Documentation, ...] = ()

    def compose(self) -> ComposeResult:
        """What it means, and its fields."""
        with VerticalScroll(can_focus=False):
            yield Static(id="meaning")
            yield Options(markup=False, compact=True)

    def on_mount(self) -> None:
        """Explain the field."""
        self.query_one(Options).focus()
        self._show()

    def _show(self, chosen: str = "") -> None:
        known, box = describe(self._schema, self._path), self.query_one(VerticalScroll)
        kind = self._schema.gvk[2]
        box.border_title = Content(clean(f"{kind}.{spell(self._path)}" if self._path else kind))
        box.border_subtitle = "enter goes in   ← out   esc closes"
        options = self.query_one(Options)
        options.clear_options()
        if known is None:
            return
        self.query_one("#meaning", Static).update(Content.assemble(*_words(known)))
        self._fields = known.fields
        found = [Completion(each.name, each.type, each.required, each.text) for each in known.fields]
        options.display = bool(found)
        if found:
            options.add_options([Option(line) for line in lines_of(found, min(WIDEST, self.app.size.width) - FRAME)])
        names = [each.name for each in known.fields]
        if names:
            options.highlighted = names.index(chosen) if chosen in names else 0
        box.scroll_home(animate=False)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Go into a field."""
        self._into(event.option_index)

    def action_into(self) -> None:
        """Go into the field that is highlighted."""
        if (place := self.query_one(Options).highlighted) is not None:
            self._into(place)

    def _into(self, place: int) -> None:
        self._path = (*_holder(self._schema, self._path), self._fields[place].name)
        self._show()

    def action_out(self) -> None:
        """Go to the field around it."""
        if self._path:
            *above, last = self._path
            while above and isinstance(above[-1], int):
                above.pop()
            self._path = tuple(above)
            self._show(str(last))


def _holder(schema: Schema, path: Path) -> Path:
    """Where the fields of a field are: in the items of a list, in the values of a map."""
    field = schema.field(path)
    while field is not None and (field.items is not None or field.values is not None):
        path = (*path, 0 if field.items is not None else "*")
        field = field.items or field.values
    return path


def _words(known: Documentation) -> Iterator[str | tuple[str, str]]:
    """What a field is, and what it means."""
    yield clean(known.type), "bold $key"
    if known.required:
        yield "  required", "$warning"
    if known.immutable:
        yield "  cannot be changed", "$warning"
    if known.default not in ("", "{}"):
        yield f"  default {clean(known.default)}", "$quiet"
    yield "\n"
    if known.enum:
        yield f"one of {clean(', '.join(known.enum))}\n", "$quiet"
    yield "\n".join(clean(line) for line in known.text.split("\n"))
