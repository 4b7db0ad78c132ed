"""The arithmetic of a Deployment's rollout: pure functions of numbers and ReplicaSets.

Source: k8s.io/kubernetes pkg/controller/deployment (rolling.go, sync.go, util/deployment_util.go).
"""

from __future__ import annotations

from math import ceil, floor

from ktui.demo.storage import Object

REVISION = "deployment.kubernetes.io/revision"
REVISION_HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED_REPLICAS = "deployment.kubernetes.io/desired-replicas"
MAX_REPLICAS = "deployment.kubernetes.io/max-replicas"
HASH_LABEL = "pod-template-hash"


def desired(workload: Object) -> int:
    """Returns spec.replicas, which is 1 when it is missing."""
    replicas: int = workload["spec"].get("replicas", 1)
    return replicas


def available(replicaset: Object) -> int:
    """Returns status.availableReplicas."""
    count: int = replicaset.get("status", {}).get("availableReplicas", 0)
    return count


def marks_of(obj: Object) -> dict[str, str]:
    """Returns the annotations, empty when there are none."""
    return obj["metadata"].get("annotations") or {}


def revision(replicaset: Object) -> int:
    """Returns the revision a ReplicaSet stands for."""
    return int(marks_of(replicaset).get(REVISION, "0"))


def is_rolling(deployment: Object) -> bool:
    """Says whether the strategy is RollingUpdate."""
    kind: str = (deployment["spec"].get("strategy") or {}).get("type", "RollingUpdate")
    return kind == "RollingUpdate"


def _share(value: int | str, of: int, *, up: bool) -> int:
    if isinstance(value, int):
        return value
    part = int(value.rstrip("%")) * of / 100
    return ceil(part) if up else floor(part)


def margins(deployment: Object) -> tuple[int, int]:
    """Returns how many pods there may be beyond the wished number, and how many of it may be missing.

    A percentage of surge is rounded up, of unavailability down; when both are 0, one pod may be missing.
    """
    replicas = desired(deployment)
    if not is_rolling(deployment) or replicas == 0:
        return 0, 0
    rolling = (deployment["spec"].get("strategy") or {}).get("rollingUpdate") or {}
    surge = _share(rolling.get("maxSurge", "25%"), replicas, up=True)
    missing = _share(rolling.get("maxUnavailable", "25%"), replicas, up=False)
    if surge == 0 and missing == 0:
        missing = 1
    return surge, min(missing, replicas)


def without_hash(template: Object) -> Object:
    """Returns a ReplicaSet's template as the Deployment wrote it."""
    metadata = dict(template.get("metadata") or {})
    labels = {key: value for key, value in (metadata.get("labels") or {}).items() if key != HASH_LABEL}
    return {**template, "metadata": {**metadata, "labels": labels}}


def same_template(deployment: Object, replicaset: Object) -> bool:
    """Says whether a ReplicaSet runs what the Deployment asks for."""
    return without_hash(replicaset["spec"]["template"]) == without_hash(deployment["spec"]["template"])


def new_size(deployment: Object, new: int, total: int) -> int:
    """Returns the size the new ReplicaSet may grow to now.

    Args:
        deployment: Says how many there may be.
        new: Its present size.
        total: The size of all ReplicaSets together.
    """
    replicas = desired(deployment)
    if not is_rolling(deployment):
        return replicas
    room = replicas + margins(deployment)[0] - total
    return new if room <= 0 else new + min(room, replicas - new)


def shrunk_sizes(deployment: Object, new: Object | None, old: list[Object]) -> dict[str, int]:
    """Returns the sizes by name that old ReplicaSets are to be cut to now; first the pods that do not work.

    Args:
        deployment: Says how many may be missing.
        new: The ReplicaSet of the present template.
        old: The others, oldest first.
    """
    sizes = {replicaset["metadata"]["name"]: desired(replicaset) for replicaset in old}
    everyone = [*old, *([new] if new else [])]
    least = desired(deployment) - margins(deployment)[1]
    not_yet = desired(new) - available(new) if new else 0
    removable = sum(desired(replicaset) for replicaset in everyone) - least - not_yet
    if removable <= 0:
        return {}
    for replicaset in old:
        name = replicaset["metadata"]["name"]
        cut = min(removable, max(0, sizes[name] - available(replicaset)))
        sizes[name] -= cut
        removable -= cut
    spare = sum(available(replicaset) for replicaset in everyone) - least
    for replicaset in old:
        name = replicaset["metadata"]["name"]
        cut = min(sizes[name], max(0, spare))
        sizes[name] -= cut
        spare -= cut
    return {obj["metadata"]["name"]: size for obj in old if (size := sizes[obj["metadata"]["name"]]) != desired(obj)}


def proportional_sizes(deployment: Object, replicasets: list[Object]) -> dict[str, int]:
    """Returns the sizes by name of ReplicaSets that share a change of the Deployment's size in mid-rollout.

    Args:
        deployment: With the new size.
        replicasets: Those with pods, oldest first.
    """
    allowed = desired(deployment) + margins(deployment)[0] if desired(deployment) else 0
    total = sum(desired(replicaset) for replicaset in replicasets)
    change = allowed - total
    # The largest first; of equals the newer when growing, the older when shrinking.
    newest_first = [*reversed(replicasets)]
    order = sorted(replicasets if change < 0 else newest_first, key=desired, reverse=True)
    sizes: dict[str, int] = {}
    for replicaset in order:
        size = desired(replicaset)
        before = int(marks_of(replicaset).get(MAX_REPLICAS, "0")) or total or 1
        part = round(size * allowed / before) - size
        part = max(min(part, change), 0) if change > 0 else min(max(part, change), 0)
        sizes[replicaset["metadata"]["name"]] = size + part
        change -= part
    if order:
        first = order[0]["metadata"]["name"]
        sizes[first] = max(0, sizes[first] + change)
    return sizes
