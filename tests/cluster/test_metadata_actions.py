"""Labels, annotations and taints: the same objects and the same refusals as with kubectl."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from ktui.actions.action import Action
from ktui.actions.annotate import ANNOTATE
from ktui.actions.label import LABEL
from ktui.actions.taint import TAINT
from ktui.kinds.deployments import DEPLOYMENTS
from ktui.kinds.names import ObjectKey
from ktui.kinds.nodes import NODES
from ktui.kinds.pods import PODS
from ktui.kube.client import Client
from ktui.kube.listing import kind_called
from tests.cluster.conftest import Kubectl, Opened
from tests.cluster.doing import Deed, complaint, content, own_node, own_pod, own_pod_spec, running
from tests.cluster.objects import Objects, until
from tests.cluster.specimens import Manifest, service


def config_map(namespace: str, name: str) -> Manifest:
    meta = {
        "name": name,
        "namespace": namespace,
        "labels": {"app": "roll", "tier": "front"},
        "annotations": {"owner": "the shop", "kubernetes.io/change-cause": "first"},
    }
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"a": "1"}}


def flags(values: dict[str, Any]) -> list[str]:
    """The words and flags for kubectl of what a form was filled with."""
    return [*values["words"].splitlines(), *(["--overwrite"] if values.get("overwrite") else [])]


CHANGES = [
    {"words": "new=1\nexample.com/other="},
    {"words": "app=other", "overwrite": True},
    {"words": "tier-\nnew=2"},
    {"words": "app-\ntier-"},
    {"words": "app=roll\nnew=3"},
]


@pytest.mark.parametrize("values", CHANGES, ids=lambda values: values["words"].replace("\n", " "))
@pytest.mark.parametrize(
    ("action", "verb"), [(LABEL, "label"), (ANNOTATE, "annotate")], ids=lambda value: str(value)[:8]
)
async def test_objects_are_as_after_kubectl(
    action: Action,
    verb: str,
    values: dict[str, Any],
    objects: Objects,
    opened: Opened,
    client: Client,
    kubectl: Kubectl,
    namespace: str,
) -> None:
    if verb == "annotate":
        values = {**values, "words": values["words"].replace("app", "owner").replace("tier", "other")}
        values["words"] = values["words"].replace("owner=roll", "owner=the shop")
    mine, twin = config_map(namespace, "mine"), config_map(namespace, "twin")
    for made in (mine, twin):
        await objects.apply(made)
    kind = await kind_called("configmaps", client)
    deed = await Deed(await opened(), action, kind, ObjectKey(namespace, "mine"), **values).done()
    assert deed.error is None
    await kubectl("-n", namespace, verb, "configmap", "twin", *flags(values))
    assert content(await objects.get(mine)) == content(await objects.get(twin))


REFUSED = [
    (LABEL, "label", {"words": "app=other"}),
    (LABEL, "label", {"words": "app=x\napp-"}),
    (LABEL, "label", {"words": "a==b"}),
    (LABEL, "label", {"words": "a=-b"}),
    (ANNOTATE, "annotate", {"words": "owner=me\nnew=1"}),
    (ANNOTATE, "annotate", {"words": "owner=me\nowner-"}),
]


@pytest.mark.parametrize(("action", "verb", "values"), REFUSED, ids=lambda value: str(value)[:40])
async def test_refusals_are_worded_as_kubectl_words_them(
    action: Action,
    verb: str,
    values: dict[str, Any],
    objects: Objects,
    opened: Opened,
    client: Client,
    kubectl: Kubectl,
    namespace: str,
) -> None:
    made = config_map(namespace, "mine")
    await objects.apply(made)
    words = await complaint(kubectl, "-n", namespace, verb, "configmap", "mine", *flags(values))
    deed = Deed(await opened(), action, await kind_called("configmaps", client), ObjectKey(namespace, "mine"))
    await deed.undertaking.read()
    form = await action.form(deed.undertaking.place, deed.undertaking.targets)
    deed.undertaking.values = {**form.start(), **values}
    deed.undertaking.plan()
    assert deed.refusal == words
    before = await objects.get(made)
    await deed.undertaking.do()
    assert await objects.get(made) == before


async def test_a_change_that_changes_nothing_is_not_made(
    objects: Objects, opened: Opened, client: Client, kubectl: Kubectl, namespace: str
) -> None:
    await objects.apply(config_map(namespace, "mine"))
    kind, key = await kind_called("configmaps", client), ObjectKey(namespace, "mine")
    deed = await Deed(await opened(), LABEL, kind, key, words="app=roll\nnone-").done()
    printed = await kubectl("-n", namespace, "label", "configmap", "mine", "app=roll", "none-")
    assert deed.error is not None
    assert [deed.error.next_step, deed.refusal] == printed.splitlines()


async def test_keys_are_refused_as_they_are_typed_in_the_servers_words(
    objects: Objects, opened: Opened, client: Client, kubectl: Kubectl, namespace: str
) -> None:
    await objects.apply(config_map(namespace, "mine"))
    kind, key = await kind_called("configmaps", client), ObjectKey(namespace, "mine")
    for action, verb, word in (
        (LABEL, "label", "b/c/d=x"),
        (LABEL, "label", "/d=x"),
        (LABEL, "label", "Example.com/d=x"),
        (LABEL, "label", f"{'a' * 64}=x"),
        (ANNOTATE, "annotate", "a b=x"),
    ):
        deed = Deed(await opened(), action, kind, key)
        await deed.undertaking.read()
        form = await action.form(deed.undertaking.place, deed.undertaking.targets)
        wrong = form.wrong({**form.start(), "words": word})["words"]
        words = await complaint(kubectl, "-n", namespace, verb, "configmap", "mine", word)
        reasons = wrong.partition(": ")[2]
        assert reasons
        for reason in reasons.split("; "):
            assert reason in words


async def test_several_objects_show_what_all_of_them_have(
    objects: Objects, opened: Opened, client: Client, namespace: str
) -> None:
    one, other = config_map(namespace, "one"), config_map(namespace, "other")
    other["metadata"]["labels"]["tier"] = "back"
    for made in (one, other):
        await objects.apply(made)
    kind = await kind_called("configmaps", client)
    keys = [ObjectKey(namespace, name) for name in ("one", "other")]
    deed = await Deed(await opened(), LABEL, kind, *keys, words="new=1").prepare()
    form = await LABEL.form(deed.undertaking.place, deed.undertaking.targets)
    assert form.facts == ("All 2 have:", "app=roll")
    await deed.undertaking.do()
    for made in (one, other):
        assert (await objects.get(made))["metadata"]["labels"]["new"] == "1"


async def test_who_may_not_change_it_is_told(objects: Objects, opened: Opened, client: Client, namespace: str) -> None:
    made = config_map(namespace, "mine")
    await objects.apply(made)
    kind, key = await kind_called("configmaps", client), ObjectKey(namespace, "mine")
    deed = await Deed(await opened(user="viewer"), LABEL, kind, key, words="new=1").done()
    assert "may not patch configmaps" in deed.refusal


# -- who chooses a pod by its labels ---------------------------------------------------------------


async def test_a_relabelled_pod_leaves_its_service_and_its_replica_set(
    objects: Objects, opened: Opened, client: Client, namespace: str
) -> None:
    node = f"t-{secrets.token_hex(4)}"
    await own_node(objects, node)
    labels = {"app": "web"}
    replica_set = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": own_pod_spec(node)},
        },
    }
    await objects.apply(replica_set)
    await objects.apply(service(namespace, "front", selector=labels))
    await objects.apply(service(namespace, "debug", selector={"app": "debug"}))
    path = f"/api/v1/namespaces/{namespace}/pods"

    async def names() -> set[str]:
        return {item["metadata"]["name"] for item in (await client.get_json(path))["items"]}

    async def made() -> bool:
        return bool(await names())

    await until(made, 30)
    (name,) = await names()
    key = ObjectKey(namespace, name)
    deed = await Deed(await opened(), LABEL, PODS, key, words="app=debug", overwrite=True).prepare()
    assert "Service front no longer sends requests to this pod." in deed.foretold()
    assert "Service debug sends requests to this pod, once it is ready." in deed.foretold()
    assert "ReplicaSet web lets go of this pod" in deed.foretold()
    await deed.undertaking.do()

    async def another() -> bool:
        return len(await names()) == 2

    await until(another, 30, "the replica set made no other pod")
    owners = (await client.get_json(f"{path}/{name}"))["metadata"].get("ownerReferences")
    assert not owners

    back = await Deed(await opened(), LABEL, PODS, key, words="app=web", overwrite=True).prepare()
    assert "ReplicaSet web takes this pod in" in back.foretold()


async def test_labels_of_a_deployment_are_not_those_of_its_pods(
    objects: Objects, opened: Opened, namespace: str
) -> None:
    labels = {"app": "web"}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "c:1"}]}},
        },
    }
    await objects.apply(deployment)
    deed = await Deed(await opened(), LABEL, DEPLOYMENTS, ObjectKey(namespace, "web"), words="new=1").done()
    assert deed.error is None
    assert "keep their labels" in deed.foretold()


# -- taints ----------------------------------------------------------------------------------------

TAINTS = [
    {"words": "dedicated=gpu:NoSchedule\nslow:PreferNoSchedule"},
    {"words": "test.ktui.dev/own=no:NoSchedule", "overwrite": True},
    {"words": "test.ktui.dev/own-"},
    {"words": "test.ktui.dev/own:NoSchedule-\nother=1:NoExecute"},
]


@pytest.mark.parametrize("values", TAINTS, ids=lambda values: values["words"].replace("\n", " "))
async def test_nodes_are_tainted_as_by_kubectl(
    values: dict[str, Any], objects: Objects, opened: Opened, kubectl: Kubectl
) -> None:
    mine, twin = (f"t-{secrets.token_hex(4)}" for _ in range(2))
    nodes = [await own_node(objects, mine), await own_node(objects, twin)]
    deed = await Deed(await opened(), TAINT, NODES, ObjectKey("", mine), **values).done()
    assert deed.error is None
    await kubectl("taint", "nodes", twin, *flags(values))
    one, other = [(await objects.get(node))["spec"].get("taints") for node in nodes]
    assert one == other


@pytest.mark.parametrize(
    "words",
    [
        "test.ktui.dev/own=no:NoSchedule",
        "none:NoExecute-",
        "none-",
        "a=b:No",
        "a=b:NoSchedule\na=c:NoSchedule",
        "a=b:NoSchedule\na-",
        "a=b",
        "a=b=c:NoSchedule",
        "a=-b:NoSchedule",
        "-a=b:NoSchedule",
        "a:b:NoSchedule",
    ],
)
async def test_taints_are_refused_in_kubectls_words(
    words: str, objects: Objects, opened: Opened, kubectl: Kubectl
) -> None:
    name = f"t-{secrets.token_hex(4)}"
    await own_node(objects, name)
    refused = await complaint(kubectl, "taint", "nodes", name, "--", *words.splitlines())
    deed = Deed(await opened(), TAINT, NODES, ObjectKey("", name))
    await deed.undertaking.read()
    deed.undertaking.values = {"words": words, "overwrite": False}
    deed.undertaking.plan()
    assert deed.refusal == refused


async def test_no_execute_sends_away_as_many_pods_as_it_was_said(
    objects: Objects, opened: Opened, client: Client, namespace: str
) -> None:
    node = f"t-{secrets.token_hex(4)}"
    await own_node(objects, node)
    patient = [{"key": "away", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 3600}]
    pods = [
        own_pod(namespace, "goes", node, tolerations=[]),
        own_pod(namespace, "waits", node, tolerations=patient),
        own_pod(namespace, "stays", node),
    ]
    for made in pods:
        await objects.apply(made)
    await running(objects, *pods)
    deed = await Deed(await opened(), TAINT, NODES, ObjectKey("", node), words="away:NoExecute").done()
    assert f"1 pod on {node} will be deleted at once." in deed.foretold()
    assert f"1 pod on {node} will be deleted when their time of toleration is over." in deed.foretold()

    async def gone() -> bool:
        listed = await client.get_json(f"/api/v1/namespaces/{namespace}/pods")
        return {item["metadata"]["name"] for item in listed["items"]} == {"waits", "stays"}

    await until(gone, 30, "other pods went than it was said")
