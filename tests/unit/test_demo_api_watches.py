"""The embedded cluster's watches: what they send, from when, and how they end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.unit.demo_api import CONFIGMAPS, METADATA, PODS, TABLE, Cluster, configmap, pod, running, until

Object = dict[str, Any]


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with running() as started:
        yield started


async def take(events: AsyncIterator[Object], count: int) -> list[Object]:
    """The next events of a watch; fails when they do not come."""
    async with asyncio.timeout(5):
        return [await anext(events) for _ in range(count)]


def seen(events: list[Object]) -> list[tuple[str, str]]:
    return [(event["type"], event["object"]["metadata"].get("name", "")) for event in events]


def relabel(cluster: Cluster, name: str, **labels: str) -> None:
    current = cluster.storage.get("configmaps", "shop", name)
    assert current is not None
    cluster.storage.update("configmaps", {**current, "metadata": {**current["metadata"], "labels": labels}})


async def test_a_watch_continues_where_a_list_ended(cluster: Cluster) -> None:
    """From a list's version a watch sends everything newer, and nothing of the list."""
    cluster.storage.create("configmaps", configmap("old"))
    version = (await cluster.get(CONFIGMAPS)).json["metadata"]["resourceVersion"]
    cluster.storage.create("configmaps", configmap("between"))
    async with cluster.watch(f"{CONFIGMAPS}?resourceVersion={version}") as events:
        first = await take(events, 1)
        relabel(cluster, "old", a="b")
        cluster.storage.delete("configmaps", "shop", "old")
        rest = await take(events, 2)
    assert seen(first + rest) == [("ADDED", "between"), ("MODIFIED", "old"), ("DELETED", "old")]


async def test_a_deletion_carries_a_new_version(cluster: Cluster) -> None:
    """The object of a DELETED event is its last state at the version of its removal."""
    created = cluster.storage.create("configmaps", configmap("a"))
    async with cluster.watch(f"{CONFIGMAPS}?resourceVersion={cluster.storage.version}") as events:
        cluster.storage.delete("configmaps", "shop", "a")
        deleted = (await take(events, 1))[0]["object"]["metadata"]
    assert int(deleted["resourceVersion"]) > int(created["metadata"]["resourceVersion"])


async def test_entering_and_leaving_a_selector_looks_like_birth_and_death(cluster: Cluster) -> None:
    """An object that comes to match is ADDED, one that no longer does is DELETED as it last matched."""
    cluster.storage.create("configmaps", configmap("a", app="db"))
    path = f"{CONFIGMAPS}?labelSelector=app%3Dweb&resourceVersion={cluster.storage.version}"
    async with cluster.watch(path) as events:
        relabel(cluster, "a", app="web")
        relabel(cluster, "a", app="web", more="1")
        relabel(cluster, "a", app="db")
        relabel(cluster, "a", app="none")
        cluster.storage.create("configmaps", configmap("b", app="web"))
        got = await take(events, 4)
    assert seen(got) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a"), ("ADDED", "b")]
    assert got[2]["object"]["metadata"]["labels"] == {"app": "web", "more": "1"}


async def test_a_watch_of_one_namespace_sees_no_other(cluster: Cluster) -> None:
    """Writes elsewhere are not sent."""
    async with cluster.watch(f"{CONFIGMAPS}?resourceVersion={cluster.storage.version}") as events:
        cluster.storage.create("configmaps", configmap("theirs", "lesson"))
        cluster.storage.create("configmaps", configmap("ours"))
        assert seen(await take(events, 1)) == [("ADDED", "ours")]


async def test_a_watch_without_a_version_starts_with_what_is_there(cluster: Cluster) -> None:
    """Without resourceVersion every object comes first as ADDED."""
    cluster.storage.create("configmaps", configmap("a"))
    cluster.storage.create("configmaps", configmap("b"))
    async with cluster.watch(CONFIGMAPS) as events:
        assert seen(await take(events, 2)) == [("ADDED", "a"), ("ADDED", "b")]


@pytest.mark.parametrize("accept", ["", TABLE, METADATA])
async def test_streamed_lists_end_with_a_marked_bookmark(cluster: Cluster, accept: str) -> None:
    """With sendInitialEvents the objects are followed by a bookmark that says so, in every form."""
    cluster.storage.create("pods", pod("a"))
    query = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&includeObject=None"
    async with cluster.watch(f"{PODS}?{query}", accept=accept) as events:
        added, bookmark = await take(events, 2)
    assert (added["type"], bookmark["type"]) == ("ADDED", "BOOKMARK")
    marked = bookmark["object"]["rows"][0]["object"] if accept == TABLE else bookmark["object"]
    assert marked["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert marked["metadata"]["resourceVersion"] == str(cluster.storage.version)


async def test_only_the_first_table_of_a_watch_has_column_definitions(cluster: Cluster) -> None:
    """Later events of a Table watch leave them null."""
    async with cluster.watch(f"{PODS}?includeObject=None&resourceVersion=1", accept=TABLE) as events:
        cluster.storage.create("pods", pod("a"))
        cluster.storage.create("pods", pod("b"))
        first, second = await take(events, 2)
    assert first["object"]["columnDefinitions"][0]["name"] == "Name"
    assert second["object"]["columnDefinitions"] is None
    assert second["object"]["rows"][0]["cells"][0] == "b"
    assert second["object"]["rows"][0]["object"] is None


async def test_watches_share_events_but_not_their_first_line(cluster: Cluster) -> None:
    """A second Table watch opened later still gets its own column definitions."""
    async with cluster.watch(f"{PODS}?resourceVersion=1", accept=TABLE) as early:
        cluster.storage.create("pods", pod("a"))
        await take(early, 1)
        async with cluster.watch(f"{PODS}?resourceVersion={cluster.storage.version}", accept=TABLE) as late:
            cluster.storage.create("pods", pod("b"))
            assert (await take(early, 1))[0]["object"]["columnDefinitions"] is None
            assert (await take(late, 1))[0]["object"]["columnDefinitions"] is not None


async def test_a_version_out_of_reach_is_an_error_event(cluster: Cluster) -> None:
    """When history is gone the answer is 200 with one ERROR event, code 410, and the watch ends."""
    cluster.storage.create("configmaps", configmap("a"))
    version = cluster.storage.version
    cluster.server.faults.expire()
    async with cluster.watch(f"{CONFIGMAPS}?resourceVersion={version}", accept=TABLE) as events:
        got = [event async for event in events]
    assert [event["type"] for event in got] == ["ERROR"]
    assert got[0]["object"] == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": f"too old resource version: {version} ({version + 1})",
        "reason": "Expired",
        "code": 410,
    }


async def test_a_long_absence_outruns_the_ring(cluster: Cluster) -> None:
    """More writes than the ring keeps make an old version unreachable without any fault."""
    cluster.storage.create("configmaps", configmap("a"))
    version = cluster.storage.version
    for count in range(70):
        relabel(cluster, "a", count=str(count))
    async with cluster.watch(f"{CONFIGMAPS}?resourceVersion={version}") as events:
        assert (await take(events, 1))[0]["object"]["code"] == 410


async def test_a_watch_ends_when_its_time_is_up(cluster: Cluster) -> None:
    """After timeoutSeconds the stream ends cleanly, with a last bookmark when bookmarks are allowed."""
    path = f"{CONFIGMAPS}?resourceVersion={cluster.storage.version}&timeoutSeconds=1&allowWatchBookmarks=true"
    async with asyncio.timeout(5), cluster.watch(path) as events:
        assert [event["type"] async for event in events] == []


async def test_a_dropped_watch_ends_after_what_was_queued(cluster: Cluster) -> None:
    """drop_watches ends watches cleanly; what was written before is still delivered."""
    async with asyncio.timeout(5), cluster.watch(f"{CONFIGMAPS}?resourceVersion=1") as events:
        cluster.storage.create("configmaps", configmap("a"))
        await take(events, 1)
        cluster.storage.create("configmaps", configmap("b"))
        cluster.server.faults.drop_watches()
        assert seen([event async for event in events]) == [("ADDED", "b")]


async def test_a_client_that_leaves_leaves_no_watch_behind(cluster: Cluster) -> None:
    """The server forgets a watch when its client disconnects."""
    watches = cluster.server._api.watches
    async with cluster.watch(CONFIGMAPS) as events:
        cluster.storage.create("configmaps", configmap("a"))
        await take(events, 1)
        assert len(watches) == 1
    await until(lambda: len(watches) == 0)


async def test_a_client_that_does_not_read_loses_its_watch(cluster: Cluster) -> None:
    """What waits for a client is bounded: beyond that its watch is ended, others go on."""
    big = configmap("big")
    big["data"] = {"a": "x" * 1_000_000}
    async with cluster.watch(f"{CONFIGMAPS}?resourceVersion=1&labelSelector=never") as others:
        async with cluster.watch(f"{CONFIGMAPS}?resourceVersion=1"):
            watch = next(w for w in cluster.server._api.watches._open["configmaps"] if w._matches is None)
            stored = cluster.storage.create("configmaps", big)
            for count in range(20):
                labels = {"count": str(count)}
                stored = cluster.storage.update(
                    "configmaps", {**stored, "metadata": {**stored["metadata"], "labels": labels}}
                )
            assert watch.ended
        cluster.storage.create("configmaps", configmap("seen", never=""))
        assert seen(await take(others, 1)) == [("ADDED", "seen")]
