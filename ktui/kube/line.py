"""Line: one HTTP session with the credential it shows, and what goes over it."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from ktui.kube.call import Call
from ktui.kube.credentials import Credential
from ktui.kube.diagnosis import FAILURES, connection_failed
from ktui.kube.errors import ConnectionFailed, UnexpectedAnswer
from ktui.kube.meter import Meter
from ktui.kube.pace import Pace, round_trip

CONNECT_SECONDS = 10.0
"""How long a connection may take to stand: TCP, proxy and TLS together."""

UNPACKED_AT_ONCE = 64 * 1024
"""Bytes of a packed body that are unpacked on the event loop; more goes to a thread."""

# A dead line is noticed within a minute, also by a watch that has nothing to read.
_KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPALIVE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}

_GZIP = 31
"""zlib's window bits for a gzip header and trailer."""


class Pool:
    """The connections that show one client certificate; closed when retired and no longer used."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self.uses = 0
        self._retired = False
        # One connection a watch, so there is no limit. Bodies are counted as they come over the wire, hence unpacked by
        # Answer.
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=context or True, socket_factory=_socket, keepalive_timeout=30),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            read_bufsize=2**20,
            trust_env=False,
        )
        # aiohttp sends what it holds for idempotent once more when the line breaks: a DELETE that was done would be
        # done again, to whatever has that name by then.
        self.session._retry_connection = False

    async def retire(self) -> None:
        """Close it as soon as nothing uses it."""
        self._retired = True
        await self.close_if_done()

    async def close_if_done(self) -> None:
        """Close it when it is retired and nothing uses it."""
        if self._retired and self.uses == 0:
            await self.session.close()

    async def close(self) -> None:
        """Close it now, without waiting for farewells."""
        connector = self.session.connector
        if connector is not None:
            await connector.close(abort_ssl=True)
        await self.session.close()
        # Transports that were cut off tell their protocols in the loop's next round.
        await asyncio.sleep(0)


class Line:
    """A pool of connections with the headers that say who asks. Entered while a request is under way.

    Args:
        server: the server's URL, without a slash at its end and without any password.
        credential: what the headers and the pool's certificate were made from.
        pool: the connections; lines with the same client certificate share them.
        headers: they hold the token, and so are never kept in a variable that a traceback could show.
        configuration: kubernetes-asyncio's, for the proxy and the server's name.
    """

    def __init__(
        self, server: str, credential: Credential, pool: Pool, headers: CIMultiDict[str], configuration: Any
    ) -> None:
        self.server = server
        self.credential = credential
        self.pool = pool
        self._headers = headers
        self._proxy: str | None = configuration.proxy or None
        self._server_hostname: str | None = configuration.tls_server_name or None

    async def __aenter__(self) -> Line:
        self.pool.uses += 1
        return self

    async def __aexit__(self, *failure: object) -> None:
        self.pool.uses -= 1
        await self.pool.close_if_done()

    async def send(self, call: Call, meter: Meter) -> Answer:
        """The head of the answer, whatever its status.

        Raises:
            ConnectionFailed: there is none.
        """
        meter.sent()
        more = {"Accept": call.accept, "Accept-Encoding": call.encoding}
        if call.body is not None:
            more["Content-Type"] = call.content_type
        # Connecting is limited as a whole; of the rest only the pauses, as an answer may be long and a watch endless.
        timeout = aiohttp.ClientTimeout(
            total=None, connect=CONNECT_SECONDS, sock_connect=CONNECT_SECONDS, sock_read=call.idle
        )
        try:
            return Answer(
                await self.pool.session.request(
                    call.method,
                    URL(call.url(self.server), encoded=True),
                    headers=self._with(more),
                    data=call.body,
                    timeout=timeout,
                    # Go's clients follow redirections, API servers send none: those of login pages are no answer.
                    allow_redirects=False,
                    proxy=self._proxy,
                    server_hostname=self._server_hostname,
                ),
                self.server,
                meter,
            )
        except FAILURES as error:
            failure = connection_failed(self.server, error)
        raise failure

    async def upgrade(
        self, call: Call, protocols: tuple[str, ...], meter: Meter
    ) -> aiohttp.ClientWebSocketResponse | int:
        """An open WebSocket, or the status of its refusal, whose text is lost.

        Raises:
            ConnectionFailed: there is no answer.
        """
        meter.sent()
        try:
            async with asyncio.timeout(CONNECT_SECONDS + call.idle):
                return await self.pool.session.ws_connect(
                    URL(call.url(self.server), encoded=True),
                    headers=self._with({}),
                    protocols=protocols,
                    proxy=self._proxy,
                    server_hostname=self._server_hostname,
                    heartbeat=30,
                    max_msg_size=0,
                )
        except aiohttp.WSServerHandshakeError as error:
            return error.status
        except FAILURES as error:
            failure = connection_failed(self.server, error)
        raise failure

    def _with(self, more: Mapping[str, str]) -> CIMultiDict[str]:
        headers = self._headers.copy()
        headers.update(more)
        return headers


class Answer:
    """The head of an answer, and its body as it comes.

    Attributes:
        status: the HTTP status.
        headers: by any case of the name.
    """

    def __init__(self, response: aiohttp.ClientResponse, server: str, meter: Meter) -> None:
        self.status = response.status
        self.headers = response.headers
        self._response = response
        self._server = server
        self._meter = meter

    def __enter__(self) -> Answer:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def close(self) -> None:
        """Let its connection go: back to the pool when it was read to its end, else cut off.

        A watch that is left is cut off without TLS's farewell: nobody waits for it, and a dead server never answers.
        """
        connection = self._response.connection
        if connection is not None and connection.transport is not None:
            connection.transport.abort()
        self._response.close()

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes, packed if it is packed.

        Raises:
            ConnectionFailed: it broke off, or paused for longer than the call's idle time.
        """
        read = self._response.content.readany
        while True:
            try:
                chunk = await read()
            except FAILURES as error:
                failure = connection_failed(self._server, error)
                break
            if not chunk:
                return
            self._meter.received(len(chunk))
            yield chunk
        raise failure

    async def body(self, most: int, pace: Pace) -> bytes:
        """The whole body, unpacked.

        Args:
            most: bytes that are taken, packed and unpacked.
            pace: told how fast it came.

        Raises:
            ConnectionFailed: it broke off.
            UnexpectedAnswer: there is more, or it cannot be unpacked.
        """
        pieces, size = [], 0
        # Afterwards it belongs to whoever asks next.
        connection = self._response.connection
        there_and_back = round_trip(connection.transport) if connection is not None else None
        began = time.perf_counter()
        async for chunk in self.chunks():
            pieces.append(chunk)
            if (size := size + len(chunk)) > most:
                raise UnexpectedAnswer(self._server, f"more than {most:,} bytes")
        content = b"".join(pieces)
        pieces.clear()
        encoding = self.headers.get("Content-Encoding", "identity")
        pace.took(size, time.perf_counter() - began, packed=encoding != "identity", round_trip=there_and_back)
        if encoding == "identity":
            return content
        if encoding != "gzip":
            raise UnexpectedAnswer(self._server, "an encoding that was not asked for")
        if len(content) <= UNPACKED_AT_ONCE:
            return _unpacked(content, most, self._server)
        return await asyncio.to_thread(_unpacked, content, most, self._server)

    async def beginning(self, most: int) -> bytes:
        """The first bytes of an error's body, unpacked; whatever came, when it breaks off.

        Args:
            most: bytes that are taken.
        """
        content = b""
        try:
            async for chunk in self.chunks():
                content += chunk
                if len(content) >= most:
                    break
        except ConnectionFailed:
            # The status was heard; what was to explain it was not.
            pass
        if self.headers.get("Content-Encoding") == "gzip":
            try:
                content = zlib.decompressobj(wbits=_GZIP).decompress(content, most)
            except zlib.error:
                return b""
        return content[:most]


def _unpacked(packed: bytes, most: int, server: str) -> bytes:
    unpacking = zlib.decompressobj(wbits=_GZIP)
    with suppress(zlib.error):
        content = unpacking.decompress(packed, most)
        if unpacking.eof:
            return content
    raise UnexpectedAnswer(server, "a packed body that is damaged or too large")


def _socket(address: Any) -> socket.socket:
    family, kind, protocol = address[:3]
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        if (option := getattr(socket, name, None)) is not None:
            made.setsockopt(socket.IPPROTO_TCP, option, value)
    return made
