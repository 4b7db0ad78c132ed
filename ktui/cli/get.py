"""`ktui get`: the rows of the panes as plain text, or whole objects as JSON or YAML."""

from __future__ import annotations

import asyncio
import sys
from argparse import Namespace
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from ktui.cli.arguments import kubeconfig_of
from ktui.cli.complaint import Usage, complain
from ktui.cli.rows import RowWriter
from ktui.kinds.kind import Kind
from ktui.kinds.names import ObjectKey
from ktui.kinds.row import Row
from ktui.kube.client import Client
from ktui.kube.errors import KtuiError, UnexpectedAnswer
from ktui.kube.kubeconfig import load_kubeconfig
from ktui.kube.list_watch import ListWatch, list_rows
from ktui.kube.listing import kinds_called
from ktui.kube.objects import get_row
from ktui.logs import start_logging

WHOLE = ("json", "yaml")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Objects of one kind that were asked for.

    Attributes:
        kind: their kind.
        namespaces: where; `("",)` for everywhere and for cluster-scoped kinds.
        names: which; empty for all.
    """

    kind: Kind
    namespaces: tuple[str, ...]
    names: tuple[str, ...]


def run(arguments: Namespace) -> int:
    """Print what is asked for; 1 when some of it could not be had.

    Raises:
        KtuiError: nothing could be had at all.
        BrokenPipeError: whoever read our output has gone.
    """
    _check(arguments)
    start_logging(arguments.log_file)
    # Names may have letters that a terminal without UTF-8 has not.
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    return asyncio.run(_get(arguments))


def _check(arguments: Namespace) -> None:
    """Refuse what does not fit together, before anyone is asked."""
    named = bool(arguments.names) or "/" in arguments.kind
    if named and (arguments.all_namespaces or len(arguments.namespace or ()) > 1):
        raise Usage("An object is looked up by name in one namespace, not in several.", "Give one with -n.")
    if named and (arguments.selector or arguments.field_selector):
        raise Usage("Objects are chosen by name or by selector, not by both.", "Leave out one of the two.")
    if arguments.output in WHOLE and arguments.sort_by:
        raise Usage(f"--sort-by orders rows, and -o {arguments.output} prints none.", "Leave out one of the two.")
    if arguments.watch and arguments.output in WHOLE:
        raise Usage(
            f"--watch prints rows, and -o {arguments.output} prints none.", "Use -o table, wide, name or csv with it."
        )
    if arguments.watch and ("," in arguments.kind or len(arguments.names) > 1):
        raise Usage("--watch follows one kind, or one object.", "Name one.")
    if arguments.watch and arguments.sort_by:
        raise Usage("--watch prints rows as they change, in no other order.", "Leave out --sort-by.")


async def _get(arguments: Namespace) -> int:
    client = await Client.connect(load_kubeconfig(kubeconfig_of(arguments)), arguments.context)
    try:
        wanted = await _wanted(arguments, client)
        if arguments.output in WHOLE:
            from ktui.cli.whole import print_whole

            return await print_whole(client, wanted, arguments)
        if arguments.watch:
            from ktui.cli.watch import print_changes

            return await print_changes(client, wanted[0], _writer(arguments, wanted), arguments)
        return await _print_rows(client, wanted, arguments)
    except msgspec.MsgspecError:
        raise UnexpectedAnswer(client.identity.server, "JSON of another shape") from None
    finally:
        await client.close()


async def _wanted(arguments: Namespace, client: Client) -> list[Wanted]:
    """What the words mean: `pods`, `po,svc`, `pod web-1 web-2`, `pod/web-1 svc/web`."""
    if "/" not in arguments.kind:
        named = {word: tuple(arguments.names) for word in dict.fromkeys(arguments.kind.split(",")) if word}
    else:
        named = {}
        for reference in (arguments.kind, *arguments.names):
            word, slash, name = reference.partition("/")
            if not (word and slash and name) or "/" in name:
                raise Usage(f"{reference!r} is not KIND/NAME.", "Write all of them like pod/web-1, or none.")
            named[word] = (*named.get(word, ()), name)
    if not named:
        raise Usage("No kind is named.", "Name one, such as pods.")
    kinds = await kinds_called(named, client)
    wanted = [_at(kind, names, arguments, client) for word, names in named.items() for kind in kinds[word]]
    if arguments.watch and len(wanted) > 1:
        raise Usage(f"--watch follows one kind, and {arguments.kind!r} means several.", "Name one.")
    return wanted


def _at(kind: Kind, names: tuple[str, ...], arguments: Namespace, client: Client) -> Wanted:
    if not kind.namespaced or arguments.all_namespaces:
        return Wanted(kind, ("",), names)
    return Wanted(kind, arguments.namespace or (client.identity.namespace,), names)


async def _print_rows(client: Client, wanted: list[Wanted], arguments: Namespace) -> int:
    writer, code, found = _writer(arguments, wanted), 0, False
    for one in wanted:
        kind, rows, errors = await _rows(client, one, arguments)
        for error in errors:
            complain(error)
            code = 1
        if rows:
            writer.write(kind, _sorted(rows, writer, kind, arguments.sort_by))
            found = True
    if not found and not code:
        print(_nothing(wanted), file=sys.stderr)
    return code


async def _rows(client: Client, wanted: Wanted, arguments: Namespace) -> tuple[Kind, list[Row], list[KtuiError]]:
    """The rows that were asked for, with the kind as the server completed it; and what could not be had by name."""
    kind, rows, errors = wanted.kind, [], []
    for namespace in wanted.namespaces:
        if not wanted.names:
            list_watch = ListWatch(
                client, kind, namespace, label_selector=arguments.selector, field_selector=arguments.field_selector
            )
            rows += await list_rows(list_watch)
            kind = list_watch.kind
            continue
        asked = (get_row(client, wanted.kind, ObjectKey(namespace, name)) for name in wanted.names)
        for answer in await asyncio.gather(*asked, return_exceptions=True):
            if isinstance(answer, KtuiError):
                errors.append(answer)
            elif isinstance(answer, BaseException):
                raise answer
            else:
                kind = answer[0]
                rows.append(answer[1])
    return kind, rows, errors


def _writer(arguments: Namespace, wanted: list[Wanted]) -> RowWriter:
    return RowWriter(
        sys.stdout,
        output=arguments.output,
        headers=arguments.headers,
        with_namespaces=arguments.all_namespaces or len(arguments.namespace or ()) > 1,
        with_kinds=len(wanted) > 1,
    )


def _sorted(rows: list[Row], writer: RowWriter, kind: Kind, name: str) -> Iterable[Row]:
    """The rows by a column, whether or not the output shows it; in the server's order when none is named."""
    if not name:
        return rows
    columns = writer.all_columns(kind)
    column = next((column for column in columns if column.name == name.upper()), None)
    if column is None:
        names = ", ".join(column.name.lower() for column in columns)
        raise Usage(f"{kind.title} have no column {name!r} to sort by.", f"They have: {names}.")
    return sorted(rows, key=column.sort_key)


def _nothing(wanted: list[Wanted]) -> str:
    """kubectl's words for an empty list."""
    namespaces = {namespace for one in wanted for namespace in one.namespaces}
    if len(namespaces) == 1 and (namespace := next(iter(namespaces))):
        return f"No resources found in {namespace} namespace."
    return "No resources found"
