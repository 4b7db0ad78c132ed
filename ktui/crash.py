"""Crashes: an error that nobody expected becomes a file to report and one line on the terminal.

The report says where in the program it happened and with which versions. It holds no local variables, no arguments, no
object of the cluster and nothing that looks like a credential, so that it can be shown to strangers.
"""

from __future__ import annotations

import os
import platform
import re
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ktui
from ktui.kinds.text import clean
from ktui.redaction import redacted

LONGEST_MESSAGE = 500
_PACKAGES = ("textual", "kubernetes-asyncio", "aiohttp", "msgspec", "pyyaml")
_QUOTED = re.compile(r"""'[^']*'|"[^"]*\"""")
# What these quote are names in the program; what others quote may come from an object.
_QUOTES_CODE = (AttributeError, NameError, ImportError, TypeError)
# What Textual's driver switches on: the alternate screen, mouse reports, bracketed paste, focus reports, the kitty
# keyboard protocol, a hidden cursor, colours.
_RESTORE = (
    "\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?2004l\x1b[?1004l\x1b[<u\x1b[?25h\x1b[m"
)


class CrashKept:
    """Mixin for the Textual App, named before it: an unhandled exception ends the app and is kept for the report.

    Textual itself would print a traceback with all local variables, which hold objects of the cluster. Whoever ran the
    app raises `crash` after `run` has returned and the terminal is the person's again.
    """

    @property
    def crash(self) -> Exception | None:
        """What ended the app; None when it ended as it should."""
        app: Any = self
        error: Exception | None = app._exception
        # A failed worker's exception comes wrapped.
        inner = getattr(error, "error", None)
        return inner if isinstance(inner, Exception) else error

    def _handle_exception(self, error: Exception) -> None:
        """Overrides `App._handle_exception`, which renders the exception."""
        app: Any = self
        app._return_code = 1
        if app._exception is None:
            app._exception = error
            # Tests that drive the app wait for this, and raise the exception.
            app._exception_event.set()
        app._close_messages_no_wait()


@contextmanager
def terminal_restored() -> Iterator[None]:
    """Give the terminal back as it was when an exception leaves, where the app could not do so itself."""
    terminal = _terminal()
    if terminal is None:
        yield
        return
    import termios

    before = termios.tcgetattr(terminal)
    try:
        yield
    except BaseException:
        # The terminal may be gone: that may be why we are here.
        with suppress(OSError, termios.error):
            if termios.tcgetattr(terminal) != before:
                os.write(terminal, _RESTORE.encode())
                termios.tcsetattr(terminal, termios.TCSADRAIN, before)
        raise


def report_crash(error: BaseException, arguments: Sequence[str], folder: Path | None = None) -> str:
    """Write a report, and say so in one line.

    Args:
        error: what nobody expected.
        arguments: of the command line, without the program's name.
        folder: where reports are kept; ktui's state folder when None.

    Returns:
        What to tell the person; also when the report could not be written.
    """
    what = f"{type(error).__name__}{_place(error)}"
    try:
        path = _write(crash_report(error, arguments), folder or _state_folder())
    except OSError as failure:
        reason = (failure.strerror or "input error").lower()
        return f"ktui was stopped by an error of its own ({what}), and the report could not be written ({reason})."
    return f"ktui was stopped by an error of its own ({what}). What is known of it, and nothing secret, is in {path}"


def crash_report(error: BaseException, arguments: Sequence[str]) -> str:
    """The text of a report.

    Args:
        error: with its traceback, causes and, for a group, all its errors.
        arguments: of the command line; only the names of options are told.
    """
    lines = [
        "ktui crash report",
        f"time       {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        f"ktui       {ktui.__version__}",
        f"python     {platform.python_version()} on {platform.platform()}",
        *(f"{name:<10} {_version(name)}" for name in _PACKAGES),
        f"arguments  {' '.join(map(_argument, arguments))}",
        f"terminal   TERM={os.environ.get('TERM', '')} COLORTERM={os.environ.get('COLORTERM', '')}",
        "",
        *_traceback(error),
    ]
    text = redacted("\n".join(lines)).replace(str(Path.home()), "~")
    return "\n".join(clean(line) for line in text.split("\n")) + "\n"


def _traceback(error: BaseException, depth: int = 0, seen: frozenset[int] = frozenset()) -> list[str]:
    """A traceback with the places and without anything that was in a variable."""
    if id(error) in seen:
        return []
    seen |= {id(error)}
    indent = "  " * depth
    lines = []
    earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if earlier is not None:
        lines += [*_traceback(earlier, depth, seen), "", f"{indent}then:", ""]
    lines += [f"{indent}{type(error).__module__}.{type(error).__qualname__}: {_message(error)}"]
    for frame in traceback.extract_tb(error.__traceback__):
        lines.append(f"{indent}  {frame.filename}:{frame.lineno} in {frame.name}")
        if frame.line:
            lines.append(f"{indent}      {frame.line}")
    if isinstance(error, BaseExceptionGroup):
        for number, inner in enumerate(error.exceptions, 1):
            lines += [f"{indent}  {number}.", *_traceback(inner, depth + 1, seen)]
    return lines


def _message(error: BaseException) -> str:
    text = str(error)[:LONGEST_MESSAGE]
    return text if isinstance(error, _QUOTES_CODE) else _QUOTED.sub("'…'", text)


def _place(error: BaseException) -> str:
    """Where in ktui it happened, as far as the traceback goes."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if f"{os.sep}ktui{os.sep}" in frame.filename]
    if not ours:
        return ""
    return f" in {Path(ours[-1].filename).name}:{ours[-1].lineno}"


def _argument(argument: str) -> str:
    """`--context=prod` as `--context=…`, any other word but a command as `…`."""
    if not argument.startswith("-"):
        return argument if argument in ("get", "demo", "doctor") else "…"
    name, equals, _ = argument.partition("=")
    return f"{name}=…" if equals else name if name.startswith("--") else name[:2]


def _version(package: str) -> str:
    # Reading what is installed takes long to import, and crashes are rare.
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _state_folder() -> Path:
    from platformdirs import user_state_path

    return user_state_path("ktui")


def _write(text: str, folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"crash-{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}.txt"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    return path


def _terminal() -> int | None:
    """The descriptor of the terminal we draw on; None when there is none."""
    for stream in (sys.__stderr__, sys.__stdin__):
        if stream is not None and stream.isatty():
            return stream.fileno()
    return None
