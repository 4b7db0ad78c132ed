"""PodDisruptionBudgets: how many pods may be evicted just now."""

from __future__ import annotations

from math import ceil

from ktui.demo.clock import epoch_of
from ktui.demo.controllers.conditions import is_active, is_leaving, is_ready, with_condition
from ktui.demo.controllers.controller import Controller, Key, key_of
from ktui.demo.controllers.index import controller_of
from ktui.demo.controllers.selectors import selects
from ktui.demo.storage import Event, Object

_BUDGETS = "poddisruptionbudgets.policy"
_BELIEVED = 120.0  # DeletionTimeout


class Disruptions(Controller):
    """Writes the status of PodDisruptionBudgets."""

    watches = (_BUDGETS, "pods")
    component = "controllermanager"

    def observe(self, event: Event) -> None:
        if event.resource == _BUDGETS:
            super().observe(event)
            return
        labels = event.object["metadata"].get("labels") or {}
        for budget in self.storage.list(_BUDGETS, event.object["metadata"]["namespace"]):
            if selects(budget["spec"].get("selector"), labels):
                self.gather(key_of(budget))

    def sync(self, key: Key) -> None:
        budget = self.storage.get(_BUDGETS, *key)
        if budget is None:
            return
        selector = budget["spec"].get("selector")
        pods = [
            pod
            for pod in self.storage.list("pods", key[0])
            if is_active(pod) and selects(selector, pod["metadata"].get("labels") or {})
        ]
        expected = self._expected(pods)
        desired = _desired(budget["spec"], expected)
        before = budget.get("status") or {}
        evicted = self._evicted(key, before)
        healthy = sum(1 for pod in pods if is_ready(pod) and pod["metadata"]["name"] not in evicted)
        allowed = max(0, healthy - desired) if expected else 0
        reason = "SufficientPods" if allowed else "InsufficientPods"
        conditions = with_condition(
            before.get("conditions") or [], "DisruptionAllowed", str(bool(allowed)), self.clock.now(), reason=reason
        )
        generation = budget["metadata"]["generation"]
        conditions = [{"message": "", **one, "observedGeneration": generation} for one in conditions]
        status = {
            "conditions": conditions,
            "currentHealthy": healthy,
            "desiredHealthy": desired,
            "disruptionsAllowed": allowed,
            "expectedPods": expected,
            "observedGeneration": generation,
        }
        if evicted:
            status["disruptedPods"] = evicted
        if not pods and not before:
            self.announce(budget, "NoPods", "No matching pods found")
        self.storage.update(_BUDGETS, {**budget, "status": status})

    def _evicted(self, key: Key, status: Object) -> dict[str, str]:
        """Returns the pods whose eviction was allowed but has not begun, until two minutes have passed."""
        kept = {}
        for name, since in (status.get("disruptedPods") or {}).items():
            pod = self.storage.get("pods", key[0], name)
            due = epoch_of(since) + _BELIEVED
            if pod is not None and not is_leaving(pod) and self.clock.now() < due:
                kept[name] = since
                self.queue.add_at(key, due)
        return kept

    def _expected(self, pods: list[Object]) -> int:
        """Returns how many pods their controllers want, or how many there are without one."""
        total = 0
        seen: set[str] = set()
        for pod in pods:
            owner = controller_of(pod)
            workload = self.index.find(owner["uid"]) if owner else None
            if workload is None:
                total += 1
            elif workload["metadata"]["uid"] not in seen:
                seen.add(workload["metadata"]["uid"])
                total += workload["spec"].get("replicas", 1)
        return total


def _desired(spec: Object, expected: int) -> int:
    if "maxUnavailable" in spec:
        return max(0, expected - _absolute(spec["maxUnavailable"], expected))
    return _absolute(spec.get("minAvailable", 1), expected)


def _absolute(value: int | str, of: int) -> int:
    return value if isinstance(value, int) else ceil(int(value.rstrip("%")) * of / 100)
