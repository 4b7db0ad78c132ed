"""Deleting as Kubernetes means it: grace periods, finalizers, propagation policies, preconditions.

As kubernetes.io/docs/concepts/architecture/garbage-collection and .../workloads/pods/pod-lifecycle say. The kubelet
finishes pods, the garbage collector finishes owners and dependents, the namespace controller finishes namespaces.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ktui.demo import errors
from ktui.demo.clock import epoch_of, rfc3339
from ktui.demo.resources import DEFINITIONS, RESOURCES
from ktui.demo.storage import Storage

Object = dict[str, Any]

_DEFAULT_GRACE_SECONDS = 30
_UNDYING_NAMESPACES = ("default", "kube-system", "kube-public")
_IN_STEPS = ("namespaces", DEFINITIONS)
_PENDING = {
    "reason": "InstanceDeletionPending",
    "message": "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
}
FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"


@dataclass(frozen=True, slots=True)
class Deletion:
    """What a request to delete led to.

    Attributes:
        object: the object's last state, or its state with a deletionTimestamp.
        gone: whether it is removed already.
    """

    object: Object
    gone: bool


def request_delete(
    storage: Storage,
    resource: str,
    namespace: str,
    name: str,
    *,
    propagation: str | None = None,
    grace_period: int | None = None,
    preconditions: Mapping[str, str] | None = None,
    dry_run: bool = False,
) -> Deletion:
    """Deletes an object, or marks it as being deleted while something must happen first.

    Args:
        storage: where it is.
        resource: its resource's key.
        namespace: its namespace, "" for none.
        name: its name.
        propagation: "Background" (None means that), "Foreground" or "Orphan".
        grace_period: seconds, for pods; None for what the pod asks for.
        preconditions: perhaps `uid` and `resourceVersion` it must have.
        dry_run: whether to change nothing.

    Raises:
        StatusError: 404, 409 when a precondition fails, 403 for namespaces that must not go.
    """
    current = storage.get(resource, namespace, name)
    if current is None:
        raise errors.not_found(resource, name)
    check_preconditions(resource, current, preconditions or {})
    if resource in _IN_STEPS and (resource == "namespaces" or current["metadata"].get("finalizers")):
        return _delete_in_steps(storage, resource, current, dry_run)
    metadata = dict(current["metadata"])
    metadata["finalizers"] = _finalizers(metadata.get("finalizers") or [], propagation)
    if not metadata["finalizers"]:
        del metadata["finalizers"]
    grace = _grace(storage, resource, current, grace_period)
    gone = not grace and not metadata.get("finalizers")
    marked = current
    # Pods are marked first even when they go at once, as the API server does it.
    if not gone or resource == "pods":
        marked = {**current, "metadata": _marked(storage, metadata, grace)}
        marked = storage.imagine(resource, marked) if dry_run else storage.update(resource, marked)
    if gone and not dry_run and storage.get(resource, namespace, name) is not None:
        last = storage.delete(resource, namespace, name)
        marked = marked if resource == "pods" else last
    return Deletion(marked, gone=gone)


def finish_if_done(storage: Storage, resource: str, obj: Object) -> bool:
    """Removes an object that only waited for its last finalizer.

    Args:
        storage: where it is.
        resource: its resource's key.
        obj: the object as just written.

    Returns:
        Whether it was removed.
    """
    metadata = obj["metadata"]
    if not metadata.get("deletionTimestamp") or metadata.get("finalizers"):
        return False
    if metadata.get("deletionGracePeriodSeconds") or (obj.get("spec") or {}).get("finalizers"):
        return False
    storage.delete(resource, metadata.get("namespace", ""), metadata["name"])
    return True


def check_preconditions(resource: str, obj: Object, wanted: Mapping[str, str]) -> None:
    """Lets an object pass that is the one meant, or raises.

    Args:
        resource: its resource's key.
        obj: the object as stored.
        wanted: perhaps `uid` and `resourceVersion` it must have.

    Raises:
        StatusError: 409.
    """
    metadata = obj["metadata"]
    for field, label, end in (
        ("uid", "UID", "deleted and then recreated"),
        ("resourceVersion", "ResourceVersion", "modified"),
    ):
        asked, have = wanted.get(field), metadata[field]
        if asked and asked != have:
            # The server names the kind here, not the plural as elsewhere.
            group = RESOURCES[resource].group if resource in RESOURCES else resource.partition(".")[2]
            qualified = f"{obj['kind']}.{group}" if group else obj["kind"]
            raise errors.conflict(
                qualified,
                metadata["name"],
                f"the {label} in the precondition ({asked}) does not match the {label} in record ({have}). "
                f"The object might have been {end}",
            )


def _finalizers(present: list[str], propagation: str | None) -> list[str]:
    kept = [finalizer for finalizer in present if finalizer not in (FOREGROUND, ORPHAN) or propagation is None]
    if propagation == "Foreground":
        kept.append(FOREGROUND)
    if propagation == "Orphan":
        kept.append(ORPHAN)
    return kept


def _grace(storage: Storage, resource: str, obj: Object, asked: int | None) -> int:
    """Seconds left to the object; 0 for everything but pods that run somewhere."""
    if resource != "pods":
        return 0
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    if not spec.get("nodeName") or status.get("phase") in ("Succeeded", "Failed"):
        return 0
    grace = asked if asked is not None else spec.get("terminationGracePeriodSeconds", _DEFAULT_GRACE_SECONDS)
    if grace < 0:
        grace = 1
    already = obj["metadata"].get("deletionGracePeriodSeconds")
    # A second deletion may only shorten the first one's grace period.
    return int(grace if already is None else min(grace, already))


def _marked(storage: Storage, metadata: Object, grace: int) -> Object:
    """The metadata of an object that is being deleted."""
    before = metadata.get("deletionTimestamp")
    if before is None:
        metadata["deletionTimestamp"] = rfc3339(storage.clock.now() + grace)
    elif grace < metadata.get("deletionGracePeriodSeconds", 0):
        started = epoch_of(before) - metadata["deletionGracePeriodSeconds"]
        metadata["deletionTimestamp"] = rfc3339(started + grace)
    metadata["deletionGracePeriodSeconds"] = grace
    return metadata


def _delete_in_steps(storage: Storage, resource: str, obj: Object, dry_run: bool) -> Deletion:
    """What has contents is marked, and goes when they are gone: namespaces, and definitions of custom resources."""
    metadata = obj["metadata"]
    if resource == "namespaces" and metadata["name"] in _UNDYING_NAMESPACES:
        raise errors.forbidden(resource, metadata["name"], "this namespace may not be deleted")
    if metadata.get("deletionTimestamp"):
        return Deletion(obj, gone=False)
    now, status = rfc3339(storage.clock.now()), obj.get("status") or {}
    if resource == "namespaces":
        status = {**status, "phase": "Terminating"}
    else:
        pending = {"type": "Terminating", "status": "True", "lastTransitionTime": now, **_PENDING}
        status = {**status, "conditions": [*(status.get("conditions") or ()), pending]}
    marked = {**obj, "metadata": {**metadata, "deletionTimestamp": now}, "status": status}
    return Deletion(marked if dry_run else storage.update(resource, marked, same_generation=True), gone=False)
