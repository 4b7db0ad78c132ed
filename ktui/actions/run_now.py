"""Run now: a job from a cron job's template, without waiting for its schedule.

What `kubectl create job NAME --from=cronjob/X` makes. Source: k8s.io/kubectl/pkg/cmd/create/create_job.go.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from ktui.actions.action import Access, Action, Cluster, Doing, JsonObject, Said, Step, Target, Undone, Write
from ktui.actions.create_job import JOBS
from ktui.actions.form import Form, TextField, Values
from ktui.actions.kubectl import in_namespace
from ktui.actions.names import RANDOM_LETTERS, dns_subdomain
from ktui.actions.suspend import finished, suspended
from ktui.kinds.kind import Trait
from ktui.kinds.names import ObjectKey
from ktui.kinds.tone import Tone

NAME = "name"

LONGEST_NAME = 63
"""Characters of a job's name: its pods carry it as a label."""


def job_of(cron_job: JsonObject, name: str) -> JsonObject:
    """The job that a cron job makes when it is run by hand.

    `blockOwnerDeletion` stays away, as in kubectl: to set it takes a right to the cron job's finalizers.

    Args:
        cron_job: the whole object.
        name: of the job.
    """
    template, meta = cron_job["spec"]["jobTemplate"], cron_job["metadata"]
    about = template.get("metadata") or {}
    owner = {"apiVersion": "batch/v1", "kind": "CronJob", "name": meta["name"], "uid": meta["uid"], "controller": True}
    made: JsonObject = {
        "name": name,
        "namespace": meta["namespace"],
        "annotations": {"cronjob.kubernetes.io/instantiate": "manual", **(about.get("annotations") or {})},
        "ownerReferences": [owner],
    }
    if about.get("labels"):
        made["labels"] = about["labels"]
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": made, "spec": template["spec"]}


def wrong_job_name(name: str) -> str:
    """What is wrong with a job's name; empty when nothing is."""
    if len(name) > LONGEST_NAME:
        return f"must be no more than {LONGEST_NAME} characters"
    return dns_subdomain(name)


async def _form(cluster: Cluster, targets: Sequence[Target]) -> Form:
    ending = f"-manual-{''.join(secrets.choice(RANDOM_LETTERS) for _ in range(5))}"
    begins = targets[0].key.name[: LONGEST_NAME - len(ending)].rstrip("-.")
    name = TextField(
        name=NAME, label="Name", help="of the new job", text=begins + ending, check=wrong_job_name, required=True
    )
    return Form((name,))


def _plan(target: Target, values: Values) -> Sequence[Step]:
    name = values[NAME].strip()
    key = ObjectKey(target.key.namespace, name)
    body = job_of(target.live, name)
    line = ("kubectl", *in_namespace(key), "create", "job", name, f"--from=cronjob/{target.key.name}")
    write = Write("POST", JOBS.gvr.path(key.namespace), body)
    return (Step(Target(JOBS, key), write, line, shown=body, undone=Undone.DELETE),)


async def _weigh(cluster: Cluster, targets: Sequence[Target], values: Values) -> Sequence[Said]:
    if targets[0].item is None:
        return ()
    spec, status = targets[0].item["spec"], targets[0].item.get("status") or {}
    said = []
    if suspended(targets[0].item):
        said.append(Said("The cron job is suspended; this job runs all the same."))
    if suspended(spec["jobTemplate"]):
        said.append(Said("The template is suspended: the job waits until it is resumed.", Tone.WARNING))
    if active := [job.get("name", "") for job in status.get("active") or ()]:
        runs = f"Runs already: {', '.join(active)}. Its concurrency policy does not stop a job made by hand."
        said.append(Said(runs, Tone.WARNING))
    kept = spec.get("successfulJobsHistoryLimit", 3), spec.get("failedJobsHistoryLimit", 1)
    said.append(Said(f"The job counts among the last {kept[0]} done and {kept[1]} failed that are kept."))
    return said


async def _follow(doing: Doing) -> AsyncGenerator[Said, None]:
    meta = doing.results[0]["metadata"]
    before = None
    async with aclosing(doing.cluster.watch(JOBS.gvr, ObjectKey(meta["namespace"], meta["name"]))) as looks:
        async for job in looks:
            if job is None or job["metadata"]["uid"] != meta["uid"]:
                yield Said("The job is gone.", Tone.UNKNOWN)
                return
            said = progress(job)
            if said != before:
                yield said
            before = said
            if finished(job):
                return


def progress(job: JsonObject) -> Said:
    """How far a job is, in a sentence."""
    spec, status = job.get("spec") or {}, job.get("status") or {}
    wanted = spec.get("completions")
    done, failed = status.get("succeeded") or 0, status.get("failed") or 0
    share = f"{done:,}/{wanted:,}" if wanted is not None else f"{done:,}"
    more = f", {failed:,} failed" if failed else ""
    match finished(job):
        case "Complete":
            return Said(f"Complete: {share} pods succeeded{more}.", Tone.GOOD)
        case "Failed":
            reasons = (c for c in status["conditions"] if c.get("type") == "Failed" and c.get("status") == "True")
            why = next((c.get("message") or c.get("reason") or "" for c in reasons), "")
            return Said(f"Failed: {share} pods succeeded{more}. {why}".rstrip(), Tone.FAILED)
    if suspended(job):
        return Said("Suspended: it makes no pods until it is resumed.", Tone.WARNING)
    return Said(f"{status.get('active') or 0:,} running, {share} succeeded{more}.", Tone.WORKING)


RUN_NOW = Action(
    id="run-now",
    key="j",
    title="Run now",
    help="Make a job from the cron job's template at once.",
    plan=_plan,
    offers=lambda kind: Trait.RUNNABLE in kind.traits,
    access=(Access("create", gvr=JOBS.gvr),),
    form=_form,
    weigh=_weigh,
    follow=_follow,
    many=False,
    done="Started",
)
