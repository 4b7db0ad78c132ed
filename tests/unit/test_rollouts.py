"""Rollouts, without a cluster: words, patches, refusals, and how they are followed."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ktui.actions.action import JSON_PATCH, STRATEGIC_PATCH, JsonObject, Refusal, Target, Undone
from ktui.actions.rollout_history import ROLLOUT_HISTORY, Revision, differences, of_deployment, of_set
from ktui.actions.rollout_pause import PAUSE, RESUME
from ktui.actions.rollout_restart import RESTART
from ktui.actions.rollout_status import ROLLOUT_STATUS
from ktui.actions.rollout_undo import ROLLOUT_UNDO
from ktui.actions.rollouts import PODS, Look, held_up, new_pods, newest_of, progress, replacement, share, without_hash
from ktui.kinds.deployments import DEPLOYMENTS
from ktui.kinds.generic import generic_kind
from ktui.kinds.names import GVR, ObjectKey
from ktui.kinds.replicasets import REPLICASETS
from ktui.kinds.tone import Tone
from ktui.kube.errors import Forbidden
from tests.unit.scripted import Followed, Scripted

STATEFULSETS = generic_kind(GVR("apps", "v1", "statefulsets"), "StatefulSet", True)
DAEMONSETS = generic_kind(GVR("apps", "v1", "daemonsets"), "DaemonSet", True)
KINDS = {kind.kind: kind for kind in (DEPLOYMENTS, STATEFULSETS, DAEMONSETS, REPLICASETS)}
TEMPLATE: JsonObject = {
    "metadata": {"labels": {"app": "web"}},
    "spec": {"containers": [{"name": "app", "image": "a:1"}]},
}


def item(status: JsonObject | None = None, *, generation: int = 1, **spec: Any) -> JsonObject:
    return {
        "metadata": {"name": "web", "namespace": "shop", "uid": "u", "generation": generation},
        "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}, "template": TEMPLATE, **spec},
        "status": {"observedGeneration": 1, **(status or {})},
    }


def target(found: JsonObject, kind: str = "Deployment") -> Target:
    return Target(KINDS[kind], ObjectKey("shop", "web"), "u", found)


# -- words -----------------------------------------------------------------------------------------

ROLLING: dict[str, Any] = {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}}
OVERDUE = {"conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]}


@pytest.mark.parametrize(
    ("kind", "found", "words", "done"),
    [
        ("Deployment", item(generation=2), "Waiting for deployment spec update to be observed...", False),
        ("Deployment", item(OVERDUE), 'error: deployment "web" exceeded its progress deadline', True),
        (
            "Deployment",
            item({"updatedReplicas": 1}),
            'Waiting for deployment "web" rollout to finish: 1 out of 3 new replicas have been updated...',
            False,
        ),
        (
            "Deployment",
            item({"updatedReplicas": 3, "replicas": 5}),
            'Waiting for deployment "web" rollout to finish: 2 old replicas are pending termination...',
            False,
        ),
        (
            "Deployment",
            item({"updatedReplicas": 3, "replicas": 3, "availableReplicas": 1}),
            'Waiting for deployment "web" rollout to finish: 1 of 3 updated replicas are available...',
            False,
        ),
        (
            "Deployment",
            item({"updatedReplicas": 3, "replicas": 3, "availableReplicas": 3}),
            'deployment "web" successfully rolled out',
            True,
        ),
        ("StatefulSet", item(generation=2), "Waiting for statefulset spec update to be observed...", False),
        ("StatefulSet", item({"readyReplicas": 1}), "Waiting for 2 pods to be ready...", False),
        (
            "StatefulSet",
            item({"readyReplicas": 3, "updatedReplicas": 1}, **ROLLING),
            "Waiting for partitioned roll out to finish: 1 out of 2 new pods have been updated...",
            False,
        ),
        (
            "StatefulSet",
            item({"readyReplicas": 3, "updatedReplicas": 2}, **ROLLING),
            "partitioned roll out complete: 2 new pods have been updated...",
            True,
        ),
        (
            "StatefulSet",
            item({"readyReplicas": 3, "updatedReplicas": 2, "updateRevision": "web-2", "currentRevision": "web-1"}),
            "waiting for statefulset rolling update to complete 2 pods at revision web-2...",
            False,
        ),
        (
            "StatefulSet",
            item({"readyReplicas": 3, "currentReplicas": 3, "updateRevision": "web-2", "currentRevision": "web-2"}),
            "statefulset rolling update complete 3 pods at revision web-2...",
            True,
        ),
        ("DaemonSet", item(generation=2), "Waiting for daemon set spec update to be observed...", False),
        (
            "DaemonSet",
            item({"desiredNumberScheduled": 4, "updatedNumberScheduled": 1}),
            'Waiting for daemon set "web" rollout to finish: 1 out of 4 new pods have been updated...',
            False,
        ),
        (
            "DaemonSet",
            item({"desiredNumberScheduled": 4, "updatedNumberScheduled": 4, "numberAvailable": 3}),
            'Waiting for daemon set "web" rollout to finish: 3 of 4 updated pods are available...',
            False,
        ),
        (
            "DaemonSet",
            item({"desiredNumberScheduled": 4, "updatedNumberScheduled": 4, "numberAvailable": 4}),
            'daemon set "web" successfully rolled out',
            True,
        ),
        (
            "DaemonSet",
            item(updateStrategy={"type": "OnDelete"}),
            "error: rollout status is only available for RollingUpdate strategy type",
            True,
        ),
    ],
)
def test_progress_is_told_as_kubectl_tells_it(kind: str, found: JsonObject, words: str, done: bool) -> None:
    said = progress(kind, found)
    assert (said.text, said.done) == (words, done)
    assert said.failed == words.startswith("error: ")


@given(st.integers(0, 1000), st.integers(0, 200))
def test_percentages_are_rounded_to_both_sides(whole: int, percent: int) -> None:
    up, down = share(f"{percent}%", whole, up=True), share(f"{percent}%", whole, up=False)
    assert down * 100 <= whole * percent <= up * 100
    assert up - down <= 1
    assert share(percent, whole, up=True) == percent


@pytest.mark.parametrize(
    ("kind", "spec", "words"),
    [
        ("Deployment", {}, "3 pods are replaced, at least 3 of them always available, at most 1 more than wanted."),
        ("Deployment", {"replicas": 0}, "No pods run: none are replaced."),
        ("Deployment", {"paused": True}, "It is paused: no pod is replaced until it is resumed."),
        (
            "Deployment",
            {"strategy": {"type": "Recreate"}},
            "All 3 pods are stopped before new ones start: nothing answers meanwhile (strategy Recreate).",
        ),
        (
            "Deployment",
            {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "100%", "maxSurge": 0}}},
            "3 pods are replaced, all of them at once if need be: nothing may answer meanwhile.",
        ),
        (
            "Deployment",
            {"replicas": 2, "strategy": {"rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "0%"}}},
            "2 pods are replaced, at least 1 of them always available, at most 0 more than wanted.",
        ),
        ("StatefulSet", {}, "3 pods are replaced, the last first, each when the one before is ready."),
        (
            "StatefulSet",
            {"replicas": 1},
            "Its only pod is stopped before the new one starts: nothing answers meanwhile.",
        ),
        (
            "StatefulSet",
            {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 3}}},
            "The partition 3 keeps all pods as they are.",
        ),
        (
            "StatefulSet",
            {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}},
            "1 pod is replaced, the last first, each when the one before is ready.",
        ),
        ("DaemonSet", {}, "4 pods are replaced, on 1 node at a time, the old one first."),
        (
            "DaemonSet",
            {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "50%", "maxUnavailable": 0}}},
            "4 pods are replaced, on 2 nodes at a time, the new one first.",
        ),
        (
            "DaemonSet",
            {"updateStrategy": {"type": "OnDelete"}},
            "Its strategy is OnDelete: each pod takes the change when somebody deletes it.",
        ),
        ("ReplicaSet", {}, "Pods that run stay as they are; only new ones are made with it."),
    ],
)
def test_what_becomes_of_the_pods(kind: str, spec: JsonObject, words: str) -> None:
    status = {"updatedReplicas": 3, "replicas": 3, "availableReplicas": 3, "readyReplicas": 3}
    sets = {"desiredNumberScheduled": 4, "updatedNumberScheduled": 4, "numberAvailable": 4}
    assert replacement(target(item({**status, **sets}, **spec), kind))[0].text == words


# -- plans -----------------------------------------------------------------------------------------


def test_a_restart_is_not_undone() -> None:
    (step,) = RESTART.plan(target(item()), {"at": "2026-01-02T03:04:05Z"})
    body = {
        "spec": {
            "template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "2026-01-02T03:04:05Z"}}}
        }
    }
    assert (step.write.body, step.write.content_type, step.undone) == (body, STRATEGIC_PATCH, Undone.NEVER)
    assert step.kubectl == ("kubectl", "-n", "shop", "rollout", "restart", "deployments", "web")


def test_a_second_restart_within_a_second_is_refused() -> None:
    found = item()
    notes = {"kubectl.kubernetes.io/restartedAt": "2026-01-02T03:04:05Z"}
    found["spec"]["template"] = {**TEMPLATE, "metadata": {"annotations": notes}}
    with pytest.raises(Refusal, match="already been triggered within the past second"):
        RESTART.plan(target(found), {"at": "2026-01-02T03:04:05Z"})
    assert RESTART.plan(target(found), {"at": "2026-01-02T03:04:06Z"})


async def test_the_time_of_a_restart_is_that_of_the_cluster() -> None:
    form = await RESTART.form(Scripted(now=0.9), [target(item())])
    assert form.start() == {"at": "1970-01-01T00:00:00Z"}
    assert not form.fields[0].shown({})


def test_pause_and_resume_are_each_other() -> None:
    running, waiting = target(item()), target(item(paused=True))
    (pause,), (resume,) = PAUSE.plan(running, {}), RESUME.plan(waiting, {})
    assert (pause.write.body, resume.write.body) == ({"spec": {"paused": True}}, {"spec": {"paused": None}})
    with pytest.raises(Refusal, match=r'deployments\.apps "web" is already paused'):
        PAUSE.plan(waiting, {})
    with pytest.raises(Refusal, match=r'deployments\.apps "web" is not paused'):
        RESUME.plan(running, {})
    assert (PAUSE.ready(waiting), RESUME.ready(running)) == ("already paused", "not paused")
    unread = Target(DEPLOYMENTS, ObjectKey("shop", "web"))
    assert (PAUSE.ready(unread), RESUME.ready(unread), RESTART.ready(unread)) == ("", "", "")


# -- revisions -------------------------------------------------------------------------------------


def replica_set(number: str, image: str, uid: str = "u", **annotations: str) -> JsonObject:
    template = copy.deepcopy(TEMPLATE)
    template["metadata"]["labels"]["pod-template-hash"] = "abc"
    template["spec"]["containers"][0]["image"] = image
    notes = {"deployment.kubernetes.io/revision": number, "deployment.kubernetes.io/max-replicas": "4", **annotations}
    owner = {"kind": "Deployment", "name": "web", "uid": uid, "controller": True}
    meta = {"name": f"web-{number}", "uid": f"rs-{number}", "annotations": notes, "ownerReferences": [owner]}
    return {"metadata": meta, "spec": {"template": template}}


def revision(number: int, image: str) -> JsonObject:
    template = {**copy.deepcopy(TEMPLATE), "$patch": "replace"}
    template["spec"]["containers"][0]["image"] = image
    owner = {"kind": "StatefulSet", "name": "web", "uid": "u", "controller": True}
    meta = {"name": f"web-{number}", "ownerReferences": [owner], "annotations": {"kubernetes.io/change-cause": "why"}}
    return {"metadata": meta, "data": {"spec": {"template": template}}, "revision": number}


def test_revisions_are_its_own_in_the_order_of_their_numbers() -> None:
    cause = {"kubernetes.io/change-cause": "more"}
    sets = [replica_set("10", "a:2", **cause), replica_set("9", "a:1"), replica_set("3", "a:3", uid="other")]
    found = of_deployment(item(), [*sets, replica_set("", "a:4")])
    assert [(one.number, one.cause, one.images, one.current) for one in found] == [
        (9, "", ("a:1",), True),
        (10, "more", ("a:2",), False),
    ]
    assert all("pod-template-hash" not in json.dumps(one.template) for one in found)


def test_revisions_of_sets() -> None:
    foreign = revision(4, "a:4")
    foreign["metadata"]["ownerReferences"][0]["controller"] = False
    found = of_set(item(), [revision(2, "a:2"), revision(1, "a:1"), foreign])
    assert [(one.number, one.cause, one.images, one.current) for one in found] == [
        (1, "why", ("a:1",), True),
        (2, "why", ("a:2",), False),
    ]
    assert all("$patch" not in one.template for one in found)


def test_the_difference_of_revisions_is_told_by_fields() -> None:
    one, other = of_set(item(), [revision(2, "a:2"), revision(1, "a:1")])
    assert differences(one, other) == [("spec.template.spec.containers[app].image", '"a:1"', '"a:2"')]
    assert differences(one, one) == []


def test_a_revision_in_a_line() -> None:
    template = {"spec": {"containers": [{"image": "registry/team/web:1"}, {"image": "log"}]}}
    assert Revision(3, "more memory", template, "2026-01-02T03:04:05Z", True).described(1767323105.0) == (
        "3  web:1, log  60s ago  current  more memory"
    )
    assert Revision(3, "", {}).described(0) == "3"


async def test_one_revision_is_shown_and_nothing_is_asked() -> None:
    form = await ROLLOUT_HISTORY.form(Scripted({"replicasets": [replica_set("1", "a:1")]}), [target(item())])
    assert (form.fields, form.facts) == ((), ("1  a:1  current",))
    assert not await ROLLOUT_HISTORY.weigh(Scripted(), [target(item())], {})


# -- undo ------------------------------------------------------------------------------------------


async def undo(found: JsonObject, sets: list[JsonObject], choose: str = "") -> Any:
    form = await ROLLOUT_UNDO.form(Scripted({"replicasets": sets}), [target(found)])
    values = form.start() | ({"revision": choose} if choose else {})
    return ROLLOUT_UNDO.plan(target(found), values)


async def test_undo_takes_the_template_and_the_revisions_annotations() -> None:
    found = item()
    kept = {"deployment.kubernetes.io/revision": "2", "kubectl.kubernetes.io/last-applied-configuration": "{}"}
    found["metadata"]["annotations"] = {**kept, "team": "shop", "kubernetes.io/change-cause": "newest"}
    sets = [replica_set("1", "a:0", **{"kubernetes.io/change-cause": "oldest"}), replica_set("2", "a:1")]
    (step,) = await undo(found, sets)
    template, annotations = step.write.body
    assert template["path"] == "/spec/template"
    assert template["value"]["spec"]["containers"][0]["image"] == "a:0"
    assert annotations["value"] == {**kept, "kubernetes.io/change-cause": "oldest"}
    assert (step.write.content_type, step.undone) == (JSON_PATCH, Undone.PATCH)
    assert step.kubectl[-1] == "--to-revision=1"


async def test_undo_of_a_set_sends_its_revisions_data() -> None:
    live = target(item(), "StatefulSet")
    cluster = Scripted({"controllerrevisions": [revision(1, "a:0"), revision(2, "a:1")]})
    (step,) = ROLLOUT_UNDO.plan(live, (await ROLLOUT_UNDO.form(cluster, [live])).start())
    assert step.write.body == revision(1, "a:0")["data"]
    assert step.write.content_type == STRATEGIC_PATCH


async def test_refusals_of_undo() -> None:
    sets = [replica_set("1", "a:0"), replica_set("2", "a:1")]
    with pytest.raises(Refusal, match=r"skipped rollback \(current template already matches revision 2\)"):
        await undo(item(), sets, "2  a:1")
    with pytest.raises(Refusal, match="unable to find specified revision 7 in history"):
        await undo(item(), sets, "7")
    with pytest.raises(Refusal, match="you cannot rollback a paused deployment"):
        await undo(item(paused=True), sets)
    with pytest.raises(Refusal, match='no rollout history found for deployment "web"'):
        await undo(item(), sets[1:])


def test_what_says_nothing_makes_no_difference() -> None:
    old = {"metadata": {"creationTimestamp": None, "labels": {"pod-template-hash": "x"}}, "spec": {}}
    assert without_hash(old) == without_hash({"spec": {}}) == {"metadata": {}, "spec": {}}


# -- following -------------------------------------------------------------------------------------

READY = {"updatedReplicas": 3, "replicas": 3, "availableReplicas": 3}


def pod(name: str, owner: str, why: str = "") -> JsonObject:
    state = {"waiting": {"reason": "ImagePullBackOff", "message": why}} if why else {"running": {}}
    status = {"name": "app", "ready": not why, "state": state}
    owners = [{"kind": "ReplicaSet", "name": "x", "uid": owner, "controller": True}]
    return {
        "metadata": {"name": name, "namespace": "shop", "ownerReferences": owners},
        "status": {"phase": "Pending" if why else "Running", "containerStatuses": [status]},
    }


async def test_a_rollout_is_followed_from_what_was_written() -> None:
    """What was listed before the write counts for nothing, though it looks done."""
    before = item(READY)
    seen = [before, item({"updatedReplicas": 1, "observedGeneration": 2}, generation=2)]
    seen.append(item({**READY, "observedGeneration": 2}, generation=2))
    cluster = Scripted({"replicasets": [], "pods": []}, seen=seen)
    doing = Followed(cluster, target(before), results=[item(generation=2)])
    assert [(said.text.partition(":")[0], said.tone) for said in await doing.told(RESTART)] == [
        ('Waiting for deployment "web" rollout to finish', Tone.WORKING),
        ('deployment "web" successfully rolled out', Tone.GOOD),
    ]


async def test_what_holds_a_rollout_up_is_told_of_its_new_pods_only() -> None:
    newest, older = replica_set("2", "a:1"), replica_set("1", "a:0")
    pods = [pod("old", "rs-1", "it never worked"), pod("new", "rs-2", "no such image")]
    seen = [item({"updatedReplicas": 1}), item({**READY})]
    cluster = Scripted({"replicasets": [older, newest], "pods": pods}, seen=seen)
    told = await Followed(cluster, target(seen[0])).told(ROLLOUT_STATUS)
    assert [said.text for said in told if said.about == PODS] == [
        "pod new: no such image",
        "Nothing holds the pods up any more.",
    ]


async def test_pods_that_may_not_be_read_are_said() -> None:
    cluster = Scripted({"replicasets": []}, seen=[item({"updatedReplicas": 1}), item(READY)])
    told = await Followed(cluster, target(item())).told(ROLLOUT_STATUS)
    (unread,) = [said for said in told if said.tone is Tone.UNKNOWN]
    assert (unread.about, "Its pods cannot be read: " in unread.text) == (PODS, True)
    assert told[-1].tone is Tone.GOOD


@pytest.mark.parametrize("after", [None, {**item(READY), "metadata": {"name": "web", "uid": "another"}}])
async def test_one_that_is_gone_ends_it(after: JsonObject | None) -> None:
    cluster = Scripted({"replicasets": [], "pods": []}, seen=[item({"updatedReplicas": 1}), after])
    told = await Followed(cluster, target(item())).told(ROLLOUT_STATUS)
    assert (told[-1].text, told[-1].tone) == ("deployment shop/web is gone.", Tone.FAILED)


def test_what_the_cluster_says_of_replicas_it_cannot_make_goes_first() -> None:
    refused = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"}
    said = held_up(Look(item({"conditions": [refused]})), [pod("new", "rs-2", "no such image")])
    assert said is not None
    assert (said.text, said.tone, said.about) == ("exceeded quota", Tone.FAILED, PODS)
    events = [{"message": "old", "lastTimestamp": "2026-01-01"}, {"message": "new", "lastTimestamp": "2026-01-02"}]
    said = held_up(Look(item({"replicas": 1}), events=events), [])
    assert said is not None
    assert said.text == "new"
    assert held_up(Look(item({"replicas": 3}), events=events), []) is None


def test_pods_on_their_way_out_are_not_waited_for() -> None:
    gone = pod("gone", "rs-2")
    gone["metadata"]["deletionTimestamp"] = "2026-01-02T03:04:05Z"
    look = Look(item(), pods=[gone, pod("new", "rs-2"), pod("old", "rs-1")], sets=[replica_set("2", "a:1")])
    assert [one["metadata"]["name"] for one in new_pods("Deployment", look)] == ["new"]


async def test_sources_are_joined_closed_and_fail_alone() -> None:
    closed = []

    async def tells(*values: int) -> AsyncGenerator[int, None]:
        try:
            for value in values:
                yield value
                await asyncio.sleep(0)
            await asyncio.Event().wait()
        finally:
            closed.append(values)

    async def fails() -> AsyncGenerator[int, None]:
        raise Forbidden(403, "Forbidden", "no")
        yield 0

    joined = newest_of({"a": tells(1, 2), "b": tells(7), "c": fails()})
    async for newest in joined:
        if newest["a"] == 2:
            break
    await joined.aclose()
    assert newest["b"] == 7
    assert isinstance(newest["c"], Forbidden)
    assert sorted(closed) == [(1, 2), (7,)]
