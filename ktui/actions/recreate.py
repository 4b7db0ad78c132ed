"""Recreate: from an object that was deleted to a manifest that makes it again, and what does not come back with it.

Everything is kept as it was, but for what the server, or a controller, must write anew. Each rule says why.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ktui.kinds.manifest import is_secret
from ktui.kube.errors import ApiError

JsonObject = dict[str, Any]

RETAIN, DELETE = "Retain", "Delete"

# Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/, "Read-only".
_OF_THE_SERVER = (
    "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
    "managedFields", "selfLink",
)  # fmt: skip

# How a deletion goes on, and what the control plane puts on every object of a kind by itself.
_FINALIZERS_OF_THE_SERVER = frozenset(
    (
        "foregroundDeletion", "orphan", "kubernetes.io/pvc-protection", "kubernetes.io/pv-protection",
        "customresourcecleanup.apiextensions.k8s.io", "batch.kubernetes.io/job-tracking",
        "service.kubernetes.io/load-balancer-cleanup",
    )
)  # fmt: skip

# Written by the binder of volumes: a claim that has them counts as bound, or lost.
# Source: https://kubernetes.io/docs/reference/labels-annotations-taints/#pv-kubernetes-io-bind-completed
_BOUND = ("pv.kubernetes.io/bind-completed", "pv.kubernetes.io/bound-by-controller")
_PROVISIONED = (
    "volume.kubernetes.io/selected-node", "volume.kubernetes.io/storage-provisioner",
    "volume.beta.kubernetes.io/storage-provisioner",
)  # fmt: skip

_JOB_UIDS = ("controller-uid", "batch.kubernetes.io/controller-uid")
_TOKENS = "kube-api-access-"
_HOW_THE_NODE_IS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


class Again(NamedTuple):
    """How an object is made again.

    Attributes:
        manifest: what to create.
        otherwise: what to create when the server says that something the first one asks for is taken; None where
            nothing can be. See `taken`.
    """

    manifest: JsonObject
    otherwise: JsonObject | None = None


class Owner(NamedTuple):
    """An object that owns another."""

    api_version: str
    kind: str
    name: str
    uid: str


def again(item: Mapping[str, Any], *, owner_gone: bool = False, reclaims: str = "") -> Again:
    """The manifest that makes an object again.

    Args:
        item: the whole object, as it was when it was deleted; with apiVersion and kind. Not changed.
        owner_gone: whether what owns it is gone, too. See `orphaned`.
        reclaims: the reclaim policy of a claim's volume: `Delete`, `Retain`; empty when unknown.
    """
    made = copy.deepcopy({key: value for key, value in item.items() if key != "status"})
    meta = made["metadata"]
    for name in _OF_THE_SERVER:
        meta.pop(name, None)
    _without_items(meta, "finalizers", lambda finalizer: finalizer in _FINALIZERS_OF_THE_SERVER)
    if (clean := _CLEAN.get(_kind_of(item))) is not None:
        clean(made)
    if _kind_of(item) == "PersistentVolumeClaim":
        _unbind(made, reclaims)
    if owner_gone:
        made = orphaned(made)
    otherwise = _elsewhere(made) if _kind_of(item) == "Service" else None
    return Again(made, otherwise)


def owners(item: Mapping[str, Any]) -> list[Owner]:
    """What owns an object. Whoever makes it again must find out whether they still are there.

    Args:
        item: an object or a manifest.
    """
    return [
        Owner(*(str(owner.get(key, "")) for key in ("apiVersion", "kind", "name", "uid")))
        for owner in item["metadata"].get("ownerReferences") or ()
    ]


def orphaned(manifest: Mapping[str, Any]) -> JsonObject:
    """A manifest without owners: the garbage collector deletes at once what only names owners that are gone.

    Source: https://kubernetes.io/docs/concepts/architecture/garbage-collection/#owners-dependents

    Args:
        manifest: not changed.
    """
    made = copy.deepcopy(dict(manifest))
    made["metadata"].pop("ownerReferences", None)
    if _kind_of(made) == "ReplicaSet":
        # By them a deployment counts its revisions.
        _without_notes(made, lambda note: note.startswith("deployment.kubernetes.io/"))
    return made


def taken(error: ApiError) -> bool:
    """Whether the server refuses a service because its address or a port of its nodes is in use by now.

    Args:
        error: the answer to `Again.manifest`.
    """
    causes = error.details.causes
    return error.status == 422 and any(
        cause.field.startswith(("spec.clusterIP", "spec.healthCheckNodePort")) or cause.field.endswith(".nodePort")
        for cause in causes
    )


# -- each kind's own -------------------------------------------------------------------------------


def _pod(pod: JsonObject) -> None:
    """Without its place, its token and what admission adds to every pod.

    Ephemeral containers cannot be created with a pod. Source:
    https://kubernetes.io/docs/concepts/workloads/pods/ephemeral-containers/
    """
    spec = pod["spec"]
    # Admission refuses a priority that is not the one of the class by now, and computes it by itself.
    for name in ("nodeName", "ephemeralContainers", "priority", "preemptionPolicy"):
        spec.pop(name, None)
    token = {volume["name"] for volume in spec.get("volumes") or () if _is_token(volume)}
    _without_items(spec, "volumes", lambda volume: volume["name"] in token)
    for container in (*spec.get("containers", ()), *spec.get("initContainers", ())):
        _without_items(container, "volumeMounts", lambda mount: mount["name"] in token)
    _without_items(spec, "tolerations", _is_default_toleration)


def _is_token(volume: JsonObject) -> bool:
    return "projected" in volume and str(volume["name"]).startswith(_TOKENS)


def _is_default_toleration(toleration: JsonObject) -> bool:
    """Whether DefaultTolerationSeconds added it.

    Source: https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions
    """
    usual = {"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
    return toleration.get("key") in _HOW_THE_NODE_IS and toleration == {"key": toleration["key"], **usual}


def _elsewhere(service: JsonObject) -> JsonObject | None:
    """A service that takes what address and ports it is given; None when it asked for none."""
    made = copy.deepcopy(service)
    spec = made["spec"]
    if spec.get("clusterIP") != "None":
        # A headless service says so in this field.
        spec.pop("clusterIP", None)
        spec.pop("clusterIPs", None)
    spec.pop("healthCheckNodePort", None)
    for port in spec.get("ports") or ():
        port.pop("nodePort", None)
    return made if made != service else None


def _job(job: JsonObject) -> None:
    """Without the selector that the server made of its UID, unless it has its own.

    Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/#specifying-your-own-pod-selector
    """
    if job["spec"].get("manualSelector"):
        return
    job["spec"].pop("selector", None)
    for meta in (job["metadata"], job["spec"]["template"].get("metadata") or {}):
        labels = meta.get("labels") or {}
        for name in _JOB_UIDS:
            labels.pop(name, None)


def _unbind(claim: JsonObject, reclaims: str) -> None:
    """Without the volume that the binder chose, unless that one is kept for it."""
    notes = claim["metadata"].get("annotations") or {}
    chosen = "pv.kubernetes.io/bound-by-controller" in notes
    if reclaims == DELETE or (chosen and reclaims != RETAIN):
        claim["spec"].pop("volumeName", None)
    _without_notes(claim, lambda note: note in (*_BOUND, *_PROVISIONED))


def _volume(volume: JsonObject) -> None:
    """For a claim of that name, whichever UID it has now.

    With the old UID it would count as released, and its policy could delete what is stored. Source:
    https://kubernetes.io/docs/concepts/storage/persistent-volumes/#reserving-a-persistentvolume
    """
    claim = volume["spec"].get("claimRef") or {}
    for name in ("uid", "resourceVersion"):
        claim.pop(name, None)


def _account(account: JsonObject) -> None:
    """Without the tokens that were made for it and deleted with it."""
    own = (f"{account['metadata'].get('name')}-token-", f"{account['metadata'].get('name')}-dockercfg-")
    for name in ("secrets", "imagePullSecrets"):
        _without_items(account, name, lambda secret: str(secret.get("name", "")).startswith(own))


def _namespace(namespace: JsonObject) -> None:
    """The finalizer is the server's; nothing else is in its spec."""
    namespace.pop("spec", None)


def _node(node: JsonObject) -> None:
    """Without the taints by which the node controller says how it is."""
    spec = node.get("spec") or {}
    _without_items(spec, "taints", lambda taint: taint.get("key") in _HOW_THE_NODE_IS)


def _deployment(deployment: JsonObject) -> None:
    """Its revisions are counted from the beginning."""
    _without_notes(deployment, lambda note: note == "deployment.kubernetes.io/revision")


def _stateful_set(stateful_set: JsonObject) -> None:
    """Its claims are templates; their status says nothing."""
    for template in stateful_set["spec"].get("volumeClaimTemplates") or ():
        template.pop("status", None)


def _daemon_set(daemon_set: JsonObject) -> None:
    """The number is the controller's, of its templates."""
    _without_notes(daemon_set, lambda note: note == "deprecated.daemonset.template.generation")


_CLEAN: dict[str, Callable[[JsonObject], None]] = {
    "Pod": _pod,
    "Job": _job,
    "PersistentVolume": _volume,
    "ServiceAccount": _account,
    "Namespace": _namespace,
    "Node": _node,
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
}

_GROUPS = {
    "Pod": "", "Service": "", "PersistentVolumeClaim": "", "PersistentVolume": "", "ServiceAccount": "",
    "Namespace": "", "Node": "", "Secret": "", "ReplicationController": "", "Job": "batch", "CronJob": "batch",
    "Deployment": "apps", "ReplicaSet": "apps", "StatefulSet": "apps", "DaemonSet": "apps",
    "CustomResourceDefinition": "apiextensions.k8s.io", "CertificateSigningRequest": "certificates.k8s.io",
}  # fmt: skip

# Kinds of Kubernetes' own that own nothing and lose nothing but their UID.
_ALONE = ("", "rbac.authorization.k8s.io", "networking.k8s.io", "policy", "autoscaling", "storage.k8s.io",
          "scheduling.k8s.io", "admissionregistration.k8s.io", "discovery.k8s.io", "coordination.k8s.io",
          "node.k8s.io", "flowcontrol.apiserver.k8s.io")  # fmt: skip


def _group_of(item: Mapping[str, Any]) -> str:
    group, slash, _ = str(item.get("apiVersion", "")).partition("/")
    return group if slash else ""


def _kind_of(item: Mapping[str, Any]) -> str:
    """The kind, when it is Kubernetes' own: others have their own jobs and services."""
    kind = str(item.get("kind", ""))
    return kind if _GROUPS.get(kind) == _group_of(item) else ""


def _without_items(where: JsonObject, field: str, unwanted: Callable[[Any], bool]) -> None:
    """Take items out of a list, and the list when nothing is left of it."""
    if (items := where.get(field)) is None:
        return
    where[field] = [item for item in items if not unwanted(item)]
    if not where[field]:
        del where[field]


def _without_notes(item: JsonObject, unwanted: Callable[[str], bool]) -> None:
    meta = item["metadata"]
    if notes := meta.get("annotations"):
        meta["annotations"] = {key: value for key, value in notes.items() if not unwanted(key)}
        if not meta["annotations"]:
            del meta["annotations"]


# -- what does not come back -----------------------------------------------------------------------


def what_is_lost(item: Mapping[str, Any], *, reclaims: str = "") -> list[str]:
    """What does not come back when an object is made again, in plain sentences.

    Args:
        item: the whole object, as it was when it was deleted.
        reclaims: as for `again`.
    """
    found = ["It gets a new UID: what refers to the old one, does not find it."]
    kind = _kind_of(item)
    if kind == "PersistentVolumeClaim":
        found += _lost_with_claim(item, reclaims)
    elif kind in _LOST:
        found += _LOST[kind](item)
    elif _group_of(item) not in _ALONE:
        found.append("Objects that it owned were deleted with it; if a controller made them, it makes them anew.")
    kept = [name for name in item["metadata"].get("finalizers") or () if name not in _FINALIZERS_OF_THE_SERVER]
    if kept:
        found.append(f"What its finalizers cleaned up is gone: {', '.join(map(str, kept))}.")
    return found


def not_again(item: Mapping[str, Any], *, keep_secrets: bool) -> str:
    """Why an object cannot be made again, one sentence; empty when it can.

    Args:
        item: the whole object.
        keep_secrets: whether the configuration says that the data of secrets is kept.
    """
    if is_secret(item) and not keep_secrets:
        return (
            "The data of secrets is not kept, so this one cannot be made again; "
            "`undo: {keep_secrets: true}` in the configuration keeps that of the next one."
        )
    if _kind_of(item) == "Pod" and "kubernetes.io/config.mirror" in (item["metadata"].get("annotations") or {}):
        # Source: https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/
        return "It stands for a static pod: the kubelet of its node makes it again by itself."
    return ""


def _lost_pod(pod: Mapping[str, Any]) -> list[str]:
    found = ["Its logs, and what its containers wrote outside of lasting volumes, are gone; it starts anew."]
    for owner in pod["metadata"].get("ownerReferences") or ():
        if owner.get("controller"):
            found.append(
                f"Its {str(owner.get('kind', '')).lower()} {owner.get('name')} makes another pod in its place by "
                "itself, and may delete one that is too many."
            )
    return found


def _lost_stateful_set(stateful_set: Mapping[str, Any]) -> list[str]:
    found = ["Its revisions are gone; its pods are made anew, by the same names."]
    policy = stateful_set["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
    if policy.get("whenDeleted") == DELETE:
        found.append("The volumes of its pods were deleted with it, as its retention policy says; their data is gone.")
    return found


def _lost_job(job: Mapping[str, Any]) -> list[str]:
    found = ["Its pods, their logs and its count of what succeeded are gone; it runs again from the beginning."]
    conditions = (job.get("status") or {}).get("conditions") or ()
    if any(each.get("type") in ("Complete", "Failed") and each.get("status") == "True" for each in conditions):
        found.append("It had finished: made again, it does its work a second time.")
    return found


def _lost_service(service: Mapping[str, Any]) -> list[str]:
    spec = service["spec"]
    found = []
    if spec.get("clusterIP") not in (None, "", "None"):
        found.append(f"It asks for its cluster IP {spec['clusterIP']} again, and gets another if that is taken by now.")
    if spec.get("type") == "LoadBalancer":
        found.append("Its load balancer is a new one, and may get another address.")
    if spec.get("type") != "ExternalName" and not spec.get("selector"):
        found.append("It has no selector: endpoints that were given by hand have to be given again.")
    return found


def _lost_with_claim(claim: Mapping[str, Any], reclaims: str) -> list[str]:
    volume = (claim.get("spec") or {}).get("volumeName")
    if not volume:
        return []
    if reclaims == RETAIN:
        return [
            f"Its volume {volume} keeps the data, and stays reserved for the claim that was deleted: "
            f"the new one waits until somebody removes spec.claimRef.uid of {volume}."
        ]
    if reclaims == DELETE:
        return [f"Its volume {volume} is deleted with what is stored there; the new claim gets an empty one."]
    return [
        f"What was stored in its volume {volume} is gone if that one's reclaim policy is Delete; "
        "whether it is, could not be read."
    ]


def _lost_volume(volume: Mapping[str, Any]) -> list[str]:
    if volume["spec"].get("persistentVolumeReclaimPolicy") == DELETE:
        return ["What is stored there may be gone: its reclaim policy is Delete."]
    return []


def _always(*sentences: str) -> Callable[[Mapping[str, Any]], list[str]]:
    return lambda item: list(sentences)


_LOST: dict[str, Callable[[Mapping[str, Any]], list[str]]] = {
    "Pod": _lost_pod,
    "Deployment": _always(
        "Its replica sets are gone, and with them the revisions to go back to; its pods are made anew.",
    ),
    "ReplicaSet": _always("Its pods are made anew."),
    "ReplicationController": _always("Its pods are made anew."),
    "StatefulSet": _lost_stateful_set,
    "DaemonSet": _always("Its revisions are gone; its pods are made anew."),
    "Job": _lost_job,
    "CronJob": _always("The jobs that it made are gone, and it does not know when it ran last."),
    "Service": _lost_service,
    "Namespace": _always("Everything that was in it is gone; the namespace comes back empty."),
    "CustomResourceDefinition": _always("All objects of its kind are gone."),
    "PersistentVolume": _lost_volume,
    "ServiceAccount": _always("Tokens that were issued for it are valid no longer: they name its UID."),
    "Node": _always("The pods that ran on it were deleted; its kubelet reports its status when it runs."),
    "CertificateSigningRequest": _always("Its approval and its certificate are gone."),
}
