"""Pods as rows that the server prints: the cheapest way to know all of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from benchmarks.asking import Asking

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
NAMES = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"


class PodRow(NamedTuple):
    """What is needed of a row.

    Attributes:
        namespace: where the pod is.
        name: its name.
        status: what its STATUS says.
    """

    namespace: str
    name: str
    status: str


class _Row(msgspec.Struct, gc=False):
    cells: tuple[Any, ...]


class _Table(msgspec.Struct):
    rows: list[_Row] | None = None


class _Named(msgspec.Struct):
    name: str


class _Item(msgspec.Struct):
    metadata: _Named


class _Items(msgspec.Struct):
    items: list[_Item]


_decode_table = msgspec.json.Decoder(_Table).decode
_decode_items = msgspec.json.Decoder(_Items).decode


def read_rows(body: bytes) -> list[_Row]:
    """The rows of a Table.

    Args:
        body: what the server answered.
    """
    return _decode_table(body).rows or []


def read_names(body: bytes) -> list[str]:
    """The names in a list of metadata.

    Args:
        body: what the server answered.
    """
    return [item.metadata.name for item in _decode_items(body).items]


def pod_rows(asking: Asking) -> list[PodRow]:
    """All pods of a cluster.

    Args:
        asking: a connection to it.
    """
    return [
        PodRow(namespace, row.cells[0], row.cells[2])
        for namespace in read_names(asking.get("/api/v1/namespaces", NAMES))
        for row in read_rows(asking.get(f"/api/v1/namespaces/{namespace}/pods?includeObject=None", TABLE))
    ]
