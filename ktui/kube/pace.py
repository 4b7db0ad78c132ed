"""Pace: how fast a line is, which decides whether bodies are packed."""

from __future__ import annotations

ENOUGH = 64 * 1024
"""Bytes of a body from which on its time tells something."""

FAST_PACKED, FAST_PLAIN = 4e6, 25e6
"""Bytes a second of a fast line: of packed bodies, which the server packs while it sends, and of plain ones."""


class Pace:
    """How large bodies come over one line.

    A server packs about 100 MB of lists a second, on a core that it could answer others with, and makes a tenth of
    them. That pays on a line of some megabytes a second, and costs time within a machine or a data centre.

    Attributes:
        encoding: what to accept of the next large body.
    """

    def __init__(self) -> None:
        self.encoding = "gzip"

    def took(self, size: int, seconds: float, *, packed: bool) -> None:
        """Take notice of a body.

        Args:
            size: bytes as they came over the wire.
            seconds: from its first bytes to its last.
            packed: whether it was packed.
        """
        if size >= ENOUGH:
            fast = size / max(seconds, 1e-6) >= (FAST_PACKED if packed else FAST_PLAIN)
            self.encoding = "identity" if fast else "gzip"
