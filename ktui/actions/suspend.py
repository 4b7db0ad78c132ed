"""Suspend and resume: jobs that make no pods, and cron jobs that make no jobs, for a while.

Sources: https://kubernetes.io/docs/concepts/workloads/controllers/job/#suspending-a-job and
https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-suspension
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from ktui.actions.action import (
    STRATEGIC_PATCH,
    Access,
    Action,
    Asks,
    Cluster,
    JsonObject,
    Refusal,
    Said,
    Step,
    Target,
    Undone,
    Write,
)
from ktui.actions.form import Values
from ktui.actions.kubectl import kubectl
from ktui.actions.metadata_words import printed_name
from ktui.kinds.kind import Kind, Trait
from ktui.kinds.tone import Tone


def _offers(kind: Kind) -> bool:
    return Trait.SUSPENDABLE in kind.traits


def suspended(item: JsonObject) -> bool:
    """Whether a job or cron job is suspended."""
    return bool((item.get("spec") or {}).get("suspend"))


def finished(item: JsonObject) -> str:
    """`Complete` or `Failed` for a job that has come to its end; empty for others."""
    conditions = (item.get("status") or {}).get("conditions") or ()
    ends = (c["type"] for c in conditions if c.get("status") == "True" and c.get("type") in ("Complete", "Failed"))
    return next(ends, "")


def _why_not(wanted: bool, item: JsonObject) -> str:
    if finished(item):
        return "already finished"
    if suspended(item) == wanted:
        return "already suspended" if wanted else "not suspended"
    return ""


def _plan(wanted: bool, target: Target) -> Sequence[Step]:
    if why := _why_not(wanted, target.live):
        raise Refusal(f"{printed_name(target)} {why}")
    body = {"spec": {"suspend": wanted}}
    write = Write("PATCH", target.kind.gvr.path(*target.key), body, STRATEGIC_PATCH)
    line = kubectl(["patch"], target.kind, target.key, "-p", json.dumps(body, separators=(",", ":")))
    return (Step(target, write, line, undone=Undone.PATCH),)


def _ready(wanted: bool, target: Target) -> str:
    return _why_not(wanted, target.item) if target.item is not None else ""


def _makes_jobs(target: Target) -> bool:
    return Trait.RUNNABLE in target.kind.traits


async def _weigh_suspend(cluster: Cluster, targets: Sequence[Target], values: Values) -> Sequence[Said]:
    return [said for target in targets if target.item is not None for said in _suspending(target, len(targets) > 1)]


def _suspending(target: Target, many: bool) -> Sequence[Said]:
    status = target.live.get("status") or {}
    who = f"{target.key.name}: " if many else ""
    if _makes_jobs(target):
        names = [job.get("name", "") for job in status.get("active") or ()]
        if not names:
            return (Said(f"{who}No job of it runs now."),)
        return (Said(f"{who}Jobs that run now go on: {', '.join(names)}.", Tone.WARNING),)
    active = status.get("active") or 0
    if not active:
        return (Said(f"{who}No pod of it runs now."),)
    pods = "1 pod that runs" if active == 1 else f"{active:,} pods that run"
    return (Said(f"{who}{pods} now will be deleted, and what they were doing is begun anew later.", Tone.WARNING),)


async def _weigh_resume(cluster: Cluster, targets: Sequence[Target], values: Values) -> Sequence[Said]:
    return [said for target in targets if target.item is not None for said in _resuming(target, len(targets) > 1)]


def _resuming(target: Target, many: bool) -> Sequence[Said]:
    spec = target.live.get("spec") or {}
    who = f"{target.key.name}: " if many else ""
    if not _makes_jobs(target):
        if (deadline := spec.get("activeDeadlineSeconds")) is not None:
            return (Said(f"{who}Its deadline of {deadline:,} s counts from now."),)
        return ()
    if (deadline := spec.get("startingDeadlineSeconds")) is not None:
        return (Said(f"{who}A run that was missed in the last {deadline:,} s is made up for at once."),)
    return (Said(f"{who}If a run was missed meanwhile, one is started at once.", Tone.WARNING),)


def _asks(targets: Sequence[Target], values: Values) -> Asks:
    running = any(
        not _makes_jobs(target) and target.item is not None and (target.item.get("status") or {}).get("active")
        for target in targets
    )
    return Asks.CONFIRM if running else Asks.NOTHING


SUSPEND = Action(
    id="suspend",
    key="p",
    title="Suspend",
    help="Let it make no new pods or jobs until it is resumed.",
    plan=lambda target, values: _plan(True, target),
    offers=_offers,
    access=(Access("patch"),),
    weigh=_weigh_suspend,
    asks=_asks,
    ready=lambda target: _ready(True, target),
    done="Suspended",
)

RESUME = Action(
    id="resume-jobs",
    key="u",
    title="Resume",
    help="Let it make pods or jobs again.",
    plan=lambda target, values: _plan(False, target),
    offers=_offers,
    access=(Access("patch"),),
    weigh=_weigh_resume,
    ready=lambda target: _ready(False, target),
    done="Resumed",
)
