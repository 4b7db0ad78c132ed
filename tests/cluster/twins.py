"""Twins: of two objects alike, one is changed by ktui and one by kubectl; then they are alike again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from difflib import unified_diff
from typing import Any

from ktui.actions.action import Action, Doing, Said, Target
from ktui.actions.form import Form
from ktui.actions.place import Place
from ktui.actions.undertaking import Undertaking, Written
from ktui.kinds.names import ObjectKey
from ktui.kube.listing import kind_of
from tests.cluster.conftest import Kubectl
from tests.cluster.objects import Manifest, Objects, until

MINE, THEIRS = "mine", "twin"

IMAGE, OLDER = (f"registry.k8s.io/e2e-test-images/agnhost:{version}" for version in ("2.53", "2.39"))
TOLERATION = {"key": "kwok.x-k8s.io/node", "operator": "Exists"}


@dataclass
class Act:
    """What became of an action.

    Attributes:
        form: what was asked.
        said: what was said before.
        undertaking: what was done.
        written: the writes.
        told: everything that was told while it was followed.
    """

    form: Form
    said: list[str]
    undertaking: Undertaking
    written: list[Written]
    told: list[Said] = field(default_factory=list)

    @property
    def words(self) -> list[str]:
        """What was told, in order."""
        return [said.text for said in self.told]

    @property
    def error(self) -> str:
        """Why the first target failed; empty when it did not."""
        return str(self.undertaking.works[0].error or "")


@dataclass
class Twins:
    """Two objects alike, in one namespace.

    Attributes:
        place: where ktui acts.
        objects, kubectl: where the tests act.
        namespace: theirs.
    """

    place: Place
    objects: Objects
    kubectl: Kubectl
    namespace: str

    async def make(self, manifest: Manifest) -> None:
        """Both, from the manifest of ktui's."""
        await self.objects.apply(manifest)
        await self.objects.apply(self.twin(manifest))

    def twin(self, manifest: Manifest) -> Manifest:
        """The manifest of kubectl's, from that of ktui's."""
        found: Manifest = json.loads(json.dumps(manifest).replace(MINE, THEIRS))
        return found

    async def target(self, manifest: Manifest) -> Target:
        """An object, not read yet."""
        resource = await self.objects.resource(manifest["apiVersion"], manifest["kind"])
        name = manifest["metadata"]["name"]
        return Target(kind_of(resource), ObjectKey(self.namespace if resource.namespaced else "", name))

    async def act(
        self,
        action: Action,
        *manifests: Manifest,
        values: Mapping[str, Any] | Callable[[Form], Mapping[str, Any]] | None = None,
        follow: bool = True,
        ends: Callable[[Said], bool] = lambda said: False,
        within: float = 40,
    ) -> Act:
        """Do an action as the dialog does it.

        Args:
            action: what to do.
            manifests: to what.
            values: what is filled in, beside what stands there at first; or how to find that in the form.
            follow: whether it is followed.
            ends: whether it need not be followed any more, by what is told; it is followed to its end otherwise.
            within: seconds after which the test fails.
        """
        written: list[Written] = []
        targets = [await self.target(manifest) for manifest in manifests]
        undertaking = Undertaking(self.place, action, targets, written.append, "batch")
        await undertaking.read()
        form = await action.form(self.place, undertaking.targets)
        undertaking.values = {**form.start(), **((values(form) if callable(values) else values) or {})}
        assert not form.wrong(undertaking.values), form.wrong(undertaking.values)
        undertaking.plan()
        said = await action.weigh(self.place, undertaking.targets, undertaking.values)
        for work, previews in (await undertaking.previews()).items():
            for preview in previews:
                assert preview.error is None, f"{work.target.said}: {preview.error}"
        act = Act(form, [one.text for one in said], undertaking, written)
        undertaking.action = replace(action, follow=_heard(action, act, ends) if follow and action.follow else None)
        async with asyncio.timeout(within):
            await undertaking.do()
        return act

    async def refused(self, *arguments: str) -> str:
        """What kubectl complains of when it is asked for something that it refuses."""
        try:
            out = await self.kubectl("-n", self.namespace, *arguments)
        except AssertionError as complaint:
            return str(complaint)
        raise AssertionError(f"kubectl did not refuse it: {out}")

    async def alike(self, manifest: Manifest, *, counted: bool = True) -> None:
        """Wait until both are alike, but for what the server gives each.

        Args:
            manifest: ktui's.
            counted: whether both had as many changes, so that they have as many revisions.
        """
        seen: list[Any] = []

        async def same() -> bool:
            mine, theirs = await self.objects.get(manifest), await self.objects.get(self.twin(manifest))
            seen[:] = [content(mine), content(theirs)]
            if not counted:
                for one in seen:
                    one["metadata"].get("annotations", {}).pop("deployment.kubernetes.io/revision", None)
            return bool(seen[0] == seen[1])

        try:
            await until(same, 10)
        except AssertionError:
            mine, theirs = (json.dumps(one, indent=1, sort_keys=True).splitlines() for one in seen)
            lines = list(unified_diff(mine, theirs, MINE, THEIRS, lineterm="", n=6))
            raise AssertionError("\n".join(lines)) from None


def _heard(action: Action, act: Act, ends: Callable[[Said], bool]) -> Callable[[Doing], AsyncGenerator[Said, None]]:
    async def follow(doing: Doing) -> AsyncGenerator[Said, None]:
        assert action.follow is not None
        async with aclosing(action.follow(doing)) as told:
            async for said in told:
                act.told.append(said)
                yield said
                if ends(said):
                    return

    return follow


def content(item: Mapping[str, Any]) -> Any:
    """An object without what the server gives it, and without the name that tells twins apart."""
    meta = item["metadata"]
    kept = {name: meta.get(name) for name in ("labels", "annotations", "finalizers") if meta.get(name)}
    whole = {**{name: value for name, value in item.items() if name != "status"}, "metadata": kept}
    return json.loads(json.dumps(whole).replace(THEIRS, MINE))


# -- workloads -------------------------------------------------------------------------------------


def workload(kind: str, namespace: str, *, name: str = MINE, pods: Manifest | None = None, **spec: Any) -> Manifest:
    """A workload whose pods simulated nodes take.

    Args:
        kind: Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController or CronJob.
        namespace: where.
        name: its name, and that of its pods' label.
        pods: fields of its pods' spec.
        spec: fields of its own spec.
    """
    labels = {"app": name}
    template: Manifest = {
        "metadata": {"labels": labels},
        "spec": {
            "containers": [{"name": "app", "image": IMAGE, "args": ["pause"]}],
            "tolerations": [TOLERATION],
            "nodeSelector": {},
            "terminationGracePeriodSeconds": 0,
            **(pods or {}),
        },
    }
    version = {"CronJob": "batch/v1", "ReplicationController": "v1"}.get(kind, "apps/v1")
    if kind == "CronJob":
        template["spec"]["restartPolicy"] = "Never"
        whole: Manifest = {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": template}}}
    else:
        selector = labels if kind == "ReplicationController" else {"matchLabels": labels}
        whole = {"selector": selector, "template": template}
        if kind != "DaemonSet":
            whole["replicas"] = 2
        if kind == "StatefulSet":
            whole["serviceName"] = name
    meta = {"name": name, "namespace": namespace}
    return {"apiVersion": version, "kind": kind, "metadata": meta, "spec": {**whole, **spec}}
