"""Specimens: objects in every state that tables tell apart, for both clusters.

Pods name a scheduler that does not exist, so that nobody touches the status they are given; those that show a node
name one that does not exist.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

Manifest = dict[str, Any]

IMAGE = "registry.k8s.io/e2e-test-images/agnhost:2.53"
FINALIZER = "test.ktui.dev/stay"
TOLERATION = {"key": "kwok.x-k8s.io/node", "operator": "Exists"}


def _ago(seconds: float) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


# -- pods ------------------------------------------------------------------------------------------


def pod(namespace: str, name: str, status: Manifest | None = None, **spec: Any) -> Manifest:
    """A pod that nobody runs.

    Args:
        namespace: where.
        name: its name.
        status: what its status says.
        spec: fields of its spec, beside or instead of the usual ones.
    """
    whole = {"schedulerName": "nobody", "containers": [container("app")], "terminationGracePeriodSeconds": 0, **spec}
    meta = {"name": name, "namespace": namespace}
    manifest: Manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": whole}
    return manifest | ({"status": status} if status is not None else {})


def container(name: str, **more: Any) -> Manifest:
    """A container of a pod's spec."""
    return {"name": name, "image": IMAGE, **more}


def runs(name: str = "app", *, ready: bool = True, restarts: int = 0, **more: Any) -> Manifest:
    """The status of a container that runs."""
    return _state(name, {"running": {"startedAt": _ago(600)}}, ready=ready, restartCount=restarts, started=True, **more)


def waits(reason: str, name: str = "app", *, restarts: int = 0, **more: Any) -> Manifest:
    """The status of a container that waits."""
    return _state(name, {"waiting": {"reason": reason}}, restartCount=restarts, **more)


def ended(code: int, reason: str = "", name: str = "app", *, signal: int = 0, **more: Any) -> Manifest:
    """The status of a container that has ended."""
    return _state(name, _end(code, reason, signal, 300), **more)


def _end(code: int, reason: str, signal: int, seconds: float) -> Manifest:
    end: Manifest = {"exitCode": code, "startedAt": _ago(seconds + 60), "finishedAt": _ago(seconds)}
    end |= {"reason": reason} if reason else {}
    return {"terminated": end | ({"signal": signal} if signal else {})}


def _state(name: str, state: Manifest, **more: Any) -> Manifest:
    return {"name": name, "image": IMAGE, "imageID": "", "ready": False, "restartCount": 0, "state": state, **more}


def status(
    phase: str,
    *containers: Manifest,
    inits: tuple[Manifest, ...] = (),
    ready: bool = False,
    initialized: bool = True,
    **more: Any,
) -> Manifest:
    """The status of a pod."""
    conditions = [
        {"type": "Initialized", "status": str(initialized)},
        {"type": "Ready", "status": str(ready)},
        {"type": "PodScheduled", "status": "True"},
    ]
    whole: Manifest = {"phase": phase, "conditions": conditions, "containerStatuses": list(containers), **more}
    return whole | ({"initContainerStatuses": list(inits)} if inits else {})


def pods(namespace: str) -> Iterator[Manifest]:
    """Pods in every state that `kubectl get pods -o wide` tells apart."""
    crashed: Manifest = {"lastState": _end(1, "Error", 0, 130)}
    two = {"containers": [container("app"), container("log")]}
    init = {"initContainers": [container("one"), container("two")]}
    sidecar = {"initContainers": [container("proxy", restartPolicy="Always"), container("prepare")]}
    addresses: Manifest = {"podIP": "10.9.8.7", "podIPs": [{"ip": "10.9.8.7"}, {"ip": "fd00::7"}]}

    def one(name: str, told: Manifest, **spec: Any) -> Manifest:
        return pod(namespace, name, told, **spec)

    yield one("healthy", status("Running", runs(), ready=True, **addresses), nodeName="nowhere")
    yield one("unready", status("Running", runs(ready=False)))
    yield one("half-ready", status("Running", runs(), runs("log", ready=False)), **two)
    yield one("restarted", status("Running", runs(restarts=3, **crashed), ready=True))
    yield one("restarted-unknown", status("Running", runs(restarts=2), ready=True))
    yield one("crash", status("Running", waits("CrashLoopBackOff", restarts=7, **crashed)))
    yield one("crash-beside", status("Running", runs(), waits("CrashLoopBackOff", "log", restarts=1, **crashed)), **two)
    yield one("image", status("Pending", waits("ImagePullBackOff")))
    yield one("image-error", status("Pending", waits("ErrImagePull")))
    yield one("config", status("Pending", waits("CreateContainerConfigError")))
    yield one("creating", status("Pending", waits("ContainerCreating")))
    yield one("pending", {"phase": "Pending"})
    unschedulable = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"}
    yield one("unschedulable", {"phase": "Pending", "conditions": [unschedulable]})
    yield one("nominated", {"phase": "Pending", "nominatedNodeName": "nowhere-2"})
    gated = pod(namespace, "gated", schedulingGates=[{"name": "test.ktui.dev/wait"}])
    yield gated
    yield one("completed", status("Succeeded", ended(0, "Completed")))
    yield one("failed", status("Failed", ended(1, "Error")))
    yield one("exit-code", status("Failed", ended(17)))
    yield one("signal", status("Failed", ended(137, signal=9)))
    yield one("oom", status("Failed", ended(137, "OOMKilled")))
    yield one("half-done", status("Running", ended(0, "Completed"), runs("log")), **two)
    yield one("half-done-ready", status("Running", ended(0, "Completed"), runs("log"), ready=True), **two)
    yield one("half-failed", status("Running", ended(0, "Completed"), ended(3, "Error", "log")), **two)
    yield one("evicted", {"phase": "Failed", "reason": "Evicted", "message": "The node was low on memory."})
    yield one("unknown", {"phase": "Unknown"})
    yield one("lost", {"phase": "Running", "reason": "NodeLost"})
    waiting = (waits("PodInitializing"),)
    running = (runs("one", ready=False), waits("PodInitializing", "two"))
    yield one("init-first", status("Pending", *waiting, inits=running, initialized=False), **init)
    half = (ended(0, "Completed", "one"), waits("PodInitializing", "two"))
    yield one("init-second", status("Pending", *waiting, inits=half, initialized=False), **init)
    crashing = (waits("CrashLoopBackOff", "one", restarts=4, **crashed), waits("PodInitializing", "two"))
    yield one("init-crash", status("Pending", *waiting, inits=crashing, initialized=False), **init)
    failed = (ended(2, "", "one"), waits("PodInitializing", "two"))
    yield one("init-exit", status("Failed", *waiting, inits=failed, initialized=False), **init)
    killed = (ended(137, "", "one", signal=9), waits("PodInitializing", "two"))
    yield one("init-signal", status("Failed", *waiting, inits=killed, initialized=False), **init)
    done = (ended(0, "Completed", "one", restartCount=5), ended(0, "Completed", "two"))
    yield one("init-done", status("Running", runs(), inits=done, ready=True), **init)
    beside = (runs("proxy", restarts=2, **crashed), ended(0, "Completed", "prepare"))
    yield one("sidecar", status("Running", runs(restarts=1), inits=beside, ready=True), **sidecar)
    starting = (runs("proxy", ready=False), waits("PodInitializing", "prepare"))
    yield one("sidecar-first", status("Pending", *waiting, inits=starting, initialized=False), **sidecar)
    dying = (waits("CrashLoopBackOff", "proxy", restarts=2, **crashed), ended(0, "Completed", "prepare"))
    yield one("sidecar-crash", status("Running", runs(), inits=dying), **sidecar)
    gates = {"readinessGates": [{"conditionType": "test.ktui.dev/a"}, {"conditionType": "test.ktui.dev/b"}]}
    half_open = status("Running", runs())
    half_open["conditions"].append({"type": "test.ktui.dev/a", "status": "True"})
    yield one("gates", half_open, **gates)


def leaving_pods(namespace: str) -> Iterator[Manifest]:
    """Pods that stay although they are deleted, because they have a finalizer."""
    for name, told in (
        ("leaving", status("Running", runs(), ready=True)),
        ("leaving-pending", {"phase": "Pending"}),
        ("leaving-done", status("Succeeded", ended(0, "Completed"))),
        ("leaving-lost", {"phase": "Running", "reason": "NodeLost"}),
    ):
        manifest = pod(namespace, name, told)
        manifest["metadata"]["finalizers"] = [FINALIZER]
        yield manifest


# -- services --------------------------------------------------------------------------------------


def service(namespace: str, name: str, told: Manifest | None = None, **spec: Any) -> Manifest:
    """A service on port 80 for pods with `app: web`, unless `spec` says otherwise."""
    whole = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}], **spec}
    whole = {key: value for key, value in whole.items() if value is not None}
    meta = {"name": name, "namespace": namespace}
    manifest: Manifest = {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": whole}
    return manifest | ({"status": told} if told is not None else {})


def services(namespace: str) -> Iterator[Manifest]:
    """Services of all types."""
    ports = [{"name": "web", "port": 80}, {"name": "dns", "port": 53, "protocol": "UDP"}]
    pending: Manifest = {"type": "LoadBalancer", "loadBalancerClass": "test.ktui.dev/none"}
    given = {
        "loadBalancer": {"ingress": [{"ip": "203.0.113.9"}, {"ip": "203.0.113.7"}, {"hostname": "lb.example.com"}]}
    }
    yield service(namespace, "cluster-ip", selector={"tier": "front", "app": "web"})
    yield service(namespace, "several-ports", ports=ports)
    yield service(namespace, "no-selector", selector=None)
    yield service(namespace, "headless", clusterIP="None")
    yield service(namespace, "headless-no-ports", clusterIP="None", ports=None)
    yield service(
        namespace, "external-name", type="ExternalName", externalName="db.example.com", selector=None, ports=None
    )
    yield service(namespace, "node-port", type="NodePort", ports=ports)
    yield service(namespace, "external-ips", externalIPs=["198.51.100.8", "198.51.100.9"])
    yield service(namespace, "balancer-pending", **pending)
    yield service(namespace, "balancer", given, **pending)
    yield service(namespace, "balancer-external", given, externalIPs=["198.51.100.7"], **pending)


# -- workloads -------------------------------------------------------------------------------------


def deployment(namespace: str, name: str, replicas: int, template: Manifest | None = None, **spec: Any) -> Manifest:
    """A deployment whose pods simulated nodes take, unless `template` says otherwise.

    Args:
        namespace: where.
        name: its name, and the value of its pods' label `app`.
        replicas: how many pods.
        template: fields of its pods' spec.
        spec: fields of its own spec.
    """
    labels = {"app": name}
    pods_spec = {"containers": [container("app")], "tolerations": [TOLERATION], **(template or {})}
    whole = {
        "replicas": replicas,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pods_spec},
        **spec,
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": whole,
    }


def deployments(namespace: str) -> Iterator[Manifest]:
    """Deployments that are complete, idle, paused, or fail."""
    nowhere = {"nodeSelector": {"test.ktui.dev/node": "none"}}
    expressions = [
        {"key": "tier", "operator": "In", "values": ["b", "a"]},
        {"key": "app", "operator": "Exists"},
        {"key": "old", "operator": "DoesNotExist"},
    ]
    yield deployment(namespace, "complete", 2)
    yield deployment(namespace, "idle", 0)
    yield deployment(namespace, "stuck", 2, nowhere)
    yield deployment(namespace, "overdue", 1, nowhere, progressDeadlineSeconds=1)
    yield deployment(namespace, "paused", 1, paused=True)
    yield deployment(namespace, "two", 1, {"containers": [container("app"), container("log", image="busybox:1.37")]})
    chosen = deployment(
        namespace, "chosen", 1, selector={"matchLabels": {"app": "chosen"}, "matchExpressions": expressions}
    )
    chosen["spec"]["template"]["metadata"]["labels"]["tier"] = "a"
    yield chosen


# -- nodes -----------------------------------------------------------------------------------------


def node(name: str, ready: str | None = "True", labels: Manifest | None = None, **told: Any) -> Manifest:
    """A node that no kubelet looks after.

    Args:
        name: its name.
        ready: what its Ready condition says; None for a node without one.
        labels: its labels.
        told: more of its status, and `unschedulable` of its spec.
    """
    meta = {"name": name, "labels": labels or {}}
    spec = {"unschedulable": True} if told.pop("unschedulable", False) else {}
    conditions = (
        [{"type": "Ready", "status": ready, "reason": "Test", "message": "as the test wants it"}] if ready else []
    )
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": meta,
        "spec": spec,
        "status": {"conditions": conditions, **told},
    }


def nodes(suffix: str) -> Iterator[Manifest]:
    """Nodes in every state; their names end with `suffix`."""
    addresses = [
        {"type": "InternalIP", "address": "10.0.0.5"},
        {"type": "ExternalIP", "address": "203.0.113.5"},
        {"type": "Hostname", "address": "worker"},
    ]
    system = {
        "kubeletVersion": "v1.36.0",
        "osImage": "Debian GNU/Linux 12 (bookworm)",
        "kernelVersion": "6.1.0",
        "containerRuntimeVersion": "containerd://2.1.0",
        "architecture": "arm64",
        **dict.fromkeys(("bootID", "kubeProxyVersion", "machineID", "operatingSystem", "systemUUID"), ""),
    }
    roles = {"node-role.kubernetes.io/worker": "", "node-role.kubernetes.io/gpu": "", "kubernetes.io/role": "infra"}
    yield node(f"ready-{suffix}", labels=roles, addresses=addresses, nodeInfo=system)
    yield node(f"not-ready-{suffix}", "False")
    yield node(f"away-{suffix}", "Unknown")
    yield node(f"new-{suffix}", None)
    yield node(f"cordoned-{suffix}", unschedulable=True)
    yield node(f"cordoned-away-{suffix}", "Unknown", unschedulable=True)
