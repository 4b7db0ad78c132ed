"""Faults ordered of the embedded cluster's writes: refusals, delays, storms, and answers that never come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.unit.demo_api import CONFIGMAPS, PODS, Cluster, configmap, running, until

ONE = f"{CONFIGMAPS}/a"


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with running() as started:
        started.storage.create("configmaps", configmap("a"))
        yield started


def stored(cluster: Cluster) -> dict[str, str]:
    found = cluster.storage.get("configmaps", "shop", "a")
    assert found is not None
    data: dict[str, str] = found["data"]
    return data


async def ask_for_ever(cluster: Cluster) -> None:
    while True:
        await cluster.get(ONE)


@pytest.mark.parametrize(("code", "reason"), [(403, "Forbidden"), (400, None)])
async def test_a_webhook_refuses_writes(cluster: Cluster, code: int, reason: str | None) -> None:
    """Writes are refused in the webhook's words, dry runs too; reads and other paths are not, until it is cleared."""
    cluster.server.faults.deny("no Fridays", webhook="calm.example.com", code=code, path="/configmaps")
    for query in ("", "?dryRun=All"):
        refused = await cluster.patch(f"{ONE}{query}", {"data": {"a": "2"}})
        assert (refused.status, refused.json.get("reason"), refused.message) == (
            code,
            reason,
            'admission webhook "calm.example.com" denied the request: no Fridays',
        )
    assert (await cluster.get(ONE)).json["data"] == {"a": "1"}
    assert (await cluster.request("DELETE", f"{PODS}/nope")).status == 404
    cluster.server.faults.clear()
    assert (await cluster.patch(ONE, {"data": {"a": "2"}})).status == 200


async def test_who_may_not_is_told_so_before_a_webhook_is_asked(cluster: Cluster) -> None:
    """Access is decided first, as upstream does it."""
    cluster.server.faults.deny("no")
    refused = await cluster.request("DELETE", ONE, user="nobody")
    assert "cannot delete resource" in refused.message


async def test_a_chosen_verb_is_refused(cluster: Cluster) -> None:
    """429 for patches alone, as often as ordered."""
    cluster.server.faults.status(429, retry_after=3, verbs=("patch",), times=1)
    assert (await cluster.get(ONE)).status == 200
    refused = await cluster.patch(ONE, {"data": {"a": "2"}})
    assert (refused.status, refused.headers["Retry-After"]) == (429, "3")
    assert (await cluster.patch(ONE, {"data": {"a": "2"}})).status == 200


@pytest.mark.parametrize("done_first", [False, True])
async def test_a_slow_write(cluster: Cluster, done_first: bool) -> None:
    """A write of 30 s by the clock: done at its end or at its beginning, answered at its end."""
    cluster.server.faults.delay(30, verbs=("patch",), done_first=done_first)
    writing = asyncio.create_task(cluster.patch(ONE, {"data": {"a": "2"}}))
    await until(lambda: bool(cluster.clock.pending()))
    assert (await cluster.get(ONE)).json["data"] == {"a": "2" if done_first else "1"}
    cluster.clock.advance(29)
    assert not writing.done()
    cluster.clock.advance(1)
    assert (await writing).status == 200
    assert stored(cluster) == {"a": "2"}


async def test_who_does_not_wait_has_written_nothing(cluster: Cluster) -> None:
    """A client that goes away during a delay takes its request along."""
    cluster.server.faults.delay(30, verbs=("patch",))
    writing = asyncio.create_task(cluster.patch(ONE, {"data": {"a": "2"}}))
    await until(lambda: bool(cluster.clock.pending()))
    writing.cancel()
    await until(lambda: not cluster.clock.pending())
    assert stored(cluster) == {"a": "1"}


async def test_a_storm_makes_every_version_old(cluster: Cluster) -> None:
    """Whoever writes what it has read is in conflict, as often as ordered; a patch without a version gets through."""
    cluster.server.faults.contend("configmaps", "shop", "a", times=2)
    for status in (409, 409, 200):
        found = (await cluster.get(ONE)).json
        assert (await cluster.request("PUT", ONE, {**found, "data": {"a": "2"}})).status == status
    cluster.server.faults.contend("configmaps", "shop", "a")
    assert (await cluster.patch(ONE, {"data": {"a": "3"}})).status == 200


async def test_a_lost_answer(cluster: Cluster) -> None:
    """The write is done, but who asked for it is not told."""
    cluster.server.faults.lose_answer(path="/configmaps")
    with pytest.raises(aiohttp.ClientError):
        await cluster.patch(ONE, {"data": {"a": "2"}})
    assert stored(cluster) == {"a": "2"}
    assert (await cluster.patch(ONE, {"data": {"a": "3"}})).status == 200


async def test_a_server_that_dies_between_two_requests(cluster: Cluster) -> None:
    """The dry run is answered, the write that follows finds nobody, until the server is back."""
    cluster.server.faults.die_after(verbs=("patch",), path="dryRun=All")
    assert (await cluster.get(ONE)).status == 200
    assert (await cluster.patch(f"{ONE}?dryRun=All", {"data": {"a": "2"}})).json["data"] == {"a": "2"}
    with pytest.raises(aiohttp.ClientError):
        await ask_for_ever(cluster)
    with pytest.raises(aiohttp.ClientConnectorError):
        await cluster.patch(ONE, {"data": {"a": "2"}})
    assert stored(cluster) == {"a": "1"}
    await cluster.server.faults.accept()
    assert (await cluster.patch(ONE, {"data": {"a": "2"}})).status == 200
