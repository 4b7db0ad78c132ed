"""The embedded cluster as a whole: built, started, and run until somebody has had enough."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import signal
import stat
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ktui.demo.clock import Clock, RealClock, RewoundClock
from ktui.demo.controllers.plane import ControlPlane
from ktui.demo.fleet import create_fleet
from ktui.demo.logs import Logs
from ktui.demo.server import Server
from ktui.demo.storage import Object, Storage
from ktui.demo.story import PAST, RESTLESS_NODE, Story
from ktui.demo.users import USERS, write_kubeconfig

_LOOK_FOR_PARENT_EVERY = 2.0
_PODS_PER_NODE = 100  # a kubelet's limit is 110


@dataclass(slots=True)
class Cluster:
    """A running embedded cluster.

    Attributes:
        server: The API server.
        storage: The objects.
        clock: What time it is in the cluster.
        plane: The controllers; `plane.kubelets` stops and starts nodes.
    """

    server: Server
    storage: Storage
    clock: Clock
    plane: ControlPlane

    def kubeconfig(self, user: str = "admin") -> Object:
        """Returns the kubeconfig of a user: admin, viewer, dev or nobody."""
        return self.server.kubeconfig(user)

    def all_contexts(self) -> Object:
        """Returns a kubeconfig with a context for each user; the current one is the admin's, `demo`."""
        whole = self.server.kubeconfig("admin")
        for user in USERS:
            if user != "admin":
                more = self.server.kubeconfig(user)
                whole["users"] += more["users"]
                whole["contexts"] += more["contexts"]
        return whole

    async def stop(self) -> None:
        """Ends the server and the controllers."""
        self.plane.stop()
        await self.server.stop()


@dataclass(slots=True)
class Built:
    """A cluster with its past behind it, which nobody can reach yet.

    It can be pickled on a clock that can: each copy then lives on by itself.

    Attributes:
        storage: The objects.
        clock: What time it is in the cluster.
        plane: The controllers.
        story: What will happen; None when nothing does by itself.
    """

    storage: Storage
    clock: RewoundClock
    plane: ControlPlane
    story: Story | None

    async def serve(self, port: int = 0) -> Cluster:
        """Begins to serve it on loopback.

        Args:
            port: Where to listen; 0 for any free port.

        Raises:
            OSError: The port is taken.
        """
        server = Server(self.storage, self.clock, port=port, metrics=self.plane.metrics, logs=Logs(self.clock))
        await server.start()
        if self.story is not None:
            self.story.go_on()
        return Cluster(server, self.storage, self.clock, self.plane)


def _say(line: str) -> None:
    print(line, flush=True)


def build(
    *,
    seed: int = 0,
    nodes: int = 5,
    pods: int = 0,
    clock: Clock,
    story: bool = True,
) -> Built:
    """Builds a cluster and brings it to the present.

    Args:
        seed: Same seed, same names, uids and delays.
        nodes: How many nodes, the control plane's included.
        pods: How many pods at rest to add, in 50 namespaces of their own; for each 100 of them there is a node more.
        clock: Its time.
        story: Whether the shop is there and things happen; if not, there are but nodes, namespaces and roles, and
            nobody gives load balancers their addresses.
    """
    rewound = RewoundClock(clock, PAST)
    storage = Storage(rewound, seed=seed)
    plane = ControlPlane(storage, rewound, seed=seed, cloud=story)
    plane.start()
    teller = Story(storage, rewound, plane)
    teller.lay_the_ground(max(nodes, 5 + pods // _PODS_PER_NODE if pods else 0))
    if story:
        teller.live_through_the_past()
    else:
        teller.skip_the_past()
    if pods:
        create_fleet(storage, plane, pods, seed, avoid=(RESTLESS_NODE,))
    return Built(storage, rewound, plane, teller if story else None)


async def serve(
    *,
    port: int = 0,
    seed: int = 0,
    nodes: int = 5,
    pods: int = 0,
    speed: float = 1.0,
    clock: Clock | None = None,
    story: bool = True,
) -> Cluster:
    """Builds a cluster and starts to serve it on loopback.

    Args:
        port: Where to listen; 0 for any free port.
        seed: As for `build`.
        nodes: As for `build`.
        pods: As for `build`.
        speed: Simulated seconds per real second.
        clock: Its time, such as a `SteppedClock`; real time at the given speed when None.
        story: As for `build`.

    Raises:
        OSError: The port is taken.
    """
    present = clock if clock is not None else RealClock(speed)
    return await build(seed=seed, nodes=nodes, pods=pods, clock=present, story=story).serve(port)


async def run_until_signalled(
    *,
    port: int = 0,
    kubeconfig: Path | None = None,
    seed: int = 0,
    nodes: int = 5,
    pods: int = 0,
    speed: float = 1.0,
    parent: int | None = None,
    say: Callable[[str], None] = _say,
) -> None:
    """Serves a cluster until SIGINT or SIGTERM, or until the parent process is gone.

    It says two lines: `kubeconfig: PATH` as soon as the cluster can be used, and how to use it. The kubeconfig has a
    context for every user and is removed at the end.

    Args:
        port: Where to listen; 0 for any free port.
        kubeconfig: Where to write the kubeconfig; into a new temporary folder when None.
        seed: Same seed, same names, uids and delays.
        nodes: How many nodes.
        pods: How many pods at rest to add.
        speed: Simulated seconds per real second.
        parent: The process id of the parent: when it dies, or closes a pipe on stdin, so does the cluster.
        say: Takes the lines.

    Raises:
        OSError: The port is taken, or the kubeconfig cannot be written.
    """
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, done.set)
    if parent is not None:
        _stop_with(parent, done)
    cluster = await serve(port=port, seed=seed, nodes=nodes, pods=pods, speed=speed)
    # What exists now stays: the collector need not look at it again and again.
    gc.collect()
    gc.freeze()
    folder = None if kubeconfig else Path(tempfile.mkdtemp(prefix="ktui-demo-"))
    path = kubeconfig or Path(folder or "", "kubeconfig")
    try:
        write_kubeconfig(path, cluster.all_contexts())
        say(f"kubeconfig: {path}")
        say(f"Try: kubectl --kubeconfig {path} get pods -A      (ctrl+c ends the cluster)")
        await done.wait()
    finally:
        await cluster.stop()
        path.unlink(missing_ok=True)
        if folder is not None:
            shutil.rmtree(folder)


def _stop_with(parent: int, done: asyncio.Event) -> None:
    """Sets `done` when the parent process is gone or has closed the pipe on stdin."""
    loop = asyncio.get_running_loop()

    def look() -> None:
        if os.getppid() != parent:
            done.set()
        else:
            loop.call_later(_LOOK_FOR_PARENT_EVERY, look)

    def read() -> None:
        if not os.read(sys.stdin.fileno(), 4096):
            loop.remove_reader(sys.stdin.fileno())
            done.set()

    look()
    if sys.stdin is not None and stat.S_ISFIFO(os.fstat(sys.stdin.fileno()).st_mode):
        loop.add_reader(sys.stdin.fileno(), read)
