"""Schemas of clusters: they say what `kubectl explain` says, and find wrong what the server refuses."""

from __future__ import annotations

import copy
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ktui.demo.openapi import OpenApi
from ktui.demo.resources import RESOURCES, Registry
from ktui.kube.client import Client
from ktui.kube.discovery import discover
from ktui.kube.errors import ApiError
from ktui.kube.openapi import SavedSchemas, ServerSchemas
from ktui.manifests.check import faults
from ktui.manifests.definitions import read_definitions
from ktui.manifests.schema import Documentation, Field, Schema, describe, schema_of
from tests.cluster.conftest import Kubectl
from tests.cluster.objects import Objects
from tests.cluster.test_merge import IMAGE, container, pod, web


@pytest.fixture
def schemas(client: Client, tmp_path: Path) -> ServerSchemas:
    """The cluster's, with nothing kept yet."""
    return ServerSchemas(client, tmp_path)


async def known(schemas: ServerSchemas, group: str, version: str, kind: str) -> Schema:
    found = await schemas.schema(group, version, kind)
    assert found is not None, f"no schema of {kind}"
    return found


async def test_a_kind_that_does_not_exist_has_no_schema(schemas: ServerSchemas) -> None:
    """Neither in a group that exists nor in one that does not."""
    assert await schemas.schema("apps", "v1", "Nope") is None
    assert await schemas.schema("nope.example.com", "v1", "Nope") is None


async def test_every_kind_that_can_be_written_has_a_schema(client: Client, schemas: ServerSchemas) -> None:
    """And what the server has of them is right by it."""
    checked = 0
    for resource in (await discover(client)).resources:
        if "update" not in resource.verbs:
            continue
        gvr = resource.gvr
        schema = await known(schemas, gvr.group, gvr.version, resource.kind)
        listed = msgspec.json.decode((await client.request("GET", gvr.path(), query={"limit": "500"})).body)
        for item in listed["items"]:
            whole = {"apiVersion": gvr.group_version, "kind": resource.kind, **item}
            assert [fault for fault in faults(whole, schema) if fault.severity == "error"] == [], item["metadata"]
            checked += 1
    assert checked > 50


# -- facts -----------------------------------------------------------------------------------------


async def test_both_clusters_know_the_same_of_built_in_kinds(client: Client, schemas: ServerSchemas) -> None:
    """Fields, types, required ones, values, defaults, and how lists are merged; nothing is left out of a kind."""
    embedded = OpenApi(Registry())
    differing: list[str] = []
    compared: set[int] = set()
    for resource in RESOURCES.values():
        # Usage is told by another server, in a document of its own making.
        if resource.group == "metrics.k8s.io":
            continue
        place = f"apis/{resource.api_version}" if resource.group else f"api/{resource.version}"
        document = await embedded.document(place)
        assert document is not None
        gvk = resource.group, resource.version, resource.kind
        expected = schema_of(read_definitions(document.body), *gvk)
        assert expected is not None
        found = await known(schemas, *gvk)
        assert (found.strategic, found.built_in) == (expected.strategic, expected.built_in)
        differing += _differences(expected.root, found.root, (resource.kind,), compared)
    assert differing == []
    assert len(compared) > 300


def _differences(expected: Field, found: Field, path: tuple[str, ...], compared: set[int]) -> Iterator[str]:
    """What two schemas do not say alike of a field and what is in it; each type is looked at once."""
    mine, theirs = _facts(expected), _facts(found)
    yield from (f"{'.'.join(path)}: {one} and {other}" for one, other in zip(mine, theirs, strict=True) if one != other)
    if id(found.definition) in compared:
        return
    compared.add(id(found.definition))
    for name in {*expected.fields} & {*found.fields}:
        yield from _differences(expected.fields[name], found.fields[name], (*path, name), compared)
    for one, other in ((expected.items, found.items), (expected.values, found.values)):
        if one is not None and other is not None:
            yield from _differences(one, other, path, compared)


def _facts(field: Field) -> tuple[Any, ...]:
    known = field.type, field.format, field.type_words, field.enum, field.default, field.nullable, field.open
    merged = field.list_type, field.list_map_keys, field.rule, field.immutable
    limits = [getattr(field.definition, name) for name in ("minimum", "maximum", "min_items", "pattern")]
    return *known, *merged, limits, {*field.required}, {*field.fields}


async def test_both_clusters_publish_a_custom_resource_alike(
    client: Client, schemas: ServerSchemas, objects: Objects, namespace: str
) -> None:
    """With what every object has, and all that its definition says."""
    name = f"torch{namespace.removeprefix('t-')}"
    definition = lamps(name)
    registry = Registry()
    registry.define(definition)
    document = await OpenApi(registry).document(f"apis/{name}.example.com/v1")
    assert document is not None
    expected = schema_of(read_definitions(document.body), f"{name}.example.com", "v1", name.capitalize())
    assert expected is not None
    found = await served(schemas, objects, definition)
    assert [*_differences(expected.root, found.root, (), set())] == []


async def served(schemas: ServerSchemas, objects: Objects, definition: dict[str, Any]) -> Schema:
    """The schema of a definition that is applied, as soon as it is told."""
    await objects.apply(definition)
    names, group = definition["spec"]["names"], definition["spec"]["group"]
    found = None
    deadline = time.monotonic() + 30
    while found is None and time.monotonic() < deadline:
        found = await schemas.schema(group, "v1", names["kind"])
    assert found is not None
    return found


# -- documentation ---------------------------------------------------------------------------------

EXPLAINED = (
    "deployments", "deployments.spec", "deployments.spec.replicas", "deployments.spec.strategy", "deployments.metadata",
    "deployments.metadata.labels", "deployments.spec.template.spec.containers",
    "deployments.spec.template.spec.containers.imagePullPolicy", "deployments.spec.template.spec.containers.resources",
    "deployments.spec.template.spec.containers.resources.limits", "pods.spec.containers.ports",
    "pods.spec.containers.livenessProbe.httpGet.port", "pods.spec.containers.env.valueFrom.secretKeyRef",
    "pods.spec.volumes", "pods.spec.volumes.projected.sources", "pods.spec.tolerations.operator", "pods.spec.affinity",
    "services.spec.ports", "services.spec.type", "configmaps", "configmaps.data", "secrets.data", "nodes.spec.taints",
    "jobs.spec.podFailurePolicy.rules", "cronjobs.spec.concurrencyPolicy", "networkpolicies.spec.ingress.from",
    "horizontalpodautoscalers.spec.metrics", "customresourcedefinitions.spec.versions.schema.openAPIV3Schema",
    "clusterroles.rules", "persistentvolumeclaims.spec.resources.requests", "poddisruptionbudgets.spec.minAvailable",
)  # fmt: skip


async def test_fields_are_explained_as_by_kubectl(client: Client, schemas: ServerSchemas, kubectl: Kubectl) -> None:
    """The type, what it means, and what is in it: word by word."""
    discovery = await discover(client)
    for words in EXPLAINED:
        plural, *path = words.split(".")
        resource = discovery.resolve(plural)[0]
        schema = await known(schemas, resource.gvr.group, resource.gvr.version, resource.kind)
        found = describe(schema, tuple(path))
        assert found is not None, words
        ours, theirs = _said(found), _as_kubectl_says(await kubectl("explain", words))
        # Where a place says nothing, its type still does.
        nothing = {field[0] for field in theirs[-1] if field[-1] == "<nodescription>"}
        for fields in (ours[-1], theirs[-1]):
            fields[:] = [(*field[:-1], "") if field[0] in nothing else field for field in fields]
        assert ours == theirs, words


def _said(found: Documentation) -> tuple[Any, ...]:
    fields = [
        (field.name, field.type, field.required, field.enum, "".join(field.text.split())) for field in found.fields
    ]
    head = (found.name, found.type) if found.name else ("", "")
    # Whether the field itself is required, kubectl does not say.
    return (*head, found.enum, "".join(found.text.split()), fields)


_FIELD = re.compile(r"^  (\S+)\t<(\S+)>( -required-)?$(?:\n  enum: (.*)$)?", re.MULTILINE)


def _as_kubectl_says(text: str) -> tuple[Any, ...]:
    head, _, fields = text.partition("\nFIELDS:\n")
    head, _, description = head.partition("\nDESCRIPTION:\n")
    name = re.search(r"^FIELD: (\S+) <(\S+)>$", head, re.MULTILINE)
    enum = head.partition("ENUM:\n")[2].split()
    matches = [*_FIELD.finditer(fields)]
    ends = [*(match.start() for match in matches[1:]), len(fields)][: len(matches)]
    inside = [
        (
            match[1],
            match[2],
            match[3] is not None,
            tuple(match[4].split(", ")) if match[4] else (),
            "".join(fields[match.end() : end].split()),
        )
        for match, end in zip(matches, ends, strict=True)
    ]
    named = (name[1], name[2]) if name else ("", "")
    return (*named, tuple(enum), "".join(description.split()), inside)


# -- checks ----------------------------------------------------------------------------------------


def _with(**fields: Any) -> dict[str, Any]:
    item = web("NAMESPACE")
    container(item).update(fields)
    return item


def _pod_with(**fields: Any) -> dict[str, Any]:
    item = web("NAMESPACE")
    pod(item).update(fields)
    return item


def _spec_with(**fields: Any) -> dict[str, Any]:
    item = web("NAMESPACE")
    item["spec"] |= fields
    return item


REFUSED = (
    _with(imag="x"), _with(image=5), _with(tty="yes"), _with(ports={}), _with(ports=[{"containerPort": "80"}]),
    _with(ports=[{"name": "x"}]), _with(resources={"limits": {"cpu": "much"}}), _with(env=[{"name": "A", "value": 1}]),
    _with(env=[{"value": "1"}]), _with(imagePullPolicy="Maybe"), _with(livenessProbe={"httpGet": {"port": True}}),
    _with(livenessProbe={"httpGet": {}}), _pod_with(containers=[{"name": "a", "image": IMAGE}] * 2),
    _pod_with(volumes=[{"name": "cache", "emptyDir": {"sizeLimit": "1 GB"}}]), _pod_with(restartpolicy="Always"),
    _pod_with(containers=[{"image": IMAGE}]), _spec_with(replicas=2**31), _spec_with(replicas=1.5),
    _spec_with(selector=None), _spec_with(template="x"), _spec_with(strategy={"type": "Rolling"}),
)  # fmt: skip

TAKEN = (
    _with(resources={"limits": {"cpu": 1, "memory": "64Mi"}, "requests": {"cpu": 0.5}}), _with(env=None),
    _with(env=[{"name": "A"}, {"name": "A", "value": "1"}]), _with(livenessProbe={"httpGet": {"port": "metrics"}}),
    _with(imagePullPolicy=""), _with(ports=[{"containerPort": 53}, {"containerPort": 53, "protocol": "UDP"}]),
    _with(ports=[{"containerPort": 53}, {"containerPort": 53, "name": "again"}]),
    _pod_with(imagePullSecrets=[{"name": "a"}, {"name": "a"}]), _pod_with(nodeSelector={}),
    _pod_with(hostAliases=[{"ip": "1.2.3.4", "hostnames": ["a"]}, {"ip": "1.2.3.4", "hostnames": ["b"]}]),
    _spec_with(minReadySeconds=0, paused=True), _spec_with(progressDeadlineSeconds=600),
)  # fmt: skip


async def test_what_is_wrong_the_server_refuses(
    client: Client, schemas: ServerSchemas, objects: Objects, namespace: str
) -> None:
    """And what is right it takes."""
    schema = await known(schemas, "apps", "v1", "Deployment")
    differing = []
    for item in (*REFUSED, *TAKEN):
        wanted = json.loads(json.dumps(item).replace("NAMESPACE", namespace))
        found = [fault for fault in faults(wanted, schema) if fault.severity == "error"]
        refused = await _refused(client, objects, wanted)
        if not bool(found) is refused is (item in REFUSED):
            differing.append((wanted["spec"], found, refused))
    assert differing == []


async def _refused(client: Client, objects: Objects, item: dict[str, Any]) -> bool:
    path = (await objects.path(item)).rpartition("/")[0]
    query = {"dryRun": "All", "fieldValidation": "Strict"}
    try:
        await client.request("POST", path, query=query, body=json.dumps(item).encode())
    except ApiError:
        return True
    return False


# -- custom resources ------------------------------------------------------------------------------


def lamps(name: str) -> dict[str, Any]:
    spec = {
        "type": "object",
        "description": "What the lamp shall do.",
        "required": ["bulbs"],
        "properties": {
            "colour": {"type": "string", "enum": ["red", "blue"], "default": "red"},
            "socket": {"type": "string", "x-kubernetes-validations": [{"rule": "self == oldSelf"}]},
            "level": {"type": "integer", "minimum": 1, "maximum": 10},
            "port": {"x-kubernetes-int-or-string": True},
            "note": {"type": "string", "nullable": True},
            "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
            "closed": {"type": "object"},
            "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
            "every": {"type": "string", "format": "duration"},
            "template": {
                "type": "object",
                "x-kubernetes-embedded-resource": True,
                "x-kubernetes-preserve-unknown-fields": True,
            },
            "bulbs": {
                "type": "array",
                "minItems": 1,
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name"],
                "items": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {"name": {"type": "string"}, "watts": {"type": "integer", "format": "int32"}},
                },
            },
        },
    }
    schema = {"openAPIV3Schema": {"type": "object", "required": ["spec"], "properties": {"spec": spec}}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{name}s.{name}.example.com"},
        "spec": {
            "group": f"{name}.example.com",
            "scope": "Namespaced",
            "names": {"plural": f"{name}s", "singular": name, "kind": name.capitalize()},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }  # fmt: skip


BULBS = [{"name": "a"}]
SPECS: tuple[tuple[Any, bool], ...] = (
    ({"bulbs": BULBS}, True),
    ({"bulbs": BULBS, "port": "http", "note": None, "any": {"x": [1]}, "tags": ["a"], "every": "5m", "level": 1}, True),
    ({"bulbs": BULBS, "closed": {}, "template": {"apiVersion": "v1", "kind": "Pod", "spec": {}}}, True),
    ({"bulbs": BULBS, "port": 80, "every": "1 day"}, True),
    (None, False),
    ({}, False),
    ({"bulbs": []}, False),
    ({"bulbs": None}, False),
    ({"bulbs": [*BULBS, *BULBS]}, False),
    ({"bulbs": [{"name": "a", "watts": "5"}]}, False),
    ({"bulbs": [{"watts": 5}]}, False),
    ({"bulbs": BULBS, "colour": "green"}, False),
    ({"bulbs": BULBS, "color": "red"}, False),
    ({"bulbs": BULBS, "level": 11}, False),
    ({"bulbs": BULBS, "level": 1.5}, False),
    ({"bulbs": BULBS, "socket": None}, True),
    ({"bulbs": BULBS, "tags": [None]}, False),
    ({"bulbs": BULBS, "port": 1.5}, False),
    ({"bulbs": BULBS, "closed": {"a": 1}}, False),
    ({"bulbs": BULBS, "tags": ["a", "a"]}, False),
    ({"bulbs": BULBS, "every": "soon"}, False),
)


async def test_custom_resources_have_schemas(
    client: Client, schemas: ServerSchemas, objects: Objects, namespace: str
) -> None:
    """What their schemas find wrong, the server refuses; a schema that is new is found at once."""
    name = f"lamp{namespace.removeprefix('t-')}"
    schema = await served(schemas, objects, lamps(name))
    lamp = {
        "apiVersion": f"{name}.example.com/v1",
        "kind": name.capitalize(),
        "metadata": {"name": "a", "namespace": namespace},
    }
    await objects.path(lamp)
    assert not schema.strategic
    for spec, good in SPECS:
        item = {**copy.deepcopy(lamp), "spec": spec}
        found = faults(item, schema)
        assert (not found) is good, (spec, found)
        assert await _refused(client, objects, item) is not good, spec
    field = describe(schema, ("spec", "socket"))
    assert field is not None
    assert field.immutable
    assert schema.lists.field("spec").field("bulbs").rule.keys == (("name",),)


# -- cost ------------------------------------------------------------------------------------------


async def test_a_saved_folder_is_as_good(client: Client, tmp_path: Path) -> None:
    """As `kubectl get --raw` writes it; and reading takes no longer than a key may."""
    for name, path in (("apps_v1", "/openapi/v3/apis/apps/v1"), ("api_v1", "/openapi/v3/api/v1")):
        body = (await client.request("GET", path)).body
        (tmp_path / f"{name}.json").write_bytes(body)
        fastest = 1.0
        for _ in range(3):
            start = time.perf_counter()
            read_definitions(body)
            fastest = min(fastest, time.perf_counter() - start)
        assert fastest < 0.15
    found = await SavedSchemas(tmp_path).schema("apps", "v1", "Deployment")
    assert found is not None
    assert found.strategic
