"""A request on its way through the server, and the two sorts of answers."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ktui.demo.errors import Cause, StatusError, bad_request, forbidden_field, invalid, unsupported
from ktui.demo.router import Call
from ktui.demo.users import User

Object = dict[str, Any]

JSON = "application/json"
_YAML = "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
_OPTIONS_KIND = {"create": "CreateOptions", "update": "UpdateOptions", "patch": "PatchOptions"}
_FIELD_VALIDATION = ("", "Ignore", "Strict", "Warn")
_GO_HEAD = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
_GO_EXPECTATIONS = {
    "Expecting property name enclosed in double quotes": "looking for beginning of object key string",
    "Expecting ',' delimiter": "after object key:value pair",
    "Expecting ':' delimiter": "after object key",
    "Extra data": "after top-level value",
}
_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Request:
    """A request whose caller is known and may make it.

    Attributes:
        call: what it means.
        user: the caller.
        method: the HTTP method.
        query: the URL's query.
        headers: the HTTP headers.
        body: what was sent.
        warnings: what the client should hear beside the answer, each in a Warning header; filled on the way.
    """

    call: Call
    user: User
    method: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    warnings: list[str] = field(default_factory=list)

    @property
    def accept(self) -> str:
        """The Accept header."""
        return self.headers.get("Accept", "")

    @property
    def content_type(self) -> str:
        """The media type of the body."""
        return self.headers.get("Content-Type", JSON).partition(";")[0].strip()

    @property
    def dry_run(self) -> bool:
        """Whether nothing is to be stored."""
        return self.query.get("dryRun") == "All"

    @property
    def manager(self) -> str:
        """The field manager: as named, else the client's program name."""
        agent = self.headers.get("User-Agent", "").partition("/")[0]
        return self.query.get("fieldManager") or agent[:128] or "unknown"

    def check_write_options(self) -> None:
        """Checks dryRun and fieldValidation.

        Raises:
            StatusError: 422 for unknown values.
        """
        causes: list[Cause] = []
        dry_run, validation = self.query.get("dryRun", ""), self.query.get("fieldValidation", "")
        if dry_run not in ("", "All"):
            causes.append(unsupported("dryRun", [dry_run], ["All"]))
        if validation not in _FIELD_VALIDATION:
            causes.append(unsupported("fieldValidation", validation, _FIELD_VALIDATION))
        if self.call.verb == "patch" and "force" in self.query and "apply-patch" not in self.content_type:
            causes.append(forbidden_field("force", "may not be specified for non-apply patch"))
        if causes:
            kind = _OPTIONS_KIND.get(self.call.verb, "DeleteOptions")
            raise invalid(kind, "", causes, group="meta.k8s.io")

    def object(self, kind: str) -> Object:
        """The body as an object.

        Args:
            kind: what it must be, for error messages.

        Raises:
            StatusError: 400 when it is no object, 415 when its format is unknown.
        """
        if self.content_type == PROTOBUF:
            from ktui.demo.protobuf import decode_object

            return decode_object(self.body)
        if self.content_type not in (JSON, _YAML):
            raise unknown_format()
        return read_object(self.body, kind, yaml=self.content_type == _YAML)


def unknown_format() -> StatusError:
    """415: the body's format is unknown."""
    accepted = f"{JSON}, {_YAML}, {PROTOBUF}"
    message = f"the body of the request was in an unknown format - accepted media types include: {accepted}"
    return StatusError(415, "UnsupportedMediaType", message)


def read_object(body: bytes, kind: str, *, yaml: bool = False) -> Object:
    """Reads an object.

    Args:
        body: the bytes.
        kind: what it must be, for error messages.
        yaml: whether it may be YAML, not only JSON.

    Raises:
        StatusError: 400 when it is neither or no object.
    """
    try:
        found = _decode(body)
    except msgspec.DecodeError:
        if not yaml:
            raise _unreadable(kind, go_json_error(body), body.decode(errors="replace")) from None
        found = _read_yaml(body, kind)
    if not isinstance(found, dict):
        sort = "array" if isinstance(found, list) else "string" if isinstance(found, str) else "number"
        raise _unreadable(kind, f"json: cannot unmarshal {sort} into Go value of type {_GO_HEAD}", body.hex())
    return found


def _read_yaml(body: bytes, kind: str) -> Any:
    # PyYAML is slow to import and hardly ever needed: most clients send JSON.
    from ktui.demo.yaml_body import read_yaml

    try:
        return read_yaml(body)
    except ValueError as problem:
        raise _unreadable(kind, str(problem), body.decode(errors="replace")) from None


def _unreadable(kind: str, why: str, shown: str) -> StatusError:
    start = f"the object provided is unrecognized (must be of type {kind}): couldn't get version/kind"
    return bad_request(f"{start}; json parse error: {why} ({shown[:256] or '<empty>'})")


def go_json_error(body: bytes) -> str:
    """What Go's encoding/json says about a text that is no JSON."""
    text = body.decode("latin-1")
    try:
        json.loads(text)
    except json.JSONDecodeError as problem:
        at = problem.pos
        while at < len(text) and text[at].isspace():
            at += 1
        if at >= len(text):
            return "unexpected end of JSON input"
        return f"invalid character '{text[at]}' {_GO_EXPECTATIONS.get(problem.msg, 'looking for beginning of value')}"
    return "unexpected end of JSON input"


def duplicate_fields(request: Request) -> list[str]:
    """The paths of fields that a JSON body names more than once; for other bodies none."""
    if request.content_type != JSON and not request.content_type.endswith("merge-patch+json"):
        return []
    return _duplicates(json.loads(request.body, object_pairs_hook=_Pairs), "") if request.body else []


class _Pairs(list[Any]):
    """A JSON object as its pairs, so that none is lost."""


def _duplicates(value: Any, path: str) -> list[str]:
    if not isinstance(value, _Pairs):
        entries = enumerate(value) if isinstance(value, list) else ()
        return [found for index, entry in entries for found in _duplicates(entry, f"{path}[{index}]")]
    seen: set[str] = set()
    found: list[str] = []
    for key, part in value:
        here = f"{path}.{key}" if path else key
        if key in seen:
            found.append(here)
        seen.add(key)
        found += _duplicates(part, here)
    return found


def go_value(value: Any) -> str:
    """A value as Go's %v prints it."""
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{go_value(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(go_value, value))}]"
    if value is None:
        return "<nil>"
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(slots=True)
class Reply:
    """An answer that is known as a whole.

    Attributes:
        body: the bytes.
        status: HTTP status.
        content_type: the media type.
        headers: further headers.
    """

    body: bytes
    status: int = 200
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Stream:
    """An answer that comes piece by piece."""

    chunks: AsyncGenerator[bytes, None]
    content_type: str = JSON
