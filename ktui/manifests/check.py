"""Checks of a manifest against the schema of its kind, before the server is asked.

What is said is what the server would refuse, as far as its schema tells; the rules that stand in its code, only a dry
run finds out.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple

from ktui.manifests.definitions import Definition
from ktui.manifests.formats import type_of, wrong
from ktui.manifests.lists import ABSENT
from ktui.manifests.problems import Path, Problem, Severity
from ktui.manifests.schema import INT_OR_STRING, QUANTITY, Field, Schema

if TYPE_CHECKING:
    from ktui.manifests.reading import Document

_OF_OBJECTS = frozenset(("apiVersion", "kind", "metadata"))
# Lists whose items may have one key twice: the server warns, as it always took them.
_LENIENT = frozenset(("env", "ports", "imagePullSecrets", "hostAliases", "secrets", "ownerReferences"))
_DEEPEST = 100


class Fault(NamedTuple):
    """Something wrong with a value.

    Attributes:
        path: where.
        at_key: whether the key itself is wrong, and not its value.
        severity: "error" when the server would refuse it, "warning" when it would take it with a warning.
        message: what, in a short sentence without a full stop. Not cleaned.
    """

    path: Path
    at_key: bool
    severity: Severity
    message: str


def check(document: Document, schema: Schema) -> list[Problem]:
    """What is wrong with a document, in the order of its text.

    Args:
        document: as it was read.
        schema: of its kind.
    """
    found = []
    for fault in faults(document.value, schema):
        where = document.key(fault.path) if fault.at_key else document.at(fault.path)
        found.append(Problem(where.line, where.column, fault.path, fault.severity, fault.message))
    return sorted(found, key=lambda problem: problem[:2])


def faults(value: Any, schema: Schema) -> list[Fault]:
    """What is wrong with an object, in the order of its fields.

    Args:
        value: the object.
        schema: of its kind.
    """
    return [*_Checking(schema.built_in).value(value, schema.root, ())]


class _Checking:
    def __init__(self, built_in: bool) -> None:
        self._built_in = built_in

    def value(self, value: Any, field: Field, path: Path) -> Iterator[Fault]:
        if len(path) > _DEEPEST:
            return
        if value is None:
            # Null is as good as nothing; but of the items of a list the server drops none.
            in_list = bool(path) and isinstance(path[-1], int)
            if in_list and not (self._built_in or field.nullable) and (field.type or field.format):
                yield _error(path, f"must be {_wanted(field)}, not null")
            return
        if (said := _misfit(value, field)) or (said := self._outside(value, field)):
            yield _error(path, said)
        elif isinstance(value, dict):
            yield from self._object(value, field, path)
        elif isinstance(value, list):
            yield from self._list(value, field, path)

    def _object(self, value: dict[str, Any], field: Field, path: Path) -> Iterator[Fault]:
        for name in field.required:
            if value.get(name) is None and self._wanted(name, value, field, path):
                yield _error(path, f'"{name}" is missing')
        values = field.values
        for key, inner in value.items():
            place = field.inner(key)
            if place is not None:
                yield from self.value(inner, place, (*path, key))
            elif values is None and not field.open and not (field.embedded and key in _OF_OBJECTS):
                yield Fault((*path, key), True, "error", f'unknown field "{key}"{_meant(key, [*field.fields])}')

    def _wanted(self, name: str, value: dict[str, Any], field: Field, path: Path) -> bool:
        """Whether a required field that is not there is missed."""
        if path[:1] == ("status",):
            # The server writes it, and is not asked whether it is whole.
            return False
        place = field.inner(name)
        if self._built_in:
            # Servers write null for a list without items, and for a moment that never was.
            return name not in value or not (place and (place.type == "array" or place.format == "date-time"))
        # What has a default is there, by the time the server looks.
        return place is None or place.default is ABSENT

    def _list(self, value: list[Any], field: Field, path: Path) -> Iterator[Fault]:
        if (items := field.items) is None:
            return
        for place, item in enumerate(value):
            yield from self.value(item, items, (*path, place))
        if field.list_type == "set":
            yield from self._twice([*map(_scalar, value)], "", path)
        elif field.list_type == "map":
            keys, defaults = field.list_map_keys, field.key_defaults
            found = [_identity(item, keys, defaults) for item in value]
            yield from self._twice(found, "/".join(keys), path)

    def _twice(self, found: list[Any], named: str, path: Path) -> Iterator[Fault]:
        seen = set()
        lenient = self._built_in and (path[-1] in _LENIENT or not named)
        for place, identity in enumerate(found):
            if identity is not None and identity in seen:
                said = "/".join(map(str, identity))
                message = f'{named} "{said}" is there twice' if named else f'"{said}" is there twice'
                yield Fault((*path, place), False, "warning" if lenient else "error", message)
            seen.add(identity)

    def _outside(self, value: Any, field: Field) -> str:
        """Why a value of the right type is not one of those allowed; empty when it is."""
        if field.enum and value not in field.enum and not (self._built_in and value == ""):
            allowed = [*map(str, field.enum)]
            return f"must be {_either(allowed)}{_meant(str(value), allowed)}"
        if (
            isinstance(value, str | int | float)
            and not isinstance(value, bool)
            and (said := wrong(value, field.format))
        ):
            return said
        return _beyond(value, field.definition)


def _misfit(value: Any, field: Field) -> str:
    """Why a value does not have the type of its field; empty when it has."""
    if _fits(value, field):
        return ""
    said = f"must be {_wanted(field)}, not {type_of(value)}"
    quoted = field.type == "string" and isinstance(value, bool | int | float)
    return f"{said}; write it in quotes" if quoted else said


def _fits(value: Any, field: Field) -> bool:
    flag = isinstance(value, bool)
    if field.format == QUANTITY:
        return isinstance(value, str | int | float) and not flag
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if field.format == INT_OR_STRING:
        return isinstance(value, str) or (whole and not flag)
    match field.type:
        case "string":
            return isinstance(value, str)
        case "integer":
            return whole and not flag
        case "number":
            return isinstance(value, int | float) and not flag
        case "boolean":
            return flag
        case "object":
            return isinstance(value, dict)
        case "array":
            return isinstance(value, list)
    return True


def _wanted(field: Field) -> str:
    if field.format == QUANTITY:
        return "a quantity"
    if field.format == INT_OR_STRING:
        return "a number or a string"
    words = {"object": "an object", "array": "a list", "integer": "a whole number"}
    return words.get(field.type) or f"a {field.type or 'value'}"


def _beyond(value: Any, limits: Definition) -> str:
    """Why a value is too small or too large; empty when it is not."""
    if isinstance(value, str):
        return _between(len(value), limits.min_length, limits.max_length, "characters")
    if isinstance(value, list):
        return _between(len(value), limits.min_items, limits.max_items, "items")
    if isinstance(value, bool | dict):
        return ""
    if limits.minimum is not None and value < limits.minimum:
        return f"must be {limits.minimum:g} or more"
    if limits.maximum is not None and value > limits.maximum:
        return f"must be {limits.maximum:g} or less"
    return ""


def _between(size: int, least: int | None, most: int | None, what: str) -> str:
    if least is not None and size < least:
        return f"must have at least {least} {what if least != 1 else what[:-1]}"
    return f"must have at most {most} {what}" if most is not None and size > most else ""


def _meant(word: str, known: list[str]) -> str:
    by_lower = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), by_lower, 1, 0.7)
    return f'; did you mean "{by_lower[close[0]]}"?' if close else ""


def _either(words: list[str]) -> str:
    if len(words) > 12:
        return f"one of {', '.join(words[:12])} …"
    return " or ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else words[0]


def _identity(item: Any, keys: tuple[str, ...], defaults: dict[str, Any]) -> tuple[Any, ...] | None:
    if not isinstance(item, dict):
        return None
    found = tuple(item.get(key, defaults.get(key)) for key in keys)
    return found if all(isinstance(part, str | int) for part in found) else None


def _scalar(value: Any) -> tuple[Any, ...] | None:
    return (value,) if isinstance(value, str | int) else None


def _error(path: Path, message: str) -> Fault:
    return Fault(path, False, "error", message)
