"""What differs between two objects, field by field, and in lines to be shown.

The items of a list are matched by what tells them apart, as Kubernetes does when it merges lists: containers by their
name, volume mounts by their path. Fields that the server alone writes are left out. Source:
https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/#notes-on-the-strategic-merge-patch
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from ktui.kinds.manifest import LAST_APPLIED, MASK
from ktui.manifests.lists import ABSENT, DEFAULTS, Rule, guessed_keys, matched

JsonObject = dict[str, Any]
Path = tuple[str | int, ...]

SERVER_OWNED = frozenset(
    ("resourceVersion", "generation", "uid", "creationTimestamp", "managedFields", "selfLink"),
)
"""Fields of the metadata that nobody but the server writes."""

SHOWN = 72
"""Characters of a value that a line shows at most."""

_CONTEXT = 12

_PLAIN_KEY = re.compile(r"[\w-]+", re.ASCII)

_encode = msgspec.json.Encoder().encode


class Change(NamedTuple):
    """A field that differs.

    Attributes:
        path: its keys and indexes; those of the object before where it was removed, else those of the object after.
        said: the same to be read: `spec.template.spec.containers[web].image`. Not cleaned.
        before: its value; ABSENT when there was none.
        after: its value; ABSENT when there is none.
    """

    path: Path
    said: str
    before: Any
    after: Any


class Line(NamedTuple):
    """A change as texts.

    Attributes:
        path: which field, to be read. Not cleaned, as the others.
        before: its value as JSON, shortened; empty when there was none.
        after: its value as JSON, shortened; empty when there is none.
    """

    path: str
    before: str
    after: str

    @property
    def added(self) -> bool:
        """Whether the field is new."""
        return not self.before

    @property
    def removed(self) -> bool:
        """Whether the field is gone."""
        return not self.after


# -- the difference --------------------------------------------------------------------------------


def difference(before: JsonObject, after: JsonObject, *, status: bool = False) -> list[Change]:
    """The fields in which two objects differ, in the order of the object before.

    Args:
        before: a whole object.
        after: another.
        status: whether the status counts, too.
    """
    changes: list[Change] = []
    _compare(_comparable(before, after, status), _comparable(after, before, status), (), "", changes)
    return changes


def step_into(said: str, key: str) -> str:
    """The readable path of a field's field: `metadata.labels[app.kubernetes.io/name]`."""
    if not _PLAIN_KEY.fullmatch(key):
        return f"{said}[{key}]"
    return f"{said}.{key}" if said else key


class Matching(NamedTuple):
    """How the items of two lists belong together.

    Attributes:
        keys: the fields that tell items apart.
        before: where each is in the list before, by what tells it apart.
        after: where each is in the list after.
    """

    keys: tuple[str, ...]
    before: dict[Hashable, int]
    after: dict[Hashable, int]

    @property
    def moved(self) -> bool:
        """Whether those that are in both stand in another order."""
        return [key for key in self.before if key in self.after] != [key for key in self.after if key in self.before]


def matching(field: str, before: Sequence[Any], after: Sequence[Any]) -> Matching | None:
    """How the items of two lists are matched.

    Args:
        field: the name of the field that the lists are in.
        before: a list.
        after: another.

    Returns:
        None when nothing tells their items apart.
    """
    if {*map(type, before), *map(type, after)} != {dict}:
        return None
    found = matched(Rule(guessed_keys(field)), before, after)
    return None if found is None else Matching(found.keys, *found.places)


def label(identity: Hashable) -> str:
    """What tells an item apart, to be read: `web`, `8080`, `53/UDP`."""
    parts = identity if isinstance(identity, tuple) else (identity,)
    shown = [str(part) for part in parts if part != DEFAULTS["protocol"]]
    return "/".join(shown or map(str, parts))


def _comparable(item: JsonObject, other: JsonObject, status: bool) -> JsonObject:
    """An object without what the server alone writes."""
    left = {key: value for key, value in item.items() if status or key != "status"}
    for name in ("apiVersion", "kind"):
        # The items of lists lack them.
        if name not in other:
            left.pop(name, None)
    if isinstance(meta := left.get("metadata"), dict):
        meta = left["metadata"] = {key: value for key, value in meta.items() if key not in SERVER_OWNED}
        if isinstance(notes := meta.get("annotations"), dict) and LAST_APPLIED in notes:
            rest = {key: value for key, value in notes.items() if key != LAST_APPLIED}
            meta["annotations"] = rest
            if not rest:
                del meta["annotations"]
    return left


def _compare(before: Any, after: Any, path: Path, said: str, changes: list[Change]) -> None:
    # Comparing and encoding are a hundred times faster than walking; what is equal is not walked through.
    if before == after and _encode(before) == _encode(after):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key, was in before.items():
            now = after.get(key, ABSENT)
            if now is ABSENT:
                changes.append(Change((*path, key), step_into(said, key), was, ABSENT))
            else:
                _compare(was, now, (*path, key), step_into(said, key), changes)
        for key, now in after.items():
            if key not in before:
                changes.append(Change((*path, key), step_into(said, key), ABSENT, now))
    elif isinstance(before, list) and isinstance(after, list):
        _compare_lists(before, after, path, said, changes)
    elif not (before == after and isinstance(before, bool) == isinstance(after, bool)):
        changes.append(Change(path, said, before, after))


def _compare_lists(before: list[Any], after: list[Any], path: Path, said: str, changes: list[Change]) -> None:
    field = next((part for part in reversed(path) if isinstance(part, str)), "")
    matched = matching(field, before, after)
    if matched is None:
        for place in range(min(len(before), len(after))):
            _compare(before[place], after[place], (*path, place), f"{said}[{place}]", changes)
        for place in range(len(after), len(before)):
            changes.append(Change((*path, place), f"{said}[{place}]", before[place], ABSENT))
        for place in range(len(before), len(after)):
            changes.append(Change((*path, place), f"{said}[{place}]", ABSENT, after[place]))
        return
    for identity, place in matched.before.items():
        name, now = f"{said}[{label(identity)}]", matched.after.get(identity)
        if now is None:
            changes.append(Change((*path, place), name, before[place], ABSENT))
        else:
            _compare(before[place], after[now], (*path, now), name, changes)
    for identity, place in matched.after.items():
        if identity not in matched.before:
            changes.append(Change((*path, place), f"{said}[{label(identity)}]", ABSENT, after[place]))
    if matched.moved:
        changes.append(
            Change(path, f"{said} (order)", [*map(label, matched.before)], [*map(label, matched.after)]),
        )


# -- lines -----------------------------------------------------------------------------------------


def lines(changes: Iterable[Change], *, secret: bool, longest: int = SHOWN) -> list[Line]:
    """Changes as lines of a view.

    Args:
        changes: as `difference` found them.
        secret: whether the object is a Secret: of its values only the length is told.
        longest: characters of a value that are shown at most.
    """
    found: list[Line] = []
    for change in changes:
        if secret and change.path and change.path[0] in ("data", "stringData"):
            found += _masked(change)
        else:
            before, after = _text(change.before), _text(change.after)
            found.append(Line(change.said, *_shortened(before, after, longest)))
    return found


def _masked(change: Change) -> Iterable[Line]:
    """A change of a Secret's values, a line for each."""
    if len(change.path) > 1:
        yield Line(change.said, *(_length(str(change.path[0]), value) for value in (change.before, change.after)))
        return
    sides = [value if isinstance(value, dict) else {} for value in (change.before, change.after)]
    for key in dict.fromkeys((*sides[0], *sides[1])):
        values = [side.get(key, ABSENT) for side in sides]
        yield Line(step_into(change.said, key), *(_length(str(change.path[0]), value) for value in values))


def _length(field: str, value: Any) -> str:
    if value is ABSENT:
        return ""
    text = value if isinstance(value, str) else _text(value)
    # `data` is base64.
    size = len(text) * 3 // 4 - (len(text) - len(text.rstrip("="))) if field == "data" else len(text.encode())
    return f"{MASK} ({size} byte{'' if size == 1 else 's'})"


def _text(value: Any) -> str:
    return "" if value is ABSENT else _encode(value).decode()


def _shortened(before: str, after: str, longest: int) -> tuple[str, str]:
    """Two texts cut to a length, so that what differs stays in sight."""
    if len(before) <= longest and len(after) <= longest:
        return before, after
    if not before or not after:
        return _cut(before, longest), _cut(after, longest)
    start = max(0, _common(before, after) - _CONTEXT)
    least = min(len(before), len(after)) - start
    alike = _common(before[::-1][:least], after[::-1][:least])
    end = max(0, alike - _CONTEXT)
    return tuple(_cut(_window(text, start, end), longest) for text in (before, after))  # type: ignore[return-value]


def _window(text: str, start: int, end: int) -> str:
    # One character fewer would be no shorter.
    start, end = (start if start > 1 else 0), (end if end > 1 else 0)
    return ("…" if start else "") + text[start : len(text) - end] + ("…" if end else "")


def _cut(text: str, longest: int) -> str:
    """A text cut in its middle."""
    if len(text) <= longest:
        return text
    kept = max(longest - 1, 2)
    return f"{text[: kept - kept // 2]}…{text[len(text) - kept // 2 :]}"


def _common(one: str, other: str) -> int:
    """How many characters two texts begin with that are the same; by halves, as texts may be long."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
