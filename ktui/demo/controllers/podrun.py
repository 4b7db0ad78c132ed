"""One pod's life on its node: init containers in turn, then the others together, and the status it reports."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import inf
from random import Random

from ktui.demo.clock import rfc3339
from ktui.demo.controllers.behaviour import Behaviour, behaviour_of
from ktui.demo.controllers.conditions import with_condition
from ktui.demo.controllers.containers import ContainerRun
from ktui.demo.defaults import qos_class
from ktui.demo.storage import Object

Tell = Callable[..., None]  # (container, reason, message, warning=...)

_QUICK = Behaviour("complete", 2.0)  # what an init container does


class PodRun:
    """The containers of one pod.

    Args:
        pod: The pod.
        now: When its node saw it first, in seconds since the epoch.
        address: Its IP address.
        host: Its node's IP address.
    """

    def __init__(self, pod: Object, now: float, address: str, host: str) -> None:
        metadata, spec = pod["metadata"], pod["spec"]
        self.behaviour = behaviour_of(pod)
        self._label = f"{metadata['name']}_{metadata.get('namespace', '')}({metadata['uid']})"
        self._node: str = spec["nodeName"]
        self._address, self._host = address, host
        self._random = Random(metadata["uid"])
        self._started_at = now
        self._sandbox_at = now + self._random.uniform(0.3, 0.9)
        self._stops_at = inf
        self._policy: str = spec.get("restartPolicy", "Always")
        self._init = [self._container(one, _init_behaviour(one), init=True) for one in spec.get("initContainers") or ()]
        first, *others = spec["containers"]
        usual = self.behaviour if self.behaviour.name == "complete" else Behaviour()
        self._containers = [self._container(first, self.behaviour), *(self._container(one, usual) for one in others)]

    def step(self, now: float, images: set[tuple[str, str]], tell: Tell) -> None:
        """Does what is due.

        Args:
            now: Seconds since the epoch.
            images: Nodes and the images present there; grows.
            tell: Records an event about one of the containers.
        """
        if now < self._sandbox_at or self._stops_at < inf:
            return
        for run in self._init:
            self._advance(run, now, images, tell)
            if not run.passed:
                return
        for run in self._containers:
            self._advance(run, now, images, tell)
        if all(run.finished for run in self._containers):
            for run in self._init:
                run.stop(now)

    def follow(self, pod: Object, now: float, tell: Tell) -> None:
        """Restarts the containers whose image has changed; nothing else of them can."""
        for run, spec in zip(self._containers, pod["spec"]["containers"], strict=True):
            if run.spec["image"] != spec["image"]:
                run.change(spec, now, partial(tell, run.name))

    def probe(self, now: float, *, failing: bool, tell: Tell) -> None:
        """Lets the first container's readiness probe fail, or pass again."""
        first = self._containers[0]
        first.probe(now, failing=failing, tell=partial(tell, first.name))

    def due(self, now: float) -> float:
        """Returns when `step` has something to do next; infinity when never."""
        if now < self._sandbox_at:
            return self._sandbox_at
        return min(run.due for run in (*self._init, *self._containers))

    def stop(self, now: float, deadline: float, tell: Tell) -> float:
        """Asks the containers to stop; returns when they will have, at the deadline at the latest."""
        if self._stops_at == inf:
            for run in (*self._init, *self._containers):
                if run.stage == "running":
                    tell(run.name, "Killing", f"Stopping container {run.name}")
            slow = self.behaviour.name == "slow-stop"
            self._stops_at = now + (self.behaviour.seconds if slow else self._random.uniform(0.8, 2.2))
        self._stops_at = min(self._stops_at, max(deadline, now))
        return self._stops_at

    def end(self, now: float) -> None:
        """Ends all containers."""
        for run in (*self._init, *self._containers):
            run.stop(now)

    def status(self, pod: Object, now: float) -> Object:
        """Returns the pod's status."""
        initialized = all(run.passed for run in self._init)
        phase = self._phase(initialized)
        status: Object = {**pod.get("status", {}), "phase": phase, "qosClass": qos_class(pod["spec"])}
        status["conditions"] = self._conditions(status.get("conditions") or [], now, phase, initialized)
        status["startTime"] = rfc3339(self._started_at)
        status["hostIP"], status["hostIPs"] = self._host, [{"ip": self._host}]
        if now >= self._sandbox_at:
            status["podIP"], status["podIPs"] = self._address, [{"ip": self._address}]
        if self._init:
            status["initContainerStatuses"] = [run.status(waiting_for_init=True) for run in self._init]
        status["containerStatuses"] = [run.status(waiting_for_init=bool(self._init)) for run in self._containers]
        return status

    def _phase(self, initialized: bool) -> str:
        if any(run.finished and not run.succeeded for run in self._init):
            return "Failed"
        if not initialized or not any(run.ran for run in self._containers):
            return "Pending"
        if not all(run.finished for run in self._containers):
            return "Running"
        return "Succeeded" if all(run.succeeded for run in self._containers) else "Failed"

    def _conditions(self, conditions: list[Object], now: float, phase: str, initialized: bool) -> list[Object]:
        done = phase in ("Succeeded", "Failed")
        unready = [run.name for run in self._containers if not run.ready]
        unready = [*(run.name for run in self._init if run.restart == "Always" and not run.ready), *unready]
        why = {"reason": "ContainersNotReady", "message": f"containers with unready status: [{' '.join(unready)}]"}
        if done:
            why = {"reason": "PodCompleted" if phase == "Succeeded" else "PodFailed"}
        uninitialized = [run.name for run in self._init if not run.passed]
        incomplete = {
            "reason": "ContainersNotInitialized",
            "message": f"containers with incomplete status: [{' '.join(uninitialized)}]",
        }
        sandbox = now >= self._sandbox_at and not done
        ready = "False" if unready or done else "True"
        judged: tuple[tuple[str, str, dict[str, str]], ...] = (
            ("PodReadyToStartContainers", "True" if sandbox else "False", {}),
            ("Initialized", "True" if initialized else "False", {} if initialized else incomplete),
            ("Ready", ready, {} if ready == "True" else why),
            ("ContainersReady", ready, {} if ready == "True" else why),
        )
        kept = {one["type"]: one for one in conditions}
        result: list[Object] = []
        for kind, status, because in judged:
            before = [kept.pop(kind)] if kind in kept else []
            result += with_condition(before, kind, status, now, **because)
        # The kubelet's conditions come first, whatever was there before: the scheduler's PodScheduled and others'.
        return [*result, *kept.values()]

    def _advance(self, run: ContainerRun, now: float, images: set[tuple[str, str]], tell: Tell) -> None:
        told = partial(tell, f"init:{run.name}" if run.init else run.name)
        place = (self._node, run.spec["image"])
        if run.stage == "idle":
            run.begin(now, present=place in images, tell=told)
        else:
            run.step(now, self._label, told)
        if run.stage in ("starting", "running"):
            images.add(place)

    def _container(self, spec: Object, behaviour: Behaviour, *, init: bool = False) -> ContainerRun:
        policy = self._policy
        if init:
            policy = "Always" if spec.get("restartPolicy") == "Always" else "OnFailure"
            policy = "Never" if policy == "OnFailure" and self._policy == "Never" else policy
        identity = f"{self._label}/{spec['name']}"
        return ContainerRun(spec, behaviour, policy, self._random, identity, init=init)


def _init_behaviour(container: Object) -> Behaviour:
    return Behaviour() if container.get("restartPolicy") == "Always" else _QUICK
