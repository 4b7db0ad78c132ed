"""The types of built-in kinds: field names, numbers, types and facts, read once from `types.json`.

`types.json` says per type "field number": "name type facts", numbers and types as in the generated.proto files of
k8s.io/api 1.36, facts as its API server publishes them in OpenAPI v3, and as its types in Go have them. A type is a
scalar or another type; `[]` before it means a list, `{}` a map with text keys, `~` that its fields stand in the place
of the field itself. Fields are in the order in which answers have them. The facts:

    required       must be there
    =JSON          the default
    in=A|B         the only values
    map=a,b        a list whose entries are told apart by these fields; set: one of different values; else it is atomic
    patch=merge    the strategy of strategic merge patches; by=name: the field by which these tell entries apart
    kept           Go can tell the empty or zero value from nothing; others are left out
    go=v1.Type     what Go calls the type, in messages
    atomic         a map that is one value; granular: one that is not, although its type is

`atomic` lists the types that are one value wherever they stand.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a type.

    Attributes:
        name: as in JSON.
        type: a scalar such as "int32", or a type such as "core.Container".
        form: "" for one value, "[]" for a list, "{}" for a map, "~" for fields that stand in its place.
        facts: what else is known of it, as above.
    """

    name: str
    type: str
    form: str
    facts: tuple[str, ...] = ()


@cache
def _stored() -> dict[str, Any]:
    stored: dict[str, Any] = json.loads(files(__package__).joinpath("types.json").read_text(encoding="utf-8"))
    return stored


def type_of(api_version: str, kind: str) -> str | None:
    """The type of a kind, None when it is no built-in one."""
    found: str | None = _stored()["kinds"].get(f"{api_version}/{kind}")
    return found


@cache
def kinds() -> dict[tuple[str, str, str], str]:
    """The types of all kinds by group, version and kind."""
    found = {}
    for place, name in _stored()["kinds"].items():
        api_version, _, kind = place.rpartition("/")
        group, _, version = api_version.rpartition("/")
        found[group, version, kind] = name
    return found


@cache
def numbered_fields(name: str) -> dict[int, Field] | None:
    """A type's fields by number, None when it is not described field by field."""
    described = _stored()["types"].get(name)
    if described is None:
        return None
    return {int(number): _field(text) for number, text in described.items()}


@cache
def named_fields(name: str) -> dict[str, tuple[str, Field]] | None:
    """A type's fields by name, with the type that declares each; inlined ones among them."""
    numbered = numbered_fields(name)
    if numbered is None:
        return None
    found: dict[str, tuple[str, Field]] = {}
    for field in numbered.values():
        if field.form == "~":
            found |= named_fields(field.type) or {}
        else:
            found[field.name] = (name, field)
    return found


@cache
def atomic_types() -> frozenset[str]:
    """The types that are one value, whatever is in them."""
    return frozenset(_stored()["atomic"])


def _field(text: str) -> Field:
    name, kind, *facts = text.split()
    form = next((form for form in ("[]", "{}", "~") if kind.startswith(form)), "")
    return Field(name, kind.removeprefix(form), form, tuple(facts))
