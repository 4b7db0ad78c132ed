"""The namespaces to look at: chosen from those of the cluster, or typed where they may not be listed."""

from __future__ import annotations

from ktui.kinds.namespaces import NAMESPACES
from ktui.kinds.text import clean
from ktui.kube.session import Session
from ktui.kube.state import Denied
from ktui.screens.picker import Choice, Picker

EVERYWHERE = Choice("", "all namespaces")


class NamespacePicker(Picker):
    """Chooses namespaces; several can be typed with commas between them.

    Args:
        session: whose namespaces.
        known: namespaces that the user is known to read.
    """

    def __init__(self, session: Session, known: tuple[str, ...]) -> None:
        self._known = known
        self._view = session.open(NAMESPACES)
        super().__init__(
            "Namespaces", self._found(), placeholder="type to narrow, or name several: shop,platform", free=True
        )
        self._end_listening = self._view.feed.listen(self._again)
        self._changes = self._view.feed.store.subscribe(self._soon)

    def on_unmount(self) -> None:
        """Look no longer."""
        self._end_listening()
        self._changes.close()
        self._view.close()

    def _found(self) -> list[Choice]:
        names = sorted({key.name for key in self._view.feed.store.rows} | set(self._known))
        return [EVERYWHERE, *(Choice(name, clean(name)) for name in names)]

    def _soon(self) -> None:
        self.call_later(self._again)

    def _again(self) -> None:
        self._changes.drain()
        if self.is_mounted:
            denied = isinstance(self._view.feed.state, Denied)
            self.offer(self._found(), "You may not list namespaces: type the ones you may read." if denied else "")
