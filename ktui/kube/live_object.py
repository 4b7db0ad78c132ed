"""LiveObject: one object as a whole, kept as current as a page about it needs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ktui.kinds.kind import Kind
from ktui.kinds.names import ObjectKey
from ktui.kinds.row import Row
from ktui.kube.backoff import Backoff
from ktui.kube.errors import KtuiError, NotFound
from ktui.kube.objects import get_object
from ktui.kube.session import Session
from ktui.kube.state import State, complete

# A rollout changes a deployment many times a second; nobody reads faster than this.
FETCH_EVERY = 1.0
# How often an object is fetched that the user may get but not watch.
UNWATCHED_EVERY = 10.0


class LiveObject:
    """Watches one object by its name, and knows when the whole of it has to be fetched again.

    The watch is a feed of the session. Fetching is a short request that the owner makes: `due` says when.

    Args:
        session: where feeds and the connection come from.
        kind: the object's kind.
        key: its namespace and name.
        wake: called, synchronously, when something new is known of it.
        now: seconds of a monotonic clock.

    Attributes:
        item: the whole object as it was fetched last; it stays when the object is deleted.
        gone: whether the object was deleted since.
        recreated: whether another object of the same name has taken its place since.
        trouble: why the last fetch failed; None when it did not.
    """

    def __init__(
        self,
        session: Session,
        kind: Kind,
        key: ObjectKey,
        wake: Callable[[], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.key = key
        self.item: dict[str, Any] | None = None
        self.gone = False
        self.recreated = False
        self.trouble: KtuiError | None = None
        self._session = session
        self._now = now
        self._backoff = Backoff()
        self._fetching = self._wanted = False
        self._fetched_at = float("-inf")
        self._again_at = float("-inf")
        self._view = session.open(kind, (key.namespace,) if key.namespace else (), fields=f"metadata.name={key.name}")
        self._feed = self._view.feed
        self._wake = wake
        self._changes = self._feed.store.subscribe(wake)
        self._ends = (self._feed.listen(wake), session.listen(wake))

    @property
    def kind(self) -> Kind:
        """Its kind, with the columns that the server named."""
        return self._feed.kind

    @property
    def row(self) -> Row | None:
        """Its row, as the watch shows it; None while it is not known or when it is gone."""
        return self._feed.store.rows.get(self.key)

    @property
    def state(self) -> State:
        """How current the watch is."""
        return self._feed.state

    @property
    def watched(self) -> bool:
        """Whether changes are told by the server, now or as soon as it answers again."""
        return complete(self._feed.state)

    @property
    def uid(self) -> str:
        """The UID of `item`; empty without one."""
        return str(self.item["metadata"].get("uid", "")) if self.item else ""

    @property
    def version(self) -> str:
        """The resource version of `item`; empty without one."""
        return str(self.item["metadata"].get("resourceVersion", "")) if self.item else ""

    def due(self) -> float | None:
        """Seconds until the whole object should be fetched; None while it need not be."""
        self._changes.drain()
        now = self._now()
        if self._fetching or self._session.client is None:
            return None
        if self._wanted or (self.item is None and self.trouble is None):
            return 0.0
        if self.trouble is not None:
            return max(0.0, self._again_at - now)
        if not self.watched:
            return max(0.0, self._fetched_at + UNWATCHED_EVERY - now)
        if self.row is None:
            self.gone = True
            return None
        if self.row.object is not None and self.row.object.metadata.resource_version == self.version and not self.gone:
            return None
        return max(0.0, self._fetched_at + FETCH_EVERY - now)

    async def fetch(self) -> None:
        """Fetch the whole object; what goes wrong becomes `trouble`, and `item` stays."""
        client = self._session.client
        if client is None or self._fetching:
            return
        self._fetching, self._wanted = True, False
        try:
            item = await get_object(client, self._feed.kind.gvr, self.key)
        except NotFound as error:
            self._missing(error)
        except KtuiError as error:
            self._failed(error)
        else:
            self.recreated = self.recreated or (bool(self.uid) and item["metadata"].get("uid") != self.uid)
            self.item, self.trouble, self.gone = item, None, False
            self._fetched_at = self._now()
        finally:
            self._fetching = False
        self._wake()

    def retry(self) -> None:
        """Fetch again at once: the person asked."""
        self._wanted = True
        self._wake()

    def close(self) -> None:
        """Look no longer."""
        self._changes.close()
        for end in self._ends:
            end()
        self._view.close()

    def _missing(self, error: NotFound) -> None:
        if self.item is None:
            self._failed(error)
            return
        self.gone = True
        self.trouble = None
        self._fetched_at = self._now()

    def _failed(self, error: KtuiError) -> None:
        self.trouble = error
        now = self._now()
        self._again_at = now + self._backoff.next(now, getattr(error, "retry_after", None))
