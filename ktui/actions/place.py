"""Place: the cluster on which actions are done, reached through a session."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import msgspec

from ktui.actions.action import FIELD_MANAGER, JSON, JSON_PATCH, JsonObject, Write
from ktui.kinds.names import GVR, ObjectKey
from ktui.kube.client import Client
from ktui.kube.discovery import Discovery
from ktui.kube.errors import ConnectionFailed, UnexpectedAnswer
from ktui.kube.following import decoded, follow_object, follow_objects
from ktui.kube.listing import list_objects
from ktui.kube.objects import get_object
from ktui.kube.session import Session

# Of a deletion that has a body the API server does not look at the query: without this, a dry run would delete.
# Source: k8s.io/apiserver/pkg/endpoints/handlers/delete.go
_DELETE_OPTIONS = {"apiVersion": "v1", "kind": "DeleteOptions"}


class Place:
    """Reads and writes of actions. It is the `Cluster` of their contract.

    Args:
        session: the context's connection.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def client(self) -> Client:
        """The connection.

        Raises:
            ConnectionFailed: there is none yet.
        """
        if self._session.client is None:
            raise ConnectionFailed("the cluster", "not connected yet", "Wait until the header says that it is live.")
        return self._session.client

    @property
    def context(self) -> str:
        """The name of the kubeconfig context."""
        return self.client.identity.context

    @property
    def namespace(self) -> str:
        """The namespace of the kubeconfig context."""
        return self.client.identity.namespace or "default"

    @property
    def now(self) -> float:
        """Epoch seconds."""
        return self._session.clock()

    async def discovery(self, *, anew: bool = False) -> Discovery:
        """What the server serves; asked again when something may have been installed since."""
        if anew:
            self._session.forget_discovery()
        return await self._session.discovery()

    async def get(self, gvr: GVR, key: ObjectKey, subresource: str = "") -> JsonObject:
        """One object, or a subresource of it."""
        if not subresource:
            return await get_object(self.client, gvr, key)
        found: JsonObject = await self.client.get_json(gvr.path(*key, subresource), JsonObject)
        return found

    async def objects(self, gvr: GVR, namespace: str = "", *, labels: str = "", fields: str = "") -> list[JsonObject]:
        """Some objects; of all namespaces when none is given."""
        listed = await list_objects(self.client, gvr, namespace, labels=labels, fields=fields)
        return await decoded(listed)

    def watch(self, gvr: GVR, key: ObjectKey) -> AsyncGenerator[JsonObject | None, None]:
        """One object as it is now, and again whenever it has changed."""
        return follow_object(self.client, gvr, key)

    def watch_all(
        self, gvr: GVR, namespace: str = "", *, labels: str = "", fields: str = ""
    ) -> AsyncGenerator[list[JsonObject], None]:
        """All these objects as they are now, and again whenever one has changed."""
        return follow_objects(self.client, gvr, namespace, labels=labels, fields=fields)

    async def send(self, write: Write, *, dry_run: bool = False) -> tuple[JsonObject, tuple[str, ...]]:
        """Make a write.

        Args:
            write: the request.
            dry_run: whether the server only says what would happen.

        Returns:
            What the server answered, an object or a Status, and its warnings.

        Raises:
            KtuiError: it refused, or did not answer: then nobody knows whether it was done.
        """
        query = dict(write.query)
        if write.method != "DELETE":
            query["fieldManager"] = FIELD_MANAGER
            if write.content_type != JSON_PATCH:
                query["fieldValidation"] = "Strict"
        content = write.body
        if dry_run:
            query["dryRun"] = "All"
            if write.method == "DELETE":
                content = {**_DELETE_OPTIONS, **(content or {}), "dryRun": ["All"]}
        body = None if content is None else msgspec.json.encode(content)
        answer = await self.client.request(
            write.method, write.path, query=query, body=body, content_type=write.content_type or JSON
        )
        try:
            found = msgspec.json.decode(answer.body)
        except msgspec.DecodeError:
            found = None
        if not isinstance(found, dict):
            raise UnexpectedAnswer(self.client.identity.server, "something that is no object")
        return found, answer.warnings
