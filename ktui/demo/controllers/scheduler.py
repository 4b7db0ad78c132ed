"""The scheduler: a node for every pod, or the reasons why there is none."""

from __future__ import annotations

from collections import Counter

from ktui.demo.controllers.behaviour import behaviour_of
from ktui.demo.controllers.conditions import is_finished, is_leaving, with_condition
from ktui.demo.controllers.controller import Controller, Key, Tools, key_of
from ktui.demo.controllers.index import controller_of
from ktui.demo.controllers.quantities import milli, pod_requests, quantity
from ktui.demo.controllers.selectors import has_labels, selects
from ktui.demo.controllers.taints import UNSCHEDULABLE, tolerated
from ktui.demo.storage import Event, Object

_NAME = "default-scheduler"
_TRY_AGAIN_AFTER = 300.0  # what the real one does with pods that nothing woke: --pod-max-in-unschedulable-pods-duration

_OTHER_NODE = "node(s) didn't match Pod's node affinity/selector"


class Scheduler(Controller):
    """Binds pods by their requests, node selectors, affinity, taints; the emptiest fitting node wins."""

    watches = ("pods", "nodes", "persistentvolumeclaims")
    component = _NAME

    def __init__(self, tools: Tools) -> None:
        super().__init__(tools)
        self._told: dict[str, tuple[str, float]] = {}  # by uid: the last refusal, and when

    def observe(self, event: Event) -> None:
        if event.resource == "pods":
            if event.type == "DELETED":
                self._told.pop(event.object["metadata"]["uid"], None)
            if _is_waiting(event.object) and event.type != "DELETED":
                if event.previous is None or event.previous["spec"] != event.object["spec"]:
                    self.queue.add(key_of(event.object))
            elif event.type == "DELETED" or is_finished(event.object):
                self._wake_waiting()  # a place became free
        elif event.resource == "nodes":
            if event.previous is None or _offer(event.previous) != _offer(event.object):
                self._wake_waiting()
        else:
            self._wake_waiting()

    def sync(self, key: Key) -> None:
        pod = self.storage.get("pods", *key)
        if pod is None or not _is_waiting(pod):
            return
        if pod["spec"].get("schedulingGates"):
            self._refuse(pod, "SchedulingGated", "Scheduling is blocked due to non-empty scheduling gates", tell=False)
            return
        claims = self._claims_problem(pod)
        nodes = self.storage.list("nodes")
        fitting: list[Object] = []
        # A daemon's pod is for one node: of the others it is known why they do not fit.
        candidates = [node for node in nodes if node["metadata"]["name"] in named] if (named := _named(pod)) else nodes
        hopeless = len(nodes) - len(candidates)
        reasons: Counter[str] = Counter({_OTHER_NODE: hopeless} if hopeless else {})
        for node in [] if claims else candidates:
            reason, forever = self._misfit(pod, node)
            if reason:
                reasons[reason] += 1
                hopeless += forever
            else:
                fitting.append(node)
        if fitting:
            self._bind(pod, fitting[0] if len(fitting) == 1 else self._best(pod, fitting))
            return
        self._refuse(pod, "Unschedulable", claims or _no_node(len(nodes), reasons, hopeless))
        self.queue.add_at(key, self.clock.now() + _TRY_AGAIN_AFTER)

    def _wake_waiting(self) -> None:
        for key in self._waiting():
            self.queue.add(key)

    def _waiting(self) -> list[Key]:
        """Returns the pods without a node. They are bound to the node of no name, so that the index knows them."""
        return [key_of(pod) for pod in self.index.pods_on("") if _is_waiting(pod)]

    def _claims_problem(self, pod: Object) -> str:
        namespace = pod["metadata"]["namespace"]
        total = self.storage.count("nodes")
        for volume in pod["spec"].get("volumes") or ():
            name = (volume.get("persistentVolumeClaim") or {}).get("claimName")
            if not name:
                continue
            claim = self.storage.get("persistentvolumeclaims", namespace, name)
            if claim is None:
                return f'0/{total} nodes are available: persistentvolumeclaim "{name}" not found. not found'
            if (claim.get("status") or {}).get("phase") != "Bound":
                return f"0/{total} nodes are available: pod has unbound immediate PersistentVolumeClaims. not found"
        return ""

    def _misfit(self, pod: Object, node: Object) -> tuple[str, bool]:
        """Returns why a pod does not fit on a node ("" when it does), and whether no eviction there could help."""
        spec = pod["spec"]
        if node["spec"].get("unschedulable"):
            taint = {"key": UNSCHEDULABLE, "effect": "NoSchedule"}
            if not tolerated(spec, taint):
                return "node(s) were unschedulable", True
        for taint in node["spec"].get("taints") or ():
            if taint["effect"] != "PreferNoSchedule" and not tolerated(spec, taint):
                return "node(s) had untolerated taint(s)", True
        if not _wants(spec, node):
            return _OTHER_NODE, True
        name = node["metadata"]["name"]
        allocatable = node["status"]["allocatable"]
        asked, taken = pod_requests(spec), self.index.requested_on(name)
        if self.index.count_on(name) >= int(allocatable.get("pods", 110)):
            return "Too many pods", False
        for what, wanted, used, capacity in (
            ("cpu", asked.cpu, taken.cpu, milli(allocatable["cpu"])),
            ("memory", asked.memory, taken.memory, int(quantity(allocatable["memory"]))),
        ):
            if wanted and used + wanted > capacity:
                return f"Insufficient {what}", wanted > capacity
        return "", False

    def _best(self, pod: Object, nodes: list[Object]) -> Object:
        owner = controller_of(pod)
        siblings = self.index.owned("pods", owner["uid"]) if owner else []
        company = Counter(sibling["spec"].get("nodeName", "") for sibling in siblings)
        return max(nodes, key=lambda node: (self._score(node, company), node["metadata"]["name"]))

    def _score(self, node: Object, company: Counter[str]) -> float:
        """Prefers nodes with fewer siblings of the pod, and those with room."""
        name = node["metadata"]["name"]
        taken = self.index.requested_on(name)
        allocatable = node["status"]["allocatable"]
        used = taken.cpu / milli(allocatable["cpu"]) + taken.memory / quantity(allocatable["memory"])
        return -used / 2 - company[name]

    def _bind(self, pod: Object, node: Object) -> None:
        name = node["metadata"]["name"]
        status = pod.get("status") or {}
        conditions = with_condition(status.get("conditions") or [], "PodScheduled", "True", self.clock.now())
        bound = {**pod, "spec": {**pod["spec"], "nodeName": name}, "status": {**status, "conditions": conditions}}
        pod = self.storage.update("pods", bound, same_generation=True)
        namespace, pod_name = key_of(pod)
        message = f"Successfully assigned {namespace}/{pod_name} to {name}"
        self.recorder.record(pod, "Scheduled", message, component=self.component, series=True)

    def _refuse(self, pod: Object, reason: str, message: str, *, tell: bool = True) -> None:
        status = pod.get("status") or {}
        conditions = with_condition(
            status.get("conditions") or [], "PodScheduled", "False", self.clock.now(), reason=reason, message=message
        )
        pod = self.storage.update("pods", {**pod, "status": {**status, "phase": "Pending", "conditions": conditions}})
        uid, now = pod["metadata"]["uid"], self.clock.now()
        before, when = self._told.get(uid, ("", 0.0))
        # Whatever wakes it in between, the same refusal is told every five minutes.
        if tell and (before != message or now - when >= _TRY_AGAIN_AFTER):
            self._told[uid] = message, now
            self.recorder.record(pod, "FailedScheduling", message, warning=True, component=self.component, series=True)


def _is_waiting(pod: Object) -> bool:
    if behaviour_of(pod).name == "static" or pod["spec"].get("schedulerName", _NAME) != _NAME:
        return False
    return not pod["spec"].get("nodeName") and not is_leaving(pod) and not is_finished(pod)


def _offer(node: Object) -> tuple[Object, Object, Object]:
    """What of a node matters to the scheduler."""
    return node["spec"], node["metadata"].get("labels") or {}, node["status"].get("allocatable") or {}


def _wants(spec: Object, node: Object) -> bool:
    labels = node["metadata"].get("labels") or {}
    if not has_labels(spec.get("nodeSelector") or {}, labels):
        return False
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if required is None:
        return True
    fields = {"metadata.name": node["metadata"]["name"]}
    return any(
        selects({"matchExpressions": term.get("matchExpressions") or ()}, labels)
        and selects({"matchExpressions": term.get("matchFields") or ()}, fields)
        for term in required["nodeSelectorTerms"]
    )


def _named(pod: Object) -> set[str]:
    """Returns the nodes that the pod's affinity names; empty when it names none."""
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    fields = [field for term in required.get("nodeSelectorTerms") or () for field in term.get("matchFields") or ()]
    return {name for field in fields if field["key"] == "metadata.name" for name in field["values"]}


def _no_node(total: int, reasons: Counter[str], hopeless: int) -> str:
    """Words the refusal as the real scheduler does."""
    if total == 0:
        return "no nodes available to schedule pods"
    told = ", ".join(sorted(f"{count} {reason}" for reason, count in reasons.items()))
    counts = (
        (total - hopeless, "No preemption victims found for incoming pod"),
        (hopeless, "Preemption is not helpful for scheduling"),
    )
    helps = ", ".join(sorted(f"{count} {text}" for count, text in counts if count))
    return (
        f"0/{total} nodes are available: {told}. no new claims to deallocate, "
        f"preemption: 0/{total} nodes are available: {helps}."
    )
