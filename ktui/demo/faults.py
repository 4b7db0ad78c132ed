"""Faults to order: what a client must live with happens to the embedded cluster when asked for.

Which requests a fault befalls is said alike everywhere: by their verbs (none named: all of them), by a part of their
path and query, and by how many they are (None: all to come, until `clear`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import TypeVar

from ktui.demo.clock import Clock
from ktui.demo.errors import StatusError
from ktui.demo.router import Call
from ktui.demo.storage import Storage
from ktui.demo.watches import Watches

WRITES = ("create", "update", "patch", "delete", "deletecollection")

_REASONS = {
    401: ("Unauthorized", "Unauthorized"),
    403: ("Forbidden", "forbidden"),
    429: ("TooManyRequests", "The server has received too many requests and has asked us to try again later"),
    500: ("InternalError", "Internal error occurred: injected"),
    503: ("ServiceUnavailable", "the server is currently unable to handle the request"),
    504: ("Timeout", "the server was unable to return a response in the time allotted"),
}
_PLAIN_TEXTS = {429: "Too many requests, please try again later."}


@dataclass(slots=True)
class _Chosen:
    """Which requests something befalls."""

    verbs: Collection[str]
    path: str
    times: int | None

    def befalls(self, call: Call, path: str) -> bool:
        return (not self.verbs or call.verb in self.verbs) and self.path in path


_Order = TypeVar("_Order", bound=_Chosen)


@dataclass(slots=True)
class Answer(_Chosen):
    """An answer given in place of the right one.

    Attributes:
        error: code, reason and message.
        plain_text: whether the body is text, not a Status.
    """

    error: StatusError
    plain_text: bool = False

    @property
    def text(self) -> str:
        """The body when it is text."""
        return _PLAIN_TEXTS.get(self.error.code, self.error.message) + "\n"


@dataclass(slots=True)
class _Delay(_Chosen):
    seconds: float
    done_first: bool


@dataclass(slots=True)
class _Storm:
    resource: str
    place: tuple[str, str]
    times: int | None
    changes: int = 0


class Faults:
    """Faults of one server.

    Args:
        storage: whose history `expire` cuts off.
        clock: by which delays are long.
        watches: the open watches.
        stop_listening: closes the listening socket and aborts every connection.
        listen_again: opens it again at the same port.
    """

    def __init__(
        self,
        storage: Storage,
        clock: Clock,
        watches: Watches,
        stop_listening: Callable[[], Awaitable[None]],
        listen_again: Callable[[], Awaitable[None]],
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._watches = watches
        self._stop_listening = stop_listening
        self._listen_again = listen_again
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._return: asyncio.Task[None] | None = None
        self._forget()

    # -- The server as a whole ---------------------------------------------------------------------------------------

    async def refuse(self, seconds: float | None = None) -> None:
        """Drops every connection and refuses new ones: for some seconds, or until `accept`.

        Args:
            seconds: real seconds, None for no end.
        """
        await self._stop_listening()
        if seconds is not None:
            self._return = asyncio.create_task(self._accept_after(seconds))

    async def accept(self) -> None:
        """Listens again, at the same port."""
        if self._return is not None and self._return is not asyncio.current_task():
            self._return.cancel()
        self._return = None
        await self._listen_again()

    def drop_watches(self, resource: str | None = None) -> None:
        """Ends open watches in an orderly way, as a server does when their time is up.

        Args:
            resource: the key of one resource, None for all.
        """
        self._watches.end_all(resource)

    def expire(self) -> None:
        """Forgets history: every older resource version and continue token is answered with 410."""
        self._storage.version += 1  # so that versions clients got a moment ago are older, too
        self._storage.forget_history()

    def hang(self) -> None:
        """Accepts requests but answers none until `release`; open watches fall silent, too."""
        self._flowing.clear()

    def release(self) -> None:
        """Answers what hangs, and goes on as usual."""
        self._flowing.set()

    def clear(self) -> None:
        """Takes back everything that was ordered for requests to come, and releases what hangs."""
        self._forget()
        self.release()

    # -- Chosen requests ---------------------------------------------------------------------------------------------

    def status(
        self,
        code: int,
        *,
        retry_after: int | None = None,
        times: int | None = 1,
        plain_text: bool = False,
        path: str = "",
        verbs: Collection[str] = (),
    ) -> None:
        """Answers requests with an error in place of doing them.

        Args:
            code: HTTP status.
            retry_after: seconds for the Retry-After header.
            times: how many requests.
            plain_text: answer with text in place of a Status, as API priority and fairness does for 429.
            path: only requests whose path and query contain this.
            verbs: only these.
        """
        reason, message = _REASONS.get(code, ("", f"injected {code}"))
        error = StatusError(code, reason, message, retry_after=retry_after)
        self._answers.append(Answer(verbs, path, times, error, plain_text))

    def deny(
        self,
        why: str,
        *,
        webhook: str = "policy.example.com",
        code: int = 403,
        times: int | None = None,
        path: str = "",
        verbs: Collection[str] = WRITES,
    ) -> None:
        """Has an admission webhook refuse writes that their sender may make, dry runs among them.

        Args:
            why: the webhook's words; "" when it gives none.
            webhook: its name.
            code: HTTP status, such as 403 or 400.
            times: how many requests.
            path: only requests whose path and query contain this.
            verbs: only these.
        """
        refusal = f'admission webhook "{webhook}" denied the request'
        message = f"{refusal}: {why}" if why else f"{refusal} without explanation"
        error = StatusError(code, "Forbidden" if code == 403 else "", message)
        self._denials.append(Answer(verbs, path, times, error))

    def delay(
        self,
        seconds: float,
        *,
        done_first: bool = False,
        times: int | None = 1,
        path: str = "",
        verbs: Collection[str] = (),
    ) -> None:
        """Takes its time over requests.

        Args:
            seconds: how long, by the cluster's clock.
            done_first: whether what was asked for is done at once, and only its answer is late.
            times: how many requests.
            path: only requests whose path and query contain this.
            verbs: only these.
        """
        self._delays.append(_Delay(verbs, path, times, seconds, done_first))

    def contend(self, resource: str, namespace: str, name: str, *, times: int | None = None) -> None:
        """Has somebody else write an object just before each update and patch of it: whoever read it is too late.

        Args:
            resource: the key of its resource.
            namespace: its namespace, "" for none.
            name: its name.
            times: how many requests.
        """
        self._storms.append(_Storm(resource, (namespace, name), times))

    def lose_answer(self, *, times: int | None = 1, path: str = "", verbs: Collection[str] = WRITES) -> None:
        """Does what is asked for, but drops the connection before it is answered.

        Args:
            times: how many requests.
            path: only requests whose path and query contain this.
            verbs: only these.
        """
        self._lost.append(_Chosen(verbs, path, times))

    def die_after(self, *, path: str = "", verbs: Collection[str] = ()) -> None:
        """Answers one more such request, then is gone as after `refuse`, until `accept`.

        Args:
            path: only a request whose path and query contain this.
            verbs: only these.
        """
        self._last.append(_Chosen(verbs, path, 1))

    # -- What the server asks ----------------------------------------------------------------------------------------

    def answer_to(self, call: Call, path: str) -> Answer | None:
        """The ordered answer for a request, if there is one; it is used up."""
        return _take(self._answers, call, path)

    async def pass_through(self) -> None:
        """Waits while the server hangs."""
        await self._flowing.wait()

    async def before(self, call: Call, path: str) -> Callable[[], Awaitable[None]]:
        """Waits before a request is looked at; returns what is to be waited for before it is answered."""
        await self.pass_through()
        found = _take(self._delays, call, path)
        if found is None:
            return _at_once
        if not found.done_first:
            await self._wait(found.seconds)
            return _at_once
        return lambda: self._wait(found.seconds)

    def admit(self, call: Call, path: str) -> None:
        """What happens to a request that may be made, before it is done.

        Raises:
            StatusError: a webhook refuses it.
        """
        denial = _take(self._denials, call, path)
        if denial is not None:
            raise denial.error
        for storm in [*self._storms] if call.verb in ("update", "patch") else ():
            if (storm.resource, storm.place) == (call.key, (call.namespace, call.name)):
                self._change(storm)

    def loses(self, call: Call, path: str) -> bool:
        """Whether this request's answer is lost."""
        return _take(self._lost, call, path) is not None

    def is_last(self, call: Call, path: str) -> bool:
        """Whether the server is gone once this request is answered."""
        return _take(self._last, call, path) is not None

    def die(self) -> None:
        """Refuses soon, when what was written has left."""
        task = asyncio.create_task(self.refuse())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """Forgets an ordered return, and releases what hangs."""
        if self._return is not None:
            self._return.cancel()
        self.release()

    def _forget(self) -> None:
        self._answers: list[Answer] = []
        self._denials: list[Answer] = []
        self._delays: list[_Delay] = []
        self._storms: list[_Storm] = []
        self._lost: list[_Chosen] = []
        self._last: list[_Chosen] = []

    def _change(self, storm: _Storm) -> None:
        obj = self._storage.get(storm.resource, *storm.place)
        if obj is None:
            return
        storm.changes += 1
        if storm.changes == storm.times:
            self._storms.remove(storm)
        metadata = obj["metadata"]
        marks = {**(metadata.get("annotations") or {}), "demo.ktui.dev/storm": str(storm.changes)}
        self._storage.update(storm.resource, {**obj, "metadata": {**metadata, "annotations": marks}})

    async def _wait(self, seconds: float) -> None:
        due = asyncio.Event()
        timer = self._clock.call_at(self._clock.now() + seconds, due.set)
        try:
            await due.wait()
        finally:
            timer.cancel()

    async def _accept_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self.accept()


async def _at_once() -> None:
    return


def _take(orders: list[_Order], call: Call, path: str) -> _Order | None:
    """The first order for a request; one of its times is used up."""
    for order in orders:
        if order.befalls(call, path):
            if order.times is not None:
                order.times -= 1
                if order.times <= 0:
                    orders.remove(order)
            return order
    return None
