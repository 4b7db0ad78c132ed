"""Pace: how fast a line is, which decides whether bodies are packed."""

from __future__ import annotations

import socket
import struct
from typing import Any

NEAR = 0.001
"""Seconds to a server and back within a machine or a data centre, where lines are fast."""

FAST = 4e6
"""Bytes a second of a line over which packing saves no time."""

ENOUGH = 64 * 1024
"""Bytes of a body from which on its time tells something."""

# Where Linux keeps the smoothed round-trip time, in microseconds, in its answer to TCP_INFO (linux/tcp.h).
_RTT = struct.Struct("68xI")


class Pace:
    """How large bodies come over one line.

    A server packs about 100 MB of lists a second, on a core that it could answer others with, and makes a tenth of
    them. That pays on a line of some megabytes a second, and costs time on a fast one. A server that is near is tried
    without; when that turns out to be slow, as through a tunnel, it is asked to pack from then on.

    Attributes:
        encoding: what to accept of the next large body.
    """

    def __init__(self) -> None:
        self.encoding = "gzip"
        self._slow = False

    def took(self, size: int, seconds: float, *, packed: bool, round_trip: float | None) -> None:
        """Take notice of a body.

        Args:
            size: bytes as they came over the wire.
            seconds: from its first bytes to its last.
            packed: whether it was packed.
            round_trip: seconds to the server and back; None when nobody knows.
        """
        if not packed and size >= ENOUGH and size / max(seconds, 1e-6) < FAST:
            self._slow = True
        near = round_trip is not None and round_trip < NEAR
        self.encoding = "identity" if near and not self._slow else "gzip"


def round_trip(transport: Any) -> float | None:
    """Seconds to the other end of a connection and back; None where the system does not say.

    Args:
        transport: an asyncio transport; None when it is closed already.
    """
    option = getattr(socket, "TCP_INFO", None)
    connected = transport.get_extra_info("socket") if transport is not None else None
    if option is None or connected is None:
        return None
    try:
        told = connected.getsockopt(socket.IPPROTO_TCP, option, _RTT.size)
        return float(_RTT.unpack(told)[0]) / 1e6
    except (OSError, struct.error):
        return None
