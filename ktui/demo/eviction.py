"""Evictions: deletions of pods that their PodDisruptionBudget must allow.

As kubernetes.io/docs/concepts/scheduling-eviction/api-eviction says; words and order of checks are those of
k8s.io/kubernetes pkg/registry/core/pod/storage/eviction.go.
"""

from __future__ import annotations

from typing import Any

from ktui.demo.clock import rfc3339
from ktui.demo.deletion import check_preconditions, request_delete
from ktui.demo.errors import StatusError, bad_request
from ktui.demo.selectors import matches_labels
from ktui.demo.storage import Storage

Object = dict[str, Any]

_BUDGETS = "poddisruptionbudgets.policy"
_WITHOUT_BUDGET = ("Succeeded", "Failed", "Pending")
_REFUSAL = "Cannot evict pod as it would violate the pod's disruption budget."
_SEVERAL = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
_RETRY_AFTER = 10


def evict(storage: Storage, pod: Object, eviction: Object, *, dry_run: bool) -> None:
    """Deletes a pod if its budget allows it.

    Args:
        storage: where it is.
        pod: the pod.
        eviction: the Eviction as sent.
        dry_run: whether the request said so; the Eviction may say it, too.

    Raises:
        StatusError: 429 when the budget allows it not now, 500 when there are several, and as a deletion's.
    """
    metadata, options = pod["metadata"], eviction.get("deleteOptions") or {}
    if (eviction.get("metadata") or {}).get("name") != metadata["name"]:
        raise bad_request("name in URL does not match name in Eviction object")
    dry_run = dry_run or options.get("dryRun") == ["All"]
    leaves = "deletionTimestamp" in metadata
    if not leaves and (pod.get("status") or {}).get("phase") not in _WITHOUT_BUDGET:
        _take_from_budget(storage, pod, dry_run)
    check_preconditions("pods", pod, options.get("preconditions") or {})
    if not dry_run and not leaves:
        _note_target(storage, pod)
    request_delete(
        storage,
        "pods",
        metadata["namespace"],
        metadata["name"],
        propagation=options.get("propagationPolicy"),
        grace_period=options.get("gracePeriodSeconds"),
        dry_run=dry_run,
    )


def _take_from_budget(storage: Storage, pod: Object, dry_run: bool) -> None:
    metadata = pod["metadata"]
    budgets = [
        budget
        for budget in storage.list(_BUDGETS, metadata["namespace"])
        if matches_labels((budget.get("spec") or {}).get("selector"), metadata.get("labels"))
    ]
    if len(budgets) > 1:
        raise StatusError(500, "", _SEVERAL)
    for budget in budgets:
        status = budget.get("status") or {}
        if not _is_ready(pod) and _spares_unready(budget):
            continue
        _check(budget)
        if dry_run:
            continue
        taken = {**(status.get("disruptedPods") or {}), metadata["name"]: rfc3339(storage.clock.now())}
        left = status["disruptionsAllowed"] - 1
        storage.update(_BUDGETS, {**budget, "status": {**status, "disruptionsAllowed": left, "disruptedPods": taken}})


def _spares_unready(budget: Object) -> bool:
    """Whether a pod that is not ready may go without being counted."""
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    status = budget.get("status") or {}
    desired: int = status.get("desiredHealthy", 0)
    return bool(status.get("currentHealthy", 0) >= desired > 0)


def _check(budget: Object) -> None:
    name, status = budget["metadata"]["name"], budget.get("status") or {}
    if status.get("observedGeneration", 0) < budget["metadata"].get("generation", 0):
        raise _refused(f"The disruption budget {name} is still being processed by the server.", _RETRY_AFTER)
    if status.get("disruptionsAllowed", 0) > 0:
        return
    needs, has = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
    raise _refused(f"The disruption budget {name} needs {needs} healthy pods and has {has} currently", None)


def _refused(why: str, retry_after: int | None) -> StatusError:
    details: Object = {"causes": [{"reason": "DisruptionBudget", "message": why}]}
    if retry_after is not None:
        details["retryAfterSeconds"] = retry_after
    return StatusError(429, "TooManyRequests", _REFUSAL, details, retry_after=retry_after)


def _is_ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _note_target(storage: Storage, pod: Object) -> None:
    status = pod.get("status") or {}
    target = {
        "type": "DisruptionTarget",
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": rfc3339(storage.clock.now()),
        "reason": "EvictionByEvictionAPI",
        "message": "Eviction API: evicting",
    }
    others = [one for one in status.get("conditions") or () if one["type"] != "DisruptionTarget"]
    storage.update("pods", {**pod, "status": {**status, "conditions": [*others, target]}})
