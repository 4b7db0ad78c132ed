"""ResourceQuotas: how much of what a namespace holds, and whether one more object still fits.

As kubernetes.io/docs/concepts/policy/resource-quotas says; words of k8s.io/apiserver's admission of resourcequota.
Quotas with scopes count as if they had none.
"""

from __future__ import annotations

from typing import Any

from ktui.demo.controllers.quantities import quantity
from ktui.demo.errors import forbidden
from ktui.demo.storage import Storage

Object = dict[str, Any]
Amounts = dict[str, float]

_COUNTED = (
    "configmaps", "persistentvolumeclaims", "pods", "replicationcontrollers", "resourcequotas", "secrets", "services",
)  # fmt: skip
_COMPUTE = ("cpu", "memory", "ephemeral-storage")
_BINARY = ("Ei", "Pi", "Ti", "Gi", "Mi", "Ki")


def check_quota(storage: Storage, resource: str, obj: Object) -> None:
    """Lets a new object pass, or raises.

    Args:
        storage: where quotas and the other objects are.
        resource: the key of its resource.
        obj: the object, complete.

    Raises:
        StatusError: 403 when a quota has no room for it, or must know what it asks for.
    """
    metadata = obj["metadata"]
    namespace = metadata.get("namespace", "")
    for quota in storage.list("resourcequotas", namespace) if namespace else ():
        hard, name = quota["spec"].get("hard") or {}, quota["metadata"]["name"]
        unsaid = _unsaid(resource, obj, hard)
        if unsaid:
            why = f"failed quota: {name}: must specify {unsaid}"
            raise forbidden(resource, metadata.get("name", ""), why)
        asked = {what: amount for what, amount in usage_of(resource, obj).items() if what in hard and amount}
        used = used_in(storage, namespace, asked)
        over = sorted(what for what in asked if used[what] + asked[what] > quantity(hard[what]))
        if over:
            told = (("requested", asked), ("used", used), ("limited", {what: quantity(hard[what]) for what in over}))
            parts = [f"{word}: {','.join(f'{what}={shown(amounts[what])}' for what in over)}" for word, amounts in told]
            raise forbidden(resource, metadata.get("name", ""), f"exceeded quota: {name}, {', '.join(parts)}")


def used_in(storage: Storage, namespace: str, names: Amounts | Object) -> Amounts:
    """How much of each of these a namespace holds.

    Args:
        storage: where the objects are.
        namespace: which.
        names: of quantities, as in a quota's `hard`.
    """
    total: Amounts = dict.fromkeys(names, 0.0)
    for resource in {resource for name in names for resource in _resources_of(name)}:
        for obj in storage.list(resource, namespace):
            for name, amount in usage_of(resource, obj).items():
                if name in total:
                    total[name] += amount
    return total


def usage_of(resource: str, obj: Object) -> Amounts:
    """What an object counts for, by the names of quantities."""
    amounts: Amounts = {f"count/{resource}": 1.0}
    spec = obj.get("spec") or {}
    if resource == "pods":
        if (obj.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
            return amounts
        amounts |= _compute(spec)
    if resource in _COUNTED:
        amounts[resource] = 1.0
    if resource == "services":
        amounts["services.loadbalancers"] = float(spec.get("type") == "LoadBalancer")
        amounts["services.nodeports"] = float(sum(1 for port in spec.get("ports") or () if port.get("nodePort")))
    if resource == "persistentvolumeclaims":
        requests = (spec.get("resources") or {}).get("requests") or {}
        amounts["requests.storage"] = quantity(requests.get("storage", 0))
    return amounts


def shown(amount: float) -> str:
    """An amount as a quantity, in its canonical form."""
    if amount != round(amount):
        return f"{round(amount * 1000)}m"
    whole = round(amount)
    for power, suffix in zip(range(len(_BINARY), 0, -1), _BINARY, strict=True):
        if whole and whole % 1024**power == 0:
            return f"{whole // 1024**power}{suffix}"
    return str(whole)


def _resources_of(name: str) -> tuple[str, ...]:
    if name.startswith("count/"):
        return (name.removeprefix("count/"),)
    if name == "requests.storage":
        return ("persistentvolumeclaims",)
    plain = name.partition(".")[0]
    return (plain,) if plain in _COUNTED else ("pods",)


def _compute(spec: Object) -> Amounts:
    amounts: Amounts = {}
    for container in spec.get("containers") or ():
        resources = container.get("resources") or {}
        for kind in ("requests", "limits"):
            for name, text in (resources.get(kind) or {}).items():
                for key in (f"{kind}.{name}", name) if kind == "requests" else (f"{kind}.{name}",):
                    amounts[key] = amounts.get(key, 0.0) + quantity(text)
    return amounts


def _unsaid(resource: str, obj: Object, hard: Object) -> str:
    """What a quota of CPU or memory must know of a pod's containers."""
    if resource != "pods":
        return ""
    missing = []
    for name in sorted(hard):
        kind, _, plain = name.rpartition(".")
        if plain not in _COMPUTE or kind not in ("", "requests", "limits"):
            continue
        silent = [
            container["name"]
            for container in obj["spec"].get("containers") or ()
            if plain not in ((container.get("resources") or {}).get(kind or "requests") or {})
        ]
        if silent:
            missing.append(f"{name} for: {','.join(silent)}")
    return "; ".join(missing)
