"""OpenAPI v3 of the embedded cluster: what it tells of its kinds, and when that changes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from importlib.resources import files
from typing import Any

import pytest

from ktui.demo import openapi as openapi_module
from ktui.demo.clock import SteppedClock
from ktui.demo.openapi import OpenApi
from ktui.demo.openapi_schemas import words
from ktui.demo.resources import DEFINITIONS as CUSTOM
from ktui.demo.resources import RESOURCES, Registry
from ktui.demo.run import serve
from ktui.demo.schema import kinds, named_fields
from ktui.manifests.check import faults
from ktui.manifests.definitions import read_definitions
from ktui.manifests.lists import ABSENT
from ktui.manifests.schema import Field, Schema, complete, describe, schema_of
from tests.unit.demo_api import DEPLOYMENTS, Cluster, Object, running

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
LAMPS = "/openapi/v3/apis/example.com/v1"


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with running() as cluster:
        yield cluster


def lamps(**fields: Any) -> Object:
    """The definition of a kind whose spec has these fields."""
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": fields}}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "lamps.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": "lamps", "kind": "Lamp"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }


async def schema_at(place: str, group: str, kind: str, version: str = "v1") -> Schema:
    document = await OpenApi(Registry()).document(place)
    assert document is not None
    found = schema_of(read_definitions(document.body), group, version, kind)
    assert found is not None
    return found


def field(schema: Schema, *path: str) -> Field:
    found = schema.field(path)
    assert found is not None, path
    return found


async def places(cluster: Cluster) -> dict[str, str]:
    """Where the index says that documents are."""
    told = (await cluster.get("/openapi/v3")).json["paths"]
    return {place: entry["serverRelativeURL"] for place, entry in told.items()}


# -- documents -------------------------------------------------------------------------------------


async def test_every_kind_that_is_served_has_a_schema() -> None:
    """Under its group, version and kind."""
    openapi = OpenApi(Registry())
    for resource in RESOURCES.values():
        place = f"apis/{resource.api_version}" if resource.group else "api/v1"
        document = await openapi.document(place)
        assert document is not None
        assert schema_of(read_definitions(document.body), resource.group, resource.version, resource.kind), resource.key


async def test_every_reference_leads_somewhere() -> None:
    """A type that is named in a document stands in it."""
    openapi = OpenApi(Registry())
    for place in json.loads(await openapi.index())["paths"]:
        document = await openapi.document(place)
        assert document is not None
        schemas = json.loads(document.body)["components"]["schemas"]
        assert {*_references(schemas)} <= {f"#/components/schemas/{name}" for name in schemas}, place


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


async def test_the_facts_of_fields_are_told() -> None:
    """Types, formats, defaults, enumerations, required fields, and how lists are merged."""
    schema = await schema_at("apis/apps/v1", "apps", "Deployment")
    spec = field(schema, "spec")
    ports = field(schema, "spec", "template", "spec", "containers", "ports")
    volumes = field(schema, "spec", "template", "spec", "volumes")
    protocol = field(schema, "spec", "template", "spec", "containers", "ports", "protocol")
    surge = field(schema, "spec", "strategy", "rollingUpdate", "maxSurge")
    limits = field(schema, "spec", "template", "spec", "containers", "resources", "limits", "cpu")
    assert spec.required == ("selector", "template")
    assert (ports.list_type, ports.list_map_keys, ports.rule.patch_key) == (
        "map",
        ("containerPort", "protocol"),
        "containerPort",
    )
    assert ports.key_defaults == {"protocol": "TCP"}
    assert volumes.rule.retained
    assert (protocol.type, protocol.enum, protocol.default) == ("string", ("SCTP", "TCP", "UDP"), "TCP")
    assert (surge.format, limits.format) == ("int-or-string", "quantity")
    assert schema.strategic
    replicas = field(schema, "spec", "replicas")
    assert (replicas.type, replicas.format, replicas.default) == ("integer", "int32", ABSENT)


async def test_fields_are_completed_and_explained() -> None:
    """As the editor does it, with our own words."""
    schema = await schema_at("api/v1", "", "Pod")
    found = complete(schema, ("spec", "containers", 0), "image")
    assert [item.text for item in found] == ["image", "imagePullPolicy"]
    assert all(item.documentation for item in found)
    told = describe(schema, ("spec", "containers", 0, "livenessProbe"))
    assert told is not None
    assert told.type == "Probe"
    assert "restarted" in told.text
    assert {"httpGet", "periodSeconds"} <= {field.name for field in told.fields if field.text}


def test_words_are_sentences_about_types_that_are_there() -> None:
    """Each ends in a full stop; every kind has some, and so have most fields."""
    written = json.loads(files("ktui.demo").joinpath("descriptions.json").read_text(encoding="utf-8"))
    for name, told in written.items():
        if isinstance(told, str):
            assert isinstance(written[told], dict), name
            continue
        assert all(text.endswith(".") for text in told.values()), name
        fields = named_fields(name)
        if fields is not None:
            assert {*told} - {*fields, ""} == set(), name
    assert all(words("", name) for name in kinds().values())
    assert sum(len(told) for told in written.values() if isinstance(told, dict)) > 1000


async def test_a_schema_within_a_definition_is_not_found_wrong() -> None:
    """The items of its lists are of a type that says nothing of them; what it does name is looked at."""
    schema = await schema_at("apis/apiextensions.k8s.io/v1", "apiextensions.k8s.io", "CustomResourceDefinition")
    text = {"type": "string"}
    definition = lamps(tags={"type": "array", "items": text}, more={"type": "object", "additionalProperties": text})
    assert [*faults(definition, schema)] == []
    assert [fault.message for fault in faults(lamps(size={"typ": "integer"}), schema)] == [
        'unknown field "typ"; did you mean "type"?'
    ]


async def test_all_that_is_in_the_shop_is_right_by_its_schemas() -> None:
    """Nothing that the editor opens in the demo is marked before it is touched."""
    demo = await serve(clock=SteppedClock())
    try:
        registry = Registry()
        for definition in demo.storage.list(CUSTOM):
            registry.define(definition)
        openapi, checked = OpenApi(registry), 0
        for resource in registry:
            document = await openapi.document(f"apis/{resource.api_version}" if resource.group else "api/v1")
            assert document is not None
            schema = schema_of(read_definitions(document.body), resource.group, resource.version, resource.kind)
            assert schema is not None
            for item in demo.storage.list(resource.key) if resource.stored else ():
                assert [*faults(item, schema)] == [], (resource.key, item["metadata"]["name"])
                checked += 1
        assert checked > 100
    finally:
        await demo.stop()


# -- the index -------------------------------------------------------------------------------------


async def test_hashes_stay_while_nothing_changes(cluster: Cluster) -> None:
    """Objects come and go without a new hash, and two clusters of one make tell the same."""
    before = await places(cluster)
    await cluster.post(DEPLOYMENTS, {"metadata": {"name": "web"}})
    assert await places(cluster) == before
    assert json.loads(await OpenApi(Registry()).index())["paths"] == {
        place: {"serverRelativeURL": url} for place, url in before.items()
    }


async def test_documents_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks again gets what was made."""
    made: list[str] = []
    make = openapi_module._document

    def counted(resources: Any) -> Any:
        made.append(resources[0].key)
        return make(resources)

    monkeypatch.setattr(openapi_module, "_document", counted)
    registry = Registry()
    openapi = OpenApi(registry)
    await openapi.document("apis/apps/v1")
    assert len(made) == 1
    await openapi.index()
    everything = len(made)
    await openapi.index()
    await openapi.document("apis/apps/v1")
    assert len(made) == everything
    registry.define(lamps(size={"type": "integer"}))
    await openapi.index()
    assert made[everything:] == ["lamps.example.com"]


async def test_what_is_at_a_hash_may_be_kept_forever(cluster: Cluster) -> None:
    """Another hash leads to the right one, and a place that is none is not found."""
    url = (await places(cluster))["apis/apps/v1"]
    found = await cluster.get(url)
    digest = url.partition("hash=")[2]
    assert (found.status, found.headers["Cache-Control"]) == (200, "public, immutable")
    assert found.headers["ETag"] == f'"{digest}"'
    plain = await cluster.get("/openapi/v3/apis/apps/v1")
    assert (plain.text == found.text, "immutable" in plain.headers["Cache-Control"]) == (True, False)
    headers = cluster.headers("admin")
    stale = cluster.server.url + "/openapi/v3/apis/apps/v1?hash=00"
    async with cluster.session.get(stale, headers=headers, allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (301, url)
    assert (await cluster.get("/openapi/v3/apis/nope/v1")).status == 404


# -- kubectl ---------------------------------------------------------------------------------------


async def test_kubectl_leaves_validation_to_the_server(cluster: Cluster) -> None:
    """The patch of a kind takes fieldValidation, and built-in kinds take strategic merge patches."""
    document = (await cluster.get("/openapi/v3/apis/apps/v1")).json
    patches = [path["patch"] for path in document["paths"].values() if "patch" in path]
    found = next(p for p in patches if p["x-kubernetes-group-version-kind"]["kind"] == "Deployment")
    assert "fieldValidation" in [parameter["name"] for parameter in found["parameters"]]
    assert "application/strategic-merge-patch+json" in found["requestBody"]["content"]


# -- custom resources ------------------------------------------------------------------------------


async def test_the_schema_of_a_definition_comes_changes_and_goes_with_it(cluster: Cluster) -> None:
    """And no other document is touched."""
    before = await places(cluster)
    assert (await cluster.get(LAMPS)).status == 404
    definition = lamps(size={"type": "integer", "description": "How large."})
    assert (await cluster.post(DEFINITIONS, definition)).status == 201
    first = await places(cluster)
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"] = {
        "colour": {"type": "string", "enum": ["red", "blue"]}
    }
    changed = await cluster.patch(f"{DEFINITIONS}/lamps.example.com", {"spec": definition["spec"]})
    assert changed.status == 200
    second = await places(cluster)
    assert first["apis/example.com/v1"] != second["apis/example.com/v1"]
    assert {place: url for place, url in second.items() if place != "apis/example.com/v1"} == before
    schema = schema_of(read_definitions((await cluster.get(LAMPS)).text.encode()), "example.com", "v1", "Lamp")
    assert schema is not None
    assert [item.text for item in complete(schema, ("spec", "colour"))] == ["red", "blue"]
    await cluster.request("DELETE", f"{DEFINITIONS}/lamps.example.com")
    assert await places(cluster) == before
    assert (await cluster.get(LAMPS)).status == 404


async def test_the_schema_of_a_custom_resource_has_what_every_object_has(cluster: Cluster) -> None:
    """Its kind, its metadata; whole objects in it, too; and what only Kubernetes knows is kept."""
    await cluster.post(
        DEFINITIONS,
        lamps(
            port={"x-kubernetes-int-or-string": True},
            free={"type": "object", "x-kubernetes-preserve-unknown-fields": True},
            inner={
                "type": "object",
                "x-kubernetes-embedded-resource": True,
                "x-kubernetes-preserve-unknown-fields": True,
            },
            bulbs={
                "type": "array",
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name"],
                "items": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
            },
        ),
    )
    document = (await cluster.get(LAMPS)).json
    schema = schema_of(read_definitions(json.dumps(document).encode()), "example.com", "v1", "Lamp")
    assert schema is not None
    assert {*schema.root.fields} == {"apiVersion", "kind", "metadata", "spec"}
    labels = field(schema, "metadata", "labels")
    inner = field(schema, "spec", "inner")
    port = field(schema, "spec", "port")
    assert labels.type_words == "map[string]string"
    assert {"apiVersion", "kind", "metadata"} <= {*inner.fields}
    assert inner.open
    assert port.format == "int-or-string"
    assert schema.lists.field("spec").field("bulbs").rule.keys == (("name",),)
    assert not schema.strategic
    assert "com.example.v1.LampList" in document["components"]["schemas"]
