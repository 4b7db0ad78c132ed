"""History: the revisions that a workload keeps of its template, and how any two differ.

Deployments keep them as ReplicaSets, StatefulSets and DaemonSets as ControllerRevisions.
Source: https://kubernetes.io/docs/reference/kubectl/generated/kubectl_rollout/kubectl_rollout_history/
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ktui.actions.action import Action, Cluster, JsonObject, Said, Step, Target
from ktui.actions.difference import Line, difference, lines
from ktui.actions.form import ChoiceField, Form, Values
from ktui.actions.rollouts import controlled_by, has_rollouts, selector, without_hash
from ktui.kinds.names import GVR, GVR_REPLICASETS
from ktui.kinds.replicasets import REVISION
from ktui.kinds.time import epoch, human_duration
from ktui.kinds.tone import Tone
from ktui.kinds.workload import NONE, selector_text

GVR_REVISIONS = GVR("apps", "v1", "controllerrevisions")

CHANGE_CAUSE = "kubernetes.io/change-cause"


@dataclass(frozen=True)
class Revision:
    """A template that a workload has, or had.

    Attributes:
        number: the newest has the largest; one that comes back gets a new number.
        cause: why it was made, as an annotation tells; empty when none does.
        template: the pod template.
        created: when it was first made, as Kubernetes writes it.
        current: whether the workload has this template now.
        annotations: those of its ReplicaSet, which go back to the deployment with it.
    """

    number: int
    cause: str
    template: JsonObject
    created: str = ""
    current: bool = False
    annotations: JsonObject | None = None

    @property
    def images(self) -> tuple[str, ...]:
        """What its containers run."""
        return tuple(str(one.get("image", "")) for one in self.template.get("spec", {}).get("containers") or ())

    def described(self, now: float) -> str:
        """It in one line, its number first: `3  web:2.1  5m ago  current  more memory`."""
        made = epoch(self.created)
        age = f"{human_duration(now - made)} ago" if made is not None else ""
        current = "current" if self.current else ""
        short = ", ".join(image.rpartition("/")[2] for image in self.images)
        return "  ".join(part for part in (str(self.number), short, age, current, self.cause) if part)


# -- which there are -------------------------------------------------------------------------------


async def read_revisions(cluster: Cluster, target: Target) -> list[Revision]:
    """The revisions of a workload, the newest last.

    Raises:
        KtuiError: they cannot be read.
    """
    item = target.live
    deployment = target.kind.kind == "Deployment"
    gvr, found = (GVR_REPLICASETS, of_deployment) if deployment else (GVR_REVISIONS, of_set)
    return found(item, await cluster.objects(gvr, target.key.namespace, labels=selector_text(selector(item))))


def of_deployment(deployment: JsonObject, sets: Sequence[JsonObject]) -> list[Revision]:
    """The revisions of a deployment, the newest last.

    Args:
        deployment: the deployment.
        sets: replica sets; those of others are left out.
    """
    now = without_hash(deployment["spec"]["template"])
    found = []
    for one in sets:
        annotations = one["metadata"].get("annotations") or {}
        number = annotations.get(REVISION, "")
        if not number.isdecimal() or not controlled_by(one, deployment["metadata"].get("uid", "")):
            continue
        template = without_hash(one["spec"]["template"])
        cause, created = annotations.get(CHANGE_CAUSE, ""), one["metadata"].get("creationTimestamp", "")
        found.append(Revision(int(number), cause, template, created, template == now, annotations))
    return sorted(found, key=lambda revision: revision.number)


def of_set(item: JsonObject, revisions: Sequence[JsonObject]) -> list[Revision]:
    """The revisions of a StatefulSet or a DaemonSet, the newest last.

    Args:
        item: the StatefulSet or DaemonSet.
        revisions: ControllerRevisions; those of others are left out.
    """
    now = without_hash(item["spec"]["template"])
    found = []
    for one in revisions:
        if not controlled_by(one, item["metadata"].get("uid", "")):
            continue
        patch = ((one.get("data") or {}).get("spec") or {}).get("template") or {}
        template = without_hash({name: value for name, value in patch.items() if name != "$patch"})
        meta = one["metadata"]
        cause = (meta.get("annotations") or {}).get(CHANGE_CAUSE, "")
        created = meta.get("creationTimestamp", "")
        found.append(Revision(int(one.get("revision", 0)), cause, template, created, template == now))
    return sorted(found, key=lambda revision: revision.number)


# -- how they differ -------------------------------------------------------------------------------


def differences(before: Revision, after: Revision) -> list[Line]:
    """The fields in which two revisions differ."""
    one, other = ({"spec": {"template": revision.template}} for revision in (before, after))
    return lines(difference(one, other), secret=False)


# -- the action ------------------------------------------------------------------------------------


async def _form(cluster: Cluster, targets: Sequence[Target]) -> Form:
    found = await read_revisions(cluster, targets[0])
    lines = tuple(one.described(cluster.now) for one in reversed(found))
    if len(found) < 2:
        return Form(facts=lines or ("No revisions are kept.",))
    choices = tuple(str(one.number) for one in reversed(found))
    return Form(
        (
            ChoiceField(name="from", label="From", choices=choices, choice=choices[1], help="the one to compare"),
            ChoiceField(name="to", label="To", choices=choices, choice=choices[0], help="with which"),
        ),
        lines,
    )


async def _weigh(cluster: Cluster, targets: Sequence[Target], values: Values) -> Sequence[Said]:
    """How the two that were chosen differ."""
    if "from" not in values:
        return ()
    found = {one.number: one for one in await read_revisions(cluster, targets[0])}
    before, after = (found.get(int(values[name])) for name in ("from", "to"))
    if before is None or after is None:
        return (Said("One of the two is not kept any more.", Tone.WARNING),)
    told = differences(before, after)
    if not told:
        return (Said(f"Revisions {before.number} and {after.number} have the same template."),)
    return [Said(f"{line.path}: {line.before or NONE} → {line.after or NONE}") for line in told]


def _plan(target: Target, values: Values) -> Sequence[Step]:
    return ()


ROLLOUT_HISTORY = Action(
    id="rollout-history",
    key="h",
    title="History",
    help="The revisions of the template, and how any two differ.",
    offers=has_rollouts,
    form=_form,
    plan=_plan,
    weigh=_weigh,
    many=False,
    done="Shown",
)
