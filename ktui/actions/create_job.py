"""Create a job, as `kubectl create job --image` does."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from ktui.actions.action import Access, Action, Cluster, Doing, JsonObject, Refusal, Said, Step, Target
from ktui.actions.create_deployment import untagged
from ktui.actions.creation import (
    command_field,
    creation,
    follow_made,
    meta,
    name_field,
    namespace_field,
    text_of,
    whole_name,
    words_of,
)
from ktui.actions.form import Form, TextField, Values
from ktui.actions.names import dns_label
from ktui.kinds.generic import generic_kind
from ktui.kinds.names import GVR
from ktui.kinds.tone import Tone

JOBS = generic_kind(GVR("batch", "v1", "jobs"), "Job", True)


async def _form(cluster: Cluster, targets: Sequence[Target]) -> Form:
    return Form(
        (
            # The name is the container's, too.
            name_field(dns_label, placeholder="pi"),
            TextField(name="image", label="Image", help="The image to run.", placeholder="busybox:1.37", required=True),
            command_field("Instead of the image's own; empty for that."),
            namespace_field(cluster, targets),
        )
    )


def _plan(target: Target, values: Values) -> Sequence[Step]:
    name, image, command = whole_name(values), text_of(values, "image"), words_of(text_of(values, "command"))
    if not image:
        raise Refusal("either --image or --from must be specified")
    container = {"name": name, "image": image, **({"command": command} if command else {})}
    body = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": meta(values),
        "spec": {"template": {"spec": {"containers": [container], "restartPolicy": "Never"}}},
    }
    return (creation(JOBS, body, "create", "job", name, f"--image={image}", *(["--", *command] if command else [])),)


async def _weigh(cluster: Cluster, targets: Sequence[Target], values: Values) -> Sequence[Said]:
    return untagged([image] if (image := text_of(values, "image")) else [])


def _follow(doing: Doing) -> AsyncGenerator[Said, None]:
    return follow_made(doing, JOBS.gvr, "job {}", job_words)


def job_words(item: JsonObject) -> Said:
    """How far a job is; WORKING until it is complete or has failed.

    Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/#terminal-job-conditions
    """
    name, spec, status = item["metadata"]["name"], item["spec"], item.get("status") or {}
    for condition in status.get("conditions") or ():
        if condition["status"] != "True":
            continue
        if condition["type"] == "Complete":
            return Said(f"job {name} is complete", Tone.GOOD)
        if condition["type"] == "Failed":
            why = ": ".join(filter(None, (condition.get("reason"), condition.get("message"))))
            return Said(f"job {name} failed: {why}", Tone.FAILED)
    if spec.get("suspend"):
        return Said(f"job {name} is suspended", Tone.FINISHED)
    done = f"{status.get('succeeded', 0)} of {spec.get('completions', 1)} pods complete"
    more = [
        f"{status[field]} {word}" for field, word in (("active", "running"), ("failed", "failed")) if status.get(field)
    ]
    return Said(", ".join([done, *more]), Tone.WORKING)


CREATE_JOB = Action(
    id="create-job",
    key="j",
    title="Create job",
    help="Make a job that runs an image until it is done.",
    plan=_plan,
    offers=lambda kind: kind.gvr == JOBS.gvr,
    access=(Access("create", gvr=JOBS.gvr),),
    form=_form,
    weigh=_weigh,
    follow=_follow,
    many=False,
    creates=True,
    done="Created",
)
