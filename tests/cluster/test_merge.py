"""Merges and patches on clusters: what is sent gives what was edited, and nothing of what others do is lost."""

from __future__ import annotations

import asyncio
import copy
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from ktui.kube.client import Client
from ktui.kube.errors import ApiError, Conflict
from ktui.kube.openapi import SavedSchemas
from ktui.manifests.lists import GUESSED, Lists
from ktui.manifests.merge import merge
from ktui.manifests.patches import JSON as JSON_PATCH
from ktui.manifests.patches import MERGE, STRATEGIC, Patch, changes, json_patch
from tests.cluster.conftest import Kubectl
from tests.cluster.objects import Manifest, Objects, until
from tests.unit.test_schema import DOCUMENTS

Edit = Callable[[dict[str, Any]], None]

IMAGE, OLDER = (f"registry.k8s.io/e2e-test-images/agnhost:{version}" for version in ("2.53", "2.39"))


def web(namespace: str, name: str = "web") -> dict[str, Any]:
    """A deployment of no pods, with something of everything in it."""
    containers = [
        {
            "name": "web",
            "image": IMAGE,
            "args": ["netexec", "--http-port=8080"],
            "ports": [{"containerPort": 8080}, {"containerPort": 9090, "name": "metrics"}],
            "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}, {"name": "C", "value": "3"}],
            "volumeMounts": [{"name": "cache", "mountPath": "/cache"}, {"name": "cache", "mountPath": "/again"}],
        },
        {"name": "log", "image": IMAGE, "args": ["pause"]},
    ]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {"app": name, "tier": "front"},
            "annotations": {"example.com/note": "a"},
        },
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {
                    "containers": containers,
                    "volumes": [{"name": "cache", "emptyDir": {}}, {"name": "more", "emptyDir": {}}],
                    "tolerations": [{"key": "a", "operator": "Exists"}],
                },
            },
        },
    }


def pod(item: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = item["spec"]["template"]["spec"]
    return found


def container(item: Mapping[str, Any], number: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = pod(item)["containers"][number]
    return found


def _image(item: dict[str, Any]) -> None:
    container(item)["image"] = OLDER


def _new_env(item: dict[str, Any]) -> None:
    container(item)["env"].insert(0, {"name": "NEW", "value": "x"})


def _one_env_less(item: dict[str, Any]) -> None:
    del container(item)["env"][1]


def _all_env_less(item: dict[str, Any]) -> None:
    del container(item)["env"]


def _env_order(item: dict[str, Any]) -> None:
    container(item)["env"].reverse()


def _port(item: dict[str, Any]) -> None:
    container(item)["ports"][1]["name"] = "other"
    container(item)["ports"].append({"containerPort": 7070, "protocol": "TCP"})


def _no_port(item: dict[str, Any]) -> None:
    del container(item)["ports"][0]


def _mount(item: dict[str, Any]) -> None:
    container(item)["volumeMounts"][1]["readOnly"] = True


def _source(item: dict[str, Any]) -> None:
    pod(item)["volumes"][0] = {"name": "cache", "configMap": {"name": "some", "defaultMode": 420}}


def _volumes(item: dict[str, Any]) -> None:
    del pod(item)["volumes"][1]
    pod(item)["volumes"].append({"name": "new", "emptyDir": {"medium": "Memory"}})


def _strategy(item: dict[str, Any]) -> None:
    item["spec"]["strategy"] = {"type": "Recreate"}


def _half_a_strategy(item: dict[str, Any]) -> None:
    item["spec"]["strategy"]["rollingUpdate"]["maxSurge"] = 1


def _no_log(item: dict[str, Any]) -> None:
    del pod(item)["containers"][1]


def _first_container(item: dict[str, Any]) -> None:
    new = {"terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"}
    pod(item)["containers"].insert(
        0, {"name": "new", "image": IMAGE, "imagePullPolicy": "IfNotPresent", "resources": {}, **new}
    )


def _container_order(item: dict[str, Any]) -> None:
    pod(item)["containers"].reverse()


def _arguments(item: dict[str, Any]) -> None:
    container(item)["args"].append("--udp-port=8081")


def _tolerations(item: dict[str, Any]) -> None:
    pod(item)["tolerations"].append({"key": "b", "operator": "Exists"})


def _labels(item: dict[str, Any]) -> None:
    item["metadata"]["labels"] = {"app": "web", "example.com/new": "a"}
    item["metadata"]["annotations"] |= {"example.com/note": "line\nline\n", "example.com/new": "{}"}


def _no_annotations(item: dict[str, Any]) -> None:
    del item["metadata"]["annotations"]


def _resources(item: dict[str, Any]) -> None:
    container(item)["resources"] = {
        "limits": {"cpu": "1", "memory": "64Mi"},
        "requests": {"cpu": "1", "memory": "64Mi"},
    }


def _much(item: dict[str, Any]) -> None:
    for edit in (_image, _new_env, _no_port, _source, _strategy, _labels, _tolerations, _first_container):
        edit(item)


EDITS: tuple[Edit, ...] = (
    _image, _new_env, _one_env_less, _all_env_less, _env_order, _port, _no_port, _mount, _source, _volumes, _strategy,
    _half_a_strategy, _no_log, _first_container, _container_order, _arguments, _tolerations, _labels, _no_annotations,
    _resources, _much,
)  # fmt: skip


EDITOR = """
import json, sys
with open(sys.argv[1]) as file:
    mine = json.load(file)
with open(sys.argv[2]) as file:
    item = json.load(file)
# The rest is the server's, and may have changed in between.
item["spec"] = mine["spec"]
for name in ("labels", "annotations"):
    item["metadata"].pop(name, None)
    if name in mine["metadata"]:
        item["metadata"][name] = mine["metadata"][name]
with open(sys.argv[2], "w") as file:
    json.dump(item, file)
"""


@pytest.fixture
async def lists() -> Lists:
    """How a deployment is merged; of the documents of a real server, as the embedded cluster has no schemas."""
    schema = await SavedSchemas(DOCUMENTS).schema("apps", "v1", "Deployment")
    assert schema is not None
    return schema.lists


async def send(client: Client, path: str, patch: Patch, **query: str) -> dict[str, Any]:
    answer = await client.request(
        "PATCH", path, query=query, body=json.dumps(patch.body).encode(), content_type=patch.content_type
    )
    found: dict[str, Any] = json.loads(answer.body)
    return found


def content(item: Mapping[str, Any]) -> dict[str, Any]:
    """What people write of an object."""
    found = copy.deepcopy(dict(item))
    found.pop("status", None)
    for name in ("resourceVersion", "generation", "managedFields", "uid", "creationTimestamp"):
        found["metadata"].pop(name, None)
    # The deployment's controller notes its revision.
    notes = found["metadata"].get("annotations", {})
    notes.pop("deployment.kubernetes.io/revision", None)
    if not notes:
        found["metadata"].pop("annotations", None)
    return found


async def settled(objects: Objects, manifest: Manifest) -> dict[str, Any]:
    """A deployment that its controller has seen, and will not write to again."""

    async def seen() -> bool:
        found = await objects.get(manifest)
        observed = found.get("status", {}).get("observedGeneration")
        return observed == found["metadata"]["generation"] and "annotations" in found["metadata"]

    await until(seen, what="no controller saw the deployment")
    return await objects.get(manifest)


# -- one writer ------------------------------------------------------------------------------------


async def test_patches_make_of_the_base_what_was_edited(
    client: Client, objects: Objects, lists: Lists, namespace: str
) -> None:
    """All edits, as each kind of patch; the server is asked what would become of them."""
    manifest = web(namespace)
    await objects.apply(manifest)
    base = await settled(objects, manifest)
    path = await objects.path(manifest)
    for edit in EDITS:
        mine = copy.deepcopy(base)
        edit(mine)
        strategic = changes(base, mine, lists)
        assert strategic.content_type == STRATEGIC
        for patch in (strategic, changes(base, mine), Patch(JSON_PATCH, json_patch(base, mine, lists))):
            found = await send(client, path, patch, dryRun="All")
            assert content(found) == content(mine), (edit.__name__, patch)


async def test_patches_are_those_of_kubectl_edit(
    client: Client,
    objects: Objects,
    lists: Lists,
    kubectl: Kubectl,
    namespace: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Word by word, for each of the edits; only the order of what a list's patch tells may differ."""
    await objects.apply(web(namespace))
    base = await settled(objects, web(namespace))
    path = await objects.path(web(namespace))
    wanted, script = tmp_path / "mine.json", tmp_path / "editor.py"
    script.write_text(EDITOR)
    monkeypatch.setenv("KUBE_EDITOR", f"{sys.executable} {script} {wanted}")
    words = ("-n", namespace, "edit", "deployments", "web", "-o", "json", "--output-patch", "--show-managed-fields")
    for edit in EDITS:
        # As it was, for each.
        del base["metadata"]["resourceVersion"]
        await client.request("PUT", path, body=json.dumps(base).encode())
        before = await settled(objects, web(namespace))
        mine = copy.deepcopy(before)
        edit(mine)
        wanted.write_text(json.dumps(mine))
        told = await kubectl(*words)
        line = next(line for line in told.splitlines() if line.startswith("Patch: "))
        body = changes(before, mine, lists).body
        assert _sorted(json.loads(line.removeprefix("Patch: "))) == _sorted(body), edit.__name__
        base = before


def _sorted(value: Any, field: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _sorted(inner, key) for key, inner in value.items()}
    if isinstance(value, list) and not field.startswith("$"):
        return sorted((_sorted(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    return value


# -- several ---------------------------------------------------------------------------------------


def _their_edit(item: dict[str, Any]) -> None:
    """Changes next to all of the edits."""
    item["metadata"]["labels"]["theirs"] = "yes"
    item["spec"]["replicas"] = 1
    item["spec"]["minReadySeconds"] = 3
    container(item)["env"].append({"name": "THEIRS", "value": "t"})
    container(item)["ports"].append({"containerPort": 1234, "protocol": "TCP"})
    container(item)["imagePullPolicy"] = "Always"
    pod(item)["volumes"].append({"name": "theirs", "emptyDir": {}})


async def test_what_others_changed_meanwhile_is_kept(
    client: Client, objects: Objects, lists: Lists, namespace: str
) -> None:
    """The patch is of what was read; what the server makes of it on top of theirs is the merge of both."""
    manifest = web(namespace)
    await objects.apply(manifest)
    base = await settled(objects, manifest)
    path = await objects.path(manifest)
    theirs = copy.deepcopy(base)
    _their_edit(theirs)
    theirs = await send(client, path, changes(base, theirs, lists))
    for edit in EDITS:
        mine = copy.deepcopy(base)
        edit(mine)
        patch, together = changes(base, mine, lists), merge(base, theirs, mine, lists)
        if edit is _all_env_less:
            # They added to the list that was removed here.
            assert [conflict.said for conflict in together.conflicts] == ["spec.template.spec.containers[web].env"]
            continue
        assert together.conflicts == [], edit.__name__
        found = await send(client, path, patch, dryRun="All")
        assert _unordered(content(found)) == _unordered(content(together.value)), edit.__name__
        # What was merged, sent as what differs from theirs, comes to it exactly.
        exact = await send(client, path, changes(theirs, together.value, lists), dryRun="All")
        assert content(exact) == content(together.value), edit.__name__


def _unordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _unordered(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return sorted(map(_unordered, value), key=lambda item: json.dumps(item, sort_keys=True))
    return value


async def _merged_and_sent(client: Client, path: str, base: dict[str, Any], edit: Edit, lists: Lists) -> None:
    """As an editor does it: what was edited is merged with what is there, until nobody came in between."""
    mine = copy.deepcopy(base)
    edit(mine)
    while True:
        theirs = json.loads((await client.request("GET", path)).body)
        together = merge(base, theirs, mine, lists)
        assert together.conflicts == []
        version = theirs["metadata"]["resourceVersion"]
        try:
            await send(client, path, changes(theirs, together.value, lists, resource_version=version))
        except Conflict:
            continue
        return


@pytest.mark.parametrize("known", [True, False])
async def test_many_writers_lose_nothing(
    known: bool, client: Client, objects: Objects, lists: Lists, namespace: str
) -> None:
    """All start from one object, and all add to the same lists and maps; without a schema, whole lists are sent."""
    manifest = web(namespace)
    await objects.apply(manifest)
    base = await settled(objects, manifest)
    path = await objects.path(manifest)

    def edit_of(number: int) -> Edit:
        def edit(item: dict[str, Any]) -> None:
            container(item)["env"].append({"name": f"WRITER_{number}", "value": "here"})
            item["metadata"]["labels"][f"writer-{number}"] = "here"
            if number == 0:
                del container(item)["ports"][0]
                container(item, 1)["image"] = OLDER

        return edit

    rules = lists if known else GUESSED
    await asyncio.gather(*(_merged_and_sent(client, path, base, edit_of(number), rules) for number in range(6)))
    found = await objects.get(manifest)
    names = [variable["name"] for variable in container(found)["env"]]
    assert sorted(names) == sorted(["A", "B", "C", *(f"WRITER_{number}" for number in range(6))])
    assert {f"writer-{number}" for number in range(6)} <= found["metadata"]["labels"].keys()
    assert [port["containerPort"] for port in container(found)["ports"]] == [9090]
    assert container(found, 1)["image"] == OLDER


async def test_a_json_patch_is_refused_when_others_changed_the_same(
    client: Client, objects: Objects, lists: Lists, namespace: str
) -> None:
    manifest = web(namespace)
    await objects.apply(manifest)
    base = await settled(objects, manifest)
    path = await objects.path(manifest)
    for edit in (_image, _one_env_less, _source, _arguments, _labels, _resources):
        mine, theirs = copy.deepcopy(base), copy.deepcopy(base)
        edit(mine)
        container(theirs).update(image="other", args=["x"], env=[{"name": "Z"}], resources={"limits": {"cpu": "2"}})
        pod(theirs)["volumes"][0] = {"name": "cache", "emptyDir": {"medium": "Memory"}}
        theirs["metadata"]["labels"] = {"app": "web", "tier": "back"}
        operations = [*json_patch(base, theirs, lists), *json_patch(base, mine, lists)]
        with pytest.raises(ApiError) as refused:
            await send(client, path, Patch(JSON_PATCH, operations), dryRun="All")
        assert refused.value.status == 422, edit.__name__


# -- custom resources ------------------------------------------------------------------------------


def lamps(name: str) -> dict[str, Any]:
    """The definition of a custom resource."""
    bulbs = {
        "type": "array",
        "items": {"type": "object", "properties": {"name": {"type": "string"}, "watts": {"type": "integer"}}},
    }
    spec = {"type": "object", "properties": {"bulbs": bulbs, "colour": {"type": "string"}}}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{name}s.merge.example.com"},
        "spec": {
            "group": "merge.example.com",
            "scope": "Namespaced",
            "names": {"plural": f"{name}s", "singular": name, "kind": name.capitalize()},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }


async def test_custom_resources_are_patched_and_merged(client: Client, objects: Objects, namespace: str) -> None:
    name = f"lamp{namespace.removeprefix('t-')}"
    await objects.apply(lamps(name))
    lamp = {
        "apiVersion": "merge.example.com/v1",
        "kind": name.capitalize(),
        "metadata": {"name": "a", "namespace": namespace},
        "spec": {"colour": "red", "bulbs": [{"name": "left", "watts": 5}, {"name": "right", "watts": 5}]},
    }
    base = await objects.apply(lamp)
    path = await objects.path(lamp)
    mine, theirs = copy.deepcopy(base), copy.deepcopy(base)
    mine["spec"]["bulbs"][0]["watts"] = 7
    theirs["spec"]["bulbs"].append({"name": "top", "watts": 1})
    theirs["spec"]["colour"] = "blue"
    patch = changes(base, mine)
    assert (patch.content_type, patch.whole) == (MERGE, (("spec", "bulbs"),))
    assert (await send(client, path, patch, dryRun="All"))["spec"] == mine["spec"]
    await send(client, path, changes(base, theirs))
    version = base["metadata"]["resourceVersion"]
    with pytest.raises(Conflict):
        await send(client, path, changes(base, mine, resource_version=version))
    await _merged_and_sent(client, path, base, lambda item: item["spec"]["bulbs"][0].update(watts=7), GUESSED)
    assert (await objects.get(lamp))["spec"] == {
        "colour": "blue",
        "bulbs": [{"name": "left", "watts": 7}, {"name": "right", "watts": 5}, {"name": "top", "watts": 1}],
    }
