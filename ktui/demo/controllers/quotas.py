"""ResourceQuotas: their status says how much of everything is used."""

from __future__ import annotations

from ktui.demo.controllers.conditions import is_finished
from ktui.demo.controllers.controller import Controller, Key, key_of
from ktui.demo.quota import shown, used_in
from ktui.demo.storage import Event

_QUOTAS = "resourcequotas"


class ResourceQuotas(Controller):
    """Writes the status of ResourceQuotas."""

    watches = (_QUOTAS, "*")
    component = "resourcequota-controller"

    def observe(self, event: Event) -> None:
        if event.resource == _QUOTAS:
            super().observe(event)
            return
        namespace = event.object["metadata"].get("namespace", "")
        if event.type == "MODIFIED" and not (event.resource == "pods" and is_finished(event.object)):
            return
        for quota in self.storage.list(_QUOTAS, namespace) if namespace else ():
            self.gather(key_of(quota))

    def sync(self, key: Key) -> None:
        quota = self.storage.get(_QUOTAS, *key)
        if quota is None:
            return
        hard = quota["spec"].get("hard") or {}
        used = {name: shown(amount) for name, amount in sorted(used_in(self.storage, key[0], hard).items())}
        self.storage.update(_QUOTAS, {**quota, "status": {"hard": hard, "used": used}})
