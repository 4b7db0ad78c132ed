"""What the home screen showed when ktui was open last, for the first frame of the next start.

One file for each configuration in $XDG_STATE_HOME/ktui/last-seen/: the rows in sight of each pane, for nobody but their
owner to read. They are cells as tables show them; the kinds of the home screen have nothing secret in them. A file that
is damaged, or was written for another configuration, counts as none.

The first frame waits for this module: it imports little.
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from platformdirs import user_state_path

from ktui.kinds.names import ObjectKey
from ktui.kinds.text import clean
from ktui.kube.kubeconfig_files import kubeconfig_paths
from ktui.kube.state import Remembered, Waiting

if TYPE_CHECKING:
    from ktui.kinds.kind import Kind
    from ktui.kinds.row import Row

log = logging.getLogger(__name__)

MOST_ROWS = 100
"""Rows of a kind that are kept at most."""

MOST_FILES = 20
"""Configurations that are remembered; those not looked at for longest are forgotten."""

_LARGEST = 1_000_000
_FORM = "1"
"""Changes whenever files of before can no longer be read as they are meant."""

Cell = str | int | float | bool | tuple[int, float | None] | None
"""A text or a number, a moment, or a number with the moment of its last change (`ktui.kinds.column.Passing`)."""

_Moment = Annotated[float, msgspec.Meta(ge=0, le=1e11)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=10**9)]


class RowSeen(msgspec.Struct, array_like=True, frozen=True):
    """A row.

    Attributes:
        namespace: empty when cluster-scoped.
        name: the object's.
        cells: in the order of the server's Table; ages as moments, in epoch seconds.
    """

    namespace: str
    name: str
    cells: tuple[Cell, ...]


class KindSeen(msgspec.Struct, frozen=True):
    """The rows of a pane.

    Attributes:
        at: when they were known to be current, in epoch seconds.
        total: how many there were in all, in sight or not.
        lines: the table as it was painted, with the names of its columns.
        rows: those that were in sight.
    """

    at: _Moment
    total: _Count
    lines: tuple[str, ...] = ()
    rows: tuple[RowSeen, ...] = ()

    def alike(self, other: KindSeen) -> bool:
        """Whether both tell the same, whenever that was."""
        return (self.total, self.rows) == (other.total, other.rows)

    def remembered(self, now: float) -> Remembered:
        """The state of a pane that shows these rows.

        Args:
            now: epoch seconds.
        """
        return Remembered(time.monotonic() - max(0.0, now - self.at), _in_words(self.at, now), self.total, Waiting())


class LastSeen(msgspec.Struct, frozen=True):
    """All panes.

    Attributes:
        context: the context's name.
        kinds: by the plural names of their resources.
    """

    context: str = ""
    kinds: dict[str, KindSeen] = {}


def files_looked_at(paths: Iterable[Path] | None, environ: Mapping[str, str] = os.environ) -> str:
    """What tells whether kubeconfig files are still the same, without reading them.

    Args:
        paths: files named by the user; None for the usual ones.
        environ: the process's environment.
    """
    found = []
    for path in kubeconfig_paths(environ) if paths is None else paths:
        path = path.expanduser().absolute()
        try:
            stat = path.stat()
        except OSError:
            found.append([str(path)])
        else:
            found.append([str(path), str(stat.st_size), str(stat.st_mtime_ns)])
    # Without any file, a pod's own service account is used.
    found.append([environ.get("KUBERNETES_SERVICE_HOST", "")])
    return _digest(found)


class Memory:
    """The file of one configuration.

    Args:
        files: what `files_looked_at` said before they were read.
        context: the context that was asked for; empty for the current one.
        namespaces: the namespaces looked at; empty for all.
        folder: where files are; ktui's state folder when None.
    """

    def __init__(self, files: str, context: str, namespaces: Iterable[str], folder: Path | None = None) -> None:
        self._folder = folder or user_state_path("ktui") / "last-seen"
        self._path = self._folder / f"{_digest([_FORM, files, context, sorted(namespaces)])}.json"

    def recall(self) -> LastSeen:
        """What was kept; nothing when there is no such file, or it cannot be read."""
        try:
            with self._path.open("rb") as file:
                return _cleaned(_decode(file.read(_LARGEST)))
        except FileNotFoundError:
            pass
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            log.warning("%s cannot be read: %s", self._path, type(error).__name__)
        return LastSeen()

    def keep(self, context: str, kinds: Mapping[str, KindSeen]) -> None:
        """Write down what is seen of some kinds; what is kept of others stays.

        It is a convenience: a disk that is full ends nothing, and is told to the log.

        Args:
            context: the context's name.
            kinds: by the plural names of their resources.
        """
        seen = LastSeen(context, {**self.recall().kinds, **kinds})
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Readable by its owner alone from the beginning.
            descriptor, scratch = tempfile.mkstemp(prefix=".", dir=self._folder)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(msgspec.json.encode(seen))
                os.replace(scratch, self._path)
            except BaseException:
                os.unlink(scratch)
                raise
            self._forget_oldest()
        except OSError as error:
            log.warning("%s cannot be written: %s", self._path, error.strerror)

    def _forget_oldest(self) -> None:
        files = sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
        for path in files[:-MOST_FILES]:
            path.unlink(missing_ok=True)


_decode = msgspec.json.Decoder(LastSeen).decode


def _cleaned(seen: LastSeen) -> LastSeen:
    """What a file says, made safe to show: anything may have written it."""
    return LastSeen(
        clean(seen.context),
        {
            name: KindSeen(kind.at, kind.total, tuple(map(clean, kind.lines[: MOST_ROWS + 1])), kind.rows[:MOST_ROWS])
            for name, kind in seen.kinds.items()
        },
    )


def row_seen(kind: Kind, row: Row) -> RowSeen:
    """A row as it is kept.

    Args:
        kind: the row's.
        row: with its object or with its cells.
    """
    from ktui.kinds.cells import without_object

    cells = row.cells if row.object is None else without_object(kind, row).cells
    return RowSeen(row.key.namespace, row.key.name, tuple(map(_plain, cells or ())))


def row_of(seen: RowSeen) -> Row:
    """A row that was kept, as a table shows it."""
    from ktui.kinds.column import Passing
    from ktui.kinds.row import REMEMBERED, Row

    cells = tuple(Passing(*cell) if isinstance(cell, tuple) else cell for cell in seen.cells)
    return Row(ObjectKey(seen.namespace, seen.name), REMEMBERED, None, cells)


def _plain(cell: Any) -> Cell:
    # A cell of a server's Table may be any JSON.
    known = isinstance(cell, str | int | float | tuple) or cell is None
    return cell if known else msgspec.json.encode(cell).decode()


def _in_words(at: float, now: float) -> str:
    """`14:03`, with the day when that is not today."""
    then, today = time.localtime(at), time.localtime(now)
    return time.strftime("%H:%M" if then[:3] == today[:3] else "%-d %b %H:%M", then)


def _digest(parts: Any) -> str:
    return hashlib.blake2b(msgspec.json.encode(parts), digest_size=12).hexdigest()
