"""Cells of pods: `printPod` of kubernetes pkg/printers/internalversion, 1.36."""

from __future__ import annotations

from typing import Any

from ktui.demo.tables import text

Object = dict[str, Any]


def cells(pod: Object, now: float) -> list[Any]:
    """NAME READY STATUS RESTARTS AGE | IP NODE NOMINATED-NODE READINESS-GATES."""
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    ready, total, reason, restarts = _summary(pod, spec, status, now)
    addresses = status.get("podIPs") or ()
    return [
        pod["metadata"]["name"],
        f"{ready}/{total}",
        reason,
        restarts,
        text.age(pod, now),
        (addresses[0].get("ip") if addresses else status.get("podIP")) or text.NONE,
        spec.get("nodeName") or text.NONE,
        status.get("nominatedNodeName") or text.NONE,
        _gates(pod, spec),
    ]


def conditions(pod: Object) -> list[Object]:
    """The row condition that lets kubectl hide finished pods."""
    phase = (pod.get("status") or {}).get("phase")
    if phase == "Succeeded":
        message = "The pod has completed successfully."
    elif phase == "Failed":
        message = "The pod failed."
    else:
        return []
    return [{"type": "Completed", "status": "True", "reason": phase, "message": message}]


class _Restarts:
    """Restarts of containers, and when the last one ended."""

    def __init__(self) -> None:
        self.count = 0
        self.last = ""

    def add(self, container: Object) -> None:
        self.count += container.get("restartCount") or 0
        finished = ((container.get("lastState") or {}).get("terminated") or {}).get("finishedAt") or ""
        self.last = max(self.last, finished)

    def cell(self, now: float) -> str:
        if self.count and self.last:
            return f"{self.count} ({text.since(self.last, now)} ago)"
        return str(self.count)


def _summary(pod: Object, spec: Object, status: Object, now: float) -> tuple[int, int, str, str]:
    reason = status.get("reason") or status.get("phase") or ""
    if text.condition(pod, "PodScheduled").get("reason") == "SchedulingGated":
        reason = "SchedulingGated"
    sidecars = {c["name"] for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"}
    total = len(spec.get("containers") or ()) + len(sidecars)
    restarts, sidecar_restarts = _Restarts(), _Restarts()
    stuck, ready = _init_containers(spec, status, sidecars, restarts, sidecar_restarts)
    if stuck:
        reason = stuck
    if not stuck or text.holds(pod, "Initialized"):
        restarts = sidecar_restarts
        reason, ready_containers = _containers(pod, status, reason, restarts)
        ready += ready_containers
    if pod["metadata"].get("deletionTimestamp"):
        if status.get("reason") == "NodeLost":
            reason = "Unknown"
        elif status.get("phase") not in ("Succeeded", "Failed"):
            reason = "Terminating"
    return ready, total, reason, restarts.cell(now)


def _init_containers(
    spec: Object, status: Object, sidecars: set[str], restarts: _Restarts, sidecar_restarts: _Restarts
) -> tuple[str, int]:
    """The reason initialization is not over ("" when it is), and how many sidecars are ready."""
    ready = 0
    for index, container in enumerate(status.get("initContainerStatuses") or ()):
        restarts.add(container)
        sidecar = container["name"] in sidecars
        if sidecar:
            sidecar_restarts.add(container)
        state = container.get("state") or {}
        terminated, waiting = state.get("terminated"), state.get("waiting") or {}
        if terminated is not None and terminated.get("exitCode") == 0:
            continue
        if sidecar and container.get("started"):
            ready += bool(container.get("ready"))
            continue
        if terminated is not None:
            return f"Init:{_ending(terminated)}", ready
        if waiting.get("reason") not in (None, "", "PodInitializing"):
            return f"Init:{waiting['reason']}", ready
        return f"Init:{index}/{len(spec.get('initContainers') or ())}", ready
    return "", ready


def _containers(pod: Object, status: Object, reason: str, restarts: _Restarts) -> tuple[str, int]:
    ready, running, error = 0, False, ""
    for container in reversed(status.get("containerStatuses") or ()):
        restarts.add(container)
        state = container.get("state") or {}
        terminated, waiting = state.get("terminated"), state.get("waiting") or {}
        if waiting.get("reason"):
            reason = waiting["reason"]
        elif terminated is not None:
            reason = _ending(terminated)
            if terminated.get("exitCode"):
                error = reason
        elif container.get("ready") and state.get("running") is not None:
            running = True
            ready += 1
    if reason == "Completed":
        if running and text.holds(pod, "Ready"):
            reason = "Running"
        elif error:
            reason = error
        elif running:
            reason = "NotReady"
    return reason, ready


def _ending(terminated: Object) -> str:
    if terminated.get("reason"):
        return str(terminated["reason"])
    if terminated.get("signal"):
        return f"Signal:{terminated['signal']}"
    return f"ExitCode:{terminated.get('exitCode', 0)}"


def _gates(pod: Object, spec: Object) -> str:
    gates = spec.get("readinessGates") or ()
    if not gates:
        return text.NONE
    return f"{sum(text.holds(pod, gate['conditionType']) for gate in gates)}/{len(gates)}"
