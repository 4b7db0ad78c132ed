"""A small kind and its rows, for tests of tables."""

from __future__ import annotations

from typing import Any

from ktui.kinds.column import NAME, AgeColumn, Column, Role
from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR, ObjectKey
from ktui.kinds.objects import Object, ObjectMeta
from ktui.kinds.row import Row
from ktui.kinds.time import epoch
from ktui.kinds.tone import Tone
from ktui.kube.store import Store

NOW = epoch("2026-01-10T00:00:00Z") or 0.0

_TONES = {"Running": Tone.GOOD, "Pending": Tone.WORKING, "NotReady": Tone.WARNING, "Crashed": Tone.FAILED}


class Boat(Object):
    """What the tests' tables show."""

    status: str = "Running"
    restarts: float = 0
    node: str = ""
    image: str = ""


def _tone(boat: Any) -> Tone:
    return _TONES.get(boat.status, Tone.PLAIN)


BOATS = Kind(
    gvr=GVR("", "v1", "boats"),
    kind="Boat",
    namespaced=True,
    view=Boat,
    columns=(
        NAME,
        Column(name="STATUS", text=lambda boat: boat.status, tone=_tone),
        Column(name="RESTARTS", text=lambda boat: boat.restarts, right=True),
        AgeColumn(name="AGE", since=lambda boat: epoch(boat.metadata.creation_timestamp), role=Role.SECONDARY),
        Column(name="NODE", text=lambda boat: boat.node, role=Role.SECONDARY),
        Column(name="IMAGE", text=lambda boat: boat.image, wide=True),
    ),
    health=_tone,
)
COLUMNS = BOATS.columns_for(wide=True, all_namespaces=True)


def boat(
    name: str, namespace: str = "sea", *, uid: str = "", created: str = "2026-01-01T00:00:00Z", **seen: Any
) -> Row:
    """A row. Two of them are never taken for the same version.

    Args:
        name, namespace: its key.
        uid: its UID; made from the key when empty.
        created: when it was created.
        seen: fields of `Boat`.
    """
    uid = uid or f"uid of {namespace}/{name}"
    metadata = ObjectMeta(name=name, namespace=namespace, uid=uid, creation_timestamp=created)
    return Row(ObjectKey(namespace, name), uid, Boat(metadata=metadata, **seen))


def store_of(*rows: Row) -> Store:
    """A store that holds these rows."""
    store = Store(BOATS)
    store.put(rows)
    return store
