"""Cells of nodes, namespaces, configuration, storage, access and events."""

from __future__ import annotations

from typing import Any

from ktui.demo.tables import text

Object = dict[str, Any]

_ROLE_LABEL = "node-role.kubernetes.io/"
_MODES = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}
_DEFAULT_CLASS = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")


def node(obj: Object, now: float) -> list[Any]:
    """NAME STATUS ROLES AGE VERSION | INTERNAL-IP EXTERNAL-IP OS-IMAGE KERNEL-VERSION CONTAINER-RUNTIME."""
    status = obj.get("status") or {}
    system = status.get("nodeInfo") or {}
    kernel = system.get("kernelVersion") or text.UNKNOWN
    architecture = system.get("architecture")
    return [
        obj["metadata"]["name"],
        _node_status(obj),
        _roles(obj["metadata"].get("labels") or {}),
        text.age(obj, now),
        system.get("kubeletVersion", ""),
        _address(status, "InternalIP"),
        _address(status, "ExternalIP"),
        system.get("osImage") or text.UNKNOWN,
        f"{kernel} ({architecture})" if architecture else kernel,
        system.get("containerRuntimeVersion") or text.UNKNOWN,
    ]


def _node_status(obj: Object) -> str:
    ready = text.condition(obj, "Ready")
    word = "Unknown" if not ready else "Ready" if ready["status"] == "True" else "NotReady"
    return f"{word},SchedulingDisabled" if (obj.get("spec") or {}).get("unschedulable") else word


def _roles(labels: dict[str, str]) -> str:
    roles = {key.removeprefix(_ROLE_LABEL) for key in labels if key.startswith(_ROLE_LABEL)}
    roles.add(labels.get("kubernetes.io/role", ""))
    return text.joined(sorted(roles - {""}))


def _address(status: Object, kind: str) -> str:
    addresses = status.get("addresses") or ()
    return next((entry["address"] for entry in addresses if entry["type"] == kind), text.NONE)


def namespace(obj: Object, now: float) -> list[Any]:
    """NAME STATUS AGE."""
    return [obj["metadata"]["name"], (obj.get("status") or {}).get("phase", ""), text.age(obj, now)]


def configmap(obj: Object, now: float) -> list[Any]:
    """NAME DATA AGE."""
    entries = len(obj.get("data") or ()) + len(obj.get("binaryData") or ())
    return [obj["metadata"]["name"], entries, text.age(obj, now)]


def secret(obj: Object, now: float) -> list[Any]:
    """NAME TYPE DATA AGE."""
    return [obj["metadata"]["name"], obj.get("type", ""), len(obj.get("data") or ()), text.age(obj, now)]


def plain(obj: Object, now: float) -> list[Any]:
    """NAME AGE."""
    return [obj["metadata"]["name"], text.age(obj, now)]


def created(obj: Object, now: float) -> list[Any]:
    """NAME CREATED-AT: kinds without cells of their own."""
    return [obj["metadata"]["name"], text.created_at(obj)]


def _modes(modes: list[str] | None) -> str:
    # Sorted as the API's constants are listed, each once.
    return ",".join(short for mode, short in _MODES.items() if mode in (modes or ()))


def persistentvolumeclaim(obj: Object, now: float) -> list[Any]:
    """NAME STATUS VOLUME CAPACITY ACCESS-MODES STORAGECLASS VOLUMEATTRIBUTESCLASS AGE | VOLUMEMODE."""
    spec, status = obj["spec"], obj.get("status") or {}
    volume = spec.get("volumeName", "")
    phase = "Terminating" if obj["metadata"].get("deletionTimestamp") else status.get("phase", "")
    return [
        obj["metadata"]["name"],
        phase,
        volume,
        (status.get("capacity") or {}).get("storage", "") if volume else "",
        _modes(status.get("accessModes")) if volume else "",
        spec.get("storageClassName") or "",
        spec.get("volumeAttributesClassName") or text.UNSET,
        text.age(obj, now),
        spec.get("volumeMode") or text.UNSET,
    ]


def persistentvolume(obj: Object, now: float) -> list[Any]:
    """NAME CAPACITY ACCESS-MODES RECLAIM-POLICY STATUS CLAIM STORAGECLASS ...CLASS REASON AGE | VOLUMEMODE."""
    spec, status = obj["spec"], obj.get("status") or {}
    claim = spec.get("claimRef")
    phase = "Terminating" if obj["metadata"].get("deletionTimestamp") else status.get("phase", "")
    return [
        obj["metadata"]["name"],
        (spec.get("capacity") or {}).get("storage", ""),
        _modes(spec.get("accessModes")),
        spec.get("persistentVolumeReclaimPolicy", ""),
        phase,
        f"{claim['namespace']}/{claim['name']}" if claim else "",
        spec.get("storageClassName", ""),
        spec.get("volumeAttributesClassName") or text.UNSET,
        status.get("reason", ""),
        text.age(obj, now),
        spec.get("volumeMode") or text.UNSET,
    ]


def storageclass(obj: Object, now: float) -> list[Any]:
    """NAME PROVISIONER RECLAIMPOLICY VOLUMEBINDINGMODE ALLOWVOLUMEEXPANSION AGE."""
    annotations = obj["metadata"].get("annotations") or {}
    default = any(annotations.get(key) == "true" for key in _DEFAULT_CLASS)
    return [
        obj["metadata"]["name"] + (" (default)" if default else ""),
        obj.get("provisioner", ""),
        obj.get("reclaimPolicy", "Delete"),
        obj.get("volumeBindingMode", "Immediate"),
        bool(obj.get("allowVolumeExpansion")),
        text.age(obj, now),
    ]


def event(obj: Object, now: float) -> list[Any]:
    """LAST-SEEN TYPE REASON OBJECT | SUBOBJECT SOURCE MESSAGE FIRST-SEEN COUNT NAME."""
    first = obj.get("firstTimestamp") or obj.get("eventTime")
    last = obj.get("lastTimestamp") or first
    count = obj.get("count") or 1
    series = obj.get("series")
    if series:
        last, count = series.get("lastObservedTime") or last, series.get("count", count)
    subject = obj.get("involvedObject") or {}
    name, kind = subject.get("name", ""), subject.get("kind", "").lower()
    source = obj.get("source") or {}
    component = source.get("component") or obj.get("reportingComponent") or ""
    host = source.get("host") or obj.get("reportingInstance") or ""
    return [
        text.since(last, now),
        obj.get("type", ""),
        obj.get("reason", ""),
        f"{kind}/{name}" if name else kind,
        subject.get("fieldPath", ""),
        f"{component}, {host}" if host else component,
        (obj.get("message") or "").strip(),
        text.since(first, now),
        count,
        obj["metadata"]["name"],
    ]


def binding(obj: Object, now: float) -> list[Any]:
    """NAME ROLE AGE | USERS GROUPS SERVICEACCOUNTS."""
    reference, subjects = obj["roleRef"], obj.get("subjects") or ()
    accounts = [f"{s.get('namespace', '')}/{s['name']}" for s in subjects if s["kind"] == "ServiceAccount"]
    return [
        obj["metadata"]["name"],
        f"{reference['kind']}/{reference['name']}",
        text.age(obj, now),
        ", ".join(s["name"] for s in subjects if s["kind"] == "User"),
        ", ".join(s["name"] for s in subjects if s["kind"] == "Group"),
        ", ".join(accounts),
    ]


def lease(obj: Object, now: float) -> list[Any]:
    """NAME HOLDER AGE."""
    return [obj["metadata"]["name"], (obj.get("spec") or {}).get("holderIdentity") or "", text.age(obj, now)]


def priorityclass(obj: Object, now: float) -> list[Any]:
    """NAME VALUE GLOBAL-DEFAULT AGE PREEMPTIONPOLICY."""
    policy = obj.get("preemptionPolicy") or "PreemptLowerPriority"
    return [obj["metadata"]["name"], obj.get("value", 0), bool(obj.get("globalDefault")), text.age(obj, now), policy]


def resourcequota(obj: Object, now: float) -> list[Any]:
    """NAME REQUEST LIMIT AGE."""
    status = obj.get("status") or {}
    hard, used = status.get("hard") or {}, status.get("used") or {}
    shown = {name: f"{name}: {used.get(name, '0')}/{hard[name]}" for name in sorted(hard)}
    limits = [cell for name, cell in shown.items() if name.startswith("limits.")]
    requests = [cell for name, cell in shown.items() if not name.startswith("limits.")]
    return [obj["metadata"]["name"], ", ".join(requests), ", ".join(limits), text.age(obj, now)]


def metrics(obj: Object, now: float) -> list[Any]:
    """NAME CPU MEMORY WINDOW, as metrics-server prints them."""
    usage = obj.get("usage") or {}
    if "containers" in obj:
        containers = obj["containers"]
        usage = {
            "cpu": f"{sum(int(c['usage']['cpu'].removesuffix('n')) for c in containers)}n",
            "memory": f"{sum(int(c['usage']['memory'].removesuffix('Ki')) for c in containers)}Ki",
        }
    return [obj["metadata"]["name"], usage.get("cpu", ""), usage.get("memory", ""), obj.get("window", "")]
