"""Rollouts: how a changed template reaches the pods, in kubectl's words, and what holds it up.

Sources: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/ and its siblings for StatefulSets and
DaemonSets; the words are those of `kubectl rollout status` (polymorphichelpers/rollout_status.go).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from ktui.actions.action import Cluster, Doing, JsonObject, Said, Target
from ktui.kinds.kind import Kind, Trait
from ktui.kinds.names import GVR, GVR_EVENTS, GVR_PODS, GVR_REPLICASETS
from ktui.kinds.objects import LabelSelector
from ktui.kinds.pods import Pod, health
from ktui.kinds.sentence import trouble
from ktui.kinds.tone import Tone, worst
from ktui.kinds.workload import selector_text
from ktui.kube.errors import KtuiError

GVR_BUDGETS = GVR("policy", "v1", "poddisruptionbudgets")

HASH = "pod-template-hash"

PODS = "pods"
"""What a sentence about pods that do not start is about."""


# -- what it says of itself ------------------------------------------------------------------------


class Progress(NamedTuple):
    """How far a rollout is.

    Attributes:
        text: as kubectl says it.
        done: whether there is nothing more to wait for.
        failed: whether it will not come to a good end by itself.
    """

    text: str
    done: bool = False
    failed: bool = False

    @property
    def said(self) -> Said:
        """The same as a sentence."""
        return Said(self.text, Tone.FAILED if self.failed else Tone.GOOD if self.done else Tone.WORKING)


def progress(kind: str, item: JsonObject) -> Progress:
    """How far a rollout is, as `kubectl rollout status` says it.

    Args:
        kind: Deployment, StatefulSet or DaemonSet.
        item: the object.
    """
    return {"Deployment": _deployment, "StatefulSet": _stateful_set, "DaemonSet": _daemon_set}[kind](item)


def _deployment(item: JsonObject) -> Progress:
    name, status, wanted = item["metadata"]["name"], _status(item), replicas(item)
    if generation(item) > status["observedGeneration"]:
        return Progress("Waiting for deployment spec update to be observed...")
    progressing = condition(item, "Progressing")
    if progressing is not None and progressing.get("reason") == "ProgressDeadlineExceeded":
        return Progress(f'error: deployment "{name}" exceeded its progress deadline', done=True, failed=True)
    waiting = f'Waiting for deployment "{name}" rollout to finish:'
    updated, there, available = status["updatedReplicas"], status["replicas"], status["availableReplicas"]
    if updated < wanted:
        return Progress(f"{waiting} {updated} out of {wanted} new replicas have been updated...")
    if there > updated:
        return Progress(f"{waiting} {there - updated} old replicas are pending termination...")
    if available < updated:
        return Progress(f"{waiting} {available} of {updated} updated replicas are available...")
    return Progress(f'deployment "{name}" successfully rolled out', done=True)


def _stateful_set(item: JsonObject) -> Progress:
    status, wanted = _status(item), replicas(item)
    if strategy(item) != "RollingUpdate":
        return _ONLY_ROLLING
    if not status["observedGeneration"] or generation(item) > status["observedGeneration"]:
        return Progress("Waiting for statefulset spec update to be observed...")
    if status["readyReplicas"] < wanted:
        return Progress(f"Waiting for {wanted - status['readyReplicas']} pods to be ready...")
    updated = status["updatedReplicas"]
    if (rolling := item["spec"].get("updateStrategy", {}).get("rollingUpdate")) is not None:
        new = wanted - rolling.get("partition", 0)
        if updated < new:
            return Progress(
                f"Waiting for partitioned roll out to finish: {updated} out of {new} new pods have been updated..."
            )
        return Progress(f"partitioned roll out complete: {updated} new pods have been updated...", done=True)
    newest, current = status["updateRevision"] or "", status["currentRevision"] or ""
    if newest != current:
        return Progress(f"waiting for statefulset rolling update to complete {updated} pods at revision {newest}...")
    there = status["currentReplicas"]
    return Progress(f"statefulset rolling update complete {there} pods at revision {current}...", done=True)


def _daemon_set(item: JsonObject) -> Progress:
    name, status = item["metadata"]["name"], _status(item)
    if strategy(item) != "RollingUpdate":
        return _ONLY_ROLLING
    if generation(item) > status["observedGeneration"]:
        return Progress("Waiting for daemon set spec update to be observed...")
    updated, available = status["updatedNumberScheduled"], status["numberAvailable"]
    wanted, waiting = status["desiredNumberScheduled"], f'Waiting for daemon set "{name}" rollout to finish:'
    if updated < wanted:
        return Progress(f"{waiting} {updated} out of {wanted} new pods have been updated...")
    if available < wanted:
        return Progress(f"{waiting} {available} of {wanted} updated pods are available...")
    return Progress(f'daemon set "{name}" successfully rolled out', done=True)


_ONLY_ROLLING = Progress(
    "error: rollout status is only available for RollingUpdate strategy type", done=True, failed=True
)


class _Counts(dict[str, Any]):
    """A status, whose numbers are left out when they are 0."""

    def __missing__(self, name: str) -> int:
        return 0


def _status(item: JsonObject) -> _Counts:
    return _Counts(item.get("status") or {})


def status_count(item: JsonObject, name: str) -> int:
    """A number of a status; what is left out is 0."""
    return int(_status(item)[name])


def replicas(item: JsonObject) -> int:
    """How many replicas are wanted; 1 where nothing is said."""
    found = (item.get("spec") or {}).get("replicas")
    return 1 if found is None else int(found)


def generation(item: JsonObject) -> int:
    """Which version of its spec an object has."""
    return int(item["metadata"].get("generation", 0))


def condition(item: JsonObject, kind: str) -> JsonObject | None:
    """A condition of its status."""
    found = (item.get("status") or {}).get("conditions") or ()
    return next((one for one in found if one.get("type") == kind), None)


def has_rollouts(kind: Kind) -> bool:
    """Whether a kind brings changes of its template to its pods."""
    return Trait.ROLLOUT in kind.traits


def paused(target: Target) -> bool:
    """Whether its rollouts wait until it is resumed, as far as it has been read."""
    return target.item is not None and bool((target.item.get("spec") or {}).get("paused"))


def named(target: Target) -> str:
    """How kubectl calls it in its errors: `deployments.apps "web"`."""
    return f'{target.kind.gvr.qualified} "{target.key.name}"'


def strategy(item: JsonObject) -> str:
    """How pods are replaced: `RollingUpdate`, `Recreate`, `OnDelete`."""
    spec = item["spec"]
    return str((spec.get("strategy") or spec.get("updateStrategy") or {}).get("type") or "RollingUpdate")


def selector(item: JsonObject) -> LabelSelector | None:
    """Which pods a workload selects; None for what has no selector of Kubernetes' own form."""
    found = (item.get("spec") or {}).get("selector")
    if not isinstance(found, dict) or not found:
        return None
    if found.keys() <= {"matchLabels", "matchExpressions"}:
        return msgspec.convert(found, LabelSelector)
    # Replication controllers have plain labels there.
    plain = all(isinstance(value, str) for value in found.values())
    return LabelSelector(match_labels=dict(found)) if plain else None


def controlled_by(item: JsonObject, uid: str) -> bool:
    """Whether an object is controlled by the one of that UID."""
    owners = item["metadata"].get("ownerReferences") or ()
    return any(owner.get("controller") and owner.get("uid") == uid for owner in owners)


def without_hash(template: JsonObject) -> JsonObject:
    """A template without the label that a deployment's replica sets add to theirs, and without what says nothing."""
    meta = template.get("metadata") or {}
    labels = {name: value for name, value in (meta.get("labels") or {}).items() if name != HASH}
    # Servers before 1.34 send `creationTimestamp: null`.
    rest = {name: value for name, value in meta.items() if name not in ("labels", "creationTimestamp")}
    return {**template, "metadata": {**rest, **({"labels": labels} if labels else {})}}


# -- what a change will do -------------------------------------------------------------------------


def replacement(target: Target) -> list[Said]:
    """What becomes of the pods when the template of their workload has changed."""
    item, kind = target.live, target.kind
    if Trait.EVICTABLE in kind.traits:
        return _in_place(item)
    if Trait.RUNNABLE in kind.traits:
        return [Said("Jobs that run go on as they are; the next one is made with it.")]
    if Trait.ROLLOUT not in kind.traits:
        return [
            *controllers(item),
            Said("Pods that run stay as they are; only new ones are made with it.", Tone.WARNING),
        ]
    if paused(target):
        return [Said("It is paused: no pod is replaced until it is resumed.", Tone.WARNING)]
    if strategy(item) == "OnDelete":
        return [Said("Its strategy is OnDelete: each pod takes the change when somebody deletes it.", Tone.WARNING)]
    said = {"StatefulSet": _one_by_one, "DaemonSet": _node_by_node}.get(kind.kind, _by_strategy)(item)
    before = progress(kind.kind, item)
    if not before.done:
        said.append(Said(f"Its last rollout has not come to its end: {before.text}", Tone.WARNING))
    return said


def _in_place(item: JsonObject) -> list[Said]:
    said = [Said("The container is restarted in its pod; nothing else of the pod changes.")]
    for owner in item["metadata"].get("ownerReferences") or ():
        if owner.get("controller"):
            text = f"{owner['kind'].lower()} {owner['name']} makes its other pods, and the next ones, as before."
            said.append(Said(text, Tone.WARNING))
    return said


def controllers(item: JsonObject) -> list[Said]:
    """That something else controls an object, and what that means for a change of it."""
    owners = [owner for owner in item["metadata"].get("ownerReferences") or () if owner.get("controller")]
    return [
        Said(f"{owner['kind'].lower()} {owner['name']} controls it: change that instead.", Tone.WARNING)
        for owner in owners
    ]


def _by_strategy(item: JsonObject) -> list[Said]:
    count = replicas(item)
    if not count:
        return [Said("No pods run: none are replaced.")]
    if strategy(item) == "Recreate":
        text = f"{_all(count)} stopped before new ones start: nothing answers meanwhile (strategy Recreate)."
        return [Said(text, Tone.WARNING)]
    rolling = (item["spec"].get("strategy") or {}).get("rollingUpdate") or {}
    surge = share(rolling.get("maxSurge", "25%"), count, up=True)
    away = share(rolling.get("maxUnavailable", "25%"), count, up=False)
    # Both rounded to nothing would never go on. Source: ResolveFenceposts in kubectl's and the controller's deployment
    # helpers.
    away = away or (0 if surge else 1)
    if away >= count:
        return [
            Said(
                f"{counted(count, 'pod')} replaced, all of them at once if need be: nothing may answer meanwhile.",
                Tone.WARNING,
            )
        ]
    many = f"{counted(count, 'pod')} replaced"
    least = f"at least {count - away} of them always available" if count > 1 else "the new one first"
    return [Said(f"{many}, {least}, at most {surge} more than wanted.")]


def _one_by_one(item: JsonObject) -> list[Said]:
    count, rolling = replicas(item), (item["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
    if not count:
        return [Said("No pods run: none are replaced.")]
    first = int((item["spec"].get("ordinals") or {}).get("start", 0))
    kept = min(int(rolling.get("partition") or 0), first + count) - first
    if kept >= count:
        return [Said(f"The partition {rolling['partition']} keeps all pods as they are.", Tone.WARNING)]
    if count == 1:
        return [Said("Its only pod is stopped before the new one starts: nothing answers meanwhile.", Tone.WARNING)]
    many = counted(count - max(kept, 0), "pod")
    said = [Said(f"{many} replaced, the last first, each when the one before is ready.")]
    if kept > 0:
        said.append(Said(f"The partition keeps the first {kept:,} of its pods as they are.", Tone.WARNING))
    return said


def _node_by_node(item: JsonObject) -> list[Said]:
    count = status_count(item, "desiredNumberScheduled")
    if not count:
        return [Said("No pods run: none are replaced.")]
    rolling = (item["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
    surge = share(rolling.get("maxSurge", 0), count, up=True)
    if surge:
        return [Said(f"{counted(count, 'pod')} replaced, on {_nodes(surge)} at a time, the new one first.")]
    away = share(rolling.get("maxUnavailable", 1), count, up=True) or 1
    return [Said(f"{counted(count, 'pod')} replaced, on {_nodes(min(away, count))} at a time, the old one first.")]


def share(amount: Any, whole: int, *, up: bool) -> int:
    """A number, or a percentage of a whole, as Kubernetes rounds it."""
    if isinstance(amount, int):
        return amount
    percent = int(str(amount).removesuffix("%") or 0)
    return -(-whole * percent // 100) if up else whole * percent // 100


def counted(number: int, noun: str) -> str:
    """`1 pod is`, `3 pods are`."""
    return f"{number} {noun} is" if number == 1 else f"{number:,} {noun}s are"


def _all(count: int) -> str:
    return "Its only pod is" if count == 1 else f"All {count:,} pods are"


def _nodes(number: int) -> str:
    return "1 node" if number == 1 else f"{number:,} nodes"


async def spared_by_budgets(cluster: Cluster, target: Target) -> list[Said]:
    """That disruption budgets for its pods do not slow a rollout down, where there are some.

    Source: https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-budgets
    """
    labels = ((target.live["spec"].get("template") or {}).get("metadata") or {}).get("labels")
    try:
        found = await cluster.objects(GVR_BUDGETS, target.key.namespace)
    except KtuiError:
        # They change nothing about it; so nothing is missed.
        return []
    names = [budget["metadata"]["name"] for budget in found if (chosen := selector(budget)) and chosen.matches(labels)]
    return [Said(f"PodDisruptionBudget {name} does not limit this: rollouts go by their strategy.") for name in names]


async def replacements(cluster: Cluster, targets: Sequence[Target], changed: Sequence[Target]) -> list[Said]:
    """What becomes of the pods of those of several targets whose template is changed; see `replacement`."""
    said = []
    for target in changed:
        if target.item is None:
            continue
        said += about(targets, target, replacement(target))
        if has_rollouts(target.kind):
            said += about(targets, target, await spared_by_budgets(cluster, target))
    return said


def about(targets: Sequence[Target], target: Target, said: Sequence[Said]) -> list[Said]:
    """Sentences with the name of what they are about before them, where there are several."""
    if len(targets) == 1:
        return list(said)
    return [Said(f"{target.key}: {one.text}", one.tone, one.about) for one in said]


# -- how it goes on --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Look:
    """A workload while it changes.

    Attributes:
        item: itself; None when it is gone.
        pods: those that its selector selects.
        sets: a deployment's replica sets.
        events: that pods could not be created, where no condition tells.
        unread: what cannot be read, and why; empty when all can.
    """

    item: JsonObject | None
    pods: Sequence[JsonObject] = ()
    sets: Sequence[JsonObject] = ()
    events: Sequence[JsonObject] = ()
    unread: str = ""


async def looks(cluster: Cluster, target: Target) -> AsyncGenerator[Look, None]:
    """A workload with what tells how it fares, again whenever something has changed.

    Raises:
        KtuiError: the workload itself cannot be read.
    """
    sources: dict[str, AsyncGenerator[Any, None]] = {"item": cluster.watch(target.kind.gvr, target.key)}
    labels, namespace = selector_text(selector(target.live)), target.key.namespace
    if labels:
        sources["pods"] = cluster.watch_all(GVR_PODS, namespace, labels=labels)
    if target.kind.kind == "Deployment":
        sources["sets"] = cluster.watch_all(GVR_REPLICASETS, namespace, labels=labels)
    elif target.kind.kind in ("StatefulSet", "DaemonSet"):
        fields = f"involvedObject.uid={target.live['metadata'].get('uid', '')},reason=FailedCreate"
        sources["events"] = cluster.watch_all(GVR_EVENTS, namespace, fields=fields)
    async with aclosing(newest_of(sources)) as found:
        async for newest in found:
            if isinstance(error := newest["item"], KtuiError):
                raise error
            told: dict[str, Any] = {name: () if isinstance(one, KtuiError) else one for name, one in newest.items()}
            failed = [str(one) for one in newest.values() if isinstance(one, KtuiError)]
            yield Look(**told, unread=failed[0] if failed else "")


async def newest_of(sources: Mapping[str, AsyncGenerator[Any, None]]) -> AsyncGenerator[dict[str, Any], None]:
    """What several sources told last, once all have told something, and again after each change.

    A source that fails tells its KtuiError.
    """
    told: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()

    async def listen(name: str, source: AsyncGenerator[Any, None]) -> None:
        try:
            async with aclosing(source):
                async for one in source:
                    told.put_nowait((name, one))
        except KtuiError as error:
            told.put_nowait((name, error))

    tasks = [asyncio.create_task(listen(name, source)) for name, source in sources.items()]
    newest: dict[str, Any] = {}
    try:
        while True:
            name, newest[name] = await told.get()
            while not told.empty():
                name, newest[name] = told.get_nowait()
            if newest.keys() == sources.keys():
                yield newest
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def held_up(look: Look, pods: Sequence[JsonObject]) -> Said | None:
    """What keeps pods from being there and ready; None when nothing is known that does.

    Args:
        look: the workload.
        pods: those of its pods that are waited for.
    """
    failing = condition(look.item, "ReplicaFailure") if look.item is not None else None
    if failing is not None and failing.get("status") == "True":
        return Said(failing.get("message") or failing.get("reason", ""), Tone.FAILED, PODS)
    if look.events and look.item is not None and status_count(look.item, "replicas") < replicas(look.item):
        last = max(look.events, key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime") or ""))
        return Said(str(last.get("message", "")), Tone.FAILED, PODS)
    troubled = [(pod, why) for pod in map(_view, pods) if (why := trouble(pod)) is not None]
    if not troubled:
        return None
    tone = worst(health(pod) for pod, _ in troubled)
    pod, why = max(troubled, key=lambda one: health(one[0]).severity)
    more = f" (and {len(troubled) - 1} more)" if len(troubled) > 1 else ""
    return Said(f"pod {pod.metadata.name}: {why}{more}", Tone.WARNING if tone is Tone.WORKING else tone, PODS)


def unread(look: Look) -> Said | None:
    """That it cannot be told whether something holds the pods up."""
    return Said(f"Its pods cannot be read: {look.unread}", Tone.UNKNOWN, PODS) if look.unread else None


def _view(pod: JsonObject) -> Pod:
    return msgspec.convert(pod, Pod)


def new_pods(kind: str, look: Look) -> list[JsonObject]:
    """Those of a workload's pods that are made from its template as it is now."""
    item = look.item
    assert item is not None
    live = [pod for pod in look.pods if not pod["metadata"].get("deletionTimestamp")]
    if kind == "Deployment":
        newest = new_replica_set(item, look.sets)
        return [pod for pod in live if newest is not None and controlled_by(pod, newest["metadata"]["uid"])]
    mine = [pod for pod in live if controlled_by(pod, item["metadata"].get("uid", ""))]
    if kind == "StatefulSet":
        label, version = "controller-revision-hash", (item.get("status") or {}).get("updateRevision")
    else:
        annotations = item["metadata"].get("annotations") or {}
        label, version = "pod-template-generation", annotations.get("deprecated.daemonset.template.generation")
    # What does not say of which version it is may be new.
    return [pod for pod in mine if not version or (pod["metadata"].get("labels") or {}).get(label, version) == version]


def new_replica_set(deployment: JsonObject, sets: Sequence[JsonObject]) -> JsonObject | None:
    """The replica set of a deployment's template as it is now; the oldest, if there are several.

    Source: findNewReplicaSet in kubectl's and the controller's deployment helpers.
    """
    wanted = without_hash(deployment["spec"]["template"])
    mine = [one for one in sets if controlled_by(one, deployment["metadata"].get("uid", ""))]
    same = [one for one in mine if without_hash(one["spec"]["template"]) == wanted]
    return min(same, key=lambda one: str(one["metadata"].get("creationTimestamp", "")), default=None)


class Telling:
    """Sentences of progress, each told once."""

    def __init__(self) -> None:
        self._told: dict[str, Said] = {}

    def news(self, *said: Said | None) -> Iterator[Said]:
        """Those that say something else than the last one about the same."""
        for one in said:
            if one is not None and self._told.get(one.about) != one:
                self._told[one.about] = one
                yield one

    def pods(self, said: Said | None) -> Said | None:
        """What holds pods up, or that nothing does any more."""
        return (
            Said("Nothing holds the pods up any more.", Tone.GOOD, PODS)
            if said is None and PODS in self._told
            else said
        )


async def follow_rollout(doing: Doing) -> AsyncGenerator[Said, None]:
    """A rollout as `kubectl rollout status` tells it, and what holds it up, until it is done or has failed."""
    target, kind, telling = doing.target, doing.target.kind.kind, Telling()
    newest = max([generation(target.live), *(generation(one) for one in doing.results if "metadata" in one)])
    async with aclosing(looks(doing.cluster, target)) as seen:
        async for look in seen:
            item = look.item
            if item is None or item["metadata"].get("uid") != target.live["metadata"].get("uid"):
                yield Said(f"{target.said} is gone.", Tone.FAILED)
                return
            if generation(item) < newest:
                # What was listed may be older than what was written.
                continue
            found = progress(kind, item)
            holding = None if found.done and not found.failed else held_up(look, new_pods(kind, look)) or unread(look)
            for said in telling.news(telling.pods(holding), _waiting(item), found.said):
                yield said
            if found.done:
                return


def _waiting(item: JsonObject) -> Said | None:
    if not item["spec"].get("paused"):
        return None
    return Said("It is paused: nothing goes on until it is resumed.", Tone.WARNING, "paused")


async def follow_template(doing: Doing) -> AsyncGenerator[Said, None]:
    """How a change of a template goes on, for any kind that has one."""
    target, traits = doing.target, doing.target.kind.traits
    if Trait.EVICTABLE in traits:
        follow = _follow_pod
    elif Trait.ROLLOUT in traits and not paused(target) and strategy(target.live) != "OnDelete":
        follow = follow_rollout
    else:
        for said in replacement(target)[-1:]:
            yield Said(said.text, Tone.FINISHED)
        return
    async with aclosing(follow(doing)) as told:
        async for said in told:
            yield said


async def _follow_pod(doing: Doing) -> AsyncGenerator[Said, None]:
    """A pod until its containers run the images that it asks for."""
    target, telling = doing.target, Telling()
    wanted = {one["name"]: one["image"] for one in (doing.results or [target.live])[-1]["spec"]["containers"]}
    async with aclosing(doing.cluster.watch(target.kind.gvr, target.key)) as seen:
        async for item in seen:
            if item is None:
                yield Said(f"{target.said} is gone.", Tone.FAILED)
                return
            statuses = (item.get("status") or {}).get("containerStatuses") or ()
            # The kubelet writes names in full: `docker.io/library/busybox:1.37`.
            ready = [
                one["name"]
                for one in statuses
                if one.get("ready") and str(one.get("image", "")).endswith(wanted.get(one["name"], ""))
            ]
            if len(ready) == len(wanted):
                yield Said("All its containers are ready.", Tone.GOOD)
                return
            pod = _view(item)
            why = trouble(pod)
            for said in telling.news(
                Said(f"{len(ready)} of {len(wanted)} containers run what they should.", Tone.WORKING),
                Said(why, health(pod), PODS) if why else None,
            ):
                yield said
