"""A small real API server stand-in for tests of the client: TLS, client certificates, a CONNECT proxy, exec plugins."""

from __future__ import annotations

import asyncio
import base64
import datetime
import ipaddress
import ssl
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ktui.kube.client import Client
from ktui.kube.kubeconfig import load_kubeconfig

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
DAY = datetime.timedelta(days=1)


class Authority:
    """A certificate authority without key identifiers, as many clusters have."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kubernetes")])
        self.pem = self._sign(self._name, self._key, authority=True).public_bytes(serialization.Encoding.PEM)

    def issue(
        self, common_name: str, names: tuple[str, ...] = (), *, age: datetime.timedelta = DAY, password: bytes = b""
    ) -> tuple[bytes, bytes]:
        """A certificate and its key as PEM; `age` of more than ten days makes it expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        certificate = self._sign(subject, key, names=names, age=age)
        hidden = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        pem = serialization.Encoding.PEM
        return certificate.public_bytes(pem), key.private_bytes(pem, serialization.PrivateFormat.PKCS8, hidden)

    def _sign(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        *,
        names: tuple[str, ...] = (),
        authority: bool = False,
        age: datetime.timedelta = DAY,
    ) -> x509.Certificate:
        start = datetime.datetime.now(datetime.UTC) - age
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + 10 * DAY)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(list(map(_alternative, names))), critical=False)
        return builder.sign(self._key, hashes.SHA256())


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


class ApiServer:
    """An HTTPS server on loopback that records what it is asked and answers with `respond`."""

    def __init__(self, authority: Authority, folder: Path) -> None:
        self.authority = authority
        self.folder = folder
        self.url = ""
        self.requests: list[web.Request] = []
        self.peers: list[str] = []
        self.bodies: list[bytes] = []
        self.respond: Handler = _ok
        self._runner: web.ServerRunner | None = None

    async def start(self, names: tuple[str, ...] = ("127.0.0.1",), **certificate: Any) -> None:
        """Listen with a certificate for `names`."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.write("server", *self.authority.issue("server", names, **certificate)))
        context.load_verify_locations(cadata=self.authority.pem.decode())
        context.verify_mode = ssl.CERT_OPTIONAL
        self._runner = web.ServerRunner(web.Server(self._handle), shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"https://{host}:{port}"

    async def stop(self) -> None:
        """Stop listening, and break what is open."""
        if self._runner is not None:
            await self._runner.cleanup()

    def write(self, name: str, certificate: bytes, key: bytes) -> tuple[Path, Path]:
        """Write a certificate and its key to files."""
        paths = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        paths[0].write_bytes(certificate)
        paths[1].write_bytes(key)
        return paths

    def kubeconfig(self, user: dict[str, Any] | None = None, cluster: dict[str, Any] | None = None) -> Path:
        """A kubeconfig file whose only context leads here."""
        trust = {"certificate-authority-data": base64.b64encode(self.authority.pem).decode()}
        document = {
            "current-context": "here",
            "contexts": [{"name": "here", "context": {"cluster": "there", "user": "me", "namespace": "shop"}}],
            "clusters": [{"name": "there", "cluster": {"server": self.url} | trust | (cluster or {})}],
            "users": [{"name": "me", "user": user or {}}],
        }
        path = self.folder / "config"
        path.write_text(yaml.safe_dump(document))
        return path

    async def client(self, user: dict[str, Any] | None = None, cluster: dict[str, Any] | None = None) -> Client:
        """A client whose kubeconfig leads here."""
        return await Client.connect(load_kubeconfig([self.kubeconfig(user, cluster)]))

    @property
    def authorizations(self) -> list[str]:
        """The Authorization header of each request; empty where it had none."""
        return [request.headers.get("Authorization", "") for request in self.requests]

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        peer = request.transport.get_extra_info("peercert") or {}
        self.peers.append(next((field[0][1] for field in peer.get("subject", ())), ""))
        self.requests.append(request)  # type: ignore[arg-type]
        self.bodies.append(await request.read())
        return await self.respond(request)  # type: ignore[arg-type]


class ConnectProxy:
    """An HTTP proxy that knows CONNECT alone, and records where it was asked to connect to."""

    def __init__(self) -> None:
        self.targets: list[str] = []
        self.authorizations: list[str] = []
        self.refuse = ""
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> ConnectProxy:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *failure: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        _, target, _ = head.split(" ", 2)
        self.targets.append(target)
        self.authorizations += [line.split(": ", 1)[1] for line in head.split("\r\n") if "proxy-auth" in line.lower()]
        if self.refuse:
            writer.write(f"HTTP/1.1 {self.refuse}\r\nContent-Length: 0\r\n\r\n".encode())
            writer.close()
            return
        host, _, port = target.rpartition(":")
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.create_task(_pump(source, sink))
            self._tasks.add(task)


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while chunk := await source.read(65536):
            sink.write(chunk)
            await sink.drain()
    except ConnectionError:
        pass
    finally:
        sink.close()


async def _ok(request: web.Request) -> web.StreamResponse:
    return web.json_response({"path": request.path})


def status_body(code: int, reason: str, message: str = "no", **more: Any) -> web.Response:
    """A `kind: Status` answer."""
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "reason": reason}
    return web.json_response(body | {"code": code} | more, status=code)


def script(path: Path, body: str) -> Path:
    """An executable shell script."""
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@asynccontextmanager
async def api_server(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ApiServer]:
    """A running server with a certificate for 127.0.0.1, without the machine's own configuration around it."""
    for name in ("KUBECONFIG", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(folder))
    made = ApiServer(authority(), folder)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


@cache
def authority() -> Authority:
    """The CA of all test servers."""
    return Authority()


async def eventually(condition: Callable[[], bool], seconds: float = 5) -> None:
    """Wait until something outside of this process's event loop is true."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - files and processes set no events
            await asyncio.sleep(0.005)
