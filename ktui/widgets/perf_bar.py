"""PerfBar: one line with what ktui itself costs, for `--perf` and the palette."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import NamedTuple

from ktui.kube.meter import Meter
from ktui.kube.session import Session
from ktui.widgets.bar import Bar, Part
from ktui.widgets.meters import Meters, memory

EVERY = 1.0
"""Seconds between looks."""


class _Counts(NamedTuple):
    """What has been counted, and when."""

    when: float
    written: int
    changes: int


class PerfBar(Bar):
    """What frames, the event loop, the terminal and the API server are charged with, and what is held.

    Where there is no room for all, what is least needed goes first.

    Args:
        meters: count while this bar is seen.
        session: the context whose requests are counted.
    """

    def __init__(self, meters: Meters, session: Session) -> None:
        super().__init__(id="perf")
        self._meters = meters
        self._session = session
        self._before = self._counts()
        self._timing = ExitStack()

    def on_mount(self) -> None:
        """Look once a second."""
        self._timing.enter_context(self._meters.timing(self.screen))
        self.set_interval(EVERY, self.tell)
        self.tell()

    def on_unmount(self) -> None:
        """Look no longer."""
        self._timing.close()

    def tell(self) -> None:
        """Say what has been counted."""
        if not self.screen.is_current:
            return
        meters, meter, now = self._meters, self._meter, self._counts()
        seconds = max(now.when - self._before.when, EVERY / 10)
        written = (now.written - self._before.written) / seconds
        changes = (now.changes - self._before.changes) / seconds
        self._before = now
        held, size = self._session.rows_held(), memory()
        rest = [
            _part("terminal", f"{_bytes(written)}/s, {_bytes(now.written)}", 8),
            _part("API", f"{meter.requests:,} requests, {_bytes(meter.bytes_in)}", 7),
            _part("", f"{meter.open_streams} watches", 4),
            _part("", f"{changes:,.0f} changes/s", 5),
            _part("", f"{held:,} rows", 3),
            *([_part("", _bytes(size), 6)] if size is not None else ()),
        ]
        self.show(
            [
                Part(f" frame {_ms(meters.frames.last)}, worst {_ms(meters.frames.worst())}", "text"),
                Part(f"   stall {_ms(meters.steps.worst())}", "text"),
            ],
            [*rest, Part(" ", weight=9)],
        )

    @property
    def _meter(self) -> Meter:
        return self._session.client.meter if self._session.client is not None else Meter()

    def _counts(self) -> _Counts:
        return _Counts(time.monotonic(), self._meters.written, self._meter.changes)


def _part(what: str, value: str, weight: int) -> Part:
    return Part("   " + f"{what} {value}".strip(), "text", weight=weight)


def _ms(seconds: float) -> str:
    return f"{1e3 * seconds:.0f} ms"


def _bytes(size: float) -> str:
    """A size, one digit after the point where it matters."""
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.1f} KB" if size >= 1e3 else f"{size:.0f} B"
