"""What a kubeconfig's contexts, clusters and users say, as typed values.

Fields that hold credentials are kept out of every `repr`. Source: https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from ktui.kube.errors import ConfigError

_USER_INFO = re.compile(r"//[^/@]*@")


@dataclass(frozen=True, slots=True)
class Context:
    """A context: which cluster, as which user, in which namespace."""

    name: str
    origin: Path
    cluster: str = ""
    user: str = ""
    namespace: str = "default"


@dataclass(frozen=True, slots=True)
class Cluster:
    """How to reach an API server and how to know it.

    Attributes:
        server: the URL, with a path when the server is behind a proxy; empty when the file says nothing.
        authority: PEM file of the CA, or its content; None to trust what the system trusts.
        tls_server_name: the name the server's certificate must have, instead of the URL's host.
        insecure: whether any certificate is accepted.
        proxy_url: a proxy, possibly with its password; empty for none of its own.
        exec_config: the extension that exec plugins may ask for.
    """

    name: str
    origin: Path
    server: str = ""
    authority: Path | bytes | None = field(default=None, repr=False)
    tls_server_name: str = ""
    insecure: bool = False
    proxy_url: str = field(default="", repr=False)
    exec_config: Any = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ExecPlugin:
    """A program that prints credentials.

    Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
    """

    command: str
    args: tuple[str, ...] = field(default=(), repr=False)
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    api_version: str = ""
    install_hint: str = ""
    interactive: str = "IfAvailable"
    wants_cluster: bool = False


@dataclass(frozen=True, slots=True)
class Impersonation:
    """Whom to act as: the `as`, `as-uid`, `as-groups` and `as-user-extra` of a user."""

    user: str = ""
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class User:
    """The credentials of a user entry; none of them at all is anonymous.

    Attributes:
        certificate, key: PEM files, or their content.
        provider: the name of a legacy auth-provider, with its `provider_settings`.
    """

    name: str
    origin: Path
    certificate: Path | bytes | None = field(default=None, repr=False)
    key: Path | bytes | None = field(default=None, repr=False)
    token: str = field(default="", repr=False)
    token_file: Path | None = None
    username: str = ""
    password: str = field(default="", repr=False)
    plugin: ExecPlugin | None = None
    provider: str = ""
    provider_settings: Mapping[str, str] = field(default_factory=dict, repr=False)
    impersonation: Impersonation = Impersonation()


class Section:
    """A mapping of a kubeconfig file, read with errors that name the place and never the content."""

    def __init__(self, content: Mapping[str, Any], origin: Path, place: str = "") -> None:
        self.content = content
        self.origin = origin
        self.place = place

    def __repr__(self) -> str:
        return f"Section({str(self.origin)!r}, {self.place!r})"

    def text(self, key: str) -> str:
        """The text of `key`; empty when it is missing or null."""
        value = self.content.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            self._wrong(key, "a text")
        return value

    def flag(self, key: str) -> bool:
        """The truth of `key`; False when it is missing."""
        if (value := self.text(key)) in ("true", "True", "TRUE"):
            return True
        if value not in ("", "false", "False", "FALSE"):
            self._wrong(key, "true or false")
        return False

    def texts(self, key: str) -> tuple[str, ...]:
        """The list of texts under `key`; empty when it is missing."""
        value = self.content.get(key) or []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self._wrong(key, "a list of texts")
        return tuple(value)

    def section(self, key: str) -> Section:
        """The mapping under `key`; empty when it is missing."""
        value = self.content.get(key) or {}
        if not isinstance(value, dict):
            self._wrong(key, "a mapping")
        return Section(value, self.origin, self._at(key))

    def sections(self, key: str) -> Iterator[Section]:
        """The mappings in the list under `key`."""
        value = self.content.get(key) or []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self._wrong(key, "a list of mappings")
        for index, item in enumerate(value):
            yield Section(item, self.origin, f"{self._at(key)}[{index}]")

    def path(self, key: str) -> Path | None:
        """The file named by `key`, relative to the file that names it; None when it is missing."""
        return self.folder / text if (text := self.text(key)) else None

    def file_or_content(self, key: str) -> Path | bytes | None:
        """The bytes of `KEY-data`, which wins, or the file named by `KEY`."""
        if encoded := self.text(f"{key}-data"):
            try:
                return base64.b64decode("".join(encoded.split()), validate=True)
            except (binascii.Error, ValueError):
                pass  # told below, outside of the exception that quotes the text
            self._wrong(f"{key}-data", "base64 text")
        return self.path(key)

    @property
    def folder(self) -> Path:
        """What relative paths are relative to. Symbolic links are not followed, as in kubectl."""
        return self.origin.absolute().parent

    def _at(self, key: str) -> str:
        return f"{self.place}.{key}" if self.place else key

    def _wrong(self, key: str, wanted: str) -> NoReturn:
        raise ConfigError(f"{self._at(key)} in {self.origin} is not {wanted}.", "Correct the file.")


def read_context(name: str, entry: Section) -> Context:
    """A context from its mapping."""
    namespace = entry.text("namespace") or "default"
    return Context(name, entry.origin, entry.text("cluster"), entry.text("user"), namespace)


def read_cluster(name: str, entry: Section) -> Cluster:
    """A cluster from its mapping."""
    extensions = {named.text("name"): named.content.get("extension") for named in entry.sections("extensions")}
    return Cluster(
        name,
        entry.origin,
        # A user and password in the address are no way to sign in to a cluster; they are not even kept.
        server=_USER_INFO.sub("//", entry.text("server")),
        authority=entry.file_or_content("certificate-authority"),
        tls_server_name=entry.text("tls-server-name"),
        insecure=entry.flag("insecure-skip-tls-verify"),
        proxy_url=entry.text("proxy-url"),
        exec_config=extensions.get("client.authentication.k8s.io/exec"),
    )


def read_user(name: str, entry: Section) -> User:
    """A user from its mapping."""
    provider = entry.section("auth-provider")
    settings = provider.section("config")
    return User(
        name,
        entry.origin,
        certificate=entry.file_or_content("client-certificate"),
        key=entry.file_or_content("client-key"),
        token=entry.text("token"),
        token_file=entry.path("tokenFile"),
        username=entry.text("username"),
        password=entry.text("password"),
        plugin=_read_plugin(entry.section("exec")),
        provider=provider.text("name"),
        provider_settings={key: settings.text(key) for key in settings.content},
        impersonation=_read_impersonation(entry),
    )


def _read_plugin(entry: Section) -> ExecPlugin | None:
    if not entry.content:
        return None
    command = entry.text("command")
    if "/" in command:
        # With a slash it is a path, relative to the kubeconfig; without, it is looked up in PATH.
        command = str(entry.folder / command)
    mode = entry.text("interactiveMode") or "IfAvailable"
    if mode not in ("Never", "IfAvailable", "Always"):
        raise ConfigError(f"{entry.place}.interactiveMode in {entry.origin} is not Never, IfAvailable or Always.")
    return ExecPlugin(
        command,
        args=entry.texts("args"),
        env={pair.text("name"): pair.text("value") for pair in entry.sections("env")},
        api_version=entry.text("apiVersion"),
        install_hint=entry.text("installHint"),
        interactive=mode,
        wants_cluster=entry.flag("provideClusterInfo"),
    )


def _read_impersonation(entry: Section) -> Impersonation:
    extra = entry.section("as-user-extra")
    found = Impersonation(
        entry.text("as"),
        entry.text("as-uid"),
        entry.texts("as-groups"),
        tuple((key, value) for key in extra.content for value in extra.texts(key)),
    )
    if not found.user and found != Impersonation():
        raise ConfigError(
            f"{entry.place} in {entry.origin} impersonates groups, a uid or extras without a user.", "Add `as`."
        )
    return found
