"""Server-side apply of what was edited: who owns which field is known, and whoever else owns one is asked for.

What is sent are the fields that ktui applied before, and those that were changed; see `ktui.manifests.applied`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from ktui.actions.action import (
    APPLY_PATCH,
    FIELD_MANAGER,
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
from ktui.actions.edit import NothingChanged, applying, edited, weighing
from ktui.actions.form import Form, SwitchField, Values
from ktui.actions.kubectl import in_namespace
from ktui.actions.undertaking import Undertaking
from ktui.kinds.manifest import manifest
from ktui.kinds.names import ObjectKey
from ktui.kinds.text import some_of
from ktui.kinds.tone import Tone
from ktui.kube.errors import Conflict, KtuiError
from ktui.manifests.applied import Applied, ManagerConflict, Owner, applied_configuration, manager_conflict
from ktui.manifests.lists import Lists
from ktui.manifests.merge import Key, said

MOST_NAMED = 3
"""Fields that a sentence names where there are more."""

_OURSELVES = Owner(FIELD_MANAGER, "Update")
"""As whom the server knows ktui where it patched fields."""


class ManagerConflicts(Refusal):
    """Others own fields that an apply would change.

    Attributes:
        conflicts: one for each field and owner.
    """

    def __init__(self, conflicts: Sequence[ManagerConflict]) -> None:
        owners = _listed(conflict.owner.manager or "somebody" for conflict in conflicts)
        fields = _listed(conflict.said for conflict in conflicts)
        super().__init__(f"{fields}: owned by {owners}.", "Take them over, or leave them to their owners.")
        self.conflicts = conflicts

    @property
    def told(self) -> list[Said]:
        """A sentence for each field."""
        return [Said(f"was {each.owner.said}.", Tone.FAILED, each.said) for each in self.conflicts]


def manager_conflicts(error: KtuiError | None, applied: Any) -> ManagerConflicts | None:
    """The conflicts that the server tells of; None when it refuses something else.

    Args:
        error: why it refused an apply.
        applied: what was sent.
    """
    causes = error.details.causes if isinstance(error, Conflict) else ()
    told = [cause for cause in causes if cause.reason == "FieldManagerConflict"]
    found = [manager_conflict(cause.field, cause.message, applied) for cause in told]
    # What ktui itself has patched before, is taken over with the rest.
    others = [conflict for conflict in found if conflict.owner != _OURSELVES]
    return ManagerConflicts(others or found) if found else None


def conflicts_in(undertaking: Undertaking) -> dict[int, ManagerConflicts]:
    """The conflicts for which an undertaking was refused, by the places of its steps, counted from 0.

    Args:
        undertaking: what was tried by a dry run, or done, last.
    """
    found = {}
    for work in undertaking.works:
        tried = [(preview.step, preview.error) for preview in undertaking.previewed.get(work, ())]
        # What was done counts more than what was tried before.
        for step, error in (*tried, *work.failed):
            if step in work.steps and (conflicts := manager_conflicts(error, step.write.body)) is not None:
                found[work.steps.index(step)] = conflicts
    return found


def conflicts_of(undertaking: Undertaking) -> ManagerConflicts | None:
    """The conflicts for which the apply of one object was refused last; None when it was not, or for something else.

    Args:
        undertaking: what was tried by a dry run, or done, last.
    """
    return conflicts_in(undertaking).get(0)


def server_side_apply_action(
    base: JsonObject,
    mine: JsonObject,
    lists: Lists,
    choices: Mapping[Key, str],
    *,
    force: bool = False,
    leave: Collection[Key] = (),
) -> Action:
    """The action that applies what was edited, as ktui's.

    Args:
        base, mine, lists, choices: as for `edit_action`.
        force: whether fields that others own are taken over; where there are such, the dialog asks for it, too.
        leave: keys of `ManagerConflict`: fields that are left to their owners, as they are.
    """

    def declared(target: Target) -> Applied:
        value = edited(target, base, mine, lists, choices).value
        return applied_configuration(target.live, value, lists, FIELD_MANAGER, leave)

    async def form(cluster: Cluster, targets: Sequence[Target]) -> Form:
        try:
            contested = _contested(declared(targets[0]))
        except Refusal:
            contested = []
        switch = SwitchField(
            name="force",
            label="Take over",
            help="make ktui the owner of what others own",
            on=force,
            shown=lambda values: bool(contested),
        )
        return Form((switch,), tuple(contested))

    def plan(target: Target, values: Values) -> Sequence[Step]:
        value = edited(target, base, mine, lists, choices).value
        applied = declared(target)
        _check(applied)
        owners = {owner for owned in applied.contested for owner in owned.owners}
        forced = bool(values.get("force", force))
        if owners == {_OURSELVES}:
            # Of what it patched, ktui becomes the owner by applying, unless somebody comes in between.
            forced = True
            applied.value["metadata"]["resourceVersion"] = target.live["metadata"]["resourceVersion"]
        return [apply_step(target, applied.value, force=forced, wanted=None if leave else value)]

    return applying("patch", plan, weighing(base, mine, lists, choices), form=form)


def apply_step(target: Target, body: JsonObject, *, force: bool, **more: Any) -> Step:
    """The step that applies an object.

    Args:
        target: which.
        body: what is declared.
        force: whether fields of others are taken over.
        more: as of steps.
    """
    flags = ["--server-side", f"--field-manager={FIELD_MANAGER}", *(["--force-conflicts"] if force else [])]
    path = target.kind.gvr.path(*target.key)
    return Step(
        target,
        Write("PATCH", path, body, APPLY_PATCH, {"force": "true"} if force else {}),
        ("kubectl", *in_namespace(ObjectKey(target.key.namespace, "")), "apply", *flags, "-f", "-"),
        # The values of secrets stay masked.
        stdin=manifest(body),
        **{"undone": Undone.PATCH, **more},
    )


def _check(applied: Applied) -> None:
    """Refuse what an apply cannot do."""
    if not applied.changes:
        raise NothingChanged
    if applied.stays:
        owned = applied.stays[0]
        why = _listed(owner.said for owner in owned.owners) if owned.owners else "no apply of ktui has set it"
        fields = _listed(each.said for each in applied.stays)
        raise Refusal(f"An apply does not remove {fields}: {why}.", "Send the edit as a patch.")
    if applied.unordered:
        raise Refusal(f"An apply does not put {said(applied.unordered[0])} in another order.", "Send it as a patch.")


def _contested(applied: Applied) -> list[str]:
    """Fields of others that are changed, a line each."""
    found = []
    for field in applied.contested:
        if others := [owner.said for owner in field.owners if owner != _OURSELVES]:
            found.append(f"{field.said}: {_listed(others)}")
    return found


def _listed(names: Iterable[str]) -> str:
    return some_of(dict.fromkeys(names), MOST_NAMED)
