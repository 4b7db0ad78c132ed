"""Outcome: JSON patches done again on paper, and what errors leave open."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest

from ktui.actions.action import JSON_PATCH, Write
from ktui.actions.outcome import asked_to_wait, leaves_open, never_sent, operations, patched, was_done
from ktui.kube.errors import (
    ConnectionFailed,
    Invalid,
    KtuiError,
    ServerError,
    ServerTimeout,
    TooManyRequests,
    Unavailable,
)
from tests.unit.fake_place import FakePlace, patching, target

BEFORE: dict[str, Any] = {
    "metadata": {"labels": {"a/b": "1", "c~d": "2"}},
    "spec": {"list": [{"name": "x"}, {"name": "y"}]},
}


@pytest.mark.parametrize(
    ("operation", "at", "value"),
    [
        ({"op": "replace", "path": "/metadata/labels/a~1b", "value": "3"}, "labels", {"a/b": "3", "c~d": "2"}),
        ({"op": "remove", "path": "/metadata/labels/c~0d"}, "labels", {"a/b": "1"}),
        ({"op": "add", "path": "/metadata/labels/e", "value": "5"}, "labels", {"a/b": "1", "c~d": "2", "e": "5"}),
        ({"op": "add", "path": "/spec/list/0", "value": 0}, "list", [0, {"name": "x"}, {"name": "y"}]),
        ({"op": "add", "path": "/spec/list/-", "value": 0}, "list", [{"name": "x"}, {"name": "y"}, 0]),
        ({"op": "remove", "path": "/spec/list/0"}, "list", [{"name": "y"}]),
        ({"op": "move", "from": "/spec/list/1", "path": "/spec/list/0"}, "list", [{"name": "y"}, {"name": "x"}]),
        ({"op": "replace", "path": "/spec/list/1/name", "value": "z"}, "list", [{"name": "x"}, {"name": "z"}]),
        ({"op": "test", "path": "/spec/list/1/name", "value": "no"}, "list", BEFORE["spec"]["list"]),
    ],
)
def test_operations(operation: dict[str, Any], at: str, value: Any) -> None:
    """As RFC 6902 has them; what was is left as it was."""
    before = copy.deepcopy(BEFORE)
    made = patched(before, [operation])
    assert before == BEFORE
    assert made["metadata" if at == "labels" else "spec"][at] == value


def test_operations_as_undos_have_them() -> None:
    """Encoded already, as Go writes them."""
    body = msgspec.Raw(b'[{"op":"add","path":"/a","value":"\\u003c"}]')
    assert operations(Write("PATCH", "/x", body, JSON_PATCH)) == [{"op": "add", "path": "/a", "value": "<"}]


PATCHES: dict[str, list[dict[str, Any]]] = {
    "replaced": [{"op": "replace", "path": "/spec/size", "value": 0}],
    "removed": [{"op": "remove", "path": "/spec/size"}],
    "added to a list": [{"op": "add", "path": "/spec/list/-", "value": 3}],
    "moved in a list": [{"op": "move", "from": "/spec/list/1", "path": "/spec/list/0"}],
    "moved to another field": [{"op": "move", "from": "/spec/size", "path": "/spec/other"}],
}


@pytest.mark.parametrize("name", PATCHES)
async def test_a_patch_that_cannot_be_done_twice(name: str) -> None:
    """What is there tells whether it was done; somebody else's fields do not matter, their change of these does."""
    place = FakePlace()
    before = copy.deepcopy(place.put("a", spec={"size": 1, "list": [1, 2]}))
    patch = [{"op": "test", "path": "/spec", "value": before["spec"]}, *PATCHES[name]]
    step = patching(target("a").read(before), patch, JSON_PATCH)
    assert await was_done(place, step, before) is None
    await place.send(step.write)
    assert await was_done(place, step, before) is not None
    place.change("a", theirs=1)
    assert await was_done(place, step, before) is not None
    place.change("a", size=9, list=[9], other=9)
    with pytest.raises(Invalid):
        await was_done(place, step, before)


async def test_a_webhook_that_counts() -> None:
    """What it writes into every change, dry runs as well, does not make a write undone."""

    class Counting(FakePlace):
        count = 0

        async def send(self, write: Write, *, dry_run: bool = False) -> Any:
            answer, warnings = await super().send(write, dry_run=dry_run)
            self.count += 1
            return {**answer, "spec": {**answer["spec"], "count": self.count}}, warnings

    place = Counting("a")
    before = copy.deepcopy(next(iter(place.objects.values())))
    step = patching(target("a").read(before), {"spec": {"size": 2, "gone": None}})
    await place.send(step.write)
    assert await was_done(place, step, before) is not None


ETCD = ServerError(500, "", "etcdserver: request timed out")
WEBHOOK = ServerError(500, "InternalError", 'Internal error occurred: failed calling webhook "x"')


@pytest.mark.parametrize(
    ("error", "is_open"),
    [
        (ConnectionFailed("https://x", "connection reset"), True),
        (ServerTimeout(504, "Timeout", "may still be processing"), True),
        (Unavailable(502), True),
        (Unavailable(503), True),
        (Unavailable(503, retry_after=1), False),
        (TooManyRequests(429, retry_after=1), False),
        (ETCD, True),
        (WEBHOOK, False),
        (Invalid(422), False),
    ],
)
def test_what_leaves_it_open(error: KtuiError, is_open: bool) -> None:
    """Who refuses has done nothing; who does not answer may have."""
    assert leaves_open(error) is is_open


def test_a_gateway_does_not_speak_for_the_server() -> None:
    """It may ask to wait, and the server behind it may have done what was asked."""
    assert asked_to_wait(Unavailable(502, retry_after=1)) is None
    assert asked_to_wait(Unavailable(503, retry_after=1)) == 1


def test_a_deletion_may_have_been_sent_before() -> None:
    """The line tells of the last attempt only."""
    refused = ConnectionFailed("https://x", "connection refused")
    assert never_sent(refused)
    assert not never_sent(ConnectionFailed("https://x", "connection reset"))
