"""Journal: every write that was made, or tried, with what takes it back.

One file for each cluster in $XDG_STATE_HOME/ktui/journal/, a line of JSON for each write, for nobody but its owner to
read. Several ktui may write to it at the same time. Lines that are damaged are skipped, and counted.

It never has the data of a Secret in it, unless the configuration says so, and nothing that looks like a credential in
its texts. What takes a write back has the fields of other kinds as they were: with holes, it would take nothing back.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import re
import secrets
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import Enum
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from platformdirs import user_state_path

from ktui.actions.kubectl import shell_line
from ktui.actions.undo import AnyUndo, undo_of
from ktui.kinds.names import GVR, ObjectKey
from ktui.kinds.text import clean, clean_lines
from ktui.kube.errors import KtuiError
from ktui.redaction import HIDDEN, redacted

if TYPE_CHECKING:
    from ktui.actions.undertaking import Written

log = logging.getLogger(__name__)

MOST_ENTRIES, MOST_BYTES = 2_000, 20_000_000
"""What is kept; when ktui starts, older entries go."""

_FORM = "1"
"""Changes whenever files of before can no longer be read as they are meant."""

_SECRETS = GVR("", "v1", "secrets")
# What gives a Secret its data on a command line.
_GIVES_DATA = re.compile(r"(--(?:from-literal|docker-password|token)=(?:[^=]*=)?)(.*)", re.DOTALL)
_PATCHES = ("-p", "--patch")

_Moment = Annotated[float, msgspec.Meta(ge=0, le=1e11)]


class NotKept(KtuiError):  # noqa: N818 - named as those of errors.py
    """The journal cannot be written; what was to be written is remembered until ktui ends."""


class Result(Enum):
    """How a write went."""

    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """No answer came, and it could not be looked up."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="line", tag="write"):
    """A write.

    Attributes:
        id: what tells it apart.
        at: when, in epoch seconds.
        batch: what was done together has the same.
        action: the title of the action, `Scale`.
        context: the kubeconfig context.
        gvr: of what.
        kind: the name of the kind.
        key: which object.
        words: of the kubectl line that does the same, redacted.
        stdin: what that line reads.
        result: how it went.
        said: why it failed, redacted; empty when it did not.
        undo: what takes it back; None where nothing can.
        undoes: the entry that this write took back; empty for none.
        undone: whether it was taken back; told by later lines, not by its own.
    """

    id: str
    at: _Moment
    batch: str = ""
    action: str = ""
    context: str = ""
    gvr: GVR
    kind: str
    key: ObjectKey
    words: tuple[str, ...] = ()
    stdin: str = ""
    result: Result = Result.DONE
    said: str = ""
    undo: AnyUndo | None = None
    undoes: str = ""
    undone: bool = False

    @property
    def line(self) -> str:
        """The kubectl line."""
        return shell_line(self.words, self.context, self.stdin)

    @property
    def subject(self) -> str:
        """What it was done to: `deployment shop/web`."""
        return f"{self.kind.lower()} {self.key}"


class _Mark(msgspec.Struct, frozen=True, tag_field="line", tag="undone"):
    """A line that says that an entry was taken back."""

    entry: str
    at: _Moment


def entry_of(
    written: Written, *, context: str, at: float, keep_secrets: bool = False, reclaims: str = "", undoes: str = ""
) -> Entry:
    """The entry of a write, with what takes it back, and without what must not be kept.

    Args:
        written: the write.
        context: the kubeconfig context.
        at: when, in epoch seconds.
        keep_secrets: whether the configuration says that the data of secrets is kept.
        reclaims: see `undo_of`.
        undoes: the entry that it took back.
    """
    step, error = written.step, written.error
    target = step.target
    result = Result.UNKNOWN if written.unknown else Result.FAILED if error is not None else Result.DONE
    undo = None
    if result is Result.DONE:
        undo = undo_of(step, written.before, written.after, keep_secrets=keep_secrets, reclaims=reclaims)
    name = str(((written.after or {}).get("metadata") or {}).get("name") or "") if not target.key.name else ""
    is_secrets = target.kind.gvr[::2] == _SECRETS[::2]
    return Entry(
        id=secrets.token_hex(8),
        at=at,
        batch=written.batch,
        action=written.action.title,
        context=context,
        gvr=target.kind.gvr,
        kind=target.kind.kind,
        key=ObjectKey(target.key.namespace, name) if name else target.key,
        words=redacted_words(step.kubectl, secret=is_secrets and not keep_secrets),
        stdin=_redacted_stdin(step.stdin, secret=is_secrets, keep_secrets=keep_secrets),
        result=result,
        said="" if error is None else redacted(f"{error.sentence} {error.next_step}".strip()),
        undo=undo,
        undoes=undoes,
    )


def _redacted_stdin(text: str, *, secret: bool, keep_secrets: bool) -> str:
    if not text or (secret and keep_secrets):
        return text
    return HIDDEN if secret else redacted(text)


def redacted_words(words: Sequence[str], *, secret: bool) -> tuple[str, ...]:
    """The words of a command line without what looks like a credential.

    Args:
        words: from `kubectl` on.
        secret: whether it is about a Secret, whose data goes, whatever it looks like.
    """
    kept = list(words[:1])
    for before, word in pairwise(words):
        if secret and (before in _PATCHES or word.startswith("--patch=")):
            word = HIDDEN
        elif secret and _GIVES_DATA.match(word):
            word = _GIVES_DATA.sub(rf"\1{HIDDEN}", word)
        elif before.startswith("--") and redacted(f"{before} {word}") == f"{before} {HIDDEN}":
            word = HIDDEN
        else:
            word = redacted(word)
        kept.append(word)
    return tuple(kept)


class Journal:
    """The journal of a cluster.

    Args:
        server: the URL of its API server.
        context: the kubeconfig context.
        authority: what tells clusters of the same URL apart: the certificate authority's bytes; the context's name
            stands in for it where there is none.
        folder: where files are; ktui's state folder when None.

    Attributes:
        damaged: how many lines could not be read the last time.
    """

    def __init__(self, server: str, context: str, authority: bytes = b"", folder: Path | None = None) -> None:
        self._folder = folder or user_state_path("ktui") / "journal"
        which = hashlib.blake2b(authority, digest_size=12).hexdigest() if authority else context
        name = hashlib.blake2b(msgspec.json.encode([_FORM, server, which]), digest_size=12).hexdigest()
        self._path = self._folder / f"{name}.jsonl"
        self._unkept: list[Entry | _Mark] = []
        self.damaged = 0
        self._forget_oldest()

    def append(self, entry: Entry) -> None:
        """Keep an entry.

        Raises:
            NotKept: the file cannot be written: a disk may be full. `entries` has it until ktui ends.
        """
        self._write(entry)

    def undone(self, entry_id: str, at: float | None = None) -> None:
        """Note that an entry was taken back.

        Args:
            entry_id: which.
            at: when, in epoch seconds; now when None.

        Raises:
            NotKept: as `append`.
        """
        self._write(_Mark(entry_id, time.time() if at is None else at))

    def entries(self) -> list[Entry]:
        """All entries, the newest last. Nobody but this user could write them, so they are as trusted as he is."""
        content, whole = self._content()
        found, self.damaged = _decoded(content, whole)
        undone = {mark.entry for mark in (*found, *self._unkept) if isinstance(mark, _Mark)}
        return [
            msgspec.structs.replace(entry, undone=True) if entry.id in undone else entry
            for entry in (*found, *self._unkept)
            if isinstance(entry, Entry)
        ]

    def _content(self) -> tuple[bytes, bool]:
        """The end of the file, and whether that is all of it."""
        try:
            with open(self._path, "rb") as file:
                size = os.fstat(file.fileno()).st_size
                file.seek(max(0, size - 2 * MOST_BYTES))
                return file.read(2 * MOST_BYTES), size <= 2 * MOST_BYTES
        except FileNotFoundError:
            pass
        except OSError as error:
            log.warning("%s cannot be read: %s", self._path, error.strerror)
        return b"", True

    def _write(self, line: Entry | _Mark) -> None:
        try:
            with self._locked() as descriptor:
                text = msgspec.json.encode(line) + b"\n"
                size = os.fstat(descriptor).st_size
                # A line that broke off must not spoil this one.
                if size and os.pread(descriptor, 1, size - 1) != b"\n":
                    text = b"\n" + text
                if os.write(descriptor, text) != len(text):
                    raise OSError(0, "no space left")
        except OSError as error:
            self._unkept.append(line)
            reason = (error.strerror or type(error).__name__).lower()
            raise NotKept(
                f"The journal cannot be written: {reason}.",
                f"What you do can be undone until ktui ends; make room, or correct the rights of {self._path}.",
            ) from error

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """The file, open for appending, while no other ktui writes to it."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(self._path, flags, 0o600)
            try:
                # Where files cannot be locked, a line in one write has to be enough.
                with suppress(OSError):
                    fcntl.flock(descriptor, fcntl.LOCK_EX)
                # Another ktui may have put a shorter file in its place meanwhile.
                with suppress(FileNotFoundError):
                    if os.path.samestat(os.fstat(descriptor), os.stat(self._path)):
                        os.fchmod(descriptor, 0o600)
                        yield descriptor
                        return
            finally:
                os.close(descriptor)

    def _forget_oldest(self) -> None:
        """Make the file shorter when it has become too long."""
        try:
            if not self._path.exists() or not self._too_long(self._content()[0]):
                return
            with self._locked():
                lines = self._content()[0].splitlines(keepends=True)[-MOST_ENTRIES:]
                size, first = 0, len(lines)
                # Some room, so that not every start has to do it.
                while first and size + len(lines[first - 1]) <= MOST_BYTES * 3 // 4:
                    first -= 1
                    size += len(lines[first])
                scratch = self._path.with_suffix(f".{os.getpid()}")
                descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
                try:
                    with os.fdopen(descriptor, "wb") as file:
                        file.writelines(lines[first:])
                    os.replace(scratch, self._path)
                except BaseException:
                    os.unlink(scratch)
                    raise
        except OSError as error:
            log.warning("%s cannot be made shorter: %s", self._path, error.strerror)

    @staticmethod
    def _too_long(content: bytes) -> bool:
        return len(content) > MOST_BYTES or content.count(b"\n") > MOST_ENTRIES * 5 // 4


_decode_line = msgspec.json.Decoder(Entry | _Mark).decode


def _decoded(content: bytes, whole: bool) -> tuple[list[Entry | _Mark], int]:
    """The lines that can be read, and how many others there are."""
    found: list[Entry | _Mark] = []
    damaged = 0
    lines = content.split(b"\n")
    # The first of a file's end is the rest of one.
    for line in lines if whole else lines[1:]:
        if not line:
            continue
        try:
            found.append(_decode_line(line))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            damaged += 1
    if damaged:
        log.warning("%d lines of a journal cannot be read", damaged)
    return found, damaged


# -- runbook ---------------------------------------------------------------------------------------


def as_script(entries: Iterable[Entry]) -> str:
    """A shell script that does again what was done; what failed, and what cannot be told whole, stands in comments.

    Args:
        entries: in the order in which they are to be done.
    """
    parts = ["#!/bin/sh\n# What was done with ktui. Read it before you run it.\nset -eu\n"]
    for entry in entries:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(entry.at))
        head = f"# {when}  {clean(entry.action)}: {clean(entry.subject)}"
        line = entry.line
        if entry.result is Result.DONE and HIDDEN not in line:
            notes = ", later undone" if entry.undone else ""
            parts.append(f"{head}{notes}\n{line}\n")
            continue
        why = {
            Result.DONE: "has something secret in it that is not kept: fill it in",
            Result.FAILED: f"failed: {clean(entry.said)}",
            Result.UNKNOWN: f"it is not known whether it was done: {clean(entry.said)}",
        }[entry.result]
        commented = "\n".join(f"# {text}".rstrip() for text in clean_lines(line))
        parts.append(f"{head}: {why}\n{commented}\n")
    return "\n".join(parts)


def batches(entries: Iterable[Entry]) -> list[list[Entry]]:
    """Entries that were done together, in their order; the newest last.

    Args:
        entries: the newest last.
    """
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.batch or entry.id, []).append(entry)
    return list(found.values())
