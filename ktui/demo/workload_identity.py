"""What the API server adds to new pods and jobs beyond defaults: admission and strategy, in upstream's words.

A pod gets its service account's token volume and its priority; a job gets a selector and labels of its own uid.
"""

from __future__ import annotations

from typing import Any

from ktui.demo.errors import forbidden
from ktui.demo.storage import Storage

Object = dict[str, Any]

PROTECTION = {
    "persistentvolumeclaims": "kubernetes.io/pvc-protection",
    "persistentvolumes": "kubernetes.io/pv-protection",
}
TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
_ACCOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
_TOKEN_SECONDS = 3607
_PRIORITIES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}


def pod_identity(storage: Storage, pod: Object) -> None:
    """Checks a new pod's service account and priority class, and gives it the account's token; in place.

    Args:
        storage: where accounts and classes are, and names come from.
        pod: the pod, with defaults.

    Raises:
        StatusError: 403 when the account or class does not exist.
    """
    metadata, spec = pod["metadata"], pod["spec"]
    _priority(storage, metadata, spec)
    account = spec["serviceAccountName"]
    if storage.get("serviceaccounts", metadata["namespace"], account) is None:
        why = (
            f'error looking up service account {metadata["namespace"]}/{account}: serviceaccount "{account}" not found'
        )
        raise forbidden("pods", metadata.get("name", ""), why)
    if spec.get("automountServiceAccountToken") is False:
        return
    containers = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    name = f"kube-api-access-{storage.suffix()}"
    mounted = False
    for container in containers:
        mounts = container.setdefault("volumeMounts", [])
        if all(mount.get("mountPath") != _ACCOUNT_PATH for mount in mounts):
            mounts.append({"name": name, "readOnly": True, "mountPath": _ACCOUNT_PATH})
            mounted = True
    if mounted:
        spec["volumes"] = [*(spec.get("volumes") or ()), _token_volume(name)]


def _priority(storage: Storage, metadata: Object, spec: Object) -> None:
    name = spec.get("priorityClassName")
    if not name:
        return
    found = storage.get("priorityclasses.scheduling.k8s.io", "", name)
    if found is None and name not in _PRIORITIES:
        raise forbidden("pods", metadata.get("name", ""), f"no PriorityClass with name {name} was found")
    spec["priority"] = found["value"] if found else _PRIORITIES[name]


def _token_volume(name: str) -> Object:
    namespace = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    sources = [
        {"serviceAccountToken": {"expirationSeconds": _TOKEN_SECONDS, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [namespace]}},
    ]
    return {"name": name, "projected": {"sources": sources, "defaultMode": 420}}


def job_identity(job: Object, uid: str) -> None:
    """Gives a new job its uid, and a selector and labels made of it, unless it brings a selector; in place."""
    spec, metadata = job["spec"], job["metadata"]
    metadata["uid"] = uid
    if spec.get("manualSelector") or spec.get("selector"):
        return
    labels = {
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": metadata["name"],
        "controller-uid": uid,
        "job-name": metadata["name"],
    }
    spec["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    spec["manualSelector"] = False
    template = spec["template"].setdefault("metadata", {})
    template["labels"] = {**(template.get("labels") or {}), **labels}
    if not metadata.get("labels"):
        metadata["labels"] = {**template["labels"]}


def protect(resource: str, metadata: Object) -> None:
    """Gives a new claim or volume the finalizer that keeps it while it is in use; in place.

    Source: kubernetes.io/docs/concepts/storage/persistent-volumes/#storage-object-in-use-protection.

    Args:
        resource: the key of its resource.
        metadata: its metadata.
    """
    finalizer = PROTECTION.get(resource)
    present = metadata.get("finalizers") or []
    if finalizer and finalizer not in present:
        metadata["finalizers"] = [*present, finalizer]


def note_template_generation(daemonset: Object, generation: int) -> None:
    """Notes since which generation a DaemonSet has its template, in the annotation upstream still writes; in place."""
    annotations = daemonset["metadata"].get("annotations") or {}
    noted = {TEMPLATE_GENERATION: str(generation)}
    daemonset["metadata"]["annotations"] = {**annotations, **noted}
