"""Restart: all pods of a workload are replaced, by its own strategy.

Source: https://kubernetes.io/docs/reference/kubectl/generated/kubectl_rollout/kubectl_rollout_restart/; what changes
is an annotation of the template, as `kubectl rollout restart -v=9` sends it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from ktui.actions.action import (
    STRATEGIC_PATCH,
    Access,
    Action,
    Cluster,
    Refusal,
    Said,
    Step,
    Target,
    Undone,
    Write,
)
from ktui.actions.form import Carried, Form, Values
from ktui.actions.kubectl import kubectl
from ktui.actions.rollouts import follow_rollout, has_rollouts, named, paused, replacements

RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"


async def _form(cluster: Cluster, targets: Sequence[Target]) -> Form:
    """Nothing to ask; it carries the time to the plan, which must know none."""
    now = datetime.fromtimestamp(int(cluster.now), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Form((Carried(name="at", value=now),))


def _plan(target: Target, values: Values) -> Sequence[Step]:
    if paused(target):
        raise Refusal(f"{named(target)} can't restart paused deployment (run rollout resume first)", "Resume it first.")
    before = (target.live["spec"]["template"].get("metadata") or {}).get("annotations") or {}
    if before.get(RESTARTED_AT) == values["at"]:
        raise Refusal(
            f"failed to create patch for {target.key.name}: if restart has already been triggered within the past "
            "second, please wait before attempting to trigger another"
        )
    patch = {"spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: values["at"]}}}}}
    step = Step(
        target=target,
        write=Write("PATCH", target.kind.gvr.path(*target.key), patch, STRATEGIC_PATCH),
        kubectl=kubectl(["rollout", "restart"], target.kind, target.key),
        # The annotation of before would bring no pod back: it would replace all of them once more.
        undone=Undone.NEVER,
    )
    return (step,)


async def _weigh(cluster: Cluster, targets: Sequence[Target], values: Values) -> Sequence[Said]:
    return await replacements(cluster, targets, targets)


RESTART = Action(
    id="restart",
    key="r",
    title="Restart",
    help="Replace all pods, by the workload's own strategy.",
    offers=has_rollouts,
    access=(Access("patch"),),
    form=_form,
    plan=_plan,
    weigh=_weigh,
    follow=follow_rollout,
    ready=lambda target: "paused" if paused(target) else "",
    direct=True,
    footer=False,
    done="Restarted",
)
