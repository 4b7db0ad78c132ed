"""What the ways of applying an edit send, what they refuse, and what is said of them."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any, cast

import pytest

from ktui.actions.action import Asks, Cluster, JsonObject, Refusal, Said, Step, Target
from ktui.actions.edit import editable
from ktui.actions.edit_words import consequences
from ktui.actions.place import Place
from ktui.actions.replace import TRIED, immutable, recreate_action, replace_action
from ktui.actions.server_side_apply import apply_step, manager_conflicts, server_side_apply_action
from ktui.actions.undertaking import Preview, Stage, Undertaking
from ktui.kinds.deployments import DEPLOYMENTS
from ktui.kinds.generic import generic_kind
from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR, ObjectKey
from ktui.kinds.services import SERVICES
from ktui.kinds.tone import Tone
from ktui.kube.errors import Cause, Conflict, Details, Forbidden, Invalid, api_error
from ktui.manifests.applied import Owner
from ktui.manifests.lists import GUESSED
from ktui.widgets.act_words import preview_words, progress_words

CONFIGMAPS = generic_kind(GVR("", "v1", "configmaps"), "ConfigMap", True)
RECORDED = json.loads((Path(__file__).parent / "golden" / "errors.json").read_text())


def item(kind: str = "ConfigMap", version: str = "7", **more: Any) -> dict[str, Any]:
    """An object as the server has it."""
    meta: dict[str, Any] = {"name": "x", "namespace": "ns", "uid": "u", "resourceVersion": version}
    return {"apiVersion": "v1", "kind": kind, "metadata": meta, **more}


def owned(live: dict[str, Any], *entries: tuple[str, str, Any]) -> dict[str, Any]:
    """An object with its owners: manager, operation, fields."""
    fields = [{"manager": name, "operation": how, "fieldsV1": tree} for name, how, tree in entries]
    return {**live, "metadata": {**live["metadata"], "managedFields": fields}}


def steps(make: Any, live: dict[str, Any], kind: Kind = CONFIGMAPS, values: Any = None, /, **fields: Any) -> list[Step]:
    """What a way of applying sends when fields are edited."""
    action = make(editable(live), {**editable(live), **fields}, GUESSED, {})
    return list(action.plan(Target(kind, ObjectKey("ns", "x")).read(live), values or {}))


A: JsonObject = {"f:data": {"f:a": {}}}


# -- server-side apply -----------------------------------------------------------------------------


def test_an_apply_declares_what_is_ktuis_and_what_was_changed() -> None:
    """With the UID, so that no other object is made; the line says the same."""
    live = owned(item(data={"a": "1", "b": "1", "c": "1"}), ("ktui", "Apply", A))
    (step,) = steps(server_side_apply_action, live, data={"a": "1", "b": "2", "c": "1"})
    assert step.write.body["data"] == {"a": "1", "b": "2"}
    assert step.write.body["metadata"] == {"name": "x", "namespace": "ns", "uid": "u"}
    assert step.write.query == {}
    assert step.kubectl[-5:] == ("apply", "--server-side", "--field-manager=ktui", "-f", "-")


def test_what_ktui_patched_is_taken_over_unless_somebody_comes_in_between() -> None:
    """Nobody is asked about oneself; what others own, is asked for."""
    live = owned(item(data={"a": "1", "b": "1"}), ("ktui", "Update", A), ("other", "Update", {"f:data": {"f:b": {}}}))
    (step,) = steps(server_side_apply_action, live, data={"a": "2", "b": "1"})
    assert step.write.query == {"force": "true"}
    assert step.write.body["metadata"]["resourceVersion"] == "7"
    (step,) = steps(server_side_apply_action, live, data={"a": "2", "b": "2"})
    assert step.write.query == {}
    (step,) = steps(server_side_apply_action, live, CONFIGMAPS, {"force": True}, data={"a": "2", "b": "2"})
    assert step.write.query == {"force": "true"}
    assert "--force-conflicts" in step.kubectl


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"a": "1"}, "An apply does not remove data.b: set by other."),
        ({"a": "1", "b": "1"}, "Nothing was changed."),
    ],
)
def test_what_an_apply_cannot_do(data: dict[str, str], said: str) -> None:
    """It is refused, with what can."""
    live = owned(item(data={"a": "1", "b": "1"}), ("ktui", "Apply", A), ("other", "Update", {"f:data": {"f:b": {}}}))
    with pytest.raises(Refusal) as refused:
        steps(server_side_apply_action, live, data=data)
    assert refused.value.sentence == said
    assert refused.value.next_step


def conflict(*causes: tuple[str, str]) -> Conflict:
    """What a server answers."""
    told = tuple(Cause("FieldManagerConflict", f'conflict with "{who}" using v1', field) for field, who in causes)
    return Conflict(409, "Conflict", "Apply failed", details=Details(causes=told))


def test_conflicts_are_told_by_owner() -> None:
    """Of a recorded answer; those with ktui's own patches only where there are no others."""
    seen = RECORDED["ssa-conflict"]
    error = api_error(seen["status"], {}, json.dumps(seen["body"]).encode())
    found = manager_conflicts(error, {"spec": {"replicas": 1}})
    assert found is not None
    assert [(each.said, each.path, each.owner) for each in found.conflicts] == [
        ("spec.replicas", ("spec", "replicas"), Owner("kubectl.1.33", "Update", "scale"))
    ]

    both = manager_conflicts(conflict((".data.a", "ktui"), (".data.b", "other")), {"data": {"a": "1", "b": "1"}})
    assert both is not None
    assert [(each.said, each.owner) for each in both.conflicts] == [("data.b", Owner("other"))]
    alone = manager_conflicts(conflict((".data.a", "ktui")), {"data": {"a": "1"}})
    assert alone is not None
    assert [each.said for each in alone.conflicts] == ["data.a"]
    assert manager_conflicts(Conflict(409, "Conflict", "modified"), {}) is None
    assert manager_conflicts(None, {}) is None


# -- replace ---------------------------------------------------------------------------------------


def test_a_replacement_is_of_the_version_that_was_merged() -> None:
    """With the status as it is, which is not people's."""
    live = item(version="9", data={"a": "1"}, status={"x": 1})
    (step,) = steps(replace_action, live, data={"a": "2"})
    assert (step.write.method, step.write.body["metadata"]["resourceVersion"]) == ("PUT", "9")
    assert step.write.body["data"] == {"a": "2"}
    assert step.write.body["status"] == {"x": 1}
    assert "status" not in step.stdin


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("spec.selector", 'Invalid value: {"matchLabels":{"a":"c"}}: field is immutable'),
        ("spec", "Forbidden: updates to statefulset spec for fields other than 'replicas' are forbidden"),
        ("spec", "Forbidden: pod updates may not change fields other than `spec.containers[*].image`"),
        ("spec.containers", "Forbidden: pod updates may not add or remove containers"),
        ("spec", "Forbidden: spec is immutable after creation except resources.requests"),
        ("spec.clusterIPs[0]", 'Invalid value: ["10.96.0.99"]: may not change once set'),
        ("data", "Forbidden: field is immutable when `immutable` is set"),
        ("roleRef", 'Invalid value: {"Name":"y"}: cannot change roleRef'),
        ("value", "Forbidden: may not be changed in an update."),
        ("spec.size", "Invalid value: 3: failed rule: self == oldSelf"),
    ],
)
def test_what_cannot_be_changed_is_told_from_what_is_wrong(field: str, message: str) -> None:
    """In the words of Kubernetes 1.36."""
    wrong = Cause("FieldValueInvalid", "Invalid value: -1: must be greater than or equal to 0", "spec.replicas")
    error = Invalid(422, "Invalid", "", details=Details(causes=(wrong, Cause("", message, field))))
    assert [cause.field for cause in immutable(error)] == [field]
    assert immutable(Invalid(422, "Invalid", "", details=Details(causes=(wrong,)))) == []
    uid = Cause("", "Invalid value: field is immutable", "metadata.uid")
    assert immutable(Invalid(422, "Invalid", "", details=Details(causes=(uid,)))) == []
    assert immutable(Forbidden(403, "Forbidden", "no")) == []
    assert immutable(None) == []


def service(**spec: Any) -> dict[str, Any]:
    """A service."""
    return item("Service", spec={"selector": {"app": "x"}, "clusterIP": "10.0.0.1", "ports": [{"port": 80}], **spec})


def test_a_recreation_deletes_this_very_object_and_creates_what_was_edited() -> None:
    """It is tried under another name, with nothing that only one can have; it is asked for like a deletion."""
    live = service()
    edited = {**live["spec"], "clusterIP": "None"}
    gone, made = steps(
        recreate_action, live, SERVICES, {"reclaims": ""}, spec={**live["spec"], "ports": [{"port": 81}]}
    )
    assert gone.write.body["preconditions"] == {"uid": "u"}
    assert gone.settled is not None
    assert gone.settled(live)
    assert gone.settled(None) == ""
    assert gone.settled({**live, "metadata": {**live["metadata"], "uid": "other"}}) == ""
    assert "uid" not in made.write.body["metadata"]
    assert made.write.body["spec"]["clusterIP"] == "10.0.0.1"
    assert made.tried is not None
    assert made.tried.body["metadata"]["name"] == f"x{TRIED}"
    assert "clusterIP" not in made.tried.body["spec"]
    action = recreate_action(live, {**live, "spec": edited}, GUESSED, {})
    assert action.asks([Target(SERVICES, ObjectKey("ns", "x")).read(live)], {}) is Asks.CONFIRM


# -- what follows ----------------------------------------------------------------------------------


class Pods:
    """A cluster of pods, whatever is asked for."""

    def __init__(self, *pods: JsonObject) -> None:
        self.pods = list(pods)
        self.asked: list[str] = []

    async def objects(self, gvr: GVR, namespace: str = "", *, labels: str = "", fields: str = "") -> list[JsonObject]:
        """The pods."""
        self.asked.append(labels)
        return self.pods


def pod(name: str, **spec: Any) -> JsonObject:
    """A pod of a deployment."""
    owner = {"kind": "ReplicaSet", "name": "web-5d5", "controller": True}
    meta = {"name": name, "labels": {"pod-template-hash": "5d5"}, "ownerReferences": [owner]}
    return {"metadata": meta, "spec": spec}


async def told(kind: Kind, before: JsonObject, after: JsonObject, *pods: JsonObject) -> list[str]:
    """What is said of an edit."""
    return [said.text for said in await consequences(cast("Cluster", Pods(*pods)), kind, before, after)]


async def test_who_reads_a_configuration() -> None:
    """In its environment, which is read once; or in files."""
    before, after = item(data={"a": "1"}), item(data={"a": "2"})
    reads = {"containers": [{"envFrom": [{"configMapRef": {"name": "x"}}]}]}
    mounts = {"volumes": [{"projected": {"sources": [{"configMap": {"name": "x"}}]}}]}
    assert await told(CONFIGMAPS, before, after, pod("a", **reads), pod("b", **reads), pod("c", **mounts)) == [
        "Pods read it from their environment when they start, so restart them: deployment web (2 pods).",
        "Pods have it as files, which follow in a minute or two unless by a subPath: deployment web (1 pod).",
    ]
    assert await told(CONFIGMAPS, before, after, pod("a")) == ["No pod uses it now."]
    assert await told(CONFIGMAPS, before, before, pod("a", **reads)) == []


async def test_whom_a_service_reaches_by_another_selector() -> None:
    """None is told as what it is."""
    before, after = service(), service(selector={"app": "y"}, type="LoadBalancer")
    assert (await told(SERVICES, before, after))[
        -1
    ] == "Its selector would match no pods: none has the labels app=y now."
    assert (await told(SERVICES, before, after, pod("a")))[
        -1
    ] == "Its selector matches 1 pod now: deployment web (1 pod)."
    assert await told(SERVICES, before, service(ports=[])) == []
    assert await told(SERVICES, after, service(selector={"app": "y"})) == [
        "Its load balancer is given up, and the address of that."
    ]


def deployment(replicas: int = 3, image: str = "a", **spec: Any) -> JsonObject:
    """A deployment."""
    template = {"spec": {"containers": [{"name": "a", "image": image}]}}
    return {**item("Deployment"), "apiVersion": "apps/v1", "spec": {"replicas": replicas, "template": template, **spec}}


async def test_what_becomes_of_pods() -> None:
    """They are replaced, now or later, or end."""
    before = deployment()
    assert await told(DEPLOYMENTS, before, deployment(image="b")) == [
        "The template changes: 3 pods are replaced, by its own strategy."
    ]
    assert await told(DEPLOYMENTS, before, deployment(0, "b")) == ["No replicas are wanted: all its pods end."]
    assert await told(DEPLOYMENTS, before, deployment(image="b", paused=True)) == [
        "The template changes: its pods are replaced when its rollout is resumed."
    ]
    assert await told(DEPLOYMENTS, before, deployment(2)) == []


# -- the review ------------------------------------------------------------------------------------


def review(step: Step, **found: Any) -> str:
    """What the dialog shows of a dry run."""
    action = replace_action({}, {}, GUESSED, {})
    undertaking = Undertaking(cast("Place", None), action, [step.target], lambda written: None, "")
    (work,) = undertaking.works
    work.steps = (step,)
    words = preview_words(undertaking, (), {work: [Preview(step, **found)]}, (), checked=True)
    return "".join(text for text, _ in words)


def test_what_the_server_adds_is_shown_apart() -> None:
    """From what was changed; and what it makes of values."""
    live = item(data={"a": "1"})
    (step,) = steps(replace_action, live, data={"a": "2", "size": "1000m"})
    after = copy.deepcopy({**live, "data": {"a": "2", "size": "1", "default": "x"}})
    assert review(step, before=live, after=after).splitlines() == [
        'data.a  "1" → "2"',
        'data.size  "1000m"',
        "Added by the server:",
        '  data.default  "x"',
        "Made different by the server:",
        '  data.size  "1000m" → "1"',
    ]
    # Somebody else changed it in between: nothing is called the server's.
    assert "server" not in review(step, before=copy.deepcopy(live), after=after)


def test_whose_fields_they_are_is_shown() -> None:
    """One line each."""
    body = item(data={"a": "1", "b": "1"})
    step = apply_step(Target(CONFIGMAPS, ObjectKey("ns", "x")), body, force=False)
    error = conflict((".data.a", "kubectl"), (".data.b", "helm"))
    assert review(step, error=error).splitlines()[:3] == [
        "✖ Take them over, or leave them to their owners.",
        "✖ data.a  was set by kubectl.",
        "✖ data.b  was set by helm.",
    ]


def test_what_has_to_be_replaced_is_said() -> None:
    """Beside the server's own words."""
    (step,) = steps(replace_action, item(data={"a": "1"}), data={"a": "2"})
    cause = Cause("", "Forbidden: field is immutable when `immutable` is set", "data")
    error = Invalid(422, "Invalid", "it is immutable", details=Details(causes=(cause,)))
    assert "The object has to be replaced to have this" in review(step, error=error)


def test_of_several_objects_each_is_told_of() -> None:
    """What would become of it, and then what is sent, one document after the other."""
    action = replace_action({}, {}, GUESSED, {})
    place = Target(CONFIGMAPS, ObjectKey("ns", ""))
    undertaking = Undertaking(cast("Place", None), action, [place], lambda written: None, "")
    (work,) = undertaking.works
    bodies = [item(data={"a": "1"}), item(data={"b": "1"})]
    first, second = (
        apply_step(Target(CONFIGMAPS, ObjectKey("ns", name)), body, force=False, needs=(), shown=body, wanted=body)
        for name, body in zip("xy", bodies, strict=True)
    )
    work.steps = (first, second)
    error = Invalid(422, "Invalid", "it is wrong")
    found = [Preview(first, after=item(data={"a": "1", "more": "1"})), Preview(second, error=error)]
    words = preview_words(undertaking, (), {work: found}, (), checked=True)
    shown = "".join(text for text, _ in words).splitlines()
    assert shown[:5] == [
        "configmap ns/x  is made",
        "Added by the server:",
        '  data.more  "1"',
        "configmap ns/y  is refused",
        "✖ it is wrong. Correct the fields the server names.",
    ]
    assert shown.count("---") == 1
    work.error = error
    work.failed.append((second, error))
    work.said["configmap ns/y"] = Said(error.sentence, Tone.FAILED, "configmap ns/y")
    work.stage = Stage.FAILED
    assert "".join(text for text, _ in progress_words(undertaking)).splitlines() == [
        "✖ 1 of 2 done",
        "  Correct the fields the server names.",
        "  ✖ configmap ns/y  it is wrong.",
    ]
