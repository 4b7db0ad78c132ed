"""Findings: what one check saw, with what to do where something is wrong."""

from __future__ import annotations

from dataclasses import dataclass

from ktui.kinds.tone import Tone


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor.

    Attributes:
        tone: GOOD, WARNING (it works, but look at it) or FAILED (ktui cannot work like this).
        text: what was seen; never a credential.
        next_step: what to do; empty when nothing is wrong.
    """

    tone: Tone
    text: str
    next_step: str = ""


def good(text: str) -> Finding:
    """Nothing is wrong."""
    return Finding(Tone.GOOD, text)


def warning(text: str, next_step: str = "") -> Finding:
    """It works, but someone should look at it."""
    return Finding(Tone.WARNING, text, next_step)


def failed(text: str, next_step: str = "") -> Finding:
    """Like this ktui cannot work."""
    return Finding(Tone.FAILED, text, next_step)
