"""Kubernetes' protobuf bodies, which kubectl sends since 1.32 for what it makes itself (`kubectl create deployment`).

A body is `k8s\\0` and a runtime.Unknown: 1 = {1: apiVersion, 2: kind}, 2 = the object. Field numbers are in `schema`.
As kubernetes.io/docs/reference/using-api/api-concepts says under "Kubernetes Protobuf encoding".
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterator
from typing import Any

from ktui.demo.clock import rfc3339, rfc3339_micro
from ktui.demo.errors import bad_request
from ktui.demo.schema import Field, numbered_fields, type_of

Object = dict[str, Any]
_Parts = dict[int, Any]

_MAGIC = b"k8s\0"
_SIGNED = 1 << 63


def decode_object(body: bytes) -> Object:
    """Reads a protobuf body.

    Raises:
        StatusError: 400 when it is damaged or of an unknown kind.
    """
    if not body.startswith(_MAGIC):
        raise bad_request("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
    try:
        return _unknown(body[len(_MAGIC) :])
    except (IndexError, struct.error, UnicodeDecodeError):
        raise bad_request("unexpected EOF") from None


def _unknown(data: bytes) -> Object:
    parts = dict(_fields(data))
    named = {number: value.decode() for number, value in _fields(parts.get(1, b""))}
    api_version, kind = named.get(1, ""), named.get(2, "")
    name = type_of(api_version, kind)
    if name is None:
        raise bad_request(f'no kind "{kind}" is registered for version "{api_version}"')
    return {"kind": kind, "apiVersion": api_version, **_message(parts.get(2, b""), name)}


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Field numbers and raw values: an int for numbers, bytes for everything else."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(data, at)
            yield number, value - (1 << 64) if value >= _SIGNED else value
        elif wire == 2:
            length, at = _varint(data, at)
            if at + length > len(data):
                raise IndexError(length)
            yield number, data[at : at + length]
            at += length
        elif wire == 1:
            yield number, data[at : at + 8]
            at += 8
        elif wire == 5:
            yield number, data[at : at + 4]
            at += 4
        else:
            raise IndexError(wire)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _message(data: bytes, name: str) -> Object:
    fields = numbered_fields(name) or {}
    obj: Object = {}
    for number, raw in _fields(data):
        field = fields.get(number)
        if field is None:
            continue
        if field.form == "~":
            obj |= _message(raw, field.type)
        elif field.form == "[]":
            obj.setdefault(field.name, []).append(_one(raw, field))
        elif field.form == "{}":
            entry = dict(_fields(raw))
            obj.setdefault(field.name, {})[entry.get(1, b"").decode()] = _one(entry.get(2, b""), field)
        else:
            value = _one(raw, field)
            # Go sends the zero values of everything that is no pointer; in JSON they would be left out.
            if value not in ("", 0, None) or "kept" in field.facts:
                obj[field.name] = value
    return obj


def _one(raw: Any, field: Field) -> Any:
    kind = field.type
    if isinstance(raw, int):
        return bool(raw) if kind == "bool" else raw
    if kind == "string":
        return raw.decode()
    if kind == "bytes":
        return base64.b64encode(raw).decode()
    if kind == "double":
        return struct.unpack("<d", raw)[0]
    special = _SPECIAL.get(kind)
    return special(dict(_fields(raw))) if special else _message(raw, kind)


def _time(parts: _Parts) -> str | None:
    return rfc3339(parts[1]) if parts.get(1) else None


def _micro_time(parts: _Parts) -> str | None:
    return rfc3339_micro(parts[1] + parts.get(2, 0) / 1e9) if parts.get(1) else None


def _int_or_string(parts: _Parts) -> int | str:
    return str(parts.get(3, b"").decode()) if parts.get(1) else int(parts.get(2, 0))


def _json(parts: _Parts) -> Any:
    return json.loads(parts.get(1) or b"{}")


_SPECIAL: dict[str, Any] = {
    "resource.Quantity": lambda parts: parts.get(1, b"").decode(),
    "intstr.IntOrString": _int_or_string,
    "meta.Time": _time,
    "meta.MicroTime": _micro_time,
    "meta.FieldsV1": _json,
    "runtime.RawExtension": _json,
    "apiextensions.JSON": _json,
}
