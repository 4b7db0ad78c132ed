"""Texts outside of ktui: files of manifests, and the person's own editor."""

from __future__ import annotations

import asyncio
import os
import shlex
import tempfile
from pathlib import Path

from textual.app import App

from ktui.kube.errors import KtuiError

LARGEST = 8_000_000
"""Bytes of a file that is opened."""


class FileTrouble(KtuiError):  # noqa: N818 - named as those of errors.py
    """A file, or an editor, cannot be used."""


def file_of(name: str) -> Path:
    """The file that somebody means."""
    return Path(name).expanduser().absolute()


async def read_text(file: Path) -> str:
    """The text of a file.

    Raises:
        FileTrouble: it cannot be read, or is no text that can be edited.
    """

    def read() -> str:
        if file.stat().st_size > LARGEST:
            raise FileTrouble(f"{file} is too large to be edited.", "Apply it with kubectl.")
        return file.read_text(encoding="utf-8")

    try:
        return await asyncio.to_thread(read)
    except OSError as error:
        raise FileTrouble(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise FileTrouble(f"{file} is no text in UTF-8.") from error


async def write_text(file: Path, text: str) -> None:
    """Write a text to a file; what is in a manifest is for its owner's eyes at first.

    Raises:
        FileTrouble: it cannot be written.
    """

    def write() -> None:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(text)

    try:
        await asyncio.to_thread(write)
    except OSError as error:
        raise FileTrouble(f"{file} cannot be written: {error.strerror}.") from error


async def edited_elsewhere(app: App[None], text: str) -> str:
    """A text after the person has edited it in an editor of their own; what ktui follows goes on meanwhile.

    Args:
        app: it gives the terminal away for as long.
        text: as it is.

    Raises:
        FileTrouble: the editor could not be used, or said that the text is to stay as it was.
    """
    command = os.environ.get("KUBE_EDITOR") or os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    descriptor, name = tempfile.mkstemp(prefix="ktui-", suffix=".yaml")
    file = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(text)
        with app.suspend():
            process = await asyncio.create_subprocess_exec(*shlex.split(command), name)
            code = await process.wait()
        if code != 0:
            raise FileTrouble(f"{command} ended with {code}; the text is as it was.")
        return await asyncio.to_thread(file.read_text, encoding="utf-8")
    except (OSError, ValueError) as error:
        raise FileTrouble(f"{command} could not be used: {error}.", "Set KUBE_EDITOR to another one.") from error
    finally:
        await asyncio.to_thread(file.unlink, missing_ok=True)
