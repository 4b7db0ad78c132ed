"""Bindings: a pod is put on a node, as schedulers do it."""

from __future__ import annotations

from typing import Any

from ktui.demo.errors import bad_value, conflict, invalid, required
from ktui.demo.storage import Storage

Object = dict[str, Any]


def bind(storage: Storage, pod: Object, binding: Object, *, dry_run: bool) -> None:
    """Binds a pod to the node that a Binding names.

    Args:
        storage: where the pod is.
        pod: the pod.
        binding: the Binding as sent.
        dry_run: whether nothing is to be stored.

    Raises:
        StatusError: 409 when the pod has a node or is being deleted, 422 for a Binding that names none.
    """
    metadata, target = pod["metadata"], binding.get("target") or {}
    name = metadata["name"]
    kind, node = target.get("kind", ""), target.get("name", "")
    causes = [bad_value("target.kind", kind, "must be 'Node' or empty")] if kind not in ("", "Node") else []
    causes += [] if node else [required("target.name")]
    if causes:
        raise invalid("Binding", name, causes)
    if metadata.get("deletionTimestamp"):
        raise conflict("pods/binding", name, f"pod {name} is being deleted, cannot be assigned to a host")
    if pod["spec"].get("nodeName"):
        why = f'pod {name} is already assigned to node "{pod["spec"]["nodeName"]}"'
        raise conflict("pods/binding", name, why)
    if not dry_run:
        storage.update("pods", {**pod, "spec": {**pod["spec"], "nodeName": node}}, same_generation=True)
