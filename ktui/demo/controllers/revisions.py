"""How templates are told apart: hashes that become part of names."""

from __future__ import annotations

import json
from typing import Any

from ktui.demo.controllers.pods import owner_reference
from ktui.demo.storage import SUFFIX_ALPHABET, Object, Storage

HASH_LABEL = "controller-revision-hash"
_STATEFULSET_HASH_LABEL = "controller.kubernetes.io/hash"

_REVISIONS = "controllerrevisions.apps"


def template_hash(*parts: Any) -> str:
    """Returns a stable hash of JSON values in the alphabet of generated names (FNV-1a of 32 bits, in decimal)."""
    digest = 2166136261
    for byte in json.dumps(parts, sort_keys=True, separators=(",", ":")).encode():
        digest = ((digest ^ byte) * 16777619) & 0xFFFFFFFF
    return "".join(SUFFIX_ALPHABET[ord(digit) % len(SUFFIX_ALPHABET)] for digit in str(digest))


def keep_revision(storage: Storage, workload: Object) -> str:
    """Makes sure there is a ControllerRevision of a workload's present template.

    Returns what its pods carry as `controller-revision-hash`: a StatefulSet's the whole name of the revision, a
    DaemonSet's only the hash in it.

    Args:
        storage: Where the revisions are.
        workload: A StatefulSet or DaemonSet.
    """
    metadata = workload["metadata"]
    revisions = [
        one
        for one in storage.list(_REVISIONS, metadata["namespace"])
        if any(owner["uid"] == metadata["uid"] for owner in one["metadata"].get("ownerReferences") or ())
    ]
    digest = template_hash(workload["spec"]["template"])
    number = max((one["revision"] for one in revisions), default=0)
    name = f"{metadata['name']}-{digest}"
    label = _STATEFULSET_HASH_LABEL if workload["kind"] == "StatefulSet" else HASH_LABEL
    present = next((one for one in revisions if one["metadata"]["name"] == name), None)
    if present is None:
        storage.create(
            _REVISIONS,
            {
                "apiVersion": "apps/v1",
                "kind": "ControllerRevision",
                "metadata": {
                    "name": name,
                    "namespace": metadata["namespace"],
                    "labels": {**(workload["spec"]["selector"].get("matchLabels") or {}), label: digest},
                    **({"annotations": metadata["annotations"]} if metadata.get("annotations") else {}),
                    "ownerReferences": [owner_reference(workload)],
                },
                "data": {"spec": {"template": _alphabetical({**workload["spec"]["template"], "$patch": "replace"})}},
                "revision": number + 1,
            },
        )
    elif present["revision"] < number:
        storage.update(_REVISIONS, {**present, "revision": number + 1})
    return name if workload["kind"] == "StatefulSet" else digest


def _alphabetical(value: Any) -> Any:
    """A value with the fields of its maps in the order of the alphabet, as raw JSON is kept."""
    if isinstance(value, list):
        return [_alphabetical(entry) for entry in value]
    return {key: _alphabetical(value[key]) for key in sorted(value)} if isinstance(value, dict) else value
