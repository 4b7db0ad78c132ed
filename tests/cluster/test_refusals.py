"""What a cluster refuses, and in which words: both as a Kubernetes 1.36 API server answered.

`golden/refusals.json` has for each case where it is sent, the place in a deployment and the value that is put there (or
no place, and a whole object), and the causes of the 422 or the message of the 400; no causes where it is taken.
"""

from __future__ import annotations

import asyncio
import copy
import json
from pathlib import Path
from typing import Any

import aiohttp

from tests.cluster.clusters import Cluster
from tests.cluster.test_writes import Api

CASES = json.loads((Path(__file__).parent / "golden" / "refusals.json").read_text(encoding="utf-8"))
AT_ONCE = 8

POD = {"containers": [{"name": "c", "image": "i"}]}
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "w"},
    "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": POD}},
}


def put(value: Any, path: list[Any], inner: Any) -> Any:
    """A value with another one in it; maps and lists on the way are made."""
    if not path:
        return inner
    step, *rest = path
    found: Any = copy.copy(value) if value is not None else [] if isinstance(step, int) else {}
    if isinstance(step, int):
        found += [{}] * (step + 1 - len(found))
        found[step] = put(found[step], rest, inner)
    else:
        found[step] = put(found.get(step), rest, inner)
    return found


async def test_both_clusters_refuse_the_same_in_the_same_words(cluster: Cluster, namespace: str) -> None:
    """Values of wrong types, and what breaks the rules of a kind."""
    turns = asyncio.Semaphore(AT_ONCE)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False, limit=AT_ONCE)) as session:
        api = Api(cluster, namespace, session)

        async def answer(where: str, path: list[Any], value: Any) -> Any:
            sent = put(DEPLOYMENT, path, value) if path else value
            place = "apps/deployments" if path else where.replace("NAMESPACE", namespace)
            async with turns:
                said = await api.ask("POST", f"{place}?dryRun=All", sent)
            if said.status < 400:
                return []
            causes = (said.body.get("details") or {}).get("causes")
            return [[cause.get("field", ""), cause["message"]] for cause in causes or ()] or said.body["message"]

        answers = await asyncio.gather(*(answer(*case[:3]) for case in CASES))
    told = [case[3] for case in CASES]
    differing = [(case[:3], found) for case, found, wanted in zip(CASES, answers, told, strict=True) if found != wanted]
    assert differing == []
