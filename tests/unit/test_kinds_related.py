from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ktui.kinds.builtin import BUILTIN, HOME
from ktui.kinds.deployments import DEPLOYMENTS
from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR, GVR_DEPLOYMENTS, GVR_NODES, GVR_PODS, GVR_SERVICES, ObjectKey
from ktui.kinds.nodes import NODES
from ktui.kinds.objects import LabelSelector
from ktui.kinds.pods import PODS
from ktui.kinds.related import related
from ktui.kinds.replicasets import REPLICASETS
from ktui.kinds.row import Row
from ktui.kinds.services import SERVICES
from ktui.kinds.workload import Workload, labels_text, selector_text, workload_of
from tests.unit.golden.recorded import Stores, row_of, stores_of

WEB_PODS = {"web-5b77cb657c-486xj", "web-5b77cb657c-p4j6j", "web-5b77cb657c-qdf8b"}
WEB_SERVICES = {"external-ips", "headless", "lb", "lb-host", "lb-pending", "nodeport", "noports", "web"}


def related_names(kind: Kind, row: Row, stores: Stores) -> dict[str, set[str]]:
    found = related(kind, row, stores, HOME)
    return {gvr.resource: {key.name for key in keys} for gvr, keys in found.items()}


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        (DEPLOYMENTS, "web", {"pods": WEB_PODS, "nodes": {"real-0"}, "services": WEB_SERVICES}),
        (SERVICES, "web", {"pods": WEB_PODS, "nodes": {"real-0"}, "deployments": {"web"}}),
        (SERVICES, "nobody", {"pods": set(), "nodes": set(), "deployments": set()}),
        (SERVICES, "manual", {"pods": set(), "nodes": set(), "deployments": set()}),
        (SERVICES, "dns", {"pods": set(), "nodes": set(), "deployments": set()}),
        (NODES, "fake-0", {"pods": set(), "deployments": set(), "services": set()}),
        (PODS, "web-5b77cb657c-486xj", {"nodes": {"real-0"}, "deployments": {"web"}, "services": WEB_SERVICES}),
        (PODS, "pending", {"nodes": set(), "deployments": set(), "services": set()}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_belongs_together_in_a_real_cluster(kind: Kind, name: str, expected: dict[str, set[str]]) -> None:
    """Deployments, pods, services and nodes find each other, through their pods where needed."""
    assert related_names(kind, row_of(kind, name), stores_of(*HOME)) == expected


def test_a_node_is_related_to_what_runs_on_it() -> None:
    """Its pods, and their deployments and services, but not deployments without pods."""
    found = related_names(NODES, row_of(NODES, "real-0"), stores_of(*HOME))
    assert found["deployments"] == {"expr", "half", "recreate", "stuck", "web"}
    assert found["services"] == WEB_SERVICES | {"unready"}
    assert found["pods"] > WEB_PODS


def test_a_replica_set_has_its_own_pods_only() -> None:
    """Of a deployment's pods those that it owns itself."""
    stores = stores_of(*HOME, REPLICASETS)
    assert related_names(REPLICASETS, row_of(REPLICASETS, "web-5b77cb657c"), stores)["pods"] == WEB_PODS
    assert related_names(REPLICASETS, row_of(REPLICASETS, "zero-9dfcc7cdf"), stores)["pods"] == set()


def test_a_row_without_object_is_related_to_nothing_yet() -> None:
    """Nothing is claimed of a pod of which only cells are known."""
    bare = Row(row_of(PODS, "ok").key, "", None, ("ok", "1/1", "Running"))
    assert related_names(PODS, bare, stores_of(*HOME)) == {"nodes": set(), "deployments": set(), "services": set()}


def pod_row(number: int, **changes: Any) -> Row:
    """A pod of deployment `d<number % 20>` on node `n<number % 18>` in namespace `a`."""
    name = f"d{number % 20}"
    meta = {
        "name": f"{name}-abc12-{number}",
        "namespace": "a",
        "labels": {"app": name, "pod-template-hash": "abc12", "team": "x", "tier": "y", "version": "z"},
        "ownerReferences": [{"kind": "ReplicaSet", "name": f"{name}-abc12", "uid": name, "controller": True}],
    }
    pod = msgspec.convert({"metadata": meta | changes, "spec": {"nodeName": f"n{number % 18}"}}, PODS.view)
    return Row(pod.key, "", pod)


def service_row(number: int) -> Row:
    spec = {"selector": {"app": f"d{number}", "team": "x"}}
    service = msgspec.convert({"metadata": {"name": f"s{number}", "namespace": "a"}, "spec": spec}, SERVICES.view)
    return Row(service.key, "", service)


def deployment_row(number: int) -> Row:
    item = msgspec.convert({"metadata": {"name": f"d{number}", "namespace": "a"}}, DEPLOYMENTS.view)
    return Row(item.key, "", item)


def node_row(number: int) -> Row:
    node = msgspec.convert({"metadata": {"name": f"n{number}"}}, NODES.view)
    return Row(node.key, "", node)


def big_namespace() -> Stores:
    """2,000 pods, 200 services, 20 deployments, and about 111 pods on each of 18 nodes."""
    return Stores(
        {
            GVR_PODS: [pod_row(number) for number in range(2000)],
            GVR_SERVICES: [service_row(number) for number in range(200)],
            GVR_DEPLOYMENTS: [deployment_row(number) for number in range(20)],
            GVR_NODES: [node_row(number) for number in range(18)],
        }
    )


def test_a_full_node_asks_the_stores_a_few_times_a_pod() -> None:
    """Services are found through one label of their selector: the cost does not grow with their number."""
    stores = big_namespace()
    found = related(NODES, node_row(0), stores, HOME)
    pods = len(found[GVR_PODS])
    assert pods > 110
    assert stores.asked < 12 * pods


def test_overlapping_selectors_do_not_mix_deployments() -> None:
    """A deployment's pods are told by who owns them, not by their labels."""
    same_labels = {"app": "d1", "pod-template-hash": "abc12"}
    mine, other = pod_row(1), pod_row(2, labels=same_labels)
    stores = Stores({GVR_PODS: [mine, other]})
    assert related(DEPLOYMENTS, deployment_row(1), stores, HOME)[GVR_PODS] == {mine.key}


@pytest.mark.parametrize(
    ("owner", "labels", "workload"),
    [
        (("ReplicaSet", "web-abc"), {"pod-template-hash": "abc"}, ("Deployment", "web")),
        (("ReplicaSet", "web-x-abc"), {"pod-template-hash": "abc"}, ("Deployment", "web-x")),
        (("ReplicaSet", "web-abc"), {}, ("ReplicaSet", "web-abc")),
        (("ReplicaSet", "alone"), {"pod-template-hash": "abc"}, ("ReplicaSet", "alone")),
        (("StatefulSet", "db-abc"), {"pod-template-hash": "abc"}, ("StatefulSet", "db-abc")),
    ],
)
def test_a_pod_works_for_the_object_a_person_made(
    owner: tuple[str, str], labels: dict[str, str], workload: tuple[str, str]
) -> None:
    """A ReplicaSet that a Deployment made leads to the Deployment; every other owner is itself."""
    reference = {"kind": owner[0], "name": owner[1], "controller": True}
    meta = {"namespace": "a", "labels": labels, "ownerReferences": [reference]}
    assert workload_of(msgspec.convert({"metadata": meta}, PODS.view)) == Workload("a", *workload)


def test_a_pod_that_nobody_controls_works_for_nobody() -> None:
    """An owner that is not its controller does not count."""
    meta = {"ownerReferences": [{"kind": "ReplicaSet", "name": "web-abc"}]}
    assert workload_of(msgspec.convert({"metadata": meta}, PODS.view)) is None


def test_every_index_a_relation_asks_for_exists() -> None:
    """Relations name indexes that their target kind has."""
    asked: set[tuple[GVR, str]] = set()

    class Asked(Stores):
        def indexed(self, gvr: GVR, index: str, value: Any) -> list[Row]:
            asked.add((gvr, index))
            return []

    for kind in BUILTIN.values():
        for relation in kind.relations:
            meta = {"name": "x", "namespace": "a", "labels": {"a": "b"}}
            item = msgspec.convert({"metadata": meta, "spec": {"selector": {"a": "b"}}}, kind.view, strict=False)
            list(relation.find(item, Asked({})))
    assert asked
    assert all(index in (BUILTIN[gvr].indexes or {}) for gvr, index in asked)


def test_selectors_are_written_as_kubectl_writes_them() -> None:
    """Sorted by key, with sets in parentheses."""
    expressions = [
        {"key": "tier", "operator": "In", "values": ["z", "a"]},
        {"key": "old", "operator": "DoesNotExist"},
        {"key": "app", "operator": "Exists"},
        {"key": "env", "operator": "NotIn", "values": ["dev"]},
    ]
    selector = msgspec.convert({"matchLabels": {"app": "web"}, "matchExpressions": expressions}, LabelSelector)
    assert selector_text(selector) == "app=web,app,env notin (dev),!old,tier in (a,z)"


def test_labels_are_written_sorted() -> None:
    """As kubectl prints SELECTOR of services; `<none>` without any."""
    assert (labels_text({"b": "2", "a": "1"}), labels_text(None), labels_text({})) == ("a=1,b=2", "<none>", "<none>")


def test_keys_with_dots_and_slashes_stay_whole() -> None:
    """An object key reads as namespace/name."""
    assert str(ObjectKey("a", "b.c")) == "a/b.c"
