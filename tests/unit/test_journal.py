"""The journal: kept for its owner alone, by several at once, without secrets, and believed as far as it can be read."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ktui.actions import journal as journal_module
from ktui.actions.action import JSON, Action, Step, Target, Undone, Write
from ktui.actions.journal import Entry, Journal, NotKept, Result, as_script, batches, entry_of, redacted_words
from ktui.actions.undertaking import Written
from ktui.actions.undo import CreateUndo, PatchUndo
from ktui.kinds.deployments import DEPLOYMENTS
from ktui.kinds.generic import generic_kind
from ktui.kinds.kind import Kind
from ktui.kinds.names import GVR, ObjectKey
from ktui.kube.errors import Forbidden, KtuiError
from ktui.redaction import HIDDEN

SECRETS = generic_kind(GVR("", "v1", "secrets"), "Secret", True)
KEY = ObjectKey("shop", "web")
SERVER = "https://10.0.0.1:6443"
DATA = "aHVudGVyMg=="
LABEL = Action(id="label", key="l", title="Label", help="", plan=lambda target, values: (), offers=lambda kind: True)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return opened(tmp_path)


def opened(folder: Path, context: str = "prod", authority: bytes = b"ca") -> Journal:
    return Journal(SERVER, context, authority, folder / "journal")


def only_file(folder: Path) -> Path:
    (path,) = (folder / "journal").iterdir()
    return path


def entry(number: int = 0, **more: Any) -> Entry:
    usual: dict[str, Any] = {
        "id": f"e{number}",
        "at": 1.8e9 + number,
        "context": "prod",
        "action": "Scale",
        "gvr": DEPLOYMENTS.gvr,
        "kind": "Deployment",
        "key": KEY,
        "words": ("kubectl", "-n", "shop", "scale", "deployments", "web", f"--replicas={number}"),
    }
    return Entry(**{**usual, **more})


def written(
    words: tuple[str, ...] = ("kubectl",),
    *,
    kind: Kind = DEPLOYMENTS,
    undone: Undone = Undone.PATCH,
    before: Any = None,
    after: Any = None,
    stdin: str = "",
    error: KtuiError | None = None,
    unknown: bool = False,
) -> Written:
    write = Write("DELETE" if undone is Undone.CREATE else "PUT", kind.gvr.path(*KEY), None, JSON)
    step = Step(Target(kind, KEY, "u"), write, words, stdin=stdin, undone=undone)
    return Written(LABEL, step, before, after, error, unknown, "batch")


def secret(value: str, **meta: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "web", "uid": "u", **meta}, "data": {"a": value}}


# -- the file ----------------------------------------------------------------------------------


def test_what_is_appended_is_found_again(tmp_path: Path, journal: Journal) -> None:
    """The newest last, with all that takes it back, by this and every later ktui."""
    before = {"metadata": {"name": "web", "uid": "u", "labels": {"a": "1"}}, "spec": {"x": [{"name": "n", "y": None}]}}
    after = {"metadata": {"name": "web", "uid": "u", "labels": {"a": "2"}}, "spec": {"x": []}}
    whole = entry_of(written(before=before, after=after), context="prod", at=1.0)
    journal.append(whole)
    journal.append(entry(1))
    assert journal.entries() == opened(tmp_path).entries() == [whole, entry(1)]
    assert isinstance(whole.undo, PatchUndo)
    assert (whole.action, whole.batch, whole.subject) == ("Label", "batch", "deployment shop/web")


def test_its_owner_alone_can_read_it(tmp_path: Path, journal: Journal) -> None:
    """Whatever the umask, and whoever opened it up."""
    before = os.umask(0)
    try:
        journal.append(entry())
        assert only_file(tmp_path).parent.stat().st_mode & 0o777 == 0o700
        assert only_file(tmp_path).stat().st_mode & 0o777 == 0o600
        only_file(tmp_path).chmod(0o644)
        journal.append(entry(1))
        assert only_file(tmp_path).stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)


def test_each_cluster_has_its_own(tmp_path: Path) -> None:
    """The same server under two names is one; the same URL with another authority is another."""
    opened(tmp_path).append(entry())
    assert opened(tmp_path, context="other").entries()
    assert not opened(tmp_path, authority=b"another").entries()
    assert not opened(tmp_path, authority=b"").entries()
    opened(tmp_path, context="a", authority=b"").append(entry())
    assert not opened(tmp_path, context="b", authority=b"").entries()


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"\xff\xfe\x00",
        b"[]",
        b'{"line": "write"}',
        b'{"line": "other"}',
        b'{"line": "undone", "entry": "e0", "at": 1e300}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_line_is_skipped_and_counted(tmp_path: Path, journal: Journal, line: bytes) -> None:
    """It hides nothing before it, and nothing after it, also when it broke off."""
    journal.append(entry(0))
    with only_file(tmp_path).open("ab") as file:
        file.write(line)
    journal.append(entry(1))
    assert journal.entries() == [entry(0), entry(1)]
    assert journal.damaged == 1


def test_what_was_taken_back_is_marked(tmp_path: Path, journal: Journal) -> None:
    """By a line of its own; what is in the file is never changed."""
    journal.append(entry(0))
    journal.append(entry(1))
    before = only_file(tmp_path).read_bytes()
    journal.undone("e0")
    assert only_file(tmp_path).read_bytes().startswith(before)
    assert [each.undone for each in opened(tmp_path).entries()] == [True, False]


def test_a_disk_that_is_full(tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said, and what was done can be undone until ktui ends."""
    journal.append(entry(0))

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(NotKept, match="no space left on device"):
            journal.append(entry(1))
        with pytest.raises(NotKept):
            journal.undone("e0")
    assert [(each.id, each.undone) for each in journal.entries()] == [("e0", True), ("e1", False)]
    assert [each.id for each in opened(tmp_path).entries()] == ["e0"]


def test_a_link_is_not_followed(tmp_path: Path, journal: Journal) -> None:
    """Nobody else's file is written to."""
    journal.append(entry())
    path = only_file(tmp_path)
    path.unlink()
    path.symlink_to(tmp_path / "other")
    with pytest.raises(NotKept):
        journal.append(entry())
    assert not (tmp_path / "other").exists()


def test_older_entries_go_at_the_start(tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """By number and by size; the newest stay, and so do their marks."""
    for number in range(30):
        journal.append(entry(number))
    journal.undone("e29")
    monkeypatch.setattr(journal_module, "MOST_ENTRIES", 20)
    kept = opened(tmp_path).entries()
    assert [each.id for each in kept] == [f"e{number}" for number in range(11, 30)]
    assert kept[-1].undone
    size = only_file(tmp_path).stat().st_size
    monkeypatch.setattr(journal_module, "MOST_BYTES", size - 1)
    kept = opened(tmp_path).entries()
    assert 0 < only_file(tmp_path).stat().st_size <= size * 3 // 4
    assert kept[-1].id == "e29"
    assert only_file(tmp_path).stat().st_mode & 0o777 == 0o600


def test_a_file_beyond_all_bounds_is_read_from_its_end(
    tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever wrote it; a line that is cut by that is not called damaged."""
    for number in range(30):
        journal.append(entry(number))
    monkeypatch.setattr(journal_module, "MOST_BYTES", 1_000)
    kept = journal.entries()
    assert 0 < len(kept) < 30
    assert (kept[-1], journal.damaged) == (entry(29), 0)


WRITER = """
import sys
from pathlib import Path
from ktui.actions import journal
from ktui.actions.journal import Entry, Journal
from ktui.kinds.names import GVR, ObjectKey
journal.MOST_ENTRIES = int(sys.argv[3])
for number in range(150):
    made = Journal("s", "c", b"ca", Path(sys.argv[1]))
    made.append(Entry(id=f"{sys.argv[2]}-{number}", at=1.0, gvr=GVR("", "v1", "pods"), kind="Pod",
                      key=ObjectKey("a", "b"), said="x" * 5000))
"""


@pytest.mark.parametrize("most", [2_000, 40])
def test_several_write_at_the_same_time(tmp_path: Path, most: int) -> None:
    """No line is lost or torn, also while one of them forgets older entries all the time."""
    folder = tmp_path / "journal"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(folder), name, str(most)]) for name in "abc"]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    journal = Journal("s", "c", b"ca", folder)
    found = [each.id for each in journal.entries()]
    assert journal.damaged == 0
    assert len(set(found)) == len(found)
    if most > 450:
        assert len(found) == 450
    else:
        assert len(found) >= most
        for name in "abc":
            numbers = [int(each[2:]) for each in found if each.startswith(name)]
            # What is there has no gaps: only the oldest are gone.
            assert numbers == list(range(150 - len(numbers), 150))
    assert [path.suffix for path in folder.iterdir()] == [".jsonl"]


# -- secrets -----------------------------------------------------------------------------------


@pytest.mark.parametrize("undone", [Undone.PATCH, Undone.CREATE, Undone.DELETE])
@pytest.mark.parametrize("keep", [False, True])
def test_the_data_of_a_secret_is_not_written(tmp_path: Path, journal: Journal, undone: Undone, keep: bool) -> None:
    """Neither in the line nor in what takes it back, unless it is wanted."""
    words = ("kubectl", "patch", "secrets", "web", "-p", f'{{"data":{{"a":"{DATA}"}}}}', f"--from-literal=a={DATA}")
    made = written(
        words,
        kind=SECRETS,
        undone=undone,
        before=secret(DATA),
        after=secret("aHVudGVyMw=="),
        stdin=f"data: {{a: {DATA}}}",
    )
    whole = entry_of(made, context="prod", at=1.0, keep_secrets=keep)
    journal.append(whole)
    text = only_file(tmp_path).read_text()
    assert ("aHVudGVy" in text) is keep
    assert whole.undo is not None
    assert bool(whole.undo.refused) is (not keep and undone is not Undone.DELETE)


@pytest.mark.parametrize(
    ("word", "kept"),
    [
        (("set", "env", "DB_PASSWORD=hunter2"), ("set", "env", f"DB_PASSWORD={HIDDEN}")),
        (("--token", "hunter2"), ("--token", HIDDEN)),
        (("--replicas=3",), ("--replicas=3",)),
        (("-p", '{"password":"hunter2"}'), ("-p", f'{{"password":{HIDDEN}}}')),
        (("--image=https://me:hunter2@r.io/x",), (f"--image=https://{HIDDEN}@r.io/x",)),
    ],
)
def test_what_looks_like_a_credential_goes(word: tuple[str, ...], kept: tuple[str, ...]) -> None:
    """From the words of the line."""
    assert redacted_words(("kubectl", *word), secret=False) == ("kubectl", *kept)


def test_data_on_a_command_line_goes_whatever_it_looks_like() -> None:
    """Of a Secret, every literal."""
    words = redacted_words(("kubectl", "create", "secret", "--from-literal=a=b=c", "--docker-password=x"), secret=True)
    assert words[3:] == (f"--from-literal=a={HIDDEN}", f"--docker-password={HIDDEN}")


def test_the_words_of_a_failure_are_redacted() -> None:
    """A webhook may quote what it was sent."""
    error = Forbidden(403, "Forbidden", 'admission webhook denied: token: "hunter2"')
    made = entry_of(written(error=error), context="prod", at=1.0)
    assert made.result is Result.FAILED
    assert "admission webhook denied" in made.said
    assert "hunter2" not in made.said
    assert made.undo is None
    assert entry_of(written(error=error, unknown=True), context="prod", at=1.0).result is Result.UNKNOWN


def test_a_deleted_deployment_is_kept_whole() -> None:
    """With holes, it could not be created again."""
    item: Any = {"metadata": {"name": "web", "uid": "u"}, "spec": {"env": [{"name": "API_TOKEN", "value": "x"}]}}
    undo = entry_of(written(undone=Undone.CREATE, before=item, after={}), context="prod", at=1.0).undo
    assert isinstance(undo, CreateUndo)
    assert undo.manifest is not None
    assert undo.manifest["spec"] == item["spec"]


# -- runbook -----------------------------------------------------------------------------------


async def test_a_script_does_what_was_done(tmp_path: Path) -> None:
    """In order, with its input; what failed, is unknown, or lacks its secret is a comment. A shell runs it."""
    hostile = "no\n rm -rf /\r\x1b[2J"
    script = as_script(
        [
            entry(1),
            entry(2, result=Result.FAILED, said=hostile, words=("kubectl", "delete", "pods", "a\nrm -rf b")),
            entry(3, words=("kubectl", "create", "-f", "-"), stdin="kind: X\nname: $HOME `x` 'y'\nEOF\n", undone=True),
            entry(4, result=Result.UNKNOWN, said="timed out", words=("kubectl", "drain"), action="x\ny"),
            entry(5, words=("kubectl", "create", "secret", f"--from-literal=a={HIDDEN}"), key=ObjectKey("", "a\nid")),
        ]
    )
    fake = tmp_path / "kubectl"
    fake.write_text('#!/bin/sh\necho "kubectl $*"\ncase "$*" in *create*) cat;; esac\n')
    fake.chmod(0o700)
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", script, stdout=asyncio.subprocess.PIPE, env={**os.environ, "PATH": f"{tmp_path}:/bin:/usr/bin"}
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    assert out.decode().splitlines() == [
        "kubectl --context prod -n shop scale deployments web --replicas=1",
        "kubectl --context prod create -f -",
        "kind: X",
        "name: $HOME `x` 'y'",
        "EOF",
    ]
    assert "later undone" in script
    assert "fill it in" in script
    assert "not known whether it was done: timed out" in script
    assert "\x1b" not in script


def test_batches_are_what_was_done_together() -> None:
    """What has none stands alone."""
    found = batches([entry(1, batch="a"), entry(2), entry(3, batch="a"), entry(4, batch="b")])
    assert [[each.id for each in batch] for batch in found] == [["e1", "e3"], ["e2"], ["e4"]]


def test_the_form_of_lines_is_stable() -> None:
    """Lines of a ktui of before can be read: a change of this text needs another form of file."""
    line = msgspec.json.encode(entry(1, said="x"))
    assert line == (
        b'{"line":"write","id":"e1","at":1800000001.0,"action":"Scale","context":"prod",'
        b'"gvr":["apps","v1","deployments"],"kind":"Deployment","key":["shop","web"],'
        b'"words":["kubectl","-n","shop","scale","deployments","web","--replicas=1"],"said":"x"}'
    )
