"""What ktui makes beside what kubectl makes: the same action done both ways, and the objects compared."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from ktui.actions.action import Action, JsonObject, Said, Step, Target
from ktui.actions.place import Place
from ktui.actions.undertaking import Stage, Undertaking
from ktui.kinds.kind import Kind
from ktui.kinds.names import ObjectKey
from ktui.kube.errors import NotFound
from tests.cluster.clusters import Cluster
from tests.cluster.conftest import Opened
from tests.cluster.objects import until

_OWNED = ("uid", "resourceVersion", "creationTimestamp", "managedFields", "annotations", "generation")
_ALLOCATED = ("clusterIP", "clusterIPs", "healthCheckNodePort")


class Refused(Exception):  # noqa: N818 - it is what kubectl says
    """kubectl's words, without `error: `."""


class Creating:
    """Makes objects as ktui does, and as kubectl does.

    Args:
        place: the cluster, as actions see it.
        cluster: the same, for kubectl.
    """

    def __init__(self, place: Place, cluster: Cluster) -> None:
        self.place = place
        self._cluster = cluster

    async def begun(self, action: Action, target: Target, **filled: Any) -> Undertaking:
        """An action as it is when the form is filled in: read, asked, planned.

        Raises:
            KtuiError: it cannot be planned.
        """
        undertaking = Undertaking(self.place, action, [target], lambda written: None, "")
        await undertaking.read()
        form = await action.form(self.place, undertaking.targets)
        undertaking.values = {**form.start(), **filled}
        assert form.wrong(undertaking.values) == {}
        undertaking.plan()
        if (error := undertaking.works[0].error) is not None:
            raise error
        return undertaking

    async def said(self, undertaking: Undertaking) -> list[str]:
        """Do it, and hear how it goes on to the end: every sentence."""
        told: list[Said] = []

        def listen() -> None:
            told.extend(said for said in undertaking.works[0].said.values() if said not in told)

        undertaking.changed = listen
        await undertaking.do()
        if (error := undertaking.works[0].error) is not None:
            raise error
        assert undertaking.works[0].stage is Stage.DONE
        return [said.text for said in told]

    async def same(self, action: Action, target: Target, **filled: Any) -> list[list[str]]:
        """Assert that ktui makes what its kubectl lines make.

        Returns:
            The lines, without `kubectl` and the namespace.
        """
        undertaking = await self.begun(replace(action, follow=None), target, **filled)
        steps = undertaking.works[0].steps
        for step in steps:
            await self.kubectl(step.kubectl[1:], step.stdin)
        theirs = [await self._taken_away(step) for step in steps]
        await self.said(undertaking)
        ours = [await self._taken_away(step) for step in steps]
        assert ours == theirs
        return [_without_namespace(step.kubectl) for step in steps]

    async def made(self, kind: Kind, key: ObjectKey) -> JsonObject:
        """What was made, without what the server owns; it is deleted."""
        found = bare(await self.place.get(kind.gvr, key))
        path = kind.gvr.path(*key)
        body = b'{"apiVersion":"v1","kind":"DeleteOptions","propagationPolicy":"Background"}'
        await self.place.client.request("DELETE", path, body=body)

        async def gone() -> bool:
            try:
                await self.place.get(kind.gvr, key)
            except NotFound:
                return True
            return False

        await until(gone, 30, f"{path} stays")
        return found

    async def _taken_away(self, step: Step) -> JsonObject:
        return await self.made(step.target.kind, step.target.key)

    async def kubectl(self, words: Sequence[str], stdin: str = "") -> str:
        """Run kubectl with a text for standard input.

        Raises:
            Refused: it failed.
        """
        command = shlex.split(os.environ.get("KTUI_TEST_KUBECTL", "")) or [""]
        if not command[0]:
            pytest.skip("KTUI_TEST_KUBECTL names no kubectl")
        process = await asyncio.create_subprocess_exec(
            *command,
            *words,
            env={**os.environ, "KUBECONFIG": str(self._cluster.kubeconfig("admin"))},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, complaint = await process.communicate(stdin.encode())
        if process.returncode:
            raise Refused(complaint.decode().strip().removeprefix("error: "))
        return out.decode()

    async def refusal(self, *words: str, stdin: str = "") -> str:
        """What kubectl says when it refuses."""
        with pytest.raises(Refused) as raised:
            await self.kubectl(words, stdin)
        return str(raised.value)


async def creating(opened: Opened, cluster: Cluster) -> Creating:
    """For a test, as admin."""
    return Creating(Place(await opened()), cluster)


def bare(item: JsonObject) -> JsonObject:
    """An object without what the server, and its controllers, own and allocate."""
    # Jobs carry their own UID in labels and selectors.
    found: JsonObject = json.loads(json.dumps(item).replace(item["metadata"]["uid"], "UID"))
    # Letters that kubectl draws.
    for container in (((found.get("spec") or {}).get("template") or {}).get("spec") or {}).get("containers") or ():
        container["name"] = re.sub("-[bcdfghjklmnpqrstvwxz2456789]{5}$", "-xxxxx", container["name"])
    found["metadata"] = {key: value for key, value in found["metadata"].items() if key not in _OWNED}
    found.pop("status", None)
    spec = found.get("spec") or {}
    for field in _ALLOCATED:
        if spec.get(field) not in ("None", ["None"]):
            spec.pop(field, None)
    for port in spec.get("ports") or ():
        port.pop("nodePort", None)
    return found


def _without_namespace(words: Sequence[str]) -> list[str]:
    return list(words[3:] if words[1] == "-n" else words[1:])
