"""YamlView: a manifest to read, highlighted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from ktui.widgets.failures import FailuresSaid
from ktui.widgets.text_view import Span, TextView
from ktui.widgets.yaml_syntax import YamlSyntax


class YamlView(FailuresSaid, TextView):
    """Shows YAML. A long text stands there at once and gets its colours a moment later."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._syntax: YamlSyntax | None = None

    def text_changed(self) -> None:
        """Read the syntax of the new lines."""
        syntax = YamlSyntax(self.lines)
        if syntax.small:
            syntax.parse()
            self._syntax = syntax
        else:
            self._syntax = None
            self.run_worker(self._colour(syntax), group="yaml-syntax", exclusive=True, exit_on_error=False)

    def spans(self, line: int) -> Iterable[Span]:
        """How a line is coloured."""
        return self._syntax.spans(line) if self._syntax is not None else ()

    async def _colour(self, syntax: YamlSyntax) -> None:
        await asyncio.to_thread(syntax.parse)
        self._syntax = syntax
        self.redraw()
