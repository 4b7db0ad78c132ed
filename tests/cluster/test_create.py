"""Create: what ktui makes is what the kubectl line beside it makes, and what kubectl refuses is refused."""

from __future__ import annotations

import asyncio
import secrets
import shlex
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ktui.actions.action import Action, Refusal, Target, Write
from ktui.actions.create_configmap import CONFIGMAPS, CREATE_CONFIGMAP
from ktui.actions.create_deployment import CREATE_DEPLOYMENT
from ktui.actions.create_from_yaml import CREATE_FROM_YAML
from ktui.actions.create_job import CREATE_JOB
from ktui.actions.create_namespace import CREATE_NAMESPACE
from ktui.actions.create_secret import CREATE_SECRET, SECRETS
from ktui.actions.create_service import CREATE_SERVICE, HEADLESS
from ktui.actions.names import config_key, is_int32, label_key, label_value, port
from ktui.actions.place import Place
from ktui.kinds.deployments import DEPLOYMENTS
from ktui.kinds.kind import Kind
from ktui.kinds.manifest import MASK
from ktui.kinds.names import ObjectKey
from ktui.kinds.namespaces import NAMESPACES
from ktui.kinds.services import SERVICES
from ktui.kube.errors import ApiError
from tests.cluster import specimens
from tests.cluster.clusters import Cluster
from tests.cluster.conftest import Opened
from tests.cluster.creating import creating
from tests.cluster.objects import Objects, until

AGNHOST = specimens.IMAGE


def place(namespace: str) -> Target:
    """Where something is to be made."""
    return Target(NAMESPACES, ObjectKey(namespace, ""))


DIGEST = "@sha256:" + "0" * 64

CREATIONS: list[tuple[Action, dict[str, Any], str]] = [
    (
        CREATE_DEPLOYMENT,
        {"images": AGNHOST, "command": "/agnhost netexec --http-port=8080", "replicas": 0},
        f"deployment x --image={AGNHOST} --replicas=0 -- /agnhost netexec --http-port=8080",
    ),
    (
        CREATE_DEPLOYMENT,
        {"images": f"nginx, docker.io/me/my_app.x:1{DIGEST}", "port": 80, "replicas": 0},
        f"deployment x --image=nginx --image=docker.io/me/my_app.x:1{DIGEST} --replicas=0 --port=80",
    ),
    (
        CREATE_JOB,
        {"image": "busybox:1.37", "command": "sh -c 'exit 0'"},
        "job x --image=busybox:1.37 -- sh -c 'exit 0'",
    ),
    (CREATE_JOB, {"image": "busybox"}, "job x --image=busybox"),
    (CREATE_CONFIGMAP, {}, "configmap x"),
    (
        CREATE_CONFIGMAP,
        {"literals": "a=1\n\nb= x=y \nc="},
        "configmap x --from-literal=a=1 '--from-literal=b= x=y ' --from-literal=c=",
    ),
    (
        CREATE_CONFIGMAP,
        {"literals": "a=1", "file": "app.conf", "content": "x: 1\n\ty\n"},
        "configmap x --from-file=app.conf=/dev/stdin --from-literal=a=1",
    ),
    (CREATE_SERVICE, {"ports": "80:8080,443:https"}, "service clusterip x --tcp=80:8080 --tcp=443:https"),
    (CREATE_SERVICE, {"ports": "80", "type": "NodePort"}, "service nodeport x --tcp=80"),
    (CREATE_SERVICE, {"ports": "80", "type": "LoadBalancer"}, "service loadbalancer x --tcp=80"),
    (CREATE_SERVICE, {"type": HEADLESS}, "service clusterip x --clusterip=None"),
    (
        CREATE_SERVICE,
        {"type": "ExternalName", "external_name": "db.example.com"},
        "service externalname x --external-name=db.example.com",
    ),
]


@pytest.mark.parametrize(("action", "filled", "line"), CREATIONS, ids=lambda part: getattr(part, "id", ""))
async def test_what_kubectl_creates(
    action: Action, filled: dict[str, Any], line: str, cluster: Cluster, namespace: str, opened: Opened
) -> None:
    """The line is the one a person would type, and makes the same object."""
    acting = await creating(opened, cluster)
    assert await acting.same(action, place(namespace), name="x", **filled) == [["create", *shlex.split(line)]]


async def test_a_deployment_with_environment(cluster: Cluster, namespace: str, opened: Opened) -> None:
    """It is what `kubectl create deployment` and then `kubectl set env` make, without the rollout between them."""
    acting = await creating(opened, cluster)
    env, key = ["A=1", "B=x=y", "C=", "A=2"], ObjectKey(namespace, "x")
    await acting.kubectl(["-n", namespace, "create", "deployment", "x", "--image=a", "--image=b", "--replicas=0"])
    await acting.kubectl(["-n", namespace, "set", "env", "deployment", "x", *env])
    theirs = await acting.made(DEPLOYMENTS, key)
    form = {"name": "x", "images": "a b", "replicas": 0, "env": "\n".join(env)}
    lines = await acting.same(CREATE_DEPLOYMENT, place(namespace), **form)
    assert lines == [["create", "-f", "-"]]
    await acting.said(await acting.begun(replace(CREATE_DEPLOYMENT, follow=None), place(namespace), **form))
    assert await acting.made(DEPLOYMENTS, key) == theirs


async def test_a_namespace(cluster: Cluster, opened: Opened, objects: Objects) -> None:
    """One by kubectl and one by ktui differ in their names only."""
    acting = await creating(opened, cluster)
    ours, theirs = (f"t-{secrets.token_hex(4)}" for _ in range(2))
    await acting.kubectl(["create", "namespace", theirs])
    undertaking = await acting.begun(CREATE_NAMESPACE, place(""), name=ours)
    assert undertaking.works[0].steps[0].kubectl == ("kubectl", "create", "namespace", ours)
    await acting.said(undertaking)
    found = [await acting.place.get(NAMESPACES.gvr, ObjectKey("", name)) for name in (ours, theirs)]
    assert found[0]["spec"] == found[1]["spec"]
    assert found[0]["metadata"]["labels"] == {"kubernetes.io/metadata.name": ours}
    for name in (ours, theirs):
        await objects.delete({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})


@pytest.mark.parametrize(
    ("filled", "words"),
    [
        (
            {"literals": "user=me\npassword=a=b c"},
            "generic x --from-literal=user=me '--from-literal=password=a=b c'",
        ),
        ({}, "generic x"),
        (
            {"type": "docker-registry", "username": "me", "password": "<p&w>é", "email": "me@example.com"},
            "docker-registry x --docker-server=https://index.docker.io/v1/ --docker-username=me "
            "'--docker-password=<p&w>é' --docker-email=me@example.com",
        ),
    ],
    ids=["generic", "empty", "docker-registry"],
)  # fmt: skip
async def test_secrets(filled: dict[str, Any], words: str, cluster: Cluster, namespace: str, opened: Opened) -> None:
    """The secret is kubectl's; the line masks what is secret, and is taken by kubectl all the same."""
    acting, key = await creating(opened, cluster), ObjectKey(namespace, "x")
    await acting.kubectl(["-n", namespace, "create", "secret", *shlex.split(words)])
    theirs = await acting.made(SECRETS, key)
    undertaking = await acting.begun(CREATE_SECRET, place(namespace), name="x", **filled)
    (step,) = undertaking.works[0].steps
    await acting.said(undertaking)
    assert await acting.made(SECRETS, key) == theirs
    assert "password" not in filled or filled["password"] not in " ".join(step.kubectl)
    assert "literals" not in filled or step.kubectl[-2:] == (
        f"--from-literal=user={MASK}",
        f"--from-literal=password={MASK}",
    )
    await acting.kubectl([*step.kubectl[1:], "--dry-run=server"])


def ports(slice_: dict[str, Any]) -> list[int]:
    """The numbers of the ports of an EndpointSlice."""
    return [port["port"] for port in slice_["ports"]]


async def test_endpoints_given_by_hand(cluster: Cluster, namespace: str, opened: Opened) -> None:
    """A service without selector, and its addresses in slices: one for each family and port."""
    acting = await creating(opened, cluster)
    given = {"name": "db", "by_hand": True, "ports": "80:8080,443:8443"}
    addresses = "192.0.2.1:8443\n192.0.2.2\n[2001:db8::1]:8443\n192.0.2.3:8443"
    undertaking = await acting.begun(CREATE_SERVICE, place(namespace), addresses=addresses, **given)
    body, *slices = [step.write.body for step in undertaking.works[0].steps]
    assert "selector" not in body["spec"]
    assert [(found["addressType"], ports(found), len(found["endpoints"])) for found in slices] == [
        ("IPv4", [8443], 2),
        ("IPv4", [8080, 8443], 1),
        ("IPv6", [8443], 1),
    ]  # fmt: skip
    assert [port["name"] for port in slices[0]["ports"]] == ["443-8443"]
    lines = await acting.same(CREATE_SERVICE, place(namespace), addresses=addresses, **given)
    assert lines == [["create", "-f", "-"]] * 4


REFUSED: list[tuple[Action, dict[str, Any], str]] = [
    (CREATE_DEPLOYMENT, {"images": "a,b", "command": "sleep 1"}, "deployment x --image=a --image=b -- sleep 1"),
    (CREATE_JOB, {}, "job x"),
    (CREATE_CONFIGMAP, {"literals": "abc"}, "configmap x --from-literal=abc"),
    (CREATE_CONFIGMAP, {"literals": "=abc"}, "configmap x --from-literal==abc"),
    (CREATE_CONFIGMAP, {"literals": "a b=c"}, "configmap x '--from-literal=a b=c'"),
    (CREATE_CONFIGMAP, {"literals": "..=c"}, "configmap x --from-literal=..=c"),
    (CREATE_CONFIGMAP, {"literals": "..a b=c"}, "configmap x '--from-literal=..a b=c'"),
    (CREATE_CONFIGMAP, {"literals": "a=1\na=2"}, "configmap x --from-literal=a=1 --from-literal=a=2"),
    (CREATE_SECRET, {"literals": "a b=c"}, "secret generic x '--from-literal=a b=c'"),
    (CREATE_SECRET, {"literals": "a=1\na=2"}, "secret generic x --from-literal=a=1 --from-literal=a=2"),
    (CREATE_SECRET, {"type": "docker-registry", "username": "me"}, "secret docker-registry x --docker-username=me"),
    (CREATE_SECRET, {"type": "tls"}, "secret tls x"),
    (CREATE_SERVICE, {}, "service clusterip x"),
    (CREATE_SERVICE, {"ports": "abc"}, "service clusterip x --tcp=abc"),
    (CREATE_SERVICE, {"ports": "-1"}, "service clusterip x --tcp=-1"),
    (CREATE_SERVICE, {"ports": "99999"}, "service clusterip x --tcp=99999"),
    (CREATE_SERVICE, {"ports": "80:0"}, "service clusterip x --tcp=80:0"),
    (CREATE_SERVICE, {"ports": "80:"}, "service clusterip x --tcp=80:"),
    (CREATE_SERVICE, {"ports": "80:A--b"}, "service clusterip x --tcp=80:A--b"),
    (CREATE_SERVICE, {"type": "ExternalName", "external_name": "A_"}, "service externalname x --external-name=A_"),
]


@pytest.mark.parametrize(("action", "filled", "words"), REFUSED, ids=lambda part: getattr(part, "id", ""))
async def test_what_kubectl_refuses(
    action: Action, filled: dict[str, Any], words: str, cluster: Cluster, opened: Opened
) -> None:
    """In kubectl's words."""
    acting = await creating(opened, cluster)
    with pytest.raises(Refusal) as ours:
        action.plan(place("default"), {"name": "x", "namespace": "default", **filled})
    assert ours.value.sentence == await acting.refusal("create", *shlex.split(words))


NAMES = ["A", "-x", "x-", "a.b", "ä", "x" * 254, "x" * 64]


@pytest.mark.parametrize(
    "action", [CREATE_DEPLOYMENT, CREATE_SERVICE, CREATE_NAMESPACE, CREATE_CONFIGMAP, CREATE_SECRET, CREATE_JOB],
    ids=lambda action: action.id,
)  # fmt: skip
async def test_names_are_judged_as_the_server_judges_them(
    action: Action, cluster: Cluster, namespace: str, opened: Opened
) -> None:
    """What the form says about a name, the server says; what the form lets pass, the server takes."""
    acting = await creating(opened, cluster)
    form = await action.form(acting.place, [place(namespace)])
    for name in NAMES:
        values = {**form.start(), "name": name, "images": "x", "image": "x", "ports": "80"}
        wrong = form.wrong(values).get("name", "")
        (step,) = action.plan(place(namespace), values)
        said = await refused(acting.place, step.write)
        assert bool(wrong) == bool(said), name
        assert wrong in said, name


async def refused(place: Place, write: Write) -> str:
    """What the server says against a write, in a dry run; empty when nothing."""
    try:
        await place.send(write, dry_run=True)
    except ApiError as error:
        return error.message
    return ""


WORDS = ["", "a", "A.b_c", "-a", "a/b", "a/", "/a", "a/b/c", "..", "..a", "a b", "a" * 64, "ä", "1", "a--b", "a" * 16]


@pytest.mark.parametrize("check", [label_key, label_value, config_key, port], ids=lambda check: check.__name__)
async def test_words_are_judged_as_the_server_judges_them(
    check: Callable[[str], str], cluster: Cluster, namespace: str, opened: Opened
) -> None:
    """Labels, keys of data and ports: what is wrong with them, the server says in the same words."""
    acting = await creating(opened, cluster)
    for text in WORDS:
        said, wrong = await refused(acting.place, written_with(check, text, namespace)), check(text)
        if check is port and not text:
            # An empty target port is the port itself.
            wrong = ""
        assert bool(wrong) == bool(said), text
        assert all(reason in said for reason in wrong.split("; ")), text


def written_with(check: Callable[[str], str], text: str, namespace: str) -> Write:
    """The creation of an object that has a text where a check judges it."""
    metadata, target_port = {"name": "x", "namespace": namespace}, int(text) if is_int32(text) else text
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
    bodies: dict[Callable[[str], str], tuple[Kind, dict[str, Any]]] = {
        label_key: (CONFIGMAPS, {**config, "metadata": {**metadata, "labels": {text: ""}}}),
        label_value: (CONFIGMAPS, {**config, "metadata": {**metadata, "labels": {"a": text}}}),
        config_key: (CONFIGMAPS, {**config, "data": {text: ""}}),
        port: (SERVICES, specimens.service(namespace, "x", ports=[{"port": 80, "targetPort": target_port}])),
    }
    kind, body = bodies[check]
    return Write("POST", kind.gvr.path(namespace), body)


# -- from YAML -------------------------------------------------------------------------------------

SHOP = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "x"}]}
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{port: 80}]}}
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: web}
  data: {day: "2026-01-01", time: "12:30"}
---
# Nothing.
---
{"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"},
 "spec": {"maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}}
---
apiVersion: v1
kind: Secret
metadata: {name: web}
stringData: {token: abc}
"""


async def test_from_yaml(cluster: Cluster, namespace: str, opened: Opened) -> None:
    """Every document is made, each after those that it needs, as its kubectl line makes it."""
    acting = await creating(opened, cluster)
    yaml = SHOP.partition("apiVersion: v1\nkind: Secret")[0].rstrip("-\n")
    lines = await acting.same(CREATE_FROM_YAML, place(namespace), yaml=yaml)
    assert lines == [["create", "-f", "-"]] * 4
    undertaking = await acting.begun(CREATE_FROM_YAML, place(namespace), yaml=SHOP)
    steps = undertaking.works[0].steps
    order = [step.target.kind.kind for step in steps]
    assert order == ["ConfigMap", "Secret", "Service", "Deployment", "HorizontalPodAutoscaler"]
    assert "abc" not in steps[1].stdin
    await acting.said(undertaking)
    assert (await acting.made(steps[0].target.kind, steps[0].target.key))["data"] == {
        "day": "2026-01-01",
        "time": "12:30",
    }


async def test_a_namespace_and_what_is_in_it(cluster: Cluster, opened: Opened, objects: Objects) -> None:
    """What is made in a namespace that is made just before cannot be tried without it, and is not."""
    acting, name = await creating(opened, cluster), f"t-{secrets.token_hex(4)}"
    yaml = (
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a, namespace: {name}}}\n---\n"
        f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n"
    )
    undertaking = await acting.begun(CREATE_FROM_YAML, place("default"), yaml=yaml)
    assert [(step.target.kind.kind, step.previewed) for step in undertaking.works[0].steps] == [
        ("Namespace", True),
        ("ConfigMap", False),
    ]
    await acting.said(undertaking)
    await objects.delete({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})


@pytest.mark.parametrize(
    "yaml", ["a: 1", "apiVersion: v1", "kind: Foo", "- a", "", "# a", "apiVersion: v1\nkind: Foo\nmetadata: {name: x}"]
)
async def test_no_objects(yaml: str, cluster: Cluster, opened: Opened) -> None:
    """What is YAML and no object is refused as kubectl refuses it."""
    acting = await creating(opened, cluster)
    form = await CREATE_FROM_YAML.form(acting.place, [place("default")])
    with pytest.raises(Refusal) as ours:
        CREATE_FROM_YAML.plan(place("default"), {**form.start(), "yaml": yaml})
    assert ours.value.sentence in await acting.refusal("create", "-f", "-", stdin=yaml)


# -- how it goes on --------------------------------------------------------------------------------


async def test_a_deployment_is_followed(cluster: Cluster, namespace: str, opened: Opened) -> None:
    """Until kubectl rollout status says that it is rolled out."""
    acting = await creating(opened, cluster)
    form = {"name": "web", "images": AGNHOST, "command": "/agnhost pause"}
    told = await acting.said(await acting.begun(CREATE_DEPLOYMENT, place(namespace), **form))
    assert told[-1] == 'deployment "web" successfully rolled out'
    assert told[-1] in await acting.kubectl(["-n", namespace, "rollout", "status", "deployment", "web"])


@pytest.mark.parametrize(("command", "end"), [("true", "job x is complete"), ("false", "job x failed")])
async def test_a_job_is_followed(command: str, end: str, cluster: Cluster, namespace: str, opened: Opened) -> None:
    """Until it is complete, or has failed."""
    acting = await creating(opened, cluster)
    undertaking = await acting.begun(CREATE_JOB, place(namespace), name="x", image="busybox:1.37", command=command)
    step = undertaking.works[0].steps[0]
    # Once is enough.
    step.write.body["spec"]["backoffLimit"] = 0
    told = await acting.said(undertaking)
    assert told[-1].startswith(end)


async def test_where_nothing_is_chosen(cluster: Cluster, opened: Opened) -> None:
    """The namespace is the context's, as for kubectl."""
    acting = await creating(opened, cluster)
    form = await CREATE_CONFIGMAP.form(acting.place, [place("")])
    assert form.start()["namespace"] == acting.place.namespace
    form = await CREATE_CONFIGMAP.form(acting.place, [place("shop")])
    assert form.start()["namespace"] == "shop"


async def test_objects_that_are_gone_meanwhile(
    cluster: Cluster, namespace: str, opened: Opened, objects: Objects
) -> None:
    """Whoever deletes a deployment that is followed ends that."""
    acting = await creating(opened, cluster)
    undertaking = await acting.begun(CREATE_DEPLOYMENT, place(namespace), name="web", images="registry.example/none:1")
    manifest = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": namespace}}
    said = undertaking.works[0].said

    async def delete_when_followed() -> None:
        await until(lambda: bool(said))
        await objects.delete(manifest)

    told, _ = await asyncio.gather(acting.said(undertaking), delete_when_followed())
    assert told[-1] == 'deployment "web" is gone'
