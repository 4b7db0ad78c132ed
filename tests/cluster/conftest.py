"""Conformance tests: each runs on the embedded cluster, and on a real one when KTUI_TEST_KUBECONFIG names it.

    KTUI_TEST_KUBECONFIG   the admin's kubeconfig of a real cluster
    KTUI_TEST_KUBECTL      how to call a kubectl of the version that ktui follows; what compares with it needs it
    KTUI_TEST_RESTART      a shell command that restarts the real cluster's API server

When the two clusters disagree, the real one is right.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shlex
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import pytest

from ktui.kube.client import Client
from ktui.kube.kubeconfig import load_kubeconfig
from ktui.kube.session import Session
from tests.cluster.clusters import REAL, Cluster, embedded, real
from tests.cluster.objects import Objects, until
from tests.cluster.wire import Wire

Opened = Callable[..., Awaitable[Session]]
Kubectl = Callable[..., Awaitable[str]]


LONGEST = 100
"""Seconds after which a test is ended, where it stands: a hanging one would hold up all others."""


@pytest.fixture(autouse=True)
def _deadline() -> Iterator[None]:
    def end(*_: object) -> None:
        raise TimeoutError(f"the test took longer than {LONGEST} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(LONGEST)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def speed() -> float:
    """How fast the embedded cluster lives: what pods and controllers take is not what is tested.

    Where ages are, a module has a fixture of its own.
    """
    return 5.0


@pytest.fixture(
    params=[
        "embedded",
        pytest.param("real", marks=pytest.mark.skipif(not REAL, reason="KTUI_TEST_KUBECONFIG names no cluster")),
    ]
)
async def cluster(request: pytest.FixtureRequest, tmp_path: Path, speed: float) -> AsyncIterator[Cluster]:
    """The cluster to test on."""
    if request.param == "real":
        yield real()
        return
    found = await embedded(tmp_path, speed)
    yield found
    assert found.demo is not None
    await found.demo.stop()


@pytest.fixture
async def client(cluster: Cluster) -> AsyncIterator[Client]:
    """ktui's own client, as admin, straight to the cluster."""
    async with connected(cluster.kubeconfig("admin")) as made:
        yield made


@asynccontextmanager
async def connected(path: Path) -> AsyncIterator[Client]:
    """A client for the current context of a kubeconfig."""
    client = await Client.connect(load_kubeconfig((path,)), None)
    try:
        yield client
    finally:
        await client.close()


@pytest.fixture
async def objects(client: Client) -> AsyncIterator[Objects]:
    """Makes, changes and deletes objects; what would stay behind is removed afterwards."""
    made = Objects(client)
    yield made
    await made.clean_up()


@pytest.fixture
async def namespace(objects: Objects) -> str:
    """A new namespace, whose service account is there; it is removed afterwards, without waiting for that."""
    return await objects.make_namespace(f"t-{secrets.token_hex(4)}")


@pytest.fixture
async def wire(cluster: Cluster, tmp_path: Path) -> AsyncIterator[Wire]:
    """What lies between ktui and the cluster, with faults to order."""
    async with Wire(cluster.kubeconfig, tmp_path) as made:
        yield made


@pytest.fixture
async def opened(cluster: Cluster) -> AsyncIterator[Opened]:
    """Opens sessions: `await opened(user="dev", known=("team-a",))`, or over the wire: `await opened(path)`."""
    async with AsyncExitStack() as stack:

        async def open_session(
            path: Path | None = None, *, user: str = "admin", known: tuple[str, ...] = (), linger: float = 60.0
        ) -> Session:
            kubeconfig = load_kubeconfig((path or cluster.kubeconfig(user),))
            session = Session(lambda: Client.connect(kubeconfig, None), known_namespaces=lambda: known, linger=linger)
            await stack.enter_async_context(running(session))
            await until(lambda: session.client is not None)
            return session

        yield open_session


@asynccontextmanager
async def running(session: Session) -> AsyncIterator[None]:
    """A session that runs; what it raises is raised at the end."""
    task = asyncio.create_task(session.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.fixture
def restart(cluster: Cluster) -> Callable[[], Awaitable[None]]:
    """Restarts the API server, with an outage of some seconds on a real cluster."""
    if cluster.restart is None:
        pytest.skip("KTUI_TEST_RESTART tells no way to restart the API server")
    if cluster.kind == "real" and "PYTEST_XDIST_WORKER" in os.environ:
        pytest.skip("other tests need the real cluster at the same time; run without -n")
    return cluster.restart


@pytest.fixture
def kubectl(cluster: Cluster) -> Kubectl:
    """Runs kubectl as a user and returns what it prints."""
    command = shlex.split(os.environ.get("KTUI_TEST_KUBECTL", "")) or [""]
    if not command[0]:
        pytest.skip("KTUI_TEST_KUBECTL names no kubectl")

    async def run(*arguments: str, user: str = "admin") -> str:
        process = await asyncio.create_subprocess_exec(
            *command,
            *arguments,
            env={**os.environ, "KUBECONFIG": str(cluster.kubeconfig(user))},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, complaint = await process.communicate()
        assert process.returncode == 0, complaint.decode()
        return out.decode()

    return run
