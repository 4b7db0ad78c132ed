"""Which objects an object names, and where those are looked for that belong to it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ktui.kinds.objects import ObjectMeta
from ktui.kinds.pod_uses import PodWithUses, uses
from ktui.kinds.references import named, owned, owners, searches
from ktui.kinds.services import SERVICES


def pod(**spec: Any) -> dict[str, Any]:
    """A pod of the shop."""
    meta = {"name": "web-1", "namespace": "shop", "labels": {"app": "web", "tier": "front"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


def names(item: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What an object names: kind, name and why."""
    return [(reference.kind, reference.name, reference.why) for reference in named(item)]


def test_a_pod_names_what_it_runs_on_and_reads() -> None:
    """Node, account, volumes and environments are found, each object once with all its reasons."""
    item = pod(
        nodeName="worker-0",
        serviceAccountName="web",
        volumes=[
            {"name": "conf", "configMap": {"name": "settings"}},
            {"name": "data", "persistentVolumeClaim": {"claimName": "files"}},
            {"name": "all", "projected": {"sources": [{"secret": {"name": "tls"}}]}},
            {"name": "kube-api-access-x", "projected": {"sources": [{"configMap": {"name": "kube-root-ca.crt"}}]}},
        ],
        containers=[
            {
                "name": "main",
                "envFrom": [{"configMapRef": {"name": "settings"}}],
                "env": [{"name": "A", "value": "b"}, {"name": "P", "valueFrom": {"secretKeyRef": {"name": "db"}}}],
            }
        ],
        imagePullSecrets=[{"name": "registry"}],
    )
    assert names(item) == [
        ("Node", "worker-0", "runs on"),
        ("ServiceAccount", "web", "runs as"),
        ("ConfigMap", "settings", "volume conf, environment of main"),
        ("PersistentVolumeClaim", "files", "volume data"),
        ("Secret", "tls", "volume all"),
        ("Secret", "db", "environment of main"),
        ("Secret", "registry", "pulls images"),
    ]


def test_what_is_needed_once_is_not_optional() -> None:
    """An object that one volume can do without and another cannot is missed when it is not there."""
    volumes = [
        {"name": "a", "configMap": {"name": "both", "optional": True}},
        {"name": "b", "configMap": {"name": "both"}},
        {"name": "c", "configMap": {"name": "spare", "optional": True}},
    ]
    assert [(r.name, r.optional) for r in named(pod(volumes=volumes))] == [("both", False), ("spare", True)]


def test_a_pod_is_found_by_services_whose_selector_it_matches() -> None:
    """All labels of the selector must match, and a service without one selects nothing."""
    (search,) = searches(pod())
    assert search.keep is not None
    kept = [
        search.keep(msgspec.convert({"spec": {"selector": selector}}, SERVICES.view))
        for selector in ({"app": "web"}, {"app": "web", "tier": "back"}, {}, None)
    ]
    assert kept == [True, False, False, False]


@pytest.mark.parametrize(
    ("kind", "used"),
    [
        ("ConfigMap", {"volumes": [{"name": "v", "configMap": {"name": "it"}}]}),
        ("ConfigMap", {"containers": [{"name": "c", "envFrom": [{"configMapRef": {"name": "it"}}]}]}),
        ("Secret", {"volumes": [{"name": "v", "projected": {"sources": [{"secret": {"name": "it"}}]}}]}),
        ("Secret", {"volumes": [{"name": "v", "secret": {"secretName": "it"}}]}),
        (
            "Secret",
            {"initContainers": [{"name": "c", "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "it"}}}]}]},
        ),
        ("Secret", {"imagePullSecrets": [{"name": "it"}]}),
        ("PersistentVolumeClaim", {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "it"}}]}),
        ("ServiceAccount", {"serviceAccountName": "it"}),
    ],
)
def test_the_pods_that_use_an_object_are_found(kind: str, used: dict[str, Any]) -> None:
    """Whatever way a pod names an object it uses, it is found from the object, and what it does not use is not."""
    view = msgspec.convert(pod(**used), PodWithUses)
    assert uses(kind, "it")(view)
    assert not uses(kind, "other")(view)
    # The two readings of a pod agree.
    assert (kind, "it") in [(reference.kind, reference.name) for reference in named(pod(**used))]


def test_an_ephemeral_volumes_claim_is_used_by_its_pod() -> None:
    """The claim of an ephemeral volume is named after the pod and the volume."""
    view = msgspec.json.decode(msgspec.json.encode(pod(volumes=[{"name": "tmp", "ephemeral": {}}])), type=PodWithUses)
    assert uses("PersistentVolumeClaim", "web-1-tmp")(view)


def test_a_deployments_own_are_found_by_its_selector() -> None:
    """Replica sets and pods are asked for by the selector, in the words of the API."""
    selector = {
        "matchLabels": {"app": "web"},
        "matchExpressions": [{"key": "tier", "operator": "In", "values": ["a", "b"]}],
    }
    item = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"namespace": "shop"},
        "spec": {"selector": selector},
    }
    assert [(search.kind, search.labels) for search in owned(item)] == [
        ("ReplicaSet", "app=web,tier in (a,b)"),
        ("Pod", "app=web,tier in (a,b)"),
    ]


def test_only_custom_resources_are_searched_widely() -> None:
    """A ConfigMap owns nothing worth a search; what a custom resource owns, nobody knows beforehand."""
    meta = {"name": "a", "namespace": "shop"}
    assert owned({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}) == []
    assert len(owned({"apiVersion": "example.com/v1", "kind": "Gadget", "metadata": meta})) > 5


def test_a_custom_resource_names_objects_by_convention() -> None:
    """Fields called somethingRef are references, of the object's own group where they say none."""
    spec = {
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "a": {"issuerRef": {"kind": "Issuer", "name": "le"}},
    }
    item = {
        "apiVersion": "example.com/v1",
        "kind": "Gadget",
        "metadata": {"name": "a", "namespace": "shop"},
        "spec": spec,
    }
    assert [(r.group, r.kind, r.name) for r in named(item)] == [
        ("apps", "Deployment", "web"),
        ("example.com", "Issuer", "le"),
    ]


def test_the_controller_is_the_first_owner() -> None:
    """Of several owners the one that manages the object leads up the tree."""
    references = [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": "a"},
        {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "b", "controller": True},
    ]
    meta = msgspec.convert({"namespace": "shop", "ownerReferences": references}, ObjectMeta)
    assert [(owner.group, owner.kind, owner.name) for owner in owners(meta)] == [
        ("apps", "ReplicaSet", "b"),
        ("", "ConfigMap", "a"),
    ]


def test_an_empty_object_names_nothing() -> None:
    """Whatever is missing in an object, reading it fails nowhere."""
    for kind in ("Pod", "Service", "Node", "Event", "PersistentVolumeClaim", "ServiceAccount"):
        item: dict[str, Any] = {"apiVersion": "v1", "kind": kind, "metadata": {}}
        assert named(item) == []
        assert owned(item) == []
        searches(item)
