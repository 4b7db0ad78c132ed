"""Reference for the complete list: nothing but aiohttp and msgspec, in pages as ktui takes them, into the same Structs.

It says `first` when the first page is decoded, `complete N` when all are.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from pathlib import Path

import aiohttp
import msgspec

from benchmarks.access import Access, read_access
from ktui.kinds.pods import Pod

FIRST_PAGE, PAGE = 500, 1000


class _Meta(msgspec.Struct):
    continue_: str = msgspec.field(default="", name="continue")


class _Pods(msgspec.Struct):
    metadata: _Meta
    items: list[Pod]


async def list_pods(access: Access) -> None:
    """List all pods, and say how far it is."""
    pods: list[Pod] = []
    decode = msgspec.json.Decoder(_Pods).decode
    query = {"limit": str(FIRST_PAGE)}
    gc.disable()
    async with aiohttp.ClientSession(headers=access.headers) as session:
        while True:
            async with session.get(f"{access.server}/api/v1/pods", params=query, ssl=access.trust) as answer:
                answer.raise_for_status()
                page = decode(await answer.read())
            if not pods:
                print("first", flush=True)
            pods += page.items
            if not page.metadata.continue_:
                break
            query = {"limit": str(PAGE), "continue": page.metadata.continue_}
    print(f"complete {len(pods)}", flush=True)


if __name__ == "__main__":
    asyncio.run(list_pods(read_access(Path(sys.argv[1]))))
