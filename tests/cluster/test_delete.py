"""What ktui deletes is gone as if kubectl had deleted it, and on the way it says what holds it."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

import pytest

from ktui.actions.action import Asks, Target
from ktui.actions.delete import DELETE
from ktui.actions.kubectl import shell_line
from ktui.actions.place import Place
from ktui.actions.undertaking import Stage, Undertaking, Written
from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR, GVR_PODS, GVR_REPLICASETS, ObjectKey
from ktui.kube.errors import Conflict, Forbidden, NotFound
from ktui.kube.listing import kind_of
from tests.cluster.clusters import Cluster
from tests.cluster.conftest import Kubectl, Opened
from tests.cluster.objects import Manifest, Objects, until
from tests.cluster.specimens import FINALIZER, IMAGE, container, deployment, node, pod, service, status


class Deleter:
    """Deletes as the dialog does, and keeps what was said.

    Attributes:
        place: the cluster.
        written: what was written, for the journal.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.written: list[Written] = []

    async def begin(self, *manifests: Manifest, **values: Any) -> Undertaking:
        """An undertaking that has read its objects and planned."""
        kind = await self.kind(manifests[0])
        targets = [Target(kind, _key(kind, manifest)) for manifest in manifests]
        begun = Undertaking(self.place, DELETE, targets, self.written.append, "")
        await begun.read()
        begun.values = (await DELETE.form(self.place, begun.targets)).start() | values
        begun.plan()
        return begun

    async def delete(self, *manifests: Manifest, **values: Any) -> Undertaking:
        """Delete, and follow to the end."""
        begun = await self.begin(*manifests, **values)
        await begun.do()
        return begun

    async def weighed(self, *manifests: Manifest, **values: Any) -> list[str]:
        """What is said before objects are deleted."""
        begun = await self.begin(*manifests, **values)
        return [said.text for said in await DELETE.weigh(self.place, begun.targets, begun.values)]

    async def kind(self, manifest: Manifest) -> Kind:
        """The kind of a manifest."""
        found = (await self.place.discovery()).find(manifest["apiVersion"].rpartition("/")[0], manifest["kind"])
        assert found is not None
        return kind_of(found)


def _key(kind: Kind, manifest: Manifest) -> ObjectKey:
    return ObjectKey(manifest["metadata"].get("namespace", "") if kind.namespaced else "", manifest["metadata"]["name"])


@pytest.fixture
async def deleter(opened: Opened) -> Deleter:
    """Deletes as admin."""
    return Deleter(Place(await opened()))


def configmap(namespace: str, name: str, **meta: Any) -> Manifest:
    """An object without a meaning."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace, **meta}}


async def ready(objects: Objects, *manifests: Manifest) -> None:
    """Wait until deployments have all their pods."""

    async def all_there() -> bool:
        found = [await objects.get(manifest) for manifest in manifests]
        return all(item["status"].get("availableReplicas") == item["spec"]["replicas"] for item in found)

    await until(all_there, 40, "the pods did not become ready")


async def left(deleter: Deleter, namespace: str) -> dict[str, list[tuple[str, bool]]]:
    """What is left of each deployment's objects: kinds, and whether somebody owns them."""
    found: dict[str, list[tuple[str, bool]]] = {"ours": [], "theirs": []}
    for gvr in (GVR("apps", "v1", "deployments"), GVR_REPLICASETS, GVR_PODS):
        for item in await deleter.place.objects(gvr, namespace):
            owner = "ours" if item["metadata"]["name"].startswith("ours") else "theirs"
            found[owner].append((gvr.resource, bool(item["metadata"].get("ownerReferences"))))
    return found


@pytest.mark.parametrize("propagation", ["background", "foreground", "orphan"])
async def test_each_propagation_is_kubectls(
    propagation: str, deleter: Deleter, objects: Objects, namespace: str, kubectl: Kubectl
) -> None:
    """A deployment goes, or leaves its replica set and pods behind, as kubectl's does; they are counted before."""
    ours, theirs = deployment(namespace, "ours", 2), deployment(namespace, "theirs", 2)
    for manifest in (ours, theirs):
        await objects.apply(manifest)
    await ready(objects, ours, theirs)
    said = await deleter.weighed(ours, propagation=propagation)
    assert {
        "background": "1 replica set and 2 pods go with it.",
        "foreground": "1 replica set and 2 pods go first; it stays until then.",
        "orphan": "1 replica set and 2 pods stay and run on; nothing looks after them any more.",
    }[propagation] in said
    done, _ = await asyncio.gather(
        deleter.delete(ours, propagation=propagation),
        kubectl("-n", namespace, "delete", "deployments", "theirs", f"--cascade={propagation}"),
    )
    assert done.works[0].stage is Stage.DONE
    assert done.works[0].said[""].text == "Gone."
    flags = [] if propagation == "background" else [f"--cascade={propagation}"]
    assert list(done.works[0].steps[0].kubectl) == ["kubectl", "-n", namespace, "delete", "deployments", "ours", *flags]
    if propagation == "foreground":
        assert (await left(deleter, namespace))["ours"] == []

    async def alike() -> bool:
        found = await left(deleter, namespace)
        wanted = [("replicasets", False), ("pods", True), ("pods", True)] if propagation == "orphan" else []
        return sorted(found["ours"]) == sorted(found["theirs"]) == sorted(wanted)

    await until(alike, 40, "it did not become what kubectl left")


async def test_grace_periods_are_kubectls(deleter: Deleter, objects: Objects, namespace: str, kubectl: Kubectl) -> None:
    """Grace periods reach the server as kubectl sends them; 0 without force is 1."""
    flags: dict[str, tuple[dict[str, Any], list[str]]] = {
        "own": ({}, []),
        "longer": ({"grace": 45}, ["--grace-period=45"]),
        "none": ({"grace": 0}, ["--grace-period=0"]),
        "force": ({"force": True}, ["--force"]),
    }
    meta = {"finalizers": [FINALIZER]}
    for name, (values, words) in flags.items():
        for whose in ("ours", "theirs"):
            manifest = pod(namespace, f"{whose}-{name}", nodeName="nowhere", terminationGracePeriodSeconds=20)
            manifest["metadata"] |= meta
            await objects.apply(manifest)
        begun = await deleter.begin(pod(namespace, f"ours-{name}"), **values)
        await deleter.place.send(begun.works[0].steps[0].write)
        await kubectl("-n", namespace, "delete", "pod", f"theirs-{name}", "--wait=false", *words)
        ours, theirs = [await objects.get(pod(namespace, f"{whose}-{name}")) for whose in ("ours", "theirs")]
        grace = ours["metadata"]["deletionGracePeriodSeconds"]
        assert grace == theirs["metadata"]["deletionGracePeriodSeconds"], name
    assert grace == 0
    # The line that is shown is one that kubectl takes.
    line = begun.works[0].steps[0].kubectl
    assert shell_line(line) == f"kubectl -n {namespace} delete pods ours-force --force"
    await kubectl(*line[1:], "--wait=false")


async def test_a_finalizer_is_named_until_it_is_taken_away(deleter: Deleter, objects: Objects, namespace: str) -> None:
    """It is said before, and while the object hangs."""
    manifest = configmap(namespace, "held", finalizers=[FINALIZER])
    await objects.apply(manifest)
    hint = f"held stays until somebody takes finalizer {FINALIZER} away: it hangs if what set it runs no more."
    assert hint in await deleter.weighed(manifest)
    begun = await deleter.begin(manifest)
    doing = asyncio.create_task(begun.do())
    work = begun.works[0]
    await until(lambda: "" in work.said and f"waits for finalizer {FINALIZER}." in work.said[""].text)
    await objects.change(manifest, {"metadata": {"finalizers": None}})
    await doing
    assert (work.stage, work.said[""].text) == (Stage.DONE, "Gone.")


async def test_a_claim_in_use_stays_until_its_pod_is_gone(deleter: Deleter, objects: Objects, namespace: str) -> None:
    """The pods that use it are named, and it is said what it waits for."""
    meta = {"name": "data", "namespace": namespace}
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": "none"}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": spec}
    await objects.apply(claim)
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    user = pod(namespace, "user", status("Running"), volumes=volumes)
    # To the controller that protects claims, a pod uses one as soon as it has a node.
    user["spec"]["nodeName"] = "nowhere"
    await objects.apply(user)
    said = await deleter.weighed(claim)
    assert "1 pod (user) uses it: no claim goes before its pods have gone." in said
    assert "data has no volume yet, so no data is lost." in said
    begun = await deleter.begin(claim)
    doing, work = asyncio.create_task(begun.do()), begun.works[0]
    await until(lambda: "" in work.said and "waits until no pod uses it" in work.said[""].text)
    assert not doing.done()
    await objects.delete(user, gracePeriodSeconds=0)
    await doing
    assert work.said[""].text == "Gone."


async def test_an_object_that_took_the_name_is_not_deleted(deleter: Deleter, objects: Objects, namespace: str) -> None:
    """Between preview and write another one took its place: the server refuses, and the new one stays."""
    manifest = configmap(namespace, "web")
    await objects.apply(manifest)
    begun = await deleter.begin(manifest)
    await objects.delete(manifest)
    new = await objects.apply(manifest)
    await begun.do()
    work = begun.works[0]
    assert work.stage is Stage.FAILED
    assert isinstance(work.error, Conflict)
    assert "The object might have been deleted and then recreated" in work.error.message
    assert (await objects.get(manifest))["metadata"]["uid"] == new["metadata"]["uid"]


async def test_what_a_controller_makes_again_is_gone_all_the_same(
    deleter: Deleter, objects: Objects, namespace: str
) -> None:
    """A stateful set's pod comes back under its name; the one that was deleted is gone."""
    template = deployment(namespace, "db", 1)["spec"]
    meta = {"name": "db", "namespace": namespace}
    await objects.apply(
        {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": meta, "spec": template | {"serviceName": "db"}}
    )
    first = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "db-0", "namespace": namespace}}

    async def runs() -> bool:
        try:
            return bool((await objects.get(first))["status"].get("phase") == "Running")
        except NotFound:
            return False

    await until(runs, 40, "the pod does not run")
    assert "StatefulSet db makes a new one in its place." in await deleter.weighed(first)
    done = await deleter.delete(first, force=True)
    assert done.works[0].stage is Stage.DONE
    assert done.works[0].said[""].text in ("Gone.", "Gone; a new one has taken its place.")


async def test_a_namespace_says_what_holds_it(deleter: Deleter, objects: Objects, namespace: str) -> None:
    """Its contents are counted; then the namespace controller's own words are shown until it is gone."""
    held = configmap(namespace, "held", finalizers=[FINALIZER])
    await objects.apply(held)
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    said = await deleter.weighed(manifest)
    # Beside this one, Kubernetes puts its root certificate into each namespace.
    assert "Everything in it goes: 2 config maps, and all else." in said
    begun = await deleter.begin(manifest)
    assert DELETE.asks(begun.targets, begun.values) is Asks.NAME
    doing, work = asyncio.create_task(begun.do()), begun.works[0]
    await until(lambda: "" in work.said and FINALIZER in work.said[""].text, 40, "nobody says what holds it")
    await objects.change(held, {"metadata": {"finalizers": None}})
    await doing
    assert work.said[""].text == "Gone."


@pytest.mark.parametrize("name", ["kube-system", "default", "kube-public"])
async def test_some_namespaces_are_never_deleted(name: str, deleter: Deleter) -> None:
    """ktui says so before, and the server's own refusal is shown."""
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    assert f"The server refuses to delete namespace {name}." in await deleter.weighed(manifest)
    begun = await deleter.begin(manifest)
    [preview] = (await begun.previews())[begun.works[0]]
    assert isinstance(preview.error, Forbidden)
    assert preview.error.message == f'namespaces "{name}" is forbidden: this namespace may not be deleted'
    assert preview.refused


async def test_what_a_deployment_serves_is_said(deleter: Deleter, objects: Objects, namespace: str) -> None:
    """Services that lose endpoints, disruption budgets that do not help, and the autoscaler that is left."""
    web = deployment(namespace, "web", 2)
    meta = {"name": "web", "namespace": namespace}
    await objects.apply(web)
    await objects.apply(service(namespace, "web"))
    await objects.apply(
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": meta,
            "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}},
        }
    )
    await objects.apply(
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": meta,
            "spec": {
                "maxReplicas": 5,
                "minReplicas": 2,
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            },
        }
    )
    await ready(objects, web)

    async def told() -> bool:
        return "Service web loses all its 2 endpoints: nothing answers there." in await deleter.weighed(web)

    await until(told, what="the service's endpoints are not counted")
    assert await deleter.weighed(web) == [
        "1 replica set and 2 pods go with it.",
        "Service web loses all its 2 endpoints: nothing answers there.",
        "Disruption budget web does not protect from this: it limits evictions only.",
        "Horizontal pod autoscaler web stays, with nothing to scale.",
    ]
    pods = await deleter.place.objects(GVR_PODS, namespace)
    one = {"apiVersion": "v1", "kind": "Pod", "metadata": pods[0]["metadata"]}
    said = await deleter.weighed(one)
    assert "Service web loses 1 of its 2 endpoints until new pods are ready." in said
    owner = pods[0]["metadata"]["ownerReferences"][0]["name"]
    assert f"ReplicaSet {owner} makes a new one in its place." in said


async def test_what_leads_to_a_service_is_said(deleter: Deleter, objects: Objects, namespace: str) -> None:
    """The hosts of an ingress that lead nowhere then, and the address that is given up."""
    await objects.apply(service(namespace, "web"))
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    rule = {"host": "shop.example.com", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    meta = {"name": "shop", "namespace": namespace}
    await objects.apply(
        {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": meta, "spec": {"rules": [rule]}}
    )
    said = await deleter.weighed(service(namespace, "web"))
    assert "Ingress shop leads nowhere then: shop.example.com/." in said
    address = (await objects.get(service(namespace, "web")))["spec"]["clusterIP"]
    assert f"Its address {address} is given up, and web.{namespace} is no longer found by name." in said


async def test_what_uses_a_config_map_is_said(deleter: Deleter, objects: Objects, namespace: str) -> None:
    """Pods that refer to it; and that there are none."""
    used, unused = configmap(namespace, "used"), configmap(namespace, "unused")
    for manifest in (used, unused):
        await objects.apply(manifest)
    env = [{"configMapRef": {"name": "used"}}]
    await objects.apply(pod(namespace, "user", containers=[container("app", image=IMAGE, envFrom=env)]))
    assert "1 pod (user) uses it: those that run go on, new ones will not start." in await deleter.weighed(used)
    assert "No pod uses it now." in await deleter.weighed(unused)


async def test_custom_resources_go_with_their_definition(deleter: Deleter, objects: Objects, namespace: str) -> None:
    """They are counted, and the definition is followed until it is gone."""
    word = f"t{secrets.token_hex(3)}"
    group, plural = f"{word}.example.com", "widgets"
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": plural, "singular": "widget", "kind": "Widget"}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
    }
    await objects.apply(definition)
    for name in ("one", "two"):
        meta = {"name": name, "namespace": namespace}
        await objects.resource(f"{group}/v1", "Widget")
        await objects.apply({"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": meta})
    assert "2 of kind Widget go with it, and cannot be made without it." in await deleter.weighed(definition)
    done = await deleter.delete(definition)
    assert done.works[0].said[""].text == "Gone."
    assert DELETE.asks(done.targets, done.values) is Asks.NAME


async def test_what_runs_on_a_node_is_said(deleter: Deleter, objects: Objects, namespace: str) -> None:
    """Its pods are counted; those that nobody makes again are named."""
    name = f"t-{secrets.token_hex(4)}"
    manifest = node(name)
    await objects.apply(manifest)
    await objects.apply(pod(namespace, "alone", nodeName=name))
    said = await deleter.weighed(manifest)
    assert "1 pod on it goes without an eviction, past all disruption budgets: drain first." in said
    assert "Nobody makes alone again: no controller owns it." in said
    done = await deleter.delete(manifest)
    assert done.works[0].said[""].text == "Gone."


@pytest.mark.parametrize("user", ["viewer", "dev", "nobody"])
async def test_who_may_not_is_refused_by_the_server(
    user: str, cluster: Cluster, opened: Opened, objects: Objects, namespace: str
) -> None:
    """The preview says it in the server's words, and what may not be read before that is said, too."""
    await objects.apply(deployment(namespace, "web", 0))
    deleter = Deleter(Place(await opened(user=user)))
    kind = await deleter.kind(deployment(namespace, "web", 0))
    item = await objects.get(deployment(namespace, "web", 0))
    target = Target(kind, ObjectKey(namespace, "web")).read(item)
    begun = Undertaking(deleter.place, DELETE, [target], deleter.written.append, "")
    begun.values = (await DELETE.form(deleter.place, begun.targets)).start()
    begun.plan()
    [preview] = (await begun.previews())[begun.works[0]]
    assert isinstance(preview.error, Forbidden)
    assert preview.error.sentence == f"{user} may not delete deployments.apps in namespace {namespace}."
    said = [each.text for each in await DELETE.weigh(deleter.place, begun.targets, begun.values)]
    unread = f"Not known: {user} may not list pods in namespace {namespace}, so it is not known what goes with it."
    assert (unread in said) is (user != "viewer")


async def test_several_are_deleted_side_by_side(deleter: Deleter, objects: Objects, namespace: str) -> None:
    """What goes with them is counted together; each comes to its own end, and one failure spoils no other."""
    manifests = [configmap(namespace, f"c-{number}") for number in range(12)]
    for manifest in manifests:
        await objects.apply(manifest)
    begun = await deleter.begin(*manifests)
    assert [said.text for said in await DELETE.weigh(deleter.place, begun.targets, begun.values)] == [
        "No pod uses them now."
    ]
    await objects.delete(manifests[3])
    await begun.do()
    stages = [work.stage for work in begun.works]
    assert stages == [Stage.FAILED if number == 3 else Stage.DONE for number in range(12)]
    assert isinstance(begun.works[3].error, NotFound)
    assert {work.said[""].text for work in begun.works if work.stage is Stage.DONE} == {"Gone."}
    assert len(deleter.written) == 12


async def test_measurements_cannot_be_deleted(deleter: Deleter) -> None:
    """The server's measurements are nothing to delete."""
    found = [kind_of(resource) for resource in (await deleter.place.discovery()).resources if resource.listable]
    offered = {kind.gvr.resource for kind in found if DELETE.offers(kind)}
    assert {"pods", "nodes", "namespaces", "customresourcedefinitions"} <= offered
    assert not any(DELETE.offers(kind) for kind in found if kind.gvr.group == "metrics.k8s.io")
