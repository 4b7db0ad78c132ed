"""Scale: how many replicas run, through the `scale` subresource.

Source: https://kubernetes.io/docs/reference/kubectl/generated/kubectl_scale/; a merge patch of `/scale`, as
`kubectl scale -v=9` sends it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from decimal import Decimal

from ktui.actions.action import (
    MERGE_PATCH,
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
from ktui.actions.form import Form, NumberField, Values
from ktui.actions.kubectl import kubectl
from ktui.actions.rollouts import (
    Look,
    Telling,
    about,
    controllers,
    generation,
    held_up,
    looks,
    replicas,
    selector,
    status_count,
    unread,
)
from ktui.kinds.kind import Trait
from ktui.kinds.names import GVR, GVR_PODS, GVR_SERVICES
from ktui.kinds.quantity import quantity
from ktui.kinds.tone import Tone
from ktui.kinds.workload import labels_text
from ktui.kube.errors import KtuiError

GVR_AUTOSCALERS = GVR("autoscaling", "v2", "horizontalpodautoscalers")
GVR_QUOTAS = GVR("", "v1", "resourcequotas")

_OWN_GROUPS = ("apps", "")
"""Of the kinds whose objects say in `spec.replicas` what their scale says; where custom resources say it, only their
definition knows."""


# -- how many there are ----------------------------------------------------------------------------


def _own(target: Target) -> bool:
    return target.kind.gvr.group in _OWN_GROUPS


async def _counts(cluster: Cluster, target: Target) -> tuple[int, int]:
    """How many replicas are wanted, and how many there are."""
    item = target.live
    if not _own(target):
        scale = await cluster.get(target.kind.gvr, target.key, "scale")
        return int((scale.get("spec") or {}).get("replicas", 0)), status_count(scale, "replicas")
    return replicas(item), status_count(item, "replicas")


async def _autoscalers(cluster: Cluster, target: Target) -> list[JsonObject]:
    found = await cluster.objects(GVR_AUTOSCALERS, target.key.namespace)
    return [one for one in found if _scales(one["spec"]["scaleTargetRef"], target)]


def _scales(reference: JsonObject, target: Target) -> bool:
    group = str(reference.get("apiVersion", "")).rpartition("/")[0]
    wanted = (target.kind.gvr.group, target.kind.kind, target.key.name)
    return (group, reference.get("kind"), reference.get("name")) == wanted


def _bounds(autoscaler: JsonObject) -> tuple[int, int]:
    return int(autoscaler["spec"].get("minReplicas", 1)), int(autoscaler["spec"]["maxReplicas"])


def _keeps(autoscaler: JsonObject) -> str:
    low, high = _bounds(autoscaler)
    return f"HPA {autoscaler['metadata']['name']} keeps between {low:,} and {high:,}"


# -- what is asked ---------------------------------------------------------------------------------


async def _form(cluster: Cluster, targets: Sequence[Target]) -> Form:
    facts, wanted = [], set()
    for target in targets:
        if target.item is None:
            continue
        want, there = await _counts(cluster, target)
        wanted.add(want)
        before = f"{target.key}: " if len(targets) > 1 else ""
        facts.append(f"{before}{_counted(want)} wanted, {there:,} there")
        try:
            facts += [f"{before}{_keeps(one)}" for one in await _autoscalers(cluster, target)]
        except KtuiError as error:
            facts.append(f"{before}whether an HPA sets it cannot be read: {error}")
    start = wanted.pop() if len(wanted) == 1 else None
    number = NumberField(name="replicas", label="Replicas", help="how many are to run", number=start)
    return Form((number,), tuple(facts))


def _counted(number: int) -> str:
    return "1 replica" if number == 1 else f"{number:,} replicas"


def _asks(targets: Sequence[Target], values: Values) -> Asks:
    if values["replicas"] != 0:
        return Asks.NOTHING
    # Those that run nothing lose nothing.
    running = [one for one in targets if one.item is None or not _own(one) or replicas(one.item)]
    return Asks.CONFIRM if running else Asks.NOTHING


# -- what is done ----------------------------------------------------------------------------------


def _plan(target: Target, values: Values) -> Sequence[Step]:
    wanted = values["replicas"]
    if not isinstance(wanted, int):
        raise Refusal("Replicas is needed.", "Say how many are to run.")
    if _own(target) and replicas(target.live) == wanted:
        return ()
    step = Step(
        target=target,
        write=Write("PATCH", target.kind.gvr.path(*target.key, "scale"), {"spec": {"replicas": wanted}}, MERGE_PATCH),
        kubectl=kubectl(["scale"], target.kind, target.key, f"--replicas={wanted}"),
        undone=Undone.SCALE,
    )
    return (step,)


# -- what else it does -----------------------------------------------------------------------------


async def _weigh(cluster: Cluster, targets: Sequence[Target], values: Values) -> Sequence[Said]:
    wanted, said = values["replicas"], []
    if not isinstance(wanted, int):
        return ()
    for target in targets:
        if target.item is not None:
            said += about(targets, target, await _consequences(cluster, target, wanted))
    return said


async def _consequences(cluster: Cluster, target: Target, wanted: int) -> list[Said]:
    now, there = await _counts(cluster, target)
    said = _owners(target.live)
    try:
        said += [_adjusted(one, now, wanted) for one in await _autoscalers(cluster, target)]
    except KtuiError as error:
        said.append(Said(f"Whether an HPA will change it again cannot be read: {error}", Tone.UNKNOWN))
    if wanted > now:
        said += await _quotas(cluster, target, wanted - max(now, there))
    if wanted < now:
        said += _claims(target.live, now - wanted)
    if not wanted and there:
        pods = "Its only pod goes" if there == 1 else f"All its {there:,} pods go"
        said += [Said(f"{pods} away.", Tone.WARNING), *await _bereft(cluster, target)]
    return said


def _owners(item: JsonObject) -> list[Said]:
    return [
        Said(f"{one.text.split(' controls ')[0]} sets its replicas, and will set them back.", one.tone)
        for one in controllers(item)
    ]


def _adjusted(autoscaler: JsonObject, now: int, wanted: int) -> Said:
    """What an autoscaler does to a number. It does nothing while there are no replicas at all.

    Source: https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#implicit-maintenance-mode-deactivation
    """
    low, high = _bounds(autoscaler)
    keeps = _keeps(autoscaler)
    if not wanted and low:
        return Said(f"{keeps}, but rests while there are none.", Tone.WARNING)
    if low <= wanted <= high:
        again = ", and begins again" if not now else ""
        return Said(f"{keeps}{again}; it will change the number as the load asks for.")
    return Said(f"{keeps}, and will bring it back to {min(max(wanted, low), high):,}.", Tone.WARNING)


def _claims(item: JsonObject, fewer: int) -> list[Said]:
    """What becomes of the volumes of a StatefulSet's pods.

    Source: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#persistentvolumeclaim-retention
    """
    spec = item.get("spec") or {}
    if not spec.get("volumeClaimTemplates"):
        return []
    if (spec.get("persistentVolumeClaimRetentionPolicy") or {}).get("whenScaled") == "Delete":
        whose = "the pod that goes is" if fewer == 1 else f"the {fewer:,} pods that go are"
        return [Said(f"The volume claims of {whose} deleted, with what is in them.", Tone.WARNING)]
    return [Said("The volume claims of the pods that go stay, and are used again.")]


async def _quotas(cluster: Cluster, target: Target, more: int) -> list[Said]:
    """Quotas that leave no room for as many pods more."""
    template = (target.live.get("spec") or {}).get("template")
    if not _own(target) or not template or more <= 0:
        return []
    try:
        quotas = await cluster.objects(GVR_QUOTAS, target.key.namespace)
    except KtuiError as error:
        return [Said(f"Whether a ResourceQuota allows it cannot be read: {error}", Tone.UNKNOWN)]
    said, each = [], _used_by_a_pod(template.get("spec") or {})
    for quota in quotas:
        if quota["spec"].get("scopes") or quota["spec"].get("scopeSelector"):
            # Which pods it counts would have to be guessed.
            continue
        status = quota.get("status") or {}
        for name, hard in (status.get("hard") or {}).items():
            limit, used = quantity(hard), quantity((status.get("used") or {}).get(name, "0"))
            needed = each.get(name, Decimal(0)) * more
            if limit is not None and used is not None and needed and used + needed > limit:
                text = f"ResourceQuota {quota['metadata']['name']} allows {hard} of {name}, and {status['used'][name]}"
                said.append(Said(f"{text} are used: not all {more:,} more can be created.", Tone.WARNING))
    return said


def _used_by_a_pod(spec: JsonObject) -> dict[str, Decimal]:
    """What a quota counts for a pod, by its own names.

    Source: https://kubernetes.io/docs/concepts/policy/resource-quotas/
    """
    used = {"pods": Decimal(1), "count/pods": Decimal(1)}
    for container in spec.get("containers") or ():
        resources = container.get("resources") or {}
        limits = resources.get("limits") or {}
        # What is limited and not requested is requested as it is limited.
        for kind, amounts in (("requests", {**limits, **(resources.get("requests") or {})}), ("limits", limits)):
            for name, amount in amounts.items():
                for counted in (f"{kind}.{name}", *([name] if kind == "requests" else [])):
                    used[counted] = used.get(counted, Decimal(0)) + (quantity(str(amount)) or Decimal(0))
    return used


async def _bereft(cluster: Cluster, target: Target) -> list[Said]:
    """The services that are left without pods when all of a workload's go away."""
    chosen = selector(target.live)
    labels = (((target.live.get("spec") or {}).get("template") or {}).get("metadata") or {}).get("labels")
    if chosen is None or not labels:
        return []
    said, namespace = [], target.key.namespace
    try:
        for service in await cluster.objects(GVR_SERVICES, namespace):
            wanted = (service.get("spec") or {}).get("selector")
            if not wanted or not wanted.items() <= labels.items():
                continue
            pods = await cluster.objects(GVR_PODS, namespace, labels=labels_text(wanted))
            if all(chosen.matches(pod["metadata"].get("labels")) for pod in pods):
                text = f"service {service['metadata']['name']} loses its last endpoints: nothing answers there."
                said.append(Said(text, Tone.WARNING))
    except KtuiError as error:
        said.append(Said(f"Which services lose their endpoints cannot be read: {error}", Tone.UNKNOWN))
    return said


# -- how it goes on --------------------------------------------------------------------------------


async def _follow(doing: Doing) -> AsyncGenerator[Said, None]:
    """Until as many replicas are ready as are wanted, and no others are left."""
    target, wanted, telling = doing.target, int(doing.values["replicas"]), Telling()
    reached = False
    async with aclosing(looks(doing.cluster, target)) as seen:
        async for look in seen:
            if look.item is None:
                yield Said(f"{target.said} is gone.", Tone.FAILED)
                return
            set_to, there, ready = await _ready(doing.cluster, target, look.item)
            if set_to != wanted:
                if not reached and generation(look.item) <= generation(target.live):
                    # What was listed may be older than what was written.
                    continue
                yield Said(f"Somebody else has set it to {_counted(set_to)} since.", Tone.WARNING)
                return
            reached = True
            done = there == ready == wanted and _observed(look.item)
            holding = None if done else held_up(look, _alive(look)) or unread(look)
            for said in telling.news(telling.pods(holding), _said(wanted, there, ready, done)):
                yield said
            if done:
                return


async def _ready(cluster: Cluster, target: Target, item: JsonObject) -> tuple[int, int, int]:
    """How many replicas are wanted, there, and ready; of custom resources nobody knows whether they are ready."""
    if not _own(target):
        wanted, there = await _counts(cluster, target.read(item))
        return wanted, there, there
    return replicas(item), status_count(item, "replicas"), status_count(item, "readyReplicas")


def _observed(item: JsonObject) -> bool:
    """Whether a status is of the newest spec, where it tells."""
    observed = (item.get("status") or {}).get("observedGeneration")
    return observed is None or int(observed) >= generation(item)


def _alive(look: Look) -> list[JsonObject]:
    return [pod for pod in look.pods if not pod["metadata"].get("deletionTimestamp")]


def _said(wanted: int, there: int, ready: int, done: bool) -> Said:
    if done:
        text = "No replicas are left." if not wanted else f"All {_counted(wanted)} are ready."
        return Said(text if wanted != 1 else "Its replica is ready.", Tone.GOOD)
    if there > wanted:
        leaving = there - wanted
        return Said(f"{_counted(leaving)} still {'goes' if leaving == 1 else 'go'} away.", Tone.WORKING)
    return Said(f"{ready:,} of {_counted(wanted)} ready.", Tone.WORKING)


SCALE = Action(
    id="scale",
    key="s",
    title="Scale",
    help="Set how many replicas run.",
    offers=lambda kind: Trait.SCALABLE in kind.traits,
    access=(Access("patch", "scale"),),
    form=_form,
    plan=_plan,
    weigh=_weigh,
    asks=_asks,
    follow=_follow,
    direct=True,
    done="Scaled",
)
