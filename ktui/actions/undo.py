"""Undo: what takes a write back, as a value that the journal keeps and that can be done later.

Nothing that somebody changed since is overwritten. `blocked` compares with the object as it is now, to say why an undo
is refused; and the request itself tests once more what can be tested, so that nobody comes in between.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import msgspec

from ktui.actions.action import APPLY_PATCH, FIELD_MANAGER, JSON, JSON_PATCH, MERGE_PATCH, Step, Target, Undone, Write
from ktui.actions.difference import Change, JsonObject, Matching, Path, difference, label, matching, step_into
from ktui.actions.kubectl import in_namespace, resource_word
from ktui.actions.recreate import Owner, again, not_again, orphaned, owners, what_is_lost
from ktui.kinds.manifest import LAST_APPLIED, is_secret, manifest, to_yaml
from ktui.kinds.names import GVR, ObjectKey
from ktui.manifests.applied import applied_by
from ktui.manifests.lists import ABSENT, same

# Of an object's metadata, what people change; of the annotations, controllers write these.
_PEOPLES = ("labels", "annotations", "finalizers", "ownerReferences")
_CONTROLLERS = re.compile(
    r"deployment\.kubernetes\.io/|pv\.kubernetes\.io/|control-plane\.alpha\.kubernetes\.io/"
    r"|deprecated\.daemonset\.template\.generation$|endpoints\.kubernetes\.io/last-change-trigger-time$"
)
# Fields of a spec that controllers fill in after an object was created.
_FILLED_IN = {("Pod", "nodeName"), ("PersistentVolumeClaim", "volumeName"), ("PersistentVolume", "claimRef")}

_NOT_KEPT = (
    "The data of secrets is not kept, so this change cannot be undone; "
    "`undo: {keep_secrets: true}` in the configuration keeps that of the next one."
)

# As Go's encoder writes strings. The API server compares texts of a JSON patch's test as they are encoded.
_GO_ESCAPES = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


def go_json(value: Any) -> msgspec.Raw:
    """A JSON value as Go writes it, which a JSON patch that tests values has to be.

    Source: https://pkg.go.dev/encoding/json#Marshal, "HTML"; observed on Kubernetes 1.36: a `test` of `a<b` fails
    unless the patch says `a\\u003cb`.

    Args:
        value: any JSON value.
    """
    return msgspec.Raw(msgspec.json.encode(value).decode().translate(_GO_ESCAPES).encode())


class Undo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="way"):
    """What takes a write back.

    Attributes:
        gvr: of what.
        kind: the name of the kind, `Deployment`.
        key: which object.
        title: what it does, a short sentence without a full stop: `Scale deployment shop/web back to 2`.
        cannot: what does not come back, plain sentences.
        refused: why it can never be done, one sentence; empty when it can.
        uid: of the object; empty when unknown.
    """

    gvr: GVR
    kind: str
    key: ObjectKey
    title: str
    cannot: tuple[str, ...] = ()
    refused: str = ""
    uid: str = ""

    @property
    def kubectl(self) -> tuple[str, ...]:
        """The words of the kubectl line that does the same."""
        raise NotImplementedError

    def step(self, target: Target) -> Step:
        """The write.

        Args:
            target: the object, with what it is now where it is.
        """
        raise NotImplementedError

    def blocked(self, live: Mapping[str, Any] | None) -> list[Change]:
        """What somebody changed since, from the value that was given to the value of now; empty when it can be done.

        Args:
            live: the object as it is now, or its scale; None when there is none.
        """
        if live is None:
            return [Change((), f"{self.kind.lower()} {self.key}", {"uid": self.uid}, ABSENT)]
        return self._another(live) or self._changed(live)

    def _changed(self, live: Mapping[str, Any]) -> list[Change]:
        """What somebody changed of the very object."""
        raise NotImplementedError

    def _line(self, *words: str, more: Iterable[str] = ()) -> tuple[str, ...]:
        return ("kubectl", *in_namespace(self.key), *words, resource_word(self.gvr), self.key.name, *more)

    def _another(self, live: Mapping[str, Any]) -> list[Change]:
        """Whether there is another object of that name, or one that is going away."""
        meta = live["metadata"]
        if self.uid and meta.get("uid") != self.uid:
            return [Change(("metadata", "uid"), "metadata.uid", self.uid, meta.get("uid", ABSENT))]
        if when := meta.get("deletionTimestamp"):
            return [Change(("metadata", "deletionTimestamp"), "metadata.deletionTimestamp", ABSENT, when)]
        return []


def blocked(undo: Undo, live: Mapping[str, Any] | None) -> list[Change]:
    """See `Undo.blocked`."""
    return undo.blocked(live)


# -- fields ----------------------------------------------------------------------------------------


class Given(msgspec.Struct, frozen=True, omit_defaults=True):
    """A field as the write left it.

    Attributes:
        pointer: where it is, as JSON patches say it.
        said: the same to be read.
        value: its value; not there when the field is not.
        names: whether it only tells which item of a list it is.
    """

    pointer: str
    said: str
    value: Any = ABSENT
    names: bool = False

    @property
    def test(self) -> JsonObject:
        """The operation that fails unless it still is so. The API server finds null where there is no field."""
        return {"op": "test", "path": self.pointer, "value": None if self.value is ABSENT else self.value}


class Removed(msgspec.Struct, frozen=True):
    """An item of a list that the write removed. That it is not there again, no JSON patch can test.

    Attributes:
        pointer: where the list was left.
        said: the item to be read.
        keys: what tells it apart.
    """

    pointer: str
    said: str
    keys: JsonObject


class PatchUndo(Undo, frozen=True, kw_only=True, omit_defaults=True, tag="patch"):
    """Gives fields their values of before.

    Attributes:
        given: what must still be so.
        removed: what must not be there again.
        restore: the operations of a JSON patch that give them back.
        subresource: through which it was changed; empty for the object itself.
    """

    given: tuple[Given, ...] = ()
    removed: tuple[Removed, ...] = ()
    restore: tuple[JsonObject, ...] = ()
    subresource: str = ""

    @property
    def patch(self) -> list[JsonObject]:
        """The JSON patch: tests first, as nothing is done when one of them fails."""
        uid = [{"op": "test", "path": "/metadata/uid", "value": self.uid}] if self.uid else []
        return [*uid, *(given.test for given in self.given), *self.restore]

    @property
    def kubectl(self) -> tuple[str, ...]:
        """`kubectl patch --type=json`."""
        through = [f"--subresource={self.subresource}"] if self.subresource else []
        return self._line("patch", more=(*through, "--type=json", "-p", bytes(go_json(self.patch)).decode()))

    def step(self, target: Target) -> Step:
        """A JSON patch."""
        path = self.gvr.path(*self.key, self.subresource)
        write = Write("PATCH", path, go_json(self.patch), JSON_PATCH)
        return Step(target, write, self.kubectl, undone=Undone.PATCH)

    def _changed(self, live: Mapping[str, Any]) -> list[Change]:
        """Every field that is not as it was left."""
        changes: list[Change] = []
        elsewhere: list[str] = []
        for given in self.given:
            path, now = _look_up(live, given.pointer)
            if same(given.value, now) or given.pointer.startswith(tuple(elsewhere)):
                continue
            if given.names:
                # What stands there is another item: nothing else of it is worth telling.
                elsewhere.append(given.pointer.rpartition("/")[0] + "/")
            changes.append(Change(path, given.said, given.value, now))
        for removed in self.removed:
            path, items = _look_up(live, removed.pointer)
            for place, item in enumerate(items if isinstance(items, list) else ()):
                if isinstance(item, dict) and all(item.get(key) == value for key, value in removed.keys.items()):
                    changes.append(Change((*path, place), removed.said, ABSENT, item))
        return changes


class ScaleUndo(Undo, frozen=True, kw_only=True, omit_defaults=True, tag="scale"):
    """Gives back a number of replicas.

    Attributes:
        replicas: how many there were.
        expects: how many the write asked for, which must still be so.
    """

    replicas: int = 0
    expects: int = 0

    @property
    def kubectl(self) -> tuple[str, ...]:
        """`kubectl scale`, which does nothing unless the number still is the expected one."""
        more = (f"--current-replicas={self.expects}", f"--replicas={self.replicas}")
        return self._line("scale", more=more)

    def step(self, target: Target) -> Step:
        """What `kubectl scale` sends."""
        write = Write(
            "PATCH", self.gvr.path(*self.key, "scale"), {"spec": {"replicas": self.replicas}}, MERGE_PATCH
        )  # fmt: skip
        return Step(target, write, self.kubectl, undone=Undone.SCALE)

    def _changed(self, live: Mapping[str, Any]) -> list[Change]:
        """The number, when somebody scaled since."""
        now = _replicas(live)
        path = ("spec", "replicas")
        return (
            [] if now == self.expects else [Change(path, "spec.replicas", self.expects, ABSENT if now is None else now)]
        )


class DeleteUndo(Undo, frozen=True, kw_only=True, omit_defaults=True, tag="delete"):
    """Deletes what was created.

    Attributes:
        made: the object as it was made; None where it is not kept, as for secrets.
        version: its resourceVersion where the object is not kept: any change of it counts then.
    """

    made: JsonObject | None = None
    version: str = ""

    @property
    def kubectl(self) -> tuple[str, ...]:
        """`kubectl delete`."""
        return self._line("delete")

    def step(self, target: Target) -> Step:
        """A deletion of this very object; its dependents go with it, as for kubectl."""
        conditions = {key: value for key, value in (("uid", self.uid), ("resourceVersion", self.version)) if value}
        body: JsonObject = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        if conditions:
            body["preconditions"] = conditions
        write = Write("DELETE", self.gvr.path(*self.key), body, JSON)
        return Step(target, write, self.kubectl, undone=Undone.CREATE)

    def _changed(self, live: Mapping[str, Any]) -> list[Change]:
        """What was changed of it. Status, and what controllers fill in, do not count."""
        meta = live["metadata"]
        if self.made is None:
            now = meta.get("resourceVersion", ABSENT)
            path = ("metadata", "resourceVersion")
            return [Change(path, "metadata.resourceVersion", self.version, now)] if now != self.version else []
        counted = self.made["metadata"].get("generation")
        # The server counts changes of the spec, where it counts at all.
        unchanged = counted is not None and counted == meta.get("generation")
        return [
            change
            for change in difference(self.made, dict(live))
            if not self._filled_in(change.path) and not (unchanged and change.path[0] == "spec")
        ]

    def _filled_in(self, path: Path) -> bool:
        """Whether a controller writes that field after the creation."""
        if path[0] == "metadata":
            return len(path) < 2 or path[1] != "labels"
        return len(path) > 1 and (self.kind, path[1]) in _FILLED_IN


class CreateUndo(Undo, frozen=True, kw_only=True, omit_defaults=True, tag="create"):
    """Creates what was deleted again.

    Attributes:
        manifest: what to create; None when it is refused.
        otherwise: what to create when the server says that something is taken; see `recreate.taken`.
    """

    manifest: JsonObject | None = None
    otherwise: JsonObject | None = None

    @property
    def kubectl(self) -> tuple[str, ...]:
        """`kubectl create -f -`."""
        return ("kubectl", *in_namespace(self.key), "create", "-f", "-")

    @property
    def owners(self) -> list[Owner]:
        """What owned it: whether they still are there, decides whether it is created as theirs; see `step_for`."""
        return owners(self.manifest) if self.manifest is not None else []

    def step(self, target: Target) -> Step:
        """The creation, as it was, owners and all."""
        return self.step_for(target)

    def step_for(self, target: Target, *, owner_gone: bool = False, otherwise: bool = False) -> Step:
        """The creation.

        Args:
            target: of which kind, and which name; there is no object now.
            owner_gone: whether what owned it is gone; the garbage collector would delete it at once.
            otherwise: whether to ask for nothing that may be taken.
        """
        wanted = self.otherwise if otherwise else self.manifest
        assert wanted is not None, self.refused
        wanted = orphaned(wanted) if owner_gone else wanted
        write = Write("POST", self.gvr.path(self.key.namespace), wanted, JSON)
        text = manifest(wanted) if is_secret(wanted) else to_yaml(wanted)
        return Step(target, write, self.kubectl, stdin=text, shown=wanted, undone=Undone.DELETE)

    def blocked(self, live: Mapping[str, Any] | None) -> list[Change]:
        """Whether there is one of that name again, or it is not gone yet."""
        if live is None:
            return []
        if live["metadata"].get("uid") == self.uid and (another := self._another(live)):
            return another
        meta = {key: live["metadata"][key] for key in ("uid", "creationTimestamp") if key in live["metadata"]}
        return [Change((), f"{self.kind.lower()} {self.key}", ABSENT, meta)]


AnyUndo = PatchUndo | ScaleUndo | DeleteUndo | CreateUndo
"""For msgspec: which one it is, JSON says as `way`."""


# -- from a write ----------------------------------------------------------------------------------


def undo_of(
    step: Step,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    *,
    keep_secrets: bool = False,
    reclaims: str = "",
) -> AnyUndo | None:
    """What takes a write back that was done.

    Args:
        step: what was done.
        before: the object as it was; None of what was created.
        after: what the server answered.
        keep_secrets: whether the configuration says that the data of secrets is kept.
        reclaims: of a claim that was deleted, the reclaim policy of its volume; empty when unknown.

    Returns:
        None when there is nothing to take back: the step says so, nothing changed, or it is not known what was before.
        One that is `refused` when there is, and it cannot be done.
    """
    match step.undone:
        case Undone.PATCH if before is not None and after is not None:
            return _patched(step, before, after, keep_secrets)
        case Undone.DELETE if before is not None and after is not None and step.write.content_type == APPLY_PATCH:
            # An apply that should have made it, has found it.
            return _patched(step, before, after, keep_secrets)
        case Undone.SCALE if before is not None and after is not None:
            return _scaled(step, before, after)
        case Undone.DELETE if after is not None and "metadata" in after and _made_here(step, after):
            return _created(step, dict(after), keep_secrets)
        case Undone.CREATE if before is not None:
            return _deleted(step, before, keep_secrets, reclaims)
    return None


def _made_here(step: Step, after: Mapping[str, Any]) -> bool:
    """Whether the object is this step's: an apply changes one that somebody else has made meanwhile."""
    entries = after["metadata"].get("managedFields") or ()
    return step.write.method == "POST" or all(entry.get("manager") == FIELD_MANAGER for entry in entries)


class _About(NamedTuple):
    """Which object a step is about, for an Undo's fields."""

    gvr: GVR
    kind: str
    key: ObjectKey
    said: str

    @classmethod
    def of(cls, step: Step, item: Mapping[str, Any]) -> _About:
        kind, key = step.target.kind, step.target.key
        # Of what a server named itself (generateName), only the answer knows the name.
        key = ObjectKey(key.namespace, str(item["metadata"].get("name") or key.name))
        return cls(kind.gvr, kind.kind, key, f"{kind.singular} {key}")

    @property
    def fields(self) -> dict[str, Any]:
        return {"gvr": self.gvr, "kind": self.kind, "key": self.key}


def _patched(step: Step, before: Mapping[str, Any], after: Mapping[str, Any], keep_secrets: bool) -> PatchUndo | None:
    about = _About.of(step, before)
    restoring = _Restoring()
    for path, was, now in _changed_by(step.write, before, after):
        restoring.field(was, now, _At.of(path))
    if not restoring.restore:
        return None
    fields = list(dict.fromkeys(restoring.said))
    what = fields[0] if len(fields) == 1 else f"{len(fields)} fields"
    rolls = any(said.startswith("spec.template.") for said in fields) and about.kind in _ROLL
    has_data = any(said.startswith(("data", "stringData")) for said in fields)
    own, where = step.target.kind.gvr.path(*about.key), step.write.path
    common: dict[str, Any] = {
        **about.fields,
        "title": f"Restore {what} of {about.said}",
        "cannot": ("Its pods are replaced once more.",) if rolls else (),
        "uid": str(before["metadata"].get("uid", "")),
    }
    if is_secret(before) and has_data and not keep_secrets:
        return PatchUndo(**common, refused=_NOT_KEPT)
    return PatchUndo(
        **common,
        given=tuple(restoring.given),
        removed=tuple(restoring.removed),
        restore=tuple(restoring.restore),
        subresource=where.removeprefix(f"{own}/") if where.startswith(f"{own}/") else "",
    )


_ROLL = ("Deployment", "StatefulSet", "DaemonSet")


def _scaled(step: Step, before: Mapping[str, Any], after: Mapping[str, Any]) -> ScaleUndo | None:
    about = _About.of(step, before)
    was, now = _replicas(before), _replicas(after)
    if was == now or now is None:
        return None
    back = "Pods that ended do not come back: others are made in their place, without their logs and local files."
    return ScaleUndo(
        **about.fields,
        title=f"Scale {about.said} back to {'?' if was is None else was}",
        cannot=(back,) if was is not None and was > now else (),
        refused="How many replicas there were is not known." if was is None else "",
        uid=str(before["metadata"].get("uid", "")),
        replicas=was or 0,
        expects=now,
    )


def _created(step: Step, after: JsonObject, keep_secrets: bool) -> DeleteUndo:
    about = _About.of(step, after)
    meta = after["metadata"]
    kept = not is_secret(after) or keep_secrets
    left = {key: value for key, value in after.items() if key != "status"}
    left["metadata"] = {key: value for key, value in meta.items() if key != "managedFields"}
    return DeleteUndo(
        **about.fields,
        title=f"Delete {about.said}",
        cannot=_GOES_WITH.get(about.kind, ()),
        uid=str(meta.get("uid", "")),
        made=left if kept else None,
        version="" if kept else str(meta.get("resourceVersion", "")),
    )


_GOES_WITH: dict[str, tuple[str, ...]] = {
    "Namespace": ("Everything that is in the namespace by now is deleted with it.",),
    "CustomResourceDefinition": ("All objects of its kind are deleted with it.",),
    "PersistentVolumeClaim": ("What is stored there by now is gone, if the volume's reclaim policy is Delete.",),
    **dict.fromkeys(
        ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "ReplicationController", "Job"), ("Its pods end.",)
    ),
}


def _deleted(step: Step, before: Mapping[str, Any], keep_secrets: bool, reclaims: str) -> CreateUndo:
    kind = step.target.kind
    item = {"apiVersion": kind.gvr.group_version, "kind": kind.kind, **before}
    about = _About.of(step, item)
    refused = not_again(item, keep_secrets=keep_secrets)
    made = None if refused else again(item, reclaims=reclaims)
    return CreateUndo(
        **about.fields,
        title=f"Create {about.said} again",
        cannot=() if refused else tuple(what_is_lost(item, reclaims=reclaims)),
        refused=refused,
        uid=str(item["metadata"].get("uid", "")),
        manifest=made.manifest if made else None,
        otherwise=made.otherwise if made else None,
    )


def _replicas(item: Mapping[str, Any]) -> int | None:
    """How many are asked for, by an object or by its scale, which leaves out 0."""
    spec = item.get("spec") or {}
    usual = 0 if item.get("kind") == "Scale" else None
    found = spec.get("replicas", usual)
    return found if isinstance(found, int) else None


# -- which fields a write changed ------------------------------------------------------------------


def _changed_by(write: Write, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterable[tuple[Path, Any, Any]]:
    """The fields of an object to be looked at, with what they were and are; ABSENT for what is not there.

    Between reading and writing, somebody else may have changed the object, too: a label is theirs unless the write
    names it, and so is the rest when the server counted more than one change.
    """
    if write.content_type == APPLY_PATCH and write.method == "PATCH":
        # What was applied before and is left out, is taken away.
        write = replace(write, body=[write.body, *applied_by(before, FIELD_MANAGER)])
    metas = before["metadata"], after["metadata"]
    counts = [meta.get("generation") for meta in metas]
    alone = None in counts or counts[1] - counts[0] <= 1
    for name in _PEOPLES:
        if name in ("labels", "annotations"):
            kept = [_notes(meta.get(name)) for meta in metas]
            for key in dict.fromkeys((*(kept[0] or ()), *(kept[1] or ()))):
                path = ("metadata", name, key)
                if _names(write, path):
                    yield from _note(path, *kept)
        elif _names(write, ("metadata", name)):
            yield ("metadata", name), metas[0].get(name, ABSENT), metas[1].get(name, ABSENT)
    for name in dict.fromkeys((*before, *after)):
        if name not in ("apiVersion", "kind", "metadata", "status"):
            yield from _parts(write, (name,), before.get(name, ABSENT), after.get(name, ABSENT), alone)


def _parts(write: Write, path: Path, was: Any, now: Any, alone: bool) -> Iterable[tuple[Path, Any, Any]]:
    """A field, or those of its fields that the write names."""
    if alone:
        yield path, was, now
    elif _names(write, path):
        if isinstance(was, dict) and isinstance(now, dict):
            for key in dict.fromkeys((*was, *now)):
                yield from _parts(write, (*path, key), was.get(key, ABSENT), now.get(key, ABSENT), alone)
        else:
            yield path, was, now


def _notes(notes: Any) -> dict[str, Any] | None:
    """Labels or annotations, but for those that controllers and kubectl write."""
    if not isinstance(notes, dict):
        return None
    return {key: value for key, value in notes.items() if key != LAST_APPLIED and not _CONTROLLERS.match(key)}


def _note(path: Path, was: dict[str, Any] | None, now: dict[str, Any] | None) -> Iterable[tuple[Path, Any, Any]]:
    """One label or annotation; all of them where there are none now, as there is nothing to put one into."""
    key = str(path[-1])
    if now is None:
        assert was is not None
        if key == next(iter(was)):
            yield path[:-1], was, ABSENT
    else:
        yield path, (was or {}).get(key, ABSENT), now.get(key, ABSENT)


def _names(write: Write, path: Path) -> bool:
    """Whether a write says something of a field, of one in it, or of one that it is in."""
    body = msgspec.json.decode(write.body) if isinstance(write.body, msgspec.Raw) else write.body
    if write.method != "PATCH":
        return True
    if write.content_type == JSON_PATCH:
        return any(_overlap(path, _parts_of(operation["path"])) for operation in body)
    if write.content_type == APPLY_PATCH:
        declared, *fields = body
        steps = [f"f:{part}" for part in path]
        return _has(declared, path) or any(_has(tree, steps) for tree in fields)
    return _has(body, path)


def _has(body: Any, path: Sequence[Any]) -> bool:
    """Whether maps have a path, up to something that is none."""
    for part in path:
        if not isinstance(body, dict):
            return True
        if part not in body:
            return False
        body = body[part]
    return True


def _overlap(one: Sequence[Any], other: Sequence[Any]) -> bool:
    length = min(len(one), len(other))
    return [*map(str, one[:length])] == [*map(str, other[:length])]


# -- JSON patches ----------------------------------------------------------------------------------


class _At(NamedTuple):
    """Where a field is: in the object as it was left, in the one that is being restored, and in words."""

    left: str
    restored: str
    said: str
    field: str

    @classmethod
    def of(cls, path: Path) -> _At:
        at = cls("", "", "", "")
        for part in path:
            at = at.into(str(part))
        return at

    def into(self, key: str) -> _At:
        step = f"/{_escaped(key)}"
        return _At(self.left + step, self.restored + step, step_into(self.said, key), key)

    def item(self, left: int, restored: int, name: str) -> _At:
        return _At(f"{self.left}/{left}", f"{self.restored}/{restored}", f"{self.said}[{name}]", self.field)


class _Restoring:
    """Makes a JSON patch: what must still be so, and what brings back what was.

    Tests come before everything else, so they name items by where they were left. The operations follow each other, so
    each names them by where those before it have brought them: a list's items are put in place before they are changed.
    """

    def __init__(self) -> None:
        self.given: list[Given] = []
        self.removed: list[Removed] = []
        self.restore: list[JsonObject] = []
        self.said: list[str] = []

    def field(self, was: Any, now: Any, at: _At) -> None:
        """Bring a field back."""
        if was is ABSENT and now is ABSENT:
            return
        if now is ABSENT:
            self._operation(at, ABSENT, {"op": "add", "path": at.restored, "value": was})
        elif was is ABSENT:
            if at.field in ("labels", "annotations") and isinstance(now, dict) and "/metadata/" in at.left:
                # Somebody else's labels, that came since, stay.
                was = {}
                for key, value in now.items():
                    self.field(ABSENT, value, at.into(key))
            else:
                self._operation(at, now, {"op": "remove", "path": at.restored})
        elif same(was, now):
            return
        elif isinstance(was, dict) and isinstance(now, dict):
            for key in dict.fromkeys((*now, *was)):
                self.field(was.get(key, ABSENT), now.get(key, ABSENT), at.into(key))
        elif isinstance(was, list) and isinstance(now, list) and (matched := matching(at.field, was, now)):
            self._items(was, now, matched, at)
        else:
            self._operation(at, now, {"op": "replace", "path": at.restored, "value": was})

    def _items(self, was: list[Any], now: list[Any], matched: Matching, at: _At) -> None:
        """Bring the items of a list back: remove, move and add them, then change them."""
        here = list(matched.after)
        rearranged = here != list(matched.before)
        for identity, place in reversed(matched.after.items()):
            if identity not in matched.before:
                gone = at.item(place, place, label(identity))
                self._operation(gone, now[place], {"op": "remove", "path": gone.restored})
                here.remove(identity)
        for place, identity in enumerate(matched.before):
            item = at.item(matched.after.get(identity, 0), place, label(identity))
            if identity not in matched.after:
                self.said.append(item.said)
                keys = {key: was[place][key] for key in matched.keys if key in was[place]}
                self.removed.append(Removed(at.left, item.said, keys))
                self.restore.append({"op": "add", "path": item.restored, "value": was[place]})
                here.insert(place, identity)
            elif (found := here.index(identity)) != place:
                self.said.append(f"{at.said} (order)")
                self.restore.append({"op": "move", "from": f"{at.restored}/{found}", "path": item.restored})
                here.insert(place, here.pop(found))
        for identity, place in matched.before.items():
            if (left := matched.after.get(identity)) is None:
                continue
            item = at.item(left, place, label(identity))
            if rearranged or not same(was[place], now[left]):
                self._name(now[left], matched.keys, item)
                self.field(was[place], now[left], item)

    def _name(self, item: JsonObject, keys: Iterable[str], at: _At) -> None:
        """Make sure that it is the item that is meant."""
        for key in keys:
            if key in item:
                self.given.append(Given(f"{at.left}/{_escaped(key)}", step_into(at.said, key), item[key], names=True))

    def _operation(self, at: _At, now: Any, operation: JsonObject) -> None:
        self.said.append(at.said)
        self.given.append(Given(at.left, at.said, now))
        self.restore.append(operation)


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _parts_of(pointer: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _look_up(item: Mapping[str, Any], pointer: str) -> tuple[Path, Any]:
    """Where a pointer leads in an object, and the value that is there; ABSENT for none."""
    value: Any = item
    path: list[str | int] = []
    for part in _parts_of(pointer):
        if isinstance(value, list) and part.isdigit():
            path.append(int(part))
            value = value[int(part)] if int(part) < len(value) else ABSENT
        else:
            path.append(part)
            value = value.get(part, ABSENT) if isinstance(value, dict) else ABSENT
    return tuple(path), value
