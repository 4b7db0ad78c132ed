"""From a request line to what is meant: verb, resource, namespace, name, subresource.

As k8s.io/apiserver `endpoints/request` RequestInfo does it, so that access can be checked before anything is looked up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "GET": "get", "HEAD": "get"}
_TRUE = ("1", "true", "True", "TRUE", "t", "T")
_NAMESPACE_SUBRESOURCES = ("status", "finalize")


@dataclass(frozen=True, slots=True)
class Call:
    """What a request means.

    Attributes:
        path: the URL's path.
        verb: a Kubernetes verb such as "list", or the lower-case HTTP method of a path that is no resource.
        group: API group, "" for core.
        version: API version, "" for a path that is no resource.
        resource: plural name, "" for a path that is no resource.
        namespace: "" for cluster-scoped objects and for all namespaces.
        name: "" for a whole collection.
        subresource: "" for the object itself.
        rest: what follows the subresource, as in `proxy/some/path`.
    """

    path: str
    verb: str
    group: str = ""
    version: str = ""
    resource: str = ""
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    rest: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The resource's storage key: "pods", "deployments.apps"."""
        return f"{self.resource}.{self.group}" if self.group else self.resource


def read_call(method: str, path: str, query: Mapping[str, str]) -> Call:
    """Says what a request means; nothing is looked up.

    Args:
        method: the HTTP method.
        path: the URL's path, unquoted.
        query: the URL's query.
    """
    parts = [part for part in path.split("/") if part]
    if len(parts) >= 3 and parts[0] == "api":
        group, version, rest = "", parts[1], parts[2:]
    elif len(parts) >= 4 and parts[0] == "apis":
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return Call(path=path, verb=method.lower())
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 1:
        namespace = rest[1]
        # A namespace's own subresources aside, what follows its name is a resource in it.
        if len(rest) > 2 and rest[2] not in _NAMESPACE_SUBRESOURCES:
            rest = rest[2:]
    name = rest[1] if len(rest) > 1 else ""
    verb = _VERBS.get(method, method.lower())
    if not name:
        verb = _collection_verb(verb, query)
        name = _selected_name(verb, query)
    return Call(
        path=path,
        verb=verb,
        group=group,
        version=version,
        resource=rest[0],
        namespace=namespace,
        name=name,
        subresource=rest[2] if len(rest) > 2 else "",
        rest=tuple(rest[3:]),
    )


def is_true(text: str | None) -> bool:
    """Whether a query parameter says yes, as Go's strconv.ParseBool reads it (a bare `?watch` means yes, too)."""
    return text in _TRUE or text == ""


def _collection_verb(verb: str, query: Mapping[str, str]) -> str:
    if verb == "get":
        return "watch" if is_true(query.get("watch")) else "list"
    return "deletecollection" if verb == "delete" else verb


def _selected_name(verb: str, query: Mapping[str, str]) -> str:
    """A list or watch of `metadata.name=x` alone counts as access to the object x."""
    selector = query.get("fieldSelector", "")
    if verb in ("list", "watch", "deletecollection") and selector.startswith("metadata.name=") and "," not in selector:
        return selector.removeprefix("metadata.name=").removeprefix("=")
    return ""
