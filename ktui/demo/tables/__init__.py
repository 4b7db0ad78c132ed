"""Tables as the API server prints them: which columns a kind has, and an object's cells."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

from ktui.demo.resources import Resource
from ktui.demo.tables import cluster, custom, network, pods, workloads

Object = dict[str, Any]
Cells = Callable[[Object, float], list[Any]]

_CELLS: dict[str, Cells] = {
    "configmaps": cluster.configmap,
    "controllerrevisions.apps": workloads.controllerrevision,
    "cronjobs.batch": workloads.cronjob,
    "daemonsets.apps": workloads.daemonset,
    "deployments.apps": workloads.deployment,
    "endpoints": network.endpoints,
    "endpointslices.discovery.k8s.io": network.endpointslice,
    "events": cluster.event,
    "horizontalpodautoscalers.autoscaling": workloads.horizontalpodautoscaler,
    "ingressclasses.networking.k8s.io": network.ingressclass,
    "ingresses.networking.k8s.io": network.ingress,
    "jobs.batch": workloads.job,
    "leases.coordination.k8s.io": cluster.lease,
    "namespaces": cluster.namespace,
    "networkpolicies.networking.k8s.io": network.networkpolicy,
    "nodes": cluster.node,
    "nodes.metrics.k8s.io": cluster.metrics,
    "persistentvolumeclaims": cluster.persistentvolumeclaim,
    "persistentvolumes": cluster.persistentvolume,
    "poddisruptionbudgets.policy": workloads.poddisruptionbudget,
    "pods": pods.cells,
    "pods.metrics.k8s.io": cluster.metrics,
    "priorityclasses.scheduling.k8s.io": cluster.priorityclass,
    "replicasets.apps": workloads.replicaset,
    "replicationcontrollers": workloads.replicationcontroller,
    "resourcequotas": cluster.resourcequota,
    "rolebindings.rbac.authorization.k8s.io": cluster.binding,
    "clusterrolebindings.rbac.authorization.k8s.io": cluster.binding,
    "secrets": cluster.secret,
    "serviceaccounts": cluster.plain,
    "services": network.service,
    "statefulsets.apps": workloads.statefulset,
    "storageclasses.storage.k8s.io": cluster.storageclass,
}


class Printer:
    """How one resource is printed.

    Attributes:
        columns: the Table's columnDefinitions.
        cells: from an object and the time (seconds since the epoch) to a row's cells.
    """

    def __init__(self, columns: list[Object], cells: Cells, conditions: Callable[[Object], list[Object]]) -> None:
        self.columns = columns
        self.cells = cells
        self.conditions = conditions

    def empty_cells(self) -> list[Any]:
        """The cells of a bookmark's row, which stands for no object."""
        return ["<unknown>" if column["name"] == "Age" else "" for column in self.columns]


def printer_of(resource: Resource) -> Printer:
    """How a resource's Tables are made; kinds without cells of their own get Name and Created At."""
    if resource.custom is not None:
        version = resource.custom
        columns = [_definitions()["$name"], *custom.columns(version)]
        return Printer(columns, lambda obj, now: custom.cells(version, obj, now), _no_conditions)
    return _built_in(resource.key)


@cache
def _built_in(key: str) -> Printer:
    conditions = pods.conditions if key == "pods" else _no_conditions
    return Printer(_definitions()[key], _CELLS.get(key, cluster.created), conditions)


def _no_conditions(obj: Object) -> list[Object]:
    return []


@cache
def _definitions() -> dict[str, Any]:
    """Column definitions by resource key; "$name" and the like stand for columns that many kinds share."""
    stored: dict[str, Any] = json.loads(files(__name__).joinpath("columns.json").read_text(encoding="utf-8"))
    for columns in stored.values():
        if isinstance(columns, list):
            columns[:] = [stored[column] if isinstance(column, str) else column for column in columns]
    return stored
