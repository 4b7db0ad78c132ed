"""Pause and resume: whether changes of a template reach the pods.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#pausing-and-resuming-a-deployment
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
from ktui.actions.form import Values
from ktui.actions.kubectl import kubectl
from ktui.actions.rollouts import about, follow_rollout, named, paused, progress, replacement, replicas, status_count
from ktui.kinds.kind import Kind, Trait
from ktui.kinds.tone import Tone


def _pause(target: Target, values: Values) -> Sequence[Step]:
    if paused(target):
        raise Refusal(f"{named(target)} is already paused")
    return (_step(target, "pause", True),)


def _resume(target: Target, values: Values) -> Sequence[Step]:
    if target.live and not paused(target):
        raise Refusal(f"{named(target)} is not paused")
    return (_step(target, "resume", None),)


def _step(target: Target, verb: str, value: Any) -> Step:
    return Step(
        target=target,
        write=Write("PATCH", target.kind.gvr.path(*target.key), {"spec": {"paused": value}}, STRATEGIC_PATCH),
        kubectl=kubectl(["rollout", verb], target.kind, target.key),
        undone=Undone.PATCH,
    )


async def _weigh_pause(cluster: Cluster, targets: Sequence[Target], values: Values) -> Sequence[Said]:
    said = []
    for target in targets:
        if target.item is not None and not paused(target):
            mine = [Said("Changes of its template wait until it is resumed; scaling goes on as before.")]
            if not (now := progress(target.kind.kind, target.item)).done:
                mine.append(Said(f"Its rollout stops where it is: {now.text}", Tone.WARNING))
            said += about(targets, target, mine)
    return said


async def _weigh_resume(cluster: Cluster, targets: Sequence[Target], values: Values) -> Sequence[Said]:
    said = []
    for target in targets:
        if target.item is not None and paused(target):
            waits = status_count(target.item, "updatedReplicas") < replicas(target.item)
            spec = {**target.item["spec"], "paused": False}
            mine = replacement(target.read({**target.item, "spec": spec}))[:1] if waits else [_NOTHING_WAITS]
            said += about(targets, target, mine)
    return said


_NOTHING_WAITS = Said("No change waits: its pods stay.")


def _pausable(kind: Kind) -> bool:
    return Trait.PAUSABLE in kind.traits


PAUSE = Action(
    id="pause",
    key="p",
    title="Pause",
    help="Let changes wait until the rollout is resumed.",
    offers=_pausable,
    access=(Access("patch"),),
    plan=_pause,
    weigh=_weigh_pause,
    ready=lambda target: "already paused" if paused(target) else "",
    done="Paused",
)

RESUME = Action(
    id="resume",
    key="u",
    title="Resume",
    help="Bring the changes that waited to the pods.",
    offers=_pausable,
    access=(Access("patch"),),
    plan=_resume,
    weigh=_weigh_resume,
    follow=follow_rollout,
    ready=lambda target: "not paused" if target.item is not None and not paused(target) else "",
    done="Resumed",
)
