"""Namespaces that a user is known to read, for those who may not list them.

A user whose rights end at a few namespaces cannot ask the server which ones. What the kubeconfig's contexts name, and
what the person typed before, is remembered per cluster and user in $XDG_STATE_HOME/ktui/namespaces.json.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_state_path

from ktui.kube.errors import ConfigError

if TYPE_CHECKING:
    from ktui.kube.kubeconfig import Kubeconfig

log = logging.getLogger(__name__)

MOST = 50


class KnownNamespaces:
    """The namespaces of one cluster and user, most recently typed first.

    Args:
        kubeconfig: its contexts name namespaces.
        context: the context in use; None for the current one.
        path: the file that remembers.
    """

    def __init__(self, kubeconfig: Kubeconfig, context: str | None, path: Path | None = None) -> None:
        self._path = path or user_state_path("ktui") / "namespaces.json"
        target = kubeconfig.target(context)
        self._who = f"{target.cluster.server} {target.context.user}"
        alike = [
            other.namespace or "default"
            for other in kubeconfig.contexts.values()
            if (other.cluster, other.user) == (target.context.cluster, target.context.user)
        ]
        self._named = list(dict.fromkeys([target.context.namespace or "default", *alike]))

    def __call__(self) -> tuple[str, ...]:
        """All that are known."""
        return tuple(dict.fromkeys([*self._read().get(self._who, []), *self._named]))

    def remember(self, namespaces: Iterable[str]) -> None:
        """Keep what the person typed.

        Raises:
            ConfigError: the file cannot be written.
        """
        kept = self._read()
        kept[self._who] = list(dict.fromkeys([*namespaces, *kept.get(self._who, [])]))[:MOST]
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            scratch = self._path.with_suffix(".new")
            with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                json.dump(kept, file, indent=1)
            scratch.replace(self._path)
        except OSError as error:
            why = f"The namespaces could not be remembered: {error.strerror}."
            raise ConfigError(why, f"Check {self._path}.") from error

    def _read(self) -> dict[str, list[str]]:
        try:
            kept = json.loads(self._path.read_text())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            # A convenience: an unreadable file costs some typing, and is replaced when something is remembered.
            log.warning("%s cannot be read: %s", self._path, type(error).__name__)
            return {}
        names = {who: found for who, found in kept.items() if isinstance(found, list)} if isinstance(kept, dict) else {}
        return {who: [name for name in found if isinstance(name, str)] for who, found in names.items()}
