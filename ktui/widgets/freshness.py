"""Freshness: how current a pane is, in a glyph and a few words."""

from __future__ import annotations

from typing import NamedTuple

from ktui.kinds.tone import Tone
from ktui.kube.state import (
    Absent,
    Denied,
    Listing,
    Live,
    Partial,
    Polled,
    Remembered,
    Stale,
    State,
    Unusable,
    Waiting,
)


class Freshness(NamedTuple):
    """What stands at a pane's edge.

    Attributes:
        glyph: tells the state without colour.
        text: tells it in words.
        tone: gives both a colour.
    """

    glyph: str
    text: str
    tone: Tone


def freshness(state: State, now: float) -> Freshness:
    """The words for a state.

    Args:
        state: how current a feed is.
        now: seconds of the monotonic clock, for what has been stale for a while.
    """
    match state:
        case Waiting():
            return Freshness("◌", "connecting", Tone.PLAIN)
        case Listing(count, None):
            return Freshness("◌", f"listing {count:,}", Tone.WORKING)
        case Listing(count, total):
            return Freshness("◌", f"listing {count:,}/{total:,}", Tone.WORKING)
        case Live():
            return Freshness("●", "live", Tone.GOOD)
        case Polled(_, every, reason):
            return Freshness(
                "●" if not reason else "◐", f"every {every:.0f} s", Tone.GOOD if not reason else Tone.WARNING
            )
        case Stale(since, _, _, _):
            return Freshness("▲", f"stale {_ago(now - since)} ({_trouble(state, now)})", Tone.WARNING)
        case Remembered(since, moment, _, why):
            text = f"as of {moment}, {_ago(now - since)} ago"
            if isinstance(why, Listing):
                return Freshness("◌", f"{freshness(why, now).text}, others {text}", Tone.WORKING)
            return Freshness("▲", text + (f" ({_trouble(why, now)})" if isinstance(why, Stale) else ""), Tone.WARNING)
        case Denied(reason, _):
            return Freshness("⊘", f"denied ({reason})", Tone.FAILED)
        case Absent():
            return Freshness("⊘", "not served", Tone.FAILED)
        case Partial(readable, total, _):
            of = f"{readable} of {total}" if readable < total else f"only {readable}"
            return Freshness("◐", f"{of} namespaces", Tone.WARNING)
        case Unusable():
            return Freshness("✖", "not connected", Tone.FAILED)


def sentence(state: State, count: int, plural: str) -> tuple[str, ...]:
    """What a pane without rows says, line by line: what is the case, and the next step.

    Args:
        state: how current its feed is.
        count: how many rows there would be without filters.
        plural: what the pane would show, `pods`.
    """
    match state:
        case Waiting():
            return ("Connecting …",)
        case Remembered(_, _, _, why):
            return sentence(why, count, plural)
        case Listing():
            return (f"Listing {plural} …",)
        case Denied(_, message):
            return (message, "Press ctrl+n to name namespaces you may read, or ask for the ClusterRole “view”.")
        case Absent(message):
            return (f"This server does not serve {plural}.", message)
        case Stale(_, reason, _, complete) if not complete:
            return (f"Nothing listed yet: {reason}.", "ktui keeps trying; ctrl+r tries at once.")
        case Unusable(what, next_step):
            return tuple(line for line in (what, next_step) if line)
        case _ if count == 0:
            return (f"No {plural} here.",)
    return ()


def last_seen(shown: int, total: int) -> str:
    """How many rows a title tells of while they are remembered ones: never as if they were all there is.

    Args:
        shown: the rows that are shown.
        total: how many there were.
    """
    return f"{shown:,} of {total:,} last seen" if shown != total else f"{total:,} last seen"


def _trouble(state: Stale, now: float) -> str:
    wait = max(0, round(state.retry_at - now))
    return f"{state.reason}, " + (f"retry in {_rounded(wait)} s" if wait else "retrying")


def _rounded(seconds: int) -> int:
    """Counts down in steps of five seconds while it is long, so that waiting does not repaint every second."""
    return seconds if seconds <= 5 else -(-seconds // 5) * 5


def _ago(seconds: float) -> str:
    whole = max(0, int(seconds))
    if whole < 10:
        return f"{whole} s"
    if whole < 120:
        return f"{whole // 5 * 5} s"
    if whole < 7200:
        return f"{whole // 60} min"
    return f"{whole // 3600} h" if whole < 2 * 86400 else f"{whole // 86400} d"


def least_fresh(states: list[State], now: float) -> Freshness | None:
    """What the header says of several panes: the state that deserves attention first.

    A pane that is denied does not speak for the others, unless all are.
    """
    if not states:
        return None
    open_to_us = [state for state in states if not isinstance(state, Denied | Absent)] or states
    return freshness(min(open_to_us, key=lambda state: _ATTENTION.index(type(state))), now)


_ATTENTION = (Unusable, Stale, Remembered, Waiting, Listing, Denied, Absent, Partial, Polled, Live)
