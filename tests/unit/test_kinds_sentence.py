from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ktui.kinds.builtin import HOME
from ktui.kinds.deployments import DEPLOYMENTS
from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR_PODS
from ktui.kinds.nodes import NODES
from ktui.kinds.pods import PODS
from ktui.kinds.replicasets import REPLICASETS
from ktui.kinds.row import Row
from ktui.kinds.sentence import sentence
from ktui.kinds.services import SERVICES
from tests.unit.golden.recorded import Stores, item_of, recorded, row_of, stores_of


def said(kind: Kind, row: Row, stores: Stores | None = None, *, complete: bool = True) -> str:
    return "".join(part.text for part in sentence(kind, row, stores or stores_of(*HOME), complete=complete))


@pytest.mark.parametrize(
    ("kind", "name", "text"),
    [
        (DEPLOYMENTS, "expr", "deployment kinds-check/expr → 1 pod on real-0"),
        (
            DEPLOYMENTS,
            "web",
            "deployment kinds-check/web → 3 pods on real-0 ← services external-ips, headless and 6 more",
        ),
        (DEPLOYMENTS, "zero", "deployment kinds-check/zero → scaled to 0"),
        (DEPLOYMENTS, "paused", "deployment kinds-check/paused → 0 pods  ▲ paused: changes wait until it is resumed"),
        (
            DEPLOYMENTS,
            "half",
            "deployment kinds-check/half → 2 pods on real-0 ← service unready 10.96.74.239:80  "
            '✖ ReplicaSet "half-57b98ffc7" has timed out progressing.',
        ),
        (SERVICES, "web", "service kinds-check/web 10.96.119.34:80 → 3 pods on real-0 ← deployment web"),
        (
            SERVICES,
            "unready",
            "service kinds-check/unready 10.96.74.239:80 → 2 pods on real-0, 2 not ready ← deployment half",
        ),
        (SERVICES, "nobody", "service kinds-check/nobody 10.96.169.195:80 → no pods match app=nobody,z=1"),
        (SERVICES, "manual", "service kinds-check/manual 10.96.163.163:80 → selects nothing: no selector"),
        (SERVICES, "dns", "service kinds-check/dns → payments.example.com  a name outside the cluster"),
        (SERVICES, "headless", "service kinds-check/headless headless :80 → 3 pods on real-0 ← deployment web"),
        (
            SERVICES,
            "lb-pending",
            "service kinds-check/lb-pending 10.96.58.86:80  LoadBalancer pending → 3 pods on real-0 ← deployment web",
        ),
        (NODES, "fake-0", "node fake-0 → 0 pods"),
        (NODES, "real-0", "node real-0 → 36 pods of 6 workloads"),
        (PODS, "ok", "pod kinds-check/ok on real-0"),
        (PODS, "restarts", "pod kinds-check/restarts on real-0  ✖ last exit code 1, 6 restarts"),
        (PODS, "oom", "pod kinds-check/oom on real-0  ✖ exit code 137 (OOMKilled)"),
        (PODS, "half-failed", "pod kinds-check/half-failed on real-0  ✖ a: exit code 5"),
        (PODS, "evicted", "pod kinds-check/evicted  ✖ The node was low on resource: memory."),
        (PODS, "no-config", 'pod kinds-check/no-config on real-0  ✖ configmap "missing" not found'),
        (PODS, "two-of-three", "pod kinds-check/two-of-three on real-0  ▲ not ready: c"),
        (
            PODS,
            "pending",
            "pod kinds-check/pending  ✖ 0/4 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, "
            "3 node(s) had untolerated taint(s).",
        ),
        (
            PODS,
            "half-57b98ffc7-hpzxz",
            "pod kinds-check/half-57b98ffc7-hpzxz → deployment half on real-0 ← service unready 10.96.74.239:80  "
            "▲ not ready: b",
        ),
        (REPLICASETS, "expr-595cd69495", "replicaset kinds-check/expr-595cd69495 → 1 pod on real-0 ← deployment expr"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else "",
)
def test_the_relation_line(kind: Kind, name: str, text: str) -> None:
    """It says what belongs to the object and what is wrong with it."""
    assert said(kind, row_of(kind, name)) == text


def test_a_node_that_does_not_answer_says_so() -> None:
    """The kubelet's condition explains NotReady, and a cordon is named beside it."""
    item = item_of(NODES, "fake-0")
    item["spec"]["unschedulable"] = True
    item["status"]["conditions"] = [
        {"type": "Ready", "status": "Unknown", "message": "Kubelet stopped posting node status."}
    ]
    node = msgspec.convert(item, NODES.view)
    assert said(NODES, Row(node.key, "", node)) == (
        "node fake-0 → 0 pods  ✖ Kubelet stopped posting node status.  ▲ cordoned: new pods go elsewhere"
    )


def test_the_home_look() -> None:
    """The line of a deployment behind one load balancer, word by word with its voices."""
    labels = {"app": "storefront", "pod-template-hash": "6d4b8c"}
    owner = [{"kind": "ReplicaSet", "name": "storefront-6d4b8c", "controller": True}]
    items = [
        {
            "metadata": {
                "name": f"storefront-6d4b8c-{n}",
                "namespace": "shop",
                "labels": labels,
                "ownerReferences": owner,
            },
            "spec": {"nodeName": f"worker-{n % 2}"},
        }
        for n in range(3)
    ]
    service = {
        "metadata": {"name": "storefront", "namespace": "shop"},
        "spec": {
            "type": "LoadBalancer",
            "clusterIPs": ["10.96.14.7"],
            "ports": [{"port": 80}],
            "selector": {"app": "storefront"},
        },
        "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}]}},
    }
    deployment = {"metadata": {"name": "storefront", "namespace": "shop"}, "spec": {"replicas": 3}}
    stores = Stores({GVR_PODS: rows(PODS, *items), SERVICES.gvr: rows(SERVICES, service)})
    (row,) = rows(DEPLOYMENTS, deployment)
    assert [tuple(part) for part in sentence(DEPLOYMENTS, row, stores)] == [
        ("deployment ", "secondary"),
        ("shop/storefront", "name"),
        (" → ", "arrow"),
        ("3 pods on 2 nodes", "plain"),
        (" ← ", "arrow"),
        ("service storefront 10.96.14.7:80", "plain"),
        ("  LoadBalancer 203.0.113.7", "secondary"),
    ]


def rows(kind: Kind, *items: dict[str, Any]) -> list[Row]:
    return [Row(view.key, "", view) for view in (msgspec.convert(item, kind.view) for item in items)]


def test_nothing_is_said_to_be_missing_before_everything_is_listed() -> None:
    """While pods are still being listed, or known by their cells only, no service lacks them."""
    row = row_of(SERVICES, "nobody")
    assert "no pods" not in said(SERVICES, row, complete=False)
    bare = Stores({GVR_PODS: [Row(pod.key, "", None, pod.cells) for pod in recorded(PODS).rows], SERVICES.gvr: []})
    bare.incomplete.update(wanted for relation in SERVICES.relations for wanted in relation.wants(row.object))
    assert "no pods" not in said(SERVICES, row, bare)


def test_a_sentence_is_safe_to_show() -> None:
    """Messages of strangers become one line without control characters."""
    item = item_of(PODS, "evicted")
    item["status"]["message"] = "\x1b[31mred\n[bold]next\u202e"
    view = msgspec.convert(item, PODS.view)
    text = said(PODS, Row(view.key, "", view))
    assert text.isprintable()
    assert "[bold]next" in text


def test_every_recorded_object_has_a_sentence() -> None:
    """None raises, and each begins with what it is about."""
    stores = stores_of(*HOME, REPLICASETS)
    for kind in (*HOME, REPLICASETS):
        for row in recorded(kind).rows:
            assert said(kind, row, stores).startswith(f"{kind.singular} {row.key}")
