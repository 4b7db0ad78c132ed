"""What a server refused, at the lines that it is about.

A server names fields in the answer's causes (`spec.containers[0].image`), in the sentence of its strict decoder, in
Go's words of types that do not fit (`Go struct field Container.spec.containers.image of type string`: without the
places of items), and in those of server-side apply (`.spec.containers[name="web"].image: expected string`). Some errors
name none; where the value gives it away, it is found all the same. Sources:
https://pkg.go.dev/k8s.io/apimachinery/pkg/util/validation/field#Path.String,
https://pkg.go.dev/encoding/json#UnmarshalTypeError and
https://pkg.go.dev/sigs.k8s.io/structured-merge-diff/v4/fieldpath#PathElement.String.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from ktui.manifests.formats import type_of, wrong
from ktui.manifests.lists import ABSENT, DEFAULTS, Rule, guessed_keys, matched
from ktui.manifests.problems import Path, Problem, Severity, spell
from ktui.manifests.reading import Document

LONGEST_VALUE = 40
"""Characters of a value that a message repeats; it stands where the message points to."""


class Cause(Protocol):
    """One of the reasons of a refusal, as a Status tells it."""

    @property
    def reason(self) -> str:
        """`FieldValueInvalid`, `FieldManagerConflict` …"""

    @property
    def message(self) -> str:
        """In the server's words."""

    @property
    def field(self) -> str:
        """Which field."""


_Found = tuple[Path, str]

# What stands for no field, and for the whole of a patch.
_NO_FIELD = frozenset(("", "<nil>", "patch"))
_UNCHECKED = "some validation rules were not checked because the object was invalid"


def problems_of(message: str, causes: Iterable[Cause], document: Document, judged: Any = ABSENT) -> list[Problem]:
    """Errors at their lines, in the order of the text; one for the whole document when the server names no place.

    Args:
        message: the server's sentence.
        causes: of its answer's details.
        document: what the person sees.
        judged: the object that the server looked at, where its lists may have other items than those of the document;
            it is what its indexes belong to.
    """
    value = document.value if judged is ABSENT else judged
    found: list[_Found] = []
    for cause in causes:
        path = () if cause.field in _NO_FIELD else field_path(cause.field, value)
        if _UNCHECKED in cause.message:
            # It says of the other errors that there may be more.
            continue
        if path:
            found.append((_meant(path, cause.message, value), cause.message))
        else:
            found += [*_in_message(cause.message, value)] or [((), cause.message)]
    found = found or [*_in_message(message, value)] or [((), message)]
    if judged is not ABSENT:
        found = [(_moved(path, judged, document.value), said) for path, said in found]
    return _at_lines(found, document, "error")


def warnings_at(warnings: Iterable[str], document: Document) -> list[Problem]:
    """Warnings of a server at their lines, in the order of the text; those that name no field are left out.

    Args:
        warnings: as the answer's headers have them: `unknown field "spec.foo"`.
        document: what was sent.
    """
    found = []
    for warning in warnings:
        path, colon, said = warning.partition(": ")
        if strict := [*_strict(warning, document.value)]:
            found += strict
        elif colon and _FIELD.fullmatch(path):
            found.append((field_path(path, document.value), said))
    return _at_lines(found, document, "warning")


_FIELD = re.compile(r"[a-z][A-Za-z]*(?:\.[A-Za-z]+|\[[^\]]*\])+")


# -- paths -----------------------------------------------------------------------------------------


def field_path(said: str, value: Any = ABSENT) -> Path:
    """A field as people and servers write it, as a path.

    `spec.containers[0].image`, `.spec.containers[name="web"].image`, `metadata.labels[app.kubernetes.io/name]`,
    `.metadata.labels.app.kubernetes.io/name`.

    Args:
        said: the field; nothing is raised, whatever it is.
        value: the object, which tells keys with dots apart, and where the items of lists are. Without it, keys with
            dots in them have to stand in brackets, and items are known by their place.
    """
    path: list[str | int] = []
    rest = said.strip()
    while rest:
        step, rest = _step(rest, value)
        if step != "":
            path.append(step)
            value = _inside(value, step)
    return tuple(path)


_BRACKET = re.compile(r"""\[((?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\]"'])*)\]?""")
_WORD = re.compile(r"\.?([^.\[]*)")
_PAIR = re.compile(r"""([\w.-]*)=("(?:[^"\\]|\\.)*"|[^,]*),?""")


def _step(rest: str, value: Any) -> tuple[str | int, str]:
    """The first step of a path, and what is behind it."""
    keys = sorted(value, key=len, reverse=True) if isinstance(value, dict) else ()
    if rest[0] == "[":
        for key in keys:
            if rest.startswith(f"[{key}]"):
                return key, rest[len(key) + 2 :]
        found = _BRACKET.match(rest)
        return (_item(found[1], value), rest[found.end() :]) if found and found.end() > 1 else ("", rest[1:])
    rest = rest.removeprefix(".")
    for key in keys:
        if key and rest.startswith(key) and rest[len(key) : len(key) + 1] in ("", ".", "["):
            return _otherwise(key, rest[len(key) :], value), rest[len(key) :]
    word = _WORD.match(rest)
    assert word
    end = max(word.end(), 1)
    return _otherwise(word[1], rest[end:], value), rest[end:]


def _otherwise(word: str, rest: str, value: Any) -> str:
    """How the document writes a field that the server knows by another name."""
    if not isinstance(value, dict):
        return word
    if word == "data" and isinstance(texts := value.get("stringData"), dict):
        # The texts of a Secret are sent as its data.
        return "stringData" if field_path(rest, texts)[:1] and field_path(rest, texts)[0] in texts else word
    if word in value:
        return word
    if word == "clusterIPs" and "clusterIP" in value:
        return "clusterIP"
    # Of some fields the server says the names of its own code: `LoadBalancerSourceRanges`.
    return next((key for key in value if key.lower() == word.lower()), word)


def _item(inner: str, value: Any) -> str | int:
    """What brackets name: a place, an item by its keys or by its value, or a key."""
    if inner.isascii() and inner.isdigit():
        return int(inner[:9])
    pairs = _PAIR.findall(inner)
    if isinstance(value, list) and pairs and inner[:1] not in "\"'":
        wanted = {key: _unquoted(text) for key, text in pairs if key or text}
        for place, item in enumerate(value):
            if all(_same(_of(item, key), one) for key, one in wanted.items()):
                return place
    return str(_unquoted(inner))


def _of(item: Any, key: str) -> Any:
    if not key:
        return item
    return item.get(key, DEFAULTS.get(key)) if isinstance(item, dict) else ABSENT


def _unquoted(text: str) -> Any:
    if text[:1] == "'":
        return text.strip("'")
    if text[:1] != '"':
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text.strip('"')


def _same(value: Any, wanted: Any) -> bool:
    """Whether a scalar is the one that a text tells."""
    return not isinstance(value, dict | list) and value is not ABSENT and _spelled(value) == str(wanted)


def _spelled(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) or value is None else str(value)


def _inside(value: Any, step: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(step, ABSENT)
    return value[step] if isinstance(value, list) and isinstance(step, int) and step < len(value) else ABSENT


def _moved(path: Path, judged: Any, value: Any) -> Path:
    """Where a field of one object is in another, whose lists may have other items."""
    found: list[str | int] = []
    field = ""
    for step in path:
        if isinstance(step, int) and isinstance(judged, list) and isinstance(value, list) and step < len(judged):
            there = matched(Rule(guessed_keys(field)), judged, value)
            if there is not None:
                identity = next(one for one, place in there.places[0].items() if place == step)
                if identity not in there.places[1]:
                    break
                step, other = there.places[1][identity], step
                judged, value = judged[other], value[step]
                found.append(step)
                continue
        field = step if isinstance(step, str) else field
        judged, value = _inside(judged, step), _inside(value, step)
        found.append(step)
    return tuple(found)


# -- errors without causes -------------------------------------------------------------------------


_STRICT = re.compile(r'(unknown|duplicate) field "((?:[^"\\]|\\.)*)"')
_GO = re.compile(r"cannot unmarshal (\w+)(?: \S+)? into Go struct field \w*\.(\S+) of type (\S+)")
_TYPED = re.compile(r"failed to create typed \w+ object \(.*?\): (.*)", re.DOTALL)
_TYPED_ONE = re.compile(r'(\.(?:[^:\s\["]|\[(?:"(?:[^"\\]|\\.)*"|[^\]"])*\])*): (.*)', re.DOTALL)
_TIME = re.compile(r'parsing time "((?:[^"\\]|\\.)*)"')


def _in_message(message: str, value: Any) -> Iterator[_Found]:
    """The fields that a sentence is about, and what it says of each."""
    if "strict decoding error" in message:
        yield from _strict(message, value)
    elif found := _GO.search(message):
        yield from _go(found[1], found[2], found[3], value)
    elif found := _TYPED.search(message):
        for part in re.split(r"\s{2,}(?=\.)", found[1].removeprefix("errors:")):
            if one := _TYPED_ONE.fullmatch(part.strip()):
                yield from _typed(one[1], one[2].strip(), value)
    elif found := _TIME.search(message):
        moment = _unquoted(f'"{found[1]}"')
        yield from (
            (path, "must be a moment, such as 2030-01-31T12:00:00Z") for path, one in _scalars(value) if one == moment
        )
    else:
        yield from _unnamed(message, value)


def _strict(message: str, value: Any) -> Iterator[_Found]:
    for how, said in _STRICT.findall(message):
        path = field_path(_unquoted(f'"{said}"'), value)
        name = path[-1] if path else said
        yield path, f'unknown field "{name}"' if how == "unknown" else f'"{name}" stands twice in one object'


def _go(got: str, said: str, wanted: str, value: Any) -> Iterator[_Found]:
    """All values at a path without places that have the type which does not fit."""
    for path, one in _at_any(said.split("."), value, ()):
        for deeper, inner in _and_items(path, one):
            if _GOT.get(got, lambda _: True)(inner):
                yield deeper, f"must be {_go_words(wanted)}, not {type_of(inner)}"


def _and_items(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
    yield path, value
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield (*path, key), inner


def _at_any(words: list[str], value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, list) and words:
        for place, item in enumerate(value):
            yield from _at_any(words, item, (*path, place))
    elif not words:
        yield path, value
    elif isinstance(value, dict) and words[0] in value:
        yield from _at_any(words[1:], value[words[0]], (*path, words[0]))
    elif words[0][:1].isupper():
        # A part of Go's structure that the object does not have: `ProbeHandler`.
        yield from _at_any(words[1:], value, path)


_GOT: Mapping[str, Any] = {
    "string": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "bool": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
}
_WANTED = {
    "string": "a string", "bool": "a boolean", "boolean": "a boolean", "float64": "a number", "numeric": "a number",
    "list": "a list", "map": "an object", "scalar": "a single value",
}  # fmt: skip


def _go_words(wanted: str) -> str:
    if re.fullmatch(r"u?int\d*", wanted):
        return "a whole number"
    if wanted.startswith("[]"):
        return "a string" if wanted in ("[]uint8", "[]byte") else "a list"
    return _WANTED.get(wanted, "an object")


def _typed(said: str, message: str, value: Any) -> Iterator[_Found]:
    """An error of server-side apply."""
    path = field_path(said, value)
    if message.startswith("field not declared in schema"):
        yield path, f'unknown field "{path[-1] if path else said}"'
    elif expected := re.match(r"expected (\w+).*, got ", message, re.DOTALL):
        found = _at(value, path)
        wanted = _WANTED.get(expected[1], expected[1])
        yield path, f"must be {wanted}, not {type_of(found)}" if found is not ABSENT else message
    elif twice := re.match(r"duplicate entries for key (\[.*\])", message):
        yield from ((place, f"{twice[1]} is there twice") for place in _others(path, twice[1], value))
    elif element := re.match(r"element (\d+): ", message):
        yield (*path, int(element[1])), message[element.end() :]
    else:
        yield path, message


def _others(path: Path, said: str, value: Any) -> list[Path]:
    """The items of a list that are there already."""
    items = _at(value, path)
    first = field_path(said, items)
    if not isinstance(items, list) or not first or not isinstance(first[0], int):
        return [path]
    behind = first[0] + 1
    found = []
    while (again := field_path(said, items[behind:])) and isinstance(again[0], int):
        found.append((*path, behind + again[0]))
        behind += again[0] + 1
    return found or [path]


_QUANTITIES = frozenset(
    ("limits", "requests", "capacity", "hard", "default", "defaultRequest", "min", "max", "overhead")
)


def _unnamed(message: str, value: Any) -> Iterator[_Found]:
    """What an error is about that names no field, where the value gives it away."""
    if "quantities must match" in message or "unable to parse quantity" in message:
        for path, one in _scalars(value):
            within = any(step in _QUANTITIES for step in path[:-1]) or path[-1:] in (("sizeLimit",), ("divisor",))
            if within and (isinstance(one, bool) or (isinstance(one, str) and wrong(one, "quantity"))):
                yield path, "must be a quantity, such as 500m, 1.5 or 64Mi"
    elif "illegal base64" in message:
        for path, one in _scalars(value):
            if path[0] in ("data", "binaryData") and isinstance(one, str) and wrong(one, "byte"):
                yield path, "must be in base64"
    elif "cannot convert float64 to int" in message:
        yield from (
            (path, "must be a whole number")
            for path, one in _scalars(value)
            if isinstance(one, float) and not one.is_integer()
        )
    for words, path in _ABOUT.items():
        if words in message:
            yield path, message


_ABOUT: Mapping[str, Path] = {
    "does not match the name on the URL": ("metadata", "name"),
    "the namespace of the provided object does not match": ("metadata", "namespace"),
    "is registered for version": ("kind",),
    "invalid object type": ("kind",),
    "unknown conversion": ("kind",),
}


def _scalars(value: Any) -> Iterator[tuple[Path, Any]]:
    """The single values of an object, in its order."""
    waiting: list[tuple[Path, Any]] = [((), value)]
    while waiting:
        path, one = waiting.pop()
        if isinstance(one, dict):
            waiting += [((*path, key), inner) for key, inner in reversed(one.items())]
        elif isinstance(one, list):
            waiting += [((*path, place), inner) for place, inner in reversed([*enumerate(one)])]
        elif path:
            yield path, one


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = _inside(value, step)
    return value


# -- words and lines -------------------------------------------------------------------------------


_QUOTED = re.compile(r'(?:Invalid|Unsupported|Duplicate) value: "((?:[^"\\]|\\.)*)"')
_VALUE = re.compile(r"((?:Invalid|Unsupported|Duplicate) value: )(\{.*\}|\[.*\]|\".*?(?<!\\)\"): (?=.)", re.DOTALL)
_EXPRESSION = re.compile(r",? *regex used for validation is '.*?'(?=\)|$)")
# What the server appends of its own structures: the difference of two pods.
_APPENDED = re.compile(r"\s+(?:@@ -\d|(?:core|v1)\.\w+\{).*", re.DOTALL)


def _meant(path: Path, message: str, value: Any) -> Path:
    """The key or the value in a map that is quoted, where the server names the map."""
    found = _at(value, path)
    if isinstance(found, dict) and (quoted := _QUOTED.match(message)):
        text = _unquoted(f'"{quoted[1]}"')
        for key, inner in found.items():
            if text and (key == text or _same(inner, text)):
                return (*path, key)
    return path


def _at_lines(found: Iterable[_Found], document: Document, severity: Severity) -> list[Problem]:
    problems = []
    for path, message in found:
        place = document.key(path)
        said = f"{_missing(path, document)}{_worded(message)}"
        problems.append(Problem(place.line, place.column, path, severity, said))
    return sorted(dict.fromkeys(problems), key=lambda problem: problem[:2])


def _missing(path: Path, document: Document) -> str:
    """The part of a path that is not in the document, where a line stands for what contains it."""
    end = len(path)
    while path[:end] not in document.positions and end:
        end -= 1
    inside = _at(document.value, path[:end])
    # What stands in a single value is nothing that could be there.
    return f"{spell(path[end:])}: " if path[end:] and isinstance(inside, dict | list | None) else ""


def _worded(message: str) -> str:
    """The server's words without what does not fit into a line."""
    said = _APPENDED.sub("", message)
    value = _VALUE.match(said)
    if value and len(value[2]) > LONGEST_VALUE:
        said = value[1] + said[value.end() :]
    return " ".join(_EXPRESSION.sub("", said).split()).rstrip(".")
