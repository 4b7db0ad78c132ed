"""What a manifest refers to: other objects, which have to be looked up, and its own parts, which it may not have.

`ktui.kinds.references` finds the objects that an object of the server names. This looks at what somebody is typing: at
texts of any shape, with the place of each name, and with the keys and ports that are to be in those objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ktui.kinds.references import identity
from ktui.manifests.problems import Path, Problem
from ktui.manifests.reading import Document

CLUSTER_SCOPED = frozenset(
    ("Namespace", "Node", "PersistentVolume", "PriorityClass", "RuntimeClass", "StorageClass", "IngressClass",
     "ClusterRole")
)  # fmt: skip
"""Kinds that are referred to and live in no namespace."""


# What the server makes in every namespace.
_EVERYWHERE = frozenset((("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")))


class Reference(NamedTuple):
    """An object that a manifest names.

    Attributes:
        path: where its name stands.
        group: its API group.
        kind: its kind as manifests have it.
        namespace: where it should be; empty when it is cluster-scoped.
        name: its name.
        optional: whether one can do without it.
        part: a key of its data, or the number or the name of a port, that it should have; None for nothing.
        part_path: where that stands.
    """

    path: Path
    group: str
    kind: str
    namespace: str
    name: str
    optional: bool = False
    part: str | int | None = None
    part_path: Path = ()


def references(value: Any, namespace: str = "") -> list[Reference]:
    """The objects that a manifest names, in the order in which they are found; one for each place.

    Args:
        value: the object, as it was read; of any shape.
        namespace: where it goes when it does not say so itself.
    """
    if not isinstance(value, dict):
        return []
    if (items := _in_list(value)) is not None:
        return [_below(path, one) for path, item in items for one in references(item, namespace)]
    own = _text(_dict(value.get("metadata")).get("namespace"))
    about = _About(own or namespace)
    found = list(_named(value, about))
    if own and found and "metadata" in value:
        found.insert(0, Reference(("metadata", "namespace"), "", "Namespace", "", own))
    return found


def loose_ends(document: Document) -> list[Problem]:
    """Names of its own parts that a manifest does not have: ports of probes, volumes of mounts, labels of a selector.

    Args:
        document: as it was read.
    """
    found, value = [], document.value
    items = _in_list(value) if isinstance(value, dict) else None
    objects = [((), value)] if items is None else items
    ends = [((*path, *end), message) for path, item in objects for end, message in _loose_ends(item)]
    for path, message in ends:
        place = document.at(path)
        found.append(Problem(place.line, place.column, path, "warning", message))
    return sorted(found, key=lambda problem: problem[:2])


# -- other objects ---------------------------------------------------------------------------------


class _About(NamedTuple):
    """Makes references from within one object."""

    namespace: str

    def one(
        self,
        path: Path,
        kind: str,
        name: Any,
        group: str = "",
        *,
        optional: Any = False,
        part: tuple[Any, Path] = (None, ()),
    ) -> Iterator[Reference]:
        """A reference, if there is a name."""
        if not isinstance(name, str) or not name or (kind, name) in _EVERYWHERE:
            return
        namespace = "" if kind in CLUSTER_SCOPED else self.namespace
        wanted, where = part
        known = isinstance(wanted, str | int) and wanted != "" and not isinstance(wanted, bool)
        yield Reference(path, group, kind, namespace, name, optional is True, wanted if known else None, where)


def _named(value: dict[str, Any], about: _About) -> Iterator[Reference]:
    kind = identity(value)
    if (template := _template(value)) is not None:
        path, inner = template
        yield from _of_pod(_dict(inner.get("spec")), (*path, "spec"), about)
    if (reader := _READERS.get(kind)) is not None:
        yield from reader(value, _dict(value.get("spec")), about)


def _of_pod(spec: dict[str, Any], path: Path, about: _About) -> Iterator[Reference]:
    yield from about.one((*path, "serviceAccountName"), "ServiceAccount", spec.get("serviceAccountName"))
    yield from about.one((*path, "nodeName"), "Node", spec.get("nodeName"))
    scheduling, node = "scheduling.k8s.io", "node.k8s.io"
    yield from about.one((*path, "priorityClassName"), "PriorityClass", spec.get("priorityClassName"), scheduling)
    yield from about.one((*path, "runtimeClassName"), "RuntimeClass", spec.get("runtimeClassName"), node)
    for where, secret in _items(spec, "imagePullSecrets", path):
        yield from about.one((*where, "name"), "Secret", secret.get("name"))
    for where, volume in _items(spec, "volumes", path):
        yield from _of_volume(volume, where, about)
    for where, container in _containers(spec, path):
        for place, variable in _items(container, "env", where):
            source = _dict(variable.get("valueFrom"))
            for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
                chosen, at = _dict(source.get(field)), (*place, "valueFrom", field)
                key = (chosen.get("key"), (*at, "key"))
                yield from about.one((*at, "name"), kind, chosen.get("name"), optional=chosen.get("optional"), part=key)
        for place, source in _items(container, "envFrom", where):
            for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                chosen = _dict(source.get(field))
                at = (*place, field, "name")
                yield from about.one(at, kind, chosen.get("name"), optional=chosen.get("optional"))


def _of_volume(volume: dict[str, Any], path: Path, about: _About) -> Iterator[Reference]:
    claim = _dict(volume.get("persistentVolumeClaim"))
    yield from about.one((*path, "persistentVolumeClaim", "claimName"), "PersistentVolumeClaim", claim.get("claimName"))
    yield from _of_files(volume, path, about)
    for where, source in _items(_dict(volume.get("projected")), "sources", (*path, "projected")):
        yield from _of_files(source, where, about)
    ephemeral = _dict(_dict(volume.get("ephemeral")).get("volumeClaimTemplate"))
    at = (*path, "ephemeral", "volumeClaimTemplate", "spec")
    yield from _of_claim(_dict(ephemeral.get("spec")), at, about)


def _of_files(source: dict[str, Any], path: Path, about: _About) -> Iterator[Reference]:
    """What the files of a volume, or of a part of one, are taken from."""
    for field, kind in (("configMap", "ConfigMap"), ("secret", "Secret")):
        chosen, at = _dict(source.get(field)), (*path, field)
        # A volume of a secret has its name in a field of another name; a projected one does not.
        named = "secretName" if "secretName" in chosen else "name"
        name, optional = chosen.get(named), chosen.get("optional")
        items = [*_items(chosen, "items", at)]
        if not items:
            yield from about.one((*at, named), kind, name, optional=optional)
        for place, item in items:
            key = (item.get("key"), (*place, "key"))
            yield from about.one((*at, named), kind, name, optional=optional, part=key)


def _of_claim(spec: dict[str, Any], path: Path, about: _About) -> Iterator[Reference]:
    storage = "storage.k8s.io"
    yield from about.one((*path, "storageClassName"), "StorageClass", spec.get("storageClassName"), storage)
    yield from about.one((*path, "volumeName"), "PersistentVolume", spec.get("volumeName"))


def _of_claims(value: dict[str, Any], spec: dict[str, Any], about: _About) -> Iterator[Reference]:
    yield from _of_claim(spec, ("spec",), about)


def _of_stateful_set(value: dict[str, Any], spec: dict[str, Any], about: _About) -> Iterator[Reference]:
    yield from about.one(("spec", "serviceName"), "Service", spec.get("serviceName"))
    for where, claim in _items(spec, "volumeClaimTemplates", ("spec",)):
        yield from _of_claim(_dict(claim.get("spec")), (*where, "spec"), about)


def _of_persistent_volume(value: dict[str, Any], spec: dict[str, Any], about: _About) -> Iterator[Reference]:
    name = spec.get("storageClassName")
    # A volume made by hand may be of a class that is only a word, and often is.
    yield from about.one(("spec", "storageClassName"), "StorageClass", name, "storage.k8s.io", optional=True)


def _of_ingress(value: dict[str, Any], spec: dict[str, Any], about: _About) -> Iterator[Reference]:
    networking = "networking.k8s.io"
    yield from about.one(("spec", "ingressClassName"), "IngressClass", spec.get("ingressClassName"), networking)
    yield from _of_backend(spec.get("defaultBackend"), ("spec", "defaultBackend"), about)
    for where, rule in _items(spec, "rules", ("spec",)):
        for place, path in _items(_dict(rule.get("http")), "paths", (*where, "http")):
            yield from _of_backend(path.get("backend"), (*place, "backend"), about)
    for where, tls in _items(spec, "tls", ("spec",)):
        yield from about.one((*where, "secretName"), "Secret", tls.get("secretName"))


def _of_backend(backend: Any, path: Path, about: _About) -> Iterator[Reference]:
    service, at = _dict(_dict(backend).get("service")), (*path, "service")
    port = _dict(service.get("port"))
    field = "name" if "name" in port else "number"
    part = (port.get(field), (*at, "port", field))
    yield from about.one((*at, "name"), "Service", service.get("name"), part=part)


def _of_autoscaler(value: dict[str, Any], spec: dict[str, Any], about: _About) -> Iterator[Reference]:
    target = _dict(spec.get("scaleTargetRef"))
    group = _text(target.get("apiVersion")).rpartition("/")[0]
    if kind := _text(target.get("kind")):
        yield from about.one(("spec", "scaleTargetRef", "name"), kind, target.get("name"), group)


def _of_binding(value: dict[str, Any], spec: dict[str, Any], about: _About) -> Iterator[Reference]:
    role = _dict(value.get("roleRef"))
    if (kind := role.get("kind")) in ("Role", "ClusterRole"):
        yield from about.one(("roleRef", "name"), kind, role.get("name"), "rbac.authorization.k8s.io")
    for where, subject in _items(value, "subjects", ()):
        if subject.get("kind") == "ServiceAccount":
            there = _About(_text(subject.get("namespace")) or about.namespace)
            yield from there.one((*where, "name"), "ServiceAccount", subject.get("name"))


def _of_account(value: dict[str, Any], spec: dict[str, Any], about: _About) -> Iterator[Reference]:
    for field in ("secrets", "imagePullSecrets"):
        for where, secret in _items(value, field, ()):
            yield from about.one((*where, "name"), "Secret", secret.get("name"))


_Reader = Callable[[dict[str, Any], dict[str, Any], _About], Iterator[Reference]]
_READERS: Mapping[tuple[str, str], _Reader] = {
    ("apps", "StatefulSet"): _of_stateful_set,
    ("", "PersistentVolumeClaim"): _of_claims,
    ("", "PersistentVolume"): _of_persistent_volume,
    ("networking.k8s.io", "Ingress"): _of_ingress,
    ("autoscaling", "HorizontalPodAutoscaler"): _of_autoscaler,
    ("rbac.authorization.k8s.io", "RoleBinding"): _of_binding,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): _of_binding,
    ("", "ServiceAccount"): _of_account,
}


# -- its own parts ---------------------------------------------------------------------------------


_End = tuple[Path, str]


def _loose_ends(value: Any) -> Iterator[_End]:
    if not isinstance(value, dict) or (template := _template(value)) is None:
        return
    path, inner = template
    yield from _unmatched(value, inner)
    spec, where = _dict(inner.get("spec")), (*path, "spec")
    claims = _items(_dict(value.get("spec")), "volumeClaimTemplates", ("spec",))
    volumes = [volume.get("name") for _, volume in _items(spec, "volumes", where)]
    volumes += [_dict(claim.get("metadata")).get("name") for _, claim in claims]
    for at, container in _containers(spec, where):
        for field in ("volumeMounts", "volumeDevices"):
            for place, mount in _items(container, field, at):
                if (name := mount.get("name")) not in volumes and isinstance(name, str) and name:
                    yield (*place, "name"), f'there is no volume "{name}"{_there(volumes)}'
        yield from _ports(container, at)


def _ports(container: dict[str, Any], path: Path) -> Iterator[_End]:
    """Ports that probes and hooks call by names which the container does not give."""
    names = [port.get("name") for _, port in _items(container, "ports", path)]
    checks: list[tuple[dict[str, Any], Path]]
    checks = [(container, (probe,)) for probe in ("livenessProbe", "readinessProbe", "startupProbe")]
    checks += [(_dict(container.get("lifecycle")), ("lifecycle", hook)) for hook in ("postStart", "preStop")]
    for holder, steps in checks:
        check = _dict(holder.get(str(steps[-1])))
        for way in ("httpGet", "tcpSocket"):
            port = _dict(check.get(way)).get("port")
            if isinstance(port, str) and port and not port.isdigit() and port not in names:
                yield (*path, *steps, way, "port"), f'the container has no port named "{port}"{_there(names)}'


def _unmatched(value: dict[str, Any], template: dict[str, Any]) -> Iterator[_End]:
    """Labels that a selector wants and the template does not have."""
    if identity(value) not in _SELECTING:
        return
    labels = _dict(_dict(template.get("metadata")).get("labels"))
    selector, path = _dict(_dict(value.get("spec")).get("selector")), ("spec", "selector")
    for key, wanted in _dict(selector.get("matchLabels")).items():
        if labels.get(key) != wanted:
            has = f"{key}={labels[key]}" if key in labels else f"no label {key}"
            yield (*path, "matchLabels", key), f"the template has {has}, so that its pods would not be selected"
    for place, rule in _items(selector, "matchExpressions", path):
        if not _fulfilled(rule, labels):
            yield place, f"the template's label {rule.get('key')} does not fulfil this"


def _fulfilled(rule: dict[str, Any], labels: dict[str, Any]) -> bool:
    key, values = _text(rule.get("key")), rule.get("values")
    values = values if isinstance(values, list) else []
    match rule.get("operator"):
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    return True


def _there(names: Iterable[Any]) -> str:
    known = [name for name in names if isinstance(name, str) and name]
    return f"; there is: {listed(known)}" if known else ""


def listed(names: Iterable[str], most: int = 8) -> str:
    """Names to be read, the first of them: `a, b, c …`."""
    found = list(dict.fromkeys(names))
    return ", ".join(found[:most]) + (" …" if len(found) > most else "")


def _below(path: Path, reference: Reference) -> Reference:
    """A reference of an object that stands in another."""
    part = (*path, *reference.part_path) if reference.part_path else ()
    return reference._replace(path=(*path, *reference.path), part_path=part)


# -- shapes ----------------------------------------------------------------------------------------

_SELECTING = frozenset(("apps", kind) for kind in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"))
_TEMPLATED = _SELECTING | {("batch", "Job"), ("", "ReplicationController")}


def _template(value: dict[str, Any]) -> tuple[Path, dict[str, Any]] | None:
    """Where the pod is in an object that is one, or that makes some; None when it does not."""
    kind, spec = identity(value), _dict(value.get("spec"))
    if kind == ("", "Pod"):
        return (), value
    if kind in _TEMPLATED:
        return ("spec", "template"), _dict(spec.get("template"))
    if kind == ("batch", "CronJob"):
        job = _dict(_dict(spec.get("jobTemplate")).get("spec"))
        return ("spec", "jobTemplate", "spec", "template"), _dict(job.get("template"))
    return None


def _in_list(value: dict[str, Any]) -> list[tuple[Path, Any]] | None:
    """The objects of a List, and where they are; None of anything else."""
    items = value.get("items")
    if not isinstance(items, list) or not _text(value.get("kind")).endswith("List"):
        return None
    return [(("items", place), item) for place, item in enumerate(items)]


def _containers(spec: dict[str, Any], path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    for field in ("initContainers", "containers"):
        yield from _items(spec, field, path)


def _items(value: dict[str, Any], field: str, path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The objects in a list, and where they are."""
    found = value.get(field)
    for place, item in enumerate(found if isinstance(found, list) else ()):
        if isinstance(item, dict):
            yield (*path, field, place), item


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
