"""Place: what actions ask and send, as requests."""

from __future__ import annotations

import json
import time
from typing import Any, cast

import msgspec
import pytest

from ktui.actions.action import JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, Write
from ktui.actions.place import Place
from ktui.kinds.names import GVR_PODS, ObjectKey
from ktui.kube import following
from ktui.kube.client import Client, Identity, Response
from ktui.kube.errors import ConnectionFailed, UnexpectedAnswer
from ktui.kube.session import Session

OPTIONS = {"apiVersion": "v1", "kind": "DeleteOptions"}
POD = {"metadata": {"name": "web", "namespace": "shop"}}


class FakeClient:
    """Keeps what is asked, and answers as it is told."""

    identity = Identity("prod", "cluster", "https://x", "me", "")

    def __init__(self, *answers: Any) -> None:
        self.asked: list[tuple[str, str, dict[str, str], Any, str]] = []
        self._answers = list(answers)

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Any = None,
        accept: str = "",
        body: Any = None,
        content_type: str = "",
    ) -> Response:
        self.asked.append((method, path, dict(query or {}), body and json.loads(body), content_type))
        answer = self._answers.pop(0)
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return Response(200, {}, body, ("careful",))

    async def get_json(self, path: str, type: Any = Any) -> Any:  # noqa: A002
        return json.loads((await self.request("GET", path)).body)


class FakeSession:
    """A session with that client, or without any."""

    def __init__(self, client: FakeClient | None) -> None:
        self.client = cast("Client | None", client)

    @staticmethod
    def clock() -> float:
        return 7.0


def place(client: FakeClient | None) -> Place:
    return Place(cast("Session", FakeSession(client)))


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize(
    ("method", "content_type", "query"),
    [
        ("POST", "application/json", {"fieldManager": "ktui", "fieldValidation": "Strict"}),
        ("PUT", "application/json", {"fieldManager": "ktui", "fieldValidation": "Strict"}),
        ("PATCH", MERGE_PATCH, {"fieldManager": "ktui", "fieldValidation": "Strict"}),
        ("PATCH", STRATEGIC_PATCH, {"fieldManager": "ktui", "fieldValidation": "Strict"}),
        ("PATCH", JSON_PATCH, {"fieldManager": "ktui"}),
        ("DELETE", "application/json", {}),
    ],
)
async def test_a_write(method: str, content_type: str, query: dict[str, str], dry_run: bool) -> None:
    """It carries who writes, that unknown fields are errors, and whether it is meant."""
    client = FakeClient(POD)
    write = Write(method, "/x", {"a": 1}, content_type, {"more": "1"})
    answer = await place(client).send(write, dry_run=dry_run)
    assert answer == (POD, ("careful",))
    expected = {"more": "1", **query, **({"dryRun": "All"} if dry_run else {})}
    body = {"a": 1} if method != "DELETE" or not dry_run else {**OPTIONS, "a": 1, "dryRun": ["All"]}
    assert client.asked == [(method, "/x", expected, body, content_type)]


@pytest.mark.parametrize("body", [None, {}, {"propagationPolicy": "Orphan", "preconditions": {"uid": "u"}}])
async def test_the_dry_run_of_a_deletion(body: Any) -> None:
    """It says so in its body, as the API server reads the query of those only that have none."""
    client = FakeClient(POD)
    await place(client).send(Write("DELETE", "/x", body), dry_run=True)
    assert client.asked[0][3] == {**OPTIONS, **(body or {}), "dryRun": ["All"]}


@pytest.mark.parametrize("answer", [b"", b"<html>", b"[]", b"1", b"\xff"])
async def test_an_answer_that_is_no_object(answer: bytes) -> None:
    """Nobody knows then what was done."""
    with pytest.raises(UnexpectedAnswer):
        await place(FakeClient(answer)).send(Write("PATCH", "/x", {}, MERGE_PATCH))


async def test_reads() -> None:
    """An object, a subresource of it, and some of a namespace."""
    client = FakeClient(POD, {"kind": "Scale"}, {"items": [POD, POD]})
    here, key = place(client), ObjectKey("shop", "web")
    assert await here.get(GVR_PODS, key) == POD
    assert await here.get(GVR_PODS, key, "scale") == {"kind": "Scale"}
    assert await here.objects(GVR_PODS, "shop", labels="app=web", fields="a=b") == [POD, POD]
    asked = [(path, query) for _, path, query, _, _ in client.asked]
    assert asked == [
        ("/api/v1/namespaces/shop/pods/web", {}),
        ("/api/v1/namespaces/shop/pods/web/scale", {}),
        ("/api/v1/namespaces/shop/pods", {"labelSelector": "app=web", "fieldSelector": "a=b", "limit": "500"}),
    ]


async def test_many_objects_are_decoded_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are the same, in the same order."""
    monkeypatch.setattr(following, "LARGE", 100)
    items = [{"metadata": {"name": str(number)}} for number in range(50)]
    assert await place(FakeClient({"items": items})).objects(GVR_PODS) == items


async def test_many_large_objects_keep_nobody_waiting() -> None:
    """While they are decoded, everything else goes on: the loop's own thread has little to do with them."""
    items = [{"metadata": {"name": str(number)}, "data": {"file": "\n" * 400_000}} for number in range(24)]
    here = place(FakeClient(json.dumps({"items": items}).encode()))
    began = time.thread_time()
    found = await here.objects(GVR_PODS)
    spent = time.thread_time() - began
    assert found == items
    texts = [json.dumps(item).encode() for item in items]
    again = time.thread_time()
    for text in texts:
        msgspec.json.decode(text)
    assert spent < (time.thread_time() - again) * 0.75


def test_where_it_is() -> None:
    """A context without a namespace means `default`."""
    here = place(FakeClient())
    assert (here.context, here.namespace, here.now) == ("prod", "default", 7.0)


async def test_before_there_is_a_connection() -> None:
    """Everything says so; nothing was sent."""
    here = place(None)
    with pytest.raises(ConnectionFailed, match="not connected yet"):
        await here.send(Write("POST", "/x", {}))
