"""Volume protection: claims that pods use and volumes that are bound stay until they are free.

Source: kubernetes.io/docs/concepts/storage/persistent-volumes/#storage-object-in-use-protection.
"""

from __future__ import annotations

from ktui.demo.controllers.conditions import is_finished, is_leaving, phase
from ktui.demo.controllers.controller import Controller, Key
from ktui.demo.controllers.garbage import drop_finalizer
from ktui.demo.storage import Event, Object
from ktui.demo.workload_identity import PROTECTION

_CLAIMS, _VOLUMES = "persistentvolumeclaims", "persistentvolumes"


class VolumeProtection(Controller):
    """Removes the protection of what is being deleted, once nothing needs it any more."""

    watches = (_CLAIMS, _VOLUMES, "pods")

    def observe(self, event: Event) -> None:
        if event.resource != "pods":
            super().observe(event)
        elif event.type == "DELETED" or is_finished(event.object):
            for name in _claims_of(event.object):
                self.queue.add((event.object["metadata"]["namespace"], name))

    def sync(self, key: Key) -> None:
        resource = _CLAIMS if key[0] else _VOLUMES
        obj = self.storage.get(resource, *key)
        if obj is None or not is_leaving(obj):
            return
        finalizer = PROTECTION[resource]
        used = self._is_used(key) if key[0] else phase(obj) == "Bound"
        if not used and finalizer in (obj["metadata"].get("finalizers") or ()):
            drop_finalizer(self, resource, obj, finalizer)

    def _is_used(self, claim: Key) -> bool:
        """Says whether a pod that is on a node has the claim."""
        for pod in self.storage.list("pods", claim[0]):
            if pod["spec"].get("nodeName") and not is_finished(pod) and claim[1] in _claims_of(pod):
                return True
        return False


def _claims_of(pod: Object) -> list[str]:
    sources = (volume.get("persistentVolumeClaim") for volume in pod["spec"].get("volumes") or ())
    return [source["claimName"] for source in sources if source]
