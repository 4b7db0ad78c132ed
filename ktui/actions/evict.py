"""Evict: ask a pod to go, unless a disruption budget wants it to stay.

Source: https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from ktui.actions.action import (
    Access,
    Action,
    Asks,
    Cluster,
    Doing,
    JsonObject,
    Said,
    Step,
    Target,
    Undone,
    Write,
)
from ktui.actions.draining import (
    GVR_BUDGETS,
    controller_of,
    daemon_set_of,
    empty_dirs,
    finished,
    is_leaving,
    is_mirror,
    key_of,
    protection,
)
from ktui.actions.form import Form, NumberField, Values
from ktui.actions.metadata_words import live_objects
from ktui.kinds.kind import Trait
from ktui.kinds.names import GVR_PODS
from ktui.kinds.pods import PODS
from ktui.kinds.tone import Tone
from ktui.kube.errors import KtuiError

GRACE = "grace_period"

GRACE_FIELD = NumberField(
    name=GRACE, label="Grace period", help="seconds to end in; empty for the pod's own", required=False
)


def eviction_step(pod: JsonObject, grace: int | None) -> Step:
    """The request that kubectl drain makes for a pod, for this very pod and not for one of the same name.

    Args:
        pod: the whole object.
        grace: seconds it gets to end in; None for its own grace period.
    """
    key, uid = key_of(pod), pod["metadata"]["uid"]
    options: JsonObject = {"preconditions": {"uid": uid}}
    if grace is not None:
        options["gracePeriodSeconds"] = grace
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": key.name, "namespace": key.namespace},
        "deleteOptions": options,
    }
    path = GVR_PODS.path(key.namespace, key.name, "eviction")
    # kubectl evicts only when it drains a whole node; this is how it sends one eviction.
    line = ("kubectl", "create", "--raw", path, "-f", "-")
    target = Target(PODS, key, uid, pod)
    return Step(target, Write("POST", path, body), line, json.dumps(body), shown=body, undone=Undone.NEVER)


def _plan(target: Target, values: Values) -> Sequence[Step]:
    return (eviction_step(target.live, values[GRACE]),)


async def _form(cluster: Cluster, targets: Sequence[Target]) -> Form:
    return Form((GRACE_FIELD,))


async def _weigh(cluster: Cluster, targets: Sequence[Target], values: Values) -> Sequence[Said]:
    try:
        pods = await live_objects(cluster, targets)
    except KtuiError as error:
        return (Said(f"The pods cannot be read: {error.sentence}", Tone.UNKNOWN),)
    said = []
    budgets: dict[str, list[JsonObject]] = {}
    for namespace in dict.fromkeys(target.key.namespace for target in targets):
        try:
            budgets[namespace] = await cluster.objects(GVR_BUDGETS, namespace)
        except KtuiError as error:
            said.append(Said(f"Disruption budgets of {namespace} cannot be read: {error.sentence}", Tone.UNKNOWN))
    for pod in pods:
        about = str(key_of(pod)) if len(pods) > 1 else ""
        said.append(_of_budgets(pod, budgets.get(key_of(pod).namespace, ()), about))
        said.append(_afterwards(pod, about))
        if volumes := empty_dirs(pod):
            said.append(_said(about, f"loses what is in emptyDir {', '.join(volumes)}", Tone.WARNING))
    return [sentence for sentence in said if sentence.text]


def _said(about: str, words: str, tone: Tone = Tone.PLAIN) -> Said:
    return Said(f"{f'Pod {about}' if about else 'It'} {words}.", tone)


def _of_budgets(pod: JsonObject, budgets: Sequence[JsonObject], about: str) -> Said:
    found = protection(pod, budgets)
    if found.words:
        end = "" if found.words.endswith(".") else "."
        named = f" ({', '.join(found.names)})" if found.for_ever else ""
        return Said(f"{f'Pod {about}: ' if about else ''}refused now{named}. {found.words}{end}", Tone.WARNING)
    if found.names:
        return _said(about, f"may go: the disruption budget {found.names[0]} allows it now", Tone.GOOD)
    return Said("")


def _afterwards(pod: JsonObject, about: str) -> Said:
    """What takes its place."""
    if finished(pod):
        return _said(about, "has finished, and is only removed")
    if is_mirror(pod):
        return _said(about, "is run by the kubelet from a file, which makes it again at once", Tone.WARNING)
    owner = controller_of(pod)
    if owner is None:
        return _said(about, "has no controller: nothing makes it again", Tone.WARNING)
    where = " on the same node" if daemon_set_of(pod) is not None else ""
    return _said(about, f"is made anew{where} by {owner['kind']} {owner['name']}")


async def _follow(doing: Doing) -> AsyncGenerator[Said, None]:
    target = doing.target
    uid = target.live["metadata"]["uid"]
    before = None
    async with aclosing(doing.cluster.watch(GVR_PODS, target.key)) as looks:
        async for pod in looks:
            if pod is None or pod["metadata"]["uid"] != uid:
                yield Said("Gone.", Tone.GOOD)
                return
            said = leaving(pod)
            if said != before:
                yield said
            before = said


def leaving(pod: JsonObject) -> Said:
    """How a pod that was evicted is on its way out."""
    if not is_leaving(pod):
        return Said("Evicted; not yet on its way.", Tone.WORKING)
    if finalizers := pod["metadata"].get("finalizers"):
        return Said(f"Terminating; waits for finalizers {', '.join(finalizers)}.", Tone.WORKING)
    grace = pod["metadata"].get("deletionGracePeriodSeconds")
    return Said(f"Terminating{f'; has {grace} s' if grace else ''}.", Tone.WORKING)


EVICT = Action(
    id="evict",
    key="e",
    title="Evict",
    help="Ask the pod to go, unless a disruption budget wants it to stay.",
    plan=_plan,
    offers=lambda kind: Trait.EVICTABLE in kind.traits,
    access=(Access("create", "eviction"),),
    form=_form,
    weigh=_weigh,
    asks=lambda targets, values: Asks.CONFIRM,
    follow=_follow,
    done="Evicted",
)
