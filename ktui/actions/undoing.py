"""Undoing: the action that takes back what was done together, made from its entries in the journal."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from ktui.actions.action import Action, Asks, Cluster, JsonObject, Refusal, Said, Step, Target
from ktui.actions.deletion import going
from ktui.actions.difference import lines
from ktui.actions.form import Carried, Form, SwitchField, Values
from ktui.actions.journal import Entry
from ktui.actions.recreate import Owner
from ktui.actions.undo import CreateUndo, DeleteUndo, ScaleUndo, Undo
from ktui.kinds.kind import Kind
from ktui.kinds.names import ObjectKey
from ktui.kinds.tone import Tone
from ktui.kube.discovery import Discovery
from ktui.kube.errors import Forbidden, NotFound
from ktui.kube.listing import kind_of

AT_ONCE = 5
"""Objects that are asked for at the same time."""

MOST_TOLD = 5
"""Fields that are named where somebody changed more."""

Found = dict[str, JsonObject | None]
"""By the ids of entries, what they are about as it is now."""


async def undo_targets(cluster: Cluster, entries: Sequence[Entry]) -> list[Target]:
    """The objects that are changed by undoing, the one that was done last first.

    Args:
        cluster: where.
        entries: what was done together, the newest last.

    Raises:
        Refusal: a kind is not served any more.
        KtuiError: the cluster cannot be asked.
    """
    discovery = await cluster.discovery()
    undos = [entry.undo for entry in entries if entry.undo is not None]
    if any(discovery.find(undo.gvr.group, undo.kind) is None for undo in undos):
        # It may have been installed since, even by what is undone.
        discovery = await cluster.discovery(anew=True)
    targets: dict[tuple[str, ObjectKey], Target] = {}
    for entry in reversed(entries):
        if entry.undo is not None:
            kind = _kind_of(discovery, entry.undo)
            targets.setdefault((kind.gvr.qualified, entry.undo.key), Target(kind, entry.undo.key))
    return list(targets.values())


def undo_action(entries: Sequence[Entry]) -> Action:
    """The action that undoes what was done together.

    Args:
        entries: what was done, the newest last; those that nothing takes back are left as they are.
    """
    taken_back = [(entry, entry.undo) for entry in reversed(entries) if entry.undo is not None]

    async def form(cluster: Cluster, targets: Sequence[Target]) -> Form:
        now = await _side_by_side(_now(cluster, undo) for _, undo in taken_back)
        found: Found = {entry.id: item for (entry, _), item in zip(taken_back, now, strict=True)}
        _check(taken_back, found)
        owners = {
            entry.id: await owner_gone(cluster, undo.owners, undo.key.namespace)
            for entry, undo in taken_back
            if isinstance(undo, CreateUndo)
        }
        addresses = any(isinstance(undo, CreateUndo) and undo.otherwise is not None for _, undo in taken_back)
        return Form(
            (
                Carried(name="now", value=found),
                Carried(name="owner_gone", value=owners),
                SwitchField(
                    name="otherwise",
                    label="New addresses",
                    help="when its cluster IP or node ports are taken",
                    shown=lambda values: addresses,
                ),
            ),
            tuple(f"{undo.title}." for _, undo in taken_back),
        )

    def plan(target: Target, values: Values) -> Sequence[Step]:
        steps: list[Step] = []
        for entry, undo in taken_back:
            if undo.key == target.key and undo.gvr.qualified == target.kind.gvr.qualified:
                live = values["now"][entry.id]
                about = target if live is None else target.read(live)
                if isinstance(undo, CreateUndo):
                    gone, otherwise = values["owner_gone"][entry.id], values["otherwise"] and undo.otherwise is not None
                    step = undo.step_for(about, owner_gone=gone, otherwise=otherwise)
                    if steps and live is not None:
                        # What took its place goes first, and a dry run leaves that there.
                        steps[-1] = replace(steps[-1], settled=partial(going, uid=str(live["metadata"].get("uid"))))
                        step = replace(step, previewed=False)
                    steps.append(step)
                else:
                    steps.append(undo.step(about))
        return steps

    deletes = any(isinstance(undo, DeleteUndo) for _, undo in taken_back)

    async def weigh(cluster: Cluster, targets: Sequence[Target], values: Values) -> Sequence[Said]:
        cannot = [sentence for _, undo in taken_back for sentence in undo.cannot]
        nothing = [entry for entry in entries if entry.undo is None]
        cannot += [f"{entry.action} of {entry.subject} cannot be undone." for entry in nothing]
        return [Said(sentence, Tone.WARNING) for sentence in dict.fromkeys(cannot)]

    return Action(
        id="undo",
        key="U",
        title="Undo",
        help="Take back what was done.",
        offers=lambda kind: True,
        form=form,
        plan=plan,
        weigh=weigh,
        # What was created may have been filled by others since: deleting it is meant, or not done.
        asks=lambda targets, values: Asks.CONFIRM if deletes else Asks.NOTHING,
        creates=True,
        done="Undone",
    )


def _check(taken_back: Sequence[tuple[Entry, Undo]], found: Mapping[str, Any]) -> None:
    """Refuse what can never be done, and what would overwrite what somebody changed since."""
    seen: set[tuple[str, ObjectKey]] = set()
    for entry, undo in taken_back:
        if undo.refused:
            raise Refusal(undo.refused)
        # What was done before the last change of an object is as that change found it.
        if (about := (undo.kind, undo.key)) in seen:
            continue
        seen.add(about)
        if changes := undo.blocked(found[entry.id]):
            found_now = lines(changes[:MOST_TOLD], secret=undo.kind == "Secret")
            said = "; ".join(f"{line.path} is {line.after or 'gone'} now" for line in found_now)
            raise Refusal(
                f"Somebody changed {undo.kind.lower()} {undo.key} since: {said}.",
                "Nothing was undone. Change it by hand to what you want.",
            )


async def _now(cluster: Cluster, undo: Undo) -> JsonObject | None:
    try:
        return await cluster.get(undo.gvr, undo.key, "scale" if isinstance(undo, ScaleUndo) else "")
    except NotFound:
        return None


async def owner_gone(cluster: Cluster, owners: Sequence[Owner], namespace: str) -> bool:
    """Whether one of the owners of an object is no longer there, so that it would be collected at once.

    Args:
        cluster: where.
        owners: as `recreate.owners` tells.
        namespace: of the object.
    """
    discovery = await cluster.discovery()
    for owner in owners:
        resource = discovery.find(owner.api_version.rpartition("/")[0], owner.kind)
        if resource is None:
            return True
        key = ObjectKey(namespace if resource.namespaced else "", owner.name)
        try:
            live = await cluster.get(resource.gvr, key)
        except NotFound:
            return True
        except Forbidden:
            continue
        if live["metadata"].get("uid") != owner.uid:
            return True
    return False


_T = TypeVar("_T")


async def _side_by_side(asked: Iterable[Coroutine[Any, Any, _T]]) -> list[_T]:
    """All answers, in order, a few asked for at once: many objects may have been changed together."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(asking: Coroutine[Any, Any, _T]) -> _T:
        async with turn:
            return await asking

    return await asyncio.gather(*map(one, asked))


def _kind_of(discovery: Discovery, undo: Undo) -> Kind:
    resource = discovery.find(undo.gvr.group, undo.kind)
    if resource is None:
        raise Refusal(f"The server does not serve {undo.gvr.qualified} any more.", "It cannot be undone.")
    return kind_of(resource)
