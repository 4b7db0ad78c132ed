"""Cordon and uncordon: whether the scheduler puts new pods on a node.

Source: https://kubernetes.io/docs/concepts/architecture/nodes/#manual-node-administration
"""

from __future__ import annotations

from collections.abc import Sequence

from ktui.actions.action import (
    STRATEGIC_PATCH,
    Access,
    Action,
    Cluster,
    JsonObject,
    Refusal,
    Said,
    Step,
    Target,
    Undone,
    Write,
)
from ktui.actions.form import Values
from ktui.actions.metadata_words import printed_name
from ktui.kinds.kind import Kind, Trait
from ktui.kinds.names import GVR_NODES
from ktui.kinds.tone import Tone
from ktui.kube.errors import KtuiError

_CORDON_TAINT = "node.kubernetes.io/unschedulable"


def offers(kind: Kind) -> bool:
    """Whether objects of a kind are nodes."""
    return Trait.DRAINABLE in kind.traits


def cordoned(node: JsonObject) -> bool:
    """Whether a node takes no new pods because somebody said so."""
    return bool((node.get("spec") or {}).get("unschedulable"))


def cordon_step(target: Target, wanted: bool = True) -> Step:
    """The patch that kubectl sends.

    Args:
        target: a node.
        wanted: whether it is to be cordoned.
    """
    return Step(
        target,
        Write(
            "PATCH", GVR_NODES.path(name=target.key.name), {"spec": {"unschedulable": wanted or None}}, STRATEGIC_PATCH
        ),
        ("kubectl", "cordon" if wanted else "uncordon", target.key.name),
        undone=Undone.PATCH,
    )


def _plan(wanted: bool, target: Target) -> Sequence[Step]:
    if cordoned(target.live) == wanted:
        raise Refusal(f"{printed_name(target)} {_already(wanted)}")
    return (cordon_step(target, wanted),)


def _ready(wanted: bool, target: Target) -> str:
    return _already(wanted) if target.item is not None and cordoned(target.item) == wanted else ""


def _already(wanted: bool) -> str:
    return "already cordoned" if wanted else "already uncordoned"


async def others_that_take_pods(cluster: Cluster, targets: Sequence[Target]) -> Sequence[Said]:
    """A caution where nodes are cordoned and none is left for the pods that come; silent where there is one."""
    names = {target.key.name for target in targets}
    try:
        nodes = await cluster.objects(GVR_NODES)
    except KtuiError as error:
        return (Said(f"Whether other nodes take pods cannot be read: {error.sentence}", Tone.UNKNOWN),)
    open_nodes = [node for node in nodes if node["metadata"]["name"] not in names and not cordoned(node)]
    if not open_nodes:
        return (Said("No other node takes new pods: those that come will be Pending.", Tone.WARNING),)
    if not any(_is_ready(node) for node in open_nodes):
        return (Said("No other node that takes new pods is Ready.", Tone.WARNING),)
    return ()


def _is_ready(node: JsonObject) -> bool:
    conditions = (node.get("status") or {}).get("conditions") or ()
    return any(condition.get("type") == "Ready" and condition.get("status") == "True" for condition in conditions)


async def _weigh_cordon(cluster: Cluster, targets: Sequence[Target], values: Values) -> Sequence[Said]:
    stays = Said("Pods that run there stay; new ones go elsewhere, except those of DaemonSets.")
    return (stays, *await others_that_take_pods(cluster, targets))


async def _weigh_uncordon(cluster: Cluster, targets: Sequence[Target], values: Values) -> Sequence[Said]:
    said = [Said("New pods may be put there. Pods that were moved away do not come back by themselves.")]
    for target in targets:
        if target.item is None:
            continue
        taints = (target.item.get("spec") or {}).get("taints") or ()
        kept = [
            f"{taint.get('key')}:{taint.get('effect')}"
            for taint in taints
            if taint.get("key") != _CORDON_TAINT and taint.get("effect") != "PreferNoSchedule"
        ]
        if kept:
            said.append(Said(f"{target.key.name} still has taints that pods must tolerate: {', '.join(kept)}."))
        if not _is_ready(target.item):
            said.append(Said(f"{target.key.name} is not Ready: pods that are put there may not start.", Tone.WARNING))
    return said


CORDON = Action(
    id="cordon",
    key="c",
    title="Cordon",
    help="Put no new pods on the node.",
    plan=lambda target, values: _plan(True, target),
    offers=offers,
    access=(Access("patch"),),
    weigh=_weigh_cordon,
    ready=lambda target: _ready(True, target),
    done="Cordoned",
)

UNCORDON = Action(
    id="uncordon",
    key="u",
    title="Uncordon",
    help="Let new pods be put on the node again.",
    plan=lambda target, values: _plan(False, target),
    offers=offers,
    access=(Access("patch"),),
    weigh=_weigh_uncordon,
    ready=lambda target: _ready(False, target),
    done="Uncordoned",
)
