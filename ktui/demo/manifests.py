"""Short ways to write the objects of the story: complete manifests, as the API server would store them."""

from __future__ import annotations

from typing import Any

from ktui.demo.controllers.behaviour import ANNOTATION as BEHAVIOUR
from ktui.demo.defaults import apply_defaults
from ktui.demo.storage import Object, Storage

Quantities = tuple[str, str]  # CPU and memory


def put(storage: Storage, resource: str, obj: Object) -> Object:
    """Stores an object with the API server's defaults."""
    apply_defaults(resource, obj)
    return storage.create(resource, obj)


def resource_list(quantities: Quantities) -> dict[str, str]:
    """Returns CPU and memory as a ResourceList."""
    return {"cpu": quantities[0], "memory": quantities[1]}


def container(
    name: str,
    image: str,
    *,
    port: int = 0,
    port_name: str = "http",
    requests: Quantities = ("50m", "64Mi"),
    limits: Quantities = ("500m", "256Mi"),
    probe: str = "",
    command: tuple[str, ...] = (),
    env: dict[str, str] | None = None,
    **more: Any,
) -> Object:
    """Makes a container.

    Args:
        name: Its name.
        image: Its image.
        port: The port it listens on; 0 for none.
        port_name: That port's name.
        requests: CPU and memory it requests.
        limits: CPU and memory it may use.
        probe: The path its readiness is asked at; empty for no probe.
        command: Its command; the image's when empty.
        env: Environment variables.
        **more: Further fields.
    """
    made: Object = {"name": name, "image": image}
    if command:
        made["command"] = list(command)
    if port:
        made["ports"] = [{"name": port_name, "containerPort": port}]
    if env:
        made["env"] = [{"name": key, "value": value} for key, value in env.items()]
    made["resources"] = {"requests": resource_list(requests), "limits": resource_list(limits)}
    if probe:
        check = {"httpGet": {"path": probe, "port": port_name}}
        made["readinessProbe"] = {**check, "initialDelaySeconds": 2}
        made["livenessProbe"] = {**check, "initialDelaySeconds": 15}
    return {**made, **more}


def template(labels: dict[str, str], *containers: Object, behaviour: str = "", **spec: Any) -> Object:
    """Makes a pod template; behaviour is what the annotation `demo.ktui.dev/behaviour` says."""
    metadata: Object = {"labels": labels}
    if behaviour:
        metadata["annotations"] = {BEHAVIOUR: behaviour}
    return {"metadata": metadata, "spec": {"containers": list(containers), **spec}}


def labelled(name: str, namespace: str, labels: dict[str, str], **annotations: str) -> Object:
    """Makes metadata."""
    metadata: Object = {"name": name, "namespace": namespace, "labels": labels}
    if annotations:
        metadata["annotations"] = annotations
    return metadata


def deployment(
    namespace: str,
    name: str,
    replicas: int,
    *containers: Object,
    behaviour: str = "",
    pod: Object | None = None,
    **spec: Any,
) -> Object:
    """Makes a Deployment whose pods carry the label `app`.

    Args:
        namespace: Its namespace.
        name: Its name and its pods' label.
        replicas: How many pods.
        *containers: Their containers.
        behaviour: How they behave.
        pod: Further fields of the pod spec.
        **spec: Further fields of the Deployment's spec.
    """
    labels = {"app": name}
    asked = {"replicas": replicas, "selector": {"matchLabels": labels}, **spec}
    asked["template"] = template(labels, *containers, behaviour=behaviour, **(pod or {}))
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": labelled(name, namespace, {**labels, "app.kubernetes.io/part-of": namespace}),
        "spec": asked,
    }


def service(
    namespace: str,
    name: str,
    address: str,
    *ports: tuple[int, int | str] | tuple[int, int | str, int],
    kind: str = "ClusterIP",
    selector: dict[str, str] | None = None,
    **spec: Any,
) -> Object:
    """Makes a Service.

    Args:
        namespace: Its namespace.
        name: Its name, and what its pods' label `app` says.
        address: Its cluster IP, `None` for a headless one, empty for none.
        *ports: Port, target port, and perhaps a node port.
        kind: Its type.
        selector: Which pods; those with its name in the label `app` when None, and without any selector when empty.
        **spec: Further fields.
    """
    chosen = {"app": name} if selector is None else selector
    made: Object = {"type": kind, **spec}
    if chosen:
        made["selector"] = chosen
    listed = []
    for position, (port, target, *node_port) in enumerate(ports):
        entry: Object = {"name": "http" if position == 0 else f"port-{port}", "port": port, "targetPort": target}
        if node_port:
            entry["nodePort"] = node_port[0]
        listed.append(entry)
    if listed:
        made["ports"] = listed
    if address:
        made |= {"clusterIP": address, "clusterIPs": [address], "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack"}
    return {"apiVersion": "v1", "kind": "Service", "metadata": labelled(name, namespace, {"app": name}), "spec": made}


def config_map(namespace: str, name: str, **values: str) -> Object:
    """Makes a ConfigMap; `__` in a key stands for a dot, `_` for a dash."""
    made = {key.replace("__", ".").replace("_", "-"): value for key, value in values.items()}
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": made}


def node(name: str, number: int, *, cpu: str, memory: str, roles: tuple[str, ...] = ()) -> Object:
    """Makes a Node that its kubelet has not reported on yet.

    Args:
        name: Its name.
        number: From 0; gives it its addresses.
        cpu: Its cores.
        memory: Its memory.
        roles: Such as control-plane, which also keeps ordinary pods away.
    """
    marks = {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "topology.kubernetes.io/zone": f"zone-{'abc'[number % 3]}",
    }
    marks |= {f"node-role.kubernetes.io/{role}": "" for role in roles}
    cidr = f"10.{244 + number // 256}.{number % 256}.0/24"
    spec: Object = {"podCIDR": cidr, "podCIDRs": [cidr]}
    if "control-plane" in roles:
        spec["taints"] = [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]
    room = {"cpu": cpu, "memory": memory, "ephemeral-storage": "100Gi", "pods": "110"}
    status = {
        "addresses": [
            {"type": "InternalIP", "address": f"192.0.2.{number % 250 + 2}"},
            {"type": "Hostname", "address": name},
        ],
        "capacity": room,
        "allocatable": dict(room),
        "conditions": [],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "nodeInfo": {
            "architecture": "amd64",
            "bootID": "",
            "containerRuntimeVersion": "containerd://2.1.4",
            "kernelVersion": "6.12.48-1",
            "kubeProxyVersion": "",
            "kubeletVersion": "v1.36.2",
            "machineID": f"{number:032x}",
            "operatingSystem": "linux",
            "osImage": "Debian GNU/Linux 13 (trixie)",
            "systemUUID": "",
        },
    }
    annotations = {"node.alpha.kubernetes.io/ttl": "0"}
    metadata: Object = {"name": name, "labels": marks, "annotations": annotations}
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": spec, "status": status}
