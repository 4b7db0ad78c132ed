"""Discovery: what a server serves, and what people call it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from ktui.kinds.names import GVR
from ktui.kube.client import Client
from ktui.kube.discovery import Discovery, discover
from ktui.kube.errors import ServerError, UnexpectedAnswer
from tests.unit.tls_server import ApiServer, Authority

VERBS = ["get", "list", "watch"]
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def v2(resource: str, kind: str, *, short: tuple[str, ...] = (), verbs: Any = VERBS, subs: tuple[str, ...] = ()) -> Any:
    return {
        "resource": resource,
        "responseKind": {"group": "", "version": "", "kind": kind},
        "scope": "Namespaced",
        "singularResource": kind.lower(),
        "verbs": verbs,
        "shortNames": list(short),
        "subresources": [{"subresource": sub} for sub in subs],
    }


def v1(resource: str, kind: str, *, short: tuple[str, ...] = (), verbs: Any = VERBS) -> Any:
    return {
        "name": resource,
        "kind": kind,
        "singularName": kind.lower(),
        "namespaced": True,
        "verbs": verbs,
        "shortNames": list(short) or None,
    }


def grouped(name: str, **versions: Any) -> Any:
    found = [{"version": version, "resources": resources} for version, resources in versions.items()]
    return {"metadata": {"name": name}, "versions": found}


CORE = [v2("pods", "Pod", short=("po",), subs=("log", "status")), v2("bindings", "Binding", verbs=["create"])]
NEW = {
    "/api": {"kind": "APIGroupDiscoveryList", "items": [grouped("", v1=[*CORE, v2("events", "Event", short=("ev",))])]},
    "/apis": {
        "kind": "APIGroupDiscoveryList",
        "items": [
            grouped("apps", v1=[v2("deployments", "Deployment", short=("deploy",), subs=("scale", "status"))]),
            grouped("events.k8s.io", v1=[v2("events", "Event", short=("ev",))]),
            grouped("autoscaling", v2=[v2("scalers", "Scaler")], v1=[v2("scalers", "Scaler"), v2("olds", "Old")]),
        ],
    },
}
GROUPS = ("apps/v1", "events.k8s.io/v1", "autoscaling/v2", "autoscaling/v1", "gone.example.com/v1")
OLD = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "groups": [{"name": "x", "versions": [{"groupVersion": gv} for gv in GROUPS]}]},
    "/api/v1": {
        "resources": [
            v1("pods", "Pod", short=("po",)),
            v1("pods/log", "Pod"),
            v1("pods/status", "Pod"),
            v1("bindings", "Binding", verbs=["create"]),
            v1("events", "Event", short=("ev",)),
        ]
    },
    "/apis/apps/v1": {
        "resources": [
            v1("deployments", "Deployment", short=("deploy",)),
            v1("deployments/scale", "Scale"),
            v1("deployments/status", "Deployment"),
        ]
    },
    "/apis/events.k8s.io/v1": {"resources": [v1("events", "Event", short=("ev",))]},
    "/apis/autoscaling/v2": {"resources": [v1("scalers", "Scaler")]},
    "/apis/autoscaling/v1": {"resources": [v1("scalers", "Scaler"), v1("olds", "Old")]},
}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ApiServer]:
    made = ApiServer(Authority(), tmp_path)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def client(server: ApiServer) -> AsyncIterator[Client]:
    made = await server.client()
    yield made
    await made.close()


def serving(answers: dict[str, Any]) -> Any:
    async def respond(request: web.Request) -> web.Response:
        if (found := answers.get(request.path)) is None:
            return web.Response(status=503, text="the server is currently unable to handle the request")
        kind = AGGREGATED if found.get("kind") == "APIGroupDiscoveryList" else "application/json"
        return web.Response(body=json.dumps(found).encode(), headers={"Content-Type": kind})

    return respond


def shown(discovery: Discovery) -> set[tuple[GVR, str, tuple[str, ...], tuple[str, ...]]]:
    return {(found.gvr, found.kind, found.short, found.subresources) for found in discovery.resources}


async def test_a_new_server_is_asked_twice(server: ApiServer, client: Client) -> None:
    """Where discovery is aggregated, two requests tell everything."""
    server.respond = serving(NEW)
    discovery = await discover(client)
    assert sorted(request.path for request in server.requests) == ["/api", "/apis"]
    assert {found.gvr for found in discovery.resources} >= {GVR("", "v1", "pods"), GVR("apps", "v1", "deployments")}


async def test_an_old_server_tells_the_same(server: ApiServer, client: Client) -> None:
    """Where it is not, one request a group version tells the same; an announced API that is down is left out."""
    server.respond = serving(NEW)
    new = await discover(client)
    server.respond = serving(OLD)
    assert shown(await discover(client)) == shown(new)


async def test_the_preferred_version_goes(server: ApiServer, client: Client) -> None:
    """A resource is served in the first version that has it; one of an older version alone is still found."""
    server.respond = serving(NEW)
    found = {resource.gvr.resource: resource.gvr.version for resource in (await discover(client)).resources}
    assert (found["scalers"], found["olds"]) == ("v2", "v1")


@pytest.mark.parametrize("word", ["po", "pods", "pod", "Pod", "PODS", "pods.v1"])
async def test_what_people_call_a_kind(word: str, server: ApiServer, client: Client) -> None:
    """Short name, plural, singular and kind all mean it, in any case."""
    server.respond = serving(NEW)
    (found,) = (await discover(client)).resolve(word)
    assert found.gvr == GVR("", "v1", "pods")


@pytest.mark.parametrize("word", ["deployments.apps", "deploy.apps", "deployment.v1.apps"])
async def test_qualified_names(word: str, server: ApiServer, client: Client) -> None:
    """A group, or a version and a group, may stand behind the name."""
    server.respond = serving(NEW)
    assert [found.gvr.resource for found in (await discover(client)).resolve(word)] == ["deployments"]


async def test_the_core_kind_goes_before_its_namesake(server: ApiServer, client: Client) -> None:
    """A name that two groups serve means the core one first, as to kubectl; the other is found by its group."""
    server.respond = serving(NEW)
    discovery = await discover(client)
    assert [found.gvr.group for found in discovery.resolve("ev")] == ["", "events.k8s.io"]
    assert [found.gvr.group for found in discovery.resolve("events.events.k8s.io")] == ["events.k8s.io"]


async def test_what_cannot_be_listed_is_nothing_to_browse(server: ApiServer, client: Client) -> None:
    """A kind that can only be created has no name to go to."""
    server.respond = serving(NEW)
    assert (await discover(client)).resolve("bindings") == []


async def test_an_owner_is_found_by_group_and_kind(server: ApiServer, client: Client) -> None:
    """Owner references name a group and a kind."""
    server.respond = serving(NEW)
    found = (await discover(client)).find("apps", "Deployment")
    assert found is not None
    assert found.gvr == GVR("apps", "v1", "deployments")


async def test_an_answer_that_is_no_discovery(server: ApiServer, client: Client) -> None:
    """What stands in a server's place is told in a sentence, not by a failure to decode."""

    async def page(request: web.Request) -> web.Response:
        return web.Response(body=b"[1, 2", headers={"Content-Type": "application/json"})

    server.respond = page
    with pytest.raises(UnexpectedAnswer):
        await discover(client)


async def test_a_server_that_is_down(server: ApiServer, client: Client) -> None:
    """A server that cannot answer is told as such."""
    server.respond = serving({})
    with pytest.raises(ServerError):
        await discover(client)
