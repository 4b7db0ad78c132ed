"""Any kind: columns and cells from the server's Table, live, as kubectl prints them."""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable

import pytest

from ktui.kinds.kind import Kind
from ktui.kinds.names import ObjectKey
from ktui.kube.client import Client
from ktui.kube.feed import Feed
from ktui.kube.listing import kind_called
from ktui.kube.state import Live
from tests.cluster.conftest import Kubectl, Opened
from tests.cluster.objects import Manifest, Objects, until
from tests.cluster.tables import SLACK, as_kubectl_prints, table_of

Prepared = Callable[[Objects, str], Awaitable[str]]


@pytest.fixture
def speed() -> float:
    """Ages are compared, which must be those of the present."""
    return 1.0


def ingress(namespace: str, name: str, *hosts: str, tls: bool = False) -> Manifest:
    """An Ingress to the service `web`."""
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    paths = {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}
    spec: dict[str, object] = {"rules": [{"host": host, "http": paths} for host in hosts]}
    if not hosts:
        spec = {"defaultBackend": backend}
    if tls:
        spec["tls"] = [{"hosts": list(hosts)}]
    meta = {"name": name, "namespace": namespace}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": meta, "spec": spec}


async def some_ingresses(objects: Objects, namespace: str) -> str:
    """Ingresses of all sorts, and what people call them."""
    await objects.apply(ingress(namespace, "plain"))
    await objects.apply(ingress(namespace, "many", *(f"h{n}.example.com" for n in range(5)), tls=True))
    given = {"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}, {"hostname": "lb.example.com"}]}}
    await objects.apply({**ingress(namespace, "given", "a.example.com"), "status": given})
    return "ing"


async def some_configmaps(objects: Objects, namespace: str) -> str:
    """ConfigMaps, and what people call them."""
    meta = {"name": "three", "namespace": namespace}
    content = {"data": {"a": "1", "b": "2"}, "binaryData": {"c": "AAAA"}}
    await objects.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, **content})
    await objects.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {**meta, "name": "empty"}})
    return "cm"


async def some_widgets(objects: Objects, namespace: str) -> str:
    """Objects of a custom kind with columns of its own, and its short name, which no other kind has."""
    group, word = f"{namespace}.example.com", f"wd{secrets.token_hex(3)}"
    await objects.apply(widgets(group, word))

    for name, spec, status in (
        ("big", {"size": 12, "ratio": 1.5, "open": True, "colour": "red, blue"}, "Ready"),
        ("small", {"size": 0, "open": False}, "Failed"),
        ("bare", {}, ""),
    ):
        meta = {"name": name, "namespace": namespace}
        await objects.apply(
            {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": meta, "spec": spec}
            | ({"status": {"phase": status}} if status else {})
        )
    return word


def widgets(group: str, word: str) -> Manifest:
    """The definition of a kind Widget with all types of printer columns."""
    columns = [
        {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
        {"name": "Ratio", "type": "number", "jsonPath": ".spec.ratio", "priority": 1},
        {"name": "Open", "type": "boolean", "jsonPath": ".spec.open"},
        {"name": "Phase", "type": "string", "jsonPath": ".status.phase"},
        {"name": "Colour", "type": "string", "jsonPath": ".spec.colour", "priority": 1},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    ]
    free = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": free, "status": free}}}
    names = {
        "plural": "widgets",
        "singular": "widget",
        "kind": "Widget",
        "listKind": "WidgetList",
        "shortNames": [word],
    }
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": schema,
        "subresources": {"status": {}},
        "additionalPrinterColumns": columns,
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
    }


every_kind = pytest.mark.parametrize("prepare", [some_ingresses, some_configmaps, some_widgets])


async def resolved(word: str, client: Client) -> Kind:
    """The kind that people call `word`, as soon as the server announces it."""
    found: list[Kind] = []

    async def known() -> bool:
        try:
            found.append(await kind_called(word, client))
        except Exception as error:
            if type(error).__name__ != "UnknownKind":
                raise
            return False
        return True

    await until(known)
    return found[0]


def cells_of(feed: Feed, now: float) -> dict[ObjectKey, dict[str, str]]:
    """All cells of all rows, by the columns' names."""
    return {
        key: {column.name: column.cell(row, now) for column in feed.kind.columns}
        for key, row in feed.store.rows.items()
    }


@every_kind
async def test_columns_and_cells_are_the_servers(
    prepare: Prepared, client: Client, objects: Objects, namespace: str, opened: Opened
) -> None:
    """A kind found by its short name has the columns of the server's Table, and its cells."""
    kind = await resolved(await prepare(objects, namespace), client)
    session = await opened()
    feed = session.open(kind, (namespace,)).feed
    await until(lambda: feed.state == Live())

    async def same() -> bool:
        theirs = await table_of(client, kind, namespace)
        now = time.time()
        ours = [cells_of(feed, now + slack) for slack in SLACK]
        return set(theirs) == set(ours[0]) and all(
            set(printed.cells) == set(ours[0][key])
            and all(text in {each[key][name] for each in ours} for name, text in printed.cells.items())
            for key, printed in theirs.items()
        )

    await until(same)


@every_kind
async def test_kubectl_prints_the_same(
    prepare: Prepared, client: Client, objects: Objects, namespace: str, opened: Opened, kubectl: Kubectl
) -> None:
    """`kubectl get -o wide` has the same columns, and in each row the same texts."""
    kind = await resolved(await prepare(objects, namespace), client)
    session = await opened()
    feed = session.open(kind, (namespace,)).feed
    await until(lambda: feed.state == Live())
    printed = as_kubectl_prints(await kubectl("get", kind.gvr.qualified, "-n", namespace, "-o", "wide"))
    now = time.time()
    ours = [cells_of(feed, now + slack) for slack in SLACK]
    assert set(printed) == {key.name for key in ours[0]}
    for key in ours[0]:
        assert list(printed[key.name]) == list(ours[0][key])
        for name, text in printed[key.name].items():
            assert text in {each[key][name] for each in ours}, f"{key} {name}"


async def test_a_table_that_is_watched(client: Client, objects: Objects, namespace: str, opened: Opened) -> None:
    """What changes in a kind that only the server can print shows at once, with the new cells."""
    kind = await resolved(await some_widgets(objects, namespace), client)
    session = await opened()
    feed = session.open(kind, (namespace,)).feed
    await until(lambda: feed.state == Live())
    key = ObjectKey(namespace, "big")
    row = cells_of(feed, time.time())[key]
    assert (row["SIZE"], row["OPEN"], row["PHASE"], row["RATIO"]) == ("12", "true", "Ready", "1.5")
    manifest = {
        "apiVersion": kind.gvr.group_version,
        "kind": "Widget",
        "metadata": {"name": "big", "namespace": namespace},
    }
    await objects.change(manifest, {"spec": {"size": 13}})
    await until(lambda: cells_of(feed, time.time())[key]["SIZE"] == "13")
    await objects.delete(manifest)
    await until(lambda: key not in feed.store.rows)
