"""How current a list of objects is: values that panes show word by word.

Moments are seconds of the monotonic clock.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing was asked yet: the session is still connecting."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Pages are landing.

    Attributes:
        count: objects that have landed.
        total: how many there will be, or None when the server does not say.
    """

    count: int
    total: int | None


@dataclass(frozen=True, slots=True)
class Live:
    """Complete, and changes arrive as they happen."""


@dataclass(frozen=True, slots=True)
class Polled:
    """Complete at `at`, and listed again every `every` seconds, because it cannot be watched.

    Attributes:
        at: when the last list was complete.
        every: seconds between lists.
        reason: why it is not watched; empty when the kind never can be.
    """

    at: float
    every: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Stale:
    """What is shown was true at `since`; the connection failed and is tried again.

    Attributes:
        since: when it was last known to be current, or when the first try failed.
        reason: a few words: "connection refused".
        retry_at: when it is tried again.
        complete: whether everything had been listed once.
    """

    since: float
    reason: str
    retry_at: float
    complete: bool


@dataclass(frozen=True, slots=True)
class Denied:
    """The user may not see this.

    Attributes:
        reason: what is not allowed, "list pods".
        message: the server's sentence.
    """

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Absent:
    """The server does not serve this kind."""

    message: str


@dataclass(frozen=True, slots=True)
class Partial:
    """A union of namespaces of which only some can be read.

    Attributes:
        readable: how many namespaces are current.
        total: how many were asked for.
        missing: what the first unreadable one said.
    """

    readable: int
    total: int
    missing: str


@dataclass(frozen=True, slots=True)
class Unusable:
    """There is no connection to be had with this configuration; nothing is tried again by itself.

    Attributes:
        sentence: what is wrong.
        next_step: what the person can do.
    """

    sentence: str
    next_step: str


State = Waiting | Listing | Live | Polled | Stale | Denied | Absent | Partial | Unusable


def complete(state: State) -> bool:
    """Whether all objects are known, though perhaps not current."""
    return isinstance(state, Live | Polled) or (isinstance(state, Stale) and state.complete)
