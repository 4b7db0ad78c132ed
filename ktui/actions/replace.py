"""Replace: the whole object is sent, or it is deleted and created again, where its fields may not be changed."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from functools import partial

from ktui.actions.action import (
    Access,
    Action,
    Asks,
    Cluster,
    JsonObject,
    Said,
    Step,
    Target,
    Undone,
    Write,
)
from ktui.actions.creation import creation
from ktui.actions.delete import DELETE
from ktui.actions.deletion import going
from ktui.actions.edit import applying, check_identity, edited, weighing
from ktui.actions.form import Carried, Form, Values
from ktui.actions.kubectl import in_namespace
from ktui.actions.recreate import again, orphaned, owners, what_is_lost
from ktui.actions.undoing import owner_gone
from ktui.kinds.kind import Kind
from ktui.kinds.manifest import manifest
from ktui.kinds.names import GVR, ObjectKey
from ktui.kinds.tone import Tone
from ktui.kube.errors import Cause, Invalid, KtuiError
from ktui.manifests.lists import Lists
from ktui.manifests.merge import Key

_IMMUTABLE = re.compile(
    r"immutable|updates? to .* forbidden|updates? may not|may not (?:be )?change|(?:can ?not|must not) (?:be )?change"
    r"|self\s*==\s*oldSelf|oldSelf\s*==\s*self",
    re.IGNORECASE | re.DOTALL,
)
"""How the API server says that a field stays as it was created. Observed on Kubernetes 1.36: `field is immutable`,
`spec is immutable after creation except …`, `updates to statefulset spec for fields other than … are forbidden`,
`pod updates may not change fields other than …`, `may not change once set`, `cannot change roleRef`; and the rule of
custom resources that say so in their schema."""

TRIED = "-ktui-dry-run"
"""Ends the name under which the server is asked whether it would take what is to be created again."""

LONGEST = 253

_NAMED_BY_RULE = ("customresourcedefinitions.apiextensions.k8s.io", "apiservices.apiregistration.k8s.io")
"""Kinds whose names are given by what is in them, so that they are not tried under another."""


def immutable(error: KtuiError | None) -> list[Cause]:
    """The fields for which the server says that they cannot be changed, so that the object would have to be replaced.

    Args:
        error: why it refused a change; None when it did not.
    """
    if not isinstance(error, Invalid):
        return []
    causes = error.details.causes or (Cause(message=error.message),)
    # Another UID is that of another object: somebody has replaced it already.
    return [cause for cause in causes if _IMMUTABLE.search(cause.message) and cause.field != "metadata.uid"]


# -- as a whole ------------------------------------------------------------------------------------


def replace_action(base: JsonObject, mine: JsonObject, lists: Lists, choices: Mapping[Key, str]) -> Action:
    """The action that sends the whole object, as `kubectl replace` does.

    It has the version of what was merged: when somebody changes anything in this moment, the server refuses it, and it
    is read and merged again.

    Args:
        base, mine, lists, choices: as for `edit_action`.
    """

    def plan(target: Target, values: Values) -> Sequence[Step]:
        value = edited(target, base, mine, lists, choices).value
        meta = {**value["metadata"], "resourceVersion": target.live["metadata"].get("resourceVersion", "")}
        body: JsonObject = {**value, "metadata": meta}
        if "status" in target.live:
            # Of kinds without a subresource for it, it would be taken away.
            body["status"] = target.live["status"]
        write = Write("PUT", target.kind.gvr.path(*target.key), body)
        line = _line(target.key, "replace")
        return [Step(target, write, line, stdin=manifest(value), undone=Undone.PATCH, wanted=value)]

    return applying("update", plan, weighing(base, mine, lists, choices))


def _line(key: ObjectKey, *words: str) -> tuple[str, ...]:
    return ("kubectl", *in_namespace(key), *words, "-f", "-")


# -- deleted and created again ---------------------------------------------------------------------


def recreate_action(base: JsonObject, mine: JsonObject, lists: Lists, choices: Mapping[Key, str]) -> Action:
    """The action that deletes an object and creates what was edited in its place, as `kubectl replace --force` does.

    Whether the server will take it is asked before anything is deleted, under another name.

    Args:
        base, mine, lists, choices: as for `edit_action`.
    """

    async def form(cluster: Cluster, targets: Sequence[Target]) -> Form:
        return Form((Carried(name="reclaims", value=await _reclaims(cluster, targets[0])),))

    def plan(target: Target, values: Values) -> Sequence[Step]:
        value = edited(target, base, mine, lists, choices).value
        made = again(value, reclaims=values["reclaims"])
        (deletion,) = DELETE.plan(target, _DELETION)
        gone = partial(going, uid=str(target.live["metadata"].get("uid", "")))
        # Its addresses and ports are free only when it is gone.
        tried = made.otherwise or made.manifest
        return [dataclasses.replace(deletion, settled=gone), _creation(target.kind, made.manifest, tried)]

    async def weigh(cluster: Cluster, targets: Sequence[Target], values: Values) -> Sequence[Said]:
        lost = [sentence for target in targets for sentence in what_is_lost(target.live, reclaims=values["reclaims"])]
        said = [Said("It is deleted, and created again with what was edited.", Tone.WARNING)]
        said += [Said(sentence, Tone.WARNING) for sentence in lost]
        return list(dict.fromkeys((*said, *await DELETE.weigh(cluster, targets, _DELETION))))

    def asks(targets: Sequence[Target], values: Values) -> Asks:
        return DELETE.asks(targets, values)

    return applying(
        "delete", plan, weigh, form=form, asks=asks, title="Recreate", done="Recreated", access=_RECREATES,
        help="Delete it, and create what was edited.",
    )  # fmt: skip


_DELETION: Values = {"propagation": "background", "grace": None, "force": False}
_RECREATES = (Access("delete"), Access("create"))


def _creation(kind: Kind, body: JsonObject, tried: JsonObject) -> Step:
    step = creation(kind, body, "create", "-f", "-", stdin=manifest(body))
    return dataclasses.replace(
        step,
        previewed=kind.gvr.qualified not in _NAMED_BY_RULE,
        tried=Write("POST", step.write.path, {**tried, "metadata": {**tried["metadata"], "name": _other(body)}}),
        advice="It is deleted, and what you edited is still in the editor: mend it and apply it again, which creates "
        "it. U brings back what was there before.",
    )


def _other(body: JsonObject) -> str:
    return f"{body['metadata']['name'][: LONGEST - len(TRIED)].rstrip('.-')}{TRIED}"


async def _reclaims(cluster: Cluster, target: Target) -> str:
    """Of a claim, what becomes of its volume; empty when it is none, or not known."""
    volume = (target.live.get("spec") or {}).get("volumeName")
    if target.kind.kind != "PersistentVolumeClaim" or target.kind.gvr.group or not volume:
        return ""
    try:
        found = await cluster.get(GVR("", "v1", "persistentvolumes"), ObjectKey("", str(volume)))
    except KtuiError:
        return ""
    return str(found["spec"].get("persistentVolumeReclaimPolicy", ""))


# -- of what was deleted meanwhile -----------------------------------------------------------------


def create_again_action(base: JsonObject, mine: JsonObject, kind: Kind) -> Action:
    """The action that creates an object that was deleted while it was edited; its target is a place.

    Args:
        base: the object that the person began with.
        mine: what it became.
        kind: of the object.
    """

    async def form(cluster: Cluster, targets: Sequence[Target]) -> Form:
        namespace = str(base["metadata"].get("namespace", ""))
        return Form((Carried(name="orphaned", value=await owner_gone(cluster, owners(mine), namespace)),))

    def plan(target: Target, values: Values) -> Sequence[Step]:
        check_identity(base, mine)
        body = again(mine).manifest
        if values["orphaned"]:
            body = orphaned(body)
        return [creation(kind, body, "create", "-f", "-", stdin=manifest(body))]

    async def weigh(cluster: Cluster, targets: Sequence[Target], values: Values) -> Sequence[Said]:
        said = [Said(sentence, Tone.WARNING) for sentence in what_is_lost(base)]
        if values["orphaned"]:
            said.append(Said("What owned it is gone, too: it is created without an owner.", Tone.WARNING))
        return said

    return applying(
        "create", plan, weigh, form=form, title="Create again", done="Created", creates=True,
        help="Create what was edited, as it is gone.",
    )  # fmt: skip
