"""Expose: which service is made of an object, and what is said of it before and after."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ktui.actions import service_words
from ktui.actions.action import Cluster, Doing, JsonObject, Refusal, Said, Target, Undone
from ktui.actions.expose import EXPOSE, service_for
from ktui.actions.kubectl import shell_line
from ktui.actions.service_words import Say, arrival, side_by_side, weighed
from ktui.kinds.builtin import BUILTIN
from ktui.kinds.deployments import DEPLOYMENTS
from ktui.kinds.names import GVR, GVR_ENDPOINT_SLICES, GVR_PODS, GVR_SERVICES, ObjectKey
from ktui.kinds.tone import Tone
from ktui.kube.errors import KtuiError

KEY = ObjectKey("shop", "web")


def deployment(*ports: JsonObject, **selector: Any) -> Target:
    """A deployment called web, as it was read."""
    containers = [{"name": "app", "ports": list(ports)}]
    spec = {"selector": selector or {"matchLabels": {"app": "web"}}, "template": {"spec": {"containers": containers}}}
    return Target(DEPLOYMENTS, KEY, item={"metadata": {"labels": {"team": "a"}}, "spec": spec})


declared = st.lists(
    st.builds(
        lambda number, protocol: {"containerPort": number, "protocol": protocol},
        st.integers(1, 4),
        st.sampled_from(["TCP", "UDP", "SCTP"]),
    ),
    min_size=1,
    unique_by=lambda port: (port["containerPort"], port["protocol"]),
)


@given(declared)
def test_every_declared_port_is_served_once(ports: list[JsonObject]) -> None:
    """Ports of several protocols too; several are told apart by their names, and one needs none."""
    made = service_for(deployment(*ports), {})["spec"]["ports"]
    assert {(port["port"], port["protocol"]) for port in made} == {
        (port["containerPort"], port["protocol"]) for port in ports
    }
    assert len(made) == len(ports)
    assert all(port["targetPort"] == port["port"] for port in made)
    names = [port.get("name") for port in made]
    assert names == [None] if len(made) == 1 else len({*names} - {None}) == len(made)


@given(declared, st.integers(1, 65535) | st.sampled_from(["http", "x-1"]))
def test_one_target_port_for_all(ports: list[JsonObject], target: int | str) -> None:
    """A number is sent as a number, a name as a text."""
    made = service_for(deployment(*ports), {"target_port": str(target)})["spec"]["ports"]
    assert {port["targetPort"] for port in made} == {target}


def test_the_object_is_left_as_it_is() -> None:
    """Plans change nothing that they were given."""
    target = deployment({"containerPort": 80})
    before = copy.deepcopy(target.item)
    (step,) = EXPOSE.plan(target, {"type": "NodePort"})
    step.write.body["metadata"]["labels"]["more"] = step.write.body["spec"]["selector"]["more"] = "x"
    assert target.item == before


def test_the_step() -> None:
    """What is sent is shown, can be taken back, and stands beside its kubectl line."""
    (step,) = EXPOSE.plan(deployment({"containerPort": 80}), {"name": "front", "ports": "80, 81", "protocol": "UDP"})
    assert (step.write.method, step.write.path) == ("POST", "/api/v1/namespaces/shop/services")
    assert step.target.key == ObjectKey("shop", "front")
    assert step.shown == step.write.body
    assert step.undone is Undone.DELETE
    line = "kubectl -n shop expose deployments web --name=front --port=80,81 --protocol=UDP --type=ClusterIP"
    assert shell_line(step.kubectl) == line


def test_an_external_name_leads_to_no_pods() -> None:
    """It has no selector and no ports, and kubectl makes it from a manifest."""
    values = {"type": "ExternalName", "external_name": "db.example.com"}
    (step,) = EXPOSE.plan(deployment(), values)
    assert step.write.body["spec"] == {"type": "ExternalName", "externalName": "db.example.com"}
    assert step.kubectl == ("kubectl", "-n", "shop", "create", "-f", "-")
    assert "externalName: db.example.com" in step.stdin


@pytest.mark.parametrize(
    ("selector", "wrong"),
    [
        (
            {"matchExpressions": [{"key": "a", "operator": "Exists"}]},
            "invalid deployment: no selectors, therefore cannot be exposed",
        ),
        (
            {"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "a", "operator": "In", "values": ["b", "c"]}]},
            'couldn\'t convert expressions - "[{Key:a Operator:In Values:[b c]}]" to map-based selector format',
        ),
    ],
)  # fmt: skip
def test_selectors_that_services_do_not_have(selector: JsonObject, wrong: str) -> None:
    """In kubectl's words."""
    with pytest.raises(Refusal) as raised:
        EXPOSE.plan(deployment({"containerPort": 80}, **selector), {})
    assert raised.value.sentence == f"couldn't retrieve selectors via --selector flag or introspection: {wrong}"


def test_what_was_not_read_is_not_exposed() -> None:
    """The object is needed."""
    with pytest.raises(Refusal):
        EXPOSE.plan(Target(DEPLOYMENTS, KEY), {})


def test_what_is_offered() -> None:
    """Kinds that kubectl can expose, and no other."""
    offered = {gvr.resource for gvr, kind in BUILTIN.items() if EXPOSE.offers(kind)}
    assert offered == {"deployments", "pods", "replicasets", "services"}


# -- the form --------------------------------------------------------------------------------------


async def test_the_form_begins_as_kubectl_would() -> None:
    """With the object's name, cut, and the ports that it declares."""
    name = "x" * 70
    target = deployment({"containerPort": 80}, {"containerPort": 443}, {"containerPort": 80, "protocol": "UDP"})
    form = await EXPOSE.form(cast(Cluster, None), [Target(DEPLOYMENTS, ObjectKey("shop", name), item=target.item)])
    start = form.start()
    assert (start["name"], start["ports"], start["type"]) == ("x" * 63, "80,443", "ClusterIP")
    assert form.wrong(start) == {}
    assert set(form.wrong({**start, "name": "A", "ports": "80,x", "target_port": "A"})) == {
        "name",
        "ports",
        "target_port",
    }
    assert set(form.wrong({**start, "type": "ExternalName", "ports": "x"})) == {"external_name"}


async def test_a_service_needs_another_name() -> None:
    """Its own is taken."""
    target = Target(BUILTIN[GVR_SERVICES], KEY, item={"metadata": {}, "spec": {"ports": [{"port": 80}]}})
    form = await EXPOSE.form(cast(Cluster, None), [target])
    assert set(form.wrong(form.start())) == {"name"}


# -- what is said ----------------------------------------------------------------------------------


class Fake:
    """A cluster that has what it is given.

    Args:
        told: for each kind, its objects; or what goes wrong. Of endpoint slices, the lists as they come.
    """

    def __init__(self, told: dict[GVR, Any]) -> None:
        self._told = told

    async def objects(self, gvr: GVR, namespace: str = "", *, labels: str = "", fields: str = "") -> list[JsonObject]:
        """What was given."""
        if isinstance(found := self._told.get(gvr, []), KtuiError):
            raise found
        return list(found)

    async def watch_all(self, gvr: GVR, *_: str, **__: str) -> AsyncGenerator[list[JsonObject], None]:
        """One list after the other; then nothing more happens."""
        for items in self._told[gvr]:
            yield items
        await asyncio.Event().wait()

    async def watch(self, gvr: GVR, key: ObjectKey) -> AsyncGenerator[JsonObject | None, None]:
        """One object after the other; then nothing more happens."""
        for item in self._told[gvr]:
            yield item
        await asyncio.Event().wait()


SERVICE: JsonObject = {"metadata": {"name": "web", "namespace": "shop"}, "spec": {"selector": {"app": "web"}}}


def pod(**status: Any) -> JsonObject:
    """A pod."""
    return {"metadata": {"name": "p"}, "spec": {"containers": []}, "status": status}


def slices(*ready: bool) -> list[JsonObject]:
    """The one slice of a service, with these endpoints."""
    endpoints = [{"addresses": ["10.0.0.1"], "conditions": {"ready": one}} for one in ready]
    return [{"metadata": {"name": "web-1"}, "addressType": "IPv4", "endpoints": endpoints}]


async def followed(fake: Fake, service: JsonObject = SERVICE) -> list[Said]:
    """What is said after a service was made, to the end."""
    doing = cast(Doing, SimpleNamespace(cluster=fake, results=[service]))
    async with aclosing(arrival(doing)) as told:
        return [said async for said in told]


async def test_what_cannot_be_read_is_said() -> None:
    """And not guessed."""
    denied = KtuiError("dev may not list pods in namespace shop.")
    said = await weighed(cast(Cluster, Fake({GVR_PODS: denied, GVR_SERVICES: denied})), SERVICE)
    assert [one.tone for one in said] == [Tone.UNKNOWN, Tone.UNKNOWN]
    assert all("cannot be read: dev may not list pods" in one.text for one in said)


async def test_pods_that_are_over_are_not_reached() -> None:
    """Nor those that are being deleted."""
    leaving = pod(phase="Running")
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    fake = Fake({GVR_PODS: [pod(phase="Succeeded"), leaving]})
    (said,) = await weighed(cast(Cluster, fake), SERVICE)
    assert said == Said("No pod has the labels app=web now: nothing will answer.", Tone.WARNING)


async def test_pods_without_addresses_are_waited_for() -> None:
    """A pod is no endpoint before it has an address, and yet it will be one."""
    lists = [[], slices(), slices(False), slices(True, False), slices(True, True)]
    fake = Fake({GVR_PODS: [pod(), pod()], GVR_ENDPOINT_SLICES: lists})
    assert [said.text for said in await followed(fake)] == [
        "0 of 2 endpoints ready",
        "1 of 2 endpoints ready",
        "2 of 2 endpoints ready",
    ]


async def test_a_balancer_and_endpoints_arrive_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither waits for the other."""
    made = {**SERVICE, "spec": {**SERVICE["spec"], "type": "LoadBalancer"}}
    addressed = {
        **made,
        "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}, {"hostname": "lb.example.com"}]}},
    }
    told = {GVR_PODS: [pod()], GVR_ENDPOINT_SLICES: [slices(True)], GVR_SERVICES: [made, addressed]}
    assert {(said.about, said.text) for said in await followed(Fake(told), made)} == {
        ("", "1 of 1 endpoint ready"),
        ("load balancer", "The load balancer is pending"),
        ("load balancer", "The load balancer answers at 203.0.113.7, lb.example.com"),
    }
    monkeypatch.setattr(service_words, "PATIENCE", 0.0)
    said = await followed(Fake({**told, GVR_SERVICES: [made]}), made)
    assert "still pending" in said[-1].text


async def test_a_service_that_leads_to_no_pods_has_nothing_to_follow() -> None:
    """Its selector, where it has one, means nothing."""
    assert await followed(Fake({}), {**SERVICE, "spec": {"type": "ExternalName", "selector": {"app": "web"}}}) == []


async def test_an_error_ends_all_that_watch() -> None:
    """And nobody who stops listening leaves one behind."""
    ended: list[str] = []

    async def waits(say: Say) -> None:
        say(Said("waiting"))
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("waits")

    async def fails(say: Say) -> None:
        raise KtuiError("no.")

    async def heard(*watched: Any, most: int = 9) -> Sequence[str]:
        found: list[str] = []
        async with aclosing(side_by_side(watched)) as told:
            async for said in told:
                found.append(said.text)
                if len(found) == most:
                    break
        return found

    assert await heard(waits, most=1) == ["waiting"]
    assert ended == ["waits"]
    with pytest.raises(KtuiError):
        await heard(waits, fails)
    assert ended == ["waits", "waits"]
