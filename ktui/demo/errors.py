"""Answers that are not a success: `StatusError` and one constructor per case, with the API server's own wording.

Source of the wording: answers of a Kubernetes 1.36 API server, and k8s.io/apimachinery `api/errors` and
`util/validation/field`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


class StatusError(Exception):
    """A request's failure, as a Kubernetes Status.

    Attributes:
        code: HTTP status.
        reason: machine-readable word such as "NotFound"; "" when the server gives none.
        message: one sentence for people.
        details: the Status' details, or None to leave them out.
        metadata: the Status' metadata (a continue token, for 410).
        retry_after: seconds for the Retry-After header, or None.
    """

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        details: dict[str, Any] | None = None,
        *,
        metadata: dict[str, Any] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.metadata = metadata or {}
        self.retry_after = retry_after

    def body(self) -> dict[str, Any]:
        """The Status object to answer with."""
        status: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.metadata,
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            status["reason"] = self.reason
        if self.details is not None:
            status["details"] = self.details
        status["code"] = self.code
        return status


def success(resource: str, name: str, uid: str = "") -> dict[str, Any]:
    """The Status a finished deletion answers with.

    Args:
        resource: storage key such as "deployments.apps".
        name: the object's name.
        uid: the object's uid.
    """
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": object_details(resource, name) | ({"uid": uid} if uid else {}),
    }


def object_details(resource: str, name: str) -> dict[str, Any]:
    """Details naming an object: name, group and plural resource, each only when known."""
    plural, _, group = resource.partition(".")
    pairs = {"name": name, "group": group, "kind": plural}
    return {key: value for key, value in pairs.items() if value}


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing wrong with an object: which field, which sort of error, and what is wrong."""

    reason: str
    field: str
    message: str

    @property
    def detail(self) -> dict[str, str]:
        """As it stands in a Status' details."""
        return {"reason": self.reason, "message": self.message, "field": self.field}


def shown(value: object) -> str:
    """A value as validation errors of 1.34 and later print it: JSON, without blanks."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def required(field: str, detail: str = "") -> Cause:
    """The field is missing or empty."""
    return Cause("FieldValueRequired", field, f"Required value: {detail}" if detail else "Required value")


def bad_value(field: str, value: object, detail: str) -> Cause:
    """The field's value breaks a rule."""
    return Cause("FieldValueInvalid", field, f"Invalid value: {shown(value)}: {detail}")


def unsupported(field: str, value: object, supported: Sequence[str]) -> Cause:
    """The field's value is none of those allowed."""
    allowed = ", ".join(shown(choice) for choice in supported)
    return Cause("FieldValueNotSupported", field, f"Unsupported value: {shown(value)}: supported values: {allowed}")


def duplicate(field: str, value: object) -> Cause:
    """The field's value occurs twice where it may only once."""
    return Cause("FieldValueDuplicate", field, f"Duplicate value: {shown(value)}")


def forbidden_field(field: str, detail: str) -> Cause:
    """The field may not be set, or not be changed, here."""
    return Cause("FieldValueForbidden", field, f"Forbidden: {detail}")


def missing_reference(field: str, value: object) -> Cause:
    """The field names something that does not exist."""
    return Cause("FieldValueNotFound", field, f"Not found: {shown(value)}")


def invalid(kind: str, name: str, causes: Sequence[Cause], *, group: str = "") -> StatusError:
    """422: the object breaks rules.

    Args:
        kind: the kind such as "Deployment" (not the plural).
        name: the object's name, "" when it has none.
        causes: everything that is wrong, in field order.
        group: API group, "" for core.
    """
    # The same thing found twice is told once, but counted twice.
    told = list(dict.fromkeys(f"{cause.field}: {cause.message}" for cause in causes))
    text = told[0] if len(told) == 1 else f"[{', '.join(told)}]"
    qualified = f"{kind}.{group}" if group else kind
    pairs = {"name": name, "group": group, "kind": kind}
    details: dict[str, Any] = {key: value for key, value in pairs.items() if value}
    details["causes"] = [cause.detail for cause in causes]
    return StatusError(422, "Invalid", f'{qualified} "{name}" is invalid: {text}', details)


def not_found(resource: str, name: str) -> StatusError:
    """404: no such object."""
    return StatusError(404, "NotFound", f'{resource} "{name}" not found', object_details(resource, name))


def no_such_resource() -> StatusError:
    """404: the group exists, the resource or path does not."""
    return StatusError(404, "NotFound", "the server could not find the requested resource", {})


def already_exists(resource: str, name: str, *, leaving: bool = False) -> StatusError:
    """409: an object of that name is there, perhaps still there."""
    why = f'{"object is being deleted: " if leaving else ""}{resource} "{name}" already exists'
    return StatusError(409, "AlreadyExists", why, object_details(resource, name))


def conflict(resource: str, name: str, why: str = "") -> StatusError:
    """409: the object changed since it was read (or another precondition failed)."""
    why = why or "the object has been modified; please apply your changes to the latest version and try again"
    message = f'Operation cannot be fulfilled on {resource} "{name}": {why}'
    return StatusError(409, "Conflict", message, object_details(resource, name))


def bad_request(message: str) -> StatusError:
    """400: the request itself makes no sense."""
    return StatusError(400, "BadRequest", message)


def unauthorized() -> StatusError:
    """401: the credentials are unknown or no longer good."""
    return StatusError(401, "Unauthorized", "Unauthorized")


def forbidden(resource: str, name: str, why: str) -> StatusError:
    """403: refused by RBAC or admission.

    Args:
        resource: storage key such as "deployments.apps".
        name: the object's name, "" for a whole collection.
        why: the sentence after "is forbidden: ".
    """
    subject = f'{resource} "{name}"' if name else resource
    return StatusError(403, "Forbidden", f"{subject} is forbidden: {why}", object_details(resource, name))


def method_not_allowed() -> StatusError:
    """405: the resource has no such verb."""
    return StatusError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {})


def not_watchable(group: str, resource: str) -> StatusError:
    """405: the resource is made up for each answer, so there is nothing to watch."""
    kind = f"{resource}.{group}" if group else resource
    why = f'watch is not supported on resources of kind "{kind}"'
    return StatusError(405, "MethodNotAllowed", why, {"group": group, "kind": resource})


def too_large_version(asked: int, current: int) -> StatusError:
    """504: the asked resource version lies in the future."""
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    return StatusError(
        504,
        "Timeout",
        f"Timeout: Too large resource version: {asked}, current: {current}",
        {"causes": [cause], "retryAfterSeconds": 1},
        retry_after=1,
    )


def expired(message: str) -> StatusError:
    """410: what was asked for is no longer kept (of a watch: sent as an ERROR event)."""
    return StatusError(410, "Expired", message)


def too_old_list() -> StatusError:
    """410 of a list at an exact version."""
    return expired("The resourceVersion for the provided list is too old.")


def too_old_continue(fresh_token: str) -> StatusError:
    """410 of a continue token; `fresh_token` may be used to go on, inconsistently."""
    message = (
        "The provided continue parameter is too old to display a consistent list result. You can start a new list "
        "without the continue parameter, or use the continue token in this response to retrieve the remainder of the "
        "results. Continuing with the provided token results in an inconsistent list - objects that were created, "
        "modified, or deleted between the time the first chunk was returned and now may show up in the list."
    )
    return StatusError(410, "Expired", message, metadata={"continue": fresh_token})
