"""The embedded cluster's writes: create, update, the four patches, dry runs, conflicts, scale."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator

import pytest

from tests.unit.demo_api import (
    APPLY,
    CONFIGMAPS,
    DEPLOYMENTS,
    JSON_PATCH,
    MERGE,
    SERVICES,
    STRATEGIC,
    Cluster,
    Object,
    configmap,
    deployment,
    running,
)

WEB = f"{DEPLOYMENTS}/web"


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with running() as started:
        yield started


async def made(cluster: Cluster, obj: Object | None = None) -> Object:
    answer = await cluster.post(DEPLOYMENTS, obj or deployment())
    assert answer.status == 201, answer.text
    created: Object = answer.json
    return created


def containers(obj: Object) -> list[Object]:
    found: list[Object] = obj["spec"]["template"]["spec"]["containers"]
    return found


async def test_a_new_object_is_given_its_identity_and_defaults(cluster: Cluster) -> None:
    """Creation fills in uid, version, generation and what kubectl expects to find."""
    created = await made(cluster)
    assert created["metadata"]["uid"]
    assert created["metadata"]["generation"] == 1
    assert created["spec"]["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"},
    }
    assert containers(created)[0]["imagePullPolicy"] == "IfNotPresent"
    assert created["status"] == {}


async def test_a_dry_run_stores_nothing(cluster: Cluster) -> None:
    """dryRun=All answers as if it had been done, and does not even use up a version."""
    await made(cluster)
    version = cluster.storage.version
    new = await cluster.post(f"{DEPLOYMENTS}?dryRun=All", deployment("other"))
    patched = await cluster.patch(f"{WEB}?dryRun=All", {"spec": {"replicas": 9}})
    deleted = await cluster.request("DELETE", f"{WEB}?dryRun=All")
    assert (new.status, patched.json["spec"]["replicas"], deleted.status) == (201, 9, 200)
    assert cluster.storage.version == version


async def test_a_write_that_changes_nothing_keeps_the_version(cluster: Cluster) -> None:
    """Repeating a patch leaves resourceVersion and generation alone."""
    await made(cluster)
    first = (await cluster.patch(WEB, {"spec": {"replicas": 5}})).json["metadata"]
    second = (await cluster.patch(WEB, {"spec": {"replicas": 5}})).json["metadata"]
    assert first["generation"] == 2
    assert (first["resourceVersion"], first["generation"]) == (second["resourceVersion"], second["generation"])


async def test_an_update_of_an_old_version_is_a_conflict(cluster: Cluster) -> None:
    """Who writes what he read before somebody else's write is told 409."""
    old = await made(cluster)
    await cluster.patch(WEB, {"spec": {"replicas": 5}})
    answer = await cluster.request("PUT", WEB, old)
    assert (answer.status, answer.json["reason"]) == (409, "Conflict")
    assert answer.message == (
        'Operation cannot be fulfilled on deployments.apps "web": the object has been modified; please apply your '
        "changes to the latest version and try again"
    )


async def test_spec_writes_leave_status_and_status_writes_leave_spec(cluster: Cluster) -> None:
    """The two halves of an object are written through different doors."""
    await made(cluster)
    through_spec = await cluster.patch(WEB, {"spec": {"replicas": 3}, "status": {"replicas": 7}})
    through_status = await cluster.patch(f"{WEB}/status", {"spec": {"replicas": 9}, "status": {"replicas": 7}})
    assert through_spec.json["status"] == {}
    assert (through_status.json["spec"]["replicas"], through_status.json["status"]) == (3, {"replicas": 7})


async def test_strategic_patches_merge_keyed_lists(cluster: Cluster) -> None:
    """Containers and variables are found by name; what the patch does not name stays."""
    await made(cluster)
    patch: Object = {"spec": {"template": {"spec": {"containers": [{"name": "side", "image": "side:1"}]}}}}
    await cluster.patch(WEB, patch, STRATEGIC)
    variables = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "web", "env": variables}]}}}}
    await cluster.patch(WEB, patch, STRATEGIC)
    gone = [{"name": "A", "$patch": "delete"}]
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "web:2", "env": gone}]}}}}
    found = {c["name"]: c for c in containers((await cluster.patch(WEB, patch, STRATEGIC)).json)}
    assert found["web"]["image"] == "web:2"
    assert found["web"]["env"] == [{"name": "B", "value": "2"}]
    assert found["side"]["image"] == "side:1"


async def test_strategic_patches_put_lists_in_the_asked_order(cluster: Cluster) -> None:
    """$setElementOrder decides the order, as kubectl sends it with every list."""
    both = deployment()
    both["spec"]["template"]["spec"]["containers"].append({"name": "side", "image": "side:1"})
    await made(cluster, both)
    order = [{"name": "side"}, {"name": "web"}]
    spec = {"$setElementOrder/containers": order, "containers": [{"name": "side", "image": "side:2"}]}
    patched = (await cluster.patch(WEB, {"spec": {"template": {"spec": spec}}}, STRATEGIC)).json
    assert [c["image"] for c in containers(patched)] == ["side:2", "web:1"]


async def test_merge_patches_replace_lists_and_remove_nulls(cluster: Cluster) -> None:
    """RFC 7396: null removes, a list replaces the whole list."""
    labelled = deployment()
    labelled["metadata"]["labels"] = {"a": "1", "b": "2"}
    await made(cluster, labelled)
    patch = {
        "metadata": {"labels": {"a": None, "c": "3"}},
        "spec": {"template": {"spec": {"containers": [{"name": "new", "image": "new:1"}]}}},
    }
    patched = (await cluster.patch(WEB, patch, MERGE)).json
    assert patched["metadata"]["labels"] == {"b": "2", "c": "3"}
    assert [c["name"] for c in containers(patched)] == ["new"]


async def test_json_patches_are_all_or_nothing(cluster: Cluster) -> None:
    """A failed test refuses the whole patch."""
    await made(cluster)
    done = await cluster.patch(WEB, [{"op": "replace", "path": "/spec/replicas", "value": 4}], JSON_PATCH)
    failing = [
        {"op": "replace", "path": "/spec/replicas", "value": 1},
        {"op": "test", "path": "/spec/paused", "value": True},
    ]
    refused = await cluster.patch(WEB, failing, JSON_PATCH)
    assert done.json["spec"]["replicas"] == 4
    assert (refused.status, refused.message) == (
        422,
        "the server rejected our request due to an error in our request",
    )
    assert (await cluster.get(WEB)).json["spec"]["replicas"] == 4


async def test_apply_creates_merges_and_prunes(cluster: Cluster) -> None:
    """Applying creates; applying less removes what the manager alone had declared."""
    declared = deployment()
    declared["metadata"]["annotations"] = {"note": "1", "other": "2"}
    created = await cluster.patch(f"{WEB}?fieldManager=me", declared, APPLY)
    del declared["metadata"]["annotations"]["note"]
    declared["spec"]["replicas"] = 3
    changed = await cluster.patch(f"{WEB}?fieldManager=me", declared, APPLY)
    assert (created.status, changed.status) == (201, 200)
    assert changed.json["metadata"]["annotations"] == {"other": "2"}
    assert changed.json["spec"]["replicas"] == 3


async def test_apply_does_not_fight_other_managers_unless_forced(cluster: Cluster) -> None:
    """A field somebody else set is a conflict that names him; force takes it over for good."""
    path = f"{WEB}?fieldManager=me"
    await cluster.patch(path, deployment(), APPLY)
    await cluster.patch(f"{WEB}/scale?fieldManager=scaler", {"spec": {"replicas": 9}})
    refused = await cluster.patch(path, deployment(), APPLY)
    assert refused.status == 409
    assert refused.message == (
        'Apply failed with 1 conflict: conflict with "scaler" with subresource "scale" using apps/v1: .spec.replicas'
    )
    forced = await cluster.patch(f"{path}&force=true", deployment(), APPLY)
    again = await cluster.patch(path, deployment(), APPLY)
    assert forced.json["spec"]["replicas"] == 2
    assert again.json["metadata"]["resourceVersion"] == forced.json["metadata"]["resourceVersion"]


async def test_a_scale_reads_and_writes_replicas_alone(cluster: Cluster) -> None:
    """The scale subresource shows and changes how many; nothing else."""
    before = await made(cluster)
    scale = (await cluster.get(f"{WEB}/scale")).json
    answer = await cluster.patch(f"{WEB}/scale", {"spec": {"replicas": 6}})
    after = (await cluster.get(WEB)).json
    assert (scale["kind"], scale["spec"], scale["status"]["selector"]) == ("Scale", {"replicas": 2}, "app=web")
    assert answer.json["spec"] == {"replicas": 6}
    assert {**after["spec"], "replicas": 2} == before["spec"]


async def test_services_get_an_address_and_node_ports_as_their_type_needs(cluster: Cluster) -> None:
    """Ports come and go with the type; the address stays; no number is given twice."""
    spec = {"type": "NodePort", "ports": [{"port": 80, "name": "a"}, {"port": 81, "name": "b"}]}
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": spec}
    first = (await cluster.post(SERVICES, body)).json["spec"]
    second = (await cluster.post(SERVICES, body | {"metadata": {"name": "t"}})).json["spec"]
    given = [port["nodePort"] for port in first["ports"] + second["ports"]]
    assert len(set(given)) == 4
    assert all(30000 <= port <= 32767 for port in given)
    assert first["clusterIP"] != second["clusterIP"]
    plain = (await cluster.patch(f"{SERVICES}/s", {"spec": {"type": "ClusterIP"}})).json["spec"]
    assert plain["clusterIP"] == first["clusterIP"]
    assert "externalTrafficPolicy" not in plain
    assert all("nodePort" not in port for port in plain["ports"])


async def test_a_generated_name_starts_as_asked(cluster: Cluster) -> None:
    """generateName gets five characters more."""
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "job-"}}
    name = (await cluster.post(CONFIGMAPS, body)).json["metadata"]["name"]
    assert name.startswith("job-")
    assert len(name) == len("job-") + 5


async def test_unknown_fields_are_told_of_refused_or_passed_over(cluster: Cluster) -> None:
    """fieldValidation decides; in no case are they stored."""
    odd = deployment()
    odd["spec"]["foo"] = 1
    warned = await cluster.post(f"{DEPLOYMENTS}?dryRun=All", odd)
    ignored = await cluster.post(f"{DEPLOYMENTS}?dryRun=All&fieldValidation=Ignore", odd)
    refused = await cluster.post(f"{DEPLOYMENTS}?dryRun=All&fieldValidation=Strict", odd)
    assert warned.headers["Warning"] == '299 - "unknown field \\"spec.foo\\""'
    assert "foo" not in warned.json["spec"]
    assert "Warning" not in ignored.headers
    assert (refused.status, refused.message) == (
        400,
        'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.foo"',
    )


async def test_deleting_a_collection_deletes_what_matches(cluster: Cluster) -> None:
    """A selector limits what deletecollection removes."""
    cluster.storage.create("configmaps", configmap("a", app="web"))
    cluster.storage.create("configmaps", configmap("b"))
    answer = await cluster.request("DELETE", f"{CONFIGMAPS}?labelSelector=app")
    assert answer.names == ["a"]
    assert (await cluster.get(CONFIGMAPS)).names == ["b"]


async def test_storage_is_never_changed_in_place(cluster: Cluster) -> None:
    """What a list showed before a write is the same after it."""
    await made(cluster)
    stored = cluster.storage.get("deployments.apps", "shop", "web")
    before = copy.deepcopy(stored)
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "web:2"}]}}}}
    await cluster.patch(WEB, patch, STRATEGIC)
    await cluster.patch(f"{WEB}?fieldManager=me&force=true", deployment(), APPLY)
    await cluster.patch(WEB, [{"op": "add", "path": "/metadata/labels", "value": {"x": "y"}}], JSON_PATCH)
    assert stored == before


async def test_fields_are_known_by_their_json_names(cluster: Cluster) -> None:
    """An IngressClass' apiGroup, whose protobuf name differs, is no unknown field."""
    parameters = {"apiGroup": "example.com", "kind": "Settings", "name": "s"}
    body = {"metadata": {"name": "c"}, "spec": {"controller": "example.com/c", "parameters": parameters}}
    answer = await cluster.post("/apis/networking.k8s.io/v1/ingressclasses?fieldValidation=Strict", body)
    assert (answer.status, answer.json["spec"]["parameters"]) == (201, parameters)
