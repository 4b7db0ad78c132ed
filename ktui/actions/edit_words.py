"""What follows from an edit beyond the object itself: pods that are replaced, ended, no longer reached, or not told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ktui.actions.action import Cluster, JsonObject, Said
from ktui.actions.keepers import controller
from ktui.kinds.kind import Kind, Trait
from ktui.kinds.names import GVR_PODS
from ktui.kinds.text import some_of
from ktui.kinds.tone import Tone
from ktui.kinds.workload import labels_text
from ktui.kube.errors import KtuiError
from ktui.manifests.lists import ABSENT, same

MOST_NAMED = 4
"""Workloads that a sentence names where there are more."""

# By the kind that is read: how containers name it in their environment, and volumes in theirs.
_READ = {
    "ConfigMap": (("configMapRef", "configMapKeyRef"), ("configMap",)),
    "Secret": (("secretRef", "secretKeyRef"), ("secret",)),
}


async def consequences(cluster: Cluster, kind: Kind, before: JsonObject, after: JsonObject) -> list[Said]:
    """What follows from an edit, as far as the kind tells.

    Args:
        cluster: where.
        kind: of the object.
        before, after: the object.
    """
    said = [*_template(kind, before, after), *_replicas(kind, before, after)]
    if kind.gvr.group:
        return said
    match kind.kind:
        case "Service":
            said += _type(before, after)
            said += await _reached(cluster, before, after)
        case "ConfigMap" | "Secret" if _changed(before, after, "data") or _changed(before, after, "binaryData"):
            said += await _readers(cluster, kind.kind, after)
    return said


def _template(kind: Kind, before: JsonObject, after: JsonObject) -> Iterator[Said]:
    if Trait.ROLLOUT not in kind.traits or not _changed(before, after, "spec", "template"):
        return
    replicas = _at(after, "spec", "replicas")
    if replicas == 0:
        return
    if _at(after, "spec", "paused") is True:
        yield Said("The template changes: its pods are replaced when its rollout is resumed.")
    elif _at(after, "spec", "updateStrategy", "type") == "OnDelete":
        yield Said("The template changes: each of its pods gets it when somebody deletes that pod.")
    else:
        many = f"{replicas} pods are" if isinstance(replicas, int) and replicas != 1 else "its pods are"
        yield Said(f"The template changes: {many} replaced, by its own strategy.", Tone.WARNING)


def _replicas(kind: Kind, before: JsonObject, after: JsonObject) -> Iterator[Said]:
    if Trait.SCALABLE in kind.traits and _at(after, "spec", "replicas") == 0 and _changed(
        before, after, "spec", "replicas"
    ):  # fmt: skip
        yield Said("No replicas are wanted: all its pods end.", Tone.WARNING)


# -- services --------------------------------------------------------------------------------------


def _type(before: JsonObject, after: JsonObject) -> Iterator[Said]:
    was, now = (_at(item, "spec", "type") for item in (before, after))
    if was == now:
        return
    if was == "LoadBalancer":
        yield Said("Its load balancer is given up, and the address of that.", Tone.WARNING)
    elif was == "NodePort" and now != "LoadBalancer":
        yield Said("Its ports on the nodes are closed.", Tone.WARNING)
    if now == "LoadBalancer":
        yield Said("Clouds charge for a load balancer, and it stays pending where nobody provides one.")
    if now == "ExternalName":
        yield Said("It leads to another name, and to no pods any more.", Tone.WARNING)


async def _reached(cluster: Cluster, before: JsonObject, after: JsonObject) -> list[Said]:
    """The pods that a new selector matches."""
    selector = _at(after, "spec", "selector")
    if not _changed(before, after, "spec", "selector") or _at(after, "spec", "type") == "ExternalName":
        return []
    if not isinstance(selector, dict) or not selector:
        return [Said("Without a selector nobody keeps its endpoints: they are given by hand.", Tone.WARNING)]
    words = labels_text({str(key): str(value) for key, value in selector.items()})
    try:
        pods = await cluster.objects(GVR_PODS, str(after["metadata"].get("namespace", "")), labels=words)
    except KtuiError as error:
        return [Said(f"Which pods its selector matches cannot be read: {error}", Tone.UNKNOWN)]
    alive = [pod for pod in pods if not _over(pod)]
    if not alive:
        return [Said(f"Its selector would match no pods: none has the labels {words} now.", Tone.WARNING)]
    return [Said(f"Its selector matches {_counted(len(alive))} now: {_makers(alive)}.")]


# -- configuration ---------------------------------------------------------------------------------


async def _readers(cluster: Cluster, kind: str, item: JsonObject) -> list[Said]:
    """Who reads a configuration, and when.

    Source: https://kubernetes.io/docs/concepts/configuration/configmap/#mounted-configmaps-are-updated-automatically
    """
    try:
        pods = await cluster.objects(GVR_PODS, str(item["metadata"].get("namespace", "")))
    except KtuiError as error:
        return [Said(f"Which pods use it cannot be read: {error}", Tone.UNKNOWN)]
    name = item["metadata"]["name"]
    refs, volumes = _READ[kind]
    alive = [pod for pod in pods if not _over(pod)]
    started = [pod for pod in alive if any(_names(source, refs, name) for source in _environment(pod))]
    mounted = [pod for pod in alive if any(_names(source, volumes, name) for source in _files(pod))]
    said = []
    if started:
        text = f"Pods read it from their environment when they start, so restart them: {_makers(started)}."
        said.append(Said(text, Tone.WARNING))
    if mounted:
        text = f"Pods have it as files, which follow in a minute or two unless by a subPath: {_makers(mounted)}."
        said.append(Said(text))
    return said or [Said("No pod uses it now.")]


def _environment(pod: JsonObject) -> Iterator[JsonObject]:
    spec = pod.get("spec") or {}
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        yield from container.get("envFrom") or ()
        for variable in container.get("env") or ():
            yield variable.get("valueFrom") or {}


def _files(pod: JsonObject) -> Iterator[JsonObject]:
    for volume in (pod.get("spec") or {}).get("volumes") or ():
        yield volume
        yield from (volume.get("projected") or {}).get("sources") or ()


def _names(source: JsonObject, fields: Iterable[str], name: str) -> bool:
    # The volume of a secret calls it by another field.
    found = (source.get(field) or {} for field in fields)
    return any(name in (each.get("name"), each.get("secretName")) for each in found)


# -- words -----------------------------------------------------------------------------------------


def _makers(pods: Sequence[JsonObject]) -> str:
    """What made pods: `deployment web (3 pods), pod alone`."""
    counts = Counter(map(_maker, pods))
    named = [f"{kind} {name} ({_counted(many)})" if kind != "pod" else f"pod {name}"
             for (kind, name), many in sorted(counts.items())]  # fmt: skip
    return some_of(named, MOST_NAMED)


def _maker(pod: JsonObject) -> tuple[str, str]:
    owner, name = controller(pod), str(pod["metadata"].get("name", ""))
    if owner is None:
        return "pod", name
    hashed = (pod["metadata"].get("labels") or {}).get("pod-template-hash")
    made_by = str(owner.get("name", ""))
    if owner.get("kind") == "ReplicaSet" and hashed and made_by.endswith(f"-{hashed}"):
        # The replica set is a deployment's, which has named it.
        return "deployment", made_by.removesuffix(f"-{hashed}")
    return str(owner.get("kind", "")).lower(), made_by


def _over(pod: JsonObject) -> bool:
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def _counted(number: int) -> str:
    return "1 pod" if number == 1 else f"{number:,} pods"


def _changed(before: JsonObject, after: JsonObject, *path: str) -> bool:
    return not same(_at(before, *path), _at(after, *path))


def _at(item: Any, *path: str) -> Any:
    for key in path:
        if not isinstance(item, Mapping) or key not in item:
            return ABSENT
        item = item[key]
    return item
