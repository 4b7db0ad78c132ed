"""From a kubeconfig's context to an HTTP session with the right trust and credentials.

kubernetes-asyncio's KubeConfigLoader turns a context into a Configuration: server, CA, client certificate, server name,
authorization. It is given one context at a time, already merged and with plain credentials, which keeps it away from
what it does badly:

- Of several files it takes the last current context, fails on an empty first file and on a context without user, and
  may rewrite the user's files: ktui merges (kubeconfig.py), always names a user, and gives it nothing to write to.
- Exec plugins, token files and legacy sign-ins are asked once, unsupervised: ktui asks (credentials.py).
- Keys from the kubeconfig stay in temporary files until the program ends: here they exist while they are read.

The session is made here from that Configuration rather than by its RESTClientObject, which reads certificates on the
event loop, takes passwords from ~/.netrc beside the kubeconfig's (aiohttp then refuses both), prompts for an encrypted
key's password on the terminal, and has no keepalive for watches. Its requests have neither timeouts nor checks: see
client.py.
"""

from __future__ import annotations

import asyncio
import ssl
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from multidict import CIMultiDict

from ktui.kube.credentials import Credential, Credentials
from ktui.kube.errors import ConfigError
from ktui.kube.kubeconfig import Target
from ktui.kube.kubeconfig_entries import Cluster, Impersonation
from ktui.kube.lean import configuration_parts
from ktui.kube.line import Line, Pool
from ktui.kube.proxy import proxy_for


class Connection:
    """The lines to one target, renewed as credentials change.

    Args:
        target: a context with its cluster and user.
        user_agent: how ktui introduces itself.

    Raises:
        ConfigError: the server's address or the user's impersonation cannot be used.
    """

    def __init__(self, target: Target, user_agent: str) -> None:
        self._target = target
        self._user_agent = user_agent
        self._credentials = Credentials(target)
        self._line: Line | None = None
        self._making = asyncio.Lock()
        self.server = server_url(target.cluster)

    async def line(self) -> Line:
        """The line to use now.

        Raises:
            ConfigError: a certificate, key or CA cannot be used.
            CredentialsFailed: there are no credentials to be had.
        """
        credential = await self._current()
        if self._line is not None and self._line.credential is credential:
            return self._line
        return await self._line_with(credential)

    async def renewed(self, refused: Line) -> Line | None:
        """A line to use instead of one whose credential the server refuses; None when there is nothing else to try.

        Raises:
            CredentialsFailed: a renewal was tried and failed.
        """
        if not self.server.startswith("https"):
            return None
        credential = await self._credentials.renewed(refused.credential)
        return None if credential is None else await self._line_with(credential)

    async def close(self) -> None:
        """Close every session; requests under way fail."""
        await self._credentials.close()
        if self._line is not None:
            await self._line.pool.close()

    async def _current(self) -> Credential:
        # Like kubectl, show no credentials where anyone on the way can read them.
        return await self._credentials.current() if self.server.startswith("https") else _ANONYMOUS

    async def _line_with(self, credential: Credential) -> Line:
        async with self._making:
            old = self._line
            if old is not None and old.credential is credential:
                return old
            same = old is not None and _certificate(old.credential) == _certificate(credential)
            try:
                configuration, context = await _configure(self._target, self.server, credential, with_tls=not same)
            except Exception as error:
                # The frames below hold credentials, and crash reports show variables: they end here.
                raise error.with_traceback(None) from None
            pool = old.pool if old is not None and same else Pool(context)
            self._line = Line(self.server, credential, pool, self._headers(configuration), configuration)
            if old is not None and not same:
                await old.pool.retire()
            return self._line

    def _headers(self, configuration: Any) -> CIMultiDict[str]:
        headers = CIMultiDict({"User-Agent": self._user_agent})
        if authorization := configuration.api_key.get("BearerToken"):
            headers["Authorization"] = authorization
        headers.extend(impersonation_headers(self._target.user.impersonation))
        return headers


_ANONYMOUS = Credential()


def server_url(cluster: Cluster) -> str:
    """The server's URL as kubectl completes it, without user, password and slash at the end.

    Raises:
        ConfigError: it is no http or https address.
    """
    given = cluster.server.strip()
    if "://" not in given:
        secure = cluster.authority is not None or cluster.insecure
        given = f"{'https' if secure else 'http'}://{given}"
    try:
        parts = urlsplit(given)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(
            f"The server address of cluster {cluster.name!r} is no http or https URL.",
            f"Correct it in {cluster.origin}.",
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return urlunsplit((parts.scheme, f"{host}:{port}" if port else host, parts.path.rstrip("/"), "", ""))


def impersonation_headers(who: Impersonation) -> list[tuple[str, str]]:
    """The headers of a user's `as`, `as-uid`, `as-groups` and `as-user-extra`, which kubernetes-asyncio does not know.

    Source: https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/
    """
    headers = [("Impersonate-User", who.user)] if who.user else []
    headers += [("Impersonate-Uid", who.uid)] if who.uid else []
    headers += [("Impersonate-Group", group) for group in who.groups]
    # Keys may have characters that header names may not; they are percent-encoded.
    headers += [(f"Impersonate-Extra-{quote(key, safe='!#$&+^`|')}", value) for key, value in who.extra]
    return headers


async def _configure(
    target: Target, server: str, credential: Credential, *, with_tls: bool
) -> tuple[Any, ssl.SSLContext | None]:
    """kubernetes-asyncio's Configuration, and the TLS context it asks for."""
    parts = configuration_parts()
    problem = ""
    with tempfile.TemporaryDirectory(prefix="ktui-") as folder:
        content = {
            "contexts": [{"name": "here", "context": {"cluster": "there", "user": "me"}}],
            "clusters": [{"name": "there", "cluster": _cluster(target.cluster, server, Path(folder))}],
            "users": [{"name": "me", "user": _user(credential, Path(folder))}],
        }
        configuration = parts.Configuration()
        # Go's TLS, and so kubectl, accepts CAs without the key identifiers that Python 3.13 insists on.
        configuration.disable_strict_ssl_verification = True
        try:
            await parts.KubeConfigLoader(content, "here", config_base_path="").load_and_set(configuration)
            context = None
            # An https proxy is trusted as the cluster is.
            if with_tls and "https" in (server[:5], (configuration.proxy or "")[:5]):
                context = await asyncio.to_thread(tls_context, configuration)
        except (parts.ConfigException, ssl.SSLError, OSError, ValueError) as error:
            problem = _tls_problem(error, target)
        else:
            return configuration, context
    raise ConfigError(problem, f"Correct the entry in {target.user.origin} or {target.cluster.origin}.")


def tls_context(configuration: Any) -> ssl.SSLContext:
    """The TLS context that a Configuration asks for; takes up to 20 ms, so make it in a thread."""
    if configuration.verify_ssl:
        context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    else:
        # Whoever is trusted without looking needs no authorities, and reading the system's takes long.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if configuration.disable_strict_ssl_verification:
        context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
    if configuration.cert_file:
        # Without this, OpenSSL asks for an encrypted key's password on the terminal.
        context.load_cert_chain(configuration.cert_file, configuration.key_file, password=_no_password)
    if not configuration.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _no_password() -> str:
    raise ValueError("encrypted")


def _tls_problem(error: Exception, target: Target) -> str:
    """What is wrong with certificates and keys, without any of their content."""
    user, cluster = f"user {target.user.name!r}", f"cluster {target.cluster.name!r}"
    if isinstance(error, ValueError) and error.args == ("encrypted",):
        return f"The client key of {user} is encrypted, and ktui cannot ask for its password."
    reason = getattr(error, "reason", "") or ""
    if "MISMATCH" in reason:
        return f"The client certificate and the client key of {user} do not belong together."
    authority = target.cluster.authority
    if isinstance(authority, Path) and not authority.is_file():
        return f"The certificate authority {authority} of {cluster} does not exist."
    if "CERTIFICATE_OR_CRL" in reason:
        return f"The certificate authority of {cluster} is no PEM certificate."
    return f"The certificates or keys of {user} or {cluster} cannot be read."


def _cluster(cluster: Cluster, server: str, folder: Path) -> dict[str, Any]:
    settings: dict[str, Any] = {"server": server, "insecure-skip-tls-verify": cluster.insecure}
    if cluster.authority is not None:
        settings["certificate-authority"] = _as_file(cluster.authority, folder / "ca.pem")
    if cluster.tls_server_name:
        settings["tls-server-name"] = cluster.tls_server_name
    if proxy := proxy_for(server, cluster.proxy_url):
        settings["proxy-url"] = proxy
    return settings


def _user(credential: Credential, folder: Path) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    if credential.token:
        settings["token"] = credential.token
    elif credential.username:
        settings |= {"username": credential.username, "password": credential.password}
    if credential.certificate is not None:
        settings["client-certificate"] = _as_file(credential.certificate, folder / "client.pem")
        settings["client-key"] = _as_file(credential.key or credential.certificate, folder / "key.pem")
    return settings


def _as_file(given: Path | bytes, path: Path) -> str:
    """A file's path, or `path` with the given content; the folder is readable by the user alone."""
    if isinstance(given, Path):
        return str(given)
    path.write_bytes(given)
    return str(path)


def _certificate(credential: Credential) -> tuple[bytes | None, bytes | None]:
    return credential.certificate, credential.key
