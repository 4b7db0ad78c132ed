"""Requests reach the server whole, answers come back whole, and every failure is explained."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import sys
import time
import weakref
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import WSMsgType, web

from ktui.kube import access
from ktui.kube.client import Client
from ktui.kube.errors import (
    ConfigError,
    ConnectionFailed,
    Forbidden,
    KtuiError,
    NotFound,
    TooManyRequests,
    UnexpectedAnswer,
)
from ktui.kube.kubeconfig import load_kubeconfig
from tests.unit.tls_server import DAY, ApiServer, Authority, ConnectProxy, api_server, eventually, status_body


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ApiServer]:
    """A running API server."""
    async with api_server(tmp_path, monkeypatch) as made:
        yield made


@pytest.fixture
async def client(server: ApiServer) -> AsyncIterator[Client]:
    """A client of that server."""
    made = await server.client({"token": "t"})
    yield made
    await made.close()


def answering(body: bytes, status: int = 200, **headers: str) -> Any:
    """A server that always answers the same."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def respond(request: web.Request) -> web.StreamResponse:
        return web.Response(body=body, status=status, headers={"Content-Type": "application/json"} | named)

    return respond


async def connection_failure(api: ApiServer, **cluster: Any) -> ConnectionFailed:
    """Why a first request got no answer."""
    client = await api.client(cluster=cluster)
    try:
        with pytest.raises(ConnectionFailed) as raised:
            await client.request("GET", "/version")
    finally:
        await client.close()
    assert raised.value.next_step
    return raised.value


# -- asking ------------------------------------------------------------------------------------


async def test_request_arrives_as_asked(server: ApiServer, client: Client) -> None:
    """Method, path, parameters, body and headers arrive as given; ktui says who it is."""
    await client.request(
        "PATCH",
        "/apis/apps/v1/namespaces/shop/deployments/web",
        query={"fieldManager": "ktui", "dryRun": "All"},
        accept="application/json;as=Table;v=v1;g=meta.k8s.io",
        body=b'{"a": 1}',
        content_type="application/merge-patch+json",
    )
    request = server.requests[0]
    assert (request.method, request.path, server.bodies) == (
        "PATCH",
        "/apis/apps/v1/namespaces/shop/deployments/web",
        [b'{"a": 1}'],
    )
    assert dict(request.query) == {"fieldManager": "ktui", "dryRun": "All"}
    assert request.headers["Accept"] == "application/json;as=Table;v=v1;g=meta.k8s.io"
    assert request.headers["Content-Type"] == "application/merge-patch+json"
    assert request.headers["User-Agent"].startswith("ktui/")
    assert request.headers["Authorization"] == "Bearer t"


@pytest.mark.parametrize("name", ["a b", "system:node?x=1", "a#b", "ü", "a+b&c"])
async def test_unusual_names_stay_in_their_place(server: ApiServer, client: Client, name: str) -> None:
    """A name with characters that mean something in a URL reaches the server as a name."""
    await client.request(
        "GET", f"/apis/rbac.authorization.k8s.io/v1/clusterroles/{name}", query={"labelSelector": name}
    )
    assert server.requests[0].path.rsplit("/", 1)[1] == name
    assert dict(server.requests[0].query) == {"labelSelector": name}


async def test_repeated_parameters(server: ApiServer, client: Client) -> None:
    """Pairs give a parameter several times, in order."""
    await client.request("GET", "/exec", query=[("command", "ls"), ("command", "-l /")])
    assert server.requests[0].query.getall("command") == ["ls", "-l /"]


async def test_server_address_with_a_path(server: ApiServer) -> None:
    """A server behind a path, as multi-cluster proxies have it, is asked under that path."""
    client = await Client.connect(
        load_kubeconfig([server.kubeconfig(cluster={"server": f"{server.url}/k8s/clusters/c-1/"})])
    )
    await client.request("GET", "/version")
    await client.close()
    assert server.requests[0].path == "/k8s/clusters/c-1/version"


@pytest.mark.parametrize("address", ["ftp://x", "https://", "http://[::1", "https://x:port", "unix:///x"])
async def test_impossible_server_address(server: ApiServer, address: str) -> None:
    """An address that is no http or https URL is an error when connecting."""
    with pytest.raises(ConfigError, match="no http or https URL"):
        await server.client(cluster={"server": address})


async def test_identity_has_no_credentials(server: ApiServer) -> None:
    """Who and where is known at once, without a password that stands in the address."""
    address = server.url.replace("https://", "https://jo:canary@")
    client = await server.client({"token": "canary"}, {"server": address})
    await client.close()
    assert client.identity.server == server.url
    assert (client.identity.context, client.identity.user, client.identity.namespace) == ("here", "me", "shop")
    assert "canary" not in repr(client.identity)
    assert server.requests == []


async def test_certificates_are_read_in_a_thread(server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes time when connecting happens away from the event loop: imports, and reading certificates."""
    kubeconfig = load_kubeconfig([server.kubeconfig()])
    threaded: list[str] = []
    original = asyncio.to_thread

    async def to_thread(function: Any, *args: Any) -> Any:
        threaded.append(function.__name__)
        return await original(function, *args)

    monkeypatch.setattr(asyncio, "to_thread", to_thread)
    client = await Client.connect(kubeconfig)
    await client.close()
    assert threaded == ["import_network", "tls_context"]


# -- answers -----------------------------------------------------------------------------------


async def test_packed_answer_is_unpacked_and_counted_as_it_came(server: ApiServer, client: Client) -> None:
    """A gzipped list arrives whole; the meter counts what came over the wire."""
    body = json.dumps([f"pod-{n}" for n in range(100_000)]).encode()
    packed = gzip.compress(body)
    server.respond = answering(packed, Content_Encoding="gzip")
    answer = await client.request("GET", "/api/v1/pods")
    assert answer.body == body
    assert server.requests[0].headers["Accept-Encoding"] == "gzip"
    assert (client.meter.requests, client.meter.bytes_in) == (1, len(packed))


@pytest.mark.parametrize(
    ("body", "encoding"),
    [(b"no gzip", "gzip"), (gzip.compress(b"x" * 1000)[:-10], "gzip"), (b"x", "br")],
    ids=["nothing packed", "cut off", "another packing"],
)
async def test_damaged_packing(server: ApiServer, client: Client, body: bytes, encoding: str) -> None:
    """A body that cannot be unpacked is an error, not garbage."""
    server.respond = answering(body, Content_Encoding=encoding)
    with pytest.raises(UnexpectedAnswer):
        await client.request("GET", "/")


async def test_answer_that_unpacks_without_end(
    server: ApiServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small answer that unpacks to a huge one is refused at the limit."""
    monkeypatch.setattr("ktui.kube.client.LARGEST_BODY", 10_000)
    server.respond = answering(gzip.compress(b"0" * 1_000_000), Content_Encoding="gzip")
    with pytest.raises(UnexpectedAnswer, match="too large"):
        await client.request("GET", "/")


async def test_warnings_of_an_answer(server: ApiServer, client: Client) -> None:
    """What the server warns about comes with the answer."""
    server.respond = answering(b"{}", Warning='299 - "deprecated"')
    assert (await client.request("GET", "/")).warnings == ("deprecated",)


async def test_get_json_decodes_to_a_type(server: ApiServer, client: Client) -> None:
    """A small answer comes back as the wanted type; one of another shape is an error."""

    class Version(msgspec.Struct, rename="camel"):
        git_version: str

    server.respond = answering(b'{"gitVersion": "v1.36.2"}')
    assert (await client.get_json("/version", Version)).git_version == "v1.36.2"
    assert await client.get_json("/version") == {"gitVersion": "v1.36.2"}
    server.respond = answering(b"[]")
    with pytest.raises(UnexpectedAnswer):
        await client.get_json("/version", Version)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_status_is_always_checked(server: ApiServer, client: Client, method: str) -> None:
    """No answer other than 2xx comes back as a value, whatever was asked."""
    server.respond = answering(b'{"kind":"Status","reason":"Forbidden","message":"no"}', 403)
    with pytest.raises(Forbidden):
        await client.request(method, "/", body=b"{}" if method != "GET" else None)


async def test_busy_server(server: ApiServer, client: Client) -> None:
    """A plain-text 429 says how long to wait, and is not repeated here."""
    server.respond = answering(b"Too many requests\n", 429, Content_Type="text/plain", Retry_After="5")
    with pytest.raises(TooManyRequests) as raised:
        await client.request("GET", "/")
    assert (raised.value.retry_after, len(server.requests)) == (5, 1)


async def test_huge_error_is_cut(server: ApiServer, client: Client) -> None:
    """Of an error that is a novel only the beginning is read; the next request works."""

    async def respond(request: web.Request) -> web.StreamResponse:
        if request.path != "/novel":
            return web.json_response({})
        response = web.StreamResponse(status=500)
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 65536)
        except ConnectionError:
            return response

    server.respond = respond
    with pytest.raises(KtuiError):
        await client.request("GET", "/novel")
    assert client.meter.bytes_in < 10_000_000
    await client.request("GET", "/")


async def test_packed_error(server: ApiServer, client: Client) -> None:
    """An error that a proxy has packed is understood."""
    body = gzip.compress(b'{"kind":"Status","reason":"NotFound","message":"pods \\"x\\" not found"}')
    server.respond = answering(body, 404, Content_Encoding="gzip")
    with pytest.raises(NotFound) as raised:
        await client.request("GET", "/")
    assert raised.value.message == 'pods "x" not found'


async def test_login_page_is_no_answer(server: ApiServer, client: Client) -> None:
    """HTML with status 200, and a redirection to it, are something else than an API server."""
    server.respond = answering(b"<html>Please sign in", Content_Type="text/html; charset=utf-8")
    with pytest.raises(UnexpectedAnswer, match="an HTML page"):
        await client.request("GET", "/")
    server.respond = answering(b"", 302, Location="https://evil.example/login")
    with pytest.raises(UnexpectedAnswer, match="a redirection"):
        await client.request("GET", "/")
    assert len(server.requests) == 2


# -- streams -----------------------------------------------------------------------------------


async def test_stream_gives_chunks_as_they_come(server: ApiServer, client: Client) -> None:
    """Each piece arrives before the next is sent; the end of the answer is the end of the stream."""
    more = asyncio.Event()

    async def respond(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Warning": '299 - "w"'})
        await response.prepare(request)
        await response.write(b"one\n")
        await more.wait()
        await response.write(b"two\n")
        return response

    server.respond = respond
    async with client.stream("GET", "/api/v1/pods", query={"watch": "1"}) as stream:
        assert (stream.status, stream.warnings, client.meter.open_streams) == (200, ("w",), 1)
        chunks = aiter(stream)
        assert await anext(chunks) == b"one\n"
        more.set()
        assert [chunk async for chunk in chunks] == [b"two\n"]
    assert (client.meter.open_streams, client.meter.bytes_in) == (0, 8)


async def test_leaving_a_stream_closes_it(server: ApiServer, client: Client) -> None:
    """Whoever looks no longer is seen to leave by the server."""
    left = asyncio.Event()

    async def respond(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await eventually(lambda: request.transport is None or request.transport.is_closing())
        left.set()
        return response

    server.respond = respond
    async with client.stream("GET", "/"):
        pass
    async with asyncio.timeout(5):
        await left.wait()
    assert client.meter.open_streams == 0


async def test_refused_stream(server: ApiServer, client: Client) -> None:
    """A stream that is refused raises when it is entered, and is not counted as open."""

    async def respond(request: web.Request) -> web.StreamResponse:
        return status_body(410, "Expired", "too old resource version")

    server.respond = respond
    with pytest.raises(KtuiError, match="too old"):
        async with client.stream("GET", "/"):
            pytest.fail("entered")
    assert client.meter.open_streams == 0


async def test_silent_stream_times_out(server: ApiServer, client: Client) -> None:
    """A stream that says nothing for longer than its idle time is a dead connection; no other limit applies."""

    async def respond(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(4):
            await response.write(b".")
            await asyncio.sleep(0.05)
        await asyncio.sleep(60)
        return response

    server.respond = respond
    received: list[bytes] = []

    async def follow() -> None:
        async with client.stream("GET", "/", idle=0.15) as stream:
            async for chunk in stream:
                received.append(chunk)

    with pytest.raises(ConnectionFailed) as raised:
        await follow()
    assert (raised.value.reason, b"".join(received)) == ("timed out", b"....")


async def test_slow_answer_times_out(server: ApiServer, client: Client) -> None:
    """A request that gets no answer within its idle time fails as timed out."""

    async def respond(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(60)
        return web.json_response({})

    server.respond = respond
    with pytest.raises(ConnectionFailed) as raised:
        await client.request("GET", "/", idle=0.05)
    assert raised.value.reason == "timed out"


async def test_answer_that_breaks_off(server: ApiServer, client: Client) -> None:
    """Half an answer is a failure, not an answer."""

    async def respond(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None
        request.transport.close()
        return response

    server.respond = respond
    with pytest.raises(ConnectionFailed) as raised:
        await client.request("GET", "/")
    assert raised.value.reason == "the connection broke off"


async def test_many_streams_at_once(server: ApiServer, client: Client) -> None:
    """No limit of connections holds a request back while 150 watches are open."""
    release = asyncio.Event()

    async def respond(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        if "watch" in request.query:
            await response.write(b".")
            await release.wait()
        return response

    server.respond = respond
    opened = asyncio.Semaphore(0)

    async def watch() -> None:
        async with client.stream("GET", "/", query={"watch": "1"}) as stream:
            async for _ in stream:
                opened.release()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(150):
            tasks.create_task(watch())
        for _ in range(150):
            await opened.acquire()
        assert client.meter.open_streams == 150
        assert (await client.request("GET", "/")).status == 200
        release.set()


@pytest.mark.skipif(sys.platform != "linux", reason="reads the socket's options as Linux names them")
async def test_connections_are_kept_alive(server: ApiServer, client: Client) -> None:
    """A watch whose other end vanished is noticed by the system within a minute."""
    done = asyncio.Event()

    async def respond(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await done.wait()
        return response

    server.respond = respond
    async with client.stream("GET", "/") as stream:
        connection = stream._answer._response.connection
        assert connection is not None
        assert connection.transport is not None
        sock = connection.transport.get_extra_info("socket")
        done.set()
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        idle, every, times = (
            sock.getsockopt(socket.IPPROTO_TCP, getattr(socket, name))
            for name in ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT")
        )
        assert idle + every * times <= 60


# -- no answer ---------------------------------------------------------------------------------


async def test_refused_connection(server: ApiServer) -> None:
    """A server that does not listen is told by its address."""
    await server.stop()
    error = await connection_failure(server)
    assert error.sentence == f"Cannot reach {server.url}: connection refused."


async def test_unknown_name(server: ApiServer) -> None:
    """A name that does not resolve is told as such."""
    assert (await connection_failure(server, server="https://no-such-host.invalid:6443")).reason == "name not found"


async def test_certificate_of_another_authority(server: ApiServer) -> None:
    """A server signed by another CA is not trusted, and the kubeconfig's CA is named as the place to look."""
    (other := server.folder / "other.pem").write_bytes(Authority().pem)
    error = await connection_failure(server, **{"certificate-authority-data": "", "certificate-authority": str(other)})
    assert error.reason == "certificate signed by unknown authority"
    assert "certificate-authority" in error.next_step


async def test_expired_certificate(server: ApiServer) -> None:
    """An expired certificate is told as expired."""
    await server.stop()
    await server.start(age=20 * DAY)
    assert (await connection_failure(server)).reason == "certificate expired"


async def test_certificate_of_tomorrow(server: ApiServer) -> None:
    """A certificate that is not valid yet hints at the clock."""
    await server.stop()
    await server.start(age=timedelta(days=-2))
    assert (await connection_failure(server)).reason == "certificate not yet valid"


async def test_certificate_for_another_name(server: ApiServer) -> None:
    """A certificate for other names is a mismatch, unless tls-server-name says which it should be."""
    await server.stop()
    await server.start(names=("cluster.local",))
    assert (await connection_failure(server)).reason == "hostname mismatch"
    client = await server.client(cluster={"tls-server-name": "cluster.local"})
    assert (await client.request("GET", "/")).status == 200
    await client.close()


async def test_unchecked_certificate(server: ApiServer) -> None:
    """With insecure-skip-tls-verify any certificate is taken, and the identity says so."""
    await server.stop()
    await server.start(names=("cluster.local",), age=20 * DAY)
    client = await server.client(cluster={"certificate-authority-data": "", "insecure-skip-tls-verify": True})
    assert (await client.request("GET", "/")).status == 200
    await client.close()
    assert not client.identity.trusted


@pytest.mark.parametrize(
    ("cluster", "sentence"),
    [
        ({"certificate-authority-data": "bm8gcGVt"}, "is no PEM certificate"),
        ({"certificate-authority-data": "", "certificate-authority": "/no/ca.pem"}, "does not exist"),
    ],
)
async def test_unusable_authority(server: ApiServer, cluster: dict[str, str], sentence: str) -> None:
    """A CA that cannot be read is explained when connecting."""
    with pytest.raises(ConfigError, match=sentence):
        await server.client(cluster=cluster)


async def test_https_to_a_plain_server(server: ApiServer) -> None:
    """TLS to a server that speaks HTTP, and HTTP to one that speaks TLS, are told apart from trouble."""

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    plain = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = plain.sockets[0].getsockname()[1]
    error = await connection_failure(server, server=f"https://127.0.0.1:{port}")
    plain.close()
    assert error.reason == "the server speaks plain HTTP"
    assert (await connection_failure(server, server=server.url.replace("https", "http"))).sentence


async def test_no_credentials_over_plain_http(server: ApiServer) -> None:
    """Like kubectl, a token is not shown where anyone can read it."""
    heads: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        writer.close()

    plain = await asyncio.start_server(listen, "127.0.0.1", 0)
    port = plain.sockets[0].getsockname()[1]
    client = await server.client({"token": "canary"}, {"server": f"http://127.0.0.1:{port}"})
    await client.request("GET", "/")
    await client.close()
    plain.close()
    assert heads
    assert b"canary" not in heads[0]


# -- proxies -----------------------------------------------------------------------------------


async def test_proxy_of_the_kubeconfig(server: ApiServer) -> None:
    """Requests, streams and WebSockets go through proxy-url, with its password, to the same server and trust."""
    async with ConnectProxy() as proxy:
        client = await server.client(cluster={"proxy-url": f"http://jo:pw@127.0.0.1:{proxy.port}"})
        await client.request("GET", "/")
        async with client.stream("GET", "/") as stream:
            assert [chunk async for chunk in stream]
        await client.close()
    assert set(proxy.targets) == {server.url.removeprefix("https://")}
    assert proxy.authorizations[0] == "Basic am86cHc="


async def test_refusing_proxy(server: ApiServer) -> None:
    """A proxy that refuses is named as the proxy, with its status."""
    async with ConnectProxy() as proxy:
        proxy.refuse = "407 Proxy Authentication Required"
        error = await connection_failure(server, **{"proxy-url": f"http://127.0.0.1:{proxy.port}"})
    assert error.reason == "its proxy answers 407"
    assert "proxy-url" in error.next_step


async def test_absent_proxy(server: ApiServer) -> None:
    """A proxy that does not listen is named as the proxy."""
    async with ConnectProxy() as proxy:
        pass
    error = await connection_failure(server, **{"proxy-url": f"http://jo:canary@127.0.0.1:{proxy.port}"})
    assert error.reason == "its proxy: connection refused"
    assert "canary" not in error.sentence + error.next_step


async def test_unknown_kind_of_proxy(server: ApiServer) -> None:
    """A SOCKS proxy is refused with a sentence when connecting."""
    with pytest.raises(ConfigError, match="socks5 proxy"):
        await server.client(cluster={"proxy-url": "socks5://127.0.0.1:1"})


# -- what surrounds us -------------------------------------------------------------------------


async def test_netrc_is_not_mixed_in(server: ApiServer) -> None:
    """Passwords in ~/.netrc, for this host or any, neither replace the kubeconfig's credentials nor break requests."""
    (server.folder / ".netrc").write_text("machine 127.0.0.1 login jo password canary\ndefault login a password b\n")
    for user in ({"token": "t"}, {}):
        client = await server.client(user)
        await client.request("GET", "/")
        await client.close()
    assert server.authorizations == ["Bearer t", ""]


# -- WebSockets --------------------------------------------------------------------------------


async def test_websocket(server: ApiServer, client: Client) -> None:
    """A WebSocket opens with credentials and the best common protocol, and carries bytes."""

    async def respond(request: web.Request) -> web.StreamResponse:
        connected = web.WebSocketResponse(protocols=("v4.channel.k8s.io",))
        await connected.prepare(request)
        async for message in connected:
            await connected.send_bytes(message.data)
        return connected

    server.respond = respond
    async with client.websocket("/exec", query=[("command", "a"), ("command", "b")]) as connected:
        assert (connected.protocol, client.meter.open_streams) == ("v4.channel.k8s.io", 1)
        await connected.send_bytes(b"\x00hello")
        message = await connected.receive()
        assert (message.type, message.data) == (WSMsgType.BINARY, b"\x00hello")
    assert server.authorizations == ["Bearer t"]
    assert client.meter.open_streams == 0


async def test_refused_websocket_says_why(server: ApiServer, client: Client) -> None:
    """The server's own words on a refused exec reach the user."""

    async def respond(request: web.Request) -> web.StreamResponse:
        return status_body(403, "Forbidden", 'pods "p" is forbidden: no shells on Fridays')

    server.respond = respond
    with pytest.raises(Forbidden, match="no shells on Fridays"):
        async with client.websocket("/exec"):
            pytest.fail("entered")


async def test_websocket_renews_credentials(server: ApiServer) -> None:
    """A WebSocket that is refused with a 401 is opened with renewed credentials."""

    async def respond(request: web.Request) -> web.StreamResponse:
        if request.headers["Authorization"] != "Bearer new":
            return status_body(401, "Unauthorized")
        connected = web.WebSocketResponse()
        await connected.prepare(request)
        await connected.send_bytes(b"hello")
        return connected

    server.respond = respond
    client = await server.client({"token": "old"})
    server.kubeconfig({"token": "new"})
    async with client.websocket("/exec") as connected:
        assert (await connected.receive()).data == b"hello"
    await client.close()


# -- what the user may do ----------------------------------------------------------------------


def deciding(*decisions: bool | int) -> Any:
    """A server that answers access reviews one after the other; a number is a status."""
    left = list(decisions)

    async def respond(request: web.Request) -> web.StreamResponse:
        decision = left.pop(0)
        if decision not in (True, False):
            return status_body(int(decision), "")
        return web.json_response({"status": {"allowed": decision}}, status=201)

    return respond


async def test_access_is_asked_once_a_minute(
    server: ApiServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer holds for a minute, for that question alone."""
    server.respond = deciding(True, False, False)
    asked = ("patch", "apps", "deployments", "shop", "scale")
    assert [await access.can(client, *asked) for _ in range(3)] == [True] * 3
    assert await access.can(client, "list", "", "pods", "") is False
    review = json.loads(server.bodies[0])
    assert (review["kind"], review["spec"]["resourceAttributes"]) == (
        "SelfSubjectAccessReview",
        {"verb": "patch", "group": "apps", "resource": "deployments", "namespace": "shop", "subresource": "scale"},
    )
    later = time.monotonic() + access.REMEMBERED + 1
    monkeypatch.setattr("ktui.kube.access.time.monotonic", lambda: later)
    answer = await access.can(client, *asked)
    monkeypatch.undo()
    assert answer is False


async def test_unknown_access_is_not_remembered(server: ApiServer, client: Client) -> None:
    """When the cluster cannot be asked the answer is None, and the next time it is asked again."""
    server.respond = deciding(503, True)
    assert await access.can(client, "list", "", "pods", "shop") is None
    assert await access.can(client, "list", "", "pods", "shop") is True


async def test_answers_go_with_their_client(server: ApiServer) -> None:
    """What one identity may do is not told to another, nor kept when it is gone."""
    server.respond = deciding(True, False)
    one, two = await server.client({"token": "1"}), await server.client({"token": "2"})
    assert await access.can(one, "get", "", "secrets", "") is True
    assert await access.can(two, "get", "", "secrets", "") is False
    await one.close()
    await two.close()
    gone = weakref.ref(one)
    del one
    await eventually(lambda: gone() is None)


async def test_whoami(server: ApiServer, client: Client) -> None:
    """The cluster tells our name; a server too old for the question does not."""
    server.respond = answering(b'{"status": {"userInfo": {"username": "jane", "groups": ["a"]}}}')
    assert await access.whoami(client) == "jane"
    server.respond = answering(b"404 page not found", 404, Content_Type="text/plain")
    assert await access.whoami(client) is None
