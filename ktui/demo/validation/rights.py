"""Rules for roles and bindings: kubernetes `pkg/apis/rbac/validation`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ktui.demo.errors import Cause, bad_value, required, unsupported

Object = dict[str, Any]

_SUBJECTS = ("ServiceAccount", "User", "Group")


def role_causes(obj: Object) -> Iterator[Cause]:
    """What is wrong with a Role."""
    yield from _rules(obj, namespaced=True)


def cluster_role_causes(obj: Object) -> Iterator[Cause]:
    """What is wrong with a ClusterRole."""
    yield from _rules(obj, namespaced=False)


def _rules(obj: Object, *, namespaced: bool) -> Iterator[Cause]:
    for index, rule in enumerate(obj.get("rules") or ()):
        field = f"rules[{index}]"
        if not rule.get("verbs"):
            yield required(f"{field}.verbs", "verbs must contain at least one value")
        paths = rule.get("nonResourceURLs")
        if paths:
            if namespaced:
                why = "namespaced rules cannot apply to non-resource URLs"
                yield bad_value(f"{field}.nonResourceURLs", paths, why)
            elif rule.get("apiGroups") or rule.get("resources") or rule.get("resourceNames"):
                why = "rules cannot apply to both regular resources and non-resource URLs"
                yield bad_value(f"{field}.nonResourceURLs", paths, why)
            continue
        if not rule.get("apiGroups"):
            yield required(f"{field}.apiGroups", "resource rules must supply at least one api group")
        if not rule.get("resources"):
            yield required(f"{field}.resources", "resource rules must supply at least one resource")


def role_binding_causes(obj: Object) -> Iterator[Cause]:
    """What is wrong with a RoleBinding."""
    yield from _binding(obj, ("Role", "ClusterRole"))


def cluster_role_binding_causes(obj: Object) -> Iterator[Cause]:
    """What is wrong with a ClusterRoleBinding."""
    yield from _binding(obj, ("ClusterRole",), needs_namespace=True)


def _binding(obj: Object, kinds: tuple[str, ...], *, needs_namespace: bool = False) -> Iterator[Cause]:
    role = obj.get("roleRef") or {}
    if role.get("kind") not in kinds:
        yield unsupported("roleRef.kind", role.get("kind", ""), kinds)
    if not role.get("name"):
        yield required("roleRef.name")
    for index, subject in enumerate(obj.get("subjects") or ()):
        field, kind = f"subjects[{index}]", subject.get("kind", "")
        if not subject.get("name"):
            yield required(f"{field}.name")
        if kind not in _SUBJECTS:
            yield unsupported(f"{field}.kind", kind, _SUBJECTS)
        elif kind == "ServiceAccount" and needs_namespace and not subject.get("namespace"):
            yield required(f"{field}.namespace")
