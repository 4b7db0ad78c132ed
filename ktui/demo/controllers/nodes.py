"""Node life cycle: a node whose lease runs out is unreachable, and after a while its pods are evicted."""

from __future__ import annotations

from math import inf

from ktui.demo.clock import epoch_of, rfc3339
from ktui.demo.controllers.conditions import condition, is_leaving, with_condition
from ktui.demo.controllers.controller import Controller, Key, Tools, key_of
from ktui.demo.controllers.kubelet import LEASE_NAMESPACE, READY_CONDITIONS
from ktui.demo.controllers.taints import UNREACHABLE, UNSCHEDULABLE, toleration_seconds
from ktui.demo.deletion import request_delete
from ktui.demo.storage import Event, Object

GRACE_PERIOD = 50.0  # --node-monitor-grace-period since 1.32
_LOOK_EVERY = 5.0  # --node-monitor-period


class NodeLifecycle(Controller):
    """Watches leases, taints nodes, marks and evicts their pods."""

    watches = ("nodes", "pods")
    component = "node-controller"

    def __init__(self, tools: Tools) -> None:
        super().__init__(tools)
        self._looked_at = self.clock.now()

    def start(self) -> None:
        super().start()
        self._look()

    def observe(self, event: Event) -> None:
        if event.resource == "nodes":
            if event.type == "DELETED":
                self._abandon(event.object["metadata"]["name"])
            else:
                super().observe(event)
        elif event.type != "DELETED":
            name = event.object["spec"].get("nodeName", "")
            if event.previous is not None and event.previous["spec"].get("nodeName") == name:
                return
            node = self.storage.get("nodes", "", name)
            if node is not None and node["spec"].get("taints"):
                self.queue.add(("", name))

    def sync(self, key: Key) -> None:
        node = self.storage.get("nodes", *key)
        if node is None:
            return
        ready = condition(node, "Ready")
        away = ready is not None and ready["status"] == "Unknown"
        node = self._taint(node, away)
        taints = [taint for taint in node["spec"].get("taints") or () if taint["effect"] == "NoExecute"]
        if taints:
            self._evict(node, taints)

    def _look(self) -> None:
        """Looks which leases have run out."""
        now = self.clock.now()
        # After time was left out the kubelets had no chance to renew anything: they get one more round.
        overslept = now - self._looked_at > GRACE_PERIOD
        self._looked_at = now
        for node in () if overslept else self.storage.list("nodes"):
            name = node["metadata"]["name"]
            ready = condition(node, "Ready")
            lease = self.storage.get("leases.coordination.k8s.io", LEASE_NAMESPACE, name)
            if ready is None or lease is None or ready["status"] == "Unknown":
                continue
            if now - epoch_of(lease["spec"]["renewTime"]) >= GRACE_PERIOD:
                self._declare_away(node)
        self.clock.call_at(now + _LOOK_EVERY, self._look)

    def _declare_away(self, node: Object) -> None:
        name = node["metadata"]["name"]
        now = self.clock.now()
        conditions = node["status"]["conditions"]
        for kind, *_ in READY_CONDITIONS:
            conditions = with_condition(
                conditions, kind, "Unknown", now, reason="NodeStatusUnknown",
                message="Kubelet stopped posting node status.",
            )  # fmt: skip
        node = self.storage.update("nodes", {**node, "status": {**node["status"], "conditions": conditions}})
        self.announce(node, "NodeNotReady", f"Node {name} status is now: NodeNotReady")
        for pod in self.index.pods_on(name):
            status = pod.get("status") or {}
            if condition(pod, "Ready") is None or status.get("phase") != "Running":
                continue
            unready = with_condition(status["conditions"], "Ready", "False", now)
            pod = self.storage.update("pods", {**pod, "status": {**status, "conditions": unready}})
            self.announce(pod, "NodeNotReady", "Node is not ready", warning=True)

    def _taint(self, node: Object, away: bool) -> Object:
        present = node["spec"].get("taints") or []
        wanted = []
        if node["spec"].get("unschedulable"):
            wanted.append((UNSCHEDULABLE, "NoSchedule"))
        if away:
            wanted += [(UNREACHABLE, "NoSchedule"), (UNREACHABLE, "NoExecute")]
        ours = [taint for taint in present if taint["key"] in (UNSCHEDULABLE, UNREACHABLE)]
        taints = [taint for taint in present if taint not in ours]
        since = rfc3339(self.clock.now())
        for key, effect in wanted:
            old = next((taint for taint in ours if (taint["key"], taint["effect"]) == (key, effect)), None)
            taints.append(old or {"key": key, "effect": effect, "timeAdded": since})
        spec = {field: value for field, value in node["spec"].items() if field != "taints"}
        if taints:
            spec["taints"] = taints
        if any(taint["key"] == UNREACHABLE for taint in ours) and not away:
            self._cancel_evictions(node)
        return self.storage.update("nodes", {**node, "spec": spec})

    def _evict(self, node: Object, taints: list[Object]) -> None:
        now = self.clock.now()
        soonest = inf
        for pod in self.index.pods_on(node["metadata"]["name"]):
            if is_leaving(pod):
                continue
            for taint in taints:
                patience = toleration_seconds(pod["spec"], taint)
                if patience is None:
                    continue
                due = epoch_of(taint.get("timeAdded") or rfc3339(now)) + patience
                if due <= now:
                    self._evict_pod(pod)
                    break
                soonest = min(soonest, due)
        if soonest < inf:
            self.queue.add_at(key_of(node), soonest)

    def _evict_pod(self, pod: Object) -> None:
        namespace, name = key_of(pod)
        status = pod.get("status") or {}
        conditions = with_condition(
            status.get("conditions") or [], "DisruptionTarget", "True", self.clock.now(),
            reason="DeletionByTaintManager", message="Taint manager: deleting due to NoExecute taint",
        )  # fmt: skip
        pod = self.storage.update("pods", {**pod, "status": {**status, "conditions": conditions}})
        message = f"Marking for deletion Pod {namespace}/{name}"
        self.recorder.record(pod, "TaintManagerEviction", message, component="taint-eviction-controller")
        request_delete(self.storage, "pods", namespace, name)

    def _cancel_evictions(self, node: Object) -> None:
        for pod in self.index.pods_on(node["metadata"]["name"]):
            if is_leaving(pod) or toleration_seconds(pod["spec"], {"key": UNREACHABLE, "effect": "NoExecute"}) is None:
                continue
            message = f"Cancelling deletion of Pod {'/'.join(key_of(pod))}"
            self.recorder.record(pod, "TaintManagerEviction", message, component="taint-eviction-controller")

    def _abandon(self, name: str) -> None:
        """Removes the pods of a node that no longer exists: there is no kubelet to stop them."""
        for pod in self.index.pods_on(name):
            request_delete(self.storage, "pods", *key_of(pod), grace_period=0)
        if self.storage.get("leases.coordination.k8s.io", LEASE_NAMESPACE, name) is not None:
            self.storage.delete("leases.coordination.k8s.io", LEASE_NAMESPACE, name)
