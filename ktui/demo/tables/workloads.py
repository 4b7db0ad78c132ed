"""Cells of what runs pods: deployments, jobs and their like."""

from __future__ import annotations

from typing import Any

from ktui.demo.tables import text

Object = dict[str, Any]


def _template(obj: Object) -> Object:
    spec: Object = ((obj["spec"].get("template") or {}).get("spec")) or {}
    return spec


def deployment(obj: Object, now: float) -> list[Any]:
    """NAME READY UP-TO-DATE AVAILABLE AGE | CONTAINERS IMAGES SELECTOR."""
    spec, status = obj["spec"], obj.get("status") or {}
    return [
        obj["metadata"]["name"],
        f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}",
        status.get("updatedReplicas", 0),
        status.get("availableReplicas", 0),
        text.age(obj, now),
        *text.containers_and_images(_template(obj)),
        text.selector(spec.get("selector")),
    ]


def replicaset(obj: Object, now: float) -> list[Any]:
    """NAME DESIRED CURRENT READY AGE | CONTAINERS IMAGES SELECTOR."""
    spec, status = obj["spec"], obj.get("status") or {}
    return [
        obj["metadata"]["name"],
        spec.get("replicas", 0),
        status.get("replicas", 0),
        status.get("readyReplicas", 0),
        text.age(obj, now),
        *text.containers_and_images(_template(obj)),
        text.selector(spec.get("selector")),
    ]


def replicationcontroller(obj: Object, now: float) -> list[Any]:
    """The same cells as a ReplicaSet's, of a selector that has only labels."""
    spec = obj["spec"]
    return replicaset({**obj, "spec": {**spec, "selector": {"matchLabels": spec.get("selector")}}}, now)


def statefulset(obj: Object, now: float) -> list[Any]:
    """NAME READY AGE | CONTAINERS IMAGES."""
    spec, status = obj["spec"], obj.get("status") or {}
    return [
        obj["metadata"]["name"],
        f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}",
        text.age(obj, now),
        *text.containers_and_images(_template(obj)),
    ]


def daemonset(obj: Object, now: float) -> list[Any]:
    """NAME DESIRED CURRENT READY UP-TO-DATE AVAILABLE NODE-SELECTOR AGE | CONTAINERS IMAGES SELECTOR."""
    status = obj.get("status") or {}
    return [
        obj["metadata"]["name"],
        status.get("desiredNumberScheduled", 0),
        status.get("currentNumberScheduled", 0),
        status.get("numberReady", 0),
        status.get("updatedNumberScheduled", 0),
        status.get("numberAvailable", 0),
        text.labels(_template(obj).get("nodeSelector")),
        text.age(obj, now),
        *text.containers_and_images(_template(obj)),
        text.selector(obj["spec"].get("selector")),
    ]


def job(obj: Object, now: float) -> list[Any]:
    """NAME STATUS COMPLETIONS DURATION AGE | CONTAINERS IMAGES SELECTOR."""
    status = obj.get("status") or {}
    return [
        obj["metadata"]["name"],
        _job_status(obj),
        _completions(obj["spec"], status),
        _duration(status, now),
        text.age(obj, now),
        *text.containers_and_images(_template(obj)),
        text.selector(obj["spec"].get("selector")),
    ]


def _job_status(obj: Object) -> str:
    for kind, word in (("Complete", "Complete"), ("Failed", "Failed")):
        if text.holds(obj, kind):
            return word
    if obj["metadata"].get("deletionTimestamp"):
        return "Terminating"
    for kind in ("Suspended", "FailureTarget", "SuccessCriteriaMet"):
        if text.holds(obj, kind):
            return kind
    return "Running"


def _completions(spec: Object, status: Object) -> str:
    succeeded, completions, parallelism = status.get("succeeded", 0), spec.get("completions"), spec.get("parallelism")
    if completions is not None:
        return f"{succeeded}/{completions}"
    if parallelism is not None and parallelism > 1:
        return f"{succeeded}/1 of {parallelism}"
    return f"{succeeded}/1"


def _duration(status: Object, now: float) -> str:
    started, ended = status.get("startTime"), status.get("completionTime")
    if not started:
        return ""
    return text.human_duration((text.epoch(ended) if ended else now) - text.epoch(started))


def cronjob(obj: Object, now: float) -> list[Any]:
    """NAME SCHEDULE TIMEZONE SUSPEND ACTIVE LAST-SCHEDULE AGE | CONTAINERS IMAGES SELECTOR."""
    spec, status = obj["spec"], obj.get("status") or {}
    last = status.get("lastScheduleTime")
    job_spec = spec["jobTemplate"]["spec"]
    return [
        obj["metadata"]["name"],
        spec.get("schedule", ""),
        spec.get("timeZone") or text.NONE,
        text.title_bool(spec.get("suspend")),
        len(status.get("active") or ()),
        text.since(last, now) if last else text.NONE,
        text.age(obj, now),
        *text.containers_and_images((job_spec.get("template") or {}).get("spec") or {}),
        text.selector(job_spec.get("selector")) or text.NONE,
    ]


def controllerrevision(obj: Object, now: float) -> list[Any]:
    """NAME CONTROLLER REVISION AGE."""
    controller = next(
        (owner for owner in obj["metadata"].get("ownerReferences") or () if owner.get("controller")), None
    )
    name = text.NONE
    if controller:
        group = controller["apiVersion"].rpartition("/")[0]
        kind = controller["kind"].lower()
        name = f"{kind}.{group}/{controller['name']}" if group else f"{kind}/{controller['name']}"
    return [obj["metadata"]["name"], name, obj.get("revision", 0), text.age(obj, now)]


def poddisruptionbudget(obj: Object, now: float) -> list[Any]:
    """NAME MIN-AVAILABLE MAX-UNAVAILABLE ALLOWED-DISRUPTIONS AGE."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    low, high = spec.get("minAvailable"), spec.get("maxUnavailable")
    return [
        obj["metadata"]["name"],
        "N/A" if low is None else str(low),
        "N/A" if high is None else str(high),
        status.get("disruptionsAllowed", 0),
        text.age(obj, now),
    ]


def horizontalpodautoscaler(obj: Object, now: float) -> list[Any]:
    """NAME REFERENCE TARGETS MINPODS MAXPODS REPLICAS AGE."""
    spec, status = obj["spec"], obj.get("status") or {}
    target = spec["scaleTargetRef"]
    minimum = spec.get("minReplicas")
    return [
        obj["metadata"]["name"],
        f"{target['kind']}/{target['name']}",
        _targets(spec.get("metrics") or (), status.get("currentMetrics") or ()),
        text.UNSET if minimum is None else str(minimum),
        spec.get("maxReplicas", 0),
        status.get("currentReplicas", 0),
        text.age(obj, now),
    ]


def _targets(wanted: list[Object] | tuple[()], current: list[Object] | tuple[()]) -> str:
    if not wanted:
        return text.NONE
    shown = [_target(metric, current[index] if index < len(current) else {}) for index, metric in enumerate(wanted[:2])]
    more = len(wanted) - len(shown)
    return ", ".join(shown) + (f" + {more} more..." if more > 0 else "")


_METRIC_FIELDS = {
    "Resource": "resource",
    "ContainerResource": "containerResource",
    "Pods": "pods",
    "Object": "object",
    "External": "external",
}


def _target(metric: Object, current: Object) -> str:
    field = _METRIC_FIELDS.get(metric["type"])
    if field is None:
        return "<unknown type>"
    source, reached = metric[field], (current.get(field) or {}).get("current") or {}
    target = source["target"]
    prefix = f"{source['name']}: " if field in ("resource", "containerResource") else ""
    if target.get("averageUtilization") is not None:
        have = reached.get("averageUtilization")
        return f"{prefix}{text.UNKNOWN if have is None else f'{have}%'}/{target['averageUtilization']}%"
    kind = "averageValue" if target.get("averageValue") is not None else "value"
    suffix = " (avg)" if kind == "averageValue" and field in ("external", "object") else ""
    return f"{prefix}{reached.get(kind) or text.UNKNOWN}/{target.get(kind)}{suffix}"
