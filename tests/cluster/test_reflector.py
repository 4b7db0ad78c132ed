"""Reflectors: whatever happens to the server and to the line, the store ends up equal to a fresh list."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from ktui.kinds.generic import generic_kind
from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR
from ktui.kinds.objects import Object
from ktui.kinds.pods import PODS
from ktui.kube import list_watch, reflector
from ktui.kube.client import Client
from ktui.kube.errors import Expired
from ktui.kube.list_watch import ListWatch
from ktui.kube.state import Absent, Listing, Live, Polled, Stale
from tests.cluster import statuses
from tests.cluster.clusters import Cluster
from tests.cluster.conftest import Opened
from tests.cluster.objects import Manifest, Objects, until
from tests.cluster.specimens import pod
from tests.cluster.watching import Watching, listed
from tests.cluster.wire import Asked, Wire
from tests.cluster.writer import Writer, writing

CONFIGMAPS = generic_kind(GVR("", "v1", "configmaps"), "ConfigMap", True)
"""A kind that the server prints: its rows come in Tables."""

WHOLE_CONFIGMAPS = Kind(gvr=CONFIGMAPS.gvr, kind="ConfigMap", namespaced=True, view=Object, columns=())
"""The same, as whole objects."""

both_ways = pytest.mark.parametrize("kind", [WHOLE_CONFIGMAPS, CONFIGMAPS], ids=["objects", "tables"])


def configmap(namespace: str, name: str, **content: str) -> Manifest:
    """A ConfigMap."""
    meta = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": content}


def lists(asked: Asked) -> bool:
    """Whether a list of config maps is asked for, or a page of one."""
    return asked.method == "GET" and asked.path.endswith("/configmaps") and not asked.watch


def watches(asked: Asked) -> bool:
    """Whether a watch of config maps is asked for."""
    return asked.path.endswith("/configmaps") and asked.watch


def more_pages(asked: Asked) -> bool:
    """Whether the next page of a list is asked for."""
    return "continue" in asked.query


async def look(opened: Opened, wire: Wire, kind: Kind, namespace: str) -> Watching:
    """Look at a kind over the wire, and wait until it is live."""
    session = await opened(wire.kubeconfig())
    watching = Watching(session.open(kind, (namespace,)).feed)
    await until(lambda: watching.feed.state == Live())
    return watching


async def assert_current(watching: Watching, client: Client, namespace: str) -> None:
    """The rows become, and stay, what a fresh list shows, and none ever vanished to come back."""

    async def equal() -> bool:
        return watching.versions() == await listed(client, watching.feed.kind, namespace)

    await until(equal, 30, "the rows never became those of a fresh list")
    assert watching.returned == []


async def test_a_restart_of_the_api_server_loses_nothing(
    client: Client, namespace: str, opened: Opened, restart: Callable[[], Awaitable[None]]
) -> None:
    """While the API server restarts amid writes, rows stay, say that they are stale, and are current again after."""
    session = await opened()
    shown = [Watching(session.open(kind, (namespace,)).feed) for kind in (PODS, CONFIGMAPS)]
    await until(lambda: all(watching.feed.state == Live() for watching in shown))
    before = session.client.meter.requests if session.client else 0
    pods = Writer(client, lambda name: pod(namespace, name))
    configmaps = Writer(client, lambda name: configmap(namespace, name))
    async with writing(pods), writing(configmaps):
        await until(lambda: min(pods.writes, configmaps.writes) > 20)
        await restart()
        await until(lambda: all(watching.feed.state == Live() for watching in shown), 60)
        then = pods.writes, configmaps.writes
        await until(lambda: pods.writes > then[0] + 10 and configmaps.writes > then[1] + 10, 60)
    for watching in shown:
        await assert_current(watching, client, namespace)
        assert "Stale" in watching.words
        assert set(watching.words[watching.words.index("Stale") :]) == {"Stale", "Live"}
        assert all(state.complete for state in watching.states if isinstance(state, Stale))
    assert session.client is not None
    assert session.client.meter.requests - before < 40


@both_ways
async def test_watches_that_end_are_resumed(
    kind: Kind,
    client: Client,
    objects: Objects,
    namespace: str,
    opened: Opened,
    wire: Wire,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A watch that ends in an orderly way is resumed from where it was: no list, no word, nothing lost."""
    # Else only a watch that lasted a second is taken to have ended in order.
    monkeypatch.setattr(reflector, "SHORTEST_WATCH", 0.0)
    watching = await look(opened, wire, kind, namespace)
    for asked in (1, 2):
        await until(lambda count=asked: wire.watches == 1 and wire.count(watches) == count)  # type: ignore[misc]
        await objects.apply(configmap(namespace, f"seen-{asked}"))
        wire.end_watches()
    await until(lambda: wire.watches == 1 and wire.count(watches) == 3)
    await assert_current(watching, client, namespace)
    assert watching.words[-1] == "Live"
    assert "Stale" not in watching.words
    assert (wire.count(lists), wire.count(watches)) == (1, 3)


@both_ways
async def test_watches_that_break_are_resumed(
    kind: Kind, client: Client, namespace: str, opened: Opened, wire: Wire
) -> None:
    """Watches that break off amid writes lose nothing, and are resumed without a list."""
    watching = await look(opened, wire, kind, namespace)
    async with writing(Writer(client, lambda name: configmap(namespace, name))) as writer:
        for _ in range(3):
            await until(lambda: wire.watches == 1)
            written = writer.writes
            await until(lambda seen=written: writer.writes > seen + 5)  # type: ignore[misc]
            wire.break_watches()
    await assert_current(watching, client, namespace)
    assert wire.count(lists) == 1
    assert set(watching.words[watching.words.index("Stale") :]) == {"Stale", "Live"}


@both_ways
@pytest.mark.parametrize("how", ["event", "http"])
async def test_an_expired_version_is_followed_by_one_list(
    how: str, kind: Kind, client: Client, objects: Objects, namespace: str, opened: Opened, wire: Wire
) -> None:
    """After a 410, in the stream or before it, one list finds what came and went meanwhile; no row blinks."""
    stays, goes, changes = (configmap(namespace, name) for name in ("stays", "goes", "changes"))
    for manifest in (stays, goes, changes):
        await objects.apply(manifest)
    watching = await look(opened, wire, kind, namespace)
    wire.hold()
    await objects.delete(goes)
    await objects.change(changes, {"data": {"a": "b"}})
    await objects.apply(configmap(namespace, "comes"))
    if how == "event":
        await wire.say({"type": "ERROR", "object": statuses.GONE})
    else:
        wire.answer(410, statuses.GONE, when=watches)
    wire.end_watches()
    wire.flow()
    await assert_current(watching, client, namespace)
    await until(lambda: watching.feed.state == Live())
    assert wire.count(lists) == 2
    assert "Listing" not in watching.words[watching.words.index("Live") :]
    assert any(isinstance(state, Stale) and state.reason == "listing again" for state in watching.states)


@both_ways
async def test_versions_really_expire(kind: Kind, client: Client, cluster: Cluster, namespace: str) -> None:
    """A watch from a version that the server no longer reaches back to is refused as Expired."""
    if cluster.demo is not None:
        cluster.demo.server.faults.expire()
    watch = ListWatch(client, kind, namespace).watch("1", lambda: None)
    try:
        await asyncio.wait_for(anext(watch), 3)
    except Expired:
        return
    except TimeoutError:
        pass
    finally:
        await watch.aclose()
    assert cluster.kind == "real"
    pytest.skip("the real API server is so young that it still knows its first version")


@both_ways
async def test_a_continue_token_that_expires(
    kind: Kind,
    client: Client,
    objects: Objects,
    namespace: str,
    opened: Opened,
    wire: Wire,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When the next page of a list is gone, everything is listed at once instead, and nothing is missing or double."""
    for number in range(7):
        await objects.apply(configmap(namespace, f"c-{number}"))
    monkeypatch.setattr(list_watch, "FIRST_PAGE", 3)
    monkeypatch.setattr(list_watch, "PAGE", 3)
    wire.answer(410, statuses.EXPIRED_TOKEN, when=more_pages)
    watching = await look(opened, wire, kind, namespace)
    await assert_current(watching, client, namespace)
    assert wire.count(lists) == 3
    assert len(watching.feed.store) >= 7


@both_ways
async def test_pages_add_up(
    kind: Kind, client: Client, objects: Objects, namespace: str, opened: Opened, wire: Wire, monkeypatch: Any
) -> None:
    """A list in pages is whole, and its state counts what has landed."""
    for number in range(7):
        await objects.apply(configmap(namespace, f"c-{number}"))
    # Each page is told, however soon it comes after the last.
    monkeypatch.setattr(reflector, "PROGRESS_EVERY", 0.0)
    monkeypatch.setattr(list_watch, "FIRST_PAGE", 2)
    monkeypatch.setattr(list_watch, "PAGE", 2)
    watching = await look(opened, wire, kind, namespace)
    await assert_current(watching, client, namespace)
    total = len(watching.feed.store)
    counts = [(state.count, state.total) for state in watching.states if isinstance(state, Listing)]
    assert counts == [(landed, total) for landed in range(2, total, 2)]


@pytest.mark.parametrize(
    ("code", "body", "headers", "reason"),
    [
        (504, statuses.TOO_LARGE, {"Retry-After": "1"}, "Too large resource version"),
        (429, statuses.TOO_MANY, {"Retry-After": "1"}, "too many requests"),
        (401, statuses.UNAUTHORIZED, {}, "credentials"),
        (503, "", {"Retry-After": "1"}, "503"),
        (500, statuses.status(500, "InternalError", "etcdserver: request timed out"), {}, "etcdserver"),
    ],
    ids=str,
)
@pytest.mark.parametrize("when", [lists, watches], ids=["list", "watch"])
async def test_a_refusal_is_told_and_survived(
    when: Callable[[Asked], bool],
    code: int,
    body: Any,
    headers: dict[str, str],
    reason: str,
    client: Client,
    namespace: str,
    opened: Opened,
    wire: Wire,
) -> None:
    """A request that is refused is repeated once, not before the server wants it; the pane says why it waits."""
    wire.answer(code, body, headers=headers, when=when)
    watching = await look(opened, wire, CONFIGMAPS, namespace)
    stale = next(state for state in watching.states if isinstance(state, Stale))
    assert reason in stale.reason
    assert wire.count(when) == 2
    assert stale.retry_at - stale.since >= float(headers.get("Retry-After", 0.8))
    await assert_current(watching, client, namespace)


async def test_a_watch_that_closes_at_once_is_not_asked_for_in_a_loop(
    client: Client, objects: Objects, namespace: str, opened: Opened, wire: Wire
) -> None:
    """Something on the way that closes every watch at once is asked less and less often, and it is said."""
    loop = asyncio.get_running_loop()
    wire.answer(200, "", when=watches, times=3)
    started = loop.time()
    session = await opened(wire.kubeconfig())
    watching = Watching(session.open(CONFIGMAPS, (namespace,)).feed)
    await until(lambda: wire.count(watches) == 4)
    # 0.8 + 1.6 + 3.2 seconds, each made longer by up to a half.
    assert loop.time() - started > 5.6
    assert any(isinstance(state, Stale) and "closed" in state.reason for state in watching.states)
    assert wire.count(lists) == 1
    await objects.apply(configmap(namespace, "later"))
    await assert_current(watching, client, namespace)


@both_ways
async def test_a_silent_line_is_noticed(
    kind: Kind,
    client: Client,
    objects: Objects,
    namespace: str,
    opened: Opened,
    wire: Wire,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A watch that says nothing for longer than bookmarks take is stale; what it kept back is listed."""
    monkeypatch.setattr(list_watch, "WATCH_IDLE", 0.5)
    watching = await look(opened, wire, kind, namespace)
    wire.hold()
    await objects.apply(configmap(namespace, "unheard"))
    await until(lambda: isinstance(watching.feed.state, Stale))
    assert watching.feed.state.reason == "timed out"  # type: ignore[union-attr]
    monkeypatch.setattr(list_watch, "WATCH_IDLE", 60)
    wire.flow()
    await assert_current(watching, client, namespace)
    assert wire.count(lists) == 2


async def test_a_server_that_hangs_is_noticed(
    client: Client, namespace: str, opened: Opened, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that takes a request and never answers is told as such, and asked again."""
    monkeypatch.setattr(list_watch, "LIST_IDLE", 0.3)
    session = await opened(wire.kubeconfig())
    wire.hold()
    watching = Watching(session.open(CONFIGMAPS, (namespace,)).feed)
    await until(lambda: isinstance(watching.feed.state, Stale))
    stale = watching.feed.state
    assert isinstance(stale, Stale)
    assert (stale.reason, stale.complete) == ("timed out", False)
    wire.flow()
    await assert_current(watching, client, namespace)


async def test_a_large_object_arrives_whole(
    client: Client, objects: Objects, namespace: str, opened: Opened, wire: Wire
) -> None:
    """Objects as large as the server takes them come through lists and watches."""
    large = "x" * 900_000
    await objects.apply(configmap(namespace, "first", content=large))
    watching = await look(opened, wire, WHOLE_CONFIGMAPS, namespace)
    await objects.apply(configmap(namespace, "second", content=large))
    await assert_current(watching, client, namespace)
    assert {key.name for key in watching.feed.store.rows} >= {"first", "second"}


@both_ways
async def test_who_may_list_but_not_watch_is_told(
    kind: Kind, objects: Objects, namespace: str, opened: Opened, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where only lists are allowed they are repeated, with the reason; once watching is allowed, it is watched."""
    monkeypatch.setattr(reflector, "UNWATCHABLE_EVERY", 0.3)
    await grant(objects, namespace, "list")
    session = await opened(wire.kubeconfig("nobody"))
    watching = Watching(session.open(kind, (namespace,)).feed)
    await until(lambda: isinstance(watching.feed.state, Polled))
    assert isinstance(watching.feed.state, Polled)
    assert watching.feed.state.reason.startswith("nobody may not watch configmaps")
    await objects.apply(configmap(namespace, "later"))
    await until(lambda: any(key.name == "later" for key in watching.feed.store.rows))
    assert wire.count(watches) == 1
    await grant(objects, namespace, "list", "watch")

    def live() -> bool:
        session.retry()
        return watching.feed.state == Live()

    await until(live)


async def grant(objects: Objects, namespace: str, *verbs: str) -> None:
    """Let nobody do something with the config maps of a namespace."""
    group = "rbac.authorization.k8s.io"
    meta = {"name": "configmaps", "namespace": namespace}
    rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": list(verbs)}
    await objects.apply({"apiVersion": f"{group}/v1", "kind": "Role", "metadata": meta, "rules": [rule]})
    await objects.apply(
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": meta,
            "roleRef": {"apiGroup": group, "kind": "Role", "name": "configmaps"},
            "subjects": [{"apiGroup": group, "kind": "User", "name": "nobody"}],
        }
    )


async def test_a_kind_that_no_server_can_watch_is_polled(objects: Objects, opened: Opened) -> None:
    """A kind whose API has no watch is listed again and again, rather than being stale for ever."""
    await objects.metrics_ready()
    session = await opened()
    kind = generic_kind(GVR("metrics.k8s.io", "v1beta1", "nodes"), "NodeMetrics", False)
    feed = session.open(kind).feed
    await until(lambda: isinstance(feed.state, Polled | Absent))
    if isinstance(feed.state, Absent):
        pytest.skip("no metrics are served")
    assert isinstance(feed.state, Polled)
    assert "watch is not supported" in feed.state.reason


async def test_a_kind_that_is_installed_later(
    objects: Objects, opened: Opened, monkeypatch: pytest.MonkeyPatch, namespace: str
) -> None:
    """A kind that is not served is absent; it becomes live when it is installed, and absent again when it goes."""
    monkeypatch.setattr(reflector, "RECHECK", 0.3)
    group = f"{namespace}.example.com"
    session = await opened()
    watching = Watching(session.open(generic_kind(GVR(group, "v1", "gadgets"), "Gadget", True)).feed)
    await until(lambda: isinstance(watching.feed.state, Absent))
    definition = gadgets(group)
    await objects.apply(definition)
    await until(lambda: watching.feed.state == Live(), 30)
    gadget = {"apiVersion": f"{group}/v1", "kind": "Gadget", "metadata": {"name": "one", "namespace": namespace}}
    await objects.apply(gadget)
    await until(lambda: len(watching.feed.store) == 1)
    await objects.delete(definition)
    await until(lambda: isinstance(watching.feed.state, Absent), 30)
    assert len(watching.feed.store) == 0


def gadgets(group: str) -> Manifest:
    """The definition of a namespaced kind Gadget."""
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"gadgets.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": "gadgets", "singular": "gadget", "kind": "Gadget", "listKind": "GadgetList"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }
