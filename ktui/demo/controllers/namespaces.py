"""Namespaces: what every new one contains, and emptying those that are deleted."""

from __future__ import annotations

from collections import Counter

from ktui.demo.controllers.conditions import is_leaving, with_condition
from ktui.demo.controllers.controller import Controller, Key
from ktui.demo.deletion import request_delete
from ktui.demo.storage import Event, Object

_CA = "kube-root-ca.crt"
_CA_TEXT = """-----BEGIN CERTIFICATE-----
(the embedded cluster's certificate authority stands in the kubeconfig)
-----END CERTIFICATE-----
"""
_NOTE = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints."

# condition, reason and message when all is well
_WELL = (
    ("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"),
    ("NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions", "All legacy kube types successfully parsed"),
    (
        "NamespaceDeletionContentFailure",
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
    ("NamespaceContentRemaining", "ContentRemoved", "All content successfully removed"),
    ("NamespaceFinalizersRemaining", "ContentHasNoFinalizers", "All content-preserving finalizers finished"),
)


class Namespaces(Controller):
    """Furnishes namespaces and clears them out."""

    watches = ("namespaces", "*")
    component = "namespace-controller"

    def start(self) -> None:
        for namespace in self.storage.list("namespaces"):
            self.queue.add(("", namespace["metadata"]["name"]))

    def observe(self, event: Event) -> None:
        metadata = event.object["metadata"]
        if event.resource == "namespaces":
            self.queue.add(("", metadata["name"]))
        elif event.type == "DELETED" and metadata.get("namespace"):
            namespace = self.storage.get("namespaces", "", metadata["namespace"])
            furniture = event.resource in ("serviceaccounts", "configmaps")
            if namespace is not None and (is_leaving(namespace) or furniture):
                self.queue.add(("", metadata["namespace"]))

    def sync(self, key: Key) -> None:
        namespace = self.storage.get("namespaces", *key)
        if namespace is None:
            return
        if is_leaving(namespace):
            self._clear(namespace)
        else:
            self._furnish(namespace["metadata"]["name"])

    def _furnish(self, name: str) -> None:
        if self.storage.get("serviceaccounts", name, "default") is None:
            metadata = {"name": "default", "namespace": name}
            self.storage.create("serviceaccounts", {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
        if self.storage.get("configmaps", name, _CA) is None:
            described = {"name": _CA, "namespace": name, "annotations": {"kubernetes.io/description": _NOTE}}
            made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": described, "data": {"ca.crt": _CA_TEXT}}
            self.storage.create("configmaps", made)

    def _clear(self, namespace: Object) -> None:
        name = namespace["metadata"]["name"]
        for resource in self.storage.resources():
            for obj in self.storage.list(resource, name):
                if not is_leaving(obj):
                    request_delete(self.storage, resource, name, obj["metadata"]["name"])
        left: Counter[str] = Counter()
        finalizers: Counter[str] = Counter()
        for resource in self.storage.resources():
            for obj in self.storage.list(resource, name):
                left[resource if "." in resource else f"{resource}."] += 1
                finalizers.update(obj["metadata"].get("finalizers") or ())
        if left:
            self._write_status(namespace, left, finalizers)
        elif not namespace["metadata"].get("finalizers"):
            self.storage.delete("namespaces", "", name)

    def _write_status(self, namespace: Object, left: Counter[str], finalizers: Counter[str]) -> None:
        now = self.clock.now()
        status = namespace.get("status") or {}
        conditions = status.get("conditions") or []
        for kind, reason, message in _WELL:
            well = "False"
            if kind == "NamespaceContentRemaining":
                counts = ", ".join(f"{what} has {count} resource instances" for what, count in sorted(left.items()))
                well, reason, message = "True", "SomeResourcesRemain", f"Some resources are remaining: {counts}"
            elif kind == "NamespaceFinalizersRemaining" and finalizers:
                counts = ", ".join(
                    f"{what} in {count} resource instances" for what, count in sorted(finalizers.items())
                )
                well, reason = "True", "SomeFinalizersRemain"
                message = f"Some content in the namespace has finalizers remaining: {counts}"
            conditions = with_condition(conditions, kind, well, now, reason=reason, message=message)
        self.storage.update("namespaces", {**namespace, "status": {**status, "conditions": conditions}})
