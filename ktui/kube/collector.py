"""The cyclic collector, kept away from objects of which there are many and which form no cycles."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_depth = 0


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause the collector while many objects are made; it would walk them again and again for nothing.

    Decoding is five times as fast without. May be entered by several at once; the last one to leave lets it go on.
    """
    global _depth
    if _depth == 0 and not gc.isenabled():
        yield
        return
    gc.disable()
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1
        if _depth == 0:
            gc.enable()


def leave_alone() -> None:
    """Let the collector never look again at what there is now: the rows of a large list, and what ktui consists of.

    They go when nobody refers to them any more, as everything does that is in no cycle.
    """
    gc.freeze()
