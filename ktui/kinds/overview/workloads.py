"""The overview of a deployment, and what other workloads have in common with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from ktui.kinds.deployments import Deployment, failure, health
from ktui.kinds.objects import LabelSelector
from ktui.kinds.overview.containers import container_sections
from ktui.kinds.overview.metadata import about, conditions, labels
from ktui.kinds.overview.pods import scheduling
from ktui.kinds.overview.section import Item, Section, TableRow, ago, at, items_at, lines, scalar, table
from ktui.kinds.overview.volumes import volume_sections
from ktui.kinds.replicasets import REVISION
from ktui.kinds.tone import Tone
from ktui.kinds.workload import selector_text


def deployment_overview(item: Item, now: float, replica_sets: Sequence[Item] = ()) -> list[Section]:
    """The sections of a deployment.

    Args:
        item: the whole Deployment.
        now: epoch seconds.
        replica_sets: the whole ReplicaSets of its namespace; those of others are left out.
    """
    deployment = msgspec.convert(item, Deployment)
    tone, failing, spec = health(deployment), failure(deployment), at(item, "spec")
    status = Section(
        "Deployment",
        lines(
            [
                ("Replicas", _replicas(deployment), tone),
                ("Why", failing and (failing.message or failing.reason), Tone.FAILED),
                ("Rollout", "paused" if deployment.spec.paused else None, Tone.WARNING),
                ("Strategy", _strategy(spec)),
                ("Selector", selector_text(deployment.spec.selector)),
                ("Min ready", _seconds(at(spec, "minReadySeconds"))),
                ("Progress deadline", _seconds(at(spec, "progressDeadlineSeconds"))),
                ("History limit", at(spec, "revisionHistoryLimit")),
                ("Revision", at(item, "metadata", "annotations", REVISION)),
                *about(item, now),
            ]
        ),
        tone=tone,
    )
    return [
        status,
        *conditions(item, now),
        *_revisions(item, replica_sets, now),
        *template_sections(item, now),
        *labels(item),
    ]


def template_sections(item: Item, now: float) -> list[Section]:
    """The sections about the pods that a workload makes: containers, volumes, where they may run."""
    template = at(item, "spec", "template") or at(item, "spec", "jobTemplate", "spec", "template")
    if not items_at(template, "spec", "containers"):
        return []
    return [*container_sections(template, now), *volume_sections(template), *scheduling(template)]


def selector_line(item: Item) -> str | None:
    """The label selector in an object's spec, as kubectl prints it; None when it has none."""
    selector = at(item, "spec", "selector")
    if not isinstance(selector, dict) or not selector.keys() <= {"matchLabels", "matchExpressions"}:
        return None
    try:
        return selector_text(msgspec.convert(selector, LabelSelector)) or "everything"
    except msgspec.ValidationError:
        # A custom resource means something else by these words.
        return None


def _replicas(deployment: Deployment) -> str:
    status = deployment.status
    return (
        f"{deployment.spec.replicas} desired, {status.updated_replicas} updated, {status.replicas} total, "
        f"{status.ready_replicas} ready, {status.available_replicas} available"
    )


def _strategy(spec: Any) -> str:
    strategy = scalar(at(spec, "strategy", "type"))
    rolling = at(spec, "strategy", "rollingUpdate")
    if not rolling:
        return strategy
    return f"{strategy}, at most {rolling.get('maxSurge')} more and {rolling.get('maxUnavailable')} fewer at a time"


def _seconds(value: Any) -> str | None:
    return f"{value}s" if value else None


def _revisions(item: Item, replica_sets: Sequence[Item], now: float) -> list[Section]:
    uid = at(item, "metadata", "uid")
    mine = [
        found
        for found in replica_sets
        if any(owner.get("uid") == uid for owner in items_at(found, "metadata", "ownerReferences"))
    ]
    rows = []
    for found in sorted(mine, key=_revision, reverse=True):
        images = ",".join(
            scalar(container.get("image")) for container in items_at(found, "spec", "template", "spec", "containers")
        )
        desired, ready = at(found, "spec", "replicas") or 0, at(found, "status", "readyReplicas") or 0
        cells = (
            _revision(found),
            at(found, "metadata", "name"),
            f"{ready}/{desired}",
            ago(at(found, "metadata", "creationTimestamp"), now),
            images,
        )
        tone = Tone.FINISHED if not desired else Tone.GOOD if ready == desired else Tone.WORKING
        rows.append(TableRow(tuple(map(scalar, cells)), tone))
    return table("Revisions", ("REVISION", "REPLICASET", "READY", "CREATED", "IMAGES"), rows)


def _revision(replica_set: Item) -> int:
    text = scalar(at(replica_set, "metadata", "annotations", REVISION))
    return int(text) if text.isascii() and text.isdecimal() else 0
