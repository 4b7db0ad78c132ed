"""Typing into a long text: how soon a letter is on the screen, beside Textual's own text area in the same run."""

from __future__ import annotations

import random
import string
import sys
from collections.abc import Callable, Sequence

from benchmarks.figures import Figures, middle, percentile
from benchmarks.looking import ENVIRON, SIZE
from benchmarks.programs import HOME
from tests.terminal import PseudoTerminal

LENGTHS = {"typed": 5_000, "typed long": 60_000}
"""Lines, by measure; the longer text has 1.5 MB, which is what a cluster takes at most."""

BARE = "bare text area"

SOON = 0.06
"""Seconds without a byte after which to look whether a key has been answered."""


def measure(figures: Figures, keys: int, say: Callable[[str], None]) -> None:
    """Type into both, in turns.

    Args:
        figures: where the results go.
        keys: how many letters, each time.
        say: told how far it is.
    """
    for name, lines in LENGTHS.items():
        for kind, program in (("editor", HOME.name), ("bare", BARE)):
            say(f"typing into {lines:,} lines: {program}")
            times = typed(kind, lines, keys)
            for share, value in (("p50", middle(times)), ("p95", percentile(times, 0.95))):
                into = figures.add if kind == "editor" else figures.compare
                into(f"{name} {share}", program, value)


def typed(kind: str, lines: int, keys: int) -> Sequence[float]:
    """Milliseconds from a letter to its place on the screen.

    Args:
        kind: "editor" or "bare".
        lines: of the text.
        keys: how many letters.
    """
    chance = random.Random(1)
    letters = [chance.choice(string.ascii_lowercase) for _ in range(keys)]
    command = [sys.executable, "-m", "benchmarks.typing_app", kind, str(lines)]
    times = []
    with PseudoTerminal(command, size=SIZE, environ=ENVIRON) as terminal:
        terminal.wait("worker", timeout=60)
        terminal.settle(1.0)
        terminal.show()
        word = "Q"
        terminal.press(word)
        terminal.wait(word, timeout=60)
        for letter in letters:
            # Not in step with anything that happens in turns.
            terminal.receive_for(0.05 + chance.random() / 20)
            terminal.show()
            word += letter
            pressed = terminal.press(letter)
            terminal.settle(SOON)
            times.append(1e3 * (terminal.wait(word, timeout=60) - pressed))
    return times
