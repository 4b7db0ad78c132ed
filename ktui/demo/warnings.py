"""What the API server warns of although it does it: kubernetes `GetWarningsForService`, `GetWarningsForPodTemplate`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Object = dict[str, Any]

_TEMPLATED = ("deployments.apps", "replicasets.apps", "statefulsets.apps", "daemonsets.apps", "jobs.batch")


def warnings_of(resource: str, obj: Object) -> Iterator[str]:
    """The warnings about an object that is written.

    Args:
        resource: the key of its resource.
        obj: the object, with defaults.
    """
    spec = obj.get("spec") or {}
    if resource == "pods":
        yield from _pod(spec, "spec")
    elif resource in _TEMPLATED:
        yield from _pod(spec["template"].get("spec") or {}, "spec.template.spec")
    elif resource == "services" and spec.get("externalIPs"):
        yield "spec.externalIPs is deprecated and may no longer be implemented in some clusters"
    elif resource == "endpointslices.discovery.k8s.io" and obj.get("addressType") == "FQDN":
        yield "spec.addressType: FQDN endpoints are deprecated"


def _pod(spec: Object, field: str) -> Iterator[str]:
    for number, container in enumerate(spec.get("containers") or ()):
        here = f"{field}.containers[{number}]"
        names: set[str] = set()
        for index, variable in enumerate(container.get("env") or ()):
            name = variable.get("name", "")
            if name in names:
                yield (
                    f'{here}.env[{index}]: hides previous definition of "{name}", which may be dropped when using apply'
                )
            names.add(name)
        ports: dict[tuple[int, str], int] = {}
        for index, port in enumerate(container.get("ports") or ()):
            first = ports.setdefault((port.get("containerPort", 0), port.get("protocol", "TCP")), index)
            if first != index:
                yield f"{here}.ports[{index}]: duplicate port definition with {here}.ports[{first}]"
