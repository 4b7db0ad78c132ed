"""Cells of custom resources: what `additionalPrinterColumns` of their definition asks for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ktui.demo.tables import text

Object = dict[str, Any]

# A step of the JSONPath subset that definitions use: .name, ['name'], [0], [*], [?(@.type=="Ready")].
_STEP = re.compile(
    r"""\.(?P<name>[\w-]+(?:\\\.[\w-]+)*)
      |\[['"](?P<quoted>[^'"]+)['"]\]
      |\[(?P<index>-?\d+)\]
      |\[(?P<all>\*)\]
      |\[\?\(@\.(?P<field>[\w.-]+)\s*==\s*['"]?(?P<value>[^'")]*)['"]?\)\]
    """,
    re.VERBOSE,
)
_CREATED = ".metadata.creationTimestamp"
_GENERIC = "Custom resource definition column (in JSONPath format)"
_AGE = {
    "jsonPath": _CREATED,
    "name": "Age",
    "type": "date",
    "description": "CreationTimestamp is a timestamp representing the server time when this object was created. It is "
    "not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It "
    "is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: "
    "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata",
}


def columns(version: Mapping[str, Any]) -> list[Object]:
    """The column definitions after the name.

    Args:
        version: an entry of a definition's `spec.versions`.
    """
    return [
        {
            "name": column["name"],
            "type": column["type"],
            "format": column.get("format", ""),
            "description": column.get("description") or f"{_GENERIC}: {column['jsonPath']}",
            "priority": column.get("priority", 0),
        }
        for column in _wanted(version)
    ]


def cells(version: Mapping[str, Any], obj: Object, now: float) -> list[Any]:
    """The cells, the name first."""
    return [obj["metadata"]["name"], *(_cell(column, obj, now) for column in _wanted(version))]


def _wanted(version: Mapping[str, Any]) -> list[Object]:
    return version.get("additionalPrinterColumns") or [_AGE]


def find(obj: Object, path: str) -> list[Any]:
    """The values a JSONPath such as `.status.conditions[?(@.type=="Ready")].status` leads to."""
    values: list[Any] = [obj]
    for step in _STEP.finditer(path):
        values = [inner for value in values for inner in _follow(value, step)]
    return values


def _follow(value: Any, step: re.Match[str]) -> list[Any]:
    name = step["name"] or step["quoted"]
    if name is not None:
        name = name.replace("\\.", ".")
        return [value[name]] if isinstance(value, dict) and name in value else []
    if not isinstance(value, list):
        return list(value.values()) if isinstance(value, dict) and step["all"] else []
    if step["all"]:
        return list(value)
    if step["index"] is not None:
        index = int(step["index"])
        return [value[index]] if -len(value) <= index < len(value) else []
    return [entry for entry in value if str(entry.get(step["field"])) == step["value"]]


def _cell(column: Object, obj: Object, now: float) -> Any:
    values = find(obj, column["jsonPath"])
    if not values or values[0] is None:
        return None
    value, kind = values[0], column["type"]
    if kind == "date":
        return _ago(value, now)
    if kind == "string":
        return _written(values)
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    if kind == "integer":
        return int(value) if isinstance(value, int | float) else None
    return value if isinstance(value, int | float) else None


def _written(values: list[Any]) -> str:
    if len(values) == 1 and isinstance(values[0], str):
        return values[0]
    return ",".join(value if isinstance(value, str) else _json(value) for value in values)


def _json(value: Any) -> str:
    if isinstance(value, bool):
        return text.go_bool(value)
    return json.dumps(value, separators=(",", ":"))


def _ago(value: Any, now: float) -> str:
    try:
        return text.human_duration(now - datetime.fromisoformat(value).timestamp())
    except (TypeError, ValueError):
        return "<invalid>"
