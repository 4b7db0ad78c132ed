"""What is being typed at a place of a manifest."""

from __future__ import annotations

import pytest

from ktui.manifests.problems import Path
from ktui.manifests.typed_at import typed_at

TEXT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  labels:
    app: web
spec:
  template:
    spec:
      containers:
      - name: web
        image: nginx
        ports:
        - containerPort: 80
          prot|
        # a note

        env:
          - name: A
            valueFrom:
              se|
      volumes:
      - em|
  strategy:
    type: Re|
  re|
"""
_CONTAINER = ("spec", "template", "spec", "containers", 0)


@pytest.mark.parametrize(
    ("place", "wanted", "word"),
    [
        (0, (*_CONTAINER, "ports", 0), "prot"),
        (1, (*_CONTAINER, "env", 0, "valueFrom"), "se"),
        (2, ("spec", "template", "spec", "volumes", 0), "em"),
        (3, ("spec", "strategy", "type"), "Re"),
        (4, ("spec",), "re"),
    ],
)
def test_keys_and_values(place: int, wanted: Path, word: str) -> None:
    """By the lines above; lists may stand as deep as their key, or deeper."""
    marked = TEXT.split("\n")
    row = [row for row, line in enumerate(marked) if "|" in line][place]
    lines = [line.replace("|", "") for line in marked]
    assert typed_at(lines, row, marked[row].index("|")) == (wanted, word)


@pytest.mark.parametrize(("text", "wanted"), [("", ()), ("sp", ()), ("spec:\n  ", ("spec",)), ("- a: 1\n  ", (0,))])
def test_at_the_beginning(text: str, wanted: Path) -> None:
    """Where nothing, or little, stands above."""
    lines = text.split("\n")
    assert typed_at(lines, len(lines) - 1, len(lines[-1]))[0] == wanted
