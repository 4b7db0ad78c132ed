"""All controllers of the embedded cluster, fed from one storage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ktui.demo.clock import Clock
from ktui.demo.controllers.autoscaler import Autoscalers
from ktui.demo.controllers.controller import Controller, Tools
from ktui.demo.controllers.cronjob import CronJobs
from ktui.demo.controllers.daemonset import DaemonSets
from ktui.demo.controllers.deployment import Deployments
from ktui.demo.controllers.disruption import Disruptions
from ktui.demo.controllers.endpoints import Endpoints, EndpointSlices
from ktui.demo.controllers.garbage import GarbageCollector
from ktui.demo.controllers.index import Index
from ktui.demo.controllers.job import Jobs
from ktui.demo.controllers.kubelet import Kubelets
from ktui.demo.controllers.loadbalancer import LoadBalancers
from ktui.demo.controllers.namespaces import Namespaces
from ktui.demo.controllers.nodes import NodeLifecycle
from ktui.demo.controllers.protection import VolumeProtection
from ktui.demo.controllers.quotas import ResourceQuotas
from ktui.demo.controllers.recorder import Recorder
from ktui.demo.controllers.replicaset import ReplicaSets, ReplicationControllers
from ktui.demo.controllers.scheduler import Scheduler
from ktui.demo.controllers.statefulset import StatefulSets
from ktui.demo.controllers.volumes import Volumes
from ktui.demo.metrics import Metrics
from ktui.demo.storage import Event, Storage


class ControlPlane:
    """Runs the controllers.

    Args:
        storage: The cluster's objects.
        clock: Runs the controllers' work.
        seed: Of the usage metrics.
        cloud: Whether somebody gives addresses to Services of type LoadBalancer; if not, they stay pending.

    Attributes:
        index: Who belongs to whom.
        recorder: Writes Events.
        metrics: What pods and nodes use.
        kubelets: Stop and start nodes with it.
    """

    def __init__(self, storage: Storage, clock: Clock, *, seed: int = 0, cloud: bool = True) -> None:
        self._storage = storage
        self.index = Index(storage)
        self.recorder = Recorder(storage, clock)
        self.metrics = Metrics(storage, self.index, clock, seed)
        tools = Tools(storage, clock, self.index, self.recorder)
        self.kubelets = Kubelets(tools)
        kinds: tuple[Callable[[Tools], Controller], ...] = (
            Namespaces, Deployments, ReplicaSets, ReplicationControllers, StatefulSets, DaemonSets, CronJobs, Jobs,
            Volumes, VolumeProtection, Scheduler, NodeLifecycle, Endpoints, EndpointSlices, Disruptions, ResourceQuotas,
            GarbageCollector, *((LoadBalancers,) if cloud else ()),
        )  # fmt: skip
        self._controllers = [self.kubelets, *(kind(tools) for kind in kinds), Autoscalers(tools, self.metrics)]
        self._everything = [one for one in self._controllers if "*" in one.watches]
        self._routes: dict[str, list[Controller]] = {}
        self._asleep = False
        self._unsubscribe: Callable[[], None] | None = None

    def start(self) -> None:
        """Begins to look after the cluster."""
        self._unsubscribe = self._storage.subscribe(self._deliver)
        for controller in self._controllers:
            controller.start()

    def stop(self) -> None:
        """Hears of no more events; work that is due already may still be done."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    @contextmanager
    def asleep(self) -> Iterator[None]:
        """Lets objects come into being that are complete already: only the index hears of them."""
        self._asleep = True
        try:
            yield
        finally:
            self._asleep = False

    def _deliver(self, event: Event) -> None:
        self.index.observe(event)
        if self._asleep:
            return
        route = self._routes.get(event.resource)
        if route is None:
            mine = [one for one in self._controllers if event.resource in one.watches and one not in self._everything]
            route = self._routes[event.resource] = [*mine, *self._everything]
        for controller in route:
            controller.observe(event)
