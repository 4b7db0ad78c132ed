"""`ktui diff` tells what `kubectl diff --server-side` tells, and changes nothing."""

from __future__ import annotations

import asyncio
import copy
import json
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.clusters import Cluster
from tests.cluster.objects import Objects
from tests.cluster.test_merge import OLDER, container, web

KUBECTL = shlex.split(os.environ.get("KTUI_TEST_KUBECTL", ""))


async def run(cluster: Cluster, *words: str, user: str = "admin") -> tuple[int, str, str]:
    """A program on a cluster: its exit code, and what it printed."""
    process = await asyncio.create_subprocess_exec(
        *words,
        env={**os.environ, "KUBECONFIG": str(cluster.kubeconfig(user))},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def changed(text: str) -> list[str]:
    """The lines that differ, but for those that ktui leaves out; sorted, as the order of fields is another."""
    lines = (line for line in text.splitlines() if line[:1] in "+-" and line[:4] not in ("+++ ", "--- "))
    return sorted(line for line in lines if line[1:].strip().split(":")[0] not in ("generation", "resourceVersion"))


def edited(namespace: str) -> dict[str, Any]:
    """The deployment with another image, a new label, another port and one fewer environment variable."""
    found = copy.deepcopy(web(namespace))
    found["metadata"]["labels"]["new"] = "yes"
    container(found)["image"] = OLDER
    container(found)["ports"][0]["containerPort"] = 8081
    found["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 5
    return found


@pytest.mark.skipif(not KUBECTL, reason="KTUI_TEST_KUBECTL names no kubectl")
async def test_it_tells_what_kubectl_tells(cluster: Cluster, objects: Objects, namespace: str, tmp_path: Path) -> None:
    before = await objects.apply(web(namespace))
    file = tmp_path / "web.json"
    file.write_text(json.dumps(edited(namespace)))
    code, out, err = await run(cluster, sys.executable, "-m", "ktui", "diff", str(file))
    assert (code, err) == (1, "")
    words = ("diff", "--server-side", "--force-conflicts", "--field-manager=ktui", "-f", str(file))
    theirs, told, said = await run(cluster, *KUBECTL, *words)
    assert theirs == 1, said
    assert changed(out) == changed(told)
    assert f"+        image: {OLDER}" in out.splitlines()
    after = await objects.get(web(namespace))
    assert after["spec"] == before["spec"]
    assert after["metadata"]["generation"] == before["metadata"]["generation"]


async def test_without_a_difference_there_is_nothing(
    cluster: Cluster, objects: Objects, namespace: str, tmp_path: Path
) -> None:
    await objects.apply(web(namespace))
    file = tmp_path / "web.json"
    file.write_text(json.dumps(web(namespace)))
    assert await run(cluster, sys.executable, "-m", "ktui", "diff", str(file)) == (0, "", "")


async def test_who_may_not_apply_is_told_so(cluster: Cluster, objects: Objects, namespace: str, tmp_path: Path) -> None:
    await objects.apply(web(namespace))
    file = tmp_path / "web.json"
    file.write_text(json.dumps(edited(namespace)))
    code, out, err = await run(cluster, sys.executable, "-m", "ktui", "diff", str(file), user="viewer")
    assert (code, out) == (2, "")
    assert "may not patch deployments.apps" in err
