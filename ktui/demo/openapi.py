"""OpenAPI v3, as little as kubectl needs to leave validation to the server.

kubectl asks, before it sends an object, whether the kind's patch takes the parameter `fieldValidation`; a kind whose
document does not say so cannot be applied. Schemas, which `kubectl explain` reads, are not served.
"""

from __future__ import annotations

import hashlib
from typing import Any

from ktui.demo.discovery import SERVER_VERSION
from ktui.demo.representations import encode
from ktui.demo.resources import Registry, Resource

Object = dict[str, Any]

_SECOND_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
_QUERY = ("dryRun", "fieldManager", "fieldValidation", "force")


def index(registry: Registry) -> bytes:
    """`/openapi/v3`: where each group version's document is."""
    paths = {}
    for resource in registry:
        place = _place(resource)
        if place not in paths:
            body = document(registry, place) or b""
            digest = hashlib.sha256(body).hexdigest().upper()
            paths[place] = {"serverRelativeURL": f"/openapi/v3/{place}?hash={digest}"}
    return encode({"paths": paths})


def document(registry: Registry, place: str) -> bytes | None:
    """`/openapi/v3/PLACE`, None when there is none such.

    Args:
        registry: what is served.
        place: such as "api/v1" or "apis/apps/v1".
    """
    resources = [resource for resource in registry if _place(resource) == place]
    if not resources:
        return None
    paths = {_path(resource): {"patch": _patch(resource)} for resource in resources}
    return encode(
        {
            "openapi": "3.0.0",
            "info": {"title": "Kubernetes", "version": SERVER_VERSION["gitVersion"]},
            "paths": paths,
            "components": {"schemas": {}},
        }
    )


def second(accept: str) -> tuple[bytes, str]:
    """`/openapi/v2`, by which kubectl makes sure that a kind is unknown: a document without paths, and its type.

    Args:
        accept: the Accept header; kubectl wants protobuf.
    """
    told = {"title": "Kubernetes", "version": SERVER_VERSION["gitVersion"]}
    if _SECOND_TYPE not in accept.replace("@", "."):
        return encode({"swagger": "2.0", "info": told, "paths": {}}), "application/json"
    return _text(1, "2.0") + _field(2, _text(1, told["title"]) + _text(2, told["version"])) + _field(
        8, b""
    ), _SECOND_TYPE


def _text(number: int, text: str) -> bytes:
    return _field(number, text.encode())


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2, len(content)]) + content


def _place(resource: Resource) -> str:
    return f"apis/{resource.api_version}" if resource.group else f"api/{resource.api_version}"


def _path(resource: Resource) -> str:
    scope = "/namespaces/{namespace}" if resource.namespaced else ""
    return f"/{_place(resource)}{scope}/{resource.name}/{{name}}"


def _patch(resource: Resource) -> Object:
    return {
        "operationId": f"patch{resource.kind}",
        "parameters": [{"name": name, "in": "query", "schema": {"type": "string"}} for name in _QUERY],
        "responses": {"200": {"description": "OK"}},
        "x-kubernetes-action": "patch",
        "x-kubernetes-group-version-kind": {
            "group": resource.group,
            "version": resource.version,
            "kind": resource.kind,
        },
    }
