"""How the API server writes durations, lists and selectors into cells.

Rules of k8s.io/apimachinery `util/duration` and kubernetes `pkg/printers/internalversion`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from ktui.demo.clock import rfc3339

Object = dict[str, Any]

NONE = "<none>"
UNKNOWN = "<unknown>"
UNSET = "<unset>"
_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86400, 365


@lru_cache(maxsize=4096)
def epoch(timestamp: str) -> float:
    """Seconds since the epoch of an RFC 3339 time."""
    return datetime.fromisoformat(timestamp).timestamp()


def human_duration(seconds: float) -> str:
    """A duration as kubectl prints ages: `45s`, `5m3s`, `3h20m`, `9d`, `2y40d`."""
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    if whole < 0:
        return "0s"
    if whole < 2 * _MINUTE:
        return f"{whole}s"
    if whole < 10 * _MINUTE:
        return _two(whole // _MINUTE, "m", whole % _MINUTE, "s")
    if whole < 3 * _HOUR:
        return f"{whole // _MINUTE}m"
    if whole < 8 * _HOUR:
        return _two(whole // _HOUR, "h", whole // _MINUTE % 60, "m")
    hours = whole // _HOUR
    if hours < 48:
        return f"{hours}h"
    if hours < 192:
        return _two(hours // 24, "d", hours % 24, "h")
    days = whole // _DAY
    if days < 2 * _YEAR:
        return f"{days}d"
    if days < 8 * _YEAR:
        return _two(days // _YEAR, "y", days % _YEAR, "d")
    return f"{days // _YEAR}y"


def _two(first: int, first_unit: str, second: int, second_unit: str) -> str:
    return f"{first}{first_unit}{second}{second_unit}" if second else f"{first}{first_unit}"


def since(timestamp: str | None, now: float) -> str:
    """How long ago a time was, `<unknown>` for none."""
    return human_duration(now - epoch(timestamp)) if timestamp else UNKNOWN


def age(obj: Object, now: float) -> str:
    """How long ago an object was created."""
    return since(obj["metadata"].get("creationTimestamp"), now)


def created_at(obj: Object) -> str:
    """The creation time itself, for tables that print it so; the zero time when there is none."""
    timestamp = obj["metadata"].get("creationTimestamp")
    return rfc3339(epoch(timestamp)) if timestamp else "<unknown>"


def joined(values: Iterable[str]) -> str:
    """Values joined by commas, `<none>` for no values."""
    return ",".join(values) or NONE


def labels(values: Mapping[str, str] | None) -> str:
    """A set of labels as `a=1,b=2`, `<none>` for none."""
    return joined(f"{key}={value}" for key, value in sorted((values or {}).items()))


def selector(value: Mapping[str, Any] | None) -> str:
    """A LabelSelector in selector syntax; `<none>` for an empty one, `` for none at all."""
    if value is None:
        return ""
    terms = [(key, f"{key}={wanted}") for key, wanted in (value.get("matchLabels") or {}).items()]
    for expression in value.get("matchExpressions") or ():
        key = expression["key"]
        among = f"({','.join(sorted(expression.get('values') or ()))})"
        terms.append(
            (
                key,
                {
                    "In": f"{key} in {among}",
                    "NotIn": f"{key} notin {among}",
                    "Exists": key,
                    "DoesNotExist": f"!{key}",
                }[expression["operator"]],
            )
        )
    # Stable: what is asked of the same label stays in the order of the selector.
    return ",".join(text for _, text in sorted(terms, key=lambda term: term[0])) or NONE


def few(values: Sequence[str], most: int, total: int | None = None) -> str:
    """The first values joined by commas, and how many more there are."""
    count = len(values) if total is None else total
    text = ",".join(values[:most])
    return f"{text} + {count - most} more..." if count > most else text


def containers_and_images(pod_spec: Mapping[str, Any]) -> list[str]:
    """The two wide cells of everything with a pod template."""
    containers = pod_spec.get("containers") or ()
    return [",".join(c.get("name", "") for c in containers), ",".join(c.get("image", "") for c in containers)]


def go_bool(value: object) -> str:
    """A boolean as Go's fmt prints it."""
    return "true" if value else "false"


def title_bool(value: object) -> str:
    """A boolean as kubectl's tables spell it in boolean columns."""
    return "True" if value else "False"


def condition(obj: Object, kind: str) -> Object:
    """The condition of this type in an object's status, {} for none."""
    for candidate in (obj.get("status") or {}).get("conditions") or ():
        if candidate.get("type") == kind:
            return dict(candidate)
    return {}


def holds(obj: Object, kind: str) -> bool:
    """Whether the condition of this type is True."""
    return condition(obj, kind).get("status") == "True"
