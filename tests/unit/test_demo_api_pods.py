"""Pods on the embedded cluster's API: how they print, their logs, how they are deleted and evicted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from ktui.demo.deletion import finish_if_done, request_delete
from ktui.demo.errors import StatusError
from ktui.demo.tables import pods as pod_table
from ktui.demo.tables.text import human_duration
from tests.unit.demo_api import CONFIGMAPS, PODS, Cluster, Object, configmap, pod, running


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with running() as started:
        yield started


def waiting(reason: str) -> Object:
    return state("waiting", reason=reason)


def state(kind: str, **fields: Any) -> Object:
    """A container's status in one of its three states."""
    return {"name": "web", "state": {kind: fields}, "ready": kind == "running", "restartCount": 0}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "<invalid>"), (0, "0s"), (119, "119s"), (120, "2m"), (187, "3m7s"), (600, "10m"), (10800, "3h"),
        (11100, "3h5m"), (28800, "8h"), (172799, "47h"), (172800, "2d"), (180000, "2d2h"), (691200, "8d"),
        (63071999, "729d"), (63072000, "2y"), (70000000, "2y80d"), (252288000, "8y"),
    ],
)  # fmt: skip
def test_durations_print_as_kubectl_prints_them(seconds: int, text: str) -> None:
    """Every step of HumanDuration, on both sides of its edge."""
    assert human_duration(seconds) == text


@pytest.mark.parametrize(
    ("status", "ready", "word"),
    [
        ({"phase": "Pending"}, "0/1", "Pending"),
        ({"phase": "Running", "containerStatuses": [state("running")]}, "1/1", "Running"),
        ({"phase": "Running", "containerStatuses": [waiting("CrashLoopBackOff")]}, "0/1", "CrashLoopBackOff"),
        (
            {"phase": "Failed", "containerStatuses": [state("terminated", exitCode=137, reason="OOMKilled")]},
            "0/1",
            "OOMKilled",
        ),
        ({"phase": "Failed", "containerStatuses": [state("terminated", exitCode=3)]}, "0/1", "ExitCode:3"),
        ({"phase": "Failed", "reason": "Evicted"}, "0/1", "Evicted"),
        ({"phase": "Pending", "initContainerStatuses": [state("running")]}, "0/1", "Init:0/1"),
        ({"phase": "Pending", "initContainerStatuses": [waiting("ErrImagePull")]}, "0/1", "Init:ErrImagePull"),
        ({"phase": "Pending", "initContainerStatuses": [state("terminated", exitCode=2)]}, "0/1", "Init:ExitCode:2"),
    ],
)
def test_the_status_column_says_what_the_containers_do(status: Object, ready: str, word: str) -> None:
    """READY and STATUS of a pod follow from its container states."""
    shown = pod("a", **status)
    shown["spec"]["initContainers"] = [{"name": "web", "image": "init"}]
    cells = pod_table.cells(shown, 0.0)
    assert cells[1:3] == [ready, word]


def test_a_deleted_pod_is_terminating_until_it_ends() -> None:
    """A deletionTimestamp shows, but not on a pod that already succeeded."""
    going = pod("a", phase="Running")
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    done = pod("b", phase="Succeeded", containerStatuses=[state("terminated", exitCode=0, reason="Completed")])
    done["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert [pod_table.cells(each, 0.0)[2] for each in (going, done)] == ["Terminating", "Completed"]


async def test_a_running_pod_gets_its_grace_period(cluster: Cluster) -> None:
    """Deleting marks a scheduled pod with when it must be gone; a second deletion can only shorten that."""
    cluster.storage.create("pods", pod("a", phase="Running"))
    first = await cluster.request("DELETE", f"{PODS}/a")
    longer = await cluster.request("DELETE", f"{PODS}/a", {"gracePeriodSeconds": 60})
    shorter = await cluster.request("DELETE", f"{PODS}/a", {"gracePeriodSeconds": 5})
    grace = [each.json["metadata"]["deletionGracePeriodSeconds"] for each in (first, longer, shorter)]
    assert grace == [30, 30, 5]
    assert first.json["metadata"]["deletionTimestamp"] == "2026-01-02T03:04:35Z"
    assert shorter.json["metadata"]["deletionTimestamp"] == "2026-01-02T03:04:10Z"
    gone = await cluster.request("DELETE", f"{PODS}/a", {"gracePeriodSeconds": 0})
    assert gone.status == 200
    assert (await cluster.get(f"{PODS}/a")).status == 404


async def test_a_pod_that_runs_nowhere_goes_at_once(cluster: Cluster) -> None:
    """Without a node there is nobody to wait for."""
    pending = pod("a", phase="Pending")
    del pending["spec"]["nodeName"]
    cluster.storage.create("pods", pending)
    await cluster.request("DELETE", f"{PODS}/a")
    assert cluster.storage.get("pods", "shop", "a") is None


async def test_finalizers_hold_an_object_until_they_are_gone(cluster: Cluster) -> None:
    """A deleted object with a finalizer stays, may get no new one, and goes with the last."""
    held = configmap("a")
    held["metadata"]["finalizers"] = ["example.com/hold"]
    cluster.storage.create("configmaps", held)
    await cluster.request("DELETE", f"{CONFIGMAPS}/a")
    more = await cluster.patch(f"{CONFIGMAPS}/a", {"metadata": {"finalizers": ["example.com/hold", "example.com/y"]}})
    assert more.status == 422
    assert "no new finalizers can be added if the object is being deleted" in more.message
    await cluster.patch(f"{CONFIGMAPS}/a", {"metadata": {"finalizers": None}})
    assert cluster.storage.get("configmaps", "shop", "a") is None


@pytest.mark.parametrize(("policy", "finalizer"), [("Foreground", "foregroundDeletion"), ("Orphan", "orphan")])
async def test_propagation_policies_wait_for_the_garbage_collector(
    cluster: Cluster, policy: str, finalizer: str
) -> None:
    """Foreground and Orphan leave a finalizer for the garbage collector to act on and to remove."""
    cluster.storage.create("configmaps", configmap("a"))
    marked = request_delete(cluster.storage, "configmaps", "shop", "a", propagation=policy)
    assert not marked.gone
    assert marked.object["metadata"]["finalizers"] == [finalizer]
    metadata = {**marked.object["metadata"], "finalizers": []}
    freed = cluster.storage.update("configmaps", {**marked.object, "metadata": metadata})
    assert finish_if_done(cluster.storage, "configmaps", freed)


async def test_preconditions_protect_a_successor(cluster: Cluster) -> None:
    """A deletion meant for another uid does nothing."""
    cluster.storage.create("configmaps", configmap("a"))
    with pytest.raises(StatusError, match=r"the UID in the precondition \(abc\) does not match the UID in record"):
        request_delete(cluster.storage, "configmaps", "shop", "a", preconditions={"uid": "abc"})
    assert cluster.storage.get("configmaps", "shop", "a") is not None


async def test_a_budget_stops_evictions(cluster: Cluster) -> None:
    """An eviction beyond the disruption budget is 429 with the budget's numbers; within it the pod goes."""
    ready = [{"type": "Ready", "status": "True"}]
    cluster.storage.create("pods", pod("a", labels={"app": "web"}, phase="Running", conditions=ready))
    budget: Object = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "b", "namespace": "shop"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}},
        "status": {"disruptionsAllowed": 0, "desiredHealthy": 1, "currentHealthy": 1, "observedGeneration": 1},
    }
    stored = cluster.storage.create("poddisruptionbudgets.policy", budget)
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "a", "namespace": "shop"}}
    refused = await cluster.post(f"{PODS}/a/eviction", body)
    assert refused.status == 429
    assert refused.json["details"]["causes"] == [
        {"reason": "DisruptionBudget", "message": "The disruption budget b needs 1 healthy pods and has 1 currently"}
    ]
    status = {**budget["status"], "disruptionsAllowed": 1}
    cluster.storage.update("poddisruptionbudgets.policy", {**stored, "status": status})
    assert (await cluster.post(f"{PODS}/a/eviction", body)).status == 201
    evicted = cluster.storage.get("pods", "shop", "a")
    assert evicted is not None
    assert "deletionTimestamp" in evicted["metadata"]


class ThreeLines:
    """Logs of three lines, a second apart, at the start of the stepped clock."""

    def lines(self, pod: Object, container: str, *, previous: bool = False) -> Sequence[tuple[float, str]]:
        return [(1767323040.0 + second, f"line {second}") for second in range(3)]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("", "line 0\nline 1\nline 2\n"),
        ("tailLines=1", "line 2\n"),
        ("limitBytes=9", "line 0\nli"),
        ("sinceSeconds=4", "line 1\nline 2\n"),
        ("sinceTime=2026-01-02T03:04:02Z", "line 2\n"),
        ("timestamps=true&tailLines=1", "2026-01-02T03:04:02.000000000Z line 2\n"),
    ],
)
async def test_logs_are_cut_as_asked(cluster: Cluster, query: str, text: str) -> None:
    """tailLines, limitBytes, sinceSeconds, sinceTime and timestamps do what they say."""
    cluster.server._api._subresources._logs = ThreeLines()
    cluster.storage.create("pods", pod("a", phase="Running", containerStatuses=[state("running")]))
    answer = await cluster.get(f"{PODS}/a/log?{query}")
    assert (answer.text, answer.headers["Content-Type"]) == (text, "text/plain")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("container=zz", "container zz is not valid for pod a"),
        ("", "a container name must be specified for pod a, choose one of: [web side]"),
        ("container=web", 'container "web" in pod "a" is waiting to start: ContainerCreating'),
        ("container=web&previous=true", 'previous terminated container "web" in pod "a" not found'),
    ],
)
async def test_logs_that_are_not_there(cluster: Cluster, query: str, message: str) -> None:
    """Each reason for having no log is told in the words of a real server."""
    young = pod("a", phase="Pending", containerStatuses=[waiting("ContainerCreating")])
    young["spec"]["containers"].append({"name": "side", "image": "side:1"})
    cluster.storage.create("pods", young)
    answer = await cluster.get(f"{PODS}/a/log?{query}")
    assert (answer.status, answer.message) == (400, message)
