"""Snippets: fields that are often wanted, put where they belong in a manifest, beside what stands there.

A snippet says what is to be there as a value; `insertion` finds the lines. Comments, the order of fields and the style
of a text stay as they are. Sources of the fields: https://kubernetes.io/docs/reference/kubernetes-api/.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from ktui.manifests.problems import Path
from ktui.manifests.reading import Document
from ktui.manifests.writing import write

FRESH = "@"
"""Stands in a snippet for a name that nothing else in its lists has."""

_POD_SPECS: Mapping[str, Path] = {
    "Pod": ("spec",),
    "PodTemplate": ("template", "spec"),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
    **dict.fromkeys(
        ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "ReplicationController"),
        ("spec", "template", "spec"),
    ),
}
_CONTAINERS = ("containers", "initContainers")


class Edit(NamedTuple):
    """Lines that are put in the place of others.

    Attributes:
        row: before which line of the text, counted from 0.
        lines: what is put there.
        removed: how many lines, from that one on, go.
    """

    row: int
    lines: tuple[str, ...]
    removed: int = 0


class Snippet(NamedTuple):
    """Fields that are put into a manifest.

    Attributes:
        title: what they are.
        container: what is put into the container at the cursor.
        pod: what is put into the pod's spec.
        root: what is put into the whole object.
        name: what `FRESH` stands for, with a number behind it where that is taken.
        select: of what is put in, what a person changes first.
        kinds: of the objects that it fits; none for all that run pods.
    """

    title: str
    container: Mapping[str, Any] = {}
    pod: Mapping[str, Any] = {}
    root: Mapping[str, Any] = {}
    name: str = ""
    select: str = ""
    kinds: tuple[str, ...] = ()


def _volume(title: str, name: str, source: Mapping[str, Any], select: str, **mount: Any) -> Snippet:
    return Snippet(
        title,
        container={"volumeMounts": [{"name": FRESH, "mountPath": f"/mnt/{FRESH}", **mount}]},
        pod={"volumes": [{"name": FRESH, **source}]},
        name=name,
        select=select,
    )


def _probe(kind: str) -> Iterator[Snippet]:
    times: dict[str, Any] = {"periodSeconds": 10, "failureThreshold": 30 if kind == "startup" else 3}
    ways = (
        ("HTTP", {"httpGet": {"path": "/healthz", "port": 8080}}, "/healthz"),
        ("TCP", {"tcpSocket": {"port": 8080}}, "8080"),
        ("command", {"exec": {"command": ["cat", "/tmp/healthy"]}}, "cat"),
    )
    for way, action, select in ways:
        yield Snippet(f"{kind} probe, {way}", container={f"{kind}Probe": {**action, **times}}, select=select)


def _env(title: str, source: str, name: str) -> Snippet:
    value = {source: {"name": name, "key": "key"}}
    return Snippet(title, container={"env": [{"name": FRESH, "valueFrom": value}]}, name="NAME", select=name)


_LABELS = {"matchLabels": {"app": "my-app"}}

SNIPPETS: tuple[Snippet, ...] = (
    *_probe("liveness"),
    *_probe("readiness"),
    *_probe("startup"),
    Snippet(
        "resources",
        container={
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "128Mi"}},
        },
        select="100m",
    ),
    Snippet("port", container={"ports": [{"name": FRESH, "containerPort": 9090}]}, name="metrics", select="9090"),
    Snippet("environment variable", container={"env": [{"name": FRESH, "value": "value"}]}, name="NAME", select="NAME"),
    _env("environment variable from secret", "secretKeyRef", "my-secret"),
    _env("environment variable from config map", "configMapKeyRef", "my-config"),
    Snippet(
        "environment variable from the pod",
        container={"env": [{"name": FRESH, "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]},
        name="POD_NAME",
        select="metadata.name",
    ),
    Snippet(
        "all of a config map as environment",
        container={"envFrom": [{"configMapRef": {"name": "my-config"}}]},
        select="my-config",
    ),
    Snippet(
        "all of a secret as environment",
        container={"envFrom": [{"secretRef": {"name": "my-secret"}}]},
        select="my-secret",
    ),
    _volume("volume from config map", "config", {"configMap": {"name": "my-config"}}, "my-config", readOnly=True),
    _volume("volume from secret", "secret", {"secret": {"secretName": "my-secret"}}, "my-secret", readOnly=True),
    _volume("volume from claim", "data", {"persistentVolumeClaim": {"claimName": "my-claim"}}, "my-claim"),
    _volume("volume, empty", "scratch", {"emptyDir": {"sizeLimit": "1Gi"}}, "1Gi"),
    Snippet(
        "security context of the container",
        container={
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "runAsNonRoot": True,
                "capabilities": {"drop": ["ALL"]},
                "seccompProfile": {"type": "RuntimeDefault"},
            }
        },
    ),
    Snippet(
        "security context of the pod",
        pod={
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 1000,
                "fsGroup": 1000,
                "seccompProfile": {"type": "RuntimeDefault"},
            }
        },
        select="1000",
    ),
    Snippet("image pull secret", pod={"imagePullSecrets": [{"name": FRESH}]}, name="my-registry", select="my-registry"),
    Snippet("service account", pod={"serviceAccountName": "my-account"}, select="my-account"),
    Snippet(
        "toleration",
        pod={"tolerations": [{"key": "dedicated", "operator": "Equal", "value": "my-app", "effect": "NoSchedule"}]},
        select="dedicated",
    ),
    Snippet("node selector", pod={"nodeSelector": {"kubernetes.io/os": "linux"}}, select="kubernetes.io/os: linux"),
    Snippet(
        "affinity to nodes",
        pod={
            "affinity": {
                "nodeAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": {
                        "nodeSelectorTerms": [
                            {"matchExpressions": [{"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]}]}
                        ]
                    }
                }
            }
        },
        select="kubernetes.io/arch",
    ),
    Snippet(
        "affinity, pods apart",
        pod={
            "affinity": {
                "podAntiAffinity": {
                    "preferredDuringSchedulingIgnoredDuringExecution": [
                        {
                            "weight": 100,
                            "podAffinityTerm": {"topologyKey": "kubernetes.io/hostname", "labelSelector": _LABELS},
                        }
                    ]
                }
            }
        },
        select="my-app",
    ),
    Snippet(
        "topology spread",
        pod={
            "topologySpreadConstraints": [
                {
                    "maxSkew": 1,
                    "topologyKey": "topology.kubernetes.io/zone",
                    "whenUnsatisfiable": "ScheduleAnyway",
                    "labelSelector": _LABELS,
                }
            ]
        },
        select="my-app",
    ),
    Snippet(
        "init container",
        pod={"initContainers": [{"name": FRESH, "image": "busybox:1.37", "command": ["sh", "-c", "true"]}]},
        name="prepare",
        select="busybox:1.37",
    ),
    Snippet(
        "sidecar", pod={"containers": [{"name": FRESH, "image": "busybox:1.37"}]}, name="sidecar", select="busybox:1.37"
    ),
    Snippet("grace period", pod={"terminationGracePeriodSeconds": 30}, select="30"),
    Snippet(
        "rolling update",
        root={"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}}},
        kinds=("Deployment",),
    ),
    Snippet(
        "rolling update",
        root={"spec": {"updateStrategy": {"type": "RollingUpdate"}}},
        kinds=("StatefulSet", "DaemonSet"),
    ),
    Snippet(
        "claim template",
        root={
            "spec": {
                "volumeClaimTemplates": [
                    {
                        "metadata": {"name": FRESH},
                        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
                    }
                ]
            }
        },
        name="data",
        select="1Gi",
        kinds=("StatefulSet",),
    ),
    Snippet(
        "port",
        root={"spec": {"ports": [{"name": FRESH, "port": 443, "targetPort": 8443}]}},
        name="https",
        select="8443",
        kinds=("Service",),
    ),
    Snippet("time limit", root={"spec": {"activeDeadlineSeconds": 600}}, select="600", kinds=("Job",)),
    Snippet("clean up when finished", root={"spec": {"ttlSecondsAfterFinished": 3600}}, select="3600", kinds=("Job",)),
    Snippet(
        "rule",
        root={
            "spec": {
                "rules": [
                    {
                        "host": "my-app.example.com",
                        "http": {
                            "paths": [
                                {
                                    "path": "/",
                                    "pathType": "Prefix",
                                    "backend": {"service": {"name": "my-app", "port": {"number": 80}}},
                                }
                            ]
                        },
                    }
                ]
            }
        },
        select="my-app.example.com",
        kinds=("Ingress",),
    ),
    Snippet(
        "TLS",
        root={"spec": {"tls": [{"hosts": ["my-app.example.com"], "secretName": "my-app-tls"}]}},
        select="my-app-tls",
        kinds=("Ingress",),
    ),
    Snippet(
        "ingress from pods",
        root={"spec": {"ingress": [{"from": [{"podSelector": _LABELS}], "ports": [{"port": 8080}]}]}},
        select="my-app",
        kinds=("NetworkPolicy",),
    ),
    Snippet(
        "egress to DNS",
        root={
            "spec": {
                "egress": [
                    {
                        "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}],
                        "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}],
                    }
                ]
            }
        },
        kinds=("NetworkPolicy",),
    ),
    Snippet(
        "rule",
        root={"rules": [{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "list", "watch"]}]},
        select="deployments",
        kinds=("Role", "ClusterRole"),
    ),
    Snippet(
        "metric",
        root={
            "spec": {
                "metrics": [
                    {
                        "type": "Resource",
                        "resource": {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 80}},
                    }
                ]
            }
        },
        select="memory",
        kinds=("HorizontalPodAutoscaler",),
    ),
)
"""All there are, in the order in which they are offered."""


# -- what fits -----------------------------------------------------------------------------------


def pod_spec(kind: str) -> Path | None:
    """Where the objects of a kind have the spec of their pods; None when they have none."""
    return _POD_SPECS.get(kind)


def container_at(kind: str, path: Path) -> Path | None:
    """The container that a path is in; None when it is in none."""
    if (spec := pod_spec(kind)) is None or path[: len(spec)] != spec:
        return None
    inside = path[len(spec) :]
    if len(inside) < 2 or inside[0] not in _CONTAINERS or not isinstance(inside[1], int):
        return None
    return path[: len(spec) + 2]


def offered(kind: str, path: Path) -> list[Snippet]:
    """The snippets that fit somewhere in an object.

    Args:
        kind: of the object.
        path: of the field at the cursor.
    """
    spec, container = pod_spec(kind), container_at(kind, path)
    near_pod = spec is not None and (path[: len(spec)] == spec or spec[: len(path)] == path)
    found = []
    for snippet in SNIPPETS:
        if snippet.kinds:
            fits = kind in snippet.kinds
        elif snippet.container:
            fits = container is not None and not (container[-2] == "initContainers" and _probes(snippet))
        else:
            fits = near_pod
        if fits:
            found.append(snippet)
    return found


def _probes(snippet: Snippet) -> bool:
    return any(key.endswith("Probe") for key in snippet.container)


# -- where it goes -------------------------------------------------------------------------------


def insertion(snippet: Snippet, lines: Sequence[str], document: Document, path: Path) -> list[Edit]:
    """How a snippet is put into a text.

    Args:
        snippet: one that is offered there.
        lines: of the whole text.
        document: as it was read from this text.
        path: of the field at the cursor.

    Returns:
        None of them touches another. Nothing where the object is written as JSON, or everything is there already.
    """
    kind = document.value.get("kind", "") if isinstance(document.value, dict) else ""
    # Where two end in the same line, what is deeper comes first.
    holders: list[tuple[Path, Mapping[str, Any]]] = [((), snippet.root)]
    if (spec := pod_spec(kind)) is not None and snippet.pod:
        holders.insert(0, ((), _nested(spec, snippet.pod)))
    if (container := container_at(kind, path)) is not None:
        holders.insert(0, (container, snippet.container))
    if snippet.name:
        name = _fresh(
            snippet.name, {name for place, put in holders for name in _names(_get(document.value, place), put)}
        )
        holders = [(place, _named(put, name)) for place, put in holders]
    text = _Text(lines, document)
    edits = [edit for place, put in holders if put for edit in text.add(place, put)]
    edits.sort(key=lambda edit: edit.row)
    apart = all(one.row + one.removed <= other.row for one, other in pairwise(edits))
    return edits if apart else []


def _nested(path: Path, value: Mapping[str, Any]) -> Mapping[str, Any]:
    for part in reversed(path):
        value = {str(part): value}
    return value


def _fresh(name: str, taken: set[str]) -> str:
    found, count = name, 1
    while found in taken:
        count += 1
        found = f"{name}_{count}" if name.isupper() else f"{name}-{count}"
    return found


def _names(there: Any, put: Mapping[str, Any]) -> Iterator[str]:
    """The names of the items of the lists to which something is added."""
    for key, value in put.items():
        inner = there.get(key) if isinstance(there, dict) else None
        if isinstance(value, Mapping):
            yield from _names(inner, value)
        elif isinstance(value, list) and isinstance(inner, list):
            for item in inner:
                if isinstance(item, dict):
                    of_metadata = item.get("metadata")
                    yield str(item.get("name", of_metadata.get("name", "") if isinstance(of_metadata, dict) else ""))


def _named(value: Any, name: str) -> Any:
    if isinstance(value, str):
        return value.replace(FRESH, name)
    if isinstance(value, Mapping):
        return {key: _named(inner, name) for key, inner in value.items()}
    return [_named(inner, name) for inner in value] if isinstance(value, list) else value


def _get(value: Any, path: Path) -> Any:
    for part in path:
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return None
    return value


class _Text:
    """The lines of a text, and what stands where in it."""

    def __init__(self, lines: Sequence[str], document: Document) -> None:
        self._lines, self._document = lines, document
        self._inside: dict[Path, list[Path]] = {}
        for path in document.positions:
            if path:
                self._inside.setdefault(path[:-1], []).append(path)

    def add(self, path: Path, put: Mapping[str, Any]) -> list[Edit]:
        """Add fields to an object; what is there stays."""
        there = _get(self._document.value, path)
        if not isinstance(there, dict) or not there:
            return self._instead(path, dict(put))
        if self._flows(path):
            return self._instead(path, _merged(there, put))
        edits: list[Edit] = []
        new: dict[str, Any] = {}
        for key, value in put.items():
            inner, place = there.get(key), (*path, key)
            if key not in there:
                new[key] = value
            elif inner is None or inner in ({}, []):
                edits += self._instead(place, value)
            elif isinstance(inner, dict) and isinstance(value, Mapping):
                edits += self.add(place, value)
            elif isinstance(inner, list) and isinstance(value, list):
                edits += self._append(place, inner, value)
        if new:
            column = min((self._document.key(child).column for child in self._children(path)), default=1)
            edits.append(Edit(self._end(path), _written(new, " " * (column - 1))))
        return edits

    def _append(self, path: Path, there: list[Any], put: list[Any]) -> list[Edit]:
        if not (put := [item for item in put if item not in there]):
            return []
        if self._flows(path):
            return self._instead(path, [*there, *put])
        # The dash of an item is where its list begins.
        dash = self._document.at(path).column
        return [Edit(self._end(path), _written(put, " " * (dash - 1)))]

    def _instead(self, path: Path, value: Any) -> list[Edit]:
        """Write a value anew, with the key that it stands behind."""
        while len(path) > 0 and self._flows(path[:-1]):
            value = _with(_get(self._document.value, path[:-1]), path[-1], value)
            path = path[:-1]
        if not path:
            return []
        place, column = self._document.positions.get(path), 0
        if place is None:
            return []
        start = place.key or place.value
        first, column = start.line - 1, start.column - 1
        lead = self._lines[first][:column]
        if lead.strip(" -"):
            return []
        whole = {path[-1]: value} if place.key is not None else value
        lines = _written(whole, " " * column)
        end = max(first + 1, self._end(path))
        return [Edit(first, (lead + lines[0][column:], *lines[1:]), end - first)]

    def _flows(self, path: Path) -> bool:
        """Whether a value is written in braces or brackets."""
        at = self._document.at(path)
        return self._lines[at.line - 1][at.column - 1 : at.column] in ("{", "[")

    def _end(self, path: Path) -> int:
        """The row behind the last line of a value. Comments that follow are not part of it; what an alias or a merge
        brings in stands elsewhere."""
        place = self._document.positions[path]
        begin = (place.key or place.value).line
        if path not in self._inside or self._flows(path):
            return place.value.end_line if begin <= place.value.line else begin
        return max(map(self._end, self._children(path)), default=begin)

    def _children(self, path: Path) -> Iterator[Path]:
        """The values in a value, but for those that a merge brought in."""
        place = self._document.positions[path]
        first, last = (place.key or place.value).line, place.value.end_line
        for child in self._inside.get(path, ()):
            at = self._document.positions[child]
            if first <= (at.key or at.value).line <= max(first, last):
                yield child


def _merged(there: Mapping[str, Any], put: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(there)
    for key, value in put.items():
        inner = merged.get(key)
        if inner is None or inner in ({}, []):
            merged[key] = value
        elif isinstance(inner, dict) and isinstance(value, Mapping):
            merged[key] = _merged(inner, value)
        elif isinstance(inner, list) and isinstance(value, list):
            merged[key] = [*inner, *value]
    return merged


def _with(holder: Any, part: str | int, value: Any) -> Any:
    if isinstance(holder, list):
        return [value if index == part else item for index, item in enumerate(holder)]
    return {**holder, part: value}


def _written(value: Any, indent: str) -> tuple[str, ...]:
    return tuple(indent + line if line else line for line in write(value).rstrip("\n").split("\n"))
