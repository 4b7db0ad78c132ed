"""What was seen last: kept for its owner alone, for one configuration, and believed only as far as it can be read."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import msgspec
import pytest

from ktui.kinds.names import ObjectKey
from ktui.kinds.objects import Object
from ktui.kinds.row import Row
from ktui.kube import last_seen
from ktui.kube.feed import Feed, Scope
from ktui.kube.last_seen import KindSeen, LastSeen, Memory, RowSeen, files_looked_at, row_of, row_seen
from ktui.kube.state import Denied, Listing, Live, Partial, Remembered, Stale, State, Unusable, Waiting
from ktui.widgets.freshness import freshness, sentence
from tests.unit.table_rows import BOATS, COLUMNS, NOW, boat

SEEN = KindSeen(NOW - 3 * 3600, 10_000, ("NAME", "ark"), (RowSeen("sea", "ark", ("ark", "Running", NOW, None, 3)),))


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    path = tmp_path / "config"
    path.write_text("users: [{name: me, user: {token: canary}}]")
    return path


def memory(folder: Path, *, files: str = "f", context: str = "", namespaces: tuple[str, ...] = ()) -> Memory:
    return Memory(files, context, namespaces, folder / "last-seen")


def only_file(folder: Path) -> Path:
    (path,) = (folder / "last-seen").iterdir()
    return path


# -- the file ----------------------------------------------------------------------------------


def test_what_is_kept_is_recalled(tmp_path: Path) -> None:
    """Kinds that are not known now stay as they were."""
    memory(tmp_path).keep("prod", {"boats": SEEN, "ports": SEEN})
    newer = msgspec.structs.replace(SEEN, total=3)
    memory(tmp_path).keep("prod", {"boats": newer})
    assert memory(tmp_path).recall() == LastSeen("prod", {"boats": newer, "ports": SEEN})


def test_its_owner_alone_can_read_it(tmp_path: Path) -> None:
    """Whatever the umask: 0600 in a folder of 0700, and nothing is left beside it."""
    before = os.umask(0)
    try:
        memory(tmp_path).keep("prod", {"boats": SEEN})
        memory(tmp_path).keep("prod", {"boats": SEEN})
    finally:
        os.umask(before)
    assert only_file(tmp_path).stat().st_mode & 0o777 == 0o600
    assert only_file(tmp_path).parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"[]",
        b'{"kinds": {"boats": {"at": 1}}}',
        b'{"kinds": {"boats": {"at": -1, "total": 1}}}',
        b'{"kinds": {"boats": {"at": 1e300, "total": 1}}}',
        b'{"kinds": {"boats": {"at": 1, "total": 1, "lines": [7]}}}',
        b'{"kinds": {"boats": {"at": 1, "total": 1, "rows": [["sea", "ark", [{"a": 1}]]]}}}',
        b'{"context": "' + b"x" * 2_000_000 + b'"}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_file_counts_as_none(tmp_path: Path, content: bytes) -> None:
    """It ends nothing, shows nothing, and is replaced."""
    memory(tmp_path).keep("prod", {"boats": SEEN})
    path = only_file(tmp_path)
    path.write_bytes(content)
    assert memory(tmp_path).recall() == LastSeen()
    memory(tmp_path).keep("prod", {"boats": SEEN})
    assert memory(tmp_path).recall().kinds == {"boats": SEEN}


def test_nothing_of_it_controls_a_terminal(tmp_path: Path) -> None:
    """Anything may have written the file."""
    memory(tmp_path).keep("\x1b[2J", {"boats": KindSeen(NOW, 1, ("a\x1b]0;b",), (RowSeen("", "n", ("\x1b[31m",)),))})
    seen = memory(tmp_path).recall()
    assert seen.context.isprintable()
    assert all(line.isprintable() for line in seen.kinds["boats"].lines)
    row = row_of(seen.kinds["boats"].rows[0])
    assert all(column.cell(row, NOW).isprintable() for column in COLUMNS)


def test_a_folder_that_cannot_be_written_ends_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It costs the rows of the next first frame, and the log says so."""
    (tmp_path / "last-seen").write_text("no folder")
    with caplog.at_level(logging.WARNING):
        memory(tmp_path).keep("prod", {"boats": SEEN})
    assert "cannot be written" in caplog.text
    assert memory(tmp_path).recall() == LastSeen()


def test_configurations_of_long_ago_are_forgotten(tmp_path: Path) -> None:
    """Kubeconfigs that are written anew leave files behind: the latest are kept."""
    for number in range(last_seen.MOST_FILES + 5):
        memory(tmp_path, files=str(number)).keep("prod", {"boats": SEEN})
        for path in (tmp_path / "last-seen").iterdir():
            # Every file is a second older than the next one, however fast the disk is.
            os.utime(path, ns=(0, path.stat().st_mtime_ns - 10**9))
    assert memory(tmp_path, files="4").recall() == LastSeen()
    assert memory(tmp_path, files="5").recall().kinds
    assert len(list((tmp_path / "last-seen").iterdir())) == last_seen.MOST_FILES


# -- the configuration -------------------------------------------------------------------------


def test_another_configuration_recalls_nothing(tmp_path: Path) -> None:
    """Context and namespaces are part of it, in whatever order these are named."""
    memory(tmp_path, context="prod", namespaces=("a", "b")).keep("prod", {"boats": SEEN})
    assert memory(tmp_path, context="prod", namespaces=("b", "a")).recall().kinds
    assert not memory(tmp_path, context="test", namespaces=("a", "b")).recall().kinds
    assert not memory(tmp_path, context="prod", namespaces=("a",)).recall().kinds
    assert not memory(tmp_path, files="g", context="prod", namespaces=("a", "b")).recall().kinds


def test_a_kubeconfig_that_was_written_is_another(kubeconfig: Path) -> None:
    """Its size and its time tell, and so do its place and the pod's own cluster."""
    found = files_looked_at([kubeconfig], {})
    assert found == files_looked_at([kubeconfig], {}) == files_looked_at(None, {"KUBECONFIG": str(kubeconfig)})
    assert "canary" not in found
    others = [files_looked_at([kubeconfig], {"KUBERNETES_SERVICE_HOST": "10.0.0.1"})]
    before = kubeconfig.stat()
    kubeconfig.write_text("users: []")
    os.utime(kubeconfig, ns=(before.st_atime_ns, before.st_mtime_ns))
    others.append(files_looked_at([kubeconfig], {}))
    os.utime(kubeconfig, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    others.append(files_looked_at([kubeconfig], {}))
    copy = kubeconfig.rename(kubeconfig.with_name("copy"))
    others += [files_looked_at([copy], {}), files_looked_at([kubeconfig], {})]
    assert len({found, *others}) == 6


# -- rows --------------------------------------------------------------------------------------


def test_a_row_reads_the_same_when_it_comes_back(tmp_path: Path) -> None:
    """Every cell that the server prints, hours later too: ages go on."""
    row = boat("ark", status="Crashed", restarts=7, node="n", image="i", created="2026-01-09T20:00:00Z")
    memory(tmp_path).keep("prod", {"boats": KindSeen(NOW, 1, (), (row_seen(BOATS, row),))})
    back = row_of(memory(tmp_path).recall().kinds["boats"].rows[0])
    for now in (NOW, NOW + 7200):
        assert [column.cell(back, now) for column in COLUMNS] == [column.cell(row, now) for column in COLUMNS]
    assert back.key == row.key
    assert back.remembered
    assert not row.remembered


def test_cells_of_any_json_can_be_kept(tmp_path: Path) -> None:
    """A server's Table may have lists and objects in its cells; ktui keeps their text."""
    row = Row(ObjectKey("", "a"), "u", None, ("a", ["x", 1], {"k": None}, None, 1.5, True))
    memory(tmp_path).keep("prod", {"boats": KindSeen(NOW, 1, (), (row_seen(BOATS, row),))})
    assert memory(tmp_path).recall().kinds["boats"].rows[0].cells == ("a", '["x",1]', '{"k":null}', None, 1.5, True)


# -- in a feed ---------------------------------------------------------------------------------

LOST = Stale(5.0, "connection refused", 8.0, complete=False)


def recalled() -> Feed:
    feed = Feed(BOATS, Scope(BOATS.gvr), tuple)
    feed.recall(SEEN, NOW)
    return feed


@pytest.mark.parametrize("state", [Waiting(), Listing(3, 9), LOST])
def test_rows_stay_while_nothing_is_known(state: State) -> None:
    """The state says of when they are, and what there is instead of a list; it never claims to be live."""
    feed = recalled()
    feed.become(state)
    assert isinstance(feed.state, Remembered)
    assert (feed.state.why, feed.state.total) == (state, 10_000)
    assert list(feed.store.rows) == [ObjectKey("sea", "ark")]


@pytest.mark.parametrize(
    "state", [Live(), LOST.__class__(5.0, "lost", 8.0, complete=True), Partial(1, 2, ""), Denied("list boats", "no")]
)
def test_nothing_old_stays_when_it_is_known_what_is_the_case(state: State) -> None:
    """Rows that no list has confirmed go; those of the cluster stay. What may not be read is not shown from memory."""
    feed = recalled()
    feed.store.put([Row(ObjectKey("sea", "bark"), "u", Object(), None)])
    feed.become(state)
    assert feed.state == state
    assert list(feed.store.rows) == [ObjectKey("sea", "bark")]
    feed.become(Waiting())
    assert feed.state == Waiting()


def test_a_row_of_the_cluster_takes_the_place_of_the_old_one() -> None:
    """Even with the same cells: from then on it counts as seen now."""
    feed = recalled()
    feed.store.put([Row(ObjectKey("sea", "ark"), "", None, SEEN.rows[0].cells)])
    feed.become(Live())
    assert [row.remembered for row in feed.store.rows.values()] == [False]


def test_a_configuration_that_cannot_be_used_says_so_instead() -> None:
    """What is wrong, and what to do, would not be seen behind old rows."""
    feed = recalled()
    feed.become(Unusable("The certificate has expired.", "Sign in again."))
    assert feed.state == Unusable("The certificate has expired.", "Sign in again.")
    assert not feed.store.rows


# -- in words ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("why", "words"),
    [
        (Waiting(), "▲ as of 14:03, 3 h ago"),
        (LOST, "▲ as of 14:03, 3 h ago (connection refused, retry in 3 s)"),
        (Listing(500, 10_000), "◌ listing 500/10,000, others as of 14:03, 3 h ago"),
    ],
)
def test_old_rows_are_told_as_old(why: Waiting | Listing | Stale, words: str) -> None:
    """In every state the moment is told, and how long ago that was."""
    glyph, text, _ = freshness(Remembered(5.0 - 3 * 3600, "14:03", 10_000, why), now=5.0)
    assert f"{glyph} {text}" == words


def test_a_pane_without_old_rows_says_why_it_is_empty() -> None:
    """There were none then, and now nothing is known."""
    said = sentence(Remembered(0.0, "14:03", 0, LOST), 0, "boats")
    assert said == ("Nothing listed yet: connection refused.", "ktui keeps trying; ctrl+r tries at once.")


def test_the_day_is_told_when_it_is_not_today() -> None:
    """`14:03` alone would be taken for today's."""
    assert len(KindSeen(NOW - 60, 0).remembered(NOW - 60).moment) == len("14:03")
    assert KindSeen(NOW - 3 * 86400, 0).remembered(NOW).moment.count(" ") == 2
