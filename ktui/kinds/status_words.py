"""What words such as Bound, Ready and ImagePullBackOff tell about any object's health."""

from __future__ import annotations

import re

from ktui.kinds.tone import Tone

# Columns whose cells say how an object is, by convention of built-in kinds and of custom resources.
_STATUS_COLUMNS = {"STATUS", "STATE", "PHASE", "HEALTH", "HEALTH STATUS", "CONDITION"}
# Columns that say True when all is well.
_TRUE_COLUMNS = {"READY", "AVAILABLE", "SYNCED", "HEALTHY", "ESTABLISHED", "ACCEPTED", "PROGRAMMED", "INSTALLED"}

_WORDS = {
    Tone.GOOD: (
        "active approved available bound deployed established healthy installed issued ok online programmed "
        "provisioned ready reconciled running synced true up valid"
    ),
    Tone.WORKING: (
        "bootstrapping configuring creating deleting deploying initializing installing pending progressing "
        "provisioning reconciling releasing restoring scaling starting stopping terminating updating upgrading waiting"
    ),
    Tone.WARNING: "degraded notready outofsync paused suspended unavailable unhealthy unready warning",
    Tone.FAILED: "denied errored error expired failed failure invalid lost rejected unreachable",
    Tone.FINISHED: "complete completed disabled done finished inactive idle released succeeded success terminated",
    Tone.UNKNOWN: "unknown",
}
_TONES = {word: tone for tone, words in _WORDS.items() for word in words.split()}
_SHARE = re.compile(r"(\d+)/(\d+)", re.ASCII)


def tone_of_word(text: str) -> Tone:
    """The tone of a status word, `Bound`, or PLAIN when it says nothing known.

    Args:
        text: a cell of a STATUS, PHASE ... column.
    """
    # `Ready,SchedulingDisabled`, `Failed: image not found`: the first word tells.
    word = re.split(r"[,:;(]", text, maxsplit=1)[0].strip().replace(" ", "").lower()
    if (tone := _TONES.get(word)) is not None:
        return tone
    return Tone.FAILED if word.endswith(("backoff", "error", "failed")) or word.startswith("err") else Tone.PLAIN


def tone_of_truth(text: str) -> Tone:
    """The tone of a cell that says True when all is well, or how many of how many are: `True`, `False`, `2/3`.

    Args:
        text: a cell of a READY, AVAILABLE ... column.
    """
    match text.lower():
        case "true":
            return Tone.GOOD
        case "false":
            return Tone.WARNING
        case "unknown":
            return Tone.UNKNOWN
    if (share := _SHARE.fullmatch(text)) is None:
        return tone_of_word(text)
    ready, total = map(int, share.groups())
    if total == 0:
        return Tone.FINISHED
    return Tone.GOOD if ready >= total else Tone.WARNING if ready else Tone.FAILED


def tone_of_condition(kind: str, status: str) -> Tone:
    """The tone of a status condition.

    By convention a condition is good when True (Ready), except those whose names say that something is wrong.
    Source: https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md

    Args:
        kind: the condition's type.
        status: True, False or Unknown.
    """
    if status == "Unknown":
        return Tone.UNKNOWN
    if kind in _NEUTRAL:
        return Tone.PLAIN
    bad = kind.endswith(_BAD) or kind.startswith(("No", "Failed"))
    if status not in ("True", "False"):
        return Tone.PLAIN
    if (status == "True") is bad:
        return Tone.WARNING
    return Tone.GOOD


_BAD = (
    "Pressure", "Unavailable", "Failure", "Failed", "Failing", "Degraded", "Stalled", "Error", "Problem", "Deadlock",
    "ContentRemaining", "FinalizersRemaining", "Exceeded", "Conflict", "Invalid", "DisruptionTarget", "FailureTarget",
    "Dangling", "Terminating", "NonStructuralSchema",
)  # fmt: skip
_NEUTRAL = ("Suspended", "ScalingLimited", "SchedulingDisabled", "Reconciling")


def tells_status(column: str) -> bool:
    """Whether cells under this header are status words."""
    return column in _STATUS_COLUMNS


def tells_truth(column: str) -> bool:
    """Whether cells under this header say True, or `2/3`, when all is well."""
    return column in _TRUE_COLUMNS
