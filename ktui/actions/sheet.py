"""Sheet: one object while somebody edits it: as it was, as it is by now, and what is meant by the text."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from ktui.actions.action import Action, JsonObject, Refusal, Target
from ktui.actions.difference import Change, difference
from ktui.actions.edit import check_identity, edit_action, editable
from ktui.actions.replace import create_again_action, recreate_action, replace_action
from ktui.actions.server_side_apply import server_side_apply_action
from ktui.kinds.kind import Kind
from ktui.kinds.manifest import is_secret
from ktui.kinds.names import ObjectKey
from ktui.manifests.cleaning import Restored, clean, restored
from ktui.manifests.lists import GUESSED, Lists
from ktui.manifests.merge import Conflict, Key, Merged, merge
from ktui.manifests.problems import Path, spell
from ktui.manifests.writing import write


class Mode(Enum):
    """How an edit is sent."""

    PATCH = "patch"
    """What was changed, and nothing else."""
    APPLY = "server-side apply"
    """What was changed, and what ktui applied before; who else owns a field is asked for."""
    REPLACE = "replace"
    """The whole object."""


class NotMeant(Refusal):
    """Something in the text cannot be meant.

    Attributes:
        path: of what.
    """

    def __init__(self, path: Path, sentence: str, next_step: str = "") -> None:
        super().__init__(sentence, next_step)
        self.path = path


@dataclass
class Sheet:
    """An object that is edited.

    Attributes:
        kind: its kind.
        key: its namespace and name.
        base: the object with which the person began.
        live: the object as it is on the server; the last that was seen when it is gone.
        gone: whether it was deleted.
        lists: how its lists are merged.
        choices: whose value stays, by the keys of fields that both sides changed.
        behind: the object whose values are behind the masks of the text; the one with which the person began when None.
    """

    kind: Kind
    key: ObjectKey
    base: JsonObject
    live: JsonObject
    gone: bool = False
    lists: Lists = GUESSED
    choices: dict[Key, str] = field(default_factory=dict)
    behind: JsonObject | None = None

    @property
    def secret(self) -> bool:
        """Whether its values are nobody's business."""
        return is_secret(self.base)

    @property
    def replaced(self) -> bool:
        """Whether another object has its name by now."""
        return _uid(self.live) != _uid(self.base)

    @property
    def target(self) -> Target:
        """What is changed."""
        return Target(self.kind, self.key, _uid(self.live), self.live)

    def text(self, *, decoded: bool = False) -> str:
        """The object to be edited.

        Args:
            decoded: whether the values of a Secret are shown.
        """
        return write(clean(self.base, decoded=decoded).value)

    def status(self) -> str:
        """Its status as it is now, as text; empty when there is none."""
        status = clean(self.live).status
        return write({"status": status}) if status else ""

    def mine(self, value: Any) -> JsonObject:
        """The object that is meant by an edited one.

        Args:
            value: of the text.

        Raises:
            NotMeant: it is another object, or masks stand where values should.
        """
        if not isinstance(value, dict):
            raise NotMeant((), "This is no object.", "Write its fields, apiVersion and kind first.")
        back = self.restored(value)
        if back.lost:
            raise NotMeant(back.lost[0], f"{spell(back.lost[0])} has dots where a value should be.", "Type the value.")
        mine = editable(back.value) if isinstance(back.value.get("metadata"), dict) else back.value
        check_identity(editable(self.base), mine)
        return mine

    def restored(self, value: JsonObject) -> Restored:
        """An edited object with the values that are behind masks.

        Args:
            value: of the text.
        """
        return restored(value, self.behind or self.base)

    def shown(self, mine: JsonObject, *, decoded: bool) -> str:
        """The text of an edited object, whose values are behind its masks from now on.

        Args:
            mine: as `mine` made it.
            decoded: whether the values of a Secret are shown.
        """
        self.behind = mine
        return write(clean(mine, decoded=decoded).value)

    def changes_of_others(self) -> Sequence[Change]:
        """What others changed since the person began."""
        return difference(editable(self.base), editable(self.live)) if self.live is not self.base else ()

    def conflicts(self, mine: JsonObject) -> list[Conflict]:
        """The fields that both sides changed, as far as nobody chose between them.

        Args:
            mine: as `mine` made it.
        """
        return self.merged(mine).conflicts

    def merged(self, mine: JsonObject) -> Merged:
        """What was edited here, with what others changed meanwhile.

        Args:
            mine: as `mine` made it.
        """
        return merge(editable(self.base), editable(self.live), mine, self.lists, self.choices)

    def action(self, mine: JsonObject, mode: Mode, *, force: bool = False, leave: Collection[Key] = ()) -> Action:
        """What applies the edit.

        Args:
            mine: as `mine` made it.
            mode: how.
            force: whether an apply takes over fields of others.
            leave: fields that an apply leaves to their owners; keys of `ManagerConflict`.
        """
        edit = editable(self.base), mine, self.lists, self.choices
        if mode is Mode.APPLY:
            return server_side_apply_action(*edit, force=force, leave=leave)
        return replace_action(*edit) if mode is Mode.REPLACE else edit_action(*edit)

    def recreation(self, mine: JsonObject) -> Action:
        """What deletes the object and creates what was edited in its place; where it is gone, what creates it.

        Args:
            mine: as `mine` made it.
        """
        base = editable(self.base)
        if self.gone:
            return create_again_action(base, mine, self.kind)
        return recreate_action(base, mine, self.lists, self.choices)

    @property
    def place(self) -> Target:
        """Where the object was."""
        return Target(self.kind, ObjectKey(self.key.namespace, ""))


def _uid(item: JsonObject) -> str:
    return str(item["metadata"].get("uid", ""))
