"""Who set which field: both clusters say the same of applies and other writes, and refuse the same."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from ktui.kube.client import Client
from ktui.kube.errors import ApiError
from tests.cluster.objects import Objects
from tests.cluster.test_openapi import lamps

APPLY = "application/apply-patch+yaml"
STRATEGIC = "application/strategic-merge-patch+json"
CONTAINER = 'k:{"name":"c"}'


class Place:
    """One object to write to.

    Args:
        client: an admin's.
        path: of the object.
    """

    def __init__(self, client: Client, path: str) -> None:
        self._client, self._path = client, path

    async def write(self, manager: str, body: Any, how: str = APPLY, **query: str) -> dict[str, Any]:
        """What each manager owns, after a write of one; without those of the system."""
        found = await self._client.request(
            "PATCH",
            self._path,
            query={"fieldManager": manager, **query},
            body=json.dumps(body).encode(),
            content_type=how,
        )
        entries = msgspec.json.decode(found.body)["metadata"]["managedFields"]
        return {entry["manager"]: entry["fieldsV1"] for entry in entries if entry["manager"] in ("one", "two", "three")}

    async def refused(self, manager: str, body: Any) -> str:
        """Why an apply is refused."""
        with pytest.raises(ApiError) as caught:
            await self.write(manager, body)
        return caught.value.message.partition(": ")[2]


def deployment(**spec: Any) -> dict[str, Any]:
    container = {"name": "c", "image": "i", "ports": [{"containerPort": 80}], "env": [{"name": "A", "value": "1"}]}
    pod = {"nodeSelector": {"q": "r"}, "imagePullSecrets": [{"name": "p"}], "containers": [container]}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": pod}
    wanted = {"replicas": 0, "selector": {"matchLabels": {"a": "b"}}, "template": template, **spec}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "labels": {"x": "y"}},
        "spec": wanted,
    }


def inside(fields: Any) -> Any:
    """What is owned of the pods of a deployment."""
    return fields["f:spec"]["f:template"]["f:spec"]


async def test_an_apply_owns_what_it_names_and_other_writes_what_they_change(client: Client, namespace: str) -> None:
    """Entries by their keys, atomic maps as a whole; of what is new, also the maps and lists."""
    place = Place(client, f"/apis/apps/v1/namespaces/{namespace}/deployments/web")
    pod = inside((await place.write("one", deployment()))["one"])
    assert pod["f:nodeSelector"] == {}
    assert pod["f:imagePullSecrets"] == {'k:{"name":"p"}': {}}
    assert pod["f:containers"][CONTAINER] == {
        ".": {},
        "f:name": {},
        "f:image": {},
        "f:ports": {'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}},
        "f:env": {'k:{"name":"A"}': {".": {}, "f:name": {}, "f:value": {}}},
    }
    more = {"containers": [{"name": "c", "image": "j", "resources": {"limits": {"cpu": "1000m"}}}]}
    owned = await place.write("three", {"spec": {"template": {"spec": more}}}, STRATEGIC)
    assert inside(owned["three"]) == {
        "f:containers": {CONTAINER: {"f:image": {}, "f:resources": {"f:limits": {".": {}, "f:cpu": {}}}}}
    }
    assert "f:image" not in inside(owned["one"])["f:containers"][CONTAINER]
    gone = await place.write(
        "three",
        {"spec": {"template": {"spec": {"containers": [{"name": "c", "env": [{"name": "A", "$patch": "delete"}]}]}}}},
        STRATEGIC,
    )
    assert "f:env" not in inside(gone["one"])["f:containers"][CONTAINER]


async def test_conflicts_name_owners_and_fields_and_can_be_forced(client: Client, namespace: str) -> None:
    """Who applies by force owns what was contested alone."""
    place = Place(client, f"/apis/apps/v1/namespaces/{namespace}/deployments/web")
    await place.write("one", deployment())
    await place.write("three", {"metadata": {"labels": {"x": "z"}}}, STRATEGIC)
    wanted = deployment(replicas=1)
    wanted["spec"]["template"]["spec"]["containers"][0]["image"] = "j"
    assert await place.refused("two", wanted) == (
        'conflicts with "one": - .spec.replicas - .spec.template.spec.containers[name="c"].image '
        'conflicts with "three" using apps/v1: - .metadata.labels.x'
    )
    owned = await place.write("two", wanted, force="true")
    assert owned["two"]["f:metadata"] == {"f:labels": {"f:x": {}}}
    assert {"f:replicas"} == owned["two"]["f:spec"].keys() - owned["one"]["f:spec"].keys()
    assert "three" not in owned


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"nope": 1}, ".spec.nope: field not declared in schema"),
        ({"replicas": "x"}, ".spec.replicas: expected numeric (int or float), got string"),
        ({"paused": 1}, ".spec.paused: expected boolean, got &{1}"),
        (
            {"template": {"spec": {"containers": [{"name": "c"}, {"name": "c"}]}}},
            '.spec.template.spec.containers: duplicate entries for key [name="c"]',
        ),
        (
            {"template": {"spec": {"containers": [{"name": "c", "image": 5}]}}},
            '.spec.template.spec.containers[name="c"].image: expected string, got &value.valueUnstructured{Value:5}',
        ),
    ],
)
async def test_what_cannot_be_declared_is_told_with_its_place(
    client: Client, namespace: str, spec: dict[str, Any], why: str
) -> None:
    """By the keys of lists, as conflicts are."""
    place = Place(client, f"/apis/apps/v1/namespaces/{namespace}/deployments/web")
    assert await place.refused("one", deployment(**spec)) == why


async def test_custom_resources_are_merged_as_their_schemas_say(
    client: Client, objects: Objects, namespace: str
) -> None:
    """Lists by their keys, sets by their values."""
    name = f"lantern{namespace.removeprefix('t-')}"
    await objects.apply(lamps(name))
    lamp: dict[str, Any] = {
        "apiVersion": f"{name}.example.com/v1",
        "kind": name.capitalize(),
        "metadata": {"name": "a", "namespace": namespace},
        "spec": {"bulbs": [{"name": "a", "watts": 5}], "tags": ["x", "y"]},
    }
    place = Place(client, await objects.path(lamp))
    assert (await place.write("one", lamp))["one"] == {
        "f:spec": {
            "f:bulbs": {'k:{"name":"a"}': {".": {}, "f:name": {}, "f:watts": {}}},
            "f:tags": {'v:"x"': {}, 'v:"y"': {}},
        }
    }
    other = {**lamp, "spec": {"bulbs": [{"name": "a", "watts": 6}, {"name": "b"}], "tags": ["z"]}}
    assert await place.refused("two", other) == 'conflict with "one": .spec.bulbs[name="a"].watts'
    await place.write("two", other, force="true")
    found = await client.request("GET", await objects.path(lamp))
    spec = msgspec.json.decode(found.body)["spec"]
    assert spec == {"bulbs": [{"name": "a", "watts": 6}, {"name": "b"}], "tags": ["x", "y", "z"], "colour": "red"}
