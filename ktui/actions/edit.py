"""Edit: what a person changed in a manifest, merged with what others changed meanwhile, and sent as a patch of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ktui.actions.action import (
    Access,
    Action,
    Cluster,
    JsonObject,
    Refusal,
    Said,
    Step,
    Target,
    Undone,
    Write,
)
from ktui.actions.edit_words import consequences
from ktui.actions.form import Values
from ktui.actions.kubectl import kubectl
from ktui.actions.undo import go_json
from ktui.kinds.manifest import MASK, is_secret
from ktui.kube.errors import ApiError, BadRequest, Invalid, KtuiError
from ktui.manifests.lists import ABSENT, Lists, same
from ktui.manifests.merge import Conflict, Key, merge
from ktui.manifests.patches import JSON, STRATEGIC, changes

Plan = Callable[[Target, Values], Sequence[Step]]
Weigh = Callable[[Cluster, Sequence[Target], Values], Awaitable[Sequence[Said]]]

_WAYS = {STRATEGIC: "strategic", JSON: "json"}


def editable(item: Mapping[str, Any]) -> JsonObject:
    """An object without its status, and without who set what.

    Args:
        item: the whole object.
    """
    meta = {key: value for key, value in item["metadata"].items() if key != "managedFields"}
    return {key: meta if key == "metadata" else value for key, value in item.items() if key != "status"}


class NothingChanged(Refusal):
    """The object is as it is wanted."""

    def __init__(self) -> None:
        super().__init__("Nothing was changed.", "Change the text, or leave with esc.")


class Edited(NamedTuple):
    """What an edit comes to.

    Attributes:
        live: the object as it is, its editable part.
        value: as it shall be: with what was edited, and with what others changed meanwhile.
    """

    live: JsonObject
    value: JsonObject


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
        live, value = edited(target, base, mine, lists, choices)
        version = str(target.live["metadata"].get("resourceVersion", ""))
        patch = changes(live, value, lists)
        if not patch.body:
            raise NothingChanged
        # Somebody who changes one of these lists in this very moment must not lose it.
        sent = changes(live, value, lists, resource_version=version) if patch.whole else patch
        way = _WAYS.get(sent.content_type, "merge")
        # The dialog shows this line, and the values of secrets stay masked there.
        told = MASK if is_secret(mine) else bytes(go_json(patch.body)).decode()
        words = kubectl(["patch"], target.kind, target.key, f"--type={way}", "-p", told)
        write = Write("PATCH", target.kind.gvr.path(*target.key), sent.body, sent.content_type)
        return [Step(target, write, words, undone=Undone.PATCH, wanted=value)]

    return applying("patch", plan, weighing(base, mine, lists, choices))


def applying(verb: str, plan: Plan, weigh: Weigh, **more: Any) -> Action:
    """An action that applies an edit.

    Args:
        verb: the right that it needs.
        plan, weigh, more: as of actions.
    """
    usual: dict[str, Any] = {
        "id": "edit",
        "key": "e",
        "title": "Apply",
        "help": "Send what was changed.",
        "offers": lambda kind: True,
        "access": (Access(verb),),
        "many": False,
        "done": "Applied",
    }
    return Action(**{**usual, **more}, plan=plan, weigh=weigh)


def weighing(base: JsonObject, mine: JsonObject, lists: Lists, choices: Mapping[Key, str]) -> Weigh:
    """What weighs an edit: its consequences for other objects.

    Args:
        base, mine, lists, choices: as for `edit_action`.
    """

    async def weigh(cluster: Cluster, targets: Sequence[Target], values: Values) -> Sequence[Said]:
        found: list[Said] = []
        for target in targets:
            live, value = edited(target, base, mine, lists, choices)
            found += await consequences(cluster, target.kind, live, value)
        return found

    return weigh


def edited(target: Target, base: JsonObject, mine: JsonObject, lists: Lists, choices: Mapping[Key, str]) -> Edited:
    """What an edit comes to, with what others did meanwhile.

    Args:
        target: the object as it is.
        base, mine, lists, choices: as for `edit_action`.

    Raises:
        Conflicts: others changed the same fields.
        Refusal: another object would be made of it, or nothing is changed.
    """
    check_identity(base, mine)
    live = editable(target.live)
    merged = merge(base, live, mine, lists, choices)
    if merged.conflicts:
        raise Conflicts(merged.conflicts)
    if same(live, merged.value):
        raise NothingChanged
    return Edited(live, merged.value)


def blames_the_text(error: KtuiError) -> bool:
    """Whether a server refused what was written, rather than who wrote it, or when.

    Args:
        error: of a write, or of its dry run.
    """
    if isinstance(error, BadRequest | Invalid):
        # Webhooks may know no dry run, which says nothing of the text.
        return "dry run" not in error.message
    # An apply that fits no schema is an error of the server itself, as Kubernetes sees it.
    return isinstance(error, ApiError) and "typed patch object" in error.message


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


def _at(item: Any, path: Sequence[str]) -> Any:
    for key in path:
        if not isinstance(item, Mapping) or key not in item:
            return ABSENT
        item = item[key]
    return item
