"""Create: what is made of what was typed, and what is said of it."""

from __future__ import annotations

import base64
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ktui.actions.action import Action, JsonObject, Refusal, Target, Undone
from ktui.actions.create_configmap import CREATE_CONFIGMAP
from ktui.actions.create_deployment import CREATE_DEPLOYMENT, container_name, environment, untagged
from ktui.actions.create_from_yaml import CREATE_FROM_YAML
from ktui.actions.create_job import CREATE_JOB, job_words
from ktui.actions.create_namespace import CREATE_NAMESPACE
from ktui.actions.create_secret import CREATE_SECRET
from ktui.actions.create_service import CREATE_SERVICE, addresses
from ktui.actions.creation import pairs
from ktui.actions.documents import Served, items
from ktui.actions.kubectl import shell_line
from ktui.actions.names import config_key, dns_label
from ktui.actions.rollouts import progress
from ktui.kinds.manifest import MASK, to_yaml
from ktui.kinds.names import ObjectKey
from ktui.kinds.namespaces import NAMESPACES
from ktui.kinds.tone import Tone
from ktui.manifests.reading import read

PLACE = Target(NAMESPACES, ObjectKey("shop", ""))
ALL = (
    CREATE_DEPLOYMENT,
    CREATE_SERVICE,
    CREATE_NAMESPACE,
    CREATE_CONFIGMAP,
    CREATE_SECRET,
    CREATE_JOB,
    CREATE_FROM_YAML,
)
NAMED = {"name": "x", "namespace": "shop"}


def body(action: Action, **filled: Any) -> JsonObject:
    """What an action makes in one step."""
    (step,) = action.plan(PLACE, {**NAMED, **filled})
    assert isinstance(step.write.body, dict)
    return step.write.body


def test_creations_are_told_apart() -> None:
    """Each has a key and words of its own, and makes something new."""
    for name in ("id", "key", "title", "help"):
        assert len({getattr(action, name) for action in ALL}) == len(ALL)
    assert all(action.creates and not action.many for action in ALL)


@pytest.mark.parametrize("action", ALL[:-1], ids=lambda action: action.id)
def test_steps_of_creations(action: Action) -> None:
    """What is made is shown and can be taken back; without a name nothing is made."""
    filled = {"images": "a", "image": "a", "ports": "80"}
    (step,) = action.plan(PLACE, {**NAMED, **filled})
    assert step.write.method == "POST"
    assert step.shown == step.write.body
    assert step.undone is Undone.DELETE
    assert step.target.key.name == "x"
    assert step.write.path == step.target.kind.gvr.path(step.target.key.namespace)
    with pytest.raises(Refusal, match="NAME is required"):
        action.plan(PLACE, {**filled, "namespace": "shop", "name": " "})


# -- lines -----------------------------------------------------------------------------------------


@given(
    st.dictionaries(st.text("ab.-_", min_size=1), st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])))
)
def test_pairs_are_read_as_they_were_written(found: dict[str, str]) -> None:
    """Nothing is trimmed from values, which may have any number of `=` in them."""
    assert dict(pairs("\n\n".join(f"{key}={value}" for key, value in found.items()))) == found


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_line_that_is_no_pair_is_refused(key: str, value: str) -> None:
    """Whatever is typed becomes data whose keys are keys, or is refused."""
    try:
        data = body(CREATE_CONFIGMAP, literals=f"{key}={value}").get("data", {})
    except Refusal:
        return
    assert all(config_key(name) == "" for name in data)


def test_lines_of_a_secret_are_not_repeated() -> None:
    """What is said of them tells which line it is."""
    with pytest.raises(Refusal) as raised:
        CREATE_SECRET.plan(PLACE, {**NAMED, "literals": "a=1\nhunter2"})
    assert raised.value.sentence == "invalid literal source in line 2, expected key=value"


@given(st.text("abc:= ", min_size=4, max_size=12).map(lambda text: f"hunter2{text}"))
def test_secrets_are_nowhere_but_in_what_is_sent(secret: str) -> None:
    """Neither in the kubectl line nor in what it reads."""
    for filled in (
        {"literals": f"a={secret}"},
        {"type": "docker-registry", "server": "s", "username": "u", "password": secret},
        {"type": "tls", "cert": "-----BEGIN CERTIFICATE-----", "key": f"-----BEGIN KEY-----{secret}"},
    ):
        (step,) = CREATE_SECRET.plan(PLACE, {**NAMED, **filled})
        assert "hunter2" not in shell_line(step.kubectl, stdin=step.stdin)
        assert secret.strip() in "".join(base64.b64decode(value).decode() for value in step.write.body["data"].values())
    yaml = to_yaml({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "stringData": {"a": secret}})
    (step,) = CREATE_FROM_YAML.plan(PLACE, {"yaml": yaml, "namespace": "shop", "kinds": KINDS})
    assert "hunter2" not in step.stdin
    assert MASK in step.stdin


# -- deployments and jobs --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("nginx", "nginx"),
        ("nginx:1.27", "nginx"),
        ("localhost:5000/a/web:1@sha256:00", "web"),
        ("a/web@sha256:00", "web"),
    ],
)
def test_containers_are_called_after_their_images(image: str, name: str) -> None:
    """The last part of the path, without tag and digest."""
    assert container_name(image) == name


@given(st.text("abc", min_size=1, max_size=5), st.sampled_from("._"), st.text("abc", min_size=1, max_size=5))
def test_dots_become_letters_that_stay_the_same(one: str, between: str, other: str) -> None:
    """The name is a label, the same each time, and another one for the same image again."""
    image = f"{one}{between}{other}"
    assert dns_label(container_name(image)) == ""
    assert container_name(image) == container_name(image)
    assert container_name(image, 0) != container_name(image, 1)


def test_environment() -> None:
    """As kubectl set env takes it: the first of a name counts, and an empty value is none."""
    assert environment("A=1\n\nB=x=y\nA=2\nC=") == [
        {"name": "A", "value": "1"},
        {"name": "B", "value": "x=y"},
        {"name": "C"},
    ]
    with pytest.raises(Refusal, match="unknown environment variable: A"):
        environment("A")
    with pytest.raises(Refusal, match='"1A" is not a valid key name: a valid environment variable name must consist'):
        environment("1A=1")


def test_images_without_a_tag() -> None:
    """A port of a registry is no tag."""
    images = ["nginx", "localhost:5000/nginx", "nginx:1", "nginx@sha256:00", "localhost:5000/nginx:1"]
    assert [said.text.split()[0] for said in untagged(images)] == ["nginx", "localhost:5000/nginx"]


@pytest.mark.parametrize(
    ("status", "said", "tone"),
    [
        ({}, "Waiting for deployment spec update to be observed...", Tone.WORKING),
        ({"updatedReplicas": 1}, "1 out of 3 new replicas have been updated...", Tone.WORKING),
        ({"updatedReplicas": 3, "replicas": 4}, "1 old replicas are pending termination...", Tone.WORKING),
        ({"updatedReplicas": 3, "replicas": 3}, "0 of 3 updated replicas are available...", Tone.WORKING),
        ({"updatedReplicas": 3, "replicas": 3, "availableReplicas": 3}, "successfully rolled out", Tone.GOOD),
        (
            {"conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]},
            'deployment "x" exceeded its progress deadline',
            Tone.FAILED,
        ),
    ],
)
def test_how_far_a_rollout_is(status: JsonObject, said: str, tone: Tone) -> None:
    """In the words of kubectl rollout status."""
    observed = {"observedGeneration": 2} if status else {}
    found = progress(
        "Deployment",
        {"metadata": {"name": "x", "generation": 2}, "spec": {"replicas": 3}, "status": {**status, **observed}},
    ).said
    assert found.text.endswith(said)
    assert found.tone is tone


@pytest.mark.parametrize(
    ("status", "said", "tone"),
    [
        ({}, "0 of 2 pods complete", Tone.WORKING),
        ({"active": 1, "failed": 3, "succeeded": 1}, "1 of 2 pods complete, 1 running, 3 failed", Tone.WORKING),
        ({"conditions": [{"type": "SuccessCriteriaMet", "status": "True"}]}, "0 of 2 pods complete", Tone.WORKING),
        ({"conditions": [{"type": "Complete", "status": "True"}]}, "job x is complete", Tone.GOOD),
        (
            {"conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "why"}]},
            "job x failed: BackoffLimitExceeded: why",
            Tone.FAILED,
        ),
    ],
)
def test_how_far_a_job_is(status: JsonObject, said: str, tone: Tone) -> None:
    """Until its terminal condition."""
    found = job_words({"metadata": {"name": "x"}, "spec": {"completions": 2}, "status": status})
    assert (found.text, found.tone) == (said, tone)


# -- services --------------------------------------------------------------------------------------


def test_addresses() -> None:
    """IPv4 and IPv6, with and without ports."""
    found = list(addresses("192.0.2.1:80\n2001:db8::1\n\n[2001:db8::2]:443, 192.0.2.2"))
    assert found == [("192.0.2.1", 80), ("2001:db8::1", 0), ("2001:db8::2", 443), ("192.0.2.2", 0)]
    for wrong in ("localhost:80", "127.0.0.1", "192.0.2.1:0", "192.0.2.1:", "[192.0.2.1", "192.0.2.1:a"):
        with pytest.raises(Refusal):
            list(addresses(wrong))


@pytest.mark.parametrize(
    ("ports", "given", "wrong"),
    [
        ("80:8080,81", "192.0.2.1:9000", "no port of the service leads to 9000"),
        ("80:http", "192.0.2.1", "the number of the port http is needed with each address"),
        ("80", "", "at least one address must be provided"),
    ],
)
def test_endpoints_that_match_no_port(ports: str, given: str, wrong: str) -> None:
    """Nothing is made of them."""
    with pytest.raises(Refusal) as raised:
        CREATE_SERVICE.plan(PLACE, {**NAMED, "ports": ports, "by_hand": True, "addresses": given})
    assert raised.value.sentence == wrong


# -- YAML ------------------------------------------------------------------------------------------

KINDS = {
    ("", "Namespace"): Served("namespaces", False),
    ("", "ConfigMap"): Served("configmaps", True),
    ("", "Secret"): Served("secrets", True),
    ("", "ServiceAccount"): Served("serviceaccounts", True),
    ("apps", "Deployment"): Served("deployments", True),
    ("rbac.authorization.k8s.io", "ClusterRole"): Served("clusterroles", False),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): Served("customresourcedefinitions", False),
}
HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"


def objects(text: str) -> list[JsonObject]:
    """The objects of a text."""
    return [item.value for item in items(read(text))]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8) | st.dates().map(date.isoformat),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=5), json_values, max_size=3))
def test_what_ktui_writes_it_reads(data: JsonObject) -> None:
    """Every JSON value comes back as it was."""
    item = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": data}
    assert objects(to_yaml(item)) == [item]


def test_what_yaml_takes_for_something_else() -> None:
    """It is read as kubectl reads it."""
    text = HEAD + "data: {day: 2026-01-01, at: 2026-01-01T10:00:00Z, time: 12:30, 80: x, on: y, b: !!binary aGk=}"
    (found,) = objects(text)
    assert found["data"] == {
        "day": "2026-01-01",
        "at": "2026-01-01T10:00:00Z",
        "time": "12:30",
        "80": "x",
        "true": True,
        "b": "hi",
    }


def test_anchors_and_merges() -> None:
    """They are written out; what stands in the mapping itself counts more."""
    text = HEAD + "base: &base {a: 1, b: 2}\ndata: {<<: *base, a: 3}\nsame: *base"
    (found,) = objects(text)
    assert found["data"] == {"a": 3, "b": 2}
    assert found["same"] == {"a": 1, "b": 2}


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{one}: &{one} [{', '.join(['*' + other] * 10)}]\n" for one, other in zip("bcdefgh", "abcdefg", strict=True)
)


@pytest.mark.parametrize(
    ("yaml", "said"),
    [
        ("a: b: c", "line 1, column 5: a second colon in one line"),
        (HEAD + "data: {a: b", "line 5, column 1: a comma or `}` is missing"),
        (HEAD + "data:\n\ta: b", "line 5, column 1: a tab cannot indent"),
        (HEAD + "data:\n  a: b\n  a: c", "line 6, column 3: `a` stands twice in one object"),
        (HEAD + "data: {[a]: b}", "line 4, column 8: a key must be a text"),
        (HEAD + "data: &a [*a]", "line 4, column 11: what *a stands for contains itself"),
        (HEAD + BOMB, "too many values"),
        (HEAD + "data: \x00", ""),
        ("apiVersion: v1\nkind: List\nitems: [{kind: ConfigMap}]", "an item of the list has no apiVersion or no kind"),
        ("apiVersion: v1\nkind: X\nmetadata: [a]", "metadata must be an object"),
    ],
)
def test_what_is_no_manifest(yaml: str, said: str) -> None:
    """It is said where, and no text makes ktui hang, run something, or fail otherwise."""
    with pytest.raises(Refusal) as raised:
        objects(yaml)
    assert said in raised.value.sentence


@given(st.text("ab:{}[]&*!|>-#\n \t'\"%@0", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing else happens."""
    try:
        objects(text)
    except Refusal:
        return


def test_tags_of_languages_run_nothing() -> None:
    """Kubernetes reads past them, and so does ktui."""
    assert objects(HEAD + "data: !!python/object:os.system {}")[0]["data"] == {}


@pytest.mark.parametrize(
    ("text", "said", "place"),
    [
        (HEAD + "---\nkind: X", "apiVersion not set", "document 2, line 5"),
        ("apiVersion: v1\nkind: List\nitems:\n- {kind: X}", "no apiVersion", "document 1, line 4"),
        (HEAD + "---\napiVersion: v1\nkind: ConfigMap", "name may not be empty", "document 2, line 5"),
        (HEAD + "---\napiVersion: v9\nkind: Else\nmetadata: {name: x}", 'kind "Else"', "document 2, line 5"),
    ],
)
def test_where_it_is_that_is_refused(text: str, said: str, place: str) -> None:
    """By document and line."""
    with pytest.raises(Refusal) as raised:
        CREATE_FROM_YAML.plan(PLACE, {"yaml": text, "namespace": "shop", "kinds": KINDS})
    assert said in raised.value.sentence
    assert place in raised.value.next_step


def test_an_object_that_stands_there_twice() -> None:
    """The lines of both are told."""
    with pytest.raises(Refusal) as raised:
        CREATE_FROM_YAML.plan(PLACE, {"yaml": f"{HEAD}---\n{HEAD}", "namespace": "shop", "kinds": KINDS})
    assert raised.value.sentence == "configmap shop/x stands there twice, in line 1 and in line 5."


def plan(*documents: JsonObject) -> list[tuple[str, str, bool]]:
    """Of the steps for some objects: kind, path, and whether they are tried before."""
    yaml = "---\n".join(map(to_yaml, documents))
    steps = CREATE_FROM_YAML.plan(PLACE, {"yaml": yaml, "namespace": "shop", "kinds": KINDS})
    return [(step.target.kind.kind, step.write.path, step.previewed) for step in steps]


def document(kind: str, version: str = "v1", **more: Any) -> JsonObject:
    """An object of a kind."""
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "x", **more.pop("meta", {})}, **more}


def test_what_others_need_comes_first() -> None:
    """Namespaces, then accounts and rights, then what pods mount, then what has pods; equals stay in their order."""
    steps = plan(
        document("Deployment", "apps/v1"),
        document("Secret"),
        document("ConfigMap"),
        document("ClusterRole", "rbac.authorization.k8s.io/v1"),
        document("ServiceAccount", meta={"namespace": "new"}),
        document("Namespace", meta={"name": "new"}),
    )
    assert [kind for kind, _, _ in steps] == [
        "Namespace",
        "ServiceAccount",
        "ClusterRole",
        "Secret",
        "ConfigMap",
        "Deployment",
    ]
    assert steps[1] == ("ServiceAccount", "/api/v1/namespaces/new/serviceaccounts", False)
    assert steps[2] == ("ClusterRole", "/apis/rbac.authorization.k8s.io/v1/clusterroles", True)
    assert steps[5] == ("Deployment", "/apis/apps/v1/namespaces/shop/deployments", True)


def test_kinds_that_are_defined_beside_their_objects() -> None:
    """They are known, and their objects not tried before they are served."""
    names = {"plural": "widgets", "kind": "Widget"}
    definition = document(
        "CustomResourceDefinition",
        "apiextensions.k8s.io/v1",
        spec={"group": "example.com", "scope": "Namespaced", "names": names},
    )
    steps = plan(document("Widget", "example.com/v1"), definition)
    assert steps[1] == ("Widget", "/apis/example.com/v1/namespaces/shop/widgets", False)
    with pytest.raises(Refusal) as raised:
        plan(document("Widget", "example.com/v1"))
    assert raised.value.sentence == 'no matches for kind "Widget" in version "example.com/v1"'
