"""Where the server takes answers from that are no stored objects: usage metrics and containers' logs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

Object = dict[str, Any]


class Metrics(Protocol):
    """Usage of nodes and pods, in the shape of metrics.k8s.io/v1beta1."""

    def nodes(self) -> list[Object]:
        """One NodeMetrics per node."""

    def pods(self, namespace: str | None) -> list[Object]:
        """One PodMetrics per pod of a namespace, or of all for None."""


class Logs(Protocol):
    """What containers wrote."""

    def lines(self, pod: Object, container: str, *, previous: bool = False) -> Sequence[tuple[float, str]]:
        """The lines a container wrote so far: seconds since the epoch, and text without its line end."""


class _NoMetrics:
    def nodes(self) -> list[Object]:
        return []

    def pods(self, namespace: str | None) -> list[Object]:
        return []


class _NoLogs:
    def lines(self, pod: Object, container: str, *, previous: bool = False) -> Sequence[tuple[float, str]]:
        return ()


NO_METRICS: Metrics = _NoMetrics()
NO_LOGS: Logs = _NoLogs()
