"""Which kubeconfig files were read, and what the chosen context takes from which of them."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from ktui.cli.checks.finding import Finding, failed, good, warning
from ktui.kube.connection import server_url
from ktui.kube.errors import ConfigError
from ktui.kube.kubeconfig import IN_CLUSTER, Kubeconfig, Target
from ktui.kube.kubeconfig_entries import Cluster, User
from ktui.kube.proxy import proxy_for

SOON = timedelta(days=14)
"""How long before a client certificate ends that it is worth a word."""


def check_files(kubeconfig: Kubeconfig) -> Iterator[Finding]:
    """Each file that was looked for.

    Args:
        kubeconfig: what was read of them.
    """
    if IN_CLUSTER in kubeconfig.contexts and not kubeconfig.files:
        yield good("no kubeconfig, but this is a pod: its own service account is used")
        return
    for path in kubeconfig.looked_at:
        if path not in kubeconfig.files:
            yield warning(f"{short(path)} is missing or empty", "Nothing to do when the other files say everything.")
            continue
        entries = [
            f"{count} {word}{'' if count == 1 else 's'}"
            for word, named in (
                ("context", kubeconfig.contexts), ("cluster", kubeconfig.clusters), ("user", kubeconfig.users)
            )
            for count in [sum(entry.origin == path for entry in named.values())]
        ]  # fmt: skip
        text = f"{short(path)}: {', '.join(entries)}"
        if stat.S_IMODE(path.stat().st_mode) & 0o077 and path.is_file():
            yield warning(f"{text}; others on this machine may read it", f"chmod 600 {short(path)}")
        else:
            yield good(text)


def check_target(kubeconfig: Kubeconfig, context: str | None) -> Iterator[Finding]:
    """The context, its cluster and its user, and where each is defined.

    Args:
        kubeconfig: what was read.
        context: a context's name; None for the current one.
    """
    try:
        target = kubeconfig.target(context)
    except ConfigError as error:
        yield failed(error.sentence, error.next_step)
        return
    chosen = "the current one" if target.context.name == kubeconfig.current else "as asked for"
    named = target.context
    yield good(f"context {named.name} ({chosen}), namespace {named.namespace}, from {short(named.origin)}")
    yield from _check_cluster(target.cluster)
    yield from _check_user(target)


def _check_cluster(cluster: Cluster) -> Iterator[Finding]:
    try:
        server = server_url(cluster)
        proxy = urlsplit(proxy_for(server, cluster.proxy_url))
    except ConfigError as error:
        yield failed(error.sentence, error.next_step)
        return
    through = f" through the proxy {proxy.hostname}:{proxy.port or 80}" if proxy.hostname else ""
    text = f"cluster {cluster.name}: {server}{through}, from {short(cluster.origin)}"
    if not server.startswith("https"):
        yield warning(f"{text}; nothing is encrypted and no credentials are sent", "Use its https address.")
    elif cluster.insecure:
        yield warning(
            f"{text}; its certificate is not checked (insecure-skip-tls-verify)",
            "Anyone on the way could read your credentials: set certificate-authority instead.",
        )
    else:
        yield good(text)


def _check_user(target: Target) -> Iterator[Finding]:
    user = target.user
    if not user.name:
        yield warning("no user: ktui asks as nobody (anonymous)", "Name a user in the context.")
        return
    text = f"user {user.name}: {kind_of_user(user)}, from {short(user.origin)}"
    if user.impersonation.user:
        text += f", acting as {user.impersonation.user}"
    if user.plugin is not None and shutil.which(user.plugin.command) is None:
        hint = user.plugin.install_hint.strip().splitlines()
        yield failed(f"{text}; this program cannot be found", hint[0] if hint else "Install it, or correct PATH.")
    elif user.certificate is not None:
        yield _check_certificate(text, user)
    else:
        yield good(text)


def kind_of_user(user: User) -> str:
    """By what a user entry proves who asks, in the order in which it is tried; never the proof itself."""
    if user.plugin is not None:
        return f"exec plugin {user.plugin.command}"
    ways = [
        (user.certificate is not None, "client certificate"),
        (bool(user.token), "token"),
        (user.token_file is not None and not user.token, f"token file {short(user.token_file or Path())}"),
        (bool(user.username), "username and password"),
        (bool(user.provider), f"sign-in provider {user.provider}"),
    ]
    return " and ".join(way for given, way in ways if given) or "no credentials"


def _check_certificate(text: str, user: User) -> Finding:
    from cryptography import x509

    try:
        pem = user.certificate.read_bytes() if isinstance(user.certificate, Path) else user.certificate or b""
        ends = x509.load_pem_x509_certificate(pem).not_valid_after_utc
    except (OSError, ValueError):
        return failed(f"{text}; the certificate cannot be read", f"Correct the entry in {short(user.origin)}.")
    left = ends - datetime.now(UTC)
    if left < timedelta(0):
        return failed(f"{text}; it ended on {ends:%Y-%m-%d}", "Have it renewed by whoever runs the cluster.")
    if left < SOON:
        return warning(f"{text}; it ends on {ends:%Y-%m-%d}", "Have it renewed soon.")
    return good(f"{text}, valid until {ends:%Y-%m-%d}")


def short(path: Path) -> str:
    """A path as people write it, with ~ for the home folder."""
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
