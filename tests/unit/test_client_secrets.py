"""Credentials go to the server, and nowhere else: no error, log, traceback or repr ever shows one."""

from __future__ import annotations

import base64
import gc
import json
import logging
import traceback
from collections.abc import AsyncIterator
from pathlib import Path
from types import CoroutineType, FrameType, TracebackType
from typing import Any

import pytest
from aiohttp import web

from ktui.kube.client import Client
from ktui.kube.credentials import Credential
from ktui.kube.errors import KtuiError
from ktui.kube.exec_plugin import PluginAnswer
from ktui.kube.kubeconfig import load_kubeconfig
from tests.unit.tls_server import ApiServer, ConnectProxy, api_server, script, status_body

CANARY = "canary7f3a9c"
V1 = "client.authentication.k8s.io/v1"


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ApiServer]:
    """A running API server."""
    async with api_server(tmp_path, monkeypatch) as made:
        yield made


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def users(server: ApiServer) -> list[dict[str, Any]]:
    """A user of each kind, each with the canary for a secret."""
    good = json.dumps({"kind": "ExecCredential", "apiVersion": V1, "status": {"token": CANARY}})
    (server.folder / "token").write_text(CANARY)
    certificate, key = server.authority.issue(CANARY)
    plugin = {"apiVersion": V1, "args": [CANARY], "env": [{"name": "SECRET", "value": CANARY}]}
    return [
        {"token": CANARY},
        {"username": "jo", "password": CANARY},
        {"tokenFile": str(server.folder / "token")},
        {"client-certificate-data": _base64(certificate), "client-key-data": _base64(key), "token": CANARY},
        {"client-certificate-data": _base64(certificate), "client-key-data": _base64(CANARY.encode())},
        {"token": f"{CANARY}\n\x00{CANARY}"},
        {"exec": plugin | {"command": str(script(server.folder / "good", f"echo '{good}'"))}},
        {"exec": plugin | {"command": str(script(server.folder / "bad", f"echo {CANARY}"))}},
        {"exec": plugin | {"command": str(script(server.folder / "says", "echo $1 $SECRET >&2; exit 1"))}},
        {"exec": plugin | {"command": "/no/such/program"}},
        {"auth-provider": {"name": "oidc", "config": {"id-token": CANARY, "refresh-token": CANARY}}},
        {"auth-provider": {"name": "oidc", "config": {"refresh-token": CANARY, "client-secret": CANARY}}},
        {"auth-provider": {"name": "gcp", "config": {"access-token": CANARY}}},
    ]


async def respond(request: web.Request) -> web.StreamResponse:
    """A server that fails in each way, by path."""
    match request.path:
        case "/401":
            return status_body(401, "Unauthorized", "Unauthorized")
        case "/403":
            return status_body(403, "Forbidden", "no")
        case "/html":
            return web.Response(text="<html>", content_type="text/html")
        case "/break":
            assert request.transport is not None
            request.transport.abort()
        case "/half":
            response = web.StreamResponse(headers={"Content-Length": "9"})
            await response.prepare(request)
            assert request.transport is not None
            request.transport.abort()
            return response
    return web.json_response({})


async def ask_everything(client: Client) -> None:
    """Requests that end in each way."""
    for path in ("/", "/401", "/403", "/html", "/break", "/half"):
        await _ask(client, path)


async def _ask(client: Client, path: str) -> None:
    try:
        await client.request("GET", path)
        async with client.stream("GET", path) as stream:
            async for _ in stream:
                pass
        async with client.websocket(path):
            pass
    except KtuiError as error:
        _conceals(error)


def _conceals(error: KtuiError) -> None:
    assert CANARY not in shown(error, error.__traceback__)


def shown(error: BaseException, frames: TracebackType | None) -> str:
    """All that a log or crash report could make of an exception, with the variables of every frame below this file."""
    found = [repr(error), repr(vars(error)), repr(error.__cause__), repr(error.__context__)]
    found += traceback.format_exception(error)
    while frames is not None:
        if frames.tb_frame.f_code.co_filename != __file__:
            found += [repr(value) for value in frames.tb_frame.f_locals.values()]
        frames = frames.tb_next
    return "\n".join(found)


@pytest.mark.parametrize("index", range(13))
async def test_no_failure_shows_a_credential(server: ApiServer, caplog: pytest.LogCaptureFixture, index: int) -> None:
    """With every kind of credential, every kind of failure, and all logging on, the canary does not show."""
    caplog.set_level(logging.DEBUG)
    server.respond = respond
    kubeconfig = load_kubeconfig([server.kubeconfig(users(server)[index], {"proxy-url": ""})])
    try:
        client = await Client.connect(kubeconfig)
    except KtuiError as error:
        _conceals(error)
    else:
        await ask_everything(client)
        await client.close()
        assert CANARY not in f"{client!r} {client.identity!r} {vars(client)!r} {vars(client._connection)!r}"
    assert CANARY not in caplog.text


@pytest.mark.parametrize(
    "cluster",
    [
        {"proxy-url": f"socks5://jo:{CANARY}@127.0.0.1:1"},
        {"server": f"ftp://jo:{CANARY}@127.0.0.1"},
        {"certificate-authority-data": _base64(CANARY.encode())},
        {"certificate-authority-data": "", "certificate-authority": "/no/such/file"},
    ],
)
async def test_no_failure_to_connect_shows_a_credential(server: ApiServer, cluster: dict[str, str]) -> None:
    """A cluster entry that cannot be used is explained without what the user entry holds."""
    kubeconfig = load_kubeconfig([server.kubeconfig({"token": CANARY, "password": CANARY}, cluster)])
    with pytest.raises(KtuiError) as raised:
        await Client.connect(kubeconfig)
    _conceals(raised.value)


@pytest.mark.parametrize(
    "content",
    [
        f"users: [{{name: u, user: {{token: {CANARY}",
        f"users: [{{name: u, user: {{token: {CANARY}}}}}, {{name: u, user: {{}}}}]",
        f"users: [{{name: u, user: {{token: {CANARY}, client-key-data: '!'}}}}]",
        f"users: [{{name: u, user: {{token: {CANARY}, as-groups: [a]}}}}]",
    ],
    ids=range(4),
)
def test_no_failure_to_read_shows_a_credential(tmp_path: Path, content: str) -> None:
    """A kubeconfig that cannot be read is explained without anything that stands in it."""
    (path := tmp_path / "config").write_text(content)
    with pytest.raises(KtuiError) as raised:
        load_kubeconfig([path])
    _conceals(raised.value)


async def test_credentials_are_really_sent(server: ApiServer) -> None:
    """The canary of the tests above is in use: it reaches the server."""
    for user in users(server)[:4]:
        client = await server.client(user)
        await client.request("GET", "/")
        await client.close()
    basic = base64.b64encode(f"jo:{CANARY}".encode()).decode()
    bearer = f"Bearer {CANARY}"
    assert server.authorizations == [bearer, f"Basic {basic}", bearer, bearer]


async def test_no_failure_shows_the_proxys_password(server: ApiServer, caplog: pytest.LogCaptureFixture) -> None:
    """A proxy that refuses or is not there is named without its password."""
    caplog.set_level(logging.DEBUG)
    async with ConnectProxy() as proxy:
        proxy.refuse = "407 No"
        client = await server.client({}, {"proxy-url": f"http://jo:{CANARY}@127.0.0.1:{proxy.port}"})
        await _ask(client, "/")
    await _ask(client, "/")
    await client.close()
    assert proxy.authorizations
    assert CANARY not in caplog.text


async def test_no_frame_of_ktui_keeps_a_token_in_a_variable(server: ApiServer) -> None:
    """While a request waits, none of the suspended frames of ktui's files has the token among its variables."""
    seen: dict[str, list[str]] = {}

    async def look(request: web.Request) -> web.StreamResponse:
        for frame in _frames_of_ktui():
            shown = [name for name, value in frame.f_locals.items() if CANARY in repr(value)]
            seen[frame.f_code.co_qualname] = shown
        return web.json_response({})

    server.respond = look
    client = await server.client({"token": CANARY})
    assert (await client.request("GET", "/")).status == 200
    await client.close()
    assert seen["Line.send"] == []
    assert not any(seen.values()), seen


def _frames_of_ktui() -> list[FrameType]:
    coroutines = [thing for thing in gc.get_objects() if type(thing) is CoroutineType]
    frames = [coroutine.cr_frame for coroutine in coroutines if coroutine.cr_frame is not None]
    return [frame for frame in frames if "/ktui/kube/" in frame.f_code.co_filename]


def test_values_hide_what_they_hold() -> None:
    """The values that pass credentials around do not show them."""
    held = Credential(token=CANARY, password=CANARY, certificate=CANARY.encode(), key=CANARY.encode())
    printed = PluginAnswer(CANARY, CANARY.encode(), CANARY.encode())
    assert CANARY not in f"{held!r} {held} {printed!r}"
