"""Users: each sees what it may see, and is told in one sentence what it may not."""

from __future__ import annotations

import secrets

import pytest

from ktui.kinds.builtin import HOME
from ktui.kinds.deployments import DEPLOYMENTS
from ktui.kinds.generic import generic_kind
from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR, ObjectKey
from ktui.kinds.nodes import NODES
from ktui.kinds.pods import PODS
from ktui.kinds.services import SERVICES
from ktui.kube import reflector
from ktui.kube.state import Denied, Live, Partial, Stale
from tests.cluster.clusters import Cluster
from tests.cluster.conftest import Opened
from tests.cluster.objects import Manifest, Objects, until
from tests.cluster.specimens import service
from tests.cluster.watching import Watching
from tests.cluster.wire import Wire

CONFIGMAPS = generic_kind(GVR("", "v1", "configmaps"), "ConfigMap", True)
SECRETS = generic_kind(GVR("", "v1", "secrets"), "Secret", True)
RBAC = "rbac.authorization.k8s.io"


@pytest.mark.parametrize("kind", [SERVICES, CONFIGMAPS], ids=["objects", "tables"])
async def test_dev_sees_a_live_union_of_the_known_namespaces(
    kind: Kind, cluster: Cluster, objects: Objects, opened: Opened
) -> None:
    """Who may not list everywhere sees the known namespaces together, live, and reads that they are not all."""
    name = f"dev-{secrets.token_hex(3)}"
    session = await opened(user="dev", known=cluster.own_namespaces)
    feed = session.open(kind).feed
    await until(lambda: isinstance(feed.state, Partial))
    assert (feed.state.readable, feed.state.total) == (2, 2)  # type: ignore[union-attr]
    wanted = {ObjectKey(namespace, name) for namespace in cluster.own_namespaces}
    for namespace in cluster.own_namespaces:
        manifest = service(namespace, name)
        if kind is CONFIGMAPS:
            manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": manifest["metadata"]}
        await objects.apply(manifest)
    await until(lambda: feed.store.rows.keys() >= wanted)
    assert {key.namespace for key in feed.store.rows} <= set(cluster.own_namespaces)


async def test_dev_may_not_see_nodes(cluster: Cluster, opened: Opened) -> None:
    """A cluster-scoped kind has no namespaces to fall back to: it is denied, the others are not."""
    session = await opened(user="dev", known=cluster.own_namespaces)
    feeds = {kind.gvr: session.open(kind).feed for kind in HOME}
    await until(lambda: all(isinstance(feed.state, Denied | Partial) for feed in feeds.values()))
    denied = [gvr for gvr, feed in feeds.items() if isinstance(feed.state, Denied)]
    assert denied == [NODES.gvr]


async def test_a_known_namespace_that_cannot_be_read(cluster: Cluster, opened: Opened) -> None:
    """One unreadable namespace leaves the others live, and the pane says what it lacks."""
    session = await opened(user="dev", known=(*cluster.own_namespaces, "kube-system"))
    feed = session.open(PODS).feed
    await until(lambda: isinstance(feed.state, Partial))
    assert feed.state == Partial(2, 3, "dev may not list pods in namespace kube-system.")


@pytest.mark.parametrize("known", [(), ("default",)], ids=["knows-none", "knows-default"])
async def test_nobody_is_denied_everywhere(known: tuple[str, ...], opened: Opened) -> None:
    """Who may see nothing reads so in every pane, in the server's terms."""
    session = await opened(user="nobody", known=known)
    feeds = [session.open(kind).feed for kind in HOME]
    await until(lambda: all(isinstance(feed.state, Denied) for feed in feeds))
    for feed in feeds:
        resource = feed.kind.gvr.resource + (f".{feed.kind.gvr.group}" if feed.kind.gvr.group else "")
        where = "in namespace default" if known and feed.kind.namespaced else "cluster-wide"
        assert feed.state == Denied(f"list {feed.kind.gvr.resource}", f"nobody may not list {resource} {where}.")


async def test_a_denied_kind_does_not_touch_others(opened: Opened) -> None:
    """Viewers may not list secrets; everything else that they look at stays live."""
    session = await opened(user="viewer")
    shown = [Watching(session.open(kind).feed) for kind in (PODS, SERVICES, DEPLOYMENTS, CONFIGMAPS)]
    await until(lambda: all(watching.feed.state == Live() for watching in shown))
    feed = session.open(SECRETS).feed
    await until(lambda: isinstance(feed.state, Denied))
    assert feed.state == Denied("list secrets", "viewer may not list secrets cluster-wide.")
    for watching in shown:
        assert watching.words[-1] == "Live"
        assert not any(isinstance(state, Stale) for state in watching.states)


async def test_rights_given_later(
    objects: Objects, namespace: str, opened: Opened, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When someone is given the right to list everywhere, the union gives way to everything, watched once."""
    monkeypatch.setattr(reflector, "RECHECK", 0.3)
    rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list", "watch"]}
    for manifest in granting("Role", {"name": "reads", "namespace": namespace}, rule):
        await objects.apply(manifest)
    session = await opened(wire.kubeconfig("nobody"), known=(namespace,))
    feed = session.open(CONFIGMAPS).feed
    await until(lambda: isinstance(feed.state, Partial))
    for manifest in granting("ClusterRole", {"name": f"reads-{namespace}"}, rule):
        await objects.apply(manifest)
    await until(lambda: feed.state == Live())
    assert {key.namespace for key in feed.store.rows} > {namespace}
    await until(lambda: wire.watches == 1)


def granting(kind: str, meta: Manifest, rule: Manifest) -> list[Manifest]:
    """A role with one rule, bound to the user nobody."""
    reference = {"apiGroup": RBAC, "kind": kind, "name": meta["name"]}
    subjects = [{"apiGroup": RBAC, "kind": "User", "name": "nobody"}]
    version = f"{RBAC}/v1"
    return [
        {"apiVersion": version, "kind": kind, "metadata": meta, "rules": [rule]},
        {"apiVersion": version, "kind": f"{kind}Binding", "metadata": meta, "roleRef": reference, "subjects": subjects},
    ]
