"""Jobs and CronJobs of the embedded cluster."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ktui.demo.controllers.cronschedule import Schedule
from ktui.demo.deletion import request_delete
from ktui.demo.storage import Object
from tests.unit.demo_world import World, condition, pod_template


def job(world: World, behaviour: str = "complete=5", policy: str = "Never", **spec: Any) -> Object:
    template = pod_template("work", "work:1", behaviour)
    template["spec"]["restartPolicy"] = policy
    return world.put("jobs.batch", "Job", "work", spec={"template": template, **spec})


def test_a_job_runs_to_completion() -> None:
    """One pod succeeds; the job is Complete with its times, and says so in an event."""
    world = World()
    job(world)
    world.clock.advance(5)
    assert world.get("jobs.batch", "work")["status"]["active"] == 1
    world.clock.advance(20)
    status = world.get("jobs.batch", "work")["status"]
    assert (status["succeeded"], condition({"status": status}, "Complete")["status"]) == (1, "True")
    assert status["completionTime"] > status["startTime"]
    assert "Job completed" in world.messages("work", "Completed")


def test_completions_and_parallelism() -> None:
    """Five completions two at a time: never more than two pods run, and five succeed."""
    world = World()
    job(world, completions=5, parallelism=2)
    most = 0
    for _ in range(120):
        world.clock.advance(1)
        most = max(most, world.get("jobs.batch", "work")["status"].get("active", 0))
    assert most == 2
    assert world.get("jobs.batch", "work")["status"]["succeeded"] == 5


def test_failures_are_repeated_until_the_limit() -> None:
    """After backoffLimit failures the job has failed; between them it waits longer and longer."""
    world = World()
    job(world, behaviour="crash=2", backoffLimit=2)
    world.clock.advance(180)
    failed = condition(world.get("jobs.batch", "work"), "Failed")
    assert (failed["reason"], failed["message"]) == (
        "BackoffLimitExceeded",
        "Job has reached the specified backoff limit",
    )
    assert len(world.pods("work")) == 3


def test_a_deadline_ends_a_job() -> None:
    """A job that is not done after activeDeadlineSeconds has failed and its pod is stopped."""
    world = World()
    job(world, behaviour="complete=500", activeDeadlineSeconds=30)
    world.clock.advance(60)
    assert condition(world.get("jobs.batch", "work"), "Failed")["reason"] == "DeadlineExceeded"
    assert [pod for pod in world.pods("work") if pod["status"]["phase"] == "Running"] == []


def test_finished_jobs_go_after_their_time_to_live() -> None:
    """With ttlSecondsAfterFinished the job and its pods are deleted."""
    world = World()
    job(world, ttlSecondsAfterFinished=60)
    world.clock.advance(40)
    assert world.exists("jobs.batch", "work")
    world.clock.advance(60)
    assert not world.exists("jobs.batch", "work")
    assert world.pods("work") == []


def test_a_pod_that_is_deleted_has_failed() -> None:
    """It is counted although it is gone, and another one does its work; of those that are done none is forgotten."""
    world = World()
    job(world, behaviour="complete=20", completions=2)
    world.clock.advance(5)
    (pod,) = world.pods("work")
    request_delete(world.storage, "pods", "default", pod["metadata"]["name"])
    world.clock.advance(5)
    assert world.get("jobs.batch", "work")["status"]["failed"] == 1
    assert not world.exists("pods", pod["metadata"]["name"])
    world.clock.advance(30)
    (pod,) = [one for one in world.pods("work") if one["status"]["phase"] == "Succeeded"]
    assert "finalizers" not in pod["metadata"]
    request_delete(world.storage, "pods", "default", pod["metadata"]["name"])
    world.clock.advance(60)
    status = world.get("jobs.batch", "work")["status"]
    assert (status["succeeded"], status["failed"]) == (2, 1)
    assert condition({"status": status}, "Complete")["status"] == "True"


@pytest.mark.parametrize("propagation", ["Background", "Foreground", "Orphan"])
def test_a_job_that_goes_lets_go_of_its_pods(propagation: str) -> None:
    """No finalizer holds what nobody will count."""
    world = World()
    job(world, behaviour="complete=500")
    world.clock.advance(5)
    request_delete(world.storage, "jobs.batch", "default", "work", propagation=propagation)
    world.clock.advance(60)
    assert not world.exists("jobs.batch", "work")
    assert [pod["metadata"].get("finalizers") for pod in world.pods("work")] == [None] * (propagation == "Orphan")


def test_a_suspended_job_stops_and_resumes() -> None:
    """While suspended no pod runs; afterwards the work is done."""
    world = World()
    job(world, behaviour="complete=30")
    world.clock.advance(10)
    world.change("jobs.batch", "work", suspend=True)
    world.clock.advance(10)
    assert world.pods("work") == []
    assert condition(world.get("jobs.batch", "work"), "Suspended")["status"] == "True"
    world.change("jobs.batch", "work", suspend=False)
    world.clock.advance(60)
    assert condition(world.get("jobs.batch", "work"), "Complete")["status"] == "True"


def cronjob(world: World, **spec: Any) -> Object:
    template = pod_template("tick", "tick:1", "complete=5")
    template["spec"]["restartPolicy"] = "Never"
    wanted = {"schedule": "*/5 * * * *", "jobTemplate": {"spec": {"template": template}}, **spec}
    return world.put("cronjobs.batch", "CronJob", "tick", spec=wanted)


def test_a_cronjob_runs_on_schedule_and_keeps_three() -> None:
    """In an hour it ran twelve times; the names carry the minute, and the last three successes are kept."""
    world = World()
    cronjob(world)
    world.clock.advance(3600)
    created = [event for event in world.writes if event.resource == "jobs.batch" and event.type == "ADDED"]
    assert len(created) == 12
    kept = world.storage.list("jobs.batch")
    assert len(kept) == 3
    newest = max(int(found["metadata"]["name"].removeprefix("tick-")) for found in kept)
    assert newest % 5 == 0
    assert newest * 60 <= world.clock.now()
    assert "active" not in world.get("cronjobs.batch", "tick")["status"]


def test_a_suspended_cronjob_starts_nothing() -> None:
    """It goes on only when it is no longer suspended."""
    world = World()
    cronjob(world, suspend=True)
    world.clock.advance(1200)
    assert world.storage.list("jobs.batch") == []
    world.change("cronjobs.batch", "tick", suspend=False)
    world.clock.advance(400)
    assert world.storage.list("jobs.batch") != []


def test_forbidden_concurrency() -> None:
    """With Forbid no job starts while another runs."""
    world = World()
    template = pod_template("tick", "tick:1", "complete=700")
    template["spec"]["restartPolicy"] = "Never"
    cronjob(world, concurrencyPolicy="Forbid", jobTemplate={"spec": {"template": template}})
    for _ in range(60):
        world.clock.advance(30)
        running = [found for found in world.storage.list("jobs.batch") if found["status"].get("active")]
        assert len(running) <= 1
    assert world.messages("tick", "JobAlreadyActive")


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("*/15 * * * *", "2026-01-02T03:15"),
        ("0 2 * * *", "2026-01-03T02:00"),
        ("30 3 2 1 *", "2026-01-02T03:30"),
        ("0 0 * * sun", "2026-01-04T00:00"),
        ("0 0 13 * fri", "2026-01-09T00:00"),
        ("0 0 29 2 *", "2028-02-29T00:00"),
        ("5-10/5,50 3 * * *", "2026-01-02T03:05"),
        ("@monthly", "2026-02-01T00:00"),
    ],
)
def test_schedules(schedule: str, expected: str) -> None:
    """The next time after 2026-01-02 03:04:05 UTC, a Friday."""
    after = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp()
    found = Schedule.parse(schedule).next_after(after)
    assert found is not None
    assert datetime.fromtimestamp(found, UTC).isoformat()[:16] == expected


def test_time_zones() -> None:
    """Two o'clock in Berlin is one o'clock UTC in winter."""
    after = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp()
    found = Schedule.parse("0 2 * * *").next_after(after, "Europe/Berlin")
    assert found is not None
    assert datetime.fromtimestamp(found, UTC).isoformat()[:16] == "2026-01-03T01:00"


@pytest.mark.parametrize("schedule", ["x", "* * * *", "61 * * * *", "5-1 * * * *", ""])
def test_bad_schedules_are_refused(schedule: str) -> None:
    """Whatever is no schedule is a ValueError."""
    with pytest.raises(ValueError, match=r"expected|between|invalid literal"):
        Schedule.parse(schedule)
