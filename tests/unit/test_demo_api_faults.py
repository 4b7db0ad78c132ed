"""Faults ordered of the embedded cluster happen, and end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.unit.demo_api import CONFIGMAPS, PODS, Cluster, configmap, running, until


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with running() as started:
        yield started


async def test_a_refusing_server_drops_watches_and_comes_back_at_its_port(cluster: Cluster) -> None:
    """While it refuses nothing connects and open watches break; afterwards the same address works."""
    async with cluster.watch(f"{PODS}?resourceVersion=1") as events:
        await cluster.server.faults.refuse()
        with pytest.raises(aiohttp.ClientError):
            await anext(events)
    with pytest.raises(aiohttp.ClientConnectorError):
        await cluster.get(PODS)
    await cluster.server.faults.accept()
    assert (await cluster.get(PODS)).status == 200


async def test_a_short_refusal_ends_by_itself(cluster: Cluster) -> None:
    """refuse(seconds) listens again without being told to."""
    await cluster.server.faults.refuse(0.01)
    async with asyncio.timeout(5):
        while True:
            try:
                assert (await cluster.get(PODS)).status == 200
                return
            except aiohttp.ClientConnectorError:
                await asyncio.sleep(0)


async def test_an_ordered_status_is_given_as_often_as_ordered(cluster: Cluster) -> None:
    """A 429 comes as plain text with Retry-After, for the wanted path and number of requests only."""
    cluster.server.faults.status(429, retry_after=2, times=2, plain_text=True, path="/configmaps")
    first = await cluster.get(CONFIGMAPS)
    elsewhere = await cluster.get(PODS)
    second, third = await cluster.get(CONFIGMAPS), await cluster.get(CONFIGMAPS)
    assert [each.status for each in (first, elsewhere, second, third)] == [429, 200, 429, 200]
    assert first.text == "Too many requests, please try again later.\n"
    assert first.headers["Retry-After"] == "2"
    assert first.headers["Content-Type"] == "text/plain; charset=utf-8"


async def test_an_ordered_status_is_a_status_object(cluster: Cluster) -> None:
    """Without plain_text the body is a Status with the code and its reason."""
    cluster.server.faults.status(503)
    answer = await cluster.get(PODS)
    assert (answer.status, answer.json["code"], answer.json["reason"]) == (503, 503, "ServiceUnavailable")


async def test_a_hanging_server_answers_once_released(cluster: Cluster) -> None:
    """Requests wait while the server hangs, and are answered afterwards."""
    cluster.server.faults.hang()
    waiting = asyncio.create_task(cluster.get(PODS))
    await until(lambda: bool(cluster.server.requests))
    done, _ = await asyncio.wait({waiting}, timeout=0.05)
    assert not done
    cluster.server.faults.release()
    assert (await waiting).status == 200


async def test_expiry_makes_every_older_version_too_old(cluster: Cluster) -> None:
    """Even the version a list gave a moment ago is gone, although nothing was written since."""
    cluster.storage.create("configmaps", configmap("a"))
    version = (await cluster.get(CONFIGMAPS)).json["metadata"]["resourceVersion"]
    cluster.server.faults.expire()
    async with cluster.watch(f"{CONFIGMAPS}?resourceVersion={version}") as events:
        assert (await anext(events))["object"]["code"] == 410
    assert (await cluster.get(f"{CONFIGMAPS}?resourceVersion={version}&resourceVersionMatch=Exact")).status == 410
    assert (await cluster.get(CONFIGMAPS)).names == ["a"]


async def test_renewed_tokens_make_old_ones_worthless(cluster: Cluster) -> None:
    """After renewal the old token is 401 and the new one works."""
    old = cluster.headers("admin")
    cluster.server.renew_tokens()
    async with cluster.session.get(cluster.server.url + PODS, headers=old) as response:
        assert response.status == 401
    assert (await cluster.get(PODS)).status == 200
