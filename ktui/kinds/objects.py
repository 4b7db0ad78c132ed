"""Typed views of objects: lean Structs that name only the fields ktui reads.

msgspec decodes the bytes of the API straight into them and skips every other field, so a pod costs about 7 µs and
6 KB instead of the 1,400 µs and 67 KB of a generated model. A screen that needs everything fetches the whole object.
"""

from __future__ import annotations

from typing import dataclass_transform

import msgspec

from ktui.kinds.names import ObjectKey


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Struct(msgspec.Struct, rename="camel", frozen=True, gc=False):
    """The base of all views: camelCase on the wire, never changed, invisible to the cyclic collector."""


class OwnerReference(Struct):
    """metav1.OwnerReference."""

    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool | None = None
    api_version: str = ""


class ObjectMeta(Struct):
    """metav1.ObjectMeta, without managedFields."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: tuple[OwnerReference, ...] | None = None

    @property
    def controller(self) -> OwnerReference | None:
        """The owner that manages the object, if any."""
        return next((owner for owner in self.owner_references or () if owner.controller), None)


class Object(Struct):
    """What every object has. Also the whole view of a kind that only the server can print."""

    metadata: ObjectMeta = ObjectMeta()

    @property
    def key(self) -> ObjectKey:
        """Namespace and name."""
        return ObjectKey(self.metadata.namespace, self.metadata.name)


class Condition(Struct):
    """A status condition: of a pod, a node, a deployment, and by convention of most custom resources."""

    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    last_transition_time: str | None = None
    last_update_time: str | None = None


class LabelSelectorRequirement(Struct):
    """One expression of a label selector."""

    key: str = ""
    operator: str = ""
    values: tuple[str, ...] | None = None


class LabelSelector(Struct):
    """metav1.LabelSelector: all labels and all expressions must match."""

    match_labels: dict[str, str] | None = None
    match_expressions: tuple[LabelSelectorRequirement, ...] | None = None

    def matches(self, labels: dict[str, str] | None) -> bool:
        """Whether an object with `labels` is selected; an empty selector selects everything.

        Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#resources-that-support-set-based-requirements
        """
        labels = labels or {}
        if any(labels.get(key) != value for key, value in (self.match_labels or {}).items()):
            return False
        return all(_holds(requirement, labels) for requirement in self.match_expressions or ())


def _holds(requirement: LabelSelectorRequirement, labels: dict[str, str]) -> bool:
    present, values = requirement.key in labels, requirement.values or ()
    match requirement.operator:
        case "In":
            return present and labels[requirement.key] in values
        case "NotIn":
            return not present or labels[requirement.key] not in values
        case "Exists":
            return present
        case "DoesNotExist":
            return not present
    return False
