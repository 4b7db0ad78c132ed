"""Rules for the volumes of pods: kubernetes `pkg/apis/core/validation`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ktui.demo.errors import Cause, bad_value, duplicate, forbidden_field, required
from ktui.demo.names import label_problems

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
