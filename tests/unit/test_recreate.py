"""What is made again: all that was asked for, nothing that the server or a controller must write anew."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from ktui.actions.recreate import DELETE, RETAIN, Owner, again, not_again, orphaned, owners, taken, what_is_lost
from ktui.kinds.manifest import LAST_APPLIED
from ktui.kube.errors import Cause, Conflict, Details, Invalid

OWNER = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-1", "uid": "o", "controller": True}


def live(kind: str, api_version: str = "v1", spec: Any = None, *, status: Any = None, **meta: Any) -> dict[str, Any]:
    """An object as a server gives it."""
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {
            "name": "a",
            "namespace": "shop",
            "uid": "u",
            "resourceVersion": "7",
            "generation": 3,
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "deletionTimestamp": "2026-01-02T00:00:00Z",
            "deletionGracePeriodSeconds": 0,
            "managedFields": [{}],
            **meta,
        },
        "spec": spec if spec is not None else {},
        "status": status or {"phase": "Running"},
    }


def remade(item: dict[str, Any], **options: Any) -> dict[str, Any]:
    """The manifest; what it was made of must stay as it was."""
    before = copy.deepcopy(item)
    made = again(item, **options).manifest
    assert item == before
    return made


# -- every kind --------------------------------------------------------------------------------


def test_what_the_server_writes_goes_and_the_rest_stays() -> None:
    """Labels, annotations (what apply keeps, too), finalizers of others and unknown fields are as they were."""
    notes = {LAST_APPLIED: "{}", "a": "b"}
    item = live("Widget", "shop.example.com/v1", {"size": 1}, labels={"x": "y"}, annotations=notes)
    item["metadata"]["finalizers"] = ["foregroundDeletion", "example.com/keep"]
    item["extra"] = [1]
    assert remade(item) == {
        "apiVersion": "shop.example.com/v1",
        "kind": "Widget",
        "metadata": {
            "name": "a",
            "namespace": "shop",
            "labels": {"x": "y"},
            "annotations": notes,
            "finalizers": ["example.com/keep"],
        },
        "spec": {"size": 1},
        "extra": [1],
    }


def test_owners_stay_unless_they_are_gone() -> None:
    """An object whose owner is gone would be collected at once."""
    item = live("Pod", spec={"containers": []}, ownerReferences=[OWNER])
    assert remade(item)["metadata"]["ownerReferences"] == [OWNER]
    assert owners(remade(item)) == [Owner("apps/v1", "ReplicaSet", "web-1", "o")]
    assert "ownerReferences" not in remade(item, owner_gone=True)["metadata"]
    assert orphaned(remade(item)) == remade(item, owner_gone=True)
    assert owners(orphaned(item)) == []


def test_a_custom_resource_is_no_kind_of_kubernetes() -> None:
    """Somebody's own Job keeps its selector."""
    item = live("Job", "ci.example.com/v1", {"selector": {"a": "b"}})
    assert remade(item)["spec"] == {"selector": {"a": "b"}}


# -- pods --------------------------------------------------------------------------------------


def test_a_pod_is_free_to_go_anywhere() -> None:
    """Without node, token, default tolerations and ephemeral containers; with its own volumes and hostname."""
    mounts = [{"name": "data", "mountPath": "/d"}, {"name": "kube-api-access-x", "mountPath": "/var/run/secrets"}]
    usual = {"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
    own = {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5}
    spec = {
        "containers": [{"name": "web", "volumeMounts": mounts}, {"name": "log", "volumeMounts": mounts[1:]}],
        "initContainers": [{"name": "init", "volumeMounts": mounts}],
        "ephemeralContainers": [{"name": "debug"}],
        "nodeName": "n1",
        "hostname": "h",
        "priority": 0,
        "preemptionPolicy": "PreemptLowerPriority",
        "volumes": [
            {"name": "data", "emptyDir": {}},
            {"name": "kube-api-access-x", "projected": {}},
            {"name": "kube-api-access-mine", "emptyDir": {}},
        ],
        "tolerations": [{"key": "node.kubernetes.io/unreachable", **usual}, own, {"key": "mine", **usual}],
    }
    assert remade(live("Pod", spec=spec))["spec"] == {
        "containers": [{"name": "web", "volumeMounts": mounts[:1]}, {"name": "log"}],
        "initContainers": [{"name": "init", "volumeMounts": mounts[:1]}],
        "hostname": "h",
        "volumes": [{"name": "data", "emptyDir": {}}, {"name": "kube-api-access-mine", "emptyDir": {}}],
        "tolerations": [own, {"key": "mine", **usual}],
    }


def test_a_static_pod_is_made_by_its_kubelet() -> None:
    """Its mirror cannot be created by anyone else."""
    item = live("Pod", spec={}, annotations={"kubernetes.io/config.mirror": "x"})
    assert "static pod" in not_again(item, keep_secrets=False)
    assert not_again(live("Pod"), keep_secrets=False) == ""


# -- services ----------------------------------------------------------------------------------


def test_a_service_asks_for_its_address_first() -> None:
    """And when that is taken, for any."""
    spec = {
        "type": "LoadBalancer",
        "clusterIP": "10.96.1.1",
        "clusterIPs": ["10.96.1.1"],
        "healthCheckNodePort": 31000,
        "loadBalancerIP": "1.2.3.4",
        "ports": [{"port": 80, "nodePort": 30080}, {"port": 81}],
    }
    made = again(live("Service", spec=spec))
    assert made.manifest["spec"] == spec
    assert made.otherwise is not None
    assert made.otherwise["spec"] == {
        "type": "LoadBalancer",
        "loadBalancerIP": "1.2.3.4",
        "ports": [{"port": 80}, {"port": 81}],
    }


@pytest.mark.parametrize(
    "spec",
    [{"clusterIP": "None", "clusterIPs": ["None"], "ports": [{"port": 1}]}, {"type": "ExternalName"}],
    ids=["headless", "external"],
)
def test_a_service_that_has_nothing_of_its_own(spec: Any) -> None:
    """Nothing can be taken."""
    made = again(live("Service", spec=spec))
    assert (made.manifest["spec"], made.otherwise) == (spec, None)


@pytest.mark.parametrize(
    ("field", "answer"),
    [
        ("spec.clusterIPs", True),
        ("spec.clusterIP", True),
        ("spec.ports[0].nodePort", True),
        ("spec.healthCheckNodePort", True),
        ("spec.ports[0].port", False),
    ],
)
def test_what_is_taken(field: str, answer: bool) -> None:
    """The server names the field."""
    details = Details(causes=(Cause("FieldValueInvalid", "provided IP is already allocated", field),))
    assert taken(Invalid(422, "Invalid", "m", details=details)) is answer
    assert not taken(Conflict(409, "AlreadyExists", "m", details=details))


# -- workloads ---------------------------------------------------------------------------------


@pytest.mark.parametrize("manual", [False, True])
def test_a_job_gets_a_new_selector_unless_it_has_its_own(manual: bool) -> None:
    """The server's is made of the UID."""
    labels = {"app": "j", "job-name": "j", "controller-uid": "u", "batch.kubernetes.io/controller-uid": "u"}
    spec = {
        "manualSelector": manual,
        "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": "u"}},
        "template": {"metadata": {"labels": labels}, "spec": {}},
    }
    made = remade(live("Job", "batch/v1", spec, labels=labels))
    kept = labels if manual else {"app": "j", "job-name": "j"}
    assert made["metadata"]["labels"] == made["spec"]["template"]["metadata"]["labels"] == kept
    assert ("selector" in made["spec"]) is manual


def test_a_finished_job_runs_a_second_time() -> None:
    """Which somebody must know before."""
    status = {"conditions": [{"type": "Complete", "status": "True"}]}
    assert any("second time" in said for said in what_is_lost(live("Job", "batch/v1", status=status)))
    assert not any("second time" in said for said in what_is_lost(live("Job", "batch/v1")))


def test_revisions_are_counted_anew() -> None:
    """A replica set keeps its revision while its deployment is there, to go back to."""
    notes = {"deployment.kubernetes.io/revision": "4", "kubernetes.io/change-cause": "x"}
    assert remade(live("Deployment", "apps/v1", annotations=notes))["metadata"]["annotations"] == {
        "kubernetes.io/change-cause": "x"
    }
    replicas = live("ReplicaSet", "apps/v1", annotations=notes, ownerReferences=[OWNER])
    assert remade(replicas)["metadata"]["annotations"] == notes
    assert remade(replicas, owner_gone=True)["metadata"]["annotations"] == {"kubernetes.io/change-cause": "x"}


def test_volumes_of_a_stateful_set() -> None:
    """Templates have no status; whether claims were deleted with it, its policy says."""
    spec: Any = {"volumeClaimTemplates": [{"metadata": {"name": "d"}, "spec": {}, "status": {"phase": "Pending"}}]}
    item = live("StatefulSet", "apps/v1", spec)
    assert remade(item)["spec"]["volumeClaimTemplates"] == [{"metadata": {"name": "d"}, "spec": {}}]
    assert "data is gone" not in " ".join(what_is_lost(item))
    spec["persistentVolumeClaimRetentionPolicy"] = {"whenDeleted": "Delete"}
    assert "data is gone" in " ".join(what_is_lost(item))


# -- storage -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reclaims", "chosen", "stays"),
    [(DELETE, True, False), (DELETE, False, False), (RETAIN, True, True), ("", True, False), ("", False, True)],
)
def test_a_claim_asks_for_its_volume_while_that_is_there(reclaims: str, chosen: bool, stays: bool) -> None:
    """A volume that a person named stays named; one that the binder found is left when it may be gone."""
    notes = {"pv.kubernetes.io/bind-completed": "yes", "mine": "1", "volume.kubernetes.io/selected-node": "n"}
    notes |= {"pv.kubernetes.io/bound-by-controller": "yes"} if chosen else {}
    item = live("PersistentVolumeClaim", spec={"volumeName": "pv-1"}, annotations=notes)
    item["metadata"]["finalizers"] = ["kubernetes.io/pvc-protection"]
    made = remade(item, reclaims=reclaims)
    assert made["metadata"] == {"name": "a", "namespace": "shop", "annotations": {"mine": "1"}}
    assert ("volumeName" in made["spec"]) is stays
    said = " ".join(what_is_lost(item, reclaims=reclaims))
    assert "pv-1" in said
    assert ("claimRef" in said) is (reclaims == RETAIN)


def test_a_volume_waits_for_a_claim_of_that_name() -> None:
    """With the old claim's UID, it would count as released."""
    claim = {"namespace": "shop", "name": "c", "uid": "x", "resourceVersion": "1"}
    made = remade(live("PersistentVolume", spec={"claimRef": claim}))
    assert made["spec"]["claimRef"] == {"namespace": "shop", "name": "c"}


# -- others ------------------------------------------------------------------------------------


def test_others() -> None:
    """Tokens, the namespace's finalizer, and how a node is, are written anew."""
    account = {**live("ServiceAccount"), "secrets": [{"name": "a-token-x"}, {"name": "mine"}]}
    assert remade(account)["secrets"] == [{"name": "mine"}]
    assert "spec" not in remade(live("Namespace", spec={"finalizers": ["kubernetes"]}))
    taints = [{"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}, {"key": "mine", "effect": "NoSchedule"}]
    node = remade(live("Node", spec={"taints": taints, "podCIDR": "10.0.0.0/24", "unschedulable": True}))
    assert node["spec"] == {"taints": taints[1:], "podCIDR": "10.0.0.0/24", "unschedulable": True}
    notes = {"deprecated.daemonset.template.generation": "1"}
    assert "annotations" not in remade(live("DaemonSet", "apps/v1", annotations=notes))["metadata"]


def test_a_secret_is_made_again_only_when_it_was_kept() -> None:
    """And says how it would be."""
    assert "keep_secrets" in not_again(live("Secret"), keep_secrets=False)
    assert not_again(live("Secret"), keep_secrets=True) == ""


@pytest.mark.parametrize(
    ("item", "word"),
    [
        (live("Pod", spec={"containers": []}, ownerReferences=[OWNER]), "replicaset web-1 makes another"),
        (live("Deployment", "apps/v1"), "revisions"),
        (live("DaemonSet", "apps/v1"), "anew"),
        (live("CronJob", "batch/v1"), "ran last"),
        (live("Namespace"), "comes back empty"),
        (live("CustomResourceDefinition", "apiextensions.k8s.io/v1"), "All objects of its kind"),
        (live("ServiceAccount"), "Tokens"),
        (live("Service", spec={"clusterIP": "10.96.1.1", "selector": {"a": "b"}}), "10.96.1.1"),
        (live("Service", spec={"type": "LoadBalancer", "selector": {"a": "b"}}), "load balancer"),
        (live("Service", spec={"clusterIP": "None"}), "no selector"),
        (live("PersistentVolume", spec={"persistentVolumeReclaimPolicy": "Delete"}), "reclaim policy"),
        (live("Widget", "shop.example.com/v1"), "owned"),
        (live("ConfigMap", finalizers=["example.com/x"]), "example.com/x"),
    ],
)
def test_what_is_lost(item: dict[str, Any], word: str) -> None:
    """It is said in sentences."""
    found = what_is_lost(item)
    assert any(word in sentence for sentence in found)
    assert all(sentence.endswith(".") for sentence in found)


def test_a_configmap_loses_its_uid_alone() -> None:
    """Nothing is said that is not the case."""
    assert len(what_is_lost(live("ConfigMap"))) == 1
