"""CronJobs: Jobs on a schedule."""

from __future__ import annotations

from ktui.demo.clock import epoch_of, rfc3339
from ktui.demo.controllers.conditions import is_leaving, is_true
from ktui.demo.controllers.controller import Controller, Key, key_of
from ktui.demo.controllers.cronschedule import Schedule
from ktui.demo.controllers.index import controller_of
from ktui.demo.controllers.pods import owner_reference
from ktui.demo.deletion import request_delete
from ktui.demo.storage import Event, Object

_CRONJOBS, _JOBS = "cronjobs.batch", "jobs.batch"
_SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"


class CronJobs(Controller):
    """Creates a Job when its time has come, and deletes old ones."""

    watches = (_CRONJOBS, _JOBS)
    component = "cronjob-controller"

    def observe(self, event: Event) -> None:
        if event.resource == _CRONJOBS:
            super().observe(event)
            return
        owner = controller_of(event.object)
        if owner is not None and owner["kind"] == "CronJob":
            self.queue.add((event.object["metadata"]["namespace"], owner["name"]))

    def sync(self, key: Key) -> None:
        cronjob = self.storage.get(_CRONJOBS, *key)
        if cronjob is None or is_leaving(cronjob):
            return
        jobs = self.index.owned(_JOBS, cronjob["metadata"]["uid"])
        cronjob = self._note_finished(cronjob, jobs)
        self._delete_old(cronjob, jobs)
        if cronjob["spec"].get("suspend"):
            return
        schedule, zone = Schedule.parse(cronjob["spec"]["schedule"]), cronjob["spec"].get("timeZone")
        last = (cronjob.get("status") or {}).get("lastScheduleTime") or cronjob["metadata"]["creationTimestamp"]
        due = schedule.next_after(epoch_of(last), zone)
        now = self.clock.now()
        while due is not None and due <= now:  # missed runs are made up for by the latest of them
            following = schedule.next_after(due, zone)
            if following is None or following > now:
                self._run(cronjob, due)
            due = following
        if due is not None:
            self.queue.add_at(key, due)

    def _note_finished(self, cronjob: Object, jobs: list[Object]) -> Object:
        status = cronjob.get("status") or {}
        running = {job["metadata"]["uid"] for job in jobs if not _finished(job)}
        active = [one for one in status.get("active") or () if one["uid"] in running]
        for gone in [one for one in status.get("active") or () if one not in active]:
            job = next((found for found in jobs if found["metadata"]["uid"] == gone["uid"]), None)
            if job is not None:
                how = "Complete" if is_true(job, "Complete") else "Failed"
                message = f"Saw completed job: {gone['name']}, condition: {how}"
                self.announce(cronjob, "SawCompletedJob", message)
        done = [job["status"]["completionTime"] for job in jobs if is_true(job, "Complete")]
        changed = {**status, "active": active} | ({"lastSuccessfulTime": max(done)} if done else {})
        if not active:
            del changed["active"]
        return self.storage.update(_CRONJOBS, {**cronjob, "status": changed})

    def _delete_old(self, cronjob: Object, jobs: list[Object]) -> None:
        limits = (("Complete", "successfulJobsHistoryLimit", 3), ("Failed", "failedJobsHistoryLimit", 1))
        for kind, field, usual in limits:
            finished = [job for job in jobs if is_true(job, kind) and not is_leaving(job)]
            finished.sort(key=lambda job: str(job["metadata"]["creationTimestamp"]))
            for job in finished[: max(0, len(finished) - cronjob["spec"].get(field, usual))]:
                request_delete(self.storage, _JOBS, *key_of(job))
                self.announce(cronjob, "SuccessfulDelete", f"Deleted job {job['metadata']['name']}")

    def _run(self, cronjob: Object, due: float) -> None:
        status = cronjob.get("status") or {}
        active = list(status.get("active") or ())
        policy = cronjob["spec"].get("concurrencyPolicy", "Allow")
        if active and policy == "Forbid":
            message = "Not starting job because prior execution is running and concurrency policy is Forbid"
            self.announce(cronjob, "JobAlreadyActive", message)
            return
        if active and policy == "Replace":
            for one in active:
                request_delete(self.storage, _JOBS, one["namespace"], one["name"])
            active = []
        namespace, name = key_of(cronjob)
        job_name = f"{name}-{int(due // 60)}"
        if self.storage.get(_JOBS, namespace, job_name) is not None:
            return
        job = self.storage.create(_JOBS, _job(cronjob, job_name, due))
        self.announce(cronjob, "SuccessfulCreate", f"Created job {job_name}")
        reference = {"kind": "Job", "namespace": namespace, "name": job_name, "uid": job["metadata"]["uid"]}
        reference |= {"apiVersion": "batch/v1", "resourceVersion": job["metadata"]["resourceVersion"]}
        changed = {**status, "active": [*active, reference], "lastScheduleTime": rfc3339(due)}
        self.storage.update(_CRONJOBS, {**cronjob, "status": changed})


def _finished(job: Object) -> bool:
    return is_true(job, "Complete") or is_true(job, "Failed")


def _job(cronjob: Object, name: str, due: float) -> Object:
    template = cronjob["spec"]["jobTemplate"]
    described = template.get("metadata") or {}
    metadata: Object = {
        "name": name,
        "namespace": cronjob["metadata"]["namespace"],
        "annotations": {**(described.get("annotations") or {}), _SCHEDULED: rfc3339(due)},
        "ownerReferences": [owner_reference(cronjob)],
    }
    if described.get("labels"):
        metadata["labels"] = described["labels"]
    usual = {"parallelism": 1, "completions": 1, "backoffLimit": 6, "completionMode": "NonIndexed", "suspend": False}
    spec = {**usual, "manualSelector": False, "podReplacementPolicy": "TerminatingOrFailed", **template["spec"]}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec, "status": {}}
