"""Which pods use a ConfigMap, a Secret, a claim or a service account.

Pods name what they use and not the reverse, so all pods of a namespace are read, in a view of just enough.
It is the way back of what `ktui.kinds.references` reads in one whole pod.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from ktui.kinds.objects import Struct
from ktui.kinds.pods import ContainerName, Pod, PodSpec


class _Named(Struct):
    name: str = ""
    secret_name: str = ""
    claim_name: str = ""


class _Source(Struct):
    """Where variables or files come from: a part of EnvFromSource, EnvVarSource and VolumeProjection alike."""

    config_map_ref: _Named | None = None
    config_map_key_ref: _Named | None = None
    config_map: _Named | None = None
    secret_ref: _Named | None = None
    secret_key_ref: _Named | None = None
    secret: _Named | None = None


class _Projected(Struct):
    sources: tuple[_Source, ...] | None = None


class _Volume(_Source):
    persistent_volume_claim: _Named | None = None
    ephemeral: msgspec.Raw = msgspec.Raw()
    projected: _Projected | None = None
    name: str = ""


class _Variable(Struct):
    value_from: _Source | None = None


class _Container(ContainerName):
    env: tuple[_Variable, ...] | None = None
    env_from: tuple[_Source, ...] | None = None


class _Spec(PodSpec):
    containers: tuple[_Container, ...] | None = None
    init_containers: tuple[_Container, ...] | None = None
    volumes: tuple[_Volume, ...] | None = None
    image_pull_secrets: tuple[_Named, ...] | None = None
    service_account_name: str = ""


class PodWithUses(Pod):
    """A pod with what it mounts and reads."""

    spec: _Spec = _Spec()


def uses(kind: str, name: str) -> Callable[[Any], bool]:
    """Whether a pod (a `PodWithUses`) uses an object of its namespace.

    Args:
        kind: ConfigMap, Secret, PersistentVolumeClaim or ServiceAccount.
        name: the object's name.
    """
    names = _NAMES[kind]
    return lambda pod: name in names(pod)


def _accounts(pod: PodWithUses) -> Iterator[str]:
    yield pod.spec.service_account_name


def _config_maps(pod: PodWithUses) -> Iterator[str]:
    for source in _sources(pod.spec):
        for found in (source.config_map_ref, source.config_map_key_ref, source.config_map):
            if found is not None:
                yield found.name


def _secrets(pod: PodWithUses) -> Iterator[str]:
    for source in _sources(pod.spec):
        for found in (source.secret_ref, source.secret_key_ref, source.secret):
            if found is not None:
                yield found.secret_name or found.name
    for found in pod.spec.image_pull_secrets or ():
        yield found.name


def _claims(pod: PodWithUses) -> Iterator[str]:
    for volume in pod.spec.volumes or ():
        if volume.persistent_volume_claim is not None:
            yield volume.persistent_volume_claim.claim_name
        elif bytes(volume.ephemeral):
            # https://kubernetes.io/docs/concepts/storage/ephemeral-volumes/#persistentvolumeclaim-naming
            yield f"{pod.metadata.name}-{volume.name}"


_NAMES: Mapping[str, Callable[[PodWithUses], Iterator[str]]] = {
    "ConfigMap": _config_maps,
    "Secret": _secrets,
    "PersistentVolumeClaim": _claims,
    "ServiceAccount": _accounts,
}


def _sources(spec: _Spec) -> Iterator[_Source]:
    for volume in spec.volumes or ():
        yield volume
        if volume.projected is not None:
            yield from volume.projected.sources or ()
    for container in (*(spec.init_containers or ()), *(spec.containers or ())):
        yield from container.env_from or ()
        for variable in container.env or ():
            if variable.value_from is not None:
                yield variable.value_from
