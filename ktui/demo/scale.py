"""The scale subresource: one small object that stands for how many replicas anything scalable has."""

from __future__ import annotations

from typing import Any

from ktui.demo.errors import StatusError, bad_value, conflict, invalid
from ktui.demo.resources import Resource
from ktui.demo.tables.custom import find
from ktui.demo.tables.text import selector

Object = dict[str, Any]

_BUILT_IN = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}


def scale_of(resource: Resource, obj: Object) -> Object:
    """An object's Scale.

    Args:
        resource: its resource.
        obj: the object.
    """
    paths, metadata = _paths(resource), obj["metadata"]
    shown = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    status: Object = {"replicas": _number(obj, paths["statusReplicasPath"])}
    wanted = _number(obj, paths["specReplicasPath"])
    chosen = _selector(resource, paths, obj)
    if chosen:
        status["selector"] = chosen
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: metadata[key] for key in shown if key in metadata},
        # As encoded from Go: a zero is left out here, and written in the status.
        "spec": {"replicas": wanted} if wanted else {},
        "status": status,
    }


def scaled(resource: Resource, obj: Object, scale: Object) -> Object:
    """The object with the replicas its Scale asks for; the argument is not changed.

    Raises:
        StatusError: 422 for a negative number, 409 for an old resourceVersion.
    """
    name = obj["metadata"]["name"]
    asked, have = scale.get("metadata") or {}, obj["metadata"]
    if asked.get("uid", have["uid"]) != have["uid"]:
        why = f"Precondition failed: UID in precondition: {asked['uid']}, UID in object meta: {have['uid']}"
        place = f"{resource.name}/scale.{resource.group}" if resource.group else f"{resource.name}/scale"
        raise conflict(place, name, why)
    replicas = (scale.get("spec") or {}).get("replicas", 0)
    path = _paths(resource)["specReplicasPath"]
    if replicas < 0:
        raise _negative(resource, name, path, replicas)
    if asked.get("resourceVersion", have["resourceVersion"]) != have["resourceVersion"]:
        raise conflict(resource.key, name)
    return _with(obj, path.strip(".").split("."), replicas)


def _negative(resource: Resource, name: str, path: str, replicas: int) -> StatusError:
    if resource.custom is not None:
        cause = bad_value(path, replicas, "should be a non-negative integer")
        return invalid(resource.kind, name, [cause], group=resource.group)
    cause = bad_value("spec.replicas", replicas, "must be greater than or equal to 0")
    return invalid("Scale", name, [cause], group="autoscaling")


def _paths(resource: Resource) -> Object:
    if resource.custom is None:
        return _BUILT_IN
    paths: Object = resource.custom["subresources"]["scale"]
    return paths


def _selector(resource: Resource, paths: Object, obj: Object) -> str:
    if resource.custom is None:
        chosen = obj["spec"].get("selector")
        return selector({"matchLabels": chosen} if resource.key == "replicationcontrollers" else chosen)
    found = find(obj, paths.get("labelSelectorPath", ""))
    return str(found[0]) if paths.get("labelSelectorPath") and found else ""


def _number(obj: Object, path: str) -> int:
    found = find(obj, path)
    return found[0] if found and isinstance(found[0], int) else 0


def _with(obj: Object, steps: list[str], value: int) -> Object:
    inner = value if len(steps) == 1 else _with(obj.get(steps[0]) or {}, steps[1:], value)
    return {**obj, steps[0]: inner}
