"""What holds things back in the embedded cluster: disruption budgets, volume protection, quotas."""

from __future__ import annotations

from typing import Any

import pytest

from ktui.demo.deletion import request_delete
from ktui.demo.errors import StatusError
from ktui.demo.eviction import evict
from ktui.demo.quota import check_quota, shown
from ktui.demo.storage import Object
from ktui.demo.workload_identity import protect
from tests.unit.demo_world import NAMESPACE, World

BUDGETS = "poddisruptionbudgets.policy"


def guarded(replicas: int, **spec: Any) -> World:
    world = World()
    world.deployment("web", replicas)
    world.put(
        BUDGETS, "PodDisruptionBudget", "b", spec={"selector": {"matchLabels": {"app": "web"}}, **spec}, status={}
    )
    world.clock.advance(30)
    return world


def allowed(world: World) -> int:
    found: int = world.get(BUDGETS, "b")["status"]["disruptionsAllowed"]
    return found


def try_to_evict(world: World, pod: Object, *, dry_run: bool = False) -> int:
    name = pod["metadata"]["name"]
    try:
        evict(world.storage, world.get("pods", name), {"metadata": {"name": name}}, dry_run=dry_run)
    except StatusError as refused:
        return refused.code
    return 201


def test_a_budget_counts_an_eviction_at_once() -> None:
    """Before any controller has looked, the next eviction is refused; later, when the pod is replaced, allowed."""
    world = guarded(3, minAvailable=2)
    first, second, _ = world.pods("web")
    assert [try_to_evict(world, first), try_to_evict(world, second)] == [201, 429]
    assert allowed(world) == 0
    world.clock.advance(60)
    assert allowed(world) == 1
    assert "disruptedPods" not in world.get(BUDGETS, "b")["status"]
    assert try_to_evict(world, second) == 201


def test_a_dry_eviction_takes_nothing() -> None:
    """It is refused or allowed as the real one would be, and leaves the budget as it is."""
    world = guarded(2, minAvailable=1)
    first, second = world.pods("web")
    assert [try_to_evict(world, pod, dry_run=True) for pod in (first, second)] == [201, 201]
    assert allowed(world) == 1
    assert try_to_evict(world, first) == 201
    assert try_to_evict(world, second, dry_run=True) == 429


def test_an_eviction_leaves_its_mark() -> None:
    """The pod says that it was evicted."""
    world = guarded(2, minAvailable=1)
    pod = world.pods("web")[0]
    try_to_evict(world, pod)
    (target,) = [
        one
        for one in world.get("pods", pod["metadata"]["name"])["status"]["conditions"]
        if one["type"] == "DisruptionTarget"
    ]
    assert (target["status"], target["reason"]) == ("True", "EvictionByEvictionAPI")


@pytest.mark.parametrize(("policy", "code"), [({}, 429), ({"unhealthyPodEvictionPolicy": "AlwaysAllow"}, 201)])
def test_pods_that_are_not_ready(policy: Object, code: int) -> None:
    """While the budget is not met, a pod that is not ready stays, unless the budget does not mind."""
    world = World()
    world.deployment("web", 2, behaviour="slow-start=600")
    selector = {"matchLabels": {"app": "web"}}
    world.put(BUDGETS, "PodDisruptionBudget", "b", spec={"selector": selector, "minAvailable": 1, **policy}, status={})
    world.clock.advance(30)
    assert try_to_evict(world, world.pods("web")[0]) == code


def test_a_claim_stays_while_a_pod_has_it() -> None:
    """A claim goes once the last pod on a node that has it is gone."""
    world = World()
    metadata: Object = {}
    protect("persistentvolumeclaims", metadata)
    spec = {"accessModes": ["ReadWriteOnce"], "storageClassName": "none", "resources": {"requests": {"storage": "1Gi"}}}
    world.put("persistentvolumeclaims", "PersistentVolumeClaim", "v", metadata=metadata, spec=spec)
    world.pod("p", volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "v"}}], nodeName="node-0")
    world.clock.advance(10)
    request_delete(world.storage, "persistentvolumeclaims", NAMESPACE, "v")
    world.clock.advance(10)
    assert world.exists("persistentvolumeclaims", "v")
    request_delete(world.storage, "pods", NAMESPACE, "p")
    world.clock.advance(60)
    assert not world.exists("persistentvolumeclaims", "v")


def test_a_quota_counts_and_refuses() -> None:
    """Its status follows what there is; one pod too many, or one that does not say what it needs, is refused."""
    world = World()
    hard = {"pods": "2", "requests.cpu": "300m"}
    world.put("resourcequotas", "ResourceQuota", "q", spec={"hard": hard})
    container = {"name": "web", "image": "web:1", "resources": {"requests": {"cpu": "200m"}}}
    world.pod("a", containers=[container])
    world.clock.advance(5)
    assert world.get("resourcequotas", "q")["status"] == {"hard": hard, "used": {"pods": "1", "requests.cpu": "200m"}}
    pod = world.get("pods", "a")
    second = {**pod, "metadata": {**pod["metadata"], "name": "b"}}
    with pytest.raises(StatusError) as over:
        check_quota(world.storage, "pods", second)
    assert over.value.message == (
        'pods "b" is forbidden: exceeded quota: q, requested: requests.cpu=200m, used: requests.cpu=200m, limited: '
        "requests.cpu=300m"
    )
    silent = {**second, "spec": {**pod["spec"], "containers": [{"name": "web", "image": "web:1"}]}}
    with pytest.raises(StatusError) as unsaid:
        check_quota(world.storage, "pods", silent)
    assert unsaid.value.message == 'pods "b" is forbidden: failed quota: q: must specify requests.cpu for: web'


@pytest.mark.parametrize(
    ("amount", "text"), [(0, "0"), (2, "2"), (0.25, "250m"), (1.5, "1500m"), (2**30, "1Gi"), (3 * 2**20, "3Mi")]
)
def test_amounts_are_shown_as_quantities(amount: float, text: str) -> None:
    """Whole numbers plainly, parts in thousandths, bytes in the largest unit that fits."""
    assert shown(amount) == text
