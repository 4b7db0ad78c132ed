"""Referred: whether what a manifest refers to is there, asked of the cluster.

What may not be read is not missed. Answers are kept for a moment, as somebody types, and of a secret no value is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from ktui.kinds.names import GVR, ObjectKey
from ktui.kinds.references import identity
from ktui.kube.discovery import Discovery
from ktui.kube.errors import Forbidden, NotFound
from ktui.manifests.problems import Path, Problem
from ktui.manifests.reading import Document
from ktui.manifests.referring import CLUSTER_SCOPED, Reference, listed, references

KEPT = 10.0
"""Seconds for which an answer is taken for true."""

AT_ONCE = 6
"""Requests under way at once."""

_GVRS = {
    ("", "Namespace"): GVR("", "v1", "namespaces"),
    ("", "Node"): GVR("", "v1", "nodes"),
    ("", "Secret"): GVR("", "v1", "secrets"),
    ("", "ConfigMap"): GVR("", "v1", "configmaps"),
    ("", "Service"): GVR("", "v1", "services"),
    ("", "ServiceAccount"): GVR("", "v1", "serviceaccounts"),
    ("", "PersistentVolume"): GVR("", "v1", "persistentvolumes"),
    ("", "PersistentVolumeClaim"): GVR("", "v1", "persistentvolumeclaims"),
    ("scheduling.k8s.io", "PriorityClass"): GVR("scheduling.k8s.io", "v1", "priorityclasses"),
    ("node.k8s.io", "RuntimeClass"): GVR("node.k8s.io", "v1", "runtimeclasses"),
    ("storage.k8s.io", "StorageClass"): GVR("storage.k8s.io", "v1", "storageclasses"),
    ("networking.k8s.io", "IngressClass"): GVR("networking.k8s.io", "v1", "ingressclasses"),
    ("rbac.authorization.k8s.io", "Role"): GVR("rbac.authorization.k8s.io", "v1", "roles"),
    ("rbac.authorization.k8s.io", "ClusterRole"): GVR("rbac.authorization.k8s.io", "v1", "clusterroles"),
}


class Reads(Protocol):
    """What is asked of a cluster; `Cluster` is one. Both methods raise KtuiError when it cannot be answered."""

    @property
    def now(self) -> float:
        """Epoch seconds."""

    async def discovery(self) -> Discovery:
        """What the server serves."""

    async def get(self, gvr: GVR, key: ObjectKey) -> dict[str, Any]:
        """One object."""


class _There(NamedTuple):
    """What an object has that others refer to.

    Attributes:
        parts: the keys of its data, or its ports by number and by name; None when they are not known.
        said: the same, to be read.
    """

    parts: frozenset[str | int] | None
    said: tuple[str, ...] = ()


_UNKNOWN = _There(None)
"""Stands for what may not be read: it may be there, and have everything."""

_Asked = tuple[str, str, str, str]
"""Group, kind, namespace and name."""


class Referred:
    """Looks up what manifests refer to.

    Args:
        cluster: whom to ask.
    """

    def __init__(self, cluster: Reads) -> None:
        self._cluster = cluster
        self._answers: dict[_Asked, tuple[float, _There | None]] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def missing(self, document: Document, namespace: str, among: Iterable[Any] = ()) -> list[Problem]:
        """Warnings of what is not there, in the order of the text.

        Args:
            document: the manifest.
            namespace: where it goes when it does not say so itself.
            among: objects that will be there, too: those of other documents.

        Raises:
            KtuiError: the server could not be asked.
        """
        found = references(document.value, namespace)
        self._drop_old()
        given = {_name_of(item, namespace): _there(item) for item in among if isinstance(item, dict)}
        spaces = [one for one in found if (one.group, one.kind) == ("", "Namespace")]
        answers = await self._answers_to(spaces, given)
        # When there is no namespace, nothing is in it, which need not be said of each thing.
        gone = {one.name for one in spaces if answers[_asked(one)] is None}
        rest = [one for one in found if one not in spaces and one.namespace not in gone and not one.optional]
        answers |= await self._answers_to(rest, given)
        told = [_missed(one, answers[_asked(one)]) for one in (*spaces, *rest)]
        problems = [_at(document, *one) for one in told if one is not None]
        return sorted(dict.fromkeys(problems), key=lambda problem: problem[:2])

    async def _answers_to(
        self, wanted: Iterable[Reference], given: dict[_Asked, _There]
    ) -> dict[_Asked, _There | None]:
        """What is known, and what the cluster says of the others: once of each, however often it is named."""
        unknown, answers = {}, dict[_Asked, _There | None]()
        for reference in wanted:
            asked = _asked(reference)
            if asked in given:
                answers[asked] = given[asked]
            elif asked in self._answers:
                answers[asked] = self._answers[asked][1]
            else:
                unknown[asked] = reference
        for asked, answer in zip(unknown, await _all(map(self._ask, unknown.values())), strict=True):
            answers[asked] = answer
            self._answers[asked] = (self._cluster.now, answer)
        return answers

    async def _ask(self, reference: Reference) -> _There | None:
        try:
            async with self._slots:
                if (gvr := await self._gvr(reference)) is None:
                    return _UNKNOWN
                item = await self._cluster.get(gvr, ObjectKey(reference.namespace, reference.name))
        except Forbidden:
            return _UNKNOWN
        except NotFound as error:
            # Without a name it is the kind that is not served, of which a schema tells.
            return None if error.details.name else _UNKNOWN
        return _there(item)

    async def _gvr(self, reference: Reference) -> GVR | None:
        if (known := _GVRS.get((reference.group, reference.kind))) is not None:
            return known
        resource = (await self._cluster.discovery()).find(reference.group, reference.kind)
        return resource.gvr if resource is not None and resource.namespaced else None

    def _drop_old(self) -> None:
        since = self._cluster.now - KEPT
        self._answers = {asked: kept for asked, kept in self._answers.items() if kept[0] > since}


async def missing(cluster: Reads, document: Document, namespace: str, among: Iterable[Any] = ()) -> list[Problem]:
    """What a manifest refers to and is not there; see `Referred.missing`."""
    return await Referred(cluster).missing(document, namespace, among)


async def _all(asking: Iterable[Any]) -> Sequence[Any]:
    """All answers; when one fails, nobody waits for the others."""
    tasks = [asyncio.ensure_future(one) for one in asking]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _asked(reference: Reference) -> _Asked:
    return reference.group, reference.kind, reference.namespace, reference.name


def _there(item: dict[str, Any]) -> _There:
    """What of an object others may refer to; of the values of a secret, nothing."""
    kind = item.get("kind")
    if kind in ("ConfigMap", "Secret"):
        fields = (item.get(field) for field in ("data", "binaryData", "stringData"))
        keys = [str(key) for field in fields if isinstance(field, dict) for key in field]
        return _There(frozenset(keys), tuple(dict.fromkeys(keys)))
    spec = item.get("spec")
    if kind != "Service" or not isinstance(spec, dict) or spec.get("type") == "ExternalName":
        return _UNKNOWN
    ports = spec.get("ports")
    found = [port for port in ports if isinstance(port, dict)] if isinstance(ports, list) else []
    parts = {part for port in found for part in (port.get("port"), port.get("name")) if isinstance(part, str | int)}
    said = (f"{port.get('port')} ({port['name']})" if port.get("name") else str(port.get("port")) for port in found)
    return _There(frozenset(parts), tuple(said))


def _name_of(item: dict[str, Any], namespace: str) -> _Asked:
    meta = item.get("metadata") if isinstance(item.get("metadata"), dict) else {}
    assert isinstance(meta, dict)
    group, kind = identity(item)
    return (
        group,
        kind,
        "" if kind in CLUSTER_SCOPED else str(meta.get("namespace") or namespace),
        str(meta.get("name") or ""),
    )


def _missed(reference: Reference, answer: _There | None) -> tuple[Path, str] | None:
    """Where something is missing, and what."""
    kind, name = reference.kind.lower(), reference.name
    if answer is None:
        where = f" in namespace {reference.namespace}" if reference.namespace else ""
        return reference.path, f'there is no {kind} "{name}"{where}'
    if answer.parts is None or reference.part is None or reference.part in answer.parts:
        return None
    part = reference.part if isinstance(reference.part, int) else f'"{reference.part}"'
    has = f"it has: {listed(answer.said)}" if answer.said else "it has none"
    return reference.part_path, f'{kind} "{name}" has no {"port" if kind == "service" else "key"} {part}; {has}'


def _at(document: Document, path: Path, message: str) -> Problem:
    place = document.at(path)
    return Problem(place.line, place.column, path, "warning", message)
