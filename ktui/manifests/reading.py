"""YAML as Kubernetes reads it: text in, values with their positions out, and everything that is wrong.

kubectl cuts a text into documents at lines of `---`, takes for JSON what begins with a brace, and gives the rest to
sigs.k8s.io/yaml. So does this: on libyaml's parser, of which go-yaml v2 is a copy, with go-yaml's rules of what
scalars, aliases and merges mean. Where Kubernetes reads a text that cannot be meant as it stands (a key twice in one
object), there is an error all the same. Sources:
https://pkg.go.dev/k8s.io/apimachinery/pkg/util/yaml and https://github.com/yaml/go-yaml/blob/v2/decode.go.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, NamedTuple

import yaml
from yaml.events import AliasEvent, DocumentStartEvent, MappingStartEvent, ScalarEvent, SequenceStartEvent

from ktui.manifests.json_reading import DEEPEST, JsonReader, NotJson
from ktui.manifests.problems import Lines, Path, Place, Position, Positions, Problem, Severity, Span, spell
from ktui.manifests.scalars import TAG, NotReadable, as_json, as_key, plain, resolve, tagged
from ktui.manifests.wording import understood

try:
    from yaml._yaml import CParser
except ImportError:  # PyYAML without libyaml is ten times slower, and stricter with tabs.
    from yaml.parser import Parser
    from yaml.reader import Reader
    from yaml.scanner import Scanner

    class CParser(Reader, Scanner, Parser):  # type: ignore[no-redef]
        """PyYAML's own parser."""

        def __init__(self, stream: str) -> None:
            Reader.__init__(self, stream)
            Scanner.__init__(self)
            Parser.__init__(self)

        def raw_parse(self) -> None:
            """Parse for the errors alone."""
            while self.get_event() is not None:  # type: ignore[no-untyped-call]
                pass


__all__ = ("Document", "Lines", "Path", "Place", "Position", "Positions", "Problem", "Reading", "read", "spell")

AT_ONE_GO = 200_000
"""Characters that are parsed in about ten milliseconds."""

MOST_PROBLEMS = 20
"""Errors of syntax that are looked for in one document: after some of them nothing that is found means much."""

_SEPARATOR = re.compile(r"^---(.*)\n?", re.MULTILINE)
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_INDENT = re.compile(r"[ \t-]*")
_LINE = re.compile(r"( *)(.*)\n?")
_JSON_SPACE = re.compile(r"[ \t\n\r]*")
_SPACE_OF_LINE = re.compile(r"[^\S\n]*\n?")
_ESCAPED_SLASH = re.compile(r"(?:[^\\]|\\[^/])*?\\/", re.DOTALL)
_JSON_START = re.compile(r'\s*\{\s*["}]')


@dataclass(frozen=True)
class Document:
    """A document.

    Attributes:
        value: what it says, as JSON would.
        line: where it begins, counted from 1.
        positions: where each of its values stands.
    """

    value: Any
    line: int
    positions: Positions = field(repr=False, compare=False)

    def key(self, path: Path) -> Position:
        """Where the key of a value stands; where there is none, the value, or the nearest that contains it."""
        place = self._nearest(path)
        return place.key or place.value

    def at(self, path: Path) -> Position:
        """Where a value stands, or the nearest that contains it."""
        return self._nearest(path).value

    def on_line(self, line: int) -> Path:
        """The value that a line of the text is about, the innermost one.

        Args:
            line: counted from 1.
        """
        return self.positions.on_line(line)

    def _nearest(self, path: Path) -> Place:
        while path not in self.positions and path:
            path = path[:-1]
        return self.positions.get(path) or Place(None, Position(self.line, 1, self.line, 1))


@dataclass(frozen=True)
class Reading:
    """What a text says.

    Attributes:
        documents: those that Kubernetes would read, too. Empty ones are left out.
        problems: what is wrong, in the order of the text.
        fragments: what can be understood of the documents that cannot be read.
        file: whence the text is, as it was told.
    """

    documents: list[Document]
    problems: list[Problem]
    fragments: list[Document] = field(default_factory=list)
    file: str = ""

    @property
    def errors(self) -> list[Problem]:
        """The problems for which Kubernetes, or ktui in its place, refuses the text."""
        return [problem for problem in self.problems if problem.severity == "error"]


def read(text: str, *, file: str = "") -> Reading:
    """Read documents of YAML or JSON. Whatever the text is, nothing is raised.

    Args:
        text: the whole text.
        file: its name, for whoever shows the problems.
    """
    text, marked = text.replace("\r\n", "\n"), text.startswith("\ufeff")
    # The last line ends, too: kubectl reads by lines.
    source = _Source(text[marked:] + "\n" * (not text.endswith("\n")))
    rest = 0 if marked else _read_json(source)
    for start, end in _pieces(source, rest):
        _read_yaml(source, start, end)
    # What an alias names twice is wrong once.
    problems = {(problem.line, problem.column, problem.message): problem for problem in source.problems}
    in_order = sorted(problems.values(), key=lambda problem: problem[:2])
    return Reading(source.documents, in_order, source.fragments, file)


class _Source:
    """A text and what has been found in it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = Lines(text)
        self.documents: list[Document] = []
        self.fragments: list[Document] = []
        self.problems: list[Problem] = []

    def wrong(self, offset: int, message: str, path: Path = (), severity: Severity = "error") -> None:
        self.problems.append(Problem(*self.lines.at(offset), path, severity, message))

    def keep(self, value: Any, spans: dict[Path, Span], *, whole: bool) -> None:
        line = self.lines.at(spans[()][2] if () in spans else 0)[0]
        (self.documents if whole else self.fragments).append(Document(value, line, Positions(self.lines, spans)))


# -- documents -------------------------------------------------------------------------------------


def _read_json(source: _Source) -> int:
    """Read objects of JSON, one behind the other, and tell where YAML begins."""
    offset, text, count = 0, source.text, 0
    if not text.lstrip().startswith("{"):
        return 0
    reader = JsonReader(text)
    while (begin := _JSON_SPACE.match(text, offset).end()) < len(text):  # type: ignore[union-attr]
        try:
            value, end = reader.read(begin)
        except NotJson as error:
            # More than one object, and it cannot be YAML; an object that fails as JSON may be YAML.
            sure = count > 1 or (_JSON_START.match(text, begin) and not _is_yaml(text[begin:]))
            if sure and not text.startswith("---", begin):
                source.wrong(error.offset, error.message)
                return len(text)
            # kubectl takes it for YAML, unless it is shorter than four bytes.
            if count and not text.startswith(("---", "{", "#"), begin):
                source.wrong(begin, "unexpected text: a new document needs a line of --- before it")
                return len(text)
            return _SPACE_OF_LINE.match(text, offset).end()  # type: ignore[union-attr]
        for place, path in reader.twice:
            source.wrong(place, _twice(path), path)
        for place, path in reader.too_large:
            source.wrong(place, "the number is too large", path)
        if value is not None:
            source.keep(value, reader.spans, whole=not reader.too_large)
        offset, count = end, count + 1
    return len(text)


def _is_yaml(text: str) -> bool:
    try:
        _parse(text)
    except (yaml.YAMLError, UnicodeEncodeError):
        return False
    return True


def _parse(text: str) -> None:
    """Parse for the errors alone.

    libyaml does it at one go, for which nothing else goes on in Python; of long texts, event by event.
    """
    parser: Any = CParser(text)
    if len(text) < AT_ONE_GO:
        parser.raw_parse()
        return
    while parser.get_event() is not None:
        pass


def _pieces(source: _Source, begin: int) -> Iterator[tuple[int, int]]:
    """The documents as kubectl cuts them, without the lines that part them."""
    for found in _SEPARATOR.finditer(source.text, begin):
        behind = found[1].strip()
        if behind and not behind.startswith("#"):
            offset = found.start() + 3 + (len(found[1]) - len(found[1].lstrip()))
            source.wrong(offset, "Kubernetes reads nothing behind ---: write it on the next line")
        # A document's own first line is part of it.
        if found.start() > begin:
            yield begin, found.start()
            begin = found.end()
    yield begin, len(source.text)


def _read_yaml(source: _Source, start: int, end: int) -> None:
    """Read one document."""
    text = source.text[start:end]
    if not text.strip(" \n"):
        return
    before = len(source.problems)
    mended = _mend(source, start, _allowed(source, start, text))
    syntax = len(source.problems) == before
    if mended is None:
        return
    builder = _Builder(source, start, sound=syntax)
    found = builder.read(mended)
    if not syntax:
        _place(source, before, builder.spans)
    if found is not None and not (found.value is None and syntax):
        source.keep(found.value, builder.spans, whole=syntax and builder.sound)


def _place(source: _Source, first: int, spans: dict[Path, Span]) -> None:
    """Tell of errors of syntax in which value they are, as far as columns tell."""
    at = source.lines.at
    starts = sorted((key if key >= 0 else value, path) for path, (key, _, value, _) in spans.items() if path)
    for index in range(first, len(source.problems)):
        if (problem := source.problems[index]).path:
            continue
        start = source.lines.start(problem.line)
        indent = _INDENT.match(source.text, start).end() - start  # type: ignore[union-attr]
        above = starts[: bisect_left(starts, (start + problem.column - 1, ()))]
        inside = next((path for start, path in reversed(above) if at(start)[1] <= indent), ())
        source.problems[index] = problem._replace(path=inside)


def _allowed(source: _Source, start: int, text: str) -> str:
    """A text without the characters that YAML forbids."""
    for count, found in enumerate(_FORBIDDEN.finditer(text)):
        if count < MOST_PROBLEMS:
            code = ord(found[0])
            # Whoever decodes bytes may leave those that are no UTF-8 as halves of surrogates.
            what = f"byte {code - 0xDC00:02X}" if 0xDC80 <= code <= 0xDCFF else f"character U+{code:04X}"
            source.wrong(start + found.start(), f"the {what} is not allowed: use an escape")
    return _FORBIDDEN.sub(" ", text)


def _mend(source: _Source, start: int, text: str) -> str | None:
    """A text that can be parsed, for which the lines that cannot be are emptied one after the other, and told.

    Returns:
        None when that leads nowhere.
    """
    for _ in range(MOST_PROBLEMS):
        try:
            _parse(text)
            return text
        except yaml.MarkedYAMLError as error:
            complaint = understood(error, text)
        except yaml.reader.ReaderError as error:
            source.wrong(start, f"this is no text: {error.reason}")
            return None
        source.wrong(start + complaint.offset, complaint.message)
        emptied = _without(text, complaint.culprit)
        if emptied == text:
            return None
        text = emptied
    return None


def _without(text: str, offset: int) -> str:
    """A text whose line at an offset is empty, and those indented deeper that follow; the offsets stay."""
    start = text.rfind("\n", 0, offset) + 1
    first = _LINE.match(text, start)
    assert first
    end = first.end()
    while (line := _LINE.match(text, end)) and line[0] and (not line[2] or len(line[1]) > len(first[1])):
        end = line.end()
    return text[:start] + re.sub("[^\n]", " ", text[start:end]) + text[end:]


def _twice(path: Path) -> str:
    return f"`{path[-1]}` stands twice in one object"


# -- values ----------------------------------------------------------------------------------------


_SCALAR, _MAPPING, _SEQUENCE, _ALIAS = range(4)


class _Node:
    """A value as it is written.

    Attributes:
        kind: one of the four above.
        start: where it begins.
        end: where it ends.
        text: of a scalar; of an alias, its name.
        tag: as it was given, in full.
        plain: whether a scalar has neither quotes nor a tag that says what it is.
        items: the keys and values of a mapping in turn, those of a sequence, or what an alias stands for.
    """

    __slots__ = ("end", "items", "kind", "plain", "start", "tag", "text")

    def __init__(self, kind: int, start: int, end: int, text: str, tag: str | None, plain: bool) -> None:
        self.kind = kind
        self.start = start
        self.end = end
        self.text = text
        self.tag = tag
        self.plain = plain
        self.items: list[_Node] = []


class _Found(NamedTuple):
    value: Any


class _NotThere(Exception):  # noqa: N818 - what it stands for
    """A value that cannot be told; why is among the problems."""


# How many of the values may come out of aliases. Source: allowedAliasRatio of go-yaml.
_FEW, _MANY, _SHARE_OF_FEW, _SHARE_OF_MANY = 400_000, 4_000_000, 0.99, 0.10


class _Builder:
    """Makes the value of one document from its events.

    Attributes:
        spans: where each value stands.
        sound: whether Kubernetes would read the document, too.
    """

    def __init__(self, source: _Source, start: int, *, sound: bool) -> None:
        self.spans: dict[Path, Span] = {}
        self.sound = True
        self._source, self._start, self._syntax = source, start, sound
        self._anchors: dict[str, _Node] = {}
        self._within: set[int] = set()
        self._aliased = False
        self._values = self._from_aliases = 0
        self._twice = False

    def read(self, text: str) -> _Found | None:
        """The first document of a text that can be parsed; None when there is none."""
        parser: Any = CParser(text)
        self._next: Callable[[], Any] = parser.get_event
        self._text, self._slashes = text, "\\/" in text
        while (event := self._next()) is not None and event.__class__ is not DocumentStartEvent:
            pass
        if event is None:
            return None
        root = self._compose(self._next(), 0)
        value = self._root(root)
        self._next()
        more = self._next()
        kind = more.__class__
        if kind is DocumentStartEvent:
            content = self._next()
            place = (content if more.start_mark.index == more.end_mark.index else more).start_mark.index
            message = "Kubernetes does not read on here: a new document needs a line of --- before it"
            self._source.wrong(self._start + place, message, severity="warning")
        return _Found(value)

    def _root(self, root: _Node) -> Any:
        self._stand((), -1, -1, root)
        try:
            value = self._value(root, ())
        except _NotThere:
            return None
        if self._twice:
            self.spans = {path: span for path, span in self.spans.items() if _exists(value, path)}
        return value

    def _wrong(self, node: _Node, message: str, path: Path, severity: Severity = "error") -> None:
        self._source.wrong(self._start + node.start, message, path, severity)
        if severity == "error":
            self.sound = False

    # What is written.

    def _compose(self, event: Any, depth: int) -> _Node:
        kind = event.__class__
        start = event.start_mark.index
        if kind is ScalarEvent:
            end = event.end_mark.index
            node = _Node(_SCALAR, start, end, event.value, event.tag, event.implicit[0])
            if self._slashes and event.style == '"':
                self._refuse_slashes(node)
            if event.anchor:
                self._anchors[event.anchor] = node
            return node
        if kind is AliasEvent:
            return self._compose_alias(event.anchor, start, event.end_mark.index)
        node = _Node(_MAPPING if kind is MappingStartEvent else _SEQUENCE, start, 0, "", None, False)
        if event.anchor:
            self._anchors[event.anchor] = node
        flow, following, compose, last, items = event.flow_style, self._next, self._compose, _END_OF[kind], node.items
        if depth == DEEPEST:
            self._wrong(node, f"nested deeper than {DEEPEST} levels", ())
            self._skip()
            return node
        while (event := following()).__class__ is not last:
            items.append(compose(event, depth + 1))
        # A block ends with its last value; libyaml ends it where the next text begins.
        node.end = event.end_mark.index if flow or not items else items[-1].end
        return node

    def _compose_alias(self, name: str, start: int, end: int) -> _Node:
        self._aliased = True
        node = _Node(_ALIAS, start, end, name, None, False)
        if (target := self._anchors.get(name)) is not None:
            node.items.append(target)
        return node

    def _skip(self) -> None:
        open_ones = 1
        while open_ones:
            kind = self._next().__class__
            open_ones += (kind in _END_OF) - (kind in _END_OF.values())

    def _refuse_slashes(self, node: _Node) -> None:
        """The one escape that libyaml reads and go-yaml does not."""
        if found := _ESCAPED_SLASH.match(self._text, node.start, node.end):
            self._source.wrong(self._start + found.end() - 2, "unknown escape \\/: a slash needs none")
            self.sound = False

    # What it means.

    def _value(self, node: _Node, path: Path) -> Any:
        kind = node.kind
        if self._aliased:
            self._count(node)
        if kind == _SCALAR:
            return self._scalar(node, path)
        if kind == _MAPPING:
            found: dict[str, Any] = {}
            self._fill(found, node, path)
            return found
        if kind == _SEQUENCE:
            return self._sequence(node, path)
        return self._alias(node, path)

    def _scalar(self, node: _Node, path: Path) -> Any:
        if node.tag is None and not node.plain:
            return node.text
        try:
            value = plain(node.text) if node.tag is None else as_json(tagged(node.tag, node.text))
        except NotReadable as error:
            self._wrong(node, str(error), path)
            return None
        if value.__class__ is float and not isfinite(value):
            self._wrong(node, f"`{node.text}` is a number that JSON has no word for: use quotes", path)
            return None
        return value

    def _sequence(self, node: _Node, path: Path) -> list[Any]:
        found: list[Any] = []
        for item in node.items:
            inner = (*path, len(found))
            self._stand(inner, -1, -1, item)
            found.append(self._value(item, inner))
        return found

    def _stand(self, path: Path, key: int, key_end: int, value: _Node) -> None:
        start = self._start
        if key >= 0:
            key, key_end = key + start, key_end + start
        self.spans[path] = (key, key_end, value.start + start, value.end + start)

    def _fill(self, found: dict[str, Any], node: _Node, path: Path) -> None:
        """Put the fields of a mapping into an object."""
        pairs = iter(node.items)
        own: dict[str, int] = {}
        for name, value in zip(pairs, pairs, strict=True):
            if name.text == "<<" and name.kind == _SCALAR and (name.plain or name.tag == _MERGE):
                self._merge(found, value, path, own)
                continue
            if (field_name := self._key(name, path)) is None:
                continue
            inner = (*path, field_name)
            if field_name in own:
                self._repeated(name, inner, own[field_name])
            own[field_name] = name.start
            self._stand(inner, name.start, name.end, value)
            found[field_name] = self._value(value, inner)

    def _repeated(self, name: _Node, path: Path, first: int) -> None:
        self._twice = True
        line = self._source.lines.at(first + self._start)[0]
        # Kubernetes takes the last one without a word: kubectl's reader does, so that the server never sees the other.
        self._source.wrong(self._start + name.start, f"{_twice(path)}, first in line {line}", path)

    def _key(self, node: _Node, path: Path) -> str | None:
        """A key as text; None when it cannot be one, which is told."""
        name = node.items[0] if node.kind == _ALIAS and node.items else node
        if self._aliased:
            self._count(node)
        if name.kind == _ALIAS:
            self._unknown(node, path)
            return None
        if name.kind != _SCALAR:
            template = self._text.startswith("{{", max(node.start - 1, 0))
            self._wrong(node, _TEMPLATE if template else "a key must be a text, no list and no object", path)
            return None
        if name.tag is None and not name.plain:
            return name.text
        try:
            found = as_key(resolve(name.text) if name.tag is None else tagged(name.tag, name.text))
        except NotReadable as error:
            self._wrong(name, str(error), path)
            return None
        if found is None:
            self._wrong(node, f"{name.text or 'nothing'} can be no key: use quotes", path)
        return found

    # Aliases and merges.

    def _alias(self, node: _Node, path: Path) -> Any:
        if not node.items:
            self._unknown(node, path)
            return None
        target = node.items[0]
        if id(target) in self._within:
            self._wrong(node, f"what *{node.text} stands for contains itself", path)
            return None
        self._within.add(id(target))
        try:
            return self._value(target, path)
        finally:
            self._within.discard(id(target))

    def _unknown(self, node: _Node, path: Path) -> None:
        self.sound = False
        # In a line that was emptied there may have been the anchor.
        if self._syntax:
            self._wrong(node, f"there is no &{node.text} above", path)

    def _merge(self, found: dict[str, Any], node: _Node, path: Path, own: dict[str, int]) -> None:
        """Put the fields that `<<` names into an object; they replace those above it, as they do in go-yaml."""
        # The first one of several counts most, so it comes last.
        for one in reversed(node.items) if node.kind == _SEQUENCE else (node,):
            target = one.items[0] if one.kind == _ALIAS and one.items else one
            if target.kind == _ALIAS:
                self._unknown(target, path)
            elif target.kind != _MAPPING:
                self._wrong(one, "<< needs an object, or a list of objects", path)
            elif id(target) in self._within:
                self._wrong(one, "what << names contains itself", path)
            else:
                self._merge_one(found, one, target, path, own)

    def _merge_one(self, found: dict[str, Any], one: _Node, target: _Node, path: Path, own: dict[str, int]) -> None:
        if self._aliased:
            self._count(one)
        fields: dict[str, Any] = {}
        self._within.add(id(target))
        self._fill(fields, target, path)
        self._within.discard(id(target))
        if replaced := [f"`{name}`" for name in fields if name in own]:
            self._wrong(one, f"<< replaces {', '.join(replaced)} above it: put it first", path, "warning")
        found.update(fields)

    def _count(self, node: _Node) -> None:
        """Refuse what aliases blow up, by go-yaml's measure."""
        self._values += 1
        if self._within:
            self._from_aliases += 1
        if self._from_aliases > 100 and self._values > 1000:
            over = (self._values - _FEW) / (_MANY - _FEW)
            share = _SHARE_OF_FEW - (_SHARE_OF_FEW - _SHARE_OF_MANY) * min(max(over, 0.0), 1.0)
            if self._from_aliases > share * self._values:
                self._wrong(node, "too many values, as aliases multiply them", ())
                raise _NotThere


_END_OF: dict[Any, Any] = {MappingStartEvent: yaml.MappingEndEvent, SequenceStartEvent: yaml.SequenceEndEvent}
_MERGE = f"{TAG}merge"
_TEMPLATE = "a text that begins with {{ needs quotes; a template is no YAML until it is filled in"


def _exists(value: Any, path: Path) -> bool:
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return False
    return True
