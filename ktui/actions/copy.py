"""What can be copied of an object: its name, its path, its manifest, the kubectl line that fetches it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from ktui.actions.kubectl import kubectl, shell_line
from ktui.kinds.kind import Kind
from ktui.kinds.names import ObjectKey

# Terminals drop OSC 52 sequences beyond about 100,000 characters of base64, most of them silently.
# Source: xterm's and tmux's limits; https://invisible-island.net/xterm/ctlseqs/ctlseqs.html
LARGEST_CLIPBOARD = 74_994

_UNSAFE_IN_FILE_NAMES = re.compile(r"[^\w.-]+", re.ASCII)


class CopyText(NamedTuple):
    """A text to copy.

    Attributes:
        key: the key that chooses it in the menu.
        title: what it is, a few words.
        text: the text itself; None for one that has to be fetched first.
    """

    key: str
    title: str
    text: str | None

    @property
    def too_large(self) -> bool:
        """Whether terminals would drop it."""
        return self.text is not None and len(self.text.encode()) > LARGEST_CLIPBOARD


def copy_texts(kind: Kind, key: ObjectKey, context: str, manifest: str | None) -> tuple[CopyText, ...]:
    """What can be copied of an object, in the order of the menu.

    Args:
        kind: its kind.
        key: its namespace and name.
        context: the kubeconfig context; empty for the one in use by default.
        manifest: its YAML as it is shown, secrets masked or not; None while nobody has fetched it.
    """
    texts = [CopyText("n", "Name", key.name)]
    if key.namespace:
        texts.append(CopyText("p", "Namespace and name", str(key)))
    texts.append(CopyText("y", "YAML", manifest))
    texts.append(CopyText("k", "kubectl line", kubectl_get(kind, key, context)))
    return tuple(texts)


def kubectl_get(kind: Kind, key: ObjectKey, context: str) -> str:
    """The kubectl line that prints an object as YAML, quoted for a shell.

    Args:
        kind: its kind.
        key: its namespace and name.
        context: the kubeconfig context; empty for the one in use by default.
    """
    return shell_line(kubectl(["get"], kind, key, "-o", "yaml"), context)


def save(folder: Path, kind: Kind, key: ObjectKey, text: str) -> Path:
    """Write a manifest that no clipboard takes to a new file that only its owner can read.

    Args:
        folder: where.
        kind: the object's kind.
        key: its namespace and name; they name the file.
        text: the manifest.

    Returns:
        the file. One that exists is never overwritten: a number makes the name new.

    Raises:
        OSError: the folder cannot be written.
    """
    stem = _UNSAFE_IN_FILE_NAMES.sub("-", "-".join(part for part in (kind.singular, *key) if part))
    for number in range(1, 1000):
        path = folder / (f"{stem}.yaml" if number == 1 else f"{stem}-{number}.yaml")
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        with open(file, "w", encoding="utf-8") as opened:
            opened.write(text)
        return path
    raise FileExistsError(f"{folder} has too many files called {stem}")
