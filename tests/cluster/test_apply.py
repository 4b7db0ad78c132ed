"""Manifests on clusters: each object after those that it needs, what is there changed, what fails told by itself."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from ktui.actions.apply_manifest import apply_manifest_action
from ktui.actions.journal import Entry, entry_of
from ktui.actions.place import Place
from ktui.actions.server_side_apply import conflicts_in
from ktui.actions.undertaking import Stage, Undertaking
from ktui.actions.undoing import undo_action, undo_targets
from ktui.kinds.generic import generic_kind
from ktui.kinds.names import GVR, ObjectKey
from ktui.kinds.namespaces import NAMESPACES
from ktui.kube.errors import NotFound
from ktui.kube.session import Session
from ktui.manifests.reading import read
from tests.cluster.conftest import Kubectl, Opened
from tests.cluster.doing import Deed
from tests.cluster.objects import Manifest, Objects, gadgets, until

Apply = Callable[..., Deed]


@pytest.fixture
async def session(opened: Opened) -> Session:
    """An admin's."""
    return await opened()


@pytest.fixture
async def name(objects: Objects) -> AsyncIterator[str]:
    """A name that nothing has; what has it is removed."""
    name = f"t-{secrets.token_hex(4)}"
    yield name
    await objects.delete({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    await objects.delete(crd(name))


def applied(session: Session, text: str, namespace: str = "", values: Any = None, **more: Any) -> Deed:
    """What the dialog does with a manifest."""
    return Deed(
        session, apply_manifest_action(read(text), **more), NAMESPACES, ObjectKey(namespace, ""), **values or {}
    )


def states(deed: Deed) -> list[str]:
    """How it is with each object, a line each."""
    return [f"{said.about}: {said.text}" for said in deed.undertaking.works[0].said.values() if said.about]


def crd(name: str) -> dict[str, Any]:
    """A definition with a schema."""
    return gadgets(name, {"size": {"type": "integer"}})


def everything(name: str) -> str:
    """A manifest in which everything stands before what it needs."""
    return f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: {name}}}
spec:
  replicas: 0
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      containers: [{{name: web, image: "registry.k8s.io/pause:3.10", envFrom: [{{configMapRef: {{name: web}}}}]}}]
---
apiVersion: {name}.example.com/v1
kind: Gadget
metadata: {{name: one, namespace: {name}}}
spec: {{size: 3}}
---
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Pod
  metadata: {{name: alone, namespace: {name}}}
  spec: {{nodeSelector: {{none: such}}, containers: [{{name: a, image: "registry.k8s.io/pause:3.10"}}]}}
- apiVersion: v1
  kind: ConfigMap
  metadata: {{name: web, namespace: {name}}}
  data: {{a: "1"}}
---
{json.dumps(crd(name))}
---
apiVersion: v1
kind: Namespace
metadata: {{name: {name}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{generateName: made-, namespace: {name}}}
"""


async def test_a_namespace_a_definition_and_what_is_in_them(session: Session, name: str, objects: Objects) -> None:
    """Each is waited for before what needs it; done again, nothing changes but what the server names."""
    deed = await applied(session, everything(name)).done()
    assert deed.error is None, states(deed)
    assert states(deed)[:2] == [
        f"namespace {name}: created",
        f"customresourcedefinition gadgets.{name}.example.com: created",
    ]
    assert [line.rpartition(": ")[2] for line in states(deed)] == ["created"] * 7
    again = await applied(session, everything(name)).done()
    assert again.error is None, states(again)
    told = dict(line.rsplit(": ", 1) for line in states(again))
    assert told.pop(f"configmap {name}/made-…") == "created"
    assert set(told.values()) == {"unchanged"}


async def test_what_fails_stops_what_needs_it_alone(session: Session, namespace: str, objects: Objects) -> None:
    """The rest is done; trying again does the rest, and nothing twice."""
    good = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: good, namespace: {namespace}}}\n"
    wrong = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: wrong, namespace: {namespace}}}\ndata: {{'a/b': c}}\n"
    needs = f"""apiVersion: v1
kind: Pod
metadata: {{name: needs, namespace: {namespace}}}
spec:
  nodeSelector: {{none: such}}
  containers: [{{name: a, image: x, envFrom: [{{configMapRef: {{name: wrong}}}}]}}]
"""
    deed = await applied(session, f"{needs}---\n{wrong}---\n{good}").prepare()
    assert [preview.refused for preview in deed.previews] == [True, False, False]
    await deed.undertaking.do()
    lines = states(deed)
    assert lines[0].startswith(f'configmap {namespace}/wrong: ConfigMap "wrong" is invalid')
    assert lines[1:] == [
        f"configmap {namespace}/good: created",
        f"pod {namespace}/needs: not done, as it needs configmap {namespace}/wrong",
    ]
    (work,) = deed.undertaking.works
    assert work.stage is Stage.FAILED
    before = len(deed.written)
    deed.undertaking.again()
    await deed.prepare()
    assert [preview.refused for preview in deed.previews] == [True, False, False]
    await deed.undertaking.do()
    assert len(deed.written) == before + 1
    assert states(deed)[1] == f"configmap {namespace}/good: done before"


async def test_what_is_there_is_changed_and_comes_back(session: Session, namespace: str, objects: Objects) -> None:
    """Conflicts by their owners; taken over, or left; undoing takes back what was made and what was changed."""
    old = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "old", "namespace": namespace}}
    await objects.apply({**old, "data": {"a": "1", "b": "1"}})
    text = """
apiVersion: v1
kind: ConfigMap
metadata: {name: new}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: old}
data: {a: "2", c: "3"}
"""
    deed = await applied(session, text, namespace).prepare()
    conflicts = conflicts_in(deed.undertaking)
    assert [[(each.said, each.owner.manager) for each in found.conflicts] for found in conflicts.values()] == [
        [("data.a", "test")]
    ]
    (step,) = conflicts
    leave = {step: [each.path for each in conflicts[step].conflicts]}
    deed = await applied(session, text, namespace, leave=leave).done()
    assert deed.error is None, states(deed)
    assert (await objects.get(old))["data"] == {"a": "1", "b": "1", "c": "3"}

    forced = await applied(session, text, namespace, {"force": True}).done()
    assert states(forced) == [f"configmap {namespace}/new: unchanged", f"configmap {namespace}/old: configured"]
    assert (await objects.get(old))["data"] == {"a": "2", "b": "1", "c": "3"}

    written = [entry_of(each, context="c", at=1.0) for each in (*deed.written, *forced.written)]
    back = await undone(session, written)
    assert [work.error for work in back.works] == [None, None]
    assert (await objects.get(old))["data"] == {"a": "1", "b": "1"}
    with pytest.raises(NotFound):
        await objects.get({**old, "metadata": {"name": "new", "namespace": namespace}})


async def undone(session: Session, entries: list[Entry]) -> Undertaking:
    """What was done is undone."""
    place = Place(session)
    back = Undertaking(place, undo_action(entries), await undo_targets(place, entries), lambda written: None, "")
    await back.read()
    back.values = (await back.action.form(place, back.targets)).start()
    back.plan()
    await back.do()
    return back


async def test_what_is_left_out_is_taken_away(
    session: Session, namespace: str, objects: Objects, kubectl: Kubectl, tmp_path: Any
) -> None:
    """As kubectl apply --server-side does it, and with what it makes."""

    def text(name: str, data: str) -> str:
        return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: {namespace}}}\ndata: {data}\n"

    path = tmp_path / "manifest.yaml"
    for data in ('{a: "1", b: "1"}', '{b: "2"}'):
        deed = await applied(session, text("ours", data)).done()
        assert deed.error is None, states(deed)
        path.write_text(text("theirs", data))
        await kubectl("apply", "--server-side", "--field-manager=ktui", "-f", str(path))
    ours, theirs = [
        await objects.get({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}})
        for name in ("ours", "theirs")
    ]
    assert ours["data"] == theirs["data"] == {"b": "2"}
    owners = [[{**entry, "time": ""} for entry in item["metadata"]["managedFields"]] for item in (ours, theirs)]
    assert owners[0] == owners[1]


async def test_custom_resources_are_checked(session: Session, name: str, objects: Objects) -> None:
    """Unknown fields and wrong types are refused, at the step that sends them."""
    await objects.apply(crd(name))
    await objects.make_namespace(name)

    def text(spec: str) -> str:
        head = f"apiVersion: {name}.example.com/v1\nkind: Gadget\nmetadata: {{name: one, namespace: {name}}}\n"
        return f"{head}spec: {spec}\n"

    async def served() -> bool:
        deed = await applied(session, text("{size: 3}")).prepare()
        return not any(preview.refused for preview in deed.previews)

    await until(served, what="the definition is not served")
    for wrong in ("{size: three}", "{size: 3, colour: red}"):
        deed = await applied(session, text(wrong)).prepare()
        assert [preview.refused for preview in deed.previews] == [True], wrong
    deed = await applied(session, text("{size: 3}")).done()
    assert deed.error is None
    gadgets = generic_kind(GVR(f"{name}.example.com", "v1", "gadgets"), "Gadget", True)
    found: Manifest = await Place(session).get(gadgets.gvr, ObjectKey(name, "one"))
    assert found["spec"] == {"size": 3}
