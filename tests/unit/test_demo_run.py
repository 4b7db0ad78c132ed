"""Serving the embedded cluster: in this loop, and as a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import subprocess
import sys
from base64 import b64decode
from pathlib import Path
from typing import Any

import aiohttp

from ktui.demo.clock import SteppedClock
from ktui.demo.run import serve


async def listed(config: dict[str, Any], path: str) -> list[dict[str, Any]]:
    """Lists a path as the kubeconfig's first user."""
    cluster = config["clusters"][0]["cluster"]
    trusted = ssl.create_default_context(cadata=b64decode(cluster["certificate-authority-data"]).decode())
    headers = {"Authorization": f"Bearer {config['users'][0]['user']['token']}"}
    address = cluster["server"] + path
    async with aiohttp.ClientSession(headers=headers) as session, session.get(address, ssl=trusted) as answer:
        assert answer.status == 200
        items: list[dict[str, Any]] = (await answer.json())["items"]
        return items


async def test_a_stepped_cluster_is_served() -> None:
    """With a stepped clock the server answers in the same loop, and time moves only when it is told to."""
    clock = SteppedClock()
    cluster = await serve(clock=clock)
    try:
        nodes = await listed(cluster.kubeconfig(), "/api/v1/nodes")
        assert len(nodes) == 5
        version = cluster.storage.version
        clock.advance(0)
        assert cluster.storage.version == version
        clock.advance(60)
        assert cluster.storage.version > version
    finally:
        await cluster.stop()


async def test_a_cluster_without_a_story_is_empty() -> None:
    """There are nodes and namespaces, but no workload, and time brings none."""
    clock = SteppedClock()
    cluster = await serve(clock=clock, story=False, nodes=3)
    try:
        clock.advance(300)
        assert len(await listed(cluster.kubeconfig(), "/api/v1/nodes")) == 3
        assert await listed(cluster.kubeconfig(), "/api/v1/pods") == []
        assert all(node["status"]["conditions"][-1]["status"] == "True" for node in cluster.storage.list("nodes"))
    finally:
        await cluster.stop()


async def test_every_user_has_a_context() -> None:
    """One kubeconfig holds four contexts; the admin's is the current one."""
    cluster = await serve(clock=SteppedClock(), story=False)
    try:
        config = cluster.all_contexts()
        assert config["current-context"] == "demo"
        names = [context["name"] for context in config["contexts"]]
        assert names == ["demo", "demo-viewer", "demo-dev", "demo-nobody"]
        assert len({user["user"]["token"] for user in config["users"]}) == 4
    finally:
        await cluster.stop()


def start(*arguments: str, **more: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "ktui.demo", *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **more)


async def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return await asyncio.wait_for(asyncio.to_thread(process.stdout.readline), 20)


def close(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


async def test_the_process_serves_and_ends_with_its_parent(tmp_path: Path) -> None:
    """It says where the kubeconfig is (readable by its owner alone), serves, and ends when stdin is closed."""
    path = tmp_path / "kubeconfig"
    process = start("--write-kubeconfig", str(path), "--parent-pid", str(os.getpid()), "--pods", "20")
    try:
        assert await first_line(process) == f"kubeconfig: {path}\n"
        assert path.stat().st_mode & 0o777 == 0o600
        config = json.loads(path.read_text())
        assert len(await listed(config, "/api/v1/namespaces/team-00/pods")) == 20
        assert process.stdin is not None
        process.stdin.close()
        assert await asyncio.to_thread(process.wait, 10) == 0
        assert not path.exists()
    finally:
        process.stdin = None
        close(process)


def test_the_process_ends_on_a_signal() -> None:
    """SIGTERM ends it in order, and its own temporary folder is gone."""
    process = start()
    try:
        assert process.stdout is not None
        path = Path(process.stdout.readline().removeprefix("kubeconfig: ").strip())
        assert path.exists()
        process.terminate()
        assert process.wait(10) == 0
        assert not path.parent.exists()
    finally:
        close(process)


async def test_a_taken_port_is_one_sentence() -> None:
    """The exit code is 1 and there is no traceback."""
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    process = start("--port", str(port), stderr=subprocess.PIPE)
    try:
        _, told = await asyncio.to_thread(process.communicate)
        assert process.returncode == 1
        assert told.startswith("ktui demo: ")
        assert len(told.splitlines()) == 1
    finally:
        server.close()
        await server.wait_closed()
        close(process)
