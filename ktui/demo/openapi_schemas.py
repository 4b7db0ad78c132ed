"""The schemas of built-in kinds, as an API server publishes them: facts from `types.json`, words from
`descriptions.json`.

That says per type and field what happens, in our own words; "" stands for the type itself, "*" for fields that mean the
same wherever they stand, and a type in the place of the words means that its words fit. Shapes and names are those of
https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-v3 as Kubernetes 1.36 answers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from ktui.demo.representations import encode
from ktui.demo.schema import Field, atomic_types, kinds, named_fields

Object = dict[str, Any]

# Where Go packages do not follow the pattern io.k8s.api.PACKAGE.v1.
_PACKAGES = {
    "apiextensions": "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1",
    "autoscaling": "io.k8s.api.autoscaling.v2",
    "autoscaling1": "io.k8s.api.autoscaling.v1",
    "intstr": "io.k8s.apimachinery.pkg.util.intstr",
    "meta": "io.k8s.apimachinery.pkg.apis.meta.v1",
    "metrics": "io.k8s.metrics.pkg.apis.metrics.v1beta1",
    "resource": "io.k8s.apimachinery.pkg.api.resource",
    "runtime": "io.k8s.apimachinery.pkg.runtime",
}
_SCALARS: dict[str, Object] = {
    "string": {"type": "string"},
    "bytes": {"type": "string", "format": "byte"},
    "bool": {"type": "boolean"},
    "int32": {"type": "integer", "format": "int32"},
    "int64": {"type": "integer", "format": "int64"},
    "double": {"type": "number", "format": "double"},
}
_ZEROS: dict[str, Any] = {"string": "", "int32": 0, "int64": 0}
# Types that are written in a way of their own.
_OWN: dict[str, Object] = {
    "apiextensions.JSON": {},
    "apiextensions.JSONSchemaPropsOrArray": {},
    "apiextensions.JSONSchemaPropsOrBool": {},
    "apiextensions.JSONSchemaPropsOrStringArray": {},
    "intstr.IntOrString": {"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]},
    "meta.Duration": {"type": "string"},
    "meta.FieldsV1": {"type": "object"},
    "meta.MicroTime": {"type": "string", "format": "date-time"},
    "meta.Time": {"type": "string", "format": "date-time"},
    "resource.Quantity": {"oneOf": [{"type": "string"}, {"type": "number"}]},
    "runtime.RawExtension": {"type": "object"},
}
_TEXTS = {"type": "array", "items": {"type": "string", "default": ""}}


def published_name(name: str) -> str:
    """A type's name in documents: `io.k8s.api.core.v1.Pod` for `core.Pod`."""
    package, _, last = name.rpartition(".")
    return f"{_PACKAGES.get(package, f'io.k8s.api.{package}.v1')}.{last}"


def reference(name: str) -> Object:
    """A place that is of a type."""
    return {"$ref": f"#/components/schemas/{published_name(name)}"}


def words(field: str, *names: str) -> str:
    """What a field means; "" where nothing is written.

    Args:
        field: its name; "" for the type itself.
        names: the types to look in, such as "core.Pod", before those words that fit everywhere.
    """
    for name in names:
        found = _words().get(name, {})
        if isinstance(found, str):
            found = _words()[found]
        if field in found:
            return str(found[field])
    return str(_words()["*"].get(field, ""))


def schemas(names: Iterable[str]) -> dict[str, msgspec.Raw]:
    """The schemas of some types and of all that they are made of, as JSON, by the names in documents, in order.

    Args:
        names: of the types, such as "core.Pod".
    """
    found: set[str] = set()
    rest = [*names]
    while rest:
        name = rest.pop()
        if name not in found:
            found.add(name)
            rest += _parts(name)
    return {published_name(name): _encoded(name) for name in sorted(found, key=published_name)}


def list_schema(name: str, gvk: Object, *, custom: bool) -> Object:
    """The schema of a list of a kind's objects.

    Args:
        name: of the kind's type in documents.
        gvk: group, version and kind of the list.
        custom: whether the kind is defined by a CustomResourceDefinition.
    """
    item: Object = {"$ref": f"#/components/schemas/{name}"}
    about: Object = {"allOf": [reference("meta.ListMeta")]}
    if not custom:
        item, about = {"default": {}, "allOf": [item]}, about | {"default": {}}
    return {
        "description": words("list"),
        "type": "object",
        "required": ["items"],
        "properties": {
            "apiVersion": head("apiVersion"),
            "items": {"description": words("items"), "type": "array", "items": item},
            "kind": head("kind"),
            "metadata": {"description": words("", "meta.ListMeta")} | about,
        },
        "x-kubernetes-group-version-kind": [gvk],
    }


def head(field: str) -> Object:
    """The place of an object's `apiVersion` or `kind`."""
    return _said(words(field)) | _SCALARS["string"]


@cache
def _words() -> Object:
    text = files(__package__).joinpath("descriptions.json").read_text(encoding="utf-8")
    found: Object = json.loads(text)
    return found


def _parts(name: str) -> Iterator[str]:
    for _, field in (named_fields(name) or {}).values():
        if field.type not in _SCALARS and field.type != "authentication.ExtraValue":
            yield field.type


@cache
def _encoded(name: str) -> msgspec.Raw:
    return msgspec.Raw(encode(_schema(name)))


def _schema(name: str) -> Object:
    about = {"description": text} if (text := words("", name)) else {}
    if name in _OWN:
        return about | _OWN[name]
    gvks = [gvk for gvk, type_name in kinds().items() if type_name == name]
    fields = named_fields(name) or {}
    properties = {key: _site(field, words(key, name, owner)) for key, (owner, field) in sorted(fields.items())}
    if gvks:
        properties |= {key: head(key) for key in ("apiVersion", "kind")}
    required = [key for key, (_, field) in fields.items() if "required" in field.facts]
    schema: Object = about | {"type": "object"}
    if required:
        schema["required"] = required
    if properties:
        schema["properties"] = dict(sorted(properties.items()))
    if gvks:
        schema["x-kubernetes-group-version-kind"] = [
            {"group": group, "kind": kind, "version": version} for group, version, kind in gvks
        ]
    if name in atomic_types():
        schema["x-kubernetes-map-type"] = "atomic"
    return schema


def _said(text: str) -> Object:
    return {"description": text} if text else {}


def _site(field: Field, text: str) -> Object:
    """The place of a field in its type."""
    said = dict(fact.partition("=")[::2] for fact in field.facts)
    enum = {"enum": said["in"].split("|")} if "in" in said else {}
    if field.form:
        place: Object = {"type": "array" if field.form == "[]" else "object"}
        place["items" if field.form == "[]" else "additionalProperties"] = _entry(field.type) | enum
    elif field.type in _SCALARS:
        place = _SCALARS[field.type] | enum
    else:
        place = {"allOf": [reference(field.type)]}
    if "" in said:
        place["default"] = json.loads(said[""])
    if field.form == "[]":
        place["x-kubernetes-list-type"] = "map" if "map" in said else "set" if "set" in said else "atomic"
    if "map" in said:
        place["x-kubernetes-list-map-keys"] = said["map"].split(",")
    for word in ("atomic", "granular"):
        if word in said:
            place["x-kubernetes-map-type"] = word
    if "patch" in said:
        place["x-kubernetes-patch-strategy"] = said["patch"]
    if "by" in said:
        place["x-kubernetes-patch-merge-key"] = said["by"]
    # A place that says nothing of its own is but the type.
    return _said(text) | place if text or [*place] != ["allOf"] else reference(field.type)


def _entry(kind: str) -> Object:
    """What a list or a map is made of."""
    if kind == "authentication.ExtraValue":
        return _TEXTS
    if kind in _SCALARS:
        return _SCALARS[kind] | ({"default": _ZEROS[kind]} if kind in _ZEROS else {})
    return reference(kind) if kind in _OWN else {"default": {}, "allOf": [reference(kind)]}
