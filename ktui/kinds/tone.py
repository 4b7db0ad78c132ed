"""How well something is: one word, one glyph, never colour alone."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum


class Tone(Enum):
    """How well an object or a cell is. The value is its glyph; themes give it a colour."""

    PLAIN = ""
    GOOD = "●"
    WORKING = "◐"
    WARNING = "▲"
    FAILED = "✖"
    FINISHED = "○"
    UNKNOWN = "?"

    @property
    def unhealthy(self) -> bool:
        """Whether someone should look at it: what `!` shows and the title counts."""
        return self in (Tone.WARNING, Tone.FAILED, Tone.UNKNOWN)

    @property
    def severity(self) -> int:
        """Which of several tones speaks for the whole: the largest."""
        return _SEVERITY[self]


_SEVERITY = {
    tone: place
    for place, tone in enumerate(
        (Tone.PLAIN, Tone.GOOD, Tone.FINISHED, Tone.WORKING, Tone.UNKNOWN, Tone.WARNING, Tone.FAILED)
    )
}


def worst(tones: Iterable[Tone]) -> Tone:
    """The tone that speaks for all of them; PLAIN for none."""
    return max(tones, key=lambda tone: tone.severity, default=Tone.PLAIN)
