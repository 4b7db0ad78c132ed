"""Store: what subscribers are told, what indexes find, what a sweep drops."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ktui.kinds.kind import Index, Kind
from ktui.kinds.names import GVR, ObjectKey
from ktui.kinds.objects import Object, ObjectMeta
from ktui.kinds.row import Row
from ktui.kube.store import Store


def colour(item: Any) -> Iterable[str]:
    return ((item.metadata.labels or {}).get("colour", "none"),)


KIND = Kind(
    gvr=GVR("", "v1", "things"),
    kind="Thing",
    namespaced=True,
    view=Object,
    columns=(),
    indexes={"colour": Index(colour)},
)


def row(name: str, version: str = "1", namespace: str = "a", colour: str = "red", uid: str = "") -> Row:
    meta = ObjectMeta(
        name=name, namespace=namespace, uid=uid or name, resource_version=version, labels={"colour": colour}
    )
    return Row(ObjectKey(namespace, name), meta.uid, Object(meta))


def test_a_subscriber_is_woken_once_until_it_drains() -> None:
    """Many changes wake a subscriber once; after a drain it is woken again."""
    store, woken = Store(KIND), []
    changes = store.subscribe(lambda: woken.append(1))
    store.put([row("x"), row("y")])
    assert (len(woken), set(changes.drain())) == (1, {ObjectKey("a", "x"), ObjectKey("a", "y")})
    store.remove(ObjectKey("a", "x"))
    assert (len(woken), set(changes.drain())) == (2, {ObjectKey("a", "x")})


def test_the_same_version_changes_nothing() -> None:
    """A relist that shows what the store has wakes nobody."""
    store = Store(KIND)
    store.put([row("x")])
    changes = store.subscribe(lambda: None)
    store.put([row("x")])
    assert not changes.keys


def test_a_recreated_object_is_a_change_even_in_an_equal_version() -> None:
    """An object with another UID is another object."""
    store = Store(KIND)
    store.put([row("x", uid="one")])
    changes = store.subscribe(lambda: None)
    store.put([row("x", uid="two")])
    assert set(changes.keys) == {ObjectKey("a", "x")}


def test_a_cell_that_changed_without_its_object_is_a_change() -> None:
    """A server may compute a column, so equal versions with other cells are a change."""
    store = Store(KIND)
    item = row("x").object
    store.put([Row(ObjectKey("a", "x"), "x", item, ("x", 1))])
    changes = store.subscribe(lambda: None)
    store.put([Row(ObjectKey("a", "x"), "x", item, ("x", 2))])
    assert set(changes.keys) == {ObjectKey("a", "x")}


def test_a_sweep_keeps_other_namespaces() -> None:
    """A list of one namespace drops what went there, and nothing elsewhere."""
    store = Store(KIND)
    store.put([row("x"), row("y"), row("x", namespace="b")])
    store.discard(store.keys_in("a") - {ObjectKey("a", "y")})
    assert set(store.rows) == {ObjectKey("a", "y"), ObjectKey("b", "x")}


def test_a_closed_subscription_is_told_nothing() -> None:
    """After close nothing is collected."""
    store = Store(KIND)
    changes = store.subscribe(lambda: None)
    changes.close()
    store.put([row("x")])
    assert not changes.keys


@given(
    st.lists(
        st.tuples(st.sampled_from(["put", "remove"]), st.sampled_from("abcd"), st.sampled_from(["red", "blue"])),
        max_size=40,
    )
)
def test_an_index_finds_what_a_scan_finds(steps: list[tuple[str, str, str]]) -> None:
    """Whatever came and went, an index equals a scan of all rows."""
    store = Store(KIND)
    list(store.indexed("colour", "red"))
    for version, (step, name, paint) in enumerate(steps):
        if step == "put":
            store.put([row(name, str(version), colour=paint)])
        else:
            store.remove(ObjectKey("a", name))
    for paint in ("red", "blue"):
        scanned = {key for key, each in store.rows.items() if paint in colour(each.object)}
        assert {each.key for each in store.indexed("colour", paint)} == scanned
