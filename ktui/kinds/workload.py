"""What workloads share: containers and selectors as kubectl prints them, and which pods belong to which workload."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from ktui.kinds.column import Column, Role
from ktui.kinds.names import GVR_PODS
from ktui.kinds.objects import LabelSelector, LabelSelectorRequirement, Object, ObjectMeta, Struct
from ktui.kinds.relation import Lookup
from ktui.kinds.row import Row

NONE = "<none>"


class Container(Struct):
    """What a table says of a container."""

    name: str = ""
    image: str = ""


class TemplateSpec(Struct):
    """The containers of a pod template."""

    containers: tuple[Container, ...] | None = None


class PodTemplate(Struct):
    """core.PodTemplateSpec."""

    metadata: ObjectMeta = ObjectMeta()
    spec: TemplateSpec = TemplateSpec()


class Workload(NamedTuple):
    """Whom a pod works for: the object a person made, a Deployment rather than its ReplicaSet."""

    namespace: str
    kind: str
    name: str


def workload_of(pod: Object) -> Workload | None:
    """Whom a pod works for, as far as the pod itself tells; None for a pod of nobody.

    A ReplicaSet of a Deployment is named `<deployment>-<pod-template-hash>`, and its pods carry that hash as a label.
    Source: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#pod-template-hash-label

    Args:
        pod: any view with metadata.
    """
    meta = pod.metadata
    owner = meta.controller
    if owner is None:
        return None
    if owner.kind == "ReplicaSet" and meta.labels and (template := meta.labels.get("pod-template-hash")):
        name = owner.name.removesuffix(f"-{template}")
        if name != owner.name:
            return Workload(meta.namespace, "Deployment", name)
    return Workload(meta.namespace, owner.kind, owner.name)


def pods_of(workload: Workload, lookup: Lookup) -> Iterable[Row]:
    """The pods that work for `workload`, as far as the open stores know."""
    return lookup.indexed(GVR_PODS, "workload", workload)


def labels_text(labels: dict[str, str] | None) -> str:
    """Labels as kubectl prints them: `app=web,tier=front`, sorted, or `<none>`."""
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items())) if labels else NONE


def selector_text(selector: LabelSelector | None) -> str:
    """A label selector as kubectl prints it: `app=web,tier in (a,b),!old`; empty for one that selects everything.

    Source: labels.Selector.String in k8s.io/apimachinery.
    """
    if selector is None:
        return ""
    parts = [(key, f"{key}={value}") for key, value in (selector.match_labels or {}).items()]
    parts += [(expression.key, _expression_text(expression)) for expression in selector.match_expressions or ()]
    return ",".join(text for _, text in sorted(parts, key=lambda part: part[0]))


def _expression_text(expression: LabelSelectorRequirement) -> str:
    match expression.operator:
        case "Exists":
            return expression.key
        case "DoesNotExist":
            return f"!{expression.key}"
    operator = "in" if expression.operator == "In" else "notin"
    return f"{expression.key} {operator} ({','.join(sorted(expression.values or ()))})"


def _container_names(item: Any) -> str:
    return ",".join(container.name for container in item.spec.template.spec.containers or ())


def _container_images(item: Any) -> str:
    return ",".join(container.image for container in item.spec.template.spec.containers or ())


CONTAINERS = Column(name="CONTAINERS", text=_container_names, wide=True)
IMAGES = Column(name="IMAGES", text=_container_images, wide=True, role=Role.SECONDARY)
