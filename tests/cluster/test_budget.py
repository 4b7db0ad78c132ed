"""Budgets: how much ktui asks of a cluster to show what."""

from __future__ import annotations

from collections import Counter

from ktui.kinds.builtin import BUILTIN, HOME
from ktui.kube.joins import Joins
from ktui.kube.state import Absent, Live, Polled
from tests.cluster.conftest import Opened
from tests.cluster.objects import Objects, until
from tests.cluster.wire import Wire


async def test_the_home_screen_asks_for_each_kind_once(objects: Objects, opened: Opened, wire: Wire) -> None:
    """Four kinds and what they are joined with take one list and one watch each; what cannot be watched, one list."""
    await objects.metrics_ready()
    session = await opened(wire.kubeconfig())
    feeds = [session.open(kind).feed for kind in HOME]
    joins = [Joins(session, feed, (), BUILTIN, lambda keys: None, lambda: None) for feed in feeds]
    # Looking twice costs nothing.
    feeds += [session.open(kind).feed for kind in BUILTIN.values() if kind in HOME]
    watched = ("endpointslices", "deployments", "services", "/v1/pods", "/v1/nodes")
    await until(lambda: all(feed.state == Live() for feed in feeds))
    await until(lambda: all(isinstance(feed.state, Live | Polled | Absent) for feed in session._feeds.values()))
    await until(lambda: session.server.version != "" and session.server.user != "")
    asked = Counter(
        (request.path, "watch" if request.watch else "list") for request in wire.asked if request.method == "GET"
    )
    del asked["/version", "list"]
    assert set(asked.values()) == {1}
    assert sum(what == "watch" for _, what in asked) == len(watched)
    assert sum("metrics.k8s.io" in path for path, _ in asked) == 2
    assert len(wire.asked) == 2 * len(watched) + 2 + 2
    for join in joins:
        join.close()


async def test_looking_again_asks_for_nothing(opened: Opened, wire: Wire) -> None:
    """A pane that is left and looked at again within a minute is there at once, without a request."""
    session = await opened(wire.kubeconfig())
    view = session.open(HOME[0])
    await until(lambda: view.feed.state == Live())
    view.close()
    asked = len(wire.asked)
    again = session.open(HOME[0])
    assert again.feed.state == Live()
    assert again.feed.store.rows
    assert len([request for request in wire.asked[asked:] if "nodes" in request.path]) == 0


async def test_what_nobody_looks_at_is_let_go(opened: Opened, wire: Wire) -> None:
    """When nobody has looked at a pane for a while its watch is closed."""
    session = await opened(wire.kubeconfig(), linger=0.1)
    view = session.open(HOME[0])
    await until(lambda: wire.watches == 1)
    view.close()
    await until(lambda: wire.watches == 0)
