"""What follows from an edit, beyond the object itself: pods that are replaced, reached, ended, or not told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ktui.actions.action import Cluster, JsonObject, Said
from ktui.kinds.kind import Kind, Trait
from ktui.kinds.tone import Tone
from ktui.manifests.lists import ABSENT


async def consequences(cluster: Cluster, kind: Kind, before: JsonObject, after: JsonObject) -> list[Said]:
    """What follows from an edit, as far as the kind tells.

    Args:
        cluster: where.
        kind: of the object.
        before, after: the object.
    """
    said = []
    template = _at(before, ("spec", "template")) != _at(after, ("spec", "template"))
    if Trait.ROLLOUT in kind.traits and template:
        replicas = _at(after, ("spec", "replicas"))
        many = f"{replicas} pods are" if isinstance(replicas, int) and replicas != 1 else "its pods are"
        said.append(Said(f"The template changes: {many} replaced, by its own strategy.", Tone.WARNING))
    return said


def _at(item: Any, path: Sequence[str]) -> Any:
    for key in path:
        if not isinstance(item, Mapping) or key not in item:
            return ABSENT
        item = item[key]
    return item
