"""What a manifest refers to, with the places in its text; and its own parts that it does not have."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ktui.kinds.references import named
from ktui.manifests.problems import Lines, Positions, spell
from ktui.manifests.reading import Document, read
from ktui.manifests.referring import Reference, loose_ends, references

NOWHERE = Positions(Lines(""), {})

POD = """
metadata: {name: web, labels: {app: web}}
spec:
  serviceAccountName: robot
  priorityClassName: high
  runtimeClassName: gvisor
  nodeName: worker-0
  imagePullSecrets:
  - name: regcred
  volumes:
  - name: settings
    configMap: {name: settings, items: [{key: a.conf, path: a}, {key: b.conf, path: b}]}
  - name: certificate
    secret: {secretName: tls, optional: true}
  - name: files
    persistentVolumeClaim: {claimName: files}
  - name: all
    projected:
      sources:
      - secret: {name: one}
      - configMap: {name: two, items: [{key: x, path: x}]}
      - configMap: {name: kube-root-ca.crt}
  - name: scratch
    ephemeral: {volumeClaimTemplate: {spec: {storageClassName: fast}}}
  initContainers:
  - name: prepare
    envFrom:
    - configMapRef: {name: early}
  containers:
  - name: main
    env:
    - name: A
      valueFrom: {configMapKeyRef: {name: web, key: port}}
    - name: B
      valueFrom: {secretKeyRef: {name: web, key: token, optional: true}}
    - name: C
      value: plain
    envFrom:
    - secretRef: {name: more}
"""


def document(text: str) -> Document:
    found = read(text)
    assert not found.errors
    return found.documents[0]


def wrapped(kind: str) -> Any:
    """An object of a kind with the pod in it."""
    pod = document(POD).value
    version = {"Pod": "v1", "Job": "batch/v1", "CronJob": "batch/v1"}.get(kind, "apps/v1")
    head = {"apiVersion": version, "kind": kind}
    if kind == "Pod":
        return {**head, **pod}
    spec = {"template": pod}
    return {**head, "metadata": {"name": "web"}, "spec": {"jobTemplate": {"spec": spec}} if kind == "CronJob" else spec}


def at(value: Any, reference: Reference) -> tuple[Any, Any]:
    """What stands where a reference says its name and its part are."""
    found = []
    for path in (reference.path, reference.part_path):
        inner = value
        for step in path:
            inner = inner[step]
        found.append(inner if path else None)
    return found[0], found[1]


@pytest.mark.parametrize("kind", ["Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob"])
def test_all_that_a_pod_needs_is_found_wherever_the_pod_stands(kind: str) -> None:
    value = wrapped(kind)
    found = references(value, "shop")
    assert {(one.kind, one.name, one.part) for one in found} == {
        ("ServiceAccount", "robot", None),
        ("PriorityClass", "high", None),
        ("RuntimeClass", "gvisor", None),
        ("Node", "worker-0", None),
        ("Secret", "regcred", None),
        ("ConfigMap", "settings", "a.conf"),
        ("ConfigMap", "settings", "b.conf"),
        ("Secret", "tls", None),
        ("PersistentVolumeClaim", "files", None),
        ("Secret", "one", None),
        ("ConfigMap", "two", "x"),
        ("StorageClass", "fast", None),
        ("ConfigMap", "early", None),
        ("ConfigMap", "web", "port"),
        ("Secret", "web", "token"),
        ("Secret", "more", None),
    }
    assert {one.name for one in found if one.optional} == {"tls", "web"}
    assert [one for one in found if one.optional and one.kind == "ConfigMap"] == []
    assert {one.namespace for one in found} == {"shop", ""}
    for one in found:
        assert at(value, one) == (one.name, one.part), spell(one.path)


def test_what_details_show_as_used_is_found_here_too() -> None:
    """The two lists of what a pod names must not come apart; claims that are made for a pod are not looked up."""
    value = wrapped("Pod")
    here = {(one.kind, one.name) for one in references(value, "")}
    there = {(one.kind, one.name) for one in named(value)} - {
        ("PersistentVolumeClaim", "web-scratch"),
        ("ConfigMap", "kube-root-ca.crt"),
    }
    assert there <= here


OTHERS = {
    "Ingress": (
        """
apiVersion: networking.k8s.io/v1
kind: Ingress
spec:
  ingressClassName: nginx
  defaultBackend: {service: {name: rest, port: {number: 80}}}
  tls: [{secretName: cert}]
  rules: [{http: {paths: [{path: /, backend: {service: {name: web, port: {name: http}}}}]}}]
""",
        {
            ("IngressClass", "nginx", None),
            ("Service", "rest", 80),
            ("Secret", "cert", None),
            ("Service", "web", "http"),
        },
    ),
    "HorizontalPodAutoscaler": (
        """
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
""",
        {("Deployment", "web", None)},
    ),
    "RoleBinding": (
        """
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: User, name: jane}, {kind: ServiceAccount, name: robot}]
""",
        {("Role", "reader", None), ("ServiceAccount", "robot", None)},
    ),
    "PersistentVolumeClaim": (
        "apiVersion: v1\nkind: PersistentVolumeClaim\nspec: {storageClassName: fast, volumeName: disk}\n",
        {("StorageClass", "fast", None), ("PersistentVolume", "disk", None)},
    ),
    "ServiceAccount": (
        "apiVersion: v1\nkind: ServiceAccount\nsecrets: [{name: a}]\nimagePullSecrets: [{name: b}]\n",
        {("Secret", "a", None), ("Secret", "b", None)},
    ),
    "StatefulSet": (
        """
apiVersion: apps/v1
kind: StatefulSet
spec: {serviceName: db, volumeClaimTemplates: [{metadata: {name: d}, spec: {storageClassName: fast}}]}
""",
        {("Service", "db", None), ("StorageClass", "fast", None)},
    ),
    "Service": ("apiVersion: v1\nkind: Service\nmetadata: {namespace: shop}\nspec: {selector: {a: b}}\n", set()),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_other_kinds_refer_to_what_they_need(kind: str) -> None:
    text, wanted = OTHERS[kind]
    value = document(text).value
    found = references(value, "shop")
    assert {(one.kind, one.name, one.part) for one in found} == wanted
    for one in found:
        assert at(value, one) == (one.name, one.part)


def test_the_namespace_that_a_manifest_names_is_a_reference_too() -> None:
    value = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"namespace": "shop"},
        "secrets": [{"name": "a"}],
    }
    assert [(one.kind, one.namespace, one.name) for one in references(value, "elsewhere")] == [
        ("Namespace", "", "shop"),
        ("Secret", "shop", "a"),
    ]


def test_the_objects_of_a_list_refer_to_what_they_need() -> None:
    value = {"apiVersion": "v1", "kind": "List", "items": [wrapped("Pod"), "no object", wrapped("CronJob")]}
    found = references(value, "shop")
    assert len(found) == len(references(wrapped("Pod"), "shop")) + len(references(wrapped("CronJob"), "shop"))
    for one in found:
        assert at(value, one) == (one.name, one.part)
    value["items"] = [document(LOOSE).value]
    ends = loose_ends(Document(value, 1, NOWHERE))
    assert ends[0].path[:2] == ("items", 0)
    assert len(ends) == 8


# -- its own parts ---------------------------------------------------------------------------------

LOOSE = """
apiVersion: apps/v1
kind: StatefulSet
spec:
  selector:
    matchLabels:
      app: web
      tier: front
      track: stable
    matchExpressions:
    - {key: app, operator: In, values: [web, shop]}
    - {key: app, operator: NotIn, values: [web]}
    - {key: none, operator: Exists}
  template:
    metadata: {labels: {app: web, tier: back}}
    spec:
      volumes: [{name: v}]
      containers:
      - name: main
        ports: [{name: http, containerPort: 80}, {containerPort: 81}]
        volumeMounts:
        - {name: v, mountPath: /v}
        - {name: claimed, mountPath: /c}
        - {name: w, mountPath: /w}
        livenessProbe:
          httpGet: {port: http}
        readinessProbe:
          httpGet: {port: htpp}
        startupProbe:
          tcpSocket: {port: "80"}
        lifecycle:
          preStop:
            httpGet: {port: stop}
      - name: bare
        readinessProbe:
          tcpSocket: {port: http}
  volumeClaimTemplates: [{metadata: {name: claimed}}]
"""


def test_names_of_parts_that_are_not_there_are_warnings_at_their_lines() -> None:
    text = LOOSE.split("\n")
    found = loose_ends(document(LOOSE))
    assert {problem.severity for problem in found} == {"warning"}
    assert [(text[problem.line - 1].strip(), problem.message) for problem in found] == [
        ("tier: front", "the template has tier=back, so that its pods would not be selected"),
        ("track: stable", "the template has no label track, so that its pods would not be selected"),
        ("- {key: app, operator: NotIn, values: [web]}", "the template's label app does not fulfil this"),
        ("- {key: none, operator: Exists}", "the template's label none does not fulfil this"),
        ("- {name: w, mountPath: /w}", 'there is no volume "w"; there is: v, claimed'),
        ("httpGet: {port: htpp}", 'the container has no port named "htpp"; there is: http'),
        ("httpGet: {port: stop}", 'the container has no port named "stop"; there is: http'),
        ("tcpSocket: {port: http}", 'the container has no port named "http"'),
    ]


def test_jobs_select_by_themselves() -> None:
    assert loose_ends(document("apiVersion: batch/v1\nkind: Job\nspec: {selector: {matchLabels: {a: b}}}\n")) == []


# -- strangers -------------------------------------------------------------------------------------


def _spoiled(value: Any, spoil: list[Any]) -> Any:
    """A value of which some parts are of another shape."""
    if spoil and spoil.pop() == 0:
        return spoil.pop() if spoil else None
    if isinstance(value, dict):
        return {key: _spoiled(inner, spoil) for key, inner in value.items()}
    return [_spoiled(inner, spoil) for inner in value] if isinstance(value, list) else value


WHOLE = [wrapped("CronJob"), document(LOOSE).value, *(document(text).value for text, _ in OTHERS.values())]
SPOILS: st.SearchStrategy[Any] = (
    st.integers(0, 12) | st.none() | st.text(max_size=1) | st.just([None, 1]) | st.just({"a": {}})
)


@pytest.mark.parametrize("value", WHOLE)
@given(spoil=st.lists(SPOILS, max_size=60))
def test_a_manifest_that_is_half_typed_raises_nothing(value: Any, spoil: list[Any]) -> None:
    spoiled = _spoiled(value, spoil)
    references(spoiled, "")
    loose_ends(Document(spoiled, 1, NOWHERE))
