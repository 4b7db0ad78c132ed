"""Opening: the first frame, shown while the rest of ktui is being imported."""

from __future__ import annotations

import time

from textual.app import ComposeResult
from textual.containers import Container
from textual.screen import Screen
from textual.strip import Strip

from ktui.kube.last_seen import KindSeen, LastSeen
from ktui.widgets.bar import Bar, Part
from ktui.widgets.cells import fit
from ktui.widgets.frame import Drawn, Word
from ktui.widgets.freshness import freshness, last_seen
from ktui.widgets.header import STYLES
from ktui.widgets.line import LineBuilder
from ktui.widgets.palette import TONE_INKS, Ink

SIDE_BY_SIDE = (110, 30)
"""Columns and rows of a terminal on which four panes have room; on smaller ones they become an accordion."""

_PANES = ("nodes", "deployments", "services", "pods")
_OPEN = "deployments"


class SeenPane(Drawn):
    """A pane as it was when ktui was open last, and nothing that could be taken for now.

    Args:
        resource: whose rows these are, `pods`.
        seen: the rows; None when none were kept.
        now: epoch seconds.
    """

    DEFAULT_CSS = """
    SeenPane { width: 1fr; height: 1fr; background: $background; }
    SeenPane.-collapsed { height: 1; }
    """

    def __init__(self, resource: str, seen: KindSeen | None, now: float) -> None:
        super().__init__()
        self._title = [Word(resource.capitalize(), bold=True)]
        self._state: list[Word] = []
        self._texts: tuple[str, ...] = ()
        if seen is not None:
            self._title.append(Word(f" {last_seen(len(seen.rows), seen.total)}", bold=True))
            glyph, text, tone = freshness(seen.remembered(now), time.monotonic())
            self._state.append(Word(f"{glyph} {text}", TONE_INKS[tone]))
            self._texts = seen.lines

    def draw(self) -> list[Strip]:
        """The frame, and in it the lines of then."""
        room = self.size.height - 2
        if room < 0:
            return [self.edge("──", Ink.BORDER, self._title, self._state)]
        texts = [*self._texts[:room], *([""] * (room - len(self._texts)))]
        top, bottom = self.edge("╭╮", Ink.BORDER, self._title), self.edge("╰╯", Ink.BORDER, (), self._state)
        return [top, *map(self._row, texts), bottom]

    def _row(self, text: str) -> Strip:
        border, inside = self.style(Ink.BORDER), max(1, self.size.width - 2)
        line = LineBuilder()
        line.add("│", border, 1)
        line.add(fit(text, inside), self.style(Ink.FAINT), inside)
        line.add("│", border, 1)
        return line.line(self.size.width, border, self.get_line_filters())


class OpeningScreen(Screen[None]):
    """The bars of every page, and between them what the home screen showed when ktui was open last.

    Args:
        seen: what it showed.
        now: epoch seconds.
    """

    DEFAULT_CSS = """
    OpeningScreen {
        background: $background; layout: vertical;
        & > #seen { height: 1fr; }
        & > #seen.-side-by-side { layout: grid; grid-size: 2 2; grid-columns: 9fr 11fr; grid-gutter: 0 0; }
    }
    """

    def __init__(self, seen: LastSeen, now: float) -> None:
        super().__init__()
        self._seen = seen
        self._now = now

    def compose(self) -> ComposeResult:
        """The name of the program where it will stay, and rows where rows will be."""
        kinds = self._seen.kinds
        top = Bar()
        top.show([Part(" ktui ", "badge"), Part("  "), *self._where()], self._when())
        yield top
        small = self.app.size.width < SIDE_BY_SIDE[0] or self.app.size.height < SIDE_BY_SIDE[1]
        with Container(id="seen", classes="" if small else "-side-by-side"):
            for resource in _PANES if kinds else ():
                pane = SeenPane(resource, kinds.get(resource), self._now)
                pane.set_class(small and resource != _OPEN, "-collapsed")
                yield pane
        # The line of words and the keys of the page that follows.
        yield Bar()
        yield Bar()

    def _where(self) -> list[Part]:
        opening = Part("opening …", "dim")
        return [Part(self._seen.context, "strong"), Part("  "), opening] if self._seen.context else [opening]

    def _when(self) -> list[Part]:
        """Of when all of it is: of the oldest part."""
        if not (kinds := self._seen.kinds.values()):
            return []
        oldest = min(kinds, key=lambda kind: kind.at).remembered(self._now)
        glyph, text, tone = freshness(oldest, time.monotonic())
        return [Part(f"{glyph} {text} ", STYLES[tone])]
