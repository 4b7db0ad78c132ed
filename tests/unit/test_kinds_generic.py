from __future__ import annotations

import pytest

from ktui.kinds.builtin import BUILTIN
from ktui.kinds.generic import ColumnDefinition, generic_kind, with_columns
from ktui.kinds.kind import Trait
from ktui.kinds.names import GVR, ObjectKey
from ktui.kinds.objects import Object, ObjectMeta
from ktui.kinds.pods import PODS
from ktui.kinds.row import Row
from ktui.kinds.tone import Tone
from tests.unit.golden.recorded import column_definitions, recorded, stores_of

CLAIMS = GVR("", "v1", "persistentvolumeclaims")
CLAIM_COLUMNS = column_definitions("/api/v1/persistentvolumeclaims")
CLAIM_CELLS = ("data", "Pending", "", "", "", "fast", "<unset>", "5m", "Filesystem")


def claim_row(status: str = "Pending") -> Row:
    meta = ObjectMeta(name="data", namespace="shop", creation_timestamp="1970-01-01T00:00:00Z")
    return Row(ObjectKey("shop", "data"), "u", Object(meta), ("data", status, *CLAIM_CELLS[2:]))


def test_before_the_server_answered_a_kind_shows_name_and_age() -> None:
    """A table has a header at once."""
    kind = generic_kind(CLAIMS, "PersistentVolumeClaim", True, ("pvc",))
    cells = [column.cell(claim_row(), 120) for column in kind.columns]
    assert ([column.name for column in kind.columns], cells) == (["NAME", "AGE"], ["data", "2m"])


def test_columns_are_those_of_the_servers_table() -> None:
    """Names in capitals, wide where the priority is above 0, cells as the server printed them, ages of today."""
    kind = generic_kind(CLAIMS, "PersistentVolumeClaim", True, ("pvc",), CLAIM_COLUMNS)
    assert [(column.name, column.wide) for column in kind.columns] == [
        (definition.name.upper(), definition.priority > 0) for definition in CLAIM_COLUMNS
    ]
    cells = [column.cell(claim_row(), 120) for column in kind.columns]
    assert cells == ["data", "Pending", "", "", "", "fast", "<unset>", "2m", "Filesystem"]


@pytest.mark.parametrize(("status", "tone"), [("Bound", Tone.GOOD), ("Pending", Tone.WORKING), ("Lost", Tone.FAILED)])
def test_status_words_give_a_row_its_tone(status: str, tone: Tone) -> None:
    """The STATUS of a kind that nobody taught ktui is understood."""
    assert generic_kind(CLAIMS, "PersistentVolumeClaim", True, (), CLAIM_COLUMNS).tone(claim_row(status)) is tone


def test_custom_resources_tell_their_tone() -> None:
    """Columns of a CRD named Ready and Phase count, and the worst of them speaks."""
    columns = [
        ColumnDefinition("Name", "string", "name"),
        ColumnDefinition("Ready", "string"),
        ColumnDefinition("Phase"),
    ]
    kind = generic_kind(GVR("shop.example.com", "v1", "widgets"), "Widget", True, ("wd",), columns)
    key = ObjectKey("shop", "a")
    assert kind.tone(Row(key, "", None, ("a", "True", "Failed"))) is Tone.FAILED
    assert kind.tone(Row(key, "", None, ("a", "True", "Blue"))) is Tone.GOOD


def test_numbers_are_aligned_to_the_right() -> None:
    """Columns of integers and numbers are, others are not."""
    kind = generic_kind(
        GVR("apps", "v1", "daemonsets"), "DaemonSet", True, (), column_definitions("/apis/apps/v1/daemonsets")
    )
    right = {column.name for column in kind.columns if column.right}
    assert right == {"DESIRED", "CURRENT", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"}


@pytest.mark.parametrize(("ready", "tone"), [(3, Tone.GOOD), (2, Tone.WARNING), (0, Tone.FAILED)])
def test_desired_and_ready_in_two_columns_tell_the_tone(ready: int, tone: Tone) -> None:
    """A DaemonSet has no `2/3`, but two numbers that say the same."""
    definitions = column_definitions("/apis/apps/v1/daemonsets")
    kind = generic_kind(GVR("apps", "v1", "daemonsets"), "DaemonSet", True, (), definitions)
    assert with_columns(kind, definitions) == kind
    assert kind.tone(Row(ObjectKey("a", "b"), "", None, ("b", 3, 3, ready, 3, ready, "<none>", "5m"))) is tone


def test_the_same_columns_give_the_same_kind() -> None:
    """A server that sends its columns again changes nothing."""
    kind = generic_kind(CLAIMS, "PersistentVolumeClaim", True, ("pvc",), CLAIM_COLUMNS)
    assert with_columns(kind, list(CLAIM_COLUMNS)) == kind


def test_kinds_that_print_themselves_keep_their_columns() -> None:
    """The Table of a known kind (rows without objects) brings nothing new."""
    assert all(with_columns(kind, recorded(kind).columns) is kind for kind in BUILTIN.values())


def test_workloads_without_a_value_of_their_own_have_their_traits() -> None:
    """A StatefulSet can be restarted and its pods have logs; discovery adds what it knows."""
    stateful = generic_kind(GVR("apps", "v1", "statefulsets"), "StatefulSet", True)
    assert stateful.traits == Trait.SCALABLE | Trait.TEMPLATED | Trait.ROLLOUT | Trait.LOGGABLE
    custom = generic_kind(GVR("shop.example.com", "v1", "widgets"), "Widget", True, traits=Trait.SCALABLE)
    assert custom.traits is Trait.SCALABLE


def test_the_pods_that_any_object_controls_are_found() -> None:
    """Kinds that nobody taught ktui still lead to their pods."""
    bare = generic_kind(GVR("apps", "v1", "replicasets"), "ReplicaSet", True)
    (relation,) = bare.relations
    found = relation.find(Object(ObjectMeta(name="bare", namespace="kinds-check")), stores_of(PODS))
    assert [row.key.name for row in found] == ["bare-nhh6k"]


def test_events_of_the_new_group_have_their_name_last() -> None:
    """NAME is found by its format, wherever it stands."""
    kind = generic_kind(
        GVR("events.k8s.io", "v1", "events"), "Event", True, (), column_definitions("/apis/events.k8s.io/v1/events")
    )
    row = Row(ObjectKey("a", "pod.1"), "", None, ("5s", "Normal", "R", "pod/x", "", "s", "m", "5s", 1, "pod.1"))
    assert {column.name: column.cell(row, 0) for column in kind.columns}["NAME"] == "pod.1"
