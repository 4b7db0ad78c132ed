"""The programs that are measured: ktui, and others that are found on the path."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace


def shows_count(text: str, pods: int) -> bool:
    """Whether a screen shows how many pods there are, which is how most programs tell that they have all.

    Args:
        text: the screen's.
        pods: how many there are.
    """
    return re.search(rf"(?<![\d,])({pods}|{pods:,})(?![\d,])", text) is not None


def _live(text: str, pods: int) -> bool:
    """Whether the title of ktui's pods has their count and no filter, and the edge below says that they are live."""
    counted = re.search(r"Pods ([\d,]+) ─", text)
    live = re.search(r"● live[ ─]*╯[^╯]*\Z", text)
    return counted is not None and live is not None and int(counted[1].replace(",", "")) >= pods


@dataclass(frozen=True, slots=True)
class Program:
    """A program that shows all pods of a cluster on a terminal.

    Attributes:
        name: what the table calls it.
        command: its arguments; `{kubeconfig}` in them stands for a path, which is in `$KUBECONFIG` as well.
        complete: whether the screen's text says that all pods are there.
        framed: what stands on the screen with the first frame.
        usable: what stands in the last line when keys are taken; empty when nothing tells.
        to_pods: pressed once the first frame stands, where it does not open on all pods.
        to_table: pressed when all pods are there, to bring the keyboard to them.
        keep_filter: pressed after the text of a filter, where that is needed before Esc clears it.
    """

    name: str
    command: tuple[str, ...]
    complete: Callable[[str, int], bool] = shows_count
    framed: str = ""
    usable: str = ""
    to_pods: tuple[str, ...] = ()
    to_table: tuple[str, ...] = ()
    keep_filter: tuple[str, ...] = ()

    def with_arguments(self, *arguments: str) -> Program:
        """The same program with further arguments."""
        return replace(self, command=(*self.command, *arguments))


_KTUI = (sys.executable, "-m", "ktui", "--kubeconfig", "{kubeconfig}")

HOME = Program("ktui", _KTUI, _live, framed="ktui", usable="? Help", to_table=("4",))
PODS = Program("ktui pods -A", (*_KTUI, "pods", "-A"), _live, framed="ktui", usable="? Help")

OURS = (HOME, PODS)

PEERS = (
    Program(
        "k9s",
        ("k9s", "--kubeconfig", "{kubeconfig}", "--all-namespaces", "--command", "pods", "--readonly"),
        keep_filter=("enter",),
    ),
    Program("sofka", ("sofka", "pods", "--all-namespaces"), keep_filter=("enter",)),
    Program("korvid", ("korvid", "--readonly", "--no-restart"), to_pods=("0",), keep_filter=("enter",)),
)
"""Others, as far as their documentation tells; they are measured where they are on the path."""


def found_peers() -> list[Program]:
    """The peers that are on the path."""
    return [
        replace(peer, command=(path, *peer.command[1:]))
        for peer in PEERS
        if (path := shutil.which(peer.command[0])) is not None
    ]
