"""Formats: what texts and numbers of a schema must look like."""

from __future__ import annotations

import binascii
import re
from typing import Any

from ktui.kinds.quantity import quantity

_GO_DURATION = re.compile(r"[+-]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)", re.ASCII)
# Of custom resources, whose schemas know days and weeks as well.
_LONG_DURATION = re.compile(
    r"(?:(?:\d+\.?\d*|\.\d+)\s*(?:ns|nano|nanos|us|µs|μs|micros?|ms|millis?|s|secs?|seconds?|m|mins?|minutes?"
    r"|h|hrs?|hours?|d|days?|w|wks?|weeks?)\s*)+|0",
    re.ASCII,
)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_LIMITS = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}


def wrong(value: str | float, form: str) -> str:
    """Why a text or a number does not have its format; empty when it does, or when nobody knows the format.

    Args:
        value: a text or a number.
        form: `ktui.manifests.schema.Field.format`.
    """
    if isinstance(value, str):
        return _wrong_text(value, form)
    low, high = _LIMITS.get(form, (value, value))
    return "" if low <= value <= high else f"must be a number from {low} to {high}"


def _wrong_text(text: str, form: str) -> str:
    if form == "quantity":
        return "" if quantity(text) is not None else "must be a quantity, such as 500m, 1.5 or 64Mi"
    if form in ("go-duration", "duration"):
        pattern = _GO_DURATION if form == "go-duration" else _LONG_DURATION
        return "" if pattern.fullmatch(text) else "must be a duration, such as 30s, 5m or 1h30m"
    if form == "date-time":
        return "" if _MOMENT.fullmatch(text) else "must be a moment, such as 2030-01-31T12:00:00Z"
    if form == "byte":
        return "" if _is_base64(text) else "must be in base64"
    return ""


def _is_base64(text: str) -> bool:
    try:
        binascii.a2b_base64(text.replace("\r", "").replace("\n", ""), strict_mode=True)
    except ValueError:
        return False
    return True


def type_of(value: Any) -> str:
    """The JSON type of a value, with its article: `a string`, `an object`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, str):
        return "a string"
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list) else "a number"
