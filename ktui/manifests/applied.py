"""Server-side apply: what to declare so that the server changes what was edited, and nothing else.

Who applies declares all that it wants to own: what it owned before and leaves out, the server takes away. So an edit is
sent with the fields that were applied before, and with those that were changed.

    applied = applied_configuration(live, mine, schema.lists, "ktui")
    if applied.stays: ...such fields an apply cannot remove...
    send(applied.value)

Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ktui.manifests.lists import ABSENT, JsonObject, Lists, matched, positions, same
from ktui.manifests.merge import Key, said
from ktui.manifests.problems import Path

APPLY = "application/apply-patch+yaml"
"""The type of the patch; JSON is YAML, too."""

# The rest of the metadata is the server's, or says which object it is.
_META = ("labels", "annotations", "ownerReferences", "finalizers")
_HEAD = ("apiVersion", "kind", "metadata", "status")

_CONFLICT = re.compile(
    r'conflict with (?P<name>"(?:[^"\\]|\\.)*")(?: with subresource (?P<sub>"(?:[^"\\]|\\.)*"))?(?P<using> using \S+)?'
)
_STEP = re.compile(r'\.(?P<name>[^.\[]+)|\[(?P<inner>(?:[^\]"]|"(?:[^"\\]|\\.)*")*)\]')
_PAIR = re.compile(r'(?P<key>[^=,]+)=(?P<value>"(?:[^"\\]|\\.)*"|[^,]*)')

Tree = Mapping[str, Any]
"""A `fieldsV1`, or a part of it: `{"f:spec": {"f:ports": {"k:{\\"port\\":80}": {".": {}}}}}`. What has nothing in it is
owned as a whole."""


class Owner(NamedTuple):
    """Who set fields, as the server keeps it.

    Attributes:
        manager: its name.
        operation: `Apply` or `Update`.
        subresource: through which it wrote: `scale`, `status`; or empty.
    """

    manager: str
    operation: str = "Update"
    subresource: str = ""

    @property
    def said(self) -> str:
        """To be read: `set by kubectl through scale`. Not cleaned."""
        through = f" through {self.subresource}" if self.subresource else ""
        return f"{'applied' if self.operation == 'Apply' else 'set'} by {self.manager or 'somebody'}{through}"


class Owned(NamedTuple):
    """A field and who owns it.

    Attributes:
        key: which field, as conflicts of a merge have it; the keys of a list's items in alphabetical order.
        owners: who; none when nobody does.
    """

    key: Key
    owners: tuple[Owner, ...] = ()

    @property
    def said(self) -> str:
        """The field to be read: `spec.template.spec.containers[web].image`. Not cleaned."""
        return said(self.key)


@dataclass(frozen=True)
class Applied:
    """What to declare.

    Attributes:
        value: the body of the apply.
        contested: fields that are changed and owned by others: the server refuses these, unless it is forced.
        stays: fields that were removed in the edit, and that an apply does not take away: others own them, or nobody.
        unordered: lists whose items were put in another order, which an apply does not do.
        changes: whether anything is changed.
    """

    value: JsonObject
    contested: list[Owned]
    stays: list[Owned]
    unordered: list[Key]
    changes: bool


def applied_configuration(
    live: JsonObject, mine: JsonObject, lists: Lists, manager: str, leave: Collection[Key] = ()
) -> Applied:
    """What a manager declares so that an object becomes what was edited.

    Args:
        live: the object as it is on the server, with its managedFields.
        mine: as it shall be.
        lists: how lists of its kind are merged; where the server has shown how, that counts more.
        manager: who applies.
        leave: fields that are left to whoever owns them.
    """
    own: Tree | None = None
    others: list[tuple[Owner, Tree]] = []
    for entry in live["metadata"].get("managedFields") or ():
        owner = Owner(str(entry.get("manager", "")), str(entry.get("operation", "")), str(entry.get("subresource", "")))
        tree = entry.get("fieldsV1") or {}
        if owner == Owner(manager, "Apply"):
            own = tree
        else:
            others.append((owner, tree))
    applying = _Applying(frozenset(leave))
    declared = applying.fields(_content(live), _content(mine), lists, _Owners(own, others), ())
    meta = {name: mine["metadata"][name] for name in ("name", "namespace") if name in mine["metadata"]}
    if uid := live["metadata"].get("uid"):
        # Of an object that is gone meanwhile, an apply would make another one.
        meta["uid"] = uid
    declared = {} if declared is ABSENT else declared
    meta |= declared.pop("metadata", None) or {}
    head = {name: mine[name] for name in ("apiVersion", "kind")}
    value = {**head, "metadata": meta, **declared}
    return Applied(value, applying.contested, applying.stays, applying.unordered, applying.changes)


def applied_by(item: Mapping[str, Any], manager: str) -> list[Tree]:
    """The fields that a manager has applied, as trees; none when it has not.

    Args:
        item: an object.
        manager: whose.
    """
    entries = item["metadata"].get("managedFields") or ()
    return [entry.get("fieldsV1") or {} for entry in entries if _owner(entry) == Owner(manager, "Apply")]


def _owner(entry: Mapping[str, Any]) -> Owner:
    return Owner(*(str(entry.get(name, "")) for name in ("manager", "operation", "subresource")))


def _content(item: JsonObject) -> JsonObject:
    """What of an object can be owned, and is people's."""
    meta = item["metadata"]
    rest = {key: value for key, value in item.items() if key not in _HEAD}
    return {"metadata": {key: meta[key] for key in _META if key in meta}, **rest}


class _Owners(NamedTuple):
    """Who owns a field, and what in it.

    Attributes:
        own: of the manager that applies; None when it owns nothing there.
        others: of the others that own something there.
    """

    own: Tree | None
    others: Sequence[tuple[Owner, Tree]] = ()

    def inner(self, step: str) -> _Owners:
        """Those of a field, by a step of the tree."""
        own = None if self.own is None else self.own.get(step)
        return _Owners(own, [(owner, tree[step]) for owner, tree in self.others if step in tree])

    def item(self, sign: str, told: Any) -> _Owners:
        """Those of a list's item: by its keys, or by itself where it is a plain value."""
        own = None if self.own is None else _of_item(self.own, sign, told)
        found = ((owner, _of_item(tree, sign, told)) for owner, tree in self.others)
        return _Owners(own, [(owner, tree) for owner, tree in found if tree is not None])

    @property
    def trees(self) -> list[Tree]:
        return [tree for tree in (self.own, *(tree for _, tree in self.others)) if tree is not None]

    @property
    def whole(self) -> bool:
        """Whether it is known to be owned as one value, and never in parts."""
        return bool(self.trees) and not any(self.trees)

    @property
    def keys(self) -> tuple[str, ...]:
        """What tells the items of a list apart, as the server has shown; none when it has not."""
        steps = (step for tree in self.trees for step in tree if step.startswith("k:"))
        found = _json(next(steps, "k:{}")[2:])
        return tuple(sorted(found)) if isinstance(found, dict) else ()

    @property
    def unique(self) -> bool:
        """Whether a list is a set of plain values, as the server has shown."""
        return any(step.startswith("v:") for tree in self.trees for step in tree)


def _of_item(tree: Tree, sign: str, told: Any) -> Tree | None:
    return next((inner for step, inner in tree.items() if step[:2] == sign and same(_json(step[2:]), told)), None)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


@dataclass
class _Applying:
    """Walks through two versions of an object. What there is nothing to declare of, is ABSENT."""

    leave: frozenset[Key]
    contested: list[Owned] = field(default_factory=list)
    stays: list[Owned] = field(default_factory=list)
    unordered: list[Key] = field(default_factory=list)
    changes: bool = False

    def value(self, sides: tuple[Any, Any], lists: Lists, owners: _Owners, key: Key) -> Any:
        # A field that is null is one that is not there.
        was, now = (ABSENT if value is None else value for value in sides)
        if key in self.leave:
            return ABSENT
        if now is ABSENT:
            if was is not ABSENT and (owners.others or owners.own is None):
                self.stays.append(Owned(key, tuple(owner for owner, _ in owners.others)))
            self.changes |= was is not ABSENT
            return ABSENT
        if was is ABSENT:
            self.changes = True
            return now
        if not (lists.rule.atomic or owners.whole) or not was:
            if isinstance(was, dict) and isinstance(now, dict):
                return self.fields(was, now, lists, owners, key)
            if isinstance(was, list) and isinstance(now, list):
                return self.items(was, now, lists, owners, key)
        return self.one(was, now, owners, key)

    def one(self, was: Any, now: Any, owners: _Owners, key: Key) -> Any:
        """Something that is changed as a whole."""
        if same(was, now):
            return ABSENT if owners.own is None else now
        self.changes = True
        if owners.others:
            self.contested.append(Owned(key, tuple(owner for owner, _ in owners.others)))
        return now

    def fields(self, was: JsonObject, now: JsonObject, lists: Lists, owners: _Owners, key: Key) -> Any:
        declared = {}
        for name in dict.fromkeys((*now, *was)):
            sides = (was.get(name, ABSENT), now.get(name, ABSENT))
            value = self.value(sides, lists.field(name), owners.inner(f"f:{name}"), (*key, name))
            if value is not ABSENT:
                declared[name] = value
        # An empty map is a value where it is owned: `emptyDir: {}`.
        return declared if declared or (not now and owners.own is not None) else ABSENT

    def items(self, was: list[Any], now: list[Any], lists: Lists, owners: _Owners, key: Key) -> Any:
        if owners.unique or (lists.rule.unique and not owners.keys):
            return self._members(was, now, lists, owners, key)
        if not all(isinstance(item, dict) for item in (*was, *now)):
            return self.one(was, now, owners, key)
        for keys in (owners.keys,) if owners.keys else lists.rule.keys:
            names = tuple(sorted(keys))
            before, after = (positions(items, names, lists.rule.defaults) for items in (was, now))
            if before is not None and after is not None:
                declared = list(self._keyed(names, (was, before), (now, after), lists, owners, key))
                return declared or (now if not now and owners.own is not None else ABSENT)
        return self.one(was, now, owners, key)

    def _keyed(
        self,
        names: tuple[str, ...],
        was: tuple[list[Any], dict[Hashable, int]],
        now: tuple[list[Any], dict[Hashable, int]],
        lists: Lists,
        owners: _Owners,
        key: Key,
    ) -> Iterator[JsonObject]:
        (old, before), (new, after) = was, now
        if [each for each in before if each in after] != [each for each in after if each in before]:
            self.unordered.append(key)
        for identity in dict.fromkeys((*after, *before)):
            assert isinstance(identity, tuple)
            own = dict(zip(names, identity, strict=True))
            sides = (
                old[before[identity]] if identity in before else ABSENT,
                new[after[identity]] if identity in after else ABSENT,
            )
            value = self.value(sides, lists.item(), owners.item("k:", own), (*key, identity))
            if isinstance(value, dict):
                item = new[after[identity]]
                yield {name: item[name] for name in names if name in item} | value

    def _members(self, was: list[Any], now: list[Any], lists: Lists, owners: _Owners, key: Key) -> Any:
        declared = []
        for member in [*now, *(each for each in was if each not in now)]:
            sides = member if member in was else ABSENT, member if member in now else ABSENT
            value = self.value(sides, lists.item(), owners.item("v:", member), (*key, (member,)))
            if value is not ABSENT:
                declared.append(value)
        return declared or ABSENT


def overlaid(live: Any, declared: Any, lists: Lists) -> Any:
    """About what an apply makes of a value: what is declared over what is there, and nothing taken away.

    Args:
        live: what is there; it stays as it is.
        declared: what is applied.
        lists: how lists are merged.
    """
    if isinstance(live, dict) and isinstance(declared, dict) and not lists.rule.atomic:
        return live | {
            key: overlaid(live[key], value, lists.field(key)) if key in live else value
            for key, value in declared.items()
        }
    if isinstance(live, list) and isinstance(declared, list) and (found := matched(lists.rule, live, declared)):
        was, now = found.places
        items = [
            item if identity not in now else overlaid(item, declared[now[identity]], lists.item())
            for identity, item in zip(was, live, strict=True)
        ]
        return items + [declared[place] for identity, place in now.items() if identity not in was]
    return declared


def without(value: Any, paths: Collection[Path]) -> Any:
    """A value without some of its fields and items.

    Args:
        value: it stays as it is.
        paths: where they are; those that are not there are passed over.
    """
    if not paths:
        return value
    heads: dict[str | int, list[Path]] = {}
    for path in paths:
        heads.setdefault(path[0], []).append(path[1:])
    gone = {head for head, rests in heads.items() if () in rests}
    if isinstance(value, dict):
        return {key: without(inner, heads.get(key, ())) for key, inner in value.items() if key not in gone}
    if isinstance(value, list):
        return [without(inner, heads.get(at, ())) for at, inner in enumerate(value) if at not in gone]
    return value


# -- what the server says of conflicts -------------------------------------------------------------


class ManagerConflict(NamedTuple):
    """A field that somebody else owns, so that the server refuses to change it by an apply.

    Attributes:
        key: which field, as `leave` of `applied_configuration` takes it.
        path: where it is in the object that was applied.
        owner: who owns it.
        message: the server's words.
    """

    key: Key
    path: Path
    owner: Owner
    message: str

    @property
    def said(self) -> str:
        """The field to be read. Not cleaned."""
        return said(self.key)


def manager_conflict(field: str, message: str, value: Any) -> ManagerConflict:
    """A conflict as the server tells it.

    Args:
        field: `.spec.template.spec.containers[name="web"].image`.
        message: `conflict with "kubectl" using apps/v1`. Who applies, uses no version.
        value: the object that was applied, by which keys with dots in them are found.
    """
    key, path = _place(field, value)
    found = _CONFLICT.match(message)
    if found is None:
        return ManagerConflict(key, path, Owner(""), message)
    names = (_json(found[part] or '""') or "" for part in ("name", "sub"))
    manager, subresource = map(str, names)
    return ManagerConflict(key, path, Owner(manager, "Update" if found["using"] else "Apply", subresource), message)


def _place(field: str, value: Any) -> tuple[Key, Path]:
    key: list[str | tuple[Hashable, ...]] = []
    path: list[str | int] = []
    rest = field
    while rest:
        names = [name for name in value if _begins(rest, name)] if isinstance(value, dict) else []
        if names:
            name = max(names, key=len)
            rest, value = rest[len(name) + 1 :], value[name]
            key.append(name)
            path.append(name)
            continue
        found = _STEP.match(rest)
        if found is None:
            break
        rest = rest[found.end() :]
        if found["name"] is not None:
            key.append(found["name"])
            path.append(found["name"])
            value = None
            continue
        identity, index = _item(found["inner"], value)
        key.append(identity)
        path.append(index)
        value = value[index] if isinstance(value, list) and index < len(value) else None
    return tuple(key), tuple(path)


def _begins(rest: str, name: str) -> bool:
    return rest.startswith(f".{name}") and rest[len(name) + 1 : len(name) + 2] in ("", ".", "[")


def _item(inner: str, items: Any) -> tuple[tuple[Hashable, ...], int]:
    """What tells an item apart, and where it is; behind the last one when there is none."""
    if inner.startswith("="):
        member = _json(inner[1:])
        wanted: Any = member
        identity: tuple[Hashable, ...] = (member if isinstance(member, Hashable) else inner,)
    elif inner.isdigit():
        return (int(inner),), int(inner)
    else:
        wanted = {found["key"]: _json(found["value"]) for found in _PAIR.finditer(inner)}
        identity = tuple(wanted[name] for name in sorted(wanted))
    for index, item in enumerate(items if isinstance(items, list) else ()):
        if item == wanted:
            return identity, index
        if isinstance(wanted, dict) and isinstance(item, dict) and _named(item, wanted):
            return identity, index
    return identity, len(items) if isinstance(items, list) else 0


def _named(item: JsonObject, names: JsonObject) -> bool:
    # A key that is left out has its default, which is nobody else's.
    return all(item.get(name, value) == value for name, value in names.items())
