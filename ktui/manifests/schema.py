"""Schemas: what a kind's objects may have in them, and what it means.

    schema = schema_of(read_definitions(document), "apps", "v1", "Deployment")
    schema.field(("spec", "template", "spec", "containers", 0, "image")).type   # string
    describe(schema, path), complete(schema, path, "ima")

A value is looked up by its path; that of a list's item is the same for all items, and indexes may be left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from ktui.manifests.definitions import GVK, Definition, Definitions
from ktui.manifests.lists import ABSENT, GUESSED, Lists, Rule, guessed_keys
from ktui.manifests.problems import Path

QUANTITY, DURATION, INT_OR_STRING = "quantity", "go-duration", "int-or-string"

_QUANTITY_TYPE, _DURATION_TYPE = ".resource.Quantity", ".meta.v1.Duration"
# What custom resources have for a quantity, as controller-gen writes it.
_QUANTITY_PATTERN = r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))"


class Field:
    """A place in a kind's objects.

    Args:
        definitions: of the document.
        site: the place where a type is used.

    Attributes:
        format: what its texts or numbers look like: `int32`, `byte`, `date-time`, QUANTITY, DURATION ...; or empty.
    """

    __slots__ = ("_definitions", "_inside", "_name", "_site", "_type", "format")

    def __init__(self, definitions: Definitions, site: Definition) -> None:
        self._definitions, self._site = definitions, site
        self._name, self._type = definitions.resolve(site)
        # Those that were asked for: all items of a list, and all lists of their items, are looked up again and again.
        self._inside: dict[int, Field] = {}
        self.format = self._format()

    # -- what it is --

    @property
    def type(self) -> str:
        """The JSON type: `object`, `array`, `string`, `integer`, `number`, `boolean`; empty for any."""
        return "" if self.format in (QUANTITY, INT_OR_STRING) else self._type.type

    def _format(self) -> str:
        if self._name.endswith(_QUANTITY_TYPE) or self._type.pattern.startswith(_QUANTITY_PATTERN):
            return QUANTITY
        if self._name.endswith(_DURATION_TYPE):
            return DURATION
        return INT_OR_STRING if self._type.int_or_string else self._type.format

    @property
    def type_words(self) -> str:
        """The type as `kubectl explain` writes it: `[]Container`, `map[string]string`, `integer`."""
        if self._site.target and self._type.type in ("", "object"):
            return self._site.target.rpartition(".")[2]
        if self._type.items is not None:
            return f"[]{self.items.type_words}" if self.items else "[]"
        if isinstance(self._type.additional, Definition):
            return f"map[string]{self._at(self._type.additional).type_words}"
        return self._type.type or "Object"

    @property
    def definition(self) -> Definition:
        """Its type: the limits of texts, numbers and lists."""
        return self._type

    @property
    def enum(self) -> tuple[Any, ...]:
        """The only values it may have; none when it may have others."""
        return self._site.enum or self._type.enum

    @property
    def default(self) -> Any:
        """What it is when nothing is said; ABSENT when the schema does not know."""
        return self._type.default if self._site.default is msgspec.UNSET else self._site.default

    @property
    def nullable(self) -> bool:
        """Whether null is a value."""
        return self._site.nullable or self._type.nullable

    @property
    def immutable(self) -> bool:
        """Whether a rule of the schema keeps it as it was; most kinds have their rules elsewhere."""
        return any("".join(v.rule.split()) in ("self==oldSelf", "oldSelf==self") for v in self.validations)

    @property
    def validations(self) -> tuple[Any, ...]:
        """The rules in the Common Expression Language, with `rule` and `message`."""
        return self._site.validations or self._type.validations

    # -- what it means --

    @property
    def summary(self) -> str:
        """What the place means, without what its type means."""
        return self._site.description or self._type.description

    @property
    def description(self) -> str:
        """What the place and then its type mean, as `kubectl explain` says."""
        texts = [self._site.description]
        if self._type is not self._site:
            texts.append(self._type.description)
        if (inner := self.items or self.values) is not None:
            texts.append(inner.description)
        return "\n".join(text for text in texts if text)

    # -- what is in it --

    @property
    def open(self) -> bool:
        """Whether it may have fields that the schema does not know."""
        known = self._type.properties or self._type.type != "object"
        # A type that says nothing of its values, such as that of the items in the schema of a custom resource.
        if self._name and not (self._type.type or self._type.properties or self.format):
            return True
        if self._type.preserve_unknown or self._site.preserve_unknown or self._type.additional is True:
            return True
        # Built-in types without fields hold anything; those of custom resources hold nothing.
        return not known and (bool(self._name) or bool(self._definitions.strategic))

    @property
    def embedded(self) -> bool:
        """Whether it is a whole object of whatever kind."""
        return self._type.embedded

    @property
    def fields(self) -> Mapping[str, Field]:
        """The fields of a map that the schema knows, in its order."""
        return {name: self._at(site) for name, site in self._type.properties.items()}

    @property
    def required(self) -> tuple[str, ...]:
        """The fields that must be there."""
        return self._type.required

    @property
    def values(self) -> Field | None:
        """What the values of a map are whose keys are free."""
        return self._at(self._type.additional) if isinstance(self._type.additional, Definition) else None

    @property
    def items(self) -> Field | None:
        """What a list's items are."""
        return None if self._type.items is None else self._at(self._type.items)

    def inner(self, part: str | int) -> Field | None:
        """One of its fields, or of its items' fields, or an item; None when the schema does not know."""
        if isinstance(part, int):
            return self.items
        if self._type.items is not None:
            # Indexes may be left out, as for `kubectl explain`.
            return self._at(self._type.items).inner(part)
        if (site := self._type.properties.get(part)) is not None:
            return self._at(site)
        return self.values

    # -- how it is merged --

    @property
    def list_type(self) -> str:
        """`atomic`, `set`, `map`; empty when it is not said."""
        return self._site.list_type or self._type.list_type

    @property
    def list_map_keys(self) -> tuple[str, ...]:
        """The fields that tell a list's items apart."""
        merge_key = self._site.patch_merge_key
        return self._site.list_map_keys or self._type.list_map_keys or ((merge_key,) if merge_key else ())

    @property
    def key_defaults(self) -> dict[str, Any]:
        """What stands for such fields when an item does not have them, and need not."""
        if (items := self.items) is None:
            return {}
        fields = ((key, items.inner(key)) for key in self.list_map_keys if key not in items.required)
        return {key: found.default for key, found in fields if found is not None and found.default is not ABSENT}

    @property
    def rule(self) -> Rule:
        """How it is merged with other versions of itself; where it is a list that is not told, as `GUESSED` would."""
        strategy = self._site.patch_strategy.split(",")
        return Rule(
            keys=(keys,) if (keys := self.list_map_keys) else (),
            defaults=self.key_defaults,
            unique=self.list_type == "set",
            atomic=self.list_type == "atomic" or "atomic" in (self._site.map_type, self._type.map_type),
            patch_key=self._site.patch_merge_key,
            patch_merged="merge" in strategy,
            retained="retainKeys" in strategy,
        )

    def _at(self, site: Definition) -> Field:
        found = self._inside.get(id(site))
        if found is None:
            found = self._inside[id(site)] = Field(self._definitions, site)
        return found


class Schema:
    """What the objects of a kind may have in them.

    Args:
        definitions: of a document.
        gvk: a kind of it.

    Attributes:
        root: a whole object.
    """

    def __init__(self, definitions: Definitions, gvk: GVK) -> None:
        self.gvk = gvk
        self._definitions = definitions
        self.root = Field(definitions, Definition(ref=definitions.kinds[gvk]))

    @property
    def built_in(self) -> bool:
        """Whether the server itself defines the kind; the others are custom resources, whose schemas are stricter."""
        return bool(self._definitions.strategic)

    @property
    def strategic(self) -> bool:
        """Whether the kind takes strategic merge patches: the built-in ones do, custom resources do not."""
        return self.gvk in self._definitions.strategic

    @property
    def lists(self) -> Lists:
        """How its objects are merged."""
        return _Rules(self.root, strategic=self.strategic)

    def field(self, path: Path) -> Field | None:
        """The place at a path; None when the schema does not know it."""
        found: Field | None = self.root
        for part in path:
            if found is None:
                return None
            found = found.inner(part)
        return found


def schema_of(definitions: Definitions, group: str, version: str, kind: str) -> Schema | None:
    """The schema of a kind; None when the document does not have it."""
    gvk = (group, version, kind)
    return Schema(definitions, gvk) if gvk in definitions.kinds else None


class _Rules:
    """A field's rules of merging, and where the schema ends, guessed ones."""

    __slots__ = ("_field", "_name", "_retained", "strategic")

    def __init__(self, field: Field, name: str = "", *, strategic: bool = False, retained: bool = False) -> None:
        self._field, self._name, self._retained = field, name, retained
        self.strategic = strategic

    @property
    def rule(self) -> Rule:
        rule = self._field.rule
        if self._field.type == "array" and not (rule.keys or rule.unique or rule.atomic):
            rule = rule._replace(keys=guessed_keys(self._name), defaults=GUESSED.rule.defaults)
        return rule._replace(retained=True) if self._retained else rule

    def field(self, key: str) -> Lists:
        inner = self._field.inner(key)
        return GUESSED.field(key) if inner is None else _Rules(inner, key)

    def item(self) -> Lists:
        items = self._field.items
        # A list says it for its items.
        return GUESSED if items is None else _Rules(items, retained=self._field.rule.retained)


# -- documentation ---------------------------------------------------------------------------------


class Documentation(NamedTuple):
    """What is to be said of a field.

    Attributes:
        name: its name; empty for the whole object.
        type: as `kubectl explain` writes it.
        required: whether it must be there.
        enum: the values it may have; none when it may have others.
        default: as JSON; empty when the schema knows none.
        immutable: whether the schema says that it cannot be changed.
        text: what it means, in paragraphs. Not cleaned.
        fields: what is in it, in the order of `kubectl explain`; of each only what its place says.
    """

    name: str
    type: str
    required: bool
    enum: tuple[str, ...]
    default: str
    immutable: bool
    text: str
    fields: tuple[Documentation, ...] = ()


def describe(schema: Schema, path: Path) -> Documentation | None:
    """What `kubectl explain` says of a field; None when the schema does not know it.

    Args:
        schema: of the kind.
        path: where the field is.
    """
    field = schema.field(path)
    if field is None:
        return None
    name = next((part for part in reversed(path) if isinstance(part, str)), "")
    holder = schema.field(path[:-1]) if path and isinstance(path[-1], str) else None
    required = holder is not None and name in holder.required
    holder = field
    while holder.items is not None or holder.values is not None:
        holder = holder.items or holder.values or holder
    inside = tuple(
        _documentation(inner, key, required=key in holder.required, text=inner.summary)
        for key, inner in sorted(holder.fields.items())
    )
    return _documentation(field, name, required=required, text=field.description)._replace(fields=inside)


def _documentation(field: Field, name: str, *, required: bool, text: str) -> Documentation:
    return Documentation(
        name, field.type_words, required, (*map(_plain, field.enum),), _json(field.default), field.immutable, text
    )


def _json(value: Any) -> str:
    return "" if value is ABSENT else msgspec.json.encode(value).decode()


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else _json(value)


# -- completion ------------------------------------------------------------------------------------


class Completion(NamedTuple):
    """What may be written at the cursor.

    Attributes:
        text: a key, or a value as it stands in JSON without quotes.
        type: as `kubectl explain` writes it; empty for values.
        required: whether the key must be there.
        documentation: what it means. Not cleaned.
    """

    text: str
    type: str
    required: bool
    documentation: str


def complete(schema: Schema, path: Path, prefix: str = "", present: Collection[str] = ()) -> list[Completion]:
    """What may stand at a place: the keys of a map, required ones first; the values of a field that allows only some.

    Args:
        schema: of the kind.
        path: of the map, of the list or of the field whose value is wanted.
        prefix: what is written already; upper or lower case.
        present: keys that are there already.
    """
    field = schema.field(path)
    if field is not None and field.items is not None:
        field = field.items
    if field is None:
        return []
    if field.fields:
        found = [*_keys(field, present)]
    else:
        found = [Completion(text, "", False, field.summary) for text in _values(schema, path, field)]
    word = prefix.lower()
    starting = [item for item in found if item.text.lower().startswith(word)]
    return starting + [item for item in found if word in item.text.lower() and item not in starting]


def _keys(field: Field, present: Collection[str]) -> Iterator[Completion]:
    names = sorted(field.fields.items(), key=lambda pair: pair[0] not in field.required)
    for name, inner in names:
        if name not in present:
            yield Completion(name, inner.type_words, name in field.required, inner.summary)


def _values(schema: Schema, path: Path, field: Field) -> list[str]:
    group, version, kind = schema.gvk
    if path in (("apiVersion",), ("kind",)):
        return [f"{group}/{version}" if group else version] if path == ("apiVersion",) else [kind]
    if field.enum:
        return [*map(_plain, field.enum)]
    if field.type == "boolean":
        return ["true", "false"]
    return [] if isinstance(field.default, dict | list | type(ABSENT)) else [_plain(field.default)]
