"""Set image, resources and environment, without a cluster."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ktui.actions.action import STRATEGIC_PATCH, Action, JsonObject, Refusal, Step, Target, Undone
from ktui.actions.pod_template import pod_spec_path
from ktui.actions.set_env import SET_ENV, wanted, wrong_env
from ktui.actions.set_image import SET_IMAGE, wrong_image
from ktui.actions.set_resources import SET_RESOURCES, wrong_quantity
from ktui.kinds.deployments import DEPLOYMENTS
from ktui.kinds.generic import generic_kind
from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR, ObjectKey
from ktui.kinds.nodes import NODES
from ktui.kinds.pods import PODS
from ktui.kinds.tone import Tone
from tests.unit.scripted import Followed, Scripted

CRONJOBS = generic_kind(GVR("batch", "v1", "cronjobs"), "CronJob", True)
BUDGETS: dict[str, list[JsonObject]] = {"poddisruptionbudgets": []}
CONTAINERS: JsonObject = {
    "initContainers": [{"name": "first", "image": "init:1"}],
    "containers": [{"name": "app", "image": "web:1"}, {"name": "log", "image": "log:1"}],
}


def target(spec: JsonObject | None = None, kind: Kind = DEPLOYMENTS, name: str = "web", **more: Any) -> Target:
    found: Any = copy.deepcopy(CONTAINERS if spec is None else spec)
    for part in reversed(pod_spec_path(kind)):
        found = {part: found}
    found["spec"].update({"replicas": 0, **more} if kind is DEPLOYMENTS else more)
    found["metadata"] = {"name": name, "namespace": "shop", "uid": name}
    return Target(kind, ObjectKey("shop", name), name, found)


async def filled(action: Action, *targets: Target, **changed: str) -> dict[str, Any]:
    """What a form was filled with; `image_app` stands for the field `image app`."""
    form = await action.form(Scripted(BUDGETS), targets)
    values = {**form.start(), **{name.replace("__", ".").replace("_", " "): text for name, text in changed.items()}}
    assert not form.wrong(values)
    return values


async def step(action: Action, found: Target, **changed: str) -> Step:
    (only,) = action.plan(found, await filled(action, found, **changed))
    assert (only.write.content_type, only.undone) == (STRATEGIC_PATCH, Undone.PATCH)
    return only


# -- images ----------------------------------------------------------------------------------------


async def test_only_changed_images_are_sent() -> None:
    found = await step(SET_IMAGE, target(), image_log=" log:2 ", image_first="init:2")
    assert found.write.body["spec"]["template"]["spec"] == {
        "$setElementOrder/containers": [{"name": "app"}, {"name": "log"}],
        "containers": [{"name": "log", "image": "log:2"}],
        "$setElementOrder/initContainers": [{"name": "first"}],
        "initContainers": [{"name": "first", "image": "init:2"}],
    }
    assert found.kubectl == ("kubectl", "-n", "shop", "set", "image", "deployments", "web", "log=log:2", "first=init:2")


@pytest.mark.parametrize(
    ("kind", "path"),
    [(PODS, ("spec",)), (CRONJOBS, ("spec", "jobTemplate", "spec", "template", "spec"))],
    ids=["pods", "cronjobs"],
)
async def test_where_a_kind_has_its_containers(kind: Kind, path: tuple[str, ...]) -> None:
    body = (await step(SET_IMAGE, target(kind=kind), image_app="web:2")).write.body
    for part in path:
        assert list(body) == [part]
        body = body[part]
    assert body["containers"] == [{"name": "app", "image": "web:2"}]


@pytest.mark.parametrize("action", [SET_IMAGE, SET_RESOURCES, SET_ENV], ids=lambda action: str(action.id))
async def test_a_form_that_was_not_touched_changes_nothing(action: Action) -> None:
    env = [{"name": "A", "value": "1"}, {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]
    spec = {"containers": [{"name": "app", "image": "web:1", "env": env, "resources": {"limits": {"cpu": "1"}}}]}
    values = await filled(action, target(spec))
    assert action.plan(target(spec), values) == ()
    # Nor does it set back what somebody else has changed since.
    assert (
        action.plan(target(json.loads(json.dumps(spec).replace('"1"', '"2"').replace("web:1", "web:2"))), values) == ()
    )
    assert not await action.weigh(Scripted(BUDGETS), [target(spec)], values)


def test_who_is_offered_what() -> None:
    assert SET_IMAGE.offers(PODS)
    assert not SET_ENV.offers(PODS)
    assert not SET_RESOURCES.offers(PODS)
    for action in (SET_IMAGE, SET_RESOURCES, SET_ENV):
        assert action.offers(DEPLOYMENTS)
        assert action.offers(CRONJOBS)
        assert not action.offers(NODES)


@pytest.mark.parametrize(
    "image",
    [
        "web", "web:1", "team/web", "registry.example.com/team/web:v1.2", "localhost:5000/web", "[::1]:5000/web:1",
        "a__b", "a--b/c.d_e", f"web@sha256:{'a' * 64}", f"web:1@sha256:{'A1' * 32}", "UPPER.example.com/web", "web:_x",
        " web:1 ",
    ],
)  # fmt: skip
def test_images(image: str) -> None:
    assert wrong_image(image) == ""


@pytest.mark.parametrize(
    ("image", "word"),
    [
        ("Web", "lower case"), ("team/Web:1", "lower case"), ("web 1", "spaces"), ("https://x/web", "URL"),
        ("web:", "tag"), ("web:-1", "tag"), (f"web:{'x' * 129}", "tag"), ("web@sha256:abc", "digest"),
        ("web:1@x", "digest"), ("/web", "no image"), ("web/", "no image"), ("-web", "no image"), ("a___b", "no image"),
        ("a..b", "no image"), ("wéb", "no image"), (f"{'a' * 256}", "255"),
    ],
)  # fmt: skip
def test_no_images(image: str, word: str) -> None:
    assert word in wrong_image(image)


async def test_what_the_cluster_has_may_stay() -> None:
    strange = target({"containers": [{"name": "app", "image": "Not An Image"}, {"name": "log", "image": "log:1"}]})
    assert await filled(SET_IMAGE, strange, image_log="log:2")
    form = await SET_IMAGE.form(Scripted(), [strange])
    assert form.wrong({**form.start(), "image app": ""})


async def test_images_of_several() -> None:
    one, two = target(name="one"), target({"containers": [{"name": "app", "image": "web:9"}]}, name="two")
    form = await SET_IMAGE.form(Scripted(), [one, two])
    start = form.start()
    assert (start["image app"], start["image log"]) == ("", "log:1")
    assert form.facts == ("app runs web:1, web:9",)
    values = await filled(SET_IMAGE, one, two, image_log="log:2")
    assert len(SET_IMAGE.plan(one, values)) == 1
    with pytest.raises(Refusal, match='unable to find container named "log"'):
        SET_IMAGE.plan(two, values)
    said = await SET_IMAGE.weigh(Scripted(BUDGETS), [one, two], values)
    assert [one.text for one in said] == ["shop/one: No pods run: none are replaced."]


@pytest.mark.parametrize(("image", "latest"), [("web", True), ("web:latest", True), ("web:2", False)])
async def test_latest_is_cautioned_about(image: str, latest: bool) -> None:
    said = await SET_IMAGE.weigh(Scripted(BUDGETS), [target()], await filled(SET_IMAGE, target(), image_app=image))
    assert (said[0].tone is Tone.WARNING) == latest


async def test_what_pods_of_a_controller_are_told() -> None:
    found = target(kind=PODS)
    found.live["metadata"]["ownerReferences"] = [{"kind": "ReplicaSet", "name": "web-1", "controller": True}]
    said = await SET_IMAGE.weigh(Scripted(), [found], await filled(SET_IMAGE, found, image_app="web:2"))
    assert said[1].text == "replicaset web-1 makes its other pods, and the next ones, as before."


async def test_a_pod_is_followed_until_its_containers_run_what_they_should() -> None:
    def seen(image: str, ready: bool) -> JsonObject:
        found = target({"containers": [{"name": "app", "image": "web:2"}]}, PODS).live
        return {**found, "status": {"containerStatuses": [{"name": "app", "image": image, "ready": ready}]}}

    before = target({"containers": [{"name": "app", "image": "web:1"}]}, PODS)
    written = target({"containers": [{"name": "app", "image": "web:2"}]}, PODS).live
    watched = [seen("docker.io/library/web:1", True), seen("web:2", False), seen("docker.io/library/web:2", True)]
    told = await Followed(Scripted(seen=watched), before, results=[written]).told(SET_IMAGE)
    words = [said.text for said in told if not said.about]
    assert words == ["0 of 1 containers run what they should.", "All its containers are ready."]


async def test_what_is_not_followed_says_when_it_counts() -> None:
    told = await Followed(Scripted(), target(kind=CRONJOBS)).told(SET_ENV)
    assert [said.text for said in told] == ["Jobs that run go on as they are; the next one is made with it."]
    told = await Followed(Scripted(), target(paused=True)).told(SET_ENV)
    assert [said.text for said in told] == ["It is paused: no pod is replaced until it is resumed."]


# -- resources -------------------------------------------------------------------------------------

LIMITED: JsonObject = {"containers": [{"name": "app", "resources": {"limits": {"cpu": "1", "nvidia.com/gpu": "1"}}}]}


async def test_resources_are_set_and_taken_away() -> None:
    found = await step(SET_RESOURCES, target(LIMITED), requests__cpu_app="500m", limits__memory_app="64Mi")
    (container,) = found.write.body["spec"]["template"]["spec"]["containers"]
    assert container == {"name": "app", "resources": {"requests": {"cpu": "500m"}, "limits": {"memory": "64Mi"}}}
    assert found.kubectl[3:] == (
        "set", "resources", "deployments", "web", "-c", "app", "--limits=memory=64Mi", "--requests=cpu=500m",
    )  # fmt: skip
    found = await step(SET_RESOURCES, target(LIMITED), limits__cpu_app="")
    (container,) = found.write.body["spec"]["template"]["spec"]["containers"]
    assert container["resources"] == {"limits": {"cpu": None}}
    assert found.kubectl[3] == "patch"
    assert json.loads(found.kubectl[-1]) == found.write.body


async def test_the_same_amount_in_other_words_changes_nothing() -> None:
    values = await filled(SET_RESOURCES, target(LIMITED), limits__cpu_app="1000m")
    assert SET_RESOURCES.plan(target(LIMITED), values) == ()


async def test_other_resources_are_kept_and_told() -> None:
    assert (await SET_RESOURCES.form(Scripted(), [target(LIMITED)])).facts == ("app keeps: limit nvidia.com/gpu 1",)


async def test_several_containers_take_one_patch() -> None:
    found = await step(SET_RESOURCES, target(), limits__cpu_app="1", limits__cpu_log="2", limits__cpu_first="3")
    assert found.kubectl[3:7] == ("patch", "deployments", "web", "--type=strategic")
    spec = found.write.body["spec"]["template"]["spec"]
    assert [one["name"] for one in (*spec["containers"], *spec["initContainers"])] == ["app", "log", "first"]


@pytest.mark.parametrize(
    ("text", "fine"), [("1", True), ("1.5Gi", True), ("-1", False), ("1 Gi", False), ("1GB", False)]
)
def test_amounts(text: str, fine: bool) -> None:
    assert (wrong_quantity(text) == "") == fine


async def test_what_is_wrong_with_amounts_together() -> None:
    values = await filled(SET_RESOURCES, target(LIMITED), requests__cpu_app="1500m", requests__memory_app="400m")
    said = await SET_RESOURCES.weigh(Scripted(BUDGETS), [target(LIMITED)], values)
    assert [one.text for one in said][:2] == [
        "app requests 1500m of cpu, more than its limit of 1: that is refused.",
        "app: 400m of memory is less than 1 MiB; is its unit right?",
    ]
    values = await filled(SET_RESOURCES, target(LIMITED), requests__cpu_app="1", requests__memory_app="64Mi")
    said = await SET_RESOURCES.weigh(Scripted(BUDGETS), [target(LIMITED)], values)
    assert [one.text for one in said] == ["No pods run: none are replaced."]


# -- environment -----------------------------------------------------------------------------------

_NAME = st.from_regex(r"[A-C]{1,2}", fullmatch=True)
_VALUE = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), max_size=5)
_FROM = {"secretKeyRef": {"name": "s", "key": "k"}}


def _variable(name: str, value: str, selected: bool) -> JsonObject:
    return {"name": name, **({"valueFrom": _FROM} if selected else {"value": value} if value else {})}


_ENV = st.dictionaries(_NAME, st.tuples(_VALUE, st.booleans()), max_size=4).map(
    lambda found: [_variable(name, value, selected) for name, (value, selected) in found.items()]
)


def as_kubectl(env: list[JsonObject], put: dict[str, str], gone: set[str]) -> list[JsonObject]:
    """What `kubectl set env` makes of variables. Source: updateEnv in kubectl's pkg/cmd/set/helper.go."""
    found = [_variable(one["name"], put[one["name"]], False) if one["name"] in put else one for one in env]
    found += [_variable(name, value, False) for name, value in put.items() if name not in {one["name"] for one in env}]
    return [one for one in found if one["name"] not in gone]


def merged(env: list[JsonObject], patch: JsonObject) -> list[JsonObject]:
    """A strategic merge of variables, as far as it is used here."""
    if patch["env"] is None:
        return []
    found = {one["name"]: dict(one) for one in env}
    for one in patch["env"]:
        if one.get("$patch") == "delete":
            found.pop(one["name"])
        else:
            fields = {**found.get(one["name"], {}), **one}
            found[one["name"]] = {name: value for name, value in fields.items() if value is not None}
    order = [one["name"] for one in patch.get("$setElementOrder/env") or patch["env"]]
    assert sorted(order) == sorted(found)
    return [found[name] for name in order]


@given(_ENV, st.dictionaries(_NAME, _VALUE, max_size=4), st.sets(_NAME, max_size=3))
def test_the_patch_comes_to_what_kubectl_makes(env: list[JsonObject], put: dict[str, str], gone: set[str]) -> None:
    gone -= put.keys()
    found = target({"containers": [{"name": "app", "env": env}]})
    lines = "\n".join([*(f"{name}={value}" for name, value in put.items()), *(f"{name}-" for name in gone)])
    steps = SET_ENV.plan(found, {"env app": lines})
    expected = as_kubectl(env, put, gone)
    if not steps:
        assert expected == env
        return
    (container,) = steps[0].write.body["spec"]["template"]["spec"]["containers"]
    assert merged(env, container) == expected


async def test_taking_a_line_away_removes_it() -> None:
    env = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}, {"name": "C", "valueFrom": _FROM}]
    found = await step(SET_ENV, target({"containers": [{"name": "app", "env": env}]}), env_app="B=2")
    (container,) = found.write.body["spec"]["template"]["spec"]["containers"]
    assert container["env"] == [{"$patch": "delete", "name": "A"}]
    assert found.kubectl[3:] == ("set", "env", "deployments", "web", "-c", "app", "A-")


def test_lines() -> None:
    assert wanted("A=1\n\nB=x=y \nC-\n") == ({"A": "1", "B": "x=y "}, {"C"})
    assert wanted("A=1\nB=3", "A=1\nB=2\nC=3") == ({"B": "3"}, {"C"})


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("A", "unknown environment variable: A"),
        ("1A=2", '"1A" is not a valid key name: a valid environment variable name must consist of'),
        ("=2", '"" is not a valid key name'),
        (".=2", "\".\" is not a valid key name: must not be '.'"),
        ("..=2", "must not be '..'"),
        ("..a=2", "must not start with '..'"),
        ("A=1\nA-", "can not both modify and remove the same environment variable in the same command"),
        ("A=1\nA=2", "A is set twice."),
    ],
)
def test_wrong_lines(text: str, word: str) -> None:
    assert wrong_env(text).startswith(word) or word in wrong_env(text)


def test_what_was_there_may_stay_however_it_is_called() -> None:
    assert wrong_env("my var=1\nA=1", "my var=1") == ""
    assert wrong_env("my var=2", "my var=1")


async def test_what_lines_cannot_say_is_told_and_kept() -> None:
    env = [{"name": "A", "value": "x\ny"}, {"name": "B", "valueFrom": _FROM}, {"name": "C"}]
    env.append({"name": "D", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}})
    sources = [{"configMapRef": {"name": "web"}}, {"secretRef": {"name": "db"}, "prefix": "DB_"}]
    form = await SET_ENV.form(Scripted(), [target({"containers": [{"name": "app", "env": env, "envFrom": sources}]})])
    assert form.start()["env app"] == "C="
    assert form.facts == (
        "app: A has several lines",
        "app: B comes from secret s, key k",
        "app: D comes from metadata.name",
        "app: * comes from configmap web",
        "app: DB_* comes from secret db",
    )


async def test_what_no_longer_comes_from_a_secret_is_said() -> None:
    found = target({"containers": [{"name": "app", "env": [{"name": "B", "valueFrom": _FROM}]}]})
    for text in ("B=1", "B-"):
        said = await SET_ENV.weigh(Scripted(BUDGETS), [found], await filled(SET_ENV, found, env_app=text))
        assert said[0].text == "app: B no longer comes from secret s, key k."


async def test_what_would_be_taken_for_an_option_goes_into_a_patch() -> None:
    assert (await step(SET_ENV, target(), env_app="-A=1")).kubectl[3] == "patch"
    assert (await step(SET_ENV, target(), env_app="A=-1")).kubectl[3:5] == ("set", "env")
