"""Who goes with whom: garbage collection and the deletion of namespaces."""

from __future__ import annotations

from ktui.demo.deletion import request_delete
from tests.unit.demo_world import World, condition


def running(world: World) -> str:
    """Starts a Deployment and returns the name of its ReplicaSet."""
    world.deployment("web", 2)
    world.clock.advance(20)
    name: str = world.storage.list("replicasets.apps")[0]["metadata"]["name"]
    return name


def test_background_deletion_takes_the_owner_first() -> None:
    """The Deployment is gone at once, then the ReplicaSet and the pods."""
    world = World()
    running(world)
    request_delete(world.storage, "deployments.apps", "default", "web", propagation="Background")
    assert not world.exists("deployments.apps", "web")
    assert world.storage.list("replicasets.apps")
    world.clock.advance(20)
    assert world.storage.list("replicasets.apps") == []
    assert world.pods() == []


def test_foreground_deletion_takes_the_owner_last() -> None:
    """The Deployment waits with the finalizer for its ReplicaSet, and that for its pods."""
    world = World()
    running(world)
    world.writes.clear()
    request_delete(world.storage, "deployments.apps", "default", "web", propagation="Foreground")
    assert world.get("deployments.apps", "web")["metadata"]["finalizers"] == ["foregroundDeletion"]
    world.clock.advance(30)
    kinds = ("pods", "replicasets.apps", "deployments.apps")
    gone = [event.resource for event in world.writes if event.type == "DELETED" and event.resource in kinds]
    assert gone == ["pods", "pods", "replicasets.apps", "deployments.apps"]


def test_orphans_live_on() -> None:
    """The dependents lose their owner reference and stay; a new Deployment adopts them."""
    world = World()
    name = running(world)
    request_delete(world.storage, "deployments.apps", "default", "web", propagation="Orphan")
    world.clock.advance(20)
    assert not world.exists("deployments.apps", "web")
    assert "ownerReferences" not in world.get("replicasets.apps", name)["metadata"]
    assert world.ready("web") == 2
    world.deployment("web", 2)
    world.clock.advance(20)
    assert [found["metadata"]["name"] for found in world.storage.list("replicasets.apps")] == [name]
    assert world.get("replicasets.apps", name)["metadata"]["ownerReferences"][0]["name"] == "web"


def test_an_object_with_another_living_owner_stays() -> None:
    """Only the reference to the owner that is gone is removed."""
    world = World()
    owners = [world.put("configmaps", "ConfigMap", name) for name in ("one", "two")]
    references = [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}
        for owner in owners
    ]
    world.put("secrets", "Secret", "kept", metadata={"ownerReferences": references})
    world.storage.delete("configmaps", "default", "one")
    world.clock.advance(1)
    assert world.get("secrets", "kept")["metadata"]["ownerReferences"] == references[1:]
    world.storage.delete("configmaps", "default", "two")
    world.clock.advance(1)
    assert not world.exists("secrets", "kept")


def test_an_object_born_without_its_owner_goes() -> None:
    """A reference to a uid that does not exist is collected."""
    world = World()
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "never", "uid": "0-0"}
    world.put("secrets", "Secret", "lost", metadata={"ownerReferences": [reference]})
    world.clock.advance(1)
    assert not world.exists("secrets", "lost")


def test_new_namespaces_are_furnished() -> None:
    """They get the default service account and the CA bundle, again when someone deletes them."""
    world = World()
    world.put("namespaces", "Namespace", "new")
    world.clock.advance(1)
    assert world.exists("serviceaccounts", "default", "new")
    world.storage.delete("configmaps", "new", "kube-root-ca.crt")
    world.clock.advance(1)
    assert world.exists("configmaps", "kube-root-ca.crt", "new")


def test_deleting_a_namespace_empties_it() -> None:
    """It is Terminating while its pods stop, then it is gone with all it had, Events included."""
    world = World()
    world.put("namespaces", "Namespace", "team")
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": "x"}}}
    template = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "x", "image": "x:1"}]}}
    world.put("deployments.apps", "Deployment", "x", namespace="team", spec={**spec, "template": template})
    world.clock.advance(20)
    request_delete(world.storage, "namespaces", "", "team")
    world.clock.advance(0.1)
    namespace = world.get("namespaces", "team")
    assert namespace["status"]["phase"] == "Terminating"
    remaining = condition(namespace, "NamespaceContentRemaining")
    assert (remaining["status"], remaining["reason"]) == ("True", "SomeResourcesRemain")
    assert "pods. has 2 resource instances" in remaining["message"]
    world.clock.advance(30)
    assert not world.exists("namespaces", "team")
    assert [obj for resource in world.storage.resources() for obj in world.storage.list(resource, "team")] == []


def test_a_finalizer_holds_a_namespace() -> None:
    """As long as an object in it has a finalizer, the namespace stays and says why."""
    world = World()
    world.put("namespaces", "Namespace", "team")
    world.put("configmaps", "ConfigMap", "held", namespace="team", metadata={"finalizers": ["example.com/hold"]})
    request_delete(world.storage, "namespaces", "", "team")
    world.clock.advance(5)
    told = condition(world.get("namespaces", "team"), "NamespaceFinalizersRemaining")
    assert "example.com/hold in 1 resource instances" in told["message"]
