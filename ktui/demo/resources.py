"""What the embedded cluster serves: one `Resource` per kind, and a `Registry` that also knows the custom ones.

Names, short names, categories and subresources are those a Kubernetes 1.36 API server announces in discovery.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class Resource:
    """One served kind.

    Attributes:
        group: API group, "" for core.
        version: the one version served.
        name: plural name, as in URLs.
        kind: as in `kind:` of an object.
        namespaced: whether objects live in a namespace.
        singular: singular name, as in `kubectl get pod`.
        short: short names, as in `kubectl get po`.
        categories: such as "all".
        subresources: names of the subresources served.
        verbs: what discovery announces.
        stored: whether objects are kept in storage (reviews and metrics are not).
        custom: the CustomResourceDefinition's version entry, for custom resources.
    """

    group: str
    version: str
    name: str
    kind: str
    namespaced: bool
    singular: str
    short: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    stored: bool = True
    custom: Mapping[str, Any] | None = None

    @property
    def key(self) -> str:
        """The name storage and error messages use: "pods", "deployments.apps"."""
        return f"{self.name}.{self.group}" if self.group else self.name

    @property
    def api_version(self) -> str:
        """As in `apiVersion:` of an object."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def status_subresource(self) -> bool:
        """Whether writes of spec ignore status, and the other way round."""
        return "status" in self.subresources

    @property
    def list_kind(self) -> str:
        """Kind of a list of these objects."""
        return f"{self.kind}List"


def _resource(
    api_version: str,
    kind: str,
    name: str,
    *,
    namespaced: bool = True,
    short: tuple[str, ...] = (),
    categories: tuple[str, ...] = (),
    sub: tuple[str, ...] = (),
    verbs: tuple[str, ...] = ALL_VERBS,
    stored: bool = True,
    singular: str | None = None,
) -> Resource:
    group, _, version = api_version.rpartition("/")
    return Resource(
        group=group,
        version=version,
        name=name,
        kind=kind,
        namespaced=namespaced,
        singular=kind.lower() if singular is None else singular,
        short=short,
        categories=categories,
        subresources=sub,
        verbs=verbs,
        stored=stored,
    )


_ALL = ("all",)
_STATUS = ("status",)
_SCALE = ("scale", "status")
_REVIEW: dict[str, Any] = {"verbs": ("create",), "stored": False, "namespaced": False}
_READ_ONLY: dict[str, Any] = {"verbs": ("get", "list"), "stored": False, "singular": ""}
_RBAC = "rbac.authorization.k8s.io/v1"
_NETWORKING = "networking.k8s.io/v1"
_POD_SUBRESOURCES = ("binding", "eviction", "log", "status")

_TABLE = (
    _resource("v1", "ConfigMap", "configmaps", short=("cm",)),
    _resource("v1", "Endpoints", "endpoints", short=("ep",)),
    _resource("v1", "Event", "events", short=("ev",)),
    _resource("v1", "LimitRange", "limitranges", short=("limits",)),
    _resource(
        "v1",
        "Namespace",
        "namespaces",
        namespaced=False,
        short=("ns",),
        sub=("finalize", "status"),
        verbs=("create", "delete", "get", "list", "patch", "update", "watch"),
    ),
    _resource("v1", "Node", "nodes", namespaced=False, short=("no",), sub=_STATUS),
    _resource("v1", "PersistentVolumeClaim", "persistentvolumeclaims", short=("pvc",), sub=_STATUS),
    _resource("v1", "PersistentVolume", "persistentvolumes", namespaced=False, short=("pv",), sub=_STATUS),
    _resource("v1", "Pod", "pods", short=("po",), categories=_ALL, sub=_POD_SUBRESOURCES),
    _resource("v1", "ReplicationController", "replicationcontrollers", short=("rc",), categories=_ALL, sub=_SCALE),
    _resource("v1", "ResourceQuota", "resourcequotas", short=("quota",), sub=_STATUS),
    _resource("v1", "Secret", "secrets"),
    _resource("v1", "ServiceAccount", "serviceaccounts", short=("sa",)),
    _resource("v1", "Service", "services", short=("svc",), categories=_ALL, sub=_STATUS),
    _resource("apps/v1", "ControllerRevision", "controllerrevisions"),
    _resource("apps/v1", "DaemonSet", "daemonsets", short=("ds",), categories=_ALL, sub=_STATUS),
    _resource("apps/v1", "Deployment", "deployments", short=("deploy",), categories=_ALL, sub=_SCALE),
    _resource("apps/v1", "ReplicaSet", "replicasets", short=("rs",), categories=_ALL, sub=_SCALE),
    _resource("apps/v1", "StatefulSet", "statefulsets", short=("sts",), categories=_ALL, sub=_SCALE),
    _resource("authentication.k8s.io/v1", "SelfSubjectReview", "selfsubjectreviews", **_REVIEW),
    _resource("authorization.k8s.io/v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", **_REVIEW),
    _resource("authorization.k8s.io/v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews", **_REVIEW),
    _resource(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        short=("hpa",),
        categories=_ALL,
        sub=_STATUS,
    ),
    _resource("batch/v1", "CronJob", "cronjobs", short=("cj",), categories=_ALL, sub=_STATUS),
    _resource("batch/v1", "Job", "jobs", categories=_ALL, sub=_STATUS),
    _resource(_NETWORKING, "IngressClass", "ingressclasses", namespaced=False),
    _resource(_NETWORKING, "Ingress", "ingresses", short=("ing",), sub=_STATUS),
    _resource(_NETWORKING, "NetworkPolicy", "networkpolicies", short=("netpol",)),
    _resource("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", short=("pdb",), sub=_STATUS),
    _resource(_RBAC, "ClusterRoleBinding", "clusterrolebindings", namespaced=False),
    _resource(_RBAC, "ClusterRole", "clusterroles", namespaced=False),
    _resource(_RBAC, "RoleBinding", "rolebindings"),
    _resource(_RBAC, "Role", "roles"),
    _resource("storage.k8s.io/v1", "StorageClass", "storageclasses", namespaced=False, short=("sc",)),
    _resource(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        "customresourcedefinitions",
        namespaced=False,
        short=("crd", "crds"),
        categories=("api-extensions",),
        sub=_STATUS,
    ),
    _resource("scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", namespaced=False, short=("pc",)),
    _resource("coordination.k8s.io/v1", "Lease", "leases"),
    _resource("discovery.k8s.io/v1", "EndpointSlice", "endpointslices"),
    _resource("metrics.k8s.io/v1beta1", "NodeMetrics", "nodes", namespaced=False, **_READ_ONLY),
    _resource("metrics.k8s.io/v1beta1", "PodMetrics", "pods", **_READ_ONLY),
)

RESOURCES: dict[str, Resource] = {resource.key: resource for resource in _TABLE}
"""Every built-in resource by key, in the order discovery lists them."""

# What discovery says a subresource answers with and which verbs it takes; "" stands for the object itself.
SUBRESOURCES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "status": ("", "", ("get", "patch", "update")),
    "scale": ("autoscaling/v1", "Scale", ("get", "patch", "update")),
    "log": ("", "", ("get",)),
    "eviction": ("policy/v1", "Eviction", ("create",)),
    "binding": ("", "Binding", ("create",)),
    "finalize": ("", "", ("update",)),
}


DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io"

SCALE = _resource("autoscaling/v1", "Scale", "scales")
"""What the scale subresource takes and answers with; nothing is listed of it."""


def custom_resources(definition: Mapping[str, Any]) -> list[Resource]:
    """The resources a CustomResourceDefinition asks for: its storage version, when served.

    Args:
        definition: a CustomResourceDefinition object.
    """
    spec = definition["spec"]
    names = spec["names"]
    served = [version for version in spec["versions"] if version.get("served") and version.get("storage")]
    return [
        Resource(
            group=spec["group"],
            version=version["name"],
            name=names["plural"],
            kind=names["kind"],
            namespaced=spec.get("scope") == "Namespaced",
            singular=names.get("singular") or names["kind"].lower(),
            short=tuple(names.get("shortNames") or ()),
            categories=tuple(names.get("categories") or ()),
            subresources=tuple(sorted(version.get("subresources") or ())),
            custom=version,
        )
        for version in served
    ]


class Registry:
    """The built-in resources and those that CustomResourceDefinitions added."""

    def __init__(self) -> None:
        self._custom: dict[str, list[Resource]] = {}
        self._rebuild()

    def define(self, definition: Mapping[str, Any]) -> None:
        """Serves what a CustomResourceDefinition asks for, in place of what it asked for before."""
        self._custom[definition["metadata"]["name"]] = custom_resources(definition)
        self._rebuild()

    def forget(self, name: str) -> None:
        """Stops serving a CustomResourceDefinition's resources."""
        self._custom.pop(name, None)
        self._rebuild()

    def find(self, group: str, version: str, name: str) -> Resource | None:
        """The resource at a URL's group, version and plural name."""
        return self._by_path.get((group, version, name))

    def by_key(self, key: str) -> Resource | None:
        """The resource with this storage key."""
        return self._by_key.get(key)

    def groups(self) -> dict[str, dict[str, list[Resource]]]:
        """Resources by group and version, in the order of discovery."""
        return self._groups

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._by_key.values())

    def _rebuild(self) -> None:
        custom = [resource for resources in self._custom.values() for resource in resources]
        self._by_key = RESOURCES | {resource.key: resource for resource in custom}
        self._by_path = {(r.group, r.version, r.name): r for r in self._by_key.values()}
        groups: dict[str, dict[str, list[Resource]]] = {}
        for resource in self._by_key.values():
            groups.setdefault(resource.group, {}).setdefault(resource.version, []).append(resource)
        self._groups = groups
