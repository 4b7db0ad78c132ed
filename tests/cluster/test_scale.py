"""Scale: ktui's and kubectl's come to the same, and what stands in the way is told."""

from __future__ import annotations

import secrets

import pytest

from ktui.actions.action import Asks
from ktui.actions.place import Place
from ktui.actions.rollouts import PODS
from ktui.actions.scale import SCALE
from ktui.actions.undertaking import Stage
from ktui.kinds.tone import Tone
from ktui.kube.errors import Forbidden
from tests.cluster.clusters import Cluster
from tests.cluster.conftest import Kubectl, Opened
from tests.cluster.objects import Manifest, Objects, until
from tests.cluster.specimens import service
from tests.cluster.twins import MINE, THEIRS, Twins, workload


@pytest.fixture
async def twins(opened: Opened, objects: Objects, kubectl: Kubectl, namespace: str) -> Twins:
    """In a new namespace, as admin."""
    return Twins(Place(await opened()), objects, kubectl, namespace)


async def _ready(objects: Objects, manifest: Manifest, replicas: int) -> None:
    async def ready() -> bool:
        return bool((await objects.get(manifest))["status"].get("readyReplicas", 0) == replicas)

    await until(ready, 30, f"{replicas} replicas are not ready")


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"])
async def test_it_does_what_kubectl_does(kind: str, cluster: Cluster, twins: Twins, namespace: str) -> None:
    """Through the scale subresource, and it is followed until as many are ready."""
    manifest = workload(kind, namespace, replicas=1)
    await twins.make(manifest)
    act = await twins.act(SCALE, manifest, values={"replicas": 3})
    resource = f"{kind.lower()}s"
    await twins.kubectl("-n", namespace, "scale", resource, THEIRS, "--replicas=3")
    await twins.alike(manifest)
    (written,) = act.written
    assert written.step.kubectl == ("kubectl", "-n", namespace, "scale", resource, MINE, "--replicas=3")
    assert act.undertaking.works[0].stage is Stage.DONE
    assert (act.told[-1].text, act.told[-1].tone) == ("All 3 replicas are ready.", Tone.GOOD)
    assert act.form.start() == {"replicas": 1}
    assert (await twins.act(SCALE, manifest, values={"replicas": 3})).written == []


async def test_to_zero(twins: Twins, namespace: str) -> None:
    """What goes away is said, with the services that nothing answers for then; and it is confirmed."""
    manifest = workload("Deployment", namespace)
    other = workload("Deployment", namespace, name="other")
    other["spec"]["template"]["metadata"]["labels"]["tier"] = "front"
    for one in (manifest, other):
        one["spec"]["template"]["metadata"]["labels"]["team"] = "shop"
        await twins.objects.apply(one)
    await twins.objects.apply(service(namespace, "its-own", selector={"app": MINE}))
    await twins.objects.apply(service(namespace, "of-both", selector={"team": "shop"}))
    await _ready(twins.objects, manifest, 2)
    await _ready(twins.objects, other, 2)
    act = await twins.act(SCALE, manifest, values={"replicas": 0})
    assert "All its 2 pods go away." in act.said
    assert [text for text in act.said if "endpoints" in text] == [
        "service its-own loses its last endpoints: nothing answers there."
    ]
    assert act.words[-1] == "No replicas are left."
    target = act.undertaking.works[0].target
    assert SCALE.asks([target], {"replicas": 0}) is Asks.CONFIRM
    assert SCALE.asks([target], {"replicas": 1}) is Asks.NOTHING


async def test_an_autoscaler(twins: Twins, namespace: str) -> None:
    """What it will do to the number is said before, and seen after."""
    manifest = workload("Deployment", namespace)
    await twins.objects.apply(manifest)
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": MINE}
    for name, found in (("scaler", reference), ("of-another", {**reference, "name": "other"})):
        await twins.objects.apply(
            {
                "apiVersion": "autoscaling/v2",
                "kind": "HorizontalPodAutoscaler",
                "metadata": {"name": name, "namespace": namespace},
                "spec": {"scaleTargetRef": found, "minReplicas": 2, "maxReplicas": 4},
            }
        )
    act = await twins.act(SCALE, manifest, values={"replicas": 6}, follow=False)
    assert act.form.facts[0].startswith("2 replicas wanted, ")
    assert act.form.facts[1:] == ("HPA scaler keeps between 2 and 4",)
    assert act.said == ["HPA scaler keeps between 2 and 4, and will bring it back to 4."]
    for wanted, sentence in (
        (1, "HPA scaler keeps between 2 and 4, and will bring it back to 2."),
        (3, "HPA scaler keeps between 2 and 4; it will change the number as the load asks for."),
        (0, "HPA scaler keeps between 2 and 4, but rests while there are none."),
    ):
        said = await SCALE.weigh(twins.place, act.undertaking.targets, {"replicas": wanted})
        assert sentence in [one.text for one in said]


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
async def test_a_quota_in_the_way(kind: str, cluster: Cluster, twins: Twins, namespace: str) -> None:
    """It is said before, and what the cluster says of it is told after."""
    manifest = workload(kind, namespace, replicas=1)
    await twins.objects.apply(manifest)
    await _ready(twins.objects, manifest, 1)
    quota: Manifest = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "small"}}
    quota["metadata"]["namespace"] = namespace
    await twins.objects.apply({**quota, "spec": {"hard": {"pods": "2"}}})

    async def counted() -> bool:
        return bool((await twins.objects.get(quota)).get("status", {}).get("used", {}).get("pods") == "1")

    await until(counted, 20, "nobody counts what the quota is about")
    act = await twins.act(
        SCALE, manifest, values={"replicas": 4}, ends=lambda said: "exceeded quota: small" in said.text
    )
    assert "ResourceQuota small allows 2 of pods, and 1 are used: not all 3 more can be created." in act.said
    (refused,) = [said for said in act.told if "exceeded quota: small" in said.text]
    assert (refused.about, refused.tone) == (PODS, Tone.FAILED)


async def test_a_custom_resource(twins: Twins, namespace: str) -> None:
    """Its number is where its definition says, and only its scale knows."""
    group = f"t-{secrets.token_hex(3)}.example.com"
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    scale = {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size"}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"scale": scale, "status": {}},
    }
    names = {"plural": "farms", "singular": "farm", "kind": "Farm"}
    await twins.objects.apply(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"farms.{group}"},
            "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
        }
    )
    manifest = {
        "apiVersion": f"{group}/v1",
        "kind": "Farm",
        "metadata": {"name": MINE, "namespace": namespace},
        "spec": {"size": 2},
        "status": {"size": 3},
    }
    await twins.make(manifest)
    act = await twins.act(SCALE, manifest, values={"replicas": 3})
    assert act.form.start() == {"replicas": 2}
    assert act.form.facts == ("2 replicas wanted, 3 there",)
    assert act.words == ["All 3 replicas are ready."]
    await twins.kubectl("-n", namespace, "scale", f"farms.{group}", THEIRS, "--replicas=3")
    await twins.alike(manifest)


async def test_several(twins: Twins, namespace: str) -> None:
    """Where they differ the number is open, and each is told by its name."""
    one, two = (workload("Deployment", namespace, name=name, replicas=n) for name, n in (("one", 1), ("two", 3)))
    for manifest in (one, two):
        await twins.objects.apply(manifest)
    act = await twins.act(SCALE, one, two, values={"replicas": 3})
    assert act.form.start() == {"replicas": None}
    assert act.form.facts[0].startswith(f"{namespace}/one: 1 replica wanted, ")
    assert [written.step.target.key.name for written in act.written] == ["one"]
    assert all(work.stage is Stage.DONE for work in act.undertaking.works)


async def test_who_may_not(opened: Opened, twins: Twins, namespace: str) -> None:
    """The server's words, and nothing is changed."""
    manifest = workload("Deployment", namespace)
    made = await twins.objects.apply(manifest)
    place = Place(await opened(user="nobody"))
    target = (await twins.target(manifest)).read(made)
    said = [one.text for one in await SCALE.weigh(place, [target], {"replicas": 0})]
    assert any(text.startswith("Whether an HPA will change it again cannot be read: ") for text in said)
    form = await SCALE.form(place, [target])
    assert any("whether an HPA sets it cannot be read" in fact for fact in form.facts)
    (step,) = SCALE.plan(target, {"replicas": 0})
    with pytest.raises(Forbidden, match=r"nobody may not patch deployments/scale\.apps"):
        await place.send(step.write)


async def test_a_replica_set_of_a_deployment(twins: Twins, namespace: str) -> None:
    """Its deployment sets its replicas back, which is said."""
    manifest = workload("Deployment", namespace)
    made = await twins.objects.apply(manifest)
    uid = made["metadata"]["uid"]
    found: list[Manifest] = []

    async def owned() -> bool:
        gvr = (await twins.objects.resource("apps/v1", "ReplicaSet")).gvr
        sets = await twins.place.objects(gvr, namespace)
        found[:] = [one for one in sets if one["metadata"]["ownerReferences"][0]["uid"] == uid]
        return bool(found)

    await until(owned)
    manifest = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": found[0]["metadata"]}
    target = (await twins.target(manifest)).read({**found[0], "kind": "ReplicaSet"})
    said = await SCALE.weigh(twins.place, [target], {"replicas": 1})
    assert said[0].text == f"deployment {MINE} sets its replicas, and will set them back."
