"""Rules for containers: kubernetes `pkg/apis/core/validation`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ktui.demo.errors import Cause, bad_value, duplicate, forbidden_field, missing_reference, required, unsupported
from ktui.demo.names import label_problems, port_name_problems, qualified_name_problems, subdomain_problems
from ktui.demo.quantities import quantity

Object = dict[str, Any]

_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_LAST_WORDS = ("File", "FallbackToLogsOnError")
_PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")
_STANDARD = ("cpu", "memory", "ephemeral-storage")
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
_FIELDS = (
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP",
    "status.hostIPs", "status.podIP", "status.podIPs",
)  # fmt: skip
_WITH_KEYS = ("metadata.labels", "metadata.annotations")
_AT_LEAST_0 = "must be greater than or equal to 0"
_ONCE = ("successThreshold", "must be 1")
_HIGHEST_ID = 2147483647


def containers_causes(containers: list[Object], field: str, volumes: set[str], names: list[str]) -> Iterator[Cause]:
    """What is wrong with a pod's containers, or with its init containers.

    Args:
        containers: the containers, with defaults.
        field: where they stand, as in "spec.containers".
        volumes: the names of the pod's volumes.
        names: those of the containers before; takes the names of these.
    """
    ports: set[str] = set()
    taken: list[Cause] = []
    for index, container in enumerate(containers):
        here = f"{field}[{index}]"
        yield from _container(container, here, volumes)
        name = container.get("name", "")
        if name in names:
            yield duplicate(f"{here}.name", name)
        names.append(name)
        for when in ("postStart", "preStop"):
            if (handler := (container.get("lifecycle") or {}).get(when)) is not None:
                yield from _handler(handler, f"{here}.lifecycle.{when}")
        for kind in ("livenessProbe", "readinessProbe", "startupProbe"):
            if (probe := container.get(kind)) is not None:
                yield from _probe(probe, f"{here}.{kind}", once=kind != "readinessProbe")
        for at, port in enumerate(container.get("ports") or ()):
            text = f"{port.get('protocol')}/{port.get('hostIP', '')}/{port.get('hostPort')}"
            if port.get("hostPort") and text in ports:
                taken.append(duplicate(f"{here}.ports[{at}].hostPort", text))
            ports.add(text)
    yield from taken


def _container(container: Object, field: str, volumes: set[str]) -> Iterator[Cause]:
    if not container.get("name"):
        yield required(f"{field}.name")
    for problem in label_problems(container["name"]) if container.get("name") else ():
        yield bad_value(f"{field}.name", container["name"], problem)
    if not container.get("image"):
        yield required(f"{field}.image")
    elif container["image"] != container["image"].strip():
        yield bad_value(f"{field}.image", container["image"], "must not have leading or trailing whitespace")
    last_words = container.get("terminationMessagePolicy", "File")
    if last_words not in _LAST_WORDS:
        yield unsupported(f"{field}.terminationMessagePolicy", last_words, _LAST_WORDS)
    yield from _ports(container.get("ports") or [], f"{field}.ports")
    for index, variable in enumerate(container.get("env") or ()):
        yield from _variable(variable, f"{field}.env[{index}]")
    for source in container.get("envFrom") or ():
        if not source.get("configMapRef") and not source.get("secretRef"):
            yield bad_value(f"{field}.envFrom", "", "must specify one of: `configMapRef` or `secretRef`")
    yield from _mounts(container.get("volumeMounts") or [], f"{field}.volumeMounts", volumes)
    policy = container.get("imagePullPolicy")
    if policy not in _PULL_POLICIES:
        yield unsupported(f"{field}.imagePullPolicy", policy, _PULL_POLICIES)
    yield from _resources(container.get("resources") or {}, f"{field}.resources")
    yield from security_causes(container.get("securityContext") or {}, f"{field}.securityContext")


def _ports(ports: list[Object], field: str) -> Iterator[Cause]:
    names: set[str] = set()
    for index, port in enumerate(ports):
        here, name = f"{field}[{index}]", port.get("name", "")
        if problems := port_name_problems(name) if name else []:
            yield from (bad_value(f"{here}.name", name, problem) for problem in problems)
        elif name and name in names:
            yield duplicate(f"{here}.name", name)
        names.add(name)
        if (number := port.get("containerPort", 0)) == 0:
            yield required(f"{here}.containerPort")
        else:
            yield from _port_number(number, f"{here}.containerPort")
        if port.get("hostPort"):
            yield from _port_number(port["hostPort"], f"{here}.hostPort")
        if port.get("protocol") not in _PROTOCOLS:
            yield unsupported(f"{here}.protocol", port.get("protocol"), _PROTOCOLS)


def _port_number(number: int, field: str) -> Iterator[Cause]:
    if not 1 <= number <= 65535:
        yield bad_value(field, number, "must be between 1 and 65535, inclusive")


def _port_named(port: int | str, field: str) -> Iterator[Cause]:
    """What is wrong with a port by number or name."""
    if isinstance(port, int):
        yield from _port_number(port, field)
    else:
        yield from (bad_value(field, port, problem) for problem in port_name_problems(port))


# -- environment -----------------------------------------------------------------------------------


def _variable(variable: Object, field: str) -> Iterator[Cause]:
    if not variable.get("name"):
        yield required(f"{field}.name")
    source = variable.get("valueFrom")
    if source is None:
        return
    here = f"{field}.valueFrom"
    if (chosen := source.get("fieldRef")) is not None:
        yield from _field_path(chosen.get("fieldPath", ""), f"{here}.fieldRef.fieldPath")
    for kind in ("configMapKeyRef", "secretKeyRef"):
        if (chosen := source.get(kind)) is not None:
            name = chosen.get("name", "")
            yield from (bad_value(f"{here}.{kind}.name", name, problem) for problem in subdomain_problems(name))
            if not chosen.get("key"):
                yield required(f"{here}.{kind}.key")
    count = sum(source.get(kind) is not None for kind in _SOURCES)
    if not count:
        *first, last = (f"`{kind}`" for kind in _SOURCES)
        yield bad_value(here, "", f"must specify one of: {', '.join(first)} or {last}")
    elif variable.get("value"):
        yield bad_value(here, "", "may not be specified when `value` is not empty")
    elif count > 1:
        yield bad_value(here, "", "may not have more than one field specified at a time")


def _field_path(path: str, field: str) -> Iterator[Cause]:
    if not path:
        yield required(field)
    elif path not in _FIELDS and path.partition("[")[0] not in _WITH_KEYS:
        yield bad_value(field, path, f"error converting fieldPath: field label not supported: {path}")
    elif path in _WITH_KEYS:
        yield unsupported(field, path, _FIELDS)


# -- probes ----------------------------------------------------------------------------------------


def _probe(probe: Object, field: str, *, once: bool) -> Iterator[Cause]:
    yield from _handler(probe, field)
    for name in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"):
        if probe.get(name, 0) < 0:
            yield bad_value(f"{field}.{name}", probe[name], _AT_LEAST_0)
    if probe.get("terminationGracePeriodSeconds", 1) <= 0:
        yield bad_value(
            f"{field}.terminationGracePeriodSeconds", probe["terminationGracePeriodSeconds"], "must be greater than 0"
        )
    name, why = _ONCE
    if once and probe.get(name, 1) != 1:
        yield bad_value(f"{field}.{name}", probe[name], why)


def _handler(handler: Object, field: str) -> Iterator[Cause]:
    chosen = [kind for kind in _HANDLERS if handler.get(kind) is not None]
    if not chosen:
        yield required(field, "must specify a handler type")
        return
    action, here = handler[chosen[0]], f"{field}.{chosen[0]}"
    if chosen[0] == "exec" and not action.get("command"):
        yield required(f"{here}.command")
    if chosen[0] == "httpGet" and not action.get("path"):
        yield required(f"{here}.path")
    if chosen[0] in ("httpGet", "tcpSocket", "grpc"):
        yield from _port_named(action.get("port", 0), f"{here}.port")
    if chosen[0] == "httpGet" and action.get("scheme") not in ("HTTP", "HTTPS"):
        yield unsupported(f"{here}.scheme", action.get("scheme", ""), ("HTTP", "HTTPS"))
    for other in chosen[1:]:
        yield forbidden_field(f"{field}.{other}", "may not specify more than 1 handler type")


# -- mounts, resources, rights ---------------------------------------------------------------------


def _mounts(mounts: list[Object], field: str, volumes: set[str]) -> Iterator[Cause]:
    places: set[str] = set()
    for index, mount in enumerate(mounts):
        here, name, path = f"{field}[{index}]", mount.get("name", ""), mount.get("mountPath", "")
        if not name:
            yield required(f"{here}.name")
        if name not in volumes:
            yield missing_reference(f"{here}.name", name)
        if not path:
            yield required(f"{here}.mountPath")
        if path in places:
            yield bad_value(f"{here}.mountPath", path, "must be unique")
        places.add(path)


def _resources(resources: Object, field: str) -> Iterator[Cause]:
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for name, limit in limits.items():
        yield from _resource(name, limit, f"{field}.limits[{name}]")
    for name, asked in requests.items():
        yield from _resource(name, asked, f"{field}.requests[{name}]")
        value, limit = quantity(asked), quantity(limits[name]) if name in limits else None
        exact = ("/" in name and "kubernetes.io/" not in name) or name.startswith("hugepages-")
        if value is None:
            continue
        if limit is None and exact:
            yield required(f"{field}.limits", "Limit must be set for non overcommitable resources")
        elif limit is not None and exact and value != limit:
            yield bad_value(f"{field}.requests", str(asked), f"must be equal to {name} limit of {limits[name]}")
        elif limit is not None and value > limit:
            why = f"must be less than or equal to {name} limit of {limits[name]}"
            yield bad_value(f"{field}.requests", str(asked), why)


def _resource(name: str, amount: object, field: str) -> Iterator[Cause]:
    problems = qualified_name_problems(name)
    yield from (bad_value(field, name, problem) for problem in problems)
    if "/" not in name and name not in _STANDARD and not name.startswith("hugepages-"):
        if not problems:
            yield bad_value(field, name, "must be a standard resource type or fully qualified")
        yield bad_value(field, name, "must be a standard resource for containers")
    value = quantity(amount)
    if value is not None and value < 0:
        yield bad_value(field, str(amount), _AT_LEAST_0)


def security_causes(context: Object, field: str) -> Iterator[Cause]:
    """What is wrong with a security context.

    Args:
        context: that of a container or of a pod.
        field: where it stands.
    """
    for name in ("runAsUser", "runAsGroup", "fsGroup"):
        value = context.get(name)
        if value is not None and not 0 <= value <= _HIGHEST_ID:
            yield bad_value(f"{field}.{name}", value, f"must be between 0 and {_HIGHEST_ID}, inclusive")
    profile = context.get("seccompProfile")
    if profile is not None and profile.get("type") not in _PROFILES:
        yield unsupported(f"{field}.seccompProfile.type", profile.get("type", ""), _PROFILES)
