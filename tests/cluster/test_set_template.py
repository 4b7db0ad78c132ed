"""Set image, resources and environment: ktui's and kubectl's come to the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from ktui.actions.action import Action
from ktui.actions.place import Place
from ktui.actions.set_env import SET_ENV
from ktui.actions.set_image import SET_IMAGE
from ktui.actions.set_resources import SET_RESOURCES
from ktui.actions.undertaking import Stage
from ktui.kinds.tone import Tone
from tests.cluster.clusters import Cluster
from tests.cluster.conftest import Kubectl, Opened
from tests.cluster.objects import Manifest, Objects
from tests.cluster.specimens import pod
from tests.cluster.twins import IMAGE, MINE, OLDER, THEIRS, Twins, workload

BUSYBOX = "busybox:1.37"
SELECTED = {"configMapKeyRef": {"name": "web", "key": "level"}}
ENV = [
    {"name": "LEVEL", "value": "info"},
    {"name": "EMPTY"},
    {"name": "SELECTED", "valueFrom": SELECTED},
    {"name": "LINES", "value": "a\nb"},
]
PODS = {
    "initContainers": [{"name": "first", "image": IMAGE, "command": ["true"]}],
    "containers": [
        {"name": "app", "image": IMAGE, "args": ["pause"], "env": ENV},
        {"name": "log", "image": IMAGE, "args": ["pause"], "resources": {"limits": {"cpu": "1", "memory": "1Gi"}}},
    ],
}


@pytest.fixture
async def twins(opened: Opened, objects: Objects, kubectl: Kubectl, namespace: str) -> Twins:
    """In a new namespace, as admin."""
    return Twins(Place(await opened()), objects, kubectl, namespace)


async def _both(
    twins: Twins, action: Action, manifest: Manifest, values: Mapping[str, Any], *words: str, line: bool = True
) -> str:
    """Do it by ktui and by kubectl, and compare; ktui's own kubectl line does the same, too.

    Returns:
        that line.
    """
    act = await twins.act(action, manifest, values=values, follow=False)
    assert act.error == ""
    resource = f"{manifest['kind'].lower()}s"
    await twins.kubectl("-n", twins.namespace, "set", words[0], resource, THEIRS, *words[1:])
    await twins.alike(manifest)
    (written,) = act.written
    # It has been done to it already, so it changes nothing; and it is a line that kubectl takes.
    again = [word.replace(MINE, THEIRS) if word == MINE else word for word in written.step.kubectl[1:]]
    await twins.kubectl(*again, "--dry-run=server")
    await twins.kubectl(*again)
    await twins.alike(manifest)
    return " ".join(written.step.kubectl[3:])


@pytest.mark.parametrize(
    "kind", ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "CronJob"]
)
async def test_image(kind: str, cluster: Cluster, twins: Twins, namespace: str) -> None:
    """Of containers and init containers; what is not changed is not sent."""
    manifest = workload(kind, namespace, pods=PODS)
    await twins.make(manifest)
    values = {"image app": OLDER, "image first": BUSYBOX}
    line = await _both(twins, SET_IMAGE, manifest, values, "image", f"app={OLDER}", f"first={BUSYBOX}")
    assert line == f"set image {kind.lower()}s {MINE} app={OLDER} first={BUSYBOX}"
    assert (await twins.act(SET_IMAGE, manifest, follow=False)).written == []


async def test_image_is_followed(twins: Twins, namespace: str) -> None:
    """To the end of the rollout, with what will happen said before."""
    manifest = workload("Deployment", namespace)
    await twins.objects.apply(manifest)
    act = await twins.act(SET_IMAGE, manifest, values={"image app": OLDER})
    assert act.said[0] == "2 pods are replaced, at least 2 of them always available, at most 1 more than wanted."
    assert (act.told[-1].text, act.told[-1].tone) == (f'deployment "{MINE}" successfully rolled out', Tone.GOOD)
    assert act.form.start()["image app"] == IMAGE
    await twins.objects.change(manifest, {"spec": {"paused": True}})
    act = await twins.act(SET_IMAGE, manifest, values={"image app": "busybox"})
    paused = "It is paused: no pod is replaced until it is resumed."
    assert act.said == ["busybox: latest may be something else tomorrow, or on another node.", paused]
    assert act.words == [paused]


async def test_an_image_that_does_not_exist(twins: Twins, namespace: str) -> None:
    """Which pod it keeps from starting is told; the others are not taken for it."""
    manifest = workload("Deployment", namespace)
    del manifest["spec"]["template"]["spec"]["tolerations"]
    await twins.objects.apply(manifest)
    values = {"image app": "nowhere.invalid/none:1"}
    act = await twins.act(SET_IMAGE, manifest, values=values, ends=lambda said: "nowhere.invalid" in said.text)
    assert act.told[-1].text.startswith(f"pod {MINE}-")
    assert act.told[-1].tone is Tone.FAILED


async def test_image_of_a_pod(twins: Twins, namespace: str) -> None:
    """Where it is a pod's own."""
    manifest = pod(namespace, MINE, automountServiceAccountToken=False, containers=PODS["containers"])
    await twins.make(manifest)
    line = await _both(twins, SET_IMAGE, manifest, {"image log": BUSYBOX}, "image", f"log={BUSYBOX}")
    assert line == f"set image pods {MINE} log={BUSYBOX}"


async def test_image_of_a_running_pod(cluster: Cluster, twins: Twins, namespace: str) -> None:
    """Its container is restarted with the other image."""
    containers: list[Manifest] = [{"name": "log", "image": IMAGE, "args": ["pause"]}]
    manifest = pod(namespace, MINE, schedulerName="default-scheduler", containers=containers)
    await twins.objects.apply(manifest)
    act = await twins.act(SET_IMAGE, manifest, values={"image log": OLDER})
    assert act.said == ["The container is restarted in its pod; nothing else of the pod changes."]
    assert act.words[-1] == "All its containers are ready."


@pytest.mark.parametrize("kind", ["Deployment", "CronJob"])
async def test_resources(kind: str, twins: Twins, namespace: str) -> None:
    """Set for one container as kubectl sets them; taken away, which kubectl cannot."""
    manifest = workload(kind, namespace, pods=PODS)
    await twins.make(manifest)
    values = {"requests.cpu app": "100m", "limits.cpu app": "500m", "limits.memory app": "64Mi"}
    flags = ("--limits=cpu=500m,memory=64Mi", "--requests=cpu=100m")
    line = await _both(twins, SET_RESOURCES, manifest, values, "resources", "-c", "app", *flags)
    assert line == f"set resources {kind.lower()}s {MINE} -c app {' '.join(flags)}"
    act = await twins.act(SET_RESOURCES, manifest, values={"limits.cpu log": "", "limits.cpu app": "0.5"}, follow=False)
    assert act.form.start()["limits.cpu log"] == "1"
    path = ("spec", "template", "spec") if kind == "Deployment" else ("spec", "jobTemplate", "spec", "template", "spec")
    spec = await twins.objects.get(manifest)
    for part in path:
        spec = spec[part]
    assert spec["containers"][1]["resources"] == {"limits": {"memory": "1Gi"}}
    (written,) = act.written
    assert written.step.kubectl[3:8] == ("patch", f"{kind.lower()}s", MINE, "--type=strategic", "-p")
    again = [word.replace(MINE, THEIRS) if word == MINE else word for word in written.step.kubectl[1:]]
    await twins.kubectl(*again)
    await twins.alike(manifest)


async def test_a_request_beyond_its_limit(twins: Twins, namespace: str) -> None:
    """It is said before the server refuses it."""
    manifest = workload("Deployment", namespace, pods=PODS)
    made = await twins.objects.apply(manifest)
    target = (await twins.target(manifest)).read(made)
    values = {"requests.cpu log": "2", "requests.memory app": "64m"}
    said = [one.text for one in await SET_RESOURCES.weigh(twins.place, [target], values)]
    assert said[0] == "app: 64m of memory is less than 1 MiB; is its unit right?" or said[1].startswith("app: 64m")
    assert "log requests 2 of cpu, more than its limit of 1: that is refused." in said
    (step,) = SET_RESOURCES.plan(target, values)
    with pytest.raises(Exception, match="must be less than or equal to cpu limit"):
        await twins.place.send(step.write)


async def test_env(twins: Twins, namespace: str) -> None:
    """Set, emptied, added, removed, and taken from where it came from."""
    manifest = workload("Deployment", namespace, pods=PODS)
    await twins.make(manifest)
    form = (await twins.act(SET_ENV, manifest, follow=False)).form
    assert form.start()["env app"] == "LEVEL=info\nEMPTY="
    assert form.facts == ("app: SELECTED comes from configmap web, key level", "app: LINES has several lines")
    values = {"env app": "LEVEL=debug = more\nEMPTY=\nNEW=a b\nNONE=\nLINES-"}
    words = ("LEVEL=debug = more", "NEW=a b", "NONE=", "LINES-")
    line = await _both(twins, SET_ENV, manifest, values, "env", "-c", "app", *words)
    assert line == f"set env deployments {MINE} -c app {' '.join(words)}"
    act = await twins.act(SET_ENV, manifest, values={"env app": "LEVEL=\nNEW=a b\nSELECTED=no\nEMPTY="}, follow=False)
    assert act.said[0] == "app: SELECTED no longer comes from configmap web, key level."
    line = "LEVEL= SELECTED=no NONE-"
    await twins.kubectl("-n", namespace, "set", "env", "deployments", THEIRS, "-c", "app", *line.split())
    await twins.alike(manifest)
    # A line that is taken away is removed, too; and all containers are changed at once, so that pods are replaced once.
    act = await twins.act(SET_ENV, manifest, values={"env app": "", "env log": "A=1", "env first": "B=2"}, follow=False)
    for container, line in (("app", "EMPTY- LEVEL- NEW- SELECTED-"), ("log", "A=1"), ("first", "B=2")):
        await twins.kubectl("-n", namespace, "set", "env", "deployments", THEIRS, "-c", container, *line.split())
    await twins.alike(manifest, counted=False)
    assert act.written[0].step.kubectl[3] == "patch"
    assert len(act.written) == 1


async def test_env_of_a_cron_job(twins: Twins, namespace: str) -> None:
    """In the template of its jobs."""
    manifest = workload("CronJob", namespace, pods=PODS)
    await twins.make(manifest)
    await _both(twins, SET_ENV, manifest, {"env log": "A=1"}, "env", "-c", "log", "A=1")


async def test_words_of_kubectl(twins: Twins, namespace: str) -> None:
    """What is wrong with a line is said as kubectl says it; so is a container that is not there."""
    manifest = workload("Deployment", namespace, pods=PODS)
    made = await twins.objects.apply(manifest)
    target = (await twins.target(manifest)).read(made)
    field = next(one for one in (await SET_ENV.form(twins.place, [target])).fields if one.name == "env app")
    for line in ("1A=2", "A B=2", ".=1", "..a=1"):
        complaint = await twins.refused("set", "env", f"deployments/{MINE}", "-c", "app", line)
        assert field.wrong(line) in complaint
        assert field.wrong(line)
    complaint = await twins.refused("set", "env", f"deployments/{MINE}", "A=1", "A-")
    assert field.wrong("A=1\nA-") in complaint
    with pytest.raises(Exception, match="unable to find container") as missing:
        SET_IMAGE.plan(target, {"image zzz": IMAGE})
    assert str(missing.value) in await twins.refused("set", "image", f"deployments/{MINE}", f"zzz={IMAGE}")


async def test_several(twins: Twins, namespace: str) -> None:
    """Where they differ, what is left empty stays; one without the container is refused in kubectl's words."""
    one, two, bare = (workload("Deployment", namespace, name=name, pods=PODS) for name in ("one", "two", "bare"))
    two["spec"]["template"]["spec"] = json.loads(json.dumps(PODS).replace(IMAGE, OLDER))
    bare["spec"]["template"]["spec"] = {"containers": [{"name": "app", "image": IMAGE}]}
    for manifest in (one, two, bare):
        manifest["spec"]["replicas"] = 0
        await twins.objects.apply(manifest)
    act = await twins.act(SET_IMAGE, one, two, bare, values={"image log": BUSYBOX}, follow=False)
    assert act.form.start()["image app"] == ""
    assert act.form.facts[0] == f"app runs {IMAGE}, {OLDER}"
    assert [work.stage for work in act.undertaking.works] == [Stage.DONE, Stage.DONE, Stage.FAILED]
    assert str(act.undertaking.works[2].error) == 'unable to find container named "log"'
    for manifest, image in ((one, IMAGE), (two, OLDER)):
        app, log = (await twins.objects.get(manifest))["spec"]["template"]["spec"]["containers"]
        assert (app["image"], log["image"]) == (image, BUSYBOX)


async def test_what_somebody_else_changed_meanwhile_stays(twins: Twins, namespace: str) -> None:
    """Only what the person changed is sent, though the form shows more."""
    manifest = workload("Deployment", namespace, pods=PODS, replicas=0)
    made = await twins.objects.apply(manifest)
    target = (await twins.target(manifest)).read(made)
    values = (await SET_IMAGE.form(twins.place, [target])).start() | {"image app": OLDER}
    live = await twins.objects.apply(
        workload("Deployment", namespace, replicas=0, pods=json.loads(json.dumps(PODS).replace(IMAGE, BUSYBOX)))
    )
    (step,) = SET_IMAGE.plan(target.read(live), values)
    (changed,) = step.write.body["spec"]["template"]["spec"]["containers"]
    assert changed == {"name": "app", "image": OLDER}
