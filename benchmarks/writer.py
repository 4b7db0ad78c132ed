"""A cluster that lives: pods, picked at random from all, are restarted so many times a second.

    python -m benchmarks.writer KUBECONFIG RATE

It says `begun` with its first change and how many it made once standard input closes.
"""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

import aiohttp

from benchmarks.access import Access, read_access
from benchmarks.asking import Asking
from benchmarks.pods import PATCH, Restarting
from benchmarks.rows import pod_rows


async def write(access: Access, rate: float) -> None:
    """Change pods until standard input closes."""
    loop = asyncio.get_running_loop()
    read = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    with Asking(access) as asking:
        # Those that run have containers whose restarts are counted.
        pods = [Restarting(row.namespace, row.name, 0) for row in pod_rows(asking) if row.status == "Running"]
    async with aiohttp.ClientSession(access.server, headers=access.headers) as session:
        chance = random.Random(1)
        written, due = 0, loop.time()

        async def change(pod: Restarting) -> None:
            patch = pod.restarted(chance.randrange(1, 90))
            async with session.patch(pod.path, json=patch, headers={"Content-Type": PATCH}, ssl=access.trust) as answer:
                answer.raise_for_status()

        async with asyncio.TaskGroup() as changes:
            while not read.done():
                changes.create_task(change(chance.choice(pods)))
                written += 1
                if written == 1:
                    print("begun", flush=True)
                due += 1 / rate
                await asyncio.sleep(due - loop.time())
    print(written, flush=True)


if __name__ == "__main__":
    asyncio.run(write(read_access(Path(sys.argv[1])), float(sys.argv[2])))
