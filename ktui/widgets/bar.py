"""Bar: one line of words in a few styles, which repaints only when its words change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget


class Part(NamedTuple):
    """Words in one style.

    Attributes:
        text: safe to show.
        style: the last word of a component class of the bar: `key` for `bar--key`.
        action: what a click on it does, as Textual names actions; empty for nothing.
        weight: of the right parts, the lightest give way first when there is no room.
    """

    text: str
    style: str = "text"
    action: str = ""
    weight: int = 0


class Bar(Widget):
    """One line: parts from the left, and parts that end at the right edge.

    When both do not fit, the right ones go first, the lightest before the others, then the left ones are cut with `…`.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"bar--{style}"
        for style in ("text", "dim", "strong", "badge", "key", "good", "working", "warning", "failed", "arrow", "plain")
    }
    DEFAULT_CSS = """
    Bar {
        height: 1;
        background: $bar;
        color: $foreground;
        & > .bar--text { color: $quiet; }
        & > .bar--dim { color: $faint; }
        & > .bar--plain { color: $quiet; }
        & > .bar--strong { color: $bright; text-style: bold; }
        & > .bar--badge { background: $primary; color: $background; text-style: bold; }
        & > .bar--key { color: $key; text-style: bold; }
        & > .bar--arrow { color: $key; }
        & > .bar--good { color: $good; }
        & > .bar--working { color: $working; }
        & > .bar--warning { color: $warning; }
        & > .bar--failed { color: $failed; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._left: Sequence[Part] = ()
        self._right: Sequence[Part] = ()
        self._clickable: list[tuple[int, int, str]] = []

    def show(self, left: Sequence[Part], right: Sequence[Part] = ()) -> None:
        """Say something; nothing is repainted when it is what the bar says already."""
        if (left, right) != (self._left, self._right):
            self._left, self._right = left, right
            self.refresh()

    def text(self) -> str:
        """The words of the bar, as they fit now."""
        return self.render_line(0).text

    def render_line(self, y: int) -> Strip:
        """The line, merged into as few segments as styles allow."""
        width = self.size.width
        right = list(self._right)
        left_width = self._measure(self._left)
        while right and left_width + self._measure(right) + 3 > width:
            right.remove(min(right, key=lambda part: part.weight))
        right_width = self._measure(right)
        room = width - right_width - (1 if right else 0)
        segments: list[Segment] = []
        self._clickable = []
        used = self._lay(segments, self._left, 0, room)
        base = self.rich_style
        segments.append(Segment(" " * (width - right_width - used), base))
        self._lay(segments, right, width - right_width, right_width)
        return Strip(Segment.simplify(segments), width)

    def _measure(self, parts: Sequence[Part]) -> int:
        return sum(cell_len(part.text) for part in parts)

    def _lay(self, segments: list[Segment], parts: Sequence[Part], start: int, room: int) -> int:
        used = 0
        for part in parts:
            style = self.rich_style + self.get_component_rich_style(f"bar--{part.style}", partial=True)
            text, width = part.text, cell_len(part.text)
            if used + width > room:
                text = set_cell_size(text, max(0, room - used - 1)) + "…" if room > used else ""
                width = max(0, room - used)
            segments.append(Segment(text, style))
            if part.action:
                self._clickable.append((start + used, start + used + width, part.action))
            used += width
            if used >= room:
                break
        return used

    async def on_click(self, event: object) -> None:
        """Do what the part under the pointer stands for."""
        x = getattr(event, "x", -1)
        for begin, end, action in self._clickable:
            if begin <= x < end:
                await self.run_action(action)
                return
