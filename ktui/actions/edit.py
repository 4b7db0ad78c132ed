"""Edit: what a person changed in a manifest, merged with what others changed meanwhile, and sent as a patch of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ktui.actions.action import (
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
from ktui.actions.form import Values
from ktui.actions.kubectl import kubectl
from ktui.actions.undo import go_json
from ktui.kinds.kind import Kind, Trait
from ktui.kinds.manifest import MASK, is_secret
from ktui.kinds.tone import Tone
from ktui.manifests.lists import ABSENT, Lists
from ktui.manifests.merge import Conflict, Key, merge
from ktui.manifests.patches import JSON, STRATEGIC, changes

_WAYS = {STRATEGIC: "strategic", JSON: "json"}


def editable(item: Mapping[str, Any]) -> JsonObject:
    """An object without its status, and without who set what.

    Args:
        item: the whole object.
    """
    meta = {key: value for key, value in item["metadata"].items() if key != "managedFields"}
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


def edit_action(base: JsonObject, mine: JsonObject, lists: Lists, choices: Mapping[Key, str]) -> Action:
    """The action that applies what was edited.

    Args:
        base: the object that the person began with, its editable part.
        mine: what it became.
        lists: how lists of its kind are merged.
        choices: by the keys of conflicts, whose value is to stay; may be added to while the action is open.
    """

    def plan(target: Target, values: Values) -> Sequence[Step]:
        check_identity(base, mine)
        live = editable(target.live)
        merged = merge(base, live, mine, lists, choices)
        if merged.conflicts:
            raise Conflicts(merged.conflicts)
        version = str(target.live["metadata"].get("resourceVersion", ""))
        patch = changes(live, merged.value, lists)
        if not patch.body:
            raise Refusal("Nothing was changed.", "Change the text, or leave with esc.")
        # Somebody who changes one of these lists in this very moment must not lose it.
        sent = changes(live, merged.value, lists, resource_version=version) if patch.whole else patch
        way = _WAYS.get(sent.content_type, "merge")
        # The dialog shows this line, and the values of secrets stay masked there.
        told = MASK if is_secret(mine) else bytes(go_json(patch.body)).decode()
        words = kubectl(["patch"], target.kind, target.key, f"--type={way}", "-p", told)
        write = Write("PATCH", target.kind.gvr.path(*target.key), sent.body, sent.content_type)
        return [Step(target, write, words, undone=Undone.PATCH)]

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
