"""The API server of the embedded cluster: it listens on loopback with TLS and answers as Kubernetes 1.36 does.

StatusError            errors.py      what an answer that is no success says
Call                   router.py      what a request means
Access                 rbac.py        whether the caller may
Api                    api.py         the answer
Faults                 faults.py      what goes wrong when ordered
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from aiohttp import web

from ktui.demo.api import Api
from ktui.demo.clock import Clock
from ktui.demo.errors import StatusError, unauthorized
from ktui.demo.faults import Answer, Faults
from ktui.demo.representations import encode
from ktui.demo.request import Reply, Request, Stream
from ktui.demo.router import Call, read_call
from ktui.demo.sources import NO_LOGS, NO_METRICS, Logs, Metrics
from ktui.demo.storage import Storage
from ktui.demo.tls import make_identity
from ktui.demo.users import ANONYMOUS, Tokens, User, kubeconfig, write_kubeconfig

_LARGEST_BODY = 3 * 1024 * 1024
_PATIENCE = 30.0  # seconds a client may take for what is written to it
_AT_ONCE = 512 * 1024  # bytes written before other work gets a turn
# Smaller bodies are not worth packing; above, loopback is faster than zlib.
_WORTH_PACKING = range(128 * 1024, 8 * 1024 * 1024)


class Server:
    """The API server.

    Args:
        storage: the cluster's objects.
        clock: for ages and timestamps.
        port: where to listen, 0 for any free port.
        metrics: where metrics.k8s.io takes its answers from.
        logs: where containers' logs come from.

    Attributes:
        url: the server's address, known after `start`.
        requests: how often each (verb, path with query) was asked for.
        faults: what to let go wrong.
    """

    def __init__(
        self,
        storage: Storage,
        clock: Clock,
        *,
        port: int = 0,
        metrics: Metrics = NO_METRICS,
        logs: Logs = NO_LOGS,
    ) -> None:
        self.url = ""
        self.requests: Counter[tuple[str, str]] = Counter()
        self._port = port
        self._identity = make_identity()
        self._tokens = Tokens()
        self._api = Api(storage, clock, metrics, logs)
        self.faults = Faults(storage, clock, self._api.watches, self._stop_listening, self._listen)
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None

    async def start(self) -> None:
        """Starts to listen; `url` and `kubeconfig` are good from here on."""
        app = web.Application(client_max_size=_LARGEST_BODY)
        app.router.add_route("*", "/{path:.*}", self._handle)
        # A client that went away cancels its request: a watch must not outlive it.
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await self._listen()
        self.url = f"https://127.0.0.1:{self._port}"

    async def stop(self) -> None:
        """Ends all watches and connections, and stops to listen."""
        self.faults.close()
        self._api.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
            self._site = None

    def kubeconfig(self, user: str = "admin", namespace: str | None = None) -> dict[str, Any]:
        """A kubeconfig for a user; its context is `demo` for admin, else `demo-USER`.

        Args:
            user: admin, viewer, dev or nobody.
            namespace: the context's namespace.
        """
        return kubeconfig(self.url, self._identity.authority, user, self._tokens.of(user), namespace)

    def write_kubeconfig(self, path: Path, user: str = "admin", namespace: str | None = None) -> None:
        """Writes a user's kubeconfig to a file only its owner can read."""
        write_kubeconfig(path, self.kubeconfig(user, namespace))

    def renew_tokens(self) -> None:
        """Makes every token handed out so far worthless, as expired credentials are."""
        self._tokens.renew()

    async def _listen(self) -> None:
        if self._site is not None or self._runner is None:
            return
        site = web.TCPSite(
            self._runner,
            "127.0.0.1",
            self._port,
            ssl_context=self._identity.context,
            reuse_address=True,
        )
        await site.start()
        self._port = self._runner.addresses[0][1]
        self._site = site

    async def _stop_listening(self) -> None:
        if self._site is None or self._runner is None:
            return
        site, self._site = self._site, None
        await site.stop()
        server = self._runner.server
        for connection in server.connections if server is not None else ():
            if connection.transport is not None:
                connection.transport.abort()

    async def _handle(self, http: web.Request) -> web.StreamResponse:
        call, path, faults = read_call(http.method, http.path, http.query), http.path_qs, self.faults
        self.requests[call.verb, path] += 1
        ordered = faults.answer_to(call, path)
        if ordered is not None:
            return _ordered(ordered)
        late = await faults.before(call, path)
        lost, last = faults.loses(call, path), faults.is_last(call, path)
        response = await self._answer(http, call)
        await late()
        if lost and http.transport is not None:
            http.transport.abort()
        if last:
            await response.prepare(http)
            await response.write_eof()
            faults.die()
        return response

    async def _answer(self, http: web.Request, call: Call) -> web.StreamResponse:
        warnings: list[str] = []
        try:
            user = self._authenticate(http)
            self._api.access.check(user, call)
            self.faults.admit(call, http.path_qs)
            request = await _read(http, call, user)
            warnings = request.warnings
            reply = await self._api.answer(request)
        except StatusError as error:
            return _warned(_failure(error), warnings)
        if isinstance(reply, Stream):
            return await self._stream(http, reply)
        return await _respond(http, reply, warnings)

    def _authenticate(self, http: web.Request) -> User:
        scheme, _, token = http.headers.get("Authorization", "").partition(" ")
        if not token:
            return ANONYMOUS
        user = self._tokens.owner(token.strip()) if scheme.lower() == "bearer" else None
        if user is None:
            raise unauthorized()
        return self._api.impersonated(user, http.headers)

    async def _stream(self, http: web.Request, stream: Stream) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={"Content-Type": stream.content_type, "Cache-Control": "no-cache, private"}
        )
        async with contextlib.aclosing(stream.chunks) as chunks:
            # A client that went away is no failure: there is nobody left to tell.
            with contextlib.suppress(ConnectionError):
                await response.prepare(http)
                try:
                    await self._write(response, chunks)
                except TimeoutError:
                    if http.transport is not None:
                        http.transport.abort()
        return response

    async def _write(self, response: web.StreamResponse, chunks: AsyncIterator[bytes]) -> None:
        async for chunk in chunks:
            await self.faults.pass_through()
            async with asyncio.timeout(_PATIENCE):
                await response.write(chunk)
        await response.write_eof()


async def _read(http: web.Request, call: Call, user: User) -> Request:
    try:
        body = await http.read() if http.body_exists else b""
    except web.HTTPRequestEntityTooLarge:
        why = f"Request entity too large: limit is {_LARGEST_BODY}"
        raise StatusError(413, "RequestEntityTooLarge", why) from None
    return Request(call, user, http.method, dict(http.query), http.headers, body)


async def _respond(http: web.Request, reply: Reply, warnings: list[str]) -> web.StreamResponse:
    headers = {"Content-Type": reply.content_type, "Cache-Control": "no-cache, private", **reply.headers}
    if "ETag" in headers and http.headers.get("If-None-Match") == headers["ETag"]:
        return web.Response(status=304, headers=headers)
    body = reply.body
    if len(body) in _WORTH_PACKING and "gzip" in http.headers.get("Accept-Encoding", ""):
        body = await asyncio.to_thread(gzip.compress, body, 1)
        headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    if len(body) > _AT_ONCE:
        return await _respond_in_pieces(http, reply.status, headers, body)
    return _warned(web.Response(status=reply.status, body=body, headers=headers), warnings)


def _warned(response: web.Response, warnings: list[str]) -> web.Response:
    for text in dict.fromkeys(warnings):
        quoted = text.replace("\\", "\\\\").replace('"', '\\"')
        response.headers.add("Warning", f'299 - "{quoted}"')
    return response


async def _respond_in_pieces(
    http: web.Request, status: int, headers: dict[str, str], body: bytes
) -> web.StreamResponse:
    """Sends a large body so that others get their turn while it is encrypted."""
    response = web.StreamResponse(status=status, headers=headers)
    response.content_length = len(body)
    await response.prepare(http)
    rest = memoryview(body)
    with contextlib.suppress(ConnectionError):
        for start in range(0, len(body), _AT_ONCE):
            await response.write(rest[start : start + _AT_ONCE])
            await asyncio.sleep(0)
        await response.write_eof()
    return response


def _failure(error: StatusError) -> web.Response:
    headers = {"Content-Type": "application/json", "Cache-Control": "no-cache, private"}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    return web.Response(status=error.code, body=encode(error.body()), headers=headers)


def _ordered(answer: Answer) -> web.Response:
    response = _failure(answer.error)
    if answer.plain_text:
        response.body = answer.text.encode()
        response.headers["Content-Type"] = "text/plain; charset=utf-8"
    return response
