"""`ktui check`: manifests as Kubernetes reads them, and what is wrong with them."""

from __future__ import annotations

import asyncio
import json
import sys
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ktui.actions.referred import Referred
from ktui.cli.arguments import kubeconfig_of
from ktui.cli.complaint import complain
from ktui.cli.server import Server
from ktui.kinds.text import clean
from ktui.kube.client import Client
from ktui.kube.errors import KtuiError
from ktui.kube.kubeconfig import load_kubeconfig
from ktui.kube.openapi import SavedSchemas, ServerSchemas
from ktui.logs import start_logging
from ktui.manifests import reading
from ktui.manifests.check import check
from ktui.manifests.definitions import GVK, gvk_of
from ktui.manifests.reading import Document, Problem, Reading, read, spell
from ktui.manifests.referring import loose_ends
from ktui.manifests.schema import Schema

Known = Mapping[GVK, Schema | None]
"""Schemas by group, version and kind."""

Check = Callable[[Document], Iterable[Problem]]
"""What looks at one document and tells what is wrong with it."""

_SUFFIXES = (".json", ".yaml", ".yml")


def run(arguments: Namespace) -> int:
    """Read files, print what is wrong with them, and return 1 when there is anything."""
    start_logging(arguments.log_file)
    readings, failed = [], False
    for name in files(arguments.files):
        try:
            readings.append(read(text_of(name), file=name))
        except OSError as error:
            failed = True
            complain(KtuiError(f"{name} cannot be read: {error.strerror or error}."))
    try:
        learnt = asyncio.run(_learn(arguments, readings))
    except KtuiError as error:
        # What can be told without a schema is told all the same.
        failed = failed or arguments.schema is not None
        learnt = _Learnt({})
        complain(KtuiError(f"Checked without a schema. {error.sentence}", error.next_step))
    if learnt.trouble is not None:
        told = f"What the manifests refer to was not looked up. {learnt.trouble.sentence}"
        complain(KtuiError(told, learnt.trouble.next_step))
    checks = (check_object, partial(check_schema, learnt.schemas), loose_ends, learnt.missing)
    readings = [examined(found, checks) for found in readings]
    if arguments.errors:
        readings = [replace(found, problems=found.errors) for found in readings]
    failed = failed or any(found.problems for found in readings)
    if arguments.output == "json":
        _say_json(readings)
    else:
        for found in readings:
            for problem in found.problems:
                print(problem_line(found.file, problem))
    return 1 if failed else 0


class _Learnt:
    """What was learnt elsewhere.

    Args:
        schemas: of the kinds that documents are of.

    Attributes:
        trouble: why it could not be looked up what the documents refer to; None when it was, or nobody was to be asked.
    """

    def __init__(self, schemas: Known) -> None:
        self.schemas = schemas
        self.trouble: KtuiError | None = None
        self._missing: dict[int, list[Problem]] = {}

    def missing(self, document: Document) -> Iterable[Problem]:
        """What a document refers to and is not there."""
        return self._missing.get(id(document), ())

    async def look_up(self, documents: Sequence[Document], client: Client, namespace: str) -> None:
        """Look up what documents refer to; what one of them brings is there for the others."""
        referred, among = Referred(Server(client)), [*objects_in(documents)]
        try:
            for document in documents:
                self._missing[id(document)] = await referred.missing(document, namespace, among)
        except KtuiError as error:
            self.trouble = error


async def _learn(arguments: Namespace, readings: Iterable[Reading]) -> _Learnt:
    """The schemas of all kinds that documents are of, from a folder or from the cluster; and what a cluster has.

    Raises:
        KtuiError: there are no schemas to be had.
    """
    documents = [document for found in readings for document in found.documents]
    wanted = {gvk for document in documents if (gvk := gvk_of(document.value)) is not None}
    if not wanted or arguments.offline:
        return _Learnt({})
    if arguments.schema is not None:
        try:
            return _Learnt({gvk: await SavedSchemas(arguments.schema).schema(*gvk) for gvk in wanted})
        except OSError as error:
            raise KtuiError(
                f"{arguments.schema} cannot be read: {error.strerror or error}.",
                "It should have documents as `kubectl get --raw /openapi/v3/apis/apps/v1` prints them.",
            ) from None
    client = await Client.connect(load_kubeconfig(kubeconfig_of(arguments)), arguments.context)
    try:
        # Whether there is a server at all; of one that tells no schemas nothing is known.
        await client.request("GET", "/version")
        schemas = ServerSchemas(client)
        learnt = _Learnt({gvk: await schemas.schema(*gvk) for gvk in wanted})
        await learnt.look_up(documents, client, arguments.namespace or client.identity.namespace or "default")
        return learnt
    finally:
        await client.close()


def objects_in(documents: Iterable[Document]) -> Iterator[Any]:
    """The objects of documents, those of Lists one by one."""
    for document in documents:
        value = document.value
        items = value.get("items") if isinstance(value, dict) else None
        yield from items if isinstance(items, list) and str(value.get("kind", "")).endswith("List") else (value,)


def check_schema(schemas: Known, document: Document) -> Iterable[Problem]:
    """What a schema says of a document; nothing where there is none, nor of the objects in a List."""
    gvk = gvk_of(document.value)
    if gvk is None or (isinstance(document.value.get("items"), list) and gvk[2].endswith("List")):
        return
    if (schema := schemas.get(gvk)) is not None:
        yield from check(document, schema)


def examined(found: Reading, checks: Iterable[Check]) -> Reading:
    """A reading with what checks find in its documents, in the order of the text."""
    more = [problem for document in found.documents for check in checks for problem in check(document)]
    problems = sorted(dict.fromkeys((*found.problems, *more)), key=lambda problem: problem[:2])
    return Reading(found.documents, problems, found.fragments, found.file)


def check_object(document: Document) -> Iterator[Problem]:
    """What must be true of every object, of whatever kind: it says what it is, and has a name."""
    yield from _check_object(document, document.value, ())


def _check_object(document: Document, value: Any, path: reading.Path) -> Iterator[Problem]:
    def wrong(message: str, *steps: str) -> Problem:
        place = document.at((*path, *steps))
        return Problem(place.line, place.column, (*path, *steps), "error", message)

    if not isinstance(value, dict):
        yield wrong("this is no object, which has an apiVersion and a kind")
        return
    for name in ("apiVersion", "kind"):
        if not isinstance(value.get(name), str) or not value[name]:
            yield wrong(f"{name} is not set" if value.get(name) in (None, "") else f"{name} is no text", name)
    kind, items = value.get("kind"), value.get("items")
    if isinstance(kind, str) and kind.endswith("List") and isinstance(items, list):
        for place, item in enumerate(items):
            yield from _check_object(document, item, (*path, "items", place))
        return
    meta = value.get("metadata")
    if meta is not None and not isinstance(meta, dict):
        yield wrong("metadata is no object", "metadata")
    elif not any((meta or {}).get(name) for name in ("name", "generateName")):
        yield wrong("metadata.name is not set, nor is metadata.generateName", "metadata")


# -- files -----------------------------------------------------------------------------------------


def files(names: Iterable[str]) -> Iterator[str]:
    """The files that are meant; of a directory those that kubectl would read."""
    for name in names:
        if name != "-" and Path(name).is_dir():
            yield from (str(file) for file in sorted(Path(name).iterdir()) if file.suffix in _SUFFIXES)
        else:
            yield name


def text_of(name: str) -> str:
    """A file's text; bytes that are none become what reading tells of."""
    data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    return data.decode("utf-8", "surrogateescape")


# -- words -----------------------------------------------------------------------------------------


def problem_line(file: str, problem: Problem) -> str:
    """A problem as one line, of which a terminal obeys nothing."""
    where = f"{file}:{problem.line}:{problem.column}"
    line = f"{where}: {problem.severity}: {spell(problem.path) or '.'}: {problem.message}"
    return clean(line.encode(errors="replace").decode())


def _say_json(readings: Iterable[Reading]) -> None:
    documents: list[Any] = []
    problems: list[dict[str, Any]] = []
    for found in readings:
        documents += (document.value for document in found.documents)
        problems += (
            {**problem._asdict(), "file": found.file, "path": spell(problem.path)} for problem in found.problems
        )
    order = ("file", "line", "column", "path", "severity", "message")
    said = {"documents": documents, "problems": [{key: problem[key] for key in order} for problem in problems]}
    print(json.dumps(said, indent=2))
