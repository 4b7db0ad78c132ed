"""Client: requests to one cluster, as one identity.

    client = await Client.connect(load_kubeconfig(), "prod")
    answer = await client.request("GET", "/api/v1/namespaces/shop/pods", query={"limit": "500"})
    async with client.stream("GET", "/api/v1/pods", query={"watch": "1"}, idle=100) as stream:
        async for chunk in stream: ...

Every answer other than 2xx is raised as an `ApiError`, every failure to get one as a `ConnectionFailed`. A 401 renews
the credentials and repeats the request, once. Nothing is retried otherwise: that is the business of who asks.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from ktui import __version__
from ktui.kube.call import Call, Query
from ktui.kube.errors import UnexpectedAnswer, api_error
from ktui.kube.meter import Meter
from ktui.kube.pace import Pace
from ktui.kube.status import LARGEST_ERROR_BODY, warnings_of

if TYPE_CHECKING:
    import aiohttp

    from ktui.kube.connection import Connection
    from ktui.kube.kubeconfig import Kubeconfig, Target
    from ktui.kube.line import Answer

JSON = "application/json"
USER_AGENT = f"ktui/{__version__}"

REQUEST_IDLE = 65.0
"""Seconds for which an answer may pause: a little more than the server's own limit, so that its words are heard."""

LARGEST_BODY = 1 << 30
"""Bytes of an answer that are taken at most."""

EXEC_PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")


@dataclass(frozen=True, slots=True)
class Identity:
    """Where a client is connected, and as whom; it never has a credential in it.

    Attributes:
        context: the context's name.
        cluster: the cluster entry's name.
        server: the server's URL.
        user: the user entry's name; empty when anonymous.
        namespace: the context's namespace.
        acting_as: whom the user entry impersonates; empty for nobody.
        trusted: whether the server's certificate is checked.
    """

    context: str
    cluster: str
    server: str
    user: str
    namespace: str
    acting_as: str = ""
    trusted: bool = True


@dataclass(frozen=True, slots=True)
class Response:
    """A whole 2xx answer.

    Attributes:
        status: 200 to 299.
        headers: by any case of the name.
        body: unpacked.
        warnings: the server's Warning headers, safe to show: deprecated APIs, unknown fields.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    warnings: tuple[str, ...] = ()


class Stream:
    """A 2xx answer that goes on: iterate over it for chunks of bytes, cut anywhere.

    Attributes:
        status: 200 to 299.
        headers: by any case of the name.
        warnings: the server's Warning headers, safe to show.
    """

    def __init__(self, answer: Answer) -> None:
        self.status = answer.status
        self.headers: Mapping[str, str] = answer.headers
        self.warnings = _warnings(answer)
        self._answer = answer

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The chunks as they arrive, until the server ends the answer.

        Raises:
            ConnectionFailed: the connection broke off, or nothing came for longer than the idle time.
        """
        return self._answer.chunks()


class Client:
    """Requests to one cluster; made by `connect`.

    Attributes:
        identity: where, and as whom.
        meter: how much has been asked.
    """

    def __init__(self, connection: Connection, identity: Identity) -> None:
        self.identity = identity
        self.meter = Meter()
        self._pace = Pace()
        self._connection = connection

    @classmethod
    async def connect(
        cls, kubeconfig: Kubeconfig, context: str | None = None, *, user_agent: str = USER_AGENT
    ) -> Client:
        """A client for a context. No request is made yet, and no plugin is run.

        Args:
            kubeconfig: where the context is defined.
            context: its name; None for the current one.
            user_agent: how ktui introduces itself.

        Raises:
            ConfigError: the context, its server address or its certificates cannot be used.
        """
        target = kubeconfig.target(context)
        # A tenth of a second of imports, away from the event loop.
        connection: Connection = (await asyncio.to_thread(import_network)).Connection(target, user_agent)
        if target.user.plugin is None and not target.user.provider:
            await connection.line()
        return cls(connection, _identity(target, connection.server))

    async def close(self) -> None:
        """Close all connections; what is under way fails."""
        await self._connection.close()

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        accept: str = JSON,
        body: bytes | None = None,
        content_type: str = JSON,
        idle: float = REQUEST_IDLE,
    ) -> Response:
        """Ask, and wait for the whole answer.

        Args:
            method: GET, POST, PUT, PATCH, DELETE.
            path: as people write it, `/apis/apps/v1/namespaces/shop/deployments/web`; it is encoded here.
            query: the parameters; pairs where one is repeated.
            accept: which representations are wanted.
            body: what is sent, if anything.
            content_type: of `body`; for PATCH it says which kind of patch.
            idle: seconds for which the answer may pause.

        Raises:
            ApiError: the server says no.
            ConnectionFailed: no complete answer came.
            UnexpectedAnswer: something else than an API server answers.
            ConfigError: there are no credentials to ask with.
        """
        call = Call(method, path, query, accept, body, content_type, idle, self._pace.encoding)
        async with AsyncExitStack() as stack:
            answer = await self._accepted(call, stack)
            whole = await answer.body(LARGEST_BODY, self._pace)
            return Response(answer.status, answer.headers, whole, _warnings(answer))

    async def get_json(self, path: str, type: Any = Any, *, query: Query | None = None, accept: str = JSON) -> Any:  # noqa: A002
        """GET something small and decode it.

        Args:
            path: as for `request`.
            type: a msgspec type; anything when not given.
            query: as for `request`.
            accept: as for `request`.

        Raises:
            KtuiError: as `request`; UnexpectedAnswer also for an answer of another shape.
        """
        response = await self.request("GET", path, query=query, accept=accept)
        try:
            return msgspec.json.decode(response.body, type=type)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise UnexpectedAnswer(self.identity.server, "JSON of another shape") from None

    @asynccontextmanager
    async def stream(
        self, method: str, path: str, *, query: Query | None = None, accept: str = JSON, idle: float = REQUEST_IDLE
    ) -> AsyncIterator[Stream]:
        """Ask, and read the answer as it comes: a watch, a log.

        Args:
            method: GET.
            path: as for `request`.
            query: as for `request`.
            accept: as for `request`.
            idle: seconds for which the answer may pause; there is no other limit.

        Raises:
            KtuiError: as `request`, when entered.
        """
        call = Call(method, path, query, accept, None, "", idle, "identity")
        async with AsyncExitStack() as stack:
            answer = await self._accepted(call, stack)
            stack.enter_context(self.meter.open_stream())
            yield Stream(answer)

    @asynccontextmanager
    async def websocket(
        self, path: str, *, query: Query | None = None, protocols: Iterable[str] = EXEC_PROTOCOLS
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Open a WebSocket: exec, attach, port-forward. Which protocol the server chose, it says as `protocol`.

        Args:
            path: as for `request`.
            query: as for `request`; pairs, as `command` is repeated.
            protocols: the subprotocols offered, best first.

        Raises:
            KtuiError: as `request`, when entered.
        """
        call = Call("GET", path, query, "*/*", None, "", REQUEST_IDLE, "identity")
        async with AsyncExitStack() as stack:
            opened = await self._upgraded(call, tuple(protocols), stack)
            stack.enter_context(self.meter.open_stream())
            try:
                yield opened
            finally:
                await opened.close()

    async def _upgraded(
        self, call: Call, protocols: tuple[str, ...], stack: AsyncExitStack
    ) -> aiohttp.ClientWebSocketResponse:
        """The WebSocket a call opens, with credentials renewed if need be."""
        line = await stack.enter_async_context(await self._connection.line())
        opened = await line.upgrade(call, protocols, self.meter)
        if opened == 401 and (renewed := await self._connection.renewed(line)) is not None:
            line = await stack.enter_async_context(renewed)
            opened = await line.upgrade(call, protocols, self.meter)
        if isinstance(opened, int):
            # The refusal's words are lost with the handshake. The same request without an upgrade does nothing, is
            # refused for the same reason, and says it.
            await self.request(call.method, call.path, query=call.query, accept=call.accept)
            raise api_error(opened, {}, b"")
        return opened

    async def _accepted(self, call: Call, stack: AsyncExitStack) -> Answer:
        """The 2xx answer to a call, with credentials renewed if need be; let go when the stack is left."""
        line = await stack.enter_async_context(await self._connection.line())
        answer = stack.enter_context(await line.send(call, self.meter))
        if answer.status == 401 and (renewed := await self._connection.renewed(line)) is not None:
            answer.close()
            line = await stack.enter_async_context(renewed)
            answer = stack.enter_context(await line.send(call, self.meter))
        await self._check(answer, call)
        return answer

    async def _check(self, answer: Answer, call: Call) -> None:
        """Raise what an answer other than the wanted one means."""
        if 200 <= answer.status < 300:
            if "json" in call.accept and answer.headers.get("Content-Type", "").startswith("text/html"):
                raise UnexpectedAnswer(self.identity.server, "an HTML page")
        elif 300 <= answer.status < 400:
            raise UnexpectedAnswer(self.identity.server, f"a redirection ({answer.status})")
        else:
            body = await answer.beginning(LARGEST_ERROR_BODY)
            raise api_error(answer.status, answer.headers, body, _warnings(answer))


def import_network() -> Any:
    """The modules that talk, with what is used of aiohttp and kubernetes-asyncio; `connect` needs them.

    Returns:
        The module `ktui.kube.connection`.
    """
    importlib.import_module("ktui.kube.lean").import_aiohttp()
    connection = importlib.import_module("ktui.kube.connection")
    connection.configuration_parts()
    return connection


def _identity(target: Target, server: str) -> Identity:
    return Identity(
        target.context.name,
        target.cluster.name,
        server,
        target.user.name,
        target.context.namespace,
        acting_as=target.user.impersonation.user,
        trusted=not target.cluster.insecure,
    )


def _warnings(answer: Answer) -> tuple[str, ...]:
    return warnings_of(answer.headers.getall("Warning", []))
