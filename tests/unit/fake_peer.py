"""A program that shows pods, for the benchmarks' own tests: it does what they look for, and nothing else.

    python -m tests.unit.fake_peer PODS

It shows its first rows before it says how many there are, keeps a cursor, turns pages and filters.
"""

from __future__ import annotations

import os
import re
import sys
import tty

HEIGHT = 20
_KEYS = re.compile(r"\x1b\[[0-9]*[A-Z~]|.", re.DOTALL)


class Page:
    """The rows that are seen.

    Args:
        pods: how many there are.
    """

    def __init__(self, pods: int) -> None:
        self._names = [pod_name(number) for number in range(pods)]
        self._text: str | None = None
        self._top = self._cursor = 0

    def press(self, key: str) -> None:
        """Do what a key does."""
        if self._text is not None and key.isprintable():
            self._text += key
            self._top = self._cursor = 0
        elif key == "/":
            self._text = ""
        elif key == "\x1b":
            self._text = None
        elif key == "\x1b[6~":
            self._top, self._cursor = self._top + HEIGHT, 0
        elif key in ("\x1b[A", "\x1b[B"):
            self._cursor += 1 if key == "\x1b[B" else -1

    def draw(self) -> str:
        """The screen's rows, and how many there are."""
        shown = [name for name in self._names if (self._text or "") in name]
        lines = [f"Pods(all)[{len(shown):,}]"]
        for place, name in enumerate(shown[self._top :][:HEIGHT]):
            lines.append(f"\x1b[{7 if place == self._cursor else 0}m team {name} Running\x1b[m")
        return "\x1b[2J\x1b[H" + "\r\n".join(lines)


def pod_name(number: int) -> str:
    """The name of a pod."""
    return f"app-{number % 7}-{number:05}"


def main() -> None:
    """Show pods until the terminal is closed."""
    tty.setraw(0)
    page = Page(int(sys.argv[1]))
    # As if the others were still on their way.
    os.write(1, f" team {pod_name(0)} Running".encode())
    while True:
        os.write(1, page.draw().encode())
        for key in _KEYS.findall(os.read(0, 1000).decode()):
            page.press(key)


if __name__ == "__main__":
    main()
