"""Taints and tolerations: kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration."""

from __future__ import annotations

from ktui.demo.storage import Object

UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
UNREACHABLE = "node.kubernetes.io/unreachable"


def tolerates(toleration: Object, taint: Object) -> bool:
    """Says whether a toleration matches a taint."""
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    exists: bool = toleration.get("operator", "Equal") == "Exists"
    if not toleration.get("key"):
        return exists
    if toleration["key"] != taint["key"]:
        return False
    return exists or bool(toleration.get("value", "") == taint.get("value", ""))


def tolerated(spec: Object, taint: Object) -> bool:
    """Says whether a pod with this spec tolerates a taint."""
    return any(tolerates(toleration, taint) for toleration in spec.get("tolerations") or ())


def toleration_seconds(spec: Object, taint: Object) -> float | None:
    """Returns how long a pod stays on a node with a NoExecute taint: 0 for not at all, None for ever."""
    matching = [toleration for toleration in spec.get("tolerations") or () if tolerates(toleration, taint)]
    if not matching:
        return 0.0
    limits = [toleration["tolerationSeconds"] for toleration in matching if "tolerationSeconds" in toleration]
    return float(min(limits)) if limits else None
