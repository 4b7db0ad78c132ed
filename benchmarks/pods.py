"""Pods whose restarts a benchmark counts up: the smallest change that one can see."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

PATCH = "application/json-patch+json"
"""The kind of patch that `Restarting.restarted` makes."""


class Restarting(NamedTuple):
    """A pod with a container that has a status.

    Attributes:
        namespace: the pod's.
        name: the pod's.
        restarts: how often its first container was restarted.
    """

    namespace: str
    name: str
    restarts: int

    @property
    def path(self) -> str:
        """Where its status is."""
        return f"/api/v1/namespaces/{self.namespace}/pods/{self.name}/status"

    def restarted(self, restarts: int) -> list[dict[str, Any]]:
        """The JSON patch after which its first container has been restarted so often."""
        return [{"op": "replace", "path": "/status/containerStatuses/0/restartCount", "value": restarts}]


class _Meta(msgspec.Struct):
    name: str
    namespace: str


class _Container(msgspec.Struct, rename="camel"):
    restart_count: int


class _Status(msgspec.Struct, rename="camel"):
    container_statuses: list[_Container] = []


class _Pod(msgspec.Struct):
    metadata: _Meta
    status: _Status


class _Pods(msgspec.Struct):
    items: list[_Pod]


def restarting(body: bytes) -> list[Restarting]:
    """The pods of a list that have a container status.

    Args:
        body: what the server answered.
    """
    return [
        Restarting(pod.metadata.namespace, pod.metadata.name, first.restart_count)
        for pod in msgspec.json.decode(body, type=_Pods).items
        for first in pod.status.container_statuses[:1]
    ]
