"""Apply a manifest, as `kubectl apply --server-side -f -` does, each of its objects after those that it needs.

What was applied before and is left out, is taken away; fields that others own are theirs until they are taken over.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Collection, Mapping, Sequence

from ktui.actions.action import Access, Action, Cluster, JsonObject, Said, Step, Target, Undone
from ktui.actions.creation import from_manifest, namespace_field, text_of
from ktui.actions.documents import Item, Part, items, parts, ready, served
from ktui.actions.edit import editable
from ktui.actions.edit_words import consequences
from ktui.actions.form import Carried, Form, SwitchField, Values
from ktui.actions.server_side_apply import apply_step
from ktui.kinds.names import GVR, ObjectKey
from ktui.kube.errors import ApiError, NotFound
from ktui.manifests.applied import overlaid, without
from ktui.manifests.lists import GUESSED
from ktui.manifests.problems import Path
from ktui.manifests.reading import Reading

log = logging.getLogger(__name__)

AT_ONCE = 5
"""Objects that are looked for at the same time."""

_Live = Mapping[tuple[GVR, ObjectKey], JsonObject | None]
"""What is there now; None for nothing, and missing where that is not known."""


def apply_manifest_action(
    reading: Reading, *, force: bool = False, leave: Mapping[int, Collection[Path]] | None = None
) -> Action:
    """The action that applies all objects of a manifest; its target is a place.

    Args:
        reading: of the text.
        force: whether fields that others own are taken over; where objects are there, the dialog asks for it, too.
        leave: by the places of objects among those of the manifest, counted from 0, fields that are left to their
            owners: paths of `ManagerConflict`.
    """

    async def form(cluster: Cluster, targets: Sequence[Target]) -> Form:
        found, where = items(reading, "apply"), namespace_field(cluster, targets)
        kinds = await served(cluster, "patch", found)
        made = parts(found, kinds, where.text)
        live = await _live(cluster, made)
        unsaid = any(part.key.namespace and not part.said_namespace for part in made)
        there = any(live.values())
        switch = SwitchField(
            name="force",
            label="Take over",
            help="make ktui the owner of what others own",
            on=force,
            shown=lambda values: there,
        )
        carried = (Carried(name="kinds", value=kinds), Carried(name="live", value=live))
        return Form((dataclasses.replace(where, shown=lambda values: unsaid), switch, *carried))

    def plan(target: Target, values: Values) -> Sequence[Step]:
        found = items(reading, "apply")
        made = parts(found, values["kinds"], text_of(values, "namespace"))
        left = {found[place]: paths for place, paths in (leave or {}).items()} if leave else {}
        return [_step(part, made, values["live"], bool(values["force"]), left) for part in made]

    async def weigh(cluster: Cluster, targets: Sequence[Target], values: Values) -> Sequence[Said]:
        said: list[Said] = []
        for part in parts(items(reading, "apply"), values["kinds"], text_of(values, "namespace")):
            if (live := values["live"].get((part.kind.gvr, part.key))) is not None:
                before = editable(live)
                found = await consequences(cluster, part.kind, before, overlaid(before, part.body, GUESSED))
                said += [dataclasses.replace(each, about=part.target.said) for each in found]
        return said

    return Action(
        id="apply-manifest",
        key="y",
        title="Apply",
        help="Create the objects of a manifest, and change those that are there.",
        offers=lambda kind: True,
        access=(Access("patch"),),
        form=form,
        plan=plan,
        weigh=weigh,
        many=False,
        creates=True,
        done="Applied",
    )


def _step(part: Part, made: Sequence[Part], live: _Live, force: bool, leave: Mapping[Item, Collection[Path]]) -> Step:
    more = {"previewed": not part.late, "needs": part.needs, **ready(part, made)}
    if not part.key.name:
        # Only a creation gives it a name.
        return dataclasses.replace(from_manifest(part.kind, part.body), **more)
    body = without(part.body, leave.get(part.item, ()))
    item = live.get((part.kind.gvr, part.key))
    target = part.target if item is None else part.target.read(item)
    # What turns out to be there after all, is given back what it was.
    undone = Undone.DELETE if item is None else Undone.PATCH
    more |= {"shown": body, "wanted": body} if item is None else {}
    return apply_step(target, body, force=force, undone=undone, **more)


async def _live(cluster: Cluster, made: Sequence[Part]) -> _Live:
    """What is there of the parts."""
    turn = asyncio.Semaphore(AT_ONCE)
    found: dict[tuple[GVR, ObjectKey], JsonObject | None] = {}

    async def look(part: Part) -> None:
        async with turn:
            try:
                found[part.kind.gvr, part.key] = await cluster.get(part.kind.gvr, part.key)
            except NotFound:
                found[part.kind.gvr, part.key] = None
            except ApiError as error:
                # Who may not look may still apply; the dry run tells.
                log.debug("%s is not looked at: %s", part.target.said, error)

    await asyncio.gather(*(look(part) for part in made if part.key.name))
    return found
