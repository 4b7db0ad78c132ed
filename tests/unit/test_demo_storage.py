"""The embedded cluster's storage."""

from __future__ import annotations

import time
from typing import Any

import pytest

from ktui.demo.clock import SteppedClock
from ktui.demo.errors import StatusError
from ktui.demo.storage import Event, Storage


@pytest.fixture
def storage() -> Storage:
    return Storage(SteppedClock(), history=8)


def pod(name: str, namespace: str = "default", **fields: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {}, **fields}


def test_every_write_has_a_higher_version(storage: Storage) -> None:
    """Creates, updates and deletes each get the next resourceVersion, whatever the resource."""
    first = storage.create("pods", pod("a"))
    second = storage.create("services", pod("b"))
    third = storage.update("pods", {**first, "spec": {"nodeName": "n"}})
    last = storage.delete("pods", "default", "a")
    versions = [int(obj["metadata"]["resourceVersion"]) for obj in (first, second, third, last)]
    assert versions == sorted(set(versions))
    assert versions[-1] == storage.version


def test_writes_that_change_nothing_keep_the_version(storage: Storage) -> None:
    """An update to the same content makes no event and no new version."""
    stored = storage.create("pods", pod("a"))
    seen: list[Event] = []
    storage.subscribe(seen.append)
    assert storage.update("pods", pod("a")) is stored
    assert seen == []


def test_generation_counts_changes_of_the_spec_alone(storage: Storage) -> None:
    """Changes of status and metadata leave metadata.generation alone."""
    storage.create("pods", pod("a"))
    assert storage.update("pods", pod("a", status={"phase": "Running"}))["metadata"]["generation"] == 1
    changed = storage.update("pods", pod("a", spec={"nodeName": "n"}))
    assert changed["metadata"]["generation"] == 2


def test_kinds_without_generation_get_none(storage: Storage) -> None:
    """A ConfigMap has no metadata.generation, as on a real API server."""
    assert "generation" not in storage.create("configmaps", pod("a"))["metadata"]


def test_old_versions_conflict(storage: Storage) -> None:
    """An update with an outdated resourceVersion is refused with 409."""
    old = storage.create("pods", pod("a"))
    storage.update("pods", {**old, "spec": {"nodeName": "n"}})
    with pytest.raises(StatusError) as failure:
        storage.update("pods", {**old, "spec": {"nodeName": "m"}})
    assert (failure.value.code, failure.value.reason) == (409, "Conflict")


def test_names_are_unique_within_resource_and_namespace(storage: Storage) -> None:
    """A second object of the same name is refused, but not in another namespace."""
    storage.create("pods", pod("a"))
    storage.create("pods", pod("a", "other"))
    with pytest.raises(StatusError) as failure:
        storage.create("pods", pod("a"))
    assert failure.value.reason == "AlreadyExists"


def test_lists_are_ordered_by_namespace_and_name(storage: Storage) -> None:
    """Whatever the order of creation, lists come in the order of the keys; one namespace is a part of them."""
    for namespace, name in (("b", "x"), ("a", "z"), ("a-b", "q"), ("a", "y")):
        storage.create("pods", pod(name, namespace))
    keys = [(obj["metadata"]["namespace"], obj["metadata"]["name"]) for obj in storage.list("pods")]
    assert keys == [("a", "y"), ("a", "z"), ("a-b", "q"), ("b", "x")]
    assert [obj["metadata"]["name"] for obj in storage.list("pods", "a")] == ["y", "z"]


def test_the_ring_gives_what_happened_since(storage: Storage) -> None:
    """`since` returns exactly the newer events of the resource, oldest first."""
    storage.create("pods", pod("a"))
    version = storage.version
    storage.create("services", pod("s"))
    storage.update("pods", pod("a", spec={"x": 1}))
    storage.delete("pods", "default", "a")
    assert [event.type for event in storage.since("pods", version)] == ["MODIFIED", "DELETED"]


def test_the_ring_forgets(storage: Storage) -> None:
    """A version from before the oldest remembered event is refused with 410, a later one is not."""
    for number in range(12):
        storage.create("pods", pod(f"p-{number:02}"))
    with pytest.raises(StatusError) as failure:
        storage.since("pods", storage.oldest("pods") - 1)
    assert failure.value.code == 410
    assert len(storage.since("pods", storage.oldest("pods"))) == 8


def test_forgetting_on_demand(storage: Storage) -> None:
    """After `forget_history` only the present version is good."""
    storage.create("pods", pod("a"))
    version = storage.version - 1
    storage.forget_history()
    with pytest.raises(StatusError):
        storage.since("pods", version)
    assert storage.since("pods", storage.version) == []


def test_subscribers_see_writes_in_their_order(storage: Storage) -> None:
    """A subscriber that writes in turn does not reorder the events of those after it."""

    def answer(event: Event) -> None:
        if event.resource == "pods" and event.type == "ADDED":
            storage.create("services", pod(event.object["metadata"]["name"]))

    seen: list[int] = []
    storage.subscribe(answer)
    storage.subscribe(lambda event: seen.append(event.version))
    storage.create("pods", pod("a"))
    storage.create("pods", pod("b"))
    assert seen == sorted(seen)
    assert len(seen) == 4


def test_same_seed_same_uids_and_suffixes() -> None:
    """Two storages of one seed name and number alike; another seed does not."""

    def names(seed: int) -> list[tuple[str, str]]:
        storage = Storage(SteppedClock(), seed=seed)
        made = [storage.create("pods", {"metadata": {"generateName": "web-", "namespace": "d"}}) for _ in range(3)]
        return [(obj["metadata"]["name"], obj["metadata"]["uid"]) for obj in made]

    assert names(1) == names(1)
    assert names(1) != names(2)


def test_generated_names_have_at_most_63_characters(storage: Storage) -> None:
    """A long generateName is cut so that the five random characters fit."""
    made = storage.create("pods", {"metadata": {"generateName": "x" * 80, "namespace": "d"}})
    assert len(made["metadata"]["name"]) == 63


def test_many_objects_are_quick_to_create(storage: Storage) -> None:
    """10,000 pods, in no order, take less than two seconds."""
    begun = time.perf_counter()
    for number in range(10_000):
        storage.create("pods", pod(f"p-{number * 7919 % 10_000:05}", f"ns-{number % 50:02}"))
    assert time.perf_counter() - begun < 2
    assert len(storage.list("pods", "ns-07")) == 200
