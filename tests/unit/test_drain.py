"""Drain: which pods go, what budgets say, and how evictions go on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any, TypeVar, cast

import pytest

from ktui.actions import drain
from ktui.actions.action import Doing, JsonObject, Refusal, Said, Step, Target, Undone
from ktui.actions.drain import DRAIN, drain_line, foretold, go_duration
from ktui.actions.draining import (
    DAEMON_SET_FATAL,
    LOCAL_STORAGE_FATAL,
    UNMANAGED_FATAL,
    Absent,
    Fate,
    Protection,
    Switches,
    Verdict,
    judged,
    protection,
    refusals,
)
from ktui.actions.evict import eviction_step
from ktui.kinds.names import ObjectKey
from ktui.kinds.nodes import NODES
from ktui.kinds.tone import Tone
from ktui.kube.errors import ApiError, Forbidden, NotFound, ServerError, TooManyRequests, api_error

_E = TypeVar("_E", bound=ApiError)

ALL_ON = Switches(ignore_daemonsets=True, delete_emptydir_data=True, force=True)
VALUES = {
    "ignore_daemonsets": True,
    "delete_emptydir_data": False,
    "force": False,
    "grace_period": None,
    "timeout": None,
}


def pod(name: str = "p", *, owner: str = "ReplicaSet", phase: str = "Running", **more: Any) -> JsonObject:
    meta: JsonObject = {"name": name, "namespace": "shop", "uid": f"uid-{name}", "labels": {"app": "web"}}
    if owner:
        meta["ownerReferences"] = [{"kind": owner, "apiVersion": "apps/v1", "name": "web", "controller": True}]
    ready = {"type": "Ready", "status": "True"}
    return {
        "metadata": {**meta, **more.pop("meta", {})},
        "spec": more,
        "status": {"phase": phase, "conditions": [ready]},
    }


FILES = [{"name": "cache", "emptyDir": {}}, {"name": "config", "configMap": {}}]
MIRROR = {"annotations": {"kubernetes.io/config.mirror": "x"}}


# -- which pods go ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "switches", "fate", "why"),
    [
        (pod(), Switches(), Fate.EVICTED, ""),
        (pod(owner="DaemonSet"), Switches(), Fate.IGNORED, ""),
        (pod(owner="DaemonSet"), Switches(ignore_daemonsets=False), Fate.REFUSED, DAEMON_SET_FATAL),
        (pod(owner="DaemonSet", volumes=FILES), Switches(), Fate.IGNORED, ""),
        (pod(owner="Node", meta=MIRROR), Switches(), Fate.SKIPPED, ""),
        (pod(owner="", meta=MIRROR, volumes=FILES), Switches(), Fate.SKIPPED, ""),
        (pod(volumes=FILES), Switches(), Fate.REFUSED, LOCAL_STORAGE_FATAL),
        (pod(volumes=FILES), ALL_ON, Fate.EVICTED, "loses what is in emptyDir cache"),
        (pod(owner=""), Switches(), Fate.REFUSED, UNMANAGED_FATAL),
        (pod(owner=""), ALL_ON, Fate.EVICTED, "nothing makes it again"),
        # The first filter that keeps a pod names the reason.
        (pod(owner="", volumes=FILES), Switches(), Fate.REFUSED, LOCAL_STORAGE_FATAL),
        (pod(owner="", volumes=FILES), Switches(delete_emptydir_data=True), Fate.REFUSED, UNMANAGED_FATAL),
    ],
)
def test_the_fate_of_a_pod(item: JsonObject, switches: Switches, fate: Fate, why: str) -> None:
    assert judged(item, switches, {}) == Verdict(item, fate, why)


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
@pytest.mark.parametrize("owner", ["", "Job", "DaemonSet"])
def test_finished_pods_need_no_switch(owner: str, phase: str) -> None:
    item = pod(owner=owner, phase=phase, volumes=FILES)
    assert judged(item, Switches(ignore_daemonsets=False), {}).fate is Fate.EVICTED


@pytest.mark.parametrize(
    ("deleted", "force", "fate"),
    [(True, True, Fate.EVICTED), (True, False, Fate.REFUSED), (False, True, Fate.REFUSED)],
)
def test_a_pod_whose_daemon_set_is_gone_needs_force(deleted: bool, force: bool, fate: Fate) -> None:
    absent = {ObjectKey("shop", "web"): Absent('daemonsets.apps "web" not found', deleted)}
    found = judged(pod(owner="DaemonSet"), Switches(force=force), absent)
    assert found.fate is fate
    if fate is Fate.REFUSED:
        assert refusals([found]) == ['cannot delete daemonsets.apps "web" not found: shop/p']


def test_refusals_name_all_pods_with_the_same_reason_together() -> None:
    found = [judged(item, Switches(), {}) for item in (pod("a", owner=""), pod("b"), pod("c", owner=""))]
    assert refusals(found) == [f"cannot delete {UNMANAGED_FATAL}: shop/a, shop/c"]


# -- budgets ---------------------------------------------------------------------------------------


def budget(name: str = "web", allowed: int = 0, healthy: int = 2, needed: int = 2, **spec: Any) -> JsonObject:
    return {
        "metadata": {"name": name, "namespace": "shop", "generation": 1},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, **spec},
        "status": {
            "observedGeneration": 1,
            "disruptionsAllowed": allowed,
            "currentHealthy": healthy,
            "desiredHealthy": needed,
        },
    }


NEEDS = "The disruption budget web needs 2 healthy pods and has 2 currently"


def unready() -> JsonObject:
    item = pod()
    item["status"]["conditions"] = []
    return item


@pytest.mark.parametrize(
    ("item", "budgets", "expected"),
    [
        (pod(), [], Protection()),
        (pod(), [budget()], Protection(("web",), NEEDS, counted=True)),
        (pod(), [budget(allowed=1)], Protection(("web",), "", counted=True)),
        (pod(), [budget(selector=None)], Protection()),
        (pod(), [budget(selector={})], Protection(("web",), NEEDS, counted=True)),
        (pod(), [budget(selector={"matchLabels": {"app": "db"}})], Protection()),
        (pod(phase="Pending"), [budget()], Protection()),
        (pod(phase="Failed"), [budget()], Protection()),
        (pod(meta={"deletionTimestamp": "2026-01-01T00:00:00Z"}), [budget()], Protection()),
        (unready(), [budget()], Protection(("web",))),
        (unready(), [budget(healthy=1)], Protection(("web",), NEEDS.replace("has 2", "has 1"), counted=True)),
        (unready(), [budget(healthy=1, unhealthyPodEvictionPolicy="AlwaysAllow")], Protection(("web",))),
    ],
)
def test_what_budgets_say(item: JsonObject, budgets: list[JsonObject], expected: Protection) -> None:
    assert protection(item, budgets) == expected


def test_a_budget_of_another_namespace_is_no_matter() -> None:
    other = budget()
    other["metadata"]["namespace"] = "bank"
    assert protection(pod(), [other]) == Protection()


def test_two_budgets_refuse_for_ever_even_when_both_allow_it() -> None:
    found = protection(pod(), [budget("one", allowed=1), budget("two", allowed=1)])
    assert found.for_ever
    assert found.names == ("one", "two")
    assert foretold(Verdict(pod(), Fate.EVICTED), found).tone is Tone.FAILED


def test_a_budget_that_the_controller_has_not_seen_yet_refuses() -> None:
    changed = budget(allowed=1)
    changed["metadata"]["generation"] = 2
    assert "still being processed" in protection(pod(), [changed]).words


# -- plan ------------------------------------------------------------------------------------------


def node(cordoned: bool = False) -> Target:
    spec = {"unschedulable": True} if cordoned else {}
    return Target(NODES, ObjectKey("", "n"), "u", {"metadata": {"name": "n"}, "spec": spec})


def test_the_cordon_comes_first_and_can_be_undone() -> None:
    (step,) = DRAIN.plan(node(), VALUES)
    assert step.write.body == {"spec": {"unschedulable": True}}
    assert step.undone is Undone.PATCH
    assert step.kubectl == ("kubectl", "drain", "n", "--ignore-daemonsets")


def test_a_cordoned_node_needs_no_cordon() -> None:
    assert DRAIN.plan(node(cordoned=True), VALUES) == ()


def test_the_kubectl_line_has_a_flag_for_each_switch() -> None:
    values = {
        "ignore_daemonsets": False,
        "delete_emptydir_data": True,
        "force": True,
        "grace_period": 0,
        "timeout": 90,
    }
    flags = ("--delete-emptydir-data", "--force", "--grace-period=0", "--timeout=90s")
    assert drain_line(node(), values)[3:] == flags


def test_an_eviction_is_for_this_very_pod_and_cannot_be_undone() -> None:
    step = eviction_step(pod(), 0)
    assert step.write.body["deleteOptions"] == {"preconditions": {"uid": "uid-p"}, "gracePeriodSeconds": 0}
    assert step.undone is Undone.NEVER


@pytest.mark.parametrize(("seconds", "text"), [(45, "45s"), (300, "5m0s"), (3630, "1h0m30s"), (7200, "2h0m0s")])
def test_durations_are_printed_as_go_prints_them(seconds: int, text: str) -> None:
    assert go_duration(seconds) == text


# -- evictions -------------------------------------------------------------------------------------


def refused_by_budget() -> TooManyRequests:
    cause = {"reason": "DisruptionBudget", "message": NEEDS}
    return _error(TooManyRequests, 429, "TooManyRequests", "Cannot evict pod", [cause])


def _error(kind: type[_E], code: int, reason: str, message: str, causes: Sequence[JsonObject] = ()) -> _E:
    body = {"kind": "Status", "reason": reason, "message": message, "code": code, "details": {"causes": list(causes)}}
    error = api_error(code, {}, json.dumps(body).encode())
    assert isinstance(error, kind)
    return error


class World:
    """A node and its pods: the cluster, and the doing.

    Args:
        pods: what runs there.
        answer: what the server says to an eviction: nothing, or an error to raise.
        values: what differs from the usual values.
    """

    def __init__(
        self, pods: Sequence[JsonObject], answer: Callable[[str], Exception | None] = lambda name: None, **values: Any
    ) -> None:
        self.pods = list(pods)
        self.answer = answer
        self.values = {**VALUES, **values}
        self.target = node(cordoned=True)
        self.results: list[JsonObject] = []
        self.evicted: list[str] = []
        self.at_once = self.most_at_once = 0
        self.hold: asyncio.Event | None = None
        self.full = asyncio.Event()
        self.evictable: set[str] = set()
        self.goes = True
        self._changed = asyncio.Event()

    @property
    def cluster(self) -> Any:
        return self

    async def objects(self, *_: Any, **__: Any) -> list[JsonObject]:
        return list(self.pods)

    async def watch_all(self, *_: Any, **__: Any) -> AsyncGenerator[list[JsonObject], None]:
        while True:
            self._changed.clear()
            yield list(self.pods)
            await self._changed.wait()

    async def write(self, step: Step) -> JsonObject:
        name = step.target.key.name
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        if self.at_once == drain.AT_ONCE:
            self.full.set()
        try:
            await (self.hold.wait() if self.hold is not None else asyncio.sleep(0))
            if (error := self.answer(name)) is not None:
                raise error
        finally:
            self.at_once -= 1
        self.evicted.append(name)
        if self.goes:
            self.remove(name)
        return {"kind": "Status", "status": "Success"}

    def remove(self, name: str) -> None:
        self.pods = [item for item in self.pods if item["metadata"]["name"] != name]
        self._changed.set()


def follow(world: World) -> AsyncGenerator[Said, None]:
    assert DRAIN.follow is not None
    return DRAIN.follow(cast(Doing, world))


async def last_lines(world: World) -> dict[str, str]:
    return {said.about: said.text async for said in follow(world)}


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain, "RETRY", 0.001)


async def test_all_pods_are_evicted_a_few_at_once() -> None:
    world = World([pod(str(number)) for number in range(20)])
    lines = await last_lines(world)
    assert len(world.evicted) == 20
    assert world.most_at_once == drain.AT_ONCE
    assert lines.pop("") == "Drained."
    assert set(lines.values()) == {"Gone."}
    assert len(lines) == 20


async def test_an_empty_node_is_drained_at_once() -> None:
    assert await last_lines(World([])) == {"": "Drained."}


async def test_nothing_is_evicted_when_one_pod_needs_a_switch() -> None:
    world = World([pod("a"), pod("b", owner="")])
    with pytest.raises(Refusal) as refused:
        await last_lines(world)
    assert refused.value.sentence == f'unable to drain node "n" due to error: cannot delete {UNMANAGED_FATAL}: shop/b'
    assert "stays cordoned" in refused.value.next_step
    assert world.evicted == []


async def test_a_refused_eviction_is_tried_until_the_budget_allows_it() -> None:
    tries = iter([refused_by_budget(), refused_by_budget(), None])
    world = World([pod("a")], lambda name: next(tries))
    lines = [said.text async for said in follow(world)]
    assert lines.count(f"Waiting: {NEEDS}") == 2
    assert lines[-1] == "Drained."


async def test_a_pod_that_waits_for_its_budget_holds_up_no_other() -> None:
    names = [f"stuck-{number}" for number in range(drain.AT_ONCE + 1)]
    world = World([pod(name) for name in (*names, "free")], lambda name: refused_by_budget() if name in names else None)
    lines = follow(world)
    async for said in lines:
        if said.about == "shop/free" and said.text == "Gone.":
            break
    await lines.aclose()
    assert world.evicted == ["free"]


async def test_a_server_that_asks_for_more_time_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = refused_by_budget()
    asked.retry_after = 30.0
    tries = iter([asked, None])
    waits = []

    async def sleep(self: object, uid: str, seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(drain.Evictions, "_sleep", sleep)
    await last_lines(World([pod("a")], lambda name: next(tries)))
    assert waits == [30.0]


async def test_a_pod_that_is_gone_already_is_no_failure() -> None:
    world = World([pod("a")])

    def gone(name: str) -> Exception:
        world.remove(name)
        return _error(NotFound, 404, "NotFound", 'pods "a" not found')

    world.answer = gone
    assert (await last_lines(world))[""] == "Drained."


async def test_a_pod_that_goes_while_its_budget_refuses_is_gone() -> None:
    world = World([pod("a")], lambda name: refused_by_budget())
    lines = []
    async for said in follow(world):
        lines.append(said.text)
        if said.text.startswith("Waiting"):
            world.remove("a")
    assert lines[-2:] == ["Gone.", "Drained."]
    assert world.evicted == []


async def test_a_failure_is_told_after_all_others_are_gone() -> None:
    broken = _error(ServerError, 500, "", "This pod has more than one PodDisruptionBudget")
    world = World([pod("a"), pod("b"), pod("c")], lambda name: broken if name == "b" else None)
    lines: dict[str, Said] = {}

    async def read() -> None:
        async for said in follow(world):
            lines[said.about] = said

    with pytest.raises(Refusal) as failed:
        await read()
    assert world.evicted == ["a", "c"]
    assert lines["shop/b"].tone is Tone.FAILED
    words = 'error when evicting pods/"b" -n "shop": This pod has more than one PodDisruptionBudget'
    assert failed.value.sentence == f'unable to drain node "n" due to error: {words}'


async def test_a_namespace_that_ends_is_waited_for() -> None:
    ending = _error(Forbidden, 403, "Forbidden", "being terminated", [{"reason": "NamespaceTerminating"}])
    tries = iter([ending, None])
    world = World([pod("a")], lambda name: next(tries))
    assert (await last_lines(world))[""] == "Drained."


async def test_the_timeout_ends_the_waiting_for_pods_that_do_not_go() -> None:
    world = World([pod("a")], timeout=0.01)
    world.goes = False
    with pytest.raises(Refusal, match="global timeout reached"):
        await last_lines(world)


async def test_closing_lets_what_is_under_way_end_and_begins_nothing_new() -> None:
    world = World([pod(str(number)) for number in range(20)])
    world.hold = asyncio.Event()
    lines = follow(world)
    await anext(lines)
    await world.full.wait()
    closing = asyncio.ensure_future(lines.aclose())
    await asyncio.sleep(0)
    world.hold.set()
    await closing
    assert len(world.evicted) == drain.AT_ONCE


async def test_a_watch_that_is_denied_ends_the_drain_with_its_own_words() -> None:
    world = World([pod("a")])
    world.goes = False

    async def denied(*_: Any, **__: Any) -> AsyncGenerator[list[JsonObject], None]:
        raise _error(Forbidden, 403, "Forbidden", "no watching here")
        yield []

    world.watch_all = denied  # type: ignore[method-assign]
    with pytest.raises(Forbidden, match="no watching here"):
        await last_lines(world)


async def test_to_be_cancelled_while_it_waits_is_as_good_as_to_be_closed() -> None:
    world = World([pod("a")], lambda name: refused_by_budget() if name in world.evictable else None)
    world.evictable = {"a"}
    lines = follow(world)
    tried = 0
    async for said in lines:
        tried += said.text.startswith("Waiting")
        if tried == 3:
            break
    reading = asyncio.ensure_future(last_of(lines))
    await asyncio.sleep(0)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    world.evictable = set()
    await lines.aclose()
    assert world.evicted == []
    assert world.at_once == 0


async def last_of(lines: AsyncGenerator[Said, None]) -> Said:
    return [said async for said in lines][-1]
