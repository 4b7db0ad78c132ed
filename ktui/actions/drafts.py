"""Drafts: text that is being edited, kept until it is applied or thrown away.

One file for each object in $XDG_STATE_HOME/ktui/drafts/, for nobody but its owner to read, written as the person types.
Whatever ends ktui, the text is offered again. The text of a Secret is never written.
"""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path

import msgspec
from platformdirs import user_state_path

from ktui.kinds.names import GVR, ObjectKey
from ktui.kube.errors import KtuiError

log = logging.getLogger(__name__)

_LARGEST = 8_000_000


class DraftNotKept(KtuiError):  # noqa: N818 - named as those of errors.py
    """A draft could not be written; it is lost when ktui ends."""


class Draft(msgspec.Struct, frozen=True):
    """A text that was not applied.

    Attributes:
        text: what was typed.
        base: the object that it began with, as JSON text; empty for something new.
        at: when it was written last, in epoch seconds.
    """

    text: str
    base: str = ""
    at: float = 0.0


class DraftFile:
    """Where the draft of one object is kept.

    Args:
        server: the URL of the cluster's API server.
        context: the kubeconfig context.
        gvr: the object's resource.
        key: its namespace and name.
        folder: where files are; ktui's state folder when None.
    """

    def __init__(self, server: str, context: str, gvr: GVR, key: ObjectKey, folder: Path | None = None) -> None:
        self._secret = gvr.group == "" and gvr.resource == "secrets"
        which = msgspec.json.encode([server, context, gvr.group, gvr.resource, *key])
        name = hashlib.blake2b(which, digest_size=16).hexdigest()
        self._path = (folder or user_state_path("ktui") / "drafts") / f"{name}.json"

    @property
    def kept(self) -> bool:
        """Whether drafts of this object are kept at all."""
        return not self._secret

    def read(self) -> Draft | None:
        """The draft, if there is one that can be read."""
        try:
            content = self._path.read_bytes()
            return msgspec.json.decode(content, type=Draft) if len(content) <= _LARGEST else None
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            log.warning("a draft cannot be read: %s", type(error).__name__)
            return None

    def write(self, draft: Draft) -> None:
        """Keep a draft; a crash in the midst of it leaves the one of before.

        Raises:
            DraftNotKept: the file cannot be written.
        """
        if self._secret:
            return
        scratch = self._path.with_suffix(f".{os.getpid()}")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(msgspec.json.encode(draft))
            os.replace(scratch, self._path)
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            raise DraftNotKept(f"The draft cannot be kept: {reason}.", "Copy the text before you leave.") from error

    def discard(self) -> None:
        """Throw the draft away."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("a draft cannot be removed: %s", error.strerror)
