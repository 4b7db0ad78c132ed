"""Doing: actions without a screen, and the refusals and objects of kubectl to hold against them."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from ktui.actions.action import Action, Said, Target
from ktui.actions.place import Place
from ktui.actions.undertaking import Preview, Undertaking, Written
from ktui.kinds.kind import Kind
from ktui.kinds.names import ObjectKey
from ktui.kube.errors import KtuiError
from ktui.kube.session import Session
from tests.cluster.objects import Objects, until
from tests.cluster.specimens import Manifest

FAKE = {"kwok.x-k8s.io/node": "fake"}
"""The annotation of nodes that a real cluster's kwok simulates; the embedded cluster simulates all nodes."""


class Deed:
    """An action on objects of one kind, as a person would do it.

    Args:
        session: the connection.
        action: what to do.
        kind: of the targets.
        keys: their namespaces and names.
        values: what differs from what the form begins with.
    """

    def __init__(self, session: Session, action: Action, kind: Kind, *keys: ObjectKey, **values: Any) -> None:
        self.written: list[Written] = []
        self.told: list[Said] = []
        self.weighed: list[Said] = []
        self.previews: list[Preview] = []
        self._values = values
        targets = [Target(kind, key) for key in keys]
        self.undertaking = Undertaking(Place(session), action, targets, self.written.append, "test", self._changed)

    async def prepare(self) -> Deed:
        """All up to the moment when the person says yes; what the form finds wrong is raised."""
        undertaking = self.undertaking
        await undertaking.read()
        form = await undertaking.action.form(undertaking.place, undertaking.targets)
        undertaking.values = {**form.start(), **self._values}
        assert not form.wrong(undertaking.values)
        self.weighed = list(await undertaking.action.weigh(undertaking.place, undertaking.targets, undertaking.values))
        undertaking.plan()
        previews = await undertaking.previews()
        self.previews = [preview for work in undertaking.works for preview in previews[work]]
        return self

    async def done(self) -> Deed:
        """Prepared and done, to the end of what it set in motion."""
        await self.prepare()
        await self.undertaking.do()
        return self

    @property
    def error(self) -> KtuiError | None:
        """Why the first target failed."""
        return self.undertaking.works[0].error

    @property
    def refusal(self) -> str:
        """The sentence with which the first target was refused."""
        assert self.error is not None
        return self.error.sentence

    def foretold(self, about: str = "") -> str:
        """What was said before about something."""
        return "\n".join(said.text for said in self.weighed if said.about == about)

    def _changed(self) -> None:
        for work in self.undertaking.works:
            for said in work.said.values():
                if said not in self.told:
                    self.told.append(said)


async def complaint(run: Callable[..., Awaitable[str]], *words: str) -> str:
    """What kubectl says when it refuses, without `error: `."""
    with pytest.raises(AssertionError) as refused:
        await run(*words)
    first = str(refused.value).splitlines()[0]
    return first.removeprefix("error: ").removeprefix("Error from server: ")


def content(item: Manifest, *more: str) -> Manifest:
    """An object without what the server counts and what differs between twins.

    Args:
        item: the object.
        more: further fields of its metadata.
    """
    left = copy.deepcopy(dict(item))
    for name in ("uid", "resourceVersion", "creationTimestamp", "managedFields", "name", *more):
        left["metadata"].pop(name, None)
    left.pop("status", None)
    return left


async def own_node(objects: Objects, name: str, **spec: Any) -> Manifest:
    """A simulated node for one test: a taint keeps all pods away that do not ask for it by name."""
    keep_away = {"key": "test.ktui.dev/own", "value": "yes", "effect": "NoSchedule"}
    status: Mapping[str, Any] = {
        "capacity": {"cpu": "8", "memory": "32Gi", "pods": "110"},
        "allocatable": {"cpu": "8", "memory": "32Gi", "pods": "110"},
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "conditions": [{"type": "Ready", "status": "True", "reason": "Test", "message": "as the test wants it"}],
    }
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "annotations": FAKE, "labels": {"test.ktui.dev/own": "yes"}},
        "spec": {"taints": [keep_away], **spec},
        "status": status,
    }
    await objects.apply(node)

    async def settled() -> bool:
        found = await objects.get(node)
        ready = any(c["type"] == "Ready" and c["status"] == "True" for c in found["status"].get("conditions", ()))
        return ready and [taint["key"] for taint in found["spec"].get("taints", ())] == ["test.ktui.dev/own"]

    await until(settled, what="the node did not become ready")
    return node


def own_pod(namespace: str, name: str, node: str, labels: Mapping[str, str] | None = None, **spec: Any) -> Manifest:
    """A pod that a simulated node runs."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": dict(labels or {})},
        "spec": own_pod_spec(node, **spec),
    }


def own_pod_spec(node: str, **spec: Any) -> Manifest:
    """What a simulated node runs."""
    return {
        "nodeName": node,
        "containers": [{"name": "app", "image": "registry.k8s.io/e2e-test-images/agnhost:2.53", "args": ["pause"]}],
        "tolerations": [{"operator": "Exists"}],
        "terminationGracePeriodSeconds": 1,
        **spec,
    }


async def running(objects: Objects, *pods: Manifest) -> None:
    """Wait until pods run and are ready."""

    async def ready() -> bool:
        for pod in pods:
            found = await objects.get(pod)
            conditions = found.get("status", {}).get("conditions", ())
            if not any(c["type"] == "Ready" and c["status"] == "True" for c in conditions):
                return False
        return True

    await until(ready, 30, "the pods did not become ready")
