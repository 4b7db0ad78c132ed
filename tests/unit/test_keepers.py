"""Who keeps an object is found by the signs that it really leaves, and not by copies of them."""

from __future__ import annotations

from typing import Any

import pytest

from ktui.actions.keepers import Path, keepers, owns
from ktui.kinds.tone import Tone

Manifest = dict[str, Any]


def deployment(**meta: Any) -> Manifest:
    """A deployment with metadata."""
    containers = [{"name": "log", "image": "b"}, {"name": "web", "image": "a", "env": [{"name": "A", "value": "1"}]}]
    spec = {"replicas": 2, "template": {"spec": {"containers": containers}}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", **meta},
        "spec": spec,
    }


def entry(manager: str, fields: Manifest, operation: str = "Update", **more: Any) -> Manifest:
    """An entry of managedFields."""
    return {"manager": manager, "operation": operation, "fieldsV1": fields, **more}


def owner(kind: str, name: str, api_version: str = "apps/v1", controller: bool = True) -> list[Manifest]:
    """Owner references."""
    return [{"apiVersion": api_version, "kind": kind, "name": name, "uid": "u", "controller": controller}]


def texts(item: Manifest, *changed: Path, deleted: bool = False) -> list[str]:
    """What is said."""
    return [said.text for said in keepers(item, changed, deleted=deleted)]


ARGO = {"argocd.argoproj.io/tracking-id": "store:apps/Deployment:shop/web"}
HELM = {
    "labels": {"app.kubernetes.io/managed-by": "Helm"},
    "annotations": {"meta.helm.sh/release-name": "web", "meta.helm.sh/release-namespace": "shop"},
}
KUSTOMIZE = {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}
FLUX_HELM = {"helm.toolkit.fluxcd.io/name": "web", "helm.toolkit.fluxcd.io/namespace": "flux-system"}
APPLIED = {"kubectl.kubernetes.io/last-applied-configuration": "{}"}


@pytest.mark.parametrize(
    ("meta", "changed", "deleted"),
    [
        (
            {"annotations": ARGO},
            "Argo CD application store keeps it: change it in the Git repository that it syncs, "
            "or its next sync reverts this.",
            "Argo CD application store keeps it: remove it in the Git repository that it syncs as well, "
            "or its next sync creates it again.",
        ),
        (
            {"labels": {"argocd.argoproj.io/instance": "team_store"}},
            "Argo CD application team/store keeps it: change it in the Git repository that it syncs, "
            "or its next sync reverts this.",
            "Argo CD application team/store keeps it: remove it in the Git repository that it syncs as well, "
            "or its next sync creates it again.",
        ),
        (
            {"labels": KUSTOMIZE},
            "Flux Kustomization flux-system/apps keeps it: change it in the source that it applies, "
            "or its next run reverts this.",
            "Flux Kustomization flux-system/apps keeps it: remove it in the source that it applies as well, "
            "or its next run creates it again.",
        ),
        (
            {"labels": FLUX_HELM | HELM["labels"], "annotations": HELM["annotations"]},
            "Flux HelmRelease flux-system/web made it: change it in the release's values, "
            "or its next upgrade reverts this.",
            "Flux HelmRelease flux-system/web made it: remove it in the release's values as well, "
            "or its next upgrade creates it again.",
        ),
        (
            HELM,
            "Helm release shop/web made it: change it in the chart or its values, "
            "or the next helm upgrade reverts this.",
            "Helm release shop/web made it: remove it in the chart or its values as well, "
            "or the next helm upgrade creates it again.",
        ),
        (
            {"annotations": APPLIED},
            "It was made by kubectl apply: the next apply of its file reverts what it sets, "
            "unless the file changes too.",
            "It was made by kubectl apply: the next apply of its file creates it again, unless the file changes too.",
        ),
        (
            {"ownerReferences": owner("Shop", "store", "example.com/v1")},
            "Shop store made it and will undo what is changed here: change the Shop instead.",
            "Shop store makes a new one in its place.",
        ),
    ],
)
def test_each_keeper_says_what_it_does_next(meta: Manifest, changed: str, deleted: str) -> None:
    """One sentence with the next step, for a change and for a deletion."""
    assert texts(deployment(**meta)) == [changed]
    assert texts(deployment(**meta), deleted=True) == [deleted]


@pytest.mark.parametrize(
    "meta",
    [
        {},
        {"labels": {"app.kubernetes.io/managed-by": "Helm"}},
        {"labels": {"app.kubernetes.io/instance": "store"}},
        {"annotations": {"argocd.argoproj.io/tracking-id": "store:apps/Deployment:shop/other"}},
        {"labels": KUSTOMIZE | {"kustomize.toolkit.fluxcd.io/reconcile": "disabled"}},
        {"ownerReferences": owner("Node", "n", "v1", controller=False)},
    ],
)
def test_half_signs_and_copies_are_none(meta: Manifest) -> None:
    """Labels that charts set under any tool, what was copied from another object, and what is switched off."""
    assert texts(deployment(**meta)) == texts(deployment(**meta), deleted=True) == []


def test_argo_cd_is_known_by_its_manager_where_it_tracks_by_a_common_label() -> None:
    """Before version 3 it tracks by a label that others set too."""
    labels = {"app.kubernetes.io/instance": "store"}
    item = deployment(labels=labels, managedFields=[entry("argocd-controller", {})])
    assert texts(item)[0].startswith("Argo CD application store keeps it")


def test_what_a_controller_copied_is_not_said() -> None:
    """A deployment's annotations stand in its replica sets; only the deployment is named."""
    item = deployment(**HELM, ownerReferences=owner("Deployment", "web")) | {"kind": "ReplicaSet"}
    assert texts(item) == ["Deployment web made it and will undo what is changed here: change the Deployment instead."]


def test_pods_are_replaced_and_not_reverted() -> None:
    """A replica set leaves a pod's changes alone; they go with the pod."""
    item = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "ownerReferences": owner("ReplicaSet", "r")}}
    assert texts(item) == [
        "ReplicaSet r made this pod, and makes the next one without this change: change the template instead."
    ]
    item["metadata"]["ownerReferences"] = owner("Node", "n-1", "v1")  # type: ignore[index]
    assert "change that file" in texts(item)[0]


@pytest.mark.parametrize(
    ("kind", "namespace", "name", "again"),
    [
        ("ServiceAccount", "shop", "default", True),
        ("ConfigMap", "shop", "kube-root-ca.crt", True),
        ("Service", "default", "kubernetes", True),
        ("Service", "shop", "kubernetes", False),
        ("ServiceAccount", "shop", "web", False),
    ],
)
def test_what_kubernetes_makes_again(kind: str, namespace: str, name: str, again: bool) -> None:
    """The control plane's own objects come back."""
    item = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}}
    assert texts(item, deleted=True) == (["Kubernetes itself makes a new one at once."] if again else [])
    assert texts(item) == []


def test_bootstrap_roles_come_back() -> None:
    """The API server restores its own roles when it starts."""
    meta = {"name": "edit", "annotations": {"rbac.authorization.kubernetes.io/autoupdate": "true"}}
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": meta}
    assert texts(role, deleted=True) == ["It is one of Kubernetes' own: it comes back when the API server starts next."]


REPLICAS: Manifest = {"f:spec": {"f:replicas": {}}}


@pytest.mark.parametrize("manager", ["kube-controller-manager", "horizontal-pod-autoscaler"])
def test_an_autoscaler_sets_the_replicas_again(manager: str) -> None:
    """It is known by the subresource that it writes; it says nothing about other fields."""
    item = deployment(managedFields=[entry(manager, REPLICAS, subresource="scale")])
    [said] = keepers(item, [("spec", "replicas")])
    assert said.text == "An autoscaler sets how many replicas run, and will set it again: change its bounds."
    assert said.tone is Tone.WARNING
    assert texts(item, ("spec", "paused")) == []
    # A person scales through the same subresource.
    item["metadata"]["managedFields"] = [entry("kubectl", REPLICAS, subresource="scale")]
    assert texts(item, ("spec", "replicas")) == []


def test_other_writers_of_the_changed_field_are_named() -> None:
    """Those that apply put it back; those that wrote it may. Others, and people's tools, are silent."""
    item = deployment(
        managedFields=[
            entry("shop-operator", REPLICAS, "Apply"),
            entry("keda", REPLICAS),
            entry("other", {"f:metadata": {"f:labels": {"f:app": {}}}}, "Apply"),
            entry("kubectl-client-side-apply", REPLICAS),
            entry("ktui", REPLICAS),
            entry("kubevela", {"f:spec": {"f:paused": {}}}),
        ]
    )
    assert texts(item, ("spec", "replicas")) == [
        "shop-operator applies spec.replicas: its next apply puts it back; change it there.",
        "keda has set spec.replicas, and may set it again.",
    ]
    assert texts(item, ("spec", "paused")) == ["kubevela has set spec.paused, and may set it again."]


@pytest.mark.parametrize(
    ("path", "owned"),
    [
        (("spec", "template", "spec", "containers", 1, "image"), True),
        (("spec", "template", "spec", "containers", "web", "image"), True),
        (("spec", "template", "spec", "containers", 0, "image"), False),
        (("spec", "template", "spec", "containers", 9, "image"), False),
        (("spec", "template", "spec", "containers"), True),
        (("spec", "template"), True),
        (("spec", "replicas"), False),
        (("spec", "selector", "matchLabels", "app"), True),
        (("metadata", "finalizers", 0), True),
        (("metadata", "finalizers", 1), False),
        (("metadata", "labels", "app"), False),
    ],
)
def test_owned_fields(path: Path, owned: bool) -> None:
    """Fields in maps, in lists by key and by value, within atomic ones; and what is owned as an empty map only."""
    item = deployment(finalizers=["a", "b"], labels={"app": "web"})
    image: Manifest = {'k:{"name":"web"}': {".": {}, "f:name": {}, "f:image": {}}}
    fields = {
        "f:metadata": {"f:finalizers": {'v:"a"': {}}, "f:labels": {".": {}}},
        "f:spec": {"f:selector": {}, "f:template": {"f:spec": {"f:containers": image}}},
    }
    assert owns(fields, item, path) is owned


def test_broken_managed_fields_break_nothing() -> None:
    """Whatever a server sends there, an answer is given."""
    fields: Manifest = {"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{": {}, "x": {}}}}}}
    item = deployment(managedFields=[entry("odd", fields), {"manager": "none"}])
    assert texts(item, ("spec", "template", "spec", "containers", 0, "image")) == []
