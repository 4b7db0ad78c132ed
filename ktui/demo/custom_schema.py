"""Schemas of custom resources: what they do not name is dropped, what breaks them is refused.

As kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions says under pruning and
validation. Types, required fields, enumerations and bounds are looked at, no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ktui.demo.errors import Cause, bad_value, required, shown
from ktui.demo.openapi_schemas import head, reference, words

Object = dict[str, Any]
Schema = Mapping[str, Any]

_ALWAYS = ("apiVersion", "kind", "metadata")
_FREE = "x-kubernetes-preserve-unknown-fields"
_GVK = "x-kubernetes-group-version-kind"
_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
}
_NAMES = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}


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
    for key, part in value.items():
        here = f"{path}.{key}" if path else key
        inner = known.get(key) or (others if isinstance(others, Mapping) else {})
        if key in known or others or schema.get(_FREE) or (not path and key in _ALWAYS):
            kept[key] = pruned(inner, part, unknown, here)
        else:
            unknown.append(here)
    return kept


def schema_causes(schema: Schema, value: Any, path: str = "") -> Iterator[Cause]:
    """What in a value breaks its schema."""
    kind = schema.get("type", "")
    if schema.get("x-kubernetes-int-or-string"):
        return
    if kind and not _is_of(kind, value):
        have = _NAMES.get(type(value), "null")
        why = f'{path} in body must be of type {kind}: "{have}"'
        yield Cause("FieldValueTypeInvalid", path, f'Invalid value: "{have}": {why}')
        return
    if schema.get("enum") and value not in schema["enum"]:
        allowed = ", ".join(map(shown, schema["enum"]))
        yield Cause("FieldValueNotSupported", path, f"Unsupported value: {shown(value)}: supported values: {allowed}")
    if isinstance(value, int | float):
        if value < schema.get("minimum", value):
            yield bad_value(path, value, f"{path} in body should be greater than or equal to {schema['minimum']}")
        if value > schema.get("maximum", value):
            yield bad_value(path, value, f"{path} in body should be less than or equal to {schema['maximum']}")
    if isinstance(value, dict):
        for name in schema.get("required") or ():
            if name not in value:
                yield required(f"{path}.{name}" if path else name)
        for key, inner in (schema.get("properties") or {}).items():
            if key in value and key != "metadata":
                yield from schema_causes(inner, value[key], f"{path}.{key}" if path else key)
    if isinstance(value, list):
        for index, entry in enumerate(value):
            yield from schema_causes(schema.get("items") or {}, entry, f"{path}[{index}]")


def _is_of(kind: str, value: Any) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _TYPES.get(kind, object))
