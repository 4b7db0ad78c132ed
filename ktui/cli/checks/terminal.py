"""What the terminal can show, and what stands between it and ktui."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version

import ktui
from ktui.cli.checks.finding import Finding, failed, good, warning

SMALLEST = os.terminal_size((60, 16))
"""Below this, no rows are left to see."""

ESCAPE_TIME = 50
"""Milliseconds that tmux may keep the Esc key to itself before it feels slow."""


def check_terminal(
    environ: Mapping[str, str] = os.environ, *, size: os.terminal_size | None = None, encoding: str | None = None
) -> Iterator[Finding]:
    """The terminal and what leads to it.

    Args:
        environ: the process's environment.
        size: columns and lines; asked of the terminal when None.
        encoding: of what is written to it; standard error's when None.
    """
    yield _check_size(environ, size or _size())
    yield _check_colours(environ)
    yield _check_letters(encoding or sys.stderr.encoding)
    if environ.get("SSH_CONNECTION"):
        frames = environ.get("TEXTUAL_FPS")
        yield good(f"over SSH: {frames or 'few'} frames a second{'' if frames else ' (TEXTUAL_FPS changes that)'}")
    if environ.get("TMUX"):
        yield from check_tmux(_ask_tmux)
    elif environ.get("STY"):
        yield warning("inside GNU screen, which keeps copied texts from the clipboard", "tmux passes them on.")


def check_tmux(ask: Callable[[str], str]) -> Iterator[Finding]:
    """What tmux keeps from ktui.

    Args:
        ask: the value of one of tmux's options; empty when it does not say.
    """
    clipboard, wait = ask("set-clipboard"), ask("escape-time")
    if clipboard == "on":
        yield good("inside tmux: copied texts reach the clipboard")
    else:
        yield warning(
            f"inside tmux with set-clipboard {clipboard or 'unknown'}: what you copy may not reach the clipboard",
            "tmux set -g set-clipboard on",
        )
    if wait.isdecimal() and int(wait) > ESCAPE_TIME:
        yield warning(f"tmux keeps the Esc key for {wait} ms", "tmux set -s escape-time 10")


def check_versions() -> Iterator[Finding]:
    """What is installed."""
    yield good(
        f"ktui {ktui.__version__}, Textual {version('textual')}, kubernetes-asyncio {version('kubernetes-asyncio')}, "
        f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    )


def _check_size(environ: Mapping[str, str], size: os.terminal_size | None) -> Finding:
    term = environ.get("TERM", "")
    if term in ("", "dumb"):
        return failed(f"TERM is {term or 'not set'}: nothing can be drawn", "In a plain terminal, TERM=xterm-256color.")
    if size is None:
        return warning(
            f"terminal {term}; there is none here, so its size is not known", "Run the doctor without a pipe."
        )
    text = f"terminal {term}, {size.columns}x{size.lines}"
    if size.columns < SMALLEST.columns or size.lines < SMALLEST.lines:
        return warning(f"{text}; that is very small", f"Make it {SMALLEST.columns}x{SMALLEST.lines} or larger.")
    return good(text)


def _check_colours(environ: Mapping[str, str]) -> Finding:
    if environ.get("NO_COLOR"):
        return good("no colours, as NO_COLOR asks; glyphs say the same")
    if environ.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return good("all colours (COLORTERM)")
    if "256" in environ.get("TERM", ""):
        return good("256 colours; COLORTERM=truecolor would give all, if the terminal has them")
    return warning("16 colours", "Use --theme ktui-ansi, or TERM=xterm-256color if the terminal has more.")


def _check_letters(encoding: str) -> Finding:
    if encoding.lower().replace("-", "") == "utf8":
        return good("UTF-8: all glyphs can be shown")
    return failed(f"the locale's letters are {encoding}: ● and … cannot be shown", "export LANG=C.UTF-8")


def _size() -> os.terminal_size | None:
    for stream in (sys.__stdout__, sys.__stderr__, sys.__stdin__):
        if stream is not None and stream.isatty():
            return os.get_terminal_size(stream.fileno())
    return None


def _ask_tmux(option: str) -> str:
    program = shutil.which("tmux")
    if program is None:
        return ""
    scope = "-sv" if option == "escape-time" else "-gv"
    try:
        asked = subprocess.run(
            [program, "show-options", scope, option], capture_output=True, text=True, timeout=2, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return asked.stdout.strip() if asked.returncode == 0 else ""
