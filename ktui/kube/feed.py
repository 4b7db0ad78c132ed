"""Feed: one kind in one scope, kept current for everyone who looks at it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, NamedTuple

import msgspec

from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR
from ktui.kinds.relation import Wanted
from ktui.kinds.row import Row
from ktui.kube.client import Client
from ktui.kube.errors import KtuiError
from ktui.kube.last_seen import KindSeen, row_of
from ktui.kube.list_watch import ListWatch, list_rows
from ktui.kube.reflector import Reflector
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
    complete,
)
from ktui.kube.store import MOST_OBJECTS, Store

ASK_AGAIN = 30.0
"""Seconds after which objects are asked for again that could not be had."""

StartTask = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]


class Scope(NamedTuple):
    """Which objects of a kind a feed holds; feeds with the same scope are shared.

    Attributes:
        gvr: the kind.
        namespaces: in which namespaces; empty for all.
        labels: a label selector.
        fields: a field selector.
        whole: whether all objects are held whole, however many there are.
    """

    gvr: GVR
    namespaces: tuple[str, ...] = ()
    labels: str = ""
    fields: str = ""
    whole: bool = False


class Feed:
    """The rows of one scope and how current they are.

    Where a user may not list a kind in all namespaces, the feed falls back to the namespaces it knows of, and says that
    it is partial.

    Args:
        kind: what it holds.
        scope: where.
        known_namespaces: the namespaces to try when all at once is denied.
        every: seconds between lists for kinds that cannot be watched; 0 to watch.
        clock: epoch seconds.
    """

    def __init__(
        self,
        kind: Kind,
        scope: Scope,
        known_namespaces: Callable[[], tuple[str, ...]],
        every: float = 0.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.scope = scope
        self.store = Store(kind)
        self.state: State = Waiting()
        self.viewers = 0
        self._known_namespaces = known_namespaces
        self._every = every
        self._clock = clock
        self._listeners: set[Callable[[], None]] = set()
        self._reflectors: dict[str, Reflector] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._start_task: StartTask | None = None
        self._client: Client | None = None
        self._wanted: dict[Wanted, asyncio.Task[None]] = {}
        self._refused: dict[Wanted, str] = {}
        self._recalled: Remembered | None = None

    @property
    def kind(self) -> Kind:
        """What it holds, with the columns the server named."""
        return self.store.kind

    @property
    def listed(self) -> bool:
        """Whether everything was listed once, so that what is not there does not exist."""
        return complete(self.state) or isinstance(self.state, Partial | Denied | Absent)

    @property
    def running(self) -> bool:
        """Whether the cluster is being asked."""
        return bool(self._reflectors)

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` whenever the state changes; returns what ends that."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    def recall(self, seen: KindSeen, now: float) -> None:
        """Show what was seen when ktui was open last, until it is known what is the case.

        Args:
            seen: rows of this kind in this scope.
            now: epoch seconds.
        """
        self._recalled = seen.remembered(now)
        self.store.put(map(row_of, seen.rows))
        self.become(self.state)

    def start(self, client: Client, start_task: StartTask) -> None:
        """Begin to list and watch.

        Args:
            client: the connection.
            start_task: runs what is to be done in the session's task group.
        """
        self._client, self._start_task = client, start_task
        for namespace in self.scope.namespaces or ("",):
            self._reflect(namespace)

    def stop(self) -> None:
        """End all requests; rows stay as they are, and are no longer said to be current."""
        self.state = self._as_remembered(Waiting())
        for namespace in tuple(self._reflectors):
            self._stop(namespace)
        for task in self._wanted.values():
            task.cancel()

    def retry(self) -> None:
        """Try again at once whatever waits, and the namespaces that became known since."""
        for wanted in self._refused:
            self._wanted[wanted].cancel()
        if self._reflectors:
            self._compose()
        for reflector in self._reflectors.values():
            reflector.retry()

    def become(self, state: State) -> None:
        """Show `state`; the session says so while there is no connection."""
        state = self._as_remembered(state)
        if state != self.state:
            self.state = state
            self._tell()

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener()

    def _as_remembered(self, state: State) -> State:
        """`state`, and of when the rows are that are shown meanwhile; they go as soon as it is known what is the case.

        So they do when it is certain that nothing can be known: what may not be read now is not shown from memory.
        """
        if (recalled := self._recalled) is None:
            return state
        if isinstance(state, Remembered):
            state = state.why
        if isinstance(state, Waiting | Listing) or (isinstance(state, Stale) and not state.complete):
            return Remembered(recalled.since, recalled.moment, recalled.total, state)
        self._recalled = None
        for key in [key for key, row in self.store.rows.items() if row.remembered]:
            self.store.remove(key)
        return state

    # -- objects where rows came first -------------------------------------------------------

    def want(self, wanted: Iterable[Wanted]) -> None:
        """Ask for objects that must be known whole; their rows change when they have come.

        Args:
            wanted: of this kind, and within this feed's scope; what is known, or on its way, costs nothing.
        """
        if self._client is None or self._start_task is None or not isinstance(self.state, Live | Polled | Partial):
            # The lists that are still under way would replace them.
            return
        for each in wanted:
            if each not in self._wanted and not self.store.whole(each):
                self._wanted[each] = self._start_task(self._fetch(self._client, each))

    def refused(self, wanted: Wanted) -> str:
        """Why wanted objects could not be had, in a sentence; empty when they could, or are on their way."""
        return self._refused.get(wanted, "")

    async def _fetch(self, client: Client, wanted: Wanted) -> None:
        """Ask for wanted objects; when they cannot be had, say so, and let it be tried again after a while."""
        try:
            why = await self._fetched(client, wanted)
            if why:
                self._refused[wanted] = why
                self._tell()
                await asyncio.sleep(ASK_AGAIN)
        finally:
            self._refused.pop(wanted, None)
            del self._wanted[wanted]
        self._tell()

    async def _fetched(self, client: Client, wanted: Wanted) -> str:
        """Put wanted objects into the store; returns why that could not be done, or nothing."""
        lists, changes = self.store.lists, self.store.subscribe(lambda: None)
        try:
            rows = [row for namespace in self._within(wanted) for row in await self._listed(client, wanted, namespace)]
        except KtuiError as error:
            return error.sentence
        except msgspec.DecodeError:
            return "The server's answer cannot be read."
        finally:
            changes.close()
        if lists != self.store.lists:
            # A list that began meanwhile replaces them; whoever still wants them asks again.
            return ""
        # What the watch has told meanwhile is newer than what was asked for, and what it took away is gone.
        fresh = [row for row in rows if row.key not in changes.keys]
        if len(fresh) > MOST_OBJECTS:
            return f"More than {MOST_OBJECTS:,} {self.kind.gvr.resource} belong to it, which is more than are kept."
        self.store.put(fresh)
        self.store.complete(wanted)
        return ""

    def _within(self, wanted: Wanted) -> Iterable[str]:
        """The namespaces to look into: none but those of the feed."""
        return (wanted.namespace,) if wanted.namespace else tuple(filter(None, self._reflectors)) or ("",)

    async def _listed(self, client: Client, wanted: Wanted, namespace: str) -> list[Row]:
        fields = f"metadata.name={wanted.name}" if wanted.name else wanted.fields
        kind = self.store.kind
        return await list_rows(ListWatch(client, kind, namespace, label_selector=wanted.labels, field_selector=fields))

    def _reflect(self, namespace: str) -> None:
        assert self._client is not None
        assert self._start_task is not None
        list_watch = ListWatch(
            self._client,
            self.store.kind,
            namespace,
            label_selector=self.scope.labels,
            field_selector=self.scope.fields,
            on_kind=self._complete_kind,
            abridges=not self.scope.whole,
            clock=self._clock,
        )
        reflector = Reflector(list_watch, self.store, lambda _: self._compose(), every=self._every)
        self._reflectors[namespace] = reflector
        self._tasks[namespace] = self._start_task(reflector.run())

    def _stop(self, namespace: str) -> None:
        del self._reflectors[namespace]
        self._tasks.pop(namespace).cancel()

    def _complete_kind(self, kind: Kind) -> None:
        self.store.kind = kind
        self.store.announce()
        self._tell()

    def _compose(self) -> None:
        """The one state that says how current all namespaces together are."""
        everywhere = self._reflectors.get("")
        if everywhere is None:
            self.become(compose([reflector.state for reflector in self._reflectors.values()], narrowed=False))
            return
        if isinstance(everywhere.state, Denied) and self._fall_back():
            return
        known = [namespace for namespace in self._reflectors if namespace]
        if known and not complete(everywhere.state):
            self.become(compose([self._reflectors[namespace].state for namespace in known], narrowed=True))
            return
        # The right to list everywhere was given meanwhile: what watched single namespaces has nothing to add.
        for namespace in known:
            self._stop(namespace)
        self.become(everywhere.state)

    def _fall_back(self) -> bool:
        """Reflect the known namespaces instead of all; whether there are any new ones."""
        if not self.kind.namespaced or self.scope.namespaces:
            return False
        fresh = [namespace for namespace in self._known_namespaces() if namespace not in self._reflectors]
        for namespace in fresh:
            self._reflect(namespace)
        return bool(fresh)


def compose(states: list[State], *, narrowed: bool) -> State:
    """The state of a union of namespaces.

    Args:
        states: one a namespace, at least one.
        narrowed: whether these are only the namespaces known, because all at once was denied.
    """
    if len(states) == 1 and not narrowed:
        return states[0]
    for kind in (Unusable, Waiting):
        if found := [state for state in states if isinstance(state, kind)]:
            return found[0]
    readable = [state for state in states if not isinstance(state, Denied | Absent)]
    if not readable:
        return states[0]
    if stale := [state for state in readable if isinstance(state, Stale)]:
        return min(stale, key=lambda state: state.since)
    if listing := [state for state in readable if isinstance(state, Listing)]:
        return Listing(sum(state.count for state in listing), None)
    if narrowed or len(readable) < len(states):
        refused = next((state for state in states if isinstance(state, Denied | Absent)), None)
        missing = refused.message if refused else "only these namespaces are known to be readable"
        return Partial(len(readable), len(states), missing)
    if polled := [state for state in readable if isinstance(state, Polled)]:
        return polled[0]
    return Live()
