"""Every way in which a server says no becomes the right exception, with a sentence that is safe to show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from ktui.kube import errors
from ktui.kube.errors import ApiError, Expired, Forbidden, KtuiError, NotFound, api_error, error_from_status
from ktui.kube.status import LONGEST_MESSAGE, retry_after, warnings_of

RECORDED: dict[str, Any] = json.loads((Path(__file__).parent / "golden" / "errors.json").read_text())


def recorded(name: str) -> ApiError:
    """The exception of an answer recorded from a real API server."""
    answer = RECORDED[name]
    body = answer["body"] if isinstance(answer["body"], str) else json.dumps(answer["body"])
    return api_error(answer["status"], CIMultiDict(answer["headers"]), body.encode())


def made(status: int, body: bytes = b"", **headers: str) -> ApiError:
    """The exception of a made-up answer."""
    return api_error(status, CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()}), body)


@pytest.mark.parametrize(
    ("name", "kind", "sentence"),
    [
        ("400-strict", "BadRequest", 'strict decoding error: unknown field "spec.template.spec.containers[0].imag"'),
        ("401", "Unauthorized", "The cluster does not accept your credentials."),
        ("403-cluster", "Forbidden", "alice may not list nodes cluster-wide."),
        ("403-list", "Forbidden", "alice may not list pods in namespace default."),
        ("403-named", "Forbidden", "alice may not delete deployments.apps in namespace default."),
        ("403-sub", "Forbidden", "alice may not get pods/log in namespace default."),
        ("403-path", "Forbidden", "alice may not get /metrics."),
        ("403-quota", "Forbidden", 'pods "zz" is forbidden: exceeded quota: q1'),
        ("404-core", "NotFound", 'pods "nope" not found.'),
        ("404-group", "NotFound", "The server does not serve this kind or address."),
        ("404-res", "NotFound", "The server does not serve this kind or address."),
        ("405", "ApiError", "the server does not allow this method on the requested resource."),
        ("406", "ApiError", "406: Not Acceptable"),
        ("409-conflict", "Conflict", "the object has been modified"),
        ("409-exists", "AlreadyExists", 'deployments.apps "web" already exists.'),
        ("ssa-conflict", "Conflict", "Apply failed with 1 conflict"),
        ("410-continue-expired", "Expired", "continue parameter is too old"),
        ("410-list-exact", "Expired", "is too old."),
        ("415-patch", "ApiError", ""),
        ("422-negreplicas", "Invalid", "must be greater than or equal to 0"),
        ("504-too-large", "ResourceVersionTooLarge", "Too large resource version"),
        ("p-log", "ServerError", "no such host"),
    ],
)
def test_recorded_answers(name: str, kind: str, sentence: str) -> None:
    """What a real server answered is the exception of that reason, and says it in one sentence."""
    error = recorded(name)
    assert (type(error).__name__, error.status) == (kind, RECORDED[name]["status"])
    assert sentence in error.sentence
    assert "\n" not in error.sentence


def test_details_and_causes() -> None:
    """Which object and which fields are meant can be read from the exception."""
    error = recorded("422-negreplicas")
    assert (error.reason, error.details.kind, error.details.group) == ("Invalid", "Deployment", "apps")
    assert [cause.field for cause in error.details.causes] == ["spec.replicas"]
    assert recorded("ssa-conflict").details.causes[0].reason == "FieldManagerConflict"


def test_expired_list_has_a_token_to_go_on() -> None:
    """An expired continue token comes with the token of an inconsistent continuation."""
    assert recorded("410-continue-expired").continue_token.startswith("eyJ2")


def test_error_line_of_a_watch() -> None:
    """A watch that says ERROR within a 200 is the same exception as an answer with that status."""
    line = RECORDED["410-watch-old"]["body"]
    error = error_from_status(json.dumps(line["object"]).encode())
    assert isinstance(error, Expired)
    assert error.status == 410


@pytest.mark.parametrize(
    "body", [b"null", b"{}", b'{"kind":"Pod"}', b'{"kind":"Status","code":"x"}', b'{"kind":"Status"}']
)
def test_error_line_without_explanation(body: bytes) -> None:
    """An ERROR line that explains nothing is a failure of the server's all the same."""
    assert isinstance(error_from_status(body), errors.ServerError)


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (410, {"reason": "Gone"}),
        (410, {"reason": "Expired"}),
        (410, {"reason": ""}),
        (410, {"reason": "Conflict"}),
        (500, {"reason": "Expired"}),
        (500, {"reason": "Gone"}),
    ],
)
def test_all_forms_of_expired(status: int, told: dict[str, str]) -> None:
    """Code 410 or the reasons Expired and Gone: each means to list again."""
    assert isinstance(made(status, json.dumps({"kind": "Status", **told}).encode()), Expired)


def test_busy_server_in_plain_text() -> None:
    """A 429 need not be a Status; its Retry-After counts."""
    error = made(429, b"Too many requests, please try again later.\n", Retry_After="3")
    assert isinstance(error, errors.TooManyRequests)
    assert error.retry_after == 3


def test_eviction_refused_by_a_budget() -> None:
    """A 429 of an eviction is told as what it is, with the budget's own words."""
    cause = {
        "reason": "DisruptionBudget",
        "message": "The disruption budget b needs 2 healthy pods and has 2 currently",
    }
    message = "Cannot evict pod as it would violate the pod's disruption budget."
    body = {"kind": "Status", "reason": "TooManyRequests", "message": message, "details": {"causes": [cause]}}
    error = made(429, json.dumps(body).encode())
    assert (error.sentence, error.next_step) == (message, cause["message"] + ".")


def test_retry_after_in_the_body_and_header() -> None:
    """The header goes before details.retryAfterSeconds; either is enough."""
    body = json.dumps({"kind": "Status", "details": {"retryAfterSeconds": 7}}).encode()
    assert made(503, body).retry_after == 7
    assert made(503, body, Retry_After="2").retry_after == 2
    assert made(503).retry_after is None


@pytest.mark.parametrize(("value", "seconds"), [("0", 0), ("12", 12), ("", None), ("soon", None), ("-1", None)])
def test_retry_after_header(value: str, seconds: float | None) -> None:
    """Seconds are taken, nonsense is not."""
    assert retry_after(value) == seconds


def test_retry_after_date() -> None:
    """A date in the past means now, one in the future the time until then."""
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert (retry_after("Wed, 21 Oct 2115 07:28:00 GMT") or 0) > 1e9


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (
            502,
            b"<html><head><title>502 Bad&nbsp;Gateway</title></head>...",
            "The server answered 502 Bad Gateway: 502 Bad Gateway.",
        ),
        (503, b"<!DOCTYPE html><p>busy", "The server answered 503 Service Unavailable."),
        (500, b"", "The server answered 500 Internal Server Error."),
        (599, b"", "The server answered 599."),
        (400, b'{"error": "x"}', "The server answered 400 Bad Request."),
        (400, b"Client sent an HTTP request to an HTTPS server.\n", "Client sent an HTTP request to an HTTPS server."),
        (500, b"\xff\xfe", "��."),
    ],
)
def test_answers_that_are_no_status(status: int, body: bytes, sentence: str) -> None:
    """Pages of proxies give their title, plain text itself, everything else the status in words."""
    assert made(status, body).sentence == sentence


@given(st.integers(300, 599), st.binary(max_size=200), st.sampled_from(["", "text/html", "application/json"]))
def test_any_answer_becomes_an_error(status: int, body: bytes, content_type: str) -> None:
    """Whatever the body is, there is an exception with a printable sentence."""
    error = made(status, body, Content_Type=content_type)
    assert error.sentence.isprintable()
    assert error.sentence


def test_messages_are_cleaned_and_bounded() -> None:
    """Escape sequences of a hostile server are shown, not obeyed; and a novel is cut."""
    body = {"kind": "Status", "message": "\x1b]0;owned\x07" + "x" * 100_000, "reason": "\x1b[2J"}
    error = made(400, json.dumps(body).encode())
    for text in (error.sentence, error.message, error.reason, error.next_step, str(error)):
        assert text.isprintable() or not text
        assert len(text) <= LONGEST_MESSAGE + 2


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (['299 - "v1 Endpoints is deprecated"'], ["v1 Endpoints is deprecated"]),
        (
            ['299 - "a", 299 - "b \\"c\\" \\\\ d"', '299 k8s "e" "Wed, 21 Oct 2015 07:28:00 GMT"'],
            ["a", 'b "c" \\ d', "e"],
        ),
        (['199 - "other"', "nonsense", ""], []),
        (['299 - "\x1b[31mred"'], ["␛[31mred"]),
    ],
)
def test_warning_headers(values: list[str], texts: list[str]) -> None:
    """Warnings are read with their quotes, several to a header, cleaned; other codes are left out."""
    assert list(warnings_of(values)) == texts


def test_warnings_come_with_the_error() -> None:
    """A refused request still tells what the server warned about."""
    header = RECORDED["warn-unknown"]["headers"]["Warning"]
    assert warnings_of([header]) == (
        'unknown field "spec.template.spec.containers[0].imag"',
        'unknown field "spec.foo"',
    )


def test_rbac_and_admission_are_told_apart() -> None:
    """Only a missing role leads to the advice to ask for one."""
    denied, refused = recorded("403-list"), recorded("403-quota")
    assert isinstance(denied, Forbidden)
    assert isinstance(refused, Forbidden)
    assert (denied.by_rbac, refused.by_rbac) == (True, False)
    assert "role" in denied.next_step
    assert "role" not in refused.next_step


def test_not_found_knows_objects_from_kinds() -> None:
    """A missing object may have been deleted; a missing kind was never there."""
    named, kind = recorded("404-core"), recorded("404-res")
    assert isinstance(named, NotFound)
    assert "deleted" in named.next_step
    assert "deleted" not in kind.next_step


def test_every_error_is_a_ktui_error() -> None:
    """One except clause is enough for whoever shows errors."""
    kinds = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]
    assert len(kinds) > 15
    assert all(issubclass(kind, KtuiError) for kind in kinds)
