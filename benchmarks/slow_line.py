"""A slow line: a TCP proxy that lets through so many bytes a second towards the client, of all connections together.

    python -m benchmarks.slow_line HOST:PORT BYTES_A_SECOND

It says on which port it listens, and, once standard input closes, how many bytes it carried to the client.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress

PIECE = 8192


class Line:
    """A line of so many bytes a second.

    Args:
        host: where it leads.
        port: likewise.
        rate: bytes a second.

    Attributes:
        carried: bytes that went to the client.
    """

    def __init__(self, host: str, port: int, rate: float) -> None:
        self.carried = 0
        self._host = host
        self._port = port
        self._rate = rate
        self._free_at = 0.0

    async def listen(self) -> asyncio.Server:
        """Serve on a free port of this machine."""
        return await asyncio.start_server(self._connect, "127.0.0.1", 0)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, ours = await asyncio.open_connection(self._host, self._port)
        # Whichever side breaks off, the other one is told by the end of its stream.
        with suppress(ConnectionError):
            await asyncio.gather(self._carry(reader, ours), self._carry(theirs, writer, slowly=True))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, slowly: bool = False) -> None:
        try:
            while piece := await reader.read(PIECE):
                if slowly:
                    await self._take_turns(len(piece))
                writer.write(piece)
                await writer.drain()
        finally:
            writer.close()

    async def _take_turns(self, size: int) -> None:
        """Wait until everything before has gone through, and this as well."""
        now = asyncio.get_running_loop().time()
        self._free_at = max(now, self._free_at) + size / self._rate
        self.carried += size
        await asyncio.sleep(self._free_at - now)


async def run(host: str, port: int, rate: float) -> None:
    """Carry until standard input closes."""
    line = Line(host, port, rate)
    async with await line.listen() as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.to_thread(sys.stdin.read)
    print(line.carried, flush=True)


if __name__ == "__main__":
    _host, _, _port = sys.argv[1].rpartition(":")
    asyncio.run(run(_host, int(_port), float(sys.argv[2])))
