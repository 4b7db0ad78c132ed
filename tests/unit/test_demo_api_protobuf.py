"""The protobuf bodies kubectl sends, read by the embedded cluster."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from ktui.demo.errors import StatusError
from ktui.demo.protobuf import decode_object
from tests.unit.demo_api import DEPLOYMENTS, Cluster, running

PROTOBUF = "application/vnd.kubernetes.protobuf"


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with running() as started:
        yield started


def field(number: int, value: bytes | int) -> bytes:
    """One protobuf field: a number as varint, bytes with their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def envelope(api_version: bytes, kind: bytes, body: bytes) -> bytes:
    return b"k8s\0" + field(1, field(1, api_version) + field(2, kind)) + field(2, body) + field(3, b"") + field(4, b"")


def labels(number: int) -> bytes:
    """The map {"app": "web"} as field `number`."""
    return field(number, field(1, b"app") + field(2, b"web"))


def deployment_body() -> bytes:
    """Deployment web: replicas 0, one container with a port, as `kubectl create deployment` sends it."""
    port = field(1, b"") + field(2, 0) + field(3, 8080) + field(4, b"") + field(5, b"")
    container = field(1, b"web") + field(2, b"web:1") + field(3, b"serve") + field(3, b"--fast") + field(6, port)
    template = field(1, labels(11)) + field(2, field(2, container))
    spec = field(1, 0) + field(2, labels(1)) + field(3, template) + field(5, 0)
    metadata = field(1, b"web") + field(2, b"") + field(7, 0) + labels(11)
    return envelope(b"apps/v1", b"Deployment", field(1, metadata) + field(2, spec) + field(3, b""))


def test_a_deployment_is_read_with_zeros_that_mean_something() -> None:
    """replicas 0 stays, the empty texts and zeros of Go's non-pointers go."""
    found = decode_object(deployment_body())
    assert found["metadata"] == {"name": "web", "labels": {"app": "web"}}
    assert found["spec"]["replicas"] == 0
    assert found["spec"]["selector"] == {"matchLabels": {"app": "web"}}
    container = found["spec"]["template"]["spec"]["containers"][0]
    assert container == {
        "name": "web",
        "image": "web:1",
        "command": ["serve", "--fast"],
        "ports": [{"containerPort": 8080}],
    }


async def test_a_protobuf_body_creates_the_object(cluster: Cluster) -> None:
    """What kubectl posts as protobuf is stored, and answered as JSON."""
    answer = await cluster.request("POST", DEPLOYMENTS, deployment_body(), content=PROTOBUF)
    assert (answer.status, answer.json["spec"]["replicas"]) == (201, 0)


@pytest.mark.parametrize(
    "body",
    [b"", b"nonsense", deployment_body()[:-20], envelope(b"v1", b"Nonsense", b"")],
    ids=["empty", "text", "cut", "kind"],
)
def test_damaged_bodies_are_bad_requests(body: bytes) -> None:
    """Whatever is no whole known object is refused with 400."""
    with pytest.raises(StatusError) as refused:
        decode_object(body)
    assert refused.value.code == 400
