"""Validation: what is wrong with an object, in field order and in the API server's words.

The rules people run into, not all there are; what breaks none of them is accepted.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

from ktui.demo.custom_rules import schema_causes
from ktui.demo.custom_schema import schema_of
from ktui.demo.errors import Cause, bad_request, bad_value, duplicate, forbidden_field, invalid, required, unsupported
from ktui.demo.names import (
    annotation_causes,
    config_key_problems,
    label_causes,
    label_value_problems,
    metadata_causes,
    qualified_name_problems,
)
from ktui.demo.resources import Resource
from ktui.demo.validation import pods, rights, services, workloads
from ktui.demo.validation.network import network_policy_causes
from ktui.demo.validation.placement import selector_causes
from ktui.demo.validation.volumes import claim_causes

Object = dict[str, Any]

_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_ACCOUNT, _ACCOUNT_TOKEN = "kubernetes.io/service-account.name", "kubernetes.io/service-account-token"
_LOGIN = "kubernetes.io/basic-auth"
_NEEDED_KEYS = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    _LOGIN: ("username", "password"),
}
_EVICTION_POLICIES = ("AlwaysAllow", "IfHealthyBudget")
_METRICS = {
    "ContainerResource": "containerResource",
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
}
_NEW_FINALIZERS = "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}"


def check_create(resource: Resource, obj: Object) -> None:
    """Lets a new object pass, or raises.

    Args:
        resource: its resource.
        obj: the object, with defaults.

    Raises:
        StatusError: 422 with everything that is wrong, 400 for data that is no base64.
    """
    rules = _CREATE.get(resource.key, _none)
    schema = schema_causes(schema_of(resource.custom), obj)
    causes = list(chain(metadata_causes(resource.key, obj["metadata"]), rules(obj), schema))
    if causes:
        raise invalid(resource.kind, obj["metadata"].get("name", ""), causes, group=resource.group)


def check_update(resource: Resource, obj: Object, before: Object) -> None:
    """Lets an object's new state pass, or raises.

    Args:
        resource: its resource.
        obj: the new state, with defaults.
        before: the stored state.

    Raises:
        StatusError: 422 with everything that is wrong, 400 for data that is no base64.
    """
    rules, changes = _CREATE.get(resource.key, _none), _UPDATE.get(resource.key, _nothing)
    causes = list(
        chain(
            # Upstream looks at an update's metadata twice.
            _metadata(obj["metadata"], before["metadata"]),
            _metadata(obj["metadata"], before["metadata"]),
            rules(obj),
            changes(obj, before),
            schema_causes(schema_of(resource.custom), obj, before),
        )
    )
    if causes:
        raise invalid(resource.kind, obj["metadata"]["name"], causes, group=resource.group)


def _none(obj: Object) -> Iterator[Cause]:
    return iter(())


def _nothing(obj: Object, before: Object) -> Iterator[Cause]:
    return iter(())


def _metadata(metadata: Object, before: Object) -> Iterator[Cause]:
    yield from label_causes(metadata.get("labels"), "metadata.labels")
    yield from annotation_causes(metadata)
    yield from _finalizers(metadata, before)


def _node(obj: Object) -> Iterator[Cause]:
    taints = (obj.get("spec") or {}).get("taints") or ()
    seen = set()
    for index, taint in enumerate(taints):
        key, value, effect = (taint.get(field) or "" for field in ("key", "value", "effect"))
        field = f"metadata.taints[{index}]"
        for problem in qualified_name_problems(key):
            yield bad_value(f"{field}.key", key, problem)
        for problem in label_value_problems(value):
            yield bad_value(f"{field}.value", value, problem)
        if not effect:
            yield required(f"{field}.effect")
        elif effect not in _EFFECTS:
            yield unsupported(f"{field}.effect", effect, _EFFECTS)
        if (key, effect) in seen:
            shown = {"Key": key, "Value": value, "Effect": effect, "TimeAdded": taint.get("timeAdded")}
            twice = duplicate(field, shown)
            yield Cause(twice.reason, field, f"{twice.message}: taints must be unique by key and effect pair")
        seen.add((key, effect))


def _finalizers(metadata: Object, before: Object) -> Iterator[Cause]:
    if metadata.get("deletionTimestamp"):
        fresh = [name for name in metadata.get("finalizers") or () if name not in (before.get("finalizers") or ())]
        if fresh:
            shown = ", ".join(f'"{name}"' for name in fresh)
            yield forbidden_field("metadata.finalizers", _NEW_FINALIZERS.format(shown))


def _pod(obj: Object) -> Iterator[Cause]:
    return pods.pod_spec_causes(obj["spec"], "spec")


def _configmap(obj: Object) -> Iterator[Cause]:
    binary = obj.get("binaryData") or {}
    for value in binary.values():
        _check_base64(value, "ConfigMap")
    yield from _keys(obj.get("data"), "data")
    for key in obj.get("data") or ():
        if key in binary:
            yield bad_value(f"data[{key}]", key, "duplicate of key present in binaryData")
    yield from _keys(binary, "binaryData")


def _secret(obj: Object) -> Iterator[Cause]:
    data = obj.get("data") or {}
    for key, value in (obj.pop("stringData", None) or {}).items():
        data = obj["data"] = {**data, key: base64.b64encode(value.encode()).decode()}
    for value in data.values():
        _check_base64(value, "Secret")
    yield from _keys(data, "data")
    kind = obj.get("type", "")
    if kind == _ACCOUNT_TOKEN and not (obj["metadata"].get("annotations") or {}).get(_ACCOUNT):
        yield required(f"metadata.annotations[{_ACCOUNT}]")
    needed = _NEEDED_KEYS.get(kind, ())
    # A login needs one of both.
    if kind != _LOGIN or not any(key in data for key in needed):
        yield from (required(f"data[{key}]") for key in needed if key not in data)


def _check_base64(value: str, kind: str) -> None:
    try:
        base64.b64decode(value or "", validate=True)
    except (binascii.Error, ValueError):
        raise bad_request(_no_base64(value, kind)) from None


def _no_base64(value: str, kind: str) -> str:
    good = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
    at = next((index for index, sign in enumerate(value) if sign not in good), len(value) // 4 * 4)
    problem = f"illegal base64 data at input byte {at}"
    return f'{kind} in version "v1" cannot be handled as a {kind}: {problem}'


def _keys(entries: Object | None, field: str) -> Iterator[Cause]:
    for key in entries or ():
        for problem in config_key_problems(key):
            yield bad_value(f"{field}[{key}]", key, problem)


def _immutable(obj: Object, before: Object) -> Iterator[Cause]:
    if before.get("immutable") is not True:
        return
    if obj.get("immutable") is not True:
        yield forbidden_field("immutable", "field is immutable when `immutable` is set")
    for field in ("data", "binaryData"):
        if obj.get(field) != before.get(field):
            yield forbidden_field(field, "field is immutable when `immutable` is set")


def _role_reference(obj: Object, before: Object) -> Iterator[Cause]:
    if obj.get("roleRef") != before.get("roleRef"):
        yield bad_value("roleRef", obj.get("roleRef"), "cannot change roleRef")


def _budget(obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    for field in ("minAvailable", "maxUnavailable"):
        if spec.get(field) is not None:
            yield from workloads.amount_causes(spec[field], f"spec.{field}", part=True)
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        shown = {
            "MinAvailable": spec["minAvailable"],
            "Selector": spec.get("selector"),
            "MaxUnavailable": spec["maxUnavailable"],
            "UnhealthyPodEvictionPolicy": spec.get("unhealthyPodEvictionPolicy"),
        }
        yield bad_value("spec", shown, "minAvailable and maxUnavailable cannot be both set")
    yield from selector_causes(spec.get("selector"), "spec.selector")
    policy = spec.get("unhealthyPodEvictionPolicy")
    if policy is not None and policy not in _EVICTION_POLICIES:
        yield unsupported("spec.unhealthyPodEvictionPolicy", policy, _EVICTION_POLICIES)


def _autoscaler(obj: Object) -> Iterator[Cause]:
    spec = obj["spec"]
    low, high = spec.get("minReplicas", 1), spec.get("maxReplicas", 0)
    if high < 1:
        yield required("spec.maxReplicas", "must be set and greater than 0")
    if high < low:
        yield bad_value("spec.maxReplicas", high, "must be greater than or equal to `minReplicas`")
    for field in ("kind", "name"):
        if not (spec.get("scaleTargetRef") or {}).get(field):
            yield required(f"spec.scaleTargetRef.{field}")
    if not (spec.get("scaleTargetRef") or {}).get("apiVersion"):
        yield bad_value("spec.scaleTargetRef.apiVersion", "", "apiVersion must specify API group")
    for index, metric in enumerate(spec.get("metrics") or ()):
        kind, here = metric.get("type", ""), f"spec.metrics[{index}]"
        source = metric.get(_METRICS.get(kind, ""))
        if kind not in _METRICS:
            yield unsupported(f"{here}.type", kind, sorted(_METRICS))
        elif source is None:
            yield required(f"{here}.{_METRICS[kind]}", "must populate information for the given metric source")
        elif kind == "Resource" and not _amounts(source.get("target") or {}):
            why = "must set either a target raw value or a target utilization"
            yield required(f"{here}.resource.target.averageUtilization", why)


def _amounts(target: Object) -> list[Any]:
    return [target[name] for name in ("averageUtilization", "averageValue", "value") if target.get(name)]


def _claim(obj: Object) -> Iterator[Cause]:
    return claim_causes(obj["spec"], "spec")


def _definition(obj: Object) -> Iterator[Cause]:
    spec, name = obj["spec"], obj["metadata"].get("name", "")
    wanted = f"{spec.get('names', {}).get('plural', '')}.{spec.get('group', '')}"
    if name != wanted:
        yield bad_value("metadata.name", name, 'must be spec.names.plural+"."+spec.group')
    for field in ("group", "versions"):
        if not spec.get(field):
            yield required(f"spec.{field}")


# Upstream looks at a node's taints twice, too, when it changes.
_CREATE: dict[str, Callable[[Object], Iterator[Cause]]] = {
    "pods": _pod,
    "nodes": _node,
    "services": services.service_causes,
    "configmaps": _configmap,
    "secrets": _secret,
    "deployments.apps": workloads.deployment_causes,
    "replicasets.apps": workloads.replicaset_causes,
    "replicationcontrollers": workloads.replicationcontroller_causes,
    "statefulsets.apps": workloads.statefulset_causes,
    "daemonsets.apps": workloads.daemonset_causes,
    "jobs.batch": workloads.job_causes,
    "cronjobs.batch": workloads.cronjob_causes,
    "ingresses.networking.k8s.io": services.ingress_causes,
    "endpointslices.discovery.k8s.io": services.endpoint_slice_causes,
    "networkpolicies.networking.k8s.io": network_policy_causes,
    "persistentvolumeclaims": _claim,
    "roles.rbac.authorization.k8s.io": rights.role_causes,
    "clusterroles.rbac.authorization.k8s.io": rights.cluster_role_causes,
    "rolebindings.rbac.authorization.k8s.io": rights.role_binding_causes,
    "clusterrolebindings.rbac.authorization.k8s.io": rights.cluster_role_binding_causes,
    "poddisruptionbudgets.policy": _budget,
    "horizontalpodautoscalers.autoscaling": _autoscaler,
    "customresourcedefinitions.apiextensions.k8s.io": _definition,
}
_UPDATE: dict[str, Callable[[Object, Object], Iterator[Cause]]] = {
    "pods": pods.pod_update_causes,
    "nodes": lambda obj, before: _node(obj),
    "services": services.service_update_causes,
    "configmaps": _immutable,
    "secrets": _immutable,
    "deployments.apps": workloads.selector_update_causes,
    "replicasets.apps": workloads.selector_update_causes,
    "daemonsets.apps": workloads.selector_update_causes,
    "statefulsets.apps": workloads.statefulset_update_causes,
    "jobs.batch": workloads.job_update_causes,
    "rolebindings.rbac.authorization.k8s.io": _role_reference,
    "clusterrolebindings.rbac.authorization.k8s.io": _role_reference,
}
