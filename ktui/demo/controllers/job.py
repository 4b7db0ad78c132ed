"""Jobs: pods that run to completion."""

from __future__ import annotations

from math import inf

from ktui.demo.clock import epoch_of, rfc3339
from ktui.demo.controllers.conditions import (
    is_active,
    is_finished,
    is_leaving,
    is_ready,
    is_true,
    phase,
    with_condition,
)
from ktui.demo.controllers.controller import Controller, Key, key_of
from ktui.demo.controllers.garbage import drop_finalizer
from ktui.demo.controllers.index import controller_of
from ktui.demo.controllers.pods import create_pod, pod_from
from ktui.demo.deletion import request_delete
from ktui.demo.errors import StatusError
from ktui.demo.storage import Event, Object

_JOBS = "jobs.batch"
_TRACKING = "batch.kubernetes.io/job-tracking"
_FIRST_BACKOFF, _LONGEST_BACKOFF = 10.0, 600.0


class Jobs(Controller):
    """Creates pods until enough of them have succeeded, or too many failed.

    Every pod has a finalizer that goes once it has been counted, so that none is forgotten that somebody deletes.
    Source: kubernetes.io/docs/concepts/workloads/controllers/job/#job-tracking-with-finalizers.
    """

    watches = (_JOBS, "pods")
    component = "job-controller"

    def observe(self, event: Event) -> None:
        if event.resource == _JOBS:
            super().observe(event)
            return
        for pod in (event.object, event.previous):
            owner = controller_of(pod) if pod else None
            if owner is not None and owner["kind"] == "Job":
                self.queue.add((event.object["metadata"]["namespace"], owner["name"]))

    def sync(self, key: Key) -> None:
        job = self.storage.get(_JOBS, *key)
        self._release_strays(key)
        if job is None:
            return
        pods = self.index.owned("pods", job["metadata"]["uid"])
        ended = [pod for pod in pods if _is_tracked(pod) and _has_ended(pod)]
        if is_leaving(job):
            self._release(ended)
        elif is_true(job, "Complete") or is_true(job, "Failed"):
            self._release(ended)
            self._expire(job)
        else:
            self._work(self._with_selector(job), pods, ended)
            self._release(ended)

    def _work(self, job: Object, pods: list[Object], ended: list[Object]) -> None:
        """Takes the next step of a job that is not done."""
        before = job.get("status") or {}
        active = [pod for pod in pods if is_active(pod)]
        news = [phase(pod) == "Succeeded" for pod in ended]
        succeeded = before.get("succeeded", 0) + news.count(True)
        failed = before.get("failed", 0) + news.count(False)
        if job["spec"].get("suspend"):
            self._suspend(job, active, succeeded, failed)
        elif self._has_failed(job, pods, failed):
            self._fail(job, active, succeeded, failed)
        elif succeeded >= self._wanted(job) and (job["spec"].get("completions") is not None or not active):
            self._write_status(job, active, succeeded, failed, done="Complete")
            self.announce(job, "Completed", "Job completed")
        else:
            active += self._create_missing(job, pods, len(active), succeeded)
            self._write_status(job, active, succeeded, failed)

    def _release(self, pods: list[Object]) -> None:
        """Lets pods go that need no counting, or have been counted."""
        for pod in pods:
            present = self.storage.get("pods", *key_of(pod))
            if present is not None and _is_tracked(present):
                drop_finalizer(self, "pods", present, _TRACKING)

    def _release_strays(self, key: Key) -> None:
        """Lets pods go whose job is gone, or has let go of them."""
        for pod in self.storage.list("pods", key[0]):
            owner = controller_of(pod)
            if _is_tracked(pod) and (owner is None or self.index.find(owner["uid"]) is None):
                self._release([pod])

    def _wanted(self, job: Object) -> int:
        wanted: int = job["spec"].get("completions") or 1
        return wanted

    def _create_missing(self, job: Object, pods: list[Object], active: int, succeeded: int) -> list[Object]:
        parallel = job["spec"].get("parallelism", 1)
        missing = min(parallel, self._wanted(job) - succeeded) - active
        if job["spec"].get("completions") is None and succeeded:
            missing = 0  # a work queue: after one success no new pods
        next_try = self._next_try(pods)
        if missing > 0 and next_try > self.clock.now():
            self.queue.add_at(key_of(job), next_try)
            return []
        return self._create_pods(job, missing)

    def _next_try(self, pods: list[Object]) -> float:
        """Returns when a failed pod may be followed by another: 10 s after the first failure, then 20 s, 40 s..."""
        failures = [pod for pod in pods if phase(pod) == "Failed"]
        if not failures:
            return -inf
        ended = [
            epoch_of(status["state"]["terminated"]["finishedAt"])
            for pod in failures
            for status in pod["status"].get("containerStatuses") or ()
            if "terminated" in status["state"]
        ]
        backoff: float = min(_FIRST_BACKOFF * 2 ** (len(failures) - 1), _LONGEST_BACKOFF)
        return max(ended, default=self.clock.now()) + backoff

    def _create_pods(self, job: Object, count: int) -> list[Object]:
        """Creates pods until one is refused."""
        made: list[Object] = []
        for _ in range(count):
            try:
                made.append(self._create_pod(job))
            except StatusError as refusal:
                self.announce(job, "FailedCreate", f"Error creating: {refusal.message}", warning=True)
                self.queue.retry(key_of(job))
                return made
        self.queue.succeeded(key_of(job))
        return made

    def _create_pod(self, job: Object) -> Object:
        uid, name = job["metadata"]["uid"], job["metadata"]["name"]
        labels = {"controller-uid": uid, "job-name": name}
        labels |= {f"batch.kubernetes.io/{key}": value for key, value in labels.items()}
        pod = pod_from(job["spec"]["template"], job, labels=labels)
        pod["metadata"]["finalizers"] = [_TRACKING]
        pod = create_pod(self.storage, pod)
        self.announce(job, "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}")
        return pod

    def _with_selector(self, job: Object) -> Object:
        """Completes a job as the API server does: a selector and labels of its own uid."""
        if job["spec"].get("selector"):
            return job
        selector = {"matchLabels": {"batch.kubernetes.io/controller-uid": job["metadata"]["uid"]}}
        return self.storage.update(_JOBS, {**job, "spec": {**job["spec"], "selector": selector}})

    def _has_failed(self, job: Object, pods: list[Object], failed: int) -> bool:
        restarts = sum(
            status["restartCount"]
            for pod in pods
            for status in (pod.get("status") or {}).get("containerStatuses") or ()
        )
        limit = job["spec"].get("backoffLimit", 6)
        if failed > limit or (failed == 0 and restarts > limit):
            return True
        return self.clock.now() >= self._deadline(job)

    def _deadline(self, job: Object) -> float:
        seconds, started = job["spec"].get("activeDeadlineSeconds"), (job.get("status") or {}).get("startTime")
        if seconds is None or started is None:
            return inf
        return epoch_of(started) + float(seconds)

    def _fail(self, job: Object, active: list[Object], succeeded: int, failed: int) -> None:
        self._delete(active)
        late = self.clock.now() >= self._deadline(job)
        reason = "DeadlineExceeded" if late else "BackoffLimitExceeded"
        message = (
            f"Job {'was active longer than specified deadline' if late else 'has reached the specified backoff limit'}"
        )
        self._write_status(job, [], succeeded, failed + len(active), done="Failed", reason=reason, message=message)
        self.announce(job, reason, message, warning=True)

    def _delete(self, pods: list[Object]) -> None:
        """Deletes pods without counting them once they have ended."""
        self._release(pods)
        for pod in pods:
            request_delete(self.storage, "pods", *key_of(pod))

    def _suspend(self, job: Object, active: list[Object], succeeded: int, failed: int) -> None:
        self._delete(active)
        if not is_true(job, "Suspended"):
            self.announce(job, "Suspended", "Job suspended")
        self._write_status(job, [], succeeded, failed)

    def _write_status(
        self,
        job: Object,
        active: list[Object],
        succeeded: int,
        failed: int,
        *,
        done: str = "",
        reason: str = "CompletionsReached",
        message: str = "Reached expected number of succeeded pods",
    ) -> None:
        now = self.clock.now()
        before = job.get("status") or {}
        suspended = bool(job["spec"].get("suspend"))
        counts = {"active": len(active), "succeeded": succeeded, "failed": failed}
        status: Object = {key: count for key, count in counts.items() if count}
        status["ready"] = sum(1 for pod in active if is_ready(pod))
        status["terminating"] = 0
        status["uncountedTerminatedPods"] = {}
        if not suspended:
            status["startTime"] = before.get("startTime") or rfc3339(now)
        conditions = before.get("conditions") or []
        if suspended or any(one["type"] == "Suspended" for one in conditions):
            told = ("JobSuspended", "Job suspended") if suspended else ("JobResumed", "Job resumed")
            conditions = with_condition(
                conditions, "Suspended", "True" if suspended else "False", now, reason=told[0], message=told[1]
            )
        if done:
            early = "SuccessCriteriaMet" if done == "Complete" else "FailureTarget"
            for kind in (early, done):
                conditions = with_condition(conditions, kind, "True", now, reason=reason, message=message)
            if done == "Complete":
                status["completionTime"] = rfc3339(now)
        if conditions:
            status["conditions"] = [{**one, "lastProbeTime": one["lastTransitionTime"]} for one in conditions]
        self.storage.update(_JOBS, {**job, "status": status})
        if self._deadline(job) < inf and not done:
            self.queue.add_at(key_of(job), self._deadline(job))

    def _expire(self, job: Object) -> None:
        """Deletes a finished job after ttlSecondsAfterFinished."""
        ttl = job["spec"].get("ttlSecondsAfterFinished")
        if ttl is None:
            return
        finished = max(epoch_of(one["lastTransitionTime"]) for one in job["status"]["conditions"])
        if self.clock.now() >= finished + ttl:
            request_delete(self.storage, _JOBS, *key_of(job))
        else:
            self.queue.add_at(key_of(job), finished + ttl)


def _is_tracked(pod: Object) -> bool:
    return _TRACKING in (pod["metadata"].get("finalizers") or ())


def _has_ended(pod: Object) -> bool:
    """Says whether nothing more is to come of a pod; one that is deleted at once tells no end."""
    return is_finished(pod) or (is_leaving(pod) and not pod["metadata"].get("deletionGracePeriodSeconds"))
