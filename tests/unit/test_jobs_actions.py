"""Run now, suspend and resume, without a cluster."""

from __future__ import annotations

from typing import Any, cast

import pytest

from ktui.actions.action import Asks, Cluster, JsonObject, Refusal, Target, Undone
from ktui.actions.create_job import JOBS
from ktui.actions.run_now import LONGEST_NAME, RUN_NOW, job_of, progress, wrong_job_name
from ktui.actions.suspend import RESUME, SUSPEND
from ktui.kinds.deployments import DEPLOYMENTS
from ktui.kinds.generic import generic_kind
from ktui.kinds.names import GVR, ObjectKey
from ktui.kinds.tone import Tone

CRON_JOBS = generic_kind(GVR("batch", "v1", "cronjobs"), "CronJob", True)
NOWHERE = cast(Cluster, None)


def cron_job(name: str = "nightly", **template: Any) -> Target:
    item = {
        "metadata": {"name": name, "namespace": "shop", "uid": "u"},
        "spec": {"schedule": "@daily", "jobTemplate": {"spec": {"template": {}}, **template}},
    }
    return Target(CRON_JOBS, ObjectKey("shop", name), "u", item)


def job(**status: Any) -> Target:
    return Target(JOBS, ObjectKey("shop", "work"), "u", {"metadata": {"name": "work"}, "spec": {}, "status": status})


def ended(kind: str, message: str = "") -> JsonObject:
    return {"conditions": [{"type": kind, "status": "True", "message": message}]}


def test_the_job_is_made_as_kubectl_makes_it_and_can_be_undone() -> None:
    (step,) = RUN_NOW.plan(cron_job(), {"name": "now"})
    assert step.write.path == "/apis/batch/v1/namespaces/shop/jobs"
    assert step.kubectl == ("kubectl", "-n", "shop", "create", "job", "now", "--from=cronjob/nightly")
    assert step.undone is Undone.DELETE
    assert step.target.item is None
    (owner,) = step.write.body["metadata"]["ownerReferences"]
    assert "blockOwnerDeletion" not in owner


def test_the_template_may_say_that_it_was_not_made_by_hand() -> None:
    about = {"annotations": {"cronjob.kubernetes.io/instantiate": "other"}, "labels": {"a": "b"}}
    made = job_of(cron_job(metadata=about).live, "now")["metadata"]
    assert made["annotations"] == about["annotations"]
    assert made["labels"] == about["labels"]


@pytest.mark.parametrize("name", ["nightly", "n" * 52, f"{'n' * 49}.{'m' * 13}", f"{'n' * 48}--{'m' * 20}"])
async def test_the_name_that_stands_there_is_valid(name: str) -> None:
    form = await RUN_NOW.form(NOWHERE, [cron_job(name)])
    start = form.start()
    assert len(start["name"]) <= LONGEST_NAME
    assert form.wrong(start) == {}


@pytest.mark.parametrize("name", ["Up", "-a", "a.", "a b", "a" * 64, "a\n"])
def test_no_job_has_such_a_name(name: str) -> None:
    assert wrong_job_name(name)


@pytest.mark.parametrize(
    ("status", "tone"),
    [
        ({"active": 1}, Tone.WORKING),
        (ended("Complete"), Tone.GOOD),
        (ended("Failed", "Job has reached the specified backoff limit"), Tone.FAILED),
    ],
)
def test_how_far_a_job_is(status: JsonObject, tone: Tone) -> None:
    said = progress({"spec": {"completions": 1}, "status": status})
    assert said.tone is tone
    for condition in status.get("conditions", ()):
        assert condition["message"] in said.text


def test_only_a_job_that_loses_pods_is_confirmed() -> None:
    assert SUSPEND.asks([job(active=2)], {}) is Asks.CONFIRM
    assert SUSPEND.asks([job()], {}) is Asks.NOTHING
    running = cron_job()
    running.live["status"] = {"active": [{"name": "one"}]}
    assert SUSPEND.asks([running], {}) is Asks.NOTHING


async def test_who_resumes_a_cron_job_is_told_about_missed_runs() -> None:
    late = cron_job()
    late.live["spec"]["startingDeadlineSeconds"] = 200
    assert "200 s" in (await RESUME.weigh(NOWHERE, [late], {}))[0].text
    assert "one is started at once" in (await RESUME.weigh(NOWHERE, [cron_job()], {}))[0].text


@pytest.mark.parametrize("action", [SUSPEND, RESUME])
def test_a_finished_job_stays_as_it_is(action: Any) -> None:
    assert action.ready(job(**ended("Complete"))) == "already finished"
    with pytest.raises(Refusal, match=r"^job\.batch/work already finished$"):
        action.plan(job(**ended("Failed")), {})


def test_deployments_are_not_suspended() -> None:
    assert not any(action.offers(DEPLOYMENTS) for action in (SUSPEND, RESUME, RUN_NOW))
    assert not RUN_NOW.offers(JOBS)
