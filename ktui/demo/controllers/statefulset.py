"""StatefulSets: numbered pods that come, change and go in order, each with its own volumes."""

from __future__ import annotations

from ktui.demo.controllers.conditions import is_available, is_leaving, is_ready, phase
from ktui.demo.controllers.controller import Controller, Key, key_of
from ktui.demo.controllers.index import controller_of
from ktui.demo.controllers.pods import create_pod, pod_from
from ktui.demo.controllers.revisions import HASH_LABEL, keep_revision
from ktui.demo.deletion import request_delete
from ktui.demo.errors import StatusError
from ktui.demo.storage import Event, Object
from ktui.demo.workload_identity import protect

_SETS = "statefulsets.apps"
_POD_NAME, _POD_INDEX = "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index"


class StatefulSets(Controller):
    """Creates pods from the first to the last, deletes and updates them from the last to the first."""

    watches = (_SETS, "pods")
    component = "statefulset-controller"

    def observe(self, event: Event) -> None:
        if event.resource == _SETS:
            super().observe(event)
            return
        owner = controller_of(event.object)
        if owner is not None and owner["kind"] == "StatefulSet":
            self.queue.add((event.object["metadata"]["namespace"], owner["name"]))

    def sync(self, key: Key) -> None:
        workload = self.storage.get(_SETS, *key)
        if workload is None:
            return
        revision = keep_revision(self.storage, workload)
        pods = {_ordinal(pod): pod for pod in self.index.owned("pods", workload["metadata"]["uid"])}
        if not is_leaving(workload):
            self._step(workload, pods, revision)
        self._write_status(workload, revision)

    def _step(self, workload: Object, pods: dict[int, Object], revision: str) -> None:
        """Takes the next step; one pod at a time unless they may come in parallel."""
        parallel = workload["spec"].get("podManagementPolicy") == "Parallel"
        replicas = workload["spec"].get("replicas", 1)
        for ordinal in range(replicas):
            pod = pods.get(ordinal)
            if pod is None:
                self._create_pod(workload, ordinal, revision)
            elif phase(pod) in ("Failed", "Succeeded") and not is_leaving(pod):
                self._delete_pod(workload, pod)
            elif is_ready(pod) and not is_leaving(pod):
                continue
            if not parallel:
                return
        for ordinal in sorted((number for number in pods if number >= replicas), reverse=True):
            if not is_leaving(pods[ordinal]):
                self._delete_pod(workload, pods[ordinal])
            if not parallel:
                return
        self._update(workload, [pods[ordinal] for ordinal in sorted(pods) if ordinal < replicas], revision)

    def _update(self, workload: Object, pods: list[Object], revision: str) -> None:
        """Replaces the last pod that is of an older revision, once all after it are ready again."""
        strategy = workload["spec"].get("updateStrategy") or {}
        if strategy.get("type", "RollingUpdate") != "RollingUpdate":
            return
        partition = (strategy.get("rollingUpdate") or {}).get("partition", 0)
        for pod in reversed(pods):
            if _ordinal(pod) < partition or is_leaving(pod) or not is_ready(pod):
                return
            if pod["metadata"]["labels"].get(HASH_LABEL) != revision:
                self._delete_pod(workload, pod)
                return

    def _create_pod(self, workload: Object, ordinal: int, revision: str) -> None:
        name = f"{workload['metadata']['name']}-{ordinal}"
        labels = {HASH_LABEL: revision, _POD_NAME: name, _POD_INDEX: str(ordinal)}
        pod = pod_from(workload["spec"]["template"], workload, name=name, labels=labels)
        volumes = list(pod["spec"].get("volumes") or ())
        for claim in workload["spec"].get("volumeClaimTemplates") or ():
            claim_name = f"{claim['metadata']['name']}-{name}"
            volumes.append({"name": claim["metadata"]["name"], "persistentVolumeClaim": {"claimName": claim_name}})
            self._keep_claim(workload, claim, claim_name)
        pod["spec"] = {**pod["spec"], "hostname": name, "subdomain": workload["spec"].get("serviceName", "")}
        if volumes:
            pod["spec"]["volumes"] = volumes
        if self.storage.get("pods", workload["metadata"]["namespace"], name) is not None:
            return
        told = f"Create Pod {name} in StatefulSet {workload['metadata']['name']}"
        try:
            create_pod(self.storage, pod)
        except StatusError as refusal:
            self.announce(workload, "FailedCreate", f"{told} failed error: {refusal.message}", warning=True)
            self.queue.retry(key_of(workload))
        else:
            self.announce(workload, "SuccessfulCreate", f"{told} successful")
            self.queue.succeeded(key_of(workload))

    def _keep_claim(self, workload: Object, template: Object, name: str) -> None:
        namespace = workload["metadata"]["namespace"]
        if self.storage.get("persistentvolumeclaims", namespace, name) is not None:
            return
        labels = workload["spec"]["selector"].get("matchLabels") or {}
        metadata = {"name": name, "namespace": namespace, "labels": labels}
        protect("persistentvolumeclaims", metadata)
        spec = {"volumeMode": "Filesystem", **template["spec"]}
        claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}
        self.storage.create("persistentvolumeclaims", {**claim, "status": {"phase": "Pending"}})
        message = f"Create Claim {name} Pod {name} in StatefulSet {workload['metadata']['name']} success"
        self.announce(workload, "SuccessfulCreate", message)

    def _delete_pod(self, workload: Object, pod: Object) -> None:
        request_delete(self.storage, "pods", *key_of(pod))
        told = f"Delete Pod {pod['metadata']['name']} in StatefulSet {workload['metadata']['name']} successful"
        self.announce(workload, "SuccessfulDelete", told)

    def _write_status(self, workload: Object, revision: str) -> None:
        now = self.clock.now()
        pods = self.index.owned("pods", workload["metadata"]["uid"])
        before = workload.get("status") or {}
        patience = workload["spec"].get("minReadySeconds", 0)
        updated = [pod for pod in pods if pod["metadata"]["labels"].get(HASH_LABEL) == revision]
        current = before.get("currentRevision") or revision
        if len(updated) == len(pods) == sum(1 for pod in pods if is_ready(pod)):
            current = revision
        status: Object = {
            "observedGeneration": workload["metadata"]["generation"],
            "replicas": len(pods),
            "readyReplicas": sum(1 for pod in pods if is_ready(pod)),
            "availableReplicas": sum(1 for pod in pods if is_available(pod, patience, now)),
            "currentReplicas": sum(1 for pod in pods if pod["metadata"]["labels"].get(HASH_LABEL) == current),
            "updatedReplicas": len(updated),
            "currentRevision": current,
            "updateRevision": revision,
            "collisionCount": 0,
        }
        kept = ("replicas", "availableReplicas", "collisionCount")
        status = {field: value for field, value in status.items() if value or field in kept}
        workload = self.storage.get(_SETS, *key_of(workload)) or workload
        self.storage.update(_SETS, {**workload, "status": status})


def _ordinal(pod: Object) -> int:
    return int(pod["metadata"]["name"].rpartition("-")[2])
