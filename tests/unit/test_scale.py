"""Scale, without a cluster: what is asked, sent, said and followed."""

from __future__ import annotations

from typing import Any

import pytest

from ktui.actions.action import MERGE_PATCH, Asks, JsonObject, Refusal, Target, Undone
from ktui.actions.scale import SCALE
from ktui.kinds.builtin import BUILTIN
from ktui.kinds.deployments import DEPLOYMENTS
from ktui.kinds.generic import generic_kind
from ktui.kinds.kind import Trait
from ktui.kinds.names import GVR, ObjectKey
from ktui.kinds.tone import Tone
from tests.unit.scripted import Followed, Scripted

FARMS = generic_kind(GVR("example.com", "v1", "farms"), "Farm", True, traits=Trait.SCALABLE)
STATEFULSETS = generic_kind(GVR("apps", "v1", "statefulsets"), "StatefulSet", True)
NOTHING: dict[str, list[JsonObject]] = {
    name: [] for name in ("horizontalpodautoscalers", "resourcequotas", "services", "pods", "replicasets", "events")
}


def item(
    wanted: int | None = 3, there: int = 3, ready: int = 3, *, generation: int = 1, name: str = "web", **spec: Any
) -> JsonObject:
    return {
        "metadata": {"name": name, "namespace": "shop", "uid": f"u-{name}", "generation": generation},
        "spec": {
            "replicas": wanted,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web", "tier": "front"}}, "spec": {"containers": []}},
            **spec,
        },
        "status": {"observedGeneration": generation, "replicas": there, "readyReplicas": ready},
    }


def target(found: JsonObject | None = None, kind: Any = DEPLOYMENTS) -> Target:
    found = item() if found is None else found
    return Target(kind, ObjectKey("shop", found["metadata"]["name"]), found["metadata"]["uid"], found)


def autoscaler(low: int | None = 2, high: int = 10, **reference: str) -> JsonObject:
    bounds = {"maxReplicas": high, **({} if low is None else {"minReplicas": low})}
    whom = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", **reference}
    return {"metadata": {"name": "hpa"}, "spec": {"scaleTargetRef": whom, **bounds}}


async def said(cluster: Scripted, found: Target, wanted: int) -> list[str]:
    return [one.text for one in await SCALE.weigh(cluster, [found], {"replicas": wanted})]


# -- what is asked ---------------------------------------------------------------------------------


async def test_it_begins_with_what_is_wanted_now() -> None:
    form = await SCALE.form(Scripted(NOTHING), [target(item(4, 2))])
    assert (form.start(), form.facts) == ({"replicas": 4}, ("4 replicas wanted, 2 there",))
    assert form.wrong({"replicas": -1})
    assert form.wrong({"replicas": None})
    assert form.wrong({"replicas": "many"})


async def test_what_says_no_number_wants_one() -> None:
    form = await SCALE.form(Scripted(NOTHING), [target(item(None, 0))])
    assert (form.start(), form.facts) == ({"replicas": 1}, ("1 replica wanted, 0 there",))


async def test_several_that_differ_leave_the_number_open() -> None:
    same = await SCALE.form(Scripted(NOTHING), [target(item(2, name="a")), target(item(2, name="b"))])
    other = await SCALE.form(Scripted(NOTHING), [target(item(2, name="a")), target(item(5, name="b"))])
    assert (same.start(), other.start()) == ({"replicas": 2}, {"replicas": None})
    assert other.facts == ("shop/a: 2 replicas wanted, 3 there", "shop/b: 5 replicas wanted, 3 there")


async def test_a_custom_resource_is_asked_by_its_scale() -> None:
    cluster = Scripted(NOTHING, {("farms", "scale"): {"spec": {"replicas": 7}, "status": {"replicas": 6}}})
    form = await SCALE.form(cluster, [target(item(1), FARMS)])
    assert (form.start(), form.facts) == ({"replicas": 7}, ("7 replicas wanted, 6 there",))


def test_zero_is_confirmed_where_something_runs() -> None:
    running, idle, unknown = target(item(1)), target(item(0)), target(item(0), FARMS)
    assert SCALE.asks([idle, running], {"replicas": 0}) is Asks.CONFIRM
    assert SCALE.asks([idle], {"replicas": 0}) is Asks.NOTHING
    assert SCALE.asks([unknown], {"replicas": 0}) is Asks.CONFIRM
    assert SCALE.asks([running], {"replicas": 1}) is Asks.NOTHING
    assert SCALE.asks([running], {"replicas": None}) is Asks.NOTHING


@pytest.mark.parametrize("kind", BUILTIN.values(), ids=lambda kind: kind.kind)
def test_it_is_offered_for_what_has_a_scale(kind: Any) -> None:
    assert SCALE.offers(kind) == (kind.kind in ("Deployment", "ReplicaSet"))
    assert SCALE.offers(FARMS)


# -- what is done ----------------------------------------------------------------------------------


def test_the_scale_is_patched() -> None:
    (step,) = SCALE.plan(target(), {"replicas": 5})
    assert (step.write.method, step.write.path) == ("PATCH", "/apis/apps/v1/namespaces/shop/deployments/web/scale")
    assert (step.write.body, step.write.content_type) == ({"spec": {"replicas": 5}}, MERGE_PATCH)
    assert step.kubectl == ("kubectl", "-n", "shop", "scale", "deployments", "web", "--replicas=5")
    assert step.undone is Undone.SCALE


def test_what_is_so_already_is_not_sent() -> None:
    assert SCALE.plan(target(), {"replicas": 3}) == ()
    # What `spec.replicas` of a custom resource means, nobody but its definition knows.
    assert SCALE.plan(target(kind=FARMS), {"replicas": 3})
    with pytest.raises(Refusal):
        SCALE.plan(target(), {"replicas": None})


# -- what is said ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "wanted", "words"),
    [
        (3, 1, ", and will bring it back to 2."),
        (3, 11, ", and will bring it back to 10."),
        (3, 5, "; it will change the number as the load asks for."),
        (0, 5, ", and begins again; it will change the number as the load asks for."),
        (3, 0, ", but rests while there are none."),
    ],
)
async def test_what_an_autoscaler_will_do(now: int, wanted: int, words: str) -> None:
    others = [autoscaler(name="other"), autoscaler(apiVersion="example.com/v1"), autoscaler(kind="StatefulSet")]
    cluster = Scripted({**NOTHING, "horizontalpodautoscalers": [autoscaler(), *others]})
    told = await said(cluster, target(item(now, now, now)), wanted)
    assert [text for text in told if text.startswith("HPA ")] == [f"HPA hpa keeps between 2 and 10{words}"]


async def test_an_autoscaler_keeps_one_where_it_says_nothing() -> None:
    cluster = Scripted({**NOTHING, "horizontalpodautoscalers": [autoscaler(None)]})
    assert (await SCALE.form(cluster, [target()])).facts[1] == "HPA hpa keeps between 1 and 10"


async def test_what_cannot_be_read_is_said() -> None:
    told = await SCALE.weigh(Scripted(), [target()], {"replicas": 0})
    unknown = [one.text for one in told if one.tone is Tone.UNKNOWN]
    assert [text.partition(" cannot")[0] for text in unknown] == [
        "Whether an HPA will change it again",
        "Which services lose their endpoints",
    ]
    told = await SCALE.weigh(Scripted({**NOTHING, "resourcequotas": []}), [target()], {"replicas": 9})
    assert not told
    del (lacking := dict(NOTHING))["resourcequotas"]
    (quota,) = await said(Scripted(lacking), target(), 9)
    assert quota.startswith("Whether a ResourceQuota allows it cannot be read: ")


def quota(scopes: list[str] | None = None, **amounts: tuple[str, str]) -> JsonObject:
    names = {name.replace("_", "."): pair for name, pair in amounts.items()}
    status = {"hard": {k: v[0] for k, v in names.items()}, "used": {k: v[1] for k, v in names.items()}}
    return {"metadata": {"name": "q"}, "spec": {"scopes": scopes} if scopes else {}, "status": status}


async def test_quotas_without_room() -> None:
    resources = {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"resources": resources}]}}
    cases = [
        (quota(pods=("10", "8")), False),
        (quota(pods=("10", "9")), True),
        (quota(requests_cpu=("2", "1")), False),
        (quota(requests_cpu=("2", "1100m")), True),
        # What is limited and not requested is requested.
        (quota(requests_memory=("4Gi", "3Gi")), True),
        (quota(limits_cpu=("10", "9500m")), True),
        (quota(["BestEffort"], pods=("1", "1")), False),
        (quota(services=("1", "1")), False),
    ]
    for found, full in cases:
        cluster = Scripted({**NOTHING, "resourcequotas": [found]})
        told = await said(cluster, target(item(3, template=template)), 5)
        assert bool(told) == full, found
        assert all(text.endswith(" are used: not all 2 more can be created.") for text in told)


async def test_services_that_are_left_without_pods() -> None:
    def service(name: str, selector: dict[str, str] | None) -> JsonObject:
        return {"metadata": {"name": name}, "spec": {"selector": selector}}

    def pod(**labels: str) -> JsonObject:
        return {"metadata": {"labels": labels}}

    services = [service("web", {"app": "web"}), service("other", {"app": "x"}), service("none", None)]
    cluster = Scripted({**NOTHING, "services": services, "pods": [pod(app="web")]})
    assert await said(cluster, target(), 0) == [
        "All its 3 pods go away.",
        "service web loses its last endpoints: nothing answers there.",
    ]
    cluster.listed["pods"].append(pod(app="another"))
    assert await said(cluster, target(item(1, 1)), 0) == ["Its only pod goes away."]
    assert await said(cluster, target(item(0, 0, 0)), 0) == []


async def test_who_else_sets_the_number() -> None:
    found = item()
    found["metadata"]["ownerReferences"] = [{"kind": "Deployment", "name": "web", "controller": True}]
    assert (await said(Scripted(NOTHING), target(found), 5))[0] == (
        "deployment web sets its replicas, and will set them back."
    )


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("Retain", "The volume claims of the pods that go stay, and are used again."),
        ("Delete", "The volume claims of the 2 pods that go are deleted, with what is in them."),
    ],
)
async def test_volumes_of_a_stateful_set(policy: str, words: str) -> None:
    kept = {"whenScaled": policy}
    spec: dict[str, Any] = {"volumeClaimTemplates": [{}], "persistentVolumeClaimRetentionPolicy": kept}
    found = target(item(**spec), STATEFULSETS)
    assert await said(Scripted(NOTHING), found, 1) == [words]
    assert await said(Scripted(NOTHING), found, 4) == []


# -- how it goes on --------------------------------------------------------------------------------


async def test_it_is_followed_until_all_are_ready() -> None:
    seen = [item(), item(5, 4, 3, generation=2), item(5, 5, 5, generation=2)]
    told = await Followed(Scripted(NOTHING, seen=seen), target(), {"replicas": 5}).told(SCALE)
    assert [one.text for one in told] == ["3 of 5 replicas ready.", "All 5 replicas are ready."]


async def test_a_status_of_before_ends_nothing() -> None:
    old = item(5, 5, 5, generation=2)
    old["status"]["observedGeneration"] = 1
    seen = [old, item(5, 4, 4, generation=2), item(5, 5, 5, generation=2)]
    told = await Followed(Scripted(NOTHING, seen=seen), target(), {"replicas": 5}).told(SCALE)
    assert [one.text for one in told] == [
        "5 of 5 replicas ready.",
        "4 of 5 replicas ready.",
        "All 5 replicas are ready.",
    ]


async def test_those_that_go_away_are_waited_for() -> None:
    old = item(0, 1, 1, generation=2)
    old["status"]["observedGeneration"] = 1
    seen = [item(0, 3, 3, generation=2), old, item(0, 0, 0, generation=2)]
    told = await Followed(Scripted(NOTHING, seen=seen), target(), {"replicas": 0}).told(SCALE)
    assert [one.text for one in told] == [
        "3 replicas still go away.",
        "1 replica still goes away.",
        "No replicas are left.",
    ]


async def test_somebody_else_sets_it_again() -> None:
    seen = [item(5, 3, 3, generation=2), item(2, 3, 3, generation=3)]
    told = await Followed(Scripted(NOTHING, seen=seen), target(), {"replicas": 5}).told(SCALE)
    assert (told[-1].text, told[-1].tone) == ("Somebody else has set it to 2 replicas since.", Tone.WARNING)


async def test_one_that_is_gone() -> None:
    told = await Followed(Scripted(NOTHING, seen=[None]), target(), {"replicas": 5}).told(SCALE)
    assert (told[-1].text, told[-1].tone) == ("deployment shop/web is gone.", Tone.FAILED)
