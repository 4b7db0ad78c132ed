"""Logging: to the file of --log-file and to nowhere else, with credentials taken out."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Mapping
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType

from ktui.kinds.text import clean_lines
from ktui.redaction import redacted

LEVEL_VARIABLE = "KTUI_LOG_LEVEL"

log = logging.getLogger(__name__)


class PlainFormatter(logging.Formatter):
    """One record, one entry: time in UTC, level, logger, message. Nothing a terminal obeys, nothing secret.

    It redacts the whole entry, tracebacks included, whoever logged it: ktui, aiohttp, asyncio.
    """

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__("%(asctime)s.%(msecs)03dZ %(levelname)-7s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        """The entry of `record`; further lines are indented, so that no message can look like an entry of its own."""
        return "\n    ".join(clean_lines(redacted(super().format(record))))


class PrivateFile(logging.FileHandler):
    """Appends to a file that its owner alone can read."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        if os.path.isfile(self.baseFilename):
            os.fchmod(descriptor, 0o600)
        return TextIOWrapper(os.fdopen(descriptor, "ab"), encoding=self.encoding, errors=self.errors)


def start_logging(path: Path | None, environ: Mapping[str, str] = os.environ) -> None:
    """Send every logger's records to `path`, and keep all of them off the terminal.

    Args:
        path: the file to append to, made readable for its owner only; None to log nowhere.
        environ: KTUI_LOG_LEVEL names the lowest level that is written; INFO when it is not set.

    Raises:
        ConfigError: the file cannot be opened, or the level is not one.
    """
    root = logging.getLogger()
    level = _level(environ.get(LEVEL_VARIABLE, "") or "INFO")
    handler = logging.NullHandler() if path is None else _file(path)
    handler.setFormatter(PlainFormatter())
    for former in tuple(root.handlers):
        root.removeHandler(former)
        former.close()
    root.addHandler(handler)
    root.setLevel(level if path is not None else logging.CRITICAL)
    # A full disk must not print tracebacks over the screen, and neither must warnings nor forgotten exceptions.
    logging.raiseExceptions = False
    logging.captureWarnings(True)
    sys.unraisablehook = lambda lost: _log_lost("ignored", lost.exc_type, lost.exc_value, lost.exc_traceback)
    threading.excepthook = lambda lost: _log_lost("in a thread", lost.exc_type, lost.exc_value, lost.exc_traceback)


def _level(name: str) -> int:
    levels = logging.getLevelNamesMapping()
    if name.upper() not in levels:
        from ktui.kube.errors import ConfigError

        raise ConfigError(f"{LEVEL_VARIABLE} is {name!r}, which is no level.", "Use DEBUG, INFO, WARNING or ERROR.")
    return levels[name.upper()]


def _file(path: Path) -> logging.Handler:
    path = path.expanduser()
    try:
        return PrivateFile(path, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        from ktui.kube.errors import ConfigError

        reason = (error.strerror or "input error").lower()
        raise ConfigError(f"The log file {path} cannot be written ({reason}).", "Name another.") from None


def _log_lost(
    where: str, kind: type[BaseException], lost: BaseException | None, traceback: TracebackType | None
) -> None:
    log.error("an exception was lost (%s)", where, exc_info=(kind, lost or kind(), traceback))
