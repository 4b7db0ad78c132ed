"""Skeletons: manifests to begin with, one for each kind that is often made by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ktui.manifests.writing import write

NAME = "my-app"
"""What is called so until a person gives it a name."""

_LABELS = {"app": NAME}
_CONTAINER = {"name": NAME, "image": "registry.example.com/my-app:1.0"}
_SERVER = {**_CONTAINER, "ports": [{"name": "http", "containerPort": 8080}]}
_CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}


def _template(container: Mapping[str, Any], **spec: Any) -> dict[str, Any]:
    return {"metadata": {"labels": _LABELS}, "spec": {"containers": [container], **spec}}


_WORKLOAD = {"selector": {"matchLabels": _LABELS}, "template": _template(_SERVER)}
_JOB = {"backoffLimit": 3, "template": {"spec": {"containers": [_CONTAINER], "restartPolicy": "Never"}}}
_RULES = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}]


def _role_ref(kind: str) -> dict[str, Any]:
    return {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": NAME}


_SUBJECT = {"kind": "ServiceAccount", "name": NAME}

SKELETONS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "Deployment": ("apps/v1", {"spec": {"replicas": 1, **_WORKLOAD}}),
    "StatefulSet": (
        "apps/v1",
        {
            "spec": {
                "serviceName": NAME,
                "replicas": 1,
                **_WORKLOAD,
                "template": _template(
                    {**_SERVER, "volumeMounts": [{"name": "data", "mountPath": "/var/lib/my-app"}]},
                ),
                "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": _CLAIM}],
            }
        },
    ),
    "DaemonSet": ("apps/v1", {"spec": _WORKLOAD}),
    "Pod": ("v1", {"spec": {"containers": [_SERVER]}}),
    "Job": ("batch/v1", {"spec": _JOB}),
    "CronJob": (
        "batch/v1",
        {"spec": {"schedule": "0 3 * * *", "concurrencyPolicy": "Forbid", "jobTemplate": {"spec": _JOB}}},
    ),
    "Service": ("v1", {"spec": {"selector": _LABELS, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]}}),
    "Ingress": (
        "networking.k8s.io/v1",
        {
            "spec": {
                "rules": [
                    {
                        "host": "my-app.example.com",
                        "http": {
                            "paths": [
                                {
                                    "path": "/",
                                    "pathType": "Prefix",
                                    "backend": {"service": {"name": NAME, "port": {"name": "http"}}},
                                }
                            ]
                        },
                    }
                ]
            }
        },
    ),
    "NetworkPolicy": (
        "networking.k8s.io/v1",
        {
            "spec": {
                "podSelector": {"matchLabels": _LABELS},
                "policyTypes": ["Ingress"],
                "ingress": [{"from": [{"podSelector": {}}], "ports": [{"port": 8080}]}],
            }
        },
    ),
    "ConfigMap": ("v1", {"data": {"key": "value"}}),
    "Secret": ("v1", {"type": "Opaque", "stringData": {"key": "value"}}),
    "PersistentVolumeClaim": ("v1", {"spec": _CLAIM}),
    "ServiceAccount": ("v1", {}),
    "Role": ("rbac.authorization.k8s.io/v1", {"rules": _RULES}),
    "ClusterRole": ("rbac.authorization.k8s.io/v1", {"rules": _RULES}),
    "RoleBinding": ("rbac.authorization.k8s.io/v1", {"roleRef": _role_ref("Role"), "subjects": [_SUBJECT]}),
    "ClusterRoleBinding": (
        "rbac.authorization.k8s.io/v1",
        {"roleRef": _role_ref("ClusterRole"), "subjects": [{**_SUBJECT, "namespace": "default"}]},
    ),
    "HorizontalPodAutoscaler": (
        "autoscaling/v2",
        {
            "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": NAME},
                "minReplicas": 1,
                "maxReplicas": 5,
                "metrics": [
                    {
                        "type": "Resource",
                        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
                    }
                ],
            }
        },
    ),
    "PodDisruptionBudget": ("policy/v1", {"spec": {"minAvailable": 1, "selector": {"matchLabels": _LABELS}}}),
    "Namespace": ("v1", {}),
}
"""By kind, the version of the API, and what follows the metadata."""


def skeleton(kind: str, api_version: str = "", namespace: str | None = None) -> str:
    """A manifest to begin with.

    Args:
        kind: any; of one that is not known, only what every object has.
        api_version: as it stands in manifests; of a known kind, when it is to be another one.
        namespace: where it is to be; None for an object without one, or to leave it open.
    """
    known, rest = SKELETONS.get(kind, ("", {"spec": {}}))
    if api_version and api_version.partition("/")[0] != known.partition("/")[0] and "/" in api_version + known:
        # Another group has a kind of the same name.
        rest = {"spec": {}}
    metadata = {"name": NAME} if namespace is None else {"name": NAME, "namespace": namespace}
    return write({"apiVersion": api_version or known or "v1", "kind": kind, "metadata": metadata, **rest})
