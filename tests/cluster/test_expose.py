"""Expose: the service that ktui makes is the one that kubectl expose makes, and so is every refusal."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ktui.actions import service_words
from ktui.actions.action import Refusal, Said, Target
from ktui.actions.expose import EXPOSE, HEADLESS
from ktui.kinds.builtin import BUILTIN
from ktui.kinds.generic import generic_kind
from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR, GVR_DEPLOYMENTS, GVR_PODS, GVR_REPLICASETS, GVR_SERVICES, ObjectKey
from ktui.kinds.services import SERVICES
from ktui.kinds.tone import Tone
from tests.cluster import specimens
from tests.cluster.clusters import Cluster
from tests.cluster.conftest import Opened
from tests.cluster.creating import creating
from tests.cluster.objects import Manifest, Objects, until

CONTROLLERS = generic_kind(GVR("", "v1", "replicationcontrollers"), "ReplicationController", True)
DNS = [{"containerPort": 53, "protocol": "UDP"}, {"containerPort": 53, "protocol": "TCP"}]
WEB = [{"containerPort": 8080, "name": "http"}]
TWO = [*WEB, {"containerPort": 9090, "protocol": "UDP"}]


def template(*ports: Manifest) -> dict[str, Any]:
    """The spec of pods that nobody runs."""
    return {
        "containers": [specimens.container("app", ports=list(ports))],
        "nodeSelector": {"test.ktui.dev/node": "none"},
    }


def deployment(namespace: str, *ports: Manifest, name: str = "web") -> Manifest:
    """A deployment of no pods, with labels of its own."""
    made = specimens.deployment(namespace, name, 0, template(*ports))
    made["metadata"]["labels"] = {"team": "front", "empty": ""}
    return made


def source(namespace: str, kind: Kind) -> Manifest:
    """An object of a kind that can be exposed, called web."""
    whole = deployment(namespace, *WEB)
    meta, spec = whole["metadata"], whole["spec"]
    if kind.gvr == GVR_PODS:
        return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec["template"]["spec"]}
    if kind.gvr == GVR_SERVICES:
        return specimens.service(namespace, "web", ports=[{"port": 80, "targetPort": "http"}])
    selector = spec["selector"]["matchLabels"] if kind is CONTROLLERS else spec["selector"]
    more = {"kind": kind.kind, "apiVersion": kind.gvr.group_version}
    return {**whole, **more, "spec": {**spec, "selector": selector}}


def target(namespace: str, kind: Kind = BUILTIN[GVR_DEPLOYMENTS], name: str = "web") -> Target:
    """What is exposed."""
    return Target(kind, ObjectKey(namespace, name))


@pytest.mark.parametrize(
    "kind",
    [*(BUILTIN[gvr] for gvr in (GVR_DEPLOYMENTS, GVR_REPLICASETS, GVR_PODS, GVR_SERVICES)), CONTROLLERS],
    ids=lambda kind: kind.singular,
)
async def test_every_kind_that_can_be_exposed(
    kind: Kind, cluster: Cluster, objects: Objects, namespace: str, opened: Opened
) -> None:
    """Name, labels, selector and ports come from the object as kubectl takes them."""
    await objects.apply(source(namespace, kind))
    acting = await creating(opened, cluster)
    more = {"name": "web-again"} if kind.gvr == GVR_SERVICES else {}
    (line,) = await acting.same(EXPOSE, target(namespace, kind), **more)
    port = 80 if kind.gvr == GVR_SERVICES else 8080
    name = more.get("name", "web")
    assert line == ["expose", kind.gvr.resource, "web", f"--name={name}", f"--port={port}", "--type=ClusterIP"]


@pytest.mark.parametrize(
    ("ports", "filled"),
    [
        (TWO, {}),
        (TWO, {"ports": ""}),
        (TWO, {"protocol": "SCTP"}),
        (TWO, {"target_port": "http"}),
        (DNS, {}),
        ([*DNS, *WEB], {}),
        ([*DNS, *WEB], {"ports": "53"}),
        (WEB, {"ports": "80, 443", "target_port": "8080"}),
        (WEB, {"type": "NodePort"}),
        (WEB, {"type": "LoadBalancer", "affinity": "ClientIP"}),
        (WEB, {"type": HEADLESS}),
        ([], {"type": HEADLESS}),
        ([], {"type": HEADLESS, "target_port": "80"}),
        (WEB, {"type": "ExternalName", "external_name": "db.example.com"}),
        (WEB, {"name": "other"}),
    ],
    ids=str,
)
async def test_every_form(
    ports: list[Manifest],
    filled: dict[str, Any],
    cluster: Cluster,
    objects: Objects,
    namespace: str,
    opened: Opened,
) -> None:
    """Whatever the form is filled with, the kubectl line beside it makes the same service."""
    await objects.apply(deployment(namespace, *ports))
    acting = await creating(opened, cluster)
    await acting.same(EXPOSE, target(namespace), **filled)


async def test_the_ports_that_kubectl_finds_itself(
    cluster: Cluster, objects: Objects, namespace: str, opened: Opened
) -> None:
    """The form is filled with what kubectl finds when it is told nothing."""
    await objects.apply(deployment(namespace, *DNS, *TWO))
    acting = await creating(opened, cluster)
    await acting.kubectl(["-n", namespace, "expose", "deployment", "web"])
    key = ObjectKey(namespace, "web")
    theirs = await acting.made(SERVICES, key)
    undertaking = await acting.begun(EXPOSE, target(namespace))
    assert undertaking.values["ports"] == "53,8080,9090"
    await acting.said(undertaking)
    assert await acting.made(SERVICES, key) == theirs


async def test_a_long_name_is_cut(cluster: Cluster, objects: Objects, namespace: str, opened: Opened) -> None:
    """Deployments may have longer names than services."""
    name = "a" * 60 + "bcdefg"
    made = deployment(namespace, *WEB, name=name)
    made["spec"]["selector"] = {"matchLabels": {"app": "web"}}
    made["spec"]["template"]["metadata"]["labels"] = {"app": "web"}
    await objects.apply(made)
    acting = await creating(opened, cluster)
    await acting.kubectl(["-n", namespace, "expose", "deployment", name])
    theirs = await acting.made(SERVICES, ObjectKey(namespace, name[:63]))
    await acting.said(await acting.begun(EXPOSE, target(namespace, name=name)))
    assert await acting.made(SERVICES, ObjectKey(namespace, name[:63])) == theirs


EXPRESSIONS = [{"key": "tier", "operator": "In", "values": ["a", "b"]}, {"key": "x", "operator": "DoesNotExist"}]


async def test_refusals(cluster: Cluster, objects: Objects, namespace: str, opened: Opened) -> None:
    """What kubectl refuses, ktui refuses in the same words."""
    await objects.apply(deployment(namespace))
    chosen = deployment(namespace, *WEB, name="chosen")
    chosen["spec"]["selector"]["matchExpressions"] = EXPRESSIONS
    chosen["spec"]["template"]["metadata"]["labels"]["tier"] = "a"
    await objects.apply(chosen)
    only = deployment(namespace, *WEB, name="only")
    only["spec"]["selector"] = {"matchExpressions": EXPRESSIONS[:1]}
    only["spec"]["template"]["metadata"]["labels"] = {"tier": "a"}
    await objects.apply(only)
    await objects.apply(specimens.pod(namespace, "bare", **template(*WEB)))
    await objects.apply(specimens.service(namespace, "loose", selector=None))
    acting = await creating(opened, cluster)
    for gvr, name, port in (
        (GVR_DEPLOYMENTS, "web", ""),
        (GVR_DEPLOYMENTS, "web", "abc"),
        (GVR_DEPLOYMENTS, "chosen", "80"),
        (GVR_DEPLOYMENTS, "only", "80"),
        (GVR_PODS, "bare", "80"),
        (GVR_SERVICES, "loose", "80"),
    ):
        words = ["-n", namespace, "expose", gvr.resource, name, *([f"--port={port}"] if port else [])]
        theirs = await acting.refusal(*words)
        found = target(namespace, BUILTIN[gvr], name)
        item = await acting.place.get(gvr, found.key)
        with pytest.raises(Refusal) as ours:
            EXPOSE.plan(found.read(item), {"name": "new", "type": "ClusterIP", "ports": port})
        assert ours.value.sentence == theirs
    for kind in ("nodes", "configmaps"):
        assert not EXPOSE.offers(generic_kind(GVR("", "v1", kind), kind, False))


async def weighed(acting: Any, undertaking: Any) -> list[Said]:
    """What is said before it is done."""
    return list(await EXPOSE.weigh(acting.place, undertaking.targets, undertaking.values))


async def test_whom_it_will_reach(cluster: Cluster, objects: Objects, namespace: str, opened: Opened) -> None:
    """Before: pods that match now, ready or not, ports that lead nowhere, services of that name or selector."""
    await objects.apply(deployment(namespace, *WEB))
    acting = await creating(opened, cluster)
    nobody = await weighed(acting, await acting.begun(EXPOSE, target(namespace)))
    assert nobody == [Said("No pod has the labels app=web now: nothing will answer.", Tone.WARNING)]
    ready = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    for name, status in (("one", ready), ("two", {"phase": "Pending"}), ("over", {"phase": "Succeeded"})):
        pod = specimens.pod(namespace, name, status, **template(*WEB))
        pod["metadata"]["labels"] = {"app": "web"}
        await objects.apply(pod)
    await objects.apply(specimens.service(namespace, "web"))
    undertaking = await acting.begun(EXPOSE, target(namespace), ports="80", target_port="https", type="LoadBalancer")
    assert [said.text for said in await weighed(acting, undertaking)] == [
        "Reaches 2 pods now, 1 of them ready.",
        "None of these pods has a port called https: nothing will answer there.",
        "A service called web is there already; choose another name.",
        "web has the same selector and reaches the same pods.",
        "A port is opened on every node.",
        "Clouds charge for a load balancer, and it stays pending where nobody provides one.",
    ]


async def test_endpoints_arrive(cluster: Cluster, objects: Objects, namespace: str, opened: Opened) -> None:
    """After: the endpoints are counted until all of them are ready."""
    running = specimens.deployment(namespace, "web", 2)
    await objects.apply(running)
    acting = await creating(opened, cluster)

    async def both() -> bool:
        return bool((await objects.get(running)).get("status", {}).get("replicas") == 2)

    await until(both)
    told = await acting.said(await acting.begun(EXPOSE, target(namespace), ports="80"))
    assert told[-1] == "2 of 2 endpoints ready"
    assert all(text.endswith(" of 2 endpoints ready") for text in told)


async def test_nobody_to_wait_for(cluster: Cluster, objects: Objects, namespace: str, opened: Opened) -> None:
    """Without pods there is nothing to wait for, and that is said."""
    await objects.apply(deployment(namespace, *WEB))
    acting = await creating(opened, cluster)
    told = await acting.said(await acting.begun(EXPOSE, target(namespace)))
    assert told == ["No endpoints: no pod has the labels app=web"]


async def test_a_load_balancer(
    cluster: Cluster, objects: Objects, namespace: str, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nobody provides it, that is told; where somebody does, its address."""
    monkeypatch.setattr(service_words, "PATIENCE", 0.5)
    await objects.apply(deployment(namespace, *WEB))
    acting = await creating(opened, cluster)
    told = await acting.said(await acting.begun(EXPOSE, target(namespace), type="LoadBalancer"))
    assert "The load balancer is pending" in told
    assert "nobody has said anything about it" in told[-1]
    monkeypatch.setattr(service_words, "PATIENCE", 30.0)
    undertaking = await acting.begun(EXPOSE, target(namespace), name="web-again", type="LoadBalancer")
    said = undertaking.works[0].said

    async def provide_when_pending() -> None:
        await until(lambda: bool(said))
        path = f"{GVR_SERVICES.path(namespace, 'web-again')}/status"
        given = {"status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}]}}}
        await objects.patch(path, given, "application/merge-patch+json")

    told, _ = await asyncio.gather(acting.said(undertaking), provide_when_pending())
    assert any(text.startswith("The load balancer answers at 203.0.113.7") for text in told)


async def test_why_a_load_balancer_stays_pending(
    cluster: Cluster, objects: Objects, namespace: str, opened: Opened
) -> None:
    """What its controller complains of in an event is the reason."""
    made = await objects.apply(
        specimens.service(namespace, "web", type="LoadBalancer", loadBalancerClass="test.ktui.dev/no")
    )
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "web.1", "namespace": namespace},
        "involvedObject": {"kind": "Service", "name": "web", "namespace": namespace, "uid": made["metadata"]["uid"]},
        "reason": "SyncLoadBalancerFailed",
        "message": "quota exceeded",
        "type": "Warning",
        "lastTimestamp": "2026-01-01T00:00:00Z",
    }
    await objects.apply(event)
    acting = await creating(opened, cluster)
    (said,) = await service_words.why_pending(acting.place, ObjectKey(namespace, "web"))
    assert said.text == "The load balancer is still pending. SyncLoadBalancerFailed: quota exceeded"
