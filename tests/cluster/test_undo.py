"""Undo on a cluster: what comes back is what was, and what somebody changed since stays theirs."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ktui.actions.action import (
    FIELD_MANAGER,
    JSON,
    JSON_PATCH,
    MERGE_PATCH,
    STRATEGIC_PATCH,
    Action,
    Step,
    Target,
    Undone,
    Write,
)
from ktui.actions.difference import difference
from ktui.actions.journal import Journal, entry_of
from ktui.actions.kubectl import shell_line
from ktui.actions.recreate import taken
from ktui.actions.undertaking import Written
from ktui.actions.undo import AnyUndo, CreateUndo
from ktui.kinds.generic import generic_kind
from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR, ObjectKey
from ktui.kube.client import Client
from ktui.kube.errors import ApiError, Conflict, Invalid, NotFound
from ktui.manifests.lists import ABSENT
from tests.cluster.clusters import Cluster
from tests.cluster.conftest import Kubectl
from tests.cluster.objects import Objects, until
from tests.cluster.specimens import IMAGE, TOLERATION

Json = dict[str, Any]

KINDS = {
    kind.kind: kind
    for kind in (
        generic_kind(GVR("apps", "v1", "deployments"), "Deployment", True),
        generic_kind(GVR("apps", "v1", "statefulsets"), "StatefulSet", True),
        generic_kind(GVR("", "v1", "services"), "Service", True),
        generic_kind(GVR("", "v1", "pods"), "Pod", True),
        generic_kind(GVR("", "v1", "configmaps"), "ConfigMap", True),
        generic_kind(GVR("", "v1", "secrets"), "Secret", True),
        generic_kind(GVR("", "v1", "persistentvolumeclaims"), "PersistentVolumeClaim", True),
        generic_kind(GVR("batch", "v1", "jobs"), "Job", True),
        generic_kind(GVR("batch", "v1", "cronjobs"), "CronJob", True),
    )
}
ANY = Action(id="any", key="x", title="Any", help="", plan=lambda target, values: (), offers=lambda kind: True)


class Acting:
    """Does steps as ktui does them, keeps them in a journal, and does what takes them back.

    Args:
        client: an admin's.
        journal: where they are kept.
    """

    def __init__(self, client: Client, journal: Journal) -> None:
        self.client = client
        self.journal = journal

    async def send(self, write: Write) -> Json:
        query = dict(write.query)
        if write.method != "DELETE":
            query |= {"fieldManager": FIELD_MANAGER}
            query |= {} if write.content_type == JSON_PATCH else {"fieldValidation": "Strict"}
        body = None if write.body is None else msgspec.json.encode(write.body)
        answer = await self.client.request(
            write.method, write.path, query=query, body=body, content_type=write.content_type
        )
        found: Json = msgspec.json.decode(answer.body)
        return found

    async def get(self, kind: Kind, key: ObjectKey) -> Json | None:
        try:
            return msgspec.json.decode((await self.client.request("GET", kind.gvr.path(*key))).body)  # type: ignore[no-any-return]
        except NotFound:
            return None

    async def there(self, kind: Kind, key: ObjectKey) -> Json:
        found = await self.get(kind, key)
        assert found is not None, f"there is no {kind.singular} {key}"
        return found

    async def do(self, step: Step, before: Json | None) -> AnyUndo:
        """Do a step; what takes it back, as the journal has it."""
        after = await self.send(step.write)
        self.journal.append(entry_of(Written(ANY, step, before, after), context="c", at=1.0))
        undo = self.journal.entries()[-1].undo
        assert undo is not None
        return undo

    async def change(self, kind: Kind, key: ObjectKey, body: Any, how: str = STRATEGIC_PATCH) -> AnyUndo:
        """Patch an object."""
        before = await self.there(kind, key)
        target = Target(kind, key, item=before)
        write = Write("PATCH", kind.gvr.path(*key), body, how)
        return await self.do(Step(target, write, ("kubectl",), undone=Undone.PATCH), before)

    async def scale(self, kind: Kind, key: ObjectKey, replicas: int) -> AnyUndo:
        before = await self.there(kind, key)
        write = Write("PATCH", kind.gvr.path(*key, "scale"), {"spec": {"replicas": replicas}}, MERGE_PATCH)
        return await self.do(Step(Target(kind, key, item=before), write, ("kubectl",), undone=Undone.SCALE), before)

    async def create(self, manifest: Json) -> AnyUndo:
        kind, key = of(manifest)
        write = Write("POST", kind.gvr.path(key.namespace), manifest, JSON)
        return await self.do(Step(Target(kind, key), write, ("kubectl",), undone=Undone.DELETE), None)

    async def delete(self, kind: Kind, key: ObjectKey) -> CreateUndo:
        """Delete an object, and wait until it is gone."""
        before = await self.there(kind, key)
        body = {"propagationPolicy": "Background", "preconditions": {"uid": before["metadata"]["uid"]}}
        write = Write("DELETE", kind.gvr.path(*key), body, JSON)
        step = Step(Target(kind, key, item=before), write, ("kubectl",), undone=Undone.CREATE)
        undo = await self.do(step, before)
        assert isinstance(undo, CreateUndo)

        async def gone() -> bool:
            return await self.get(kind, key) is None

        await until(gone, 60, f"{kind.singular} {key} does not go away")
        return undo

    async def back(self, undo: AnyUndo) -> Json:
        """Take something back, as nothing stands against it."""
        kind = KINDS[undo.kind]
        live = await self.get(kind, undo.key)
        assert undo.blocked(live) == []
        return await self.send(undo.step(Target(kind, undo.key, item=live)).write)


@pytest.fixture
def acting(client: Client, tmp_path: Path) -> Acting:
    """Does and undoes."""
    return Acting(client, Journal(client.identity.server, "c", folder=tmp_path / "journal"))


Back = Callable[[AnyUndo], Any]


@pytest.fixture(params=["ktui", "kubectl"])
def back(request: pytest.FixtureRequest, acting: Acting) -> Back:
    """Takes something back, by ktui's request or by its kubectl line."""
    if request.param == "ktui":
        return acting.back
    kubectl: Kubectl = request.getfixturevalue("kubectl")

    async def run(undo: AnyUndo) -> None:
        assert undo.blocked(await acting.there(KINDS[undo.kind], undo.key)) == []
        await kubectl(*undo.kubectl[1:])

    return run


def of(manifest: Json) -> tuple[Kind, ObjectKey]:
    meta = manifest["metadata"]
    return KINDS[manifest["kind"]], ObjectKey(meta["namespace"], meta["name"])


def container(name: str, **more: Any) -> Json:
    return {"name": name, "image": IMAGE, "command": ["/agnhost", "pause"], **more}


def deployment(namespace: str, *containers: Json, name: str = "web", replicas: int = 1, **spec: Any) -> Json:
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [*containers] or [container("web")], "terminationGracePeriodSeconds": 0, **spec},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template},
    }


# -- fields ------------------------------------------------------------------------------------

NOBODY = {"schedulerName": "nobody"}
HOSTILE = "a<b>&\u2028é"

CHANGES: dict[str, tuple[Any, str]] = {
    "image": (
        {"spec": {"template": {"spec": {"containers": [{"name": "log", "image": "busybox:1.37"}]}}}},
        STRATEGIC_PATCH,
    ),
    "labels": ({"metadata": {"labels": {"app": "other", "new": "1"}}}, MERGE_PATCH),
    "label removed": ({"metadata": {"labels": {"app": None, "tier": None}}}, MERGE_PATCH),
    "annotations": ({"metadata": {"annotations": {"note": HOSTILE, "kept": "2"}}}, MERGE_PATCH),
    "paused": ({"spec": {"paused": True}}, STRATEGIC_PATCH),
    "resources": (
        {"spec": {"template": {"spec": {"containers": [{"name": "web", "resources": {"limits": {"cpu": "1"}}}]}}}},
        STRATEGIC_PATCH,
    ),
    "environment": (
        {
            "spec": {
                "template": {
                    "spec": {
                        "containers": [
                            {"name": "web", "env": [{"name": "B", "$patch": "delete"}, {"name": "D", "value": HOSTILE}]}
                        ]
                    }
                }
            }
        },
        STRATEGIC_PATCH,
    ),
    "containers": (
        {
            "spec": {
                "template": {
                    "spec": {
                        "$setElementOrder/containers": [{"name": "new"}, {"name": "log"}],
                        "containers": [{"name": "web", "$patch": "delete"}, container("new")],
                    }
                }
            }
        },
        STRATEGIC_PATCH,
    ),
    "everything": (
        {
            "spec": {
                "strategy": {"type": "Recreate", "rollingUpdate": None},
                "minReadySeconds": 5,
                "template": {"spec": {"containers": [container("one")], "volumes": [{"name": "v", "emptyDir": {}}]}},
            }
        },
        MERGE_PATCH,
    ),
}


@pytest.mark.parametrize("name", CHANGES)
async def test_a_change_goes_back(name: str, namespace: str, acting: Acting, back: Back) -> None:
    """The object is what it was, in every field that is not the server's, by ktui and by the kubectl line it shows."""
    env = [{"name": each, "value": f"{each}<"} for each in "ABC"]
    made = deployment(namespace, container("web", env=env), container("log"), replicas=0, **NOBODY)
    made["metadata"] |= {"annotations": {"kept": "1<"}, "labels": {"app": "web", "tier": "t"}}
    await acting.create(made)
    kind, key = of(made)

    async def settled() -> bool:
        live = await acting.there(kind, key)
        return bool((live.get("status") or {}).get("observedGeneration") == live["metadata"]["generation"])

    await until(settled)
    before = await acting.there(kind, key)
    undo = await acting.change(kind, key, *CHANGES[name])
    assert difference(before, await acting.there(kind, key))
    await back(undo)
    now = await acting.there(kind, key)
    # A controller's count goes on.
    assert [change for change in difference(before, now) if "kubernetes.io/revision" not in change.said] == []


async def test_scale_goes_back(namespace: str, acting: Acting, back: Back) -> None:
    """To none, too, which the scale leaves out."""
    made = deployment(namespace, replicas=2, **NOBODY)
    await acting.create(made)
    kind, key = of(made)
    for replicas in (0, 3):
        undo = await acting.scale(kind, key, replicas)
        assert (await acting.there(kind, key))["spec"]["replicas"] == replicas
        await back(undo)
        assert (await acting.there(kind, key))["spec"]["replicas"] == 2


async def test_a_service_of_another_type_goes_back(namespace: str, acting: Acting, back: Back) -> None:
    """With the ports of its nodes, which nobody asked for by name."""
    item: Json = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": namespace}}
    item["spec"] = {"selector": {"a": "b"}, "ports": [{"name": "a", "port": 80}, {"name": "b", "port": 81}]}
    await acting.create(item)
    kind, key = of(item)
    before = await acting.there(kind, key)
    undo = await acting.change(kind, key, {"spec": {"type": "LoadBalancer"}}, MERGE_PATCH)
    assert all("nodePort" in port for port in (await acting.there(kind, key))["spec"]["ports"])
    await back(undo)
    assert difference(before, await acting.there(kind, key)) == []


async def test_an_undo_can_be_undone(namespace: str, acting: Acting) -> None:
    """As every write."""
    made = deployment(namespace, replicas=0, **NOBODY)
    await acting.create(made)
    kind, key = of(made)
    undo = await acting.change(kind, key, {"metadata": {"labels": {"a": "b"}}})
    live = await acting.there(kind, key)
    redo = await acting.do(undo.step(Target(kind, key, item=live)), live)
    assert "a" not in (await acting.there(kind, key))["metadata"]["labels"]
    await acting.back(redo)
    assert (await acting.there(kind, key))["metadata"]["labels"]["a"] == "b"


async def test_what_somebody_changed_since_is_theirs(namespace: str, acting: Acting) -> None:
    """The undo is refused with the difference, by ktui and by the server; other fields may have changed."""
    made = deployment(namespace, container("web"), container("log"), replicas=0, **NOBODY)
    await acting.create(made)
    kind, key = of(made)
    change = {"spec": {"template": {"spec": {"containers": [{"name": "log", "image": "i:2<"}]}}}}
    undo = await acting.change(kind, key, change)
    await acting.change(kind, key, {"metadata": {"labels": {"theirs": "1"}}, "spec": {"replicas": 1}})
    assert undo.blocked(await acting.there(kind, key)) == []
    change["spec"]["template"]["spec"]["containers"][0]["image"] = "i:3"
    await acting.change(kind, key, change)
    (theirs,) = undo.blocked(await acting.there(kind, key))
    assert theirs[1:] == ("spec.template.spec.containers[log].image", "i:2<", "i:3")
    with pytest.raises(Invalid):
        await acting.send(undo.step(Target(kind, key)).write)
    live = await acting.there(kind, key)
    assert live["spec"]["template"]["spec"]["containers"][1]["image"] == "i:3"


@pytest.mark.parametrize("at", ["labels", "data"])
async def test_what_somebody_put_in_its_place_is_theirs(at: str, namespace: str, acting: Acting) -> None:
    """A label or a key that was removed, and that somebody has set again, is not overwritten."""
    item: Json = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": namespace}}
    item["metadata"]["labels"] = item["data"] = {"a": "1", "b": "2"}
    await acting.create(item)
    kind, key = of(item)
    where: Callable[[Any], Json] = (
        (lambda value: {"metadata": {at: value}}) if at == "labels" else (lambda value: {at: value})
    )
    undo = await acting.change(kind, key, where({"a": None}), MERGE_PATCH)
    assert undo.blocked(await acting.there(kind, key)) == []
    await acting.change(kind, key, where({"a": "3"}), MERGE_PATCH)
    (theirs,) = undo.blocked(await acting.there(kind, key))
    assert theirs[2:] == (ABSENT, "3")
    with pytest.raises(Invalid):
        await acting.send(undo.step(Target(kind, key)).write)


async def test_another_of_the_same_name_is_left_alone(namespace: str, acting: Acting) -> None:
    """Its fields may be the same, its UID is not."""
    item: Json = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": namespace}}
    kind, key = of(item)
    created = await acting.create(item)
    changed = await acting.change(kind, key, {"data": {"a": "1"}})
    deleted = await acting.delete(kind, key)
    await acting.create({**item, "data": {"a": "1"}})
    live = await acting.there(kind, key)
    assert [change.said for change in created.blocked(live)] == ["metadata.uid"]
    assert [change.said for change in changed.blocked(live)] == ["metadata.uid"]
    assert [change.said for change in deleted.blocked(live)] == [f"configmap {namespace}/c"]
    for undo in (created, changed, deleted):
        with pytest.raises((Conflict, Invalid)):
            await acting.send(undo.step(Target(kind, key)).write)
    assert await acting.there(kind, key) == live


# -- creations ---------------------------------------------------------------------------------


async def test_what_was_created_is_deleted(namespace: str, acting: Acting) -> None:
    """Although controllers have written to it since; and not when somebody changed its spec."""
    made = deployment(namespace, replicas=0, **NOBODY)
    undo = await acting.create(made)
    kind, key = of(made)

    async def rolled_out() -> bool:
        live = await acting.there(kind, key)
        return "deployment.kubernetes.io/revision" in (live["metadata"].get("annotations") or {})

    await until(rolled_out)
    await acting.scale(kind, key, 1)
    (change,) = undo.blocked(await acting.there(kind, key))
    assert change[1:] == ("spec.replicas", 0, 1)
    made = {**made, "metadata": {**made["metadata"], "name": "other"}}
    kind, key = of(made)
    await acting.back(await acting.create(made))

    async def gone() -> bool:
        return await acting.get(kind, key) is None

    await until(gone)


async def test_a_created_secret_that_somebody_changed(namespace: str, acting: Acting) -> None:
    """The server refuses to delete it, although ktui has kept nothing of it."""
    meta = {"name": "s", "namespace": namespace}
    item = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": {"a": base64.b64encode(b"x").decode()}}
    undo = await acting.create(item)
    kind, key = of(item)
    assert undo.blocked(await acting.there(kind, key)) == []
    changed = await acting.change(kind, key, {"data": {"a": "eQ=="}})
    assert undo.blocked(await acting.there(kind, key)) != []
    assert changed.refused
    with pytest.raises(Conflict):
        await acting.send(undo.step(Target(kind, key)).write)
    assert "not kept" in (await acting.delete(kind, key)).refused


# -- deletions ---------------------------------------------------------------------------------


def simple(namespace: str) -> dict[str, Json]:
    meta = {"name": "it", "namespace": namespace, "labels": {"app": "it"}}
    pod = {
        "containers": [container("app")],
        "terminationGracePeriodSeconds": 0,
        "schedulerName": "default-scheduler",
        "tolerations": [TOLERATION],
        "nodeSelector": {"nothing": "has-this"},
    }
    template = {"metadata": {"labels": {"app": "it"}}, "spec": pod}
    claim = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
        "storageClassName": "none",
    }
    once = {"template": {**template, "spec": {**pod, "restartPolicy": "Never"}}}
    apps = {"selector": {"matchLabels": {"app": "it"}}, "template": template}
    stateful = {**apps, "serviceName": "it", "volumeClaimTemplates": [{"metadata": {"name": "d"}, "spec": claim}]}
    return {
        "Pod": {"apiVersion": "v1", "metadata": meta, "spec": {**pod, "hostname": "h"}},
        "ConfigMap": {"apiVersion": "v1", "metadata": meta, "data": {"a": "1\n<2>"}, "binaryData": {"b": "AAE="}},
        "PersistentVolumeClaim": {"apiVersion": "v1", "metadata": meta, "spec": claim},
        "Job": {"apiVersion": "batch/v1", "metadata": meta, "spec": once},
        "CronJob": {
            "apiVersion": "batch/v1",
            "metadata": meta,
            "spec": {"schedule": "0 0 1 1 *", "suspend": True, "jobTemplate": {"spec": once}},
        },
        "StatefulSet": {"apiVersion": "apps/v1", "metadata": meta, "spec": stateful},
    }


# What a server or a controller writes anew, each time in its own way.
_ANEW = ("controller-uid", "kube-api-access-", "spec.nodeName")


@pytest.mark.parametrize(
    "name", ["Pod", "ConfigMap", "PersistentVolumeClaim", "Job", "CronJob", "StatefulSet"]
)  # fmt: skip
@pytest.mark.parametrize("by", ["ktui", "kubectl"])
async def test_what_was_deleted_comes_back(
    name: str, by: str, namespace: str, acting: Acting, request: pytest.FixtureRequest
) -> None:
    """It is what it was, but for its UID and what is made of it."""
    item = {"kind": name, **simple(namespace)[name]}
    await acting.create(item)
    kind, key = of(item)
    before = await acting.there(kind, key)
    undo = await acting.delete(kind, key)
    assert undo.blocked(None) == []
    if by == "ktui":
        await acting.back(undo)
    else:
        file = request.getfixturevalue("tmp_path") / "manifest.yaml"
        file.write_text(undo.step(Target(kind, key)).stdin)
        assert shell_line(undo.kubectl) == f"kubectl -n {namespace} create -f -"
        kubectl: Kubectl = request.getfixturevalue("kubectl")
        await kubectl("-n", namespace, "create", "-f", str(file))
    now = await acting.there(kind, key)
    assert now["metadata"]["uid"] != before["metadata"]["uid"]
    left = [change for change in difference(before, now) if not any(word in str(change) for word in _ANEW)]
    assert left == []
    if name == "Job":
        selected = now["spec"]["selector"]["matchLabels"]["batch.kubernetes.io/controller-uid"]
        assert selected == now["metadata"]["uid"]


async def test_a_deleted_application_works_again(
    cluster: Cluster, namespace: str, acting: Acting, objects: Objects
) -> None:
    """A deployment and its service: its pods run, and the service has its address, with them behind it."""
    run = ["/agnhost", "netexec", "--http-port=8080"]
    made = deployment(namespace, container("web", command=run, ports=[{"containerPort": 8080}]), replicas=2)
    service: Json = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {"type": "LoadBalancer", "selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
    }
    await acting.create(made)
    await acting.create(service)

    async def works() -> bool:
        live = await acting.there(*of(made))
        slices = await acting.client.get_json(
            GVR("discovery.k8s.io", "v1", "endpointslices").path(namespace),
            query={"labelSelector": "kubernetes.io/service-name=web"},
        )
        ready = [end for each in slices["items"] for end in each["endpoints"] or () if end["conditions"]["ready"]]
        return (live.get("status") or {}).get("readyReplicas") == 2 and len(ready) == 2

    await until(works, 60, "it did not come up")
    before = [await acting.there(*of(each)) for each in (made, service)]
    undos = [await acting.delete(*of(each)) for each in (made, service)]
    # The application's pods go with it; the new ones are others.
    for undo in reversed(undos):
        await acting.back(undo)
    await until(works, 60, "it did not work again")
    now = [await acting.there(*of(each)) for each in (made, service)]
    assert [difference(was, is_now) for was, is_now in zip(before, now, strict=True)] == [[], []]
    assert now[1]["spec"]["clusterIP"] == before[1]["spec"]["clusterIP"]
    assert now[1]["spec"]["ports"] == before[1]["spec"]["ports"]


async def test_a_service_whose_address_is_taken_gets_another(namespace: str, acting: Acting) -> None:
    """The server says what is taken, and the second manifest is accepted."""
    ports = [{"port": 80}]
    first: Json = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a", "namespace": namespace}}
    first["spec"] = {"type": "NodePort", "ports": ports, "selector": {"app": "a"}}
    await acting.create(first)
    kind, key = of(first)
    address = (await acting.there(kind, key))["spec"]["clusterIP"]
    undo = await acting.delete(kind, key)
    thief = {**first, "metadata": {"name": "b", "namespace": namespace}, "spec": {"clusterIP": address, "ports": ports}}
    await acting.create(thief)
    with pytest.raises(ApiError) as raised:
        await acting.send(undo.step(Target(kind, key)).write)
    assert taken(raised.value)
    await acting.send(undo.step_for(Target(kind, key), otherwise=True).write)
    assert (await acting.there(kind, key))["spec"]["clusterIP"] != address


async def test_an_owner_that_is_gone(cluster: Cluster, namespace: str, acting: Acting) -> None:
    """What names only owners that are gone would be collected; without them it stays."""
    owner: Json = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "owner", "namespace": namespace}}
    await acting.create(owner)
    uid = (await acting.there(*of(owner)))["metadata"]["uid"]
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid}
    meta = {"name": "it", "namespace": namespace, "ownerReferences": [reference]}
    owned = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}
    await acting.create(owned)
    kind, key = of(owned)
    undo = await acting.delete(kind, key)
    await acting.delete(*of(owner))
    assert [each.uid for each in undo.owners] == [uid]
    await acting.send(undo.step(Target(kind, key)).write)

    async def collected() -> bool:
        return await acting.get(kind, key) is None

    await until(collected, 30, "the garbage collector left it")
    await acting.send(undo.step_for(Target(kind, key), owner_gone=True).write)
    assert "ownerReferences" not in (await acting.there(kind, key))["metadata"]
