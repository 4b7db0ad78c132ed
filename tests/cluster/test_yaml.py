"""YAML as kubectl reads it: the corpus once more, and what ktui writes.

The cluster matters little: kubectl reads before it asks. But it wants to know what a ConfigMap is.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import Phase, given, settings

from ktui.manifests.reading import read
from ktui.manifests.writing import write
from tests.cluster.clusters import Cluster
from tests.cluster.yaml_corpus import HEAD, ask, asked, in_64_bits, kubectl, recorded, texts
from tests.values import OBJECTS, same

Command = list[str]
SAMPLE = 25
"""Refusals that are asked for again, of each file: each of them costs a process."""

MANY = 500
"""Objects by chance that kubectl reads at once."""


@pytest.fixture
def command() -> Command:
    """How kubectl is called."""
    found = kubectl()
    if found is None:
        pytest.skip("KTUI_TEST_KUBECTL names no kubectl")
    return found


@pytest.mark.parametrize("name", texts())
async def test_the_recorded_corpus_is_what_kubectl_makes_of_it(cluster: Cluster, command: Command, name: str) -> None:
    """All values at once, and some of the refusals."""
    known = dict(recorded()[name])
    assert list(known) == texts()[name]
    kubeconfig = cluster.kubeconfig("admin")
    readable = [text for text, seen in known.items() if seen.documents is not None and text.startswith(HEAD)]
    single = [text for text in readable if "\n---" not in text and "\n..." not in text and "\ufeff" not in text]
    together = "---\n".join(text if text.endswith("\n") else f"{text}\n" for text in single)
    seen = await asyncio.to_thread(ask, together, kubeconfig, command)
    assert seen.documents == [item for text in single for item in known[text].documents or ()]
    others = [text for text, before in known.items() if text not in single and before.documents is not None]
    refused = [text for text, before in known.items() if before.documents is None]
    asked_again = others + random.Random(1).sample(refused, min(SAMPLE, len(refused)))
    answers = await asyncio.to_thread(asked, asked_again, kubeconfig, command)
    for text, answer in zip(asked_again, answers, strict=True):
        assert answer.documents == known[text].documents, text


def specimens() -> Iterator[Any]:
    """Values that are hard to write, and many that are made by chance."""
    chance = random.Random(7)
    chars = "ab01 \t\n\n:-#?|>'\"%@`!&*{}[],=<~.é😀\u200b\u2028\x85\r\\/_eExXoOnNyY\x00"
    for _ in range(400):
        yield "".join(chance.choices(chars, k=chance.randint(0, 12)))
    words = (
        "y No on ~ null 1e3 017 0o17 0b1 0x1F 1_0 12:30 2020-01-01 .5 .inf = << - ? : --- ... 'a' \"a\" #a a# {} [] |"
    )
    yield from words.split()
    yield from (0, -1, 2**63 - 1, -(2**63), 1.5, 1e21, 1e-9, 1e300, True, False, None, {}, [], [[]], [[], [1, [2]]])
    yield {"k" * 2000: {"": [{"y": "n"}, {"1": {"a b": "c\n d\n"}}]}}
    yield {"nginx.conf": "server {\n\tlisten 80; # 😀\n}\n\n\n", "next": "x\n  "}


async def test_what_is_written_kubectl_reads(cluster: Cluster, command: Command) -> None:
    """Values of all sorts come back as they were, in one object and in documents of their own."""
    values = list(specimens())
    item = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": values}
    alone = [{**item, "data": {"x": value}} for value in values[::10]]
    text = "---\n".join(write(each) for each in (item, *alone))
    seen = await asyncio.to_thread(ask, text, cluster.kubeconfig("admin"), command)
    assert seen.refusal == ""
    expected = json.dumps(in_64_bits([item, *alone]), sort_keys=True)
    assert json.dumps(seen.documents, sort_keys=True) == expected
    assert json.dumps([document.value for document in read(text).documents], sort_keys=True) == expected


def by_chance() -> list[dict[str, Any]]:
    """Objects by chance, other ones each time."""
    found: list[dict[str, Any]] = []

    @settings(max_examples=MANY, phases=[Phase.generate], database=None)
    @given(OBJECTS)
    def keep(value: dict[str, Any]) -> None:
        found.append(value)

    keep()
    return found


async def test_any_object_that_is_written_kubectl_reads(cluster: Cluster, command: Command) -> None:
    """Each in a document of its own, one behind the other."""
    items = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"x-{number}"}, "data": value}
        for number, value in enumerate(by_chance())
    ]
    text = "---\n".join(map(write, items))
    seen = await asyncio.to_thread(ask, text, cluster.kubeconfig("admin"), command)
    assert seen.refusal == ""
    assert seen.documents is not None
    for item, found in zip(items, seen.documents, strict=True):
        assert same(in_64_bits(item), found)
