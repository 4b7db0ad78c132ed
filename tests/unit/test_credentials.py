"""Credentials of every kind reach the server, stay current, and never show anywhere else."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web

from ktui.kube.client import Client
from ktui.kube.credentials import Credentials
from ktui.kube.errors import ConfigError, CredentialsFailed, Unauthorized
from ktui.kube.kubeconfig import load_kubeconfig
from tests.unit.tls_server import ApiServer, api_server, eventually, script, status_body

V1 = "client.authentication.k8s.io/v1"


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ApiServer]:
    """A running API server."""
    async with api_server(tmp_path, monkeypatch) as made:
        yield made


def printed(token: str = "", *, expires: str = "", version: str = V1, **more: str) -> str:
    """What a plugin prints."""
    status = {"token": token, "expirationTimestamp": expires, **more}
    kept = {key: value for key, value in status.items() if value}
    return json.dumps({"apiVersion": version, "kind": "ExecCredential", "status": kept})


def plugin(folder: Path, body: str, **more: Any) -> dict[str, Any]:
    """A user entry with an exec plugin that counts its runs in `runs` and then does `body`."""
    command = script(folder / "plugin", f'echo run >> "{folder}/runs"\n{body}')
    return {"exec": {"apiVersion": V1, "command": str(command), **more}}


def runs(folder: Path) -> int:
    """How often the plugin ran."""
    return (folder / "runs").read_text().count("run") if (folder / "runs").exists() else 0


def soon(seconds: float) -> str:
    """A moment as plugins print it."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def jwt(expires: float) -> str:
    """An unsigned JSON Web Token."""
    payload = base64.urlsafe_b64encode(json.dumps({"exp": expires}).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJub25lIn0.{payload}.x"


def refuse_all_but(*tokens: str) -> Any:
    """A server that knows certain tokens."""

    async def respond(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization", "").removeprefix("Bearer ") in tokens:
            return web.json_response({})
        return status_body(401, "Unauthorized", "Unauthorized")

    return respond


async def failure(server: ApiServer, user: dict[str, Any]) -> CredentialsFailed:
    """The failure to get credentials, of a first request."""
    with pytest.raises(CredentialsFailed) as raised:
        await _first_request(server, user)
    assert raised.value.next_step
    return raised.value


async def _first_request(server: ApiServer, user: dict[str, Any]) -> None:
    client = await server.client(user)
    try:
        await client.request("GET", "/")
    finally:
        await client.close()


# -- what the kubeconfig says itself -----------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "header"),
    [
        ({"token": "abc"}, "Bearer abc"),
        ({"username": "jo", "password": "p:ä"}, "Basic " + base64.b64encode("jo:p:ä".encode()).decode()),
        ({}, ""),
        ({"token": "abc", "exec": {"apiVersion": V1, "command": "/does/not/exist"}}, "Bearer abc"),
    ],
)
async def test_header_of_plain_credentials(server: ApiServer, user: dict[str, Any], header: str) -> None:
    """Token, password and nothing at all become the right Authorization; a token goes before a plugin."""
    client = await server.client(user)
    await client.request("GET", "/")
    await client.close()
    assert server.authorizations == [header]


async def test_context_without_user_is_anonymous(server: ApiServer) -> None:
    """A context that names no user connects without credentials instead of failing."""
    path = server.kubeconfig()
    document = yaml.safe_load(path.read_text())
    del document["contexts"][0]["context"]["user"]
    path.write_text(yaml.safe_dump(document))
    client = await Client.connect(load_kubeconfig([path]))
    await client.request("GET", "/")
    await client.close()
    assert (server.authorizations, client.identity.user) == ([""], "")


@pytest.mark.parametrize("as_data", [True, False])
async def test_client_certificate(server: ApiServer, as_data: bool) -> None:
    """A client certificate, in the file or as data, identifies the user; nothing of its key stays on disk."""
    certificate, key = server.authority.issue("jane")
    files = server.write("jane", certificate, key)
    user = {"client-certificate": str(files[0]), "client-key": str(files[1])}
    if as_data:
        user = {
            "client-certificate-data": base64.b64encode(certificate).decode(),
            "client-key-data": base64.b64encode(key).decode(),
        }
    client = await server.client(user)
    await client.request("GET", "/")
    await client.close()
    assert server.peers == ["jane"]


async def test_keys_do_not_stay_in_temporary_files(server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a client is connected, no file holds the key that its kubeconfig has as data."""
    (folder := server.folder / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    certificate, key = (base64.b64encode(pem).decode() for pem in server.authority.issue("jane"))
    client = await server.client({"client-certificate-data": certificate, "client-key-data": key})
    await client.request("GET", "/")
    assert list(folder.rglob("*")) == []
    await client.close()


async def test_impersonation_headers(server: ApiServer) -> None:
    """`as`, groups, uid and extras of a user go with every request."""
    client = await server.client(
        {"token": "t", "as": "jo", "as-uid": "7", "as-groups": ["a", "b"], "as-user-extra": {"acme.com/x": ["1"]}}
    )
    await client.request("GET", "/")
    await client.close()
    headers = server.requests[0].headers
    assert headers["Impersonate-User"] == client.identity.acting_as == "jo"
    assert headers.getall("Impersonate-Group") == ["a", "b"]
    assert (headers["Impersonate-Uid"], headers["Impersonate-Extra-acme.com%2Fx"]) == ("7", "1")


async def test_encrypted_key_is_not_asked_for(server: ApiServer) -> None:
    """A key with a password is an error, not a prompt on the terminal."""
    files = server.write("jane", *server.authority.issue("jane", password=b"secret"))
    with pytest.raises(ConfigError, match="encrypted"):
        await server.client({"client-certificate": str(files[0]), "client-key": str(files[1])})


async def test_mismatched_certificate_and_key(server: ApiServer) -> None:
    """A certificate with somebody else's key is explained."""
    one = server.write("one", *server.authority.issue("one"))
    two = server.write("two", *server.authority.issue("two"))
    with pytest.raises(ConfigError, match="do not belong together"):
        await server.client({"client-certificate": str(one[0]), "client-key": str(two[1])})


async def test_token_that_is_no_token(server: ApiServer) -> None:
    """A token with a line break inside cannot smuggle a header."""
    assert "characters" in (await failure(server, {"token": "a\r\nX-Evil: 1"})).sentence


# -- token files -------------------------------------------------------------------------------


async def test_token_file_is_read_again_when_it_changes(server: ApiServer) -> None:
    """The request after a change of the file shows the new token; a file that is gone keeps the last."""
    (path := server.folder / "token").write_text("one\n")
    client = await server.client({"tokenFile": str(path), "token": "unused"})
    await client.request("GET", "/")
    path.write_text("number two\n".replace(" ", "-"))
    await client.request("GET", "/")
    path.unlink()
    await client.request("GET", "/")
    await client.close()
    assert server.authorizations == ["Bearer one", "Bearer number-two", "Bearer number-two"]


async def test_missing_token_file(server: ApiServer) -> None:
    """A token file that was never there is named."""
    assert "/gone" in (await failure(server, {"tokenFile": "/gone"})).sentence


# -- exec plugins ------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [V1, f"{V1}beta1"])
async def test_plugin_gives_a_token_and_is_cached(server: ApiServer, version: str) -> None:
    """A plugin runs at the first request, not at connecting, and its token serves until it expires."""
    user = plugin(server.folder, f"echo '{printed('abc', expires=soon(600), version=version)}'", apiVersion=version)
    client = await server.client(user)
    assert runs(server.folder) == 0
    await client.request("GET", "/")
    await client.request("GET", "/")
    await client.close()
    assert (server.authorizations, runs(server.folder)) == (["Bearer abc"] * 2, 1)


async def test_requests_at_once_run_the_plugin_once(server: ApiServer) -> None:
    """Many first requests wait for one run."""
    client = await server.client(plugin(server.folder, f"echo '{printed('abc')}'"))
    await asyncio.gather(*(client.request("GET", "/") for _ in range(10)))
    await client.close()
    assert runs(server.folder) == 1


async def test_plugin_is_asked_again_before_its_answer_expires(
    server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A little before the expiry the next request runs the plugin; long before it does not."""
    client = await server.client(plugin(server.folder, f"echo '{printed('abc', expires=soon(600))}'"))
    counts = []
    start = datetime.now(UTC).timestamp()
    for passed in (0, 500, 590):
        monkeypatch.setattr("ktui.kube.credentials.time.time", lambda at=start + passed: at)
        await client.request("GET", "/")
        counts.append(runs(server.folder))
    await client.close()
    assert counts == [1, 1, 2]


async def test_plugin_gets_its_environment_and_cluster(server: ApiServer) -> None:
    """Environment, arguments and, when asked for, the cluster reach the plugin; it is told that nobody can type."""
    body = f"echo \"$KUBERNETES_EXEC_INFO\" > '{server.folder}/told'; echo '{printed('X')}' | sed s/X/$1-$COLOUR/"
    client = await server.client(
        plugin(server.folder, body, args=["arg"], env=[{"name": "COLOUR", "value": "red"}], provideClusterInfo=True)
    )
    await client.request("GET", "/")
    await client.close()
    told = json.loads((server.folder / "told").read_text())
    assert server.authorizations == ["Bearer arg-red"]
    assert (told["apiVersion"], told["kind"], told["spec"]["interactive"]) == (V1, "ExecCredential", False)
    assert told["spec"]["cluster"]["server"] == server.url
    assert base64.b64decode(told["spec"]["cluster"]["certificate-authority-data"]) == server.authority.pem


def test_plugin_cannot_read_the_keyboard(tmp_path: Path) -> None:
    """What is typed stays for ktui: the plugin's input is empty, and it has no terminal to open."""
    body = (
        f"typed=$(cat); tty=$( (: < /dev/tty) 2>/dev/null && echo tty); echo '{printed('T')}' | sed s/T/[$typed$tty]/"
    )
    command = script(tmp_path / "plugin", body)
    code = f"""
import asyncio, sys
from pathlib import Path
from ktui.kube.exec_plugin import run_plugin
from ktui.kube.kubeconfig_entries import Cluster, ExecPlugin
answer = asyncio.run(run_plugin(ExecPlugin({str(command)!r}, api_version={V1!r}), Cluster("c", Path("x"))))
print(answer.token, sys.stdin.read())
"""
    done = subprocess.run([sys.executable, "-c", code], input="typed", capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["[]", "typed"]


async def test_plugin_that_takes_too_long_is_ended_with_its_children(tmp_path: Path, server: ApiServer) -> None:
    """After the time limit there is a clear sentence, and nothing of the plugin is left running."""
    user = plugin(tmp_path, f'sleep 600 & echo $! > "{tmp_path}/child"\nwait')
    target = load_kubeconfig([server.kubeconfig(user)]).target()
    with pytest.raises(CredentialsFailed, match=r"gave no answer within 0\.5 s"):
        await Credentials(target, time_limit=0.5).current()
    child = int((tmp_path / "child").read_text())
    await eventually(lambda: not _alive(child))


async def test_cancelled_request_ends_the_plugin_at_close(tmp_path: Path, server: ApiServer) -> None:
    """Closing the client ends a plugin that is still running."""
    client = await server.client(plugin(tmp_path, f'echo $$ > "{tmp_path}/pid"\nexec sleep 600'))
    request = asyncio.create_task(client.request("GET", "/"))
    pid = tmp_path / "pid"
    await eventually(lambda: pid.exists() and pid.read_text().endswith("\n"))
    request.cancel()
    await client.close()
    assert not _alive(int(pid.read_text()))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


async def test_plugin_failures_are_explained(server: ApiServer) -> None:
    """Each way to fail is one sentence that says which program and why, with the next step."""
    folder = server.folder
    missing = await failure(
        server, {"exec": {"apiVersion": V1, "command": "no-such-login", "installHint": "Get it from acme."}}
    )
    assert (missing.sentence, missing.next_step) == (
        "The sign-in program no-such-login is not installed.",
        "Get it from acme.",
    )
    failed = await failure(server, plugin(folder, "echo old >&2; printf 'session \\033[31mexpired\\n' >&2; exit 3"))
    assert failed.sentence == "The sign-in program plugin failed (exit code 3): session ␛[31mexpired."
    old = await failure(server, plugin(folder, "", apiVersion=f"{V1}alpha1"))
    assert "which is gone" in old.sentence
    typing = await failure(server, plugin(folder, "", interactiveMode="Always"))
    assert "ask you something" in typing.sentence


@pytest.mark.parametrize(
    "output",
    [
        "canary-token",
        '{"canary": 1}',
        '{"kind": "ExecCredential", "apiVersion": "canary"}',
        printed(""),
        printed("canary", version=f"{V1}beta1"),
        printed(clientCertificateData="canary"),
        '{"kind": "ExecCredential", "status": {"token": ["canary"]}}',
        "canary" * 300_000,
    ],
    ids=range(8),
)
async def test_output_of_a_plugin_is_never_told(server: ApiServer, output: str) -> None:
    """An answer that cannot be used is called unusable; not a word of it is shown."""
    (server.folder / "output").write_text(output)
    error = await failure(server, plugin(server.folder, f'cat "{server.folder}/output"'))
    assert error.sentence.startswith("What the sign-in program plugin printed ")
    assert "canary" not in f"{error} {error.next_step} {error.__context__} {error.__cause__}"


async def test_failure_of_a_plugin_is_shared(server: ApiServer) -> None:
    """Requests that wait for the same run share its failure instead of running it one after the other."""
    client = await server.client(plugin(server.folder, "exit 1"))
    asked = [client.request("GET", "/") for _ in range(10)]
    failures = await asyncio.gather(*asked, return_exceptions=True)
    await client.close()
    assert all(isinstance(error, CredentialsFailed) for error in failures)
    assert runs(server.folder) == 1


# -- 401 ---------------------------------------------------------------------------------------


async def test_refused_requests_share_one_renewal(server: ApiServer) -> None:
    """When a token stops working, all requests that were refused succeed after one more run of the plugin."""
    server.respond = refuse_all_but("2")
    body = f"n=$(wc -l < '{server.folder}/runs'); echo '{printed('N')}' | sed s/N/$(echo $n)/"
    client = await server.client(plugin(server.folder, body))
    answers = await asyncio.gather(*(client.request("GET", "/") for _ in range(10)))
    await client.close()
    assert {answer.status for answer in answers} == {200}
    assert runs(server.folder) == 2


async def test_renewed_in_vain_is_unauthorized(server: ApiServer) -> None:
    """A request is repeated once and no more; and many refusals in a row do not mean many sign-ins."""
    server.respond = refuse_all_but("right")
    client = await server.client(plugin(server.folder, f"echo '{printed('wrong')}'"))
    for _ in range(3):
        with pytest.raises(Unauthorized) as raised:
            await client.request("GET", "/")
    await client.close()
    assert raised.value.status == 401
    assert (len(server.requests), runs(server.folder)) == (4, 2)


async def test_static_token_is_not_repeated(server: ApiServer) -> None:
    """A token that cannot be renewed is refused after one request."""
    server.respond = refuse_all_but("right")
    client = await server.client({"token": "wrong"})
    with pytest.raises(Unauthorized):
        await client.request("GET", "/")
    await client.close()
    assert len(server.requests) == 1


async def test_signing_in_again_elsewhere_is_taken_up(server: ApiServer) -> None:
    """When a tool has written a new token into the kubeconfig, a refused request finds it there."""
    server.respond = refuse_all_but("new")
    client = await server.client({"token": "old"})
    server.kubeconfig({"token": "new"})
    assert (await client.request("GET", "/")).status == 200
    await client.close()
    assert server.authorizations == ["Bearer old", "Bearer new"]


async def test_new_client_certificate_makes_a_new_tls_session(server: ApiServer) -> None:
    """After a 401 a plugin's new certificate is shown; what is open with the old one is not cut off."""

    renewed = asyncio.Event()

    async def respond(request: web.Request) -> web.StreamResponse:
        if request.path == "/stream":
            response = web.StreamResponse()
            await response.prepare(request)
            await response.write(b"a")
            await renewed.wait()
            await response.write(b"b")
            return response
        return web.json_response({}) if server.peers[-1] == "second" else status_body(401, "Unauthorized")

    server.respond = respond
    for name in ("first", "second"):
        certificate, key = (pem.decode() for pem in server.authority.issue(name))
        text = printed(clientCertificateData=certificate, clientKeyData=key)
        (server.folder / f"answer-{name}").write_text(text)
    body = f'cd "{server.folder}"; if [ -e done ]; then cat answer-second; else cat answer-first; fi; : > done'
    client = await server.client(plugin(server.folder, body))
    async with client.stream("GET", "/stream") as stream:
        chunks = aiter(stream)
        assert await anext(chunks) == b"a"
        await client.request("GET", "/")
        renewed.set()
        assert await anext(chunks) == b"b"
    await client.close()
    assert server.peers == ["first", "first", "second"]


async def test_rotated_certificate_files_are_read_again(server: ApiServer) -> None:
    """After a 401, certificate files that were replaced on disk are taken up."""

    async def respond(request: web.Request) -> web.StreamResponse:
        return web.json_response({}) if server.peers[-1] == "second" else status_body(401, "Unauthorized")

    server.respond = respond
    files = server.write("jane", *server.authority.issue("first"))
    client = await server.client({"client-certificate": str(files[0]), "client-key": str(files[1])})
    server.write("jane", *server.authority.issue("second"))
    await client.request("GET", "/")
    await client.close()
    assert server.peers == ["first", "second"]


# -- legacy sign-ins ---------------------------------------------------------------------------


async def test_oidc_token_is_used_while_it_is_valid(server: ApiServer) -> None:
    """The id-token that kubectl stored is shown; without an expiry it counts as valid."""
    token = jwt(datetime.now(UTC).timestamp() + 60)
    client = await server.client({"auth-provider": {"name": "oidc", "config": {"id-token": token}}})
    await client.request("GET", "/")
    await client.close()
    assert server.authorizations == [f"Bearer {token}"]


async def test_oidc_token_is_not_renewed(server: ApiServer) -> None:
    """An expired id-token is an error that names kubectl; the issuer is never contacted, the file never written."""
    config = {
        "id-token": jwt(1),
        "refresh-token": "r",
        "client-id": "i",
        "client-secret": "s",
        "idp-issuer-url": server.url,
    }
    user = {"auth-provider": {"name": "oidc", "config": config}}
    before = server.kubeconfig(user).read_bytes()
    error = await failure(server, user)
    assert "has expired, and ktui does not renew it" in error.sentence
    assert "kubectl" in error.next_step
    assert server.requests == []
    assert (server.folder / "config").read_bytes() == before


async def test_oidc_token_that_kubectl_renewed_is_taken_up(server: ApiServer) -> None:
    """After an expired token, the one that kubectl wrote meanwhile is used."""
    client = await server.client({"auth-provider": {"name": "oidc", "config": {"id-token": jwt(1)}}})
    with pytest.raises(CredentialsFailed):
        await client.request("GET", "/")
    server.kubeconfig({"auth-provider": {"name": "oidc", "config": {"id-token": "fresh"}}})
    await client.request("GET", "/")
    await client.close()
    assert server.authorizations == ["Bearer fresh"]


@pytest.mark.parametrize(
    ("provider", "config", "sentence"),
    [
        ("gcp", {"access-token": "t", "expiry": "2020-01-01T00:00:00Z"}, "has expired"),
        ("gcp", {"cmd-path": "/bin/false", "cmd-args": "x"}, "has expired"),
        ("azure", {"access-token": "t"}, "no longer exists"),
    ],
)
async def test_other_legacy_sign_ins_are_refused(
    server: ApiServer, provider: str, config: dict[str, str], sentence: str
) -> None:
    """Old providers without a valid token are an error with a way out; no command of theirs is run."""
    error = await failure(server, {"auth-provider": {"name": provider, "config": config}})
    assert sentence in error.sentence


async def test_kubeconfig_is_never_written(server: ApiServer) -> None:
    """Whatever happens to credentials, the user's file stays as it is."""
    server.respond = refuse_all_but("right")
    user = plugin(server.folder, f"echo '{printed('wrong', expires=soon(1))}'")
    path = server.kubeconfig(user)
    path.write_text(f"# mine\n{path.read_text()}")
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    client = await Client.connect(load_kubeconfig([path]))
    with pytest.raises(Unauthorized):
        await client.request("GET", "/")
    await client.close()
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
