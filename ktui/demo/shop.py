"""The cast of the story: what stands in the cluster, namespace by namespace."""

from __future__ import annotations

from collections.abc import Iterator

from ktui.demo.manifests import config_map, container, deployment, labelled, node, service, template
from ktui.demo.storage import Object

NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease", "platform", "shop", "lesson")
CATALOG_IMAGE = "registry.example.com/shop/catalog"
AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.53"

Placed = tuple[str, Object]  # the resource's key, and the object

_SHOP = "registry.example.com/shop"
_EVERYWHERE: list[Object] = [{"operator": "Exists"}]


def namespaces() -> Iterator[Placed]:
    """The namespaces."""
    for name in NAMESPACES:
        yield "namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def nodes(count: int) -> Iterator[Placed]:
    """The control plane and the workers; whatever is beyond five nodes are more workers."""
    yield "nodes", node("cp-0", 0, cpu="4", memory="8Gi", roles=("control-plane",))
    for number in range(max(0, count - 1)):
        worker = node(f"worker-{number}", number + 1, cpu="4", memory="8Gi")
        if number == 1:
            worker["metadata"]["labels"]["disk"] = "ssd"
        if number == 3:
            worker["spec"]["unschedulable"] = True
        yield "nodes", worker


def foundation() -> Iterator[Placed]:
    """What belongs to no namespace."""
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    for name, marks in (("standard", default), ("fast", {})):
        metadata = {"name": name, "annotations": marks}
        made = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": metadata}
        yield "storageclasses.storage.k8s.io", {**made, "provisioner": "csi.example.com", "allowVolumeExpansion": True}
    for name, value in (("system-cluster-critical", 2_000_000_000), ("system-node-critical", 2_000_001_000)):
        made = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name}}
        yield "priorityclasses.scheduling.k8s.io", {**made, "value": value}
    ingress_class: Object = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": {"name": "nginx"},
    }
    yield "ingressclasses.networking.k8s.io", {**ingress_class, "spec": {"controller": "k8s.io/ingress-nginx"}}
    yield from _definitions()


def api_service() -> Iterator[Placed]:
    """The Service in front of the API server."""
    port = {"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}
    api: Object = service("default", "kubernetes", "10.96.0.1", selector={})
    api["metadata"]["labels"] = {"component": "apiserver", "provider": "kubernetes"}
    api["spec"]["ports"] = [port]
    yield "services", api
    subset: Object = {"addresses": [{"ip": "192.0.2.2"}], "ports": [{"name": "https", "port": 6443, "protocol": "TCP"}]}
    metadata: Object = {"name": "kubernetes", "namespace": "default"}
    yield "endpoints", {"apiVersion": "v1", "kind": "Endpoints", "metadata": metadata, "subsets": [subset]}


def kube_system() -> Iterator[Placed]:
    """The cluster's own workloads."""
    dns = container(
        "coredns", "registry.k8s.io/coredns/coredns:v1.13.1", port=53, port_name="dns", requests=("100m", "70Mi"),
        limits=("200m", "170Mi"),
    )  # fmt: skip
    control_plane = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}
    critical = {"priorityClassName": "system-cluster-critical", "tolerations": [control_plane]}
    yield "deployments.apps", deployment("kube-system", "coredns", 2, dns, pod=critical)
    yield "services", service("kube-system", "kube-dns", "10.96.0.10", (53, 53), selector={"app": "coredns"})
    proxy = container(
        "kube-proxy", "registry.k8s.io/kube-proxy:v1.36.2", requests=("20m", "40Mi"), limits=("200m", "128Mi")
    )
    yield "daemonsets.apps", _daemon_set("kube-system", "kube-proxy", proxy)
    yield (
        "configmaps",
        config_map("kube-system", "coredns", Corefile=".:53 {\n    errors\n    health\n    kubernetes\n}\n"),
    )


def control_plane_pods(owner: Object) -> Iterator[Placed]:
    """The static pods of a control plane node, as its kubelet mirrors them."""
    place = owner["metadata"]
    reference = {"apiVersion": "v1", "kind": "Node", "name": place["name"], "uid": place["uid"], "controller": True}
    for name, image in (
        ("etcd", "registry.k8s.io/etcd:3.6.6-0"),
        ("kube-apiserver", "registry.k8s.io/kube-apiserver:v1.36.2"),
        ("kube-controller-manager", "registry.k8s.io/kube-controller-manager:v1.36.2"),
        ("kube-scheduler", "registry.k8s.io/kube-scheduler:v1.36.2"),
    ):
        metadata = labelled(f"{name}-{place['name']}", "kube-system", {"component": name, "tier": "control-plane"})
        metadata["annotations"] = {"kubernetes.io/config.mirror": place["uid"].replace("-", "")}
        metadata["ownerReferences"] = [reference]
        spec: Object = {"containers": [container(name, image, requests=("100m", "256Mi"), limits=("1", "1Gi"))]}
        spec |= {"nodeName": place["name"], "hostNetwork": True, "tolerations": _EVERYWHERE[:]}
        spec["priorityClassName"] = "system-node-critical"
        yield "pods", {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def platform() -> Iterator[Placed]:
    """What the platform team runs."""
    ingress = container(
        "controller", "registry.k8s.io/ingress-nginx/controller:v1.14.0", port=8080, probe="/healthz",
        requests=("100m", "128Mi"), limits=("1", "512Mi"),
    )  # fmt: skip
    yield "deployments.apps", deployment("platform", "ingress", 2, ingress)
    yield "services", service("platform", "ingress", "10.96.3.80", (80, "http", 30080), kind="LoadBalancer")
    metrics = container("metrics", "registry.k8s.io/metrics-server/metrics-server:v0.8.0", port=10250, probe="/readyz")
    yield "deployments.apps", deployment("platform", "metrics", 1, metrics)
    yield "services", service("platform", "metrics", "10.96.3.44", (443, "http"))
    agent = container("agent", "registry.example.com/platform/node-agent:3.2.0", requests=("20m", "48Mi"))
    yield "daemonsets.apps", _daemon_set("platform", "node-agent", agent)
    quota = {"hard": {"pods": "40", "services": "20"}}
    metadata: Object = {"name": "quota", "namespace": "lesson"}
    yield "resourcequotas", {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": quota}


def shop() -> Iterator[Placed]:
    """The shop, but for its search, which came later."""
    yield from _shop_settings()
    front = container(
        "web", f"{_SHOP}/storefront:5.1.2", port=8080, probe="/healthz", requests=("150m", "192Mi"),
        limits=("1", "512Mi"), env={"CATALOG_URL": "http://catalog.shop:8080", "CART_URL": "http://cart.shop:8080"},
    )  # fmt: skip
    yield "deployments.apps", deployment("shop", "storefront", 3, front)
    address = "10.96.14.7"
    yield "services", service("shop", "storefront", address, (80, "http", 31080), kind="LoadBalancer")
    pay = container("checkout", f"{_SHOP}/checkout:2.8.0", port=8080, probe="/ready", requests=("200m", "256Mi"))
    log = container("log-shipper", "registry.example.com/platform/log-shipper:1.4", requests=("10m", "32Mi"))
    yield "deployments.apps", deployment("shop", "checkout", 3, pay, log, behaviour="flaky-probe=75")
    yield "services", service("shop", "checkout", "10.96.33.2", (8080, "http"))
    catalog = container("catalog", f"{CATALOG_IMAGE}:1.7.0", port=8080, probe="/healthz", requests=("100m", "128Mi"))
    migrate = container("migrate", f"{CATALOG_IMAGE}:1.7.0", command=("/catalog", "migrate"))
    pod = {"initContainers": [migrate]}
    yield (
        "deployments.apps",
        deployment("shop", "catalog", 6, catalog, behaviour="slow-stop=9", pod=pod, revisionHistoryLimit=5),
    )
    yield "services", service("shop", "catalog", "10.96.21.40", (8080, "http"))
    cart = container("cart", f"{_SHOP}/cart:1.12.3", port=8080, probe="/healthz")
    proxy = container(
        "proxy", "registry.example.com/platform/proxy:0.9", requests=("10m", "24Mi"), restartPolicy="Always"
    )
    yield "deployments.apps", deployment("shop", "cart", 2, cart, pod={"initContainers": [proxy]})
    yield "services", service("shop", "cart", "10.96.18.9", (8080, "http"))
    mailer = container("mailer", f"{_SHOP}/mailer:0.4.1")
    yield "deployments.apps", deployment("shop", "mailer", 1, mailer, strategy={"type": "Recreate"})
    yield "services", service("shop", "search", "10.96.8.19", (9200, 9200))
    external = service("shop", "payments", "", kind="ExternalName", selector={}, externalName="payments.example.net")
    yield "services", external
    yield "services", service("shop", "legacy-db", "10.96.70.1", (5432, 5432), selector={})
    yield from _orders()
    yield from _jobs()
    yield from _rules()


def search() -> Iterator[Placed]:
    """The search: it crashes on the only node where it fits, and its second pod fits nowhere."""
    broken = container(
        "search",
        f"{_SHOP}/search:0.9.0-rc2",
        port=9200,
        requests=("500m", "5Gi"),
        limits=("1", "5Gi"),
        probe="/_health",
    )
    pod = {"nodeSelector": {"disk": "ssd"}}
    yield "deployments.apps", deployment("shop", "search", 2, broken, behaviour="crash=9", pod=pod)


def lesson() -> Iterator[Placed]:
    """The first lesson of every course."""
    hello = container("agnhost", AGNHOST, command=("/agnhost", "netexec", "--http-port=8080"))
    hello["resources"] = {}
    yield "deployments.apps", deployment("lesson", "hello-node", 1, hello)
    exposed = service("lesson", "hello-node", "10.96.2.44", (8080, 8080, 30412), kind="LoadBalancer")
    del exposed["spec"]["ports"][0]["name"]
    yield "services", exposed


def widgets() -> Iterator[Placed]:
    """Custom resources."""
    for name, size, phase in (("blue", 3, "Ready"), ("green", 1, "Ready"), ("red", 5, "Assembling")):
        metadata = labelled(name, "shop", {"shop.example.com/colour": name})
        made = {"apiVersion": "shop.example.com/v1", "kind": "Widget", "metadata": metadata}
        spec = {"size": size, "replicas": size, "material": "brass"}
        yield "widgets.shop.example.com", {**made, "spec": spec, "status": {"phase": phase, "replicas": size}}
    metadata = labelled("orders", "shop", {})
    made = {"apiVersion": "shop.example.com/v1", "kind": "Backup", "metadata": metadata}
    spec = {"schedule": "0 */6 * * *", "target": "orders-db"}
    yield "backups.shop.example.com", {**made, "spec": spec, "status": {"last": "Succeeded", "size": "1.2Gi"}}


# -- Parts of the shop -------------------------------------------------------------------------------------------------


def _shop_settings() -> Iterator[Placed]:
    yield "configmaps", config_map("shop", "storefront", currency="EUR", features__json='{"wishlist": true}\n')
    yield "configmaps", config_map("shop", "catalog", log_level="info", cache_seconds="300")
    for name, kind, values in (
        ("payment-gateway", "Opaque", {"api-key": "ZGVtby1vbmx5", "webhook-secret": "bm90LWEtc2VjcmV0"}),
        ("orders-db", "Opaque", {"username": "b3JkZXJz", "password": "ZGVtby1vbmx5"}),
        ("shop-tls", "kubernetes.io/tls", {"tls.crt": "ZGVtbw==", "tls.key": "ZGVtbw=="}),
    ):
        metadata = {"name": name, "namespace": "shop"}
        yield "secrets", {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": kind, "data": values}
    metadata = {"name": "checkout", "namespace": "shop"}
    yield "serviceaccounts", {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


def _orders() -> Iterator[Placed]:
    yield "services", service("shop", "orders-db", "None", (5432, "http"))
    labels = {"app": "orders-db"}
    mounts = [{"name": "data", "mountPath": "/var/lib/postgresql"}]
    database = container(
        "postgres", "docker.io/library/postgres:18.1", port=5432, requests=("250m", "512Mi"), limits=("2", "1Gi"),
        volumeMounts=mounts, env={"PGDATA": "/var/lib/postgresql/18"},
    )  # fmt: skip
    claim_spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "20Gi"}}}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": claim_spec}
    spec = {"replicas": 2, "serviceName": "orders-db", "selector": {"matchLabels": labels}}
    spec |= {"template": template(labels, database), "volumeClaimTemplates": [claim]}
    made = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": labelled("orders-db", "shop", labels)}
    yield "statefulsets.apps", {**made, "spec": spec}


def _jobs() -> Iterator[Placed]:
    report = container("report", f"{_SHOP}/reports:1.3.0", command=("/report", "--yesterday"))
    pods = template({"app": "nightly"}, report, behaviour="complete=18", restartPolicy="OnFailure")
    spec = {"schedule": "0 2 * * *", "concurrencyPolicy": "Forbid", "jobTemplate": {"spec": {"template": pods}}}
    metadata = labelled("nightly", "shop", {"app": "nightly"})
    yield "cronjobs.batch", {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": metadata, "spec": spec}


def _rules() -> Iterator[Placed]:
    backend = {"service": {"name": "storefront", "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    hosts = ["shop.example.com", "www.shop.example.com"]
    spec: Object = {"ingressClassName": "nginx", "rules": [{"host": host, "http": {"paths": [path]}} for host in hosts]}
    spec["tls"] = [{"hosts": hosts, "secretName": "shop-tls"}]
    metadata = labelled("shop", "shop", {"app": "storefront"})
    made = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": spec}
    yield "ingresses.networking.k8s.io", {**made, "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}]}}}
    metadata = labelled("storefront", "shop", {"app": "storefront"})
    budget = {"minAvailable": 2, "selector": {"matchLabels": {"app": "storefront"}}}
    made = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata, "spec": budget}
    yield "poddisruptionbudgets.policy", made
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "storefront"}
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}
    scaler = {"scaleTargetRef": target, "minReplicas": 3, "maxReplicas": 6}
    scaler["metrics"] = [{"type": "Resource", "resource": cpu}]
    made = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {**metadata}, "spec": scaler}
    yield "horizontalpodautoscalers.autoscaling", made
    allowed: Object = {"podSelector": {"matchLabels": {"app": "orders-db"}}, "policyTypes": ["Ingress"]}
    allowed["ingress"] = [{"from": [{"podSelector": {"matchLabels": {"app": "checkout"}}}]}]
    metadata = {"name": "orders-db", "namespace": "shop"}
    made = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": allowed}
    yield "networkpolicies.networking.k8s.io", made


def _daemon_set(namespace: str, name: str, *containers: Object) -> Object:
    labels = {"app": name}
    spec = {"selector": {"matchLabels": labels}, "template": template(labels, *containers, tolerations=_EVERYWHERE[:])}
    return {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": labelled(name, namespace, labels), "spec": spec}


def _definitions() -> Iterator[Placed]:
    numbers = {"type": "integer", "minimum": 0}
    text = {"type": "string"}
    scale = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}
    widget = {"size": numbers, "replicas": numbers, "material": text}
    yield _definition(
        "Widget", "widgets", "wd", widget, {"phase": text, "replicas": numbers}, {"status": {}, "scale": scale},
        ("Size integer .spec.size", "Replicas integer .spec.replicas", "Phase string .status.phase"),
    )  # fmt: skip
    yield _definition(
        "Backup", "backups", "bk", {"schedule": text, "target": text}, {"last": text, "size": text}, {"status": {}},
        ("Schedule string .spec.schedule", "Last string .status.last", "Size string .status.size"),
    )  # fmt: skip


def _definition(
    kind: str,
    plural: str,
    short: str,
    spec: Object,
    status: Object,
    subresources: Object,
    columns: tuple[str, ...],
) -> Placed:
    schema = {"type": "object", "properties": {"spec": _fields(spec), "status": _fields(status)}}
    printed = [{"name": name, "type": of, "jsonPath": path} for name, of, path in map(str.split, columns)]
    printed.append({"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"})
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    version |= {"subresources": subresources, "additionalPrinterColumns": printed}
    names = {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower(), "shortNames": [short]}
    asked = {"group": "shop.example.com", "names": names, "scope": "Namespaced", "versions": [version]}
    made = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    metadata = {"name": f"{plural}.shop.example.com"}
    return "customresourcedefinitions.apiextensions.k8s.io", {**made, "metadata": metadata, "spec": asked}


def _fields(properties: Object) -> Object:
    return {"type": "object", "properties": properties}
