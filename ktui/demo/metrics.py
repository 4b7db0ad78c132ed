"""What nodes and pods use, in the shape of metrics.k8s.io: a smooth wobble between requests and limits.

The same seed and time give the same usage. Like metrics-server, it measures every 15 s, and knows nothing of nodes that
do not answer and of pods that do not run.
"""

from __future__ import annotations

from functools import lru_cache
from math import sin, tau
from zlib import crc32

from ktui.demo.clock import Clock, rfc3339
from ktui.demo.controllers.conditions import is_true, phase
from ktui.demo.controllers.index import Index
from ktui.demo.controllers.quantities import container_requests, milli, quantity
from ktui.demo.storage import Object, Storage

_EVERY = 15
_WINDOW = "15s"
_USUAL_CPU, _USUAL_MEMORY = 20, 48 * 2**20  # of a container that requests nothing
# What runs on a node beside its pods: the system and the kubelet.
_NODE_CPU_SHARE, _NODE_MEMORY_SHARE = 0.03, 0.09

_Usage = tuple[int, int]  # thousandths of a core, bytes


@lru_cache(maxsize=65536)
def _phases(seed: int, name: str) -> tuple[float, float, float]:
    digest = crc32(f"{seed}/{name}".encode())
    return digest % 997 / 997, digest // 997 % 991 / 991, 0.3 + digest // 988_027 % 89 / 200


class Metrics:
    """Measures the cluster.

    Args:
        storage: Where the nodes and pods are.
        index: Knows which pods run on which node.
        clock: The time of the measurement.
        seed: Gives every container its own ups and downs.
    """

    def __init__(self, storage: Storage, index: Index, clock: Clock, seed: int = 0) -> None:
        self._storage = storage
        self._index = index
        self._clock = clock
        self._seed = seed
        self._measured_at = 0
        self._measured: dict[str, dict[str, _Usage]] = {}

    def nodes(self) -> list[Object]:
        """Returns the NodeMetrics of all nodes that are ready."""
        return [self._node(node) for node in self._storage.list("nodes") if is_true(node, "Ready")]

    def pods(self, namespace: str | None) -> list[Object]:
        """Returns the PodMetrics of the running pods of a namespace, or of all for None."""
        measured = (self.pod(pod) for pod in self._storage.list("pods", namespace))
        return [one for one in measured if one is not None]

    def pod(self, pod: Object) -> Object | None:
        """Returns the PodMetrics of a pod; None when it does not run, or just started."""
        used = self._pod_usage(pod)
        if not used:
            return None
        metadata = pod["metadata"]
        described = {
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "labels": metadata.get("labels") or {},
        }
        containers = [{"name": name, "usage": _shown(usage)} for name, usage in used.items()]
        return {**self._head(described), "containers": containers}

    def _node(self, node: Object) -> Object:
        name = node["metadata"]["name"]
        capacity = node["status"]["capacity"]
        all_cpu, all_memory = milli(capacity["cpu"]), quantity(capacity["memory"])
        level = 1 + 0.3 * self._wave(name)
        cpu, memory = all_cpu * _NODE_CPU_SHARE * level, all_memory * _NODE_MEMORY_SHARE
        for pod in self._index.pods_on(name):
            for used in self._pod_usage(pod).values():
                cpu, memory = cpu + used[0], memory + used[1]
        described = {"name": name, "labels": node["metadata"].get("labels") or {}}
        return {**self._head(described), "usage": _shown((int(min(cpu, all_cpu)), int(min(memory, all_memory * 0.97))))}

    def _pod_usage(self, pod: Object) -> dict[str, _Usage]:
        """Returns the usage of a pod's containers by name; measured once for the pods' and the nodes' sake."""
        time = self._time()
        if time != self._measured_at:
            self._measured_at = time
            self._measured = {}
        uid = pod["metadata"]["uid"]
        if uid not in self._measured:
            self._measured[uid] = self._measure(pod, time)
        return self._measured[uid]

    def _measure(self, pod: Object, time: int) -> dict[str, _Usage]:
        if phase(pod) != "Running":
            return {}
        node = self._storage.get("nodes", "", pod["spec"].get("nodeName", ""))
        if node is None or not is_true(node, "Ready"):
            return {}
        # Timestamps of one format sort as text.
        newest = rfc3339(time - _EVERY)
        running = {
            status["name"]
            for status in pod["status"].get("containerStatuses") or ()
            if "running" in status["state"] and status["state"]["running"]["startedAt"] <= newest
        }
        uid = pod["metadata"]["uid"]
        return {one["name"]: self._usage(uid, one) for one in pod["spec"]["containers"] if one["name"] in running}

    def _usage(self, uid: str, container: Object) -> _Usage:
        asked, limit = container_requests(container), container_requests(container, "limits")
        name = f"{uid}/{container['name']}"
        level = _phases(self._seed, name)[2]
        cpu = asked.cpu or _USUAL_CPU
        memory = asked.memory or _USUAL_MEMORY
        cpu_room = min(limit.cpu or cpu * 2, cpu * 2) - cpu
        memory_room = min(limit.memory or memory * 1.5, memory * 1.5) - memory
        wave = self._wave(name)
        # Around its own level, between a third and four fifths of what is requested, with peaks beyond.
        busy = cpu * (0.05 + 0.9 * level + 0.1 * wave) + cpu_room * 0.1 * max(0.0, wave - 0.7)
        return max(1, int(busy)), int(memory * (0.55 + 0.5 * level) + memory_room * 0.15 * (1 + wave))

    def _wave(self, name: str) -> float:
        """Returns a number between -1 and 1 that changes slowly."""
        first, second, _ = _phases(self._seed, name)
        now = self._time()
        return 0.7 * sin(tau * (now / (300 + 400 * first) + second)) + 0.3 * sin(
            tau * (now / (70 + 50 * second) + first)
        )

    def _head(self, metadata: Object) -> Object:
        stamp = rfc3339(self._time())
        return {"metadata": {**metadata, "creationTimestamp": stamp}, "timestamp": stamp, "window": _WINDOW}

    def _time(self) -> int:
        """Returns the time of the last measurement."""
        return int(self._clock.now()) // _EVERY * _EVERY


def _shown(used: _Usage) -> Object:
    return {"cpu": f"{used[0] * 1_000_000}n", "memory": f"{used[1] // 1024}Ki"}
