"""Label selectors as objects carry them (`matchLabels` and `matchExpressions`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def selects(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Says whether a metav1.LabelSelector matches labels; None matches nothing, an empty selector everything."""
    if selector is None:
        return False
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != value:
            return False
    return all(_satisfied(requirement, labels) for requirement in selector.get("matchExpressions") or ())


def has_labels(wanted: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Says whether labels contain all of a simple selector, such as a Service's."""
    # A loop, since this runs for every pod and Service and `all` with a generator costs three times as much.
    for key, value in wanted.items():  # noqa: SIM110
        if labels.get(key) != value:
            return False
    return True


def _satisfied(requirement: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    value = labels.get(requirement["key"])
    values: Sequence[str] = requirement.get("values") or []
    match requirement["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt":
            return value is not None and int(value) > int(values[0])
        case "Lt":
            return value is not None and int(value) < int(values[0])
        case unknown:
            raise ValueError(f"unknown selector operator {unknown!r}")
