"""OpenAPI: the schemas of a server's kinds, fetched when they are wanted, one group and version at a time.

    schemas = ServerSchemas(client)
    schema = await schemas.schema("apps", "v1", "Deployment")   # None: unknown, or the server tells nothing

Documents are kept in $XDG_CACHE_HOME/ktui/openapi/, for nobody but their owner to read, by the hash under which the
server announces them; when a definition of custom resources changes, so does the hash. `SavedSchemas` reads a folder of
such documents instead. Source: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-v3
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import msgspec
from platformdirs import user_cache_path

from ktui.kube.client import Client
from ktui.kube.errors import KtuiError, UnexpectedAnswer
from ktui.manifests.definitions import Definitions, read_definitions
from ktui.manifests.schema import Schema, schema_of

log = logging.getLogger(__name__)

FRESH = 30.0
"""Seconds for which the server is not asked again which documents it has."""

MOST_FILES = 200
"""Documents that are kept; those used longest ago are forgotten."""

_LARGEST = 32 << 20


class Schemas(Protocol):
    """Where schemas come from."""

    async def schema(self, group: str, version: str, kind: str) -> Schema | None:
        """The schema of a kind; None when it is not known."""


class _Document(msgspec.Struct, frozen=True, rename={"url": "serverRelativeURL"}):
    url: str = ""


class _Index(msgspec.Struct, frozen=True):
    paths: dict[str, _Document] = {}


class ServerSchemas:
    """The schemas of a server. A server that does not tell them, for whatever reason, knows none.

    Args:
        client: that of the server.
        folder: where documents are kept; ktui's cache folder when None.
    """

    def __init__(self, client: Client, folder: Path | None = None) -> None:
        self._client = client
        self._kept = Kept(folder or user_cache_path("ktui") / "openapi")
        self._index: dict[str, _Document] = {}
        self._asked = float("-inf")
        self._read: dict[str, tuple[str, Definitions]] = {}
        self._one_at_a_time = asyncio.Lock()

    async def schema(self, group: str, version: str, kind: str) -> Schema | None:
        """The schema of a kind; None when the server does not tell it.

        Args:
            group: empty for core.
            version: `v1`.
            kind: `Deployment`.
        """
        place = f"apis/{group}/{version}" if group else f"api/{version}"
        async with self._one_at_a_time:
            try:
                definitions = await self._definitions(place)
            except (KtuiError, ValueError) as error:
                log.warning("no schemas of %s: %s", place, error)
                return None
        return None if definitions is None else schema_of(definitions, group, version, kind)

    async def _definitions(self, place: str) -> Definitions | None:
        if place in self._index and time.monotonic() - self._asked <= FRESH:
            # A document that has changed since is not answered, but where the new one is.
            with contextlib.suppress(UnexpectedAnswer):
                return await self._document(place)
        self._index = (await self._client.get_json("/openapi/v3", _Index)).paths
        self._asked = time.monotonic()
        return await self._document(place)

    async def _document(self, place: str) -> Definitions | None:
        document = self._index.get(place)
        if document is None:
            return None
        at, found = self._read.get(place, ("", None))
        if found is None or at != document.url:
            found = await self._fetched(place, document.url)
            self._read[place] = document.url, found
        return found

    async def _fetched(self, place: str, url: str) -> Definitions:
        # Another server may announce another document under the same hash.
        name = self._client.identity.server, place
        found = await asyncio.to_thread(self._kept.recall, name, url)
        if found is None:
            path, _, query = url.partition("?")
            if not path.startswith("/openapi/v3/"):
                raise ValueError(f"the server says it is at {url!r}")
            wanted = dict(part.partition("=")[::2] for part in query.split("&") if part)
            body = (await self._client.request("GET", path, query=wanted)).body
            found = await asyncio.to_thread(read_definitions, body)
            await asyncio.to_thread(self._kept.keep, name, url, body)
        return found


class Kept:
    """Documents on disk.

    Args:
        folder: where they are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def recall(self, name: tuple[str, str], version: str) -> Definitions | None:
        """A document that was kept; None when it was not, or cannot be read.

        Args:
            name: what tells documents apart.
            version: what tells apart the versions of one.
        """
        path = self._path(name, version)
        try:
            with path.open("rb") as file:
                found = read_definitions(file.read(_LARGEST))
            os.utime(path)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            log.warning("%s cannot be read: %s", path, type(error).__name__)
            return None
        return found

    def keep(self, name: tuple[str, str], version: str, body: bytes) -> None:
        """Write a document down in the place of its other versions; a disk that is full is told to the log alone.

        Args:
            name: as for `recall`.
            version: as for `recall`.
            body: the document.
        """
        path = self._path(name, version)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Readable by its owner alone from the beginning.
            descriptor, scratch = tempfile.mkstemp(prefix=".", dir=self._folder)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(body)
                os.replace(scratch, path)
            except BaseException:
                os.unlink(scratch)
                raise
            for old in self._older(path):
                old.unlink(missing_ok=True)
        except OSError as error:
            log.warning("%s cannot be written: %s", path, error.strerror)

    def _older(self, path: Path) -> Iterator[Path]:
        yield from (other for other in self._folder.glob(f"{path.name.partition('-')[0]}-*.json") if other != path)
        files = sorted(self._folder.glob("*.json"), key=lambda file: file.stat().st_mtime_ns)
        yield from files[:-MOST_FILES]

    def _path(self, name: tuple[str, str], version: str) -> Path:
        return self._folder / f"{_digest(*name)}-{_digest(version)}.json"


class SavedSchemas:
    """The schemas of documents in a folder, whatever they are called: `apps_v1.json`, as `kubectl get --raw` wrote it.

    Args:
        folder: where they are; also in folders within it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[Path, Definitions | None] = {}

    async def schema(self, group: str, version: str, kind: str) -> Schema | None:
        """The schema of a kind; None when no document has it.

        Args:
            group: empty for core.
            version: `v1`.
            kind: `Deployment`.

        Raises:
            OSError: the folder cannot be read.
        """
        return await asyncio.to_thread(self.find, group, version, kind)

    def find(self, group: str, version: str, kind: str) -> Schema | None:
        """As `schema`, at once."""
        words = (group or "api", version)
        # Those first whose names look like it: reading all would take a while.
        for path in sorted(self._files(), key=lambda path: (*(word not in path.as_posix() for word in words), path)):
            definitions = self._definitions(path)
            if definitions is not None and (found := schema_of(definitions, group, version, kind)) is not None:
                return found
        return None

    def _files(self) -> Iterator[Path]:
        for folder, _, names in os.walk(self._folder, onerror=_raise):
            yield from (Path(folder, name) for name in names if name.endswith(".json"))

    def _definitions(self, path: Path) -> Definitions | None:
        if path not in self._read:
            try:
                self._read[path] = read_definitions(path.read_bytes())
            except ValueError as error:
                log.warning("%s: %s", path, error)
                self._read[path] = None
        return self._read[path]


def _raise(error: OSError) -> None:
    raise error


def _digest(*parts: str) -> str:
    return hashlib.blake2b(msgspec.json.encode(parts), digest_size=16).hexdigest()
