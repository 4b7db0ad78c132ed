"""The lesson: hello-node is created, exposed, scaled, restarted, deleted and undone, and works again.

It follows https://kubernetes.io/docs/tutorials/hello-minikube/, with ktui's actions in place of kubectl.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ktui.actions import service_words
from ktui.actions.action import Action, JsonObject
from ktui.actions.create_deployment import CREATE_DEPLOYMENT
from ktui.actions.delete import DELETE
from ktui.actions.difference import difference
from ktui.actions.expose import EXPOSE
from ktui.actions.journal import Entry, Journal, Result, as_script, batches, entry_of
from ktui.actions.place import Place
from ktui.actions.rollout_restart import RESTART
from ktui.actions.rollout_status import ROLLOUT_STATUS
from ktui.actions.scale import SCALE
from ktui.actions.undertaking import Stage, Undertaking, Written
from ktui.actions.undoing import undo_action, undo_targets
from ktui.kinds.deployments import DEPLOYMENTS
from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR_ENDPOINT_SLICES, GVR_PODS, ObjectKey
from ktui.kinds.services import SERVICES
from ktui.kube.errors import Forbidden, NotFound
from ktui.kube.session import Session
from tests.cluster.clusters import Cluster
from tests.cluster.conftest import Opened
from tests.cluster.doing import Deed
from tests.cluster.objects import Objects, until

IMAGE = "registry.k8s.io/e2e-test-images/agnhost:2.53"
COMMAND = "/agnhost netexec --http-port=8080"

# Revisions are counted anew, and the server counts versions.
_ANEW = ("deployment.kubernetes.io/revision",)


class Lesson:
    """One person's hello-node.

    Args:
        session: the person's connection.
        key: namespace and name of the deployment and of its service.
        folder: where the journal is.
    """

    def __init__(self, session: Session, key: ObjectKey, folder: Path) -> None:
        self.session = session
        self.place = Place(session)
        self.key = key
        self.journal = Journal("https://lesson", "lesson", folder=folder)
        self._batch = 0

    async def does(self, action: Action, kind: Kind, key: ObjectKey | None = None, **values: Any) -> Deed:
        """An action to its end, as the dialog does it, without a refusal anywhere."""
        deed = Deed(self.session, action, kind, self.key if key is None else key, **values)
        self._keeps(deed.undertaking)
        await deed.prepare()
        assert [str(preview.error) for preview in deed.previews if preview.error] == []
        await deed.undertaking.do()
        assert deed.undertaking.works[0].stage is Stage.DONE, deed.error
        return deed

    async def undoes(self, entries: Sequence[Entry]) -> Undertaking:
        """What was done together, taken back as `U` takes it back."""
        undertaking = Undertaking(
            self.place, undo_action(entries), await undo_targets(self.place, entries), lambda written: None, ""
        )
        self._keeps(undertaking)
        await undertaking.read()
        undertaking.values = (await undertaking.action.form(self.place, undertaking.targets)).start()
        undertaking.plan()
        for found in (await undertaking.previews()).values():
            assert [str(preview.error) for preview in found if preview.error] == []
        await undertaking.do()
        assert [work.stage for work in undertaking.works] == [Stage.DONE] * len(undertaking.works)
        for entry in entries:
            self.journal.undone(entry.id)
        return undertaking

    def _keeps(self, undertaking: Undertaking) -> None:
        self._batch += 1
        undertaking.batch = str(self._batch)

        def keep(written: Written) -> None:
            self.journal.append(entry_of(written, context="lesson", at=float(self._batch)))

        undertaking.keep = keep

    async def there(self, kind: Kind) -> JsonObject:
        """The deployment, or the service, as it is now."""
        return await self.place.get(kind.gvr, self.key)

    async def works(self, replicas: int) -> bool:
        """Whether so many pods are ready, and the service leads to just these."""
        try:
            deployment = await self.there(DEPLOYMENTS)
        except NotFound:
            return False
        labels = f"kubernetes.io/service-name={self.key.name}"
        slices = await self.place.objects(GVR_ENDPOINT_SLICES, self.key.namespace, labels=labels)
        pods = await self.place.objects(GVR_PODS, self.key.namespace, labels=f"app={self.key.name}")
        addresses = {pod["status"].get("podIP") for pod in pods if not pod["metadata"].get("deletionTimestamp")}
        ready = [
            end["addresses"][0]
            for one in slices
            for end in one.get("endpoints") or ()
            if (end.get("conditions") or {}).get("ready")
        ]
        count = (deployment.get("status") or {}).get("readyReplicas", 0)
        return count == replicas == len(ready) and set(ready) == addresses

    async def is_learned(self) -> None:
        """All of it."""
        here = ObjectKey(self.key.namespace, "")
        name = self.key.name
        created = await self.does(CREATE_DEPLOYMENT, DEPLOYMENTS, here, name=name, images=IMAGE, command=COMMAND)
        assert created.told[-1].text == f'deployment "{name}" successfully rolled out'
        exposed = await self.does(EXPOSE, DEPLOYMENTS, ports="8080", type="LoadBalancer")
        assert "1 of 1 endpoint ready" in [said.text for said in exposed.told]
        assert any("still pending" in said.text for said in exposed.told), exposed.told
        scaled = await self.does(SCALE, DEPLOYMENTS, replicas=3)
        assert scaled.told[-1].text == "All 3 replicas are ready."
        pods = await self._pods()
        restarted = await self.does(RESTART, DEPLOYMENTS)
        followed = await self.does(ROLLOUT_STATUS, DEPLOYMENTS)
        assert restarted.told[-1].text == followed.told[-1].text == f'deployment "{name}" successfully rolled out'
        assert not await self._pods() & pods
        await until(lambda: self.works(3), 60, "it did not come up")

        before = {kind: await self.there(kind) for kind in (SERVICES, DEPLOYMENTS)}
        for kind in before:
            deleted = await self.does(DELETE, kind)
            assert deleted.told[-1].text == "Gone."
        for kind in before:
            with pytest.raises(NotFound):
                await self.there(kind)
        await self._comes_back(before)

    async def _comes_back(self, before: dict[Kind, JsonObject]) -> None:
        """Both are undone, the last one first, and it is what it was."""
        deletions = [entries for entries in batches(self.journal.entries()) if entries[0].action == DELETE.title]
        assert [entry.subject for (entry,) in deletions] == [f"service {self.key}", f"deployment {self.key}"]
        for entries in reversed(deletions):
            await self.undoes(entries)
        await until(lambda: self.works(3), 60, "it did not work again")
        for kind, was in before.items():
            now = await self.there(kind)
            assert now["metadata"]["uid"] != was["metadata"]["uid"]
            changes = [change.said for change in difference(was, now)]
            assert [said for said in changes if not any(word in said for word in _ANEW)] == []
        service, was = await self.there(SERVICES), before[SERVICES]
        assert service["spec"]["clusterIP"] == was["spec"]["clusterIP"]
        assert service["spec"]["ports"] == was["spec"]["ports"]
        entries = self.journal.entries()
        assert {entry.result for entry in entries} == {Result.DONE}
        assert [entry.undone for entry in entries] == [False] * 4 + [True] * 2 + [False] * 2
        assert f"kubectl --context lesson -n {self.key.namespace} scale" in as_script(entries)

    async def _pods(self) -> set[str]:
        pods = await self.place.objects(GVR_PODS, self.key.namespace, labels=f"app={self.key.name}")
        return {pod["metadata"]["uid"] for pod in pods if not pod["metadata"].get("deletionTimestamp")}


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody provides load balancers on these clusters."""
    monkeypatch.setattr(service_words, "PATIENCE", 0.5)


@asynccontextmanager
async def cleaned_up(objects: Objects, key: ObjectKey) -> AsyncIterator[None]:
    """Nothing is left in a namespace that stays."""
    try:
        yield
    finally:
        meta = {"namespace": key.namespace, "name": key.name}
        await objects.delete({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta})
        await objects.delete({"apiVersion": "v1", "kind": "Service", "metadata": meta})


async def test_the_lesson(namespace: str, opened: Opened, tmp_path: Path) -> None:
    """From nothing to an application that works, and back to it after its deletion."""
    await Lesson(await opened(), ObjectKey(namespace, "hello-node"), tmp_path / "journal").is_learned()


async def test_the_lesson_of_a_developer(cluster: Cluster, objects: Objects, opened: Opened, tmp_path: Path) -> None:
    """Who may edit one namespace, and sees nothing of the cluster, can do all of it there."""
    key = ObjectKey(cluster.own_namespaces[0], f"hello-node-{secrets.token_hex(3)}")
    session = await opened(user="dev", known=cluster.own_namespaces)
    async with cleaned_up(objects, key):
        await Lesson(session, key, tmp_path / "journal").is_learned()


@pytest.mark.parametrize("user", ["viewer", "nobody"])
async def test_who_may_not_is_told_so(
    user: str, cluster: Cluster, namespace: str, objects: Objects, opened: Opened, tmp_path: Path
) -> None:
    """In words, before anything is done and after it was tried; nothing is changed, and the journal has the attempt."""
    admin = Lesson(await opened(), ObjectKey(namespace, "hello-node"), tmp_path / "admin")
    here = ObjectKey(namespace, "")
    values = {"name": "hello-node", "images": IMAGE, "command": COMMAND, "replicas": 0}
    session = await opened(user=user)
    refused = Deed(session, CREATE_DEPLOYMENT, DEPLOYMENTS, here, **values)
    await refused.done()
    assert [type(preview.error) for preview in refused.previews] == [Forbidden]
    assert refused.refusal == f"{user} may not create deployments.apps in namespace {namespace}."
    assert refused.error is not None
    assert "ask whoever runs the cluster" in refused.error.next_step
    assert [type(one.error) for one in refused.written] == [Forbidden]
    await admin.does(CREATE_DEPLOYMENT, DEPLOYMENTS, here, **values)
    before = await admin.there(DEPLOYMENTS)
    verbs = {
        SCALE: "patch deployments/scale.apps",
        RESTART: "patch deployments.apps",
        DELETE: "delete deployments.apps",
    }
    for action, words in verbs.items():
        deed = Deed(session, action, DEPLOYMENTS, admin.key, **({"replicas": 5} if action is SCALE else {}))
        if user == "nobody":
            with pytest.raises(Forbidden, match=rf"nobody may not get deployments\.apps in namespace {namespace}\."):
                await deed.prepare()
            assert deed.written == []
        else:
            await deed.done()
            assert deed.refusal == f"viewer may not {words} in namespace {namespace}."
            assert deed.undertaking.works[0].stage is Stage.FAILED
    assert difference(before, await admin.there(DEPLOYMENTS)) == []
