"""What API servers say when they say no: Status objects in the words of Kubernetes 1.36."""

from __future__ import annotations

from typing import Any


def status(code: int, reason: str, message: str, **more: Any) -> dict[str, Any]:
    """A Status object.

    Args:
        code: the HTTP status.
        reason: Kubernetes' word for it.
        message: its sentence.
        more: further fields, such as `details`.
    """
    failure = {"status": "Failure", "message": message, "reason": reason, "code": code}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}} | failure | more


GONE = status(410, "Expired", "too old resource version: 1 (995)")
EXPIRED_TOKEN = status(
    410,
    "Expired",
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results.",
    metadata={"continue": "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6LTEsInN0YXJ0IjoiYVx1MDAwMCJ9"},
)
TOO_LARGE = status(
    504,
    "Timeout",
    "Too large resource version: 99999999, current: 830",
    details={
        "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
        "retryAfterSeconds": 1,
    },
)
UNAUTHORIZED = status(401, "Unauthorized", "Unauthorized")
TOO_MANY = "Too many requests, please try again later.\n"
