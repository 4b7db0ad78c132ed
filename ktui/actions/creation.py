"""What actions that create objects share: name and namespace, lines of `KEY=VALUE`, a command, the step, the end."""

from __future__ import annotations

import shlex
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from typing import Any

from ktui.actions.action import Cluster, Doing, JsonObject, Refusal, Said, Step, Target, Undone, Write
from ktui.actions.form import TextField, Values
from ktui.actions.kubectl import in_namespace
from ktui.actions.names import dns_label
from ktui.kinds.kind import Kind
from ktui.kinds.manifest import manifest
from ktui.kinds.names import GVR, ObjectKey
from ktui.kinds.tone import Tone


def name_field(check: Callable[[str], str], text: str = "", placeholder: str = "") -> TextField:
    """The name of what is made."""
    return TextField(
        name="name",
        label="Name",
        help="What it is called.",
        text=text,
        check=lambda typed: check(typed.strip()),
        required=True,
        placeholder=placeholder,
    )


def namespace_field(cluster: Cluster, targets: Sequence[Target]) -> TextField:
    """Where it is made: in the namespace that is looked at, else in the kubeconfig context's, as kubectl does."""
    where = next((target.key.namespace for target in targets if target.key.namespace), cluster.namespace)
    return TextField(
        name="namespace",
        label="Namespace",
        help="Where it is made.",
        text=where,
        check=lambda typed: dns_label(typed.strip()),
        required=True,
    )


def command_field(help: str) -> TextField:  # noqa: A002 - as the field calls it
    """The command of a container, as one types it in a shell."""
    return TextField(name="command", label="Command", help=help, check=_unsplit, placeholder="/agnhost netexec")


def text_of(values: Values, name: str) -> str:
    """What a text field was filled with, without the blanks around it; empty when it is not in the form."""
    return str(values.get(name) or "").strip()


def whole_name(values: Values) -> str:
    """The name that was typed.

    Raises:
        Refusal: none was.
    """
    if not (name := text_of(values, "name")):
        raise Refusal("exactly one NAME is required, got 0")
    return name


def meta(values: Values, **more: Any) -> JsonObject:
    """The metadata of what is made: its name, and its namespace if it has one."""
    namespace = text_of(values, "namespace")
    return {"name": whole_name(values), **({"namespace": namespace} if namespace else {}), **more}


def words_of(command: str) -> list[str]:
    """A command as its words, as a shell takes it apart.

    Raises:
        Refusal: a quote is not closed.
    """
    if wrong := _unsplit(command):
        raise Refusal(wrong)
    return shlex.split(command)


def pairs(text: str, *, secret: bool = False) -> Iterator[tuple[str, str]]:
    """Lines of `KEY=VALUE`, taken apart as kubectl takes `--from-literal`: at the first `=`, and nothing is trimmed.

    Args:
        text: the lines; blank ones are left out.
        secret: whether what was typed is not to be repeated in what is said about it.

    Raises:
        Refusal: a line is no such pair.
    """
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        key, equals, value = line.partition("=")
        if not key or not equals:
            said = f"in line {number}" if secret else line
            raise Refusal(f"invalid literal source {said}, expected key=value")
        yield key, value


def refused(judge: Callable[[str], Any]) -> Callable[[str], str]:
    """A field's check from a function that takes the text apart, and raises Refusal where it cannot."""

    def check(text: str) -> str:
        try:
            judge(text)
        except Refusal as refusal:
            return refusal.sentence
        return ""

    return check


def creation(kind: Kind, body: JsonObject, *words: str, stdin: str = "", previewed: bool = True) -> Step:
    """The step that makes an object.

    Args:
        kind: its kind.
        body: the whole object.
        words: the kubectl line, from the verb on.
        stdin: what the line reads.
        previewed: whether a dry run says anything.
    """
    named = body["metadata"]
    key = ObjectKey(named.get("namespace", ""), named.get("name", ""))
    return Step(
        Target(kind, key),
        Write("POST", kind.gvr.path(key.namespace), body),
        ("kubectl", *in_namespace(key), *words),
        stdin,
        shown=body,
        undone=Undone.DELETE,
        previewed=previewed,
    )


def from_manifest(kind: Kind, body: JsonObject, *, previewed: bool = True) -> Step:
    """The step for what no kubectl command makes from its arguments. A secret's values are masked in the line."""
    return creation(kind, body, "create", "-f", "-", stdin=manifest(body), previewed=previewed)


async def follow_made(
    doing: Doing, gvr: GVR, called: str, words: Callable[[JsonObject], Said]
) -> AsyncGenerator[Said, None]:
    """How what was made goes on, told whenever that reads differently, until it is neither waited for nor worked on.

    Args:
        doing: the creation.
        gvr: of what was made.
        called: how it is called, with a place for its name: `job {}`.
        words: how far it is; of tone WORKING as long as there is something to wait for.
    """
    made, before = doing.results[0]["metadata"], None
    async with aclosing(doing.cluster.watch(gvr, ObjectKey(made["namespace"], made["name"]))) as found:
        async for item in found:
            if item is None:
                yield Said(f"{called.format(made['name'])} is gone", Tone.FAILED)
                return
            said = words(item)
            if said != before:
                yield said
            if said.tone is not Tone.WORKING:
                return
            before = said


def _unsplit(command: str) -> str:
    try:
        shlex.split(command)
    except ValueError:
        return "A quote is not closed."
    return ""
