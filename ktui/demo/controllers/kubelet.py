"""The kubelets of all nodes: they run the pods bound to them, and report."""

from __future__ import annotations

from math import inf

from ktui.demo.clock import epoch_of, rfc3339, rfc3339_micro
from ktui.demo.controllers.behaviour import behaviour_of
from ktui.demo.controllers.conditions import is_finished, is_leaving, is_true, with_condition
from ktui.demo.controllers.controller import Controller, Key, Tools, key_of
from ktui.demo.controllers.index import controller_of
from ktui.demo.controllers.podrun import PodRun, Tell
from ktui.demo.storage import Event, Object

LEASE_NAMESPACE = "kube-node-lease"
_RENEW_EVERY = 10.0
_RENEW_MANY_EVERY = 40.0  # with more nodes than this many, less often: nobody looks at single leases
_MANY_NODES = 50
_REPORT_EVERY = 300.0

READY_CONDITIONS = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)


class Kubelets(Controller):
    """One controller for all nodes; a stopped node neither runs nor reports anything until it is started again."""

    watches = ("pods", "nodes")
    component = "kubelet"

    def __init__(self, tools: Tools) -> None:
        super().__init__(tools)
        self._runs: dict[str, PodRun] = {}
        self._stopped: set[str] = set()
        self._images: set[tuple[str, str]] = set()  # node and image
        self._next_ip: dict[str, int] = {}
        self._born = self.clock.now()

    def start(self) -> None:
        super().start()
        self._heartbeat()

    def stop_node(self, name: str) -> None:
        """Makes a node fall silent, as when it loses its network or its power."""
        self._stopped.add(name)

    def start_node(self, name: str) -> None:
        """Brings a silent node back; its pods have gone on running meanwhile."""
        self._stopped.discard(name)
        self._report(name)
        for pod in self.index.pods_on(name):
            self.queue.add(key_of(pod))

    def observe(self, event: Event) -> None:
        if event.resource == "nodes":
            if event.type == "ADDED":
                self._report(event.object["metadata"]["name"])
        elif event.type == "DELETED":
            self._runs.pop(event.object["metadata"]["uid"], None)
        elif event.object["spec"].get("nodeName"):
            self.queue.add(key_of(event.object))

    def sync(self, key: Key) -> None:
        pod = self.storage.get("pods", *key)
        if pod is None or not pod["spec"].get("nodeName") or pod["spec"]["nodeName"] in self._stopped:
            return
        node = self.storage.get("nodes", "", pod["spec"]["nodeName"])
        if node is None:
            return
        if is_leaving(pod):
            self._terminate(pod)
        elif behaviour_of(pod).name == "static":
            self._restore(pod)
        elif not is_finished(pod):
            self._run(pod, node)

    # -- Pods -------------------------------------------------------------------------------------------------------

    def _run(self, pod: Object, node: Object) -> None:
        uid = pod["metadata"]["uid"]
        now = self.clock.now()
        run = self._runs.get(uid)
        if run is None:
            host = next((one["address"] for one in node["status"]["addresses"] if one["type"] == "InternalIP"), "")
            run = self._runs[uid] = PodRun(pod, now, self._address(pod, node, host), host)
        run.follow(pod, now, self._teller(pod))
        run.step(now, self._images, self._teller(pod))
        if run.behaviour.name == "flaky-probe":
            run.probe(now, failing=self._takes_its_turn(pod, run.behaviour.seconds), tell=self._teller(pod))
        self.storage.update("pods", {**pod, "status": run.status(pod, now)})
        due = run.due(now)
        if run.behaviour.name == "flaky-probe":
            due = min(due, now + run.behaviour.seconds - (now - self._born) % run.behaviour.seconds + 0.01)
        if due < inf:
            self.queue.add_at(key_of(pod), due)

    def _restore(self, pod: Object) -> None:
        """Makes a pod at rest ready again after its node was away."""
        if is_true(pod, "ContainersReady") and not is_true(pod, "Ready"):
            conditions = with_condition(pod["status"]["conditions"], "Ready", "True", self.clock.now())
            self.storage.update("pods", {**pod, "status": {**pod["status"], "conditions": conditions}})

    def _takes_its_turn(self, pod: Object, seconds: float) -> bool:
        """Says whether it is this sibling's turn to fail its probe; all of them are, one after the other.

        Not in a pod's first two turns: a rollout is to be complete before it begins to fail.
        """
        if self.clock.now() - epoch_of(pod["metadata"]["creationTimestamp"]) < 2 * seconds:
            return False
        owner = controller_of(pod)
        if owner is None:
            return int((self.clock.now() - self._born) / seconds) % 2 == 1
        siblings = [p for p in self.index.owned("pods", owner["uid"]) if not is_leaving(p)]
        siblings.sort(key=lambda p: str(p["metadata"]["name"]))
        turn = int((self.clock.now() - self._born) / seconds) % max(2, len(siblings))
        return turn < len(siblings) and siblings[turn]["metadata"]["uid"] == pod["metadata"]["uid"]

    def _terminate(self, pod: Object) -> None:
        """Stops the containers within the grace period, then removes the pod unless a finalizer holds it."""
        metadata = pod["metadata"]
        now = self.clock.now()
        run = self._runs.get(metadata["uid"])
        deadline = epoch_of(metadata["deletionTimestamp"])
        if run is not None and not is_finished(pod):
            end = run.stop(now, deadline, self._teller(pod))
            if now < end:
                self.queue.add_at(key_of(pod), end)
                return
            run.end(now)
            pod = self.storage.update("pods", {**pod, "status": run.status(pod, now)})
        if not metadata.get("finalizers"):
            self.storage.delete("pods", *key_of(pod))

    def _address(self, pod: Object, node: Object, host: str) -> str:
        if pod["spec"].get("hostNetwork"):
            return host
        name = node["metadata"]["name"]
        self._next_ip[name] = self._next_ip.get(name, 1) % 253 + 1
        prefix = node["spec"].get("podCIDR", "10.244.0.0/24").rpartition(".")[0]
        return f"{prefix}.{self._next_ip[name]}"

    def _teller(self, pod: Object) -> Tell:
        """Returns what records events about one of a pod's containers: (container, reason, message, warning=...)."""

        def tell(container: str, reason: str, message: str, *, warning: bool = False) -> None:
            host = pod["spec"]["nodeName"]
            self.recorder.record(
                pod, reason, message, warning=warning, component="kubelet", host=host, container=container
            )

        return tell

    # -- Nodes ------------------------------------------------------------------------------------------------------

    def _heartbeat(self) -> None:
        """Renews the lease of every node that is up, and posts its status now and then."""
        now = self.clock.now()
        nodes = self.storage.list("nodes")
        for node in nodes:
            name = node["metadata"]["name"]
            if name in self._stopped:
                continue
            ready = next((c for c in node["status"].get("conditions") or () if c["type"] == "Ready"), None)
            if (
                ready is None
                or ready["status"] != "True"
                or now - epoch_of(ready["lastHeartbeatTime"]) >= _REPORT_EVERY
            ):
                self._report(name)
            else:
                self._renew(name)
        self.clock.call_at(now + (_RENEW_EVERY if len(nodes) <= _MANY_NODES else _RENEW_MANY_EVERY), self._heartbeat)

    def _report(self, name: str) -> None:
        """Posts the node's conditions."""
        node = self.storage.get("nodes", "", name)
        if node is None or name in self._stopped:
            return
        self._renew(name)
        now = self.clock.now()
        conditions = node["status"].get("conditions") or []
        was_ready = is_true(node, "Ready")
        for kind, status, reason, message in READY_CONDITIONS:
            conditions = with_condition(conditions, kind, status, now, reason=reason, message=message)
        conditions = [{**one, "lastHeartbeatTime": rfc3339(now)} for one in conditions]
        node = self.storage.update("nodes", {**node, "status": {**node["status"], "conditions": conditions}})
        if not was_ready:
            self.announce(node, "NodeReady", f"Node {name} status is now: NodeReady")

    def _renew(self, name: str) -> None:
        renewed = rfc3339_micro(self.clock.now())
        lease = self.storage.get("leases.coordination.k8s.io", LEASE_NAMESPACE, name)
        if lease is not None:
            renewal = {**lease, "spec": {**lease["spec"], "renewTime": renewed}}
            self.storage.update("leases.coordination.k8s.io", renewal)
            return
        lease = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": name, "namespace": LEASE_NAMESPACE},
            "spec": {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": renewed},
        }
        self.storage.create("leases.coordination.k8s.io", lease)
