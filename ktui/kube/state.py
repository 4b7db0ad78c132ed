"""How current a list of objects is: values that panes show word by word.

Moments are seconds of the monotonic clock.
"""

from __future__ import annotations

import msgspec


class Waiting(msgspec.Struct, frozen=True):
    """Nothing was asked yet: the session is still connecting."""


class Listing(msgspec.Struct, frozen=True):
    """Pages are landing.

    Attributes:
        count: objects that have landed.
        total: how many there will be, or None when the server does not say.
    """

    count: int
    total: int | None


class Live(msgspec.Struct, frozen=True):
    """Complete, and changes arrive as they happen."""


class Polled(msgspec.Struct, frozen=True):
    """Complete at `at`, and listed again every `every` seconds, because it cannot be watched.

    Attributes:
        at: when the last list was complete.
        every: seconds between lists.
        reason: why it is not watched; empty when the kind never can be.
    """

    at: float
    every: float
    reason: str = ""


class Stale(msgspec.Struct, frozen=True):
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


class Denied(msgspec.Struct, frozen=True):
    """The user may not see this.

    Attributes:
        reason: what is not allowed, "list pods".
        message: the server's sentence.
    """

    reason: str
    message: str


class Absent(msgspec.Struct, frozen=True):
    """The server does not serve this kind."""

    message: str


class Partial(msgspec.Struct, frozen=True):
    """A union of namespaces of which only some can be read.

    Attributes:
        readable: how many namespaces are current.
        total: how many were asked for.
        missing: what the first unreadable one said.
    """

    readable: int
    total: int
    missing: str


class Unusable(msgspec.Struct, frozen=True):
    """There is no connection to be had with this configuration; nothing is tried again by itself.

    Attributes:
        sentence: what is wrong.
        next_step: what the person can do.
    """

    sentence: str
    next_step: str


class Remembered(msgspec.Struct, frozen=True):
    """Nothing is known yet but the rows that were in sight when ktui was open last.

    Attributes:
        since: when they were current.
        moment: the same as a person says it: "14:03".
        total: how many objects there were then.
        why: what there is instead of a list: nothing yet, its first pages, or a failure.
    """

    since: float
    moment: str
    total: int
    why: Waiting | Listing | Stale


State = Waiting | Listing | Live | Polled | Stale | Denied | Absent | Partial | Unusable | Remembered


def complete(state: State) -> bool:
    """Whether all objects are known, though perhaps not current."""
    return isinstance(state, Live | Polled) or (isinstance(state, Stale) and state.complete)
