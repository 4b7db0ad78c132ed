"""OpenAPI v3: what each group version serves, and the schemas of its kinds.

    openapi = OpenApi(registry)
    await openapi.index(), await openapi.document("apis/apps/v1")

Documents are made when they are first asked for, in a thread, and kept until what they tell of changes. kubectl reads
in them whether a kind's patch takes the parameter `fieldValidation`, and what `kubectl explain` says.
Source: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-v3
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from typing import Any

from ktui.demo.custom_schema import published_schema
from ktui.demo.discovery import SERVER_VERSION
from ktui.demo.openapi_schemas import list_schema, published_name, schemas
from ktui.demo.representations import encode
from ktui.demo.resources import SUBRESOURCES, Registry, Resource
from ktui.demo.schema import type_of

Object = dict[str, Any]

_SECOND_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
_QUERY = ("dryRun", "fieldManager", "fieldValidation", "force")
_PATCHES = ("application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json")
_STRATEGIC = "application/strategic-merge-patch+json"
# The operations of a resource's two places, and the verbs that they stand for.
_ONE = {"get": "get", "put": "update", "patch": "patch", "delete": "delete"}
_ALL = {"get": "list", "post": "create", "delete": "deletecollection"}
_ACTIONS = {"create": "post", "update": "put"}


@dataclass(frozen=True, slots=True)
class Document:
    """What is told of one group version.

    Attributes:
        body: JSON.
        digest: the hash under which the index announces it.
    """

    body: bytes
    digest: str


class OpenApi:
    """The documents of a server.

    Args:
        registry: what is served.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._made: dict[str, tuple[tuple[Resource, ...], Document]] = {}
        self._one_at_a_time = asyncio.Lock()

    async def index(self) -> bytes:
        """`/openapi/v3`: where each group version's document is."""
        paths = {}
        for place in dict.fromkeys(map(_place, self._registry)):
            document = await self.document(place)
            if document is not None:
                paths[place] = {"serverRelativeURL": f"/openapi/v3/{place}?hash={document.digest}"}
        return encode({"paths": paths})

    async def document(self, place: str) -> Document | None:
        """`/openapi/v3/PLACE`, None when there is none such.

        Args:
            place: such as "api/v1" or "apis/apps/v1".
        """
        async with self._one_at_a_time:
            resources = tuple(resource for resource in self._registry if _place(resource) == place)
            if not resources:
                self._made.pop(place, None)
                return None
            told_of, found = self._made.get(place, ((), None))
            if found is None or told_of != resources:
                found = await asyncio.to_thread(_document, resources)
                self._made[place] = resources, found
            return found


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


def _document(resources: tuple[Resource, ...]) -> Document:
    body = encode(
        {
            "openapi": "3.0.0",
            "info": {"title": "Kubernetes", "version": SERVER_VERSION["gitVersion"]},
            "paths": {path: told for resource in resources for path, told in _paths(resource).items()},
            "components": {"schemas": _components(resources)},
        }
    )
    return Document(body, hashlib.sha512(body).hexdigest().upper())


# -- paths -----------------------------------------------------------------------------------------


def _paths(resource: Resource) -> Object:
    scope = "/namespaces/{namespace}" if resource.namespaced else ""
    path = f"/{_place(resource)}{scope}/{resource.name}"
    places = {
        place: {method: _operation(resource, verb) for method, verb in methods.items() if verb in resource.verbs}
        for place, methods in ((path, _ALL), (f"{path}/{{name}}", _ONE))
    }
    return {place: operations for place, operations in places.items() if operations}


def _operation(resource: Resource, verb: str) -> Object:
    told: Object = {
        "operationId": f"{verb}{resource.kind}",
        "responses": {"200": {"description": "OK"}},
        "x-kubernetes-action": _ACTIONS.get(verb, verb),
        "x-kubernetes-group-version-kind": _gvk(resource),
    }
    if verb in ("create", "update", "patch"):
        told["parameters"] = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in _QUERY]
    if verb == "patch":
        forms = _PATCHES if resource.custom is not None else (*_PATCHES, _STRATEGIC)
        told["requestBody"] = {"content": {form: {} for form in forms}}
    return told


def _gvk(resource: Resource, kind: str = "") -> Object:
    return {"group": resource.group, "kind": kind or resource.kind, "version": resource.version}


# -- schemas ---------------------------------------------------------------------------------------


def _components(resources: tuple[Resource, ...]) -> Object:
    built_in = {"meta.ListMeta"}
    own: Object = {}
    for resource in resources:
        name = type_of(resource.api_version, resource.kind)
        if name is not None:
            built_in.add(name)
            at = published_name(name)
        else:
            at = _custom_name(resource)
            own[at] = published_schema(resource.custom, _gvk(resource))
            built_in.add("meta.ObjectMeta")
        built_in |= {taken for sub in resource.subresources if (taken := _taken_by(resource, sub))}
        if "list" in resource.verbs:
            own[f"{at}List"] = list_schema(at, _gvk(resource, resource.list_kind), custom=resource.custom is not None)
    return dict(sorted((schemas(built_in) | own).items()))


def _taken_by(resource: Resource, subresource: str) -> str | None:
    """The type of what a subresource takes; None where it is that of the resource."""
    api_version, kind, _ = SUBRESOURCES[subresource]
    return type_of(api_version or resource.api_version, kind) if kind else None


def _custom_name(resource: Resource) -> str:
    """As the server names it: the group from its end, version, kind."""
    return ".".join((*reversed(resource.group.split(".")), resource.version, resource.kind))
