"""Record what a real cluster prints of the specimens, for `golden/tables.json`.

    KTUI_TEST_KUBECONFIG=... python -m tests.cluster.record

Run it again when the specimens change, or to move to another version of Kubernetes.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from ktui.kinds.deployments import DEPLOYMENTS
from ktui.kinds.kind import Kind
from ktui.kinds.nodes import NODES
from ktui.kinds.pods import PODS
from ktui.kinds.replicasets import REPLICASETS
from ktui.kinds.services import SERVICES
from ktui.kube.client import Client
from ktui.kube.kubeconfig import load_kubeconfig
from ktui.kube.page import TABLE
from tests.cluster import specimens
from tests.cluster.clusters import REAL
from tests.cluster.objects import Manifest, Objects, until

GOLDEN = Path(__file__).parent / "golden" / "tables.json"
RECORDED = (PODS, SERVICES, DEPLOYMENTS, REPLICASETS, NODES)


async def make(objects: Objects, manifests: Iterable[Manifest]) -> None:
    """Make objects."""
    for manifest in manifests:
        await objects.apply(manifest)


async def record(client: Client, objects: Objects) -> dict[str, Any]:
    """Make the specimens, and return what the server prints of them, with the moment at which it did."""
    name = f"golden-{secrets.token_hex(2)}"
    namespace = await objects.make_namespace(name)
    await make(objects, specimens.services(namespace))
    await make(objects, specimens.deployments(namespace))
    await make(objects, specimens.nodes(name))
    await make(objects, specimens.pods(namespace))
    leaving = list(specimens.leaving_pods(namespace))
    await make(objects, leaving)
    for manifest in leaving:
        await objects.delete(manifest)
    overdue = specimens.deployment(namespace, "overdue", 1)

    async def settled() -> bool:
        conditions = (await objects.get(overdue))["status"].get("conditions", ())
        return any(condition.get("reason") == "ProgressDeadlineExceeded" for condition in conditions)

    await until(settled, 30, "the deployments never settled")
    tables = {kind.gvr.qualified: await table(client, kind, namespace, name) for kind in RECORDED}
    version = (await client.get_json("/version"))["gitVersion"]
    return {"version": version, "now": int(time.time()), "tables": tables}


async def table(client: Client, kind: Kind, namespace: str, suffix: str) -> dict[str, Any]:
    """A kind's columns, and of each specimen its cells and the whole object."""
    path = kind.gvr.path(namespace if kind.namespaced else "")
    answer = await client.request("GET", path, accept=TABLE, query={"includeObject": "Object"})
    found = msgspec.json.decode(answer.body)
    rows = [row for row in found["rows"] if kind.namespaced or row["object"]["metadata"]["name"].endswith(suffix)]
    for row in rows:
        row["object"]["metadata"].pop("managedFields", None)
    columns = [
        {name: column[name] for name in ("name", "type", "format", "priority")} for column in found["columnDefinitions"]
    ]
    return {"columns": columns, "rows": [{"cells": row["cells"], "object": row["object"]} for row in rows]}


async def main() -> None:
    """Record, write, clean up."""
    if not REAL:
        sys.exit("KTUI_TEST_KUBECONFIG must name the admin's kubeconfig of a real cluster.")
    client = await Client.connect(load_kubeconfig((Path(REAL),)), None)
    objects = Objects(client)
    try:
        recorded = await record(client, objects)
    finally:
        await objects.clean_up()
        await client.close()
    tables = recorded.pop("tables")
    lines = [f'"{name}": {{"columns": {json.dumps(found["columns"])}, "rows": [' for name, found in tables.items()]
    bodies = [",\n  ".join(json.dumps(row) for row in found["rows"]) for found in tables.values()]
    parts = ",\n".join(f"{line}\n  {body}\n]}}" for line, body in zip(lines, bodies, strict=True))
    head = json.dumps(recorded)[:-1]
    GOLDEN.write_text(f'{head}, "tables": {{\n{parts}\n}}}}\n')


if __name__ == "__main__":
    asyncio.run(main())
