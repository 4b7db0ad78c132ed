"""The clusters on which the conformance tests run: the embedded one, and a real one when there is one."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from ktui.demo.run import Cluster as Demo
from ktui.demo.run import serve

REAL = os.environ.get("KTUI_TEST_KUBECONFIG", "")
"""The admin's kubeconfig of a real cluster; those of viewer, dev and nobody lie beside it."""

RESTART = os.environ.get("KTUI_TEST_RESTART", "")
"""A shell command that stops the real API server for some seconds and starts it again."""

OUTAGE = 0.7
"""Seconds for which the embedded API server is away when it restarts."""


@dataclass(frozen=True)
class Cluster:
    """A cluster to test on.

    Attributes:
        kind: `embedded` or `real`.
        kubeconfig: the path of a user's kubeconfig: admin, viewer, dev or nobody.
        own_namespaces: where dev may work.
        restart: takes the API server away for a moment; None where that is not possible.
        demo: the embedded cluster itself.
    """

    kind: str
    kubeconfig: Callable[[str], Path]
    own_namespaces: tuple[str, str]
    restart: Callable[[], Awaitable[None]] | None
    demo: Demo | None = None


async def embedded(folder: Path, speed: float = 1.0) -> Cluster:
    """The embedded cluster, without its story, in this event loop.

    Args:
        folder: where kubeconfigs are written.
        speed: its seconds per second; above 1, its times run ahead of the present.
    """
    demo = await serve(story=False, speed=speed)

    def kubeconfig(user: str) -> Path:
        path = folder / f"{user}.kubeconfig"
        demo.server.write_kubeconfig(path, user)
        return path

    async def restart() -> None:
        await demo.server.faults.refuse()
        await asyncio.sleep(OUTAGE)
        await demo.server.faults.accept()

    return Cluster("embedded", kubeconfig, ("shop", "lesson"), restart, demo)


def real() -> Cluster:
    """The real cluster that the environment names."""

    async def restart() -> None:
        process = await asyncio.create_subprocess_shell(RESTART, stdout=asyncio.subprocess.DEVNULL)
        assert await process.wait() == 0, f"{RESTART} failed"

    folder = Path(REAL).parent
    return Cluster(
        "real",
        lambda user: Path(REAL) if user == "admin" else folder / f"{user}.kubeconfig",
        ("team-a", "team-b"),
        restart if RESTART else None,
    )
