"""A quiet embedded cluster: many pods at rest and no story, so that nothing changes but what a benchmark changes."""

from __future__ import annotations

import asyncio
import gc
import sys
from pathlib import Path

from ktui.demo.run import serve
from ktui.demo.users import write_kubeconfig


async def run(kubeconfig: Path, pods: int, nodes: int) -> None:
    """Serve until standard input closes.

    Args:
        kubeconfig: where to write how to get in, once it listens.
        pods: how many.
        nodes: how many.
    """
    cluster = await serve(pods=pods, nodes=nodes, story=False)
    gc.collect()
    gc.freeze()
    try:
        write_kubeconfig(kubeconfig, cluster.all_contexts())
        print("listening", flush=True)
        await asyncio.to_thread(sys.stdin.read)
    finally:
        await cluster.stop()


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
