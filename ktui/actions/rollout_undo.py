"""Rollout undo: the template of an earlier revision comes back.

Source: https://kubernetes.io/docs/reference/kubectl/generated/kubectl_rollout/kubectl_rollout_undo/; the patches and
the refusals are kubectl's (polymorphichelpers/rollback.go).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ktui.actions.action import (
    JSON_PATCH,
    STRATEGIC_PATCH,
    Access,
    Action,
    Cluster,
    JsonObject,
    Refusal,
    Said,
    Step,
    Target,
    Undone,
    Write,
)
from ktui.actions.form import Carried, ChoiceField, Form, Values
from ktui.actions.kubectl import kubectl
from ktui.actions.rollout_history import Revision, read_revisions
from ktui.actions.rollouts import follow_template, has_rollouts, paused, replacements, without_hash
from ktui.kinds.replicasets import REVISION

KEPT = (
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    "deployment.kubernetes.io/revision-history",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deprecated.deployment.rollback.to",
)
"""Annotations that a deployment keeps as they are; all others come from the revision."""


async def _form(cluster: Cluster, targets: Sequence[Target]) -> Form:
    """Which revision; what was read of them goes to the plan, which reads nothing."""
    (target,) = targets
    found = await read_revisions(cluster, target)
    if len(found) < 2:
        raise Refusal(_no_history(target), "There is only one template to choose from.")
    words = [one.described(cluster.now) for one in reversed(found)]
    kept = {str(one.number): _kept(one) for one in found}
    return Form(
        (
            ChoiceField(name="revision", label="Revision", choices=tuple(words), choice=words[1]),
            Carried(name="revisions", value=kept),
        ),
        ("Its template comes back; replicas, strategy and labels stay as they are.",),
    )


def _no_history(target: Target) -> str:
    if target.kind.kind == "Deployment":
        return f'no rollout history found for deployment "{target.key.name}"'
    return "no last revision to roll back to"


def _kept(revision: Revision) -> JsonObject:
    return {"template": revision.template, "annotations": revision.annotations or {}}


def _plan(target: Target, values: Values) -> Sequence[Step]:
    number = str(values["revision"]).split()[0]
    revision = values["revisions"].get(number)
    if revision is None:
        raise Refusal(f"unable to find specified revision {number} in history")
    if paused(target):
        raise Refusal(
            "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again"
        )
    if revision["template"] == without_hash(target.live["spec"]["template"]):
        raise Refusal(f"skipped rollback (current template already matches revision {number})")
    write = _patch_deployment if target.kind.kind == "Deployment" else _patch_set
    step = Step(
        target=target,
        write=write(target, revision),
        kubectl=kubectl(["rollout", "undo"], target.kind, target.key, f"--to-revision={number}"),
        undone=Undone.PATCH,
    )
    return (step,)


def _patch_deployment(target: Target, revision: JsonObject) -> Write:
    own = target.live["metadata"].get("annotations") or {}
    annotations = {name: value for name, value in own.items() if name in KEPT}
    annotations |= {name: value for name, value in revision["annotations"].items() if name not in KEPT}
    patch: list[Any] = [
        {"op": "replace", "path": "/spec/template", "value": revision["template"]},
        {"op": "replace", "path": "/metadata/annotations", "value": annotations},
    ]
    return Write("PATCH", target.kind.gvr.path(*target.key), patch, JSON_PATCH)


def _patch_set(target: Target, revision: JsonObject) -> Write:
    # What a ControllerRevision holds as its data.
    patch = {"spec": {"template": {"$patch": "replace", **revision["template"]}}}
    return Write("PATCH", target.kind.gvr.path(*target.key), patch, STRATEGIC_PATCH)


async def _weigh(cluster: Cluster, targets: Sequence[Target], values: Values) -> Sequence[Said]:
    (target,) = targets
    revision = values["revisions"].get(str(values["revision"]).split()[0])
    if revision is None or revision["template"] == without_hash(target.live["spec"]["template"]):
        return ()
    return await replacements(cluster, targets, targets)


ROLLOUT_UNDO = Action(
    id="rollout-undo",
    key="b",
    title="Rollout undo",
    help="Bring back the template of an earlier revision.",
    offers=has_rollouts,
    access=(Access("patch"),),
    form=_form,
    plan=_plan,
    weigh=_weigh,
    follow=follow_template,
    ready=lambda target: "paused" if paused(target) else "",
    many=False,
    done="Rolled back",
)
