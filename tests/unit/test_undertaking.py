"""Undertaking: steps in order, targets side by side, one line in the journal for each write, and the truth about it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from ktui.actions import undertaking
from ktui.actions.action import JSON_PATCH, Access, Refusal, Said, Step
from ktui.actions.action import Doing as Followed
from ktui.actions.undertaking import AT_ONCE, LOOKS, LOOKS_UNDONE, MOST_RENEWALS, MOST_WAITS, Preview
from ktui.kinds.names import GVR
from ktui.kinds.tone import Tone
from ktui.kube.errors import (
    ApiError,
    BadRequest,
    Cause,
    Conflict,
    ConnectionFailed,
    Details,
    Forbidden,
    Invalid,
    KtuiError,
    NotFound,
    ServerError,
    ServerTimeout,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    UnexpectedAnswer,
)
from tests.unit.demo_api import until
from tests.unit.fake_place import (
    Doing,
    FakePlace,
    action,
    deleting,
    evicting,
    grow,
    making,
    patching,
    path,
    target,
)

BROKE_OFF = ConnectionFailed("https://x", "the connection broke off")
REFUSED = ConnectionFailed("https://x", "connection refused")
TIMED_OUT = ConnectionFailed("https://x", "timed out")
LATE = ServerTimeout(504, "Timeout", "the server was unable to return a response in the time allotted")
CONFLICT = Conflict(409, "Conflict", "the object has been modified")
DENIED = Forbidden(403, "Forbidden", "no Fridays")


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undertaking, "LOOKS", (0.0,) * len(LOOKS))


def busy(after: float | None, status: int = 429) -> ApiError:
    kind = TooManyRequests if status == 429 else Unavailable
    return kind(status, "", "slow down", retry_after=after)


# -- reading and planning --------------------------------------------------------------------------


async def test_what_is_read_is_planned_for() -> None:
    """Each target has its own object and UID; the place of a creation is not read."""
    place = FakePlace("a", "b")
    doing = await Doing(place, action(), "a", "b").prepared()
    read = doing.undertaking.targets
    assert [(one.uid, one.live["metadata"]["name"]) for one in read] == [("uid-1", "a"), ("uid-2", "b")]
    place.asked.clear()
    await Doing(place, action(lambda about, values: [making("c")], creates=True)).prepared()
    assert place.asked == []


async def test_one_that_cannot_be_read_keeps_none_of_the_others() -> None:
    """It is not planned for, says why, and fails; alone, it is raised."""
    place = FakePlace("a")
    doing = await Doing(place, action(), "a", "gone").done()
    assert doing.stages == ["DONE", "FAILED"]
    assert "not found" in doing.errors[1]
    assert [write.path for write in place.sent] == [path("a")]
    with pytest.raises(NotFound):
        await Doing(place, action(), "gone").prepared()


async def test_another_one_of_that_name_is_left_alone() -> None:
    """Whoever chose an object meant that one; planning does not make it forgotten, and nothing is written."""
    place = FakePlace("a", "b")
    doing = Doing(place, action(), "a", "b")
    await doing.prepared()
    place.put("a")
    await doing.undertaking.read()
    for _ in range(2):
        doing.undertaking.plan()
    await doing.undertaking.do()
    assert doing.stages == ["FAILED", "DONE"]
    assert "not the one you chose" in doing.errors[0]
    assert [write.path for write in place.sent] == [path("b")]


async def test_one_that_cannot_be_read_again_is_not_done_from_memory() -> None:
    """The object of before may be another by now."""
    place = FakePlace("a", "b")
    doing = await Doing(place, action(), "a", "b").prepared()
    place.unreadable.append((path("a"), REFUSED))
    await doing.undertaking.read()
    doing.undertaking.plan()
    assert doing.errors == [str(REFUSED), ""]
    assert doing.undertaking.works[0].steps == ()
    await doing.undertaking.read()
    doing.undertaking.plan()
    assert doing.errors == ["", ""]


async def test_a_refusal_of_the_plan() -> None:
    """It is its target's alone, and goes when what was asked for changes."""

    def plan(about: Any, values: Any) -> list[Step]:
        if about.key.name in values["not"]:
            raise Refusal("not this one")
        return grow(about)

    place = FakePlace("a", "b")
    doing = Doing(place, action(plan), "a", "b")
    doing.undertaking.values = {"not": "a"}
    await doing.prepared()
    assert doing.errors == ["not this one", ""]
    doing.undertaking.values = {"not": ""}
    doing.undertaking.plan()
    assert doing.errors == ["", ""]
    doing.undertaking.values = {"not": "b"}
    doing.undertaking.plan()
    await doing.undertaking.do()
    assert doing.stages == ["DONE", "FAILED"]
    assert doing.journal == [("a", "done")]


# -- previews --------------------------------------------------------------------------------------


async def previews(doing: Doing) -> list[Preview]:
    return [one for found in (await doing.undertaking.previews()).values() for one in found]


async def test_a_preview_changes_nothing() -> None:
    """It has what was, what would be and the server's warnings."""
    place = FakePlace("a")
    doing = await Doing(place, action(), "a").prepared()
    (preview,) = await previews(doing)
    assert preview.before is not None
    assert preview.after is not None
    assert (preview.before["spec"], preview.after["spec"]) == ({"size": 1}, {"size": 2})
    assert preview.warnings == ("dry",)
    assert place.sent == []
    assert doing.kept == []


async def test_a_preview_shows_nobody_elses_changes() -> None:
    """What somebody changed since it was read is no difference that this makes."""
    place = FakePlace("a")
    doing = await Doing(place, action(), "a").prepared()
    place.change("a", theirs=True)
    (preview,) = await previews(doing)
    assert preview.before is not None
    assert preview.before["spec"] == {"size": 1, "theirs": True}


async def test_the_preview_of_a_subresource() -> None:
    """A scale is held against the scale."""
    place = FakePlace("a")
    doing = Doing(
        place, action(lambda about, values: [patching(about, {"spec": {"replicas": 3}}, through="scale")]), "a"
    )
    await doing.prepared()
    (preview,) = await previews(doing)
    assert preview.before is not None
    assert preview.after is not None
    assert preview.before["kind"] == preview.after["kind"] == "Scale"
    assert (preview.before["spec"], preview.after["spec"]) == ({"replicas": None}, {"replicas": 3})


async def test_previews_of_creations_and_deletions() -> None:
    """Nothing was before; and of a deletion nothing is afterwards. What depends on an earlier step is not asked."""
    place = FakePlace("a")
    steps = [making("new"), deleting(target("a"))]
    doing = await Doing(place, action(lambda about, values: steps), "a").prepared()
    made, deleted = await previews(doing)
    assert (made.before, deleted.before, deleted.after) == (None, None, None)
    assert made.after is not None
    unasked = Step(steps[0].target, steps[0].write, (), previewed=False)
    doing = await Doing(place, action(lambda about, values: [unasked]), "a").prepared()
    assert await previews(doing) == [Preview(unasked)]


@pytest.mark.parametrize(
    ("error", "refused"),
    [
        (Invalid(422, "Invalid", "spec.size: too large"), True),
        (DENIED, True),
        (CONFLICT, True),
        (BadRequest(400, "BadRequest", 'admission webhook "x" does not support dry run'), False),
        (TooManyRequests(429, "", "slow down"), False),
        (ServerError(500, "InternalError", "oh"), False),
        (REFUSED, False),
    ],
)
def test_which_previews_are_refusals(error: KtuiError, refused: bool) -> None:
    """Doing it is in vain only where the server would say the same again."""
    assert Preview(making("a"), error=error).refused is refused


# -- doing -----------------------------------------------------------------------------------------


async def test_the_steps_of_a_target_follow_each_other() -> None:
    """In their order; the answers are in it, too, and each is in the journal with what was before it."""

    def plan(about: Any, values: Any) -> list[Step]:
        return [patching(about, {"spec": {"size": size}}) for size in (2, 3)] + [making("made")]

    place = FakePlace("a")
    doing = await Doing(place, action(plan), "a").done()
    assert doing.stages == ["DONE"]
    assert [write.method for write in place.sent] == ["PATCH", "PATCH", "POST"]
    assert [answer["spec"] for answer in doing.undertaking.works[0].results] == [{"size": 2}, {"size": 3}, {}]
    assert [one.before and one.before["spec"] for one in doing.kept] == [{"size": 1}, {"size": 2}, None]
    assert {one.batch for one in doing.kept} == {"b"}


async def test_what_was_before_is_that_objects() -> None:
    """An answer about another object of the kind says nothing of it."""
    place = FakePlace("a")
    made = making("new", size=7)
    doing = await Doing(place, action(lambda about, values: [made, *grow(about)]), "a").done()
    assert doing.kept[1].before is not None
    assert doing.kept[1].before["metadata"]["name"] == "a"


async def test_after_a_failure_no_further_step_is_done() -> None:
    """Those before it are done, and in the journal."""
    place = FakePlace("a")
    doing = Doing(place, action(lambda about, values: [making("x"), making("y"), making("z")]), "a")
    await doing.prepared()
    place.put("y")
    await doing.undertaking.do()
    assert doing.stages == ["FAILED"]
    assert doing.journal == [("x", "done"), ("y", "failed")]


async def test_a_few_at_once() -> None:
    """Many targets do not storm the server, and a failed one holds nobody up."""
    names = [f"t{number}" for number in range(3 * AT_ONCE)]
    place = FakePlace(*names)
    doing = await Doing(place, action(), *names).prepared()
    place.fail(CONFLICT)
    place.gate.clear()
    task = asyncio.create_task(doing.undertaking.do())
    await until(lambda: place.under_way == AT_ONCE)
    assert doing.stages.count("WAITING") == 2 * AT_ONCE
    place.gate.set()
    await task
    assert place.most_under_way == AT_ONCE
    assert sorted(set(doing.stages)) == ["DONE", "FAILED"]
    assert doing.stages.count("FAILED") == 1
    assert len(doing.kept) == len(names)


async def test_a_mistake_of_ktuis_holds_nobody_up() -> None:
    """The others come to their ends; it is raised then, and what it concerns is not called done."""

    def kept(written: Any) -> None:
        if written.step.target.key.name == "a":
            raise ZeroDivisionError

    place = FakePlace("a", "b")
    doing = await Doing(place, action(), "a", "b").prepared()
    doing.undertaking.keep = kept
    with pytest.raises(ZeroDivisionError):
        await doing.undertaking.do()
    assert doing.stages == ["UNKNOWN", "DONE"]
    assert doing.undertaking.ended


async def test_a_mistake_while_it_is_written_is_kept() -> None:
    """As that of a connection that was closed meanwhile: the write may have been done."""
    place = FakePlace("a")
    place.fail(RuntimeError("Session is closed"))
    doing = await Doing(place, action(), "a").prepared()
    with pytest.raises(RuntimeError):
        await doing.undertaking.do()
    assert (doing.stages, doing.journal) == (["UNKNOWN"], [("a", "unknown")])


@pytest.mark.parametrize("error", [CONFLICT, DENIED, Unauthorized(401), Invalid(422, "", "no"), ServerError(500)])
async def test_a_refusal_is_final(error: KtuiError) -> None:
    """It is told as it is; nothing is tried twice."""
    place = FakePlace("a")
    place.fail(error)
    doing = await Doing(place, action(), "a").done()
    assert (doing.stages, doing.undertaking.works[0].error) == (["FAILED"], error)
    assert len(place.sent) == 1
    assert doing.journal == [("a", "failed")]


# -- an object that a controller writes to ---------------------------------------------------------


def versioned(about: Any, values: Any) -> list[Step]:
    """A plan that holds for one version of its object."""
    version = about.live["metadata"]["resourceVersion"]
    return [patching(about, {"spec": {"size": 2}, "metadata": {"resourceVersion": version}})]


@pytest.mark.parametrize(
    ("change", "stages", "sent"),
    [
        ({"status": {"ready": 1}}, ["DONE"], ["1", "2"]),
        ({"spec": {"size": 1, "color": "red"}}, ["FAILED"], ["1"]),
        ({}, ["DONE"], ["1", "1"]),
    ],
    ids=["a status", "what a person could want otherwise", "nothing"],
)
async def test_only_a_status_was_written_in_between(change: Any, stages: list[str], sent: list[str]) -> None:
    """Then it is sent for the newest version, and is one write in the journal; else nobody's change is passed over."""
    place = FakePlace("a")
    doing = await Doing(place, action(versioned), "a").prepared()
    if change:
        item = place.objects[path("a")]
        place.objects[path("a")] = {**item, **change, "metadata": {**item["metadata"], "resourceVersion": "2"}}
    place.fail(CONFLICT)
    await doing.undertaking.do()
    assert doing.stages == stages
    assert [write.body["metadata"]["resourceVersion"] for write in place.sent] == sent
    assert len(doing.journal) == 1


async def test_conflicts_without_end_are_told() -> None:
    """After some of them."""
    place = FakePlace("a")
    for _ in range(MOST_RENEWALS + 1):
        place.fail(CONFLICT)
    doing = await Doing(place, action(versioned), "a").done()
    assert (doing.stages, doing.undertaking.works[0].error) == (["FAILED"], CONFLICT)
    assert len(place.sent) == MOST_RENEWALS + 1


# -- a server that asks to wait --------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 503])
async def test_a_server_that_asks_to_wait_is_waited_for(status: int) -> None:
    """That is told, and then it is done once; what is told in the end is not that one waits."""
    place = FakePlace("a")
    place.fail(busy(0.01, status))
    doing = await Doing(place, action(), "a").done()
    assert doing.stages == ["DONE"]
    assert doing.words == ["The cluster asks to wait 0.1 s; then it is tried again."]
    assert doing.undertaking.works[0].said == {}
    assert len(place.sent) == 2
    assert doing.journal == [("a", "done")]


@pytest.mark.parametrize("error", [busy(None), busy(3600)])
async def test_a_wait_without_end_is_not_begun(error: ApiError) -> None:
    """Nor one of an hour."""
    place = FakePlace("a")
    place.fail(error)
    doing = await Doing(place, action(), "a").done()
    assert (doing.stages, len(place.sent)) == (["FAILED"], 1)


async def test_waiting_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that asks for it again and again is left alone."""
    monkeypatch.setattr(undertaking, "asked_to_wait", lambda error: 0.0)
    place = FakePlace("a")
    for _ in range(MOST_WAITS + 1):
        place.fail(busy(1))
    doing = await Doing(place, action(), "a").done()
    assert (doing.stages, len(place.sent)) == (["FAILED"], MOST_WAITS + 1)
    assert doing.journal == [("a", "failed")]


async def test_a_budget_is_not_waited_for_here() -> None:
    """Whoever evicts decides when to ask again."""
    place = FakePlace("a")
    budget = Details(causes=(Cause("DisruptionBudget", "needs 2"),))
    place.fail(TooManyRequests(429, "", "would violate", details=budget, retry_after=1))
    doing = await Doing(place, action(lambda about, values: [evicting(about)]), "a").done()
    assert (doing.stages, len(place.sent)) == (["FAILED"], 1)


# -- no answer -------------------------------------------------------------------------------------


def shrink(about: Any, values: Any) -> list[Step]:
    """As an undo does it: what was must still be so."""
    patch = [
        {"op": "test", "path": "/spec/size", "value": 1},
        {"op": "replace", "path": "/spec/size", "value": 0},
        {"op": "add", "path": "/spec/list", "value": [1]},
    ]
    return [patching(about, patch, JSON_PATCH)]


WAYS = {
    "patch": grow,
    "json patch": shrink,
    "scale": lambda about, values: [patching(about, {"spec": {"replicas": 3}}, through="scale")],
    "creation": lambda about, values: [making("new")],
    "deletion": lambda about, values: [deleting(about)],
    "eviction": lambda about, values: [evicting(about)],
}


@pytest.mark.parametrize(
    "error", [BROKE_OFF, TIMED_OUT, LATE, Unavailable(502), UnexpectedAnswer("https://x", "no object")]
)
@pytest.mark.parametrize("way", WAYS)
async def test_an_answer_that_was_lost(way: str, error: KtuiError) -> None:
    """The write was done: that is found out, told and kept, and it is not done again."""
    place = FakePlace("a")
    place.fail(error, done=True)
    doing = await Doing(place, action(WAYS[way]), "a").done()
    assert doing.stages == ["DONE"], doing.errors
    assert "Nobody knows yet" in doing.words[0]
    assert doing.words[1:] == ["It was done, although no answer came."]
    assert len(place.sent) == 1
    assert [went for _, went in doing.journal] == ["done"]
    after = doing.kept[0].after
    assert after is not None
    assert (after.get("kind") == "Scale") is (way == "scale")


@pytest.mark.parametrize("way", WAYS)
async def test_a_request_that_was_lost(way: str) -> None:
    """The write was not done: that is told after some looks, and again it can be done."""
    place = FakePlace("a")
    place.fail(BROKE_OFF)
    doing = await Doing(place, action(WAYS[way]), "a").prepared()
    await doing.undertaking.do()
    assert doing.stages == ["FAILED"]
    assert doing.errors == [f"{BROKE_OFF.sentence} Nothing was done."]
    looked = [asked for asked in place.asked if asked.startswith(path("new" if way == "creation" else "a"))]
    # To read it, and of what is created to see that nothing has its name, is a look, too.
    assert len(looked) == LOOKS_UNDONE + 1
    assert len(place.sent) == 1
    assert [went for _, went in doing.journal] == ["failed"]
    doing.undertaking.again()
    await doing.done()
    assert doing.stages == ["DONE"]
    assert [went for _, went in doing.journal] == ["failed", "done"]


@pytest.mark.parametrize("way", [way for way in WAYS if way != "deletion"])
async def test_a_server_that_cannot_be_reached(way: str) -> None:
    """Nothing was sent, so there is nothing to look up."""
    place = FakePlace("a")
    place.fail(REFUSED)
    doing = await Doing(place, action(WAYS[way]), "a").done()
    assert doing.stages == ["FAILED"]
    assert doing.errors == [f"{REFUSED.sentence} Nothing was done."]
    assert doing.words == []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("again", [REFUSED, Unavailable(503), ServerError(500), busy(1), DENIED, Unauthorized(401)])
async def test_what_cannot_be_looked_up(way: str, again: KtuiError) -> None:
    """Nobody knows: that is told, and kept as such; where looking again cannot help, it is not waited for."""
    place = FakePlace("a")
    doing = await Doing(place, action(WAYS[way]), "a").prepared()
    place.fail(BROKE_OFF, done=True)
    place.unreadable += [(None, again)] * (len(LOOKS) + 1)
    await doing.undertaking.do()
    assert doing.stages == ["UNKNOWN"]
    assert "It is not known whether it was done." in doing.errors[0]
    assert [went for _, went in doing.journal] == ["unknown"]
    expected = 1 if isinstance(again, Forbidden | Unauthorized) else len(LOOKS)
    assert len(place.unreadable) == len(LOOKS) + 1 - expected - (way == "creation")


@pytest.mark.parametrize("error", [LATE, TIMED_OUT])
async def test_a_write_that_is_done_late(error: KtuiError) -> None:
    """Whoever gave up waiting may still be at it: it is looked for longer, and found."""
    place = FakePlace("a")
    place.fail(error, late=LOOKS_UNDONE + 2)
    doing = await Doing(place, action(), "a").done()
    assert doing.stages == ["DONE"]
    assert len(place.sent) == 1


async def test_a_write_that_a_slow_server_never_did() -> None:
    """After the last look it counts as not done."""
    place = FakePlace("a")
    place.fail(LATE)
    doing = await Doing(place, action(), "a").done()
    assert doing.errors == [f"{LATE.sentence} Nothing was done."]
    assert len(place.asked) == 1 + len(LOOKS)


async def test_an_outage_after_the_last_good_look() -> None:
    """What was seen before it says nothing of a write that may come late."""
    place = FakePlace("a")
    doing = await Doing(place, action(), "a").prepared()
    place.fail(LATE)
    looks = iter(range(len(LOOKS)))

    async def get(*asked: Any) -> Any:
        if next(looks) > LOOKS_UNDONE:
            raise REFUSED
        return place.objects[path("a")]

    place.get = get  # type: ignore[method-assign, assignment]
    await doing.undertaking.do()
    assert doing.stages == ["UNKNOWN"]


async def test_somebody_elses_change_is_not_taken_for_the_write() -> None:
    """Another version is not enough: it has to be as wanted. A change of theirs beside it does not matter."""
    place = FakePlace("a")
    doing = await Doing(place, action(), "a").prepared()
    place.fail(BROKE_OFF)
    place.change("a", theirs=1)
    await doing.undertaking.do()
    assert doing.stages == ["FAILED"]
    doing = await Doing(place, action(), "a").prepared()
    place.fail(BROKE_OFF, done=True)
    place.change("a", theirs=2)
    await doing.undertaking.do()
    assert doing.stages == ["DONE"]


async def test_an_undo_that_somebody_prevented_is_not_called_done() -> None:
    """Its tests fail afterwards, as they do when it was done; what is there tells, or nobody knows."""
    place = FakePlace("a")
    doing = await Doing(place, action(shrink), "a").prepared()
    place.fail(BROKE_OFF)
    place.change("a", size=9)
    await doing.undertaking.do()
    assert doing.stages == ["UNKNOWN"]


async def test_an_object_that_was_there_before_was_not_made() -> None:
    """Its name was taken: nothing was done, although one of that name is there."""
    place = FakePlace("new")
    place.fail(BROKE_OFF)
    doing = await Doing(place, action(lambda about, values: [making("new")], creates=True)).done()
    assert doing.stages == ["FAILED"]
    assert doing.journal == [("new", "failed")]


async def test_an_object_that_somebody_else_made_was_not_made() -> None:
    """The server notes who makes an object."""
    place = FakePlace()
    doing = await Doing(place, action(lambda about, values: [making("new")], creates=True)).prepared()
    await doing.undertaking.previews()
    place.fail(BROKE_OFF)
    place.put("new", metadata={"name": "new", "uid": "u", "managedFields": [{"manager": "kubectl-create"}]})
    await doing.undertaking.do()
    assert doing.stages == ["FAILED"]


async def test_a_preview_tells_that_a_name_is_free() -> None:
    """Then nobody has to ask once more before it is made."""
    place = FakePlace()
    doing = await Doing(place, action(lambda about, values: [making("new")], creates=True)).prepared()
    await doing.undertaking.previews()
    place.fail(BROKE_OFF, done=True)
    await doing.undertaking.do()
    assert doing.stages == ["DONE"]
    assert place.asked == [path("new")]


async def test_nobody_knows_a_name_that_the_server_chose() -> None:
    """It cannot be looked up, and the list of all things is not taken for it."""
    place = FakePlace()
    place.fail(BROKE_OFF, done=True)
    doing = await Doing(place, action(lambda about, values: [making("")], creates=True)).done()
    assert doing.stages == ["UNKNOWN"]
    assert place.asked == []


async def test_a_deletion_that_waits_for_finalizers_is_done() -> None:
    """It goes away. What was leaving slowly, and is to go at once, is not."""
    place = FakePlace("a")
    leaving = {"deletionTimestamp": "2030-01-01T00:00:00Z", "deletionGracePeriodSeconds": 30}
    for options, stage in (({}, "DONE"), ({"gracePeriodSeconds": 30}, "DONE"), ({"gracePeriodSeconds": 0}, "FAILED")):
        place.put("a")["metadata"].update(leaving)
        place.fail(BROKE_OFF)
        given = options
        doing = await Doing(place, action(lambda about, values, given=given: [deleting(about, **given)]), "a").done()
        assert doing.stages == [stage]


async def test_one_that_has_taken_its_place_shows_that_it_is_gone() -> None:
    """The deletion was of the other."""
    place = FakePlace("a")
    doing = await Doing(place, action(lambda about, values: [deleting(about)]), "a").prepared()
    place.fail(BROKE_OFF)
    place.put("a")
    await doing.undertaking.do()
    assert doing.stages == ["DONE"]


async def test_a_write_that_is_cut_off_is_kept() -> None:
    """ktui ends before the answer comes: the journal says that nobody knows."""
    place = FakePlace("a")
    doing = await Doing(place, action(), "a").prepared()
    place.gate.clear()
    task = asyncio.create_task(doing.undertaking.do())
    await until(lambda: place.under_way == 1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert doing.stages == ["UNKNOWN"]
    assert doing.journal == [("a", "unknown")]


# -- stopping and trying again ---------------------------------------------------------------------


async def test_what_has_not_begun_is_not_begun() -> None:
    """That shows at once, and what is under way comes to its end."""
    names = [f"t{number}" for number in range(AT_ONCE + 2)]
    place = FakePlace(*names)
    doing = await Doing(place, action(), *names).prepared()
    place.gate.clear()
    task = asyncio.create_task(doing.undertaking.do())
    await until(lambda: place.under_way == AT_ONCE)
    doing.undertaking.cancel()
    assert doing.stages == ["WRITING"] * AT_ONCE + ["CANCELLED"] * 2
    place.gate.set()
    await task
    assert doing.stages == ["DONE"] * AT_ONCE + ["CANCELLED"] * 2
    assert len(place.sent) == AT_ONCE


async def test_steps_that_have_not_begun_are_not_begun() -> None:
    """The rest of them can be done later; what is done is not done twice."""
    place = FakePlace("a")
    doing = Doing(place, action(lambda about, values: [making("x"), making("y")]), "a")
    await doing.prepared()
    place.gate.clear()
    task = asyncio.create_task(doing.undertaking.do())
    await until(lambda: place.under_way == 1)
    doing.undertaking.cancel()
    place.gate.set()
    await task
    assert doing.stages == ["FAILED"]
    assert doing.errors == ["It was stopped: 1 of 2 steps were done."]
    doing.undertaking.again()
    await doing.done()
    assert doing.stages == ["DONE"]
    assert [write.body["metadata"]["name"] for write in place.sent] == ["x", "y"]
    assert [one["metadata"]["name"] for one in doing.undertaking.works[0].results] == ["x", "y"]


async def test_a_wait_can_be_stopped() -> None:
    """Nothing is sent after it."""
    place = FakePlace("a")
    place.fail(busy(29))
    doing = await Doing(place, action(), "a").prepared()
    task = asyncio.create_task(doing.undertaking.do())
    await until(lambda: bool(doing.told))
    doing.undertaking.cancel()
    await task
    assert (doing.stages, len(place.sent)) == (["CANCELLED"], 1)
    assert doing.journal == [("a", "failed")]


async def test_again_only_what_failed() -> None:
    """What is done stays done."""
    place = FakePlace("a", "b", "c")
    doing = await Doing(place, action(), "a", "b", "c").prepared()
    place.fail(CONFLICT)
    await doing.undertaking.do()
    assert doing.stages == ["FAILED", "DONE", "DONE"]
    place.sent.clear()
    doing.undertaking.again()
    await doing.done()
    assert [write.path for write in place.sent] == [path("a")]
    assert doing.stages == ["DONE"]


# -- following -------------------------------------------------------------------------------------


async def silent(doing: Followed) -> AsyncGenerator[Said, None]:
    yield Said("It goes on.")
    await asyncio.Event().wait()


async def test_what_follows_is_told_to_its_end() -> None:
    """The newest sentence about each thing stays."""

    async def follow(doing: Followed) -> AsyncGenerator[Said, None]:
        assert doing.target.live["spec"] == {"size": 1}
        assert doing.results[0]["spec"] == {"size": 2}
        for text, about in (("1 of 2", ""), ("waits", "pod"), ("2 of 2", "")):
            yield Said(text, about=about)

    doing = await Doing(FakePlace("a"), action(follow=follow), "a").done()
    assert doing.stages == ["DONE"]
    assert doing.words == ["1 of 2", "waits", "2 of 2"]
    assert [(about, said.text) for about, said in doing.undertaking.works[0].said.items()] == [
        ("pod", "waits"),
        ("", "2 of 2"),
    ]


async def test_following_takes_no_turn() -> None:
    """A rollout that never ends keeps nobody from being written to."""
    names = [f"t{number}" for number in range(2 * AT_ONCE)]
    place = FakePlace(*names)
    doing = await Doing(place, action(follow=silent), *names).prepared()
    task = asyncio.create_task(doing.undertaking.do())
    await until(lambda: doing.stages == ["FOLLOWING"] * len(names))
    doing.undertaking.cancel()
    await task
    assert doing.stages == ["DONE"] * len(names)
    assert doing.undertaking.works[0].said[""].text == "No longer followed."


@pytest.mark.parametrize("error", [BROKE_OFF, DENIED, Unauthorized(401)])
async def test_a_write_that_cannot_be_followed_is_done(error: KtuiError) -> None:
    """That following failed is told beside it; it does not invite anybody to do it again."""

    async def follow(doing: Followed) -> AsyncGenerator[Said, None]:
        yield Said("It goes on.")
        raise error

    doing = await Doing(FakePlace("a"), action(follow=follow), "a").done()
    assert (doing.stages, doing.errors) == (["DONE"], [""])
    said = doing.undertaking.works[0].said[""]
    assert said.tone is Tone.WARNING
    assert said.text.startswith(f"It was done. How it goes on is not known: {error.sentence}")


async def refused(doing: Followed) -> AsyncGenerator[Said, None]:
    yield Said("Needs Force.", about="pod")
    raise Refusal("unable to drain node")


async def cut_off(doing: Followed) -> AsyncGenerator[Said, None]:
    yield Said("Evicting.", about="pod")
    raise BROKE_OFF


EVICTS = (Access("patch"), Access("create", "eviction", GVR("", "v1", "pods")))


@pytest.mark.parametrize(
    ("follow", "access", "plan"),
    [
        (refused, (), grow),
        # The evictions of a drain are not done when it cannot go on, although the node is cordoned.
        (cut_off, EVICTS, grow),
        # Nothing was written at all.
        (cut_off, (), lambda about, values: []),
    ],
)
async def test_what_follows_is_part_of_what_was_to_be_done(follow: Any, access: Any, plan: Any) -> None:
    """Then it has failed."""
    doing = await Doing(FakePlace("a"), action(plan, follow=follow, access=access), "a").done()
    assert doing.stages == ["FAILED"]
    assert doing.errors != [""]


async def test_writes_while_it_is_followed() -> None:
    """They are kept as the others; a failed one is whoever follows' to deal with."""

    async def follow(doing: Followed) -> AsyncGenerator[Said, None]:
        await doing.write(making("x"))
        with pytest.raises(Conflict):
            await doing.write(making("x"))
        yield Said("Done.")

    doing = await Doing(FakePlace("a"), action(lambda about, values: [], follow=follow), "a").done()
    assert doing.stages == ["DONE"]
    assert doing.journal == [("x", "done"), ("x", "failed")]


async def test_a_mistake_in_following_is_no_failure_of_the_write() -> None:
    """It is raised for whoever looks for mistakes."""

    async def follow(doing: Followed) -> AsyncGenerator[Said, None]:
        yield Said("It goes on.")
        raise KeyError("spec")

    doing = await Doing(FakePlace("a"), action(follow=follow), "a").prepared()
    with pytest.raises(KeyError):
        await doing.undertaking.do()
    assert doing.stages == ["DONE"]
    assert "ktui made a mistake (KeyError)" in doing.undertaking.works[0].said[""].text
