"""ReplicaSets: as many pods as asked for."""

from __future__ import annotations

from math import floor, log2

from ktui.demo.clock import epoch_of
from ktui.demo.controllers.conditions import (
    condition,
    is_active,
    is_available,
    is_finished,
    is_leaving,
    is_ready,
    phase,
    ready_since,
    with_condition,
)
from ktui.demo.controllers.controller import Controller, Key, key_of
from ktui.demo.controllers.index import controller_of
from ktui.demo.controllers.pods import claim, create_pod, pod_from
from ktui.demo.controllers.selectors import has_labels
from ktui.demo.deletion import request_delete
from ktui.demo.errors import StatusError
from ktui.demo.storage import Event, Object

FAILURE = "ReplicaFailure"
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"

_BURST = 500  # pods made or deleted in one go
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


class ReplicaSets(Controller):
    """Creates and deletes pods until their number fits."""

    watches = ("replicasets.apps", "pods")
    component = "replicaset-controller"
    kind = "ReplicaSet"

    def observe(self, event: Event) -> None:
        if event.resource == self.watches[0]:
            super().observe(event)
            return
        namespace = event.object["metadata"]["namespace"]
        owners = {owner["name"] for pod in (event.object, event.previous) if pod and (owner := self._owner_of(pod))}
        for name in owners:
            self.gather((namespace, name))
        if not owners and event.type != "DELETED" and controller_of(event.object) is None:
            for replicaset in self.storage.list(self.watches[0], namespace):  # an orphan: someone may adopt it
                self.queue.add(key_of(replicaset))

    def sync(self, key: Key) -> None:
        replicaset = self.storage.get(self.watches[0], *key)
        if replicaset is None:
            return
        mine = self.index.owned("pods", replicaset["metadata"]["uid"])
        pods = claim(self.storage, "pods", replicaset, mine, self.selector(replicaset))
        active = [pod for pod in pods if is_active(pod)]
        failure = ""
        if not is_leaving(replicaset):
            missing = replicaset["spec"].get("replicas", 1) - len(active)
            if missing > 0:
                failure = self._create_pods(replicaset, min(missing, _BURST), active)
            elif missing < 0:
                doomed = self._least_missed(replicaset, active)[: min(-missing, _BURST)]
                for pod in doomed:
                    self._delete_pod(replicaset, pod)
                active = [pod for pod in active if pod not in doomed]
        leaving = sum(1 for pod in pods if is_leaving(pod) and not is_finished(pod))
        self._write_status(replicaset, active, leaving, failure)
        if failure:
            self.queue.retry(key)
        else:
            self.queue.succeeded(key)

    def selector(self, replicaset: Object) -> Object:
        """Returns the LabelSelector of the pods it controls."""
        found: Object = replicaset["spec"]["selector"]
        return found

    def _owner_of(self, pod: Object) -> dict[str, str] | None:
        owner = controller_of(pod)
        return owner if owner is not None and owner["kind"] == self.kind else None

    def _create_pods(self, replicaset: Object, count: int, active: list[Object]) -> str:
        """Creates pods until one is refused; returns why, or nothing."""
        for _ in range(count):
            try:
                pod = create_pod(self.storage, pod_from(replicaset["spec"]["template"], replicaset))
            except StatusError as refusal:
                self.announce(replicaset, "FailedCreate", f"Error creating: {refusal.message}", warning=True)
                return refusal.message
            self.announce(replicaset, "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}")
            active.append(pod)
        return ""

    def _delete_pod(self, replicaset: Object, pod: Object) -> None:
        request_delete(self.storage, "pods", *key_of(pod))
        self.announce(replicaset, "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}")

    def _least_missed(self, replicaset: Object, pods: list[Object]) -> list[Object]:
        """Returns the pods in the order in which they are given up.

        Source: k8s.io/kubernetes pkg/controller `ActivePodsWithRanks`: not assigned, not running, not ready, cheap to
        delete, in company of siblings on their node, ready for a shorter time, restarted more often, younger.
        """
        now = self.clock.now()
        company: dict[str, int] = {}
        for pod in pods:
            node = pod["spec"].get("nodeName", "")
            company[node] = company.get(node, 0) + 1

        def rank(pod: Object) -> tuple[float | bool | int, ...]:
            ready = ready_since(pod)
            metadata = pod["metadata"]
            cost = int((metadata.get("annotations") or {}).get(DELETION_COST, "0"))
            restarts = sum(status["restartCount"] for status in pod.get("status", {}).get("containerStatuses") or ())
            return (
                bool(pod["spec"].get("nodeName")),
                _PHASES.get(phase(pod), 3),
                ready is not None,
                cost,
                -company[pod["spec"].get("nodeName", "")],
                _log_age(now - ready) if ready is not None else 0,
                -restarts,
                _log_age(now - epoch_of(metadata["creationTimestamp"])),
                metadata["uid"],
            )

        return sorted(pods, key=rank)

    def _write_status(self, replicaset: Object, active: list[Object], leaving: int, failure: str) -> None:
        now = self.clock.now()
        spec = replicaset["spec"]
        patience = spec.get("minReadySeconds", 0)
        wanted = spec["template"].get("metadata", {}).get("labels") or {}
        available = sum(1 for pod in active if is_available(pod, patience, now))
        status: Object = {
            "replicas": len(active),
            "fullyLabeledReplicas": sum(1 for pod in active if has_labels(wanted, pod["metadata"].get("labels") or {})),
            "readyReplicas": sum(1 for pod in active if is_ready(pod)),
            "availableReplicas": available,
            "observedGeneration": replicaset["metadata"]["generation"],
        }
        status = {field: value for field, value in status.items() if value or field == "replicas"}
        if self.kind == "ReplicaSet":
            status["terminatingReplicas"] = leaving
        conditions = [one for one in (replicaset.get("status") or {}).get("conditions") or () if one["type"] != FAILURE]
        if failure:
            # What failed first is told as long as it fails.
            again = condition(replicaset, FAILURE)
            conditions += (
                [again] if again else with_condition([], FAILURE, "True", now, reason="FailedCreate", message=failure)
            )
        if conditions:
            status["conditions"] = conditions
        self.storage.update(self.watches[0], {**replicaset, "status": status})
        ripening = [since + patience for pod in active if (since := ready_since(pod)) and since + patience > now]
        if ripening:
            self.queue.add_at(key_of(replicaset), min(ripening))


class ReplicationControllers(ReplicaSets):
    """The same for what ReplicaSets took the place of."""

    watches = ("replicationcontrollers", "pods")
    component = "replication-controller"
    kind = "ReplicationController"

    def selector(self, replicaset: Object) -> Object:
        return {"matchLabels": replicaset["spec"].get("selector") or {}}


def _log_age(seconds: float) -> int:
    """Puts ages in buckets that double, so that among old pods chance decides."""
    return floor(log2(seconds)) if seconds >= 1 else -1
