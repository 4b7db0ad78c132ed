"""Discovery: which kinds a server serves, and what people call them.

Source: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import msgspec

from ktui.kinds.names import GVR
from ktui.kube.client import Client
from ktui.kube.errors import ApiError

AGGREGATED = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
)


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind as the server announces it.

    Attributes:
        gvr: where it is served.
        kind: the name in manifests.
        singular: kubectl's singular.
        namespaced: whether its objects live in namespaces.
        short: short names, `po`.
        verbs: what the API can do with it.
        subresources: `scale`, `status`, `log` ...
        categories: groups of kinds such as `all`.
    """

    gvr: GVR
    kind: str
    singular: str
    namespaced: bool
    short: tuple[str, ...]
    verbs: tuple[str, ...]
    subresources: tuple[str, ...]
    categories: tuple[str, ...]

    @property
    def listable(self) -> bool:
        """Whether there is something to browse."""
        return "list" in self.verbs

    def called(self, word: str) -> bool:
        """Whether kubectl would take `word`, in lower case, for this kind: plural, singular, short name or kind."""
        return word in (self.gvr.resource, self.singular, self.kind.lower(), *self.short)


class Discovery:
    """The kinds of one server, in the server's order of preference.

    Args:
        resources: each kind in its preferred version.
    """

    def __init__(self, resources: list[Resource]) -> None:
        self.resources = resources

    def resolve(self, word: str) -> list[Resource]:
        """The kinds that `word` may mean, the one that kubectl would take first; several when it is ambiguous.

        Args:
            word: `pods`, `po`, `Pod`, `deployments.apps`, `deploy.v1.apps`; upper or lower case.
        """
        name, _, qualifier = word.lower().partition(".")
        found = [resource for resource in self.resources if resource.listable and resource.called(name)]
        if not qualifier:
            return found
        return [r for r in found if qualifier in (r.gvr.group, f"{r.gvr.version}.{r.gvr.group}".rstrip("."))]

    def find(self, group: str, kind: str) -> Resource | None:
        """The resource of an object by its API group and kind, as owner references name them."""
        return next((r for r in self.resources if r.gvr.group == group and r.kind == kind), None)


async def discover(client: Client) -> Discovery:
    """Ask the server what it serves: two requests where it aggregates its discovery, one a group where it does not.

    Raises:
        KtuiError: the server cannot be asked.
    """
    core, groups = await asyncio.gather(_aggregated(client, "/api"), _aggregated(client, "/apis"))
    if core is None or groups is None:
        return Discovery(await _legacy(client))
    return Discovery(core + groups)


class _ResponseKind(msgspec.Struct, rename="camel", gc=False):
    kind: str = ""


class _Subresource(msgspec.Struct, rename="camel", gc=False):
    subresource: str


class _ResourceV2(msgspec.Struct, rename="camel", gc=False):
    resource: str
    scope: str = ""
    response_kind: _ResponseKind | None = None
    singular_resource: str = ""
    verbs: tuple[str, ...] = ()
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[_Subresource, ...] = ()


class _VersionV2(msgspec.Struct, rename="camel", gc=False):
    version: str
    resources: tuple[_ResourceV2, ...] = ()


class _Name(msgspec.Struct, gc=False):
    name: str = ""


class _GroupV2(msgspec.Struct, rename="camel", gc=False):
    metadata: _Name = msgspec.field(default_factory=_Name)
    versions: tuple[_VersionV2, ...] = ()


class _GroupListV2(msgspec.Struct, rename="camel", gc=False):
    kind: str = ""
    items: tuple[_GroupV2, ...] = ()


async def _aggregated(client: Client, path: str) -> list[Resource] | None:
    listed: _GroupListV2 = await client.get_json(path, _GroupListV2, accept=AGGREGATED)
    if listed.kind != "APIGroupDiscoveryList":
        return None
    found: dict[tuple[str, str], Resource] = {}
    for group in listed.items:
        # Versions come in the server's order of preference: the first that serves a resource is the one to use.
        for version in group.versions:
            for resource in version.resources:
                gvr = GVR(group.metadata.name, version.version, resource.resource)
                found.setdefault((gvr.group, gvr.resource), _resource_v2(gvr, resource))
    return list(found.values())


def _resource_v2(gvr: GVR, resource: _ResourceV2) -> Resource:
    return Resource(
        gvr=gvr,
        kind=resource.response_kind.kind if resource.response_kind else "",
        singular=resource.singular_resource,
        namespaced=resource.scope == "Namespaced",
        short=resource.short_names,
        verbs=resource.verbs,
        subresources=tuple(sub.subresource for sub in resource.subresources),
        categories=resource.categories,
    )


class _ResourceV1(msgspec.Struct, rename="camel", gc=False):
    name: str
    kind: str = ""
    singular_name: str = ""
    namespaced: bool = False
    verbs: tuple[str, ...] = ()
    short_names: tuple[str, ...] | None = None
    categories: tuple[str, ...] | None = None


class _ResourceListV1(msgspec.Struct, rename="camel", gc=False):
    group_version: str = ""
    resources: tuple[_ResourceV1, ...] | None = None


class _GroupVersion(msgspec.Struct, rename="camel", gc=False):
    group_version: str = ""


class _GroupV1(msgspec.Struct, rename="camel", gc=False):
    versions: tuple[_GroupVersion, ...] = ()


class _GroupListV1(msgspec.Struct, rename="camel", gc=False):
    groups: tuple[_GroupV1, ...] = ()


async def _legacy(client: Client) -> list[Resource]:
    """One request a group version, as servers before 1.26 want it."""
    listed: _GroupListV1 = await client.get_json("/apis", _GroupListV1)
    versions = ["v1", *(version.group_version for group in listed.groups for version in group.versions)]
    found: dict[tuple[str, str], Resource] = {}
    for resources in await asyncio.gather(*(_group_version(client, version) for version in versions)):
        for resource in resources:
            found.setdefault((resource.gvr.group, resource.gvr.resource), resource)
    return list(found.values())


async def _group_version(client: Client, group_version: str) -> list[Resource]:
    path = f"/apis/{group_version}" if "/" in group_version else f"/api/{group_version}"
    try:
        found: _ResourceListV1 = await client.get_json(path, _ResourceListV1)
    except ApiError:
        # An aggregated API whose server is away is announced and yet not served; the others still are.
        return []
    listed = found.resources or ()
    group, _, version = group_version.rpartition("/")
    subresources: dict[str, list[str]] = {}
    for resource in listed:
        name, _, sub = resource.name.partition("/")
        if sub:
            subresources.setdefault(name, []).append(sub)
    return [
        Resource(
            gvr=GVR(group, version, resource.name),
            kind=resource.kind,
            singular=resource.singular_name,
            namespaced=resource.namespaced,
            short=resource.short_names or (),
            verbs=resource.verbs,
            subresources=tuple(subresources.get(resource.name, ())),
            categories=resource.categories or (),
        )
        for resource in listed
        if "/" not in resource.name
    ]
