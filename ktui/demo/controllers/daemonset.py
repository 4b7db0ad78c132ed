"""DaemonSets: one pod on every node that fits."""

from __future__ import annotations

from ktui.demo.controllers.conditions import is_available, is_finished, is_leaving, is_ready
from ktui.demo.controllers.controller import Controller, Key, key_of
from ktui.demo.controllers.index import controller_of
from ktui.demo.controllers.pods import create_pod, pod_from
from ktui.demo.controllers.revisions import HASH_LABEL, keep_revision
from ktui.demo.controllers.selectors import has_labels
from ktui.demo.controllers.taints import tolerated
from ktui.demo.deletion import request_delete
from ktui.demo.errors import StatusError
from ktui.demo.storage import Event, Object
from ktui.demo.workload_identity import TEMPLATE_GENERATION

_SETS = "daemonsets.apps"

# kubernetes.io/docs/concepts/workloads/controllers/daemonset/#taints-and-tolerations
_TOLERATIONS: list[Object] = [
    {"key": f"node.kubernetes.io/{taint}", "operator": "Exists", "effect": effect}
    for taint, effect in (
        ("not-ready", "NoExecute"),
        ("unreachable", "NoExecute"),
        ("disk-pressure", "NoSchedule"),
        ("memory-pressure", "NoSchedule"),
        ("pid-pressure", "NoSchedule"),
        ("unschedulable", "NoSchedule"),
    )
]


class DaemonSets(Controller):
    """Creates and deletes pods as nodes come and go, and replaces old ones a few at a time."""

    watches = (_SETS, "pods", "nodes")
    component = "daemonset-controller"

    def observe(self, event: Event) -> None:
        if event.resource == _SETS:
            super().observe(event)
        elif event.resource == "nodes":
            if event.previous is None or event.type == "DELETED" or _place(event.previous) != _place(event.object):
                for workload in self.storage.list(_SETS):
                    self.queue.add(key_of(workload))
        else:
            owner = controller_of(event.object)
            if owner is not None and owner["kind"] == "DaemonSet":
                self.gather((event.object["metadata"]["namespace"], owner["name"]))

    def sync(self, key: Key) -> None:
        workload = self.storage.get(_SETS, *key)
        if workload is None:
            return
        revision = keep_revision(self.storage, workload)
        every = self.storage.list("nodes")
        nodes = {node["metadata"]["name"] for node in every if _fits(workload, node)}
        # A NoSchedule taint that comes later does not drive out a pod that is there.
        staying = {node["metadata"]["name"] for node in every if _fits(workload, node, ("NoExecute",))}
        pods = self.index.owned("pods", workload["metadata"]["uid"])
        placed: dict[str, Object] = {}
        for pod in pods:
            name = _node_of(pod)
            if not is_leaving(pod) and (name not in staying or is_finished(pod) or name in placed):
                self._delete_pod(workload, pod)
            elif name in staying:
                placed[name] = pod
        if not is_leaving(workload):
            self._create_pods(workload, sorted(nodes - placed.keys()), placed, revision)
            self._update(workload, list(placed.values()), revision)
        self._write_status(workload, nodes | placed.keys(), placed, len(pods), revision)

    def _create_pods(self, workload: Object, nodes: list[str], placed: dict[str, Object], revision: str) -> None:
        for name in nodes:
            try:
                placed[name] = self._create_pod(workload, name, revision)
            except StatusError as refusal:
                self.announce(workload, "FailedCreate", f"Error creating: {refusal.message}", warning=True)
                self.queue.retry(key_of(workload))
                return
        self.queue.succeeded(key_of(workload))

    def _create_pod(self, workload: Object, node: str, revision: str) -> Object:
        labels = {HASH_LABEL: revision}
        generation = (workload["metadata"].get("annotations") or {}).get(TEMPLATE_GENERATION)
        if generation:
            labels["pod-template-generation"] = generation
        pod = pod_from(workload["spec"]["template"], workload, labels=labels)
        fields = [{"key": "metadata.name", "operator": "In", "values": [node]}]
        required = {"nodeSelectorTerms": [{"matchFields": fields}]}
        affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
        # The two of every pod that end after 300 s are replaced by those that last.
        asked = [one for one in pod["spec"]["tolerations"] if "tolerationSeconds" not in one]
        pod["spec"] = {**pod["spec"], "affinity": affinity, "tolerations": [*asked, *_TOLERATIONS]}
        pod = create_pod(self.storage, pod)
        self.announce(workload, "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}")
        return pod

    def _delete_pod(self, workload: Object, pod: Object) -> None:
        request_delete(self.storage, "pods", *key_of(pod))
        self.announce(workload, "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}")

    def _update(self, workload: Object, pods: list[Object], revision: str) -> None:
        strategy = workload["spec"].get("updateStrategy") or {}
        if strategy.get("type", "RollingUpdate") != "RollingUpdate":
            return
        allowed = (strategy.get("rollingUpdate") or {}).get("maxUnavailable", 1)
        if isinstance(allowed, str):
            allowed = -(-int(allowed.rstrip("%")) * len(pods) // 100)
        old = [pod for pod in pods if pod["metadata"]["labels"].get(HASH_LABEL) != revision and not is_leaving(pod)]
        spare = max(1, allowed) - sum(1 for pod in pods if not is_ready(pod) or is_leaving(pod))
        broken = [pod for pod in old if not is_ready(pod)]
        working = [pod for pod in old if is_ready(pod)]
        for pod in [*broken, *working[: max(0, spare)]]:
            self._delete_pod(workload, pod)

    def _write_status(
        self, workload: Object, nodes: set[str], placed: dict[str, Object], running: int, revision: str
    ) -> None:
        now = self.clock.now()
        patience = workload["spec"].get("minReadySeconds", 0)
        pods = placed.values()
        available = sum(1 for pod in pods if is_available(pod, patience, now))
        updated = sum(1 for pod in pods if pod["metadata"]["labels"].get(HASH_LABEL) == revision)
        status: Object = {
            "currentNumberScheduled": len(placed),
            "desiredNumberScheduled": len(nodes),
            "numberMisscheduled": max(0, running - len(placed)),
            "numberReady": sum(1 for pod in pods if is_ready(pod)),
            "observedGeneration": workload["metadata"]["generation"],
        }
        optional = {"updatedNumberScheduled": updated, "numberAvailable": available}
        optional["numberUnavailable"] = len(nodes) - available
        status |= {field: count for field, count in optional.items() if count > 0}
        self.storage.update(_SETS, {**workload, "status": status})


def _place(node: Object) -> tuple[Object, Object]:
    return node["spec"], node["metadata"].get("labels") or {}


def _fits(workload: Object, node: Object, effects: tuple[str, ...] = ("NoSchedule", "NoExecute")) -> bool:
    spec = workload["spec"]["template"]["spec"]
    if not has_labels(spec.get("nodeSelector") or {}, node["metadata"].get("labels") or {}):
        return False
    tolerant = {"tolerations": [*(spec.get("tolerations") or ()), *_TOLERATIONS]}
    taints = [taint for taint in node["spec"].get("taints") or () if taint["effect"] in effects]
    return all(tolerated(tolerant, taint) for taint in taints)


def _node_of(pod: Object) -> str:
    """Returns the node a pod is for, which its affinity names before the scheduler has bound it."""
    if pod["spec"].get("nodeName"):
        name: str = pod["spec"]["nodeName"]
        return name
    required = (pod["spec"].get("affinity") or {}).get("nodeAffinity", {})
    terms = required.get("requiredDuringSchedulingIgnoredDuringExecution", {}).get("nodeSelectorTerms") or ()
    return next((field["values"][0] for term in terms for field in term.get("matchFields") or ()), "")
