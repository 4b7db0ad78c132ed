"""Who may log in to the embedded cluster, and the kubeconfigs that let them."""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CLUSTER = "demo"
AUTHENTICATED = "system:authenticated"
MASTERS = "system:masters"


@dataclass(frozen=True, slots=True)
class User:
    """An authenticated (or anonymous) caller."""

    name: str
    groups: tuple[str, ...]


ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))

USERS: dict[str, User] = {
    "admin": User("admin", (MASTERS, AUTHENTICATED)),
    "viewer": User("viewer", ("viewers", AUTHENTICATED)),
    "dev": User("dev", ("developers", AUTHENTICATED)),
    "nobody": User("nobody", ("nobodies", AUTHENTICATED)),
}
"""What viewer, dev and nobody may do stands in the RBAC objects; system:masters may do everything, as ever."""


class Tokens:
    """Bearer tokens, new ones at each start."""

    def __init__(self) -> None:
        self._by_user = {name: secrets.token_urlsafe(24) for name in USERS}

    def of(self, user: str) -> str:
        """The token of a user of `USERS`."""
        return self._by_user[user]

    def owner(self, token: str) -> User | None:
        """Whose token this is, or None."""
        given = token.encode()
        for name, known in self._by_user.items():
            if secrets.compare_digest(given, known.encode()):
                return USERS[name]
        return None

    def renew(self) -> None:
        """Makes new tokens; the old ones are worth nothing any more."""
        self._by_user = {name: secrets.token_urlsafe(24) for name in USERS}


def kubeconfig(url: str, authority: bytes, user: str, token: str, namespace: str | None) -> dict[str, Any]:
    """A kubeconfig for one user; its context is `demo` for admin and `demo-USER` for others.

    Args:
        url: the server's address.
        authority: the CA certificate, PEM.
        user: a name of `USERS`.
        token: the user's token.
        namespace: the context's namespace, or None for none.
    """
    context = CLUSTER if user == "admin" else f"{CLUSTER}-{user}"
    place = {"cluster": CLUSTER, "user": context} | ({"namespace": namespace} if namespace else {})
    trusted = base64.b64encode(authority).decode()
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": CLUSTER, "cluster": {"server": url, "certificate-authority-data": trusted}}],
        "users": [{"name": context, "user": {"token": token}}],
        "contexts": [{"name": context, "context": place}],
        "current-context": context,
        "preferences": {},
    }


def write_kubeconfig(path: Path, config: dict[str, Any]) -> None:
    """Writes a kubeconfig as JSON (which is YAML), readable by its owner alone, in one step.

    Args:
        path: where to; a file there is replaced.
        config: the kubeconfig.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(config, file, indent=2)
        file.write("\n")
    os.replace(draft, path)
