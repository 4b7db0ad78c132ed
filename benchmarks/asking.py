"""Requests one after the other over one kept connection, without an event loop: what is timed is the server."""

from __future__ import annotations

import http.client
import json
import socket
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from benchmarks.access import Access


class Asking:
    """A connection to a cluster.

    Args:
        access: where, and how to get in.
    """

    def __init__(self, access: Access) -> None:
        self._headers = access.headers
        self._connection = http.client.HTTPSConnection(urlsplit(access.server).netloc, context=access.trust)
        self._connection.connect()
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._connection.close()

    def get(self, path: str, accept: str = "application/json") -> bytes:
        """The body of an answer.

        Args:
            path: what to ask for.
            accept: in which representation.
        """
        return self._ask("GET", path, None, {"Accept": accept})

    def patch(self, path: str, change: list[dict[str, Any]], kind: str) -> None:
        """Patch an object.

        Args:
            path: which.
            change: how.
            kind: the patch's content type.
        """
        self._ask("PATCH", path, json.dumps(change).encode(), {"Content-Type": kind})

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> bytes:
        self._connection.request(method, path, body, {**self._headers, **headers})
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{method} {path} was answered with {answer.status}: {content[:200].decode()}")
        return content
