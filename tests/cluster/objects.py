"""Objects: makes, changes and deletes objects on any cluster, and waits for what becomes true there."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from ktui.kinds.names import GVR
from ktui.kube.client import Client
from ktui.kube.discovery import Discovery, Resource, discover
from ktui.kube.errors import ApiError, ConnectionFailed, KtuiError, NotFound, Unavailable

Manifest = Mapping[str, Any]

_LOOK_EVERY = 0.01
_MERGE, _APPLY = "application/merge-patch+json", "application/apply-patch+yaml"


async def until(holds: Callable[[], bool | Awaitable[bool]], within: float = 15.0, what: str = "") -> None:
    """Wait until `holds()`.

    It looks again and again, as much of what tests wait for happens on a server that tells them nothing.

    Args:
        holds: a condition, or a coroutine function that finds out.
        within: seconds after which the test fails.
        what: said when it does.
    """
    deadline = asyncio.get_running_loop().time() + within
    while True:
        found = holds()
        if inspect.isawaitable(found):
            found = await found
        if found:
            return
        assert asyncio.get_running_loop().time() < deadline, what or "it never came true"
        await asyncio.sleep(_LOOK_EVERY)


class Objects:
    """The objects of one test.

    Args:
        client: an admin's.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._discovery: Discovery | None = None
        self._namespaces: set[str] = set()
        # What the end of its namespaces does not remove: objects elsewhere, and objects with finalizers.
        self._left: dict[str, Manifest] = {}

    async def make_namespace(self, name: str) -> str:
        """A new namespace in which pods can be made at once."""
        await self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        self._namespaces.add(name)
        account = GVR("", "v1", "serviceaccounts").path(name, "default")

        async def has_account() -> bool:
            try:
                await self._client.request("GET", account)
            except NotFound:
                return False
            return True

        await until(has_account, what="the namespace got no service account")
        return name

    async def metrics_ready(self) -> None:
        """Wait until metrics are served, which takes a new cluster a while, if they ever will be."""

        async def told() -> bool:
            try:
                await self._client.request("GET", GVR("metrics.k8s.io", "v1beta1", "nodes").path())
            except NotFound:
                return True
            except Unavailable:
                return False
            return True

        await until(told, 60, "the metrics API is announced but does not answer")

    async def apply(self, manifest: Manifest) -> dict[str, Any]:
        """Create or change an object, with the status that the manifest gives it; returns the object."""
        path = await self.path(manifest)
        meta = manifest["metadata"]
        if meta.get("namespace") not in self._namespaces or meta.get("finalizers"):
            self._left.setdefault(path, manifest)
        wanted = {key: value for key, value in manifest.items() if key != "status"}
        made = await self.patch(path, wanted, _APPLY, fieldManager="test", force="true")
        if "status" in manifest:
            made = await self.patch(f"{path}/status", {"status": manifest["status"]}, _MERGE)
        return made

    async def change(self, manifest: Manifest, change: Mapping[str, Any]) -> dict[str, Any]:
        """Change fields of an object by a merge patch."""
        return await self.patch(await self.path(manifest), change, _MERGE)

    async def delete(self, manifest: Manifest, **options: Any) -> None:
        """Delete an object, with `DeleteOptions`; whether it exists is not asked."""
        await self._delete(await self.path(manifest), options)

    async def get(self, manifest: Manifest) -> dict[str, Any]:
        """An object as it is now."""
        return _object((await self._client.request("GET", await self.path(manifest))).body)

    async def patch(self, path: str, body: Mapping[str, Any], how: str, **query: str) -> dict[str, Any]:
        """PATCH a path."""
        answer = await self._client.request(
            "PATCH", path, query=query, body=json.dumps(body).encode(), content_type=how
        )
        return _object(answer.body)

    async def resource(self, api_version: str, kind: str) -> Resource:
        """The resource of a kind; waits until it is served."""
        group = api_version.rpartition("/")[0]

        async def served() -> bool:
            if self._discovery is None or self._discovery.find(group, kind) is None:
                self._discovery = await discover(self._client)
            return self._discovery.find(group, kind) is not None

        await until(served, what=f"{api_version} {kind} is not served")
        assert self._discovery is not None
        found = self._discovery.find(group, kind)
        assert found is not None
        return found

    async def path(self, manifest: Manifest) -> str:
        """The URL path of an object."""
        resource = await self.resource(manifest["apiVersion"], manifest["kind"])
        meta = manifest["metadata"]
        return resource.gvr.path(meta.get("namespace", "") if resource.namespaced else "", meta["name"])

    async def clean_up(self) -> None:
        """Remove what was made, without waiting until it is gone."""
        for path, manifest in reversed(self._left.items()):
            try:
                if manifest["metadata"].get("finalizers"):
                    await self.patch(path, {"metadata": {"finalizers": None}}, _MERGE)
                await self._delete(path, {})
            except (ApiError, ConnectionFailed) as error:
                if not isinstance(error, NotFound):
                    raise

    async def _delete(self, path: str, options: Mapping[str, Any]) -> None:
        body = {"apiVersion": "v1", "kind": "DeleteOptions", **options}
        try:
            await self._client.request("DELETE", path, body=json.dumps(body).encode())
        except NotFound:
            return


def _object(body: bytes) -> dict[str, Any]:
    found = msgspec.json.decode(body)
    assert isinstance(found, dict)
    return found


async def persistently(act: Callable[[], Awaitable[Any]], within: float = 60.0) -> None:
    """Do something on a server that is away now and then.

    Args:
        act: what to do; it may have been done although it fails.
        within: seconds after which the test fails.
    """

    async def done() -> bool:
        try:
            await act()
        except NotFound:
            raise
        except KtuiError:
            return False
        return True

    await until(done, within, "the server did not come back")


def gadgets(prefix: str, fields: dict[str, Any]) -> dict[str, Any]:
    """The definition of a kind of one's own.

    Args:
        prefix: of its API group, so that tests beside each other have different ones.
        fields: the schemas of what may be in its spec.
    """
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": fields}}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": "gadgets", "singular": "gadget", "kind": "Gadget", "listKind": "GadgetList"}
    group = f"{prefix}.example.com"
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"gadgets.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
    }
