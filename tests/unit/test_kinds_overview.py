from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ktui.kinds.builtin import HOME
from ktui.kinds.deployments import DEPLOYMENTS
from ktui.kinds.endpoint_slices import ENDPOINT_SLICES
from ktui.kinds.kind import Kind
from ktui.kinds.nodes import NODES
from ktui.kinds.overview import Section, overview
from ktui.kinds.overview.containers import probe_text
from ktui.kinds.pods import PODS
from ktui.kinds.replicasets import REPLICASETS
from ktui.kinds.services import SERVICES
from ktui.kinds.tone import Tone
from tests.unit.golden.recorded import KINDS, item_of, recorded


def sections(kind: Kind, name: str, **beside: list[dict[str, Any]]) -> dict[str, Section]:
    found = overview(kind.kind, item_of(kind, name), recorded(kind).now, beside)
    return {section.title: section for section in found}


def texts(section: Section) -> dict[str, list[str]]:
    """The lines by label; those without one go on from the line above."""
    found: dict[str, list[str]] = {}
    label = ""
    for line in section.lines:
        label = line.label or label
        found.setdefault(label, []).append(line.value)
    return found


def cells(section: Section) -> list[tuple[str, ...]]:
    assert section.table is not None
    return [row.cells for row in section.table.rows]


def every_text(found: list[Section]) -> list[str]:
    lines = [text for section in found for line in section.lines for text in (line.label, line.value)]
    tables = [section.table for section in found if section.table is not None]
    return [*lines, *(cell for table in tables for row in table.rows for cell in row.cells)]


def test_a_container_is_described_in_full() -> None:
    """Image, ports, resources, probes, environment and mounts are all there."""
    app = texts(sections(PODS, "rich")["Container app"])
    assert app["Ports"] == ["8080/TCP http", "9090/UDP, on the host 39090"]
    assert app["Requests"] == ["cpu=10m, memory=16Mi"]
    assert app["Limits"] == ["cpu=500m, memory=64Mi"]
    assert app["Liveness"] == ["tcp-socket :22 delay=5s timeout=1s period=10s #success=1 #failure=1000000"]
    assert app["Mounts"][:2] == ["/tmp from tmp", "/cm from cm path x (read-only)"]
    assert app["Arguments"] == ["pause"]


def test_values_from_secrets_are_only_named() -> None:
    """Where a variable comes from is said, never what it holds."""
    app = texts(sections(PODS, "rich")["Container app"])
    assert app["Environment"] == [
        "PLAIN=x",
        "SECRET=<key k of secret s>",
        "CM=<key k of configmap c>",
        "IP=<status.podIP>",
        "CPU=<limits.cpu>",
    ]
    assert app["Environment from"] == ["secret s, optional, prefixed S_"]


def test_volumes_say_where_files_come_from() -> None:
    """One row a volume, with its type and its source."""
    volumes = {row[0]: row[1:] for row in cells(sections(PODS, "rich")["Volumes"])}
    assert volumes["tmp"] == ("emptyDir", "in memory, at most 1Mi")
    assert volumes["sec"] == ("secret", "s (optional)")
    assert volumes["host"] == ("hostPath", "/tmp (Directory)")


def test_where_a_pod_may_run_is_said() -> None:
    """Node selector, tolerations as kubectl writes them, and spread."""
    scheduling = texts(sections(PODS, "rich")["Scheduling"])
    assert scheduling["Node selector"] == ["kubernetes.io/os=linux"]
    assert scheduling["Tolerations"][:2] == ["a=b:NoSchedule", "q:NoExecute op=Exists for 60s"]
    assert scheduling["Spread"] == ["over kubernetes.io/hostname, at most 1 apart, else ScheduleAnyway"]


def test_a_crashing_pod_says_why() -> None:
    """Its status, its container's last end, and the restarts are marked."""
    found = sections(PODS, "restarts")
    assert found["Pod"].lines[0].tone is found["Container app"].lines[0].tone is Tone.FAILED
    assert texts(found["Pod"])["Why"] == ["last exit code 1, 6 restarts"]
    app = texts(found["Container app"])
    assert app["State"] == ["CrashLoopBackOff"]
    assert app["Last state"][0].startswith("Error, exit code 1, ran 30s, ended ")


def test_containers_stand_in_the_order_they_start() -> None:
    """Init containers and sidecars before the others, each by its name."""
    titles = [title for title in sections(PODS, "sidecar") if " " in title]
    assert titles == ["Sidecar side", "Init container b", "Container app"]


def test_a_finished_pod_is_neither_good_nor_bad() -> None:
    """Exit code 0 is said without alarm."""
    state = sections(PODS, "completed")["Container app"].lines[0]
    assert state.tone is Tone.FINISHED
    assert state.value.startswith("Completed, exit code 0")


def test_conditions_have_their_tone() -> None:
    """Each row of Conditions is judged by its type and status."""
    table = sections(PODS, "unready")["Conditions"].table
    assert table is not None
    tones = {row.cells[0]: row.tone for row in table.rows}
    assert (tones["PodScheduled"], tones["Ready"]) == (Tone.GOOD, Tone.WARNING)


def test_a_node_sums_what_its_pods_request() -> None:
    """With its pods given, Resources has what they request and may use, as shares of allocatable."""
    pods = [item_of(PODS, name) for name in ("rich", "ok", "completed")]
    rows = {row[0]: row[1:] for row in cells(sections(NODES, "real-0", Pod=pods)["Resources"])}
    assert rows["cpu"] == ("2", "2", "10m (0%)", "500m (25%)")
    assert rows["pods"] == ("110", "110", "2", "-")


def test_a_node_names_its_taints() -> None:
    """Key, value and effect, as kubectl writes them."""
    assert texts(sections(NODES, "fake-0")["Node"])["Taints"] == ["kwok.x-k8s.io/node=fake:NoSchedule"]


def test_a_service_shows_ports_and_endpoints() -> None:
    """Its ports with their node ports, and every address with its state."""
    slices = [
        item
        for item in recorded(ENDPOINT_SLICES).items
        if item["metadata"]["labels"]["kubernetes.io/service-name"] == "unready"
    ]
    found = sections(SERVICES, "nodeport") | {
        "Endpoints": sections(SERVICES, "unready", EndpointSlice=slices)["Endpoints"]
    }
    assert cells(found["Ports"]) == [("a", "80", "80", "30367", "TCP"), ("b", "443", "443", "30993", "UDP")]
    assert {row[2] for row in cells(found["Endpoints"])} == {"not ready"}


def test_a_pending_load_balancer_is_on_its_way() -> None:
    """It has no address yet, which is no failure."""
    line = next(line for line in sections(SERVICES, "lb-pending")["Service"].lines if line.label == "Load balancer")
    assert (line.value, line.tone) == ("pending", Tone.WORKING)


def test_a_deployment_lists_its_own_revisions_newest_first() -> None:
    """Replica sets of other deployments are left out."""
    old = item_of(REPLICASETS, "web-5b77cb657c")
    old["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "9"
    found = sections(DEPLOYMENTS, "web", ReplicaSet=[*recorded(REPLICASETS).items, old])
    assert [row[:3] for row in cells(found["Revisions"])] == [
        ("9", "web-5b77cb657c", "3/3"),
        ("1", "web-5b77cb657c", "3/3"),
    ]


def test_a_stuck_rollout_says_why() -> None:
    """The condition's message stands beside the replicas."""
    assert texts(sections(DEPLOYMENTS, "stuck")["Deployment"])["Why"] == [
        'ReplicaSet "stuck-9d7b995bb" has timed out progressing.'
    ]


CANARY = "hunter2-canary"
ENCODED = base64.b64encode(CANARY.encode()).decode()


def secret() -> dict[str, Any]:
    applied = json.dumps({"data": {"password": ENCODED}, "stringData": {"password": CANARY}})
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {"name": "s", "annotations": {"kubectl.kubernetes.io/last-applied-configuration": applied}},
        "data": {"password": ENCODED},
        "stringData": {"password": CANARY},
    }


def test_a_secret_tells_keys_and_sizes_only() -> None:
    """Neither its data nor what was last applied, which repeats them, is shown."""
    found = overview("Secret", secret(), 0)
    assert cells(next(section for section in found if section.title == "Data")) == [("password", f"{len(CANARY)} B")]
    assert not any(CANARY in text or ENCODED in text for text in every_text(found))


def test_any_kind_shows_its_fields() -> None:
    """Scalars of spec and status of a kind that nobody knows, nested ones by their path."""
    item = {
        "apiVersion": "shop.example.com/v1",
        "kind": "Widget",
        "metadata": {"name": "a"},
        "spec": {"size": {"width": 3}, "colors": ["red", "blue"], "parts": [{"name": "x", "count": 2}], "on": True},
        "status": {"phase": "Failed", "conditions": [{"type": "Ready", "status": "False", "reason": "Broken"}]},
    }
    found = {section.title: section for section in overview("Widget", item, 0)}
    assert texts(found["Spec"]) == {
        "size.width": ["3"],
        "colors": ["red", "blue"],
        "parts": ["name: x · count: 2"],
        "on": ["true"],
    }
    assert found["Status"].lines[0].tone is Tone.FAILED
    assert cells(found["Conditions"]) == [("Ready", "False", "Broken", "-", "-")]


def test_a_custom_resource_called_like_a_known_kind_is_not_taken_for_it() -> None:
    """The group tells them apart."""
    item = {"apiVersion": "shop.example.com/v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": 3}}
    assert texts(overview("Pod", item, 0)[-1]) == {"containers": ["3"]}


@pytest.mark.parametrize(
    ("probe", "text"),
    [
        ({"httpGet": {"port": 80, "path": "/x", "scheme": "HTTPS"}}, "http-get https://:80/x"),
        ({"exec": {"command": ["sh", "-c", "a b"]}}, "exec sh -c 'a b'"),
        ({"grpc": {"port": 9}}, "grpc :9"),
        ({}, "unknown"),
    ],
)
def test_probes_read_as_kubectl_describe(probe: dict[str, Any], text: str) -> None:
    """What is asked comes first, then how often."""
    assert probe_text(probe) == f"{text} delay=0s timeout=1s period=10s #success=1 #failure=3"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_every_recorded_object_has_an_overview(kind: Kind) -> None:
    """None raises, every section says something, and tables are as wide as their headers."""
    for item in recorded(kind).items:
        for section in overview(kind.kind, item, recorded(kind).now):
            assert section.lines or section.table
            if section.table is not None:
                assert {len(row.cells) for row in section.table.rows} == {len(section.table.header)}


WORDS = """
spec status data kind type conditions reason message lastTransitionTime selector matchLabels matchExpressions phase
template jobTemplate containers initContainers restartPolicy name image command args env envFrom value valueFrom
secretKeyRef configMapRef ports containerPort resources requests limits livenessProbe exec httpGet port volumeMounts
volumes secret projected sources emptyDir tolerations nodeSelector affinity topologySpreadConstraints
"""
KEYS = st.sampled_from([*WORDS.split(), "\x1b[31m\n"])
TEXT = st.text(alphabet="aé\x00\x1b\n\u202e[]", max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
# A server makes sure of the shape of metadata, whatever the kind; of nothing else.
METADATA = st.fixed_dictionaries(
    {},
    optional={
        "name": TEXT,
        "labels": st.dictionaries(TEXT, TEXT, max_size=2),
        "annotations": st.dictionaries(TEXT, TEXT, max_size=2),
        "finalizers": st.lists(TEXT, max_size=2),
        "ownerReferences": st.lists(st.fixed_dictionaries({"kind": TEXT, "name": TEXT}), max_size=2),
        "deletionTimestamp": st.just("2026-01-02T03:04:05Z"),
    },
)
CONTAINER = st.dictionaries(KEYS, JSON, max_size=4)
TEMPLATE = st.fixed_dictionaries(
    {
        "spec": st.fixed_dictionaries(
            {"containers": st.lists(CONTAINER, max_size=2)}, optional={"volumes": JSON, "tolerations": JSON}
        )
    }
)
SPEC = JSON | st.fixed_dictionaries({"template": TEMPLATE}) | st.fixed_dictionaries({"jobTemplate": JSON})


@settings(deadline=None)
@given(METADATA, SPEC, JSON, st.dictionaries(KEYS, JSON, max_size=3))
def test_an_overview_of_anything_is_safe_to_show(metadata: Any, spec: Any, status: Any, rest: dict[str, Any]) -> None:
    """Whatever a custom resource holds, no control character gets through and nothing raises."""
    found = overview("Widget", {**rest, "metadata": metadata, "spec": spec, "status": status}, 0)
    assert all(text.isprintable() for text in every_text(found))


def test_known_kinds_without_any_field_have_an_overview() -> None:
    """Fields that a server leaves out never raise."""
    for kind in HOME:
        assert overview(kind.kind, {"metadata": {"name": "a"}}, 0)
