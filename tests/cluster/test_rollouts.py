"""Rollouts: restart, status, pause, resume, history and undo come to the same as kubectl's, refusals included."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping

import pytest

from ktui.actions.action import Refusal, Said
from ktui.actions.form import ChoiceField, Form
from ktui.actions.place import Place
from ktui.actions.rollout_history import ROLLOUT_HISTORY, read_revisions
from ktui.actions.rollout_pause import PAUSE, RESUME
from ktui.actions.rollout_restart import RESTART, RESTARTED_AT
from ktui.actions.rollout_status import ROLLOUT_STATUS
from ktui.actions.rollout_undo import ROLLOUT_UNDO
from ktui.actions.rollouts import PODS, progress
from ktui.actions.undertaking import Stage
from ktui.kinds.tone import Tone
from tests.cluster.clusters import Cluster
from tests.cluster.conftest import Kubectl, Opened
from tests.cluster.objects import Manifest, Objects, until
from tests.cluster.twins import IMAGE, MINE, OLDER, THEIRS, Twins, workload

KINDS = ("Deployment", "StatefulSet", "DaemonSet")
DONE = {
    "Deployment": f'deployment "{MINE}" successfully rolled out',
    "StatefulSet": "partitioned roll out complete: 2 new pods have been updated...",
    "DaemonSet": f'daemon set "{MINE}" successfully rolled out',
}
NOWHERE = {"nodeSelector": {"test.ktui.dev/node": "none"}}


@pytest.fixture
async def twins(opened: Opened, objects: Objects, kubectl: Kubectl, namespace: str) -> Twins:
    """In a new namespace, as admin."""
    return Twins(Place(await opened()), objects, kubectl, namespace)


def _of(kind: str) -> str:
    return f"{kind.lower()}s"


def _revision(number: str) -> Callable[[Form], Mapping[str, str]]:
    """The choice that stands for a revision."""

    def chosen(form: Form) -> Mapping[str, str]:
        field = form.fields[0]
        assert isinstance(field, ChoiceField)
        return {"revision": next(word for word in field.choices if word.split()[0] == number)}

    return chosen


async def _rolled_out(twins: Twins, manifest: Manifest) -> None:
    async def done() -> bool:
        return progress(manifest["kind"], await twins.objects.get(manifest)).done

    await until(done, 30, "it is not rolled out")


async def _set_image(twins: Twins, manifest: Manifest, image: str, cause: str = "") -> None:
    """Both get another revision, and are rolled out."""
    for one in (manifest, twins.twin(manifest)):
        container = {**one["spec"]["template"]["spec"]["containers"][0], "image": image}
        caused = {"metadata": {"annotations": {"kubernetes.io/change-cause": cause}}} if cause else {}
        await twins.objects.change(one, {"spec": {"template": {"spec": {"containers": [container]}}}, **caused})
    for one in (manifest, twins.twin(manifest)):
        await _rolled_out(twins, one)


@pytest.mark.parametrize("kind", KINDS)
async def test_restart(kind: str, twins: Twins, namespace: str) -> None:
    """The annotation is kubectl's, every pod is another one, and it is followed with kubectl's words."""
    manifest = workload(kind, namespace)
    await twins.make(manifest)
    await _rolled_out(twins, manifest)
    resource = await twins.objects.resource("v1", "Pod")
    before = {
        one["metadata"]["uid"] for one in await twins.place.objects(resource.gvr, namespace, labels=f"app={MINE}")
    }
    act = await twins.act(RESTART, manifest)
    assert before
    assert act.error == ""
    assert (act.told[-1].text.replace("3", "2"), act.told[-1].tone) == (DONE[kind], Tone.GOOD)
    after = await twins.place.objects(resource.gvr, namespace, labels=f"app={MINE}")
    assert not before & {one["metadata"]["uid"] for one in after if not one["metadata"].get("deletionTimestamp")}
    await twins.kubectl("-n", namespace, "rollout", "restart", _of(kind), THEIRS)
    for one in (manifest, twins.twin(manifest)):
        annotations = (await twins.objects.get(one))["spec"]["template"]["metadata"]["annotations"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", annotations[RESTARTED_AT])
        # What is left differs in the second only.
        await twins.objects.change(one, {"spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: "x"}}}}})
    await twins.alike(manifest)


async def test_refusals_of_paused_deployments(twins: Twins, namespace: str) -> None:
    """In kubectl's words."""
    manifest = workload("Deployment", namespace, replicas=1, paused=True)
    await twins.make(manifest)
    for action, words in ((PAUSE, ["pause"]), (RESTART, ["restart"])):
        act = await twins.act(action, manifest)
        assert act.error.replace(MINE, THEIRS) in await twins.refused("rollout", *words, "deployments", THEIRS)
        assert act.undertaking.works[0].stage is Stage.FAILED
        assert action.ready(act.undertaking.works[0].target)
    act = await twins.act(RESUME, manifest)
    await twins.kubectl("-n", namespace, "rollout", "resume", "deployments", THEIRS)
    assert act.words[-1] == DONE["Deployment"]
    await twins.alike(manifest)
    act = await twins.act(RESUME, manifest)
    assert act.error.replace(MINE, THEIRS) in await twins.refused("rollout", "resume", "deployments", THEIRS)


async def test_pause_lets_changes_wait(twins: Twins, namespace: str) -> None:
    """And what waits is said when it is resumed."""
    manifest = workload("Deployment", namespace)
    await twins.make(manifest)
    await _rolled_out(twins, manifest)
    act = await twins.act(PAUSE, manifest)
    await twins.kubectl("-n", namespace, "rollout", "pause", "deployments", THEIRS)
    await twins.alike(manifest)
    assert act.said == ["Changes of its template wait until it is resumed; scaling goes on as before."]
    target = act.undertaking.works[0].target
    await twins.objects.change(manifest, {"spec": {"template": {"metadata": {"labels": {"new": "one"}}}}})

    async def seen() -> bool:
        status = (await twins.objects.get(manifest))["status"]
        return bool(status.get("updatedReplicas", 0) == 0)

    await until(seen)
    live = target.read(await twins.objects.get(manifest))
    said = await RESUME.weigh(twins.place, [live], {})
    assert [one.text for one in said] == [
        "2 pods are replaced, at least 2 of them always available, at most 1 more than wanted."
    ]
    act = await twins.act(RESUME, manifest)
    assert act.words[-1] == DONE["Deployment"]


@pytest.mark.parametrize("kind", KINDS)
async def test_status_of_what_does_not_come_to_an_end(kind: str, twins: Twins, namespace: str) -> None:
    """kubectl's words, and which pods do not start and why."""
    manifest = workload(kind, namespace, pods=NOWHERE, replicas=2)
    if kind == "DaemonSet":
        # Nodes are matched before a DaemonSet makes pods: another reason is needed.
        manifest = workload(kind, namespace, pods={"containers": [{"name": "app", "image": "nowhere.invalid/none:1"}]})
        del manifest["spec"]["template"]["spec"]["tolerations"]
    await twins.objects.apply(manifest)
    act = await twins.act(ROLLOUT_STATUS, manifest, ends=lambda said: said.about == PODS)
    why = next(said for said in act.told if said.about == PODS)
    assert why.text.startswith(f"pod {MINE}-")
    assert why.tone in (Tone.WARNING, Tone.FAILED)
    if kind != "DaemonSet":
        assert "node affinity/selector" in why.text
    assert act.written == []
    printed = await twins.kubectl("-n", namespace, "rollout", "status", _of(kind), MINE, "--watch=false")
    assert progress(kind, await twins.objects.get(manifest)).text == printed.strip()


async def test_a_deadline(twins: Twins, namespace: str) -> None:
    """That it was exceeded is told as kubectl tells it, with what held it up."""
    manifest = workload("Deployment", namespace, pods=NOWHERE, progressDeadlineSeconds=1)
    await twins.objects.apply(manifest)
    act = await twins.act(ROLLOUT_STATUS, manifest)
    assert act.told[-1].tone is Tone.FAILED
    assert act.told[-1].text in await twins.refused("rollout", "status", "deployments", MINE)
    assert any("node affinity/selector" in said.text for said in act.told if said.about == PODS)


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
async def test_a_strategy_without_rollouts(kind: str, twins: Twins, namespace: str) -> None:
    """Its status is refused in kubectl's words; a restart says that nothing happens by itself."""
    manifest = workload(kind, namespace, updateStrategy={"type": "OnDelete"})
    await twins.objects.apply(manifest)
    act = await twins.act(ROLLOUT_STATUS, manifest)
    assert act.error in await twins.refused("rollout", "status", _of(kind), MINE)
    act = await twins.act(RESTART, manifest, follow=False)
    assert act.said == ["Its strategy is OnDelete: each pod takes the change when somebody deletes it."]


@pytest.mark.parametrize("kind", KINDS)
async def test_undo(kind: str, twins: Twins, namespace: str) -> None:
    """To the revision before, and to a chosen one; the revisions are those that kubectl tells of."""
    manifest = workload(kind, namespace)
    await twins.make(manifest)
    for one in (manifest, twins.twin(manifest)):
        await _rolled_out(twins, one)
    await _set_image(twins, manifest, OLDER, "an older image")
    for one in (manifest, twins.twin(manifest)):
        # Not the template's: it stays, or comes from the revision.
        await twins.objects.change(one, {"metadata": {"annotations": {"team": "shop"}}})
    act = await twins.act(ROLLOUT_UNDO, manifest)
    assert act.error == ""
    assert act.form.start()["revision"].startswith("1  agnhost:2.53  ")
    assert act.told[-1].tone is Tone.GOOD
    await twins.kubectl("-n", namespace, "rollout", "undo", _of(kind), THEIRS)
    await _rolled_out(twins, twins.twin(manifest))
    await twins.alike(manifest)
    await _same_history(twins, manifest)
    for one in (manifest, twins.twin(manifest)):
        await _rolled_out(twins, one)
    act = await twins.act(ROLLOUT_UNDO, manifest, values=_revision("2"))
    line = ("kubectl", "-n", namespace, "rollout", "undo", _of(kind), MINE, "--to-revision=2")
    assert act.written[0].step.kubectl == line
    await twins.kubectl("-n", namespace, "rollout", "undo", _of(kind), THEIRS, "--to-revision=2")
    await twins.alike(manifest)
    live = await twins.objects.get(manifest)
    assert live["spec"]["template"]["spec"]["containers"][0]["image"] == OLDER


async def _same_history(twins: Twins, manifest: Manifest) -> None:
    """ktui and kubectl tell of the same revisions and causes."""
    target = await twins.target(manifest)
    found = await read_revisions(twins.place, target.read(await twins.objects.get(manifest)))
    mine = [(str(one.number), one.cause or "<none>") for one in found]
    printed = await twins.kubectl("-n", twins.namespace, "rollout", "history", _of(manifest["kind"]), MINE)
    theirs = [tuple(line.split(maxsplit=1)) for line in printed.splitlines() if line[:1].isdigit()]
    assert mine == theirs
    assert [one.current for one in found] == [False] * (len(found) - 1) + [True]


async def test_undo_keeps_the_hash_out(twins: Twins, namespace: str) -> None:
    """A replica set's own label does not come to the deployment, nor do its numbers."""
    manifest = workload("Deployment", namespace)
    await twins.make(manifest)
    await _set_image(twins, manifest, OLDER)
    act = await twins.act(ROLLOUT_UNDO, manifest, follow=False)
    template, annotations = act.written[0].step.write.body
    assert template["value"]["metadata"]["labels"] == {"app": MINE}
    assert annotations["value"] == {"deployment.kubernetes.io/revision": "2"}


@pytest.mark.parametrize("kind", KINDS)
async def test_refusals_of_undo(kind: str, cluster: Cluster, twins: Twins, namespace: str) -> None:
    """In kubectl's words: nothing to go back to, no such revision, the same template, paused."""
    manifest = workload(kind, namespace)
    await twins.make(manifest)
    await _rolled_out(twins, manifest)
    # What there is to choose from is read by the form.
    with pytest.raises(Exception, match=r"no (rollout history found|last revision)") as nothing:
        await twins.act(ROLLOUT_UNDO, manifest)
    assert str(nothing.value) in await twins.refused("rollout", "undo", _of(kind), MINE)
    await _set_image(twins, manifest, OLDER)
    act = await twins.act(ROLLOUT_UNDO, manifest, values=_revision("2"), follow=False)
    values = {**act.form.start(), "revision": "99"}
    with pytest.raises(Refusal) as unknown:
        ROLLOUT_UNDO.plan(act.undertaking.targets[0], values)
    assert str(unknown.value) in await twins.refused("rollout", "undo", _of(kind), MINE, "--to-revision=99")
    assert act.error == "skipped rollback (current template already matches revision 2)"
    assert act.written == []
    if kind == "Deployment" or cluster.kind == "real":
        # kubectl compares bytes here, and those of the embedded cluster's ControllerRevisions are in another order.
        skipped = await twins.kubectl("-n", namespace, "rollout", "undo", _of(kind), MINE, "--to-revision=2")
        assert act.error in skipped
    if kind == "Deployment":
        await twins.objects.change(manifest, {"spec": {"paused": True}})
        act = await twins.act(ROLLOUT_UNDO, manifest, follow=False)
        assert act.error in await twins.refused("rollout", "undo", _of(kind), MINE)


async def test_history(twins: Twins, namespace: str) -> None:
    """Its revisions in lines, and the difference between two."""
    manifest = workload("Deployment", namespace)
    await twins.make(manifest)
    await _set_image(twins, manifest, OLDER, "an older image")
    act = await twins.act(ROLLOUT_HISTORY, manifest)
    assert act.form.start() == {"from": "1", "to": "2"}
    newest, oldest = act.form.facts
    assert re.fullmatch(r"2  agnhost:2.39  \w+ ago  current  an older image", newest)
    assert re.fullmatch(r"1  agnhost:2.53  \w+ ago", oldest)
    assert act.said == [f'spec.template.spec.containers[app].image: "{IMAGE}" → "{OLDER}"']
    assert act.written == []


async def test_budgets_do_not_limit_a_restart(twins: Twins, namespace: str) -> None:
    """Where there is one, that is said."""
    manifest = workload("Deployment", namespace, strategy={"type": "Recreate"})
    await twins.objects.apply(manifest)
    await _rolled_out(twins, manifest)
    for name, app in (("mine", MINE), ("other", "other")):
        await twins.objects.apply(
            {
                "apiVersion": "policy/v1",
                "kind": "PodDisruptionBudget",
                "metadata": {"name": name, "namespace": namespace},
                "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": app}}},
            }
        )
    act = await twins.act(RESTART, manifest)
    assert act.said == [
        "All 2 pods are stopped before new ones start: nothing answers meanwhile (strategy Recreate).",
        "PodDisruptionBudget mine does not limit this: rollouts go by their strategy.",
    ]
    assert act.words[-1] == DONE["Deployment"]


async def test_several_restart_side_by_side(twins: Twins, namespace: str) -> None:
    """One that is refused keeps none of the others."""
    one, two = (workload("Deployment", namespace, name=name, paused=name == "two") for name in ("one", "two"))
    for manifest in (one, two):
        await twins.objects.apply(manifest)
    act = await twins.act(RESTART, one, two)
    assert [work.stage for work in act.undertaking.works] == [Stage.DONE, Stage.FAILED]
    assert act.said[0].startswith(f"{namespace}/one: ")


async def test_one_that_is_deleted_meanwhile(twins: Twins, namespace: str) -> None:
    """It is gone, and following ends."""
    manifest = workload("Deployment", namespace, pods=NOWHERE)
    await twins.objects.apply(manifest)
    heard = asyncio.Event()

    def hears(said: Said) -> bool:
        heard.set()
        return False

    async with asyncio.TaskGroup() as tasks:
        following = tasks.create_task(twins.act(ROLLOUT_STATUS, manifest, ends=hears))
        await heard.wait()
        await twins.objects.delete(manifest)
    act = following.result()
    assert (act.told[-1].text, act.told[-1].tone) == (f"deployment {namespace}/{MINE} is gone.", Tone.FAILED)
