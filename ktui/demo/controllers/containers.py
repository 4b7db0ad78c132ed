"""One container's life on a node: pulled, started, ready, ended, started again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from math import inf
from random import Random
from zlib import crc32

from ktui.demo.clock import rfc3339
from ktui.demo.controllers.behaviour import Behaviour, can_be_pulled
from ktui.demo.storage import Object

FIRST_BACKOFF, LONGEST_BACKOFF = 10.0, 300.0
_FORGIVEN_AFTER = 2 * LONGEST_BACKOFF  # running that long resets the back-off
_ENDED_SHOWN = 1.0  # then the kubelet restarts it or begins to wait
_ERR_IMAGE_PULL_SHOWN = 4.0  # then the kubelet calls it ImagePullBackOff

Tell = Callable[..., None]  # (reason, message, warning=...)


def go_duration(seconds: float) -> str:
    """Writes a duration as Go does: `10s`, `1m20s`, `5m0s`."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


@dataclass(slots=True)
class ContainerRun:
    """Where one container of one pod stands.

    Attributes:
        spec: The container as the pod describes it.
        behaviour: What it does.
        restart: The restart policy that holds for it: Always, OnFailure or Never.
        random: Chance of this pod, for delays.
        identity: What tells it from all other containers.
        init: Whether it is an init container.
        stage: idle, pulling, unpullable, starting, running, backing-off or ended.
        due: When the stage ends by itself, in seconds since the epoch.
    """

    spec: Object
    behaviour: Behaviour
    restart: str
    random: Random
    identity: str
    init: bool = False
    stage: str = "idle"
    due: float = inf
    restarts: int = 0
    backoff: float = 0.0
    pull_backoff: float = FIRST_BACKOFF
    waiting_reason: str = ""
    waiting_message: str = ""
    started_at: float = 0.0
    ready_at: float = inf
    ready: bool = False
    failing: bool = False
    last: Object = field(default_factory=dict)
    ended: Object = field(default_factory=dict)
    pull_seconds: float = 0.0

    @property
    def name(self) -> str:
        """The container's name."""
        name: str = self.spec["name"]
        return name

    def begin(self, now: float, *, present: bool, tell: Tell) -> None:
        """Gets the image and starts.

        Args:
            now: Seconds since the epoch.
            present: Whether the node has the image already.
            tell: Records an event about this container.
        """
        image = self.spec["image"]
        if present and self.spec.get("imagePullPolicy") != "Always":
            tell("Pulled", f'Container image "{image}" already present on machine and can be accessed by the pod')
            self._create(now)
            return
        tell("Pulling", f'Pulling image "{image}"')
        self.pull_seconds = self.random.uniform(0.3, 0.6) if present else self.random.uniform(0.9, 3.2)
        self.stage, self.due = "pulling", now + self.pull_seconds

    def step(self, now: float, pod: str, tell: Tell) -> None:
        """Does what is due.

        Args:
            now: Seconds since the epoch.
            pod: The pod as messages name it: `NAME_NAMESPACE(UID)`.
            tell: Records an event about this container.
        """
        if now < self.due:
            return
        match self.stage:
            case "pulling":
                self._pulled(now, tell)
            case "unpullable":
                self._await_next_pull(now, tell)
            case "starting":
                self._start(now, tell)
            case "running":
                self._live_on(now)
            case "ended":
                self._back_off(now, pod, tell)
            case "backing-off":
                self._create(now)

    def change(self, spec: Object, now: float, tell: Tell) -> None:
        """Takes on another image: what runs is stopped and started again, what waits begins anew.

        Source: kubernetes pkg/kubelet/kuberuntime `computePodActions`; back-offs belong to what the container was.
        """
        if self.finished:
            return
        self.spec = spec
        if self.stage == "running":
            tell("Killing", f"Container {self.name} definition changed, will be restarted")
            self.ended = self._terminated(now, 0, "Completed")
        self.waiting_reason = self.waiting_message = ""
        self.backoff, self.pull_backoff = 0.0, FIRST_BACKOFF
        self.ready, self.failing = False, False
        self.stage, self.due = "idle", now

    def stop(self, now: float) -> None:
        """Ends it from outside, before its work is done if it has any; one that does not run goes on waiting."""
        if self.stage == "running":
            code, reason = (0, "Completed") if self.restart == "Always" else (143, "Error")
            self.ended = self._terminated(now, code, reason)
            self.stage = "ended"
        self.due, self.ready = inf, False

    @property
    def finished(self) -> bool:
        """Whether it ended and is not started again."""
        return self.stage == "ended" and self.due == inf

    @property
    def succeeded(self) -> bool:
        """Whether it finished with exit code 0."""
        return self.finished and self.ended.get("exitCode", 0) == 0

    @property
    def ran(self) -> bool:
        """Whether its process has run, in this start or an earlier one."""
        return self.stage in ("running", "ended", "backing-off") or bool(self.ended or self.last)

    @property
    def passed(self) -> bool:
        """Whether an init container lets the next one begin: it succeeded, or as a sidecar it started."""
        return self.succeeded or (self.restart == "Always" and self.started)

    @property
    def started(self) -> bool:
        """Whether its process runs (and the startup probe, if any, is content)."""
        return self.stage == "running" and (self.ready or "startupProbe" not in self.spec)

    def status(self, *, waiting_for_init: bool) -> Object:
        """Returns its ContainerStatus.

        Args:
            waiting_for_init: Whether init containers still run before it.
        """
        match self.stage:
            case "running":
                state: Object = {"running": {"startedAt": rfc3339(self.started_at)}}
            case "ended":
                state = {"terminated": self.ended}
            case _:
                reason = self.waiting_reason or ("PodInitializing" if waiting_for_init else "ContainerCreating")
                state = {
                    "waiting": {"reason": reason} | ({"message": self.waiting_message} if self.waiting_message else {})
                }
        image = self.spec["image"]
        status: Object = {
            "name": self.name,
            "state": state,
            "lastState": {"terminated": self.last} if self.last else {},
            "ready": self.ready or (self.init and self.succeeded),
            "restartCount": self.restarts,
            "image": image,
            "imageID": f"{image.partition('@')[0]}@sha256:{crc32(image.encode()):08x}{'0' * 56}" if self.ran else "",
            "started": self.started,
        }
        if self.ran:
            status["containerID"] = self._container_id()
        return status

    # -- Stages -----------------------------------------------------------------------------------------------------

    def _pulled(self, now: float, tell: Tell) -> None:
        image = self.spec["image"]
        if self.behaviour.name != "image-pull" and can_be_pulled(image):
            took = f"{self.pull_seconds:.3g}s"
            size = 20_000_000 + crc32(image.encode()) % 90_000_000
            tell(
                "Pulled",
                f'Successfully pulled image "{image}" in {took} ({took} including waiting). Image size: {size} bytes.',
            )
            self._create(now)
            return
        why = f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": {image}: not found'
        tell("Failed", f'Failed to pull image "{image}": {why}', warning=True)
        tell("Failed", "Error: ErrImagePull", warning=True)
        self.waiting_reason, self.waiting_message = "ErrImagePull", why
        self.stage, self.due = "unpullable", now + _ERR_IMAGE_PULL_SHOWN

    def _await_next_pull(self, now: float, tell: Tell) -> None:
        image = self.spec["image"]
        if self.waiting_reason == "ImagePullBackOff":
            tell("Pulling", f'Pulling image "{image}"')
            self.pull_seconds = self.random.uniform(0.3, 0.9)
            self.stage, self.due = "pulling", now + self.pull_seconds
            return
        tell("BackOff", f'Back-off pulling image "{image}"')
        tell("Failed", "Error: ImagePullBackOff", warning=True)
        self.waiting_reason, self.waiting_message = "ImagePullBackOff", f'Back-off pulling image "{image}"'
        self.due = now + self.pull_backoff
        self.pull_backoff = min(self.pull_backoff * 2, LONGEST_BACKOFF)

    def _create(self, now: float) -> None:
        self.stage, self.due = "starting", now + self.random.uniform(0.2, 0.6)
        if self.ended:
            self.last, self.ended = self.ended, {}
            self.restarts += 1
        self.waiting_reason = self.waiting_message = ""

    def _start(self, now: float, tell: Tell) -> None:
        tell("Created", "Container created")
        tell("Started", "Container started")
        self.stage, self.started_at = "running", now
        self.ready_at = now + self._time_to_ready()
        self._live_on(now)

    def _live_on(self, now: float) -> None:
        if now >= self._exit_at():
            code, reason = {"oom": (137, "OOMKilled"), "complete": (0, "Completed")}.get(
                self.behaviour.name, (1, "Error")
            )
            self._exit(now, code, reason)
            return
        if now >= self.ready_at and not self.failing:
            self.ready = True
        self.due = min(self._exit_at(), inf if self.ready or self.failing else self.ready_at)

    def probe(self, now: float, *, failing: bool, tell: Tell) -> None:
        """Lets the readiness probe fail, or pass again."""
        if self.stage != "running" or failing == self.failing:
            return
        self.failing = failing
        if failing:
            tell("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", warning=True)
        self.ready = not failing and now >= self.ready_at

    def _exit(self, now: float, code: int, reason: str) -> None:
        self.ended = self._terminated(now, code, reason)
        self.ready, self.failing = False, False
        self.stage, self.due = "ended", inf
        if self.restart == "Never" or (self.restart == "OnFailure" and code == 0):
            return
        if now - self.started_at > _FORGIVEN_AFTER:
            self.backoff = 0.0
        self.due = now + _ENDED_SHOWN

    def _back_off(self, now: float, pod: str, tell: Tell) -> None:
        """Restarts it at once the first time, and after a longer and longer wait from then on."""
        wait, self.backoff = self.backoff, min(max(self.backoff * 2, FIRST_BACKOFF), LONGEST_BACKOFF)
        if not wait:
            self._create(now)
            return
        self.stage, self.due = "backing-off", now + wait
        self.waiting_reason = "CrashLoopBackOff"
        self.waiting_message = f"back-off {go_duration(wait)} restarting failed container={self.name} pod={pod}"
        self.last = self.ended
        tell("BackOff", f"Back-off restarting failed container {self.name} in pod {pod}", warning=True)

    # -- Facts ------------------------------------------------------------------------------------------------------

    def _exit_at(self) -> float:
        ends = self.behaviour.name in ("crash", "oom", "complete")
        return self.started_at + self.behaviour.seconds if ends else inf

    def _time_to_ready(self) -> float:
        if self.behaviour.name == "slow-start":
            return self.behaviour.seconds
        probe = self.spec.get("readinessProbe")
        if probe is None:
            return 0.0
        return float(probe.get("initialDelaySeconds", 0)) + self.random.uniform(0.5, 2.0)

    def _terminated(self, now: float, code: int, reason: str) -> Object:
        return {
            "exitCode": code,
            "reason": reason,
            "startedAt": rfc3339(self.started_at),
            "finishedAt": rfc3339(now),
            "containerID": self._container_id(),
        }

    def _container_id(self) -> str:
        return f"containerd://{sha256(f'{self.identity}/{self.restarts}'.encode()).hexdigest()}"
