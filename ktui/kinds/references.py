"""References: which objects an object names, and where to look for those that belong to it.

Pure functions of whole objects (dicts as decoded from JSON). What they find is fetched by `ktui.kube.relatives`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from ktui.kinds.objects import LabelSelector, Object, ObjectMeta
from ktui.kinds.pod_uses import PodWithUses, uses
from ktui.kinds.workload import labels_text, selector_text

JsonObject = Mapping[str, Any]


class Reference(NamedTuple):
    """An object that another one names.

    Attributes:
        group: its API group.
        kind: its kind as manifests have it.
        namespace: empty when it is cluster-scoped.
        name: its name.
        why: what it is to the one that names it, a few words.
        optional: whether the one that names it can do without.
    """

    group: str
    kind: str
    namespace: str
    name: str
    why: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """Where to look for objects that belong to one object, but are not named by it.

    Attributes:
        group: the API group of what is looked for.
        kind: its kind.
        namespace: where; empty for everywhere.
        labels: a label selector.
        fields: a field selector.
        why: what is found, in the words of a heading or of a note.
        keep: of a typed object, whether it is one of them; None when the selectors decide.
        view: what `keep` has to see of an object, where that is more than the kind's own view.
    """

    group: str
    kind: str
    namespace: str
    labels: str = ""
    fields: str = ""
    why: str = ""
    keep: Callable[[Any], bool] | None = None
    view: type[Object] | None = None


# What the objects of a kind own, down the tree. All are found by the owner's own selector, which keeps lists small.
_OWNED_BY_SELECTOR: Mapping[tuple[str, str], tuple[tuple[str, str], ...]] = {
    ("apps", "Deployment"): (("apps", "ReplicaSet"), ("", "Pod")),
    ("apps", "ReplicaSet"): (("", "Pod"),),
    ("apps", "StatefulSet"): (("", "Pod"),),
    ("apps", "DaemonSet"): (("", "Pod"),),
    ("batch", "Job"): (("", "Pod"),),
    ("", "ReplicationController"): (("", "Pod"),),
}
# What the controllers of custom resources make.
_OFTEN_OWNED = (
    ("", "Pod"), ("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "DaemonSet"), ("apps", "ReplicaSet"),
    ("batch", "Job"), ("batch", "CronJob"), ("", "Service"), ("", "ConfigMap"), ("", "Secret"), ("", "ServiceAccount"),
    ("", "PersistentVolumeClaim"), ("networking.k8s.io", "Ingress"), ("autoscaling", "HorizontalPodAutoscaler"),
)  # fmt: skip


def identity(item: JsonObject) -> tuple[str, str]:
    """The API group and the kind of a whole object."""
    group, slash, _ = str(item.get("apiVersion", "")).partition("/")
    return (group if slash else "", str(item.get("kind", "")))


def owners(meta: ObjectMeta) -> list[Reference]:
    """The owners of an object, the one that controls it first.

    Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/

    Args:
        meta: the object's metadata.
    """
    found = sorted(meta.owner_references or (), key=lambda owner: not owner.controller)
    return [
        Reference(
            _group(owner.api_version),
            owner.kind,
            meta.namespace,
            owner.name,
            "owns",
        )
        for owner in found
    ]


def owned(item: JsonObject) -> list[Search]:
    """Where objects are that an object may own; their owner references decide."""
    group, kind = identity(item)
    namespace = (item.get("metadata") or {}).get("namespace", "")
    if not namespace:
        return []
    if (found := _OWNED_BY_SELECTOR.get((group, kind))) is not None:
        labels = _selector((item.get("spec") or {}).get("selector"))
        return [Search(*what, namespace, labels=labels) for what in found]
    if (group, kind) == ("batch", "CronJob"):
        job = "batch.kubernetes.io/job-name"
        return [Search("batch", "Job", namespace), Search("", "Pod", namespace, labels=job)]
    # Of Kubernetes' own kinds no others own anything worth a search.
    custom = "." in group and not group.endswith(".k8s.io")
    return [Search(*what, namespace) for what in _OFTEN_OWNED] if custom else []


def named(item: JsonObject) -> list[Reference]:
    """The objects that an object names: each once, with all reasons."""
    group, kind = identity(item)
    meta, spec = item.get("metadata") or {}, item.get("spec") or {}
    reader = _NAMED.get((group, kind), _named_by_custom)
    merged: dict[tuple[str, ...], list[Reference]] = {}
    for reference in reader(_Namer(group, meta.get("namespace", ""), meta.get("name", "")), item, spec):
        if reference.name:
            merged.setdefault(reference[:4], []).append(reference)
    return [
        same[0]._replace(
            why=", ".join(dict.fromkeys(reference.why for reference in same)),
            optional=all(reference.optional for reference in same),
        )
        for same in merged.values()
    ]


def searches(item: JsonObject) -> list[Search]:
    """Where to look for objects that select an object, or are selected by it."""
    group, kind = identity(item)
    meta, spec = item.get("metadata") or {}, item.get("spec") or {}
    namespace, name = meta.get("namespace", ""), meta.get("name", "")
    match group, kind:
        case "", "Node":
            return [Search("", "Pod", "", fields=f"spec.nodeName={name}", why="Pods on it")]
        case "", "Service":
            slices = f"kubernetes.io/service-name={name}"
            found = [Search("discovery.k8s.io", "EndpointSlice", namespace, labels=slices, why="Its endpoints")]
            if selector := spec.get("selector"):
                found.append(Search("", "Pod", namespace, labels=labels_text(selector), why="Pods it selects"))
            return found
        case ("policy", "PodDisruptionBudget") | ("networking.k8s.io", "NetworkPolicy"):
            labels = _selector(spec.get("selector") or spec.get("podSelector"))
            return [Search("", "Pod", namespace, labels=labels, why="Pods it selects")]
        case "", "ConfigMap" | "Secret" | "PersistentVolumeClaim" | "ServiceAccount":
            return [Search("", "Pod", namespace, why="Pods that use it", keep=uses(kind, name), view=PodWithUses)]
        case "", "Pod":
            return [_services(namespace, meta.get("labels"), "Services that select it")]
    template = _template(item)
    if template is not None and kind not in ("Job", "CronJob"):
        return [_services(namespace, (template.get("metadata") or {}).get("labels"), "Services that select its pods")]
    return []


def _services(namespace: str, labels: Mapping[str, str] | None, why: str) -> Search:
    have = dict(labels or {})

    def selects(service: Any) -> bool:
        selector = service.spec.selector
        return bool(selector) and all(have.get(key) == value for key, value in selector.items())

    return Search("", "Service", namespace, why=why, keep=selects)


# -- what each kind names --------------------------------------------------------------------


class _Namer(NamedTuple):
    """Makes references from within one object."""

    group: str
    namespace: str
    name: str

    def here(self, kind: str, name: str | None, why: str, group: str = "") -> Reference:
        return Reference(group, kind, self.namespace, name or "", why)

    def chosen(self, kind: str, chosen: JsonObject | None, why: str) -> Reference:
        """What a volume or a variable takes its content from; it may say that it can do without."""
        chosen = chosen or {}
        name = chosen.get("name") or chosen.get("secretName") or ""
        return Reference("", kind, self.namespace, name, why, optional=bool(chosen.get("optional")))

    def everywhere(self, kind: str, name: str | None, why: str, group: str = "") -> Reference:
        return Reference(group, kind, "", name or "", why)


def _named_by_pod(namer: _Namer, item: JsonObject, spec: JsonObject) -> Iterator[Reference]:
    yield namer.everywhere("Node", spec.get("nodeName"), "runs on")
    yield from _named_by_pod_spec(namer, spec)


def _named_by_workload(namer: _Namer, item: JsonObject, spec: JsonObject) -> Iterator[Reference]:
    if identity(item) == ("apps", "StatefulSet"):
        yield namer.here("Service", spec.get("serviceName"), "names its pods")
    yield from _named_by_pod_spec(namer, (_template(item) or {}).get("spec") or {})


def _named_by_pod_spec(namer: _Namer, spec: JsonObject) -> Iterator[Reference]:
    yield namer.here("ServiceAccount", spec.get("serviceAccountName"), "runs as")
    for volume in spec.get("volumes") or ():
        # Every pod has this one, whatever it is; it says nothing about the pod.
        if not str(volume.get("name", "")).startswith("kube-api-access-"):
            yield from _named_by_volume(namer, volume)
    containers = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    for container in containers:
        why = f"environment of {container.get('name', '')}"
        sources = [entry.get("valueFrom") or {} for entry in container.get("env") or ()]
        for source in (*(container.get("envFrom") or ()), *sources):
            for field, kind in (
                ("configMapRef", "ConfigMap"),
                ("configMapKeyRef", "ConfigMap"),
                ("secretRef", "Secret"),
                ("secretKeyRef", "Secret"),
            ):
                yield namer.chosen(kind, source.get(field), why)
    for secret in spec.get("imagePullSecrets") or ():
        yield namer.here("Secret", secret.get("name"), "pulls images")


def _named_by_volume(namer: _Namer, volume: JsonObject) -> Iterator[Reference]:
    why = f"volume {volume.get('name', '')}"
    yield namer.here("PersistentVolumeClaim", (volume.get("persistentVolumeClaim") or {}).get("claimName"), why)
    if "ephemeral" in volume:
        yield namer.here("PersistentVolumeClaim", f"{namer.name}-{volume.get('name', '')}", why)
    for source in (volume, *((volume.get("projected") or {}).get("sources") or ())):
        yield namer.chosen("ConfigMap", source.get("configMap"), why)
        yield namer.chosen("Secret", source.get("secret"), why)


def _named_by_ingress(namer: _Namer, item: JsonObject, spec: JsonObject) -> Iterator[Reference]:
    yield _backend(namer, spec.get("defaultBackend"), "everything else")
    for rule in spec.get("rules") or ():
        for path in (rule.get("http") or {}).get("paths") or ():
            yield _backend(namer, path.get("backend"), f"{rule.get('host') or '*'}{path.get('path') or '/'}")
    for tls in spec.get("tls") or ():
        yield namer.here("Secret", tls.get("secretName"), f"certificate of {', '.join(tls.get('hosts') or ('*',))}")
    yield namer.everywhere("IngressClass", spec.get("ingressClassName"), "served by", "networking.k8s.io")


def _backend(namer: _Namer, backend: JsonObject | None, why: str) -> Reference:
    return namer.here("Service", ((backend or {}).get("service") or {}).get("name"), why)


def _named_by_claim(namer: _Namer, item: JsonObject, spec: JsonObject) -> Iterator[Reference]:
    yield namer.everywhere("PersistentVolume", spec.get("volumeName"), "bound to")
    yield namer.everywhere("StorageClass", spec.get("storageClassName"), "provisioned by", "storage.k8s.io")


def _named_by_volume_object(namer: _Namer, item: JsonObject, spec: JsonObject) -> Iterator[Reference]:
    claim = spec.get("claimRef") or {}
    yield Reference("", "PersistentVolumeClaim", claim.get("namespace", ""), claim.get("name", ""), "bound to")
    yield namer.everywhere("StorageClass", spec.get("storageClassName"), "provisioned by", "storage.k8s.io")


def _named_by_binding(namer: _Namer, item: JsonObject, spec: JsonObject) -> Iterator[Reference]:
    role = item.get("roleRef") or {}
    namespace = "" if role.get("kind") == "ClusterRole" else namer.namespace
    yield Reference(role.get("apiGroup", ""), role.get("kind", ""), namespace, role.get("name", ""), "grants")
    for subject in item.get("subjects") or ():
        if subject.get("kind") == "ServiceAccount":
            yield Reference("", "ServiceAccount", subject.get("namespace", ""), subject.get("name", ""), "to")


def _named_by_slice(namer: _Namer, item: JsonObject, spec: JsonObject) -> Iterator[Reference]:
    for endpoint in item.get("endpoints") or ():
        target = endpoint.get("targetRef") or {}
        yield namer.here(target.get("kind", ""), target.get("name"), ", ".join(endpoint.get("addresses") or ()))


def _named_by_event(namer: _Namer, item: JsonObject, spec: JsonObject) -> Iterator[Reference]:
    about = item.get("involvedObject") or {}
    group = _group(about.get("apiVersion", ""))
    yield Reference(group, about.get("kind", ""), about.get("namespace", ""), about.get("name", ""), "is about")


def _named_by_account(namer: _Namer, item: JsonObject, spec: JsonObject) -> Iterator[Reference]:
    for field, why in (("secrets", "may be mounted"), ("imagePullSecrets", "pulls images")):
        for secret in item.get(field) or ():
            yield namer.here("Secret", secret.get("name"), why)


def _named_by_custom(namer: _Namer, item: JsonObject, spec: JsonObject) -> Iterator[Reference]:
    """By convention a field `somethingRef` with a kind and a name refers to an object."""
    yield from _conventional(namer, spec) if isinstance(spec, Mapping) else ()


def _conventional(namer: _Namer, value: JsonObject) -> Iterator[Reference]:
    for field, inner in value.items():
        if not isinstance(inner, Mapping):
            continue
        if field.endswith("Ref") and isinstance(inner.get("kind"), str) and isinstance(inner.get("name"), str):
            said = inner.get("apiVersion") or inner.get("group") or inner.get("apiGroup")
            # Where no group is said, it is the object's own.
            group = namer.group if said is None else _group(said) if "/" in said or said == "v1" else said
            namespace = inner.get("namespace") or namer.namespace
            yield Reference(group, inner["kind"], namespace, inner["name"], field)
        else:
            yield from _conventional(namer, inner)


_Named = Callable[[_Namer, JsonObject, JsonObject], Iterable[Reference]]
_NAMED: Mapping[tuple[str, str], _Named] = {
    ("", "Pod"): _named_by_pod,
    **dict.fromkeys((*_OWNED_BY_SELECTOR, ("batch", "CronJob")), _named_by_workload),
    ("networking.k8s.io", "Ingress"): _named_by_ingress,
    ("", "PersistentVolumeClaim"): _named_by_claim,
    ("", "PersistentVolume"): _named_by_volume_object,
    ("rbac.authorization.k8s.io", "RoleBinding"): _named_by_binding,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): _named_by_binding,
    ("discovery.k8s.io", "EndpointSlice"): _named_by_slice,
    ("", "Event"): _named_by_event,
    ("", "ServiceAccount"): _named_by_account,
}


def _template(item: JsonObject) -> JsonObject | None:
    """The pod template of a workload."""
    spec = item.get("spec") or {}
    if identity(item) == ("batch", "CronJob"):
        spec = (spec.get("jobTemplate") or {}).get("spec") or {}
    template = spec.get("template") if identity(item) in _NAMED else None
    return template if isinstance(template, Mapping) else None


def _selector(selector: JsonObject | None) -> str:
    """A selector of an object as the API takes it in a query."""
    if not selector:
        return ""
    if not selector.keys() <= {"matchLabels", "matchExpressions"}:
        return labels_text(dict(selector))
    return selector_text(msgspec.convert(selector, LabelSelector))


def _group(api_version: str) -> str:
    group, slash, _ = api_version.partition("/")
    return group if slash else ""
