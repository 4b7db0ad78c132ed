"""Edits on clusters: by patch, apply, replace and recreation an object becomes what was edited, whoever else writes."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from ktui.actions.action import Action, Asks, JsonObject
from ktui.actions.edit import edit_action, editable
from ktui.actions.journal import Entry, entry_of
from ktui.actions.place import Place
from ktui.actions.replace import create_again_action, immutable, recreate_action, replace_action
from ktui.actions.server_side_apply import conflicts_of, server_side_apply_action
from ktui.actions.undertaking import Stage
from ktui.actions.undoing import undo_action
from ktui.kinds.names import ObjectKey
from ktui.kube.client import Client
from ktui.kube.discovery import discover
from ktui.kube.errors import Conflict, NotFound
from ktui.kube.listing import kind_of
from ktui.kube.openapi import SavedSchemas
from ktui.kube.session import Session
from ktui.manifests.cleaning import clean as cleaned
from ktui.manifests.cleaning import restored
from ktui.manifests.lists import GUESSED, Lists
from ktui.manifests.merge import merge
from ktui.manifests.patches import changes
from ktui.manifests.reading import read
from ktui.manifests.writing import write
from tests.cluster import specimens
from tests.cluster.clusters import Cluster
from tests.cluster.conftest import Opened
from tests.cluster.creating import Creating, Refused
from tests.cluster.doing import Deed
from tests.cluster.objects import Manifest, Objects, gadgets, until
from tests.cluster.test_merge import container, content, pod, web
from tests.unit.test_schema import DOCUMENTS

Change = Callable[[dict[str, Any]], None]
Make = Callable[..., Action]


Begin = Callable[..., Awaitable["Editing"]]


class Editing:
    """An object that is edited as the editor does it.

    Args:
        session: the connection.
        objects: the cluster's.
        manifest: the object.
    """

    def __init__(self, session: Session, objects: Objects, manifest: Manifest) -> None:
        self.session, self.objects, self.manifest = session, objects, manifest
        self.key = ObjectKey(manifest["metadata"].get("namespace", ""), manifest["metadata"]["name"])
        self.lists: Lists = GUESSED
        self.base: JsonObject = {}
        self.written: list[Entry] = []

    async def open(self) -> Editing:
        """Read it, and how it is merged; of the documents of a real server, as the embedded cluster has few schemas."""
        self.kind = kind_of(await self.objects.resource(self.manifest["apiVersion"], self.manifest["kind"]))
        gvr = self.kind.gvr
        schema = await SavedSchemas(DOCUMENTS).schema(gvr.group, gvr.version, self.kind.kind)
        self.lists = schema.lists if schema is not None else GUESSED
        self.base = await self.live()
        return self

    async def live(self) -> dict[str, Any]:
        return await self.objects.get(self.manifest)

    def changed(self, change: Change) -> JsonObject:
        """What it shall be."""
        mine = copy.deepcopy(editable(self.base))
        change(mine)
        return mine

    def act(self, make: Make, change: Change, **more: Any) -> Deed:
        """What the dialog does."""
        action = make(editable(self.base), self.changed(change), self.lists, {}, **more)
        return Deed(self.session, action, self.kind, self.key)

    async def done(self, make: Make, change: Change, **more: Any) -> Deed:
        """Done, and kept in a journal."""
        deed = await self.act(make, change, **more).done()
        for _ in range(5):
            if isinstance(deed.error, Conflict):
                # A controller was faster; the person reads it again.
                deed.undertaking.again()
                await deed.done()
        self.written += [entry_of(each, context="c", at=1.0) for each in deed.written]
        assert deed.error is None, deed.error
        return deed

    async def undone(self) -> Deed:
        """All that was done is undone."""
        deed = await Deed(self.session, undo_action(self.written), self.kind, self.key).done()
        assert deed.error is None, deed.error
        return deed


@pytest.fixture
async def editing(opened: Opened, objects: Objects) -> Begin:
    """Makes an object, and begins to edit it."""
    session = await opened()

    async def begin(manifest: Manifest, manager: str = "ktui") -> Editing:
        path = await objects.path(manifest)
        await objects.patch(path, manifest, "application/apply-patch+yaml", fieldManager=manager, force="true")
        return await Editing(session, objects, manifest).open()

    return begin


def told(deed: Deed) -> list[tuple[str, str]]:
    """Fields that others own, and by whom, as the server refuses the dry run."""
    found = conflicts_of(deed.undertaking)
    return [(each.said, each.owner.manager) for each in found.conflicts] if found is not None else []


# -- three ways ------------------------------------------------------------------------------------


def _config(item: dict[str, Any]) -> None:
    item["data"] = {"a": "2", "c": "line\nline\n"}


def _ports(item: dict[str, Any]) -> None:
    item["spec"]["ports"][0]["targetPort"] = 8081
    item["spec"]["ports"].append({"name": "other", "port": 81, "protocol": "TCP", "targetPort": 81})
    item["metadata"]["labels"] = {"a": "b"}


def _much(item: dict[str, Any]) -> None:
    container(item)["image"] = "registry.k8s.io/pause:3.9"
    container(item)["env"][1]["value"] = "22"
    container(item)["env"].append({"name": "D", "value": "4"})
    item["metadata"]["labels"]["new"] = "yes"
    item["spec"]["minReadySeconds"] = 3
    pod(item)["tolerations"].append({"key": "b", "operator": "Exists"})


def _rules(item: dict[str, Any]) -> None:
    item["rules"].append({"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"]})


def several(namespace: str) -> list[tuple[Manifest, Change]]:
    """Objects of several kinds, and what is edited of each."""
    meta = {"name": "edited", "namespace": namespace}
    return [
        ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"a": "1", "b": "1"}}, _config),
        (
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": meta,
                "spec": {"selector": {"a": "b"}, "ports": [{"name": "http", "port": 80}]},
            },
            _ports,
        ),
        (web(namespace, "edited"), _much),
        (
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "Role",
                "metadata": meta,
                "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}],
            },
            _rules,
        ),
    ]


@pytest.mark.parametrize("make", [edit_action, server_side_apply_action, replace_action])
async def test_objects_become_what_was_edited_and_what_they_were(make: Make, editing: Begin, namespace: str) -> None:
    """Whichever way it is sent; and undoing gives back what was."""
    for manifest, change in several(namespace):
        edit = await editing(manifest)
        before = await edit.live()
        deed = await edit.done(make, change)
        assert [preview.error for preview in deed.previews] == [None]
        assert content(await edit.live()) == content(edit.changed(change))
        await edit.undone()
        assert content(await edit.live()) == content(before)


@pytest.mark.parametrize("make", [edit_action, server_side_apply_action, replace_action])
async def test_the_kubectl_line_does_the_same(make: Make, editing: Begin, cluster: Cluster, namespace: str) -> None:
    """With what it reads, it makes of the object what was edited."""
    for manifest, change in several(namespace):
        edit = await editing(manifest)
        acting = Creating(Place(edit.session), cluster)

        async def line(edit: Editing = edit, change: Change = change, acting: Creating = acting) -> bool:
            deed = await edit.act(make, change).prepare()
            (step,) = deed.undertaking.works[0].steps
            try:
                await acting.kubectl(step.kubectl[1:], step.stdin)
            except Refused as refused:
                if "has been modified" not in str(refused):
                    raise
                # By a controller, meanwhile.
                return False
            return True

        await until(line)
        assert content(await edit.live()) == content(edit.changed(change))


# -- every kind ------------------------------------------------------------------------------------


async def test_objects_of_every_kind_come_back_as_they_were(client: Client, objects: Objects, namespace: str) -> None:
    """Shown, written and read again, nothing of them is changed; secrets neither masked nor decoded."""
    await objects.apply(web(namespace))
    data = {"text": "aHVudGVyMg==", "binary": "/w=="}
    meta = {"name": "s", "namespace": namespace}
    await objects.apply({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": data})
    await objects.apply(specimens.pod(namespace, "p"))
    await objects.apply(definition(namespace))
    await objects.apply(await served(objects, namespace, {"size": 3, "parts": [{"name": "a", "value": "1"}]}))
    seen = set()
    for resource in (await discover(client)).resources:
        if "list" not in resource.verbs:
            continue
        answer = await client.request("GET", resource.gvr.path(), query={"limit": "40"})
        for found in json.loads(answer.body)["items"]:
            item = {"apiVersion": resource.gvr.group_version, "kind": resource.kind, **found}
            for decoded in (False, True):
                (document,) = read(write(cleaned(item, decoded=decoded).value)).documents
                back = restored(document.value, item)
                assert back.lost == []
                base, mine = editable(item), editable(back.value)
                assert merge(base, base, mine, GUESSED).value == base, item
                assert changes(base, mine, GUESSED).body == {}, item
            seen.add(resource.kind)
    assert seen >= {"Deployment", "Secret", "ConfigMap", "Namespace", "Node", "Pod", "Service", "Gadget"}


def definition(namespace: str) -> dict[str, Any]:
    """A kind of its own, with a list that is merged by names, and one that is not."""
    values = {"name": {"type": "string"}, "value": {"type": "string"}}
    part = {"type": "object", "required": ["name"], "properties": values}
    keyed = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
    fields = {
        "size": {"type": "integer"},
        "words": {"type": "array", "items": {"type": "string"}},
        "parts": {"type": "array", "items": part, **keyed},
        "fixed": {"type": "string", "x-kubernetes-validations": [{"rule": "self == oldSelf"}]},
    }
    return gadgets(namespace, fields)


async def served(objects: Objects, namespace: str, spec: dict[str, Any]) -> dict[str, Any]:
    """An object of that kind, which is served by now."""
    manifest = {
        "apiVersion": f"{namespace}.example.com/v1",
        "kind": "Gadget",
        "metadata": {"name": "one", "namespace": namespace},
        "spec": spec,
    }

    async def there() -> bool:
        try:
            await objects.apply(manifest)
        except NotFound:
            return False
        return True

    await until(there, what="the kind is not served")
    await objects.delete(manifest)
    return manifest


def _gadget(item: dict[str, Any]) -> None:
    item["spec"] |= {"size": 4, "words": ["b", "c"]}
    item["spec"]["parts"] = [{"name": "a", "value": "2"}, {"name": "c", "value": "3"}]


def _wrong_type(item: dict[str, Any]) -> None:
    item["spec"]["size"] = "three"


def _unknown_field(item: dict[str, Any]) -> None:
    item["spec"]["colour"] = "red"


@pytest.mark.parametrize("make", [edit_action, server_side_apply_action, replace_action])
async def test_custom_resources(make: Make, editing: Begin, objects: Objects, namespace: str) -> None:
    """Become what was edited, and what they were; what their schema refuses, is refused before it is done."""
    await objects.apply(definition(namespace))
    parts = [{"name": "a", "value": "1"}, {"name": "b", "value": "1"}]
    manifest = await served(objects, namespace, {"size": 3, "words": ["a", "b"], "parts": parts})
    edit = await editing(manifest)
    before = await edit.live()
    await edit.done(make, _gadget)
    assert content(await edit.live()) == content(edit.changed(_gadget))
    await edit.undone()
    assert content(await edit.live()) == content(before)
    await edit.open()
    for wrong in (_wrong_type, _unknown_field):
        deed = await edit.act(make, wrong).prepare()
        assert [preview.refused for preview in deed.previews] == [True], wrong.__name__


async def test_items_of_a_custom_resource_have_owners(editing: Begin, objects: Objects, namespace: str) -> None:
    """By their names, as the server keeps them, though ktui knows no schema."""
    await objects.apply(definition(namespace))
    parts = [{"name": "a", "value": "1"}, {"name": "b", "value": "1"}]
    manifest = await served(objects, namespace, {"size": 3, "parts": parts})
    edit = await editing(manifest, manager="somebody")
    deed = await edit.act(server_side_apply_action, _gadget).prepare()
    assert deed.refusal == "An apply does not remove spec.parts[b]: applied by somebody."

    def value(item: dict[str, Any]) -> None:
        item["spec"]["parts"][0]["value"] = "2"

    deed = await edit.act(server_side_apply_action, value).prepare()
    assert told(deed) == [("spec.parts[a].value", "somebody")]
    await edit.done(server_side_apply_action, value, force=True)
    assert (await edit.live())["spec"]["parts"] == [{"name": "a", "value": "2"}, {"name": "b", "value": "1"}]


# -- owners ----------------------------------------------------------------------------------------


def _a(item: dict[str, Any]) -> None:
    item["data"] |= {"a": "mine", "new": "mine"}


def _no_b(item: dict[str, Any]) -> None:
    del item["data"]["b"]


def config(namespace: str, **data: str) -> Manifest:
    """A config map."""
    meta = {"name": "owned", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}


async def test_who_owns_a_field_is_named_and_asked(editing: Begin, namespace: str) -> None:
    """Taken over by force, or left to its owner; nothing else of theirs is touched."""
    edit = await editing(config(namespace, a="1", b="1"), manager="somebody")
    deed = await edit.act(server_side_apply_action, _a).prepare()
    assert told(deed) == [("data.a", "somebody")]
    assert deed.previews[0].refused
    conflicts = conflicts_of(deed.undertaking)
    assert conflicts is not None

    await edit.done(server_side_apply_action, _a, leave=[each.key for each in conflicts.conflicts])
    assert (await edit.live())["data"] == {"a": "1", "b": "1", "new": "mine"}
    await edit.undone()
    await edit.open()
    await edit.done(server_side_apply_action, _a, force=True)
    assert (await edit.live())["data"] == {"a": "mine", "b": "1", "new": "mine"}


async def test_what_others_own_is_not_removed_by_an_apply(editing: Begin, namespace: str) -> None:
    """It is refused, with what can be done."""
    edit = await editing(config(namespace, a="1", b="1"), manager="somebody")
    deed = await edit.act(server_side_apply_action, _no_b, force=True).prepare()
    assert deed.refusal == "An apply does not remove data.b: applied by somebody."
    await edit.done(edit_action, _no_b)
    assert (await edit.live())["data"] == {"a": "1"}


async def test_what_ktui_patched_it_may_apply(editing: Begin, namespace: str) -> None:
    """The server takes its patches and its applies for two managers; nobody is asked about oneself."""
    edit = await editing(config(namespace, a="1", b="1"), manager="somebody")
    await edit.done(edit_action, _a)
    await edit.open()

    def again(item: dict[str, Any]) -> None:
        item["data"] |= {"a": "2", "new": "2"}

    deed = await edit.done(server_side_apply_action, again)
    assert [preview.error for preview in deed.previews] == [None]
    assert (await edit.live())["data"] == {"a": "2", "b": "1", "new": "2"}


async def test_an_object_that_is_gone_is_not_made_by_an_apply(editing: Begin, objects: Objects, namespace: str) -> None:
    """Not even in the last moment."""
    edit = await editing(config(namespace, a="1"))
    deed = await edit.act(server_side_apply_action, _a).prepare()
    await objects.delete(edit.manifest)
    await deed.undertaking.do()
    assert deed.undertaking.works[0].stage is Stage.FAILED
    with pytest.raises(NotFound):
        await edit.live()


# -- deleted and created again ---------------------------------------------------------------------


def _selector(item: dict[str, Any]) -> None:
    item["spec"]["selector"]["matchLabels"] = {"app": "other"}
    item["spec"]["template"]["metadata"]["labels"] = {"app": "other"}


async def test_immutable_fields_are_told_and_the_object_is_recreated(editing: Begin, namespace: str) -> None:
    """The dry run says which; recreating asks for more than Enter, and undoing brings the old one back."""
    edit = await editing(web(namespace))
    deed = await edit.act(edit_action, _selector).prepare()
    (preview,) = deed.previews
    assert [cause.field for cause in immutable(preview.error)] == ["spec.selector"]

    deed = await edit.done(recreate_action, _selector)
    assert deed.undertaking.action.asks(deed.undertaking.targets, {}) is Asks.CONFIRM
    assert [preview.error for preview in deed.previews] == [None, None]
    now = await edit.live()
    assert now["metadata"]["uid"] != edit.base["metadata"]["uid"]
    assert content(now) == content(edit.changed(_selector))
    await edit.undone()
    assert content(await edit.live()) == content(edit.base)


async def test_nothing_is_deleted_that_could_not_be_created(editing: Begin, namespace: str) -> None:
    """The server is asked before."""
    edit = await editing(web(namespace))

    def wrong(item: dict[str, Any]) -> None:
        _selector(item)
        item["spec"]["template"]["metadata"]["labels"] = {"app": "third"}

    deed = await edit.act(recreate_action, wrong).prepare()
    assert [preview.refused for preview in deed.previews] == [False, True]


async def test_what_could_not_be_created_after_all_can_be_tried_again(
    editing: Begin, objects: Objects, namespace: str
) -> None:
    """It is told how, and what was deleted is not deleted twice."""
    edit = await editing(config(namespace, a="1"))
    deed = await edit.act(recreate_action, _a).prepare()
    undertaking = deed.undertaking
    work = undertaking.works[0]
    deletion, creation = work.steps
    # What no dry run foresees.
    wrong = {**creation.write.body, "metadata": {**creation.write.body["metadata"], "name": "Wrong Name"}}
    work.steps = deletion, dataclasses.replace(creation, write=dataclasses.replace(creation.write, body=wrong))
    await undertaking.do()
    assert work.stage is Stage.FAILED
    assert work.error is not None
    assert "still in the editor" in work.error.next_step
    undertaking.again()
    await deed.prepare()
    assert [preview.error for preview in deed.previews] == [None, None]
    await undertaking.do()
    assert work.error is None
    assert (await edit.live())["data"] == {"a": "mine", "new": "mine"}


async def test_an_object_that_was_deleted_meanwhile_is_created_again(
    editing: Begin, objects: Objects, namespace: str
) -> None:
    """As it was edited, without what only the server gives."""
    edit = await editing(web(namespace))
    await objects.delete(edit.manifest, propagationPolicy="Background")

    async def gone() -> bool:
        try:
            await edit.live()
        except NotFound:
            return True
        return False

    await until(gone, what="the deployment stays")
    action = create_again_action(editable(edit.base), edit.changed(_much), edit.kind)
    deed = await Deed(edit.session, action, edit.kind, ObjectKey(namespace, "")).done()
    assert deed.error is None
    assert content(await edit.live()) == content(edit.changed(_much))


# -- a concurrent writer ---------------------------------------------------------------------------


@pytest.mark.parametrize("make", [edit_action, server_side_apply_action, replace_action])
async def test_nothing_is_lost_while_somebody_else_writes(
    make: Make, editing: Begin, objects: Objects, namespace: str
) -> None:
    """They write all the time; what is refused as a conflict is read and merged again."""
    edit = await editing(config(namespace, a="1", b="1"))
    written, turns = 0, asyncio.Semaphore(0)

    async def write() -> None:
        nonlocal written
        while True:
            if make is replace_action:
                # A replacement is done only when nobody else writes.
                await turns.acquire()
            written += 1
            await objects.change(edit.manifest, {"data": {f"t{written % 7}": str(written), "count": str(written)}})

    writer = asyncio.create_task(write())
    for number in range(5):
        await edit.open()

        def change(item: dict[str, Any], number: int = number) -> None:
            item["data"] |= {"a": str(number), f"m{number}": "mine"}

        for _ in range(3):
            turns.release()
        await edit.done(make, change)
    writer.cancel()
    await asyncio.gather(writer, return_exceptions=True)
    found = (await edit.live())["data"]
    assert found["a"] == "4"
    assert found["b"] == "1"
    assert [found[f"m{number}"] for number in range(5)] == ["mine"] * 5
    assert found["count"] in (str(written), str(written - 1))
    assert written > 5
