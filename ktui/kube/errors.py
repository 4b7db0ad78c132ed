"""What can go wrong between ktui and a cluster, each with one clear sentence and a next step.

    KtuiError
    ├── ConfigError                 the kubeconfig cannot be used as it is
    │   └── CredentialsFailed       a plugin, a token file or an old sign-in gives no valid credentials
    ├── ConnectionFailed            no answer: refused, name not found, timed out, not trusted, cut off
    ├── UnexpectedAnswer            an answer that is not Kubernetes': a login page, broken JSON
    └── ApiError                    the API server (or what stands before it) said no
        ├── BadRequest              400
        ├── Unauthorized            401
        ├── Forbidden               403
        ├── NotFound                404
        ├── Conflict                409
        │   └── AlreadyExists       409, reason AlreadyExists
        ├── Expired                 410, reasons Expired and Gone: list again
        ├── Invalid                 422
        ├── TooManyRequests         429
        └── ServerError             5xx
            ├── Unavailable         502, 503
            └── ServerTimeout       504, reasons Timeout and ServerTimeout
                └── ResourceVersionTooLarge    the server has not caught up with this version yet

Nothing here holds a credential, and every text that strangers wrote is cleaned for the terminal before it is kept.
"""

# ruff: noqa: N818 - the names are the reasons that Kubernetes gives

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ktui.kube.status import (
    LONGEST_MESSAGE,
    Status,
    StatusDetails,
    as_sentence,
    phrase,
    plain_message,
    read_status,
    retry_after,
    shown,
)

MOST_CAUSES = 100

_LONG_VALUE = re.compile(r'Invalid value: "(?:[^"\\]|\\.){200,}"')

_RBAC = re.compile(
    r'User "(?P<user>[^"]*)" cannot (?P<verb>\S+) (?:resource|path) "(?P<what>[^"]*)"'
    r'(?: in API group "(?P<group>[^"]*)")?(?P<scope> at the cluster scope| in the namespace "(?P<namespace>[^"]*)")?'
)


class KtuiError(Exception):
    """Something a person can be told in one sentence.

    Attributes:
        sentence: what is wrong, one sentence, safe to show.
        next_step: what to do about it, one sentence; empty when there is nothing to advise.
    """

    def __init__(self, sentence: str, next_step: str = "") -> None:
        self.sentence = shown(sentence)
        self.next_step = shown(next_step)
        super().__init__(self.sentence)

    def __str__(self) -> str:
        return self.sentence


class ConfigError(KtuiError):
    """The kubeconfig, or what it names, cannot be used as it is; asking again will not help."""


class CredentialsFailed(ConfigError):
    """No valid credentials could be had: an exec plugin failed, a token file is unreadable, an old sign-in expired."""


class ConnectionFailed(KtuiError):
    """The server did not answer, or the answer broke off.

    Attributes:
        reason: a few words for a status line: `connection refused`, `name not found`, `timed out` ...
    """

    def __init__(self, server: str, reason: str, next_step: str = "") -> None:
        self.reason = shown(reason)
        super().__init__(f"Cannot reach {server}: {reason}.", next_step or _REACH.get(reason, _REACH[""]))


class UnexpectedAnswer(KtuiError):
    """Something answered in the API server's place: a login page, a captive portal, another service."""

    def __init__(self, server: str, what: str) -> None:
        super().__init__(
            f"{server} answers with {what}, not as a Kubernetes API server does.",
            "Check the cluster's server address in the kubeconfig; a proxy or a login page may answer in its place.",
        )


@dataclass(frozen=True, slots=True)
class Cause:
    """One of the reasons in a Status: which field, which rule, and the server's words."""

    reason: str = ""
    message: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True)
class Details:
    """What a Status says about the object it concerns; `kind` is a plural resource, or a Kind in a 422."""

    name: str = ""
    group: str = ""
    kind: str = ""
    uid: str = ""
    causes: tuple[Cause, ...] = ()


class ApiError(KtuiError):
    """An answer other than 2xx, or an ERROR line of a watch.

    Attributes:
        status: the HTTP status, or the Status object's code.
        reason: the Status object's reason, such as `NotFound`; empty when the answer was no Status.
        message: the server's words, cleaned and bounded.
        details: what the Status says about the object; empty when it says nothing.
        retry_after: seconds the server asks to wait, or None.
        continue_token: of an expired paged list, the token to go on inconsistently; else empty.
        warnings: the answer's Warning headers.
    """

    advice = ""

    def __init__(
        self,
        status: int,
        reason: str = "",
        message: str = "",
        *,
        details: Details | None = None,
        retry_after: float | None = None,
        continue_token: str = "",
        warnings: tuple[str, ...] = (),
    ) -> None:
        self.status = status
        self.reason = shown(reason)
        self.message = shown(message)
        self.details = details or Details()
        self.retry_after = retry_after
        self.continue_token = continue_token
        self.warnings = warnings
        super().__init__(*self._explained())

    def _explained(self) -> tuple[str, str]:
        """The sentence and the next step."""
        return as_sentence(self.message or f"The server answered {self.status}"), self.advice


class BadRequest(ApiError):
    """400: the server could not read the request."""


class Unauthorized(ApiError):
    """401, and renewing the credentials did not help or was not possible."""

    def _explained(self) -> tuple[str, str]:
        return (
            "The cluster does not accept your credentials.",
            "Sign in again the way you do for kubectl, then retry; `kubectl auth whoami` tells whether it worked.",
        )


class Forbidden(ApiError):
    """403: not allowed by RBAC, or refused by an admission rule (quota, policy, a namespace that is going away)."""

    @property
    def by_rbac(self) -> bool:
        """Whether the user lacks a role, rather than the request breaking a rule."""
        return _RBAC.search(self.message) is not None

    def _explained(self) -> tuple[str, str]:
        if (denied := _RBAC.search(self.message)) is None:
            return as_sentence(self.message or "The cluster refused the request"), "Change what its rules refuse."
        what = denied["what"] + (f".{denied['group']}" if denied["group"] else "")
        if denied["namespace"]:
            what += f" in namespace {denied['namespace']}"
        elif denied["scope"]:
            what += " cluster-wide"
        return (
            f"{denied['user']} may not {denied['verb']} {what}.",
            "Choose a namespace where you may, or ask whoever runs the cluster for a role that allows it.",
        )


class NotFound(ApiError):
    """404: no such object, or no such kind on this server."""

    def _explained(self) -> tuple[str, str]:
        if self.details.name:
            return as_sentence(self.message), "It may have been deleted meanwhile."
        return "The server does not serve this kind or address.", "It may have been removed, or need an add-on."


class Conflict(ApiError):
    """409: someone else changed the object since it was read, or owns a field of it."""

    advice = "Look at the newest version, then try again."


class AlreadyExists(Conflict):
    """409: an object of that name is already there."""

    advice = "Choose another name, or change the object that is there."


class Expired(ApiError):
    """410: the resource version or continue token is too old; list again."""

    advice = "List again."


class Invalid(ApiError):
    """422: the object breaks a rule; `details.causes` names the fields."""

    advice = "Correct the fields the server names."

    def _explained(self) -> tuple[str, str]:
        # Of a patch that makes no object, the server quotes all that came of it.
        return as_sentence(_LONG_VALUE.sub('Invalid value: "…"', self.message)), self.advice


class TooManyRequests(ApiError):
    """429: the server is busy, or an eviction would violate a disruption budget."""

    def _explained(self) -> tuple[str, str]:
        if any(cause.reason == "DisruptionBudget" for cause in self.details.causes):
            return as_sentence(self.message), as_sentence("; ".join(cause.message for cause in self.details.causes))
        return "The cluster asks to slow down (too many requests).", "Wait a moment; ktui tries again by itself."


class ServerError(ApiError):
    """5xx: the server, or something it needs, failed."""

    advice = "Try again; if it stays, look at the API server's own health (kubectl get --raw /readyz?verbose)."


class Unavailable(ServerError):
    """502 and 503: starting, stopping, or an aggregated API that is down."""

    advice = "It may be starting or restarting: wait and try again."


class ServerTimeout(ServerError):
    """504: the server took too long."""


class ResourceVersionTooLarge(ServerTimeout):
    """504: the server has not caught up with the asked resource version (it restarted from an older state)."""


_REACH = {
    "connection refused": "Check that the cluster is running and that the server address and port are right.",
    "name not found": "Check the server address, and that you are on the cluster's network or VPN.",
    "timed out": "Check that you are on the cluster's network or VPN, and that no firewall stands between.",
    "no route to host": "Check that you are on the cluster's network or VPN.",
    "network unreachable": "Check that you are on the cluster's network or VPN.",
    "certificate signed by unknown authority": (
        "Check certificate-authority in the kubeconfig: the cluster's certificate was signed by another one."
    ),
    "certificate expired": "Have the API server's certificate renewed, and check this machine's clock.",
    "certificate not yet valid": "Check this machine's clock.",
    "hostname mismatch": (
        "The server's certificate is for other names: check the server address, or set tls-server-name."
    ),
    "the server speaks plain HTTP": "Use http:// in the kubeconfig's server address, or the server's TLS port.",
    "client certificate refused": "Check the user's client-certificate and client-key in the kubeconfig.",
    "": "Check the server address and your network; ktui tries again by itself.",
}

_BY_REASON: dict[str, type[ApiError]] = {
    "BadRequest": BadRequest,
    "Unauthorized": Unauthorized,
    "Forbidden": Forbidden,
    "NotFound": NotFound,
    "Conflict": Conflict,
    "AlreadyExists": AlreadyExists,
    "Expired": Expired,
    "Gone": Expired,
    "Invalid": Invalid,
    "TooManyRequests": TooManyRequests,
    "ServiceUnavailable": Unavailable,
    "Timeout": ServerTimeout,
    "ServerTimeout": ServerTimeout,
    "InternalError": ServerError,
}
_BY_STATUS: dict[int, type[ApiError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Expired,
    422: Invalid,
    429: TooManyRequests,
    502: Unavailable,
    503: Unavailable,
    504: ServerTimeout,
}


def api_error(status: int, headers: Mapping[str, str], body: bytes, warnings: tuple[str, ...] = ()) -> ApiError:
    """The exception for an answer other than 2xx.

    Args:
        status: the HTTP status.
        headers: case-insensitive.
        body: at most `LARGEST_ERROR_BODY` bytes of it; of any content type, or empty.
        warnings: what `warnings_of` found.
    """
    told = read_status(body) or Status(message=plain_message(status, headers.get("Content-Type", ""), body))
    return _error_of(told, status, retry_after(headers.get("Retry-After", "")), warnings)


def error_from_status(body: bytes) -> ApiError:
    """The exception that the object of a watch's ERROR line stands for.

    Args:
        body: the object's JSON, normally a Status.
    """
    told = read_status(body) or Status(message="The server ended the watch with an error it did not explain")
    return _error_of(told, told.code or 500, None, ())


def _error_of(told: Status, code: int, after: float | None, warnings: tuple[str, ...]) -> ApiError:
    about = told.details or StatusDetails()
    causes = tuple(
        Cause(shown(cause.reason or ""), shown(_without_its_middle(cause.message or "")), shown(cause.field or ""))
        for cause in (about.causes or ())[:MOST_CAUSES]
    )
    name, group, kind, uid = (shown(text or "") for text in (about.name, about.group, about.kind, about.uid))
    return _class_of(told.reason or "", code, causes)(
        code,
        told.reason or "",
        told.message or phrase(code),
        details=Details(name, group, kind, uid, causes),
        retry_after=after if after is not None else about.retry_after_seconds,
        continue_token=(told.metadata and told.metadata.continue_) or "",
        warnings=warnings,
    )


def _without_its_middle(text: str) -> str:
    """What a cause says begins with the value, which may be a whole patch, and ends with what is wrong with it."""
    half = LONGEST_MESSAGE // 2 - 1
    return text if len(text) <= LONGEST_MESSAGE else f"{text[:half]}…{text[-half:]}"


def _class_of(reason: str, code: int, causes: tuple[Cause, ...]) -> type[ApiError]:
    if code == 410:
        # Whatever word comes with it, it means the same: list again.
        return Expired
    found = _BY_REASON.get(reason) or _BY_STATUS.get(code) or (ServerError if code >= 500 else ApiError)
    if found is ServerTimeout and any(cause.reason == "ResourceVersionTooLarge" for cause in causes):
        return ResourceVersionTooLarge
    return found
