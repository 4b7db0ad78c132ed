"""Logging goes to the file that was named, without credentials, and to nowhere else."""

from __future__ import annotations

import asyncio
import logging
import stat
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from ktui.kube.errors import ConfigError
from ktui.logs import start_logging

# ruff: noqa: F401, F811 - pytest finds fixtures by their names
from tests.unit.command_line import Done, Shop, ktui, logging_kept, shop

pytestmark = pytest.mark.usefixtures("logging_kept")

CANARY = "canary-7f3a9c"


def test_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    """The file gets mode 0600, also when it was there before, and what it had stays."""
    path = tmp_path / "log"
    path.write_text("before\n")
    path.chmod(0o644)
    start_logging(path, {})
    logging.getLogger("aiohttp.client").warning("here")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    first, second = path.read_text().splitlines()
    assert first == "before"
    assert second.endswith("WARNING aiohttp.client: here")


def test_credentials_do_not_reach_the_file(tmp_path: Path) -> None:
    """A credential in a message, an argument or an exception's traceback is taken out."""
    path = tmp_path / "log"
    start_logging(path, {})
    log = logging.getLogger("anyone")
    log.error("Authorization: Bearer %s", CANARY)
    try:
        raise ValueError(f"token={CANARY}")
    except ValueError:
        log.exception("headers: %s", {"Authorization": f"Bearer {CANARY}"})
    text = path.read_text()
    assert "Traceback" in text
    assert CANARY not in text


def test_message_cannot_pose_as_another(tmp_path: Path) -> None:
    """Line breaks in a message are indented, and escape sequences are made visible."""
    path = tmp_path / "log"
    start_logging(path, {})
    logging.getLogger("x").error("one\n2026-01-01T00:00:00.000Z ERROR ktui: two \x1b[31m")
    first, second = path.read_text().splitlines()
    assert second.startswith("    2026")
    assert "\x1b" not in first + second


def test_level_comes_from_the_environment(tmp_path: Path) -> None:
    """KTUI_LOG_LEVEL sets the lowest level; without it, INFO."""
    for number, (environ, expected) in enumerate([({}, ["INFO"]), ({"KTUI_LOG_LEVEL": "debug"}, ["DEBUG", "INFO"])]):
        path = tmp_path / str(number)
        start_logging(path, environ)
        logging.getLogger("x").debug("fine")
        logging.getLogger("x").info("coarse")
        assert [line.split()[1] for line in path.read_text().splitlines()] == expected


def test_wrong_level_or_file_is_a_sentence(tmp_path: Path) -> None:
    """What cannot be done is told before the terminal is taken over."""
    with pytest.raises(ConfigError, match="KTUI_LOG_LEVEL"):
        start_logging(None, {"KTUI_LOG_LEVEL": "loud"})
    with pytest.raises(ConfigError, match="cannot be written"):
        start_logging(tmp_path / "no" / "folder", {})


def test_nothing_reaches_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    """Without a file nothing is printed: neither records nor asyncio's complaints nor warnings."""
    start_logging(None, {})
    logging.getLogger("ktui").critical("here")

    async def forget() -> None:
        asyncio.get_running_loop().call_exception_handler({"message": "here"})

    asyncio.run(forget())
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("here", stacklevel=1)
        logging.captureWarnings(False)
    assert capfd.readouterr() == ("", "")


def test_debug_log_of_a_command_has_no_credential(shop: Shop, ktui: Callable[..., Done], tmp_path: Path) -> None:
    """At the finest level, the log of a command on a real connection has neither the token nor the key in it."""
    import json

    path = tmp_path / "log"
    command = [sys.executable, "-m", "ktui", "get", "pods", "-A", "--kubeconfig", str(shop.kubeconfig)]
    environ = {"KTUI_LOG_LEVEL": "DEBUG", "PYTHONASYNCIODEBUG": "1", "HOME": str(tmp_path)}
    subprocess.run([*command, "--log-file", str(path)], env=environ, check=True, capture_output=True)
    text = path.read_text()
    assert "asyncio" in text
    for user in json.loads(shop.kubeconfig.read_text())["users"]:
        assert user["user"]["token"] not in text
