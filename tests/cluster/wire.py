"""Wire: what lies between ktui and a cluster, and does to requests and watches what networks and proxies do.

It forwards to the cluster, so that everything but the ordered fault is genuine, on the embedded cluster as
on a real one.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from aiohttp import web
from yarl import URL

from ktui.demo.tls import make_identity
from ktui.kube.kubeconfig import load_kubeconfig

_HOP_BY_HOP = {"host", "connection", "transfer-encoding", "content-length", "keep-alive", "date", "server"}


@dataclass(frozen=True)
class Asked:
    """A request that came by.

    Attributes:
        method: GET, POST ...
        path: without its query.
        query: its parameters.
    """

    method: str
    path: str
    query: Mapping[str, str]

    @property
    def watch(self) -> bool:
        """Whether it asks for a watch."""
        return "watch" in self.query

    @property
    def lists(self) -> bool:
        """Whether it asks for a list or a page of one."""
        return self.method == "GET" and not self.watch and ("limit" in self.query or "continue" in self.query)


@dataclass
class _Answer:
    status: int
    body: bytes
    headers: dict[str, str]
    when: Callable[[Asked], bool]
    times: int


@dataclass(eq=False)
class _Stream:
    request: web.Request
    response: web.StreamResponse
    pump: asyncio.Task[None] | None = None
    clean: bool = field(default=True)


class Wire:
    """A forwarding HTTPS server with faults to order.

    Args:
        kubeconfig: of the cluster, by user.
        folder: where kubeconfigs that lead over the wire are written.

    Attributes:
        asked: all requests that came by.
    """

    def __init__(self, kubeconfig: Callable[[str], Path], folder: Path) -> None:
        self.asked: list[Asked] = []
        self._kubeconfig = kubeconfig
        self._folder = folder
        self._identity = make_identity()
        self._server = load_kubeconfig((kubeconfig("admin"),)).target(None).cluster.server
        self._answers: list[_Answer] = []
        self._streams: set[_Stream] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()

    async def __aenter__(self) -> Wire:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=False, limit=0), auto_decompress=False, read_bufsize=2**20
        )
        # Cancelled when the client goes away, so that its watch on the cluster ends, too.
        server = web.Server(self._handle, handler_cancellation=True)  # type: ignore[arg-type]
        self._runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._identity.context)
        await site.start()
        self.url = f"https://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *failure: object) -> None:
        self.flow()
        self.break_watches()
        await self._runner.cleanup()
        await self._session.close()

    def kubeconfig(self, user: str = "admin") -> Path:
        """The path of a user's kubeconfig that leads over the wire."""
        there = yaml.safe_load(self._kubeconfig(user).read_text())
        for cluster in there["clusters"]:
            cluster["cluster"] = {"server": self.url, "insecure-skip-tls-verify": True}
        path = self._folder / f"{user}.wire.kubeconfig"
        path.write_text(json.dumps(there))
        return path

    def answer(
        self,
        status: int,
        body: Mapping[str, Any] | str = "",
        *,
        headers: Mapping[str, str] | None = None,
        when: Callable[[Asked], bool] = lambda asked: True,
        times: int = 1,
    ) -> None:
        """Answer the next `times` requests for which `when` holds, instead of the cluster.

        Args:
            status: the HTTP status.
            body: a Status object, or plain text.
            headers: more headers, such as Retry-After.
            when: which requests.
            times: how many of them.
        """
        kind = "text/plain; charset=utf-8" if isinstance(body, str) else "application/json"
        text = body if isinstance(body, str) else json.dumps(body)
        self._answers.append(_Answer(status, text.encode(), {"Content-Type": kind, **(headers or {})}, when, times))

    def break_watches(self) -> None:
        """Reset the connections of all open watches."""
        for stream in tuple(self._streams):
            stream.clean = False
            assert stream.pump is not None
            stream.pump.cancel()

    def end_watches(self) -> None:
        """End all open watches in an orderly way, as a server does when their time is up."""
        for stream in tuple(self._streams):
            assert stream.pump is not None
            stream.pump.cancel()

    async def say(self, event: Mapping[str, Any]) -> None:
        """Put a line into all open watches; they must be quiet."""
        for stream in tuple(self._streams):
            await stream.response.write(json.dumps(event).encode() + b"\n")

    def hold(self) -> None:
        """Let nothing through, neither answers nor events, until `flow`; what is held when a watch ends is lost."""
        self._flowing.clear()

    def flow(self) -> None:
        """Let everything through again."""
        self._flowing.set()

    @property
    def watches(self) -> int:
        """How many watches are open."""
        return len(self._streams)

    def count(self, when: Callable[[Asked], bool]) -> int:
        """How many requests came by for which `when` holds."""
        return sum(map(when, self.asked))

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        asked = Asked(request.method, request.path, dict(request.query))
        self.asked.append(asked)
        if (ordered := self._ordered(asked)) is not None:
            return web.Response(status=ordered.status, body=ordered.body, headers=ordered.headers)
        body = await request.read()
        await self._flowing.wait()
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP}
        url = URL(f"{self._server}{request.raw_path}", encoded=True)
        try:
            async with self._session.request(request.method, url, headers=headers, data=body or None) as upstream:
                kept = {name: value for name, value in upstream.headers.items() if name.lower() not in _HOP_BY_HOP}
                if asked.watch and upstream.status == 200:
                    return await self._forward(request, web.StreamResponse(headers=kept), upstream.content)
                return web.Response(status=upstream.status, body=await upstream.read(), headers=kept)
        except aiohttp.ClientError:
            return web.Response(status=502)

    def _ordered(self, asked: Asked) -> _Answer | None:
        for answer in self._answers:
            if answer.when(asked):
                answer.times -= 1
                if answer.times == 0:
                    self._answers.remove(answer)
                return answer
        return None

    async def _forward(
        self, request: web.Request, response: web.StreamResponse, source: aiohttp.StreamReader
    ) -> web.StreamResponse:
        await response.prepare(request)
        stream = _Stream(request, response)
        stream.pump = asyncio.create_task(self._pump(source, response))
        self._streams.add(stream)
        try:
            await asyncio.wait({stream.pump})
        finally:
            self._streams.discard(stream)
            stream.pump.cancel()
        if request.transport is not None:
            if stream.clean:
                await response.write_eof()
            else:
                request.transport.abort()
        return response

    async def _pump(self, source: aiohttp.StreamReader, response: web.StreamResponse) -> None:
        try:
            while chunk := await source.readany():
                await self._flowing.wait()
                await response.write(chunk)
        except (aiohttp.ClientError, ConnectionError):
            # One of the two sides is gone, which ends the stream for the other.
            return
