"""Volume provisioning: a PersistentVolume for every claim of a known StorageClass."""

from __future__ import annotations

from ktui.demo.controllers.conditions import is_leaving
from ktui.demo.controllers.controller import Controller, Key
from ktui.demo.storage import Event, Object

_CLASSES = "storageclasses.storage.k8s.io"
_DEFAULT = "storageclass.kubernetes.io/is-default-class"


class Volumes(Controller):
    """Binds claims to volumes made for them, and removes or releases volumes whose claim is gone."""

    watches = ("persistentvolumeclaims", _CLASSES)
    component = "persistentvolume-controller"

    def observe(self, event: Event) -> None:
        if event.resource == _CLASSES:
            self.start()
        elif event.type == "DELETED":
            self._release(event.object)
        else:
            super().observe(event)

    def sync(self, key: Key) -> None:
        claim = self.storage.get("persistentvolumeclaims", *key)
        if claim is None or is_leaving(claim) or claim["spec"].get("volumeName"):
            return
        kind = self._class_of(claim)
        if kind is None:
            asked = claim["spec"].get("storageClassName")
            if asked:
                message = f'storageclass.storage.k8s.io "{asked}" not found'
                self.announce(claim, "ProvisioningFailed", message, warning=True)
            elif asked is None:
                message = "no persistent volumes available for this claim and no storage class is set"
                self.announce(claim, "FailedBinding", message)
            return
        self._provision(claim, kind)

    def _class_of(self, claim: Object) -> Object | None:
        name = claim["spec"].get("storageClassName")
        if name is not None:
            return self.storage.get(_CLASSES, "", name)
        for kind in self.storage.list(_CLASSES):
            if (kind["metadata"].get("annotations") or {}).get(_DEFAULT) == "true":
                return kind
        return None

    def _provision(self, claim: Object, kind: Object) -> None:
        metadata, spec = claim["metadata"], claim["spec"]
        name = f"pvc-{metadata['uid']}"
        reference = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": metadata["namespace"]}
        reference |= {"name": metadata["name"], "uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]}
        capacity = {"storage": spec["resources"]["requests"]["storage"]}
        self.storage.create(
            "persistentvolumes",
            {
                "apiVersion": "v1",
                "kind": "PersistentVolume",
                "metadata": {
                    "name": name,
                    "annotations": {"pv.kubernetes.io/provisioned-by": kind["provisioner"]},
                    "finalizers": ["kubernetes.io/pv-protection"],
                },
                "spec": {
                    "accessModes": spec["accessModes"],
                    "capacity": capacity,
                    "claimRef": reference,
                    "csi": {"driver": kind["provisioner"], "volumeHandle": name},
                    "persistentVolumeReclaimPolicy": kind.get("reclaimPolicy", "Delete"),
                    "storageClassName": kind["metadata"]["name"],
                    "volumeMode": spec.get("volumeMode", "Filesystem"),
                },
                "status": {"phase": "Bound"},
            },
        )
        marks = {"pv.kubernetes.io/bind-completed": "yes", "pv.kubernetes.io/bound-by-controller": "yes"}
        bound = {**metadata, "annotations": {**(metadata.get("annotations") or {}), **marks}}
        claim = {**claim, "metadata": bound}
        claim["spec"] = {**spec, "volumeName": name, "storageClassName": kind["metadata"]["name"]}
        claim["status"] = {"phase": "Bound", "accessModes": spec["accessModes"], "capacity": capacity}
        claim = self.storage.update("persistentvolumeclaims", claim)
        self.announce(claim, "ProvisioningSucceeded", f"Successfully provisioned volume {name}")

    def _release(self, claim: Object) -> None:
        volume = self.storage.get("persistentvolumes", "", claim["spec"].get("volumeName", ""))
        if volume is None:
            return
        if volume["spec"]["persistentVolumeReclaimPolicy"] == "Delete":
            self.storage.delete("persistentvolumes", "", volume["metadata"]["name"])
        else:
            self.storage.update("persistentvolumes", {**volume, "status": {"phase": "Released"}})
