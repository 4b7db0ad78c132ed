"""ktui on a pseudo-terminal, and what a benchmark looks for on its screen."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from ktui.cli.explore import prepare_textual
from ktui.widgets.palette import DARK
from tests.terminal import PseudoTerminal

SIZE = (200, 50)

ENVIRON = dict(os.environ)
"""What ktui sets before it imports Textual, for references as well."""
prepare_textual(ENVIRON)

_ALL_PODS = re.compile(r"Pods ([\d,]+) ─")
_IN_PODS = 120
"""A column that runs through the pods' pane, which is on the right."""


class Ktui(PseudoTerminal):
    """ktui, looking at all namespaces of a cluster.

    Args:
        kubeconfig: how to get in.
    """

    def __init__(self, kubeconfig: Path) -> None:
        command = [sys.executable, "-m", "ktui", "--kubeconfig", str(kubeconfig)]
        super().__init__(command, size=SIZE, environ=ENVIRON)

    def framed(self) -> bool:
        """Whether the first frame stands: the program's name, while the rest of it is being imported."""
        return "ktui" in self.lines[0]

    def usable(self) -> bool:
        """Whether the page stands from the header to the keys in the last line, and takes keys."""
        return "? Help" in self.lines[-1]

    def pods_shown(self) -> int:
        """How many pods the title says there are; 0 while they are being listed."""
        counts = [count for line in self.lines if (count := _ALL_PODS.search(line)) is not None]
        return int(counts[0][1].replace(",", "")) if counts else 0

    def has_a_pod(self) -> bool:
        """Whether a row of a pod stands on the screen."""
        top = next((y for y, line in enumerate(self.lines) if "╮╭ Deployments" not in line and "╭ Pods" in line), 0)
        return top > 0 and any(glyph in self.lines[top + 2][_IN_PODS:] for glyph in "●◐▲✖○")

    def all_live(self, pods: int) -> bool:
        """Whether all pods are there, and the pane says that they are live."""
        return self.pods_shown() >= pods and self._pods_edge().endswith("● live")

    def _pods_edge(self) -> str:
        return next((line.rstrip("─╯ ") for line in reversed(self.lines) if line.startswith("╰")), "")

    def cursor_line(self) -> int | None:
        """The line on which the cursor stands in the pods' pane."""
        ground = DARK.cursor.removeprefix("#")
        return next((y for y in range(SIZE[1]) if self.cell(_IN_PODS, y).bg == ground), None)

    def line_of(self, name: str) -> str:
        """The line of the pod `name`; empty when it is not on the screen."""
        return next((line for line in self.lines if f" {name} " in line), "")
