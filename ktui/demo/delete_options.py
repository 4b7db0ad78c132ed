"""How something is to be deleted: DeleteOptions, from the body or the query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from ktui.demo.conform import conform_options
from ktui.demo.errors import Cause, bad_request, bad_value, invalid, shown, unsupported
from ktui.demo.request import PROTOBUF, Request, go_json_error

Object = dict[str, Any]

_POLICIES = ("Foreground", "Background", "Orphan", "nil")


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """Options of a deletion.

    Attributes:
        propagation: what happens to dependents, None for the default.
        grace_period: seconds, None for what the object asks for.
        preconditions: uid and resourceVersion the object must have.
        dry_run: whether nothing is to be changed.
    """

    propagation: str | None
    grace_period: int | None
    preconditions: Mapping[str, str]
    dry_run: bool


def read_delete_options(request: Request) -> DeleteOptions:
    """Reads a request's DeleteOptions.

    Raises:
        StatusError: 400 when they are unreadable, 422 when they make no sense.
    """
    body, query = conform_options("meta.DeleteOptions", _body(request)), request.query
    propagation = body.get("propagationPolicy") or query.get("propagationPolicy")
    orphan, dry_runs = body.get("orphanDependents"), body.get("dryRun") or []
    causes: list[Cause] = []
    if propagation and propagation not in _POLICIES:
        causes.append(unsupported("propagationPolicy", propagation, _POLICIES))
    elif propagation and orphan is not None:
        why = "orphanDependents and deletionPropagation cannot be both set"
        causes.append(bad_value("propagationPolicy", propagation, why))
    if dry_runs not in ([], ["All"]):
        causes.append(unsupported("dryRun", dry_runs, ["All"]))
    if causes:
        raise invalid("DeleteOptions", "", causes, group="meta.k8s.io")
    if orphan is not None:
        propagation = "Orphan" if orphan else "Background"
    grace = body.get("gracePeriodSeconds")
    if grace is None and query.get("gracePeriodSeconds"):
        text = query["gracePeriodSeconds"]
        if not text.lstrip("-").isdecimal():
            raise bad_request(f"strconv.ParseInt: parsing {shown(text)}: invalid syntax")
        grace = int(text)
    # Of a deletion with options in its body, the server ignores those of the query: a dry run that is asked for there
    # is none.
    dry_run = bool(dry_runs) if body else request.dry_run
    return DeleteOptions(propagation, grace, body.get("preconditions") or {}, dry_run)


def _body(request: Request) -> Object:
    if not request.body:
        return {}
    if request.content_type == PROTOBUF:
        return request.object("DeleteOptions")
    try:
        found = msgspec.json.decode(request.body)
    except msgspec.DecodeError:
        why = f"couldn't get version/kind; json parse error: {go_json_error(request.body)}"
        raise bad_request(why) from None
    return found if isinstance(found, dict) else {}
