"""What proves to a cluster who is asking, kept current.

Tokens in files change, plugins' answers expire, people sign in again: `Credentials` gives what holds now, asks once for
many requests, and asks again when the server refuses. Whatever the kind, the result is a plain `Credential`, which
kubernetes-asyncio turns into headers and TLS settings (ktui/kube/connection.py).
"""

from __future__ import annotations

import asyncio
import base64
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ktui.kinds.time import epoch
from ktui.kube.errors import ConfigError, CredentialsFailed
from ktui.kube.kubeconfig import Target, load_kubeconfig
from ktui.kube.kubeconfig_entries import User

if TYPE_CHECKING:
    from ktui.kube.exec_plugin import PluginAnswer

EARLY = 30.0
"""Seconds before its end that a plugin's answer is replaced; at most a tenth of its life."""

REREAD = 60.0
"""Seconds after which a token file is read again even if it looks the same, as client-go does."""

PATIENCE = 5.0
"""Seconds between two attempts to renew what the server refuses, so that many refusals do not mean many sign-ins."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What is shown to the server; nothing of it when anonymous.

    Attributes:
        certificate, key: PEM.
    """

    token: str = field(default="", repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    certificate: bytes | None = field(default=None, repr=False)
    key: bytes | None = field(default=None, repr=False)


class Credentials:
    """The current credential of one user entry.

    Args:
        target: the user and its cluster.
        time_limit: seconds a plugin may take; None for the usual ones.
    """

    def __init__(self, target: Target, time_limit: float | None = None) -> None:
        self._target = target
        self._user = target.user
        self._time_limit = time_limit
        self._token_file: _TokenFile | None = None
        self._last: Credential | None = None
        self._due: float | None = None
        self._renewed_at = float("-inf")
        self._loading: asyncio.Task[Credential] | None = None

    async def current(self) -> Credential:
        """What holds now; costs nothing while it does.

        Raises:
            CredentialsFailed: there is none to be had.
        """
        if self._last is not None and not self._stale():
            return self._last
        return await self._load_once()

    async def renewed(self, refused: Credential) -> Credential | None:
        """What to show instead of a credential that the server refuses; None when there is nothing else.

        Requests that are refused together share one renewal.

        Args:
            refused: what `current` gave.

        Raises:
            CredentialsFailed: a renewal was tried and failed.
        """
        if self._last is not refused:
            return self._last
        if self._loading is None:
            if time.monotonic() - self._renewed_at < PATIENCE:
                return None
            self._renewed_at = time.monotonic()
        fresh = await self._load_once(again=True)
        # A plugin may give the same token again; the server may still have refused it only in passing.
        return fresh if fresh != refused or self._user.plugin else None

    async def close(self) -> None:
        """Stop whatever is still being asked for."""
        if self._loading is not None:
            self._loading.cancel()
            await asyncio.wait([self._loading])

    def _stale(self) -> bool:
        if self._token_file is not None and self._token_file.changed():
            return True
        return self._due is not None and time.time() >= self._due

    async def _load_once(self, *, again: bool = False) -> Credential:
        """Load, or wait for the load that is under way; its failure, too, is shared by all who wait."""
        if self._loading is None:
            self._loading = asyncio.create_task(self._load(again))
            self._loading.add_done_callback(self._loaded)
        return await asyncio.shield(self._loading)

    def _loaded(self, task: asyncio.Task[Credential]) -> None:
        self._loading = None
        if not task.cancelled() and task.exception() is None:
            self._last = task.result()

    async def _load(self, again: bool) -> Credential:
        try:
            return await self._ask(again)
        except Exception as error:
            # The frames below hold credentials, and crash reports show variables: they end here.
            raise error.with_traceback(None) from None

    async def _ask(self, again: bool) -> Credential:
        """Read files, run the plugin: whatever it takes."""
        if again or self._user.provider:
            self._user = await asyncio.to_thread(_read_again, self._user)
        user, self._due = self._user, None
        if user.token_file is not None and (self._token_file is None or self._token_file.path != user.token_file):
            self._token_file = _TokenFile(user.token_file)
        token = self._token_file.read() if self._token_file is not None else user.token
        certificate, key = _pem(user, "client-certificate"), _pem(user, "client-key")
        if not token and not user.username:
            # As in client-go, a token or password of the kubeconfig goes before a plugin.
            if user.plugin is not None:
                # Imported by those who have one: everybody else's first rows do not wait for it.
                from ktui.kube.exec_plugin import TIME_LIMIT, run_plugin

                answer = await run_plugin(user.plugin, self._target.cluster, self._time_limit or TIME_LIMIT)
                self._due = _due(answer)
                token = answer.token
                certificate, key = answer.certificate or certificate, answer.key or key
            elif user.provider:
                token, self._due = _legacy_token(user)
        return Credential(_sendable(token, user), user.username, user.password, certificate, key)


class _TokenFile:
    """A file with a token that something else keeps writing anew."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._token = ""
        self._seen: tuple[int, int, int] | None = None
        self._read_at = float("-inf")

    def changed(self) -> bool:
        """Whether it should be read again. A file that is gone for now is not: the last token still holds."""
        if (signature := self._signature()) is None:
            return False
        return signature != self._seen or time.monotonic() - self._read_at >= REREAD

    def read(self) -> str:
        """The token; the last one when the file cannot be read now.

        Raises:
            CredentialsFailed: it was never readable.
        """
        try:
            signature = self._signature()
            self._token = self.path.read_text().strip() or self._token
        except (OSError, UnicodeDecodeError):
            pass
        else:
            self._seen, self._read_at = signature, time.monotonic()
        if not self._token:
            raise CredentialsFailed(f"The token file {self.path} is missing or empty.", "Sign in again, then retry.")
        return self._token

    def _signature(self) -> tuple[int, int, int] | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size


class _Claims(msgspec.Struct):
    exp: float | None = None


def _due(answer: PluginAnswer) -> float | None:
    """When to ask a plugin again, in epoch seconds."""
    if answer.expires is None:
        return None
    left = answer.expires - time.time()
    # An answer that has already expired is not asked for again at every request, but soon.
    return answer.expires - min(EARLY, left / 10) if left > 0 else time.time() + PATIENCE


def _legacy_token(user: User) -> tuple[str, float | None]:
    """The token that kubectl last stored for a legacy auth-provider, and when it expires.

    ktui does not renew it: that would mean to write the user's kubeconfig, and kubernetes-asyncio's way to do so does
    not check whom it sends the refresh token to.
    """
    settings = user.provider_settings
    if user.provider == "oidc":
        token, expires = settings.get("id-token", ""), _expiry_of(settings.get("id-token", ""))
        advice = "Run any kubectl command with this context, which renews it; ktui then takes it up."
    elif user.provider == "gcp":
        token, expires = settings.get("access-token", ""), epoch(settings.get("expiry", ""))
        advice = "Move to the current sign-in: `gcloud container clusters get-credentials`."
    else:
        raise CredentialsFailed(
            f"User {user.name!r} signs in through the auth-provider {user.provider!r}, which no longer exists.",
            "Write the kubeconfig entry anew with your provider's tool, then retry.",
        )
    if not token or (expires is not None and expires <= time.time()):
        raise CredentialsFailed(
            f"The {user.provider} sign-in of user {user.name!r} has expired, and ktui does not renew it.", advice
        )
    return token, expires


def _expiry_of(jwt: str) -> float | None:
    """When a JSON Web Token expires; None when it does not say."""
    _, _, rest = jwt.partition(".")
    payload = rest.partition(".")[0]
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), type=_Claims).exp
    except (ValueError, msgspec.MsgspecError):
        return None


def _read_again(user: User) -> User:
    """The user entry as its file has it now: people sign in again with tools that rewrite their kubeconfig."""
    try:
        return load_kubeconfig([user.origin]).users.get(user.name, user)
    except ConfigError:
        # No kubeconfig (a service account's token), or just being written.
        return user


def _pem(user: User, what: str) -> bytes | None:
    """A client certificate or key, read from its file."""
    given = user.certificate if what == "client-certificate" else user.key
    if not isinstance(given, Path):
        return given
    try:
        return given.read_bytes()
    except OSError as error:
        why = (error.strerror or "error").lower()
    raise CredentialsFailed(f"The {what} {given} cannot be read ({why}).", "Sign in again, or correct the kubeconfig.")


def _sendable(token: str, user: User) -> str:
    """A token that can stand in a header."""
    token = token.strip()
    if token.isprintable() and token.isascii() and " " not in token:
        return token
    raise CredentialsFailed(f"The token of user {user.name!r} has characters that no token has.", "Sign in again.")
