"""Server: a cluster as commands ask it, which end with their answers and keep nothing current."""

from __future__ import annotations

import time
from typing import Any

from ktui.kinds.names import GVR, ObjectKey
from ktui.kube.client import Client
from ktui.kube.discovery import Discovery, discover
from ktui.kube.objects import get_object


class Server:
    """Reads of one connection; `ktui.actions.referred.Reads` is what they are for.

    Args:
        client: the connection.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._discovery: Discovery | None = None

    @property
    def now(self) -> float:
        """Epoch seconds."""
        return time.time()

    async def discovery(self) -> Discovery:
        """What the server serves, asked once."""
        if self._discovery is None:
            self._discovery = await discover(self._client)
        return self._discovery

    async def get(self, gvr: GVR, key: ObjectKey) -> dict[str, Any]:
        """One object."""
        return await get_object(self._client, gvr, key)
