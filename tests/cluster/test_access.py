"""What ktui says one may do is what the server then allows."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from ktui.actions import permission
from ktui.actions.action import Access, Action, Target
from ktui.actions.delete import DELETE
from ktui.actions.permission import usual_role
from ktui.kinds.deployments import DEPLOYMENTS
from ktui.kinds.generic import generic_kind
from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR, GVR_PODS, ObjectKey
from ktui.kinds.nodes import NODES
from ktui.kinds.pods import PODS
from ktui.kinds.services import SERVICES
from ktui.kube import access
from ktui.kube.access import Question, Rule
from ktui.kube.client import Client
from ktui.kube.discovery import discover
from ktui.kube.errors import ApiError, Forbidden
from tests.cluster.clusters import Cluster
from tests.cluster.conftest import connected
from tests.cluster.objects import Manifest, Objects

NAMESPACES = generic_kind(GVR("", "v1", "namespaces"), "Namespace", False)
SECRETS = generic_kind(GVR("", "v1", "secrets"), "Secret", True)
ROLES = generic_kind(GVR("rbac.authorization.k8s.io", "v1", "roles"), "Role", True)
RBAC = "rbac.authorization.k8s.io/v1"
USERS = ("admin", "dev", "viewer", "nobody")


def action(*rights: Access) -> Action:
    """An action that needs some rights."""
    return Action(
        id="test", key="x", title="Test", help="Test.", plan=lambda *_: [], offers=lambda _: True, access=rights
    )


@pytest.fixture
async def clients(cluster: Cluster) -> AsyncIterator[dict[str, Client]]:
    """A client of each user."""
    async with AsyncExitStack() as stack:
        yield {user: await stack.enter_async_context(connected(cluster.kubeconfig(user))) for user in USERS}


async def allowed(client: Client, method: str, path: str) -> bool:
    """Whether the server lets a request pass that then finds no such object, or changes nothing."""
    body = b'{"apiVersion":"v1","kind":"DeleteOptions"}' if method == "DELETE" else b"{}"
    kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
    try:
        await client.request(method, path, query={"dryRun": "All"}, body=body, content_type=kind)
    except Forbidden as error:
        return not error.by_rbac
    except ApiError:
        return True
    return True


@pytest.mark.parametrize("user", USERS)
async def test_verdicts_are_what_the_server_then_says(
    user: str, cluster: Cluster, clients: dict[str, Client], namespace: str
) -> None:
    """Deleting, and writing subresources: in one's own namespace, in another one, and of cluster-scoped objects."""
    client, own = clients[user], cluster.own_namespaces[0]
    places = [own, namespace]
    kinds: list[Kind] = [DEPLOYMENTS, PODS, SERVICES, SECRETS, ROLES]
    targets = [Target(kind, ObjectKey(place, "nope")) for kind, place in itertools.product(kinds, places)]
    targets += [Target(kind, ObjectKey("", "nope")) for kind in (NODES, NAMESPACES)]
    for target in targets:
        path = target.kind.gvr.path(*target.key)
        verdict = await permission.ask(client, DELETE, target, user=user)
        assert verdict.allowed is await allowed(client, "DELETE", path), target
        assert bool(verdict.why) is bool(verdict.ask) is not verdict.allowed
        assert permission.known(client, DELETE, target, user=user) == verdict
    for place in places:
        target = Target(DEPLOYMENTS, ObjectKey(place, "nope"))
        scaled = await permission.ask(client, action(Access("patch", "scale")), target)
        path = DEPLOYMENTS.gvr.path(place, "nope", "scale")
        assert scaled.allowed is await allowed(client, "PATCH", path)
        evicted = await permission.ask(client, action(Access("create", "eviction")), Target(PODS, target.key))
        assert evicted.allowed is await allowed(client, "POST", GVR_PODS.path(place, "nope", "eviction"))


async def test_denials_name_the_role_to_ask_for(cluster: Cluster, clients: dict[str, Client], namespace: str) -> None:
    """The sentence is short, and the role is the smallest that would do."""
    own = cluster.own_namespaces[0]
    scale = action(Access("patch", "scale"))

    async def asked(user: str, what: Action, kind: Kind, place: str) -> tuple[str, str]:
        verdict = await permission.ask(clients[user], what, Target(kind, ObjectKey(place, "web")), user=user)
        return verdict.why, verdict.ask

    assert await asked("dev", scale, DEPLOYMENTS, namespace) == (
        f"dev may not patch deployments/scale in namespace {namespace}.",
        f"Ask whoever runs the cluster for the ClusterRole “edit” in namespace {namespace}.",
    )
    assert await asked("viewer", DELETE, PODS, own) == (
        f"viewer may not delete pods in namespace {own}.",
        f"Ask whoever runs the cluster for the ClusterRole “edit” in namespace {own}.",
    )
    assert await asked("dev", DELETE, ROLES, own) == (
        f"dev may not delete roles in namespace {own}.",
        f"Ask whoever runs the cluster for the ClusterRole “admin” in namespace {own}.",
    )
    assert await asked("dev", DELETE, NODES, "") == (
        "dev may not delete nodes cluster-wide.",
        "Ask whoever runs the cluster for a role that may delete nodes cluster-wide; "
        "of the usual ones only “cluster-admin” may.",
    )
    assert await asked("nobody", action(Access("get")), PODS, own) == (
        f"nobody may not get pods in namespace {own}.",
        f"Ask whoever runs the cluster for the ClusterRole “view” in namespace {own}.",
    )


async def test_rules_mean_what_the_server_means(
    cluster: Cluster, clients: dict[str, Client], objects: Objects, namespace: str
) -> None:
    """Names, subresources and wildcards in rules: each question gets the answer that the server itself gives."""
    rules = [
        {"apiGroups": ["apps"], "resources": ["*/scale"], "verbs": ["patch"]},
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["delete", "patch"], "resourceNames": ["mine"]},
        {"apiGroups": ["batch"], "resources": ["*"], "verbs": ["delete"]},
        {"apiGroups": ["*"], "resources": ["services"], "verbs": ["*"]},
        {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["delete"]},
        {"apiGroups": ["policy"], "resources": ["poddisruptionbudgets/*"], "verbs": ["get"]},
    ]
    meta = {"name": "ktui-test", "namespace": namespace}
    await objects.apply({"apiVersion": RBAC, "kind": "Role", "metadata": meta, "rules": rules})
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "nobody"}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "ktui-test"}
    await objects.apply(
        {"apiVersion": RBAC, "kind": "RoleBinding", "metadata": meta, "roleRef": role, "subjects": [subject]}
    )
    client = clients["nobody"]
    asked = [
        Question(verb, group, resource, namespace, subresource, name)
        for verb in ("get", "delete", "patch")
        for name in ("", "mine", "other")
        for group, resource, subresource in (
            ("apps", "deployments", ""),
            ("apps", "deployments", "scale"),
            ("", "configmaps", ""),
            ("batch", "jobs", ""),
            ("batch", "jobs", "status"),
            ("", "services", ""),
            ("", "services", "status"),
            ("other.example.com", "services", ""),
            ("", "pods", ""),
            ("", "pods", "log"),
            ("policy", "poddisruptionbudgets", ""),
            ("policy", "poddisruptionbudgets", "status"),
        )
    ]
    answers = {question: await access.may(client, question) for question in asked}
    assert answers == {question: await access.can(client, *question) for question in asked}
    assert set(answers.values()) == {True, False}
    # One request has answered them all.
    told = await access.rights(client, namespace)
    assert told is not None
    assert not told.incomplete
    target = Target(NAMESPACES, ObjectKey("", namespace))
    assert (await permission.ask(client, DELETE, target)).allowed
    assert await allowed(client, "DELETE", NAMESPACES.gvr.path(*target.key))
    # Rules of a namespace do not hold beyond it.
    assert (await permission.ask(client, DELETE, Target(NAMESPACES, ObjectKey("", "default")))).allowed is False


async def test_the_usual_roles_are_those_of_the_server(client: Client, cluster: Cluster) -> None:
    """For everything that the server serves, the role that is named is the smallest that allows it."""
    roles: list[tuple[str, list[Rule]]] = []
    for name in ("view", "edit", "admin"):
        path = GVR("rbac.authorization.k8s.io", "v1", "clusterroles").path("", name)
        found: Manifest = await client.get_json(path)
        keys = {"verbs": "verbs", "api_groups": "apiGroups", "resources": "resources"}
        roles.append((name, [Rule(**{k: tuple(rule.get(v, ())) for k, v in keys.items()}) for rule in found["rules"]]))
    differ = []
    for resource in (await discover(client)).resources:
        if resource.gvr.group in ("metrics.k8s.io", "extensions") or resource.gvr.group.endswith("example.com"):
            # Add-ons and custom resources are aggregated into these roles, or not.
            continue
        for verb, sub in itertools.product(("get", "create", "patch", "delete"), ("", *resource.subresources)):
            question = Question(verb, resource.gvr.group, resource.gvr.resource, "shop", sub)
            smallest = next((name for name, rules in roles if any(rule.covers(question) for rule in rules)), "")
            if usual_role([question]) != smallest:
                differ.append((verb, resource.gvr.qualified, sub, smallest, usual_role([question])))
    assert not differ
