"""What in a custom resource breaks its schema, in the API server's words.

As kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions says under validation: types,
formats, required fields, enumerations, bounds, patterns, and entries of lists that may not be there twice. Of rules in
the Common Expression Language only `self == oldSelf` is known. `anyOf`, `oneOf`, `allOf` and `not` are not looked at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any

from ktui.demo.errors import Cause, bad_value, duplicate, required, shown

Object = dict[str, Any]
Schema = Mapping[str, Any]

_NAMES = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}
_LIMITS = {"int32": 1 << 31, "int64": 1 << 63}
_BLOCKING = {
    "FieldValueRequired", "FieldValueTypeInvalid", "FieldValueNotSupported", "FieldValueTooLong", "FieldValueTooMany",
}  # fmt: skip
_UNCHECKED = Cause(
    "FieldValueInvalid",
    "<nil>",
    "Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing "
    "errors to complete validation",
)
_UNITS = "ns|us|µs|ms|[smhdw]|(?:nano|micro|milli)?sec(?:ond)?s?|min(?:ute)?s?|hours?|days?|weeks?"
_DATE = r"\d{4}-\d\d-\d\d"
_FORMATS = {
    "byte": re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"),
    "date": re.compile(_DATE),
    "date-time": re.compile(_DATE + r"[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)"),
    "duration": re.compile(rf"0|(?:\d+\.?\d*\s*(?:{_UNITS})\s*)+"),
    "uuid": re.compile(r"(?i)[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}"),
}


def schema_causes(schema: Schema, obj: Object, before: Object | None = None) -> list[Cause]:
    """What in an object breaks its schema.

    Args:
        schema: an openAPIV3Schema, {} for none.
        obj: the object, with defaults.
        before: the stored state; None for a new object.
    """
    causes = [*_broken(schema, obj, ""), *_repeated(schema, obj, "")]
    if any(cause.reason in _BLOCKING for cause in causes):
        return [*causes, _UNCHECKED] if _has_rules(schema) else causes
    return causes if before is None else [*causes, *_changed(schema, obj, before, "")]


# -- values ----------------------------------------------------------------------------------------


def _broken(schema: Schema, value: Any, path: str) -> Iterator[Cause]:
    yield from _of_another_type(schema, value, path)
    if "enum" in schema and value not in schema["enum"]:
        allowed = ", ".join(map(shown, schema["enum"]))
        yield Cause("FieldValueNotSupported", path, f"Unsupported value: {shown(value)}: supported values: {allowed}")
    if isinstance(value, str):
        yield from _text(schema, value, path)
    elif isinstance(value, list):
        yield from _list(schema, value, path)
    elif isinstance(value, dict):
        yield from _map(schema, value, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _number(schema, value, path)


def _of_another_type(schema: Schema, value: Any, path: str) -> Iterator[Cause]:
    wanted = "integer,string" if schema.get("x-kubernetes-int-or-string") else schema.get("type", "")
    form, have = schema.get("format", ""), _NAMES.get(type(value), "null")
    if value is None:
        if wanted and not schema.get("nullable"):
            yield _type_cause(path, wanted, have)
        return
    whole = have == "integer" or (isinstance(value, float) and value.is_integer())
    if have == "integer" and abs(value) >= _LIMITS["int64"]:
        have, whole = "number", False
    fits = have in wanted.split(",") or (whole and wanted == "integer") or (have == "integer" and wanted == "number")
    if not wanted or fits:
        return
    if form and wanted != "integer" and isinstance(value, str | list):
        return  # The format says what is wrong with it.
    if form and not isinstance(value, str | list):
        yield _type_cause(path, form, {"integer": "int64", "number": "float64"}.get(have, ""))
    else:
        yield _type_cause(path, wanted, have)


def _type_cause(path: str, wanted: str, have: str) -> Cause:
    return Cause(
        "FieldValueTypeInvalid", path, f'Invalid value: "{have}": {path} in body must be of type {wanted}: "{have}"'
    )


def _number(schema: Schema, value: float, path: str) -> Iterator[Cause]:
    form = schema.get("format", "")
    limit = _LIMITS.get(form, _LIMITS["int64"])
    if schema.get("type") == "integer" and not (float(value).is_integer() and -limit <= value < limit):
        which = f"with format {form}" if form in _LIMITS else "(default format)"
        yield bad_value("<nil>", "", f"Checked value must be of type integer {which} in {path}")
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None:
        open_ended = schema.get("exclusiveMinimum")
        if value < least or (open_ended and value == least):
            words = "greater than" if open_ended else "greater than or equal to"
            yield bad_value(path, value, f"{path} in body should be {words} {shown(least)}")
    if most is not None:
        open_ended = schema.get("exclusiveMaximum")
        if value > most or (open_ended and value == most):
            words = "less than" if open_ended else "less than or equal to"
            yield bad_value(path, value, f"{path} in body should be {words} {shown(most)}")
    factor = schema.get("multipleOf")
    if factor and not (value / factor).is_integer():
        yield bad_value(path, value, f"{path} in body should be a multiple of {shown(factor)}")


def _text(schema: Schema, value: str, path: str) -> Iterator[Cause]:
    if len(value) > schema.get("maxLength", len(value)):
        most = schema["maxLength"]
        yield Cause("FieldValueTooLong", path, f"Too long: may not be more than {most} byte{'s' * (most != 1)}")
    elif len(value) < schema.get("minLength", 0):
        yield bad_value(path, value, f"{path} in body should be at least {schema['minLength']} chars long")
    elif (pattern := schema.get("pattern")) and not _matches(pattern, value):
        yield bad_value(path, value, f"{path} in body should match '{pattern}'")
    form = schema.get("format", "")
    if not _has_form(form, value):
        why = f"{path} in body must be of type {form}: {shown(value)}"
        yield Cause("FieldValueTypeInvalid", path, f"Invalid value: {shown(value)}: {why}")


def _matches(pattern: str, value: str) -> bool:
    try:
        return re.search(pattern, value, re.ASCII) is not None
    except re.error:  # Go's expressions are not all Python's.
        return True


def _has_form(form: str, value: str) -> bool:
    if form in ("ipv4", "ipv6"):
        try:
            return ip_address(value).version == int(form[-1])
        except ValueError:
            return False
    known = _FORMATS.get(form)
    return known is None or known.fullmatch(value) is not None


def _list(schema: Schema, value: list[Any], path: str) -> Iterator[Cause]:
    if len(value) > schema.get("maxItems", len(value)):
        yield _too_many(path, len(value), schema["maxItems"])
    if len(value) < schema.get("minItems", 0):
        yield bad_value(path, len(value), f"{path} in body should have at least {schema['minItems']} items")
    for index, entry in enumerate(value):
        yield from _broken(schema.get("items") or {}, entry, f"{path}[{index}]")


def _map(schema: Schema, value: Object, path: str) -> Iterator[Cause]:
    if len(value) > schema.get("maxProperties", len(value)):
        yield _too_many(path, len(value), schema["maxProperties"])
    if len(value) < schema.get("minProperties", 0):
        yield bad_value(path, len(value), f"{path} in body should have at least {schema['minProperties']} properties")
    known, others = schema.get("properties") or {}, schema.get("additionalProperties")
    for key in sorted(value):
        inner = known.get(key, others if isinstance(others, Mapping) else None)
        # The metadata has a type of its own.
        if inner is not None and (path or key != "metadata"):
            yield from _broken(inner, value[key], _joined(path, key))
    always = ("apiVersion", "kind") if schema.get("x-kubernetes-embedded-resource") else ()
    for name in (*(schema.get("required") or ()), *always):
        if name not in value:
            yield required(_joined(path, name))


def _too_many(path: str, have: int, most: int) -> Cause:
    return Cause("FieldValueTooMany", path, f"Too many: {have}: must have at most {most} item{'s' * (most != 1)}")


def _joined(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


# -- lists -----------------------------------------------------------------------------------------


def _repeated(schema: Schema, value: Any, path: str) -> Iterator[Cause]:
    """Entries of sets and keyed lists that are there twice."""
    if isinstance(value, dict):
        known, others = schema.get("properties") or {}, schema.get("additionalProperties")
        for key in sorted(value):
            inner = known.get(key, others if isinstance(others, Mapping) else {})
            yield from _repeated(inner, value[key], _joined(path, key))
    if not isinstance(value, list):
        return
    kind, keys = schema.get("x-kubernetes-list-type"), schema.get("x-kubernetes-list-map-keys") or ()
    seen = set()
    for index, entry in enumerate(value):
        here = f"{path}[{index}]"
        if kind == "map" and not isinstance(entry, dict):
            yield bad_value(here, entry, "must be an object for an array of list-type map")
        elif kind in ("map", "set"):
            named = {key: entry.get(key) for key in keys if key in entry} if kind == "map" else entry
            text = json.dumps(named, sort_keys=True)
            if text in seen:
                yield duplicate(here, named)
            seen.add(text)
        yield from _repeated(schema.get("items") or {}, entry, here)


# -- rules -----------------------------------------------------------------------------------------


def _has_rules(schema: Schema) -> bool:
    if "x-kubernetes-validations" in schema:
        return True
    inner = [*(schema.get("properties") or {}).values(), schema.get("items"), schema.get("additionalProperties")]
    return any(_has_rules(one) for one in inner if isinstance(one, Mapping))


def _changed(schema: Schema, value: Any, before: Any, path: str) -> Iterator[Cause]:
    """What may not change, and has."""
    for rule in schema.get("x-kubernetes-validations") or ():
        if rule.get("rule", "").replace(" ", "") in ("self==oldSelf", "oldSelf==self") and value != before:
            yield bad_value(path, value, rule.get("message") or f"failed rule: {rule['rule']}")
    if isinstance(value, dict) and isinstance(before, dict):
        for key, inner in sorted((schema.get("properties") or {}).items()):
            if key in value and key in before:
                yield from _changed(inner, value[key], before[key], _joined(path, key))
