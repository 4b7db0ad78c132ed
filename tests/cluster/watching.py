"""Watching: what a person would have seen of a feed: its states, and rows that vanish and come back."""

from __future__ import annotations

from ktui.kinds.kind import Kind
from ktui.kinds.names import ObjectKey
from ktui.kube.client import Client
from ktui.kube.feed import Feed
from ktui.kube.state import State
from tests.cluster.tables import rows_of

Versions = dict[ObjectKey, tuple[str, str]]


class Watching:
    """Records everything that a feed shows, from now on.

    Args:
        feed: what to look at.

    Attributes:
        states: the states, in order; the first is that of the beginning.
        returned: keys of objects that vanished although they came back: of the same UID.
    """

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.states: list[State] = [feed.state]
        self.returned: list[ObjectKey] = []
        self._present: dict[ObjectKey, str] = {}
        self._gone: set[str] = set()
        self._changes = feed.store.subscribe(self._look)
        feed.listen(self._note)

    @property
    def words(self) -> list[str]:
        """The states' names, in order, each once for as long as it lasted."""
        names = [type(state).__name__ for state in self.states]
        return [name for place, name in enumerate(names) if not place or names[place - 1] != name]

    def versions(self) -> Versions:
        """UID and resource version of every row."""
        return {key: (row.uid, row.object.metadata.resource_version) for key, row in self.feed.store.rows.items()}

    def _note(self) -> None:
        self.states.append(self.feed.state)

    def _look(self) -> None:
        for key in self._changes.drain():
            row, before = self.feed.store.rows.get(key), self._present.pop(key, None)
            if row is not None:
                self._present[key] = row.uid
                if row.uid in self._gone:
                    self.returned.append(key)
            if before is not None and (row is None or row.uid != before):
                self._gone.add(before)


async def listed(client: Client, kind: Kind, namespace: str) -> Versions:
    """UID and resource version of every object, by a fresh list."""
    rows = await rows_of(client, kind, namespace)
    return {key: (row.uid, row.object.metadata.resource_version) for key, row in rows.items()}
