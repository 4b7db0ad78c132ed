"""The words in which labels and annotations are changed: `key=value` sets, `key-` removes.

Parsed, and refused, as kubectl does it. What only the server would refuse, a key, is found out as it is typed, in the
server's words. Sources: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
and k8s.io/kubectl/pkg/cmd/label.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ktui.actions.action import MERGE_PATCH, Cluster, Refusal, Step, Target, Undone, Write
from ktui.actions.form import Form, SwitchField, TextField, Values
from ktui.actions.kubectl import kubectl
from ktui.actions.names import label_value
from ktui.kinds.kind import Kind
from ktui.kube.errors import KtuiError

WORDS, OVERWRITE = "words", "overwrite"
"""The names of the fields of a form that changes labels, annotations or taints."""

_MOST_FACTS = 20


class Pairs(NamedTuple):
    """What is to become of some labels or annotations.

    Attributes:
        put: the values to set, by their keys.
        gone: the keys to remove.
    """

    put: dict[str, str]
    gone: tuple[str, ...]

    def patch(self) -> dict[str, str | None]:
        """As a merge patch has it: null removes."""
        return {**self.put, **dict.fromkeys(self.gone)}

    def applied(self, before: Mapping[str, str]) -> dict[str, str]:
        """What they make of those there are."""
        return {key: value for key, value in {**before, **self.put}.items() if key not in self.gone}


def words_of(text: str) -> list[str]:
    """One change a line; empty lines say nothing."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def parse_labels(words: Sequence[str]) -> Pairs:
    """Read changes of labels.

    Raises:
        Refusal: as kubectl words it.
    """
    put: dict[str, str] = {}
    gone = []
    for word in words:
        key, equals, value = word.partition("=")
        if "=" in value:
            raise Refusal(f"invalid label spec: {word}")
        if equals:
            if wrong := label_value(value):
                # `kubectl label` puts nothing between several.
                raise Refusal(f"invalid label value: {quoted(word)}: {wrong.replace('; ', ';')}")
            put[key] = value
        elif word.endswith("-") and word != "-":
            gone.append(word.removesuffix("-"))
        else:
            raise Refusal(f"unknown label spec: {word}")
    if put.keys() & set(gone):
        raise Refusal("can not both modify and remove a label in the same command")
    return Pairs(put, tuple(gone))


def parse_annotations(words: Sequence[str]) -> Pairs:
    """Read changes of annotations, whose values may be any text.

    Raises:
        Refusal: as kubectl words it.
    """
    put: dict[str, str] = {}
    gone, invalid = [], []
    for word in words:
        key, equals, value = word.partition("=")
        if equals and key:
            put[key] = value
        elif not equals and word.endswith("-") and word != "-":
            gone.append(word.removesuffix("-"))
        else:
            invalid.append(word)
    if invalid:
        raise Refusal(f"invalid annotation format: {', '.join(invalid)}")
    if both := [key for key in gone if key in put]:
        what = "can not both modify and remove the following annotation(s) in the same command"
        raise Refusal(f"{what}: {', '.join(both)}")
    return Pairs(put, tuple(gone))


def checked(parse: Callable[[Sequence[str]], Pairs], key: Callable[[str], str]) -> Callable[[str], str]:
    """What is wrong with a text of changes as it is typed, for a form's field.

    Args:
        parse: reads the lines.
        key: what is wrong with a key; empty when nothing is.
    """

    def wrong(text: str) -> str:
        try:
            pairs = parse(words_of(text))
        except Refusal as refusal:
            return refusal.sentence
        found = ((name, key(name)) for name in (*pairs.put, *pairs.gone))
        return next((f"{quoted(name)}: {words}" for name, words in found if words), "")

    return wrong


def quoted(text: str) -> str:
    """In double quotes, as Go's `%q`."""
    return json.dumps(text, ensure_ascii=False)


def aggregate(errors: Sequence[str]) -> str:
    """Several errors as Kubernetes' programs print them: `[one, two]`; one stands alone."""
    return errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]"


def printed_name(target: Target) -> str:
    """How kubectl calls an object when it has changed it: `pod/web`, `deployment.apps/web`."""
    group = target.kind.gvr.group
    return f"{target.kind.singular}{'.' if group else ''}{group}/{target.key.name}"


# -- the action that labels and annotations share --------------------------------------------------


def has_metadata(kind: Kind) -> bool:
    """Whether objects of a kind are kept somewhere, so that their metadata can be changed: measurements are not."""
    return kind.gvr.group != "metrics.k8s.io"


def metadata(item: Mapping[str, Any], field: str) -> dict[str, str]:
    """The `labels` or `annotations` of an object."""
    return (item.get("metadata") or {}).get(field) or {}


def metadata_step(target: Target, field: str, verb: str, pairs: Pairs, values: Values) -> Step:
    """The merge patch that kubectl sends.

    Args:
        target: what is changed.
        field: `labels` or `annotations`.
        verb: kubectl's, `label`.
        pairs: what changes.
        values: what the form was filled with.
    """
    more = (*words_of(values[WORDS]), *(["--overwrite"] if values[OVERWRITE] else []))
    body = {"metadata": {field: pairs.patch()}}
    return Step(
        target,
        Write("PATCH", target.kind.gvr.path(*target.key), body, MERGE_PATCH),
        kubectl([verb], target.kind, target.key, *more),
        undone=Undone.PATCH,
    )


async def metadata_form(
    cluster: Cluster, targets: Sequence[Target], field: str, check: Callable[[str], str], placeholder: str
) -> Form:
    """Lines of changes, and what is there now; for several objects what all of them have.

    Args:
        cluster: where.
        targets: the objects.
        field: `labels` or `annotations`.
        check: what is wrong with the lines.
        placeholder: an example.
    """
    text = TextField(
        name=WORDS,
        label=field.capitalize(),
        help="key=value sets, key- removes; one a line",
        check=check,
        required=True,
        lines=4,
        placeholder=placeholder,
    )
    overwrite = SwitchField(name=OVERWRITE, label="Overwrite", help="whether values that are there may change")
    return Form((text, overwrite), await _facts(cluster, targets, field))


async def _facts(cluster: Cluster, targets: Sequence[Target], field: str) -> tuple[str, ...]:
    try:
        items = await live_objects(cluster, targets)
    except KtuiError as error:
        return (f"The present {field} cannot be read: {error.sentence}",)
    first, *others = (metadata(item, field).items() for item in items)
    common = sorted(pair for pair in first if all(pair in other for other in others))
    lines = [f"{key}={_brief(value)}" for key, value in common[:_MOST_FACTS]]
    if len(common) > _MOST_FACTS:
        lines.append(f"and {len(common) - _MOST_FACTS} more")
    if lines:
        return (f"All {len(targets)} have:", *lines) if others else tuple(lines)
    return (f"No {field} that all {len(targets)} have." if others else f"No {field} yet.",)


def _brief(value: str) -> str:
    line = " ".join(value.split())
    return line if len(line) <= 80 else f"{line[:79]}…"


async def live_objects(cluster: Cluster, targets: Iterable[Target]) -> list[dict[str, Any]]:
    """The whole objects, read where they have not been read yet.

    Raises:
        KtuiError: one cannot be read.
    """

    async def read(target: Target) -> dict[str, Any]:
        return target.item if target.item is not None else await cluster.get(target.kind.gvr, target.key)

    return await asyncio.gather(*map(read, targets))
