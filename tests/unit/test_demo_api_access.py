"""Who may do what on the embedded cluster, and how its users log in."""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.demo_api import CONFIGMAPS, DEPLOYMENTS, PODS, Cluster, Object, configmap, pod, running

RBAC = "rbac.authorization.k8s.io"
SELF = "/apis/authorization.k8s.io/v1"


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with running() as started:
        allow(
            started,
            "dev-edits",
            "shop",
            "developers",
            [{"verbs": ["*"], "apiGroups": ["", "apps"], "resources": ["*"]}],
        )
        reads = {"verbs": ["get", "list", "watch"], "apiGroups": [""], "resources": ["pods", "configmaps"]}
        allow(started, "viewers-view", "", "viewers", [reads])
        yield started


def allow(cluster: Cluster, name: str, namespace: str, group: str, rules: list[Object]) -> None:
    """Binds a group to a role of its own: in a namespace, or everywhere for ""."""
    prefix = "" if namespace else "Cluster"
    place: Object = {"name": name, "namespace": namespace} if namespace else {"name": name}
    reference = {"apiGroup": RBAC, "kind": f"{prefix}Role", "name": name}
    subjects = [{"apiGroup": RBAC, "kind": "Group", "name": group}]
    role = {"apiVersion": f"{RBAC}/v1", "kind": f"{prefix}Role", "metadata": place, "rules": rules}
    binding = {"apiVersion": f"{RBAC}/v1", "kind": f"{prefix}RoleBinding", "metadata": place}
    cluster.storage.create(f"{prefix.lower()}roles.{RBAC}", role)
    cluster.storage.create(
        f"{prefix.lower()}rolebindings.{RBAC}", binding | {"roleRef": reference, "subjects": subjects}
    )


@pytest.mark.parametrize(
    ("user", "method", "path", "message"),
    [
        (
            "viewer",
            "GET",
            "/api/v1/namespaces/shop/secrets",
            'secrets is forbidden: User "viewer" cannot list resource "secrets" in API group "" in the namespace '
            '"shop"',
        ),
        (
            "dev",
            "GET",
            "/api/v1/nodes",
            'nodes is forbidden: User "dev" cannot list resource "nodes" in API group "" at the cluster scope',
        ),
        (
            "viewer",
            "DELETE",
            f"{DEPLOYMENTS}/web",
            'deployments.apps "web" is forbidden: User "viewer" cannot delete resource "deployments" in API group '
            '"apps" in the namespace "shop"',
        ),
        (
            "nobody",
            "GET",
            f"{PODS}/x/log",
            'pods "x" is forbidden: User "nobody" cannot get resource "pods/log" in API group "" in the namespace '
            '"shop"',
        ),
        ("nobody", "GET", "/metrics", 'forbidden: User "nobody" cannot get path "/metrics"'),
    ],
)
async def test_refusals_name_user_verb_resource_and_place(
    cluster: Cluster, user: str, method: str, path: str, message: str
) -> None:
    """A refusal is 403 in the words of a real API server."""
    answer = await cluster.request(method, path, user=user)
    assert (answer.status, answer.json["reason"], answer.message) == (403, "Forbidden", message)


async def test_roles_hold_where_they_are_bound(cluster: Cluster) -> None:
    """A RoleBinding allows in its namespace alone, a ClusterRoleBinding everywhere."""
    cluster.storage.create("pods", pod("a"))
    assert (await cluster.get(PODS, user="dev")).status == 200
    assert (await cluster.get("/api/v1/namespaces/lesson/pods", user="dev")).status == 403
    assert (await cluster.get("/api/v1/pods", user="viewer")).names == ["a"]
    assert (await cluster.request("DELETE", f"{PODS}/a", user="viewer")).status == 403


async def test_a_changed_binding_counts_at_once(cluster: Cluster) -> None:
    """What was refused is allowed as soon as a binding says so, and refused again without it."""
    assert (await cluster.get(CONFIGMAPS, user="nobody")).status == 403
    allow(cluster, "late", "shop", "nobodies", [{"verbs": ["list"], "apiGroups": [""], "resources": ["configmaps"]}])
    assert (await cluster.get(CONFIGMAPS, user="nobody")).status == 200
    cluster.storage.delete(f"rolebindings.{RBAC}", "shop", "late")
    assert (await cluster.get(CONFIGMAPS, user="nobody")).status == 403


async def test_reviews_answer_as_requests_would(cluster: Cluster) -> None:
    """SelfSubjectAccessReview says yes exactly where the request succeeds."""
    attributes = {"verb": "list", "resource": "pods", "namespace": "shop"}
    review = {"spec": {"resourceAttributes": attributes}}
    allowed = {
        user: (await cluster.post(f"{SELF}/selfsubjectaccessreviews", review, user=user)).json["status"]["allowed"]
        for user in ("admin", "viewer", "dev", "nobody")
    }
    assert allowed == {"admin": True, "viewer": True, "dev": True, "nobody": False}


async def test_who_am_i(cluster: Cluster) -> None:
    """SelfSubjectReview names the token's user and groups."""
    answer = await cluster.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", {}, user="dev")
    assert answer.json["status"]["userInfo"]["username"] == "dev"
    assert "developers" in answer.json["status"]["userInfo"]["groups"]


async def test_no_token_is_anonymous_and_a_wrong_one_is_unauthorized(cluster: Cluster) -> None:
    """Without credentials a caller is system:anonymous; with unknown ones he is refused."""
    async with cluster.session.get(cluster.server.url + PODS) as response:
        anonymous = await response.json()
    async with cluster.session.get(cluster.server.url + PODS, headers={"Authorization": "Bearer x"}) as response:
        wrong = await response.json()
    assert (anonymous["code"], 'User "system:anonymous"' in anonymous["message"]) == (403, True)
    assert (wrong["code"], wrong["message"]) == (401, "Unauthorized")


async def test_impersonation_takes_on_user_and_groups(cluster: Cluster) -> None:
    """`kubectl --as` works for admin and is refused to others."""
    headers = {"Impersonate-User": "eve", "Impersonate-Group": "viewers"}
    url = cluster.server.url + CONFIGMAPS
    cluster.storage.create("configmaps", configmap("a"))
    async with cluster.session.get(url, headers=cluster.headers("admin") | headers) as response:
        assert response.status == 200
    async with cluster.session.delete(f"{url}/a", headers=cluster.headers("admin") | headers) as response:
        assert 'User "eve" cannot delete' in (await response.json())["message"]
    async with cluster.session.get(url, headers=cluster.headers("dev") | headers) as response:
        assert response.status == 403


async def test_a_kubeconfig_is_private_and_names_its_user(cluster: Cluster, tmp_path: Path) -> None:
    """The file is readable by its owner alone; the context is demo, or demo-USER."""
    path = tmp_path / "config"
    cluster.server.write_kubeconfig(path, "viewer", "shop")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    config = cluster.server.kubeconfig("viewer", "shop")
    assert config["current-context"] == "demo-viewer"
    assert config["contexts"][0]["context"]["namespace"] == "shop"
    assert cluster.server.kubeconfig()["current-context"] == "demo"


async def test_tokens_differ_between_runs_and_users(cluster: Cluster) -> None:
    """No token can be known beforehand."""
    async with running() as other:
        tokens = {each.token(user) for each in (cluster, other) for user in ("admin", "viewer", "dev", "nobody")}
    assert len(tokens) == 8
