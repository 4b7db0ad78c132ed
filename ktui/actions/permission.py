"""Permission: whether the user may do an action to an object, in which words it is denied, and what to ask for.

The server decides in the end; what is not known here blocks nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ktui.actions.action import Action, Target
from ktui.actions.kubectl import resource_word
from ktui.kinds.names import GVR
from ktui.kube import access
from ktui.kube.access import Question, Rule
from ktui.kube.client import Client

GVR_NAMESPACES = GVR("", "v1", "namespaces")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an action may be done.

    Attributes:
        allowed: yes or no; None while it is not known, which is no reason not to try.
        why: why not, one sentence; need not be safe to show.
        ask: what to do about it, one sentence.
    """

    allowed: bool | None
    why: str = ""
    ask: str = ""


READ_ONLY = Verdict(False, "ktui is read-only: it changes nothing.", "Start it without --read-only to change things.")


class _Wanted(NamedTuple):
    """A question about a right, with the words for it."""

    question: Question
    what: str

    @property
    def words(self) -> str:
        return f"{self.question.verb} {self.what}{self.place}"

    @property
    def place(self) -> str:
        return f" in namespace {self.question.namespace}" if self.question.namespace else " cluster-wide"


def known(client: Client, action: Action, target: Target, *, user: str = "", read_only: bool = False) -> Verdict:
    """What is already known, without asking; for the hints of a footer.

    Args:
        client: who would ask.
        action: what is to be done.
        target: to what.
        user: by which the cluster knows the user; empty when it did not tell.
        read_only: whether ktui was told to change nothing.
    """
    if read_only:
        return READ_ONLY
    if (wanted := _wanted(action, target)) is None:
        return Verdict(None)
    return _verdict(wanted, [access.known(client, each.question) for each in wanted], user)


async def ask(client: Client, action: Action, target: Target, *, user: str = "", read_only: bool = False) -> Verdict:
    """What the cluster says, asked for where it is not known; the arguments are those of `known`."""
    if read_only:
        return READ_ONLY
    if (wanted := _wanted(action, target)) is None:
        return Verdict(None)
    # One after the other: the first one's answer tells most of the others, too.
    return _verdict(wanted, [await access.may(client, each.question) for each in wanted], user)


def _wanted(action: Action, target: Target) -> list[_Wanted] | None:
    """The rights that an action needs; None while nobody has said in which namespace."""
    if action.creates and target.kind.namespaced and not target.key.namespace:
        return None
    wanted = []
    for right in action.access:
        gvr = right.gvr or target.kind.gvr
        # An object that does not exist yet has no name that a rule could be about.
        name = "" if action.creates or gvr != target.kind.gvr else target.key.name
        # A namespace is in itself: rights that are granted in it hold for it.
        # Source: RequestInfoFactory.NewRequestInfo in k8s.io/apiserver/pkg/endpoints/request
        namespace = name if gvr == GVR_NAMESPACES else target.key.namespace
        what = resource_word(gvr) + (f"/{right.subresource}" if right.subresource else "")
        wanted.append(_Wanted(Question(right.verb, gvr.group, gvr.resource, namespace, right.subresource, name), what))
    return wanted


def _verdict(wanted: Sequence[_Wanted], answers: Sequence[bool | None], user: str) -> Verdict:
    denied = [each for each, answer in zip(wanted, answers, strict=True) if answer is False]
    if not denied:
        return Verdict(None if None in answers else True)
    return Verdict(False, f"{user or 'You'} may not {denied[0].words}.", _advice(denied))


def _advice(denied: Sequence[_Wanted]) -> str:
    """Which role to ask for: the smallest of the usual ones, as nobody should have more rights than needed."""
    role = usual_role(each.question for each in denied)
    where = denied[0].place if denied[0].question.namespace else ", bound cluster-wide"
    if role:
        return f"Ask whoever runs the cluster for the ClusterRole “{role}”{where}."
    rights = " and ".join(dict.fromkeys(each.words for each in denied))
    return f"Ask whoever runs the cluster for a role that may {rights}; of the usual ones only “cluster-admin” may."


def usual_role(questions: Iterable[Question]) -> str:
    """The smallest of the user-facing ClusterRoles that allows all that is asked; empty when only cluster-admin does.

    Custom resources are in these roles only where somebody aggregated them, which is not known here.

    Args:
        questions: what is to be done.
    """
    asked = tuple(questions)
    for role, rules in _USUAL:
        if all(any(rule.covers(question) for rule in rules) for question in asked):
            return role
    return ""


# -- the user-facing roles ------------------------------------------------------------------------
# Source: plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go of Kubernetes 1.36, and
# https://kubernetes.io/docs/reference/access-authn-authz/rbac/#user-facing-roles

_READ = ("get", "list", "watch")
_WRITE = ("create", "delete", "deletecollection", "patch", "update")
_ALL = (*_READ, *_WRITE)

# What people work with: `view` reads it, `edit` writes it.
_WORKED_WITH = {
    "": "configmaps events persistentvolumeclaims pods replicationcontrollers replicationcontrollers/scale"
    " serviceaccounts services",
    "apps": "daemonsets deployments deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale",
    "autoscaling": "horizontalpodautoscalers",
    "batch": "cronjobs jobs",
    "events.k8s.io": "events",
    "networking.k8s.io": "ingresses networkpolicies",
    "policy": "poddisruptionbudgets",
    "resource.k8s.io": "resourceclaims resourceclaimtemplates",
}
# What the control plane keeps: `view` reads it, nobody but an administrator writes it.
_READ_ONLY = {
    "": "bindings endpoints limitranges namespaces namespaces/status persistentvolumeclaims/status pods/log pods/status"
    " replicationcontrollers/status resourcequotas resourcequotas/status services/status",
    "apps": "controllerrevisions daemonsets/status deployments/status replicasets/status statefulsets/status",
    "autoscaling": "horizontalpodautoscalers/status",
    "batch": "cronjobs/status jobs/status",
    "discovery.k8s.io": "endpointslices",
    "networking.k8s.io": "ingresses/status",
    "policy": "poddisruptionbudgets/status",
    "resource.k8s.io": "resourceclaims/status",
}
# What `view` must not even read, because it could be used to become somebody else.
_CONFIDENTIAL = {
    "": "secrets pods/attach pods/exec pods/portforward pods/proxy services/proxy",
    "coordination.k8s.io": "leases",
}


def _rules(verbs: tuple[str, ...], resources: Mapping[str, str]) -> tuple[Rule, ...]:
    return tuple(Rule(verbs, (group,), tuple(names.split())) for group, names in resources.items())


_VIEW = _rules(_READ, _WORKED_WITH) + _rules(_READ, _READ_ONLY)
_EDIT = (
    *_VIEW,
    *_rules(_WRITE, _WORKED_WITH),
    *_rules(_ALL, _CONFIDENTIAL),
    *_rules(("create",), {"": "pods/eviction serviceaccounts/token"}),
    *_rules(("impersonate",), {"": "serviceaccounts"}),
    *_rules(_WRITE, {"apps": "deployments/rollback"}),
)
_ADMIN = (
    *_EDIT,
    *_rules(_ALL, {"rbac.authorization.k8s.io": "rolebindings roles"}),
    *_rules(("create",), {"authorization.k8s.io": "localsubjectaccessreviews"}),
)
_USUAL = (("view", _VIEW), ("edit", _EDIT), ("admin", _ADMIN))
