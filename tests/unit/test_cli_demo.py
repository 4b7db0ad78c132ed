"""The embedded cluster as a child process starts with ktui and ends with it, whatever happens."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from ktui.cli.embedded import EmbeddedCluster
from ktui.kube.client import Client
from ktui.kube.errors import ConfigError
from ktui.kube.kubeconfig import load_kubeconfig

# ruff: noqa: F401, F811 - pytest finds fixtures by their names
from tests.unit.command_line import Done, ktui, logging_kept


def children() -> set[int]:
    """The processes that this one has started and that are not over."""
    return {child.pid for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE}


async def test_cluster_answers_once_it_is_ready() -> None:
    """Entering does not wait; after `ready` its kubeconfig is there, private, and leads to a cluster that answers."""
    before = children()
    with EmbeddedCluster() as cluster:
        assert not cluster.kubeconfig.exists()
        await cluster.ready()
        assert stat.S_IMODE(cluster.kubeconfig.stat().st_mode) == 0o600
        assert stat.S_IMODE(cluster.kubeconfig.parent.stat().st_mode) == 0o700
        client = await Client.connect(load_kubeconfig([cluster.kubeconfig]))
        assert (await client.request("GET", "/version")).status == 200
        await client.close()
    assert children() == before
    assert not cluster.kubeconfig.parent.exists()


async def test_cluster_that_cannot_start_is_a_sentence() -> None:
    """When the child ends before it listens, waiting for it ends with what it said last."""
    with EmbeddedCluster() as cluster:
        (child,) = psutil.Process().children()
        child.kill()
        with pytest.raises(ConfigError, match="did not start"):
            await cluster.ready()


def test_cluster_ends_when_ktui_is_killed() -> None:
    """The child sees its parent die, even of SIGKILL."""
    code = """
import asyncio, sys, time
from ktui.cli.embedded import EmbeddedCluster
with EmbeddedCluster() as cluster:
    asyncio.run(cluster.ready())
    print(cluster._process.pid, flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
        child.wait(timeout=10)


def test_demo_command_serves_until_interrupted(tmp_path: Path) -> None:
    """`ktui demo` says where its kubeconfig is as soon as it can be used, and removes it when it is interrupted."""
    path = tmp_path / "kubeconfig"
    command = [sys.executable, "-m", "ktui", "demo", "--write-kubeconfig", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == f"kubeconfig: {path}\n"
        assert load_kubeconfig([path]).current == "demo"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 0
        assert process.stderr.read() == ""
    assert not path.exists()


def test_demo_command_overwrites_nothing(ktui: Callable[..., Done], tmp_path: Path) -> None:
    """A file that exists may be the person's own kubeconfig: it is neither replaced nor removed."""
    path = tmp_path / "config"
    path.write_text("mine")
    done = ktui("demo", "--write-kubeconfig", path)
    assert done.code == 1
    assert "exists already" in done.err
    assert path.read_text() == "mine"


def test_demo_brings_its_own_cluster(ktui: Callable[..., Done]) -> None:
    """--demo with a context or a kubeconfig is a contradiction, and refused."""
    done = ktui("--demo", "--context", "prod")
    assert done.code == 2
    assert "--demo" in done.err
