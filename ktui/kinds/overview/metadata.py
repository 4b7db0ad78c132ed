"""What every object says about itself: age, owner, labels, annotations, conditions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ktui.kinds.overview.section import Item, Line, Section, TableRow, ago, at, items_at, scalar, table
from ktui.kinds.quantity import human_bytes
from ktui.kinds.status_words import tone_of_condition
from ktui.kinds.time import epoch
from ktui.kinds.tone import Tone

# Annotations that repeat the whole object, including a Secret's data.
FOLDED = ("kubectl.kubernetes.io/last-applied-configuration",)
_LONG = 400


def about(item: Item, now: float) -> list[tuple[str, Any] | tuple[str, Any, Tone]]:
    """The lines of an object's identity, for `section.lines`."""
    meta = at(item, "metadata")
    deleting = at(meta, "deletionTimestamp")
    owners = items_at(meta, "ownerReferences")
    finalizers = at(meta, "finalizers") or []
    return [
        ("Namespace", at(meta, "namespace")),
        ("Created", at(meta, "creationTimestamp") and ago(at(meta, "creationTimestamp"), now)),
        ("Being deleted", deleting and _deletion(deleting, finalizers, now), Tone.WORKING),
        ("Controlled by", [_owner(owner) for owner in owners if owner.get("controller")]),
        ("Owned by", [_owner(owner) for owner in owners if not owner.get("controller")]),
        ("Finalizers", finalizers),
    ]


def _owner(owner: Item) -> str:
    return f"{owner.get('kind')}/{owner.get('name')}"


def _deletion(deadline: str, finalizers: list[str], now: float) -> str:
    # A deletionTimestamp is when the grace period ends.
    ended = (epoch(deadline) or now) <= now
    text = f"its grace period ended {ago(deadline, now)}" if ended else "within its grace period"
    return f"{text}; waits for finalizers" if finalizers else text


def labels(item: Item) -> list[Section]:
    """The sections Labels and Annotations."""
    return [*_mapping("Labels", at(item, "metadata", "labels")), *_annotations(item)]


def _mapping(title: str, values: Any) -> list[Section]:
    if not isinstance(values, Mapping) or not values:
        return []
    return [Section(title, tuple(Line(key, scalar(value)) for key, value in sorted(values.items())))]


def _annotations(item: Item) -> list[Section]:
    found = at(item, "metadata", "annotations")
    if not isinstance(found, Mapping):
        return []
    return _mapping("Annotations", {key: _folded(key, scalar(value)) for key, value in found.items()})


def _folded(key: str, value: str) -> str:
    size = human_bytes(len(value.encode()))
    if key in FOLDED:
        return f"({size}, see the YAML)"
    return value if len(value) <= _LONG else f"{value[:_LONG]}… ({size})"


def conditions(item: Item, now: float) -> list[Section]:
    """The section Conditions: what the object's controllers report about it."""
    rows = []
    for condition in items_at(item, "status", "conditions"):
        kind, status = scalar(condition.get("type")), scalar(condition.get("status"))
        cells = (
            kind,
            status,
            scalar(condition.get("reason")),
            ago(condition.get("lastTransitionTime"), now),
            scalar(condition.get("message") or None),
        )
        rows.append(TableRow(cells, tone_of_condition(kind, status)))
    return table("Conditions", ("TYPE", "STATUS", "REASON", "CHANGED", "MESSAGE"), rows)
