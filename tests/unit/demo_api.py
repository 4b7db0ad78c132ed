"""An API server of the embedded cluster with a few objects, and a client for it, for the tests of the API."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from ktui.demo.clock import SteppedClock
from ktui.demo.server import Server
from ktui.demo.storage import Storage

Object = dict[str, Any]

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
METADATA = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"

PODS = "/api/v1/namespaces/shop/pods"
CONFIGMAPS = "/api/v1/namespaces/shop/configmaps"
SERVICES = "/api/v1/namespaces/shop/services"
DEPLOYMENTS = "/apis/apps/v1/namespaces/shop/deployments"


@dataclass
class Answer:
    """What the server answered."""

    status: int
    headers: Any
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def message(self) -> str:
        return str(self.json["message"])

    @property
    def names(self) -> list[str]:
        return [item["metadata"]["name"] for item in self.json["items"]]


class Cluster:
    """A running server, its storage and clock, and one HTTP session."""

    def __init__(self) -> None:
        self.clock = SteppedClock()
        self.storage = Storage(self.clock, history=64)
        self.server = Server(self.storage, self.clock)

    async def start(self) -> None:
        await self.server.start()
        trusted = self.server.kubeconfig()["clusters"][0]["cluster"]["certificate-authority-data"]
        context = ssl.create_default_context(cadata=base64.b64decode(trusted).decode())
        self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context, limit=0))

    async def stop(self) -> None:
        await self.session.close()
        await self.server.stop()

    def token(self, user: str) -> str:
        return str(self.server.kubeconfig(user)["users"][0]["user"]["token"])

    def headers(self, user: str, accept: str = "", content: str = "") -> dict[str, str]:
        headers = {"User-Agent": "tests/1", "Authorization": f"Bearer {self.token(user)}"}
        if accept:
            headers["Accept"] = accept
        if content:
            headers["Content-Type"] = content
        return headers

    async def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        user: str = "admin",
        accept: str = "",
        content: str = "application/json",
    ) -> Answer:
        sent = body if body is None or isinstance(body, str | bytes) else json.dumps(body)
        headers = self.headers(user, accept, content if body is not None else "")
        async with self.session.request(method, self.server.url + path, data=sent, headers=headers) as response:
            return Answer(response.status, response.headers, await response.text())

    async def get(self, path: str, *, user: str = "admin", accept: str = "") -> Answer:
        return await self.request("GET", path, user=user, accept=accept)

    async def post(self, path: str, body: Any, *, user: str = "admin") -> Answer:
        return await self.request("POST", path, body, user=user)

    async def patch(self, path: str, body: Any, content: str = MERGE) -> Answer:
        return await self.request("PATCH", path, body, content=content)

    @asynccontextmanager
    async def watch(self, path: str, *, accept: str = "") -> AsyncIterator[AsyncIterator[Object]]:
        """Opens a watch; gives its events as they come."""
        sign = "&" if "?" in path else "?"
        url = f"{self.server.url}{path}{sign}watch=true"
        async with self.session.get(url, headers=self.headers("admin", accept)) as response:
            assert response.status == 200, await response.text()
            yield _events(response)


async def _events(response: aiohttp.ClientResponse) -> AsyncIterator[Object]:
    async for line in response.content:
        if line.strip():
            yield json.loads(line)


@asynccontextmanager
async def running() -> AsyncIterator[Cluster]:
    """A started cluster with the namespaces shop and lesson."""
    cluster = Cluster()
    for name in ("shop", "lesson"):
        labels = {"kubernetes.io/metadata.name": name}
        metadata = {"name": name, "labels": labels}
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata, "status": {"phase": "Active"}}
        cluster.storage.create("namespaces", namespace)
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": name}}
        cluster.storage.create("serviceaccounts", account)
    await cluster.start()
    try:
        yield cluster
    finally:
        await cluster.stop()


async def until(condition: Callable[[], bool]) -> None:
    """Lets the event loop work until a condition holds; fails when it does not within seconds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110  what is waited for has no event
            await asyncio.sleep(0)


def pod(name: str, *, namespace: str = "shop", labels: dict[str, str] | None = None, **status: Any) -> Object:
    """A pod as storage keeps it."""
    metadata = {"name": name, "namespace": namespace, "labels": labels or {}}
    spec = {"containers": [{"name": "web", "image": "web:1"}], "nodeName": "worker-0"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}


def configmap(name: str, namespace: str = "shop", **labels: str) -> Object:
    """A ConfigMap as storage keeps it."""
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "1"}}


def deployment(name: str = "web") -> Object:
    """A Deployment as a client sends it."""
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": template},
    }
