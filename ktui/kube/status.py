"""What a server says when it says no: Status objects, Retry-After and Warning headers, and pages of proxies.

Sources: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/ and
k8s.io/apimachinery/pkg/apis/meta/v1/types.go. A body need not be a Status: busy servers answer 429 in plain text,
unknown API groups 404 in plain text, and proxies in HTML.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html import unescape
from http import HTTPStatus

import msgspec

from ktui.kinds.text import clean

LARGEST_ERROR_BODY = 64 * 1024
"""Bytes read of an error's body; more is cut off with its connection."""

LONGEST_MESSAGE = 2000
"""Characters kept of a server's message; admission webhooks have been seen to send whole manifests back."""

MOST_WARNINGS = 50

_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
# Code, agent, quoted text; a date may follow (RFC 7234, section 5.5). Several warnings may share a header.
_WARNING = re.compile(r'299 \S+ "((?:[^"\\]|\\.)*)"(?: "[^"]*")?')


class StatusCause(msgspec.Struct):
    """One of the reasons of a Status."""

    reason: str | None = None
    message: str | None = None
    field: str | None = None


class StatusDetails(msgspec.Struct, rename="camel"):
    """What a Status says about the object it concerns."""

    name: str | None = None
    group: str | None = None
    kind: str | None = None
    uid: str | None = None
    causes: list[StatusCause] | None = None
    retry_after_seconds: float | None = None


class StatusMeta(msgspec.Struct):
    """The metadata of a Status: of an expired paged list it has a token to go on with."""

    continue_: str | None = msgspec.field(default=None, name="continue")


class Status(msgspec.Struct):
    """A `kind: Status` object, as far as errors need it."""

    kind: str | None = None
    message: str | None = None
    reason: str | None = None
    code: int | None = None
    details: StatusDetails | None = None
    metadata: StatusMeta | None = None


_decode_status = msgspec.json.Decoder(Status).decode


def read_status(body: bytes) -> Status | None:
    """The Status object in `body`, or None when it is something else."""
    if not body.startswith(b"{"):
        return None
    try:
        told = _decode_status(body)
    except msgspec.MsgspecError:
        return None
    return told if told.kind == "Status" else None


def plain_message(status: int, content_type: str, body: bytes) -> str:
    """The one thing worth telling of a body that is no Status: its text, or a page's title.

    Args:
        status: the HTTP status.
        content_type: of the answer.
        body: at most `LARGEST_ERROR_BODY` bytes of it.
    """
    text = body.decode("utf-8", "replace").strip()
    if "html" in content_type or text[:1] == "<":
        title = _TITLE.search(text[:4096])
        return f"{phrase(status)}: {unescape(title[1])}" if title and title[1].strip() else phrase(status)
    return text if text and not text.startswith("{") else phrase(status)


def phrase(status: int) -> str:
    """An HTTP status in words."""
    try:
        return f"The server answered {status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"The server answered {status}"


def warnings_of(values: list[str]) -> tuple[str, ...]:
    """The texts of an answer's Warning headers with code 299, cleaned.

    Source: https://kubernetes.io/blog/2020/09/03/warnings/

    Args:
        values: each `Warning` header, such as `299 - "unknown field \\"spec.foo\\""`, several warnings in one or not.
    """
    found = (text for value in values for text in _WARNING.findall(value))
    return tuple(shown(re.sub(r"\\(.)", r"\1", text)) for text, _ in zip(found, range(MOST_WARNINGS), strict=False))


def retry_after(value: str) -> float | None:
    """Seconds to wait as a Retry-After header says, in seconds or as a date; None when it says nothing usable."""
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def shown(text: str) -> str:
    """`text` cleaned for the terminal and cut to `LONGEST_MESSAGE` characters."""
    text = clean(text[: LONGEST_MESSAGE + 1]).strip()
    return text if len(text) <= LONGEST_MESSAGE else text[:LONGEST_MESSAGE] + "…"


def as_sentence(text: str) -> str:
    """`text` with a full stop, as server messages have none."""
    text = shown(text)
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."
