"""What a manifest refers to is asked of the cluster: what is not there is warned of, what nobody knows is not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ktui.actions.referred import AT_ONCE, KEPT, Referred, missing
from ktui.kinds.names import GVR, ObjectKey
from ktui.kube.discovery import Discovery, Resource
from ktui.kube.errors import ConnectionFailed, Forbidden, NotFound
from ktui.manifests.problems import Lines, Positions
from ktui.manifests.reading import Document, read
from tests.unit.fake_place import FakePlace

SECRETS, MAPS = GVR("", "v1", "secrets"), GVR("", "v1", "configmaps")

NOWHERE = Positions(Lines(""), {})

TEXT = """\
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  imagePullSecrets:
  - name: regcred
  containers:
  - name: main
    env:
    - name: A
      valueFrom:
        configMapKeyRef:
          name: web
          key: port
    - name: B
      valueFrom:
        secretKeyRef:
          name: maybe
          key: x
          optional: true
"""


class Cluster(FakePlace):
    """A cluster with a clock, that serves deployments and widgets."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    async def discovery(self) -> Discovery:
        """Two kinds."""
        served = (GVR("apps", "v1", "deployments"), "Deployment"), (GVR("x.io", "v1", "widgets"), "Widget")
        return Discovery([Resource(gvr, kind, "", True, (), (), (), ()) for gvr, kind in served])

    async def get(self, gvr: GVR, key: ObjectKey, subresource: str = "") -> dict[str, Any]:
        """An object, after a moment, as from any cluster."""
        await asyncio.sleep(0)
        return await super().get(gvr, key, subresource)

    def have(self, gvr: GVR, name: str, namespace: str = "shop", **fields: Any) -> None:
        """Put an object there."""
        kind = {"secrets": "Secret", "configmaps": "ConfigMap", "services": "Service"}.get(gvr.resource, "")
        self.objects[gvr.path(namespace, name)] = {"kind": kind, "metadata": {"name": name}, **fields}


def document(text: str = TEXT) -> Document:
    return read(text).documents[0]


async def messages(cluster: Cluster, text: str = TEXT, **more: Any) -> list[tuple[int, str]]:
    return [(problem.line, problem.message) for problem in await missing(cluster, document(text), "shop", **more)]


async def test_what_is_not_there_is_said_at_its_line() -> None:
    assert await messages(Cluster()) == [
        (6, 'there is no secret "regcred" in namespace shop'),
        (13, 'there is no configmap "web" in namespace shop'),
    ]


async def test_a_key_that_is_not_there_is_said_with_those_that_are() -> None:
    cluster = Cluster()
    cluster.have(SECRETS, "regcred")
    cluster.have(MAPS, "web", data={"host": "a", "user": "b"}, binaryData={"icon": "YQ=="})
    assert await messages(cluster) == [(14, 'configmap "web" has no key "port"; it has: host, user, icon')]
    cluster.have(MAPS, "web", data={"port": "1"})
    assert await messages(cluster) == []


async def test_what_may_not_be_read_is_not_missed() -> None:
    cluster = Cluster()
    cluster.unreadable = [(None, Forbidden(403, "Forbidden", "no")), (None, Forbidden(403, "Forbidden", "no"))]
    assert await messages(cluster) == []


async def test_other_failures_are_raised() -> None:
    cluster = Cluster()
    cluster.unreadable = [(SECRETS.path("shop", "regcred"), ConnectionFailed("s", "timed out"))]
    with pytest.raises(ConnectionFailed):
        await messages(cluster)


async def test_what_other_documents_bring_is_there() -> None:
    among = [
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "regcred"}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web", "namespace": "shop"}, "data": {"a": "b"}},
        "no object",
    ]
    assert await messages(Cluster(), among=among) == [(14, 'configmap "web" has no key "port"; it has: a')]


async def test_of_a_namespace_that_is_not_there_nothing_else_is_missed() -> None:
    text = TEXT.replace("name: web}", "name: web, namespace: shpo}")
    assert await messages(Cluster(), text) == [(3, 'there is no namespace "shpo"')]
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shpo"}}
    assert len(await messages(Cluster(), text, among=[space])) == 2


async def test_the_ports_of_services_and_kinds_of_all_sorts() -> None:
    cluster = Cluster()
    services = GVR("", "v1", "services")
    cluster.have(services, "web", spec={"ports": [{"port": 80, "name": "http"}, {"port": 81}]})
    cluster.have(services, "away", spec={"type": "ExternalName", "externalName": "example.com"})
    paths = [{"backend": {"service": {"name": name, "port": port}}} for name, port in [
        ("web", {"number": 80}), ("web", {"name": "http"}), ("web", {"number": 82}), ("web", {"name": "80"}),
        ("away", {"number": 1})]]  # fmt: skip
    ingress = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "spec": {"rules": [{"http": {"paths": paths}}]}}
    assert [problem.message for problem in await missing(cluster, Document(ingress, 1, NOWHERE), "shop")] == [
        'service "web" has no port 82; it has: 80 (http), 81',
        'service "web" has no port "80"; it has: 80 (http), 81',
    ]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("{apiVersion: apps/v1, kind: Deployment, name: web}", ['there is no deployment "web" in namespace shop']),
        ("{apiVersion: x.io/v1, kind: Widget, name: web}", ['there is no widget "web" in namespace shop']),
        ("{apiVersion: y.io/v1, kind: Unserved, name: web}", []),
    ],
)
async def test_the_target_of_an_autoscaler_may_be_of_any_kind(target: str, said: list[str]) -> None:
    text = f"apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nspec:\n  scaleTargetRef: {target}\n"
    assert [message for _, message in await messages(Cluster(), text)] == said


async def test_of_a_kind_that_is_not_served_nothing_is_missed() -> None:
    cluster = Cluster()
    cluster.unreadable = [(None, NotFound(404, "NotFound", "the server could not find the requested resource"))]
    text = "apiVersion: v1\nkind: Pod\nspec: {runtimeClassName: gvisor}\n"
    assert await messages(cluster, text) == []


async def test_each_thing_is_asked_for_once_and_again_after_a_while() -> None:
    """Somebody types; what was known a moment ago is still known."""
    cluster = Cluster()
    referred = Referred(cluster)
    twice = document(TEXT + "    - name: C\n      valueFrom: {configMapKeyRef: {name: web, key: other}}\n")
    assert len(await referred.missing(twice, "shop")) == 3
    assert sorted(cluster.asked) == [MAPS.path("shop", "web"), SECRETS.path("shop", "regcred")]
    cluster.now = KEPT - 1
    await referred.missing(twice, "shop")
    assert len(cluster.asked) == 2
    cluster.have(MAPS, "web", data={"port": "", "other": ""})
    cluster.have(SECRETS, "regcred", data={".dockerconfigjson": "e30="})
    cluster.now = KEPT
    assert await referred.missing(twice, "shop") == []
    assert len(cluster.asked) == 4


async def test_of_secrets_no_value_is_kept() -> None:
    cluster = Cluster()
    cluster.have(SECRETS, "regcred", data={"key": "c2VjcmV0LXZhbHVl"})
    referred = Referred(cluster)
    await referred.missing(document(), "shop")
    assert "key" in repr(vars(referred))
    assert "c2VjcmV0" not in repr(vars(referred))


async def test_a_few_are_asked_for_side_by_side() -> None:
    cluster = Cluster()
    under_way = most = 0

    async def get(gvr: GVR, key: ObjectKey, subresource: str = "") -> dict[str, Any]:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return {"metadata": {}}

    cluster.get = get  # type: ignore[method-assign]
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "secrets": [{"name": f"s{place}"} for place in range(40)]}
    assert await missing(cluster, Document(account, 1, NOWHERE), "shop") == []
    assert most == AT_ONCE
