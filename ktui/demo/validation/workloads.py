"""Rules for what runs pods: kubernetes `pkg/apis/apps/validation` and `pkg/apis/batch/validation`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ktui.demo.errors import Cause, bad_value, forbidden_field, required, unsupported
from ktui.demo.names import label_causes
from ktui.demo.selectors import matches_labels
from ktui.demo.validation.placement import selector_causes
from ktui.demo.validation.pods import pod_spec_causes
from ktui.demo.validation.volumes import claim_causes

Object = dict[str, Any]

_LONGEST_CRONJOB = 52
_AT_LEAST_0 = "must be greater than or equal to 0"
_JOB_CHOICES = {
    "completionMode": ("NonIndexed", "Indexed"),
    "podReplacementPolicy": ("Failed", "TerminatingOrFailed"),
}
_STATEFULSET_MAY_CHANGE = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
    "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)
_STATEFULSET_CHANGEABLE = (
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
)


def _not_negative(spec: Object, field: str) -> Iterator[Cause]:
    value = spec.get(field)
    if value is not None and value < 0:
        yield bad_value(f"spec.{field}", value, _AT_LEAST_0)


def _selector(spec: Object, kind: str) -> Iterator[Cause]:
    """The selector is there, is not empty, and matches the template's labels."""
    selector = spec.get("selector")
    labels = (spec.get("template") or {}).get("metadata", {}).get("labels")
    if selector is None:
        yield required("spec.selector")
    elif causes := [*selector_causes(selector, "spec.selector")]:
        yield from causes
        yield bad_value("spec.selector", selector, "invalid label selector")
        return
    elif not selector.get("matchLabels") and not selector.get("matchExpressions"):
        yield bad_value("spec.selector", {}, f"empty selector is invalid for {kind}")
        return
    if not matches_labels(selector, labels):
        yield bad_value("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")


def _template(spec: Object, policies: tuple[str, ...] = ("Always",)) -> Iterator[Cause]:
    template = spec["template"]
    yield from label_causes(template["metadata"].get("labels"), "spec.template.labels")
    yield from pod_spec_causes(template["spec"], "spec.template.spec")
    policy = template["spec"].get("restartPolicy")
    if policy not in policies:
        yield unsupported("spec.template.spec.restartPolicy", policy, policies)


def deployment_causes(obj: Object) -> Iterator[Cause]:
    """What is wrong with a Deployment."""
    spec = obj["spec"]
    yield from _not_negative(spec, "replicas")
    yield from _selector(spec, "deployment")
    yield from _template(spec)
    yield from _strategy(spec["strategy"])
    for field in ("minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"):
        yield from _not_negative(spec, field)
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None and 0 <= deadline <= spec.get("minReadySeconds", 0):
        yield bad_value("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")


def _strategy(strategy: Object) -> Iterator[Cause]:
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    if kind == "Recreate":
        if rolling is not None:
            yield forbidden_field(
                "spec.strategy.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'"
            )
        return
    if kind != "RollingUpdate":
        yield unsupported("spec.strategy", {"Type": kind, "RollingUpdate": rolling}, ("Recreate", "RollingUpdate"))
        return
    unavailable, surge = (rolling or {}).get("maxUnavailable"), (rolling or {}).get("maxSurge")
    for field, value in (("maxUnavailable", unavailable), ("maxSurge", surge)):
        yield from amount_causes(value, f"spec.strategy.rollingUpdate.{field}", part=field == "maxUnavailable")
    if _is_zero(unavailable) and _is_zero(surge):
        yield bad_value("spec.strategy.rollingUpdate.maxUnavailable", unavailable, "may not be 0 when `maxSurge` is 0")


def amount_causes(value: object, field: str, *, part: bool) -> Iterator[Cause]:
    """What is wrong with a number or a percentage.

    Args:
        value: a number, or a text such as "25%".
        field: where it stands.
        part: whether it is a part of all, and so 100% at most.
    """
    if isinstance(value, int):
        if value < 0:
            yield bad_value(field, value, _AT_LEAST_0)
    elif not re.fullmatch(r"\d+%", str(value)):
        why = "a valid percent string must be a numeric string followed by an ending '%'"
        example = "(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"
        yield bad_value(field, value, f"{why} {example}")
    elif part and int(str(value).rstrip("%")) > 100:
        yield bad_value(field, value, "must not be greater than 100%")


def _is_zero(value: object) -> bool:
    return str(value).rstrip("%") == "0"


def replicaset_causes(obj: Object) -> Iterator[Cause]:
    """What is wrong with a ReplicaSet."""
    spec = obj["spec"]
    yield from _not_negative(spec, "replicas")
    yield from _not_negative(spec, "minReadySeconds")
    yield from _selector(spec, "replicaset")
    yield from _template(spec)


def replicationcontroller_causes(obj: Object) -> Iterator[Cause]:
    """What is wrong with a ReplicationController."""
    spec = obj["spec"]
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    yield from _not_negative(spec, "minReadySeconds")
    if not spec.get("selector"):
        yield required("spec.selector")
    yield from _not_negative(spec, "replicas")
    if any(labels.get(key) != value for key, value in (spec.get("selector") or {}).items()):
        yield bad_value("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
    yield from _template(spec)


def statefulset_causes(obj: Object) -> Iterator[Cause]:
    """What is wrong with a StatefulSet."""
    spec = obj["spec"]
    if spec["podManagementPolicy"] not in ("OrderedReady", "Parallel"):
        yield bad_value("spec.podManagementPolicy", spec["podManagementPolicy"], "must be 'OrderedReady' or 'Parallel'")
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type") not in ("RollingUpdate", "OnDelete"):
        shown = {"Type": strategy.get("type"), "RollingUpdate": strategy.get("rollingUpdate")}
        yield bad_value("spec.updateStrategy", shown, "must be 'RollingUpdate' or 'OnDelete'")
    yield from _not_negative(spec, "replicas")
    yield from _not_negative(spec, "minReadySeconds")
    first = (spec.get("ordinals") or {}).get("start", 0)
    if first < 0:
        yield bad_value("spec.ordinals.start", first, _AT_LEAST_0)
    for index, claim in enumerate(spec.get("volumeClaimTemplates") or ()):
        yield from claim_causes(claim.get("spec") or {}, f"spec.volumeClaimTemplates[{index}].spec")
    yield from _selector(spec, "statefulset")
    yield from _template(_with_claims(spec))


def _with_claims(spec: Object) -> Object:
    """A StatefulSet's spec whose claim templates are volumes of its pods, which mounts may name."""
    claims = [{"name": claim["metadata"].get("name")} for claim in spec.get("volumeClaimTemplates") or ()]
    pod = spec["template"]["spec"]
    volumes = [*(pod.get("volumes") or ()), *claims]
    return {**spec, "template": {**spec["template"], "spec": {**pod, "volumes": volumes}}}


def daemonset_causes(obj: Object) -> Iterator[Cause]:
    """What is wrong with a DaemonSet."""
    yield from _selector(obj["spec"], "daemonset")
    yield from _template(obj["spec"])


def job_causes(obj: Object) -> Iterator[Cause]:
    """What is wrong with a Job."""
    spec = obj["spec"]
    for field in ("parallelism", "completions", "backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished"):
        yield from _not_negative(spec, field)
    name, template = obj["metadata"].get("name", ""), spec["template"]
    labels = (template.get("metadata") or {}).get("labels") or {}
    if not spec.get("selector"):
        labels = {**labels, "batch.kubernetes.io/job-name": name, "job-name": name}
    yield from label_causes(labels, "spec.template.labels")
    yield from _job_template(spec, "spec.template")
    for field, choices in _JOB_CHOICES.items():
        if spec.get(field) is not None and spec[field] not in choices:
            yield unsupported(f"spec.{field}", spec[field], choices)


def _job_template(spec: Object, field: str) -> Iterator[Cause]:
    yield from pod_spec_causes(spec["template"]["spec"], f"{field}.spec")
    if spec["template"]["spec"].get("restartPolicy") == "Always":
        yield required(f"{field}.spec.restartPolicy", 'valid values: "OnFailure", "Never"')


def cronjob_causes(obj: Object) -> Iterator[Cause]:
    """What is wrong with a CronJob."""
    spec = obj["spec"]
    schedule = spec.get("schedule", "")
    if not schedule:
        yield required("spec.schedule")
    elif "TZ" in schedule:
        why = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        yield bad_value("spec.schedule", schedule, why)
    elif not schedule.startswith("@"):
        fields = schedule.split()
        if len(fields) != 5:
            why = f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]"
            yield bad_value("spec.schedule", schedule, why)
        else:
            yield from _out_of_range(schedule, fields)
    for name in ("startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        yield from _not_negative(spec, name)
    zone = spec.get("timeZone")
    if zone == "":
        yield bad_value("spec.timeZone", zone, "timeZone must be nil or non-empty string")
    elif zone is not None and not _is_zone(zone):
        yield bad_value("spec.timeZone", zone, f"unknown time zone {zone}")
    policies = ("Allow", "Forbid", "Replace")
    if spec["concurrencyPolicy"] not in policies:
        yield unsupported("spec.concurrencyPolicy", spec["concurrencyPolicy"], policies)
    yield from _job_template(spec["jobTemplate"]["spec"], "spec.jobTemplate.spec.template")
    name = obj["metadata"].get("name", "")
    if len(name) > _LONGEST_CRONJOB:  # its jobs' names end in eleven characters more
        yield bad_value("metadata.name", name, f"must be no more than {_LONGEST_CRONJOB} characters")


def _is_zone(name: str) -> bool:
    # Few objects name one: it is imported when one does.
    from zoneinfo import available_timezones

    return name in available_timezones()


def _out_of_range(schedule: str, fields: list[str]) -> Iterator[Cause]:
    """Numbers of a schedule that are above what there is."""
    for text, most in zip(fields, (59, 23, 31, 12, 6), strict=True):
        for number in re.findall(r"(?<![\d/])\d+", text):
            if int(number) > most:
                why = f"end of range ({number}) above maximum ({most}): {text}"
                yield bad_value("spec.schedule", schedule, why)
                return


def selector_update_causes(obj: Object, before: Object) -> Iterator[Cause]:
    """The selector of a workload must stay as it is."""
    if obj["spec"].get("selector") != before["spec"].get("selector"):
        yield bad_value("spec.selector", obj["spec"].get("selector"), "field is immutable")


def statefulset_update_causes(obj: Object, before: Object) -> Iterator[Cause]:
    """Most of a StatefulSet's spec must stay as it is."""

    def fixed(spec: Object) -> Object:
        return {key: value for key, value in spec.items() if key not in _STATEFULSET_CHANGEABLE}

    if fixed(obj["spec"]) != fixed(before["spec"]):
        yield forbidden_field("spec", _STATEFULSET_MAY_CHANGE)


def job_update_causes(obj: Object, before: Object) -> Iterator[Cause]:
    """A Job's completions, selector and template must stay as they are."""
    for field in ("completions", "selector", "template", "completionMode"):
        if obj["spec"].get(field) != before["spec"].get(field):
            yield bad_value(f"spec.{field}", obj["spec"].get(field), "field is immutable")
