"""Faults to order: what a client must live with happens to the embedded cluster when asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ktui.demo.errors import StatusError
from ktui.demo.storage import Storage
from ktui.demo.watches import Watches

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
class Answer:
    """An answer given in place of the right one.

    Attributes:
        error: code, reason and message.
        plain_text: whether the body is text, not a Status.
        times: how many requests still get it.
        path: only paths that contain this.
    """

    error: StatusError
    plain_text: bool
    times: int
    path: str

    @property
    def text(self) -> str:
        """The body when it is text."""
        return _PLAIN_TEXTS.get(self.error.code, self.error.message) + "\n"


class Faults:
    """Faults of one server.

    Args:
        storage: whose history `expire` cuts off.
        watches: the open watches.
        stop_listening: closes the listening socket and aborts every connection.
        listen_again: opens it again at the same port.
    """

    def __init__(
        self,
        storage: Storage,
        watches: Watches,
        stop_listening: Callable[[], Awaitable[None]],
        listen_again: Callable[[], Awaitable[None]],
    ) -> None:
        self._storage = storage
        self._watches = watches
        self._stop_listening = stop_listening
        self._listen_again = listen_again
        self._answers: list[Answer] = []
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._return: asyncio.Task[None] | None = None

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

    def status(
        self,
        code: int,
        *,
        retry_after: int | None = None,
        times: int = 1,
        plain_text: bool = False,
        path: str = "",
    ) -> None:
        """Answers the next requests with an error.

        Args:
            code: HTTP status.
            retry_after: seconds for the Retry-After header.
            times: how many requests.
            plain_text: answer with text in place of a Status, as API priority and fairness does for 429.
            path: only requests whose path and query contain this.
        """
        reason, message = _REASONS.get(code, ("", f"injected {code}"))
        error = StatusError(code, reason, message, retry_after=retry_after)
        self._answers.append(Answer(error, plain_text, times, path))

    def hang(self) -> None:
        """Accepts requests but answers none until `release`; open watches fall silent, too."""
        self._flowing.clear()

    def release(self) -> None:
        """Answers what hangs, and goes on as usual."""
        self._flowing.set()

    def clear(self) -> None:
        """Takes back all ordered answers, and releases what hangs."""
        self._answers.clear()
        self.release()

    async def pass_through(self) -> None:
        """Waits while the server hangs."""
        await self._flowing.wait()

    def answer_to(self, path: str) -> Answer | None:
        """The ordered answer for a request, if there is one; it is used up."""
        for answer in self._answers:
            if answer.path in path:
                answer.times -= 1
                if answer.times <= 0:
                    self._answers.remove(answer)
                return answer
        return None

    def close(self) -> None:
        """Forgets an ordered return, and releases what hangs."""
        if self._return is not None:
            self._return.cancel()
        self.release()

    async def _accept_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self.accept()
