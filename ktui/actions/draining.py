"""Which pods of a node are evicted when it is drained, which are left alone, and which keep it from being drained.

Pure rules over objects as the API has them. The filters, their order and their words are those of kubectl
(k8s.io/kubectl/pkg/drain/filters.go); what a disruption budget allows is decided as the API server decides it
(pkg/registry/core/pod/storage/eviction.go). See also
https://kubernetes.io/docs/tasks/administer-cluster/safely-drain-node/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

import msgspec

from ktui.actions.action import JsonObject
from ktui.kinds.names import GVR, ObjectKey
from ktui.kinds.objects import LabelSelector

GVR_BUDGETS = GVR("policy", "v1", "poddisruptionbudgets")
GVR_DAEMON_SETS = GVR("apps", "v1", "daemonsets")

_MIRROR = "kubernetes.io/config.mirror"
_FINISHED = ("Succeeded", "Failed")

DAEMON_SET_FATAL = "DaemonSet-managed Pods (use --ignore-daemonsets to ignore)"
LOCAL_STORAGE_FATAL = "Pods with local storage (use --delete-emptydir-data to override)"
UNMANAGED_FATAL = "Pods that declare no controller (use --force to override)"


@dataclass(frozen=True, slots=True)
class Switches:
    """What kubectl's flags of these names allow."""

    ignore_daemonsets: bool = True
    delete_emptydir_data: bool = False
    force: bool = False


@dataclass(frozen=True, slots=True)
class Absent:
    """A DaemonSet that could not be read although a pod names it.

    Attributes:
        words: the server's.
        deleted: whether there is none of that name.
    """

    words: str
    deleted: bool


class Fate(Enum):
    """What becomes of a pod."""

    EVICTED = auto()
    """It is evicted."""
    IGNORED = auto()
    """It belongs to a DaemonSet, which would make it again at once."""
    SKIPPED = auto()
    """It is the mirror of a pod that the kubelet runs by itself."""
    REFUSED = auto()
    """It keeps the whole node from being drained."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a pod, and why.

    Attributes:
        pod: the whole object.
        fate: what becomes of it.
        why: of a pod that is refused kubectl's words, else a phrase for people; may be empty.
    """

    pod: JsonObject
    fate: Fate
    why: str = ""


def key_of(item: JsonObject) -> ObjectKey:
    """Namespace and name of an object."""
    return ObjectKey(item["metadata"].get("namespace", ""), item["metadata"]["name"])


def controller_of(item: JsonObject) -> JsonObject | None:
    """The owner reference of what manages an object."""
    owners = item["metadata"].get("ownerReferences") or ()
    return next((owner for owner in owners if owner.get("controller")), None)


def finished(pod: JsonObject) -> bool:
    """Whether all its containers have ended for good."""
    return (pod.get("status") or {}).get("phase") in _FINISHED


def is_leaving(pod: JsonObject) -> bool:
    """Whether it was told to end."""
    return bool(pod["metadata"].get("deletionTimestamp"))


def is_mirror(pod: JsonObject) -> bool:
    """Whether it only shows a pod that a kubelet runs from a file."""
    return _MIRROR in (pod["metadata"].get("annotations") or {})


def empty_dirs(pod: JsonObject) -> list[str]:
    """The names of its volumes that are deleted with it."""
    volumes = (pod.get("spec") or {}).get("volumes") or ()
    return [volume["name"] for volume in volumes if volume.get("emptyDir") is not None]


def daemon_set_of(pod: JsonObject) -> ObjectKey | None:
    """The DaemonSet that would make it again on the same node; None for others, and for a finished pod."""
    owner = controller_of(pod)
    if owner is None or finished(pod) or (owner.get("apiVersion"), owner.get("kind")) != ("apps/v1", "DaemonSet"):
        return None
    return ObjectKey(pod["metadata"].get("namespace", ""), owner["name"])


def judged(pod: JsonObject, switches: Switches, absent: Mapping[ObjectKey, Absent]) -> Verdict:
    """What becomes of a pod of a node that is drained; the first filter that keeps a pod decides, as in kubectl.

    Args:
        pod: the whole object.
        switches: what is allowed.
        absent: the DaemonSets that could not be read.
    """
    orphaned = False
    if (daemon_set := daemon_set_of(pod)) is not None:
        missing = absent.get(daemon_set)
        orphaned = missing is not None and missing.deleted and switches.force
        if missing is not None and not orphaned:
            return Verdict(pod, Fate.REFUSED, missing.words)
        if not orphaned:
            ignored = switches.ignore_daemonsets
            return Verdict(pod, *((Fate.IGNORED, "") if ignored else (Fate.REFUSED, DAEMON_SET_FATAL)))
    if is_mirror(pod):
        return Verdict(pod, Fate.SKIPPED)
    if finished(pod):
        return Verdict(pod, Fate.EVICTED, "it has finished, and is removed")
    volumes = empty_dirs(pod)
    if volumes and not switches.delete_emptydir_data:
        return Verdict(pod, Fate.REFUSED, LOCAL_STORAGE_FATAL)
    if controller_of(pod) is None and not switches.force:
        return Verdict(pod, Fate.REFUSED, UNMANAGED_FATAL)
    reasons = [f"loses what is in emptyDir {', '.join(volumes)}"] if volumes else []
    if orphaned:
        reasons.append("its DaemonSet is gone, so nothing makes it again")
    elif controller_of(pod) is None:
        reasons.append("nothing makes it again")
    return Verdict(pod, Fate.EVICTED, "; ".join(reasons))


def refusals(verdicts: Iterable[Verdict]) -> list[str]:
    """Why kubectl would not drain the node, one sentence for all pods with the same reason; none when it would."""
    found: dict[str, list[str]] = {}
    for verdict in verdicts:
        if verdict.fate is Fate.REFUSED:
            found.setdefault(verdict.why, []).append(str(key_of(verdict.pod)))
    return [f"cannot delete {why}: {', '.join(pods)}" for why, pods in found.items()]


# -- disruption budgets ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Protection:
    """What disruption budgets say to the eviction of a pod now.

    Attributes:
        names: of the budgets that concern it.
        words: why it is refused, as the API server would say it; empty when it is not.
        for_ever: whether it will be refused as long as nobody changes the budgets.
        counted: whether the eviction uses up one of the disruptions that the budget allows.
    """

    names: tuple[str, ...] = ()
    words: str = ""
    for_ever: bool = False
    counted: bool = False


def protection(pod: JsonObject, budgets: Iterable[JsonObject]) -> Protection:
    """What disruption budgets say to the eviction of a pod now.

    Args:
        pod: the whole object.
        budgets: the PodDisruptionBudgets of its namespace, or of all.
    """
    # The server asks no budget about pods that have ended, have not begun or are on their way out.
    begun = (pod.get("status") or {}).get("phase") not in (*_FINISHED, "Pending")
    if not begun or is_leaving(pod):
        return Protection()
    mine = [budget for budget in budgets if concerns(budget, pod)]
    names = tuple(budget["metadata"]["name"] for budget in mine)
    if not mine:
        return Protection()
    if len(mine) > 1:
        several = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        return Protection(names, several, for_ever=True)
    (budget,) = mine
    if not _ready(pod) and _lets_unhealthy_go(budget):
        return Protection(names)
    return Protection(names, _refusal(budget), counted=True)


def concerns(budget: JsonObject, pod: JsonObject) -> bool:
    """Whether a budget selects a pod; an empty selector selects all of its namespace, none selects nothing."""
    selector = (budget.get("spec") or {}).get("selector")
    if selector is None or budget["metadata"].get("namespace") != pod["metadata"].get("namespace"):
        return False
    return msgspec.convert(selector, LabelSelector).matches(pod["metadata"].get("labels"))


def disruptions_allowed(budget: JsonObject) -> int:
    """How many pods may go now."""
    return int((budget.get("status") or {}).get("disruptionsAllowed") or 0)


def _ready(pod: JsonObject) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(condition.get("type") == "Ready" and condition.get("status") == "True" for condition in conditions)


def _lets_unhealthy_go(budget: JsonObject) -> bool:
    # Source: https://kubernetes.io/docs/tasks/run-application/configure-pdb/#unhealthy-pod-eviction-policy
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    healthy, needed = _health(budget)
    return healthy >= needed > 0


def _health(budget: JsonObject) -> tuple[int, int]:
    status = budget.get("status") or {}
    return status.get("currentHealthy") or 0, status.get("desiredHealthy") or 0


def _refusal(budget: JsonObject) -> str:
    """The server's words for why a budget lets no pod go; empty when it does."""
    name, status = budget["metadata"]["name"], budget.get("status") or {}
    if (status.get("observedGeneration") or 0) < (budget["metadata"].get("generation") or 0):
        return f"The disruption budget {name} is still being processed by the server."
    if disruptions_allowed(budget) > 0:
        return ""
    conditions: Sequence[JsonObject] = status.get("conditions") or ()
    denied = next((c for c in conditions if c.get("type") == "DisruptionAllowed" and c.get("status") == "False"), {})
    message, reason = denied.get("message") or "", denied.get("reason") or ""
    if message and reason == "SyncFailed":
        return f"The disruption budget {name} does not allow evicting pods currently because it failed sync: {message}"
    healthy, needed = _health(budget)
    if healthy <= needed:
        return f"The disruption budget {name} needs {needed} healthy pods and has {healthy} currently"
    if message:
        return f"The disruption budget {name} does not allow evicting pods currently ({reason}): {message}"
    return f"The disruption budget {name} does not allow evicting pods currently"
