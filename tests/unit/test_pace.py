"""Pace: bodies are packed where that saves time."""

from __future__ import annotations

import asyncio

import pytest

from ktui.kube.pace import Pace, round_trip

HERE, AFAR = 0.0001, 0.02


def test_far_servers_pack() -> None:
    """Whatever it takes, a line out of the house is spared bytes."""
    pace = Pace()
    pace.took(1_000_000, 0.01, packed=True, round_trip=AFAR)
    assert pace.encoding == "gzip"


def test_near_servers_are_spared_the_packing() -> None:
    """The first answer tells that the server is near; the others come plain."""
    pace = Pace()
    assert pace.encoding == "gzip"
    pace.took(20_000, 0.01, packed=True, round_trip=HERE)
    assert pace.encoding == "identity"
    pace.took(1_000_000, 0.02, packed=False, round_trip=HERE)
    assert pace.encoding == "identity"


def test_a_tunnel_is_near_and_slow() -> None:
    """A line that turns out to be slow is spared bytes from then on."""
    pace = Pace()
    pace.took(20_000, 0.01, packed=True, round_trip=HERE)
    pace.took(150_000, 0.15, packed=False, round_trip=HERE)
    assert pace.encoding == "gzip"
    pace.took(20_000, 0.01, packed=True, round_trip=HERE)
    assert pace.encoding == "gzip"


def test_small_answers_tell_nothing_of_the_pace() -> None:
    """A server that thinks for a while is no slow line."""
    pace = Pace()
    pace.took(2_000, 1.0, packed=False, round_trip=HERE)
    assert pace.encoding == "identity"


async def test_the_system_says_how_far_it_is() -> None:
    """Within a machine it is less than a millisecond, where the system says."""
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    told = round_trip(writer.transport)
    await reader.read()
    writer.close()
    server.close()
    await server.wait_closed()
    if told is None:
        pytest.skip("this system does not say")
    assert 0 <= told < 0.05
    assert round_trip(None) is None
