"""Who set what, on clusters: of each line the one who wrote it last, and of what nobody wrote, nobody."""

from __future__ import annotations

from typing import Any

import msgspec

from ktui.kinds.names import GVR_DEPLOYMENTS
from ktui.kube.client import Client
from ktui.manifests.blame import by_line, owner_of
from ktui.manifests.cleaning import clean
from ktui.manifests.reading import read
from ktui.manifests.writing import write
from tests.cluster.test_merge import OLDER, web

STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"


async def test_each_line_is_of_whoever_wrote_it(client: Client, namespace: str) -> None:
    """Created by one, patched by another, applied by a third, scaled by a fourth."""
    collection, path = GVR_DEPLOYMENTS.path(namespace), GVR_DEPLOYMENTS.path(namespace, "web")

    async def send(method: str, where: str, manager: str, body: Any, content_type: str = "application/json") -> Any:
        query = {"fieldManager": manager, **({"force": "true"} if content_type == APPLY else {})}
        answer = await client.request(
            method, where, query=query, body=msgspec.json.encode(body), content_type=content_type
        )
        return msgspec.json.decode(answer.body)

    await send("POST", collection, "creator", web(namespace))
    images = {"containers": [{"name": "log", "image": OLDER}]}
    await send("PATCH", path, "patcher", {"spec": {"template": {"spec": images}}}, STRATEGIC)
    head = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}
    await send("PATCH", path, "applier", {**head, "spec": {"minReadySeconds": 5}}, APPLY)
    await send("PATCH", f"{path}/scale", "scaler", {"spec": {"replicas": 0}}, "application/merge-patch+json")
    item = await send("GET", path, "", None)
    text = write(clean(item).value)
    lines = text.split("\n")
    found = {
        lines[line - 1].strip(): owners[0].manager for line, owners in by_line(read(text).documents[0], item).items()
    }
    assert found[f"image: {OLDER}"] == "patcher"
    assert found["minReadySeconds: 5"] == "applier"
    assert found["mountPath: /cache"] == found["tier: front"] == "creator"
    assert found["- name: A"] == "creator"
    for line in ("spec:", f"namespace: {namespace}", f"uid: {item['metadata']['uid']}"):
        assert line not in found
    (owner, *_) = owner_of(item, ("spec", "template", "spec", "containers", ("log",), "image"))
    assert (owner.manager, owner.operation) == ("patcher", "Update")
    assert owner.at is not None
