"""What a write's body makes of an object: patches applied, and the result held against its types."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from ktui.demo import errors
from ktui.demo.conform import TypeMismatchError, conform, unreadable
from ktui.demo.custom_schema import schema_of
from ktui.demo.incoming import check_kind
from ktui.demo.merge_rules import rules_of
from ktui.demo.patch import json_patch, merge_patch
from ktui.demo.request import Request, duplicate_fields, go_json_error, go_value
from ktui.demo.resources import Resource
from ktui.demo.strategic import strategic_merge
from ktui.demo.typed import typed_problems

Object = dict[str, Any]

_STRUCT_FIELD = re.compile(r"Go struct field \S+")
_JSON_PATCH = "application/json-patch+json"
_MERGE_PATCH = "application/merge-patch+json"
_STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCHES = ("application/apply-patch+yaml", "application/apply-patch")


def patched(request: Request, current: Object, resource: Resource) -> Object:
    """An object after the patch in a request's body.

    Args:
        request: the request.
        current: the object, as stored or as a subresource shows it.
        resource: says whether strategic patches are known.

    Raises:
        StatusError: 415 for unknown patch types, 400 and 422 for patches that do not fit.
    """
    kind = request.content_type
    if kind == _JSON_PATCH:
        return json_patch(current, _read_patch(request.body))
    if kind == _STRATEGIC_PATCH and resource.custom is not None:
        accepted = f"{_JSON_PATCH}, {_MERGE_PATCH}, {APPLY_PATCHES[0]}"
        why = f"the body of the request was in an unknown format - accepted media types include: {accepted}"
        raise errors.StatusError(415, "UnsupportedMediaType", why)
    if kind not in (_MERGE_PATCH, _STRATEGIC_PATCH):
        raise errors.StatusError(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})
    patch = _read_patch(request.body)
    if not isinstance(patch, dict):
        raise errors.bad_request(
            "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}"
        )
    if kind == _MERGE_PATCH:
        return dict(merge_patch(current, patch))
    return strategic_merge(current, patch)


def check_patched_identity(wanted: Object, current: Object, resource: Resource) -> None:
    """Refuses a patch that made another object of an object.

    Raises:
        StatusError: 422.
    """
    for field in ("kind", "apiVersion"):
        if wanted.get(field) != current[field]:
            why = f'no kind "{wanted.get("kind")}" is registered for version "{wanted.get("apiVersion")}"'
            raise errors.invalid("", "", [errors.bad_value("patch", errors.shown(wanted), why)])
    uid = wanted["metadata"].get("uid")
    if uid != current["metadata"]["uid"]:
        cause = errors.bad_value("metadata.uid", uid, "field is immutable")
        raise errors.invalid(resource.kind, current["metadata"]["name"], [cause, cause], group=resource.group)


def check_declaration(declared: Object, resource: Resource) -> None:
    """Refuses a declaration for apply that does not say what it is, or names an unknown field.

    Raises:
        StatusError: 400 or 500.
    """
    group, _, version = (declared.get("apiVersion") or "").rpartition("/")
    if not version or not declared.get("kind"):
        raise errors.bad_request(f"invalid object type: {group}/{version}, Kind={declared.get('kind') or ''}")
    check_kind(declared, resource)
    metadata = declared["metadata"] = declared.get("metadata") or {}
    # For the core group that begins with the slash.
    kind = f"{resource.group}/{resource.version}, Kind={resource.kind}"
    where = f"({metadata.get('namespace', '')}/{metadata.get('name', '')}; {kind})"
    problems = [*typed_problems(declared, rules_of(declared, schema_of(resource.custom)))]
    if problems:
        told = problems[0] if len(problems) == 1 else "\n  ".join(("errors:", *problems))
        raise errors.StatusError(500, "", f"failed to create typed patch object {where}: {told}")
    try:
        conform(resource, declared)
    except TypeMismatchError as problem:
        why = f"failed to convert new object {where} to proper version: unable to convert unstructured object to {kind}"
        raise errors.StatusError(500, "", f"{why}: {_STRUCT_FIELD.sub('Go value', str(problem))}") from None


def conformed(request: Request, resource: Resource, sent: Object) -> Object:
    """What was sent, as its types allow it; unknown fields are refused, told of, or passed over, as asked.

    Raises:
        StatusError: 400, or 422 when a patch is to blame.
    """
    try:
        obj, unknown = conform(resource, sent)
    except TypeMismatchError as problem:
        raise _undecodable(request, resource, sent, str(problem)) from None
    validation = request.query.get("fieldValidation") or "Warn"
    if validation == "Ignore":
        return obj
    told = [f'duplicate field "{path}"' for path in duplicate_fields(request)]
    told += [f'unknown field "{path}"' for path in unknown]
    if told and validation == "Strict":
        raise _undecodable(request, resource, sent, f"strict decoding error: {', '.join(told)}")
    request.warnings.extend(told)
    return obj


def _undecodable(request: Request, resource: Resource, sent: Object, why: str) -> errors.StatusError:
    """A patch that makes an object unreadable is the patch's fault: 422; else the object's: 400."""
    if request.call.verb != "patch" or request.content_type in APPLY_PATCHES:
        return unreadable(resource, why)
    shown = errors.shown(sent)
    if request.content_type == _STRATEGIC_PATCH and why.startswith("strict"):
        shown = go_value(_read_patch(request.body))  # there the patch is decoded, not its result
    return errors.invalid("", "", [errors.bad_value("patch", shown, why)])


def _read_patch(body: bytes) -> Any:
    """Reads a patch's JSON.

    Raises:
        StatusError: 400 when it is none.
    """
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        raise errors.bad_request(f"error decoding patch: {go_json_error(body)}") from None
