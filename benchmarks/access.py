"""The least that lets a program talk to a cluster: what every reference starts from."""

from __future__ import annotations

import base64
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True, slots=True)
class Access:
    """Where a cluster is, and how to get in.

    Attributes:
        server: its URL.
        trust: checks its certificate, if it is to be checked.
        headers: credentials.
    """

    server: str
    trust: ssl.SSLContext
    headers: dict[str, str]


def read_access(kubeconfig: Path) -> Access:
    """The current context of a kubeconfig with a token, which is all that a benchmark needs.

    Args:
        kubeconfig: the file.

    Raises:
        SystemExit: it has no token.
    """
    content: dict[str, Any] = yaml.load(kubeconfig.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    context = _named(content, "contexts", "context", content["current-context"])
    cluster = _named(content, "clusters", "cluster", context["cluster"])
    user = _named(content, "users", "user", context["user"])
    if "token" not in user:
        raise SystemExit(f"The current user of {kubeconfig} has no token; the benchmarks know no other credentials.")
    if cluster.get("insecure-skip-tls-verify"):
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    else:
        authority = cluster.get("certificate-authority-data")
        trust = ssl.create_default_context(
            cafile=cluster.get("certificate-authority"),
            cadata=base64.b64decode(authority).decode() if authority else None,
        )
    return Access(cluster["server"], trust, {"Authorization": f"Bearer {user['token']}"})


def _named(content: dict[str, Any], entries: str, entry: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each[entry] for each in content[entries] if each["name"] == name)
    return found
