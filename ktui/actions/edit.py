"""Edit: what a person changed in a manifest, merged with what others changed meanwhile, and sent as a patch of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ktui.actions.action import (
    MERGE_PATCH,
    STRATEGIC_PATCH,
    Access,
    Action,
    Asks,
    Cluster,
    JsonObject,
    Refusal,
    Said,
    Step,
    Target,
    Undone,
    Write,
)
from ktui.actions.difference import ABSENT
from ktui.actions.form import Values
from ktui.actions.kubectl import kubectl
from ktui.actions.undo import go_json
from ktui.kinds.kind import Kind, Trait
from ktui.kinds.tone import Tone
from ktui.manifests.lists import Lists
from ktui.manifests.merge import Conflict, merge
from ktui.manifests.patches import merge_patch, strategic_patch

SERVER_OWNED = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink")


def editable(item: Mapping[str, Any]) -> JsonObject:
    """An object without what only the server writes.

    Args:
        item: the whole object.
    """
    meta = {key: value for key, value in item["metadata"].items() if key not in SERVER_OWNED}
    return {key: meta if key == "metadata" else value for key, value in item.items() if key != "status"}


class Conflicts(Refusal):
    """Somebody else changed the same fields meanwhile.

    Attributes:
        conflicts: which.
    """

    def __init__(self, conflicts: Sequence[Conflict]) -> None:
        fields = ", ".join(conflict.said for conflict in conflicts[:3])
        super().__init__(f"Somebody else changed {fields} meanwhile.", "Choose for each which value is to stay.")
        self.conflicts = conflicts


def edit_action(
    base: JsonObject,
    mine: JsonObject,
    *,
    strategic: bool,
    lists: Lists,
    choices: Callable[[Conflict], str | None] = lambda conflict: None,
) -> Action:
    """The action that applies what was edited.

    Args:
        base: the object that the person began with, editable part.
        mine: what it became.
        strategic: whether the server takes strategic merge patches of its kind, as of all kinds but custom resources.
        lists: how lists of its kind are merged.
        choices: for each conflict `mine` or `theirs`; None while nobody has chosen.
    """

    def plan(target: Target, values: Values) -> Sequence[Step]:
        live = editable(target.live)
        check_identity(base, mine)
        merged = merge(base, live, mine, lists)
        open_conflicts = [conflict for conflict in merged.conflicts if choices(conflict) is None]
        if open_conflicts:
            raise Conflicts(open_conflicts)
        wanted = merged.resolved({conflict.path: choices(conflict) or "mine" for conflict in merged.conflicts})
        body = strategic_patch(live, wanted, lists) if strategic else merge_patch(live, wanted)
        if not body:
            raise Refusal("Nothing was changed.", "Change the text, or leave with esc.")
        how = STRATEGIC_PATCH if strategic else MERGE_PATCH
        patch = bytes(go_json(body)).decode()
        words = kubectl(
            ["patch"], target.kind, target.key, f"--type={'strategic' if strategic else 'merge'}", "-p", patch
        )
        return [Step(target, Write("PATCH", target.kind.gvr.path(*target.key), body, how), words, undone=Undone.PATCH)]

    async def weigh(cluster: Cluster, targets: Sequence[Target], values: Values) -> Sequence[Said]:
        return [said for target in targets for said in consequences(target.kind, editable(target.live), mine)]

    return Action(
        id="edit",
        key="e",
        title="Apply",
        help="Send what was changed.",
        offers=lambda kind: True,
        access=(Access("patch"),),
        plan=plan,
        weigh=weigh,
        asks=lambda targets, values: Asks.NOTHING,
        many=False,
        done="Applied",
    )


def check_identity(base: JsonObject, mine: JsonObject) -> None:
    """Refuse to make another object of it.

    Raises:
        Refusal: its kind, name or namespace was changed.
    """
    for path in (("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace")):
        was, now = _at(base, path), _at(mine, path)
        if was != now:
            field = ".".join(path)
            raise Refusal(
                f"{field} cannot be changed: it says which object this is.",
                f"Give it back its value {was!r}, or create another object with n.",
            )


def consequences(kind: Kind, before: JsonObject, after: JsonObject) -> list[Said]:
    """What follows from an edit, as far as the kind tells.

    Args:
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
