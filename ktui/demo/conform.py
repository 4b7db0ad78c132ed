"""Decoding as the API server's typed decoder does it: unknown fields go, wrong types are refused.

Error texts are those of Go's encoding/json and of sigs.k8s.io/json.
"""

from __future__ import annotations

import re
from typing import Any

from ktui.demo.custom_schema import pruned, schema_of
from ktui.demo.errors import StatusError, bad_request
from ktui.demo.resources import Resource
from ktui.demo.schema import Field, named_fields, type_of

Object = dict[str, Any]

_INDEX = re.compile(r"\[[0-9]+]")
_QUANTITY = re.compile(r"^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$")
_QUANTITY_RULE = f"quantities must match the regular expression '{_QUANTITY.pattern}'"
# Kinds that stand in fields of others, too: with their kind and apiVersion.
_KINDS_WITHIN = ("core.PersistentVolumeClaim",)
_HEAD = {name: ("meta.TypeMeta", Field(name, "string", "")) for name in ("kind", "apiVersion")}
_ALWAYS_WRITTEN = ("containers", "rules", "addresses", "endpoints", "verbs", "versions", "limits")
_INTEGERS = ("int32", "int64", "uint32", "uint64")
_TEXTS = ("string", "bytes", "meta.Time", "meta.MicroTime")
_GO_FORMS = {"": "", "[]": "[]", "{}": "map[string]"}
_GO_SCALARS = {
    "bytes": "[]uint8",
    "double": "float64",
    "meta.Time": "v1.Time",
    "meta.MicroTime": "v1.MicroTime",
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
        return _message(body, name, "", [])
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
        shaped = _message(body, name, "", unknown)
    else:  # custom resources: only their metadata has a known type
        field = Field("metadata", "meta.ObjectMeta", "")
        metadata = _value(obj.get("metadata") or {}, field, resource.kind, "metadata", [])
        shaped = pruned(schema_of(resource.custom), _without_nulls(obj), unknown) | {"metadata": metadata}
    return {**shaped, "kind": resource.kind, "apiVersion": resource.api_version}, unknown


def unreadable(resource: Resource, why: str) -> StatusError:
    """400: the typed decoder cannot make sense of an object."""
    prefix = f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}'
    return bad_request(f"{prefix}: {why}")


def _without_nulls(obj: Object) -> Object:
    return {key: value for key, value in obj.items() if value is not None}


def _message(sent: Object, name: str, path: str, unknown: list[str]) -> Object:
    fields = named_fields(name)
    if fields is None:
        return sent
    if path and name in _KINDS_WITHIN:
        fields = _HEAD | fields
    shaped: Object = {}
    for key, part in sent.items():
        here = f"{path}.{key}" if path else key
        if key not in fields:
            unknown.append(here)
        elif part is not None:
            owner, field = fields[key]
            value = _value(part, field, owner, here, unknown)
            # Go leaves out empty lists and maps, but for the few fields that are always written.
            if value not in ([], {}) or not field.form or key in _ALWAYS_WRITTEN:
                shaped[key] = value
    return shaped


def _value(value: Any, field: Field, owner: str, path: str, unknown: list[str]) -> Any:
    if field.form == "[]":
        _expect(isinstance(value, list), value, field, owner, path, whole=True)
        return [_one(entry, field, owner, f"{path}[{index}]", unknown) for index, entry in enumerate(value)]
    if field.form == "{}":
        _expect(isinstance(value, dict), value, field, owner, path, whole=True)
        for entry in value.values():
            _expect(entry is not None, entry, field, owner, path)
        return {key: _one(entry, field, owner, path, unknown) for key, entry in value.items()}
    return _one(value, field, owner, path, unknown)


def _one(value: Any, field: Field, owner: str, path: str, unknown: list[str]) -> Any:
    kind = field.type
    if kind in _TEXTS:
        _expect(isinstance(value, str) or (value is None and kind != "string"), value, field, owner, path)
    elif kind in _INTEGERS:
        whole = isinstance(value, int) and not isinstance(value, bool)
        _expect(whole or (isinstance(value, float) and value.is_integer()), value, field, owner, path)
        return int(value)
    elif kind == "bool":
        _expect(isinstance(value, bool), value, field, owner, path)
    elif kind == "intstr.IntOrString":
        _expect(isinstance(value, int | str) and not isinstance(value, bool), value, field, owner, path)
    elif kind == "resource.Quantity":
        if isinstance(value, bool) or not _QUANTITY.match(str(value)):
            raise TypeMismatchError(_QUANTITY_RULE)
        return str(value)
    elif named_fields(kind) is not None:
        _expect(isinstance(value, dict), value, field, owner, path)
        return _message(value, kind, path, unknown)
    return value


def _expect(fits: bool, value: Any, field: Field, owner: str, path: str, *, whole: bool = False) -> None:
    if fits:
        return
    where = f"{owner.rpartition('.')[2]}.{_INDEX.sub('', path)}"
    kind = _GO_FORMS[field.form] + _go_type(field) if whole else _go_type(field)
    raise TypeMismatchError(f"json: cannot unmarshal {_json_kind(value)} into Go struct field {where} of type {kind}")


def _json_kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def _go_type(field: Field) -> str:
    package, _, name = field.type.rpartition(".")
    named = f"{'v2' if package == 'autoscaling' else 'v1'}.{name}" if package else name
    return _GO_SCALARS.get(field.type, named)
