"""Embedded clusters whose past was lived through once, for all tests of a process."""

from __future__ import annotations

import gc
import pickle
from functools import lru_cache

from ktui.demo.clock import SteppedClock
from ktui.demo.run import Built, build


def lived(seed: int) -> tuple[Built, SteppedClock]:
    """A cluster of the test's own, on a clock that stands still; the same as `build` makes, in a tenth of the time.

    Args:
        seed: of its names, uids and delays.
    """
    lived_once = _lived_once(seed)
    # Of what is made here all is kept: a collector that looks for garbage meanwhile finds none, many times over.
    gc.disable()
    try:
        copy: tuple[Built, SteppedClock] = pickle.loads(lived_once)
    finally:
        gc.enable()
    return copy


@lru_cache
def _lived_once(seed: int) -> bytes:
    clock = SteppedClock()
    return pickle.dumps((build(seed=seed, clock=clock), clock), pickle.HIGHEST_PROTOCOL)
