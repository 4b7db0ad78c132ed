"""HorizontalPodAutoscalers: the number of replicas follows the CPU they use."""

from __future__ import annotations

from math import ceil

from ktui.demo.clock import rfc3339
from ktui.demo.controllers.conditions import is_active, with_condition
from ktui.demo.controllers.controller import Controller, Key, Tools
from ktui.demo.controllers.quantities import container_requests, milli
from ktui.demo.controllers.selectors import selects
from ktui.demo.metrics import Metrics
from ktui.demo.storage import Event, Object

_SCALERS = "horizontalpodautoscalers.autoscaling"
_EVERY = 15.0
_TOLERANCE = 0.1
_PATIENCE = 300.0  # --horizontal-pod-autoscaler-downscale-stabilization
_TARGETS = {"Deployment": "deployments.apps", "ReplicaSet": "replicasets.apps", "StatefulSet": "statefulsets.apps"}


class Autoscalers(Controller):
    """Compares usage with its target every 15 s.

    Args:
        tools: What controllers work with.
        metrics: Tells the usage of pods.
    """

    watches = (_SCALERS,)
    component = "horizontal-pod-autoscaler"

    def __init__(self, tools: Tools, metrics: Metrics) -> None:
        super().__init__(tools)
        self._metrics = metrics
        self._wishes: dict[Key, list[tuple[float, int]]] = {}

    def observe(self, event: Event) -> None:
        if event.previous is None or event.previous["spec"] != event.object["spec"]:
            super().observe(event)

    def sync(self, key: Key) -> None:
        scaler = self.storage.get(_SCALERS, *key)
        if scaler is None:
            self._wishes.pop(key, None)
            return
        self.queue.add_at(key, self.clock.now() + _EVERY)
        reference = scaler["spec"]["scaleTargetRef"]
        resource = _TARGETS.get(reference["kind"], "")
        target = self.storage.get(resource, key[0], reference["name"])
        now = self.clock.now()
        status = dict(scaler.get("status") or {})
        conditions = status.get("conditions") or []
        if target is None:
            missing = f'{resource} "{reference["name"]}" not found'
            message = f"the HPA controller was unable to get the target's current scale: {missing}"
            conditions = with_condition(
                conditions, "AbleToScale", "False", now, reason="FailedGetScale", message=message
            )
            self.storage.update(_SCALERS, {**scaler, "status": {**status, "conditions": conditions}})
            return
        message = "recommended size matches current size"
        conditions = with_condition(conditions, "AbleToScale", "True", now, reason="ReadyForNewScale", message=message)
        current = target["spec"].get("replicas", 1)
        wanted, status["currentMetrics"], utilization = self._measure(scaler, target, current)
        if utilization is None:
            why = "did not receive metrics for targeted pods (pods might be unready)"
            message = f"the HPA was unable to compute the replica count: failed to get cpu utilization: {why}"
            found = ("False", "FailedGetResourceMetric", message)
        else:
            message = (
                "the HPA was able to successfully calculate a replica count from cpu resource utilization "
                "(percentage of request)"
            )
            found = ("True", "ValidMetricFound", message)
        conditions = with_condition(conditions, "ScalingActive", found[0], now, reason=found[1], message=found[2])
        wanted = self._patiently(key, current, wanted)
        status |= {"currentReplicas": current, "desiredReplicas": wanted, "conditions": conditions}
        if wanted != current:
            status["lastScaleTime"] = rfc3339(now)
            self.storage.update(resource, {**target, "spec": {**target["spec"], "replicas": wanted}})
            way = "above" if wanted > current else "below"
            reason = f"cpu resource utilization (percentage of request) {way} target"
            self.announce(scaler, "SuccessfulRescale", f"New size: {wanted}; reason: {reason}")
        self.storage.update(_SCALERS, {**scaler, "status": status})

    def _measure(self, scaler: Object, target: Object, current: int) -> tuple[int, list[Object], int | None]:
        """Returns the wished size, the current metrics, and the utilization in percent (None when unknown)."""
        spec = scaler["spec"]
        goal = _cpu_goal(spec)
        used = asked = 0
        for pod in self._pods_of(target):
            usage = self._metrics.pod(pod)
            for container in pod["spec"]["containers"] if usage else ():
                asked += container_requests(container).cpu
            used += sum(milli(one["usage"]["cpu"]) for one in usage["containers"]) if usage else 0
        wanted, utilization, measured = current, None, []
        if asked and goal:
            utilization = used * 100 // asked
            average = f"{used // max(1, current)}m"
            measured.append(
                {
                    "type": "Resource",
                    "resource": {
                        "name": "cpu",
                        "current": {"averageUtilization": utilization, "averageValue": average},
                    },
                }
            )
            if abs(utilization / goal - 1) > _TOLERANCE:
                wanted = ceil(current * utilization / goal)
        return max(spec.get("minReplicas", 1), min(spec["maxReplicas"], wanted)), measured, utilization

    def _pods_of(self, target: Object) -> list[Object]:
        selector = target["spec"]["selector"]
        pods = self.storage.list("pods", target["metadata"]["namespace"])
        return [pod for pod in pods if is_active(pod) and selects(selector, pod["metadata"].get("labels") or {})]

    def _patiently(self, key: Key, current: int, wanted: int) -> int:
        """Scales down only to what was wished for all through the last minutes."""
        now = self.clock.now()
        wishes = [(when, size) for when, size in self._wishes.get(key, []) if when > now - _PATIENCE]
        self._wishes[key] = [*wishes, (now, wanted)]
        highest = max(size for _, size in self._wishes[key])
        return min(current, highest) if wanted < current else wanted


def _cpu_goal(spec: Object) -> int:
    for metric in spec.get("metrics") or ():
        resource = metric.get("resource") or {}
        if resource.get("name") == "cpu":
            goal: int = resource["target"].get("averageUtilization", 0)
            return goal
    return 0
