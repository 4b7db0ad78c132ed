"""Rules for pod specs, in pods and in templates: kubernetes `pkg/apis/core/validation`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ktui.demo.errors import Cause, bad_value, forbidden_field, required, unsupported
from ktui.demo.names import label_causes, label_problems, subdomain_problems
from ktui.demo.validation.containers import containers_causes, security_causes
from ktui.demo.validation.placement import affinity_causes, spread_causes, toleration_causes
from ktui.demo.validation.volumes import volumes_causes

Object = dict[str, Any]

_RESTART_POLICIES = ("Always", "OnFailure", "Never")
_DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_MAY_CHANGE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def pod_spec_causes(spec: Object, field: str) -> Iterator[Cause]:
    """What is wrong with a pod spec.

    Args:
        spec: the pod spec, with defaults.
        field: where it stands, as in "spec.template.spec".
    """
    volumes: set[str] = set()
    yield from volumes_causes(spec.get("volumes") or [], f"{field}.volumes", volumes)
    containers = spec.get("containers") or []
    if not containers:
        yield required(f"{field}.containers")
    names: list[str] = []
    yield from containers_causes(containers, f"{field}.containers", volumes, names)
    yield from containers_causes(spec.get("initContainers") or [], f"{field}.initContainers", volumes, names)
    policy, dns = spec.get("restartPolicy"), spec.get("dnsPolicy", "ClusterFirst")
    if policy not in _RESTART_POLICIES:
        yield unsupported(f"{field}.restartPolicy", policy, _RESTART_POLICIES)
    if dns not in _DNS_POLICIES:
        yield unsupported(f"{field}.dnsPolicy", dns, _DNS_POLICIES)
    yield from label_causes(spec.get("nodeSelector"), f"{field}.nodeSelector")
    yield from security_causes(spec.get("securityContext") or {}, f"{field}.securityContext")
    yield from affinity_causes(spec.get("affinity") or {}, f"{field}.affinity")
    if dns == "None" and not spec.get("dnsConfig"):
        yield required(f"{field}.dnsConfig", "must provide `dnsConfig` when `dnsPolicy` is None")
    for index, constraint in enumerate(spec.get("topologySpreadConstraints") or ()):
        yield from spread_causes(constraint, f"{field}.topologySpreadConstraints[{index}]")
    for name, problems in (("hostname", label_problems), ("serviceAccountName", subdomain_problems)):
        if text := spec.get(name):
            yield from (bad_value(f"{field}.{name}", text, problem) for problem in problems(text))
    for index, toleration in enumerate(spec.get("tolerations") or ()):
        yield from toleration_causes(toleration, f"{field}.tolerations[{index}]")


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
