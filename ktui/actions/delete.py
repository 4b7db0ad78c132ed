"""Delete: objects of any kind, as `kubectl delete` deletes them, followed until they are gone.

Every request has the UID of the object that the person saw, so that a new one of the same name is never deleted.

Source: https://kubernetes.io/docs/concepts/architecture/garbage-collection/ ,
https://kubernetes.io/docs/reference/kubectl/generated/kubectl_delete/
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from ktui.actions.action import (
    Access,
    Action,
    Asks,
    Cluster,
    Doing,
    JsonObject,
    Refusal,
    Said,
    Step,
    Target,
    Undone,
    Write,
)
from ktui.actions.deletion import (
    FOREGROUND,
    MOST_SEARCHES,
    ORPHAN,
    Seen,
    consequences,
    finalizers,
    searches,
    waits_for,
)
from ktui.actions.form import ChoiceField, Form, NumberField, SwitchField, Values
from ktui.actions.kubectl import kubectl
from ktui.kinds.kind import Kind, Trait
from ktui.kinds.references import Search, identity
from ktui.kinds.time import epoch, human_duration
from ktui.kinds.tone import Tone
from ktui.kube.discovery import Discovery
from ktui.kube.errors import KtuiError

PROPAGATIONS = ("background", "foreground", "orphan")

STUCK = 10.0
"""Seconds after which something that should be gone is said to hang."""

_TICK = 1.0

# What holds so much else, or is so hard to get back, that its name is asked for.
_PRECIOUS = (
    ("", "namespaces"),
    ("", "nodes"),
    ("", "persistentvolumes"),
    ("apiextensions.k8s.io", "customresourcedefinitions"),
)


# -- form and plan ----------------------------------------------------------------------------------


def _offers(kind: Kind) -> bool:
    """Whether there is anything to delete: not of what is only measured, or looked up."""
    return kind.gvr.group != "metrics.k8s.io" and kind.gvr.resource != "componentstatuses"


async def _form(cluster: Cluster, targets: Sequence[Target]) -> Form:
    kind = targets[0].kind
    await _check_served(cluster, kind)
    fields: list[ChoiceField | NumberField | SwitchField] = [
        ChoiceField(
            name="propagation",
            label="What it owns",
            help="background: goes afterwards; foreground: goes first; orphan: stays",
            choices=PROPAGATIONS,
        )
    ]
    if not _graceful(kind):
        return Form(tuple(fields))
    fields += [
        NumberField(
            name="grace",
            label="Grace period",
            help="seconds its containers have to end; empty for its own",
            minimum=1,
            required=False,
        ),
        SwitchField(
            name="force",
            label="Force",
            help="as kubectl's --force: delete it at once, whether its containers have ended or not",
        ),
    ]
    return Form(tuple(fields), _grace_periods(targets))


async def _check_served(cluster: Cluster, kind: Kind) -> None:
    """Refuse kinds whose objects the server deletes for nobody."""
    try:
        discovery = await cluster.discovery()
    except KtuiError:
        return
    for resource in discovery.resources:
        if resource.gvr == kind.gvr and "delete" not in resource.verbs:
            raise Refusal(f"{kind.title} cannot be deleted: the server does not offer it.")


def _graceful(kind: Kind) -> bool:
    """Whether its objects end by themselves when they are told to; only pods do."""
    return Trait.EVICTABLE in kind.traits


def _grace_periods(targets: Sequence[Target]) -> tuple[str, ...]:
    specs = [(target.item or {}).get("spec") or {} for target in targets]
    periods = sorted({spec.get("terminationGracePeriodSeconds", 30) for spec in specs})
    return (f"own grace period: {' to '.join(dict.fromkeys((f'{periods[0]} s', f'{periods[-1]} s')))}",)


def _plan(target: Target, values: Values) -> list[Step]:
    propagation, grace, flags = values["propagation"], None, []
    if propagation != PROPAGATIONS[0]:
        flags.append(f"--cascade={propagation}")
    if _graceful(target.kind):
        grace, more = _grace(values)
        flags += more
    # The order is kubectl's.
    body: JsonObject = {"apiVersion": "v1", "kind": "DeleteOptions"}
    if grace is not None:
        body["gracePeriodSeconds"] = grace
    body |= {"propagationPolicy": propagation.capitalize(), "preconditions": {"uid": _uid(target)}}
    return [
        Step(
            target,
            Write("DELETE", target.kind.gvr.path(*target.key), body),
            kubectl(["delete"], target.kind, target.key, *flags),
            undone=Undone.CREATE,
        )
    ]


def _grace(values: Values) -> tuple[int | None, list[str]]:
    """The grace period that is sent, and kubectl's words for it.

    Source: DeleteOptions.Complete and Validate in k8s.io/kubectl/pkg/cmd/delete
    """
    grace, force = values.get("grace"), values.get("force")
    if force and grace:
        raise Refusal(
            "--force and --grace-period greater than 0 cannot be specified together",
            "Leave the grace period empty, or do without force.",
        )
    if force:
        return 0, ["--force"]
    if grace is None:
        return None, []
    # Without force, nothing is deleted before its containers had a moment.
    return max(1, grace), [f"--grace-period={max(1, grace)}"]


def _uid(target: Target) -> str:
    return target.uid or str(target.live["metadata"].get("uid", ""))


def _asks(targets: Sequence[Target], values: Values) -> Asks:
    precious = any((target.kind.gvr.group, target.kind.gvr.resource) in _PRECIOUS for target in targets)
    return Asks.NAME if precious else Asks.CONFIRM


# -- what else happens ------------------------------------------------------------------------------


async def _weigh(cluster: Cluster, targets: Sequence[Target], values: Values) -> Sequence[Said]:
    items = [target.item for target in targets if target.item is not None]
    if not items:
        return ()
    propagation = values["propagation"]
    orphan = propagation == "orphan"
    seen = await _look(cluster, searches(items, orphan=orphan))
    return consequences(
        items, seen, orphan=orphan, foreground=propagation == "foreground", force=bool(values.get("force"))
    )


async def _look(cluster: Cluster, wanted: Sequence[Search]) -> Seen:
    seen = Seen()
    if not wanted:
        return seen
    try:
        discovery = await cluster.discovery()
    except KtuiError as error:
        seen.unread.append(f"{error.sentence.rstrip('.')}, so it is not known what else will happen.")
        seen.missing.update((search.group, search.kind) for search in wanted)
        return seen
    await asyncio.gather(*(_read(cluster, discovery, search, seen) for search in wanted[:MOST_SEARCHES]))
    if left := wanted[MOST_SEARCHES:]:
        seen.unread.append(f"So many are chosen that not all was read: {len(left):,} lists more would tell the rest.")
        seen.missing.update((search.group, search.kind) for search in left)
    return seen


async def _read(cluster: Cluster, discovery: Discovery, search: Search, seen: Seen) -> None:
    what = search.group, search.kind
    served = discovery.find(*what)
    if served is None or not served.listable:
        return
    try:
        found = await cluster.objects(served.gvr, search.namespace, labels=search.labels, fields=search.fields)
    except KtuiError as error:
        seen.unread.append(f"{error.sentence.rstrip('.')}, so it is not known {search.why}.")
        seen.missing.add(what)
        return
    # Objects in a list do not say what they are.
    kind = {"apiVersion": served.gvr.group_version, "kind": served.kind}
    seen.found[what] += [{**item, **kind} for item in found]


# -- until it is gone -------------------------------------------------------------------------------


async def _follow(doing: Doing) -> AsyncGenerator[Said, None]:
    target, uid, before = doing.target, _uid(doing.target), None
    looks = _ticking(doing.cluster.watch(target.kind.gvr, target.key))
    async with aclosing(looks):
        async for item in looks:
            if item is None:
                yield Said("Gone.", Tone.GOOD)
                return
            if item["metadata"].get("uid") != uid:
                yield Said("Gone; a new one has taken its place.", Tone.GOOD)
                return
            # Objects in a list do not say what they are.
            kind = {"apiVersion": target.kind.gvr.group_version, "kind": target.kind.kind}
            said = leaving({**item, **kind}, doing.cluster.now)
            if said is not None and said != before:
                yield said
            before = said


async def _ticking(source: AsyncGenerator[JsonObject | None, None]) -> AsyncGenerator[JsonObject | None, None]:
    """What a watch tells, and the last of it again every second, as time goes by without a change."""

    async def following() -> JsonObject | None:
        return await anext(source)

    waiting = asyncio.create_task(following())
    try:
        newest = await waiting
        waiting = asyncio.create_task(following())
        while True:
            yield newest
            if (await asyncio.wait({waiting}, timeout=_TICK))[0]:
                newest = waiting.result()
                waiting = asyncio.create_task(following())
    finally:
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await source.aclose()


def leaving(item: JsonObject, now: float) -> Said | None:
    """How it is with an object that is being deleted; None when it is not, or not yet.

    Args:
        item: the whole object.
        now: epoch seconds.
    """
    meta = item["metadata"]
    # For pods it is the moment at which they should be gone.
    # Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/
    due = epoch(meta.get("deletionTimestamp") or "")
    if due is None:
        return None
    since = max(0.0, now - due + (meta.get("deletionGracePeriodSeconds") or 0))
    late, beginning = now - due, f"Terminating for {human_duration(since)}"
    if late < 0:
        return Said(f"{beginning}; {human_duration(-late)} of its grace period left.", Tone.WORKING)
    if identity(item) == ("", "Namespace"):
        return _leaving_namespace(item, beginning)
    held = finalizers(item)
    reasons = [_reason(finalizer) for finalizer in held]
    node = (item.get("spec") or {}).get("nodeName") if identity(item) == ("", "Pod") else None
    if node and not held:
        reasons = [f"waits for the kubelet of node {node}"]
    hangs = late >= STUCK and not {FOREGROUND, ORPHAN} & set(held)
    text = f"{beginning}: {', '.join(reasons)}." if reasons else f"{beginning}."
    if hangs and any(not waits_for(finalizer) for finalizer in held):
        text += " It hangs until whoever set it takes it away."
    elif hangs and node and not held:
        text += " It should be gone: the node may be away."
    return Said(text, Tone.WARNING if hangs else Tone.WORKING)


def _reason(finalizer: str) -> str:
    what = waits_for(finalizer)
    return f"waits until {what} (finalizer {finalizer})" if what else f"waits for finalizer {finalizer}"


def _leaving_namespace(item: JsonObject, beginning: str) -> Said:
    """What the namespace controller says of the objects that are left.

    Source: NamespaceConditionType in k8s.io/api/core/v1
    """
    conditions = (item.get("status") or {}).get("conditions") or ()
    true = [condition for condition in conditions if condition.get("status") == "True"]
    failed = any(str(condition.get("type", "")).endswith("Failure") for condition in true)
    told = "; ".join(str(condition.get("message", "")) for condition in true)
    text = f"{beginning}: {told}" if told else f"{beginning}: what is in it goes first."
    return Said(text, Tone.WARNING if failed else Tone.WORKING)


DELETE = Action(
    id="delete",
    key="ctrl+d",
    title="Delete",
    help="Delete objects, with what they own or without, and see them go.",
    plan=_plan,
    offers=_offers,
    access=(Access("delete"),),
    form=_form,
    weigh=_weigh,
    asks=_asks,
    follow=_follow,
    direct=True,
    done="Deleted",
)
