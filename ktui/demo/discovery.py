"""Discovery: which groups, versions and resources are served, in the aggregated and the older form.

As kubernetes.io/docs/concepts/overview/kubernetes-api says under "Discovery API".
"""

from __future__ import annotations

import hashlib
from typing import Any

from ktui.demo.representations import encode
from ktui.demo.resources import SUBRESOURCES, Registry, Resource

Object = dict[str, Any]

AGGREGATED_TYPE = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
SERVER_VERSION = {
    "major": "1",
    "minor": "36",
    "emulationMajor": "1",
    "emulationMinor": "36",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "35",
    "gitVersion": "v1.36.3",
    "gitCommit": "$Format:%H$",
    "gitTreeState": "",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "go1.26.8",
    "compiler": "gc",
    "platform": "linux/amd64",
}
_HEALTH = ("/healthz", "/livez", "/readyz")
_CHECKS = {f"{path}/{check}" for path in _HEALTH for check in ("ping", "log", "etcd")}


def wants_aggregated(accept: str) -> bool:
    """Whether an Accept header names the aggregated form, before plain JSON."""
    for clause in accept.split(","):
        parts = [part.strip() for part in clause.split(";")]
        if "as=APIGroupDiscoveryList" in parts and "v=v2" in parts:
            return True
        if parts == ["application/json"]:
            return False
    return False


def etag(body: bytes) -> str:
    """A body's entity tag."""
    return f'"{hashlib.sha256(body).hexdigest().upper()}"'


def is_health(path: str) -> bool:
    """Whether a path asks for the server's health, as a whole or one check."""
    return path in _HEALTH or path in _CHECKS


def aggregated(registry: Registry, *, core: bool) -> bytes:
    """The aggregated form of `/api` or `/apis`.

    Args:
        registry: what is served.
        core: whether for `/api`.
    """
    items = [
        {
            "metadata": {"name": group} if group else {},
            "versions": [
                {"version": version, "resources": [_aggregated(r) for r in resources], "freshness": "Current"}
                for version, resources in versions.items()
            ],
        }
        for group, versions in registry.groups().items()
        if (group == "") is core
    ]
    return encode(
        {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}
    )


def _aggregated(resource: Resource) -> Object:
    entry: Object = {
        "resource": resource.name,
        "responseKind": _own_kind(resource),
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": resource.verbs,
    }
    if resource.short:
        entry["shortNames"] = resource.short
    if resource.categories:
        entry["categories"] = resource.categories
    if resource.subresources:
        entry["subresources"] = [_aggregated_sub(resource, name) for name in resource.subresources]
    return entry


def _aggregated_sub(resource: Resource, name: str) -> Object:
    api_version, kind, verbs = SUBRESOURCES[name]
    group, _, version = api_version.rpartition("/")
    answers = _kind(group, version, kind) if kind else _own_kind(resource)
    return {"subresource": name, "responseKind": answers, "verbs": verbs}


def _own_kind(resource: Resource) -> Object:
    """The resource's kind; a real server leaves group and version of built-in ones to be taken from around it."""
    if resource.custom is None and resource.group != "metrics.k8s.io":
        return _kind("", "", resource.kind)
    return _kind(resource.group, resource.version, resource.kind)


def _kind(group: str, version: str, kind: str) -> Object:
    return {"group": group, "version": version, "kind": kind}


def core_versions() -> bytes:
    """The older form of `/api`."""
    return encode({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []})


def group_list(registry: Registry) -> bytes:
    """The older form of `/apis`."""
    groups = [_group(name, versions) for name, versions in registry.groups().items() if name]
    return encode({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})


def group(registry: Registry, name: str) -> bytes | None:
    """`/apis/GROUP`, None when there is no such group."""
    versions = registry.groups().get(name)
    if not name or versions is None:
        return None
    return encode({"kind": "APIGroup", "apiVersion": "v1", **_group(name, versions)})


def _group(name: str, versions: dict[str, list[Resource]]) -> Object:
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def resource_list(registry: Registry, name: str, version: str) -> bytes | None:
    """`/api/v1` or `/apis/GROUP/VERSION`, None when there is none such."""
    resources = registry.groups().get(name, {}).get(version)
    if resources is None:
        return None
    entries = [entry for resource in resources for entry in _listed(resource)]
    group_version = f"{name}/{version}" if name else version
    return encode({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": entries})


def _listed(resource: Resource) -> list[Object]:
    entry: Object = {
        "name": resource.name,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": resource.verbs,
    }
    if resource.short:
        entry["shortNames"] = resource.short
    if resource.categories:
        entry["categories"] = resource.categories
    return [entry, *(_listed_sub(resource, name) for name in resource.subresources)]


def _listed_sub(resource: Resource, name: str) -> Object:
    api_version, kind, verbs = SUBRESOURCES[name]
    entry: Object = {
        "name": f"{resource.name}/{name}",
        "singularName": "",  # nor short names: kubectl would find them ambiguous
        "namespaced": resource.namespaced,
        "kind": kind or resource.kind,
        "verbs": verbs,
    }
    if api_version:
        entry["group"], _, entry["version"] = api_version.rpartition("/")
    return entry
