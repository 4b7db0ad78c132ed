"""Deletion: what goes with objects that are deleted, what breaks, what stays, and what protects them.

Pure rules over whole objects. `searches` says what to read to know it, `consequences` tells it from what was read.
All objects are of one kind, as those of one table are.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import msgspec

from ktui.actions.action import Said
from ktui.actions.keepers import controller, keepers
from ktui.kinds.names import ObjectKey
from ktui.kinds.objects import LabelSelector
from ktui.kinds.references import Search, identity, named, owned
from ktui.kinds.text import some_of
from ktui.kinds.tone import Tone

JsonObject = dict[str, Any]

MOST_SEARCHES = 8
"""Lists that are read before something is deleted."""

MOST_NAMES = 3

IMMORTAL = ("default", "kube-system", "kube-public")
"""Namespaces that the server deletes for nobody. Source: NamespaceLifecycle in k8s.io/apiserver/pkg/admission/plugin"""

_WORKLOADS = ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "ReplicationController", "Job", "CronJob")

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"

# What known finalizers wait for, by their beginning.
# Source: their controllers' documentation, and https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/
_WAIT_FOR = {
    FOREGROUND: "what it owns is gone",
    ORPHAN: "what it owns has been let go",
    "kubernetes.io/pvc-protection": "no pod uses it",
    "kubernetes.io/pv-protection": "no claim is bound to it",
    "service.kubernetes.io/load-balancer-cleanup": "its load balancer is taken down",
    "customresourcecleanup.apiextensions.k8s.io": "all its custom resources are gone",
    "batch.kubernetes.io/job-tracking": "its job has counted it",
    "external-provisioner.volume.kubernetes.io/": "the storage behind it is deleted",
    "external-attacher/": "it is detached from its node",
    "service.k8s.aws/": "its load balancer is taken down",
    "ingress.k8s.aws/": "its load balancer is taken down",
    "resources-finalizer.argocd.argoproj.io": "Argo CD has deleted what the application made",
    "finalizers.fluxcd.io": "Flux has deleted what it made",
}


def waits_for(finalizer: str) -> str:
    """What a finalizer waits for, in words; empty when only those know who set it."""
    return next((what for start, what in _WAIT_FOR.items() if finalizer.startswith(start)), "")


def finalizers(item: Mapping[str, Any]) -> list[str]:
    """What must be taken from an object before it is gone: its finalizers, and those of a namespace's spec."""
    spec = item.get("spec") if identity(item) == ("", "Namespace") else None
    return [*(item["metadata"].get("finalizers") or ()), *((spec or {}).get("finalizers") or ())]


def going(item: JsonObject | None, uid: str) -> str:
    """What is waited for until an object is gone; empty when it is.

    Args:
        item: what is there now; None for nothing.
        uid: of the object that is to go.
    """
    if item is None or item["metadata"].get("uid") != uid:
        return ""
    held = finalizers(item)
    return f"is going away, when {', '.join(held)} let it" if held else "is going away"


# -- what is read -----------------------------------------------------------------------------------


@dataclass
class Seen:
    """What was read beside the objects.

    Attributes:
        found: by API group and kind; what the server does not serve has no objects.
        unread: a sentence for each thing that is not known, because it could not be read.
    """

    found: dict[tuple[str, str], list[JsonObject]] = field(default_factory=lambda: defaultdict(list))
    unread: list[str] = field(default_factory=list)
    missing: set[tuple[str, str]] = field(default_factory=set)

    def knows(self, group: str, kind: str) -> bool:
        """Whether objects of a kind could be read."""
        return (group, kind) not in self.missing


def searches(items: Sequence[JsonObject], *, orphan: bool) -> list[Search]:
    """What to read to tell what goes with objects, at most `MOST_SEARCHES` lists; each says in `why` what it tells.

    Args:
        items: the objects, all of one kind.
        orphan: whether what they own is left alone.
    """
    wanted = list(dict.fromkeys(search for item in items for search in _searches(item, orphan)))
    if len(wanted) > MOST_SEARCHES:
        # One list of all is cheaper than one list for each.
        merged = {(search.group, search.kind, search.namespace): search for search in wanted}
        wanted = [Search(*place, why=search.why) for place, search in merged.items()]
    return wanted


def _searches(item: JsonObject, orphan: bool) -> Iterator[Search]:
    group, kind = identity(item)
    namespace, name = item["metadata"].get("namespace", ""), item["metadata"]["name"]
    own = [_because(search, "what goes with it") for search in _owned(item)]
    match group, kind:
        case "", "Namespace":
            yield from (Search(*what, name, why="what goes with it") for what in _IN_NAMESPACES)
        case "", "Node":
            yield Search("", "Pod", "", fields=f"spec.nodeName={name}", why="which pods it runs")
        case "", "Service":
            yield Search("networking.k8s.io", "Ingress", namespace, why="which ingresses lead to it")
        case "", "PersistentVolumeClaim":
            yield Search("", "Pod", namespace, why="which pods use it")
            if volume := item["spec"].get("volumeName"):
                yield Search(
                    "", "PersistentVolume", "", fields=f"metadata.name={volume}", why="what becomes of its data"
                )
        case "", "ConfigMap" | "Secret" | "ServiceAccount":
            yield Search("", "Pod", namespace, why="which pods use it")
            if kind == "Secret":
                yield Search("networking.k8s.io", "Ingress", namespace, why="which ingresses use it")
        case "", "Pod":
            yield from _callers(namespace)
        case "apiextensions.k8s.io", "CustomResourceDefinition":
            names = item["spec"]["names"]
            yield Search(item["spec"]["group"], names["kind"], "", why="how many go with it")
        case _, "Job" | "CronJob":
            yield from own
        case _ if kind in _WORKLOADS:
            yield from own
            if not orphan:
                yield from _callers(namespace)
            yield Search("autoscaling", "HorizontalPodAutoscaler", namespace, why="which autoscaler scales it")
        case _:
            yield from own


def _callers(namespace: str) -> Iterator[Search]:
    """What leads to pods, and what would protect them from an eviction."""
    yield Search("discovery.k8s.io", "EndpointSlice", namespace, why="which services lose endpoints")
    yield Search("policy", "PodDisruptionBudget", namespace, why="which disruption budgets it has")


def _owned(item: JsonObject) -> list[Search]:
    """Where what an object owns is found."""
    group, _ = identity(item)
    namespace = item["metadata"].get("namespace", "")
    if namespace and "." in group and not group.endswith(".k8s.io"):
        return [Search(*what, namespace) for what in _OFTEN_OWNED]
    return owned(item)


def _because(search: Search, why: str) -> Search:
    return Search(search.group, search.kind, search.namespace, search.labels, search.fields, why)


# What operators make, as far as it is worth a count; what these own is found on the way.
_OFTEN_OWNED = (
    ("apps", "Deployment"),
    ("apps", "StatefulSet"),
    ("apps", "DaemonSet"),
    ("apps", "ReplicaSet"),
    ("batch", "Job"),
    ("", "Pod"),
    ("", "Service"),
    ("", "PersistentVolumeClaim"),
)
_IN_NAMESPACES = (
    ("apps", "Deployment"),
    ("apps", "StatefulSet"),
    ("", "Pod"),
    ("", "Service"),
    ("networking.k8s.io", "Ingress"),
    ("batch", "Job"),
    ("", "PersistentVolumeClaim"),
    ("", "ConfigMap"),
)


# -- what is said -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Going:
    """Objects that are to go, with what was read."""

    items: Sequence[JsonObject]
    seen: Seen
    orphan: bool

    @property
    def it(self) -> str:
        return "it" if len(self.items) == 1 else "them"

    @cached_property
    def keys(self) -> set[ObjectKey]:
        return {_key(item) for item in self.items}

    def all(self, group: str, kind: str) -> list[JsonObject]:
        return self.seen.found.get((group, kind), [])

    @cached_property
    def owned(self) -> dict[str, list[JsonObject]]:
        """What they own, and what that owns, by kind. What has another owner that stays is left out.

        Source: https://kubernetes.io/docs/concepts/architecture/garbage-collection/#owners-dependents
        """
        gone = {item["metadata"].get("uid") for item in self.items}
        left = [(kind, item) for (_, kind), items in self.seen.found.items() for item in items if _owners(item)]
        found: dict[str, list[JsonObject]] = defaultdict(list)
        while going := [(kind, item) for kind, item in left if _owners(item) <= gone]:
            left = [(kind, item) for kind, item in left if not _owners(item) <= gone]
            for kind, item in going:
                found[kind].append(item)
                gone.add(item["metadata"].get("uid"))
        return found

    @cached_property
    def pods(self) -> dict[ObjectKey, JsonObject]:
        """The pods that go: they themselves, or those they own."""
        if identity(self.items[0]) == ("", "Pod"):
            return {_key(item): item for item in self.items}
        return {} if self.orphan else {_key(item): item for item in self.owned.get("Pod", ())}


def consequences(
    items: Sequence[JsonObject], seen: Seen, *, orphan: bool = False, foreground: bool = False, force: bool = False
) -> list[Said]:
    """What a colleague would say before objects are deleted.

    Args:
        items: the objects, all of one kind.
        seen: what `searches` told to read.
        orphan: whether what they own is left alone.
        foreground: whether they wait for what they own.
        force: whether pods are deleted without waiting for their kubelet.
    """
    going = _Going(items, seen, orphan)
    group, kind = identity(items[0])
    rules = [*_RULES.get((group, kind), ()), *(_OF_WORKLOADS if kind in _WORKLOADS else ())]
    said = [_forced(going)] if force else []
    said += _protected(going)
    said += _dependents(going, foreground)
    for rule in rules:
        said += rule(going)
    said += [sentence for item in items for sentence in keepers(item, deleted=True)]
    said += [Said(f"Not known: {text}", Tone.UNKNOWN) for text in seen.unread]
    # Several objects often have the same to say.
    return list(dict.fromkeys(said))


def _forced(going: _Going) -> Said:
    """kubectl's own warning, and what it means for pods that must be alone.

    Source: https://kubernetes.io/docs/tasks/run-application/force-delete-stateful-set-pod/
    """
    text = (
        "Immediate deletion does not wait for confirmation that the running resource has been terminated. "
        "The resource may continue to run on the cluster indefinitely."
    )
    if any((controller(item) or {}).get("kind") == "StatefulSet" for item in going.items):
        text += " Two pods of one stateful set may then run under the same name and write the same volume."
    return Said(text, Tone.WARNING)


def _protected(going: _Going) -> Iterator[Said]:
    for item in going.items:
        name, namespace = item["metadata"]["name"], identity(item) == ("", "Namespace")
        if namespace and name in IMMORTAL:
            yield Said(f"The server refuses to delete namespace {name}.", Tone.FAILED)
        if item["metadata"].get("deletionTimestamp"):
            yield Said(f"{name} is being deleted already.")
        for finalizer in item["metadata"].get("finalizers") or ():
            if what := waits_for(finalizer):
                yield Said(f"{name} stays until {what} (finalizer {finalizer}).")
            else:
                yield Said(
                    f"{name} stays until somebody takes finalizer {finalizer} away: "
                    "it hangs if what set it runs no more.",
                    Tone.WARNING,
                )


def _dependents(going: _Going, foreground: bool) -> Iterator[Said]:
    if not going.owned:
        return
    counts, one = counted(going.owned), sum(map(len, going.owned.values())) == 1
    if going.orphan:
        stay, it = ("stays and runs on", "it") if one else ("stay and run on", "them")
        yield Said(f"{counts} {stay}; nothing looks after {it} any more.")
    elif foreground:
        stays = "it stays" if len(going.items) == 1 else "they stay"
        yield Said(f"{counts} {'goes' if one else 'go'} first; {stays} until then.", Tone.WARNING)
    else:
        yield Said(f"{counts} {'goes' if one else 'go'} with {going.it}.", Tone.WARNING)


# -- what workloads and pods leave behind -----------------------------------------------------------


def _endpoints(going: _Going) -> Iterator[Said]:
    """Services whose endpoints are among the pods that go.

    Source: https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/
    """
    backends: dict[ObjectKey, set[ObjectKey]] = defaultdict(set)
    for item in going.all("discovery.k8s.io", "EndpointSlice"):
        namespace = item["metadata"].get("namespace", "")
        service = (item["metadata"].get("labels") or {}).get("kubernetes.io/service-name")
        for endpoint in item.get("endpoints") or ():
            target = endpoint.get("targetRef") or {}
            serves = (endpoint.get("conditions") or {}).get("ready") is not False
            if service and serves and target.get("kind") == "Pod":
                backends[ObjectKey(namespace, service)].add(ObjectKey(namespace, target.get("name", "")))
    replaced = identity(going.items[0]) == ("", "Pod") and all(map(controller, going.items))
    until = " until new pods are ready" if replaced else ""
    for service, pods in sorted(backends.items()):
        lost = pods & going.pods.keys()
        if lost and lost == pods:
            every = "its only endpoint" if len(pods) == 1 else f"all its {len(pods):,} endpoints"
            yield Said(f"Service {service.name} loses {every}: nothing answers there{until}.", Tone.WARNING)
        elif lost:
            yield Said(f"Service {service.name} loses {len(lost):,} of its {len(pods):,} endpoints{until}.")


def _budgets(going: _Going) -> Iterator[Said]:
    """Source: https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-budgets"""
    for budget in going.all("policy", "PodDisruptionBudget"):
        selector = (budget.get("spec") or {}).get("selector")
        if selector is None:
            continue
        matches = msgspec.convert(selector, LabelSelector).matches
        namespace, name = _key(budget)
        if any(key.namespace == namespace and matches(_labels(pod)) for key, pod in going.pods.items()):
            yield Said(f"Disruption budget {name} does not protect from this: it limits evictions only.", Tone.WARNING)


def _autoscalers(going: _Going) -> Iterator[Said]:
    _, kind = identity(going.items[0])
    for scaler in going.all("autoscaling", "HorizontalPodAutoscaler"):
        target = (scaler.get("spec") or {}).get("scaleTargetRef") or {}
        namespace, name = _key(scaler)
        if target.get("kind") == kind and ObjectKey(namespace, target.get("name", "")) in going.keys:
            yield Said(f"Horizontal pod autoscaler {name} stays, with nothing to scale.")


def _claims_stay(going: _Going) -> Iterator[Said]:
    """Source: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#persistentvolumeclaim-retention"""
    for item in going.items:
        spec = item.get("spec") or {}
        names = [_key(claim).name for claim in spec.get("volumeClaimTemplates") or ()]
        if not names:
            continue
        policy = spec.get("persistentVolumeClaimRetentionPolicy") or {}
        if policy.get("whenDeleted") == "Delete" and not going.orphan:
            yield Said(
                f"The claims made from {_listed(names)} go too, and their data as their volumes say.",
                Tone.WARNING,
            )
        else:
            yield Said(f"The claims made from {_listed(names)} stay, with their data.")


def _nobody_remakes(going: _Going) -> Iterator[Said]:
    alone = [_key(item).name for item in going.items if controller(item) is None]
    if alone:
        yield _not_remade(alone)
    kept = [volume["name"] for item in going.items for volume in _volumes(item) if "emptyDir" in volume]
    if kept:
        yield Said(f"What is in emptyDir volumes ({_listed(kept)}) is lost.")


def _not_remade(names: Sequence[str]) -> Said:
    owns = "no controller owns it" if len(names) == 1 else "no controller owns them"
    return Said(f"Nobody makes {_listed(names)} again: {owns}.", Tone.WARNING)


# -- what leads to services, and what uses volumes and configuration --------------------------------


def _ingresses(going: _Going) -> Iterator[Said]:
    for item in going.all("networking.k8s.io", "Ingress"):
        broken = [ref.why for ref in named(item) if ref.kind == "Service" and ObjectKey(*ref[2:4]) in going.keys]
        if broken:
            yield Said(f"Ingress {_key(item).name} leads nowhere then: {', '.join(broken)}.", Tone.WARNING)


def _addresses(going: _Going) -> Iterator[Said]:
    for item in going.items:
        spec, status = item.get("spec") or {}, item.get("status") or {}
        given = (status.get("loadBalancer") or {}).get("ingress") or ()
        outside = [str(each.get("ip") or each.get("hostname")) for each in given]
        name, lost = _key(item), [ip for ip in (spec.get("clusterIP"), *outside) if ip and ip != "None"]
        if spec.get("selector") is None and spec.get("type") != "ExternalName":
            yield Said(f"The endpoints of {name.name} were given by hand, and go with it.", Tone.WARNING)
        if lost:
            text = (
                f"Its address {_listed(lost)} is given up, and {name.name}.{name.namespace} is no longer found by name."
            )
            yield Said(text, Tone.WARNING)


def _certificates(going: _Going) -> Iterator[Said]:
    for item in going.all("networking.k8s.io", "Ingress"):
        if any(ref.kind == "Secret" and ObjectKey(*ref[2:4]) in going.keys for ref in named(item)):
            yield Said(f"Ingress {_key(item).name} takes its certificate from it.", Tone.WARNING)


def _users(going: _Going) -> Iterator[Said]:
    """Pods that name a configuration, an account or a claim."""
    _, kind = identity(going.items[0])
    pods = [pod for pod in going.all("", "Pod") if _uses(pod, kind, going.keys)]
    if not pods:
        if going.seen.knows("", "Pod"):
            yield Said(f"No pod uses {going.it} now.")
        return
    users = (
        f"{counted({'Pod': pods})} ({_listed([_key(pod).name for pod in pods])}) {'uses' if len(pods) == 1 else 'use'}"
    )
    if kind == "PersistentVolumeClaim":
        yield Said(f"{users} {going.it}: no claim goes before its pods have gone.", Tone.WARNING)
    else:
        yield Said(f"{users} {going.it}: those that run go on, new ones will not start.", Tone.WARNING)


def _uses(pod: JsonObject, kind: str, keys: set[ObjectKey]) -> bool:
    phase = (pod.get("status") or {}).get("phase")
    return phase not in ("Succeeded", "Failed") and any(
        ref.kind == kind and not ref.optional and ObjectKey(*ref[2:4]) in keys for ref in named(pod)
    )


def _data_of_claims(going: _Going) -> Iterator[Said]:
    volumes = {_key(volume).name: volume for volume in going.all("", "PersistentVolume")}
    for item in going.items:
        name, bound = _key(item).name, (item.get("spec") or {}).get("volumeName")
        if not bound:
            yield Said(f"{name} has no volume yet, so no data is lost.")
        elif bound in volumes:
            yield _reclaimed(name, volumes[bound])


def _data_of_volumes(going: _Going) -> Iterator[Said]:
    for item in going.items:
        claim = (item.get("spec") or {}).get("claimRef")
        if claim and (item.get("status") or {}).get("phase") == "Bound":
            users = f"{claim.get('namespace', '')}/{claim.get('name', '')}"
            yield Said(f"Claim {users} is bound to {_key(item).name}, and is lost without it.", Tone.WARNING)
        yield _reclaimed(_key(item).name, item)


def _reclaimed(name: str, volume: JsonObject) -> Said:
    """Source: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#reclaiming"""
    match policy := (volume.get("spec") or {}).get("persistentVolumeReclaimPolicy"):
        case "Retain":
            return Said(f"The data of {name} stays in its storage (reclaim policy Retain), to be freed by hand.")
        case "Delete":
            return Said(f"The data of {name} is deleted for good (reclaim policy Delete).", Tone.FAILED)
    return Said(f"The data of {name} is erased for the next claim (reclaim policy {policy}).", Tone.FAILED)


# -- what holds much else ---------------------------------------------------------------------------


def _contents(going: _Going) -> Iterator[Said]:
    found = {kind: items for (_, kind), items in going.seen.found.items() if items}
    inside = f"Everything in {going.it} goes"
    yield Said(f"{inside}: {counted(found)}, and all else." if found else f"{inside}.", Tone.WARNING)
    if found.get("PersistentVolumeClaim"):
        yield Said("The data of its claims is deleted where the reclaim policy is Delete.", Tone.WARNING)
    if going.orphan:
        yield Said("Orphan changes nothing here: what is in a namespace is not owned by it, and goes all the same.")


def _custom_resources(going: _Going) -> Iterator[Said]:
    for item in going.items:
        group, kind = item["spec"]["group"], item["spec"]["names"]["kind"]
        if not going.seen.knows(group, kind):
            yield Said(f"All objects of kind {kind} go with it.", Tone.WARNING)
        elif found := going.all(group, kind):
            spaces = {_key(each).namespace for each in found} - {""}
            where = f" in {len(spaces):,} namespaces" if len(spaces) > 1 else ""
            yield Said(f"{len(found):,} of kind {kind}{where} go with it, and cannot be made without it.", Tone.FAILED)
        else:
            yield Said(f"There are no objects of kind {kind}.")


def _on_nodes(going: _Going) -> Iterator[Said]:
    """Source: https://kubernetes.io/docs/concepts/architecture/nodes/#manual-node-administration"""
    names = {_key(item).name for item in going.items}
    pods = [pod for pod in going.all("", "Pod") if (pod.get("spec") or {}).get("nodeName") in names]
    alone = [_key(pod).name for pod in pods if controller(pod) is None]
    if pods:
        go = f"{counted({'Pod': pods})} on {going.it} {'goes' if len(pods) == 1 else 'go'}"
        yield Said(f"{go} without an eviction, past all disruption budgets: drain first.", Tone.WARNING)
    if alone:
        yield _not_remade(alone)
    yield Said(
        "The machine goes on. A kubelet that starts there registers the node again, without its labels and taints."
    )


_Rule = Callable[[_Going], Iterable[Said]]
_OF_WORKLOADS: tuple[_Rule, ...] = (_endpoints, _budgets, _autoscalers)
_RULES: Mapping[tuple[str, str], tuple[_Rule, ...]] = {
    ("", "Pod"): (_nobody_remakes, _endpoints, _budgets),
    ("apps", "StatefulSet"): (_claims_stay,),
    ("", "Service"): (_ingresses, _addresses),
    ("", "PersistentVolumeClaim"): (_users, _data_of_claims),
    ("", "PersistentVolume"): (_data_of_volumes,),
    ("", "ConfigMap"): (_users,),
    ("", "Secret"): (_users, _certificates),
    ("", "ServiceAccount"): (_users,),
    ("", "Namespace"): (_contents,),
    ("", "Node"): (_on_nodes,),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): (_custom_resources,),
}


# -- words ------------------------------------------------------------------------------------------


def counted(found: Mapping[str, Sequence[object]]) -> str:
    """How many of each kind: `1 replica set and 3 pods`."""
    words = [_number(len(items), kind) for kind, items in found.items() if items]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _number(number: int, kind: str) -> str:
    noun = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", kind).lower()
    if number != 1:
        noun = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{number:,} {noun}"


_listed = partial(some_of, most=MOST_NAMES)


def _key(item: Mapping[str, Any]) -> ObjectKey:
    return ObjectKey(item["metadata"].get("namespace", ""), item["metadata"].get("name", ""))


def _owners(item: JsonObject) -> set[str]:
    return {owner.get("uid") for owner in item["metadata"].get("ownerReferences") or ()}


def _labels(item: JsonObject) -> dict[str, str]:
    return item["metadata"].get("labels") or {}


def _volumes(pod: JsonObject) -> Sequence[JsonObject]:
    return (pod.get("spec") or {}).get("volumes") or ()
