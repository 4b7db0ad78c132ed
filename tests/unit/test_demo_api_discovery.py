"""What the embedded cluster says it serves, CustomResourceDefinitions included."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.unit.demo_api import TABLE, Cluster, Object, running

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
WIDGETS = "/apis/shop.example.com/v1/namespaces/shop/widgets"


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with running() as started:
        yield started


def definition() -> Object:
    columns = [
        {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
        {"name": "Ready", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].status'},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    ]
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "additionalPrinterColumns": columns,
        "subresources": {
            "status": {},
            "scale": {"specReplicasPath": ".spec.copies", "statusReplicasPath": ".status.copies"},
        },
        "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
    }
    names = {"plural": "widgets", "kind": "Widget", "shortNames": ["wd"]}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.shop.example.com"},
        "spec": {"group": "shop.example.com", "scope": "Namespaced", "names": names, "versions": [version]},
    }


def widget(**spec: int) -> Object:
    return {"apiVersion": "shop.example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": spec}


async def test_both_forms_of_discovery_tell_the_same(cluster: Cluster) -> None:
    """The aggregated documents and the older lists name the same resources, verbs and short names."""
    told: set[tuple[str, str, tuple[str, ...], tuple[str, ...]]] = set()
    listed: set[tuple[str, str, tuple[str, ...], tuple[str, ...]]] = set()
    for path in ("/api", "/apis"):
        for group in (await cluster.get(path, accept=AGGREGATED)).json["items"]:
            name = group["metadata"].get("name", "")
            for version in group["versions"]:
                gv = f"{name}/{version['version']}" if name else version["version"]
                for each in version["resources"]:
                    told.add((gv, each["resource"], tuple(each["verbs"]), tuple(each.get("shortNames", ()))))
                for each in (await cluster.get(f"/apis/{gv}" if name else f"/api/{gv}")).json["resources"]:
                    if "/" not in each["name"]:
                        listed.add((gv, each["name"], tuple(each["verbs"]), tuple(each.get("shortNames", ()))))
    assert told == listed
    assert ("apps/v1", "deployments", "deploy") in {(gv, name, *short) for gv, name, _, short in told}


async def test_aggregated_discovery_has_exactly_its_content_type(cluster: Cluster) -> None:
    """Clients tell the two forms apart by the Content-Type."""
    answer = await cluster.get("/apis", accept=AGGREGATED)
    assert answer.headers["Content-Type"] == AGGREGATED.split(",")[0]
    assert (await cluster.get("/apis")).json["kind"] == "APIGroupList"


async def test_unchanged_discovery_is_not_sent_again(cluster: Cluster) -> None:
    """With the ETag of an earlier answer the next one is 304 and empty."""
    tag = (await cluster.get("/apis", accept=AGGREGATED)).headers["ETag"]
    headers = cluster.headers("admin", AGGREGATED) | {"If-None-Match": tag}
    async with cluster.session.get(f"{cluster.server.url}/apis", headers=headers) as response:
        assert (response.status, await response.read()) == (304, b"")


async def test_a_definition_is_served_at_once_and_until_it_goes(cluster: Cluster) -> None:
    """A new CustomResourceDefinition is established, discoverable, writable; deleting it ends all that."""
    created = await cluster.post(DEFINITIONS, definition())
    stored = (await cluster.get(f"{DEFINITIONS}/widgets.shop.example.com")).json
    assert created.status == 201
    assert {c["type"]: c["status"] for c in stored["status"]["conditions"]}["Established"] == "True"
    resources = (await cluster.get("/apis/shop.example.com/v1")).json["resources"]
    assert (resources[0]["name"], resources[0]["shortNames"]) == ("widgets", ["wd"])
    assert (await cluster.post(WIDGETS, widget(size=3))).status == 201
    await cluster.request("DELETE", f"{DEFINITIONS}/widgets.shop.example.com")
    assert (await cluster.get(WIDGETS)).status == 404
    assert cluster.storage.list("widgets.shop.example.com") == []


async def test_custom_columns_follow_their_paths(cluster: Cluster) -> None:
    """A Table of custom resources has the columns the definition asks for; what is missing is null."""
    await cluster.post(DEFINITIONS, definition())
    await cluster.post(WIDGETS, widget(size=3))
    before = (await cluster.get(WIDGETS, accept=TABLE)).json
    ready = {"status": {"conditions": [{"type": "Other", "status": "No"}, {"type": "Ready", "status": "True"}]}}
    await cluster.patch(f"{WIDGETS}/w/status", ready)
    cluster.clock.advance(300)
    after = (await cluster.get(WIDGETS, accept=TABLE)).json
    assert [column["name"] for column in before["columnDefinitions"]] == ["Name", "Size", "Ready", "Age"]
    assert before["rows"][0]["cells"] == ["w", 3, None, "0s"]
    assert after["rows"][0]["cells"] == ["w", 3, "True", "5m"]


async def test_custom_resources_scale_where_their_definition_says(cluster: Cluster) -> None:
    """The scale subresource reads and writes the definition's own path."""
    await cluster.post(DEFINITIONS, definition())
    await cluster.post(WIDGETS, widget(copies=2))
    scale = (await cluster.get(f"{WIDGETS}/w/scale")).json
    await cluster.patch(f"{WIDGETS}/w/scale", {"spec": {"replicas": 5}})
    assert scale["spec"] == {"replicas": 2}
    assert (await cluster.get(f"{WIDGETS}/w")).json["spec"] == {"copies": 5}


async def test_custom_resources_know_no_strategic_patch(cluster: Cluster) -> None:
    """A strategic merge patch of a custom resource is an unsupported media type."""
    await cluster.post(DEFINITIONS, definition())
    await cluster.post(WIDGETS, widget(size=3))
    answer = await cluster.patch(f"{WIDGETS}/w", {}, "application/strategic-merge-patch+json")
    accepted = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
    why = f"the body of the request was in an unknown format - accepted media types include: {accepted}"
    assert (answer.status, answer.message) == (415, why)
