"""Header: where we are, how current everything is, what it costs, and who we are."""

from __future__ import annotations

from dataclasses import dataclass

from ktui.kinds.text import clean
from ktui.kinds.tone import Tone
from ktui.widgets.bar import Bar, Part
from ktui.widgets.freshness import Freshness

STILL_TRUE = 0.5
"""How far a rate may be from the one that is shown, as a share of it."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What the header says.

    Attributes:
        context: the name of the context; empty while the kubeconfig is being read.
        namespaces: the namespaces looked at; empty for all.
        freshness: of the least current pane.
        counts: how much there is, `5 nodes · 128 pods`.
        cost: requests and bytes a second, as words.
        user: whom the server takes us for.
        read_only: whether nothing can be changed.
        version: the server's.
        place: what else narrows the page, such as a selector.
    """

    context: str = ""
    namespaces: tuple[str, ...] = ()
    freshness: Freshness | None = None
    counts: str = ""
    cost: str = ""
    user: str = ""
    read_only: bool = False
    version: str = ""
    place: str = ""


class Gauge:
    """A number that stands still on the screen until it is no longer true, as a rate differs a little every second."""

    def __init__(self) -> None:
        self._shown = 0.0

    def show(self, value: float) -> float:
        """What to show for a value: what is shown already, unless that is off by more than half of it."""
        if abs(value - self._shown) > STILL_TRUE * self._shown:
            self._shown = value
        return self._shown


class Header(Bar):
    """The first line of a page."""

    DEFAULT_CSS = """
    Header { dock: top; }
    """

    def tell(self, situation: Situation) -> None:
        """Show a situation; nothing is repainted when its words are the same."""
        self.show(_left(situation), _right(situation))


def _left(situation: Situation) -> list[Part]:
    parts = [Part(" ktui ", "badge"), Part("  ")]
    if situation.context:
        where = ", ".join(situation.namespaces) or "all namespaces"
        parts += [
            Part(clean(situation.context), "strong", "screen.contexts"),
            Part(" ▸ ", "dim"),
            Part(clean(where), "text", "screen.namespaces"),
        ]
    if situation.place:
        parts += [Part(" ▸ ", "dim"), Part(clean(situation.place), "text")]
    return parts


def _right(situation: Situation) -> list[Part]:
    parts: list[Part] = []
    if (fresh := situation.freshness) is not None:
        # The reason, in brackets, gives way before what is the case.
        what, bracket, reason = f"{fresh.glyph} {clean(fresh.text)}".partition(" (")
        parts.append(Part(what, STYLES[fresh.tone], weight=9))
        if reason:
            parts.append(Part(bracket + reason, STYLES[fresh.tone], weight=7))
    if situation.counts:
        parts.append(Part(f"   {situation.counts}", "dim", weight=4))
    if situation.cost:
        parts.append(Part(f"   {situation.cost}", "dim", weight=1))
    if situation.user:
        parts.append(Part(f"    {clean(situation.user)}", "strong", weight=6))
    mode = Part(" read-only", "good", weight=8) if situation.read_only else Part(" read-write", "key", weight=5)
    if situation.context:
        parts.append(mode if situation.user else mode._replace(text="   " + mode.text))
    if situation.version:
        parts.append(Part(f"   {clean(situation.version)}", "dim", weight=2))
    return [*parts, Part(" ", weight=10)] if parts else []


STYLES = {
    Tone.PLAIN: "text",
    Tone.GOOD: "good",
    Tone.WORKING: "working",
    Tone.WARNING: "warning",
    Tone.FAILED: "failed",
    Tone.FINISHED: "dim",
    Tone.UNKNOWN: "warning",
}
