from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ktui.kinds.deployments import DEPLOYMENTS
from ktui.kinds.endpoint_slices import ENDPOINT_SLICES
from ktui.kinds.events import EVENTS
from ktui.kinds.kind import Kind
from ktui.kinds.nodes import NODES
from ktui.kinds.pods import PODS, tone_of_status
from ktui.kinds.replicasets import REPLICASETS
from ktui.kinds.row import Row
from ktui.kinds.services import SERVICES
from ktui.kinds.status_words import tone_of_condition, tone_of_truth, tone_of_word
from ktui.kinds.tone import Tone
from tests.unit.golden.recorded import item_of, joined_with, recorded, row_of

G, W, A, F, O, U, P = Tone.GOOD, Tone.WORKING, Tone.WARNING, Tone.FAILED, Tone.FINISHED, Tone.UNKNOWN, Tone.PLAIN  # noqa: E741

PODS_BY_TONE = {
    G: "ok rich sidecar dual bare-nhh6k web-5b77cb657c-486xj",
    W: "gated init-runs init-restarted no-volume sidecar-slow term-running",
    A: "half-done half-57b98ffc7-hpzxz two-of-three unready gates",
    F: "badimage crash deadline error evicted exitcode half-failed imagepull init-crash init-exitcode init-never"
    " init-signal no-config oom pending restarts sidecar-dies signal",
    O: "completed done-terminating",
    U: "lost unknown",
}  # fmt: skip


def tone_of(kind: Kind, item: dict[str, Any]) -> Tone:
    view = msgspec.convert(item, kind.view)
    return kind.tone(Row(view.key, "", view))


@pytest.mark.parametrize(("tone", "names"), PODS_BY_TONE.items(), ids=lambda value: getattr(value, "name", ""))
def test_pods_of_all_sorts_have_their_tone(tone: Tone, names: str) -> None:
    """Every state that a real kubelet brought a pod into is judged as a person would."""
    assert {name: PODS.tone(row_of(PODS, name)) for name in names.split()} == dict.fromkeys(names.split(), tone)


# What no cell tells: that a pending pod fits nowhere.
ONLY_THE_OBJECT_TELLS = {"pending", "nominated"}


def test_a_pods_cells_tell_the_same_tone_as_its_object() -> None:
    """A table filled with rows only shows the same glyphs."""
    for row in recorded(PODS).rows:
        if row.key.name not in ONLY_THE_OBJECT_TELLS:
            assert PODS.tone(Row(row.key, "", None, row.cells)) is PODS.tone(row), row.key


def test_the_tone_of_a_pod_stands_in_its_status() -> None:
    """STATUS is the one column with a glyph."""
    row = row_of(PODS, "crash")
    assert [column.name for column in PODS.columns if column.tone_of(row) is not P] == ["STATUS"]


def test_a_pod_on_a_lost_node_is_no_longer_good() -> None:
    """When its node goes away the containers still look ready, but the condition Ready does not."""
    item = item_of(PODS, "ok")
    for condition in item["status"]["conditions"]:
        if condition["type"] == "Ready":
            condition["status"] = "False"
    assert tone_of(PODS, item) is A


@pytest.mark.parametrize(
    ("status", "tone"),
    [
        ("ContainerCreating", W),
        ("PodInitializing", W),
        ("Init:1/2", W),
        ("Init:CrashLoopBackOff", F),
        ("CrashLoopBackOff", F),
        ("CreateContainerConfigError", F),
        ("ErrImagePull", F),
        ("OOMKilled", F),
        ("UnexpectedAdmissionError", F),
        ("Succeeded", O),
        ("NodeLost", U),
        ("", U),
    ],
)
def test_a_status_tells_its_tone(status: str, tone: Tone) -> None:
    """Ordinary steps are told from failures, known or not."""
    assert tone_of_status(status) is tone


@pytest.mark.parametrize(
    ("name", "tone"),
    [("web", G), ("expr", G), ("half", F), ("stuck", F), ("paused", A), ("zero", O), ("recreate", G)],
)
def test_deployments_have_their_tone(name: str, tone: Tone) -> None:
    """Recorded deployments: complete, out of time, paused half way, scaled to nothing."""
    assert DEPLOYMENTS.tone(row_of(DEPLOYMENTS, name)) is tone


def deployment(reason: str = "NewReplicaSetAvailable", **status: int) -> dict[str, Any]:
    conditions = [{"type": "Progressing", "status": "True", "reason": reason}]
    counts = {"replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "observedGeneration": 2, **status}
    return {"metadata": {"generation": 2}, "spec": {"replicas": 3}, "status": {**counts, "conditions": conditions}}


@pytest.mark.parametrize(
    ("item", "tone"),
    [
        (deployment(), G),
        (deployment(readyReplicas=2), A),
        (deployment(readyReplicas=0), F),
        (deployment("ReplicaSetUpdated", readyReplicas=0), W),
        (deployment(updatedReplicas=1), W),
        (deployment(replicas=4), W),
        (deployment(observedGeneration=1), W),
        (deployment("ProgressDeadlineExceeded"), F),
    ],
)
def test_a_rollout_on_its_way_is_told_from_a_deployment_that_lost_pods(item: dict[str, Any], tone: Tone) -> None:
    """The same count of ready pods means work during a rollout and trouble after it."""
    assert tone_of(DEPLOYMENTS, item) is tone


@pytest.mark.parametrize(
    ("cells", "tone"),
    [(("3/3", 3), G), (("2/3", 3), A), (("0/2", 2), F), (("4/6", 2), W), (("0/0", 0), O)],
)
def test_a_deployments_cells_tell_its_tone(cells: tuple[str, int], tone: Tone) -> None:
    """READY and UP-TO-DATE together tell a rollout from trouble."""
    key = row_of(DEPLOYMENTS, "web").key
    assert DEPLOYMENTS.tone(Row(key, "", None, ("web", *cells))) is tone


@pytest.mark.parametrize(
    ("status", "unschedulable", "tone"),
    [("True", False, G), ("True", True, A), ("False", False, F), ("Unknown", True, F)],
)
def test_nodes_have_their_tone(status: str, unschedulable: bool, tone: Tone) -> None:
    """A node that does not answer is worse than one that takes no new pods."""
    item = item_of(NODES, "fake-0")
    item["spec"]["unschedulable"] = unschedulable
    item["status"]["conditions"] = [{"type": "Ready", "status": status}]
    view = msgspec.convert(item, NODES.view)
    cells = tuple(column.cell(Row(view.key, "", view), 0) for column in NODES.columns[:3])
    assert [NODES.tone(Row(view.key, "", view)), NODES.tone(Row(view.key, "", None, cells))] == [tone, tone]


def test_a_node_under_pressure_is_a_warning() -> None:
    """It is Ready, but lacks memory, disk or process ids."""
    item = item_of(NODES, "fake-0")
    for condition in item["status"]["conditions"]:
        if condition["type"] == "DiskPressure":
            condition["status"] = "True"
    assert tone_of(NODES, item) is A


def test_a_service_that_nobody_answers_for_has_failed() -> None:
    """A selector without ready endpoints fails callers; without a selector, or as a mere name, it says nothing."""
    joined = joined_with(ENDPOINT_SLICES)
    tones = {row.key.name: SERVICES.tone(row, joined) for row in recorded(SERVICES).rows}
    assert tones | {"web": G, "nobody": F, "unready": F, "manual": P, "dns": P, "lb-pending": W, "lb": G} == tones


def test_the_worst_of_a_row_speaks_for_it() -> None:
    """A load balancer that is pending does not hide that no endpoint answers."""
    item = item_of(SERVICES, "lb-pending")
    view = msgspec.convert(item, SERVICES.view)
    assert SERVICES.tone(Row(view.key, "", view), joined_with_none_ready) is F


def joined_with_none_ready(join: Any, key: Any) -> Any:
    return [
        msgspec.convert({"addressType": "IPv4", "endpoints": [{"conditions": {"ready": False}}]}, ENDPOINT_SLICES.view)
    ]


def test_old_revisions_are_idle() -> None:
    """A replica set that wants no pods and has none is finished, not failed."""
    tones = {row.key.name: REPLICASETS.tone(row) for row in recorded(REPLICASETS).rows}
    assert (tones["zero-9dfcc7cdf"], tones["bare"], tones["stuck-9d7b995bb"]) == (O, G, A)


def test_warnings_stand_out_among_events() -> None:
    """Only events of type Warning have a tone."""
    tones = {(row.object.type, EVENTS.tone(row)) for row in recorded(EVENTS).rows}
    assert tones == {("Normal", P), ("Warning", A)}


@pytest.mark.parametrize(
    ("word", "tone"),
    [
        ("Bound", G),
        ("Active", G),
        ("Pending", W),
        ("Terminating", W),
        ("Failed", F),
        ("Lost", F),
        ("Complete", O),
        ("Ready,SchedulingDisabled", G),
        ("Failed: no such image", F),
        ("ImagePullBackOff", F),
        ("Out Of Sync", A),
        ("blue", P),
        ("", P),
    ],
)
def test_status_words_have_a_tone(word: str, tone: Tone) -> None:
    """Common words of built-in and custom kinds are understood; others say nothing."""
    assert tone_of_word(word) is tone


@pytest.mark.parametrize(
    ("text", "tone"),
    [("True", G), ("False", A), ("Unknown", U), ("3/3", G), ("2/3", A), ("0/3", F), ("0/0", O), ("", P), ("5", P)],
)
def test_ready_columns_have_a_tone(text: str, tone: Tone) -> None:
    """READY of any kind says True, or how many of how many."""
    assert tone_of_truth(text) is tone


@pytest.mark.parametrize(
    ("kind", "status", "tone"),
    [
        ("Ready", "True", G),
        ("Ready", "False", A),
        ("Ready", "Unknown", U),
        ("MemoryPressure", "False", G),
        ("MemoryPressure", "True", A),
        ("NetworkUnavailable", "True", A),
        ("ReplicaFailure", "True", A),
        ("SomeFinalizersRemain", "maybe", P),
    ],
)
def test_conditions_have_a_tone(kind: str, status: str, tone: Tone) -> None:
    """A condition is good when True, unless its name says that something is wrong."""
    assert tone_of_condition(kind, status) is tone


@pytest.mark.parametrize(("minutes", "tone"), [(5, W), (15, F)])
def test_pods_that_crash_again_and_again_are_no_progress(minutes: int, tone: Tone) -> None:
    """Each start of a crashing pod counts as progress; beyond the rollout's deadline nobody believes it."""
    item = deployment("ReplicaSetUpdated", readyReplicas=0)
    progressing = item["status"]["conditions"][0]
    progressing["lastUpdateTime"] = f"2026-01-02T03:{minutes:02}:00Z"
    item["status"]["conditions"] += [
        {"type": "Available", "status": "False", "lastTransitionTime": "2026-01-02T03:00:00Z"}
    ]
    assert tone_of(DEPLOYMENTS, item) is tone
