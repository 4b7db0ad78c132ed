"""A load to measure with: many realistic pods in many namespaces, complete from the start and at rest.

Every pod has two containers and belongs to a Deployment; 4 in 100 are not well. The same numbers give the same names
and states.
"""

from __future__ import annotations

from random import Random

from ktui.demo.clock import rfc3339
from ktui.demo.controllers.behaviour import ANNOTATION
from ktui.demo.controllers.plane import ControlPlane
from ktui.demo.controllers.pods import owner_reference
from ktui.demo.controllers.revisions import template_hash
from ktui.demo.controllers.rollout import DESIRED_REPLICAS, HASH_LABEL, MAX_REPLICAS, REVISION
from ktui.demo.defaults import apply_defaults
from ktui.demo.manifests import container, deployment
from ktui.demo.storage import SUFFIX_ALPHABET, Object, Storage

NAMESPACES = 50
_PER_DEPLOYMENT = 20
_OLDEST = 8 * 86400.0
_TRADES = ("api", "worker", "gateway", "index", "queue", "cache", "render", "audit", "report", "sync", "match", "route")

# What is wrong with how many of 100 pods.
_ILLS = (("CrashLoopBackOff", 2), ("ImagePullBackOff", 1), ("Unschedulable", 1))


def create_fleet(storage: Storage, plane: ControlPlane, pods: int, seed: int = 0, avoid: tuple[str, ...] = ()) -> None:
    """Creates the pods and what they belong to.

    Args:
        storage: Where to; it has nodes.
        plane: The controllers; they look after the fleet only once something in it changes.
        pods: How many.
        seed: Same seed, same fleet.
        avoid: Nodes that get none of them.
    """
    free = [node["metadata"]["name"] for node in storage.list("nodes") if not node["spec"].get("taints")]
    workers = [name for name in free if name not in avoid]
    for number in range(min(NAMESPACES, pods)):
        namespace: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"team-{number:02}"}}
        apply_defaults("namespaces", namespace)
        storage.create("namespaces", namespace, created=storage.clock.now() - _OLDEST)
    fleet = _Fleet(storage, workers or ["worker-0"], Random(seed))
    with plane.asleep():
        made = 0
        for number in range(-(-pods // _PER_DEPLOYMENT)):
            size = min(_PER_DEPLOYMENT, pods - made)
            fleet.create_deployment(f"team-{number % NAMESPACES:02}", number, size)
            made += size


class _Fleet:
    def __init__(self, storage: Storage, nodes: list[str], random: Random) -> None:
        self._storage = storage
        self._nodes = nodes
        self._random = random
        self._now = storage.clock.now()
        self._made = 0

    def create_deployment(self, namespace: str, number: int, size: int) -> None:
        born = self._now - self._random.uniform(0.01, 1) * _OLDEST
        name = f"{_TRADES[number % len(_TRADES)]}-{number:04}"
        wanted = _wanted(namespace, name, number, size)
        ills = [self._ill() for _ in range(size)]
        counts = _counts(size, sum(1 for ill in ills if not ill))
        progress = _conditions(f'ReplicaSet "{name}" has successfully progressed.', rfc3339(born))
        wanted["status"] = {**counts, "observedGeneration": 1, "updatedReplicas": size, "conditions": progress}
        owner = self._storage.create("deployments.apps", wanted, created=born)
        digest = template_hash(wanted["spec"]["template"])
        replicaset = self._storage.create("replicasets.apps", _replica_set(owner, digest, counts), created=born)
        self._create_pods(replicaset, ills, born)

    def _create_pods(self, replicaset: Object, ills: list[str], born: float) -> None:
        metadata = replicaset["metadata"]
        template = replicaset["spec"]["template"]
        reference = [owner_reference(replicaset)]
        complete: Object = {"spec": {**template["spec"]}, "metadata": {}}
        apply_defaults("pods", complete)
        spec = complete["spec"]
        first, second = spec["containers"]
        for ill in ills:
            self._made += 1
            suffix = "".join(self._random.choices(SUFFIX_ALPHABET, k=5))
            described = {
                "name": f"{metadata['name']}-{suffix}",
                "generateName": f"{metadata['name']}-",
                "namespace": metadata["namespace"],
                "labels": template["metadata"]["labels"],
                "annotations": {ANNOTATION: "static"},
                "ownerReferences": reference,
            }
            if self._storage.get("pods", metadata["namespace"], described["name"]) is not None:
                described["name"] = f"{metadata['name']}-{self._made:05}"
            placed = (
                spec if ill == "Unschedulable" else {**spec, "nodeName": self._nodes[self._made % len(self._nodes)]}
            )
            status = self._status(ill, first, second, rfc3339(born))
            pod = {"apiVersion": "v1", "kind": "Pod", "metadata": described, "spec": placed, "status": status}
            self._storage.create("pods", pod, created=born)

    def _ill(self) -> str:
        chance = self._random.randrange(100)
        for name, share in _ILLS:
            chance -= share
            if chance < 0:
                return name
        return ""

    def _status(self, ill: str, first: Object, second: Object, since: str) -> Object:
        if ill == "Unschedulable":
            message = f"0/{self._storage.count('nodes')} nodes are available: insufficient memory."
            condition = {"type": "PodScheduled", "status": "False", "reason": ill, "message": message}
            return {
                "phase": "Pending",
                "qosClass": "Burstable",
                "conditions": [condition | {"lastTransitionTime": since}],
            }
        address = f"10.{200 + self._made // 65536}.{self._made // 256 % 256}.{self._made % 256}"
        running = {"running": {"startedAt": since}}
        state: Object = running
        last: Object = {}
        restarts = 0
        if ill:
            state = {"waiting": {"reason": ill, "message": f"{ill} of {first['name']}"}}
        if ill == "CrashLoopBackOff":
            restarts = self._random.randrange(3, 900)
            ended = {"exitCode": 1, "reason": "Error", "startedAt": since, "finishedAt": rfc3339(self._now - 120)}
            last = {"terminated": ended}
        started = self._random.random() < 0.97
        ready = "False" if ill else "True"
        unready = {"reason": "ContainersNotReady", "message": f"containers with unready status: [{first['name']}]"}
        return {
            "phase": "Pending" if ill == "ImagePullBackOff" else "Running",
            "qosClass": "Burstable",
            "podIP": address,
            "podIPs": [{"ip": address}],
            "hostIP": "192.0.2.2",
            "hostIPs": [{"ip": "192.0.2.2"}],
            "startTime": since,
            "conditions": [
                {"type": "PodReadyToStartContainers", "status": "True", "lastTransitionTime": since},
                {"type": "Initialized", "status": "True", "lastTransitionTime": since},
                {"type": "Ready", "status": ready, "lastTransitionTime": since, **(unready if ill else {})},
                {"type": "ContainersReady", "status": ready, "lastTransitionTime": since, **(unready if ill else {})},
                {"type": "PodScheduled", "status": "True", "lastTransitionTime": since},
            ],
            "containerStatuses": [
                _container_status(first, state, last, restarts, ready=not ill),
                _container_status(second, running, {}, 0 if started else 1, ready=True),
            ],
        }


def _container_status(spec: Object, state: Object, last: Object, restarts: int, *, ready: bool) -> Object:
    return {
        "name": spec["name"],
        "image": spec["image"],
        "imageID": f"{spec['image'].partition('@')[0]}@sha256:{'0' * 64}",
        "containerID": f"containerd://{'0' * 64}",
        "ready": ready,
        "started": ready,
        "restartCount": restarts,
        "state": state,
        "lastState": last,
    }


def _wanted(namespace: str, name: str, number: int, size: int) -> Object:
    main = container(
        "main", f"registry.example.com/{namespace}/{name}:2.{number % 30}.1", port=8080, probe="/healthz",
        requests=("20m", "48Mi"), limits=("200m", "128Mi"), env={"LOG_LEVEL": "info", "REGION": "north-1"},
    )  # fmt: skip
    sidecar = container("log-shipper", "registry.example.com/platform/log-shipper:1.4", requests=("5m", "16Mi"))
    wanted = deployment(namespace, name, size, main, sidecar)
    apply_defaults("deployments.apps", wanted)
    wanted["metadata"]["annotations"] = {REVISION: "1"}
    return wanted


def _replica_set(owner: Object, digest: str, counts: dict[str, int]) -> Object:
    spec, metadata = owner["spec"], owner["metadata"]
    labels = {**spec["template"]["metadata"]["labels"], HASH_LABEL: digest}
    size = spec["replicas"]
    marks = {DESIRED_REPLICAS: str(size), MAX_REPLICAS: str(size + -(-size // 4)), REVISION: "1"}
    status = {key: count for key, count in counts.items() if key != "unavailableReplicas"}
    described = {"name": f"{metadata['name']}-{digest}", "namespace": metadata["namespace"], "labels": labels}
    described |= {"annotations": marks, "ownerReferences": [owner_reference(owner)]}
    template = {**spec["template"], "metadata": {**spec["template"]["metadata"], "labels": labels}}
    asked = {"replicas": size, "selector": {"matchLabels": labels}, "template": template}
    made = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": described, "spec": asked}
    return {**made, "status": {**status, "fullyLabeledReplicas": size, "observedGeneration": 1}}


def _counts(size: int, healthy: int) -> dict[str, int]:
    counts = {"replicas": size, "readyReplicas": healthy, "availableReplicas": healthy}
    counts["unavailableReplicas"] = size - healthy
    return {key: count for key, count in counts.items() if count} | {"terminatingReplicas": 0}


def _conditions(message: str, since: str) -> list[Object]:
    times = {"lastUpdateTime": since, "lastTransitionTime": since}
    available = {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"}
    progressing = {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable", "message": message}
    return [{**available, "message": "Deployment has minimum availability.", **times}, {**progressing, **times}]
