"""The life of pods on the embedded cluster's nodes."""

from __future__ import annotations

import pytest

from ktui.demo.controllers.containers import go_duration
from ktui.demo.deletion import request_delete
from ktui.demo.storage import Object
from tests.unit.demo_world import World, condition, container_state


def seen(world: World, name: str) -> list[str]:
    """Returns what `kubectl get pods -w` would have called the pod's states, each once in a row."""
    states: list[str] = []
    for event in world.writes:
        if event.resource != "pods" or event.object["metadata"]["name"] != name or event.type == "DELETED":
            continue
        status = event.object["status"]
        statuses = status.get("containerStatuses")
        told = next(iter(statuses[0]["state"].values())).get("reason", "") if statuses else ""
        word = told or ("Ready" if statuses and statuses[0]["ready"] else status["phase"])
        if not states or states[-1] != word:
            states.append(word)
    return states


def test_a_pod_comes_to_life_step_by_step() -> None:
    """Pending, ContainerCreating, and ready when its image is there."""
    world = World()
    world.pod("a")
    world.clock.advance(20)
    assert seen(world, "a") == ["Pending", "ContainerCreating", "Ready"]
    pod = world.get("pods", "a")
    assert pod["status"]["phase"] == "Running"
    kinds = [one["type"] for one in pod["status"]["conditions"]]
    assert kinds == ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"]
    assert {one["status"] for one in pod["status"]["conditions"]} == {"True"}


def test_the_events_of_a_start() -> None:
    """Scheduled, Pulling, Pulled, Created, Started; the second time the image is there already."""
    world = World(nodes=1)
    world.pod("first")
    world.clock.advance(20)
    world.pod("second")
    world.clock.advance(20)
    reasons = [event["reason"] for event in world.events("first")]
    assert reasons == ["Scheduled", "Pulling", "Pulled", "Created", "Started"]
    assert world.messages("second", "Pulled") == [
        'Container image "web:1" already present on machine and can be accessed by the pod'
    ]


def test_a_readiness_probe_delays_ready() -> None:
    """With a probe the container runs for a while before it is ready."""
    world = World()
    probe = {"httpGet": {"path": "/", "port": 80}, "initialDelaySeconds": 5}
    world.pod("a", containers=[{"name": "web", "image": "web:1", "readinessProbe": probe}])
    world.clock.advance(20)
    assert seen(world, "a") == ["Pending", "ContainerCreating", "Running", "Ready"]


def test_crashes_back_off() -> None:
    """The first restart is at once, then after 10 s, doubling up to 5 minutes; the phase stays Running."""
    world = World()
    world.pod("a", behaviour="crash=3")
    waits: list[str] = []
    for _ in range(1200):
        world.clock.advance(2)
        state = container_state(world.get("pods", "a"))
        if "waiting" in state and state["waiting"]["reason"] == "CrashLoopBackOff":
            wait = state["waiting"]["message"].split()[1]
            if not waits or waits[-1] != wait:
                waits.append(wait)
    assert waits == ["10s", "20s", "40s", "1m20s", "2m40s", "5m0s"]
    pod = world.get("pods", "a")
    status = pod["status"]["containerStatuses"][0]
    assert pod["status"]["phase"] == "Running"
    assert status["restartCount"] >= 7
    assert status["lastState"]["terminated"]["exitCode"] == 1


def test_the_message_of_a_crash_loop_names_the_pod() -> None:
    """The wording is the kubelet's."""
    world = World()
    pod = world.pod("a", behaviour="crash=1")
    world.clock.advance(15)
    uid = pod["metadata"]["uid"]
    waiting = container_state(world.get("pods", "a"))["waiting"]
    assert waiting["message"] == f"back-off 10s restarting failed container=web pod=a_default({uid})"
    expected = f"Back-off restarting failed container web in pod a_default({uid})"
    assert world.messages("a", "BackOff") == [expected]


def test_out_of_memory() -> None:
    """The last state says OOMKilled with exit code 137."""
    world = World()
    world.pod("a", behaviour="oom=5")
    world.clock.advance(40)
    ended = world.get("pods", "a")["status"]["containerStatuses"][0]["lastState"]["terminated"]
    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)


@pytest.mark.parametrize(
    ("words", "phase"),
    [
        ({"command": ["false"]}, "Failed"),
        ({"command": ["/bin/false"]}, "Failed"),
        ({"command": ["sh", "-c"], "args": ["exit 1"]}, "Failed"),
        ({"command": ["true"]}, "Succeeded"),
        ({"command": ["serve", "false-friends"]}, "Succeeded"),
    ],
)
def test_commands_that_say_how_they_end(words: Object, phase: str) -> None:
    """`false` fails and `true` succeeds; of any other command nothing is known."""
    world = World()
    world.pod("a", containers=[{"name": "web", "image": "web:1", **words}], restartPolicy="Never")
    world.clock.advance(20)
    assert world.get("pods", "a")["status"]["phase"] == phase


@pytest.mark.parametrize("image", ["web:1", "web:does-not-exist"])
def test_a_container_with_another_image_is_started_again(image: str) -> None:
    """What runs is stopped first and counts as restarted; what waited for an image waits no longer."""
    world = World()
    world.pod("a", containers=[{"name": "web", "image": image}, {"name": "log", "image": "log:1"}])
    world.clock.advance(20)
    pod = world.get("pods", "a")
    started = pod["status"]["containerStatuses"][1]
    world.change("pods", "a", containers=[{"name": "web", "image": "web:2"}, pod["spec"]["containers"][1]])
    world.clock.advance(10)
    found = world.get("pods", "a")["status"]
    web, log = found["containerStatuses"]
    assert (found["phase"], web["image"], web["ready"], log) == ("Running", "web:2", True, started)
    ran = image == "web:1"
    assert web["restartCount"] == int(ran)
    assert world.messages("a", "Killing") == ["Container web definition changed, will be restarted"] * ran


@pytest.mark.parametrize("image", ["nothing.invalid/web:1", "web:does-not-exist"])
def test_images_that_cannot_be_pulled(image: str) -> None:
    """ErrImagePull and ImagePullBackOff alternate, and the events tell both."""
    world = World()
    world.pod("a", containers=[{"name": "web", "image": image}])
    world.clock.advance(60)
    states = seen(world, "a")
    assert states[:4] == ["Pending", "ContainerCreating", "ErrImagePull", "ImagePullBackOff"]
    assert "ErrImagePull" in states[4:]
    assert "Error: ErrImagePull" in world.messages("a", "Failed")
    assert f'Back-off pulling image "{image}"' in world.messages("a", "BackOff")


def test_init_containers_run_before_the_others() -> None:
    """The main container waits with PodInitializing until the init containers are through, one after the other."""
    world = World()
    init = [{"name": name, "image": f"{name}:1"} for name in ("one", "two")]
    world.pod("a", initContainers=init)
    done: list[int] = []
    for _ in range(60):
        world.clock.advance(0.5)
        status = world.get("pods", "a")["status"]
        finished = [one["state"].get("terminated") for one in status.get("initContainerStatuses", [])]
        done.append(sum(1 for state in finished if state))
        if status.get("containerStatuses") and done[-1] < 2:
            assert status["containerStatuses"][0]["state"]["waiting"]["reason"] == "PodInitializing"
    assert sorted(set(done)) == [0, 1, 2]
    assert world.ready() == 1


def test_sidecars_keep_running_beside_the_others() -> None:
    """An init container with restartPolicy Always starts first and stays."""
    world = World()
    world.pod("a", initContainers=[{"name": "proxy", "image": "proxy:1", "restartPolicy": "Always"}])
    world.clock.advance(20)
    status = world.get("pods", "a")["status"]
    assert "running" in status["initContainerStatuses"][0]["state"]
    assert status["initContainerStatuses"][0]["ready"]
    assert world.ready() == 1


def test_pods_that_complete() -> None:
    """With restartPolicy Never a pod that ends well is Succeeded, with reason PodCompleted, and no longer ready."""
    world = World()
    world.pod("a", behaviour="complete=4", restartPolicy="Never")
    world.clock.advance(20)
    pod = world.get("pods", "a")
    assert pod["status"]["phase"] == "Succeeded"
    assert container_state(pod)["terminated"]["reason"] == "Completed"
    assert condition(pod, "Ready") | {"lastTransitionTime": ""} == {
        "type": "Ready",
        "status": "False",
        "reason": "PodCompleted",
        "lastTransitionTime": "",
    }


def test_siblings_take_turns_in_failing_their_probe() -> None:
    """With flaky-probe the rollout completes; then exactly one of three is not ready, and not always the same."""
    world = World()
    world.deployment("web", 3, behaviour="flaky-probe=30")
    world.clock.advance(40)
    assert all(condition(pod, "Ready")["status"] == "True" for pod in world.pods("web"))
    world.clock.advance(60)
    unready: list[str] = []
    for _ in range(20):
        world.clock.advance(15)
        (one,) = [pod for pod in world.pods("web") if condition(pod, "Ready")["status"] == "False"]
        unready.append(one["metadata"]["name"])
    assert len(set(unready)) == 3
    assert all(
        status["restartCount"] == 0 for pod in world.pods("web") for status in pod["status"]["containerStatuses"]
    )


def test_deletion_takes_its_time_but_not_more_than_the_grace_period() -> None:
    """A pod is Terminating until its containers have stopped, at the latest after the grace period."""
    world = World()
    world.pod("quick")
    world.pod("slow", behaviour="slow-stop=300", terminationGracePeriodSeconds=20)
    world.clock.advance(20)
    for name in ("quick", "slow"):
        request_delete(world.storage, "pods", "default", name)
    world.clock.advance(0.1)
    assert world.exists("pods", "quick")
    assert world.messages("quick", "Killing") == ["Stopping container web"]
    world.clock.advance(10)
    assert (world.exists("pods", "quick"), world.exists("pods", "slow")) == (False, True)
    world.clock.advance(11)
    assert not world.exists("pods", "slow")


def test_finalizers_hold_a_stopped_pod() -> None:
    """A pod with a finalizer stays until the finalizer is removed."""
    world = World()
    world.pod("a", metadata={"finalizers": ["example.com/hold"]})
    world.clock.advance(20)
    request_delete(world.storage, "pods", "default", "a")
    world.clock.advance(40)
    pod: Object = world.get("pods", "a")
    metadata = {key: value for key, value in pod["metadata"].items() if key != "finalizers"}
    world.storage.update("pods", {**pod, "metadata": metadata})
    world.clock.advance(1)
    assert not world.exists("pods", "a")


def test_pods_at_rest_stay_as_they_are() -> None:
    """The behaviour `static` keeps the kubelet away, until the pod is deleted."""
    world = World()
    world.pod("a", behaviour="static", nodeName="node-0")
    world.clock.advance(60)
    assert world.get("pods", "a")["status"] == {"phase": "Pending", "qosClass": "BestEffort"}
    request_delete(world.storage, "pods", "default", "a")
    world.clock.advance(1)
    assert not world.exists("pods", "a")


def test_settled_pods_cost_nothing() -> None:
    """Once everything runs, an hour brings no write to any pod."""
    world = World()
    world.deployment("web", 20)
    world.clock.advance(60)
    world.writes.clear()
    world.clock.advance(3600)
    assert [event for event in world.writes if event.resource == "pods"] == []


@pytest.mark.parametrize(("seconds", "text"), [(10, "10s"), (80, "1m20s"), (300, "5m0s")])
def test_durations_are_written_as_go_does(seconds: float, text: str) -> None:
    """Minutes and seconds, the seconds always."""
    assert go_duration(seconds) == text
