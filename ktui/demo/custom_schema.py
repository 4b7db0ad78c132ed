"""Schemas of custom resources: what they do not name is dropped, their defaults are filled in, and they are published.

As kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions says under pruning and
defaulting. What breaks them is refused by `custom_rules`.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from ktui.demo.openapi_schemas import head, reference, words

Object = dict[str, Any]
Schema = Mapping[str, Any]

_ALWAYS = ("apiVersion", "kind", "metadata")
_FREE = "x-kubernetes-preserve-unknown-fields"
_GVK = "x-kubernetes-group-version-kind"


def schema_of(version: Mapping[str, Any] | None) -> Schema:
    """The schema in a definition's version entry, {} for none."""
    found: Schema = ((version or {}).get("schema") or {}).get("openAPIV3Schema") or {}
    return found


def published_schema(version: Mapping[str, Any] | None, gvk: Object) -> Object:
    """The schema of a definition's version as OpenAPI tells it: with what every object has, and its kind.

    Args:
        version: the definition's version entry, None for none.
        gvk: group, version and kind.
    """
    schema = schema_of(version)
    if not schema:
        return {"type": "object", _FREE: True, _GVK: [gvk]}
    told = _published(schema)
    told["properties"] = dict(sorted({**(told.get("properties") or {}), **_always()}.items()))
    return told | {_GVK: [gvk]}


def _always() -> Object:
    said, metadata = words("metadata"), reference("meta.ObjectMeta")
    return {name: head(name) for name in _ALWAYS[:2]} | {"metadata": {"description": said, "allOf": [metadata]}}


def _published(schema: Schema) -> Object:
    told = dict(schema)
    for word in ("properties", "patternProperties"):
        if word in told:
            told[word] = {name: _published(inner) for name, inner in sorted(told[word].items())}
    for word in ("items", "additionalProperties"):
        if isinstance(told.get(word), Mapping):
            told[word] = _published(told[word])
    if told.get("x-kubernetes-int-or-string"):
        told.pop("type", None)
        told["anyOf"] = told.get("anyOf") or [{"type": "integer"}, {"type": "string"}]
    if told.get("x-kubernetes-embedded-resource"):
        told["properties"] = dict(sorted({**(told.get("properties") or {}), **_always()}.items()))
        told["required"] = [*(told.get("required") or ()), "kind", "apiVersion"]
    return told


def pruned(schema: Schema, value: Any, unknown: list[str], path: str = "") -> Any:
    """A value without what its schema does not name.

    Args:
        schema: an openAPIV3Schema, {} for none.
        value: an object or a part of it; it is not changed.
        unknown: takes the paths of what is dropped.
        path: of the value, "" for the object.
    """
    if isinstance(value, list):
        items = schema.get("items") or {}
        return [pruned(items, entry, unknown, f"{path}[{index}]") for index, entry in enumerate(value)]
    known, others = schema.get("properties") or {}, schema.get("additionalProperties")
    if not isinstance(value, dict) or not (known or others or schema.get("type") == "object"):
        return value
    kept: Object = {}
    # The server's answers have the fields of custom resources in the order of the alphabet.
    for key, part in sorted(value.items()):
        here = f"{path}.{key}" if path else key
        inner = known.get(key) or (others if isinstance(others, Mapping) else {})
        if key in known or others or schema.get(_FREE) or (not path and key in _ALWAYS):
            kept[key] = pruned(inner, part, unknown, here)
        else:
            unknown.append(here)
    return kept


def fill_in(schema: Schema, value: Any) -> None:
    """Gives a value what its schema has as defaults, in place; null where that is no value says nothing.

    Args:
        schema: an openAPIV3Schema, {} for none.
        value: an object or a part of it.
    """
    if isinstance(value, list):
        for entry in value:
            fill_in(schema.get("items") or {}, entry)
    if not isinstance(value, dict):
        return
    known, others = schema.get("properties") or {}, schema.get("additionalProperties")
    for key in [*value]:
        inner = known.get(key, others if isinstance(others, Mapping) else None)
        if inner is not None and value[key] is None and not inner.get("nullable"):
            del value[key]
    for key, inner in known.items():
        if key not in value and "default" in inner:
            value[key] = copy.deepcopy(inner["default"])
    for key, part in value.items():
        fill_in(known.get(key, others if isinstance(others, Mapping) else {}), part)
