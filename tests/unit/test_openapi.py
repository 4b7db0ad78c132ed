"""OpenAPI: documents are fetched when they are wanted, once, and kept by their hashes."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from ktui.kube.client import Client
from ktui.kube.errors import ConnectionFailed, Forbidden, NotFound, UnexpectedAnswer
from ktui.kube.openapi import Kept, SavedSchemas, ServerSchemas
from tests.unit.test_schema import DOCUMENTS

APPS = (DOCUMENTS / "apps_v1.json").read_bytes()
PLACE = "/openapi/v3/apis/apps/v1"


class Server:
    """What a client for a server would answer; which paths were asked for."""

    def __init__(self) -> None:
        self.identity = SimpleNamespace(server="https://one")
        self.asked: list[str] = []
        self.urls = {"apis/apps/v1": f"{PLACE}?hash=A"}
        self.refusal: Exception | None = None
        self.body = APPS
        self.moved = ""

    async def get_json(self, path: str, type: Any) -> Any:  # noqa: A002
        self.asked.append(path)
        if self.refusal:
            raise self.refusal
        return msgspec.convert({"paths": {place: {"serverRelativeURL": url} for place, url in self.urls.items()}}, type)

    async def request(self, method: str, path: str, query: dict[str, str]) -> Any:
        url = f"{path}?{'&'.join(map('='.join, query.items()))}"
        self.asked.append(url)
        if url == self.moved:
            raise UnexpectedAnswer(self.identity.server, "a redirection (301)")
        return SimpleNamespace(body=self.body)


def schemas(server: Server, folder: Path) -> ServerSchemas:
    return ServerSchemas(cast(Client, server), folder)


async def test_a_document_is_fetched_once(tmp_path: Path) -> None:
    """Then it comes from memory, and at the next start from disk."""
    server = Server()
    found = schemas(server, tmp_path / "openapi")
    for kind in ("Deployment", "StatefulSet"):
        assert await found.schema("apps", "v1", kind) is not None
    assert await found.schema("apps", "v1", "Nope") is None
    assert server.asked == ["/openapi/v3", f"{PLACE}?hash=A"]
    assert await schemas(server, tmp_path / "openapi").schema("apps", "v1", "Deployment") is not None
    assert server.asked[2:] == ["/openapi/v3"]
    (kept,) = (tmp_path / "openapi").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.parent.stat().st_mode & 0o777 == 0o700


async def test_a_new_hash_is_a_new_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when a definition of custom resources changed; the old one is removed."""
    server = Server()
    found = schemas(server, tmp_path)
    await found.schema("apps", "v1", "Deployment")
    server.urls["apis/apps/v1"] = f"{PLACE}?hash=B"
    await found.schema("apps", "v1", "Deployment")
    assert len(server.asked) == 2, "asked again too soon"
    monkeypatch.setattr("ktui.kube.openapi.FRESH", -1.0)
    await found.schema("apps", "v1", "Deployment")
    assert server.asked[2:] == ["/openapi/v3", f"{PLACE}?hash=B"]
    assert len(os.listdir(tmp_path)) == 1


async def test_a_document_that_changed_meanwhile_is_found(tmp_path: Path) -> None:
    """A server leads from the hash of an old document to the new one; then its index is asked for again."""
    server = Server()
    found = schemas(server, tmp_path)
    server.urls["apis/batch/v1"] = "/openapi/v3/apis/batch/v1?hash=A"
    await found.schema("apps", "v1", "Deployment")
    server.urls["apis/batch/v1"] = "/openapi/v3/apis/batch/v1?hash=B"
    server.moved = "/openapi/v3/apis/batch/v1?hash=A"
    assert await found.schema("batch", "v1", "Nope") is None
    assert server.asked[2:] == [server.moved, "/openapi/v3", "/openapi/v3/apis/batch/v1?hash=B"]


async def test_another_server_has_its_own_documents(tmp_path: Path) -> None:
    """Whatever hash it announces: it must not be able to change what is known of this one."""
    await schemas(Server(), tmp_path).schema("apps", "v1", "Deployment")
    other = Server()
    other.identity.server = "https://two"
    await schemas(other, tmp_path).schema("apps", "v1", "Deployment")
    assert other.asked == ["/openapi/v3", f"{PLACE}?hash=A"]


@pytest.mark.parametrize("kind", [NotFound, Forbidden, ConnectionFailed])
async def test_a_server_that_tells_nothing_knows_nothing(
    kind: type[Exception], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = Server()
    server.refusal = kind.__new__(kind)
    server.refusal.__dict__.update(sentence="no", args=("no",))
    assert await schemas(server, tmp_path).schema("apps", "v1", "Deployment") is None
    server.refusal = None
    assert await schemas(server, tmp_path).schema("", "v1", "Pod") is None


@pytest.mark.parametrize(("url", "body"), [(f"{PLACE}?hash=A", b"<html>"), ("https://elsewhere/x", APPS)])
async def test_what_is_no_document_is_none(url: str, body: bytes, tmp_path: Path) -> None:
    server = Server()
    server.urls["apis/apps/v1"], server.body = url, body
    assert await schemas(server, tmp_path).schema("apps", "v1", "Deployment") is None
    assert os.listdir(tmp_path) == []


def test_damaged_files_count_as_none(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.keep(("a", "b"), "1", APPS)
    assert kept.recall(("a", "b"), "1") is not None
    (file,) = tmp_path.iterdir()
    file.write_bytes(APPS[:1000])
    assert kept.recall(("a", "b"), "1") is None


def test_no_more_files_are_kept_than_need_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ktui.kube.openapi.MOST_FILES", 2)
    for number in range(4):
        Kept(tmp_path).keep(("a", str(number)), "1", b"{}")
    assert len(os.listdir(tmp_path)) == 2


def test_a_disk_that_is_full_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    Kept(tmp_path / "file").keep(("a", "b"), "1", b"{}")


async def test_a_folder_of_documents(tmp_path: Path) -> None:
    """Whatever they are called; what is none of them is passed over."""
    assert await SavedSchemas(DOCUMENTS).schema("apps", "v1", "Deployment") is not None
    assert await SavedSchemas(DOCUMENTS).schema("", "v1", "Pod") is not None
    assert await SavedSchemas(DOCUMENTS).schema("apps", "v1", "Pod") is None
    (tmp_path / "index.json").write_text(json.dumps({"paths": {"api/v1": {"serverRelativeURL": "/openapi/v3/api/v1"}}}))
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "core.json").write_bytes((DOCUMENTS / "api_v1.json").read_bytes())
    assert await SavedSchemas(tmp_path).schema("", "v1", "Pod") is not None
    with pytest.raises(OSError, match="nowhere"):
        await SavedSchemas(tmp_path / "nowhere").schema("", "v1", "Pod")


def test_reading_takes_no_time() -> None:
    """The document of apps/v1, from the file to a schema: less than what a key may take."""
    fastest = 1.0
    for _ in range(3):
        start = time.perf_counter()
        assert SavedSchemas(DOCUMENTS).find("apps", "v1", "Deployment") is not None
        fastest = min(fastest, time.perf_counter() - start)
    assert fastest < 0.15
