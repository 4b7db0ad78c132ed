"""Rules for pod specs, in pods and in templates: kubernetes `pkg/apis/core/validation`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from ktui.demo.errors import (
    Cause,
    bad_value,
    duplicate,
    forbidden_field,
    missing_reference,
    required,
    unsupported,
)
from ktui.demo.names import label_problems, label_value_problems, port_name_problems, qualified_name_problems

Object = dict[str, Any]

_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_RESTART_POLICIES = ("Always", "OnFailure", "Never")
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_SUFFIXES: dict[str, Fraction] = {
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    "": Fraction(1),
    **{suffix: Fraction(10 ** (3 * power)) for power, suffix in enumerate("kMGTPE", 1)},
    **{suffix + "i": Fraction(1024**power) for power, suffix in enumerate("KMGTPE", 1)},
}
_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)")
_MAY_CHANGE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def quantity(text: object) -> Fraction | None:
    """The value of a quantity such as "250m" or "1.5Gi", None when it is none."""
    found = _QUANTITY.fullmatch(str(text))
    if found is None:
        return None
    number, exponent, suffix = found.groups()
    return Fraction(number) * (Fraction(f"1{exponent}") if exponent else _SUFFIXES[suffix or ""])


def pod_spec_causes(spec: Object, field: str) -> Iterator[Cause]:
    """What is wrong with a pod spec.

    Args:
        spec: the pod spec, with defaults.
        field: where it stands, as in "spec.template.spec".
    """
    volumes = [volume.get("name") for volume in spec.get("volumes") or ()]
    for index, name in enumerate(volumes):
        if not name:
            yield required(f"{field}.volumes[{index}].name")
        elif name in volumes[:index]:
            yield duplicate(f"{field}.volumes[{index}].name", name)
    containers = spec.get("containers") or []
    if not containers:
        yield required(f"{field}.containers")
    names: list[str] = []
    for index, container in enumerate(containers):
        yield from _container(container, f"{field}.containers[{index}]", names, volumes)
    for index, container in enumerate(spec.get("initContainers") or ()):
        yield from _container(container, f"{field}.initContainers[{index}]", names, volumes)
    policy = spec.get("restartPolicy")
    if policy not in _RESTART_POLICIES:
        yield unsupported(f"{field}.restartPolicy", policy, _RESTART_POLICIES)
    grace = spec.get("terminationGracePeriodSeconds")
    if grace is not None and grace < 0:
        yield bad_value(f"{field}.terminationGracePeriodSeconds", grace, "must be greater than or equal to 0")
    for index, toleration in enumerate(spec.get("tolerations") or ()):
        yield from _toleration(toleration, f"{field}.tolerations[{index}]")


def _toleration(toleration: Object, field: str) -> Iterator[Cause]:
    key, operator, value, effect = (toleration.get(name) or "" for name in ("key", "operator", "value", "effect"))
    for problem in qualified_name_problems(key) if key else ():
        yield bad_value(f"{field}.key", key, problem)
    if not key and operator != "Exists":
        why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        yield bad_value(f"{field}.operator", operator, why)
    if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
        yield bad_value(f"{field}.effect", effect, "effect must be 'NoExecute' when `tolerationSeconds` is set")
    if operator == "Exists" and value:
        yield bad_value(f"{field}.operator", value, "value must be empty when `operator` is 'Exists'")
    elif operator in ("Lt", "Gt"):  # known, but behind a feature gate that is closed
        yield unsupported(f"{field}.operator", operator, ("Equal", "Exists", "Lt", "Gt"))
    elif operator not in ("", "Equal", "Exists"):
        yield unsupported(f"{field}.operator", operator, ("Equal", "Exists"))
    elif problems := label_value_problems(value):
        yield bad_value(f"{field}.operator", value, ";".join(problems))
    if effect and effect not in _EFFECTS:
        yield unsupported(f"{field}.effect", effect, _EFFECTS)


def _container(container: Object, field: str, names: list[str], volumes: list[Any]) -> Iterator[Cause]:
    name = container.get("name")
    if not name:
        yield required(f"{field}.name")
    else:
        for problem in label_problems(name):
            yield bad_value(f"{field}.name", name, problem)
        if name in names:
            yield duplicate(f"{field}.name", name)
        names.append(name)
    if not container.get("image"):
        yield required(f"{field}.image")
    elif container["image"] != container["image"].strip():
        yield bad_value(f"{field}.image", container["image"], "must not have leading or trailing whitespace")
    for index, port in enumerate(container.get("ports") or ()):
        yield from _port(port, f"{field}.ports[{index}]")
    for index, variable in enumerate(container.get("env") or ()):
        if not variable.get("name"):
            yield required(f"{field}.env[{index}].name")
    for index, mount in enumerate(container.get("volumeMounts") or ()):
        if mount.get("name") not in volumes:
            yield missing_reference(f"{field}.volumeMounts[{index}].name", mount.get("name"))
        if not mount.get("mountPath"):
            yield required(f"{field}.volumeMounts[{index}].mountPath")
    policy = container.get("imagePullPolicy")
    if policy not in _PULL_POLICIES:
        yield unsupported(f"{field}.imagePullPolicy", policy, _PULL_POLICIES)
    yield from _resources(container.get("resources") or {}, f"{field}.resources")


def _port(port: Object, field: str) -> Iterator[Cause]:
    if port.get("name"):
        for problem in port_name_problems(port["name"]):
            yield bad_value(f"{field}.name", port["name"], problem)
    number = port.get("containerPort", 0)
    if number == 0:
        yield required(f"{field}.containerPort")
    elif not 1 <= number <= 65535:
        yield bad_value(f"{field}.containerPort", number, "must be between 1 and 65535, inclusive")
    if port.get("protocol") not in _PROTOCOLS:
        yield unsupported(f"{field}.protocol", port.get("protocol"), _PROTOCOLS)


def _resources(resources: Object, field: str) -> Iterator[Cause]:
    limits = resources.get("limits") or {}
    for name, asked in (resources.get("requests") or {}).items():
        value, limit = quantity(asked), quantity(limits[name]) if name in limits else None
        if value is not None and value < 0:
            yield bad_value(f"{field}.requests[{name}]", str(asked), "must be greater than or equal to 0")
        if value is not None and limit is not None and value > limit:
            why = f"must be less than or equal to {name} limit of {limits[name]}"
            yield bad_value(f"{field}.requests", str(asked), why)


def pod_update_causes(pod: Object, before: Object) -> Iterator[Cause]:
    """What an update of a pod changes though it must not."""
    if _changeless(pod["spec"], before["spec"]) != _changeless(before["spec"], before["spec"]):
        yield forbidden_field("spec", _MAY_CHANGE)


def _changeless(spec: Object, before: Object) -> Object:
    """A pod spec without what may change."""
    kept = {key: value for key, value in spec.items() if key not in ("activeDeadlineSeconds", "tolerations")}
    for field in ("containers", "initContainers"):
        if field in kept:
            kept[field] = [{**container, "image": ""} for container in kept[field]]
    had = before.get("tolerations") or []
    # Tolerations may be added: one that is missing counts as a change.
    kept["tolerations"] = [toleration for toleration in spec.get("tolerations") or () if toleration in had]
    return kept
