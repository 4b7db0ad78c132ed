"""Kubernetes quantities such as `250m` and `512Mi`, and what a pod requests."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import Any

_SUFFIXES = {
    "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Requests:
    """Compute resources: CPU in thousandths of a core, memory in bytes.

    Attributes:
        cpu: Thousandths of a core.
        memory: Bytes.
        counts: Whether the pod takes one of the node's places for pods.
    """

    cpu: int
    memory: int
    counts: bool = True

    def __add__(self, other: Requests) -> Requests:
        return Requests(self.cpu + other.cpu, self.memory + other.memory)

    def __sub__(self, other: Requests) -> Requests:
        return Requests(self.cpu - other.cpu, self.memory - other.memory)


NOTHING = Requests(0, 0)


@lru_cache(maxsize=1024)
def quantity(text: str | int | float) -> float:
    """Reads a quantity in its base unit (cores, bytes).

    Raises:
        ValueError: The text is no quantity.
    """
    written = str(text)
    digits = written.rstrip("numkKMGTPEi")
    suffix = written[len(digits) :]
    if suffix == "E" and not digits:
        raise ValueError(f"not a quantity: {written}")
    return float(digits) * _SUFFIXES[suffix]


def milli(text: str | int | float) -> int:
    """Reads a CPU quantity in thousandths of a core, rounded up as Kubernetes does."""
    return ceil(round(quantity(text) * 1000, 6))


def container_requests(container: dict[str, Any], of: str = "requests") -> Requests:
    """Returns the requests (or the limits) of a container; 0 for what it does not name."""
    asked = (container.get("resources") or {}).get(of) or {}
    return _requests(asked.get("cpu", 0), asked.get("memory", 0))


@lru_cache(maxsize=1024)
def _requests(cpu: str | int | float, memory: str | int | float) -> Requests:
    return Requests(milli(cpu), round(quantity(memory)))


def pod_requests(spec: dict[str, Any]) -> Requests:
    """Returns what the scheduler reserves for a pod: the containers' and sidecars' sum, or the largest init container.

    Source: kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers.
    """
    total = NOTHING
    for container in spec["containers"]:
        total += container_requests(container)
    peak = NOTHING
    for container in spec.get("initContainers") or ():
        asked = container_requests(container)
        if container.get("restartPolicy") == "Always":
            total += asked
        else:
            peak = Requests(max(peak.cpu, asked.cpu), max(peak.memory, asked.memory))
    return Requests(max(total.cpu, peak.cpu), max(total.memory, peak.memory))
