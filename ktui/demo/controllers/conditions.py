"""Status conditions, and what they say about pods."""

from __future__ import annotations

from ktui.demo.clock import epoch_of, rfc3339
from ktui.demo.storage import Object


def condition(obj: Object, kind: str) -> Object | None:
    """Returns the condition of a type from an object's status, or None."""
    for found in obj.get("status", {}).get("conditions") or ():
        if found["type"] == kind:
            condition: Object = found
            return condition
    return None


def is_true(obj: Object, kind: str) -> bool:
    """Says whether a condition is there and True."""
    found = condition(obj, kind)
    return found is not None and found["status"] == "True"


def with_condition(
    conditions: list[Object], kind: str, status: str, now: float, *, reason: str = "", message: str = ""
) -> list[Object]:
    """Returns conditions with one of them set; its lastTransitionTime stays when its status does.

    Args:
        conditions: The present ones.
        kind: The condition's type.
        status: True, False or Unknown.
        now: Seconds since the epoch.
        reason: One word in CamelCase.
        message: One sentence.
    """
    new: Object = {"type": kind, "status": status, "lastTransitionTime": rfc3339(now)}
    if reason:
        new["reason"] = reason
    if message:
        new["message"] = message
    result = list(conditions)
    for position, old in enumerate(result):
        if old["type"] == kind:
            if old["status"] == status and "lastTransitionTime" in old:
                new["lastTransitionTime"] = old["lastTransitionTime"]
            result[position] = {**old, **new}
            for gone in {"reason", "message"} - new.keys():
                result[position].pop(gone, None)
            return result
    return [*result, new]


def is_leaving(obj: Object) -> bool:
    """Says whether the object is being deleted."""
    return "deletionTimestamp" in obj["metadata"]


def phase(pod: Object) -> str:
    """Returns a pod's phase."""
    found: str = pod.get("status", {}).get("phase") or "Pending"
    return found


def is_finished(pod: Object) -> bool:
    """Says whether no container of the pod will run again."""
    return phase(pod) in ("Succeeded", "Failed")


def is_active(pod: Object) -> bool:
    """Says whether a pod counts for its controller: neither finished nor being deleted."""
    return not is_finished(pod) and not is_leaving(pod)


def is_ready(pod: Object) -> bool:
    """Says whether a pod's Ready condition is True."""
    return is_true(pod, "Ready")


def ready_since(pod: Object) -> float | None:
    """Returns when a ready pod became ready, in seconds since the epoch; None when it is not ready."""
    found = condition(pod, "Ready")
    if found is None or found["status"] != "True":
        return None
    return epoch_of(found["lastTransitionTime"])


def is_available(pod: Object, min_ready_seconds: int, now: float) -> bool:
    """Says whether a pod has been ready for long enough."""
    since = ready_since(pod)
    return since is not None and (min_ready_seconds == 0 or since + min_ready_seconds <= now)
