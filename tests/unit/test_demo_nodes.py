"""Scheduling, and what happens to nodes that fall silent."""

from __future__ import annotations

from typing import Any

from ktui.demo.clock import epoch_of
from ktui.demo.storage import Object
from tests.unit.demo_world import World, condition


def asking(cpu: str = "100m", memory: str = "64Mi") -> list[Object]:
    return [{"name": "web", "image": "web:1", "resources": {"requests": {"cpu": cpu, "memory": memory}}}]


def refusal(world: World, name: str) -> str:
    world.clock.advance(5)
    scheduled = condition(world.get("pods", name), "PodScheduled")
    assert (scheduled["status"], scheduled["reason"]) == ("False", "Unschedulable")
    message: str = scheduled["message"]
    assert world.messages(name, "FailedScheduling") == [message]
    return message


def test_requests_are_kept_within_what_a_node_has() -> None:
    """Of pods of 1.5 cores, two fit on each node of 4 cores; the others wait."""
    world = World(nodes=2)
    world.deployment("big", 5)
    template = world.get("deployments.apps", "big")["spec"]["template"]
    world.change(
        "deployments.apps", "big", template={**template, "spec": {**template["spec"], "containers": asking("1500m")}}
    )
    world.clock.advance(60)
    places: dict[str, int] = {}
    for pod in world.pods("big"):
        places[pod["spec"].get("nodeName", "")] = places.get(pod["spec"].get("nodeName", ""), 0) + 1
    assert places.pop("", 0) >= 1
    assert all(count <= 2 for count in places.values())


def test_siblings_are_spread() -> None:
    """Three replicas on three nodes do not share one."""
    world = World(nodes=3)
    world.deployment("web", 3)
    world.clock.advance(20)
    assert len({pod["spec"]["nodeName"] for pod in world.pods("web")}) == 3


def test_a_pod_that_is_too_large_for_every_node() -> None:
    """The message is the scheduler's, and says that preemption would not help."""
    world = World(nodes=3)
    world.pod("huge", containers=asking("64"))
    assert refusal(world, "huge") == (
        "0/3 nodes are available: 3 Insufficient cpu. no new claims to deallocate, "
        "preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
    )


def test_reasons_are_counted_and_sorted() -> None:
    """Taints, cordons and selectors each have their own text."""
    world = World(nodes=3)
    world.change("nodes", "node-0", unschedulable=True)
    world.change("nodes", "node-1", taints=[{"key": "gpu", "value": "yes", "effect": "NoSchedule"}])
    world.pod("picky", nodeSelector={"disk": "ssd"})
    assert refusal(world, "picky").partition(". ")[0] == (
        "0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, "
        "1 node(s) had untolerated taint(s), 1 node(s) were unschedulable"
    )


def test_a_cluster_without_nodes() -> None:
    """Nothing can be scheduled, and the message says so."""
    world = World(nodes=0)
    world.pod("lost")
    assert refusal(world, "lost") == "no nodes available to schedule pods"


def test_missing_claims_are_named() -> None:
    """A pod whose PersistentVolumeClaim does not exist waits for it."""
    world = World()
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "nope"}}]
    world.pod("a", volumes=volumes)
    assert 'persistentvolumeclaim "nope" not found' in refusal(world, "a")


def test_a_tolerated_taint_is_no_obstacle() -> None:
    """A toleration of the key and value lets a pod onto a tainted node."""
    world = World(nodes=1)
    world.change("nodes", "node-0", taints=[{"key": "gpu", "value": "yes", "effect": "NoSchedule"}])
    world.pod("a", tolerations=[{"key": "gpu", "value": "yes", "effect": "NoSchedule"}])
    world.clock.advance(20)
    assert world.ready() == 1


def test_waiting_pods_are_tried_again_when_a_node_changes() -> None:
    """Uncordoning the only node lets the pod start."""
    world = World(nodes=1)
    world.change("nodes", "node-0", unschedulable=True)
    world.pod("a")
    refusal(world, "a")
    world.change("nodes", "node-0", unschedulable=False)
    world.clock.advance(20)
    assert world.ready() == 1


def test_waiting_pods_are_tried_again_when_room_becomes_free() -> None:
    """A pod that goes makes place for one that waits."""
    world = World(nodes=1)
    world.pod("first", containers=asking("3"))
    world.clock.advance(20)
    world.pod("second", containers=asking("3"))
    refusal(world, "second")
    world.storage.delete("pods", "default", "first")
    world.clock.advance(20)
    assert world.ready() == 1


def test_cordoned_nodes_are_tainted() -> None:
    """Cordoning adds the taint, uncordoning removes it."""
    world = World(nodes=1)
    world.change("nodes", "node-0", unschedulable=True)
    world.clock.advance(1)
    (taint,) = world.get("nodes", "node-0")["spec"]["taints"]
    assert (taint["key"], taint["effect"]) == ("node.kubernetes.io/unschedulable", "NoSchedule")
    world.change("nodes", "node-0", unschedulable=False)
    world.clock.advance(1)
    assert "taints" not in world.get("nodes", "node-0")["spec"]


def lose(world: World, node: str) -> float:
    """Stops a node and returns after how many seconds it was declared away."""
    world.clock.advance(15)
    begun = world.clock.now()
    world.plane.kubelets.stop_node(node)
    while condition(world.get("nodes", node), "Ready")["status"] == "True":
        world.clock.advance(1)
        assert world.clock.now() - begun < 120
    world.clock.advance(0)
    return world.clock.now() - begun


def test_a_silent_node_is_declared_away() -> None:
    """After 50 s without a lease all conditions are Unknown and both taints are there."""
    world = World()
    assert 40 <= lose(world, "node-1") <= 56
    node = world.get("nodes", "node-1")
    reasons = {(one["status"], one["reason"], one["message"]) for one in node["status"]["conditions"]}
    assert reasons == {("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")}
    world.clock.advance(1)
    taints = [(taint["key"], taint["effect"]) for taint in world.get("nodes", "node-1")["spec"]["taints"]]
    assert taints == [("node.kubernetes.io/unreachable", effect) for effect in ("NoSchedule", "NoExecute")]
    assert world.messages("node-1", "NodeNotReady") == ["Node node-1 status is now: NodeNotReady"]


def test_pods_of_a_silent_node_are_not_ready_but_running() -> None:
    """Their Ready condition is False, their phase Running, and an event tells."""
    world = World()
    world.deployment("web", 3)
    world.clock.advance(20)
    lose(world, "node-1")
    (pod,) = [pod for pod in world.pods("web") if pod["spec"]["nodeName"] == "node-1"]
    assert condition(pod, "Ready")["status"] == "False"
    assert pod["status"]["phase"] == "Running"
    assert world.messages(pod["metadata"]["name"], "NodeNotReady") == ["Node is not ready"]


def test_a_node_that_returns_in_time_keeps_its_pods() -> None:
    """Conditions, taints and readiness are as before, and nothing was evicted."""
    world = World()
    world.deployment("web", 3)
    world.clock.advance(20)
    names = {pod["metadata"]["name"] for pod in world.pods()}
    lose(world, "node-1")
    world.clock.advance(180)
    world.plane.kubelets.start_node("node-1")
    world.clock.advance(2)
    assert condition(world.get("nodes", "node-1"), "Ready")["status"] == "True"
    assert "taints" not in world.get("nodes", "node-1")["spec"]
    assert world.ready("web") == 3
    assert {pod["metadata"]["name"] for pod in world.pods()} == names


def test_a_node_that_stays_away_loses_its_pods() -> None:
    """After 300 s they are marked and replaced; they stay Terminating until the node is back."""
    world = World()
    world.deployment("web", 3)
    world.clock.advance(20)
    lose(world, "node-1")
    since = world.clock.now()
    (lost,) = [pod["metadata"]["name"] for pod in world.pods() if pod["spec"]["nodeName"] == "node-1"]
    while "deletionTimestamp" not in world.get("pods", lost)["metadata"]:
        world.clock.advance(1)
        assert world.clock.now() - since < 400
    assert 298 <= world.clock.now() - since <= 302
    assert condition(world.get("pods", lost), "DisruptionTarget")["reason"] == "DeletionByTaintManager"
    assert world.messages(lost, "TaintManagerEviction") == [f"Marking for deletion Pod default/{lost}"]
    world.clock.advance(120)
    assert world.ready("web") == 3
    assert world.exists("pods", lost)
    world.plane.kubelets.start_node("node-1")
    world.clock.advance(40)
    assert not world.exists("pods", lost)


def test_daemon_pods_stay_on_a_silent_node() -> None:
    """They tolerate the taint for ever."""
    world = World()
    template: dict[str, Any] = {"metadata": {"labels": {"app": "agent"}}, "spec": {"containers": asking()}}
    spec = {"selector": {"matchLabels": {"app": "agent"}}, "template": template}
    world.put("daemonsets.apps", "DaemonSet", "agent", spec=spec)
    world.clock.advance(20)
    lose(world, "node-1")
    world.clock.advance(600)
    assert all("deletionTimestamp" not in pod["metadata"] for pod in world.pods("agent"))
    assert len(world.pods("agent")) == 3


def test_the_pods_of_a_deleted_node_go() -> None:
    """There is no kubelet to wait for."""
    world = World()
    world.deployment("web", 3)
    world.clock.advance(20)
    world.storage.delete("nodes", "", "node-1")
    world.clock.advance(30)
    assert {pod["spec"]["nodeName"] for pod in world.pods()} == {"node-0", "node-2"}
    assert world.ready("web") == 3


def test_leases_are_renewed() -> None:
    """No node's lease is ever older than 10 s while it is up."""
    world = World()
    for _ in range(30):
        world.clock.advance(7)
        for lease in world.storage.list("leases.coordination.k8s.io"):
            assert world.clock.now() - epoch_of(lease["spec"]["renewTime"]) <= 10
