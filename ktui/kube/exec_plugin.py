"""Runs the programs that print credentials: `aws eks get-token`, `gke-gcloud-auth-plugin`, `kubelogin` ...

kubernetes-asyncio's own runner lets the program read the keyboard that ktui is using, waits for it without end, and
knows neither expiry of certificates nor install hints; hence this one.

Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
"""

from __future__ import annotations

import asyncio
import base64
import os
import re
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from ktui.kube.errors import CredentialsFailed
from ktui.kube.kubeconfig_entries import Cluster, ExecPlugin
from ktui.kube.status import shown

TIME_LIMIT = 30.0
"""Seconds a plugin may take. It has no keyboard, so one that takes longer waits for a person."""

LARGEST_OUTPUT = 1024 * 1024
LARGEST_COMPLAINT = 64 * 1024
VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")

_JWT = re.compile(r"eyJ[\w-]{5,}\.[\w-]+\.?[\w-]*")


@dataclass(frozen=True, slots=True)
class PluginAnswer:
    """What a plugin printed: a token, a client certificate with its key, or both.

    Attributes:
        expires: epoch seconds, or None when it holds until the server refuses it.
    """

    token: str = field(default="", repr=False)
    certificate: bytes | None = field(default=None, repr=False)
    key: bytes | None = field(default=None, repr=False)
    expires: float | None = None


class _Status(msgspec.Struct, rename="camel"):
    token: str = ""
    client_certificate_data: str = ""
    client_key_data: str = ""
    expiration_timestamp: datetime | None = None


class _ExecCredential(msgspec.Struct, rename="camel"):
    api_version: str = ""
    kind: str = ""
    status: _Status | None = None


async def run_plugin(plugin: ExecPlugin, cluster: Cluster, time_limit: float = TIME_LIMIT) -> PluginAnswer:
    """Run a plugin and read the credentials it prints.

    It gets no keyboard: its input is closed, and it runs in a session of its own, without a terminal to open.

    Args:
        plugin: the program, as the kubeconfig names it.
        cluster: told to plugins that ask for it.
        time_limit: seconds after which it is ended, with all its children.

    Raises:
        CredentialsFailed: it is missing, fails, takes too long, or prints something else.
    """
    name = Path(plugin.command).name
    if plugin.api_version not in VERSIONS:
        raise CredentialsFailed(
            f"The sign-in program {name} is configured for {plugin.api_version or 'no'} API, which is gone.",
            "Write the kubeconfig entry anew with your provider's tool, then retry.",
        )
    if plugin.interactive == "Always":
        raise CredentialsFailed(
            f"The sign-in program {name} wants to ask you something, which it cannot do inside ktui.",
            "Sign in with kubectl in a terminal first, or use a sign-in that needs no keyboard.",
        )
    code, output, complaint = await _run(plugin, cluster, name, time_limit)
    if code != 0:
        said = _last_line(complaint, plugin)
        raise CredentialsFailed(
            f"The sign-in program {name} failed (exit code {code}){': ' + said if said else ''}.",
            "Sign in with it in a terminal, then retry.",
        )
    return _read(output, plugin, name)


async def _run(plugin: ExecPlugin, cluster: Cluster, name: str, time_limit: float) -> tuple[int, bytes, bytes]:
    """The exit code, what was printed, and the end of what was complained."""
    try:
        process = await asyncio.create_subprocess_exec(
            plugin.command,
            *plugin.args,
            env={**os.environ, **plugin.env, "KUBERNETES_EXEC_INFO": _exec_info(plugin, cluster)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        why = "is not installed" if missing else f"cannot be run ({(error.strerror or 'error').lower()})"
    else:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            async with asyncio.timeout(time_limit):
                output, complaint = await asyncio.gather(
                    _first(process.stdout, LARGEST_OUTPUT), _last(process.stderr, LARGEST_COMPLAINT)
                )
                return await process.wait(), output, complaint
        except TimeoutError:
            raise CredentialsFailed(
                f"The sign-in program {name} gave no answer within {time_limit:g} s.",
                "It may be waiting for a browser or a password: sign in with kubectl in a terminal, then retry.",
            ) from None
        finally:
            await _end(process)
    raise CredentialsFailed(
        f"The sign-in program {name} {why}.", plugin.install_hint or "Install it, and make sure it is in PATH."
    )


async def _end(process: asyncio.subprocess.Process) -> None:
    """End what is left of a plugin and of its children."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        # A grandchild in a session of its own may hold the pipes open; it is not waited for.
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await process.wait()


async def _first(stream: asyncio.StreamReader, most: int) -> bytes:
    """All of a stream, of which one byte more than `most` is kept."""
    kept = bytearray()
    while chunk := await stream.read(65536):
        kept += chunk[: max(0, most + 1 - len(kept))]
    return bytes(kept)


async def _last(stream: asyncio.StreamReader, most: int) -> bytes:
    """All of a stream, of which the last `most` bytes are kept."""
    kept = b""
    while chunk := await stream.read(65536):
        kept = (kept + chunk)[-most:]
    return kept


def _exec_info(plugin: ExecPlugin, cluster: Cluster) -> str:
    spec: dict[str, object] = {"interactive": False}
    if plugin.wants_cluster:
        spec["cluster"] = _cluster_told(cluster)
    told = {"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": spec}
    return msgspec.json.encode(told).decode()


def _cluster_told(cluster: Cluster) -> dict[str, object]:
    authority = cluster.authority
    if isinstance(authority, Path):
        try:
            authority = authority.read_bytes()
        except OSError:
            authority = None
    told: dict[str, object] = {
        "server": cluster.server,
        "tls-server-name": cluster.tls_server_name,
        "insecure-skip-tls-verify": cluster.insecure,
        "certificate-authority-data": base64.b64encode(authority).decode() if authority else "",
        "proxy-url": cluster.proxy_url,
        "config": cluster.exec_config,
    }
    return {key: value for key, value in told.items() if value}


def _read(output: bytes, plugin: ExecPlugin, name: str) -> PluginAnswer:
    """The credentials in a plugin's output, of which no error tells a word."""
    problem = "is no ExecCredential"
    if len(output) <= LARGEST_OUTPUT:
        try:
            printed = msgspec.json.decode(output, type=_ExecCredential)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            printed = _ExecCredential()
        if printed.kind == "ExecCredential":
            status = printed.status or _Status()
            if printed.api_version != plugin.api_version:
                problem = f"is of another version than {plugin.api_version}"
            elif bool(status.client_certificate_data) != bool(status.client_key_data):
                problem = "has a client certificate or a key, not both"
            elif not status.token and not status.client_certificate_data:
                problem = "has no credentials in it"
            else:
                return _answer(status)
    raise CredentialsFailed(
        f"What the sign-in program {name} printed {problem}.", "Try it with kubectl; the program may need an update."
    )


def _answer(status: _Status) -> PluginAnswer:
    expires = status.expiration_timestamp
    if expires is not None and expires.tzinfo is None:
        expires = expires.replace(tzinfo=UTC)
    return PluginAnswer(
        status.token,
        status.client_certificate_data.encode() or None,
        status.client_key_data.encode() or None,
        expires.timestamp() if expires is not None else None,
    )


def _last_line(complaint: bytes, plugin: ExecPlugin) -> str:
    """The last thing a plugin complained about, without what might be a secret."""
    lines = [line for line in complaint.decode("utf-8", "replace").splitlines() if line.strip()]
    text = lines[-1][:300] if lines else ""
    for secret in (*plugin.env.values(), *plugin.args):
        if len(secret) >= 8:
            text = text.replace(secret, "•••")
    return shown(_JWT.sub("•••", text)).rstrip(".")
