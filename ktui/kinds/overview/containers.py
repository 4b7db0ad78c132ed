"""Containers: what a pod, or a template of pods, says about each of them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from ktui.kinds.overview.section import Item, Line, Section, at, items_at, lines, pairs_text, scalar
from ktui.kinds.time import epoch, human_duration
from ktui.kinds.tone import Tone

_PROBES = (("Liveness", "livenessProbe"), ("Readiness", "readinessProbe"), ("Startup", "startupProbe"))
_STEPS = ("ContainerCreating", "PodInitializing")


def container_sections(pod: Item, now: float) -> list[Section]:
    """A section for every container of a pod, in the order they start.

    Args:
        pod: a Pod, or a pod template, whose containers have no status.
        now: epoch seconds.
    """
    sections = []
    for field, statuses, title in (
        ("initContainers", "initContainerStatuses", "Init container"),
        ("containers", "containerStatuses", "Container"),
        ("ephemeralContainers", "ephemeralContainerStatuses", "Ephemeral container"),
    ):
        status_of = {scalar(status.get("name")): status for status in items_at(pod, "status", statuses)}
        for container in items_at(pod, "spec", field):
            called = "Sidecar" if container.get("restartPolicy") == "Always" and field == "initContainers" else title
            sections.append(
                _section(
                    f"{called} {container.get('name')}", container, status_of.get(scalar(container.get("name"))), now
                )
            )
    return sections


def _section(title: str, container: Item, status: Item | None, now: float) -> Section:
    state = () if status is None else _state_lines(status, now)
    return Section(title, (*state, *_spec_lines(container, status)), tone=state[0].tone if state else Tone.PLAIN)


def _state_lines(status: Item, now: float) -> tuple[Line, ...]:
    text, tone = _state(status, now)
    before = at(status, "lastState", "terminated")
    restarts = status.get("restartCount") or 0
    return lines(
        [
            ("State", text, tone),
            ("Message", _message(at(status, "state")), tone),
            ("Last state", before and _ended(before, now), Tone.WARNING if at(before, "exitCode") else Tone.PLAIN),
            ("Last message", at(before, "message") and str(at(before, "message")).strip()),
            ("Restarts", restarts, Tone.WARNING if restarts else Tone.PLAIN),
        ]
    )


def _state(status: Item, now: float) -> tuple[str, Tone]:
    if (running := at(status, "state", "running")) is not None:
        since = epoch(running.get("startedAt") or "")
        text = "running" if since is None else f"running for {human_duration(now - since)}"
        return (text, Tone.GOOD) if status.get("ready") else (f"{text}, not ready", Tone.WARNING)
    if (ended := at(status, "state", "terminated")) is not None:
        return _ended(ended, now), Tone.FAILED if ended.get("exitCode") else Tone.FINISHED
    reason = at(status, "state", "waiting", "reason") or "waiting"
    return reason, Tone.WORKING if reason in (*_STEPS, "waiting") else Tone.FAILED


def _message(state: Any) -> str | None:
    for found in state.values() if isinstance(state, dict) else ():
        if message := at(found, "message"):
            return str(message).strip()
    return None


def _ended(ended: Item, now: float) -> str:
    """`Error, exit code 1, ran 20s, ended 3m ago`."""
    parts = [scalar(ended["reason"])] if ended.get("reason") else []
    parts.append(f"exit code {ended.get('exitCode', 0)}")
    if ended.get("signal"):
        parts.append(f"signal {ended['signal']}")
    start, end = epoch(ended.get("startedAt") or ""), epoch(ended.get("finishedAt") or "")
    if start is not None and end is not None:
        parts.append(f"ran {human_duration(end - start)}")
    if end is not None:
        parts.append(f"ended {human_duration(now - end)} ago")
    return ", ".join(parts)


def _spec_lines(container: Item, status: Item | None) -> tuple[Line, ...]:
    return lines(
        [
            ("Image", container.get("image")),
            ("Image ID", at(status, "imageID")),
            ("Pull policy", container.get("imagePullPolicy")),
            ("Command", container.get("command") and _shell(container["command"])),
            ("Arguments", container.get("args") and _shell(container["args"])),
            ("Ports", [_port(port) for port in items_at(container, "ports")]),
            ("Requests", ", ".join(pairs_text(at(container, "resources", "requests")))),
            ("Limits", ", ".join(pairs_text(at(container, "resources", "limits")))),
            *((called, _probe(container, field)) for called, field in _PROBES),
            ("Environment", [_env(variable) for variable in items_at(container, "env")]),
            ("Environment from", [_env_from(source) for source in items_at(container, "envFrom")]),
            ("Mounts", [_mount(mount) for mount in items_at(container, "volumeMounts")]),
            ("Devices", [_device(device) for device in items_at(container, "volumeDevices")]),
        ]
    )


def _shell(words: Any) -> str:
    return shlex.join(map(str, words)) if isinstance(words, list) else scalar(words)


def _port(port: Item) -> str:
    text = f"{port.get('containerPort')}/{port.get('protocol', 'TCP')}"
    name = f" {port['name']}" if port.get("name") else ""
    return f"{text}{name}, on the host {port['hostPort']}" if port.get("hostPort") else f"{text}{name}"


def _env(variable: Item) -> str:
    return f"{variable.get('name')}={_env_value(variable)}"


def _env_value(variable: Item) -> str:
    source = at(variable, "valueFrom")
    for field, called in (("secretKeyRef", "secret"), ("configMapKeyRef", "configmap")):
        if (key := at(source, field)) is not None:
            return f"<key {at(key, 'key')} of {called} {at(key, 'name')}>"
    for path in (("fieldRef", "fieldPath"), ("resourceFieldRef", "resource")):
        if (field := at(source, *path)) is not None:
            return f"<{field}>"
    return "<somewhere else>" if source else scalar(variable.get("value", ""))


def _env_from(source: Item) -> str:
    prefix = f", prefixed {source['prefix']}" if source.get("prefix") else ""
    for field, called in (("secretRef", "secret"), ("configMapRef", "configmap")):
        if (found := at(source, field)) is not None:
            return f"{called} {at(found, 'name')}{', optional' if at(found, 'optional') else ''}{prefix}"
    return "somewhere else"


def _mount(mount: Item) -> str:
    text = f"{mount.get('mountPath')} from {mount.get('name')}"
    if mount.get("subPath") or mount.get("subPathExpr"):
        text += f" path {mount.get('subPath') or mount.get('subPathExpr')}"
    return f"{text} (read-only)" if mount.get("readOnly") else text


def _device(device: Item) -> str:
    return f"{device.get('devicePath')} from {device.get('name')}"


def _probe(container: Item, field: str) -> str | None:
    probe = container.get(field)
    return probe_text(probe) if isinstance(probe, Mapping) else None


def probe_text(probe: Item) -> str:
    """A probe as `kubectl describe` says it: what is asked, and how often.

    Source: DescribeProbe in k8s.io/kubectl/pkg/describe.
    """
    attributes = (
        f"delay={probe.get('initialDelaySeconds', 0)}s timeout={probe.get('timeoutSeconds', 1)}s "
        f"period={probe.get('periodSeconds', 10)}s #success={probe.get('successThreshold', 1)} "
        f"#failure={probe.get('failureThreshold', 3)}"
    )
    if (command := at(probe, "exec", "command")) is not None:
        return f"exec {_shell(command)} {attributes}"
    if (get := at(probe, "httpGet")) is not None:
        scheme, host = str(at(get, "scheme") or "HTTP").lower(), at(get, "host") or ""
        return f"http-get {scheme}://{host}:{at(get, 'port')}{at(get, 'path') or ''} {attributes}"
    if (tcp := at(probe, "tcpSocket")) is not None:
        return f"tcp-socket {at(tcp, 'host') or ''}:{at(tcp, 'port')} {attributes}"
    if (grpc := at(probe, "grpc")) is not None:
        service = f" {at(grpc, 'service')}" if at(grpc, "service") else ""
        return f"grpc :{at(grpc, 'port')}{service} {attributes}"
    return f"unknown {attributes}"
