"""The benchmarks measure what they say they do."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from benchmarks import profile, stages, use
from benchmarks.clusters import Target
from benchmarks.figures import MEASURES, Figures
from benchmarks.goals import Goals
from benchmarks.looking import Watched, forgiven
from benchmarks.programs import HOME, Program, shows_count
from benchmarks.sampled import Spent
from benchmarks.server import server_process
from benchmarks.slow_line import Line
from benchmarks.start import _start
from tests.terminal import PseudoTerminal
from tests.unit.fake_peer import pod_name

PODS = 1_234
PEER = Program("fake", (sys.executable, "-m", "tests.unit.fake_peer", str(PODS)), keep_filter=("enter",))


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return Target("nothing", tmp_path, False, PODS, frozenset(map(pod_name, range(PODS))))


@pytest.fixture
def figures() -> Figures:
    return Figures(Goals(10_000, embedded=False))


def shown(figures: Figures, program: str) -> dict[str, float]:
    """The medians of a program."""
    return {name: values[program][0] for name, values in figures._values.items() if program in values}


# -- the table ---------------------------------------------------------------------------------


def row_of(figures: Figures, measure: str) -> list[str]:
    """The cells of a measure's row."""
    label = MEASURES[measure].label
    lines = figures.table(["ktui", "ktui pods -A"], ["k9s"]).splitlines()
    return next([cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith(f"| {label} "))


def test_the_median_counts_and_is_compared(figures: Figures) -> None:
    """A row has our values, the goal, the references of the same run with their ratios, and the peers."""
    for value in (100.0, 900.0, 300.0):
        figures.add("complete", "ktui", value)
    figures.add("complete", "k9s", 7300.0)
    figures.compare("complete", "rows first", 150.0)
    assert row_of(figures, "complete")[1:] == ["300 ms", "", "≤ 750 ms", "met", "150 ms, rows first (2.00)", "7,300 ms"]


def test_a_goal_holds_for_all_our_programs(figures: Figures) -> None:
    """One that misses it is enough."""
    figures.add("cursor p50", "ktui", 7.0)
    assert row_of(figures, "cursor p50")[4] == "met"
    figures.add("cursor p50", "ktui pods -A", 9.0)
    assert row_of(figures, "cursor p50")[4] == "missed"


@pytest.mark.parametrize(("value", "verdict"), [(129.0, "met"), (131.0, "missed")])
def test_a_goal_may_be_a_ratio(figures: Figures, value: float, verdict: str) -> None:
    """The first frame is judged beside that of a bare app."""
    figures.add("frame", "ktui", value)
    figures.compare("frame", "bare Textual app", 100.0)
    assert row_of(figures, "frame")[3:5] == ["≤ 1.3 × bare Textual app", verdict]


@pytest.mark.parametrize(
    ("pods", "most"), [(1_000, 750), (10_020, 750), (50_000, 1_000), (150_000, 3_000), (500_000, 3_000)]
)
def test_goals_go_by_the_number_of_pods(pods: int, most: float) -> None:
    """Those of the next larger size hold."""
    assert Goals(pods, embedded=False).most("complete") == most


def test_the_embedded_cluster_is_not_what_starts_are_judged_on() -> None:
    """It answers with the same processor; what ktui alone decides is judged."""
    goals = Goals(10_000, embedded=True)
    assert goals.most("complete") is None
    assert goals.most("memory") == 120


def test_every_goal_is_for_something_measured() -> None:
    """No goal is forgotten because its name is not that of a measure."""
    from benchmarks.goals import _AT_MOST, _RATIOS

    assert {name for goals in _AT_MOST.values() for name in goals} | set(_RATIOS) <= set(MEASURES)


# -- programs ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "complete"),
    [("Pods(all)[10,000]", True), ("pods 10000", True), ("Pods 9,999 of 110,000", False), ("10,000,1", False)],
)
def test_all_pods_are_there_when_their_count_is(text: str, complete: bool) -> None:
    """With or without commas, and not as a part of another number."""
    assert shows_count(text, 10_000) is complete


EDGES = "╭ Nodes 3 ─╮╭ Pods {title} ─╮\n│ x ││ y │\n╰─ ● live ─╯╰─ {state} ─╯\n ? Help"


@pytest.mark.parametrize(
    ("title", "state", "complete"),
    [
        ("1,234", "✖3  ● live", True),
        ("1,000", "● live", False),
        ("1,234", "◌ listing 1,234", False),
        ("9 of 1,234 /x", "● live", False),
    ],
)
def test_ktui_is_complete_when_its_title_and_its_edge_say_so(title: str, state: str, complete: bool) -> None:
    """All pods are counted, none is filtered away, and the pane of pods, which is the last, is live."""
    assert HOME.complete(EDGES.format(title=title, state=state), PODS) is complete


def test_a_peer_is_started_and_timed(target: Target, figures: Figures) -> None:
    """Its first row, the complete list, and its memory then."""
    _start(PEER, target, None, figures)
    found = shown(figures, "fake")
    assert 0 < found["frame"] <= found["row"] <= found["complete"] < 60_000
    assert found["memory"] > 1


def test_a_peer_is_used(target: Target, figures: Figures, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cursor moves, pages turn, and a filter leaves its rows alone and lets go of them."""
    monkeypatch.setattr(use, "CALM", 0.2)
    with Watched(PEER, target) as watched:
        used = use.Use(watched, target, figures, 0.1, 6)
        used.open()
        assert watched.cursor_line() == 1
        used.move()
        used.turn()
        assert pod_name(0) not in watched.text
        used.filter()
        used.rest()
    found = shown(figures, "fake")
    assert {"cursor p50", "cursor p95", "page", "filter", "clear", "idle cpu"} <= found.keys()
    assert found["page bytes"] > 500
    assert found["idle bytes"] == 0


@pytest.mark.parametrize("program", [PEER, HOME])
def test_what_a_peer_never_shows_is_left_out(program: Program) -> None:
    """And told; what ktui never shows ends the measurement."""
    told: list[str] = []
    with nullcontext() if program is PEER else pytest.raises(TimeoutError), forgiven(program, "filters", told.append):
        raise TimeoutError("it never showed: only 01234; the screen:\n...")
    assert told == (["fake: filters: it never showed: only 01234; the screen:"] if program is PEER else [])


def test_what_never_shows_is_told(target: Target) -> None:
    """With the screen, so that one sees why."""
    with Watched(PEER, target) as watched, pytest.raises(TimeoutError, match="a miracle"):
        watched.when("a miracle", lambda: False, timeout=0.2)


def test_memory_and_bytes_are_known_of_every_moment(target: Target) -> None:
    """What is noted while a program starts can be looked up for the moment its screen was complete."""
    with Watched(PEER, target) as watched:
        complete = watched.when("all pods", watched.complete)
        assert watched.at(complete).when >= complete - 0.02
        assert watched.at(0.0) == watched.samples[0]
        assert watched.at(complete + 100) == watched.samples[-1]


# -- slow lines --------------------------------------------------------------------------------


async def test_a_slow_line_takes_its_time_and_counts() -> None:
    """So many bytes a second for all connections together; what the client sends is not slowed down."""
    size, rate = 60_000, 400_000

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(3 * size)
        writer.write(b"x" * size)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        line = Line("127.0.0.1", server.sockets[0].getsockname()[1], rate)
        async with await line.listen() as proxy:
            port = proxy.sockets[0].getsockname()[1]

            async def ask() -> bytes:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(b"y" * 3 * size)
                answered = await reader.read(-1)
                writer.close()
                return answered

            began = time.perf_counter()
            assert [len(each) for each in await asyncio.gather(ask(), ask())] == [size, size]
            assert time.perf_counter() - began >= 0.9 * 2 * size / rate
    assert line.carried == 2 * size


def test_a_slow_terminal_takes_its_time() -> None:
    """What a program writes comes at the terminal's rate."""
    size, speed = 20_000, 80_000
    command = [sys.executable, "-c", f"print('x' * {size} + 'END')"]
    with PseudoTerminal(command, speed=speed) as terminal:
        assert terminal.wait("END") - terminal.started >= 0.9 * size / speed
        assert terminal.received > size


def test_the_api_server_is_found_where_it_listens() -> None:
    """By its port, and on this machine only."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        found = server_process(f"https://127.0.0.1:{port}")
        assert found is not None
        assert found.pid == os.getpid()
        assert server_process(f"https://192.0.2.1:{port}") is None
        assert server_process(f"https://cluster.example:{port}") is None


# -- stages ------------------------------------------------------------------------------------


def called_from(path: str, call: Callable[[], Any]) -> Any:
    """What a call gives that comes from a function called `work` in a file."""
    scope: dict[str, Any] = {}
    exec(compile("def work(call): return call()", f"/site/{path}", "exec"), scope)
    return scope["work"](call)


def stage_here() -> tuple[str, str]:
    """The stage of this function, which no rule names."""
    return stages.stage_of(sys._getframe())


@pytest.mark.parametrize(
    ("path", "stage"),
    [
        ("ktui/kube/line.py", stages.NETWORK),
        ("aiohttp/client.py", stages.NETWORK),
        ("ktui/kube/list_watch.py", stages.DECODE),
        ("ktui/kube/store.py", stages.STORE),
        ("ktui/widgets/table_model.py", stages.MODEL),
        ("ktui/kinds/pods.py", stages.MODEL),
        ("ktui/widgets/row_painter.py", stages.PAINT),
        ("textual/screen.py", stages.PAINT),
        ("textual/drivers/linux_driver.py", stages.WRITE),
        ("asyncio/base_events.py", stages.LOOP),
    ],
)
def test_a_function_belongs_to_a_stage(path: str, stage: str) -> None:
    """By the file it stands in; what no rule names belongs to whoever called it."""
    name = path.rpartition("/")[2].removesuffix(".py")
    assert called_from(path, stage_here) == (stage, f"{name}:work")


def test_the_innermost_stage_counts() -> None:
    """Decoding is decoding, whoever waits for it."""
    decoded = called_from("ktui/kube/reflector.py", lambda: called_from("ktui/kube/list_watch.py", stage_here))
    assert decoded == (stages.DECODE, "list_watch:work")


def test_a_table_of_stages_adds_up() -> None:
    """The median of the starts, and what all stages take together."""
    starts = [
        [Spent(0.0, seconds, stages.PAINT, "strip:render"), Spent(0.0, 0.1, stages.DECODE, "list_watch:pages")]
        for seconds in (0.2, 0.3, 0.7)
    ]
    lines = {cells[1].strip(): cells for line in profile.table(starts).splitlines() if (cells := line.split("|"))}
    assert lines["paint"][3].strip() == "300 ms"
    assert lines["paint"][4].strip() == "strip:render 400"
    assert lines["all"][3].strip() == "400 ms"
