"""Label: by what objects are found, and by what services and controllers choose their pods.

Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from ktui.actions.action import Access, Action, Cluster, JsonObject, Refusal, Said, Step, Target
from ktui.actions.form import Form, Values
from ktui.actions.metadata_words import (
    OVERWRITE,
    WORDS,
    Pairs,
    aggregate,
    checked,
    has_metadata,
    live_objects,
    metadata,
    metadata_form,
    metadata_step,
    parse_labels,
    printed_name,
    quoted,
    words_of,
)
from ktui.actions.names import label_key
from ktui.kinds.kind import Trait
from ktui.kinds.names import GVR, GVR_REPLICASETS, GVR_SERVICES
from ktui.kinds.objects import LabelSelector
from ktui.kinds.tone import Tone
from ktui.kube.errors import KtuiError, NotFound

Labels = dict[str, str]

_SERVICE, _BUDGET = "Service", "PodDisruptionBudget"

# What chooses pods by their labels, with the kind that owner references name.
_CHOOSERS = {
    _SERVICE: GVR_SERVICES,
    "ReplicaSet": GVR_REPLICASETS,
    "StatefulSet": GVR("apps", "v1", "statefulsets"),
    "DaemonSet": GVR("apps", "v1", "daemonsets"),
    "ReplicationController": GVR("", "v1", "replicationcontrollers"),
    _BUDGET: GVR("policy", "v1", "poddisruptionbudgets"),
}


def _plan(target: Target, values: Values) -> Sequence[Step]:
    pairs = parse_labels(words_of(values[WORDS]))
    if not pairs.put and not pairs.gone:
        raise Refusal("at least one label update is required")
    before = metadata(target.live, "labels")
    kept = [
        f"'{key}' already has a value ({before[key]}), and --overwrite is false"
        for key, value in pairs.put.items()
        if before.get(key, value) != value
    ]
    if kept and not values[OVERWRITE]:
        raise Refusal(aggregate(kept))
    if pairs.applied(before) == before:
        missing = [f"label {quoted(key)} not found." for key in pairs.gone]
        raise Refusal(f"{printed_name(target)} not labeled", " ".join(missing))
    return (metadata_step(target, "labels", "label", pairs, values),)


async def _form(cluster: Cluster, targets: Sequence[Target]) -> Form:
    return await metadata_form(cluster, targets, "labels", checked(parse_labels, label_key), "tier=front")


# -- who chooses pods by these labels --------------------------------------------------------------


async def _weigh(cluster: Cluster, targets: Sequence[Target], values: Values) -> Sequence[Said]:
    try:
        pairs = parse_labels(words_of(values[WORDS]))
    except Refusal:
        return ()
    kind = targets[0].kind
    if Trait.TEMPLATED in kind.traits:
        return (Said("Its pods keep their labels, which come from its template."),)
    if Trait.EVICTABLE not in kind.traits:
        return ()
    try:
        pods = await live_objects(cluster, targets)
    except KtuiError as error:
        return (Said(f"Who chooses these pods cannot be told: {error.sentence}", Tone.UNKNOWN),)
    said: list[Said] = []
    for namespace in dict.fromkeys(target.key.namespace for target in targets):
        concerned = [pod for pod in pods if pod["metadata"].get("namespace") == namespace]
        said += await _chosen(cluster, namespace, concerned, pairs, many=len(targets) > 1)
    return said


async def _chosen(
    cluster: Cluster, namespace: str, pods: Sequence[JsonObject], pairs: Pairs, many: bool
) -> Sequence[Said]:
    """What changes for those that choose pods in a namespace."""
    told = await asyncio.gather(*(_choosers(cluster, kind, namespace) for kind in _CHOOSERS))
    said: list[Said] = []
    for kind, (choosers, complaint) in zip(_CHOOSERS, told, strict=True):
        said += [complaint] if complaint is not None else []
        for pod in pods:
            before = metadata(pod, "labels")
            after = pairs.applied(before)
            who = f"pod {pod['metadata']['name']}" if many else "this pod"
            for chooser in choosers:
                matches = selects(kind, chooser)
                if matches(before) != matches(after):
                    said += consequence(kind, chooser, pod, matches(after), who)
    return said


async def _choosers(cluster: Cluster, kind: str, namespace: str) -> tuple[list[JsonObject], Said | None]:
    try:
        return await cluster.objects(_CHOOSERS[kind], namespace), None
    except NotFound:
        return [], None
    except KtuiError as error:
        return [], Said(f"Whether a {kind} chooses by these labels cannot be read: {error.sentence}", Tone.UNKNOWN)


def selects(kind: str, chooser: JsonObject) -> Callable[[Labels], bool]:
    """Tells of a pod's labels whether an object chooses them.

    Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors

    Args:
        kind: the kind of the object: a Service and a ReplicationController have a plain map, the others expressions.
        chooser: the object.
    """
    selector = (chooser.get("spec") or {}).get("selector")
    if kind in (_SERVICE, "ReplicationController"):
        plain = selector or {}
        return lambda labels: bool(plain) and plain.items() <= labels.items()
    if selector is None:
        return lambda labels: False
    return msgspec.convert(selector, LabelSelector).matches


def consequence(kind: str, chooser: JsonObject, pod: JsonObject, chosen: bool, who: str) -> Sequence[Said]:
    """What follows when an object begins to choose a pod, or no longer does.

    A controller lets go of a pod that it no longer chooses, and takes in a pod that it chooses and nobody controls.
    Source: https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#non-template-pod-acquisitions

    Args:
        kind: of the object.
        chooser: the object.
        pod: the pod.
        chosen: whether it chooses the pod afterwards.
        who: what the pod is called in the sentence.
    """
    name = f"{kind} {chooser['metadata']['name']}"
    if kind == _SERVICE:
        sends = f"sends requests to {who}, once it is ready" if chosen else f"no longer sends requests to {who}"
        return (Said(f"{name} {sends}.", Tone.PLAIN if chosen else Tone.WARNING),)
    if kind == _BUDGET:
        return (Said(f"{name} {'protects' if chosen else 'no longer protects'} {who}."),)
    owners = pod["metadata"].get("ownerReferences") or ()
    controller = next((owner for owner in owners if owner.get("controller")), None)
    owns = controller is not None and controller.get("uid") == chooser["metadata"].get("uid")
    if chosen:
        if controller is not None:
            return ()
        adopts = f"{name} takes {who} in, and deletes a pod when it then has too many."
        return (Said(adopts, Tone.WARNING),)
    if not owns:
        return ()
    return (Said(f"{name} lets go of {who} and makes another in its place; nobody makes {who} again.", Tone.WARNING),)


LABEL = Action(
    id="label",
    key="l",
    title="Label",
    help="Set or remove labels.",
    plan=_plan,
    offers=has_metadata,
    access=(Access("patch"),),
    form=_form,
    weigh=_weigh,
    done="Labeled",
)
