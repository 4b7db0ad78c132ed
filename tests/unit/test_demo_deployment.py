"""Deployments and ReplicaSets of the embedded cluster, against what a real control plane was seen to do."""

from __future__ import annotations

from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ktui.demo.clock import epoch_of
from ktui.demo.controllers import rollout
from ktui.demo.controllers.replicaset import DELETION_COST
from ktui.demo.deletion import request_delete
from ktui.demo.storage import Event, Object
from tests.unit.demo_world import World, condition


def settled(world: World, name: str, seconds: float = 30) -> Object:
    world.clock.advance(seconds)
    return world.get("deployments.apps", name)


def test_a_deployment_gets_its_pods() -> None:
    """All replicas become ready, and the status and both conditions say so."""
    world = World()
    world.deployment("web", 3)
    status = settled(world, "web")["status"]
    assert [status[f"{what}Replicas"] for what in ("updated", "ready", "available")] == [3, 3, 3]
    assert status["observedGeneration"] == 1
    assert "unavailableReplicas" not in status
    assert condition({"status": status}, "Available")["reason"] == "MinimumReplicasAvailable"
    assert condition({"status": status}, "Progressing")["reason"] == "NewReplicaSetAvailable"


def test_names_are_built_of_hash_and_suffix() -> None:
    """The ReplicaSet is DEPLOYMENT-HASH, with the hash as label and in the selector; pods add five characters."""
    world = World()
    world.deployment("web", 1)
    world.clock.advance(5)
    (replicaset,) = world.storage.list("replicasets.apps")
    digest = replicaset["metadata"]["labels"]["pod-template-hash"]
    assert replicaset["metadata"]["name"] == f"web-{digest}"
    assert replicaset["spec"]["selector"]["matchLabels"] == {"app": "web", "pod-template-hash": digest}
    (pod,) = world.pods()
    assert pod["metadata"]["name"][: len(f"web-{digest}-")] == f"web-{digest}-"
    assert len(pod["metadata"]["name"]) == len(f"web-{digest}-") + 5


def test_a_rollout_begins_as_recorded() -> None:
    """10 replicas at 25 %/25 %: the new set 0→3, the old 10→8, the new 3→5; in the end all new and the old at 0."""
    world = World()
    world.deployment("web", 10)
    world.clock.advance(30)
    old = world.storage.list("replicasets.apps")[0]["metadata"]["name"]
    before = len(world.messages("web", "ScalingReplicaSet"))
    world.set_image("web", "web:2")
    done = settled(world, "web", 60)
    new = next(rs["metadata"]["name"] for rs in world.storage.list("replicasets.apps") if rs["metadata"]["name"] != old)
    told = world.messages("web", "ScalingReplicaSet")[before:]
    assert told[:3] == [
        f"Scaled up replica set {new} from 0 to 3",
        f"Scaled down replica set {old} from 10 to 8",
        f"Scaled up replica set {new} from 3 to 5",
    ]
    assert done["status"]["updatedReplicas"] == done["status"]["replicas"] == done["status"]["availableReplicas"] == 10
    assert world.get("replicasets.apps", old)["spec"]["replicas"] == 0


def test_a_rollout_keeps_within_its_margins() -> None:
    """At no write are more than 13 pods asked for, or fewer than 8 ready."""
    world = World()
    world.deployment("web", 10)
    settled(world, "web")
    sizes: list[int] = []
    ready: list[int] = []

    def count(event: Event) -> None:
        if event.resource in ("pods", "replicasets.apps"):
            sizes.append(sum(found["spec"]["replicas"] for found in world.storage.list("replicasets.apps")))
            ready.append(world.ready())

    world.storage.subscribe(count)
    world.set_image("web", "web:2")
    world.clock.advance(60)
    assert max(sizes) == 13
    assert min(ready) >= 8


def test_the_progress_of_a_rollout_is_told() -> None:
    """Progressing goes from NewReplicaSetCreated through ReplicaSetUpdated to NewReplicaSetAvailable."""
    world = World()
    world.deployment("web", 4)
    settled(world, "web")
    world.writes.clear()
    world.set_image("web", "web:2")
    world.clock.advance(60)
    reasons = [condition(e.object, "Progressing")["reason"] for e in world.writes if e.resource == "deployments.apps"]
    assert [reason for reason, _ in groupby(reasons)][-3:] == [
        "NewReplicaSetCreated",
        "ReplicaSetUpdated",
        "NewReplicaSetAvailable",
    ]


def test_revisions_count_up_and_undo_reuses_the_old_set() -> None:
    """Going back to an earlier template takes its ReplicaSet, gives it the next revision and remembers the old one."""
    world = World()
    world.deployment("web", 2)
    world.clock.advance(30)
    first = world.storage.list("replicasets.apps")[0]["metadata"]["name"]
    world.set_image("web", "web:2")
    assert settled(world, "web", 60)["metadata"]["annotations"][rollout.REVISION] == "2"
    world.set_image("web", "web:1")
    assert settled(world, "web", 60)["metadata"]["annotations"][rollout.REVISION] == "3"
    again = world.get("replicasets.apps", first)
    assert again["spec"]["replicas"] == 2
    assert again["metadata"]["annotations"][rollout.REVISION_HISTORY] == "1"


def test_old_sets_go_beyond_the_history_limit() -> None:
    """Of the idle ReplicaSets only revisionHistoryLimit are kept, the newest ones."""
    world = World()
    world.deployment("web", 1, revisionHistoryLimit=2)
    for number in range(2, 7):
        world.clock.advance(30)
        world.set_image("web", f"web:{number}")
    world.clock.advance(60)
    revisions = sorted(rollout.revision(found) for found in world.storage.list("replicasets.apps"))
    assert revisions == [4, 5, 6]


def test_a_broken_rollout_stops_and_times_out() -> None:
    """An image that cannot be pulled leaves the old pods serving and ends in ProgressDeadlineExceeded."""
    world = World()
    world.deployment("web", 4, progressDeadlineSeconds=60)
    settled(world, "web")
    world.set_image("web", "web:does-not-exist")
    stuck = settled(world, "web", 120)
    assert condition(stuck, "Progressing")["reason"] == "ProgressDeadlineExceeded"
    assert stuck["status"]["readyReplicas"] == 3
    world.set_image("web", "web:1")
    assert settled(world, "web", 60)["status"]["availableReplicas"] == 4


def test_recreate_never_runs_both_versions() -> None:
    """With strategy Recreate no new pod exists before the last old one is gone."""
    world = World()
    world.deployment("web", 3, strategy={"type": "Recreate"})
    settled(world, "web")
    versions: list[set[str]] = []
    world.storage.subscribe(
        lambda event: versions.append({pod["spec"]["containers"][0]["image"] for pod in world.pods()})
    )
    world.set_image("web", "web:2")
    assert settled(world, "web", 60)["status"]["readyReplicas"] == 3
    assert max(len(images) for images in versions) == 1


def test_a_paused_deployment_scales_but_does_not_roll() -> None:
    """While paused a new template makes no ReplicaSet, a new size is applied; resuming rolls out."""
    world = World()
    world.deployment("web", 2)
    settled(world, "web")
    world.change("deployments.apps", "web", paused=True)
    world.set_image("web", "web:2")
    world.change("deployments.apps", "web", replicas=4)
    paused = settled(world, "web")
    assert condition(paused, "Progressing")["reason"] == "DeploymentPaused"
    assert len(world.storage.list("replicasets.apps")) == 1
    assert world.ready() == 4
    world.change("deployments.apps", "web", paused=False)
    assert settled(world, "web", 60)["status"]["updatedReplicas"] == 4


def test_scaling_to_zero_and_back() -> None:
    """A Deployment without replicas has no pods and is available."""
    world = World()
    world.deployment("web", 2)
    settled(world, "web")
    world.change("deployments.apps", "web", replicas=0)
    assert condition(settled(world, "web"), "Available")["status"] == "True"
    assert world.pods() == []
    world.change("deployments.apps", "web", replicas=3)
    assert settled(world, "web")["status"]["readyReplicas"] == 3


def test_a_deleted_pod_is_replaced() -> None:
    """The ReplicaSet makes a new pod as soon as one is being deleted."""
    world = World()
    world.deployment("web", 2)
    settled(world, "web")
    victim = world.pods()[0]["metadata"]["name"]
    request_delete(world.storage, "pods", "default", victim)
    world.clock.advance(30)
    assert world.ready() == 2
    assert not world.exists("pods", victim)


def test_a_relabelled_pod_is_released_and_replaced() -> None:
    """A pod that no longer matches loses its owner and lives on; another takes its place."""
    world = World()
    world.deployment("web", 2)
    settled(world, "web")
    pod = world.pods()[0]
    metadata = {**pod["metadata"], "labels": {"app": "quarantine"}}
    world.storage.update("pods", {**pod, "metadata": metadata})
    world.clock.advance(30)
    assert "ownerReferences" not in world.get("pods", pod["metadata"]["name"])["metadata"]
    assert world.ready("web") == 2


def shrink(world: World, size: int) -> set[str]:
    """Scales down and returns who was given up."""
    before = {pod["metadata"]["name"] for pod in world.pods()}
    world.change("deployments.apps", "web", replicas=size)
    world.clock.advance(30)
    return before - {pod["metadata"]["name"] for pod in world.pods()}


def test_scaling_down_gives_up_unready_pods_first() -> None:
    """The pod whose probe fails goes before those that serve."""
    world = World()
    world.deployment("web", 3)
    settled(world, "web")
    broken = world.pods()[1]
    conditions = [
        {**one, "status": "False"} if one["type"] == "Ready" else one for one in broken["status"]["conditions"]
    ]
    world.storage.update("pods", {**broken, "status": {**broken["status"], "conditions": conditions}})
    # The kubelet would repair this at its next turn; the ReplicaSet is asked in the same instant.
    world.change("deployments.apps", "web", replicas=2)
    world.plane.kubelets.stop_node(broken["spec"]["nodeName"])
    world.clock.advance(1)
    leaving = [pod["metadata"]["name"] for pod in world.pods() if "deletionTimestamp" in pod["metadata"]]
    assert leaving == [broken["metadata"]["name"]]


def test_scaling_down_heeds_the_deletion_cost() -> None:
    """Among equals the pod with the lowest pod-deletion-cost goes first."""
    world = World(nodes=1)
    world.deployment("web", 3)
    settled(world, "web")
    cheap = world.pods()[2]
    metadata = {**cheap["metadata"], "annotations": {DELETION_COST: "-100"}}
    world.storage.update("pods", {**cheap, "metadata": metadata})
    assert shrink(world, 2) == {cheap["metadata"]["name"]}


def test_scaling_down_evens_out_the_nodes() -> None:
    """Among equals a pod goes from the node that has most of its siblings."""
    world = World(nodes=2)
    world.deployment("web", 3)
    settled(world, "web")
    places = [pod["spec"]["nodeName"] for pod in world.pods()]
    crowded = max(set(places), key=places.count)
    names = {pod["metadata"]["name"]: pod["spec"]["nodeName"] for pod in world.pods()}
    (gone,) = shrink(world, 2)
    assert names[gone] == crowded


def test_min_ready_seconds_delay_availability() -> None:
    """A pod counts as available only after having been ready for minReadySeconds."""
    world = World()
    world.deployment("web", 1, minReadySeconds=30)
    status = settled(world, "web", 15)["status"]
    assert status["readyReplicas"] == 1
    assert "availableReplicas" not in status
    status = settled(world, "web", 40)["status"]
    assert status["availableReplicas"] == 1


def test_events_like_each_other_are_combined() -> None:
    """From the eleventh similar event on they are counted in one."""
    world = World()
    world.deployment("web", 14)
    world.clock.advance(30)
    told = world.messages("web-", "SuccessfulCreate")
    combined = [message for message in told if message.startswith("(combined from similar events): ")]
    assert (len(told), len(combined)) == (11, 1)
    assert max(event["count"] for event in world.events("web-", "SuccessfulCreate")) == 4


def test_events_are_forgotten_after_an_hour() -> None:
    """Nothing older than the time to live is left."""
    world = World()
    world.deployment("web", 1)
    world.clock.advance(30)
    assert world.events("web")
    world.clock.advance(4000)
    oldest = world.clock.now() - 3700
    assert all(epoch_of(event["metadata"]["creationTimestamp"]) > oldest for event in world.events("web"))


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "expected"),
    [
        (10, "25%", "25%", (3, 2)),
        (1, "25%", "25%", (1, 0)),
        (4, 1, 0, (1, 0)),
        (3, "0%", "10%", (0, 1)),
        (0, 1, 1, (0, 0)),
    ],
)
def test_margins(replicas: int, surge: int | str, unavailable: int | str, expected: tuple[int, int]) -> None:
    """Percentages of surge round up, of unavailability down; both 0 means one may be missing."""
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    spec = {"replicas": replicas, "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling}}
    assert rollout.margins({"spec": spec}) == expected


@given(
    replicas=st.integers(0, 40),
    sizes=st.lists(st.integers(1, 20), min_size=2, max_size=5),
    surge=st.integers(0, 5),
)
def test_proportional_scaling_adds_up(replicas: int, sizes: list[int], surge: int) -> None:
    """In mid-rollout the sets share a change of size: together they have what is allowed, and none is negative."""
    spec = {"replicas": replicas, "strategy": {"rollingUpdate": {"maxSurge": surge, "maxUnavailable": 1}}}
    sets = [
        {
            "metadata": {"name": f"s{number}", "annotations": {rollout.MAX_REPLICAS: str(sum(sizes))}},
            "spec": {"replicas": size},
        }
        for number, size in enumerate(sizes)
    ]
    shared = rollout.proportional_sizes({"spec": spec}, sets)
    assert all(size >= 0 for size in shared.values())
    together, allowed = sum(shared.values()), replicas + surge if replicas else 0
    # The first one makes up for what was rounded; as in Kubernetes, it has no less than none to give.
    assert together == allowed or (together > allowed and 0 in shared.values())


def test_same_seed_same_story() -> None:
    """Two worlds of one seed write exactly the same; another seed does not."""

    def written(seed: int) -> list[tuple[str, str, str]]:
        world = World(seed=seed)
        world.deployment("web", 4)
        world.clock.advance(20)
        world.set_image("web", "web:2")
        world.clock.advance(40)
        return [(event.type, event.resource, event.object["metadata"]["name"]) for event in world.writes]

    assert written(5) == written(5)
    assert written(5) != written(6)
