"""Deployments: one ReplicaSet per template, exchanged step by step."""

from __future__ import annotations

from ktui.demo.clock import epoch_of, rfc3339
from ktui.demo.controllers import rollout
from ktui.demo.controllers.conditions import condition, is_finished, is_leaving, with_condition
from ktui.demo.controllers.controller import Controller, Key, key_of
from ktui.demo.controllers.index import controller_of
from ktui.demo.controllers.pods import claim, owner_reference
from ktui.demo.controllers.replicaset import FAILURE
from ktui.demo.controllers.revisions import template_hash
from ktui.demo.controllers.rollout import desired, marks_of
from ktui.demo.deletion import request_delete
from ktui.demo.storage import Event, Object

_REPLICASETS = "replicasets.apps"
_NEW_AVAILABLE = "NewReplicaSetAvailable"
_TIMED_OUT = "ProgressDeadlineExceeded"


class Deployments(Controller):
    """Creates, scales and clears away ReplicaSets."""

    watches = ("deployments.apps", _REPLICASETS, "pods")
    component = "deployment-controller"

    def observe(self, event: Event) -> None:
        if event.resource == "deployments.apps":
            super().observe(event)
        elif event.resource == _REPLICASETS:
            self._observe_replicaset(event)
        elif event.type == "DELETED":  # a Recreate rollout waits for the last old pod
            owner = controller_of(event.object)
            replicaset = self.index.find(owner["uid"]) if owner else None
            deployment = controller_of(replicaset) if replicaset else None
            if deployment:
                self.queue.add((event.object["metadata"]["namespace"], deployment["name"]))

    def _observe_replicaset(self, event: Event) -> None:
        namespace = event.object["metadata"]["namespace"]
        owner = controller_of(event.object) or (controller_of(event.previous) if event.previous else None)
        if owner is not None:
            self.queue.add((namespace, owner["name"]))
        elif event.type != "DELETED":  # an orphan: someone may adopt it
            for deployment in self.storage.list("deployments.apps", namespace):
                self.queue.add(key_of(deployment))

    def sync(self, key: Key) -> None:
        deployment = self.storage.get("deployments.apps", *key)
        if deployment is None:
            return
        mine = self.index.owned(_REPLICASETS, deployment["metadata"]["uid"])
        replicasets = claim(self.storage, _REPLICASETS, deployment, mine, deployment["spec"]["selector"])
        replicasets.sort(key=lambda found: (found["metadata"]["creationTimestamp"], rollout.revision(found)))
        if is_leaving(deployment):
            self._write_status(deployment, replicasets, None)
            return
        deployment = self._note_pause(deployment)
        new = next((found for found in replicasets if rollout.same_template(deployment, found)), None)
        old = [found for found in replicasets if found is not new]
        if deployment["spec"].get("paused"):
            self._spread(deployment, new, old)
        elif any(_other_size(deployment, found) for found in replicasets if desired(found) > 0):
            deployment, new = self._keep_new(deployment, new, old, create=False)
            self._spread(deployment, new, old)
        elif rollout.is_rolling(deployment):
            deployment, new = self._keep_new(deployment, new, old, create=True)
            self._roll(deployment, new, old)
        else:
            deployment, new = self._recreate(deployment, new, old)
        present = self.index.owned(_REPLICASETS, deployment["metadata"]["uid"])
        new_name = new["metadata"]["name"] if new else ""
        self._write_status(
            deployment, present, next((rs for rs in present if rs["metadata"]["name"] == new_name), None)
        )

    # -- ReplicaSets ------------------------------------------------------------------------------------------------

    def _keep_new(
        self, deployment: Object, new: Object | None, old: list[Object], *, create: bool
    ) -> tuple[Object, Object | None]:
        """Finds or makes the ReplicaSet of the present template and gives it the newest revision."""
        highest = max((rollout.revision(found) for found in old), default=0)
        if new is None:
            if not create:
                return deployment, None
            return self._create_new(deployment, old, highest + 1)
        marks = marks_of(new) | _passed_on(deployment) | self._size_marks(deployment)
        if rollout.revision(new) <= highest:
            before = marks.get(rollout.REVISION)
            history = marks.get(rollout.REVISION_HISTORY)
            marks[rollout.REVISION_HISTORY] = f"{history},{before}" if history else str(before)
            marks[rollout.REVISION] = str(highest + 1)
        new = self.storage.update(_REPLICASETS, _annotated(new, marks))
        deployment = self.storage.update(
            "deployments.apps",
            _annotated(deployment, marks_of(deployment) | {rollout.REVISION: marks[rollout.REVISION]}),
        )
        if condition(deployment, "Progressing") is None:
            message = f'Found new replica set "{new["metadata"]["name"]}"'
            deployment = self._with_progress(deployment, "True", "FoundNewReplicaSet", message)
        return deployment, new

    def _create_new(self, deployment: Object, old: list[Object], revision: int) -> tuple[Object, Object]:
        template = deployment["spec"]["template"]
        digest = template_hash(template, deployment.get("status", {}).get("collisionCount", 0))
        labels = {**((template.get("metadata") or {}).get("labels") or {}), rollout.HASH_LABEL: digest}
        selector = deployment["spec"]["selector"]
        size = rollout.new_size(deployment, 0, sum(desired(found) for found in old))
        marks = _passed_on(deployment)
        metadata = deployment["metadata"]
        spec: Object = {
            "replicas": size,
            "selector": {
                **selector,
                "matchLabels": {**(selector.get("matchLabels") or {}), rollout.HASH_LABEL: digest},
            },
            "template": {**template, "metadata": {**(template.get("metadata") or {}), "labels": labels}},
        }
        if deployment["spec"].get("minReadySeconds"):
            spec["minReadySeconds"] = deployment["spec"]["minReadySeconds"]
        new = self.storage.create(
            _REPLICASETS,
            {
                "apiVersion": "apps/v1",
                "kind": "ReplicaSet",
                "metadata": {
                    "name": f"{metadata['name']}-{digest}",
                    "namespace": metadata["namespace"],
                    "labels": labels,
                    "annotations": marks | self._size_marks(deployment) | {rollout.REVISION: str(revision)},
                    "ownerReferences": [owner_reference(deployment)],
                },
                "spec": spec,
                "status": {"replicas": 0},
            },
        )
        deployment = _annotated(deployment, marks_of(deployment) | {rollout.REVISION: str(revision)})
        message = f'Created new replica set "{new["metadata"]["name"]}"'
        deployment = self._with_progress(deployment, "True", "NewReplicaSetCreated", message)
        if size:
            self._tell_scaled(deployment, new, 0, size)
        return deployment, new

    def _size_marks(self, deployment: Object) -> dict[str, str]:
        surge, _ = rollout.margins(deployment)
        replicas = desired(deployment)
        return {rollout.DESIRED_REPLICAS: str(replicas), rollout.MAX_REPLICAS: str(replicas + surge)}

    def _scale(self, deployment: Object, replicaset: Object, size: int) -> None:
        before = desired(replicaset)
        changed = _annotated(replicaset, marks_of(replicaset) | self._size_marks(deployment))
        self.storage.update(_REPLICASETS, {**changed, "spec": {**replicaset["spec"], "replicas": size}})
        if size != before:
            self._tell_scaled(deployment, replicaset, before, size)

    def _tell_scaled(self, deployment: Object, replicaset: Object, before: int, size: int) -> None:
        way = "up" if size > before else "down"
        message = f"Scaled {way} replica set {replicaset['metadata']['name']} from {before} to {size}"
        self.announce(deployment, "ScalingReplicaSet", message)

    # -- Strategies -------------------------------------------------------------------------------------------------

    def _roll(self, deployment: Object, new: Object | None, old: list[Object]) -> None:
        """Takes one step: the new ReplicaSet up, or else the old ones down."""
        if new is None:
            return
        total = desired(new) + sum(desired(found) for found in old)
        size = rollout.new_size(deployment, desired(new), total)
        if desired(new) > desired(deployment):
            size = desired(deployment)
        if size != desired(new):
            self._scale(deployment, new, size)
            return
        cuts = rollout.shrunk_sizes(deployment, new, [found for found in old if desired(found) > 0])
        for found in old:
            if found["metadata"]["name"] in cuts:
                self._scale(deployment, found, cuts[found["metadata"]["name"]])
        if not cuts:
            self._clear_away(deployment, new, old)

    def _recreate(self, deployment: Object, new: Object | None, old: list[Object]) -> tuple[Object, Object | None]:
        running = [found for found in old if desired(found) > 0]
        for found in running:
            self._scale(deployment, found, 0)
        left = [pod for found in old for pod in self.index.owned("pods", found["metadata"]["uid"])]
        if running or any(not is_finished(pod) for pod in left):
            return deployment, new
        deployment, new = self._keep_new(deployment, new, old, create=True)
        if new is not None and desired(new) != desired(deployment):
            self._scale(deployment, new, desired(deployment))
        elif new is not None:
            self._clear_away(deployment, new, old)
        return deployment, new

    def _spread(self, deployment: Object, new: Object | None, old: list[Object]) -> None:
        """Applies a change of size without rolling on: to the only ReplicaSet, or to all in proportion."""
        everyone = [*old, *([new] if new else [])]
        active = [found for found in everyone if desired(found) > 0]
        if len(active) <= 1:
            only = active[0] if active else (new or max(old, key=rollout.revision, default=None))
            if only is not None and desired(only) != desired(deployment):
                self._scale(deployment, only, desired(deployment))
            elif only is not None and active and _other_size(deployment, only):
                self._scale(deployment, only, desired(only))
            return
        if new is not None and desired(new) == desired(deployment) == rollout.available(new):
            sizes = dict.fromkeys((found["metadata"]["name"] for found in old if desired(found)), 0)
        elif rollout.is_rolling(deployment):
            sizes = rollout.proportional_sizes(deployment, active)
        else:
            return
        for found in active:
            self._scale(deployment, found, sizes.get(found["metadata"]["name"], desired(found)))

    def _clear_away(self, deployment: Object, new: Object, old: list[Object]) -> None:
        """Deletes old ReplicaSets beyond revisionHistoryLimit once the rollout is complete."""
        if rollout.available(new) < desired(deployment):
            return
        idle = [found for found in old if desired(found) == 0 and not found["status"].get("replicas")]
        surplus = len(old) - deployment["spec"].get("revisionHistoryLimit", 10)
        for found in sorted(idle, key=rollout.revision)[: max(0, surplus)]:
            if not is_leaving(found):
                request_delete(self.storage, _REPLICASETS, *key_of(found))

    # -- Status -----------------------------------------------------------------------------------------------------

    def _with_progress(self, deployment: Object, status: str, reason: str, message: str) -> Object:
        """Stores the Progressing condition with a new lastUpdateTime."""
        present = (deployment.get("status") or {}).get("conditions") or []
        conditions = _updated(present, "Progressing", status, reason, message, self.clock.now())
        status_now = {**(deployment.get("status") or {}), "conditions": conditions}
        return self.storage.update("deployments.apps", {**deployment, "status": status_now})

    def _note_pause(self, deployment: Object) -> Object:
        progressing = condition(deployment, "Progressing")
        reason = progressing["reason"] if progressing else ""
        paused = bool(deployment["spec"].get("paused"))
        if reason == _TIMED_OUT or deployment["spec"].get("progressDeadlineSeconds") is None:
            return deployment
        if paused and reason != "DeploymentPaused":
            return self._with_progress(deployment, "Unknown", "DeploymentPaused", "Deployment is paused")
        if not paused and reason == "DeploymentPaused":
            return self._with_progress(deployment, "Unknown", "DeploymentResumed", "Deployment is resumed")
        return deployment

    def _write_status(self, deployment: Object, replicasets: list[Object], new: Object | None) -> None:
        old_status = deployment.get("status") or {}
        replicas = desired(deployment)
        total = _sum(replicasets, "replicas")
        ready, available = _sum(replicasets, "readyReplicas"), _sum(replicasets, "availableReplicas")
        counts = {
            "observedGeneration": deployment["metadata"]["generation"],
            "replicas": total,
            "updatedReplicas": _sum([new], "replicas") if new else 0,
            "readyReplicas": ready,
            "availableReplicas": available,
            "unavailableReplicas": max(0, sum(desired(found) for found in replicasets) - available),
        }
        status: Object = {field: count for field, count in counts.items() if count}
        status["terminatingReplicas"] = _sum(replicasets, "terminatingReplicas")
        if "collisionCount" in old_status:
            status["collisionCount"] = old_status["collisionCount"]
        conditions = old_status.get("conditions") or []
        enough = available >= replicas - rollout.margins(deployment)[1]
        reason = "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable"
        message = f"Deployment {'has' if enough else 'does not have'} minimum availability."
        conditions = _updated(
            conditions, "Available", "True" if enough else "False", reason, message, self.clock.now(), keep=True
        )
        if not deployment["spec"].get("paused") and not is_leaving(deployment):
            conditions = self._progress(deployment, counts, conditions, new)
        status["conditions"] = _with_failure(conditions, replicasets if new is None else [new, *replicasets])
        self.storage.update("deployments.apps", {**deployment, "status": status})

    def _progress(
        self, deployment: Object, counts: dict[str, int], conditions: list[Object], new: Object | None
    ) -> list[Object]:
        """Judges the rollout: complete, going on, or out of time."""
        limit = deployment["spec"].get("progressDeadlineSeconds")
        present = condition({"status": {"conditions": conditions}}, "Progressing")
        if limit is None or new is None:
            return conditions
        if counts["replicas"] == counts["updatedReplicas"] and present and present["reason"] == _NEW_AVAILABLE:
            return conditions
        now = self.clock.now()
        quoted = f'ReplicaSet "{new["metadata"]["name"]}"'
        replicas = desired(deployment)
        if counts["updatedReplicas"] == counts["replicas"] == counts["availableReplicas"] == replicas:
            return _updated(
                conditions, "Progressing", "True", _NEW_AVAILABLE, f"{quoted} has successfully progressed.", now
            )
        if _moved(deployment.get("status") or {}, counts):
            return _updated(conditions, "Progressing", "True", "ReplicaSetUpdated", f"{quoted} is progressing.", now)
        if present is None or present["reason"] == _TIMED_OUT:
            return conditions
        deadline = epoch_of(present["lastUpdateTime"]) + limit
        if now >= deadline and present["reason"] != _NEW_AVAILABLE:
            message = f"{quoted} has timed out progressing."
            return _updated(conditions, "Progressing", "False", _TIMED_OUT, message, now)
        if now < deadline:
            self.queue.add_at(key_of(deployment), deadline + 1)
        return conditions


def _with_failure(conditions: list[Object], replicasets: list[Object]) -> list[Object]:
    """Tells, as long as it holds, that a ReplicaSet cannot create its pods; the newest is asked first."""
    others = [found for found in conditions if found["type"] != FAILURE]
    failure = next((found for replicaset in replicasets if (found := condition(replicaset, FAILURE))), None)
    if failure is None:
        return others
    kept = condition({"status": {"conditions": conditions}}, FAILURE)
    return conditions if kept else [*others, {**failure, "lastUpdateTime": failure["lastTransitionTime"]}]


def _annotated(obj: Object, marks: dict[str, str]) -> Object:
    return {**obj, "metadata": {**obj["metadata"], "annotations": marks}}


def _passed_on(deployment: Object) -> dict[str, str]:
    """Returns the annotations that a Deployment's ReplicaSets have, too."""
    return {key: value for key, value in marks_of(deployment).items() if not _own_mark(key)}


def _own_mark(key: str) -> bool:
    return key.startswith("deployment.kubernetes.io/") or key == "kubectl.kubernetes.io/last-applied-configuration"


def _other_size(deployment: Object, replicaset: Object) -> bool:
    """Says whether the Deployment's size changed since this ReplicaSet was last scaled."""
    mark = marks_of(replicaset).get(rollout.DESIRED_REPLICAS)
    return mark is not None and int(mark) != desired(deployment)


def _sum(replicasets: list[Object], field: str) -> int:
    return sum(found.get("status", {}).get(field, 0) for found in replicasets)


def _moved(before: Object, counts: dict[str, int]) -> bool:
    """Says whether a rollout got on: more new pods, fewer old ones, more that are ready or available."""
    old_before = before.get("replicas", 0) - before.get("updatedReplicas", 0)
    return bool(
        counts["updatedReplicas"] > before.get("updatedReplicas", 0)
        or counts["replicas"] - counts["updatedReplicas"] < old_before
        or counts["readyReplicas"] > before.get("readyReplicas", 0)
        or counts["availableReplicas"] > before.get("availableReplicas", 0)
    )


def _updated(
    conditions: list[Object], kind: str, status: str, reason: str, message: str, now: float, *, keep: bool = False
) -> list[Object]:
    """Sets a condition that also says when it was last updated; with `keep`, not when nothing but that would change."""
    present = condition({"status": {"conditions": conditions}}, kind)
    if keep and present and (present["status"], present["reason"]) == (status, reason):
        return conditions
    result = with_condition(conditions, kind, status, now, reason=reason, message=message)
    # What was updated last stands last.
    return [
        *(found for found in result if found["type"] != kind),
        *({**found, "lastUpdateTime": rfc3339(now)} for found in result if found["type"] == kind),
    ]
