"""Drain and evict: what kubectl refuses, what a disruption budget holds up, and who stays."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from typing import Any

import pytest

from ktui.actions import drain
from ktui.actions.drain import DRAIN
from ktui.actions.evict import EVICT
from ktui.actions.undertaking import Stage
from ktui.kinds.names import ObjectKey
from ktui.kinds.nodes import NODES
from ktui.kinds.pods import PODS
from ktui.kube.client import Client
from ktui.kube.errors import NotFound
from tests.cluster.conftest import Kubectl, Opened
from tests.cluster.doing import Deed, complaint, own_node, own_pod, own_pod_spec, running
from tests.cluster.objects import Objects, until
from tests.cluster.specimens import Manifest


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused evictions are tried again at once."""
    monkeypatch.setattr(drain, "RETRY", 0.2)


@pytest.fixture
async def node(objects: Objects) -> str:
    """A simulated node of the test's own."""
    name = f"t-{secrets.token_hex(4)}"
    await own_node(objects, name)
    return name


def replica_set(namespace: str, node: str, replicas: int) -> Manifest:
    """Pods that come back to the node, as they name it themselves."""
    labels = {"app": "web"}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": own_pod_spec(node)},
        },
    }


def budget(namespace: str, least: int, name: str = "web") -> Manifest:
    """A PodDisruptionBudget for the pods of the replica set."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"minAvailable": least, "selector": {"matchLabels": {"app": "web"}}},
    }


def empty_dir(namespace: str, node: str) -> Manifest:
    """A pod without controller that keeps files."""
    return own_pod(namespace, "files", node, volumes=[{"name": "cache", "emptyDir": {}}])


async def ready_set(objects: Objects, namespace: str, node: str, replicas: int) -> Manifest:
    made = replica_set(namespace, node, replicas)
    await objects.apply(made)

    async def ready() -> bool:
        return bool((await objects.get(made)).get("status", {}).get("readyReplicas") == replicas)

    await until(ready, 30, "the pods did not become ready")
    return made


async def allowing(objects: Objects, wanted: Manifest, disruptions: int) -> None:
    async def allows() -> bool:
        status = (await objects.get(wanted)).get("status", {})
        fresh = status.get("observedGeneration") == (await objects.get(wanted))["metadata"]["generation"]
        return bool(fresh and status.get("disruptionsAllowed", 0) == disruptions)

    await until(allows, 30, "the budget was not reckoned")


async def pods_of(client: Client, namespace: str) -> dict[str, str]:
    """The names of the pods that are not on their way out, by their UIDs."""
    found = await client.get_json(f"/api/v1/namespaces/{namespace}/pods")
    return {p["metadata"]["uid"]: p["metadata"]["name"] for p in found["items"]}


async def test_pods_that_need_a_switch_keep_the_node_from_being_drained_but_not_cordoned(
    objects: Objects, opened: Opened, kubectl: Kubectl, namespace: str, node: str
) -> None:
    pods = [own_pod(namespace, "lone", node), empty_dir(namespace, node)]
    for pod in pods:
        await objects.apply(pod)
    await running(objects, *pods)
    deed = await Deed(await opened(), DRAIN, NODES, ObjectKey("", node)).done()
    assert set(deed.undertaking.works[0].said) >= {f"{namespace}/lone", f"{namespace}/files"}
    assert "will not be drained" in deed.foretold()
    assert "will all the same be cordoned" in deed.foretold()
    assert "`Force`" in deed.foretold(f"{namespace}/lone")
    assert "cache" in deed.foretold(f"{namespace}/files")
    found = await objects.get({"apiVersion": "v1", "kind": "Node", "metadata": {"name": node}})
    assert found["spec"]["unschedulable"] is True
    assert [written.step.write.method for written in deed.written] == ["PATCH"]

    words = await complaint(kubectl, "drain", node, "--ignore-daemonsets")
    begins = f'unable to drain node "{node}" due to error: '
    for text in (words, deed.refusal):
        assert text.startswith(begins)
    # kubectl names the reasons in no order.
    reasons = {
        f"cannot delete Pods that declare no controller (use --force to override): {namespace}/lone",
        f"cannot delete Pods with local storage (use --delete-emptydir-data to override): {namespace}/files",
    }
    kubectls = words.removeprefix(begins).removesuffix(", continuing command...")
    # Older ones stammer.
    kubectls = kubectls.replace("cannot delete cannot delete", "cannot delete")
    for text in (kubectls, deed.refusal.removeprefix(begins)):
        assert set(text.strip("[]").split(", ")) == reasons
    await running(objects, *pods)


async def test_with_the_switches_on_all_pods_go(
    objects: Objects, opened: Opened, client: Client, namespace: str, node: str
) -> None:
    pods = [own_pod(namespace, "lone", node), empty_dir(namespace, node)]
    for pod in pods:
        await objects.apply(pod)
    await running(objects, *pods)
    session, key = await opened(), ObjectKey("", node)
    deed = await Deed(session, DRAIN, NODES, key, force=True, delete_emptydir_data=True, grace_period=1).done()
    assert deed.error is None
    assert deed.undertaking.works[0].stage is Stage.DONE
    assert {said.text for said in deed.undertaking.works[0].said.values()} == {"Gone.", "Drained."}
    assert await pods_of(client, namespace) == {}
    assert [written.step.write.path.rpartition("/")[2] for written in deed.written].count("eviction") == 2
    # Already cordoned, and nothing there: there is nothing left to write.
    again = await Deed(session, DRAIN, NODES, key).done()
    assert again.error is None
    assert not again.written


async def test_a_budget_holds_up_pods_until_it_lets_them_go(
    objects: Objects, opened: Opened, client: Client, namespace: str, node: str
) -> None:
    await ready_set(objects, namespace, node, 2)
    strict = budget(namespace, 2)
    await objects.apply(strict)
    await allowing(objects, strict, 0)
    before = await pods_of(client, namespace)
    deed = await Deed(await opened(), DRAIN, NODES, ObjectKey("", node)).prepare()
    words = "The disruption budget web needs 2 healthy pods and has 2 currently"
    for name in before.values():
        assert words in deed.foretold(f"{namespace}/{name}")
    work = deed.undertaking.works[0]
    doing = asyncio.create_task(deed.undertaking.do())

    def all_wait() -> bool:
        lines = [work.said.get(f"{namespace}/{name}") for name in before.values()]
        return all(line is not None and words in line.text for line in lines)

    await until(all_wait, 30, "the pods do not wait for the budget")
    assert before.items() <= (await pods_of(client, namespace)).items()
    await objects.change(strict, {"spec": {"minAvailable": 1}})
    await asyncio.wait_for(doing, 60)
    assert deed.error is None
    assert not before.keys() & (await pods_of(client, namespace)).keys()


async def test_nothing_new_begins_after_it_was_cancelled(
    objects: Objects, opened: Opened, client: Client, namespace: str, node: str
) -> None:
    await ready_set(objects, namespace, node, 2)
    strict = budget(namespace, 2)
    await objects.apply(strict)
    await allowing(objects, strict, 0)
    before = await pods_of(client, namespace)
    deed = await Deed(await opened(), DRAIN, NODES, ObjectKey("", node)).prepare()
    doing = asyncio.create_task(deed.undertaking.do())
    await until(lambda: len(deed.written) > 3, 30, "nothing was tried")
    deed.undertaking.cancel()
    await asyncio.wait_for(doing, 30)
    tried = len(deed.written)
    await objects.change(strict, {"spec": {"minAvailable": 0}})
    await allowing(objects, strict, 2)
    assert len(deed.written) == tried
    assert await pods_of(client, namespace) == before


async def test_two_budgets_for_one_pod_are_a_refusal(
    objects: Objects, opened: Opened, client: Client, namespace: str, node: str
) -> None:
    pod = own_pod(namespace, "lone", node, {"app": "web"})
    await objects.apply(pod)
    await running(objects, pod)
    for name in ("one", "two"):
        await objects.apply(budget(namespace, 0, name))
    deed = await Deed(await opened(), DRAIN, NODES, ObjectKey("", node), force=True).done()
    several = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
    assert several in deed.foretold(f"{namespace}/lone")
    assert "one, two" in deed.foretold(f"{namespace}/lone")
    error = f'error when evicting pods/"lone" -n "{namespace}": {several}'
    assert deed.refusal == f'unable to drain node "{node}" due to error: {error}'
    assert len(await pods_of(client, namespace)) == 1


async def test_pods_of_daemon_sets_stay(
    objects: Objects, opened: Opened, kubectl: Kubectl, client: Client, namespace: str, node: str
) -> None:
    labels = {"app": "agent"}
    agents = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "agent", "namespace": namespace},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    key: value
                    for key, value in own_pod_spec(node, nodeSelector={"test.ktui.dev/own": "yes"}).items()
                    if key != "nodeName"
                },
            },
        },
    }
    await objects.apply(agents)

    async def here() -> str:
        listed = await client.get_json(
            f"/api/v1/namespaces/{namespace}/pods", query={"fieldSelector": f"spec.nodeName={node}"}
        )
        return next((pod["metadata"]["name"] for pod in listed["items"]), "")

    async def comes() -> bool:
        return bool(await here())

    await until(comes, 30, "the DaemonSet made no pod")
    name, session, key = await here(), await opened(), ObjectKey("", node)
    refused = await Deed(session, DRAIN, NODES, key, ignore_daemonsets=False).done()
    words = (await complaint(kubectl, "drain", node)).removesuffix(", continuing command...")
    assert refused.refusal == words
    deed = await Deed(session, DRAIN, NODES, key).done()
    assert deed.error is None
    assert deed.foretold(f"{namespace}/{name}").startswith("Stays")
    assert await here() == name


async def test_a_drain_gives_up_after_its_timeout(objects: Objects, opened: Opened, namespace: str, node: str) -> None:
    await ready_set(objects, namespace, node, 1)
    strict = budget(namespace, 1)
    await objects.apply(strict)
    await allowing(objects, strict, 0)
    deed = await Deed(await opened(), DRAIN, NODES, ObjectKey("", node), timeout=1).done()
    assert deed.refusal.endswith(": global timeout reached: 1s")


async def test_an_evicted_pod_goes_as_with_kubectl(
    objects: Objects, opened: Opened, client: Client, namespace: str, node: str
) -> None:
    pods = [own_pod(namespace, name, node, terminationGracePeriodSeconds=30) for name in ("mine", "twin")]
    for pod in pods:
        # A finalizer keeps them, so that they can be compared on their way out.
        pod["metadata"]["finalizers"] = ["test.ktui.dev/stay"]
        await objects.apply(pod)
    await running(objects, *pods)
    deed = await Deed(await opened(), EVICT, PODS, ObjectKey(namespace, "mine")).prepare()
    assert "nothing makes it again" in deed.foretold()
    assert deed.previews[0].error is None
    doing = asyncio.create_task(deed.undertaking.do())
    try:
        await until(lambda: any("finalizers test.ktui.dev/stay" in said.text for said in deed.told), 30)
        # As kubectl drain sends it.
        path = f"/api/v1/namespaces/{namespace}/pods/twin/eviction"
        body = (
            b'{"kind":"Eviction","apiVersion":"policy/v1","metadata":{"name":"twin","namespace":"%s"},'
            b'"deleteOptions":{}}' % namespace.encode()
        )
        await client.request("POST", path, body=body)
        one, other = [await objects.get(pod) for pod in pods]
        assert one["metadata"]["deletionGracePeriodSeconds"] == other["metadata"]["deletionGracePeriodSeconds"]
        assert disruption(one) == disruption(other) != []
        for pod in pods:
            await objects.change(pod, {"metadata": {"finalizers": None}})
        await asyncio.wait_for(doing, 30)
    finally:
        doing.cancel()
        with suppress(asyncio.CancelledError):
            await doing
    assert deed.error is None
    assert deed.told[-1].text == "Gone."
    with pytest.raises(NotFound):
        await objects.get(pods[0])


def disruption(pod: Manifest) -> list[Any]:
    """What its status says about the eviction."""
    return [
        (c["type"], c["status"], c.get("reason"), c.get("message"))
        for c in pod["status"]["conditions"]
        if c["type"] == "DisruptionTarget"
    ]


async def test_an_eviction_that_a_budget_refuses_fails_in_the_servers_words(
    objects: Objects, opened: Opened, client: Client, namespace: str, node: str
) -> None:
    await ready_set(objects, namespace, node, 1)
    strict = budget(namespace, 1)
    await objects.apply(strict)
    await allowing(objects, strict, 0)
    (name,) = (await pods_of(client, namespace)).values()
    deed = await Deed(await opened(), EVICT, PODS, ObjectKey(namespace, name)).done()
    assert "The disruption budget web needs 1 healthy pods and has 1 currently" in deed.foretold()
    assert "ReplicaSet web" in deed.foretold()
    assert deed.refusal == "Cannot evict pod as it would violate the pod's disruption budget."
    assert list((await pods_of(client, namespace)).values()) == [name]


async def test_the_same_pods_stay_as_after_kubectl_drain(
    objects: Objects, opened: Opened, client: Client, kubectl: Kubectl, namespace: str, node: str
) -> None:
    twin = f"t-{secrets.token_hex(4)}"
    await own_node(objects, twin)
    for where, ending in ((node, "mine"), (twin, "twin")):
        mirror = own_pod(namespace, f"mirror-{ending}", where)
        mirror["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "x"}
        lone, files = own_pod(namespace, f"lone-{ending}", where), empty_dir(namespace, where)
        files["metadata"]["name"] = f"files-{ending}"
        done = own_pod(namespace, f"done-{ending}", where, restartPolicy="Never")
        for made in (mirror, lone, files, done):
            await objects.apply(made)
        await running(objects, mirror, lone, files, done)
        await objects.patch(
            f"{await objects.path(done)}/status", {"status": {"phase": "Succeeded"}}, "application/merge-patch+json"
        )
    deed = await Deed(
        await opened(), DRAIN, NODES, ObjectKey("", node), force=True, delete_emptydir_data=True, grace_period=1
    ).done()
    assert deed.error is None
    assert deed.foretold(f"{namespace}/mirror-mine").startswith("Stays")
    assert "it has finished" in deed.foretold(f"{namespace}/done-mine").lower()
    flags = ("--ignore-daemonsets", "--delete-emptydir-data", "--force", "--grace-period=1")
    assert deed.written[0].step.kubectl == ("kubectl", "drain", node, *flags)
    await kubectl("drain", twin, *flags, "--timeout=60s")
    assert sorted((await pods_of(client, namespace)).values()) == ["mirror-mine", "mirror-twin"]
