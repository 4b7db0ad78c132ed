"""Rules for the volumes of pods, and for claims: kubernetes `pkg/apis/core/validation`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ktui.demo.errors import Cause, bad_value, duplicate, forbidden_field, required, unsupported
from ktui.demo.names import label_problems, subdomain_problems
from ktui.demo.quantities import quantity

Object = dict[str, Any]

# What must be there of a source, by its kind.
_NEEDED = {
    "secret": "secretName",
    "configMap": "name",
    "persistentVolumeClaim": "claimName",
    "hostPath": "path",
    "nfs": "server",
    "csi": "driver",
}
_ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_VOLUME_MODES = ("Block", "Filesystem")
_LARGEST_MODE = 0o777


def volumes_causes(volumes: list[Object], field: str, names: set[str]) -> Iterator[Cause]:
    """What is wrong with a pod's volumes.

    Args:
        volumes: the volumes, with defaults.
        field: where they stand, as in "spec.volumes".
        names: takes the names of those of which nothing is wrong; only these can be mounted.
    """
    for index, volume in enumerate(volumes):
        here, name = f"{field}[{index}]", volume.get("name", "")
        causes = [*_sources(volume, here)]
        if not name:
            causes.append(required(f"{here}.name"))
        else:
            causes += [bad_value(f"{here}.name", name, problem) for problem in label_problems(name)]
        if name in names:
            causes.append(duplicate(f"{here}.name", name))
        elif not causes:
            names.add(name)
        yield from causes


def _sources(volume: Object, field: str) -> Iterator[Cause]:
    kinds = sorted(kind for kind, source in volume.items() if kind != "name" and source is not None)
    # Of several, the first that is looked at counts.
    kinds.sort(key=lambda kind: kind != "emptyDir")
    for kind in kinds[:1]:
        source, needed = volume[kind], _NEEDED.get(kind, "")
        if needed and not source.get(needed):
            yield required(f"{field}.{kind}.{needed}")
        mode = source.get("defaultMode")
        if mode is not None and not 0 <= mode <= _LARGEST_MODE:
            why = "must be a number between 0 and 0777 (octal), both inclusive"
            yield bad_value(f"{field}.{kind}.defaultMode", mode, why)
    for kind in kinds[1:]:
        yield forbidden_field(f"{field}.{kind}", "may not specify more than 1 volume type")


def claim_causes(spec: Object, field: str) -> Iterator[Cause]:
    """What is wrong with a claim.

    Args:
        spec: what is claimed, with defaults.
        field: where it stands, as in "spec".
    """
    modes = spec.get("accessModes") or []
    if not modes:
        yield required(f"{field}.accessModes", "at least 1 access mode is required")
    yield from (unsupported(f"{field}.accessModes", mode, _ACCESS_MODES) for mode in modes if mode not in _ACCESS_MODES)
    asked = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if asked is None:
        yield required(f"{field}.resources[storage]")
    elif (amount := quantity(asked)) is not None and amount <= 0:
        yield bad_value(f"{field}.resources[storage]", str(asked), "must be greater than zero")
    if name := spec.get("storageClassName"):
        yield from (bad_value(f"{field}.storageClassName", name, problem) for problem in subdomain_problems(name))
    mode = spec.get("volumeMode")
    if mode is not None and mode not in _VOLUME_MODES:
        yield unsupported(f"{field}.volumeMode", mode, _VOLUME_MODES)
