"""Cells: what ktui computes from typed objects is what the server, and so kubectl, prints."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from ktui.demo.run import serve
from ktui.kinds.deployments import DEPLOYMENTS
from ktui.kinds.endpoint_slices import ENDPOINT_SLICES
from ktui.kinds.events import EVENTS
from ktui.kinds.kind import Kind
from ktui.kinds.names import ObjectKey
from ktui.kinds.nodes import NODES
from ktui.kinds.pods import PODS
from ktui.kinds.replicasets import REPLICASETS
from ktui.kinds.services import SERVICES
from ktui.kube.client import Client
from tests.cluster import specimens
from tests.cluster.conftest import Kubectl, connected
from tests.cluster.objects import Manifest, Objects, until
from tests.cluster.tables import as_ktui_prints, as_kubectl_prints, differences, rows_of

EVERY_KIND = (NODES, PODS, SERVICES, DEPLOYMENTS, REPLICASETS, ENDPOINT_SLICES, EVENTS)


@pytest.fixture
def speed() -> float:
    """Ages are compared, which must be those of the present."""
    return 1.0


async def make(objects: Objects, manifests: Iterable[Manifest]) -> set[ObjectKey]:
    """Make objects; returns their keys."""
    made = set()
    for manifest in manifests:
        await objects.apply(manifest)
        meta = manifest["metadata"]
        made.add(ObjectKey(meta.get("namespace", ""), meta["name"]))
    return made


async def make_pods(objects: Objects, namespace: str) -> set[ObjectKey]:
    """Pods in every state."""
    made = await make(objects, specimens.pods(namespace))
    leaving = list(specimens.leaving_pods(namespace))
    made |= await make(objects, leaving)
    for manifest in leaving:
        await objects.delete(manifest)
    return made


async def make_deployments(objects: Objects, namespace: str) -> set[ObjectKey]:
    """Deployments in every state; returns when their controller has looked at them."""
    manifests = list(specimens.deployments(namespace))
    made = await make(objects, manifests)
    rolling = specimens.deployment(namespace, "rolling", 2)
    await objects.apply(rolling)
    manifests.append(rolling)

    async def observed() -> bool:
        for manifest in manifests:
            found = await objects.get(manifest)
            if found.get("status", {}).get("observedGeneration", 0) < found["metadata"]["generation"]:
                return False
        status: Manifest = (await objects.get(rolling))["status"]
        return status.get("readyReplicas") == 2

    await until(observed, 30)
    stuck = specimens.deployment(namespace, "rolling", 2, {"nodeSelector": {"test.ktui.dev/node": "none"}})
    await objects.apply(stuck)
    await until(observed, 30)
    return made | {ObjectKey(namespace, "rolling")}


async def assert_equal(client: Client, kind: Kind, namespace: str, all_of: set[ObjectKey]) -> None:
    """Every cell of every object equals the server's."""
    compared: set[ObjectKey] = set()

    async def all_compared() -> bool:
        wrong, more = await differences(client, kind, namespace)
        assert not wrong
        compared.update(more)
        return compared >= all_of

    await until(all_compared, what=f"some {kind.gvr.resource} were never seen in the same version")


async def test_pods_in_every_state(client: Client, objects: Objects, namespace: str) -> None:
    """READY, STATUS, RESTARTS and all the others are the server's, whatever a pod goes through."""
    made = await make_pods(objects, namespace)
    await assert_equal(client, PODS, namespace, made)


async def test_services_of_all_types(client: Client, objects: Objects, namespace: str) -> None:
    """Addresses, ports and selectors are the server's for every type of service."""
    made = await make(objects, specimens.services(namespace))
    await assert_equal(client, SERVICES, namespace, made)


async def test_deployments_and_their_replica_sets(client: Client, objects: Objects, namespace: str) -> None:
    """Deployments that are complete, idle, rolling, stuck, overdue or paused look as served, and so do their parts."""
    made = await make_deployments(objects, namespace)
    await assert_equal(client, DEPLOYMENTS, namespace, made)
    replica_sets = set(await rows_of(client, REPLICASETS, namespace))
    assert len(replica_sets) >= len(made) - 1
    await assert_equal(client, REPLICASETS, namespace, replica_sets)


async def test_nodes_in_every_state(client: Client, objects: Objects) -> None:
    """STATUS, ROLES, addresses and versions are the server's, for nodes that are away or cordoned, too."""
    made = await make(objects, specimens.nodes(secrets.token_hex(3)))
    await assert_equal(client, NODES, "", made)


@pytest.mark.parametrize("kind", EVERY_KIND, ids=lambda kind: kind.gvr.resource)
async def test_whatever_else_is_there(kind: Kind, client: Client) -> None:
    """Whatever a cluster holds, ktui prints it as the server does."""
    wrong, compared = await differences(client, kind)
    assert not wrong
    assert compared or not await rows_of(client, kind)


async def test_the_story_of_the_embedded_cluster(tmp_path: Path) -> None:
    """What a newcomer sees in the demo is printed by ktui as by the demo's server."""
    demo = await serve()
    try:
        demo.server.write_kubeconfig(tmp_path / "config")
        async with connected(tmp_path / "config") as client:
            for kind in EVERY_KIND:
                wrong, compared = await differences(client, kind)
                assert not wrong
                assert compared
    finally:
        await demo.stop()


@pytest.mark.parametrize("kind", [PODS, SERVICES, DEPLOYMENTS], ids=lambda kind: kind.gvr.resource)
async def test_kubectl_prints_the_same(
    kind: Kind, client: Client, objects: Objects, namespace: str, kubectl: Kubectl
) -> None:
    """`kubectl get -o wide` has the columns of ktui, and in each row the same texts."""
    makers = {PODS.gvr: make_pods, DEPLOYMENTS.gvr: make_deployments}
    if (maker := makers.get(kind.gvr)) is not None:
        await maker(objects, namespace)
    else:
        await make(objects, specimens.services(namespace))

    async def same() -> bool:
        before = await rows_of(client, kind, namespace)
        printed = as_kubectl_prints(await kubectl("get", kind.gvr.qualified, "-n", namespace, "-o", "wide"))
        now, after = time.time(), await rows_of(client, kind, namespace)
        if {key: row.object for key, row in before.items()} != {key: row.object for key, row in after.items()}:
            return False
        assert set(printed) == {key.name for key in after}
        for key, row in after.items():
            for name, text in printed[key.name].items():
                assert text in as_ktui_prints(kind, row, name, now), f"{key} {name}"
        return True

    await until(same, 30, "the objects never stood still")


async def test_kubectl_prints_the_same_nodes(client: Client, objects: Objects, kubectl: Kubectl) -> None:
    """`kubectl get nodes -o wide` says of each node what ktui says."""
    made = await make(objects, specimens.nodes(secrets.token_hex(3)))
    printed = as_kubectl_prints(await kubectl("get", "nodes", "-o", "wide"))
    now, rows = time.time(), await rows_of(client, NODES)
    for key in made:
        for name, text in printed[key.name].items():
            assert text in as_ktui_prints(NODES, rows[key], name, now), f"{key} {name}"
