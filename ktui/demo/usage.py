"""metrics.k8s.io: the usage that `kubectl top` shows."""

from __future__ import annotations

from typing import Any

from ktui.demo import errors
from ktui.demo.request import Request
from ktui.demo.resources import Resource
from ktui.demo.selectors import object_predicate
from ktui.demo.sources import Metrics

Object = dict[str, Any]


def usage(metrics: Metrics, request: Request, resource: Resource) -> list[Object]:
    """The NodeMetrics or PodMetrics asked for; exactly one for a get.

    Args:
        metrics: where they come from.
        request: the request, a get or a list.
        resource: of nodes or of pods.

    Raises:
        StatusError: 404 for a get of something without metrics.
    """
    call = request.call
    found = metrics.pods(call.namespace or None) if resource.namespaced else metrics.nodes()
    head = {"kind": resource.kind, "apiVersion": resource.api_version}
    items = [{**head, **entry} for entry in found]
    if call.verb == "get":
        items = [entry for entry in items if entry["metadata"]["name"] == call.name]
        if not items:
            name = f"{call.namespace}/{call.name}" if call.namespace else call.name
            raise errors.not_found(f"{resource.kind.lower()}.{resource.group}", name)
        return items
    matches = object_predicate(
        resource.key, request.query.get("labelSelector", ""), request.query.get("fieldSelector", "")
    )
    return [entry for entry in items if matches is None or matches(entry)]
