"""Rollout status: how a rollout goes on, until it is done or has taken too long.

Source: https://kubernetes.io/docs/reference/kubectl/generated/kubectl_rollout/kubectl_rollout_status/
"""

from __future__ import annotations

from collections.abc import Sequence

from ktui.actions.action import Action, Cluster, Refusal, Step, Target
from ktui.actions.form import Form, Values
from ktui.actions.rollouts import follow_rollout, has_rollouts, progress, strategy


async def _form(cluster: Cluster, targets: Sequence[Target]) -> Form:
    """Nothing to ask: how it is now."""
    read = [target for target in targets if target.item is not None]
    facts = [(target, progress(target.kind.kind, target.live).text) for target in read]
    return Form(facts=tuple(f"{target.key}: {text}" if len(targets) > 1 else text for target, text in facts))


def _plan(target: Target, values: Values) -> Sequence[Step]:
    if strategy(target.live) == "OnDelete":
        raise Refusal(
            "rollout status is only available for RollingUpdate strategy type",
            "With the strategy OnDelete, each pod takes a change when somebody deletes it.",
        )
    return ()


ROLLOUT_STATUS = Action(
    id="rollout-status",
    key="t",
    title="Rollout status",
    help="Follow a rollout to its end, and see what holds it up.",
    offers=has_rollouts,
    form=_form,
    plan=_plan,
    follow=follow_rollout,
    done="Followed",
)
