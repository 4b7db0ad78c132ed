"""The names by which Kubernetes calls things: which resource, which object."""

from __future__ import annotations

from typing import NamedTuple


class GVR(NamedTuple):
    """A resource as it stands in a URL: API group ("" for core), version and plural name."""

    group: str
    version: str
    resource: str

    @property
    def group_version(self) -> str:
        """The `apiVersion` of its objects: `v1`, `apps/v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """The name kubectl accepts without doubt: `pods`, `deployments.apps`."""
        return f"{self.resource}.{self.group}" if self.group else self.resource

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The URL path of a collection, an object or a subresource.

        Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris

        Args:
            namespace: empty for cluster-scoped resources and for all namespaces.
            name: empty for the collection.
            subresource: `scale`, `status`, `log` ...; only with a name.
        """
        path = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        if namespace:
            path += f"/namespaces/{namespace}"
        path += f"/{self.resource}"
        if name:
            path += f"/{name}"
        if subresource:
            path += f"/{subresource}"
        return path


class ObjectKey(NamedTuple):
    """An object within its resource: namespace ("" when cluster-scoped) and name."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


# The kinds that ktui relates to each other and joins with each other.
GVR_NODES = GVR("", "v1", "nodes")
GVR_PODS = GVR("", "v1", "pods")
GVR_SERVICES = GVR("", "v1", "services")
GVR_EVENTS = GVR("", "v1", "events")
GVR_DEPLOYMENTS = GVR("apps", "v1", "deployments")
GVR_REPLICASETS = GVR("apps", "v1", "replicasets")
GVR_ENDPOINT_SLICES = GVR("discovery.k8s.io", "v1", "endpointslices")
GVR_NODE_METRICS = GVR("metrics.k8s.io", "v1beta1", "nodes")
GVR_POD_METRICS = GVR("metrics.k8s.io", "v1beta1", "pods")
