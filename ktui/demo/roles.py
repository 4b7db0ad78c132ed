"""Who may do what in the story: the user-facing ClusterRoles, and which user has which.

Source: kubernetes.io/docs/reference/access-authn-authz/rbac/#user-facing-roles, shortened to what is served here.
"""

from __future__ import annotations

from ktui.demo.storage import Object, Storage

_GROUP = "rbac.authorization.k8s.io"
_READ = ["get", "list", "watch"]
_WRITE = ["create", "delete", "deletecollection", "patch", "update"]

_CORE = [
    "configmaps", "persistentvolumeclaims", "pods", "replicationcontrollers", "replicationcontrollers/scale",
    "serviceaccounts", "services",
]  # fmt: skip
_VIEWED_CORE = [
    *_CORE, "bindings", "endpoints", "events", "limitranges", "namespaces", "namespaces/status",
    "persistentvolumeclaims/status", "pods/log", "pods/status", "replicationcontrollers/status", "resourcequotas",
    "resourcequotas/status", "services/status",
]  # fmt: skip
_WORKLOADS = ["daemonsets", "deployments", "deployments/scale", "replicasets", "replicasets/scale", "statefulsets"]
_WORKLOADS += ["statefulsets/scale"]
_STATUSES = ["daemonsets/status", "deployments/status", "replicasets/status", "statefulsets/status"]


def _rule(groups: list[str], resources: list[str], verbs: list[str]) -> Object:
    return {"apiGroups": groups, "resources": resources, "verbs": verbs}


_VIEW = [
    _rule([""], _VIEWED_CORE, _READ),
    _rule(["apps"], [*_WORKLOADS, *_STATUSES, "controllerrevisions"], _READ),
    _rule(["batch"], ["cronjobs", "cronjobs/status", "jobs", "jobs/status"], _READ),
    _rule(["autoscaling"], ["horizontalpodautoscalers", "horizontalpodautoscalers/status"], _READ),
    _rule(["policy"], ["poddisruptionbudgets", "poddisruptionbudgets/status"], _READ),
    _rule(["networking.k8s.io"], ["ingresses", "ingresses/status", "networkpolicies"], _READ),
    _rule(["discovery.k8s.io"], ["endpointslices"], _READ),
    _rule(["metrics.k8s.io"], ["pods", "nodes"], _READ),
    _rule(["shop.example.com"], ["*"], _READ),
]
_EDIT = [
    *_VIEW,
    _rule([""], ["secrets"], _READ),
    _rule([""], ["pods/exec", "pods/attach", "pods/portforward", "pods/proxy", "services/proxy"], [*_READ, *_WRITE]),
    _rule([""], [*_CORE, "secrets", "events"], _WRITE),
    _rule([""], ["pods/eviction", "serviceaccounts/token"], ["create"]),
    _rule([""], ["serviceaccounts"], ["impersonate"]),
    _rule(["apps"], [*_WORKLOADS, "deployments/rollback"], _WRITE),
    _rule(["batch"], ["cronjobs", "jobs"], _WRITE),
    _rule(["autoscaling"], ["horizontalpodautoscalers"], _WRITE),
    _rule(["policy"], ["poddisruptionbudgets"], _WRITE),
    _rule(["networking.k8s.io"], ["ingresses", "networkpolicies"], _WRITE),
    _rule(["coordination.k8s.io"], ["leases"], [*_READ, *_WRITE]),
    _rule(["shop.example.com"], ["*"], _WRITE),
]
_ADMIN = [
    *_EDIT,
    _rule([_GROUP], ["roles", "rolebindings"], [*_READ, *_WRITE]),
    _rule(["authorization.k8s.io"], ["localsubjectaccessreviews"], ["create"]),
]
_EVERYTHING = [_rule(["*"], ["*"], ["*"]), {"nonResourceURLs": ["*"], "verbs": ["*"]}]
_DISCOVERY = [
    {
        "nonResourceURLs": [
            "/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz", "/version",
            "/version/",
        ],
        "verbs": ["get"],
    },
    # Upstream's system:public-info-viewer, a role of its own there.
    {"nonResourceURLs": ["/healthz", "/livez", "/readyz", "/version", "/version/"], "verbs": ["get"]},
]  # fmt: skip
_BASIC = [
    _rule(["authorization.k8s.io"], ["selfsubjectaccessreviews", "selfsubjectrulesreviews"], ["create"]),
    _rule(["authentication.k8s.io"], ["selfsubjectreviews"], ["create"]),
]

CLUSTER_ROLES: dict[str, list[Object]] = {
    "cluster-admin": _EVERYTHING,
    "admin": _ADMIN,
    "edit": _EDIT,
    "view": _VIEW,
    "system:basic-user": _BASIC,
    "system:discovery": _DISCOVERY,
}


def create_roles(storage: Storage, edited: tuple[str, ...]) -> None:
    """Stores the roles and bindings.

    Args:
        storage: Where to.
        edited: The namespaces that developers may change things in; they must exist.
    """
    for name, rules in CLUSTER_ROLES.items():
        made = {"apiVersion": f"{_GROUP}/v1", "kind": "ClusterRole", "metadata": _described(name), "rules": rules}
        storage.create(f"clusterroles.{_GROUP}", made)
    for name, role, group in (
        ("cluster-admin", "cluster-admin", "system:masters"),
        ("system:basic-user", "system:basic-user", "system:authenticated"),
        ("system:discovery", "system:discovery", "system:authenticated"),
        ("viewers-view", "view", "viewers"),
    ):
        storage.create(f"clusterrolebindings.{_GROUP}", _binding("ClusterRoleBinding", _described(name), role, group))
    for namespace in edited:
        metadata = {"name": "developers-edit", "namespace": namespace}
        storage.create(f"rolebindings.{_GROUP}", _binding("RoleBinding", metadata, "edit", "developers"))


def _described(name: str) -> Object:
    if name.endswith("-view"):
        return {"name": name}
    return {"name": name, "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}}


def _binding(kind: str, metadata: Object, role: str, group: str) -> Object:
    return {
        "apiVersion": f"{_GROUP}/v1",
        "kind": kind,
        "metadata": metadata,
        "roleRef": {"apiGroup": _GROUP, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": _GROUP, "kind": "Group", "name": group}],
    }
