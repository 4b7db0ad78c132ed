"""A crash leaves a report that can be shown to strangers, and a terminal that works."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.widgets import Static

from ktui.cli import doctor
from ktui.crash import CrashKept, crash_report, report_crash
from ktui.redaction import redacted

# ruff: noqa: F401, F811 - pytest finds fixtures by their names
from tests.unit.command_line import Done, ktui, logging_kept

CANARY = "canary-7f3a9c"


def caught(fail: Callable[[], Any]) -> Exception:
    """The exception that `fail` raises, with its traceback."""
    try:
        fail()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def fail_with_variables() -> None:
    """Fails deep down, with a credential and an object in local variables."""
    token, pod = f"Bearer {CANARY}", {"metadata": {"name": CANARY}}

    def deeper(secret: str) -> None:
        raise KeyError(secret, pod)

    try:
        deeper(token)
    except KeyError as error:
        raise ValueError(f"no {pod['metadata']['name']!r} for {token}") from error


def test_report_says_where_and_not_what() -> None:
    """A report has every place of the traceback and of its causes, and nothing from a variable or an argument."""
    report = crash_report(
        caught(fail_with_variables), ["get", "pods", f"--context={CANARY}", "-n", CANARY, f"-l{CANARY}"]
    )
    assert "ValueError" in report
    assert "KeyError" in report
    assert "in deeper" in report
    assert "test_crash.py" in report
    assert "arguments  get … --context=… -n … -l" in report
    assert CANARY not in report


def test_report_tells_all_errors_of_a_group() -> None:
    """The errors of a task group are reported each with its own place."""
    group = ExceptionGroup("tasks", [caught(fail_with_variables), caught(lambda: os.environ[CANARY])])
    report = crash_report(group, [])
    assert report.count("builtins.KeyError") == 2
    assert "ExceptionGroup" in report
    assert CANARY not in report


def test_report_is_for_its_owner_alone(tmp_path: Path) -> None:
    """The report's file has mode 0600 in a folder of mode 0700, and the one line names it."""
    folder = tmp_path / "state" / "ktui"
    line = report_crash(caught(fail_with_variables), [], folder)
    (path,) = folder.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert line.endswith(str(path))
    assert "\n" not in line
    assert "ValueError" in line


def test_unwritable_report_is_told(tmp_path: Path) -> None:
    """Where no report can be written, the line says that and what happened."""
    blocked = tmp_path / "file"
    blocked.touch()
    line = report_crash(caught(fail_with_variables), [], blocked / "ktui")
    assert "ValueError" in line
    assert "could not be written" in line


def test_command_that_crashes_is_one_line(
    ktui: Callable[..., Done], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unexpected error of any command is a line on standard error, a report, and exit code 1."""
    monkeypatch.setattr(doctor, "check_versions", fail_with_variables)
    done = ktui("doctor", "--context", CANARY)
    assert (done.code, done.out) == (1, "")
    (line,) = done.err.splitlines()
    (report,) = (tmp_path / "state" / "ktui").iterdir()
    assert str(report) in line
    assert CANARY not in line + report.read_text()


class Fragile(CrashKept, App[None]):
    """An app that fails as it is told."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self.where = where

    def compose(self) -> ComposeResult:
        """One widget, or a failure."""
        if self.where == "compose":
            fail_with_variables()
        yield Static("[/unbalanced]" if self.where == "markup" else "here", markup=self.where == "markup")

    def on_mount(self) -> None:
        """A failure in a message, a callback, a worker, or none."""
        if self.where == "message":
            fail_with_variables()
        if self.where == "callback":
            self.call_after_refresh(fail_with_variables)
        if self.where == "worker":
            self.run_worker(self.work())
        if self.where == "nowhere":
            self.exit()

    async def work(self) -> None:
        """Fails in a worker."""
        fail_with_variables()


@pytest.mark.parametrize("where", ["compose", "message", "callback", "worker", "markup"])
def test_app_keeps_its_crash_and_prints_nothing(where: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever fails in the app ends it with code 1 and its exception kept; Textual prints no variables."""
    app = Fragile(where)
    app.run(headless=True)
    assert app.return_code == 1
    assert type(app.crash).__name__ == ("MarkupError" if where == "markup" else "ValueError")
    printed = capsys.readouterr()
    assert printed.out + printed.err == ""


def test_app_that_ends_well_has_no_crash() -> None:
    """Leaving is no crash."""
    app = Fragile("nowhere")
    app.run(headless=True)
    assert app.crash is None
    assert app.return_code == 0


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {CANARY}",
        f"authorization=Basic {CANARY}",
        f"--token {CANARY}-0123456789",
        f"--token={CANARY}",
        f'{{"token": "{CANARY}"}}',
        f"{{'access_token': '{CANARY}'}}",
        f"password: {CANARY}",
        f"AWS_SECRET_ACCESS_KEY={CANARY}",
        f"client-key-data: {CANARY}",
        f"https://user:{CANARY}@proxy:3128/",
        f"refresh_token={CANARY}&x=1",
        f"-----BEGIN EC PRIVATE KEY-----\n{CANARY}\n-----END EC PRIVATE KEY-----",
        f"-----BEGIN PRIVATE KEY-----\n{CANARY}",
        f"LS0tLS1CRUdJTi{CANARY.replace('-', '')}",
        f"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ{CANARY}.{CANARY}",
        f"Cookie: {CANARY}",
        f"X-Api-Key: {CANARY}",
        f'token: "two words {CANARY}"',
    ],
)
def test_credentials_are_taken_out(text: str) -> None:
    """Whatever looks like a credential, or is named like one, is taken out of a text; what stands around it stays."""
    clean = redacted(f"before\n{text}\nafter")
    assert CANARY.replace("-", "") not in clean.replace("-", "")
    assert clean.startswith("before\n")
    assert "[redacted]" in clean


@pytest.mark.parametrize(
    "text",
    [
        "GET /api/v1/namespaces/shop/pods?limit=500",
        "pods is forbidden: User dev cannot list resource pods",
        "3.141592.1",
        "kubectl get secrets -n shop",
        "watch of pods broke: connection refused",
        "2026-01-02T03:04:05Z ktui.kube.client: 200",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    """Nothing is taken out of what has no credential in it."""
    assert redacted(text) == text
