"""What every controller is: a queue of keys and a `sync` that brings one object nearer to what its spec asks for.

Controllers are level-triggered: an event only says whose turn it is, `sync` reads the storage afresh.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from ktui.demo.clock import Clock, Timer
from ktui.demo.controllers.index import Index
from ktui.demo.controllers.recorder import Recorder
from ktui.demo.storage import Event, Storage

Key = tuple[str, str]  # namespace and name

_KEYS_PER_TURN = 40  # then the event loop gets its turn
_FIRST_RETRY, _LONGEST_RETRY = 0.1, 1000.0  # client-go begins at 5 ms
_MOMENT = 0.1  # as long as a real control plane needs anyway to hear of a pod's change


@dataclass(frozen=True, slots=True)
class Tools:
    """What controllers work with."""

    storage: Storage
    clock: Clock
    index: Index
    recorder: Recorder


class WorkQueue:
    """Keys waiting for `sync`: each once however often it was added, some of them later.

    Args:
        clock: Runs the work, never inside `add`.
        sync: Called with one key at a time.
    """

    def __init__(self, clock: Clock, sync: Callable[[Key], None]) -> None:
        self._clock = clock
        self._sync = sync
        self._ready: dict[Key, None] = {}
        self._later: dict[Key, tuple[float, Timer]] = {}
        self._turn: Timer | None = None
        self._failures: dict[Key, int] = {}

    def add(self, key: Key) -> None:
        """Has the key synced soon."""
        self._ready[key] = None
        if self._turn is None:
            self._turn = self._clock.call_at(self._clock.now(), self._work)

    def add_at(self, key: Key, when: float) -> None:
        """Has the key synced at a time, or earlier when it is already waiting for an earlier one."""
        waiting = self._later.get(key)
        if waiting is not None:
            if waiting[0] <= when:
                return
            waiting[1].cancel()
        self._later[key] = (when, self._clock.call_at(when, partial(self._fall_due, key)))

    def retry(self, key: Key) -> None:
        """Has the key synced again after a failure; with each one in a row the wait is twice as long."""
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        self.add_at(key, self._clock.now() + min(_FIRST_RETRY * 2 ** (failures - 1), _LONGEST_RETRY))

    def succeeded(self, key: Key) -> None:
        """Forgets the key's failures."""
        self._failures.pop(key, None)

    def _fall_due(self, key: Key) -> None:
        del self._later[key]
        self.add(key)

    def _work(self) -> None:
        self._turn = None
        try:
            for _ in range(_KEYS_PER_TURN):
                if not self._ready:
                    return
                key = next(iter(self._ready))
                del self._ready[key]
                self._sync(key)
        finally:
            if self._ready and self._turn is None:
                self._turn = self._clock.call_at(self._clock.now(), self._work)


class Controller:
    """A loop over the objects of `watches[0]`, woken by events of all of `watches`.

    Attributes:
        watches: Keys of the resources whose events `observe` gets; `*` for all. The first one's objects are those
            that `sync` gets when the controller starts.
        component: Its name in events.
    """

    watches: ClassVar[tuple[str, ...]]
    component: ClassVar[str] = ""

    def __init__(self, tools: Tools) -> None:
        self.storage = tools.storage
        self.clock = tools.clock
        self.index = tools.index
        self.recorder = tools.recorder
        self.queue = WorkQueue(tools.clock, self.sync)

    def start(self) -> None:
        """Looks at everything that exists."""
        for obj in self.storage.list(self.watches[0]):
            self.queue.add(key_of(obj))

    def observe(self, event: Event) -> None:
        """Finds out which keys an event concerns; by default the object itself."""
        self.queue.add(key_of(event.object))

    def gather(self, key: Key) -> None:
        """Has the key synced a moment later, when more that concerns it may have happened."""
        self.queue.add_at(key, self.clock.now() + _MOMENT)

    def sync(self, key: Key) -> None:
        """Brings one object nearer to what is asked for."""
        raise NotImplementedError

    def announce(self, obj: dict[str, object], reason: str, message: str, *, warning: bool = False) -> None:
        """Records an event about an object, in this controller's name."""
        self.recorder.record(obj, reason, message, warning=warning, component=self.component)


def key_of(obj: dict[str, dict[str, str]]) -> Key:
    """Returns namespace and name."""
    metadata = obj["metadata"]
    return metadata.get("namespace", ""), metadata["name"]
