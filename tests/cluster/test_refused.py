"""What clusters refuse today stands at the lines at which the recorded answers of a real one stand."""

from __future__ import annotations

import re

import msgspec
import pytest

from ktui.actions.server_side_apply import manager_conflicts
from ktui.kinds.names import GVR
from ktui.kube.client import Client
from ktui.kube.discovery import discover
from ktui.kube.errors import ApiError
from ktui.manifests.reading import read
from ktui.manifests.refused import problems_of
from tests.cluster.clusters import Cluster
from tests.unit.test_refused import HERE

CREATED = sorted(
    file.stem for file in HERE.glob("*.yaml") if file.read_text().startswith("# create\n") and "custom" not in file.stem
)
"""Manifests of kinds that every cluster has, which are wrong by themselves."""

LEAST = 25
"""Of them, how many the embedded cluster refuses as a real one does; it does not know all rules."""

# These were refused for where they were sent, or by what a dry run leaves out.
_ELSEWHERE = {"400-ns-mismatch", "s-nodeport-range"}


async def test_every_error_is_at_its_line(cluster: Cluster, client: Client, namespace: str) -> None:
    kinds, other = await discover(client), {}
    for name in CREATED:
        text = re.sub("namespace: (default|knows)\\b", f"namespace: {namespace}", (HERE / f"{name}.yaml").read_text())
        document = read(text).documents[0]
        group, _, version = document.value["apiVersion"].rpartition("/")
        found = kinds.find(group, document.value["kind"])
        if found is None or name in _ELSEWHERE:
            assert cluster.kind == "embedded" or name in _ELSEWHERE
            continue
        query, body = {"dryRun": "All", "fieldValidation": "Strict"}, msgspec.json.encode(document.value)
        try:
            await client.request("POST", found.gvr._replace(version=version).path(namespace), query=query, body=body)
            lines = set()
        except ApiError as error:
            lines = {problem.line for problem in problems_of(error.message, error.details.causes, document)}
        wanted = {row for row, line in enumerate(text.split("\n"), 1) if "✖" in line}
        if lines != wanted:
            other[name] = lines
    if cluster.kind == "embedded":
        assert len(CREATED) - len(other) >= LEAST, other
    else:
        assert not other


async def test_conflicts_of_field_managers_tell_the_owner(client: Client, namespace: str) -> None:
    """Of a server-side apply without force."""
    maps = GVR("", "v1", "configmaps")
    text = (
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c, namespace: {namespace}}}\ndata:\n  a.b: '1'\n  c: '1'\n"
    )

    async def apply(manager: str, text: str) -> None:
        body, query = msgspec.json.encode(read(text).documents[0].value), {"fieldManager": manager}
        path = maps.path(namespace, "c")
        await client.request("PATCH", path, query=query, body=body, content_type="application/apply-patch+yaml")

    await apply("one", text)
    mine = text.replace("'1'", "'2'")
    with pytest.raises(ApiError) as refused:
        await apply("other", mine)
    error, document = refused.value, read(mine).documents[0]
    found = manager_conflicts(error, document.value)
    assert found is not None
    assert sorted((one.path, one.owner.manager) for one in found.conflicts) == [
        (("data", "a.b"), "one"),
        (("data", "c"), "one"),
    ]
    assert [problem.line for problem in problems_of(error.message, error.details.causes, document)] == [5, 6]
