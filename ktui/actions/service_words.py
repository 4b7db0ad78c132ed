"""What is said of a service that is made: whom it will reach, and how its endpoints and its load balancer arrive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Any

import msgspec

from ktui.actions.action import Cluster, Doing, JsonObject, Said
from ktui.kinds.endpoint_slices import SERVICE_NAME, EndpointSlice, count
from ktui.kinds.names import GVR_ENDPOINT_SLICES, GVR_EVENTS, GVR_PODS, GVR_SERVICES, ObjectKey
from ktui.kinds.tone import Tone
from ktui.kinds.workload import labels_text
from ktui.kube.errors import KtuiError

PATIENCE = 5.0
"""Seconds after which a load balancer without an address is pending, not merely new."""

Say = Callable[[Said], None]

BALANCER = "load balancer"


# -- before it is made -----------------------------------------------------------------------------


async def weighed(cluster: Cluster, service: JsonObject) -> list[Said]:
    """Whom a service will reach, and what is there already.

    Args:
        cluster: where it will be.
        service: as it will be sent.
    """
    return [*await _reached(cluster, service), *await _beside(cluster, service), *_of_type(service["spec"])]


async def _reached(cluster: Cluster, service: JsonObject) -> list[Said]:
    """The pods that its selector matches now."""
    selector = _selector(service)
    if not selector:
        return []
    try:
        pods = await cluster.objects(GVR_PODS, service["metadata"].get("namespace", ""), labels=labels_text(selector))
    except KtuiError as error:
        return [Said(f"Which pods it will reach cannot be read: {error}", Tone.UNKNOWN)]
    pods = [pod for pod in pods if not _is_over(pod)]
    if not pods:
        return [Said(f"No pod has the labels {labels_text(selector)} now: nothing will answer.", Tone.WARNING)]
    ready = sum(map(_is_ready, pods))
    if ready == len(pods):
        first = Said(f"Reaches {_pods(len(pods))} now, {'ready' if ready == 1 else 'all ready'}.", Tone.GOOD)
    else:
        first = Said(f"Reaches {_pods(len(pods))} now, {ready} of them ready.", Tone.WARNING)
    return [first, *_targets_missed(service["spec"], pods)]


def _targets_missed(spec: JsonObject, pods: Sequence[JsonObject]) -> Iterable[Said]:
    """Target ports that no container declares: a name leads nowhere, a number may still be listened on."""
    declared = {
        declared
        for pod in pods
        for container in (pod.get("spec") or {}).get("containers") or ()
        for port in container.get("ports") or ()
        for declared in (port.get("name"), port.get("containerPort"))
    }
    for target in dict.fromkeys(port.get("targetPort", port["port"]) for port in spec.get("ports") or ()):
        if target in declared:
            continue
        if isinstance(target, str):
            yield Said(f"None of these pods has a port called {target}: nothing will answer there.", Tone.WARNING)
        else:
            yield Said(f"None of these pods declares port {target}; it answers if something listens there.")


async def _beside(cluster: Cluster, service: JsonObject) -> list[Said]:
    """A service of the same name, and those that reach the same pods."""
    named, selector = service["metadata"], _selector(service)
    try:
        others = await cluster.objects(GVR_SERVICES, named.get("namespace", ""))
    except KtuiError as error:
        return [Said(f"Which services are there already cannot be read: {error}", Tone.UNKNOWN)]
    names = sorted(other["metadata"]["name"] for other in others if selector and _selector(other) == selector)
    said = []
    if any(other["metadata"]["name"] == named["name"] for other in others):
        said.append(Said(f"A service called {named['name']} is there already; choose another name.", Tone.FAILED))
    if names:
        verb = "has" if len(names) == 1 else "have"
        said.append(Said(f"{_some(names)} {verb} the same selector and {'reaches' if verb == 'has' else 'reach'} the "
                         "same pods."))  # fmt: skip
    return said


def _of_type(spec: JsonObject) -> Iterable[Said]:
    if spec.get("type") in ("NodePort", "LoadBalancer") and spec.get("ports"):
        yield Said("A port is opened on every node.")
    if spec.get("type") == "LoadBalancer":
        yield Said("Clouds charge for a load balancer, and it stays pending where nobody provides one.")


# -- after it is made ------------------------------------------------------------------------------


async def arrival(doing: Doing) -> AsyncGenerator[Said, None]:
    """How the endpoints of a service that was just made arrive, and the address of its load balancer."""
    service = doing.results[0]
    watched: list[Callable[[Say], Coroutine[Any, Any, None]]] = []
    if _selector(service):
        watched.append(lambda say: _endpoints(doing.cluster, service, say))
    if service["spec"].get("type") == "LoadBalancer":
        watched.append(lambda say: _balancer(doing.cluster, service, say))
    async with aclosing(side_by_side(watched)) as told:
        async for said in told:
            yield said


async def side_by_side(watched: Sequence[Callable[[Say], Coroutine[Any, Any, None]]]) -> AsyncGenerator[Said, None]:
    """What several that watch something say, as they say it, until all have come to their ends, or one has failed."""
    queue: asyncio.Queue[Said | asyncio.Task[None]] = asyncio.Queue()
    tasks = [asyncio.create_task(watch(queue.put_nowait)) for watch in watched]
    for task in tasks:
        task.add_done_callback(queue.put_nowait)
    try:
        left = len(tasks)
        while left:
            heard = await queue.get()
            if isinstance(heard, Said):
                yield heard
            else:
                left -= 1
                heard.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _endpoints(cluster: Cluster, service: JsonObject, say: Say) -> None:
    """Tell how many endpoints are ready until all are; where no pod matches there is nothing to wait for."""
    named, before = service["metadata"], ""
    labels = f"{SERVICE_NAME}={named['name']}"
    async with aclosing(cluster.watch_all(GVR_ENDPOINT_SLICES, named["namespace"], labels=labels)) as slices:
        async for items in slices:
            if (found := count(msgspec.convert(item, EndpointSlice) for item in items)) is None:
                # Its controller has not looked at it yet.
                continue
            # A pod is no endpoint before it has an address.
            wanted = max(found.total, await _wanted(cluster, service))
            if not wanted:
                say(Said(f"No endpoints: no pod has the labels {labels_text(_selector(service))}", Tone.WARNING))
                return
            text = f"{found.ready} of {wanted} endpoint{'' if wanted == 1 else 's'} ready"
            done = found.ready == wanted
            if text != before:
                say(Said(text, Tone.GOOD if done else Tone.WORKING))
                before = text
            if done:
                return


async def _wanted(cluster: Cluster, service: JsonObject) -> int:
    """How many pods its selector matches; 0 when they cannot be read."""
    try:
        labels = labels_text(_selector(service))
        pods = await cluster.objects(GVR_PODS, service["metadata"]["namespace"], labels=labels)
    except KtuiError:
        return 0
    return sum(not _is_over(pod) for pod in pods)


async def _balancer(cluster: Cluster, service: JsonObject, say: Say) -> None:
    """Tell the address of a load balancer, or why there is none for so long."""
    key = ObjectKey(service["metadata"]["namespace"], service["metadata"]["name"])
    say(Said("The load balancer is pending", Tone.WORKING, BALANCER))
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            if await _addressed(cluster, key, say):
                return
    for said in await why_pending(cluster, key):
        say(said)


async def _addressed(cluster: Cluster, key: ObjectKey, say: Say) -> bool:
    async with aclosing(cluster.watch(GVR_SERVICES, key)) as found:
        async for service in found:
            if service is None:
                say(Said("The service is gone", Tone.FAILED, BALANCER))
                return True
            ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
            addresses = [found.get("ip") or found.get("hostname") or "" for found in ingress]
            if any(addresses):
                say(Said(f"The load balancer answers at {', '.join(filter(None, addresses))}", Tone.GOOD, BALANCER))
                return True
    return False


async def why_pending(cluster: Cluster, key: ObjectKey) -> list[Said]:
    """What the cluster says about a load balancer that does not come: its latest event, or that there is none."""
    fields = f"involvedObject.kind=Service,involvedObject.name={key.name}"
    try:
        events = await cluster.objects(GVR_EVENTS, key.namespace, fields=fields)
    except KtuiError as error:
        return [Said(f"The load balancer is still pending; why cannot be read: {error}", Tone.UNKNOWN, BALANCER)]
    if events:
        latest = max(events, key=_telling)
        told = f"{latest.get('reason', '')}: {latest.get('message', '')}"
        return [Said(f"The load balancer is still pending. {told}", Tone.WARNING, BALANCER)]
    return [
        Said(
            "The load balancer is still pending, and nobody has said anything about it: this cluster may have nobody "
            "who provides one (a cloud, MetalLB).",
            Tone.WARNING,
            BALANCER,
        )
    ]


def _telling(event: JsonObject) -> tuple[bool, str]:
    """How much an event tells: warnings before all that is tried again, then the latest."""
    return event.get("type") == "Warning", event.get("lastTimestamp") or event.get("eventTime") or ""


# -- words -----------------------------------------------------------------------------------------


def _selector(service: JsonObject) -> dict[str, str]:
    """The labels of its pods; none when it selects nothing: without a selector, or only another name."""
    spec: Mapping[str, Any] = service.get("spec") or {}
    return dict(spec.get("selector") or {}) if spec.get("type") != "ExternalName" else {}


def _is_ready(pod: JsonObject) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(found.get("type") == "Ready" and found.get("status") == "True" for found in conditions)


def _is_over(pod: JsonObject) -> bool:
    """Whether it is no endpoint any more: it ended, or is being deleted."""
    ended = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
    return ended or "deletionTimestamp" in pod["metadata"]


def _pods(number: int) -> str:
    return "1 pod" if number == 1 else f"{number:,} pods"


def _some(names: Sequence[str]) -> str:
    if len(names) > 3:
        return f"{', '.join(names[:3])} and {len(names) - 3} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
