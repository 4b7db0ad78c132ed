"""Checks of an object as it was sent, before it is compared with anything: its kind, its place, its identity."""

from __future__ import annotations

from typing import Any

from ktui.demo import errors
from ktui.demo.request import Request
from ktui.demo.resources import Resource
from ktui.demo.schema import type_of

Object = dict[str, Any]

# What only the system sets: a sent value is forgotten.
_SET_BY_THE_SYSTEM = (
    "uid",
    "creationTimestamp",
    "generation",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "selfLink",
    "managedFields",
)
# Go packages call the core group "core" and drop the rest of a group's domain.
_INTERNAL_GROUPS = {"": "core"}


def check_kind(obj: Object, resource: Resource) -> None:
    """Fills in kind and apiVersion where they are missing, refuses others.

    Raises:
        StatusError: 400 for another kind.
    """
    kind, api_version = obj.setdefault("kind", resource.kind), obj.setdefault("apiVersion", resource.api_version)
    kind, api_version = kind or resource.kind, api_version or resource.api_version
    if (kind, api_version) == (resource.kind, resource.api_version):
        obj["kind"], obj["apiVersion"] = kind, api_version
        return
    version = api_version.rpartition("/")[2]
    if kind == resource.kind:
        raise errors.bad_request(
            f"the API version in the data ({api_version}) does not match the expected API version "
            f"({resource.api_version})"
        )
    if type_of(api_version, kind) is None:
        raise errors.bad_request(
            f'{kind} in version "{version}" cannot be handled as a {resource.kind}: no kind "{kind}" is registered for '
            f'version "{api_version}" in scheme "pkg/runtime/scheme.go:111"'
        )
    short = _INTERNAL_GROUPS.get(resource.group, resource.group.partition(".")[0])
    raise errors.bad_request(
        f'{kind} in version "{version}" cannot be handled as a {resource.kind}: converting ({version}.{kind}) to '
        f"({short}.{resource.kind}): unknown conversion"
    )


def check_place(obj: Object, request: Request, resource: Resource) -> None:
    """Fills in name and namespace from the URL, refuses others.

    Raises:
        StatusError: 400.
    """
    metadata, call = obj["metadata"], request.call
    name = metadata.setdefault("name", call.name) or call.name
    if name != call.name:
        raise errors.bad_request(f"the name of the object ({name}) does not match the name on the URL ({call.name})")
    metadata["name"] = name
    _fit_namespace(metadata, resource, call.namespace)


def check_uid(obj: Object, current: Object, resource: Resource) -> None:
    """Refuses an object that names another uid than the stored one has.

    Raises:
        StatusError: 409.
    """
    asked, have = obj["metadata"].get("uid"), current["metadata"]["uid"]
    if asked and asked != have:
        metadata = current["metadata"]
        where = "/".join(filter(None, (resource.name, metadata.get("namespace", ""), metadata["name"])))
        why = (
            f"StorageError: invalid object, Code: 4, Key: /registry/{where}, ResourceVersion: 0, "
            f"AdditionalErrorMsg: Precondition failed: UID in precondition: {asked}, UID in object meta: {have}"
        )
        raise errors.conflict(resource.key, metadata["name"], why)


def own_metadata(obj: Object, resource: Resource, namespace: str) -> Object:
    """Cleans the metadata of an object to create, in place, and returns it.

    Raises:
        StatusError: 400 when it is no object or names another namespace.
    """
    metadata = obj.get("metadata")
    if metadata is None:
        metadata = {}
    if not isinstance(metadata, dict):
        raise errors.bad_request(
            f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: json: cannot '
            f"unmarshal {_go_kind(metadata)} into Go struct field {resource.kind}.metadata of type v1.ObjectMeta"
        )
    obj["metadata"] = metadata
    for field in _SET_BY_THE_SYSTEM:
        metadata.pop(field, None)
    if metadata.pop("resourceVersion", None):
        raise errors.StatusError(500, "", "resourceVersion should not be set on objects to be created")
    _fit_namespace(metadata, resource, namespace)
    return metadata


def _go_kind(value: object) -> str:
    if isinstance(value, bool):
        return "bool"
    return {str: "string", list: "array", int: "number", float: "number"}.get(type(value), "object")


def _fit_namespace(metadata: Object, resource: Resource, namespace: str) -> None:
    if not resource.namespaced:
        metadata.pop("namespace", None)
        return
    if metadata.get("namespace") not in (None, "", namespace):
        raise errors.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    metadata["namespace"] = namespace
