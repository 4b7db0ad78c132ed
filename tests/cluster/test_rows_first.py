"""Rows first: a list too large for whole objects shows, and keeps current, what whole objects would."""

from __future__ import annotations

import secrets
import time
from typing import Any

import pytest

from ktui.kinds.column import Column, JoinColumn
from ktui.kinds.deployments import DEPLOYMENTS
from ktui.kinds.generic import generic_kind
from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR, GVR_PODS, ObjectKey
from ktui.kinds.pods import PODS
from ktui.kinds.relation import Wanted
from ktui.kinds.row import Row
from ktui.kinds.services import SERVICES
from ktui.kube import feed as feed_module
from ktui.kube import list_watch, rows_first, store
from ktui.kube.client import Client
from ktui.kube.feed import Feed
from ktui.kube.state import Live
from tests.cluster.conftest import Opened
from tests.cluster.objects import Manifest, Objects, until
from tests.cluster.specimens import pod
from tests.cluster.tables import SLACK, rows_of
from tests.cluster.wire import Asked, Wire
from tests.cluster.writer import Writer, writing

CONFIGMAPS = generic_kind(GVR("", "v1", "configmaps"), "ConfigMap", True)

FORBIDDEN = {"kind": "Status", "status": "Failure", "reason": "Forbidden", "code": 403, "message": "no", "details": {}}


@pytest.fixture
def speed() -> float:
    """Ages are compared, which must be those of the present."""
    return 1.0


@pytest.fixture(autouse=True)
def everything_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of more than two objects is read rows first, three rows at a time."""
    monkeypatch.setattr(rows_first, "WHOLE_BYTES", 0)
    monkeypatch.setattr(rows_first, "OBJECTS_A_REQUEST", 0)
    monkeypatch.setattr(rows_first, "ROWS", 3)
    monkeypatch.setattr(list_watch, "FIRST_PAGE", 2)


def labelled(namespace: str, name: str, **labels: str) -> Manifest:
    """A ConfigMap."""
    meta = {"name": name, "namespace": namespace, "labels": labels}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"a": "b"}}


async def look(opened: Opened, kind: Kind, wire: Wire | None = None, **scope: Any) -> Feed:
    """Look at a kind everywhere, and wait until it is live."""
    session = await opened(wire.kubeconfig() if wire else None)
    feed = session.open(kind, **scope).feed
    await until(lambda: feed.state == Live())
    return feed


def shown(column: Column, row: Row) -> set[str]:
    """What a cell may say within a second of now."""
    now = time.time()
    return {column.cell(row, now + slack) for slack in SLACK}


async def differences(feed: Feed, client: Client, namespace: str = "") -> list[str]:
    """Where a feed's rows differ from whole objects, listed now; in one namespace, or everywhere."""
    whole = await rows_of(client, feed.kind, namespace)
    mine = {key: row for key, row in feed.store.rows.items() if namespace in ("", key.namespace)}
    wrong = [f"{key} is known to one side only" for key in whole.keys() ^ mine.keys()]
    columns = [column for column in feed.kind.columns if not isinstance(column, JoinColumn)]
    for key in whole.keys() & mine.keys():
        wrong += [
            f"{key} {column.name}: {column.cell(mine[key], 0)!r} instead of {column.cell(whole[key], 0)!r}"
            for column in columns
            if not shown(column, mine[key]) & shown(column, whole[key])
        ]
    return wrong


async def assert_as_whole(feed: Feed, client: Client, namespace: str = "") -> None:
    """The rows become what whole objects show."""

    async def equal() -> bool:
        return not await differences(feed, client, namespace)

    try:
        await until(equal, 20)
    except AssertionError:
        raise AssertionError(await differences(feed, client, namespace)) from None


@pytest.mark.parametrize("kind", [PODS, DEPLOYMENTS, SERVICES, CONFIGMAPS], ids=lambda kind: kind.gvr.resource)
async def test_rows_say_what_whole_objects_say(
    kind: Kind, namespace: str, objects: Objects, client: Client, opened: Opened
) -> None:
    """Every cell of every row is that of the whole object, ages to what the server prints of them."""
    for number in range(5):
        await objects.apply(labelled(namespace, f"c{number}"))
        await objects.apply(pod(namespace, f"p{number}"))
    feed = await look(opened, kind)
    if len(feed.store) > 2:
        assert feed.store.abridged
    await assert_as_whole(feed, client)


async def test_a_large_list_is_asked_for_once(namespace: str, objects: Objects, opened: Opened, wire: Wire) -> None:
    """One page of objects, the namespaces, and each namespace's rows; then one watch."""
    for number in range(4):
        await objects.apply(labelled(namespace, f"c{number}"))
    feed = await look(opened, CONFIGMAPS, wire)
    asked = [each for each in wire.asked if each.path.endswith("/configmaps")]
    assert [each.query.get("includeObject") for each in asked if "/namespaces/" not in each.path] == ["Metadata"] * 2
    assert sum(each.watch for each in asked) == 1
    assert wire.count(lambda each: each.path == "/api/v1/namespaces") == 1
    mine = [each for each in asked if f"/{namespace}/" in each.path]
    # Five with the root certificate, three in an answer.
    assert [("continue" in each.query) for each in mine] == [False, True]
    assert all(each.query["includeObject"] == "None" for each in mine)
    assert sum(key.namespace == namespace for key in feed.store.rows) == 5


@pytest.mark.parametrize("kind", [PODS, CONFIGMAPS], ids=["objects", "tables"])
async def test_it_follows_what_changes(kind: Kind, namespace: str, client: Client, opened: Opened, wire: Wire) -> None:
    """While objects come, change and go, and watches break and expire, rows end up as whole objects would."""
    feed = await look(opened, kind, wire)

    def made(name: str) -> Manifest:
        return pod(namespace, name) if kind is PODS else labelled(namespace, name)

    writer = Writer(client, made)
    async with writing(writer):
        await until(lambda: writer.writes > 15, 60)
        wire.break_watches()
        await until(lambda: writer.writes > 30, 60)
        gone = {"kind": "Status", "status": "Failure", "reason": "Expired", "code": 410, "message": "too old"}
        wire.answer(410, gone, when=lambda asked: asked.watch and asked.path.endswith(kind.gvr.resource))
        wire.break_watches()
        await until(lambda: writer.writes > 45, 60)
    await until(lambda: feed.state == Live(), 40)
    await assert_as_whole(feed, client, namespace)


async def test_a_namespace_made_while_rows_land_is_not_missed(
    objects: Objects, client: Client, namespace: str, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is made in a namespace that was not there when they were listed comes by the watch."""
    for number in range(3):
        await objects.apply(labelled(namespace, f"c{number}"))
    new, listed = f"t-{secrets.token_hex(4)}", rows_first.namespaces

    async def too_late(client: Client) -> rows_first.Namespaces | None:
        found = await listed(client)
        await objects.make_namespace(new)
        await objects.apply(labelled(new, "late"))
        return found

    monkeypatch.setattr(rows_first, "namespaces", too_late)
    feed = await look(opened, CONFIGMAPS)
    await until(lambda: ObjectKey(new, "late") in feed.store.rows)


@pytest.mark.parametrize("denied", [("namespaces",), ("namespaces", "serviceaccounts")], ids=["namespaces", "both"])
async def test_whoever_may_not_list_namespaces_sees_the_same(
    denied: tuple[str, ...], namespace: str, objects: Objects, client: Client, opened: Opened, wire: Wire
) -> None:
    """Namespaces are found by their service accounts, else rows are made of whole objects."""
    for number in range(4):
        await objects.apply(labelled(namespace, f"c{number}"))
    refused = {f"/api/v1/{resource}" for resource in denied}
    wire.answer(403, FORBIDDEN, when=lambda asked: asked.path in refused, times=99)
    feed = await look(opened, CONFIGMAPS, wire)
    await assert_as_whole(feed, client)
    by_namespace = wire.count(lambda asked: "/namespaces/" in asked.path and asked.path.endswith("/configmaps"))
    assert bool(by_namespace) == (denied == ("namespaces",))


async def test_a_selection_is_read_rows_first_too(
    namespace: str, objects: Objects, client: Client, opened: Opened
) -> None:
    """Of a selection servers do not say how large it is; it may be nearly everything."""
    for number in range(6):
        await objects.apply(labelled(namespace, f"c{number}", half=str(number % 2)))
    feed = await look(opened, CONFIGMAPS, labels="half=0")
    assert feed.store.abridged
    assert {key.name for key in feed.store.rows} >= {"c0", "c2", "c4"}
    assert not {key.name for key in feed.store.rows} & {"c1", "c3", "c5"}


# -- objects where they are wanted -----------------------------------------------------------


async def test_wanted_objects_come_and_stay_complete(namespace: str, objects: Objects, opened: Opened) -> None:
    """A selection is asked for once; what joins it later comes by the watch, whole."""
    for number in range(4):
        await objects.apply({**pod(namespace, f"p{number}"), **_labels(namespace, f"p{number}", app="a")})
    feed = await look(opened, PODS)
    wanted = Wanted(GVR_PODS, namespace, labels="app=a")
    assert not feed.store.whole(wanted)
    feed.want([wanted])
    await until(lambda: feed.store.whole(wanted))
    await objects.apply({**pod(namespace, "late"), **_labels(namespace, "late", app="a")})
    await until(lambda: ObjectKey(namespace, "late") in feed.store.rows)
    mine = [row for key, row in feed.store.rows.items() if key.namespace == namespace]
    assert len(mine) == 5
    assert all(row.object is not None for row in mine)


async def test_one_object_is_wanted_by_its_name(namespace: str, objects: Objects, opened: Opened) -> None:
    """The row under the cursor gets its object, and nothing else is asked for."""
    for number in range(4):
        await objects.apply(pod(namespace, f"p{number}"))
    feed = await look(opened, PODS)
    wanted = Wanted(GVR_PODS, namespace, "p3")
    feed.want([wanted])
    await until(lambda: feed.store.rows[ObjectKey(namespace, "p3")].object is not None)
    assert feed.store.whole(wanted)


async def test_a_refusal_is_remembered(namespace: str, objects: Objects, opened: Opened, wire: Wire) -> None:
    """Objects that may not be had are not asked for again and again; the reason is kept."""
    for number in range(4):
        await objects.apply(labelled(namespace, f"c{number}"))
    feed = await look(opened, CONFIGMAPS, wire)
    wanted = Wanted(CONFIGMAPS.gvr, namespace, labels="app=a")
    selects = {"labelSelector": "app=a"}

    def asks(asked: Asked) -> bool:
        return asked.query.get("labelSelector") == selects["labelSelector"]

    wire.answer(403, FORBIDDEN, when=asks, times=9)
    feed.want([wanted])
    await until(lambda: feed.refused(wanted) != "")
    feed.want([wanted])
    assert wire.count(asks) == 1


async def test_what_was_refused_is_asked_for_again(
    namespace: str, objects: Objects, opened: Opened, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason goes when the objects can be had, without anybody's doing."""
    monkeypatch.setattr(feed_module, "ASK_AGAIN", 0.2)
    for number in range(4):
        await objects.apply(pod(namespace, f"p{number}"))
    feed = await look(opened, PODS, wire)
    wanted = Wanted(GVR_PODS, namespace, "p3")
    feed.listen(lambda: feed.want([wanted]))
    wire.answer(500, "broken", when=lambda asked: asked.query.get("fieldSelector") == "metadata.name=p3")
    feed.want([wanted])
    await until(lambda: feed.refused(wanted) != "")
    await until(lambda: feed.store.whole(wanted))
    assert feed.refused(wanted) == ""


async def test_nothing_comes_from_other_namespaces(namespace: str, objects: Objects, opened: Opened) -> None:
    """What is wanted everywhere is looked for where the feed looks, and nowhere else."""
    other = await objects.make_namespace(f"t-{secrets.token_hex(4)}")
    for number in range(4):
        await objects.apply(pod(namespace, f"p{number}"))
        await objects.apply(pod(other, f"p{number}"))
    feed = await look(opened, PODS, namespaces=(namespace,))
    wanted = Wanted(GVR_PODS, "", fields="metadata.name=p3")
    feed.want([wanted])
    await until(lambda: feed.store.whole(wanted))
    assert {key.namespace for key in feed.store.rows} == {namespace}
    assert feed.store.rows[ObjectKey(namespace, "p3")].object is not None


async def test_a_list_that_begins_meanwhile_is_not_taken_for_the_objects(
    namespace: str, objects: Objects, opened: Opened, wire: Wire
) -> None:
    """What was asked for before a new list is not said to be known after it, whose rows have no objects."""
    for number in range(4):
        await objects.apply(pod(namespace, f"p{number}"))
    feed = await look(opened, PODS, wire)
    wanted = Wanted(GVR_PODS, namespace, "p3")
    wire.hold()
    feed.want([wanted])
    await until(lambda: wire.count(lambda asked: asked.query.get("fieldSelector") == "metadata.name=p3") == 1)
    feed.store.begin_list("", abridged=True)
    wire.flow()
    await until(lambda: wanted not in feed._wanted)
    assert not feed.store.whole(wanted)


async def test_more_objects_than_are_kept_are_not_claimed(
    namespace: str, objects: Objects, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A selection too large to be kept is said to be so, and not asked for without end."""
    monkeypatch.setattr(feed_module, "MOST_OBJECTS", 3)
    for number in range(4):
        await objects.apply({**pod(namespace, f"p{number}"), **_labels(namespace, f"p{number}", app="a")})
    feed = await look(opened, PODS)
    wanted = Wanted(GVR_PODS, namespace, labels="app=a")
    feed.want([wanted])
    await until(lambda: "more than are kept" in feed.refused(wanted))
    assert not feed.store.whole(wanted)


async def test_objects_of_long_ago_are_let_go(
    namespace: str, objects: Objects, client: Client, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much changes, only so many objects are kept, and rows look the same without."""
    monkeypatch.setattr(store, "MOST_OBJECTS", 4)
    for number in range(4):
        await objects.apply(pod(namespace, f"early{number}"))
    feed = await look(opened, PODS)
    for number in range(12):
        await objects.apply(pod(namespace, f"p{number}"))
    await until(lambda: sum(key.namespace == namespace for key in feed.store.rows) == 16)
    await assert_as_whole(feed, client, namespace)
    assert sum(row.object is not None for row in feed.store.rows.values()) <= 5


def _labels(namespace: str, name: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace, "labels": labels}}
