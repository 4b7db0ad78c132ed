"""Deleting: what is sent, what is said before, and what is told until it is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from ktui.actions import delete
from ktui.actions.action import Asks, Refusal, Step, Target, Undone
from ktui.actions.delete import DELETE, leaving
from ktui.actions.deletion import MOST_SEARCHES, Seen, consequences, searches
from ktui.actions.kubectl import shell_line
from ktui.kinds.deployments import DEPLOYMENTS
from ktui.kinds.generic import generic_kind
from ktui.kinds.kind import Kind
from ktui.kinds.metrics import POD_METRICS
from ktui.kinds.names import GVR, ObjectKey
from ktui.kinds.nodes import NODES
from ktui.kinds.pods import PODS
from ktui.kinds.services import SERVICES
from ktui.kinds.tone import Tone
from ktui.kube.discovery import Discovery, Resource
from ktui.kube.errors import ConnectionFailed, Forbidden, KtuiError

Manifest = dict[str, Any]

NAMESPACES = generic_kind(GVR("", "v1", "namespaces"), "Namespace", False)
VOLUMES = generic_kind(GVR("", "v1", "persistentvolumes"), "PersistentVolume", False)
DEFINITIONS = generic_kind(
    GVR("apiextensions.k8s.io", "v1", "customresourcedefinitions"), "CustomResourceDefinition", False
)
WIDGETS = generic_kind(GVR("shop.example.com", "v1", "widgets"), "Widget", True)
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC).timestamp()


def thing(api_version: str, kind: str, name: str, owners: Sequence[str] = (), **fields: Any) -> Manifest:
    """An object whose UID is its name; fields of metadata as `meta`."""
    references = [{"kind": "Any", "name": owner, "uid": owner, "controller": True} for owner in owners]
    meta = {"name": name, "namespace": "shop", "uid": name, "ownerReferences": references, **fields.pop("meta", {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": meta, **fields}


def pod(name: str, owners: Sequence[str] = (), **spec: Any) -> Manifest:
    """A pod with a label."""
    return thing("v1", "Pod", name, owners, spec=spec, meta={"labels": {"app": "web"}})


def web(**spec: Any) -> Manifest:
    """A deployment."""
    return thing("apps/v1", "Deployment", "web", spec={"selector": {"matchLabels": {"app": "web"}}, **spec})


def seen(**lists: list[Manifest]) -> Seen:
    """What was read: `pods=[...]`."""
    made, groups = Seen(), {"replicasets": ("apps", "ReplicaSet"), "pods": ("", "Pod")}
    groups |= {"slices": ("discovery.k8s.io", "EndpointSlice"), "budgets": ("policy", "PodDisruptionBudget")}
    groups |= {"volumes": ("", "PersistentVolume"), "claims": ("", "PersistentVolumeClaim")}
    for name, items in lists.items():
        made.found[groups[name]] = items
    return made


def texts(items: Sequence[Manifest], found: Seen, **how: bool) -> list[str]:
    """What is said before a deletion."""
    return [said.text for said in consequences(items, found, **how)]


def planned(kind: Kind = PODS, uid: str = "", item: Manifest | None = None, **values: Any) -> Step:
    """The one step of a deletion."""
    target = Target(kind, ObjectKey("shop" if kind.namespaced else "", "web"), uid, item or pod("web"))
    [step] = DELETE.plan(target, {"propagation": "background", "grace": None, "force": False, **values})
    return step


# -- what is sent -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "values", "line", "options"),
    [
        (PODS, {}, "", {"propagationPolicy": "Background"}),
        (PODS, {"grace": 5}, " --grace-period=5", {"gracePeriodSeconds": 5, "propagationPolicy": "Background"}),
        (PODS, {"grace": 0}, " --grace-period=1", {"gracePeriodSeconds": 1, "propagationPolicy": "Background"}),
        (PODS, {"force": True}, " --force", {"gracePeriodSeconds": 0, "propagationPolicy": "Background"}),
        (DEPLOYMENTS, {"propagation": "orphan"}, " --cascade=orphan", {"propagationPolicy": "Orphan"}),
        (WIDGETS, {"propagation": "foreground"}, " --cascade=foreground", {"propagationPolicy": "Foreground"}),
        (SERVICES, {"grace": 5, "force": True}, "", {"propagationPolicy": "Background"}),
    ],
)
def test_the_request_and_the_kubectl_line_say_the_same(
    kind: Kind, values: Manifest, line: str, options: Manifest
) -> None:
    """Options as kubectl sends them, and the UID of what was seen."""
    step = planned(kind, "seen", **values)
    resource = "widgets.shop.example.com" if kind is WIDGETS else kind.gvr.resource
    assert shell_line(step.kubectl) == f"kubectl -n shop delete {resource} web{line}"
    assert (step.write.method, step.write.path) == ("DELETE", kind.gvr.path("shop", "web"))
    assert step.write.body == {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        **options,
        "preconditions": {"uid": "seen"},
    }
    assert step.undone is Undone.CREATE


def test_without_a_uid_of_what_was_seen_it_is_that_of_what_was_read() -> None:
    """No request goes without one."""
    assert planned().write.body["preconditions"] == {"uid": "web"}
    with pytest.raises(Refusal, match="has not been read yet"):
        DELETE.plan(Target(PODS, ObjectKey("shop", "web")), {"propagation": "background"})


def test_force_and_a_grace_period_are_refused_as_by_kubectl() -> None:
    """In kubectl's words."""
    with pytest.raises(Refusal) as refused:
        planned(grace=5, force=True)
    assert "--force and --grace-period greater than 0 cannot be specified together" in refused.value.sentence


@pytest.mark.parametrize(
    ("kind", "asks"),
    [
        (PODS, Asks.CONFIRM),
        (DEPLOYMENTS, Asks.CONFIRM),
        (WIDGETS, Asks.CONFIRM),
        (NAMESPACES, Asks.NAME),
        (NODES, Asks.NAME),
        (VOLUMES, Asks.NAME),
        (DEFINITIONS, Asks.NAME),
    ],
)
def test_what_is_precious_is_asked_for_by_its_name(kind: Kind, asks: Asks) -> None:
    """Also when it is one of several."""
    one, other = Target(kind, ObjectKey("", "a")), Target(PODS, ObjectKey("shop", "b"))
    assert DELETE.asks([one], {}) is asks
    assert DELETE.asks([other, one], {}) is asks
    assert DELETE.offers(kind)
    assert not DELETE.offers(POD_METRICS)


# -- a cluster to ask -------------------------------------------------------------------------------


@dataclass
class Stage:
    """A cluster that answers from dicts, and counts what it is asked."""

    lists: dict[str, list[Manifest] | KtuiError] = field(default_factory=dict)
    verbs: tuple[str, ...] = ("get", "list", "delete")
    looks: list[Manifest | None] = field(default_factory=list)
    asked: list[tuple[str, str, str, str]] = field(default_factory=list)
    context = "here"
    namespace = "shop"
    now = NOW
    away = False

    async def discovery(self, *, anew: bool = False) -> Discovery:
        """Serves what it has lists of, and pods."""
        if self.away:
            raise ConnectionFailed("there", "timed out")
        kinds = {
            "pods": ("", "Pod"),
            "replicasets": ("apps", "ReplicaSet"),
            "services": ("", "Service"),
            "endpointslices": ("discovery.k8s.io", "EndpointSlice"),
        }
        return Discovery(
            [
                Resource(GVR(group, "v1", plural), kind, kind.lower(), True, (), self.verbs, (), ())
                for plural, (group, kind) in kinds.items()
            ]
        )

    async def get(self, gvr: GVR, key: ObjectKey, subresource: str = "") -> Manifest:
        """Nobody asks for one."""
        raise NotImplementedError

    async def objects(self, gvr: GVR, namespace: str = "", *, labels: str = "", fields: str = "") -> list[Manifest]:
        """From the dict, as lists have them: without kinds."""
        self.asked.append((gvr.resource, namespace, labels, fields))
        found = self.lists.get(gvr.resource, [])
        if isinstance(found, KtuiError):
            raise found
        return [{key: value for key, value in item.items() if key not in ("kind", "apiVersion")} for item in found]

    async def watch(self, gvr: GVR, key: ObjectKey) -> AsyncGenerator[Manifest | None, None]:
        """One look after the other."""
        for item in self.looks:
            yield item

    async def watch_all(
        self, gvr: GVR, namespace: str = "", *, labels: str = "", fields: str = ""
    ) -> AsyncGenerator[list[Manifest], None]:
        """Nobody asks for it."""
        yield []


@dataclass
class Followed:
    """A deletion that is followed."""

    cluster: Stage
    target: Target
    values: Manifest = field(default_factory=dict)
    results: list[Manifest] = field(default_factory=list)

    async def write(self, step: Step) -> Manifest:
        """Nothing more is written."""
        raise NotImplementedError


def target(item: Manifest, kind: Kind = PODS) -> Target:
    """A target that has been read."""
    return Target(kind, ObjectKey("shop", item["metadata"]["name"]), item["metadata"]["uid"], item)


def forbidden(what: str) -> Forbidden:
    """The server's refusal of a list."""
    return Forbidden(403, "Forbidden", f'{what} is forbidden: User "dev" cannot list resource "{what}" in API group ""')


# -- the form ---------------------------------------------------------------------------------------


async def test_only_pods_have_a_grace_period() -> None:
    """Other kinds are gone when the server says so; propagation is asked of all."""
    form = await DELETE.form(Stage(), [target(pod("a", terminationGracePeriodSeconds=5)), target(pod("b"))])
    assert form.start() == {"propagation": "background", "grace": None, "force": False}
    assert form.facts == ("own grace period: 5 s to 30 s",)
    assert form.wrong(form.start()) == {}
    assert form.wrong(form.start() | {"grace": 0}).keys() == {"grace"}
    assert (await DELETE.form(Stage(), [target(web(), DEPLOYMENTS)])).start() == {"propagation": "background"}


async def test_what_the_server_does_not_delete_is_refused() -> None:
    """Discovery tells; where it cannot be asked, the server will say it."""
    stage = Stage(verbs=("get", "list"))
    with pytest.raises(Refusal, match="Pods cannot be deleted"):
        await DELETE.form(stage, [target(pod("a"))])
    stage.away = True
    assert (await DELETE.form(stage, [target(pod("a"))])).fields


# -- what is said before ----------------------------------------------------------------------------


async def test_what_may_not_be_read_is_said_and_spoils_nothing() -> None:
    """The other lists still tell."""
    stage = Stage({"pods": forbidden("pods"), "replicasets": [thing("apps/v1", "ReplicaSet", "web-1", ["web"])]})
    said = await DELETE.weigh(stage, [target(web(), DEPLOYMENTS)], {"propagation": "background"})
    assert [(each.text, each.tone) for each in said] == [
        ("1 replica set goes with it.", Tone.WARNING),
        ("Not known: dev may not list pods, so it is not known what goes with it.", Tone.UNKNOWN),
    ]
    stage.away = True
    [said_away] = await DELETE.weigh(stage, [target(web(), DEPLOYMENTS)], {"propagation": "background"})
    assert said_away.text == "Not known: Cannot reach there: timed out, so it is not known what else will happen."


async def test_few_lists_are_read_however_many_are_chosen() -> None:
    """Several deployments of a namespace are told from one list of each kind, those of many namespaces not at all."""
    many = [web() for _ in range(40)]
    for number, item in enumerate(many):
        item["metadata"] |= {"name": f"web-{number}", "uid": f"web-{number}"}
        item["spec"] = {"selector": {"matchLabels": {"app": f"web-{number}"}}}
    stage = Stage({"replicasets": [thing("apps/v1", "ReplicaSet", f"rs-{n}", [f"web-{n}"]) for n in range(45)]})
    said = await DELETE.weigh(stage, [target(item, DEPLOYMENTS) for item in many], {"propagation": "background"})
    assert said[0].text == "40 replica sets go with them."
    assert len(stage.asked) == len(set(stage.asked)) <= MOST_SEARCHES
    for number, item in enumerate(many):
        item["metadata"]["namespace"] = f"space-{number}"
    stage.asked.clear()
    said = await DELETE.weigh(stage, [target(item, DEPLOYMENTS) for item in many], {"propagation": "background"})
    assert len(stage.asked) <= MOST_SEARCHES
    assert said[-1].text.startswith("Not known: So many are chosen that not all was read")


@pytest.mark.parametrize(
    "kind",
    [
        "Pod",
        "Service",
        "Namespace",
        "Node",
        "PersistentVolumeClaim",
        "PersistentVolume",
        "Secret",
        "ConfigMap",
        "Event",
    ],
)
def test_no_object_needs_more_lists_than_there_may_be(kind: str) -> None:
    """Of Kubernetes' own kinds, and of custom ones."""
    for item in (thing("v1", kind, "web", spec={}), thing("shop.example.com/v1", kind, "web", spec={})):
        assert len(searches([item], orphan=False)) <= MOST_SEARCHES


def test_what_has_another_owner_stays() -> None:
    """As the garbage collector decides."""
    found = seen(
        replicasets=[thing("apps/v1", "ReplicaSet", "rs", ["web"])], pods=[pod("a", ["rs"]), pod("b", ["rs", "x"])]
    )
    assert texts([web()], found) == ["1 replica set and 1 pod go with it."]
    assert texts([web()], found, orphan=True) == [
        "1 replica set and 1 pod stay and run on; nothing looks after them any more."
    ]
    assert texts([web()], seen(pods=[pod("a", ["other"])])) == []


def _slice(service: str, *pods: str, ready: bool = True) -> Manifest:
    endpoints = [{"targetRef": {"kind": "Pod", "name": name}, "conditions": {"ready": ready}} for name in pods]
    meta = {"labels": {"kubernetes.io/service-name": service}}
    return thing("discovery.k8s.io/v1", "EndpointSlice", f"{service}-x", endpoints=endpoints, meta=meta)


def test_only_together_two_workloads_take_all_endpoints() -> None:
    """Services are judged by all that goes, in both address families, and by what serves only."""
    pods = [pod("a", ["web"]), pod("b", ["api"]), pod("c")]
    slices = [_slice("front", "a", "b"), _slice("front", "a", "b"), _slice("front", "c", ready=False)]
    slices.append(_slice("other", "c"))
    one, two = (thing("apps/v1", "DaemonSet", name, spec={"selector": {}}) for name in ("web", "api"))
    assert "Service front loses 1 of its 2 endpoints." in texts([one], seen(pods=pods, slices=slices))
    said = texts([one, two], seen(pods=pods, slices=slices))
    assert "Service front loses all its 2 endpoints: nothing answers there." in said
    assert not any("other" in text for text in said)


def test_budgets_that_select_nothing_that_goes_are_silent() -> None:
    """Only those that one might trust in are named."""
    budgets = [
        thing("policy/v1", "PodDisruptionBudget", name, spec={"selector": selector})
        for name, selector in (
            ("mine", {"matchLabels": {"app": "web"}}),
            ("all", {}),
            ("other", {"matchLabels": {"a": "b"}}),
        )
    ]
    budgets.append(thing("policy/v1", "PodDisruptionBudget", "none", spec={}))
    said = [text for text in texts([pod("a", ["rs"])], seen(budgets=budgets)) if text.startswith("Disruption")]
    assert said == [
        f"Disruption budget {name} does not protect from this: it limits evictions only." for name in ("mine", "all")
    ]


def test_a_pod_of_nobody_is_gone_for_good() -> None:
    """So is what was in its scratch volumes."""
    said = texts([pod("a", volumes=[{"name": "tmp", "emptyDir": {}}, {"name": "cfg", "configMap": {}}])], seen())
    assert said == ["Nobody makes a again: no controller owns it.", "What is in emptyDir volumes (tmp) is lost."]


def test_force_is_warned_of_as_by_kubectl() -> None:
    """And what it means for a stateful set."""
    [said, *_] = texts([pod("a", ["rs"])], seen(), force=True)
    assert said == (
        "Immediate deletion does not wait for confirmation that the running resource has been terminated. "
        "The resource may continue to run on the cluster indefinitely."
    )
    single = pod("db-0", ["db"])
    single["metadata"]["ownerReferences"][0]["kind"] = "StatefulSet"
    assert "write the same volume" in texts([single], seen(), force=True)[0]


@pytest.mark.parametrize(
    ("policy", "orphan", "said"),
    [
        ({}, False, "The claims made from data stay, with their data."),
        ({"whenDeleted": "Retain"}, False, "The claims made from data stay, with their data."),
        ({"whenDeleted": "Delete"}, False, "The claims made from data go too, and their data as their volumes say."),
        ({"whenDeleted": "Delete"}, True, "The claims made from data stay, with their data."),
    ],
)
def test_claims_of_a_stateful_set(policy: Manifest, orphan: bool, said: str) -> None:
    """They stay unless it says otherwise."""
    spec = {"volumeClaimTemplates": [{"metadata": {"name": "data"}}], "persistentVolumeClaimRetentionPolicy": policy}
    item = thing("apps/v1", "StatefulSet", "db", spec={"selector": {}, **spec})
    assert said in texts([item], seen(), orphan=orphan)


@pytest.mark.parametrize(
    ("policy", "said", "tone"),
    [
        ("Delete", "The data of data is deleted for good (reclaim policy Delete).", Tone.FAILED),
        ("Retain", "The data of data stays in its storage (reclaim policy Retain), to be freed by hand.", Tone.PLAIN),
    ],
)
def test_the_reclaim_policy_decides_over_the_data(policy: str, said: str, tone: Tone) -> None:
    """Of a claim, by its volume, and of a volume itself."""
    claim = thing("v1", "PersistentVolumeClaim", "data", spec={"volumeName": "pv-1"})
    volume = thing("v1", "PersistentVolume", "pv-1", spec={"persistentVolumeReclaimPolicy": policy})
    found = consequences([claim], seen(volumes=[volume]))
    assert (found[-1].text, found[-1].tone) == (said, tone)
    assert consequences([volume], seen())[0].text == said.replace("data is", "pv-1 is").replace(
        "data stays", "pv-1 stays"
    )
    # What is not known is not claimed.
    assert not any("The data of" in text for text in texts([claim], seen()))


def test_finalizers_are_named_with_what_they_wait_for() -> None:
    """Those that nobody knows are a warning."""
    item = thing(
        "v1", "Service", "web", meta={"finalizers": ["service.kubernetes.io/load-balancer-cleanup", "a.com/b"]}
    )
    known, unknown, *_ = consequences([item], seen())
    assert known.text == (
        "web stays until its load balancer is taken down (finalizer service.kubernetes.io/load-balancer-cleanup)."
    )
    assert (known.tone, unknown.tone) == (Tone.PLAIN, Tone.WARNING)
    assert "finalizer a.com/b" in unknown.text


def test_sentences_do_not_repeat() -> None:
    """Several pods of one replica set have one controller."""
    said = texts([pod("a", ["rs"]), pod("b", ["rs"])], seen())
    assert said == ["Any rs makes a new one in its place."]


# -- until it is gone -------------------------------------------------------------------------------


def going(seconds: float, kind: str = "ConfigMap", grace: int = 0, **more: Any) -> Manifest:
    """An object that should be gone since some seconds."""
    due = datetime.fromtimestamp(NOW - seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    meta = {"deletionTimestamp": due, "deletionGracePeriodSeconds": grace, **more.pop("meta", {})}
    return thing("v1", kind, "web", meta=meta, **more)


RUNS = {"spec": {"nodeName": "n-1"}}


@pytest.mark.parametrize(
    ("item", "text", "tone"),
    [
        (going(-20, "Pod", 30, **RUNS), "Terminating for 10s; 20s of its grace period left.", Tone.WORKING),
        (going(2, "Pod", 30, **RUNS), "Terminating for 32s: waits for the kubelet of node n-1.", Tone.WORKING),
        (
            going(60, "Pod", 30, **RUNS),
            "Terminating for 90s: waits for the kubelet of node n-1. It should be gone: the node may be away.",
            Tone.WARNING,
        ),
        (going(1), "Terminating for 1s.", Tone.WORKING),
        (
            going(1, meta={"finalizers": ["example.com/x"]}),
            "Terminating for 1s: waits for finalizer example.com/x.",
            Tone.WORKING,
        ),
        (
            going(60, meta={"finalizers": ["example.com/x"]}),
            "Terminating for 60s: waits for finalizer example.com/x. It hangs until whoever set it takes it away.",
            Tone.WARNING,
        ),
        (
            going(60, meta={"finalizers": ["kubernetes.io/pvc-protection"]}),
            "Terminating for 60s: waits until no pod uses it (finalizer kubernetes.io/pvc-protection).",
            Tone.WARNING,
        ),
        (
            going(600, meta={"finalizers": ["foregroundDeletion"]}),
            "Terminating for 10m: waits until what it owns is gone (finalizer foregroundDeletion).",
            Tone.WORKING,
        ),
        (going(5, "Namespace"), "Terminating for 5s: what is in it goes first.", Tone.WORKING),
        (
            going(
                5,
                "Namespace",
                status={
                    "conditions": [
                        {"type": "NamespaceContentRemaining", "status": "True", "message": "Some pods remain"},
                        {"type": "NamespaceDeletionContentFailure", "status": "False", "message": "All deleted"},
                    ]
                },
            ),
            "Terminating for 5s: Some pods remain",
            Tone.WORKING,
        ),
        (
            going(
                5,
                "Namespace",
                status={
                    "conditions": [
                        {"type": "NamespaceDeletionDiscoveryFailure", "status": "True", "message": "metrics is away"}
                    ]
                },
            ),
            "Terminating for 5s: metrics is away",
            Tone.WARNING,
        ),
    ],
)
def test_what_it_waits_for_is_named(item: Manifest, text: str, tone: Tone) -> None:
    """The grace period, the kubelet, finalizers, and a namespace's contents; a warning once it should be gone."""
    said = leaving(item, NOW)
    assert said is not None
    assert (said.text, said.tone) == (text, tone)


async def told(looks: list[Manifest | None], item: Manifest | None = None) -> list[str]:
    """What is told to who follows."""
    followed = Followed(Stage(looks=looks), target(item or pod("web")))
    assert DELETE.follow is not None
    async with aclosing(DELETE.follow(followed)) as sentences:
        return [said.text async for said in sentences]


async def test_it_is_followed_until_it_is_gone() -> None:
    """What is not being deleted yet says nothing, and nothing is said twice."""
    held = going(1, meta={"finalizers": ["a.com/b"]})
    waits = "Terminating for 1s: waits for finalizer a.com/b."
    assert await told([pod("web"), held, held, None, held]) == [waits, "Gone."]


async def test_another_object_of_that_name_means_that_it_is_gone() -> None:
    """A controller may be quicker than the watch."""
    new = pod("web")
    new["metadata"]["uid"] = "new"
    assert await told([going(1), new]) == ["Terminating for 1s.", "Gone; a new one has taken its place."]


async def test_time_tells_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """While nothing changes, the same object is looked at again, and hangs in the end."""
    monkeypatch.setattr(delete, "_TICK", 0.001)
    held = going(1, meta={"finalizers": ["a.com/b"]})
    followed = Followed(Stage(), target(pod("web")))
    ended = False

    async def watch(gvr: GVR, key: ObjectKey) -> AsyncGenerator[Manifest | None, None]:
        nonlocal ended
        try:
            yield held
            while True:
                await asyncio.Event().wait()
        finally:
            ended = True

    monkeypatch.setattr(followed.cluster, "watch", watch)
    assert DELETE.follow is not None
    async with aclosing(DELETE.follow(followed)) as sentences:
        first = await anext(sentences)
        followed.cluster.now = NOW + 30
        second = await anext(sentences)
    assert (first.tone, second.tone) == (Tone.WORKING, Tone.WARNING)
    assert ended
