"""Who set the fields of the objects that were there before anybody wrote through the API: a past for managedFields."""

from __future__ import annotations

from ktui.demo.managed_fields import Object, Path, paths_of, record
from ktui.demo.storage import Storage

CONTROLLERS = "kube-controller-manager"

_WITHOUT = ("events", "events.events.k8s.io", "leases.coordination.k8s.io")
_KUBELET = ("nodes", "pods")
_LESSON = {"deployments.apps": "kubectl-create", "services": "kubectl-expose"}
_OF_CONTROLLERS = ("f:deployment.kubernetes.io/revision", "f:pv.kubernetes.io/bind-completed")


def remember_owners(storage: Storage) -> None:
    """Give every object owners, as if it had come by the usual way.

    Args:
        storage: with the objects, before anybody has seen them.
    """
    for resource in storage.resources():
        if resource not in _WITHOUT:
            for obj in storage.list(resource):
                if "managedFields" not in obj["metadata"]:
                    storage.restate(resource, _owned(resource, obj))


def _owned(resource: str, obj: Object) -> Object:
    paths = set(paths_of(obj))
    status = {path for path in paths if path[0] == "f:status"}
    controlled = {path for path in paths - status if path[-1] in _OF_CONTROLLERS}
    obj = _entry(obj, paths - status - controlled, _maker(resource, obj))
    obj = _entry(obj, controlled, CONTROLLERS)
    return _entry(obj, status, "kubelet" if resource in _KUBELET else CONTROLLERS, "status")


def _entry(obj: Object, owned: set[Path], manager: str, subresource: str = "") -> Object:
    time = obj["metadata"]["creationTimestamp"]
    return record(obj, owned, taken=set(), manager=manager, operation="Update", subresource=subresource, time=time)


def _maker(resource: str, obj: Object) -> str:
    """Who made an object, as its place tells."""
    meta = obj["metadata"]
    if meta.get("ownerReferences"):
        return CONTROLLERS
    if resource == "nodes":
        return "kubelet"
    if meta.get("namespace") == "kube-system":
        return "kubeadm"
    applied = "kubectl-client-side-apply"
    return _LESSON.get(resource, applied) if meta.get("namespace") == "lesson" else applied
