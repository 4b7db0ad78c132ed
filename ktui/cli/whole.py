"""Whole objects as JSON or YAML, as `kubectl get -o json` and `-o yaml` print them, with sorted keys."""

from __future__ import annotations

import asyncio
import json
import sys
from argparse import Namespace
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TextIO

import msgspec

from ktui.cli.complaint import complain
from ktui.kinds.kind import Kind
from ktui.kinds.manifest import to_yaml
from ktui.kinds.text import clean_lines
from ktui.kube.client import Client
from ktui.kube.errors import KtuiError
from ktui.kube.listing import list_objects

if TYPE_CHECKING:
    from ktui.cli.get import Wanted


async def print_whole(client: Client, wanted: list[Wanted], arguments: Namespace) -> int:
    """Print all objects as one List, or one object that was named as itself; 1 when one of them could not be had.

    Secrets are printed as they are: whoever asks for a secret's YAML wants it, as from kubectl.

    Args:
        client: whom to ask.
        wanted: what was asked for.
        arguments: of the command line: selectors and the form.

    Raises:
        KtuiError: a list could not be had.
        BrokenPipeError: whoever reads has gone.
    """
    found: list[tuple[Kind, msgspec.Raw]] = []
    errors: list[KtuiError] = []
    for one in wanted:
        for namespace in one.namespaces:
            if one.names:
                for answer in await asyncio.gather(*(_named(client, one.kind, namespace, name) for name in one.names)):
                    if isinstance(answer, KtuiError):
                        errors.append(answer)
                    else:
                        found.append((one.kind, answer))
            else:
                labels, fields = arguments.selector, arguments.field_selector
                listed = await list_objects(client, one.kind.gvr, namespace, labels=labels, fields=fields)
                found += [(one.kind, raw) for raw in listed]
    for error in errors:
        complain(error)
    alone = len(wanted) == 1 and len(wanted[0].names) == 1
    if found or not alone:
        write_whole(found, arguments.output, sys.stdout, alone=alone)
    return 1 if errors else 0


def write_whole(found: list[tuple[Kind, msgspec.Raw]], output: str, to: TextIO, *, alone: bool) -> None:
    """Write objects one by one, so that only one at a time is in memory as more than the bytes that came.

    Args:
        found: objects and their kinds.
        output: `json` or `yaml`.
        to: where.
        alone: whether the only object is written as itself instead of as a List.
    """
    pieces = (_json if output == "json" else _yaml)((_read(kind, raw) for kind, raw in found), alone=alone)
    if to.isatty():
        # A terminal would obey what strangers wrote into an annotation; a file or a program gets it as it is.
        pieces = ("\n".join(clean_lines(piece)) for piece in pieces)
    to.writelines(pieces)


async def _named(client: Client, kind: Kind, namespace: str, name: str) -> msgspec.Raw | KtuiError:
    try:
        return msgspec.Raw((await client.request("GET", kind.gvr.path(namespace, name))).body)
    except KtuiError as error:
        return error


def _read(kind: Kind, raw: msgspec.Raw) -> dict[str, Any]:
    item: dict[str, Any] = msgspec.json.decode(raw)
    # Only the list says what its items are; and nobody reads managedFields (kubectl get --show-managed-fields).
    item = {"apiVersion": kind.gvr.group_version, "kind": kind.kind, **item}
    if isinstance(meta := item.get("metadata"), dict):
        meta.pop("managedFields", None)
    return item


def _json(items: Iterator[dict[str, Any]], *, alone: bool) -> Iterator[str]:
    if alone:
        yield f"{_dump(next(items))}\n"
        return
    yield '{\n    "apiVersion": "v1",\n    "items": ['
    separator = "\n"
    for item in items:
        yield f"{separator}        {_dump(item).replace(chr(10), chr(10) + ' ' * 8)}"
        separator = ",\n"
    end = "\n    ]" if separator == ",\n" else "]"
    yield end + ',\n    "kind": "List",\n    "metadata": {\n        "resourceVersion": ""\n    }\n}\n'


def _yaml(items: Iterator[dict[str, Any]], *, alone: bool) -> Iterator[str]:
    if alone:
        yield to_yaml(_sorted(next(items)))
        return
    begun = False
    for item in items:
        yield ("" if begun else "apiVersion: v1\nitems:\n") + to_yaml([_sorted(item)])
        begun = True
    yield ("" if begun else "apiVersion: v1\nitems: []\n") + 'kind: List\nmetadata:\n  resourceVersion: ""\n'


def _dump(item: dict[str, Any]) -> str:
    return json.dumps(item, indent=4, sort_keys=True, ensure_ascii=False)


def _sorted(value: Any) -> Any:
    """A JSON value with the keys of all its objects in the order of the alphabet."""
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value
