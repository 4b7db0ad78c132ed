"""`ktui diff`: what applying manifests would change, as the server itself tells it.

Each object is sent as a server-side apply that is a dry run (`dryRun=All`, `force=true`), and what the server makes of
it is held against what it has. Sources: https://kubernetes.io/docs/reference/using-api/server-side-apply/ and
https://kubernetes.io/docs/reference/kubectl/generated/kubectl_diff/.
"""

from __future__ import annotations

import asyncio
import os
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ktui.actions.action import FIELD_MANAGER
from ktui.cli.arguments import kubeconfig_of
from ktui.cli.check import check_object, examined, files, objects_in, problem_line, text_of
from ktui.cli.complaint import complain
from ktui.cli.server import Server
from ktui.kinds.names import GVR, ObjectKey
from ktui.kinds.references import identity
from ktui.kinds.text import clean
from ktui.kube.client import Client
from ktui.kube.errors import ApiError, ConfigError, ConnectionFailed, KtuiError, NotFound, UnexpectedAnswer
from ktui.kube.kubeconfig import load_kubeconfig
from ktui.logs import start_logging
from ktui.manifests.compared import texts
from ktui.manifests.line_difference import unified
from ktui.manifests.reading import Document, Reading, read
from ktui.manifests.refused import problems_of

SAME, DIFFERENT, FAILED = 0, 1, 2

APPLY = "application/apply-patch+yaml"

AT_ONCE = 6
"""Objects that are compared at once."""

_LIVE, _MERGED = "LIVE", "MERGED"
_COLOURS = {"+": "32", "-": "31", "@": "36"}

JsonObject = dict[str, Any]


@dataclass(frozen=True)
class Wanted:
    """An object of a file.

    Attributes:
        item: the object.
        document: where it stands; of an object in a List, the whole List.
        file: the file's name.
    """

    item: JsonObject
    document: Document
    file: str


@dataclass
class Compared:
    """What came of one object.

    Attributes:
        lines: the difference; empty when there is none.
        notes: what else is to be said, on standard error.
        failed: whether it could not be found out.
    """

    lines: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failed: bool = False


def run(arguments: Namespace) -> int:
    """Print what would change; 0 when nothing would, 1 when something would, 2 when it could not be found out."""
    start_logging(arguments.log_file)
    # Names may have letters that a terminal without UTF-8 has not.
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    readings, failed = _read(arguments.files)
    wanted = [*_wanted(readings)]
    try:
        found = asyncio.run(_compare(arguments, wanted)) if wanted else []
    except KtuiError as error:
        complain(error)
        return FAILED
    for one in found:
        for note in one.notes:
            print(note, file=sys.stderr)
        _print(one.lines)
    if failed or any(one.failed for one in found):
        return FAILED
    return DIFFERENT if any(one.lines for one in found) else SAME


def _read(names: Sequence[str]) -> tuple[list[Reading], bool]:
    """What the files say, and whether something is wrong with one of them, which is told."""
    readings, failed = [], False
    for name in files(names):
        try:
            found = examined(read(text_of(name), file=name), (check_object,))
        except OSError as error:
            failed = True
            complain(KtuiError(f"{name} cannot be read: {error.strerror or error}."))
            continue
        readings.append(found)
        for problem in found.errors:
            failed = True
            print(problem_line(name, problem), file=sys.stderr)
    return readings, failed


def _wanted(readings: Sequence[Reading]) -> Iterator[Wanted]:
    """The objects that can be compared. What is wrong with the others has been told."""
    for found in readings:
        wrong = {problem.line for problem in found.errors}
        starts = [document.line for document in found.documents]
        for place, document in enumerate(found.documents):
            end = starts[place + 1] if place + 1 < len(starts) else sys.maxsize
            if not any(document.line <= line < end for line in wrong):
                yield from (Wanted(item, document, found.file) for item in objects_in([document]))


# -- comparing -------------------------------------------------------------------------------------


async def _compare(arguments: Namespace, wanted: Sequence[Wanted]) -> list[Compared]:
    """All objects with what the server has, in their order.

    Raises:
        KtuiError: there is no server to ask.
    """
    client = await Client.connect(load_kubeconfig(kubeconfig_of(arguments)), arguments.context)
    try:
        namespace = arguments.namespace or client.identity.namespace or "default"
        comparing = _Comparing(client, namespace, wanted)
        await comparing.server.discovery()
        return await asyncio.gather(*map(comparing.one, wanted))
    finally:
        await client.close()


class _Comparing:
    def __init__(self, client: Client, namespace: str, wanted: Sequence[Wanted]) -> None:
        self.server = Server(client)
        self._client = client
        self._namespace = namespace
        self._slots = asyncio.Semaphore(AT_ONCE)
        items = [one.item for one in wanted]
        self._new_namespaces = {_name(item) for item in items if identity(item) == ("", "Namespace")}
        self._new_kinds = {defined for item in items if (defined := _defines(item)) is not None}

    async def one(self, wanted: Wanted) -> Compared:
        """One object."""
        async with self._slots:
            try:
                return await self._of(wanted)
            except (ConfigError, ConnectionFailed):
                # The next one would fail in the same way.
                raise
            except KtuiError as error:
                return Compared(notes=_refused(wanted, error), failed=True)

    async def _of(self, wanted: Wanted) -> Compared:
        item = wanted.item
        group, kind = identity(item)
        if not _name(item):
            raise KtuiError(f"A {kind} without a name cannot be compared: the server chooses one each time.")
        if (resource := (await self.server.discovery()).find(group, kind)) is None:
            if (group, kind) in self._new_kinds:
                return _all_new(item, f"{kind} {_name(item)}", "its kind is defined by these files and not served yet")
            version = item["apiVersion"]
            raise KtuiError(f'No matches for kind "{kind}" in version "{version}".', "Ensure CRDs are installed first.")
        meta = item["metadata"]
        namespace = str(meta.get("namespace") or self._namespace) if resource.namespaced else ""
        key = ObjectKey(namespace, _name(item))
        gvr = GVR(group, str(item["apiVersion"]).rpartition("/")[2], resource.gvr.resource)
        sent = {**item, "metadata": {**meta, "namespace": namespace}} if namespace else item
        try:
            merged = await self._applied(gvr, key, sent)
        except NotFound as error:
            if error.details.kind == "namespaces" and namespace in self._new_namespaces:
                why = f"its namespace {namespace} is made by these files and not there yet"
                return _all_new(sent, f"{kind} {key}", why)
            raise
        try:
            live = await self.server.get(gvr, key)
        except NotFound:
            live = {}
        return Compared(await asyncio.to_thread(_difference, live, merged))

    async def _applied(self, gvr: GVR, key: ObjectKey, item: JsonObject) -> JsonObject:
        """What the server would make of an object."""
        query = {"fieldManager": FIELD_MANAGER, "force": "true", "dryRun": "All", "fieldValidation": "Strict"}
        body = msgspec.json.encode(item)
        answer = await self._client.request("PATCH", gvr.path(*key), query=query, body=body, content_type=APPLY)
        try:
            found = msgspec.json.decode(answer.body)
        except msgspec.DecodeError:
            found = None
        if not isinstance(found, dict) or not isinstance(found.get("metadata"), dict):
            raise UnexpectedAnswer(self._client.identity.server, "something that is no object")
        return found


def _all_new(item: JsonObject, called: str, why: str) -> Compared:
    """An object of which the server cannot be asked: all of it is new."""
    note = f"ktui: {clean(called)} is shown as it is written: {clean(why)}."
    return Compared(_difference({}, item), [note])


def _difference(live: JsonObject, merged: JsonObject) -> list[str]:
    before, after = texts(live, merged, ("before", "after"))
    # `None` is no line: an empty text has none.
    lines = [*unified(before.split("\n")[:-1], after.split("\n")[:-1])]
    if not lines:
        return []
    meta = merged["metadata"]
    parts = (*str(merged.get("apiVersion", "")).split("/"), merged.get("kind"), meta.get("namespace"), meta.get("name"))
    name = ".".join(str(part) for part in parts if part)
    return [f"--- {_LIVE}/{name}", f"+++ {_MERGED}/{name}", *lines]


def _defines(item: Mapping[str, Any]) -> tuple[str, str] | None:
    """The group and kind that a definition defines."""
    spec = item.get("spec")
    if item.get("kind") != "CustomResourceDefinition" or not isinstance(spec, dict):
        return None
    names = spec.get("names")
    return str(spec.get("group")), str(names.get("kind") if isinstance(names, dict) else "")


def _name(item: Mapping[str, Any]) -> str:
    meta = item.get("metadata")
    return str(meta.get("name") or "") if isinstance(meta, dict) else ""


# -- words -----------------------------------------------------------------------------------------


def _refused(wanted: Wanted, error: KtuiError) -> list[str]:
    """Why an object could not be compared: at its lines, where the server names fields."""
    document = wanted.document
    if isinstance(error, ApiError) and wanted.item is document.value:
        problems = problems_of(error.message, error.details.causes, document)
        if any(problem.path for problem in problems):
            return [problem_line(wanted.file, problem) for problem in problems]
    where = f"{wanted.file}:{document.line}"
    step = f" {error.next_step}" if error.next_step else ""
    return [clean(f"{where}: {wanted.item.get('kind')} {_name(wanted.item)}: {error.sentence}{step}")]


def _print(lines: Sequence[str]) -> None:
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    for line in lines:
        # A terminal obeys nothing that stands in an object.
        said = line[:1] + clean(line[1:])
        colour = _COLOURS.get(line[:1]) if coloured else None
        print(f"\x1b[{colour}m{said}\x1b[m" if colour else said)
