"""The lines that ktui shows of its actions are lines that kubectl takes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ktui.actions.action import Action, Step, Target
from ktui.actions.kubectl import shell_line
from ktui.actions.place import Place
from ktui.actions.registry import ACTIONS
from ktui.actions.undertaking import Undertaking
from ktui.kinds.names import ObjectKey
from ktui.kinds.namespaces import NAMESPACES
from ktui.kube.listing import kind_of
from tests.cluster.conftest import Kubectl, Opened
from tests.cluster.doing import own_node
from tests.cluster.objects import Manifest, Objects, until
from tests.cluster.specimens import pod, service
from tests.cluster.twins import OLDER, workload

SPECIMENS: Sequence[tuple[str, str, Mapping[str, Any]]] = (
    ("scale", "Deployment", {"replicas": 3}),
    ("scale", "StatefulSet", {"replicas": 0}),
    ("scale", "ReplicationController", {"replicas": 3}),
    ("expose", "Deployment", {"ports": "80", "target_port": "8080", "type": "LoadBalancer", "name": "other"}),
    ("expose", "Pod", {"ports": "80,443", "affinity": "ClientIP"}),
    ("expose", "Service", {"ports": "81", "name": "other"}),
    ("restart", "Deployment", {}),
    ("restart", "DaemonSet", {}),
    ("set-image", "Deployment", {"image app": "registry.example/other:2"}),
    ("set-image", "Pod", {"image app": OLDER}),
    ("set-image", "CronJob", {"image app": OLDER}),
    ("set-resources", "Deployment", {"requests.cpu app": "100m", "limits.memory app": "64Mi"}),
    ("set-env", "StatefulSet", {"env app": "A=1\nB=two words"}),
    ("pause", "Deployment", {}),
    ("resume", "paused", {}),
    ("rollout-undo", "Deployment", {}),
    ("run-now", "CronJob", {}),
    ("suspend", "CronJob", {}),
    ("suspend", "Job", {}),
    ("resume-jobs", "suspended", {}),
    ("cordon", "Node", {}),
    ("uncordon", "cordoned", {}),
    ("drain", "Node", {}),
    ("taint", "Node", {"words": "test.ktui.dev/more=1:PreferNoSchedule"}),
    ("evict", "Pod", {}),
    ("label", "Node", {"words": "test.ktui.dev/a=1\ntest.ktui.dev/own-"}),
    ("annotate", "Service", {"words": "test.ktui.dev/a=two words"}),
    ("delete", "Deployment", {"propagation": "foreground"}),
    ("delete", "Pod", {"force": True}),
    ("create-deployment", "", {"name": "made", "images": OLDER, "command": "/agnhost netexec", "replicas": 2}),
    ("create-service", "", {"name": "made", "type": "NodePort", "ports": "80:8080"}),
    ("create-namespace", "", {"name": "t-made"}),
    ("create-configmap", "", {"name": "made", "literals": "a=b c", "file": "app.conf", "content": "x: 1"}),
    ("create-secret", "", {"name": "made", "literals": "a=b c"}),
    ("create-job", "", {"name": "made", "image": OLDER, "command": "/agnhost pause"}),
    ("create-from-yaml", "", {"yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: made}\n"}),
)
"""An action, a specimen for it, and what is filled in beside what stands there at first."""

LOOK = {"rollout-status", "rollout-history"}
"""Actions that write nothing, so that they have no line."""

NO_DRY_RUN = {"restart", "pause", "resume"}
"""Rollouts for which kubectl has no `--dry-run`; they are run in earnest, on objects of ours."""


def test_every_action_has_a_specimen() -> None:
    """What is added to the registry is tried here, too."""
    assert {action for action, _, _ in SPECIMENS} == {action.id for action in ACTIONS} - LOOK


async def test_kubectl_takes_every_line(
    opened: Opened, objects: Objects, namespace: str, kubectl: Kubectl, tmp_path: Path
) -> None:
    """With `--dry-run=server`, so that the server has looked at what kubectl made of it."""
    place = Place(await opened())
    specimens = await _specimens(objects, namespace)
    by_id = {action.id: action for action in ACTIONS}
    limit = asyncio.Semaphore(4)
    refused: list[str] = []

    async def take(step: Step) -> None:
        words = _words(step, tmp_path)
        try:
            async with limit:
                await kubectl(*words)
        except AssertionError as complaint:
            refused.append(f"{shell_line(step.kubectl)}\n{complaint}")

    taken = []
    for name, which, values in SPECIMENS:
        target = await _target(objects, specimens[which], namespace) if which else Target(NAMESPACES, ObjectKey("", ""))
        found = await _steps(place, by_id[name], target, {**({} if which else {"namespace": namespace}), **values})
        assert found, f"{name} of {which or 'nothing'} has no steps"
        assert all(step.kubectl[0] == "kubectl" for step in found), f"{name} has a step without a line"
        # The dry run of an eviction is none: `--raw` sends what it is given.
        taken += [step for step in found if "--raw" not in step.kubectl]
    await asyncio.gather(*(take(step) for step in taken if not _earnest(step)))
    for step in taken:
        if _earnest(step):
            await take(step)
    assert not refused, "\n\n".join(refused)


def _earnest(step: Step) -> bool:
    return "rollout" in step.kubectl and not NO_DRY_RUN.isdisjoint(step.kubectl)


def _words(step: Step, folder: Path) -> list[str]:
    """The words after `kubectl`, with the dry run, and a file for what goes to standard input."""
    words = list(step.kubectl[1:])
    if step.stdin:
        file = folder / f"{abs(hash(step.kubectl))}.txt"
        file.write_text(step.stdin)
        words = [str(file) if word == "-" else word.replace("/dev/stdin", str(file)) for word in words]
    if not _earnest(step):
        # What stands behind `--` is the container's.
        words.insert(words.index("--") if "--" in words else len(words), "--dry-run=server")
    return words


async def _steps(place: Place, action: Action, target: Target, values: Mapping[str, Any]) -> Sequence[Step]:
    """What an action would do, from its form as it is shown."""
    undertaking = Undertaking(place, action, [target], lambda written: None, "test")
    await undertaking.read()
    form = await action.form(place, undertaking.targets)
    undertaking.values = {**form.start(), **values}
    assert not form.wrong(undertaking.values), f"{action.id}: {form.wrong(undertaking.values)}"
    undertaking.plan()
    assert undertaking.works[0].error is None, f"{action.id}: {undertaking.works[0].error}"
    return undertaking.works[0].steps


async def _target(objects: Objects, manifest: Manifest, namespace: str) -> Target:
    kind = kind_of(await objects.resource(manifest["apiVersion"], manifest["kind"]))
    return Target(kind, ObjectKey(namespace if kind.namespaced else "", manifest["metadata"]["name"]))


async def _specimens(objects: Objects, namespace: str) -> dict[str, Manifest]:
    """An object of each kind, whose pods nobody runs, and some that were stopped."""
    nowhere = {"nodeSelector": {"test.ktui.dev/node": "none"}}
    kinds = ("Deployment", "StatefulSet", "DaemonSet", "ReplicationController", "CronJob")
    found = {kind: workload(kind, namespace, name=kind.lower(), pods=nowhere) for kind in kinds}
    found["paused"] = workload("Deployment", namespace, name="paused", pods=nowhere, paused=True)
    found["suspended"] = workload("CronJob", namespace, name="suspended", pods=nowhere, suspend=True)
    template = found["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    meta = {"name": "once", "namespace": namespace}
    spec = {"template": {"spec": template}}
    found["Job"] = {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": spec}
    found["Pod"] = pod(namespace, "alone")
    found["Pod"]["metadata"]["labels"] = {"app": "alone"}
    found["Service"] = service(namespace, "front", selector={"app": "alone"})
    for manifest in found.values():
        await objects.apply(manifest)
    for which, stopped in (("Node", False), ("cordoned", True)):
        found[which] = await own_node(objects, f"{namespace}-{which.lower()}")
        await objects.change(found[which], {"spec": {"unschedulable": stopped}})
    await _second_revision(objects, found["Deployment"])
    return found


async def _second_revision(objects: Objects, deployment: Mapping[str, Any]) -> None:
    """Something to go back to."""
    first = deployment["spec"]["template"]["spec"]["containers"][0]
    for number, image in (("1", first["image"]), ("2", OLDER)):
        change = {"spec": {"template": {"spec": {"containers": [{**first, "image": image}]}}}}
        await objects.change(deployment, change)

        async def counted(number: str = number) -> bool:
            annotations = (await objects.get(deployment))["metadata"].get("annotations", {})
            return bool(annotations.get("deployment.kubernetes.io/revision") == number)

        await until(counted, 20, f"revision {number} never came")
