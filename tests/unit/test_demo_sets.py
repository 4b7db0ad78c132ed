"""StatefulSets, DaemonSets, volumes and autoscalers of the embedded cluster."""

from __future__ import annotations

from typing import Any

from ktui.demo.storage import Object
from tests.unit.demo_world import World, condition, pod_template


def stateful(world: World, replicas: int = 3, **spec: Any) -> Object:
    wanted = {"replicas": replicas, "serviceName": "db", "selector": {"matchLabels": {"app": "db"}}, **spec}
    return world.put("statefulsets.apps", "StatefulSet", "db", spec={"template": pod_template("db", "db:1"), **wanted})


def order(world: World, kind: str) -> list[str]:
    """Returns the names of the pods of `db` in the order in which they came or went."""
    names = [
        event.object["metadata"]["name"] for event in world.writes if event.resource == "pods" and event.type == kind
    ]
    return [name for name in names if name.startswith("db-")]


def test_a_statefulset_grows_in_order() -> None:
    """Each pod comes only when the one before is ready."""
    world = World()
    stateful(world)
    for _ in range(120):
        world.clock.advance(0.5)
        pods = world.pods("db")
        assert all(condition(pod, "Ready")["status"] == "True" for pod in pods[:-1])
    assert order(world, "ADDED") == ["db-0", "db-1", "db-2"]
    status = world.get("statefulsets.apps", "db")["status"]
    assert (status["readyReplicas"], status["updatedReplicas"]) == (3, 3)
    assert status["currentRevision"] == status["updateRevision"]


def test_a_statefulset_shrinks_from_the_end() -> None:
    """The last pod goes first, one at a time."""
    world = World()
    stateful(world)
    world.clock.advance(60)
    world.change("statefulsets.apps", "db", replicas=1)
    world.clock.advance(30)
    assert order(world, "DELETED") == ["db-2", "db-1"]


def test_a_statefulset_rolls_from_the_end() -> None:
    """A new template replaces the last pod first; the names stay."""
    world = World()
    stateful(world)
    world.clock.advance(60)
    world.change("statefulsets.apps", "db", template=pod_template("db", "db:2"))
    world.clock.advance(90)
    assert order(world, "DELETED") == ["db-2", "db-1", "db-0"]
    assert {pod["spec"]["containers"][0]["image"] for pod in world.pods("db")} == {"db:2"}
    assert len(world.storage.list("controllerrevisions.apps")) == 2


def test_a_parallel_statefulset_does_not_wait() -> None:
    """With podManagementPolicy Parallel all pods come at once."""
    world = World()
    stateful(world, podManagementPolicy="Parallel")
    world.clock.advance(0.5)
    assert len(world.pods("db")) == 3


def test_every_pod_has_its_own_volume() -> None:
    """Claims are made from the template, bound to a volume, and stay when the pod goes."""
    world = World()
    storage_class = {"provisioner": "csi.example.com"}
    world.put("storageclasses.storage.k8s.io", "StorageClass", "fast", **storage_class)
    asked = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "fast",
        "resources": {"requests": {"storage": "1Gi"}},
    }
    stateful(world, 2, volumeClaimTemplates=[{"metadata": {"name": "data"}, "spec": asked}])
    world.clock.advance(60)
    assert world.ready("db") == 2
    claim = world.get("persistentvolumeclaims", "data-db-1")
    volume = world.storage.get("persistentvolumes", "", claim["spec"]["volumeName"])
    assert volume is not None
    assert (claim["status"]["phase"], volume["spec"]["claimRef"]["name"]) == ("Bound", "data-db-1")
    world.change("statefulsets.apps", "db", replicas=1)
    world.clock.advance(30)
    assert world.exists("persistentvolumeclaims", "data-db-1")


def daemon(world: World, image: str = "agent:1") -> Object:
    spec = {"selector": {"matchLabels": {"app": "agent"}}, "template": pod_template("agent", image)}
    return world.put("daemonsets.apps", "DaemonSet", "agent", spec=spec)


def test_a_daemonset_has_a_pod_on_every_node_that_fits() -> None:
    """Also on cordoned nodes, but not behind a taint it does not tolerate."""
    world = World()
    world.change("nodes", "node-0", unschedulable=True)
    world.change("nodes", "node-2", taints=[{"key": "gpu", "effect": "NoSchedule"}])
    daemon(world)
    world.clock.advance(20)
    assert {pod["spec"]["nodeName"] for pod in world.pods("agent")} == {"node-0", "node-1"}
    status = world.get("daemonsets.apps", "agent")["status"]
    assert (status["desiredNumberScheduled"], status["numberReady"]) == (2, 2)


def test_a_new_node_gets_its_daemon() -> None:
    """As soon as a node joins, a pod follows."""
    world = World(nodes=2)
    daemon(world)
    world.clock.advance(20)
    world.change("nodes", "node-1", taints=[{"key": "gone", "effect": "NoExecute"}])
    world.clock.advance(20)
    assert {pod["spec"]["nodeName"] for pod in world.pods("agent")} == {"node-0"}
    world.change("nodes", "node-1", taints=[])
    world.clock.advance(20)
    assert world.ready("agent") == 2


def test_a_daemonset_rolls_one_node_at_a_time() -> None:
    """With maxUnavailable 1 at least two of three pods are ready throughout."""
    world = World()
    daemon(world)
    world.clock.advance(30)
    least = 3
    world.change("daemonsets.apps", "agent", template=pod_template("agent", "agent:2"))
    for _ in range(120):
        world.clock.advance(0.5)
        least = min(least, world.ready("agent"))
    assert least == 2
    assert {pod["spec"]["containers"][0]["image"] for pod in world.pods("agent")} == {"agent:2"}


def scaler(world: World, target: int, least: int = 1, most: int = 8) -> None:
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": target}}
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "minReplicas": least, "maxReplicas": most}
    metrics = [{"type": "Resource", "resource": cpu}]
    world.put(
        "horizontalpodautoscalers.autoscaling", "HorizontalPodAutoscaler", "web", spec={**spec, "metrics": metrics}
    )


def busy(world: World, replicas: int) -> None:
    world.deployment("web", replicas)
    template = world.get("deployments.apps", "web")["spec"]["template"]
    resources = {"requests": {"cpu": "100m"}, "limits": {"cpu": "200m"}}
    containers = [{**template["spec"]["containers"][0], "resources": resources}]
    world.change(
        "deployments.apps", "web", template={**template, "spec": {**template["spec"], "containers": containers}}
    )


def test_an_autoscaler_grows_a_busy_deployment() -> None:
    """Usage far above the target brings more replicas, up to the maximum, and an event."""
    world = World()
    busy(world, 2)
    scaler(world, target=10, most=5)
    world.clock.advance(120)
    assert world.get("deployments.apps", "web")["spec"]["replicas"] == 5
    assert world.messages("web", "SuccessfulRescale")[0].startswith("New size: ")
    status = world.get("horizontalpodautoscalers.autoscaling", "web")["status"]
    assert status["currentMetrics"][0]["resource"]["current"]["averageUtilization"] > 10


def test_an_autoscaler_waits_before_it_shrinks() -> None:
    """Usage far below the target brings fewer replicas only after five minutes."""
    world = World()
    busy(world, 4)
    world.clock.advance(60)
    scaler(world, target=10)
    world.clock.advance(20)
    world.change("horizontalpodautoscalers.autoscaling", "web", maxReplicas=4)
    world.storage.delete("horizontalpodautoscalers.autoscaling", "default", "web")
    world.clock.advance(20)
    before = world.get("deployments.apps", "web")["spec"]["replicas"]
    scaler(world, target=1000, least=2)
    world.clock.advance(30)
    assert world.get("deployments.apps", "web")["spec"]["replicas"] in (before, 2)
    world.clock.advance(400)
    assert world.get("deployments.apps", "web")["spec"]["replicas"] == 2
