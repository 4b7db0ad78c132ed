"""Decoding as the API server's typed decoder does it: unknown fields go, wrong types are refused.

Error texts are those of Go's encoding/json and of sigs.k8s.io/json.
"""

from __future__ import annotations

import copy
import json
import re
from dataclasses import dataclass, replace
from typing import Any

from ktui.demo.custom_schema import pruned, schema_of
from ktui.demo.errors import StatusError, bad_request
from ktui.demo.quantities import canonical
from ktui.demo.resources import Resource
from ktui.demo.schema import Field, named_fields, type_of

Object = dict[str, Any]

_QUANTITY = re.compile(r"^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$")
_QUANTITY_RULE = f"quantities must match the regular expression '{_QUANTITY.pattern}'"
# Kinds that stand in fields of others, too: with their kind and apiVersion.
_KINDS_WITHIN = ("core.PersistentVolumeClaim",)
_HEAD = {name: ("meta.TypeMeta", Field(name, "string", "")) for name in ("kind", "apiVersion")}
_INTEGERS = ("int32", "int64")
_LIMITS = {"int32": 1 << 31, "int64": 1 << 63}
_ZEROS: dict[str, Any] = {"string": "", "bytes": "", "bool": False, "int32": 0, "int64": 0, "double": 0}
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$", re.ASCII)
_GO_TIMES = {"meta.Time": "2006-01-02T15:04:05Z07:00", "meta.MicroTime": "2006-01-02T15:04:05.000000Z07:00"}
_GO_FORMS = {"": "", "[]": "[]", "{}": "map[string]"}
_GO_SCALARS = {
    "bytes": "[]uint8",
    "double": "float64",
    "intstr.IntOrString": "intstr.IntOrString",
    "resource.Quantity": "resource.Quantity",
}


class TypeMismatchError(Exception):
    """A value of another type than its field's."""


def conform_options(name: str, options: Object) -> Object:
    """Options such as those of a deletion, as their type allows them.

    Args:
        name: the type, such as "meta.DeleteOptions".
        options: what was sent.

    Raises:
        StatusError: 400 for values of wrong types.
    """
    body = {key: value for key, value in options.items() if key not in ("kind", "apiVersion")}
    try:
        return _message(body, name, [])
    except TypeMismatchError as problem:
        raise bad_request(str(problem)) from None


def conform(resource: Resource, obj: Object) -> tuple[Object, list[str]]:
    """An object as its kind's types allow it.

    Args:
        resource: its resource.
        obj: the object as sent; it is not changed.

    Returns:
        A copy with known fields and without nulls, and the paths of the unknown fields.

    Raises:
        TypeMismatchError: for values of wrong types.
    """
    name = type_of(resource.api_version, resource.kind)
    unknown: list[str] = []
    if name is not None:
        body = {key: value for key, value in obj.items() if key not in ("kind", "apiVersion")}
        shaped = _message(body, name, unknown)
    else:  # custom resources: only their metadata has a known type
        place = _Place("metadata", resource.kind, "metadata", Field("metadata", "meta.ObjectMeta", ""))
        metadata = _value(obj.get("metadata") or {}, place, [])
        shaped = pruned(schema_of(resource.custom), _without_nulls(obj), unknown) | {"metadata": metadata}
    return {**shaped, "kind": resource.kind, "apiVersion": resource.api_version}, unknown


def in_order(obj: Object) -> Object:
    """An object with its fields as answers have them: those of types in their order, free ones in the alphabet's.

    Args:
        obj: an object of any kind; custom resources stay as they are, but for their metadata.
    """
    name = type_of(obj["apiVersion"], obj["kind"])
    head = {"kind": obj["kind"], "apiVersion": obj["apiVersion"]}
    if name is None:
        return head | {"metadata": _ordered(obj["metadata"], "meta.ObjectMeta")} | obj
    return head | _ordered(obj, name)


def _ordered(value: Object, name: str) -> Object:
    fields = named_fields(name) or {}
    found = {key: _in_field(value[key], field) for key, (_, field) in fields.items() if key in value}
    return found | {key: part for key, part in value.items() if key not in found}


def _in_field(value: Any, field: Field) -> Any:
    if isinstance(value, list) and named_fields(field.type):
        return [_ordered(entry, field.type) for entry in value]
    if field.form == "{}" and isinstance(value, dict):
        return dict(sorted(value.items()))
    return _ordered(value, field.type) if isinstance(value, dict) and named_fields(field.type) else value


def unreadable(resource: Resource, why: str) -> StatusError:
    """400: the typed decoder cannot make sense of an object."""
    prefix = f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}'
    return bad_request(f"{prefix}: {why}")


def _without_nulls(obj: Object) -> Object:
    return {key: value for key, value in obj.items() if value is not None}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value stands, as unknown fields are told, and as Go tells of values of wrong types.

    Attributes:
        path: such as "spec.containers[0].image"; "" for the object.
        holder: the type whose field it is.
        go_path: the path without indexes, and with the names of types whose fields stand in the place of their own.
        field: the field it is in.
    """

    path: str
    holder: str
    go_path: str
    field: Field


def _message(sent: Object, name: str, unknown: list[str], here: _Place | None = None) -> Object:
    fields = named_fields(name)
    if fields is None:
        return sent
    if here and name in _KINDS_WITHIN:
        fields = _HEAD | fields
    path, go_path = (f"{here.path}.", f"{here.go_path}.") if here else ("", "")
    shaped: Object = {}
    for key, part in sent.items():
        if key not in fields:
            unknown.append(path + key)
        elif part is not None:
            owner, field = fields[key]
            within = f"{owner.rpartition('.')[2]}." if owner not in (name, "meta.TypeMeta") else ""
            value = _value(part, _Place(path + key, name, go_path + within + key, field), unknown)
            # Go leaves out what is empty, zero or false, but where its types can tell that from nothing.
            if value or "kept" in field.facts or not (field.form or field.type in _ZEROS):
                shaped[key] = value
    return shaped


def _value(value: Any, place: _Place, unknown: list[str]) -> Any:
    field = place.field
    if field.form == "[]":
        _expect(isinstance(value, list), value, place, _go_type(field))
        return [_one(entry, replace(place, path=f"{place.path}[{i}]"), unknown) for i, entry in enumerate(value)]
    if field.form == "{}":
        _expect(isinstance(value, dict), value, place, _go_type(field))
        return {key: _one(entry, place, unknown) for key, entry in value.items()}
    return _one(value, place, unknown)


def _one(value: Any, place: _Place, unknown: list[str]) -> Any:
    kind = place.field.type
    go = _go_type(place.field).removeprefix("[]").removeprefix("map[string]")
    if value is None:
        # Go leaves a map's or a list's entry at what it is without a value.
        return copy.deepcopy(_ZEROS.get(kind, "0" if kind == "resource.Quantity" else {}))
    if kind in ("string", "bytes"):
        _expect(isinstance(value, str), value, place, go)
    elif kind in ("meta.Time", "meta.MicroTime"):
        _expect(isinstance(value, str), value, place, "string")
        if not _TIME.match(value):
            raise TypeMismatchError(f'parsing time "{value}" as "{_GO_TIMES[kind]}": cannot parse {_not_a_time(value)}')
    elif kind in _INTEGERS:
        _expect_integer(value, place, kind)
    elif kind == "bool":
        _expect(isinstance(value, bool), value, place, go)
    elif kind == "double":
        _expect(isinstance(value, int | float) and not isinstance(value, bool), value, place, go)
    elif kind == "intstr.IntOrString":
        if not isinstance(value, str):
            _expect_integer(value, place, "int32")
    elif kind == "resource.Quantity":
        if isinstance(value, bool) or not _QUANTITY.match(str(value)):
            raise TypeMismatchError(_QUANTITY_RULE)
        # Of resources, thousandths are the least there is.
        return canonical(str(value), 1000) if place.field.form == "{}" else canonical(str(value))
    elif named_fields(kind) is not None:
        _expect(isinstance(value, dict), value, place, go)
        return _message(value, kind, unknown, place)
    return value


def _not_a_time(text: str) -> str:
    date = _DATE.match(text)
    return f'"{text[date.end() :]}" as "T"' if date else f'"{text}" as "2006"'


def _expect_integer(value: Any, place: _Place, kind: str) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    fits = number and isinstance(value, int) and -_LIMITS[kind] <= value < _LIMITS[kind]
    _expect(fits, value, place, kind, literal=f" {json.dumps(value)}" if number else "")


def _expect(fits: bool, value: Any, place: _Place, go: str, *, literal: str = "") -> None:
    """Refuses a value of another type than its field's.

    Args:
        fits: whether it is of that type.
        value: the value.
        place: where it stands.
        go: what Go calls the type.
        literal: what Go tells of the value beside its kind.
    """
    if not fits:
        where = f"{place.holder.rpartition('.')[2]}.{place.go_path}"
        have = f"{_json_kind(value)}{literal}"
        raise TypeMismatchError(f"json: cannot unmarshal {have} into Go struct field {where} of type {go}")


def _json_kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def _go_type(field: Field) -> str:
    """What Go calls a field's type."""
    for fact in field.facts:
        if fact.startswith("go="):
            return fact.removeprefix("go=")
    package, _, name = field.type.rpartition(".")
    named = f"{'v2' if package == 'autoscaling' else 'v1'}.{name}" if package else name
    return _GO_FORMS[field.form] + _GO_SCALARS.get(field.type, named)
