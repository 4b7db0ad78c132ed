"""From a request to its answer: what is a resource goes to its verb, the rest is discovery and health."""

from __future__ import annotations

from urllib.parse import unquote

from multidict import CIMultiDictProxy

from ktui.demo import discovery, errors
from ktui.demo.accept import Form, negotiate
from ktui.demo.clock import Clock
from ktui.demo.definitions import Definitions
from ktui.demo.lists import list_response, read_options
from ktui.demo.openapi import OpenApi, second
from ktui.demo.rbac import Access
from ktui.demo.representations import Representation, encode
from ktui.demo.request import Reply, Request, Stream
from ktui.demo.resources import Registry, Resource
from ktui.demo.reviews import review
from ktui.demo.router import Call, is_true
from ktui.demo.sources import Logs, Metrics
from ktui.demo.storage import Storage
from ktui.demo.subresources import Subresources
from ktui.demo.usage import usage
from ktui.demo.users import AUTHENTICATED, User
from ktui.demo.watches import Watches
from ktui.demo.writes import Writes

_TEXT = "text/plain; charset=utf-8"
_DEPRECATED = {
    "endpoints": "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
}


class Api:
    """Answers requests.

    Args:
        storage: the cluster's objects.
        clock: for ages and timestamps.
        metrics: where metrics.k8s.io takes its answers from.
        logs: where containers' logs come from.
    """

    def __init__(self, storage: Storage, clock: Clock, metrics: Metrics, logs: Logs) -> None:
        self.access = Access(storage)
        self.watches = Watches(storage, clock)
        self._storage = storage
        self._clock = clock
        self._metrics = metrics
        self._registry = Registry()
        self._openapi = OpenApi(self._registry)
        self._definitions = Definitions(storage, clock, self._registry, self.watches)
        self._writes = Writes(storage, clock)
        self._subresources = Subresources(storage, clock, self._writes, logs)

    def close(self) -> None:
        """Ends all watches and stops listening to the storage."""
        self.watches.close()
        self.access.close()
        self._definitions.close()

    def impersonated(self, user: User, headers: CIMultiDictProxy[str]) -> User:
        """The user that the Impersonate-User header names, else the caller.

        Raises:
            StatusError: 403 when the caller may not.
        """
        name = headers.get("Impersonate-User", "")
        if not name:
            return user
        self.access.check(user, Call(path="", verb="impersonate", version="v1", resource="users", name=name))
        return User(name, (*headers.getall("Impersonate-Group", ()), AUTHENTICATED))

    async def answer(self, request: Request) -> Reply | Stream:
        """Answers a request that may be made.

        Raises:
            StatusError: whatever is wrong with it.
        """
        call = request.call
        if not call.resource:
            if call.path.rstrip("/").startswith("/openapi/v3"):
                return await self._answer_openapi(request)
            return self._answer_path(request)
        resource = self._registry.find(call.group, call.version, call.resource)
        if resource is None:
            if call.group and call.group not in self._registry.groups():
                return _no_page()
            raise errors.no_such_resource()
        if resource.key in _DEPRECATED:
            request.warnings.append(_DEPRECATED[resource.key])
        if not resource.stored:
            return self._answer_virtual(request, resource)
        if call.subresource:
            return await self._subresources.answer(request, resource)
        if call.verb not in resource.verbs:
            raise errors.method_not_allowed()
        if call.verb == "watch":
            return self._watch(request, resource)
        if call.verb == "list":
            return await self._list(request, resource)
        if call.verb == "get":
            return self._get(request, resource)
        if call.verb not in ("create", "deletecollection") and not call.name:
            raise errors.method_not_allowed()
        status, obj = self._writes.perform(request, resource)
        form = negotiate(request.accept, listing=False)
        if obj.get("kind") == "Status" or form.shape == "":
            return Reply(encode(obj), status)
        body = self._representation(request, resource, form).single(obj)
        return Reply(body, status)

    def _representation(self, request: Request, resource: Resource, form: Form) -> Representation:
        include = request.query.get("includeObject") or "Metadata"
        if form.shape == "Table" and include not in ("Metadata", "Object", "None"):
            why = f"includeObject: Invalid value: \"{include}\": must be 'Metadata', 'Object', 'None', or empty"
            raise errors.bad_request(f"Unable to convert to Table as requested: {why}")
        return Representation(resource, form, include, self._clock.now())

    def _get(self, request: Request, resource: Resource) -> Reply:
        call = request.call
        form = negotiate(request.accept, listing=False)
        obj = self._storage.get(resource.key, call.namespace if resource.namespaced else "", call.name)
        if obj is None:
            raise errors.not_found(resource.key, call.name)
        return Reply(self._representation(request, resource, form).single(obj))

    async def _list(self, request: Request, resource: Resource) -> Reply:
        form = negotiate(request.accept, listing=True)
        options = read_options(request.query, watch=False)
        shape = self._representation(request, resource, form)
        body = await list_response(self._storage, resource, _scope(request.call, resource), options, shape)
        return Reply(body)

    def _watch(self, request: Request, resource: Resource) -> Stream:
        form = negotiate(request.accept, listing=False)
        options = read_options(request.query, watch=True)
        chunks = self.watches.stream(
            resource,
            _scope(request.call, resource),
            options,
            self._representation(request, resource, form),
            seconds=options.timeout or None,
            bookmarks=is_true(request.query.get("allowWatchBookmarks", "false")),
        )
        return Stream(chunks)

    def _answer_virtual(self, request: Request, resource: Resource) -> Reply:
        if request.call.verb == "watch":
            raise errors.not_watchable(resource.group, resource.name)
        if request.call.verb not in resource.verbs:
            raise errors.method_not_allowed()
        if resource.group != "metrics.k8s.io":
            return review(request, resource, self.access, self._clock.now())
        found = usage(self._metrics, request, resource)
        form = negotiate(
            request.accept.replace("application/vnd.kubernetes.protobuf", ""), listing=not request.call.name
        )
        shape = self._representation(request, resource, form)
        if request.call.name:
            return Reply(shape.single(found[0]))
        return Reply(shape.listing(map(shape.item, found), {}))

    async def _answer_openapi(self, request: Request) -> Reply:
        path = request.call.path.rstrip("/")
        if path == "/openapi/v3":
            return _tagged(await self._openapi.index(), "application/json")
        place = path.removeprefix("/openapi/v3/")
        document = await self._openapi.document(place)
        if document is None:
            return Reply(b"", 404, _TEXT)
        asked = request.query.get("hash", "")
        headers = {"ETag": f'"{document.digest}"', "Vary": "Accept"}
        if asked and asked != document.digest:
            return Reply(b"", 301, headers=headers | {"Location": f"/openapi/v3/{place}?hash={document.digest}"})
        if asked:
            # What is at a hash never changes.
            headers["Cache-Control"] = "public, immutable"
        return Reply(document.body, headers=headers)

    def _answer_path(self, request: Request) -> Reply:
        path = request.call.path.rstrip("/") or "/"
        if discovery.is_health(path):
            return Reply(b"ok", content_type=_TEXT)
        if path == "/version":
            return Reply(encode(discovery.SERVER_VERSION))
        if path == "/openapi/v2":
            document, kind = second(request.accept)
            return Reply(document, content_type=kind)
        body: bytes | None = None
        parts = [unquote(part) for part in path.split("/") if part] or [""]
        if path in ("/api", "/apis"):
            if discovery.wants_aggregated(request.accept):
                body = discovery.aggregated(self._registry, core=path == "/api")
                return _tagged(body, discovery.AGGREGATED_TYPE)
            body = discovery.core_versions() if path == "/api" else discovery.group_list(self._registry)
        elif parts[0] == "api" and len(parts) == 2:
            body = discovery.resource_list(self._registry, "", parts[1])
        elif parts[0] == "apis" and len(parts) == 3:
            body = discovery.resource_list(self._registry, parts[1], parts[2])
        elif parts[0] == "apis" and len(parts) == 2:
            body = discovery.group(self._registry, parts[1])
        if body is None:
            if parts[0] == "api" or (parts[0] == "apis" and parts[1:] and parts[1] in self._registry.groups()):
                raise errors.no_such_resource()
            return _no_page()
        return _tagged(body, "application/json")


def _no_page() -> Reply:
    return Reply(b"404 page not found\n", 404, _TEXT)


def _scope(call: Call, resource: Resource) -> str | None:
    """The namespace to look in; None for all, and "" for what lives in none."""
    if not resource.namespaced:
        return ""
    return call.namespace or None


def _tagged(body: bytes, content_type: str) -> Reply:
    headers = {"ETag": discovery.etag(body), "Vary": "Accept", "Cache-Control": "public"}
    return Reply(body, content_type=content_type, headers=headers)
