"""Reference for the complete list: rows as the server prints them, one namespace after the other, eight at a time.

A probe of one row tells how many there are, the list of namespaces where; then each namespace's Table without objects.
It says `first` when the first rows are decoded, `complete N` when all are.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from pathlib import Path

import aiohttp

from benchmarks.access import Access, read_access
from benchmarks.rows import NAMES, TABLE, read_names, read_rows

AT_A_TIME = 8


async def list_rows(access: Access) -> None:
    """List the rows of all pods, and say how far it is."""
    gc.disable()
    room = asyncio.Semaphore(AT_A_TIME)
    count = 0
    connections = aiohttp.TCPConnector(ssl=access.trust, limit=AT_A_TIME)
    async with aiohttp.ClientSession(access.server, headers=access.headers, connector=connections) as session:

        async def ask(path: str, accept: str, **query: str) -> bytes:
            async with room, session.get(path, params=query, headers={"Accept": accept}) as answer:
                answer.raise_for_status()
                return await answer.read()

        async def rows_of(namespace: str) -> None:
            nonlocal count
            came = len(read_rows(await ask(f"/api/v1/namespaces/{namespace}/pods", TABLE, includeObject="None")))
            if came and not count:
                print("first", flush=True)
            count += came

        _, names = await asyncio.gather(
            ask("/api/v1/pods", TABLE, includeObject="None", limit="1"), ask("/api/v1/namespaces", NAMES)
        )
        async with asyncio.TaskGroup() as namespaces:
            for name in read_names(names):
                namespaces.create_task(rows_of(name))
    print(f"complete {count}", flush=True)


if __name__ == "__main__":
    asyncio.run(list_rows(read_access(Path(sys.argv[1]))))
